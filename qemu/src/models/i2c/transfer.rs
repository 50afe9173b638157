//! A transaction on the bus: START, address, bytes, STOP, each in its time.
//!
//! Source: facts/i2c-touch-camera.md 1.5 to 1.8, 1.11.

use super::I2c;
use super::clock::{half_periods, scl_khz, source_periods};
use super::regs::{self, control, intr};
use crate::bus::{Block as _, Context, GuestError, Nanos};

/// SCL periods of a byte and its acknowledge, in halves.
const BYTE: u64 = 18;
/// SCL periods of a START or STOP, in halves.
const EDGE: u64 = 2;
/// After so long without progress TIMEOUT is raised, if enabled. The meaning
/// of the TIMEOUT register is not known; it is never written by anybody.
pub(super) const BUS_TIMEOUT: Nanos = 10_000_000;

/// What is on the bus now and ends at [`Transaction::at`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Start,
    Address,
    Data,
    Stop,
    Delay,
}

/// What a transaction waits for; SCL is low meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// Somebody holds SDA or SCL low: over with SOFTRESET or TIMEOUT only.
    Bus,
    /// A byte to send.
    Tx,
    /// Room for a byte that was received, which the DMA has to make.
    Rx,
}

/// See the module documentation.
pub(super) struct Transaction {
    step: Step,
    /// When the step ends; with a `wait`, when the wait began.
    at: Nanos,
    wait: Option<Wait>,
    /// Transfers that are done.
    done: u32,
    /// Bytes left of the present one.
    left: u32,
    /// Bytes that the DMA has still to fetch.
    pub(super) to_fetch: u32,
    pub(super) reading: bool,
    nacked: bool,
    /// Nobody listens: the bus runs for nothing (ACKERR_DET_EN = 0).
    deaf: bool,
    /// When the clock was gated.
    frozen: Option<Nanos>,
}

impl Transaction {
    /// When the next thing happens, given CONTROL.
    pub(super) fn deadline(&self, control: u32) -> Option<Nanos> {
        if self.frozen.is_some() {
            return None;
        }
        match self.wait {
            None => Some(self.at),
            Some(_) => (control & control::TIMEOUT_EN != 0).then_some(self.at + BUS_TIMEOUT),
        }
    }
}

impl I2c {
    /// START was written.
    pub(super) fn begin(&mut self, cx: &mut Context<'_>) {
        let len = self.regs.get(regs::TRANSFER_LEN);
        let count = self.regs.get(regs::TRANSAC_LEN);
        let aux = self.regs.get(regs::TRANSFER_LEN_AUX);
        let control = self.regs.get(regs::CONTROL);
        let uses_aux = count > 1 && control & (control::DIR_CHANGE | control::LEN_CHANGE) != 0;
        let refused = if self.transaction.is_some() {
            Some((GuestError::Refused, "START during a transaction"))
        } else if len == 0 || count == 0 || uses_aux && aux == 0 {
            Some((GuestError::BadValue, "START of a transfer of no bytes"))
        } else {
            None
        };
        if let Some((kind, text)) = refused {
            cx.report(kind, self.name(), regs::START, text);
            return;
        }
        if !self.wires.connected(cx.signals) && !self.told_unconnected {
            self.told_unconnected = true;
            cx.log.push(format!(
                "{}: no pads are in the mode of this bus: nobody can acknowledge",
                self.name()
            ));
        }
        let outputs = self.regs.get(regs::IO_CONFIG);
        if outputs & regs::OPEN_DRAIN != regs::OPEN_DRAIN && !self.told_push_pull {
            self.told_push_pull = true;
            // Nobody knows that it fails on a phone: an error to images of ours only.
            let text = format!(
                "START with IO_CONFIG = {outputs:#x}: SCL or SDA is driven high against the chips"
            );
            cx.report(GuestError::Unmodelled, self.name(), regs::IO_CONFIG, text);
        }
        let reading = self.regs.get(regs::SLAVE_ADDR) & 1 != 0;
        self.transaction = Some(Transaction {
            step: Step::Start,
            at: cx.now + self.edge_time(cx),
            wait: None,
            done: 0,
            left: len,
            to_fetch: if reading {
                0
            } else if control & control::DIR_CHANGE != 0 {
                len
            } else if uses_aux {
                len + aux
            } else {
                len * count
            },
            reading,
            nacked: false,
            deaf: false,
            frozen: None,
        });
        if self.wires.sda_held(cx.signals) {
            if self.regs.get(regs::MULTIMAS) & regs::ARBITRATION != 0 {
                self.transaction = None;
                self.intr |= intr::ARB_LOST;
            } else {
                self.wait(Wait::Bus, cx.now);
            }
        }
        self.move_dma(cx);
    }

