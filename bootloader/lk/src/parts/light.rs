//! A panel from reset to picture, and back.
//!
//! Source: facts/display.md 1.7, 3.3, 4, 6 and 9.1.

#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "a path is not general enough for what the futures borrow"
)]

use alloc::vec::Vec;

use mt6572_hal::clocks::Gate;
use mt6572_hal::display::Source;
use mt6572_hal::dsi::{LinkConfig, LinkMode, PixelFormat, Porches};
use mt6572_hal::mipitx::{LaneRate, PhyOverrides, PhyTiming, PowerDown, PowerUp};
use mt6572_hal::pwm::PwmProfile;
use mt6572_hal::time::{Deadline, Micros};
use unilk_board_db::{
    Backlight, LaneFormat, PackedScript, PanelBus, PanelMode, PanelRow, PinMode, RateSource,
    ResetStep, Step, Steps, Timing, UNPACK_BYTES, Wiring,
};
use unilk_core::identify::PanelPort;
use unilk_core::memory::FRAMEBUFFER_RESERVE;
use unilk_core::screen::FramebufferLayout;

use super::dbi;
use super::ports::PanelPins;
use super::shown::{Page, Shown, draw, picture};
use super::{Parts, with};
use crate::log::say;
use crate::meanwhile::pause;

/// Packets in LP go at a fraction of the lane rate, so any that every panel
/// takes will do to ask.
const ASKING_MBPS: u32 = 260;
/// What every link has that only asks.
const ASKING: LinkConfig = LinkConfig {
    lanes: 1,
    format: PixelFormat::Rgb888,
    mode: LinkMode::Command,
    width: 480,
    height: 800,
    vertical: Porches {
        sync: 0,
        back: 0,
        front: 0,
    },
    horizontal: Porches {
        sync: 0,
        back: 0,
        front: 0,
    },
    phy: PhyTiming::NONE,
    continuous_clock: true,
};
/// For panels whose table has no reset: the vendors' usual one (facts/display.md
/// 5.3).
const RESET: [ResetStep; 2] = [
    ResetStep {
        high: false,
        ms: 10,
    },
    ResetStep {
        high: true,
        ms: 120,
    },
];
/// No panel takes a packet earlier than 5 ms after its reset.
const AWAKE_MS: u16 = 6;
/// Leaves sleep, and what any panel needs until the next packet (MIPI DCS,
/// exit_sleep_mode); tables mostly wait for 120 ms.
const SLEEP_OUT: u8 = 0x11;
const SLEEP_OUT_TIME: Micros = Micros::from_ms(5);
/// Controllers take a low pulse of some 10 µs; what tables have beyond this is
/// their authors' caution.
const LOW_ENOUGH_MS: u16 = 10;
/// From the host's set-up to its first packet (facts/display.md 3.3).
const SETTLE: Micros = Micros::from_ms(1);
/// Packets between two looks at everything else.
const BURST: u32 = 4;
/// From the first frame's start to its end, at the slowest panel.
const FRAME_LIMIT: Micros = Micros::from_ms(60);
/// The same on a bus of the LCD controller, at the slowest serial one.
const BUS_FRAME_LIMIT: Micros = Micros::from_ms(600);
/// How often a frame is looked for.
const FRAME_LOOK: Micros = Micros(250);
/// Pads of the third data lane.
const THIRD_LANE: [u8; 2] = [85, 86];

/// Band gap, PLL and host, so that a panel can be asked; once.
pub async fn start_link(parts: &Parts) {
    if parts.link_on.replace(true) {
        return;
    }
    let rate = LaneRate::from_mbps(ASKING_MBPS);
    let Some(Ok(mut steps)) = rate.map(|rate| PowerUp::new(rate, 1, false)) else {
        return;
    };
    while let Some(wait) = with(parts, |hardware| steps.next(&mut hardware.hal.mipitx)) {
        pause(wait).await;
    }
    let phy = PhyTiming::for_rate(ASKING_MBPS, &PhyOverrides::default());
    with(parts, |hardware| {
        // These values fit their registers.
        let _ = hardware.hal.dsi.configure(&LinkConfig { phy, ..ASKING });
    });
}

