//! `unilk inspect`: what files are.

use super::output::{DOUBTFUL, GOOD, Outcome, Output, STRONG, WRONG, print_findings};
use anstream::println;
use anyhow::{Context, Result, bail, ensure};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unilk::finding::{Finding, Severity};
use unilk::inspect::logo::{Logo, role};
use unilk::inspect::report::{label, printable};
use unilk::inspect::text::size;
use unilk::inspect::{Body, Group, Options, Report, inspect_file};
use unilk::recognise::Kind;
use unilk::source::{FileSource, Source};

/// Most that is taken from standard input, which has to be held.
const STDIN_MAX: u64 = 256 << 20;

pub const EXAMPLES: &str = "\
Examples:
  unilk inspect lk.bin boot.img           what both are, in text
  unilk inspect --png pictures logo.bin   the pictures of a boot logo
  unilk inspect --json boot.img           an array with one object a file
  xz -dc boot.img.xz | unilk inspect -    from standard input";

#[derive(clap::Args)]
pub struct Arguments {
    /// Files to look at, of any kind and size; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Unpack kernels: tell their version and the panels that they know. A
    /// second more for each
    #[arg(long)]
    deep: bool,
    /// Write each picture of a boot logo into this directory, as PNG
    #[arg(long, value_name = "DIR")]
    png: Option<PathBuf>,
    /// Size of the panel, where the pictures do not tell it
    #[arg(long, value_name = "WxH", requires = "png", value_parser = panel_size)]
    size: Option<(u32, u32)>,
}

/// A report and the file that it is of.
#[derive(serde::Serialize)]
struct Looked {
    file: PathBuf,
    #[serde(flatten)]
    report: Report,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let mut all = Vec::new();
        let mut failed = None;
        for file in &self.files {
            match self.look(file) {
                Ok(report) => all.push(Looked {
                    file: file.clone(),
                    report,
                }),
                // The others are looked at all the same.
                Err(why) => {
                    if let Some(earlier) = failed.replace(why) {
                        eprintln!("unilk: {earlier:#}");
                    }
                }
            }
        }
        output.show(&all, |all| {
            for (index, looked) in all.iter().enumerate() {
                if index > 0 {
                    println!();
                }
                print(&looked.file, &looked.report);
            }
        })?;
        let findings: Vec<Finding> = all
            .iter()
            .flat_map(|looked| looked.report.all_findings())
            .collect();
        failed.map_or_else(|| Ok(Outcome::of(&findings)), Err)
    }

    fn look(&self, file: &Path) -> Result<Report> {
        let source = open(file)?;
        let report = inspect_file(&source, Options { deep: self.deep });
        if let Some(directory) = &self.png {
            self.pictures(&*source, file, directory)?;
        }
        Ok(report)
    }

    /// Writes the pictures of a logo: `logo-00.png` and so on.
    fn pictures(&self, source: &dyn Source, file: &Path, directory: &Path) -> Result<()> {
        let Ok(logo) = Logo::open(source) else {
            bail!("--png: {} holds no boot logo", file.display());
        };
        std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        let mut fitted = self.size.is_none();
        for index in 0..logo.count {
            let picture = match logo.picture(index) {
                Ok(picture) => picture,
                Err(why) => {
                    eprintln!(
                        "unilk: picture {index} ({}) is left out: {why}",
                        role(index)
                    );
                    continue;
                }
            };
            let forced = self
                .size
                .filter(|&(width, height)| width as usize * height as usize == picture.count());
            fitted |= forced.is_some();
            let guessed = picture.geometry().map(|geometry| geometry.width);
            let Some(width) = forced.map(|(width, _)| width).or(guessed) else {
                eprintln!(
                    "unilk: picture {index} ({}) is left out: its size is not known",
                    role(index)
                );
                continue;
            };
            let path = directory.join(format!("logo-{index:02}.png"));
            let png = picture
                .png(width)
                .with_context(|| format!("cannot make {}", path.display()))?;
            super::write(&path, &png)?;
        }
        ensure!(
            fitted,
            "--size: no picture of {} has that many pixels",
            file.display()
        );
        Ok(())
    }
}

fn panel_size(text: &str) -> Result<(u32, u32), String> {
    let side = |side: &str| side.parse().ok().filter(|side| (1..=4096).contains(side));
    text.split_once(['x', 'X'])
        .and_then(|(width, height)| Some((side(width)?, side(height)?)))
        .ok_or_else(|| "expected width and height such as 480x854".to_owned())
}

