//! The data engine: blocks between the card and the 128-byte FIFO, which the
//! CPU or the DMA serves, at the pace of the bus.
//!
//! Nothing happens between accesses: [`Msdc::run_phase`] catches up with what
//! the lines have done since. When the FIFO is full (or empty, for a write)
//! the controller stops the card's clock, so that a slow CPU loses nothing.
//!
//! Source: facts/storage-and-images.md 8.7, 8.8 and 8.10 (points 5 to 9);
//! frames and gaps of JESD84-B45 6.6 and 6.15.

use super::clock::{bytes_ps, clocks_ps};
use super::regs::{Command, cfg, int, reg};
use super::{Msdc, Picos, nanos, picos};
use crate::bus::{Context, Nanos};
use crate::models::emmc::data::DataError;
use crate::models::emmc::{Reply, Wire};

/// Bytes of the FIFO.
pub(super) const FIFO_BYTES: usize = 128;

/// Start bit of a block.
const START_CLOCKS: u64 = 1;
/// CRC16 and end bit.
const END_CLOCKS: u64 = 17;
/// From the end bit of a written block to the end of the CRC status.
const CRC_STATUS_CLOCKS: u64 = 7;
/// From a response or CRC status to the next written block (N_WR).
const WRITE_GAP_CLOCKS: u64 = 2;

/// Where a data phase stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A block may begin at this time.
    Begin(Picos),
    /// The wire is ready for (write) or has delivered (read) its next byte at
    /// this time.
    Bytes(Picos),
    /// CRC and what follows it end at this time.
    Tail(Picos),
    /// All is over on the lines at this time; the FIFO may hold the rest.
    Drained(Picos),
    /// An interrupt will say at this time what went wrong.
    Failing(Picos, u32),
}

/// The data phase of one command.
pub(super) struct Phase {
    write: bool,
    /// CMD12 follows by itself.
    auto_stop: bool,
    block_len: usize,
    /// The card's block length is the same.
    length_fits: bool,
    blocks: u32,
    blocks_left: u32,
    wire: Wire,
    /// The block on the wire: filled already (read) or being filled (write).
    block: Vec<u8>,
    /// Bytes of a read block that reached the FIFO or memory.
    delivered: usize,
    crc_ok: bool,
    step: Step,
}

impl Phase {
    pub fn new(command: Command, blocks: u32, wire: Wire, length_fits: bool, at: Picos) -> Phase {
        let write = command.write();
        let gap = if write {
            clocks_ps(wire, WRITE_GAP_CLOCKS)
        } else {
            0
        };
        Phase {
            write,
            auto_stop: command.auto() == 1,
            block_len: command.block_len() as usize,
            length_fits,
            blocks,
            blocks_left: blocks,
            wire,
            block: Vec::new(),
            delivered: 0,
            crc_ok: true,
            step: Step::Begin(at + gap),
        }
    }

    pub fn total_bytes(&self) -> u64 {
        u64::from(self.blocks) * self.block_len as u64
    }

    /// Bytes of the current block that are not yet through.
    fn rest(&self) -> usize {
        self.block_len
            - if self.write {
                self.block.len()
            } else {
                self.delivered
            }
    }

    /// The least that one whole block takes.
    fn block_ps(&self) -> Picos {
        let frame = START_CLOCKS
            + END_CLOCKS
            + if self.write {
                CRC_STATUS_CLOCKS + WRITE_GAP_CLOCKS
            } else {
                0
            };
        clocks_ps(self.wire, frame) + bytes_ps(self.wire, self.block_len as u64)
    }
}

impl Msdc {
    /// SDC_CFG.DTOC as a duration.
    fn data_timeout_ps(&self, wire: Wire) -> Picos {
        clocks_ps(
            wire,
            u64::from((self.regs.get(reg::SDC_CFG) >> 24) + 1) << 20,
        )
    }

    /// Catches up with the data lines.
    pub(super) fn run_phase(&mut self, cx: &mut Context<'_>) {
        let now = picos(cx.now);
        while let Some(mut phase) = self.phase.take() {
            let before = phase.step;
            let over = match before {
                Step::Begin(at) if at <= now => self.begin_block(&mut phase, at),
                Step::Bytes(_) if phase.write => self.send_bytes(&mut phase, now, cx),
                Step::Bytes(_) => self.receive_bytes(&mut phase, now, cx),
                Step::Tail(at) if at <= now => self.end_block(&mut phase, at),
                Step::Drained(at) if at <= now => self.complete(cx),
                Step::Failing(at, interrupt) if at <= now => self.fail(&phase, interrupt),
                _ => false,
            };
            let stands = phase.step == before;
            if !over {
                self.phase = Some(phase);
            }
            if over || stands {
                break;
            }
        }
    }

