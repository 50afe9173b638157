//! `unilk report`: what a phone was asked and what it answered.

use super::output::{Outcome, Output};
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::PathBuf;
use unilk::report::{self, View, choice};

#[derive(clap::Args)]
pub struct Arguments {
    /// Dump of memory, device tree, /chosen/unilk/report or any file around
    /// it; with --choice a dump of the MISC partition
    file: PathBuf,
    /// Show the choice that the phone stored in MISC instead
    #[arg(long)]
    choice: bool,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        if self.choice {
            self.stored(output)?;
        } else {
            self.reports(output)?;
        }
        Ok(Outcome::Done)
    }

    fn reports(&self, output: Output) -> Result<()> {
        let context = || format!("cannot read {}", self.file.display());
        let file = File::open(&self.file).with_context(context)?;
        let scan = report::scan(file).with_context(context)?;
        if let Some(why) = scan.refusal() {
            bail!("{}: {why}", self.file.display());
        }
        let views: Vec<View> = scan.found.iter().map(report::Found::view).collect();
        if output.json {
            println!("{}", serde_json::to_string_pretty(&views)?);
            return Ok(());
        }
        for (index, view) in views.iter().enumerate() {
            if index > 0 {
                println!("\n{}\n", "-".repeat(72));
            }
            print!("{view}");
        }
        if views.len() > 1 {
            println!(
                "\n{} reports of different boots; a report does not say which boot was the last",
                views.len()
            );
        }
        Ok(())
    }

    fn stored(&self, output: Output) -> Result<()> {
        let misc = super::read(&self.file)?;
        let stored = match choice::read(&misc) {
            Ok(stored) => stored,
            Err(why) => bail!("{}: {why}", self.file.display()),
        };
        if output.json {
            println!("{}", serde_json::to_string_pretty(&stored)?);
        } else {
            print!("{stored}");
        }
        Ok(())
    }
}
