//! How far an interrupted restore came, and the two ways out of it.
//!
//! The journal has what lay there before, the backup what was to be written.
//! On a phone that was stopped in between, every sector is one or the other,
//! but for those few that the card was writing at that moment. Anything else
//! means that it is not this phone, or that it was used since: then nothing is
//! written.

use super::Error;
use super::archive::{Archive, Content};
use super::digest::{Digest, for_chunks};
use super::manifest::Part;
use super::restore::{User, write_part};
use super::set::Guard;
use crate::identity::blank::Filling;
use crate::progress::Progress;
use crate::source::Source;
use std::io;
use std::path::{Path, PathBuf};

const SECTOR_BYTES: usize = 512;
/// Sectors that may be neither, of those of a part: a card that loses power
/// tears what it writes at that moment.
const TORN_MAX: u64 = 128;
/// Journals of one backup; far more than anybody makes.
const JOURNALS_MAX: u32 = 999;

/// What a part of the phone holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// What it held before the restore.
    Old,
    /// What the backup has.
    New,
    /// Some of both.
    Mixed,
    /// Something else.
    Foreign,
}

/// A part in the middle of a restore.
struct Entry<'a> {
    part: &'a Part,
    offset: u64,
    old: Content,
    new: Content,
    new_digest: Digest,
    state: State,
}

/// A journal, the backup that was being restored, and where.
pub struct Journal<'a> {
    entries: Vec<Entry<'a>>,
    user: &'a User,
}

impl<'a> Journal<'a> {
    /// Compares the phone with both.
    ///
    /// # Errors
    /// If the journal belongs to another restore, and what the media say.
    pub fn open(journal: &'a Archive, backup: &'a Archive, user: &'a User) -> Result<Self, Error> {
        let refused = |why: &str| Error::Refused(why.to_owned());
        let undo = journal
            .manifest()
            .undo
            .as_ref()
            .ok_or_else(|| refused("this is a backup, not the journal of a restore"))?;
        if undo.backup != backup.digest() {
            return Err(refused("the journal is of the restore of another backup"));
        }
        if undo.target_bytes != user.target.len() {
            return Err(refused(
                "the journal is of another phone: the size is not the same",
            ));
        }
        let mut entries = Vec::new();
        for part in &journal.manifest().parts {
            let damaged = || Error::Archive(format!("the journal of {} is damaged", part.name));
            if Guard::of(&part.name, part.place.area) == Guard::Never {
                return Err(refused("the journal names a part that is never written"));
            }
            let offset = part.place.offset.ok_or_else(damaged)?;
            let old = journal.part(part).ok_or_else(damaged)?;
            let kept = backup.manifest().part(&part.name).ok_or_else(damaged)?;
            let new = backup.part(kept).ok_or_else(damaged)?;
            let there = user.window(offset, part.bytes);
            if old.len() != new.len() || there.len() != old.len() {
                return Err(damaged());
            }
            let state = state(&there, &old, &new).map_err(Error::io(part.name.clone()))?;
            entries.push(Entry {
                part,
                offset,
                old,
                new,
                new_digest: kept.sha256,
                state,
            });
        }
        Ok(Self { entries, user })
    }

    /// Every part and what the phone holds of it.
    pub fn states(&self) -> impl Iterator<Item = (&str, State)> {
        self.entries
            .iter()
            .map(|entry| (entry.part.name.as_str(), entry.state))
    }

    /// Whether the restore was stopped in the middle: neither all old nor all
    /// new, and nothing else.
    pub fn is_open(&self) -> bool {
        let all = |wanted| self.entries.iter().all(|entry| entry.state == wanted);
        !all(State::Old) && !all(State::New) && !self.is_foreign()
    }

