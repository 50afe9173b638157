//! The files of /data/nvram, from wherever they are at hand: a directory, a
//! tar file of one, or the file system in a dump of USRDATA.
//!
//! They are few and small (some 200 files, 2 MiB in all), so they are held in
//! memory; what is larger than they ever are is left out and said.
//!
//! Source: facts/storage-and-images.md 4.6, 4.7.

use crate::finding::Finding;
use crate::source::{Reader, Source};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// Largest file that is taken.
pub const FILE_BYTES_MAX: u64 = 4 << 20;
/// Bytes of all files together.
pub const ALL_BYTES_MAX: u64 = 16 << 20;
/// Files that are taken.
pub const FILES_MAX: usize = 4096;
/// Directories below each other, and in all.
pub const DEPTH_MAX: usize = 16;
/// Largest tar file that is looked through.
const TAR_BYTES_MAX: u64 = 64 << 20;
/// Longest path that a backup keeps: `data-nvram/` comes in front of it.
const PATH_BYTES_MAX: usize = 100 - "data-nvram/".len();

/// Files by their path below /data/nvram.
#[derive(Clone, Default)]
pub struct NvramFiles {
    files: BTreeMap<String, Arc<Vec<u8>>>,
    bytes: u64,
    /// What was left out, and what is wrong.
    pub findings: Vec<Finding>,
}

impl NvramFiles {
    /// From a directory: /data/nvram itself, or one above it.
    ///
    /// # Errors
    /// What the system says.
    pub fn from_directory(path: &Path) -> io::Result<Self> {
        let mut found = Self::default();
        found.walk(path, "", 0)?;
        Ok(found)
    }

    fn walk(&mut self, directory: &Path, below: &str, depth: usize) -> io::Result<()> {
        if depth > DEPTH_MAX {
            self.left_out(below, "too many directories below each other");
            return Ok(());
        }
        let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let path = join(below, &name.to_string_lossy());
            // Links are not followed: they lead elsewhere.
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.walk(&entry.path(), &path, depth + 1)?;
            } else if kind.is_file() && self.room_for(&path, entry.metadata()?.len()) {
                let mut content = Vec::new();
                fs::File::open(entry.path())?
                    .take(FILE_BYTES_MAX)
                    .read_to_end(&mut content)?;
                self.add(&path, content);
            }
        }
        Ok(())
    }

    /// From a tar file, not compressed, of /data/nvram or one above it.
    ///
    /// # Errors
    /// What the source says, and if it is no tar file or larger than 64 MiB.
    pub fn from_tar(source: &dyn Source) -> io::Result<Self> {
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
        if source.len() > TAR_BYTES_MAX {
            return Err(invalid(
                "larger than 64 MiB: give a tar file of data/nvram only",
            ));
        }
        let mut found = Self::default();
        let mut archive = tar::Archive::new(Reader::new(source));
        for entry in archive.entries()? {
            let mut entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if found.room_for(&path, entry.size()) {
                let mut content = Vec::new();
                entry
                    .by_ref()
                    .take(FILE_BYTES_MAX)
                    .read_to_end(&mut content)?;
                found.add(&path, content);
            }
        }
        if found.files.is_empty() && found.findings.is_empty() {
            return Err(invalid("no file in it: give an uncompressed tar file"));
        }
        Ok(found)
    }

    /// Whether a file of this size may be added; if not, says so.
    pub fn room_for(&mut self, path: &str, bytes: u64) -> bool {
        let fits = bytes <= FILE_BYTES_MAX
            && self.files.len() < FILES_MAX
            && self.bytes.saturating_add(bytes) <= ALL_BYTES_MAX;
        if !fits {
            self.left_out(path, "larger or more than /data/nvram ever has");
        }
        fits
    }

    /// Adds a file, under its path below `nvram` if that is in the path.
    pub fn add(&mut self, path: &str, content: Vec<u8>) {
        let Some(path) = below_nvram(path) else {
            self.left_out(path, "its name cannot be kept");
            return;
        };
        self.bytes += content.len() as u64;
        self.files.insert(path, Arc::new(content));
    }

    pub(super) fn left_out(&mut self, path: &str, why: &str) {
        // One of many says enough.
        if self.findings.len() < 20 {
            let text = format!("{} was left out: {why}", path.escape_default());
            self.findings.push(Finding::warning("NVRAM-FILE", text));
        }
    }

    /// The file at `path` below /data/nvram.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(|content| content.as_slice())
    }

    /// All files, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<Vec<u8>>)> {
        self.files
            .iter()
            .map(|(path, content)| (path.as_str(), content))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

pub(super) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

/// `path` below the directory `nvram`, or all of it if there is none; `None`
/// if it cannot be the name of a file that is kept.
fn below_nvram(path: &str) -> Option<String> {
    let components: Vec<&str> = path
        .split('/')
        .filter(|component| !matches!(*component, "" | "."))
        .collect();
    let start = components
        .iter()
        .position(|component| *component == "nvram")
        .map_or(0, |at| at + 1);
    let below = components.get(start..)?.join("/");
    let fits = below.len() <= PATH_BYTES_MAX && crate::backup::member::check_name(&below).is_ok();
    fits.then_some(below)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_below_nvram() {
        for (path, below) in [
            ("data/nvram/APCFG/APRDEB/WIFI", Some("APCFG/APRDEB/WIFI")),
            ("./nvram/md/NVRAM/NVD_DATA/A", Some("md/NVRAM/NVD_DATA/A")),
            ("/data/nvram/a", Some("a")),
            ("APCFG/APRDEB/WIFI", Some("APCFG/APRDEB/WIFI")),
            ("nvram", None),
            ("nvram/../../etc/passwd", None),
        ] {
            assert_eq!(below_nvram(path).as_deref(), below, "{path}");
        }
        assert_eq!(below_nvram(&"x".repeat(101)), None);
    }

    #[test]
    fn too_much_is_left_out_and_said() {
        let mut files = NvramFiles::default();
        assert!(!files.room_for("big", FILE_BYTES_MAX + 1));
        assert!(files.room_for("ok", FILE_BYTES_MAX));
        files.bytes = ALL_BYTES_MAX - 5;
        assert!(!files.room_for("more", 6));
        assert_eq!(files.findings.len(), 2);
    }

    #[test]
    fn a_tar_file_of_them() {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in [("data/nvram/a", b"1"), ("data/nvram/b/c", b"2")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(1);
            builder
                .append_data(&mut header, path, content.as_slice())
                .unwrap();
        }
        let tar = builder.into_inner().unwrap();
        let files = NvramFiles::from_tar(&tar).unwrap();
        assert_eq!(files.get("a"), Some(b"1".as_slice()));
        assert_eq!(files.get("b/c"), Some(b"2".as_slice()));
        assert!(NvramFiles::from_tar(&vec![0; 2048]).is_err());
        assert!(NvramFiles::from_tar(&vec![0x1F; 2048]).is_err());
        // Whatever it is, reading it ends.
        for at in 0..600 {
            let mut bad = tar.clone();
            bad[at] ^= 0x41;
            let _ = NvramFiles::from_tar(&bad);
            let _ = NvramFiles::from_tar(&tar[..at].to_vec());
        }
    }
}
