//! What the chip's blocks answer to helpers of an LK that its drivers call:
//! just enough that these come to an end, and that what they do is recorded.
//!
//! The blocks' memory is watched: this sees a read before it is made, and puts
//! there what it gives, and a write after it was made.
//! Source: facts/display.md 5.3 (GPIO), 5.5 (AUXADC), facts/soc.md (GPT4: free
//! running, 13 MHz) and 10.2 (PMIC wrapper).

use crate::event::{Answers, Event, PinSetting, Question};
use crate::machine::Machine;
use std::io;

const GPIO: u32 = 0x1000_5000;
const TIMER: u32 = 0x1000_8048;
const PMIC_COMMAND: u32 = 0x1000_F09C;
const PMIC_DATA: u32 = 0x1000_F0A0;
const PMIC_CLEAR: u32 = 0x1000_F0A4;
/// The wrapper is set up and has nothing to do.
const PMIC_IDLE: u32 = 1 << 21;
const AUXADC: u32 = 0x1100_3000;
const PANEL_RESET: u32 = 0x1401_2010;
const UART_STATUS: [u32; 4] = [0x1100_5014, 0x1100_6014, 0x1100_7014, 0x1100_8014];
/// Transmitter empty.
const UART_IDLE: u32 = 0x60;
const ADC_CHANNELS: u32 = 16;
const ADC_READY: u32 = 1 << 12;
/// Ticks of the free-running timer in a microsecond.
const TICKS_PER_US: u64 = 13;
/// Reads of one register, without anything else, until a bit that does not
/// come is tried the other way round.
const PATIENCE: u32 = 64;
/// And until the code counts as waiting for ever.
const TOO_MANY: u32 = 256;

/// The chip's blocks, while one function runs.
#[derive(Debug, Default)]
pub struct Peripherals {
    /// Ticks that reads of the timer let pass since something else happened.
    waited: u64,
    ticks: u64,
    last: Option<u32>,
    repeats: u32,
}

/// What an access means.
#[derive(Debug, PartialEq, Eq)]
pub enum Access {
    /// It is no event.
    Nothing,
    /// It is these events.
    Events(Vec<Event>),
    /// The code waits for something that does not come.
    Stuck,
}

impl Peripherals {
    /// Prepares what can be read before anything is written.
    ///
    /// # Errors
    /// The connection broke.
    pub fn prepare(machine: &mut Machine, answers: &Answers) -> io::Result<()> {
        for bank in 0..5_u8 {
            let levels = answers.word(Question::Pins { bank });
            machine.set_peripheral(GPIO + 0x200 + 0x10 * u32::from(bank), levels)?;
        }
        for channel in 0..ADC_CHANNELS {
            machine.set_peripheral(AUXADC + 0x14 + 4 * channel, adc(answers, channel))?;
        }
        for register in UART_STATUS {
            machine.set_peripheral(register, UART_IDLE)?;
        }
        machine.set_peripheral(PMIC_DATA, PMIC_IDLE)
    }

    /// The wait that reads of the timer made up, once something else happens.
    pub fn waited(&mut self) -> Option<Event> {
        let us = std::mem::take(&mut self.waited) / TICKS_PER_US;
        (us > 0).then(|| Event::Delay(u32::try_from(us).unwrap_or(u32::MAX)))
    }

    /// A peripheral is about to be read.
    ///
    /// # Errors
    /// The connection broke.
    pub fn read(
        &mut self,
        machine: &mut Machine,
        address: u32,
        answers: &Answers,
    ) -> io::Result<Access> {
        let word = address & !3;
        if word == TIMER {
            // A loop's end is met to a few percent in a few hundred reads.
            let step = TICKS_PER_US + self.waited / 32;
            self.waited += step;
            self.ticks += step;
            machine.set_peripheral(TIMER, self.ticks as u32)?;
            self.last = None;
            return Ok(if self.waited > 20_000_000 * TICKS_PER_US {
                Access::Stuck
            } else {
                Access::Nothing
            });
        }
        self.repeats = if self.last == Some(word) {
            self.repeats + 1
        } else {
            0
        };
        self.last = Some(word);
        if self.repeats > TOO_MANY {
            return Ok(Access::Stuck);
        }
        if self.repeats > 0 && self.repeats.is_multiple_of(PATIENCE) {
            let value = machine.peripheral(word)?;
            machine.set_peripheral(word, !value)?;
        }
        Ok(self.question(word, answers))
    }

