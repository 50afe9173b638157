//! What each command does, and in which states the card listens to it.
//!
//! Source: facts/storage-and-images.md 8.5, 8.6 and 8.10 (points 2 and 10);
//! state table of JESD84-B45 chapter 6.

use super::data::{Source, Transfer};
use super::registers::{self, ext, status};
use super::{
    Area, CardType, Emmc, Form, HIGH_SPEED_HZ, IDENTIFICATION_HZ, Reply, SECTOR, State, Wire,
};
use crate::bus::Nanos;

/// Sectors of one unit of HC_ERASE_GRP_SIZE.
const HC_ERASE_UNIT_SECTORS: u64 = (512 << 10) / SECTOR as u64;

/// The response that a host must expect of a command; none for those that an
/// eMMC does not know and never answers.
pub fn form(index: u8) -> Option<Form> {
    Some(match index {
        0 | 4 | 15 => Form::None,
        1 => Form::R3,
        2 | 9 | 10 => Form::R2,
        3 | 8 | 13 | 16..=18 | 23..=25 | 35 | 36 => Form::R1,
        5 | 6 | 7 | 12 | 38 => Form::R1b,
        _ => return None,
    })
}

impl Emmc {
    /// A command frame that ends at `now`. `with_data` tells CMD8 with data
    /// (SEND_EXT_CSD) from the SD command of that number.
    pub fn command(
        &mut self,
        index: u8,
        arg: u32,
        with_data: bool,
        wire: Wire,
        now: Nanos,
    ) -> Reply {
        self.settle(now);
        if !self.alive()
            || self.state == State::Inactive
            || !self.hears(index, wire)
            || self.deafened(index)
        {
            return Reply::Silent;
        }
        if !matches!(index, 13 | 35 | 36 | 38) {
            self.erase_start = None;
            self.erase_end = None;
        }
        if index == 0 {
            return self.go_idle(arg);
        }
        if !self.addressed(index, arg) {
            return if index == 7 {
                self.deselect()
            } else {
                Reply::Silent
            };
        }
        if !allowed(index, self.state) || index == 8 && !with_data {
            return self.illegal();
        }
        let reply = self.execute(index, arg, now);
        if !matches!(index, 13 | 18 | 23 | 25) {
            self.block_count = None;
        }
        reply
    }

    fn execute(&mut self, index: u8, arg: u32, now: Nanos) -> Reply {
        match index {
            1 => return self.send_op_cond(arg, now),
            2 => {
                self.state = State::Ident;
                return Reply::R2(self.cid);
            }
            9 => return Reply::R2(self.csd),
            10 => return Reply::R2(self.cid),
            15 => {
                self.state = State::Inactive;
                return Reply::Silent;
            }
            _ => {}
        }
        // An R1 response shows the state in which the command was received.
        let before = self.status();
        let refused = match index {
            3 => {
                self.rca = (arg >> 16) as u16;
                self.state = State::Standby;
                0
            }
            5 => self.sleep_or_wake(arg, now),
            6 => self.switch(arg, now),
            7 => {
                self.state = if self.state == State::Disconnect {
                    State::Program
                } else {
                    State::Transfer
                };
                0
            }
            8 => {
                self.start_transfer(State::Data, Source::ExtCsd, 0, Some(1));
                0
            }
            12 => self.stop(now),
            16 => self.set_block_len(arg),
            17 => self.start_blocks(arg, State::Data, Some(1)),
            18 => self.start_multiple(arg, State::Data),
            23 => {
                self.block_count = Some(arg & 0xFFFF).filter(|&count| count != 0);
                0
            }
            24 => self.start_blocks(arg, State::Receive, Some(1)),
            25 => self.start_multiple(arg, State::Receive),
            35 => self.mark_erase(arg, true),
            36 => self.mark_erase(arg, false),
            38 => self.erase(arg, now),
            _ => 0,
        };
        Reply::R1(before | refused)
    }

    /// Whether the clock is slow enough for the card to understand anything.
    fn hears(&mut self, index: u8, wire: Wire) -> bool {
        let identifying = matches!(
            self.state,
            State::Idle | State::Ready | State::Ident | State::PreIdle
        );
        let limit = if identifying {
            IDENTIFICATION_HZ
        } else {
            HIGH_SPEED_HZ
        };
        if wire.clock_hz > limit {
            self.guest_error(format!(
                "CMD{index} at {} Hz: in state {:?} the card understands {limit} Hz at most",
                wire.clock_hz, self.state
            ));
        }
        wire.clock_hz <= limit
    }

