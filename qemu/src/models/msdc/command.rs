//! The command engine: what SDC_CMD starts and how it ends.
//!
//! Source: facts/storage-and-images.md 8.2, 8.5 and 8.10 (points 2 to 4 and 9).

use super::clock::{self, Ending};
use super::data::Phase;
use super::regs::{Command, DataType, cfg, int, reg};
use super::{Msdc, Picos, nanos, picos};
use crate::bus::{Context, GuestError};
use crate::models::emmc::command::form;
use crate::models::emmc::{Form, Reply, Wire};

/// A command on the line.
pub(super) struct InFlight {
    command: Command,
    /// Response to the CMD23 that went ahead, if one did.
    auto23: Option<u32>,
    /// What MSDC_INT says at the end.
    interrupts: u32,
    reply: Reply,
    pub end: Picos,
}

/// Response type codes of SDC_CMD.
fn expected_form(code: u32) -> Option<Form> {
    match code {
        0 => Some(Form::None),
        1 => Some(Form::R1),
        2 => Some(Form::R2),
        3 => Some(Form::R3),
        7 => Some(Form::R1b),
        _ => None,
    }
}

impl Msdc {
    pub(super) fn write_command(&mut self, value: u32, cx: &mut Context<'_>) {
        let command = Command(value);
        let index = command.index();
        self.regs.set(reg::SDC_CMD, value);
        if self.regs.get(reg::MSDC_CFG) & cfg::MODE == 0 {
            return self.refuse(
                cx,
                reg::SDC_CMD,
                "command while MSDC_CFG.MODE is not SD/MMC",
            );
        }
        if self.command.is_some() {
            return self.refuse(
                cx,
                reg::SDC_CMD,
                &format!("CMD{index} while SDC_STS.CMDBUSY"),
            );
        }
        let Some(wire) = self.wire(cx.signals) else {
            cx.report(
                GuestError::Gated,
                self.name,
                reg::SDC_CMD,
                format!("CMD{index} while the source clock stands still"),
            );
            return;
        };
        if cx.now < self.clock_stable_at {
            self.refuse(
                cx,
                reg::SDC_CMD,
                &format!("CMD{index} before MSDC_CFG.CKSTB"),
            );
        }
        if self.sdc_busy(cx.now)
            && !matches!(index, 0 | 12)
            && (command.data() != DataType::None || command.response() == 7)
        {
            self.refuse(
                cx,
                reg::SDC_CMD,
                &format!("CMD{index} while SDC_STS.SDCBUSY"),
            );
            if self.phase.is_some() {
                return;
            }
        }
        self.check_command(command, cx);
        self.report_deafness(index, cx);
        self.send(command, wire, cx);
    }

    /// What the encoding of a command must agree with, whoever listens.
    fn check_command(&mut self, command: Command, cx: &mut Context<'_>) {
        let index = command.index();
        let mut complain =
            |what: String| cx.report(GuestError::Refused, self.name, reg::SDC_CMD, what);
        // Without data CMD8 is the SD card's SEND_IF_COND. CMD5 with R4 is SDIO's; some drivers
        // code it as R3, which looks the same on the wire.
        let foreign = index == 8 && command.data() == DataType::None
            || index == 5 && matches!(command.response(), 3 | 4);
        let known = form(index).filter(|_| !foreign);
        if let Some(form) = known
            && self.card.is_some()
        {
            let expected = expected_form(command.response());
            if expected != Some(form) && !(form == Form::R1b && expected == Some(Form::R1)) {
                complain(format!(
                    "CMD{index} with response type {}, the card's is {form:?}",
                    command.response()
                ));
            }
            let (data, write) = match index {
                8 | 17 => (DataType::Single, false),
                18 => (DataType::Multiple, false),
                24 => (DataType::Single, true),
                25 => (DataType::Multiple, true),
                _ => (DataType::None, command.write()),
            };
            if command.data() != data || command.write() != write {
                let direction = if command.write() { "write" } else { "read" };
                complain(format!(
                    "CMD{index} encoded as {:?} {direction}",
                    command.data()
                ));
            }
        }
        if index == 12 && !command.stop() {
            complain("CMD12 without SDC_CMD.STOP".into());
        }
        if command.data() == DataType::Stream {
            complain(format!(
                "CMD{index} with a stream, which no card here takes"
            ));
        }
        if command.auto() == 3 || command.auto() != 0 && command.data() != DataType::Multiple {
            complain(format!(
                "CMD{index} with auto command {} and {:?} data",
                command.auto(),
                command.data()
            ));
        }
    }

