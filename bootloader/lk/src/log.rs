//! What the boot says: plain lines for people, kept in memory that outlives a
//! reset, and on the UART as fast as it goes.
//!
//! A line of text costs a millisecond of UART time, as much as 100 KiB from
//! the eMMC. So [`say!`] writes to the kept log only, and [`pump`] moves bytes
//! from there into the UART's FIFO whenever the boot waits for something else.
//! [`flush`] waits for the rest.

use core::cell::UnsafeCell;
use core::fmt::{self, Write};

use mt6572_hal::time;
use mt6572_hal::uart::Uart;
use unilk_core::logmem::{Log, Outcome, Record};

use crate::map;

struct State {
    log: Option<Log<'static>>,
    uart: Option<Uart>,
    /// Bytes of the text that the UART has taken.
    sent: usize,
    /// A carriage return went out for the line feed that comes next.
    returned: bool,
}

struct Local(UnsafeCell<State>);
// SAFETY: one core, interrupts masked; no function here calls back into it
// while it holds the state.
unsafe impl Sync for Local {}

static STATE: Local = Local(UnsafeCell::new(State { log: None, uart: None, sent: 0, returned: false }));

fn state() -> &'static mut State {
    // SAFETY: see `Sync`: the reference never outlives one of the functions
    // below, and none of them is entered twice.
    unsafe { &mut *STATE.0.get() }
}

/// Says one line: time since entry, then the text.
macro_rules! say {
    ($($arg:tt)*) => { $crate::log::line(format_args!($($arg)*)) };
}
pub(crate) use say;

/// Opens the kept log; returns the record of the boot before.
pub fn begin() -> Option<Record<'static>> {
    let region = map::log();
    // SAFETY: the linker script reserves this region for the log alone, it is
    // mapped, and this function is called once.
    let memory =
        unsafe { core::slice::from_raw_parts_mut(region.start as *mut u8, (region.end - region.start) as usize) };
    let (log, previous) = Log::begin(memory)?;
    state().log = Some(log);
    previous
}

/// From here on the text also goes out of `uart`.
pub fn attach(uart: Uart) {
    state().uart = Some(uart);
}

/// Appends one line; see [`say!`].
pub fn line(text: fmt::Arguments<'_>) {
    let now = time::uptime_us();
    let mut out = Text(state());
    let _ = writeln!(out, "[{:4}.{:06}] {text}", now / 1_000_000, now % 1_000_000);
    pump();
}

/// Appends to the trace (defmt's encoder).
pub fn trace(bytes: &[u8]) {
    if let Some(log) = &mut state().log {
        log.append_trace(bytes);
    }
}

/// Notes how the boot ends, for the next one.
pub fn finish(outcome: Outcome) {
    if let Some(log) = &mut state().log {
        log.finish(outcome);
    }
}

/// Gives the UART what its FIFO takes, without waiting. True when all is out.
pub fn pump() -> bool {
    let State { log, uart, sent, returned } = state();
    let (Some(log), Some(uart)) = (log, uart) else { return true };
    let text = log.text();
    while let Some(&byte) = text.get(*sent) {
        if byte == b'\n' && !*returned {
            if !uart.try_put(b'\r') {
                return false;
            }
            *returned = true;
        }
        if !uart.try_put(byte) {
            return false;
        }
        *returned = false;
        *sent += 1;
    }
    true
}

/// Waits until the last byte has left the UART: before a jump, a reset, a
/// power-off.
pub fn flush() {
    // A full log at 921600 baud is out in a third of a second.
    let _ = time::poll(time::Micros::from_ms(2000), pump);
    if let Some(uart) = &mut state().uart {
        uart.flush();
    }
}

/// A character that a person typed.
pub fn typed() -> Option<u8> {
    state().uart.as_mut()?.getc()
}

struct Text<'a>(&'a mut State);

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if let Some(log) = &mut self.0.log {
            log.append_text(text.as_bytes());
        }
        Ok(())
    }
}
