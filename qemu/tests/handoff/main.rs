//! The good paths of a boot, in a real QEMU, on the whole phone: preloader,
//! our `lk.bin` from the card, a kernel that prints what it was handed.
//!
//! The kernel is our own test kernel, which complains by itself (`TK FAIL`)
//! about everything that no kernel may meet; what a particular phone or image
//! must get is asserted here. Stock kernels of Debian follow at the end.
//! `cargo xtask test` builds what these tests run (see `common`).
//!
//! Source of the contract: facts/soc.md 12.2, facts/storage-and-images.md 5, 6.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod debian;
mod images;
mod kept_log;
mod look;
mod memory;
mod modes;
mod phones;
mod placement;
mod stock_loader;
mod vendor;
mod watchdog;
