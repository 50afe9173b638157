//! What the tests of this module share: a mutator that does the same on every
//! machine, and short names for what is asked most.

use super::Report;

/// `b +0x24`, how stock bootloaders begin.
pub const ARM_BRANCH: [u8; 4] = [0x07, 0x00, 0x00, 0xEA];

/// Codes of all findings, sorted.
pub fn codes(report: &Report) -> Vec<&'static str> {
    let mut codes: Vec<_> = report
        .all_findings()
        .iter()
        .map(|finding| finding.code)
        .collect();
    codes.sort_unstable();
    codes
}

/// Writes words at offsets.
pub fn put(data: &mut [u8], words: &[(usize, u32)]) {
    for &(at, word) in words {
        data[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
}

/// Values on which size and offset arithmetic breaks if it breaks at all.
const EDGES: [u32; 12] = [
    0,
    1,
    2,
    0x1FF,
    0x200,
    0x7FF,
    0x800,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FE00,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
];

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 16) as usize % limit.max(1)
    }
}

/// Calls `look` with `rounds` damaged copies of `seed`: cut off, with words on
/// which arithmetic breaks, flipped bits, stretches overwritten. Half of the
/// damage falls into the first 4 KiB, where headers are.
pub fn mutate(seed: &[u8], rounds: u64, mut look: impl FnMut(&[u8])) {
    for round in 1..=rounds {
        let mut random = Random(round.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut data = seed.to_vec();
        for _ in 0..=random.below(6) {
            let near = random.below(2) == 0;
            let at = random.below(if near {
                data.len().min(4096)
            } else {
                data.len()
            });
            match random.below(5) {
                0 => data.truncate(at),
                1 => {
                    let word = EDGES[random.below(EDGES.len())].to_le_bytes();
                    if let Some(place) = data.get_mut(at & !3..(at & !3) + 4) {
                        place.copy_from_slice(&word);
                    }
                }
                2 => {
                    let bit = 1 << random.below(8);
                    if let Some(byte) = data.get_mut(at) {
                        *byte ^= bit;
                    }
                }
                3 => {
                    let end = (at + random.below(64)).min(data.len());
                    let fill = random.next() as u8;
                    data[at.min(end)..end].fill(fill);
                }
                _ => {
                    let value = random.next() as u8;
                    if let Some(byte) = data.get_mut(at) {
                        *byte = value;
                    }
                }
            }
        }
        look(&data);
    }
}
