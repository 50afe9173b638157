//! Android boot and recovery images, header versions 0 to 4, with and without
//! MediaTek's headers in front of their sections.
//!
//! Source: facts/storage-and-images.md 5.1 to 5.4.

mod header;
#[cfg(test)]
mod tests;
pub mod vendor;
mod verdict;

use super::report::{self, Cell, Facts, Report, Value};
use super::{part, read, text};
use crate::finding::Finding;
use crate::inspect::Level;
use crate::recognise::Kind;
use crate::source::Source;
use header::{Header, Section};
use sha1::{Digest as _, Sha1};

/// What `source`, which begins with `ANDROID!`, holds.
pub fn look(source: &dyn Source, head: &[u8], level: Level) -> Report {
    let mut report = Report::new(Kind::BootImage, source.len(), "Android boot image");
    let Some(header) = Header::parse(head) else {
        report.findings.push(Finding::problem(
            "BOOT-CUT",
            "ends within its header: the copy was cut off, make it again",
        ));
        "Neither stock LK nor unilk boots it.".clone_into(&mut report.on_a_phone);
        return report;
    };
    report.facts.push(fields(&header).into());
    header_findings(&header, &mut report);
    sections(source, &header, level, &mut report);
    check_id(source, &header, &mut report);
    let stock = verdict::stock(source, &header, &mut report);
    let itself = verdict::holds_unilk(source);
    let unilk = if itself {
        verdict::ITSELF.to_owned()
    } else {
        verdict::unilk(source, &mut report)
    };
    report.summary = summary(source, &header);
    if itself {
        report.summary.insert_str(0, "unilk as ");
    }
    report.on_a_phone = format!("{stock} {unilk}");
    report
}

fn summary(source: &dyn Source, header: &Header) -> String {
    let kernel = header.section("kernel").map_or(0, |kernel| kernel.len);
    let ramdisk = header.section("ramdisk").map_or(0, |ramdisk| ramdisk.len);
    format!(
        "Android {} image v{}, kernel {}, RAM disk {}",
        verdict::purpose(source, header),
        header.version,
        text::size(kernel.into()),
        text::size(ramdisk.into()),
    )
}

fn fields(header: &Header) -> Facts {
    let mut facts = Facts::new("header", "Android header");
    facts.add("version", report::count(header.version));
    facts.add("page_bytes", report::count(header.page_bytes));
    facts.maybe("header_bytes", header.stated_bytes.map(report::count));
    if let Some(addresses) = header.addresses {
        facts.add("kernel_address", report::address(addresses.kernel));
        facts.add("ramdisk_address", report::address(addresses.ramdisk));
        facts.add("second_address", report::address(addresses.second));
        facts.add("tags_address", report::address(addresses.tags));
    }
    facts.maybe("dtb_address", header.dtb_address.map(report::address));
    facts.maybe("recovery_dtbo_offset", header.dtbo_offset.map(report::hex));
    facts.maybe(
        "device_trees_bytes",
        header.tree_table_bytes.map(report::bytes),
    );
    if let Some(name) = header.name.as_ref().filter(|name| !name.is_empty()) {
        facts.add("name", report::text(name));
    }
    facts.add("cmdline", cmdline(&header.cmdline));
    if let Some(version) = header::os_version(header.os_version) {
        facts.add("android", report::text(version));
    }
    facts
}

fn cmdline(line: &str) -> Cell {
    if line.is_empty() {
        Cell {
            text: "empty".to_owned(),
            value: Value::Text(String::new()),
        }
    } else {
        report::text(line)
    }
}

