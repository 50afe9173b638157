//! `[panel]` of a board file: everything that the model knows of a panel,
//! spelled out, independent of the bootloader's own table.
//!
//! Source: facts/display.md 5, 6, 9.3; facts/panels.md for the form of `init`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::bus::BusConfig;
use super::family::Family;
use super::init::waits_after_sleep_out;
use super::link::{LinkMode, WireFormat};
use super::registers::Registers;
use super::wiring::{Backlight, ResetPin, rail};

/// Largest side in pixels: more than the display path can send.
const LARGEST_SIDE: u32 = 2047;
/// Data lanes of the MT6572.
const LANES: u8 = 3;
/// Channels of the AUXADC.
const ADC_CHANNELS: u8 = 16;
/// Pins of the MT6572.
const PINS: u8 = 154;
/// Longest payload of a packet that the host can send.
const LONGEST_WRITE: usize = 124;
/// The same on a bus of the LCD controller, where nothing limits it: more than
/// any table has.
const LONGEST_TRANSFER: usize = 512;

/// A panel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What people call it; said in the reasons only.
    pub controller: String,
    /// Pixels a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
    /// The bus of the LCD controller that it is on, instead of DSI.
    pub bus: Option<BusConfig>,
    /// Data lanes that it is strapped for; none on another bus.
    #[serde(default)]
    pub lanes: u8,
    /// Modes that it takes.
    pub mode: OneOrMore<LinkMode>,
    /// Pixel format that its initialisation sets.
    pub format: WireFormat,
    /// Timing that its glass takes.
    #[serde(default)]
    pub timing: Timing,
    /// Pin that resets it.
    #[serde(default)]
    pub reset: ResetPin,
    /// Supplies that it needs, and the least millivolts of each.
    #[serde(default)]
    pub rails: BTreeMap<String, u16>,
    /// Pins that its connector ties to a level.
    #[serde(default)]
    pub straps: Vec<Strap>,
    /// Voltage of its identification resistors.
    pub adc: Option<Adc>,
    /// What drives its backlight.
    pub backlight: Backlight,
    /// Its controller's peculiarities.
    #[serde(default)]
    pub family: Family,
    /// What it answers to reads; the first whose conditions hold.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// What it answers to all other reads.
    #[serde(default)]
    pub unknown: Unknown,
    /// The writes that its glass needs, in order.
    pub init: Vec<Write>,
    /// Only these very writes, with these data types where they are stated, will
    /// do: in this order, from the first to the last, with no other between.
    /// Without it the registers count that they leave.
    #[serde(default)]
    pub exact: bool,
    /// Registers that may differ from `init`: the colours are then off, not
    /// the picture. Those that hold gamma curves need not be named.
    #[serde(default)]
    pub tolerate: Vec<u8>,
    /// What it shows without a picture while it is lit.
    #[serde(default)]
    pub blank: Blank,
    /// Times and speeds.
    #[serde(default)]
    pub limits: Limits,
    /// What is broken.
    #[serde(default)]
    pub faults: Faults,
}

/// A value or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore<T> {
    /// One.
    One(T),
    /// Several.
    More(Vec<T>),
}

impl<T: PartialEq> OneOrMore<T> {
    /// Whether `value` is among them.
    pub fn has(&self, value: &T) -> bool {
        match self {
            OneOrMore::One(one) => one == value,
            OneOrMore::More(many) => many.contains(value),
        }
    }
}

/// A number, exact within the tolerance, or a range with both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Span {
    /// This one.
    Exact(u32),
    /// From the first to the second.
    Range([u32; 2]),
}

impl Span {
    /// How far `value` is outside: negative below, positive above.
    pub fn miss(self, value: u32, tolerance: u32) -> i64 {
        let (low, high) = match self {
            Span::Exact(value) => (
                value.saturating_sub(tolerance),
                value.saturating_add(tolerance),
            ),
            Span::Range([low, high]) => (low, high),
        };
        let (value, low, high) = (i64::from(value), i64::from(low), i64::from(high));
        (value - low).min(0) + (value - high).max(0)
    }
}

/// What the glass takes; what is absent does not matter to it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// Vertical sync, lines.
    pub vsa: Option<Span>,
    /// Vertical back porch, lines.
    pub vbp: Option<Span>,
    /// Vertical front porch, lines.
    pub vfp: Option<Span>,
    /// Horizontal sync, pixels.
    pub hsa: Option<Span>,
    /// Horizontal back porch, pixels.
    pub hbp: Option<Span>,
    /// Horizontal front porch, pixels.
    pub hfp: Option<Span>,
    /// How far exact numbers may be missed.
    pub tolerance: u32,
    /// Mbit/s of a lane.
    pub mbps: Option<Span>,
    /// Frames a second.
    pub fps: Option<Span>,
    /// Needs the clock lane in high speed all the time.
    pub continuous_clock: bool,
}

