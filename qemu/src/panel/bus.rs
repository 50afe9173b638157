//! A panel on a bus of the LCD controller (DBI): accesses become the packets
//! of the controller's state machine, which is the same as behind DSI lanes.
//!
//! Registers with 16-bit addresses hold one parameter each: parameter n of
//! command 0x2A is register 0x2A00 + n. Source: facts/display.md 8.1; ID reads
//! in facts/panels.md (the first word of an answer is a dummy, except of such
//! wide registers).

use serde::Deserialize;

use super::config::Config;
use super::controller::{Controller, Sender};
use super::glass::{Look, Verdict};
use super::link::{Packet, WireFormat};
use super::reads;
use crate::bus::{Context, GuestError, Nanos};
use crate::display::Picture;

const NAME: &str = "PANEL";
const WRITE: u8 = 0x39;
const READ: u8 = 0x06;
const MEMORY_WRITE: u8 = 0x2C;
/// Commands of the DCS standard without parameters: they act at once.
const ALONE: [u8; 14] = [
    0x00, 0x01, 0x10, 0x11, 0x12, 0x13, 0x20, 0x21, 0x22, 0x23, 0x28, 0x29, 0x34, 0x38,
];
/// Longer answers than any panel has.
const LONGEST_ANSWER: usize = 32;

/// Which bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 8080.
    #[default]
    Parallel,
    /// Clock and data.
    Serial,
}

/// `[panel.bus]` of a board file: how the module is strapped, and the
/// shortest times of its data sheet.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BusConfig {
    /// Which bus.
    pub kind: Kind,
    /// Data lines of a parallel bus: 8, 9, 16 or 18.
    pub lines: u8,
    /// Registers have 16-bit addresses.
    pub wide: bool,
    /// A ninth bit tells commands from parameters.
    pub three_wire: bool,
    /// It answers on LSDI instead of LSDA.
    pub own_output: bool,
    /// Pixels are padded on the upper lines.
    pub pad_high: bool,
    /// The lower part of a pixel comes first.
    pub low_first: bool,
    /// A whole write, or a clock of a serial one, in nanoseconds.
    pub write_ns: u32,
    /// A whole read, or a clock of a serial one, in nanoseconds.
    pub read_ns: u32,
    /// From the strobe of a read until its data is there.
    pub access_ns: u32,
}

impl Default for BusConfig {
    /// The times of an ILI9341 (read of an ID).
    fn default() -> Self {
        BusConfig {
            kind: Kind::Parallel,
            lines: 8,
            wide: false,
            three_wire: false,
            own_output: false,
            pad_high: false,
            low_first: false,
            write_ns: 66,
            read_ns: 160,
            access_ns: 40,
        }
    }
}

impl BusConfig {
    /// Refuses what no module can be.
    ///
    /// # Errors
    /// A sentence that begins with the name of the entry.
    pub fn check(&self) -> Result<(), String> {
        match (self.kind, self.lines) {
            (Kind::Parallel, 8 | 9 | 16 | 18) | (Kind::Serial, _) => {}
            (_, lines) => return Err(format!("panel.bus.lines: 8, 9, 16 or 18, not {lines}")),
        }
        if self.wide && (self.kind == Kind::Serial || self.lines < 16) {
            return Err("panel.bus.wide: needs 16 or 18 lines".into());
        }
        Ok(())
    }
}

/// The host's side of the bus, as its settings are at an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wires {
    /// Which bus.
    pub kind: Kind,
    /// Data lines.
    pub lines: u8,
    /// A ninth bit tells commands from parameters.
    pub three_wire: bool,
    /// The host listens on LSDI.
    pub own_output: bool,
    /// A write, or a clock of it, in nanoseconds.
    pub write_ns: u32,
    /// A read, or a clock of it, in nanoseconds.
    pub read_ns: u32,
    /// From the strobe of a read until the host samples.
    pub access_ns: u32,
}

/// How the host sends pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusFrame {
    /// The bus.
    pub wires: Wires,
    /// Bits of a pixel.
    pub format: WireFormat,
    /// Padded on the upper lines.
    pub pad_high: bool,
    /// The lower part of a pixel first.
    pub low_first: bool,
}

/// What the panel is in the middle of.
#[derive(Debug, Default)]
pub(super) struct Transfer {
    /// Command and parameters so far, and when the last came.
    pending: Option<(Vec<u8>, Nanos)>,
    /// Register and parameter of the last command.
    command: (u8, u8),
    /// What it answers, and how many words of it were read.
    answer: Option<(Vec<u8>, usize)>,
    /// Mistakes that were told of.
    told: Vec<&'static str>,
}

impl Controller {
    fn complain(&mut self, what: &'static str, message: String, cx: &mut Context<'_>) {
        if !self.transfer.told.contains(&what) {
            self.transfer.told.push(what);
            cx.report(GuestError::Refused, NAME, 0, message);
        }
    }

    /// The bus that the module is strapped for, if the host drives that one.
    fn bus(&mut self, wires: &Wires, cx: &mut Context<'_>) -> Option<super::BusConfig> {
        let bus = self.config.bus.clone()?;
        if !self.listens() {
            return None;
        }
        let serial = wires.kind == Kind::Serial;
        let fits = bus.kind == wires.kind && (!serial || bus.three_wire == wires.three_wire);
        if !fits {
            let message = format!("the host drives {wires:?}; the panel is strapped as {bus:?}");
            self.complain("strapped", message, cx);
            return None;
        }
        Some(bus)
    }

