//! Command sequences of panels, step by step, in words.

use super::dcs;
use crate::report::Hex;
use serde::Serialize;
use std::fmt::{self, Display, Formatter};
use unilk_board_db::{OP_REGISTERS, OP_WORDS, PackedScript, Steps, UNPACK_BYTES};

/// A sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sequence {
    /// In order.
    pub steps: Vec<Step>,
    /// What the waits add up to.
    pub delay_ms: u32,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Bytes to the panel, the command first.
    Write {
        /// How: DSI data type, or the bus of the LCD controller.
        how: &'static str,
        /// DSI data type, if it is DSI.
        #[serde(skip_serializing_if = "Option::is_none")]
        data_type: Option<u8>,
        /// Command and parameters.
        bytes: Hex,
        /// What the DCS standard calls the command.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'static str>,
    },
    /// Wait.
    Delay {
        /// So long.
        ms: u16,
    },
    /// Move the reset pin, then wait.
    Reset {
        /// High: the panel runs.
        high: bool,
        /// So long.
        ms: u16,
    },
    /// Set the maximum return packet size.
    MaxReturn {
        /// Bytes.
        bytes: u8,
    },
}

impl Sequence {
    /// A packed sequence of a row; `dbi` if its panel is on the LCD
    /// controller.
    pub fn unpacked(script: PackedScript, dbi: bool) -> Self {
        let mut room = vec![0; UNPACK_BYTES];
        let steps = script.unpack(&mut room);
        steps.map_or_else(Self::default, |steps| Self::of(steps, dbi))
    }

    /// Steps of a panel that is on the LCD controller, or on DSI.
    pub fn of(steps: Steps<'_>, dbi: bool) -> Self {
        let delay_ms = steps.clone().delay_ms();
        let mut own_page = false;
        let steps = steps.map(|step| Step::of(step, dbi, &mut own_page));
        Self {
            steps: steps.collect(),
            delay_ms,
        }
    }
}

impl Step {
    /// `own_page`: whether a page of the maker's own is open.
    fn of(step: unilk_board_db::Step<'_>, dbi: bool, own_page: &mut bool) -> Self {
        use unilk_board_db::Step as Packed;
        match step {
            Packed::Write { data_type, payload } => {
                let how = match data_type {
                    OP_WORDS => "words",
                    OP_REGISTERS => "registers",
                    _ if dbi => "bus",
                    0x05 | 0x15 | 0x39 => "dcs",
                    _ => "generic",
                };
                let dcs = matches!(how, "dcs" | "bus");
                if let Some(opened) = dcs::opens_page(payload).filter(|_| dcs) {
                    *own_page = opened;
                }
                // What wakes a panel up means the same on every page.
                let standard = dcs && (!*own_page || payload.len() == 1);
                Self::Write {
                    how,
                    data_type: matches!(how, "dcs" | "generic").then_some(data_type),
                    bytes: Hex(payload.to_vec()),
                    name: dcs::name(payload).filter(|_| standard),
                }
            }
            Packed::Delay(ms) => Self::Delay { ms },
            Packed::Reset { high, ms } => Self::Reset { high, ms },
            Packed::MaxReturn(bytes) => Self::MaxReturn { bytes },
        }
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write {
                how,
                data_type,
                bytes,
                name,
            } => {
                match data_type {
                    Some(number) => write!(f, "{how} {number:02X}  {bytes}")?,
                    None => write!(f, "{how}  {bytes}")?,
                }
                name.map_or(Ok(()), |name| write!(f, "  ({name})"))
            }
            Self::Delay { ms } => write!(f, "wait {ms} ms"),
            Self::Reset { high, ms } => {
                let level = if *high { "high" } else { "low" };
                write!(f, "reset {level}, wait {ms} ms")
            }
            Self::MaxReturn { bytes } => write!(f, "answers of at most {bytes} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_in_words() {
        let bytes = [
            0x39, 3, 0xFF, 0x98, 0x06, 0x00, 0x78, 0x00, 0x37, 4, 0x01, 1, 10, 0, 0x05, 1, 0x11,
            0x29, 2, 0xB9, 0x01, 0x02, 2, 0xD8, 0x02,
        ];
        let sequence = Sequence::of(Steps::new(&bytes), false);
        let text: Vec<String> = sequence.steps.iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "dcs 39  FF 98 06",
                "wait 120 ms",
                "answers of at most 4 bytes",
                "reset high, wait 10 ms",
                "dcs 05  11  (exit_sleep_mode)",
                "generic 29  B9 01",
                "words  D8 02",
            ]
        );
        assert_eq!(sequence.delay_ms, 130);
        let on_bus = Sequence::of(Steps::new(&bytes[14..17]), true);
        assert_eq!(on_bus.steps[0].to_string(), "bus  11  (exit_sleep_mode)");
    }

    #[test]
    fn every_rows_sequences_are_unpacked() {
        for row in unilk_board_db::panels().iter().step_by(97) {
            let sequence = Sequence::unpacked(row.init, row.bus.is_dbi());
            assert_eq!(sequence.steps.is_empty(), row.init.is_empty(), "{}", row.id);
        }
    }
}
