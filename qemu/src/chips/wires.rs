//! One I2C bus: its sets of wires, the chips on them, and who is connected.
//!
//! All sets of a bus lead to the same controller; those whose two pins are in
//! the I2C mode are connected. A set with chips in the board file has pull-ups
//! of its own. Source: facts/i2c-touch-camera.md 1.2, 1.8.

use super::chip::Chip;
use super::config;
use super::needs::level;
use crate::bus::{Context, GuestError, Nanos};
use crate::signals::Signals;

/// Two pins that a controller can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pads {
    /// SCL; SDA is the next pin.
    pub scl: u8,
    /// The mode in which they are the controller's.
    pub mode: u8,
}

impl Pads {
    /// SDA.
    pub fn sda(self) -> u8 {
        self.scl + 1
    }

    fn connected(self, signals: &Signals) -> bool {
        let mode = |pin: u8| signals.pin_mode[usize::from(pin)];
        mode(self.scl) == self.mode && mode(self.sda()) == self.mode
    }
}

const BUS0: [Pads; 1] = [Pads { scl: 105, mode: 1 }];
const BUS1: [Pads; 4] = [
    Pads { scl: 113, mode: 1 },
    Pads { scl: 89, mode: 2 },
    Pads { scl: 101, mode: 3 },
    Pads { scl: 137, mode: 3 },
];

fn sets(bus: u8) -> &'static [Pads] {
    match bus {
        0 => &BUS0,
        1 => &BUS1,
        _ => &[],
    }
}

/// The set of `bus` whose SCL is at this pin.
pub fn wire_set(bus: u8, scl: u8) -> Option<Pads> {
    sets(bus).iter().copied().find(|pads| pads.scl == scl)
}

/// A set of wires that has chips, and what SCL was last seen at.
struct Set {
    pads: Pads,
    scl: bool,
}

/// One bus.
pub struct Wires {
    bus: u8,
    used: Vec<Set>,
    chips: Vec<Chip>,
    /// SCL while the controller drives it.
    khz: u32,
}

impl Wires {
    /// Bus 0 or 1 with those of `chips` that are on it. The board file's check
    /// has refused chips on wires that do not exist.
    pub fn new(bus: u8, chips: &[config::Chip]) -> Self {
        let here = || chips.iter().filter(|chip| chip.bus == bus);
        let used = sets(bus).iter().filter_map(|&pads| {
            here()
                .any(|chip| chip.scl_pin() == pads.scl)
                .then_some(Set { pads, scl: true })
        });
        Wires {
            bus,
            used: used.collect(),
            chips: here().map(Chip::new).collect(),
            khz: 0,
        }
    }

    /// The chips, connected or not.
    pub fn chips(&self) -> &[Chip] {
        &self.chips
    }

    /// Tells the chips how fast SCL is from now on.
    pub fn set_speed(&mut self, khz: u32) {
        self.khz = khz;
    }

    /// The battery was out.
    pub fn power_on(&mut self) {
        for chip in &mut self.chips {
            chip.power_on();
        }
    }

    /// Whether any of the bus's pins are in its mode.
    pub fn connected(&self, signals: &Signals) -> bool {
        sets(self.bus).iter().any(|pads| pads.connected(signals))
    }

    /// Follows what others drive, and drives SDA and interrupt pins. `block`
    /// is the name in reports.
    pub fn observe(&mut self, block: &'static str, cx: &mut Context<'_>) {
        for set in &mut self.used {
            let pin = usize::from(set.pads.scl);
            // A controller's SCL rests high.
            let scl = cx.signals.pin_mode[pin] != 0
                || !cx.signals.pin_output[pin]
                || level(cx.signals, set.pads.scl);
            if set.scl && !scl {
                let on_it = |chip: &&mut Chip| chip.scl_pin() == set.pads.scl;
                self.chips.iter_mut().filter(on_it).for_each(Chip::scl_fell);
            }
            set.scl = scl;
        }
        for chip in &mut self.chips {
            chip.observe(cx.now, cx.signals);
        }
        self.drive(cx.now, cx.signals);
        self.tell(block, cx);
    }