/// A pin that the panel's connector ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strap {
    /// Pin.
    pub pin: u8,
    /// Level.
    pub high: bool,
}

/// Voltage on an AUXADC channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adc {
    /// Channel, 0..=15.
    pub channel: u8,
    /// Millivolts.
    pub mv: u16,
}

/// Which kind of read an answer is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadKind {
    /// DCS reads (0x06).
    Dcs,
    /// Generic reads (0x04, 0x14, 0x24).
    Generic,
    /// All.
    #[default]
    Any,
}

/// What is answered to a read of a register.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Register.
    pub register: u8,
    /// Bytes, as many as the maximum return size lets through.
    pub bytes: Vec<u8>,
    /// Which reads.
    #[serde(default)]
    pub kind: ReadKind,
    /// Only on this page of the controller.
    pub page: Option<u32>,
    /// Only after packets that begin with these bytes, each seen since the
    /// last reset.
    #[serde(default)]
    pub unlock: Vec<Vec<u8>>,
    /// Only with this address shift.
    pub after_shift: Option<u8>,
}

/// What is answered to a read of any other register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// As many zeros as were asked for.
    #[default]
    Zeros,
    /// Nothing.
    Silent,
    /// An error report.
    ErrorReport,
}

/// One write of `init`, in the form of the collected vendor tables.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// Command.
    pub cmd: u8,
    /// Its parameters.
    #[serde(default)]
    pub args: Vec<u8>,
    /// Data type that the vendor's driver uses; only with `exact` it matters.
    #[serde(default)]
    pub dt: Option<u8>,
    /// Milliseconds that the vendor's driver waits afterwards; the panel
    /// insists on those that [`Write::insists_ms`] names.
    #[serde(default)]
    pub delay_ms: u32,
}

/// Software reset, sleep-out, display on: commands that take their time.
const SLOW_COMMANDS: [u8; 3] = [0x01, 0x11, 0x29];
/// The shortest wait, in milliseconds, that the panel insists on after these,
/// and after any other write.
const LEAST_AFTER_SLOW_MS: u32 = 5;
const LEAST_WAIT_MS: u32 = 10;

impl Write {
    /// Milliseconds before which the panel takes no packet after this write;
    /// 0: it takes one at once. Short waits in a table are the driver's habit.
    pub fn insists_ms(&self) -> u32 {
        let least = if SLOW_COMMANDS.contains(&self.cmd) {
            LEAST_AFTER_SLOW_MS
        } else {
            LEAST_WAIT_MS
        };
        if self.delay_ms < least {
            0
        } else {
            self.delay_ms
        }
    }

    /// Whether a packet with this payload is this write.
    pub fn is(&self, payload: &[u8]) -> bool {
        payload.split_first() == Some((&self.cmd, self.args.as_slice()))
    }

    /// The payload of the packet.
    pub fn payload(&self) -> Vec<u8> {
        let mut payload = vec![self.cmd];
        payload.extend_from_slice(&self.args);
        payload
    }
}

/// What an unlit picture looks like with light behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blank {
    /// Normally white (TN).
    #[default]
    White,
    /// Normally black (IPS, VA).
    Black,
}

/// Which transmissions carry commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speed {
    /// LP and HS.
    #[default]
    Any,
    /// LP.
    Lp,
    /// HS.
    Hs,
}

/// Times and speeds.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Milliseconds from the end of a reset to the first command.
    pub after_reset_ms: u32,
    /// Milliseconds from the end of a reset to the first write of `init`.
    pub reset_to_init_ms: u32,
    /// Milliseconds from the end of a reset out of sleep-out to sleep-out.
    pub reset_to_sleep_out_ms: u32,
    /// Milliseconds from sleep-out to display data; without it 120, or what
    /// `init` itself waits if that is less.
    pub sleep_out_ms: Option<u32>,
    /// Milliseconds from sleep-out to the next command; without it 5, or what
    /// `init` itself waits if that is less.
    pub after_sleep_out_ms: Option<u32>,
    /// The shortest reset pulse, in microseconds.
    pub min_reset_low_us: u32,
    /// Transmissions in which it takes commands.
    pub commands: Speed,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            after_reset_ms: 5,
            reset_to_init_ms: 0,
            reset_to_sleep_out_ms: 120,
            sleep_out_ms: None,
            after_sleep_out_ms: None,
            min_reset_low_us: 10,
            commands: Speed::Any,
        }
    }
}

