//! The identification report of a boot: found in any file, decoded, shown.
//!
//! The phone keeps it in RAM and hands it to the kernel as
//! `/chosen/unilk/report`, so that it turns up in dumps of memory, in flattened
//! device trees and as a file of its own. The format and its check are the
//! bootloader's (`unilk_core::identify::report`); here it becomes text, JSON
//! and the beginning of a new row for the driver table.

pub mod choice;
mod entry;
mod identified;
pub mod near;
mod notes;
mod rows;
mod table;

use crate::bytes::u32_at;
pub use entry::Hex;
use entry::{Entry, What};
use serde::Serialize;
use std::io::{self, Read};
use unilk_core::Code as _;
use unilk_core::identify::report::{HEADER, Report, ReportError};

pub use identified::Identified;
pub use rows::{NewRow, Unknown};

/// How a report begins.
const MAGIC: &[u8] = b"unilkRPT";
/// Longest report that is looked for: far more than a boot's questions.
const LONGEST: usize = 256 * 1024;
/// Most reports of one file, and most places that begin like one and are
/// looked at closely: a file that is made of nothing else must not take hours.
const MOST_REPORTS: usize = 64;
const MOST_LOOKS: usize = 4096;
/// Bytes that are searched at a time.
const CHUNK: usize = 4 << 20;

/// A whole report somewhere in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it and its copies begin.
    pub places: Vec<u64>,
    bytes: Vec<u8>,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Scan {
    /// Whole reports, in the order of their first place. Copies are one, and
    /// so is a report with what it was earlier in the same boot.
    pub found: Vec<Found>,
    /// What begins like a report and is none: place and reason.
    pub refused: Vec<(u64, ReportError)>,
    /// Not all of the file was searched: it holds too much that begins like a
    /// report.
    pub cut_short: bool,
}

/// Looks for reports in `file`, of any size.
///
/// # Errors
/// The file cannot be read.
pub fn scan(mut file: impl Read) -> io::Result<Scan> {
    let mut scan = Scan::default();
    let mut window = Vec::new();
    let (mut base, mut looks) = (0, 0);
    loop {
        let missing = (CHUNK + LONGEST - window.len()) as u64;
        let read = file.by_ref().take(missing).read_to_end(&mut window)?;
        let last = (read as u64) < missing;
        let starts = if last {
            window.len()
        } else {
            CHUNK.min(window.len())
        };
        let mut at = 0;
        while let Some(next) = next_magic(&window, at, starts) {
            looks += 1;
            if looks > MOST_LOOKS || scan.found.len() >= MOST_REPORTS {
                scan.cut_short = true;
                return Ok(scan);
            }
            scan.look(&window[next..], base + next as u64);
            at = next + 1;
        }
        if last {
            return Ok(scan);
        }
        window.drain(..starts);
        base += starts as u64;
    }
}

/// The first place from `at` on, before `end`, at which a report may begin.
fn next_magic(window: &[u8], mut at: usize, end: usize) -> Option<usize> {
    loop {
        let step = window.get(at..end)?.iter().position(|&b| b == MAGIC[0])?;
        at += step;
        if window[at..].starts_with(MAGIC) {
            return Some(at);
        }
        at += 1;
    }
}

impl Scan {
    /// Takes what begins at `place` of the file with `data`.
    fn look(&mut self, data: &[u8], place: u64) {
        if let Err(why) = Report::parse(data) {
            self.refused.push((place, why));
            return;
        }
        let len = u32_at(data, 12).map_or(0, |len| len as usize);
        let bytes = data.get(..HEADER + len).unwrap_or_default();
        for known in &mut self.found {
            if bytes[HEADER..].starts_with(&known.bytes[HEADER..]) {
                known.bytes = bytes.to_vec();
                known.places.push(place);
                return;
            }
            if known.bytes[HEADER..].starts_with(&bytes[HEADER..]) {
                known.places.push(place);
                return;
            }
        }
        self.found.push(Found {
            places: vec![place],
            bytes: bytes.to_vec(),
        });
    }

