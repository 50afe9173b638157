//! Scatter files: what they say of a phone's partitions.
//!
//! Source: facts/storage-and-images.md 3.

use super::read;
use super::report::{self, Facts, Report, table};
use super::text;
use crate::finding::{Finding, any_problem};
use crate::layout::{Layout, Place};
use crate::recognise::Kind;
use crate::scatter::lint::lint;
use crate::scatter::{Error, MAX_BYTES, Scatter};
use crate::source::Source;
use unilk_core::partition::protected;

/// What `source`, which begins like a scatter file, holds.
pub fn look(source: &dyn Source) -> Report {
    let mut report = Report::new(Kind::Scatter, source.len(), "scatter file");
    "Tells a flash tool where each partition lies and which to write. Use only the one of this very phone, and never tick PRELOADER or \"Format\"."
        .clone_into(&mut report.on_a_phone);
    // One byte more, so that the parser can say that it is too large.
    let bytes = read::some(source, 0, MAX_BYTES + 1);
    let text = String::from_utf8_lossy(&bytes);
    match Scatter::parse(&text) {
        Ok(scatter) => {
            report.findings = lint(&scatter);
            for finding in &mut report.findings {
                // They quote the file.
                finding.text = report::printable(&finding.text);
            }
            match scatter.layout() {
                Ok(layout) => describe(&layout, &mut report),
                Err(why) => unusable(&why, &mut report),
            }
        }
        Err(why) => unusable(&why, &mut report),
    }
    report
}

/// No layout can be made of it: said only where the lint has not.
fn unusable(why: &Error, report: &mut Report) {
    if !any_problem(&report.findings) {
        report.findings.push(Finding::problem(
            "SCATTER-SYNTAX",
            format!(
                "{}: not a scatter file of an MT6572 phone with eMMC",
                report::printable(&why.to_string())
            ),
        ));
    }
}

fn describe(layout: &Layout, report: &mut Report) {
    report.summary = format!(
        "scatter file of project \"{}\", {}",
        report::printable(&layout.name),
        text::plural(layout.partitions.len() as u64, "partition")
    );
    let mut facts = Facts::new("layout", "layout");
    facts.add("project", report::text(&layout.name));
    facts.add("block_bytes", report::bytes(layout.block_bytes));
    facts.add("tail_reserve_bytes", report::bytes(layout.reserved_bytes()));
    if let Ok(uboot) = layout.find("UBOOT")
        && let Ok(Some(logical)) = layout.logical(uboot)
    {
        facts.add("uboot_from_mbr", report::hex(logical));
    }
    report.facts.push(facts.into());
    let rows = layout.partitions.iter().map(|partition| {
        let place = match partition.place {
            Place::Linear(at) => report::hex(at),
            Place::Tail { blocks } => report::meaning(blocks, format!("end - {blocks} blocks")),
        };
        vec![
            report::text(&partition.name),
            place,
            match partition.size {
                0 => report::meaning(0u64, "rest"),
                size => report::meaning(size, text::size(size)),
            },
            report::flag(partition.download),
            protected(&partition.name).map_or(report::absent(""), report::text),
        ]
    });
    let columns = &["name", "linear_start", "bytes", "download", "never_written"];
    let rows = rows.collect();
    report
        .facts
        .push(table("partitions", "partitions", columns, rows));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::Value;
    use crate::inspect::testing::{codes, mutate};

    fn file() -> Vec<u8> {
        let path = "tests/data/mobiwire-s10/MT6572_Android_scatter.txt";
        std::fs::read(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn a_real_file_is_summed_up() {
        let report = inspect(&file());
        assert_eq!(report.kind, Kind::Scatter);
        assert!(!report.has("SCATTER-SYNTAX"), "{:?}", report.findings);
        // facts/storage-and-images.md 3.4: the same on all phones.
        assert_eq!(
            report.value("layout", "uboot_from_mbr"),
            Some(&Value::Number(0x1D2_0000))
        );
    }

    #[test]
    fn the_old_grammar_and_damage() {
        let old = b"PRELOADER 0x0\n{\n}\nMBR 0x600000\n{\n}\nEBR1 0x680000\n{\n}\n";
        let report = inspect(&old.to_vec());
        assert_eq!(report.kind, Kind::Scatter);
        let cut = &file()[..file().len() / 2];
        let _ = inspect(&cut);
        let other = String::from_utf8(file())
            .unwrap()
            .replace("MT6572", "MT6582");
        assert!(!codes(&inspect(&other.into_bytes())).is_empty());
        mutate(&file(), 200, |data| {
            let _ = inspect(&data);
        });
    }

    #[test]
    fn what_a_file_says_does_not_reach_the_terminal_as_it_is() {
        let text = String::from_utf8(file()).unwrap();
        let evil = text.replace("USRDATA", "UBOOT\u{1b}[31m");
        let report = inspect(&evil.into_bytes());
        assert_eq!(report.kind, Kind::Scatter);
        let findings = report.all_findings();
        let escaped = |found: &Finding| found.text.contains("\\u{1b}");
        assert!(findings.iter().any(escaped), "{findings:?}");
        let raw = |found: &Finding| found.text.contains('\u{1b}');
        assert!(!findings.iter().any(raw));
    }
}
