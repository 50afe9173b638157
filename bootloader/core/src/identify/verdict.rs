//! The verdict on the panel: who won, who else fits and why, how sure it is,
//! and whether a person should be asked.

use super::evidence::{BOARD, Evidence, ID_BYTES, KERNEL, Reasons, Weights};
use super::panel::{Findings, Presence};
use super::report::{Kind, Record, Recorder, Unit};
use super::rounds::Rounds;
use super::{MAX_ROWS, RowSet, Table};
use heapless::Vec;
use unilk_board_db::PanelBus;

/// Candidates that a verdict lists.
pub const MAX_CANDIDATES: usize = 24;
/// Candidates of lesser grounds that go into the report.
const MORE_TOLD: usize = 6;

/// A panel that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Row of the table.
    pub row: u16,
    /// Weight of what speaks for it ([`super::evidence`]).
    pub grounds: u16,
    /// The same with its fame, by which those of like grounds are ordered.
    pub score: u16,
    /// What speaks for it.
    pub reasons: Reasons,
}

/// How sure a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Certainty {
    /// Nobody won.
    None = 0,
    /// The best of several that fit alike.
    Guess = 1,
    /// Weak evidence (touch, cameras, board) decided.
    Likely = 2,
    /// It alone has the strong evidence (hint, ID, pins, the phone's kernel).
    Certain = 3,
    /// A person chose it, or its answer agrees with the phone's own firmware.
    Confirmed = 4,
}

impl Certainty {
    const WORDS: [&'static str; 5] = ["none", "guess", "likely", "certain", "confirmed"];

    /// The word for a number; `"?"` for one that is none.
    pub fn word(number: u8) -> &'static str {
        Self::WORDS.get(usize::from(number)).copied().unwrap_or("?")
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        Self::word(self as u8)
    }
}

error_enum! {
    /// What is odd about a panel.
    pub enum PanelNote {
        /// Nothing answered.
        Silent => "LCM-SILENT", "panel does not answer: check its connector; boot goes on";
        /// Only zeros or ones.
        Suspicious => "LCM-CONST", "panel answers only zeros or ones: check its connector";
        /// It answered, but no row fits.
        Unknown => "LCM-NEW", "panel answers and is not in the table: learn it from the stock firmware";
        /// The winner is on DPI.
        Undriven => "LCM-DPI", "panel is on the DPI bus, which unilk does not drive: boot goes on without a screen";
        /// The stored choice contradicts the answers.
        Contradicted => "LCM-OTHER", "panel answers as another than the one chosen: choose again if the picture is wrong";
    }
}

/// The verdict.
#[derive(Debug, Clone)]
pub struct PanelVerdict {
    /// Row of the table.
    pub winner: Option<u16>,
    /// How sure that is.
    pub certainty: Certainty,
    /// All that fit, best first; those with nearly the same table together.
    pub candidates: Vec<Candidate, MAX_CANDIDATES>,
    /// Candidates that did not fit into the list.
    pub further: u16,
    /// All that have the same grounds as the best, listed or not.
    pub alike: RowSet,
    /// A person should choose among the candidates.
    pub ask: bool,
    /// What is odd.
    pub note: Option<PanelNote>,
    /// What the panel answered.
    pub found: Findings,
}

