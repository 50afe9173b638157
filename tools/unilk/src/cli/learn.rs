//! `unilk learn`: what a phone's own stock LK knows of its panels.

use super::output::{DOUBTFUL, GOOD, Outcome, Output, STRONG, WRONG};
use super::storage::Dump;
use anstream::println;
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use unilk::progress::Progress;
use unilk::source::Source;
use unilk_learn::identify::Method;
use unilk_learn::image::LONGEST;
use unilk_learn::known::Known;
use unilk_learn::learn::{Driver, Learned, Options, learn};
use unilk_learn::row;

/// How every file begins that this command writes, and may write again.
const MARK: &str = "# Source: learned from a stock LK";

/// How the command is used.
pub const EXAMPLES: &str = "\
Examples:
  unilk learn lk.bin                       what it knows
  unilk learn lk.bin -o my-phone           and a row of the table for each panel
  unilk learn rom_dump.bin -o my-phone     the LK in a dump of the whole eMMC";

#[derive(clap::Args)]
pub struct Arguments {
    /// Stock lk.bin, dump of UBOOT, or dump of the whole eMMC
    #[arg(required = true)]
    stock: Vec<PathBuf>,
    /// Directory for the rows: a folder `panels` and `board.toml`
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Name of the phone, for the board's row
    #[arg(long, value_name = "NAME", default_value = "learned")]
    board: String,
    /// The emulator to run the drivers in
    #[arg(long, value_name = "PROGRAM", default_value = "qemu-system-arm")]
    qemu: String,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let mut all = Vec::new();
        let mut outcome = Outcome::Done;
        for path in &self.stock {
            let learned = self.one(path, output);
            match learned {
                Ok(learned) => {
                    if let Some(directory) = &self.output {
                        let directory = self.place(directory, path);
                        self.write(&directory, &learned)?;
                    }
                    if !learned.drivers.iter().all(Driver::complete) {
                        outcome = Outcome::Problems;
                    }
                    all.push((path.display().to_string(), learned));
                }
                Err(why) if self.stock.len() == 1 => return Err(why),
                Err(why) => {
                    anstream::eprintln!("{WRONG}{why:#}{WRONG:#}");
                    outcome = Outcome::Problems;
                }
            }
        }
        output.show(&all, |all| {
            for (path, learned) in all {
                show(path, learned);
            }
        })?;
        Ok(outcome)
    }

    fn one(&self, path: &Path, output: Output) -> Result<Learned> {
        let file = lk(path)?;
        let options = Options {
            qemu: self.qemu.clone(),
            ..Options::default()
        };
        let mut bar = output.progress();
        let mut begun = false;
        let learned = learn(&file, &options, |_, number, count| {
            if begun {
                bar.advance(1);
            } else {
                bar.begin("drivers", count as u64);
                bar.advance(number as u64);
                begun = true;
            }
        });
        bar.finish();
        learned.with_context(|| path.display().to_string())
    }

    /// Several images get a folder each.
    fn place(&self, directory: &Path, path: &Path) -> PathBuf {
        match path.file_stem() {
            Some(stem) if self.stock.len() > 1 => directory.join(stem),
            _ => directory.to_owned(),
        }
    }

    fn write(&self, directory: &Path, learned: &Learned) -> Result<()> {
        let rows = row::panels(learned);
        let panels = directory.join("panels");
        let context = || format!("cannot write to {}", panels.display());
        std::fs::create_dir_all(&panels).with_context(context)?;
        for row in &rows {
            write(&panels.join(format!("{}.toml", row.id)), &row.text)?;
        }
        write(
            &directory.join("board.toml"),
            &row::board(learned, &self.board, &rows),
        )
    }
}

/// Never over what a person wrote.
fn write(path: &Path, text: &str) -> Result<()> {
    if let Ok(old) = std::fs::read_to_string(path) {
        ensure!(
            old.starts_with(MARK),
            "{} is not from this command, and stays: choose another directory with -o",
            path.display()
        );
    }
    super::write(path, text.as_bytes())
}

/// The LK in a file of its own, or in the storage that `path` is a dump of.
fn lk(path: &Path) -> Result<Vec<u8>> {
    let context = || format!("cannot read {}", path.display());
    let about = std::fs::metadata(path).with_context(context)?;
    if about.is_file() && about.len() <= LONGEST as u64 {
        return super::read(path);
    }
    let storage = Dump::of(path).open()?;
    let part = storage.find("UBOOT");
    let Some(bytes) = part.and_then(|part| storage.window(part)) else {
        bail!(
            "{}: no UBOOT partition in it: give lk.bin, or a dump that holds UBOOT",
            path.display()
        );
    };
    bytes.read_some(0, LONGEST).with_context(context)
}

fn show(path: &str, learned: &Learned) {
    println!("{STRONG}{path}{STRONG:#}  SHA-256 {}", learned.sha256);
    for driver in &learned.drivers {
        let params = &driver.params;
        let (style, word) = if driver.complete() {
            (GOOD, "learned")
        } else {
            (DOUBTFUL, "in part")
        };
        println!(
            "  {STRONG}{}{STRONG:#}  {}x{}  {}  {style}{word}{style:#} in {:.1} s",
            driver.name,
            params.width,
            params.height,
            driver.controller,
            driver.milliseconds as f64 / 1000.0
        );
        println!(
            "    init     {} steps, power-down {}",
            driver.init.steps.len(),
            driver.power_down.steps.len()
        );
        println!("    ID       {}", identification(driver));
        println!("    table    {}", known(&driver.known));
        for (function, why) in &driver.failures {
            println!("    {WRONG}{function}{WRONG:#}  {why}");
        }
        for note in &driver.init.notes {
            println!("    {DOUBTFUL}also{DOUBTFUL:#}     {note}");
        }
        for step in &driver.init.burners {
            let line = unilk_learn::script::line(step);
            println!("    {WRONG}one-time memory{WRONG:#}, left out: {line}");
        }
    }
}

fn identification(driver: &Driver) -> String {
    let found = &driver.identification;
    match found.method {
        Method::None => "none: the driver has no compare_id".to_owned(),
        Method::AlwaysTrue => "none: accepts everything, asks nothing".to_owned(),
        Method::AlwaysFalse => "none: accepts nothing, asks nothing".to_owned(),
        Method::ReadsAlwaysTrue => "none: accepts every answer".to_owned(),
        Method::AlmostAlwaysTrue => "none: accepts almost every answer".to_owned(),
        Method::NeverAccepted => "no answer found that it accepts".to_owned(),
        Method::Solved => row::ways(found).join(" or "),
        Method::Failed => match &found.failure {
            Some(why) => format!("could not be run: {why}"),
            None => "could not be run".to_owned(),
        },
    }
}

fn known(known: &Known) -> String {
    match known {
        Known::Same(row) => format!("same as {row}"),
        Known::Near { row, percent } => format!("nearly {row} ({percent} %)"),
        Known::New => "new".to_owned(),
    }
}
