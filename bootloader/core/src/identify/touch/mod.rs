//! Asks which touch chip is fitted.
//!
//! One power and reset sequence covers every chip of the table; families
//! differ in how long they need after it, so each is asked at its own time
//! and the search ends with the pass that found something. Harmless probes
//! come first, those that write only where somebody acknowledged and nobody
//! was recognised, those that know no more than an acknowledge last. Nothing
//! is ever sent to an address that the table does not name: sensors and the
//! charger share the bus.
//!
//! Sensors share addresses, too. The touch chip is silent while it is held in
//! reset, so whoever acknowledges then is a stranger: to him goes nothing but
//! the number of a register to read, and that only when nobody else was
//! recognised. Sources: facts/i2c-touch-camera.md 2.1, 2.4, 3.1 to 3.3.

mod pass;
mod probe;
#[cfg(test)]
mod tests;
mod verdict;

use super::line::{Addresses, Fault, Line};
use super::report::{Kind, Record, Recorder, Unit};
use super::{BusPort, BusState, Clock, Table};
use heapless::Vec;
use pass::{Sort, is_gentle};
use probe::Trail;
use unilk_board_db::{ExtraRead, TouchRow};
use verdict::EXTRA_LEN;
pub use verdict::{Chip, MAX_CHIPS, MAX_FITS, TouchNote, TouchVerdict};

/// From supplies on to the release of reset (facts 2.4 step 2, 3).
const RAILS_MS: u16 = 20;
/// From interrupt low to the release of reset: selects an address (step 3).
const SELECT_MS: u16 = 2;
/// The interrupt line is held low until then (step 4), counted from the
/// release of reset: the earliest time at which anybody is asked.
const HELD_MS: u16 = 56;
/// Low pulse between two makers' write sequences.
const PULSE_MS: u16 = 10;
/// Chips are busy for so long after a command.
const BUSY_MS: u16 = 4;
/// No probe begins later than this after the start.
pub const LIMIT_US: u32 = 900_000;

/// The touch chip's pins and supplies.
pub trait TouchPort: BusPort {
    /// Reset; true = held in reset (the port knows which level that is).
    fn reset(&mut self, assert: bool);
    /// Enable, on boards that have it; true = runs.
    fn enable(&mut self, on: bool);
    /// Whether one of them is wired and really driven: only then does an
    /// acknowledge during reset tell a stranger.
    fn has_reset(&self) -> bool;
    /// Interrupt line: `Some(true)` drives it low, `Some(false)` high, `None`
    /// makes it an input.
    fn interrupt_low(&mut self, drive: Option<bool>);
    /// The profile's supplies. What was on at entry stays as it was.
    fn supplies(&mut self, on: bool);
}

struct Asker<'a, C, P> {
    table: &'a Table,
    prefer: &'a [u16],
    port: &'a mut P,
    line: Line<'a, C>,
    begun: u32,
    released: u32,
    trail: Trail,
    /// Nobody there, in this pass.
    absent: Addresses,
    /// Acknowledged while the touch chip was held in reset.
    strangers: Addresses,
    /// Acknowledged before the last pass.
    early: Addresses,
    /// The last pass: who is there may have needed his time to come.
    late: bool,
    /// Answered only zeros or ones.
    odd: Option<u8>,
    chips: Vec<Chip, MAX_CHIPS>,
}

/// Asks which touch chip is there. `prefer` are rows that hint, store or
/// board speak for, best first: when one of them answers, nobody else is
/// asked. `expect_absent`: nobody was there on the last boot, so unless
/// somebody acknowledges at the earliest time the others are not waited for.
///
/// Never fails: see [`TouchVerdict::note`].
pub async fn identify<C: Clock, P: TouchPort>(
    table: &Table,
    clock: &C,
    port: &mut P,
    log: &dyn Recorder,
    prefer: &[u16],
    expect_absent: bool,
) -> TouchVerdict {
    let begun = clock.now_us();
    let mut asker = Asker {
        table,
        prefer,
        port,
        line: Line::new(clock, log, Unit::Touch),
        begun,
        released: begun,
        trail: Trail::default(),
        absent: Addresses::default(),
        strangers: Addresses::default(),
        early: Addresses::default(),
        late: false,
        odd: None,
        chips: Vec::new(),
    };
    asker.line.power(true, 0);
    asker.port.supplies(true);
    asker.reset(RAILS_MS, true).await;
    if !expect_absent || asker.anybody().await {
        asker.search().await;
    }
    asker.leave().await;
    asker.line.tell_absent();
    asker.port.interrupt_low(None);
    asker.port.reset(true);
    asker.port.enable(false);
    asker.port.supplies(false);
    asker.line.power(false, 0);
    let mut verdict = asker.judge();
    verdict.took_us = clock.now_us().wrapping_sub(begun);
    verdict
}

