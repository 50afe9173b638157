//! Data by CPU: for EXT_CSD, tables and headers, where setting up DMA costs
//! more than it saves.
//!
//! Multiple blocks are ended by an explicit CMD12: the automatic one is proven
//! for DMA only.
//!
//! Source: facts/storage-and-images.md 8.7.

use super::Msdc;
use super::host::plain_word;
use super::regs::{Interrupts, acknowledge, put};
use crate::mmc::{BLOCK_BYTES, Command, Direction, Error};
use crate::time::poll;

/// Half the FIFO: read when so much is there, or all that is left.
const READ_THRESHOLD: usize = 64;
/// The FIFO: filled again when it has run empty.
const FIFO_BYTES: usize = 128;

const READ_TIMEOUT_MS: u32 = 150;
const WRITE_TIMEOUT_MS: u32 = 1000;

/// The error that a data phase has ended with, if any.
pub(super) fn data_error(int: Interrupts, command: Command) -> Result<(), Error> {
    let lba = command.argument;
    if int.data_crc() {
        Err(Error::DataCrc { lba })
    } else if int.data_timeout() {
        Err(Error::DataTimeout { lba })
    } else {
        Ok(())
    }
}

impl Msdc {
    /// Readies the controller for a data phase of whole blocks.
    pub(super) fn prepare_data(
        &mut self,
        direction: Direction,
        bytes: usize,
        pio: bool,
    ) -> Result<(), Error> {
        if bytes == 0 || !bytes.is_multiple_of(BLOCK_BYTES) {
            return Err(Error::Length);
        }
        if self.transfer.is_some() {
            return Err(Error::NotReady);
        }
        self.clear_fifo()?;
        self.change_config(|config| config.with_pio(pio));
        put(&self.regs.block_count, (bytes / BLOCK_BYTES) as u32);
        self.set_data_timeout(match direction {
            Direction::Read => READ_TIMEOUT_MS,
            Direction::Write => WRITE_TIMEOUT_MS,
        });
        Ok(())
    }

    pub(super) fn pio_read(&mut self, command: Command, data: &mut [u8]) -> Result<(), Error> {
        self.prepare_data(Direction::Read, data.len(), true)?;
        let multi = command.is_open_ended();
        let word = plain_word(command).with_transfer(multi, false, false);
        self.send(command, word)?.status(command.index)?;
        self.drain(command, data)?;
        if multi {
            let stop = Command::STOP_READ;
            let answer = self.send(stop, plain_word(stop))?;
            check_stop(answer.0[0])?;
        }
        Ok(())
    }

    fn drain(&mut self, command: Command, data: &mut [u8]) -> Result<(), Error> {
        let limit = self.transfer_limit(data.len());
        let mut rest = data;
        loop {
            // The card takes its time before the first block: `poll` sleeps
            // then, where a loop of our own would only load the bus.
            let wanted = rest.len().min(READ_THRESHOLD);
            let (mut int, mut there) = (Interrupts::DEFAULT, 0);
            let arrived = poll(limit, || {
                int = self.regs.int.read();
                there = self.regs.fifo.read().received() as usize;
                let failed = int.data_crc() || int.data_timeout();
                failed
                    || if wanted == 0 {
                        int.transfer_complete()
                    } else {
                        there >= wanted
                    }
            });
            data_error(int, command)?;
            if arrived.is_err() {
                return Err(Error::DataTimeout {
                    lba: command.argument,
                });
            }
            if rest.is_empty() {
                break;
            }
            let count = there.min(rest.len()) & !3;
            let (now, later) = core::mem::take(&mut rest).split_at_mut(count);
            for word in now.chunks_exact_mut(4) {
                word.copy_from_slice(&self.regs.rx_data.read().to_le_bytes());
            }
            rest = later;
        }
        acknowledge(self.regs, Interrupts::END_OF_DATA);
        Ok(())
    }

    pub(super) fn pio_write(&mut self, command: Command, data: &[u8]) -> Result<(), Error> {
        self.prepare_data(Direction::Write, data.len(), true)?;
        let multi = command.is_open_ended();
        let word = plain_word(command).with_transfer(multi, true, false);
        self.send(command, word)?.status(command.index)?;
        let limit = self.transfer_limit(data.len());
        for burst in data.chunks(FIFO_BYTES) {
            let room = poll(limit, || {
                let empty = self.regs.fifo.read().to_send() == 0;
                empty || self.regs.int.read().has_any(Interrupts::END_OF_DATA)
            });
            data_error(self.regs.int.read(), command)?;
            if room.is_err() {
                return Err(Error::DataTimeout {
                    lba: command.argument,
                });
            }
            for word in burst.chunks_exact(4) {
                let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
                put(&self.regs.tx_data, word);
            }
        }
        let ended = poll(limit, || {
            self.regs.int.read().has_any(Interrupts::END_OF_DATA)
        });
        data_error(self.regs.int.read(), command)?;
        if ended.is_err() {
            return Err(Error::DataTimeout {
                lba: command.argument,
            });
        }
        acknowledge(self.regs, Interrupts::END_OF_DATA);
        if multi {
            let stop = Command::STOP_WRITE;
            let answer = self.send(stop, plain_word(stop))?;
            check_stop(answer.0[0])?;
        }
        Ok(())
    }
}

/// What the card says of the data at their end, in the answer to CMD12.
pub(super) fn check_stop(status: u32) -> Result<(), Error> {
    if crate::mmc::Status(status).is_media_error() {
        return Err(Error::Refused { index: 12, status });
    }
    Ok(())
}
