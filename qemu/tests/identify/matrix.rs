//! Boots every board and compares.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use mt6572_qemu::panel::LinkMode;
use unilk_core::hints::{self, HINTS_LEN, Hints};
use unilk_phone::Kind;

use crate::common::phone::Scratch;
use crate::common::{Run, TestPhone, image, lk};
use crate::expect::{self, CERTAINTY, Expected};

/// Boards that are booted side by side.
const THREADS: usize = 2;
/// Longest virtual time from LK's entry to the kernel's.
const LIMIT_NS: u64 = 3_000_000_000;
/// The same when a person is asked who does not answer.
const ASKING_LIMIT_NS: u64 = 25_000_000_000;

/// What the kernel was told.
type Told = BTreeMap<String, String>;

#[test]
fn every_board_is_identified() {
    let wanted = std::env::var("UNILK_BOARD").unwrap_or_default();
    let mut list = expect::all();
    list.retain(|expected| expected.file.contains(&wanted));
    let began = Instant::now();
    let results = Mutex::new(BTreeMap::new());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(expected) = list.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = catch_unwind(AssertUnwindSafe(|| boot(expected)));
                    let verdict = verdict.unwrap_or_else(|_| Verdict::lost());
                    results.lock().unwrap().insert(&expected.file, verdict);
                }
            });
        }
    });
    let results = results.into_inner().unwrap();
    let mut table = String::new();
    let mut failed = 0;
    for (file, verdict) in &results {
        let _ = writeln!(table, "{file:<34} {}", verdict.line);
        failed += usize::from(!verdict.complaints.is_empty());
    }
    println!("{table}{} boards, {:?}", results.len(), began.elapsed());
    for (file, verdict) in &results {
        for complaint in &verdict.complaints {
            println!("{file}: {complaint}");
        }
    }
    assert_eq!(failed, 0, "boards that are not as expected");
}

/// What came of one board.
struct Verdict {
    line: String,
    complaints: Vec<String>,
}

impl Verdict {
    fn lost() -> Verdict {
        Verdict {
            line: "no end".into(),
            complaints: vec!["the run did not come to a good end; see above".into()],
        }
    }
}

/// Our `lk.bin` with the hints of this entry.
fn lk_for(expected: &Expected) -> Vec<u8> {
    let mut lk = lk();
    let at = hints::find(&lk).unwrap();
    let block = Hints {
        board: expected.hint_board.as_deref(),
        panel: expected.hint_panel.as_deref(),
        ..Hints::default()
    };
    lk[at..at + HINTS_LEN].copy_from_slice(&block.build().unwrap());
    lk
}

fn boot(expected: &Expected) -> Verdict {
    let pictures = Scratch::new();
    let folder = pictures.path().to_owned();
    let text = expected.text();
    // The harness supplies the name.
    let (_, board) = text.split_once("\n[dram]").unwrap();
    let run = TestPhone::new()
        .board(&format!("[dram]{board}"))
        .part("UBOOT", lk_for(expected))
        .part("BOOTIMG", image("tk.end=off").build().unwrap())
        .change(move |phone| phone.screen(folder))
        .allow_guest_errors()
        .run();
    let mut check = Check {
        expected,
        run: &run,
        told: told(&run),
        complaints: Vec::new(),
    };
    check.boot();
    check.panel();
    check.others();
    check.glass();
    let complaints = check.complaints;
    let said = |key: &str| check.told.get(key).map_or("-", String::as_str);
    let line = format!(
        "{} {}; {} {}; {}, {}; {}",
        said("panel-id"),
        said("panel-certainty"),
        said("touch"),
        said("touch-address"),
        said("camera-main"),
        said("camera-sub"),
        took(&run).map_or("no kernel".into(), |ns| format!("{} ms", ns / 1_000_000)),
    );
    if !complaints.is_empty() {
        println!("=== {}: {complaints:#?}\n{run}", expected.file);
    }
    Verdict { line, complaints }
}

/// What follows `prefix` in the lines that start with it.
fn lines<'a>(run: &'a Run, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = run.text().lines();
    lines.filter_map(move |line| line.trim_end().strip_prefix(prefix))
}

fn told(run: &Run) -> Told {
    let pairs = lines(run, "TK unilk.").filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Virtual time from LK's entry to the kernel's.
fn took(run: &Run) -> Option<u64> {
    let at = |test: fn(&Kind) -> bool| {
        let mut events = run.outcome.events.iter();
        events.find(|event| test(&event.kind)).map(|e| e.t_ns)
    };
    let entry = at(|kind| matches!(kind, Kind::LkEntry { .. }))?;
    let kernel = at(|kind| matches!(kind, Kind::KernelEntry { .. }))?;
    Some(kernel - entry)
}

/// One board's comparison.
struct Check<'a> {
    expected: &'a Expected,
    run: &'a Run,
    told: Told,
    complaints: Vec<String>,
}

