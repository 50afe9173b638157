//! `unilk db`: the driver table, and rows to be added to it.

use super::output::{DOUBTFUL, GOOD, Outcome, Output, STRONG, print_findings};
use anstream::println;
use anyhow::{Context, Result, anyhow, bail};
use std::path::PathBuf;
use unilk::db::alike::{Alike, Told};
use unilk::db::{self, Entry, Filter, Hit, Kind, Row, Sequence, Sheet};
use unilk::finding::Finding;
use unilk::simulate::built_in;

const LIST: &str = "\
Example:
  unilk db list --kind panel --controller ili9806e --size 480x854";

const SEARCH: &str = "\
Examples:
  unilk db search ili9806e            part of a name, of a controller, of a compatible
  unilk db search \"98 06 04\"          bytes that a panel answers
  unilk db search DA=40               bytes that it answers to one register
  unilk db search 0x5645              ID of a camera
  unilk db search 5d --kind touch     I2C address";

const LINT: &str = "\
Example:
  unilk db lint my-rows/panels/my-panel.toml

A file is a panel, touch chip, camera, wiring or board by the folder that it is in, or by its fields.
Exit code 3: a row has a fault that would stop a build of the table.";

#[derive(clap::Subcommand)]
pub enum Command {
    /// List panels, touch chips, cameras, boards and wirings
    #[command(after_help = LIST)]
    List(FilterArguments),
    /// Find rows by any part of what they say
    ///
    /// Names of rows and of the vendors' drivers, controllers, names in
    /// mainline Linux; and, in hexadecimal, bytes of IDs and I2C addresses.
    #[command(after_help = SEARCH)]
    Search {
        /// What to look for
        text: String,
        #[command(flatten)]
        filter: FilterArguments,
    },
    /// Show all that the table knows of a row
    ///
    /// Geometry, link, timing, what it is known by, and the initialisation
    /// step by step; where it was seen.
    Show {
        /// Name of the row, or of a vendor's driver
        name: String,
        /// What it is, where a name has several meanings
        #[arg(long, value_enum)]
        kind: Option<KindArgument>,
        /// Leave out the command sequences
        #[arg(long)]
        short: bool,
    },
    /// Tell which rows answer as one does, and what else tells them apart
    ///
    /// The table's panels are asked by the bootloader's own code: those that
    /// are listed, a phone cannot tell from this one by asking.
    Alike {
        /// Name of the row, or of a vendor's driver
        name: String,
        /// What it is, where a name has several meanings
        #[arg(long, value_enum)]
        kind: Option<KindArgument>,
    },
    /// Check rows in TOML files as the build of the table does
    #[command(after_help = LINT)]
    Lint {
        /// Files, or folders with some
        #[arg(required = true, value_name = "FILE_OR_FOLDER")]
        paths: Vec<PathBuf>,
    },
}

/// Which rows.
#[derive(clap::Args)]
pub struct FilterArguments {
    /// Only rows of this kind
    #[arg(long, value_enum)]
    kind: Option<KindArgument>,
    /// Only of controllers or chips with this in their name
    #[arg(long, value_name = "NAME")]
    controller: Option<String>,
    /// Only panels of so many pixels: 480x854
    #[arg(long, value_name = "WxH", value_parser = pixels)]
    size: Option<(u16, u16)>,
    /// Only what was seen on this board
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
}

/// What a row describes.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum KindArgument {
    /// Display modules
    Panel,
    /// Touch controllers
    Touch,
    /// Camera sensors
    Camera,
    /// Phones
    Board,
    /// What boards connect where
    Wiring,
}

impl From<KindArgument> for Kind {
    fn from(kind: KindArgument) -> Self {
        match kind {
            KindArgument::Panel => Self::Panel,
            KindArgument::Touch => Self::Touch,
            KindArgument::Camera => Self::Camera,
            KindArgument::Board => Self::Board,
            KindArgument::Wiring => Self::Wiring,
        }
    }
}

fn pixels(text: &str) -> Result<(u16, u16), String> {
    let parsed = text
        .split_once(['x', 'X'])
        .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    parsed.ok_or_else(|| "expected pixels such as 480x854".to_owned())
}

impl FilterArguments {
    fn filter(self) -> Result<Filter> {
        if let Some(board) = &self.board {
            unilk::names::board(board).map_err(|why| anyhow!("--board {why}"))?;
        }
        Ok(Filter {
            kind: self.kind.map(Kind::from),
            controller: self.controller,
            size: self.size,
            board: self.board,
        })
    }
}

impl Command {
    pub fn run(self, output: Output) -> Result<Outcome> {
        match self {
            Self::List(filter) => output.show(&db::list(&filter.filter()?), |rows| table(rows))?,
            Self::Search { text, filter } => {
                let hits = db::search(&text, &filter.filter()?);
                output.show(&hits, |hits| print_hits(&text, hits))?;
            }
            Self::Show { name, kind, short } => {
                let mut sheet = Sheet::of(&Row::named(&name, kind.map(Kind::from))?);
                if short {
                    (sheet.init, sheet.power_down) = (None, None);
                }
                output.show(&sheet, print_sheet)?;
            }
            Self::Alike { name, kind } => {
                let row = Row::named(&name, kind.map(Kind::from))?;
                let Some(alike) = Alike::of(&built_in(), &row) else {
                    bail!(
                        "{name} is a {}: only panels, touch chips and cameras answer",
                        row.kind().word()
                    );
                };
                output.show(&alike, print_alike)?;
            }
            Self::Lint { paths } => return lint(&paths, output),
        }
        Ok(Outcome::Done)
    }
}

