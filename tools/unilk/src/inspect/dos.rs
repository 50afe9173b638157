//! MBR and EBR sectors.
//!
//! Source: facts/storage-and-images.md 4.1, 4.2.

use super::report::{self, Facts, Report, table};
use super::{of_core, text};
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::Source;
use unilk_core::address::Logical;
use unilk_core::partition::{Mbr, MbrEntry};

const SECTOR: u64 = 512;
const EXTENDED: u8 = 0x05;
const PROTECTIVE: u8 = 0xEE;
/// First sector of PROTECT_F on every layout seen.
const PROTECT_F: u64 = 0x4800;

/// What `source`, which begins with a DOS table, holds.
pub fn look(source: &dyn Source, head: &[u8]) -> Option<Report> {
    let mbr = Mbr::parse(head, Logical::from_sector(0)).ok()?;
    let ours = mbr.is_mediatek();
    let name = if ours {
        "MBR of an MT6572 phone"
    } else if looks_like_ebr(&mbr) {
        "EBR, as MediaTek's tools write it"
    } else {
        "DOS partition table"
    };
    let used = mbr.slots.iter().flatten().count() as u64;
    let mut report = Report::new(
        Kind::DosTable,
        source.len(),
        format!("{name}, {}", text::plural(used, "partition")),
    );
    let rows = mbr.slots.iter().enumerate();
    let rows = rows.filter_map(|(index, slot)| Some(row(index, slot.as_ref()?, ours)));
    let columns = &["slot", "type", "first_sector", "bytes", "likely"];
    report
        .facts
        .push(table("slots", "slots", columns, rows.collect()));
    let code = head[..446].iter().any(|&byte| byte != 0);
    let mut facts = Facts::new("sector", "sector");
    facts.add("boot_code", report::flag(code));
    report.facts.push(facts.into());
    findings(&mbr, ours, code, source.len(), &mut report);
    "Kernels find their file systems by it, loaders use the PMT; sectors count from the MBR, in an EBR from itself. Never flash one: it belongs to this phone's layout."
        .clone_into(&mut report.on_a_phone);
    Some(report)
}

/// File systems in the first slot: no PC's EBR has that.
fn looks_like_ebr(mbr: &Mbr) -> bool {
    let linux = |slot: &MbrEntry| slot.kind == 0x83;
    mbr.slots[0].as_ref().is_some_and(linux) && mbr.slots[1].as_ref().is_some_and(linux)
}

fn row(index: usize, slot: &MbrEntry, mbr: bool) -> Vec<report::Cell> {
    let start = slot.start.sector();
    let likely = match (mbr, index, slot.kind) {
        (true, 0, _) => "EBR1 and all in it",
        (true, 1, _) if start == PROTECT_F => "PROTECT_F",
        (true, 2, _) => "PROTECT_S",
        (true, 3, _) => "first large file system",
        (_, _, EXTENDED) => "next EBR",
        (_, _, PROTECTIVE) => "GPT",
        _ => "file system",
    };
    // The last partition claims all up to the 32-bit limit.
    let rest = start + u64::from(slot.sectors) >= u64::from(u32::MAX);
    let bytes = u64::from(slot.sectors) * SECTOR;
    vec![
        report::count(index as u64),
        report::meaning(slot.kind, format!("{:02x}", slot.kind)),
        report::hex(start),
        if rest {
            report::meaning(bytes, "the rest of the card")
        } else {
            report::meaning(bytes, text::size(bytes))
        },
        report::text(likely),
    ]
}

