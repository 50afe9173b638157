//! A line of the log, of either kind.

use serde::Serialize;
use std::fmt::{self, Display, Formatter};

/// A line of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Whether it is a frame of the trace. The other lines also went out of
    /// the UART.
    pub trace: bool,
    /// Microseconds since the bootloader's first instruction, if it is stamped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_us: Option<u64>,
    /// What it says, without stamp and level.
    pub text: String,
}

impl Line {
    /// A line of text: `[   0.005635] unilk 0.1.0`, or one of the
    /// identification's, `       35675 us  board       wiring    generic`.
    pub fn said(line: &str) -> Self {
        let stamped = line.strip_prefix('[').and_then(|rest| {
            let (stamp, text) = rest.split_once("] ")?;
            Some((micros(stamp.trim())?, text))
        });
        let stamped = stamped.or_else(|| {
            let at = line.trim_start().find(' ')? + line.len() - line.trim_start().len();
            let (stamp, text) = line.split_at_checked(at)?;
            // The blanks stay: they tell it from the boot's own lines.
            let text = text
                .strip_prefix(" us")
                .filter(|text| text.starts_with("  "))?;
            Some((stamp.trim_start().parse().ok()?, text))
        });
        Self {
            trace: false,
            at_us: stamped.map(|(at, _)| at),
            text: stamped.map_or(line, |(_, text)| text).to_owned(),
        }
    }

    /// A decoded frame: `0.117075 INFO tree: 2171 bytes in 11006 us`.
    pub fn traced(line: &str) -> Self {
        let mut words = line.splitn(3, ' ');
        let at_us = words.next().and_then(micros);
        let text = words.nth(1).filter(|_| at_us.is_some());
        Self {
            trace: true,
            at_us,
            text: text.unwrap_or(line).to_owned(),
        }
    }
}

/// Seconds with six decimals as microseconds.
fn micros(stamp: &str) -> Option<u64> {
    let (seconds, micros) = stamp.split_once('.')?;
    let micros = micros.parse::<u64>().ok().filter(|_| micros.len() == 6)?;
    seconds
        .parse::<u64>()
        .ok()?
        .checked_mul(1_000_000)?
        .checked_add(micros)
}

impl Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.at_us {
            Some(at) => write!(f, "[{:4}.{:06}] ", at / 1_000_000, at % 1_000_000)?,
            None => f.write_str("[           ] ")?,
        }
        // Told from the lines of text at a glance.
        f.write_str(if self.trace { "  - " } else { "" })?;
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart_and_shown_alike() {
        let said = Line::said("[   1.005635] unilk 0.1.0");
        assert_eq!(
            (said.at_us, said.text.as_str()),
            (Some(1_005_635), "unilk 0.1.0")
        );
        assert_eq!(said.to_string(), "[   1.005635] unilk 0.1.0");
        let detail = Line::said("       35675 us  board       wiring    generic");
        assert_eq!(
            detail.to_string(),
            "[   0.035675]   board       wiring    generic"
        );
        let traced = Line::traced("0.117075 INFO tree: 2171 bytes in 11006 us");
        assert_eq!(
            (traced.at_us, traced.text.as_str()),
            (Some(117_075), "tree: 2171 bytes in 11006 us")
        );
        for odd in [
            "",
            "[",
            "no stamp at all",
            "[x] y",
            "1.5 INFO z",
            "  12 us",
            " us  x",
        ] {
            assert_eq!(Line::said(odd).text, odd);
            assert_eq!(Line::traced(odd).text, odd);
        }
    }
}
