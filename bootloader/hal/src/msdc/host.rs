//! The controller: reset, clock and commands.
//!
//! Source: facts/storage-and-images.md 8.1 to 8.4 and 8.9; JEDEC JESD84-B45
//! 6.15.10 (RST_n).

use super::clock;
use super::dma::Transfer;
use super::regs::{
    CommandWord, Config, Fifo, Interrupts, RegisterBlock, SdcConfig, acknowledge, put,
};
use crate::dma::{DeviceOwned, DmaRegion};
use crate::mmc::{Bus, Command, Direction, Error, Host, Reply, Response, Width};
use crate::time::{Micros, delay, poll};
use arbitrary_int::{u2, u3};

/// For what the controller does by itself within a few clocks.
pub(super) const CONTROLLER_LIMIT: Micros = Micros::from_ms(10);
/// A command and its answer take 0.6 ms at 400 kHz; the controller gives up
/// on a silent card after 64 clocks more.
const COMMAND_LIMIT: Micros = Micros::from_ms(20);
/// For the bus to become free before a command.
const FREE_LIMIT: Micros = Micros::from_ms(100);

/// Latches and turn-around times as the vendor sets them; bit 30 adds a limit
/// to the wait for a write's CRC status.
const PATCH0: u32 = 0x403c_004f;
const PATCH1: u32 = 0xffff_0009;

/// An MSDC with its descriptor memory.
pub struct Msdc {
    pub(super) regs: &'static RegisterBlock,
    source_hz: u32,
    pub(super) bus: Bus,
    pub(super) clock_hz: u32,
    /// Memory for descriptors; away while a transfer is under way.
    pub(super) table: DmaRegion,
    pub(super) transfer: Option<Transfer>,
}

impl Msdc {
    /// The driver of the block `regs`, whose clock source runs at `source_hz`.
    ///
    /// `table` holds the descriptors: 64 bytes, and 16 for each 32 KiB that
    /// one transfer is to carry. 4160 bytes are good for 8 MiB.
    pub const fn new(regs: &'static RegisterBlock, source_hz: u32, table: DmaRegion) -> Self {
        Self {
            regs,
            source_hz,
            bus: Bus::IDENTIFICATION,
            clock_hz: 0,
            table,
            transfer: None,
        }
    }

    pub(super) fn change_config(&self, change: impl FnOnce(Config) -> Config) {
        put(&self.regs.cfg, change(self.regs.cfg.read()));
    }

    pub(super) fn clear_fifo(&self) -> Result<(), Error> {
        put(&self.regs.fifo, Fifo::DEFAULT.with_clear(true));
        poll(CONTROLLER_LIMIT, || !self.regs.fifo.read().clear()).map_err(|_| Error::Controller)
    }

    /// Gives a data phase `timeout_ms` until its first and between its blocks.
    pub(super) fn set_data_timeout(&self, timeout_ms: u32) {
        let code = clock::timeout_code(self.clock_hz, timeout_ms);
        let config = self.regs.sdc_cfg.read();
        put(&self.regs.sdc_cfg, config.with_data_timeout(code));
    }

    /// Sends a command and takes the answer. Other causes that are raised
    /// meanwhile, like those of a data phase, stay latched.
    pub(super) fn send(&self, command: Command, word: CommandWord) -> Result<Response, Error> {
        // These three make sense, and are needed, while data or busy are on
        // the lines.
        let while_busy = matches!(command.index, 0 | 12 | 13);
        poll(FREE_LIMIT, || {
            let status = self.regs.status.read();
            !(status.command_busy() || (status.busy() && !while_busy))
        })
        .map_err(|_| Error::Busy)?;

        acknowledge(self.regs, Interrupts::ALL);
        put(&self.regs.arg, command.argument);
        put(&self.regs.cmd, word);
        let mut int = Interrupts::DEFAULT;
        let ended = poll(COMMAND_LIMIT, || {
            int = self.regs.int.read();
            int.command_ended()
        });
        acknowledge(
            self.regs,
            Interrupts::DEFAULT
                .with_command_ready(int.command_ready())
                .with_command_timeout(int.command_timeout())
                .with_response_crc(int.response_crc()),
        );
        let index = command.index;
        if ended.is_err() || int.command_timeout() {
            return Err(Error::CmdTimeout { index });
        }
        if int.response_crc() {
            return Err(Error::CmdCrc { index });
        }
        Ok(Response([
            self.regs.response[0].read(),
            self.regs.response[1].read(),
            self.regs.response[2].read(),
            self.regs.response[3].read(),
        ]))
    }

