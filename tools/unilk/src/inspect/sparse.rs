//! Android sparse images: file systems without their holes.
//!
//! Source: AOSP's `libsparse/sparse_format.h` for the fields; compared with
//! what `img2simg` writes.

use super::read;
use super::report::{self, Facts, Report};
use super::text;
use crate::bytes::u32_at;
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::Source;
use unilk_core::bytes::Bytes;

const HEADER_BYTES: u16 = 28;
const CHUNK_HEADER_BYTES: u16 = 12;
/// Chunks that are walked; images have some thousands.
const MOST_CHUNKS: u32 = 1 << 20;

/// What a chunk is.
const KINDS: [(u16, &str); 4] = [
    (0xCAC1, "raw"),
    (0xCAC2, "fill"),
    (0xCAC3, "skip"),
    (0xCAC4, "checksum"),
];

/// What `source`, which begins with the magic, holds.
pub fn look(source: &dyn Source, head: &[u8]) -> Option<Report> {
    let mut report = Report::new(Kind::Sparse, source.len(), "Android sparse image");
    "fastboot takes it and unilk unpacks it while it flashes. Raw tools (mtkclient, dd) would write it as it is, which no kernel mounts: unpack it with simg2img first."
        .clone_into(&mut report.on_a_phone);
    let Some(header) = Header::parse(head) else {
        report.findings.push(Finding::problem(
            "SPARSE-CUT",
            "ends within its header: the copy was cut off",
        ));
        return Some(report);
    };
    let size = u64::from(header.blocks) * u64::from(header.block_bytes);
    report.summary = format!("Android sparse image of {}", text::size(size));
    header.check(&mut report);
    let mut facts = Facts::new("header", "sparse header");
    facts.add(
        "version",
        report::text(format!("{}.{}", header.version.0, header.version.1)),
    );
    facts.add("block_bytes", report::count(header.block_bytes));
    facts.add("unpacked_bytes", report::bytes(size));
    facts.add("chunks", report::count(header.chunks));
    if report.findings.is_empty() {
        let walked = walk(source, &header);
        for (index, (_, name)) in KINDS.iter().enumerate() {
            facts.add(name, report::count(walked.counts[index]));
        }
        report
            .findings
            .extend(walked.finding(&header, source.len()));
    }
    report.facts.push(facts.into());
    Some(report)
}

struct Header {
    version: (u16, u16),
    header_bytes: u16,
    chunk_header_bytes: u16,
    block_bytes: u32,
    blocks: u32,
    chunks: u32,
}

impl Header {
    fn parse(head: &[u8]) -> Option<Self> {
        let bytes = Bytes::new(head.get(..usize::from(HEADER_BYTES))?);
        Some(Self {
            version: (bytes.u16(4)?, bytes.u16(6)?),
            header_bytes: bytes.u16(8)?,
            chunk_header_bytes: bytes.u16(10)?,
            block_bytes: bytes.u32(12)?,
            blocks: bytes.u32(16)?,
            chunks: bytes.u32(20)?,
        })
    }

    fn check(&self, report: &mut Report) {
        let wrong = if self.version.0 != 1 {
            Some("version is not 1")
        } else if self.header_bytes < HEADER_BYTES || self.chunk_header_bytes < CHUNK_HEADER_BYTES {
            Some("headers are shorter than their fields")
        } else if self.block_bytes == 0 || !self.block_bytes.is_multiple_of(4) {
            Some("block size is no multiple of 4")
        } else {
            None
        };
        if let Some(why) = wrong {
            report.findings.push(Finding::problem(
                "SPARSE-HEADER",
                format!("{why}: the header is damaged, or of a version not known"),
            ));
        }
    }
}

