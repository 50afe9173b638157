//! Android's sparse images, as `fastboot` and `img2simg` write them: a list of
//! chunks that are stored, filled with one word, or left out. Read as if they
//! were whole.
//!
//! The format has no length limit of its own, so the index of its chunks has
//! one: [`MAX_CHUNKS`], 12 MiB of memory. Images of real phones have some
//! thousand chunks.
//!
//! Source: AOSP `system/core/libsparse/sparse_format.h` (the description of
//! the format; no code of it).

use crate::bytes::{u16_at, u32_at};
use crate::source::Source;
use std::fmt;
use std::io;

/// First word of the file.
pub const MAGIC: u32 = 0xED26_FF3A;
/// Most chunks that an image may have.
pub const MAX_CHUNKS: usize = 1 << 19;

const HEADER_BYTES: usize = 28;
const CHUNK_HEADER_BYTES: usize = 12;
const RAW: u16 = 0xCAC1;
const FILL: u16 = 0xCAC2;
const DONT_CARE: u16 = 0xCAC3;
const CRC32: u16 = 0xCAC4;

/// Why a file is not a usable sparse image.
#[derive(Debug)]
pub enum Error {
    /// The first word is not [`MAGIC`].
    NotSparse,
    /// A version that nobody has described yet.
    Version(u16),
    /// A size in the file header makes no sense; which.
    Header(&'static str),
    /// Something is wrong with this chunk (counted from 0); what.
    Chunk(u32, &'static str),
    /// More chunks than [`MAX_CHUNKS`].
    TooMany,
    /// The chunks have so many blocks, the header says so many.
    Blocks(u64, u32),
    /// The file cannot be read, or ends too early.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSparse => write!(f, "not an Android sparse image"),
            Self::Version(major) => write!(f, "sparse image of version {major}, known is 1"),
            Self::Header(what) => write!(f, "sparse image with a wrong {what} in its header"),
            Self::Chunk(index, what) => write!(f, "sparse image, chunk {index}: {what}"),
            Self::TooMany => write!(f, "sparse image with more than {MAX_CHUNKS} chunks"),
            Self::Blocks(found, announced) => write!(
                f,
                "sparse image with {found} blocks, but {announced} in its header: it is cut off"
            ),
            Self::Io(why) => write!(f, "sparse image: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(why: io::Error) -> Self {
        Self::Io(why)
    }
}

/// What a chunk's blocks hold.
#[derive(Clone, Copy, Debug)]
enum Content {
    /// Bytes of the file from here on.
    Stored(u64),
    /// This word again and again.
    Fill([u8; 4]),
}

/// A run of blocks with contents; what no chunk covers reads as zeros.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    first: u32,
    blocks: u32,
    content: Content,
}

/// A sparse image, read as the image that it stands for.
pub struct Sparse<S> {
    source: S,
    block_bytes: u64,
    blocks: u32,
    chunks: Vec<Chunk>,
}

/// Whether a file that begins with `head` is a sparse image.
pub fn is_sparse(head: &[u8]) -> bool {
    u32_at(head, 0) == Some(MAGIC)
}

/// Reads the index of `source`. Checksum chunks are skipped, as other tools
/// do: they cover the whole image, which is not read here.
///
/// # Errors
/// [`Error`] if the file is no sparse image, or one that contradicts itself.
pub fn open<S: Source>(source: S) -> Result<Sparse<S>, Error> {
    let head = source.read_some(0, HEADER_BYTES)?;
    if !is_sparse(&head) {
        return Err(Error::NotSparse);
    }
    let word = |at| u32_at(&head, at).ok_or(Error::Header("length"));
    let half = |at| u16_at(&head, at).ok_or(Error::Header("length"));
    if half(4)? != 1 {
        return Err(Error::Version(half(4)?));
    }
    let (header, chunk_header) = (half(8)?, half(10)?);
    if usize::from(header) < HEADER_BYTES {
        return Err(Error::Header("header size"));
    }
    if usize::from(chunk_header) < CHUNK_HEADER_BYTES {
        return Err(Error::Header("chunk header size"));
    }
    let block_bytes = word(12)?;
    if block_bytes == 0 || !block_bytes.is_multiple_of(4) {
        return Err(Error::Header("block size"));
    }
    let (blocks, count) = (word(16)?, word(20)?);
    if count as usize > MAX_CHUNKS {
        return Err(Error::TooMany);
    }
    let mut index = Index {
        source: &source,
        at: u64::from(header),
        header: u64::from(chunk_header),
        block_bytes: u64::from(block_bytes),
        blocks: 0,
        chunks: Vec::new(),
    };
    for number in 0..count {
        index.chunk(number)?;
        if index.blocks > u64::from(blocks) {
            return Err(Error::Blocks(index.blocks, blocks));
        }
    }
    if index.blocks != u64::from(blocks) {
        return Err(Error::Blocks(index.blocks, blocks));
    }
    let chunks = index.chunks;
    Ok(Sparse {
        source,
        block_bytes: u64::from(block_bytes),
        blocks,
        chunks,
    })
}

/// The index while it is being read.
struct Index<'a, S> {
    source: &'a S,
    at: u64,
    header: u64,
    block_bytes: u64,
    blocks: u64,
    chunks: Vec<Chunk>,
}

