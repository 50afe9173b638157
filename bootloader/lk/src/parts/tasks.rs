//! The three questions. Each runs as a task and ends with a verdict, come
//! what may.

use alloc::boxed::Box;
use core::pin::Pin;

use mt6572_hal::i2c::I2c;
use mt6572_hal::time::{Deadline, Micros};
use unilk_board_db::{CameraWiring, PanelBus, PinMode};
use unilk_core::identify::camera::{self, CameraVerdict};
use unilk_core::identify::link;
use unilk_core::identify::panel::{self, Presence};
use unilk_core::identify::report::{Kind, Record, Recorder};
use unilk_core::identify::store::How;
use unilk_core::identify::touch::{self, TouchVerdict};
use unilk_core::identify::verdict::Certainty;
use unilk_core::identify::wiring::Drive;
use unilk_core::identify::{PanelPort, RowSet};

use super::light;
use super::ports::{BootClock, CameraPins, PanelPins, TouchPins};
use super::shown::Page;
use super::{Parts, with};
use crate::meanwhile::pause;

/// What the card has to say of this phone is waited for so long.
const PATIENCE: Micros = Micros::from_ms(150);
/// The low pulse with which a panel is asked.
const LOW: Micros = Micros::from_ms(10);
/// How often a task looks whether another is done.
const LOOK: Micros = Micros(300);
/// The other questions are waited for so long before a panel is chosen
/// without them.
const OTHERS: Micros = Micros::from_ms(1_500);

/// Pads of the DSI lanes: data 0, 1, clock; lane 2 is GPIO on many boards and
/// set only for panels that use it.
const LANE_PADS: core::ops::RangeInclusive<u8> = 79..=84;

/// Waits until the card has been asked what the phone remembers.
async fn memory(parts: &Parts) {
    let limit = Deadline::after(PATIENCE);
    while parts.stored.borrow().is_none() && !limit.expired() {
        pause(LOOK).await;
    }
}

/// Does `work` once the card has been asked what the phone remembers, or at
/// once where a hint knows better.
pub async fn with_memory(parts: &'static Parts, work: Pin<Box<dyn Future<Output = ()>>>) {
    if parts.hints.board.is_none() {
        memory(parts).await;
    }
    work.await;
}

/// The panel: asked as soon as it can be, and lit as soon as it is certain.
pub async fn panel(parts: &'static Parts) {
    // After a warm reset it may still be on.
    light::backlight(parts, 0);
    with(parts, |hardware| {
        for pin in LANE_PADS {
            hardware.claim(PinMode { pin, mode: 1 });
        }
    });
    // The first profile's panel is reset while everything else gets ready.
    let (trials, _) = parts.trials();
    let early = trials.iter().find(|trial| trial.panel != Drive::Never);
    let mut early = early
        .and_then(|trial| Some((*trial, super::wiring(trial)?)))
        .map(|(trial, wiring)| {
            let mut port = PanelPins::new(parts, wiring.panel, trial.panel);
            port.power();
            port.reset(false);
            (trial, port)
        });
    // What is known before the card has been asked mostly is all that will be.
    if parts.links().first() == Some(&PanelBus::Dsi) {
        light::start_link(parts).await;
    }
    if let Some((_, port)) = &mut early {
        // Its time after the reset passes while the card is asked.
        pause(Micros(LOW.0.saturating_sub(port.held_low_us()))).await;
        port.reset(true);
    }
    if parts.hints.board.is_none() || parts.hints.panel.is_none() {
        memory(parts).await;
    }
    let (prefer, likely) = parts.expected();
    let board = parts.board();
    let links = parts.links();
    let (trials, _) = parts.trials();
    let mut found = panel::Findings::default();
    let mut port = None;
    for trial in trials.iter().filter(|trial| trial.panel != Drive::Never) {
        let Some(wiring) = super::wiring(trial) else {
            continue;
        };
        let mut pins = match early.take() {
            Some((before, port))
                if (before.wiring, before.panel) == (trial.wiring, trial.panel) =>
            {
                port
            }
            before => {
                if let Some((_, mut port)) = before {
                    port.power_off();
                }
                PanelPins::new(parts, wiring.panel, trial.panel)
            }
        };
        pins.known = board.map(|_| wiring.id);
        pins.power();
        record_wiring(parts, wiring.id);
        for &link in &links {
            if link == PanelBus::Dsi {
                light::start_link(parts).await;
            }
            if !pins.connect(link) {
                continue;
            }
            let answers =
                panel::identify(&parts.table, &BootClock, &mut pins, parts, &prefer, &likely).await;
            // Zeros or ones on one connection say more than silence on another.
            let worth = answers.presence() != Presence::Silent;
            if worth || found.presence() == Presence::Silent {
                found = answers;
            }
            if found.presence() == Presence::Yes {
                break;
            }
        }
        let there = found.presence() == Presence::Yes;
        if parts.panel_trial.get().is_none() || there {
            parts.panel_trial.set(Some(*trial));
            port = Some(pins);
        } else {
            pins.power_off();
            // What it was told has also reached a panel on the same pin.
            port.as_mut().map(PanelPins::forget);
        }
        if there {
            break;
        }
    }
    if let Some((_, mut port)) = early {
        port.power_off();
    }
    *parts.panel.borrow_mut() = Some(parts.decide(found.clone()));
    if let Some(port) = port {
        light_decided(parts, port, found).await;
    }
}

