//! `unilk emmc`: a phone's eMMC as files.

mod build;
mod extract;
mod list;

use super::output::{Outcome, Output, STRONG};
use anstream::println;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use unilk::layout::{BUILT_IN, Layout, Place};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Write user.img, user.img.boot1 and card.json into a directory
    ///
    /// Makes MBR, EBR and PMT for a layout and puts files into its partitions,
    /// for the emulator or to look at with other tools. Nothing is written to a
    /// phone. Files are sparse: a card of 32 GiB takes no more disk than its
    /// contents.
    ///
    /// Example: unilk emmc build --part UBOOT=lk.bin --part BOOTIMG=boot.img -o card
    Build(build::Arguments),
    /// Print a layout with linear and logical addresses
    Table {
        /// a516, large-boot, or a scatter file
        #[arg(long, default_value = "a516")]
        layout: String,
    },
    /// List the partitions of an image
    ///
    /// Finds the phone's partition table in a dump, says where every partition
    /// is and whether its bytes are there, and what contradicts the table.
    ///
    /// Example: unilk emmc list ROM_0 --scatter MT6572_Android_scatter.txt
    List(list::Arguments),
    /// Take an image apart into one file a partition
    ///
    /// Writes NAME.img for every partition, a scatter file that fits them and
    /// the card's sizes. `unilk emmc build --layout DIR/MT6572_Android_scatter.txt
    /// --card DIR/card.json --parts DIR` puts them together to the same bytes.
    /// The scatter file marks nothing for download that must never be written.
    ///
    /// Example: unilk emmc extract dump.bin --part UBOOT --part LOGO -o parts
    Extract(extract::Arguments),
}

impl Command {
    pub fn run(self, output: Output) -> Result<Outcome> {
        match self {
            Self::Build(arguments) => arguments.run(output),
            Self::Table { layout } => table(&find_layout(&layout)?, output),
            Self::List(arguments) => arguments.run(output),
            Self::Extract(arguments) => arguments.run(output),
        }
    }
}

/// A built-in layout by name, or a scatter file by path.
fn find_layout(name: &str) -> Result<Layout> {
    if let Some(layout) = Layout::built_in(name) {
        return Ok(layout);
    }
    let path = Path::new(name);
    if !path.exists() {
        bail!(
            "no layout or scatter file {name}; built-in layouts are {}",
            BUILT_IN.join(", ")
        );
    }
    super::storage::layout(path)
}

/// A partition of a layout, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Row {
    name: String,
    /// Linear address; none for reserves at the end of the card.
    linear: Option<u64>,
    /// Blocks from the end of the card, for such reserves.
    #[serde(skip_serializing_if = "Option::is_none")]
    tail_blocks: Option<u16>,
    size: u64,
    logical: Option<u64>,
}

fn table(layout: &Layout, output: Output) -> Result<Outcome> {
    let mut rows = Vec::new();
    for partition in &layout.partitions {
        let (linear, tail_blocks) = match partition.place {
            Place::Linear(address) => (Some(address), None),
            Place::Tail { blocks } => (None, Some(blocks)),
        };
        rows.push(Row {
            name: partition.name.clone(),
            linear,
            tail_blocks,
            size: partition.size,
            logical: layout.logical(partition)?,
        });
    }
    output.show(&rows, |rows| {
        println!(
            "{STRONG}{:<12} {:>12} {:>12} {:>12}{STRONG:#}",
            "name", "linear", "size", "logical"
        );
        for row in rows {
            let linear = match (row.linear, row.tail_blocks) {
                (None, Some(blocks)) => format!("end-{blocks:#x}"),
                (linear, _) => hex(linear),
            };
            println!(
                "{:<12} {linear:>12} {:>#12x} {:>12}",
                row.name,
                row.size,
                hex(row.logical)
            );
        }
    })?;
    Ok(Outcome::Done)
}

fn hex(value: Option<u64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:#x}"))
}

/// `NAME=FILE` on the command line.
pub fn assignment(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(path)))
        }
        _ => Err("expected NAME=FILE, e.g. UBOOT=lk.bin".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments() {
        assert_eq!(
            assignment("UBOOT=a=b"),
            Ok(("UBOOT".to_owned(), PathBuf::from("a=b")))
        );
        for bad in ["UBOOT", "=x", "UBOOT="] {
            assert!(assignment(bad).is_err());
        }
    }
}
