//! `unilk report`: what a phone was asked and what it answered, and the
//! beginning of rows for what nobody knew.

use super::output::{Outcome, Output, STRONG, print_findings};
use anstream::println;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use unilk::db;
use unilk::finding::Finding;
use unilk::report::{self, NewRow, Scan, View, choice};
use unilk::source::FileSource;
use unilk::tree::handed::{self, Handed};

pub const EXAMPLES: &str = "\
Examples:
  unilk report ram.bin                      a dump of memory
  unilk report /proc/device-tree            on the phone itself, or a copy of it
  unilk report ram.bin --write-row rows/    rows for what is not known, for board-db/data
  unilk report misc.bin --choice            what the phone remembers";

#[derive(clap::Args)]
pub struct Arguments {
    /// Dump of memory, device tree, /chosen/unilk/report, any file around it,
    /// or a copy of /proc/device-tree; with --choice a dump of the MISC
    /// partition
    file: PathBuf,
    /// Show the choice that the phone stored in MISC instead
    #[arg(long)]
    choice: bool,
    /// Begin a row of the driver table for each chip that is not known, in
    /// this folder; a file that is there is not overwritten
    #[arg(long, value_name = "FOLDER", conflicts_with = "choice")]
    write_row: Option<PathBuf>,
}

/// All that was found.
#[derive(serde::Serialize)]
struct Told {
    reports: Vec<View>,
    /// What a kernel was told, where there is no report or it came from a
    /// device tree in a folder.
    handed: Vec<Handed>,
    /// Rows that were written.
    written: Vec<PathBuf>,
    findings: Vec<Finding>,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        if self.choice {
            self.stored(output)?;
            return Ok(Outcome::Done);
        }
        let (scan, handed) = self.look(output)?;
        if let Some(why) = scan.refusal()
            && handed.is_empty()
        {
            bail!("{}: {why}", self.file.display());
        }
        let mut told = Told {
            reports: scan.found.iter().map(report::Found::view).collect(),
            handed,
            written: Vec::new(),
            findings: Vec::new(),
        };
        if scan.cut_short {
            told.findings.push(Finding::warning(
                "RPT-MANY",
                "so much of this file begins like a report that not all of it was searched",
            ));
        }
        if let Some(folder) = &self.write_row {
            write_rows(folder, &mut told)?;
        }
        output.show(&told, print)?;
        Ok(Outcome::of(&told.findings))
    }

    /// The reports, and what a kernel was told where there are none.
    fn look(&self, output: Output) -> Result<(Scan, Vec<Handed>)> {
        let context = || format!("cannot read {}", self.file.display());
        if self.file.is_dir() {
            let Some((handed, report)) = handed::of_folder(&self.file).with_context(context)?
            else {
                bail!(
                    "{}: no chosen/unilk in it: give a copy of the /proc/device-tree of a kernel that unilk started",
                    self.file.display()
                );
            };
            return Ok((report::scan(report.as_slice())?, vec![handed]));
        }
        let file = File::open(&self.file).with_context(context)?;
        let scan = report::scan(file).with_context(context)?;
        let handed = if scan.found.is_empty() {
            let source = FileSource::open(&self.file).with_context(context)?;
            handed::scan(&source, &mut output.progress()).with_context(context)?
        } else {
            Vec::new()
        };
        Ok((scan, handed))
    }

    fn stored(&self, output: Output) -> Result<()> {
        let misc = super::read(&self.file)?;
        let stored = match choice::read(&misc) {
            Ok(stored) => stored,
            Err(why) => bail!("{}: {why}", self.file.display()),
        };
        output.show(&stored, |stored| print!("{stored}"))
    }
}

/// Writes what was begun, and judges it.
fn write_rows(folder: &Path, told: &mut Told) -> Result<()> {
    let unknown = told.reports.iter().flat_map(|view| &view.unknown);
    let mut rows: Vec<&NewRow> = unknown.filter_map(|unknown| unknown.row.as_ref()).collect();
    rows.dedup();
    if rows.is_empty() {
        told.findings.push(Finding::note(
            "RPT-KNOWN",
            "no row was begun: nothing answered that the table does not know",
        ));
    }
    for row in rows {
        told.written.push(write_row(folder, row)?);
    }
    let (_, findings) = db::lint::lint(&told.written)?;
    told.findings.extend(findings);
    Ok(())
}

/// Writes a row to a file that is not there yet.
fn write_row(folder: &Path, row: &NewRow) -> Result<PathBuf> {
    let folder = folder.join(row.folder);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(format!("{}.toml", row.name));
    let file = File::create_new(&path);
    let mut file = file.with_context(|| {
        let place = path.display();
        if path.exists() {
            format!("{place} is there already and is not overwritten: move it away")
        } else {
            format!("cannot write {place}")
        }
    })?;
    file.write_all(row.text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn print(told: &Told) {
    for handed in &told.handed {
        print!("{handed}");
    }
    for (index, view) in told.reports.iter().enumerate() {
        if index > 0 {
            println!("\n{}", "-".repeat(72));
        }
        if index > 0 || !told.handed.is_empty() {
            println!();
        }
        print!("{view}");
    }
    if told.reports.len() > 1 {
        println!(
            "\n{} reports of different boots; a report does not say which boot was the last",
            told.reports.len()
        );
    }
    for path in &told.written {
        println!("{STRONG}written{STRONG:#} {}", path.display());
    }
    print_findings(&told.findings);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_written_once() {
        let name = format!("unilk-write-row-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let row = NewRow {
            unit: "touch",
            folder: "touch",
            name: "unknown-38-77".to_owned(),
            text: "x".to_owned(),
        };
        let path = write_row(&folder, &row).unwrap();
        let again = write_row(&folder, &row).unwrap_err().to_string();
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert!(path.ends_with("touch/unknown-38-77.toml"));
        assert!(again.contains("is not overwritten"), "{again}");
        assert_eq!(text, "x");
    }
}
