//! Where the emulated card keeps its bytes: one [`Store`] an area, so that a
//! phone's user area can be a sparse file on the host while a test uses a `Vec`.
//!
//! Source: facts/storage-and-images.md 4.1 (the areas and their order).

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Size of a sector in bytes; what high-capacity cards address.
pub const SECTOR: usize = 512;

/// The hardware partitions of a card that has no general-purpose ones, with
/// the numbers that PARTITION_CONFIG (EXT_CSD byte 179 bits 2:0) gives them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// The user area: MBR and all partitions of the phone.
    #[default]
    User = 0,
    /// First boot partition: the preloader.
    Boot1 = 1,
    /// Second boot partition.
    Boot2 = 2,
    /// Replay-protected memory: has a size, its content is out of reach
    /// without the key.
    Rpmb = 3,
}

impl Area {
    /// The area that PARTITION_CONFIG's access bits name.
    pub fn from_access(bits: u8) -> Option<Area> {
        [Area::User, Area::Boot1, Area::Boot2, Area::Rpmb]
            .get(usize::from(bits))
            .copied()
    }
}

/// Random-access bytes. What lies beyond the stored bytes reads as zero, and a
/// write there makes the store grow: the card checks the area's size.
pub trait Store: Send {
    /// Fills `data` from byte `offset`.
    fn read_at(&mut self, offset: u64, data: &mut [u8]) -> io::Result<()>;
    /// Writes `data` at byte `offset`.
    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()>;
    /// Bytes stored so far.
    fn len(&self) -> u64;
    /// Whether nothing is stored.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes `count` bytes at `offset` equal to `value`. What has that value
    /// already is not written, so that a sparse file stays sparse.
    fn fill(&mut self, offset: u64, count: u64, value: u8) -> io::Result<()> {
        const CHUNK: u64 = 1 << 20;
        let beyond = if value == 0 {
            self.len().saturating_sub(offset)
        } else {
            count
        };
        let count = count.min(beyond);
        let mut chunk = vec![0; CHUNK.min(count) as usize];
        let mut done = 0;
        while done < count {
            let part = &mut chunk[..CHUNK.min(count - done) as usize];
            self.read_at(offset + done, part)?;
            if part.iter().any(|&byte| byte != value) {
                part.fill(value);
                self.write_at(offset + done, part)?;
            }
            done += part.len() as u64;
        }
        Ok(())
    }
}

impl Store for Vec<u8> {
    fn read_at(&mut self, offset: u64, data: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(Vec::len(self));
        let count = data.len().min(Vec::len(self) - start);
        data[..count].copy_from_slice(&self[start..start + count]);
        data[count..].fill(0);
        Ok(())
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start
            .checked_add(data.len())
            .ok_or(io::ErrorKind::InvalidInput)?;
        if Vec::len(self) < end {
            self.resize(end, 0);
        }
        self[start..end].copy_from_slice(data);
        Ok(())
    }

    fn len(&self) -> u64 {
        Vec::len(self) as u64
    }
}

/// A file on the host, sparse where nothing was written. Every write goes
/// straight to the file: it is there when the next run, or another view of the
/// same file, reads it.
pub struct FileStore(File);

impl FileStore {
    /// Opens `path` for reading and writing; it must exist.
    pub fn open(path: &Path) -> io::Result<FileStore> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(FileStore(file))
    }

    /// Like [`FileStore::open`], but an absent file is created and a short one
    /// is made `len` bytes long. Neither takes space on the host.
    pub fn open_or_create(path: &Path, len: u64) -> io::Result<FileStore> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        if file.metadata()?.len() < len {
            file.set_len(len)?;
        }
        Ok(FileStore(file))
    }
}

impl Store for FileStore {
    fn read_at(&mut self, offset: u64, data: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        while done < data.len() {
            match self.0.read_at(&mut data[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        data[done..].fill(0);
        Ok(())
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_all_at(data, offset)
    }

    fn len(&self) -> u64 {
        self.0.metadata().map_or(0, |metadata| metadata.len())
    }
}

/// The bytes of a whole card. RPMB has none: nothing here holds its key.
pub struct Stores {
    /// The user area.
    pub user: Box<dyn Store>,
    /// The first boot partition.
    pub boot1: Box<dyn Store>,
    /// The second boot partition.
    pub boot2: Box<dyn Store>,
}

impl Stores {
    /// A user area with empty boot partitions in memory.
    pub fn user(user: impl Store + 'static) -> Stores {
        Stores {
            user: Box::new(user),
            boot1: Box::<Vec<u8>>::default(),
            boot2: Box::<Vec<u8>>::default(),
        }
    }

    /// The store of `area`; RPMB has none.
    pub fn area(&mut self, area: Area) -> Option<&mut dyn Store> {
        match area {
            Area::User => Some(&mut *self.user),
            Area::Boot1 => Some(&mut *self.boot1),
            Area::Boot2 => Some(&mut *self.boot2),
            Area::Rpmb => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn vec_reads_zero_beyond_its_end_and_grows() {
        let mut store = vec![1, 2, 3];
        let mut data = [9; 5];
        store.read_at(1, &mut data).unwrap();
        assert_eq!(data, [2, 3, 0, 0, 0]);
        store.write_at(6, &[7]).unwrap();
        assert_eq!(store, [1, 2, 3, 0, 0, 0, 7]);
        store.read_at(1 << 40, &mut data).unwrap();
        assert_eq!(data, [0; 5]);
    }

    #[test]
    fn file_keeps_writes_over_a_reopen_and_stays_sparse() {
        let path = std::env::temp_dir().join(format!("unilk-store-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        {
            let mut store = FileStore::open_or_create(&path, 4 << 30).unwrap();
            store.write_at(3 << 30, b"UBOOT").unwrap();
            store.fill(1 << 20, 4 << 20, 0).unwrap();
        }
        let mut store = FileStore::open(&path).unwrap();
        let mut second_view = FileStore::open(&path).unwrap();
        store.write_at((4 << 30) + 3, b"grown").unwrap();
        let mut data = [0xFF; 6];
        second_view.read_at((4 << 30) + 4, &mut data).unwrap();
        assert_eq!(&data, b"rown\0\0");
        assert_eq!(second_view.len(), (4 << 30) + 8);
        let mut data = [0xFF; 7];
        store.read_at((3 << 30) - 1, &mut data).unwrap();
        assert_eq!(&data, b"\0UBOOT\0");
        store.fill(3 << 30, 2, 0).unwrap();
        store.read_at((3 << 30) - 1, &mut data).unwrap();
        assert_eq!(&data, b"\0\0\0OOT\0");
        assert!(
            std::fs::metadata(&path).unwrap().blocks() < 1024,
            "the file is not sparse"
        );
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn fill_with_ones_reaches_beyond_the_stored_bytes() {
        let mut store = vec![0; 4];
        store.fill(2, 4, 0xFF).unwrap();
        assert_eq!(store, [0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    }
}
