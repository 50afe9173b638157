//! A report as text: conclusions first, then every question in order.

use super::entry::{Entry, What};
use super::near::{self, Near};
use super::{Unknown, View};
use std::fmt::{self, Display, Formatter};

impl Display for View {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let places: Vec<_> = self.places.iter().map(|at| format!("{at:#x}")).collect();
        writeln!(
            f,
            "report at {}, {} records",
            places.join(" and "),
            self.records.len()
        )?;
        if self.lost > 0 {
            writeln!(f, "{} more records found no room on the phone", self.lost)?;
        }
        self.section(f, "verdicts", |what| {
            matches!(what, What::Verdict { .. } | What::Wiring { .. })
        })?;
        self.section(f, "notes", |what| matches!(what, What::Note { .. }))?;
        self.section(f, "candidates, best first", |what| {
            matches!(what, What::Candidate { .. })
        })?;
        let mut questions = self
            .records
            .iter()
            .filter(|entry| entry.what.is_question())
            .peekable();
        if questions.peek().is_some() {
            writeln!(f, "\nquestions")?;
        }
        for entry in questions {
            let ms = f64::from(entry.at_us) / 1e3;
            writeln!(f, "  {ms:>10.3} ms  {:<11}  {entry}", entry.unit)?;
        }
        self.unknown
            .iter()
            .try_for_each(|unknown| write!(f, "\n{unknown}"))
    }
}

/// Who it may be, and the beginning of its row.
impl Display for Unknown {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { unit, near, row } = self;
        if near.is_empty() {
            writeln!(f, "unknown {unit}: no row answers even in part as it does")?;
        } else {
            writeln!(f, "unknown {unit}: rows that fit in part, best first")?;
        }
        for near in near {
            let Near {
                id,
                controller,
                fits,
                of,
                ..
            } = near;
            let score = near.score();
            writeln!(
                f,
                "  {id:<44} {score:>5}  {controller}, {fits} of {of} bytes agree"
            )?;
        }
        if let Some(best) = near.first() {
            for line in near::known_by(best.id, unit) {
                writeln!(f, "  {:<44}        {line}", "")?;
            }
        }
        if let Some(row) = row {
            writeln!(f, "\na row for it, as {}/{}.toml:", row.folder, row.name)?;
            f.write_str(&row.text)?;
        }
        Ok(())
    }
}

impl View {
    fn section(
        &self,
        f: &mut Formatter<'_>,
        title: &str,
        belongs: fn(&What) -> bool,
    ) -> fmt::Result {
        let mut entries = self
            .records
            .iter()
            .filter(|entry| belongs(&entry.what))
            .peekable();
        if entries.peek().is_some() {
            writeln!(f, "\n{title}")?;
        }
        entries.try_for_each(|entry| writeln!(f, "  {:<11}  {entry}", entry.unit))
    }
}

/// A line of the table, without time and unit.
impl Display for Entry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Reset { low_ms, wait_ms } => {
                write!(f, "reset: {low_ms} ms low, then {wait_ms} ms")
            }
            What::Unlock { stage, name } => write!(f, "unlock: {name} (stage {stage})"),
            What::Read {
                packet,
                register,
                asked,
                got,
                took_us,
            } => {
                write!(f, "{packet} read {register:02X}, {asked} bytes")?;
                self.answer(f, &got.to_string(), *took_us)
            }
            What::Pin { pin, level } => write!(f, "pin ID{pin}: {level}"),
            What::Voltage { channel, mv } => write!(f, "AUXADC {channel}: {mv} mV"),
            What::I2c {
                address,
                sent,
                got,
                took_us,
            } => {
                write!(f, "i2c {address:02X}")?;
                if !sent.0.is_empty() {
                    write!(f, " write {sent}")?;
                }
                self.answer(f, &got.to_string(), *took_us)
            }
            What::Absent { addresses } => write!(f, "i2c, nobody at {addresses}"),
            What::Power { on: false, .. } => f.write_str("power off"),
            What::Power { core_mv: 0, .. } => f.write_str("power on"),
            What::Power { core_mv, .. } => write!(f, "power on, core at {core_mv} mV"),
            What::Candidate { id, score, reasons } => {
                write!(f, "{id:<44} {score:>5}  {}", reasons.join(", "))
            }
            What::Verdict {
                winner,
                certainty,
                others,
                address,
                versions,
            } => {
                let winner = winner.as_deref().unwrap_or("nothing found");
                write!(f, "{winner:<44} {certainty}")?;
                if let Some(address) = address {
                    write!(f, ", at {address:02X}")?;
                }
                if let Some(versions) = versions {
                    write!(f, ", maker and version {versions}")?;
                }
                match others {
                    0 => Ok(()),
                    1 => f.write_str("; 1 more fits"),
                    _ => write!(f, "; {others} more fit"),
                }
            }
            What::Note { code, text } => {
                write!(f, "{code} {}", text.as_deref().unwrap_or_default())
            }
            What::Wiring { profile } => write!(f, "wiring: {profile}"),
        }
    }
}

