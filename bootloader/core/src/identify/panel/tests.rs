//! A panel that behaves as the real ones: registers of a maker are there
//! after its unlock, a reset locks them, and nothing may be sent too early.

#![allow(clippy::unwrap_used)]

use super::super::evidence::Evidence;
use super::super::report::{Builder, Shared};
use super::super::testing::{FakeClock, panel, panels, run};
use super::super::verdict::decide;
use super::super::{PanelPort, PortError, RowSet, Strap, Table};
use super::*;
use std::rc::Rc;
use std::vec::Vec;
use unilk_board_db::{PanelRow, Plan, Stage};

const fn stage(name: &'static str, reset: bool, unlock: &'static [u8]) -> Stage {
    Stage {
        name,
        reset,
        unlock: Script::new(unlock),
    }
}

const fn question(stage: u8, register: u8, len: u8) -> Question {
    Question {
        stage,
        register,
        len,
        kind: ReadKind::Dcs,
    }
}

const fn byte(question: u16, byte: u8, value: u8) -> Term {
    Term::Answer {
        question,
        byte,
        mask: 0xFF,
        value,
    }
}

static PLAN: Plan = Plan {
    stages: &[
        stage("reset", false, &[]),
        stage("ilitek", true, &[0x29, 2, 0xFF, 0x98]),
        stage("novatek", true, &[0x29, 2, 0xF0, 0x55]),
        stage("himax", true, &[0x29, 2, 0xB9, 0xFF]),
    ],
    questions: &[
        question(0, 0x04, 3),
        question(0, 0xA1, 5),
        question(0, 0xF8, 1),
        question(1, 0x00, 1),
        question(1, 0x01, 1),
        question(2, 0xC5, 2),
        question(3, 0xF4, 1),
    ],
};

const ROWS: [PanelRow; 9] = [
    panel("jd9161", &[&[byte(0, 0, 0x91), byte(0, 1, 0x61)]]),
    panel("otm-any", &[&[byte(1, 2, 0x80), byte(1, 3, 0x09)]]),
    panel(
        "otm8009a",
        &[&[byte(1, 2, 0x80), byte(1, 3, 0x09), byte(2, 0, 0x00)]],
    ),
    panel(
        "otm8018b",
        &[&[byte(1, 2, 0x80), byte(1, 3, 0x09), byte(2, 0, 0x02)]],
    ),
    panel("ili9806e", &[&[byte(3, 0, 0x98), byte(4, 0, 0x06)]]),
    panel("nt35510", &[&[byte(5, 0, 0x55)]]),
    panel("hx8379", &[&[byte(6, 0, 0x79)]]),
    panel(
        "strapped",
        &[&[
            Term::Strap {
                index: 0,
                high: true,
            },
            Term::Voltage {
                channel: 1,
                from_mv: 500,
                to_mv: 800,
            },
        ]],
    ),
    panel("mute", &[]),
];

/// A register: which unlock opens it (0 = none), number, contents.
type Register = (u8, u8, &'static [u8]);

#[derive(Default)]
struct FakePanel {
    clock: Rc<FakeClock>,
    registers: Vec<Register>,
    strap: Option<Strap>,
    millivolts: Option<u16>,
    /// Resets until it answers; 0 = from the first on.
    deaf: u8,
    /// Contents of what is locked.
    locked: Option<u8>,
    dead: bool,
    /// Reads that are damaged.
    damaged: u8,
    generic_only: bool,
    unknown_wiring: bool,
    /// In reset since before the questions.
    held: bool,
    high: bool,
    since: u32,
    unlocked: u8,
    resets: u8,
    max_return: u8,
    reads: Vec<u8>,
}

impl FakePanel {
    fn new(registers: &[Register]) -> Self {
        Self {
            registers: registers.to_vec(),
            locked: Some(0),
            ..Self::default()
        }
    }

    fn ready(&self) {
        assert!(self.high, "a packet during reset");
        let awake = self.clock.now_us().wrapping_sub(self.since);
        assert!(awake >= 5_000, "a packet {awake} us after reset");
    }
}

struct Port<'a>(&'a mut FakePanel);

