//! DSI host with the panel behind it: command queue, reads, tearing effect,
//! video stream, VM commands and status bits.
//!
//! What is sent takes the time that the PLL's rate, the lanes and the
//! programmed timing give it, and reaches the panel only while clocks, lane
//! drivers and pads let it. Without a panel software gets through its waits
//! as on a phone whose panel is not plugged in: writes are sent and end, a
//! turned-round bus stays busy until the host is reset, video runs.
//! Source: facts/display.md 3, 5.2, 9.2 and 9.3.

mod engine;
mod phy;
mod queue;
mod settings;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod video;

use std::collections::{HashSet, VecDeque};

use serde::Deserialize;

use super::scratch::Scratch;
use crate::bus::{Block, Context, GuestError, Nanos, Reset, Size};
use crate::display::{Sink, compose};
use crate::panel::{Glass, Panel};
use engine::Engine;
use phy::Ulps;
use queue::Step;
use video::Video;

const NAME: &str = "DSI";
const LEN: u32 = 0x1000;
/// SPI of the host.
const SPI: u8 = 104;

const START: u32 = 0x00;
const STA: u32 = 0x04;
const INTEN: u32 = 0x08;
const INTSTA: u32 = 0x0C;
const COM_CTRL: u32 = 0x10;
const MODE_CTRL: u32 = 0x14;
const TXRX_CTRL: u32 = 0x18;
const PSCTRL: u32 = 0x1C;
const VSA_NL: u32 = 0x20;
const HSA_WC: u32 = 0x50;
const CMDQ_SIZE: u32 = 0x60;
const RX_DATA0: u32 = 0x74;
const RX_DATA3: u32 = 0x80;
const RACK: u32 = 0x84;
const TRIG_STA: u32 = 0x88;
const PHY_LCCON: u32 = 0x104;
const PHY_LD0CON: u32 = 0x108;
const PHY_TIMECON0: u32 = 0x110;
const VM_CMD_CON: u32 = 0x130;
const VM_CMD_DATA: u32 = 0x134;
const STATE_DBG0: u32 = 0x148;
const STATE_DBG9: u32 = 0x16C;
const CMDQ: u32 = 0x180;
const CMDQ_WORDS: u32 = 32;

const DSI_START: u32 = 1;
const SLEEPOUT_START: u32 = 1 << 2;
const VM_CMD_START: u32 = 1 << 16;

const RD_RDY: u32 = 1 << 0;
const CMD_DONE: u32 = 1 << 1;
const TE_RDY: u32 = 1 << 2;
const VM_DONE: u32 = 1 << 3;
const EXT_TE: u32 = 1 << 4;
const VM_CMD_DONE: u32 = 1 << 5;
const SLEEPOUT_DONE: u32 = 1 << 6;
const BUSY: u32 = 1 << 31;

/// RACK register: acknowledges; or no acknowledge is needed.
const ACKNOWLEDGE: u32 = 1;
const RACK_BYPASS: u32 = 1 << 1;

/// Bits of TRIG_STA.
const TRIGGER_TE: u32 = 1 << 1;
const TRIGGER_ACK: u32 = 1 << 2;
const BUS_WITH_PANEL: u32 = 1 << 5;

/// The pads and modes that carry the panel's tearing effect output.
const LPTE_PADS: [(usize, u8); 3] = [(55, 2), (44, 3), (111, 2)];

/// `[faults.dsi]` of a board file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The host never sees an answer, as with a broken LP receiver.
    pub bta_dead: bool,
    /// What comes back is noise.
    pub rx_garbage: bool,
}

/// The block at 0x1400C000.
pub struct Dsi {
    registers: Scratch,
    panel: Panel,
    faults: Faults,
    /// INTSTA without BUSY.
    latched: u32,
    engine: Engine,
    /// What the engine has yet to do; the first is under way.
    steps: VecDeque<Step>,
    /// RX_DATA0 to 3.
    received: [u8; 16],
    /// TRIG_STA.
    triggers: u32,
    ulps: Ulps,
    video: Video,
    /// Pulses on the TE pin are looked at up to here.
    pulses_seen: Nanos,
    /// The next pulse that interrupts.
    pulse_due: Option<Nanos>,
    /// Mistakes that were told of.
    told: HashSet<String>,
}

impl Dsi {
    /// Idle, all registers zero, with `panel` on the lanes.
    pub fn new(panel: Panel) -> Self {
        Dsi {
            registers: Scratch::new(NAME, LEN),
            panel,
            faults: Faults::default(),
            latched: 0,
            engine: Engine::Idle,
            steps: VecDeque::new(),
            received: [0; 16],
            triggers: 0,
            ulps: Ulps::default(),
            video: Video::default(),
            pulses_seen: 0,
            pulse_due: None,
            told: HashSet::new(),
        }
    }

    /// The same host with what is broken on this board.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// The panel on the lanes.
    pub fn panel(&self) -> &Panel {
        &self.panel
    }

    fn get(&mut self, offset: u32, cx: &mut Context<'_>) -> u32 {
        self.registers.read(offset, 4, cx)
    }

    /// Reports a mistake, each one once.
    fn tell(&mut self, kind: GuestError, offset: u32, message: String, cx: &mut Context<'_>) {
        if self.told.insert(message.clone()) {
            cx.report(kind, NAME, offset, message);
        }
    }

    /// Does all that is due, each thing at its own time.
    fn catch_up(&mut self, cx: &mut Context<'_>) {
        let now = cx.now;
        while let Some(at) = self.due().filter(|&at| at <= now) {
            cx.now = at;
            if self.engine.due() == Some(at) {
                self.advance(cx);
            } else {
                self.advance_video(cx);
            }
        }
        cx.now = now;
        self.watch_pulses(cx);
        self.drive_irq(cx);
    }