    /// Puts SDA, SCL and the interrupt pins on the wires.
    pub fn drive(&self, now: Nanos, signals: &mut Signals) {
        for set in &self.used {
            let on_it = || {
                let chips = self.chips.iter();
                chips.filter(|chip| chip.scl_pin() == set.pads.scl)
            };
            let scl_held = on_it().any(Chip::holds_scl);
            let sda_held = on_it().any(Chip::holds_sda);
            signals.pin_applied[usize::from(set.pads.scl)] = Some(!scl_held);
            signals.pin_applied[usize::from(set.pads.sda())] = Some(!sda_held);
        }
        for (pin, applied) in self.chips.iter().filter_map(|chip| chip.interrupt(now)) {
            signals.pin_applied[usize::from(pin)] = applied;
        }
    }

    /// Passes on what the chips have to say.
    pub fn tell(&mut self, block: &'static str, cx: &mut Context<'_>) {
        for text in self.chips.iter_mut().flat_map(Chip::mistakes) {
            cx.report(GuestError::Refused, block, 0, text);
        }
    }

    /// When a chip's interrupt pin may change by itself.
    pub fn deadline(&self, now: Nanos) -> Option<Nanos> {
        self.chips
            .iter()
            .filter_map(|chip| chip.deadline(now))
            .min()
    }

    fn on_bus<'a>(&'a mut self, signals: &'a Signals) -> impl Iterator<Item = &'a mut Chip> {
        let bus = self.bus;
        self.chips.iter_mut().filter(move |chip| {
            wire_set(bus, chip.scl_pin()).is_some_and(|pads| pads.connected(signals))
        })
    }

    /// Whether somebody holds SDA low on connected wires.
    pub fn sda_held(&self, signals: &Signals) -> bool {
        self.any_connected(signals, Chip::holds_sda)
    }

    /// Whether somebody holds SCL low on connected wires.
    pub fn scl_held(&self, signals: &Signals) -> bool {
        self.any_connected(signals, Chip::holds_scl)
    }

    fn any_connected(&self, signals: &Signals, test: fn(&Chip) -> bool) -> bool {
        let connected = |chip: &Chip| {
            let pads = wire_set(self.bus, chip.scl_pin());
            pads.is_some_and(|pads| pads.connected(signals))
        };
        let mut chips = self.chips.iter();
        chips.any(|chip| test(chip) && connected(chip))
    }

    /// START and an address byte. True: somebody acknowledged.
    pub fn start(&mut self, address: u8, read: bool, now: Nanos, signals: &Signals) -> bool {
        let held = self.sda_held(signals);
        let khz = self.khz;
        // Not `any`: every chip hears the address.
        self.on_bus(signals).fold(held, |acked, chip| {
            chip.start(address, read, khz, now) || acked
        })
    }

    /// A byte to whom was addressed. True: somebody acknowledged.
    pub fn write(&mut self, byte: u8, signals: &Signals) -> bool {
        let held = self.sda_held(signals);
        self.on_bus(signals)
            .fold(held, |acked, chip| chip.write(byte) || acked)
    }

    /// A byte from whom was addressed. Two that answer pull the lines low
    /// wherever one of them does; nobody leaves them high.
    pub fn read(&mut self, signals: &Signals) -> u8 {
        let mask = if self.sda_held(signals) { 0 } else { 0xFF };
        self.on_bus(signals)
            .filter_map(Chip::read)
            .fold(mask, |all, byte| all & byte)
    }

    /// A STOP or a repeated START.
    pub fn end(&mut self, stop: bool, now: Nanos) {
        for chip in &mut self.chips {
            chip.end(stop, now);
        }
    }

    /// The controller was reset in the middle of a message.
    pub fn abandon(&mut self) {
        for chip in &mut self.chips {
            chip.abandon();
        }
    }

    /// How long SCL is held after the byte that has just passed.
    pub fn stretch_ns(&self) -> Nanos {
        self.chips.iter().map(Chip::stretch_ns).max().unwrap_or(0)
    }
}
