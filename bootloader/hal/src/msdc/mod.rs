//! MSDC0, the host controller of the eMMC: clock, commands, PIO and descriptor
//! DMA. Everything about the card itself is in [`crate::mmc`].
//!
//! Before the driver is made, its surroundings are its caller's: the gate
//! [`crate::clocks::Gate::Msdc0`] open, the source on input 7 (UNIVPLL / 6,
//! 208 MHz: the only one that gives exactly 52 MHz and does not depend on the
//! DRAM type), the pads connected ([`connect_pads`]), VEMC on.
//!
//! Source: facts/storage-and-images.md 8; facts/soc.md 1.7 and 9.1 to 9.3.

mod clock;
mod descriptors;
mod dma;
mod host;
mod pads;
mod pio;
mod regs;
#[cfg(test)]
mod tests;

pub use host::Msdc;
pub use pads::{PadRegisters, PinTaken, connect_pads};
pub use regs::RegisterBlock;

/// MSDC0's line at the GIC, as an SPI number. It is enabled there to end WFI
/// during a transfer; no handler runs.
pub const SPI: u32 = 26;

/// Rate of source mux input 7, UNIVPLL / 6.
pub const SOURCE_HZ: u32 = 208_000_000;
