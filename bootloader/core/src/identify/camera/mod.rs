//! Asks which cameras are fitted: the main and the sub socket, one after the
//! other, because they share bus, clock and supplies and only reset and
//! power-down tell them apart.
//!
//! Core voltages are tried from the lowest up. At an address the sensors with
//! one-byte register numbers are asked first: a two-byte number would be a
//! write to them. Afterwards everything is powered down. Source:
//! facts/i2c-touch-camera.md 4.1 to 4.4.

mod sensor;
#[cfg(test)]
mod tests;

use super::line::Line;
use super::report::{Kind, Record, Recorder, Unit};
use super::{BusPort, BusState, Clock, Table};
use heapless::Vec;
use sensor::Memory;
use unilk_board_db::{CameraRow, CameraWiring};

/// After the supplies (facts 4.2, the recipe that works for all).
const RAILS_MS: u16 = 10;
/// From power-down off to the release of reset.
const AWAKE_MS: u16 = 5;
/// From the release of reset to the first question.
const READY_MS: u16 = 20;
/// Low pulse between sensors' questions.
const PULSE_MS: u16 = 2;
/// Core voltages in the order in which they are tried (facts 4.1 point 6).
const CORE_MV: [u16; 3] = [1200, 1500, 1800];
/// No sensor is asked later than this after a socket's start.
pub const LIMIT_US: u32 = 450_000;
/// Sensors with the same answer that a verdict lists.
pub const MAX_FITS: usize = 6;

/// A camera socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Socket {
    /// At the back.
    Main = 0,
    /// At the front.
    Sub = 1,
}

impl Socket {
    /// Both, in the order in which they are asked.
    pub const ALL: [Self; 2] = [Self::Main, Self::Sub];

    const fn other(self) -> Self {
        match self {
            Self::Main => Self::Sub,
            Self::Sub => Self::Main,
        }
    }

    const fn unit(self) -> Unit {
        match self {
            Self::Main => Unit::MainCamera,
            Self::Sub => Unit::SubCamera,
        }
    }
}

/// The cameras' pins, supplies and clock.
pub trait CameraPort: BusPort {
    /// I/O, analogue and core supply on, the core at `core_mv`; changes only
    /// the core where they are on.
    fn power(&mut self, socket: Socket, core_mv: u16);
    /// Supplies off; those that were on at entry stay.
    fn off(&mut self, socket: Socket);
    /// Reset; true = held in reset (pin low).
    fn reset(&mut self, socket: Socket, assert: bool);
    /// Level of the power-down pin.
    fn power_down(&mut self, socket: Socket, high: bool);
    /// Master clock of 24 MHz.
    fn clock(&mut self, on: bool);
}

error_enum! {
    /// What is odd about a camera.
    pub enum CameraNote {
        /// Nobody answers.
        Silent => "CAM-NONE", "no camera answers in this socket: check its connector; boot goes on without";
        /// The profile has no such socket.
        NoSocket => "CAM-WIRE", "wiring profile has no such camera";
        /// Only zeros or ones.
        Suspicious { /** Its address. */ address: u8 }
            => "CAM-CONST", "something at {address:#04x} answers only zeros or ones: check the camera's connector";
        /// The bus is held.
        Stuck => "CAM-BUS", "camera bus is held low: unplug the camera";
        /// Somebody acknowledges and is not in the table.
        Unknown { /** Its address. */ address: u8 }
            => "CAM-NEW", "a camera at {address:#04x} is not in the table: send the report";
    }
}

/// The verdict on one socket.
#[derive(Debug, Clone, Default)]
pub struct CameraVerdict {
    /// Row of the table.
    pub winner: Option<u16>,
    /// All rows that the answer fits, the winner among them.
    pub fits: Vec<u16, MAX_FITS>,
    /// 7-bit address.
    pub address: u8,
    /// Only one byte agreed.
    pub weak: bool,
    /// Core supply at which it answered, in mV.
    pub core_mv: u16,
    /// Level of the power-down pin at which it answered.
    pub pdn_high: bool,
    /// State of the bus.
    pub bus: BusState,
    /// What is odd.
    pub note: Option<CameraNote>,
    /// Microseconds from supplies on to off.
    pub took_us: u32,
}

