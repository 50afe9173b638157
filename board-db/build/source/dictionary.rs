//! Sequences that stand in the open, so that the packed ones can refer to them.

use std::collections::{BTreeMap, BTreeSet};

/// Bytes of all of them. Each KiB takes half a millisecond of every boot,
/// because it is unpacked with the image.
const BYTES: usize = 8 * 1024;
/// Sequences have in common what is so many bytes long.
const PART: usize = 6;
/// Shorter ones are not worth their end.
const SHORTEST: usize = 40;
/// What more sequences than this have in common counts no more.
const MOST_HOLDERS: u32 = 40;

/// Which of `scripts` hold, for their size, the most that others hold too.
pub fn choose(scripts: &[&[u8]]) -> Vec<usize> {
    let parts: Vec<BTreeSet<&[u8]>> = scripts
        .iter()
        .map(|script| script.windows(PART).collect())
        .collect();
    // How many others hold a part, until it is in the dictionary.
    let mut worth: BTreeMap<&[u8], u32> = BTreeMap::new();
    for part in parts.iter().flatten() {
        worth
            .entry(part)
            .and_modify(|others| *others += 1)
            .or_insert(0);
    }
    let value = |n: usize, worth: &BTreeMap<&[u8], u32>| {
        let parts = parts[n].iter();
        let shared: u32 = parts.map(|part| worth[part].min(MOST_HOLDERS)).sum();
        // To a thousandth of what a byte of it is worth.
        1000 * shared / scripts[n].len() as u32
    };
    // The value of a sequence only sinks, so most need not be computed anew.
    let long = (0..scripts.len()).filter(|&n| scripts[n].len() >= SHORTEST);
    let mut left: BTreeSet<(u32, usize)> = long.map(|n| (value(n, &worth), n)).collect();
    let mut chosen = Vec::new();
    let mut room = BYTES;
    while let Some((known, n)) = left.pop_last() {
        if scripts[n].len() > room {
            continue;
        }
        let now = value(n, &worth);
        if now < known {
            left.insert((now, n));
        } else if now > 0 {
            chosen.push(n);
            room -= scripts[n].len();
            for part in &parts[n] {
                worth.insert(part, 0);
            }
        }
    }
    chosen
}