fn header_findings(header: &Header, report: &mut Report) {
    if header.section("kernel").is_none() {
        report.findings.push(Finding::problem(
            "BOOT-KERNEL",
            "has no kernel: build it again with one",
        ));
    }
    if !header.page_bytes.is_power_of_two() || !(2048..=16384).contains(&header.page_bytes) {
        report.findings.push(Finding::problem(
            "BOOT-PAGE",
            format!(
                "page size of {} bytes is none of 2048 to 16384: the header is damaged",
                header.page_bytes
            ),
        ));
    }
    if header.tree_table_bytes.is_some() {
        report.findings.push(Finding::warning(
            "BOOT-VERSION",
            "has a number where the header version stands: an image of another chip maker, or of a version after 4",
        ));
    }
    if let (Some(given), Some(dtbo)) = (header.dtbo_offset, header.section("recovery_dtbo"))
        && given != dtbo.offset
    {
        report.findings.push(Finding::warning(
            "BOOT-DTBO",
            format!(
                "says that the recovery's overlays begin at {given:#x}, by the order of sections they do at {:#x}",
                dtbo.offset
            ),
        ));
    }
}

/// Every section as a part, and what lies behind the last.
fn sections(source: &dyn Source, header: &Header, level: Level, report: &mut Report) {
    for section in &header.sections {
        let end = section.offset.saturating_add(section.len.into());
        if end > source.len() {
            report.findings.push(Finding::problem(
                "BOOT-CUT",
                format!(
                    "{} of {} ends at {end:#x}, the file at {:#x}: the copy was cut off or the header is damaged",
                    spoken(section),
                    text::size(section.len.into()),
                    source.len()
                ),
            ));
        }
        if section.offset < source.len() && section.name != "signature" {
            let len = section.len.into();
            report
                .parts
                .push(part(source, section.name, section.offset, len, level));
        }
    }
    let end = header
        .end()
        .next_multiple_of(u64::from(header.page_bytes.max(1)));
    let rest = source.len().saturating_sub(end);
    if rest > 0 {
        report.findings.push(Finding::note(
            "BOOT-REST",
            format!(
                "{} follow the last section: this is the dump of a partition, or a signature was added; loaders do not read them",
                text::size(rest)
            ),
        ));
    }
}

fn spoken(section: &Section) -> String {
    match section.name {
        "ramdisk" => "RAM disk".to_owned(),
        "second" => "second stage".to_owned(),
        name => name.replace('_', " "),
    }
}

/// Compares the id with the SHA-1 of the sections, each followed by its
/// length. Nothing on the phone does.
fn check_id(source: &dyn Source, header: &Header, report: &mut Report) {
    let Some(id) = header.id else {
        return;
    };
    let mut facts = Facts::new("id", "id");
    if id == [0; 32] {
        facts.add("stored", report::absent("not filled in"));
        report.facts.push(facts.into());
        return;
    }
    let Some(sum) = id_of(source, header) else {
        // Cut off: said already.
        return;
    };
    let good = id[..20] == sum;
    facts.add("stored", report::text(text::hex(&id[..20])));
    facts.add("sections_unchanged", report::flag(good));
    report.facts.push(facts.into());
    if !good {
        report.findings.push(Finding::warning(
            "BOOT-ID",
            format!(
                "id is not the SHA-1 of the sections ({}): they were changed after the image was built, or are damaged; no loader checks it",
                text::hex(&sum)
            ),
        ));
    }
}

/// The SHA-1 that makes the id, in one pass over the sections.
fn id_of(source: &dyn Source, header: &Header) -> Option<[u8; 20]> {
    let hashed: &[&str] = match header.version {
        0 => &["kernel", "ramdisk", "second"],
        1 => &["kernel", "ramdisk", "second", "recovery_dtbo"],
        _ => &["kernel", "ramdisk", "second", "recovery_dtbo", "dtb"],
    };
    let mut hash = Sha1::new();
    for name in hashed {
        let mut len = 0;
        if let Some(section) = header.section(name) {
            len = section.len;
            let end = section.offset.checked_add(len.into())?;
            let all = end <= source.len()
                && read::through(source, section.offset, len.into(), &mut |piece| {
                    hash.update(piece);
                    true
                });
            all.then_some(())?;
        }
        hash.update(len.to_le_bytes());
    }
    if header.tree_table_bytes.is_some() {
        let section = header.section("device_trees")?;
        let all = read::through(source, section.offset, section.len.into(), &mut |piece| {
            hash.update(piece);
            true
        });
        all.then_some(())?;
        hash.update(section.len.to_le_bytes());
    }
    Some(hash.finalize().into())
}