    fn deafened(&mut self, index: u8) -> bool {
        let fault = self
            .config
            .command_faults
            .iter_mut()
            .find(|fault| fault.index == index && fault.times != Some(0));
        let Some(fault) = fault else { return false };
        fault.times = fault.times.map(|times| times - 1);
        true
    }

    /// Commands with an RCA concern the card that has it.
    fn addressed(&self, index: u8, arg: u32) -> bool {
        !matches!(index, 5 | 7 | 9 | 10 | 13 | 15)
            || (arg >> 16) as u16 == self.rca && self.rca != 0
    }

    fn illegal(&mut self) -> Reply {
        self.pending_status |= status::ILLEGAL_COMMAND;
        Reply::Silent
    }

    fn go_idle(&mut self, arg: u32) -> Reply {
        match arg {
            // The boot request: the model's EXT_CSD[179] never enables boot.
            0xFFFF_FFFA => {}
            0xF0F0_F0F0 => {
                self.restart();
                self.state = State::PreIdle;
            }
            _ => self.restart(),
        }
        Reply::Silent
    }

    fn send_op_cond(&mut self, arg: u32, now: Nanos) -> Reply {
        let sector_mode = if self.sector_mode() {
            registers::OCR_SECTOR_MODE
        } else {
            0
        };
        if arg & registers::OCR_VOLTAGES == 0 {
            // A question only: initialisation neither starts nor ends.
            return Reply::R3(registers::OCR_VOLTAGES | sector_mode);
        }
        if sector_mode != 0 && arg & sector_mode == 0 {
            self.guest_error(
                "CMD1 without bit 30: the card is larger than 2 GiB and has sector addresses",
            );
        }
        let busy_us = if self.initialised {
            self.config.reinit_busy_us
        } else {
            self.config.init_busy_us
        };
        let busy_ns = Nanos::from(busy_us) * 1000;
        if self.ready_at.is_none() {
            self.stats.busy_ns += busy_ns;
        }
        let ready_at = *self.ready_at.get_or_insert(now + busy_ns);
        if now < ready_at || self.config.never_ready {
            return Reply::R3(registers::OCR_VOLTAGES | sector_mode);
        }
        self.initialised = true;
        self.state = State::Ready;
        Reply::R3(registers::OCR_VOLTAGES | sector_mode | registers::OCR_READY)
    }

    fn deselect(&mut self) -> Reply {
        self.state = match self.state {
            State::Transfer | State::Data => State::Standby,
            State::Program => State::Disconnect,
            other => other,
        };
        self.transfer = None;
        Reply::Silent
    }

    fn sleep_or_wake(&mut self, arg: u32, now: Nanos) -> u32 {
        let sleep = arg >> 15 & 1 != 0;
        self.go_busy(now, self.config.switch_busy_us);
        self.state = if sleep { State::Sleep } else { State::Standby };
        0
    }

    /// SWITCH: what went wrong shows in the response after this one.
    fn switch(&mut self, arg: u32, now: Nanos) -> u32 {
        let [_, value, index, access] = [
            arg as u8,
            (arg >> 8) as u8,
            (arg >> 16) as u8,
            (arg >> 24) as u8 & 3,
        ];
        let index = usize::from(index);
        let old = self.ext_csd[index];
        let new = match access {
            1 => old | value,
            2 => old & !value,
            _ => value,
        };
        if access != 0 {
            if registers::writable(index) && self.acceptable(index, new) {
                self.ext_csd[index] = new;
            } else {
                self.pending_status |= status::SWITCH_ERROR;
            }
        }
        self.go_busy(now, self.config.switch_busy_us);
        0
    }

    fn acceptable(&self, index: usize, value: u8) -> bool {
        let ddr_width = matches!(value, 5 | 6);
        match index {
            ext::PARTITION_CONFIG => Area::from_access(value & 7).is_some() && value >> 3 & 7 != 3,
            ext::BUS_WIDTH => {
                value <= 2
                    || ddr_width && self.high_speed() && self.config.card_type == CardType::Ddr52
            }
            ext::HS_TIMING => match value {
                0 => self.ext_csd[ext::BUS_WIDTH] <= 2,
                1 => true,
                _ => false,
            },
            ext::ERASE_GROUP_DEF => value <= 1,
            ext::RST_N_FUNCTION => self.ext_csd[index] == 0 && value <= 2,
            _ => true,
        }
    }

    fn stop(&mut self, now: Nanos) -> u32 {
        let written = self.transfer.take().is_some_and(|transfer| transfer.moved);
        match self.state {
            State::Receive if written => self.go_busy(now, self.config.write_busy_us),
            _ => self.state = State::Transfer,
        }
        0
    }

