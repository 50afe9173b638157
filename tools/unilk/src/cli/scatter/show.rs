//! `unilk scatter show`.

use crate::cli::output::{Outcome, Output, STRONG};
use crate::cli::storage;
use anstream::println;
use anyhow::{Context, Result};
use std::path::PathBuf;
use unilk::layout::Place;
use unilk::scatter::Grammar;
use unilk_core::partition::protected;

#[derive(clap::Args)]
pub struct Arguments {
    /// Scatter file
    file: PathBuf,
}

/// A scatter file, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Shown {
    file: PathBuf,
    grammar: Grammar,
    project: String,
    block_bytes: u64,
    partitions: Vec<Row>,
}

#[derive(serde::Serialize)]
struct Row {
    name: String,
    line: usize,
    linear: u64,
    logical: Option<u64>,
    size: u64,
    region: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    operation: Option<String>,
    download: bool,
    file: Option<String>,
    /// Why it is never written, if it is not.
    protected: Option<&'static str>,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let scatter = storage::scatter(&self.file)?;
        let layout = scatter
            .layout()
            .with_context(|| self.file.display().to_string())?;
        let mut partitions = Vec::new();
        let named = scatter
            .entries
            .iter()
            .filter(|entry| !entry.name.is_empty());
        for (entry, partition) in named.zip(&layout.partitions) {
            let text = |key| entry.value(key).map(str::to_owned);
            partitions.push(Row {
                name: partition.name.clone(),
                line: entry.line,
                linear: partition.place.address(),
                logical: layout.logical(partition).ok().flatten(),
                size: partition.size,
                region: text("region"),
                kind: text("type"),
                operation: text("operation_type"),
                download: entry.download,
                file: entry.file().map(str::to_owned),
                protected: protected(&partition.name),
            });
        }
        let shown = Shown {
            grammar: scatter.grammar,
            project: layout.name,
            block_bytes: layout.block_bytes,
            partitions,
            file: self.file,
        };
        output.show(&shown, Shown::print)?;
        Ok(Outcome::Done)
    }
}

impl Shown {
    fn print(&self) {
        println!("{}: project {}", self.file.display(), self.project);
        println!(
            "{STRONG}{:<12} {:>12} {:>12} {:>12} {:<11}  download{STRONG:#}",
            "name", "linear", "logical", "size", "operation"
        );
        for row in &self.partitions {
            let linear = match Place::of_address(row.linear) {
                Place::Linear(at) => format!("{at:#x}"),
                Place::Tail { blocks } => format!("end-{blocks:#x}"),
            };
            let logical = row
                .logical
                .map_or_else(|| "-".to_owned(), |at| format!("{at:#x}"));
            let size = match row.size {
                0 => "rest".to_owned(),
                size => format!("{size:#x}"),
            };
            let download = match (row.download, row.file.as_deref()) {
                (true, file) => file.unwrap_or("yes"),
                (false, _) => "-",
            };
            let keep = match row.protected {
                Some(holds) if row.download => format!("  never write: {holds}"),
                _ => String::new(),
            };
            println!(
                "{:<12} {linear:>12} {logical:>12} {size:>12} {:<11}  {download}{keep}",
                row.name,
                row.operation.as_deref().unwrap_or("-"),
            );
        }
    }
}
