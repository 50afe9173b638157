//! The MSDC's bus master: one buffer (basic mode) or chains of GPDs and BDs
//! (descriptor mode).
//!
//! Source: facts/storage-and-images.md 8.8 and 8.10 (point 8).

use std::collections::VecDeque;

use super::regs::{dma_cfg, dma_ctrl, int, reg};
use super::{Msdc, cfg};
use crate::bus::{Context, GuestError, Memory};

/// More descriptors than any transfer of 65535 blocks needs; a chain that goes
/// on is a loop.
const MAX_DESCRIPTORS: usize = 70_000;
/// What the engine reads of a GPD or BD, and what its checksum covers.
const DESCRIPTOR_BYTES: usize = 16;

/// Bits of a descriptor's first word.
const GPD_HWO: u32 = 1 << 0;
const GPD_BDP: u32 = 1 << 1;
const BD_EOL: u32 = 1 << 0;

/// The engine between START and the end of the transfer.
#[derive(Default)]
pub(super) struct Dma {
    /// DMA_CFG.STS.
    pub running: bool,
    /// Memory still to be filled or read: (address, bytes).
    pieces: VecDeque<(u32, u32)>,
    /// GPDs whose HWO is cleared at the end.
    gpds: Vec<u32>,
    /// Bytes of all pieces at START.
    total: u64,
    /// No further buffer follows by RESUME.
    last: bool,
    /// DMAQ_EMPTY was raised for the current buffer.
    empty_reported: bool,
    /// A data phase was there at or after START.
    pub joined: bool,
}

impl Dma {
    /// Whether there is memory for another byte.
    pub fn has_room(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// Bytes that were programmed, if that is all there will be.
    pub fn programmed(&self) -> Option<u64> {
        self.last.then_some(self.total)
    }

    /// Bytes that can move now.
    pub fn room(&self) -> u64 {
        self.pieces.iter().map(|piece| u64::from(piece.1)).sum()
    }

    /// Cuts the next contiguous run of at most `want` bytes off the front.
    fn take(&mut self, want: usize) -> Option<(u32, usize)> {
        let (addr, left) = self.pieces.front_mut()?;
        let count = want.min(*left as usize);
        let run = (*addr, count);
        *addr = addr.wrapping_add(count as u32);
        *left -= count as u32;
        if *left == 0 {
            self.pieces.pop_front();
        }
        Some(run)
    }
}

/// Why a chain cannot be used.
struct Broken {
    kind: GuestError,
    message: String,
    /// BDCSERR or GPDCSERR if a checksum was wrong.
    checksum: Option<(u32, u32)>,
}

impl Broken {
    fn new(kind: GuestError, message: String) -> Broken {
        Broken {
            kind,
            message,
            checksum: None,
        }
    }
}

impl Msdc {
    pub(super) fn write_dma_ctrl(&mut self, value: u32, cx: &mut Context<'_>) {
        let commands = dma_ctrl::START | dma_ctrl::STOP | dma_ctrl::RESUME;
        self.regs.set(reg::DMA_CTRL, value & !commands);
        if value & dma_ctrl::STOP != 0 {
            self.dma = Dma::default();
        }
        if value & dma_ctrl::START != 0 {
            self.dma_start(cx);
        }
        if value & dma_ctrl::RESUME != 0 {
            self.dma_resume(cx);
        }
    }

    fn dma_start(&mut self, cx: &mut Context<'_>) {
        let ctrl = self.regs.get(reg::DMA_CTRL);
        if self.regs.get(reg::MSDC_CFG) & cfg::PIO != 0 {
            return self.refuse(
                cx,
                reg::DMA_CTRL,
                "DMA start while MSDC_CFG.PIO gives the FIFO to the CPU",
            );
        }
        if self.dma.running {
            return self.refuse(cx, reg::DMA_CTRL, "DMA start while DMA_CFG.STS is active");
        }
        if !(3..=6).contains(&(ctrl >> dma_ctrl::BURST_SHIFT & 7)) {
            self.refuse(
                cx,
                reg::DMA_CTRL,
                "DMA start with a burst size that does not exist",
            );
        }
        self.regs
            .clear(reg::DMA_CFG, dma_cfg::BDCSERR | dma_cfg::GPDCSERR);
        let dma = if ctrl & dma_ctrl::MODE == 0 {
            let mut dma = Dma {
                running: true,
                last: ctrl & dma_ctrl::LASTBUF != 0,
                ..Dma::default()
            };
            self.add_basic_buffer(&mut dma, cx);
            Ok(dma)
        } else {
            self.walk(cx)
        };
        match dma {
            Ok(dma) => self.dma = dma,
            Err(broken) => {
                cx.report(broken.kind, self.name, reg::DMA_SA, broken.message);
                if let Some((interrupt, config)) = broken.checksum {
                    self.regs.raise(reg::MSDC_INT, interrupt);
                    self.regs.raise(reg::DMA_CFG, config);
                }
                return;
            }
        }
        self.restart_wire(cx.now);
        self.match_dma_to_phase(cx);
    }

