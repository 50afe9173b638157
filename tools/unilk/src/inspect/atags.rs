//! Dumps of the tags that a loader leaves for a vendor kernel at 0x80100100.
//!
//! Source: facts/storage-and-images.md 6.2, 6.3, facts/soc.md 3.5; what ids
//! outside of the vendor's list mean: Linux' `asm/setup.h`.

use super::report::{self, Report, table};
use super::{read, text};
use crate::bytes::u32_at;
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::Source;
use unilk_core::atags::{DEVINFO_WORDS, DFO_ENTRIES, Tag, Tags, id};
use unilk_core::bootarg::BootMode;

/// More than loaders have room for.
const MOST: usize = 64 << 10;

/// Name of a tag, and its place in the order of the vendor's loaders; MDINFO
/// stands behind DEVINFO or at the end, by generation.
fn known(id: u32) -> Option<(&'static str, Option<u8>)> {
    Some(match id {
        id::CORE => ("CORE", Some(0)),
        id::BOOT => ("BOOT", Some(1)),
        id::MEM => ("MEM", Some(2)),
        id::DFO => ("DFO", Some(3)),
        id::META_COM => ("META_COM", Some(4)),
        id::DEVINFO => ("DEVINFO", Some(5)),
        id::CMDLINE => ("CMDLINE", Some(6)),
        id::INITRD2 => ("INITRD2", Some(7)),
        id::VIDEOLFB => ("VIDEOLFB", Some(8)),
        id::MDINFO => ("MDINFO", None),
        0x5441_0003 => ("VIDEOTEXT", None),
        0x5441_0004 => ("RAMDISK", None),
        0x5441_0006 => ("SERIAL", None),
        0x5441_0007 => ("REVISION", None),
        _ => return None,
    })
}

/// What `source`, which begins with a CORE tag, holds.
pub fn look(source: &dyn Source, head: &[u8]) -> Report {
    let data = if source.len() > head.len() as u64 {
        read::some(source, 0, MOST)
    } else {
        head.to_vec()
    };
    let tags: Vec<Tag<'_>> = Tags::new(&data).collect();
    let bytes: usize = tags.iter().map(|tag| 8 + tag.payload.len()).sum();
    let mut report = Report::new(
        Kind::Atags,
        source.len(),
        format!(
            "kernel tags (ATAGs), {} in {bytes} bytes",
            text::plural(tags.len() as u64, "tag")
        ),
    );
    let rows = tags
        .iter()
        .map(|tag| {
            let name = known(tag.id).map_or("?", |(name, _)| name);
            vec![
                report::text(name),
                report::address(tag.id),
                report::count(2 + tag.payload.len() as u64 / 4),
                report::text(explain(tag)),
            ]
        })
        .collect();
    let columns = &["tag", "id", "words", "says"];
    report.facts.push(table("tags", "tags", columns, rows));
    report.findings = findings(&tags, &data, bytes);
    "At 0x80100100 (r2) it is what a vendor 3.4 kernel learns of the phone; a kernel that takes a device tree reads such tags only with an appended tree."
        .clone_into(&mut report.on_a_phone);
    report
}

/// The payload in words.
fn explain(tag: &Tag<'_>) -> String {
    let word = |index: usize| tag.payload.u32(4 * index).unwrap_or(0);
    match tag.id {
        id::BOOT => BootMode::from_word(word(0)).map_or_else(
            || format!("boot mode {}, which does not exist", word(0)),
            |mode| format!("boot mode {}", mode.name()),
        ),
        id::MEM => format!("{} from {:#x}", text::size(word(0).into()), word(1)),
        id::CMDLINE => tag
            .payload
            .text(0, tag.payload.len())
            .unwrap_or("not printable")
            .to_owned(),
        id::INITRD2 => format!("{} at {:#x}", text::size(word(1).into()), word(0)),
        id::VIDEOLFB if word(3) == 0 => {
            "no framebuffer: the kernel initialises the panel".to_owned()
        }
        id::VIDEOLFB => format!(
            "framebuffer {} at {:#x}",
            text::size(word(3).into()),
            word(2)
        ),
        id::META_COM => {
            let kind = match word(0) & 0xFF {
                1 => "UART",
                2 => "USB",
                _ => "unknown",
            };
            format!("{kind}, port {}", word(1))
        }
        id::DEVINFO => devinfo(tag),
        id::MDINFO => format!("modem types {:?}", word(0).to_le_bytes()),
        id::DFO => dfo(tag),
        _ => String::new(),
    }
}

/// e-fuse words: the chip and the bins. The words of its unique number are
/// left out.
fn devinfo(tag: &Tag<'_>) -> String {
    let word = |index: usize| tag.payload.u32(4 * index).unwrap_or(0);
    let variant = match word(18) >> 8 & 3 {
        3 => "MT6572M",
        2 => "MT6572A",
        _ => "MT6572W",
    };
    format!(
        "{} words, hardware code {:#x}, CPU bin {variant}",
        word(DEVINFO_WORDS),
        word(20)
    )
}

