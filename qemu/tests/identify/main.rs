//! Many phones, one `lk.bin`: each board of `boards/identify` is booted, and
//! what the bootloader made of its parts is compared with
//! `boards/identify/expect.toml`.
//!
//! The boards are written from the fact sheets and not from the bootloader's
//! table. Before they are asked of the bootloader, `panels` and `chips` drive
//! them at the level of the models, as the fact sheets say that a driver asks.
//!
//! `UNILK_BOARD=text` boots only the boards whose name has this text.
//! `cargo xtask test` builds what these tests run (see `common`).
//!
//! Source: facts/display.md 5.5, facts/i2c-touch-camera.md 3, 4.

#![allow(clippy::unwrap_used)]

mod bench;
mod chips;
#[path = "../common/mod.rs"]
mod common;
mod expect;
mod logo;
mod matrix;
mod panels;
mod rounds;
