//! INFRACFG_AO: the CPU's clock source and the bus fences around power
//! domains.
//!
//! Source: facts/soc.md 9.4.

use crate::reg::{Update, Write, assert_offsets};
use crate::time::{Micros, Timeout, poll};
use bitbybit::{bitenum, bitfield};
use volatile_register::{RO, RW};

/// Registers of the block, up to SRAMROM at +0x400.
#[repr(C)]
pub struct RegisterBlock {
    top_ckmuxsel: RW<u32>,
    _reserved0: u32,
    top_ckdiv1: RW<u32>,
    _reserved1: [u32; 0x85],
    /// 1 = the bus towards that domain is fenced off.
    protect_en: RW<u32>,
    _reserved2: u32,
    /// As `protect_en`, once the fence stands.
    protect_status: RO<u32>,
}

assert_offsets!(RegisterBlock {
    top_ckdiv1: 0x008,
    protect_en: 0x220,
    protect_status: 0x228,
});

/// What clocks the CPU.
#[bitenum(u2, exhaustive = true)]
#[derive(Debug, PartialEq, Eq)]
pub enum CpuSource {
    /// 26 MHz.
    Crystal = 0,
    /// Normal operation.
    ArmPll = 1,
    /// UNIVPLL.
    UnivPll = 2,
    /// MAINPLL / 2.
    MainPllDiv2 = 3,
}

#[bitfield(u32, default = 0)]
struct ClockMux {
    #[bits(2..=3, rw)]
    cpu: CpuSource,
}

/// A fence follows within a few bus clocks.
const FENCE_TIMEOUT: Micros = Micros(1000);

/// The always-on infrastructure configuration.
pub struct Infracfg {
    regs: &'static RegisterBlock,
}

impl Infracfg {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Chooses what clocks the CPU.
    pub fn set_cpu_source(&mut self, source: CpuSource) {
        // The vendor writes the crystal setting as a whole zero, so no other
        // bit of the register is in use.
        self.regs
            .top_ckmuxsel
            .put(ClockMux::DEFAULT.with_cpu(source).raw_value());
    }

    /// What clocks the CPU.
    pub fn cpu_source(&self) -> CpuSource {
        ClockMux::new_with_raw_value(self.regs.top_ckmuxsel.read()).cpu()
    }

    /// Puts up the fences in `mask` and waits until they stand.
    pub(crate) fn protect(&mut self, mask: u32) -> Result<(), Timeout> {
        self.regs.protect_en.update(|value| value | mask);
        self.await_fences(mask, mask)
    }

    /// Takes the fences in `mask` down.
    pub(crate) fn unprotect(&mut self, mask: u32) -> Result<(), Timeout> {
        self.regs.protect_en.update(|value| value & !mask);
        self.await_fences(mask, 0)
    }

    fn await_fences(&self, mask: u32, wanted: u32) -> Result<(), Timeout> {
        poll(FENCE_TIMEOUT, || {
            self.regs.protect_status.read() & mask == wanted
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::{leaked, poke};

    #[test]
    fn cpu_source_is_in_bits_3_and_2() {
        let regs: &RegisterBlock = leaked();
        let mut infra = Infracfg::new(regs);
        infra.set_cpu_source(CpuSource::ArmPll);
        assert_eq!(regs.top_ckmuxsel.read(), 4);
        assert_eq!(infra.cpu_source(), CpuSource::ArmPll);
    }

    #[test]
    fn a_fence_is_waited_for() {
        let regs: &RegisterBlock = leaked();
        let mut infra = Infracfg::new(regs);
        assert_eq!(infra.protect(1 << 11), Err(Timeout));
        assert_eq!(regs.protect_en.read(), 1 << 11);
        poke(&regs.protect_status, 1 << 11);
        assert_eq!(infra.unprotect(1 << 11), Err(Timeout));
        poke(&regs.protect_status, 0);
        assert_eq!(infra.unprotect(1 << 11), Ok(()));
    }
}
