//! A backup compared with what a phone has now.
//!
//! Source: facts/storage-and-images.md 11.6.

use super::Error;
use super::archive::Archive;
use super::digest::for_chunks;
use super::dump::Dump;
use super::set::Guard;
use crate::finding::Finding;
use crate::progress::Progress;
use crate::source::{Source, Window};
use std::io;

/// How a part compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Comparison {
    /// Byte for byte the same.
    Same,
    /// It differs.
    Changed {
        /// First byte of the part that does.
        first: u64,
        /// Bytes that do.
        bytes: u64,
    },
    /// One of the two does not have it, or not in full.
    Missing,
}

/// A part and how it compares.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// How it compares.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// Compares every part of `archive` with `dump`.
///
/// # Errors
/// What the media say.
pub fn against(
    archive: &Archive,
    dump: &Dump,
    progress: &mut dyn Progress,
) -> Result<(Vec<Compared>, Vec<Finding>), Error> {
    let parts = &archive.manifest().parts;
    let bytes = parts.iter().map(|part| part.bytes);
    progress.begin("compare", bytes.fold(0, u64::saturating_add));
    let mut all = Vec::new();
    let mut findings = Vec::new();
    for part in parts {
        let there = dump.find(&part.name);
        let comparison = match (archive.part(part), there) {
            (Some(kept), Some(there)) if there.data.len() >= part.bytes => {
                let now = Window::new(&there.data, 0, part.bytes);
                compare(&kept, &now, |bytes| progress.advance(bytes))
                    .map_err(Error::io(part.name.clone()))?
            }
            _ => {
                progress.advance(part.bytes);
                Comparison::Missing
            }
        };
        findings.extend(finding(&part.name, part.place.area, comparison));
        all.push(Compared {
            name: part.name.clone(),
            comparison,
        });
    }
    progress.finish();
    Ok((all, findings))
}

fn finding(name: &str, area: crate::storage::Area, comparison: Comparison) -> Option<Finding> {
    let (first, bytes) = match comparison {
        Comparison::Same => return None,
        Comparison::Missing => {
            let text = format!("{name} cannot be compared: one of the two does not have it whole");
            return Some(Finding::note("VERIFY-MISSING", text));
        }
        Comparison::Changed { first, bytes } => (first, bytes),
    };
    let text = format!("{name} differs from the backup in {bytes} bytes, first at {first:#x}");
    Some(match Guard::of(name, area) {
        Guard::Named => Finding::warning("VERIFY-CHANGED", text),
        Guard::Identity => Finding::problem(
            "VERIFY-IDENTITY",
            format!("{text}: the phone's identity is not as it was"),
        ),
        Guard::Tables => Finding::problem("VERIFY-TABLES", text),
        Guard::Never => Finding::problem("VERIFY-LOADER", text),
    })
}

/// Compares two sources of the same length.
///
/// # Errors
/// What they say.
pub fn compare(
    a: &dyn Source,
    b: &dyn Source,
    mut seen: impl FnMut(u64),
) -> io::Result<Comparison> {
    let mut first = None;
    let mut bytes = 0;
    let mut other = Vec::new();
    for_chunks(a, |at, chunk| {
        other.resize(chunk.len(), 0);
        b.read_at(at, &mut other)?;
        if chunk != other {
            for (index, (a, b)) in (at..).zip(chunk.iter().zip(&other)) {
                if a != b {
                    first.get_or_insert(index);
                    bytes += 1;
                }
            }
        }
        seen(chunk.len() as u64);
        Ok(())
    })?;
    Ok(match first {
        None => Comparison::Same,
        Some(first) => Comparison::Changed { first, bytes },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_and_how_many() {
        let a = vec![7; 3 << 20];
        let mut b = a.clone();
        assert_eq!(compare(&a, &b, |_| {}).unwrap(), Comparison::Same);
        b[(1 << 20) + 3] = 8;
        b[(3 << 20) - 1] = 8;
        let mut seen = 0;
        let changed = Comparison::Changed {
            first: (1 << 20) + 3,
            bytes: 2,
        };
        assert_eq!(compare(&a, &b, |n| seen += n).unwrap(), changed);
        assert_eq!(seen, 3 << 20);
        assert!(compare(&a, &vec![7; 5], |_| {}).is_err());
    }
}
