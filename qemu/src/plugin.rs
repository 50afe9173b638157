//! The phone inside the QEMU process: reads the arguments, builds the machine,
//! and takes QEMU's callbacks to it.
//!
//! Two locks: the machine's, taken under QEMU's big lock only, and the
//! record's, taken by anybody for a moment. A guest error waits in the record
//! until the memory hook of the same thread has said which instruction it was,
//! or until that thread makes its next access. Not every call of the hook
//! belongs to the access: see [`Hooked`].
//! Source: facts/qemu-plugin.md.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};

use crate::args::{Args, Dump};
use crate::board::Board;
use crate::bus::{GuestError, Memory as _};
use crate::ffi::Qemu;
use crate::glass::Folder;
use crate::machine::{Machine, Shot, bootrom, build, map};
use crate::report::{Event, Fault, Recorder, kind_name};

static MACHINE: OnceLock<Mutex<Machine>> = OnceLock::new();
static RECORD: OnceLock<Mutex<Record>> = OnceLock::new();
static ARGS: OnceLock<Args> = OnceLock::new();

/// Guest errors that wait for their PC, so that the memory hook can return at
/// once in the normal case.
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// Accesses to registers so far, for those who cannot take the machine's lock.
static MMIO: AtomicU64 = AtomicU64::new(0);
/// The bootloader runs, and the kernel has not been seen.
static KERNEL_AWAITED: AtomicBool = AtomicBool::new(false);
/// It has run at the place where bootloaders live.
static LK_RAN: AtomicBool = AtomicBool::new(false);

/// When the machine was last used: an instruction hook may not read the clock
/// (with `-icount` QEMU takes that for an error and ends).
static LAST_USED: AtomicU64 = AtomicU64::new(0);
/// GPT6 runs, which feeds the ARM counter.
static GPT6_RUNS: AtomicBool = AtomicBool::new(false);

/// The addresses of the bootloader: the first MiB of DRAM.
const LK: core::ops::Range<u32> = map::DRAM..map::DRAM + 0x10_0000;

/// The list of events and what still waits to be written to it.
struct Record {
    recorder: Recorder,
    screens: Option<Folder>,
    waiting: HashMap<ThreadId, Vec<Fault>>,
    resets: u32,
    dumped: bool,
    finished: bool,
}

/// An access to an address that is not RAM, as the hook saw it.
///
/// QEMU 7.2 leaves the hook of an instruction that ends a block of code set
/// (an indirect jump, for one) and calls it again for what other code does by
/// helper functions, such as exclusive stores. Nothing in the call says so,
/// but the address and the direction are the true ones of that access. (The
/// physical address that 7.2 offers is not right for a region with holes.)
#[derive(Clone, Copy, Debug)]
pub struct Hooked {
    /// Instruction that the hook was set on.
    pub pc: u32,
    /// Virtual address.
    pub addr: u32,
    /// Bytes.
    pub len: u32,
    /// A store.
    pub write: bool,
}

/// The smallest page: below it, virtual and physical addresses agree.
const IN_PAGE: u32 = 0xFFF;

impl Hooked {
    /// Whether this can be the access that made `fault`.
    fn made(&self, fault: &Fault) -> bool {
        let distance = fault.addr.wrapping_sub(self.addr) & IN_PAGE;
        fault.write == Some(self.write) && distance < self.len
    }
}

impl Record {
    /// Writes the waiting faults of a thread, with the PC of those that
    /// `access` made.
    fn flush(&mut self, thread: ThreadId, access: Option<Hooked>) {
        let Some(faults) = self.waiting.remove(&thread) else {
            return;
        };
        WAITING.fetch_sub(faults.len(), Ordering::Relaxed);
        for fault in faults {
            let pc = access
                .filter(|access| access.made(&fault))
                .map(|access| access.pc);
            self.recorder
                .record(&Event::GuestError(Fault { pc, ..fault }));
        }
    }

    fn flush_all(&mut self) {
        let threads: Vec<ThreadId> = self.waiting.keys().copied().collect();
        for thread in threads {
            self.flush(thread, None);
        }
    }

    fn add(&mut self, event: Event, thread: ThreadId) {
        match event {
            Event::GuestError(fault) if fault.write.is_some() => {
                self.waiting.entry(thread).or_default().push(fault);
                WAITING.fetch_add(1, Ordering::Relaxed);
            }
            event => {
                self.flush(thread, None);
                self.recorder.record(&event);
            }
        }
    }
}

