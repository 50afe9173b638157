//! Lane rate and blanking of a DSI panel: what the chip can do, and what no
//! panel could live with. Source: facts/display.md 3.1, 3.2, 4.3.

use crate::source::panels::{Blanking, Format, Mode, PanelToml, Rate};
use crate::source::{Place, Problem};
use std::ops::RangeInclusive;

/// Mbit/s of a lane that the PLL can make.
const LANE_MBPS: RangeInclusive<u32> = 50..=1250;
/// Lines that a register for vertical blanking holds.
const MOST_LINES: u16 = 127;
/// Bytes that a register for horizontal blanking holds.
const MOST_BYTES: u32 = 0xFFF;
/// Frames a second of the known panels.
const USUAL_FPS: RangeInclusive<u64> = 40..=90;
/// Frames a second of which a source that is not certain may be wrong.
const POSSIBLE_FPS: RangeInclusive<u64> = 20..=200;

impl Format {
    /// Bits of a pixel on the lanes.
    const fn bits(self) -> u64 {
        match self {
            Self::Rgb565 => 16,
            Self::Rgb666Packed => 18,
            Self::Rgb666Loose | Self::Rgb888 => 24,
        }
    }

    /// Bytes that the blanking registers count for a pixel.
    const fn blanking_bytes(self) -> u32 {
        match self {
            Self::Rgb565 => 2,
            _ => 3,
        }
    }
}

impl PanelToml {
    /// Checks `mode`, `vertical`, `horizontal`, `rate`, `lanes`.
    pub fn check_timing(&self, place: Place<'_>) -> Result<(), Problem> {
        let bad = |field, remedy: &str| Err(place.field(field).problem(remedy));
        if !(1..=3).contains(&self.lanes) {
            return bad("lanes", "must be 1, 2 or 3: the chip has three DSI lanes");
        }
        let mbps = self.rate.lane_mbps(place.field("rate"))?;
        match (self.mode, self.vertical, self.horizontal) {
            (Mode::Command, None, None) => Ok(()),
            (Mode::Command, _, _) => bad(
                "vertical, horizontal",
                "leave out: a command-mode panel has none",
            ),
            (_, Some(vertical), Some(horizontal)) => {
                self.check_blanking(place, vertical, horizontal)?;
                self.check_frames(place, mbps, vertical, horizontal)
            }
            _ => bad(
                "vertical, horizontal",
                "add both: a video-mode panel needs them",
            ),
        }
    }

    fn check_blanking(
        &self,
        place: Place<'_>,
        vertical: Blanking,
        horizontal: Blanking,
    ) -> Result<(), Problem> {
        for (field, Blanking { sync, back, front }) in
            [("vertical", vertical), ("horizontal", horizontal)]
        {
            if [sync, back, front].contains(&0) {
                return Err(place.field(field).problem(
                    "sync, back and front must be at least 1: no panel finds its lines without",
                ));
            }
        }
        let Blanking { sync, back, front } = vertical;
        if [sync, back, front].iter().any(|lines| *lines > MOST_LINES) {
            return Err(place.field("vertical").problem(
                "sync, back and front must be at most 127: the chip counts no more lines",
            ));
        }
        let Blanking { sync, back, front } = horizontal;
        let together = u32::from(sync) + u32::from(back);
        let longest = together.max(u32::from(front)) * self.format.blanking_bytes();
        if longest > MOST_BYTES {
            return Err(place.field("horizontal").problem(
                "sync and back together, or front, take more than 4095 bytes, which is what the chip counts: correct them",
            ));
        }
        Ok(())
    }

    fn check_frames(
        &self,
        place: Place<'_>,
        mbps: u32,
        vertical: Blanking,
        horizontal: Blanking,
    ) -> Result<(), Problem> {
        let all = |pixels: u16, Blanking { sync, back, front }: Blanking| {
            u64::from(pixels) + u64::from(sync) + u64::from(back) + u64::from(front)
        };
        let frame = all(self.width, horizontal) * all(self.height, vertical) * self.format.bits();
        let bits = u64::from(mbps) * u64::from(self.lanes) * 1_000_000;
        let fps = bits / frame;
        let possible = if self.doubtful {
            POSSIBLE_FPS
        } else {
            USUAL_FPS
        };
        if possible.contains(&fps) {
            return Ok(());
        }
        let what = if fps < *possible.start() {
            "low for the pixels"
        } else {
            "high for the pixels"
        };
        Err(place.field("rate").problem(&format!(
            "{mbps} Mbit/s on {} lanes is too {what}: {fps} frames a second where {} to {} are possible; \
             correct rate, lanes, vertical or horizontal, or say `doubtful = true` if the source has it so",
            self.lanes,
            possible.start(),
            possible.end()
        )))
    }
}

impl Rate {
    /// Mbit/s of a lane.
    fn lane_mbps(self, place: Place<'_>) -> Result<u32, Problem> {
        // The codes of the dividers stand for these.
        let divisor = |code: u8| match code {
            0 => 1,
            1 => 2,
            _ => 4,
        };
        let mbps = match self {
            Rate {
                pll_mhz: Some(mhz),
                div1: None,
                div2: None,
                feedback: None,
            } => 2 * u32::from(mhz),
            Rate {
                pll_mhz: None,
                div1: Some(div1 @ 0..=3),
                div2: Some(div2 @ 0..=3),
                feedback: Some(feedback @ 1..=63),
            } => 52 * u32::from(feedback) / (divisor(div1) * divisor(div2)),
            _ => {
                return Err(place.problem(
                    "give either pll_mhz (25 to 625) or div1, div2 (0 to 3) and feedback (1 to 63)",
                ));
            }
        };
        if !LANE_MBPS.contains(&mbps) {
            return Err(place.problem(&format!(
                "makes {mbps} Mbit/s on a lane: correct it, the chip's PLL makes 50 to 1250"
            )));
        }
        Ok(mbps)
    }
}
