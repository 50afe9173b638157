//! What a person in front of the panel sees, and why.
//!
//! Source: facts/display.md 3.2 (word counts), 9.3.11, 9.3.12.

use super::bus;
use super::config::{Blank, Config, Span};
use super::controller::{Controller, Sender};
use super::link::{Link, LinkMode, WireFormat};
use super::registers::Difference;
use crate::bus::Nanos;
use crate::display::Picture;
use crate::signals::Signals;

/// What one sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glass {
    /// `picture`, `tinted`, `white`, `black`, `garbled`, `shifted`, `cut`,
    /// `wrong-colours`, `off` (no backlight, whatever is behind) or `absent`.
    pub state: &'static str,
    /// A person can read what is shown, whatever its colours and its exact
    /// place: it is acceptable until something better is found.
    pub acceptable: bool,
    /// Why, in a sentence; with the backlight off it says what is behind.
    pub reason: String,
    /// Brightness in thousandths.
    pub backlight: u16,
    /// Pixels a line.
    pub width: usize,
    /// Lines.
    pub height: usize,
    /// `width * height * 3` bytes.
    pub rgb: Vec<u8>,
}

impl Glass {
    /// No panel.
    pub fn absent(reason: &str) -> Glass {
        Glass {
            state: "absent",
            acceptable: false,
            reason: reason.into(),
            backlight: 0,
            width: 0,
            height: 0,
            rgb: Vec::new(),
        }
    }
}

/// How the pixels come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Picture,
    Tinted,
    Blank,
    Noise,
    Garbled,
    /// By so many pixels and lines.
    Shifted {
        columns: i64,
        lines: i64,
        /// Lines from the frame's start to the picture, more than it takes.
        late: i64,
    },
    /// So many lines are sent, and there are more or less of them.
    Cut(u32),
    WrongColours,
}

/// Of all lines a person can do without one part in so many.
const SPARE: u32 = 8;

impl Look {
    /// Its name on a panel that shows this without a picture.
    fn state(self, blank: Blank) -> &'static str {
        match self {
            Look::Picture => "picture",
            Look::Tinted => "tinted",
            Look::Blank if blank == Blank::White => "white",
            Look::Blank => "black",
            Look::Noise | Look::Garbled => "garbled",
            Look::Shifted { .. } => "shifted",
            Look::Cut(_) => "cut",
            Look::WrongColours => "wrong-colours",
        }
    }

    /// Whether the test picture can be read on a panel of this size.
    fn is_acceptable(self, height: u32) -> bool {
        let near = |by: i64, side: u32| by.unsigned_abs() <= u64::from(side / SPARE);
        match self {
            Look::Picture | Look::Tinted => true,
            // The pixels of a line come in one packet, whatever is before and
            // after it, so only lines can be lost.
            Look::Shifted { late, .. } => near(late, height),
            Look::Cut(lines) => near(i64::from(lines) - i64::from(height), height),
            Look::Blank | Look::Noise | Look::Garbled | Look::WrongColours => false,
        }
    }
}

pub(super) type Verdict = (Look, String);

/// What a panel would show, without the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// As [`Glass::state`].
    pub state: &'static str,
    /// As [`Glass::acceptable`].
    pub acceptable: bool,
    /// As [`Glass::reason`].
    pub reason: String,
}

/// What a lit panel shows after the writes of some table, with this link. It is
/// given all the time that it wants.
pub fn judge_table<'a>(
    config: &Config,
    writes: impl Iterator<Item = &'a [u8]>,
    link: &Link,
) -> Judgement {
    let mut panel = Controller::new(config.clone());
    panel.powered = true;
    for write in writes {
        match panel.registers.write(write) {
            Some(0x01) => (panel.awake_since, panel.display_on) = (None, false),
            Some(0x10) => panel.awake_since = None,
            Some(0x11) => panel.awake_since = Some(0),
            Some(0x28) => panel.display_on = false,
            Some(0x29) => panel.display_on = true,
            _ => {}
        }
    }
    if link.mode == LinkMode::Command {
        panel.memory = Some(Vec::new());
        panel.written_by = Some(Sender::Dsi(*link));
    } else {
        panel.video = Some(*link);
    }
    // Only its size matters.
    let picture = Picture {
        width: config.width as usize,
        height: usize::from(link.vact),
        rgb: Vec::new(),
    };
    let (look, reason) = judge(&panel, Some(&picture));
    Judgement {
        state: look.state(config.blank),
        acceptable: look.is_acceptable(config.height),
        reason,
    }
}

