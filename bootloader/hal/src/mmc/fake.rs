//! A card that exists in memory, with a host that has no registers: what the
//! protocol's tests run against. It follows the card's state machine strictly
//! and fails where it is told to.
//!
//! Source: facts/storage-and-images.md 8.5, 8.6, 8.9 and 8.10.

use super::{BLOCK_BYTES, Bus, Command, Direction, Error, ExtCsd, Host, Reply, Response, Width};
use crate::dma::{DeviceOwned, DmaRegion};
use crate::time::Micros;
use std::collections::HashMap;

/// Blocks of the fake's user area: 4 GiB class, so it is addressed in blocks.
pub const USER_BLOCKS: u32 = 7_634_944;

/// What goes wrong with a block, and how often.
#[derive(Clone, Copy)]
pub struct Fault {
    pub lba: u32,
    pub crc: bool,
    /// Only with data on both edges.
    pub ddr_only: bool,
    pub times: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Idle,
    Ready,
    Ident,
    Standby,
    Transfer,
    Data,
    Receive,
}

impl At {
    fn number(self) -> u32 {
        match self {
            Self::Idle => 0,
            Self::Ready => 1,
            Self::Ident => 2,
            Self::Standby => 3,
            Self::Transfer => 4,
            Self::Data => 5,
            Self::Receive => 6,
        }
    }
}

pub struct FakeCard {
    pub absent: bool,
    /// Answers nothing until RST_n.
    pub hung: bool,
    /// CMD1s with voltages until the card is ready.
    pub power_up_polls: u32,
    pub ocr: u32,
    pub ext_csd: [u8; 512],
    /// Lines that are not soldered: data in these widths have CRC errors.
    pub broken_widths: Vec<Width>,
    pub broken_ddr: bool,
    pub broken_above_26_mhz: bool,
    /// BUS_WIDTH values that the card refuses.
    pub refused_bus: Vec<u8>,
    pub faults: Vec<Fault>,
    pub max_dma_bytes: usize,
    pub written: HashMap<(u8, u32), [u8; BLOCK_BYTES]>,
    pub log: Vec<Command>,
    pub bus: Bus,
    pub card_resets: u32,
    pub quiet: bool,
    at: At,
    status: u32,
    pending: Option<(DmaRegion, Result<(), Error>)>,
}

impl FakeCard {
    pub fn new() -> Self {
        let mut ext_csd = [0; 512];
        ext_csd[192] = 6;
        ext_csd[196] = 0b111;
        ext_csd[212..216].copy_from_slice(&USER_BLOCKS.to_le_bytes());
        ext_csd[226] = 16;
        ext_csd[168] = 16;
        ext_csd[179] = 0x48;
        ext_csd[248] = 5;
        Self {
            absent: false,
            hung: false,
            power_up_polls: 2,
            ocr: 0x40ff_8080,
            ext_csd,
            broken_widths: Vec::new(),
            broken_ddr: false,
            broken_above_26_mhz: false,
            refused_bus: Vec::new(),
            faults: Vec::new(),
            max_dma_bytes: 8 << 20,
            written: HashMap::new(),
            log: Vec::new(),
            bus: Bus::IDENTIFICATION,
            card_resets: 0,
            quiet: false,
            at: At::Transfer,
            status: 0,
            pending: None,
        }
    }

    /// What the fake's flash holds.
    pub fn block(&self, area: u8, lba: u32) -> [u8; BLOCK_BYTES] {
        if let Some(block) = self.written.get(&(area, lba)) {
            return *block;
        }
        let mut block = [area; BLOCK_BYTES];
        block[..4].copy_from_slice(&lba.to_le_bytes());
        block[508..].copy_from_slice(&(!lba).to_le_bytes());
        block
    }

    pub fn count(&self, index: u8) -> usize {
        self.log.iter().filter(|sent| sent.index == index).count()
    }

    fn area(&self) -> u8 {
        self.ext_csd[179] & 7
    }

    fn require(&mut self, at: At, index: u8) -> Result<(), Error> {
        if self.at == at {
            return Ok(());
        }
        // An illegal command is not answered, and reported with the next.
        self.status |= 1 << 22;
        Err(Error::CmdTimeout { index })
    }

    fn r1(&mut self) -> Response {
        let ready = u32::from(self.at == At::Transfer) << 8;
        let status = self.status | self.at.number() << 9 | ready;
        self.status = 0;
        Response([status, 0, 0, 0])
    }

    fn switch(&mut self, argument: u32) {
        let (index, value) = ((argument >> 16) as u8, (argument >> 8) as u8);
        if index == ExtCsd::BUS_WIDTH && self.refused_bus.contains(&value) {
            self.status |= 1 << 7;
            return;
        }
        self.ext_csd[usize::from(index)] = value;
    }

    /// Whether data come through on the bus as both sides drive it.
    fn bus_error(&self, argument: u32) -> Result<(), Error> {
        let lba = argument;
        let expected = match (self.bus.width, self.bus.ddr) {
            (Width::One, _) => 0,
            (Width::Four, false) => 1,
            (Width::Eight, false) => 2,
            (Width::Four, true) => 5,
            (Width::Eight, true) => 6,
        };
        let fast = self.bus.limit_hz > 26_000_000;
        let broken = self.ext_csd[183] != expected
            || self.broken_widths.contains(&self.bus.width)
            || (self.bus.ddr && self.broken_ddr)
            || (fast && (self.broken_above_26_mhz || self.ext_csd[185] != 1));
        if broken {
            return Err(Error::DataCrc { lba });
        }
        Ok(())
    }

