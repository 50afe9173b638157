//! A record of the report in plain values: for JSON, and for the table.

use crate::bytes::printable;
use serde::{Serialize, Serializer};
use unilk_core::identify::evidence::Reasons;
use unilk_core::identify::report::{Kind, Record, Unit, status};
use unilk_core::identify::verdict::Certainty;

/// Bytes, in JSON as hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

impl Hex {
    /// The digits alone.
    pub fn digits(&self) -> String {
        self.to_string().replace(' ', "")
    }
}

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if index > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Microseconds of the boot's clock.
    pub at_us: u32,
    /// What it is about: `phone`, `panel`, `touch`, `camera main`, `camera sub`.
    pub unit: &'static str,
    #[serde(flatten)]
    pub what: What,
    /// How a question went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// A reset pulse.
    Reset { low_ms: u16, wait_ms: u16 },
    /// An unlock sequence of the plan.
    Unlock { stage: u16, name: String },
    /// A read over DSI.
    Read {
        packet: &'static str,
        register: u16,
        asked: u16,
        got: Hex,
        took_us: u16,
    },
    /// An identification pin, ID1 = 1.
    Pin { pin: u16, level: &'static str },
    /// An AUXADC channel.
    Voltage { channel: u16, mv: u16 },
    /// A transfer with a 7-bit address.
    I2c {
        address: u16,
        sent: Hex,
        got: Hex,
        took_us: u16,
    },
    /// Addresses at which nobody was.
    Absent { addresses: Hex },
    /// Supplies.
    Power { on: bool, core_mv: u16 },
    /// A row that fits.
    Candidate {
        id: String,
        score: u16,
        reasons: Vec<&'static str>,
    },
    /// The verdict on a unit.
    Verdict {
        winner: Option<String>,
        certainty: &'static str,
        others: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<u16>,
        #[serde(skip_serializing_if = "Option::is_none")]
        versions: Option<Hex>,
    },
    /// Something odd.
    Note {
        code: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// A wiring profile is used from here on.
    Wiring { profile: String },
}

impl What {
    /// Whether it was done to the hardware, and not concluded.
    pub fn is_question(&self) -> bool {
        !matches!(
            self,
            What::Candidate { .. } | What::Verdict { .. } | What::Note { .. } | What::Wiring { .. }
        )
    }

    /// Time on the bus, for what goes over one.
    pub fn took_us(&self) -> Option<u64> {
        match self {
            What::Read { took_us, .. } | What::I2c { took_us, .. } => Some(u64::from(*took_us)),
            _ => None,
        }
    }
}

impl Entry {
    /// The record in plain values.
    pub fn of(record: &Record<'_>) -> Entry {
        Entry {
            at_us: record.at_us,
            unit: unit(record.unit),
            what: what(record),
            outcome: outcome(record),
        }
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Board => "phone",
        Unit::Panel => "panel",
        Unit::Touch => "touch",
        Unit::MainCamera => "camera main",
        Unit::SubCamera => "camera sub",
    }
}

fn what(record: &Record<'_>) -> What {
    let (a, b) = (record.a, record.b);
    let text = printable(record.sent);
    let got = || Hex(record.got.to_vec());
    match record.kind {
        Kind::Reset => What::Reset {
            low_ms: a,
            wait_ms: b,
        },
        Kind::Unlock => What::Unlock {
            stage: a,
            name: text,
        },
        Kind::Read => What::Read {
            packet: match record.sent.first() {
                Some(0x06) => "dcs",
                Some(0x00) => "dbi",
                _ => "generic",
            },
            register: match *record.sent {
                [0x00, high, low] => u16::from_be_bytes([high, low]),
                [_, register, ..] => register.into(),
                _ => 0,
            },
            asked: a,
            got: got(),
            took_us: b,
        },
        Kind::Strap => What::Pin {
            pin: a.saturating_add(1),
            level: match b {
                0 => "low",
                1 => "high",
                _ => "open",
            },
        },
        Kind::Voltage => What::Voltage { channel: a, mv: b },
        Kind::I2c if a == 0 => What::Absent {
            addresses: Hex(record.sent.to_vec()),
        },
        Kind::I2c => What::I2c {
            address: a,
            sent: Hex(record.sent.to_vec()),
            got: got(),
            took_us: b,
        },
        Kind::Power => What::Power {
            on: b != 0,
            core_mv: a,
        },
        Kind::Candidate => What::Candidate {
            id: text,
            score: a,
            reasons: Reasons(b).names().collect(),
        },
        Kind::Verdict => What::Verdict {
            winner: (!text.is_empty()).then_some(text),
            certainty: Certainty::word(record.status),
            others: a,
            address: (b != 0).then_some(b),
            versions: (!record.got.is_empty()).then(got),
        },
        Kind::Note => What::Note {
            code: text,
            text: None,
        },
        Kind::Wiring => What::Wiring { profile: text },
    }
}

fn outcome(record: &Record<'_>) -> Option<&'static str> {
    let absent = record.kind == Kind::I2c && record.a == 0;
    if absent || !matches!(record.kind, Kind::Read | Kind::I2c) {
        return None;
    }
    Some(match record.status {
        status::OK => "ok",
        status::SILENCE => "no answer",
        status::CORRUPT => "damaged",
        status::CONSTANT => "only zeros or ones",
        _ => "bus stuck",
    })
}
