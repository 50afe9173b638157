//! Drivers for the blocks of the MediaTek MT6572, and for the PMIC and eMMC
//! that it cannot boot without. The only crate of unilk that touches
//! registers.
//!
//! - `Peripherals::take` is the only place where addresses become register
//!   blocks; it hands each driver its own, once.
//! - A driver knows its block and nothing else; what must happen across
//!   blocks (open the clock gate, then use the client) is its caller's order.
//! - Every wait has a limit ([`time`]), every error a stable short code.
//!
//! On a host the same drivers run against blocks of plain memory in tests.
//!
//! Source: facts/soc.md, facts/storage-and-images.md and facts/display.md; each
//! file names its sections.
#![cfg_attr(not(test), no_std)]

pub mod auxadc;
pub mod base;
pub mod cache;
pub mod camera;
pub mod chip;
pub mod clocks;
pub mod display;
pub mod dma;
pub mod dsi;
pub mod eint;
pub mod gic;
pub mod gpio;
pub mod gpt;
pub mod i2c;
pub mod keypad;
pub mod mcusys;
pub mod mipitx;
pub mod mmc;
pub mod mmsys;
pub mod msdc;
pub mod mt6323;
#[cfg(target_arch = "arm")]
mod peripherals;
pub mod pwm;
pub mod pwrap;
mod reg;
pub mod spm;
pub mod sramrom;
pub mod time;
pub mod toprgu;
pub mod uart;

#[cfg(target_arch = "arm")]
pub use peripherals::Peripherals;
