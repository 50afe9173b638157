//! Android boot images, version 0, as they lie in BOOTIMG and RECOVERY: with
//! MediaTek's 512-byte header before each section (stock) or without
//! (everybody else).
//!
//! The result is a list of [`Piece`]s, offsets into the partition, so that the
//! loader lets the card write each one straight to its destination. Every
//! number is checked against the partition before a byte is loaded. Addresses
//! in the header and its hash are ignored, as the vendor's loader ignores
//! them. Source: facts/storage-and-images.md 5.1 to 5.4.

use crate::block::ReadAt;
use crate::bytes::{Bytes, align_up};
use crate::header::{HEADER_LEN, Header, HeaderError, MAGIC as MTK_MAGIC};

/// Bytes of the header that mean something.
pub const ANDROID_HEADER_LEN: usize = 1632;
/// Smallest page size, and the only one of stock images.
pub const MIN_PAGE: u32 = 2048;
/// Largest page size that any tool writes.
pub const MAX_PAGE: u32 = 16384;

const MAGIC: &[u8; 8] = b"ANDROID!";
const FDT_MAGIC: u32 = 0xD00D_FEED;
const FDT_HEADER_LEN: u32 = 40;

/// A section of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Section {
    /// zImage, possibly with a device tree after it.
    Kernel,
    /// Initial RAM disk.
    Ramdisk,
    /// Second stage; here a device tree.
    Second,
}

impl Section {
    /// Name for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Ramdisk => "ramdisk",
            Self::Second => "second stage",
        }
    }
}

impl core::fmt::Display for Section {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

error_enum! {
    /// Why a partition does not hold a boot image that can be loaded.
    pub enum ImageError {
        /// The medium could not be read.
        Read => "IMG-READ", "boot image cannot be read from the card: trying the next image";
        /// No `ANDROID!` at the start.
        Magic => "IMG-MAGIC", "partition holds no Android boot image: flash one";
        /// A page size that is no power of two from 2048 to 16384.
        Page { /** The page size found. */ bytes: u32 }
            => "IMG-PAGE", "boot image has a page size of {bytes} bytes, possible are 2048 to 16384: build it again";
        /// A kernel of 0 bytes.
        NoKernel => "IMG-KERNEL", "boot image has no kernel: build it again";
        /// The kernel is this bootloader itself, packed for stock loaders.
        Itself => "IMG-SELF", "boot image holds unilk itself: taking the other one";
        /// A section that ends behind the partition, or wraps around.
        Outside { /** The section. */ section: Section, /** Its bytes. */ bytes: u32, /** Bytes of the partition. */ partition: u32 }
            => "IMG-SIZE", "boot image's {section} of {bytes:#x} bytes ends behind the partition of {partition:#x} bytes: flash an image that fits";
        /// MediaTek's header inside a section announces more than it holds.
        Inner { /** The section. */ section: Section, /** Bytes announced. */ bytes: u32, /** Bytes there are. */ room: u32 }
            => "IMG-INNER", "MediaTek header of the {section} announces {bytes:#x} bytes where {room:#x} are: build the image again";
        /// A device tree that is shorter than its header or ends behind its section.
        Tree { /** Bytes that it claims. */ bytes: u32, /** Bytes there are. */ room: u32 }
            => "FDT-SIZE", "device tree claims {bytes:#x} bytes where {room:#x} are: it is cut off or broken";
    }
}

/// One thing to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Piece {
    /// Byte offset in the partition.
    pub offset: u32,
    /// Bytes, without MediaTek's header.
    pub len: u32,
    /// True if MediaTek's header stands before it.
    pub wrapped: bool,
    /// True if that header's name is one the vendor's loader would refuse
    /// (it expects KERNEL, ROOTFS or RECOVERY): worth a line in the log.
    pub odd_name: bool,
    /// True if that header has fields which only 4.4-era packers fill.
    pub later_packer: bool,
}

/// A checked boot image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootImage {
    /// The kernel section: zImage, possibly with a tree after it (see
    /// [`crate::zimage::appended_tree`]).
    pub kernel: Piece,
    /// The RAM disk.
    pub ramdisk: Option<Piece>,
    /// A device tree in the second-stage section.
    pub tree: Option<Piece>,
    /// True if there is a second stage that is no device tree; it is ignored.
    pub second_ignored: bool,
    /// Page size of the sections.
    pub page_bytes: u32,
    cmdline: [u8; 512],
    extra_cmdline: [u8; 1024],
}

