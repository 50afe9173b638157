//! Letters: which font suits a panel, and putting them on the canvas.
//!
//! Two fonts of `embedded-graphics` serve all panels: 6 x 12 pixels below 400
//! pixels of width, which gives 40 columns on the 240 of the smallest phones,
//! and 10 x 20 above, doubled for every further 480 pixels.

use embedded_graphics::geometry::{OriginDimensions as _, Point, Size};
use embedded_graphics::image::GetPixel as _;
use embedded_graphics::mono_font::{MonoFont, ascii};
use embedded_graphics::pixelcolor::{BinaryColor, Rgb565};
use embedded_graphics::primitives::Rectangle;

use super::canvas::{Canvas, raw};

/// Narrowest panel that gets the larger font, in pixels.
const LARGE_FONT_WIDTH: u32 = 400;
/// Every so many pixels of width the large font grows by its own size.
const SCALE_WIDTH: u32 = 480;
/// First character of the fonts, and how many they have.
const FIRST: u8 = b' ';
const GLYPHS: u8 = b'~' - b' ' + 1;

/// A font at a size.
#[derive(Debug, Clone, Copy)]
pub struct Face {
    font: &'static MonoFont<'static>,
    /// Each pixel of the font becomes a square of so many.
    scale: u32,
}

impl Face {
    /// The face for running text on a panel of so many pixels of width.
    pub const fn for_width(width: u32) -> Self {
        if width < LARGE_FONT_WIDTH {
            return Self {
                font: &ascii::FONT_6X12,
                scale: 1,
            };
        }
        let scale = width / SCALE_WIDTH;
        Self {
            font: &ascii::FONT_10X20,
            scale: if scale == 0 { 1 } else { scale },
        }
    }

    /// The same letters, `times` larger.
    #[must_use]
    pub const fn larger(self, times: u32) -> Self {
        Self {
            scale: self.scale * times,
            ..self
        }
    }

    /// The largest multiple of this face, up to `most` times, of which
    /// `characters` fit in `width` pixels.
    #[must_use]
    pub const fn fitting(self, characters: usize, width: u32, most: u32) -> Self {
        let mut times = most;
        while times > 1 && self.larger(times).cell().width as usize * characters > width as usize {
            times -= 1;
        }
        self.larger(times)
    }

    /// Pixels that a character takes, with the space to the next.
    pub const fn cell(self) -> Size {
        Size::new(
            self.font.character_size.width * self.scale,
            self.font.character_size.height * self.scale,
        )
    }

    /// Draws one character with its top left corner at `at`. Whatever the font
    /// does not have becomes a question mark. Without `ground`, what is behind
    /// stays visible.
    pub fn put(
        self,
        canvas: &mut Canvas<'_>,
        at: Point,
        character: char,
        ink: Rgb565,
        ground: Option<Rgb565>,
    ) {
        let image = &self.font.image;
        let Size { width, height } = self.font.character_size;
        let code = u8::try_from(character)
            .ok()
            .and_then(|code| code.checked_sub(FIRST))
            .filter(|&code| code < GLYPHS)
            .unwrap_or(b'?' - FIRST);
        let per_row = (image.size().width / width).max(1);
        let corner = Point::new(
            (u32::from(code) % per_row * width) as i32,
            (u32::from(code) / per_row * height) as i32,
        );
        // Letters are small: one that starts outside is left out as a whole.
        let (Ok(left), Ok(top)) = (u32::try_from(at.x), u32::try_from(at.y)) else {
            return;
        };
        let (ink, ground) = (raw(ink), ground.map(raw));
        for row in 0..height {
            let mut bits = 0_u32;
            for column in 0..width {
                let lit = image.pixel(corner + Point::new(column as i32, row as i32));
                bits = bits << 1 | u32::from(lit == Some(BinaryColor::On));
            }
            for repeat in 0..self.scale {
                let y = top + row * self.scale + repeat;
                let line = canvas.span_mut(left, y, width * self.scale);
                let cells = line.chunks_mut(self.scale as usize);
                for (column, cell) in (0..width).zip(cells) {
                    if bits >> (width - 1 - column) & 1 == 1 {
                        cell.fill(ink);
                    } else if let Some(ground) = ground {
                        cell.fill(ground);
                    }
                }
            }
        }
    }

    /// Draws one line of text that is cut at the right edge of the picture.
    pub fn line(self, canvas: &mut Canvas<'_>, at: Point, text: &str, ink: Rgb565) {
        let step = self.cell().width;
        for (column, character) in (0..).zip(text.chars()) {
            let offset = step * column;
            if at.x + offset as i32 >= canvas.width() as i32 {
                break;
            }
            self.put(
                canvas,
                at + Point::new(offset as i32, 0),
                character,
                ink,
                None,
            );
        }
    }

    /// Draws a line of text in the middle between `left` and `right`, or from
    /// `left` on if it is longer.
    pub fn centred(
        self,
        canvas: &mut Canvas<'_>,
        (left, right): (i32, i32),
        y: i32,
        text: &str,
        ink: Rgb565,
    ) {
        let spare = right - left - (self.cell().width as usize * text.chars().count()) as i32;
        self.line(canvas, Point::new(left + spare.max(0) / 2, y), text, ink);
    }

    /// Draws a paragraph into `area`, broken at spaces where possible, and
    /// returns the `y` below its last line. What does not fit the height is
    /// left out.
    pub fn paragraph(
        self,
        canvas: &mut Canvas<'_>,
        area: Rectangle,
        text: &str,
        ink: Rgb565,
    ) -> i32 {
        let cell = self.cell();
        let columns = (area.size.width / cell.width) as usize;
        let bottom = area.top_left.y + area.size.height as i32;
        let mut at = area.top_left;
        let mut rest = text.trim_ascii();
        while columns > 0 && !rest.is_empty() && at.y + cell.height as i32 <= bottom {
            let split = rest.split_at_checked(break_at(rest, columns));
            let (line, after) = split.unwrap_or((rest, ""));
            self.line(canvas, at, line.trim_ascii_end(), ink);
            rest = after.trim_ascii_start();
            at.y += cell.height as i32;
        }
        at.y
    }
}

/// Byte offset at which a line of up to `columns` characters ends: behind the
/// last word that fits, or in the middle of a word that is longer than a line.
fn break_at(text: &str, columns: usize) -> usize {
    let mut space = None;
    for (column, (at, character)) in text.char_indices().enumerate() {
        if character == '\n' {
            return at.max(1);
        }
        if column >= columns {
            return match space {
                _ if character == ' ' => at,
                Some(space) => space,
                None => at,
            };
        }
        if character == ' ' {
            space = Some(at + 1);
        }
    }
    text.len()
}
