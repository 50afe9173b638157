//! The video stream: when it runs, what the panel is told of it, commands in
//! its blanking, and the debug registers that show where it is.
//!
//! Source: facts/display.md 3.1 (VM_CMD_CON, STATE_DBG), 3.2, 3.3, 3.4, 3.6.

use super::engine::Engine;
use super::phy::{self, Clock};
use super::queue;
use super::settings::Settings;
use super::{Dsi, PHY_TIMECON0, START, TXRX_CTRL, VM_CMD_CON, VM_CMD_DATA, VM_CMD_DONE};
use crate::bus::{Context, GuestError, Nanos};
use crate::display::Path;
use crate::panel::Link;

/// VM_CMD_CON.
const VM_CMD_EN: u32 = 1;
const LONG_PKT: u32 = 1 << 1;
const TS_VSA_EN: u32 = 1 << 3;
const TS_VBP_EN: u32 = 1 << 4;
/// Payload bytes of a VM command.
const VM_PAYLOAD: usize = 16;

/// The stream.
#[derive(Debug, Default)]
pub(super) struct Video {
    /// START was given in a video mode.
    started: bool,
    /// What the panel was told last.
    link: Option<Link>,
    /// End of the frame that the panel shall see.
    frame_due: Option<Nanos>,
    /// What that frame was made of.
    shown: Option<Path>,
    vm_command_due: Option<Nanos>,
}

impl Video {
    pub fn started(&self) -> bool {
        self.started
    }

    /// Whether the panel has been told of a stream.
    pub fn reaches_the_panel(&self) -> bool {
        self.link.is_some()
    }

    pub fn due(&self) -> Option<Nanos> {
        self.frame_due.into_iter().chain(self.vm_command_due).min()
    }
}

/// Where in a frame the stream is.
struct Position {
    /// Line from the first line of the sync on.
    line: u32,
    /// Index into `Settings::lines`: VSA, VBP, VFP, VACT.
    part: usize,
}

impl Dsi {
    /// START in a video mode.
    pub(super) fn start_video(&mut self, cx: &mut Context<'_>) {
        if self.video.started {
            return;
        }
        if self.engine != Engine::Idle {
            let message = "video is started while the command engine is busy".into();
            self.tell(GuestError::Refused, START, message, cx);
        }
        self.video.started = true;
        let settings = self.settings(cx);
        if let Err(why) = phy::rate_kbps(&settings, cx.signals) {
            let message = format!("video is started, but {why}: no frame is sent");
            self.tell(GuestError::Refused, START, message, cx);
            return;
        }
        let missing = phy::missing_timing(&settings, true, false);
        if !missing.is_empty() {
            let message = format!("sending with {} = 0", missing.join(", "));
            self.tell(GuestError::BadValue, PHY_TIMECON0, message, cx);
        }
        if self.reaches(&settings, true, cx) {
            let off = u32::from(settings.lane_mask & !cx.signals.mipi_lanes.data);
            if off != 0 {
                let message = format!("TXRX_CTRL uses lanes whose drivers are off (mask {off:#x})");
                self.tell(GuestError::Refused, TXRX_CTRL, message, cx);
            }
        }
    }

    /// Whether there was a stream.
    pub(super) fn stop_video(&mut self, cx: &mut Context<'_>) -> bool {
        let started = std::mem::take(&mut self.video.started);
        self.video.vm_command_due = None;
        self.halt(cx);
        started
    }

    /// No more frames, though START may still hold.
    fn halt(&mut self, cx: &mut Context<'_>) {
        cx.signals.video_since = None;
        self.video.frame_due = None;
        self.video.shown = None;
        if self.video.link.take().is_some() {
            self.panel.video(None, cx);
        }
    }

    /// Brings the stream in line with registers and wires.
    pub(super) fn refresh_video(&mut self, cx: &mut Context<'_>) {
        if !self.video.started {
            return;
        }
        let settings = self.settings(cx);
        let Ok(kbps) = phy::rate_kbps(&settings, cx.signals) else {
            self.halt(cx);
            return;
        };
        cx.signals.display.frame_ns = Clock::new(&settings, kbps).video_frame();
        cx.signals.video_since.get_or_insert(cx.now);
        let clear = phy::obstacle(&settings, cx.signals, self.ulps, true).is_none();
        let link = clear.then(|| settings.link(kbps, cx.signals.mipi_lanes.data));
        if link != self.video.link {
            self.video.link = link;
            self.video.shown = None;
            self.panel.video(link.as_ref(), cx);
        }
        let path = cx.signals.display;
        let same = |shown: &Path| shown.shows_as(&path) && shown.commits == path.commits;
        if link.is_some()
            && self.video.frame_due.is_none()
            && !self.video.shown.is_some_and(|shown| same(&shown))
        {
            let before = cx.now.saturating_sub(1);
            let frame = path.frame_ns;
            let start = cx.signals.frame_after(before, frame);
            self.video.frame_due = start.map(|start| start + frame);
        }
    }

