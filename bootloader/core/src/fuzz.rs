//! Deterministic mutation fuzzing for the parsers' tests: the same inputs on
//! every machine, no dependency, and a failure names the seed to repeat.

use std::vec::Vec;

/// xorshift64*: enough to spread mutations, not for anything else.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A value in `0..limit` (0 when the limit is 0).
    pub fn below(&mut self, limit: usize) -> usize {
        if limit == 0 {
            0
        } else {
            (self.next() >> 16) as usize % limit
        }
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

fn mutate(rng: &mut Rng, seed: &[u8]) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..=rng.below(6) {
        let at = rng.below(data.len());
        match rng.below(5) {
            0 => data.truncate(at),
            1 => {
                if let Some(word) = data.get_mut(at & !3..(at & !3) + 4) {
                    word.copy_from_slice(&EDGES[rng.below(EDGES.len())].to_le_bytes());
                }
            }
            2 => {
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= 1 << rng.below(8);
                }
            }
            3 => {
                let end = (at + rng.below(64)).min(data.len());
                let fill = rng.next() as u8;
                data[at.min(end)..end].fill(fill);
            }
            _ => {
                if let Some(byte) = data.get_mut(at) {
                    *byte = rng.next() as u8;
                }
            }
        }
    }
    data
}

/// Calls `parse` with `rounds` mutations of `seed`. Every call is expected to
/// return; what it returns is its own matter.
pub fn fuzz(seed: &[u8], rounds: u64, mut parse: impl FnMut(&[u8])) {
    for round in 0..rounds {
        let data = mutate(&mut Rng::new(round + 1), seed);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| parse(&data)));
        assert!(result.is_ok(), "panic in round {round}");
    }
}
