//! The contents of the eMMC's boot area 1: a preloader given by the user, in
//! the wrapping that the boot ROM expects, or a placeholder of ours.
//!
//! The placeholder has the records that tools look for and no working code: it
//! loops in place. The emulated phone models the preloader's behaviour itself
//! and needs nothing from boot 1; on a real phone nothing of ours ever writes
//! there.
//!
//! Source: facts/storage-and-images.md 2.1, 2.2.

use crate::bytes::put_u32;
use std::fmt;

const GFH_OFFSET: usize = 0x800;
const BRLYT_OFFSET: usize = 0x200;
const CONTENT_OFFSET: usize = 0x44;
const TYPE_EMMC: u32 = 0x10005;
const BRLYT_MAGIC: u32 = 0x4242_4242;
const LOAD_ADDRESS: u32 = 0x0200_7200;
const MAX_BYTES: u32 = 0x2_0000;
const GFH_MAGIC: &[u8; 4] = b"MMM\x01";

/// The file is neither a GFH preloader nor a boot area with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPreloader;

impl fmt::Display for NotAPreloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "neither a GFH preloader nor a boot area that holds one")
    }
}

impl std::error::Error for NotAPreloader {}

/// The boot area for `file`: as it is if it is a dump of one, otherwise the
/// GFH file behind the device header and layout table.
pub fn boot_area(file: &[u8]) -> Result<Vec<u8>, NotAPreloader> {
    if file.starts_with(b"EMMC_BOOT\0") {
        return Ok(file.to_vec());
    }
    if !file.starts_with(GFH_MAGIC) {
        return Err(NotAPreloader);
    }
    let mut area = vec![0; GFH_OFFSET];
    area[..9].copy_from_slice(b"EMMC_BOOT");
    put_u32(&mut area, 0x0C, 1);
    put_u32(&mut area, 0x10, BRLYT_OFFSET as u32);
    let total = GFH_OFFSET as u32 + u32::try_from(file.len()).map_err(|_| NotAPreloader)?;
    area[BRLYT_OFFSET..][..5].copy_from_slice(b"BRLYT");
    let words = [
        1,
        GFH_OFFSET as u32,
        total,
        BRLYT_MAGIC,
        TYPE_EMMC,
        GFH_OFFSET as u32,
        total,
    ];
    for (index, word) in words.into_iter().enumerate() {
        put_u32(&mut area, BRLYT_OFFSET + 8 + 4 * index, word);
    }
    area.extend_from_slice(file);
    Ok(area)
}

/// A GFH file of ours that stands where a preloader would be.
pub fn placeholder() -> Vec<u8> {
    let mut file = vec![0; CONTENT_OFFSET];
    record(&mut file, 0x00, 0, 0x38);
    file[0x08..0x11].copy_from_slice(b"FILE_INFO");
    put_u32(&mut file, 0x14, 1);
    // File type 1 (ARM bootloader), flash device 5 (eMMC), no signature.
    put_u32(&mut file, 0x18, 0x0005_0001);
    put_u32(&mut file, 0x1C, LOAD_ADDRESS);
    put_u32(&mut file, 0x24, MAX_BYTES);
    put_u32(&mut file, 0x28, CONTENT_OFFSET as u32);
    put_u32(&mut file, 0x30, CONTENT_OFFSET as u32);
    put_u32(&mut file, 0x34, 1);
    record(&mut file, 0x38, 1, 0x0C);
    put_u32(&mut file, 0x40, 1);
    // `b .`, then a note for whoever reads a dump.
    file.extend_from_slice(&0xEAFF_FFFEu32.to_le_bytes());
    file.extend_from_slice(b"unilk placeholder, not a preloader\0");
    file.resize(file.len().next_multiple_of(4), 0);
    let length = file.len() as u32;
    put_u32(&mut file, 0x20, length);
    file
}

/// Head of a GFH record: magic with version, size, type.
fn record(file: &mut [u8], offset: usize, kind: u16, size: u16) {
    file[offset..offset + 4].copy_from_slice(GFH_MAGIC);
    put_u32(file, offset + 4, u32::from(kind) << 16 | u32::from(size));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bytes::u32_at;
    use crate::recognise::Kind;

    #[test]
    fn the_placeholder_is_recognised_as_a_preloader_in_both_forms() {
        let file = placeholder();
        assert_eq!(Kind::of(&file), Kind::Preloader);
        assert_eq!(u32_at(&file, 0x20), Some(file.len() as u32));
        let area = boot_area(&file).unwrap();
        assert_eq!(Kind::of(&area), Kind::Preloader);
        assert_eq!(&area[0x800..], file);
        // BRLYT: header size where the GFH file begins, total size.
        assert_eq!(u32_at(&area, 0x20C), Some(0x800));
        assert_eq!(u32_at(&area, 0x210), Some(area.len() as u32));
        assert_eq!(boot_area(&area).unwrap(), area);
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(boot_area(b"ANDROID!"), Err(NotAPreloader));
        assert_eq!(boot_area(&[]), Err(NotAPreloader));
    }
}
