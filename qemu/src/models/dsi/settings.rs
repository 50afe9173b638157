//! What the host's registers say, read at once.
//!
//! Source: facts/display.md 3.1, 3.2.

use super::{
    COM_CTRL, Dsi, HSA_WC, MODE_CTRL, PHY_LCCON, PHY_LD0CON, PHY_TIMECON0, PSCTRL, TXRX_CTRL,
    VSA_NL,
};
use crate::bus::Context;
use crate::panel::{Link, LinkMode, WireFormat};

const RESET: u32 = 1;
const DSI_EN: u32 = 1 << 1;
const MODE: u32 = 3;
const DIS_EOT: u32 = 1 << 6;
const EXT_TE_EN: u32 = 1 << 9;
const HSTX_CKLP_EN: u32 = 1 << 16;
const LC_HS_TX_EN: u32 = 1;
const PS_WC: u32 = 0x3FFF;
const PORCH_LINES: u32 = 0x7F;
const LINES: u32 = 0xFFF;
const WORD_COUNT: u32 = 0xFFF;

/// Cycles of the lane timing, PHY_TIMECON0 to 3.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub lpx: u32,
    pub hs_prepare: u32,
    pub hs_zero: u32,
    pub hs_trail: u32,
    pub ta_go: u32,
    pub ta_sure: u32,
    pub ta_get: u32,
    pub hs_exit: u32,
    pub clock_zero: u32,
    pub clock_trail: u32,
    pub clock_prepare: u32,
    pub clock_post: u32,
    pub clock_exit: u32,
}

impl Timing {
    fn of(words: [u32; 4]) -> Timing {
        let field = |word: usize, byte: u32| words[word] >> (8 * byte) & 0xFF;
        Timing {
            lpx: field(0, 0),
            hs_prepare: field(0, 1),
            hs_zero: field(0, 2),
            hs_trail: field(0, 3),
            ta_go: field(1, 0),
            ta_sure: field(1, 1),
            ta_get: field(1, 2),
            hs_exit: field(1, 3),
            clock_zero: field(2, 2),
            clock_trail: field(2, 3),
            clock_prepare: field(3, 0),
            clock_post: field(3, 1),
            clock_exit: field(3, 2),
        }
    }
}

/// The configuration registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub in_reset: bool,
    pub enabled: bool,
    /// MODE_CTRL.MODE.
    pub mode: u32,
    /// Lane mask of TXRX_CTRL.
    pub lane_mask: u8,
    pub eot: bool,
    pub external_te: bool,
    pub continuous_clock: bool,
    pub clock_hs: bool,
    pub clock_ulps: bool,
    pub clock_wakeup: bool,
    pub lane0_ulps: bool,
    pub lane0_wakeup: bool,
    /// PSCTRL: bytes a line, and format.
    pub line_bytes: u32,
    pub format: WireFormat,
    /// VSA, VBP, VFP and VACT in lines.
    pub lines: [u32; 4],
    /// HSA, HBP and HFP in bytes.
    pub words: [u32; 3],
    pub timing: Timing,
}

impl Settings {
    /// How many lanes the mask names.
    pub fn lanes(&self) -> u32 {
        self.lane_mask.count_ones()
    }

    pub fn link_mode(&self) -> LinkMode {
        match self.mode {
            0 => LinkMode::Command,
            1 => LinkMode::SyncPulse,
            2 => LinkMode::SyncEvent,
            _ => LinkMode::Burst,
        }
    }

    /// Lines of a video frame, porches included.
    pub fn frame_lines(&self) -> u32 {
        self.lines.iter().sum()
    }

    /// Bytes of a line of video with everything that goes with it
    /// (facts/display.md 3.2): four for each sync packet, six for the header
    /// and checksum of each long one.
    pub fn video_line_bytes(&self) -> u32 {
        let [hsa, hbp, hfp] = self.words;
        let sync = match self.link_mode() {
            LinkMode::SyncEvent => 4,
            _ => 4 + hsa + 6 + 4,
        };
        sync + hbp + 6 + self.line_bytes + 6 + hfp + 6
    }

    /// The link as the panel sees it, with the rate and the lanes whose
    /// drivers are on.
    pub fn link(&self, kbps: u32, lanes_on: u8) -> Link {
        let [vsa, vbp, vfp, vact] = self.lines.map(|lines| lines as u16);
        let [hsa_wc, hbp_wc, hfp_wc] = self.words.map(|count| count as u16);
        Link {
            lanes_hw: lanes_on.trailing_ones() as u8,
            lanes: self.lanes() as u8,
            mbps: kbps.saturating_add(500) / 1000,
            format: self.format,
            mode: self.link_mode(),
            bytes_per_line: self.line_bytes as u16,
            vsa,
            vbp,
            vfp,
            vact,
            hsa_wc,
            hbp_wc,
            hfp_wc,
            clock_hs: self.clock_hs,
            continuous_clock: self.continuous_clock,
            eot: self.eot,
        }
    }
}

impl Dsi {
    pub(super) fn settings(&mut self, cx: &mut Context<'_>) -> Settings {
        let mut get = |offset| self.get(offset, cx);
        let (com, txrx, ps) = (get(COM_CTRL), get(TXRX_CTRL), get(PSCTRL));
        let (clock, lane0) = (get(PHY_LCCON), get(PHY_LD0CON));
        let lines = [0, 4, 8, 12].map(|at| get(VSA_NL + at));
        Settings {
            in_reset: com & RESET != 0,
            enabled: com & DSI_EN != 0,
            mode: get(MODE_CTRL) & MODE,
            lane_mask: (txrx >> 2 & 0xF) as u8,
            eot: txrx & DIS_EOT == 0,
            external_te: txrx & EXT_TE_EN != 0,
            continuous_clock: txrx & HSTX_CKLP_EN == 0,
            clock_hs: clock & LC_HS_TX_EN != 0,
            clock_ulps: clock & 2 != 0,
            clock_wakeup: clock & 4 != 0,
            lane0_ulps: lane0 & 2 != 0,
            lane0_wakeup: lane0 & 4 != 0,
            line_bytes: ps & PS_WC,
            format: match ps >> 16 & 3 {
                0 => WireFormat::Rgb565,
                1 => WireFormat::Rgb666Loose,
                2 => WireFormat::Rgb666Packed,
                _ => WireFormat::Rgb888,
            },
            lines: [
                lines[0] & PORCH_LINES,
                lines[1] & PORCH_LINES,
                lines[2] & PORCH_LINES,
                lines[3] & LINES,
            ],
            words: [0, 4, 8].map(|at| get(HSA_WC + at) & WORD_COUNT),
            timing: Timing::of([0, 4, 8, 12].map(|at| get(PHY_TIMECON0 + at))),
        }
    }
}
