//! Damaged copies of good inputs, the same on every machine: for tests and
//! fuzzers of the parsers, which nothing may make panic or hang.

/// Values on which the arithmetic of sizes and offsets breaks if it does at all.
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
/// Half of the damage falls into so many first bytes, where headers are.
const NEAR: usize = 4096;

/// xorshift64*: enough to spread damage, not for anything else.
pub struct Random(u64);

impl Random {
    /// Always the same numbers for a `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// One below `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.any() >> 16) as usize % limit.max(1)
    }

    /// So many bytes of any content.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.any() >> 24) as u8).collect()
    }
}

/// Calls `parse` with `rounds` damaged copies of `seed`: cut off, with words on
/// which arithmetic breaks, flipped bits, stretches that are overwritten,
/// repeated or left out.
pub fn each(seed: &[u8], rounds: u64, mut parse: impl FnMut(&[u8])) {
    for round in 1..=rounds {
        parse(&damaged(seed, &mut Random::new(round)));
    }
}

fn damaged(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..=random.below(6) {
        if data.is_empty() {
            break;
        }
        let most = if random.below(2) == 0 {
            NEAR
        } else {
            data.len()
        };
        let at = random.below(data.len().min(most));
        let end = at + random.below((data.len() - at).min(64));
        match random.below(7) {
            0 => data.truncate(at),
            1 => {
                if let Some(word) = data.get_mut(at & !3..(at & !3) + 4) {
                    word.copy_from_slice(&EDGES[random.below(EDGES.len())].to_le_bytes());
                }
            }
            2 => data[at] ^= 1 << random.below(8),
            3 => data[at] = random.any() as u8,
            4 => data[at..end].fill(random.any() as u8),
            5 => {
                let piece = data[at..end].to_vec();
                let to = random.below(data.len());
                data.splice(to..to, piece);
            }
            _ => {
                data.drain(at..end);
            }
        }
    }
    data
}
