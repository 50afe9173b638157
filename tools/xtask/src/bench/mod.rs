//! `cargo xtask bench`: the figures that the project promises.
//!
//! Times are virtual (`-icount`: one instruction, one nanosecond) and therefore
//! the same on every machine; only the demo's is by the clock on the wall.

mod boot;
mod figure;
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
    /// What is booted: a Debian release, or `test` for our test kernel
    #[arg(long, value_name = "RELEASE")]
    kernel: Option<String>,
}

impl Bench {
    /// Measures and prints; fails if a limit is not kept.
    pub fn run(self) -> Result<ExitCode> {
        let machine = setup::setup()?;
        artifacts::all(machine.toolchain)?;
        let payload = Payload::choose(self.kernel.as_deref())?;
        let (mut figures, before_ms) = boot::measure(&payload)?;
        figures.push(tree::measure()?);
        figures.extend(size::measure()?);
        let (identify, timelines) = identify::measure(&payload, before_ms)?;
        figures.extend(identify);
        figures.extend(scale::measure()?);
        figures.push(boot::demo(&payload)?);
        let good = figures.iter().all(Figure::holds);
        if self.json {
            println!("{}", figure::json(&payload.describe(), &figures)?);
        } else {
            println!("\nbooting {}", payload.describe());
            for figure in &figures {
                println!("  {figure}");
            }
            print!("{timelines}");
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