    fn question(&self, word: u32, answers: &Answers) -> Access {
        let (question, length) = match word {
            _ if (GPIO + 0x200..GPIO + 0x250).contains(&word) && word & 0xF == 0 => {
                let bank = ((word - GPIO - 0x200) >> 4) as u8;
                (Question::Pins { bank }, 4)
            }
            _ if (AUXADC + 0x14..AUXADC + 0x14 + 4 * ADC_CHANNELS).contains(&word) => {
                let channel = ((word - AUXADC - 0x14) / 4) as u8;
                (Question::Adc { channel }, 2)
            }
            _ => return Access::Nothing,
        };
        if self.repeats > 0 {
            return Access::Nothing;
        }
        let answer = (0..length).map(|byte| answers.byte(question, byte));
        Access::Events(vec![Event::Read {
            question,
            asked: length,
            answer: answer.collect(),
        }])
    }

    /// A peripheral was written.
    ///
    /// # Errors
    /// The connection broke.
    pub fn written(
        &mut self,
        machine: &mut Machine,
        address: u32,
        answers: &Answers,
    ) -> io::Result<Access> {
        self.last = None;
        let word = address & !3;
        let value = machine.peripheral(word)?;
        if (GPIO..GPIO + 0x400).contains(&word) {
            return pins(machine, word, value);
        }
        if (AUXADC..AUXADC + 0x14).contains(&word) {
            // A conversion is over as soon as it is asked for, and its result
            // gone as soon as it is not.
            let set = match word - AUXADC {
                0x04 | 0x08 => value,
                _ => 0,
            };
            for channel in 0..ADC_CHANNELS {
                let ready = if set & (1 << channel) != 0 {
                    ADC_READY
                } else {
                    0
                };
                let data = adc(answers, channel) & !ADC_READY | ready;
                machine.set_peripheral(AUXADC + 0x14 + 4 * channel, data)?;
            }
            return Ok(Access::Nothing);
        }
        if UART_STATUS.iter().any(|status| word == status & !0xFF) {
            return Ok(Access::Nothing);
        }
        Ok(match word {
            PANEL_RESET => Access::Events(vec![Event::Reset(value & 1 == 1)]),
            PMIC_COMMAND => pmic(machine, value)?,
            PMIC_CLEAR => {
                machine.set_peripheral(PMIC_DATA, PMIC_IDLE)?;
                Access::Nothing
            }
            _ => Access::Events(vec![Event::Register {
                address: word,
                value,
            }]),
        })
    }
}

fn adc(answers: &Answers, channel: u32) -> u32 {
    let question = Question::Adc {
        channel: channel as u8,
    };
    ADC_READY | answers.word(question) & 0xFFF
}

/// A command of the PMIC wrapper: bit 31 write, 30:16 half the register, 15:0
/// data. A read is answered by "valid" in bits 18:16 of the state.
fn pmic(machine: &mut Machine, value: u32) -> io::Result<Access> {
    const VALID: u32 = 6 << 16;
    if value >> 31 == 0 {
        machine.set_peripheral(PMIC_DATA, PMIC_IDLE | VALID)?;
        return Ok(Access::Nothing);
    }
    Ok(Access::Events(vec![Event::Pmic {
        register: ((value >> 16 & 0x7FFF) * 2) as u16,
        value: value as u16,
    }]))
}

/// A write to the GPIO block: value, set and clear registers of the pins'
/// direction (0x000) and level (0x100), modes (0x300, four bits a pin).
fn pins(machine: &mut Machine, word: u32, value: u32) -> io::Result<Access> {
    let offset = word - GPIO;
    let what = match offset >> 8 {
        0 => PinSetting::Output,
        1 => PinSetting::Level,
        3 => PinSetting::Mode,
        _ => return Ok(Access::Nothing),
    };
    let group = (offset & 0xF0) >> 4;
    let events = if what == PinSetting::Mode {
        // The alias at +0xC: bit 3 of each pin's four enables the write.
        let chosen = (0..8).filter(|n| offset & 0xC == 0xC && value >> (4 * n) & 8 != 0);
        chosen
            .map(|n| Event::Pin {
                pin: 8 * group + n,
                what,
                value: value >> (4 * n) & 7,
            })
            .collect()
    } else {
        let (base, set) = (word & !0xF, offset & 0xC != 8);
        if offset & 0xC != 0 {
            let old = machine.peripheral(base)?;
            let new = if set { old | value } else { old & !value };
            machine.set_peripheral(base, new)?;
        }
        let chosen = (0..32).filter(|n| offset & 0xC != 0 && value >> n & 1 != 0);
        chosen
            .map(|n| Event::Pin {
                pin: 32 * group + n,
                what,
                value: u32::from(set),
            })
            .collect()
    };
    Ok(Access::Events(events))
}
