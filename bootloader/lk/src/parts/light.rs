//! A panel from reset to picture, and back.
//!
//! Source: facts/display.md 1.7, 3.3, 4, 6 and 9.1.

#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "a path is not general enough for what the futures borrow"
)]

use alloc::vec::Vec;

use mt6572_hal::cache;
use mt6572_hal::clocks::Gate;
use mt6572_hal::display::dbi::Pixels;
use mt6572_hal::display::{Format, Picture, Source};
use mt6572_hal::dsi::{LinkConfig, LinkMode, PixelFormat, Porches};
use mt6572_hal::mipitx::{LaneRate, PhyOverrides, PhyTiming, PowerDown, PowerUp};
use mt6572_hal::pwm::PwmProfile;
use mt6572_hal::time::{Deadline, Micros};
use unilk_board_db::{
    Backlight, LaneFormat, PackedScript, PanelBus, PanelMode, PanelRow, PinMode, RateSource,
    ResetStep, Step, Steps, Timing, UNPACK_BYTES, Wiring,
};
use unilk_core::bootarg::Dram;
use unilk_core::identify::PanelPort;
use unilk_core::memory::FRAMEBUFFER_RESERVE;
use unilk_core::screen::logo::WINDOW_BYTES;
use unilk_core::screen::pages::{
    self, BootPage, ErrorPage, Shown as ShownLogo, UsbPage, VerdictRow,
};
use unilk_core::screen::wizard::{self, WizardPage};
use unilk_core::screen::{Canvas, FramebufferLayout, Rectangle};

use super::dbi;
use super::ports::PanelPins;
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

