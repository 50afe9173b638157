//! What the demo shows at its end: how the bootloader came along, and a table
//! of what it found, what the kernel received and how long all of it took.

use crate::initramfs;
use crate::storage::Payload;
use crate::trace::Log;
use std::fmt::{self, Display, Formatter};
use unilk_phone::{Kind, Outcome};

/// How the test kernel begins its lines.
const TEST_KERNEL_MARK: &str = "TK ";

/// Lines of the bootloader's log that have a row of the table: the row's name
/// and how the line begins. The rest of the line is the row's text.
const FINDINGS: [(&str, &str); 5] = [
    ("unilk", "unilk "),
    ("chip", "chip "),
    ("DRAM", "DRAM "),
    ("eMMC", "eMMC "),
    ("partitions", "partitions: "),
];

/// A demo that has run.
pub struct Report<'a> {
    /// Name of the phone.
    pub board: String,
    /// What was in BOOTIMG.
    pub payload: &'a Payload,
    /// What came of it.
    pub outcome: &'a Outcome,
    /// Text of the serial port that the kernel used.
    pub console: &'a str,
    /// What the bootloader kept.
    pub log: Option<Log>,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.bootloader(f)?;
        writeln!(f, "\nthe phone")?;
        row(f, "board", &self.board)?;
        for (name, value) in self.log.iter().flat_map(findings) {
            row(f, name, value)?;
        }
        writeln!(f, "\nthe kernel")?;
        row(f, "booted", &self.payload.describe())?;
        if let Payload::Test(why) = self.payload {
            row(f, "", &format!("in the place of Debian's: {why}"))?;
        }
        for (name, lines) in self.received() {
            for (index, line) in lines.iter().enumerate() {
                row(f, if index == 0 { &name } else { "" }, line)?;
            }
        }
        writeln!(f, "\nthe run")?;
        self.times(f)
    }
}

impl Report<'_> {
    /// The bootloader's own words.
    fn bootloader(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(log) = &self.log else {
            return writeln!(f, "\nthe bootloader left no log");
        };
        writeln!(f, "\nthe bootloader said")?;
        for line in log.lines.iter().filter(|line| !line.trace) {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }

    /// What the kernel says that it was handed.
    fn received(&self) -> Vec<(String, Vec<String>)> {
        match self.payload {
            Payload::Debian(_) => initramfs::sections(self.console),
            Payload::Test(_) => {
                let lines = self
                    .console
                    .lines()
                    .filter_map(|line| line.trim_end().strip_prefix(TEST_KERNEL_MARK));
                vec![("received".to_owned(), lines.map(str::to_owned).collect())]
            }
        }
    }

    fn times(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ms = |nanoseconds: u64| format!("{:.1} ms", nanoseconds as f64 / 1e6);
        if let Some(nanoseconds) = self.outcome.lk_time_ns(0) {
            let what = format!(
                "{} of the phone's time, from first instruction to kernel",
                ms(nanoseconds)
            );
            row(f, "bootloader", &what)?;
        }
        if let Some(end) = self.outcome.end() {
            let kernel = self.outcome.events.iter().rev().find_map(|event| {
                matches!(event.kind, Kind::KernelEntry { .. }).then_some(event.t_ns)
            });
            if let Some(nanoseconds) = kernel.and_then(|start| end.t_ns.checked_sub(start)) {
                row(f, "kernel", &format!("{} to power-off", ms(nanoseconds)))?;
            }
        }
        row(f, "guest errors", &self.outcome.error_count().to_string())?;
        let wall = self.outcome.wall.as_secs_f32();
        row(
            f,
            "wall clock",
            &format!("{wall:.1} s from power-on to power-off"),
        )
    }
}

/// Rows of the table that the bootloader's log gives.
fn findings(log: &Log) -> Vec<(&'static str, &str)> {
    FINDINGS
        .iter()
        .filter_map(|&(name, start)| {
            let text = log.said().find_map(|line| line.strip_prefix(start))?;
            Some((name, text))
        })
        .collect()
}

fn row(f: &mut Formatter<'_>, name: &str, value: &str) -> fmt::Result {
    writeln!(f, "  {name:<13} {value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Line;

    #[test]
    fn the_table_takes_the_bootloaders_findings() {
        let log = Log {
            lines: [
                "[   0.005635] unilk 0.1.0",
                "[   0.010861] chip MT6572 hw cb00 sw 0001, MT6572W",
                "[   0.038631] partitions: 19 from PMT",
                "[   0.039712] mode normal: nothing else asked for; BOOTIMG",
            ]
            .map(Line::said)
            .into(),
            ..Log::default()
        };
        assert_eq!(
            findings(&log),
            [
                ("unilk", "0.1.0"),
                ("chip", "MT6572 hw cb00 sw 0001, MT6572W"),
                ("partitions", "19 from PMT"),
            ]
        );
    }
}
