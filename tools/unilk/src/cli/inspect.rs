//! `unilk inspect`: what a file is.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use unilk::mtk::{HEADER_BYTES, Header, LK_PAYLOAD_MAX};
use unilk::recognise::{HEAD_BYTES, Kind};

#[derive(clap::Args)]
pub struct Arguments {
    /// File to look at
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was found, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Report {
    file: PathBuf,
    bytes: u64,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<Header>,
    problems: Vec<String>,
}

impl Arguments {
    pub fn run(self) -> Result<()> {
        let report = look(self.file)?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print(&report);
        }
        Ok(())
    }
}

fn look(path: PathBuf) -> Result<Report> {
    let context = || format!("cannot read {}", path.display());
    let file = File::open(&path).with_context(context)?;
    let bytes = file.metadata().with_context(context)?.len();
    let mut head = Vec::new();
    file.take(HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .with_context(context)?;
    let header = Header::parse(&head).ok();
    let problems = header
        .as_ref()
        .map(|header| problems(header, bytes))
        .unwrap_or_default();
    Ok(Report {
        kind: Kind::of(&head),
        file: path,
        bytes,
        header,
        problems,
    })
}

/// What a phone would hold against an image with this header.
fn problems(header: &Header, file_bytes: u64) -> Vec<String> {
    let mut problems = Vec::new();
    let payload = u64::from(header.payload_bytes);
    if payload == 0 {
        problems.push("the payload is empty: the preloader jumps into old memory".to_owned());
    }
    if file_bytes < HEADER_BYTES as u64 + payload {
        problems.push(format!(
            "the file ends before its payload of {payload} bytes does"
        ));
    }
    if header.name == "LK" && payload > LK_PAYLOAD_MAX as u64 {
        problems.push("too big for the UBOOT partition".to_owned());
    }
    if header.extended {
        problems.push("has the extended header of later chips, not an MT6572 image".to_owned());
    }
    problems
}

fn print(report: &Report) {
    println!("{}: {}", report.file.display(), report.kind.describe());
    println!("  file size     {} bytes", report.bytes);
    if let Some(header) = &report.header {
        let address = |value: Option<u32>| {
            value.map_or_else(|| "not given".to_owned(), |value| format!("{value:#010x}"))
        };
        println!("  name          {}", header.name.escape_default());
        println!(
            "  payload       {} bytes ({:#x})",
            header.payload_bytes, header.payload_bytes
        );
        println!("  load address  {}", address(header.load_address));
        println!("  mode          {}", address(header.mode));
    }
    for problem in &report.problems {
        println!("  problem: {problem}");
    }
}
