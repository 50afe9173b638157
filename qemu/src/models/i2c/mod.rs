//! I2C0 (0x11009000) and I2C1 (0x1100A000), and the buses that they drive.
//!
//! A transaction takes the time that the programmed clock and the chips imply,
//! byte by byte, and goes through the FIFO or AP_DMA. Which pads are in the
//! I2C mode decides which chips hear it. High-speed mode and the FIFO thresholds
//! are remembered and have no effect; pads that drive high are told of.
//! Source: facts/i2c-touch-camera.md 1.

mod clock;
mod dma;
mod fifo;
mod regs;
#[cfg(test)]
mod tests;
mod transfer;
#[cfg(test)]
mod whole_phone;

use self::fifo::Fifo;
use self::transfer::Transaction;
use super::registers::{RegisterFile, check_width, write_only};
use crate::bus::{Block, Context, GuestError, Nanos, Reset, Size};
use crate::chips::{Wires, config};

/// SPI of I2C0; I2C1 has the next.
const SPI_I2C0: u8 = 28;
/// CG1 bit of I2C0; I2C1 has the next.
const GATE_I2C0: u8 = 3;

/// A controller with its bus.
pub struct I2c {
    index: u8,
    regs: RegisterFile,
    intr: u32,
    fifo: Fifo,
    transaction: Option<Transaction>,
    /// The last transaction ended with a read: the DMA may still empty the FIFO.
    last_read: bool,
    wires: Wires,
    /// A chip's interrupt pin may change then.
    wake_at: Option<Nanos>,
    /// AP_DMA has to be told then.
    echo_at: Option<Nanos>,
    told_unconnected: bool,
    told_dma_gated: bool,
    told_push_pull: bool,
}

impl I2c {
    /// I2C0 (`index` 0) or I2C1 (any other), with those of `chips` that are on
    /// its bus.
    pub fn new(index: u8, chips: &[config::Chip]) -> Self {
        let index = index.min(1);
        I2c {
            index,
            regs: RegisterFile::new(name(index), &regs::TABLE),
            intr: 0,
            fifo: Fifo::default(),
            transaction: None,
            last_read: false,
            wires: Wires::new(index, chips),
            wake_at: None,
            echo_at: None,
            told_unconnected: false,
            told_dma_gated: false,
            told_push_pull: false,
        }
    }

    /// The bus.
    pub fn wires(&self) -> &Wires {
        &self.wires
    }

    fn gate(&self) -> u8 {
        GATE_I2C0 + self.index
    }

    /// Everything up to now, before an access or after a change of the wires.
    fn catch_up(&mut self, cx: &mut Context<'_>) {
        self.progress(cx);
        self.move_dma(cx);
    }

    /// What follows every access and tick.
    fn settle(&mut self, cx: &mut Context<'_>) {
        self.wires.drive(cx.now, cx.signals);
        self.wires.tell(name(self.index), cx);
        self.wake_at = self.wires.deadline(cx.now);
        let active = self.intr & self.regs.get(regs::INTR_MASK) != 0;
        cx.irq.set(SPI_I2C0 + self.index, active);
    }

    fn push(&mut self, byte: u8, cx: &mut Context<'_>) {
        if !self.fifo.push(byte) {
            let text = "byte written while the FIFO is full; it is lost";
            cx.report(GuestError::Refused, self.name(), regs::DATA_PORT, text);
        }
    }

    fn pop(&mut self, cx: &mut Context<'_>) -> u32 {
        if let Some(byte) = self.fifo.pop() {
            return u32::from(byte);
        }
        let text = "read of DATA_PORT while the FIFO is empty";
        cx.report(GuestError::Refused, self.name(), regs::DATA_PORT, text);
        0
    }

    /// The state machine starts anew; what is programmed stays (TIMING must).
    fn soft_reset(&mut self) {
        self.fifo = Fifo::default();
        self.transaction = None;
        self.last_read = false;
        self.wires.abandon();
    }

    fn write_start(&mut self, value: u32, cx: &mut Context<'_>) {
        if value & !regs::START_GO != 0 {
            let text = format!("{value:#x}: only bit 0 exists on this chip");
            cx.report(GuestError::BadValue, self.name(), regs::START, text);
        }
        if value & regs::START_GO != 0 {
            self.begin(cx);
        }
    }
}

fn name(index: u8) -> &'static str {
    if index == 0 { "I2C0" } else { "I2C1" }
}

impl Block for I2c {
    fn name(&self) -> &'static str {
        name(self.index)
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if !check_width(self.name(), offset, size, &[2, 4], cx) {
            return 0;
        }
        self.catch_up(cx);
        let value = match offset {
            regs::DATA_PORT => self.pop(cx),
            regs::INTR_STAT => self.intr,
            regs::FIFO_STAT => self.fifo.status(),
            regs::DEBUGSTAT => self.debug_status(cx),
            regs::FIFO_ADDR_CLR | regs::SOFTRESET => {
                write_only(self.name(), offset, "FIFO_ADDR_CLR or SOFTRESET", cx)
            }
            _ => self.regs.read(offset, cx),
        };
        self.catch_up(cx);
        self.settle(cx);
        value
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if !check_width(self.name(), offset, size, &[2, 4], cx) {
            return;
        }
        self.catch_up(cx);
        match offset {
            regs::DATA_PORT => self.push(value as u8, cx),
            regs::INTR_STAT => self.intr &= !value,
            regs::START => self.write_start(value, cx),
            regs::FIFO_ADDR_CLR if value & 1 != 0 => self.fifo = Fifo::default(),
            regs::SOFTRESET if value & 1 != 0 => self.soft_reset(),
            regs::FIFO_ADDR_CLR | regs::SOFTRESET => {}
            _ => {
                self.regs.write(offset, value, cx);
            }
        }
        self.catch_up(cx);
        self.settle(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.soft_reset();
        self.regs.reset();
        self.intr = 0;
        self.echo_at = None;
        self.told_unconnected = false;
        self.told_dma_gated = false;
        self.told_push_pull = false;
        if kind == Reset::PowerOn {
            self.wires.power_on();
        }
        self.wires.observe(self.name(), cx);
        self.settle(cx);
    }

    fn deadline(&self) -> Option<Nanos> {
        let control = self.regs.get(regs::CONTROL);
        let bus = self
            .transaction
            .as_ref()
            .and_then(|transaction| transaction.deadline(control));
        [bus, self.wake_at, self.echo_at]
            .into_iter()
            .flatten()
            .min()
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.echo_at = self.echo_at.filter(|&at| at > cx.now);
        self.catch_up(cx);
        self.settle(cx);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        self.catch_up(cx);
        self.wires.observe(self.name(), cx);
        self.settle(cx);
    }
}
