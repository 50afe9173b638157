//! What a chip answers that is no register: a banner after reset, replies to
//! commands, modes that sequences of writes enter.
//!
//! Source: facts/i2c-touch-camera.md 3.1 (ELAN, MStar, Chipone, ST).

use super::config::{self, Command};
use crate::bus::{Nanos, granted};

const MS: Nanos = 1_000_000;

/// A mode that a sequence of writes enters.
struct Mode {
    unlock: config::Unlock,
    /// Writes of the sequence that were seen.
    seen: usize,
    open_at: Option<Nanos>,
}

/// Bytes that wait to be read.
struct Reply {
    address: u8,
    bytes: Vec<u8>,
    next: usize,
}

/// The dialogue of one chip.
pub struct Dialogue {
    banner: Vec<u8>,
    banner_next: usize,
    commands: Vec<Command>,
    modes: Vec<Mode>,
    reply: Option<Reply>,
}

/// What the end of a write was to the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing but registers.
    Plain,
    /// A command; the chip is busy for this long.
    Command(Nanos),
}

impl Dialogue {
    /// The dialogue that the board file states.
    pub fn new(chip: &config::Chip) -> Self {
        let modes = chip.unlocks.iter().map(|unlock| Mode {
            unlock: unlock.clone(),
            seen: 0,
            open_at: None,
        });
        Dialogue {
            banner: chip.banner.clone(),
            banner_next: 0,
            commands: chip.commands.clone(),
            modes: modes.collect(),
            reply: None,
        }
    }

    /// After a reset.
    pub fn forget(&mut self) {
        self.banner_next = 0;
        self.reply = None;
        for mode in &mut self.modes {
            (mode.seen, mode.open_at) = (0, None);
        }
    }

    /// Addresses besides the chip's own.
    pub fn addresses(&self) -> impl Iterator<Item = u8> {
        let commands = self.commands.iter().filter_map(|command| command.on);
        commands.chain(self.modes.iter().filter_map(|mode| mode.unlock.on))
    }

    /// Whether a banner or reply waits; the chip says so on its interrupt pin.
    pub fn waits(&self) -> bool {
        self.reply.is_some() || self.banner_next < self.banner.len()
    }

    /// A write to `address` has ended. `own`: the address is the chip's own.
    pub fn heard(&mut self, address: u8, own: bool, bytes: &[u8], now: Nanos) -> Heard {
        let here = |on: Option<u8>| on.map_or(own, |on| on == address);
        if bytes.is_empty() {
            return Heard::Plain;
        }
        if self
            .reply
            .as_ref()
            .is_some_and(|reply| reply.address == address)
        {
            self.reply = None;
        }
        for mode in self.modes.iter_mut().filter(|mode| here(mode.unlock.on)) {
            mode.hear(bytes, now);
        }
        let open = |name: &String| {
            self.modes
                .iter()
                .any(|mode| mode.unlock.name == *name && mode.open_at.is_some_and(|at| at <= now))
        };
        let command = self.commands.iter().find(|command| {
            here(command.on) && command.write == bytes && command.needs.as_ref().is_none_or(open)
        });
        let Some(command) = command else {
            return Heard::Plain;
        };
        if !command.reply.is_empty() {
            self.reply = Some(Reply {
                address,
                bytes: command.reply.clone(),
                next: 0,
            });
        }
        Heard::Command(granted(Nanos::from(command.busy_ms) * MS))
    }

    /// The next byte of a read, if it does not come from a register.
    pub fn read(&mut self, address: u8, own: bool, fill: u8) -> Option<u8> {
        if let Some(reply) = self.reply.as_mut().filter(|reply| reply.address == address) {
            let byte = reply.bytes.get(reply.next).copied();
            reply.next += 1;
            return Some(byte.unwrap_or(fill));
        }
        if !own {
            return Some(fill);
        }
        let byte = self.banner.get(self.banner_next).copied()?;
        self.banner_next += 1;
        Some(byte)
    }

    /// A read has ended: what was read to its end is gone.
    pub fn read_ended(&mut self) {
        if self
            .reply
            .as_ref()
            .is_some_and(|reply| reply.next >= reply.bytes.len())
        {
            self.reply = None;
        } else if let Some(reply) = &mut self.reply {
            reply.next = 0;
        }
        if self.banner_next < self.banner.len() {
            self.banner_next = 0;
        }
    }
}

impl Mode {
    fn hear(&mut self, bytes: &[u8], now: Nanos) {
        if self.unlock.lock_on.iter().any(|write| write == bytes) {
            (self.seen, self.open_at) = (0, None);
            return;
        }
        if self.open_at.is_some() {
            return;
        }
        let sequence = &self.unlock.sequence;
        self.seen = if sequence.get(self.seen).is_some_and(|write| write == bytes) {
            self.seen + 1
        } else {
            usize::from(sequence.first().is_some_and(|write| write == bytes))
        };
        if self.seen == sequence.len() {
            self.open_at = Some(now + granted(Nanos::from(self.unlock.wait_ms) * MS));
        }
    }
}
