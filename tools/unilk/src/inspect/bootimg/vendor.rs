//! Vendor boot images: the half of a version 3 or 4 boot image that holds what
//! the chip's maker provides. No MT6572 phone has a partition for one.
//!
//! Source: AOSP's description of the format, compared with what `mkbootimg`
//! writes.

use super::header::{Section, lay_out};
use super::{cmdline, report, spoken, text};
use crate::finding::Finding;
use crate::inspect::Level;
use crate::inspect::part;
use crate::inspect::report::{Facts, Report};
use crate::recognise::Kind;
use crate::source::Source;
use unilk_core::bytes::Bytes;

/// Smallest header: that of version 3.
const HEADER_BYTES: u32 = 2112;

/// What `source`, which begins with `VNDRBOOT`, holds.
pub fn look(source: &dyn Source, head: &[u8], level: Level) -> Report {
    let mut report = Report::new(Kind::VendorBoot, source.len(), "Android vendor boot image");
    "No MT6572 loader reads vendor boot images: nothing happens with it."
        .clone_into(&mut report.on_a_phone);
    report.findings.push(Finding::problem(
        "BOOT-VENDOR",
        "a vendor boot image is for phones with Android 11 and a vendor_boot partition: build a boot image of version 0 instead",
    ));
    let Some((facts, sections)) = parse(head) else {
        report.findings.push(Finding::problem(
            "BOOT-CUT",
            "ends within its header: the copy was cut off, make it again",
        ));
        return report;
    };
    report.facts.push(facts.into());
    for section in &sections {
        let end = section.offset + u64::from(section.len);
        if end > source.len() {
            report.findings.push(Finding::problem(
                "BOOT-CUT",
                format!(
                    "{} of {} ends behind the file: the copy was cut off",
                    spoken(section),
                    text::size(section.len.into())
                ),
            ));
        } else {
            let len = section.len.into();
            report
                .parts
                .push(part(source, section.name, section.offset, len, level));
        }
    }
    report
}

fn parse(head: &[u8]) -> Option<(Facts, Vec<Section>)> {
    let bytes = Bytes::new(head);
    let word = |at| bytes.u32(at);
    let version = word(0x08)?;
    let page = word(0x0C)?;
    let header_bytes = word(0x830)?;
    let mut facts = Facts::new("header", "Android header");
    facts.add("version", report::count(version));
    facts.add("page_bytes", report::count(page));
    facts.add("header_bytes", report::count(header_bytes));
    facts.add("kernel_address", report::address(word(0x10)?));
    facts.add("ramdisk_address", report::address(word(0x14)?));
    facts.add("tags_address", report::address(word(0x81C)?));
    facts.add("dtb_address", report::address(bytes.u64(0x838)?));
    facts.add(
        "name",
        report::text(crate::bytes::text(bytes.slice(0x820, 16)?)),
    );
    let line = crate::bytes::text(bytes.slice(0x1C, 2048)?);
    facts.add("cmdline", cmdline(&line));
    let (table, bootconfig) = match version {
        4 => (word(0x840)?, word(0x84C)?),
        _ => (0, 0),
    };
    let sizes = [
        ("vendor_ramdisk", word(0x18)?),
        ("dtb", word(0x834)?),
        ("ramdisk_table", table),
        ("bootconfig", bootconfig),
    ];
    let first = u64::from(header_bytes.max(HEADER_BYTES)).next_multiple_of(page.max(1).into());
    Some((facts, lay_out(page, first, &sizes)))
}
