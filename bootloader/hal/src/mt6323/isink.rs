//! The current sinks, all four together as the backlight.
//!
//! Source: facts/display.md 6.4; facts/soc.md 10.7.

use super::{Mt6323, PmicError};
use crate::pwrap::PmicBus;

/// Registers of this file.
mod reg {
    pub(super) const TOP_CKPDN0: u16 = 0x0102;
    pub(super) const TOP_CKPDN1: u16 = 0x0108;
    pub(super) const TOP_CKPDN2: u16 = 0x010e;
    pub(super) const TOP_CKCON1: u16 = 0x0126;
    /// CON0 to CON2 of sink 0; those of the next are 8 further.
    pub(super) const ISINK0_CON0: u16 = 0x0330;
    pub(super) const ISINK_ANA0: u16 = 0x0350;
    pub(super) const ISINK_PHASE_DLY: u16 = 0x0354;
    pub(super) const ISINK_EN_CTRL: u16 = 0x0356;
}

const SINKS: u16 = 4;
/// TOP_CKPDN0: the sinks' 32 kHz stands.
const DRV_32K_PDN: u16 = 1 << 11;
/// TOP_CKPDN1: the sinks' 2 MHz stands.
const DRV_2M_PDN: u16 = 1 << 6;
/// TOP_CKPDN2: a sink's clock stands.
const SINK_CLOCKS_PDN: u16 = 0xf;
/// TOP_CKCON1: 1 MHz instead of 32 kHz.
const SINK_CLOCKS_1M: u16 = 0xf << 10;
// CON0: mode (0 PWM) and duty, both in one field for the update.
const MODE_AND_DUTY: u16 = 0x1f << 8 | 3 << 2;
const DUTY_SHIFT: u16 = 8;
/// CON1: 20 kHz.
const FREQUENCY: u16 = 2;
// CON2: current step and soft start.
const STEP_AND_SOFT_START: u16 = 7 << 12 | 1;
const STEP_SHIFT: u16 = 12;
/// ISINK_ANA0: twice the current.
const DOUBLE: u16 = 0xf << 8;
/// PHASE_DLY: on, and its time.
const PHASE_DELAY: u16 = 0xf;
const PHASE_TIME: u16 = 3 << 4;
/// EN_CTRL: the sinks, and their choppers.
const ENABLE: u16 = 0xf;
const CHOPPERS: u16 = 0xf << 4;

/// The vendor's curve: up to this of 80 levels, the current step, and what to
/// take from the level for the duty.
const CURVE: [(u16, u16, u16); 6] = [
    (32, 0, 1),
    (48, 1, 17),
    (59, 2, 28),
    (67, 3, 36),
    (74, 4, 43),
    (80, 5, 49),
];
const LEVELS: u16 = 80;

impl<B: PmicBus> Mt6323<B> {
    /// Sets the backlight of boards that have it on the sinks, 0 (dark) to
    /// 255.
    pub fn set_isink(&mut self, level: u8) -> Result<(), PmicError> {
        if level == 0 {
            return Ok(self.bus.update(reg::ISINK_EN_CTRL, ENABLE, 0)?);
        }
        let bus = &mut self.bus;
        bus.update(reg::TOP_CKPDN1, DRV_2M_PDN, 0)?;
        bus.update(reg::TOP_CKPDN0, DRV_32K_PDN, 0)?;
        bus.update(reg::TOP_CKPDN2, SINK_CLOCKS_PDN, 0)?;
        bus.update(reg::TOP_CKCON1, 0, SINK_CLOCKS_1M)?;
        let (step, duty) = current(level);
        for sink in 0..SINKS {
            let con0 = reg::ISINK0_CON0 + 8 * sink;
            bus.update(con0, MODE_AND_DUTY, duty << DUTY_SHIFT)?;
            bus.write(con0 + 2, FREQUENCY)?;
            bus.update(con0 + 4, STEP_AND_SOFT_START, step << STEP_SHIFT)?;
        }
        bus.update(reg::ISINK_ANA0, 0, DOUBLE)?;
        bus.update(reg::ISINK_PHASE_DLY, PHASE_TIME, PHASE_DELAY)?;
        Ok(bus.update(reg::ISINK_EN_CTRL, 0, ENABLE | CHOPPERS)?)
    }
}

/// Current step (4 mA and 4 mA more for each) and duty (of 32, less one) of a
/// level from 1 to 255.
fn current(level: u8) -> (u16, u16) {
    let level = (u16::from(level) * LEVELS / 255).max(1);
    CURVE
        .iter()
        .find(|&&(last, ..)| level <= last)
        .map_or((5, 31), |&(_, step, less)| (step, level - less))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::mt6323::fake::FakePmic;

    #[test]
    fn full_brightness_of_the_facts() {
        let mut pmic = Mt6323::new(FakePmic::with(&[
            (0x108, 0xffff),
            (0x102, 0xffff),
            (0x10e, 0xffff),
            (0x338, 0x000c),
            (0x33c, 0x0001),
            (0x354, 0x0030),
        ]));
        pmic.set_isink(255).unwrap();
        let bus = pmic.bus();
        assert_eq!(bus.get(0x108), 0xffbf);
        assert_eq!(bus.get(0x102), 0xf7ff);
        assert_eq!(bus.get(0x10e), 0xfff0);
        assert_eq!(bus.get(0x126), 0x3c00);
        for sink in [0x330, 0x338, 0x340, 0x348] {
            assert_eq!(bus.get(sink), 31 << 8);
            assert_eq!(bus.get(sink + 2), 2);
            assert_eq!(bus.get(sink + 4), 5 << 12);
        }
        assert_eq!(bus.get(0x350), 0x0f00);
        assert_eq!(bus.get(0x354), 0x000f);
        assert_eq!(bus.get(0x356), 0x00ff);
        assert_eq!(bus.writes.last(), Some(&(0x356, 0xff)), "the switch last");
    }

    #[test]
    fn the_curve_rises_through_its_steps() {
        assert_eq!(current(1), (0, 0));
        assert_eq!(current(102), (0, 31));
        assert_eq!(current(106), (1, 16));
        assert_eq!(current(153), (1, 31));
        assert_eq!(current(157), (2, 21));
        assert_eq!(current(189), (2, 31));
        assert_eq!(current(192), (3, 24));
        assert_eq!(current(218), (4, 25));
        assert_eq!(current(240), (5, 26));
        assert_eq!(current(255), (5, 31));
        let light = |level| {
            let (step, duty) = current(level);
            (step + 1) * (duty + 1)
        };
        assert!((1..255).all(|level| light(level) <= light(level + 1)));
    }

    #[test]
    fn dark_is_one_bit_field() {
        let mut pmic = Mt6323::new(FakePmic::with(&[(0x356, 0xff)]));
        pmic.set_isink(0).unwrap();
        assert_eq!(pmic.bus().writes, [(0x356, 0xf0)]);
    }
}
