//! COLOR: picture improvement, on and bypassed.
//!
//! Source: facts/display.md 2.3.

use crate::reg::{Write, assert_offsets};
use volatile_register::RW;

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    _reserved0: [u32; 0x100],
    config: RW<u32>,
    _reserved1: [u32; 0x2bf],
    start: RW<u32>,
    _reserved2: [u32; 0x13],
    width: RW<u32>,
    height: RW<u32>,
}

assert_offsets!(RegisterBlock {
    config: 0x400,
    start: 0xf00,
    width: 0xf50,
});

/// Enabled, every part of it bypassed: pixels pass unchanged.
const BYPASS: u32 = 0x2000_00bf;

/// Lets pictures of this size pass.
pub(super) fn pass(regs: &RegisterBlock, width: u16, height: u16) {
    regs.width.put(u32::from(width));
    regs.height.put(u32::from(height));
    regs.config.put(BYPASS);
    regs.start.put(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::leaked;

    #[test]
    fn four_writes() {
        let regs: &RegisterBlock = leaked();
        pass(regs, 320, 480);
        assert_eq!((regs.width.read(), regs.height.read()), (320, 480));
        assert_eq!((regs.config.read(), regs.start.read()), (0x2000_00bf, 1));
    }
}
