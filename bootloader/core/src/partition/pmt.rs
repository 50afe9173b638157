//! The partition management table (PMT) near the end of the user area:
//! two copies of 4096 bytes, 40 entries of 88. Source:
//! facts/storage-and-images.md 4.3.

use super::{Name, Partition, Source, Table, TableError, same_name};
use crate::address::{Linear, SECTOR_BYTES, Translation};
use crate::bytes::Bytes;
use heapless::Vec;

/// Bytes of one copy.
pub const PMT_LEN: usize = 4096;
/// The first copy starts this far before the end of linear space.
pub const PMT_TAIL_BYTES: u64 = 0x10_0000;
/// The mirror starts this far after the first copy.
pub(super) const MIRROR_OFFSET: u64 = 0x1000;

const ENTRY_LEN: usize = 88;
const ENTRIES: usize = 40;
const FIRST_ENTRY: usize = 8;
const NAME_LEN: usize = 64;
const VERSION: u32 = u32::from_le_bytes(*b"1.0\0");
const TAIL: usize = 0xFFC;
/// Reserve at the end of the card that the last partition must not use, in
/// sectors: BMTPOOL of 0xA8 units of 128 KiB.
const DEFAULT_RESERVE: u64 = 0xA8 * 256;

/// Which of the two copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PmtCopy {
    /// `PTv1`.
    Primary,
    /// `MPT1`.
    Mirror,
}

impl PmtCopy {
    const fn signature(self) -> u32 {
        match self {
            Self::Primary => 0x5054_7631,
            Self::Mirror => 0x4D50_5431,
        }
    }

    const fn source(self) -> Source {
        match self {
            Self::Primary => Source::Pmt,
            Self::Mirror => Source::PmtMirror,
        }
    }
}

/// Reads one copy and checks it against the card of `translation`. The MBR's
/// place is taken from the table.
pub fn parse_pmt(
    data: &[u8],
    copy: PmtCopy,
    translation: Translation,
) -> Result<Table, TableError> {
    let bytes = Bytes::new(data);
    let word = |offset| bytes.u32(offset).ok_or(TableError::Read);
    match (word(0)?, word(4)?, word(TAIL)?) {
        (found, _, _) if found != copy.signature() => return Err(TableError::Signature { found }),
        (_, found, _) if found != VERSION => return Err(TableError::Version { found }),
        (_, _, found) if found != copy.signature() => return Err(TableError::Tail { found }),
        _ => {}
    }
    let mut table = Table {
        entries: Vec::new(),
        source: copy.source(),
        translation,
    };
    let mut reserve = DEFAULT_RESERVE;
    for index in 0..ENTRIES as u8 {
        match parse_entry(bytes, index)? {
            Row::Partition(entry) => table
                .entries
                .push(entry)
                .map_err(|_| TableError::Entry { index })?,
            Row::TailReserve { units } => reserve = units * 256,
            Row::Empty => break,
        }
    }
    if table.find("UBOOT").is_none() {
        return Err(TableError::NoUboot);
    }
    settle_last(&mut table, reserve);
    if let Some(mbr) = table.find("MBR").map(|entry| entry.start) {
        table.translation = table.translation.with_mbr(mbr);
    }
    table.check()?;
    Ok(table)
}

enum Row {
    Partition(Partition),
    /// An address of the form 0xFFFFxxxx reserves xxxx units of 128 KiB.
    TailReserve {
        units: u64,
    },
    Empty,
}

fn parse_entry(bytes: Bytes<'_>, index: u8) -> Result<Row, TableError> {
    let damaged = TableError::Entry { index };
    let at = FIRST_ENTRY + usize::from(index) * ENTRY_LEN;
    let name = bytes.text(at, NAME_LEN).ok_or(damaged)?;
    if name.is_empty() {
        return Ok(Row::Empty);
    }
    let size = bytes.u64(at + 64).ok_or(damaged)?;
    let offset = bytes.u64(at + 72).ok_or(damaged)?;
    if offset >> 16 == 0xFFFF {
        return Ok(Row::TailReserve {
            units: offset & 0xFFFF,
        });
    }
    if !size.is_multiple_of(SECTOR_BYTES) {
        return Err(damaged);
    }
    Ok(Row::Partition(Partition {
        name: Name::try_from(name).map_err(|_| damaged)?,
        start: Linear::from_bytes(offset).ok_or(damaged)?,
        sectors: size / SECTOR_BYTES,
    }))
}

/// The last partition (size 0, or USRDATA or FAT) really ends where the
/// reserve at the end of this card begins, whatever the tool wrote.
fn settle_last(table: &mut Table, reserve: u64) {
    let end = table.translation.end().sector().saturating_sub(reserve);
    let Some(last) = table.entries.iter_mut().max_by_key(|entry| entry.start) else {
        return;
    };
    let grows = ["USRDATA", "FAT"]
        .iter()
        .any(|name| same_name(&last.name, name));
    if last.sectors == 0 || grows {
        last.sectors = end.saturating_sub(last.start.sector());
    }
}