impl<C: Clock, P: TouchPort> Asker<'_, C, P> {
    /// Reset for `low_ms`, and up to the moment when the first may be asked.
    /// With `look`, who is there that is not the touch chip is found out
    /// meanwhile.
    async fn reset(&mut self, low_ms: u16, look: bool) {
        let port = &mut *self.port;
        port.reset(true);
        port.enable(false);
        port.interrupt_low(Some(true));
        self.wait_ms(low_ms).await;
        let begun = self.line.clock.now_us();
        if look && self.port.has_reset() {
            self.look_for_strangers().await;
        }
        let looked = self.line.clock.now_us().wrapping_sub(begun);
        let rest = (u32::from(SELECT_MS) * 1000).saturating_sub(looked);
        if rest > 0 {
            self.line.clock.wait_us(rest).await;
        }
        self.port.reset(false);
        self.port.enable(true);
        self.released = self.line.clock.now_us();
        self.line.log.record(&Record {
            unit: Unit::Touch,
            a: low_ms + SELECT_MS,
            b: HELD_MS,
            ..Record::new(Kind::Reset, self.released)
        });
        self.until(HELD_MS).await;
        self.port.interrupt_low(None);
        self.trail.clear();
        self.line.forget();
    }

    /// Who acknowledges now, while the touch chip cannot.
    async fn look_for_strangers(&mut self) {
        self.strangers = self.acknowledging().await;
        self.line.tell_absent();
    }

    /// Who of the table's addresses acknowledges a read of one byte.
    async fn acknowledging(&mut self) -> Addresses {
        let mut asked = Addresses::default();
        let mut there = Addresses::default();
        for &address in self.table.touch.iter().flat_map(|row| row.addresses) {
            if asked.contains(address) {
                continue;
            }
            asked.insert(address);
            match self
                .line
                .transfer(self.port, address, &[], &mut [0], true)
                .await
            {
                Ok(()) => there.insert(address),
                Err(Fault::Nack) => {}
                Err(Fault::Stuck) => break,
            }
        }
        there
    }

    /// Whether somebody who was not there before acknowledges.
    async fn anybody(&mut self) -> bool {
        let there = self.acknowledging().await;
        !there.without(&self.strangers).is_empty()
    }

    async fn wait_ms(&self, ms: u16) {
        if ms > 0 {
            self.line.clock.wait_us(u32::from(ms) * 1000).await;
        }
    }

    /// Waits until `ms` after the release of reset.
    async fn until(&self, ms: u16) {
        let passed = self.line.clock.now_us().wrapping_sub(self.released);
        let rest = (u32::from(ms) * 1000).saturating_sub(passed);
        if rest > 0 {
            self.line.clock.wait_us(rest).await;
        }
    }

    fn over(&self) -> bool {
        self.line.state == BusState::Stuck
            || self.chips.is_full()
            || self.line.clock.now_us().wrapping_sub(self.begun) > LIMIT_US
    }

    async fn search(&mut self) {
        let table = self.table;
        for &number in self.prefer {
            let Some(row) = table.touch.get(usize::from(number)) else {
                continue;
            };
            self.until(row.wait_ms).await;
            self.absent = Addresses::default();
            for &address in row.addresses {
                let stranger = self.strangers.contains(address) && !is_gentle(row);
                if stranger {
                    continue;
                }
                if self.try_row(number, row, address).await || self.over() {
                    return;
                }
            }
        }
        let mut from = 0;
        let mut at = HELD_MS;
        loop {
            self.until(at).await;
            self.begin_pass();
            // Again those whose time was earlier: an acknowledge may get lost.
            self.pass(Sort::Harmless, 0..=at).await;
            if self.chips.is_empty() && !self.over() {
                self.pass(Sort::Intrusive, from..=at).await;
            }
            if !self.chips.is_empty() {
                // Somebody else may answer as well: one look, without waiting.
                self.pass(Sort::Harmless, at + 1..=u16::MAX).await;
            }
            if !self.chips.is_empty() || self.over() {
                return;
            }
            let later = table.touch.iter().filter(|row| !row.weak);
            let later = later.map(|row| row.wait_ms);
            let Some(next) = later.filter(|&wait| wait > at).min() else {
                break;
            };
            from = at + 1;
            at = next;
        }
        self.begin_pass();
        // Who has come since the last pass is asked everything: an acknowledge
        // alone names the wrong chip where better probes exist.
        self.early = self.line.acked;
        self.late = true;
        // One look at everybody, who may have been busy each time.
        self.wait_ms(BUSY_MS).await;
        self.acknowledging().await;
        for sort in [Sort::Harmless, Sort::Late, Sort::Weak, Sort::Gentle] {
            self.pass(sort, 0..=u16::MAX).await;
            if !self.chips.is_empty() {
                return;
            }
        }
    }

    /// Forgets who was absent and what was asked.
    fn begin_pass(&mut self) {
        self.line.tell_absent();
        self.absent = Addresses::default();
        self.trail.clear();
    }

    /// Before a probe that writes: somebody must acknowledge, and be as the
    /// reset left him.
    async fn may_write(&mut self, row: &TouchRow, address: u8) -> bool {
        if self.trail.disturbs(row, address) {
            self.leave().await;
            self.reset(PULSE_MS, false).await;
            self.until(self.ready_ms(row, address)).await;
        }
        if self.line.acked.contains(address) {
            return true;
        }
        let look = self
            .line
            .transfer(self.port, address, &[], &mut [0], true)
            .await;
        if look.is_err() {
            self.absent.insert(address);
            return false;
        }
        true
    }

    /// When the chip at an address can be asked again after a reset, in ms.
    fn ready_ms(&self, row: &TouchRow, address: u8) -> u16 {
        let rows = self.table.touch.iter();
        let here = rows.filter(|other| self.late && other.addresses.contains(&address));
        here.fold(row.wait_ms, |ready, other| ready.max(other.wait_ms))
    }

    /// Takes down who answered as `row` does and may be any that `fits`.
    async fn keep(&mut self, fits: Vec<u16, MAX_FITS>, row: &TouchRow, address: u8) {
        if row.intrusive {
            // Its normal registers are back only after that.
            self.leave().await;
        }
        let best = fits.first().copied().unwrap_or_default();
        let row = self.table.touch.get(usize::from(best)).unwrap_or(row);
        let stop = row.probe.iter().any(|step| step.stop);
        let mut chip = Chip {
            row: best,
            fits,
            address,
            weak: row.weak,
            vendor: Vec::new(),
            version: Vec::new(),
        };
        self.extra(address, row.vendor_id, stop, &mut chip.vendor)
            .await;
        self.extra(address, row.version, stop, &mut chip.version)
            .await;
        // `over` ends the search before the list is full.
        let _ = self.chips.push(chip);
    }

    async fn extra(
        &mut self,
        address: u8,
        read: Option<ExtraRead>,
        stop: bool,
        out: &mut Vec<u8, EXTRA_LEN>,
    ) {
        // Recognised or not, a stranger is not written to.
        let may = |read: &ExtraRead| read.write.len() <= 1 || !self.strangers.contains(address);
        let Some(read) = read.filter(may) else {
            return;
        };
        let len = usize::from(read.len).min(EXTRA_LEN);
        if out.resize(len, 0).is_ok() {
            let read = self
                .line
                .transfer(self.port, address, read.write, out, stop)
                .await;
            if read.is_err() {
                out.clear();
            }
        }
    }

    /// The one to take: the best of all that answered.
    fn judge(self) -> TouchVerdict {
        let chips = self.chips.iter().enumerate();
        let winner = chips.max_by_key(|(_, chip)| self.rank(chip.row));
        let winner = winner.map(|(index, _)| index);
        let stranger = || {
            let addresses = self.table.touch.iter().flat_map(|row| row.addresses);
            let acked = self.line.acked.without(&self.strangers);
            let mut acked = addresses.filter(|&&address| acked.contains(address));
            acked.next().copied()
        };
        let note = match (self.line.state, self.chips.len(), self.odd) {
            (BusState::Stuck, ..) => Some(TouchNote::Stuck),
            (_, 0, Some(address)) => Some(TouchNote::Suspicious { address }),
            (_, 0, None) => Some(match stranger() {
                Some(address) => TouchNote::Unknown { address },
                None => TouchNote::Silent,
            }),
            (_, 1, _) => None,
            _ => Some(TouchNote::Two),
        };
        TouchVerdict {
            winner,
            bus: self.line.state,
            note,
            chips: self.chips,
            took_us: 0,
        }
    }
}
