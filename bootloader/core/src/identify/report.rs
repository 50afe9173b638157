//! What was asked and answered, in a compact form that survives the boot.
//!
//! The host tool decodes it, and it holds enough to write a new row of the
//! table. One shape serves every record, so that the writer is a few lines.
//! Layout, little endian:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `unilkRPT` |
//! | 8 | 2 | version 1 |
//! | 10 | 2 | records that did not fit |
//! | 12 | 4 | bytes of records |
//! | 16 | 4 | CRC-32 of bytes 8 to 15 and of the records |
//! | 20 | | records |
//!
//! A record: length of what follows u8, kind u8, unit u8, status u8, time in
//! µs u32, a u16, b u16, length of `sent` u8, `sent`, `got`.

use crate::bytes::{Bytes, put, put_u32};
use crate::crc32::Crc32;
use core::cell::RefCell;
use core::fmt;

/// Bytes before the first record.
pub const HEADER: usize = 20;
const MAGIC: &[u8; 8] = b"unilkRPT";
const VERSION: u16 = 1;
const FIXED: usize = 12;

error_enum! {
    /// Why bytes are no report.
    pub enum ReportError {
        /// Something else is there.
        Magic => "RPT-MAGIC", "no identification report here: boot the phone once with unilk";
        /// Of another version.
        Version { /** The version found. */ found: u16 }
            => "RPT-VER", "report has version {found}, known is 1: use the tool of the same release";
        /// Cut off or changed.
        Damaged => "RPT-CRC", "identification report is damaged: read it again";
    }
}

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Unit {
    /// The phone.
    Board = 0,
    /// The panel.
    Panel = 1,
    /// The touch chip.
    Touch = 2,
    /// The main camera.
    MainCamera = 3,
    /// The sub camera.
    SubCamera = 4,
}

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Kind {
    /// Reset pulse: `a` ms low, then `b` ms of waiting.
    Reset = 1,
    /// Unlock sequence of stage `a`, named in `sent`.
    Unlock = 2,
    /// Read from the panel: `sent` = packet type (0x00 for a bus of the LCD
    /// controller) and register of one byte (two there), `a` bytes were asked
    /// for, `b` µs taken, `got` the answer.
    Read = 3,
    /// Identification pin `a`: `b` = 0 low, 1 high, 2 open.
    Strap = 4,
    /// AUXADC channel `a`: `b` mV.
    Voltage = 5,
    /// I2C transfer with address `a`: `b` µs taken, `sent` and `got`. Address
    /// 0: `sent` are addresses at which nobody was.
    I2c = 6,
    /// Power on (`b` = 1) with a core of `a` mV, or off (`b` = 0).
    Power = 7,
    /// Candidate `sent`: score `a`, reasons `b`.
    Candidate = 8,
    /// Verdict: `sent` won, `status` = certainty, `a` others fit, `b` =
    /// address of a chip, `got` = its module and version bytes.
    Verdict = 9,
    /// Something worth knowing: its code in `sent`.
    Note = 10,
    /// Wiring profile `sent` is used.
    Wiring = 11,
}

/// Values of [`Record::status`] where it tells how a question went.
pub mod status {
    /// Answered, or done.
    pub const OK: u8 = 0;
    /// Nobody answered.
    pub const SILENCE: u8 = 1;
    /// The answer was damaged.
    pub const CORRUPT: u8 = 2;
    /// Only zeros, or only ones.
    pub const CONSTANT: u8 = 3;
    /// The bus or the host did not work.
    pub const STUCK: u8 = 4;
}

const UNITS: [(Unit, &str); 5] = [
    (Unit::Board, "board"),
    (Unit::Panel, "panel"),
    (Unit::Touch, "touch"),
    (Unit::MainCamera, "main camera"),
    (Unit::SubCamera, "sub camera"),
];