/// Lights the panel of row `row` with `page` on it. False: it stays dark, and
/// the log says why.
pub async fn light(parts: &'static Parts, port: &mut PanelPins, row: u16, page: Page<'_>) -> bool {
    let Some(panel) = parts.table.panels.get(usize::from(row)) else {
        return false;
    };
    // The verdict says so.
    if panel.bus == PanelBus::Dpi {
        return false;
    }
    let video = panel.mode != PanelMode::Command;
    let layout =
        match FramebufferLayout::vendor(&parts.dram, (panel.width, panel.height), video, None) {
            Ok(layout) => layout,
            Err(error) => {
                Parts::note("no picture", &error);
                return false;
            }
        };
    if layout.base < parts.dram.end().saturating_sub(FRAMEBUFFER_RESERVE) {
        say!(
            "FB-MEMORY the picture of {} is larger than what is kept free",
            panel.id
        );
        return false;
    }
    draw(parts, &layout, 0, page);
    if let Err(code) = bring_up(parts, port, panel, &layout).await {
        say!(
            "{code} panel {} was not lit: boot goes on without",
            panel.id
        );
        return false;
    }
    backlight(parts, 255);
    parts.shown.set(Some(Shown {
        row,
        layout,
        page: 0,
        video,
        bus: panel.bus.is_dbi().then(|| dbi::pixels(panel)),
    }));
    say!("picture on {} ({}x{})", panel.id, panel.width, panel.height);
    true
}

/// The panel's own reset and initialisation, then the path, then frames.
async fn bring_up(
    parts: &Parts,
    port: &mut PanelPins,
    panel: &PanelRow,
    layout: &FramebufferLayout,
) -> Result<(), &'static str> {
    let steps = if panel.reset.is_empty() {
        &RESET
    } else {
        panel.reset
    };
    let init = unpacked(panel.init)?;
    let init = Steps::new(&init);
    if !reset_suits(parts, port, steps, &init) {
        for step in steps {
            port.reset(step.high);
            pause(Micros::from_ms(u32::from(step.ms))).await;
        }
    }
    let last = steps.last().map_or(0, |step| step.ms);
    pause(port.rest_of(last.max(AWAKE_MS))).await;
    if !port.connect(panel.bus) {
        return Err("DBI-PADS");
    }
    if panel.bus.is_dbi() {
        run(port, init).await?;
        return first_bus_frame(parts, panel, layout).await;
    }
    start_link(parts).await;
    connect(parts, panel).await?;
    run(port, init).await?;
    let video = panel.mode != PanelMode::Command;
    with(parts, |hardware| {
        let hal = &mut hardware.hal;
        let source = if video {
            Source::DsiVideo
        } else {
            Source::Single
        };
        let picture = picture(layout, 0);
        hal.display
            .bring_up(&mut hal.mmsys, source, &picture)
            .map_err(|error| error.code())?;
        if video {
            hal.dsi.start_video()
        } else {
            hal.dsi.start_frame()
        }
        .map_err(|error| error.code())
    })?;
    first_frame(parts, video).await;
    Ok(())
}

/// The path and the first frame of a panel on a bus of the LCD controller.
async fn first_bus_frame(
    parts: &Parts,
    panel: &PanelRow,
    layout: &FramebufferLayout,
) -> Result<(), &'static str> {
    with(parts, |hardware| {
        let hal = &mut hardware.hal;
        let picture = picture(layout, 0);
        hal.display
            .bring_up(&mut hal.mmsys, Source::Dbi, &picture)
            .map_err(|error| error.code())?;
        let size = (panel.width, panel.height);
        let started = hal.dbi.start_frame(dbi::pixels(panel), size);
        started.map_err(|error| error.code())
    })?;
    let limit = Deadline::after(BUS_FRAME_LIMIT);
    while with(parts, |hardware| hardware.hal.dbi.is_busy()) && !limit.expired() {
        pause(FRAME_LOOK).await;
    }
    with(parts, |hardware| hardware.hal.dbi.wait()).map_err(|error| error.code())
}

/// Whether the reset that came before the questions also serves this panel:
/// it has been held low long enough, and nothing has been unlocked since that
/// its initialisation does not unlock.
fn reset_suits(parts: &Parts, port: &PanelPins, steps: &[ResetStep], init: &Steps<'_>) -> bool {
    let low = steps.iter().filter(|step| !step.high);
    let low_ms = low.map(|step| step.ms).max().unwrap_or(0);
    let low_ms = low_ms.min(LOW_ENOUGH_MS);
    let verdict = parts.panel.borrow();
    let suits = verdict
        .as_ref()
        .is_some_and(|verdict| verdict.found.state_suits(parts.table.plan, init));
    port.runs() && low_ms <= port.low_ms() && suits
}

