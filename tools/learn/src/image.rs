//! A stock LK as the preloader leaves it in memory: a payload at 0x80020000.
//!
//! Source: facts/storage-and-images.md 1.1, 1.2 (header), 1.4 (address).

use sha2::{Digest, Sha256};
use std::fmt;
use unilk_core::header::{HEADER_LEN, Header, MAGIC};

/// Where every MT6572 LK is linked and loaded.
pub const BASE: u32 = unilk_core::header::UBOOT_LOAD_ADDRESS;
/// Largest image: a whole `UBOOT` partition of the largest known layout.
pub const LONGEST: usize = 4 << 20;
/// Smallest image that can hold a driver.
const SHORTEST: usize = 4096;
/// Where LKs of the other chips of the time are linked (MT6580, MT6582,
/// MT6592), to tell a wrong chip from something that is no LK.
const OTHER_BASE: u32 = 0x81E0_0000;
/// What headers of LKs are named.
const NAMES: [&str; 3] = ["LK", "UBOOT", "U-BOOT"];
/// Words that point into itself, that any LK has, by far.
const FEWEST_POINTERS: usize = 16;
/// An ARM branch, as at the reset vector.
const BRANCH: u32 = 0xEA00_0000;

/// A stock LK.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    payload: &'a [u8],
    file: &'a [u8],
}

/// Why bytes are no LK that can be learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotLk {
    /// Fewer bytes than any LK has.
    Short,
    /// More bytes than any `UBOOT` partition has.
    Long,
    /// The header promises more bytes than there are.
    Truncated {
        /// Bytes that the header promises.
        promised: u32,
        /// Bytes behind the header.
        there: usize,
    },
    /// The header is damaged, or is of another kind of image.
    Header,
    /// An LK, but of a chip that loads it elsewhere.
    OtherChip(u32),
    /// Neither code for 0x80020000 nor any other LK: perhaps encrypted.
    NoCode,
}

impl fmt::Display for NotLk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => write!(
                f,
                "too short for an LK: give the whole lk.bin or UBOOT dump"
            ),
            Self::Long => write!(
                f,
                "longer than any UBOOT partition ({LONGEST} bytes): give lk.bin itself, or an image of the whole eMMC"
            ),
            Self::Truncated { promised, there } => write!(
                f,
                "truncated: its header promises {promised} bytes and {there} are there; dump it again"
            ),
            Self::Header => write!(
                f,
                "has a MediaTek header that is damaged or not an LK's: give the file that is flashed to UBOOT"
            ),
            Self::OtherChip(base) => write!(
                f,
                "an LK linked at {base:#010x}, as for MT6580, MT6582 or MT6592; MT6572's is at {BASE:#010x}"
            ),
            Self::NoCode => write!(
                f,
                "no code for {BASE:#010x}: not an LK of an MT6572, or an encrypted one"
            ),
        }
    }
}

impl std::error::Error for NotLk {}

impl<'a> Image<'a> {
    /// The LK in `file`: with or without header, with or without the rest of
    /// its partition behind it.
    ///
    /// # Errors
    /// What [`NotLk`] says.
    pub fn open(file: &'a [u8]) -> Result<Self, NotLk> {
        if file.len() > LONGEST {
            return Err(NotLk::Long);
        }
        let payload = if file.starts_with(&MAGIC.to_le_bytes()) {
            let header = Header::parse(file).map_err(|_| NotLk::Header)?;
            if !NAMES
                .iter()
                .any(|name| header.name().eq_ignore_ascii_case(name))
            {
                return Err(NotLk::Header);
            }
            let body = file.get(HEADER_LEN..).unwrap_or_default();
            let length = usize::try_from(header.payload_len).unwrap_or(usize::MAX);
            body.get(..length).ok_or(NotLk::Truncated {
                promised: header.payload_len,
                there: body.len(),
            })?
        } else {
            file
        };
        if payload.len() < SHORTEST {
            return Err(NotLk::Short);
        }
        let image = Self { payload, file };
        let first = image.word(BASE).unwrap_or_default();
        // A vector table begins with a branch; stubs in front of it do too.
        if first & 0xFF00_0000 != BRANCH {
            return Err(NotLk::NoCode);
        }
        let (own, other) = (image.pointers(BASE), image.pointers(OTHER_BASE));
        if own.max(other) < FEWEST_POINTERS {
            return Err(NotLk::NoCode);
        }
        if other > own {
            return Err(NotLk::OtherChip(OTHER_BASE));
        }
        Ok(image)
    }