    fn wait(&mut self, wait: Wait, since: Nanos) {
        if let Some(transaction) = &mut self.transaction {
            transaction.wait = Some(wait);
            transaction.at = since;
        }
    }

    fn go(&mut self, step: Step, at: Nanos) {
        if let Some(transaction) = &mut self.transaction {
            transaction.step = step;
            transaction.wait = None;
            transaction.at = at;
        }
    }

    fn halves(&self, count: u64, cx: &Context<'_>) -> Nanos {
        half_periods(cx.signals, self.regs.get(regs::TIMING), count)
    }

    /// A START or STOP with its extension.
    fn edge_time(&self, cx: &Context<'_>) -> Nanos {
        let conf = self.regs.get(regs::EXT_CONF);
        let extension = if conf & regs::EXT_EN != 0 {
            source_periods(cx.signals, u64::from(conf >> 8 & 0xFF) + 1)
        } else {
            0
        };
        self.halves(EDGE, cx) + extension
    }

    fn is_set(&self, bit: u32) -> bool {
        self.regs.get(regs::CONTROL) & bit != 0
    }

    /// Does everything that is due by now. A gated clock stops the time of
    /// the transaction.
    pub(super) fn progress(&mut self, cx: &mut Context<'_>) {
        let open = cx.signals.cg1_open(self.gate());
        let name = self.name();
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        match (open, transaction.frozen) {
            (false, None) => {
                transaction.frozen = Some(cx.now);
                let text = "the clock was gated during a transaction";
                cx.report(GuestError::Gated, name, regs::START, text);
            }
            (true, Some(since)) => {
                transaction.frozen = None;
                transaction.at += cx.now.saturating_sub(since);
            }
            _ => {}
        }
        if !open {
            return;
        }
        self.resume(cx);
        while let Some(at) = self.transaction.as_ref().and_then(|transaction| {
            transaction
                .deadline(self.regs.get(regs::CONTROL))
                .filter(|&at| at <= cx.now)
        }) {
            self.step(at, cx);
        }
    }

    /// Goes on if what was waited for is there.
    fn resume(&mut self, cx: &mut Context<'_>) {
        self.move_dma(cx);
        let Some(transaction) = &self.transaction else {
            return;
        };
        let ready = match transaction.wait {
            Some(Wait::Tx) => !self.fifo.is_empty(),
            Some(Wait::Rx) => !self.fifo.is_full(),
            Some(Wait::Bus) | None => false,
        };
        if ready {
            let byte = self.halves(BYTE, cx);
            self.go(Step::Data, cx.now + byte);
        }
    }

    fn step(&mut self, at: Nanos, cx: &mut Context<'_>) {
        let Some(transaction) = &self.transaction else {
            return;
        };
        if transaction.wait.is_some() {
            self.wires.abandon();
            self.finish(intr::TIMEOUT);
            return;
        }
        match transaction.step {
            Step::Start if self.wires.scl_held(cx.signals) => self.wait(Wait::Bus, at),
            Step::Start => {
                let byte = self.halves(BYTE, cx);
                self.go(Step::Address, at + byte);
            }
            Step::Address => self.address_sent(at, cx),
            Step::Data => self.byte_passed(at, cx),
            Step::Stop => self.stopped(at, cx),
            Step::Delay => {
                let edge = self.edge_time(cx);
                self.go(Step::Start, at + edge);
            }
        }
    }

    /// SCL as the chip holds it: only a controller that looks at it waits, for
    /// another the byte is lost.
    fn stretched(&self) -> (Nanos, bool) {
        match self.wires.stretch_ns() {
            0 => (0, true),
            ns if self.is_set(control::CLK_EXT_EN) => (ns, true),
            _ => (0, false),
        }
    }

    fn address_sent(&mut self, at: Nanos, cx: &mut Context<'_>) {
        let address = (self.regs.get(regs::SLAVE_ADDR) >> 1) as u8;
        let Some(reading) = self.transaction.as_ref().map(|running| running.reading) else {
            return;
        };
        let timing = self.regs.get(regs::TIMING);
        self.wires.set_speed(scl_khz(cx.signals, timing));
        let acked = self.wires.start(address, reading, at, cx.signals);
        let (stretch, heard) = self.stretched();
        self.after_byte(at + stretch, acked && heard, cx);
    }

