//! A scatter file against a phone's own dump: whether it is this phone's.
//!
//! Source: facts/storage-and-images.md 4.3.

use super::named;
use crate::finding::Finding;
use crate::layout::Place;
use crate::scatter::Scatter;
use crate::storage::{Evidence, Storage};
use unilk_core::partition::canonical;

/// What the table in `storage` has otherwise than `scatter`. Of a dump without
/// a table only its contents were compared, by opening it with the scatter
/// file; that is said.
pub fn against(scatter: &Scatter, storage: &Storage) -> Vec<Finding> {
    let mut findings: Vec<Finding> = storage
        .findings()
        .iter()
        // Said below, one by one.
        .filter(|finding| finding.code != "STORAGE-SCATTER")
        .cloned()
        .collect();
    let table = match storage.evidence() {
        Evidence::Pmt | Evidence::PmtMirror => storage.layout(),
        _ => None,
    };
    let Some(table) = table else {
        findings.push(Finding::warning(
            "SCATTER-NO-PMT",
            "the dump has no partition table (PMT): only what stands at the addresses was compared",
        ));
        return findings;
    };
    let mut order = Vec::new();
    for entry in named(scatter) {
        let Ok(theirs) = entry.place() else {
            continue;
        };
        let index = table
            .partitions
            .iter()
            .position(|ours| canonical(&ours.name).eq_ignore_ascii_case(canonical(&entry.name)));
        let Some(index) = index else {
            let text = format!("{} (line {}) is not on the phone", entry.name, entry.line);
            findings.push(Finding::problem("SCATTER-OTHER", text));
            continue;
        };
        order.push(index);
        let ours = &table.partitions[index];
        let size = entry.number("partition_size").ok();
        let last = theirs == Place::Linear(table.last_start());
        if theirs != ours.place {
            let text = format!(
                "{} (line {}) is at {:#x}, on the phone at {:#x}: this is not the phone's file, \
                 flash nothing by it",
                entry.name,
                entry.line,
                theirs.address(),
                ours.place.address()
            );
            findings.push(Finding::problem("SCATTER-OTHER", text));
        } else if let Some(size) = size
            && size != ours.size
            && !last
            && entry.in_user_area()
        {
            let text = format!(
                "{} (line {}) has {size:#x} bytes, on the phone {:#x}",
                entry.name, entry.line, ours.size
            );
            findings.push(Finding::problem("SCATTER-OTHER", text));
        }
    }
    for (index, ours) in table.partitions.iter().enumerate() {
        if !order.contains(&index) {
            let text = format!("{} is on the phone, but not in the file", ours.name);
            findings.push(Finding::warning("SCATTER-OTHER", text));
        }
    }
    if !order.is_sorted() {
        findings.push(Finding::problem(
            "SCATTER-INDEX",
            "the partitions are in another order than on the phone: stock loaders find them by \
             their number",
        ));
    }
    findings
}
