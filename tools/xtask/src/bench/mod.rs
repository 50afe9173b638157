//! `cargo xtask bench`: the figures that the project promises.
//!
//! Times are virtual (`-icount`: one instruction, one nanosecond) and therefore
//! the same on every machine; only the demo's and the host tool's are by the
//! clock on the wall.

mod boot;
mod figure;
mod host;
mod identify;
mod scale;
mod size;
mod table;
mod tree;

use crate::storage::Payload;
use crate::{artifacts, setup};
use anyhow::Result;
use clap::Args;
use figure::Figure;
use std::process::ExitCode;

/// Measure the promised figures, in virtual time where it is about the phone
#[derive(Args)]
pub struct Bench {
    /// Print JSON on standard output
    #[arg(long)]
    json: bool,
    /// Only the host tool's figures: ratios of wall times, on a quiet machine
    #[arg(long)]
    host: bool,
    /// Only the phone's figures, which are the same on every machine
    #[arg(long, conflicts_with = "host")]
    phone: bool,
    /// What is booted: a Debian release, or `test` for our test kernel
    #[arg(long, value_name = "RELEASE")]
    kernel: Option<String>,
}

impl Bench {
    /// Measures and prints; fails if a limit is not kept.
    pub fn run(self) -> Result<ExitCode> {
        let machine = setup::setup()?;
        let mut figures = Vec::new();
        let mut timelines = None;
        let mut booted = "nothing".to_owned();
        if !self.host {
            artifacts::all(machine.toolchain)?;
            let payload = Payload::choose(self.kernel.as_deref())?;
            let (boot, before_ms) = boot::measure(&payload)?;
            figures.extend(boot);
            figures.push(tree::measure()?);
            figures.extend(size::measure()?);
            let (identify, lines) = identify::measure(&payload, before_ms)?;
            figures.extend(identify);
            figures.extend(scale::measure()?);
            figures.push(boot::demo(&payload)?);
            timelines = Some(lines);
            booted = payload.describe();
        }
        if !self.phone {
            figures.extend(host::measure()?);
        }
        let good = figures.iter().all(Figure::holds);
        if self.json {
            println!("{}", figure::json(&booted, &figures)?);
        } else {
            println!("\nbooting {booted}");
            for figure in &figures {
                println!("  {figure}");
            }
            if let Some(timelines) = timelines {
                print!("{timelines}");
            }
            let over = figures.iter().filter(|figure| !figure.holds()).count();
            match over {
                0 => println!("\nbench: OK, all limits kept"),
                1 => println!("\nbench: FAILED, 1 limit is not kept or was not measured"),
                _ => println!("\nbench: FAILED, {over} limits are not kept or were not measured"),
            }
        }
        Ok(if good {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
