//! GPD and BDs: where the DMA finds its memory.
//!
//! One GPD heads a chain of BDs, and a null GPD ends the list. The checksums
//! are filled in and checked by the controller: a stale descriptor, which is
//! what a missed cache clean gives, then stops the DMA instead of sending it
//! somewhere.
//!
//! Source: facts/storage-and-images.md 8.8.

use crate::cache;
use crate::dma::DmaRegion;

/// The most that one BD carries. Its length field would take 65535; 32 KiB is
/// what the vendor's loader uses and a multiple of the block.
const BD_BYTES: usize = 32 << 10;
/// The BDs follow the first GPD and the null GPD, on lines of their own: the
/// controller writes the GPD, never a BD.
const BD_START: usize = cache::LINE_BYTES;
const BD_SIZE: usize = 16;
const NULL_GPD: usize = 32;

const GPD_HWO: u32 = 1 << 0;
const GPD_BDP: u32 = 1 << 1;
const BD_EOL: u32 = 1 << 0;

/// The most that a table in `bytes` of memory describes, a multiple of the
/// block; also within BLK_NUM's 65535 blocks.
pub fn capacity(bytes: usize) -> usize {
    const MOST: usize = 65535 * 512;
    (bytes.saturating_sub(BD_START) / BD_SIZE)
        .saturating_mul(BD_BYTES)
        .min(MOST)
}

/// Fills `table`, which the controller sees at `table_address`, for `bytes`
/// of memory from `data_address` on. False if it does not fit.
pub fn fill(table: &mut DmaRegion, data_address: u32, bytes: usize) -> bool {
    if bytes == 0 || bytes > capacity(table.len()) {
        return false;
    }
    let table_address = table.address() as u32;
    let memory = table.as_mut_slice();
    let null = table_address.wrapping_add(NULL_GPD as u32);
    let first_bd = table_address.wrapping_add(BD_START as u32);
    write(memory, 0, [GPD_HWO | GPD_BDP, null, first_bd, 0]);
    write(memory, NULL_GPD, [0, 0, 0, 0]);

    let count = bytes.div_ceil(BD_BYTES);
    for index in 0..count {
        let done = index * BD_BYTES;
        let last = index + 1 == count;
        let next = first_bd.wrapping_add(((index + 1) * BD_SIZE) as u32);
        write(
            memory,
            BD_START + index * BD_SIZE,
            [
                if last { BD_EOL } else { 0 },
                if last { 0 } else { next },
                data_address.wrapping_add(done as u32),
                (bytes - done).min(BD_BYTES) as u32,
            ],
        );
    }
    true
}

/// Writes a descriptor's first four words, the first with its checksum.
fn write(memory: &mut [u8], offset: usize, mut words: [u32; 4]) {
    words[0] |= (checksum(words) as u32) << 8;
    for (place, word) in memory[offset..offset + BD_SIZE]
        .chunks_exact_mut(4)
        .zip(words)
    {
        place.copy_from_slice(&word.to_le_bytes());
    }
}

/// 0xff less the sum of the sixteen bytes, the checksum's own being 0.
fn checksum(words: [u32; 4]) -> u8 {
    let sum = words
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .fold(0u8, u8::wrapping_add);
    0xff - sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dma::leaked;

    fn word(table: &DmaRegion, offset: usize) -> u32 {
        let bytes = &table.as_slice()[offset..offset + 4];
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    #[test]
    fn a_chain_covers_the_data_without_gap() {
        let mut table = leaked(256);
        assert_eq!(capacity(256), 12 * BD_BYTES);
        assert!(fill(&mut table, 0x8010_8000, 2 * BD_BYTES + 512));
        let at = table.address() as u32;
        assert_eq!(word(&table, 0) & 0xff, 3);
        assert_eq!((word(&table, 4), word(&table, 8)), (at + 32, at + 64));
        assert_eq!(word(&table, 32) & 0xff, 0, "the null GPD is not owned");
        let bd = |index: usize| {
            let base = 64 + 16 * index;
            [0, 4, 8, 12].map(|offset| word(&table, base + offset))
        };
        assert_eq!(bd(0)[1..], [at + 80, 0x8010_8000, 0x8000]);
        assert_eq!(bd(1)[1..], [at + 96, 0x8011_0000, 0x8000]);
        assert_eq!(bd(2)[1..], [0, 0x8011_8000, 0x200]);
        assert_eq!([bd(0)[0] & 1, bd(1)[0] & 1, bd(2)[0] & 1], [0, 0, 1]);
    }

    #[test]
    fn sixteen_bytes_of_every_descriptor_add_up_to_ff() {
        let mut table = leaked(128);
        assert!(fill(&mut table, 0x9234_5600, 40 << 10));
        for start in [0, 32, 64, 80] {
            let sum = table.as_slice()[start..start + 16]
                .iter()
                .fold(0u8, |sum, byte| sum.wrapping_add(*byte));
            assert_eq!(sum, 0xff, "descriptor at {start}");
        }
    }

    #[test]
    fn too_much_or_nothing_is_refused() {
        let mut table = leaked(128);
        assert!(!fill(&mut table, 0x8000_0000, 0));
        assert!(fill(&mut table, 0x8000_0000, 4 * BD_BYTES));
        assert!(!fill(&mut table, 0x8000_0000, 4 * BD_BYTES + 512));
        assert_eq!(capacity(64 << 10), 65535 * 512);
        assert_eq!(capacity(0), 0);
    }
}
