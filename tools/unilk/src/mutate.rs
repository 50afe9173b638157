//! Spoilt inputs for tests of the parsers: nothing that they are given may
//! make them panic or hang.

/// Calls `parse` with `count` spoilt copies of `seed`, always the same ones.
pub fn each(seed: &[u8], count: u32, mut parse: impl FnMut(&[u8])) {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    const ODD: [u8; 6] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF];
    for _ in 0..count {
        let mut data = seed.to_vec();
        for _ in 0..=random(4) {
            if data.is_empty() {
                break;
            }
            let at = random(data.len());
            match random(6) {
                0 => data[at] ^= 1 << random(8),
                1 => data[at] = ODD[random(ODD.len())],
                2 => data.truncate(at),
                3 => {
                    let end = (at + 4).min(data.len());
                    data[at..end].fill(ODD[random(ODD.len())]);
                }
                4 => {
                    let end = at + random((data.len() - at).min(64));
                    let piece = data[at..end].to_vec();
                    let to = random(data.len());
                    data.splice(to..to, piece);
                }
                _ => {
                    let end = at + random((data.len() - at).min(64));
                    data.drain(at..end);
                }
            }
        }
        parse(&data);
    }
}
