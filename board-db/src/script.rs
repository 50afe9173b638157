//! Panel command sequences in the table's compact form.
//!
//! One step after another: an operation byte, then its operands.
//!
//! | operation | operands | meaning |
//! |---|---|---|
//! | 0x00 | u16, little endian | wait so many milliseconds |
//! | 0x01 | level u8, u16 | reset pin to this level, wait milliseconds |
//! | 0x37 | u8 | set the maximum return packet size |
//! | 0x80 + length | bytes | write of 1 to 127 bytes with the data type that is usual for its command |
//! | 0x02 | length u8, bytes | write to a bus of the LCD controller in words of 16 bits, big endian; the first is the command |
//! | 0x04 | length u8, u16, bytes | write each byte, as a word, to a register of a bus of the LCD controller: the first to this number, big endian, the next to the next |
//! | 0x80 | | the end, in a packed block |
//! | other | length u8, bytes | write with this DSI data type; the first byte is the command |
//!
//! Panels on a bus of the LCD controller have no data types: their writes of
//! bytes have the usual ones.
//!
//! The panels' sequences are most of the table and much alike within a family
//! of controllers, so they stand together in blocks, packed by LZMA
//! ([`PackedScript`]).

use unilk_lzma::{Damaged, Flat, Lzma, Window};

use crate::data_type::usual;
use crate::table::{BLOCKS, DICTIONARY, SCRIPTS, UNPACK_BYTES};

/// Operation: wait.
pub const OP_DELAY: u8 = 0x00;
/// Operation: move the reset pin.
pub const OP_RESET: u8 = 0x01;
/// Operation: write words of 16 bits.
pub const OP_WORDS: u8 = 0x02;
/// Operation: write words to one register of 16 bits after the other.
pub const OP_REGISTERS: u8 = 0x04;
/// Operation: maximum return packet size.
pub const OP_MAX_RETURN: u8 = 0x37;
/// In a block: a sequence ends.
const OP_END: u8 = 0x80;
/// Operation: write with the usual data type; the length is added.
const OP_USUAL: u8 = 0x80;

/// What LZMA is told of the blocks: a byte is predicted neither by the one
/// before it nor by its place.
const PROPERTIES: u8 = 0;

/// Sequences that were packed together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    /// Number of its first sequence.
    pub first: u16,
    /// Packed bytes: those of all blocks follow each other in `SCRIPTS`.
    pub packed: u16,
    /// Unpacked bytes.
    pub len: u16,
}

/// A sequence of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Script(&'static [u8]);

/// One step of a [`Script`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Send a packet; `payload` is 1 to 124 bytes, up to 255 on a bus of the
    /// LCD controller, the command first.
    Write {
        /// DSI data type: 0x05, 0x15, 0x39, 0x13, 0x23, 0x29 or 0x03; or
        /// [`OP_WORDS`] or [`OP_REGISTERS`].
        data_type: u8,
        /// Command and parameters.
        payload: &'a [u8],
    },
    /// Wait so many milliseconds.
    Delay(u16),
    /// Move the reset pin, then wait.
    Reset {
        /// High: the panel runs.
        high: bool,
        /// Milliseconds.
        ms: u16,
    },
    /// Set the maximum return packet size.
    MaxReturn(u8),
}

impl Script {
    /// The steps in `bytes`. Damaged bytes end the sequence early.
    pub const fn new(bytes: &'static [u8]) -> Self {
        Self(bytes)
    }

    /// Whether there is nothing to do.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The steps, in order.
    pub const fn steps(self) -> Steps<'static> {
        Steps(self.0)
    }
}

/// A sequence of steps in one of the table's packed blocks: its number. The
/// first ones are the dictionary of all blocks and not packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedScript(u16);

impl PackedScript {
    /// Nothing to do.
    pub const EMPTY: Self = Self(u16::MAX);

    /// Number `number`.
    pub(crate) const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Whether there is nothing to do.
    pub const fn is_empty(self) -> bool {
        self.0 == Self::EMPTY.0
    }

    /// The block that holds it, and its packed bytes.
    fn block(self) -> Option<(&'static Block, &'static [u8])> {
        let mut rest = SCRIPTS.as_slice();
        let mut found = None;
        for block in BLOCKS.iter().take_while(|block| block.first <= self.0) {
            let (packed, behind) = rest.split_at_checked(usize::from(block.packed))?;
            (found, rest) = (Some((block, packed)), behind);
        }
        found
    }

    /// Packed bytes that [`PackedScript::unpack`] decodes: those of the whole
    /// block. What takes time is in proportion to them; 0 for what is not
    /// packed.
    pub fn packed_bytes(self) -> usize {
        if self.is_empty() {
            return 0;
        }
        self.block().map_or(0, |(_, packed)| packed.len())
    }

    /// The steps, in order, unpacked to `room`; 32 KiB of the stack are used
    /// meanwhile. `None`: `room` is smaller than [`UNPACK_BYTES`], or the
    /// sequence is no row's.
    #[inline(never)]
    pub fn unpack(self, room: &mut [u8]) -> Option<Steps<'_>> {
        let room = room.get_mut(..UNPACK_BYTES)?;
        if self.is_empty() {
            return Some(Steps(&[]));
        }
        let Some((block, packed)) = self.block() else {
            return nth(&DICTIONARY, self.0);
        };
        let room = room.get_mut(..usize::from(block.len))?;
        let mut lzma = Lzma::new();
        lzma.set_properties(PROPERTIES).ok()?;
        lzma.reset();
        let mut window = BehindDictionary(Flat::new(room));
        lzma.unpack(packed, usize::from(block.len), &mut window)
            .ok()?;
        nth(room, self.0 - block.first)
    }
}

