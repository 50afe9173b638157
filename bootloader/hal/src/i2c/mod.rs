//! I2C0 and I2C1, as `embedded-hal` buses.
//!
//! Up to eight bytes a transfer go through the FIFO, more by DMA: whether the
//! controller stalls the clock while its FIFO is empty is not known, so
//! nothing relies on it. Every transaction ends: with its data, a NACK, or
//! the time after which the wires must be called stuck, and then [`recover`]
//! frees a chip that holds them.
//!
//! Source: facts/i2c-touch-camera.md 1.

mod dma;
mod recovery;
mod registers;

#[cfg(test)]
mod tests;

pub use dma::{Channels, DmaRegisters};
pub use recovery::{Stuck, recover};
pub use registers::RegisterBlock;

use crate::dma::DmaRegion;
use crate::reg::Write;
use crate::time::{self, Micros};
use dma::Dma;
use embedded_hal::i2c::{self, ErrorKind, NoAcknowledgeSource, Operation};
use registers::{Control, Timing};

/// Bytes that the FIFO holds.
const FIFO_BYTES: usize = 8;
/// Longest transfer in either direction, in bytes.
pub const MAX_TRANSFER: usize = 64;
/// What chips may stretch the clock in one transaction.
const STRETCHING: Micros = Micros(5_000);

/// Why a transaction failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum I2cError {
    /// Nobody answered to the address, or a byte was refused.
    NoAcknowledge,
    /// The wires did not follow: somebody else drives them.
    ArbitrationLost,
    /// The transaction did not end: a wire is held low.
    Stuck,
    /// More bytes than a transfer takes.
    TooLong,
    /// Writes and reads in an order that the controller cannot do without a
    /// STOP in between.
    Unsupported,
    /// Fewer bytes came than were asked for.
    Short,
}

impl I2cError {
    /// Stable short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoAcknowledge => "I2C-NACK",
            Self::ArbitrationLost => "I2C-ARB",
            Self::Stuck => "I2C-STUCK",
            Self::TooLong => "I2C-LEN",
            Self::Unsupported => "I2C-ORDER",
            Self::Short => "I2C-SHORT",
        }
    }
}

impl i2c::Error for I2cError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoAcknowledge => ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown),
            Self::ArbitrationLost => ErrorKind::ArbitrationLoss,
            Self::Stuck => ErrorKind::Bus,
            Self::Short => ErrorKind::Overrun,
            Self::TooLong | Self::Unsupported => ErrorKind::Other,
        }
    }
}

/// One controller. Its clock gate must be open, and AP-DMA's if it was given
/// channels.
pub struct I2c {
    regs: &'static RegisterBlock,
    dma: Option<Dma>,
    timing: Timing,
    /// Time that one byte takes with its acknowledgement, in microseconds,
    /// rounded up.
    byte_us: u32,
}

impl I2c {
    /// The driver of the controller `regs`, whose clock runs at `source_khz`.
    /// It comes up at 300 kHz, which every chip takes.
    pub fn new(regs: &'static RegisterBlock, source_khz: u32) -> Self {
        let mut bus = Self {
            regs,
            dma: None,
            timing: Timing::DEFAULT,
            byte_us: 0,
        };
        bus.set_speed(source_khz, 300);
        bus
    }

    /// Lets transfers of more than eight bytes go by DMA, through `buffer` of
    /// at least twice [`MAX_TRANSFER`] bytes.
    #[must_use]
    pub fn with_dma(mut self, channels: Channels, buffer: DmaRegion) -> Self {
        self.dma = Dma::new(channels, buffer);
        self
    }

    /// Chooses the fastest rate that is not above `wanted_khz`.
    pub fn set_speed(&mut self, source_khz: u32, wanted_khz: u32) {
        let (timing, khz) = Timing::for_rate(source_khz, wanted_khz);
        self.timing = timing;
        self.byte_us = (9 * 1000u32).div_ceil(khz.max(1));
    }

    /// Clears the state machine and the FIFO, after an error or [`recover`].
    pub fn reset(&mut self) {
        let regs = self.regs;
        regs.soft_reset.put(1);
        regs.slave_address.put(0);
        regs.status.put(registers::ALL_EVENTS);
        regs.fifo_clear.put(1);
        if let Some(dma) = &mut self.dma {
            dma.stop();
        }
    }

