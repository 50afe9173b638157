//! The display module behind the DSI lanes, or on a bus of the LCD controller: its controller (a DCS state
//! machine) and its glass.
//!
//! It answers reads as its board file says, refuses what a real one refuses,
//! compares what it was sent with what its glass needs, and says what a person
//! in front of it would see. Source: facts/display.md 3.4, 3.5, 5, 6, 9.2, 9.3.

pub mod bus;
pub mod config;
mod controller;
mod exact;
mod family;
mod glass;
mod init;
mod link;
mod reads;
mod registers;
#[cfg(test)]
mod tests;
mod window;
pub mod wiring;

pub use bus::{BusConfig, BusFrame, Wires};
pub use config::Config;
pub use family::Family;
pub use glass::{Glass, Judgement, judge_table};
pub use link::{Link, LinkMode, Packet, WireFormat};

use crate::bus::{Context, Nanos};
use crate::display::Picture;
use crate::signals::Signals;
use controller::Controller;

/// Something that a person in front of the phone would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// The first whole frame since the display was switched on.
    FirstFrame,
    /// The backlight came on.
    BacklightOn,
    /// Another frame was sent.
    Frame,
    /// Something else: reset, sleep, display on or off, backlight off.
    Change,
}

impl Milestone {
    /// Its name in lists and file names.
    pub fn name(self) -> &'static str {
        match self {
            Milestone::FirstFrame => "first-frame",
            Milestone::BacklightOn => "backlight-on",
            Milestone::Frame => "frame",
            Milestone::Change => "change",
        }
    }
}

/// The panel's word to the machine that what one sees may have changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// Counts up with each.
    pub count: u32,
    /// The last one.
    pub milestone: Option<Milestone>,
}

impl Notice {
    fn give(&mut self, milestone: Milestone) {
        self.count = self.count.wrapping_add(1);
        self.milestone = Some(milestone);
    }
}

/// The panel on the lanes, or none.
pub struct Panel {
    controller: Option<Controller>,
}

impl Panel {
    /// A panel as the board file says; `None`: nothing is connected.
    pub fn new(config: Option<Config>) -> Panel {
        Panel {
            controller: config.map(Controller::new),
        }
    }

    /// Whether anything is connected.
    pub fn present(&self) -> bool {
        let controller = self.controller.as_ref();
        controller.is_some_and(|controller| !controller.config.faults.unplugged)
    }

    fn fitted(&mut self) -> Option<&mut Controller> {
        let controller = self.controller.as_mut();
        controller.filter(|controller| !controller.config.faults.unplugged)
    }

    /// The reset pin, the supplies or the backlight may have changed.
    pub fn watch(&mut self, cx: &mut Context<'_>) {
        if let Some(controller) = self.fitted() {
            controller.watch(cx);
        }
    }

    /// A packet from the host. Commands that come too early are ignored and
    /// reported.
    pub fn packet(&mut self, packet: &Packet<'_>, cx: &mut Context<'_>) {
        if let Some(controller) = self.fitted() {
            controller.packet(packet, cx);
        }
    }

    /// The host gives the bus away: the answer as it comes back (type, two
    /// bytes, ECC, then the payload of a long packet), empty for an
    /// acknowledge trigger, `None` for silence.
    pub fn turn_around(&mut self, _cx: &mut Context<'_>) -> Option<Vec<u8>> {
        self.fitted()?.turn_around()
    }

    /// The next tearing effect trigger after `now`, if the panel sends it when
    /// it is given the bus.
    pub fn tearing_trigger_at(&self, now: Nanos) -> Option<Nanos> {
        self.controller.as_ref()?.tearing_trigger_at(now)
    }

    /// The next tearing effect pulse after `now`, if the panel sends it.
    pub fn tearing_at(&self, now: Nanos) -> Option<Nanos> {
        self.controller.as_ref()?.tearing_at(now)
    }

    /// The video stream started with these settings, or stopped.
    pub fn video(&mut self, link: Option<&Link>, cx: &mut Context<'_>) {
        if let Some(controller) = self.fitted() {
            controller.video(link, cx);
        }
    }

    /// A whole frame was sent: a memory write in command mode, or the first
    /// frame of video after a change.
    pub fn frame(&mut self, link: &Link, picture: Option<&Picture>, cx: &mut Context<'_>) {
        if let Some(controller) = self.fitted() {
            controller.frame(link, picture, cx);
        }
    }

    /// Whether the panel is on a bus of the LCD controller.
    pub fn on_bus(&self) -> bool {
        let controller = self.controller.as_ref();
        controller.is_some_and(|controller| controller.config.bus.is_some())
    }

    /// A command, or one of its parameters, on that bus.
    pub fn bus_write(&mut self, value: u32, parameter: bool, wires: &Wires, cx: &mut Context<'_>) {
        if let Some(controller) = self.fitted() {
            controller.bus_write(value, parameter, wires, cx);
        }
    }

    /// The word that the panel puts on that bus next; `None`: it leaves the
    /// lines alone.
    pub fn bus_read(&mut self, wires: &Wires, cx: &mut Context<'_>) -> Option<u32> {
        self.fitted()?.bus_read(wires, cx)
    }

    /// A frame of pixels on that bus.
    pub fn bus_frame(&mut self, frame: &BusFrame, picture: Option<&Picture>, cx: &mut Context<'_>) {
        if let Some(controller) = self.fitted() {
            controller.bus_frame(frame, picture, cx);
        }
    }

    /// What a person sees at `now`, if the host sends `picture`.
    pub fn glass(&self, picture: Option<&Picture>, now: Nanos, signals: &Signals) -> Glass {
        match &self.controller {
            Some(controller) => glass::look(controller, picture, now, signals),
            None => Glass::absent("the phone has no panel"),
        }
    }
}
