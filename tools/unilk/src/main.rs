//! `unilk`, the host tool: the command line over the library.
//!
//! Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong
//! arguments.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("unilk: {why:#}");
            ExitCode::FAILURE
        }
    }
}
