//! Learns the panels of a phone from its own stock LK.
//!
//! The phone's own bootloader knows all panels that its factory used, and
//! nobody else may know them. [`learn::learn`] finds the LCM drivers in it
//! ([`drivers`], by shape, not by name), runs their functions unmodified in an
//! emulated CPU (`machine`: `qemu-system-arm`, a process of its own, driven
//! over GDB's protocol), answers the service functions that the vendor's LK
//! would give them, writes down what they do ([`record`]), and solves which
//! answers make `compare_id` accept ([`identify`]). [`row`] says it in the form
//! of the built-in table.
//!
//! Images may be damaged or made to attack: every driver has ten seconds, an
//! image has a hundred, the emulated CPU has no devices and 128 MiB of memory,
//! and all that is read from it is bounded. Nothing here writes files.
#![forbid(unsafe_code)]

mod accesses;
pub mod drivers;
pub mod event;
mod gdb;
pub mod identify;
pub mod image;
pub mod known;
pub mod layout;
pub mod learn;
mod machine;
mod operands;
mod packets;
pub mod params;
mod peripherals;
pub mod record;
pub mod row;
pub mod script;