const KINDS: [(Kind, &str); 11] = [
    (Kind::Reset, "reset"),
    (Kind::Unlock, "unlock"),
    (Kind::Read, "read"),
    (Kind::Strap, "pin"),
    (Kind::Voltage, "voltage"),
    (Kind::I2c, "i2c"),
    (Kind::Power, "power"),
    (Kind::Candidate, "candidate"),
    (Kind::Verdict, "verdict"),
    (Kind::Note, "note"),
    (Kind::Wiring, "wiring"),
];

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What it says.
    pub kind: Kind,
    /// What it is about.
    pub unit: Unit,
    /// How it went.
    pub status: u8,
    /// When, in µs of the boot's clock.
    pub at_us: u32,
    /// See [`Kind`].
    pub a: u16,
    /// See [`Kind`].
    pub b: u16,
    /// What went out, or a text.
    pub sent: &'a [u8],
    /// What came back.
    pub got: &'a [u8],
}

impl Record<'_> {
    /// A record of `kind` about the phone, without contents.
    pub const fn new(kind: Kind, at_us: u32) -> Self {
        Self {
            kind,
            unit: Unit::Board,
            status: status::OK,
            at_us,
            a: 0,
            b: 0,
            sent: &[],
            got: &[],
        }
    }
}

/// Where records go.
pub trait Recorder {
    /// Keeps `record`, if there is room.
    fn record(&self, record: &Record<'_>);
}

/// Keeps nothing.
impl Recorder for () {
    fn record(&self, _record: &Record<'_>) {}
}

/// Writes a report into a buffer.
#[derive(Debug)]
pub struct Builder<'a> {
    out: &'a mut [u8],
    len: usize,
    lost: u16,
}

impl<'a> Builder<'a> {
    /// An empty report in `out`; what is shorter than a header keeps nothing.
    pub fn new(out: &'a mut [u8]) -> Self {
        Self {
            out,
            len: HEADER,
            lost: 0,
        }
    }

    /// Adds `record`, or counts it as lost.
    pub fn push(&mut self, record: &Record<'_>) {
        match self.try_push(record) {
            Some(end) => self.len = end,
            None => self.lost = self.lost.saturating_add(1),
        }
    }

    fn try_push(&mut self, record: &Record<'_>) -> Option<usize> {
        let len = FIXED + record.sent.len() + record.got.len();
        let end = self.len + 1 + len;
        let out = self.out.get_mut(self.len..end)?;
        let [size, kind, unit, status, rest @ ..] = out else {
            return None;
        };
        (*size, *kind) = (u8::try_from(len).ok()?, record.kind as u8);
        (*unit, *status) = (record.unit as u8, record.status);
        put_u32(rest, 0, record.at_us)?;
        put(rest, 4, &record.a.to_le_bytes())?;
        put(rest, 6, &record.b.to_le_bytes())?;
        put(rest, 8, &[u8::try_from(record.sent.len()).ok()?])?;
        put(rest, 9, record.sent)?;
        put(rest, 9 + record.sent.len(), record.got)?;
        Some(end)
    }

    /// Closes the report; its bytes. Nothing if the buffer has no room for
    /// the header. More may be added afterwards and it be closed again.
    pub fn finish(&mut self) -> &[u8] {
        self.close().unwrap_or(&[])
    }

    fn close(&mut self) -> Option<&[u8]> {
        put(self.out, 0, MAGIC)?;
        put(self.out, 8, &VERSION.to_le_bytes())?;
        put(self.out, 10, &self.lost.to_le_bytes())?;
        put_u32(self.out, 12, (self.len - HEADER) as u32)?;
        let crc = checksum(self.out, self.len)?;
        put_u32(self.out, 16, crc)?;
        self.out.get(..self.len)
    }
}

fn checksum(data: &[u8], len: usize) -> Option<u32> {
    let crc = Crc32::new().update(data.get(8..16)?);
    Some(crc.update(data.get(HEADER..len)?).value())
}

/// A report that several askers write to in turn.
#[derive(Debug)]
pub struct Shared<'a>(RefCell<Builder<'a>>);

