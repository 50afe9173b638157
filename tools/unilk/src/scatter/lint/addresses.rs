//! Addresses and sizes: order, overlaps, and what all MT6572 layouts have in
//! common.
//!
//! Source: facts/storage-and-images.md 3.1, 3.3, 3.4, 4.1.

use super::{Told, at, named};
use crate::finding::Finding;
use crate::layout::Place;
use crate::scatter::{Entry, Grammar, Scatter};

const SECTOR: u64 = 512;
/// Boot areas and RPMB are multiples of this.
const HARDWARE_UNIT: u64 = 128 << 10;
const UBOOT_BYTES: u64 = 0x6_0000;
const UBOOT_LOGICAL: u64 = 0x1D2_0000;
/// Where an extra PMT partition of 4 MiB shifts everything.
const UBOOT_LOGICAL_WITH_PMT: u64 = 0x212_0000;

/// An entry with a place of its own on the card.
struct Placed<'a> {
    entry: &'a Entry,
    start: u64,
    /// 0 is the rest; unknown in the old grammar.
    size: Option<u64>,
}

pub fn check(scatter: &Scatter) -> Vec<Told> {
    let placed: Vec<Placed<'_>> = named(scatter)
        .filter_map(|entry| match entry.place() {
            Ok(Place::Linear(start)) => Some(Placed {
                entry,
                start,
                size: entry.number("partition_size").ok(),
            }),
            _ => None,
        })
        .collect();
    let mut told = Vec::new();
    for (index, this) in placed.iter().enumerate() {
        alignment(this, &mut told);
        if let Some(next) = placed.get(index + 1) {
            neighbours(this, next, &mut told);
        }
    }
    tails(scatter, &mut told);
    mbr(scatter, &placed, &mut told);
    uboot(scatter, &placed, &mut told);
    told
}

fn alignment(this: &Placed<'_>, told: &mut Vec<Told>) {
    let odd = |value: u64| !value.is_multiple_of(SECTOR);
    let end = this.start.checked_add(this.size.unwrap_or(0));
    if odd(this.start) || this.size.is_some_and(odd) || end.is_none() {
        let text = format!(
            "{}: {:#x} bytes at {:#x} are no whole sectors of a card: correct the number",
            at(this.entry, "linear_start_addr"),
            this.size.unwrap_or(0),
            this.start
        );
        let finding = Finding::problem("SCATTER-ALIGN", text);
        told.push(Told::of(this.entry, finding));
    }
}

fn neighbours(this: &Placed<'_>, next: &Placed<'_>, told: &mut Vec<Told>) {
    let both = || vec![this.entry.name.clone(), next.entry.name.clone()];
    let mut say = |finding| {
        told.push(Told {
            about: both(),
            finding,
        });
    };
    let (name, follower) = (
        at(this.entry, "linear_start_addr"),
        at(next.entry, "linear_start_addr"),
    );
    if next.start < this.start {
        let text = format!(
            "{follower} at {:#x} lies before {name} at {:#x}, which it follows in the file: \
             addresses must rise, one of them is wrong",
            next.start, this.start
        );
        say(Finding::problem("SCATTER-ORDER", text));
        return;
    }
    let Some(size) = this.size else {
        return;
    };
    if size == 0 {
        let text = format!(
            "{name}: size 0 means the rest of the card, but {follower} comes after it: give its size"
        );
        say(Finding::problem("SCATTER-REST", text));
        return;
    }
    let end = this.start.saturating_add(size);
    if end > next.start {
        let text = format!(
            "{name} ends at {end:#x}, inside {follower}, which begins at {:#x}: writing the one \
             destroys the other; correct address or size",
            next.start
        );
        say(Finding::problem("SCATTER-OVERLAP", text));
    } else if end < next.start {
        let text = format!(
            "{name} ends at {end:#x}, {:#x} bytes before {follower} begins: its size does not \
             match the next address",
            next.start - end
        );
        say(Finding::warning("SCATTER-GAP", text));
    }
}