/// What one sees at `_now`.
pub fn look(
    panel: &Controller,
    picture: Option<&Picture>,
    _now: Nanos,
    signals: &Signals,
) -> Glass {
    let config = &panel.config;
    let (width, height) = (config.width as usize, config.height as usize);
    if config.faults.unplugged {
        return Glass::absent("the panel is unplugged");
    }
    let (look, reason) = judge(panel, picture);
    let backlight = config.backlight.permille(signals);
    let state = if backlight == 0 {
        "off"
    } else {
        look.state(config.blank)
    };
    let reason = if backlight == 0 {
        format!("the backlight is off; behind it: {reason}")
    } else {
        reason
    };
    let source = match (&panel.memory, panel.video) {
        (Some(memory), None) => Some(memory.as_slice()),
        _ => picture
            .filter(|picture| picture.width == width)
            .map(|picture| picture.rgb.as_slice()),
    };
    let mut rgb = if backlight == 0 {
        vec![0; width * height * 3]
    } else {
        render(look, source, config, (width, height))
    };
    for value in &mut rgb {
        *value = (u32::from(*value) * u32::from(backlight) / 1000) as u8;
    }
    Glass {
        state,
        acceptable: backlight > 0 && look.is_acceptable(config.height),
        reason,
        backlight,
        width,
        height,
        rgb,
    }
}

fn judge(panel: &Controller, picture: Option<&Picture>) -> Verdict {
    let config = &panel.config;
    let blank = |reason: &str| (Look::Blank, reason.to_owned());
    if !panel.powered {
        return blank("the panel has no supply");
    }
    if panel.held_since.is_some() {
        return blank("the panel is held in reset");
    }
    if panel.awake_since.is_none() {
        return blank("the panel sleeps");
    }
    if !panel.display_on {
        return blank("the display is off");
    }
    let verdict = match (panel.video, panel.written_by) {
        (Some(link), _) => judge_link(config, &link, picture),
        (None, Some(Sender::Dsi(link))) if panel.memory.is_some() => {
            judge_link(config, &link, None)
        }
        (None, Some(Sender::Bus(frame))) if panel.memory.is_some() => bus::judge(config, &frame),
        _ if config.mode.has(&LinkMode::Command) => {
            return (
                Look::Noise,
                "nothing was written to the frame memory".into(),
            );
        }
        _ => return blank("no video is sent"),
    };
    judge_registers(panel, verdict)
}

/// What the registers make of a picture that comes as `over_lanes` says.
fn judge_registers(panel: &Controller, over_lanes: Option<Verdict>) -> Verdict {
    let config = &panel.config;
    match over_lanes {
        None | Some((Look::Shifted { .. } | Look::Cut(_), _)) => {}
        Some(verdict) => return verdict,
    }
    if config.exact
        && let Some(why) = panel.progress.complaint(&config.init)
    {
        return (Look::Garbled, why);
    }
    let Difference { wrong, size, tint } = panel.registers.compare(&panel.needed, &config.tolerate);
    if !wrong.is_empty() {
        let names = Difference::names(&wrong);
        return (
            Look::Garbled,
            format!("registers are not as the glass needs them: {names}"),
        );
    }
    if let Some(verdict) = over_lanes {
        return verdict;
    }
    if !size.is_empty() {
        let names = Difference::names(&size);
        return (
            Look::Cut(config.height),
            format!("lines are scanned as on another glass: registers {names}"),
        );
    }
    if !tint.is_empty() {
        let names = Difference::names(&tint);
        return (
            Look::Tinted,
            format!("a picture with odd colours: registers {names}"),
        );
    }
    (Look::Picture, "a picture".into())
}

