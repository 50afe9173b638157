//! What all commands say alike: JSON or text, colour on terminals only,
//! progress bars, and how the process ends.

use anstream::{ColorChoice, println};
use anstyle::{AnsiColor, Style};
use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt;
use std::process::ExitCode;
use unilk::finding::{Finding, Severity, any_problem};
use unilk::progress::Progress;

/// Headings and names.
pub const STRONG: Style = Style::new().bold();
/// What is right.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What is doubtful.
pub const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// What is wrong.
pub const WRONG: Style = AnsiColor::Red.on_default().bold();

/// How a command ended, if nothing kept it from its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Done,
    /// What was looked at has problems, which were told.
    Problems,
}

impl Outcome {
    /// By what was found.
    pub fn of(findings: &[Finding]) -> Self {
        if any_problem(findings) {
            Self::Problems
        } else {
            Self::Done
        }
    }
}

/// Something that is not done because a phone would be lost by it. There is no
/// argument that changes that.
#[derive(Debug)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {}", self.0)
    }
}

impl std::error::Error for Refusal {}

/// Ends the process as `main.rs` and `--help` document it.
pub fn exit_code(result: &Result<Outcome>) -> ExitCode {
    ExitCode::from(match result {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::Problems) => 3,
        Err(why) if why.chain().any(<dyn std::error::Error>::is::<Refusal>) => 4,
        Err(_) => 1,
    })
}

/// How to talk to whoever called.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress bars
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Colour in text; auto: only on a terminal, and not if NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub enum Color {
    // On a terminal.
    #[default]
    Auto,
    // Always.
    Always,
    // Never.
    Never,
}

impl Output {
    /// Makes the choice of colour hold for all that is printed.
    pub fn apply(self) {
        match self.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
        .write_global();
    }

    /// Prints `value` as JSON if that was asked for, by `text` otherwise.
    pub fn show<T: serde::Serialize>(self, value: &T, text: impl FnOnce(&T)) -> Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(value)?);
        } else {
            text(value);
        }
        Ok(())
    }

    /// A bar on standard error, if somebody is looking.
    pub fn progress(self) -> Bar {
        Bar {
            bar: None,
            hidden: self.quiet || self.json,
        }
    }
}

/// Prints what was found, worst last, where a person reads first.
pub fn print_findings(findings: &[Finding]) {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.severity);
    for finding in sorted {
        let style = match finding.severity {
            Severity::Note => Style::new(),
            Severity::Warning => DOUBTFUL,
            Severity::Problem => WRONG,
        };
        let word = finding.severity.word();
        println!("{style}{word}{style:#} {}: {}", finding.code, finding.text);
    }
}

/// A progress bar on standard error; nothing where that is no terminal.
pub struct Bar {
    bar: Option<ProgressBar>,
    hidden: bool,
}

impl Progress for Bar {
    fn begin(&mut self, what: &str, bytes: u64) {
        self.finish();
        if self.hidden {
            return;
        }
        let style = "{msg:<14} {bar:30} {bytes:>11} of {total_bytes:<11} {bytes_per_sec:>13}";
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr())
            .with_message(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        self.bar = Some(bar);
    }

    fn advance(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
