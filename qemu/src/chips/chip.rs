//! One chip on a bus: when it acknowledges, what it answers, and its faults.
//!
//! Source: facts/i2c-touch-camera.md 2 to 4.

use super::config::{self, Faults, HoldSda};
use super::dialogue::{Dialogue, Heard};
use super::memory::Memory;
use super::needs::{Needs, level};
use crate::bus::{Nanos, granted};
use crate::signals::Signals;

const MS: Nanos = 1_000_000;
const US: Nanos = 1_000;
/// Writes that are kept for whoever asks.
const WRITES_KEPT: usize = 4096;

/// A message as the chip sees it, from START to STOP or the next START.
struct Message {
    address: u8,
    own: bool,
    read: bool,
    bytes: Vec<u8>,
    reads: u32,
}

/// One write that a chip took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// When it ended.
    pub at: Nanos,
    /// 7-bit address.
    pub address: u8,
    /// All bytes after the address.
    pub bytes: Vec<u8>,
}

/// A chip.
pub struct Chip {
    name: String,
    scl: u8,
    present: bool,
    addresses: Vec<u8>,
    strap: Option<config::Strap>,
    /// The address that the strap has chosen.
    strapped: Option<u8>,
    int_pin: Option<u8>,
    fill: u8,
    max_khz: u32,
    told_too_fast: bool,
    faults: Faults,
    needs: Needs,
    memory: Memory,
    dialogue: Dialogue,
    message: Option<Message>,
    busy_until: Nanos,
    destroyed: bool,
    resets: u32,
    nacks: u32,
    /// Bytes since its supplies came, addresses included.
    bytes: u32,
    holds: bool,
    clocks: u32,
    written: Vec<Written>,
    mistakes: Vec<String>,
}

impl Chip {
    /// The chip that a checked table of a board file describes.
    pub fn new(chip: &config::Chip) -> Self {
        Chip {
            name: chip.name.clone(),
            scl: chip.scl_pin(),
            present: chip.present,
            addresses: chip.addresses.clone(),
            strap: chip.strap,
            strapped: None,
            int_pin: chip.int_pin,
            fill: chip.fill,
            max_khz: chip.max_khz,
            told_too_fast: false,
            faults: chip.faults.clone(),
            needs: Needs::new(chip),
            memory: Memory::new(chip),
            dialogue: Dialogue::new(chip),
            message: None,
            busy_until: 0,
            destroyed: false,
            resets: 0,
            nacks: 0,
            bytes: 0,
            holds: false,
            clocks: 0,
            written: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// Its name in the board file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SCL pin of its wires.
    pub fn scl_pin(&self) -> u8 {
        self.scl
    }

    /// What was written to it, oldest first.
    pub fn written(&self) -> &[Written] {
        &self.written
    }

    /// Takes the mistakes of the guest that it noticed.
    pub fn mistakes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.mistakes)
    }

    /// The battery was out.
    pub fn power_on(&mut self) {
        self.needs.forget();
        self.resets = 0;
        self.nacks = 0;
        self.told_too_fast = false;
        self.lose_supply();
    }

    fn forget(&mut self) {
        self.memory.forget();
        self.dialogue.forget();
        self.message = None;
        self.busy_until = 0;
        self.holds = false;
    }

    fn lose_supply(&mut self) {
        self.forget();
        self.strapped = None;
        self.bytes = 0;
    }

    fn hold_fault(&self) -> HoldSda {
        self.faults.hold_sda.unwrap_or_default()
    }

    /// Follows supplies, clock and pins.
    pub fn observe(&mut self, now: Nanos, signals: &Signals) {
        if !self.present {
            return;
        }
        let change = self.needs.observe(now, signals);
        if let Some((rail, mv)) = change.destroyed.filter(|_| !self.destroyed) {
            self.destroyed = true;
            self.mistakes.push(format!(
                "{} is destroyed: {mv} mV on {rail:?} is more than it stands",
                self.name
            ));
        }
        if change.forgets {
            self.forget();
        }
        if change.lost_power {
            self.lose_supply();
        }
        if change.powered && self.hold_fault().from_power {
            self.hold();
        }
        if change.released {
            self.resets += 1;
            self.strapped = self.strap.map(|strap| {
                if level(signals, strap.pin) {
                    strap.high
                } else {
                    strap.low
                }
            });
        }
    }

    fn hold(&mut self) {
        self.holds = true;
        self.clocks = 0;
    }

    /// When it begins to answer, for those who wait for its interrupt pin.
    pub fn deadline(&self, now: Nanos) -> Option<Nanos> {
        self.int_pin?;
        self.needs.ready_at().filter(|&at| at > now)
    }

    /// Its interrupt pin and the level that it gives it; `None`: none.
    pub fn interrupt(&self, now: Nanos) -> Option<(u8, Option<bool>)> {
        let pin = self.int_pin.filter(|_| self.present)?;
        let drives = self.answers(now);
        Some((pin, drives.then(|| !self.dialogue.waits())))
    }

    /// Whether it holds SDA low.
    pub fn holds_sda(&self) -> bool {
        if !self.present {
            return false;
        }
        let unpowered = self.hold_fault().unpowered && !self.needs.powered();
        self.holds || unpowered
    }

