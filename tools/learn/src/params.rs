//! What a driver says of its panel: the structure that `get_params` fills.

use crate::layout::{
    DSI_42, Generation, PARAMS_WORDS, ParamsLayout, TAIL_JB, TAIL_JB_SPREAD, TAIL_KK, dsi,
};
use serde::Serialize;

/// Sizes that a panel of this chip can have, in pixels.
const SIZES: std::ops::RangeInclusive<u32> = 128..=2048;
/// First words where the part for DSI begins in some tree; it is looked for by
/// its own fields.
const DSI_FROM: std::ops::RangeInclusive<usize> = 70..=90;
/// Words of the part for DSI up to its last shared one.
const DSI_SHARED: usize = dsi::ACTIVE + 1;

/// How the panel is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interface {
    /// The LCD controller's buses.
    Dbi,
    /// Lines for pixels.
    Dpi,
    /// DSI lanes.
    Dsi,
}

/// A driver's parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Params {
    /// How it is connected.
    pub interface: Interface,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Millimetres, where the driver says it.
    pub physical_mm: Option<(u32, u32)>,
    /// What holds for a panel on DSI.
    pub dsi: Option<Dsi>,
}

/// Parameters of a panel on DSI, as the vendor's driver gives them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dsi {
    /// 0 command, 1 sync pulse, 2 sync event, 3 burst.
    pub mode: u32,
    /// Data lanes.
    pub lanes: u32,
    /// 0 RGB565, 1 loose RGB666, 2 RGB888, 3 packed RGB666.
    pub pixels: u32,
    /// Sync, back porch, front porch in lines.
    pub vertical: [u32; 3],
    /// Sync, back porch, front porch in pixels.
    pub horizontal: [u32; 3],
    /// `PLL_CLOCK` in MHz, 0 if the dividers count.
    pub pll_mhz: u32,
    /// Divider codes and multiplier.
    pub dividers: [u32; 3],
    /// Spread spectrum is off.
    pub no_spread: bool,
    /// D-PHY times, 0 = computed, in the vendor's order: HS trail, zero,
    /// prepare, LPX; TA sack, get, sure, go; clock trail, zero, LPX wait,
    /// continuous detection; clock prepare, post, HS exit, clock exit.
    pub phy: [u8; 16],
}

/// Which layout the words of one driver have, if they show it.
pub fn layout(words: &[u32; PARAMS_WORDS]) -> Option<ParamsLayout> {
    let generation = generation(words)?;
    let width = match generation {
        Generation::Jb => 2,
        Generation::Kk => 4,
    };
    let (x, y) = (words[width], words[width + 1]);
    // Active lines and pixels repeat the size; lanes and mode must be sound.
    let score = |start: usize| {
        let at = |offset: usize| words.get(start + offset).copied().unwrap_or(0);
        let sound = at(dsi::MODE) <= 3 && (1..=4).contains(&at(dsi::LANES)) && at(dsi::PIXELS) <= 3;
        let lines = at(dsi::VERTICAL + 3) == y;
        let pixels = at(dsi::ACTIVE) == x;
        if sound {
            u32::from(lines) + u32::from(pixels)
        } else {
            0
        }
    };
    let best = DSI_FROM.max_by_key(|&start| (score(start), std::cmp::Reverse(start)))?;
    let tail = match generation {
        Generation::Jb if best == DSI_42 => TAIL_JB,
        Generation::Jb => TAIL_JB_SPREAD,
        Generation::Kk => TAIL_KK,
    };
    (score(best) > 0).then_some(ParamsLayout {
        width,
        dsi: best,
        tail,
    })
}

/// The generation that the words show: where a sensible size stands.
pub fn generation(words: &[u32; PARAMS_WORDS]) -> Option<Generation> {
    let size = |at: usize| SIZES.contains(&words[at]) && SIZES.contains(&words[at + 1]);
    match (words[0] <= 2, size(2), size(4)) {
        (true, true, false) => Some(Generation::Jb),
        (true, false, true) => Some(Generation::Kk),
        _ => None,
    }
}

/// The parameters in `words`. Panels on DSI need a `layout`: their own, or
/// that of another driver of the same image.
pub fn read(words: &[u32; PARAMS_WORDS], layout: Option<ParamsLayout>) -> Option<Params> {
    let generation = generation(words)?;
    let width = match generation {
        Generation::Jb => 2,
        Generation::Kk => 4,
    };
    let interface = match words[0] {
        0 => Interface::Dbi,
        1 => Interface::Dpi,
        _ => Interface::Dsi,
    };
    let layout = layout.filter(|layout| layout.width == width);
    let physical = layout.and_then(|layout| {
        let at = layout.dsi + layout.tail.physical?;
        let size = (*words.get(at)?, *words.get(at + 1)?);
        let sound = |mm: u32| (15..=400).contains(&mm);
        (sound(size.0) && sound(size.1)).then_some(size)
    });
    Some(Params {
        interface,
        width: words[width],
        height: words[width + 1],
        physical_mm: physical,
        dsi: match (interface, layout) {
            (Interface::Dsi, Some(layout)) => read_dsi(words, layout),
            _ => None,
        },
    })
}

fn read_dsi(words: &[u32; PARAMS_WORDS], layout: ParamsLayout) -> Option<Dsi> {
    let part = words.get(layout.dsi..)?;
    if part.len() < DSI_SHARED + 32 {
        return None;
    }
    let three = |at: usize| [part[at], part[at + 1], part[at + 2]];
    let mut phy = [0; 16];
    let bytes = part[layout.tail.phy..layout.tail.phy + 4]
        .iter()
        .flat_map(|word| word.to_le_bytes());
    for (to, byte) in phy.iter_mut().zip(bytes) {
        *to = byte;
    }
    let dsi = Dsi {
        mode: part[dsi::MODE],
        lanes: part[dsi::LANES],
        pixels: part[dsi::PIXELS],
        vertical: three(dsi::VERTICAL),
        horizontal: three(dsi::HORIZONTAL),
        pll_mhz: part[layout.tail.pll_clock],
        dividers: three(layout.tail.dividers),
        no_spread: layout.tail.ssc_disable.is_some_and(|at| part[at] == 1),
        phy,
    };
    let sound = dsi.mode <= 3 && (1..=4).contains(&dsi.lanes) && dsi.pixels <= 3;
    sound.then_some(dsi)
}

impl Dsi {
    /// Whether the panel has its own memory.
    pub fn command_mode(&self) -> bool {
        self.mode == 0
    }
}