/// Opens a file or block device, or takes in standard input.
fn open(file: &Path) -> Result<Arc<dyn Source>> {
    if file.as_os_str() == "-" {
        let mut data = Vec::new();
        std::io::stdin()
            .lock()
            .take(STDIN_MAX + 1)
            .read_to_end(&mut data)
            .context("cannot read standard input")?;
        ensure!(
            data.len() as u64 <= STDIN_MAX,
            "standard input has more than {} MiB: save it to a file and name that",
            STDIN_MAX >> 20
        );
        return Ok(Arc::new(data));
    }
    if file.is_dir() {
        bail!(
            "{} is a directory: name the files in it, such as {}; of a directory of partition dumps `unilk emmc list` tells what they are",
            file.display(),
            file.join("*").display()
        );
    }
    let source =
        FileSource::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Arc::new(source))
}

fn print(file: &Path, report: &Report) {
    let name = printable(&file.display().to_string());
    println!("{STRONG}{name}{STRONG:#}: {}", printable(&report.summary));
    println!("  {} bytes", report.bytes);
    if report.kind == Kind::Card {
        partitions(report);
    } else {
        body(report, 1);
    }
    // Of what is not known, nothing is known to be right either.
    if report.kind != Kind::Unknown && report.all_findings().is_empty() {
        println!("{GOOD}nothing wrong{GOOD:#}");
    }
    print_findings(&report.findings);
    if !report.on_a_phone.is_empty() {
        println!("{STRONG}on a phone:{STRONG:#} {}", report.on_a_phone);
    }
}

/// A line for each partition, and what is worse than a note below it.
fn partitions(report: &Report) {
    for group in &report.facts {
        show(group, 1);
    }
    println!("  partitions");
    for part in &report.parts {
        println!(
            "    {STRONG}{:<10}{STRONG:#} {:#11x}  {:>9}  {}",
            printable(&part.name),
            part.offset,
            size(part.len),
            printable(&part.report.summary)
        );
        for finding in part.report.all_findings() {
            if finding.severity > Severity::Note {
                inner(&finding, "      ");
            }
        }
    }
}

/// Facts, and parts with theirs, each a step further in.
fn body(report: &Report, depth: usize) {
    for group in &report.facts {
        show(group, depth);
    }
    let indent = "  ".repeat(depth);
    for part in &report.parts {
        let end = part.offset + part.len;
        println!(
            "{indent}{STRONG}{}{STRONG:#} at {:#x}..{end:#x}: {}",
            printable(&part.name),
            part.offset,
            printable(&part.report.summary)
        );
        body(&part.report, depth + 1);
        for finding in &part.report.findings {
            inner(finding, &"  ".repeat(depth + 1));
        }
    }
}

fn inner(finding: &Finding, indent: &str) {
    let style = match finding.severity {
        Severity::Note => STRONG,
        Severity::Warning => DOUBTFUL,
        Severity::Problem => WRONG,
    };
    let word = finding.severity.word();
    println!(
        "{indent}{style}{word}{style:#} {}: {}",
        finding.code, finding.text
    );
}

fn show(group: &Group, depth: usize) {
    let indent = "  ".repeat(depth);
    match &group.body {
        Body::Facts(facts) if facts.is_empty() => {}
        Body::Facts(facts) => {
            println!("{indent}{}", group.title);
            let width = facts.iter().map(|fact| fact.label().len()).max();
            let width = width.unwrap_or(0);
            for fact in facts {
                println!("{indent}  {:width$}  {}", fact.label(), fact.cell.text);
            }
        }
        Body::Table { rows, .. } if rows.is_empty() => {}
        Body::Table { columns, rows } => {
            println!("{indent}{}", group.title);
            let widths: Vec<usize> = (0..columns.len())
                .map(|column| {
                    let cells = rows.iter().map(|row| row[column].text.chars().count());
                    cells.chain([columns[column].len()]).max().unwrap_or(0)
                })
                .collect();
            let line = |cells: Vec<String>| {
                let padded = cells.iter().zip(&widths);
                let padded = padded.map(|(cell, &width)| format!("{cell:width$}"));
                let line = padded.collect::<Vec<_>>().join("  ");
                println!("{indent}  {}", line.trim_end());
            };
            line(columns.iter().map(|name| label(name)).collect());
            for row in rows {
                line(row.iter().map(|cell| cell.text.clone()).collect());
            }
        }
    }
}
