//! All that unilk decides rather than drives.
//!
//! Formats (MediaTek header, boot image, zImage, PMT, MBR, device tree,
//! ATAGs), the choice of boot mode and kernel, the plan of memory and the log
//! that survives a reset. The crate has no access to hardware, no heap and no
//! `unsafe`: bytes and small traits come in, values and errors go out, so that
//! every line runs in host tests and under a fuzzer.
//!
//! Errors are small enums. Each has a stable short code ([`error::Code`]) for
//! screen, log and support requests, and a text that names the thing and what
//! to do about it.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

#[macro_use]
pub mod error;

pub mod address;
pub mod atags;
pub mod bcb;
pub mod block;
pub mod bootarg;
pub mod bootimg;
pub mod bootmode;
pub mod bytes;
pub mod cmdline;
pub mod crc32;
pub mod env;
pub mod fdt;
pub mod fixup;
pub mod header;
pub mod hints;
pub mod identify;
pub mod inflate;
pub mod kernel;
pub mod logmem;
pub mod memory;
pub mod names;
pub mod order;
pub mod packed;
pub mod partition;
pub mod screen;
pub mod started;
pub mod watchdog;
pub mod zimage;

#[cfg(test)]
mod fuzz;

pub use error::Code;