fn record() -> Option<MutexGuard<'static, Record>> {
    RECORD
        .get()
        .map(|record| record.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Runs `act` on the machine and records what came of it.
fn with_machine<T: Default>(act: impl FnOnce(&mut Machine, &mut Qemu) -> T) -> T {
    let Some(machine) = MACHINE.get() else {
        return T::default();
    };
    let mut machine = machine.lock().unwrap_or_else(PoisonError::into_inner);
    let result = act(&mut machine, &mut Qemu);
    let events = machine.take_events();
    let shots = machine.take_shots();
    MMIO.store(machine.mmio_accesses(), Ordering::Relaxed);
    LAST_USED.store(machine.called_at(), Ordering::Relaxed);
    GPT6_RUNS.store(machine.signals.gpt6_running, Ordering::Relaxed);
    let accepting = machine.take_accepting();
    drop(machine);
    publish(events);
    develop(shots);
    for (port, _) in accepting.iter().enumerate().filter(|&(_, &ready)| ready) {
        // May bring the characters at once, and with them the next call of the machine.
        Qemu::serial_accept(port);
    }
    result
}

fn publish(events: Vec<Event>) {
    if events.is_empty() && WAITING.load(Ordering::Relaxed) == 0 {
        return;
    }
    let Some(mut record) = record() else { return };
    let thread = thread::current().id();
    record.flush(thread, None);
    for event in events {
        let ends = matches!(
            event,
            Event::PowerOff { .. } | Event::UsbDownload { .. } | Event::Stopped { .. }
        );
        KERNEL_AWAITED.store(
            match event {
                Event::LkEntry { .. } => true,
                Event::Reset { .. } => false,
                _ => KERNEL_AWAITED.load(Ordering::Relaxed),
            },
            Ordering::Relaxed,
        );
        if matches!(event, Event::Reset { .. }) {
            LK_RAN.store(false, Ordering::Relaxed);
        }
        record.add(event, thread);
        if ends {
            dump_at_end(&mut record);
        }
    }
}

/// Saves pictures of the screen.
fn develop(shots: Vec<Shot>) {
    if shots.is_empty() {
        return;
    }
    let Some(mut record) = record() else { return };
    for shot in shots {
        let Some(folder) = &mut record.screens else {
            return;
        };
        match folder.save(shot) {
            Ok(Some(event)) => record.recorder.record(&event),
            Ok(None) => {}
            // A full disk must not stop the phone.
            Err(why) => eprintln!("mt6572: {why}"),
        }
    }
}

/// Takes the picture that somebody asks for, if anybody does.
fn answer_trigger(machine: &mut Machine, qemu: &mut Qemu) {
    if machine.take_poll()
        && let Some(name) = record().and_then(|record| record.screens.as_ref()?.asked())
    {
        machine.shoot(&name, qemu);
    }
}

/// Reads the arguments and files, before the machine exists.
///
/// # Errors
/// A sentence for standard error.
pub fn configure(arguments: &[String]) -> Result<(), String> {
    let args = Args::parse(arguments)?;
    let mut board = Board::load(&args.board)?;
    let lk = match &args.lk {
        None => None,
        Some(path) => {
            Some(std::fs::read(path).map_err(|error| format!("lk={}: {error}", path.display()))?)
        }
    };
    let storage = build::open_storage(args.emmc.as_deref(), &board.emmc)?;
    board.emmc.absent |= storage.is_none();
    let mut machine = Machine::new(build::blocks(&board, storage)?, board, lk, args.max_resets);
    machine.set_strict(args.strict);
    machine.put_storage(build::preloader_storage(args.emmc.as_deref())?);
    let recorder = Recorder::new(args.events.as_deref(), args.strict)?;
    let screens = args.screen.as_deref().map(Folder::new).transpose()?;
    if screens.is_some() {
        machine.watch_screen(args.live);
    }
    let record = Record {
        recorder,
        screens,
        waiting: HashMap::new(),
        resets: 0,
        dumped: false,
        finished: false,
    };
    let set = ARGS.set(args).is_ok()
        && RECORD.set(Mutex::new(record)).is_ok()
        && MACHINE.set(Mutex::new(machine)).is_ok();
    if set {
        Ok(())
    } else {
        Err("the plugin was loaded twice".into())
    }
}

/// The machine that QEMU made is complete: ours goes in front of it.
///
/// # Errors
/// What is missing in QEMU's machine.
pub fn machine_done() -> Result<(), &'static str> {
    let (dram_bytes, timer_is_lost) = MACHINE.get().map_or((0, false), |machine| {
        let machine = machine.lock().unwrap_or_else(PoisonError::into_inner);
        (machine.dram_bytes(), machine.timer_interrupt_is_lost())
    });
    Qemu::build(dram_bytes, bootrom::STUB)?;
    if timer_is_lost {
        Qemu::cut_secure_timer();
    }
    Ok(())
}

/// A load from an address that is not RAM.
pub fn read(addr: u32, size: u8) -> u32 {
    with_machine(|machine, qemu| machine.read(addr, size, qemu))
}

/// A store to an address that is not RAM.
pub fn write(addr: u32, size: u8, value: u32) {
    with_machine(|machine, qemu| machine.write(addr, size, value, qemu));
}

/// The deadline has come.
pub fn timer() {
    with_machine(|machine, qemu| {
        machine.timer(qemu);
        answer_trigger(machine, qemu);
    });
}

