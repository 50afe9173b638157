//! `unilk scatter diff`.

use crate::cli::output::{DOUBTFUL, GOOD, Outcome, Output, STRONG, WRONG};
use crate::cli::storage;
use anstream::println;
use anyhow::{Context, Result};
use std::path::PathBuf;
use unilk::scatter::diff::{Change, Diff, Row, Side, Verdict, diff};

#[derive(clap::Args)]
pub struct Arguments {
    /// First scatter file
    a: PathBuf,
    /// Second scatter file
    b: PathBuf,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let (a, b) = (storage::scatter(&self.a)?, storage::scatter(&self.b)?);
        // Which of the two, if one is no layout.
        for (path, scatter) in [(&self.a, &a), (&self.b, &b)] {
            let context = || format!("{}: `unilk scatter lint` says more", path.display());
            scatter.layout().with_context(context)?;
        }
        let diff = diff(&a, &b)?;
        output.show(&diff, |diff| {
            println!("A  {}", self.a.display());
            println!("B  {}", self.b.display());
            print(diff);
        })?;
        Ok(Outcome::Done)
    }
}

fn print(diff: &Diff) {
    let changed: Vec<&Row> = diff
        .rows
        .iter()
        .filter(|row| !row.changes.is_empty())
        .collect();
    if changed.is_empty() {
        println!("all {} partitions are the same", diff.rows.len());
    } else {
        println!(
            "{STRONG}{:<12} {:>12} {:>12}   {:>12} {:>12}  what{STRONG:#}",
            "name", "A linear", "size", "B linear", "size"
        );
    }
    for row in &changed {
        let words: Vec<String> = row
            .changes
            .iter()
            .map(|change| words(row, *change))
            .collect();
        println!(
            "{:<12} {}   {}  {}",
            row.name,
            place(row.a.as_ref()),
            place(row.b.as_ref()),
            words.join(", ")
        );
    }
    match &diff.verdict {
        Verdict::SameAddresses => println!(
            "{GOOD}what is downloaded stands at the same addresses{GOOD:#}; by addresses, firmware \
             for the one could go on the other (panel, memory and modem are another matter)"
        ),
        Verdict::OtherBase => println!(
            "{DOUBTFUL}the MBR is elsewhere{DOUBTFUL:#}: images of the one fit the other, but each \
             phone must be flashed by its own scatter file"
        ),
        Verdict::Different { partitions } => println!(
            "{WRONG}different layouts{WRONG:#}: {} would be written to wrong places; do not flash \
             the one phone's firmware on the other",
            partitions.join(", ")
        ),
    }
}

fn words(row: &Row, change: Change) -> String {
    let (Some(a), Some(b)) = (&row.a, &row.b) else {
        return change.word().to_owned();
    };
    let file = |side: &Side| side.file.clone().unwrap_or_else(|| "none".to_owned());
    match change {
        Change::Download if b.download => "downloaded by B".to_owned(),
        Change::Download => "downloaded by A".to_owned(),
        Change::File => format!("file {} -> {}", file(a), file(b)),
        change => change.word().to_owned(),
    }
}

fn place(side: Option<&Side>) -> String {
    match side {
        Some(side) => format!("{:>#12x} {:>#12x}", side.linear, side.size),
        None => format!("{:>12} {:>12}", "-", "-"),
    }
}
