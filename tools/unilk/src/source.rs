//! Bytes at offsets: files, block devices, memory, and windows into them.
//!
//! Whatever looks at a file of unknown size goes through [`Source`], and holds
//! what it looks at, never the whole: a 32 GiB image takes no more memory than
//! a header.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Something of known length that can be read anywhere, by several at once.
pub trait Source: Send + Sync {
    /// Bytes that there are.
    fn len(&self) -> u64;

    /// Fills `out` from byte `offset` on.
    ///
    /// # Errors
    /// What the medium says; [`io::ErrorKind::UnexpectedEof`] if `out` reaches
    /// past the end.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// The first byte from `offset` on that may be anything but zero, or the
    /// end: what copies a large source with holes need not read before that.
    fn data_from(&self, offset: u64) -> u64 {
        offset.min(self.len())
    }

    /// Whether there is nothing.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// At most `most` bytes from `offset` on, fewer where the source ends.
    ///
    /// # Errors
    /// What the medium says.
    fn read_some(&self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let left = self.len().saturating_sub(offset);
        let mut bytes = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(most)];
        self.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }
}

fn past_end() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the data ends before that")
}

impl Source for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| past_end())?;
        let end = start.checked_add(out.len()).ok_or_else(past_end)?;
        out.copy_from_slice(self.get(start..end).ok_or_else(past_end)?);
        Ok(())
    }
}

impl Source for Vec<u8> {
    fn len(&self) -> u64 {
        Source::len(self.as_slice())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_at(offset, out)
    }
}

impl<S: Source + ?Sized> Source for &S {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        (**self).read_at(offset, out)
    }

    fn data_from(&self, offset: u64) -> u64 {
        (**self).data_from(offset)
    }
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        (**self).read_at(offset, out)
    }

    fn data_from(&self, offset: u64) -> u64 {
        (**self).data_from(offset)
    }
}

impl<S: Source + ?Sized> Source for std::sync::Arc<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        (**self).read_at(offset, out)
    }

    fn data_from(&self, offset: u64) -> u64 {
        (**self).data_from(offset)
    }
}

/// A file or block device.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    len: u64,
}

impl FileSource {
    /// Opens `path` for reading.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::new(File::open(path)?)
    }

    /// Takes an open file. Its length is where its end is, which is right for
    /// block devices too.
    ///
    /// # Errors
    /// What the system says, and for directories and pipes.
    pub fn new(mut file: File) -> io::Result<Self> {
        if file.metadata()?.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "this is a directory",
            ));
        }
        let len = file.seek(SeekFrom::End(0))?;
        Ok(Self { file, len })
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, out, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
        while !out.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.file, out, offset) {
                Ok(0) => return Err(past_end()),
                Ok(count) => {
                    out = &mut out[count..];
                    offset += count as u64;
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }
}

/// A stretch of a source, as a source of its own.
#[derive(Clone, Debug)]
pub struct Window<S> {
    source: S,
    start: u64,
    len: u64,
}

impl<S: Source> Window<S> {
    /// `len` bytes of `source` from `start` on, or as many as there are.
    pub fn new(source: S, start: u64, len: u64) -> Self {
        let len = len.min(source.len().saturating_sub(start));
        Self { source, start, len }
    }

    /// `len` bytes of this window from `start` on, or as many as there are.
    #[must_use]
    pub fn part(&self, start: u64, len: u64) -> Self
    where
        S: Clone,
    {
        let start = start.min(self.len);
        Self {
            source: self.source.clone(),
            start: self.start + start,
            len: len.min(self.len - start),
        }
    }

    /// Byte of the source at which the window begins.
    pub fn start(&self) -> u64 {
        self.start
    }
}

impl<S: Source> Source for Window<S> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let fits = offset
            .checked_add(out.len() as u64)
            .is_some_and(|end| end <= self.len);
        if !fits {
            return Err(past_end());
        }
        self.source.read_at(self.start + offset, out)
    }

    fn data_from(&self, offset: u64) -> u64 {
        let offset = offset.min(self.len);
        let found = self.source.data_from(self.start + offset);
        found.saturating_sub(self.start).min(self.len)
    }
}

/// Reads a source from its beginning to its end, for whoever takes [`Read`].
#[derive(Debug)]
pub struct Reader<S> {
    source: S,
    at: u64,
}

impl<S: Source> Reader<S> {
    /// From byte 0 on.
    pub fn new(source: S) -> Self {
        Self { source, at: 0 }
    }
}

impl<S: Source> Read for Reader<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.source.len().saturating_sub(self.at);
        let count = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.source.read_at(self.at, &mut out[..count])?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_where_their_source_does() {
        let bytes: Vec<u8> = (0..100).collect();
        let window = Window::new(&bytes, 90, 50);
        assert_eq!(window.len(), 10);
        assert_eq!(window.read_some(8, 50).unwrap(), [98, 99]);
        assert!(window.read_some(10, 5).unwrap().is_empty());
        assert!(window.read_at(8, &mut [0; 3]).is_err());
        assert!(window.read_at(u64::MAX, &mut [0; 3]).is_err());
        let middle = Window::new(&bytes, 20, 50).part(10, 5);
        assert_eq!(middle.read_some(0, 50).unwrap(), [30, 31, 32, 33, 34]);
        assert_eq!(window.part(5, u64::MAX).len(), 5);
        assert!(window.part(u64::MAX, 5).is_empty());
        let behind = Window::new(&bytes, 200, 50);
        assert!(behind.is_empty() && behind.data_from(9) == 0);
        // A window does not show what lies behind it.
        let inner = Window::new(&bytes, 0, 10);
        assert!(inner.read_at(9, &mut [0; 2]).is_err());
    }

    #[test]
    fn a_reader_reads_all_of_it() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut all = Vec::new();
        let mut reader = Reader::new(Window::new(&bytes, 10, 50));
        reader.read_to_end(&mut all).unwrap();
        assert_eq!(all, bytes[10..60]);
    }

    #[test]
    fn files_and_what_is_none() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"));
        let file = FileSource::open(&path.join("tests/data/mobiwire-s10/MBR")).unwrap();
        assert_eq!(file.len(), 512);
        assert_eq!(file.read_some(510, 9).unwrap(), [0x55, 0xAA]);
        assert!(FileSource::open(path).is_err());
    }
}