/// How a socket is powered for a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Setup {
    core_mv: u16,
    pdn_high: bool,
}

/// What is known of a socket between two rounds.
#[derive(Default)]
struct Progress {
    odd: Option<u8>,
    stranger: Option<u8>,
    verdict: CameraVerdict,
}

struct Asker<'a, C, P> {
    table: &'a Table,
    line: Line<'a, C, P>,
    socket: Socket,
    /// When this round began.
    begun: u32,
    setup: Option<Setup>,
    memory: Memory,
    progress: Progress,
}

/// The sockets share their core supply, so both are asked at one voltage
/// before it is raised, and it is never raised beyond what a sensor takes
/// that was found.
#[derive(Clone, Copy)]
enum Round {
    /// The rows that something speaks for, each at its own voltage.
    Preferred,
    /// All rows at this one.
    Core(u16),
}

/// Asks both sockets. `prefer` are rows, best first, that hint, store or
/// board speak for: main, sub. `expect_absent`: nobody was in that socket on
/// the last boot, so only the lowest core voltage is tried.
///
/// Never fails: see [`CameraVerdict::note`].
pub async fn identify<C: Clock, P: CameraPort>(
    table: &Table,
    clock: &C,
    port: &mut P,
    log: &dyn Recorder,
    wiring: &[Option<CameraWiring>; 2],
    prefer: [&[u16]; 2],
    expect_absent: [bool; 2],
) -> [CameraVerdict; 2] {
    let mut sockets = [Progress::default(), Progress::default()];
    for (progress, wiring) in sockets.iter_mut().zip(wiring) {
        if wiring.is_none() {
            progress.verdict.note = Some(CameraNote::NoSocket);
        }
    }
    let rounds = [Round::Preferred]
        .into_iter()
        .chain(CORE_MV.map(Round::Core));
    for round in rounds {
        for socket in Socket::ALL {
            let index = socket as usize;
            let Some(pins) = &wiring[index] else {
                continue;
            };
            let done = sockets[index].verdict.winner.is_some()
                || sockets[index].verdict.bus == BusState::Stuck
                || sockets[index].verdict.took_us > LIMIT_US;
            let wanted = match round {
                Round::Preferred => !prefer[index].is_empty(),
                Round::Core(mv) => mv == CORE_MV[0] || !expect_absent[index],
            };
            let ceiling = ceiling(table, &sockets);
            if done || !wanted || matches!(round, Round::Core(mv) if mv > ceiling) {
                continue;
            }
            if let Some(Some(other)) = wiring.get(socket.other() as usize) {
                port.reset(socket.other(), true);
                // Where the level is not known, reset has to do.
                let runs = other.runs_with_pdn_high.unwrap_or(true);
                port.power_down(socket.other(), !runs);
            }
            let mut asker = Asker {
                table,
                line: Line::new(clock, port, log, socket.unit()),
                socket,
                begun: clock.now_us(),
                setup: None,
                memory: Memory::default(),
                progress: core::mem::take(&mut sockets[index]),
            };
            asker.search(pins, prefer[index], round, ceiling).await;
            sockets[index] = asker.finish(pins).await;
        }
    }
    port.clock(false);
    sockets.map(|progress| progress.verdict)
}

/// The highest core voltage that everybody takes who was found.
fn ceiling(table: &Table, sockets: &[Progress; 2]) -> u16 {
    let found = sockets.iter().filter_map(|progress| {
        let row = table.cameras.get(usize::from(progress.verdict.winner?))?;
        Some(row.core_mv)
    });
    found.min().unwrap_or(u16::MAX)
}

