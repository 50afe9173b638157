//! `unilk`, the host tool: the command line over the library.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = cli::Cli::parse().run();
    if let Err(why) = &result {
        eprintln!("unilk: {why:#}");
    }
    cli::output::exit_code(&result)
}