    /// Each of these returns whether the phase is over.
    fn begin_block(&mut self, phase: &mut Phase, at: Picos) -> bool {
        let timeout = self.data_timeout_ps(phase.wire);
        let start = clocks_ps(phase.wire, START_CLOCKS);
        if phase.write {
            phase.block.clear();
            let held = self
                .card
                .as_ref()
                .is_some_and(|card| card.dat0_low(nanos(at)));
            phase.step = if held {
                Step::Failing(at + timeout, int::DATTMO)
            } else {
                Step::Bytes(at + start)
            };
            return false;
        }
        let block = self
            .card
            .as_mut()
            .and_then(|card| card.read_block(phase.wire).ok());
        phase.step = match block.filter(|block| block.latency_ns * 1000 <= timeout) {
            None => Step::Failing(at + timeout, int::DATTMO),
            Some(block) => {
                phase.crc_ok = block.crc_ok && phase.length_fits;
                phase.block = block.data;
                phase.block.resize(phase.block_len, 0);
                phase.delivered = 0;
                Step::Bytes(at + block.latency_ns * 1000 + start + bytes_ps(phase.wire, 1))
            }
        };
        false
    }

    /// Card to FIFO or memory.
    fn receive_bytes(&mut self, phase: &mut Phase, now: Picos, cx: &mut Context<'_>) -> bool {
        let Step::Bytes(mut next) = phase.step else {
            return false;
        };
        if self.dma.running {
            self.drain_rx_to_memory(cx);
            let run = self.dma_run(phase);
            let end = next + bytes_ps(phase.wire, run.saturating_sub(1) as u64);
            if run > 0 && end <= now {
                self.dma_store(&phase.block[phase.delivered..phase.delivered + run], cx);
                phase.delivered += run;
                next = end + bytes_ps(phase.wire, u64::from(phase.rest() > 0));
            }
        } else {
            let byte = bytes_ps(phase.wire, 1);
            while phase.rest() > 0 && next <= now && self.rx.len() < FIFO_BYTES {
                self.rx.push_back(phase.block[phase.delivered]);
                phase.delivered += 1;
                next += if phase.rest() > 0 { byte } else { 0 };
            }
        }
        phase.step = if phase.rest() == 0 {
            Step::Tail(next + clocks_ps(phase.wire, END_CLOCKS))
        } else {
            Step::Bytes(next)
        };
        false
    }

    /// Bytes of the current block that the DMA can move before it needs
    /// another buffer.
    fn dma_run(&self, phase: &Phase) -> usize {
        (phase.rest() as u64).min(self.dma.room()) as usize
    }

    /// What a CPU-served FIFO held when the DMA took over goes first.
    fn drain_rx_to_memory(&mut self, cx: &mut Context<'_>) {
        if self.rx.is_empty() {
            return;
        }
        let held: Vec<u8> = self.rx.iter().copied().collect();
        let stored = self.dma_store(&held, cx);
        self.rx.drain(..stored);
    }

    /// FIFO or memory to card.
    fn send_bytes(&mut self, phase: &mut Phase, now: Picos, cx: &mut Context<'_>) -> bool {
        let Step::Bytes(mut next) = phase.step else {
            return false;
        };
        let byte = bytes_ps(phase.wire, 1);
        while phase.rest() > 0
            && next + byte <= now
            && let Some(data) = self.tx.pop_front()
        {
            phase.block.push(data);
            next += byte;
        }
        let run = self.dma_run(phase);
        let end = next + bytes_ps(phase.wire, run as u64);
        if run > 0 && end <= now {
            self.dma_fetch(run, &mut phase.block, cx);
            next = end;
        }
        phase.step = if phase.rest() == 0 {
            Step::Tail(next + clocks_ps(phase.wire, END_CLOCKS + CRC_STATUS_CLOCKS))
        } else {
            Step::Bytes(next)
        };
        false
    }

    fn end_block(&mut self, phase: &mut Phase, at: Picos) -> bool {
        let mut busy_ns: Nanos = 0;
        if phase.write {
            let outcome = match &mut self.card {
                Some(card) => card.write_block(phase.wire, &phase.block, nanos(at)),
                None => Err(DataError::Silent),
            };
            match outcome {
                Ok(busy) => busy_ns = busy,
                Err(DataError::Crc) => {
                    phase.step = Step::Failing(at, int::DATCRCERR);
                    return false;
                }
                Err(DataError::Silent) => {
                    phase.step = Step::Failing(at + self.data_timeout_ps(phase.wire), int::DATTMO);
                    return false;
                }
            }
        } else if !phase.crc_ok {
            phase.step = Step::Failing(at, int::DATCRCERR);
            return false;
        }
        phase.blocks_left -= 1;
        phase.step = if phase.blocks_left == 0 {
            Step::Drained(if phase.auto_stop {
                self.auto_cmd12(phase.wire, at)
            } else {
                at
            })
        } else {
            let gap = if phase.write {
                WRITE_GAP_CLOCKS
            } else {
                self.card
                    .as_ref()
                    .map_or(0, |card| card.config().block_gap_clocks.into())
            };
            let next = at + busy_ns * 1000 + clocks_ps(phase.wire, gap);
            let timeout = self.data_timeout_ps(phase.wire);
            if busy_ns * 1000 > timeout {
                Step::Failing(at + timeout, int::DATTMO)
            } else {
                Step::Begin(next)
            }
        };
        false
    }

