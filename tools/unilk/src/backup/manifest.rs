//! The manifest of a backup: what is in it, where it came from and what must
//! be true of the phone that it is written back to.
//!
//! It is JSON, with a version, so that it can be read in ten years without
//! this program. Its SHA-256 names the backup: people type its first 16 digits.

use super::digest::Digest;
use super::dump::{Phone, Place, same_name};
use super::member;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Name of the manifest in the archive.
pub const MEMBER: &str = "unilk-backup.json";
/// Largest manifest that is read.
pub const BYTES_MAX: u64 = 4 << 20;
/// The version that is written, and the newest that is read.
pub const VERSION: u32 = 1;

const FORMAT: &str = "unilk-backup";
const PARTS_MAX: usize = 256;
const FILES_MAX: usize = 4096;

/// All that a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Manifest {
    /// `unilk-backup`.
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// When it was made, in UTC: `2026-11-23T06:42:28Z`.
    pub created: String,
    /// What made it.
    pub tool: String,
    /// What it was read from.
    pub origin: String,
    /// The phone.
    pub phone: Phone,
    /// How the places of the parts are known.
    pub evidence: Vec<String>,
    /// The partitions and areas, in the order of the archive.
    pub parts: Vec<Part>,
    /// Files of /data/nvram, behind the parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileCopy>,
    /// Present if this is the journal of a restore: what lay on the phone
    /// before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
}

/// One partition or area.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Part {
    /// Name as the phone's table has it.
    pub name: String,
    /// Name in the archive.
    pub member: String,
    /// Where it lay.
    pub place: Place,
    /// Bytes that were kept; fewer than the place has if the dump was cut off.
    pub bytes: u64,
    /// Of those bytes.
    pub sha256: Digest,
    /// What it holds, in words.
    pub holds: String,
    /// Whether it is kept to be looked at and never written back.
    pub reference_only: bool,
}

/// One file of /data/nvram.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileCopy {
    /// Path below /data/nvram.
    pub path: String,
    /// Name in the archive.
    pub member: String,
    /// Its size.
    pub bytes: u64,
    /// Of its content.
    pub sha256: Digest,
}

/// What a restore wrote over the parts that this archive keeps.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Undo {
    /// Manifest digest of the backup that was restored.
    pub backup: Digest,
    /// Bytes of the phone or image that it was written to.
    pub target_bytes: u64,
}

/// Why a manifest cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It is no JSON of this shape.
    Shape(String),
    /// A newer version.
    Newer(u32),
    /// It contradicts itself.
    Contradiction(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(why) => write!(f, "{MEMBER} is damaged: {why}"),
            Self::Newer(version) => write!(
                f,
                "{MEMBER} has version {version}, this unilk reads up to {VERSION}: use a newer one"
            ),
            Self::Contradiction(why) => write!(f, "{MEMBER} contradicts itself: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl Manifest {
    /// An empty one, made now.
    pub fn new(origin: &str, phone: Phone, evidence: Vec<String>, now: SystemTime) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            created: utc(now),
            tool: format!("unilk {}", env!("CARGO_PKG_VERSION")),
            origin: plain(origin),
            phone: Phone {
                note: phone.note.as_deref().map(plain),
                chip_id: phone.chip_id.as_deref().map(plain),
                ..phone
            },
            evidence,
            parts: Vec::new(),
            files: Vec::new(),
            undo: None,
        }
    }

    /// Reads and checks one. Whatever it says, every name in it is safe to be
    /// extracted, and no two are the same.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        /// What is looked at first: the rest may have another shape.
        #[derive(serde::Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let shape = |why: serde_json::Error| Error::Shape(why.to_string());
        let head: Head = serde_json::from_slice(json).map_err(shape)?;
        if head.format != FORMAT {
            return Err(Error::Shape(format!("format is {:?}", head.format)));
        }
        if head.version > VERSION {
            return Err(Error::Newer(head.version));
        }
        let manifest: Self = serde_json::from_slice(json).map_err(shape)?;
        manifest.check().map_err(Error::Contradiction)?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        if !self.texts().all(is_plain) {
            return Err("a text in it has characters that are not shown".to_owned());
        }
        if self.parts.len() > PARTS_MAX || self.files.len() > FILES_MAX {
            return Err(format!("more than {PARTS_MAX} parts or {FILES_MAX} files"));
        }
        let mut names: Vec<String> = Vec::new();
        for (member, _, _) in self.members() {
            member::check_name(member)?;
            names.push(member.to_ascii_lowercase());
        }
        names.sort_unstable();
        if let Some([name, _]) = names.array_windows().find(|[a, b]| a == b) {
            return Err(format!("{name} is there twice"));
        }
        for (index, part) in self.parts.iter().enumerate() {
            let twice = self.parts[..index]
                .iter()
                .any(|other| same_name(&other.name, &part.name));
            if twice || part.name.is_empty() {
                return Err(format!(
                    "part {:?} is there twice or has no name",
                    part.name
                ));
            }
            let fits = part.bytes <= part.place.bytes
                && part
                    .place
                    .offset
                    .unwrap_or(0)
                    .checked_add(part.place.bytes)
                    .is_some();
            if !fits {
                return Err(format!("{} is larger than its place", part.name));
            }
        }
        Ok(())
    }

    /// Every text that is shown to people.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let phone = &self.phone;
        let parts = self.parts.iter();
        [&self.created, &self.tool, &self.origin]
            .into_iter()
            .chain(
                [&phone.chip_id, &phone.cid, &phone.note]
                    .into_iter()
                    .flatten(),
            )
            .chain(&self.evidence)
            .chain(parts.flat_map(|part| [&part.name, &part.holds]))
            .chain(self.files.iter().map(|file| &file.path))
            .map(String::as_str)
    }

    /// Everything that the archive holds behind the manifest and the sums:
    /// name, bytes and SHA-256.
    pub fn members(&self) -> impl Iterator<Item = (&str, u64, Digest)> {
        let parts = self.parts.iter();
        let files = self.files.iter();
        parts
            .map(|part| (part.member.as_str(), part.bytes, part.sha256))
            .chain(files.map(|file| (file.member.as_str(), file.bytes, file.sha256)))
    }

    /// The part called `name`, or one of its aliases.
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| same_name(&part.name, name))
    }

    /// Its bytes in the archive. Their number does not depend on the digests.
    ///
    /// # Errors
    /// None that happen: a manifest has nothing that JSON cannot say.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        let mut json =
            serde_json::to_vec_pretty(self).map_err(|why| Error::Shape(why.to_string()))?;
        json.push(b'\n');
        Ok(json)
    }

    /// The text of `SHA256SUMS`, as `sha256sum --check` reads it; `json` is the
    /// manifest's own text.
    pub fn sums(&self, json: &[u8]) -> String {
        use fmt::Write;
        let mut text = format!("{}  {MEMBER}\n", Digest::of(json));
        for (member, _, digest) in self.members() {
            // Writing into a string does not fail.
            let _ = writeln!(text, "{digest}  {member}");
        }
        text
    }
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// A text that a terminal does not obey.
pub(super) fn plain(text: &str) -> String {
    text.replace(char::is_control, "?")
}

