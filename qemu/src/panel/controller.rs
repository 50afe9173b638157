//! The controller's state: supplies, reset, sleep, display on, frame memory.
//!
//! Source: facts/display.md 3.4, 5.3, 6.5, 9.3.6.

use super::Milestone;
use super::bus::{BusFrame, Transfer};
use super::config::{Config, Speed};
use super::exact::Progress;
use super::init::Steps;
use super::link::{Link, LinkMode, Packet};
use super::reads::{self, Request};
use super::registers::{Registers, SOFTWARE_RESET};
use super::window::Window;
use super::wiring::rail;
use crate::bus::{Context, GuestError, Nanos, granted};
use crate::display::Picture;

/// The name in reports.
const NAME: &str = "PANEL";
const NS_PER_US: Nanos = 1_000;
const NS_PER_MS: Nanos = 1_000_000;
/// A frame of a panel that scans its own memory, at 60 Hz.
const OWN_FRAME: Nanos = 16_666_667;
/// Wakes the panel.
const SLEEP_OUT: u8 = 0x11;
/// Maximum return size after a reset.
const DEFAULT_RETURN: u16 = 1;

/// A controller with its glass.
pub struct Controller {
    pub(super) config: Config,
    /// The registers that the glass needs.
    pub(super) needed: Registers,
    /// The registers as they were written since the last reset.
    pub(super) registers: Registers,
    pub(super) powered: bool,
    /// The reset pin is low since then.
    pub(super) held_since: Option<Nanos>,
    /// Resets by the pin since the supplies came.
    resets: u32,
    /// End of the last reset.
    reset_at: Nanos,
    /// It came while the panel was awake, or had not yet fallen asleep from
    /// an earlier one.
    reset_awake: bool,
    /// How far the host is in `init`, and what wait that demands of it.
    steps: Steps,
    /// How far it came to the letter.
    pub(super) progress: Progress,
    /// Sleep-out was sent then.
    pub(super) awake_since: Option<Nanos>,
    pub(super) display_on: bool,
    tearing: bool,
    pub(super) max_return: u16,
    /// A read whose answer the host has not fetched.
    pending: Option<Request>,
    /// Packets of interest to the conditions of answers, since the last reset.
    pub(super) seen: Vec<Vec<u8>>,
    window: Window,
    /// Frame memory: three bytes a pixel, once something was written to it.
    pub(super) memory: Option<Vec<u8>>,
    /// Settings of the host at the last memory write.
    pub(super) written_by: Option<Sender>,
    /// Settings of the video that runs.
    pub(super) video: Option<Link>,
    shown_frame: bool,
    lit: bool,
    /// On a bus of the LCD controller: what is half sent.
    pub(super) transfer: Transfer,
}

/// Who wrote to the frame memory, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The DSI host.
    Dsi(Link),
    /// The LCD controller.
    Bus(BusFrame),
}

impl Controller {
    pub(super) fn new(config: Config) -> Controller {
        let payloads: Vec<Vec<u8>> = config
            .init
            .iter()
            .map(super::config::Write::payload)
            .collect();
        let needed = Registers::after(config.family, payloads.iter().map(Vec::as_slice));
        Controller {
            needed,
            registers: Registers::new(config.family),
            powered: false,
            held_since: None,
            resets: 0,
            reset_at: 0,
            reset_awake: false,
            steps: Steps::default(),
            progress: Progress::default(),
            awake_since: None,
            display_on: false,
            tearing: false,
            max_return: DEFAULT_RETURN,
            pending: None,
            seen: Vec::new(),
            window: Window::of(&config),
            memory: None,
            written_by: None,
            video: None,
            shown_frame: false,
            lit: false,
            transfer: Transfer::default(),
            config,
        }
    }

    /// Whether it takes and gives anything now.
    pub(super) fn listens(&self) -> bool {
        self.powered
            && self.held_since.is_none()
            && self.resets >= self.config.faults.answers_on_reset
    }

    fn refuse(cx: &mut Context<'_>, offset: u8, message: String) {
        cx.report(GuestError::Refused, NAME, u32::from(offset), message);
    }