impl<C: Clock, P: CameraPort> Asker<'_, C, P> {
    async fn wait_ms(&self, ms: u16) {
        self.line.clock.wait_us(u32::from(ms) * 1000).await;
    }

    fn over(&self) -> bool {
        let took = self.line.clock.now_us().wrapping_sub(self.begun);
        let took = took.saturating_add(self.progress.verdict.took_us);
        self.progress.verdict.winner.is_some()
            || self.line.state == BusState::Stuck
            || took > LIMIT_US
    }

    async fn search(&mut self, pins: &CameraWiring, prefer: &[u16], round: Round, ceiling: u16) {
        match round {
            Round::Preferred => self.ask_preferred(pins, prefer, ceiling).await,
            Round::Core(core_mv) => {
                let levels = match pins.runs_with_pdn_high {
                    Some(level) => [Some(level), None],
                    None => [Some(true), Some(false)],
                };
                for pdn_high in levels.into_iter().flatten() {
                    self.apply(Setup { core_mv, pdn_high }).await;
                    self.ask_all().await;
                    self.line.tell_absent();
                    if self.over() {
                        break;
                    }
                }
            }
        }
        if self.progress.verdict.winner.is_some() {
            self.choose(prefer);
        }
    }

    async fn ask_preferred(&mut self, pins: &CameraWiring, prefer: &[u16], ceiling: u16) {
        let table = self.table;
        for &number in prefer {
            let Some(row) = table.cameras.get(usize::from(number)) else {
                continue;
            };
            let level = pins.runs_with_pdn_high.or(row.runs_with_pdn_high);
            self.apply(Setup {
                core_mv: row.core_mv.min(ceiling),
                pdn_high: level.unwrap_or(true),
            })
            .await;
            for &address in row.addresses {
                self.try_row(number, row, address);
                if self.over() {
                    return;
                }
            }
            if !row.prelude.is_empty() {
                self.pulse().await;
            }
        }
    }

    /// Powers the socket as `setup` says; nothing if it is.
    async fn apply(&mut self, setup: Setup) {
        let before = self.setup.replace(setup);
        if before == Some(setup) {
            return;
        }
        let socket = self.socket;
        let port = &mut *self.line.port;
        port.reset(socket, true);
        port.power_down(socket, !setup.pdn_high);
        if before.is_none_or(|before| before.core_mv != setup.core_mv) {
            port.power(socket, setup.core_mv);
            self.line.power(true, setup.core_mv);
            self.wait_ms(RAILS_MS).await;
        }
        let port = &mut *self.line.port;
        port.clock(true);
        port.power_down(socket, setup.pdn_high);
        self.wait_ms(AWAKE_MS).await;
        self.release().await;
    }

    async fn release(&mut self) {
        self.line.port.reset(self.socket, false);
        self.wait_ms(READY_MS).await;
        self.line.forget();
        self.memory.clear();
    }

    /// Undoes what was written while looking for somebody else.
    async fn pulse(&mut self) {
        self.line.port.reset(self.socket, true);
        self.wait_ms(PULSE_MS).await;
        self.release().await;
    }

    async fn ask_all(&mut self) {
        for address in 0..0x80 {
            let known = |row: &CameraRow| row.addresses.contains(&address);
            if self.table.cameras.iter().any(known) {
                self.ask_address(address).await;
                if self.over() {
                    return;
                }
            }
        }
    }

    /// Asks all sensors of an address: one-byte register numbers before two,
    /// and those that need nothing written before those that do.
    async fn ask_address(&mut self, address: u8) {
        let table = self.table;
        let mut written = false;
        for class in 0..4 {
            for (number, row) in table.cameras.iter().enumerate() {
                let two = row.address_bytes == 2;
                let writes = !row.prelude.is_empty();
                let here = row.addresses.contains(&address);
                if !here || usize::from(two) * 2 + usize::from(writes) != class {
                    continue;
                }
                if written && (two || writes) {
                    self.pulse().await;
                    written = false;
                }
                if !self.try_row(number as u16, row, address) {
                    return;
                }
                written |= writes;
                if self.over() && self.progress.verdict.winner.is_none() {
                    return;
                }
            }
            if self.progress.verdict.winner.is_some() {
                return;
            }
        }
    }

    /// Tries a row at an address; false if nobody is there at all.
    fn try_row(&mut self, number: u16, row: &'static CameraRow, address: u8) -> bool {
        match self.read_id(row, address) {
            sensor::Answer::Absent => return false,
            sensor::Answer::Constant => self.progress.odd = Some(address),
            sensor::Answer::Other => self.progress.stranger = Some(address),
            sensor::Answer::Match => {
                let verdict = &mut self.progress.verdict;
                if verdict.winner.is_none() {
                    verdict.winner = Some(number);
                    verdict.address = address;
                    verdict.weak = row.weak;
                    if let Some(setup) = self.setup {
                        verdict.core_mv = setup.core_mv;
                        verdict.pdn_high = setup.pdn_high;
                    }
                }
                // More that answer alike change nothing.
                let _ = verdict.fits.push(number);
            }
        }
        true
    }

    /// Of those that fit: known for this phone, recognised by more than one
    /// byte, common.
    fn choose(&mut self, prefer: &[u16]) {
        let rank = |number: u16| {
            let place = prefer.iter().position(|&row| row == number);
            let row = self.table.cameras.get(usize::from(number));
            (
                place.map_or(0, |place| prefer.len() - place),
                row.is_some_and(|row| !row.weak),
                row.map_or(0, |row| row.shipped),
            )
        };
        let fits = self.progress.verdict.fits.iter().rev().copied();
        self.progress.verdict.winner = fits.max_by_key(|&number| rank(number));
    }

    /// Powers the socket down and says how it went so far.
    async fn finish(mut self, pins: &CameraWiring) -> Progress {
        self.line.tell_absent();
        let socket = self.socket;
        let runs = pins.runs_with_pdn_high;
        let runs = runs.or(self.setup.map(|setup| setup.pdn_high));
        self.line.port.reset(socket, true);
        self.line.port.power_down(socket, !runs.unwrap_or(true));
        self.line.port.off(socket);
        self.line.power(false, 0);
        if self.line.state == BusState::Stuck {
            // Whoever holds the bus lets go without power: the other socket
            // is still to be asked.
            self.wait_ms(RAILS_MS).await;
            self.line.port.recover();
        }
        let mut progress = self.progress;
        let verdict = &mut progress.verdict;
        let found = verdict.winner.is_some();
        verdict.note = match (found, self.line.state, progress.odd, progress.stranger) {
            (true, ..) => None,
            (_, BusState::Stuck, ..) => Some(CameraNote::Stuck),
            (_, _, Some(address), _) => Some(CameraNote::Suspicious { address }),
            (_, _, _, Some(address)) => Some(CameraNote::Unknown { address }),
            _ => Some(CameraNote::Silent),
        };
        if self.line.state != BusState::Ok {
            verdict.bus = self.line.state;
        }
        let took = self.line.clock.now_us().wrapping_sub(self.begun);
        verdict.took_us = verdict.took_us.saturating_add(took);
        progress
    }
}

impl CameraVerdict {
    /// Writes the verdict on `socket` to the report.
    pub fn record(&self, socket: Socket, table: &Table, log: &dyn Recorder, at_us: u32) {
        let id = |row: u16| {
            let row = table.cameras.get(usize::from(row));
            row.map_or(&[][..], |row| row.id.as_bytes())
        };
        if let Some(note) = &self.note {
            log.record(&Record {
                unit: socket.unit(),
                sent: crate::Code::code(note).as_bytes(),
                ..Record::new(Kind::Note, at_us)
            });
        }
        for &row in self.fits.iter().filter(|&&row| Some(row) != self.winner) {
            log.record(&Record {
                unit: socket.unit(),
                sent: id(row),
                ..Record::new(Kind::Candidate, at_us)
            });
        }
        log.record(&Record {
            unit: socket.unit(),
            status: match (self.winner, self.weak || self.fits.len() > 1) {
                (None, _) => 0,
                (_, true) => 2,
                (_, false) => 3,
            },
            a: self.fits.len().saturating_sub(1) as u16,
            b: u16::from(self.address),
            sent: self.winner.map_or(&[][..], id),
            ..Record::new(Kind::Verdict, at_us)
        });
    }
}
