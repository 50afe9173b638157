//! ELF files: what a bootloader is before it is packed.
//!
//! Source: the ELF specification; `unilk_core::packed` for the marks of ours.

use super::report::{self, Facts, Report};
use super::{read, text};
use crate::finding::Finding;
use crate::mtk::LK_ADDRESS;
use crate::recognise::Kind;
use crate::source::Source;
use unilk_core::bytes::Bytes;

const HEADER_BYTES: usize = 52;
const ARM: u16 = 40;
const LOAD: u32 = 1;
/// Program headers that are looked at.
const MOST: u16 = 64;

/// What `source`, which begins with ELF's magic, holds.
pub fn look(source: &dyn Source, head: &[u8]) -> Option<Report> {
    let mut report = Report::new(Kind::Elf, source.len(), "ELF file");
    let bytes = Bytes::new(head);
    let (class, order) = (bytes.u8(4)?, bytes.u8(5)?);
    if head.len() < HEADER_BYTES {
        report.findings.push(Finding::problem(
            "ELF-CUT",
            "ends within its header: the copy was cut off",
        ));
        return Some(report);
    }
    let machine = bytes.u16(18)?;
    "No loader of this chip takes ELF files.".clone_into(&mut report.on_a_phone);
    if class != 1 || order != 1 || machine != ARM {
        report.findings.push(Finding::note(
            "ELF-MACHINE",
            "is not for 32-bit little-endian ARM: nothing for this chip",
        ));
        return Some(report);
    }
    let (kind, entry) = (bytes.u16(16)?, bytes.u32(24)?);
    let mut facts = Facts::new("elf", "ELF");
    facts.add("type", elf_type(kind));
    facts.add("entry", report::address(entry));
    let mark = mark(source, bytes, entry);
    report.facts.push(facts.into());
    match mark.as_deref() {
        Some(b"unpacked") => {
            "unilk's bootloader as it was linked (ELF)".clone_into(&mut report.summary);
            "Becomes lk.bin by `unilk pack --unpacker`; as it is, no preloader starts it."
                .clone_into(&mut report.on_a_phone);
        }
        Some(b"unilk\0\0\0") => {
            "unilk's unpacker (ELF)".clone_into(&mut report.summary);
            "Goes in front of the bootloader by `unilk pack --unpacker`."
                .clone_into(&mut report.on_a_phone);
        }
        _ if entry == LK_ADDRESS => {
            report.summary = format!(
                "ELF file for ARM, linked for a bootloader's place, {}",
                text::size(source.len())
            );
            "Becomes lk.bin by `unilk pack`; as it is, no preloader starts it."
                .clone_into(&mut report.on_a_phone);
        }
        _ => report.summary = format!("ELF file for ARM, {}", text::size(source.len())),
    }
    Some(report)
}

fn elf_type(kind: u16) -> report::Cell {
    report::meaning(
        kind,
        match kind {
            1 => "object",
            2 => "executable",
            3 => "shared or position-independent",
            4 => "core dump",
            _ => "unknown",
        },
    )
}

/// The eight bytes 0x20 behind the entry point: what images of ours bear.
fn mark(source: &dyn Source, bytes: Bytes<'_>, entry: u32) -> Option<Vec<u8>> {
    let (table, size, count) = (bytes.u32(28)?, bytes.u16(42)?, bytes.u16(44)?);
    (0..count.min(MOST)).find_map(|index| {
        let at = u64::from(table) + u64::from(index) * u64::from(size);
        let header = read::some(source, at, 32);
        let header = Bytes::new(&header);
        let (kind, offset, address, len) = (
            header.u32(0)?,
            header.u32(4)?,
            header.u32(12)?,
            header.u32(16)?,
        );
        let within = entry.checked_sub(address).filter(|&within| within < len)?;
        (kind == LOAD).then(|| {
            let at = u64::from(offset) + u64::from(within) + unilk_core::packed::HEAD as u64;
            read::some(source, at, 8)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::testing::{codes, mutate, put};

    fn elf(mark: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 0x100];
        file[..7].copy_from_slice(b"\x7fELF\x01\x01\x01");
        put(
            &mut file,
            &[
                (16, 2 | u32::from(ARM) << 16),
                (24, 0x8002_0000),
                (28, 52),
                (42, 32 | 1 << 16),
                (52, 1),
                (56, 0x80),
                (60, 0x8002_0000),
                (64, 0x8002_0000),
                (68, 0x80),
            ],
        );
        file[0xA0..0xA0 + mark.len()].copy_from_slice(mark);
        file
    }

    #[test]
    fn ours_and_others() {
        let summary = |mark: &[u8]| inspect(&elf(mark)).summary;
        assert_eq!(
            summary(b"unpacked"),
            "unilk's bootloader as it was linked (ELF)"
        );
        assert_eq!(summary(b"unilk\0\0\0"), "unilk's unpacker (ELF)");
        assert!(summary(b"other").contains("bootloader's place"));
        let mut host = elf(b"");
        host[4] = 2;
        assert_eq!(codes(&inspect(&host)), ["ELF-MACHINE"]);
        assert_eq!(codes(&inspect(&&host[..40])), ["ELF-CUT"]);
        mutate(&elf(b"unpacked"), 300, |data| {
            let _ = inspect(&data);
        });
    }
}
