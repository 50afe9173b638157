//! Data by descriptor DMA: the controller moves up to a table's worth of
//! blocks with one command and ends it with CMD12 by itself, while the CPU
//! does something else or sleeps.
//!
//! Order of a transfer: descriptors, command, answer, START. The controller
//! latches the data phase with the command and stops the clock when its FIFO
//! is full, so nothing is lost in between.
//!
//! Source: facts/storage-and-images.md 8.8.

use super::host::{CONTROLLER_LIMIT, plain_word};
use super::pio::{check_stop, data_error};
use super::regs::{DmaControl, Interrupts, acknowledge, put};
use super::{Msdc, descriptors};
use crate::dma::{DeviceOwned, DmaRegion};
use crate::mmc::{Command, Direction, Error};
use crate::time::{Deadline, Micros, idle, poll};
use arbitrary_int::u3;

/// Descriptors, bursts of 64 bytes.
const CONTROL: DmaControl = DmaControl::DEFAULT
    .with_descriptors(true)
    .with_burst(u3::new(6));

/// A transfer under way.
pub(super) struct Transfer {
    memory: DeviceOwned,
    table: DeviceOwned,
    command: Command,
    deadline: Deadline,
    limit: Micros,
}

impl Msdc {
    pub(super) fn dma_capacity(&self) -> usize {
        let table = match &self.transfer {
            Some(transfer) => transfer.table.len(),
            None => self.table.len(),
        };
        descriptors::capacity(table)
    }

    pub(super) fn dma_start(
        &mut self,
        command: Command,
        direction: Direction,
        memory: DeviceOwned,
    ) -> Result<(), (Error, DmaRegion)> {
        let bytes = memory.len();
        if let Err(error) = self.prepare_data(direction, bytes, false) {
            return Err((error, memory.reclaim()));
        }
        if !descriptors::fill(&mut self.table, memory.bus_address(), bytes) {
            return Err((Error::Length, memory.reclaim()));
        }
        let table = self.table.take().for_device_both();
        if let Err(error) = self.launch(command, direction, &table) {
            // START was not given: neither memory nor table have been touched.
            self.change_config(|config| config.with_pio(true));
            self.table = table.reclaim();
            return Err((error, memory.reclaim()));
        }
        let limit = self.transfer_limit(bytes);
        self.transfer = Some(Transfer {
            memory,
            table,
            command,
            deadline: Deadline::after(limit),
            limit,
        });
        Ok(())
    }

    fn launch(
        &mut self,
        command: Command,
        direction: Direction,
        table: &DeviceOwned,
    ) -> Result<(), Error> {
        let regs = self.regs;
        put(&regs.dma_cfg, regs.dma_cfg.read().with_check(true));
        // SAFETY: START is clear; the address only takes effect with it.
        unsafe {
            regs.dma_start.write(table.bus_address());
            regs.dma_ctrl.write(CONTROL);
        }
        let write = direction == Direction::Write;
        let multi = command.is_open_ended();
        let word = plain_word(command).with_transfer(multi, write, multi);
        self.send(command, word)?.status(command.index)?;
        put(&regs.int_enable, Interrupts::END_OF_DATA);
        // SAFETY: the descriptors name the memory of the transfer and nothing
        // else. Both are `DeviceOwned`, so the CPU does not touch them and
        // their lines are clean, until `dma_finish` has stopped the DMA.
        unsafe { regs.dma_ctrl.write(CONTROL.with_start(true)) };
        Ok(())
    }

    /// Whether the hardware has come to an end of any kind, or its time has.
    pub(super) fn dma_ended(&self) -> bool {
        let Some(transfer) = &self.transfer else {
            return true;
        };
        if self.regs.int.read().has_any(Interrupts::END_OF_DATA) {
            return true;
        }
        let config = self.regs.dma_cfg.read();
        config.bad_bd() || config.bad_gpd() || transfer.deadline.expired()
    }

    pub(super) fn dma_wait(&self) {
        let Some(transfer) = &self.transfer else {
            return;
        };
        // A time-out ends the wait like anything else: `dma_finish` names it.
        let _ = idle(transfer.limit, || self.dma_ended());
    }

    pub(super) fn dma_finish(&mut self) -> (DmaRegion, Result<(), Error>) {
        let Some(transfer) = self.transfer.take() else {
            return (DmaRegion::empty(), Err(Error::NotReady));
        };
        let result = self.dma_result(transfer.command);
        let stopped = self.dma_stop();
        put(&self.regs.int_enable, Interrupts::DEFAULT);
        acknowledge(self.regs, Interrupts::ALL);
        self.change_config(|config| config.with_pio(true));
        if let Err(error) = stopped
            && error == Error::Controller
        {
            // It may still write. Memory and descriptors are not reclaimed,
            // and without descriptors nothing can be loaded any more: no
            // kernel gets memory that changes under it.
            return (DmaRegion::empty(), Err(error));
        }
        self.table = transfer.table.reclaim();
        (transfer.memory.reclaim(), result.and(stopped))
    }

    fn dma_result(&self, command: Command) -> Result<(), Error> {
        let int = self.regs.int.read();
        data_error(int, command)?;
        let config = self.regs.dma_cfg.read();
        if config.bad_bd() || config.bad_gpd() {
            return Err(Error::Dma);
        }
        if !int.transfer_complete() {
            return Err(Error::DataTimeout {
                lba: command.argument,
            });
        }
        if !command.is_open_ended() {
            return Ok(());
        }
        // The automatic CMD12 ends about when the data do.
        const STOP: u8 = 12;
        let ended = poll(CONTROLLER_LIMIT, || self.regs.int.read().auto_ended());
        let int = self.regs.int.read();
        if int.auto_crc() {
            return Err(Error::CmdCrc { index: STOP });
        }
        if ended.is_err() || int.auto_timeout() {
            return Err(Error::CmdTimeout { index: STOP });
        }
        check_stop(self.regs.auto_response.read())
    }

    /// Stops the DMA; if it does not heed that, by resetting the controller.
    fn dma_stop(&mut self) -> Result<(), Error> {
        let regs = self.regs;
        // SAFETY: stopping moves no data.
        unsafe { regs.dma_ctrl.write(CONTROL.with_stop(true)) };
        let idle = || !regs.dma_cfg.read().active();
        if poll(CONTROLLER_LIMIT, idle).is_ok() {
            return Ok(());
        }
        self.change_config(|config| config.with_reset(true));
        poll(CONTROLLER_LIMIT, || !regs.cfg.read().reset() && idle())
            .map_err(|_| Error::Controller)?;
        Err(Error::Dma)
    }
}
