//! Panels on a bus of the LCD controller: asked there alone, in words.

use super::*;
use unilk_board_db::{BusCycle, PanelBus, ParallelBus};

const CYCLE: BusCycle = BusCycle {
    setup: 1,
    strobe: 1,
    hold: 1,
};

static PLAN: Plan = Plan {
    stages: &[
        stage("reset", false, &[]),
        Stage {
            dbi: true,
            ..stage("bus", false, &[])
        },
        Stage {
            dbi: true,
            ..stage(
                "wide",
                true,
                &[2, 4, 0xF0, 0x00, 0, 0x55, 2, 4, 0xF0, 0x01, 0, 0xAA],
            )
        },
    ],
    questions: &[
        question(0, 0x04, 3),
        Question {
            kind: ReadKind::Dbi,
            ..question(1, 0xD3, 8)
        },
        Question {
            kind: ReadKind::Dbi,
            ..question(2, 0xC500, 2)
        },
    ],
};

const fn on_bus(id: &'static str, ids: &'static [&'static [Term]]) -> PanelRow {
    let mut row = panel(id, ids);
    row.bus = PanelBus::Parallel(ParallelBus {
        width: 16,
        access: 16,
        wide: false,
        pad_high: false,
        low_first: false,
        write: CYCLE,
        read: CYCLE,
    });
    row
}

const ROWS: [PanelRow; 3] = [
    panel("dsi", &[&[byte(0, 0, 0x94)]]),
    on_bus("narrow", &[&[byte(1, 4, 0x94), byte(1, 6, 0x88)]]),
    on_bus("wide", &[&[byte(2, 0, 0x55)]]),
];

/// Words by register; others are zeros.
struct Bus {
    clock: Rc<FakeClock>,
    words: &'static [(u16, &'static [u16])],
    asked: Vec<u16>,
    writes: Vec<u32>,
}

impl PanelPort for Bus {
    fn is_dbi(&self) -> bool {
        true
    }

    fn reset(&mut self, _high: bool) {}

    fn wiring(&self) -> Option<&str> {
        None
    }

    fn write(&mut self, data_type: u8, _payload: &[u8]) -> Result<(), PortError> {
        if data_type == OP_WORDS {
            self.writes.push(self.clock.now_us());
        }
        Ok(())
    }

    fn read(&mut self, kind: ReadKind, register: u16, buf: &mut [u8]) -> Result<usize, PortError> {
        assert_eq!(kind, ReadKind::Dbi);
        self.asked.push(register);
        buf.fill(0);
        let mut words = self.words.iter();
        if let Some((_, words)) = words.find(|(known, _)| *known == register) {
            for (place, word) in buf.chunks_mut(2).zip(*words) {
                place.copy_from_slice(&word.to_le_bytes());
            }
        }
        Ok(buf.len())
    }

    fn strap(&mut self, _index: u8) -> Option<Strap> {
        None
    }

    fn voltage_mv(&mut self, _channel: u8) -> Option<u16> {
        None
    }
}

fn ask(words: &'static [(u16, &'static [u16])]) -> (Findings, Vec<Outcome>, Bus) {
    let table = panels(&ROWS, &PLAN);
    let clock = Rc::new(FakeClock::default());
    let mut bus = Bus {
        clock: Rc::clone(&clock),
        words,
        asked: Vec::new(),
        writes: Vec::new(),
    };
    let none = RowSet::EMPTY;
    let found = run(identify(&table, &*clock, &mut bus, &(), &none, &none));
    let outcomes = (0..3).map(|row| found.state(&table, row).outcome);
    let outcomes = outcomes.collect();
    (found, outcomes, bus)
}

#[test]
fn it_is_asked_what_its_bus_is_asked() {
    let (found, outcomes, bus) = ask(&[(0xD3, &[0xD3, 0x00, 0x94, 0x88])]);
    assert_eq!(bus.asked, [0xD3]);
    assert_eq!(found.presence(), Presence::Yes);
    let Outcome::Refuted = outcomes[0] else {
        panic!("what answers on a bus is no DSI panel: {outcomes:?}");
    };
    assert_eq!(outcomes[1], Outcome::Confirmed);
}

#[test]
fn wide_registers_are_asked_of_who_has_not_spoken() {
    let (found, outcomes, bus) = ask(&[(0xC500, &[0x55])]);
    assert_eq!(bus.asked, [0xD3, 0xC500]);
    assert_eq!(found.presence(), Presence::Yes);
    assert_eq!(outcomes[2], Outcome::Confirmed);
    // To others the last of these writes is a software reset.
    let last = bus.writes.last().unwrap();
    assert!(bus.clock.now_us() - last >= 6_000, "{:?}", bus.writes);
}

#[test]
fn a_dummy_is_no_answer() {
    for word in [0x0000, 0x00FF, 0xFFFF] {
        let words: &'static [u16] = Vec::leak(std::vec![0xD3, word, word, word]);
        let other: &'static [u16] = Vec::leak(std::vec![word]);
        let both: &'static [_] = Vec::leak(std::vec![(0xD3, words), (0xC500, other)]);
        let (found, _, _) = ask(both);
        assert_eq!(found.presence(), Presence::Suspicious, "{word:04X}");
    }
}
