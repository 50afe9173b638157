//! A file that has its name only when it is complete.

use super::Error;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// An archive that has not got its name yet. Dropped, it is deleted.
pub struct Growing {
    /// To write to and to read back from.
    pub file: File,
    /// Where it grows.
    pub path: PathBuf,
    name: PathBuf,
    finished: bool,
}

impl Growing {
    /// Begins one that will be called `name`.
    pub fn new(name: &Path) -> Result<Self, Error> {
        let mut path = name.as_os_str().to_owned();
        path.push(".partial");
        let path = PathBuf::from(path);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|why| match why.kind() {
                io::ErrorKind::AlreadyExists => Error::Leftover(path.clone()),
                _ => Error::Io(path.display().to_string(), why),
            })?;
        Ok(Self {
            file,
            path,
            name: name.to_owned(),
            finished: false,
        })
    }

    /// Gives it its name, unless that was taken in the meantime.
    pub fn finish(mut self) -> Result<(), Error> {
        let said = || self.name.display().to_string();
        // A second name is refused where the first exists; renaming is not.
        // File systems without second names (FAT) leave a moment in between.
        match std::fs::hard_link(&self.path, &self.name) {
            Ok(()) => {
                let _ = std::fs::remove_file(&self.path);
            }
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Error::Exists(self.name.clone()));
            }
            Err(_) => {
                if self.name.exists() {
                    return Err(Error::Exists(self.name.clone()));
                }
                std::fs::rename(&self.path, &self.name).map_err(Error::io(said()))?;
            }
        }
        self.finished = true;
        sync_directory(&self.name).map_err(Error::io(said()))
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        if !self.finished {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Puts the new name of `path` on the disk, where that can be asked for.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if cfg!(unix) {
        File::open(directory)?.sync_all()
    } else {
        Ok(())
    }
}
