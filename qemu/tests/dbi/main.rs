//! Phones with a panel on a bus of the LCD controller, or on DPI: what is
//! asked, what is seen, and what is said when something is wrong.
//!
//! The boards of `boards/dbi` are written from the fact sheets and not from
//! the bootloader's table. Source: facts/display.md 8, facts/panels.md.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod panels;
mod phone;
