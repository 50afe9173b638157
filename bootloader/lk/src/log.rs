//! What the boot says: plain lines for people, kept in memory that outlives a
//! reset, and on the UART as fast as it goes.
//!
//! A line of text costs a millisecond of UART time, as much as 100 KiB from
//! the eMMC. So [`say!`] writes to the kept log and to a queue, and [`pump`]
//! moves bytes from the queue into the UART's FIFO whenever the boot waits for
//! something else. [`flush`] waits for the rest.

use core::cell::UnsafeCell;
use core::fmt::{self, Write};

use heapless::{Deque, String, Vec};
use mt6572_hal::time;
use mt6572_hal::uart::{PLAIN_BAUD, Uart};
use unilk_core::logmem::{Boot, Kind, Log};

use crate::map;

/// Longest line; what is longer is cut.
const LINE: usize = 240;
/// Longest frame of the trace; what is longer is dropped.
const FRAME: usize = 256;
/// Text that waits for the UART. When it is full, a line waits with it.
const QUEUE: usize = 4096;

/// What the UART's FIFO of 16 bytes lasts for at 921600 baud.
pub const FIFO_TIME: time::Micros = time::Micros(170);

struct State {
    log: Option<Log<'static>>,
    uart: Option<Uart>,
    queue: Deque<u8, QUEUE>,
    frame: Vec<u8, FRAME>,
}

struct Local(UnsafeCell<State>);
// SAFETY: one core, interrupts masked; no function here calls back into it
// while it holds the state.
unsafe impl Sync for Local {}

static STATE: Local = Local(UnsafeCell::new(State {
    log: None,
    uart: None,
    queue: Deque::new(),
    frame: Vec::new(),
}));

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

/// Opens the kept log; returns the boot before this one, if it failed.
pub fn begin() -> Option<Boot<'static>> {
    let region = map::log();
    // SAFETY: the linker script reserves this region for the log alone, it is
    // mapped, and this function is called once.
    let memory = unsafe {
        core::slice::from_raw_parts_mut(
            region.start as *mut u8,
            (region.end - region.start) as usize,
        )
    };
    let log = Log::begin(memory).ok()?;
    let failed = log.failed();
    state().log = Some(log);
    failed
}

/// From here on the text also goes out of `uart`.
pub fn attach(uart: Uart) {
    state().uart = Some(uart);
}

/// Appends one line; see [`say!`].
pub fn line(text: fmt::Arguments<'_>) {
    let now = time::uptime();
    let mut line = Cut(String::new());
    let _ = write!(line, "[{:4}.{:06}] {text}", now.seconds, now.micros);
    let State { log, queue, .. } = state();
    if let Some(log) = log {
        // A full log says so through `lost`; the line still goes out.
        let _ = log.append(Kind::Text, line.0.as_bytes());
    }
    for byte in line.0.bytes().chain(*b"\r\n") {
        if queue.is_full() {
            flush();
        }
        let _ = state().queue.push_back(byte);
    }
    pump();
}

/// Collects one frame of the trace (defmt's encoder).
pub fn trace(bytes: &[u8]) {
    let frame = &mut state().frame;
    if frame.extend_from_slice(bytes).is_err() {
        // Too long: the frame is spoilt, `trace_end` drops it.
        let _ = frame.resize(FRAME, 0);
    }
}

/// Stores the frame.
pub fn trace_end() {
    let State { log, frame, .. } = state();
    if let Some(log) = log
        && !frame.is_full()
    {
        let _ = log.append(Kind::Defmt, frame);
    }
    frame.clear();
}

/// Notes that this boot came to the end that was meant.
pub fn complete() {
    if let Some(log) = &mut state().log {
        log.complete();
    }
}

/// Gives the UART what its FIFO takes, without waiting. True when all is out.
pub fn pump() -> bool {
    let State { uart, queue, .. } = state();
    let Some(uart) = uart else { return true };
    let room = uart.room();
    for _ in 0..room {
        match queue.pop_front() {
            Some(byte) => uart.put_unchecked(byte),
            None => return true,
        }
    }
    queue.is_empty()
}

/// Waits until the last byte has left the UART: before a jump, a reset, a
/// power-off.
pub fn flush() {
    // A full queue at 921600 baud is out in 45 ms, at 9600 in five seconds.
    let _ = time::poll(time::Micros::from_ms(5000), pump);
    if let Some(uart) = &mut state().uart {
        uart.flush();
    }
}

/// Leaves the UART as drivers for a plain 16550 expect it. They program the
/// divisor and know nothing of the registers that make it finer.
pub fn make_plain() {
    if let Some(uart) = &mut state().uart {
        uart.init(PLAIN_BAUD);
    }
}

/// A character that a person typed.
pub fn typed() -> Option<u8> {
    state().uart.as_mut()?.getc()
}

/// A line that swallows what does not fit.
struct Cut(String<LINE>);

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.0.push(character).is_err() {
                break;
            }
        }
        Ok(())
    }
}
