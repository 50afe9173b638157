//! The layout that MT6572 phones share, for a phone without a PMT (legal on
//! factory-fresh ones).
//!
//! Up to BOOTIMG it is the same on every device seen, in logical space; behind
//! it sizes vary, so those entries are used only when the MBR puts the first
//! file system where this layout ends. Source: facts/storage-and-images.md
//! 3.3, 3.4, 4.4.

use super::{Name, Partition, Source, Table};
use crate::address::{Logical, Translation};
use heapless::Vec;

/// A partition of the built-in layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayoutEntry {
    /// Scatter-file name.
    pub name: &'static str,
    /// Logical byte offset.
    pub logical: u32,
    /// Bytes.
    pub bytes: u32,
}

const fn entry(name: &'static str, logical: u32, bytes: u32) -> LayoutEntry {
    LayoutEntry {
        name,
        logical,
        bytes,
    }
}

/// The raw partitions of the Lenovo A516, in order.
pub const A516: [LayoutEntry; 14] = [
    entry("MBR", 0x0, 0x8_0000),
    entry("EBR1", 0x8_0000, 0x8_0000),
    entry("PRO_INFO", 0x10_0000, 0x30_0000),
    entry("NVRAM", 0x40_0000, 0x50_0000),
    entry("PROTECT_F", 0x90_0000, 0xA0_0000),
    entry("PROTECT_S", 0x130_0000, 0xA0_0000),
    entry("SECCFG", 0x1D0_0000, 0x2_0000),
    entry("UBOOT", 0x1D2_0000, 0x6_0000),
    entry("BOOTIMG", 0x1D8_0000, 0x60_0000),
    entry("RECOVERY", 0x238_0000, 0x60_0000),
    entry("SEC_RO", 0x298_0000, 0x4_0000),
    entry("MISC", 0x29C_0000, 0x8_0000),
    entry("LOGO", 0x2A4_0000, 0x30_0000),
    entry("EXPDB", 0x2D4_0000, 0xA0_0000),
];

/// Logical start of the UBOOT partition.
pub(super) const UBOOT_LOGICAL: u32 = 0x1D2_0000;
/// Where the layout ends and the first file system begins.
const RAW_END: u64 = 0x374_0000;
/// The largest BOOTIMG seen; assumed where its true size is unknown, so that
/// an image that is longer than the usual 6 MiB is still read.
const LARGEST_BOOTIMG: u32 = 0x120_0000;

/// The table of a card whose MBR is where `translation` says. `raw_end` is
/// the start of the first file system, from the MBR.
pub(super) fn table(translation: Translation, source: Source, raw_end: Option<Logical>) -> Table {
    let whole = raw_end.is_some_and(|end| end.bytes() == RAW_END);
    let mut entries = Vec::new();
    for row in &A516 {
        let uncertain = row.logical >= UBOOT_LOGICAL && row.name != "UBOOT";
        let bytes = match (whole, uncertain) {
            (true, _) | (_, false) => row.bytes,
            (false, true) if row.name == "BOOTIMG" => LARGEST_BOOTIMG,
            (false, true) => continue,
        };
        let start =
            Logical::from_bytes(u64::from(row.logical)).map(|at| translation.linear_of_logical(at));
        let (Some(start), Ok(name)) = (start, Name::try_from(row.name)) else {
            continue;
        };
        let end = translation.end().sector();
        let sectors = u64::from(bytes / 512).min(end.saturating_sub(start.sector()));
        // The vector holds more than the layout has rows.
        let _ = entries.push(Partition {
            name,
            start,
            sectors,
        });
    }
    Table {
        entries,
        source,
        translation,
    }
}
