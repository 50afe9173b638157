//! Whether a backup is of the phone that it is about to be written to.
//!
//! Two phones of one model have the same layout and the same firmware; writing
//! one's NVRAM to the other gives it a foreign IMEI and foreign calibration.
//! What tells them apart, safest first:
//!
//! 1. The eMMC's CID, which is in the chip and cannot be changed. If both are
//!    known, they decide, whatever anybody says.
//! 2. NVRAM or a PRO_INFO with IMEIs in it that are still byte for byte what
//!    the backup has: nobody else's are.
//! 3. A person who types the name of this very backup. A yes would be too
//!    easy to give.
//!
//! Sizes, places and the MBR only prove the opposite. A file system's UUID
//! proves nothing: Android's own tool gives all the same one.
//!
//! Source: facts/storage-and-images.md 4.1, 4.6, 4.7.

use super::Error;
use super::archive::Archive;
use super::cid;
use super::dump::{Dump, Phone};
use super::verify::{Comparison, compare};
use crate::identity::blank::Filling;
use crate::identity::has_imei;
use crate::source::Source;
use crate::storage::{Area, TAIL};

/// What is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sameness {
    /// It is the same phone.
    Same,
    /// Nothing speaks against it, and nothing proves it.
    Unproven,
    /// It is another one.
    Other,
}

/// What is known, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Judgement {
    /// What is known.
    pub sameness: Sameness,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
}

/// What the caller adds to the comparison.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statement<'a> {
    /// What a person typed to say that it is the same phone.
    pub same_phone: Option<&'a str>,
    /// Whether the tables are to be written, and may therefore differ.
    pub tables: bool,
}

/// Compares the phone of `archive` with the one of `dump`.
///
/// # Errors
/// If what was typed is not the name of this backup, and what the media say.
pub fn judge(archive: &Archive, dump: &Dump, statement: Statement<'_>) -> Result<Judgement, Error> {
    let stated = match statement.same_phone {
        Some(typed) => Some(names_backup(archive, typed)?),
        None => None,
    };
    let manifest = archive.manifest();
    let cid = compare_cids(&manifest.phone, &dump.phone);
    let mut against = contradictions(archive, dump, statement.tables)?;
    if cid == Some(false) {
        against.insert(
            0,
            "the eMMC is another one: its CID is not the backup's (if what was typed is another \
             program's way to print it, leave it out)"
                .to_owned(),
        );
    }
    let told = |sameness, reasons| Ok(Judgement { sameness, reasons });
    if !against.is_empty() {
        return told(Sameness::Other, against);
    }
    let mut proofs = Vec::new();
    if cid == Some(true) {
        proofs.push("the eMMC's CID is the backup's".to_owned());
    }
    proofs.extend(unchanged(archive, dump)?);
    proofs.extend(stated);
    if proofs.is_empty() {
        let reason = "sizes and places agree, as they do on every phone of this model; neither \
                      CID nor NVRAM nor PRO_INFO prove that it is this one";
        return told(Sameness::Unproven, vec![reason.to_owned()]);
    }
    told(Sameness::Same, proofs)
}

/// `None` if one of them is not known.
fn compare_cids(backup: &Phone, target: &Phone) -> Option<bool> {
    let (a, b) = (backup.cid.as_deref()?, target.cid.as_deref()?);
    Some(cid::is_same(a, b))
}

/// Checks that what a person typed is the backup's CID, or the first 16 digits
/// of its manifest's digest, and says so in words.
///
/// # Errors
/// If it is neither.
pub fn names_backup(archive: &Archive, typed: &str) -> Result<String, Error> {
    let typed = typed.trim();
    let digest = archive.digest().short();
    let cid = archive.manifest().phone.cid.as_deref();
    if typed.eq_ignore_ascii_case(&digest) || cid.is_some_and(|cid| cid::is_same(cid, typed)) {
        return Ok("you said so by the name of this backup".to_owned());
    }
    Err(Error::Usage(format!(
        "{typed} names another backup or phone; this one is {digest}{}",
        cid.map_or_else(String::new, |cid| format!(", of the eMMC with CID {cid}"))
    )))
}

/// What cannot be if it is the same phone.
fn contradictions(archive: &Archive, dump: &Dump, tables: bool) -> Result<Vec<String>, Error> {
    let manifest = archive.manifest();
    let mut found = Vec::new();
    if let (Some(then), Some(now)) = (manifest.phone.user_bytes, dump.phone.user_bytes)
        && then != now
    {
        found.push(format!(
            "its user area has {now} bytes, the backup's had {then}"
        ));
    }
    for part in &manifest.parts {
        if part.place.area != Area::User || part.name == TAIL {
            continue;
        }
        let Some(now) = dump.find(&part.name) else {
            continue;
        };
        let moved = match (part.place.offset, now.place.offset) {
            (Some(then), Some(now_at)) => then != now_at || part.place.bytes != now.place.bytes,
            _ => part.bytes > now.place.bytes,
        };
        if moved && !tables {
            found.push(format!("{} lies elsewhere or has another size", part.name));
        }
    }
    let mbr = manifest.part("MBR").and_then(|part| archive.part(part));
    if let (Some(then), Some(now), false) = (mbr, dump.find("MBR"), tables) {
        let read = |source: &dyn Source| source.read_some(0, 512).map_err(Error::io("MBR"));
        if read(&then)? != read(&*now.data)? {
            found.push("its MBR is not the backup's".to_owned());
        }
    }
    Ok(found)
}

/// Parts that no other phone has, and that are what the backup has.
fn unchanged(archive: &Archive, dump: &Dump) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for name in ["NVRAM", "PRO_INFO"] {
        let kept = archive.manifest().part(name);
        let (Some(kept), Some(now)) = (kept.and_then(|part| archive.part(part)), dump.find(name))
        else {
            continue;
        };
        if kept.len() != now.data.len() {
            continue;
        }
        let own = if name == "NVRAM" {
            !Filling::of(&kept).map_err(Error::io(name))?.is_blank()
        } else {
            has_imei(&kept).map_err(Error::io(name))?
        };
        if own && compare(&kept, &*now.data, |_| {}).map_err(Error::io(name))? == Comparison::Same {
            found.push(format!("its {name} is the backup's, byte for byte"));
        }
    }
    Ok(found)
}
