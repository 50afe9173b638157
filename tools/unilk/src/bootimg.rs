//! Builds Android version 0 boot images, plain or with the MediaTek
//! sub-headers that stock loaders of this chip insist on.
//!
//! Source: facts/storage-and-images.md 5.1, 5.2, 5.4.

use crate::bytes::put_u32;
use crate::mtk;
use sha1::{Digest, Sha1};
use std::fmt;

/// Page size that vendor loaders of this chip have built in.
pub const VENDOR_PAGE_BYTES: u32 = 2048;
/// Longest command line: the two fields of the header, less the last NUL.
pub const CMDLINE_MAX: usize = CMDLINE_BYTES + EXTRA_CMDLINE_BYTES - 1;

const HEADER_BYTES: usize = 1632;
const CMDLINE_BYTES: usize = 512;
const CMDLINE_OFFSET: usize = 0x40;
const EXTRA_CMDLINE_BYTES: usize = 1024;
const EXTRA_CMDLINE_OFFSET: usize = 0x260;
const NAME_OFFSET: usize = 0x30;
const NAME_BYTES: usize = 16;
const ID_OFFSET: usize = 0x240;

/// Load addresses in the header. Vendor loaders ignore them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Kernel.
    pub kernel: u32,
    /// Ramdisk.
    pub ramdisk: u32,
    /// Second stage.
    pub second: u32,
    /// ATAGs or device tree.
    pub tags: u32,
}

impl Default for Addresses {
    /// Those of stock images (verified on a Lenovo A516).
    fn default() -> Self {
        Self {
            kernel: 0x1000_8000,
            ramdisk: 0x1100_0000,
            second: 0x10F0_0000,
            tags: 0x1000_0100,
        }
    }
}

/// Where a device tree goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TreePlace {
    /// Directly behind the zImage, where the kernel itself and every loader
    /// that knows appended trees look.
    #[default]
    Appended,
    /// In the second-stage section.
    SecondStage,
}

/// Which MediaTek sub-headers to put in front of kernel and ramdisk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubHeaders {
    /// None: a plain Android image.
    None,
    /// `KERNEL` and `ROOTFS`, for the BOOTIMG partition.
    #[default]
    Boot,
    /// `KERNEL` and `RECOVERY`, for the RECOVERY partition.
    Recovery,
}

/// What goes into a boot image.
#[derive(Clone, Debug)]
pub struct BootImage {
    /// zImage.
    pub kernel: Vec<u8>,
    /// Compressed cpio; may be empty.
    pub ramdisk: Vec<u8>,
    /// Device tree, if there is one.
    pub device_tree: Option<Vec<u8>>,
    /// Where the device tree goes.
    pub tree_place: TreePlace,
    /// MediaTek sub-headers.
    pub sub_headers: SubHeaders,
    /// Page size in bytes: a power of two from 2048 to 64 KiB.
    pub page_bytes: u32,
    /// Kernel command line, at most [`CMDLINE_MAX`] bytes.
    pub cmdline: String,
    /// Product name, at most 15 bytes.
    pub name: String,
    /// Whether to fill in the SHA-1 of the sections, which nothing checks.
    pub with_id: bool,
    /// Load addresses.
    pub addresses: Addresses,
}

impl Default for BootImage {
    fn default() -> Self {
        Self {
            kernel: Vec::new(),
            ramdisk: Vec::new(),
            device_tree: None,
            tree_place: TreePlace::default(),
            sub_headers: SubHeaders::default(),
            page_bytes: VENDOR_PAGE_BYTES,
            cmdline: String::new(),
            name: String::new(),
            with_id: true,
            addresses: Addresses::default(),
        }
    }
}

/// Why an image could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// No kernel.
    NoKernel,
    /// Page size not a power of two from 2048 to 65536.
    PageSize(u32),
    /// Command line longer than [`CMDLINE_MAX`] or with a NUL in it.
    Cmdline(usize),
    /// Product name longer than 15 bytes or with a NUL in it.
    Name,
    /// A section of 4 GiB or more.
    TooBig,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKernel => write!(f, "the kernel is empty"),
            Self::PageSize(size) => {
                write!(
                    f,
                    "page size {size} is not a power of two from 2048 to 65536"
                )
            }
            Self::Cmdline(length) => write!(
                f,
                "command line of {length} bytes is longer than {CMDLINE_MAX} or holds a NUL"
            ),
            Self::Name => write!(f, "product name is longer than 15 bytes or holds a NUL"),
            Self::TooBig => write!(f, "a section is 4 GiB or larger"),
        }
    }
}

impl std::error::Error for Error {}

impl BootImage {
    /// The image, padded to whole pages.
    pub fn build(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        let [kernel, ramdisk, second] = self.sections()?;
        let mut header = vec![0; HEADER_BYTES];
        header[..8].copy_from_slice(b"ANDROID!");
        let words = [
            (0x08, size(&kernel)?),
            (0x0C, self.addresses.kernel),
            (0x10, size(&ramdisk)?),
            (0x14, self.addresses.ramdisk),
            (0x18, size(&second)?),
            (0x1C, self.addresses.second),
            (0x20, self.addresses.tags),
            (0x24, self.page_bytes),
        ];
        for (offset, value) in words {
            put_u32(&mut header, offset, value);
        }
        header[NAME_OFFSET..][..self.name.len()].copy_from_slice(self.name.as_bytes());
        self.put_cmdline(&mut header);
        if self.with_id {
            header[ID_OFFSET..][..20].copy_from_slice(&id(&[&kernel, &ramdisk, &second]));
        }

        let mut image = Vec::new();
        for section in [header, kernel, ramdisk, second] {
            image.extend_from_slice(&section);
            image.resize(image.len().next_multiple_of(self.page_bytes as usize), 0);
        }
        Ok(image)
    }

