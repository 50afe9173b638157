//! A backup that is opened: its manifest, its members, and whether the one is
//! true of the other.

use super::Error;
use super::digest::Digest;
use super::manifest::{self, BYTES_MAX, Manifest, Part};
use super::member::{self, Listing};
use crate::finding::Finding;
use crate::progress::Progress;
use crate::source::{Source, Window};
use std::sync::Arc;

/// Name of the list of hashes that `sha256sum --check` reads.
pub const SUMS: &str = "SHA256SUMS";

/// A part or file of a backup, as bytes.
pub type Content = Window<Arc<dyn Source>>;

/// An opened backup.
pub struct Archive {
    source: Arc<dyn Source>,
    listing: Listing,
    manifest: Manifest,
    digest: Digest,
    findings: Vec<Finding>,
}

/// How a member of a backup fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is what was kept.
    Intact,
    /// Its bytes are others.
    Damaged,
    /// It is not in the archive, or not in full.
    Missing,
}

/// A member and how it fares.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Checked {
    /// Name in the archive.
    pub member: String,
    /// How it fares.
    pub state: State,
}

impl Archive {
    /// Opens an archive and compares its manifest with what is there, without
    /// reading the contents.
    ///
    /// # Errors
    /// If it is no backup, or its manifest cannot be used. Everything less is
    /// among the findings.
    pub fn open(source: Arc<dyn Source>) -> Result<Self, Error> {
        let read = || "the archive".to_owned();
        let listing = member::list(&*source).map_err(Error::io(read()))?;
        let Some(entry) = listing.find(manifest::MEMBER) else {
            let why = listing.findings.first().map_or_else(
                || format!("it has no {}", manifest::MEMBER),
                |finding| finding.text.clone(),
            );
            return Err(Error::Archive(format!("this is no backup: {why}")));
        };
        if entry.bytes > BYTES_MAX {
            return Err(Error::Archive(format!(
                "{} is larger than {BYTES_MAX} bytes",
                manifest::MEMBER
            )));
        }
        let json = source
            .read_some(entry.start, entry.bytes as usize)
            .map_err(Error::io(read()))?;
        let manifest = Manifest::parse(&json).map_err(|why| Error::Archive(why.to_string()))?;
        let mut archive = Self {
            digest: Digest::of(&json),
            findings: listing.findings.clone(),
            source,
            listing,
            manifest,
        };
        archive.compare(&json)?;
        Ok(archive)
    }

    /// Manifest, list of hashes and members must tell the same.
    fn compare(&mut self, json: &[u8]) -> Result<(), Error> {
        let expected = self.manifest.sums(json);
        let sums = self.content(SUMS);
        let same = match &sums {
            Some(sums) if sums.len() == expected.len() as u64 => {
                sums.read_some(0, expected.len()).map_err(Error::io(SUMS))? == expected.as_bytes()
            }
            _ => false,
        };
        let mut findings = Vec::new();
        if !same {
            let text = format!(
                "{} and {SUMS} do not belong together: one of them was changed",
                manifest::MEMBER
            );
            findings.push(Finding::problem("BACKUP-MANIFEST", text));
        }
        for (name, bytes, _) in self.manifest.members() {
            match self.listing.find(name) {
                Some(entry) if entry.bytes == bytes => {}
                Some(entry) => findings.push(Finding::problem(
                    "BACKUP-SIZE",
                    format!("{name} has {} bytes, it had {bytes}", entry.bytes),
                )),
                None => findings.push(Finding::problem(
                    "BACKUP-MISSING",
                    format!("{name} is not in the archive"),
                )),
            }
        }
        for entry in &self.listing.members {
            let known = [manifest::MEMBER, SUMS].contains(&entry.name.as_str())
                || self.manifest.members().any(|(name, ..)| name == entry.name);
            if !known {
                let text = format!("{} is not in the manifest", entry.name);
                findings.push(Finding::problem("BACKUP-EXTRA", text));
            }
        }
        self.findings.extend(findings);
        Ok(())
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the manifest, which names the backup.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What is wrong with it, apart from its contents.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The content of a member, if it is there.
    pub fn content(&self, name: &str) -> Option<Content> {
        let entry = self.listing.find(name)?;
        Some(Window::new(self.source.clone(), entry.start, entry.bytes))
    }

    /// The content of a part, if it is there in full.
    pub fn part(&self, part: &Part) -> Option<Content> {
        self.content(&part.member)
            .filter(|content| content.len() == part.bytes)
    }

    /// Reads everything and compares it with the manifest. The second list
    /// says what is wrong, [`Self::findings`] included.
    ///
    /// # Errors
    /// What the archive's medium says.
    pub fn check(
        &self,
        progress: &mut dyn Progress,
    ) -> Result<(Vec<Checked>, Vec<Finding>), Error> {
        let bytes = self.manifest.members().map(|(_, bytes, _)| bytes);
        progress.begin("verify", bytes.fold(0, u64::saturating_add));
        let mut findings = self.findings.clone();
        let mut checked = Vec::new();
        for (name, bytes, digest) in self.manifest.members() {
            let content = self.content(name).filter(|content| content.len() == bytes);
            let state = match content {
                None => State::Missing,
                Some(content) => {
                    let found = Digest::of_source(&content, |bytes| progress.advance(bytes))
                        .map_err(Error::io(name))?;
                    if found == digest {
                        State::Intact
                    } else {
                        let text = format!("{name} is not what was kept: its SHA-256 differs");
                        findings.push(Finding::problem("BACKUP-DAMAGED", text));
                        State::Damaged
                    }
                }
            };
            checked.push(Checked {
                member: name.to_owned(),
                state,
            });
        }
        progress.finish();
        Ok((checked, findings))
    }
}