fn dfo(tag: &Tag<'_>) -> String {
    let entries = (0..DFO_ENTRIES).filter_map(|index| {
        let name = tag
            .payload
            .text(32 * index, 32)
            .filter(|name| !name.is_empty())?;
        let value = tag.payload.u32(32 * DFO_ENTRIES + 4 * index)?;
        Some(format!("{name}={value:#x}"))
    });
    entries.collect::<Vec<_>>().join(" ")
}

fn findings(tags: &[Tag<'_>], data: &[u8], end: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    if u32_at(data, end) != Some(0) || u32_at(data, end + 4) != Some(id::NONE) {
        findings.push(Finding::problem(
            "TAG-END",
            format!("list does not end at {end:#x} as it should, with two words of 0: it is damaged or cut off, and a kernel would read on"),
        ));
    }
    let mut last = ("", 0);
    for tag in tags {
        let Some((name, place)) = known(tag.id) else {
            findings.push(Finding::note(
                "TAG-UNKNOWN",
                format!(
                    "tag {:#010x} is known neither to MediaTek's loaders nor to Linux",
                    tag.id
                ),
            ));
            continue;
        };
        let Some(place) = place else { continue };
        if place < last.1 {
            findings.push(Finding::warning(
                "TAG-ORDER",
                format!("{name} stands behind {}: stock LK has it before", last.0),
            ));
        }
        last = (name, place);
    }
    for (needed, name, lost) in [
        (id::MEM, "MEM", "the kernel knows of no memory"),
        (
            id::DEVINFO,
            "DEVINFO",
            "the kernel's drivers take the worst speed bin",
        ),
        (
            id::CMDLINE,
            "CMDLINE",
            "the kernel has its built-in command line only",
        ),
    ] {
        if !tags.iter().any(|tag| tag.id == needed) {
            findings.push(Finding::warning(
                "TAG-MISSING",
                format!("there is no {name} tag: {lost}"),
            ));
        }
    }
    findings
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::Body;
    use crate::inspect::testing::{codes, mutate};
    use unilk_core::atags::Atags;
    use unilk_core::bootarg::{Bank, MetaCom};
    use unilk_core::kernel::Generation;

    fn list() -> Vec<u8> {
        let mut devinfo = [0; DEVINFO_WORDS];
        devinfo[18] = 0x200;
        devinfo[20] = 0x6572;
        let mut out = vec![0; 4096];
        let len = Atags {
            generation: Generation::JellyBean,
            boot_mode: BootMode::Normal,
            banks: &[Bank {
                base: 0x8010_0000,
                len: 0x1FF0_0000,
            }],
            dfo: &[("MD1_SIZE", 0x120_0000)],
            meta: MetaCom { kind: 0, id: 0 },
            devinfo: &devinfo,
            modem_types: None,
            cmdline: "console=tty0",
            ramdisk: Some(Bank {
                base: 0x8410_0000,
                len: 0x9_260D,
            }),
            framebuffer: Bank { base: 0, len: 0 },
        }
        .write(&mut out)
        .unwrap();
        out.truncate(len);
        out
    }

    fn says(report: &Report) -> String {
        let Body::Table { rows, .. } = &report.facts[0].body else {
            panic!("no table");
        };
        let lines = rows.iter();
        let lines = lines.map(|row| format!("{}: {}", row[0].text, row[3].text));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_tag_is_decoded() {
        let report = inspect(&list());
        assert_eq!(report.kind, Kind::Atags);
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
        assert_eq!(
            says(&report),
            "CORE: \n\
             BOOT: boot mode normal\n\
             MEM: 511 MiB from 0x80100000\n\
             DFO: MD1_SIZE=0x1200000\n\
             DEVINFO: 26 words, hardware code 0x6572, CPU bin MT6572A\n\
             CMDLINE: console=tty0\n\
             INITRD2: 585.5 KiB at 0x84100000\n\
             VIDEOLFB: no framebuffer: the kernel initialises the panel"
        );
    }

    #[test]
    fn what_is_wrong_with_a_list() {
        let good = list();
        let end = good.len() - 8;
        assert_eq!(codes(&inspect(&&good[..end])), ["TAG-END"]);
        // MEM in front of BOOT.
        let mut swapped = good.clone();
        swapped[8..20].copy_from_slice(&good[8..20]);
        let (boot, mem) = (good[8..20].to_vec(), good[20..36].to_vec());
        swapped.splice(8..36, mem.into_iter().chain(boot));
        assert_eq!(codes(&inspect(&swapped)), ["TAG-ORDER"]);
        let mut unknown = good.clone();
        unknown[24..28].copy_from_slice(&[9; 4]);
        assert_eq!(codes(&inspect(&unknown)), ["TAG-MISSING", "TAG-UNKNOWN"]);
        mutate(&good, 500, |data| {
            let _ = inspect(&data);
        });
    }
}
