//! The figures of the built-in table.

use super::*;

/// A panel of the built-in table, which answers as one of its IDs says in the
/// state that the plan's stage brings it into, and zeros elsewhere.
struct BuiltIn {
    clock: Rc<FakeClock>,
    dbi: bool,
    id: &'static [Term],
    sent: Vec<Vec<u8>>,
}

impl PanelPort for BuiltIn {
    fn is_dbi(&self) -> bool {
        self.dbi
    }

    fn reset(&mut self, _high: bool) {
        self.sent.clear();
    }

    fn write(&mut self, data_type: u8, payload: &[u8]) -> Result<(), PortError> {
        if data_type != OP_MAX_RETURN {
            self.sent.push(payload.to_vec());
        }
        Ok(())
    }

    fn read(&mut self, _kind: ReadKind, register: u16, buf: &mut [u8]) -> Result<usize, PortError> {
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
                let stage = &plan.stages[usize::from(asked.stage)];
                if asked.register == register && stage.dbi == self.dbi && unlocked(asked.stage) {
                    buf[usize::from(byte)] = value;
                }
            }
        }
        Ok(buf.len())
    }

    fn wiring(&self) -> Option<&str> {
        Some("here")
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
        clusters: unilk_board_db::clusters(),
        ..on_board(unilk_board_db::panels())
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
                    dbi: panel.bus.is_dbi(),
                    id,
                    sent: Vec::new(),
                };
                let mut room = [0; 4096];
                let log = Shared::new(Builder::new(&mut room));
                let found = run(identify(
                    &table,
                    &*clock,
                    &mut port,
                    &log,
                    prefer,
                    &RowSet::EMPTY,
                ));
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
            assert!(found.stage_resets <= 5, "{}", panel.id);
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
    assert!(median.is_none_or(|median| median <= 9), "{reads:?}");
}