impl PanelPort for Port<'_> {
    fn reset(&mut self, high: bool) {
        let panel = &mut *self.0;
        if high && !panel.high {
            let low = panel.clock.now_us().wrapping_sub(panel.since);
            assert!(low >= 1_000, "reset pulse of {low} us");
            panel.resets += 1;
        }
        (panel.unlocked, panel.max_return) = (0, 0);
        if high != panel.high || !panel.held {
            panel.since = panel.clock.now_us();
        }
        panel.high = high;
    }

    fn write(&mut self, data_type: u8, payload: &[u8]) -> Result<(), PortError> {
        self.0.ready();
        match (data_type, payload[0]) {
            (0x37, size) => self.0.max_return = size,
            (_, key) => self.0.unlocked = key,
        }
        Ok(())
    }

    fn read(&mut self, kind: ReadKind, register: u8, buf: &mut [u8]) -> Result<usize, PortError> {
        let panel = &mut *self.0;
        panel.ready();
        panel.reads.push(register);
        assert_eq!(usize::from(panel.max_return), buf.len());
        panel.clock.0.set(panel.clock.0.get() + 300);
        let deaf = panel.dead || panel.resets <= panel.deaf;
        if deaf || (panel.generic_only && kind == ReadKind::Dcs) {
            return Err(PortError::Silence);
        }
        if panel.damaged > 0 {
            panel.damaged -= 1;
            return Err(PortError::Corrupt);
        }
        let mut known = panel.registers.iter();
        let open = known
            .find(|(key, number, _)| *number == register && (*key == 0 || *key == panel.unlocked));
        match (open, panel.locked) {
            (Some((_, _, contents)), _) => {
                let len = contents.len().min(buf.len());
                buf[..len].copy_from_slice(&contents[..len]);
                Ok(len)
            }
            (None, Some(fill)) => {
                buf.fill(fill);
                Ok(buf.len())
            }
            (None, None) => Err(PortError::Silence),
        }
    }

    fn held_low_us(&self) -> u32 {
        let held = self.0.clock.now_us().wrapping_sub(self.0.since);
        if self.0.high || !self.0.held { 0 } else { held }
    }

    fn known_wiring(&self) -> bool {
        !self.0.unknown_wiring
    }

    fn strap(&mut self, index: u8) -> Option<Strap> {
        self.0.strap.filter(|_| index == 0)
    }

    fn voltage_mv(&mut self, channel: u8) -> Option<u16> {
        self.0.millivolts.filter(|_| channel == 1)
    }
}

fn table() -> Table {
    panels(&ROWS, &PLAN)
}

fn ask(panel: &mut FakePanel, prefer: &[u16]) -> (Findings, Vec<&'static str>) {
    let table = table();
    let prefer: RowSet = prefer.iter().copied().collect();
    let clock = Rc::clone(&panel.clock);
    let found = run(identify(&table, &*clock, &mut Port(panel), &(), &prefer));
    let confirmed = found.rows(&table, Outcome::Confirmed);
    let ids = confirmed.iter().map(|row| ROWS[usize::from(row)].id);
    let ids = ids.collect();
    (found, ids)
}

const OTM8009A: [Register; 2] = [(0, 0xA1, &[1, 0x8B, 0x80, 0x09, 0xFF]), (0, 0xF8, &[0])];
const ILI9806E: [Register; 2] = [(0xFF, 0x00, &[0x98]), (0xFF, 0x01, &[0x06])];
const NT35510: [Register; 1] = [(0xF0, 0xC5, &[0x55, 0x10])];
const HX8379: [Register; 1] = [(0xB9, 0xF4, &[0x79])];