    fn byte_passed(&mut self, at: Nanos, cx: &mut Context<'_>) {
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        transaction.left = transaction.left.saturating_sub(1);
        let deaf = transaction.deaf;
        if transaction.reading {
            let byte = self.wires.read(cx.signals);
            let (stretch, heard) = self.stretched();
            if !self.fifo.push(if heard && !deaf { byte } else { 0xFF }) {
                let text = "a byte was received while the FIFO is full; it is lost";
                cx.report(GuestError::Refused, self.name(), regs::DATA_PORT, text);
            }
            self.after_byte(at + stretch, true, cx);
        } else {
            let byte = self.fifo.pop().unwrap_or(0xFF);
            let acked = self.wires.write(byte, cx.signals);
            let (stretch, heard) = self.stretched();
            self.after_byte(at + stretch, acked && heard, cx);
        }
    }

    /// What follows a byte whose acknowledge slot has passed.
    fn after_byte(&mut self, at: Nanos, acked: bool, cx: &mut Context<'_>) {
        let detects = self.is_set(control::ACKERR_DET_EN);
        self.move_dma(cx);
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        if !acked {
            transaction.deaf = true;
            transaction.nacked |= detects;
        }
        if transaction.nacked {
            self.finish_transfer(at, cx);
        } else if transaction.left == 0 {
            transaction.done += 1;
            self.finish_transfer(at, cx);
        } else {
            let wait = if transaction.reading {
                let waits = self.fifo.is_full() && self.is_set(control::DMA_EN);
                waits.then_some(Wait::Rx)
            } else {
                self.fifo.is_empty().then_some(Wait::Tx)
            };
            if let Some(wait) = wait {
                self.wait(wait, at);
            } else {
                let byte = self.halves(BYTE, cx);
                self.go(Step::Data, at + byte);
            }
        }
    }

    /// STOP or repeated START after the last byte of a transfer.
    fn finish_transfer(&mut self, at: Nanos, cx: &mut Context<'_>) {
        let Some(transaction) = &self.transaction else {
            return;
        };
        let more = !transaction.nacked && transaction.done < self.regs.get(regs::TRANSAC_LEN);
        if self.wires.sda_held(cx.signals) {
            self.wait(Wait::Bus, at);
            return;
        }
        let edge = self.edge_time(cx);
        if more && self.is_set(control::RS) {
            self.wires.end(false, at);
            self.next_transfer();
            self.go(Step::Start, at + edge);
        } else {
            self.go(Step::Stop, at + edge);
        }
    }

    /// Direction and length of the transfer that follows.
    fn next_transfer(&mut self) {
        let control = self.regs.get(regs::CONTROL);
        let len = self.regs.get(regs::TRANSFER_LEN);
        let aux = self.regs.get(regs::TRANSFER_LEN_AUX);
        if let Some(transaction) = &mut self.transaction {
            transaction.reading |= control & control::DIR_CHANGE != 0;
            transaction.deaf = false;
            let uses_aux = control & (control::DIR_CHANGE | control::LEN_CHANGE) != 0;
            transaction.left = if uses_aux { aux } else { len };
        }
    }

    fn stopped(&mut self, at: Nanos, cx: &mut Context<'_>) {
        self.wires.end(true, at);
        let Some(transaction) = &self.transaction else {
            return;
        };
        if transaction.nacked {
            self.finish(intr::COMPLETE | intr::ACKERR);
        } else if transaction.done < self.regs.get(regs::TRANSAC_LEN) {
            self.next_transfer();
            let delay = self.halves(u64::from(self.regs.get(regs::DELAY_LEN)), cx);
            self.go(Step::Delay, at + delay);
        } else {
            self.finish(intr::COMPLETE);
        }
        // A chip may let go of its interrupt pin now.
        self.wires.observe(self.name(), cx);
    }

    fn finish(&mut self, bits: u32) {
        self.last_read = self
            .transaction
            .as_ref()
            .is_some_and(|transaction| transaction.reading);
        self.transaction = None;
        self.intr |= bits;
    }

    /// DEBUGSTAT.
    pub(super) fn debug_status(&self, cx: &Context<'_>) -> u32 {
        use regs::debug::{BUS_BUSY, MASTER_READ, MASTER_WRITE};
        match &self.transaction {
            None if self.wires.sda_held(cx.signals) || self.wires.scl_held(cx.signals) => BUS_BUSY,
            None => 0,
            Some(transaction) => {
                let direction = if transaction.reading {
                    MASTER_READ
                } else {
                    MASTER_WRITE
                };
                BUS_BUSY | direction | (transaction.step as u32 + 1)
            }
        }
    }
}
