//! The service functions that LK gives its drivers, as they are answered here.

use super::{Failure, Run, Watch};
use crate::event::{Answers, Event, PinSetting, Question};
use crate::layout::{SERVICES, Service, V3_ROW_BYTES};
use crate::machine::Machine;
use crate::packets;
use crate::peripherals::Peripherals;
use std::collections::BTreeMap;
use std::io;

/// Longest answer of a panel that the vendor's read functions hand over.
const LONGEST_ANSWER: u32 = 10;

/// One run of a function.
pub struct Session<'a> {
    pub answers: &'a Answers,
    pub watch: Watch<'a>,
    pub watching: bool,
    pub peripherals: Peripherals,
    /// How often each register was asked.
    asked: BTreeMap<Option<u8>, u8>,
    pub run: Run,
}

impl<'a> Session<'a> {
    /// A run that is answered with `answers`.
    pub fn new(answers: &'a Answers, watch: Watch<'a>) -> Self {
        Self {
            answers,
            watch,
            watching: false,
            peripherals: Peripherals::default(),
            asked: BTreeMap::new(),
            run: Run::default(),
        }
    }

    /// Compares before the first answer say nothing of the answers.
    pub fn start_watching(&mut self, machine: &mut Machine) -> io::Result<()> {
        let asked = matches!(self.run.events.last(), Some(Event::Read { .. }));
        if asked && !self.watching && !self.watch.compares.is_empty() {
            machine.breakpoints(true, self.watch.compares)?;
            self.watching = true;
        }
        Ok(())
    }

    /// Does what the driver calls service function number `service` for, and
    /// gives its result if it has one.
    pub fn serve(&mut self, machine: &mut Machine, service: usize) -> Result<Option<u32>, Failure> {
        let registers = machine.registers;
        let arguments @ [a, b, c, _] = [0, 1, 2, 3].map(|n: usize| registers[n]);
        let pin = |what| Event::Pin {
            // The vendor marks pin numbers with bit 31.
            pin: a & 0x7FFF_FFFF,
            what,
            value: b,
        };
        let unknown = || Event::Unknown { service, arguments };
        let kind = SERVICES.get(service).copied().unwrap_or(Service::Unknown);
        let mut result = Some(0);
        let event = match kind {
            Service::SetResetPin => Event::Reset(a & 1 == 1),
            Service::SetGpioOut => pin(PinSetting::Level),
            Service::SetGpioMode => pin(PinSetting::Mode),
            Service::SetGpioDirection => pin(PinSetting::Output),
            Service::SetGpioPull => pin(PinSetting::Pull),
            Service::UDelay => Event::Delay(a),
            Service::MDelay => Event::Delay(a.saturating_mul(1000)),
            Service::SendCommand => Event::Bus {
                data: false,
                word: a,
            },
            Service::SendData => Event::Bus {
                data: true,
                word: a,
            },
            Service::SetChipSelect | Service::WaitDone => return Ok(None),
            Service::WriteCommand => packets::v2(a as u8, &[]),
            Service::QueueV2 => {
                let read = machine.read(c, (b & 0xFF) as usize)?;
                let Some(parameters) = read else {
                    return Err(Failure::Fault(registers[15]));
                };
                packets::v2(a as u8, &parameters)
            }
            Service::Queue => {
                let count = b.min(32) as usize;
                let Some(read) = machine.read(a, 4 * count)? else {
                    return Err(Failure::Fault(registers[15]));
                };
                let words: Vec<u32> = read
                    .chunks_exact(4)
                    .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
                    .collect();
                self.run.events.extend(packets::queue(&words));
                return Ok(result);
            }
            Service::QueueV3 => {
                self.rows(machine, a, b)?;
                return Ok(result);
            }
            Service::ReadData => {
                let nth = self.nth(None);
                let question = Question::Bus { nth };
                let answer = [0, 1].map(|byte| self.answers.byte(question, byte));
                result = Some(u32::from(u16::from_le_bytes(answer)));
                Event::Read {
                    question,
                    asked: 2,
                    answer: answer.to_vec(),
                }
            }
            Service::DcsReadV2 => self.panel_read(machine, a as u8, b, c & 0xFF)?,
            // Compiled out in this chip's LK: it always gives 0.
            Service::DcsRead | Service::ReadRegister => return Ok(Some(0)),
            Service::WriteRegisters | Service::Unknown => unknown(),
        };
        if let Event::Read { answer, .. } = &event
            && kind == Service::DcsReadV2
        {
            // Short answers are reported as 0 bytes, longer ones as they are.
            result = Some(if answer.len() > 2 {
                answer.len() as u32
            } else {
                0
            });
        }
        self.run.events.push(event);
        Ok(result)
    }

    fn nth(&mut self, register: Option<u8>) -> u8 {
        let count = self.asked.entry(register).or_insert(0);
        let nth = *count;
        *count = count.saturating_add(1);
        nth
    }

    /// The vendor's read function copies two bytes even into a buffer of one.
    fn panel_read(
        &mut self,
        machine: &mut Machine,
        register: u8,
        buffer: u32,
        length: u32,
    ) -> Result<Event, Failure> {
        let nth = self.nth(Some(register));
        let question = Question::Dsi { register, nth };
        let bytes = length.clamp(2, LONGEST_ANSWER) as u8;
        let answer = (0..bytes).map(|byte| self.answers.byte(question, byte));
        let answer: Vec<u8> = answer.collect();
        if !machine.write(buffer, &answer)? {
            return Err(Failure::Fault(machine.registers[15]));
        }
        Ok(Event::Read {
            question,
            asked: length.clamp(1, LONGEST_ANSWER) as u8,
            answer,
        })
    }

    /// A V3 table of `count` rows.
    fn rows(&mut self, machine: &mut Machine, table: u32, count: u32) -> Result<(), Failure> {
        for row in 0..count.min(1024) {
            let at = table.wrapping_add(row * V3_ROW_BYTES);
            let Some(row) = machine.read(at, V3_ROW_BYTES as usize)? else {
                return Err(Failure::Fault(machine.registers[15]));
            };
            let [id, command, count, parameters @ ..] = &row[..] else {
                continue;
            };
            let used = parameters.get(..usize::from(*count)).unwrap_or(parameters);
            self.run.events.push(match (id, command) {
                (0, 0xFF) => Event::Delay(1000 * u32::from(*count)),
                _ => packets::packet(*id, *command, used),
            });
        }
        Ok(())
    }
}
