//! CAM (0x14013000), the image signal processor: CMOS_EN, without which the
//! sensors get no master clock. The rest is remembered.
//!
//! Source: facts/i2c-touch-camera.md 4.3.

use super::scratch::Scratch;
use crate::bus::{Block, Context, Reset, Size};
use crate::machine::map::DOMAIN_DIS;

const NAME: &str = "CAM";
const LEN: u32 = 0x1000;
const TG_SEN_MODE: u32 = 0x410;
const CMOS_EN: u32 = 1 << 0;

/// The block.
pub struct Cam {
    registers: Scratch,
}

impl Default for Cam {
    fn default() -> Self {
        Self::new()
    }
}

impl Cam {
    /// Everything off.
    pub fn new() -> Self {
        Cam {
            registers: Scratch::new(NAME, LEN),
        }
    }
}

impl Block for Cam {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.registers.read(offset, size, cx)
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.registers.write(offset, size, value, cx);
        if offset == TG_SEN_MODE {
            cx.signals.cam_cmos_en = value & CMOS_EN != 0;
        }
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        cx.signals.cam_cmos_en = false;
    }

    fn watches_wires(&self) -> bool {
        true
    }

    /// Without its power domain it forgets.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        if cx.signals.cam_cmos_en && !cx.signals.domain_on(DOMAIN_DIS) {
            self.reset(Reset::Watchdog, cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    #[test]
    fn cmos_en_is_on_the_wires_while_there_is_power() {
        let (mut world, mut cam) = (TestWorld::default(), Cam::new());
        world.signals.pwr_status = 1 << DOMAIN_DIS;
        world.write(&mut cam, TG_SEN_MODE, 1);
        cam.wires_changed(&mut world.cx());
        assert!(world.signals.cam_cmos_en);
        assert_eq!(world.read(&mut cam, TG_SEN_MODE), 1);
        world.signals.pwr_status = 0;
        cam.wires_changed(&mut world.cx());
        assert!(!world.signals.cam_cmos_en);
        assert_eq!(world.read(&mut cam, TG_SEN_MODE), 0);
        assert!(world.reports.is_empty());
    }
}