#[test]
fn what_answers_right_after_reset_needs_no_more() {
    let mut panel = FakePanel::new(&[(0, 0x04, &[0x91, 0x61, 0x00])]);
    let (found, ids) = ask(&mut panel, &[]);
    assert_eq!(ids, ["jd9161"]);
    assert_eq!((found.presence(), found.reads), (Presence::Yes, 1));
    assert_eq!((found.resets, found.stage_resets), (1, 0));
    assert_eq!(found.answer(0).unwrap().bytes(), [0x91, 0x61, 0x00]);
    let table = table();
    assert_eq!(found.state(&table, 0).bits, 16);
    assert_eq!(found.state(&table, 8).outcome, Outcome::Unreadable);
    // 10 ms low, 6 ms wait, one read.
    assert!(found.took_us <= 17_000, "{}", found.took_us);
}

#[test]
fn a_register_that_tells_twins_apart_is_asked_for_twins_only() {
    let mut panel = FakePanel::new(&OTM8009A);
    let (found, ids) = ask(&mut panel, &[]);
    assert_eq!(ids, ["otm-any", "otm8009a"]);
    assert_eq!(panel.reads, [0x04, 0xA1, 0xF8]);
    assert_eq!(found.state(&table(), 3).outcome, Outcome::Refuted);
    let mut panel = FakePanel::new(&ILI9806E);
    let (found, ids) = ask(&mut panel, &[]);
    assert_eq!(ids, ["ili9806e"]);
    assert_eq!(
        panel.reads,
        [0x04, 0xA1, 0x00, 0x01],
        "F8 would say nothing"
    );
    assert_eq!(found.stage_resets, 0, "nothing was unlocked before");
}

#[test]
fn other_makers_are_asked_after_a_reset() {
    let mut panel = FakePanel::new(&HX8379);
    let (found, ids) = ask(&mut panel, &[]);
    assert_eq!(ids, ["hx8379"]);
    assert_eq!((found.stage_resets, panel.resets), (2, 3));
    assert_eq!(panel.reads, [0x04, 0xA1, 0x00, 0xC5, 0xF4]);
    // One byte alone does not end the search: the key of another maker may
    // open the same register.
    let mut panel = FakePanel::new(&NT35510);
    let (_, ids) = ask(&mut panel, &[]);
    assert_eq!(ids, ["nt35510"]);
    assert!(!panel.reads.contains(&0xF4), "but it ends the unlocking");
}

#[test]
fn a_preferred_panel_is_asked_its_own_questions_only() {
    let mut panel = FakePanel::new(&HX8379);
    let (found, ids) = ask(&mut panel, &[6]);
    assert_eq!(ids, ["hx8379"]);
    assert_eq!(panel.reads, [0xF4]);
    assert_eq!((panel.resets, found.stage_resets), (1, 0));
}

#[test]
fn a_preferred_panel_that_was_exchanged_is_noticed() {
    let mut panel = FakePanel::new(&OTM8009A);
    let (found, ids) = ask(&mut panel, &[6]);
    assert_eq!(ids, ["otm-any", "otm8009a"]);
    assert_eq!(found.state(&table(), 6).outcome, Outcome::Refuted);
    assert_eq!(found.stage_resets, 1);
}

#[test]
fn a_preferred_panel_without_id_costs_no_unlocking() {
    let mut panel = FakePanel::new(&OTM8009A);
    let (_, ids) = ask(&mut panel, &[8]);
    assert_eq!(ids, ["otm-any", "otm8009a"], "another panel speaks up");
    let mut panel = FakePanel::new(&[]);
    let (found, ids) = ask(&mut panel, &[8]);
    assert!(ids.is_empty());
    assert_eq!(
        (panel.resets, panel.reads.as_slice()),
        (1, &[0x04, 0xA1][..])
    );
    assert_eq!(found.presence(), Presence::Suspicious);
}

#[test]
fn silence_is_tried_three_times() {
    for deaf in 0..3 {
        let mut panel = FakePanel::new(&OTM8009A);
        panel.deaf = deaf;
        let (found, ids) = ask(&mut panel, &[]);
        assert_eq!(ids, ["otm-any", "otm8009a"], "deaf for {deaf}");
        assert_eq!(found.resets, deaf + 1);
    }
    let mut panel = FakePanel::new(&OTM8009A);
    panel.dead = true;
    let (found, ids) = ask(&mut panel, &[]);
    assert!(ids.is_empty());
    assert_eq!((found.presence(), found.resets), (Presence::Silent, 3));
    assert!(found.took_us < 250_000, "{}", found.took_us);
    assert!(found.reads <= 8, "{}", found.reads);
    let refuted = found.rows(&table(), Outcome::Refuted);
    assert!(refuted.is_empty(), "silence refutes nobody");
}

