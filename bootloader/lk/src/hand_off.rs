//! The last steps: what the kernel is handed, every block quiet, the jump.
//!
//! Source: facts/soc.md 12.2; facts/storage-and-images.md 6; docs/entry-contract.md.

pub mod tags;
pub mod tree;

use core::fmt::Write;

use mt6572_hal::time::Micros;
use mt6572_hal::uart;

use crate::log::{self, say};
use crate::storage::Disk;
use crate::wake::Phone;

/// A kernel that is ready to run.
#[derive(Clone, Copy)]
pub struct Kernel {
    /// First instruction.
    pub entry: u32,
    /// r0, r1, r2.
    pub registers: [u32; 3],
    /// How long the watchdog waits for the kernel; `None` stops it.
    pub watchdog: Option<Micros>,
    /// The kernel drives the log's UART as a plain 16550.
    pub plain_uart: bool,
}

unsafe extern "C" {
    /// In `start.s`: caches and MMU off, registers set, gone.
    fn leave(entry: u32, r0: u32, r1: u32, r2: u32) -> !;
}

/// Starts the kernel.
pub fn jump(mut phone: Phone, mut disk: Disk, kernel: Kernel) -> ! {
    if let Err(error) = disk.storage.quiesce(&mut phone.hal.topckgen) {
        say!("{} the eMMC is not at rest: {error}", error.code());
    }
    let [r0, r1, r2] = kernel.registers;
    say!(
        "kernel at {:#x}, r1 {r1:#x}, r2 {r2:#x}; heap {} bytes",
        kernel.entry,
        crate::heap::peak()
    );
    phone.hal.toprgu.kick();
    log::flush();
    if kernel.plain_uart {
        log::make_plain();
    }
    // Kernels without a driver for the polarity inverter need at least their
    // console's line the right way round; the others set it themselves.
    for spi in uart::SPIS {
        phone.hal.mcusys.set_active_low(spi, true);
    }
    // As the vendor's loader leaves it: mainline's power domains and CPU
    // hot-plug write to the SPM and never unlock it.
    phone.hal.spm.unlock();
    phone.hal.gic.quiesce();
    phone.hal.eint.quiesce();
    match kernel.watchdog {
        Some(limit) => {
            phone.hal.toprgu.start(limit);
            phone.hal.toprgu.kick();
        }
        None => phone.hal.toprgu.stop(),
    }
    log::complete();
    // SAFETY: the kernel was loaded and checked, lies in DRAM, and from here
    // on nothing of this program is needed: interrupts are off, no DMA runs.
    unsafe { leave(kernel.entry, r0, r1, r2) }
}

/// The phone's serial number: the two words of the chip's unique ID.
fn serial_number(phone: &Phone) -> Option<heapless::String<16>> {
    let [low, high] = phone.devinfo.unique_id();
    if (low, high) == (0, 0) || (low, high) == (!0, !0) {
        return None;
    }
    let mut text = heapless::String::new();
    write!(text, "{high:08X}{low:08X}").ok()?;
    Some(text)
}
