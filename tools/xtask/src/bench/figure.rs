//! A measured figure and the limit that it has to keep.

use anyhow::{Context, Result};
use serde::Serialize;
use std::fmt;

/// What a figure has to keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// A figure.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
}

impl Figure {
    /// A figure without a limit.
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            limit: None,
        }
    }

    /// A figure that could not be taken. It keeps no limit.
    pub fn missing(name: impl Into<String>, unit: &'static str) -> Self {
        Self::new(name, f64::NAN, unit)
    }

    /// A figure that may not have been taken.
    pub fn of(name: impl Into<String>, value: Option<f64>, unit: &'static str) -> Self {
        match value {
            Some(value) => Self::new(name, value, unit),
            None => Self::missing(name, unit),
        }
    }

    /// Has to be `limit` or less.
    pub fn at_most(mut self, limit: f64) -> Self {
        self.limit = Some(Limit::AtMost(limit));
        self
    }

    /// Has to be `limit` or more.
    pub fn at_least(mut self, limit: f64) -> Self {
        self.limit = Some(Limit::AtLeast(limit));
        self
    }

    /// Whether the limit is kept.
    pub fn holds(&self) -> bool {
        match self.limit {
            None => true,
            Some(Limit::AtMost(limit)) => self.value <= limit,
            Some(Limit::AtLeast(limit)) => self.value >= limit,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            value,
            unit,
            limit,
        } = self;
        if value.is_nan() {
            write!(f, "{name:<40} {:>17}", "not measured")?;
        } else {
            write!(f, "{name:<40} {:>10} {unit:<6}", number(*value))?;
        }
        let (words, limit) = match limit {
            None => return Ok(()),
            Some(Limit::AtMost(limit)) => ("at most", limit),
            Some(Limit::AtLeast(limit)) => ("at least", limit),
        };
        let verdict = match self.holds() {
            true => "ok",
            false if value.is_nan() || limit.is_nan() => "MISSING",
            false => "OVER",
        };
        write!(f, " {words} {:<9} {verdict}", number(*limit))
    }
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "unknown".to_owned()
    } else if value.fract() == 0.0 {
        format!("{value}")
    } else {
        format!("{value:.2}")
    }
}

/// The figures for a program.
pub fn json(kernel: &str, figures: &[Figure]) -> Result<String> {
    let figures: Vec<_> = figures
        .iter()
        .map(|figure| {
            let mut value = serde_json::to_value(figure)?;
            // The indentation is for people.
            value["name"] = figure.name.trim_start().into();
            value["ok"] = figure.holds().into();
            Ok(value)
        })
        .collect::<Result<_>>()?;
    let ok = figures.iter().all(|figure| figure["ok"] == true);
    serde_json::to_string_pretty(&serde_json::json!({
        "kernel": kernel,
        "ok": ok,
        "figures": figures,
    }))
    .context("JSON")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_kept_up_to_its_value() {
        let figure = |value| Figure::new("", value, "");
        assert!(figure(10.0).at_most(10.0).holds());
        assert!(!figure(10.1).at_most(10.0).holds());
        assert!(figure(90.0).at_least(90.0).holds());
        assert!(!figure(89.9).at_least(90.0).holds());
        assert!(figure(1e9).holds());
    }

    #[test]
    fn what_was_not_measured_keeps_no_limit_and_says_so() {
        assert!(Figure::missing("x", "ms").holds());
        let figure = Figure::of("x", None, "ms").at_most(1.0);
        assert!(!figure.holds());
        let row = figure.to_string();
        assert!(
            row.contains("not measured") && row.ends_with("MISSING"),
            "{row}"
        );
        let value: serde_json::Value =
            serde_json::from_str(&json("test", &[figure]).unwrap()).unwrap();
        assert!(value["figures"][0]["value"].is_null());
    }

    #[test]
    fn a_row_has_figure_limit_and_verdict() {
        let row = Figure::new("payload", 119_096.0, "bytes").at_most(98_304.0);
        let words: Vec<_> = row
            .to_string()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        assert_eq!(words.join(" "), "payload 119096 bytes at most 98304 OVER");
    }

    #[test]
    fn json_carries_the_verdict() {
        let figures = [
            Figure::new("a", 1.0, "ms").at_most(2.0),
            Figure::new("  b", 80.0, "%").at_least(90.0),
        ];
        let value: serde_json::Value =
            serde_json::from_str(&json("test", &figures).unwrap()).unwrap();
        assert_eq!(value["ok"], false);
        assert_eq!(value["figures"][0]["limit"]["at-most"], 2.0);
        assert_eq!(value["figures"][1]["name"], "b");
        assert_eq!(value["figures"][1]["ok"], false);
    }
}