impl<S: Source> Index<'_, S> {
    fn chunk(&mut self, number: u32) -> Result<(), Error> {
        let wrong = |what| Error::Chunk(number, what);
        // The header, and the word that follows it in fill chunks.
        let head = self.source.read_some(self.at, self.header as usize + 4)?;
        let cut = wrong("the file ends before it does");
        let (Some(kind), Some(blocks), Some(bytes)) =
            (u16_at(&head, 0), u32_at(&head, 4), u32_at(&head, 8))
        else {
            return Err(cut);
        };
        let end = self.at.saturating_add(u64::from(bytes));
        if end > self.source.len() {
            return Err(cut);
        }
        let body = match kind {
            RAW => u64::from(blocks) * self.block_bytes,
            FILL | CRC32 => 4,
            DONT_CARE => 0,
            _ => return Err(wrong("unknown kind")),
        };
        if u64::from(bytes) != self.header + body {
            return Err(wrong("its size does not match its blocks"));
        }
        if kind == CRC32 && blocks != 0 {
            return Err(wrong("a checksum with blocks"));
        }
        let content = match kind {
            RAW => Some(Content::Stored(self.at + self.header)),
            FILL => {
                let word = u32_at(&head, self.header as usize).ok_or(cut)?;
                (word != 0).then_some(Content::Fill(word.to_le_bytes()))
            }
            _ => None,
        };
        if let Some(content) = content
            && blocks > 0
        {
            // Not above the header's count, which is 32 bits wide.
            let first = u32::try_from(self.blocks).map_err(|_| wrong("too many blocks"))?;
            self.chunks.push(Chunk {
                first,
                blocks,
                content,
            });
        }
        self.blocks += u64::from(blocks);
        self.at = end;
        Ok(())
    }
}

impl<S: Source> Sparse<S> {
    /// Fills the beginning of `out` from byte `offset` on; how much of it.
    fn read_run(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let block = offset / self.block_bytes;
        let next = self
            .chunks
            .partition_point(|chunk| u64::from(chunk.first) <= block);
        let within = next.checked_sub(1).and_then(|index| {
            let chunk = self.chunks[index];
            let start = u64::from(chunk.first) * self.block_bytes;
            let end = start + u64::from(chunk.blocks) * self.block_bytes;
            (offset < end).then_some((chunk, start, end))
        });
        let end = match (within, self.chunks.get(next)) {
            (Some((_, _, end)), _) => end,
            (None, Some(chunk)) => u64::from(chunk.first) * self.block_bytes,
            (None, None) => self.len(),
        };
        let count = usize::try_from(end - offset)
            .unwrap_or(usize::MAX)
            .min(out.len());
        let out = &mut out[..count];
        match within {
            Some((chunk, start, _)) => match chunk.content {
                Content::Stored(at) => self.source.read_at(at + (offset - start), out)?,
                Content::Fill(word) => {
                    let phase = (offset % 4) as usize;
                    for (index, byte) in out.iter_mut().enumerate() {
                        *byte = word[(phase + index) % 4];
                    }
                }
            },
            None => out.fill(0),
        }
        Ok(count)
    }
}

