//! Pictures in the phone's LOGO partition.
//!
//! A MediaTek header, a table of offsets, and one zlib stream a picture, each
//! of raw RGB565 pixels without padding. The table says nothing about width
//! and height, so a picture is used only if it has exactly the pixels of the
//! panel. It is unpacked through a window of 32 KiB straight into the frame;
//! a stream that gives more than a frame is stopped there.
//!
//! Source: facts/display.md 7.1 to 7.3, facts/storage-and-images.md 1.6.

use super::canvas::Canvas;
use crate::bytes::Bytes;
use crate::header::{HEADER_LEN, Header, HeaderError};
use crate::inflate::inflate;

pub use crate::inflate::WINDOW_BYTES;

/// Index of the boot logo.
pub const BOOT_LOGO: u32 = 0;
/// Bytes from the start of the partition in which header and table of any
/// known logo lie: 86 pictures in the largest.
pub const HEAD_BYTES: usize = 1024;
/// The vendor's loader has no more room than this for all pictures.
const MAX_BODY: u32 = 4 << 20;
/// Tables are not longer than this; the largest known has 86 entries.
const MAX_PICTURES: u32 = 1024;
/// Name in the header; the vendor's loader shows nothing under another.
const NAME: &str = "LOGO";

error_enum! {
    /// Why the phone's picture is not shown.
    pub enum LogoError {
        /// The partition does not start with a MediaTek header of a size that
        /// can be.
        Header
            => "LOGO-HEADER", "the LOGO partition has no usable header: the own logo is shown";
        /// The table of offsets is not one.
        Table { /** Pictures that it claims. */ count: u32, /** Bytes that it claims. */ total: u32 }
            => "LOGO-TABLE", "the LOGO partition's table ({count} pictures, {total:#x} bytes) is damaged: the own logo is shown";
        /// There is no picture of that index.
        Missing { /** The index. */ index: u32 }
            => "LOGO-NONE", "the LOGO partition has no picture {index}: the own logo is shown";
        /// The stream is damaged or cut off.
        Stream
            => "LOGO-STREAM", "the picture in the LOGO partition is damaged: the own logo is shown";
        /// It is for another panel.
        Size { /** Bytes that a picture for this panel has. */ expected: u32 }
            => "LOGO-SIZE", "the picture in the LOGO partition is not of this panel's {expected} bytes: the own logo is shown";
    }
}

impl From<HeaderError> for LogoError {
    fn from(_: HeaderError) -> Self {
        Self::Header
    }
}

/// Where a picture's stream lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Bytes from the start of the partition.
    pub offset: u32,
    /// Bytes.
    pub len: u32,
}

/// Finds picture `index` by the first [`HEAD_BYTES`] of a partition of
/// `partition_len` bytes, so that no more than the picture has to be read.
pub fn find(head: &[u8], partition_len: u64, index: u32) -> Result<Stream, LogoError> {
    let header = Header::parse(head)?;
    header.check_fits(u32::try_from(partition_len).unwrap_or(u32::MAX))?;
    if header.name() != NAME {
        return Err(LogoError::Header);
    }
    let body = Bytes::new(head.get(HEADER_LEN..).ok_or(LogoError::Header)?);
    let word = |at: u32| body.u32(at as usize * 4);
    let count = word(0).ok_or(LogoError::Header)?;
    let total = word(1).ok_or(LogoError::Header)?;
    let damaged = LogoError::Table { count, total };
    if count > MAX_PICTURES || total > header.payload_len.min(MAX_BODY) {
        return Err(damaged);
    }
    if index >= count {
        return Err(LogoError::Missing { index });
    }
    let start = word(2 + index).ok_or(damaged)?;
    let end = match index + 1 {
        next if next == count => total,
        next => word(2 + next).ok_or(damaged)?,
    };
    // Both are below 4 MiB, so the sum with the header cannot wrap.
    if start < 8 + 4 * count || end <= start || end > total {
        return Err(damaged);
    }
    Ok(Stream {
        offset: HEADER_LEN as u32 + start,
        len: end - start,
    })
}

