//! `unilk scatter lint`.

use crate::cli::output::{GOOD, Outcome, Output, print_findings};
use crate::cli::storage::{self, Dump};
use anstream::println;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use unilk::finding::{Finding, Severity};
use unilk::layout::Layout;
use unilk::scatter::{Scatter, lint};

#[derive(clap::Args)]
pub struct Arguments {
    /// Scatter file, or a firmware folder with one
    file: PathBuf,
    /// A dump of this phone's eMMC, to tell whether the file is its own
    #[arg(long, value_name = "IMAGE")]
    against: Option<PathBuf>,
}

/// What was found, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Report {
    file: PathBuf,
    against: Option<PathBuf>,
    partitions: usize,
    findings: Vec<Finding>,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let is_folder = self.file.is_dir();
        let file = if is_folder {
            storage::in_folder(&self.file)?
                .with_context(|| format!("no scatter file (*.txt) in {}", self.file.display()))?
        } else {
            self.file
        };
        let scatter = storage::scatter(&file)?;
        let mut findings = lint::lint(&scatter);
        let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
        let look = |name: &str| {
            let metadata = std::fs::metadata(folder.join(name)).ok()?;
            metadata.is_file().then_some(metadata.len())
        };
        // A file on its own may well have no images beside it.
        let look = is_folder.then_some(&look as lint::Look<'_>);
        findings.extend(lint::files(&scatter, look));
        if let Some(image) = &self.against {
            findings.extend(against(&scatter, image)?);
        }
        let report = Report {
            file,
            against: self.against,
            partitions: scatter.entries.len(),
            findings,
        };
        output.show(&report, Report::print)?;
        Ok(Outcome::of(&report.findings))
    }
}

/// Compares with a dump, which is read by the file where it has no table.
fn against(scatter: &Scatter, image: &Path) -> Result<Vec<Finding>> {
    let layout: Option<Layout> = scatter.layout().ok();
    let storage = Dump::of(image)
        .open_by(layout)
        .with_context(|| "--against".to_owned())?;
    Ok(lint::against(scatter, &storage))
}

impl Report {
    fn print(&self) {
        let count = |severity| {
            let of = |finding: &&Finding| finding.severity == severity;
            self.findings.iter().filter(of).count()
        };
        print_findings(&self.findings);
        let (problems, warnings) = (count(Severity::Problem), count(Severity::Warning));
        let plural = |count, word: &str| match count {
            1 => format!("1 {word}"),
            count => format!("{count} {word}s"),
        };
        if problems + warnings == 0 {
            println!(
                "{}: {} entries, {GOOD}nothing wrong{GOOD:#}",
                self.file.display(),
                self.partitions
            );
        } else {
            println!(
                "{}: {} entries, {}, {}",
                self.file.display(),
                self.partitions,
                plural(problems, "problem"),
                plural(warnings, "warning")
            );
        }
        if self.against.is_none() {
            println!("whether it is this phone's own file only a dump can tell: --against IMAGE");
        }
    }
}
