//! `unilk identity`: whether a phone still has what makes it this phone.

use super::output::{DOUBTFUL, GOOD, Outcome, Output, STRONG, WRONG, print_findings};
use super::phone::{self, Facts};
use super::storage;
use anstream::println;
use anstyle::Style;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unilk::backup::archive::Archive;
use unilk::backup::dump::{Dump, DumpPart};
use unilk::finding::Finding;
use unilk::identity::files::NvramFiles;
use unilk::identity::{Item, Show, Verdict};
use unilk::source::Source;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Tell whether IMEI, addresses and calibration look present
    ///
    /// Looks at the NVRAM files and partitions in a dump, a directory of dumps,
    /// a backup, or a copy of /data/nvram (directory or tar file), and tells of
    /// each item whether it is present, the maker's default, blank or damaged.
    /// Nothing is written, and nothing is ever made up. Exits with 3 if
    /// something is lost.
    ///
    /// Example: unilk identity status dump.bin
    Status(Arguments),
}

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    dump: storage::Dump,
    /// A copy of the phone's /data/nvram beside the dump
    #[arg(long, value_name = "DIR_OR_TAR")]
    data_nvram: Option<PathBuf>,
    /// Show numbers in full; they are personal
    #[arg(long)]
    show: bool,
}

/// What was found, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Report {
    input: PathBuf,
    items: Vec<Item>,
    summary: String,
    advice: &'static str,
    findings: Vec<Finding>,
}

impl Command {
    pub fn run(self, output: Output) -> Result<Outcome> {
        match self {
            Self::Status(arguments) => arguments.run(output),
        }
    }
}

impl Arguments {
    fn run(self, output: Output) -> Result<Outcome> {
        let (dump, files) = self.open()?;
        let show = if self.show { Show::Full } else { Show::Masked };
        let status = phone::identity(&dump, &files, show);
        let mut findings = status.findings;
        findings.extend(phone::file_findings(&files));
        let report = Report {
            input: self.dump.file,
            items: status.items,
            summary: status.summary,
            advice: status.advice,
            findings,
        };
        output.show(&report, Report::print)?;
        Ok(Outcome::of(&report.findings))
    }

    /// Whatever it is that was given.
    fn open(&self) -> Result<(Dump, Result<NvramFiles, String>)> {
        let file = &self.dump.file;
        if is_tree(file) {
            return Ok((Dump::default(), Ok(phone::tree(file)?)));
        }
        if is_tar(file)? {
            let Ok(archive) = phone::archive(file) else {
                return Ok((Dump::default(), Ok(phone::tree(file)?)));
            };
            return self.of_backup(&archive);
        }
        let (_, dump) = phone::dump(file, &self.dump.known, &Facts::default())?;
        let files = phone::nvram_files(self.data_nvram.as_deref(), &dump)?;
        Ok((dump, files))
    }

    fn of_backup(&self, archive: &Archive) -> Result<(Dump, Result<NvramFiles, String>)> {
        let mut dump = Dump::default();
        for part in &archive.manifest().parts {
            if let Some(content) = archive.part(part) {
                dump.parts.push(DumpPart {
                    name: part.name.clone(),
                    place: part.place,
                    data: Arc::new(content),
                });
            }
        }
        let mut files = NvramFiles::default();
        for file in &archive.manifest().files {
            if let Some(content) = archive.content(&file.member)
                && files.room_for(&file.path, content.len())
            {
                files.add(&file.path, content.read_some(0, usize::MAX)?);
            }
        }
        if files.is_empty() || self.data_nvram.is_some() {
            let files = phone::nvram_files(self.data_nvram.as_deref(), &dump)?;
            return Ok((dump, files));
        }
        Ok((dump, Ok(files)))
    }
}

/// Whether a directory is a copy of /data/nvram rather than of partitions.
fn is_tree(path: &Path) -> bool {
    ["APCFG", "md", "nvram", "data/nvram"]
        .iter()
        .any(|below| path.join(below).is_dir())
}

/// Whether a file says that it is a tar archive.
fn is_tar(path: &Path) -> Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    let head = storage::source(path)?.read_some(0, 512)?;
    Ok(head.get(257..262) == Some(b"ustar"))
}

impl Report {
    fn print(&self) {
        println!("{}", self.input.display());
        for item in &self.items {
            let style = match item.verdict {
                Verdict::Present => GOOD,
                Verdict::Damaged => WRONG,
                Verdict::NotLookedAt => Style::new(),
                Verdict::Blank | Verdict::Default if item.matters => WRONG,
                Verdict::Blank | Verdict::Default => DOUBTFUL,
            };
            println!(
                "  {:<18} {style}{:<12}{style:#}  {}",
                item.name,
                item.verdict.word(),
                item.detail
            );
        }
        // What the items say is not said twice.
        let others: Vec<Finding> = self
            .findings
            .iter()
            .filter(|finding| !finding.code.starts_with("IDENTITY-"))
            .cloned()
            .collect();
        print_findings(&others);
        println!("{STRONG}{}{STRONG:#}: {}", self.summary, self.advice);
    }
}
