//! A restore that was stopped: finished, or taken back.

use super::{Arguments, Place};
use crate::cli::device;
use crate::cli::output::{GOOD, Outcome, Output, Refusal};
use crate::cli::phone;
use anstream::println;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unilk::backup::archive::Archive;
use unilk::backup::journal::{Journal, State, existing};
use unilk::backup::phone::{Sameness, Statement, judge};
use unilk::backup::restore::User;
use unilk::backup::target::FileTarget;

/// What was done, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Report {
    journal: PathBuf,
    done: &'static str,
    /// The parts, and what the phone held of them before.
    parts: Vec<(String, State)>,
}

pub fn run(
    arguments: &Arguments,
    archive: &Archive,
    place: &Place,
    to: &Path,
    output: Output,
) -> Result<Outcome> {
    let path = existing(&arguments.archive).pop().with_context(|| {
        format!(
            "{} has no journal: no restore of it was begun here",
            arguments.archive.display()
        )
    })?;
    let kept = phone::archive(&path)?;
    super::refuse_damaged(&kept, output)?;
    // The tables may be half written themselves.
    let statement = Statement {
        same_phone: arguments.same_phone.as_deref(),
        tables: true,
    };
    let judged = judge(archive, &place.dump, statement).map_err(phone::explain)?;
    if judged.sameness == Sameness::Other {
        let why = judged.reasons.join("; ");
        return Err(Refusal(format!("this is another phone: {why}")).into());
    }
    let user = User {
        target: Arc::new(device::open_for_writing(to)?),
        start: place.user.start(),
    };
    let mut progress = output.progress();
    let journal = Journal::open(&kept, archive, &user).map_err(phone::explain)?;
    let parts = journal
        .states()
        .map(|(name, state)| (name.to_owned(), state))
        .collect();
    let done = if arguments.undo {
        journal.undo(&mut progress)
    } else {
        journal.resume(judged.sameness == Sameness::Same, &mut progress)
    };
    done.map_err(phone::explain)?;
    let report = Report {
        journal: path.clone(),
        done: if arguments.undo { "undone" } else { "finished" },
        parts,
    };
    output.show(&report, Report::print)?;
    Ok(Outcome::Done)
}

/// A restore that was stopped comes first.
pub fn refuse_open(path: &Path, archive: &Archive, place: &Place, to: &Path) -> Result<()> {
    let Some(last) = existing(path).pop() else {
        return Ok(());
    };
    // One that cannot be opened, or is of another phone, is in nobody's way.
    let Ok(kept) = phone::archive(&last) else {
        return Ok(());
    };
    let Ok(file) = std::fs::File::open(to) else {
        return Ok(());
    };
    let user = User {
        target: Arc::new(FileTarget::new(file, None)?),
        start: place.user.start(),
    };
    match Journal::open(&kept, archive, &user) {
        Ok(journal) if journal.is_open() => Err(Refusal(format!(
            "a restore to {} was stopped in the middle: finish it with --resume, or take it back \
             with --undo",
            to.display()
        ))
        .into()),
        _ => Ok(()),
    }
}

impl Report {
    fn print(&self) {
        for (name, state) in &self.parts {
            let held = match state {
                State::Old => "held what was there before",
                State::New => "held what the backup has",
                State::Mixed => "held some of both",
                State::Foreign => "held something else",
            };
            println!("{name:<12} {held}");
        }
        println!(
            "{GOOD}the restore is {}{GOOD:#}; its journal is {}",
            self.done,
            self.journal.display()
        );
    }
}