    fn is_foreign(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.state == State::Foreign)
    }

    fn check(&self) -> Result<(), Error> {
        let foreign: Vec<&str> = self
            .states()
            .filter(|(_, state)| *state == State::Foreign)
            .map(|(name, _)| name)
            .collect();
        if foreign.is_empty() {
            return Ok(());
        }
        Err(Error::Refused(format!(
            "{} hold neither what was there before nor what the backup has: it is another phone, \
             or it was used since. The journal is a backup itself: restore from it what you want",
            foreign.join(", ")
        )))
    }

    /// Whether the phone holds something of this restore that no other one
    /// has: some of the identity that was being written, or all of the one that
    /// was there before. Phones that were wiped all hold the same nothing.
    fn tells_phone(&self) -> Result<bool, Error> {
        let mut needed = false;
        for entry in &self.entries {
            if Guard::of(&entry.part.name, entry.part.place.area) != Guard::Identity {
                continue;
            }
            needed = true;
            let name = || entry.part.name.clone();
            if entry.state != State::Old
                || !Filling::of(&entry.old)
                    .map_err(Error::io(name()))?
                    .is_blank()
            {
                return Ok(true);
            }
        }
        Ok(!needed)
    }

    /// Writes what is missing. `same_phone` says that the phone was told to be
    /// the backup's by other means.
    ///
    /// # Errors
    /// If the phone holds anything else than old and new, if identity is
    /// missing and nothing tells that it is this phone's, and what the media
    /// say.
    pub fn resume(&self, same_phone: bool, progress: &mut dyn Progress) -> Result<(), Error> {
        self.check()?;
        if !same_phone && !self.tells_phone()? {
            return Err(Error::Refused(
                "nothing of the identity was written yet, so nothing tells that this is the same \
                 phone: add --cid or --same-phone as for the restore itself"
                    .to_owned(),
            ));
        }
        for entry in &self.entries {
            if entry.state != State::New {
                let (name, digest) = (&entry.part.name, entry.new_digest);
                write_part(name, &entry.new, entry.offset, digest, self.user, progress)?;
            }
        }
        Ok(())
    }

    /// Writes back what was there before, last part first.
    ///
    /// # Errors
    /// As [`Self::resume`].
    pub fn undo(&self, progress: &mut dyn Progress) -> Result<(), Error> {
        self.check()?;
        for entry in self.entries.iter().rev() {
            if entry.state != State::Old {
                let (name, digest) = (&entry.part.name, entry.part.sha256);
                write_part(name, &entry.old, entry.offset, digest, self.user, progress)?;
            }
        }
        Ok(())
    }
}

/// What `there` holds of `old` and `new`; all three are of one length.
fn state(there: &dyn Source, old: &dyn Source, new: &dyn Source) -> io::Result<State> {
    let (mut is_old, mut is_new) = (true, true);
    let (mut torn, mut sectors) = (0, 0);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for_chunks(there, |at, now| {
        before.resize(now.len(), 0);
        after.resize(now.len(), 0);
        old.read_at(at, &mut before)?;
        new.read_at(at, &mut after)?;
        let both = before.chunks(SECTOR_BYTES).zip(after.chunks(SECTOR_BYTES));
        for (now, (before, after)) in now.chunks(SECTOR_BYTES).zip(both) {
            is_old &= now == before;
            is_new &= now == after;
            sectors += 1;
            torn += u64::from(now != before && now != after);
        }
        Ok(())
    })?;
    Ok(if is_new {
        State::New
    } else if is_old {
        State::Old
    } else if torn <= TORN_MAX.min(sectors / 4).max(1) {
        State::Mixed
    } else {
        State::Foreign
    })
}

/// The journals of `backup` that exist, oldest first.
pub fn existing(backup: &Path) -> Vec<PathBuf> {
    (1..=JOURNALS_MAX)
        .map(|number| numbered(backup, number))
        .take_while(|path| path.exists())
        .collect()
}

/// The name of the next one.
///
/// # Errors
/// If there are too many.
pub fn next(backup: &Path) -> Result<PathBuf, Error> {
    (1..=JOURNALS_MAX)
        .map(|number| numbered(backup, number))
        .find(|path| !path.exists())
        .ok_or_else(|| {
            Error::Usage(format!(
                "there are {JOURNALS_MAX} journals: delete old ones"
            ))
        })
}

fn numbered(backup: &Path, number: u32) -> PathBuf {
    let mut name = backup.as_os_str().to_owned();
    name.push(format!(".undo-{number}.tar"));
    PathBuf::from(name)
}
