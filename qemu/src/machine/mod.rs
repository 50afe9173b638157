//! The phone without QEMU: finds the block for an address, checks its gate,
//! runs its model, and carries what came of it (interrupt lines, time, serial
//! output, guest errors, resets) to the host.
//!
//! Nothing here knows QEMU's types; tests run a whole machine with a host of
//! their own. Source: facts/soc.md 1, 9; facts/qemu-plugin.md.

mod adopted;
pub mod bootrom;
pub mod build;
pub mod interrupts;
pub mod map;
mod timeline;

use crate::board::Board;
use crate::bus::{Block, Context, GuestError, IrqSources, Memory, Nanos, Report, Reset, Size};
use crate::models::emmc::Store;
use crate::preloader::{self, Outcome};
use crate::report::{Event, Fault, POWER_ON, kind_name};
use crate::signals::{Request, Signals};
use bootrom::Handover;
use map::{MAP, Needs};
use timeline::Timeline;

/// What the machine needs of the emulator around it. Guest memory is reached
/// through [`Memory`]; the machine checks ranges before it asks.
pub trait Host: Memory {
    /// Virtual time.
    fn now(&self) -> Nanos;
    /// Drives an input of the GIC.
    fn set_irq(&mut self, spi: u8, level: bool);
    /// A UART of the phone says something.
    fn serial_out(&mut self, port: u8, bytes: &[u8]);
    /// Shows or hides the L2's RAM.
    fn map_l2_sram(&mut self, mapped: bool);
    /// Calls [`Machine::timer`] at this time; `None`: not at all.
    fn set_deadline(&mut self, at: Option<Nanos>);
    /// Core 1 starts at its reset vector, or loses its supply.
    fn power_core1(&mut self, on: bool);
    /// Both cores and the machine are reset soon; then [`Machine::reset`] is called.
    fn request_reset(&mut self);
    /// The emulation ends soon.
    fn request_shutdown(&mut self);
}

/// A block in its place in the map: index n belongs to `MAP[n]`.
type Slots = Vec<Box<dyn Block>>;

/// What an access takes the preloader model, so that polls see time pass.
const POKE_NS: Nanos = 100;

/// While core 1 runs, a deadline comes at least so often: with `-icount`,
/// QEMU 7.2 lets one core run until the next deadline, and a core that waits
/// for the other in a loop would wait for billions of instructions.
const CORE_SWITCH_NS: Nanos = 1_000_000;

/// After so many guest errors the guest runs wild, and nothing is learnt by
/// watching on.
const RUNAWAY_ERRORS: u64 = 200_000;

/// One access, for the reports.
#[derive(Clone, Copy)]
struct Access {
    addr: u32,
    base: u32,
    write: Option<bool>,
}

/// The whole phone.
pub struct Machine {
    board: Board,
    slots: Slots,
    watchers: Vec<usize>,
    /// The wires; public so that tests can press keys.
    pub signals: Signals,
    irq: IrqSources,
    interrupts: interrupts::Lines,
    timeline: Timeline,
    reports: Vec<Report>,
    serial: Vec<(u8, u8)>,
    log: Vec<String>,
    events: Vec<Event>,
    lk: Option<Vec<u8>>,
    /// The card as the preloader reads it.
    storage: Option<Box<dyn Store>>,
    handover: Option<Handover>,
    preloader_runs: bool,
    l2_mapped: bool,
    core1_powered: bool,
    armed: Option<Nanos>,
    /// How far the phone's time is ahead of the host's: the preloader model
    /// works while the host's clock stands still.
    ahead: Nanos,
    /// A reset or power-off was asked for: nothing that the cores still do counts.
    stopping: bool,
    pending_reset: Option<&'static str>,
    powered: bool,
    resets: u32,
    max_resets: u32,
    mmio: u64,
    faults: u64,
}

/// RAM as the bus masters see it: only where RAM is, so that a DMA never comes
/// back as an access to a register.
struct RamOnly<'a> {
    host: &'a mut dyn Host,
    dram_bytes: u32,
    l2_mapped: bool,
}

impl RamOnly<'_> {
    fn holds(&self, addr: u32, len: usize) -> bool {
        let within = |base: u32, size: u32| {
            addr.checked_sub(base).is_some_and(|offset| offset as u64 + len as u64 <= u64::from(size))
        };
        within(map::DRAM, self.dram_bytes)
            || within(map::SRAM, map::SRAM_LEN)
            || self.l2_mapped && within(map::L2_SRAM, map::L2_SRAM_LEN)
    }
}

impl Memory for RamOnly<'_> {
    fn read(&mut self, addr: u32, data: &mut [u8]) -> bool {
        self.holds(addr, data.len()) && self.host.read(addr, data)
    }
    fn write(&mut self, addr: u32, data: &[u8]) -> bool {
        self.holds(addr, data.len()) && self.host.write(addr, data)
    }
}

