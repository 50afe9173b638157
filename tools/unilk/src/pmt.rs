//! Writes and reads the PMT, MediaTek's partition management table at the end of the
//! card, which loaders believe before anything else. Whether a table is to be
//! believed is for `unilk_core::partition::parse_pmt` to say.
//!
//! Source: facts/storage-and-images.md 4.3.

use crate::bytes::{put_u32, put_u64, text, u64_at};
use crate::layout::{Layout, Partition, Place, holds_file_system, is_in_boot_area};

/// Bytes in one copy of the table.
pub const TABLE_BYTES: usize = 4096;
/// Where the primary stands, in bytes before the end of the card; the mirror
/// follows it directly.
pub const FROM_END_BYTES: u64 = 0x10_0000;

/// What loaders reserve at the end of the card where no table says so.
pub const DEFAULT_RESERVE_BYTES: u64 = 0xA8 * TAIL_BLOCK_BYTES;

/// Head and tail signature of the primary.
pub const SIGNATURE: u32 = 0x5054_7631;
/// Head and tail signature of the mirror.
pub const MIRROR_SIGNATURE: u32 = 0x4D50_5431;

/// Unit of the reserves at the end of the card.
const TAIL_BLOCK_BYTES: u64 = 128 << 10;
const VERSION: &[u8; 4] = b"1.0\0";
const ENTRIES_OFFSET: usize = 8;
const ENTRY_BYTES: usize = 88;
const ENTRIES_MAX: usize = 40;
const NAME_BYTES: usize = 64;
const TAIL_OFFSET: usize = TABLE_BYTES - 4;

/// The PMT has more than 40 entries, or a name longer than 63 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoesNotFit;

impl std::fmt::Display for DoesNotFit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the PMT holds {ENTRIES_MAX} partitions with names below {NAME_BYTES} bytes"
        )
    }
}

impl std::error::Error for DoesNotFit {}

/// Primary and mirror, one behind the other, for `layout` on a card whose
/// linear space is `total_bytes` long.
///
/// The order is the layout's: vendor loaders look entries up by index. The
/// last partition gets what the card has left, as on a real phone.
pub fn tables(layout: &Layout, total_bytes: u64) -> Result<Vec<u8>, DoesNotFit> {
    let mut both = one_table(layout, total_bytes, SIGNATURE)?;
    both.extend(one_table(layout, total_bytes, MIRROR_SIGNATURE)?);
    Ok(both)
}

fn one_table(layout: &Layout, total_bytes: u64, signature: u32) -> Result<Vec<u8>, DoesNotFit> {
    if layout.partitions.len() > ENTRIES_MAX {
        return Err(DoesNotFit);
    }
    let mut table = vec![0; TABLE_BYTES];
    put_u32(&mut table, 0, signature);
    table[4..8].copy_from_slice(VERSION);
    put_u32(&mut table, TAIL_OFFSET, signature);
    let last = last_linear(layout);
    for (index, partition) in layout.partitions.iter().enumerate() {
        let entry = &mut table[ENTRIES_OFFSET + index * ENTRY_BYTES..][..ENTRY_BYTES];
        let name = partition.name.as_bytes();
        if name.len() >= NAME_BYTES {
            return Err(DoesNotFit);
        }
        entry[..name.len()].copy_from_slice(name);
        let (offset, size) = match partition.place {
            Place::Linear(start) if Some(index) == last => {
                (start, rest(layout, total_bytes, start))
            }
            Place::Linear(start) => (start, partition.size),
            Place::Tail { .. } => (partition.place.address(), partition.size),
        };
        put_u64(entry, NAME_BYTES, size);
        put_u64(entry, NAME_BYTES + 8, offset);
    }
    Ok(table)
}

