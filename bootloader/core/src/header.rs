//! MediaTek's 512-byte partition image header: in front of `lk.bin`, of the
//! logo and of each section of a stock boot image.
//!
//! The preloader checks the magic and nothing else, so every other check that
//! keeps a phone from hanging is ours. Source: facts/storage-and-images.md 1.

use crate::bytes::{Bytes, put, put_u32};

/// First word, bytes `88 16 88 58`.
pub const MAGIC: u32 = 0x5888_1688;
/// Size of the header; the payload follows at once.
pub const HEADER_LEN: usize = 512;
/// The UBOOT partition of every MT6572 eMMC phone seen.
pub const UBOOT_LEN: u32 = 0x6_0000;
/// Largest payload of `lk.bin`: fills the partition and ends below the
/// preloader's own buffer at 0x80080000.
pub const MAX_UBOOT_PAYLOAD: u32 = UBOOT_LEN - HEADER_LEN as u32;
/// Where the preloader puts and enters the payload, whatever the header says.
pub const UBOOT_LOAD_ADDRESS: u32 = 0x8002_0000;

const NAME_LEN: usize = 32;
const NOT_GIVEN: u32 = 0xFFFF_FFFF;
/// Marks the extended header of later chips, never seen on an MT6572.
const LATER_MAGIC: u32 = 0x5889_1689;

error_enum! {
    /// Why bytes are not a usable MediaTek header.
    pub enum HeaderError {
        /// Fewer than 512 bytes.
        Short { /** Bytes there are. */ len: usize }
            => "LK-SHORT", "MediaTek header has {len} of 512 bytes: the file or partition is cut off, copy it again";
        /// The first word is something else.
        Magic { /** The word found. */ found: u32 }
            => "LK-MAGIC", "no MediaTek header (magic {found:#010x}, expected 0x58881688): write the image again";
        /// A payload of 0 bytes.
        Empty => "LK-EMPTY", "MediaTek header announces a payload of 0 bytes: pack the image again";
        /// The payload does not fit.
        TooBig { /** Payload bytes. */ payload: u32, /** Bytes there is room for. */ room: u32 }
            => "LK-SIZE", "MediaTek header announces {payload:#x} payload bytes where {room:#x} fit: wrong partition or damaged image";
        /// A name with unprintable bytes (parse) or longer than 32 (build).
        Name => "LK-NAME", "MediaTek header has a name that is no text of at most 32 characters: pack the image again";
    }
}

/// A parsed header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Payload bytes after the header.
    pub payload_len: u32,
    name: [u8; NAME_LEN],
    /// Load address, where a later packer gave one. Nobody obeys it on MT6572.
    pub load_address: Option<u32>,
    /// "Addressing mode" of 4.4-era packers.
    pub mode: Option<u32>,
    /// True if the extension of later chips is there: not an MT6572 image,
    /// worth a warning.
    pub later_chip: bool,
}

impl Header {
    /// Reads the header at the start of `data`.
    pub fn parse(data: &[u8]) -> Result<Self, HeaderError> {
        let short = HeaderError::Short { len: data.len() };
        let bytes = Bytes::new(data.get(..HEADER_LEN).ok_or(short)?);
        let magic = bytes.u32(0).ok_or(short)?;
        if magic != MAGIC {
            return Err(HeaderError::Magic { found: magic });
        }
        let payload_len = bytes.u32(4).ok_or(short)?;
        if payload_len == 0 {
            return Err(HeaderError::Empty);
        }
        bytes.text(8, NAME_LEN).ok_or(HeaderError::Name)?;
        let given = |value: u32| (value != NOT_GIVEN).then_some(value);
        Ok(Self {
            payload_len,
            name: bytes.array(8).ok_or(short)?,
            load_address: bytes.u32(0x28).and_then(given),
            mode: bytes.u32(0x2C).and_then(given),
            later_chip: bytes.u32(0x30) == Some(LATER_MAGIC),
        })
    }

    /// The name field as text.
    pub fn name(&self) -> &str {
        Bytes::new(&self.name).text(0, NAME_LEN).unwrap_or("")
    }

    /// Checks that header and payload fit in `room` bytes (a partition, or
    /// the section of a boot image that holds them).
    pub fn check_fits(&self, room: u32) -> Result<(), HeaderError> {
        let room = room.saturating_sub(HEADER_LEN as u32);
        if self.payload_len > room {
            return Err(HeaderError::TooBig {
                payload: self.payload_len,
                room,
            });
        }
        Ok(())
    }

