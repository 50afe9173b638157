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
//! Head, little endian:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0x20 | 8 | name `unilk`, NUL-padded |
//! | 0x28 | 4 | layout 2 |
//! | 0x2C | 4 | offset of the hint block |
//! | 0x30 | 4 | bytes of the payload |
//! | 0x34 | 4 | offset of the plain part |
//! | 0x38 | 4 | its bytes, a multiple of 8 |
//! | 0x3C | 4 | bytes of LZMA |
//! | 0x40 | 4 | bytes that they become, a multiple of 8 |
//! | 0x44 | 4 | bytes of those that are code, and filtered as such |
//! | 0x48 | 8 | check of the bootloader, less its hints |
//!
//! Sizes are checked before anything is written, the check value before
//! anything is run.

use crate::bytes::{Bytes, put, put_u32};
use crate::hints::HINTS_LEN;
use unilk_lzma::thumb;

/// Where the head stands in the payload.
pub const HEAD: usize = 0x20;
/// Bytes of the head.
pub const HEAD_LEN: usize = 0x30;
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

const NAME: &[u8; 8] = b"unilk\0\0\0";
const LAYOUT: u32 = 2;

error_enum! {
    /// Why an image is not unpacked, or not started.
    pub enum PackedError {
        /// No unilk image.
        Name => "PACK-NAME", "not a unilk image: choose another file";
        /// Made by another release.
        Layout { /** The layout found. */ found: u32 }
            => "PACK-VER", "image has layout {found}, known is 2: use the tool of the same release";
        /// Parts that lie outside of the payload, or become larger than the room for them.
        Size => "PACK-SIZE", "image is cut off or damaged: its parts do not fit, write lk.bin again";
        /// No packer wrote these bytes.
        Data => "PACK-DATA", "image is cut off or damaged: it cannot be unpacked, write lk.bin again";
        /// The check value says that something else was packed.
        Check => "PACK-CHECK", "image is damaged: it is not what was packed, write lk.bin again";
    }
}

/// What the head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// How many of those are code.
    pub code_len: u32,
    /// Check of the unpacked bytes and of the plain part behind the hints.
    pub check: [u32; 2],
}

impl Head {
    /// Reads the head of `payload`.
    ///
    /// # Errors
    /// It is none of ours, or of another layout.
    pub fn parse(payload: &[u8]) -> Result<Self, PackedError> {
        let bytes = Bytes::new(payload);
        if bytes.slice(HEAD, NAME.len()) != Some(NAME) {
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
            code_len: word(7)?,
            check: [word(8)?, word(9)?],
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
            self.code_len,
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

    /// The plain and the packed part of `payload`.
    fn parts<'a>(&self, payload: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let (plain, packed) = payload
            .get(self.plain as usize..self.payload as usize)?
            .split_at_checked(self.plain_len as usize)?;
        let whole = packed.len() == self.packed_len as usize && self.hints == self.plain;
        whole.then_some((plain, packed))
    }

    /// The check value of what the bootloader consists of.
    pub fn check_of(unpacked: &[u8], plain: &[u8]) -> [u32; 2] {
        let tables = plain.get(HINTS_LEN..).unwrap_or_default();
        check(check([0; 2], unpacked), tables)
    }
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

/// Unpacks the bootloader of `payload` to the start of `image`, from which it
/// runs, and returns its bytes. `fill` takes LZMA apart: what is packed with
/// [`PROPERTIES`] and all that it becomes; it says whether it came out even.
///
/// # Errors
/// The payload is damaged; nothing of `image` may be run then.
pub fn unpack(
    payload: &[u8],
    image: &mut [u8],
    fill: impl FnOnce(&[u8], &mut [u8]) -> bool,
) -> Result<usize, PackedError> {
    let head = Head::parse(payload)?;
    let (plain, packed) = head.parts(payload).ok_or(PackedError::Size)?;
    let (unpacked, rest) = image
        .split_at_mut_checked(head.unpacked_len as usize)
        .ok_or(PackedError::Size)?;
    let code_len = head.code_len as usize;
    let tables = rest.get_mut(..plain.len()).ok_or(PackedError::Size)?;
    tables.copy_from_slice(plain);

    if !fill(packed, unpacked) {
        return Err(PackedError::Data);
    }
    thumb::restore(unpacked.get_mut(..code_len).ok_or(PackedError::Size)?);
    if Head::check_of(unpacked, tables) != head.check {
        return Err(PackedError::Check);
    }
    Ok(unpacked.len() + tables.len())
}
