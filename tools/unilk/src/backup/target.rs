//! Where a restore writes: a file or block device that can be written anywhere
//! and asked to put everything on the medium.

use crate::source::{FileSource, Source};
use std::fs::File;
use std::io;

/// A source that can be written too.
pub trait Target: Source {
    /// Writes `bytes` from byte `offset` on. A stop in the middle leaves any
    /// part of them written, even of a sector.
    ///
    /// # Errors
    /// What the medium says.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns when everything written is on the medium.
    ///
    /// # Errors
    /// What the medium says.
    fn sync(&self) -> io::Result<()>;
}

/// A file or block device, opened for reading and writing.
pub struct FileTarget(FileSource);

impl FileTarget {
    /// Takes an open file.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(file: File) -> io::Result<Self> {
        FileSource::new(file).map(Self)
    }
}

impl Source for FileTarget {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, out)
    }
}

impl Target for FileTarget {
    #[cfg(unix)]
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self.0.file(), bytes, offset)
    }

    #[cfg(windows)]
    fn write_at(&self, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match std::os::windows::fs::FileExt::seek_write(self.0.file(), bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = &bytes[count..];
                    offset += count as u64;
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.0.file().sync_all()
    }
}