    fn send(&mut self, command: Command, wire: Wire, cx: &mut Context<'_>) {
        let arg = self.regs.get(reg::SDC_ARG);
        let with_data = command.data() != DataType::None;
        let mut time = picos(cx.now);
        let mut auto23 = None;
        if command.auto() == 2 {
            let blocks = self.regs.get(reg::SDC_BLK_NUM);
            match self.exchange(23, blocks, false, wire, true, &mut time) {
                Reply::R1(status) => auto23 = Some(status),
                reply => {
                    // Without CMD23 the command itself is not sent.
                    self.command = Some(InFlight {
                        command,
                        auto23,
                        interrupts: int::ACMDTMO,
                        reply,
                        end: time,
                    });
                    return;
                }
            }
        }
        let wants_response = command.response() != 0;
        let reply = self.exchange(
            command.index(),
            arg,
            with_data,
            wire,
            wants_response,
            &mut time,
        );
        let interrupts = match (reply, expected_form(command.response())) {
            (_, Some(Form::None)) => int::CMDRDY,
            (Reply::Silent, _) => int::CMDTMO,
            (Reply::R1(_), Some(Form::R1 | Form::R1b))
            | (Reply::R2(_), Some(Form::R2))
            | (Reply::R3(_), Some(Form::R3)) => int::CMDRDY,
            _ => int::RSPCRCERR,
        };
        if with_data && interrupts == int::CMDRDY {
            self.latch_phase(command, wire, time, cx);
        }
        self.command = Some(InFlight {
            command,
            auto23,
            interrupts,
            reply,
            end: time,
        });
    }

    /// One command to the card. `time` moves on to the end of the response.
    pub(super) fn exchange(
        &mut self,
        index: u8,
        arg: u32,
        with_data: bool,
        wire: Wire,
        wants_response: bool,
        time: &mut Picos,
    ) -> Reply {
        *time += clock::command_ps(wire);
        let reply = match &mut self.card {
            Some(_) if !self.pads_connected => Reply::Silent,
            Some(card) => card.command(index, arg, with_data, wire, nanos(*time)),
            None => Reply::Silent,
        };
        let ending = match reply {
            _ if !wants_response => Ending::NoResponse,
            Reply::Silent => Ending::Overdue,
            Reply::R2(_) => Ending::Long,
            Reply::R1(_) | Reply::R3(_) => Ending::Short,
        };
        *time += clock::response_ps(wire, ending);
        reply
    }

    /// The data phase is pending from the command on; the FIFO or the DMA may
    /// join before or after the response.
    fn latch_phase(&mut self, command: Command, wire: Wire, at: Picos, cx: &mut Context<'_>) {
        let blocks = match command.data() {
            DataType::Multiple => self.regs.get(reg::SDC_BLK_NUM),
            _ => 1,
        };
        let block_len = command.block_len();
        if blocks == 0 || self.regs.get(reg::SDC_BLK_NUM) == 0 {
            return self.refuse(cx, reg::SDC_BLK_NUM, "data command with SDC_BLK_NUM = 0");
        }
        if block_len == 0 {
            return self.refuse(cx, reg::SDC_CMD, "data command with block length 0");
        }
        if command.data() == DataType::Single && self.regs.get(reg::SDC_BLK_NUM) != 1 {
            self.refuse(
                cx,
                reg::SDC_BLK_NUM,
                "single-block command while SDC_BLK_NUM is not 1",
            );
        }
        if !self.rx.is_empty() || !self.tx.is_empty() {
            self.refuse(
                cx,
                reg::SDC_CMD,
                "data command while bytes of an earlier transfer are in the FIFO",
            );
        }
        let mut length_fits = true;
        if let Some(card) = &mut self.card {
            card.check_bus(wire);
            length_fits = card
                .transfer_block_len()
                .is_none_or(|bytes| bytes == block_len);
        }
        if !length_fits {
            self.refuse(
                cx,
                reg::SDC_CMD,
                &format!("block length {block_len} is not the card's"),
            );
        }
        self.regs.set(reg::SDC_DCRC_STS, 0);
        self.phase = Some(Phase::new(command, blocks, wire, length_fits, at));
        self.match_dma_to_phase(cx);
    }

    /// The response is there, or overdue.
    pub(super) fn finish_command(&mut self, cx: &mut Context<'_>) {
        let Some(done) = self.command.take() else {
            return;
        };
        if let Some(status) = done.auto23 {
            self.regs.set(reg::SDC_ACMD_RESP, status);
            self.regs.raise(reg::MSDC_INT, int::ACMDRDY);
        }
        self.regs.raise(reg::MSDC_INT, done.interrupts);
        if done.interrupts != int::CMDRDY {
            self.phase = None;
        } else if done.command.response() != 0 {
            match done.reply {
                Reply::Silent => {}
                Reply::R1(word) | Reply::R3(word) => self.regs.set(reg::SDC_RESP0, word),
                Reply::R2(words) => {
                    for (offset, word) in [0x4C, 0x48, 0x44, 0x40].into_iter().zip(words) {
                        self.regs.set(offset, word);
                    }
                }
            }
        }
        if done.command.stop() {
            self.phase = None;
        }
        if self.dma.running && !self.dma.joined && done.command.data() == DataType::None {
            self.refuse(
                cx,
                reg::DMA_CTRL,
                "DMA was started, but the command has no data phase",
            );
        }
    }
}
