//! What can go wrong with the eMMC, by name.
//!
//! Source: facts/storage-and-images.md 8.1 (interrupt causes) and 8.9.

use core::fmt;

/// An error of the card or of its host controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error {
    /// Nothing answers on the command line.
    NoCard,
    /// The card did not finish its power-up within a second (CMD1).
    PowerUp,
    /// The card holds DAT0, or the controller reports activity, without end.
    Busy,
    /// No response to the command.
    CmdTimeout {
        /// Command number, 0 to 63.
        index: u8,
    },
    /// Response with a wrong CRC.
    CmdCrc {
        /// Command number, 0 to 63.
        index: u8,
    },
    /// Data did not come, or were not taken, in time.
    DataTimeout {
        /// Block, or the first of those that were asked for.
        lba: u32,
    },
    /// Data with a wrong CRC.
    DataCrc {
        /// Block, or the first of those that were asked for.
        lba: u32,
    },
    /// The card reported an error in its status.
    Refused {
        /// Command number, 0 to 63.
        index: u8,
        /// Device status as in an R1 response.
        status: u32,
    },
    /// The card did not take a mode, or its data differ from before.
    Verify,
    /// Blocks beyond the end of the selected area.
    OutOfRange {
        /// First block asked for.
        lba: u32,
    },
    /// Not a positive multiple of the block size.
    Length,
    /// The selected area is never written by this bootloader.
    Protected,
    /// No identification yet, or a transfer is under way.
    NotReady,
    /// The controller rejected its descriptors, or DMA did not end.
    Dma,
    /// The controller did not leave its reset, or its clock is not stable.
    Controller,
}

impl Error {
    /// Stable short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoCard => "MMC-NOCARD",
            Self::PowerUp => "MMC-POWERUP",
            Self::Busy => "MMC-BUSY",
            Self::CmdTimeout { .. } => "MMC-CMDTMO",
            Self::CmdCrc { .. } => "MMC-CMDCRC",
            Self::DataTimeout { .. } => "MMC-DATTMO",
            Self::DataCrc { .. } => "MMC-DATCRC",
            Self::Refused { .. } => "MMC-REFUSED",
            Self::Verify => "MMC-VERIFY",
            Self::OutOfRange { .. } => "MMC-RANGE",
            Self::Length => "MMC-LENGTH",
            Self::Protected => "MMC-PROTECTED",
            Self::NotReady => "MMC-NOTREADY",
            Self::Dma => "MSDC-DMA",
            Self::Controller => "MSDC-CTRL",
        }
    }

    /// The same error of a data phase, with the block that it was about.
    pub(super) const fn at(self, lba: u32) -> Self {
        match self {
            Self::DataTimeout { .. } => Self::DataTimeout { lba },
            Self::DataCrc { .. } => Self::DataCrc { lba },
            other => other,
        }
    }

    /// Whether a slower bus could help.
    pub(super) const fn is_signal_error(self) -> bool {
        matches!(self, Self::CmdCrc { .. } | Self::DataCrc { .. })
    }

    /// Whether the same transfer may succeed on a second attempt.
    pub(super) const fn is_transient(self) -> bool {
        self.is_signal_error()
            || matches!(
                self,
                Self::CmdTimeout { .. } | Self::DataTimeout { .. } | Self::Dma | Self::Busy
            )
    }
}

/// What happened, in words; the code is [`Error::code`].
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match *self {
            Self::CmdTimeout { index } => return write!(f, "no answer to CMD{index}"),
            Self::CmdCrc { index } => return write!(f, "damaged answer to CMD{index}"),
            Self::DataTimeout { lba } => return write!(f, "no data for block {lba}"),
            Self::DataCrc { lba } => return write!(f, "damaged data for block {lba}"),
            Self::OutOfRange { lba } => return write!(f, "block {lba} lies behind the end"),
            Self::Refused { index, status } => {
                return write!(f, "card refuses CMD{index}, status {status:08x}");
            }
            Self::NoCard => "no card answers",
            Self::PowerUp => "card does not finish its power-up",
            Self::Busy => "card stays busy",
            Self::Verify => "card does not take the mode",
            Self::Length => "not whole blocks",
            Self::Protected => "area is never written",
            Self::NotReady => "card is not ready",
            Self::Dma => "DMA did not end",
            Self::Controller => "controller does not get ready",
        };
        f.write_str(what)
    }
}
