//! MSDC, the SD/eMMC host controller: MSDC0 with the phone's eMMC and MSDC1
//! with an empty card slot.
//!
//! Commands and data take the time that the programmed clock, width and edge
//! imply, and the time that the card takes. Any software may drive it: polling
//! or by interrupt, through the FIFO or by DMA, the DMA started before or
//! after the response. Transfers that the block would refuse are reported.
//!
//! Source: facts/storage-and-images.md 8.1 to 8.10, facts/soc.md 1.7, 3.2, 9.1.

mod clock;
mod command;
mod data;
mod dma;
mod regs;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::bus::{Block, Context, GuestError, Nanos, Reset, Size};
use crate::models::emmc::{Area, Emmc, Remark, SECTOR, Store};
use crate::signals::{Rail, Request};
use command::InFlight;
use data::{FIFO_BYTES, Phase};
use dma::Dma;
use regs::{CMDBUSY, FIFO_CLR, Regs, SDCBUSY, cfg, dma_cfg, reg};

/// Virtual time in picoseconds: a clock of 52 MHz has no whole nanoseconds.
type Picos = u64;

/// Settling time of CKSTB after a change of the divider.
const CLOCK_SETTLES_NS: Nanos = 500;
/// The lowest VCC at which an eMMC works.
const EMMC_VCC_MIN_MV: u16 = 2700;
/// The lowest VCCQ, from VIO18.
const EMMC_VCCQ_MIN_MV: u16 = 1700;
/// SPI number of MSDC0; MSDC1 has the next.
const SPI_MSDC0: u8 = 26;
/// CG1 bit of MSDC0; MSDC1 has the next.
const GATE_MSDC0: u8 = 17;

fn picos(ns: Nanos) -> Picos {
    ns * 1000
}

/// Whether the card has the supply that it needs.
fn card_supplied(cx: &Context<'_>) -> bool {
    cx.signals.rail_mv(Rail::Vemc3v3) >= EMMC_VCC_MIN_MV
        && cx.signals.rail_mv(Rail::Vio18) >= EMMC_VCCQ_MIN_MV
}

/// The first whole nanosecond that is not before `ps`.
fn nanos(ps: Picos) -> Nanos {
    ps.div_ceil(1000)
}

/// One controller. See the module documentation.
pub struct Msdc {
    index: u8,
    name: &'static str,
    card: Option<Emmc>,
    regs: Regs,
    clock_stable_at: Nanos,
    command: Option<InFlight>,
    phase: Option<Phase>,
    dma: Dma,
    rx: VecDeque<u8>,
    tx: VecDeque<u8>,
    /// ACMDRDY or ACMDTMO, to be raised together with XFER_COMPL.
    auto12: u32,
    /// The loss of the clock during a transfer was reported.
    gating_reported: bool,
    /// The pads of clock, command and DAT0 belong to the controller.
    pads_connected: bool,
}

impl Msdc {
    /// MSDC0 (`index` 0) or MSDC1 (`index` 1), with what is soldered to it.
    pub fn new(index: u8, card: Option<Emmc>) -> Msdc {
        Msdc {
            index,
            name: if index == 0 { "MSDC0" } else { "MSDC1" },
            card,
            regs: Regs::new(),
            clock_stable_at: 0,
            command: None,
            phase: None,
            dma: Dma::default(),
            rx: VecDeque::new(),
            tx: VecDeque::new(),
            auto12: 0,
            gating_reported: false,
            pads_connected: true,
        }
    }

    /// The card.
    pub fn card(&self) -> Option<&Emmc> {
        self.card.as_ref()
    }

    /// The card, e.g. for the bytes of an area: `card_mut()?.store(area)`.
    pub fn card_mut(&mut self) -> Option<&mut Emmc> {
        self.card.as_mut()
    }

    /// Reads sectors of the user area past the bus, as somebody did before us.
    /// `data` is a whole number of sectors long or its end is cut off.
    pub fn user_read(&mut self, lba: u32, data: &mut [u8]) -> std::io::Result<()> {
        self.user_store()?
            .read_at(u64::from(lba) * SECTOR as u64, data)
    }

    /// Writes sectors of the user area past the bus.
    pub fn user_write(&mut self, lba: u32, data: &[u8]) -> std::io::Result<()> {
        self.user_store()?
            .write_at(u64::from(lba) * SECTOR as u64, data)
    }