fn findings(mbr: &Mbr, ours: bool, code: bool, len: u64, report: &mut Report) {
    if len < SECTOR {
        report.findings.push(of_core(
            Finding::problem,
            &unilk_core::partition::MbrError::Short,
        ));
    }
    let slots: Vec<_> = mbr.slots.iter().flatten().collect();
    if slots.iter().any(|slot| slot.kind == PROTECTIVE) {
        report.findings.push(Finding::problem(
            "MBR-GPT",
            "announces a GPT: no MT6572 loader or kernel reads one",
        ));
    } else if !ours && !looks_like_ebr(mbr) || code {
        report.findings.push(Finding::warning(
            "MBR-FOREIGN",
            "is not what MediaTek's tools write (slot 0 extended at sector 0x400, no boot code): a table of a PC, an SD card or another chip",
        ));
    }
    for (index, slot) in slots.iter().enumerate() {
        let end = slot.start.sector() + u64::from(slot.sectors);
        let within = |other: &&&MbrEntry| {
            other.kind != EXTENDED
                && other.start.sector() < end
                && slot.start.sector() < other.start.sector() + u64::from(other.sectors)
        };
        if slot.kind != EXTENDED && slots[index + 1..].iter().any(|other| within(&other)) {
            report.findings.push(Finding::problem(
                "MBR-OVERLAP",
                format!(
                    "partition at sector {:#x} overlaps another",
                    slot.start.sector()
                ),
            ));
        }
        if slot.sectors == 0 {
            report.findings.push(Finding::problem(
                "MBR-EMPTY",
                format!(
                    "partition at sector {:#x} has no sectors",
                    slot.start.sector()
                ),
            ));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::{Body, Value};
    use crate::inspect::testing::{codes, mutate};

    /// facts/storage-and-images.md 4.2: the A516's tables.
    fn sector(slots: &[(u8, u32, u32)]) -> Vec<u8> {
        let mut sector = vec![0; 512];
        for (index, &(kind, start, sectors)) in slots.iter().enumerate() {
            let at = 446 + 16 * index;
            sector[at + 4] = kind;
            sector[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
            sector[at + 12..at + 16].copy_from_slice(&sectors.to_le_bytes());
        }
        sector[510..].copy_from_slice(&[0x55, 0xAA]);
        sector
    }

    fn a516() -> Vec<u8> {
        sector(&[
            (5, 0x400, u32::MAX),
            (0x83, 0x4800, 0x5000),
            (0x83, 0x9800, 0x5000),
            (0x83, 0x1_BA00, 0x6_4000),
        ])
    }

    #[test]
    fn the_a516s_mbr() {
        let report = inspect(&a516());
        assert_eq!(report.kind, Kind::DosTable);
        assert!(report.summary.starts_with("MBR of an MT6572"));
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
        let Body::Table { rows, .. } = &report.facts[0].body else {
            panic!("no table");
        };
        assert_eq!(rows[1][4].text, "PROTECT_F");
        assert_eq!(rows[1][3].value, Value::Number(10 << 20));
        assert_eq!(rows[0][3].text, "the rest of the card");
    }

    #[test]
    fn the_a516s_ebr() {
        let report = inspect(&sector(&[
            (0x83, 0x7_F600, 0x20_0000),
            (0x83, 0x27_F600, 0x3_F000),
            (0x83, 0x2B_E600, 0xFFD4_19FF),
        ]));
        assert!(report.summary.starts_with("EBR"), "{}", report.summary);
        assert!(codes(&report).is_empty());
    }

    #[test]
    fn the_mobiwires_tables() {
        for name in ["MBR", "EBR1"] {
            let path = format!(
                "{}/tests/data/mobiwire-s10/{name}",
                env!("CARGO_MANIFEST_DIR")
            );
            let report = inspect(&std::fs::read(path).unwrap());
            assert_eq!(report.kind, Kind::DosTable);
            assert!(codes(&report).is_empty(), "{name}: {:?}", report.findings);
        }
    }

    #[test]
    fn tables_of_others_and_damaged_ones() {
        let pc = sector(&[(0x83, 2048, 0x10_0000)]);
        assert_eq!(codes(&inspect(&pc)), ["MBR-FOREIGN"]);
        let gpt = sector(&[(0xEE, 1, u32::MAX)]);
        assert_eq!(codes(&inspect(&gpt)), ["MBR-GPT"]);
        let mut overlap = a516();
        overlap[446 + 16 + 12..][..4].copy_from_slice(&0x5001u32.to_le_bytes());
        assert_eq!(codes(&inspect(&overlap)), ["MBR-OVERLAP"]);
        mutate(&a516(), 300, |data| {
            let _ = inspect(&data);
        });
    }
}
