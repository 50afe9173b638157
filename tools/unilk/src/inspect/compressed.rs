//! Packed data, as kernels and RAM disks are, and the archives inside.
//!
//! Only a little is unpacked: enough to tell whether the stream is sound at
//! its beginning and what it holds.
//!
//! Source: the formats' own documents (RFC 1952, the .xz, LZ4 frame, lzop,
//! bzip2 and Zstandard descriptions; the kernel's initramfs document).

use super::report::{self, Facts, Report};
use super::text;
use crate::bytes::u32_at;
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::{Reader, Source};
use flate2::read::GzDecoder;
use lzma_rust2::XzReader;
use std::io::Read;
use unilk_core::crc32::crc32;

/// Names and magic numbers.
const FORMATS: [(&str, &[u8]); 9] = [
    ("gzip", &[0x1F, 0x8B, 0x08]),
    ("xz", b"\xFD7zXZ\0"),
    ("lzo", b"\x89LZO\0\r\n\x1A\n"),
    ("lz4 (legacy)", &[0x02, 0x21, 0x4C, 0x18]),
    ("lz4", &[0x04, 0x22, 0x4D, 0x18]),
    ("zstd", &[0x28, 0xB5, 0x2F, 0xFD]),
    ("bzip2", b"BZh"),
    ("lzma", &[0x5D, 0, 0, 0x80, 0]),
    ("lzma", &[0x5D, 0, 0, 0, 4]),
];

/// Memory lent to unpack xz: RAM disks take 8 MiB.
const DICTIONARY_KIB: u32 = 16 << 10;
/// Bytes that are unpacked to see what is inside.
const PEEK: usize = 4096;

/// How what begins with `head` is packed.
fn packing(head: &[u8]) -> Option<&'static str> {
    FORMATS
        .iter()
        .find(|(_, magic)| head.starts_with(magic))
        .map(|&(name, _)| name)
}

/// How the kernel somewhere in `code` is packed, and where it begins. Short magic numbers turn up
/// by chance: of gzip, xz and bzip2, more of the header is compared.
pub fn find(code: &[u8]) -> Option<(&'static str, usize)> {
    let sure = |there: &[u8], name: &str| match name {
        "gzip" => there.get(3..8) == Some(&[0; 5]),
        // The magic alone stands in every decompressor, to compare with.
        "xz" => there.get(6..8).map(crc32) == u32_at(there, 8),
        "bzip2" => there.get(4..10) == Some(&[0x31, 0x41, 0x59, 0x26, 0x53, 0x59]),
        _ => true,
    };
    (0..code.len()).find_map(|at| {
        let there = &code[at..];
        let name = packing(there).filter(|name| sure(there, name))?;
        Some((name, at))
    })
}

/// What `source`, which begins with one of the magic numbers, holds.
pub fn look(source: &dyn Source, head: &[u8]) -> Option<Report> {
    let name = packing(head)?;
    let mut report = Report::new(Kind::Compressed, source.len(), "");
    let mut facts = Facts::new("packed", "packed data");
    facts.add("packed_with", report::text(name));
    let mut inside = None;
    if let Some(result) = peek(source, name) {
        match result {
            Ok(start) => inside = content(&start),
            Err(why) => report.findings.push(Finding::problem(
                "PACK-DATA",
                format!("cannot be unpacked ({why}): it is damaged or cut off"),
            )),
        }
    }
    facts.maybe("holds", inside.map(report::text));
    if name == "gzip"
        && let Some(len) = gzip_len(source)
    {
        facts.add("unpacked_bytes", report::bytes(len));
    }
    report.summary = match inside {
        Some(inside) => format!("{inside}, packed with {name}"),
        None => format!("data packed with {name}"),
    };
    report.facts.push(facts.into());
    let on_a_phone = if inside == Some(CPIO) {
        "A RAM disk: part of a boot image, which `unilk bootimg` makes. Not to be flashed by itself."
    } else {
        "Not to be flashed as it is: no loader of this chip unpacks it."
    };
    on_a_phone.clone_into(&mut report.on_a_phone);
    Some(report)
}

const CPIO: &str = "cpio archive (RAM disk)";

/// The first bytes that `source` unpacks to, if this program knows how.
fn peek(source: &dyn Source, name: &str) -> Option<std::io::Result<Vec<u8>>> {
    let reader = Reader::new(source);
    let mut start = Vec::new();
    let most = PEEK as u64;
    let result = match name {
        "gzip" => GzDecoder::new(reader).take(most).read_to_end(&mut start),
        "xz" => XzReader::new_mem_limit(reader, false, DICTIONARY_KIB)
            .take(most)
            .read_to_end(&mut start),
        _ => return None,
    };
    match result {
        // A dictionary larger than we lend is no damage.
        Err(why) if why.kind() == std::io::ErrorKind::OutOfMemory => None,
        result => Some(result.map(|_| start)),
    }
}

