//! The partitions that hold a phone's identity, as far as their formats are
//! known.
//!
//! Source: facts/storage-and-images.md 4.6, 4.7, 4.8.

use super::blank::Filling;
use super::superblock::Superblock;
use super::{Evidence, Item, Show, Verdict};
use crate::bytes::u32_at;
use crate::source::Source;
use std::io;

const NAMES: [&str; 5] = ["NVRAM", "PRO_INFO", "PROTECT_F", "PROTECT_S", "SECCFG"];
/// PRO_INFO is looked through for numbers this far.
const PRO_INFO_BYTES: usize = 1 << 20;
const IMEI_DIGITS: usize = 15;

const SECCFG_ID: &[u8] = b"AND_SECCFG_v";
const SECCFG_MAGIC: u32 = 0x4D4D_4D4D;
const SECCFG_LOCKED: u32 = 0x0100_0000;
const SECCFG_UNLOCKED: u32 = 0x07F2_0000;

pub(super) fn items(evidence: &Evidence<'_>) -> Vec<Item> {
    NAMES
        .into_iter()
        .map(|name| {
            let Some(part) = (evidence.partition)(name) else {
                let text = "the partition is not in what was given";
                return optional(name, Item::new(name, Verdict::NotLookedAt, text));
            };
            let judged = match name {
                "NVRAM" => nvram(&*part),
                "PRO_INFO" => pro_info(&*part, evidence.show),
                "SECCFG" => seccfg(&*part),
                _ => protect(name, &*part),
            };
            let item = judged.unwrap_or_else(|why| {
                Item::new(name, Verdict::Damaged, format!("cannot be read: {why}"))
            });
            optional(name, item)
        })
        .collect()
}

/// Many phones leave PRO_INFO and SECCFG as they were made: empty.
fn optional(name: &str, item: Item) -> Item {
    match name {
        "PRO_INFO" | "SECCFG" => item.optional(),
        _ => item,
    }
}

fn nvram(part: &dyn Source) -> io::Result<Item> {
    let filling = Filling::of(part)?;
    let text = format!(
        "{} of {} sectors hold something",
        filling.live_sectors, filling.sectors
    );
    Ok(if filling.is_blank() {
        let text = if filling.live_sectors == 0 {
            text
        } else {
            format!("its first 64 KiB are erased, although {text}")
        };
        Item::new(NAMES[0], Verdict::Blank, text)
    } else {
        Item::new(NAMES[0], Verdict::Present, text)
    })
}

fn pro_info(part: &dyn Source, show: Show) -> io::Result<Item> {
    let filling = Filling::of(part)?;
    if filling.live_sectors == 0 {
        return Ok(Item::new(NAMES[1], Verdict::Blank, "holds nothing"));
    }
    let found = imeis(&part.read_some(0, PRO_INFO_BYTES)?);
    let mut text = format!(
        "{} of {} sectors hold something",
        filling.live_sectors, filling.sectors
    );
    if !found.is_empty() {
        let shown: Vec<String> = found.iter().map(|imei| masked(imei, show)).collect();
        text = format!(
            "{text}; numbers in it that can be IMEIs: {}",
            shown.join(", ")
        );
    }
    Ok(Item::new(NAMES[1], Verdict::Present, text))
}

/// Whether a PRO_INFO has a number in it that can be an IMEI: then no other
/// phone has the same.
///
/// # Errors
/// What the source says.
pub fn has_imei(part: &dyn Source) -> io::Result<bool> {
    Ok(!imeis(&part.read_some(0, PRO_INFO_BYTES)?).is_empty())
}

/// Numbers of 15 digits, standing alone, whose last digit is the check digit
/// of the others. Each once, at most eight.
fn imeis(bytes: &[u8]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for run in bytes.split(|byte| !byte.is_ascii_digit()) {
        if run.len() == IMEI_DIGITS && run[0] != b'0' && luhn(run) {
            let text: String = run.iter().copied().map(char::from).collect();
            if !found.contains(&text) && found.len() < 8 {
                found.push(text);
            }
        }
    }
    found
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let digit = u32::from(digit - b'0');
            match (index % 2, digit * 2) {
                (0, _) => digit,
                (_, twice) => twice / 10 + twice % 10,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// A number whose middle is hidden.
fn masked(number: &str, show: Show) -> String {
    match show {
        Show::Full => number.to_owned(),
        Show::Masked => number
            .chars()
            .enumerate()
            .map(|(index, c)| if (4..12).contains(&index) { '*' } else { c })
            .collect(),
    }
}

fn protect(name: &'static str, part: &dyn Source) -> io::Result<Item> {
    let Some(superblock) = Superblock::of(part)? else {
        let filling = Filling::of(part)?;
        return Ok(if filling.live_sectors == 0 {
            Item::new(name, Verdict::Blank, "holds nothing")
        } else {
            Item::new(name, Verdict::Damaged, "holds no ext4 file system any more")
        });
    };
    Ok(if superblock.bytes > part.len() {
        let text = format!(
            "its file system has {} bytes, here are {}",
            superblock.bytes,
            part.len()
        );
        Item::new(name, Verdict::Damaged, text)
    } else if superblock.errors {
        let text = "the kernel met errors in its file system";
        Item::new(name, Verdict::Damaged, text)
    } else if superblock.clean {
        Item::new(name, Verdict::Present, "ext4, clean")
    } else {
        let text = "ext4, not unmounted: as on a phone that was switched off hard";
        Item::new(name, Verdict::Present, text)
    })
}

fn seccfg(part: &dyn Source) -> io::Result<Item> {
    let name = NAMES[4];
    let head = part.read_some(0, 64)?;
    if Filling::of(part)?.live_sectors == 0 {
        let text = "holds nothing: the lock was never set up";
        return Ok(Item::new(name, Verdict::Blank, text));
    }
    let known = head.starts_with(SECCFG_ID) && u32_at(&head, 0x10) == Some(SECCFG_MAGIC);
    if !known {
        let text = "holds something that is no lock state as known (version 1 to 3)";
        return Ok(Item::new(name, Verdict::Present, text));
    }
    let text = match u32_at(&head, 0x20) {
        Some(SECCFG_LOCKED) => "locked",
        Some(SECCFG_UNLOCKED) => "unlocked",
        _ => "lock state not told by this version",
    };
    Ok(Item::new(name, Verdict::Present, text))
}
