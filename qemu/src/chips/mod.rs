//! Chips on the I2C buses: touch controllers, camera sensors, motion sensors.
//! There is no model a chip; a board file says what each answers, when, and
//! what is wrong with it ([`config`]).
//!
//! [`wires::Wires`] is one bus with its chips; the controller's model owns it.
//! Source: facts/i2c-touch-camera.md 2 to 4.

mod chip;
pub mod config;
mod dialogue;
mod memory;
mod needs;
#[cfg(test)]
mod tests;
pub mod wires;

pub use chip::{Chip, Written};
pub use wires::Wires;