/// What is broken.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The cable is out.
    pub unplugged: bool,
    /// It is deaf until it was reset so many times.
    pub answers_on_reset: u32,
    /// Reads give ones.
    pub all_ones: bool,
    /// Reads give zeros.
    pub all_zeros: bool,
    /// It never takes the bus.
    pub bta_dead: bool,
    /// It sleeps on.
    pub sleep_out_ignored: bool,
    /// The reset line is broken; it resets itself when it gets its supplies.
    pub no_reset: bool,
    /// Bytes that a register answers instead of the right ones, by its number
    /// in hexadecimal.
    pub wrong_id: BTreeMap<String, Vec<u8>>,
}

impl Faults {
    /// The wrong answer of a register.
    pub fn wrong(&self, register: u8) -> Option<&[u8]> {
        let mut wrong = self.wrong_id.iter();
        wrong
            .find(|(name, _)| hex(name) == Some(register))
            .map(|(_, bytes)| bytes.as_slice())
    }
}

fn hex(text: &str) -> Option<u8> {
    u8::from_str_radix(text, 16).ok()
}

impl Config {
    /// Refuses what no panel can be.
    ///
    /// # Errors
    /// A sentence that begins with the name of the entry.
    pub fn check(&self) -> Result<(), String> {
        let sides = 1..=LARGEST_SIDE;
        if !sides.contains(&self.width) || !sides.contains(&self.height) {
            return Err(format!(
                "panel: {}x{} is no size; sides are 1 to {LARGEST_SIDE} pixels",
                self.width, self.height
            ));
        }
        if let Some(bus) = &self.bus {
            bus.check()?;
            if self.lanes != 0 || !self.mode.has(&LinkMode::Command) {
                return Err("panel.bus: such a panel has no lanes, and mode \"command\"".into());
            }
        } else if self.lanes == 0 || self.lanes > LANES {
            return Err(format!("panel.lanes: 1 to {LANES}, not {}", self.lanes));
        }
        if matches!(&self.mode, OneOrMore::More(modes) if modes.is_empty()) {
            return Err("panel.mode: at least one".into());
        }
        if let Some(name) = self.rails.keys().find(|name| rail(name).is_none()) {
            return Err(format!("panel.rails: the PMIC has no output {name:?}"));
        }
        if let Some(strap) = self.straps.iter().find(|strap| strap.pin >= PINS) {
            return Err(format!("panel.straps: no pin {}", strap.pin));
        }
        if let Some(adc) = self.adc.filter(|adc| adc.channel >= ADC_CHANNELS) {
            return Err(format!("panel.adc: no channel {}", adc.channel));
        }
        let names = self.faults.wrong_id.keys();
        if let Some(name) = names.into_iter().find(|name| hex(name).is_none()) {
            return Err(format!(
                "panel.faults.wrong_id: {name:?} is no register in hexadecimal"
            ));
        }
        if let Some(answer) = self.answers.iter().find(|answer| answer.bytes.is_empty()) {
            return Err(format!(
                "panel.answers: register {:02X} answers no byte",
                answer.register
            ));
        }
        self.check_init()
    }

    /// A glass whose own table leaves it asleep can never show anything.
    fn check_init(&self) -> Result<(), String> {
        let longest = match self.bus {
            Some(_) => LONGEST_TRANSFER,
            None => LONGEST_WRITE,
        };
        let long = |write: &&Write| write.args.len() >= longest;
        if let Some(write) = self.init.iter().find(long) {
            return Err(format!(
                "panel.init: command {:02X} has more than {} parameters",
                write.cmd,
                longest - 1
            ));
        }
        let mut registers = Registers::new(self.family);
        let (mut awake, mut shows) = (false, false);
        for write in &self.init {
            match registers.write(&write.payload()) {
                Some(0x01) => (awake, shows) = (false, false),
                Some(0x11) => awake = true,
                Some(0x10) => awake = false,
                Some(0x29) => shows = true,
                Some(0x28) => shows = false,
                _ => {}
            }
        }
        if awake && shows {
            Ok(())
        } else {
            Err("panel.init: ends asleep or with the display off".into())
        }
    }

    /// The straps, if the connector is in.
    pub fn connected_straps(&self) -> impl Iterator<Item = &Strap> {
        self.straps.iter().filter(|_| !self.faults.unplugged)
    }

    /// The identification voltage, if the connector is in.
    pub fn connected_adc(&self) -> Option<Adc> {
        self.adc.filter(|_| !self.faults.unplugged)
    }

    /// Milliseconds from sleep-out to display data.
    pub fn sleep_out_ms(&self) -> u32 {
        let own = self.limits.sleep_out_ms;
        own.unwrap_or_else(|| waits_after_sleep_out(&self.init, self.family).1.min(120))
    }

    /// Milliseconds from sleep-out to the next command.
    pub fn after_sleep_out_ms(&self) -> u32 {
        let own = self.limits.after_sleep_out_ms;
        own.unwrap_or_else(|| waits_after_sleep_out(&self.init, self.family).0.min(5))
    }
}
