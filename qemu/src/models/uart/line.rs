//! How long a character takes on the wire, and what of the transmit FIFO has
//! left by now. Source: facts/soc.md 4.1.

use crate::bus::Nanos;

/// Depth of the transmit and of the receive FIFO.
pub const FIFO_DEPTH: usize = 16;

/// The settings that make the baud rate and the frame.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Source clock: 26 or 52 MHz.
    pub clock_hz: u64,
    /// HIGHSPEED: 0 = 16 samples a bit, 1 = 8, 2 = 4, 3 = SAMPLE_COUNT + 1.
    pub highspeed: u32,
    /// SAMPLE_COUNT.
    pub sample_count: u32,
    /// DLH:DLL.
    pub divisor: u16,
    /// LCR: word length, stop bits, parity.
    pub lcr: u8,
}

impl Format {
    /// Source clock cycles of one bit; 0 while no divisor is set.
    fn cycles_per_bit(self) -> u64 {
        let samples = match self.highspeed & 3 {
            0 => 16,
            1 => 8,
            2 => 4,
            _ => u64::from(self.sample_count) + 1,
        };
        samples * u64::from(self.divisor)
    }

    /// Start, data, parity and stop bits, in half bits.
    fn half_bits(self) -> u64 {
        let data = 5 + u64::from(self.lcr & 3);
        let parity = u64::from(self.lcr >> 3 & 1);
        let stop = match (self.lcr & 4 != 0, data) {
            (false, _) => 2,
            (true, 5) => 3,
            (true, _) => 4,
        };
        2 * (1 + data + parity) + stop
    }

    /// Time of one character; 0 while no divisor is set.
    pub fn frame(self) -> Nanos {
        self.half_bits() * self.cycles_per_bit() * 1_000_000_000 / (2 * self.clock_hz)
    }
}

/// The transmitter: characters are handed to the host when they are written,
/// but the FIFO and the shift register empty at the speed of the line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transmitter {
    /// When the last character will have left.
    idle_at: Nanos,
}

impl Transmitter {
    /// TEMT: everything has left.
    pub fn idle(self, now: Nanos) -> bool {
        now >= self.idle_at
    }

    /// When the FIFO (or THR) is empty, the last character being on the wire.
    pub fn holding_empty_at(self, frame: Nanos) -> Nanos {
        self.idle_at.saturating_sub(frame)
    }

    /// THRE.
    pub fn holding_empty(self, now: Nanos, frame: Nanos) -> bool {
        now >= self.holding_empty_at(frame)
    }

    /// Whether the holding register or FIFO has no room for another one.
    pub fn full(self, now: Nanos, frame: Nanos, fifo: bool) -> bool {
        let waiting = if frame == 0 {
            0
        } else {
            self.idle_at.saturating_sub(now).div_ceil(frame)
        };
        let room = if fifo { FIFO_DEPTH as u64 } else { 1 };
        waiting > room
    }

    /// One character more.
    pub fn push(&mut self, now: Nanos, frame: Nanos) {
        self.idle_at = self.idle_at.max(now) + frame;
    }

    /// FIFO cleared: only what is on the wire still leaves.
    pub fn clear(&mut self, now: Nanos, frame: Nanos) {
        self.idle_at = self.idle_at.min(now + frame);
    }
}
