//! The archive itself: a plain tar, so that anybody can open it with what they
//! have. Only what unilk writes is accepted when one is read: ordinary files
//! and directories, with names that cannot lead out of the directory into
//! which somebody extracts them.

use crate::finding::Finding;
use crate::source::Source;
use std::collections::HashSet;
use std::io;
use tar::{EntryType, Header};

/// Unit of the format: headers have this size, contents are padded to it.
pub const BLOCK_BYTES: u64 = 512;
/// Two empty blocks end an archive.
pub const END_BYTES: u64 = 2 * BLOCK_BYTES;
/// Longest name, so that no extension of the format is needed.
pub const NAME_BYTES_MAX: usize = 100;

/// A whole backup has some 30 members, and at most 4096 files of /data/nvram.
const MEMBERS_MAX: usize = 8192;
/// Zeros that other programs may put behind the end.
const PADDING_MAX: u64 = 1 << 20;

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Byte of the archive at which its content begins.
    pub start: u64,
    /// Bytes of its content.
    pub bytes: u64,
}

/// Bytes that a member takes: header, content and padding; `None` if that is
/// beyond 64 bits.
pub fn stored_bytes(content: u64) -> Option<u64> {
    content
        .checked_next_multiple_of(BLOCK_BYTES)?
        .checked_add(BLOCK_BYTES)
}

/// The header of a member.
///
/// # Errors
/// If the name does not fit.
pub fn header(name: &str, bytes: u64, unix_time: u64) -> io::Result<Header> {
    let mut header = Header::new_gnu();
    header.set_path(name)?;
    header.set_size(bytes);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(unix_time);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    Ok(header)
}

/// Whether a member may have this name: relative, without `..`, and the same
/// file on every system.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    let quoted = || name.escape_default();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(format!(
            "the name \"{}\" is empty or longer than {NAME_BYTES_MAX} bytes",
            quoted()
        ));
    }
    let odd =
        |c: char| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    if name.chars().any(odd) {
        return Err(format!(
            "the name \"{}\" has characters that not every system takes",
            quoted()
        ));
    }
    if name
        .split('/')
        .any(|component| matches!(component, "" | "." | ".."))
    {
        return Err(format!(
            "the name \"{}\" leads out of the directory",
            quoted()
        ));
    }
    Ok(())
}

/// What an archive holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The files that are there in full.
    pub members: Vec<Member>,
    /// What is wrong with it. A problem means that it is not what was made.
    pub findings: Vec<Finding>,
}

/// Lists an archive. One that breaks off is listed as far as it goes.
///
/// # Errors
/// What the source says.
pub fn list(archive: &dyn Source) -> io::Result<Listing> {
    let mut listing = Listing::default();
    let mut names = HashSet::new();
    let mut at = 0u64;
    loop {
        if archive.len() - at < BLOCK_BYTES {
            let text = format!(
                "the archive ends at byte {} without the mark of its end: it was cut off",
                archive.len()
            );
            listing.problem("BACKUP-CUT", text);
            return Ok(listing);
        }
        let mut block = [0; BLOCK_BYTES as usize];
        archive.read_at(at, &mut block)?;
        if block == [0; BLOCK_BYTES as usize] {
            listing.check_end(archive, at)?;
            return Ok(listing);
        }
        let header = Header::from_byte_slice(&block);
        let (entry, name) = match member(header, at) {
            Ok(found) => found,
            Err(text) => {
                listing.problem("BACKUP-HEADER", text);
                return Ok(listing);
            }
        };
        let next = stored_bytes(entry.bytes).and_then(|bytes| at.checked_add(bytes));
        let Some(next) = next.filter(|&next| next <= archive.len()) else {
            let text = format!(
                "{name} should have {} bytes, the archive ends before: it was cut off",
                entry.bytes
            );
            listing.problem("BACKUP-CUT", text);
            return Ok(listing);
        };
        let filled = entry.start + entry.bytes;
        let padding = archive.read_some(filled, (next - filled) as usize)?;
        if padding.iter().any(|&byte| byte != 0) {
            let text = format!("there is something behind the content of {name}");
            listing.problem("BACKUP-TRAILING", text);
        }
        at = next;
        if header.entry_type() == EntryType::Directory {
            continue;
        }
        if listing.members.len() >= MEMBERS_MAX {
            listing.problem("BACKUP-MEMBERS", format!("more than {MEMBERS_MAX} files"));
            return Ok(listing);
        }
        if !names.insert(name.to_ascii_lowercase()) {
            listing.problem("BACKUP-TWICE", format!("{name} is in the archive twice"));
            return Ok(listing);
        }
        listing.members.push(entry);
    }
}

