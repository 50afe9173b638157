//! DBI, the controller of panels on a parallel or serial bus, with no such
//! panel fitted: its panel reset pin (LRSTB) serves DSI panels too, the timing
//! registers are remembered, transfers are refused.
//!
//! Source: facts/display.md 5.3 (reset pin), 8.1 and 9.3.

use super::registers::{check_width, read_only};
use super::scratch::Scratch;
use crate::bus::{Block, Context, GuestError, Reset, Size};

const NAME: &str = "DBI";
const LEN: u32 = 0x1000;
/// SPI of the block.
const SPI: u8 = 106;

const STATUS: u32 = 0x00;
const INT_ENABLE: u32 = 0x04;
const INT_STATUS: u32 = 0x08;
const START: u32 = 0x0c;
const RESET: u32 = 0x10;
/// Bus accesses by software: parallel, then serial ports.
const PCMD: std::ops::RangeInclusive<u32> = 0xf00..=0xf53;
const SCMD: std::ops::RangeInclusive<u32> = 0xf80..=0xfb3;

const START_FRAME: u32 = 1 << 15;
const DONE: u32 = 1;

/// The block at 0x14012000.
pub struct Dbi {
    registers: Scratch,
    latched: u32,
}

impl Default for Dbi {
    fn default() -> Self {
        Self::new()
    }
}

impl Dbi {
    /// Idle, the panel held in reset.
    pub fn new() -> Self {
        Dbi {
            registers: Scratch::new(NAME, LEN),
            latched: 0,
        }
    }

    fn refuse(offset: u32, cx: &mut Context<'_>) {
        cx.report(GuestError::Refused, NAME, offset, "no DBI panel is fitted");
    }

    fn interrupt(&mut self, cx: &mut Context<'_>) {
        let enabled = self.registers.read(INT_ENABLE, 4, cx);
        cx.irq.set(SPI, self.latched & enabled != 0);
    }
}

fn is_bus_access(offset: u32) -> bool {
    PCMD.contains(&offset) || SCMD.contains(&offset)
}

impl Block for Dbi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if is_bus_access(offset) {
            Dbi::refuse(offset, cx);
            return 0;
        }
        if !check_width(NAME, offset, size, &[4], cx) {
            return 0;
        }
        match offset {
            // Nothing is ever under way.
            STATUS => 0,
            INT_STATUS => self.latched,
            _ => self.registers.read(offset, size, cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if is_bus_access(offset) {
            Dbi::refuse(offset, cx);
            return;
        }
        if !check_width(NAME, offset, size, &[4], cx) {
            return;
        }
        match offset {
            STATUS => return read_only(NAME, offset, "STATUS", cx),
            // Bits are cleared by writing 0.
            INT_STATUS => self.latched &= value,
            _ => self.registers.write(offset, size, value, cx),
        }
        if offset == RESET {
            cx.signals.lrstb = value & 1 != 0;
        }
        if offset == START && value & START_FRAME != 0 {
            // The frame goes out all the same: nothing answers on this bus.
            Dbi::refuse(offset, cx);
            self.latched |= DONE;
        }
        self.interrupt(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        self.latched = 0;
        cx.signals.lrstb = false;
        self.interrupt(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    #[test]
    fn the_reset_pin_follows_its_register() {
        let (mut world, mut dbi) = (TestWorld::default(), Dbi::new());
        assert!(!world.signals.lrstb);
        for (value, high) in [(1, true), (0, false), (1, true)] {
            world.write(&mut dbi, RESET, value);
            assert_eq!(world.signals.lrstb, high);
            assert_eq!(world.read(&mut dbi, RESET), value);
        }
        dbi.reset(Reset::Watchdog, &mut world.cx());
        assert!(!world.signals.lrstb);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn timings_are_remembered_and_nothing_is_busy() {
        let (mut world, mut dbi) = (TestWorld::default(), Dbi::new());
        for (offset, value) in [(0x1c, 0x55), (0x2c, 1), (0x30, 0x0112), (0x60, 0x3f)] {
            world.write(&mut dbi, offset, value);
            assert_eq!(world.read(&mut dbi, offset), value);
        }
        assert_eq!(world.read(&mut dbi, STATUS), 0);
        assert!(world.reports.is_empty());
        world.write(&mut dbi, STATUS, 0);
        assert_eq!(world.reports[0].kind, GuestError::BadValue);
    }

    #[test]
    fn the_bus_is_empty_at_every_width() {
        let (mut world, mut dbi) = (TestWorld::default(), Dbi::new());
        for size in [1, 2, 4] {
            dbi.write(0xf00, size, 0xda, &mut world.cx());
            assert_eq!(dbi.read(0xf10, size, &mut world.cx()), 0);
        }
        assert_eq!(world.reports.len(), 6);
        assert!(
            world
                .reports
                .iter()
                .all(|report| report.kind == GuestError::Refused)
        );
        dbi.write(RESET, 1, 1, &mut world.cx());
        assert_eq!(world.reports[6].kind, GuestError::AccessSize);
        assert!(!world.signals.lrstb);
    }

    #[test]
    fn a_frame_is_refused_and_done() {
        let (mut world, mut dbi) = (TestWorld::default(), Dbi::new());
        world.write(&mut dbi, INT_ENABLE, 0x1f);
        world.write(&mut dbi, START, START_FRAME);
        assert!(world.irq.get(SPI));
        assert_eq!(world.reports[0].kind, GuestError::Refused);
        // A read-modify-write with ones is harmless.
        world.write(&mut dbi, INT_STATUS, 0x1f);
        assert_eq!(world.read(&mut dbi, INT_STATUS), DONE);
        world.write(&mut dbi, INT_STATUS, 0);
        assert!(!world.irq.get(SPI));
    }
}
