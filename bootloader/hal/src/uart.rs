//! The UART: a 16550 with MediaTek's finer baud generator.
//!
//! Polled, because it carries the log, which must also work in an exception
//! handler. A UART that does not move (no clock, held by flow control) costs
//! one time-out in all, not one a character.
//!
//! Source: facts/soc.md 4.1 and 4.2.

use crate::reg::{Write, assert_offsets};
use crate::time::{Micros, poll};
use bitbybit::bitfield;
use core::fmt;
use volatile_register::{RO, RW};

/// Clock of both UARTs when their mux selects the crystal.
pub const CLOCK_HZ: u32 = 26_000_000;
/// The shared interrupts of UART0 and UART1, both active low. Source:
/// facts/soc.md 1.7.
pub const SPIS: [u32; 2] = [31, 32];
/// A rate that a plain 16550 makes of [`CLOCK_HZ`] with 1 % to spare.
pub const PLAIN_BAUD: u32 = 115_200;
/// Depth of the transmit FIFO that every 16550 has.
const FIFO_BYTES: usize = 16;
/// Longest wait for room in the transmitter. A character at the slowest
/// usable rate (9600 baud) takes 1.04 ms, a full FIFO 17 ms.
const ROOM_TIMEOUT: Micros = Micros(20_000);

/// Registers of one UART.
#[repr(C)]
pub struct RegisterBlock {
    /// Received byte (read), byte to send (write); divisor low with DLAB.
    data: RW<u32>,
    /// Interrupt enable; divisor high with DLAB.
    ier: RW<u32>,
    /// Interrupt identification (read), FIFO control (write).
    fcr: RW<u32>,
    /// Line control; bit 7 is DLAB.
    lcr: RW<u32>,
    /// Modem control.
    mcr: RW<u32>,
    /// Line status.
    lsr: RO<u32>,
    /// Modem status.
    msr: RO<u32>,
    /// Scratch.
    scr: RW<u32>,
    /// Automatic baud detection.
    autobaud_en: RW<u32>,
    /// Sampling: 0 = 16 per bit, 1 = 8, 2 = 4, 3 = `sample_count` + 1.
    highspeed: RW<u32>,
    /// Clocks a bit, less one, when `highspeed` is 3.
    sample_count: RW<u32>,
    /// Clock within a bit at which it is sampled.
    sample_point: RW<u32>,
    _reserved: [u32; 3],
    /// Guard time between characters.
    guard: RW<u32>,
    /// Escape character of software flow control.
    escape_dat: RW<u32>,
    /// Escaping on; the modem's use of the pads leaves it on.
    escape_en: RW<u32>,
    /// Stop the clock when idle.
    sleep_en: RW<u32>,
    /// FIFOs served by DMA.
    vfifo_en: RW<u32>,
}

assert_offsets!(RegisterBlock {
    lsr: 0x14,
    highspeed: 0x24,
    sample_point: 0x2c,
    guard: 0x3c,
    escape_en: 0x44,
    vfifo_en: 0x4c,
});

/// LSR: what the line and the FIFOs are up to.
#[bitfield(u32)]
struct LineStatus {
    /// A received byte waits.
    #[bit(0, r)]
    data_ready: bool,
    /// The transmitter takes a byte.
    #[bit(5, r)]
    transmit_room: bool,
    /// FIFO and shift register are empty.
    #[bit(6, r)]
    transmit_done: bool,
}

const LCR_8N1: u32 = 0x03;
/// Puts EFR where FCR is.
const LCR_ENHANCED: u32 = 0xbf;
const LCR_DLAB: u32 = 0x80;
const FCR_ENABLE_AND_CLEAR: u32 = 0x07;

/// Settings of the baud generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct BaudSetting {
    highspeed: u32,
    divisor: u32,
    count: u32,
    point: u32,
}

impl BaudSetting {
    /// Up to 115200 baud the plain 16550 way, above it by sample count.
    fn for_baud(baud: u32) -> Self {
        let baud = baud.clamp(300, CLOCK_HZ / 4);
        if baud <= 115_200 {
            return Self {
                highspeed: 0,
                divisor: (CLOCK_HZ + 8 * baud) / (16 * baud),
                count: 0,
                point: 0,
            };
        }
        let divisor = ((CLOCK_HZ / baud) >> 8) + 1;
        let rate = baud * divisor;
        let count = (CLOCK_HZ + rate / 2) / rate - 1;
        Self {
            highspeed: 3,
            divisor,
            count,
            point: (count - 1) >> 1,
        }
    }
}

/// One UART.
pub struct Uart {
    regs: &'static RegisterBlock,
    /// Waits that ended in vain since the last byte that left. A count rather
    /// than a flag, so that "no UART" is all zeroes to whoever keeps one.
    timeouts: u32,
}