#[test]
fn zeros_and_ones_are_no_answer() {
    for fill in [0x00, 0xFF] {
        let mut panel = FakePanel::new(&[]);
        panel.locked = Some(fill);
        let (found, ids) = ask(&mut panel, &[]);
        assert!(ids.is_empty());
        assert_eq!(found.presence(), Presence::Suspicious);
        assert!(found.rows(&table(), Outcome::Refuted).is_empty());
        assert!(found.reads <= 20 && found.stage_resets <= 4);
    }
}

#[test]
fn a_damaged_answer_is_asked_for_again() {
    let mut panel = FakePanel::new(&[(0, 0x04, &[0x91, 0x61, 0x00])]);
    panel.damaged = 1;
    let (found, ids) = ask(&mut panel, &[]);
    assert_eq!((ids.as_slice(), found.reads), (&["jd9161"][..], 2));
    // Always damaged is as good as silent, in bounded time.
    let mut panel = FakePanel::new(&OTM8009A);
    panel.damaged = u8::MAX;
    let (found, _) = ask(&mut panel, &[]);
    assert_eq!(found.presence(), Presence::Silent);
}

#[test]
fn a_panel_that_knows_only_the_other_packet_answers() {
    let mut panel = FakePanel::new(&OTM8009A);
    panel.generic_only = true;
    let (_, ids) = ask(&mut panel, &[]);
    assert_eq!(ids, ["otm-any", "otm8009a"]);
}

#[test]
fn a_panel_without_answer_to_unknown_registers_is_still_found() {
    // The first question is answered by nobody of this maker.
    let mut panel = FakePanel::new(&OTM8009A);
    panel.locked = None;
    let (found, ids) = ask(&mut panel, &[]);
    assert_eq!(ids, ["otm-any", "otm8009a"]);
    assert_eq!(found.resets, 1);
}

#[test]
fn pins_and_voltages_count() {
    let state = |strap, millivolts| {
        let mut panel = FakePanel::new(&[]);
        (panel.strap, panel.millivolts) = (strap, millivolts);
        let (found, _) = ask(&mut panel, &[]);
        found.state(&table(), 7)
    };
    let good = state(Some(Strap::High), Some(640));
    assert_eq!((good.outcome, good.pins), (Outcome::Confirmed, 2));
    let low = state(Some(Strap::Low), Some(640));
    assert_eq!(low.outcome, Outcome::Refuted);
    let other = state(Some(Strap::High), Some(1200));
    assert_eq!(other.outcome, Outcome::Refuted);
    assert_eq!(state(Some(Strap::Open), Some(640)).outcome, Outcome::Open);
    assert_eq!(state(None, None).outcome, Outcome::Open);
}

#[test]
fn on_unknown_wiring_pins_and_voltages_refute_nobody() {
    let state = |strap, millivolts| {
        let mut panel = FakePanel::new(&[]);
        (panel.strap, panel.millivolts) = (strap, millivolts);
        panel.unknown_wiring = true;
        let (found, _) = ask(&mut panel, &[]);
        assert!(!found.known_wiring);
        found.state(&table(), 7)
    };
    let good = state(None, Some(640));
    assert_eq!((good.outcome, good.pins), (Outcome::Open, 1));
    let other = state(Some(Strap::Low), Some(1200));
    assert_eq!((other.outcome, other.pins), (Outcome::Open, 0));
    let both = state(Some(Strap::High), Some(640));
    assert_eq!((both.outcome, both.pins), (Outcome::Open, 2));
}

