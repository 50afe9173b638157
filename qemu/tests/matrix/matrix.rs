//! Boots them all, or a tenth, and counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use crate::boot::{self, Outcome};
use crate::data;
use crate::judge::{self, Standing};
use crate::known::Explained;
use crate::plan::{self, Boot, Told};
use crate::record::Records;

/// Of a hundred boots so many must pass.
const LEAST_PERCENT: usize = 98;
/// How often a line says how far it is.
const NOTICE: Duration = Duration::from_mins(1);

/// A boot and what came of it; `None`: the run itself failed.
type Finished = (&'static Boot, Option<Outcome>);

#[test]
fn every_row_of_the_facts_boots() {
    let only = std::env::var("UNILK_MATRIX_ONLY").unwrap_or_default();
    let full = std::env::var("UNILK_MATRIX").is_ok_and(|word| word == "full");
    let wanted = |boot: &&Boot| {
        if only.is_empty() {
            full || boot.chosen
        } else {
            boot.name.contains(&only)
        }
    };
    let list: Vec<&'static Boot> = plan::boots().iter().filter(wanted).collect();
    let began = Instant::now();
    let records = Records::open();
    let finished = run(&list, &records, only.is_empty());
    report(&finished, &records);
    let failed = failures(&finished);
    let percent = 100 * (list.len() - failed.len()) / list.len().max(1);
    println!(
        "{} boots, {} passed, {} failed ({percent} %), {:?}",
        list.len(),
        list.len() - failed.len(),
        failed.len(),
        began.elapsed()
    );
    let explained = Explained::read();
    let mut wrong = Vec::new();
    for (name, complaints) in &failed {
        match explained.explains(name, complaints) {
            Some(reason) => println!("known: {name}: {reason}"),
            None => wrong.push(format!("{name}: {}", complaints.join("; "))),
        }
    }
    let booted = |name: &str| list.iter().any(|boot| boot.name == name);
    // Chips without a row have no boot of their own; `plan` checks them.
    let chip = |name: &&str| name.starts_with("touch/") || name.starts_with("camera/");
    for name in explained.boots().filter(|name| !chip(name)) {
        let exists = plan::boots().iter().any(|boot| boot.name == name);
        if !exists || booted(name) && !failed.contains_key(name) {
            wrong.push(format!(
                "{name}: known.toml lists it, and it passes or is no boot"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} boots:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(percent >= LEAST_PERCENT, "only {percent} % pass");
}

/// Runs what is not on record, side by side.
fn run(list: &[&'static Boot], records: &Records, keep: bool) -> Vec<Finished> {
    let began = Instant::now();
    let results = Mutex::new(BTreeMap::new());
    let (next, reused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let said = Mutex::new(Instant::now());
    let threads = available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(boot) = list.get(index) else { return };
                    let board = boot.board();
                    let known = records.find(boot, &board).filter(|_| keep);
                    reused.fetch_add(usize::from(known.is_some()), Ordering::Relaxed);
                    let outcome = known.cloned().or_else(|| {
                        let run = AssertUnwindSafe(|| boot::run(boot, &board));
                        let outcome = catch_unwind(run).ok()?;
                        records.keep(index, boot, &board, &outcome);
                        Some(outcome)
                    });
                    results.lock().unwrap().insert(index, outcome);
                    let mut said = said.lock().unwrap();
                    if said.elapsed() > NOTICE {
                        *said = Instant::now();
                        eprintln!(
                            "matrix: {index} of {} boots, {:?}",
                            list.len(),
                            began.elapsed()
                        );
                    }
                }
            });
        }
    });
    let reused = reused.into_inner();
    if reused > 0 {
        println!(
            "{reused} boots were finished by an earlier run with the same bootloader: {}",
            records.folder().display()
        );
    }
    let results = results.into_inner().unwrap();
    results
        .into_iter()
        .map(|(index, outcome)| (list[index], outcome))
        .collect()
}

/// Complaints by boot.
fn failures(finished: &[Finished]) -> BTreeMap<&'static str, Vec<String>> {
    let judged = finished.iter().map(|(boot, outcome)| {
        let complaints = match outcome {
            Some(outcome) => judge::complaints(boot, outcome),
            None => vec!["the run did not come to a good end; see above".into()],
        };
        (boot.name.as_str(), complaints)
    });
    judged
        .filter(|(_, complaints)| !complaints.is_empty())
        .collect()
}

/// Writes `matrix.tsv`, a line a panel, and says what it comes to.
fn report(finished: &[Finished], records: &Records) {
    let mut standings: BTreeMap<&str, Standing> = BTreeMap::new();
    for (boot, outcome) in finished {
        if let (Told::Nothing, Some(outcome)) = (&boot.told, outcome) {
            standings.extend(judge::standings(boot, outcome));
        }
    }
    let mut table = String::from(
        "panel\tknown by\talike\trank without a hint\ttold by\trank when told\tglass\tms\n",
    );
    let (mut named, mut first, mut times) = (0, 0, Vec::new());
    for (boot, outcome) in finished {
        let (Some(outcome), false) = (outcome, boot.told == Told::Nothing) else {
            continue;
        };
        let rank = judge::rank(boot, outcome);
        named += 1;
        first += usize::from(rank == Some(1));
        times.extend(outcome.took_ms);
        let standing = standings.get(boot.panel.id.as_str());
        let number = |number: Option<usize>| number.map_or("-".into(), |number| number.to_string());
        // Writing to a text cannot fail.
        let _ = writeln!(
            table,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            boot.panel.id,
            boot.panel.known_by,
            number(standing.map(|standing| standing.alike)),
            number(standing.and_then(|standing| standing.rank)),
            match boot.told {
                Told::Name(_) => "name",
                _ => "choice",
            },
            number(rank),
            outcome.glass.0,
            outcome.took_ms.map_or("-".into(), |ms| ms.to_string()),
        );
    }
    let path = records.folder().join("matrix.tsv");
    std::fs::write(&path, table).unwrap();
    let ranked = |most: usize| {
        let ranks = standings.values().filter_map(|standing| standing.rank);
        ranks.filter(|&rank| rank <= most).count()
    };
    times.sort_unstable();
    println!("told which panel it is: rank 1 for {first} of {named}");
    println!(
        "told nothing: of {} panels {} stand first, {} among the first six, {} are listed",
        standings.len(),
        ranked(1),
        ranked(6),
        ranked(usize::MAX)
    );
    println!(
        "median {} ms to the kernel",
        times.get(times.len() / 2).unwrap_or(&0)
    );
    println!("a line a panel: {}", path.display());
    println!(
        "{} rows of the facts have no boot; qemu/matrix/left-out.toml says why",
        data::all().left_out.len()
    );
}
