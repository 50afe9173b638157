//! `cargo xtask test`: formatting, lints and every test, with one closing line.

use crate::summary::Totals;
use crate::toolchain::Toolchain;
use crate::{artifacts, paths, setup, shell, storage, ui};
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

/// Crates that run on the phone only; they are linted for its target.
const PHONE_CRATES: [&str; 2] = ["unilk-lk", "unilk-testkernel"];

/// Sets the machine up, builds, checks and tests everything. `filter` goes to
/// `cargo test`.
pub fn run(filter: &[String]) -> Result<ExitCode> {
    let machine = setup::setup()?;
    artifacts::all(machine.toolchain)?;
    storage::provide_for_tests()?;
    let mut complaints = Vec::new();
    if filter.is_empty() {
        complaints.extend(check(
            "formatting",
            cargo().args(["fmt", "--all", "--check"]),
        ));
        complaints.extend(check("lints", &mut host_lints()));
        // Clippy comes with rustup's toolchain only.
        if machine.toolchain == Toolchain::Rustup {
            complaints.extend(check("lints for the phone", &mut phone_lints()));
        }
    }
    let (totals, all_ran) = tests(filter)?;
    for complaint in &complaints {
        println!("{complaint}");
    }
    println!("{totals}");
    let good = complaints.is_empty() && all_ran && totals.failed == 0;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(paths::root());
    command
}

/// Runs a check; a complaint if it fails, after what it said.
fn check(name: &str, command: &mut Command) -> Option<String> {
    let step = ui::step(name);
    match shell::quiet(command) {
        Ok(_) => {
            step.done("clean");
            None
        }
        Err(why) => {
            drop(step);
            println!("{why:#}");
            Some(format!("{name}: not clean, see above"))
        }
    }
}

fn host_lints() -> Command {
    let mut command = cargo();
    command.args(["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"]);
    command
}

fn phone_lints() -> Command {
    let mut command = cargo();
    command.args(["clippy", "--quiet", "--target", paths::BARE_METAL]);
    for name in PHONE_CRATES {
        command.args(["--package", name]);
    }
    command
        .args(["--", "-D", "warnings"])
        .env("UNILK_GENERIC_DTB", paths::generic_dtb());
    command
}

/// Runs all tests on our terminal, counting as they report. The second value
/// says whether every test program ran and passed.
fn tests(filter: &[String]) -> Result<(Totals, bool)> {
    let mut child = cargo()
        .args(["test", "--no-fail-fast"])
        .args(filter)
        // Where boot tests find what was built and fetched for them.
        .env("UNILK_PLUGIN", artifacts::plugin_library())
        .env("UNILK_LK", paths::lk_image())
        .env("UNILK_WORK", paths::work())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo test")?;
    let mut totals = Totals::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.context("cannot read what cargo test says")?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            totals.take(&line);
        }
    }
    let status = child.wait().context("cargo test")?;
    Ok((totals, status.success()))
}
