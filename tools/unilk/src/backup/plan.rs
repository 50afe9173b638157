//! What a restore would write where, decided before anything is written.
//!
//! The phone's own table says where a part lies; the backup has to agree. A
//! part that needs a word more than its name (identity, tables) has to be the
//! same phone's, and the first loader is never written.
//!
//! Source: facts/storage-and-images.md 3.6, 4.6, 11.5.

use super::Error;
use super::archive::Archive;
use super::digest::Digest;
use super::dump::{Dump, DumpPart, same_name};
use super::manifest::{Manifest, Part};
use super::phone::{Judgement, Sameness, Statement, judge};
use super::set::{Guard, holds};
use crate::finding::{Finding, Severity};
use crate::source::{Source, Window};
use crate::storage::{Area, TAIL};

/// What somebody wants.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Parts by name. If there is none, all that `identity` and `tables` open.
    pub parts: Vec<String>,
    /// Identity may be written.
    pub identity: bool,
    /// Tables may be written.
    pub tables: bool,
    /// What a person typed to say that it is the same phone.
    pub same_phone: Option<String>,
}

/// One part to be written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Its name in the archive.
    pub member: String,
    /// First byte in the user area.
    pub offset: u64,
    /// Bytes to be written.
    pub bytes: u64,
    /// What was needed to allow it.
    pub guard: Guard,
    /// Of what is there now.
    pub old: Digest,
    /// Of what will be there.
    pub new: Digest,
}

impl Step {
    /// Whether it is there already.
    pub fn is_done(&self) -> bool {
        self.old == self.new
    }

    fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes)
    }
}

/// All that would be written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// Whether it is the same phone.
    pub phone: Judgement,
    /// What is doubtful.
    pub findings: Vec<Finding>,
}

/// Plans the restore of `archive` to the phone of `dump`, whose user area is
/// `user`.
///
/// # Errors
/// [`Error::Refused`] if a phone could be lost by it, [`Error::Usage`] if the
/// request makes no sense.
pub fn plan(
    archive: &Archive,
    dump: &Dump,
    user: &dyn Source,
    request: &Request,
) -> Result<Plan, Error> {
    let parts = chosen(archive, request)?;
    let statement = Statement {
        same_phone: request.same_phone.as_deref(),
        tables: request.tables,
    };
    let phone = judge(archive, dump, statement)?;
    if phone.sameness == Sameness::Other {
        return Err(Error::Refused(format!(
            "this is another phone: {}",
            phone.reasons.join("; ")
        )));
    }
    // What is wrong with the phone is often why it is restored.
    let mut findings: Vec<Finding> = dump
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Problem)
        .map(|finding| Finding::warning("RESTORE-TARGET", finding.text.clone()))
        .collect();
    let mut steps: Vec<Step> = Vec::new();
    for part in parts {
        let guard = allowed(part, request)?;
        if guard != Guard::Named && phone.sameness != Sameness::Same {
            return Err(Error::Refused(unproven(archive, part, &phone)));
        }
        if part.bytes < part.place.bytes {
            let short = format!(
                "the backup holds {} of the {} bytes of {}",
                part.bytes, part.place.bytes, part.name
            );
            if guard != Guard::Named {
                return Err(Error::Refused(short));
            }
            findings.push(Finding::warning("RESTORE-SHORT", short));
        }
        let offset = place(part, dump, guard)?;
        let fits = offset
            .checked_add(part.bytes)
            .is_some_and(|end| end <= user.len());
        if !fits {
            return Err(Error::Refused(format!(
                "{} would reach beyond the end of the user area",
                part.name
            )));
        }
        let old = Digest::of_source(&Window::new(user, offset, part.bytes), |_| {})
            .map_err(Error::io(part.name.clone()))?;
        steps.push(Step {
            name: part.name.clone(),
            member: part.member.clone(),
            offset,
            bytes: part.bytes,
            guard,
            old,
            new: part.sha256,
        });
    }
    check_overlaps(&steps, dump, archive.manifest())?;
    Ok(Plan {
        steps,
        phone,
        findings,
    })
}

/// The parts of the backup that are asked for, each once.
pub fn chosen<'a>(archive: &'a Archive, request: &Request) -> Result<Vec<&'a Part>, Error> {
    let manifest = archive.manifest();
    if request.parts.is_empty() {
        let opened: Vec<&Part> = manifest
            .parts
            .iter()
            .filter(|part| match Guard::of(&part.name, part.place.area) {
                Guard::Identity => request.identity,
                Guard::Tables => request.tables,
                _ => false,
            })
            .collect();
        if opened.is_empty() {
            return Err(Error::Usage(
                "say what to write: --part UBOOT (may be repeated), --identity for all that \
                 makes the phone this phone, or --tables"
                    .to_owned(),
            ));
        }
        return Ok(opened);
    }
    let mut parts: Vec<&Part> = Vec::new();
    for name in &request.parts {
        let part = manifest.part(name).ok_or_else(|| {
            let names: Vec<&str> = manifest.parts.iter().map(|p| p.name.as_str()).collect();
            Error::Usage(format!(
                "--part {name}: the backup has no such part; it has {}",
                names.join(", ")
            ))
        })?;
        if !parts.iter().any(|other| other.name == part.name) {
            parts.push(part);
        }
    }
    Ok(parts)
}

