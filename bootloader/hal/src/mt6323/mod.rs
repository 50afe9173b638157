//! MT6323, the PMIC: supplies, keys, charger, ADC, clock.
//!
//! [`Mt6323`] owns the bus to it and is generic over [`PmicBus`], so that its
//! logic runs against a map of registers in tests. The parts are in files of
//! their own: [`rails`], [`adc`], [`charger`] and [`rtc`].
//!
//! Source: facts/soc.md 8.3, 10.6 and appendix B.

pub mod adc;
pub mod charger;
mod isink;
pub mod rails;
pub mod rtc;

pub use adc::AdcChannel;
pub use rails::Rail;
pub use rtc::Rtc;

use crate::pwrap::{PmicBus, PwrapError};
use bitbybit::bitfield;

/// Registers of this file.
mod reg {
    pub(super) const STRUP_CON3: u16 = 0x0040;
    pub(super) const STRUP_CON8: u16 = 0x004a;
    pub(super) const CID: u16 = 0x0100;
    pub(super) const CHRSTATUS: u16 = 0x0142;
}

/// STRUP_CON3: the keys reach the boot ROM's download mode.
const RG_USBDL_EN: u16 = 1 << 0;
/// STRUP_CON8.
const CLR_JUST_RST: u16 = 1 << 4;
const JUST_PWRKEY_RST: u16 = 1 << 14;

/// Why the PMIC did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PmicError {
    /// The bus to it failed.
    Bus(PwrapError),
    /// The rail has no such voltage.
    Voltage,
    /// The rail carries the running system: it is not switched or changed.
    Protected,
    /// A conversion did not end.
    Adc,
    /// The real-time clock did not take a write.
    Rtc,
    /// The charger's voltage is beyond what the PMIC stands.
    ChargerOverVoltage,
}

impl PmicError {
    /// Short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Bus(error) => error.code(),
            Self::Voltage => "PMIC-VOLT",
            Self::Protected => "PMIC-PROT",
            Self::Adc => "PMIC-ADC",
            Self::Rtc => "RTC-BUSY",
            Self::ChargerOverVoltage => "CHR-OVP",
        }
    }
}

impl From<PwrapError> for PmicError {
    fn from(error: PwrapError) -> Self {
        Self::Bus(error)
    }
}

/// CHRSTATUS.
#[bitfield(u16)]
struct ChargerStatus {
    #[bit(1, r)]
    power_key_released: bool,
    #[bit(2, r)]
    home_key_released: bool,
    #[bit(3, r)]
    battery_over_voltage: bool,
    #[bit(4, r)]
    charger_present: bool,
    /// No battery is connected.
    #[bit(5, r)]
    battery_missing: bool,
}

/// The keys that the PMIC sees, debounced by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PmicKeys {
    /// The power key is pressed.
    pub power: bool,
    /// The second key ("home", FCHRKEY) is pressed.
    pub home: bool,
}

/// The PMIC.
pub struct Mt6323<B> {
    bus: B,
}

impl<B: PmicBus> Mt6323<B> {
    /// The PMIC behind `bus`.
    pub const fn new(bus: B) -> Self {
        Self { bus }
    }

    /// The bus, to initialise it.
    pub fn bus(&mut self) -> &mut B {
        &mut self.bus
    }

    /// The real-time clock in it.
    pub fn rtc(&mut self) -> Rtc<'_, B> {
        Rtc::new(&mut self.bus)
    }

    /// Its version: 0x1023 for E1.
    pub fn chip_id(&mut self) -> Result<u16, PmicError> {
        Ok(self.bus.read(reg::CID)?)
    }

    /// Which keys are pressed.
    pub fn keys(&mut self) -> Result<PmicKeys, PmicError> {
        let status = self.status()?;
        Ok(PmicKeys {
            power: !status.power_key_released(),
            home: !status.home_key_released(),
        })
    }

    /// Whether a charger or USB host supplies the phone, debounced.
    pub fn charger_present(&mut self) -> Result<bool, PmicError> {
        Ok(self.status()?.charger_present())
    }

    /// Frees the key pads from the boot ROM's download mode, so that the key
    /// matrix reads right.
    pub fn release_keypad(&mut self) -> Result<(), PmicError> {
        Ok(self.bus.update(reg::STRUP_CON3, RG_USBDL_EN, 0)?)
    }

    /// Whether a long press of the power key has reset the phone; asking
    /// clears it. Keys held at such a start mean nothing.
    pub fn take_power_key_reset(&mut self) -> Result<bool, PmicError> {
        let was = self.bus.read(reg::STRUP_CON8)? & JUST_PWRKEY_RST != 0;
        if was {
            self.bus.update(reg::STRUP_CON8, 0, CLR_JUST_RST)?;
        }
        Ok(was)
    }

    fn status(&mut self) -> Result<ChargerStatus, PmicError> {
        let value = self.bus.read(reg::CHRSTATUS)?;
        Ok(ChargerStatus::new_with_raw_value(value))
    }
}

