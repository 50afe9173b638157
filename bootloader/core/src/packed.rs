//! The payload of `lk.bin`: an unpacker in front, the bootloader packed behind
//! it, and between them what stays as it is.
//!
//! | at | what |
//! |---|---|
//! | 0 | the unpacker (`bootloader/unpack`); at 0x20 the head below |
//! | `plain` | the hint block, then tables that are packed by themselves |
//! | behind it | the rest of the bootloader as one run of LZMA |
//!
//! Unpacked to where it is linked, the bootloader lies the other way round:
//! what was packed first, then the plain part. So hints are filled into a built
//! image without packing anything again.
//!
//! What was packed is an early part, with which the bootloader begins to run,
//! and a late part, which it unpacks itself while the hardware gets ready. Each
//! is code, filtered by `unilk_lzma::thumb`, and then constants.
//!
//! Head, little endian:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0x20 | 8 | name `unilk`, NUL-padded |
//! | 0x28 | 4 | layout 3 |
//! | 0x2C | 4 | offset of the hint block |
//! | 0x30 | 4 | bytes of the payload, a multiple of 8 |
//! | 0x34 | 4 | offset of the plain part |
//! | 0x38 | 4 | its bytes, a multiple of 8 |
//! | 0x3C | 4 | bytes of LZMA; up to 7 zeros follow |
//! | 0x40 | 4 | bytes that they become, a multiple of 4096 |
//! | 0x44 | 4 | bytes of those that are the early part, a multiple of 4096 |
//! | 0x48 | 4 | bytes of code in the early part, from its first byte on |
//! | 0x4C | 4 | bytes of code in the late part, from its first byte on |
//! | 0x50 | 8 | check of the payload, less its hints and these 8 bytes |
//!
//! Sizes and check value are looked at before anything is unpacked. As what is
//! packed is what was checked, what becomes of it is what was packed.

use crate::bytes::{Bytes, put, put_u32};
use crate::hints::HINTS_LEN;
use unilk_lzma::thumb;

/// Where the head stands in the payload.
pub const HEAD: usize = 0x20;
/// Bytes of the head.
pub const HEAD_LEN: usize = 0x38;
/// What a payload may have: the memory that is free while it is unpacked, and
/// less than the partition holds.
pub const PAYLOAD_MAX: usize = 0x4_8000;
/// Where the bootloader runs: from the beginning of DRAM.
pub const IMAGE_ADDRESS: u32 = 0x8000_0000;
/// What it may take there.
pub const IMAGE_MAX: usize = 0x8_8000;
/// How the LZMA is packed: three bits of the byte before give a byte its
/// context (lc), and of the position one, as instructions begin at even
/// addresses (lp, pb). The fastest unpacker knows nothing else.
pub const PROPERTIES: u8 = (1 * 5 + 1) * 9 + 3;

/// Early and late part have pages of their own.
pub const PAGE: usize = 4096;

const NAME: &[u8; 8] = b"unilk\0\0\0";
/// Where in the payload the check value stands.
const CHECK: usize = HEAD + HEAD_LEN - 8;
const LAYOUT: u32 = 3;

error_enum! {
    /// Why an image is not unpacked, or not started.
    pub enum PackedError {
        /// No unilk image.
        Name => "PACK-NAME", "not a unilk image: choose another file";
        /// Made by another release.
        Layout { /** The layout found. */ found: u32 }
            => "PACK-VER", "image has layout {found}, known is 3: use the tool of the same release";
        /// Parts that lie outside of the payload, or become larger than the room for them.
        Size => "PACK-SIZE", "image is cut off or damaged: its parts do not fit, write lk.bin again";
        /// No packer wrote these bytes.
        Data => "PACK-DATA", "image is cut off or damaged: it cannot be unpacked, write lk.bin again";
        /// The check value says that something else was packed.
        Check => "PACK-CHECK", "image is damaged: it is not what was packed, write lk.bin again";
    }
}

/// Whether `payload` is an image of any release of unilk.
pub fn is_ours(payload: &[u8]) -> bool {
    Bytes::new(payload).slice(HEAD, NAME.len()) == Some(NAME)
}

/// What the head says. Unpacker and bootloader, which are built apart, hand it
/// to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Head {
    /// Offset of the hint block in the payload.
    pub hints: u32,
    /// Bytes of the payload.
    pub payload: u32,
    /// Offset of the plain part: bytes of the unpacker.
    pub plain: u32,
    /// Bytes of the plain part.
    pub plain_len: u32,
    /// Bytes of LZMA, behind the plain part.
    pub packed_len: u32,
    /// Bytes that they become.
    pub unpacked_len: u32,
    /// How many of those are the early part.
    pub early_len: u32,
    /// Bytes of code with which the early part begins.
    pub early_code_len: u32,
    /// Bytes of code with which the late part begins.
    pub late_code_len: u32,
    /// Check of the payload.
    pub check: [u32; 2],
}