    /// A command or a parameter on the data lines.
    pub(super) fn bus_write(
        &mut self,
        value: u32,
        parameter: bool,
        wires: &Wires,
        cx: &mut Context<'_>,
    ) {
        let Some(bus) = self.bus(wires, cx) else {
            return;
        };
        if wires.write_ns < bus.write_ns {
            let message = format!(
                "a write of {} ns; the panel needs {}",
                wires.write_ns, bus.write_ns
            );
            self.complain("write", message, cx);
            return;
        }
        self.transfer.answer = None;
        match (parameter, bus.wide) {
            (false, false) => self.begin(value as u8, 0, cx),
            (false, true) => self.begin((value >> 8) as u8, value as u8, cx),
            (true, _) => {
                if let Some((payload, at)) = &mut self.transfer.pending {
                    payload.push(value as u8);
                    *at = cx.now;
                }
            }
        }
    }

    /// Command `command`, or its parameter `index` of a wide register.
    fn begin(&mut self, command: u8, index: u8, cx: &mut Context<'_>) {
        let goes_on = self.transfer.pending.as_ref().is_some_and(|(payload, _)| {
            index > 0 && payload[0] == command && payload.len() == usize::from(index) + 1
        });
        self.transfer.command = (command, index);
        if goes_on {
            return;
        }
        self.flush(cx);
        let mut payload = vec![command];
        payload.resize(usize::from(index) + 1, 0);
        if command == MEMORY_WRITE {
            self.transfer.pending = None;
        } else if ALONE.contains(&command) {
            self.packet(&packet(WRITE, &payload), cx);
        } else {
            self.transfer.pending = Some((payload, cx.now));
        }
    }

    /// Whatever came last is complete: it was, when its last parameter came. A
    /// command alone may have been a read.
    fn flush(&mut self, cx: &mut Context<'_>) {
        let Some((payload, at)) = self.transfer.pending.take() else {
            return;
        };
        if payload.len() > 1 || self.config.init.iter().any(|write| write.is(&payload)) {
            let now = std::mem::replace(&mut cx.now, at);
            self.packet(&packet(WRITE, &payload), cx);
            cx.now = now;
        }
    }

    /// The word that the panel puts on the data lines; `None`: it leaves them
    /// alone.
    pub(super) fn bus_read(&mut self, wires: &Wires, cx: &mut Context<'_>) -> Option<u32> {
        let bus = self.bus(wires, cx)?;
        if bus.kind == Kind::Serial && bus.own_output != wires.own_output {
            return None;
        }
        let (command, index) = self.transfer.command;
        // The command was the read, not a write without parameters.
        if self
            .transfer
            .pending
            .as_ref()
            .is_some_and(|(payload, _)| payload[0] == command)
        {
            self.transfer.pending = None;
        }
        let (bytes, at) = if let Some(answer) = self.transfer.answer.take() {
            answer
        } else {
            self.packet(&packet(READ, &[command]), cx);
            let request = self.take_request()?;
            (reads::bytes(self, request, LONGEST_ANSWER).ok()?, 0)
        };
        let word = if bus.wide {
            bytes.get(usize::from(index))
        } else {
            at.checked_sub(1).and_then(|at| bytes.get(at))
        };
        // Before and after the answer: what the lines are at anyway.
        let idle = if self.config.faults.all_ones { 0xFF } else { 0 };
        let word = u32::from(word.copied().unwrap_or(idle));
        self.transfer.answer = Some((bytes, at + 1));
        if wires.read_ns < bus.read_ns || wires.access_ns < bus.access_ns {
            let message = format!(
                "a read of {} ns, sampled after {}; the panel needs {} and {}",
                wires.read_ns, wires.access_ns, bus.read_ns, bus.access_ns
            );
            self.complain("read", message, cx);
            return Some(!word & 0xFF);
        }
        Some(word)
    }

    /// A frame of pixels, after a memory write.
    pub(super) fn bus_frame(
        &mut self,
        frame: &BusFrame,
        picture: Option<&Picture>,
        cx: &mut Context<'_>,
    ) {
        self.flush(cx);
        if self.bus(&frame.wires, cx).is_none() || !self.check_data(cx) {
            return;
        }
        let (command, _) = self.transfer.command;
        if command != MEMORY_WRITE {
            let message = format!("pixels after command {command:02X}, not after a memory write");
            return self.complain("pixels", message, cx);
        }
        self.fill(picture);
        self.written_by = Some(Sender::Bus(*frame));
        self.frame_came(cx);
    }

    /// A reset: whatever was half sent is forgotten.
    pub(super) fn forget_transfer(&mut self) {
        let told = std::mem::take(&mut self.transfer.told);
        self.transfer = Transfer {
            told,
            ..Transfer::default()
        };
    }
}

fn packet(data_type: u8, payload: &[u8]) -> Packet<'_> {
    Packet {
        data_type,
        payload,
        high_speed: false,
    }
}

/// What is wrong with how pixels came.
pub(super) fn judge(config: &Config, frame: &BusFrame) -> Option<Verdict> {
    let bus = config.bus.as_ref()?;
    let wires = &frame.wires;
    if bus.kind == Kind::Parallel && wires.lines != bus.lines {
        let reason = format!(
            "pixels come on {} lines; the panel has {}",
            wires.lines, bus.lines
        );
        return Some((Look::Garbled, reason));
    }
    if wires.write_ns < bus.write_ns {
        let reason = format!(
            "pixels come every {} ns; the panel needs {}",
            wires.write_ns, bus.write_ns
        );
        return Some((Look::Garbled, reason));
    }
    let (sent, wanted) = (
        (frame.format, frame.pad_high, frame.low_first),
        (config.format, bus.pad_high, bus.low_first),
    );
    (sent != wanted).then(|| {
        let reason = format!("pixels come as {sent:?}; the panel expects {wanted:?}");
        (Look::WrongColours, reason)
    })
}