    /// Whether the last reset came out of sleep-out and its time is not over.
    fn falls_asleep(&self, now: Nanos) -> bool {
        let wait = Nanos::from(self.config.limits.reset_to_sleep_out_ms);
        self.reset_awake && now.saturating_sub(self.reset_at) < granted(wait * NS_PER_MS)
    }

    fn notice(cx: &mut Context<'_>, milestone: Milestone) {
        cx.signals.glass.give(milestone);
    }

    /// Everything but supplies and pins as after a reset.
    fn reset(&mut self, now: Nanos) {
        self.reset_awake = self.awake_since.is_some() || self.falls_asleep(now);
        self.reset_at = now;
        self.steps = Steps::default();
        self.progress = Progress::default();
        self.registers = Registers::new(self.config.family);
        self.awake_since = None;
        self.display_on = false;
        self.tearing = false;
        self.max_return = DEFAULT_RETURN;
        self.pending = None;
        self.seen.clear();
        self.forget_transfer();
        self.window = Window::of(&self.config);
        self.shown_frame = false;
    }

    pub(super) fn watch(&mut self, cx: &mut Context<'_>) {
        self.watch_power(cx);
        self.watch_reset(cx);
        let lit = self.config.backlight.permille(cx.signals) > 0;
        if lit != self.lit {
            self.lit = lit;
            let milestone = if lit {
                Milestone::BacklightOn
            } else {
                Milestone::Change
            };
            Self::notice(cx, milestone);
        }
    }

    fn watch_power(&mut self, cx: &mut Context<'_>) {
        let mut rails = self.config.rails.iter();
        let powered = rails
            .all(|(name, &least)| rail(name).is_some_and(|rail| cx.signals.rail_mv(rail) >= least));
        if powered == self.powered {
            return;
        }
        self.powered = powered;
        self.awake_since = None;
        self.reset_awake = false;
        self.reset(cx.now);
        self.resets = 0;
        self.memory = None;
        self.held_since = self.held_since.map(|_| cx.now);
        Self::notice(cx, Milestone::Change);
    }

    fn watch_reset(&mut self, cx: &mut Context<'_>) {
        let held = self.config.reset.held(cx.signals) && !self.config.faults.no_reset;
        match self.held_since {
            None if held => {
                self.held_since = Some(cx.now);
                Self::notice(cx, Milestone::Change);
            }
            Some(since) if !held => {
                self.held_since = None;
                let low = cx.now - since;
                let least_us = self.config.limits.min_reset_low_us;
                if low < granted(Nanos::from(least_us) * NS_PER_US) {
                    let low_us = low / NS_PER_US;
                    let message = format!(
                        "a reset pulse of {low_us} us; the panel ignores those under {least_us} us"
                    );
                    Self::refuse(cx, 0, message);
                } else if self.powered {
                    self.reset(cx.now);
                    self.resets += 1;
                }
                Self::notice(cx, Milestone::Change);
            }
            _ => {}
        }
    }

    pub(super) fn packet(&mut self, packet: &Packet<'_>, cx: &mut Context<'_>) {
        if !self.listens() {
            return;
        }
        self.pending = None;
        // A short packet has room for two bytes; the type says how many count.
        let used = match packet.data_type {
            0x03 | 0x04 => 0,
            0x05 | 0x06 | 0x13 | 0x14 => 1,
            0x15 | 0x23 | 0x24 | 0x37 => 2,
            0x29 | 0x39 => packet.payload.len(),
            // EoT, null, blanking, colour mode, shut down, turn on.
            0x02 | 0x08 | 0x09 | 0x12 | 0x19 | 0x22 | 0x32 => return,
            other => {
                let message = format!("a packet of type {other:#04x}, which no panel takes");
                return Self::refuse(cx, other, message);
            }
        };
        let payload = packet.payload.get(..used).unwrap_or(packet.payload);
        let command = payload.first().copied().unwrap_or(0);
        let asks = matches!(packet.data_type, 0x04 | 0x06 | 0x14 | 0x24 | 0x37);
        let refused = self
            .too_early(command, cx.now)
            .or_else(|| self.wrong_speed(packet))
            .or_else(|| {
                let init = &self.config.init;
                self.steps.too_early(init, payload, asks, cx.now)
            });
        if let Some(why) = refused {
            let message = format!("packet {:#04x} with {command:02X}: {why}", packet.data_type);
            return Self::refuse(cx, command, message);
        }
        match packet.data_type {
            0x37 => {
                let high = payload.get(1).copied().unwrap_or(0);
                self.max_return = u16::from_le_bytes([command, high]);
            }
            0x04 | 0x06 | 0x14 | 0x24 => {
                self.pending = Some(Request {
                    register: command,
                    dcs: packet.data_type == 0x06,
                });
            }
            data_type => self.write(data_type, payload, cx),
        }
    }