impl<'a> Shared<'a> {
    /// Shares `builder`.
    pub const fn new(builder: Builder<'a>) -> Self {
        Self(RefCell::new(builder))
    }

    /// The builder again.
    pub fn into_inner(self) -> Builder<'a> {
        self.0.into_inner()
    }
}

impl Recorder for Shared<'_> {
    fn record(&self, record: &Record<'_>) {
        // Never borrowed across a call: one thread, and `push` calls nobody.
        if let Ok(mut builder) = self.0.try_borrow_mut() {
            builder.push(record);
        }
    }
}

/// A checked report. Its `Display` is the table for people.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// Records that did not fit.
    pub lost: u16,
    records: &'a [u8],
}

impl<'a> Report<'a> {
    /// Reads the report at the start of `data`.
    pub fn parse(data: &'a [u8]) -> Result<Self, ReportError> {
        let bytes = Bytes::new(data);
        if bytes.slice(0, MAGIC.len()) != Some(MAGIC) {
            return Err(ReportError::Magic);
        }
        let found = bytes.u16(8).ok_or(ReportError::Damaged)?;
        if found != VERSION {
            return Err(ReportError::Version { found });
        }
        let lost = bytes.u16(10).ok_or(ReportError::Damaged)?;
        let len = bytes.u32(12).ok_or(ReportError::Damaged)? as usize;
        let records = bytes.slice(HEADER, len).ok_or(ReportError::Damaged)?;
        if bytes.u32(16) != checksum(data, HEADER + len) {
            return Err(ReportError::Damaged);
        }
        Ok(Self { lost, records })
    }

    /// The records, in order.
    pub fn records(&self) -> Records<'a> {
        Records(self.records)
    }
}

/// Iterator over the records of a [`Report`]; stops at one that is not whole.
#[derive(Debug, Clone)]
pub struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let (&len, rest) = self.0.split_first()?;
        let (body, rest) = rest.split_at_checked(usize::from(len))?;
        let bytes = Bytes::new(body);
        let kind = bytes.u8(0)?;
        let sent = usize::from(bytes.u8(11)?);
        let record = Record {
            kind: KINDS.iter().find(|(known, _)| *known as u8 == kind)?.0,
            unit: UNITS.get(usize::from(bytes.u8(1)?))?.0,
            status: bytes.u8(2)?,
            at_us: bytes.u32(3)?,
            a: bytes.u16(7)?,
            b: bytes.u16(9)?,
            sent: bytes.slice(FIXED, sent)?,
            got: body.get(FIXED + sent..)?,
        };
        self.0 = rest;
        Some(record)
    }
}

