//! The PWM block: five channels, each reduced to the part of the time that its
//! output is high.
//!
//! A period is the bits of SEND_DATA up to the stop position, each as long as
//! HDURATION or LDURATION says, and then the guard time. Patterns that are no
//! steady level (memory, random mode, a counted number of periods) leave the
//! output at its idle level. Source: facts/display.md 6.3; facts/soc.md 11.1.

use super::registers::read_only;
use super::scratch::Scratch;
use crate::bus::{Block, Context, Reset, Size};

const NAME: &str = "PWM";
const LEN: u32 = 0x1000;
const CHANNELS: usize = 5;

const ENABLE: u32 = 0x000;
const INT_STATUS: u32 = 0x204;
const EN_STATUS: u32 = 0x20c;
const FIRST: u32 = 0x10;
const STRIDE: u32 = 0x40;
/// Registers of a channel.
const CON: u32 = 0x00;
const HDURATION: u32 = 0x04;
const LDURATION: u32 = 0x08;
const GDURATION: u32 = 0x0c;
const SEND_DATA0: u32 = 0x20;
const SEND_DATA1: u32 = 0x24;
const WAVE_NUM: u32 = 0x28;
/// DATA_WIDTH, with THRESH behind it: of PWM1 to 3, of PWM4 and 5.
const DATA_WIDTH: [u32; 2] = [0x2c, 0x30];

const FROM_MEMORY: u32 = 1 << 5;
const RANDOM: u32 = 1 << 6;
const IDLE_HIGH: u32 = 1 << 7;
const GUARD_HIGH: u32 = 1 << 8;
const OLD_MODE: u32 = 1 << 15;

/// TOPCKGEN CG1 bit of the block.
const GATE: u8 = 9;

/// The block at 0x11008000.
pub struct Pwm {
    registers: Scratch,
    /// Whether the clock ran when that was last looked at.
    clocked: bool,
}

impl Default for Pwm {
    fn default() -> Self {
        Self::new()
    }
}

impl Pwm {
    /// All channels off.
    pub fn new() -> Self {
        Pwm {
            registers: Scratch::new(NAME, LEN),
            clocked: false,
        }
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        self.clocked = cx.signals.cg1_open(GATE);
        let enabled = self.registers.read(ENABLE, 4, cx);
        for channel in 0..CHANNELS {
            let runs = self.clocked && enabled >> channel & 1 != 0;
            cx.signals.pwm_permille[channel] = if runs { self.level(channel, cx) } else { 0 };
        }
    }

    /// Thousandths of the time that a running channel is high.
    fn level(&mut self, channel: usize, cx: &mut Context<'_>) -> u16 {
        let base = FIRST + STRIDE * channel as u32;
        let mut get = |offset| self.registers.read(base + offset, 4, cx);
        let con = get(CON);
        if con & OLD_MODE != 0 {
            let width_at = DATA_WIDTH[usize::from(channel >= 3)];
            let (width, high) = (get(width_at), get(width_at + 4));
            return permille(u64::from(high.min(width)), u64::from(width));
        }
        let idle = if con & IDLE_HIGH != 0 { 1000 } else { 0 };
        if con & (FROM_MEMORY | RANDOM) != 0 || get(WAVE_NUM) != 0 {
            return idle;
        }
        let bits = (con >> 9 & 0x3f) + 1;
        let data = u64::from(get(SEND_DATA1)) << 32 | u64::from(get(SEND_DATA0));
        let ones = (data & (u64::MAX >> (64 - bits))).count_ones();
        let time =
            |count: u32, duration: u32| u64::from(count) * (u64::from(duration & 0xffff) + 1);
        let guard = u64::from(get(GDURATION) & 0xffff) + 1;
        let high = time(ones, get(HDURATION));
        let period = high + time(bits - ones, get(LDURATION)) + guard;
        permille(high + if con & GUARD_HIGH != 0 { guard } else { 0 }, period)
    }
}

fn permille(part: u64, whole: u64) -> u16 {
    (part * 1000).checked_div(whole).unwrap_or(0).min(1000) as u16
}