#[test]
fn bytes_that_agree_confirm_where_pins_cannot_be_read() {
    const VOLTAGE: Term = Term::Voltage {
        channel: 1,
        from_mv: 500,
        to_mv: 800,
    };
    const ROWS: [PanelRow; 3] = [
        panel("plain", &[&[byte(0, 0, 0x91), byte(0, 1, 0x61)]]),
        panel("low", &[&[byte(0, 0, 0x91), byte(0, 1, 0x61), VOLTAGE]]),
        panel("more", &[&[byte(0, 0, 0x91), byte(5, 0, 0x61)]]),
    ];
    let table = panels(&ROWS, &PLAN);
    let states = |millivolts, unknown_wiring| {
        let mut fake = FakePanel::new(&[(0, 0x04, &[0x91, 0x61, 0x00])]);
        (fake.millivolts, fake.unknown_wiring) = (millivolts, unknown_wiring);
        let clock = Rc::clone(&fake.clock);
        let mut port = Port(&mut fake);
        let found = run(identify(&table, &*clock, &mut port, &(), &RowSet::EMPTY));
        let state = |row| {
            let state = found.state(&table, row);
            (state.outcome, state.bits, state.pins)
        };
        [state(0), state(1)]
    };
    let plain = (Outcome::Confirmed, 16, 0);
    assert_eq!(states(None, false), [plain, plain]);
    assert_eq!(states(Some(640), false)[1], (Outcome::Confirmed, 16, 1));
    assert_eq!(states(Some(2000), false)[1].0, Outcome::Refuted);
    assert_eq!(states(Some(2000), true), [plain, plain]);
    assert_eq!(states(Some(640), true)[1], (Outcome::Confirmed, 16, 1));
}

#[test]
fn a_reset_that_has_begun_is_not_begun_again() {
    for (held_ms, took_us) in [(7, 10_000), (50, 7_000)] {
        let mut panel = FakePanel::new(&[(0, 0x04, &[0x91, 0x61, 0x00])]);
        panel.held = true;
        panel.clock.0.set(held_ms * 1000);
        let (found, ids) = ask(&mut panel, &[]);
        assert_eq!((ids.as_slice(), found.resets), (&["jd9161"][..], 1));
        assert!(found.took_us < took_us, "{}", found.took_us);
    }
}

#[test]
fn the_state_in_which_the_panel_is_left_suits_its_maker_only() {
    let table = table();
    let (found, _) = ask(&mut FakePanel::new(&OTM8009A), &[]);
    assert_eq!(found.left_in, None);
    assert!(found.state_suits(&table, 2) && found.state_suits(&table, 8));
    let (found, _) = ask(&mut FakePanel::new(&ILI9806E), &[]);
    assert_eq!(found.left_in, Some(1));
    assert!(found.state_suits(&table, 4));
    for row in [0, 5, 7, 8, 99] {
        assert!(!found.state_suits(&table, row), "row {row}");
    }
}

#[test]
fn the_reset_pulse_is_as_short_as_the_candidates_allow() {
    use unilk_board_db::ResetStep;
    const fn low(ms: u16) -> ResetStep {
        ResetStep { high: false, ms }
    }
    const SHORT: &[ResetStep] = &[low(3)];
    const LONG: &[ResetStep] = &[low(50)];
    let mut rows = ROWS;
    rows[0].reset = SHORT;
    rows[1].reset = LONG;
    let table = panels(&rows, &PLAN);
    let only = |row| [row].into_iter().collect();
    assert_eq!(low_ms(&table, &only(0)), 3);
    assert_eq!(low_ms(&table, &only(1)), 10, "the recipe's is enough");
    assert_eq!(low_ms(&table, &RowSet::EMPTY), 10);
    assert_eq!(low_ms(&table, &only(2)), 10, "not said");
}

/// A panel of the built-in table, which answers as one of its IDs says in the
/// state that the plan's stage brings it into, and zeros elsewhere.
struct BuiltIn {
    clock: Rc<FakeClock>,
    id: &'static [Term],
    sent: Vec<Vec<u8>>,
}

impl PanelPort for BuiltIn {
    fn reset(&mut self, _high: bool) {
        self.sent.clear();
    }

    fn write(&mut self, data_type: u8, payload: &[u8]) -> Result<(), PortError> {
        if data_type != OP_MAX_RETURN {
            self.sent.push(payload.to_vec());
        }
        Ok(())
    }

