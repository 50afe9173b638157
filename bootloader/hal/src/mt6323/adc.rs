//! The PMIC's ADC: battery, charger, temperatures.
//!
//! Source: facts/soc.md 10.5.

use super::{Mt6323, PmicError};
use crate::pwrap::PmicBus;
use crate::time::{Micros, poll};

const AUXADC_CON11: u16 = 0x0758;
const VBUF_EN: u16 = 1 << 4;
/// One bit a channel: rising edge starts a conversion.
const AUXADC_CON22: u16 = 0x076e;
const READY: u16 = 1 << 15;
const FULL_SCALE_MV: u32 = 1800;
const CONVERSION_TIMEOUT: Micros = Micros(20_000);

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum AdcChannel {
    /// Second battery contact.
    Baton2 = 0,
    /// Channel 6.
    Channel6 = 1,
    /// Second chip temperature.
    ThermalSense2 = 2,
    /// Chip temperature.
    ThermalSense1 = 3,
    /// Charger voltage behind the board's divider.
    Vcdt = 4,
    /// Battery thermistor.
    Baton1 = 5,
    /// Battery voltage at the current sense resistor.
    Isense = 6,
    /// Battery voltage.
    Batsns = 7,
    /// Channel 5: headset detection.
    Channel5 = 8,
}

/// Result registers in the order of the channels.
const RESULTS: [u16; 9] = [
    0x0720, 0x072a, 0x071e, 0x071c, 0x0718, 0x071a, 0x0716, 0x0714, 0x0722,
];

impl AdcChannel {
    /// The battery inputs are divided by four in the chip.
    const fn divider(self) -> u32 {
        match self {
            Self::Batsns | Self::Isense => 4,
            _ => 1,
        }
    }
}

impl<B: PmicBus> Mt6323<B> {
    /// One conversion in millivolts at the chip's pin, untrimmed.
    pub fn adc_mv(&mut self, channel: AdcChannel) -> Result<u16, PmicError> {
        let bit = 1 << channel as u16;
        let result = RESULTS[channel as usize];
        self.bus.update(AUXADC_CON11, 0, VBUF_EN)?;
        self.bus.update(AUXADC_CON22, bit, 0)?;
        self.bus.update(AUXADC_CON22, 0, bit)?;
        let mut last = Ok(0);
        poll(CONVERSION_TIMEOUT, || {
            last = self.bus.read(result);
            last.map_or(true, |value| value & READY != 0)
        })
        .map_err(|_| PmicError::Adc)?;
        let raw = u32::from(last? & !READY);
        Ok((raw * channel.divider() * FULL_SCALE_MV / 32768) as u16)
    }

    /// Battery voltage in millivolts.
    pub fn battery_mv(&mut self) -> Result<u16, PmicError> {
        self.adc_mv(AdcChannel::Batsns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mt6323::fake::FakePmic;

    #[test]
    fn a_battery_of_four_volts() {
        let mut pmic = Mt6323::new(FakePmic {
            // Answers once the channel's request rises.
            react: Some(|registers, address, value| {
                if address == 0x76e && value & 1 << 7 != 0 {
                    registers.insert(0x714, 0x8000 | 0x471c);
                }
            }),
            ..FakePmic::with(&[(0x76e, 1 << 7)])
        });
        assert_eq!(pmic.battery_mv(), Ok(3999));
        let requests: Vec<_> = pmic
            .bus()
            .writes
            .iter()
            .filter(|write| write.0 == 0x76e)
            .map(|write| write.1)
            .collect();
        assert_eq!(requests, [0, 1 << 7]);
    }

    #[test]
    fn other_channels_are_not_divided() {
        let mut pmic = Mt6323::new(FakePmic::with(&[(0x718, 0xc000)]));
        assert_eq!(pmic.adc_mv(AdcChannel::Vcdt), Ok(900));
    }

    #[test]
    fn a_conversion_that_does_not_end_is_reported() {
        let mut pmic = Mt6323::new(FakePmic::default());
        assert_eq!(pmic.battery_mv(), Err(PmicError::Adc));
    }
}