    /// Sends CMD12 by itself; when its response is over.
    fn auto_cmd12(&mut self, wire: Wire, at: Picos) -> Picos {
        let mut time = at;
        match self.exchange(12, 0, false, wire, true, &mut time) {
            Reply::R1(status) => {
                self.regs.set(reg::SDC_ACMD_RESP, status);
                self.auto12 = int::ACMDRDY;
            }
            _ => self.auto12 = int::ACMDTMO,
        }
        time
    }

    /// XFER_COMPL, unless the CPU has not fetched all bytes yet.
    fn complete(&mut self, cx: &mut Context<'_>) -> bool {
        if self.dma.running {
            self.drain_rx_to_memory(cx);
        }
        if !self.rx.is_empty() {
            return false;
        }
        let auto12 = std::mem::take(&mut self.auto12);
        let mut bits = int::XFER_COMPL | auto12;
        if self.dma.running {
            bits |= int::DXFER_DONE;
            self.dma_finish(cx);
        }
        self.regs.raise(reg::MSDC_INT, bits);
        true
    }

    fn fail(&mut self, phase: &Phase, interrupt: u32) -> bool {
        if interrupt == int::DATCRCERR {
            let lines = (1u32 << phase.wire.width) - 1;
            self.regs.set(
                reg::SDC_DCRC_STS,
                if phase.wire.ddr {
                    lines | lines << 8
                } else {
                    lines
                },
            );
        }
        self.regs.raise(reg::MSDC_INT, interrupt);
        true
    }

    /// The FIFO has room (or data, for a write) again at `now`: the clock that
    /// was stopped runs on.
    pub(super) fn restart_wire(&mut self, now: Nanos) {
        let Some(phase) = &mut self.phase else { return };
        if let Step::Bytes(next) = &mut phase.step {
            let one = if phase.write {
                0
            } else {
                bytes_ps(phase.wire, 1)
            };
            if *next < picos(now) {
                *next = picos(now) + one;
            }
        }
    }

    /// A time not after the next thing that the data phase will have to say,
    /// but late enough to have moved on by then.
    pub(super) fn phase_deadline(&self) -> Option<Picos> {
        let phase = self.phase.as_ref()?;
        let rest = phase.rest() as u64;
        let served = self.dma.running || self.regs.get(reg::MSDC_CFG) & cfg::PIO != 0;
        match phase.step {
            Step::Failing(at, _) => Some(at),
            Step::Drained(at) => (self.rx.is_empty() || self.dma.has_room()).then_some(at),
            Step::Begin(at) => Some(at + self.blocks_ahead_ps(phase, phase.blocks_left)),
            Step::Tail(at) => Some(at + self.blocks_ahead_ps(phase, phase.blocks_left - 1)),
            Step::Bytes(next) if self.dma.running => {
                let run = self.dma_run(phase) as u64;
                let bytes = if phase.write {
                    run
                } else {
                    run.saturating_sub(1)
                };
                let ahead = self.blocks_ahead_ps(phase, phase.blocks_left - 1);
                (run > 0).then(|| next + bytes_ps(phase.wire, bytes) + ahead)
            }
            Step::Bytes(next) if phase.write => {
                (self.tx.len() as u64 >= rest).then(|| next + bytes_ps(phase.wire, rest))
            }
            Step::Bytes(next) => (served && (FIFO_BYTES - self.rx.len()) as u64 >= rest)
                .then(|| next + bytes_ps(phase.wire, rest - 1)),
        }
    }

    /// The least time that up to `blocks` further blocks take of which the
    /// card will spoil none; 0 where the CPU has to keep up by hand.
    fn blocks_ahead_ps(&self, phase: &Phase, blocks: u32) -> Picos {
        let room = self.dma.room().saturating_sub(phase.rest() as u64) / phase.block_len as u64;
        let blocks = u64::from(blocks).min(room) as u32;
        let good = self
            .card
            .as_ref()
            .map_or(0, |card| card.good_blocks_ahead(phase.wire, blocks));
        // A spoilt block on the wire is the last one.
        if self.dma.running && phase.crc_ok {
            u64::from(good) * phase.block_ps()
        } else {
            0
        }
    }
}
