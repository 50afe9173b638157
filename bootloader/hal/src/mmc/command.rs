//! Commands as the card knows them, and what it answers.
//!
//! Source: facts/storage-and-images.md 8.2, 8.5 and 8.9; JEDEC JESD84-B45 6.10
//! (commands) and 6.13 (device status).

use super::Error;

/// Bytes of a block in every data command that we use.
pub const BLOCK_BYTES: usize = 512;

/// The relative address that CMD3 gives the only card on the bus.
const RCA: u32 = 1 << 16;

/// Form of the answer to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// No answer at all.
    None,
    /// Device status.
    R1,
    /// Device status, then busy on DAT0.
    R1b,
    /// CID or CSD, 128 bits.
    R2,
    /// OCR, without CRC.
    R3,
}

/// A command, without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// Command number, 0 to 63.
    pub index: u8,
    /// Argument.
    pub argument: u32,
    /// What the card answers.
    pub reply: Reply,
}

impl Command {
    const fn new(index: u8, argument: u32, reply: Reply) -> Self {
        Self {
            index,
            argument,
            reply,
        }
    }

    /// CMD0: back to the idle state, from any state.
    pub const GO_IDLE: Self = Self::new(0, 0, Reply::None);
    /// CMD2: every card sends its CID.
    pub const ALL_SEND_CID: Self = Self::new(2, 0, Reply::R2);
    /// CMD3: the card gets its address.
    pub const SET_RELATIVE_ADDRESS: Self = Self::new(3, RCA, Reply::R1);
    /// CMD7: the card enters the transfer state.
    pub const SELECT: Self = Self::new(7, RCA, Reply::R1b);
    /// CMD8: read EXT_CSD, one block.
    pub const SEND_EXT_CSD: Self = Self::new(8, 0, Reply::R1);
    /// CMD9: the card sends its CSD.
    pub const SEND_CSD: Self = Self::new(9, RCA, Reply::R2);
    /// CMD12: ends a read.
    pub const STOP_READ: Self = Self::new(12, 0, Reply::R1);
    /// CMD12: ends a write; the card programs what it has.
    pub const STOP_WRITE: Self = Self::new(12, 0, Reply::R1b);
    /// CMD13: the card sends its status.
    pub const SEND_STATUS: Self = Self::new(13, RCA, Reply::R1);

    /// CMD1 with an argument as in OCR; 0 asks without starting the card.
    pub const fn send_op_cond(ocr: u32) -> Self {
        Self::new(1, ocr, Reply::R3)
    }

    /// CMD6: write `value` to the byte `index` of EXT_CSD.
    pub const fn switch(index: u8, value: u8) -> Self {
        const WRITE_BYTE: u32 = 3;
        let argument = WRITE_BYTE << 24 | (index as u32) << 16 | (value as u32) << 8;
        Self::new(6, argument, Reply::R1b)
    }

    /// CMD17 or CMD18.
    pub const fn read(address: u32, blocks: usize) -> Self {
        Self::new(if blocks == 1 { 17 } else { 18 }, address, Reply::R1)
    }

    /// CMD24 or CMD25.
    pub const fn write(address: u32, blocks: usize) -> Self {
        Self::new(if blocks == 1 { 24 } else { 25 }, address, Reply::R1)
    }

    /// Whether the data have no length of their own, so that CMD12 ends them.
    pub const fn is_open_ended(self) -> bool {
        matches!(self.index, 18 | 25)
    }
}

/// An answer: R1 and R3 in word 0; R2 with its most significant bits in
/// word 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Response(pub [u32; 4]);

impl Response {
    /// The device status of an R1 or R1b answer, if it reports no error.
    pub const fn status(self, index: u8) -> Result<Status, Error> {
        let status = Status(self.0[0]);
        if status.is_error() {
            Err(Error::Refused {
                index,
                status: status.0,
            })
        } else {
            Ok(status)
        }
    }
}

/// State of the card's state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// 4: selected, waiting for a command.
    Transfer,
    /// 5: sending data.
    Data,
    /// 6: receiving data.
    Receive,
    /// 7: programming.
    Programming,
    /// Any other, by number.
    Other(u8),
}

/// Device status, the content of R1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u32);

impl Status {
    /// All bits that report an error: 31 to 26 (address, block length, erase,
    /// write protection), 24 to 19 (lock, CRC of the command before, illegal
    /// command, ECC, controller, general), 16 (overwrite), 7 (switch).
    const ERRORS: u32 = 0xfdf9_0080;
    /// Errors of the card itself that the answer to CMD12 may report. Not
    /// "out of range": a read that ends with the area's last block sets it,
    /// because the card has already looked ahead.
    const MEDIA_ERRORS: u32 = 0x0038_0000;
    const READY_FOR_DATA: u32 = 1 << 8;

    /// Whether any error bit is set.
    pub const fn is_error(self) -> bool {
        self.0 & Self::ERRORS != 0
    }

    /// Whether the card failed at what CMD12 has ended.
    pub const fn is_media_error(self) -> bool {
        self.0 & Self::MEDIA_ERRORS != 0
    }

    /// What the card is doing.
    pub const fn state(self) -> State {
        match (self.0 >> 9 & 0xf) as u8 {
            4 => State::Transfer,
            5 => State::Data,
            6 => State::Receive,
            7 => State::Programming,
            other => State::Other(other),
        }
    }

    /// Whether the card takes the next data command.
    pub fn is_ready(self) -> bool {
        self.0 & Self::READY_FOR_DATA != 0 && self.state() == State::Transfer
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn switch_arguments_are_those_of_the_vendor() {
        assert_eq!(Command::switch(183, 2).argument, 0x03b7_0200);
        assert_eq!(Command::switch(185, 1).argument, 0x03b9_0100);
    }

    #[test]
    fn status_of_a_card_in_the_transfer_state() {
        let response = Response([0x900, 0, 0, 0]);
        let status = response.status(13).unwrap();
        assert!(status.is_ready());
        assert!(!Status(0x800).is_ready());
        assert_eq!(Status(0xe00).state(), State::Programming);
    }

    #[test]
    fn error_bits_refuse_and_name_the_command() {
        for bit in [7, 16, 19, 20, 21, 22, 23, 24, 26, 27, 28, 29, 30, 31] {
            let status = 0x900 | 1 << bit;
            assert_eq!(
                Response([status, 0, 0, 0]).status(18),
                Err(Error::Refused { index: 18, status }),
                "bit {bit}"
            );
        }
        for bit in [8, 13, 15, 25] {
            assert!(Response([0x800 | 1 << bit, 0, 0, 0]).status(18).is_ok());
        }
    }

    #[test]
    fn reading_the_last_block_is_no_media_error() {
        assert!(!Status(0x8000_0b00).is_media_error());
        assert!(Status(0x0020_0b00).is_media_error());
    }
}
