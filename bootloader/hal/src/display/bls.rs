//! BLS: a stage of the path that is bypassed, and the PWM of the backlight on
//! pad PWM_BL.
//!
//! Source: facts/display.md 2.4 and 6.2.

use crate::reg::{Update, Write, assert_offsets};
use volatile_register::RW;

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    enable: RW<u32>,
    _reserved0: [u32; 5],
    size: RW<u32>,
    _reserved1: [u32; 0x21],
    /// 0 to 1023.
    duty: RW<u32>,
    _reserved2: u32,
    pwm_con: RW<u32>,
    _reserved3: u32,
    debug: RW<u32>,
}

assert_offsets!(RegisterBlock {
    size: 0x18,
    duty: 0xa0,
    pwm_con: 0xa8,
    debug: 0xb0,
});

/// EN: the PWM runs, the picture passes unchanged.
const PWM_ONLY: u32 = 1 << 16;
/// DEBUG: registers take effect at once, without the mutex.
const IMMEDIATE: u32 = 3;
const FULL_DUTY: u32 = 1023;

/// The block, with its PWM.
pub struct Bls {
    regs: &'static RegisterBlock,
}

impl Bls {
    pub(super) const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Lets pictures of this size pass; the backlight stays as it is.
    pub(super) fn pass(&mut self, width: u16, height: u16) {
        let regs = self.regs;
        regs.size.put(u32::from(height) << 16 | u32::from(width));
        regs.duty.update(|duty| duty);
        regs.pwm_con.put(0);
        regs.enable.put(PWM_ONLY);
    }

    /// Sets the backlight, 0 (dark) to 255.
    ///
    /// The gates of the path ([`crate::mmsys`]) and the PWM's clock (`PwmMm`)
    /// must be open, and the pad in its mode.
    pub fn set(&mut self, level: u8) {
        let regs = self.regs;
        regs.enable.update(|value| value | PWM_ONLY);
        regs.debug.put(IMMEDIATE);
        regs.duty.put(u32::from(level) * FULL_DUTY / 255);
        regs.debug.put(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::leaked;
    use crate::time::clock;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[test]
    fn the_level_takes_effect_at_once() {
        let regs: &RegisterBlock = leaked();
        let seen = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&seen);
        clock::each_tick(move || {
            if regs.debug.read() == IMMEDIATE {
                log.borrow_mut().push(regs.duty.read());
            }
        });
        let mut bls = Bls::new(regs);
        bls.set(255);
        bls.set(1);
        bls.set(0);
        assert_eq!(*seen.borrow(), [0, 0x3ff, 0x3ff, 4, 4, 0]);
        assert_eq!(regs.debug.read(), 0);
        assert_eq!(regs.enable.read(), 0x10000);
    }

    #[test]
    fn passing_keeps_the_backlight() {
        let regs: &RegisterBlock = leaked();
        regs.duty.put(77);
        regs.pwm_con.put(5);
        Bls::new(regs).pass(480, 854);
        assert_eq!(regs.size.read(), 0x0356_01e0);
        assert_eq!((regs.duty.read(), regs.pwm_con.read()), (77, 0));
        assert_eq!(regs.enable.read(), 0x10000);
    }
}
