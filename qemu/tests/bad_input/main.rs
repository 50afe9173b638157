//! Bad input, each a boot in a real QEMU: whatever is wrong with an image, a
//! card or the boot argument, the phone says so in one clear line with a
//! stable code, takes the next best way, does nothing that the hardware
//! forbids, and ends in bounded time.
//!
//! The ways, best first: BOOTIMG, RECOVERY, a stop with the reason and an
//! offer (USB download through the boot ROM), power-off.
//! Source: facts/soc.md 1.3, 3.3, 6; facts/storage-and-images.md 1.3, 4, 5, 8.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod boot_argument;
mod boot_image;
mod card;
mod device_tree;
mod hardware;
mod loader_header;
mod memory;
mod partition_table;
mod way_out;