/// How many characters the phone takes from a character device now.
pub fn can_receive(port: u8) -> usize {
    with_machine(|machine, _| machine.can_receive(port))
}

/// Characters from a character device.
pub fn receive(port: u8, bytes: &[u8]) {
    with_machine(|machine, qemu| machine.receive(port, bytes, qemu));
}

/// QEMU resets the machine; the first time is the power-on.
pub fn reset() {
    dump_at_reset();
    with_machine(|machine, qemu| machine.reset(qemu));
}

/// A block of code that begins at `pc` is translated. True if the memory hook
/// must watch it.
pub fn translated(pc: u32) -> bool {
    let in_lk = LK.contains(&pc);
    if in_lk {
        LK_RAN.store(true, Ordering::Relaxed);
    }
    // A bootloader that a stock loader starts begins where kernels do.
    let beyond =
        pc >= LK.end && LK_RAN.load(Ordering::Relaxed) && KERNEL_AWAITED.load(Ordering::Relaxed);
    if beyond && KERNEL_AWAITED.swap(false, Ordering::Relaxed) {
        let t_ns = Qemu::clock();
        if let Some(mut record) = record() {
            record.flush(thread::current().id(), None);
            record.recorder.record(&Event::KernelEntry {
                pc,
                mmio: MMIO.load(Ordering::Relaxed),
                t_ns,
            });
        }
    }
    in_lk || ARGS.get().is_some_and(|args| args.pc_of_all)
}

/// Whether the memory hook has nothing to say to anybody now.
pub fn hook_is_idle() -> bool {
    WAITING.load(Ordering::Relaxed) == 0
}

/// Records what no model sees: it happens beside the bus.
fn complain(pc: u32, addr: u32, block: &'static str, kind: GuestError, message: &str) {
    if let Some(mut record) = record() {
        record.recorder.record(&Event::GuestError(Fault {
            kind: kind_name(kind),
            block,
            addr,
            offset: addr & 0xFFF,
            pc: Some(pc),
            write: None,
            message: message.to_owned(),
            t_ns: LAST_USED.load(Ordering::Relaxed),
        }));
    }
}

/// The ARM counter is read. Without GPT6 it stands still on a phone; QEMU's
/// cannot be stopped.
pub fn counter_read(pc: u32) {
    const GPT6_CON: u32 = 0x1000_8060;
    if !GPT6_RUNS.load(Ordering::Relaxed) {
        let message = "the ARM counter is read while GPT6, which feeds it, does not run";
        complain(pc, GPT6_CON, "APXGPT", GuestError::Gated, message);
    }
}

/// Whether the access at `pc` follows a null pointer of the bootloader. Core 1
/// in the boot ROM reads its own constants there.
pub fn is_null_access(pc: u32, addr: u32) -> bool {
    addr < map::BOOT_ROM_LEN && pc >= map::DRAM && KERNEL_AWAITED.load(Ordering::Relaxed)
}

/// The bootloader has accessed the boot ROM.
pub fn null_accessed(pc: u32, addr: u32) {
    complain(
        pc,
        addr,
        "BUS",
        GuestError::Unmapped,
        "data access to the boot ROM",
    );
}

/// A watched instruction has accessed memory.
pub fn accessed(access: Hooked) {
    if let Some(mut record) = record() {
        record.flush(thread::current().id(), Some(access));
    }
}

/// Takes the last picture of the screen. The cores stand still.
fn shoot_the_end() {
    let Some(mut machine) = MACHINE.get().and_then(|machine| machine.try_lock().ok()) else {
        return;
    };
    machine.shoot("end", &mut Qemu);
    let shots = machine.take_shots();
    drop(machine);
    develop(shots);
}

/// The process ends.
pub fn exiting() {
    if Qemu::clock() != 0 && record().is_some_and(|record| !record.finished) {
        shoot_the_end();
    }
    let Some(mut record) = record() else { return };
    if record.finished || Qemu::clock() == 0 {
        return;
    }
    record.finished = true;
    record.flush_all();
    dump_at_end(&mut record);
    record.recorder.finish(MMIO.load(Ordering::Relaxed));
}

fn dump_at_end(record: &mut Record) {
    if !std::mem::replace(&mut record.dumped, true) {
        for dump in ARGS.get().map_or(&[][..], |args| &args.dumps) {
            save(dump, &dump.file);
        }
    }
}

fn dump_at_reset() {
    let Some(mut record) = record() else { return };
    record.resets += 1;
    let count = record.resets - 1;
    if count > 0 {
        for dump in ARGS.get().map_or(&[][..], |args| &args.dumps) {
            save(dump, format!("{}.{count}", dump.file.display()).as_ref());
        }
    }
}

fn save(dump: &Dump, file: &std::path::Path) {
    let mut bytes = vec![0; dump.len as usize];
    Qemu.read(dump.addr, &mut bytes);
    if let Err(error) = std::fs::write(file, &bytes) {
        eprintln!("mt6572: dump={}: {error}", file.display());
    }
}
