//! Progress: a spinner for each long step, or plain lines where nobody watches
//! (a pipe, or `CI=true`). All of it goes to standard error, so that results
//! alone are on standard output.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// A step that takes its time. Ends with [`Step::done`]; dropped without it,
/// it is shown as failed.
pub struct Step {
    name: String,
    started: Instant,
    bar: Option<ProgressBar>,
    finished: bool,
}

/// Begins a step and says so.
pub fn step(name: impl Into<String>) -> Step {
    let name = name.into();
    let bar = if is_watched() {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {wide_msg}  {elapsed}")
        {
            bar.set_style(style);
        }
        bar.set_prefix(name.clone());
        bar.enable_steady_tick(Duration::from_millis(120));
        Some(bar)
    } else {
        eprintln!("==> {name}");
        None
    };
    Step {
        name,
        started: Instant::now(),
        bar,
        finished: false,
    }
}

/// Says something that stays on the terminal.
pub fn note(text: &str) {
    eprintln!("    {text}");
}

/// Whether a person watches.
pub fn is_watched() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("CI").is_none()
}

impl Step {
    /// Shows what the step is at.
    pub fn at(&self, what: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => eprintln!("    {what}"),
        }
    }

    /// Ends the step with its result in a few words.
    pub fn done(mut self, result: &str) {
        self.finish(&format!(
            "ok  {}: {result} ({:.1} s)",
            self.name,
            self.started.elapsed().as_secs_f32()
        ));
    }

    fn finish(&mut self, line: &str) {
        self.finished = true;
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        eprintln!("    {line}");
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if !self.finished {
            let line = format!("FAILED  {}", self.name);
            self.finish(&line);
        }
    }
}
