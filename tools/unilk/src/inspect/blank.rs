//! Blank data, and what can be said of data of no known format.
//!
//! Source: facts/storage-and-images.md 4.6, 4.7 (how a lost NVRAM looks).

use super::Level;
use super::report::{self, Cell, Facts, Report};
use super::{read, text};
use crate::recognise::Kind;
use crate::source::Source;

/// So much is read to make sure; of a part of something larger, less.
const MOST: u64 = 64 << 20;
const MOST_OF_PART: u64 = 16 << 20;

/// `source`, which begins blank, if it is blank all through.
pub fn look(source: &dyn Source, level: Level) -> Option<Report> {
    let most = if level.is_file() { MOST } else { MOST_OF_PART };
    let fill = *read::some(source, 0, 1).first()?;
    let blank = read::through(source, 0, most, &mut |piece| {
        piece.iter().all(|&byte| byte == fill)
    });
    blank.then_some(())?;
    let size = text::size(source.len());
    let summary = if source.len() > most {
        format!(
            "blank, as far as was looked: {} of {size}",
            text::size(most)
        )
    } else {
        format!("blank: {size} of {fill:#04x}")
    };
    let mut report = Report::new(Kind::Blank, source.len(), summary);
    let mut facts = Facts::new("content", "content");
    facts.add("fill", report::hex(fill));
    report.facts.push(facts.into());
    "Right for MISC, EXPDB and unused partitions. An NVRAM or PRO_INFO that looks like this has lost the phone's identity: restore this phone's own backup; a blank UBOOT leaves the phone in the preloader's USB mode."
        .clone_into(&mut report.on_a_phone);
    Some(report)
}

/// What bytes of no known format look like: text, code, packed or encrypted.
pub fn texture(head: &[u8]) -> Option<Cell> {
    /// Fewer say nothing.
    const LEAST: usize = 64;
    if head.len() < LEAST {
        return None;
    }
    let mut counts = [0u32; 256];
    for &byte in head {
        counts[usize::from(byte)] += 1;
    }
    let total = head.len() as f64;
    let entropy: f64 = counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| {
            let share = f64::from(count) / total;
            -share * share.log2()
        })
        .sum();
    let printable = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7E);
    let letters = head.iter().filter(|byte| printable(byte)).count();
    // ARM code: every fourth byte has the condition "always".
    let always = head
        .chunks_exact(4)
        .filter(|word| word[3] >> 4 == 0xE)
        .count();
    let zeros = counts[0] as usize;
    Some(report::text(if letters == head.len() {
        "text"
    } else if always * 8 > head.len() {
        "ARM code"
    } else if entropy > 7.8 && head.len() >= 4096 {
        "packed, encrypted or random data"
    } else if zeros * 4 > head.len() * 3 {
        "mostly zeros"
    } else {
        "structured data"
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::inspect;

    #[test]
    fn blank_is_blank_to_the_end() {
        assert_eq!(inspect(&vec![0u8; 1 << 20]).kind, Kind::Blank);
        assert_eq!(inspect(&vec![0xFFu8; 100]).kind, Kind::Blank);
        let mut data = vec![0u8; 1 << 20];
        data[900_000] = 1;
        assert_eq!(inspect(&data).kind, Kind::Unknown);
        assert_eq!(inspect(&Vec::new()).kind, Kind::Unknown);
        assert!(inspect(&Vec::new()).has("EMPTY"));
    }

    #[test]
    fn textures() {
        let of = |data: &[u8]| texture(data).map(|cell| cell.text);
        assert_eq!(of(b"too short"), None);
        assert_eq!(
            of(&b"words and words. ".repeat(10)).as_deref(),
            Some("text")
        );
        assert_eq!(
            of(&[0, 0, 0xA0, 0xE1].repeat(64)).as_deref(),
            Some("ARM code")
        );
        let random: Vec<u8> = (0..65536u32)
            .map(|at| (at.wrapping_mul(0x9E37_79B9) >> 13) as u8)
            .collect();
        assert_eq!(
            of(&random).as_deref(),
            Some("packed, encrypted or random data")
        );
    }
}
