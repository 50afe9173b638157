//! What a model of a block sees of the rest of the phone: time, signals,
//! memory, interrupt lines and the list of guest errors.
//!
//! A model never calls QEMU and never another model. It is given a [`Context`]
//! for the length of one access, so that every model can be driven through
//! its registers by a plain `cargo test`.

use crate::panel::Glass;
use crate::signals::Signals;

/// Virtual time since the phone was switched on, in nanoseconds.
pub type Nanos = u64;

/// How much of a wait may be missing. QEMU advances the ARM counter, with
/// which the guest measures its delays, by one tick of 13 MHz every 76 ns
/// instead of 76.923: what the guest takes for a millisecond are 988 us of
/// virtual time (docs/emulator.md, "Limits"). The rest
/// is for the instructions around a delay.
pub const SHORT_WAIT_PERCENT: Nanos = 2;

/// The least virtual time for which a guest that waits `nominal` has waited.
/// For all waits that a panel, a chip on a bus or the PHY demands of software.
pub const fn granted(nominal: Nanos) -> Nanos {
    nominal - nominal * SHORT_WAIT_PERCENT / 100
}

/// The width of an access in bytes: 1, 2 or 4.
pub type Size = u8;

/// Why a block goes back to its power-on values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// The battery was put in: everything is lost.
    PowerOn,
    /// TOPRGU fired (time-out or software reset): the SoC starts again, while
    /// the PMIC, the RTC, the DRAM contents, TOPRGU's status and its
    /// non-reset registers stay. The eMMC is not reset by it either: it keeps
    /// its supply and has no reset line in use.
    Watchdog,
}

/// One register block. Offsets are relative to the base in the memory map
/// (`machine::MAP`), accesses arrive already checked against the block's gate,
/// power domain and length.
pub trait Block: Send {
    /// The name that reports use, e.g. `"UART0"`.
    fn name(&self) -> &'static str;

    /// Reads a register. An offset that the block does not have is reported
    /// with [`Context::unknown_register`] and reads as 0.
    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32;

    /// Writes a register.
    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>);

    /// Back to the power-on values, as far as `kind` reaches.
    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>);

    /// The next virtual time at which [`Block::tick`] must be called, if any.
    /// Asked again after every access and every tick.
    fn deadline(&self) -> Option<Nanos> {
        None
    }

    /// Time has reached the deadline (or passed it).
    fn tick(&mut self, _cx: &mut Context<'_>) {}

    /// Takes the state in which the preloader leaves the block, where that is
    /// the result of a long negotiation and not of a few register writes.
    fn leave_as_preloader(&mut self, _cx: &mut Context<'_>) {}

    /// A character typed at the phone's serial line, for the UARTs.
    fn receive(&mut self, _byte: u8, _cx: &mut Context<'_>) {}

    /// How many more characters a UART can take before one is lost; what is
    /// typed beyond that waits outside of the phone.
    fn receive_room(&self) -> usize {
        0
    }

    /// What one sees of the phone's screen, for the block that owns the panel.
    fn glass(&self, _cx: &mut Context<'_>) -> Option<Glass> {
        None
    }

    /// Whether the block looks at [`Signals`] that others drive and must hear
    /// of changes at once (EINT, keypad): the machine then calls
    /// [`Block::wires_changed`].
    fn watches_wires(&self) -> bool {
        false
    }

    /// The wires may have changed: called after an access to or a tick of
    /// another block and after an action of the user.
    fn wires_changed(&mut self, _cx: &mut Context<'_>) {}
}

/// Guest memory as a bus master sees it (DMA).
pub trait Memory {
    /// Fills `data` from physical address `addr`; false if nothing answers there.
    fn read(&mut self, addr: u32, data: &mut [u8]) -> bool;
    /// Writes `data` to physical address `addr`; false if nothing answers there.
    fn write(&mut self, addr: u32, data: &[u8]) -> bool;
}

/// What kind of mistake the guest made. The harness counts them; one is
/// enough to fail a boot test of our own image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GuestError {
    /// Nothing is at this address.
    Unmapped,
    /// The block has no such register.
    UnknownRegister,
    /// The register exists but not at this width.
    AccessSize,
    /// The block's clock is gated.
    Gated,
    /// The block's power domain or supply is off.
    Unpowered,
    /// A write without the key that the register demands, to a read-only
    /// register, or of a value that means nothing.
    BadValue,
    /// An operation that the block or the chip behind it refuses now.
    Refused,
    /// A register of which nothing is known here but its place: an error to
    /// images of ours only, and reported at the first touch only.
    Unmodelled,
}

/// One report of a guest error, before the machine adds the PC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What went wrong.
    pub kind: GuestError,
    /// Which block says so.
    pub block: &'static str,
    /// The register offset in the block, or the address where there is none.
    pub offset: u32,
    /// A sentence for a person: what was done and what the block wanted.
    pub message: String,
}

/// Interrupt sources as the blocks drive them, by SPI number. `true` means
/// *active*; the machine turns that into the line's electrical level, applies
/// the SYSIRQ polarity inverter and drives the GIC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IrqSources(pub u128);

impl IrqSources {
    /// Drives source `spi` (0..=127) active or idle.
    pub fn set(&mut self, spi: u8, active: bool) {
        let bit = 1u128 << spi;
        if active {
            self.0 |= bit;
        } else {
            self.0 &= !bit;
        }
    }

    /// Whether source `spi` is active.
    pub fn get(&self, spi: u8) -> bool {
        self.0 >> spi & 1 != 0
    }
}

/// Everything that one access may look at or change outside of its block.
pub struct Context<'a> {
    /// Virtual time of the access.
    pub now: Nanos,
    /// Wires between the blocks and the state of the board.
    pub signals: &'a mut Signals,
    /// Interrupt sources.
    pub irq: &'a mut IrqSources,
    /// Guest memory, for bus masters.
    pub memory: &'a mut dyn Memory,
    /// Guest errors of this access.
    pub reports: &'a mut Vec<Report>,
    /// Bytes that leave the phone on a UART: (port number 0 or 1, byte).
    pub serial: &'a mut Vec<(u8, u8)>,
    /// Lines for the machine log (milestones of the model itself, not errors).
    pub log: &'a mut Vec<String>,
}

