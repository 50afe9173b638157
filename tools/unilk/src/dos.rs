//! Writes the MBR and EBR sectors of an MT6572 phone.
//!
//! They are DOS tables with a twist: only partitions with file systems are
//! listed, an EBR holds up to four of them, all addresses are logical, and the
//! last partition claims everything up to the 32-bit limit. Loaders never read
//! them; kernels do.
//!
//! Source: facts/storage-and-images.md 4.2.

use crate::bytes::put_u32;
use crate::layout::{Layout, Place};
use std::fmt;

/// A sector: the size of each table.
pub const SECTOR_BYTES: usize = 512;

const TABLE_OFFSET: usize = 446;
const ENTRY_BYTES: usize = 16;
const SLOTS: usize = 4;
const TYPE_EXTENDED: u8 = 0x05;
const TYPE_LINUX: u8 = 0x83;
const TO_THE_END: u32 = u32::MAX;

/// A table and the partition that it goes into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// `MBR`, `EBR1` or `EBR2`.
    pub partition: &'static str,
    /// The sector.
    pub sector: [u8; SECTOR_BYTES],
}

/// Why tables cannot be made for a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// More partitions than the layout's tables have slots.
    TooMany,
    /// The layout has no MBR or EBR1, or an address is beyond 32 bits of
    /// sectors or in the wrong order.
    Address,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => write!(f, "too many partitions for MBR and EBR"),
            Self::Address => write!(f, "partition addresses do not fit MBR and EBR"),
        }
    }
}

impl std::error::Error for Error {}

/// One slot: type, first sector, sectors.
type Slot = (u8, u32, u32);

/// A listed partition: first logical sector, and its sectors unless it takes
/// the rest of the card.
type Listed = (u32, Option<u32>);

/// The tables of `layout`, MBR first.
pub fn tables(layout: &Layout) -> Result<Vec<Table>, Error> {
    let listed = listed(layout)?;
    let ebr1 = sector_of(layout, "EBR1").ok_or(Error::Address)?;
    let ebr2 = sector_of(layout, "EBR2");

    let (in_mbr, rest) = listed.split_at(listed.len().min(SLOTS - 1));
    let mut mbr = vec![(TYPE_EXTENDED, ebr1, TO_THE_END)];
    mbr.extend(slots(in_mbr, 0)?);
    let mut tables = vec![table("MBR", &mbr)];

    // A link to EBR2 takes EBR1's last slot.
    let room = if ebr2.is_some() { SLOTS - 1 } else { SLOTS };
    let (in_ebr1, rest) = rest.split_at(rest.len().min(room));
    let mut first = slots(in_ebr1, ebr1)?;
    if let Some(ebr2) = ebr2 {
        first.resize(SLOTS - 1, (0, 0, 0));
        let link = ebr2.checked_sub(ebr1).ok_or(Error::Address)?;
        first.push((TYPE_EXTENDED, link, TO_THE_END));
    }
    tables.push(table("EBR1", &first));
    match ebr2 {
        Some(ebr2) if rest.len() <= SLOTS => tables.push(table("EBR2", &slots(rest, ebr2)?)),
        None if rest.is_empty() => {}
        _ => return Err(Error::TooMany),
    }
    Ok(tables)
}

/// Every partition that tables list; the last one takes the rest.
fn listed(layout: &Layout) -> Result<Vec<Listed>, Error> {
    let mut listed = Vec::new();
    for partition in &layout.partitions {
        if !partition.has_file_system || !partition.in_user_area {
            continue;
        }
        let start = sector_of(layout, &partition.name).ok_or(Error::Address)?;
        let sectors = partition.size / SECTOR_BYTES as u64;
        let sectors = u32::try_from(sectors).map_err(|_| Error::Address)?;
        listed.push((start, Some(sectors)));
    }
    if let Some((_, sectors)) = listed.last_mut() {
        *sectors = None;
    }
    Ok(listed)
}

fn slots(partitions: &[Listed], base: u32) -> Result<Vec<Slot>, Error> {
    partitions
        .iter()
        .map(|&(start, sectors)| {
            let start = start.checked_sub(base).ok_or(Error::Address)?;
            let sectors = sectors.unwrap_or(TO_THE_END - start);
            Ok((TYPE_LINUX, start, sectors))
        })
        .collect()
}

