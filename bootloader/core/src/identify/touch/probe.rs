//! One probe: its steps, and what the probe before already learned.
//!
//! Rows of one family ask the same registers and differ in the answer they
//! expect. What has been asked at an address is therefore kept and not asked
//! again: a search costs as much as there are registers, not rows, and no chip
//! enters a debug mode twice.

use super::super::line::Fault;
use super::super::{Clock, is_constant};
use super::{Asker, TouchPort};
use heapless::Vec;
use unilk_board_db::{Expect, ProbeStep, TouchRow};

/// Longest answer of a step.
const ANSWER_LEN: usize = 24;
/// Longest write of a step.
const WRITE_LEN: usize = 24;
/// Steps of a probe.
const MAX_STEPS: usize = 16;

/// Outcome of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Probe {
    /// It is this one.
    Match,
    /// Somebody else.
    Mismatch,
    /// Nobody.
    Absent,
    /// Somebody who says only zeros or ones.
    Odd,
}

struct Done {
    step: &'static ProbeStep,
    answer: Vec<u8, ANSWER_LEN>,
}

/// The steps that were made at one address since the last reset.
#[derive(Default)]
pub(super) struct Trail {
    address: u8,
    exit: &'static [ProbeStep],
    /// Of rows that only read.
    reads: bool,
    intrusive: bool,
    family: &'static str,
    done: Vec<Done, MAX_STEPS>,
}

/// Whether a row only reads registers, so that the order of its steps and of
/// those of other such rows does not matter.
fn only_reads(row: &TouchRow) -> bool {
    let reads = |step: &ProbeStep| step.read_len > 0 && step.write_from.is_none();
    !row.intrusive && row.exit.is_empty() && row.probe.iter().all(reads)
}

impl Trail {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many of the row's first steps have been made already.
    fn shared(&self, row: &TouchRow, address: u8) -> usize {
        if self.address != address || self.exit != row.exit {
            return 0;
        }
        let pairs = self.done.iter().zip(row.probe);
        pairs
            .take_while(|(done, step)| done.step.asks_as(step))
            .count()
    }

    /// Which of the reads that were made answers this one: it, or a longer one
    /// of the same register.
    fn read(&self, step: &ProbeStep) -> Option<usize> {
        let like = |done: &Done| ProbeStep {
            read_len: step.read_len,
            ..*done.step
        };
        let enough = |done: &Done| {
            done.step.read_len == step.read_len || done.answer.len() >= usize::from(step.read_len)
        };
        let mut done = self.done.iter();
        done.position(|done| enough(done) && like(done).asks_as(step))
    }

    /// Whether another family's writes have changed what `row` finds.
    pub(super) fn disturbs(&self, row: &TouchRow, address: u8) -> bool {
        let here = self.address == address && !self.done.is_empty();
        here && self.intrusive && self.family != row.family
    }
}

impl<C: Clock, P: TouchPort> Asker<'_, C, P> {
    /// Makes the row's steps at `address`, up to one that does not agree.
    pub(super) async fn probe(&mut self, row: &'static TouchRow, address: u8) -> Probe {
        let reads = only_reads(row);
        let shared = self.trail.shared(row, address);
        let goes_on = if reads {
            self.trail.address == address && self.trail.reads
        } else {
            shared > 0
        };
        if !goes_on {
            self.leave().await;
        }
        self.trail.address = address;
        self.trail.exit = row.exit;
        self.trail.reads = reads;
        self.trail.intrusive = row.intrusive;
        self.trail.family = row.family;
        let mut speaks = false;
        let mut ones = false;
        let mut read = false;
        for (number, step) in row.probe.iter().enumerate() {
            let known = if reads {
                self.trail.read(step)
            } else {
                (number < shared).then_some(number)
            };
            if known.is_none() {
                if !reads {
                    self.trail.done.truncate(number);
                } else if self.trail.done.is_full() {
                    self.trail.done.clear();
                }
                let target = step.address.unwrap_or(address);
                let result = self.make(step, target).await;
                self.wait_ms(step.delay_ms).await;
                let answer = match result {
                    Ok(answer) => answer,
                    Err(_) if step.optional => Vec::new(),
                    Err(Fault::Nack) if number == 0 && step.address.is_none() => {
                        return Probe::Absent;
                    }
                    Err(_) => return Probe::Mismatch,
                };
                if self.trail.done.push(Done { step, answer }).is_err() {
                    return Probe::Mismatch;
                }
            }
            let at = known.unwrap_or(self.trail.done.len().saturating_sub(1));
            let Some(done) = self.trail.done.get(at) else {
                return Probe::Mismatch;
            };
            let answer = &done.answer;
            if !answer.is_empty() {
                read = true;
                speaks |= !is_constant(answer);
                ones |= answer.iter().all(|&byte| byte == 0xFF);
            }
            let agrees = step.expect.is_none_or(|expect| agrees(&expect, answer));
            if !agrees && !step.optional {
                return if read && !speaks {
                    Probe::Odd
                } else {
                    Probe::Mismatch
                };
            }
        }
        match (row.weak, read, speaks) {
            // An acknowledge is all that is known; ones are an open line, and
            // so are zeros where nothing else was ever said.
            (true, _, true) => Probe::Match,
            (true, ..) if !ones && self.odd != Some(address) => Probe::Match,
            (false, true, true) => Probe::Match,
            _ => Probe::Odd,
        }
    }

    async fn make(&mut self, step: &ProbeStep, address: u8) -> Result<Vec<u8, ANSWER_LEN>, Fault> {
        let mut write: Vec<u8, WRITE_LEN> = Vec::from_slice(step.write).map_err(|_| Fault::Nack)?;
        if let Some(from) = step.write_from {
            let done = self.trail.done.get(usize::from(from.step));
            let byte = done.and_then(|done| done.answer.get(usize::from(from.byte)));
            write
                .push(*byte.ok_or(Fault::Nack)?)
                .map_err(|_| Fault::Nack)?;
        }
        let mut answer = Vec::new();
        answer
            .resize(usize::from(step.read_len).min(ANSWER_LEN), 0)
            .map_err(|_| Fault::Nack)?;
        self.line
            .transfer(self.port, address, &write, &mut answer, step.stop)
            .await?;
        Ok(answer)
    }

    /// Leaves the state into which the last probe brought the chip.
    pub(super) async fn leave(&mut self) {
        let address = self.trail.address;
        if !self.trail.done.is_empty() {
            for step in self.trail.exit {
                // A chip that does not take its leave is reset anyway.
                let _ = self.make(step, step.address.unwrap_or(address)).await;
                self.wait_ms(step.delay_ms).await;
            }
        }
        self.trail.clear();
    }
}

/// Whether an answer is as expected.
fn agrees(expect: &Expect, answer: &[u8]) -> bool {
    let Some(answer) = answer.get(usize::from(expect.offset)..) else {
        return false;
    };
    let is = |value: &&[u8]| {
        answer.len() >= value.len()
            && value.iter().enumerate().all(|(at, byte)| {
                let mask = expect.mask.get(at).copied().unwrap_or(0xFF);
                answer
                    .get(at)
                    .is_some_and(|found| found & mask == byte & mask)
            })
    };
    let longest = expect.values.iter().map(|value| value.len()).max();
    if longest.is_some_and(|longest| answer.len() < longest) {
        return false;
    }
    expect.values.iter().any(is) != expect.invert
}