    fn is_sleep_out(&self, command: u8) -> bool {
        command == SLEEP_OUT && self.config.family.standard_on(self.registers.address.page)
    }

    /// Another sleep-out does nothing to a panel that wakes up (MIPI DCS,
    /// 11h), and drivers send it at once.
    fn too_early(&self, command: u8, now: Nanos) -> Option<String> {
        let since_reset = now.saturating_sub(self.reset_at);
        let wait = self.config.limits.after_reset_ms;
        if since_reset < granted(Nanos::from(wait) * NS_PER_MS) {
            let passed = since_reset / NS_PER_US;
            return Some(format!(
                "{passed} us after a reset; the panel needs {wait} ms"
            ));
        }
        if self.is_sleep_out(command) {
            return None;
        }
        let since_sleep_out = now.saturating_sub(self.awake_since?);
        let wait = self.config.after_sleep_out_ms();
        (since_sleep_out < granted(Nanos::from(wait) * NS_PER_MS)).then(|| {
            let passed = since_sleep_out / NS_PER_US;
            format!("{passed} us after sleep-out; the panel needs {wait} ms")
        })
    }

    fn wrong_speed(&self, packet: &Packet<'_>) -> Option<String> {
        match (self.config.limits.commands, packet.high_speed) {
            (Speed::Lp, true) => Some("in high speed; the panel takes commands in LP".into()),
            (Speed::Hs, false) => Some("in LP; the panel takes commands in high speed".into()),
            _ => None,
        }
    }

    fn write(&mut self, data_type: u8, payload: &[u8], cx: &mut Context<'_>) {
        if payload.is_empty() {
            return;
        }
        if self.config.answers.iter().any(|answer| {
            let mut unlock = answer.unlock.iter();
            unlock.any(|key| payload.starts_with(key))
        }) {
            self.seen.push(payload.to_vec());
        }
        if self.is_sleep_out(payload[0])
            && let Some(why) = self.sleep_out_too_early(cx.now)
        {
            return Self::refuse(cx, SLEEP_OUT, why);
        }
        // A software reset is a step like any other.
        let steps = self.steps;
        let mut progress = self.progress.clone();
        let since_reset = cx.now.saturating_sub(self.reset_at);
        if let Some(command) = self.registers.write(payload) {
            self.act(command, &payload[1..], cx);
        }
        self.steps = steps.after(&self.config.init, payload, cx.now);
        let before = progress.steps();
        progress.take(&self.config.init, data_type, payload, since_reset);
        // Other tables may begin alike.
        let all = self.config.init.len();
        if before < all && progress.steps() == all {
            self.check_begin(progress.began, cx);
        }
        self.progress = progress;
    }

    /// The table began so long after the reset.
    fn check_begin(&self, passed: Nanos, cx: &mut Context<'_>) {
        let wait = self.config.limits.reset_to_init_ms;
        if passed < granted(Nanos::from(wait) * NS_PER_MS) {
            let passed = passed / NS_PER_MS;
            let message =
                format!("its table began {passed} ms after a reset; the panel needs {wait} ms");
            Self::refuse(cx, 0, message);
        }
    }

    fn sleep_out_too_early(&self, now: Nanos) -> Option<String> {
        self.falls_asleep(now).then(|| {
            let passed = now.saturating_sub(self.reset_at) / NS_PER_MS;
            let wait = self.config.limits.reset_to_sleep_out_ms;
            format!("sleep-out {passed} ms after a reset out of sleep-out; the panel needs {wait}")
        })
    }

