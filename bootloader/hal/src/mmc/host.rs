//! What the card's protocol needs of a host controller.
//!
//! The seam between [`super::Emmc`] and [`crate::msdc::Msdc`]; a fake card
//! stands behind it in the tests.
//!
//! Source: facts/storage-and-images.md 8.

use super::{Command, Error, Response};
use crate::dma::{DeviceOwned, DmaRegion};
use crate::time::Micros;

/// Data lines in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Width {
    /// DAT0 only.
    One,
    /// DAT0 to DAT3.
    Four,
    /// DAT0 to DAT7.
    Eight,
}

impl Width {
    /// Number of lines.
    pub const fn lines(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// How the bus is to be driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Bus {
    /// The clock must not be faster than this.
    pub limit_hz: u32,
    /// Data lines.
    pub width: Width,
    /// Data on both clock edges.
    pub ddr: bool,
}

impl Bus {
    /// As the card must be spoken to until it has an address.
    pub const IDENTIFICATION: Self = Self {
        limit_hz: 400_000,
        width: Width::One,
        ddr: false,
    };
}

/// Which way data go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Card to memory.
    Read,
    /// Memory to card.
    Write,
}

/// A host controller with one card.
pub trait Host {
    /// Ends whatever the controller is doing and forgets it; clock and width
    /// stay.
    fn reset(&mut self) -> Result<(), Error>;

    /// Pulses the card's RST_n line. A card heeds it only if it was told to.
    fn pulse_card_reset(&mut self);

    /// Sets clock, width and data rate; returns the clock that resulted, Hz.
    fn set_bus(&mut self, bus: Bus) -> Result<u32, Error>;

    /// Sends a command without data and returns the answer unchecked.
    fn command(&mut self, command: Command) -> Result<Response, Error>;

    /// Waits until the card releases DAT0.
    fn wait_not_busy(&mut self, timeout: Micros) -> Result<(), Error>;

    /// Reads blocks by CPU; for open-ended commands CMD12 follows.
    fn read(&mut self, command: Command, data: &mut [u8]) -> Result<(), Error>;

    /// Writes blocks by CPU; for open-ended commands CMD12 follows.
    fn write(&mut self, command: Command, data: &[u8]) -> Result<(), Error>;

    /// The most that one DMA transfer carries, a multiple of the block size.
    fn max_dma_bytes(&self) -> usize;

    /// Sends the command and starts moving its data. For open-ended commands
    /// CMD12 follows by itself. On an error the memory comes back at once.
    fn start_dma(
        &mut self,
        command: Command,
        direction: Direction,
        memory: DeviceOwned,
    ) -> Result<(), (Error, DmaRegion)>;

    /// Whether the transfer has ended, well or not. True if there is none.
    fn is_dma_done(&mut self) -> bool;

    /// Sleeps until the transfer has ended or its time is up.
    fn wait_dma(&mut self);

    /// Ends the transfer (by force if it has not ended) and gives the memory
    /// back with the result.
    fn finish_dma(&mut self) -> (DmaRegion, Result<(), Error>);

    /// Ends everything for the hand-off: no interrupt, no DMA, and no clock
    /// while the bus is idle.
    fn quiesce(&mut self);
}
