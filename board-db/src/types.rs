//! The rows of the table.

/// How pixels reach the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelMode {
    /// The panel has its own memory; frames are written to it.
    Command,
    /// Video with sync pulses.
    SyncPulse,
    /// Video with sync events.
    SyncEvent,
    /// Video in bursts.
    Burst,
}

/// Pixel format on the lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneFormat {
    /// 16 bits.
    Rgb565,
    /// 18 bits, packed.
    Rgb666Packed,
    /// 24 bits.
    Rgb888,
}

impl LaneFormat {
    /// Bits a pixel takes on the lanes.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Rgb565 => 16,
            Self::Rgb666Packed => 18,
            Self::Rgb888 => 24,
        }
    }
}

/// Blanking in lines (vertical) or pixels (horizontal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Sync active.
    pub sync: u16,
    /// Back porch.
    pub back: u16,
    /// Front porch.
    pub front: u16,
}

impl Timing {
    const fn sum(self) -> u32 {
        self.sync as u32 + self.back as u32 + self.front as u32
    }
}

/// How the vendor's driver states the lane rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateSource {
    /// `PLL_CLOCK` in MHz; a lane runs at twice that.
    PllMhz(u16),
    /// Divider codes of the older drivers: 52 MHz x `feedback` / (d1 x d2),
    /// where code 0, 1, 2, 3 divides by 1, 2, 4, 4.
    Dividers {
        /// Code of the first divider.
        div1: u8,
        /// Code of the second divider.
        div2: u8,
        /// Multiplier.
        feedback: u8,
    },
}

/// A panel: controller and glass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanelRow {
    /// Name of its file, unique.
    pub id: &'static str,
    /// Name of the vendor's driver: what `lcm=` must say.
    pub lcm_name: &'static str,
    /// Controller chip.
    pub controller: &'static str,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// DSI data lanes, 1 to 3.
    pub lanes: u8,
    /// How pixels get there.
    pub mode: PanelMode,
    /// Pixel format.
    pub format: LaneFormat,
    /// Blanking lines; `None` in command mode.
    pub vertical: Option<Timing>,
    /// Blanking pixels; `None` in command mode.
    pub horizontal: Option<Timing>,
    /// Lane rate.
    pub rate: RateSource,
}

impl PanelRow {
    /// Mbit/s on each lane.
    pub const fn lane_mbps(&self) -> u32 {
        match self.rate {
            RateSource::PllMhz(mhz) => 2 * mhz as u32,
            RateSource::Dividers {
                div1,
                div2,
                feedback,
            } => 52 * feedback as u32 / (divisor(div1) * divisor(div2)),
        }
    }

    /// Frames per second times 100 in video mode, as ` fps=` tells it.
    pub const fn fps_x100(&self) -> Option<u32> {
        let (Some(vertical), Some(horizontal)) = (self.vertical, self.horizontal) else {
            return None;
        };
        let line = (self.width as u64 + horizontal.sum() as u64) * self.format.bits() as u64;
        let frame = line * (self.height as u64 + vertical.sum() as u64);
        let bits_per_second = self.lane_mbps() as u64 * self.lanes as u64 * 1_000_000;
        Some((100 * bits_per_second / frame) as u32)
    }
}

const fn divisor(code: u8) -> u32 {
    match code {
        0 => 1,
        1 => 2,
        _ => 4,
    }
}

/// Matrix codes of a board's keys (9 x row + column; n % 9 == 8 is power).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// Volume up.
    pub volume_up: Option<u8>,
    /// Volume down.
    pub volume_down: Option<u8>,
    /// The vendor's recovery key.
    pub recovery: Option<u8>,
    /// The vendor's factory key.
    pub factory: Option<u8>,
}

/// What drives the backlight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlight {
    /// Current sinks of the PMIC.
    Isink,
    /// PWM of the display's BLS block.
    BlsPwm,
    /// A channel of the PWM block: 1 is PWM1.
    Pwm(u8),
    /// A circuit of this board's own.
    Custom,
}

/// A phone, or a family of them on one main board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Board {
    /// Name of its file, unique.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Vendor's project name.
    pub project: &'static str,
    /// Key codes.
    pub keys: Keys,
    /// Backlight.
    pub backlight: Backlight,
    /// Panels seen in it, by id, in the vendor's order.
    pub panels: &'static [&'static str],
}
