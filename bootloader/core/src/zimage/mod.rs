//! zImage: its header, how large the kernel in it is, whether a device tree
//! follows it, and where it will place itself ([`Placement`]).
//!
//! Everything is found without running the image. Source:
//! facts/storage-and-images.md 5.3, 5.4; the table behind +0x34 was checked
//! against Debian's 5.10, 6.1 and 6.12 armmp kernels.

mod placement;

pub use placement::Placement;

use crate::block::ReadAt;
use crate::bootimg::{ImageError, tree_len};
use crate::bytes::Bytes;

/// Word at +0x24.
pub const MAGIC: u32 = 0x016F_2818;
/// Bytes from the start that must be at hand to judge an image: header and
/// the code that computes where it goes (0x1000 in kernels with an EFI stub).
pub const HEAD_LEN: usize = 8192;

/// Marks that +0x38 points to a table (kernels from 4.15 on).
const TABLE_MARK: u32 = 0x4545_4545;
/// Byte-order probe at +0x30 (kernels from 3.17 on).
const ENDIAN_MARK: u32 = 0x0403_0201;
/// "KLSZ": the entry with the kernel's sizes.
const KERNEL_SIZE_TAG: u32 = 0x5A53_4C4B;
/// Kernels larger than this do not exist; a larger number is damage.
const MAX_KERNEL: u32 = 128 << 20;

error_enum! {
    /// Why bytes are not a zImage that can be started.
    pub enum ZImageError {
        /// The image could not be read.
        Read => "ZI-READ", "kernel cannot be read: trying the next image";
        /// Not 0x016F2818 at +0x24.
        Magic { /** The word found. */ found: u32 }
            => "ZI-MAGIC", "kernel is no zImage (magic {found:#010x}, expected 0x016f2818): build the boot image with a zImage";
        /// Big-endian kernel.
        BigEndian => "ZI-ENDIAN", "kernel is built big-endian: this chip is started little-endian";
        /// End before start, or behind the section.
        Size { /** Bytes from start to end mark. */ len: u32, /** Bytes of the section. */ room: u32 }
            => "ZI-SIZE", "zImage says it has {len:#x} bytes, its section has {room:#x}: build or flash the image again";
    }
}

/// What is known of a zImage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ZImage {
    /// Bytes from its start to the end mark; a device tree may follow.
    pub len: u32,
    /// Link address, normally 0 (position-independent).
    pub start: u32,
    /// True if the header has the byte-order word of 3.17 and later.
    pub has_endian_mark: bool,
    /// Offset of the table of 4.15 and later.
    pub table: Option<u32>,
    /// Where it places the kernel.
    pub placement: Placement,
}

/// Sizes of the kernel inside a zImage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct KernelSize {
    /// Bytes after decompression.
    pub image: u32,
    /// Bytes of bss behind them.
    pub bss: u32,
    /// True if the zImage said so, false for our estimate.
    pub exact: bool,
}

impl KernelSize {
    /// Bytes from the kernel's start that it will write to.
    pub fn total(&self) -> u32 {
        self.image.saturating_add(self.bss)
    }

    /// A bound for a zImage of `len` bytes that does not say. xz at its best
    /// packs kernels 4:1 (Debian's armmp kernels: 3.8 to 4.1), gzip 2.2:1.
    pub fn estimate(len: u32) -> Self {
        Self {
            image: len.saturating_mul(5),
            bss: 4 << 20,
            exact: false,
        }
    }
}

impl ZImage {
    /// Judges the image by its first bytes (at best [`HEAD_LEN`]) and the
    /// size of the section it came in.
    pub fn parse(head: &[u8], room: u32) -> Result<Self, ZImageError> {
        let bytes = Bytes::new(head);
        let word = |offset| bytes.u32(offset).ok_or(ZImageError::Read);
        let found = word(0x24)?;
        if found == MAGIC.swap_bytes() || word(0x30)? == ENDIAN_MARK.swap_bytes() {
            return Err(ZImageError::BigEndian);
        }
        if found != MAGIC {
            return Err(ZImageError::Magic { found });
        }
        let (start, end) = (word(0x28)?, word(0x2C)?);
        let len = end.wrapping_sub(start);
        if end <= start || len < 0x30 || len > room {
            return Err(ZImageError::Size { len, room });
        }
        let table = if word(0x34).unwrap_or(0) == TABLE_MARK {
            bytes.u32(0x38)
        } else {
            None
        };
        Ok(Self {
            len,
            start,
            has_endian_mark: word(0x30)? == ENDIAN_MARK,
            table: table.filter(|&at| at < len),
            placement: Placement::of(head),
        })
    }

    /// Size of the kernel inside; two reads of `source`, which holds the
    /// zImage from its first byte. Falls back to [`KernelSize::estimate`].
    pub fn kernel_size<R: ReadAt>(&self, source: &mut R) -> KernelSize {
        self.stated_size(source)
            .unwrap_or_else(|| KernelSize::estimate(self.len))
    }

    fn stated_size<R: ReadAt>(&self, source: &mut R) -> Option<KernelSize> {
        let mut at = self.table?;
        // The entry has been first in every kernel; later ones may add some.
        for _ in 0..8 {
            let mut entry = [0; 16];
            let end = at.checked_add(16)?;
            if end > self.len {
                return None;
            }
            source.read_at(at, &mut entry).ok()?;
            let bytes = Bytes::new(&entry);
            let words = bytes.u32(0)?;
            if words < 2 {
                return None;
            }
            if words >= 4 && bytes.u32(4)? == KERNEL_SIZE_TAG {
                return self.entry_sizes(source, bytes.u32(8)?, bytes.u32(12)?);
            }
            at = at.checked_add(words.checked_mul(4)?)?;
        }
        None
    }

    /// `size_at` is where the compressor left the size, at any alignment.
    fn entry_sizes<R: ReadAt>(&self, source: &mut R, size_at: u32, bss: u32) -> Option<KernelSize> {
        if size_at.checked_add(4)? > self.len {
            return None;
        }
        let mut word = [0; 4];
        source.read_at(size_at, &mut word).ok()?;
        let image = u32::from_le_bytes(word);
        let plausible = image >= self.len / 2 && image <= MAX_KERNEL && bss <= MAX_KERNEL;
        plausible.then_some(KernelSize {
            image,
            bss,
            exact: true,
        })
    }
}

/// Offset and size of a device tree directly behind the zImage, in a section
/// of `room` bytes read through `source`.
///
/// Such a tree must not stay where it is: a kernel built for appended trees
/// uses it instead of the one passed in r2, and does not obey memory nodes.
/// The loader moves it away and clears the word behind the zImage.
pub fn appended_tree<R: ReadAt>(
    zimage: &ZImage,
    source: &mut R,
    room: u32,
) -> Result<Option<(u32, u32)>, ImageError> {
    let rest = room.saturating_sub(zimage.len);
    if rest < 8 {
        return Ok(None);
    }
    let mut start = [0; 8];
    source
        .read_at(zimage.len, &mut start)
        .map_err(|_| ImageError::Read)?;
    let len = tree_len(&start, rest)?;
    Ok(len.map(|len| (zimage.len, len)))
}

#[cfg(test)]
mod tests;
