//! Preloaders: explained, and never flashed.
//!
//! Source: facts/storage-and-images.md 2.

use super::gfh::{self, FileInfo};
use super::read;
use super::report::{self, Facts, Report, table};
use crate::bytes::{text as field_text, u32_at};
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::{Source, Window};

/// More than any preloader has, with its wrapping; boot areas are larger and
/// blank behind it.
const MOST: usize = 1 << 20;
const CHIP: &str = "MT6572";

/// What `source`, which bears a preloader's marks, holds.
pub fn look(source: &dyn Source, head: &[u8]) -> Report {
    let mut report = Report::new(
        Kind::Preloader,
        source.len(),
        "preloader (first-stage loader)",
    );
    "Never flash it: it belongs to this board and its memory chip, and a phone with a wrong one does not start and is hard to reach. A tool may load it into RAM (mtkclient's --preloader)."
        .clone_into(&mut report.on_a_phone);
    let start = wrapping(head, &mut report);
    let Some(start) = start else {
        let marks = b"MMM\x01FILE_INFO";
        report.findings.push(Finding::warning(
            "PL-FORM",
            format!(
                "bears the marks of a preloader, but neither begins like one nor has a known wrapping{}",
                if head.windows(4).any(|there| there == &marks[..4]) {
                    ": one lies further behind in it"
                } else {
                    ""
                }
            ),
        ));
        landmarks(head, &mut report);
        return report;
    };
    let window = Window::new(source, start, source.len());
    let file = read::some(&window, 0, MOST);
    records(&file, window.len(), &mut report);
    landmarks(&file, &mut report);
    report
}

/// The wrapping around the GFH file, and where that begins.
fn wrapping(head: &[u8], report: &mut Report) -> Option<u64> {
    const DEVICES: [&str; 3] = ["EMMC_BOOT", "SDMMC_BOOT", "SF_BOOT"];
    if head.starts_with(gfh::MAGIC) {
        return Some(0);
    }
    let device = field_text(head.get(..12)?);
    if head.starts_with(b"BOOTLOADER!") {
        let mut facts = Facts::new("wrapping", "wrapping");
        facts.add("device", report::text("NAND"));
        report.facts.push(facts.into());
        // BRLYT counts in pages there; the file follows where it begins.
        let at = head.windows(4).position(|there| there == gfh::MAGIC)?;
        return Some(at as u64);
    }
    if !DEVICES.contains(&device.as_str()) {
        return None;
    }
    let mut facts = Facts::new("wrapping", "wrapping");
    facts.add("device", report::text(&device));
    let layout = u32_at(head, 0x10)? as usize;
    let word = |at: usize| u32_at(head, layout.checked_add(at)?);
    let known = head
        .get(layout..)
        .is_some_and(|at| at.starts_with(b"BRLYT"));
    if !known || word(0x14) != Some(0x4242_4242) {
        report.facts.push(facts.into());
        report.findings.push(Finding::problem(
            "PL-LAYOUT",
            format!("has no layout table (BRLYT) at {layout:#x}: the boot ROM does not find the preloader"),
        ));
        return None;
    }
    let (start, total) = (word(0x0C)?, word(0x10)?);
    facts.add("layout_offset", report::hex(layout as u64));
    facts.add("for", boot_type(word(0x18).unwrap_or(0)));
    facts.add("file_offset", report::hex(start));
    facts.add("total_bytes", report::bytes(total));
    report.facts.push(facts.into());
    Some(start.into())
}

fn boot_type(word: u32) -> report::Cell {
    report::meaning(
        word,
        match word {
            0x1_0005 => "eMMC",
            0x1_0008 => "SD or eMMC user area",
            0x1_0007 => "NOR",
            0x1_0002 => "NAND",
            0x1_0009 => "SPI-NAND",
            _ => "not known",
        },
    )
}

fn records(file: &[u8], there: u64, report: &mut Report) {
    let (records, whole) = gfh::chain(file);
    let rows = records.iter().map(|record| {
        vec![
            report::hex(record.offset as u64),
            report::count(record.kind),
            report::count(record.size),
            report::text(record.name()),
        ]
    });
    let columns = &["offset", "type", "bytes", "meaning"];
    let rows = rows.collect();
    report
        .facts
        .push(table("records", "GFH records", columns, rows));
    if !whole {
        report.findings.push(Finding::problem(
            "PL-CHAIN",
            "chain of records does not end where the code begins: the file is damaged",
        ));
    }
    let Some(info) = gfh::file_info(file) else {
        report.findings.push(Finding::problem(
            "PL-INFO",
            "first record is no FILE_INFO: the file is damaged",
        ));
        return;
    };
    report.facts.push(file_info(&info).into());
    if u64::from(info.file_bytes) > there {
        report.findings.push(Finding::problem(
            "PL-CUT",
            format!(
                "says it has {} bytes, there are {there}: the copy was cut off",
                info.file_bytes
            ),
        ));
    }
    if info.file_bytes > info.max_bytes {
        report.findings.push(Finding::warning(
            "PL-SIZE",
            "is larger than its own limit: the boot ROM may refuse it",
        ));
    }
}

