//! DBI: the controller for panels on a parallel bus. Of use to all others for
//! one register, the reset line LRSTB.
//!
//! Source: facts/display.md 5.3 and 8.1.

use crate::reg::{Write, assert_offsets};
use volatile_register::RW;

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    _reserved: [u32; 4],
    reset: RW<u32>,
}

assert_offsets!(RegisterBlock { reset: 0x10 });

/// The controller.
pub struct Dbi {
    regs: &'static RegisterBlock,
}

impl Dbi {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Drives LRSTB: high lets the panel run, low holds it in reset.
    ///
    /// The gate ([`crate::mmsys::Mmsys::open_dsi`]) must be open, and the pad
    /// in its mode: pin 59 in mode 2 or pin 54 in mode 3.
    pub fn set_panel_reset(&mut self, high: bool) {
        self.regs.reset.put(u32::from(high));
    }

    /// The level that LRSTB was given.
    pub fn panel_reset(&self) -> bool {
        self.regs.reset.read() & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::leaked;

    #[test]
    fn high_is_released() {
        let regs: &RegisterBlock = leaked();
        let mut dbi = Dbi::new(regs);
        dbi.set_panel_reset(true);
        assert_eq!(regs.reset.read(), 1);
        assert!(dbi.panel_reset());
        dbi.set_panel_reset(false);
        assert_eq!(regs.reset.read(), 0);
    }
}
