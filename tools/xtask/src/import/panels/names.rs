//! Names of the files, which are the ids of the rows.

use super::dataset::Entry;
use std::collections::BTreeMap;

/// Longest name without the part of the hash.
const LONGEST: usize = 64;

/// File names by the facts' ids: the first driver's name; where several would
/// have the same, the part of the hash in the facts' id is added to all that
/// `given` does not name.
pub fn names<'a>(
    entries: impl Iterator<Item = &'a Entry> + Clone,
    given: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries.clone() {
        let name = given.get(&entry.id).cloned();
        *wanted
            .entry(name.unwrap_or_else(|| plain(entry)))
            .or_default() += 1;
    }
    entries
        .map(|entry| {
            let name = given.get(&entry.id).cloned().unwrap_or_else(|| {
                let plain = plain(entry);
                let hash = entry.id.rsplit('-').next().unwrap_or_default();
                if wanted.get(&plain) == Some(&1) {
                    plain
                } else {
                    format!("{plain}-{hash}")
                }
            });
            (entry.id.clone(), name)
        })
        .collect()
}

/// Lower-case letters, digits and hyphens.
fn plain(entry: &Entry) -> String {
    let name = entry.names.first().unwrap_or(&entry.id);
    let mut out = String::new();
    for byte in name.bytes().take(LONGEST) {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'A'..=b'Z' => out.push(char::from(byte.to_ascii_lowercase())),
            _ if out.is_empty() || out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    out.trim_end_matches('-').into()
}
