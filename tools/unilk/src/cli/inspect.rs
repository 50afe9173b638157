//! `unilk inspect`: what a file is.

use super::output::{Outcome, Output};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use unilk::compress;
use unilk::image::{self, Identity};
use unilk::mtk::{HEADER_BYTES, Header, LK_PAYLOAD_MAX};
use unilk::recognise::{HEAD_BYTES, Kind};
use unilk_core::hints::Hints;
use unilk_core::kernel::{Generation, KernelKind};

#[derive(clap::Args)]
pub struct Arguments {
    /// File to look at
    file: PathBuf,
}

/// What was found, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Report {
    file: PathBuf,
    bytes: u64,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<Header>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unilk: Option<Unilk>,
    problems: Vec<String>,
}

/// What a unilk image says of itself.
#[derive(serde::Serialize)]
struct Unilk {
    #[serde(flatten)]
    identity: Identity,
    hints: BTreeMap<&'static str, String>,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let report = look(self.file)?;
        output.show(&report, print)?;
        Ok(if report.problems.is_empty() {
            Outcome::Done
        } else {
            Outcome::Problems
        })
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
    let mut problems = header
        .as_ref()
        .map(|header| problems(header, bytes))
        .unwrap_or_default();
    let unilk = unilk(&path, bytes, header.as_ref(), &mut problems)?;
    Ok(Report {
        kind: Kind::of(&head),
        file: path,
        bytes,
        header,
        unilk,
        problems,
    })
}

/// Identity and hints, if the file is a unilk image with or without header;
/// what is wrong with them joins the `problems`.
fn unilk(
    path: &Path,
    bytes: u64,
    header: Option<&Header>,
    problems: &mut Vec<String>,
) -> Result<Option<Unilk>> {
    // Larger than the partition, it is no bootloader whatever it says.
    if bytes > (HEADER_BYTES + LK_PAYLOAD_MAX) as u64 {
        return Ok(None);
    }
    let file = super::read(path)?;
    let payload = match header {
        Some(_) => file.get(HEADER_BYTES..).unwrap_or_default(),
        None => &file,
    };
    let identity = match Identity::of(payload) {
        Ok(identity) => identity,
        Err(image::Error::NotUnilk) => return Ok(None),
        Err(why) => {
            problems.push(why.to_string());
            return Ok(None);
        }
    };
    if header.is_some_and(|header| header.payload_bytes != identity.image_bytes) {
        problems.push(format!(
            "the image says it has {} bytes, its header disagrees",
            identity.image_bytes
        ));
    }
    if let Err(why) = compress::unpack(payload) {
        problems.push(why.to_string());
    }
    let hints = image::hints(payload).unwrap_or_else(|why| {
        problems.push(why.to_string());
        Hints::default()
    });
    Ok(Some(Unilk {
        identity,
        hints: listed(&hints),
    }))
}

/// The hints that say something, under the names of `unilk pack`'s arguments.
fn listed(hints: &Hints<'_>) -> BTreeMap<&'static str, String> {
    let kernel = hints.kernel.map(|kernel| match kernel {
        KernelKind::DeviceTree => "tree",
        KernelKind::VendorAtag => "vendor",
    });
    let generation = hints.generation.map(|generation| match generation {
        Generation::JellyBean => "4.2",
        Generation::KitKat => "4.4",
    });
    [
        ("panel", hints.panel),
        ("board", hints.board),
        ("kernel", kernel),
        ("generation", generation),
        ("cmdline", hints.cmdline),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?.to_owned())))
    .collect()
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
    if let Some(unilk) = &report.unilk {
        let identity = unilk.identity;
        println!(
            "  unilk image   {} bytes, hints at {:#x}",
            identity.image_bytes, identity.hints_offset
        );
        println!(
            "  its parts     unpacker {}, hints and tables {}, packed {} to become {} bytes",
            identity.unpacker_bytes,
            identity.plain_bytes,
            identity.packed_bytes,
            identity.unpacked_bytes
        );
        if unilk.hints.is_empty() {
            println!("  hints         none");
        }
        for (name, value) in &unilk.hints {
            println!("  hint          {name}: {value}");
        }
    }
    for problem in &report.problems {
        println!("  problem: {problem}");
    }
}