    /// A frame that the panel shall see has ended, or a command's time has
    /// come.
    pub(super) fn advance_video(&mut self, cx: &mut Context<'_>) {
        if self.video.vm_command_due.is_some_and(|at| at <= cx.now) {
            self.video.vm_command_due = None;
            self.send_vm_command(cx);
            self.latched |= VM_CMD_DONE;
        }
        if self.video.frame_due.is_none_or(|at| at > cx.now) {
            return;
        }
        self.video.frame_due = None;
        let settings = self.settings(cx);
        let first = self.video.shown.is_none();
        self.video.shown = Some(cx.signals.display);
        let picture = self.picture(&settings, first, cx);
        if let Some(link) = self.video.link {
            self.panel.frame(&link, picture.as_ref(), cx);
        }
    }

    /// START of a VM command: it goes out in the blanking that VM_CMD_CON
    /// allows, the front porch if it names none.
    pub(super) fn start_vm_command(&mut self, cx: &mut Context<'_>) {
        let settings = self.settings(cx);
        let con = self.get(VM_CMD_CON, cx);
        let Some(since) = cx.signals.video_since.filter(|_| con & VM_CMD_EN != 0) else {
            let message = "VM_CMD_START without VM_CMD_EN or without a video stream".into();
            self.tell(GuestError::Refused, START, message, cx);
            return;
        };
        if self.video.vm_command_due.is_some() {
            let message = "VM_CMD_START while a VM command waits".into();
            self.tell(GuestError::Refused, START, message, cx);
            return;
        }
        let [vsa, vbp, _, vact] = settings.lines;
        let first_line = if con & TS_VSA_EN != 0 {
            0
        } else if con & TS_VBP_EN != 0 {
            vsa
        } else {
            vsa + vbp + vact
        };
        let frame = cx.signals.display.frame_ns;
        let offset = frame * u64::from(first_line) / u64::from(settings.frame_lines().max(1));
        let elapsed = (cx.now - since).saturating_sub(offset);
        self.video.vm_command_due = Some(since + offset + elapsed.div_ceil(frame) * frame);
    }

    fn send_vm_command(&mut self, cx: &mut Context<'_>) {
        let con = self.get(VM_CMD_CON, cx);
        let [_, data_id, low, high] = con.to_le_bytes();
        let payload = if con & LONG_PKT != 0 {
            let words = [0, 4, 8, 12].map(|at| self.get(VM_CMD_DATA + at, cx));
            let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let len = usize::from(u16::from_le_bytes([low, high]));
            if len > VM_PAYLOAD || !queue::is_long(data_id) {
                let message = format!("VM command {data_id:#04x} of {len} bytes; {VM_PAYLOAD} fit");
                cx.report(GuestError::BadValue, super::NAME, VM_CMD_CON, message);
                return;
            }
            bytes.truncate(len);
            bytes
        } else if let Some(len) = queue::short_payload(data_id) {
            [low, high][..len].to_vec()
        } else {
            let message = format!("VM command: {data_id:#04x} is no short packet");
            cx.report(GuestError::BadValue, super::NAME, VM_CMD_CON, message);
            return;
        };
        self.deliver(data_id, &payload, true, cx);
    }

    fn position(settings: &Settings, cx: &Context<'_>) -> Option<Position> {
        let frame = cx.signals.display.frame_ns.max(1);
        let into = cx.now.checked_sub(cx.signals.video_since?)? % frame;
        let line = (into * u64::from(settings.frame_lines()) / frame) as u32;
        let [vsa, vbp, _, vact] = settings.lines;
        let part = if line < vsa {
            0
        } else if line < vsa + vbp {
            1
        } else if line < vsa + vbp + vact {
            3
        } else {
            2
        };
        Some(Position { line, part })
    }

    /// STATE_DBG0 to 9, as far as their bits are known.
    pub(super) fn debug_state(&mut self, index: u32, cx: &mut Context<'_>) -> u32 {
        let settings = self.settings(cx);
        let position = Self::position(&settings, cx);
        match (index, position) {
            (0, _) => {
                let fast = u32::from(settings.clock_hs);
                (1 - fast) | fast << 18
            }
            // The queue's state: how much it has yet to do.
            (6, _) => (self.steps.len() as u32 & 0x3F) << 16,
            (7, Some(at)) => 1 << [15, 14, 12, 13][at.part] | 1,
            (9, Some(at)) => at.line,
            _ => 0,
        }
    }
}
