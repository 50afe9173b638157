//! Writes parts of a backup to a phone, so that a stop at any byte can be
//! mended.
//!
//! Before the first byte is written, all that will be overwritten is kept in a
//! journal: itself a backup, complete and read back, so that there is always
//! one more way out. Then part after part is written, put on the medium, read
//! back and compared. There is no record of how far it came, which could be
//! wrong where it counts, after a power cut: what the phone holds tells it,
//! sector by sector ([`super::journal`]).

use super::Error;
use super::archive::Archive;
use super::digest::{Digest, for_chunks};
use super::dump::{Dump, DumpPart, Place};
use super::manifest::Undo;
use super::plan::{Plan, Step};
use super::target::Target;
use super::verify::{Comparison, compare};
use super::write::Backup;
use crate::identity::files::NvramFiles;
use crate::progress::Progress;
use crate::source::{Source, Window};
use crate::storage::Area;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// A phone or image that is written to.
#[derive(Clone)]
pub struct User {
    /// All of it.
    pub target: Arc<dyn Target>,
    /// Its byte at which the user area begins: not 0 in a linear dump.
    pub start: u64,
}

impl User {
    /// `bytes` of the user area from `offset` on.
    pub fn window(&self, offset: u64, bytes: u64) -> Window<Arc<dyn Source>> {
        let source: Arc<dyn Source> = self.target.clone();
        Window::new(source, self.start.saturating_add(offset), bytes)
    }
}

/// Writes the journal of `plan`: a backup of all that it will change.
///
/// # Errors
/// If it cannot be written, or the phone changed since the plan was made.
pub fn write_journal(
    plan: &Plan,
    archive: &Archive,
    dump: &Dump,
    user: &User,
    path: &Path,
    progress: &mut dyn Progress,
) -> Result<(), Error> {
    let steps: Vec<&Step> = plan.steps.iter().filter(|step| !step.is_done()).collect();
    let parts: Vec<DumpPart> = steps
        .iter()
        .map(|step| DumpPart {
            name: step.name.clone(),
            place: Place {
                area: Area::User,
                offset: Some(step.offset),
                linear: None,
                logical: None,
                bytes: step.bytes,
            },
            data: Arc::new(user.window(step.offset, step.bytes)),
        })
        .collect();
    let parts: Vec<&DumpPart> = parts.iter().collect();
    let undo = Undo {
        backup: archive.digest(),
        target_bytes: user.target.len(),
    };
    let journal = Backup::new(dump, &parts, &NvramFiles::default(), SystemTime::now());
    let (manifest, _) = journal.with_undo(undo).create(path, progress)?;
    for (part, step) in manifest.parts.iter().zip(steps) {
        if part.sha256 != step.old {
            return Err(Error::Refused(format!(
                "{} changed while the restore was prepared: something else writes to it",
                step.name
            )));
        }
    }
    Ok(())
}

/// Writes every step of `plan`. The journal has to exist.
///
/// # Errors
/// What the media say, and if something does not read back.
pub fn execute(
    plan: &Plan,
    archive: &Archive,
    user: &User,
    progress: &mut dyn Progress,
) -> Result<(), Error> {
    for step in plan.steps.iter().filter(|step| !step.is_done()) {
        let content = archive
            .content(&step.member)
            .filter(|content| content.len() == step.bytes)
            .ok_or_else(|| Error::Archive(format!("{} is not in the archive", step.member)))?;
        write_part(&step.name, &content, step.offset, step.new, user, progress)?;
    }
    Ok(())
}

/// A stretch of what is written to, read from the medium itself.
struct Medium<'a> {
    user: &'a User,
    start: u64,
    len: u64,
}

impl Source for Medium<'_> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.user.target.read_medium(self.start + offset, out)
    }
}

/// Writes one part where it is not there yet, and makes sure of it.
pub(super) fn write_part(
    name: &str,
    content: &dyn Source,
    offset: u64,
    digest: Digest,
    user: &User,
    progress: &mut dyn Progress,
) -> Result<(), Error> {
    let there = user.window(offset, content.len());
    if there.len() != content.len() {
        return Err(Error::Refused(format!(
            "{name} would reach beyond the end of the user area"
        )));
    }
    progress.begin(name, content.len());
    let mut hasher = super::digest::Hasher::default();
    let mut now = Vec::new();
    for_chunks(content, |at, chunk| {
        now.resize(chunk.len(), 0);
        there.read_at(at, &mut now)?;
        if now != chunk {
            user.target.write_at(there.start() + at, chunk)?;
        }
        hasher.update(chunk);
        progress.advance(chunk.len() as u64);
        Ok(())
    })
    .and_then(|()| user.target.sync())
    .map_err(Error::io(format!("writing {name}")))?;
    progress.finish();
    if hasher.finish() != digest {
        return Err(Error::Archive(format!(
            "{name} changed in the archive while it was written"
        )));
    }
    let medium = Medium {
        user,
        start: there.start(),
        len: there.len(),
    };
    match compare(content, &medium, |_| {}).map_err(Error::io(format!("reading back {name}")))? {
        Comparison::Same => Ok(()),
        _ => Err(Error::ReadBack(name.to_owned())),
    }
}
