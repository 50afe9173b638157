//! `cargo xtask test`: formatting, lints, documentation and every test, with
//! closing lines that say how it went.

use crate::summary::Totals;
use crate::{artifacts, debian, paths, setup, shell, storage, ui};
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// What runs on the phone, and the features that it is checked with.
const PHONE_CRATES: [(&str, &str); 5] = [
    ("unilk-lk", ""),
    ("unilk-unpack", ""),
    ("unilk-testkernel", "head-tree"),
    ("mt6572-hal", "defmt"),
    ("unilk-core", "defmt"),
];

/// Sets the machine up, builds, checks and tests everything. `filter` goes to
/// `cargo test`, and leaves out all but the tests. `full`: all boots of the
/// generated matrix.
pub fn run(full: bool, filter: &[String]) -> Result<ExitCode> {
    let started = Instant::now();
    let machine = setup::setup()?;
    artifacts::all(machine.toolchain)?;
    artifacts::with_more_rows(machine.toolchain)?;
    storage::provide_for_tests()?;
    let mut complaints = Vec::new();
    if filter.is_empty() {
        for (name, component, mut commands) in checks() {
            if has(component) {
                complaints.extend(check(name, &mut commands));
            } else {
                ui::note(&format!("{name}: skipped, there is no cargo {component}"));
            }
        }
    }
    let (totals, all_ran) = tests(full, filter)?;
    println!();
    for (test, why) in totals.skipped() {
        println!("skipped: {test}: {why}");
    }
    for test in totals.failures() {
        println!("failed: {test}");
    }
    for complaint in &complaints {
        println!("failed: {complaint}");
    }
    if !all_ran && totals.failed == 0 {
        println!("failed: a test program was not built, or did not come to its end");
    }
    println!("took {:.1} min", started.elapsed().as_secs_f32() / 60.0);
    println!("{totals}");
    Ok(if complaints.is_empty() && all_ran && totals.failed == 0 {
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

/// Whether cargo has this subcommand: Debian's comes without some of them.
fn has(component: &str) -> bool {
    shell::quiet(cargo().args([component, "--version"])).is_ok()
        || shell::quiet(cargo().args([component, "--help"])).is_ok()
}

/// Each check: its name, the subcommand that it needs, what it runs.
fn checks() -> [(&'static str, &'static str, Vec<Command>); 4] {
    let command = |arguments: &[&str]| {
        let mut command = cargo();
        command.args(arguments);
        command
    };
    let mut documentation = command(&["doc", "--quiet", "--no-deps"]);
    documentation.env("RUSTDOCFLAGS", "-D warnings");
    [
        (
            "formatting",
            "fmt",
            vec![command(&["fmt", "--all", "--check"])],
        ),
        (
            "lints",
            "clippy",
            vec![command(&[
                "clippy",
                "--quiet",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ])],
        ),
        ("lints for the phone", "clippy", phone_lints()),
        ("documentation", "doc", vec![documentation]),
    ]
}

fn phone_lints() -> Vec<Command> {
    let lint = |(name, features)| {
        let mut command = cargo();
        command
            .args(["clippy", "--quiet", "--target", paths::BARE_METAL])
            .args(["--package", name, "--features", features])
            .args(["--", "-D", "warnings"])
            .env("UNILK_GENERIC_DTB", paths::generic_dtb());
        command
    };
    PHONE_CRATES.into_iter().map(lint).collect()
}

/// Runs a check; a complaint if it fails, after what it said.
fn check(name: &str, commands: &mut [Command]) -> Option<String> {
    let step = ui::step(name);
    let mut clean = true;
    for command in commands {
        if let Err(why) = shell::check(command) {
            eprintln!("{why:#}");
            clean = false;
        }
    }
    if clean {
        step.done("clean");
        None
    } else {
        drop(step);
        Some(format!("{name}: see above"))
    }
}

/// Arguments of `cargo test` for `filter`, which may hold some for the test
/// programs behind a `--`.
fn test_arguments(filter: &[String]) -> Vec<&str> {
    let mut arguments = vec!["test", "--no-fail-fast"];
    arguments.extend(filter.iter().map(String::as_str));
    if !filter.iter().any(|word| word == "--") {
        arguments.push("--");
    }
    arguments.push("--show-output");
    arguments
}

/// Runs all tests on our terminal, counting as they report. The second value
/// says whether every test program ran and passed.
fn tests(full: bool, filter: &[String]) -> Result<(Totals, bool)> {
    eprintln!("==> tests");
    let mut command = cargo();
    if full {
        command.env("UNILK_MATRIX", "full");
    }
    let mut child = command
        .args(test_arguments(filter))
        // Where tests find what was built and fetched for them; see
        // `artifacts`.
        .env("UNILK_ARTIFACTS", paths::work())
        .env("UNILK_PLUGIN", artifacts::plugin_library())
        .env("UNILK_ZIMAGES", debian::zimages_for_tests())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo test")?;
    let mut totals = Totals::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.context("cannot read what cargo test says")?;
            let line = String::from_utf8_lossy(&line);
            if totals.take(&line) {
                println!("{line}");
            }
        }
    }
    let status = child.wait().context("cargo test")?;
    Ok((totals, status.success()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_test_programs_stay_behind_the_dashes() {
        let words =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        let joined = |filter: &str| test_arguments(&words(filter)).join(" ");
        assert_eq!(joined(""), "test --no-fail-fast -- --show-output");
        assert_eq!(
            joined("-p unilk -- scatter"),
            "test --no-fail-fast -p unilk -- scatter --show-output"
        );
    }
}
