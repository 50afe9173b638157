//! `unilk emmc extract`: one file a partition.

use super::list::Listing;
use crate::cli::output::{Outcome, Output, print_findings};
use crate::cli::storage::{CARD, Dump};
use crate::cli::write;
use anstream::println;
use anyhow::{Context, Result, bail, ensure};
use std::fs::File;
use std::path::{Path, PathBuf};
use unilk::emmc::Extract;
use unilk::finding::Finding;
use unilk::progress::Progress;
use unilk::scatter::{self, lint::NOT_BROUGHT};
use unilk::source::Source;
use unilk::storage::{Bytes, Part, Storage};
use unilk_core::partition::protected;

const SCATTER: &str = "MT6572_Android_scatter.txt";

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    dump: Dump,
    /// Directory to write to; default: named after FILE
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Only this partition, and neither scatter file nor card.json; may be
    /// repeated
    #[arg(long = "part", value_name = "NAME")]
    parts: Vec<String>,
    /// Write over files that are there
    #[arg(long)]
    force: bool,
}

/// What was written, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Written {
    directory: PathBuf,
    files: Vec<Row>,
    findings: Vec<Finding>,
}

#[derive(serde::Serialize)]
struct Row {
    file: String,
    bytes: u64,
    /// Those that are no holes.
    stored: u64,
    /// Bytes of the partition that the image does not have.
    missing: u64,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let storage = self.dump.open()?;
        let extract = Extract::new(&storage, self.dump.card()?);
        let wanted = self.wanted(&storage, &extract)?;
        let directory = match &self.output {
            Some(directory) => directory.clone(),
            None => self.dump.file.with_extension("parts"),
        };
        let mut tables = Vec::new();
        let mut findings = storage.findings().to_vec();
        if self.parts.is_empty() {
            tables = tables_of(&extract, &mut findings)?;
        }
        let mut names: Vec<&str> = wanted.iter().map(|(file, ..)| file.as_str()).collect();
        names.extend(tables.iter().map(|(name, _)| *name));
        prepare(&directory, &names, self.force)?;
        self.spare_the_dump(&directory, &names)?;

        let mut progress = output.progress();
        let mut files = Vec::new();
        for (file, part, bytes) in &wanted {
            let path = directory.join(file);
            progress.begin(&part.name, bytes.len());
            let stored = File::create(&path)
                .and_then(|mut out| Extract::write(bytes, &mut out, &mut progress))
                .with_context(|| format!("cannot write {}", path.display()))?;
            files.push(Row {
                file: file.clone(),
                bytes: bytes.len(),
                stored,
                missing: part.len.saturating_sub(storage.held(part)),
            });
        }
        progress.finish();
        for (name, text) in &tables {
            write(&directory.join(name), text.as_bytes())?;
        }
        if self.parts.is_empty() {
            findings.extend(extract.left_over(&mut progress)?);
        }
        let written = Written {
            directory,
            files,
            findings,
        };
        output.show(&written, |written| {
            Listing::of(&self.dump.file, &storage).print_heading();
            written.print(&tables);
        })?;
        Ok(Outcome::of(&written.findings))
    }

    /// Not even `--force` writes over what is being read.
    fn spare_the_dump(&self, directory: &Path, names: &[&str]) -> Result<()> {
        let given = std::fs::canonicalize(&self.dump.file)?;
        for name in names {
            let target = directory.join(name);
            let same = std::fs::canonicalize(&target)
                .is_ok_and(|target| target == given || target.parent() == Some(&given));
            ensure!(
                !same,
                "{} is what is being read; choose another --output",
                target.display()
            );
        }
        Ok(())
    }

    /// File name, partition and bytes of all that is taken out.
    fn wanted<'a>(
        &self,
        storage: &'a Storage,
        extract: &Extract<'a>,
    ) -> Result<Vec<(String, &'a Part, Bytes)>> {
        let mut files = extract.files();
        for name in &self.parts {
            let Some(part) = storage.find(name) else {
                let known: Vec<&str> = storage.parts().iter().map(|p| p.name.as_str()).collect();
                bail!(
                    "--part {name}: no such partition; there are {}",
                    known.join(", ")
                );
            };
            if !files.iter().any(|(known, _)| *known == part) {
                bail!("--part {name}: its bytes are not in the image");
            }
        }
        if !self.parts.is_empty() {
            let asked = |part: &Part| {
                let find = |name: &String| storage.find(name) == Some(part);
                self.parts.iter().any(find)
            };
            files.retain(|(part, _)| asked(part));
        }
        let mut wanted: Vec<(String, &Part, Bytes)> = Vec::new();
        for (part, bytes) in files {
            let stem = safe(&part.name);
            let mut file = format!("{stem}.img");
            if wanted.iter().any(|(taken, ..)| *taken == file) {
                file = format!("{stem}-{:x}.img", part.start);
            }
            wanted.push((file, part, bytes));
        }
        Ok(wanted)
    }
}

impl Written {
    fn print(&self, tables: &[(&str, String)]) {
        for row in &self.files {
            let cut = if row.missing > 0 {
                format!(", {:#x} more are missing", row.missing)
            } else {
                String::new()
            };
            println!(
                "  {:<16} {:>#12x} bytes, {:>10} KiB on disk{cut}",
                row.file,
                row.bytes,
                row.stored.div_ceil(1024)
            );
        }
        for (name, _) in tables {
            println!("  {name}");
        }
        println!("written to {}", self.directory.display());
        print_findings(&self.findings);
    }
}

/// Scatter file and card sizes, as far as they can be told.
fn tables_of(
    extract: &Extract<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Vec<(&'static str, String)>> {
    let mut tables = Vec::new();
    match extract.layout() {
        Ok(layout) => {
            let files = extract.files();
            // A file in the list is one that a flash tool would write.
            let file = |partition: &unilk::layout::Partition| {
                let there = files.iter().any(|(part, _)| part.name == partition.name);
                let kept = protected(&partition.name).is_some()
                    || NOT_BROUGHT.contains(&partition.name.as_str());
                (there && !kept).then(|| format!("{}.img", safe(&partition.name)))
            };
            tables.push((SCATTER, scatter::from_layout(&layout, file)));
        }
        Err(why) => findings.push(Finding::warning(
            "EMMC-SCATTER",
            format!("no scatter file written: {why}; linear addresses are not known"),
        )),
    }
    match extract.card() {
        Some(card) => tables.push((CARD, serde_json::to_string_pretty(&card)?)),
        None => findings.push(Finding::note(
            "EMMC-CARD",
            "no card.json written: the image does not tell the card's sizes",
        )),
    }
    Ok(tables)
}

/// Makes the directory; nothing in it is overwritten without being asked to.
fn prepare(directory: &Path, names: &[&str], force: bool) -> Result<()> {
    let there: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| directory.join(name).exists())
        .collect();
    if !force && let Some(first) = there.first() {
        bail!(
            "{} has {} of these files already ({first}, ...); choose another --output, or --force",
            directory.display(),
            there.len()
        );
    }
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot create {}", directory.display()))
}

/// A partition's name as a file's: a damaged table may hold anything.
fn safe(name: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    name.chars()
        .map(|c| if safe(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_a_table_stay_in_the_directory() {
        assert_eq!(safe("PRO_INFO"), "PRO_INFO");
        assert_eq!(safe("../../etc/x"), "______etc_x");
    }
}
