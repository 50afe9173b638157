//! A picture in memory: RGB565 pixels whose lines are longer than the panel is
//! wide.
//!
//! Drawing anywhere is safe: what lies outside of the picture is left out. All
//! of the work is done line by line on slices, because every instruction here
//! stands between the user and the first picture.
//!
//! Source: facts/display.md 1.7 (pitch, pixel format).

use core::convert::Infallible;

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{Dimensions, OriginDimensions, Point, Size};
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::pixelcolor::raw::{RawData as _, RawU16};
use embedded_graphics::prelude::PointsIter as _;
use embedded_graphics::primitives::Rectangle;

/// Largest alpha of [`Canvas::blend`]: nothing of the old colour remains.
pub const OPAQUE: u32 = 16;

/// The pixel as it stands in memory: red in the upper five bits.
pub fn raw(colour: Rgb565) -> u16 {
    RawU16::from(colour).into_inner()
}

/// A frame of `width` x `height` pixels.
#[derive(Debug)]
pub struct Canvas<'f> {
    pixels: &'f mut [u16],
    width: u16,
    height: u16,
    /// Pixels from one line to the next.
    pitch: u16,
}

impl<'f> Canvas<'f> {
    /// A frame in `pixels`, `pitch` pixels from one line to the next. `None`
    /// if a line is wider than the pitch or the lines do not fit.
    pub fn new(pixels: &'f mut [u16], width: u16, height: u16, pitch: u16) -> Option<Self> {
        let needed = usize::from(pitch) * usize::from(height);
        (width <= pitch && needed <= pixels.len()).then_some(Self {
            pixels,
            width,
            height,
            pitch,
        })
    }

    /// Width in pixels.
    pub const fn width(&self) -> u32 {
        self.width as u32
    }

    /// Height in pixels.
    pub const fn height(&self) -> u32 {
        self.height as u32
    }

    /// The visible pixels of a line; empty outside of the picture.
    pub fn line_mut(&mut self, y: u32) -> &mut [u16] {
        self.span_mut(0, y, self.width())
    }

    /// Up to `count` pixels of line `y` from `x` on, cut at the right edge.
    pub fn span_mut(&mut self, x: u32, y: u32, count: u32) -> &mut [u16] {
        if x >= self.width() || y >= self.height() {
            return &mut [];
        }
        let start = y as usize * usize::from(self.pitch) + x as usize;
        let count = count.min(self.width() - x) as usize;
        self.pixels
            .get_mut(start..start + count)
            .unwrap_or_default()
    }

    /// One pixel; `None` outside of the picture.
    pub fn pixel(&self, x: u32, y: u32) -> Option<u16> {
        if x >= self.width() || y >= self.height() {
            return None;
        }
        let at = y as usize * usize::from(self.pitch) + x as usize;
        self.pixels.get(at).copied()
    }

    /// Fills the part of `area` that lies in the picture.
    pub fn fill(&mut self, area: Rectangle, colour: Rgb565) {
        let area = self.clip(area);
        let (x, y) = (area.top_left.x as u32, area.top_left.y as u32);
        let value = raw(colour);
        for line in y..y + area.size.height {
            self.span_mut(x, line, area.size.width).fill(value);
        }
    }

    /// Fills everything.
    pub fn wipe(&mut self, colour: Rgb565) {
        self.fill(self.bounding_box(), colour);
    }

    /// Moves what is in `area` up by `lines` and fills what becomes free.
    pub fn scroll_up(&mut self, area: Rectangle, lines: u32, colour: Rgb565) {
        let area = self.clip(area);
        let lines = lines.min(area.size.height);
        let pitch = usize::from(self.pitch);
        let (x, y) = (area.top_left.x as usize, area.top_left.y as usize);
        let width = area.size.width as usize;
        for line in y..y + (area.size.height - lines) as usize {
            let from = (line + lines as usize) * pitch + x;
            // In the picture: `clip` has seen to it.
            if from + width <= self.pixels.len() {
                self.pixels
                    .copy_within(from..from + width, line * pitch + x);
            }
        }
        let kept = area.size.height - lines;
        self.fill(
            Rectangle::new(
                area.top_left + Point::new(0, kept as i32),
                Size::new(area.size.width, lines),
            ),
            colour,
        );
    }

    /// Mixes a colour in: `alpha` of [`OPAQUE`] parts of it.
    pub fn blend(&mut self, x: i32, y: i32, colour: u16, alpha: u32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
            return;
        };
        if let Some(pixel) = self.span_mut(x, y, 1).first_mut() {
            *pixel = mix(*pixel, colour, alpha.min(OPAQUE));
        }
    }

    /// The part of `area` that lies in the picture; its corner is in the
    /// picture even if nothing of the area is.
    fn clip(&self, area: Rectangle) -> Rectangle {
        let part = self.bounding_box().intersection(&area);
        if part.is_zero_sized() {
            Rectangle::zero()
        } else {
            part
        }
    }
}

/// All three channels at once: spread over 32 bits, each has room for the
/// product with an alpha of up to 16.
const fn mix(under: u16, over: u16, alpha: u32) -> u16 {
    const SPREAD: u32 = 0x07E0_F81F;
    const fn spread(pixel: u16) -> u32 {
        (pixel as u32 | (pixel as u32) << 16) & SPREAD
    }
    // 27-bit channels of at most 6 bits times 16 stay apart; the topmost, 6
    // bits from bit 21 on, ends at bit 30.
    let sum = spread(over) * alpha + spread(under) * (OPAQUE - alpha);
    let mixed = (sum >> 4) & SPREAD;
    (mixed | mixed >> 16) as u16
}

impl OriginDimensions for Canvas<'_> {
    fn size(&self) -> Size {
        Size::new(self.width(), self.height())
    }
}

impl DrawTarget for Canvas<'_> {
    type Color = Rgb565;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb565>>,
    {
        for Pixel(point, colour) in pixels {
            self.blend(point.x, point.y, raw(colour), OPAQUE);
        }
        Ok(())
    }

    fn fill_contiguous<I>(&mut self, area: &Rectangle, colours: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Rgb565>,
    {
        // Colours of points outside come all the same and must be passed over.
        self.draw_iter(
            area.points()
                .zip(colours)
                .map(|(point, colour)| Pixel(point, colour)),
        )
    }

    fn fill_solid(&mut self, area: &Rectangle, colour: Rgb565) -> Result<(), Infallible> {
        self.fill(*area, colour);
        Ok(())
    }

    fn clear(&mut self, colour: Rgb565) -> Result<(), Infallible> {
        self.wipe(colour);
        Ok(())
    }
}