    fn read(&mut self, _kind: ReadKind, register: u8, buf: &mut [u8]) -> Result<usize, PortError> {
        self.clock.0.set(self.clock.0.get() + 200);
        buf.fill(0);
        let plan = unilk_board_db::plan();
        let unlocked = |stage: u8| {
            let writes = plan.stages[usize::from(stage)].unlock.steps();
            let payloads = writes.filter_map(|step| match step {
                Step::Write { payload, .. } => Some(payload.to_vec()),
                _ => None,
            });
            self.sent.ends_with(&payloads.collect::<Vec<_>>())
        };
        for term in self.id {
            if let Term::Answer {
                question,
                byte,
                value,
                ..
            } = *term
            {
                let asked = plan.questions[usize::from(question)];
                if asked.register == register && unlocked(asked.stage) {
                    buf[usize::from(byte)] = value;
                }
            }
        }
        Ok(buf.len())
    }

    fn known_wiring(&self) -> bool {
        true
    }

    fn strap(&mut self, index: u8) -> Option<Strap> {
        self.id.iter().find_map(|term| match *term {
            Term::Strap {
                index: i,
                high: true,
            } if i == index => Some(Strap::High),
            Term::Strap { index: i, .. } if i == index => Some(Strap::Low),
            _ => None,
        })
    }

    fn voltage_mv(&mut self, channel: u8) -> Option<u16> {
        self.id.iter().find_map(|term| match *term {
            Term::Voltage {
                channel: c,
                from_mv,
                ..
            } if c == channel => Some(from_mv),
            _ => None,
        })
    }
}

/// The figures of the built-in table: every panel that can be read is found,
/// within the reads and resets that a boot allows.
#[test]
fn every_panel_of_the_table_is_found() {
    let table = Table {
        plan: unilk_board_db::plan(),
        panels: unilk_board_db::panels(),
        ..panels(&[], &PLAN)
    };
    let mut reads = Vec::new();
    for (row, panel) in table.panels.iter().enumerate() {
        let ids = panel.ids.iter().copied();
        let mute: &[Term] = &[];
        for id in ids.chain(panel.ids.is_empty().then_some(mute)) {
            let clock = Rc::new(FakeClock::default());
            let ask = |prefer: &RowSet| {
                let mut port = BuiltIn {
                    clock: Rc::clone(&clock),
                    id,
                    sent: Vec::new(),
                };
                let mut room = [0; 4096];
                let log = Shared::new(Builder::new(&mut room));
                let found = run(identify(&table, &*clock, &mut port, &log, prefer));
                let verdict = decide(&table, &Evidence::NONE, found.clone());
                verdict.record(&table, &log, 0);
                // Touch chip and cameras take less than the rest of 4 KiB.
                let bytes = log.into_inner().finish().len();
                assert!(bytes <= 3000, "{}: {bytes} bytes", panel.id);
                found
            };
            let found = ask(&RowSet::EMPTY);
            let state = found.state(&table, row as u16);
            // Zeros alone prove nothing.
            let speaks = found.presence() == Presence::Yes || id.is_empty();
            if !id.is_empty() && speaks {
                assert_eq!(state.outcome, Outcome::Confirmed, "{}", panel.id);
            }
            assert_ne!(state.outcome, Outcome::Refuted, "{}", panel.id);
            assert!(found.reads <= 20, "{}: {} reads", panel.id, found.reads);
            assert!(found.stage_resets <= 4, "{}", panel.id);
            reads.push(found.reads);
            // Known beforehand, it is confirmed without another reset.
            if state.bits > 0 {
                let found = ask(&[row as u16].into_iter().collect());
                let state = found.state(&table, row as u16);
                assert_eq!(state.outcome, Outcome::Confirmed, "{}", panel.id);
                assert_eq!(found.resets, 1, "{}", panel.id);
            }
        }
    }
    reads.sort_unstable();
    let median = reads.get(reads.len() / 2).copied();
    assert!(median.is_none_or(|median| median <= 6), "{reads:?}");
}
