//! The AP-DMA channels of a controller: one to it, one from it.
//!
//! Source: facts/i2c-touch-camera.md 1.1, 1.10.

use super::{I2cError, MAX_TRANSFER};
use crate::dma::{DeviceOwned, DmaRegion};
use crate::reg::assert_offsets;
use crate::time::{self, Micros};
use core::mem;
use volatile_register::RW;

/// Registers of one channel.
#[repr(C)]
pub struct DmaRegisters {
    interrupt: RW<u32>,
    interrupt_enable: RW<u32>,
    enable: RW<u32>,
    reset: RW<u32>,
    _stop: u32,
    _flush: u32,
    direction: RW<u32>,
    address: RW<u32>,
    _reserved: u32,
    bytes: RW<u32>,
}

assert_offsets!(DmaRegisters {
    reset: 0x0c,
    direction: 0x18,
    address: 0x1c,
    bytes: 0x24,
});

/// The two channels of one controller.
#[derive(Clone, Copy)]
pub struct Channels {
    /// Memory to controller.
    pub transmit: &'static DmaRegisters,
    /// Controller to memory.
    pub receive: &'static DmaRegisters,
}

/// Who has a buffer.
enum Buffer {
    Ours(DmaRegion),
    Lent(DeviceOwned),
    /// The device did not stop: the memory is given up for good.
    Lost,
}

pub(super) struct Dma {
    channels: Channels,
    out: Buffer,
    back: Buffer,
}

/// RST: after the current access, at once.
const WARM_RESET: u32 = 1;
const HARD_RESET: u32 = 2;
/// The last bytes reach memory within the time of a few bus cycles.
const DRAIN: Micros = Micros(1_000);

impl Dma {
    /// Halves `buffer`; `None` if it is too small.
    pub(super) fn new(channels: Channels, buffer: DmaRegion) -> Option<Self> {
        let (out, back) = buffer.split_at(MAX_TRANSFER).ok()?;
        (back.len() >= MAX_TRANSFER).then_some(Self {
            channels,
            out: Buffer::Ours(out),
            back: Buffer::Ours(back),
        })
    }

    /// Both directions are ready before the controller starts. Fails if the
    /// memory was lost to a channel that did not stop.
    pub(super) fn start(&mut self, write: &[u8], read_bytes: usize) -> Result<(), I2cError> {
        if !write.is_empty() {
            let Buffer::Ours(mut region) = mem::replace(&mut self.out, Buffer::Lost) else {
                return Err(I2cError::TooLong);
            };
            region.as_mut_slice()[..write.len()].copy_from_slice(write);
            let lent = region.for_device_read();
            run(self.channels.transmit, 0, &lent, write.len());
            self.out = Buffer::Lent(lent);
        }
        if read_bytes != 0 {
            let Buffer::Ours(region) = mem::replace(&mut self.back, Buffer::Lost) else {
                self.stop();
                return Err(I2cError::TooLong);
            };
            let lent = region.for_device_write();
            run(self.channels.receive, 1, &lent, read_bytes);
            self.back = Buffer::Lent(lent);
        }
        Ok(())
    }

    /// The controller is done: takes the buffers back and what was read out.
    pub(super) fn finish(&mut self, read: &mut [u8]) -> Result<(), I2cError> {
        self.stop();
        match &self.back {
            _ if read.is_empty() => Ok(()),
            Buffer::Ours(region) => {
                read.copy_from_slice(&region.as_slice()[..read.len()]);
                Ok(())
            }
            Buffer::Lent(_) | Buffer::Lost => Err(I2cError::Short),
        }
    }

    /// Stops both channels; a buffer comes back when its channel has stopped.
    pub(super) fn stop(&mut self) {
        for (registers, buffer) in [
            (self.channels.transmit, &mut self.out),
            (self.channels.receive, &mut self.back),
        ] {
            let Buffer::Lent(lent) = mem::replace(buffer, Buffer::Lost) else {
                continue;
            };
            let idle = || registers.enable.read() & 1 == 0;
            if time::poll(DRAIN, idle).is_err() {
                // SAFETY: a warm reset stops the channel, it starts nothing.
                unsafe { registers.reset.write(WARM_RESET) };
            }
            if time::poll(DRAIN, idle).is_err() {
                // SAFETY: so does a hard one, which is a level.
                unsafe {
                    registers.reset.write(HARD_RESET);
                    registers.reset.write(0);
                }
            }
            if time::poll(DRAIN, idle).is_ok() {
                *buffer = Buffer::Ours(lent.reclaim());
            }
        }
    }
}

fn run(registers: &DmaRegisters, direction: u32, memory: &DeviceOwned, bytes: usize) {
    // SAFETY: the channel moves `bytes` at most, no more than the memory has
    // that was lent to it, and in the direction for which it was prepared.
    unsafe {
        registers.interrupt.write(0);
        registers.interrupt_enable.write(0);
        registers.direction.write(direction);
        registers.address.write(memory.bus_address());
        registers.bytes.write(bytes as u32);
        registers.enable.write(1);
    }
}

#[cfg(test)]
impl DmaRegisters {
    /// Plays the channel: it has stopped (0) or runs (1).
    pub(super) unsafe fn enable_for_test(&self, enable: u32) {
        // SAFETY: memory of a test.
        unsafe { self.enable.write(enable) };
    }

    /// Direction and length as written.
    pub(super) fn programmed(&self) -> (u32, u32) {
        (self.direction.read(), self.bytes.read())
    }
}
