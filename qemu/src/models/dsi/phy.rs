//! The way from the host to the panel: what must be on, and how long bytes
//! take.
//!
//! Source: facts/display.md 1.2 (domain), 1.3 (gates), 3.8 (ULPS), 4.1, 4.3, 4.4, 5.3 (pads).

use super::settings::Settings;
use crate::bus::Nanos;
use crate::signals::Signals;

/// PWR_STATUS bit of the display domain.
const DOMAIN_DIS: u8 = 3;
/// MMSYS CG1: the engine, and the registers with their byte clock.
const CLOCKS: u32 = 3;
/// Limits of the rate of a lane.
const RATES_KBPS: std::ops::RangeInclusive<u32> = 50_000..=1_250_000;
/// Mode of pins 79 to 86 in which they are the lanes.
const MIPI_MODE: u8 = 1;
const LANE_PINS: [[usize; 2]; 3] = [[79, 80], [81, 82], [85, 86]];
const CLOCK_PINS: [usize; 2] = [83, 84];
/// In LP a bit is a mark and a space, one LPX each.
const LPX_A_BYTE: u64 = 16;
/// Escape entry, the entry command and the exit around each LP packet.
const LPX_A_PACKET: u64 = 22;
/// Sent after a burst unless switched off.
const EOT_BYTES: u32 = 4;

/// Lanes in the ultra low power state, from which only a wake-up or the loss
/// of the drivers' supply brings them back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ulps {
    pub clock: bool,
    pub lane0: bool,
}

impl Ulps {
    /// Follows the registers; `before` is what they held until now.
    pub fn follow(&mut self, before: &Settings, now: &Settings) {
        let edge = |ulps: &mut bool, enters: [bool; 2], wakes: [bool; 2]| {
            if enters == [false, true] {
                *ulps = true;
            } else if wakes == [true, false] && !enters[1] {
                *ulps = false;
            }
        };
        edge(
            &mut self.clock,
            [before.clock_ulps, now.clock_ulps],
            [before.clock_wakeup, now.clock_wakeup],
        );
        edge(
            &mut self.lane0,
            [before.lane0_ulps, now.lane0_ulps],
            [before.lane0_wakeup, now.lane0_wakeup],
        );
    }

    /// Drivers without a supply forget the state.
    pub fn follow_supply(&mut self, signals: &Signals) {
        let lanes = signals.mipi_lanes;
        self.clock &= lanes.clock;
        self.lane0 &= lanes.data & 1 != 0;
    }
}

/// The rate of a lane in kbit/s, or why the engine has no clock.
pub(super) fn rate_kbps(settings: &Settings, signals: &Signals) -> Result<u32, &'static str> {
    if !signals.domain_on(DOMAIN_DIS) {
        return Err("the display domain is off");
    }
    if signals.mm_cg1 & CLOCKS != 0 {
        return Err("the engine's clocks are gated (MMSYS CG1)");
    }
    if !settings.enabled {
        return Err("COM_CTRL.DSI_EN is 0");
    }
    match signals.dsi_pll_kbps {
        None | Some(0) => Err("the PLL of MIPITX does not run, or is not locked yet"),
        Some(kbps) => Ok(kbps),
    }
}

/// Why nothing that the host sends reaches the panel.
pub(super) fn obstacle(
    settings: &Settings,
    signals: &Signals,
    ulps: Ulps,
    high_speed: bool,
) -> Option<&'static str> {
    let lanes = signals.mipi_lanes;
    let mode_1 = |pins: [usize; 2]| pins.iter().all(|&pin| signals.pin_mode[pin] == MIPI_MODE);
    let rate = signals.dsi_pll_kbps.unwrap_or(0);
    let used = if high_speed { settings.lane_mask } else { 1 };
    let pads = LANE_PINS.iter().enumerate();
    let mut pads = pads.filter(|&(lane, _)| used >> lane & 1 != 0);
    [
        (lanes.software, "SW_CTRL of MIPITX drives the lanes"),
        (
            lanes.tied_low,
            "PAD_TIE_LOW_EN of MIPITX ties the lanes low",
        ),
        (!lanes.clock, "the clock lane's driver is off (LDOOUT_EN)"),
        (
            lanes.data & 1 == 0,
            "data lane 0's driver is off (LDOOUT_EN)",
        ),
        (
            ulps.clock || settings.clock_ulps,
            "the clock lane is in ULPS",
        ),
        (ulps.lane0 || settings.lane0_ulps, "data lane 0 is in ULPS"),
        (
            !mode_1(CLOCK_PINS),
            "pins 83 and 84 (clock lane) are not in mode 1",
        ),
        (
            !pads.all(|(_, &pins)| mode_1(pins)),
            "pins of a data lane are not in mode 1",
        ),
        (
            !RATES_KBPS.contains(&rate),
            "no lane can run at this rate (50 to 1250 Mbit/s)",
        ),
        (
            high_speed && settings.lane_mask == 0,
            "TXRX_CTRL names no lane",
        ),
        (high_speed && !lanes.bias, "LNT_HS_BIAS_EN of MIPITX is 0"),
        (
            high_speed && !settings.clock_hs,
            "the clock lane is not in high speed",
        ),
    ]
    .into_iter()
    .find_map(|(found, text)| found.then_some(text))
}