impl<S: Source> Source for Sparse<S> {
    fn len(&self) -> u64 {
        u64::from(self.blocks) * self.block_bytes
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let fits = offset
            .checked_add(out.len() as u64)
            .is_some_and(|end| end <= self.len());
        if !fits {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the image ends before that",
            ));
        }
        let mut done = 0;
        while done < out.len() {
            done += self.read_run(offset + done as u64, &mut out[done..])?;
        }
        Ok(())
    }

    fn data_from(&self, offset: u64) -> u64 {
        let next = self.chunks.partition_point(|chunk| {
            (u64::from(chunk.first) + u64::from(chunk.blocks)) * self.block_bytes <= offset
        });
        let start = |chunk: &Chunk| u64::from(chunk.first) * self.block_bytes;
        let start = self.chunks.get(next).map_or(self.len(), start);
        start.max(offset).min(self.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Kind, blocks, body.
    type Piece<'a> = (u16, u32, &'a [u8]);

    fn image(block_bytes: u32, pieces: &[Piece<'_>]) -> Vec<u8> {
        let blocks: u32 = pieces.iter().map(|piece| piece.1).sum();
        let mut file = Vec::new();
        file.extend(MAGIC.to_le_bytes());
        for half in [1u16, 0, 28, 12] {
            file.extend(half.to_le_bytes());
        }
        for word in [block_bytes, blocks, pieces.len() as u32, 0] {
            file.extend(word.to_le_bytes());
        }
        for (kind, blocks, body) in pieces {
            file.extend(kind.to_le_bytes());
            file.extend([0; 2]);
            file.extend(blocks.to_le_bytes());
            file.extend((12 + body.len() as u32).to_le_bytes());
            file.extend_from_slice(body);
        }
        file
    }

    fn sample() -> (Vec<u8>, Vec<u8>) {
        let stored: Vec<u8> = (0..24).collect();
        let file = image(
            8,
            &[
                (DONT_CARE, 2, &[]),
                (RAW, 3, &stored),
                (FILL, 2, &[1, 2, 3, 4]),
                (CRC32, 0, &[9; 4]),
                (FILL, 1, &[0; 4]),
                (RAW, 1, &[7; 8]),
                (DONT_CARE, 1, &[]),
            ],
        );
        let mut whole = vec![0; 16];
        whole.extend(stored);
        whole.extend([1, 2, 3, 4].repeat(4));
        whole.extend([0; 8]);
        whole.extend([7; 8]);
        whole.extend([0; 8]);
        (file, whole)
    }

    #[test]
    fn every_stretch_reads_as_the_whole_image_has_it() {
        let (file, whole) = sample();
        let sparse = open(&file).unwrap();
        assert_eq!(sparse.len(), whole.len() as u64);
        for start in 0..=whole.len() {
            for end in start..=whole.len() {
                let mut out = vec![0xEE; end - start];
                sparse.read_at(start as u64, &mut out).unwrap();
                assert_eq!(out, whole[start..end], "{start}..{end}");
            }
        }
        for offset in 0..whole.len() {
            let data = sparse.data_from(offset as u64) as usize;
            assert!(data >= offset && whole[offset..data].iter().all(|&byte| byte == 0));
        }
        // Nothing at the beginning, a run of zeros between, nothing at the end.
        let found = [0, 15, 16, 55, 56, 63, 64, 72, 80].map(|at| sparse.data_from(at));
        assert_eq!(found, [16, 16, 16, 55, 64, 64, 64, 80, 80]);
        assert!(sparse.read_at(whole.len() as u64, &mut [0]).is_err());
        assert!(sparse.read_at(u64::MAX, &mut [0; 4]).is_err());
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let (file, _) = sample();
        let refused = |at: usize, value: u8| {
            let mut bad = file.clone();
            bad[at] = value;
            open(bad).err().map(|why| why.to_string())
        };
        assert!(matches!(open(b"no".to_vec()), Err(Error::NotSparse)));
        assert!(refused(4, 2).unwrap().contains("version 2"));
        assert!(refused(8, 27).unwrap().contains("header size"));
        assert!(refused(10, 11).unwrap().contains("chunk header size"));
        assert!(refused(12, 6).unwrap().contains("block size"));
        assert!(refused(12, 0).unwrap().contains("block size"));
        assert!(refused(16, 99).unwrap().contains("cut off"));
        assert!(refused(20, 6).unwrap().contains("cut off"));
        assert!(refused(28, 9).unwrap().contains("unknown kind"));
        // The raw chunk, one block more than it stores.
        assert!(refused(44, 4).unwrap().contains("chunk 1"));
        for end in 0..file.len() {
            assert!(open(file[..end].to_vec()).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn any_bytes_return() {
        let (file, _) = sample();
        for at in 0..file.len() {
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut bad = file.clone();
                bad[at] = value;
                if let Ok(sparse) = open(bad) {
                    let mut out = [0; 64];
                    let _ = sparse.read_at(0, &mut out);
                    let _ = sparse.read_at(sparse.len() / 2, &mut out);
                }
            }
        }
    }
}