impl BootImage {
    /// Reads header page and section starts of the image in `source`, a
    /// partition of `partition` bytes. At most four small reads.
    pub fn open<R: ReadAt>(source: &mut R, partition: u32) -> Result<Self, ImageError> {
        let mut page = [0; MIN_PAGE as usize];
        source.read_at(0, &mut page).map_err(|_| ImageError::Read)?;
        let plan = Plan::new(&page, partition)?;
        let kernel = piece(source, Section::Kernel, plan.kernel)?.0;
        let ramdisk = match plan.ramdisk {
            Some(extent) => Some(piece(source, Section::Ramdisk, extent)?.0),
            None => None,
        };
        let (tree, second_ignored) = match plan.second {
            Some(extent) => second(source, extent)?,
            None => (None, false),
        };
        let bytes = Bytes::new(&page);
        Ok(Self {
            kernel,
            ramdisk,
            tree,
            second_ignored,
            page_bytes: plan.page,
            cmdline: bytes.array(0x40).ok_or(ImageError::Read)?,
            extra_cmdline: bytes.array(0x260).ok_or(ImageError::Read)?,
        })
    }

    /// The command line in its two parts; the second continues the first
    /// without a space. Empty in stock images, and `None` for what is no text.
    pub fn cmdline(&self) -> (Option<&str>, Option<&str>) {
        let main = Bytes::new(&self.cmdline).text(0, self.cmdline.len());
        let extra = Bytes::new(&self.extra_cmdline).text(0, self.extra_cmdline.len());
        (main, extra)
    }
}

#[derive(Clone, Copy)]
struct Extent {
    offset: u32,
    len: u32,
}

struct Plan {
    page: u32,
    kernel: Extent,
    ramdisk: Option<Extent>,
    second: Option<Extent>,
}

impl Plan {
    /// Lays out the sections. A stock kernel's size is already rounded up to
    /// a page and a recovery's is not; rounding again is right for both.
    fn new(page: &[u8], partition: u32) -> Result<Self, ImageError> {
        let bytes = Bytes::new(page);
        if bytes.slice(0, 8) != Some(MAGIC) {
            return Err(ImageError::Magic);
        }
        let word = |offset| bytes.u32(offset).ok_or(ImageError::Read);
        let page = word(0x24)?;
        if !page.is_power_of_two() || !(MIN_PAGE..=MAX_PAGE).contains(&page) {
            return Err(ImageError::Page { bytes: page });
        }
        let (kernel_len, ramdisk_len, second_len) = (word(0x08)?, word(0x10)?, word(0x18)?);
        if kernel_len == 0 {
            return Err(ImageError::NoKernel);
        }
        let mut next = page;
        let mut take = |section, len: u32| {
            let outside = ImageError::Outside {
                section,
                bytes: len,
                partition,
            };
            let extent = Extent { offset: next, len };
            let end = next
                .checked_add(len)
                .filter(|&end| end <= partition)
                .ok_or(outside)?;
            next = align_up(end, page).ok_or(outside)?;
            Ok(extent)
        };
        Ok(Self {
            page,
            kernel: take(Section::Kernel, kernel_len)?,
            ramdisk: if ramdisk_len == 0 {
                None
            } else {
                Some(take(Section::Ramdisk, ramdisk_len)?)
            },
            second: if second_len == 0 {
                None
            } else {
                Some(take(Section::Second, second_len)?)
            },
        })
    }
}

/// The payload of a section, and its first bytes as far as they were read.
fn piece<R: ReadAt>(
    source: &mut R,
    section: Section,
    extent: Extent,
) -> Result<(Piece, [u8; HEADER_LEN]), ImageError> {
    let mut head = [0; HEADER_LEN];
    let seen = head.len().min(extent.len as usize);
    source
        .read_at(extent.offset, &mut head[..seen])
        .map_err(|_| ImageError::Read)?;
    let plain = Piece {
        offset: extent.offset,
        len: extent.len,
        wrapped: false,
        odd_name: false,
        later_packer: false,
    };
    if Bytes::new(&head).u32(0) != Some(MTK_MAGIC) {
        return Ok((plain, head));
    }
    let room = extent.len.saturating_sub(HEADER_LEN as u32);
    let header = Header::parse(&head[..seen]);
    // Only the name may be odd; it is nobody's business but the log's.
    let len = match header {
        Ok(header) => header.payload_len,
        Err(HeaderError::Name) => Bytes::new(&head).u32(4).unwrap_or(0),
        Err(_) => 0,
    };
    if len == 0 || len > room {
        return Err(ImageError::Inner {
            section,
            bytes: len,
            room,
        });
    }
    let usual = header.is_ok_and(|header| usual_name(section, header.name()));
    let later_packer =
        header.is_ok_and(|header| header.load_address.is_some() || header.mode.is_some());
    let wrapped = Piece {
        offset: extent.offset + HEADER_LEN as u32,
        len,
        wrapped: true,
        odd_name: !usual,
        later_packer,
    };
    Ok((wrapped, head))
}

