//! The SoC's own AUXADC (not the PMIC's): sixteen 12-bit channels, sampled in
//! immediate mode. Boards put identification voltages on some of them.
//!
//! Source: facts/soc.md 9.8.

use super::registers::{Register, RegisterFile, check_width, masked, read_only, ro, write_only};
use crate::bus::{Block, Context, Nanos, Reset, Size};

const NAME: &str = "AUXADC";

/// Channels of the converter.
pub const CHANNELS: usize = 16;
/// Full scale of 4096 steps, in millivolts.
const FULL_SCALE_MV: u32 = 1500;
/// Time of one conversion: well inside the millisecond that drivers wait.
const CONVERSION: Nanos = 100_000;

const CON1: u32 = 0x04;
const CON1_SET: u32 = 0x08;
const CON1_CLR: u32 = 0x0c;
const CON2: u32 = 0x10;
const CON2_BUSY: u32 = 1;
const DAT0: u32 = 0x14;
const DAT15: u32 = 0x50;
const DAT_READY: u32 = 1 << 12;

static REGISTERS: [Register; 6] = [
    masked(0x00, "AUXADC_CON0", 0, 0xffff),
    masked(CON1, "AUXADC_CON1", 0, 0xffff),
    masked(0x5c, "AUXADC_TP_CMD", 0, 0xffff),
    masked(0x60, "AUXADC_TP_ADDR", 0, 0xffff),
    masked(0x64, "AUXADC_TP_CON0", 0, 0xffff),
    ro(0x74, "AUXADC_TP_DATA0", 0),
];

/// The block at 0x11003000.
pub struct Auxadc {
    registers: RegisterFile,
    levels_mv: [u16; CHANNELS],
    /// When the sample that was asked for is there.
    ready_at: [Option<Nanos>; CHANNELS],
}

impl Default for Auxadc {
    fn default() -> Self {
        Self::new()
    }
}

impl Auxadc {
    /// A converter with nothing (0 mV) on its channels.
    pub fn new() -> Self {
        Auxadc {
            registers: RegisterFile::new(NAME, &REGISTERS),
            levels_mv: [0; CHANNELS],
            ready_at: [None; CHANNELS],
        }
    }

    /// The voltage that the board applies to `channel` (0..=15; others are
    /// ignored), in millivolts. Above 1500 the converter saturates.
    pub fn set_level_mv(&mut self, channel: usize, level_mv: u16) {
        if let Some(level) = self.levels_mv.get_mut(channel) {
            *level = level_mv;
        }
    }

    fn code(&self, channel: usize) -> u32 {
        (u32::from(self.levels_mv[channel]) * 4096 / FULL_SCALE_MV).min(0xfff)
    }

    /// A bit that goes up in CON1 starts a conversion; one that goes down
    /// takes the result's ready bit away.
    fn write_con1(&mut self, new: u32, now: Nanos) {
        let old = self.registers.get(CON1);
        let mut start = now;
        for channel in 0..CHANNELS {
            let (was, is) = (old >> channel & 1 != 0, new >> channel & 1 != 0);
            if is && !was {
                // One converter: the channels take turns.
                start += CONVERSION;
                self.ready_at[channel] = Some(start);
            } else if !is {
                self.ready_at[channel] = None;
            }
        }
        self.registers.set(CON1, new & 0xffff);
    }

    fn busy(&self, now: Nanos) -> bool {
        self.ready_at.iter().flatten().any(|&at| at > now)
    }

    fn data(&self, channel: usize, now: Nanos) -> u32 {
        let ready = self.ready_at[channel].is_some_and(|at| at <= now);
        if ready {
            DAT_READY | self.code(channel)
        } else {
            0
        }
    }
}

impl Block for Auxadc {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if !check_width(NAME, offset, size, &[2, 4], cx) {
            return 0;
        }
        match offset {
            CON1_SET | CON1_CLR => write_only(NAME, offset, "a SET or CLR alias", cx),
            CON2 => u32::from(self.busy(cx.now)) * CON2_BUSY,
            DAT0..=DAT15 => self.data((offset - DAT0) as usize / 4, cx.now),
            _ => self.registers.read(offset, cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if !check_width(NAME, offset, size, &[2, 4], cx) {
            return;
        }
        let con1 = self.registers.get(CON1);
        match offset {
            CON1 => self.write_con1(value, cx.now),
            CON1_SET => self.write_con1(con1 | value, cx.now),
            CON1_CLR => self.write_con1(con1 & !value, cx.now),
            CON2 => read_only(NAME, offset, "AUXADC_CON2", cx),
            DAT0..=DAT15 => read_only(NAME, offset, "AUXADC_DAT", cx),
            _ => {
                self.registers.write(offset, value, cx);
            }
        }
    }

    fn reset(&mut self, _kind: Reset, _cx: &mut Context<'_>) {
        self.registers.reset();
        self.ready_at = [None; CHANNELS];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{GuestError, TestWorld};

    /// The read sequence of facts/soc.md 9.8.
    #[test]
    fn a_sample_is_taken_and_read() {
        let mut world = TestWorld::default();
        let mut adc = Auxadc::new();
        adc.set_level_mv(12, 750);
        assert_eq!(world.read(&mut adc, 0x10) & 1, 0);
        let con1 = world.read(&mut adc, 0x04) & !(1 << 12);
        world.write(&mut adc, 0x04, con1);
        assert_eq!(world.read(&mut adc, 0x44), 0);
        world.write(&mut adc, 0x04, 1 << 12);
        assert_eq!(world.read(&mut adc, 0x10) & 1, 1);
        assert_eq!(world.read(&mut adc, 0x44) & 0x1000, 0, "too early");
        world.now = 1_000_000;
        assert_eq!(world.read(&mut adc, 0x44), 0x1000 | 2048);
        assert_eq!(world.read(&mut adc, 0x10) & 1, 0);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn aliases_and_saturation() {
        let mut world = TestWorld::default();
        let mut adc = Auxadc::new();
        adc.set_level_mv(0, 1800);
        adc.set_level_mv(99, 1);
        world.write(&mut adc, 0x08, 1);
        world.now = 1_000_000;
        assert_eq!(adc.read(0x14, 2, &mut world.cx()), 0x1fff);
        world.write(&mut adc, 0x0c, 1);
        assert_eq!(world.read(&mut adc, 0x14), 0);
        assert_eq!(world.read(&mut adc, 0x04), 0);
    }

    #[test]
    fn is_strict() {
        let mut world = TestWorld::default();
        let mut adc = Auxadc::new();
        world.write(&mut adc, 0x14, 0);
        world.read(&mut adc, 0x54);
        adc.read(0x00, 1, &mut world.cx());
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(
            kinds,
            [
                GuestError::BadValue,
                GuestError::UnknownRegister,
                GuestError::AccessSize
            ]
        );
    }
}
