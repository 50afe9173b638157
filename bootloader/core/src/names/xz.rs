//! xz, as kernels are packed with it: blocks of LZMA2, with or without the
//! filter for ARM code. Written from the formats' own documents (The .xz File
//! Format 1.2, the LZMA specification): the crates that need no allocator
//! bring 25 KiB of tables and checks for what is a search for names here.
//! Like the other packings, it does not compute the check values.

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
    };
    match stream(&mut Input(packed), &mut window, out) {
        Ok(()) => Ok(()),
        Err(Stop::Damaged) => Err(out.damaged()),
        Err(Stop::Of(error)) => Err(error),
    }
}

fn stream(
    input: &mut Input<'_>,
    window: &mut Window<'_>,
    out: &mut Output<'_, '_>,
) -> Result<(), Stop> {
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
        lzma.block(input, window, out)?;
        window.flush(out)?;
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
struct Window<'a> {
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
}

impl Window<'_> {
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
    fn reset(&mut self, out: &mut Output<'_, '_>) -> Result<(), Stop> {
        self.flush(out)?;
        (self.at, self.full, self.taken) = (0, 0, 0);
        Ok(())
    }

    fn put(&mut self, byte: u8, out: &mut Output<'_, '_>) -> Result<(), Stop> {
        *there(self.dictionary.get_mut(self.at))? = byte;
        self.at += 1;
        self.full = self.full.max(self.at);
        if self.at.is_multiple_of(PIECE) {
            self.flush(out)?;
            if self.at == self.dictionary.len() {
                (self.at, self.taken) = (0, 0);
            }
        }
        Ok(())
    }

    /// The byte `distance` + 1 bytes back; 0 before the first.
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

    fn repeat(
        &mut self,
        distance: usize,
        count: usize,
        out: &mut Output<'_, '_>,
    ) -> Result<(), Stop> {
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
                self.put(self.back(distance), out)?;
                left -= 1;
            }
        }
        Ok(())
    }

    /// Hands what is new to the search.
    fn flush(&mut self, out: &mut Output<'_, '_>) -> Result<(), Stop> {
        let new = self.dictionary.get(self.taken..self.at).unwrap_or_default();
        let piece = there(self.piece.get_mut(..new.len()))?;
        piece.copy_from_slice(new);
        if self.arm {
            restore_calls(piece, self.address);
        }
        self.taken = self.at;
        self.address = self.address.wrapping_add(piece.len() as u32);
        Ok(out.take(piece)?)
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

/// Where the probabilities of each decision begin.
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

/// The arithmetic decoder over one chunk.
struct Range<'a> {
    input: Input<'a>,
    width: u32,
    code: u32,
    /// Bytes were asked for that are not there.
    short: bool,
}

impl<'a> Range<'a> {
    fn new(chunk: &'a [u8]) -> Option<Self> {
        let (first, rest) = chunk.split_first_chunk::<5>()?;
        let [0, code @ ..] = *first else { return None };
        Some(Self {
            input: Input(rest),
            width: !0,
            code: u32::from_be_bytes(code),
            short: false,
        })
    }

    fn normalize(&mut self) {
        if self.width < 1 << 24 {
            let next = self.input.byte();
            self.short |= next.is_none();
            self.width <<= 8;
            self.code = self.code << 8 | u32::from(next.unwrap_or(0));
        }
    }

    /// Bits that are as likely as not, highest first.
    fn even(&mut self, count: u32) -> u32 {
        let mut value = 0;
        for _ in 0..count {
            self.normalize();
            self.width >>= 1;
            let bit = u32::from(self.code >= self.width);
            self.code -= self.width * bit;
            value = value << 1 | bit;
        }
        value
    }
}

/// What LZMA has learnt.
struct Lzma {
    chances: [u16; at::END],
    state: usize,
    distances: [usize; 4],
    literal_context: u32,
    literal_mask: usize,
    position_mask: usize,
}

