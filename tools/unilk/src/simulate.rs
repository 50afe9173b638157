//! Panels that answer as the table says, asked by the bootloader's own asker.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use unilk_board_db::{OP_MAX_RETURN, Plan, ReadKind, Stage, Step, Term};
use unilk_core::identify::panel::{Findings, identify};
use unilk_core::identify::report::{Builder, Shared};
use unilk_core::identify::{Clock, PanelPort, PortError, RowSet, Strap, Table};

/// What a packet takes at the rate of the questions, from boots of the emulated
/// phone, in microseconds.
const WRITE_US: u32 = 60;
const READ_US: u32 = 310;
/// Bytes of the record of one identification.
const LOG_BYTES: usize = 4096;

/// The built-in table, of panels only.
pub fn built_in() -> Table {
    Table {
        panels: unilk_board_db::panels(),
        plan: unilk_board_db::plan(),
        clusters: unilk_board_db::clusters(),
        touch: &[],
        cameras: &[],
        wirings: &[],
        boards: &[],
    }
}

/// Whether an ID has anything to read over DSI.
pub fn is_readable(id: &[Term]) -> bool {
    id.iter().any(|term| matches!(term, Term::Answer { .. }))
}

/// Time that passes by waiting and by packets.
#[derive(Default)]
struct VirtualClock(Cell<u32>);

impl VirtualClock {
    fn pass(&self, us: u32) {
        self.0.set(self.0.get().wrapping_add(us));
    }
}

impl Clock for VirtualClock {
    fn now_us(&self) -> u32 {
        self.0.get()
    }

    async fn wait_us(&self, us: u32) {
        self.pass(us);
    }
}

/// A panel that answers as one ID says, behind its own key, and zeros to all
/// else.
struct Simulated {
    clock: Rc<VirtualClock>,
    plan: &'static Plan,
    id: &'static [Term],
    sent: Vec<Vec<u8>>,
}

impl PanelPort for Simulated {
    fn reset(&mut self, _high: bool) {
        self.sent.clear();
    }

    fn write(&mut self, data_type: u8, payload: &[u8]) -> Result<(), PortError> {
        self.clock.pass(WRITE_US);
        if data_type != OP_MAX_RETURN {
            self.sent.push(payload.to_vec());
        }
        Ok(())
    }

    fn read(&mut self, _kind: ReadKind, register: u16, buf: &mut [u8]) -> Result<usize, PortError> {
        self.clock.pass(READ_US);
        buf.fill(0);
        let open = |stage: &Stage| {
            let payloads = stage.unlock.steps().filter_map(|step| match step {
                Step::Write { payload, .. } => Some(payload.to_vec()),
                _ => None,
            });
            self.sent.ends_with(&payloads.collect::<Vec<_>>())
        };
        for term in self.id {
            let Term::Answer {
                question,
                byte,
                value,
                ..
            } = *term
            else {
                continue;
            };
            let asked = self.plan.questions[usize::from(question)];
            if asked.register == register
                && open(&self.plan.stages[usize::from(asked.stage)])
                && let Some(place) = buf.get_mut(usize::from(byte))
            {
                *place = value;
            }
        }
        Ok(buf.len())
    }

    fn is_dbi(&self) -> bool {
        self.id.iter().any(|term| match *term {
            Term::Answer { question, .. } => {
                let asked = self.plan.questions[usize::from(question)];
                asked.kind == ReadKind::Dbi
            }
            _ => false,
        })
    }

    fn wiring(&self) -> Option<&str> {
        None
    }

    fn strap(&mut self, _index: u8) -> Option<Strap> {
        None
    }

    fn voltage_mv(&mut self, _channel: u8) -> Option<u16> {
        None
    }
}

/// Asks the panel that answers as `id` says.
pub fn ask(table: &Table, id: &'static [Term]) -> Findings {
    let clock = Rc::new(VirtualClock::default());
    let mut port = Simulated {
        clock: Rc::clone(&clock),
        plan: table.plan,
        id,
        sent: Vec::new(),
    };
    let mut room = [0; LOG_BYTES];
    let log = Shared::new(Builder::new(&mut room));
    let none = RowSet::EMPTY;
    let mut asking = pin!(identify(table, &*clock, &mut port, &log, &none, &none));
    let mut context = Context::from_waker(Waker::noop());
    loop {
        // Nothing is ever waited for in earnest.
        if let Poll::Ready(found) = asking.as_mut().poll(&mut context) {
            return found;
        }
    }
}