/// Lights the panel that was decided on, and leaves its pins to what follows.
async fn light_decided(parts: &'static Parts, mut port: PanelPins, found: panel::Findings) {
    let mut row = parts.settled_row(false);
    if row.is_none() {
        // Touch chip and cameras may decide.
        let limit = Deadline::after(OTHERS);
        let open = || parts.touch.borrow().is_none() || parts.cameras.borrow().is_none();
        while open() && !limit.expired() {
            pause(LOOK).await;
        }
        *parts.panel.borrow_mut() = Some(parts.decide(found));
        row = parts.settled_row(true);
    }
    if let Some(row) = row {
        light::light(parts, &mut port, row, Page::Boot).await;
    }
    *parts.port.borrow_mut() = Some(port);
}

fn record_wiring(parts: &Parts, id: &str) {
    parts.record(&Record {
        sent: id.as_bytes(),
        ..Record::new(Kind::Wiring, Parts::now_us())
    });
}

/// The touch chip.
pub async fn touch(parts: &'static Parts) {
    let (trials, known) = parts.trials();
    let prefer = parts.preferred_touch();
    let absent = parts.absent() >> 1;
    let mut verdict = TouchVerdict::default();
    let mut buses: [Option<I2c>; 2] = [None, None];
    for trial in trials.iter().filter(|trial| trial.touch != Drive::Never) {
        let Some(wiring) = super::wiring(trial).and_then(|wiring| wiring.touch) else {
            continue;
        };
        let Some(bus) = open_bus(parts, &mut buses, &wiring.bus, known) else {
            continue;
        };
        let mut pins = TouchPins::new(parts, wiring, trial.touch, bus);
        verdict = touch::identify(
            &parts.table,
            &BootClock,
            &mut pins,
            parts,
            &prefer,
            absent & 1 != 0,
        )
        .await;
        if !verdict.chips.is_empty() || known {
            parts.touch_wiring.set(Some(wiring));
            break;
        }
        with(parts, |hardware| {
            hardware.disconnect(&wiring.bus);
            let pins = [wiring.reset, wiring.enable, Some(wiring.interrupt.pin)];
            for pin in pins.into_iter().flatten() {
                hardware.restore(pin);
            }
        });
    }
    *parts.touch.borrow_mut() = Some(verdict);
}

fn open_bus<'b>(
    parts: &Parts,
    buses: &'b mut [Option<I2c>; 2],
    wiring: &unilk_board_db::BusWiring,
    known: bool,
) -> Option<&'b mut I2c> {
    let place = buses.get_mut(usize::from(wiring.controller))?;
    with(parts, |hardware| {
        if place.is_none() {
            *place = hardware.bus(wiring);
        }
        hardware.connect(wiring, known).then_some(())
    })?;
    place.as_mut()
}