    /// Why there is nothing to show, in a sentence with its remedy.
    pub fn refusal(&self) -> Option<String> {
        if !self.found.is_empty() {
            return None;
        }
        // Another version is worth more than damage: it says what to do.
        let version = |(_, why): &&(u64, ReportError)| matches!(why, ReportError::Version { .. });
        let first = self.refused.iter().find(version);
        if let Some((place, why)) = first.or(self.refused.first()) {
            return Some(format!("{} at {place:#x}: {why}", why.code()));
        }
        let why = ReportError::Magic;
        Some(format!("{} {why}", why.code()))
    }
}

/// A report, decoded.
#[derive(Debug, Serialize)]
pub struct View {
    /// Where it and its copies begin in the file.
    places: Vec<u64>,
    /// Records that found no room on the phone.
    lost: u16,
    /// Everything that was asked and concluded, in order.
    records: Vec<Entry>,
    /// What answered and the table does not know.
    pub unknown: Vec<Unknown>,
}

impl Found {
    /// The report, decoded.
    pub fn view(&self) -> View {
        // It was whole when it was found.
        let report = Report::parse(&self.bytes).ok();
        let mut records: Vec<Entry> = report
            .iter()
            .flat_map(Report::records)
            .map(|record| Entry::of(&record))
            .collect();
        notes::explain(&mut records);
        View {
            places: self.places.clone(),
            lost: report.map_or(0, |report| report.lost),
            unknown: rows::of(&records),
            records,
        }
    }
}

impl View {
    /// Microseconds that a unit's transfers took on its bus, all together.
    pub fn bus_us(&self, unit: &str) -> u64 {
        let of_unit = self.records.iter().filter(|entry| entry.unit == unit);
        of_unit.filter_map(|entry| entry.what.took_us()).sum()
    }

    /// Reads and resets of the panel.
    pub fn panel_effort(&self) -> (usize, usize) {
        let count = |test: fn(&What) -> bool| {
            let panel = self.records.iter().filter(|entry| entry.unit == "panel");
            panel.filter(|entry| test(&entry.what)).count()
        };
        (
            count(|what| matches!(what, What::Read { .. })),
            count(|what| matches!(what, What::Reset { .. })),
        )
    }

    /// When a unit's first and last question was noted, in µs of the boot.
    pub fn span_us(&self, unit: &str) -> Option<(u32, u32)> {
        let mut times = self
            .records
            .iter()
            .filter(|entry| entry.unit == unit && entry.what.is_question())
            .map(|entry| entry.at_us);
        let first = times.next()?;
        Some((first, times.next_back().unwrap_or(first)))
    }

