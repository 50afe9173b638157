//! What the decoder learns: how likely each of its decisions is.

use crate::range::{EVEN, Range};

/// Bits of the length of a repetition, less 2.
pub struct Lengths {
    /// Beyond 8, beyond 16.
    more: [u16; 2],
    short: [[u16; 8]; 16],
    middling: [[u16; 8]; 16],
    long: [u16; 0x100],
}

/// The chances of each decision. Most depend on what the last decisions were
/// (12 states, room for 16: so that an index needs no check) or on where in a
/// word the byte stands (16 positions).
pub struct Chances {
    /// A byte, or a repetition.
    pub repeats: [[u16; 16]; 16],
    /// From a new distance, or from one of the last four.
    pub again: [u16; 16],
    /// From the last one, or from one before it.
    pub earlier: [u16; 16],
    /// Of one byte, or more.
    pub longer: [[u16; 16]; 16],
    /// From the second, or the two before it.
    pub third: [u16; 16],
    /// From the third, or the fourth.
    pub fourth: [u16; 16],
    pub lengths: Lengths,
    pub lengths_again: Lengths,
    /// Magnitude and first bit of a distance, by the length.
    slots: [[u16; 64]; 4],
    /// Further bits of near distances.
    near: [u16; 128],
    /// The last four bits of far ones.
    far: [u16; 16],
    /// Bytes by their context; and bytes after a repetition, by the bit that
    /// they would have if it went on.
    pub literals: [[[u16; 0x100]; 3]; 16],
}

impl Lengths {
    const NONE: Self = Self {
        more: [0; 2],
        short: [[0; 8]; 16],
        middling: [[0; 8]; 16],
        long: [0; 0x100],
    };

    fn parts(&mut self) -> [&mut [u16]; 4] {
        [
            &mut self.more,
            self.short.as_flattened_mut(),
            self.middling.as_flattened_mut(),
            &mut self.long,
        ]
    }

    /// The length of a repetition at this position.
    #[inline]
    pub fn next(&mut self, range: &mut Range<'_>, position: usize) -> usize {
        if !range.bit(&mut self.more[0]) {
            2 + range.tree(&mut self.short[position % 16])
        } else if !range.bit(&mut self.more[1]) {
            10 + range.tree(&mut self.middling[position % 16])
        } else {
            18 + range.tree(&mut self.long)
        }
    }
}

impl Chances {
    pub const NONE: Self = Self {
        repeats: [[0; 16]; 16],
        again: [0; 16],
        earlier: [0; 16],
        longer: [[0; 16]; 16],
        third: [0; 16],
        fourth: [0; 16],
        lengths: Lengths::NONE,
        lengths_again: Lengths::NONE,
        slots: [[0; 64]; 4],
        near: [0; 128],
        far: [0; 16],
        literals: [[[0; 0x100]; 3]; 16],
    };

    /// Everything is as likely as not.
    pub fn reset(&mut self) {
        let parts = [
            self.repeats.as_flattened_mut(),
            &mut self.again,
            &mut self.earlier,
            self.longer.as_flattened_mut(),
            &mut self.third,
            &mut self.fourth,
            self.slots.as_flattened_mut(),
            &mut self.near,
            &mut self.far,
            self.literals.as_flattened_mut().as_flattened_mut(),
        ];
        let parts = parts.into_iter().chain(self.lengths.parts());
        for part in parts.chain(self.lengths_again.parts()) {
            part.fill(EVEN);
        }
    }

    /// From how far `length` bytes are repeated, less 1.
    #[inline]
    pub fn distance(&mut self, range: &mut Range<'_>, length: usize) -> usize {
        let slot = range.tree(&mut self.slots[(length - 2).min(3)]);
        if slot < 4 {
            return slot;
        }
        let count = (slot >> 1) as u32 - 1;
        let base = (2 | slot & 1) << count;
        if slot < 14 {
            let first = base - slot;
            return base + range.reverse_tree(&mut self.near, first, count);
        }
        let high = range.even(count - 4) << 4;
        let low = range.reverse_tree(&mut self.far, 0, 4);
        // The end marker of plain LZMA lies beyond every dictionary.
        base.wrapping_add(high).wrapping_add(low)
    }
}