/// The cameras.
pub async fn cameras(parts: &'static Parts) {
    let (trials, known) = parts.trials();
    let prefer = parts.preferred_cameras();
    let absent = parts.absent() >> 2;
    let mut verdicts: [CameraVerdict; 2] = Default::default();
    let mut buses: [Option<I2c>; 2] = [None, None];
    for trial in &trials {
        let Some(wiring) = super::wiring(trial) else {
            continue;
        };
        // A socket is asked once, in the first profile that has it right.
        let sockets: [Option<CameraWiring>; 2] = core::array::from_fn(|socket| {
            let free = verdicts[socket].winner.is_none();
            wiring.cameras[socket].filter(|_| free && trial.cameras[socket] != Drive::Never)
        });
        if sockets == [None, None] {
            continue;
        }
        let Some(bus) = open_bus(parts, &mut buses, &wiring.camera_bus, known) else {
            continue;
        };
        let mut pins = CameraPins::new(parts, wiring.camera_bus, sockets, trial.cameras, bus);
        let [main, sub] = &prefer;
        let answers = camera::identify(
            &parts.table,
            &BootClock,
            &mut pins,
            parts,
            &sockets,
            &camera::Known {
                prefer: [main, sub],
                absent: [absent & 1 != 0, absent & 2 != 0],
                found: verdicts.each_ref().map(Some),
            },
        )
        .await;
        let mut places = parts.camera_wiring.get();
        for (socket, answer) in answers.into_iter().enumerate() {
            if sockets[socket].is_some() {
                if answer.winner.is_some() {
                    let controller = wiring.camera_bus.controller;
                    places[socket] = sockets[socket].map(|pins| (controller, pins));
                }
                verdicts[socket] = answer;
            }
        }
        parts.camera_wiring.set(places);
        with(parts, |hardware| {
            for pins in sockets.iter().flatten() {
                hardware.restore(pins.reset);
                hardware.restore(pins.power_down);
            }
        });
        if verdicts.iter().all(|verdict| verdict.winner.is_some()) {
            break;
        }
    }
    *parts.cameras.borrow_mut() = Some(verdicts);
}

impl Parts {
    /// The rows that something stronger than an ID speaks for, and those of the
    /// board.
    fn expected(&self) -> (RowSet, RowSet) {
        let prefer = self.evidence(RowSet::EMPTY).preferred();
        let likely = self.board().map_or(RowSet::EMPTY, |board| {
            board.panels.iter().copied().collect()
        });
        (prefer, likely)
    }

    /// Where to ask for a panel.
    pub(super) fn links(&self) -> heapless::Vec<PanelBus, 2> {
        let (prefer, likely) = self.expected();
        let known = if prefer.is_empty() { likely } else { prefer };
        let bus = |row| Some(self.table.panels.get(usize::from(row))?.bus);
        link::links_to_ask(known.iter().filter_map(bus), &*self.hardware.borrow())
    }

    /// What was not there on the last boot, as the memory's bits.
    fn absent(&self) -> u8 {
        let stored = self.stored.borrow();
        stored
            .as_ref()
            .and_then(|stored| stored.absent())
            .unwrap_or(0)
    }

    /// Touch chips that memory or board speak for.
    fn preferred_touch(&self) -> heapless::Vec<u16, 8> {
        let mut rows = heapless::Vec::new();
        let stored = self.stored.borrow();
        let stored = stored.as_ref().and_then(|stored| stored.touch());
        let board = self.board().map_or(&[][..], |board| board.touch);
        for id in stored.into_iter().chain(board.iter().copied()) {
            if let Some(row) = self.table.touch_chip(id).filter(|row| !rows.contains(row)) {
                let _ = rows.push(row);
            }
        }
        rows
    }

    /// Cameras that memory or board speak for: main, sub.
    fn preferred_cameras(&self) -> [heapless::Vec<u16, 8>; 2] {
        core::array::from_fn(|socket| {
            let mut rows = heapless::Vec::new();
            let stored = self.stored.borrow();
            let stored = stored.as_ref().and_then(|stored| stored.camera(socket));
            let board = self.board().map_or(&[][..], |board| board.cameras[socket]);
            for id in stored.into_iter().chain(board.iter().copied()) {
                if let Some(row) = self.table.camera(id).filter(|row| !rows.contains(row)) {
                    let _ = rows.push(row);
                }
            }
            rows
        })
    }

    /// The panel to light without asking anybody: certain, or, when `all` have
    /// answered, likely; or what was more than a guess on the last boot and
    /// fits as well as any on this one.
    fn settled_row(&self, all: bool) -> Option<u16> {
        let verdict = self.panel.borrow();
        let verdict = verdict.as_ref()?;
        let enough = if all {
            Certainty::Likely
        } else {
            Certainty::Certain
        };
        if verdict.certainty >= enough && !verdict.ask {
            return verdict.winner;
        }
        let stored = self.stored.borrow();
        let (row, how) = stored.as_ref()?.panel(&self.table)?;
        (how != How::Guess && verdict.alike.contains(row)).then_some(row)
    }
}
