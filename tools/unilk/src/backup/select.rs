//! Which parts of a dump go into a backup, and what it lacks.

use super::dump::{Dump, DumpPart, same_name};
use super::set::{Guard, KEPT, Kept, holds};
use crate::finding::{Finding, Severity};

/// The parts that a backup keeps, those first that nobody can make again:
/// the kept set and all tables, or everything.
pub fn select(dump: &Dump, whole: bool) -> Vec<&DumpPart> {
    let mut chosen: Vec<&DumpPart> = KEPT
        .iter()
        .filter_map(|kept| dump.find(kept.name))
        .collect();
    for part in &dump.parts {
        let table = Guard::of(&part.name, part.place.area) == Guard::Tables;
        let there = chosen
            .iter()
            .any(|other| same_name(&other.name, &part.name));
        if (whole || table) && !there {
            chosen.push(part);
        }
    }
    chosen
}

/// What should be in a backup and is not in `dump`, or not in full.
pub fn missing(dump: &Dump) -> Vec<Finding> {
    let mut findings: Vec<Finding> = KEPT.iter().filter_map(|kept| absent(dump, *kept)).collect();
    for part in &dump.parts {
        let (held, bytes) = (part.data.len(), part.place.bytes);
        if held >= bytes {
            continue;
        }
        let text = format!(
            "the dump holds {held} of the {bytes} bytes of {}",
            part.name
        );
        findings.push(match Guard::of(&part.name, part.place.area) {
            Guard::Identity | Guard::Tables => Finding::problem("BACKUP-SHORT", text),
            Guard::Named | Guard::Never => Finding::warning("BACKUP-SHORT", text),
        });
    }
    findings
}

fn absent(dump: &Dump, kept: Kept) -> Option<Finding> {
    if dump.find(kept.name).is_some() {
        return None;
    }
    let text = format!(
        "{} is not in the dump, and will not be in the backup ({})",
        kept.name,
        holds(kept.name)
    );
    match kept.if_missing {
        Severity::Problem => Some(Finding::problem("BACKUP-WITHOUT", text)),
        Severity::Warning => Some(Finding::warning("BACKUP-WITHOUT", text)),
        // Not every phone has it.
        Severity::Note => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::dump::Place;
    use crate::storage::Area;
    use std::sync::Arc;

    fn part(name: &str, held: usize, bytes: u64) -> DumpPart {
        DumpPart {
            name: name.to_owned(),
            place: Place {
                area: Area::User,
                offset: None,
                linear: None,
                logical: None,
                bytes,
            },
            data: Arc::new(vec![0; held]),
        }
    }

    #[test]
    fn what_is_missing_is_told_by_how_much_it_matters() {
        let mut dump = Dump::default();
        let names = |dump: &Dump, severity: Severity| -> usize {
            missing(dump)
                .iter()
                .filter(|finding| finding.severity == severity)
                .count()
        };
        assert_eq!(names(&dump, Severity::Problem), 11);
        dump.parts.push(part("NVRAM", 512, 512));
        dump.parts.push(part("lk", 512, 1024));
        assert_eq!(names(&dump, Severity::Problem), 9, "UBOOT by its alias");
        assert!(
            missing(&dump)
                .iter()
                .any(|f| f.text.contains("512 of the 1024"))
        );
        dump.parts.push(part("SECURE", 512, 1024));
        assert_eq!(names(&dump, Severity::Problem), 9, "there, but cut off");
    }
}
