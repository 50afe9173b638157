//! Learns the panels of a phone from its own stock LK.
#![forbid(unsafe_code)]

pub mod drivers;
pub mod event;
pub mod gdb;
pub mod identify;
pub mod image;
pub mod known;
pub mod layout;
pub mod learn;
pub mod machine;
pub mod operands;
pub mod packets;
pub mod params;
pub mod peripherals;
pub mod record;
pub mod row;
pub mod script;
