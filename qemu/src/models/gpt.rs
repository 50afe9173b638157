//! APXGPT: six timers. GPT4 is what loaders delay with, GPT5 the vendor LK's
//! tick, GPT6 the 64-bit counter that also feeds the ARM system counter.
//!
//! Counters are computed from virtual time when somebody looks; nothing ticks
//! except towards a compare match whose interrupt is enabled and not yet
//! pending. Source: facts/soc.md 5 and 1.5. The dividers of codes 13 to 15
//! (16, 32, 64) are those of the whole timer family.

use super::registers::{check_width, read_only, write_only};
use crate::bus::{Block, Context, Nanos, Reset, Size};

const NAME: &str = "GPT";
/// Interrupt of the block.
const SPI: u8 = 74;

/// CG1 bit of the block.
const GATE: u8 = 24;

const TIMERS: usize = 6;
const GPT5: usize = 4;
const GPT6: usize = 5;

const IRQEN: u32 = 0x00;
const IRQSTA: u32 = 0x04;
const IRQACK: u32 = 0x08;
const GPT6_COUNT_HIGH: u32 = 0x78;
const GPT6_COMPARE_HIGH: u32 = 0x7c;
const ALL_TIMERS: u32 = 0x3f;

const EN: u32 = 1 << 0;
const CLR: u32 = 1 << 1;
/// CLK bit 4: the 32.768 kHz source.
const CLK_32K: u32 = 1 << 4;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// CON [5:4].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Counts to the compare value and stops (EN reads 0).
    OneShot,
    /// Starts again from 0 at each match.
    Repeat,
    /// Tells of the match and counts on.
    KeepGo,
    /// Counts on and tells nothing.
    FreeRun,
}

struct Timer {
    /// CON without CLR.
    con: u32,
    clk: u32,
    compare: u64,
    /// All ones over the counter's width.
    mask: u64,
    /// Counter = `base` + ticks since `since` (wrapping), while enabled.
    base: u64,
    since: Nanos,
    /// Ticks after `since` at which the next match happens.
    next_match: Option<u64>,
}

impl Timer {
    fn new(index: usize) -> Self {
        Timer {
            con: 0,
            // The vendor LK never writes GPT5's CLK and counts in 32 kHz ticks.
            clk: if index == GPT5 { CLK_32K } else { 0 },
            compare: 0,
            mask: if index == GPT6 {
                u64::MAX
            } else {
                u32::MAX.into()
            },
            base: 0,
            since: 0,
            next_match: None,
        }
    }

    fn enabled(&self) -> bool {
        self.con & EN != 0
    }

    fn mode(&self) -> Mode {
        match self.con >> 4 & 3 {
            0 => Mode::OneShot,
            1 => Mode::Repeat,
            2 => Mode::KeepGo,
            _ => Mode::FreeRun,
        }
    }

    /// Input clock in Hz and what it is divided by.
    fn rate(&self) -> (u128, u128) {
        let hz = if self.clk & CLK_32K != 0 {
            32_768
        } else {
            13_000_000
        };
        let divider = match self.clk & 0xf {
            13 => 16,
            14 => 32,
            15 => 64,
            code => code + 1,
        };
        (hz, divider.into())
    }

    fn ticks(&self, now: Nanos) -> u64 {
        let (hz, divider) = self.rate();
        (u128::from(now.saturating_sub(self.since)) * hz / (NANOS_PER_SECOND * divider)) as u64
    }

