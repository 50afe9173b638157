//! The generated matrix: each panel, touch chip and camera that the collected
//! facts know is booted at least once.
//!
//! What the emulated chips answer and need comes from `qemu/matrix`, which is
//! made of the facts by a path of its own, so that a mistake in the import of
//! the bootloader's table shows. It shows no more than that: whether the facts
//! are true only phones and their own firmware can say (`docs/matrix.md`).
//!
//! | variable | what |
//! |---|---|
//! | `UNILK_MATRIX` | `full`: all boots, resumable; otherwise a tenth of them |
//! | `UNILK_MATRIX_ONLY` | only boots whose name has this text; nothing is kept |
//!
//! Source: facts/panels.md, facts/i2c-touch-camera.md.

#![allow(clippy::unwrap_used)]

mod alike;
mod boot;
#[path = "../common/mod.rs"]
mod common;
mod data;
mod glass;
mod judge;
mod known;
mod matrix;
mod mutation;
mod one_file;
mod parts;
mod plan;
mod record;
mod rows;