/// The layout that one copy of the table describes, tail reserves included,
/// judging nothing. The table does not say which partitions hold file systems;
/// their names do.
pub fn layout(table: &[u8]) -> Layout {
    let mut partitions = Vec::new();
    for index in 0..ENTRIES_MAX {
        let at = ENTRIES_OFFSET + index * ENTRY_BYTES;
        let fields = (
            table.get(at..at + NAME_BYTES),
            u64_at(table, at + NAME_BYTES),
            u64_at(table, at + NAME_BYTES + 8),
        );
        let (Some(name), Some(size), Some(address)) = fields else {
            break;
        };
        let name = text(name);
        if name.is_empty() {
            break;
        }
        partitions.push(Partition {
            place: Place::of_address(address),
            size,
            in_user_area: !is_in_boot_area(&name),
            has_file_system: holds_file_system(&name),
            download: false,
            name,
        });
    }
    Layout {
        name: "PMT".to_owned(),
        block_bytes: TAIL_BLOCK_BYTES,
        partitions,
    }
}

/// Index of the last partition that is not a tail reserve.
fn last_linear(layout: &Layout) -> Option<usize> {
    layout
        .partitions
        .iter()
        .rposition(|partition| matches!(partition.place, Place::Linear(_)))
}

/// What a partition that starts at `start` and takes the rest of the card gets.
pub(crate) fn rest(layout: &Layout, total_bytes: u64, start: u64) -> u64 {
    total_bytes
        .saturating_sub(layout.reserved_bytes())
        .saturating_sub(start)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bytes::u32_at;

    /// Linear size of the A516's card: USRDATA's end plus the reserve.
    const A516_TOTAL: u64 = 0x5834_0000 + 0x8FBE_0000 + 0x150_0000;

    fn entry(table: &[u8], index: usize) -> (String, u64, u64) {
        let entry = &table[8 + index * 88..][..88];
        let field = |at: usize| u64::from_le_bytes(entry[at..at + 8].try_into().unwrap());
        (text(&entry[..64]), field(64), field(72))
    }

    #[test]
    fn primary_and_mirror_of_an_a516() {
        let both = tables(&Layout::built_in("a516").unwrap(), A516_TOTAL).unwrap();
        assert_eq!(both.len(), 8192);
        assert_eq!(&both[..8], b"1vTP1.0\0");
        assert_eq!(&both[4092..4096], b"1vTP");
        assert_eq!(&both[4096..4104], b"1TPM1.0\0");
        assert_eq!(&both[8188..], b"1TPM");
        assert_eq!(both[8..0xDC8], both[4096 + 8..4096 + 0xDC8]);
        assert_eq!(entry(&both, 8), ("UBOOT".into(), 0x6_0000, 0x232_0000));
        // The size that /proc/dumchar_info shows on the phone, facts 3.3.
        assert_eq!(
            entry(&both, 18),
            ("USRDATA".into(), 0x8FBE_0000, 0x5834_0000)
        );
        assert_eq!(
            entry(&both, 19),
            ("BMTPOOL".into(), 0x150_0000, 0xFFFF_00A8)
        );
        assert_eq!(entry(&both, 20), (String::new(), 0, 0));
        assert_eq!(u32_at(&both, 0xFF8), Some(0));
    }

    #[test]
    fn the_layout_comes_back() {
        let a516 = Layout::built_in("a516").unwrap();
        let both = tables(&a516, A516_TOTAL).unwrap();
        let read = layout(&both[..TABLE_BYTES]);
        for (read, written) in read.partitions.iter().zip(&a516.partitions) {
            let mut expected = Partition {
                download: false,
                ..written.clone()
            };
            if expected.name == "USRDATA" {
                expected.size = 0x8FBE_0000;
            }
            assert_eq!(*read, expected);
        }
        assert_eq!(read.partitions.len(), 20);
        assert_eq!(tables(&read, A516_TOTAL).unwrap(), both);
        // Whatever the bytes are.
        assert!(layout(&both[..50]).partitions.is_empty());
        assert_eq!(layout(&[0xFF; TABLE_BYTES]).partitions.len(), 40);
    }

    #[test]
    fn too_many_or_too_long_is_refused() {
        let mut layout = Layout::built_in("a516").unwrap();
        layout.partitions[3].name = "X".repeat(64);
        assert_eq!(tables(&layout, A516_TOTAL), Err(DoesNotFit));
        let partition = layout.partitions[1].clone();
        layout.partitions = vec![partition; 41];
        assert_eq!(tables(&layout, A516_TOTAL), Err(DoesNotFit));
    }
}
