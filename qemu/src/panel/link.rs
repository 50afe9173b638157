//! What crosses the lanes between the DSI host and the panel.
//! Source: facts/display.md 3.1, 3.2, 3.4.

use serde::Deserialize;

/// One packet of the command queue, as the panel receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// DSI data id, virtual channel 0.
    pub data_type: u8,
    /// The bytes: the first is the command, the others its parameters.
    pub payload: &'a [u8],
    /// Sent in high speed instead of LP.
    pub high_speed: bool,
}

/// How pixels are packed on the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WireFormat {
    /// 16 bits a pixel.
    Rgb565,
    /// 18 bits in three bytes.
    Rgb666Loose,
    /// 18 bits without gaps.
    Rgb666Packed,
    /// 24 bits.
    Rgb888,
}

impl WireFormat {
    /// Bytes a pixel in the vendor's formulas (display.md 3.2).
    pub fn bytes(self) -> u32 {
        match self {
            WireFormat::Rgb565 => 2,
            _ => 3,
        }
    }
}

/// How the host sends pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkMode {
    /// By memory write.
    Command,
    /// Video with sync pulses.
    SyncPulse,
    /// Video with sync events.
    SyncEvent,
    /// Video in bursts.
    Burst,
}

/// The host's settings while it sends pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Data lanes whose drivers are on.
    pub lanes_hw: u8,
    /// Data lanes that the host uses.
    pub lanes: u8,
    /// Rate of one lane in Mbit/s.
    pub mbps: u32,
    /// Pixel format.
    pub format: WireFormat,
    /// Mode.
    pub mode: LinkMode,
    /// PS_WC.
    pub bytes_per_line: u16,
    /// Vertical sync, in lines.
    pub vsa: u16,
    /// Vertical back porch, in lines.
    pub vbp: u16,
    /// Vertical front porch, in lines.
    pub vfp: u16,
    /// Lines of the picture.
    pub vact: u16,
    /// HSA_WC: bytes.
    pub hsa_wc: u16,
    /// HBP_WC: bytes.
    pub hbp_wc: u16,
    /// HFP_WC: bytes.
    pub hfp_wc: u16,
    /// The clock lane is in high speed.
    pub clock_hs: bool,
    /// The clock lane stays in high speed between packets.
    pub continuous_clock: bool,
    /// Ends each transmission with an EoT packet.
    pub eot: bool,
}

impl Link {
    /// Horizontal sync, back and front porch in pixels, from the word counts
    /// (display.md 3.2). With sync events the back porch contains the sync.
    pub fn horizontal(&self) -> (u32, u32, u32) {
        let pixels = |count: u16, overhead: u32| {
            (u32::from(count) + overhead + self.format.bytes() / 2) / self.format.bytes()
        };
        let sync = match self.mode {
            LinkMode::SyncEvent => 0,
            _ => pixels(self.hsa_wc, 10),
        };
        (sync, pixels(self.hbp_wc, 10), pixels(self.hfp_wc, 12))
    }

    /// Frames a second times 10; 0 if nothing is set.
    pub fn decifps(&self) -> u32 {
        let (sync, back, front) = self.horizontal();
        let pixels = u32::from(self.bytes_per_line) / self.format.bytes() + sync + back + front;
        let lines = [self.vsa, self.vbp, self.vfp, self.vact];
        let lines: u32 = lines.into_iter().map(u32::from).sum();
        let bits = u64::from(pixels) * u64::from(lines) * u64::from(self.format.bytes()) * 8;
        let rate = u64::from(self.mbps) * u64::from(self.lanes) * 10_000_000;
        rate.checked_div(bits)
            .map_or(0, |value| u32::try_from(value).unwrap_or(u32::MAX))
    }
}