/// A sequence of bytes as hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, " {byte:02X}"))
    }
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.get(self.unit as usize).map_or("", |(_, name)| name);
        let kind = KINDS.iter().find(|(kind, _)| *kind == self.kind);
        let kind = kind.map_or("", |(_, name)| name);
        write!(f, "{:>9} us  {unit:<11} {kind:<9}", self.at_us)?;
        let text = core::str::from_utf8(self.sent).unwrap_or("?");
        let (a, b) = (self.a, self.b);
        match self.kind {
            Kind::Reset => write!(f, " low {a} ms, wait {b} ms"),
            Kind::Unlock | Kind::Note | Kind::Wiring => write!(f, " {text}"),
            Kind::Read => write!(f, "{} / {a} ->{}  {b} us", Hex(self.sent), Hex(self.got)),
            Kind::Strap => {
                let levels = ["low", "high", "open"];
                let level = levels.get(usize::from(b)).unwrap_or(&"?");
                write!(f, " {a} {level}")
            }
            Kind::Voltage => write!(f, " {a}: {b} mV"),
            Kind::I2c if a == 0 => write!(f, "{}", Hex(self.sent)),
            Kind::I2c => write!(f, " {a:02x}:{} ->{}  {b} us", Hex(self.sent), Hex(self.got)),
            Kind::Power => match b {
                0 => write!(f, " off"),
                _ => write!(f, " on, core {a} mV"),
            },
            Kind::Candidate => write!(f, " {text} score {a} reasons {b:#x}"),
            Kind::Verdict => {
                let word = super::verdict::Certainty::word(self.status);
                write!(
                    f,
                    " {text} {word}, {a} more fit, at {b:02x}{}",
                    Hex(self.got)
                )
            }
        }?;
        let note = match (self.kind, self.status) {
            (Kind::Verdict, _) | (_, status::OK) => "",
            (_, status::SILENCE) => " no answer",
            (_, status::CORRUPT) => " damaged",
            (_, status::CONSTANT) => " (constant)",
            (_, _) => " stuck",
        };
        f.write_str(note)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for record in self.records() {
            writeln!(f, "{record}")?;
        }
        if self.lost > 0 {
            writeln!(f, "{} more records did not fit", self.lost)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fuzz::fuzz;
    use std::string::ToString;
    use std::vec::Vec;

    #[test]
    fn addresses_without_anybody_are_one_line() {
        let record = Record {
            unit: Unit::Touch,
            status: status::SILENCE,
            sent: &[0x14, 0x5D],
            ..Record::new(Kind::I2c, 80_000)
        };
        let text = "    80000 us  touch       i2c       14 5D no answer";
        assert_eq!(record.to_string(), text);
    }

    fn sample() -> [Record<'static>; 3] {
        [
            Record {
                unit: Unit::Panel,
                a: 5,
                b: 312,
                sent: &[0x06, 0xA1],
                got: &[0x01, 0x8B, 0x80, 0x09, 0xFF],
                ..Record::new(Kind::Read, 16_000)
            },
            Record {
                unit: Unit::Touch,
                status: status::SILENCE,
                a: 0x38,
                b: 31,
                sent: &[0xA3],
                ..Record::new(Kind::I2c, 80_000)
            },
            Record {
                unit: Unit::Panel,
                status: 1,
                a: 2,
                sent: b"otm8009a",
                ..Record::new(Kind::Verdict, 90_000)
            },
        ]
    }

    fn build(room: usize) -> Vec<u8> {
        let mut out = std::vec![0xEE; room];
        let shared = Shared::new(Builder::new(&mut out));
        for record in &sample() {
            shared.record(record);
        }
        shared.into_inner().finish().to_vec()
    }

    #[test]
    fn records_come_back_as_they_were_written() {
        let data = build(200);
        let report = Report::parse(&data).unwrap();
        assert_eq!(report.records().collect::<Vec<_>>(), sample());
        assert_eq!(report.lost, 0);
    }

    #[test]
    fn the_table_shows_question_and_answer() {
        let data = build(200);
        let text = Report::parse(&data).unwrap().to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[0],
            "    16000 us  panel       read      06 A1 / 5 -> 01 8B 80 09 FF  312 us"
        );
        assert_eq!(
            lines[1],
            "    80000 us  touch       i2c       38: A3 ->  31 us no answer"
        );
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let data = build(60);
        let report = Report::parse(&data).unwrap();
        assert_eq!(report.records().collect::<Vec<_>>(), sample()[..2]);
        assert_eq!(report.lost, 1);
        assert!(report.to_string().ends_with("1 more records did not fit\n"));
        assert!(build(10).is_empty());
    }

    #[test]
    fn damage_is_noticed() {
        let good = build(200);
        for at in 0..good.len() {
            let mut data = good.clone();
            data[at] ^= 0x10;
            assert!(Report::parse(&data).is_err(), "byte {at}");
        }
        assert_eq!(
            Report::parse(&good[..30]).map(|_| ()),
            Err(ReportError::Damaged)
        );
        fuzz(&good, 5_000, |data| {
            let _ = Report::parse(data).map(|report| report.to_string());
            let _ = Records(data).count();
        });
    }
}