fn usual_name(section: Section, name: &str) -> bool {
    match section {
        Section::Kernel => name == "KERNEL",
        Section::Ramdisk => name == "ROOTFS" || name == "RECOVERY",
        Section::Second => true,
    }
}

/// A second stage is used if it is a device tree, and ignored otherwise.
fn second<R: ReadAt>(source: &mut R, extent: Extent) -> Result<(Option<Piece>, bool), ImageError> {
    let (piece, head) = piece(source, Section::Second, extent)?;
    let mut start = [0; 8];
    if piece.wrapped {
        let seen = start.len().min(piece.len as usize);
        source
            .read_at(piece.offset, &mut start[..seen])
            .map_err(|_| ImageError::Read)?;
    } else {
        start.copy_from_slice(&head[..8]);
    }
    let tree = tree_len(&start, piece.len)?.map(|len| Piece { len, ..piece });
    Ok((tree, tree.is_none()))
}

/// Size of the device tree whose first eight bytes are `start`, if it is one.
/// What is inside is the tree parser's matter.
///
/// A tree that cannot be as long as it says is an error, not "no tree": the
/// board that it describes is not the generic one, and a kernel built for
/// appended trees would still take it from behind the zImage.
pub fn tree_len(start: &[u8], room: u32) -> Result<Option<u32>, ImageError> {
    let bytes = Bytes::new(start);
    let (Some(FDT_MAGIC), Some(len)) = (bytes.u32_be(0), bytes.u32_be(4)) else {
        return Ok(None);
    };
    if (FDT_HEADER_LEN..=room).contains(&len) {
        Ok(Some(len))
    } else {
        Err(ImageError::Tree { bytes: len, room })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fuzz::fuzz;
    use std::vec::Vec;

    const PARTITION: u32 = 0x60_0000;

    fn pad(data: &mut Vec<u8>, page: usize) {
        data.resize(data.len().next_multiple_of(page), 0);
    }

    fn image(page: usize, kernel: &[u8], ramdisk: &[u8], second: &[u8]) -> Vec<u8> {
        let mut data = std::vec![0; 1632];
        data[..8].copy_from_slice(b"ANDROID!");
        let mut put = |at: usize, value: usize| {
            data[at..at + 4].copy_from_slice(&(value as u32).to_le_bytes());
        };
        put(0x08, kernel.len());
        put(0x0C, 0x1000_8000);
        put(0x10, ramdisk.len());
        put(0x18, second.len());
        put(0x24, page);
        data[0x40..0x4A].copy_from_slice(b"quiet loop");
        data[0x260..0x266].copy_from_slice(b"=1 x=2");
        for section in [kernel, ramdisk, second] {
            pad(&mut data, page);
            data.extend_from_slice(section);
        }
        pad(&mut data, page);
        data
    }

    fn wrapped(name: &str, payload: usize) -> Vec<u8> {
        let mut data = Header::build(name, payload as u32).unwrap().to_vec();
        data.resize(data.len() + payload, 0x5A);
        data
    }

    fn open(data: &[u8]) -> Result<BootImage, ImageError> {
        BootImage::open(&mut &data[..], PARTITION)
    }

    #[test]
    fn stock_boot_image_with_the_rounded_kernel_size() {
        // The A516's numbers: kernel 0x3D1E80 + header, rounded to 0x3D2800.
        let mut kernel = wrapped("KERNEL", 0x3D_1E80);
        pad(&mut kernel, 2048);
        let image = open(&image(2048, &kernel, &wrapped("ROOTFS", 0x9_260D), &[])).unwrap();
        assert_eq!(
            (image.kernel.offset, image.kernel.len),
            (0x800 + 0x200, 0x3D_1E80)
        );
        let ramdisk = image.ramdisk.unwrap();
        assert_eq!(
            (ramdisk.offset, ramdisk.len),
            (0x800 + 0x3D_2800 + 0x200, 0x9_260D)
        );
        assert!(image.kernel.wrapped && !image.kernel.odd_name && !ramdisk.odd_name);
    }

    #[test]
    fn stock_recovery_with_the_exact_kernel_size() {
        let image = open(&image(
            2048,
            &wrapped("KERNEL", 0x3D_1E80),
            &wrapped("RECOVERY", 0x1000),
            &[],
        ))
        .unwrap();
        assert_eq!(image.ramdisk.unwrap().offset, 0x800 + 0x3D_2800 + 0x200);
        assert!(!image.ramdisk.unwrap().odd_name);
    }

    #[test]
    fn plain_image_with_a_tree_as_second_stage() {
        let mut tree = std::vec![0xD0, 0x0D, 0xFE, 0xED, 0, 0, 0, 0x40];
        tree.resize(0x60, 0);
        let image = open(&image(4096, &[1; 5000], &[2; 10], &tree)).unwrap();
        assert_eq!(
            (image.kernel.offset, image.kernel.len, image.kernel.wrapped),
            (4096, 5000, false)
        );
        assert_eq!(
            (image.ramdisk.unwrap().offset, image.ramdisk.unwrap().len),
            (4096 * 3, 10)
        );
        assert_eq!(
            (image.tree.unwrap().offset, image.tree.unwrap().len),
            (4096 * 4, 0x40)
        );
        assert_eq!(image.cmdline(), (Some("quiet loop"), Some("=1 x=2")));
    }

    #[test]
    fn second_stage_that_is_no_tree_is_ignored() {
        let image = open(&image(2048, &[1; 10], &[], &[3; 100])).unwrap();
        assert_eq!(
            (image.tree, image.second_ignored, image.ramdisk),
            (None, true, None)
        );
    }

    #[test]
    fn wrapped_tree_in_the_second_stage() {
        let mut second = wrapped("DTB", 0x60);
        second[512..520].copy_from_slice(&[0xD0, 0x0D, 0xFE, 0xED, 0, 0, 0, 0x60]);
        let image = open(&image(2048, &[1; 10], &[2; 10], &second)).unwrap();
        assert_eq!(image.tree.unwrap().len, 0x60);
    }

    #[test]
    fn names_that_hang_the_vendor_loader_are_only_noted() {
        let image = open(&image(
            2048,
            &wrapped("zImage", 100),
            &wrapped("ramdisk", 100),
            &[],
        ))
        .unwrap();
        assert!(image.kernel.odd_name && image.ramdisk.unwrap().odd_name);
    }

    #[test]
    fn page_sizes_from_outside() {
        for page in [0u32, 1, 512, 1024, 3000, 32768, 0x8000_0000, 0xFFFF_FFFF] {
            let mut data = image(2048, &[1; 10], &[], &[]);
            data[0x24..0x28].copy_from_slice(&page.to_le_bytes());
            assert_eq!(open(&data), Err(ImageError::Page { bytes: page }));
        }
    }

    #[test]
    fn sections_that_overflow_or_leave_the_partition() {
        let with = |at: usize, value: u32| {
            let mut data = image(2048, &[1; 10], &[2; 10], &[]);
            data[at..at + 4].copy_from_slice(&value.to_le_bytes());
            open(&data)
        };
        let outside = |section, bytes| {
            Err(ImageError::Outside {
                section,
                bytes,
                partition: PARTITION,
            })
        };
        assert_eq!(with(0x08, 0), Err(ImageError::NoKernel));
        assert_eq!(
            with(0x08, 0xFFFF_F900),
            outside(Section::Kernel, 0xFFFF_F900)
        );
        assert_eq!(
            with(0x08, PARTITION - 0x7FF),
            outside(Section::Kernel, PARTITION - 0x7FF)
        );
        assert_eq!(with(0x10, PARTITION), outside(Section::Ramdisk, PARTITION));
        assert_eq!(
            with(0x18, 0xFFFF_FFFF),
            outside(Section::Second, 0xFFFF_FFFF)
        );
    }

    #[test]
    fn inner_header_that_lies() {
        let mut kernel = wrapped("KERNEL", 100);
        kernel[4..8].copy_from_slice(&101u32.to_le_bytes());
        let data = image(2048, &kernel, &[], &[]);
        assert_eq!(
            open(&data),
            Err(ImageError::Inner {
                section: Section::Kernel,
                bytes: 101,
                room: 100
            })
        );
        let truncated = image(2048, &wrapped("KERNEL", 100)[..300], &[], &[]);
        assert!(matches!(
            open(&truncated),
            Err(ImageError::Inner { room: 0, .. })
        ));
        assert_eq!(open(&[0; 4096]), Err(ImageError::Magic));
        assert_eq!(open(b"ANDROID!"), Err(ImageError::Read));
    }

    #[test]
    fn any_bytes_return_and_pieces_stay_inside() {
        let seed = image(
            2048,
            &wrapped("KERNEL", 3000),
            &wrapped("ROOTFS", 1000),
            &[0xD0, 0x0D, 0xFE, 0xED, 0, 0, 0, 8],
        );
        fuzz(&seed, 20_000, |data| {
            if let Ok(image) = open(data) {
                for piece in [Some(image.kernel), image.ramdisk, image.tree]
                    .into_iter()
                    .flatten()
                {
                    assert!(piece.offset.checked_add(piece.len).unwrap() <= PARTITION);
                }
                let _ = image.cmdline();
            }
        });
    }
}
