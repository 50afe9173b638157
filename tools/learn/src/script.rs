//! What was recorded, as the lines of a row of the table.
//!
//! Source of the form: docs/board-db.md, "A panel".

use crate::event::{Event, PinSetting};
use serde::Serialize;
use std::fmt::Write as _;

/// Longest wait that a line can hold, in milliseconds.
const LONGEST_WAIT: u32 = 2000;
/// Longest packet that a line can hold.
const LONGEST_PACKET: usize = 124;
/// Write memory start and continue: pixels.
const PIXELS: [u8; 2] = [0x2C, 0x3C];
/// The levels where a driver sets none.
const USUAL_RESET: [(bool, u32); 3] = [(true, 10), (false, 10), (true, 120)];

/// A step of a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A packet: data type, then command and parameters.
    Write(u8, Vec<u8>),
    /// Milliseconds.
    Delay(u32),
    /// The reset pin, then milliseconds.
    Reset(bool, u32),
}

/// A driver's function as the table says it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Script {
    /// Reset before the first packet.
    pub reset: Vec<(bool, u32)>,
    /// What follows.
    pub steps: Vec<Step>,
    /// What is left out of the row and said beside it.
    pub notes: Vec<String>,
    /// Commands that program one-time memory, left out.
    pub burners: Vec<Step>,
}

impl Script {
    /// The sequence in `events`, for a panel with this `controller`.
    /// `reset_pin` is the pin that resets the panel, if its driver moves one
    /// instead of the chip's reset line.
    pub fn of(events: &[Event], controller: &str, reset_pin: Option<u32>) -> Self {
        let mut script = Self::default();
        let mut wait_us = 0;
        let from = last_reset(events, reset_pin);
        for (number, event) in events.iter().enumerate() {
            // What a reset wipes out is not repeated: some drivers identify
            // the panel before they initialise it.
            if number < from && matches!(event, Event::Packet { .. } | Event::Delay(_)) {
                continue;
            }
            if number < from && level(event, reset_pin).is_some() {
                continue;
            }
            if let Event::Delay(us) = event {
                wait_us += us;
                continue;
            }
            script.wait(std::mem::take(&mut wait_us));
            script.add(event, controller, reset_pin);
        }
        script.wait(wait_us);
        script.take_reset();
        script
    }

    /// Waits too short for a millisecond count as one.
    fn wait(&mut self, us: u32) {
        if us == 0 {
            return;
        }
        let mut ms = us.div_ceil(1000);
        match self.steps.last_mut() {
            Some(Step::Reset(_, before)) if *before == 0 => *before = ms.min(LONGEST_WAIT),
            _ => {
                while ms > 0 {
                    let some = ms.min(LONGEST_WAIT);
                    self.steps.push(Step::Delay(some));
                    ms -= some;
                }
            }
        }
    }

