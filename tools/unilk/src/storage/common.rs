//! Opens a dump without table or scatter file by what all MT6572 phones have
//! in common: the bootloader's own rules for such a phone.
//!
//! Source: facts/storage-and-images.md 3.4, 4.4.

use super::base;
use super::device::Sectors;
use super::image::{Frame, Opened, finish, stretch};
use super::{Area, Error, Evidence, Part, Shape, Storage};
use crate::finding::Finding;
use crate::source::{Source, Window};
use unilk_core::address::{AreaSizes, SECTOR_BYTES};
use unilk_core::partition::{self, discover};

/// The partitions of a dump of which nothing else is known.
pub fn open(opened: &Opened<'_>, mut findings: Vec<Finding>) -> Result<Storage, Error> {
    let card = opened.options.card;
    let areas = AreaSizes {
        user_sectors: opened.dump.len() / SECTOR_BYTES,
        ..AreaSizes::default()
    };
    // With no hardware partitions in the sum, addresses are offsets in the
    // dump.
    let found = discover(&mut Sectors(&*opened.dump), areas).map_err(|_| Error::NoTable)?;
    let evidence = match found.table.source() {
        partition::Source::BuiltIn => Evidence::Mbr,
        partition::Source::BuiltInFromUboot => Evidence::UbootHeader,
        _ => return Err(Error::NoTable),
    };
    let mbr = found.table.translation().mbr().bytes();
    let head = opened.dump.read_some(0, 0x205)?;
    let shape = if base::begins_with_boot_area(&head) {
        Shape::Linear
    } else {
        Shape::User
    };
    let linear_dump = shape == Shape::Linear;
    let hardware = match (linear_dump, card) {
        (_, Some(card)) => card.hardware_bytes(),
        (true, None) => mbr,
        (false, None) => 0,
    };
    let skipped = if linear_dump { hardware } else { 0 };
    findings.push(Finding::warning(
        "STORAGE-COMMON",
        format!(
            "no PMT and no scatter file: the places are those that all known phones share, \
             from the MBR at {:#x} of the user area on; give the scatter file for the rest",
            mbr.saturating_sub(skipped)
        ),
    ));
    let frame = Frame {
        shape,
        hardware,
        user: Window::new(opened.dump.clone(), skipped, u64::MAX),
        user_bytes: card.map(|card| card.user_bytes),
    };
    let mut listed = Vec::new();
    if let Some(bytes) = opened.boot_area(&frame) {
        let part = Part {
            name: "PRELOADER".to_owned(),
            area: Area::Boot1,
            start: 0,
            len: bytes.len(),
            linear: Some(0),
            fixed: true,
        };
        listed.push((part, Some(bytes)));
    }
    let knows_linear = linear_dump || card.is_some();
    for entry in found.table.entries() {
        let Some(start) = entry.start.bytes().checked_sub(skipped) else {
            continue;
        };
        let part = Part {
            name: entry.name.to_ascii_uppercase(),
            area: Area::User,
            start,
            len: entry.sectors.saturating_mul(SECTOR_BYTES),
            linear: knows_linear.then(|| start.saturating_add(hardware)),
            fixed: true,
        };
        let bytes = stretch(&frame.user, part.start, part.len);
        listed.push((part, bytes));
    }
    let mut storage = finish(frame, listed, evidence, None, findings);
    storage.hardware_bytes = card.map(|card| card.hardware_bytes());
    Ok(storage)
}
