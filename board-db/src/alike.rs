//! Touch chips and cameras that their registers do not tell apart.
//!
//! What identification says of such a chip is a list: these are its members.
//! Which of them is fitted, only the board or a person knows.

use crate::types::{CameraRow, Expect, ProbeStep, TouchRow};

/// The rows that a touch chip may be taken for which answers as `row`, itself
/// among them: those that ask the same at one of its addresses and expect what
/// it answers. Rows that know no more than an acknowledge cannot be told from
/// each other.
pub fn touch_like(row: &'static TouchRow) -> impl Iterator<Item = &'static TouchRow> {
    let rows = crate::touch_chips().iter();
    rows.filter(move |other| share(row.addresses, other.addresses) && row.answers_as(other))
}

/// The rows that a sensor fits which answers as `row`, itself among them.
pub fn cameras_like(row: &'static CameraRow) -> impl Iterator<Item = &'static CameraRow> {
    let rows = crate::cameras().iter();
    rows.filter(move |other| share(row.addresses, other.addresses) && row.answers_as(other))
}

fn share(one: &[u8], other: &[u8]) -> bool {
    one.iter().any(|address| other.contains(address))
}

impl ProbeStep {
    /// Whether two steps do the same, whatever they expect.
    pub fn asks_as(&self, other: &Self) -> bool {
        (self.address, self.write, self.write_from)
            == (other.address, other.write, other.write_from)
            && (self.read_len, self.stop) == (other.read_len, other.stop)
    }
}

impl TouchRow {
    /// Whether two rows make the same steps, whatever they expect.
    pub fn asks_as(&self, other: &Self) -> bool {
        self.probe.len() == other.probe.len()
            && self.exit == other.exit
            && pairs(self, other).all(|(one, other)| one.asks_as(other))
    }

    /// Whether a chip at the same address that answers as this one may be
    /// `other`.
    fn answers_as(&self, other: &Self) -> bool {
        if self.weak {
            return other.weak;
        }
        let agree = |(one, other): (&ProbeStep, &ProbeStep)| match (&one.expect, &other.expect) {
            (Some(one), Some(other)) => one.allows(other),
            _ => true,
        };
        !other.weak && self.asks_as(other) && pairs(self, other).all(agree)
    }
}

fn pairs<'a>(
    one: &'a TouchRow,
    other: &'a TouchRow,
) -> impl Iterator<Item = (&'a ProbeStep, &'a ProbeStep)> {
    one.probe.iter().zip(other.probe)
}

impl Expect {
    /// Whether an answer can be as both expect.
    fn allows(&self, other: &Self) -> bool {
        let meets = |value: &&[u8]| {
            other
                .values
                .iter()
                .any(|with| self.meets(value, other, with))
        };
        match (self.invert, other.invert) {
            (false, false) => self.values.iter().any(meets),
            (false, true) => !self.values.iter().all(meets),
            (true, false) => other.allows(self),
            (true, true) => true,
        }
    }

    /// Whether two values agree in the bits that count in both.
    fn meets(&self, value: &[u8], other: &Self, with: &[u8]) -> bool {
        let byte = |expect: &Self, value: &[u8], at: usize| {
            let at = at.checked_sub(usize::from(expect.offset))?;
            let mask = expect.mask.get(at).copied().unwrap_or(0xFF);
            Some((mask, *value.get(at)?))
        };
        let end = usize::from(self.offset) + value.len();
        (0..end).all(|at| match (byte(self, value, at), byte(other, with, at)) {
            (Some((one, a)), Some((two, b))) => (a ^ b) & one & two == 0,
            _ => true,
        })
    }
}

impl CameraRow {
    /// Whether a sensor at the same address that answers as this one answers
    /// as `other` as well: it does where `other` asks no register that this
    /// one does not.
    fn answers_as(&self, other: &Self) -> bool {
        let state = |row: &Self| (row.address_bytes, row.data_bytes, row.prelude);
        let agree = |value: u32, with: u32| {
            other.registers.iter().all(|&register| {
                (0..other.data_bytes).all(|byte| {
                    let one = self.id_byte(value, register, byte);
                    let two = other.id_byte(with, register, byte);
                    let both = one.zip(two);
                    both.is_some_and(|((one, a), (two, b))| (a ^ b) & one & two == 0)
                })
            })
        };
        let values = |&value: &u32| other.values.iter().any(|&with| agree(value, with));
        state(self) == state(other) && self.values.iter().any(values)
    }

    /// Mask and value of a byte of a register, where it is part of the ID.
    fn id_byte(&self, id: u32, register: u16, byte: u8) -> Option<(u32, u32)> {
        let width = usize::from(self.data_bytes);
        let place = self.registers.iter().position(|&known| known == register)?;
        let last = self.registers.len() * width - 1;
        let shift = 8 * last.checked_sub(place * width + usize::from(byte))?;
        Some((self.mask >> shift & 0xFF, id >> shift & 0xFF))
    }
}
