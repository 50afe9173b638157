//! The log of one boot, decoded: what it says, and how much of that is to be
//! believed.

use super::line::Line;
use super::scan::Slot;
use super::trace::{Fit, Strings};
use crate::bytes::printable;
use crate::finding::Finding;
use serde::Serialize;
use unilk_core::logmem::Kind;

/// How the log's first line begins.
const FIRST: &str = "unilk ";

/// The log of one boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Boot {
    /// Where it and its copies begin in the file.
    pub places: Vec<u64>,
    /// Number of the boot since the region was first written; `None` if the
    /// slot's header is damaged.
    pub sequence: Option<u32>,
    /// Whether the boot came to the end that was meant.
    pub complete: bool,
    /// Version of the bootloader, as it said itself.
    pub version: Option<String>,
    /// Frames of the trace, decoded or not.
    pub frames: usize,
    /// Those of them that could not be decoded.
    pub undecoded: usize,
    /// Lines and decoded frames, in the order in which they were written.
    pub lines: Vec<Line>,
    /// What is wrong or doubtful.
    pub findings: Vec<Finding>,
}

/// What the frames of the trace are read with.
#[derive(Clone, Copy, Debug)]
pub enum Reading<'a> {
    /// Not at all.
    TextOnly,
    /// With the strings of the build that is checked to be the log's own.
    With(&'a Strings),
}

impl Boot {
    /// Decodes `slot`.
    pub fn of(slot: &Slot, reading: Reading<'_>) -> Self {
        let text = |data: &[u8]| Line::said(&printable(data));
        let mut boot = Self {
            places: slot.places.clone(),
            sequence: slot.sequence,
            complete: slot.complete,
            version: None,
            frames: 0,
            undecoded: 0,
            lines: Vec::new(),
            findings: Vec::new(),
        };
        boot.version = slot
            .records
            .iter()
            .filter(|record| record.kind == Kind::Text)
            .find_map(|record| Some(text(&record.data).text.strip_prefix(FIRST)?.to_owned()));
        let (fit, strings) = match reading {
            Reading::TextOnly => (None, None),
            Reading::With(strings) => match boot.check(strings) {
                Fit::Other => (Some(Fit::Other), None),
                fit => (Some(fit), Some(strings)),
            },
        };
        for record in &slot.records {
            match record.kind {
                Kind::Text => boot.lines.push(text(&record.data)),
                Kind::Defmt => {
                    boot.frames += 1;
                    let line = strings.and_then(|strings| strings.decode(&record.data));
                    boot.undecoded += usize::from(line.is_none());
                    boot.lines.extend(line);
                }
            }
        }
        boot.judge_trace(fit);
        boot.judge_slot(slot);
        boot
    }

    /// Whether `strings` are those of this boot.
    fn check(&mut self, strings: &Strings) -> Fit {
        let Some(version) = &self.version else {
            self.findings.push(Finding::warning(
                "LOG-VERSION",
                "the line with the bootloader's version is missing: whether the ELF file is that of this build is not known",
            ));
            return Fit::SameCommit;
        };
        let fit = strings.fits(version);
        self.findings.extend(match fit {
            Fit::Same => None,
            Fit::SameCommit => Some(Finding::note(
                "LOG-DIRTY",
                format!("{version} was built with uncommitted changes: builds of the same name may have other trace strings"),
            )),
            Fit::Other => Some(Finding::problem(
                "LOG-ELF",
                format!("the ELF file is of another build: its trace strings do not fit, give the one of {version}"),
            )),
        });
        fit
    }

    /// Judges what became of the frames; `fit` of the strings that they were
    /// decoded with, if any.
    fn judge_trace(&mut self, fit: Option<Fit>) {
        let (frames, undecoded) = (self.frames, self.undecoded);
        match fit {
            None if frames > 0 => {
                let of = self.version.as_deref().unwrap_or("the build that ran");
                self.findings.push(Finding::note(
                    "LOG-TRACE",
                    format!("{frames} frames of the trace are not shown: give --elf with unilk-lk of {of}"),
                ));
            }
            Some(Fit::Same) if undecoded > 0 => self.findings.push(Finding::warning(
                "LOG-FRAMES",
                format!("{undecoded} of {frames} frames of the trace cannot be decoded"),
            )),
            // Each record has its check value: one that does not decode was
            // written by another build, and the others only seem to fit.
            Some(Fit::SameCommit) if undecoded > 0 => {
                self.lines.retain(|line| !line.trace);
                self.undecoded = frames;
                self.findings.push(Finding::problem(
                    "LOG-ELF",
                    format!(
                        "{undecoded} of {frames} frames of the trace do not fit the ELF file's strings: \
                         it is of another build, and none is shown"
                    ),
                ));
            }
            _ => {}
        }
    }

