//! Blocks on the data lines: which arrive, which are spoilt, and how long the
//! card makes the host wait.
//!
//! Source: facts/storage-and-images.md 8.5 and 8.6; JESD84-B45 6.6 (data
//! transfer) and 6.15 (timings).

use std::io;

use super::config::{CutSector, Fault, FaultKind};
use super::registers::{ext, status};
use super::{Area, Emmc, Remark, SECTOR, State, Wire};
use crate::bus::Nanos;

/// Where the data of a transfer comes from or goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The 512 bytes of EXT_CSD.
    ExtCsd,
    /// An area.
    Area(Area),
}

/// A data command in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub source: Source,
    /// Byte offset of the next block.
    pub offset: u64,
    /// Blocks still to come; none = until CMD12.
    pub blocks_left: Option<u32>,
    /// At least one block went through.
    pub moved: bool,
}

/// A block on its way to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What the lines carry, 512 bytes as a rule.
    pub data: Vec<u8>,
    /// From the end of the command or of the block before to the start bit.
    pub latency_ns: Nanos,
    /// The CRC16 on the lines fits.
    pub crc_ok: bool,
}

/// Why a block did not go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataError {
    /// Nothing came: no start bit, or no CRC status.
    Silent,
    /// The card's CRC status is "negative".
    Crc,
}

impl Emmc {
    /// Whether the host's bus is the one that the card was switched to.
    pub fn bus_matches(&self, wire: Wire) -> bool {
        let (width, ddr) = match self.ext_csd[ext::BUS_WIDTH] {
            0 => (1, false),
            1 => (4, false),
            2 => (8, false),
            5 => (4, true),
            _ => (8, true),
        };
        wire.width == width && wire.ddr == ddr && wire.clock_hz <= self.max_clock_hz()
    }

    fn lines_work(&self, wire: Wire) -> bool {
        self.bus_matches(wire) && (self.config.ddr_works || !wire.ddr)
    }

    /// A data command was answered: reports a bus that cannot carry its data.
    pub fn check_bus(&mut self, wire: Wire) {
        if self.transfer.is_some() && !self.bus_matches(wire) {
            let message = format!(
                "data at {} bit{}, {} Hz while EXT_CSD[183] = {} and HS_TIMING = {}",
                wire.width,
                if wire.ddr { " DDR" } else { "" },
                wire.clock_hz,
                self.ext_csd[ext::BUS_WIDTH],
                self.ext_csd[ext::HS_TIMING],
            );
            self.guest_error(message);
        }
    }

    /// Block length of the running transfer in bytes, if there is one.
    pub fn transfer_block_len(&self) -> Option<u32> {
        self.transfer.map(|transfer| match transfer.source {
            Source::ExtCsd => 512,
            Source::Area(_) => self.block_len,
        })
    }

    /// How many of the next `blocks` blocks will go through without trouble,
    /// so that a host can tell the time of the first one that will not.
    pub fn good_blocks_ahead(&self, wire: Wire, blocks: u32) -> u32 {
        let Some(transfer) = self
            .transfer
            .filter(|_| self.alive() && self.lines_work(wire))
        else {
            return 0;
        };
        let Source::Area(area) = transfer.source else {
            return blocks;
        };
        let per_block = u64::from(self.block_len);
        let room = self.area_bytes(area).saturating_sub(transfer.offset) / per_block;
        let first = transfer.offset / SECTOR as u64;
        let write = self.state == State::Receive;
        let spoilt = |fault: &Fault| {
            let last = u64::from(fault.last.unwrap_or(fault.first));
            let nearest = u64::from(fault.first).max(first);
            (last >= first && fault.hits(area, nearest, write))
                .then(|| (nearest - first) * SECTOR as u64 / per_block)
        };
        let fault = self
            .config
            .faults
            .iter()
            .filter_map(spoilt)
            .min()
            .unwrap_or(u64::MAX);
        let cut = self.sectors_to_cut().filter(|_| write);
        let cut = cut.map_or(u64::MAX, |sectors| sectors * SECTOR as u64 / per_block);
        room.min(fault).min(cut).min(blocks.into()) as u32
    }

    /// The next block to the host.
    pub fn read_block(&mut self, wire: Wire) -> Result<Block, DataError> {
        let sending = self.alive() && self.state == State::Data && !self.config.stuck_busy;
        let mut transfer = self.transfer.filter(|_| sending).ok_or(DataError::Silent)?;
        let latency_ns = if transfer.moved {
            0
        } else {
            Nanos::from(self.config.read_latency_us) * 1000
        };
        let mut crc_ok = self.lines_work(wire);
        let mut data = vec![0; self.block_len as usize];
        match transfer.source {
            Source::ExtCsd => data = self.ext_csd.to_vec(),
            Source::Area(area) => {
                self.check_room(area, transfer.offset)?;
                match self.take_fault(area, transfer.offset, false) {
                    Some(FaultKind::Timeout) => return Err(DataError::Silent),
                    Some(_) => crc_ok = false,
                    None => {}
                }
                let result = self
                    .stores
                    .area(area)
                    .map_or(Ok(()), |store| store.read_at(transfer.offset, &mut data));
                if self.store_result(result) != 0 {
                    self.pending_status |= status::ERROR;
                    return Err(DataError::Silent);
                }
                self.stats.blocks_read += 1;
            }
        }
        if !crc_ok && let Some(byte) = data.first_mut() {
            *byte ^= 0xFF;
        }
        self.stats.busy_ns += latency_ns;
        self.advance(&mut transfer);
        if transfer.blocks_left == Some(0) {
            self.transfer = None;
            self.state = State::Transfer;
        }
        Ok(Block {
            data,
            latency_ns,
            crc_ok,
        })
    }