impl Machine {
    /// A phone with its battery out. `lk` takes the place of what is in UBOOT.
    pub fn new(slots: Slots, board: Board, lk: Option<Vec<u8>>, max_resets: u32) -> Machine {
        assert_eq!(slots.len(), MAP.len(), "one model a line of the map");
        let watchers = (0..slots.len()).filter(|&index| slots[index].watches_wires()).collect();
        let timeline = Timeline::new(&board);
        Machine {
            signals: board.signals(),
            board,
            slots,
            watchers,
            irq: IrqSources::default(),
            interrupts: interrupts::Lines::default(),
            timeline,
            reports: Vec::new(),
            serial: Vec::new(),
            log: Vec::new(),
            events: Vec::new(),
            lk,
            storage: None,
            handover: None,
            preloader_runs: false,
            l2_mapped: true,
            core1_powered: true,
            armed: None,
            ahead: 0,
            stopping: false,
            pending_reset: None,
            powered: false,
            resets: 0,
            max_resets,
            mmio: 0,
            faults: 0,
        }
    }

    /// Accesses to registers by the guest so far.
    pub fn mmio_accesses(&self) -> u64 {
        self.mmio
    }

    /// Takes what happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// A load by a core.
    pub fn read(&mut self, addr: u32, size: Size, host: &mut dyn Host) -> u32 {
        self.access(addr, size, None, host)
    }

    /// A store by a core.
    pub fn write(&mut self, addr: u32, size: Size, value: u32, host: &mut dyn Host) {
        self.access(addr, size, Some(value), host);
    }

    fn access(&mut self, addr: u32, size: Size, write: Option<u32>, host: &mut dyn Host) -> u32 {
        if self.stopping {
            return 0;
        }
        if addr.wrapping_sub(map::DOORBELL) < map::DOORBELL_LEN && self.preloader_runs {
            return self.ring(addr - map::DOORBELL, write.is_some(), host);
        }
        self.mmio += 1;
        let value = self.dispatch(addr, size, write, host);
        self.settle(host);
        value
    }

    /// Runs the model at `addr`, after the checks of the bus.
    fn dispatch(&mut self, addr: u32, size: Size, write: Option<u32>, host: &mut dyn Host) -> u32 {
        let Some(index) = map::find(addr) else {
            let access = Access { addr, base: addr, write: Some(write.is_some()) };
            let message = unmapped_message(addr, self.board.dram_bytes());
            self.fault(Report { kind: GuestError::Unmapped, block: "BUS", offset: addr, message }, access, host.now());
            return 0;
        };
        let entry = &MAP[index];
        let offset = addr - entry.base;
        let access = Access { addr, base: entry.base, write: Some(write.is_some()) };
        if let Some((kind, message)) = self.refusal(entry, offset, size) {
            self.fault(Report { kind, block: entry.name, offset, message }, access, host.now());
            return 0;
        }
        let value = self.with_block(index, host, |block, cx| match write {
            Some(value) => {
                block.write(offset, size, value, cx);
                0
            }
            None => block.read(offset, size, cx),
        });
        self.collect_faults(access, host.now());
        self.notify_watchers(Some(index), host);
        value
    }

    /// Why the bus does not let an access through, if so.
    fn refusal(&self, entry: &map::Entry, offset: u32, size: Size) -> Option<(GuestError, String)> {
        let signals = &self.signals;
        if !entry.widths.allow(size) || !offset.is_multiple_of(u32::from(size)) {
            return Some((GuestError::AccessSize, format!("{size}-byte access at {offset:#x}; the block takes {:?}", entry.widths)));
        }
        let gated = |what: String| Some((GuestError::Gated, what));
        let unpowered = |bit: u8| Some((GuestError::Unpowered, format!("power domain {bit} (PWR_STATUS) is off")));
        match entry.needs {
            Needs::Cg1(bit) if !signals.cg1_open(bit) => gated(format!("clock gate CG1.{bit} is closed")),
            Needs::Domain(bit) if !signals.domain_on(bit) => unpowered(bit),
            Needs::Mm0(_) | Needs::Mm1(_) if !signals.domain_on(map::DOMAIN_DIS) => unpowered(map::DOMAIN_DIS),
            Needs::Mm0(bit) if signals.mm_cg0 >> bit & 1 != 0 => gated(format!("clock gate MMSYS CG0.{bit} is closed")),
            Needs::Mm1(bit) if signals.mm_cg1 >> bit & 1 != 0 => gated(format!("clock gate MMSYS CG1.{bit} is closed")),
            _ => None,
        }
    }