    /// Who won, and how sure that is: the table's id and the word.
    pub fn winner(&self, unit: &str) -> Option<(&str, &str)> {
        let verdicts = self.records.iter().filter(|entry| entry.unit == unit);
        verdicts.rev().find_map(|entry| match &entry.what {
            What::Verdict {
                winner: Some(winner),
                certainty,
                ..
            } if *certainty != "none" => Some((winner.as_str(), *certainty)),
            _ => None,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use unilk_core::identify::report::{Builder, Kind, Record, Unit};

    /// A report with these records.
    pub(crate) fn build(records: &[Record<'_>]) -> Vec<u8> {
        let mut room = vec![0; 8192];
        let mut builder = Builder::new(&mut room);
        for record in records {
            builder.push(record);
        }
        builder.finish().to_vec()
    }

    pub(crate) fn view(records: &[Record<'_>]) -> View {
        let scan = scan(build(records).as_slice()).unwrap();
        scan.found[0].view()
    }

    fn read(at_us: u32) -> Record<'static> {
        Record {
            unit: Unit::Panel,
            a: 2,
            b: 300,
            sent: &[0x06, 0xDA],
            got: &[0x98, 0x06],
            ..Record::new(Kind::Read, at_us)
        }
    }

    #[test]
    fn a_report_is_found_anywhere_and_its_copies_are_one() {
        let report = build(&[read(1), read(2)]);
        let earlier = build(&[read(1)]);
        // One across each border of what is read at a time, the magic alone
        // before them.
        let mut dump = vec![0xA5; CHUNK - 30];
        dump[100..108].copy_from_slice(MAGIC);
        dump.extend(&earlier);
        dump.resize(CHUNK + LONGEST - 30, 0);
        dump.extend(&report);
        let second = dump.len() as u64;
        dump.extend(&report);
        let scan = scan(dump.as_slice()).unwrap();
        assert_eq!(scan.found.len(), 1);
        let places = [(CHUNK - 30) as u64, second - report.len() as u64, second];
        assert_eq!(scan.found[0].places, places);
        assert_eq!(scan.found[0].bytes, report);
        assert_eq!(scan.refused.len(), 1);
        assert_eq!(scan.refusal(), None);
    }

    #[test]
    fn a_file_made_of_beginnings_ends_soon() {
        let scan = scan(MAGIC.repeat(100_000).as_slice()).unwrap();
        assert!(scan.cut_short && scan.found.is_empty());
        assert!(scan.refused.len() <= MOST_LOOKS);
    }

    #[test]
    fn any_bytes_return() {
        let note = |unit, code: &'static [u8]| Record {
            unit,
            sent: code,
            ..Record::new(Kind::Note, 0)
        };
        let transfer = |unit, sent: &'static [u8]| Record {
            unit,
            a: 0x38,
            sent,
            got: &[1, 2],
            ..Record::new(Kind::I2c, 0)
        };
        let seed = build(&[
            read(1),
            note(Unit::Panel, b"LCM-NEW"),
            transfer(Unit::Touch, &[0xA3]),
            note(Unit::Touch, b"TP-NEW"),
            transfer(Unit::MainCamera, &[0x30, 0x0A]),
            note(Unit::MainCamera, b"CAM-NEW"),
        ]);
        crate::mutate::each(&seed, 300, |data| {
            // With the right check value: what is said must not matter.
            let mut data = data.to_vec();
            if data.len() > HEADER {
                let len = (data.len() - HEADER) as u32;
                data[..10].copy_from_slice(b"unilkRPT\x01\0");
                data[12..16].copy_from_slice(&len.to_le_bytes());
                let crc = unilk_core::crc32::Crc32::new().update(&data[8..16]);
                let crc = crc.update(&data[HEADER..]).value();
                data[16..20].copy_from_slice(&crc.to_le_bytes());
            }
            for found in scan(data.as_slice()).unwrap().found {
                let _ = found.view().to_string();
                let _ = found.identified();
            }
        });
    }

    #[test]
    fn reports_of_different_boots_are_all_found() {
        let mut dump = build(&[read(1)]);
        dump.extend([0; 99]);
        dump.extend(build(&[read(7), read(8)]));
        assert_eq!(scan(dump.as_slice()).unwrap().found.len(), 2);
    }

    #[test]
    fn what_is_no_report_is_refused_with_a_remedy() {
        let refusal = |data: &[u8]| scan(data).unwrap().refusal().unwrap();
        assert!(refusal(b"").starts_with("RPT-MAGIC"), "{}", refusal(b""));
        assert!(refusal(&[0xFF; 5000]).contains("boot the phone once"));
        let good = build(&[read(1), read(2)]);
        for cut in [8, 12, HEADER, good.len() - 1] {
            let why = refusal(&good[..cut]);
            assert!(why.starts_with("RPT-CRC at 0x0"), "{cut}: {why}");
        }
        let mut newer = good.clone();
        newer[8] = 9;
        let mut both = good[..30].to_vec();
        both.extend(&newer);
        let why = refusal(&both);
        assert!(why.starts_with("RPT-VER at 0x1e"), "{why}");
        let mut damaged = good;
        damaged[HEADER + 3] ^= 1;
        assert!(refusal(&damaged).contains("read it again"));
    }

    #[test]
    fn effort_and_times_are_summed_up() {
        let view = view(&[
            Record {
                unit: Unit::Panel,
                a: 10,
                b: 6,
                ..Record::new(Kind::Reset, 1000)
            },
            read(17_000),
            read(18_000),
            Record {
                unit: Unit::Panel,
                status: 3,
                sent: b"ili9806e",
                ..Record::new(Kind::Verdict, 900_000)
            },
        ]);
        assert_eq!(view.panel_effort(), (2, 1));
        assert_eq!(view.bus_us("panel"), 600);
        assert_eq!(view.span_us("panel"), Some((1000, 18_000)));
        assert_eq!(view.span_us("touch"), None);
        assert_eq!(view.winner("panel"), Some(("ili9806e", "certain")));
        assert_eq!(view.winner("touch"), None);
    }
}
