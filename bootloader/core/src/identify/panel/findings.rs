//! What a panel answered, and what that says about each row of the table.

use super::super::{RowSet, Strap, Table, is_constant};
use super::SURE_BITS;
use heapless::Vec;
use unilk_board_db::{PanelRow, Term};

/// Answers that are kept.
pub const MAX_ANSWERS: usize = 32;
/// Questions a plan may have.
const MAX_QUESTIONS: usize = 128;
/// Bytes of the host's receive buffer (facts/display.md 3.5).
const ANSWER_LEN: usize = 10;

/// The answer to one question of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Index in the plan's questions.
    pub question: u16,
    pub(super) len: u8,
    pub(super) data: [u8; ANSWER_LEN],
}

impl Answer {
    pub(super) const fn new(question: u16) -> Self {
        Self {
            question,
            len: 0,
            data: [0; ANSWER_LEN],
        }
    }

    #[cfg(test)]
    pub(in super::super) fn of(question: u16, bytes: &[u8]) -> Self {
        let mut answer = Self::new(question);
        answer.data[..bytes.len()].copy_from_slice(bytes);
        answer.len = bytes.len() as u8;
        answer
    }

    /// The bytes that came.
    pub fn bytes(&self) -> &[u8] {
        self.data.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

/// Whether a panel is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Presence {
    /// It answered with something that no open line says.
    Yes,
    /// Nothing answered, in three resets.
    Silent,
    /// Something answered, but only zeros or ones: a line that floats or is
    /// shorted, or a panel whose registers are all locked.
    Suspicious,
}

/// What the answers say about one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Outcome {
    /// Every one of its IDs is contradicted.
    Refuted,
    /// It has no ID that can be read.
    Unreadable,
    /// Not decided.
    Open,
    /// One of its IDs is there: all of its bytes, and its pins and voltages as
    /// far as they could be read.
    Confirmed,
}

/// How a row stands, and by how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Match {
    /// The verdict on the row.
    pub outcome: Outcome,
    /// Bits of answers that agreed, in the best of its IDs.
    pub bits: u8,
    /// Pins and voltages that agreed, in the same ID. On unknown wiring they
    /// are a weak hint at most: what was measured may be something else.
    pub pins: u8,
}

/// All that the panel said.
#[derive(Debug, Clone)]
pub struct Findings {
    /// Answers, in the order in which they came.
    pub answers: Vec<Answer, MAX_ANSWERS>,
    /// Identification pins that were read.
    pub straps: [Option<Strap>; 2],
    /// Identification voltages that were looked for: channel and millivolts.
    pub voltages: Vec<(u8, Option<u16>), 4>,
    /// The pins and voltages are known to be this board's.
    pub known_wiring: bool,
    /// Stage of the plan whose unlock sequence was the last thing sent to the
    /// panel; `None`: nothing but reads since its reset.
    pub left_in: Option<u8>,
    /// Reads over DSI, repeats included.
    pub reads: u8,
    /// Reset pulses.
    pub resets: u8,
    /// Those of them that led from one maker's questions to another's.
    pub stage_resets: u8,
    /// Microseconds from begin to end.
    pub took_us: u32,
    /// Where each question's answer stands: 0 not asked, 1 silence, else
    /// index + 2. The table is gone through for every question.
    places: [u8; MAX_QUESTIONS],
    spoke: bool,
}

impl Default for Findings {
    fn default() -> Self {
        Self {
            answers: Vec::new(),
            straps: [None; 2],
            voltages: Vec::new(),
            known_wiring: false,
            left_in: None,
            reads: 0,
            resets: 0,
            stage_resets: 0,
            took_us: 0,
            places: [NOT_ASKED; MAX_QUESTIONS],
            spoke: false,
        }
    }
}

const NOT_ASKED: u8 = 0;
const SILENCE: u8 = 1;
const FIRST_ANSWER: u8 = 2;

/// How one ID of a row stands.
#[derive(Default)]
struct Tally {
    bits: u8,
    pins: u8,
    /// A byte is not known.
    unknown: bool,
    /// Pins and voltages that are not known.
    unread: u8,
    refuted: bool,
    /// A question that is still open is the one that was looked for.
    asks: bool,
}

impl Tally {
    /// Everything that could be read agrees, and that was not nothing.
    const fn confirmed(&self) -> bool {
        !self.refuted && !self.unknown && (self.bits > 0 || self.unread == 0)
    }
}

impl Findings {
    /// Whether a panel is there.
    pub fn presence(&self) -> Presence {
        match (self.spoke, self.answers.is_empty()) {
            (true, _) => Presence::Yes,
            (false, true) => Presence::Silent,
            (false, false) => Presence::Suspicious,
        }
    }

    /// The answer to question `question` of the plan.
    pub fn answer(&self, question: u16) -> Option<&Answer> {
        let place = self.places.get(usize::from(question))?;
        self.answers
            .get(usize::from(place.checked_sub(FIRST_ANSWER)?))
    }

    pub(super) fn asked(&self, question: u16) -> bool {
        let place = self.places.get(usize::from(question));
        place.is_none_or(|&place| place != NOT_ASKED)
    }

    /// After another reset, what was silent may be asked again.
    pub(super) fn forget_silence(&mut self) {
        for place in self.places.iter_mut().filter(|place| **place == SILENCE) {
            *place = NOT_ASKED;
        }
    }

    pub(in super::super) fn add(&mut self, answer: Answer) {
        if let Some(place) = self.places.get_mut(usize::from(answer.question)) {
            self.spoke |= !is_constant(answer.bytes());
            if self.answers.push(answer).is_ok() {
                *place = FIRST_ANSWER + (self.answers.len() as u8 - 1);
            }
        }
    }

