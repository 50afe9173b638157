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
mod life;
pub mod map;
mod screens;
mod settle;
mod timeline;

use crate::board::{Board, Line};
use crate::bus::{Block, Context, GuestError, IrqSources, Memory, Nanos, Report, Size};
use crate::models::emmc::Store;
use crate::report::{Event, Fault, kind_name};
use crate::signals::Signals;
use bootrom::Handover;
use map::{MAP, Needs};
pub use screens::Shot;
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
    /// Whether core 1 waits in WFI or is off.
    fn core1_waits(&mut self) -> bool {
        true
    }
    /// From now on both cores run code of the guest, or only core 0 does.
    fn share_time(&mut self, _both_cores: bool) {}
    /// Both cores and the machine are reset soon; then [`Machine::reset`] is called.
    fn request_reset(&mut self);
    /// The emulation ends soon.
    fn request_shutdown(&mut self);
}

/// A block in its place in the map: index n belongs to `MAP[n]`.
type Slots = Vec<Box<dyn Block>>;

/// What an access takes the preloader model, so that polls see time pass.
const POKE_NS: Nanos = 100;

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

impl Access {
    /// What a block did by itself.
    fn of_block(index: usize) -> Access {
        let base = MAP[index].base;
        Access {
            addr: base,
            base,
            write: None,
        }
    }
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
    /// Characters for this serial port wait on the host.
    input_waits: [bool; 2],
    log: Vec<String>,
    events: Vec<Event>,
    lk: Option<Vec<u8>>,
    /// The card as the preloader reads it.
    storage: Option<Box<dyn Store>>,
    handover: Option<Handover>,
    preloader_runs: bool,
    l2_mapped: bool,
    core1_powered: bool,
    /// The display domain was on when it was last looked at.
    display_powered: bool,
    /// Core 1 has left the boot ROM.
    core1_released: bool,
    armed: Option<Nanos>,
    /// What each block last said of its deadline. Asking all of them after
    /// every access would cost more than the access.
    deadlines: Vec<Option<Nanos>>,
    /// One of them, or the user's next action, is not what it was when the
    /// host was last told.
    deadline_moved: bool,
    /// What the watchers were last told.
    told: Signals,
    /// The host's clock when it called; reading it once a call is enough,
    /// because nothing that the machine does takes virtual time.
    host_now: Nanos,
    /// How far the phone's time is ahead of the host's: the preloader model
    /// works while the host's clock stands still.
    ahead: Nanos,
    /// A reset or power-off was asked for: nothing that the cores still do counts.
    stopping: bool,
    pending_reset: Option<&'static str>,
    /// It comes from the PMIC, and reaches what TOPRGU does not.
    reset_by_pmic: bool,
    powered: bool,
    resets: u32,
    max_resets: u32,
    strict: bool,
    screens: screens::Screens,
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
            addr.checked_sub(base)
                .is_some_and(|offset| offset as u64 + len as u64 <= u64::from(size))
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
        let mut watchers: Vec<usize> = (0..slots.len())
            .filter(|&index| slots[index].watches_wires())
            .collect();
        // The PMIC drives a pin that EINT listens to, CAM feeds SENINF, and that the cameras' clock.
        let drivers = ["PWRAP", "CAM", "SENINF"];
        watchers.sort_by_key(|&index| !drivers.contains(&MAP[index].name));
        let timeline = Timeline::new(&board);
        let deadlines = slots.iter().map(|block| block.deadline()).collect();
        Machine {
            signals: board.signals(),
            told: board.signals(),
            deadlines,
            deadline_moved: true,
            host_now: 0,
            board,
            slots,
            watchers,
            irq: IrqSources::default(),
            interrupts: interrupts::Lines::default(),
            timeline,
            reports: Vec::new(),
            serial: Vec::new(),
            input_waits: [false; 2],
            log: Vec::new(),
            events: Vec::new(),
            lk,
            storage: None,
            handover: None,
            preloader_runs: false,
            l2_mapped: true,
            core1_powered: true,
            display_powered: false,
            core1_released: false,
            armed: None,
            ahead: 0,
            stopping: false,
            pending_reset: None,
            reset_by_pmic: false,
            powered: false,
            resets: 0,
            max_resets,
            strict: false,
            screens: screens::Screens::default(),
            mmio: 0,
            faults: 0,
        }
    }

    /// Accesses to registers by the guest so far.
    pub fn mmio_accesses(&self) -> u64 {
        self.mmio
    }

    /// Virtual time of the host's last call.
    pub fn called_at(&self) -> Nanos {
        self.host_now
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
        self.host_now = host.now();
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
            let access = Access {
                addr,
                base: addr,
                write: Some(write.is_some()),
            };
            let message = unmapped_message(addr, self.board.dram_bytes());
            self.fault(
                Report {
                    kind: GuestError::Unmapped,
                    block: "BUS",
                    offset: addr,
                    message,
                },
                access,
                self.host_now,
            );
            return 0;
        };
        let entry = &MAP[index];
        let offset = addr - entry.base;
        let access = Access {
            addr,
            base: entry.base,
            write: Some(write.is_some()),
        };
        if let Some((kind, message)) = self.refusal(entry, offset, size) {
            let kind_is_not_gated = kind != GuestError::Gated;
            self.fault(
                Report {
                    kind,
                    block: entry.name,
                    offset,
                    message,
                },
                access,
                self.host_now,
            );
            // Stock loaders close the gate of the fuses and read them afterwards: whether that
            // works is not sure, so it is reported and answered (facts/soc.md 2.2).
            if entry.name != "EFUSE" || kind_is_not_gated {
                return 0;
            }
        }
        if entry.name == "SPM" {
            // Nobody else looks at it, and to ask is not free.
            self.signals.core1_waits = host.core1_waits();
        }
        let value = self.with_block(index, host, |block, cx| match write {
            Some(value) => {
                block.write(offset, size, value, cx);
                0
            }
            None => block.read(offset, size, cx),
        });
        self.collect_faults(access, self.host_now);
        if entry.name == "SPM" {
            self.settle_display(host);
        }
        self.notify_watchers(Some(index), host);
        value
    }

    /// Why the bus does not let an access through, if so.
    fn refusal(&self, entry: &map::Entry, offset: u32, size: Size) -> Option<(GuestError, String)> {
        let signals = &self.signals;
        if !entry.widths.allow(size) || !offset.is_multiple_of(u32::from(size)) {
            return Some((
                GuestError::AccessSize,
                format!(
                    "{size}-byte access at {offset:#x}; the block takes {:?}",
                    entry.widths
                ),
            ));
        }
        let reset_bit = match entry.base {
            0x1000_F000 => 11,
            0x1300_0000..=0x1301_0000 => 2,
            base if map::DIS_BLOCKS.contains(&base) => 1,
            _ => 31,
        };
        if signals.swsysrst >> reset_bit & 1 != 0 {
            return Some((
                GuestError::Refused,
                format!("held in reset by WDT_SWSYSRST.{reset_bit}"),
            ));
        }
        let gated = |what: String| Some((GuestError::Gated, what));
        let unpowered = |bit: u8| {
            Some((
                GuestError::Unpowered,
                format!("power domain {bit} (PWR_STATUS) is off"),
            ))
        };
        let isolated = match entry.needs {
            Needs::Domain(map::DOMAIN_DIS) | Needs::Mm0(_) | Needs::Mm1(_) => 1 << 11,
            Needs::Domain(map::DOMAIN_CONN) => 1 << 0 | 1 << 4,
            _ => 0,
        };
        if signals.axi_protect & isolated != 0 {
            return gated("the bus to it is isolated (TOPAXI_PROTECTEN)".into());
        }
        match entry.needs {
            Needs::Cg1(bit) if !signals.cg1_open(bit) => {
                gated(format!("clock gate CG1.{bit} is closed"))
            }
            Needs::Domain(bit) if !signals.domain_on(bit) => unpowered(bit),
            Needs::Mm0(_) | Needs::Mm1(_) if !signals.domain_on(map::DOMAIN_DIS) => {
                unpowered(map::DOMAIN_DIS)
            }
            Needs::Mm0(bit) if signals.mm_cg0 >> bit & 1 != 0 => {
                gated(format!("clock gate MMSYS CG0.{bit} is closed"))
            }
            Needs::Mm1(bit) if signals.mm_cg1 >> bit & 1 != 0 => {
                gated(format!("clock gate MMSYS CG1.{bit} is closed"))
            }
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
        let mut memory = RamOnly {
            host,
            dram_bytes: self.board.dram_bytes(),
            l2_mapped: self.l2_mapped,
        };
        let mut cx = Context {
            now: self.host_now + self.ahead,
            signals: &mut self.signals,
            irq: &mut self.irq,
            memory: &mut memory,
            reports: &mut self.reports,
            serial: &mut self.serial,
            log: &mut self.log,
        };
        let block = self.slots[index].as_mut();
        let result = run(block, &mut cx);
        let deadline = block.deadline();
        self.deadline_moved |= deadline != self.deadlines[index];
        self.deadlines[index] = deadline;
        result
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
            if report.kind == GuestError::Unmodelled && !self.strict {
                let Report {
                    block,
                    offset,
                    message,
                    ..
                } = report;
                let text = format!("unmodelled: {block}+{offset:#x}: {message}");
                self.events.push(Event::Log { text, t_ns: now });
                continue;
            }
            // A model may complain about another register than the one that was accessed.
            let addr = if access.write.is_some() {
                access.addr
            } else {
                access.base.wrapping_add(report.offset)
            };
            self.fault(report, Access { addr, ..access }, now);
        }
    }

    /// Tells the blocks that look at wires, if any wire has changed.
    fn notify_watchers(&mut self, except: Option<usize>, host: &mut dyn Host) {
        if self.told == self.signals {
            return;
        }
        self.told.clone_from(&self.signals);
        for at in 0..self.watchers.len() {
            let index = self.watchers[at];
            if Some(index) != except {
                self.with_block(index, host, |block, cx| block.wires_changed(cx));
                self.collect_faults(Access::of_block(index), self.host_now);
            }
        }
    }

    /// A deadline has come.
    pub fn timer(&mut self, host: &mut dyn Host) {
        self.armed = None;
        self.deadline_moved = true;
        if self.stopping {
            return;
        }
        self.host_now = host.now();
        let now = self.now();
        if self.timeline.run(now, &self.board, &mut self.signals) {
            self.notify_watchers(None, host);
        }
        for name in self.timeline.take_screenshots() {
            self.shoot(&name, host);
        }
        if self.screens.tick(now) {
            self.shoot_live(host);
        }
        for index in 0..self.slots.len() {
            if self.deadlines[index].is_some_and(|at| at <= now) {
                self.with_block(index, host, |block, cx| block.tick(cx));
                self.collect_faults(Access::of_block(index), now);
                self.notify_watchers(Some(index), host);
            }
        }
        self.settle(host);
    }

    /// How many characters the UART takes now. While it takes none, what is
    /// typed waits on the host, and [`Machine::take_accepting`] says when to go on.
    pub fn can_receive(&mut self, port: u8) -> usize {
        let Some(index) = uart(port) else { return 0 };
        let room = self.slots[index].receive_room();
        if let Some(waits) = self.input_waits.get_mut(usize::from(port)) {
            *waits |= room == 0;
        }
        room
    }

    /// The ports for which characters waited and that have room again.
    pub fn take_accepting(&mut self) -> [bool; 2] {
        let mut accepting = self.input_waits;
        for (port, accepts) in accepting
            .iter_mut()
            .enumerate()
            .filter(|(_, waits)| **waits)
        {
            *accepts = uart(port as u8).is_some_and(|index| self.slots[index].receive_room() > 0);
            self.input_waits[port] = !*accepts;
        }
        accepting
    }

    /// Characters typed at the phone's serial line.
    pub fn receive(&mut self, port: u8, bytes: &[u8], host: &mut dyn Host) {
        let Some(index) = uart(port) else { return };
        self.host_now = host.now();
        for &byte in bytes {
            self.with_block(index, host, |block, cx| block.receive(byte, cx));
        }
        self.collect_faults(Access::of_block(index), self.host_now);
        self.settle(host);
    }

    pub(crate) fn take_storage(&mut self) -> Option<Box<dyn Store>> {
        self.storage.take()
    }

    /// Gives the preloader the user area of the card.
    pub fn put_storage(&mut self, storage: Option<Box<dyn Store>>) {
        self.storage = storage;
    }

    /// Whether a register that no model knows is a guest error, as it is to
    /// images that should not touch any, or a line in the list.
    pub fn set_strict(&mut self, strict: bool) {
        self.strict = strict;
    }

    /// Whether the board's secure timer is not connected to the GIC.
    pub fn timer_interrupt_is_lost(&self) -> bool {
        self.board.faults.timer_interrupt == Line::Lost
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

/// The line of the map of a serial port.
fn uart(port: u8) -> Option<usize> {
    map::find(match port {
        0 => map::UART0,
        1 => map::UART1,
        _ => return None,
    })
}

fn unmapped_message(addr: u32, dram_bytes: u32) -> String {
    if addr >= map::DRAM {
        format!(
            "the DRAM of this phone ends at {:#x}",
            u64::from(map::DRAM) + u64::from(dram_bytes)
        )
    } else {
        "nothing is at this address".into()
    }
}

#[cfg(test)]
mod tests;
