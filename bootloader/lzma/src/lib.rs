//! LZMA, unpacked: one decoder for the image, which unpacks itself, and for
//! kernels that are packed by xz.
//!
//! No `unsafe`, no heap: packed bytes come in as a slice, unpacked ones go
//! into a [`Window`], which is the dictionary at the same time. Whatever the
//! packed bytes claim, nothing outside the window is read or written, the work
//! is bounded by the number of bytes asked for, and nothing panics.
//!
//! Written from the LZMA specification (7-zip, `DOC/lzma-specification.txt`).
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod flat;
mod range;
pub mod thumb;

#[cfg(test)]
mod tests;

pub use flat::Flat;
use range::Range;

/// The packed bytes cannot be what a packer wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

/// Where unpacked bytes go, and where those before them are found again.
pub trait Window {
    /// Why it takes no more bytes.
    type Error: From<Damaged>;

    /// Bytes so far, at least their lowest four bits.
    fn position(&self) -> usize;

    /// The byte `distance` + 1 bytes back; anything before the first.
    fn back(&self, distance: usize) -> u8;

    /// Takes one byte.
    ///
    /// # Errors
    /// There is no room, or whoever gets the bytes does not want more.
    fn put(&mut self, byte: u8) -> Result<(), Self::Error>;

    /// Takes `count` bytes, each of which is the one `distance` + 1 bytes
    /// before it.
    ///
    /// # Errors
    /// As [`Window::put`], or fewer bytes are there than that.
    fn repeat(&mut self, distance: usize, count: usize) -> Result<(), Self::Error>;
}

/// Where the chances of each decision begin.
mod at {
    pub const MATCH: usize = 0;
    pub const REP: usize = MATCH + 12 * 16;
    pub const REP_0: usize = REP + 12;
    pub const REP_1: usize = REP_0 + 12;
    pub const REP_2: usize = REP_1 + 12;
    pub const REP_0_LONG: usize = REP_2 + 12;
    pub const SLOT: usize = REP_0_LONG + 12 * 16;
    pub const DISTANCE: usize = SLOT + 4 * 64;
    pub const ALIGN: usize = DISTANCE + 128;
    pub const LENGTH: usize = ALIGN + 16;
    pub const REP_LENGTH: usize = LENGTH + LENGTH_SIZE;
    pub const LITERAL: usize = REP_LENGTH + LENGTH_SIZE;
    pub const END: usize = LITERAL + (0x300 << 4);
    /// Of one length: two choices, lengths for each position, long ones.
    const LENGTH_SIZE: usize = 2 + 2 * 16 * 8 + 256;
}

/// A power of two: so an index is cut to it rather than compared, in the
/// innermost loop.
const CHANCES: usize = 1 << 14;
const _: () = assert!(at::END <= CHANCES);

/// What the decoder has learnt: 32 KiB.
pub struct Lzma {
    chances: [u16; CHANCES],
    state: usize,
    distances: [usize; 4],
    literal_context: u32,
    literal_mask: usize,
    position_mask: usize,
}

impl Default for Lzma {
    fn default() -> Self {
        Self::new()
    }
}

