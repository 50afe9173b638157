//! File-system images, by their superblocks.
//!
//! Source: the kernel's `fs/ext4` document (superblock), Microsoft's FAT
//! specification (BIOS parameter block), facts/storage-and-images.md 4.2, 10.

use super::report::{self, Facts, Report};
use super::text;
use crate::bytes::text as field_text;
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::Source;
use unilk_core::bytes::Bytes;

const SUPERBLOCK: usize = 1024;

/// What `source`, which has ext2's magic, holds.
pub fn ext(source: &dyn Source, head: &[u8]) -> Option<Report> {
    const HAS_JOURNAL: u32 = 0x4;
    const EXTENTS: u32 = 0x40;
    const BITS_64: u32 = 0x80;
    const RECOVER: u32 = 0x4;
    const METADATA_CSUM: u32 = 0x400;
    let block = Bytes::new(head.get(SUPERBLOCK..SUPERBLOCK + 1024)?);
    let word = |at| block.u32(at);
    let (compatible, incompatible, read_only) = (word(0x5C)?, word(0x60)?, word(0x64)?);
    let block_bytes = 1024u64 << word(0x18)?.min(6);
    let high = if incompatible & BITS_64 != 0 {
        u64::from(word(0x150)?) << 32
    } else {
        0
    };
    let size = (high | u64::from(word(0x04)?)).saturating_mul(block_bytes);
    let free = u64::from(word(0x0C)?).saturating_mul(block_bytes);
    let kind = match (incompatible & EXTENTS != 0, compatible & HAS_JOURNAL != 0) {
        (true, _) => "ext4",
        (false, true) => "ext3",
        (false, false) => "ext2",
    };
    let label = field_text(block.slice(0x78, 16)?);
    let mounted = field_text(block.slice(0x88, 64)?);
    let mut facts = Facts::new("filesystem", "file system");
    facts.add("type", report::text(kind));
    facts.add("filesystem_bytes", report::bytes(size));
    facts.add("free_bytes", report::bytes(free));
    facts.add("block_bytes", report::count(block_bytes));
    facts.add("label", or_none(&label));
    facts.add("last_mounted", or_none(&mounted));
    let mut report = Report::new(
        Kind::Ext,
        source.len(),
        format!("{kind} file system of {}", text::size(size)),
    );
    report.facts.push(facts.into());
    truncation(source.len(), size, &mut report);
    if incompatible & RECOVER != 0 {
        report.findings.push(Finding::note(
            "FS-JOURNAL",
            "was not unmounted: its journal is played back at the next mount",
        ));
    }
    if read_only & METADATA_CSUM != 0 {
        report.findings.push(Finding::warning(
            "FS-NEWER",
            "has checksums of metadata (metadata_csum): the vendor's 3.4 kernel cannot mount it for writing; make it with `mkfs.ext4 -O ^metadata_csum`",
        ));
    }
    report.on_a_phone = purpose(&mounted, &label);
    Some(report)
}

fn or_none(text: &str) -> report::Cell {
    if text.is_empty() {
        report::absent("none")
    } else {
        report::text(text)
    }
}

fn purpose(mounted: &str, label: &str) -> String {
    let name = if mounted.is_empty() { label } else { mounted };
    match name.trim_start_matches('/') {
        "protect_f" | "protect_s" => {
            "Holds the modem's protected files (SIM lock): part of this phone's identity, never to be written but from its own backup."
        }
        "system" => "Belongs to ANDROID, as a raw image; stock fastboot takes it for `flash system`.",
        "data" => "Belongs to USRDATA: it may hold this phone's live NVRAM files in /data/nvram.",
        "cache" => "Belongs to CACHE.",
        _ => "Kernels mount it; loaders do not look into it.",
    }
    .to_owned()
}

fn truncation(there: u64, size: u64, report: &mut Report) {
    if there < size {
        report.findings.push(Finding::problem(
            "FS-CUT",
            format!(
                "has {} of {}: the copy was cut off, a kernel would not mount it",
                text::size(there),
                text::size(size)
            ),
        ));
    }
}