    fn user_store(&mut self) -> std::io::Result<&mut dyn Store> {
        let card = self.card.as_mut().filter(|card| !card.config().absent);
        card.and_then(|card| card.store(Area::User))
            .ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }

    /// Puts controller and card where the preloader leaves them (facts/soc.md
    /// 3.2): source / 4, 8 bit, high speed, PIO, interrupts masked, the card
    /// selected with RCA 1. The card still programs until `busy_until`. The
    /// clock mux is TOPCKGEN's; its code for LK's default is 2.
    pub fn leave_as_preloader(&mut self, busy_until: Nanos) {
        self.abort();
        self.regs = Regs::new();
        self.clock_stable_at = 0;
        self.regs
            .set(reg::MSDC_CFG, cfg::MODE | cfg::PIO | 1 << cfg::CKDIV_SHIFT);
        // DTOC 100 ms, SDIO, 8 bit, wake-up by insertion (facts/storage-and-images.md 8.4).
        self.regs
            .set(reg::SDC_CFG, 3 << 24 | 1 << 19 | 2 << 16 | 1 << 1);
        self.regs.set(reg::PATCH_BIT0, 0x003C_004F);
        if let Some(card) = &mut self.card {
            card.leave_selected(8, true, busy_until);
        }
    }

    /// Why the card cannot hear a command, if it cannot.
    fn report_deafness(&self, index: u8, cx: &mut Context<'_>) {
        if self.card.as_ref().is_none_or(|card| card.config().absent) {
            return;
        }
        if !card_supplied(cx) {
            let (vcc, vccq) = (
                cx.signals.rail_mv(Rail::Vemc3v3),
                cx.signals.rail_mv(Rail::Vio18),
            );
            let message = format!("CMD{index} to a card with VCC = {vcc} mV, VCCQ = {vccq} mV");
            cx.report(GuestError::Unpowered, self.name, reg::SDC_CMD, message);
        }
        if !self.pads_connected {
            let message =
                format!("CMD{index} while the pads of CLK, CMD, DAT0 (44 to 46) are not in mode 1");
            self.refuse(cx, reg::SDC_CMD, &message);
        }
    }

    fn refuse(&self, cx: &mut Context<'_>, offset: u32, message: &str) {
        cx.report(GuestError::Refused, self.name, offset, message);
    }

    /// Drops whatever is on the way, as MSDC_CFG.RST does. The card is not told.
    fn abort(&mut self) {
        self.command = None;
        self.phase = None;
        self.dma = Dma::default();
        self.rx.clear();
        self.tx.clear();
        self.auto12 = 0;
    }

    /// Catches up with everything that happened up to now.
    fn catch_up(&mut self, cx: &mut Context<'_>) {
        if let Some(card) = &mut self.card {
            card.set_supply(card_supplied(cx));
        }
        // CLK, CMD, DAT0 (facts/soc.md 7.3).
        self.pads_connected = self.index != 0 || cx.signals.pin_mode[44..=46] == [1; 3];
        let at_work = self.command.is_some() || self.phase.is_some();
        if at_work && !cx.signals.cg1_open(GATE_MSDC0 + self.index) {
            if !self.gating_reported {
                self.gating_reported = true;
                cx.report(
                    GuestError::Gated,
                    self.name,
                    reg::SDC_STS,
                    "the clock was gated during a command or transfer",
                );
            }
            return;
        }
        self.gating_reported = false;
        self.progress(cx);
    }

    /// Ends the command and moves the data that are due by now.
    fn progress(&mut self, cx: &mut Context<'_>) {
        if self
            .command
            .as_ref()
            .is_some_and(|command| command.end <= picos(cx.now))
        {
            self.finish_command(cx);
        }
        if self.command.is_none() {
            self.run_phase(cx);
        }
    }

    /// What is due after every access and every tick.
    fn settle(&mut self, cx: &mut Context<'_>) {
        self.catch_up(cx);
        for remark in self.card.as_mut().map(Emmc::remarks).unwrap_or_default() {
            match remark {
                Remark::Guest(message) => {
                    cx.report(GuestError::Refused, self.name, reg::SDC_CMD, message);
                }
                Remark::Host(message) => cx.log.push(message),
                Remark::PowerCut(message) => {
                    cx.log.push(message);
                    cx.signals.request = Some(Request::PowerOff("power cut"));
                }
            }
        }
        let active = self.regs.get(reg::MSDC_INT) & self.regs.get(reg::MSDC_INTEN) != 0;
        cx.irq.set(SPI_MSDC0 + self.index, active);
    }

