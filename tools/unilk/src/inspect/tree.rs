//! Flattened device trees and Android's tables of them.
//!
//! The check is the bootloader's own strict parser (`unilk_core::fdt`). Source
//! of what an MT6572 tree needs: facts/storage-and-images.md 6.4.

use super::Level;
use super::report::{self, Cell, Facts, Report};
use super::{of_core, part, read, text};
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::Source;
use unilk_core::Code as _;
use unilk_core::bytes::Bytes;
use unilk_core::fdt::{Fdt, MAX_TREE_BYTES, Property};

const CHIP: &[u8] = b"mediatek,mt6572";

/// What `source`, which begins with a tree's magic, holds.
pub fn look(source: &dyn Source) -> Report {
    let bytes = read::some(source, 0, MAX_TREE_BYTES);
    let mut report = Report::new(Kind::DeviceTree, source.len(), "device tree");
    let tree = match Fdt::parse(&bytes) {
        Ok(tree) => tree,
        Err(why) => {
            report.findings.push(of_core(Finding::problem, &why));
            report.on_a_phone = format!(
                "unilk refuses it ({}) and uses its generic tree; a kernel that is given it would not start.",
                why.code()
            );
            return report;
        }
    };
    let model = string(tree.root().property(b"model"));
    report.summary = match &model {
        Some(model) => format!("device tree of \"{}\"", report::printable(model)),
        None => "device tree without a model".to_owned(),
    };
    report.facts.push(fields(&tree, model).into());
    report.facts.push(chosen(&tree).into());
    findings(&tree, source.len(), &mut report);
    "Appended to a kernel or as second stage of a boot image, unilk fills in memory, command line, RAM disk and the parts that are fitted, and hands it over."
        .clone_into(&mut report.on_a_phone);
    report
}

fn string(property: Option<Property<'_>>) -> Option<String> {
    Some(String::from_utf8_lossy(property?.as_string()?).into_owned())
}

fn strings(property: Option<Property<'_>>) -> Vec<String> {
    let strings = property.iter().flat_map(Property::strings);
    strings
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect()
}

fn fields(tree: &Fdt<'_>, model: Option<String>) -> Facts {
    let root = tree.root();
    let mut facts = Facts::new("tree", "tree");
    facts.add("tree_bytes", report::bytes(tree.total_size() as u64));
    facts.maybe("model", model.map(report::text));
    facts.add(
        "compatible",
        report::list(strings(root.property(b"compatible"))),
    );
    facts.add("nodes", report::count(tree.nodes().count() as u64));
    let cells = root.cells();
    let memory: Vec<String> = tree
        .nodes()
        .map(|(_, node)| node)
        .filter(|node| node.property(b"device_type").and_then(|p| p.as_string()) == Some(b"memory"))
        .filter_map(|node| node.property(b"reg"))
        .flat_map(|reg| reg.reg(cells))
        .map(range)
        .collect();
    facts.add("memory", ranges(memory));
    let reserved = tree
        .reservations()
        .map(|entry| range((entry.base, entry.size)));
    facts.add("reservations", ranges(reserved.take(64).collect()));
    facts
}

fn range((base, size): (u64, u64)) -> String {
    format!("{base:#x} + {}", text::size(size))
}

fn ranges(ranges: Vec<String>) -> Cell {
    if ranges.is_empty() {
        report::absent("none")
    } else {
        report::list(ranges)
    }
}

fn chosen(tree: &Fdt<'_>) -> Facts {
    let mut facts = Facts::new("chosen", "chosen");
    let Some(node) = tree.node(b"/chosen") else {
        return facts;
    };
    facts.maybe(
        "bootargs",
        string(node.property(b"bootargs")).map(report::text),
    );
    facts.maybe(
        "stdout_path",
        string(node.property(b"stdout-path")).map(report::text),
    );
    for (name, key) in [
        (&b"linux,initrd-start"[..], "initrd_start"),
        (b"linux,initrd-end", "initrd_end"),
    ] {
        let number = node.property(name).and_then(|property| {
            property
                .as_u32()
                .map(u64::from)
                .or_else(|| property.as_u64())
        });
        facts.maybe(key, number.map(report::address));
    }
    let report = tree
        .node(b"/chosen/unilk")
        .and_then(|unilk| unilk.property(b"report"));
    facts.maybe(
        "unilk_report",
        report.map(|report| Cell {
            text: format!("{} bytes: `unilk report` shows it", report.value().len()),
            value: (report.value().len() as u64).into(),
        }),
    );
    facts
}

fn findings(tree: &Fdt<'_>, there: u64, report: &mut Report) {
    if !tree.root().is_compatible(CHIP) {
        report.findings.push(Finding::warning(
            "TREE-CHIP",
            "root is not compatible with mediatek,mt6572: a tree for another chip does not start a kernel on this one",
        ));
    }
    let more = there - tree.total_size() as u64;
    if more > 0 {
        report.findings.push(Finding::note(
            "TREE-REST",
            format!("{} follow the tree, which nobody reads", text::size(more)),
        ));
    }
}

