//! What a driver does, in order.

use serde::Serialize;
use std::collections::BTreeMap;

/// One thing that a driver did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A packet to a panel on DSI.
    Packet {
        /// DSI data type.
        data_type: u8,
        /// Command and parameters.
        payload: Vec<u8>,
    },
    /// Set maximum return packet size.
    MaxReturn(u8),
    /// Pixels of a frame begin: no setting.
    Frame,
    /// A command or parameter to a panel on the LCD controller.
    Bus {
        /// Whether it is a parameter.
        data: bool,
        /// The word.
        word: u32,
    },
    /// A wait of so many microseconds.
    Delay(u32),
    /// The panel's reset line, true = released.
    Reset(bool),
    /// Something about a pin.
    Pin {
        /// Its number.
        pin: u32,
        /// What.
        what: PinSetting,
        /// The value.
        value: u32,
    },
    /// A write to a register of the PMIC.
    Pmic {
        /// Register.
        register: u16,
        /// Value.
        value: u16,
    },
    /// A question, and the answer that it got.
    Read {
        /// What was asked.
        question: Question,
        /// Bytes that were asked for.
        asked: u8,
        /// Bytes of the answer.
        answer: Vec<u8>,
    },
    /// A write to another register of the chip.
    Register {
        /// Address.
        address: u32,
        /// Value.
        value: u32,
    },
    /// A function of the image that could not run here and was passed over.
    Helper {
        /// Address.
        function: u32,
        /// First arguments.
        arguments: [u32; 4],
    },
    /// A service function that no known tree has, or that is not understood.
    Unknown {
        /// Place in the table of service functions.
        service: usize,
        /// First arguments.
        arguments: [u32; 4],
    },
}

/// What is set on a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinSetting {
    /// Level.
    Level,
    /// Function.
    Mode,
    /// Output, or input.
    Output,
    /// Pull resistor.
    Pull,
}

/// Something a driver asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// A register of a panel on DSI, the nth time.
    Dsi {
        /// The register.
        register: u8,
        /// How often it was asked before.
        nth: u8,
    },
    /// A word from a panel on the LCD controller, the nth.
    Bus {
        /// How many were read before.
        nth: u8,
    },
    /// The levels of 32 pins.
    Pins {
        /// First pin divided by 32.
        bank: u8,
    },
    /// A channel of the AUXADC, 12 bits.
    Adc {
        /// Channel.
        channel: u8,
    },
}

/// What the questions are answered with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    bytes: BTreeMap<(Question, u8), u8>,
    /// What a byte is that nobody set.
    pub default: u8,
}

impl Answers {
    /// Every byte is `default`.
    pub fn all(default: u8) -> Self {
        Self {
            bytes: BTreeMap::new(),
            default,
        }
    }

    /// Byte `byte` of the answer to `question`.
    pub fn byte(&self, question: Question, byte: u8) -> u8 {
        *self.bytes.get(&(question, byte)).unwrap_or(&self.default)
    }

    /// The first four bytes, as a word.
    pub fn word(&self, question: Question) -> u32 {
        u32::from_le_bytes([0, 1, 2, 3].map(|byte| self.byte(question, byte)))
    }

    /// Sets a byte.
    pub fn set(&mut self, question: Question, byte: u8, value: u8) {
        self.bytes.insert((question, byte), value);
    }

    /// The same, with one byte changed.
    #[must_use]
    pub fn with(&self, question: Question, byte: u8, value: u8) -> Self {
        let mut other = self.clone();
        other.set(question, byte, value);
        other
    }
}
