//! Runs a boot and keeps what is asked of it later.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use unilk_core::hints::{self, HINTS_LEN, Hints};
use unilk_core::identify::report::{self, Report, Unit};
use unilk_core::identify::store::{self, Choice, How, SLOT_LEN};
use unilk_phone::Kind;

use crate::common::phone::Scratch;
use crate::common::{Run, TestPhone, image, lk};
use crate::plan::{Boot, Told};

/// Where a report of the bootloader may lie: its own MiB. Source: linker/lk.ld.
const OWN_MEMORY: (u32, u32) = (0x8000_0000, 0x10_0000);
/// How a report begins.
const REPORT: &[u8] = b"unilkRPT";
/// What no log of a good boot says.
const BAD_WORDS: [&str; 4] = ["TK FAIL", "STOP ", "LK-PANIC", "CPU-TRAP"];

/// What came of a boot, as far as it matters.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// What the kernel's tree says in `/chosen/unilk`.
    pub told: BTreeMap<String, String>,
    /// Nodes below controllers: `name:compatible:status:reg`.
    pub nodes: Vec<String>,
    /// Framebuffers: `reg,width,height,stride,format`.
    pub framebuffers: Vec<String>,
    /// What one sees at the end, and why.
    pub glass: (String, String),
    /// Guest errors, and the first of them.
    pub errors: (u64, Vec<String>),
    /// Lines of the log that are bad news.
    pub bad_lines: Vec<String>,
    /// A kernel ran to its end.
    pub kernel: bool,
    /// Virtual milliseconds from the loader's entry to the kernel's.
    pub took_ms: Option<u64>,
    /// Rows that fit for the same reasons as the first, best first, of those that
    /// the report lists.
    pub candidates: Vec<String>,
    /// How many more fit than the first.
    pub others: usize,
}

/// Runs it, with `board` as its board file.
pub fn run(boot: &Boot, board: &str) -> Outcome {
    let chosen = match &boot.told {
        Told::Chosen(row) => Some(row.as_str()),
        _ => None,
    };
    run_with(lk_for(&boot.told), chosen, board)
}

/// Boots this `lk.bin` on `board`, where a person may have chosen a panel before.
pub fn run_with(lk: Vec<u8>, choice: Option<&str>, board: &str) -> Outcome {
    let pictures = Scratch::new();
    let memory = Scratch::new();
    let (screen, dump) = (pictures.path().to_owned(), memory.path().join("ram"));
    let to = dump.clone();
    let phone = TestPhone::new()
        .board(board)
        .part("UBOOT", lk)
        .part("BOOTIMG", image("tk.end=off").build().unwrap())
        .allow_guest_errors()
        .change(move |phone| phone.screen(screen).dump(OWN_MEMORY.0, OWN_MEMORY.1, to));
    let phone = match choice {
        Some(row) => {
            let slots = phone.slots().start;
            phone.patch(slots, chosen(row))
        }
        None => phone,
    };
    let run = phone.run();
    if std::env::var_os("UNILK_MATRIX_SHOW").is_some() {
        println!("{board}\n{run}");
    }
    let mut outcome = look(&run);
    candidates(&dump, &mut outcome);
    outcome
}

/// Our `lk.bin` with the hint.
fn lk_for(told: &Told) -> Vec<u8> {
    let mut lk = lk();
    let Told::Name(name) = told else { return lk };
    let at = hints::find(&lk).unwrap();
    let block = Hints {
        panel: Some(name),
        ..Hints::default()
    };
    lk[at..at + HINTS_LEN].copy_from_slice(&block.build().unwrap());
    lk
}

/// A slot in which a person's choice is kept.
fn chosen(row: &str) -> Vec<u8> {
    let mut slot = [0; SLOT_LEN];
    let blank = [0; SLOT_LEN];
    let choice = Choice {
        how: How::Person,
        panel: row,
        ..Choice::EMPTY
    };
    let place = store::plan_write([&blank, &blank], &choice, &mut slot).unwrap();
    assert_eq!(place, Some(0), "blank slots are written from the first on");
    slot.to_vec()
}

/// What follows `prefix` in the lines that start with it.
fn lines<'a>(run: &'a Run, prefix: &'a str) -> impl Iterator<Item = String> + 'a {
    let lines = run.text().lines();
    lines.filter_map(move |line| Some(line.trim_end().strip_prefix(prefix)?.to_owned()))
}

fn look(run: &Run) -> Outcome {
    let pairs = lines(run, "TK unilk.");
    let told = pairs.filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    let text = run.text();
    let bad = |line: &&str| BAD_WORDS.iter().any(|word| line.contains(word));
    let events = &run.outcome.events;
    let mut glass = events.iter().filter_map(|event| match &event.kind {
        Kind::Screen { state, reason, .. } => Some((state.clone(), reason.clone())),
        _ => None,
    });
    let nothing = ("absent".into(), "no picture was taken".into());
    let at = |test: fn(&Kind) -> bool| events.iter().find(|e| test(&e.kind)).map(|e| e.t_ns);
    let entry = at(|kind| matches!(kind, Kind::LkEntry { .. }));
    let kernel = at(|kind| matches!(kind, Kind::KernelEntry { .. }));
    let errors = run.outcome.guest_errors().take(3);
    Outcome {
        told: told.collect(),
        nodes: lines(run, "TK part=").collect(),
        framebuffers: lines(run, "TK simplefb=").collect(),
        glass: glass.next_back().unwrap_or(nothing),
        errors: (
            run.outcome.error_count(),
            errors.map(ToString::to_string).collect(),
        ),
        bad_lines: text.lines().filter(bad).map(str::to_owned).collect(),
        kernel: text.contains("TK entry") && text.contains("TK end off"),
        took_ms: entry
            .zip(kernel)
            .map(|(entry, kernel)| (kernel - entry) / 1_000_000),
        ..Outcome::default()
    }
}

/// The candidates of the last whole report in memory.
fn candidates(dump: &Path, outcome: &mut Outcome) {
    let memory = std::fs::read(dump).unwrap_or_default();
    let starts = memory.windows(REPORT.len()).enumerate();
    let starts = starts.filter(|(_, bytes)| *bytes == REPORT);
    let mut reports = starts.filter_map(|(at, _)| Report::parse(&memory[at..]).ok());
    let Some(report) = reports.next_back() else {
        return;
    };
    let mut reasons = None;
    for record in report.records().filter(|record| record.unit == Unit::Panel) {
        match record.kind {
            // Lesser grounds are told too; those are no equals of the first.
            report::Kind::Candidate if *reasons.get_or_insert(record.b) == record.b => {
                let id = String::from_utf8_lossy(record.sent).into_owned();
                outcome.candidates.push(id);
            }
            report::Kind::Verdict => outcome.others = usize::from(record.a),
            _ => {}
        }
    }
}