/// Weighs all evidence.
pub fn decide(table: &Table, evidence: &Evidence<'_>, found: Findings) -> PanelVerdict {
    let weights = Weights::new(table, evidence);
    let mute = found.presence() != Presence::Yes;
    let mut candidates: Vec<Candidate, MAX_CANDIDATES> = Vec::new();
    let mut further = 0;
    let (mut best, mut alike) = (0, RowSet::EMPTY);
    for (row, panel) in table.panels.iter().enumerate().take(MAX_ROWS) {
        let row = row as u16;
        let Some(candidate) = weights.weigh(table, row, panel, &found) else {
            continue;
        };
        // A panel that can be read and says nothing, or only what an open line
        // says, is not there, unless this very phone speaks for it. Nothing is
        // guessed where it is not on DSI, or the phone's panel is not.
        let unheard = !panel.ids.is_empty() && candidate.grounds < KERNEL;
        let elsewhere = panel.bus != PanelBus::Dsi || found.dbi;
        let unexpected = elsewhere && candidate.grounds < BOARD;
        if mute && (unheard || unexpected) {
            continue;
        }
        if candidate.grounds > best {
            (best, alike) = (candidate.grounds, RowSet::EMPTY);
        }
        if candidate.grounds == best {
            alike.insert(row);
        }
        let place = candidates
            .iter()
            .position(|known| known.score < candidate.score);
        if candidates.is_full() {
            further += 1;
            if place.is_none() {
                continue;
            }
            candidates.pop();
        }
        // There is room: the last was taken out of a full list.
        let _ = candidates.insert(place.unwrap_or(candidates.len()), candidate);
    }
    group(table, &mut candidates);
    let mut verdict = PanelVerdict {
        winner: None,
        certainty: Certainty::None,
        candidates,
        further,
        alike,
        ask: false,
        note: None,
        found,
    };
    verdict.judge();
    let winner = verdict
        .winner
        .and_then(|row| table.panels.get(usize::from(row)));
    if winner.is_some_and(|panel| panel.bus == PanelBus::Dpi) {
        verdict.note = Some(PanelNote::Undriven);
        verdict.ask = false;
    }
    verdict
}

/// Puts those together that have the same evidence, controller and size, so
/// that a person who steps through them sees like beside like.
fn group(table: &Table, candidates: &mut [Candidate]) {
    let alike = |one: &Candidate, other: &Candidate| {
        let panel = |candidate: &Candidate| table.panels.get(usize::from(candidate.row));
        let (Some(a), Some(b)) = (panel(one), panel(other)) else {
            return false;
        };
        one.grounds == other.grounds
            && (a.controller, a.width, a.height) == (b.controller, b.width, b.height)
    };
    for at in 0..candidates.len() {
        let Some((first, rest)) = candidates.get_mut(at..).and_then(<[_]>::split_first_mut) else {
            return;
        };
        if let Some(next) = rest.iter().position(|other| alike(first, other))
            && let Some(gap) = rest.get_mut(..=next)
        {
            gap.rotate_right(1);
        }
    }
}

impl PanelVerdict {
    fn judge(&mut self) {
        let presence = self.found.presence();
        let Some(&best) = self.candidates.first() else {
            self.note = Some(match presence {
                Presence::Yes => PanelNote::Unknown,
                Presence::Silent => PanelNote::Silent,
                Presence::Suspicious => PanelNote::Suspicious,
            });
            return;
        };
        let has = |reason| best.reasons.contains(reason);
        let strong = best.grounds >= KERNEL;
        self.note = match presence {
            Presence::Silent => Some(PanelNote::Silent),
            Presence::Suspicious => Some(PanelNote::Suspicious),
            Presence::Yes if has(Reasons::CONTRADICTED) => Some(PanelNote::Contradicted),
            Presence::Yes if !strong && has(Reasons::UNREADABLE) => Some(PanelNote::Unknown),
            Presence::Yes => None,
        };
        // Nothing answers and nothing of this phone speaks for any panel:
        // there is none, and a guess would light nothing.
        if presence == Presence::Silent && best.grounds < BOARD {
            return;
        }
        self.winner = Some(best.row);
        let second = self.candidates.get(1);
        let lead = second.map_or(u16::MAX, |second| best.grounds.abs_diff(second.grounds));
        self.certainty = if has(Reasons::STORED)
            || (has(Reasons::HINT) && has(Reasons::ID_BYTES) && lead >= KERNEL)
        {
            Certainty::Confirmed
        } else if strong && lead >= KERNEL {
            Certainty::Certain
        } else if lead >= BOARD && (has(Reasons::ID_BYTES) || has(Reasons::BOARD)) {
            // A touch chip or a camera alone proves no panel: they only decide
            // among those that the panel or the board leaves.
            Certainty::Likely
        } else {
            Certainty::Guess
        };
        // Where the panel is the only one that fits, or fits best, there is
        // nothing to ask.
        self.ask = self.certainty == Certainty::Guess && self.alike.len() > 1;
    }