impl Head {
    /// Reads the head of `payload`.
    ///
    /// # Errors
    /// It is none of ours, or of another layout.
    pub fn parse(payload: &[u8]) -> Result<Self, PackedError> {
        let bytes = Bytes::new(payload);
        if !is_ours(payload) {
            return Err(PackedError::Name);
        }
        let word = |index: usize| bytes.u32(HEAD + 8 + 4 * index).ok_or(PackedError::Size);
        let found = word(0)?;
        if found != LAYOUT {
            return Err(PackedError::Layout { found });
        }
        Ok(Self {
            hints: word(1)?,
            payload: word(2)?,
            plain: word(3)?,
            plain_len: word(4)?,
            packed_len: word(5)?,
            unpacked_len: word(6)?,
            early_len: word(7)?,
            early_code_len: word(8)?,
            late_code_len: word(9)?,
            check: [word(10)?, word(11)?],
        })
    }

    /// The head's bytes.
    pub fn build(&self) -> [u8; HEAD_LEN] {
        let words = [
            LAYOUT,
            self.hints,
            self.payload,
            self.plain,
            self.plain_len,
            self.packed_len,
            self.unpacked_len,
            self.early_len,
            self.early_code_len,
            self.late_code_len,
            self.check[0],
            self.check[1],
        ];
        let mut out = [0; HEAD_LEN];
        // Both fit: the length is that of name and words.
        let _ = put(&mut out, 0, NAME);
        for (index, word) in words.into_iter().enumerate() {
            let _ = put_u32(&mut out, NAME.len() + 4 * index, word);
        }
        out
    }

    /// Bytes of the late part.
    pub fn late_len(&self) -> usize {
        self.unpacked_len.saturating_sub(self.early_len) as usize
    }

    /// Makes the early part, as it was packed, what it was before.
    pub fn restore_early(&self, early: &mut [u8]) {
        restore(early, self.early_code_len);
    }

    /// Makes the late part, as it was packed, what it was before.
    pub fn restore_late(&self, late: &mut [u8]) {
        restore(late, self.late_code_len);
    }

    /// The plain and the packed part of `payload`, if all sizes are possible.
    fn parts<'a>(&self, payload: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let (plain, packed) = payload
            .get(self.plain as usize..self.payload as usize)?
            .split_at_checked(self.plain_len as usize)?;
        let packed = packed.get(..self.packed_len as usize)?;
        let unpacked_len = self.unpacked_len as usize;
        let late_len = unpacked_len.checked_sub(self.early_len as usize)?;
        let words = |len: &u32| len.is_multiple_of(8);
        let pages = |len: &u32| len.is_multiple_of(PAGE as u32);
        let possible = self.hints == self.plain
            && plain.len() >= HINTS_LEN
            && self.plain as usize >= HEAD + HEAD_LEN
            && [self.payload, self.plain, self.plain_len].iter().all(words)
            && [self.unpacked_len, self.early_len].iter().all(pages)
            && self.early_code_len <= self.early_len
            && self.late_code_len as usize <= late_len
            && unpacked_len.checked_add(plain.len())? <= IMAGE_MAX;
        possible.then_some((plain, packed))
    }

    /// The check value of a payload whose sizes are possible.
    pub fn check_of(&self, payload: &[u8]) -> [u32; 2] {
        let hints = self.hints as usize;
        let checked = [
            0..CHECK,
            CHECK + 8..hints,
            hints + HINTS_LEN..self.payload as usize,
        ];
        checked.into_iter().fold([0; 2], |sums, range| {
            check(sums, payload.get(range).unwrap_or_default())
        })
    }
}

fn restore(part: &mut [u8], code_len: u32) {
    let code_len = part.len().min(code_len as usize);
    thumb::restore(&mut part[..code_len]);
}

/// Takes whole words of `bytes` into a check value: a sum, and the sum of all
/// sums, which tells the words' order. Four instructions a word, where a CRC
/// would take that for a byte.
fn check([mut sum, mut sums]: [u32; 2], bytes: &[u8]) -> [u32; 2] {
    for word in bytes.as_chunks().0 {
        // So that zeroes count.
        sum = sum.wrapping_add(u32::from_le_bytes(*word)).wrapping_add(1);
        sums = sums.wrapping_add(sum);
    }
    [sum, sums]
}

/// Head, plain and packed part of a payload, which may be followed by anything.
///
/// # Errors
/// The payload is damaged.
pub fn open(payload: &[u8]) -> Result<(Head, &[u8], &[u8]), PackedError> {
    let head = Head::parse(payload)?;
    let (plain, packed) = head.parts(payload).ok_or(PackedError::Size)?;
    if head.check_of(payload) != head.check {
        return Err(PackedError::Check);
    }
    Ok((head, plain, packed))
}
