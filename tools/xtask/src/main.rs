//! `cargo xtask`: the developer's door to unilk. `demo` and `test` do all
//! set-up themselves; everything made or downloaded lies in `target/unilk`.

mod artifacts;
mod bench;
mod check;
mod cpio;
mod db;
mod debian;
mod demo;
mod emulator;
mod fuzz;
mod import;
mod initramfs;
mod matrix;
mod paths;
mod report;
mod run;
mod screen;
mod setup;
mod shell;
mod storage;
mod summary;
mod toolchain;
mod trace;
mod ui;

/// The compiler of the driver table, to make tables of some of its rows.
#[path = "../../../board-db/build/source/mod.rs"]
#[allow(dead_code, unused_imports, reason = "more of it is the build script's")]
mod source;

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
    /// Install what the machine lacks, fetch Debian's kernels
    Setup,
    /// Build lk.bin, the test kernels, the device trees and the QEMU plugin
    Build,
    /// Build and run every check and test
    Test {
        /// All boots of the generated matrix, not a tenth of them; goes on where
        /// an earlier run with the same bootloader stopped
        #[arg(long)]
        full: bool,
        /// Passed to cargo test, e.g. -p unilk-core
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        filter: Vec<String>,
    },
    Demo(demo::Demo),
    Run(run::Run),
    Bench(bench::Bench),
    Fuzz(fuzz::Fuzz),
    ImportMatrix(matrix::ImportMatrix),
    ImportFacts(import::Import),
    DbPlan(db::plan::Plan),
    DbReport(db::report::Report),
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
            storage::provide_for_tests()?;
            println!("everything is there; `cargo xtask demo` boots a phone");
        }
        Command::Build => artifacts::all(setup::setup()?.toolchain)?,
        Command::Test { full, filter } => return check::run(full, &filter),
        Command::Demo(demo) => return demo.run(),
        Command::Run(run) => return run.run(),
        Command::Bench(bench) => return bench.run(),
        Command::Fuzz(fuzz) => return fuzz.run(),
        Command::ImportMatrix(import) => import.run()?,
        Command::ImportFacts(import) => import.run()?,
        Command::DbPlan(plan) => plan.run(),
        Command::DbReport(report) => report.run()?,
    }
    Ok(ExitCode::SUCCESS)
}