    fn set_block_len(&mut self, bytes: u32) -> u32 {
        let default = registers::default_block_len(self.area_bytes(Area::User));
        if bytes == SECTOR as u32 || bytes == default {
            self.block_len = bytes;
            0
        } else {
            status::BLOCK_LEN_ERROR
        }
    }

    fn start_multiple(&mut self, arg: u32, state: State) -> u32 {
        let count = self.block_count.take();
        self.start_blocks(arg, state, count)
    }

    fn start_blocks(&mut self, arg: u32, state: State, blocks: Option<u32>) -> u32 {
        let area = self.area();
        if area == Area::Rpmb {
            // Without its frames and key RPMB neither sends nor takes data.
            return status::ERROR;
        }
        let offset = match self.byte_offset(arg, self.block_len) {
            Ok(offset) => offset,
            Err(refused) => return refused,
        };
        self.start_transfer(state, Source::Area(area), offset, blocks);
        0
    }

    fn start_transfer(
        &mut self,
        state: State,
        source: Source,
        offset: u64,
        blocks_left: Option<u32>,
    ) {
        self.transfer = Some(Transfer {
            source,
            offset,
            blocks_left,
            moved: false,
        });
        self.state = state;
    }

    /// The byte in the current area that a data or erase address means.
    fn byte_offset(&self, arg: u32, align: u32) -> Result<u64, u32> {
        let offset = if self.sector_mode() {
            u64::from(arg) * SECTOR as u64
        } else {
            arg.into()
        };
        if offset >= self.area_bytes(self.area()) {
            return Err(status::OUT_OF_RANGE);
        }
        if offset % u64::from(align) != 0 {
            return Err(status::ADDRESS_ERROR);
        }
        Ok(offset)
    }

    fn mark_erase(&mut self, arg: u32, start: bool) -> u32 {
        let sector = match self.byte_offset(arg, SECTOR as u32) {
            Ok(offset) => offset / SECTOR as u64,
            Err(refused) => return refused,
        };
        if start {
            self.erase_start = Some(sector);
            self.erase_end = None;
        } else if self.erase_start.is_none() {
            return status::ERASE_SEQ_ERROR;
        } else {
            self.erase_end = Some(sector);
        }
        0
    }

    /// ERASE works on whole groups, even where the addresses do not: what lies
    /// around them is lost too. TRIM and DISCARD keep to the sectors named.
    fn erase(&mut self, arg: u32, now: Nanos) -> u32 {
        let (Some(first), Some(last)) = (self.erase_start.take(), self.erase_end.take()) else {
            return status::ERASE_SEQ_ERROR;
        };
        if first > last {
            return status::ERASE_PARAM;
        }
        let group = match arg {
            0 if self.ext_csd[ext::ERASE_GROUP_DEF] == 1 => {
                HC_ERASE_UNIT_SECTORS * u64::from(self.ext_csd[ext::HC_ERASE_GRP_SIZE])
            }
            0 => registers::CSD_ERASE_GROUP_SECTORS,
            1 | 3 => 1,
            // SEC_FEATURE_SUPPORT offers no secure erase.
            _ => return status::ERROR,
        };
        let area = self.area();
        let from = first / group * group * SECTOR as u64;
        let to = ((last / group + 1) * group * SECTOR as u64).min(self.area_bytes(area));
        let value = if self.ext_csd[ext::ERASED_MEM_CONT] == 0 {
            0
        } else {
            0xFF
        };
        let done = self
            .stores
            .area(area)
            .map_or(Ok(()), |store| store.fill(from, to - from, value));
        self.go_busy(now, self.config.erase_busy_us);
        self.store_result(done)
    }
}

/// The state table: what is not allowed gets no answer and leaves
/// ILLEGAL_COMMAND for the next response.
fn allowed(index: u8, state: State) -> bool {
    use State::{Data, Disconnect, Ident, Idle, Program, Ready, Receive, Sleep, Standby, Transfer};
    match index {
        1 => state == Idle,
        2 => state == Ready,
        3 => state == Ident,
        5 => matches!(state, Standby | Sleep),
        7 => matches!(state, Standby | Disconnect),
        9 | 10 => state == Standby,
        12 => matches!(state, Data | Receive),
        13 | 15 => matches!(
            state,
            Standby | Transfer | Data | Receive | Program | Disconnect
        ),
        6 | 8 | 16..=18 | 23..=25 | 35 | 36 | 38 => state == Transfer,
        _ => false,
    }
}
