//! A scatter file against a phone's own dump: whether it is this phone's.
//!
//! Source: facts/storage-and-images.md 4.3.

use super::named;
use crate::finding::Finding;
use crate::layout::Place;
use crate::scatter::Scatter;
use crate::storage::{Evidence, Storage};
use unilk_core::partition::canonical;

/// Partitions at other addresses that are told one by one.
const SHOWN: usize = 4;

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
    let (mut order, mut moved) = (Vec::new(), Vec::new());
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
            moved.push(format!(
                "{} (line {}) {:#x} for {:#x}",
                entry.name,
                entry.line,
                theirs.address(),
                ours.place.address()
            ));
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
    if !moved.is_empty() {
        let more = moved.len().saturating_sub(SHOWN);
        moved.truncate(SHOWN);
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = format!(
            "this is not the phone's file, flash nothing by it: it has {}{more}",
            moved.join(", ")
        );
        findings.push(Finding::problem("SCATTER-OTHER", text));
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::Layout;
    use crate::pmt;
    use crate::scatter::from_layout;
    use crate::storage::Options;
    use std::sync::Arc;

    /// A card that is just large enough, with the tables of `layout`.
    fn phone(layout: &Layout, scatter: Option<&Layout>) -> Storage {
        let hardware = layout.mbr_linear().unwrap();
        let user_bytes = 64 << 20;
        let mut dump = vec![0; user_bytes];
        if scatter.is_none() {
            let tables = pmt::tables(layout, hardware + user_bytes as u64).unwrap();
            dump[user_bytes - (1 << 20)..][..tables.len()].copy_from_slice(&tables);
        }
        dump[0x1D2_0000..][..4].copy_from_slice(&[0x88, 0x16, 0x88, 0x58]);
        let options = Options {
            scatter: scatter.cloned(),
            card: None,
        };
        Storage::open_image(Arc::new(dump), None, &options).unwrap()
    }

    /// The beginning of an A516, so that it fits into memory.
    fn small() -> Layout {
        let mut layout = Layout::built_in("a516").unwrap();
        layout.partitions.retain(|partition| {
            !matches!(
                partition.name.as_str(),
                "EXPDB" | "PRELOAD" | "ANDROID" | "CACHE" | "USRDATA"
            )
        });
        layout
    }

    fn told(layout: &Layout, phone: &Storage) -> Vec<String> {
        let scatter = Scatter::parse(&from_layout(layout, |_| None)).unwrap();
        let findings = against(&scatter, phone).into_iter();
        findings
            .filter(|finding| finding.code.starts_with("SCATTER"))
            .map(|finding| finding.to_string())
            .collect()
    }

    #[test]
    fn its_own_file_and_anothers() {
        let own = small();
        let storage = phone(&own, None);
        assert_eq!(told(&own, &storage), Vec::<String>::new());

        let mut other = own.clone();
        for partition in &mut other.partitions[9..12] {
            if let Place::Linear(at) = &mut partition.place {
                *at += 0x10_0000;
            }
        }
        other.partitions[8].size += 512;
        other.partitions.remove(13);
        let found = told(&other, &storage);
        assert!(
            found[0].contains("UBOOT") && found[0].contains("0x60200 bytes, on the phone 0x60000")
        );
        assert!(
            found[1].contains("not the phone's file")
                && found[1].contains("0x2480000 for 0x2380000"),
            "{found:?}"
        );
        assert!(found[2].contains("LOGO is on the phone, but not in the file"));

        let mut swapped = own.clone();
        swapped.partitions.swap(3, 4);
        let found = told(&swapped, &storage);
        assert!(
            found.iter().any(|text| text.contains("SCATTER-INDEX")),
            "{found:?}"
        );
    }

    #[test]
    fn without_a_table_contents_are_compared_and_that_is_said() {
        let own = small();
        let found = told(&own, &phone(&own, Some(&own)));
        assert!(found[0].contains("SCATTER-NO-PMT"), "{found:?}");
    }
}