/// What `source`, which begins like a FAT file system, holds.
pub fn fat(source: &dyn Source, head: &[u8]) -> Option<Report> {
    let bytes = Bytes::new(head);
    let sector = u64::from(bytes.u16(11)?);
    let sectors = match bytes.u16(19)? {
        0 => u64::from(bytes.u32(32)?),
        small => u64::from(small),
    };
    let size = sectors * sector;
    let wide = bytes.slice(82, 5) == Some(b"FAT32");
    let (label_at, type_at) = if wide { (71, 82) } else { (43, 54) };
    let label = field_text(bytes.slice(label_at, 11)?);
    let kind = field_text(bytes.slice(type_at, 8)?);
    let kind = kind.trim();
    let mut facts = Facts::new("filesystem", "file system");
    facts.add("type", report::text(kind));
    facts.add("filesystem_bytes", report::bytes(size));
    facts.add("sector_bytes", report::count(sector));
    facts.add("label", or_none(label.trim()));
    let mut report = Report::new(
        Kind::Fat,
        source.len(),
        format!(
            "{} file system of {}",
            report::printable(kind),
            text::size(size)
        ),
    );
    report.facts.push(facts.into());
    if !matches!(sector, 512 | 1024 | 2048 | 4096) {
        report.findings.push(Finding::problem(
            "FS-SECTOR",
            format!("sectors of {sector} bytes cannot be: the boot sector is damaged"),
        ));
    }
    truncation(source.len(), size, &mut report);
    "A memory card, or the FAT partition of phones that have one: kernels mount it, loaders do not look into it."
        .clone_into(&mut report.on_a_phone);
    Some(report)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::Value;
    use crate::inspect::testing::{codes, mutate, put};

    fn ext_image() -> Vec<u8> {
        let mut image = vec![0; 0x1_0000];
        put(
            &mut image,
            &[
                (1024 + 0x04, 64),
                (1024 + 0x0C, 10),
                (1024 + 0x5C, 4),
                (1024 + 0x60, 0x40),
            ],
        );
        image[1024 + 0x38..][..2].copy_from_slice(&[0x53, 0xEF]);
        image[1024 + 0x88..][..7].copy_from_slice(b"/system");
        image
    }

    fn fat_image() -> Vec<u8> {
        let mut image = vec![0; 0x1_0000];
        image[..3].copy_from_slice(&[0xEB, 0x3C, 0x90]);
        image[11..13].copy_from_slice(&512u16.to_le_bytes());
        image[19..21].copy_from_slice(&128u16.to_le_bytes());
        image[43..54].copy_from_slice(b"NO NAME    ");
        image[54..62].copy_from_slice(b"FAT16   ");
        image[510..512].copy_from_slice(&[0x55, 0xAA]);
        image
    }

    #[test]
    fn ext4_by_its_superblock() {
        let image = ext_image();
        let report = inspect(&image);
        assert_eq!(report.kind, Kind::Ext);
        assert!(codes(&report).is_empty());
        assert_eq!(report.value("filesystem", "type"), Some(&"ext4".into()));
        assert_eq!(
            report.value("filesystem", "filesystem_bytes"),
            Some(&Value::Number(0x1_0000))
        );
        assert!(report.on_a_phone.contains("ANDROID"));
        assert_eq!(codes(&inspect(&&image[..0xF000])), ["FS-CUT"]);
        let mut newer = image.clone();
        put(&mut newer, &[(1024 + 0x64, 0x400), (1024 + 0x60, 0x44)]);
        assert_eq!(codes(&inspect(&newer)), ["FS-JOURNAL", "FS-NEWER"]);
        mutate(&image, 200, |data| {
            let _ = inspect(&data);
        });
    }

    #[test]
    fn fat_by_its_boot_sector() {
        let image = fat_image();
        let report = inspect(&image);
        assert_eq!(report.kind, Kind::Fat);
        assert!(codes(&report).is_empty());
        assert_eq!(report.value("filesystem", "type"), Some(&"FAT16".into()));
        assert_eq!(codes(&inspect(&&image[..0xF000])), ["FS-CUT"]);
        mutate(&image, 200, |data| {
            let _ = inspect(&data);
        });
    }
}