    /// A block from the host that ends at `now`: how long the card is busy
    /// before it takes the next one.
    pub fn write_block(&mut self, wire: Wire, data: &[u8], now: Nanos) -> Result<Nanos, DataError> {
        let receiving = self.alive() && self.state == State::Receive && !self.config.stuck_busy;
        let mut transfer = self
            .transfer
            .filter(|_| receiving)
            .ok_or(DataError::Silent)?;
        let Source::Area(area) = transfer.source else {
            return Err(DataError::Silent);
        };
        self.check_room(area, transfer.offset)?;
        let fault = self.take_fault(area, transfer.offset, true);
        if fault == Some(FaultKind::WriteTimeout) {
            return Err(DataError::Silent);
        }
        if fault.is_some() || !self.lines_work(wire) || data.len() != self.block_len as usize {
            if transfer.blocks_left == Some(1) && !transfer.moved {
                self.transfer = None;
                self.state = State::Transfer;
            }
            return Err(DataError::Crc);
        }
        if self.sectors_to_cut() == Some(0) {
            self.cut_power(area, transfer.offset, data);
            return Err(DataError::Silent);
        }
        let result = self
            .stores
            .area(area)
            .map_or(Ok(()), |store| store.write_at(transfer.offset, data));
        self.pending_status |= self.store_result(result);
        self.stats.blocks_written += 1;
        self.advance(&mut transfer);
        if transfer.blocks_left == Some(0) {
            self.transfer = None;
            self.go_busy(now, self.config.write_busy_us);
            return Ok(0);
        }
        let busy_ns = Nanos::from(self.config.block_busy_us) * 1000;
        self.stats.busy_ns += busy_ns;
        Ok(busy_ns)
    }

    /// Sectors that can still be written before the power is cut.
    fn sectors_to_cut(&self) -> Option<u64> {
        let cut = self.config.power_cut?;
        Some(cut.at_sector.saturating_sub(self.stats.blocks_written + 1))
    }

    /// The power goes while `data` is being programmed.
    fn cut_power(&mut self, area: Area, offset: u64, data: &[u8]) {
        let leaves = self.config.power_cut.take().map(|cut| cut.leaves);
        let left = match leaves.unwrap_or_default() {
            CutSector::Old => Vec::new(),
            CutSector::Half => data[..data.len() / 2].to_vec(),
            // As flash that was programmed half way reads: no pattern of old or new.
            CutSector::Garbage => data
                .iter()
                .zip(0u8..=u8::MAX)
                .map(|(byte, at)| byte ^ at.wrapping_mul(0x9D) ^ 0x5A)
                .collect(),
            CutSector::New => data.to_vec(),
        };
        let store = self.stores.area(area).filter(|_| !left.is_empty());
        let result = store.map_or(Ok(()), |store| store.write_at(offset, &left));
        self.store_result(result);
        self.restart();
        self.cut = true;
        let sector = offset / SECTOR as u64;
        self.remarks.push(Remark::PowerCut(format!(
            "power cut while sector {sector:#x} of the eMMC's {area:?} area was written"
        )));
    }

    fn advance(&mut self, transfer: &mut Transfer) {
        transfer.offset += u64::from(self.block_len);
        transfer.blocks_left = transfer.blocks_left.map(|blocks| blocks.saturating_sub(1));
        transfer.moved = true;
        self.transfer = Some(*transfer);
    }

    /// Beyond the last block of an area there is silence, and an error in the
    /// next response.
    fn check_room(&mut self, area: Area, offset: u64) -> Result<(), DataError> {
        if offset + u64::from(self.block_len) > self.area_bytes(area) {
            self.pending_status |= status::OUT_OF_RANGE;
            return Err(DataError::Silent);
        }
        Ok(())
    }

    fn take_fault(&mut self, area: Area, offset: u64, write: bool) -> Option<FaultKind> {
        let first = offset / SECTOR as u64;
        let sectors = first..first + u64::from(self.block_len) / SECTOR as u64;
        let fault = self.config.faults.iter_mut().find(|fault| {
            sectors
                .clone()
                .any(|sector| fault.hits(area, sector, write))
        })?;
        fault.times = fault.times.map(|times| times - 1);
        Some(fault.kind)
    }

    /// The status bits for what the host's file system said.
    pub(super) fn store_result(&mut self, result: io::Result<()>) -> u32 {
        match result {
            Ok(()) => 0,
            Err(error) => {
                self.remarks
                    .push(Remark::Host(format!("the eMMC's image: {error}")));
                status::ERROR
            }
        }
    }
}
