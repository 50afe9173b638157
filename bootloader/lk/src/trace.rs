//! The detailed trace: defmt frames in the kept log. Strings stay in the ELF,
//! so a frame costs a few bytes; `cargo xtask run` and the host tool decode
//! them.

use core::cell::UnsafeCell;

use mt6572_hal::time;

use crate::log;

#[defmt::global_logger]
struct Trace;

struct LocalEncoder(UnsafeCell<defmt::Encoder>);
// SAFETY: one core, interrupts masked: a frame is never interrupted by another.
unsafe impl Sync for LocalEncoder {}

static ENCODER: LocalEncoder = LocalEncoder(UnsafeCell::new(defmt::Encoder::new()));

defmt::timestamp!("{=u64:us}", time::uptime_us());

// SAFETY: `acquire` and `release` bracket every frame on the only core, with
// interrupts masked, so the encoder has one user at a time.
unsafe impl defmt::Logger for Trace {
    fn acquire() {
        // SAFETY: see above.
        unsafe { (*ENCODER.0.get()).start_frame(log::trace) }
    }

    unsafe fn flush() {}

    unsafe fn release() {
        // SAFETY: see above.
        unsafe { (*ENCODER.0.get()).end_frame(log::trace) }
        log::trace_end();
    }

    unsafe fn write(bytes: &[u8]) {
        // SAFETY: see above.
        unsafe { (*ENCODER.0.get()).write(bytes, log::trace) }
    }
}
