//! The emulated CPU: an unmodified `qemu-system-arm`, an ARM core and RAM, no
//! devices. The host stops it at every service function, every access to a
//! peripheral and every fault, over GDB's protocol.
//!
//! A harness of ours in the machine that records by itself was weighed and
//! left out: a stop costs a few hundred microseconds, a driver has a few
//! hundred, and so all that decides stands in one place, in Rust. QEMU's `none`
//! machine has nothing but RAM from 0 on, so that the chip's peripherals are
//! memory that is watched: the instruction itself does the access, to a value
//! that was put there before.
//!
//! Addresses are translated, so that little RAM makes do, whatever the code
//! does: 64 MiB of DRAM, and a MiB for each part of the peripherals where the
//! chip has blocks.
//!
//! | address | holds |
//! |---|---|
//! | 0x07000000 | vectors, start-up code |
//! | 0x07001000 | a trampoline for each service function |
//! | 0x07002000 | the table of service functions |
//! | 0x07003000 | room for what the drivers fill |
//! | 0x07004000 | translation table |
//! | 0x07100000 | stack, growing down from its middle |
//! | 0x10000000 | peripherals: watched memory |
//! | 0x80000000 | DRAM, the LK at 0x80020000 |

use crate::accesses;
use crate::gdb::{Gdb, Registers, Stop};
use crate::image::{BASE, Image};
use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// First peripheral, and bytes that are watched.
pub const PERIPHERALS: (u32, u32) = (0x1000_0000, 0x1000_0000);
const VECTORS: u32 = 0x0700_0000;
const STARTUP: u32 = 0x0700_0100;
const TRAMPOLINES: u32 = 0x0700_1000;
/// The table of service functions.
pub const SERVICE_TABLE: u32 = 0x0700_2000;
/// What `get_params` fills.
pub const SCRATCH: u32 = 0x0700_3000;
const TRANSLATION: u32 = 0x0700_4000;
/// Where the stack begins.
pub const STACK: u32 = 0x0718_0000;
/// Where the stack ends.
pub const STACK_END: u32 = 0x0710_0000;
/// Trampolines: number 0 is where a function returns to.
const TRAMPOLINE_COUNT: u32 = 64;
/// Entries of the table of service functions.
pub const SERVICE_ENTRIES: u32 = TRAMPOLINE_COUNT - 1;
/// DRAM, and how much of it there is.
const DRAM: (u32, u32) = (0x8000_0000, 64 << 20);
/// Where the MiBs of the peripherals begin in RAM.
const PERIPHERAL_RAM: u32 = 0x0400_0000;
/// MiBs of the peripherals where the chip has blocks; all others share one.
/// Source: facts/soc.md, facts/display.md 0.
const BLOCKS: [std::ops::Range<u32>; 4] = [0x100..0x110, 0x110..0x118, 0x140..0x141, 0x150..0x151];
/// Supervisor mode, ARM state, no interrupts.
const SUPERVISOR: u32 = 0x1D3;
const THUMB: u32 = 0x20;
/// A section: normal cached memory, full access, domain 0.
const SECTION: u32 = 0xC0E;
const NEVER_EXECUTED: u32 = 0x10;

/// Start-up code: r0 translation table, r1 domains, r2 vectors, r3 access to
/// and r4 switch of the floating-point unit.
const STARTUP_CODE: [u32; 11] = [
    0xEE02_0F10, // mcr p15, 0, r0, c2, c0, 0   TTBR0
    0xEE03_1F10, // mcr p15, 0, r1, c3, c0, 0   DACR
    0xEE0C_2F10, // mcr p15, 0, r2, c12, c0, 0  VBAR
    0xEE01_3F50, // mcr p15, 0, r3, c1, c0, 2   CPACR
    0xF57F_F06F, // isb
    0xEEE8_4A10, // vmsr fpexc, r4
    0xEE11_5F10, // mrc p15, 0, r5, c1, c0, 0   SCTLR
    0xE385_5001, // orr r5, r5, #1              MMU on
    0xE3C5_5002, // bic r5, r5, #2              unaligned accesses allowed
    0xEE01_5F10, // mcr p15, 0, r5, c1, c0, 0
    0xF57F_F06F, // isb
];