impl Lzma {
    /// Knows nothing yet: [`Lzma::set_properties`] and [`Lzma::reset`] come
    /// first.
    #[expect(
        clippy::large_stack_arrays,
        reason = "32 KiB: whoever keeps one has the room"
    )]
    pub const fn new() -> Self {
        Self {
            chances: [0; CHANCES],
            state: 0,
            distances: [0; 4],
            literal_context: 0,
            literal_mask: 0,
            position_mask: 0,
        }
    }

    /// Takes the byte that says which bits of the position and of the byte
    /// before matter.
    ///
    /// # Errors
    /// More of them than LZMA2 allows.
    pub fn set_properties(&mut self, byte: u8) -> Result<(), Damaged> {
        let (position, rest) = (byte / 45, byte % 45);
        let (literal, context) = (rest / 9, rest % 9);
        if position > 4 || literal + context > 4 {
            return Err(Damaged);
        }
        self.position_mask = (1 << position) - 1;
        self.literal_mask = (1 << literal) - 1;
        self.literal_context = u32::from(context);
        Ok(())
    }

    /// Forgets all that was learnt.
    pub fn reset(&mut self) {
        self.chances.fill(range::EVEN);
        self.state = 0;
        self.distances = [0; 4];
    }

    /// Unpacks `packed` to its end, which makes `left` bytes.
    ///
    /// # Errors
    /// [`Damaged`] as the window's error if it makes more or fewer, or refers
    /// to bytes that are not there; and what the window says.
    pub fn unpack<W: Window>(
        &mut self,
        packed: &[u8],
        mut left: usize,
        window: &mut W,
    ) -> Result<(), W::Error> {
        let mut range = Range::new(packed).ok_or(Damaged)?;
        while left > 0 {
            let position = window.position() & self.position_mask;
            if self.bit(&mut range, at::MATCH + self.state * 16 + position) == 0 {
                let byte = self.literal(&mut range, window);
                window.put(byte)?;
                left -= 1;
                continue;
            }
            let length = if self.bit(&mut range, at::REP + self.state) == 0 {
                let literals = self.state < 7;
                let length = self.length(&mut range, at::LENGTH, position);
                let distance = self.distance(&mut range, length);
                let [first, second, third, _] = self.distances;
                self.distances = [distance, first, second, third];
                self.state = if literals { 7 } else { 10 };
                length
            } else {
                self.again(&mut range, position)
            };
            left = left.checked_sub(length).ok_or(Damaged)?;
            window.repeat(self.distances[0], length)?;
        }
        range.finish().ok_or(Damaged.into())
    }

    /// Unpacks `packed` to its end, which fills `bytes`: the fast way, for what
    /// every boot waits for.
    ///
    /// # Errors
    /// As [`Lzma::unpack`].
    pub fn fill(&mut self, packed: &[u8], bytes: &mut [u8]) -> Result<(), Damaged> {
        self.unpack(packed, bytes.len(), &mut Flat::new(bytes))
    }

    /// Decides by the chance `index`.
    #[inline]
    fn bit(&mut self, range: &mut Range<'_>, index: usize) -> usize {
        range.bit(&mut self.chances[index % CHANCES])
    }

    /// `count` bits, each by what came before it, highest first.
    #[inline]
    fn tree(&mut self, range: &mut Range<'_>, base: usize, count: u32) -> usize {
        let mut symbol = 1;
        while symbol < 1 << count {
            symbol = symbol << 1 | self.bit(range, base + symbol);
        }
        symbol - (1 << count)
    }

    /// The same, lowest first.
    #[inline]
    fn reverse_tree(&mut self, range: &mut Range<'_>, base: usize, count: u32) -> usize {
        let (mut symbol, mut value) = (1, 0);
        for number in 0..count {
            let bit = self.bit(range, base + symbol);
            symbol = symbol << 1 | bit;
            value |= bit << number;
        }
        value
    }

    #[inline]
    fn length(&mut self, range: &mut Range<'_>, base: usize, position: usize) -> usize {
        let lengths = base + 2 + position * 8;
        let (least, chances, count) = if self.bit(range, base) == 0 {
            (2, lengths, 3)
        } else if self.bit(range, base + 1) == 0 {
            (10, lengths + 16 * 8, 3)
        } else {
            (18, base + 2 + 2 * 16 * 8, 8)
        };
        least + self.tree(range, chances, count)
    }

    #[inline]
    fn distance(&mut self, range: &mut Range<'_>, length: usize) -> usize {
        let slot = self.tree(range, at::SLOT + (length - 2).min(3) * 64, 6);
        if slot < 4 {
            return slot;
        }
        let count = (slot >> 1) as u32 - 1;
        let base = (2 | slot & 1) << count;
        let (high, chances, count) = if slot < 14 {
            (0, at::DISTANCE + base - slot, count)
        } else {
            (range.even(count - 4) << 4, at::ALIGN, 4)
        };
        let low = self.reverse_tree(range, chances, count);
        // The end marker of plain LZMA lies beyond every dictionary.
        base.wrapping_add(high).wrapping_add(low)
    }

    #[inline]
    fn literal<W: Window>(&mut self, range: &mut Range<'_>, window: &W) -> u8 {
        let before = usize::from(window.back(0));
        let context = (window.position() & self.literal_mask) << self.literal_context
            | before >> (8 - self.literal_context);
        let base = at::LITERAL + 0x300 * context;
        let mut symbol = 1;
        if self.state >= 7 {
            // After a match the byte that would have followed is unlikely.
            let mut unlikely = usize::from(window.back(self.distances[0]));
            while symbol < 0x100 {
                unlikely <<= 1;
                let guess = unlikely & 0x100;
                let bit = self.bit(range, base + 0x100 + guess + symbol);
                symbol = symbol << 1 | bit;
                if bit != guess >> 8 {
                    break;
                }
            }
        }
        while symbol < 0x100 {
            symbol = symbol << 1 | self.bit(range, base + symbol);
        }
        self.state = match self.state {
            0..=3 => 0,
            4..=9 => self.state - 3,
            _ => self.state - 6,
        };
        symbol as u8
    }

    /// A repetition of what one of the last four distances reaches: its length.
    #[inline]
    fn again(&mut self, range: &mut Range<'_>, position: usize) -> usize {
        let literals = self.state < 7;
        if self.bit(range, at::REP_0 + self.state) == 0 {
            if self.bit(range, at::REP_0_LONG + self.state * 16 + position) == 0 {
                self.state = if literals { 9 } else { 11 };
                return 1;
            }
        } else {
            let [first, second, third, fourth] = self.distances;
            self.distances = if self.bit(range, at::REP_1 + self.state) == 0 {
                [second, first, third, fourth]
            } else if self.bit(range, at::REP_2 + self.state) == 0 {
                [third, first, second, fourth]
            } else {
                [fourth, first, second, third]
            };
        }
        self.state = if literals { 8 } else { 11 };
        self.length(range, at::REP_LENGTH, position)
    }
}