    pub(super) fn silence(&mut self, question: u16) {
        if let Some(place) = self.places.get_mut(usize::from(question)) {
            *place = SILENCE;
        }
    }

    /// Whether a term holds; `None` = not known. Zeros and silence mean
    /// something only of a panel that has shown that it can speak;
    /// `believe` takes them as they are.
    fn term(&self, term: Term, believe: bool) -> Option<bool> {
        match term {
            Term::Answer {
                question,
                byte,
                mask,
                value,
            } => {
                let place = *self.places.get(usize::from(question))?;
                if place == NOT_ASKED || !(self.spoke || believe) {
                    return None;
                }
                let answer = self.answer(question).map_or(&[][..], Answer::bytes);
                let found = answer.get(usize::from(byte));
                Some(found.is_some_and(|&found| found & mask == value & mask))
            }
            Term::Strap { index, high } => match self.straps.get(usize::from(index))?.as_ref()? {
                Strap::Low => Some(!high),
                Strap::High => Some(high),
                // The vendor's code saw whatever pull its board had set.
                Strap::Open => None,
            },
            Term::Voltage {
                channel,
                from_mv,
                to_mv,
            } => {
                let measured = self.voltages.iter().find(|&&(known, _)| known == channel);
                let mv = measured?.1?;
                Some((from_mv..=to_mv).contains(&mv))
            }
        }
    }

    /// How an ID stands; with `question`, for deciding whether to ask it.
    fn tally(&self, id: &[Term], question: Option<u16>) -> Tally {
        let mut tally = Tally::default();
        for term in id {
            match (self.term(*term, question.is_some()), term) {
                (None, Term::Answer { question: asks, .. }) => {
                    tally.unknown = true;
                    tally.asks |= Some(*asks) == question;
                }
                (Some(true), Term::Answer { mask, .. }) => {
                    tally.bits = tally.bits.saturating_add(mask.count_ones() as u8);
                }
                (Some(false), Term::Answer { .. }) => tally.refuted = true,
                (None, _) => tally.unread += 1,
                (Some(true), _) => {
                    tally.pins += 1;
                    tally.unread += u8::from(!self.known_wiring);
                }
                (Some(false), _) if self.known_wiring => tally.refuted = true,
                // Somebody else's pin, perhaps.
                (Some(false), _) => tally.unread += 1,
            }
        }
        tally
    }

    /// What the answers say about row `row`.
    pub fn state(&self, table: &Table, row: u16) -> Match {
        match table.panels.get(usize::from(row)) {
            Some(panel) => self.match_of(panel),
            None => Match {
                outcome: Outcome::Refuted,
                bits: 0,
                pins: 0,
            },
        }
    }

    /// What the answers say about `panel`.
    pub fn match_of(&self, panel: &PanelRow) -> Match {
        let mut best = Match {
            outcome: if panel.ids.is_empty() {
                Outcome::Unreadable
            } else {
                Outcome::Refuted
            },
            bits: 0,
            pins: 0,
        };
        for id in panel.ids {
            let tally = self.tally(id, None);
            let outcome = match (tally.refuted, tally.confirmed()) {
                (true, _) => continue,
                (false, true) => Outcome::Confirmed,
                (false, false) => Outcome::Open,
            };
            if (outcome, tally.bits, tally.pins) >= (best.outcome, best.bits, best.pins) {
                best = Match {
                    outcome,
                    bits: tally.bits,
                    pins: tally.pins,
                };
            }
        }
        best
    }

    /// The rows with one outcome.
    pub fn rows(&self, table: &Table, outcome: Outcome) -> RowSet {
        let rows = 0..table.panels.len() as u16;
        rows.filter(|&row| self.state(table, row).outcome == outcome)
            .collect()
    }

    /// Whether row `row` can be initialised without another reset: nothing was
    /// unlocked since the last one, or only what the row's own maker knows.
    pub fn state_suits(&self, table: &Table, row: u16) -> bool {
        let Some(left_in) = self.left_in else {
            return true;
        };
        let panel = table.panels.get(usize::from(row));
        let mut terms = panel.iter().flat_map(|panel| panel.ids).copied().flatten();
        terms.any(|term| {
            let Term::Answer { question, .. } = term else {
                return false;
            };
            let question = table.plan.questions.get(usize::from(*question));
            question.is_some_and(|question| question.stage == left_in)
        })
    }

    /// Whether the answer to `question` can still change the outcome for
    /// `rows`. Once something is confirmed, only IDs that agree so far count:
    /// there is one controller. While what confirmed is weak, the rest of a
    /// stage which was `entered` anyway is asked too.
    pub(super) fn wanted(
        &self,
        table: &Table,
        rows: &RowSet,
        question: u16,
        entered: bool,
    ) -> bool {
        let (mut any, mut partial) = (false, false);
        let mut sure = 0;
        for (row, panel) in table.panels.iter().enumerate() {
            if !rows.contains(row as u16) {
                continue;
            }
            let mut confirmed = false;
            let (mut asks, mut agrees) = (false, false);
            for id in panel.ids {
                let tally = self.tally(id, Some(question));
                if tally.refuted {
                    continue;
                }
                confirmed |= tally.confirmed();
                if tally.confirmed() {
                    sure = sure.max(tally.bits);
                }
                asks |= tally.asks;
                agrees |= tally.asks && tally.bits > 0;
            }
            any |= asks && !confirmed;
            partial |= agrees && !confirmed;
        }
        match sure {
            0 => any,
            SURE_BITS.. => partial,
            _ => partial || (any && entered),
        }
    }
}