    fn sdc_busy(&self, now: Nanos) -> bool {
        let held = self.card.as_ref().is_some_and(|card| card.dat0_low(now));
        self.command.is_some() || self.phase.is_some() || held
    }

    fn read_word(&mut self, offset: u32, now: Nanos) -> u32 {
        let value = self.regs.get(offset);
        match offset {
            reg::MSDC_CFG if now >= self.clock_stable_at => value | cfg::CKSTB,
            reg::MSDC_PS => value | self.line_levels(now),
            reg::MSDC_FIFOCS => self.rx.len() as u32 | (self.tx.len() as u32) << 16,
            reg::SDC_STS => {
                let command = if self.command.is_some() { CMDBUSY } else { 0 };
                command | if self.sdc_busy(now) { SDCBUSY } else { 0 }
            }
            reg::DMA_CFG => value | if self.dma.running { dma_cfg::STS } else { 0 },
            _ => value,
        }
    }

    /// The read-only part of MSDC_PS.
    fn line_levels(&self, now: Nanos) -> u32 {
        const NO_CARD: u32 = 1 << 1;
        const CMD: u32 = 1 << 24;
        let dat0_low = self.card.as_ref().is_some_and(|card| card.dat0_low(now));
        let lines = if dat0_low { 0xFE } else { 0xFF };
        CMD | lines << 16 | if self.card.is_none() { NO_CARD } else { 0 }
    }

    fn write_word(&mut self, offset: u32, value: u32, mask: u32, cx: &mut Context<'_>) {
        let old = self.regs.get(offset);
        let new = old & !mask | value & mask;
        match offset {
            reg::MSDC_CFG => self.write_cfg(old, new, value, cx),
            reg::MSDC_INT | reg::SDC_CSTS | reg::EMMC_STS => self.regs.set(offset, old & !value),
            reg::MSDC_FIFOCS => {
                if value & FIFO_CLR != 0 {
                    self.rx.clear();
                    self.tx.clear();
                }
            }
            reg::SDC_CFG => {
                if new >> 16 & 3 == 3 {
                    cx.report(
                        GuestError::BadValue,
                        self.name,
                        offset,
                        "bus width code 3 does not exist",
                    );
                }
                self.regs.set(offset, new);
            }
            reg::SDC_CMD => {
                if value & !mask != 0 {
                    cx.report(
                        GuestError::BadValue,
                        self.name,
                        offset,
                        format!("reserved bits in {value:#010x}"),
                    );
                }
                self.write_command(new, cx);
            }
            reg::EMMC_CFG0 if new & !old & 1 != 0 => {
                self.regs.set(offset, new);
                self.refuse(
                    cx,
                    offset,
                    "boot operation, which EXT_CSD[179] of this card does not enable",
                );
            }
            reg::EMMC_IOCON => {
                self.regs.set(offset, new);
                self.drive_rst_n(new & 1 != 0, cx);
            }
            reg::ACMD19_TRG => {
                self.regs.set(offset, new);
                self.refuse(cx, offset, "tuning by CMD19, which an eMMC does not know");
            }
            reg::DMA_CTRL => self.write_dma_ctrl(new, cx),
            reg::DMA_LEN => {
                if value & !mask != 0 {
                    cx.report(
                        GuestError::BadValue,
                        self.name,
                        offset,
                        format!("{value} bytes do not fit into 16 bits"),
                    );
                }
                self.regs.set(offset, new);
            }
            _ => self.regs.set(offset, new),
        }
    }

    fn write_cfg(&mut self, old: u32, new: u32, value: u32, cx: &mut Context<'_>) {
        if value & cfg::RST != 0 {
            self.abort();
        }
        if (old ^ new) & cfg::CLOCK != 0 {
            if self.command.is_some() || self.phase.is_some() {
                self.refuse(
                    cx,
                    reg::MSDC_CFG,
                    "the clock was changed during a command or transfer",
                );
            }
            self.clock_stable_at = cx.now + CLOCK_SETTLES_NS;
        }
        self.regs.set(reg::MSDC_CFG, new);
    }

    fn drive_rst_n(&mut self, low: bool, cx: &mut Context<'_>) {
        if self.index != 0 {
            return;
        }
        cx.signals.emmc_rst_n_low = low;
        if let Some(card) = &mut self.card {
            card.set_rst_n(low);
        }
    }

