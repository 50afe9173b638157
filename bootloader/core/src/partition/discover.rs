//! Finds the partition table of a card: PMT, mirror, then the built-in layout
//! at the place where the MBR is. Source: facts/storage-and-images.md 4.1,
//! 4.3, 4.4.

use super::builtin::{self, UBOOT_LOGICAL};
use super::pmt::{MIRROR_OFFSET, PMT_LEN, PMT_TAIL_BYTES};
use super::{Mbr, PmtCopy, Source, Table, TableError, parse_pmt};
use crate::address::{AreaSizes, Linear, Logical, Physical, SECTOR_BYTES, Translation};
use crate::block::BlockDevice;
use crate::header::Header;

/// A table, and why the better sources were not used (for the log).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The table to use.
    pub table: Table,
    /// What was wrong with the first copy of the PMT.
    pub primary: Option<TableError>,
    /// What was wrong with its mirror, if it was needed.
    pub mirror: Option<TableError>,
}

/// Finds the table. Fails only if the card cannot be read at all.
pub fn discover<D: BlockDevice>(device: &mut D, areas: AreaSizes) -> Result<Found, TableError> {
    let translation = Translation::new(areas);
    let primary = match read_pmt(device, translation, PmtCopy::Primary) {
        Ok(table) => {
            return Ok(Found {
                table,
                primary: None,
                mirror: None,
            });
        }
        Err(error) => Some(error),
    };
    let mirror = match read_pmt(device, translation, PmtCopy::Mirror) {
        Ok(table) => {
            return Ok(Found {
                table,
                primary,
                mirror: None,
            });
        }
        Err(error) => Some(error),
    };
    let table = probe(device, translation)?;
    Ok(Found {
        table,
        primary,
        mirror,
    })
}

fn read_pmt<D: BlockDevice>(
    device: &mut D,
    translation: Translation,
    copy: PmtCopy,
) -> Result<Table, TableError> {
    let mirror = if copy == PmtCopy::Mirror {
        MIRROR_OFFSET
    } else {
        0
    };
    let at = translation
        .end()
        .bytes()
        .checked_sub(PMT_TAIL_BYTES)
        .ok_or(TableError::Read)?
        + mirror;
    let at = Linear::from_bytes(at).ok_or(TableError::Read)?;
    let at = translation.physical(at).map_err(|_| TableError::Read)?;
    let mut buffer = [0; PMT_LEN];
    device.read(at, &mut buffer).map_err(|_| TableError::Read)?;
    parse_pmt(&buffer, copy, translation)
}

/// Linear places of the MBR on phones seen.
const MBR_PLACES: [u64; 4] = [0x60_0000, 0xC0_0000, 0x100_0000, 0x140_0000];
/// How far the search for the header of UBOOT goes, and its step: every
/// partition seen starts on a multiple of 128 KiB.
const SEARCH_BYTES: u64 = 64 << 20;
const SEARCH_STEP: u64 = 128 << 10;
/// Reads that may fail before the search ends: each takes up to two seconds,
/// and there are 512 of them.
const SEARCH_FAILURES: u32 = 4;

fn probe<D: BlockDevice>(device: &mut D, start: Translation) -> Result<Table, TableError> {
    let places =
        core::iter::once(start.mbr()).chain(MBR_PLACES.into_iter().filter_map(Linear::from_bytes));
    let mut readable = false;
    for place in places {
        let Ok(block) = start.physical(place) else {
            continue;
        };
        let mut sector = [0; SECTOR_BYTES as usize];
        if device.read(block, &mut sector).is_err() {
            continue;
        }
        readable = true;
        match Mbr::parse(&sector, Logical::from_sector(0)) {
            Ok(mbr) if mbr.is_mediatek() => {
                return Ok(builtin::table(
                    start.with_mbr(place),
                    Source::BuiltIn,
                    mbr.raw_end(),
                ));
            }
            _ => {}
        }
    }
    if !readable {
        return Err(TableError::Read);
    }
    Ok(match search_uboot(device, start) {
        Some(mbr) => builtin::table(start.with_mbr(mbr), Source::BuiltInFromUboot, None),
        None => builtin::table(start, Source::Assumed, None),
    })
}

/// We were loaded from a UBOOT partition, so its header lies somewhere in the
/// first part of the card, and the MBR a known distance before it.
fn search_uboot<D: BlockDevice>(device: &mut D, translation: Translation) -> Option<Linear> {
    let end = SEARCH_BYTES.min(
        translation
            .areas()
            .user_sectors
            .saturating_mul(SECTOR_BYTES),
    );
    let mut at = 0;
    let mut failures = 0;
    while at < end && failures < SEARCH_FAILURES {
        let block = Physical::from_bytes(at)?;
        let mut sector = [0; SECTOR_BYTES as usize];
        if device.read(block, &mut sector).is_err() {
            failures += 1;
        } else if is_loader(&sector) {
            let uboot = translation.linear(block).bytes();
            if let Some(mbr) = uboot.checked_sub(u64::from(UBOOT_LOGICAL)) {
                return Linear::from_bytes(mbr);
            }
        }
        at += SEARCH_STEP;
    }
    None
}

fn is_loader(sector: &[u8]) -> bool {
    const NAMES: [&str; 5] = ["LK", "lk", "UBOOT", "U-Boot", "unilk"];
    Header::parse(sector).is_ok_and(|header| NAMES.contains(&header.name()))
}
