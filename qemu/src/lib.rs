//! The MediaTek MT6572 and the chips around it, as a plugin for an unmodified
//! `qemu-system-arm`.
//!
//! One model a block, written from the fact sheets and never from the drivers
//! that run on it: a wrong offset must not be wrong on both sides.

pub mod args;
pub mod board;
pub mod bus;
pub mod chips;
pub mod display;
mod ffi;
pub mod glass;
pub mod machine;
pub mod models;
pub mod panel;
pub mod pins;
pub mod plugin;
pub mod preloader;
pub mod report;
pub mod signals;
pub mod stock_loader;

pub use ffi::sparse;