    /// Bytes a second while data flow, to bound how long a transfer may take.
    pub(super) fn bytes_per_second(&self) -> u32 {
        let edges = if self.bus.ddr { 2 } else { 1 };
        (self.clock_hz / 8 * self.bus.width.lines() * edges).max(1000)
    }

    /// Twice what the data take on the bus, and half a second for the card.
    pub(super) fn transfer_limit(&self, bytes: usize) -> Micros {
        let ms = bytes as u32 / (self.bytes_per_second() / 1000);
        Micros::from_ms(2 * ms + 500)
    }
}

/// SDC_CMD of a command without data.
pub(super) fn plain_word(command: Command) -> CommandWord {
    let reply = match command.reply {
        Reply::None => 0,
        Reply::R1 => 1,
        Reply::R2 => 2,
        Reply::R3 => 3,
        Reply::R1b => 7,
    };
    CommandWord::plain(command.index, u3::new(reply))
}

impl Host for Msdc {
    fn reset(&mut self) -> Result<(), Error> {
        let regs = self.regs;
        self.change_config(|config| config.with_sd_mmc(true).with_pio(true).with_reset(true));
        poll(CONTROLLER_LIMIT, || !regs.cfg.read().reset()).map_err(|_| Error::Controller)?;
        self.clear_fifo()?;
        put(&regs.int_enable, Interrupts::DEFAULT);
        acknowledge(regs, Interrupts::ALL);
        put(&regs.sdc_cfg, regs.sdc_cfg.read().with_sdio(true));
        // The preloader may have tuned for its own source and rate.
        put(&regs.iocon, 0);
        put(&regs.pad_tune, 0);
        put(&regs.read_delay[0], 0);
        put(&regs.read_delay[1], 0);
        put(&regs.patch0, PATCH0);
        put(&regs.patch1, PATCH1);
        Ok(())
    }

    fn pulse_card_reset(&mut self) {
        // At least 1 us low, then 200 us until the first command.
        put(&self.regs.emmc_iocon, 1);
        delay(Micros(10));
        put(&self.regs.emmc_iocon, 0);
        delay(Micros(300));
    }

    fn set_bus(&mut self, bus: Bus) -> Result<u32, Error> {
        let setting = clock::setting(self.source_hz, bus.limit_hz, bus.ddr);
        self.change_config(|config| config.with_free_running(false));
        self.change_config(|config| {
            config
                .with_clock_mode(setting.mode)
                .with_divider(setting.divider)
        });
        poll(CONTROLLER_LIMIT, || self.regs.cfg.read().clock_stable())
            .map_err(|_| Error::Controller)?;
        // A card needs clocks to end its busy signal and to power up.
        self.change_config(|config| config.with_free_running(true));
        let width = match bus.width {
            Width::One => 0,
            Width::Four => 1,
            Width::Eight => 2,
        };
        let config: SdcConfig = self.regs.sdc_cfg.read();
        put(&self.regs.sdc_cfg, config.with_width(u2::new(width)));
        self.bus = bus;
        self.clock_hz = setting.hz;
        Ok(setting.hz)
    }

    fn command(&mut self, command: Command) -> Result<Response, Error> {
        self.send(command, plain_word(command))
    }

    fn wait_not_busy(&mut self, timeout: Micros) -> Result<(), Error> {
        poll(timeout, || self.regs.pins.read().dat0()).map_err(|_| Error::Busy)
    }

    fn read(&mut self, command: Command, data: &mut [u8]) -> Result<(), Error> {
        self.pio_read(command, data)
    }

    fn write(&mut self, command: Command, data: &[u8]) -> Result<(), Error> {
        self.pio_write(command, data)
    }

    fn max_dma_bytes(&self) -> usize {
        self.dma_capacity()
    }

    fn start_dma(
        &mut self,
        command: Command,
        direction: Direction,
        memory: DeviceOwned,
    ) -> Result<(), (Error, DmaRegion)> {
        self.dma_start(command, direction, memory)
    }

    fn is_dma_done(&mut self) -> bool {
        self.dma_ended()
    }

    fn wait_dma(&mut self) {
        self.dma_wait();
    }

    fn finish_dma(&mut self) -> (DmaRegion, Result<(), Error>) {
        self.dma_finish()
    }

    fn quiesce(&mut self) {
        if self.transfer.is_some() {
            drop(self.dma_finish());
        }
        put(&self.regs.int_enable, Interrupts::DEFAULT);
        acknowledge(self.regs, Interrupts::ALL);
        self.change_config(|config| config.with_free_running(false));
    }
}