    /// The first nanosecond at which [`Timer::ticks`] is `ticks`.
    fn time_of(&self, ticks: u64) -> Nanos {
        let (hz, divider) = self.rate();
        let elapsed = (u128::from(ticks) * NANOS_PER_SECOND * divider).div_ceil(hz);
        self.since
            .saturating_add(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    fn count(&self, now: Nanos) -> u64 {
        let ticks = if self.enabled() { self.ticks(now) } else { 0 };
        self.base.wrapping_add(ticks) & self.mask
    }

    /// Works out the next match; after every change of the registers.
    fn arm(&mut self, now: Nanos) {
        self.next_match = (self.enabled() && self.mode() != Mode::FreeRun).then(|| {
            let distance = self.compare.wrapping_sub(self.count(now)) & self.mask;
            self.ticks(now).saturating_add(distance)
        });
    }

    /// Starts counting anew from the present value (or 0), with new settings.
    fn restart(&mut self, now: Nanos, clear: bool, change: impl FnOnce(&mut Self)) {
        self.base = if clear { 0 } else { self.count(now) };
        change(self);
        self.since = now;
        self.arm(now);
    }

    /// Does what is due by `now`; true if a match happened.
    fn settle(&mut self, now: Nanos) -> bool {
        let ticks = self.ticks(now);
        let Some(due) = self.next_match.filter(|&due| due <= ticks) else {
            return false;
        };
        match self.mode() {
            Mode::OneShot => {
                self.con &= !EN;
                self.base = self.compare & self.mask;
                self.next_match = None;
            }
            Mode::Repeat => {
                let period = self.compare.max(1);
                let last = due + (ticks - due) / period * period;
                self.base = 0u64.wrapping_sub(last);
                self.next_match = last.checked_add(period);
            }
            Mode::KeepGo => {
                let round = u128::from(self.mask) + 1;
                let next = u128::from(due) + (u128::from(ticks - due) / round + 1) * round;
                self.next_match = u64::try_from(next).ok();
            }
            Mode::FreeRun => self.next_match = None,
        }
        true
    }
}

/// The block at 0x10008000.
pub struct Gpt {
    timers: [Timer; TIMERS],
    irqen: u32,
    irqsta: u32,
}

impl Default for Gpt {
    fn default() -> Self {
        Self::new()
    }
}

/// A register of one timer.
#[derive(Clone, Copy)]
enum Field {
    Con,
    Clk,
    Count,
    Compare,
    CountHigh,
    CompareHigh,
}

fn decode(offset: u32) -> Option<(usize, Field)> {
    let index = (offset / 0x10).checked_sub(1)? as usize;
    match offset {
        GPT6_COUNT_HIGH => Some((GPT6, Field::CountHigh)),
        GPT6_COMPARE_HIGH => Some((GPT6, Field::CompareHigh)),
        _ if index >= TIMERS => None,
        _ => match offset & 0xf {
            0x0 => Some((index, Field::Con)),
            0x4 => Some((index, Field::Clk)),
            0x8 => Some((index, Field::Count)),
            0xc => Some((index, Field::Compare)),
            _ => None,
        },
    }
}

impl Gpt {
    /// All timers stopped; GPT5 on the 32 kHz clock, the others on 13 MHz.
    pub fn new() -> Self {
        Gpt {
            timers: std::array::from_fn(Timer::new),
            irqen: 0,
            irqsta: 0,
        }
    }

    fn settle(&mut self, cx: &mut Context<'_>) {
        for (index, timer) in self.timers.iter_mut().enumerate() {
            self.irqsta |= u32::from(timer.settle(cx.now)) << index;
        }
    }

    fn drive(&self, cx: &mut Context<'_>) {
        cx.irq.set(SPI, self.irqsta & self.irqen != 0);
        cx.signals.gpt6_running = self.timers[GPT6].enabled() && cx.signals.cg1_open(GATE);
    }

    fn write_timer(
        &mut self,
        index: usize,
        field: Field,
        value: u32,
        offset: u32,
        cx: &mut Context<'_>,
    ) {
        let timer = &mut self.timers[index];
        match field {
            Field::Con => timer.restart(cx.now, value & CLR != 0, |timer| timer.con = value & 0x31),
            Field::Clk => timer.restart(cx.now, false, |timer| timer.clk = value & 0x1f),
            Field::Compare => {
                timer.compare = timer.compare & !0xffff_ffff | u64::from(value);
                timer.arm(cx.now);
            }
            Field::CompareHigh => {
                timer.compare = timer.compare & 0xffff_ffff | u64::from(value) << 32;
                timer.arm(cx.now);
            }
            Field::Count | Field::CountHigh => read_only(NAME, offset, "COUNT", cx),
        }
    }
}

impl Block for Gpt {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if !check_width(NAME, offset, size, &[4], cx) {
            return 0;
        }
        self.settle(cx);
        self.drive(cx);
        match offset {
            IRQEN => return self.irqen,
            IRQSTA => return self.irqsta,
            IRQACK => return write_only(NAME, offset, "IRQACK", cx),
            _ => {}
        }
        let Some((index, field)) = decode(offset) else {
            return cx.unknown_register(NAME, offset, false);
        };
        let timer = &self.timers[index];
        match field {
            Field::Con => timer.con,
            Field::Clk => timer.clk,
            Field::Count => timer.count(cx.now) as u32,
            Field::CountHigh => (timer.count(cx.now) >> 32) as u32,
            Field::Compare => timer.compare as u32,
            Field::CompareHigh => (timer.compare >> 32) as u32,
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if !check_width(NAME, offset, size, &[4], cx) {
            return;
        }
        self.settle(cx);
        match offset {
            IRQEN => self.irqen = value & ALL_TIMERS,
            IRQSTA => read_only(NAME, offset, "IRQSTA", cx),
            IRQACK => self.irqsta &= !value,
            _ => match decode(offset) {
                Some((index, field)) => self.write_timer(index, field, value, offset, cx),
                None => {
                    cx.unknown_register(NAME, offset, true);
                }
            },
        }
        // A compare value that the counter has already reached matches now.
        self.settle(cx);
        self.drive(cx);
    }

    fn reset(&mut self, _kind: Reset, cx: &mut Context<'_>) {
        *self = Self::new();
        self.drive(cx);
    }

    fn deadline(&self) -> Option<Nanos> {
        let wanted = |&(index, _): &(usize, &Timer)| self.irqen & !self.irqsta & 1 << index != 0;
        self.timers
            .iter()
            .enumerate()
            .filter(wanted)
            .filter_map(|(_, timer)| timer.next_match.map(|ticks| timer.time_of(ticks)))
            .min()
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.settle(cx);
        self.drive(cx);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    /// The gate takes the clock of the ARM counter away as well.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        let running = self.timers[GPT6].enabled() && cx.signals.cg1_open(GATE);
        if running != cx.signals.gpt6_running {
            self.drive(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{GuestError, TestWorld};

    const MS: Nanos = 1_000_000;

    #[test]
    fn gpt4_counts_13_ticks_a_microsecond_and_wraps() {
        let mut world = TestWorld {
            now: 5 * MS,
            ..TestWorld::default()
        };
        let mut gpt = Gpt::new();
        world.write(&mut gpt, 0x40, 0x31);
        assert_eq!(world.read(&mut gpt, 0x48), 0);
        world.now += 1_000;
        assert_eq!(world.read(&mut gpt, 0x48), 13);
        // 2^32 ticks of 13 MHz are 330.38 s.
        world.now = 5 * MS + 330_383 * MS;
        assert_eq!(
            world.read(&mut gpt, 0x48),
            (330_383_u64 * 13_000 - (1 << 32)) as u32
        );
        assert_eq!(gpt.deadline(), None);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn stopping_keeps_the_count_and_clr_clears_it() {
        let mut world = TestWorld::default();
        let mut gpt = Gpt::new();
        world.write(&mut gpt, 0x40, 0x31);
        world.now = MS;
        world.write(&mut gpt, 0x40, 0x30);
        world.now = 2 * MS;
        assert_eq!(world.read(&mut gpt, 0x48), 13_000);
        world.write(&mut gpt, 0x40, 0x31);
        world.now = 3 * MS;
        assert_eq!(world.read(&mut gpt, 0x48), 26_000);
        world.write(&mut gpt, 0x40, 0x33);
        assert_eq!(world.read(&mut gpt, 0x48), 0);
        assert_eq!(world.read(&mut gpt, 0x40), 0x31, "CLR reads back 0");
    }

    #[test]
    fn dividers_and_sources() {
        let mut world = TestWorld::default();
        let mut gpt = Gpt::new();
        world.write(&mut gpt, 0x10, 0x31);
        world.write(&mut gpt, 0x14, 1);
        world.write(&mut gpt, 0x20, 0x31);
        world.write(&mut gpt, 0x24, 0x10);
        world.write(&mut gpt, 0x30, 0x31);
        world.write(&mut gpt, 0x34, 13);
        world.now = 1_000 * MS;
        assert_eq!(world.read(&mut gpt, 0x18), 6_500_000);
        assert_eq!(world.read(&mut gpt, 0x28), 32_768);
        assert_eq!(world.read(&mut gpt, 0x38), 812_500);
    }

    /// The vendor LK's tick, register by register (facts/soc.md 5).
    #[test]
    fn gpt5_one_shot_tick() {
        let mut world = TestWorld::default();
        let mut gpt = Gpt::new();
        world.write(&mut gpt, 0x08, 0x3f);
        world.write(&mut gpt, 0x50, 2);
        world.write(&mut gpt, 0x5c, 32_768 * 10 / 1000);
        world.write(&mut gpt, 0x00, 0x10);
        world.write(&mut gpt, 0x50, 1);
        world.advance(&mut gpt, 9 * MS);
        assert!(!world.irq.get(74));
        world.advance(&mut gpt, 10 * MS);
        assert!(world.irq.get(74));
        assert_eq!(world.read(&mut gpt, 0x04), 0x10);
        assert_eq!(world.read(&mut gpt, 0x58), 327);
        assert_eq!(world.read(&mut gpt, 0x50) & 1, 0, "a one-shot timer stops");
        world.write(&mut gpt, 0x08, 0x10);
        assert!(!world.irq.get(74));
        world.write(&mut gpt, 0x50, 2);
        world.write(&mut gpt, 0x50, 1);
        world.advance(&mut gpt, 25 * MS);
        assert!(world.irq.get(74));
        assert!(world.reports.is_empty());
    }

    #[test]
    fn repeat_keeps_its_period_however_late_the_acknowledge() {
        let mut world = TestWorld::default();
        let mut gpt = Gpt::new();
        world.write(&mut gpt, 0x1c, 13_000);
        world.write(&mut gpt, 0x00, 1);
        world.write(&mut gpt, 0x10, 0x13);
        world.advance(&mut gpt, MS);
        assert!(world.irq.get(74));
        assert_eq!(
            gpt.deadline(),
            None,
            "nothing more to tell until the acknowledge"
        );
        world.now = 3 * MS + MS / 2;
        assert_eq!(world.read(&mut gpt, 0x18), 6_500);
        world.write(&mut gpt, 0x08, 1);
        assert_eq!(gpt.deadline(), Some(4 * MS));
        world.advance(&mut gpt, 4 * MS);
        assert!(world.irq.get(74));
    }

    #[test]
    fn keep_go_counts_past_the_match() {
        let mut world = TestWorld::default();
        let mut gpt = Gpt::new();
        world.write(&mut gpt, 0x2c, 1_300);
        world.write(&mut gpt, 0x20, 0x21);
        world.now = MS;
        assert_eq!(world.read(&mut gpt, 0x04), 2);
        assert!(!world.irq.get(74), "not enabled");
        assert_eq!(world.read(&mut gpt, 0x28), 13_000);
        world.write(&mut gpt, 0x08, 2);
        world.now = 2 * MS;
        assert_eq!(world.read(&mut gpt, 0x04), 0);
    }

    #[test]
    fn gpt6_is_64_bits_wide_and_feeds_the_arm_counter() {
        let mut world = TestWorld::default();
        let mut gpt = Gpt::new();
        assert!(!world.signals.gpt6_running);
        world.write(&mut gpt, 0x60, 0x31);
        assert!(world.signals.gpt6_running);
        world.now = 1_000_000 * MS;
        let count =
            u64::from(world.read(&mut gpt, 0x78)) << 32 | u64::from(world.read(&mut gpt, 0x68));
        assert_eq!(count, 13_000_000_000);
        world.write(&mut gpt, 0x60, 0);
        assert!(!world.signals.gpt6_running);
        world.write(&mut gpt, 0x60, 0x31);
        gpt.reset(Reset::Watchdog, &mut world.cx());
        assert!(!world.signals.gpt6_running);
    }

    #[test]
    fn a_closed_gate_stops_the_arm_counter() {
        let mut world = TestWorld::default();
        let mut gpt = Gpt::new();
        world.write(&mut gpt, 0x60, 0x31);
        world.signals.cg1 = 1 << 24;
        gpt.wires_changed(&mut world.cx());
        assert!(!world.signals.gpt6_running);
        world.signals.cg1 = 0;
        gpt.wires_changed(&mut world.cx());
        assert!(world.signals.gpt6_running);
    }

    #[test]
    fn is_strict() {
        let mut world = TestWorld::default();
        let mut gpt = Gpt::new();
        world.write(&mut gpt, 0x48, 0);
        world.read(&mut gpt, 0x0c);
        world.write(&mut gpt, 0x74, 0);
        gpt.read(0x48, 2, &mut world.cx());
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(
            kinds,
            [
                GuestError::BadValue,
                GuestError::UnknownRegister,
                GuestError::UnknownRegister,
                GuestError::AccessSize
            ]
        );
    }
}