/// Which timing a transmission needs that is 0.
pub(super) fn missing_timing(
    settings: &Settings,
    high_speed: bool,
    turns: bool,
) -> Vec<&'static str> {
    let timing = &settings.timing;
    let always = [(timing.lpx, "LPX")];
    let turn = [
        (timing.ta_go, "TA_GO"),
        (timing.ta_sure, "TA_SURE"),
        (timing.ta_get, "TA_GET"),
    ];
    let fast = [
        (timing.hs_prepare, "HS_PRPR"),
        (timing.hs_zero, "HS_ZERO"),
        (timing.hs_trail, "HS_TRAIL"),
        (timing.hs_exit, "DA_HS_EXIT"),
        (timing.clock_zero, "CLK_ZERO"),
        (timing.clock_trail, "CLK_TRAIL"),
        (timing.clock_prepare, "CLK_HS_PRPR"),
        (timing.clock_post, "CLK_HS_POST"),
        (timing.clock_exit, "CLK_HS_EXIT"),
    ];
    let turn = turn.iter().filter(|_| turns);
    let fast = fast.iter().filter(|_| high_speed);
    let all = always.iter().chain(turn).chain(fast);
    all.filter(|row| row.0 == 0).map(|row| row.1).collect()
}

/// Times on the lanes at one rate.
#[derive(Clone, Copy)]
pub(super) struct Clock<'a> {
    settings: &'a Settings,
    kbps: u64,
}

impl<'a> Clock<'a> {
    pub fn new(settings: &'a Settings, kbps: u32) -> Self {
        let kbps = u64::from(kbps.max(1));
        Clock { settings, kbps }
    }

    /// `count` cycles of the byte clock, eight bits each.
    fn cycles(&self, count: u64) -> Nanos {
        count * 8_000_000 / self.kbps
    }

    fn lpx(&self, count: u64) -> Nanos {
        self.cycles(count * u64::from(self.settings.timing.lpx.max(1)))
    }

    /// A packet of `bytes`, header and checksum included.
    pub fn packet(&self, bytes: u32, high_speed: bool) -> Nanos {
        if high_speed {
            self.burst(u64::from(bytes))
        } else {
            self.lpx(u64::from(bytes) * LPX_A_BYTE + LPX_A_PACKET)
        }
    }

    /// `bytes` in high speed, with the way there and back.
    fn burst(&self, bytes: u64) -> Nanos {
        let timing = &self.settings.timing;
        let around =
            timing.lpx + timing.hs_prepare + timing.hs_zero + timing.hs_trail + timing.hs_exit;
        let eot = if self.settings.eot { EOT_BYTES } else { 0 };
        self.cycles(u64::from(around)) + self.bytes(bytes + u64::from(eot))
    }

    /// `bytes` in high speed, spread over the lanes.
    fn bytes(&self, bytes: u64) -> Nanos {
        bytes * 8_000_000 / (self.kbps * u64::from(self.settings.lanes().max(1)))
    }

    /// A frame of command mode: a long packet a line, command included.
    pub fn memory_write(&self, high_speed: bool) -> Nanos {
        let line = self.settings.line_bytes + 1 + 6;
        let lines = u64::from(self.settings.lines[3]);
        if high_speed {
            self.burst(lines * u64::from(line))
        } else {
            lines * self.packet(line, false)
        }
    }

    /// A frame of video.
    pub fn video_frame(&self) -> Nanos {
        let bytes = u64::from(self.settings.video_line_bytes());
        self.bytes(bytes * u64::from(self.settings.frame_lines()))
            .max(1)
    }

    /// Until the panel owns the bus.
    pub fn turn(&self) -> Nanos {
        let timing = &self.settings.timing;
        self.cycles(u64::from(timing.ta_go + timing.ta_sure))
    }

    /// An answer of `bytes` in LP, and the bus back with the host.
    pub fn answer(&self, bytes: u32) -> Nanos {
        self.packet(bytes, false) + self.cycles(u64::from(self.settings.timing.ta_get))
    }
}
