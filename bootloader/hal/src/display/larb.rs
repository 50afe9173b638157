//! SMI LARB0: the display's way to memory.
//!
//! Source: facts/display.md 1.3 and 1.4.

use crate::reg::{Write, assert_offsets};
use volatile_register::RW;

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    _reserved: [u32; 0x19],
    outstanding: RW<u32>,
}

assert_offsets!(RegisterBlock { outstanding: 0x64 });

/// As the vendor's loader has it.
const ALL: u32 = 0x000f_ffff;

/// Lets every port have several transactions under way.
pub(super) fn open(regs: &RegisterBlock) {
    regs.outstanding.put(ALL);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::leaked;

    #[test]
    fn one_write() {
        let regs: &RegisterBlock = leaked();
        open(regs);
        assert_eq!(regs.outstanding.read(), 0xfffff);
    }
}