/// Where the CPU stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// The function returned.
    Returned,
    /// It called the service function with this place in the table.
    Service(usize),
    /// It is about to read a peripheral: [`Machine::pass`] goes on.
    Read(u32),
    /// It has written a peripheral.
    Written(u32),
    /// It is at a breakpoint that was asked for.
    At(u32),
    /// It did what a CPU refuses: access to no memory, no instruction. The
    /// vector's number.
    Fault(u32),
    /// It ran for too long.
    TimeUp,
}

/// A CPU with an LK in its memory.
pub struct Machine {
    gdb: Gdb,
    /// The code, to see which address an instruction accesses.
    code: Vec<u8>,
    /// Registers at the last stop.
    pub registers: Registers,
}

impl Machine {
    /// Starts `qemu` and puts `image` where the preloader would.
    ///
    /// # Errors
    /// The program is missing or does not do as expected.
    pub fn start(qemu: &str, image: &Image<'_>) -> io::Result<Self> {
        let child = Command::new(qemu)
            .args(["-M", "none", "-cpu", "cortex-a7", "-m", "128M"])
            .args(["-nodefaults", "-display", "none", "-monitor", "none"])
            .args(["-serial", "none", "-S", "-gdb", "stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut machine = Self {
            gdb: Gdb::new(child)?,
            code: image.payload().to_vec(),
            registers: [0; 17],
        };
        machine.set_up()?;
        Ok(machine)
    }

    fn set_up(&mut self) -> io::Result<()> {
        let gdb = &mut self.gdb;
        gdb.write(TRANSLATION, &translation())?;
        gdb.write(STARTUP, &bytes(&STARTUP_CODE))?;
        // nop, where the CPU stops and whence it goes on; bx lr.
        let trampoline = [0xE1A0_0000, 0xE12F_FF1E];
        gdb.write(
            TRAMPOLINES,
            &bytes(&trampoline.repeat(TRAMPOLINE_COUNT as usize)),
        )?;
        let services: Vec<u32> = (1..=SERVICE_ENTRIES).map(trampoline_at).collect();
        gdb.write(SERVICE_TABLE, &bytes(&services))?;
        let done = STARTUP + 4 * STARTUP_CODE.len() as u32;
        gdb.breakpoints(true, &[done])?;
        let start = [
            (0, TRANSLATION),
            (1, 1),
            (2, VECTORS),
            (3, 0x00F0_0000),
            (4, 0x4000_0000),
            (16, SUPERVISOR),
            (15, STARTUP),
        ];
        let stop = gdb.run(&start, Instant::now() + Duration::from_secs(10))?;
        let registers = gdb.registers()?;
        if stop != Stop::Break || registers[15] != done {
            let why = format!("the emulated CPU did not start: {:#x}", registers[15]);
            return Err(io::Error::other(why));
        }
        gdb.breakpoints(false, &[done])?;
        let trampolines: Vec<u32> = (0..TRAMPOLINE_COUNT).map(trampoline_at).collect();
        gdb.breakpoints(true, &trampolines)?;
        let vectors: Vec<u32> = (0..8).map(|vector| VECTORS + 4 * vector).collect();
        gdb.breakpoints(true, &vectors)?;
        gdb.watch(true, PERIPHERALS.0, PERIPHERALS.1)?;
        // Only now is the image where it belongs.
        gdb.write(BASE, &self.code)
    }

    /// Sets up a call of `function` and runs to the first stop.
    ///
    /// # Errors
    /// The connection broke.
    pub fn call(
        &mut self,
        function: u32,
        arguments: &[u32],
        deadline: Instant,
    ) -> io::Result<Halt> {
        let thumb = if function & 1 == 1 { THUMB } else { 0 };
        let mut registers = vec![
            (16, SUPERVISOR | thumb),
            (13, STACK),
            (14, TRAMPOLINES),
            (15, function & !1),
        ];
        registers.extend(arguments.iter().copied().enumerate().take(4));
        self.go(&registers, deadline)
    }

    /// Goes on behind a service function, with its result if it has one.
    ///
    /// # Errors
    /// The connection broke.
    pub fn answer(&mut self, result: Option<u32>, deadline: Instant) -> io::Result<Halt> {
        let mut registers = vec![(15, self.registers[15] + 4)];
        registers.extend(result.map(|result| (0, result)));
        self.go(&registers, deadline)
    }

    /// Goes on where the CPU is, or at its link register with `result`, as if
    /// the function that it just entered had returned.
    ///
    /// # Errors
    /// The connection broke.
    pub fn skip_function(&mut self, result: u32, deadline: Instant) -> io::Result<Halt> {
        let link = self.registers[14];
        let state = self.registers[16] & !THUMB | if link & 1 == 1 { THUMB } else { 0 };
        self.go(&[(0, result), (16, state), (15, link & !1)], deadline)
    }

    /// Goes on.
    ///
    /// # Errors
    /// The connection broke.
    pub fn resume(&mut self, deadline: Instant) -> io::Result<Halt> {
        self.go(&[], deadline)
    }

    /// Lets the read happen that the CPU stopped before, and goes on.
    ///
    /// # Errors
    /// The connection broke.
    pub fn pass(&mut self, deadline: Instant) -> io::Result<Halt> {
        self.step_unwatched()?;
        self.resume(deadline)
    }

    fn step_unwatched(&mut self) -> io::Result<()> {
        self.gdb.watch(false, PERIPHERALS.0, PERIPHERALS.1)?;
        self.gdb.step()?;
        self.gdb.watch(true, PERIPHERALS.0, PERIPHERALS.1)
    }

    /// Goes on over a breakpoint.
    ///
    /// # Errors
    /// The connection broke.
    pub fn step_over(&mut self, also: &[u32], deadline: Instant) -> io::Result<Halt> {
        let stop = self.gdb.step()?;
        let halt = self.halt(stop)?;
        match halt {
            // A step ends like a breakpoint; go on if there is none.
            Halt::At(address) if !also.contains(&address) => self.resume(deadline),
            halt => Ok(halt),
        }
    }

    fn go(&mut self, registers: &[(usize, u32)], deadline: Instant) -> io::Result<Halt> {
        let stop = self.gdb.run(registers, deadline)?;
        self.halt(stop)
    }

    fn halt(&mut self, stop: Stop) -> io::Result<Halt> {
        self.registers = self.gdb.registers()?;
        let pc = self.registers[15];
        let trampoline = pc.wrapping_sub(TRAMPOLINES);
        Ok(match stop {
            Stop::Read => Halt::Read(self.accessed()),
            Stop::Write => {
                let address = self.accessed();
                self.step_unwatched()?;
                Halt::Written(address)
            }
            Stop::TimeUp => Halt::TimeUp,
            Stop::Break if trampoline == 0 => Halt::Returned,
            Stop::Break if trampoline.is_multiple_of(8) && trampoline / 8 < TRAMPOLINE_COUNT => {
                Halt::Service((trampoline / 8 - 1) as usize)
            }
            Stop::Break if pc.wrapping_sub(VECTORS) < 0x20 => self.fault((pc - VECTORS) / 4)?,
            Stop::Break => Halt::At(pc),
        })
    }

    /// The peripheral that the current instruction accesses; the first of all
    /// if the instruction is not understood.
    fn accessed(&self) -> u32 {
        let at = (self.registers[15].wrapping_sub(BASE)) as usize;
        let code = self.code.get(at..).unwrap_or_default();
        let address = accesses::accessed(code, &self.registers);
        let inside = |address: &u32| address.wrapping_sub(PERIPHERALS.0) < PERIPHERALS.1;
        address.filter(inside).unwrap_or(PERIPHERALS.0)
    }

    /// Shows the registers of the code that faulted.
    fn fault(&mut self, vector: u32) -> io::Result<Halt> {
        let at = self.registers[14].wrapping_sub(if vector == 4 { 8 } else { 4 });
        self.gdb.set(&[(16, SUPERVISOR)])?;
        self.registers = self.gdb.registers()?;
        self.registers[15] = at;
        Ok(Halt::Fault(vector))
    }

    /// Sets or takes away breakpoints.
    ///
    /// # Errors
    /// The connection broke.
    pub fn breakpoints(&mut self, set: bool, addresses: &[u32]) -> io::Result<()> {
        self.gdb.breakpoints(set, addresses)
    }

    /// Memory, if all of it is RAM of the machine that the code can reach.
    ///
    /// # Errors
    /// The connection broke.
    pub fn read(&mut self, address: u32, length: usize) -> io::Result<Option<Vec<u8>>> {
        if !mapped(address, length) {
            return Ok(None);
        }
        let mut out = vec![0; length];
        self.gdb.read(address, &mut out)?;
        Ok(Some(out))
    }

    /// Writes memory; whether all of it is RAM that the code can reach.
    ///
    /// # Errors
    /// The connection broke.
    pub fn write(&mut self, address: u32, data: &[u8]) -> io::Result<bool> {
        let there = mapped(address, data.len());
        if there {
            self.gdb.write(address, data)?;
        }
        Ok(there)
    }

    /// A peripheral's word.
    ///
    /// # Errors
    /// The connection broke.
    pub fn peripheral(&mut self, address: u32) -> io::Result<u32> {
        let mut word = [0; 4];
        self.gdb.read(address & !3, &mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    /// Sets what the next read of a peripheral's word gives.
    ///
    /// # Errors
    /// The connection broke.
    pub fn set_peripheral(&mut self, address: u32, value: u32) -> io::Result<()> {
        self.gdb.write(address & !3, &value.to_le_bytes())
    }
}

/// A translation table of sections of a MiB.
fn translation() -> Vec<u8> {
    let mut table = vec![0; 16 << 10];
    let mut map = |section: u32, to: u32, flags: u32| {
        let at = 4 * section as usize;
        if let Some(entry) = table.get_mut(at..at + 4) {
            entry.copy_from_slice(&(to | SECTION | flags).to_le_bytes());
        }
    };
    for n in 0..2 {
        map((VECTORS >> 20) + n, VECTORS + (n << 20), 0);
    }
    for n in 0..DRAM.1 >> 20 {
        map((DRAM.0 >> 20) + n, n << 20, 0);
    }
    let mut next = PERIPHERAL_RAM + (1 << 20);
    let first = PERIPHERALS.0 >> 20;
    for section in first..first + (PERIPHERALS.1 >> 20) {
        if BLOCKS.iter().any(|blocks| blocks.contains(&section)) {
            map(section, next, NEVER_EXECUTED);
            next += 1 << 20;
        } else {
            map(section, PERIPHERAL_RAM, NEVER_EXECUTED);
        }
    }
    table
}

fn mapped(address: u32, length: usize) -> bool {
    let Some(end) = u32::try_from(length)
        .ok()
        .and_then(|n| address.checked_add(n))
    else {
        return false;
    };
    let within = |start: u32, length: u32| address >= start && end <= start + length;
    within(DRAM.0, DRAM.1) || within(SCRATCH, 0x1000) || within(STACK_END, 0x10_0000)
}

fn trampoline_at(number: u32) -> u32 {
    TRAMPOLINES + 8 * number
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
