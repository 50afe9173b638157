//! Runs other programs: quietly, with what they said shown if they fail.

use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::{Command, Output};

/// Lines of a failed program's output that are shown.
const SHOWN_LINES: usize = 30;

/// Runs `command` and returns its standard output.
pub fn quiet(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    if !output.status.success() {
        bail!(
            "{} failed ({}):\n{}",
            describe(command),
            output.status,
            tail(&output)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs `command`; if it fails, the error is everything that it said.
pub fn check(command: &mut Command) -> Result<()> {
    let output = output(command)?;
    if !output.status.success() {
        bail!(
            "{} failed ({}):\n{}",
            describe(command),
            output.status,
            text(&output)
        );
    }
    Ok(())
}

/// The installed program called `name`. Looks in the administrator's
/// directories too: `sfdisk` is there, outside most users' path.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

fn output(command: &mut Command) -> Result<Output> {
    command
        .output()
        .with_context(|| format!("cannot start {}", describe(command)))
}

fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn tail(output: &Output) -> String {
    let text = text(output);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_what_the_program_said() {
        let error = quiet(Command::new("sh").args(["-c", "echo said; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("said"));
        let long = "seq 100; exit 1";
        let some = quiet(Command::new("sh").args(["-c", long])).unwrap_err();
        assert!(!some.to_string().contains("\n1\n"), "the last lines only");
        let all = check(Command::new("sh").args(["-c", long])).unwrap_err();
        assert!(all.to_string().contains("\n1\n"));
        assert!(quiet(&mut Command::new("/nonexistent")).is_err());
    }

    #[test]
    fn programs_are_found() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program").is_none());
    }
}
