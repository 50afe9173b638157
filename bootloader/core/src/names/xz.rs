//! xz, as kernels are packed with it: blocks of LZMA2, with or without the
//! filter for ARM code. Written from the format's own document (The .xz File
//! Format 1.2): the crates that need no allocator bring 25 KiB of tables and
//! checks for what is a search for names here.
//! Like the other packings, it does not compute the check values.

use unilk_lzma::{Damaged, Lzma, Window as _};

use super::{NamesError, Output, PIECE};

/// Bytes of a stream header: magic number, flags, their check value.
const STREAM_HEADER: usize = 12;
/// Bytes of the check value behind a block, by its type.
const CHECK_BYTES: [u8; 16] = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];
/// Filters that kernels are packed with, by their number in the format.
const FILTER_ARM: u64 = 7;
const FILTER_LZMA2: u64 = 0x21;

/// Why unpacking ends early; what is damaged is counted by the caller.
enum Stop {
    Damaged,
    Of(NamesError),
}

impl From<NamesError> for Stop {
    fn from(error: NamesError) -> Self {
        Self::Of(error)
    }
}

impl From<Damaged> for Stop {
    fn from(_: Damaged) -> Self {
        Self::Damaged
    }
}

/// A part of the stream that must be there.
fn there<T>(part: Option<T>) -> Result<T, Stop> {
    part.ok_or(Stop::Damaged)
}

/// Unpacks the stream at the start of `packed`. `work` holds the dictionary
/// and a piece of the result.
#[inline(never)]
pub(super) fn unpack(
    packed: &[u8],
    work: &mut [u8],
    out: &mut Output<'_, '_>,
) -> Result<(), NamesError> {
    let (piece, rest) = work.split_at_mut_checked(PIECE).ok_or(NamesError::Memory)?;
    // Whole pieces, so that one never wraps around.
    let whole = rest.len() / PIECE * PIECE;
    let mut window = Window {
        dictionary: rest.get_mut(..whole).unwrap_or_default(),
        piece,
        at: 0,
        full: 0,
        taken: 0,
        address: 0,
        arm: false,
        out,
    };
    match stream(&mut Input(packed), &mut window) {
        Ok(()) => Ok(()),
        Err(Stop::Damaged) => Err(window.out.damaged()),
        Err(Stop::Of(error)) => Err(error),
    }
}

fn stream(input: &mut Input<'_>, window: &mut Window<'_, '_, '_>) -> Result<(), Stop> {
    let header = there(input.take(STREAM_HEADER))?;
    let check = CHECK_BYTES[usize::from(header[7] & 15)];
    let mut lzma = Lzma::new();
    loop {
        let length = there(input.byte())?;
        if length == 0 {
            // The index: all blocks are done.
            return Ok(());
        }
        let header = there(input.take(usize::from(length) * 4 + 3))?;
        window.begin(&mut Input(header))?;
        let before = input.0.len();
        block(&mut lzma, input, window)?;
        window.flush()?;
        let padding = (before - input.0.len()).wrapping_neg() & 3;
        there(input.take(padding + usize::from(check)))?;
    }
}

/// What is left of the packed bytes.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn be16(&mut self) -> Option<usize> {
        Some(usize::from(self.byte()?) << 8 | usize::from(self.byte()?))
    }

    /// A number in groups of seven bits, lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for group in 0..9 {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << (7 * group);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

/// The dictionary, a ring, and the way from there to the search.
struct Window<'a, 'o, 'f> {
    dictionary: &'a mut [u8],
    piece: &'a mut [u8],
    /// Where the next byte goes.
    at: usize,
    /// Bytes that can be repeated.
    full: usize,
    /// Up to where in the ring bytes went to the search.
    taken: usize,
    /// Bytes of the block that went to the search.
    address: u32,
    /// The block is filtered as ARM code.
    arm: bool,
    out: &'a mut Output<'o, 'f>,
}

impl Window<'_, '_, '_> {
    /// Reads the header of a block.
    fn begin(&mut self, header: &mut Input<'_>) -> Result<(), Stop> {
        let flags = there(header.byte())?;
        for size in [0x40, 0x80] {
            if flags & size != 0 {
                there(header.number())?;
            }
        }
        self.arm = false;
        self.address = 0;
        for _ in 0..=flags & 3 {
            let filter = there(header.number())?;
            let length = there(header.number())? as usize;
            let properties = there(header.take(length))?;
            match (filter, properties) {
                (FILTER_ARM, []) => self.arm = true,
                (FILTER_LZMA2, &[size @ 0..=39]) => {
                    let wanted = (2 | u64::from(size & 1)) << (size / 2 + 11);
                    if wanted > self.dictionary.len() as u64 {
                        return Err(NamesError::Memory.into());
                    }
                }
                (FILTER_LZMA2, &[40]) => return Err(NamesError::Memory.into()),
                _ => return Err(Stop::Damaged),
            }
        }
        Ok(())
    }

    /// Forgets the dictionary.
    fn reset(&mut self) -> Result<(), Stop> {
        self.flush()?;
        (self.at, self.full, self.taken) = (0, 0, 0);
        Ok(())
    }

    /// Hands what is new to the search.
    fn flush(&mut self) -> Result<(), Stop> {
        let new = self.dictionary.get(self.taken..self.at).unwrap_or_default();
        let piece = there(self.piece.get_mut(..new.len()))?;
        piece.copy_from_slice(new);
        if self.arm {
            restore_calls(piece, self.address);
        }
        self.taken = self.at;
        self.address = self.address.wrapping_add(piece.len() as u32);
        Ok(self.out.take(piece)?)
    }
}

