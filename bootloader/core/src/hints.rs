//! The hint block: 512 bytes inside our image that the host tool fills when
//! it packs `lk.bin` for one phone.
//!
//! Each hint can be absent; a blank block is valid and says nothing. Layout
//! (little endian, text NUL-padded):
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `unilkHNT` |
//! | 8 | 2 | version 1 |
//! | 10 | 2 | length 512 |
//! | 12 | 4 | CRC-32 of bytes 16 to 511 |
//! | 16 | 1 | kernel kind: 0 not said, 1 device tree, 2 vendor ATAGs |
//! | 17 | 1 | vendor generation: 0 not said, 1 Android 4.2, 2 Android 4.4 |
//! | 18 | 14 | 0 |
//! | 32 | 64 | name of the vendor's panel driver, for `lcm=` |
//! | 96 | 64 | board name in the board table |
//! | 160 | 352 | words to add to the kernel's command line |

use crate::bytes::{Bytes, put, put_u32};
use crate::crc32::crc32;
use crate::kernel::{Generation, KernelKind};

/// Bytes of the block.
pub const HINTS_LEN: usize = 512;

const MAGIC: &[u8; 8] = b"unilkHNT";
const VERSION: u16 = 1;
const BODY: usize = 16;
const KIND: usize = 16;
const GENERATION: usize = 17;
const PANEL: (usize, usize) = (32, 64);
const BOARD: (usize, usize) = (96, 64);
const CMDLINE: (usize, usize) = (160, 352);

error_enum! {
    /// Why a hint block is not used or not written.
    pub enum HintError {
        /// No block.
        Magic => "HINT-MAGIC", "image has no hint block: pack it with unilk's own tool";
        /// A block of another version.
        Version { /** The version found. */ found: u16 }
            => "HINT-VER", "hint block has version {found}, known is 1: use the tool of the same release";
        /// Damaged.
        Checksum => "HINT-CRC", "hint block is damaged, its hints are not used: pack the image again";
        /// A field with another byte than the format allows.
        Field { /** Its name. */ field: &'static str }
            => "HINT-FIELD", "hint {field} is too long or no plain text: correct it";
    }
}

/// The hints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hints<'a> {
    /// Name of the vendor's panel driver.
    pub panel: Option<&'a str>,
    /// Name in the board table.
    pub board: Option<&'a str>,
    /// Which hand-off BOOTIMG's kernel takes.
    pub kernel: Option<KernelKind>,
    /// Which Android generation that kernel is of.
    pub generation: Option<Generation>,
    /// Words to add to the kernel's command line.
    pub cmdline: Option<&'a str>,
}

impl<'a> Hints<'a> {
    /// Reads the block at the start of `data`.
    pub fn parse(data: &'a [u8]) -> Result<Self, HintError> {
        let bytes = Bytes::new(data.get(..HINTS_LEN).ok_or(HintError::Magic)?);
        if bytes.slice(0, MAGIC.len()) != Some(MAGIC) {
            return Err(HintError::Magic);
        }
        let found = bytes.u16(8).unwrap_or(0);
        if found != VERSION || bytes.u16(10) != Some(HINTS_LEN as u16) {
            return Err(HintError::Version { found });
        }
        let body = bytes
            .slice(BODY, HINTS_LEN - BODY)
            .ok_or(HintError::Magic)?;
        if bytes.u32(12) != Some(crc32(body)) {
            return Err(HintError::Checksum);
        }
        let text = |(at, len), field| match bytes.text(at, len) {
            Some("") => Ok(None),
            Some(text) => Ok(Some(text)),
            None => Err(HintError::Field { field }),
        };
        Ok(Self {
            panel: text(PANEL, "panel")?,
            board: text(BOARD, "board")?,
            kernel: match bytes.u8(KIND) {
                Some(0) => None,
                Some(1) => Some(KernelKind::DeviceTree),
                Some(2) => Some(KernelKind::VendorAtag),
                _ => return Err(HintError::Field { field: "kernel" }),
            },
            generation: match bytes.u8(GENERATION) {
                Some(0) => None,
                Some(1) => Some(Generation::JellyBean),
                Some(2) => Some(Generation::KitKat),
                _ => {
                    return Err(HintError::Field {
                        field: "generation",
                    });
                }
            },
            cmdline: text(CMDLINE, "cmdline")?,
        })
    }

