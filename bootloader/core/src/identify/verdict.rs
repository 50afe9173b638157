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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::RowSet;
    use super::super::evidence::likely_board;
    use super::super::panel::Answer;
    use super::super::store::How;
    use super::super::testing::{leak, panel, panels};
    use super::*;
    use std::vec::Vec;
    use unilk_board_db::{Backlight, Board, Keys, PanelRow, Plan, Term};

    const ID: &[&[Term]] = &[&[Term::Answer {
        question: 0,
        byte: 0,
        mask: 0xFF,
        value: 0x98,
    }]];
    const OTHER: &[&[Term]] = &[&[Term::Answer {
        question: 0,
        byte: 0,
        mask: 0xFF,
        value: 0x55,
    }]];
    static PLAN: Plan = Plan {
        stages: &[],
        questions: &[],
    };

    fn rows() -> [PanelRow; 5] {
        let mut rows = [
            panel("a", ID),
            panel("b", ID),
            panel("c", OTHER),
            panel("d", ID),
            panel("mute", &[]),
        ];
        rows[1].shipped = 9;
        rows[3].shipped = 30;
        rows[1].width = 320;
        rows
    }

    fn table() -> Table {
        let keys = Keys {
            volume_up: None,
            volume_down: None,
            recovery: None,
            factory: None,
        };
        let board = Board {
            id: "board",
            keys,
            wiring: "",
            backlight: Backlight::Isink,
            panels: &["a", "c", "gone"],
            touch: &["ft"],
            cameras: [&["ov"], &["gc"]],
        };
        Table {
            boards: leak(&[board]),
            ..panels(&rows(), &PLAN)
        }
    }

    fn answer(byte: u8) -> Findings {
        let mut found = Findings::default();
        found.add(Answer::of(0, &[byte]));
        found
    }

    fn rows_of(verdict: &PanelVerdict) -> Vec<u16> {
        verdict
            .candidates
            .iter()
            .map(|candidate| candidate.row)
            .collect()
    }

    #[test]
    fn panels_that_answer_alike_are_a_guess_for_a_person() {
        let verdict = decide(&table(), &Evidence::NONE, answer(0x98));
        // The most common first, its like beside it, the mute one last.
        assert_eq!(rows_of(&verdict), [3, 0, 1, 4]);
        assert_eq!(
            (verdict.winner, verdict.certainty),
            (Some(3), Certainty::Guess)
        );
        assert!(verdict.ask);
        assert_eq!(verdict.contenders().len(), 3);
        assert_eq!(verdict.note, None);
    }

    #[test]
    fn weaker_evidence_decides_between_those_that_are_left() {
        let evidence = Evidence {
            touch: Some("ft"),
            cameras: [None, Some("gc")],
            ..Evidence::NONE
        };
        let verdict = decide(&table(), &evidence, answer(0x98));
        assert_eq!(
            (verdict.winner, verdict.certainty),
            (Some(0), Certainty::Likely)
        );
        assert!(!verdict.ask);
        let reasons: Vec<_> = verdict.candidates[0].reasons.names().collect();
        assert_eq!(reasons, ["id", "touch", "sub-camera", "together"]);
        // Never against what the panel says of itself.
        let verdict = decide(&table(), &evidence, answer(0x55));
        assert_eq!(
            (verdict.winner, verdict.certainty),
            (Some(2), Certainty::Certain)
        );
    }

    #[test]
    fn the_kernels_names_decide_with_certainty() {
        let evidence = Evidence {
            kernel: [1, 2].into_iter().collect(),
            ..Evidence::NONE
        };
        let verdict = decide(&table(), &evidence, answer(0x98));
        assert_eq!(
            (verdict.winner, verdict.certainty),
            (Some(1), Certainty::Certain)
        );
    }

    #[test]
    fn a_hint_is_confirmed_or_overruled_by_the_id() {
        let evidence = Evidence {
            hinted: [0].into_iter().collect::<RowSet>(),
            ..Evidence::NONE
        };
        let verdict = decide(&table(), &evidence, answer(0x98));
        assert_eq!(
            (verdict.winner, verdict.certainty),
            (Some(0), Certainty::Confirmed)
        );
        let verdict = decide(&table(), &evidence, answer(0x55));
        assert_eq!(verdict.winner, Some(2));
        assert!(!rows_of(&verdict).contains(&0));
    }

    #[test]
    fn what_answers_on_one_bus_is_on_no_other() {
        let mut rows = rows();
        rows[3].bus = PanelBus::Dpi;
        rows[4].bus = PanelBus::Dpi;
        let table = panels(&rows, &PLAN);
        let verdict = decide(&table, &Evidence::NONE, answer(0x98));
        assert_eq!(rows_of(&verdict), [1, 0]);
        let mut on_bus = answer(0x98);
        on_bus.dbi = true;
        let verdict = decide(&table, &Evidence::NONE, on_bus);
        assert_eq!(verdict.note, Some(PanelNote::Unknown), "{verdict:?}");
    }

    #[test]
    fn a_dpi_panel_wins_only_where_this_phone_names_it_and_is_refused() {
        let mut rows = rows();
        rows[4].bus = PanelBus::Dpi;
        let table = panels(&rows, &PLAN);
        let silent = decide(&table, &Evidence::NONE, Findings::default());
        assert!(!rows_of(&silent).contains(&4));
        let evidence = Evidence {
            hinted: [4].into_iter().collect(),
            ..Evidence::NONE
        };
        let verdict = decide(&table, &evidence, Findings::default());
        assert_eq!(
            (verdict.winner, verdict.note, verdict.ask),
            (Some(4), Some(PanelNote::Undriven), false)
        );
    }

    #[test]
    fn a_persons_choice_stands_with_a_warning() {
        let evidence = Evidence {
            stored: Some((2, How::Person)),
            hinted: [0].into_iter().collect(),
            ..Evidence::NONE
        };
        let verdict = decide(&table(), &evidence, answer(0x98));
        assert_eq!(
            (verdict.winner, verdict.certainty),
            (Some(2), Certainty::Confirmed)
        );
        assert_eq!(verdict.note, Some(PanelNote::Contradicted));
        // What was only identified does not stand against an answer.
        let evidence = Evidence {
            stored: Some((2, How::Identified)),
            ..Evidence::NONE
        };
        let verdict = decide(&table(), &evidence, answer(0x98));
        assert_eq!(verdict.winner, Some(3));
    }

    #[test]
    fn without_a_panel_only_the_phone_itself_can_name_one() {
        let verdict = decide(&table(), &Evidence::NONE, Findings::default());
        assert_eq!((verdict.winner, verdict.certainty), (None, Certainty::None));
        assert_eq!(verdict.note, Some(PanelNote::Silent));
        assert!(!verdict.ask, "nobody could see an answer");
        let evidence = Evidence {
            hinted: [1].into_iter().collect(),
            ..Evidence::NONE
        };
        let verdict = decide(&table(), &evidence, Findings::default());
        assert_eq!(
            (verdict.winner, verdict.certainty),
            (Some(1), Certainty::Certain)
        );
    }

    #[test]
    fn a_panel_that_no_row_knows_is_said_to_be_new() {
        let verdict = decide(&table(), &Evidence::NONE, answer(0x12));
        assert_eq!(
            rows_of(&verdict),
            [4],
            "the one that cannot be read is left"
        );
        assert_eq!(verdict.note, Some(PanelNote::Unknown));
        assert_eq!(verdict.certainty, Certainty::Guess);
    }

    #[test]
    fn a_panel_that_says_only_zeros_is_none_that_can_be_read() {
        let verdict = decide(&table(), &Evidence::NONE, answer(0x00));
        assert_eq!(rows_of(&verdict), [4]);
        assert_eq!(verdict.note, Some(PanelNote::Suspicious));
    }

    #[test]
    fn a_touch_chip_alone_proves_no_panel() {
        let board = Board {
            panels: &["mute"],
            touch: &["ft"],
            ..table().boards[0]
        };
        let table = boards(&[board]);
        let evidence = Evidence {
            touch: Some("ft"),
            ..Evidence::NONE
        };
        let verdict = decide(&table, &evidence, Findings::default());
        assert_eq!(
            (verdict.winner, verdict.certainty, verdict.ask),
            (Some(4), Certainty::Guess, false)
        );
        // That this board has it does.
        let evidence = Evidence {
            board: table.boards.first(),
            ..evidence
        };
        let verdict = decide(&table, &evidence, Findings::default());
        assert_eq!(verdict.certainty, Certainty::Likely);
    }

    const WITH_VOLTAGE: &[&[Term]] = &[&[
        ID[0][0],
        Term::Voltage {
            channel: 0,
            from_mv: 300,
            to_mv: 500,
        },
    ]];

    #[test]
    fn a_voltage_is_strong_on_known_wiring_and_weak_on_unknown() {
        let mut rows = rows();
        rows[0].ids = WITH_VOLTAGE;
        let table = Table {
            panels: leak(&rows),
            ..table()
        };
        let judge = |mv, known_wiring: bool, touch| {
            let mut found = answer(0x98);
            found.own = known_wiring.then_some(RowSet::first(5));
            found.voltages.push((0, mv)).unwrap();
            let evidence = Evidence {
                touch,
                ..Evidence::NONE
            };
            let verdict = decide(&table, &evidence, found);
            (verdict.winner, verdict.certainty)
        };
        assert_eq!(judge(Some(400), true, None), (Some(0), Certainty::Certain));
        assert_eq!(judge(Some(400), false, None), (Some(0), Certainty::Likely));
        // Contradicted or not read, it stands beside those without a voltage.
        assert_eq!(judge(Some(900), false, None), (Some(3), Certainty::Guess));
        assert_eq!(judge(None, true, None), (Some(3), Certainty::Guess));
        // Weaker than a chip that was found; refuted only where it is known.
        let ft = Some("ft");
        assert_eq!(judge(Some(900), false, ft), (Some(0), Certainty::Likely));
        assert_eq!(judge(Some(900), true, ft), (Some(3), Certainty::Guess));
    }

    fn boards(sets: &[Board]) -> Table {
        Table {
            boards: leak(sets),
            ..table()
        }
    }

    #[test]
    fn a_board_that_has_everything_beats_hits_on_several() {
        let one = table().boards[0];
        let part = |id, panels, touch, cameras| Board {
            id,
            panels,
            touch,
            cameras,
            ..one
        };
        // "b" was seen with each chip, but on different boards.
        let apart = [
            part("x", &["b"], &["ft"], [&[], &[]]),
            part("y", &["b"], &[], [&["ov"], &[]]),
            part("z", &["b"], &[], [&[], &["gc"]]),
        ];
        let table = boards(&[one, apart[0], apart[1], apart[2]]);
        let evidence = Evidence {
            touch: Some("ft"),
            cameras: [Some("ov"), Some("gc")],
            ..Evidence::NONE
        };
        let verdict = decide(&table, &evidence, answer(0x98));
        assert_eq!(
            (verdict.winner, verdict.certainty),
            (Some(0), Certainty::Likely)
        );
        assert!(verdict.candidates[0].reasons.contains(Reasons::TOGETHER));
        let board = likely_board(&table, &evidence, &verdict);
        assert_eq!(board.map(|board| board.id), Some("board"));
        // A chip that none of the boards has: they were not sold together.
        let evidence = Evidence {
            touch: Some("other"),
            ..evidence
        };
        let verdict = decide(&table, &evidence, answer(0x98));
        assert_eq!(verdict.winner, Some(1), "the more common of two");
        assert_eq!(likely_board(&table, &evidence, &verdict), None);
    }

    #[test]
    fn a_board_is_inferred_only_where_one_fits_best() {
        let one = table().boards[0];
        let evidence = Evidence {
            touch: Some("ft"),
            cameras: [Some("ov"), None],
            ..Evidence::NONE
        };
        let infer = |sets: &[Board], evidence: &Evidence<'_>, found| {
            let table = boards(sets);
            let verdict = decide(&table, evidence, found);
            likely_board(&table, evidence, &verdict).map(|board| board.id)
        };
        let twin = Board { id: "twin", ..one };
        assert_eq!(infer(&[one], &evidence, answer(0x98)), Some("board"));
        assert_eq!(infer(&[one, twin], &evidence, answer(0x98)), None);
        // One with this panel beats one with this controller.
        let near = Board {
            panels: &["d"],
            ..twin
        };
        assert_eq!(infer(&[near, one], &evidence, answer(0x55)), Some("board"));
        let none = Board {
            panels: &[],
            ..twin
        };
        assert_eq!(infer(&[none], &evidence, answer(0x55)), None);
        // The touch chip alone is on too many boards.
        let touch = Evidence {
            cameras: [None; 2],
            ..evidence
        };
        assert_eq!(infer(&[one], &touch, Findings::default()), None);
        assert_eq!(infer(&[one], &touch, answer(0x55)), Some("board"));
    }

    #[test]
    fn the_report_names_those_that_matter() {
        use super::super::report::{Builder, Report, Shared};
        let mut many: Vec<_> = (0..30).map(|_| panel("a-panel", &[])).collect();
        many.extend(rows());
        let told = |evidence: &Evidence<'_>, found| {
            let table = panels(&many, &PLAN);
            let mut room = [0; 4096];
            let log = Shared::new(Builder::new(&mut room));
            decide(&table, evidence, found).record(&table, &log, 0);
            let data = log.into_inner().finish().to_vec();
            let report = Report::parse(&data).unwrap();
            let candidates = report
                .records()
                .filter(|record| record.kind == Kind::Candidate);
            candidates.count()
        };
        // Those without any ground are not named.
        assert_eq!(told(&Evidence::NONE, answer(0x98)), 3);
        let evidence = Evidence {
            kernel: (0..20).collect(),
            hinted: [32].into_iter().collect(),
            ..Evidence::NONE
        };
        assert_eq!(told(&evidence, answer(0x55)), 1 + MORE_TOLD);
    }

    #[test]
    fn the_list_is_capped_and_counts_the_rest() {
        let many: Vec<_> = (0..40)
            .map(|number| {
                let mut row = panel("many", ID);
                row.shipped = number;
                row
            })
            .collect();
        let table = panels(&many, &PLAN);
        let verdict = decide(&table, &Evidence::NONE, answer(0x98));
        assert_eq!((verdict.candidates.len(), verdict.further), (24, 16));
        assert_eq!(verdict.winner, Some(32), "the first of the most common");
    }
}