    fn judge_slot(&mut self, slot: &Slot) {
        let mut find = |finding| self.findings.push(finding);
        if slot.sequence.is_none() {
            find(Finding::problem(
                "LOG-HEADER",
                "the slot's header is damaged: which boot this was, and whether it came to its end, is not known",
            ));
        } else if !slot.complete {
            find(Finding::warning(
                "LOG-DIED",
                "this boot did not come to its end: it was still running, hung, or was reset",
            ));
        }
        if slot.damaged > 0 {
            let behind = slot.records.iter().filter(|record| record.after_damage);
            let text = match (slot.damaged, behind.count()) {
                (_, 0) => "the last record is damaged and left out".to_owned(),
                (1, _) => "a stretch of records is damaged and left out".to_owned(),
                (count, _) => format!("{count} stretches of records are damaged and left out"),
            };
            find(Finding::problem("LOG-TORN", text));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trace::tests::{build, frame};
    use super::*;
    use crate::log::scan;
    use crate::progress::Silent;
    use unilk_core::logmem::Log;

    const READ: &[u8] = b"\x05\0\0\0\x04\0\0\0eMMC";

    fn memory(first: &str, number: u16) -> Vec<u8> {
        let mut memory = vec![0xA5; 8192];
        let mut log = Log::begin(&mut memory).unwrap();
        log.append(Kind::Text, first.as_bytes()).unwrap();
        log.append(Kind::Defmt, &frame(number, 2_000_000, READ))
            .unwrap();
        log.append(Kind::Text, b"[   3.000000] jump").unwrap();
        log.complete();
        memory
    }

    fn decoded(memory: &[u8], elf: Option<&str>) -> Boot {
        let strings = elf.map(|version| Strings::parse(&build(version)).unwrap());
        let reading = strings.as_ref().map_or(Reading::TextOnly, Reading::With);
        Boot::of(&scan(memory, &mut Silent).unwrap().slots[0], reading)
    }

    fn codes(boot: &Boot) -> Vec<&str> {
        boot.findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn text_and_trace_stand_in_order() {
        let boot = decoded(&memory("[   1.000000] unilk 0.1.0", 3), Some("0.1.0"));
        let lines: Vec<String> = boot.lines.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "[   1.000000] unilk 0.1.0",
                "[   2.000000]   - read: 5 bytes from eMMC",
                "[   3.000000] jump",
            ]
        );
        assert_eq!(boot.version.as_deref(), Some("0.1.0"));
        assert!(boot.complete && boot.findings.is_empty(), "{boot:?}");
    }

    #[test]
    fn without_a_file_it_is_said_which_one_is_needed() {
        let boot = decoded(&memory("[   1.000000] unilk 0.1.0+abc", 3), None);
        assert_eq!((boot.lines.len(), boot.frames, boot.undecoded), (2, 1, 1));
        assert_eq!(codes(&boot), ["LOG-TRACE"]);
        assert!(boot.findings[0].text.contains(
            "1 frames of the trace are not shown: give --elf with unilk-lk of 0.1.0+abc"
        ));
    }

    #[test]
    fn a_file_of_another_build_is_told_and_not_used() {
        let boot = decoded(&memory("[   1.000000] unilk 0.1.0+abc", 3), Some("0.1.0"));
        assert_eq!((boot.lines.len(), codes(&boot)), (2, vec!["LOG-ELF"]));
        // Of the same name, but not the same.
        let dirty = "0.1.0+abc-dirty";
        let boot = decoded(
            &memory("[   1.000000] unilk 0.1.0+abc-dirty", 9),
            Some(dirty),
        );
        assert_eq!(codes(&boot), ["LOG-DIRTY", "LOG-ELF"]);
        assert_eq!((boot.lines.len(), boot.undecoded), (2, 1));
        // Nothing to compare with.
        let boot = decoded(&memory("[   1.000000] hello", 3), Some(dirty));
        assert_eq!((boot.lines.len(), codes(&boot)), (3, vec!["LOG-VERSION"]));
    }

    #[test]
    fn any_bytes_return() {
        let strings = Strings::parse(&build("0.1.0")).unwrap();
        let seed = memory("[   1.000000] unilk 0.1.0", 3);
        crate::mutate::each(&seed[4000..], 2_000, |data| {
            for slot in scan(data, &mut Silent).unwrap().slots {
                let _ = Boot::of(&slot, Reading::TextOnly);
                let _ = Boot::of(&slot, Reading::With(&strings));
            }
        });
    }

    #[test]
    fn what_was_lost_is_told() {
        let mut slot = Slot {
            places: vec![0],
            sequence: Some(1),
            complete: false,
            records: Vec::new(),
            damaged: 1,
        };
        assert_eq!(
            codes(&Boot::of(&slot, Reading::TextOnly)),
            ["LOG-DIED", "LOG-TORN"]
        );
        slot.sequence = None;
        assert_eq!(
            codes(&Boot::of(&slot, Reading::TextOnly)),
            ["LOG-HEADER", "LOG-TORN"]
        );
    }
}