    fn dma_resume(&mut self, cx: &mut Context<'_>) {
        let ctrl = self.regs.get(reg::DMA_CTRL);
        if !self.dma.running || self.dma.has_room() || self.dma.last || ctrl & dma_ctrl::MODE != 0 {
            return self.refuse(
                cx,
                reg::DMA_CTRL,
                "DMA resume without a basic transfer that waits for its next buffer",
            );
        }
        let mut dma = std::mem::take(&mut self.dma);
        dma.last = ctrl & dma_ctrl::LASTBUF != 0;
        dma.empty_reported = false;
        self.add_basic_buffer(&mut dma, cx);
        self.dma = dma;
        self.restart_wire(cx.now);
        self.match_dma_to_phase(cx);
    }

    fn add_basic_buffer(&mut self, dma: &mut Dma, cx: &mut Context<'_>) {
        let (addr, len) = (self.regs.get(reg::DMA_SA), self.regs.get(reg::DMA_LEN));
        if len == 0 {
            return self.refuse(cx, reg::DMA_LEN, "DMA of 0 bytes");
        }
        dma.pieces.push_back((addr, len));
        dma.total += u64::from(len);
        self.regs.set(reg::DMA_CA, addr);
    }

    /// Follows the chain of GPDs, and of BDs below each.
    fn walk(&mut self, cx: &mut Context<'_>) -> Result<Dma, Broken> {
        let checksums = self.regs.get(reg::DMA_CFG) & dma_cfg::DECSEN != 0;
        let mut dma = Dma {
            running: true,
            last: true,
            ..Dma::default()
        };
        let mut at = self.regs.get(reg::DMA_SA);
        loop {
            // The checksum of a GPD with HWO = 0 is not looked at: it only ends the chain.
            let words = descriptor(cx.memory, at, "GPD")?;
            if words[0] & GPD_HWO == 0 {
                break;
            }
            if checksums && !checksum_fits(words) {
                let checksum = Some((int::GPDCSERR, dma_cfg::GPDCSERR));
                return Err(Broken {
                    checksum,
                    ..Broken::new(
                        GuestError::Refused,
                        format!("GPD at {at:#x}: wrong checksum"),
                    )
                });
            }
            if words[0] & GPD_BDP != 0 {
                walk_buffers(cx.memory, words[2], checksums, &mut dma)?;
            } else {
                add_piece(&mut dma, words[2], words[3] & 0xFFFF, "GPD", at)?;
            }
            dma.gpds.push(at);
            if dma.gpds.len() > MAX_DESCRIPTORS {
                return Err(Broken::new(
                    GuestError::Refused,
                    "the chain of GPDs does not end".into(),
                ));
            }
            at = words[1];
        }
        if dma.gpds.is_empty() {
            return Err(Broken::new(
                GuestError::Refused,
                format!("DMA start with HWO = 0 in the first GPD at {at:#x}"),
            ));
        }
        self.regs
            .set(reg::DMA_CA, dma.pieces.front().map_or(0, |piece| piece.0));
        Ok(dma)
    }

    /// Moves bytes that came from the card to memory; how many found room.
    pub(super) fn dma_store(&mut self, data: &[u8], cx: &mut Context<'_>) -> usize {
        let mut done = 0;
        while done < data.len()
            && let Some((addr, count)) = self.dma.take(data.len() - done)
        {
            if !cx.memory.write(addr, &data[done..done + count]) {
                cx.report(
                    GuestError::Unmapped,
                    self.name,
                    addr,
                    "DMA to an address where there is no memory",
                );
            }
            done += count;
            self.after_piece(addr.wrapping_add(count as u32));
        }
        done
    }

