//! What is said of the touch chip.

use super::super::report::{Kind, Record, Recorder, Unit};
use super::super::{BusState, Table};
use heapless::Vec;

/// Chips that a verdict lists.
pub const MAX_CHIPS: usize = 4;
/// Rows that a verdict lists of one chip.
pub const MAX_FITS: usize = 8;
/// Bytes of a version or of a maker's number.
pub(super) const EXTRA_LEN: usize = 12;

/// A chip that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// Row of the table.
    pub row: u16,
    /// All rows that it may be, best first: `row`, then the rest.
    pub fits: Vec<u16, MAX_FITS>,
    /// 7-bit address.
    pub address: u8,
    /// It acknowledged, and that is all.
    pub weak: bool,
    /// Number of the module's maker, as read.
    pub vendor: Vec<u8, EXTRA_LEN>,
    /// Version of its firmware, as read.
    pub version: Vec<u8, EXTRA_LEN>,
}

error_enum! {
    /// What is odd about the touch chip.
    pub enum TouchNote {
        /// Nobody answers.
        Silent => "TP-NONE", "no touch chip answers: check its connector; boot goes on without";
        /// Only zeros or ones.
        Suspicious { /** Its address. */ address: u8 }
            => "TP-CONST", "something at {address:#04x} answers only zeros or ones: check the touch panel's connector";
        /// Two different chips.
        Two => "TP-TWO", "two touch chips answer: the one that this board is known with was taken";
        /// The bus is held.
        Stuck => "TP-BUS", "touch bus is held low: unplug the touch panel to find out who holds it";
        /// Somebody acknowledges and is not in the table.
        Unknown { /** Its address. */ address: u8 }
            => "TP-NEW", "a touch chip at {address:#04x} is not in the table: send the report";
    }
}

/// The verdict on the touch chip.
#[derive(Debug, Clone, Default)]
pub struct TouchVerdict {
    /// Index in `chips` of the one that was taken.
    pub winner: Option<usize>,
    /// All that answered.
    pub chips: Vec<Chip, MAX_CHIPS>,
    /// State of the bus.
    pub bus: BusState,
    /// What is odd.
    pub note: Option<TouchNote>,
    /// Microseconds from supplies on to off.
    pub took_us: u32,
}

impl TouchVerdict {
    /// The chip that was taken.
    pub fn chip(&self) -> Option<&Chip> {
        self.chips.get(self.winner?)
    }

    /// Writes the verdict to the report.
    pub fn record(&self, table: &Table, log: &dyn Recorder, at_us: u32) {
        if let Some(note) = &self.note {
            log.record(&Record {
                unit: Unit::Touch,
                sent: crate::Code::code(note).as_bytes(),
                ..Record::new(Kind::Note, at_us)
            });
        }
        let id_of = |row: u16| {
            let row = table.touch.get(usize::from(row));
            row.map_or(&[][..], |row| row.id.as_bytes())
        };
        for (index, chip) in self.chips.iter().enumerate() {
            for &row in chip.fits.iter().filter(|&&row| row != chip.row) {
                log.record(&Record {
                    unit: Unit::Touch,
                    sent: id_of(row),
                    ..Record::new(Kind::Candidate, at_us)
                });
            }
            let mut got: Vec<u8, { 2 * EXTRA_LEN }> = Vec::new();
            // Both fit: the room is their lengths together.
            let _ = got.extend_from_slice(&chip.vendor);
            let _ = got.extend_from_slice(&chip.version);
            let taken = self.winner == Some(index);
            log.record(&Record {
                unit: Unit::Touch,
                status: match (taken, chip.weak) {
                    (false, _) => 0,
                    (true, true) => 1,
                    (true, false) => 3,
                },
                a: self.chips.len().saturating_sub(1) as u16,
                b: u16::from(chip.address),
                sent: id_of(chip.row),
                got: &got,
                ..Record::new(Kind::Verdict, at_us)
            });
        }
    }
}
