//! `unilk emmc list`: the partitions of an image.

use super::hex;
use crate::cli::output::{DOUBTFUL, Outcome, Output, STRONG, WRONG, print_findings};
use crate::cli::storage::Dump;
use anstream::println;
use anyhow::Result;
use std::path::PathBuf;
use unilk::finding::Finding;
use unilk::storage::{Evidence, Part, Shape, Storage};
use unilk_core::partition::protected;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    dump: Dump,
}

/// What is in an image, in the form that `--json` prints.
#[derive(serde::Serialize)]
pub struct Listing {
    file: PathBuf,
    shape: Shape,
    evidence: Evidence,
    /// Linear address of the user area's beginning.
    hardware_bytes: Option<u64>,
    user_bytes: Option<u64>,
    parts: Vec<Row>,
    findings: Vec<Finding>,
}

#[derive(serde::Serialize)]
struct Row {
    #[serde(flatten)]
    part: Part,
    /// Bytes of it that are there.
    held: u64,
    /// Why it is never written, if it is not.
    protected: Option<&'static str>,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let listing = Listing::of(&self.dump.file, &self.dump.open()?);
        output.show(&listing, Listing::print)?;
        Ok(Outcome::of(&listing.findings))
    }
}

impl Listing {
    /// Of what was opened from `file`.
    pub fn of(file: &std::path::Path, storage: &Storage) -> Self {
        let row = |part: &Part| Row {
            held: storage.held(part),
            protected: protected(&part.name),
            part: part.clone(),
        };
        Self {
            file: file.to_owned(),
            shape: storage.shape(),
            evidence: storage.evidence(),
            hardware_bytes: storage.hardware_bytes(),
            user_bytes: storage.user_area().map(unilk::source::Source::len),
            parts: storage.parts().iter().map(row).collect(),
            findings: storage.findings().to_vec(),
        }
    }

    fn print(&self) {
        self.print_heading();
        println!(
            "{STRONG}{:<12} {:<5} {:>12} {:>12} {:>12}  there{STRONG:#}",
            "name", "area", "start", "size", "linear"
        );
        for Row {
            part,
            held,
            protected,
        } in &self.parts
        {
            let start = part.fixed.then_some(part.start);
            let (style, there) = match *held {
                0 => (WRONG, "no".to_owned()),
                held if held < part.len => (DOUBTFUL, format!("{held:#x} of it")),
                _ => (anstyle::Style::new(), "yes".to_owned()),
            };
            let keep =
                protected.map_or_else(String::new, |holds| format!(", never write: {holds}"));
            println!(
                "{:<12} {:<5} {:>12} {:>#12x} {:>12}  {style}{there}{style:#}{keep}",
                part.name,
                part.area.name(),
                hex(start),
                part.len,
                hex(part.linear),
            );
        }
        print_findings(&self.findings);
    }

    /// What it is, and what told so.
    pub fn print_heading(&self) {
        println!(
            "{}: {}; partitions by {}",
            self.file.display(),
            self.shape.describe(),
            self.evidence.describe()
        );
    }
}