/// What is on the screen.
#[derive(Clone, Copy)]
pub enum Page<'a> {
    /// Logo and a line.
    Boot,
    /// One candidate of several.
    Candidate(WizardPage<'a>),
    /// Why there is no kernel.
    Error(ErrorPage<'a>),
    /// The phone waits for a computer.
    Usb(UsbPage<'a>),
    /// What was identified.
    Verdicts(&'a [VerdictRow<'a>]),
}

/// A picture on a panel.
#[derive(Clone, Copy)]
pub struct Shown {
    /// Row of the table.
    pub row: u16,
    /// The framebuffer.
    pub layout: FramebufferLayout,
    /// Which of its pages is shown.
    page: usize,
    /// Frames run by themselves.
    pub video: bool,
    /// Or go out over a bus of the LCD controller, one at a time.
    bus: Option<Pixels>,
}

impl Shown {
    /// First byte of the page that is shown.
    pub const fn address(&self) -> u32 {
        self.layout.pages[self.page]
    }
}

/// The phone's own logo in memory: the packed picture, and room to unpack it
/// through.
#[derive(Clone, Copy)]
pub struct Logo {
    start: u32,
    len: u32,
}

impl Logo {
    /// Bytes that a logo may have, packed.
    const LARGEST: u32 = 2 << 20;

    /// Room for a packed logo of `len` bytes: at the far end of what is kept
    /// free for the picture, where only panels too large for this chip reach.
    pub fn place(dram: &Dram, len: u32) -> Option<Self> {
        let start = dram.end().checked_sub(FRAMEBUFFER_RESERVE)?;
        (len <= Self::LARGEST).then_some(Self { start, len })
    }

    fn end(self) -> u32 {
        self.start + Self::LARGEST + WINDOW_BYTES as u32
    }

    fn is_below(&self, layout: &FramebufferLayout) -> bool {
        self.end() <= layout.base
    }

    /// The memory for the packed bytes.
    pub fn packed(self) -> &'static mut [u8] {
        // SAFETY: kept out of every plan of memory; used by one at a time: the
        // card fills it, then pages are drawn from it.
        unsafe { core::slice::from_raw_parts_mut(self.start as *mut u8, self.len as usize) }
    }

    fn lend(self) -> (&'static [u8], &'static mut [u8; WINDOW_BYTES]) {
        let packed: &[u8] = self.packed();
        let window = (self.start + Self::LARGEST) as *mut [u8; WINDOW_BYTES];
        // SAFETY: as above, behind the packed bytes.
        (packed, unsafe { &mut *window })
    }
}

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
    for step in script {
        match step {
            Step::Write { data_type, payload } => {
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

fn picture(layout: &FramebufferLayout, page: usize) -> Picture {
    Picture {
        address: layout.pages[page],
        width: layout.width,
        height: layout.height,
        pitch: layout.pitch_bytes as u16,
        format: Format::Rgb565,
    }
}

/// Draws a page into the framebuffer, and out of the caches.
fn draw(parts: &Parts, layout: &FramebufferLayout, page: usize, what: Page<'_>) {
    let bytes = layout.page_bytes as usize;
    // SAFETY: the layout's pages lie at the end of DRAM, which is mapped and
    // kept out of every plan of memory, and are drawn on by nobody else.
    let pixels = unsafe {
        core::slice::from_raw_parts_mut(layout.pages[page] as *mut u16, bytes / size_of::<u16>())
    };
    let start = pixels.as_ptr().cast::<u8>();
    if let Some(mut canvas) = Canvas::new(pixels, layout.width, layout.height, layout.pitch()) {
        match what {
            Page::Boot => {
                let page = BootPage {
                    version: parts.version,
                    line: parts.line.get(),
                };
                let logo = parts.logo.get().filter(|logo| logo.is_below(layout));
                let picture = logo.map(|logo| logo.lend());
                if let ShownLogo::Own(Some(error)) = pages::boot(&mut canvas, &page, picture) {
                    Parts::note("LOGO", &error);
                    parts.logo.set(None);
                }
            }
            Page::Candidate(page) => wizard::wizard(&mut canvas, &page),
            Page::Error(page) => {
                let area = pages::error(&mut canvas, &page);
                show_log(&mut canvas, area);
            }
            Page::Usb(page) => {
                let area = pages::usb(&mut canvas, &page);
                show_log(&mut canvas, area);
            }
            Page::Verdicts(rows) => {
                pages::verdicts(&mut canvas, parts.version, rows);
            }
        }
    }
    cache::clean(start, bytes);
}

/// The last lines of the log, below what a page says.
fn show_log(canvas: &mut Canvas<'_>, area: Rectangle) {
    let mut console = pages::console(canvas, area);
    crate::log::recent(|line| {
        console.write(canvas, line);
        console.write(canvas, "\n");
    });
}

/// The backlight, 0 to 255: by the mechanism of the board that hint or person
/// named, or by all whose pins the preloader has connected.
pub fn backlight(parts: &Parts, level: u8) {
    let board = parts.board();
    let wiring = board.and_then(|board| {
        let mut wirings = parts.table.wirings.iter();
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

    /// What is shown, if a panel is lit.
    pub fn shown(&self) -> Option<Shown> {
        self.shown.get()
    }

    /// Shows another page, from the next frame on.
    pub fn show(&self, page: Page<'_>) {
        let Some(mut shown) = self.shown() else {
            return;
        };
        let next = 1 - shown.page;
        draw(self, &shown.layout, next, page);
        self.flip(&mut shown, next);
    }

    /// Shows the frame on `page` from the next frame on, and does not wait for
    /// it: what is drawn on next is the other page, which is on the glass
    /// until then, so draw no sooner than a frame later.
    fn flip(&self, shown: &mut Shown, page: usize) {
        let done = with(self, |hardware| {
            let hal = &mut hardware.hal;
            let address = shown.layout.pages[page];
            if shown.video {
                hal.display
                    .start_flip(address)
                    .map_err(|error| error.code())
            } else if let Some(pixels) = shown.bus {
                hal.display
                    .start_flip(address)
                    .map_err(|error| error.code())?;
                let size = (shown.layout.width, shown.layout.height);
                hal.dbi.frame(pixels, size).map_err(|error| error.code())
            } else {
                hal.display
                    .start_flip(address)
                    .map_err(|error| error.code())?;
                hal.dsi.frame().map_err(|error| error.code())
            }
        });
        match done {
            Ok(()) => {
                shown.page = page;
                self.shown.set(Some(*shown));
            }
            Err(code) => say!("{code} the screen does not change"),
        }
    }

    /// Leaves the picture where the kernel looks for it: on the first page of
    /// the framebuffer at `layout`, which may begin lower than ours.
    pub fn hand_over(&self, layout: &FramebufferLayout) {
        let Some(mut shown) = self.shown() else {
            return;
        };
        let from = shown.layout.pages[shown.page];
        let to = layout.pages[0];
        if from == to {
            return;
        }
        let bytes = shown.layout.page_bytes as usize;
        // SAFETY: both lie in the memory behind every plan; a copy that
        // overlaps is what this function is for.
        unsafe { core::ptr::copy(from as *const u8, to as *mut u8, bytes) };
        cache::clean(to as *const u8, bytes);
        shown.layout = *layout;
        self.flip(&mut shown, 0);
    }

    /// Frames a second times 100, of video that runs.
    pub fn fps_x100(&self) -> Option<u32> {
        let shown = self.shown().filter(|shown| shown.video)?;
        self.table.panels.get(usize::from(shown.row))?.fps_x100()
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