fn lint(paths: &[PathBuf], output: Output) -> Result<Outcome> {
    #[derive(serde::Serialize)]
    struct Checked {
        files: usize,
        findings: Vec<Finding>,
    }
    for path in paths {
        path.metadata()
            .with_context(|| format!("cannot read {}", path.display()))?;
    }
    let (files, findings) = db::lint::lint(paths)?;
    let checked = Checked { files, findings };
    output.show(&checked, |checked| {
        print_findings(&checked.findings);
        let files = checked.files;
        match checked.findings.len() {
            0 => println!("{files} files, {GOOD}all is well{GOOD:#}"),
            count => println!("{files} files, {count} findings"),
        }
    })?;
    Ok(Outcome::of(&checked.findings))
}

fn table(rows: &[Entry]) {
    let id = rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
    let chip = rows
        .iter()
        .map(|row| row.controller.len())
        .max()
        .unwrap_or(0);
    for row in rows {
        line(row, id, chip, "");
    }
    println!("{} rows", rows.len());
}

fn line(row: &Entry, id: usize, chip: usize, more: &str) {
    let shipped = row.shipped.filter(|&count| count > 0);
    let shipped = shipped.map_or_else(String::new, |count| format!("  shipped {count}"));
    println!(
        "{:<7} {STRONG}{:<id$}{STRONG:#}  {:<chip$}  {}{shipped}{more}",
        row.kind.word(),
        row.id,
        row.controller,
        row.summary
    );
}

fn print_hits(text: &str, hits: &[Hit]) {
    if hits.is_empty() {
        println!("nothing in the table has \"{text}\" in it");
    }
    let id = hits.iter().map(|hit| hit.entry.id.len()).max().unwrap_or(0);
    let chip = hits.iter().map(|hit| hit.entry.controller.len()).max();
    for hit in hits {
        line(
            &hit.entry,
            id,
            chip.unwrap_or(0),
            &format!("  [{}]", hit.by),
        );
    }
}

fn print_sheet(sheet: &Sheet) {
    println!("{STRONG}{} {}{STRONG:#}", sheet.kind.word(), sheet.id);
    for fact in &sheet.facts {
        println!("  {:<17} {}", fact.name, fact.text);
    }
    print_ids(&sheet.ids);
    if !sheet.boards.is_empty() {
        println!("  {:<17} {}", "seen on", sheet.boards.join(", "));
    }
    sequence("initialisation", sheet.init.as_ref());
    sequence("power-down", sheet.power_down.as_ref());
}

fn print_ids(ids: &[Vec<String>]) {
    for (index, lines) in ids.iter().enumerate() {
        let mut name = if index == 0 { "known by" } else { "or by" };
        for line in lines {
            println!("  {name:<17} {line}");
            name = "";
        }
    }
}

fn sequence(name: &str, sequence: Option<&Sequence>) {
    let Some(sequence) = sequence.filter(|sequence| !sequence.steps.is_empty()) else {
        return;
    };
    println!(
        "{STRONG}{name}{STRONG:#}: {} steps, {} ms of waiting",
        sequence.steps.len(),
        sequence.delay_ms
    );
    for (number, step) in sequence.steps.iter().enumerate() {
        println!("  {:>4}  {step}", number + 1);
    }
}

fn print_alike(alike: &Alike) {
    println!("{STRONG}{} {}{STRONG:#}", alike.kind.word(), alike.id);
    print_ids(&alike.ids);
    for (index, mark) in alike.marks.iter().enumerate() {
        println!("  {:<17} {mark}", if index == 0 { "besides" } else { "" });
    }
    let (style, verdict) = match (alike.told, alike.others.len()) {
        (Some(Told::ById(1)), _) | (None, 0) => (GOOD, "told by its answer alone".to_owned()),
        (Some(Told::ById(_)) | None, others) => (DOUBTFUL, format!("{others} others answer alike")),
        (Some(Told::ByPins), _) => (
            DOUBTFUL,
            "its driver reads no register: only pins or a voltage tell it".to_owned(),
        ),
        (Some(Told::ByController), others) => (
            DOUBTFUL,
            format!(
                "its driver reads nothing: where its controller answers, it comes after the others of it ({others} rows)"
            ),
        ),
        (Some(Told::ByNothing), others) => (
            DOUBTFUL,
            format!(
                "no driver of its controller reads anything: only a hint, the kernel, the board or a person names it ({others} more rows of it)"
            ),
        ),
        (Some(Told::NotDriven), _) => (
            DOUBTFUL,
            "unilk does not drive its bus: it is only named".to_owned(),
        ),
    };
    println!("{style}{verdict}{style:#}");
    for other in &alike.others {
        let glass = match other.same_glass {
            Some(true) => "  (shows a picture with this one's table)",
            _ => "",
        };
        println!("  {STRONG}{}{STRONG:#}{glass}", other.id);
        for apart in &other.apart {
            println!("      {apart}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_pixels() {
        assert_eq!(pixels("480x854"), Ok((480, 854)));
        for bad in ["480", "480x", "x", "480*854", "99999x1"] {
            assert!(pixels(bad).is_err(), "{bad}");
        }
    }
}
