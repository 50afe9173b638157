//! What a chip needs before it answers: supplies, clock, pins, and time.
//!
//! Source: facts/i2c-touch-camera.md 2.3, 2.4, 4.2, 4.3.

use super::config::{self, Clock, Pin, Role};
use crate::bus::{Nanos, granted};
use crate::signals::{Rail, Signals};

const MS: Nanos = 1_000_000;

/// The level of a pin: what the GPIO drives, or what it sees.
pub fn level(signals: &Signals, pin: u8) -> bool {
    let pin = usize::from(pin);
    if signals.pin_mode[pin] == 0 && signals.pin_output[pin] {
        signals.pin_out_level[pin]
    } else {
        signals.pin_input(pin)
    }
}

/// One supply.
struct Supply {
    rail: Rail,
    min_mv: u16,
    max_mv: u16,
}

/// One pin and since when it has its level.
struct Watch {
    pin: Pin,
    has_level: bool,
    since: Option<Nanos>,
}

/// What happened to a chip since it was last looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// It lost its supplies, or was put in reset: it forgets everything.
    pub forgets: bool,
    /// Its supplies have come.
    pub powered: bool,
    /// Its supplies have gone.
    pub lost_power: bool,
    /// It left reset.
    pub released: bool,
    /// A supply is higher than it stands; the rail and its millivolts.
    pub destroyed: Option<(Rail, u16)>,
}

/// The surroundings of one chip.
pub struct Needs {
    supplies: Vec<Supply>,
    clock: Option<Clock>,
    pins: Vec<Watch>,
    power_ns: Nanos,
    powered_since: Option<Nanos>,
    clocked_since: Option<Nanos>,
    in_reset: bool,
}

impl Needs {
    /// Everything off. Rails that do not exist are left out; the board file's
    /// check has refused them.
    pub fn new(chip: &config::Chip) -> Self {
        let supplies = chip.rails.iter().filter_map(|supply| {
            Some(Supply {
                rail: config::rail(&supply.rail)?,
                min_mv: supply.min_mv,
                max_mv: supply.max_mv.unwrap_or(u16::MAX),
            })
        });
        let pins = chip.pins.iter().map(|&pin| Watch {
            pin,
            has_level: false,
            since: None,
        });
        Needs {
            supplies: supplies.collect(),
            clock: chip.clock,
            pins: pins.collect(),
            power_ns: granted(Nanos::from(chip.power_ms) * MS),
            powered_since: None,
            clocked_since: None,
            in_reset: true,
        }
    }

    /// As if the battery had been out.
    pub fn forget(&mut self) {
        self.powered_since = None;
        self.clocked_since = None;
        self.in_reset = true;
        for watch in &mut self.pins {
            (watch.has_level, watch.since) = (false, None);
        }
    }

    /// Whether its supplies are on.
    pub fn powered(&self) -> bool {
        self.powered_since.is_some()
    }

    /// Whether a reset or enable pin keeps it from working.
    pub fn in_reset(&self) -> bool {
        self.in_reset
    }

    /// Looks at the wires.
    pub fn observe(&mut self, now: Nanos, signals: &Signals) -> Change {
        let mut change = Change::default();
        let over = |supply: &&Supply| signals.rail_mv(supply.rail) > supply.max_mv;
        change.destroyed = self
            .supplies
            .iter()
            .find(over)
            .map(|supply| (supply.rail, signals.rail_mv(supply.rail)));
        let supplied = self
            .supplies
            .iter()
            .all(|supply| signals.rail_mv(supply.rail) >= supply.min_mv);
        change.powered = supplied && self.powered_since.is_none();
        change.lost_power = !supplied && self.powered_since.is_some();
        if change.powered {
            self.powered_since = Some(now);
        } else if !supplied {
            self.powered_since = None;
        }
        self.watch_clock(now, signals);
        self.watch_pins(now, signals);
        let released = supplied
            && self
                .pins
                .iter()
                .all(|watch| watch.has_level || watch.pin.role == Role::Standby);
        change.released = released && self.in_reset;
        change.forgets = !released && !self.in_reset || change.powered;
        self.in_reset = !released;
        change
    }

    fn watch_clock(&mut self, now: Nanos, signals: &Signals) {
        let Some(clock) = self.clock else { return };
        let running = signals.cmmclk_hz.is_some_and(|hz| {
            (clock.min_mhz * 1_000_000..=clock.max_mhz * 1_000_000).contains(&hz)
        });
        if !running {
            self.clocked_since = None;
        } else if self.clocked_since.is_none() {
            self.clocked_since = Some(now);
        }
    }

    fn watch_pins(&mut self, now: Nanos, signals: &Signals) {
        let ready = self.powered() && (self.clock.is_none() || self.clocked_since.is_some());
        for watch in &mut self.pins {
            let has_level = level(signals, watch.pin.pin) == watch.pin.high;
            let comes = has_level && !watch.has_level;
            watch.has_level = has_level;
            if !has_level || self.powered_since.is_none() {
                watch.since = None;
            } else if watch.since.is_none() && (!watch.pin.edge || comes && ready) {
                watch.since = Some(now);
            }
        }
    }

    /// From when on the chip answers, if nothing changes.
    pub fn ready_at(&self) -> Option<Nanos> {
        let mut at = self.powered_since? + self.power_ns;
        if self.clock.is_some() {
            at = at.max(self.clocked_since?);
        }
        for watch in &self.pins {
            at = at.max(watch.since? + granted(Nanos::from(watch.pin.for_ms) * MS));
        }
        Some(at)
    }
}