/// The sequence `number`, from 0, of those in `scripts`.
fn nth(scripts: &[u8], number: u16) -> Option<Steps<'_>> {
    let mut rest = scripts;
    for _ in 0..number {
        rest = rest.get(Steps(rest).length() + 1..)?;
    }
    let script = rest.get(..Steps(rest).length())?;
    (!script.is_empty()).then_some(Steps(script))
}

/// The block that is being unpacked, with the table's dictionary before it.
struct BehindDictionary<'a>(Flat<'a>);

impl BehindDictionary<'_> {
    /// Where in the dictionary the byte `distance` + 1 bytes back is, and how
    /// many bytes there are from there to its end.
    fn before(&self, distance: usize) -> Option<(usize, usize)> {
        let count = distance.checked_sub(self.0.position())?.checked_add(1)?;
        Some((DICTIONARY.len().checked_sub(count)?, count))
    }
}

impl Window for BehindDictionary<'_> {
    type Error = Damaged;

    #[inline]
    fn position(&self) -> usize {
        self.0.position()
    }

    #[inline]
    fn back(&self, distance: usize) -> u8 {
        match self.before(distance) {
            Some((at, _)) => DICTIONARY.get(at).copied().unwrap_or(0),
            None => self.0.back(distance),
        }
    }

    #[inline]
    fn put(&mut self, byte: u8) -> Result<(), Damaged> {
        self.0.put(byte)
    }

    fn repeat(&mut self, distance: usize, count: usize) -> Result<(), Damaged> {
        let mut left = count;
        if let Some((at, there)) = self.before(distance) {
            let run = left.min(there);
            for &byte in DICTIONARY.get(at..at + run).ok_or(Damaged)? {
                self.0.put(byte)?;
            }
            left -= run;
        }
        if left == 0 {
            return Ok(());
        }
        self.0.repeat(distance, left)
    }
}

/// Iterator over the steps of a [`Script`].
#[derive(Debug, Clone)]
pub struct Steps<'a>(&'a [u8]);

impl<'a> Steps<'a> {
    /// Bytes of the steps, without what is behind them.
    fn length(self) -> usize {
        let all = self.0.len();
        let mut steps = self;
        steps.by_ref().for_each(drop);
        all - steps.0.len()
    }

    /// The bytes that [`Script`] is made of.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The steps in bytes that [`Steps::as_bytes`] gave.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Milliseconds that the waits add up to.
    pub fn delay_ms(self) -> u32 {
        self.map(|step| match step {
            Step::Delay(ms) | Step::Reset { ms, .. } => u32::from(ms),
            Step::Write { .. } | Step::MaxReturn(_) => 0,
        })
        .sum()
    }
}

impl<'a> Iterator for Steps<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let (step, rest) = match *self.0 {
            [OP_DELAY, low, high, ref rest @ ..] => {
                (Step::Delay(u16::from_le_bytes([low, high])), rest)
            }
            [OP_RESET, level, low, high, ref rest @ ..] => {
                let ms = u16::from_le_bytes([low, high]);
                let high = level != 0;
                (Step::Reset { high, ms }, rest)
            }
            [OP_MAX_RETURN, size, ref rest @ ..] => (Step::MaxReturn(size), rest),
            [head, ref rest @ ..] if head > OP_USUAL => {
                let (payload, rest) = rest.split_at_checked(usize::from(head - OP_USUAL))?;
                let data_type = usual(payload);
                (Step::Write { data_type, payload }, rest)
            }
            [data_type, len, ref rest @ ..] if data_type > OP_RESET && data_type != OP_END => {
                let (payload, rest) = rest.split_at_checked(usize::from(len))?;
                (Step::Write { data_type, payload }, rest)
            }
            _ => return None,
        };
        self.0 = rest;
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn steps_come_back_as_they_were_written() {
        let script = Script::new(&[
            0x29, 3, 0xFF, 0x98, 0x06, 0x00, 0x78, 0x00, 0x37, 4, 0x01, 1, 10, 0, 0x05, 1, 0x11,
        ]);
        let mut steps = script.steps();
        let payload: &[u8] = &[0xFF, 0x98, 0x06];
        assert_eq!(
            steps.next(),
            Some(Step::Write {
                data_type: 0x29,
                payload
            })
        );
        assert_eq!(steps.next(), Some(Step::Delay(120)));
        assert_eq!(steps.next(), Some(Step::MaxReturn(4)));
        assert_eq!(steps.next(), Some(Step::Reset { high: true, ms: 10 }));
        let payload: &[u8] = &[0x11];
        assert_eq!(
            steps.next(),
            Some(Step::Write {
                data_type: 5,
                payload
            })
        );
        assert_eq!(steps.next(), None);
        assert_eq!(script.steps().delay_ms(), 130);
    }

    #[test]
    fn a_torn_sequence_ends_early() {
        for bytes in [&[0x39, 5, 1, 2][..], &[0x00, 1], &[0x01, 1, 2], &[0x37]] {
            let bytes: &'static [u8] = bytes.to_vec().leak();
            assert_eq!(Script::new(bytes).steps().count(), 0, "{bytes:?}");
        }
    }

    #[test]
    fn a_packed_sequence_needs_its_room_and_a_block() {
        let row = crate::panels().iter().find(|row| row.lanes > 0).unwrap();
        let mut room = [0; UNPACK_BYTES];
        assert!(row.init.unpack(&mut room).unwrap().count() > 3);
        assert!(row.init.unpack(&mut room[1..]).is_none());
        assert_eq!(PackedScript::EMPTY.unpack(&mut room).unwrap().count(), 0);
        assert!(PackedScript::EMPTY.is_empty());
        let foreign = PackedScript::new(u16::MAX - 1);
        assert!(foreign.unpack(&mut room).is_none());
    }
}
