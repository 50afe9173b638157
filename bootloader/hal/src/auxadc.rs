//! The SoC's ADC: board and panel ID voltages, and the temperature sensor.
//! Battery and charger are measured by the PMIC's ADC instead.
//!
//! Source: facts/soc.md 9.8.

use crate::reg::{Write, assert_offsets};
use crate::time::{Micros, Timeout, delay, poll};
use bitbybit::bitfield;
use volatile_register::{RO, RW, WO};

/// Registers of the block; 16 bits each, accessed as such.
#[repr(C)]
pub struct RegisterBlock {
    con0: RW<u16>,
    _pad0: u16,
    con1: RW<u16>,
    _pad1: u16,
    con1_set: WO<u16>,
    _pad2: u16,
    con1_clear: WO<u16>,
    _pad3: u16,
    con2: RO<u16>,
    _pad4: u16,
    data: [DataWord; 16],
}

#[repr(C)]
struct DataWord {
    data: RO<u16>,
    _pad: u16,
}

assert_offsets!(RegisterBlock {
    con1_set: 0x08,
    con2: 0x10,
    data: 0x14,
});

#[bitfield(u16)]
struct Data {
    #[bits(0..=11, r)]
    value: arbitrary_int::u12,
    #[bit(12, r)]
    ready: bool,
}

/// One conversion takes some 10 µs; the vendor waits a millisecond for it.
const TIMEOUT: Micros = Micros(10_000);
const SETTLE: Micros = Micros(1000);
const FULL_SCALE_MV: u32 = 1500;

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum AuxadcError {
    /// There is no such channel (0 to 15).
    NoChannel,
    /// The conversion did not end.
    Timeout,
}

impl AuxadcError {
    /// Short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoChannel => "ADC-CHAN",
            Self::Timeout => "ADC-TMO",
        }
    }
}

impl From<Timeout> for AuxadcError {
    fn from(_: Timeout) -> Self {
        Self::Timeout
    }
}

/// The SoC's ADC. Its clock gate (`AuxAdc`) must be open.
pub struct Auxadc {
    regs: &'static RegisterBlock,
}

impl Auxadc {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// One immediate conversion, 0 to 4095. Takes about 1 ms.
    pub fn read_raw(&mut self, channel: u8) -> Result<u16, AuxadcError> {
        let regs = self.regs;
        let data = &regs
            .data
            .get(usize::from(channel))
            .ok_or(AuxadcError::NoChannel)?
            .data;
        let bit = 1 << channel;
        let ready = || Data::new_with_raw_value(data.read()).ready();
        poll(TIMEOUT, || regs.con2.read() & 1 == 0)?;
        regs.con1_clear.put(bit);
        poll(TIMEOUT, || !ready())?;
        regs.con1_set.put(bit);
        delay(SETTLE);
        let result = poll(TIMEOUT, ready);
        // Stopping the channel may take the sample away.
        let sample = Data::new_with_raw_value(data.read()).value().value();
        regs.con1_clear.put(bit);
        result.map(|()| sample).map_err(AuxadcError::from)
    }

    /// One conversion in millivolts, 0 to 1499.
    pub fn read_mv(&mut self, channel: u8) -> Result<u16, AuxadcError> {
        let raw = u32::from(self.read_raw(channel)?);
        Ok((raw * FULL_SCALE_MV / 4096) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::{leaked, peek, poke};
    use crate::time::clock;

    #[test]
    fn a_conversion_is_started_and_read() {
        let regs: &'static RegisterBlock = leaked();
        clock::each_tick(move || {
            if peek(&regs.con1_set) == 1 << 12 {
                poke(&regs.data[12].data, 1 << 12 | 2048);
                regs.con1_set.put(0);
                regs.con1_clear.put(0);
            } else if peek(&regs.con1_clear) == 1 << 12 {
                // A channel that is stopped has no sample.
                poke(&regs.data[12].data, 0);
            }
        });
        assert_eq!(Auxadc::new(regs).read_mv(12), Ok(750));
        assert_eq!(peek(&regs.con1_clear), 1 << 12, "stopped afterwards");
    }

    #[test]
    fn a_silent_channel_times_out() {
        let mut adc = Auxadc::new(leaked());
        assert_eq!(adc.read_raw(3), Err(AuxadcError::Timeout));
        assert_eq!(adc.read_raw(16), Err(AuxadcError::NoChannel));
    }
}
