//! Files of unilk itself: kept logs, identification reports, backups.

use super::report::{self, Facts, Report};
use super::{of_core, read, text};
use crate::backup::manifest::{BYTES_MAX, Manifest};
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::Source;
use unilk_core::identify::report::Report as BootReport;
use unilk_core::logmem::{self, Kind as RecordKind};

/// Larger regions and reports are not made.
const MOST: usize = 4 << 20;

/// The log that is kept over a reset, if that is what `source` holds. Of two
/// slots the first may hold whatever the memory held at power-on.
pub fn log(source: &dyn Source) -> Option<Report> {
    if source.len() > MOST as u64 {
        return None;
    }
    let region = read::some(source, 0, MOST);
    let boots: Vec<_> = logmem::boots(&region).into_iter().flatten().collect();
    let newest = boots.first()?;
    let rows = boots
        .iter()
        .map(|boot| {
            let count = |kind| boot.records().filter(|record| record.kind == kind).count() as u64;
            vec![
                report::count(boot.sequence),
                report::flag(boot.complete),
                report::count(count(RecordKind::Text)),
                report::count(count(RecordKind::Defmt)),
            ]
        })
        .collect();
    let mut report = Report::new(
        Kind::BootLog,
        source.len(),
        format!("log of unilk, {}", text::plural(boots.len() as u64, "boot")),
    );
    let columns = &["boot", "complete", "lines", "trace_records"];
    report
        .facts
        .push(report::table("boots", "boots", columns, rows));
    if !newest.complete {
        report.findings.push(Finding::note(
            "LOG-FAILED",
            format!(
                "boot {} did not come to its end: its last lines say where it stopped",
                newest.sequence
            ),
        ));
    }
    "A dump of the phone's memory: `unilk log` shows its lines.".clone_into(&mut report.on_a_phone);
    Some(report)
}

/// The report of what was asked and answered in a boot.
pub fn report(source: &dyn Source) -> Report {
    let bytes = read::some(source, 0, MOST);
    let mut report = Report::new(
        Kind::BootReport,
        source.len(),
        "identification report of a boot of unilk",
    );
    match BootReport::parse(&bytes) {
        Ok(found) => {
            let mut facts = Facts::new("report", "report");
            facts.add("records", report::count(found.records().count() as u64));
            facts.add("lost", report::count(found.lost));
            report.facts.push(facts.into());
        }
        Err(why) => report.findings.push(of_core(Finding::problem, &why)),
    }
    "Says which panel, touch chip and cameras the phone found: `unilk report` shows it."
        .clone_into(&mut report.on_a_phone);
    report
}

/// A backup: what its manifest says. Whether that is true is `unilk verify`'s
/// to find out.
pub fn backup(source: &dyn Source, head: &[u8]) -> Report {
    let mut report = Report::new(
        Kind::Backup,
        source.len(),
        format!("backup made by unilk, {}", text::size(source.len())),
    );
    "Not for a flash tool: `unilk verify` says whether it is whole, `unilk restore` writes it back to the phone that it came from."
        .clone_into(&mut report.on_a_phone);
    match manifest_of(source, head) {
        Ok(manifest) => {
            let mut facts = Facts::new("backup", "backup");
            facts.add("created", report::text(&manifest.created));
            facts.add("tool", report::text(&manifest.tool));
            facts.add("origin", report::text(&manifest.origin));
            let parts = manifest.parts.iter().map(|part| part.name.clone());
            facts.add("partitions", report::list(parts.collect()));
            facts.add("files", report::count(manifest.files.len() as u64));
            report.facts.push(facts.into());
        }
        Err(why) => report.findings.push(Finding::problem(
            "BACKUP-MANIFEST",
            format!("{why}: the backup is damaged or cut off"),
        )),
    }
    report
}

/// The first member of the archive.
fn manifest_of(source: &dyn Source, head: &[u8]) -> Result<Manifest, String> {
    const BLOCK: u64 = 512;
    // Octal, in the header's size field.
    let size = head.get(124..136).map(crate::bytes::text);
    let size = size.and_then(|digits| usize::from_str_radix(digits.trim(), 8).ok());
    let size = size
        .filter(|&size| size as u64 <= BYTES_MAX)
        .ok_or("its manifest has no size that can be")?;
    let json = read::some(source, BLOCK, size);
    Manifest::parse(&json).map_err(|why| why.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::backup::manifest;
    use crate::inspect::inspect;
    use crate::inspect::report::Body;
    use crate::inspect::testing::{codes, mutate};
    use unilk_core::identify::report::{Builder, Kind as Entry, Record};
    use unilk_core::logmem::Log;

    #[test]
    fn a_kept_log_lists_its_boots() {
        let mut region = vec![0; 8192];
        for last in [false, true] {
            let mut log = Log::begin(&mut region).unwrap();
            log.append(RecordKind::Text, b"emmc: no answer").unwrap();
            if !last {
                log.complete();
            }
        }
        let report = inspect(&region);
        assert_eq!(report.kind, Kind::BootLog);
        // The first slot as it is after power-on.
        let mut half = region.clone();
        half[..4096].fill(0xA5);
        assert_eq!(inspect(&half).kind, Kind::BootLog);
        assert_eq!(codes(&report), ["LOG-FAILED"]);
        let Body::Table { rows, .. } = &report.facts[0].body else {
            panic!("no table");
        };
        assert_eq!(rows.len(), 2);
        mutate(&region, 200, |data| {
            let _ = inspect(&data);
        });
    }

    #[test]
    fn a_boot_report_is_counted() {
        let mut out = vec![0; 4096];
        let mut builder = Builder::new(&mut out);
        builder.push(&Record::new(Entry::Reset, 17));
        let whole = builder.finish().to_vec();
        let report = inspect(&whole);
        assert_eq!(report.kind, Kind::BootReport);
        assert_eq!(report.value("report", "records"), Some(&1u64.into()));
        assert!(codes(&report).is_empty());
        assert!(!codes(&inspect(&&whole[..whole.len() - 1])).is_empty());
        mutate(&whole, 200, |data| {
            let _ = inspect(&data);
        });
    }

    #[test]
    fn a_backup_is_known_by_its_first_member() {
        let mut tar = vec![0; 1024];
        tar[..manifest::MEMBER.len()].copy_from_slice(manifest::MEMBER.as_bytes());
        tar[124..135].copy_from_slice(b"00000000020");
        tar[257..262].copy_from_slice(b"ustar");
        let report = inspect(&tar);
        assert_eq!(report.kind, Kind::Backup);
        assert!(report.on_a_phone.contains("unilk verify"));
        assert_eq!(codes(&report), ["BACKUP-MANIFEST"]);
        mutate(&tar, 200, |data| {
            let _ = inspect(&data);
        });
        tar[..13].copy_from_slice(b"something.txt");
        assert_eq!(inspect(&tar).kind, Kind::Archive);
    }
}
