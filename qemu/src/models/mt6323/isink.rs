//! The MT6323's four current sinks (ISINK), which light the backlight of most
//! MT6572 phones.
//!
//! A sink draws current while it is enabled and its clocks run: duty of 32
//! times a step of 4 mA, doubled by ISINK_ANA0.
//! Source: facts/display.md 6.4. What the modes besides PWM do is not known;
//! a sink that is not in PWM mode draws its full step here.

use super::{Mt6323, NAME};
use crate::bus::{Context, GuestError};

/// TOP_CKPDN0: 32 kHz clock off.
const CKPDN0: (u16, u16) = (0x102, 1 << 11);
/// TOP_CKPDN1: 2 MHz driver clock off.
const CKPDN1: (u16, u16) = (0x108, 1 << 6);
/// TOP_CKPDN2: bit n = clock of sink n off.
const CKPDN2: u16 = 0x10E;
/// TOP_CKCON1: bit 10 + n = sink n at 1 MHz.
const CKCON1: u16 = 0x126;
const CKCON1_SHIFT: u32 = 10;
/// CON0 to CON2 of sink 0; eight bytes a sink.
const CON0: u16 = 0x330;
const CON2: u16 = 0x334;
const STRIDE: u16 = 8;
/// Doubling, sink 0 in the highest of bits 11:8.
const ANA0: u16 = 0x350;
const ANA0_FIRST: u16 = 11;
/// Bits 3:0 enable sinks.
const EN_CTRL: u16 = 0x356;

const SINKS: u16 = 4;
const PWM_MODE: u16 = 0;
const FULL_DUTY: u32 = 32;
/// Step 5 is the last: 24 mA.
const FULL_STEP: u32 = 6;

impl Mt6323 {
    /// Current of all sinks in thousandths of what they can draw; `None` if
    /// none draws any.
    pub(super) fn isink_permille(&self) -> Option<u16> {
        let drawing = |&sink: &u16| self.enabled(sink) && self.clocked(sink);
        let mut sinks = (0..SINKS).filter(drawing).peekable();
        sinks.peek()?;
        let full = u32::from(SINKS) * FULL_DUTY * FULL_STEP * 2;
        let sum: u32 = sinks.map(|sink| self.current(sink)).sum();
        Some((sum * 1000 / full) as u16)
    }

    fn enabled(&self, sink: u16) -> bool {
        self.get(EN_CTRL) >> sink & 1 != 0
    }

    fn clocked(&self, sink: u16) -> bool {
        [CKPDN0, CKPDN1, (CKPDN2, 1 << sink)]
            .iter()
            .all(|&(register, gate)| self.get(register) & gate == 0)
            && self.get(CKCON1) >> CKCON1_SHIFT >> sink & 1 != 0
    }

    fn current(&self, sink: u16) -> u32 {
        let con0 = self.get(CON0 + STRIDE * sink);
        let duty = if con0 >> 2 & 3 == PWM_MODE {
            u32::from(con0 >> 8 & 0x1F) + 1
        } else {
            FULL_DUTY
        };
        let step = u32::from(self.get(CON2 + STRIDE * sink) >> 12 & 7) + 1;
        let doubled = u32::from(self.get(ANA0) >> (ANA0_FIRST - sink) & 1);
        (duty * step.min(FULL_STEP)) << doubled
    }

    /// After a write to `register`, which held `old`: a sink that is switched
    /// on without its clocks stays dark.
    pub(super) fn check_sinks(&self, register: u16, old: u16, cx: &mut Context<'_>) {
        if register != EN_CTRL {
            return;
        }
        let rises = |&sink: &u16| self.enabled(sink) && old >> sink & 1 == 0;
        if (0..SINKS).filter(rises).any(|sink| !self.clocked(sink)) {
            cx.report(
                GuestError::Refused,
                NAME,
                u32::from(register),
                "ISINK switched on without its clocks",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{Reset, TestWorld};

    fn fresh() -> (Mt6323, TestWorld) {
        let (mut pmic, mut world) = (Mt6323::new(0x1023), TestWorld::default());
        pmic.reset(Reset::PowerOn, &mut world.cx());
        (pmic, world)
    }

    fn write(pmic: &mut Mt6323, world: &mut TestWorld, writes: &[(u16, u16)]) {
        for &(register, value) in writes {
            pmic.write(register, value, &mut world.cx());
        }
    }

    /// The vendor's order, with `duty` and `step` in all four sinks.
    fn light(pmic: &mut Mt6323, world: &mut TestWorld, duty: u16, step: u16) {
        write(
            pmic,
            world,
            &[
                (0x10C, 1 << 6),
                (0x106, 1 << 11),
                (0x112, 0xF),
                (0x128, 0xF << 10),
            ],
        );
        for sink in 0..4 {
            let con0 = 0x330 + 8 * sink;
            write(
                pmic,
                world,
                &[(con0, duty << 8), (con0 + 2, 2), (con0 + 4, step << 12)],
            );
        }
        write(pmic, world, &[(0x350, 0xF00), (0x354, 0xF), (0x356, 0xFF)]);
    }

    #[test]
    fn duty_and_step_make_the_brightness() {
        let (mut pmic, mut world) = fresh();
        assert_eq!(world.signals.isink_permille, None);
        light(&mut pmic, &mut world, 31, 5);
        assert_eq!(world.signals.isink_permille, Some(1000));
        light(&mut pmic, &mut world, 15, 5);
        assert_eq!(world.signals.isink_permille, Some(500));
        light(&mut pmic, &mut world, 31, 2);
        assert_eq!(world.signals.isink_permille, Some(500));
        light(&mut pmic, &mut world, 31, 5);
        write(&mut pmic, &mut world, &[(0x350, 0x700)]);
        assert_eq!(
            world.signals.isink_permille,
            Some(875),
            "sink 0 is not doubled"
        );
        write(&mut pmic, &mut world, &[(0x350, 0xF00), (0x356, 0x11)]);
        assert_eq!(world.signals.isink_permille, Some(250), "one sink");
        write(&mut pmic, &mut world, &[(0x356, 0xF0)]);
        assert_eq!(world.signals.isink_permille, None);
        assert_eq!(world.reports, []);
    }

    #[test]
    fn without_a_clock_it_stays_dark() {
        for (set, gate) in [
            (0x10A, 1 << 6),
            (0x104, 1 << 11),
            (0x110, 0xF),
            (0x12A, 0xF << 10),
        ] {
            let (mut pmic, mut world) = fresh();
            light(&mut pmic, &mut world, 31, 5);
            write(&mut pmic, &mut world, &[(set, gate)]);
            assert_eq!(world.signals.isink_permille, None, "{set:#x}");
            assert_eq!(world.reports, []);
            write(&mut pmic, &mut world, &[(0x356, 0), (0x356, 1)]);
            assert_eq!(world.reports.len(), 1);
        }
    }
}