    /// Lends block `index` the rest of the phone.
    fn with_block<T>(
        &mut self,
        index: usize,
        host: &mut dyn Host,
        run: impl FnOnce(&mut dyn Block, &mut Context<'_>) -> T,
    ) -> T {
        let now = self.now(host);
        let mut memory = RamOnly { host, dram_bytes: self.board.dram_bytes(), l2_mapped: self.l2_mapped };
        let mut cx = Context {
            now,
            signals: &mut self.signals,
            irq: &mut self.irq,
            memory: &mut memory,
            reports: &mut self.reports,
            serial: &mut self.serial,
            log: &mut self.log,
        };
        run(self.slots[index].as_mut(), &mut cx)
    }

    fn fault(&mut self, report: Report, access: Access, now: Nanos) {
        self.faults += 1;
        self.events.push(Event::GuestError(Fault {
            kind: kind_name(report.kind),
            block: report.block,
            addr: access.addr,
            offset: report.offset,
            pc: None,
            write: access.write,
            message: report.message,
            t_ns: now,
        }));
    }

    fn collect_faults(&mut self, access: Access, now: Nanos) {
        for report in std::mem::take(&mut self.reports) {
            // A model may complain about another register than the one that was accessed.
            let addr = if access.write.is_some() { access.addr } else { access.base.wrapping_add(report.offset) };
            self.fault(report, Access { addr, ..access }, now);
        }
    }

    fn notify_watchers(&mut self, except: Option<usize>, host: &mut dyn Host) {
        for at in 0..self.watchers.len() {
            let index = self.watchers[at];
            if Some(index) != except {
                self.with_block(index, host, |block, cx| block.wires_changed(cx));
                self.collect_faults(Access { addr: MAP[index].base, base: MAP[index].base, write: None }, host.now());
            }
        }
    }

    /// Carries the results of an access or a tick to the host.
    fn settle(&mut self, host: &mut dyn Host) {
        let now = host.now();
        self.flush_serial(host);
        for text in self.log.drain(..) {
            self.events.push(Event::Log { text, t_ns: now });
        }
        self.interrupts.drive(&self.irq, self.signals.int_pol, host);
        if self.signals.l2_is_sram != self.l2_mapped {
            self.l2_mapped = self.signals.l2_is_sram;
            host.map_l2_sram(self.l2_mapped);
            if self.l2_mapped {
                preloader::scratch::fill(host, map::L2_SRAM, map::L2_SRAM_LEN);
            }
        }
        self.settle_core1(host);
        self.settle_deadline(host);
        if let Some(request) = self.signals.request.take() {
            self.stopping = true;
            match request {
                Request::Reset(why) => {
                    self.pending_reset = Some(why);
                    host.request_reset();
                }
                Request::PowerOff(why) => self.end(Event::PowerOff { why: why.into(), t_ns: now }, host),
            }
        } else if self.faults > RUNAWAY_ERRORS {
            self.end(Event::Stopped { why: "too many guest errors: the guest runs wild".into(), t_ns: now }, host);
        }
    }

    fn end(&mut self, event: Event, host: &mut dyn Host) {
        self.stopping = true;
        self.events.push(event);
        host.request_shutdown();
    }

    fn flush_serial(&mut self, host: &mut dyn Host) {
        let mut rest = self.serial.as_slice();
        while let Some(&(port, _)) = rest.first() {
            let run = rest.iter().take_while(|&&(of, _)| of == port).count();
            let bytes: Vec<u8> = rest[..run].iter().map(|&(_, byte)| byte).collect();
            host.serial_out(port, &bytes);
            rest = &rest[run..];
        }
        self.serial.clear();
    }

    fn settle_core1(&mut self, host: &mut dyn Host) {
        let powered = self.signals.domain_on(map::DOMAIN_FC1);
        if powered != self.core1_powered && !self.preloader_runs {
            host.power_core1(powered);
        }
        self.core1_powered = powered;
    }

    fn settle_deadline(&mut self, host: &mut dyn Host) {
        let blocks = self.slots.iter().filter_map(|block| block.deadline());
        let switch = (self.now(host) / CORE_SWITCH_NS + 1) * CORE_SWITCH_NS;
        let switch = self.signals.core1_entry.map(|_| switch);
        let next = blocks.chain(self.timeline.deadline()).chain(switch).min();
        if next != self.armed {
            self.armed = next;
            host.set_deadline(next.map(|at| at.saturating_sub(self.ahead)));
        }
    }

    /// The phone's time.
    fn now(&self, host: &dyn Host) -> Nanos {
        host.now() + self.ahead
    }

    /// A deadline has come.
    pub fn timer(&mut self, host: &mut dyn Host) {
        self.armed = None;
        if self.stopping {
            return;
        }
        let now = self.now(host);
        if self.timeline.run(now, &self.board, &mut self.signals) {
            self.notify_watchers(None, host);
        }
        for index in 0..self.slots.len() {
            if self.slots[index].deadline().is_some_and(|at| at <= now) {
                self.with_block(index, host, |block, cx| block.tick(cx));
                self.collect_faults(Access { addr: MAP[index].base, base: MAP[index].base, write: None }, now);
                self.notify_watchers(Some(index), host);
            }
        }
        self.settle(host);
    }

    /// Characters typed at the phone's serial line.
    pub fn receive(&mut self, port: u8, bytes: &[u8], host: &mut dyn Host) {
        let name = if port == 0 { "UART0" } else { "UART1" };
        let Some(index) = MAP.iter().position(|entry| entry.name == name) else { return };
        for &byte in bytes {
            self.with_block(index, host, |block, cx| block.receive(byte, cx));
        }
        self.collect_faults(Access { addr: MAP[index].base, base: MAP[index].base, write: None }, host.now());
        self.settle(host);
    }

    /// Both cores are about to start in the boot ROM.
    pub fn reset(&mut self, host: &mut dyn Host) {
        let now = host.now();
        let why = self.pending_reset.take();
        let kind = if why.is_some() && self.powered { Reset::Watchdog } else { Reset::PowerOn };
        if kind == Reset::PowerOn {
            self.signals = self.board.signals();
            let phone_time = self.now(host);
            self.timeline.hold(&self.board, phone_time, &mut self.signals);
        }
        self.irq = IrqSources::default();
        self.stopping = false;
        self.powered = true;
        for index in 0..self.slots.len() {
            self.with_block(index, host, |block, cx| block.reset(kind, cx));
            self.collect_faults(Access { addr: MAP[index].base, base: MAP[index].base, write: None }, now);
        }
        self.interrupts.forget();
        self.handover = None;
        self.preloader_runs = true;
        self.events.push(Event::Reset { why: why.unwrap_or(POWER_ON).into(), t_ns: now });
        self.armed = None;
        host.set_deadline(None);
        self.settle(host);
        if why.is_some() {
            self.resets += 1;
            if self.resets > self.max_resets {
                self.end(Event::Stopped { why: format!("reset {} times", self.resets), t_ns: now }, host);
            }
        }
    }

    /// The boot ROM stub at its doorbell.
    fn ring(&mut self, offset: u32, write: bool, host: &mut dyn Host) -> u32 {
        if write {
            self.run_preloader(host);
            return 0;
        }
        let Some(handover) = self.handover else { return 0 };
        if offset == bootrom::doorbell::R5 {
            self.preloader_runs = false;
            self.events.push(Event::LkEntry { pc: handover.entry, mmio: self.mmio, t_ns: host.now() });
        }
        handover.read(offset)
    }

    fn run_preloader(&mut self, host: &mut dyn Host) {
        let outcome = preloader::run(&mut preloader::Phone { machine: self, host });
        let now = host.now();
        self.settle(host);
        match outcome {
            Outcome::Jump(handover) => self.handover = Some(handover),
            Outcome::UsbDownload { by, timeout_s } => self.end(Event::UsbDownload { by, timeout_s, t_ns: now }, host),
        }
    }

    /// An access by the preloader model: not counted, but checked and reported
    /// like any other.
    pub(crate) fn poke(&mut self, addr: u32, size: Size, write: Option<u32>, host: &mut dyn Host) -> u32 {
        self.ahead += POKE_NS;
        let now = self.now(host);
        for index in 0..self.slots.len() {
            if self.slots[index].deadline().is_some_and(|at| at <= now) {
                self.with_block(index, host, |block, cx| block.tick(cx));
            }
        }
        self.dispatch(addr, size, write, host)
    }

    /// Puts the block called `name` in the state in which the preloader leaves it.
    pub(crate) fn leave_as_preloader(&mut self, name: &str, host: &mut dyn Host) {
        if let Some(index) = MAP.iter().position(|entry| entry.name == name) {
            self.with_block(index, host, |block, cx| block.leave_as_preloader(cx));
        }
    }

    pub(crate) fn take_storage(&mut self) -> Option<Box<dyn Store>> {
        self.storage.take()
    }

    /// Gives the preloader the user area of the card.
    pub fn put_storage(&mut self, storage: Option<Box<dyn Store>>) {
        self.storage = storage;
    }

    /// DRAM that is fitted, in bytes.
    pub fn dram_bytes(&self) -> u32 {
        self.board.dram_bytes()
    }

    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    pub(crate) fn lk_override(&self) -> Option<&[u8]> {
        self.lk.as_deref()
    }

    pub(crate) fn note(&mut self, event: Event) {
        self.events.push(event);
    }
}

fn unmapped_message(addr: u32, dram_bytes: u32) -> String {
    if addr >= map::DRAM {
        format!("the DRAM of this phone ends at {:#x}", u64::from(map::DRAM) + u64::from(dram_bytes))
    } else {
        "nothing is at this address".into()
    }
}