    fn check(&self) -> Result<(), Error> {
        if self.kernel.is_empty() {
            return Err(Error::NoKernel);
        }
        if !self.page_bytes.is_power_of_two() || !(2048..=65536).contains(&self.page_bytes) {
            return Err(Error::PageSize(self.page_bytes));
        }
        if self.cmdline.len() > CMDLINE_MAX || self.cmdline.contains('\0') {
            return Err(Error::Cmdline(self.cmdline.len()));
        }
        if self.name.len() >= NAME_BYTES || self.name.contains('\0') {
            return Err(Error::Name);
        }
        Ok(())
    }

    /// Kernel, ramdisk and second stage as they go into the image.
    fn sections(&self) -> Result<[Vec<u8>; 3], Error> {
        let mut kernel = self.kernel.clone();
        let mut second = Vec::new();
        match (&self.device_tree, self.tree_place) {
            (Some(tree), TreePlace::Appended) => kernel.extend_from_slice(tree),
            (Some(tree), TreePlace::SecondStage) => second.clone_from(tree),
            (None, _) => {}
        }
        let mut ramdisk = self.ramdisk.clone();
        let ramdisk_name = match self.sub_headers {
            SubHeaders::None => return Ok([kernel, ramdisk, second]),
            SubHeaders::Boot => "ROOTFS",
            SubHeaders::Recovery => "RECOVERY",
        };
        let wrap = |name, data: &[u8]| mtk::with_header(name, data).map_err(|_| Error::TooBig);
        kernel = wrap("KERNEL", &kernel)?;
        if !ramdisk.is_empty() {
            ramdisk = wrap(ramdisk_name, &ramdisk)?;
        }
        Ok([kernel, ramdisk, second])
    }

    /// The first 512 bytes go into the old field, the rest into the extra one;
    /// readers take the two as one string.
    fn put_cmdline(&self, header: &mut [u8]) {
        let line = self.cmdline.as_bytes();
        let (first, rest) = line.split_at(line.len().min(CMDLINE_BYTES));
        header[CMDLINE_OFFSET..][..first.len()].copy_from_slice(first);
        header[EXTRA_CMDLINE_OFFSET..][..rest.len()].copy_from_slice(rest);
    }
}

fn size(section: &[u8]) -> Result<u32, Error> {
    u32::try_from(section.len()).map_err(|_| Error::TooBig)
}

/// SHA-1 over each section followed by its length.
fn id(sections: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    for section in sections {
        hash.update(section);
        hash.update((section.len() as u32).to_le_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bytes::u32_at;

    fn image() -> BootImage {
        BootImage {
            kernel: vec![0x11; 3000],
            ramdisk: vec![0x22; 100],
            ..BootImage::default()
        }
    }

    #[test]
    fn stock_layout_with_sub_headers() {
        let built = image().build().unwrap();
        assert_eq!(u32_at(&built, 0x0C), Some(0x1000_8000));
        assert_eq!(u32_at(&built, 0x24), Some(0x800));
        // Sizes include the sub-headers.
        assert_eq!(u32_at(&built, 0x08), Some(3512));
        assert_eq!(u32_at(&built, 0x10), Some(612));
        let kernel = mtk::Header::parse(&built[0x800..]).unwrap();
        assert_eq!((kernel.name(), kernel.payload_len), ("KERNEL", 3000));
        let ramdisk = mtk::Header::parse(&built[0x800 + 0x1000..]).unwrap();
        assert_eq!((ramdisk.name(), ramdisk.payload_len), ("ROOTFS", 100));
        assert_eq!(built.len(), 0x800 + 0x1000 + 0x800);
    }

    #[test]
    fn recovery_has_its_own_ramdisk_name() {
        let mut recovery = image();
        recovery.sub_headers = SubHeaders::Recovery;
        let built = recovery.build().unwrap();
        assert_eq!(
            mtk::Header::parse(&built[0x1800..]).unwrap().name(),
            "RECOVERY"
        );
    }

    #[test]
    fn the_tree_goes_where_it_was_sent() {
        let mut with_tree = image();
        with_tree.device_tree = Some(b"tree".to_vec());
        let appended = with_tree.build().unwrap();
        assert_eq!(&appended[0xA00 + 3000..0xA00 + 3004], b"tree");
        assert_eq!(u32_at(&appended, 0x08), Some(3516));
        with_tree.tree_place = TreePlace::SecondStage;
        with_tree.sub_headers = SubHeaders::None;
        let second = with_tree.build().unwrap();
        assert_eq!(u32_at(&second, 0x18), Some(4));
        assert_eq!(&second[0x800 + 0x1000 + 0x800..][..4], b"tree");
    }

    #[test]
    fn a_long_command_line_goes_on_in_the_extra_field() {
        let mut long = image();
        long.cmdline = "a".repeat(512) + "bc";
        let built = long.build().unwrap();
        assert_eq!(built[0x40 + 511], b'a');
        assert_eq!(&built[0x260..0x263], b"bc\0");
        long.cmdline = "a".repeat(CMDLINE_MAX + 1);
        assert_eq!(long.build(), Err(Error::Cmdline(CMDLINE_MAX + 1)));
    }

    #[test]
    fn bad_page_sizes_and_empty_kernels_are_refused() {
        for page in [0, 1, 512, 3000, 131_072] {
            let mut bad = image();
            bad.page_bytes = page;
            assert_eq!(bad.build(), Err(Error::PageSize(page)));
        }
        assert_eq!(BootImage::default().build(), Err(Error::NoKernel));
    }
}
