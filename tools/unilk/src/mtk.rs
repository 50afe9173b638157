//! MediaTek's 512-byte image header: what the preloader looks for in front of
//! `lk.bin`, and vendor loaders in front of kernels, ramdisks and logos.
//!
//! Source: facts/storage-and-images.md 1.1, 1.2, 1.4.

use crate::bytes::{put_u32, text, u32_at};
use std::fmt;

/// Bytes in the header, in front of the payload.
pub const HEADER_BYTES: usize = 512;
/// First word of the header.
pub const MAGIC: u32 = 0x5888_1688;
/// Word at 0x30 of the extended header that later chips use.
pub const EXTENSION_MAGIC: u32 = 0x5889_1689;
/// Where the preloader puts the payload of `UBOOT` and jumps to.
pub const LK_ADDRESS: u32 = 0x8002_0000;
/// Largest payload that fits the 0x60000-byte `UBOOT` partition and stays
/// below the preloader's own bounce buffer at 0x80080000.
pub const LK_PAYLOAD_MAX: usize = 0x5_FE00;

const NAME_OFFSET: usize = 0x08;
const NAME_BYTES: usize = 32;
const LOAD_ADDRESS_OFFSET: usize = 0x28;
const MODE_OFFSET: usize = 0x2C;
const EXTENSION_OFFSET: usize = 0x30;
const NOT_GIVEN: u32 = u32::MAX;

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Header {
    /// Payload bytes that follow the header.
    pub payload_bytes: u32,
    /// Name, up to 31 characters: `LK`, `LOGO`, `KERNEL`, `ROOTFS`, `RECOVERY`.
    pub name: String,
    /// Load address; stock MT6572 images never give one.
    pub load_address: Option<u32>,
    /// Addressing mode word; absent on stock MT6572 images.
    pub mode: Option<u32>,
    /// Whether the extension of later chips is present at 0x30.
    pub extended: bool,
}

/// Why a header could not be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Fewer than 512 bytes.
    Short,
    /// The first word is not [`MAGIC`].
    Magic(u32),
    /// The name is longer than 31 bytes or holds something other than
    /// printable ASCII.
    Name,
    /// The payload does not fit a 32-bit length.
    TooBig,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => write!(f, "shorter than the 512-byte header"),
            Self::Magic(found) => {
                write!(f, "magic is {found:#010x}, expected {MAGIC:#010x}")
            }
            Self::Name => write!(f, "header name must be 1 to 31 printable ASCII characters"),
            Self::TooBig => write!(f, "payload is 4 GiB or larger"),
        }
    }
}

impl std::error::Error for Error {}

impl Header {
    /// A header as stock packers write it: no load address, no mode.
    pub fn new(name: &str, payload_bytes: usize) -> Result<Self, Error> {
        let printable = name.bytes().all(|b| b.is_ascii_graphic());
        if name.is_empty() || name.len() >= NAME_BYTES || !printable {
            return Err(Error::Name);
        }
        Ok(Self {
            payload_bytes: u32::try_from(payload_bytes).map_err(|_| Error::TooBig)?,
            name: name.to_owned(),
            load_address: None,
            mode: None,
            extended: false,
        })
    }

    /// Reads the header at the start of `data`.
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let header = data.get(..HEADER_BYTES).ok_or(Error::Short)?;
        let word = |offset| u32_at(header, offset).ok_or(Error::Short);
        let magic = word(0)?;
        if magic != MAGIC {
            return Err(Error::Magic(magic));
        }
        let given = |value| (value != NOT_GIVEN).then_some(value);
        Ok(Self {
            payload_bytes: word(4)?,
            name: text(&header[NAME_OFFSET..NAME_OFFSET + NAME_BYTES]),
            load_address: given(word(LOAD_ADDRESS_OFFSET)?),
            mode: given(word(MODE_OFFSET)?),
            extended: word(EXTENSION_OFFSET)? == EXTENSION_MAGIC,
        })
    }

    /// The 512 bytes. The name field is padded with zeros, the rest with 0xFF.
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut header = [0xFF; HEADER_BYTES];
        put_u32(&mut header, 0, MAGIC);
        put_u32(&mut header, 4, self.payload_bytes);
        let field = &mut header[NAME_OFFSET..NAME_OFFSET + NAME_BYTES];
        field.fill(0);
        let length = self.name.len().min(NAME_BYTES - 1);
        field[..length].copy_from_slice(&self.name.as_bytes()[..length]);
        put_u32(
            &mut header,
            LOAD_ADDRESS_OFFSET,
            self.load_address.unwrap_or(NOT_GIVEN),
        );
        put_u32(&mut header, MODE_OFFSET, self.mode.unwrap_or(NOT_GIVEN));
        header
    }
}

/// `payload` with a header named `name` in front of it.
pub fn with_header(name: &str, payload: &[u8]) -> Result<Vec<u8>, Error> {
    let mut image = Header::new(name, payload.len())?.to_bytes().to_vec();
    image.extend_from_slice(payload);
    Ok(image)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn header_bytes_are_those_of_a_stock_lk() {
        // facts/storage-and-images.md 1.2: lk.bin of a Lenovo A516.
        let bytes = Header::new("LK", 0x3_E570).unwrap().to_bytes();
        assert_eq!(
            bytes[..12],
            [
                0x88, 0x16, 0x88, 0x58, 0x70, 0xE5, 0x03, 0x00, b'L', b'K', 0, 0
            ]
        );
        assert!(bytes[12..0x28].iter().all(|&b| b == 0));
        assert!(bytes[0x28..].iter().all(|&b| b == 0xFF));
    }

    #[test]
    fn reads_what_it_writes() {
        for (name, size) in [
            ("LOGO", 0x4_E93A),
            ("KERNEL", 0x3D_1E80),
            ("RECOVERY", 0x25_7551),
        ] {
            let header = Header::new(name, size).unwrap();
            assert_eq!(Header::parse(&header.to_bytes()), Ok(header));
        }
    }

    #[test]
    fn refuses_what_is_no_header() {
        assert_eq!(Header::parse(&[0; 511]), Err(Error::Short));
        assert_eq!(Header::parse(&[0; 512]), Err(Error::Magic(0)));
        assert_eq!(Header::new("", 1), Err(Error::Name));
        assert_eq!(Header::new(&"x".repeat(32), 1), Err(Error::Name));
        assert_eq!(Header::new("L K", 1), Err(Error::Name));
    }

    #[test]
    fn an_extended_header_is_noticed() {
        let mut bytes = Header::new("LK", 4).unwrap().to_bytes();
        bytes[0x30..0x34].copy_from_slice(&EXTENSION_MAGIC.to_le_bytes());
        assert!(Header::parse(&bytes).unwrap().extended);
    }
}
