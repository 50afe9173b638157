//! Asks which cameras are fitted: the main and the sub socket, one after the
//! other, because they share bus, clock and supplies and only reset and
//! power-down tell them apart.
//!
//! Core voltages are tried from the lowest up, and at each both levels of
//! power-down, the board's first: boards carry sensors that differ from what
//! the board's other sensors want. At an address the sensors with
//! one-byte register numbers are asked first: a two-byte number would be a
//! write to them. Modules have EEPROMs on the same bus, to which the number of
//! a register and a STOP is a write: who acknowledges at their addresses while
//! the sensors are held in reset is never written to. Afterwards everything is
//! powered down. Source: facts/i2c-touch-camera.md 4.1 to 4.4.

mod sensor;
#[cfg(test)]
mod tests;
mod verdict;

use super::line::{Addresses, Line};
use super::report::{Recorder, Unit};
use super::{BusPort, BusState, Clock, Table};
use crate::order::sort_by_key;
use core::ops::RangeInclusive;
use sensor::Memory;
use unilk_board_db::{CameraRow, CameraWiring};
pub use verdict::{CameraNote, CameraVerdict, MAX_FITS};

/// After the supplies (facts 4.2, the recipe that works for all).
const RAILS_MS: u16 = 10;
/// From power-down off to the release of reset.
const AWAKE_MS: u16 = 5;
/// From the release of reset to the first question.
const READY_MS: u16 = 20;
/// Low pulse between sensors' questions.
const PULSE_MS: u16 = 2;
/// Addresses of EEPROMs.
const EEPROMS: RangeInclusive<u8> = 0x50..=0x57;
/// Core voltages in the order in which they are tried (facts 4.1 point 6).
pub const CORE_MV: [u16; 3] = [1200, 1500, 1800];
/// What sensors of the lowest core voltage stand for as long as somebody else
/// is asked: facts/cameras.json has some of them at 1.3 and 1.5 V. Those of
/// 1.5 V share the supply with sensors of 1.8 V on many boards.
const LOW_CEILING_MV: u16 = 1500;
/// No sensor is asked later than this after a socket's start.
pub const LIMIT_US: u32 = 450_000;

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

/// How a socket is powered for a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Setup {
    core_mv: u16,
    pdn_high: bool,
}

impl Setup {
    fn bit(self) -> u8 {
        let place = CORE_MV.iter().position(|&mv| mv == self.core_mv);
        1 << (2 * place.unwrap_or(0) + usize::from(self.pdn_high))
    }
}

/// What is known of a socket between two rounds.
#[derive(Default)]
struct Progress {
    /// Setups in which everybody was asked: bits of [`Setup::bit`].
    tried: u8,
    odd: Option<u8>,
    stranger: Option<u8>,
    verdict: CameraVerdict,
}

struct Asker<'a, C, P> {
    table: &'a Table,
    port: &'a mut P,
    line: Line<'a, C>,
    socket: Socket,
    /// When this round began.
    begun: u32,
    setup: Option<Setup>,
    memory: Memory,
    /// EEPROMs that answer.
    eeproms: Addresses,
    progress: Progress,
}

/// The sockets share their core supply, so both are asked at one voltage
/// before it is raised, and it is never raised beyond what a sensor stands
/// that was found.
#[derive(Clone, Copy)]
enum Round {
    /// The rows of this voltage that something speaks for.
    Preferred(u16),
    /// All rows at this one.
    Core(u16),
}

/// What is known of the sockets before they are asked: main, sub.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Rows, best first, that hint, store or board speak for.
    pub prefer: [&'a [u16]; 2],
    /// Nobody was in that socket on the last boot, so only the lowest core
    /// voltage is tried.
    pub absent: [bool; 2],
    /// Rows that were found by another wiring profile: they share the supply.
    pub found: [Option<u16>; 2],
}

