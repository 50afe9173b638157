//! Whether a stretch of storage holds anything.
//!
//! Source: facts/storage-and-images.md 4.7.

use crate::source::Source;
use std::io;

const SECTOR_BYTES: usize = 512;
/// All zeros or all ones in so much at the start means blank.
const HEAD_BYTES: u64 = 64 * 1024;
/// Sectors that differ within are looked for in so much.
const LOOK_BYTES: u64 = 5 << 20;
const CHUNK_BYTES: usize = 64 * 1024;

/// What was found in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filling {
    /// Whether its first 64 KiB are all 0x00 or all 0xFF.
    pub blank_head: bool,
    /// Sectors within the first 5 MiB that are not one byte repeated.
    pub live_sectors: u64,
    /// Sectors that were looked at.
    pub sectors: u64,
}

impl Filling {
    /// Looks at the first 5 MiB of a partition.
    ///
    /// # Errors
    /// What the source says.
    pub fn of(source: &dyn Source) -> io::Result<Self> {
        let len = source.len().min(LOOK_BYTES);
        let mut filling = Self {
            blank_head: len > 0,
            live_sectors: 0,
            sectors: 0,
        };
        let first = source.read_some(0, 1)?;
        let blank = first.first().copied().filter(|b| matches!(b, 0 | 0xFF));
        let mut at = 0;
        while at < len {
            let count = (len - at).min(CHUNK_BYTES as u64) as usize;
            let chunk = source.read_some(at, count)?;
            if at < HEAD_BYTES {
                filling.blank_head &= blank.is_some_and(|blank| chunk.iter().all(|&b| b == blank));
            }
            for sector in chunk.chunks(SECTOR_BYTES) {
                filling.sectors += 1;
                filling.live_sectors += u64::from(!is_constant(sector));
            }
            at += count as u64;
        }
        Ok(filling)
    }

    /// Whether a phone would find nothing in it.
    pub fn is_blank(&self) -> bool {
        self.blank_head || self.live_sectors == 0
    }
}

/// Whether all bytes are the same, or there are none.
pub fn is_constant(bytes: &[u8]) -> bool {
    bytes
        .first()
        .is_none_or(|first| bytes.iter().all(|byte| byte == first))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_for_blank() {
        let is_blank = |bytes: &Vec<u8>| Filling::of(bytes).unwrap().is_blank();
        assert!(is_blank(&vec![0; 5 << 20]));
        assert!(is_blank(&vec![0xFF; 5 << 20]));
        // Erased at the start, whatever follows.
        let mut bytes = vec![0xFF; 1 << 20];
        bytes[HEAD_BYTES as usize + 7] = 1;
        assert!(is_blank(&bytes));
        bytes[HEAD_BYTES as usize - 1] = 1;
        assert!(!is_blank(&bytes));
        // Every sector one byte repeated.
        let bytes: Vec<u8> = (0..=255u8).flat_map(|b| [b; 512]).collect();
        assert!(is_blank(&bytes));
        // What lies behind the 5 MiB does not count.
        let mut bytes = vec![0; 6 << 20];
        bytes[(5 << 20) + 3] = 1;
        assert!(is_blank(&bytes));
        assert!(Filling::of(&Vec::new()).unwrap().is_blank());
    }
}
