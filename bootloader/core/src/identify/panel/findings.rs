//! What a panel answered, and what that says about each row of the table.

use super::super::{RowSet, Strap, Table, is_constant};
use super::SURE_BITS;
use heapless::Vec;
use unilk_board_db::{PanelBus, PanelRow, Plan, Step, Steps, Term};

/// Answers that are kept.
pub const MAX_ANSWERS: usize = 32;
/// Questions a plan may have.
const MAX_QUESTIONS: usize = 128;
/// Bytes by which keys are told apart: what follows selects a page.
const KEY_LEN: usize = 4;
/// Controllers that one answer may fit.
const MAX_CONTROLLERS: usize = 16;
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
    /// Where the wiring is known to be this board's: the rows whose drivers
    /// mean its pins and voltages.
    pub own: Option<RowSet>,
    /// It was asked on a bus of the LCD controller, not over DSI.
    pub dbi: bool,
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
            own: None,
            dbi: false,
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

/// A question that may be asked.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// Its number.
    pub question: u16,
    /// Another one of its stage has been asked.
    pub entered: bool,
}

/// What pins and voltages say of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pins {
    /// They are what the row's driver means.
    Own,
    /// They may be: the wiring is not known.
    Perhaps,
    /// They are another board's: the row's driver reads other pins.
    Foreign,
}

