//! `cargo xtask`: the developer's door to unilk. `demo` and `test` do all
//! set-up themselves; everything made or downloaded lies in `target/unilk`.

mod artifacts;
mod cpio;
mod debian;
mod initramfs;
mod paths;
mod setup;
mod shell;
mod toolchain;
mod trace;
mod ui;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Set-up, build, run, test and bench of unilk.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the machine lacks
    Setup,
    /// Build lk.bin, the test kernel, the device trees and the QEMU plugin
    Build,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("xtask: {why:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Setup => {
            setup::setup()?;
        }
        Command::Build => artifacts::all(setup::setup()?.toolchain)?,
    }
    Ok(ExitCode::SUCCESS)
}