/// The lanes at the panel's own rate.
async fn connect(parts: &Parts, panel: &PanelRow) -> Result<(), &'static str> {
    let rate = match panel.rate {
        RateSource::PllMhz(mhz) => LaneRate::from_mbps(2 * u32::from(mhz)),
        RateSource::Dividers {
            div1,
            div2,
            feedback,
        } => LaneRate::from_dividers(div1, div2, feedback),
    }
    .ok_or("PHY-RATE")?;
    if panel.lanes > 2 {
        with(parts, |hardware| {
            for pin in THIRD_LANE {
                hardware.set_mode(PinMode { pin, mode: 1 });
            }
        });
    }
    let spread = !panel.no_spread;
    let mut steps = PowerUp::retune(rate, panel.lanes, spread).map_err(|error| error.code())?;
    while let Some(wait) = with(parts, |hardware| steps.next(&mut hardware.hal.mipitx)) {
        pause(wait).await;
    }
    let link = LinkConfig {
        lanes: panel.lanes,
        format: match panel.format {
            LaneFormat::Rgb565 => PixelFormat::Rgb565,
            LaneFormat::Rgb666Loose => PixelFormat::Rgb666Loose,
            LaneFormat::Rgb666Packed => PixelFormat::Rgb666Packed,
            LaneFormat::Rgb888 => PixelFormat::Rgb888,
        },
        mode: match panel.mode {
            PanelMode::Command => LinkMode::Command,
            PanelMode::SyncPulse => LinkMode::SyncPulse,
            PanelMode::SyncEvent => LinkMode::SyncEvent,
            PanelMode::Burst => LinkMode::Burst,
        },
        width: panel.width,
        height: panel.height,
        vertical: porches(panel.vertical),
        horizontal: porches(panel.horizontal),
        phy: PhyTiming::for_rate(rate.mbps(), &overrides(panel)),
        continuous_clock: true,
    };
    with(parts, |hardware| hardware.hal.dsi.configure(&link)).map_err(|error| error.code())?;
    pause(SETTLE).await;
    Ok(())
}

fn porches(timing: Option<Timing>) -> Porches {
    timing.map_or(Porches::default(), |timing| Porches {
        sync: timing.sync,
        back: timing.back,
        front: timing.front,
    })
}

fn overrides(panel: &PanelRow) -> PhyOverrides {
    let phy = panel.phy;
    PhyOverrides {
        hs_trail: phy.hs_trail,
        hs_zero: phy.hs_zero,
        hs_prepare: phy.hs_prepare,
        lpx: phy.lpx,
        ta_get: phy.ta_get,
        ta_sure: phy.ta_sure,
        ta_go: phy.ta_go,
        clk_trail: phy.clk_trail,
        clk_zero: phy.clk_zero,
        clk_prepare: phy.clk_prepare,
    }
}

/// A sequence of the table. The memory that unpacking takes is free again.
fn unpacked(script: PackedScript) -> Result<Vec<u8>, &'static str> {
    let mut room = Vec::new();
    room.try_reserve_exact(UNPACK_BYTES)
        .map_err(|_| "LCM-MEM")?;
    room.resize(UNPACK_BYTES, 0);
    let steps = script.unpack(&mut room).ok_or("LCM-ROW")?;
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(steps.as_bytes().len())
        .map_err(|_| "LCM-MEM")?;
    bytes.extend_from_slice(steps.as_bytes());
    Ok(bytes)
}