    fn due(&self) -> Option<Nanos> {
        self.engine.due().into_iter().chain(self.video.due()).min()
    }

    fn drive_irq(&mut self, cx: &mut Context<'_>) {
        let enabled = self.get(INTEN, cx);
        cx.irq.set(SPI, self.latched & enabled != 0);
    }

    /// Latches the pulses of the panel's TE output since the last look.
    fn watch_pulses(&mut self, cx: &mut Context<'_>) {
        let wired = LPTE_PADS
            .iter()
            .any(|&(pin, mode)| cx.signals.pin_mode[pin] == mode);
        let listens = wired && self.settings(cx).external_te;
        let seen = std::mem::replace(&mut self.pulses_seen, cx.now);
        let pulse = |after| self.panel.tearing_at(after).filter(|_| listens);
        if pulse(seen).is_some_and(|at| at <= cx.now) {
            self.latched |= EXT_TE;
        }
        let next = pulse(cx.now);
        let wanted = self.get(INTEN, cx) & EXT_TE & !self.latched != 0;
        self.pulse_due = next.filter(|_| wanted);
    }

    fn status(&self) -> u32 {
        let busy = self.engine != Engine::Idle || self.video.started();
        self.latched | if busy { BUSY } else { 0 }
    }

    /// Rising edges of START.
    fn start(&mut self, edges: u32, cx: &mut Context<'_>) {
        let settings = self.settings(cx);
        if edges != 0 && settings.in_reset {
            let message = "START while COM_CTRL.RESET holds the host".into();
            self.tell(GuestError::Refused, START, message, cx);
            return;
        }
        if edges & SLEEPOUT_START != 0 {
            self.ulps = Ulps::default();
            self.latched |= SLEEPOUT_DONE;
        }
        if edges & VM_CMD_START != 0 {
            self.start_vm_command(cx);
        }
        if edges & DSI_START == 0 {
            return;
        }
        if settings.mode == 0 {
            self.start_queue(cx);
        } else {
            self.start_video(cx);
        }
    }

    /// Everything under way ends; registers and queue stay.
    fn abort(&mut self, cx: &mut Context<'_>) {
        self.engine = Engine::Idle;
        self.steps.clear();
        self.triggers &= !BUS_WITH_PANEL;
        self.stop_video(cx);
    }

    /// A register was written; the parts that follow it.
    fn wrote(&mut self, word: u32, old: u32, new: u32, cx: &mut Context<'_>) {
        match word {
            START => self.start(new & !old, cx),
            COM_CTRL if new & 1 != 0 => self.abort(cx),
            MODE_CTRL if new & 3 == 0 && self.stop_video(cx) => self.latched |= VM_DONE,
            RACK if new & ACKNOWLEDGE != 0 => self.acknowledge(cx),
            _ => {}
        }
        self.refresh_video(cx);
    }
}

impl Block for Dsi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.catch_up(cx);
        let word = match offset & !3 {
            INTSTA => self.status(),
            at @ RX_DATA0..=RX_DATA3 => {
                let at = (at - RX_DATA0) as usize;
                self.received[at..at + 4]
                    .iter()
                    .rev()
                    .fold(0, |word, &byte| word << 8 | u32::from(byte))
            }
            TRIG_STA => self.triggers,
            at @ STATE_DBG0..=STATE_DBG9 => self.debug_state((at - STATE_DBG0) / 4, cx),
            _ => return self.registers.read(offset, size, cx),
        };
        if !offset.is_multiple_of(u32::from(size)) {
            return self.registers.read(offset, size, cx);
        }
        let value = word >> (8 * (offset & 3));
        if size == 4 {
            value
        } else {
            value & ((1 << (8 * size)) - 1)
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.catch_up(cx);
        let word = offset & !3;
        match word {
            // Bits are cleared by writing 0; a 1 leaves them as they are.
            INTSTA => {
                let lanes = if size == 4 { !0 } else { (1 << (8 * size)) - 1 };
                let shift = 8 * (offset & 3);
                self.latched &= value << shift | !(lanes << shift);
            }
            // Software that restores a saved set of registers writes these too.
            STA | RX_DATA0..=RX_DATA3 | TRIG_STA | STATE_DBG0..=STATE_DBG9 => {}
            _ => {
                let before = self.settings(cx);
                let old = self.get(word, cx);
                self.registers.write(offset, size, value, cx);
                let new = self.get(word, cx);
                let after = self.settings(cx);
                self.ulps.follow(&before, &after);
                self.wrote(word, old, new, cx);
            }
        }
        self.catch_up(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.abort(cx);
        self.registers.reset(kind, cx);
        self.latched = 0;
        self.received = [0; 16];
        self.triggers = 0;
        self.ulps = Ulps::default();
        self.told.clear();
        self.panel.watch(cx);
        self.catch_up(cx);
    }

    fn deadline(&self) -> Option<Nanos> {
        self.due().into_iter().chain(self.pulse_due).min()
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.catch_up(cx);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    fn glass(&self, cx: &mut Context<'_>) -> Option<Glass> {
        let sent = self.video.reaches_the_panel();
        let picture = sent.then(|| compose(&cx.signals.display, Sink::Dsi, cx.memory).picture);
        let picture = picture.flatten();
        Some(self.panel.glass(picture.as_ref(), cx.now, cx.signals))
    }

    /// Clocks, lanes, pads, the panel's reset and supplies, or the picture may
    /// have changed.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        self.catch_up(cx);
        self.ulps.follow_supply(cx.signals);
        self.panel.watch(cx);
        self.refresh_video(cx);
        self.catch_up(cx);
    }
}