    fn fault(&mut self, lba: u32, argument: u32) -> Result<(), Error> {
        let ddr = self.bus.ddr;
        let fault = self
            .faults
            .iter_mut()
            .find(|fault| fault.lba == lba && fault.times > 0 && (ddr || !fault.ddr_only));
        let Some(fault) = fault else {
            return Ok(());
        };
        fault.times -= 1;
        Err(if fault.crc {
            Error::DataCrc { lba: argument }
        } else {
            Error::DataTimeout { lba: argument }
        })
    }

    fn move_blocks(&mut self, command: Command, data: &mut [u8]) -> Result<(), Error> {
        self.answer(command)?.status(command.index)?;
        let argument = command.argument;
        let result = (|| {
            self.bus_error(argument)?;
            if command.index == 8 {
                data.copy_from_slice(&self.ext_csd);
                return Ok(());
            }
            for (i, block) in data.chunks_exact_mut(BLOCK_BYTES).enumerate() {
                let lba = argument + i as u32;
                self.fault(lba, argument)?;
                let area = self.area();
                if matches!(command.index, 17 | 18) {
                    block.copy_from_slice(&self.block(area, lba));
                } else {
                    let block = <[u8; BLOCK_BYTES]>::try_from(&*block).expect("a block");
                    self.written.insert((area, lba), block);
                }
            }
            Ok(())
        })();
        // Without its CMD12, a multiple block transfer stays open.
        if result.is_ok() || !command.is_open_ended() {
            self.at = At::Transfer;
        }
        result
    }

    fn answer(&mut self, command: Command) -> Result<Response, Error> {
        self.log.push(command);
        let index = command.index;
        if index == 0 {
            self.at = At::Idle;
            self.ext_csd[179] &= !7;
            self.ext_csd[183] = 0;
            self.ext_csd[185] = 0;
            return Ok(Response::default());
        }
        if self.absent || self.hung {
            return Err(Error::CmdTimeout { index });
        }
        match index {
            1 => {
                self.require(At::Idle, index)?;
                assert_eq!(command.reply, Reply::R3);
                if command.argument == 0 {
                    return Ok(Response([self.ocr, 0, 0, 0]));
                }
                if self.power_up_polls > 0 {
                    self.power_up_polls -= 1;
                    return Ok(Response([self.ocr, 0, 0, 0]));
                }
                self.at = At::Ready;
                return Ok(Response([self.ocr | 1 << 31, 0, 0, 0]));
            }
            2 => {
                self.require(At::Ready, index)?;
                self.at = At::Ident;
                return Ok(Response([
                    0x5678_f701,
                    0x4311_1234,
                    0x3447_3159,
                    0x1501_004d,
                ]));
            }
            3 => {
                self.require(At::Ident, index)?;
                self.at = At::Standby;
            }
            9 => {
                self.require(At::Standby, index)?;
                return Ok(Response([0, 0, 0, 0xd027_0032]));
            }
            7 => {
                self.require(At::Standby, index)?;
                self.at = At::Transfer;
            }
            6 => {
                self.require(At::Transfer, index)?;
                self.switch(command.argument);
                // The outcome shows in the status that follows.
                let late = self.status & 1 << 7;
                self.status &= !(1 << 7);
                let response = self.r1();
                self.status |= late;
                return Ok(response);
            }
            8 | 17 | 18 => {
                self.require(At::Transfer, index)?;
                let response = self.r1();
                self.at = At::Data;
                return Ok(response);
            }
            24 | 25 => {
                self.require(At::Transfer, index)?;
                let response = self.r1();
                self.at = At::Receive;
                return Ok(response);
            }
            12 => {
                if !matches!(self.at, At::Data | At::Receive) {
                    self.require(At::Data, index)?;
                }
                self.at = At::Transfer;
            }
            13 => {}
            _ => self.require(At::Idle, index)?,
        }
        Ok(self.r1())
    }
}

impl Host for FakeCard {
    fn reset(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn pulse_card_reset(&mut self) {
        self.hung = false;
        self.card_resets += 1;
    }

    fn set_bus(&mut self, bus: Bus) -> Result<u32, Error> {
        self.bus = bus;
        Ok(bus.limit_hz)
    }

    fn command(&mut self, command: Command) -> Result<Response, Error> {
        self.answer(command)
    }

    fn wait_not_busy(&mut self, _timeout: Micros) -> Result<(), Error> {
        Ok(())
    }

    fn read(&mut self, command: Command, data: &mut [u8]) -> Result<(), Error> {
        self.move_blocks(command, data)
    }

    fn write(&mut self, command: Command, data: &[u8]) -> Result<(), Error> {
        self.move_blocks(command, &mut data.to_vec())
    }

    fn max_dma_bytes(&self) -> usize {
        self.max_dma_bytes
    }

    fn start_dma(
        &mut self,
        command: Command,
        _direction: Direction,
        mut memory: DeviceOwned,
    ) -> Result<(), (Error, DmaRegion)> {
        assert!(self.pending.is_none(), "one transfer at a time");
        let result = self.move_blocks(command, memory.device_view());
        match result {
            Err(error @ (Error::CmdTimeout { .. } | Error::Refused { .. })) => {
                Err((error, memory.reclaim()))
            }
            result => {
                self.pending = Some((memory.reclaim(), result));
                Ok(())
            }
        }
    }

    fn is_dma_done(&mut self) -> bool {
        true
    }

    fn wait_dma(&mut self) {}

    fn finish_dma(&mut self) -> (DmaRegion, Result<(), Error>) {
        self.pending.take().expect("a transfer")
    }

    fn quiesce(&mut self) {
        self.quiet = true;
    }
}