/// A PMIC of plain memory for the tests, with a log of the writes.
#[cfg(test)]
pub(crate) mod fake {
    use crate::pwrap::{PmicBus, PwrapError};
    use std::collections::HashMap;

    pub(crate) type Registers = HashMap<u16, u16>;

    #[derive(Default)]
    pub(crate) struct FakePmic {
        pub(crate) registers: Registers,
        pub(crate) writes: Vec<(u16, u16)>,
        /// Fails every access.
        pub(crate) dead: bool,
        /// Plays hardware after each read.
        pub(crate) after_read: Option<fn(&mut Registers, u16)>,
        /// Plays hardware after each write.
        pub(crate) react: Option<fn(&mut Registers, u16, u16)>,
    }

    impl FakePmic {
        pub(crate) fn with(registers: &[(u16, u16)]) -> Self {
            Self {
                registers: registers.iter().copied().collect(),
                ..Self::default()
            }
        }

        pub(crate) fn get(&self, address: u16) -> u16 {
            self.registers.get(&address).copied().unwrap_or(0)
        }
    }

    impl PmicBus for FakePmic {
        fn read(&mut self, address: u16) -> Result<u16, PwrapError> {
            assert_eq!(address % 2, 0);
            if self.dead {
                return Err(PwrapError::Timeout);
            }
            let value = self.get(address);
            if let Some(react) = self.after_read {
                react(&mut self.registers, address);
            }
            Ok(value)
        }

        fn write(&mut self, address: u16, value: u16) -> Result<(), PwrapError> {
            assert_eq!(address % 2, 0);
            if self.dead {
                return Err(PwrapError::Timeout);
            }
            self.writes.push((address, value));
            self.registers.insert(address, value);
            if let Some(react) = self.react {
                react(&mut self.registers, address, value);
            }
            Ok(())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::fake::FakePmic;
    use super::*;

    #[test]
    fn keys_and_charger_are_read_from_the_status() {
        let mut pmic = Mt6323::new(FakePmic::with(&[(0x142, 0x06), (0x100, 0x1023)]));
        assert_eq!(pmic.chip_id(), Ok(0x1023));
        let released = PmicKeys {
            power: false,
            home: false,
        };
        assert_eq!(pmic.keys(), Ok(released));
        assert_eq!(pmic.charger_present(), Ok(false));
        pmic.bus().registers.insert(0x142, 0x14);
        assert!(pmic.keys().unwrap().power && !pmic.keys().unwrap().home);
        assert_eq!(pmic.charger_present(), Ok(true));
    }

    #[test]
    fn flags_are_cleared_and_the_rest_is_kept() {
        let mut pmic = Mt6323::new(FakePmic::with(&[(0x40, 0x7003), (0x4a, 0x4020)]));
        pmic.release_keypad().unwrap();
        assert_eq!(pmic.bus().get(0x40), 0x7002);
        assert_eq!(pmic.take_power_key_reset(), Ok(true));
        assert_eq!(pmic.bus().writes.last(), Some(&(0x4a, 0x4030)));
        pmic.bus().registers.insert(0x4a, 0x20);
        assert_eq!(pmic.take_power_key_reset(), Ok(false));
    }

    #[test]
    fn a_dead_bus_is_named() {
        let mut pmic = Mt6323::new(FakePmic {
            dead: true,
            ..FakePmic::default()
        });
        assert_eq!(pmic.keys().unwrap_err().code(), "PWRAP-TMO");
    }
}
