//! The boot as bars on a common axis, so that one can see what waits for what.

use std::fmt::{self, Display, Formatter};

/// Characters of the axis.
const WIDTH: usize = 60;

/// Spans and moments of a boot.
#[derive(Debug, Default)]
pub struct Timeline {
    rows: Vec<(String, f64, f64)>,
}

impl Timeline {
    /// Adds a span in milliseconds since LK's entry, if it is known.
    pub fn span(&mut self, name: &str, span_ms: Option<(f64, f64)>) {
        if let Some((from, to)) = span_ms {
            self.rows.push((name.to_owned(), from, to.max(from)));
        }
    }

    /// Adds a moment, if it is known.
    pub fn moment(&mut self, name: &str, at_ms: Option<f64>) {
        self.span(name, at_ms.map(|at| (at, at)));
    }
}

impl Display for Timeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let end = self.rows.iter().fold(1.0, |end: f64, row| end.max(row.2));
        let column = |ms: f64| ((ms / end * WIDTH as f64) as usize).min(WIDTH - 1);
        for (name, from, to) in &self.rows {
            let (first, last) = (column(*from), column(*to));
            let mut bar = " ".repeat(first);
            if from < to {
                bar.push_str(&"=".repeat(last - first + 1));
                writeln!(f, "  {name:<22} |{bar:<WIDTH$}| {from:>7.1} to {to:.1} ms")?;
            } else {
                bar.push('*');
                writeln!(f, "  {name:<22} |{bar:<WIDTH$}| {from:>7.1} ms")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_where_their_time_is() {
        let mut timeline = Timeline::default();
        timeline.span("eMMC", Some((0.0, 50.0)));
        timeline.span("panel", Some((50.0, 100.0)));
        timeline.span("unknown", None);
        timeline.moment("kernel entry", Some(100.0));
        let text = timeline.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0].matches('=').count(), WIDTH / 2 + 1);
        assert_eq!(lines[1].matches('=').count(), WIDTH / 2);
        assert!(lines[1].ends_with("50.0 to 100.0 ms"), "{text}");
        assert_eq!(lines[2].find('*'), lines[1].rfind('='));
    }

    #[test]
    fn nothing_known_is_nothing_drawn() {
        assert_eq!(Timeline::default().to_string(), "");
    }
}
