//! The linear charger: enough of it to keep an empty phone alive.
//!
//! Charging stops by itself when the charger's watchdog is not kicked, every
//! 4 s at the setting used here.
//!
//! Source: facts/soc.md 10.5.

use super::{Mt6323, PmicError};
use crate::pwrap::PmicBus;
use bitbybit::bitfield;

/// Registers of this file.
mod reg {
    pub(super) const CHR_CON0: u16 = 0x0000;
    pub(super) const CHR_CON4: u16 = 0x0008;
    pub(super) const CHR_CON7: u16 = 0x000e;
    pub(super) const CHR_CON13: u16 = 0x001a;
    pub(super) const CHR_CON15: u16 = 0x001e;
    pub(super) const CHR_CON16: u16 = 0x0020;
}

/// CHR_CON0.
#[bitfield(u16)]
struct Control {
    #[bit(3, rw)]
    csdac_en: bool,
    #[bit(4, rw)]
    charge: bool,
    #[bit(5, r)]
    charger_detected: bool,
    /// The charger's voltage is too high.
    #[bit(7, r)]
    over_voltage: bool,
}

/// CHR_CON4: the current code.
const CS_VTH: u16 = 0xf;
/// CHR_CON7.
const BATTERY_DETECT: u16 = 1 << 0 | 1 << 2;
const BATTERY_MISSING: u16 = 1 << 12;
/// CHR_CON13: watchdog time (0 = 4 s), enable, kick.
const WDT_TIME: u16 = 0xf;
const WDT_ENABLE: u16 = 1 << 4;
const WDT_KICK: u16 = 1 << 8;
/// CHR_CON15: watchdog interrupt, clear its flag.
const WDT_INTERRUPT: u16 = 1 << 0;
const WDT_FLAG_CLEAR: u16 = 1 << 1;
/// CHR_CON16: leave the boot ROM's pre-charge mode.
const USBDL_RST: u16 = 1 << 2;

/// Charge current of each code, in milliamperes, falling.
const CURRENTS_MA: [u16; 16] = [
    1600, 1500, 1400, 1300, 1200, 1100, 1000, 900, 800, 700, 650, 550, 450, 300, 200, 70,
];

/// What any USB port is good for.
pub const USB_CURRENT_MA: u16 = 450;

impl<B: PmicBus> Mt6323<B> {
    /// Charges with at most `current_ma` (70 at least). Refuses while the
    /// charger's voltage is too high.
    pub fn start_charging(&mut self, current_ma: u16) -> Result<(), PmicError> {
        let control = Control::new_with_raw_value(self.bus.read(reg::CHR_CON0)?);
        if control.over_voltage() {
            return Err(PmicError::ChargerOverVoltage);
        }
        self.bus.update(reg::CHR_CON16, 0, USBDL_RST)?;
        self.kick_charger_watchdog()?;
        let code = current_code(current_ma);
        self.bus.update(reg::CHR_CON4, CS_VTH, code)?;
        let control = control.with_csdac_en(true);
        self.bus.write(reg::CHR_CON0, control.raw_value())?;
        let control = control.with_charge(true);
        Ok(self.bus.write(reg::CHR_CON0, control.raw_value())?)
    }

    /// Stops charging.
    pub fn stop_charging(&mut self) -> Result<(), PmicError> {
        let control = Control::new_with_raw_value(self.bus.read(reg::CHR_CON0)?);
        let control = control.with_charge(false).with_csdac_en(false);
        Ok(self.bus.write(reg::CHR_CON0, control.raw_value())?)
    }

    /// Keeps charging alive for another 4 s.
    pub fn kick_charger_watchdog(&mut self) -> Result<(), PmicError> {
        self.bus.update(reg::CHR_CON13, WDT_TIME, WDT_KICK)?;
        self.bus.update(reg::CHR_CON15, 0, WDT_INTERRUPT)?;
        self.bus.update(reg::CHR_CON13, 0, WDT_ENABLE)?;
        Ok(self.bus.update(reg::CHR_CON15, 0, WDT_FLAG_CLEAR)?)
    }

    /// Whether a battery is connected.
    pub fn battery_present(&mut self) -> Result<bool, PmicError> {
        self.bus.update(reg::CHR_CON7, 0, BATTERY_DETECT)?;
        Ok(self.bus.read(reg::CHR_CON7)? & BATTERY_MISSING == 0)
    }

    /// Whether a charger is there, not debounced: as soon as it is plugged.
    pub fn charger_detected(&mut self) -> Result<bool, PmicError> {
        let control = Control::new_with_raw_value(self.bus.read(reg::CHR_CON0)?);
        Ok(control.charger_detected())
    }
}

/// The code of the highest current that does not exceed `current_ma`.
fn current_code(current_ma: u16) -> u16 {
    let code = CURRENTS_MA.iter().position(|&step| step <= current_ma);
    code.unwrap_or(CURRENTS_MA.len() - 1) as u16
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::mt6323::fake::FakePmic;

    #[test]
    fn charging_starts_at_the_current_of_the_vendor() {
        let mut pmic = Mt6323::new(FakePmic::with(&[(0x00, 0x20), (0x1a, 0x0f)]));
        pmic.start_charging(USB_CURRENT_MA).unwrap();
        let bus = pmic.bus();
        assert_eq!(bus.get(0x08), 0xc);
        assert_eq!(bus.get(0x00), 0x38);
        assert_eq!(bus.get(0x1a), 0x110);
        assert_eq!(bus.get(0x1e), 3);
        assert_eq!(bus.get(0x20), 4);
        let last_two = &bus.writes[bus.writes.len() - 2..];
        assert_eq!(last_two, [(0, 0x28), (0, 0x38)], "current, then charge");
        pmic.stop_charging().unwrap();
        assert_eq!(pmic.bus().get(0x00), 0x20);
    }

    #[test]
    fn a_bad_charger_is_refused() {
        let mut pmic = Mt6323::new(FakePmic::with(&[(0x00, 0xa0)]));
        assert_eq!(pmic.start_charging(450), Err(PmicError::ChargerOverVoltage));
        assert!(pmic.bus().writes.is_empty());
        assert_eq!(pmic.charger_detected(), Ok(true));
    }

    #[test]
    fn currents_are_never_exceeded() {
        assert_eq!(current_code(5000), 0);
        assert_eq!(current_code(1000), 6);
        assert_eq!(current_code(649), 11);
        assert_eq!(current_code(1), 15);
    }

    #[test]
    fn battery_contact() {
        let mut pmic = Mt6323::new(FakePmic::with(&[(0x0e, 1 << 12)]));
        assert_eq!(pmic.battery_present(), Ok(false));
        assert_eq!(pmic.bus().get(0x0e), 0x1005);
    }
}