impl Uart {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs, timeouts: 0 }
    }

    /// 8N1 at `baud` with FIFOs, no interrupts, no escaping, no flow control:
    /// nothing may hold the transmitter. What a predecessor still has in the transmitter is sent first. The block's
    /// clock gate must be open and its mux on the crystal.
    pub fn init(&mut self, baud: u32) {
        self.flush();
        let setting = BaudSetting::for_baud(baud);
        let regs = self.regs;
        regs.ier.put(0);
        regs.escape_en.put(0);
        regs.lcr.put(LCR_ENHANCED);
        regs.fcr.put(0);
        regs.lcr.put(LCR_8N1);
        regs.mcr.put(0);
        regs.fcr.put(FCR_ENABLE_AND_CLEAR);
        regs.highspeed.put(setting.highspeed);
        regs.lcr.put(LCR_8N1 | LCR_DLAB);
        regs.data.put(setting.divisor & 0xff);
        regs.ier.put(setting.divisor >> 8);
        regs.lcr.put(LCR_8N1);
        regs.sample_count.put(setting.count);
        regs.sample_point.put(setting.point);
        self.timeouts = 0;
    }

    /// Sends a byte if the transmitter has room; says whether it had.
    pub fn try_put(&mut self, byte: u8) -> bool {
        let room = self.line().transmit_room();
        if room {
            self.timeouts = 0;
            self.regs.data.put(u32::from(byte));
        }
        room
    }

    /// Bytes that can be put right now: a whole FIFO once the last one is
    /// empty, for callers that have better things to do than wait.
    pub fn room(&mut self) -> usize {
        if self.line().transmit_room() {
            self.timeouts = 0;
            FIFO_BYTES
        } else {
            0
        }
    }

    /// Puts a byte into the room that [`Uart::room`] reported.
    pub fn put_unchecked(&mut self, byte: u8) {
        self.regs.data.put(u32::from(byte));
    }

    /// Sends a byte, waiting for room. A byte that cannot be sent is dropped.
    pub fn putc(&mut self, byte: u8) {
        if self.try_put(byte) || self.is_stuck() {
            return;
        }
        match poll(ROOM_TIMEOUT, || self.line().transmit_room()) {
            Ok(()) => self.regs.data.put(u32::from(byte)),
            Err(_) => self.timeouts += 1,
        }
    }

    /// A received byte, if there is one.
    pub fn getc(&mut self) -> Option<u8> {
        self.line()
            .data_ready()
            .then(|| self.regs.data.read() as u8)
    }

    /// Waits, with a limit, until the last bit has left.
    pub fn flush(&mut self) {
        if !self.is_stuck() && poll(ROOM_TIMEOUT, || self.line().transmit_done()).is_err() {
            self.timeouts += 1;
        }
    }

    fn is_stuck(&self) -> bool {
        self.timeouts != 0
    }

    fn line(&self) -> LineStatus {
        LineStatus::new_with_raw_value(self.regs.lsr.read())
    }
}

impl fmt::Write for Uart {
    /// Sends text; a line feed becomes carriage return and line feed. Never
    /// fails: a log that cannot be sent must not stop a boot.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in with_carriage_returns(text.bytes()) {
            self.putc(byte);
        }
        Ok(())
    }
}

/// What a terminal wants to see at the end of a line.
fn with_carriage_returns(bytes: impl Iterator<Item = u8>) -> impl Iterator<Item = u8> {
    bytes.flat_map(|byte| (byte == b'\n').then_some(b'\r').into_iter().chain([byte]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::reg::{leaked, poke};
    use crate::time::{clock, ticks};
    use core::fmt::Write as _;

    #[test]
    fn baud_settings_are_those_of_the_vendor() {
        let fast = BaudSetting::for_baud(921_600);
        assert_eq!(fast.highspeed, 3);
        assert_eq!((fast.divisor, fast.count, fast.point), (1, 27, 13));
        let slow = BaudSetting::for_baud(115_200);
        assert_eq!((slow.highspeed, slow.divisor), (0, 14));
        // Nonsense from a boot argument must not divide by zero.
        BaudSetting::for_baud(0);
        BaudSetting::for_baud(u32::MAX);
    }

    #[test]
    fn init_programs_the_line_and_stops_escaping() {
        let regs: &RegisterBlock = leaked();
        poke(&regs.lsr, 0x60);
        regs.escape_en.put(1);
        regs.mcr.put(0x10);
        Uart::new(regs).init(921_600);
        assert_eq!(regs.lcr.read(), 3);
        assert_eq!(regs.fcr.read(), 7);
        assert_eq!(regs.mcr.read(), 0);
        assert_eq!(regs.highspeed.read(), 3);
        assert_eq!(regs.sample_count.read(), 27);
        assert_eq!(regs.sample_point.read(), 13);
        assert_eq!(regs.escape_en.read(), 0);
    }

    #[test]
    fn text_gets_carriage_returns() {
        let cooked: Vec<u8> = with_carriage_returns(b"a\nb".iter().copied()).collect();
        assert_eq!(cooked, b"a\r\nb");
    }

    #[test]
    fn a_byte_waits_for_room() {
        let regs: &'static RegisterBlock = leaked();
        let mut reads = 0;
        clock::each_tick(move || {
            reads += 1;
            poke(&regs.lsr, if reads > 20 { 0x60 } else { 0 });
        });
        let mut uart = Uart::new(regs);
        assert!(!uart.try_put(b'x'));
        write!(uart, "x").unwrap();
        assert_eq!(regs.data.read(), u32::from(b'x'));
        assert!(uart.getc().is_none());
    }

    #[test]
    fn a_dead_line_costs_one_timeout_in_all() {
        let mut uart = Uart::new(leaked());
        let before = ticks();
        for _ in 0..100 {
            uart.putc(b'x');
        }
        assert!(ticks().wrapping_sub(before) < 2 * 20_000 * 13);
    }
}