impl Lzma {
    #[expect(
        clippy::large_stack_arrays,
        reason = "28 KiB, which the stack is made for"
    )]
    fn new() -> Self {
        Self {
            chances: [0; at::END],
            state: 0,
            distances: [0; 4],
            literal_context: 0,
            literal_mask: 0,
            position_mask: 0,
        }
    }

    /// The chunks of a block.
    fn block(
        &mut self,
        input: &mut Input<'_>,
        window: &mut Window<'_>,
        out: &mut Output<'_, '_>,
    ) -> Result<(), Stop> {
        // What a chunk may take over from those before it.
        let (mut dictionary, mut properties, mut state) = (false, false, false);
        loop {
            let control = there(input.byte())?;
            if control == 0 {
                return Ok(());
            }
            if control == 1 || control >= 0xE0 {
                window.reset(out)?;
                dictionary = true;
            }
            if !dictionary {
                return Err(Stop::Damaged);
            }
            let size = there(input.be16())? + 1;
            match control {
                1 | 2 => {
                    for &byte in there(input.take(size))? {
                        window.put(byte, out)?;
                    }
                }
                0x80.. => {
                    let size = size + (usize::from(control & 0x1F) << 16);
                    let packed = there(input.be16())? + 1;
                    if control >= 0xC0 {
                        there(self.set_properties(there(input.byte())?))?;
                        properties = true;
                    }
                    if control >= 0xA0 {
                        self.reset();
                        state = properties;
                    }
                    if !state {
                        return Err(Stop::Damaged);
                    }
                    let mut range = there(Range::new(there(input.take(packed))?))?;
                    self.chunk(&mut range, size, window, out)?;
                }
                _ => return Err(Stop::Damaged),
            }
        }
    }

    fn set_properties(&mut self, byte: u8) -> Option<()> {
        let (position, rest) = (byte / 45, byte % 45);
        let (literal, context) = (rest / 9, rest % 9);
        if position > 4 || literal + context > 4 {
            return None;
        }
        self.position_mask = (1 << position) - 1;
        self.literal_mask = (1 << literal) - 1;
        self.literal_context = u32::from(context);
        Some(())
    }

    fn reset(&mut self) {
        self.chances.fill(1 << 10);
        self.state = 0;
        self.distances = [0; 4];
    }

    /// Decides by the chance `index`.
    fn bit(&mut self, range: &mut Range<'_>, index: usize) -> usize {
        range.normalize();
        let Some(chance) = self.chances.get_mut(index) else {
            return 0;
        };
        let bound = (range.width >> 11) * u32::from(*chance);
        if range.code < bound {
            range.width = bound;
            *chance += ((1 << 11) - *chance) >> 5;
            0
        } else {
            range.width -= bound;
            range.code -= bound;
            *chance -= *chance >> 5;
            1
        }
    }

    /// `count` bits, each by what came before it, highest first.
    fn tree(&mut self, range: &mut Range<'_>, base: usize, count: u32) -> usize {
        let mut symbol = 1;
        for _ in 0..count {
            symbol = symbol << 1 | self.bit(range, base + symbol);
        }
        symbol - (1 << count)
    }

    /// The same, lowest first.
    fn reverse_tree(&mut self, range: &mut Range<'_>, base: usize, count: u32) -> usize {
        let (mut symbol, mut value) = (1, 0);
        for number in 0..count {
            let bit = self.bit(range, base + symbol);
            symbol = symbol << 1 | bit;
            value |= bit << number;
        }
        value
    }

    fn length(&mut self, range: &mut Range<'_>, base: usize, position: usize) -> usize {
        let lengths = base + 2 + position * 8;
        if self.bit(range, base) == 0 {
            2 + self.tree(range, lengths, 3)
        } else if self.bit(range, base + 1) == 0 {
            10 + self.tree(range, lengths + 16 * 8, 3)
        } else {
            18 + self.tree(range, base + 2 + 2 * 16 * 8, 8)
        }
    }

    fn distance(&mut self, range: &mut Range<'_>, length: usize) -> usize {
        let slot = self.tree(range, at::SLOT + (length - 2).min(3) * 64, 6);
        if slot < 4 {
            return slot;
        }
        let count = (slot >> 1) as u32 - 1;
        let base = (2 | slot & 1) << count;
        if slot < 14 {
            return base + self.reverse_tree(range, at::DISTANCE + base - slot, count);
        }
        let high = range.even(count - 4) as usize;
        let low = self.reverse_tree(range, at::ALIGN, 4);
        // The end marker of plain LZMA lies beyond every dictionary.
        base.wrapping_add(high << 4).wrapping_add(low)
    }

    fn literal(&mut self, range: &mut Range<'_>, window: &Window<'_>) -> u8 {
        let before = usize::from(window.back(0));
        let context = (window.at & self.literal_mask) << self.literal_context
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
    fn again(&mut self, range: &mut Range<'_>, position: usize) -> usize {
        let literals = self.state < 7;
        if self.bit(range, at::REP_0 + self.state) == 0 {
            if self.bit(range, at::REP_0_LONG + self.state * 16 + position) == 0 {
                self.state = if literals { 9 } else { 11 };
                return 1;
            }
        } else {
            let which = if self.bit(range, at::REP_1 + self.state) == 0 {
                1
            } else {
                2 + self.bit(range, at::REP_2 + self.state)
            };
            if let Some(recent) = self.distances.get_mut(..=which) {
                recent.rotate_right(1);
            }
        }
        self.state = if literals { 8 } else { 11 };
        self.length(range, at::REP_LENGTH, position)
    }

    fn chunk(
        &mut self,
        range: &mut Range<'_>,
        mut left: usize,
        window: &mut Window<'_>,
        out: &mut Output<'_, '_>,
    ) -> Result<(), Stop> {
        while left > 0 {
            let position = window.at & self.position_mask;
            if self.bit(range, at::MATCH + self.state * 16 + position) == 0 {
                let byte = self.literal(range, window);
                window.put(byte, out)?;
                left -= 1;
                continue;
            }
            let length = if self.bit(range, at::REP + self.state) == 0 {
                let literals = self.state < 7;
                let length = self.length(range, at::LENGTH, position);
                let distance = self.distance(range, length);
                self.distances.rotate_right(1);
                self.distances[0] = distance;
                self.state = if literals { 7 } else { 10 };
                length
            } else {
                self.again(range, position)
            };
            left = there(left.checked_sub(length))?;
            window.repeat(self.distances[0], length, out)?;
        }
        range.normalize();
        if range.short || range.code != 0 || !range.input.0.is_empty() {
            return Err(Stop::Damaged);
        }
        Ok(())
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
