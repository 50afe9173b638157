//! Reads along with `cargo test`: what passed, what failed, what was skipped.
//!
//! A test that lacks what it needs (a kernel, another tool) prints a line that
//! begins with `skipped:` and passes. So that it is not taken for one that
//! held, the output of tests that passed is asked for (`--show-output`),
//! searched for such lines and otherwise left out.

use std::collections::{BTreeMap, BTreeSet};

/// Begins the line of a test that could not be done.
const SKIPPED: &str = "skipped:";

/// Totals over all test programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    passed: usize,
    /// Tests that failed.
    pub failed: usize,
    ignored: usize,
    /// Tests that said so, and why.
    skipped: BTreeMap<String, String>,
    /// Names of the tests that failed.
    failures: BTreeSet<String>,
    place: Place,
}

/// Which part of a test program's report is being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Progress,
    /// Output of a test that passed.
    Success(String),
}

impl Totals {
    /// Takes a line of the report; whether a person wants to see it.
    pub fn take(&mut self, line: &str) -> bool {
        let line = line.trim_end();
        if line == "successes:" {
            self.place = Place::Success(String::new());
        } else if line == "failures:" || line.starts_with("test result: ") {
            self.place = Place::Progress;
        }
        self.count(line);
        if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failures.insert(name.to_owned());
        }
        let Place::Success(test) = &mut self.place else {
            return true;
        };
        if let Some(name) = header(line) {
            name.clone_into(test);
        } else if let Some(why) = line.strip_prefix(SKIPPED) {
            self.skipped
                .insert(test.clone(), why.trim_start().to_owned());
        }
        false
    }

    /// The tests that failed, by name.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        self.failures.iter().map(String::as_str)
    }

    /// The tests that were skipped, and why.
    pub fn skipped(&self) -> impl Iterator<Item = (&str, &str)> {
        self.skipped
            .iter()
            .map(|(test, why)| (test.as_str(), why.as_str()))
    }

    fn count(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test result: ") else {
            return;
        };
        let counts = rest.split_once(". ").map_or("", |(_, counts)| counts);
        for part in counts.split("; ") {
            let Some((number, what)) = part.split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<usize>() else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// The test whose output this line begins: `---- some::test stdout ----`.
fn header(line: &str) -> Option<&str> {
    line.strip_prefix("---- ")?.strip_suffix(" stdout ----")
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let skipped = self.skipped.len();
        write!(
            f,
            "total: {} passed, {} failed, {} skipped",
            self.passed.saturating_sub(skipped),
            self.failed,
            self.ignored + skipped
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "\
running 3 tests
test good ... ok
test poor ... ok
test bad ... FAILED

successes:

---- good stdout ----
successes of its own

---- poor stdout ----
skipped: no kernel of trixie

successes:
    good
    poor

failures:

---- bad stdout ----
thread panicked
skipped: not taken from a failure

failures:
    bad

test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s
";

    fn read(report: &str) -> (Totals, Vec<&str>) {
        let mut totals = Totals::default();
        let shown = report.lines().filter(|line| totals.take(line)).collect();
        (totals, shown)
    }

    #[test]
    fn results_of_all_programs_add_up() {
        let (totals, _) = read(
            "test result: ok. 40 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.50s\n\
             test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s\n\
             test result: nonsense\n",
        );
        assert_eq!(totals.to_string(), "total: 42 passed, 3 failed, 1 skipped");
    }

    #[test]
    fn a_skipped_test_is_no_passed_test() {
        let (totals, _) = read(REPORT);
        assert_eq!(totals.to_string(), "total: 1 passed, 1 failed, 1 skipped");
        let skipped: Vec<_> = totals.skipped().collect();
        assert_eq!(skipped, [("poor", "no kernel of trixie")]);
        assert_eq!(totals.failures().collect::<Vec<_>>(), ["bad"]);
    }

    #[test]
    fn output_is_shown_of_failures_only() {
        let (_, shown) = read(REPORT);
        assert!(shown.contains(&"test good ... ok"));
        assert!(shown.contains(&"thread panicked"));
        assert!(!shown.contains(&"successes of its own"));
        assert!(!shown.iter().any(|line| line.contains("trixie")));
    }
}
