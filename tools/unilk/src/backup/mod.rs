//! Backups: everything that makes a phone this phone, in one file that can be
//! opened without this program, and the ways back.
//!
//! A backup is an uncompressed tar archive:
//!
//! ```text
//! unilk-backup.json     the manifest: places, sizes, SHA-256, phone, evidence
//! SHA256SUMS            the same hashes for `sha256sum --check`
//! parts/NVRAM.img ...   one file a partition or area
//! data-nvram/...        the live files of /data/nvram, where they were at hand
//! ```
//!
//! The manifest comes first, where people and programs look for it, although
//! its hashes are known only when everything was read. Nothing else in it
//! depends on the content, and a hash always has 64 digits: so its length is
//! known before, its room is left free, and it is written last. A second pass
//! over the parts, or a manifest at the end that every listing has to search
//! for, is not needed. The archive has its name only when it is complete and
//! was read back ([`mod@write`]).
//!
//! The hashes protect against accidents, not against somebody who makes a new
//! manifest. What is restored is therefore judged by the phone's own table and
//! by the names that [`set`] knows, never by what the manifest allows.
//!
//! Source: facts/storage-and-images.md 4.6, 11.1, 11.2, 11.5, 11.6.

pub mod archive;
pub mod cid;
pub mod digest;
pub mod dump;
mod growing;
pub mod journal;
pub mod manifest;
pub mod member;
pub mod mtkclient;
pub mod phone;
pub mod plan;
pub mod restore;
pub mod select;
pub mod set;
pub mod target;
pub mod verify;
pub mod write;

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why something could not be kept, checked or written back.
#[derive(Debug)]
pub enum Error {
    /// Reading or writing failed, and of what.
    Io(String, io::Error),
    /// A backup is never overwritten.
    Exists(PathBuf),
    /// What a backup that was stopped left, or one that is running.
    Leftover(PathBuf),
    /// There is nothing in it that could be kept.
    Nothing,
    /// The archive is none, or damaged.
    Archive(String),
    /// It would cost a phone its identity, or the phone.
    Refused(String),
    /// The arguments do not make sense together.
    Usage(String),
    /// What was written does not read back.
    ReadBack(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(what, why) => write!(f, "{what}: {why}"),
            Self::Exists(path) => write!(
                f,
                "{} exists already; backups are never overwritten, choose another name",
                path.display()
            ),
            Self::Leftover(path) => write!(
                f,
                "{} is left from a backup that was stopped, or belongs to one that is running; \
                 if none is running, delete it",
                path.display()
            ),
            Self::Nothing => write!(f, "there is no partition in it that could be kept"),
            Self::Archive(why) | Self::Refused(why) | Self::Usage(why) => f.write_str(why),
            Self::ReadBack(what) => write!(
                f,
                "{what} does not read back as it was written: the medium or its connection is bad"
            ),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// For `map_err`: what failed.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |why| Self::Io(what, why)
    }
}

#[cfg(test)]
mod tests;