/// What is wrong with what comes over the lanes.
fn judge_link(config: &Config, link: &Link, picture: Option<&Picture>) -> Option<Verdict> {
    let garbled = |reason: String| Some((Look::Garbled, reason));
    let command = link.mode == LinkMode::Command;
    if !command && !link.clock_hs {
        return Some((Look::Blank, "the clock lane stays in LP".into()));
    }
    if link.lanes_hw < link.lanes || link.lanes != config.lanes {
        let reason = format!(
            "{} lanes are used and {} are driven; the panel has {}",
            link.lanes, link.lanes_hw, config.lanes
        );
        return Some((Look::Noise, reason));
    }
    if !config.mode.has(&link.mode) {
        return garbled(format!(
            "the host sends in mode {:?}; the panel takes {:?}",
            link.mode, config.mode
        ));
    }
    if let Some(verdict) = judge_rate(config, link) {
        return Some(verdict);
    }
    let line = u32::from(link.bytes_per_line);
    // Packed 18 bit is 9 bytes for 4 pixels; vendor drivers state 3 a pixel.
    let packed = link.format == WireFormat::Rgb666Packed && line == config.width * 9 / 4;
    if line != config.width * link.format.bytes() && !packed {
        return garbled(format!(
            "{line} bytes a line; {} pixels of {:?} are {}",
            config.width,
            link.format,
            config.width * link.format.bytes()
        ));
    }
    if link.format != config.format {
        return Some((
            Look::WrongColours,
            format!(
                "pixels come as {:?}; the panel expects {:?}",
                link.format, config.format
            ),
        ));
    }
    if command {
        return judge_lines(config, link);
    }
    match picture {
        None => {
            return Some((Look::Noise, "the display path delivers no picture".into()));
        }
        Some(picture) => {
            let (width, height) = (picture.width, picture.height);
            if (width, height) != (config.width as usize, usize::from(link.vact)) {
                return garbled(format!("the display path delivers {width}x{height} pixels"));
            }
        }
    }
    judge_lines(config, link).or_else(|| judge_porches(config, link))
}

/// More or fewer lines than the panel has.
fn judge_lines(config: &Config, link: &Link) -> Option<Verdict> {
    let sent = u32::from(link.vact);
    (sent != config.height).then(|| {
        let reason = format!("{sent} lines are sent; the panel has {}", config.height);
        (Look::Cut(sent), reason)
    })
}

fn judge_rate(config: &Config, link: &Link) -> Option<Verdict> {
    let timing = &config.timing;
    let off = |span: Option<Span>, value: u32| span.is_some_and(|span| span.miss(value, 0) != 0);
    if off(timing.mbps, link.mbps) {
        return Some((
            Look::Garbled,
            format!(
                "{} Mbit/s a lane; the panel takes {:?}",
                link.mbps, timing.mbps
            ),
        ));
    }
    if link.mode == LinkMode::Command {
        return None;
    }
    let fps = link.decifps().div_ceil(10);
    if off(timing.fps, link.decifps() / 10) && off(timing.fps, fps) {
        return Some((
            Look::Garbled,
            format!("{fps} frames a second; the panel takes {:?}", timing.fps),
        ));
    }
    if timing.continuous_clock && !link.continuous_clock {
        let reason = "the clock lane pauses; the panel needs it all the time";
        return Some((Look::Garbled, reason.into()));
    }
    None
}

