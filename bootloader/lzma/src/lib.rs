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

mod chances;
mod flat;
mod range;
pub mod thumb;

#[cfg(test)]
mod tests;

use chances::Chances;
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

/// What the decoder has learnt: 29 KiB.
pub struct Lzma {
    chances: Chances,
    /// What the last decisions were, 0 to 11.
    state: usize,
    /// The last distances that bytes were repeated from, the latest first.
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
    pub const fn new() -> Self {
        Self {
            chances: Chances::NONE,
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
        self.chances.reset();
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
            left = self.literals(&mut range, left, window)?;
            if left > 0 {
                let length = self.repetition(&mut range, window.position());
                left = left.checked_sub(length).ok_or(Damaged)?;
                window.repeat(self.distances[0], length)?;
            }
        }
        range.finish().ok_or(Damaged.into())
    }

    /// Bytes that are what they are, up to the next repetition: how many of
    /// `left` are left.
    #[inline]
    fn literals<W: Window>(
        &mut self,
        range: &mut Range<'_>,
        mut left: usize,
        window: &mut W,
    ) -> Result<usize, W::Error> {
        // In registers while it counts.
        let mut local = range.clone();
        while left > 0 {
            let position = window.position();
            let repeats = &mut self.chances.repeats[self.state % 16];
            if local.bit(&mut repeats[position & self.position_mask & 15]) {
                break;
            }
            let context = (position & self.literal_mask) << self.literal_context
                | usize::from(window.back(0)) >> (8 - self.literal_context);
            let [chances, unlikely @ ..] = &mut self.chances.literals[context % 16];
            let first = if self.state < 7 {
                1
            } else {
                local.other(unlikely, window.back(self.distances[0]))
            };
            window.put(local.tree_from(chances, first) as u8)?;
            left -= 1;
            self.state = match self.state {
                0..=3 => 0,
                4..=9 => self.state - 3,
                _ => self.state - 6,
            };
        }
        *range = local;
        Ok(left)
    }

    /// A repetition: its length. How far back is the first of the distances.
    fn repetition(&mut self, range: &mut Range<'_>, position: usize) -> usize {
        let position = position & self.position_mask & 15;
        let state = self.state % 16;
        let literals = state < 7;
        let chances = &mut self.chances;
        let mut local = range.clone();
        let again = local.bit(&mut chances.again[state]);
        let [first, second, third, fourth] = self.distances;
        if again && !local.bit(&mut chances.earlier[state]) {
            if !local.bit(&mut chances.longer[state][position]) {
                self.state = if literals { 9 } else { 11 };
                *range = local;
                return 1;
            }
        } else if again {
            self.distances = if !local.bit(&mut chances.third[state]) {
                [second, first, third, fourth]
            } else if !local.bit(&mut chances.fourth[state]) {
                [third, first, second, fourth]
            } else {
                [fourth, first, second, third]
            };
        }
        let lengths = match again {
            false => &mut chances.lengths,
            true => &mut chances.lengths_again,
        };
        let length = lengths.next(&mut local, position);
        if !again {
            let distance = chances.distance(&mut local, length);
            self.distances = [distance, first, second, third];
        }
        self.state = match (literals, again) {
            (true, false) => 7,
            (true, true) => 8,
            (false, false) => 10,
            (false, true) => 11,
        };
        *range = local;
        length
    }
}
