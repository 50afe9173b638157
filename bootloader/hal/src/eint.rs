//! EINT: interrupts from pads. The bootloader uses none; it only makes sure
//! that the kernel finds none pending.
//!
//! Source: facts/soc.md 8.1.

use crate::reg::{Write, assert_offsets};
use volatile_register::{RO, RW, WO};

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    status: RO<u32>,
    _reserved0: [u32; 15],
    /// Write 1 to acknowledge.
    acknowledge: WO<u32>,
    _reserved1: [u32; 15],
    mask: RW<u32>,
    _reserved2: [u32; 15],
    mask_set: WO<u32>,
}

assert_offsets!(RegisterBlock {
    acknowledge: 0x40,
    mask: 0x80,
    mask_set: 0xc0,
});

/// 26 channels.
const ALL: u32 = 0x03ff_ffff;

/// The pads' interrupts.
pub struct Eint {
    regs: &'static RegisterBlock,
}

impl Eint {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Masks every channel and drops what has been latched.
    pub fn quiesce(&mut self) {
        self.regs.mask_set.put(ALL);
        self.regs.acknowledge.put(ALL);
    }

    /// Channels that are latched and not masked, a bit each.
    pub fn pending(&self) -> u32 {
        self.regs.status.read() & !self.regs.mask.read() & ALL
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::{leaked, peek, poke};

    #[test]
    fn quiesce_masks_and_acknowledges_all_channels() {
        let regs: &RegisterBlock = leaked();
        poke(&regs.status, 1 << 1 | 1 << 16);
        regs.mask.put(1 << 1);
        let mut eint = Eint::new(regs);
        assert_eq!(eint.pending(), 1 << 16);
        eint.quiesce();
        assert_eq!(peek(&regs.mask_set), 0x03ff_ffff);
        assert_eq!(peek(&regs.acknowledge), 0x03ff_ffff);
    }
}
