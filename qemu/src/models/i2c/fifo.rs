//! The FIFO of an I2C controller: eight bytes for both directions.
//!
//! Source: facts/i2c-touch-camera.md 1.3 (FIFO_STAT), 1.11.

/// Bytes that fit.
pub const DEPTH: usize = 8;

/// See the module documentation.
#[derive(Default)]
pub struct Fifo {
    bytes: [u8; DEPTH],
    written: u32,
    read: u32,
}

impl Fifo {
    /// Bytes in it.
    pub fn len(&self) -> usize {
        self.written.wrapping_sub(self.read) as usize
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether nothing more fits.
    pub fn is_full(&self) -> bool {
        self.len() == DEPTH
    }

    /// False: it was full, the byte is lost.
    pub fn push(&mut self, byte: u8) -> bool {
        if self.is_full() {
            return false;
        }
        self.bytes[self.written as usize % DEPTH] = byte;
        self.written = self.written.wrapping_add(1);
        true
    }

    /// The oldest byte.
    pub fn pop(&mut self) -> Option<u8> {
        if self.is_empty() {
            return None;
        }
        let byte = self.bytes[self.read as usize % DEPTH];
        self.read = self.read.wrapping_add(1);
        Some(byte)
    }

    /// FIFO_STAT.
    pub fn status(&self) -> u32 {
        u32::from(self.is_empty())
            | u32::from(self.is_full()) << 1
            | (self.len() as u32) << 4
            | (self.written & 0xF) << 8
            | (self.read & 0xF) << 12
    }
}