impl Check<'_> {
    fn complain(&mut self, complaint: impl Into<String>) {
        self.complaints.push(complaint.into());
    }

    fn told(&self, key: &str) -> Option<String> {
        self.told.get(key).cloned()
    }

    /// The kernel was reached in bounded time, and nothing was done wrong.
    fn boot(&mut self) {
        let errors: Vec<_> = self.run.outcome.guest_errors().take(3).collect();
        if self.run.outcome.error_count() > 0 {
            let count = self.run.outcome.error_count();
            self.complain(format!("{count} guest errors: {errors:?}"));
        }
        let text = self.run.text();
        for word in ["TK entry", "TK end off"] {
            if !text.contains(word) {
                self.complain(format!("never says {word:?}"));
            }
        }
        for word in ["TK FAIL", "STOP ", "LK-PANIC", "CPU-TRAP"] {
            if let Some(line) = text.lines().find(|line| line.contains(word)) {
                self.complain(line.to_owned());
            }
        }
        let several = self.told("panel-candidates");
        let fitted = self.expected.board().panel;
        let asks = fitted.is_some_and(|panel| !panel.faults.unplugged)
            && self.told("panel-certainty").as_deref() == Some("guess")
            && several.is_some_and(|list| list.contains(','));
        let limit = if asks { ASKING_LIMIT_NS } else { LIMIT_NS };
        if let Some(ns) = took(self.run).filter(|&ns| ns > limit) {
            self.complain(format!("{} ms to the kernel", ns / 1_000_000));
        }
        for code in &self.expected.notes {
            if !text.contains(code.as_str()) {
                self.complaints.push(format!("no line has {code}"));
            }
        }
    }

    fn panel(&mut self) {
        let found = self.told("panel-id");
        let rank = |word: &str| CERTAINTY.iter().position(|known| *known == word);
        let least = rank(&self.expected.certainty);
        if let Some(rows) = &self.expected.panel {
            let good = match &found {
                Some(id) => rows.contains(id),
                None => rows.is_empty(),
            };
            if !good {
                let found = found.as_deref().unwrap_or("none");
                let complaint = format!("panel {found}, not one of {rows:?}");
                self.complain(complaint);
            }
        }
        let certainty = self.told("panel-certainty").unwrap_or("none".into());
        if rank(&certainty) < least {
            let least = &self.expected.certainty;
            let complaint = format!("panel is {certainty}, not at least {least}");
            self.complain(complaint);
        }
        let most = self.expected.at_most.as_deref();
        if most.is_some_and(|most| rank(&certainty) > rank(most)) {
            let complaint = format!("panel is {certainty}, at most {most:?} is right");
            self.complain(complaint);
        }
    }

    fn others(&mut self) {
        let expected = self.expected;
        for (key, wanted) in [
            ("touch", &expected.touch),
            ("touch-address", &expected.touch_address),
            ("camera-main", &expected.camera_main),
            ("camera-sub", &expected.camera_sub),
        ] {
            let Some(wanted) = wanted else { continue };
            let found = self.told(key);
            let good = match &found {
                Some(id) => wanted.contains(id),
                None => wanted.is_empty(),
            };
            if !good {
                let found = found.as_deref().unwrap_or("none");
                self.complain(format!("{key} {found}, not one of {wanted:?}"));
            }
        }
    }

    /// What one sees when the kernel takes over, and the framebuffer that it
    /// was told of.
    fn glass(&mut self) {
        let Some(wanted) = &self.expected.glass else {
            return;
        };
        let events = &self.run.outcome.events;
        let until = events
            .iter()
            .take_while(|event| !matches!(event.kind, Kind::KernelEntry { .. }));
        let last = until.fold(
            ("absent", "no picture was taken"),
            |last, event| match &event.kind {
                Kind::Screen { state, reason, .. } => (state.as_str(), reason.as_str()),
                _ => last,
            },
        );
        if last.0 != wanted {
            self.complain(format!("one sees {}: {}", last.0, last.1));
        }
        if wanted != "picture" {
            return;
        }
        let Some(panel) = self.expected.board().panel else {
            return;
        };
        let size = (panel.width, panel.height);
        // Nobody sends a panel with its own memory what the kernel draws.
        let video = !panel.mode.has(&LinkMode::Command);
        let shown: Vec<_> = lines(self.run, "TK simplefb=").collect();
        let fits = |line: &str| {
            let mut fields = line.split(',').skip(1);
            let mut number = || fields.next()?.parse::<u32>().ok();
            (number(), number()) == (Some(size.0), Some(size.1))
        };
        if shown.len() != usize::from(video) || !shown.iter().all(|line| fits(line)) {
            self.complain(format!("simple-framebuffer {shown:?}, not {size:?}"));
        }
    }
}