    /// In which order to show a person those who are alike, and later those of
    /// another bus, and those whose driver does not read their controller, which
    /// is that of one who is alike.
    pub fn rounds(&self, table: &Table, evidence: &Evidence<'_>) -> Rounds {
        let Some(best) = self.candidates.first() else {
            return Rounds::default();
        };
        let weights = Weights::new(table, evidence);
        let weigh = |row: u16| {
            let panel = table.panels.get(usize::from(row))?;
            weights.weigh(table, row, panel, &self.found)
        };
        let controller = |row: u16| table.panels.get(usize::from(row)).map(|row| row.controller);
        let by_id = best.reasons.contains(Reasons::ID_BYTES);
        let (mut fit, mut kin) = (RowSet::EMPTY, RowSet::EMPTY);
        for (row, panel) in (0..).zip(table.panels.iter().take(MAX_ROWS)) {
            let same_bus = match panel.bus {
                PanelBus::Dsi => !self.found.dbi,
                PanelBus::Parallel(_) | PanelBus::Serial(_) => self.found.dbi,
                // Nobody can light it.
                PanelBus::Dpi => continue,
            };
            let mut like = self.alike.iter().filter_map(controller);
            if self.alike.contains(row) {
                let set = if same_bus { &mut fit } else { &mut kin };
                set.insert(row);
            } else if by_id
                && same_bus
                && panel.ids.is_empty()
                && like.any(|like| like == panel.controller)
            {
                kin.insert(row);
            }
        }
        let score = |row| weigh(row).map_or(0, |candidate| candidate.score - candidate.grounds);
        Rounds::new(table, (best.row, &fit), &kin, score)
    }

    /// Those of [`Self::candidates`] that have the same grounds as the best.
    pub fn contenders(&self) -> &[Candidate] {
        let grounds = self.candidates.first().map_or(0, |best| best.grounds);
        let others = self.candidates.iter();
        let count = others.take_while(|other| other.grounds == grounds).count();
        self.candidates.get(..count).unwrap_or(&[])
    }

    /// The winner is known by what it answered, or by something stronger: it
    /// may still be one of several with the same controller.
    pub(super) fn identified(&self) -> bool {
        let best = self.candidates.first();
        best.is_some_and(|best| best.grounds >= ID_BYTES)
    }

    /// Writes candidates and verdict to the report: of the candidates those
    /// between whom it stands, and the next few.
    pub fn record(&self, table: &Table, log: &dyn Recorder, at_us: u32) {
        let id = |row: u16| {
            let panel = table.panels.get(usize::from(row));
            panel.map_or(&[][..], |panel| panel.id.as_bytes())
        };
        let told = self.contenders().len() + MORE_TOLD;
        let grounded = |candidate: &&Candidate| candidate.grounds > 0;
        for candidate in self.candidates.iter().take(told).filter(grounded) {
            log.record(&Record {
                unit: Unit::Panel,
                a: candidate.score,
                b: candidate.reasons.0,
                sent: id(candidate.row),
                ..Record::new(Kind::Candidate, at_us)
            });
        }
        if let Some(note) = &self.note {
            log.record(&Record {
                unit: Unit::Panel,
                sent: crate::Code::code(note).as_bytes(),
                ..Record::new(Kind::Note, at_us)
            });
        }
        let others = self.candidates.len().saturating_sub(1) as u16 + self.further;
        log.record(&Record {
            unit: Unit::Panel,
            status: self.certainty as u8,
            a: others,
            sent: self.winner.map_or(&[][..], id),
            ..Record::new(Kind::Verdict, at_us)
        });
    }
}

#[cfg(test)]
mod tests;