fn file_info(info: &FileInfo) -> Facts {
    let mut facts = Facts::new("file_info", "FILE_INFO");
    facts.add("file_bytes", report::bytes(info.file_bytes));
    facts.add("max_bytes", report::bytes(info.max_bytes));
    facts.add("load_address", report::address(info.load_address));
    facts.add(
        "entry_address",
        report::address(u64::from(info.load_address) + u64::from(info.jump_offset)),
    );
    facts.add("content_offset", report::hex(info.content_offset));
    facts.add("signature_bytes", report::count(info.signature_bytes));
    facts.add("signature_type", report::count(info.signature_type));
    facts.add(
        "flash_device",
        report::meaning(
            info.flash_device,
            match info.flash_device {
                5 => "eMMC, SD or NOR",
                2 => "NAND",
                _ => "not known",
            },
        ),
    );
    facts.add("arm_bootloader", report::flag(info.file_type == 1));
    facts
}

/// Which board and which memory chips it is for.
fn landmarks(file: &[u8], report: &mut Report) {
    let find = |mark: &[u8]| file.windows(mark.len()).position(|there| there == mark);
    if let Some(at) = find(b"MTK_BLOADER_INFO_v") {
        let info = &file[at..];
        let mut facts = Facts::new("board", "made for");
        let name = field_text(info.get(0x1B..0x58).unwrap_or_default());
        if !name.is_empty() {
            report.summary = format!("preloader \"{}\"", report::printable(&name));
        }
        facts.add("file_name", report::text(name));
        facts.add(
            "version",
            report::text(field_text(info.get(0x58..0x5C).unwrap_or_default())),
        );
        if let Some(bin) = info
            .windows(8)
            .take(0x100)
            .position(|there| there == b"MTK_BIN\0")
        {
            facts.maybe("memory_entries", u32_at(info, bin + 8).map(report::count));
            facts.add("memory_chips", report::list(memory_chips(&info[bin..])));
        }
        report.facts.push(facts.into());
    }
    if let Some(at) = find(b"AND_ROMINFO_v") {
        rom_info(&file[at..], report);
    }
}

/// The eMMC chips whose CID begins as entries say: maker, type, OEM, six
/// letters of product name.
fn memory_chips(data: &[u8]) -> Vec<String> {
    /// Entries are 200 to 300 bytes, some dozens at most.
    const SEARCH: usize = 16 << 10;
    const MAKERS: [(u8, &str); 9] = [
        (0x02, "SanDisk"),
        (0x11, "Toshiba"),
        (0x13, "Micron"),
        (0x15, "Samsung"),
        (0x45, "SanDisk"),
        (0x70, "Kingston"),
        (0x88, "Foresee"),
        (0x90, "Hynix"),
        (0xFE, "Micron"),
    ];
    let mut chips: Vec<String> = Vec::new();
    for cid in data[..data.len().min(SEARCH)].windows(9) {
        let maker = MAKERS.iter().find(|(number, _)| *number == cid[0]);
        let named = cid[3..].iter().all(u8::is_ascii_graphic);
        // BGA package, on all chips of these phones.
        if let (Some((_, maker)), 1, true) = (maker, cid[1], named) {
            let chip = format!("{maker} {}", String::from_utf8_lossy(&cid[3..]));
            if !chips.contains(&chip) {
                chips.push(chip);
            }
        }
    }
    chips
}