    /// `write`, then, with a repeated START, `read`; either may be empty, not
    /// both: a transfer without a byte is not possible.
    fn run(&mut self, address: u8, write: &[u8], read: &mut [u8]) -> Result<(), I2cError> {
        let longest = write.len().max(read.len());
        let by_dma = longest > FIFO_BYTES;
        if longest > MAX_TRANSFER || longest == 0 || by_dma && self.dma.is_none() {
            return Err(I2cError::TooLong);
        }
        let regs = self.regs;
        let combined = !write.is_empty() && !read.is_empty();
        let (first, second) = match (write.len(), read.len()) {
            (0, read) => (read, 0),
            (write, read) => (write, read),
        };
        regs.status.put(registers::ALL_EVENTS);
        regs.interrupt_mask.put(0);
        self.timing.apply(regs);
        regs.slave_address
            .put(u16::from(address) << 1 | u16::from(write.is_empty()));
        regs.transfer_len.put(first as u16);
        regs.transfer_len_aux.put(second as u16);
        regs.transaction_len.put(1 + u16::from(combined));
        regs.fifo_clear.put(1);
        regs.control.put(
            Control::new_with_raw_value(0)
                .with_acknowledge_errors(true)
                .with_clock_stretching(true)
                .with_timeout(true)
                .with_repeated_start(combined)
                .with_direction_change(combined)
                .with_dma(by_dma)
                .raw_value(),
        );
        match &mut self.dma {
            Some(dma) if by_dma => dma.start(write, read.len())?,
            _ => write
                .iter()
                .for_each(|&byte| regs.data.put(u16::from(byte))),
        }
        regs.start.put(1);
        // Addresses and data, twice as long as they take, and what chips add.
        let bytes = 2 + (write.len() + read.len()) as u32;
        let limit = Micros(2 * bytes * self.byte_us + STRETCHING.0);
        let ended = time::poll(limit, || regs.status.read() & registers::ALL_EVENTS != 0);
        let result = self.outcome(ended.is_ok());
        let result = result.and_then(|()| match &mut self.dma {
            Some(dma) if by_dma => dma.finish(read),
            _ => self.pop(read),
        });
        regs.status.put(registers::ALL_EVENTS);
        if result.is_err() {
            self.reset();
        }
        result
    }

    fn outcome(&self, ended: bool) -> Result<(), I2cError> {
        let events = registers::Events::new_with_raw_value(self.regs.status.read());
        // A transaction that was refused is also called complete.
        if events.no_acknowledge() || events.hs_no_acknowledge() {
            Err(I2cError::NoAcknowledge)
        } else if events.arbitration_lost() {
            Err(I2cError::ArbitrationLost)
        } else if !ended || events.timeout() || !events.complete() {
            Err(I2cError::Stuck)
        } else {
            Ok(())
        }
    }

    fn pop(&self, read: &mut [u8]) -> Result<(), I2cError> {
        for byte in read {
            if registers::Fifo::new_with_raw_value(self.regs.fifo.read()).empty() {
                return Err(I2cError::Short);
            }
            *byte = self.regs.data.read() as u8;
        }
        Ok(())
    }
}

impl i2c::ErrorType for I2c {
    type Error = I2cError;
}

impl i2c::I2c for I2c {
    /// Any writes followed by at most one read; several writes are one on the
    /// wire.
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), I2cError> {
        let mut out = [0; MAX_TRANSFER];
        let mut used = 0;
        let Some((last, before)) = operations.split_last_mut() else {
            return Ok(());
        };
        let mut append = |bytes: &[u8]| {
            let room = out.get_mut(used..used + bytes.len());
            room.ok_or(I2cError::TooLong)?.copy_from_slice(bytes);
            used += bytes.len();
            Ok(())
        };
        for operation in before {
            match operation {
                Operation::Write(bytes) => append(bytes)?,
                Operation::Read(_) => return Err(I2cError::Unsupported),
            }
        }
        match last {
            Operation::Write(bytes) => {
                append(bytes)?;
                self.run(address, &out[..used], &mut [])
            }
            Operation::Read(read) => self.run(address, &out[..used], read),
        }
    }
}
