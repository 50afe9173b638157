//! A panel that behaves as the real ones: registers of a maker are there
//! after its unlock, a reset locks them, and nothing may be sent too early.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::identify::evidence::Evidence;
use crate::identify::report::{Builder, Shared};
use crate::identify::testing::{FakeClock, leak, panel, panels, run};
use crate::identify::verdict::decide;
use crate::identify::{PanelPort, PortError, RowSet, Strap, Table};
use std::rc::Rc;
use std::vec::Vec;
use unilk_board_db::{Backlight, Board, Keys, PanelRow, Plan, Stage};

mod built_in;
mod dbi;

const fn stage(name: &'static str, reset: bool, unlock: &'static [u8]) -> Stage {
    Stage {
        name,
        reset,
        unlock: Script::new(unlock),
        dbi: false,
    }
}

const fn question(stage: u8, register: u16, len: u8) -> Question {
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
    /// The wiring is known and no board of the table has it.
    elsewhere: bool,
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

    fn read(&mut self, kind: ReadKind, register: u16, buf: &mut [u8]) -> Result<usize, PortError> {
        let panel = &mut *self.0;
        panel.ready();
        panel.reads.push(register as u8);
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
        let open = known.find(|(key, number, _)| {
            u16::from(*number) == register && (*key == 0 || *key == panel.unlocked)
        });
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

    fn wiring(&self) -> Option<&str> {
        (!self.0.unknown_wiring).then_some(if self.0.elsewhere { "other" } else { "here" })
    }

    fn strap(&mut self, index: u8) -> Option<Strap> {
        self.0.strap.filter(|_| index == 0)
    }

    fn voltage_mv(&mut self, channel: u8) -> Option<u16> {
        self.0.millivolts.filter(|_| channel == 1)
    }
}

/// A board that has all of these.
const fn board(panels: &'static [u16]) -> Board {
    let keys = Keys {
        volume_up: None,
        volume_down: None,
        recovery: None,
        factory: None,
    };
    Board {
        id: "board",
        keys,
        wiring: "here",
        backlight: Backlight::Isink,
        panels,
        touch: &[],
        cameras: [&[], &[]],
    }
}

fn on_board(rows: &[PanelRow]) -> Table {
    let all: Vec<_> = (0..rows.len() as u16).collect();
    Table {
        boards: leak(&[board(leak(&all))]),
        ..panels(rows, &PLAN)
    }
}

fn table() -> Table {
    let mut rows = ROWS;
    for row in &mut rows {
        row.controller = row.id;
    }
    on_board(&rows)
}

fn ask(panel: &mut FakePanel, prefer: &[u16]) -> (Findings, Vec<&'static str>) {
    let table = table();
    let prefer: RowSet = prefer.iter().copied().collect();
    let clock = Rc::clone(&panel.clock);
    let found = run(identify(
        &table,
        &*clock,
        &mut Port(panel),
        &(),
        &prefer,
        &RowSet::EMPTY,
    ));
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
        assert_eq!(found.own, None);
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
    let table = on_board(&ROWS);
    let states = |millivolts, unknown_wiring| {
        let mut fake = FakePanel::new(&[(0, 0x04, &[0x91, 0x61, 0x00])]);
        (fake.millivolts, fake.unknown_wiring) = (millivolts, unknown_wiring);
        let clock = Rc::clone(&fake.clock);
        let mut port = Port(&mut fake);
        let found = run(identify(
            &table,
            &*clock,
            &mut port,
            &(),
            &RowSet::EMPTY,
            &RowSet::EMPTY,
        ));
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
fn the_state_in_which_the_panel_is_left_suits_who_unlocks_the_same() {
    const KEY: &[u8] = &[0x39, 6, 0xFF, 0xFF, 0x98, 0x06, 0x04, 0x01];
    static PLAN: Plan = Plan {
        stages: &[stage("reset", false, &[]), stage("ilitek", true, KEY)],
        questions: &[question(0, 0xA1, 5), question(1, 0x00, 1)],
    };
    // A write of a page, another maker's key, and the same key on page 0.
    const PLAIN: &[u8] = &[0x15, 2, 0xFF, 0x00, 0x39, 4, 0xB9, 0xFF, 0x83, 0x79];
    const SAME: &[u8] = &[0x05, 1, 0x01, 0x39, 5, 0xFF, 0xFF, 0x98, 0x06, 0x04];
    let mut found = Findings::default();
    let suits = |found: &Findings, init| found.state_suits(&PLAN, &Script::new(init).steps());
    assert!(suits(&found, PLAIN) && suits(&found, &[]), "only reset");
    found.left_in = Some(0);
    assert!(suits(&found, PLAIN), "only reads");
    found.left_in = Some(1);
    assert!(suits(&found, SAME));
    assert!(!suits(&found, PLAIN) && !suits(&found, &[]));
    // The same key, but other registers before it: on a page that was opened.
    const LATE: &[u8] = &[
        0x39, 4, 0xB9, 0xFF, 0x83, 0x79, 0x39, 5, 0xFF, 0xFF, 0x98, 0x06, 0x04,
    ];
    assert!(!suits(&found, LATE));
}

#[test]
fn a_shifted_address_suits_who_shifts_it_first() {
    const KEY: &[u8] = &[0x29, 4, 0xFF, 0x80, 0x09, 0x01, 0x15, 2, 0x00, 0x50];
    static PLAN: Plan = Plan {
        stages: &[stage("orise", true, KEY)],
        questions: &[question(0, 0xF8, 2)],
    };
    const SHIFTS: &[u8] = &[0x15, 2, 0x00, 0x00, 0x29, 4, 0xFF, 0x80, 0x09, 0x01];
    const AT_ONCE: &[u8] = &[0x29, 4, 0xFF, 0x80, 0x09, 0x01, 0x15, 2, 0x00, 0x80];
    let mut found = Findings::default();
    found.left_in = Some(0);
    let suits = |init| found.state_suits(&PLAN, &Script::new(init).steps());
    assert!(suits(SHIFTS) && !suits(AT_ONCE));
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

#[test]
fn pins_of_another_board_say_nothing() {
    let state = |strap, elsewhere| {
        let mut panel = FakePanel::new(&[]);
        (panel.strap, panel.millivolts) = (Some(strap), Some(640));
        panel.elsewhere = elsewhere;
        let (found, _) = ask(&mut panel, &[]);
        let state = found.state(&table(), 7);
        (state.outcome, state.pins)
    };
    assert_eq!(state(Strap::High, false), (Outcome::Confirmed, 2));
    assert_eq!(state(Strap::Low, false).0, Outcome::Refuted);
    for strap in [Strap::High, Strap::Low] {
        assert_eq!(state(strap, true), (Outcome::Open, 0));
    }
}

/// Asks with a table of its own rows; who is confirmed, and what was read.
fn confirmed(
    rows: &[PanelRow],
    likely: &[u16],
    registers: &[Register],
) -> (Vec<&'static str>, Vec<u8>) {
    let table = on_board(rows);
    let mut panel = FakePanel::new(registers);
    let clock = Rc::clone(&panel.clock);
    let likely: RowSet = likely.iter().copied().collect();
    let none = RowSet::EMPTY;
    let found = run(identify(
        &table,
        &*clock,
        &mut Port(&mut panel),
        &(),
        &none,
        &likely,
    ));
    let rows = found.rows(&table, Outcome::Confirmed);
    let ids = rows.iter().map(|row| table.panels[usize::from(row)].id);
    (ids.collect(), panel.reads)
}

#[test]
fn an_answer_that_several_makers_give_ends_nothing() {
    const WEAK: &[Term] = &[byte(0, 0, 0x00), byte(0, 1, 0x80), byte(0, 2, 0x00)];
    const ROWS: [PanelRow; 3] = [
        panel("rm69032", &[WEAK]),
        panel("nt35510", &[&[byte(5, 0, 0x55)]]),
        panel("hx8379", &[&[byte(6, 0, 0x79)]]),
    ];
    const ID: Register = (0, 0x04, &[0x00, 0x80, 0x00]);
    let (ids, reads) = confirmed(&ROWS, &[], &[ID, NT35510[0]]);
    assert_eq!(ids, ["rm69032", "nt35510"]);
    assert_eq!(reads, [0x04, 0xC5], "what a key opened ends the search");
    let (ids, reads) = confirmed(&ROWS, &[], &[ID]);
    assert_eq!(ids, ["rm69032"], "nobody else says anything");
    assert_eq!(reads, [0x04, 0xC5, 0xF4]);
}

#[test]
fn the_boards_panel_is_asked_though_its_controller_is_known() {
    const ROWS: [PanelRow; 3] = [
        panel("other", &[&[byte(1, 0, 0x83), byte(1, 1, 0x79)]]),
        panel("boards", &[&[byte(6, 0, 0x79)]]),
        panel("ilitek", &[&[byte(3, 0, 0x98)]]),
    ];
    let mut rows = ROWS;
    rows[2].controller = "ili9806e";
    let registers = [(0, 0xA1, &[0x83, 0x79, 0x0C][..]), HX8379[0]];
    let (ids, reads) = confirmed(&rows, &[], &registers);
    assert_eq!((ids, reads), (Vec::from(["other"]), Vec::from([0xA1])));
    let (ids, reads) = confirmed(&rows, &[1, 2], &registers);
    assert_eq!(ids, ["other", "boards"]);
    assert_eq!(reads, [0xA1, 0xF4], "another controller is not there");
}

#[test]
fn the_number_of_a_module_leaves_its_makers_controllers_open() {
    const ROWS: [PanelRow; 3] = [
        panel("rm68190", &[&[byte(0, 0, 0x11), byte(0, 1, 0x89)]]),
        panel("rm68191", &[&[byte(5, 0, 0x81), byte(5, 1, 0x91)]]),
        panel("hx8379", &[&[byte(6, 0, 0x79)]]),
    ];
    let mut rows = ROWS;
    (rows[0].controller, rows[1].controller) = ("rm68190", "rm68191");
    rows[2].controller = "hx8379";
    let registers = [
        (0, 0x04, &[0x11, 0x89, 0x00][..]),
        (0xF0, 0xC5, &[0x81, 0x91]),
    ];
    let (ids, reads) = confirmed(&rows, &[], &registers);
    assert_eq!(ids, ["rm68190", "rm68191"]);
    assert_eq!(reads, [0x04, 0xC5], "no other maker is asked");
}