impl unilk_lzma::Window for Window<'_, '_, '_> {
    type Error = Stop;

    fn position(&self) -> usize {
        self.at
    }

    fn put(&mut self, byte: u8) -> Result<(), Stop> {
        *there(self.dictionary.get_mut(self.at))? = byte;
        self.at += 1;
        self.full = self.full.max(self.at);
        if self.at.is_multiple_of(PIECE) {
            self.flush()?;
            if self.at == self.dictionary.len() {
                (self.at, self.taken) = (0, 0);
            }
        }
        Ok(())
    }

    fn back(&self, distance: usize) -> u8 {
        let at = match self.at.checked_sub(distance + 1) {
            Some(at) => at,
            None => (self.at + self.dictionary.len()).wrapping_sub(distance + 1),
        };
        self.dictionary
            .get(at)
            .copied()
            .filter(|_| distance < self.full)
            .unwrap_or(0)
    }

    fn repeat(&mut self, distance: usize, count: usize) -> Result<(), Stop> {
        if distance >= self.full {
            return Err(Stop::Damaged);
        }
        let mut left = count;
        while left > 0 {
            // As far as neither end leaves its part of the ring; the last
            // byte of a piece goes through `put`, which hands the piece on.
            let from = match self.at.checked_sub(distance + 1) {
                Some(from) => from,
                None => there((self.at + self.dictionary.len()).checked_sub(distance + 1))?,
            };
            let run = left
                .min(PIECE - 1 - self.at % PIECE)
                .min(self.dictionary.len() - from);
            for step in 0..run {
                // It may repeat what it has just written.
                self.dictionary[self.at + step] = self.dictionary[from + step];
            }
            self.at += run;
            self.full = self.full.max(self.at);
            left -= run;
            if left > 0 {
                self.put(self.back(distance))?;
                left -= 1;
            }
        }
        Ok(())
    }
}

/// Undoes the filter for ARM code: the targets of calls were made absolute.
/// `address` counts from the start of the block.
fn restore_calls(code: &mut [u8], address: u32) {
    let skip = (address.wrapping_neg() & 3) as usize;
    let (words, _) = code
        .get_mut(skip..)
        .unwrap_or_default()
        .as_chunks_mut::<4>();
    let mut from = address.wrapping_add(skip as u32 + 8);
    for word in words {
        if word[3] == 0xEB {
            let target = u32::from_le_bytes(*word) << 2;
            let offset = target.wrapping_sub(from) >> 2;
            *word = (offset & 0xFF_FFFF | 0xEB00_0000).to_le_bytes();
        }
        from = from.wrapping_add(4);
    }
}

/// The chunks of a block.
fn block(
    lzma: &mut Lzma,
    input: &mut Input<'_>,
    window: &mut Window<'_, '_, '_>,
) -> Result<(), Stop> {
    // What a chunk may take over from those before it.
    let (mut dictionary, mut properties, mut state) = (false, false, false);
    loop {
        let control = there(input.byte())?;
        if control == 0 {
            return Ok(());
        }
        if control == 1 || control >= 0xE0 {
            window.reset()?;
            dictionary = true;
        }
        if !dictionary {
            return Err(Stop::Damaged);
        }
        let size = there(input.be16())? + 1;
        match control {
            1 | 2 => {
                for &byte in there(input.take(size))? {
                    window.put(byte)?;
                }
            }
            0x80.. => {
                let size = size + (usize::from(control & 0x1F) << 16);
                let packed = there(input.be16())? + 1;
                if control >= 0xC0 {
                    lzma.set_properties(there(input.byte())?)?;
                    properties = true;
                }
                if control >= 0xA0 {
                    lzma.reset();
                    state = properties;
                }
                if !state {
                    return Err(Stop::Damaged);
                }
                lzma.unpack(there(input.take(packed))?, size, window)?;
            }
            _ => return Err(Stop::Damaged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_get_their_offsets_back_wherever_a_piece_begins() {
        // bl to 0x100 at 0x20 and to 0x10 at 0x24, beside two other words.
        let absolute = [
            1, 2, 3, 4, 0x40, 0, 0, 0xEB, 0x04, 0, 0, 0xEB, 5, 6, 7, 0xEA,
        ];
        let relative = [
            1, 2, 3, 4, 0x36, 0, 0, 0xEB, 0xF9, 0xFF, 0xFF, 0xEB, 5, 6, 7, 0xEA,
        ];
        for skip in 0..=4 {
            let mut code = absolute;
            restore_calls(&mut code[skip..], 0x1C + skip as u32);
            assert_eq!(code, relative, "from byte {skip}");
        }
    }
}