/// What `source`, a table of trees, holds.
pub fn table(source: &dyn Source, head: &[u8], level: Level) -> Report {
    /// Trees that are looked at.
    const MOST: u32 = 64;
    let bytes = Bytes::new(head);
    let mut report = Report::new(Kind::DeviceTreeTable, source.len(), "table of device trees");
    "No MT6572 loader reads such tables: append the one tree that fits to the kernel."
        .clone_into(&mut report.on_a_phone);
    let word = |at: usize| bytes.u32_be(at);
    let (Some(total), Some(entry_bytes), Some(count), Some(first)) =
        (word(4), word(12), word(16), word(20))
    else {
        report.findings.push(Finding::problem(
            "DTBO-CUT",
            "ends within its header: the copy was cut off",
        ));
        return report;
    };
    let mut facts = Facts::new("table", "table");
    facts.add("total_bytes", report::bytes(total));
    facts.add("trees", report::count(count));
    report.facts.push(facts.into());
    if u64::from(total) > source.len() {
        report.findings.push(Finding::problem(
            "DTBO-CUT",
            format!("says it has {total} bytes, there are {}", source.len()),
        ));
    }
    for index in 0..count.min(MOST) {
        let at = u64::from(first) + u64::from(index) * u64::from(entry_bytes);
        let entry = read::some(source, at, 8);
        let entry = Bytes::new(&entry);
        let (Some(len), Some(offset)) = (entry.u32_be(0), entry.u32_be(4)) else {
            report.findings.push(Finding::problem(
                "DTBO-ENTRY",
                format!("entry {index} lies behind the end"),
            ));
            break;
        };
        report.parts.push(part(
            source,
            format!("tree {index}"),
            offset.into(),
            len.into(),
            level,
        ));
    }
    report
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::Value;
    use crate::inspect::testing::{codes, mutate};

    /// A small tree, as `dtc` would write it.
    pub fn tree() -> Vec<u8> {
        let mut structure: Vec<u8> = Vec::new();
        let mut strings: Vec<u8> = Vec::new();
        let word = |out: &mut Vec<u8>, word: u32| out.extend(word.to_be_bytes());
        let mut property = |out: &mut Vec<u8>, name: &str, value: &[u8]| {
            word(out, 3);
            word(out, value.len() as u32);
            word(out, strings.len() as u32);
            strings.extend_from_slice(name.as_bytes());
            strings.push(0);
            out.extend_from_slice(value);
            out.resize(out.len().next_multiple_of(4), 0);
        };
        let open = |out: &mut Vec<u8>, name: &str| {
            word(out, 1);
            out.extend_from_slice(name.as_bytes());
            out.push(0);
            out.resize(out.len().next_multiple_of(4), 0);
        };
        open(&mut structure, "");
        property(&mut structure, "model", b"Test phone\0");
        property(
            &mut structure,
            "compatible",
            b"maker,phone\0mediatek,mt6572\0",
        );
        open(&mut structure, "memory@80000000");
        property(&mut structure, "device_type", b"memory\0");
        property(&mut structure, "reg", &[0x80, 0, 0, 0, 0x20, 0, 0, 0]);
        word(&mut structure, 2);
        open(&mut structure, "chosen");
        property(&mut structure, "bootargs", b"quiet\0");
        word(&mut structure, 2);
        word(&mut structure, 2);
        word(&mut structure, 9);
        let at = [56, 56 + structure.len() as u32];
        let total = at[1] + strings.len() as u32;
        let mut tree = Vec::new();
        for field in [
            0xD00D_FEED,
            total,
            at[0],
            at[1],
            40,
            17,
            16,
            0,
            strings.len() as u32,
            structure.len() as u32,
        ] {
            word(&mut tree, field);
        }
        tree.extend([0; 16]);
        tree.extend(structure);
        tree.extend(strings);
        tree
    }

    #[test]
    fn a_tree_tells_what_it_is_for() {
        let report = inspect(&tree());
        assert_eq!(report.kind, Kind::DeviceTree);
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
        assert_eq!(report.value("tree", "model"), Some(&"Test phone".into()));
        assert_eq!(
            report.value("tree", "memory"),
            Some(&Value::List(vec!["0x80000000 + 512 MiB".to_owned()]))
        );
        assert_eq!(report.value("chosen", "bootargs"), Some(&"quiet".into()));
    }

    #[test]
    fn damage_and_strangers() {
        let good = tree();
        assert_eq!(codes(&inspect(&&good[..good.len() - 1])), ["FDT-SIZE"]);
        let mut bad = good.clone();
        bad[59] = 7;
        assert_eq!(codes(&inspect(&bad)), ["FDT-TOKEN"]);
        let at = good
            .windows(CHIP.len())
            .position(|there| there == CHIP)
            .unwrap();
        let mut other = good.clone();
        other[at + 13] = b'9';
        other.extend([0; 8]);
        assert_eq!(codes(&inspect(&other)), ["TREE-CHIP", "TREE-REST"]);
        mutate(&good, 500, |data| {
            let _ = inspect(&data);
        });
    }

    #[test]
    fn a_table_of_trees() {
        let tree = tree();
        let mut table = Vec::new();
        for word in [
            0xD7B7_AB1E,
            64 + tree.len() as u32,
            32,
            32,
            1,
            32,
            2048,
            0,
            tree.len() as u32,
            64,
            0,
            0,
            0,
            0,
            0,
            0,
        ] {
            table.extend(u32::to_be_bytes(word));
        }
        table.extend(&tree);
        let report = inspect(&table);
        assert_eq!(report.kind, Kind::DeviceTreeTable);
        assert_eq!(report.parts[0].report.kind, Kind::DeviceTree);
        assert!(codes(&report).is_empty());
        assert_eq!(codes(&inspect(&&table[..70])), ["DTBO-CUT", "FDT-SIZE"]);
        mutate(&table, 300, |data| {
            let _ = inspect(&data);
        });
    }
}
