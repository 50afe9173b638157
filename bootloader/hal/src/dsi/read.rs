//! Reading a register of the panel.
//!
//! A read is a packet after which the bus is turned round. The host holds
//! BUSY until it is told that the answer was taken (RACK). A panel that does
//! not answer leaves it waiting for ever; only its reset helps.
//!
//! Source: facts/display.md 3.5, 3.6 and 9.2.

use super::DsiError;
use super::host::Dsi;
use super::registers::{BUSY, Instruction, RACK, RD_RDY, SHORT, TRIGGER_ACK};
use crate::reg::Write;
use crate::time::{Micros, poll};

/// Bytes of the longest answer: RX_DATA less the header.
pub const MAX_ANSWER: usize = 12;
/// The vendor waits 20 ms. The longest answer, 18 bytes, takes 30 µs at the
/// usual 10 Mbit/s of LP, and 0.3 ms at a tenth of that.
const ANSWER_LIMIT: Micros = Micros(3000);
/// For the host to go back to rest after an answer.
const RACK_LIMIT: Micros = Micros(1000);
/// An answer that is none is asked for once more.
const ATTEMPTS: u32 = 2;

const SET_MAX_RETURN_SIZE: u8 = 0x37;
/// The packet's header in RX_DATA0.
const HEADER_LEN: usize = 4;

/// RX_DATA0 to 3.
type Packet = [u8; HEADER_LEN + MAX_ANSWER];

// Types of answers.
const ACK_AND_ERROR_REPORT: u8 = 0x02;
const GENERIC_SHORT_1: u8 = 0x11;
const GENERIC_SHORT_2: u8 = 0x12;
const GENERIC_LONG: u8 = 0x1a;
const DCS_LONG: u8 = 0x1c;
const DCS_SHORT_1: u8 = 0x21;
const DCS_SHORT_2: u8 = 0x22;

/// Which packet asks. Some controllers answer for their own registers to one
/// of them only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadKind {
    /// DCS read.
    Dcs,
    /// Generic read with one parameter.
    Generic,
}

impl ReadKind {
    const fn data_type(self) -> u8 {
        match self {
            Self::Dcs => 0x06,
            Self::Generic => 0x14,
        }
    }
}

/// What came back.
enum Answer {
    /// This many bytes were stored.
    Data(usize),
    /// Not an answer; worth asking again.
    Again(DsiError),
}

impl Dsi {
    /// Reads `register` into `buf` and returns how many bytes came: up to
    /// 3 ms. The panel is told to send no more than `buf` holds.
    ///
    /// # Errors
    ///
    /// [`DsiError::Mode`] while video runs; [`DsiError::TooLong`] when `buf`
    /// is longer than [`MAX_ANSWER`]; [`DsiError::NoAnswer`];
    /// [`DsiError::ErrorReport`] or [`DsiError::Unexpected`] when the second
    /// attempt failed as well; [`DsiError::Busy`].
    pub fn read(
        &mut self,
        kind: ReadKind,
        register: u8,
        buf: &mut [u8],
    ) -> Result<usize, DsiError> {
        if self.running {
            return Err(DsiError::Mode);
        }
        if buf.len() > MAX_ANSWER {
            return Err(DsiError::TooLong);
        }
        if buf.is_empty() {
            return Ok(0);
        }
        let mut failure = DsiError::NoAnswer;
        for _ in 0..ATTEMPTS {
            // After a reset of the panel it is 1, and only the panel knows.
            self.queue(SET_MAX_RETURN_SIZE, &[buf.len() as u8, 0])?;
            self.flush()?;
            match self.ask(kind, register, buf)? {
                Answer::Data(len) => return Ok(len),
                Answer::Again(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn ask(&mut self, kind: ReadKind, register: u8, buf: &mut [u8]) -> Result<Answer, DsiError> {
        let regs = self.regs;
        let acknowledged_before = self.acknowledged();
        let packet_before = self.packet();
        let request = Instruction::DEFAULT
            .with_kind(SHORT)
            .with_turn_around(true)
            .with_data_type(kind.data_type())
            .with_data0(register);
        self.push(request.raw_value());
        regs.rack.put(RACK);
        self.start_queue();
        if poll(ANSWER_LIMIT, || regs.int_status.read() & RD_RDY != 0).is_err() {
            regs.rack.put(RACK);
            self.reset_host();
            return Err(DsiError::NoAnswer);
        }
        // As the vendor's kernel does: until the host has seen it.
        let taken = poll(RACK_LIMIT, || {
            regs.rack.put(RACK);
            regs.int_status.read() & BUSY == 0
        });
        regs.start.put(0);
        if taken.is_err() {
            self.reset_host();
            return Err(DsiError::Busy);
        }
        let packet = self.packet();
        // A bare acknowledge is ready too, and RX_DATA still holds the answer
        // before it. Whether the bit goes away by itself is not known.
        if self.acknowledged() && (!acknowledged_before || packet == packet_before) {
            return Err(DsiError::NoAnswer);
        }
        Ok(parse(&packet, buf))
    }

    /// Whether the panel has acknowledged without data.
    fn acknowledged(&self) -> bool {
        self.regs.trigger.read() & TRIGGER_ACK != 0
    }

    /// What was received last.
    fn packet(&self) -> Packet {
        let mut packet = Packet::default();
        for (bytes, word) in packet.chunks_exact_mut(4).zip(&self.regs.rx_data) {
            bytes.copy_from_slice(&word.read().to_le_bytes());
        }
        packet
    }
}

/// Takes a received packet apart. A panel that sends more than it was told to
/// is cut at the end of `buf`.
fn parse(packet: &Packet, buf: &mut [u8]) -> Answer {
    let [kind, low, high, ..] = *packet;
    let data = match kind {
        GENERIC_SHORT_1 | DCS_SHORT_1 => &packet[1..2],
        GENERIC_SHORT_2 | DCS_SHORT_2 => &packet[1..3],
        GENERIC_LONG | DCS_LONG => {
            let len = usize::from(u16::from_le_bytes([low, high])).min(MAX_ANSWER);
            &packet[HEADER_LEN..HEADER_LEN + len]
        }
        ACK_AND_ERROR_REPORT => {
            let bits = u16::from_le_bytes([low, high]);
            return Answer::Again(DsiError::ErrorReport(bits));
        }
        other => return Answer::Again(DsiError::Unexpected(other)),
    };
    let len = data.len().min(buf.len());
    buf[..len].copy_from_slice(&data[..len]);
    Answer::Data(len)
}