impl Entry {
    /// What came back, and how long it took.
    fn answer(&self, f: &mut Formatter<'_>, got: &str, took_us: u16) -> fmt::Result {
        if !got.is_empty() {
            write!(f, " -> {got}")?;
        }
        match self.outcome {
            None | Some("ok") => {}
            Some(odd) => write!(f, ": {odd}")?,
        }
        write!(f, "  ({took_us} us)")
    }
}

#[cfg(test)]
mod tests {
    use crate::report::tests::view;
    use unilk_core::identify::evidence::Reasons;
    use unilk_core::identify::report::{Kind, Record, Unit, status};

    #[test]
    fn a_person_can_read_what_was_asked_and_concluded() {
        let mut reasons = Reasons::ID_BYTES;
        reasons.add(Reasons::TOUCH);
        let text = view(&[
            Record {
                sent: b"reference",
                ..Record::new(Kind::Wiring, 900)
            },
            Record {
                unit: Unit::Panel,
                a: 5,
                b: 312,
                sent: &[0x06, 0xA1],
                got: &[0x01, 0x8B],
                ..Record::new(Kind::Read, 16_000)
            },
            Record {
                unit: Unit::Touch,
                status: status::SILENCE,
                a: 0x5D,
                b: 31,
                sent: &[0x81, 0x40],
                ..Record::new(Kind::I2c, 80_000)
            },
            Record {
                unit: Unit::Touch,
                status: status::CONSTANT,
                a: 0x38,
                b: 99,
                sent: &[0xA3],
                got: &[0xFF],
                ..Record::new(Kind::I2c, 81_000)
            },
            Record {
                unit: Unit::Touch,
                status: status::SILENCE,
                sent: &[0x14, 0x20],
                ..Record::new(Kind::I2c, 81_500)
            },
            Record {
                unit: Unit::Touch,
                sent: b"TP-CONST",
                ..Record::new(Kind::Note, 82_000)
            },
            Record {
                unit: Unit::Panel,
                a: 880,
                b: reasons.0,
                sent: b"otm8018b-dsi-vdo",
                ..Record::new(Kind::Candidate, 90_000)
            },
            Record {
                unit: Unit::Panel,
                status: 2,
                a: 1,
                sent: b"otm8018b-dsi-vdo",
                ..Record::new(Kind::Verdict, 90_000)
            },
        ])
        .to_string();
        for line in [
            "report at 0x0, 8 records",
            "      81.500 ms  touch        i2c, nobody at 14 20",
            "  phone        wiring: reference",
            "      16.000 ms  panel        dcs read A1, 5 bytes -> 01 8B  (312 us)",
            "      80.000 ms  touch        i2c 5D write 81 40: no answer  (31 us)",
            "  touch        TP-CONST something at 0x38 answers only zeros or ones: \
             check the touch panel's connector",
        ] {
            assert!(text.lines().any(|have| have == line), "{line}\n{text}");
        }
        let words: Vec<_> = text.split_whitespace().collect();
        let text = words.join(" ");
        assert!(
            text.contains("otm8018b-dsi-vdo likely; 1 more fits"),
            "{text}"
        );
        assert!(text.contains("otm8018b-dsi-vdo 880 id, touch"), "{text}");
    }
}
