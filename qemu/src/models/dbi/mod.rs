//! DBI, the LCD controller: the panel's reset pin (LRSTB), which serves DSI
//! panels too, and the parallel and serial buses with a panel on port 0.
//!
//! Source: facts/display.md 5.3 (reset pin), 8.1 and 9.3.

mod settings;
#[cfg(test)]
mod tests;

use super::registers::{check_width, read_only};
use super::scratch::Scratch;
use crate::bus::{Block, Context, GuestError, Nanos, Reset, Size};
use crate::display::{Picture, Sink, compose};
use crate::panel::{Glass, Panel};
use settings::{FrameSettings, Port, Settings};
use std::collections::HashSet;

const NAME: &str = "DBI";
const LEN: u32 = 0x1000;
/// SPI of the block.
const SPI: u8 = 106;

const STATUS: u32 = 0x00;
const INT_ENABLE: u32 = 0x04;
const INT_STATUS: u32 = 0x08;
const START: u32 = 0x0c;
const RESET: u32 = 0x10;

const RUN: u32 = 1 << 0;
const BUSY: u32 = 1 << 4;
const ABORT: u32 = 1 << 0;
const START_FRAME: u32 = 1 << 15;
const DONE: u32 = 1;

/// The block at 0x14012000.
pub struct Dbi {
    registers: Scratch,
    panel: Panel,
    latched: u32,
    /// A frame is on the bus until then.
    frame_until: Option<Nanos>,
    /// What the data lines were last driven to: they float there.
    driven: u32,
    /// Mistakes that were told of.
    told: HashSet<String>,
}

impl Dbi {
    /// Idle, with `panel` on its bus, held in reset.
    pub fn new(panel: Panel) -> Self {
        Dbi {
            registers: Scratch::new(NAME, LEN),
            panel,
            latched: 0,
            frame_until: None,
            driven: 0,
            told: HashSet::new(),
        }
    }

    /// Reports a mistake, each one once.
    fn tell(&mut self, kind: GuestError, offset: u32, message: String, cx: &mut Context<'_>) {
        if self.told.insert(message.clone()) {
            cx.report(kind, NAME, offset, message);
        }
    }

    fn interrupt(&mut self, cx: &mut Context<'_>) {
        let enabled = self.registers.read(INT_ENABLE, 4, cx);
        cx.irq.set(SPI, self.latched & enabled != 0);
    }

    fn settings(&mut self, cx: &mut Context<'_>) -> Settings {
        Settings::new(|offset| self.registers.read(offset, 4, cx))
    }

    /// An access to the bus by software, if it gets there.
    fn reaches(
        &mut self,
        port: Port,
        offset: u32,
        size: Size,
        cx: &mut Context<'_>,
    ) -> Option<Settings> {
        if !offset.is_multiple_of(4) {
            check_width(NAME, offset, size, &[1, 2, 4], cx);
            return None;
        }
        if self.frame_until.is_some() {
            let message = "an access to the bus while a frame is on it".into();
            self.tell(GuestError::Refused, offset, message, cx);
            return None;
        }
        let settings = self.settings(cx);
        let problem = settings
            .obstacle(port, cx.signals)
            .or_else(|| settings.split(port, size));
        match problem {
            None => Some(settings),
            Some(why) => {
                let message = format!("nothing reaches the panel: {why}");
                self.tell(GuestError::Refused, offset, message, cx);
                None
            }
        }
    }

    fn bus_write(&mut self, port: Port, access: Access, value: u32, cx: &mut Context<'_>) {
        let Some(settings) = self.reaches(port, access.offset, access.size, cx) else {
            return;
        };
        let value = value & settings.lines_mask(port);
        self.driven = value;
        let wires = settings.wires(port);
        self.panel.bus_write(value, access.parameter, &wires, cx);
    }

    fn bus_read(&mut self, port: Port, access: Access, cx: &mut Context<'_>) -> u32 {
        let Some(settings) = self.reaches(port, access.offset, access.size, cx) else {
            return 0;
        };
        if !access.parameter {
            let message = "a read with A0 low, which no panel answers".into();
            self.tell(GuestError::Refused, access.offset, message, cx);
            return 0;
        }
        let wires = settings.wires(port);
        let word = self.panel.bus_read(&wires, cx);
        // What nobody drives stays as it was on a parallel bus; a serial
        // line's pull makes ones of it.
        word.unwrap_or(if port == Port::Serial {
            0xFF
        } else {
            self.driven
        })
    }