/// How one ID of a row stands.
#[derive(Default)]
struct Tally {
    bits: u8,
    /// Those of them in bytes that are neither zeros nor ones.
    telling: u8,
    /// Some of them are behind a maker's key.
    keyed: bool,
    /// Some of them are not in the registers that a module's maker programs.
    chip: bool,
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
        let spoke = !self.says_nothing(answer.bytes());
        if let Some(place) = self.places.get_mut(usize::from(answer.question)) {
            self.spoke |= spoke;
            if self.answers.push(answer).is_ok() {
                *place = FIRST_ANSWER + (self.answers.len() as u8 - 1);
            }
        }
    }

    /// Whether an answer is what open or shorted lines read as. On a bus of the
    /// LCD controller the first of several words is a dummy, and the upper
    /// bytes are those of lines that the answer need not have.
    pub(super) fn says_nothing(&self, bytes: &[u8]) -> bool {
        let words = bytes.as_chunks::<2>().0;
        if !self.dbi {
            return is_constant(bytes);
        }
        let words = words.get(usize::from(words.len() > 1)..).unwrap_or(words);
        let all = |byte: u8| words.iter().all(|word| word[0] == byte);
        let upper = words.iter().all(|word| matches!(word[1], 0x00 | 0xFF));
        (all(0x00) || all(0xFF)) && upper
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

    fn pins_of(&self, row: u16) -> Pins {
        match &self.own {
            None => Pins::Perhaps,
            Some(own) if own.contains(row) => Pins::Own,
            Some(_) => Pins::Foreign,
        }
    }

    /// How an ID stands; with `question`, for deciding whether to ask it.
    fn tally(&self, table: &Table, id: &[Term], pins: Pins, question: Option<u16>) -> Tally {
        let mut tally = Tally::default();
        for term in id {
            let known = match term {
                Term::Answer { .. } => self.term(*term, question.is_some()),
                _ if pins == Pins::Foreign => None,
                _ => self.term(*term, false),
            };
            match (known, term) {
                (None, Term::Answer { question: asks, .. }) => {
                    tally.unknown = true;
                    tally.asks |= Some(*asks) == question;
                }
                (
                    Some(true),
                    Term::Answer {
                        question,
                        mask,
                        value,
                        ..
                    },
                ) => {
                    let bits = mask.count_ones() as u8;
                    tally.bits = tally.bits.saturating_add(bits);
                    if value & mask != 0 && value & mask != 0xFF {
                        tally.telling = tally.telling.saturating_add(bits);
                    }
                    tally.keyed |= keyed(table, *question);
                    tally.chip |= !is_of_module(table, *question);
                }
                (Some(false), Term::Answer { .. }) => tally.refuted = true,
                (None, _) => tally.unread += 1,
                (Some(true), _) => {
                    tally.pins += 1;
                    tally.unread += u8::from(pins != Pins::Own);
                }
                (Some(false), _) if pins == Pins::Own => tally.refuted = true,
                // Somebody else's pin, perhaps.
                (Some(false), _) => tally.unread += 1,
            }
        }
        tally
    }

    /// What the answers say about row `row`.
    pub fn state(&self, table: &Table, row: u16) -> Match {
        match table.panels.get(usize::from(row)) {
            Some(panel) => self.match_of(table, row, panel),
            None => Match {
                outcome: Outcome::Refuted,
                bits: 0,
                pins: 0,
            },
        }
    }

    /// Whether a panel on `bus` cannot be what answered.
    fn spoke_on_another(&self, bus: PanelBus) -> bool {
        self.spoke
            && match bus {
                PanelBus::Dsi => self.dbi,
                PanelBus::Parallel(_) | PanelBus::Serial(_) => !self.dbi,
                // It has nothing to answer with.
                PanelBus::Dpi => true,
            }
    }

    /// What the answers say about `panel`, which is row `row`.
    pub fn match_of(&self, table: &Table, row: u16, panel: &PanelRow) -> Match {
        let pins = self.pins_of(row);
        let elsewhere = self.spoke_on_another(panel.bus);
        let mut best = Match {
            outcome: if panel.ids.is_empty() && !elsewhere {
                Outcome::Unreadable
            } else {
                Outcome::Refuted
            },
            bits: 0,
            pins: 0,
        };
        let ids = if elsewhere { &[] } else { panel.ids };
        for id in ids {
            let tally = self.tally(table, id, pins, None);
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

    /// Whether a panel can be initialised with `init` without another reset:
    /// nothing was unlocked since the last one, or only what `init` unlocks
    /// itself before anything else. To others a maker's key is a write to some
    /// register, or leaves a page open to which the first of `init` does not go.
    pub fn state_suits(&self, plan: &Plan, init: &Steps<'_>) -> bool {
        let stage = self
            .left_in
            .and_then(|left_in| plan.stages.get(usize::from(left_in)));
        let Some(stage) = stage.filter(|stage| !stage.unlock.is_empty()) else {
            return true;
        };
        // The keys of drivers for these buses set registers that their tables
        // leave alone: they reset the panel after it was asked.
        if self.dbi {
            return false;
        }
        // Orise's controllers would take its first write for another register.
        let away = stage.unlock.steps().filter_map(shift).last();
        let mut writes = init
            .clone()
            .filter(|step| matches!(step, Step::Write { .. }));
        if away.is_some_and(|away| away != 0) && writes.next().and_then(shift).is_none() {
            return false;
        }
        let mut sent = stage.unlock.steps().filter_map(key);
        let first = init.clone().find_map(key);
        sent.clone().any(|sent| Some(sent) == first)
            && sent.all(|sent| init.clone().filter_map(key).any(|key| key == sent))
    }

    /// Whether the answer to a question can still change the outcome for
    /// `rows`. Once something is confirmed, only IDs that agree so far count:
    /// there is one controller; of the `likely` rows those with it; and its
    /// maker's others where only the module's own number was read. While what
    /// confirmed is weak, the rest of a stage which was entered anyway is asked
    /// too, and everything else while it needed no maker's key.
    ///
    /// Rows about which nothing can change any more are taken out of `rows`:
    /// of a large table the first answers leave few.
    pub(super) fn wanted(
        &self,
        table: &Table,
        rows: &mut RowSet,
        likely: &RowSet,
        asked: Asked,
    ) -> bool {
        let (mut any, mut partial) = (false, false);
        let mut sure = 0;
        let mut controllers: Vec<&str, MAX_CONTROLLERS> = Vec::new();
        let mut kin: Vec<&str, MAX_CONTROLLERS> = Vec::new();
        let mut modules: Vec<&str, MAX_CONTROLLERS> = Vec::new();
        let mut makers: Vec<&str, MAX_CONTROLLERS> = Vec::new();
        for row in &RowSet::clone(rows) {
            let Some(panel) = table.panels.get(usize::from(row)) else {
                rows.remove(row);
                continue;
            };
            let pins = self.pins_of(row);
            let mut confirmed = false;
            let (mut asks, mut agrees) = (false, false);
            let mut refuted = true;
            for id in panel.ids {
                let tally = self.tally(table, id, pins, Some(asked.question));
                if tally.refuted {
                    continue;
                }
                refuted = false;
                confirmed |= tally.confirmed();
                if tally.confirmed() && (tally.keyed || tally.telling >= SURE_BITS) {
                    sure = sure.max(tally.telling.max(1));
                    remember(&mut controllers, panel.controller);
                    if !tally.chip {
                        remember(&mut modules, maker(panel.controller));
                    }
                }
                asks |= tally.asks;
                agrees |= tally.asks && tally.bits > 0;
            }
            if refuted {
                rows.remove(row);
            }
            any |= asks && !confirmed;
            partial |= agrees && !confirmed;
            if asks && !confirmed {
                remember(&mut makers, maker(panel.controller));
                if likely.contains(row) {
                    remember(&mut kin, panel.controller);
                }
            }
        }
        if sure > 0 {
            partial |= kin.iter().any(|kin| controllers.contains(kin));
            partial |= modules.iter().any(|module| makers.contains(module));
        }
        match sure {
            0 => any,
            SURE_BITS.. => partial,
            _ => partial || (any && asked.entered),
        }
    }
}

/// Whether a question is asked behind a maker's key.
fn keyed(table: &Table, question: u16) -> bool {
    let question = table.plan.questions.get(usize::from(question));
    let stage = question.and_then(|asked| table.plan.stages.get(usize::from(asked.stage)));
    stage.is_some_and(|stage| !stage.unlock.is_empty())
}

/// Whether a question is for a number that the module's maker programs, the
/// same for different controllers (facts/display.md 5.5: 04 = 11 xx).
fn is_of_module(table: &Table, question: u16) -> bool {
    let question = table.plan.questions.get(usize::from(question));
    question.is_some_and(|asked| matches!(asked.register, 0x04 | 0xDA..=0xDC))
}

/// The letters with which a controller's name begins.
fn maker(controller: &str) -> &str {
    let end = controller.find(|letter: char| !letter.is_ascii_alphabetic());
    controller
        .get(..end.unwrap_or(controller.len()))
        .unwrap_or("")
}

/// The start of a write that may be a maker's key: longer than the selection
/// of an address or a page.
fn key(step: Step<'_>) -> Option<&[u8]> {
    match step {
        Step::Write { payload, .. } if payload.len() > 2 => {
            Some(payload.get(..KEY_LEN).unwrap_or(payload))
        }
        _ => None,
    }
}

/// How far a write shifts the registers that Orise's controllers take the
/// next writes for (facts/display.md 5.5).
fn shift(step: Step<'_>) -> Option<u8> {
    match step {
        Step::Write {
            payload: &[0x00, shift],
            ..
        } => Some(shift),
        _ => None,
    }
}

/// Adds a controller to a short list. More than it has room for agree with
/// nothing that a real panel answers.
fn remember<'a>(list: &mut Vec<&'a str, MAX_CONTROLLERS>, controller: &'a str) {
    if !list.contains(&controller) {
        let _ = list.push(controller);
    }
}
