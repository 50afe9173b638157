//! MCUSYS_CFG: whether the L2 is cache or SRAM, and the polarity of every
//! interrupt line in front of the GIC.
//!
//! Source: facts/soc.md 1.4 and 1.6.

use crate::reg::{Update, assert_offsets};
use arbitrary_int::u3;
use bitbybit::bitfield;
use volatile_register::{RO, RW};

/// Registers of the block.
#[repr(C)]
pub struct RegisterBlock {
    l2_config: RW<u32>,
    _reserved0: [u32; 0x3f],
    /// One bit a shared interrupt: 1 = the line is active low.
    polarity: [RW<u32>; 7],
    _reserved1: [u32; 0x79],
    /// Program counter, frame pointer, stack pointer of both cores when the
    /// watchdog bit, four words a core.
    snapshots: [RO<u32>; 8],
}

assert_offsets!(RegisterBlock {
    polarity: 0x100,
    snapshots: 0x300,
});

#[bitfield(u32)]
struct L2Config {
    /// 0 = SRAM at 0x02000000, 1 = 256 KiB of cache.
    #[bits(5..=7, rw)]
    size: u3,
}

const L2_CACHE_256K: u3 = u3::new(1);

/// CPU configuration.
pub struct Mcusys {
    regs: &'static RegisterBlock,
}

impl Mcusys {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Turns the L2 from the preloader's SRAM into cache; what the SRAM held
    /// is lost. Needs no memory but the stack, so that it can be called before
    /// anything is set up.
    ///
    /// # Safety
    ///
    /// The data cache and the MMU must be off, and neither stack, vectors nor
    /// anything else in use may be in that SRAM (0x02000000 up).
    pub unsafe fn l2_to_cache(&mut self) {
        self.regs.l2_config.update(|value| {
            L2Config::new_with_raw_value(value)
                .with_size(L2_CACHE_256K)
                .raw_value()
        });
        #[cfg(target_arch = "arm")]
        {
            aarch32_cpu::asm::dsb();
            aarch32_cpu::asm::isb();
        }
    }

    /// Whether the L2 is cache by now.
    pub fn l2_is_cache(&self) -> bool {
        L2Config::new_with_raw_value(self.regs.l2_config.read()).size() != u3::new(0)
    }

    /// Says which level of shared interrupt `spi` (0 to 127) means "active".
    /// Nearly every block of this chip pulls its line low.
    pub fn set_active_low(&mut self, spi: u32, active_low: bool) {
        if let Some(register) = self.regs.polarity.get(spi as usize / 32) {
            let bit = 1 << (spi % 32);
            register.update(|value| {
                if active_low {
                    value | bit
                } else {
                    value & !bit
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::{Write, leaked};

    #[test]
    fn l2_size_changes_and_its_neighbours_do_not() {
        let regs: &RegisterBlock = leaked();
        regs.l2_config.put(0x13);
        let mut mcu = Mcusys::new(regs);
        assert!(!mcu.l2_is_cache());
        // SAFETY: the block is memory; there is no L2.
        unsafe { mcu.l2_to_cache() };
        assert_eq!(regs.l2_config.read(), 0x33);
        assert!(mcu.l2_is_cache());
    }

    #[test]
    fn polarity_is_one_bit_a_line() {
        let regs: &RegisterBlock = leaked();
        let mut mcu = Mcusys::new(regs);
        mcu.set_active_low(26, true);
        mcu.set_active_low(76, true);
        mcu.set_active_low(76, false);
        mcu.set_active_low(89, true);
        assert_eq!(regs.polarity[0].read(), 1 << 26);
        assert_eq!(regs.polarity[2].read(), 1 << 25);
    }
}