/// Asks both sockets.
///
/// Never fails: see [`CameraVerdict::note`].
pub async fn identify<C: Clock, P: CameraPort>(
    table: &Table,
    clock: &C,
    port: &mut P,
    log: &dyn Recorder,
    wiring: &[Option<CameraWiring>; 2],
    known: &Known<'_>,
) -> [CameraVerdict; 2] {
    let mut sockets = [Progress::default(), Progress::default()];
    for (progress, wiring) in sockets.iter_mut().zip(wiring) {
        if wiring.is_none() {
            progress.verdict.note = Some(CameraNote::NoSocket);
        }
    }
    let rounds = CORE_MV.map(Round::Preferred).into_iter();
    for round in rounds.chain(CORE_MV.map(Round::Core)) {
        for socket in Socket::ALL {
            let index = socket as usize;
            let Some(pins) = &wiring[index] else {
                continue;
            };
            let prefer = known.prefer[index];
            let done = sockets[index].verdict.winner.is_some()
                || sockets[index].verdict.took_us > LIMIT_US;
            let ceiling = ceiling(table, &sockets, known.found);
            let wanted = match round {
                Round::Preferred(mv) => rows(table, prefer).any(|(_, row)| row.core_mv == mv),
                Round::Core(mv) => mv <= ceiling && (mv == CORE_MV[0] || !known.absent[index]),
            };
            if done || !wanted {
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
                port,
                line: Line::new(clock, log, socket.unit()),
                socket,
                begun: clock.now_us(),
                setup: None,
                memory: Memory::default(),
                eeproms: Addresses::default(),
                progress: core::mem::take(&mut sockets[index]),
            };
            asker.search(pins, prefer, round, ceiling).await;
            sockets[index] = asker.finish(pins).await;
        }
    }
    port.clock(false);
    sockets.map(|progress| progress.verdict)
}