    fn act(&mut self, command: u8, args: &[u8], cx: &mut Context<'_>) {
        let pair = |at: usize| {
            let byte = |at: usize| args.get(at).copied().map(usize::from);
            Some(byte(at)? << 8 | byte(at + 1)?)
        };
        match command {
            SOFTWARE_RESET => self.reset(cx.now),
            0x10 => self.awake_since = None,
            SLEEP_OUT if !self.config.faults.sleep_out_ignored => {
                self.awake_since = self.awake_since.or(Some(cx.now));
            }
            0x28 => {
                self.display_on = false;
                self.shown_frame = false;
            }
            0x29 => self.display_on = true,
            0x2A => {
                if let (Some(first), Some(last)) = (pair(0), pair(2)) {
                    self.window.columns = (first, last);
                }
                return;
            }
            0x2B => {
                if let (Some(first), Some(last)) = (pair(0), pair(2)) {
                    self.window.rows = (first, last);
                }
                return;
            }
            0x34 => self.tearing = false,
            0x35 => self.tearing = true,
            _ => return,
        }
        Self::notice(cx, Milestone::Change);
    }

    /// What was asked last, once.
    pub(super) fn take_request(&mut self) -> Option<Request> {
        self.pending.take()
    }

    pub(super) fn turn_around(&mut self) -> Option<Vec<u8>> {
        if !self.listens() || self.config.faults.bta_dead {
            return None;
        }
        match self.pending.take() {
            Some(request) => reads::answer(self, request),
            None => Some(Vec::new()),
        }
    }

    /// A tearing effect trigger on the bus, which the panel must take for it.
    pub(super) fn tearing_trigger_at(&self, now: Nanos) -> Option<Nanos> {
        let at = self.tearing_at(now);
        at.filter(|_| !self.config.faults.bta_dead)
    }

    /// A pulse of the tearing effect pin.
    pub(super) fn tearing_at(&self, now: Nanos) -> Option<Nanos> {
        let first = self
            .awake_since
            .filter(|_| self.tearing && self.listens())?;
        let frames = now.saturating_sub(first) / OWN_FRAME + 1;
        Some(first + frames * OWN_FRAME)
    }

    /// Display data in the time that the panel needs to wake up.
    pub(super) fn check_data(&self, cx: &mut Context<'_>) -> bool {
        let Some(awake) = self.awake_since.filter(|_| self.listens()) else {
            return true;
        };
        let passed = cx.now.saturating_sub(awake);
        let wait = self.config.sleep_out_ms();
        if passed >= granted(Nanos::from(wait) * NS_PER_MS) {
            return true;
        }
        let passed = passed / NS_PER_MS;
        let message =
            format!("display data {passed} ms after sleep-out; the panel needs {wait} ms");
        Self::refuse(cx, SLEEP_OUT, message);
        false
    }

    pub(super) fn video(&mut self, link: Option<&Link>, cx: &mut Context<'_>) {
        if link.is_some() && self.video.is_none() {
            self.check_data(cx);
        }
        self.video = link.copied();
        if link.is_none() {
            Self::notice(cx, Milestone::Change);
        }
    }

    pub(super) fn frame(&mut self, link: &Link, picture: Option<&Picture>, cx: &mut Context<'_>) {
        if link.mode == LinkMode::Command {
            if !self.listens() || !self.check_data(cx) {
                return;
            }
            if self.config.mode.has(&LinkMode::Command) {
                self.fill(picture);
                self.written_by = Some(Sender::Dsi(*link));
            }
        } else {
            self.video = Some(*link);
        }
        self.frame_came(cx);
    }

    /// A whole frame is in the panel, or on its way to the glass.
    pub(super) fn frame_came(&mut self, cx: &mut Context<'_>) {
        let first = self.display_on && self.awake_since.is_some() && !self.shown_frame;
        self.shown_frame |= first;
        let milestone = if first {
            Milestone::FirstFrame
        } else {
            Milestone::Frame
        };
        Self::notice(cx, milestone);
    }

    /// A memory write.
    pub(super) fn fill(&mut self, picture: Option<&Picture>) {
        let (width, height) = (self.config.width as usize, self.config.height as usize);
        let Some(picture) = picture else { return };
        let memory = self
            .memory
            .get_or_insert_with(|| super::glass::noise(width, height));
        self.window.fill((width, height), picture, memory);
    }
}