    fn add(&mut self, event: &Event, controller: &str, reset_pin: Option<u32>) {
        match event {
            Event::Packet { data_type, payload } => {
                let step = Step::Write(*data_type, payload.clone());
                let command = payload.first().copied().unwrap_or(0);
                if payload.len() > LONGEST_PACKET || payload.is_empty() {
                    self.note(format!("a packet of {} bytes is left out", payload.len()));
                } else if burners::burns(controller, command) {
                    self.burners.push(step);
                } else if !PIXELS.contains(&command) {
                    self.steps.push(step);
                }
            }
            Event::Reset(_)
            | Event::Pin {
                what: PinSetting::Level,
                ..
            } if level(event, reset_pin).is_some() => {
                let high = level(event, reset_pin) == Some(true);
                self.steps.push(Step::Reset(high, 0));
            }
            Event::Pin { pin, what, value } => self.note(match what {
                PinSetting::Level => format!("GPIO{pin} = {value}"),
                PinSetting::Mode => format!("GPIO{pin} mode {value}"),
                PinSetting::Output => format!("GPIO{pin} output {value}"),
                PinSetting::Pull => format!("GPIO{pin} pull {value}"),
            }),
            Event::Pmic { register, value } => {
                self.note(format!("PMIC register {register:#06x} = {value:#06x}"));
            }
            Event::Register { address, value } => {
                self.note(format!("register {address:#010x} = {value:#x}"));
            }
            Event::Helper {
                function,
                arguments: [a, b, ..],
            } => self.note(format!(
                "a function of the LK at {function:#x} ({a:#x}, {b:#x}) could not be run and was passed over"
            )),
            Event::Unknown { service, .. } => {
                self.note(format!("service function {service} is not understood"));
            }
            Event::Bus { .. } => self.note(
                "what it sends on a bus of the LCD controller is not in a row yet".to_owned(),
            ),
            Event::Reset(_)
            | Event::Delay(_)
            | Event::MaxReturn(_)
            | Event::Frame
            | Event::Read { .. } => {}
        }
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < 64 && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// What stands before the first packet is the row's reset.
    fn take_reset(&mut self) {
        let write = |step: &Step| matches!(step, Step::Write(..));
        let first = self
            .steps
            .iter()
            .position(write)
            .unwrap_or(self.steps.len());
        let mut before: Vec<Step> = self.steps.drain(..first).collect();
        // Waits without a level are part of the one before.
        before.dedup_by(|step, previous| match (step, previous) {
            (Step::Delay(more), Step::Reset(_, ms)) => {
                *ms = (*ms + *more).min(LONGEST_WAIT);
                true
            }
            _ => false,
        });
        let levels = before.iter().filter_map(|step| match step {
            Step::Reset(level, ms) => Some((*level, *ms)),
            _ => None,
        });
        self.reset = levels.collect();
    }

    /// The reset levels in the table's form, which ends with a pulse that any
    /// controller takes: those of the driver, or the usual ones.
    pub fn reset_or_usual(&self) -> Vec<(bool, u32)> {
        let mut levels = self.reset.clone();
        if let [.., (false, low), (true, high)] = &mut levels[..] {
            (*low, *high) = ((*low).max(1), (*high).max(5));
            return levels;
        }
        USUAL_RESET.to_vec()
    }

    /// How many packets are sent.
    pub fn writes(&self) -> usize {
        let writes = self.steps.iter();
        writes
            .filter(|step| matches!(step, Step::Write(..)))
            .count()
    }

    /// Whether anything is sent.
    pub fn sends(&self) -> bool {
        self.writes() > 0
    }

    /// Whether `command` is sent.
    pub fn has(&self, command: u8) -> bool {
        self.steps.iter().any(
            |step| matches!(step, Step::Write(_, payload) if payload.first() == Some(&command)),
        )
    }

    /// The lines of a row.
    pub fn lines(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            let _ = writeln!(text, "{}", line(step));
        }
        text
    }
}

/// The level that an event gives the panel's reset line.
fn level(event: &Event, reset_pin: Option<u32>) -> Option<bool> {
    match event {
        Event::Reset(level) => Some(*level),
        Event::Pin {
            pin,
            what: PinSetting::Level,
            value,
        } if Some(*pin) == reset_pin => Some(*value & 1 == 1),
        _ => None,
    }
}

/// Where the last reset pulse begins that packets follow: the high level in
/// front of it belongs to it. 0 if there is none.
fn last_reset(events: &[Event], reset_pin: Option<u32>) -> usize {
    let packet = |event: &Event| matches!(event, Event::Packet { .. });
    let end = events.iter().rposition(packet).unwrap_or(0);
    let before = events.get(..end).unwrap_or_default();
    let at = |wanted: bool, end: usize| {
        let before = before.get(..end)?;
        before
            .iter()
            .rposition(|event| level(event, reset_pin) == Some(wanted))
    };
    let Some(mut from) = at(false, before.len()) else {
        return 0;
    };
    // Levels and waits before it, up to a packet.
    while let Some(previous) = from.checked_sub(1) {
        let part = matches!(before.get(previous), Some(Event::Delay(_)))
            || before
                .get(previous)
                .is_some_and(|event| level(event, reset_pin) == Some(true));
        if !part {
            break;
        }
        from = previous;
    }
    from
}

/// A line of a row.
pub fn line(step: &Step) -> String {
    match step {
        Step::Write(data_type, payload) => {
            let mut text = format!("{data_type:02X}");
            for byte in payload {
                let _ = write!(text, " {byte:02X}");
            }
            text
        }
        Step::Delay(ms) => format!("delay {ms}"),
        Step::Reset(level, ms) => {
            format!("reset {} {ms}", if *level { "high" } else { "low" })
        }
    }
}

#[path = "../../../board-db/build/source/burners.rs"]
pub mod burners;