/// What unpacked data is, by its first bytes.
fn content(start: &[u8]) -> Option<&'static str> {
    let kernel = |mark: &[u8]| start.windows(mark.len()).any(|there| there == mark);
    if start.starts_with(b"070701") || start.starts_with(b"070702") {
        Some(CPIO)
    } else if start.get(257..262) == Some(b"ustar") {
        Some("tar archive")
    } else if start.starts_with(&[0xD0, 0x0D, 0xFE, 0xED]) {
        Some("device tree")
    } else if kernel(b"Linux version") {
        Some("Linux kernel")
    } else {
        None
    }
}

/// The length of the unpacked data, modulo 4 GiB, as it stands in the last
/// four bytes; not where something follows the stream.
fn gzip_len(source: &dyn Source) -> Option<u32> {
    let at = source.len().checked_sub(4)?;
    let tail: [u8; 4] = super::read::some(source, at, 4).try_into().ok()?;
    let len = u32::from_le_bytes(tail);
    // No stream packs better than 1032:1, none of use grows.
    let packed = source.len();
    let plausible = u64::from(len) <= packed.saturating_mul(1032) && u64::from(len) + 64 >= packed;
    plausible.then_some(len)
}

/// What `source`, a cpio archive, holds: the first names in it.
pub fn cpio(source: &dyn Source, head: &[u8]) -> Report {
    /// Names that are shown.
    const SHOWN: usize = 12;
    let mut report = Report::new(
        Kind::Cpio,
        source.len(),
        format!("cpio archive, {}", text::size(source.len())),
    );
    let mut names = Vec::new();
    let mut at = 0;
    while let Some((name, next)) = entry(head, at) {
        if name == "TRAILER!!!" || names.len() == SHOWN {
            break;
        }
        names.push(name);
        at = next;
    }
    let mut facts = Facts::new("archive", "archive");
    if names.is_empty() {
        facts.add("first_names", report::absent("none: it is empty"));
    } else {
        facts.add("first_names", report::list(names));
    }
    report.facts.push(facts.into());
    "A RAM disk that is not packed: part of a boot image, which `unilk bootimg` makes."
        .clone_into(&mut report.on_a_phone);
    report
}

/// Name of the member at `at`, and where the next begins.
fn entry(data: &[u8], at: usize) -> Option<(String, usize)> {
    const HEADER: usize = 110;
    let header = data.get(at..at.checked_add(HEADER)?)?;
    matches!(&header[..6], b"070701" | b"070702").then_some(())?;
    let field = |index: usize| {
        let digits = std::str::from_utf8(&header[6 + 8 * index..14 + 8 * index]).ok()?;
        usize::from_str_radix(digits, 16).ok()
    };
    let (file, name) = (field(6)?, field(11)?);
    let name_at = at + HEADER;
    let bytes = data.get(name_at..name_at.checked_add(name)?)?;
    let body = (name_at + name).next_multiple_of(4);
    let next = body.checked_add(file)?.checked_next_multiple_of(4)?;
    Some((crate::bytes::text(bytes), next))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::Value;
    use crate::inspect::testing::{codes, mutate};
    use std::io::Write as _;

    fn archive() -> Vec<u8> {
        let mut all = Vec::new();
        for (name, body) in [("init", &b"#!/bin/sh\n"[..]), ("TRAILER!!!", b"")] {
            let mut member = format!(
                "070701{:08x}{:08x}{}{:08x}{}{:08x}{:08x}",
                1,
                0o100_755,
                "00000000".repeat(4),
                body.len(),
                "00000000".repeat(4),
                name.len() + 1,
                0
            )
            .into_bytes();
            member.extend_from_slice(name.as_bytes());
            member.push(0);
            member.resize(member.len().next_multiple_of(4), 0);
            member.extend_from_slice(body);
            member.resize(member.len().next_multiple_of(4), 0);
            all.extend(member);
        }
        all
    }

    /// A small RAM disk.
    pub fn ramdisk() -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&archive()).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn a_ram_disk_is_known_through_its_packing() {
        let report = inspect(&ramdisk());
        assert_eq!(report.kind, Kind::Compressed);
        assert!(codes(&report).is_empty());
        assert_eq!(report.value("packed", "holds"), Some(&CPIO.into()));
        assert_eq!(
            report.value("packed", "unpacked_bytes"),
            Some(&Value::Number(archive().len() as u64))
        );
        let mut packer =
            lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).unwrap();
        packer.write_all(&archive()).unwrap();
        let report = inspect(&packer.finish().unwrap());
        assert_eq!(report.value("packed", "holds"), Some(&CPIO.into()));
    }

    #[test]
    fn an_archive_lists_its_first_names() {
        let report = inspect(&archive());
        assert_eq!(
            report.value("archive", "first_names"),
            Some(&Value::List(vec!["init".to_owned()]))
        );
        mutate(&archive(), 300, |data| {
            let _ = inspect(&data);
        });
    }

    #[test]
    fn a_damaged_stream_is_a_problem() {
        let mut bad = ramdisk();
        bad[12] ^= 0xFF;
        assert_eq!(codes(&inspect(&bad)), ["PACK-DATA"]);
        let good = ramdisk();
        assert_eq!(codes(&inspect(&&good[..20])), ["PACK-DATA"]);
        mutate(&ramdisk(), 300, |data| {
            let _ = inspect(&data);
        });
    }
}
