//! U-Boot's legacy images: a header of 64 bytes with two CRC-32.
//!
//! Source: U-Boot's `include/image.h` for the fields; compared with what
//! `mkimage` writes.

use super::Level;
use super::read;
use super::report::{self, Facts, Report};
use super::{part, text};
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::Source;
use flate2::Crc;
use unilk_core::bytes::Bytes;
use unilk_core::crc32::crc32;

const HEADER_BYTES: usize = 64;

/// What `source`, which begins with the magic, holds.
pub fn look(source: &dyn Source, head: &[u8], level: Level) -> Report {
    let mut report = Report::new(Kind::UImage, source.len(), "U-Boot legacy image");
    "No loader of this chip but U-Boot takes it; for unilk pack its kernel with `unilk bootimg`."
        .clone_into(&mut report.on_a_phone);
    let Some(header) = head.get(..HEADER_BYTES) else {
        report.findings.push(Finding::problem(
            "UIMG-CUT",
            "ends within its header of 64 bytes: the copy was cut off",
        ));
        return report;
    };
    let bytes = Bytes::new(header);
    let word = |at| bytes.u32_be(at).unwrap_or(0);
    let name = crate::bytes::text(&header[32..64]);
    let len = word(12);
    report.summary = format!(
        "U-Boot legacy image \"{}\", {}",
        report::printable(&name),
        text::size(len.into())
    );
    let mut facts = Facts::new("header", "U-Boot header");
    facts.add("name", report::text(&name));
    facts.add("data_bytes", report::bytes(len));
    facts.add("load_address", report::address(word(16)));
    facts.add("entry_address", report::address(word(20)));
    facts.add("packed_with", packing(header[31]));
    facts.add("for_arm", report::flag(header[29] == 2));
    report.facts.push(facts.into());
    check(source, header, len, &mut report);
    if source.len() > HEADER_BYTES as u64 {
        report
            .parts
            .push(part(source, "data", HEADER_BYTES as u64, len.into(), level));
    }
    report
}

fn packing(code: u8) -> report::Cell {
    const NAMES: [&str; 7] = ["none", "gzip", "bzip2", "lzma", "lzo", "lz4", "zstd"];
    match NAMES.get(usize::from(code)) {
        Some(name) => report::text(name),
        None => report::absent("not known"),
    }
}

fn check(source: &dyn Source, header: &[u8], len: u32, report: &mut Report) {
    let mut blanked = [0; HEADER_BYTES];
    blanked.copy_from_slice(header);
    blanked[4..8].fill(0);
    let stored = |at| Bytes::new(header).u32_be(at);
    if stored(4) != Some(crc32(&blanked)) {
        report.findings.push(Finding::problem(
            "UIMG-HEADER",
            "check value of the header is wrong: the image is damaged",
        ));
    }
    let end = HEADER_BYTES as u64 + u64::from(len);
    if end > source.len() {
        report.findings.push(Finding::problem(
            "UIMG-CUT",
            format!(
                "ends {} before its data does: the copy was cut off",
                text::size(end - source.len())
            ),
        ));
        return;
    }
    let mut sum = Crc::new();
    let all = read::through(source, HEADER_BYTES as u64, len.into(), &mut |piece| {
        sum.update(piece);
        true
    });
    if all && stored(24) != Some(sum.sum()) {
        report.findings.push(Finding::problem(
            "UIMG-DATA",
            "check value of the data is wrong: the image is damaged",
        ));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::testing::{codes, mutate};

    fn uimage(data: &[u8]) -> Vec<u8> {
        let mut header = [0; HEADER_BYTES];
        let mut put = |at: usize, word: u32| {
            header[at..at + 4].copy_from_slice(&word.to_be_bytes());
        };
        put(0, 0x2705_1956);
        put(12, data.len() as u32);
        put(16, 0x8020_8000);
        put(24, crc32(data));
        header[28..32].copy_from_slice(&[5, 2, 2, 0]);
        header[32..44].copy_from_slice(b"Linux-3.4.67");
        let sum = crc32(&header);
        header[4..8].copy_from_slice(&sum.to_be_bytes());
        [&header[..], data].concat()
    }

    #[test]
    fn a_good_one_and_damaged_ones() {
        let good = uimage(b"kernel");
        let report = inspect(&good);
        assert_eq!(report.kind, Kind::UImage);
        assert!(codes(&report).is_empty());
        assert_eq!(report.value("header", "name"), Some(&"Linux-3.4.67".into()));
        let mut bad = good.clone();
        bad[66] ^= 1;
        assert_eq!(codes(&inspect(&bad)), ["UIMG-DATA"]);
        bad[35] ^= 1;
        assert_eq!(codes(&inspect(&bad)), ["UIMG-DATA", "UIMG-HEADER"]);
        assert_eq!(codes(&inspect(&&good[..66])), ["UIMG-CUT"]);
        assert_eq!(codes(&inspect(&&good[..60])), ["UIMG-CUT"]);
        mutate(&good, 300, |data| {
            let _ = inspect(&data);
        });
    }
}
