//! Where vendor loaders look for a partition: the PMT at the end of the card, its
//! mirror, else the table they were compiled with.
//!
//! Source: facts/storage-and-images.md 3.3, 4.1, 4.3, 4.4.

use crate::models::emmc::config::HW_PARTITION_UNIT;
use crate::models::emmc::{Config, SECTOR, Store};

const PMT_FROM_END: u64 = 0x10_0000;
const PMT_COPY_LEN: usize = 4096;
const PRIMARY: u32 = 0x5054_7631;
const MIRROR: u32 = 0x4D50_5431;
const VERSION: &[u8] = b"1.0\0";
const ENTRIES_AT: usize = 8;
const ENTRY_LEN: usize = 0x58;
const TAIL_AT: usize = 0xFFC;

/// A line of the compiled table, which is an A516's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// For the log.
    pub name: &'static str,
    index: usize,
    after_mbr: u64,
    len: u64,
}

/// The preloader's next stage: on every phone in this line and at this place.
pub const UBOOT: Line = Line {
    name: "UBOOT",
    index: 8,
    after_mbr: 0x1D2_0000,
    len: 0x6_0000,
};
/// What a stock loader starts.
pub const BOOTIMG: Line = Line {
    name: "BOOTIMG",
    index: 9,
    after_mbr: 0x1D8_0000,
    len: 0x60_0000,
};
/// What it starts if asked.
pub const RECOVERY: Line = Line {
    name: "RECOVERY",
    index: 10,
    after_mbr: 0x238_0000,
    len: 0x60_0000,
};
/// The smallest linear start of the MBR, of projects without a fixed one.
const MBR_DEFAULT: u64 = 0x60_0000;

/// Where a partition is and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Byte offset in the user area.
    pub start: u64,
    /// Its bytes.
    pub len: u64,
    /// For the log.
    pub source: &'static str,
}

/// Bytes in front of the user area in the linear address space of a card.
pub fn user_base(card: &Config) -> u64 {
    (2 * u64::from(card.boot_size_mult) + u64::from(card.rpmb_size_mult)) * HW_PARTITION_UNIT
}

/// Finds a partition on a card.
///
/// # Errors
/// A sentence: the card cannot be read or the address lies in front of the user area.
pub fn find(line: Line, card: &Config, user: &mut dyn Store) -> Result<Found, String> {
    let base = user_base(card);
    let user_bytes = card
        .user_sectors
        .map_or(user.len(), |sectors| u64::from(sectors) * SECTOR as u64);
    for (index, signature, source) in [(0, PRIMARY, "PMT"), (1, MIRROR, "PMT mirror")] {
        let Some(at) = user_bytes.checked_sub(PMT_FROM_END) else {
            break;
        };
        let mut copy = vec![0; PMT_COPY_LEN];
        let at = at + index * PMT_COPY_LEN as u64;
        user.read_at(at, &mut copy)
            .map_err(|error| format!("cannot read the {source}: {error}"))?;
        if let Some((linear, len)) = entry_of(&copy, signature, line.index) {
            let start = linear.checked_sub(base).ok_or_else(|| {
                let name = line.name;
                format!("the {source} puts {name} at {linear:#x}, in front of the user area")
            })?;
            return Ok(Found { start, len, source });
        }
    }
    // The compiled table's MBR starts where the areas of the largest supported card end.
    let linear = MBR_DEFAULT.max(base) + line.after_mbr;
    Ok(Found {
        start: linear - base,
        len: line.len,
        source: "compiled table",
    })
}

/// Linear address and size in the line with this index, if the copy is valid:
/// nobody compares names.
fn entry_of(copy: &[u8], signature: u32, index: usize) -> Option<(u64, u64)> {
    let word = |at: usize| {
        copy.get(at..at + 4)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u32::from_le_bytes)
    };
    if word(0)? != signature || copy.get(4..8)? != VERSION || word(TAIL_AT)? != signature {
        return None;
    }
    let numbers = ENTRIES_AT + index * ENTRY_LEN + 64;
    let number = |at: usize| {
        copy.get(at..at + 8)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u64::from_le_bytes)
    };
    Some((number(numbers + 8)?, number(numbers)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CARD_LEN: usize = 0x20_0000;

    fn pmt(signature: u32, uboot: u64) -> Vec<u8> {
        let mut copy = vec![0; PMT_COPY_LEN];
        copy[0..4].copy_from_slice(&signature.to_le_bytes());
        copy[4..8].copy_from_slice(VERSION);
        copy[TAIL_AT..].copy_from_slice(&signature.to_le_bytes());
        let entry = ENTRIES_AT + UBOOT.index * ENTRY_LEN;
        copy[entry..entry + 5].copy_from_slice(b"UBOOT");
        copy[entry + 72..entry + 80].copy_from_slice(&uboot.to_le_bytes());
        copy
    }

    fn card(primary: &[u8], mirror: &[u8]) -> Vec<u8> {
        let mut user = vec![0; CARD_LEN];
        let at = CARD_LEN - 0x10_0000;
        user[at..at + primary.len()].copy_from_slice(primary);
        user[at + 0x1000..at + 0x1000 + mirror.len()].copy_from_slice(mirror);
        user
    }

    #[test]
    fn the_primary_table_wins() {
        let mut user = card(&pmt(PRIMARY, 0x292_0000), &pmt(MIRROR, 0x700_0000));
        let layout = find(UBOOT, &Config::default(), &mut user).unwrap();
        assert_eq!(
            layout,
            Found {
                start: 0x292_0000 - 0x60_0000,
                len: 0,
                source: "PMT"
            }
        );
    }

    #[test]
    fn a_bad_primary_leaves_the_mirror() {
        let mut bad = pmt(PRIMARY, 0x292_0000);
        bad[TAIL_AT] ^= 1;
        let mut user = card(&bad, &pmt(MIRROR, 0x292_0000));
        assert_eq!(
            find(UBOOT, &Config::default(), &mut user).unwrap().source,
            "PMT mirror"
        );
    }

    #[test]
    fn without_a_table_the_a516_offset_counts() {
        let mut user = vec![0; CARD_LEN];
        assert_eq!(
            find(UBOOT, &Config::default(), &mut user).unwrap().start,
            0x1D2_0000
        );
        let small = Config {
            boot_size_mult: 8,
            rpmb_size_mult: 4,
            ..Config::default()
        };
        // 2.5 MiB of other areas: the MBR lies 3.5 MiB into the user area.
        assert_eq!(
            find(UBOOT, &small, &mut user).unwrap().start,
            0x1D2_0000 + 0x38_0000
        );
    }

    #[test]
    fn an_address_in_front_of_the_user_area_is_an_error() {
        let mut user = card(&pmt(PRIMARY, 0x1000), &[]);
        assert!(find(UBOOT, &Config::default(), &mut user).is_err());
    }
}
