//! What is wrong with something that was looked at: one shape for every
//! command that judges a file, so that people and scripts read one list.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Unusual or doubtful; a phone may still take it.
    Warning,
    /// Wrong: a phone would not start from it, or would lose something.
    Problem,
}

impl Severity {
    /// The word in front of a line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Short name that never changes its meaning, for scripts and for searching
    /// the documentation: `SCATTER-OVERLAP`.
    pub code: &'static str,
    /// What it is, of which thing, and what to do about it: one sentence.
    pub text: String,
}

impl Finding {
    /// Something worth knowing.
    pub fn note(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, text)
    }

    /// Something doubtful.
    pub fn warning(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, text)
    }

    /// Something wrong.
    pub fn problem(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(Severity::Problem, code, text)
    }

    fn new(severity: Severity, code: &'static str, text: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            text: text.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.severity.word(), self.code, self.text)
    }
}

/// Whether anything in `findings` is wrong rather than doubtful.
pub fn any_problem(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Problem)
}