fn rom_info(info: &[u8], report: &mut Report) {
    let word = |at| u32_at(info, at).unwrap_or(0);
    let field = |at: usize| field_text(info.get(at..at + 16).unwrap_or_default());
    let platform = field(0x14);
    let mut facts = Facts::new("rom_info", "ROM_INFO");
    facts.add("version", report::count(word(0x10)));
    facts.add("platform", report::text(&platform));
    facts.add("project", report::text(field(0x24)));
    facts.add("secro_linear", report::hex(word(0x38)));
    facts.add("secro_bytes", report::bytes(word(0x3C)));
    facts.add("seccfg_linear", report::hex(word(0x48)));
    facts.add("seccfg_bytes", report::bytes(word(0x4C)));
    report.facts.push(facts.into());
    if !platform.starts_with(CHIP) {
        report.findings.push(Finding::warning(
            "PL-CHIP",
            format!("is for {}, not for {CHIP}", report::printable(&platform)),
        ));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::{Body, Value};
    use crate::inspect::testing::{codes, mutate, put};
    use crate::preloader::{boot_area, placeholder};

    /// facts/storage-and-images.md 2.1: the A516's chain and landmarks.
    fn a516() -> Vec<u8> {
        let mut file = vec![0; 98488];
        for (at, kind, size) in [
            (0, 0u16, 0x38u16),
            (0x38, 1, 0x0C),
            (0x44, 7, 0x5C),
            (0xA0, 3, 0x214),
            (0x2B4, 2, 0x14),
            (0x2C8, 8, 0x30),
        ] {
            file[at..at + 4].copy_from_slice(gfh::MAGIC);
            file[at + 4..at + 6].copy_from_slice(&size.to_le_bytes());
            file[at + 6..at + 8].copy_from_slice(&kind.to_le_bytes());
        }
        file[8..17].copy_from_slice(b"FILE_INFO");
        file[0xA8..0xC0].copy_from_slice(b"secret key of the maker!");
        put(
            &mut file,
            &[
                (0x18, 0x0305_0001),
                (0x1C, 0x0200_7200),
                (0x20, 0x1_80B8),
                (0x24, 0x2_0000),
                (0x28, 0x2F8),
                (0x2C, 0x124),
                (0x30, 0x300),
                (0x34, 1),
                (0x4FC + 0x10, 2),
                (0x4FC + 0x38, 0x02F8_0000),
                (0x4FC + 0x3C, 0x2C00),
                (0x4FC + 0x48, 0x0230_0000),
                (0x4FC + 0x4C, 0x2_0000),
            ],
        );
        let mut text = |at: usize, text: &[u8]| file[at..at + text.len()].copy_from_slice(text);
        text(0x4FC, b"AND_ROMINFO_v");
        text(0x4FC + 0x14, b"MT6572");
        text(0x1_7E78, b"MTK_BLOADER_INFO_v11");
        text(0x1_7E78 + 0x1B, b"preloader_a516_row.bin");
        text(0x1_7E78 + 0x58, b"V116");
        text(
            0x1_7E78 + 0x60,
            b"\x22\x88\x44\x33\x90\0\x70\0MTK_BIN\0\x01\0\0\0",
        );
        text(0x1_7E78 + 0x90, b"\x15\x01\0N5U00M");
        file
    }

    #[test]
    fn the_a516s_preloader() {
        let report = inspect(&a516());
        assert_eq!(report.kind, Kind::Preloader);
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
        assert!(report.on_a_phone.starts_with("Never flash"));
        let Body::Table { rows, .. } = &report.facts[0].body else {
            panic!("no table");
        };
        assert_eq!(rows.len(), 6);
        assert_eq!(
            report.value("file_info", "entry_address"),
            Some(&Value::Number(0x0200_7500))
        );
        assert_eq!(
            report.value("board", "file_name"),
            Some(&"preloader_a516_row.bin".into())
        );
        assert_eq!(
            report.value("board", "memory_chips"),
            Some(&Value::List(vec!["Samsung N5U00M".to_owned()]))
        );
        assert_eq!(
            report.value("rom_info", "seccfg_linear"),
            Some(&Value::Number(0x0230_0000))
        );
        assert!(!format!("{report:?}").contains("secret"));
    }

    #[test]
    fn a_boot_area_is_unwrapped() {
        let report = inspect(&boot_area(&a516()).unwrap());
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
        assert_eq!(
            report.value("wrapping", "device"),
            Some(&"EMMC_BOOT".into())
        );
        assert_eq!(
            report.value("wrapping", "file_offset"),
            Some(&Value::Number(0x800))
        );
        assert!(report.value("board", "file_name").is_some());
        assert!(codes(&inspect(&placeholder())).is_empty());
    }

    #[test]
    fn a_dump_of_nand_is_unwrapped() {
        // Two pages in front: geometry, and the layout table in pages.
        let mut dump = vec![0xFF; 4096];
        dump[..12].copy_from_slice(b"BOOTLOADER!\0");
        dump[12..16].copy_from_slice(b"V006");
        dump[16..23].copy_from_slice(b"NFIINFO");
        dump[2048..2053].copy_from_slice(b"BRLYT");
        dump.extend(a516());
        let report = inspect(&dump);
        assert_eq!(report.value("wrapping", "device"), Some(&"NAND".into()));
        assert!(report.value("board", "file_name").is_some());
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
    }

    #[test]
    fn damage_is_named() {
        let good = a516();
        assert_eq!(codes(&inspect(&&good[..98000])), ["PL-CUT"]);
        let mut bad = good.clone();
        bad[0x38] = 0;
        assert_eq!(codes(&inspect(&bad)), ["PL-CHAIN"]);
        // A record of a later version is a record.
        let mut later = good.clone();
        later[0x44 + 3] = 3;
        assert!(codes(&inspect(&later)).is_empty());
        let mut area = boot_area(&good).unwrap();
        area[0x200] = 0;
        assert_eq!(codes(&inspect(&area)), ["PL-FORM", "PL-LAYOUT"]);
        let mut other = good.clone();
        other[0x4FC + 0x19] = b'9';
        assert_eq!(codes(&inspect(&other)), ["PL-CHIP"]);
        mutate(&boot_area(&placeholder()).unwrap(), 300, |data| {
            let _ = inspect(&data);
        });
        mutate(&good[..0x1000], 300, |data| {
            let _ = inspect(&data);
        });
    }
}