/// Sends a sequence of the table.
async fn run(port: &mut PanelPins, script: Steps<'_>) -> Result<(), &'static str> {
    let mut sent = 0;
    let mut awake = Deadline::after(Micros(0));
    for step in script {
        match step {
            Step::Write { data_type, payload } => {
                // Some tables go on at once.
                if !awake.expired() {
                    pause(awake.left()).await;
                }
                if payload == [SLEEP_OUT] {
                    awake = Deadline::after(SLEEP_OUT_TIME);
                }
                port.write(data_type, payload).map_err(|_| "LCM-WRITE")?;
                sent += 1;
                if sent % BURST == 0 {
                    pause(Micros(0)).await;
                }
            }
            Step::Delay(ms) => pause(Micros::from_ms(u32::from(ms))).await,
            Step::Reset { high, ms } => {
                port.reset(high);
                // Some tables send the next packet at once.
                let ms = if high { ms.max(AWAKE_MS) } else { ms };
                pause(Micros::from_ms(u32::from(ms))).await;
            }
            Step::MaxReturn(_) => {}
        }
    }
    Ok(())
}

/// Waits until the picture is on the glass.
async fn first_frame(parts: &Parts, video: bool) {
    let limit = Deadline::after(FRAME_LIMIT);
    let mut starts = 0;
    while starts < 2 && !limit.expired() {
        pause(FRAME_LOOK).await;
        let done = with(parts, |hardware| {
            if video {
                hardware.hal.display.take_frame_start()
            } else {
                !hardware.hal.dsi.is_busy()
            }
        });
        if done {
            starts += if video { 1 } else { 2 };
        }
    }
}

/// The backlight, 0 to 255: by the mechanism of the board that hint or person
/// named, or by all whose pins the preloader has connected.
pub fn backlight(parts: &Parts, level: u8) {
    let board = parts.board();
    let wiring = board.and_then(|board| {
        let mut wirings = unilk_board_db::wirings().iter();
        wirings.find(|wiring| wiring.id == board.wiring)
    });
    with(parts, |hardware| {
        let is = |kind| board.is_none_or(|board| board.backlight == kind);
        if let Some(pin) = wiring.and_then(|wiring| wiring.backlight_pin) {
            hardware.set_mode(pin);
        }
        let hal = &mut hardware.hal;
        if is(Backlight::Isink)
            && let Err(error) = hal.pmic.set_isink(level)
        {
            say!("{} the PMIC does not light the panel", error.code());
        }
        if is(Backlight::BlsPwm) {
            hal.topckgen.open(Gate::PwmMm);
            hal.display.bls.set(level);
        }
        for channel in 1..=2 {
            if is(Backlight::Pwm(channel)) {
                hal.topckgen.open(Gate::Pwm);
                // Channels 1 and 2 exist.
                let _ = hal.pwm.set(channel, level, &PwmProfile::ALCATEL);
            }
        }
    });
}

impl Parts {
    /// The profile by which the panel is connected.
    pub fn panel_wiring(&self) -> Option<(&'static Wiring, unilk_core::identify::wiring::Trial)> {
        let trial = self.panel_trial.get()?;
        Some((super::wiring(&trial)?, trial))
    }

    /// Lights a candidate, in the place of what is lit.
    pub async fn relight(&'static self, row: u16, page: Page<'_>) -> bool {
        if self.shown.get().is_some() {
            self.darken().await;
        }
        let Some(mut port) = self.port.borrow_mut().take() else {
            return false;
        };
        let done = light(self, &mut port, row, page).await;
        if !done {
            // Half of a table may have been sent.
            port.reset(false);
        }
        *self.port.borrow_mut() = Some(port);
        done
    }

    /// Backlight off, panel down and held in reset.
    pub async fn darken(&self) {
        let Some(mut port) = self.port.borrow_mut().take() else {
            return;
        };
        if let Some(shown) = self.shown.take() {
            backlight(self, 0);
            with(self, |hardware| {
                let hal = &mut hardware.hal;
                if hal.dsi.is_running() {
                    // What does not stop by itself is reset with the link.
                    let _ = hal.dsi.stop_video();
                }
                hal.display.stop();
            });
            let panel = self.table.panels.get(usize::from(shown.row));
            if let Some(panel) = panel {
                // A panel that does not take it is reset next.
                if let Ok(script) = unpacked(panel.power_down) {
                    let _ = run(&mut port, Steps::new(&script)).await;
                }
            }
        }
        port.reset(false);
        *self.port.borrow_mut() = Some(port);
    }

    /// Everything of the display off: for a phone without a panel. Nobody can
    /// be lit after this.
    pub async fn link_off(&self) {
        // Without the port the display never had power.
        let Some(mut port) = self.port.borrow_mut().take() else {
            return;
        };
        port.reset(false);
        port.power_off();
        if !self.link_on.replace(false) {
            return;
        }
        with(self, |hardware| hardware.hal.dsi.off());
        let mut steps = PowerDown::new();
        while let Some(wait) = with(self, |hardware| steps.next(&mut hardware.hal.mipitx)) {
            pause(wait).await;
        }
        with(self, |hardware| hardware.hal.mmsys.close_dsi());
    }
}