fn sector_of(layout: &Layout, name: &str) -> Option<u32> {
    let partition = layout.find(name).ok()?;
    matches!(partition.place, Place::Linear(_)).then_some(())?;
    let logical = layout.logical(partition).ok()??;
    u32::try_from(logical / SECTOR_BYTES as u64).ok()
}

fn table(partition: &'static str, slots: &[Slot]) -> Table {
    let mut sector = [0; SECTOR_BYTES];
    for (index, &(kind, start, sectors)) in slots.iter().take(SLOTS).enumerate() {
        let offset = TABLE_OFFSET + index * ENTRY_BYTES;
        sector[offset + 4] = kind;
        put_u32(&mut sector, offset + 8, start);
        put_u32(&mut sector, offset + 12, sectors);
    }
    sector[SECTOR_BYTES - 2..].copy_from_slice(&[0x55, 0xAA]);
    Table { partition, sector }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bytes::u32_at;
    use sha2::{Digest, Sha256};

    fn slot(sector: &[u8], index: usize) -> (u8, u32, u32) {
        let offset = TABLE_OFFSET + index * ENTRY_BYTES;
        let word = |at| u32_at(sector, offset + at).unwrap();
        (sector[offset + 4], word(8), word(12))
    }

    #[test]
    fn the_tables_of_a_real_phone_byte_for_byte() {
        let text = include_str!("../tests/data/mobiwire-s10/MT6572_Android_scatter.txt");
        let tables = tables(&crate::scatter::parse(text).unwrap()).unwrap();
        assert_eq!(tables.len(), 2);
        assert_eq!(
            tables[0].sector,
            *include_bytes!("../tests/data/mobiwire-s10/MBR")
        );
        assert_eq!(
            tables[1].sector,
            *include_bytes!("../tests/data/mobiwire-s10/EBR1")
        );
    }

    #[test]
    fn the_tables_of_an_a516() {
        // facts/storage-and-images.md 4.2.
        let tables = tables(&Layout::built_in("a516").unwrap()).unwrap();
        let [mbr, ebr1] = tables.as_slice() else {
            panic!("two tables expected");
        };
        assert_eq!(slot(&mbr.sector, 0), (0x05, 0x400, 0xFFFF_FFFF));
        assert_eq!(slot(&mbr.sector, 1), (0x83, 0x4800, 0x5000));
        assert_eq!(slot(&mbr.sector, 2), (0x83, 0x9800, 0x5000));
        assert_eq!(slot(&mbr.sector, 3), (0x83, 0x1_BA00, 0x6_4000));
        assert_eq!(slot(&ebr1.sector, 0), (0x83, 0x7_F600, 0x20_0000));
        assert_eq!(slot(&ebr1.sector, 1), (0x83, 0x27_F600, 0x3_F000));
        assert_eq!(slot(&ebr1.sector, 2), (0x83, 0x2B_E600, 0xFFD4_19FF));
        assert_eq!(slot(&ebr1.sector, 3), (0, 0, 0));
        assert_eq!(mbr.sector[510..], [0x55, 0xAA]);
        // The phone's own sectors: facts/storage-and-images.md 0.
        assert_eq!(hash(&mbr.sector), "25e51d85bccbd12a");
        assert_eq!(hash(&ebr1.sector), "e6665fad8cdca072");
    }

    /// The first 16 digits of a SHA-256.
    fn hash(bytes: &[u8]) -> String {
        format!("{:x}", Sha256::digest(bytes))[..16].to_owned()
    }

    #[test]
    fn more_partitions_go_on_in_ebr2_or_are_refused() {
        let mut layout = Layout::built_in("a516").unwrap();
        for partition in &mut layout.partitions {
            if matches!(partition.name.as_str(), "LOGO" | "MISC") {
                partition.has_file_system = true;
            }
        }
        assert_eq!(tables(&layout), Err(Error::TooMany));
        let misc = layout.partitions.iter_mut().find(|p| p.name == "EXPDB");
        misc.unwrap().name = "EBR2".into();
        let tables = tables(&layout).unwrap();
        assert_eq!(tables.len(), 3);
        let ebr2 = 0x2D4_0000 / 512;
        assert_eq!(slot(&tables[1].sector, 3), (0x05, ebr2 - 0x400, u32::MAX));
        // CACHE and USRDATA moved on, relative to EBR2.
        assert_eq!(slot(&tables[2].sector, 0).1, 0x4FF4_0000 / 512 - ebr2);
    }
}