    /// The 512 bytes that MediaTek's 4.2-era packer writes: no load address,
    /// no mode, rest 0xFF.
    pub fn build(name: &str, payload_len: u32) -> Result<[u8; HEADER_LEN], HeaderError> {
        if payload_len == 0 {
            return Err(HeaderError::Empty);
        }
        let printable = name.bytes().all(|b| (0x20..0x7F).contains(&b));
        if name.len() > NAME_LEN || !printable {
            return Err(HeaderError::Name);
        }
        let mut out = [0xFF; HEADER_LEN];
        out[8..8 + NAME_LEN].fill(0);
        put_u32(&mut out, 0, MAGIC)
            .and_then(|()| put_u32(&mut out, 4, payload_len))
            .and_then(|()| put(&mut out, 8, name.as_bytes()))
            .ok_or(HeaderError::Name)?;
        Ok(out)
    }

    /// As [`Header::build`] for the UBOOT partition: named `LK`, and refused
    /// when the preloader would overwrite its own buffer while loading it.
    pub fn build_lk(payload_len: u32) -> Result<[u8; HEADER_LEN], HeaderError> {
        if payload_len > MAX_UBOOT_PAYLOAD {
            return Err(HeaderError::TooBig {
                payload: payload_len,
                room: MAX_UBOOT_PAYLOAD,
            });
        }
        Self::build("LK", payload_len)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fuzz::fuzz;

    #[test]
    fn builds_the_bytes_of_a_real_lk() {
        let header = Header::build_lk(0x3_E570).unwrap();
        assert_eq!(
            header[..12],
            [
                0x88, 0x16, 0x88, 0x58, 0x70, 0xE5, 0x03, 0x00, 0x4C, 0x4B, 0, 0
            ]
        );
        assert_eq!(header[0x20..0x28], [0; 8]);
        assert!(header[0x28..].iter().all(|&b| b == 0xFF));
    }

    #[test]
    fn reads_back_what_it_built() {
        let header = Header::parse(&Header::build("ROOTFS", 0x9_260D).unwrap()).unwrap();
        assert_eq!((header.name(), header.payload_len), ("ROOTFS", 0x9_260D));
        assert_eq!(
            (header.load_address, header.mode, header.later_chip),
            (None, None, false)
        );
    }

    #[test]
    fn refuses_what_the_preloader_would_take() {
        let good = Header::build("LK", 16).unwrap();
        let mut bad = good;
        bad[0] = 0;
        assert_eq!(
            Header::parse(&bad),
            Err(HeaderError::Magic { found: 0x5888_1600 })
        );
        let mut empty = good;
        empty[4..8].fill(0);
        assert_eq!(Header::parse(&empty), Err(HeaderError::Empty));
        assert_eq!(
            Header::parse(&good[..511]),
            Err(HeaderError::Short { len: 511 })
        );
        let mut name = good;
        name[8] = 0xFF;
        assert_eq!(Header::parse(&name), Err(HeaderError::Name));
    }

    #[test]
    fn payload_limit_is_the_partition() {
        assert!(Header::build_lk(0x5_FE00).is_ok());
        assert_eq!(
            Header::build_lk(0x5_FE01),
            Err(HeaderError::TooBig {
                payload: 0x5_FE01,
                room: 0x5_FE00
            })
        );
        let header = Header::parse(&Header::build("LK", 0x5_FE01).unwrap()).unwrap();
        assert_eq!(
            header.check_fits(UBOOT_LEN),
            Err(HeaderError::TooBig {
                payload: 0x5_FE01,
                room: 0x5_FE00
            })
        );
    }

    #[test]
    fn later_chips_are_recognised() {
        let mut image = Header::build("lk", 16).unwrap();
        image[0x30..0x34].copy_from_slice(&LATER_MAGIC.to_le_bytes());
        image[0x28..0x2C].copy_from_slice(&0x8002_0000u32.to_le_bytes());
        let header = Header::parse(&image).unwrap();
        assert!(header.later_chip);
        assert_eq!(header.load_address, Some(UBOOT_LOAD_ADDRESS));
    }

    #[test]
    fn any_bytes_return() {
        fuzz(&Header::build_lk(0x3_E570).unwrap(), 20_000, |data| {
            if let Ok(header) = Header::parse(data) {
                assert!(header.name().len() <= 32);
                let _ = header.check_fits(0);
            }
        });
    }
}
