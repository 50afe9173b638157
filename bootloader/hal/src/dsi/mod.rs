//! DSI host: packets to the panel and answers from it, frames and video.
//!
//! After [`Dsi::configure`] everything goes out in LP, whatever the panel's
//! mode: identification and initialisation. [`Dsi::start_video`] or
//! [`Dsi::frame`] follow once the display path ([`crate::display`]) is set up.
//! The PLL must run ([`crate::mipitx`]) and the host's gates be open
//! ([`crate::mmsys`]).
//!
//! Source: facts/display.md 3 and 9.2.

mod host;
mod read;
mod registers;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod video;

pub use host::Dsi;
pub use read::{MAX_ANSWER, ReadKind};
pub use registers::RegisterBlock;

use crate::mipitx::PhyTiming;

/// Bytes of the longest packet: the queue less its header.
pub const MAX_PAYLOAD: usize = 124;
/// Bytes of the longest packet that fits between frames of video.
pub const MAX_VIDEO_PAYLOAD: usize = 16;

/// Why the host did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DsiError {
    /// It did not get done in time; it was reset.
    Busy,
    /// The panel did not answer; the host was reset.
    NoAnswer,
    /// The panel answered, twice, with these error bits.
    ErrorReport(u16),
    /// The packet, or the answer asked for, does not fit.
    TooLong,
    /// The panel answered, twice, with a packet of this type.
    Unexpected(u8),
    /// Not in this mode, or not while video runs.
    Mode,
    /// A value of the link is beyond its register.
    Link,
}

impl DsiError {
    /// Short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Busy => "DSI-BUSY",
            Self::NoAnswer => "DSI-NOANS",
            Self::ErrorReport(_) => "DSI-ERRREP",
            Self::TooLong => "DSI-LEN",
            Self::Unexpected(_) => "DSI-TYPE",
            Self::Mode => "DSI-MODE",
            Self::Link => "DSI-LINK",
        }
    }
}

/// How pixels reach the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkMode {
    /// The panel has its own memory; frames are written to it.
    Command,
    /// Video with sync pulses.
    SyncPulse,
    /// Video with sync events.
    SyncEvent,
    /// Video in bursts.
    Burst,
}

impl LinkMode {
    /// MODE_CTRL's code.
    const fn code(self) -> u32 {
        match self {
            Self::Command => 0,
            Self::SyncPulse => 1,
            Self::SyncEvent => 2,
            Self::Burst => 3,
        }
    }
}

/// Pixels on the lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelFormat {
    /// 16 bits.
    Rgb565,
    /// 18 bits in three bytes.
    Rgb666Loose,
    /// 18 bits, packed.
    Rgb666Packed,
    /// 24 bits.
    Rgb888,
}

impl PixelFormat {
    /// PSCTRL's code.
    const fn code(self) -> u8 {
        match self {
            Self::Rgb565 => 0,
            Self::Rgb666Loose => 1,
            Self::Rgb666Packed => 2,
            Self::Rgb888 => 3,
        }
    }

    /// Bytes a pixel, as the host's counters want them: the vendor counts
    /// three for packed pixels too (facts/display.md 3.2).
    const fn bytes(self) -> u32 {
        match self {
            Self::Rgb565 => 2,
            Self::Rgb666Loose | Self::Rgb666Packed | Self::Rgb888 => 3,
        }
    }
}

/// Blanking, in lines (vertical) or pixels (horizontal).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Porches {
    /// Sync active.
    pub sync: u16,
    /// Back porch.
    pub back: u16,
    /// Front porch.
    pub front: u16,
}

/// What the host must know of a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkConfig {
    /// Data lanes, 1 to 3.
    pub lanes: u8,
    /// Pixels on the lanes.
    pub format: PixelFormat,
    /// How they get there.
    pub mode: LinkMode,
    /// Pixels a line.
    pub width: u16,
    /// Lines.
    pub height: u16,
    /// Blanking lines; of no effect in command mode.
    pub vertical: Porches,
    /// Blanking pixels; of no effect in command mode.
    pub horizontal: Porches,
    /// Times on the lanes.
    pub phy: PhyTiming,
    /// The clock lane stays in HS between bursts, as the vendor's loader has
    /// it for all panels.
    pub continuous_clock: bool,
}
