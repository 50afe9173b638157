//! DEFLATE (RFC 1951), which gzip packs kernels with and zlib the vendor's
//! logos, through a window that goes out whenever it is full. Crates that do
//! this have interfaces that nothing here uses: they weigh four times as much
//! in the image.

#![allow(
    clippy::inline_always,
    reason = "calls would take longer than what is done once a symbol"
)]

/// Distances reach back 32 KiB.
pub const WINDOW_BYTES: usize = 32 << 10;
/// Longest code, in bits.
const MAX_BITS: usize = 15;
/// Codes of so many bits are looked up; longer ones, which are rare, searched.
const FAST_BITS: usize = 10;
/// Most literals and lengths, and most distances, of one block.
const LITERALS: usize = 288;
const DISTANCES: usize = 32;
/// The symbol that ends a block; those above it are lengths.
const END: u16 = 256;
/// The order in which the lengths of the codes for code lengths stand.
const ORDER: [u8; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// Unpacks the stream at the start of `packed` and hands it to `take`, which
/// says whether to go on, piece by piece. Takes about 10 KiB of stack.
///
/// Returns the four bytes behind the stream, where gzip and zlib keep a check
/// of what was packed, or `None` if it is damaged, ends early, or was stopped;
/// what came before the damage is handed over.
pub fn inflate(
    packed: &[u8],
    window: &mut [u8; WINDOW_BYTES],
    take: &mut dyn FnMut(&[u8]) -> bool,
) -> Option<[u8; 4]> {
    let mut stream = Inflate {
        bits: Bits {
            rest: packed,
            word: 0,
            count: 0,
        },
        window,
        at: 0,
        done: 0,
        take,
    };
    let end = stream.blocks();
    if stream.at != 0 {
        stream.flush()?;
    }
    end
}

/// The packed bytes, lowest bit first.
#[derive(Clone)]
struct Bits<'a> {
    rest: &'a [u8],
    word: u32,
    /// Bits of `word` that are valid; those above are zero.
    count: usize,
}

impl Bits<'_> {
    /// Makes 16 bits valid, if there are so many.
    #[inline(always)]
    fn fill(&mut self) {
        if self.count >= 16 {
            return;
        }
        if let Some((&two, rest)) = self.rest.split_first_chunk() {
            self.word |= u32::from(u16::from_le_bytes(two)) << self.count;
            self.count += 16;
            self.rest = rest;
        } else if let Some((&last, rest)) = self.rest.split_first() {
            self.word |= u32::from(last) << self.count;
            self.count += 8;
            self.rest = rest;
        }
    }

    #[inline(always)]
    fn skip(&mut self, bits: usize) -> Option<()> {
        self.count = self.count.checked_sub(bits)?;
        self.word >>= bits;
        Some(())
    }

    /// Goes on to the next whole byte.
    fn align(&mut self) -> Option<()> {
        self.skip(self.count % 8)
    }

    /// The next bits, no more than 16, as a number.
    fn take(&mut self, bits: usize) -> Option<usize> {
        self.fill();
        let value = self.word & ((1 << bits) - 1);
        self.skip(bits)?;
        Some(value as usize)
    }

    /// A length or distance: its code says the leading `1 << precision` steps
    /// between two powers of two, the bits that follow the rest.
    fn scaled(&mut self, code: usize, precision: usize) -> Option<usize> {
        let extra = (code >> precision).saturating_sub(1);
        if extra == 0 {
            return Some(code);
        }
        let step = 1 << precision;
        let base = (step | code & (step - 1)) << extra;
        Some(base | self.take(extra)?)
    }
}

/// A Huffman code.
struct Code {
    /// How many codes have this many bits.
    counts: [u16; MAX_BITS + 1],
    /// Their symbols, by length, then by value.
    symbols: [u16; LITERALS],
    /// By the next bits: symbol and, in the lowest four bits, length.
    fast: [u16; 1 << FAST_BITS],
}

impl Code {
    /// The code in which symbol n has a code of `lengths[n]` bits, or none if
    /// that is 0; `None` if these are more codes than can be told apart.
    fn new(lengths: &[u8]) -> Option<Self> {
        let mut code = Self {
            counts: [0; MAX_BITS + 1],
            symbols: [0; LITERALS],
            fast: [0; 1 << FAST_BITS],
        };
        let mut index = 0;
        let mut next = 0_usize;
        for bits in 1..=MAX_BITS {
            next <<= 1;
            for (symbol, _) in (0_u16..)
                .zip(lengths)
                .filter(|&(_, &length)| usize::from(length) == bits)
            {
                if next >> bits != 0 {
                    return None;
                }
                *code.symbols.get_mut(index)? = symbol;
                code.counts[bits] += 1;
                index += 1;
                // Codes stand in the stream with their highest bit first.
                let reversed = usize::from((next as u16).reverse_bits() >> (16 - bits));
                if bits <= FAST_BITS {
                    for slot in code.fast.iter_mut().skip(reversed).step_by(1 << bits) {
                        *slot = symbol << 4 | bits as u16;
                    }
                }
                next += 1;
            }
        }
        // Codes that mean nothing are left over only beside a single symbol.
        (next == 1 << MAX_BITS || index <= 1).then_some(code)
    }

