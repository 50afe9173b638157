//! APMIXED: the PLLs. Only ARMPLL is ever changed here.
//!
//! Source: facts/soc.md 9.5 and 9.7.

use crate::reg::{Write, assert_offsets};
use arbitrary_int::{u3, u21};
use bitbybit::bitfield;
use volatile_register::RW;

/// Registers of the block.
#[repr(C)]
pub struct RegisterBlock {
    _reserved0: [u32; 0x40],
    armpll: Pll,
    _reserved1: [u32; 3],
    mainpll: Pll,
    _reserved2: [u32; 3],
    univpll: Pll,
}

/// Registers of one PLL.
#[repr(C)]
struct Pll {
    con0: RW<u32>,
    con1: RW<u32>,
    con2: RW<u32>,
    _reserved: u32,
    pwr: RW<u32>,
}

assert_offsets!(RegisterBlock {
    armpll: 0x100,
    mainpll: 0x120,
    univpll: 0x140,
});

/// PLLx_CON1.
#[bitfield(u32, default = 0)]
struct Con1 {
    /// Multiplier of 26 MHz, 14 fractional bits.
    #[bits(0..=20, rw)]
    multiplier: u21,
    /// Divides the output by 2 to the power of this.
    #[bits(24..=26, rw)]
    post_divider: u3,
    /// Takes the new multiplier over.
    #[bit(31, rw)]
    change: bool,
}

impl Con1 {
    fn khz(self) -> u32 {
        let vco_khz = (u64::from(self.multiplier().value()) * 26_000) >> 14;
        vco_khz as u32 >> self.post_divider().value().min(4)
    }
}

/// 38.5 times 26 MHz.
const MULTIPLIER_1001_MHZ: u21 = u21::new(77 << 13);

/// The PLLs.
pub struct Apmixed {
    regs: &'static RegisterBlock,
}

impl Apmixed {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Sets ARMPLL to 1001 MHz. It takes 100 µs to settle, during which the
    /// CPU must use another source: see [`super::raise_cpu_clock`].
    pub fn set_arm_pll_1001_mhz(&mut self) {
        let con1 = Con1::DEFAULT
            .with_multiplier(MULTIPLIER_1001_MHZ)
            .with_change(true);
        self.regs.armpll.con1.put(con1.raw_value());
    }

    /// ARMPLL's rate as programmed, in kHz.
    pub fn arm_pll_khz(&self) -> u32 {
        Con1::new_with_raw_value(self.regs.armpll.con1.read()).khz()
    }

    /// MAINPLL's rate as programmed, in kHz: tells the DRAM type.
    pub fn main_pll_khz(&self) -> u32 {
        Con1::new_with_raw_value(self.regs.mainpll.con1.read()).khz()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clocks::{CpuSource, Infracfg, raise_cpu_clock};
    use crate::reg::leaked;

    #[test]
    fn rates_are_those_of_the_vendor_values() {
        let regs: &RegisterBlock = leaked();
        let plls = Apmixed::new(regs);
        regs.armpll.con1.put(0x0111_4000);
        assert_eq!(plls.arm_pll_khz(), 897_000);
        regs.mainpll.con1.put(0x800c_c000);
        assert_eq!(plls.main_pll_khz(), 1_326_000);
    }

    #[test]
    fn the_cpu_ends_on_armpll_at_1001_mhz() {
        let regs: &RegisterBlock = leaked();
        let mut plls = Apmixed::new(regs);
        let mut infra = Infracfg::new(leaked());
        raise_cpu_clock(&mut infra, &mut plls);
        assert_eq!(regs.armpll.con1.read(), 0x8009_a000);
        assert_eq!(plls.arm_pll_khz(), 1_001_000);
        assert_eq!(infra.cpu_source(), CpuSource::ArmPll);
    }
}