    fn picture(&mut self, cx: &mut Context<'_>) -> Option<Picture> {
        let path = cx.signals.display;
        let made = compose(&path, Sink::Dbi, cx.memory);
        for problem in made.problems {
            let message = format!("display path: {problem}");
            self.tell(GuestError::Refused, START, message, cx);
        }
        made.picture
    }

    /// START.
    fn start_frame(&mut self, cx: &mut Context<'_>) {
        if self.frame_until.is_some() {
            let message = "START while a frame is on the bus".into();
            return self.tell(GuestError::Refused, START, message, cx);
        }
        let settings = self.settings(cx);
        match settings.frame(cx.signals) {
            Ok(frame) => {
                let time = frame.nanos();
                cx.signals.display.frame_ns = time.max(1);
                cx.signals.display.single_frame_at = Some(cx.now);
                self.frame_until = Some(cx.now + time);
            }
            Err(why) => {
                self.tell(GuestError::BadValue, START, format!("START: {why}"), cx);
                self.latched |= DONE;
            }
        }
    }

    /// The frame has been sent.
    fn frame_sent(&mut self, cx: &mut Context<'_>) {
        self.frame_until = None;
        self.latched |= DONE;
        let settings = self.settings(cx);
        let picture = self.picture(cx);
        let Ok(FrameSettings { frame, size, .. }) = settings.frame(cx.signals) else {
            return;
        };
        if let Some(picture) = &picture
            && (picture.width, picture.height) != size
        {
            let message = format!(
                "the path makes {}x{} pixels; WROI_SIZE says {}x{}",
                picture.width, picture.height, size.0, size.1
            );
            self.tell(GuestError::BadValue, START, message, cx);
        }
        self.panel.bus_frame(&frame, picture.as_ref(), cx);
    }

    fn catch_up(&mut self, cx: &mut Context<'_>) {
        if let Some(at) = self.frame_until.filter(|&at| at <= cx.now) {
            let now = std::mem::replace(&mut cx.now, at);
            self.frame_sent(cx);
            cx.now = now;
        }
        self.interrupt(cx);
    }
}

/// One access to a port.
#[derive(Clone, Copy)]
struct Access {
    offset: u32,
    size: Size,
    /// A0 is high.
    parameter: bool,
}

impl Access {
    /// What an offset beyond the registers means.
    fn at(offset: u32, size: Size) -> Option<(Port, Access)> {
        let (port, base) = match offset {
            0xf00..=0xf1f => (Port::Parallel, 0xf00),
            0xf80..=0xf9f => (Port::Serial, 0xf80),
            0xf20..=0xf53 | 0xfa0..=0xfb3 => (Port::Unwired, offset & !0x1f),
            _ => return None,
        };
        let access = Access {
            offset,
            size,
            parameter: offset - base >= 0x10,
        };
        Some((port, access))
    }
}

impl Block for Dbi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.catch_up(cx);
        if let Some((port, access)) = Access::at(offset, size) {
            return self.bus_read(port, access, cx);
        }
        if !check_width(NAME, offset, size, &[4], cx) {
            return 0;
        }
        match offset {
            STATUS if self.frame_until.is_some() => RUN | BUSY,
            STATUS => 0,
            INT_STATUS => self.latched,
            _ => self.registers.read(offset, size, cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.catch_up(cx);
        if let Some((port, access)) = Access::at(offset, size) {
            return self.bus_write(port, access, value, cx);
        }
        if !check_width(NAME, offset, size, &[4], cx) {
            return;
        }
        let old = self.registers.read(START, 4, cx);
        match offset {
            STATUS => return read_only(NAME, offset, "STATUS", cx),
            // Bits are cleared by writing 0.
            INT_STATUS => self.latched &= value,
            _ => self.registers.write(offset, size, value, cx),
        }
        if offset == RESET {
            cx.signals.lrstb = value & 1 != 0;
        }
        if offset == START {
            let rises = value & !old;
            if rises & ABORT != 0 {
                self.frame_until = None;
            }
            if rises & START_FRAME != 0 {
                self.start_frame(cx);
            }
        }
        self.panel.watch(cx);
        self.interrupt(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        self.latched = 0;
        self.frame_until = None;
        self.told.clear();
        cx.signals.lrstb = false;
        self.panel.watch(cx);
        self.interrupt(cx);
    }

    fn deadline(&self) -> Option<Nanos> {
        self.frame_until
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.catch_up(cx);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    fn glass(&self, cx: &mut Context<'_>) -> Option<Glass> {
        Some(self.panel.glass(None, cx.now, cx.signals))
    }

    /// The panel's reset, supplies or light may have changed.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        self.panel.watch(cx);
    }
}