/// Unpacks a picture into the frame. After an error the frame may hold a part
/// of it: draw something else over it. Takes about 10 KiB of stack.
pub fn unpack(
    canvas: &mut Canvas<'_>,
    stream: &[u8],
    window: &mut [u8; WINDOW_BYTES],
) -> Result<(), LogoError> {
    let mut frame = Frame::new(canvas);
    let mut sum = Adler::default();
    let mut stopped = Ok(());
    let packed = behind_zlib_header(stream).ok_or(LogoError::Stream)?;
    let end = inflate(packed, window, &mut |piece| {
        sum.update(piece);
        stopped = frame.put(piece);
        stopped.is_ok()
    });
    stopped?;
    if end != Some(sum.value()) {
        return Err(LogoError::Stream);
    }
    frame.finish()
}

/// What follows the header of a zlib stream (RFC 1950, 2.2), if it is one that
/// needs no dictionary and no larger window.
fn behind_zlib_header(stream: &[u8]) -> Option<&[u8]> {
    const DICTIONARY: u8 = 0x20;
    let (&header, rest) = stream.split_first_chunk()?;
    let [method, flags] = header;
    let good = u16::from_be_bytes(header).is_multiple_of(31)
        && method & 15 == 8
        && method <= 0x78
        && flags & DICTIONARY == 0;
    good.then_some(rest)
}

/// The check at the end of a zlib stream: Adler-32 (RFC 1950, 8.2).
struct Adler {
    sum: u32,
    of_sums: u32,
}

impl Default for Adler {
    fn default() -> Self {
        Self { sum: 1, of_sums: 0 }
    }
}

impl Adler {
    fn update(&mut self, bytes: &[u8]) {
        /// Largest prime below 2^16.
        const MODULUS: u32 = 65521;
        /// So many bytes are added up before 32 bits might overflow.
        const UNREDUCED: usize = 4096;
        for piece in bytes.chunks(UNREDUCED) {
            for &byte in piece {
                self.sum += u32::from(byte);
                self.of_sums += self.sum;
            }
            self.sum %= MODULUS;
            self.of_sums %= MODULUS;
        }
    }

    /// As it stands in the stream.
    fn value(&self) -> [u8; 4] {
        (self.of_sums << 16 | self.sum).to_be_bytes()
    }
}

/// Takes the bytes of a picture in order and puts them where they belong.
struct Frame<'a, 'f> {
    canvas: &'a mut Canvas<'f>,
    x: u32,
    y: u32,
    /// First byte of a pixel whose second has not come yet.
    half: Option<u8>,
}

impl<'a, 'f> Frame<'a, 'f> {
    const fn new(canvas: &'a mut Canvas<'f>) -> Self {
        Self {
            canvas,
            x: 0,
            y: 0,
            half: None,
        }
    }

    fn wrong_size(&self) -> LogoError {
        LogoError::Size {
            expected: self.canvas.width() * self.canvas.height() * 2,
        }
    }

    fn put(&mut self, mut bytes: &[u8]) -> Result<(), LogoError> {
        if let (Some(low), Some((&high, rest))) = (self.half, bytes.split_first()) {
            self.half = None;
            bytes = rest;
            self.put_whole(&[low, high])?;
        }
        let (pairs, odd) = bytes.split_at(bytes.len() & !1);
        self.half = odd.first().copied().or(self.half);
        self.put_whole(pairs)
    }

    fn put_whole(&mut self, mut pairs: &[u8]) -> Result<(), LogoError> {
        while !pairs.is_empty() {
            let width = self.canvas.width();
            let span = self.canvas.span_mut(self.x, self.y, width - self.x);
            let count = span.len().min(pairs.len() / 2);
            // Below the last line there is no room: a bomb ends here.
            if count == 0 {
                return Err(self.wrong_size());
            }
            let (now, later) = pairs.split_at(count * 2);
            for (pixel, pair) in span.iter_mut().zip(now.chunks_exact(2)) {
                *pixel = u16::from_le_bytes([pair[0], pair[1]]);
            }
            pairs = later;
            self.x += count as u32;
            if self.x == width {
                (self.x, self.y) = (0, self.y + 1);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(), LogoError> {
        if self.half.is_some() || self.x != 0 || self.y != self.canvas.height() {
            return Err(self.wrong_size());
        }
        Ok(())
    }
}
