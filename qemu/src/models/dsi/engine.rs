//! The command engine: sends the queue, waits for answers and for the
//! acknowledge of whoever reads them.
//!
//! Source: facts/display.md 3.4 to 3.7, 9.3.

use super::phy::{self, Clock};
use super::queue::{self, Step};
use super::settings::Settings;
use super::{
    BUS_WITH_PANEL, CMD_DONE, CMDQ, CMDQ_SIZE, CMDQ_WORDS, Dsi, MODE_CTRL, PHY_LCCON, PHY_TIMECON0,
    PSCTRL, RACK, RACK_BYPASS, RD_RDY, START, TE_RDY, TRIGGER_ACK, TRIGGER_TE,
};
use crate::bus::{Context, GuestError, Nanos};
use crate::display::{Picture, Sink, compose};
use crate::panel::Packet;

/// What comes back from a panel whose lines are noisy.
const NOISE: u8 = 0xA5;

/// What the engine does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Idle,
    /// Sends the first step until the time given.
    Sending(Nanos),
    /// The panel owns the bus from the time given on.
    Turning(Nanos),
    /// The panel's answer is complete at the time given.
    Answering(Nanos, Vec<u8>),
    /// The panel's trigger comes at the time given.
    Tearing(Nanos),
    /// Waits for RACK.
    Answered,
    /// Waits for somebody at the other end, who is silent.
    Waiting,
    /// Has no clock.
    Stuck,
}

impl Engine {
    pub fn due(&self) -> Option<Nanos> {
        match *self {
            Engine::Sending(at)
            | Engine::Turning(at)
            | Engine::Answering(at, _)
            | Engine::Tearing(at) => Some(at),
            _ => None,
        }
    }
}

impl Dsi {
    /// START in command mode.
    pub(super) fn start_queue(&mut self, cx: &mut Context<'_>) {
        match self.engine {
            Engine::Idle => {}
            // The answer was read and the engine only waits for its release,
            // or hangs: software that goes on without a reset gets nowhere.
            Engine::Stuck => return,
            _ => {
                let message = "START while the engine is busy".into();
                self.tell(GuestError::Refused, START, message, cx);
                return;
            }
        }
        let settings = self.settings(cx);
        if let Err(why) = phy::rate_kbps(&settings, cx.signals) {
            let message = format!("START, but {why}: nothing is sent");
            self.tell(GuestError::Refused, START, message, cx);
            self.engine = Engine::Stuck;
            return;
        }
        self.read_queue(cx);
        let high_speed = self.steps.iter().any(Step::high_speed);
        let turns = self.steps.iter().any(Step::turns);
        let missing = phy::missing_timing(&settings, high_speed, turns);
        if !missing.is_empty() && !self.steps.is_empty() {
            let message = format!("sending with {} = 0", missing.join(", "));
            self.tell(GuestError::BadValue, PHY_TIMECON0, message, cx);
        }
        self.triggers = 0;
        self.begin(cx);
    }

    fn read_queue(&mut self, cx: &mut Context<'_>) {
        let size = self.get(CMDQ_SIZE, cx) & 0x3F;
        if !(1..=CMDQ_WORDS).contains(&size) {
            let message = format!("START with {size} words in a queue of {CMDQ_WORDS}");
            self.tell(GuestError::BadValue, CMDQ_SIZE, message, cx);
        }
        let words: Vec<u32> = (0..size.min(CMDQ_WORDS))
            .map(|index| self.get(CMDQ + 4 * index, cx))
            .collect();
        let (steps, problem) = queue::walk(&words);
        self.steps = steps;
        if let Some(problem) = problem {
            cx.report(GuestError::BadValue, super::NAME, CMDQ, problem);
        }
    }

    /// Starts the first step.
    fn begin(&mut self, cx: &mut Context<'_>) {
        let settings = self.settings(cx);
        let Some(step) = self.steps.front() else {
            self.engine = Engine::Idle;
            self.latched |= CMD_DONE;
            return;
        };
        let clock = Clock::new(&settings, cx.signals.dsi_pll_kbps.unwrap_or(0));
        self.engine = match step {
            Step::Packet {
                data_id,
                payload,
                high_speed,
            } => {
                let bytes = if queue::is_long(*data_id) {
                    6 + payload.len() as u32
                } else {
                    4
                };
                Engine::Sending(cx.now + clock.packet(bytes, *high_speed))
            }
            Step::Frame { high_speed } => {
                let time = clock.memory_write(*high_speed);
                cx.signals.display.frame_ns = time.max(1);
                cx.signals.display.single_frame_at = Some(cx.now);
                Engine::Sending(cx.now + time)
            }
            Step::TurnAround => Engine::Turning(cx.now + clock.turn()),
            Step::Tearing => {
                let trigger = self.panel.tearing_trigger_at(cx.now + clock.turn());
                match trigger.filter(|_| !self.faults.bta_dead) {
                    Some(at) if self.reaches(&settings, false, cx) => Engine::Tearing(at),
                    _ => Engine::Waiting,
                }
            }
        };
    }

    fn next_step(&mut self, cx: &mut Context<'_>) {
        self.steps.pop_front();
        self.begin(cx);
    }

