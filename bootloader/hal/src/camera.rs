//! The clock of the camera sensors, CMMCLK: sensors answer on I2C only while
//! it runs. Nothing else of the camera path is touched.
//!
//! The display power domain must be on and the gates of SMI, CAM, SENINF and
//! CAMTG in MMSYS and of `CamMm` in TOPCKGEN open; pin 62 in mode 1.
//!
//! Source: facts/i2c-touch-camera.md 4.3.

use crate::reg::{Update, Write, assert_offsets};
use bitbybit::bitfield;
use volatile_register::RW;

/// SENINF, as far as the sensor clock needs it.
#[repr(C)]
pub struct SeninfRegisters {
    top_control: RW<u32>,
    _reserved: [u32; 0xbf],
    phase: RW<u32>,
    sensor_clock: RW<u32>,
}

assert_offsets!(SeninfRegisters {
    phase: 0x300,
    sensor_clock: 0x304,
});

/// The part of CAM that drives the sensor interface.
#[repr(C)]
pub struct CamRegisters {
    _reserved: [u32; 0x104],
    sensor_mode: RW<u32>,
}

assert_offsets!(CamRegisters { sensor_mode: 0x410 });

/// SENINF_TG1_PH_CNT.
#[bitfield(u32)]
struct Phase {
    #[bits(0..=1, rw)]
    clock_select: arbitrary_int::u2,
    /// The inverse of the lowest bit of the count.
    #[bit(2, rw)]
    fall_polarity: bool,
    /// The clock leaves the chip.
    #[bit(29, rw)]
    output: bool,
    #[bit(31, rw)]
    counter: bool,
}

/// SENINF_TG1_SEN_CK.
#[bitfield(u32)]
struct SensorClock {
    #[bits(0..=5, rw)]
    falls_at: arbitrary_int::u6,
    #[bits(16..=21, rw)]
    count: arbitrary_int::u6,
}

/// Enables of the pixel clocks.
const PIXEL_CLOCKS: u32 = 3 << 10;
/// The CMOS sensor interface runs.
const CMOS_ENABLE: u32 = 1;

/// The sensor clock.
pub struct CameraClock {
    seninf: &'static SeninfRegisters,
    cam: &'static CamRegisters,
}

impl CameraClock {
    /// The driver of these two blocks.
    pub const fn new(seninf: &'static SeninfRegisters, cam: &'static CamRegisters) -> Self {
        Self { seninf, cam }
    }

    /// 24 MHz, at which every sensor can be asked: the 48 MHz group divided
    /// by two.
    pub fn start(&mut self) {
        let count = arbitrary_int::u6::new(1);
        self.seninf
            .top_control
            .update(|control| control | PIXEL_CLOCKS);
        self.seninf.sensor_clock.put(
            SensorClock::new_with_raw_value(0)
                .with_count(count)
                .with_falls_at(count)
                .raw_value(),
        );
        self.seninf.phase.put(
            Phase::new_with_raw_value(0)
                .with_clock_select(arbitrary_int::u2::new(1))
                .with_fall_polarity(false)
                .with_output(true)
                .with_counter(true)
                .raw_value(),
        );
        self.cam.sensor_mode.update(|mode| mode | CMOS_ENABLE);
    }

    /// The pin falls silent.
    pub fn stop(&mut self) {
        self.seninf.phase.update(|raw| {
            Phase::new_with_raw_value(raw)
                .with_output(false)
                .raw_value()
        });
        self.cam.sensor_mode.update(|mode| mode & !CMOS_ENABLE);
        self.seninf
            .top_control
            .update(|control| control & !PIXEL_CLOCKS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::leaked;

    #[test]
    fn twenty_four_megahertz_are_the_values_of_the_facts() {
        let (seninf, cam): (&SeninfRegisters, &CamRegisters) = (leaked(), leaked());
        let mut clock = CameraClock::new(seninf, cam);
        clock.start();
        assert_eq!(seninf.top_control.read(), 0xc00);
        assert_eq!(seninf.sensor_clock.read(), 0x0001_0001);
        assert_eq!(seninf.phase.read(), 0xa000_0001);
        assert_eq!(cam.sensor_mode.read(), 1);
        clock.stop();
        assert_eq!(seninf.phase.read() & 1 << 29, 0);
        assert_eq!((seninf.top_control.read(), cam.sensor_mode.read()), (0, 0));
    }
}