    /// Whether it holds SCL low.
    pub fn holds_scl(&self) -> bool {
        self.present && self.faults.hold_scl
    }

    /// A falling edge of SCL outside of a transfer.
    pub fn scl_fell(&mut self) {
        if !self.holds {
            return;
        }
        self.clocks += 1;
        if self
            .hold_fault()
            .clocks
            .is_some_and(|limit| self.clocks >= limit)
        {
            self.holds = false;
            self.message = None;
        }
    }

    fn answers(&self, now: Nanos) -> bool {
        self.present
            && !self.destroyed
            && !self.faults.dead
            && !self.needs.in_reset()
            && self.resets >= self.faults.answers_from_reset
            && self.needs.ready_at().is_some_and(|at| at <= now)
    }

    fn is_own(&self, address: u8) -> bool {
        match (self.strap, self.strapped) {
            (Some(_), strapped) => strapped == Some(address) || self.addresses.contains(&address),
            (None, _) => self.addresses.contains(&address),
        }
    }

    /// How long it holds SCL after a byte of a message to it.
    pub fn stretch_ns(&self) -> Nanos {
        if self.message.is_some() {
            Nanos::from(self.faults.stretch_us) * US
        } else {
            0
        }
    }

    /// Whether byte `index` of the message is not acknowledged by a fault.
    fn refuses_byte(&mut self, index: u32) -> bool {
        let refuses = self.faults.nack_byte == Some(index)
            && self
                .faults
                .nack_times
                .is_none_or(|times| self.nacks < times);
        self.nacks += u32::from(refuses);
        refuses
    }

    fn count_byte(&mut self) {
        self.bytes = self.bytes.saturating_add(1);
        if self.hold_fault().after_bytes == Some(self.bytes) {
            self.hold();
        }
    }

    /// Whether SCL is faster than it can follow; it says so once.
    fn too_fast(&mut self, khz: u32) -> bool {
        let too_fast = khz > self.max_khz;
        if too_fast && !self.told_too_fast {
            self.told_too_fast = true;
            self.mistakes.push(format!(
                "{} is addressed with SCL at {khz} kHz; it follows {} kHz",
                self.name, self.max_khz
            ));
        }
        too_fast
    }

    /// START and an address, with SCL at so many kHz. True: it acknowledges.
    pub fn start(&mut self, address: u8, read: bool, khz: u32, now: Nanos) -> bool {
        let own = self.is_own(address);
        let addressed = own || self.dialogue.addresses().any(|other| other == address);
        if !addressed || !self.answers(now) || self.too_fast(khz) {
            return false;
        }
        if now < self.busy_until || self.refuses_byte(0) {
            return false;
        }
        self.memory.rewind(false);
        self.message = Some(Message {
            address,
            own,
            read,
            bytes: Vec::new(),
            reads: 0,
        });
        self.count_byte();
        true
    }

    /// A byte to it. True: it acknowledges.
    pub fn write(&mut self, byte: u8) -> bool {
        let Some(index) = self
            .message
            .as_ref()
            .filter(|message| !message.read)
            .map(|message| message.bytes.len())
        else {
            return false;
        };
        if self.refuses_byte(index as u32 + 1) {
            self.message = None;
            return false;
        }
        if let Some(message) = &mut self.message {
            message.bytes.push(byte);
            if message.own
                && let Some(register) = self.memory.write(index, byte)
            {
                self.mistakes.push(format!(
                    "{byte:#04x} was written to register {register:#x} of {}, which nobody may write",
                    self.name
                ));
            }
        }
        self.count_byte();
        true
    }

    /// A byte from it; `None`: it is not being read.
    pub fn read(&mut self) -> Option<u8> {
        let message = self.message.as_mut().filter(|message| message.read)?;
        message.reads += 1;
        let byte = self
            .dialogue
            .read(message.address, message.own, self.fill)
            .unwrap_or_else(|| self.memory.read());
        self.count_byte();
        Some(if self.faults.all_ones {
            0xFF
        } else if self.faults.all_zeros {
            0
        } else {
            byte
        })
    }

    /// STOP, or the next START.
    pub fn end(&mut self, stop: bool, now: Nanos) {
        let Some(message) = self.message.take() else {
            return;
        };
        self.memory.rewind(stop);
        if message.read {
            if message.reads > 0 {
                self.dialogue.read_ended();
            }
            return;
        }
        let Message {
            address,
            own,
            bytes,
            ..
        } = message;
        let busy = match self.dialogue.heard(address, own, &bytes, now) {
            Heard::Command(busy) => busy,
            Heard::Plain => 0,
        };
        if !bytes.is_empty() {
            let fault = granted(Nanos::from(self.faults.busy_ms) * MS);
            self.busy_until = now + busy.max(fault);
        }
        if self.written.len() < WRITES_KEPT {
            self.written.push(Written {
                at: now,
                address,
                bytes,
            });
        }
    }

    /// The controller gave up in the middle: neither STOP nor START.
    pub fn abandon(&mut self) {
        self.message = None;
    }
}