impl Context<'_> {
    /// Reports a guest error.
    pub fn report(
        &mut self,
        kind: GuestError,
        block: &'static str,
        offset: u32,
        message: impl Into<String>,
    ) {
        self.reports.push(Report {
            kind,
            block,
            offset,
            message: message.into(),
        });
    }

    /// Reports an access to a register that does not exist; reads return 0.
    pub fn unknown_register(&mut self, block: &'static str, offset: u32, write: bool) -> u32 {
        let what = if write { "write to" } else { "read of" };
        self.report(
            GuestError::UnknownRegister,
            block,
            offset,
            format!("{what} a register that does not exist"),
        );
        0
    }
}

/// A world for tests of one model: owns all that a [`Context`] borrows.
#[derive(Default)]
pub struct TestWorld {
    /// Virtual time; tests move it on by hand.
    pub now: Nanos,
    /// The wires.
    pub signals: Signals,
    /// Interrupt sources.
    pub irq: IrqSources,
    /// Flat memory at address 0x8000_0000; grows on demand up to 16 MiB.
    pub memory: TestMemory,
    /// Guest errors so far.
    pub reports: Vec<Report>,
    /// Serial output so far.
    pub serial: Vec<(u8, u8)>,
    /// Log lines so far.
    pub log: Vec<String>,
}

impl TestWorld {
    /// Lends everything for one access.
    pub fn cx(&mut self) -> Context<'_> {
        Context {
            now: self.now,
            signals: &mut self.signals,
            irq: &mut self.irq,
            memory: &mut self.memory,
            reports: &mut self.reports,
            serial: &mut self.serial,
            log: &mut self.log,
        }
    }

    /// Reads a 32-bit register of `block`.
    pub fn read(&mut self, block: &mut dyn Block, offset: u32) -> u32 {
        block.read(offset, 4, &mut self.cx())
    }

    /// Writes a 32-bit register of `block`.
    pub fn write(&mut self, block: &mut dyn Block, offset: u32, value: u32) {
        block.write(offset, 4, value, &mut self.cx());
    }

    /// Moves time to `to`, calling [`Block::tick`] at every deadline on the way.
    pub fn advance(&mut self, block: &mut dyn Block, to: Nanos) {
        while let Some(at) = block.deadline().filter(|&at| at <= to) {
            self.now = self.now.max(at);
            block.tick(&mut self.cx());
        }
        self.now = to;
    }
}

/// DRAM of a [`TestWorld`].
#[derive(Default)]
pub struct TestMemory(pub Vec<u8>);

/// Where [`TestMemory`] begins.
pub const TEST_MEMORY_BASE: u32 = 0x8000_0000;
const TEST_MEMORY_LIMIT: usize = 16 << 20;

impl TestMemory {
    fn span(&mut self, addr: u32, len: usize) -> Option<&mut [u8]> {
        let start = addr.checked_sub(TEST_MEMORY_BASE)? as usize;
        let end = start
            .checked_add(len)
            .filter(|&end| end <= TEST_MEMORY_LIMIT)?;
        if self.0.len() < end {
            self.0.resize(end, 0);
        }
        Some(&mut self.0[start..end])
    }
}

impl Memory for TestMemory {
    fn read(&mut self, addr: u32, data: &mut [u8]) -> bool {
        self.span(addr, data.len())
            .map(|from| data.copy_from_slice(from))
            .is_some()
    }
    fn write(&mut self, addr: u32, data: &[u8]) -> bool {
        self.span(addr, data.len())
            .map(|to| to.copy_from_slice(data))
            .is_some()
    }
}