/// What the chunks add up to.
struct Walked {
    counts: [u64; KINDS.len()],
    blocks: u64,
    /// First chunk that cannot be: its number and the reason.
    broken: Option<(u32, &'static str)>,
    end: u64,
}

fn walk(source: &dyn Source, header: &Header) -> Walked {
    let mut walked = Walked {
        counts: [0; KINDS.len()],
        blocks: 0,
        broken: None,
        end: header.header_bytes.into(),
    };
    for index in 0..header.chunks.min(MOST_CHUNKS) {
        if let Err(why) = walked.chunk(source, header) {
            walked.broken = Some((index, why));
            break;
        }
    }
    walked
}

impl Walked {
    fn chunk(&mut self, source: &dyn Source, header: &Header) -> Result<(), &'static str> {
        let bytes = read::some(source, self.end, usize::from(CHUNK_HEADER_BYTES));
        let (Some(kind), Some(blocks), Some(total)) = (
            Bytes::new(&bytes).u16(0),
            u32_at(&bytes, 4),
            u32_at(&bytes, 8),
        ) else {
            return Err("lies behind the end: the copy was cut off");
        };
        let place = KINDS.iter().position(|&(known, _)| known == kind);
        let place = place.ok_or("is of no known kind")?;
        let unpacked = u64::from(blocks) * u64::from(header.block_bytes);
        let body = u64::from(total)
            .checked_sub(header.chunk_header_bytes.into())
            .ok_or("is shorter than its header")?;
        let expected = match place {
            0 => unpacked,
            1 | 3 => 4,
            _ => 0,
        };
        if body != expected {
            return Err("has another length than its blocks need");
        }
        self.end += u64::from(total);
        if self.end > source.len() {
            return Err("ends behind the file: the copy was cut off");
        }
        self.counts[place] += 1;
        if place != 3 {
            self.blocks += u64::from(blocks);
        }
        Ok(())
    }

    fn finding(&self, header: &Header, there: u64) -> Option<Finding> {
        if let Some((index, why)) = self.broken {
            return Some(Finding::problem(
                "SPARSE-CHUNK",
                format!("chunk {index} at {:#x} {why}", self.end),
            ));
        }
        if header.chunks > MOST_CHUNKS {
            return Some(Finding::warning(
                "SPARSE-MANY",
                format!(
                    "only the first {MOST_CHUNKS} of {} chunks were looked at",
                    header.chunks
                ),
            ));
        }
        if self.blocks != u64::from(header.blocks) {
            return Some(Finding::problem(
                "SPARSE-BLOCKS",
                format!(
                    "chunks make {} blocks, the header says {}: make the image again",
                    self.blocks, header.blocks
                ),
            ));
        }
        (self.end < there).then(|| {
            Finding::note(
                "SPARSE-REST",
                format!("{} follow the last chunk", text::size(there - self.end)),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::Value;
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
        chunk(0xCAC1, 2, &[7; 8192]);
        chunk(0xCAC2, 1, &[0xFF; 4]);
        chunk(0xCAC3, 3, &[]);
        image
    }

    #[test]
    fn chunks_are_counted() {
        let report = inspect(&image());
        assert_eq!(report.kind, Kind::Sparse);
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
        assert_eq!(
            report.value("header", "unpacked_bytes"),
            Some(&Value::Number(6 * 4096))
        );
        assert_eq!(report.value("header", "skip"), Some(&Value::Number(1)));
    }

    #[test]
    fn damage_is_named() {
        let good = image();
        assert_eq!(codes(&inspect(&&good[..good.len() - 1])), ["SPARSE-CHUNK"]);
        assert_eq!(codes(&inspect(&&good[..20])), ["SPARSE-CUT"]);
        let with = |at: usize, byte: u8| {
            let mut bad = good.clone();
            bad[at] = byte;
            codes(&inspect(&bad))
        };
        assert_eq!(with(4, 2), ["SPARSE-HEADER"]);
        assert_eq!(with(16, 7), ["SPARSE-BLOCKS"]);
        assert_eq!(with(28, 0), ["SPARSE-CHUNK"]);
        assert_eq!(with(20, 2), ["SPARSE-BLOCKS"]);
        mutate(&good, 500, |data| {
            let _ = inspect(&data);
        });
    }
}
