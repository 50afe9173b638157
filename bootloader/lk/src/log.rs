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
const QUEUE: usize = 8192;

/// Lines that the screen can show, and how much of each.
const RECENT: usize = 16;
const RECENT_LEN: usize = 96;

/// A UART that takes nothing for so long does not work: at 9600 baud, the
/// slowest rate, its FIFO is empty after 17 ms.
const STALL: time::Micros = time::Micros::from_ms(100);

/// What the UART's FIFO of 16 bytes lasts for at 921600 baud.
pub const FIFO_TIME: time::Micros = time::Micros(170);

struct State {
    log: Option<Log<'static>>,
    uart: Option<Uart>,
    queue: Deque<u8, QUEUE>,
    /// The last lines, for the screen.
    recent: Deque<String<RECENT_LEN>, RECENT>,
    frame: Vec<u8, FRAME>,
}

struct Local(UnsafeCell<State>);
// SAFETY: one core, interrupts masked; `state` says who holds the state when.
unsafe impl Sync for Local {}

static STATE: Local = Local(UnsafeCell::new(State {
    log: None,
    uart: None,
    queue: Deque::new(),
    recent: Deque::new(),
    frame: Vec::new(),
}));

fn state() -> &'static mut State {
    // SAFETY: see `Sync`. No function below keeps the reference over a call
    // of another one, and none is entered twice, except by an exception or a
    // panic, after which the interrupted function never runs again.
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
    keep(&line.0);
    remember(&line.0);
    for byte in line.0.bytes().chain(*b"\r\n") {
        if state().queue.is_full() {
            flush();
        }
        let _ = state().queue.push_back(byte);
    }
    pump();
}

/// Keeps the start of a line for the screen.
fn remember(line: &str) {
    let recent = &mut state().recent;
    if recent.is_full() {
        recent.pop_front();
    }
    let mut short = String::new();
    for character in line.chars() {
        if short.push(character).is_err() {
            break;
        }
    }
    // There is room: the oldest has gone.
    let _ = recent.push_back(short);
}

/// Shows the last lines, the oldest first.
pub fn recent(mut show: impl FnMut(&str)) {
    for place in 0..RECENT {
        let line = state().recent.iter().nth(place).cloned();
        if let Some(line) = line {
            show(&line);
        }
    }
}

/// Appends a line of less weight: when the queue is half full, for it must
/// not make the boot wait, only to the kept log.
pub fn detail(text: fmt::Arguments<'_>) {
    let mut line = Cut(String::new());
    let _ = write!(line, "  {text}");
    keep(&line.0);
    if state().queue.len() < QUEUE / 2 {
        for byte in line.0.bytes().chain(*b"\r\n") {
            let _ = state().queue.push_back(byte);
        }
    }
}

/// Writes text to the kept log alone. A full log says so through `lost`.
fn keep(text: &str) {
    if let Some(log) = &mut state().log {
        let _ = log.append(Kind::Text, text.as_bytes());
    }
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
/// power-off. A UART that does not move is given up, for good: waiting for it
/// again with each line would keep the phone from booting.
pub fn flush() {
    while waiting() != 0 {
        let before = waiting();
        let moved = || {
            pump();
            waiting() < before
        };
        if state().uart.is_none() || time::poll(STALL, moved).is_err() {
            give_up();
            return;
        }
    }
    if let Some(uart) = &mut state().uart {
        uart.flush();
    }
}

/// Bytes that the UART has not taken yet.
fn waiting() -> usize {
    state().queue.len()
}

/// From here on only the kept log is written.
fn give_up() {
    let State { uart, queue, .. } = state();
    queue.clear();
    if uart.take().is_some() {
        keep("UART-STUCK the UART sends nothing: going on without it");
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
