//! Makes a flashable `lk.bin` of a linked bootloader.
//!
//! The preloader checks nothing but the header's magic
//! (facts/storage-and-images.md 1.3), so whatever would leave a phone without
//! a bootloader has to be refused here: wrong link address, wrong size, a file
//! that is something else altogether.
//!
//! Source: facts/storage-and-images.md 1.3, 1.4.

use crate::bootimg::{self, BootImage, SubHeaders};
use crate::compress;
use crate::image::Identity;
use crate::mtk::{self, HEADER_BYTES, Header, LK_ADDRESS, LK_PAYLOAD_MAX};
use crate::recognise::{HEAD_BYTES, Kind};
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{Endianness, elf};
use std::fmt;

/// Header name that stock tools expect in `UBOOT`.
pub const LK_NAME: &str = "LK";

/// What an image may take in memory.
const FLAT_MAX: usize = unilk_core::packed::IMAGE_MAX;

/// Why a file cannot become an `lk.bin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Not an input for a bootloader image.
    Kind(Kind),
    /// The ELF file is damaged or not 32-bit little-endian ARM.
    Elf(String),
    /// Linked for another address than the preloader jumps to.
    LinkAddress(u64),
    /// The entry point is not the first byte of the payload.
    Entry(u64),
    /// Nothing to load.
    Empty,
    /// Larger than `UBOOT` or the memory holds; bytes that there are, and that
    /// there is room for.
    TooBig(usize, usize),
    /// The first word is not an ARM instruction.
    FirstWord(u32),
    /// A bootloader that the preloader cannot start by itself.
    Bare,
    /// Not a linked bootloader that could be packed.
    NotBare,
    /// Not an unpacker, or one that does not unpack what it gets.
    Unpacker,
    /// The header could not be made.
    Header(mtk::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(f, "this is {}, not a bootloader", kind.describe()),
            Self::Elf(why) => write!(f, "cannot read the ELF file: {why}"),
            Self::LinkAddress(at) => write!(
                f,
                "linked at {at:#x}, but the preloader loads to {LK_ADDRESS:#x}"
            ),
            Self::Entry(at) => write!(
                f,
                "entry point is {at:#x}, but the first byte is what gets called"
            ),
            Self::Empty => write!(f, "no loadable bytes"),
            Self::TooBig(size, most) => write!(
                f,
                "payload is {size} bytes ({size:#x}), {} more than the {most:#x} that there is room for",
                size - most
            ),
            Self::FirstWord(word) => write!(
                f,
                "first word {word:#010x} is not an ARM instruction; is this a raw image for {LK_ADDRESS:#x}?"
            ),
            Self::Bare => write!(
                f,
                "a bootloader that is not packed yet: name its unpacker (--unpacker unilk-unpack)"
            ),
            Self::NotBare => write!(f, "not unilk's bootloader as it was linked"),
            Self::Unpacker => write!(f, "not the unpacker of this bootloader"),
            Self::Header(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for Error {}

/// The payload of `lk.bin` in `input`: an ELF file's loadable segments laid
/// out from 0x80020000, a raw image as it is, or the payload of a unilk image
/// that was packed before, whatever as. Our own bootloader's ELF file takes
/// [`compress::payload`].
pub fn payload(input: &[u8]) -> Result<Vec<u8>, Error> {
    let head = &input[..input.len().min(HEAD_BYTES)];
    let payload = match Kind::of(head) {
        Kind::Elf if compress::is_bootloader(input) => return Err(Error::Bare),
        Kind::Elf => flatten(input, Some(LK_ADDRESS))?,
        Kind::Unilk | Kind::Unknown | Kind::Blank => input.to_vec(),
        Kind::BootImage => booted(input).ok_or(Error::Kind(Kind::BootImage))?.to_vec(),
        Kind::MediatekImage => unpacked(input)
            .ok_or(Error::Kind(Kind::MediatekImage))?
            .to_vec(),
        other => return Err(Error::Kind(other)),
    };
    if payload.len() > LK_PAYLOAD_MAX {
        return Err(Error::TooBig(payload.len(), LK_PAYLOAD_MAX));
    }
    let first = crate::bytes::u32_at(&payload, 0).ok_or(Error::Empty)?;
    if !is_arm_instruction(first) {
        return Err(Error::FirstWord(first));
    }
    Ok(payload)
}

/// The payload of a packed unilk image. Other people's images are none of our
/// business: what we do not know we do not pack again.
fn unpacked(image: &[u8]) -> Option<&[u8]> {
    let length = Header::parse(image).ok()?.payload_len as usize;
    let payload = image.get(HEADER_BYTES..)?.get(..length)?;
    Identity::of(payload).is_ok().then_some(payload)
}

/// The same, packed as a boot image.
fn booted(image: &[u8]) -> Option<&[u8]> {
    let mut source = image;
    let bytes = u32::try_from(image.len()).ok()?;
    let kernel = unilk_core::bootimg::BootImage::open(&mut source, bytes)
        .ok()?
        .kernel;
    let start = kernel.offset as usize;
    let payload = image.get(start..start.checked_add(kernel.len as usize)?)?;
    Identity::of(payload).is_ok().then_some(payload)
}

/// A complete `lk.bin` made of `input` (see [`payload`]), with the header name
/// `name`; [`LK_NAME`] unless there is a reason.
pub fn lk_image(input: &[u8], name: &str) -> Result<Vec<u8>, Error> {
    mtk::with_header(name, &payload(input)?).map_err(Error::Header)
}

/// A boot image whose kernel is `payload`, made by [`payload`]: for stock
/// loaders, which start whatever lies there.
///
/// They want a ramdisk, too, so there is one: an empty archive.
///
/// # Errors
/// None for payloads that fit UBOOT.
pub fn boot_image(payload: &[u8], sub_headers: SubHeaders) -> Result<Vec<u8>, bootimg::Error> {
    BootImage {
        kernel: payload.to_vec(),
        ramdisk: empty_archive(),
        sub_headers,
        name: "unilk".to_owned(),
        ..BootImage::default()
    }
    .build()
}

/// A cpio archive of nothing: the entry that ends each of them.
fn empty_archive() -> Vec<u8> {
    const END: &str = "TRAILER!!!";
    let mut archive = b"070701".to_vec();
    // Thirteen fields in hexadecimal digits; the twelfth is the name's length.
    for field in 0..13 {
        let value = if field == 11 { END.len() + 1 } else { 0 };
        archive.extend_from_slice(format!("{value:08X}").as_bytes());
    }
    archive.extend_from_slice(END.as_bytes());
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(512), 0);
    archive
}

/// Reset code starts with an always-executed instruction, or with the
/// unconditional CPS that masks interrupts.
pub(crate) fn is_arm_instruction(word: u32) -> bool {
    word >> 28 == 0xE || word >> 20 == 0xF10
}

/// Lays the file-backed parts of all PT_LOAD segments of an ELF file out in
/// memory order, from its entry point. What has no bytes in the file (.bss,
/// stacks) is left out, and so are the ELF headers, which linkers like to put
/// into the first segment.
///
/// With `address`, the entry point has to be there.
pub fn flatten(input: &[u8], address: Option<u32>) -> Result<Vec<u8>, Error> {
    let bad = |why: object::Error| Error::Elf(why.to_string());
    let header = elf::FileHeader32::<Endianness>::parse(input).map_err(bad)?;
    let endian = header.endian().map_err(bad)?;
    if endian != Endianness::Little || header.e_machine(endian) != elf::EM_ARM {
        return Err(Error::Elf("not for little-endian ARM".to_owned()));
    }
    let base = header.e_entry(endian);
    let mut segments = Vec::new();
    for segment in header.program_headers(endian, input).map_err(bad)? {
        if segment.p_type(endian) != elf::PT_LOAD || segment.p_filesz(endian) == 0 {
            continue;
        }
        let mut start = segment.p_paddr(endian);
        let mut data = segment
            .data(endian, input)
            .map_err(|()| Error::Elf("a segment reaches past the end of the file".to_owned()))?;
        if start < base && segment.p_offset(endian) == 0 {
            data = data.get((base - start) as usize..).unwrap_or(&[]);
            start = base;
        }
        if !data.is_empty() {
            segments.push((start, data));
        }
    }
    segments.sort_by_key(|&(start, _)| start);
    let &(first, _) = segments.first().ok_or(Error::Empty)?;
    if address.is_some_and(|address| address != first) {
        return Err(Error::LinkAddress(first.into()));
    }
    if first != base {
        return Err(Error::Entry(base.into()));
    }
    lay_out(base, &segments)
}

/// Puts `segments`, sorted by address, at their distances from `base`.
fn lay_out(base: u32, segments: &[(u32, &[u8])]) -> Result<Vec<u8>, Error> {
    let mut image = Vec::new();
    for &(address, data) in segments {
        let offset = (address - base) as usize;
        let end = offset.saturating_add(data.len());
        // Checked before the gap is filled: a stray segment at the end of the
        // address space must not cost gigabytes.
        if end > FLAT_MAX {
            return Err(Error::TooBig(end, FLAT_MAX));
        }
        if offset < image.len() {
            return Err(Error::Elf(format!("segments overlap at {address:#x}")));
        }
        image.resize(offset, 0);
        image.extend_from_slice(data);
    }
    Ok(image)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const BRANCH: [u8; 4] = [0x07, 0x00, 0x00, 0xEA];

    /// A minimal ARM executable: header, program headers, segment bytes.
    fn elf_file(entry: u32, segments: &[(u32, &[u8], u32)]) -> Vec<u8> {
        let mut file = b"\x7fELF\x01\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend_from_slice(&2u16.to_le_bytes());
        file.extend_from_slice(&40u16.to_le_bytes());
        for word in [1, entry, 52, 0, 0] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        for half in [52u16, 32, segments.len() as u16, 40, 0, 0] {
            file.extend_from_slice(&half.to_le_bytes());
        }
        let mut offset = 52 + 32 * segments.len() as u32;
        for (address, data, memory) in segments {
            let size = data.len() as u32;
            for word in [1, offset, *address, *address, size, *memory, 5, 4] {
                file.extend_from_slice(&word.to_le_bytes());
            }
            offset += size;
        }
        for (_, data, _) in segments {
            file.extend_from_slice(data);
        }
        file
    }

    #[test]
    fn segments_are_laid_out_in_order_and_bss_is_left_out() {
        let file = elf_file(
            LK_ADDRESS,
            &[
                (LK_ADDRESS + 0x20, b"data", 4),
                (LK_ADDRESS, &BRANCH, 4),
                (LK_ADDRESS + 0x1000, b"", 0x8000),
            ],
        );
        let image = payload(&file).unwrap();
        assert_eq!(image.len(), 0x24);
        assert_eq!(image[..4], BRANCH);
        assert!(image[4..0x20].iter().all(|&b| b == 0));
        assert_eq!(&image[0x20..], b"data");
    }

    #[test]
    fn elf_headers_in_the_first_segment_are_left_out() {
        // One segment that maps the file from its first byte, as linkers make
        // it when the headers fit below the code.
        let mut file = elf_file(LK_ADDRESS, &[(LK_ADDRESS - 0x100, &[], 0)]);
        file.resize(0x100, 0x77);
        file.extend_from_slice(&BRANCH);
        for (field, value) in [(4, 0), (16, 0x104u32)] {
            file[52 + field..][..4].copy_from_slice(&value.to_le_bytes());
        }
        assert_eq!(payload(&file).unwrap(), BRANCH);
    }

    #[test]
    fn the_size_limit_is_exact() {
        let mut raw = BRANCH.to_vec();
        raw.resize(LK_PAYLOAD_MAX, 0);
        let image = lk_image(&raw, LK_NAME).unwrap();
        assert_eq!(image.len(), 0x6_0000);
        raw.push(0);
        assert_eq!(
            lk_image(&raw, LK_NAME),
            Err(Error::TooBig(0x5_FE01, LK_PAYLOAD_MAX))
        );
    }

    #[test]
    fn wrong_addresses_are_refused() {
        let file = elf_file(0x8108_0000, &[(0x8108_0000, &BRANCH, 4)]);
        assert_eq!(payload(&file), Err(Error::LinkAddress(0x8108_0000)));
        let file = elf_file(LK_ADDRESS + 4, &[(LK_ADDRESS, &BRANCH, 4)]);
        assert_eq!(payload(&file), Err(Error::Entry(0x8002_0004)));
        let far = elf_file(
            LK_ADDRESS,
            &[(LK_ADDRESS, &BRANCH, 4), (0xFFFF_FFF0, &BRANCH, 4)],
        );
        assert!(matches!(payload(&far), Err(Error::TooBig(..))));
    }

    #[test]
    fn overlapping_and_truncated_segments_are_refused() {
        let file = elf_file(
            LK_ADDRESS,
            &[(LK_ADDRESS, &[0xEA; 16], 16), (LK_ADDRESS + 8, &BRANCH, 4)],
        );
        assert!(matches!(payload(&file), Err(Error::Elf(_))));
        let mut file = elf_file(LK_ADDRESS, &[(LK_ADDRESS, &[0xEA; 64], 64)]);
        file.truncate(100);
        assert!(matches!(payload(&file), Err(Error::Elf(_))));
        for length in 0..file.len() {
            assert!(payload(&file[..length]).is_err());
        }
    }

    #[test]
    fn our_own_image_is_packed_again_to_the_same_bytes() {
        let image = lk_image(&crate::compress::example(), LK_NAME).unwrap();
        assert_eq!(lk_image(&image, LK_NAME).unwrap(), image);
        // As read back from the partition, with what lay behind it.
        let mut padded = image.clone();
        padded.resize(0x6_0000, 0xFF);
        assert_eq!(lk_image(&padded, LK_NAME).unwrap(), image);
        assert!(payload(&image[..image.len() - 1]).is_err(), "truncated");
    }

    #[test]
    fn as_a_boot_image_it_keeps_the_rules_of_stock_loaders() {
        let mut payload = BRANCH.to_vec();
        payload.resize(0x12345, 0x5A);
        for (headers, name) in [
            (SubHeaders::Boot, "ROOTFS"),
            (SubHeaders::Recovery, "RECOVERY"),
        ] {
            let image = boot_image(&payload, headers).unwrap();
            assert!(image.starts_with(b"ANDROID!"));
            let kernel = Header::parse(&image[2048..]).unwrap();
            assert_eq!((kernel.name(), kernel.payload_len), ("KERNEL", 0x12345));
            assert_eq!(image[2048 + 512..][..payload.len()], payload);
            let ramdisk = 2048 + (512 + payload.len()).next_multiple_of(2048);
            assert_eq!(Header::parse(&image[ramdisk..]).unwrap().name(), name);
        }
        let plain = boot_image(&payload, SubHeaders::None).unwrap();
        assert_eq!(plain[2048..][..payload.len()], payload);
    }

    #[test]
    fn whatever_it_was_packed_as_it_can_be_packed_again() {
        let inner = crate::compress::example();
        for headers in [SubHeaders::Boot, SubHeaders::Recovery, SubHeaders::None] {
            let image = boot_image(&inner, headers).unwrap();
            assert_eq!(payload(&image).unwrap(), inner);
            assert!(payload(&image[..image.len() / 2]).is_err(), "cut off");
        }
        assert_eq!(payload(&inner).unwrap(), inner);
        let other = boot_image(&BRANCH, SubHeaders::Boot).unwrap();
        assert_eq!(payload(&other), Err(Error::Kind(Kind::BootImage)));
    }

    #[test]
    fn other_files_are_refused_by_name() {
        let packed = lk_image(&BRANCH, LK_NAME).unwrap();
        assert_eq!(payload(&packed), Err(Error::Kind(Kind::MediatekImage)));
        assert_eq!(payload(b"MMM\x01...."), Err(Error::Kind(Kind::Preloader)));
        assert_eq!(payload(b"ANDROID!...."), Err(Error::Kind(Kind::BootImage)));
        assert_eq!(payload(&[0; 64]), Err(Error::FirstWord(0)));
        assert_eq!(payload(&[0xFF; 64]), Err(Error::FirstWord(u32::MAX)));
        assert_eq!(payload(&[0xEA]), Err(Error::Empty));
    }
}
