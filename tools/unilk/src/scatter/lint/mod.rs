//! What is wrong with a scatter file, line by line: before a flash tool believes
//! it, or a person the forum that it came from.
//!
//! Source: facts/storage-and-images.md 3.2 to 3.6.

mod addresses;
mod against;
mod download;
mod files;
mod keys;
#[cfg(test)]
mod tests;

pub use against::against;
pub use download::NOT_BROUGHT;
pub use files::{Look, files};

use super::{Entry, Scatter};
use crate::finding::{Finding, Severity};

/// A finding, and which partitions it makes doubtful.
pub(super) struct Told {
    /// Upper-case names; none where the whole file is in doubt.
    pub about: Vec<String>,
    /// What is said.
    pub finding: Finding,
}

impl Told {
    /// About the whole file.
    fn all(finding: Finding) -> Self {
        Self {
            about: Vec::new(),
            finding,
        }
    }

    /// About one partition.
    fn of(entry: &Entry, finding: Finding) -> Self {
        Self {
            about: vec![entry.name.clone()],
            finding,
        }
    }
}

/// Everything that can be said of `scatter` alone.
pub fn lint(scatter: &Scatter) -> Vec<Finding> {
    all(scatter).into_iter().map(|told| told.finding).collect()
}

fn all(scatter: &Scatter) -> Vec<Told> {
    let mut told = keys::check(scatter);
    told.extend(addresses::check(scatter));
    told.extend(download::check(scatter));
    told
}

/// What keeps `names` from being written by this file.
pub(super) fn in_the_way(scatter: &Scatter, names: &[String]) -> Vec<Finding> {
    let mut told = all(scatter);
    told.retain(|told| {
        told.finding.severity == Severity::Problem
            && (told.about.is_empty() || told.about.iter().any(|name| names.contains(name)))
    });
    told.into_iter().map(|told| told.finding).collect()
}

/// Name and line, as every finding begins.
fn at(entry: &Entry, key: &str) -> String {
    let line = entry.field(key).map_or(entry.line, |field| field.line);
    format!("{} (line {line})", entry.name)
}

/// Entries that flash tools see.
fn named(scatter: &Scatter) -> impl Iterator<Item = &Entry> {
    scatter
        .entries
        .iter()
        .filter(|entry| !entry.name.is_empty())
}