/// A moment as `2026-11-23T06:42:28Z`.
fn utc(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days of a year that begins on 1 March, in eras of 400 years, so that the
    // leap day is the last of its year.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!(
        "{:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        era * 400 + year + next,
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::storage::Area;
    use std::time::Duration;

    fn part(name: &str) -> Part {
        Part {
            name: name.to_owned(),
            member: format!("parts/{name}.img"),
            place: Place {
                area: Area::User,
                offset: Some(0x10_0000),
                linear: Some(0x70_0000),
                logical: Some(0x10_0000),
                bytes: 4096,
            },
            bytes: 4096,
            sha256: Digest::of(name.as_bytes()),
            holds: "something".to_owned(),
            reference_only: false,
        }
    }

    fn manifest() -> Manifest {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_416_148);
        let mut manifest = Manifest::new("user.img", Phone::default(), Vec::new(), now);
        manifest.parts = vec![part("NVRAM"), part("UBOOT")];
        manifest
    }

    #[test]
    fn moments() {
        let at = |seconds| utc(UNIX_EPOCH + Duration::from_secs(seconds));
        // As date(1) has them.
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_795_416_148), "2026-11-23T06:42:28Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00Z");
    }

    #[test]
    fn reads_what_it_writes() {
        let manifest = manifest();
        assert_eq!(Manifest::parse(&manifest.to_json().unwrap()), Ok(manifest));
    }

    #[test]
    fn its_length_does_not_depend_on_the_digests() {
        let mut manifest = manifest();
        let before = manifest.to_json().unwrap().len();
        manifest.parts[0].sha256 = Digest::default();
        assert_eq!(manifest.to_json().unwrap().len(), before);
    }

    #[test]
    fn contradictions_are_refused() {
        let broken: [fn(&mut Manifest); 8] = [
            |m| m.phone.note = Some("\u{1b}[2J".to_owned()),
            |m| m.format = "tar".to_owned(),
            |m| m.version = 2,
            |m| m.parts[1].name = "lk".to_owned(),
            |m| m.parts[1].member = "PARTS/nvram.img".to_owned(),
            |m| m.parts[1].member = "../UBOOT".to_owned(),
            |m| m.parts[1].bytes = 4097,
            |m| m.parts[1].place.offset = Some(u64::MAX),
        ];
        for (index, change) in broken.into_iter().enumerate() {
            let mut manifest = manifest();
            manifest.parts.push(part("LK"));
            manifest.parts[2].name = "LOGO".to_owned();
            if index == 3 {
                manifest.parts[2].name = "UBOOT".to_owned();
            }
            change(&mut manifest);
            let read = Manifest::parse(&manifest.to_json().unwrap());
            assert!(read.is_err(), "{index}: {read:?}");
        }
        assert!(Manifest::parse(b"{}").is_err());
        assert!(Manifest::parse(b"").is_err());
    }
}
