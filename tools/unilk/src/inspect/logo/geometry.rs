//! Width and height of a picture that does not say them: the width at which
//! each line resembles the one above it.
//!
//! A picture of a panel's size has one of few widths; a sprite may have any
//! that divides its pixels.

use std::fmt;

/// Sides of panels that MT6572 phones were built with.
const PANELS: [(u32, u32); 16] = [
    (480, 854),
    (480, 800),
    (320, 480),
    (540, 960),
    (240, 320),
    (240, 400),
    (360, 640),
    (600, 1024),
    (720, 1280),
    (480, 640),
    (240, 240),
    (320, 320),
    (480, 960),
    (640, 960),
    (800, 1280),
    (768, 1024),
];
/// Widths of sprites that are tried.
const SPRITE_WIDTHS: std::ops::RangeInclusive<usize> = 4..=1280;
/// Pairs of pixels that are compared for a width.
const SAMPLES: usize = 1 << 14;

/// How far a size can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Lines fit together at this width and at no other.
    Sure,
    /// They fit best at it, or it is that of a usual panel.
    Likely,
    /// The picture does not tell: it is of one colour.
    Guess,
}

impl Certainty {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sure => "sure",
            Self::Likely => "likely",
            Self::Guess => "guess",
        }
    }
}

/// A picture's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Pixels.
    pub width: u32,
    /// Lines.
    pub height: u32,
    /// How sure that is.
    pub certainty: Certainty,
}

impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)?;
        match self.certainty {
            Certainty::Sure => Ok(()),
            unsure => write!(f, " ({})", unsure.word()),
        }
    }
}

/// The size of a picture of these `pixels`, two bytes each; `None` for one
/// without any.
pub fn guess(pixels: &[u8]) -> Option<Geometry> {
    let count = pixels.len() / 2;
    let panel: Vec<usize> = panel_widths(count).collect();
    let widths: Vec<usize> = if panel.is_empty() {
        let fits = |width: &usize| count.is_multiple_of(*width) && count / *width >= 2;
        SPRITE_WIDTHS.filter(fits).collect()
    } else {
        panel.clone()
    };
    let mut scored: Vec<(u64, usize)> = widths
        .into_iter()
        .map(|width| (roughness(pixels, width), width))
        .collect();
    // The more usual first, where several are as good.
    scored.sort_by_key(|&(score, width)| {
        let place = panel.iter().position(|&known| known == width);
        (score, place, (width * width).abs_diff(count))
    });
    let &(best, width) = scored.first()?;
    let next = scored.get(1).map(|&(score, _)| score);
    let certainty = match next {
        None if !panel.is_empty() => Certainty::Sure,
        None => Certainty::Likely,
        Some(next) if next == best => Certainty::Guess,
        Some(next) if best.saturating_mul(4) < next.saturating_mul(3) => Certainty::Sure,
        Some(_) => Certainty::Likely,
    };
    Some(Geometry {
        width: width as u32,
        height: (count / width) as u32,
        certainty,
    })
}

/// The size of a picture that is a single line of these `pixels`.
pub fn line(pixels: &[u8]) -> Option<Geometry> {
    let width = pixels.len() / 2;
    if !SPRITE_WIDTHS.contains(&width) {
        return guess(pixels);
    }
    Some(Geometry {
        width: width as u32,
        height: 1,
        certainty: Certainty::Likely,
    })
}

/// Widths of panels, upright or not, with so many pixels.
fn panel_widths(count: usize) -> impl Iterator<Item = usize> {
    PANELS
        .into_iter()
        .filter(move |&(width, height)| width as usize * height as usize == count)
        .flat_map(|(width, height)| {
            let lying = (width != height).then_some(height as usize);
            std::iter::once(width as usize).chain(lying)
        })
}

/// How much lines of `width` pixels differ from the ones above them: the mean
/// difference of a colour, times 1024.
fn roughness(pixels: &[u8], width: usize) -> u64 {
    let (pixels, _) = pixels.as_chunks::<2>();
    let pairs = pixels.len().saturating_sub(width);
    if pairs == 0 {
        return u64::MAX;
    }
    // An odd step visits every column.
    let step = (pairs / SAMPLES).max(1) | 1;
    let mut sum = 0;
    let mut visited = 0;
    for at in (0..pairs).step_by(step) {
        let [above, below] = [pixels[at], pixels[at + width]].map(u16::from_le_bytes);
        let part = |shift: u32, mask: u16| {
            let of = |pixel: u16| pixel >> shift & mask;
            u64::from(of(above).abs_diff(of(below)))
        };
        sum += 2 * part(11, 31) + part(5, 63) + 2 * part(0, 31);
        visited += 1;
    }
    sum * 1024 / visited
}
