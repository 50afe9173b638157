//! Boots that are known to fail, and why: `qemu/matrix/known.toml`. A boot that
//! is listed and passes makes the test fail too: the list is stale.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::data;

/// An entry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// Name of the boot.
    boot: String,
    /// Why it fails, for a person.
    reason: String,
    /// What its complaints are, so that it fails for this reason: each has one of
    /// these texts in it, and each text is in one.
    complaints: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    known: Vec<Known>,
}

/// Complaints that are explained, by the name of the boot.
pub struct Explained(BTreeMap<String, Known>);

impl Explained {
    /// Reads the list.
    pub fn read() -> Explained {
        let path = data::folder().join("known.toml");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let list: List =
            toml::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let count = list.known.len();
        let entries = list
            .known
            .into_iter()
            .map(|known| (known.boot.clone(), known));
        let entries: BTreeMap<_, _> = entries.collect();
        assert_eq!(
            entries.len(),
            count,
            "{} names a boot twice",
            path.display()
        );
        Explained(entries)
    }

    /// Whether these complaints are the known ones of this boot, and why.
    pub fn explains(&self, boot: &str, complaints: &[String]) -> Option<&str> {
        let known = self.0.get(boot)?;
        let texts = &known.complaints;
        let all = complaints
            .iter()
            .all(|complaint| texts.iter().any(|text| complaint.contains(text)));
        let seen = texts
            .iter()
            .all(|text| complaints.iter().any(|complaint| complaint.contains(text)));
        (all && seen && !complaints.is_empty()).then_some(known.reason.as_str())
    }

    /// The names.
    pub fn boots(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