    /// What is at [`BASE`] and behind.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// First address behind the image.
    pub fn end(&self) -> u32 {
        // At most LONGEST.
        BASE + self.payload.len() as u32
    }

    /// SHA-256 of the whole file, in hexadecimal: what names the source of a
    /// learned row.
    pub fn sha256(&self) -> String {
        use fmt::Write as _;
        let mut text = String::new();
        for byte in Sha256::digest(self.file) {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The bytes at `address`, if all `len` are in the image.
    pub fn bytes(&self, address: u32, len: u32) -> Option<&'a [u8]> {
        let start = usize::try_from(address.checked_sub(BASE)?).ok()?;
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        self.payload.get(start..end)
    }

    /// The word at `address`.
    pub fn word(&self, address: u32) -> Option<u32> {
        let bytes = self.bytes(address, 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    /// Whether `address` is in the image.
    pub fn contains(&self, address: u32) -> bool {
        self.bytes(address, 1).is_some()
    }

    /// The printable text with its terminator at `address`, of at most `most`
    /// characters.
    pub fn text(&self, address: u32, most: usize) -> Option<&'a str> {
        let start = usize::try_from(address.checked_sub(BASE)?).ok()?;
        let rest = self.payload.get(start..)?;
        let rest = rest.get(..most + 1).unwrap_or(rest);
        let text = rest.get(..rest.iter().position(|&byte| byte == 0)?)?;
        let text = str::from_utf8(text).ok()?;
        text.bytes()
            .all(|byte| (0x20..0x7F).contains(&byte) || matches!(byte, b'\n' | b'\r' | b'\t'))
            .then_some(text)
    }

    /// Words that point into an image of this size at `base`.
    fn pointers(&self, base: u32) -> usize {
        let words = self.payload.chunks_exact(4);
        words
            .filter(|word| {
                let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
                let offset = word.wrapping_sub(base) as usize;
                offset > 64 && offset < self.payload.len()
            })
            .count()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn lk(base: u32) -> Vec<u8> {
        let mut image = vec![0; 8192];
        image[..4].copy_from_slice(&(BRANCH | 6).to_le_bytes());
        for n in 0..64_usize {
            let word = base + 256 + n as u32;
            image[1024 + 4 * n..1028 + 4 * n].copy_from_slice(&word.to_le_bytes());
        }
        image
    }

    #[test]
    fn with_and_without_header_and_partition() {
        let plain = lk(BASE);
        let image = Image::open(&plain).unwrap();
        assert_eq!(image.word(BASE + 1024), Some(BASE + 256));
        let header = Header::build_lk(plain.len() as u32).unwrap();
        let mut dump = [&header[..], &plain].concat();
        dump.resize(0x6_0000, 0xFF);
        assert_eq!(Image::open(&dump).unwrap().payload(), &plain[..]);
        assert_eq!(Image::open(&dump).unwrap().end(), BASE + 8192);
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(Image::open(&[0; 16]).unwrap_err(), NotLk::Short);
        assert_eq!(Image::open(&[0x5A; 8192]).unwrap_err(), NotLk::NoCode);
        assert_eq!(
            Image::open(&lk(OTHER_BASE)).unwrap_err(),
            NotLk::OtherChip(OTHER_BASE)
        );
        let header = Header::build_lk(9000).unwrap();
        let cut = [&header[..], &lk(BASE)].concat();
        let why = NotLk::Truncated {
            promised: 9000,
            there: 8192,
        };
        assert_eq!(Image::open(&cut).unwrap_err(), why);
        let logo = Header::build("LOGO", 8192).unwrap();
        let logo = [&logo[..], &lk(BASE)].concat();
        assert_eq!(Image::open(&logo).unwrap_err(), NotLk::Header);
        assert!(matches!(
            Image::open(&vec![0; LONGEST + 1]),
            Err(NotLk::Long)
        ));
    }

    #[test]
    fn addresses_outside_are_nothing() {
        let plain = lk(BASE);
        let image = Image::open(&plain).unwrap();
        for address in [0, BASE - 1, BASE + 8189, u32::MAX] {
            assert_eq!(image.word(address), None);
        }
        assert_eq!(image.text(BASE + 8192, 64), None);
    }
}