/// Reserves at the end of the card.
fn tails(scatter: &Scatter, told: &mut Vec<Told>) {
    let unit = scatter.block_bytes().unwrap_or(HARDWARE_UNIT);
    let mut tail_seen: Option<&Entry> = None;
    for entry in named(scatter) {
        match (entry.place(), tail_seen) {
            (Ok(Place::Tail { blocks }), _) => {
                tail_seen = Some(entry);
                let reserve = u64::from(blocks) * unit;
                if let Ok(size) = entry.number("partition_size")
                    && size != reserve
                    && blocks != 0
                {
                    let text = format!(
                        "{}: {blocks:#x} blocks at the end of the card are {reserve:#x} bytes, but \
                         its size is {size:#x}",
                        at(entry, "partition_size")
                    );
                    let finding = Finding::warning("SCATTER-TAIL", text);
                    told.push(Told::of(entry, finding));
                }
            }
            (Ok(Place::Linear(_)), Some(tail)) => {
                let text = format!(
                    "{} comes after {}, which is a reserve at the end of the card: reserves come \
                     last",
                    at(entry, "linear_start_addr"),
                    tail.name
                );
                let finding = Finding::warning("SCATTER-TAIL", text);
                told.push(Told::of(entry, finding));
            }
            _ => {}
        }
    }
    if tail_seen.is_none() {
        let text = "no reserve at the end of the card (BMTPOOL 0xFFFF00A8): loaders keep 21 MiB \
                    free there all the same";
        told.push(Told::all(Finding::note("SCATTER-TAIL", text)));
    }
}

/// Logical addresses begin at the MBR.
fn mbr(scatter: &Scatter, placed: &[Placed<'_>], told: &mut Vec<Told>) {
    let find = |name| placed.iter().find(|placed| placed.entry.name == name);
    let Some(mbr) = find("MBR") else {
        let text = "no MBR: without it no address can be translated to the phone's; this is a \
                    part of a scatter file, or one for another kind of phone";
        told.push(Told::all(Finding::problem("SCATTER-MBR", text)));
        return;
    };
    let mut say = |finding| told.push(Told::all(finding));
    let name = at(mbr.entry, "linear_start_addr");
    if !mbr.start.is_multiple_of(HARDWARE_UNIT) || mbr.start == 0 {
        let text = format!(
            "{name} at {:#x}: boot areas and RPMB come first, and are multiples of 128 KiB; \
             the addresses are not linear ones",
            mbr.start
        );
        say(Finding::problem("SCATTER-MBR", text));
    }
    let first = placed
        .iter()
        .filter(|placed| placed.entry.in_user_area())
        .min_by_key(|placed| placed.start);
    if let Some(first) = first
        && first.start < mbr.start
    {
        let text = format!(
            "{} at {:#x} lies before {name} at {:#x}, in the card's boot areas: correct the address",
            at(first.entry, "linear_start_addr"),
            first.start,
            mbr.start
        );
        say(Finding::problem("SCATTER-MBR", text));
    }
    let preloader = scatter.find("PRELOADER");
    if scatter.grammar == Grammar::Keyed
        && let Some(size) = preloader.and_then(|entry| entry.number("partition_size").ok())
        && size != mbr.start
    {
        let text = format!(
            "{name} at {:#x} is not where PRELOADER ends ({size:#x}): generators give PRELOADER \
             all that lies before the MBR",
            mbr.start
        );
        say(Finding::warning("SCATTER-MBR", text));
    }
}

/// UBOOT is at the same distance from the MBR on all known phones.
fn uboot(scatter: &Scatter, placed: &[Placed<'_>], told: &mut Vec<Told>) {
    let find = |name| placed.iter().find(|placed| placed.entry.name == name);
    let Some(uboot) = find("UBOOT") else {
        let text = "no UBOOT: a phone of this layout has no place for its bootloader; this is a \
                    part of a scatter file, or one for another kind of phone";
        told.push(Told::all(Finding::problem("SCATTER-UBOOT", text)));
        return;
    };
    let name = at(uboot.entry, "linear_start_addr");
    let size = uboot.size.or_else(|| {
        let next = placed.iter().map(|placed| placed.start);
        let next = next.filter(|&start| start > uboot.start).min()?;
        Some(next - uboot.start)
    });
    if let Some(size) = size.filter(|&size| size != UBOOT_BYTES) {
        let text = format!(
            "{name} has {size:#x} bytes, on all known eMMC phones it has {UBOOT_BYTES:#x}: layout \
             of another kind of phone?"
        );
        let finding = Finding::problem("SCATTER-UBOOT", text);
        told.push(Told::of(uboot.entry, finding));
    }
    let Some(logical) = find("MBR").and_then(|mbr| uboot.start.checked_sub(mbr.start)) else {
        return;
    };
    let expected = if scatter.find("PMT").is_some() {
        UBOOT_LOGICAL_WITH_PMT
    } else {
        UBOOT_LOGICAL
    };
    if logical != expected {
        let text = format!(
            "{name} begins {logical:#x} behind the MBR, on all known phones with these partitions \
             it is {expected:#x}: layout of another phone? Compare it with this phone's own dump \
             (lint --against)"
        );
        let finding = Finding::problem("SCATTER-UBOOT", text);
        told.push(Told::of(uboot.entry, finding));
    }
}
