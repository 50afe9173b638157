//! What happens when nothing should: CPU exceptions and panics. Both print
//! what they know, mark the log, and wait for the watchdog, which is running.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use aarch32_cpu::register::{Dfar, Dfsr, Ifar, Ifsr};

use crate::log::{self, say};

/// Registers as `start.s` pushes them.
#[repr(C)]
pub struct Frame {
    cpsr: u32,
    sp: u32,
    lr: u32,
    r: [u32; 13],
    pc: u32,
}

const NAMES: [&str; 7] = [
    "undefined instruction",
    "supervisor call",
    "prefetch abort",
    "data abort",
    "reserved vector",
    "unexpected IRQ",
    "unexpected FIQ",
];
const PREFETCH: u32 = 2;
const DATA: u32 = 3;

static DYING: AtomicBool = AtomicBool::new(false);

/// Called by the vectors in `start.s`.
///
/// # Safety
///
/// Only the vectors may call this, with a frame on the exception stack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn exception(kind: u32, frame: &Frame) -> ! {
    die_once();
    let name = NAMES.get(kind as usize).unwrap_or(&"exception");
    say!("CPU-TRAP {name} at {:08x}", frame.pc);
    match kind {
        PREFETCH => say!(
            "  fault address {:08x}, status {:03x}",
            Ifar::read().0,
            Ifsr::read().raw_value()
        ),
        DATA => say!(
            "  fault address {:08x}, status {:03x}",
            Dfar::read().0,
            Dfsr::read().raw_value()
        ),
        _ => {}
    }
    let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12] = frame.r;
    say!("  r0  {r0:08x} {r1:08x} {r2:08x} {r3:08x}");
    say!("  r4  {r4:08x} {r5:08x} {r6:08x} {r7:08x}");
    say!("  r8  {r8:08x} {r9:08x} {r10:08x} {r11:08x}  r12 {r12:08x}");
    say!(
        "  sp {:08x}  lr {:08x}  cpsr {:08x}",
        frame.sp,
        frame.lr,
        frame.cpsr
    );
    die()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    die_once();
    match info.location() {
        Some(place) => say!(
            "LK-PANIC {} ({}:{})",
            info.message(),
            place.file(),
            place.line()
        ),
        None => say!("LK-PANIC {}", info.message()),
    }
    die()
}

/// A second failure while the first is being told ends in silence.
fn die_once() {
    // Load and store instead of a swap: exclusive accesses need not ever
    // succeed while the MMU is off, and only one core is here.
    if DYING.load(Ordering::Relaxed) {
        wait_for_watchdog();
    }
    DYING.store(true, Ordering::Relaxed);
}

fn die() -> ! {
    say!("the watchdog will restart the phone; this log is kept and shown by the next boot");
    log::flush();
    wait_for_watchdog()
}

/// Does nothing until the watchdog acts.
pub fn wait_for_watchdog() -> ! {
    // SAFETY: nobody else's code runs again after this.
    let mut hal = unsafe { mt6572_hal::Peripherals::steal() };
    // A transfer that was under way would end every WFI at once.
    hal.gic.quiesce();
    loop {
        aarch32_cpu::asm::wfi();
    }
}