    /// RXDATA: 1, 2 or 4 bytes, the first one lowest.
    fn read_fifo(&mut self, size: Size, cx: &mut Context<'_>) -> u32 {
        if self.regs.get(reg::MSDC_CFG) & cfg::PIO == 0 {
            self.refuse(
                cx,
                reg::MSDC_RXDATA,
                "RXDATA read while the DMA owns the FIFO",
            );
            return 0;
        }
        if self.rx.len() < usize::from(size) {
            self.refuse(cx, reg::MSDC_RXDATA, "RXDATA read beyond FIFOCS.RXCNT");
        }
        let mut value = 0;
        for byte in 0..size {
            value |= u32::from(self.rx.pop_front().unwrap_or(0)) << (8 * byte);
        }
        self.restart_wire(cx.now);
        value
    }

    /// TXDATA: 1, 2 or 4 bytes, the lowest one first.
    fn write_fifo(&mut self, size: Size, value: u32, cx: &mut Context<'_>) {
        if self.regs.get(reg::MSDC_CFG) & cfg::PIO == 0 {
            return self.refuse(
                cx,
                reg::MSDC_TXDATA,
                "TXDATA write while the DMA owns the FIFO",
            );
        }
        if self.tx.len() + usize::from(size) > FIFO_BYTES {
            return self.refuse(
                cx,
                reg::MSDC_TXDATA,
                "TXDATA write beyond the FIFO's 128 bytes",
            );
        }
        self.restart_wire(cx.now);
        self.tx.extend(&value.to_le_bytes()[..usize::from(size)]);
    }

    /// Only the FIFO has accesses of 8 and 16 bits.
    fn check_size(&self, size: Size, offset: u32, cx: &mut Context<'_>) {
        if size != 4 || !offset.is_multiple_of(4) {
            cx.report(
                GuestError::AccessSize,
                self.name,
                offset,
                format!("{size}-byte access to a 32-bit register"),
            );
        }
    }
}

impl Block for Msdc {
    fn name(&self) -> &'static str {
        self.name
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.catch_up(cx);
        let word = offset & !3;
        let value = match Regs::writable(word) {
            None => cx.unknown_register(self.name, offset, false),
            Some(_) if word == reg::MSDC_RXDATA => self.read_fifo(size, cx),
            Some(_) => {
                self.check_size(size, offset, cx);
                self.read_word(word, cx.now) >> (8 * (offset & 3))
            }
        };
        self.settle(cx);
        value
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.catch_up(cx);
        let word = offset & !3;
        match Regs::writable(word) {
            None => {
                cx.unknown_register(self.name, offset, true);
            }
            Some(0) => cx.report(
                GuestError::BadValue,
                self.name,
                offset,
                "write to a read-only register",
            ),
            Some(_) if word == reg::MSDC_TXDATA => self.write_fifo(size, value, cx),
            Some(mask) => {
                self.check_size(size, offset, cx);
                let lanes = u32::MAX >> (32 - 8 * u32::from(size.min(4))) << (8 * (offset & 3));
                self.write_word(word, value << (8 * (offset & 3)), mask & lanes, cx);
            }
        }
        self.settle(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        // Up to here the card got its data, also those of a transfer that now
        // breaks off. The gate may have been reset before us: it does not count.
        self.progress(cx);
        self.abort();
        self.regs = Regs::new();
        self.clock_stable_at = cx.now;
        self.gating_reported = false;
        self.drive_rst_n(false, cx);
        if let Some(card) = &mut self.card
            && kind == Reset::PowerOn
        {
            card.power_on_reset();
        }
        cx.irq.set(SPI_MSDC0 + self.index, false);
    }

    fn deadline(&self) -> Option<Nanos> {
        if self.gating_reported {
            return None;
        }
        match &self.command {
            Some(command) => Some(nanos(command.end)),
            None => self.phase_deadline().map(nanos),
        }
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.settle(cx);
    }

    fn watches_wires(&self) -> bool {
        self.card.is_some()
    }

    /// A card that was without supply for a moment has forgotten everything,
    /// even if nobody talked to it meanwhile.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        let supplied = card_supplied(cx);
        if self
            .card
            .as_ref()
            .is_some_and(|card| card.supplied() != supplied)
        {
            self.settle(cx);
        }
    }
}
