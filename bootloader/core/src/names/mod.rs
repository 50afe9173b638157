//! Names of panel drivers in the kernel that lies on the phone: its maker
//! built in the drivers of the panels that his factory fitted, and no others.
//!
//! The kernel of a zImage is packed. It is unpacked into memory that is free
//! at that moment, and its strings are compared with the names of the table.
//! Nothing of it is run. Whatever the image claims, the work is bounded by
//! the memory lent and by [`MAX_KERNEL`].
//!
//! Source: DESIGN.md "Identification"; magic numbers: the formats' own
//! documents (RFC 1952, the .xz and LZ4 legacy frame descriptions, lzop).

mod bytes;
mod lz4;
mod lzo;
mod scan;
mod xz;

#[cfg(test)]
mod tests;

use crate::bytes::Bytes;
use crate::inflate::inflate;

pub use scan::{Finder, MAX_NAME, NameSet};

/// Kernels larger than this when unpacked do not exist: 48 MiB.
pub const MAX_KERNEL: usize = 48 << 20;
/// Memory to lend: a packer's dictionary or block, and room to unpack into.
/// A kernel packed by xz asks for 32 MiB; others for less.
pub const WORK_BYTES: usize = 33 << 20;
/// Work between two calls of `alive`, in unpacked bytes.
const PIECE: usize = 64 << 10;
/// Where in a zImage the packed kernel begins at the latest: behind the
/// decompressor's own code.
const SEARCH_BYTES: usize = 256 << 10;

error_enum! {
    /// Why a kernel's names are not known.
    pub enum NamesError {
        /// No packed kernel begins in the image.
        Unknown => "NAME-PACK", "kernel is packed in a way not known here: its panel names are not used";
        /// The stream ends or breaks.
        Damaged { /** Bytes unpacked until then. */ done: u32 }
            => "NAME-DATA", "packed kernel is damaged after {done:#x} bytes: its panel names are not used";
        /// It asks for more memory than there is.
        Memory => "NAME-MEM", "kernel needs more memory to unpack than is free: its panel names are not used";
        /// It would become larger than any kernel.
        Large => "NAME-BIG", "packed kernel does not end: its panel names are not used";
    }
}

/// How a kernel is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Packing {
    /// gzip.
    Gzip,
    /// xz, with the filter for ARM code.
    Xz,
    /// lzop.
    Lzo,
    /// The LZ4 legacy frame.
    Lz4,
}

impl Packing {
    /// Name for the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Lzo => "lzo",
            Self::Lz4 => "lz4",
        }
    }

    const ALL: [(Self, &'static [u8]); 4] = [
        (Self::Gzip, &[0x1F, 0x8B, 0x08]),
        (Self::Xz, &[0xFD, b'7', b'z', b'X', b'Z', 0]),
        (
            Self::Lzo,
            &[0x89, b'L', b'Z', b'O', 0, 0x0D, 0x0A, 0x1A, 0x0A],
        ),
        (Self::Lz4, &[0x02, 0x21, 0x4C, 0x18]),
    ];

    /// The packing whose magic `bytes` starts with.
    fn at(bytes: &[u8]) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, magic)| bytes.starts_with(magic))
            .map(|&(packing, _)| packing)
    }
}

/// What a search did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Searched {
    /// How the kernel was packed.
    pub packing: Packing,
    /// Bytes that it has unpacked.
    pub bytes: u32,
}

/// Unpacks the kernel of `zimage` piece by piece and shows its strings to
/// `finder`. `work` is at best [`WORK_BYTES`] of memory; `alive` is called
/// every few milliseconds of work.
///
/// # Errors
/// The image holds no packed kernel that could be unpacked to its end. What
/// was found until then stays in `finder`, but says less.
pub fn search(
    zimage: &[u8],
    work: &mut [u8],
    finder: &mut Finder<'_>,
    alive: &mut dyn FnMut(),
) -> Result<Searched, NamesError> {
    let mut failed = NamesError::Unknown;
    let mut at = 0;
    // A magic number may turn up in code by chance: the first stream that
    // yields something is the kernel.
    while let Some((packing, start)) = next_magic(zimage, at) {
        let mut out = Output {
            finder,
            alive,
            done: 0,
        };
        let packed = &zimage[start..];
        let result = match packing {
            Packing::Gzip => gzip(packed, work, &mut out),
            Packing::Xz => xz::unpack(packed, work, &mut out),
            Packing::Lzo => lzo::unpack(packed, work, &mut out),
            Packing::Lz4 => lz4::unpack(packed, work, &mut out),
        };
        match result {
            Ok(()) => {
                let bytes = out.done as u32;
                return Ok(Searched { packing, bytes });
            }
            // Long enough to have been the kernel: no other will follow.
            Err(error) if out.done >= PIECE => return Err(error),
            Err(error) => failed = error,
        }
        at = start + 1;
    }
    Err(failed)
}

fn next_magic(zimage: &[u8], from: usize) -> Option<(Packing, usize)> {
    let end = zimage.len().min(SEARCH_BYTES);
    (from..end).find_map(|at| Some((Packing::at(&zimage[at..])?, at)))
}

/// Where unpacked bytes go.
struct Output<'a, 'f> {
    finder: &'a mut Finder<'f>,
    alive: &'a mut dyn FnMut(),
    done: usize,
}

impl Output<'_, '_> {
    fn take(&mut self, bytes: &[u8]) -> Result<(), NamesError> {
        for piece in bytes.chunks(PIECE) {
            self.finder.feed(piece);
            (self.alive)();
        }
        self.done += bytes.len();
        if self.done > MAX_KERNEL {
            return Err(NamesError::Large);
        }
        Ok(())
    }

    fn damaged(&self) -> NamesError {
        let done = self.done as u32;
        NamesError::Damaged { done }
    }
}

/// Length of the header of a gzip member.
fn gzip_header(packed: &[u8]) -> Option<usize> {
    const HEADER: usize = 10;
    let flags = *packed.get(3)?;
    let mut at = HEADER;
    if flags & 4 != 0 {
        let extra = Bytes::new(packed).u16(at)?;
        at += 2 + usize::from(extra);
    }
    for text in [8, 16] {
        if flags & text != 0 {
            at += packed.get(at..)?.iter().position(|&byte| byte == 0)? + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    (flags & 0xE0 == 0 && at < packed.len()).then_some(at)
}

fn gzip(packed: &[u8], work: &mut [u8], out: &mut Output<'_, '_>) -> Result<(), NamesError> {
    let rest = gzip_header(packed)
        .and_then(|header| packed.get(header..))
        .ok_or(out.damaged())?;
    let window = work.first_chunk_mut().ok_or(NamesError::Memory)?;
    let mut stopped = None;
    let end = inflate(rest, window, &mut |piece| {
        stopped = out.take(piece).err();
        stopped.is_none()
    });
    match (end, stopped) {
        (Some(_), _) => Ok(()),
        (None, Some(why)) => Err(why),
        (None, None) => Err(out.damaged()),
    }
}