    /// The block that says this.
    pub fn build(&self) -> Result<[u8; HINTS_LEN], HintError> {
        let mut out = blank();
        let mut text = |(at, len): (usize, usize), value: Option<&str>, field| {
            let value = value.unwrap_or("");
            let plain = value.bytes().all(|b| (0x20..0x7F).contains(&b));
            if value.len() >= len || !plain {
                return Err(HintError::Field { field });
            }
            put(&mut out, at, value.as_bytes()).ok_or(HintError::Field { field })
        };
        text(PANEL, self.panel, "panel")?;
        text(BOARD, self.board, "board")?;
        text(CMDLINE, self.cmdline, "cmdline")?;
        out[KIND] = match self.kernel {
            None => 0,
            Some(KernelKind::DeviceTree) => 1,
            Some(KernelKind::VendorAtag) => 2,
        };
        out[GENERATION] = match self.generation {
            None => 0,
            Some(Generation::JellyBean) => 1,
            Some(Generation::KitKat) => 2,
        };
        let crc = crc32(out.get(BODY..).unwrap_or(&[]));
        put_u32(&mut out, 12, crc).ok_or(HintError::Magic)?;
        Ok(out)
    }
}

/// A block that says nothing: what the bootloader's image is built with.
pub const fn blank() -> [u8; HINTS_LEN] {
    let mut out = [0; HINTS_LEN];
    let mut at = 0;
    while at < MAGIC.len() {
        out[at] = MAGIC[at];
        at += 1;
    }
    out[8] = VERSION as u8;
    out[10] = HINTS_LEN as u8;
    out[11] = (HINTS_LEN >> 8) as u8;
    let crc = crc32(&[0; HINTS_LEN - BODY]).to_le_bytes();
    out[12] = crc[0];
    out[13] = crc[1];
    out[14] = crc[2];
    out[15] = crc[3];
    out
}

/// Offset of the (only) valid block in an image: aligned to 4 bytes. The
/// magic alone also occurs in the code that looks for it.
pub fn find(image: &[u8]) -> Option<usize> {
    let offsets = (0..image.len().saturating_sub(HINTS_LEN - 1)).step_by(4);
    offsets.into_iter().find(|&at| {
        image
            .get(at..)
            .is_some_and(|rest| Hints::parse(rest).is_ok())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fuzz::fuzz;

    const FULL: Hints<'static> = Hints {
        panel: Some("ili9806e_dsi_cmd_txd"),
        board: Some("lenovo-a516"),
        kernel: Some(KernelKind::VendorAtag),
        generation: Some(Generation::JellyBean),
        cmdline: Some("quiet loglevel=3"),
    };

    #[test]
    fn what_is_packed_is_read() {
        assert_eq!(Hints::parse(&FULL.build().unwrap()), Ok(FULL));
        let tree = Hints {
            kernel: Some(KernelKind::DeviceTree),
            generation: Some(Generation::KitKat),
            ..FULL
        };
        assert_eq!(Hints::parse(&tree.build().unwrap()), Ok(tree));
    }

    #[test]
    fn the_blank_block_is_valid_and_says_nothing() {
        assert_eq!(Hints::parse(&blank()), Ok(Hints::default()));
        assert_eq!(Hints::default().build().unwrap(), blank());
    }

    #[test]
    fn damage_and_versions() {
        let good = FULL.build().unwrap();
        let spoil = |at: usize| {
            let mut data = good;
            data[at] ^= 1;
            Hints::parse(&data).map(|_| ())
        };
        assert_eq!(spoil(0), Err(HintError::Magic));
        assert_eq!(spoil(8), Err(HintError::Version { found: 0 }));
        assert_eq!(spoil(40), Err(HintError::Checksum));
        assert_eq!(
            Hints::parse(&good[..511]).map(|_| ()),
            Err(HintError::Magic)
        );
    }

    #[test]
    fn fields_that_do_not_fit_are_named() {
        let long = "x".repeat(64);
        let error = |hints: Hints<'_>| hints.build().unwrap_err();
        assert_eq!(
            error(Hints {
                panel: Some(&long),
                ..FULL
            }),
            HintError::Field { field: "panel" }
        );
        assert_eq!(
            error(Hints {
                cmdline: Some("a\nb"),
                ..FULL
            }),
            HintError::Field { field: "cmdline" }
        );
    }

    #[test]
    fn the_block_is_found_in_an_image() {
        let mut image = std::vec![0; 0x1000];
        image[0x100..0x108].copy_from_slice(MAGIC);
        assert_eq!(
            find(&image),
            None,
            "the magic alone is the code that looks for it"
        );
        image[0x404..0x404 + HINTS_LEN].copy_from_slice(&blank());
        assert_eq!(find(&image), Some(0x404));
        assert_eq!(find(&[]), None);
    }

    #[test]
    fn any_bytes_return() {
        fuzz(&FULL.build().unwrap(), 10_000, |data| {
            let _ = Hints::parse(data);
        });
    }
}
