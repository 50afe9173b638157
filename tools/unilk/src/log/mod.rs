//! The log that a phone's DRAM keeps over a reset: found in a file of any kind
//! and size, and decoded.
//!
//! The format and its checks are the bootloader's (`unilk_core::logmem`); here
//! the slots of a dump become boots, newest first, and their records lines:
//! plain text, and the frames of the trace, whose strings are in the ELF file
//! of the very build.

mod boot;
mod frame;
mod line;
mod scan;
mod trace;

pub use boot::{Boot, Reading};
pub use line::Line;
pub use scan::{Record, Scan, Slot, scan};
pub use trace::{ElfError, Fit, Strings};
