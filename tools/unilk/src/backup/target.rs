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

    /// Reads from the medium itself, past what the system keeps in memory,
    /// where that can be done; otherwise as [`Source::read_at`].
    ///
    /// # Errors
    /// What the medium says.
    fn read_medium(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read_at(offset, out)
    }
}

/// Reading past the system's memory goes in units of this.
const DIRECT_BYTES: usize = 4096;

/// A file or block device, opened for reading and writing.
pub struct FileTarget {
    file: FileSource,
    direct: Option<FileSource>,
}

impl FileTarget {
    /// Takes an open file, and the same opened for reading past the system's
    /// memory (`O_DIRECT`) if it can be.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(file: File, direct: Option<File>) -> io::Result<Self> {
        Ok(Self {
            file: FileSource::new(file)?,
            direct: direct.map(FileSource::new).transpose()?,
        })
    }
}

impl Source for FileTarget {
    fn len(&self) -> u64 {
        self.file.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, out)
    }
}

impl Target for FileTarget {
    #[cfg(unix)]
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self.file.file(), bytes, offset)
    }

    #[cfg(windows)]
    fn write_at(&self, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match std::os::windows::fs::FileExt::seek_write(self.file.file(), bytes, offset) {
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
        self.file.file().sync_all()
    }

    fn read_medium(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let unit = DIRECT_BYTES as u64;
        let (Some(direct), Some(end)) = (&self.direct, offset.checked_add(out.len() as u64)) else {
            return self.read_at(offset, out);
        };
        let first = offset / unit * unit;
        let last = end.next_multiple_of(unit);
        if last > direct.len() {
            // The last units of a file that is no whole number of them.
            return self.read_at(offset, out);
        }
        // Such reads want their memory at a multiple of the unit, too.
        let count = (last - first) as usize;
        let mut memory = vec![0; count + DIRECT_BYTES];
        let start = memory.as_ptr().align_offset(DIRECT_BYTES);
        let Some(aligned) = memory.get_mut(start..start + count) else {
            return self.read_at(offset, out);
        };
        match direct.read_at(first, aligned) {
            // A device with larger units.
            Err(why) if why.kind() == io::ErrorKind::InvalidInput => {
                return self.read_at(offset, out);
            }
            other => other?,
        }
        let skip = (offset - first) as usize;
        out.copy_from_slice(&aligned[skip..skip + out.len()]);
        Ok(())
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_of_any_place_and_length() {
        let path = std::env::temp_dir().join(format!("unilk-target-{}", std::process::id()));
        let bytes: Vec<u8> = (0..3 * DIRECT_BYTES + 512).map(|i| (i / 7) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let open = || File::options().read(true).write(true).open(&path).unwrap();
        // The second file stands in for one that goes past the memory.
        let target = FileTarget::new(open(), Some(open())).unwrap();
        for (offset, count) in [
            (0, 1),
            (511, 2),
            (4095, 4098),
            (100, 12000),
            (12288, 512),
            (0, 12800),
        ] {
            let mut out = vec![0; count];
            target.read_medium(offset, &mut out).unwrap();
            assert_eq!(out, bytes[offset as usize..][..count], "{offset} {count}");
        }
        assert!(target.read_medium(12800, &mut [0]).is_err());
        assert!(target.read_medium(u64::MAX, &mut [0]).is_err());
        target.write_at(5, b"new").unwrap();
        target.sync().unwrap();
        assert_eq!(
            std::fs::read(&path).unwrap()[4..9],
            [0, b'n', b'e', b'w', 1]
        );
        std::fs::remove_file(&path).unwrap();
    }
}
