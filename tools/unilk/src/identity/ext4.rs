//! /data/nvram out of the ext4 file system of a dump of USRDATA.
//!
//! Crate `ext4-view` reads the file system. It is given a superblock that was
//! looked at before, so that what it holds in memory is bounded, and so many
//! bytes to read that a file system made to keep it busy ends soon.

use super::files::{DEPTH_MAX, FILES_MAX, NvramFiles, join};
use super::superblock::Superblock;
use crate::source::Source;
use ext4_view::{Ext4, Ext4Read};
use std::error::Error;
use std::sync::Arc;

/// Groups of a file system of 128 GiB in blocks of 1 KiB; far more than any of
/// these phones has.
const GROUPS_MAX: u64 = 16 * 1024;
/// Bytes that are read at most, journal included.
const READ_MAX: u64 = 512 << 20;
/// Where the files may be: USRDATA is mounted at /data.
const DIRECTORIES: [&str; 2] = ["/nvram", "/data/nvram"];

/// A source for `ext4-view`, with an end to its patience.
struct Bounded {
    source: Arc<dyn Source>,
    left: u64,
}

impl Ext4Read for Bounded {
    fn read(
        &mut self,
        start: u64,
        out: &mut [u8],
    ) -> Result<(), Box<dyn Error + Send + Sync + 'static>> {
        self.left = self
            .left
            .checked_sub(out.len() as u64)
            .ok_or("it takes too much reading")?;
        Ok(self.source.read_at(start, out)?)
    }
}

/// The files, or why there are none, in words.
///
/// # Errors
/// If it is no such file system, or has no directory `nvram`.
pub fn nvram_files(usrdata: &Arc<dyn Source>) -> Result<NvramFiles, String> {
    let superblock = Superblock::of(&**usrdata)
        .map_err(|why| format!("USRDATA cannot be read: {why}"))?
        .ok_or("USRDATA holds no ext4 file system (it may be encrypted or blank)")?;
    if superblock.groups > GROUPS_MAX {
        return Err("the file system in USRDATA is larger than any of these phones".to_owned());
    }
    let reader = Bounded {
        source: usrdata.clone(),
        left: READ_MAX,
    };
    let said = |why: ext4_view::Ext4Error| format!("the file system in USRDATA: {why}");
    let system = Ext4::load(Box::new(reader)).map_err(said)?;
    let Some(root) = DIRECTORIES
        .into_iter()
        .find(|path| system.exists(*path).unwrap_or(false))
    else {
        return Err("USRDATA has no directory nvram".to_owned());
    };
    let mut files = NvramFiles::default();
    let mut directories = vec![(root.to_owned(), String::new(), 0)];
    let mut looked_at = 0;
    while let Some((directory, below, depth)) = directories.pop() {
        let entries = match system.read_dir(directory.as_str()) {
            Ok(entries) => entries,
            Err(why) => {
                files.left_out(&directory, &why.to_string());
                continue;
            }
        };
        for entry in entries {
            looked_at += 1;
            if looked_at > 2 * FILES_MAX {
                files.left_out(&directory, "more files than /data/nvram ever has");
                return Ok(files);
            }
            let taken = entry.and_then(|entry| {
                let name = entry.file_name().display().to_string();
                if matches!(name.as_str(), "." | "..") {
                    return Ok(());
                }
                let kind = entry.file_type()?;
                let (full, path) = (join(&directory, &name), join(&below, &name));
                if kind.is_dir() && depth < DEPTH_MAX {
                    directories.push((full, path, depth + 1));
                } else if kind.is_regular_file() && files.room_for(&path, entry.metadata()?.len()) {
                    files.add(&path, system.read(full.as_str())?);
                }
                Ok(())
            });
            if let Err(why) = taken {
                files.left_out(&directory, &why.to_string());
                // An entry that is damaged has no next one.
                break;
            }
        }
    }
    Ok(files)
}