    /// The time for which the engine waited has come.
    pub(super) fn advance(&mut self, cx: &mut Context<'_>) {
        match std::mem::replace(&mut self.engine, Engine::Waiting) {
            Engine::Sending(_) => {
                self.sent(cx);
                self.next_step(cx);
            }
            Engine::Turning(_) => self.turned(cx),
            Engine::Answering(_, answer) => self.answered(&answer, cx),
            Engine::Tearing(_) => {
                self.latched |= TE_RDY;
                self.triggers |= TRIGGER_TE;
                self.await_acknowledge(cx);
            }
            other => self.engine = other,
        }
    }

    /// Whether what is sent reaches the panel; tells of it if not.
    pub(super) fn reaches(
        &mut self,
        settings: &Settings,
        high_speed: bool,
        cx: &mut Context<'_>,
    ) -> bool {
        let obstacle = phy::obstacle(settings, cx.signals, self.ulps, high_speed);
        if let Some(why) = obstacle {
            let message = format!("nothing reaches the panel: {why}");
            self.tell(GuestError::Refused, PHY_LCCON, message, cx);
        }
        obstacle.is_none()
    }

    /// The first step is on the wire.
    fn sent(&mut self, cx: &mut Context<'_>) {
        let settings = self.settings(cx);
        match self.steps.front().cloned() {
            Some(Step::Packet {
                data_id,
                payload,
                high_speed,
            }) => self.deliver(data_id, &payload, high_speed, cx),
            Some(Step::Frame { high_speed }) => {
                let picture = self.picture(&settings, true, cx);
                if self.reaches(&settings, high_speed, cx) {
                    let kbps = cx.signals.dsi_pll_kbps.unwrap_or(0);
                    let link = settings.link(kbps, cx.signals.mipi_lanes.data);
                    self.panel.frame(&link, picture.as_ref(), cx);
                }
            }
            _ => {}
        }
    }

    /// A packet is at the end of the lanes.
    pub(super) fn deliver(
        &mut self,
        data_id: u8,
        payload: &[u8],
        high_speed: bool,
        cx: &mut Context<'_>,
    ) {
        let settings = self.settings(cx);
        if data_id >> 6 != 0 {
            let message = format!("nobody listens on virtual channel {}", data_id >> 6);
            self.tell(GuestError::Refused, CMDQ, message, cx);
        } else if self.reaches(&settings, high_speed, cx) {
            let packet = Packet {
                data_type: data_id,
                payload,
                high_speed,
            };
            self.panel.packet(&packet, cx);
        }
    }

    /// The bus belongs to the panel.
    fn turned(&mut self, cx: &mut Context<'_>) {
        let settings = self.settings(cx);
        self.triggers |= BUS_WITH_PANEL;
        if !self.reaches(&settings, false, cx) {
            return;
        }
        let Some(mut answer) = self.panel.turn_around(cx).filter(|_| !self.faults.bta_dead) else {
            return;
        };
        if self.faults.rx_garbage {
            for (at, byte) in answer.iter_mut().enumerate() {
                *byte ^= NOISE.rotate_left(at as u32);
            }
        }
        let clock = Clock::new(&settings, cx.signals.dsi_pll_kbps.unwrap_or(0));
        let time = clock.answer(answer.len() as u32);
        self.engine = Engine::Answering(cx.now + time, answer);
    }

    /// The panel has answered and given the bus back. No bytes: an
    /// acknowledge trigger.
    fn answered(&mut self, answer: &[u8], cx: &mut Context<'_>) {
        self.triggers &= !BUS_WITH_PANEL;
        if answer.is_empty() {
            self.triggers |= TRIGGER_ACK;
        } else {
            let kept = answer.len().min(self.received.len());
            self.received = [0; 16];
            self.received[..kept].copy_from_slice(&answer[..kept]);
        }
        self.latched |= RD_RDY;
        self.await_acknowledge(cx);
    }

    fn await_acknowledge(&mut self, cx: &mut Context<'_>) {
        if self.get(RACK, cx) & RACK_BYPASS == 0 {
            self.engine = Engine::Answered;
        } else {
            self.next_step(cx);
        }
    }

    /// RACK was written.
    pub(super) fn acknowledge(&mut self, cx: &mut Context<'_>) {
        if self.engine == Engine::Answered {
            self.next_step(cx);
        }
    }

    /// What the display path makes now. What is wrong with it is told of: all
    /// of it if `expected`, else only what spoils a picture that is there.
    pub(super) fn picture(
        &mut self,
        settings: &Settings,
        expected: bool,
        cx: &mut Context<'_>,
    ) -> Option<Picture> {
        let path = cx.signals.display;
        let made = compose(&path, Sink::Dsi, cx.memory);
        if expected || made.picture.is_some() {
            for problem in made.problems {
                let message = format!("display path: {problem}");
                self.tell(GuestError::Refused, MODE_CTRL, message, cx);
            }
        }
        let picture = made.picture?;
        let wanted = (
            picture.width as u64 * u64::from(settings.format.bytes()),
            picture.height as u64,
        );
        let sent = (u64::from(settings.line_bytes), u64::from(settings.lines[3]));
        if sent != wanted {
            let message = format!(
                "the path makes {} lines of {} bytes; VACT_NL and PS_WC say {} of {}",
                wanted.1, wanted.0, sent.1, sent.0
            );
            self.tell(GuestError::BadValue, PSCTRL, message, cx);
        }
        Some(picture)
    }
}