/// What allows `part` to be written, if anything does. The manifest has no
/// say in it.
pub fn allowed(part: &Part, request: &Request) -> Result<Guard, Error> {
    let guard = Guard::of(&part.name, part.place.area);
    let (given, word) = match guard {
        Guard::Named => (true, ""),
        Guard::Identity => (request.identity, "--identity"),
        Guard::Tables => (request.tables, "--tables"),
        Guard::Never => {
            return Err(Error::Refused(format!(
                "{} is never written ({}): a phone without its first loader cannot be reached \
                 any more, and no argument changes that",
                part.name,
                holds(&part.name)
            )));
        }
    };
    if given {
        return Ok(guard);
    }
    Err(Error::Refused(format!(
        "{} holds {}; it is written only with {word}, from a backup of the same phone",
        part.name,
        holds(&part.name)
    )))
}

fn unproven(archive: &Archive, part: &Part, phone: &Judgement) -> String {
    format!(
        "{} holds {}, and may only go to the phone that it is from: {}. If you know that it is \
         that phone, give its eMMC's CID with --cid, or add --same-phone {}",
        part.name,
        holds(&part.name),
        phone.reasons.join("; "),
        archive.digest().short()
    )
}

/// Where `part` lies on the phone: where its own table says, and the backup
/// agrees. Only tables may go where the backup says, if the phone has none
/// left that could tell.
fn place(part: &Part, dump: &Dump, guard: Guard) -> Result<u64, Error> {
    let refused = |why: &str| Err(Error::Refused(format!("{}: {why}", part.name)));
    let there: Option<&DumpPart> = dump.find(&part.name);
    let now = there.and_then(|there| there.place.offset);
    match (now, part.place.offset) {
        (Some(now), Some(then)) if now == then => {}
        (Some(now), None) if guard == Guard::Named => return Ok(now),
        (Some(_), None) => {
            return refused(
                "the backup does not know where it lay; make one of the whole user area",
            );
        }
        (None, Some(then)) if guard == Guard::Tables => {
            let same_size = dump.phone.user_bytes.is_some();
            return if same_size {
                Ok(then)
            } else {
                refused("the size of the phone's user area is not known")
            };
        }
        (Some(now), Some(then)) if guard == Guard::Tables => {
            return refused(&format!(
                "the phone's table has it at {now:#x}, the backup at {then:#x}"
            ));
        }
        _ => return refused("the phone's table does not have it where the backup has it"),
    }
    match there {
        Some(there) if part.bytes <= there.place.bytes => Ok(there.place.offset.unwrap_or(0)),
        _ => refused("the backup has more bytes than the partition"),
    }
}

/// Nothing may be written twice, and nothing that was not named, wherever the
/// phone or the backup have it.
fn check_overlaps(steps: &[Step], dump: &Dump, manifest: &Manifest) -> Result<(), Error> {
    let there = dump.parts.iter().map(|part| (&part.name, part.place));
    let kept = manifest.parts.iter().map(|part| (&part.name, part.place));
    let guarded: Vec<_> = there
        .chain(kept)
        .filter(|(name, place)| {
            place.area == Area::User && Guard::of(name, place.area) != Guard::Named
        })
        .collect();
    for (index, step) in steps.iter().enumerate() {
        for other in &steps[..index] {
            if step.offset < other.end() && other.offset < step.end() {
                return Err(Error::Refused(format!(
                    "{} and {} overlap: restore one of them",
                    other.name, step.name
                )));
            }
        }
        for (name, place) in &guarded {
            let Some(start) = place.offset else {
                continue;
            };
            let own = same_name(name, &step.name);
            // The reserve at the end of the card is what the tail lies in.
            let around = same_name(&step.name, TAIL)
                && ["BMTPOOL", "PMT"].iter().any(|n| same_name(n, name));
            let end = start.saturating_add(place.bytes);
            if !own && !around && start < step.end() && step.offset < end {
                return Err(Error::Refused(format!(
                    "{} would write over {name}, which holds {}",
                    step.name,
                    holds(name)
                )));
            }
        }
    }
    Ok(())
}