    /// The next symbol. Inlined: most of the time goes by here.
    #[inline(always)]
    fn symbol(&self, bits: &mut Bits<'_>) -> Option<u16> {
        bits.fill();
        let entry = self.fast[bits.word as usize % self.fast.len()];
        let (symbol, length) = if entry == 0 {
            self.search(bits.word)?
        } else {
            (entry >> 4, entry & 15)
        };
        bits.skip(usize::from(length))?;
        Some(symbol)
    }

    /// The symbol whose code `word` begins with, and the code's length.
    fn search(&self, word: u32) -> Option<(u16, u16)> {
        // Of each length: the first code, and where its symbol stands.
        let (mut first, mut index) = (0, 0);
        let mut code = 0;
        for (length, &count) in (1..).zip(&self.counts[1..]) {
            code = code << 1 | (word >> (length - 1) & 1) as usize;
            first <<= 1;
            let count = usize::from(count);
            if code < first + count {
                return Some((*self.symbols.get(index + code - first)?, length));
            }
            first += count;
            index += count;
        }
        None
    }
}

struct Inflate<'a> {
    bits: Bits<'a>,
    window: &'a mut [u8; WINDOW_BYTES],
    /// Where the next byte goes.
    at: usize,
    /// Bytes handed over.
    done: usize,
    take: &'a mut dyn FnMut(&[u8]) -> bool,
}

