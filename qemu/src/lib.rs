//! The MediaTek MT6572 and the chips around it, as a plugin for an unmodified
//! `qemu-system-arm`.
//!
//! One model a block, written from the fact sheets and never from the drivers
//! that run on it: a wrong offset must not be wrong on both sides.

pub mod args;
pub mod board;
pub mod bus;
mod ffi;
pub mod machine;
pub mod models;
pub mod plugin;
pub mod preloader;
pub mod report;
pub mod signals;