fn judge_porches(config: &Config, link: &Link) -> Option<Verdict> {
    let timing = &config.timing;
    let miss = |span: Option<Span>, value: u32, rounding: u32| {
        span.map_or(0, |span| span.miss(value, timing.tolerance + rounding))
    };
    let vertical = [
        ("vsa", miss(timing.vsa, u32::from(link.vsa), 0)),
        ("vbp", miss(timing.vbp, u32::from(link.vbp), 0)),
        ("vfp", miss(timing.vfp, u32::from(link.vfp), 0)),
    ];
    let (sync, back, front) = link.horizontal();
    // Word counts are bytes: a pixel may be lost to rounding.
    let horizontal = if link.mode == LinkMode::SyncEvent {
        let both = match (timing.hsa, timing.hbp) {
            (Some(Span::Exact(sync)), Some(Span::Exact(back))) => Some(Span::Exact(sync + back)),
            _ => None,
        };
        [
            ("hsa", 0),
            ("hbp", miss(both, back, 1)),
            ("hfp", miss(timing.hfp, front, 1)),
        ]
    } else {
        [
            ("hsa", miss(timing.hsa, sync, 1)),
            ("hbp", miss(timing.hbp, back, 1)),
            ("hfp", miss(timing.hfp, front, 1)),
        ]
    };
    let missed = |list: &[(&str, i64); 3]| list.iter().map(|&(_, miss)| miss).sum::<i64>();
    let named: Vec<String> = vertical
        .iter()
        .chain(&horizontal)
        .filter(|&&(_, miss)| miss != 0)
        .map(|(name, miss)| format!("{name} {miss:+}"))
        .collect();
    (!named.is_empty()).then(|| {
        (
            Look::Shifted {
                columns: missed(&horizontal),
                lines: missed(&vertical),
                late: vertical.iter().take(2).map(|&(_, miss)| miss).sum(),
            },
            format!("porches are off: {}", named.join(", ")),
        )
    })
}

/// A pattern that looks like none and is the same every time.
pub fn noise(width: usize, height: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_u32;
    (0..width * height * 3)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        })
        .collect()
}

fn render(
    look: Look,
    source: Option<&[u8]>,
    config: &Config,
    (width, height): (usize, usize),
) -> Vec<u8> {
    let blank = || match config.blank {
        Blank::White => vec![0xFF; width * height * 3],
        Blank::Black => vec![0; width * height * 3],
    };
    // Lines that are not sent stay as they were; those too many fall off.
    let cut = |source: &[u8]| {
        let mut rgb = source.to_vec();
        rgb.resize(width * height * 3, 0);
        rgb
    };
    let cut = match look {
        Look::Cut(_) => source.map(cut),
        _ => None,
    };
    let source = cut.as_deref().or(source);
    let Some(source) = source.filter(|source| source.len() == width * height * 3) else {
        return if look == Look::Blank {
            blank()
        } else {
            noise(width, height)
        };
    };
    let moved = |shift: &dyn Fn(usize) -> (usize, usize)| {
        let mut rgb = Vec::with_capacity(source.len());
        for y in 0..height {
            let (dx, dy) = shift(y);
            let row = &source[(y + dy) % height * width * 3..][..width * 3];
            rgb.extend_from_slice(&row[dx % width * 3..]);
            rgb.extend_from_slice(&row[..dx % width * 3]);
        }
        rgb
    };
    let mut rgb = match look {
        Look::Blank => return blank(),
        Look::Noise => return noise(width, height),
        // Each line starts somewhere else.
        Look::Garbled => moved(&|y| ((y * 37 + (y * y) % 101) % width.max(2), y / 3)),
        Look::Shifted { columns, lines, .. } => {
            let wrap = |by: i64, side: usize| by.rem_euclid(side as i64) as usize;
            moved(&|_| (wrap(columns, width), wrap(lines, height)))
        }
        Look::Picture | Look::Tinted | Look::Cut(_) | Look::WrongColours => source.to_vec(),
    };
    for pixel in rgb.chunks_exact_mut(3) {
        match look {
            Look::WrongColours => pixel.swap(0, 2),
            Look::Tinted | Look::Cut(_) => pixel[2] -= pixel[2] / 4,
            _ => {}
        }
    }
    rgb
}