impl Inflate<'_> {
    fn blocks(&mut self) -> Option<[u8; 4]> {
        loop {
            let last = self.bits.take(1)?;
            match self.bits.take(2)? {
                0 => self.stored()?,
                1 => {
                    let lengths: [u8; LITERALS] = core::array::from_fn(|symbol| match symbol {
                        144..256 => 9,
                        256..280 => 7,
                        _ => 8,
                    });
                    self.block(&lengths, &[5; DISTANCES])?;
                }
                2 => self.described()?,
                _ => return None,
            }
            if last != 0 {
                self.bits.align()?;
                return Some(
                    (self.bits.take(16)? as u32 | (self.bits.take(16)? as u32) << 16).to_le_bytes(),
                );
            }
        }
    }

    /// Bytes as they are, from the next whole byte on.
    fn stored(&mut self) -> Option<()> {
        self.bits.align()?;
        let length = self.bits.take(16)?;
        if self.bits.take(16)? != length ^ 0xFFFF {
            return None;
        }
        for _ in 0..length {
            let byte = self.bits.take(8)?;
            self.put(byte as u8)?;
        }
        Some(())
    }

    /// A block whose codes stand in front of it, packed themselves.
    fn described(&mut self) -> Option<()> {
        let literals = self.bits.take(5)? + 257;
        let distances = self.bits.take(5)? + 1;
        let described = self.bits.take(4)? + 4;
        let mut lengths = [0; ORDER.len()];
        for &symbol in ORDER.get(..described)? {
            lengths[usize::from(symbol)] = self.bits.take(3)? as u8;
        }
        let code = Code::new(&lengths)?;
        let mut lengths = [0; LITERALS + DISTANCES];
        let lengths = lengths.get_mut(..literals + distances)?;
        let mut at = 0;
        while at < lengths.len() {
            let (length, count) = match code.symbol(&mut self.bits)? {
                16 => (*lengths.get(at.checked_sub(1)?)?, 3 + self.bits.take(2)?),
                17 => (0, 3 + self.bits.take(3)?),
                18 => (0, 11 + self.bits.take(7)?),
                length => (length as u8, 1),
            };
            lengths.get_mut(at..at + count)?.fill(length);
            at += count;
        }
        let (literals, distances) = lengths.split_at_checked(literals)?;
        self.block(literals, distances)
    }

    /// What follows a block's codes, given as their lengths.
    fn block(&mut self, literals: &[u8], distances: &[u8]) -> Option<()> {
        let literals = Code::new(literals)?;
        let distances = Code::new(distances)?;
        // In registers while it lasts.
        let mut bits = self.bits.clone();
        loop {
            let symbol = literals.symbol(&mut bits)?;
            let Some(length) = symbol.checked_sub(END) else {
                self.put(symbol as u8)?;
                continue;
            };
            let length = match length {
                0 => break,
                29 => 258,
                1..29 => bits.scaled(usize::from(length) - 1, 2)? + 3,
                _ => return None,
            };
            let distance = distances.symbol(&mut bits)?;
            if distance >= 30 {
                return None;
            }
            let distance = bits.scaled(usize::from(distance), 1)? + 1;
            if distance > self.done + self.at {
                return None;
            }
            self.repeat(distance, length)?;
        }
        self.bits = bits;
        Some(())
    }

    #[inline(always)]
    fn put(&mut self, byte: u8) -> Option<()> {
        self.window[self.at % WINDOW_BYTES] = byte;
        self.at += 1;
        if self.at == WINDOW_BYTES {
            self.flush()?;
        }
        Some(())
    }

    /// Appends what stands `distance` bytes back.
    fn repeat(&mut self, distance: usize, mut length: usize) -> Option<()> {
        while length != 0 {
            let end = WINDOW_BYTES.min(self.at + length);
            length -= end - self.at;
            let window = &mut *self.window;
            for at in self.at..end {
                window[at % WINDOW_BYTES] = window[at.wrapping_sub(distance) % WINDOW_BYTES];
            }
            self.at = end;
            if end == WINDOW_BYTES {
                self.flush()?;
            }
        }
        Some(())
    }

    /// Hands over what the window holds.
    fn flush(&mut self) -> Option<()> {
        let made = self.window.get(..self.at)?;
        self.done += self.at;
        self.at = 0;
        (self.take)(made).then_some(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::fuzz::Rng;
    use flate2::{Compression, GzBuilder};
    use std::boxed::Box;
    use std::io::{Read, Write};
    use std::vec;
    use std::vec::Vec;

    fn window() -> Box<[u8; WINDOW_BYTES]> {
        vec![0; WINDOW_BYTES].try_into().unwrap()
    }

    /// What comes out, and what stands behind it.
    fn inflated(packed: &[u8]) -> (Option<[u8; 4]>, Vec<u8>) {
        let mut bytes = Vec::new();
        let end = inflate(packed, &mut window(), &mut |piece| {
            assert!(!piece.is_empty());
            bytes.extend_from_slice(piece);
            true
        });
        (end, bytes)
    }

    /// Noise, runs, and repetitions near and far.
    fn sample(seed: &mut Rng, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            match seed.below(4) {
                0 => bytes.extend((0..seed.below(300)).map(|_| seed.below(256) as u8)),
                1 => bytes.extend(vec![seed.below(4) as u8; seed.below(600)]),
                _ if bytes.is_empty() => {}
                _ => {
                    let from = bytes.len() - 1 - seed.below(bytes.len().min(WINDOW_BYTES));
                    for at in from..from + seed.below(400) {
                        bytes.push(bytes[at]);
                    }
                }
            }
        }
        bytes
    }

    #[test]
    fn what_another_packs_comes_out_again() {
        let mut seed = Rng::new(7);
        for len in [0, 1, 100, 5000, 100_000, 300_000] {
            let bytes = sample(&mut seed, len);
            for level in [0, 1, 6, 9] {
                let mut gzip = GzBuilder::new().write(Vec::new(), Compression::new(level));
                gzip.write_all(&bytes).unwrap();
                let packed = gzip.finish().unwrap();
                let (end, out) = inflated(&packed[10..]);
                assert!(out == bytes, "{len} bytes, level {level}");
                assert_eq!(end, packed[packed.len() - 8..].first_chunk().copied());
            }
        }
    }

    #[test]
    fn damage_gives_what_another_makes_of_it() {
        let mut seed = Rng::new(11);
        let bytes = sample(&mut seed, 20_000);
        let mut damaged = 0;
        for level in [0, 1, 9] {
            let mut encoder =
                flate2::write::DeflateEncoder::new(Vec::new(), Compression::new(level));
            encoder.write_all(&bytes).unwrap();
            let mut packed = encoder.finish().unwrap();
            packed.extend_from_slice(b"tail");
            for _ in 0..2000 {
                let mut packed = packed.clone();
                // Most of what can go wrong is in the description of the codes.
                let range = if seed.below(2) == 0 {
                    100
                } else {
                    packed.len()
                };
                packed[seed.below(range)] ^= 1 << seed.below(8);
                let mut theirs = Vec::new();
                let good = flate2::read::DeflateDecoder::new(&packed[..])
                    .take(1 << 20)
                    .read_to_end(&mut theirs);
                let (end, ours) = inflated(&packed);
                if end.is_some() {
                    assert!(good.is_ok() && ours == theirs);
                } else {
                    // It takes zeros for what lies before the first byte, and
                    // needs no four bytes behind the stream.
                    let common = ours.len().min(theirs.len());
                    assert!(ours[..common] == theirs[..common]);
                    damaged += 1;
                }
            }
        }
        assert!((1000..5000).contains(&damaged), "{damaged}");
    }

    #[test]
    fn who_takes_it_may_stop_it() {
        let packed = {
            let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
            gzip.write_all(&vec![0; 10 << 20]).unwrap();
            gzip.finish().unwrap()
        };
        let mut pieces = 0;
        let end = inflate(&packed[10..], &mut window(), &mut |piece| {
            assert_eq!(piece.len(), WINDOW_BYTES);
            pieces += 1;
            pieces < 3
        });
        assert_eq!((end, pieces), (None, 3));
    }
}
