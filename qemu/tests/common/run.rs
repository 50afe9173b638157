//! What came of a run, and what a test can ask of it. Every complaint shows
//! the whole run: serial output, events, QEMU's words.

use std::ops::Range;

use unilk_phone::{Kind, Outcome, Stop};

use super::phone::Scratch;

/// Longest virtual time of a run that ends as it should: the longest way is
/// a card that never answers, half a minute of patience and a power-off.
pub const VIRTUAL_LIMIT_NS: u64 = 75_000_000_000;

/// A finished run.
pub struct Run {
    /// Everything that was recorded.
    pub outcome: Outcome,
    /// Card, board file and dumps, until the run is dropped.
    pub folder: Scratch,
    /// Bytes of the user area in which the boot may remember what it found.
    pub slots: Range<u64>,
}

impl Run {
    /// A run that came to its end by itself and in bounded virtual time, was
    /// recorded up to its last line, and in which nothing that the guest did
    /// was an error, unless `errors_allowed`.
    #[track_caller]
    pub fn new(outcome: Outcome, folder: Scratch, slots: Range<u64>, errors_allowed: bool) -> Run {
        let run = Run {
            outcome,
            folder,
            slots,
        };
        run.check(run.outcome.stop != Stop::Limit, "it hangs");
        if run.outcome.stop == Stop::Ended {
            let end = run.outcome.end().map(|event| event.t_ns);
            run.check(end.is_some(), "the phone has no end");
            run.check(
                end.is_some_and(|t_ns| t_ns < VIRTUAL_LIMIT_NS),
                "it takes too long",
            );
        }
        // Without its last line the list may lack the errors that it counts.
        let recorded = run.outcome.saw(|kind| matches!(kind, Kind::Exit { .. }));
        run.check(recorded, "the list of events has no end");
        if !errors_allowed {
            run.is_clean();
        }
        run
    }

    /// All lines of the log port: the first, unless nothing was said there.
    pub fn text(&self) -> &str {
        let [first, second] = &self.outcome.serial;
        if first.is_empty() { second } else { first }
    }

    /// Asserts that one line has all of these words.
    #[track_caller]
    pub fn says(&self, words: &[&str]) -> &Run {
        let found = self
            .text()
            .lines()
            .any(|line| words.iter().all(|word| line.contains(word)));
        self.check(found, &format!("no line has {words:?}"));
        self
    }

    /// Asserts that no line has this text.
    #[track_caller]
    pub fn never_says(&self, text: &str) -> &Run {
        self.check(!self.text().contains(text), &format!("a line has {text:?}"));
        self
    }

    /// Asserts that nothing that the guest did was an error.
    #[track_caller]
    pub fn is_clean(&self) -> &Run {
        let count = self.outcome.error_count();
        self.check(count == 0, &format!("{count} guest errors"));
        self
    }

    /// Asserts that the test kernel of this partition ran and found nothing
    /// to complain about, after which the phone was switched off.
    #[track_caller]
    pub fn boots(&self, partition: &str) -> &Run {
        let image = format!("tk.image={}", partition.to_lowercase());
        self.says(&["TK ", &image]);
        self.ends_in_kernel()
    }

    /// Asserts that a test kernel ran to its power-off.
    #[track_caller]
    pub fn ends_in_kernel(&self) -> &Run {
        self.says(&["TK entry"]).says(&["TK end off"]);
        self.never_says("TK FAIL").never_says("STOP");
        self.is_clean();
        self.is_off()
    }

    /// Asserts that no kernel ran and that the bootloader stopped for `code`.
    #[track_caller]
    pub fn stops(&self, code: &str) -> &Run {
        self.says(&["STOP ", code]);
        self.never_says("TK ").never_says("LK-PANIC");
        self.never_says("CPU-TRAP");
        let ran = self
            .outcome
            .saw(|kind| matches!(kind, Kind::KernelEntry { .. }));
        self.check(!ran, "a kernel ran");
        self
    }

    /// Asserts that the phone was switched off at the end.
    #[track_caller]
    pub fn is_off(&self) -> &Run {
        let off = self
            .outcome
            .saw(|kind| matches!(kind, Kind::PowerOff { .. }));
        self.check(off, "it was not switched off");
        self
    }

    /// Asserts that the phone waits for a host in `by` at the end: "boot-rom"
    /// or "preloader".
    #[track_caller]
    pub fn waits_for_usb(&self, by: &str) -> &Run {
        let waits = self
            .outcome
            .saw(|kind| matches!(kind, Kind::UsbDownload { by: who, .. } if who == by));
        self.check(waits, &format!("the {by} does not wait for a host"));
        self
    }

    /// How often it was reset for this reason: "watchdog" or "software reset".
    pub fn resets(&self, why: &str) -> usize {
        let resets = self.outcome.events.iter();
        resets
            .filter(|event| matches!(&event.kind, Kind::Reset { why: found } if found == why))
            .count()
    }

    /// Virtual time of the end in milliseconds after power-on.
    pub fn end_ms(&self) -> u64 {
        self.outcome.end().map_or(0, |event| event.t_ns / 1_000_000)
    }

    /// Complains with everything that is known if `good` is false.
    #[track_caller]
    pub fn check(&self, good: bool, complaint: &str) {
        assert!(good, "{complaint}\n{self}");
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Outcome {
            serial,
            events,
            stop,
            stderr,
            wall,
            ..
        } = &self.outcome;
        writeln!(f, "--- {stop:?} after {wall:?}")?;
        for (port, text) in serial
            .iter()
            .enumerate()
            .filter(|(_, text)| !text.is_empty())
        {
            writeln!(f, "--- UART{port}\n{}", text.replace('\r', ""))?;
        }
        writeln!(f, "--- events")?;
        for event in events.iter().take(60) {
            match &event.kind {
                Kind::GuestError(fault) => writeln!(f, "{:>12} guest error: {fault}", event.t_ns)?,
                kind => writeln!(f, "{:>12} {kind:?}", event.t_ns)?,
            }
        }
        if events.len() > 60 {
            writeln!(f, "... and {} more", events.len() - 60)?;
        }
        writeln!(f, "--- standard error\n{stderr}")
    }
}