/// The rows with these numbers.
fn rows<'a>(
    table: &Table,
    numbers: &'a [u16],
) -> impl Iterator<Item = (u16, &'static CameraRow)> + 'a {
    let cameras = table.cameras;
    let row = move |&number: &u16| Some((number, cameras.get(usize::from(number))?));
    numbers.iter().filter_map(row)
}

/// The highest core voltage that everybody stands who was found.
fn ceiling(table: &Table, sockets: &[Progress; 2], found: [Option<u16>; 2]) -> u16 {
    let here = sockets.iter().map(|progress| progress.verdict.winner);
    let mut found = here.chain(found).flatten();
    let low = |number: u16| {
        let row = table.cameras.get(usize::from(number));
        row.is_some_and(|row| row.core_mv <= CORE_MV[0])
    };
    if found.any(low) {
        LOW_CEILING_MV
    } else {
        u16::MAX
    }
}

/// The levels of power-down to try: the board's first. Where that is not known,
/// as most sensors in this socket run: of those that the boards of the table
/// list as sub cameras, 34 of 38 run with it low.
fn levels(pins: CameraWiring, socket: Socket) -> [bool; 2] {
    let usual = socket == Socket::Main;
    let first = pins.runs_with_pdn_high.unwrap_or(usual);
    [first, !first]
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
        for pdn_high in levels(*pins, self.socket) {
            let setup = |core_mv| Setup { core_mv, pdn_high };
            match round {
                Round::Preferred(core_mv) => {
                    let setup = setup(core_mv.min(ceiling));
                    if !self.ask_preferred(pins, prefer, core_mv, setup).await {
                        continue;
                    }
                    if !self.over() {
                        self.ask_all(setup).await;
                    }
                }
                Round::Core(core_mv) => {
                    let setup = setup(core_mv);
                    if self.progress.tried & setup.bit() != 0 {
                        continue;
                    }
                    self.apply(setup).await;
                    self.ask_all(setup).await;
                }
            }
            self.line.tell_absent();
            if self.over() {
                break;
            }
        }
        if self.progress.verdict.winner.is_some() {
            self.choose(prefer);
        }
    }

    /// Asks those of the preferred rows with this core voltage that may run at
    /// the level of `setup`: as the board says, or as they do elsewhere.
    /// Whether there was one.
    async fn ask_preferred(
        &mut self,
        pins: &CameraWiring,
        prefer: &[u16],
        core_mv: u16,
        setup: Setup,
    ) -> bool {
        let mut any = false;
        let runs = |row: &CameraRow| {
            let level = Some(setup.pdn_high);
            pins.runs_with_pdn_high == level
                || row.runs_with_pdn_high == level
                || row.runs_with_pdn_high.is_none()
        };
        for (number, row) in rows(self.table, prefer) {
            if row.core_mv != core_mv || !runs(row) {
                continue;
            }
            any = true;
            self.apply(setup).await;
            let mut there = false;
            for &address in row.addresses {
                there |= self.try_row(number, row, address).await;
                if self.over() {
                    return any;
                }
            }
            if there && !row.prelude.is_empty() {
                self.pulse().await;
            }
        }
        any
    }

    /// Powers the socket as `setup` says; nothing if it is.
    async fn apply(&mut self, setup: Setup) {
        let before = self.setup.replace(setup);
        if before == Some(setup) {
            return;
        }
        let socket = self.socket;
        let port = &mut *self.port;
        port.reset(socket, true);
        port.power_down(socket, !setup.pdn_high);
        if before.is_none_or(|before| before.core_mv != setup.core_mv) {
            port.power(socket, setup.core_mv);
            self.line.power(true, setup.core_mv);
            self.wait_ms(RAILS_MS).await;
            self.look_for_eeproms().await;
        }
        let port = &mut *self.port;
        port.clock(true);
        port.power_down(socket, setup.pdn_high);
        self.wait_ms(AWAKE_MS).await;
        self.release().await;
    }

    /// Who of the table's addresses acknowledges now, while no sensor can, at
    /// one that EEPROMs have.
    async fn look_for_eeproms(&mut self) {
        for address in EEPROMS {
            let known = |row: &CameraRow| row.addresses.contains(&address);
            if self.table.cameras.iter().any(known) {
                let look = self
                    .line
                    .transfer(self.port, address, &[], &mut [0], true)
                    .await;
                if look.is_ok() {
                    self.eeproms.insert(address);
                }
            }
        }
    }

    async fn release(&mut self) {
        self.port.reset(self.socket, false);
        self.wait_ms(READY_MS).await;
        self.line.forget();
        self.memory.clear();
    }

    /// Undoes what was written while looking for somebody else.
    async fn pulse(&mut self) {
        self.port.reset(self.socket, true);
        self.wait_ms(PULSE_MS).await;
        self.release().await;
    }

    async fn ask_all(&mut self, setup: Setup) {
        self.progress.tried |= setup.bit();
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
        for class in 0..4 {
            for (number, row) in table.cameras.iter().enumerate() {
                let two = row.address_bytes == 2;
                let writes = !row.prelude.is_empty();
                let here = row.addresses.contains(&address);
                if !here || usize::from(two) * 2 + usize::from(writes) != class {
                    continue;
                }
                if self.memory.disturbs(row, address) {
                    self.pulse().await;
                }
                if !self.try_row(number as u16, row, address).await {
                    return;
                }
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
    async fn try_row(&mut self, number: u16, row: &'static CameraRow, address: u8) -> bool {
        if self.eeproms.contains(address) {
            return false;
        }
        match self.read_id(row, address).await {
            sensor::Answer::Absent => return false,
            sensor::Answer::Constant => self.progress.odd = Some(address),
            sensor::Answer::Other => self.progress.stranger = Some(address),
            sensor::Answer::Match => {
                let verdict = &mut self.progress.verdict;
                if verdict.winner.is_none() {
                    verdict.winner = Some(number);
                    verdict.address = address;
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

    /// Puts those that fit in order, the best first: known for this phone,
    /// recognised by more than one byte, well sourced, common.
    fn choose(&mut self, prefer: &[u16]) {
        let rank = |number: u16| {
            let place = prefer.iter().position(|&row| row == number);
            let row = self.table.cameras.get(usize::from(number));
            let row = row.map(|row| (!row.weak, row.confidence, row.shipped));
            // Of equals the first in the table.
            let known = place.map_or(0, |place| prefer.len() - place);
            core::cmp::Reverse((known, row, core::cmp::Reverse(number)))
        };
        let verdict = &mut self.progress.verdict;
        sort_by_key(&mut verdict.fits, |&number| rank(number));
        verdict.winner = verdict.fits.first().copied();
        let winner = verdict
            .winner
            .and_then(|row| self.table.cameras.get(usize::from(row)));
        verdict.weak = winner.is_some_and(|row| row.weak);
    }

    /// Powers the socket down and says how it went so far.
    async fn finish(mut self, pins: &CameraWiring) -> Progress {
        self.line.tell_absent();
        let socket = self.socket;
        let runs = pins.runs_with_pdn_high;
        let runs = runs.or(self.setup.map(|setup| setup.pdn_high));
        self.port.reset(socket, true);
        self.port.power_down(socket, !runs.unwrap_or(true));
        self.port.off(socket);
        self.line.power(false, 0);
        if self.line.state == BusState::Stuck {
            // Whoever holds the bus lets go without power: the other socket
            // is still to be asked.
            self.wait_ms(RAILS_MS).await;
            self.port.recover();
        }
        let mut progress = self.progress;
        let verdict = &mut progress.verdict;
        let found = verdict.winner.is_some();
        // A wire that one round found held may be free at another voltage:
        // somebody clamps it as long as his core has not enough.
        if found || self.line.state != BusState::Ok {
            verdict.bus = self.line.state;
        }
        verdict.note = match (found, verdict.bus, progress.odd, progress.stranger) {
            (true, ..) => None,
            (_, BusState::Stuck, ..) => Some(CameraNote::Stuck),
            (_, _, Some(address), _) => Some(CameraNote::Suspicious { address }),
            (_, _, _, Some(address)) => Some(CameraNote::Unknown { address }),
            _ => Some(CameraNote::Silent),
        };
        let took = self.line.clock.now_us().wrapping_sub(self.begun);
        verdict.took_us = verdict.took_us.saturating_add(took);
        progress
    }
}