    /// Fetches at most `want` bytes for the card, appending them to `data`.
    pub(super) fn dma_fetch(&mut self, want: usize, data: &mut Vec<u8>, cx: &mut Context<'_>) {
        let end = data.len() + want;
        while data.len() < end
            && let Some((addr, count)) = self.dma.take(end - data.len())
        {
            let start = data.len();
            data.resize(start + count, 0);
            if !cx.memory.read(addr, &mut data[start..]) {
                cx.report(
                    GuestError::Unmapped,
                    self.name,
                    addr,
                    "DMA from an address where there is no memory",
                );
            }
            self.after_piece(addr.wrapping_add(count as u32));
        }
    }

    fn after_piece(&mut self, next_addr: u32) {
        self.regs.set(
            reg::DMA_CA,
            self.dma.pieces.front().map_or(next_addr, |piece| piece.0),
        );
        if !self.dma.has_room() && !self.dma.last && !self.dma.empty_reported {
            self.dma.empty_reported = true;
            self.regs.raise(reg::MSDC_INT, int::DMAQ_EMPTY);
        }
    }

    /// The transfer is through: descriptors go back to software.
    pub(super) fn dma_finish(&mut self, cx: &mut Context<'_>) {
        for gpd in std::mem::take(&mut self.dma).gpds {
            let mut word = [0; 4];
            if cx.memory.read(gpd, &mut word) {
                word[0] &= !(GPD_HWO as u8);
                cx.memory.write(gpd, &word);
            }
        }
    }

    /// Once a data phase and a started DMA are both there, their lengths must agree.
    pub(super) fn match_dma_to_phase(&mut self, cx: &mut Context<'_>) {
        let Some(phase) = self.phase.as_ref().filter(|_| self.dma.running) else {
            return;
        };
        self.dma.joined = true;
        let wanted = phase.total_bytes();
        let Some(programmed) = self.dma.programmed().filter(|&bytes| bytes != wanted) else {
            return;
        };
        self.refuse(
            cx,
            reg::DMA_CTRL,
            &format!("DMA is programmed for {programmed} bytes, the data phase has {wanted}"),
        );
    }
}

fn walk_buffers(
    memory: &mut dyn Memory,
    first: u32,
    checksums: bool,
    dma: &mut Dma,
) -> Result<(), Broken> {
    let mut at = first;
    for _ in 0..MAX_DESCRIPTORS {
        let words = descriptor(memory, at, "BD")?;
        if checksums && !checksum_fits(words) {
            let checksum = Some((int::BDCSERR, dma_cfg::BDCSERR));
            return Err(Broken {
                checksum,
                ..Broken::new(
                    GuestError::Refused,
                    format!("BD at {at:#x}: wrong checksum"),
                )
            });
        }
        add_piece(dma, words[2], words[3] & 0xFFFF, "BD", at)?;
        if words[0] & BD_EOL != 0 {
            return Ok(());
        }
        at = words[1];
    }
    Err(Broken::new(
        GuestError::Refused,
        format!("the chain of BDs at {first:#x} does not end"),
    ))
}

fn add_piece(dma: &mut Dma, addr: u32, len: u32, what: &str, at: u32) -> Result<(), Broken> {
    if len == 0 {
        return Err(Broken::new(
            GuestError::Refused,
            format!("{what} at {at:#x}: a buffer of 0 bytes"),
        ));
    }
    dma.pieces.push_back((addr, len));
    dma.total += u64::from(len);
    Ok(())
}

fn descriptor(memory: &mut dyn Memory, at: u32, what: &str) -> Result<[u32; 4], Broken> {
    if !at.is_multiple_of(4) {
        return Err(Broken::new(
            GuestError::Refused,
            format!("{what} at {at:#x}: not on a 4-byte boundary"),
        ));
    }
    let mut bytes = [0; DESCRIPTOR_BYTES];
    if !memory.read(at, &mut bytes) {
        return Err(Broken::new(
            GuestError::Unmapped,
            format!("{what} at {at:#x}: there is no memory"),
        ));
    }
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    Ok(words)
}

/// The 16 bytes, checksum included, add up to 0xFF.
fn checksum_fits(words: [u32; 4]) -> bool {
    words
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .fold(0u8, u8::wrapping_add)
        == 0xFF
}
