//! The rows of the table, in passes: at each address those of one sort.

use super::super::line::Addresses;
use super::super::{Clock, Table};
use super::probe::Probe;
use super::{Asker, MAX_FITS, TouchPort};
use core::cmp::Reverse;
use core::ops::RangeInclusive;
use heapless::Vec;
use unilk_board_db::{ProbeStep, TouchRow};

/// Which probes a pass makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Harmless,
    Intrusive,
    Weak,
    /// The intrusive ones again, to those who were not there before.
    Late,
    /// Only to strangers: reads of registers with numbers of one byte.
    Gentle,
}

impl Sort {
    const fn of(row: &TouchRow) -> Self {
        match (row.weak, row.intrusive) {
            (true, _) => Self::Weak,
            (false, true) => Self::Intrusive,
            (false, false) => Self::Harmless,
        }
    }

    /// Whether a pass of this sort makes the probe of `row`.
    fn takes(self, row: &TouchRow) -> bool {
        match self {
            Self::Gentle => is_gentle(row),
            Self::Late => Self::of(row) == Self::Intrusive,
            _ => Self::of(row) == self,
        }
    }
}

/// Whether the probe of a row changes nothing in any chip that is known.
pub(super) fn is_gentle(row: &TouchRow) -> bool {
    let reads = |step: &ProbeStep| {
        step.address.is_none()
            && step.write_from.is_none()
            && step.write.len() <= 1
            && step.read_len > 0
    };
    Sort::of(row) == Sort::Harmless && row.probe.iter().all(reads)
}

/// When the intrusive probe of a row may be made at an address, in ms after
/// the release of reset: when all harmless ones have had their time there.
fn due_ms(table: &Table, row: &TouchRow, address: u8) -> u16 {
    if Sort::of(row) != Sort::Intrusive {
        return row.wait_ms;
    }
    let others = table
        .touch
        .iter()
        .filter(|other| Sort::of(other) == Sort::Harmless && other.addresses.contains(&address));
    others.fold(row.wait_ms, |due, other| due.max(other.wait_ms))
}

impl<C: Clock, P: TouchPort> Asker<'_, C, P> {
    /// Tries the rows of one sort that are due within `due`, in ms after the
    /// release of reset, address by address.
    pub(super) async fn pass(&mut self, sort: Sort, due: RangeInclusive<u16>) {
        let mut asked = Addresses::default();
        for &address in self.table.touch.iter().flat_map(|row| row.addresses) {
            let stranger = self.strangers.contains(address) != (sort == Sort::Gentle);
            let early = sort == Sort::Late && self.early.contains(address);
            if asked.contains(address) || stranger || early {
                continue;
            }
            asked.insert(address);
            let found = self.ask_address(address, sort, &due).await;
            // Their sequences may mean something else to whom they were not
            // meant for: nothing is gained by going on.
            if found && sort != Sort::Harmless || self.over() {
                return;
            }
        }
    }

    /// Tries the rows of one sort at an address; whether somebody was found.
    async fn ask_address(&mut self, address: u8, sort: Sort, due: &RangeInclusive<u16>) -> bool {
        let table = self.table;
        for (number, row) in table.touch.iter().enumerate() {
            let here = row.addresses.contains(&address) && sort.takes(row);
            if !here || !due.contains(&due_ms(table, row, address)) {
                continue;
            }
            if self.try_row(number as u16, row, address).await {
                return true;
            }
            if self.absent.contains(address) || self.over() {
                break;
            }
        }
        false
    }

    /// Tries a row at one of its addresses; whether it is there.
    pub(super) async fn try_row(
        &mut self,
        number: u16,
        row: &'static TouchRow,
        address: u8,
    ) -> bool {
        let known = self.chips.iter().any(|chip| chip.address == address);
        if known || self.absent.contains(address) {
            return false;
        }
        if row.intrusive && !self.may_write(row, address).await {
            return false;
        }
        match self.probe(row, address).await {
            Probe::Match => {
                let fits = self.fits(number, row, address).await;
                self.keep(fits, row, address).await;
                return true;
            }
            Probe::Absent => self.absent.insert(address),
            // A stranger's zeros say nothing of the touch panel.
            Probe::Odd if self.strangers.contains(address) => {}
            Probe::Odd => self.odd = Some(address),
            Probe::Mismatch => {}
        }
        false
    }

    /// The rows that a chip may be which answered as `row` does, best first:
    /// known for this phone, well sourced, common. Nothing is written for it.
    async fn fits(
        &mut self,
        number: u16,
        row: &'static TouchRow,
        address: u8,
    ) -> Vec<u16, MAX_FITS> {
        let table = self.table;
        let mut fits = Vec::new();
        // There is room: this is the first.
        let _ = fits.push(number);
        for (other_number, other) in table.touch.iter().enumerate() {
            let other_number = other_number as u16;
            if other_number == number || !other.addresses.contains(&address) {
                continue;
            }
            let fit = if row.weak {
                // An acknowledge is all that is known of either.
                other.weak && (other.intrusive || self.probe(other, address).await == Probe::Match)
            } else {
                // The same questions: they are answered already.
                !other.weak
                    && row.asks_as(other)
                    && self.probe(other, address).await == Probe::Match
            };
            // A table with more that are alike names the first of them.
            if fit && fits.push(other_number).is_err() {
                break;
            }
        }
        fits.sort_unstable_by_key(|&number| Reverse(self.rank(number)));
        fits
    }

    /// How much speaks for a row; of equals the first in the table.
    pub(super) fn rank(&self, number: u16) -> impl Ord + use<C, P> {
        let place = self.prefer.iter().position(|&row| row == number);
        let row = self.table.touch.get(usize::from(number));
        (
            place.map_or(0, |place| self.prefer.len() - place),
            row.map(|row| (!row.weak, row.confidence, row.shipped)),
            Reverse(number),
        )
    }
}
