//! Bytes between the FIFO and memory, by the two AP-DMA channels of a controller.
//!
//! A channel may be started before or after the transaction: the vendor's
//! driver starts the receiving one in the interrupt of the sending one.
//! Source: facts/i2c-touch-camera.md 1.10.

use super::I2c;
use super::regs::{self, control};
use crate::bus::{Block as _, Context, GuestError};
use crate::signals::{DmaOrder, DmaProgress};

/// CG1 bit of AP_DMA.
const GATE_APDMA: u8 = 2;
/// AP_DMA must hear of what was moved: the machine tells it after a tick.
const ECHO_NS: u64 = 1_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToDevice = 0,
    ToMemory = 1,
}

impl I2c {
    /// What is left of the transfer that a channel was started for, and how
    /// much was moved.
    fn order(&self, way: Way, cx: &Context<'_>) -> Option<(usize, DmaOrder, u32)> {
        let channel = usize::from(self.index) * 2 + way as usize;
        let order = cx.signals.i2c_dma[channel];
        let moved = cx.signals.i2c_dma_moved[channel];
        let bytes = if moved.run == order.run {
            moved.bytes
        } else {
            0
        };
        (order.run != 0 && bytes < order.len).then_some((channel, order, bytes))
    }

    /// Moves what can be moved.
    pub(super) fn move_dma(&mut self, cx: &mut Context<'_>) {
        if self.regs.get(regs::CONTROL) & control::DMA_EN == 0 {
            return;
        }
        let (sends, receives) = match &self.transaction {
            Some(transaction) => (
                !transaction.reading && transaction.to_fetch > 0,
                transaction.reading,
            ),
            None => (false, self.last_read),
        };
        if sends {
            self.fetch(cx);
        }
        if receives {
            self.store(cx);
        }
    }

    fn clocked(&mut self, cx: &mut Context<'_>) -> bool {
        let open = cx.signals.cg1_open(GATE_APDMA);
        if !open && !self.told_dma_gated {
            let text = "a DMA transfer while the clock of AP_DMA is gated";
            cx.report(GuestError::Gated, self.name(), regs::CONTROL, text);
        }
        self.told_dma_gated = !open;
        open
    }

    fn fetch(&mut self, cx: &mut Context<'_>) {
        while !self.fifo.is_full()
            && self
                .transaction
                .as_ref()
                .is_some_and(|transaction| transaction.to_fetch > 0)
        {
            let Some((channel, order, bytes)) = self.order(Way::ToDevice, cx) else {
                return;
            };
            if !self.clocked(cx) {
                return;
            }
            let mut byte = [0];
            let addr = order.addr.wrapping_add(bytes);
            if !cx.memory.read(addr, &mut byte) {
                self.no_memory(addr, cx);
            }
            self.fifo.push(byte[0]);
            if let Some(transaction) = &mut self.transaction {
                transaction.to_fetch -= 1;
            }
            self.moved(channel, order, bytes + 1, cx);
        }
    }

    fn store(&mut self, cx: &mut Context<'_>) {
        while !self.fifo.is_empty() {
            let Some((channel, order, bytes)) = self.order(Way::ToMemory, cx) else {
                return;
            };
            if !self.clocked(cx) {
                return;
            }
            let Some(byte) = self.fifo.pop() else { return };
            let addr = order.addr.wrapping_add(bytes);
            if !cx.memory.write(addr, &[byte]) {
                self.no_memory(addr, cx);
            }
            self.moved(channel, order, bytes + 1, cx);
        }
    }

    fn moved(&mut self, channel: usize, order: DmaOrder, bytes: u32, cx: &mut Context<'_>) {
        cx.signals.i2c_dma_moved[channel] = DmaProgress {
            run: order.run,
            bytes,
        };
        if bytes == order.len {
            self.echo_at = Some(cx.now + ECHO_NS);
        }
    }

    fn no_memory(&self, addr: u32, cx: &mut Context<'_>) {
        let text = format!("AP_DMA: no memory at {addr:#010x}");
        cx.report(GuestError::Refused, self.name(), regs::CONTROL, text);
    }
}