/// What the header at byte `at` says, or what is wrong with it.
fn member(header: &Header, at: u64) -> Result<(Member, String), String> {
    let here = |what: &str| format!("at byte {at}: {what}");
    if header.cksum().ok() != Some(checksum(header)) {
        return Err(here("this is no header of a file: the archive is damaged"));
    }
    let path = header.path_bytes();
    let name = std::str::from_utf8(&path).map_err(|_| here("a name that is no text"))?;
    // `tar` ends the names of directories with a slash.
    let is_directory = header.entry_type() == EntryType::Directory;
    let name = if is_directory {
        name.trim_end_matches('/')
    } else {
        name
    };
    // `tar c .` puts "./" in front.
    let name = name.strip_prefix("./").unwrap_or(name);
    if !(is_directory && matches!(name, "" | ".")) {
        check_name(name).map_err(|why| here(&why))?;
    }
    match header.entry_type() {
        EntryType::Regular | EntryType::Directory => {}
        _ => return Err(here(&format!("{name} is no ordinary file"))),
    }
    let bytes = header
        .entry_size()
        .map_err(|_| here(&format!("{name} has no size")))?;
    let entry = Member {
        name: name.to_owned(),
        start: at + BLOCK_BYTES,
        bytes: if is_directory { 0 } else { bytes },
    };
    Ok((entry, name.to_owned()))
}

/// Sum of the header's bytes with its checksum as blanks.
fn checksum(header: &Header) -> u32 {
    let bytes = header.as_bytes();
    let sum: u32 = bytes.iter().map(|&byte| u32::from(byte)).sum();
    let field: u32 = bytes[148..156].iter().map(|&byte| u32::from(byte)).sum();
    sum - field + 8 * u32::from(b' ')
}

impl Listing {
    /// The file called `name`.
    pub fn find(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    fn problem(&mut self, code: &'static str, text: String) {
        self.findings.push(Finding::problem(code, text));
    }

    /// The end mark at byte `at` must be whole, with nothing behind it.
    fn check_end(&mut self, archive: &dyn Source, at: u64) -> io::Result<()> {
        let left = archive.len() - at;
        if left < END_BYTES {
            let text = "the last block is missing: the archive was cut off".to_owned();
            self.problem("BACKUP-CUT", text);
            return Ok(());
        }
        let rest = archive.read_some(at, PADDING_MAX.min(left) as usize)?;
        if left > PADDING_MAX || rest.iter().any(|&byte| byte != 0) {
            let text = format!("there is something behind its end at byte {at}");
            self.problem("BACKUP-TRAILING", text);
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// An archive with these files.
    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, content) in files {
            let mut header = header("x", content.len(), 0).unwrap();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            bytes.extend(header.as_bytes());
            bytes.extend(*content);
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }

    fn code(bytes: &[u8]) -> Option<&'static str> {
        let listing = list(&bytes).unwrap();
        listing.findings.first().map(|finding| finding.code)
    }

    #[test]
    fn lists_what_is_there() {
        let bytes = archive(&[("a", b"1"), ("parts/b.img", &[7; 513]), ("c", b"")]);
        let listing = list(&bytes).unwrap();
        assert_eq!(listing.findings, []);
        let b = listing.find("parts/b.img").unwrap();
        assert_eq!(bytes[b.start as usize..][..b.bytes as usize], [7; 513]);
        assert_eq!(listing.members.len(), 3);
    }

    #[test]
    fn a_cut_at_any_byte_is_seen() {
        let bytes = archive(&[("a", b"1"), ("b", &[7; 513])]);
        for end in 0..bytes.len() {
            assert_eq!(code(&bytes[..end]), Some("BACKUP-CUT"), "{end}");
        }
    }

    #[test]
    fn a_changed_header_is_seen() {
        let whole = archive(&[("a", b"1"), ("b", &[7; 513])]);
        // In the checksum, a blank in front is as good as a zero.
        let same = |at: &usize| at % 512 != 148;
        for at in (0..512).chain(1024..1536).filter(same) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            assert!(code(&bytes).is_some(), "{at}");
        }
    }

    #[test]
    fn what_follows_the_end_is_seen() {
        let mut bytes = archive(&[("a", b"1")]);
        bytes.resize(10240, 0);
        assert_eq!(code(&bytes), None, "padding of other programs");
        bytes[10239] = 1;
        assert_eq!(code(&bytes), Some("BACKUP-TRAILING"));
    }

    #[test]
    fn names_that_lead_astray() {
        for bad in [
            "/etc/passwd",
            "..",
            "a/../../b",
            "a//b",
            "a/./b",
            "C:b",
            "a\\b",
            "a\nb",
            "a/",
        ] {
            assert!(check_name(bad).is_err(), "{bad}");
            assert!(code(&archive(&[(bad, b"1")])).is_some(), "{bad}");
        }
        assert!(check_name(&"x".repeat(101)).is_err());
        assert_eq!(code(&archive(&[("./a", b"1")])), None);
        assert_eq!(
            code(&archive(&[("a", b"1"), ("A", b"2")])),
            Some("BACKUP-TWICE")
        );
    }

    #[test]
    fn links_are_refused() {
        for kind in [EntryType::Symlink, EntryType::Link, EntryType::XHeader] {
            let mut header = header("a", 0, 0).unwrap();
            header.set_entry_type(kind);
            header.set_cksum();
            let mut bytes = header.as_bytes().to_vec();
            bytes.resize(bytes.len() + 1024, 0);
            assert_eq!(code(&bytes), Some("BACKUP-HEADER"));
        }
    }
}
