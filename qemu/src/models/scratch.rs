//! A block that only remembers what was written to it: the registers of parts
//! of the SoC that software programs and reads back, but whose effects nobody
//! in the emulator can see (EMI timing, SMI, M4U, device access control, ...).
//!
//! What is known of the block's registers (`documented`) decides what else
//! becomes of an access: see `Known`.
//! Source: facts/soc.md 1.2 for which blocks exist.

mod documented;

use std::collections::HashSet;

use crate::bus::{Block, Context, GuestError, Reset, Size};

/// Plain memory in the place of a register block.
pub struct Scratch {
    name: &'static str,
    bytes: Vec<u8>,
    known: Known,
    /// Words that nothing is known of and that were accessed.
    touched: HashSet<u32>,
}

/// First and last word of a run of registers.
type Range = (u32, u32);

/// What is known of the registers of a block.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// It is memory: there is nothing to know.
    Memory,
    /// All registers: another offset is an unknown register.
    All(&'static [Range]),
    /// Some: the first access to another word is reported as unmodelled.
    Some(&'static [Range]),
}

impl Known {
    fn ranges(self) -> &'static [Range] {
        match self {
            Known::Memory => &[(0, u32::MAX)],
            Known::All(ranges) | Known::Some(ranges) => ranges,
        }
    }
}

impl Scratch {
    /// `len` bytes, all zero. `name` is used in reports.
    pub fn new(name: &'static str, len: u32) -> Self {
        Scratch {
            name,
            bytes: vec![0; len as usize],
            known: documented::registers(name),
            touched: HashSet::new(),
        }
    }

    /// Whether the block may have a register at `word`; says so if nobody knows.
    fn judge(&mut self, word: u32, write: bool, cx: &mut Context<'_>) -> bool {
        let ranges = self.known.ranges();
        if ranges
            .iter()
            .any(|&(first, last)| (first..=last).contains(&word))
        {
            return true;
        }
        if matches!(self.known, Known::Some(_)) && self.touched.insert(word) {
            let what = if write { "write to" } else { "read of" };
            cx.report(
                GuestError::Unmodelled,
                self.name,
                word,
                format!("{what} a register of which only the place is known"),
            );
        }
        matches!(self.known, Known::Some(_))
    }

    /// Where an access lies in the memory, if it lies inside and is aligned.
    fn span(
        &mut self,
        offset: u32,
        size: Size,
        write: bool,
        cx: &mut Context<'_>,
    ) -> Option<std::ops::Range<usize>> {
        if !offset.is_multiple_of(u32::from(size.max(1))) {
            cx.report(
                GuestError::AccessSize,
                self.name,
                offset,
                "access that is not aligned to its width",
            );
            return None;
        }
        let start = offset as usize;
        let end = start
            .checked_add(usize::from(size))
            .filter(|&end| end <= self.bytes.len());
        if end.is_none() || !self.judge(offset & !3, write, cx) {
            cx.unknown_register(self.name, offset, write);
            return None;
        }
        Some(start..end?)
    }
}

impl Block for Scratch {
    fn name(&self) -> &'static str {
        self.name
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        let Some(span) = self.span(offset, size, false, cx) else {
            return 0;
        };
        self.bytes[span]
            .iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | u32::from(byte))
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        let Some(span) = self.span(offset, size, true, cx) else {
            return;
        };
        for (byte, from) in self.bytes[span].iter_mut().zip(value.to_le_bytes()) {
            *byte = from;
        }
    }

    fn reset(&mut self, _kind: Reset, _cx: &mut Context<'_>) {
        self.bytes.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    #[test]
    fn remembers_at_every_width() {
        let mut world = TestWorld::default();
        let mut block = Scratch::new("AUDIO_SRAM", 0x1000);
        world.write(&mut block, 0xffc, 0x1234_5678);
        assert_eq!(block.read(0xffc, 1, &mut world.cx()), 0x78);
        assert_eq!(block.read(0xffe, 2, &mut world.cx()), 0x1234);
        block.write(0xffd, 1, 0xaa, &mut world.cx());
        assert_eq!(world.read(&mut block, 0xffc), 0x1234_aa78);
        block.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(world.read(&mut block, 0xffc), 0);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn a_register_that_nobody_knows_is_told_of_once() {
        let mut world = TestWorld::default();
        let mut block = Scratch::new("EMI", 0x1000);
        world.write(&mut block, 0x10, 5);
        assert_eq!(world.read(&mut block, 0x10), 5, "it is kept all the same");
        world.read(&mut block, 0x14);
        block.reset(Reset::Watchdog, &mut world.cx());
        world.read(&mut block, 0x10);
        let seen: Vec<_> = world.reports.iter().map(|r| (r.kind, r.offset)).collect();
        let unmodelled = GuestError::Unmodelled;
        assert_eq!(seen, [(unmodelled, 0x10), (unmodelled, 0x14)]);
    }

    #[test]
    fn where_all_registers_are_known_others_do_not_exist() {
        let mut world = TestWorld::default();
        let mut block = Scratch::new("DPI", 0x1000);
        world.write(&mut block, 0x18, 0x0320_01e0);
        assert_eq!(world.read(&mut block, 0x18), 0x0320_01e0);
        assert!(world.reports.is_empty());
        world.write(&mut block, 0x1c, 1);
        assert_eq!(world.read(&mut block, 0x1c), 0);
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(kinds, [GuestError::UnknownRegister; 2]);
    }

    #[test]
    fn ends_where_the_block_ends() {
        let mut world = TestWorld::default();
        let mut block = Scratch::new("AUDIO_SRAM", 0x100);
        assert_eq!(world.read(&mut block, 0x100), 0);
        world.write(&mut block, u32::MAX - 3, 1);
        world.write(&mut block, 0xfe, 1);
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(
            kinds,
            [
                GuestError::UnknownRegister,
                GuestError::UnknownRegister,
                GuestError::AccessSize
            ]
        );
    }
}
