//! Android sparse images: their headers, and what is inside.
//!
//! The reader, and what it refuses, is [`crate::sparse`].

use super::Level;
use super::report::{self, Facts, Part, Report};
use super::{look as look_inside, text};
use crate::bytes::{u16_at, u32_at};
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::Source;
use crate::sparse::{self, Error};

/// What `source`, which begins with the magic, holds.
pub fn look(source: &dyn Source, head: &[u8], level: Level) -> Report {
    let mut report = Report::new(Kind::Sparse, source.len(), "Android sparse image");
    "fastboot and unilk unpack it while they flash. Raw tools (mtkclient, dd) write it as it is, which no kernel mounts: unpack it with simg2img for them."
        .clone_into(&mut report.on_a_phone);
    if let Some(facts) = fields(head) {
        report.facts.push(facts.into());
    }
    match sparse::open(source) {
        Ok(whole) => {
            report.summary = format!("Android sparse image of {}", text::size(whole.len()));
            report.parts.push(Part {
                name: "unpacked".to_owned(),
                offset: 0,
                len: whole.len(),
                report: look_inside(&whole, level.inner()),
            });
        }
        Err(why) => report
            .findings
            .push(Finding::problem(code(&why), why.to_string())),
    }
    report
}

fn fields(head: &[u8]) -> Option<Facts> {
    let mut facts = Facts::new("header", "sparse header");
    let (major, minor) = (u16_at(head, 4)?, u16_at(head, 6)?);
    facts.add("version", report::text(format!("{major}.{minor}")));
    facts.add("block_bytes", report::count(u32_at(head, 12)?));
    facts.add("blocks", report::count(u32_at(head, 16)?));
    facts.add("chunks", report::count(u32_at(head, 20)?));
    Some(facts)
}

const fn code(why: &Error) -> &'static str {
    match why {
        Error::NotSparse | Error::Version(_) | Error::Header(_) => "SPARSE-HEADER",
        Error::Chunk(..) => "SPARSE-CHUNK",
        Error::TooMany => "SPARSE-MANY",
        Error::Blocks(..) => "SPARSE-BLOCKS",
        Error::Io(_) => "SPARSE-READ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::testing::{codes, mutate};

    fn image() -> Vec<u8> {
        let mut image = Vec::new();
        image.extend(0xED26_FF3Au32.to_le_bytes());
        for half in [1u16, 0, 28, 12] {
            image.extend(half.to_le_bytes());
        }
        for word in [4096u32, 6, 3, 0] {
            image.extend(word.to_le_bytes());
        }
        let mut chunk = |kind: u16, blocks: u32, body: &[u8]| {
            image.extend(kind.to_le_bytes());
            image.extend([0; 2]);
            image.extend(blocks.to_le_bytes());
            image.extend((12 + body.len() as u32).to_le_bytes());
            image.extend(body);
        };
        chunk(0xCAC1, 2, &[0xFF; 8192]);
        chunk(0xCAC2, 1, &[0xFF; 4]);
        chunk(0xCAC2, 3, &[0xFF; 4]);
        image
    }

    #[test]
    fn what_is_inside_is_looked_at() {
        let report = inspect(&image());
        assert_eq!(report.kind, Kind::Sparse);
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
        assert_eq!(report.value("header", "chunks"), Some(&3u32.into()));
        assert_eq!(report.parts[0].len, 6 * 4096);
        assert_eq!(report.parts[0].report.kind, Kind::Blank);
    }

    #[test]
    fn damage_is_named() {
        let good = image();
        assert_eq!(codes(&inspect(&&good[..good.len() - 1])), ["SPARSE-CHUNK"]);
        assert_eq!(codes(&inspect(&&good[..20])), ["SPARSE-HEADER"]);
        let with = |at: usize, byte: u8| {
            let mut bad = good.clone();
            bad[at] = byte;
            codes(&inspect(&bad))
        };
        assert_eq!(with(4, 2), ["SPARSE-HEADER"]);
        assert_eq!(with(16, 7), ["SPARSE-BLOCKS"]);
        assert_eq!(with(28, 0), ["SPARSE-CHUNK"]);
        mutate(&good, 500, |data| {
            let _ = inspect(&data);
        });
    }
}
