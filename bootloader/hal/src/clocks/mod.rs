//! The clock tree in three blocks: muxes and gates ([`topckgen`]), the CPU's
//! source ([`infracfg`]) and the PLLs ([`apmixed`]).
//!
//! The preloader has set up every PLL. What is left for a bootloader is to
//! open the gates of what it uses, to choose the eMMC's source, and to raise
//! the CPU to its nominal clock.
//!
//! Source: facts/soc.md 9.1 to 9.5 and 9.7.

pub mod apmixed;
pub mod infracfg;
pub mod topckgen;

pub use apmixed::Apmixed;
pub use infracfg::{CpuSource, Infracfg};
pub use topckgen::{Gate, MsdcSource, Topckgen};

use crate::time::{Micros, delay};

/// The CPU clock that every MT6572 is good for.
pub const CPU_CLOCK_HZ: u32 = 1_001_000_000;

/// Raises the CPU from the preloader's 897 MHz to 1001 MHz. While the PLL
/// settles the CPU runs from the crystal.
///
/// The L2 must be cache by now ([`crate::mcusys::Mcusys::l2_to_cache`]): as
/// SRAM it is not stable at this clock.
pub fn raise_cpu_clock(infracfg: &mut Infracfg, apmixed: &mut Apmixed) {
    infracfg.set_cpu_source(CpuSource::Crystal);
    apmixed.set_arm_pll_1001_mhz();
    delay(Micros(100));
    infracfg.set_cpu_source(CpuSource::ArmPll);
}