impl Block for Pwm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        match offset {
            EN_STATUS => self.registers.read(ENABLE, 4, cx) & ((1 << CHANNELS) - 1),
            // Endless waves neither finish nor run dry.
            INT_STATUS => 0,
            _ => self.registers.read(offset, size, cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        match offset {
            EN_STATUS => read_only(NAME, offset, "EN_STATUS", cx),
            INT_STATUS => read_only(NAME, offset, "INT_STATUS", cx),
            _ => self.registers.write(offset, size, value, cx),
        }
        self.drive(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        self.drive(cx);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    /// The clock may have changed.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        if cx.signals.cg1_open(GATE) != self.clocked {
            self.drive(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{GuestError, TestWorld};

    /// As a stock loader sets level 1 to 64 of the channel, both durations 16.
    fn set_level(world: &mut TestWorld, pwm: &mut Pwm, channel: u32, level: u32) {
        let base = FIRST + STRIDE * channel;
        let (guard, ones) = if level > 32 {
            (GUARD_HIGH, level - 32)
        } else {
            (0, level)
        };
        for (offset, value) in [
            (CON, 31 << 9 | guard),
            (HDURATION, 16),
            (LDURATION, 16),
            (GDURATION, 17 * 32 - 1),
            (SEND_DATA0, ((1u64 << ones) - 1) as u32),
            (WAVE_NUM, 0),
        ] {
            world.write(pwm, base + offset, value);
        }
        world.write(pwm, ENABLE, 1 << channel);
    }

    #[test]
    fn a_stock_loaders_levels_are_sixty_fourths() {
        for channel in 0..5 {
            let (mut world, mut pwm) = (TestWorld::default(), Pwm::new());
            for (level, wanted) in [
                (1, 15),
                (16, 250),
                (32, 500),
                (33, 515),
                (48, 750),
                (64, 1000),
            ] {
                set_level(&mut world, &mut pwm, channel, level);
                assert_eq!(world.signals.pwm_permille[channel as usize], wanted);
            }
            assert_eq!(world.read(&mut pwm, EN_STATUS), 1 << channel);
            world.write(&mut pwm, ENABLE, 0);
            assert_eq!(world.signals.pwm_permille, [0; 5]);
            assert!(world.reports.is_empty());
        }
    }

    #[test]
    fn old_mode_compares_a_threshold() {
        let (mut world, mut pwm) = (TestWorld::default(), Pwm::new());
        for (channel, width_at) in [(0, 0x2c), (4, 0x30)] {
            let base = FIRST + STRIDE * channel;
            world.write(&mut pwm, base + CON, OLD_MODE);
            world.write(&mut pwm, base + width_at, 10);
            for (thresh, wanted) in [(0, 0), (4, 400), (30, 1000)] {
                world.write(&mut pwm, base + width_at + 4, thresh);
                world.write(&mut pwm, ENABLE, 1 << channel);
                assert_eq!(world.signals.pwm_permille[channel as usize], wanted);
            }
        }
    }

    #[test]
    fn no_clock_no_output() {
        let (mut world, mut pwm) = (TestWorld::default(), Pwm::new());
        set_level(&mut world, &mut pwm, 1, 64);
        world.signals.cg1 = 1 << GATE;
        pwm.wires_changed(&mut world.cx());
        assert_eq!(world.signals.pwm_permille[1], 0);
        world.signals.cg1 = 0;
        pwm.wires_changed(&mut world.cx());
        assert_eq!(world.signals.pwm_permille[1], 1000);
    }

    #[test]
    fn what_is_no_steady_level_idles() {
        let (mut world, mut pwm) = (TestWorld::default(), Pwm::new());
        set_level(&mut world, &mut pwm, 0, 64);
        world.write(&mut pwm, FIRST + WAVE_NUM, 5);
        assert_eq!(world.signals.pwm_permille[0], 0);
        world.write(&mut pwm, FIRST + CON, IDLE_HIGH | FROM_MEMORY);
        assert_eq!(world.signals.pwm_permille[0], 1000);
        world.write(&mut pwm, EN_STATUS, 1);
        assert_eq!(world.reports[0].kind, GuestError::BadValue);
    }
}
