//! `unilk log`: what a phone said while it booted.

use super::output::{DOUBTFUL, GOOD, Outcome, Output, STRONG, WRONG, print_findings};
use anstream::println;
use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use std::path::PathBuf;
use unilk::finding::Finding;
use unilk::log::{self, Boot, Line, Reading, Strings};
use unilk::source::FileSource;
use unilk::tree::handed::{self, Handed};

pub const EXAMPLE: &str = "\
Example:
  unilk log ram.bin --elf target/unilk/unilk-lk

A log that is damaged, or an ELF file of another build, is a problem: exit code 3.";

#[derive(clap::Args)]
pub struct Arguments {
    /// Dump of memory, log.bin of an emulated phone, device tree, or any file
    /// around one of them
    file: PathBuf,
    /// The bootloader's ELF file, target/unilk/unilk-lk of the build that ran:
    /// decodes the trace as well
    #[arg(long, value_name = "FILE")]
    elf: Option<PathBuf>,
    /// Only the newest boot
    #[arg(long)]
    last: bool,
}

/// All that a file tells of boots.
#[derive(Serialize)]
struct Told {
    boots: Vec<Boot>,
    handed: Vec<Handed>,
    findings: Vec<Finding>,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let context = || format!("cannot read {}", self.file.display());
        let source = FileSource::open(&self.file).with_context(context)?;
        let strings = self.strings()?;
        let scan = log::scan(&source, &mut output.progress()).with_context(context)?;
        let handed = handed::scan(&source, &mut output.progress()).with_context(context)?;
        if scan.slots.is_empty() && handed.is_empty() {
            bail!(
                "{}: no log of unilk in it: dump the 128 KiB from 0x800E0000 of a phone that unilk started, \
                 or all of its DRAM, before it is without power",
                self.file.display()
            );
        }
        let reading = strings.as_ref().map_or(Reading::TextOnly, Reading::With);
        let shown = if self.last { 1 } else { scan.slots.len() };
        let slots = scan.slots.iter().take(shown);
        let mut told = Told {
            boots: slots.map(|slot| Boot::of(slot, reading)).collect(),
            handed,
            findings: Vec::new(),
        };
        if scan.cut_short {
            told.findings.push(Finding::warning(
                "LOG-MANY",
                "so much of this file begins like a log that not all of it was searched",
            ));
        }
        output.show(&told, print)?;
        let found: Vec<Finding> = told
            .boots
            .into_iter()
            .flat_map(|boot| boot.findings)
            .collect();
        Ok(Outcome::of(&found))
    }

    fn strings(&self) -> Result<Option<Strings>> {
        let Some(path) = &self.elf else {
            return Ok(None);
        };
        let strings = Strings::parse(&super::read(path)?);
        let strings = strings.map_err(|why| anyhow!("--elf {}: {why}", path.display()))?;
        Ok(Some(strings))
    }
}

fn print(told: &Told) {
    for (index, boot) in told.boots.iter().enumerate() {
        if index > 0 {
            println!();
        }
        print_boot(boot);
    }
    for (index, handed) in told.handed.iter().enumerate() {
        if index > 0 || !told.boots.is_empty() {
            println!();
        }
        print!("{handed}");
    }
    print_findings(&told.findings);
}

fn print_boot(boot: &Boot) {
    let places: Vec<_> = boot.places.iter().map(|at| format!("{at:#x}")).collect();
    let number = match boot.sequence {
        Some(number) => format!("boot {number}"),
        None => "a boot".to_owned(),
    };
    let (style, end) = match (boot.sequence, boot.complete) {
        (None, _) => (WRONG, "end unknown"),
        (_, true) => (GOOD, "came to its end"),
        (_, false) => (DOUBTFUL, "did not come to its end"),
    };
    let version = boot.version.as_deref().unwrap_or("version unknown");
    println!(
        "{STRONG}{number}{STRONG:#}, unilk {version}, {style}{end}{style:#} (at {})",
        places.join(" and ")
    );
    boot.lines.iter().for_each(|line: &Line| println!("{line}"));
    print_findings(&boot.findings);
}
