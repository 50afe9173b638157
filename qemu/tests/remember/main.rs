//! What a phone remembers: boots that follow each other on one card, with the
//! power cut in between, with slots that hold something else, with a kernel
//! that names panels, with a person at the keys.
//!
//! After every boot the whole card, both boot areas included, is compared
//! with what it was before: only the two slots at the end of MISC may differ.
//! `cargo xtask test` builds what these tests run (see `common`).
//!
//! Source: facts/storage-and-images.md 7.5; DESIGN.md "Identification".

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod kernel_names;
mod packers;
mod person;
mod phone;
mod power_cut;
mod stored;
