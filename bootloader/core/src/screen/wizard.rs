//! The test picture for one candidate panel.
//!
//! Made so that a table that is nearly right looks wrong: a frame on the very
//! edge (wrong size or porches cut or shift it), corners in different colours
//! (rotation, mirroring), colour bars (pixel format, channel order), a ramp
//! (lost bits), thin lines (scaling, torn lines).

use core::fmt::Write as _;

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::pixelcolor::{Rgb565, RgbColor as _};
use embedded_graphics::primitives::Rectangle;
use heapless::String;

use super::canvas::{Canvas, raw};
use super::colours::{ACCENT, DIM, GROUND, TEXT, WARN};
use super::text::Face;

/// White, then the primaries by falling brightness, as test pictures have
/// them; the names stand below so that swapped channels are seen.
const BARS: [(Rgb565, &str); 7] = [
    (Rgb565::WHITE, "W"),
    (Rgb565::YELLOW, "Y"),
    (Rgb565::CYAN, "C"),
    (Rgb565::GREEN, "G"),
    (Rgb565::MAGENTA, "M"),
    (Rgb565::RED, "R"),
    (Rgb565::BLUE, "B"),
];

/// One candidate.
#[derive(Debug, Clone, Copy)]
pub struct WizardPage<'a> {
    /// Which one is shown, from 1.
    pub number: u16,
    /// How many there are.
    pub count: u16,
    /// Name of the panel.
    pub name: &'a str,
    /// Its controller chip.
    pub controller: &'a str,
    /// Keys and what they do, a line each.
    pub keys: &'a [&'a str],
    /// Seconds until this candidate is switched off again.
    pub seconds: Option<u16>,
}

/// Draws the test picture.
pub fn wizard(canvas: &mut Canvas<'_>, page: &WizardPage<'_>) {
    canvas.wipe(GROUND);
    let (width, height) = (canvas.width(), canvas.height());
    let face = Face::for_width(width);
    let cell = face.cell();
    let top = cell.height;
    bars(canvas, face, top, height / 5);
    ramp(canvas, top + height / 5 + cell.height, height / 16);

    let mut y = (top + height / 5 + cell.height + height / 16 + cell.height) as i32;
    let mut line: String<64> = String::new();
    let _ = write!(line, "Panel {} of {}", page.number, page.count);
    let across = (cell.width as i32, width as i32 - cell.width as i32);
    let title = face.fitting(line.len(), width.saturating_sub(2 * cell.width), 2);
    title.centred(canvas, across, y, &line, ACCENT);
    y += (title.cell().height + cell.height / 2) as i32;
    let area = |y: i32| {
        Rectangle::new(
            Point::new(across.0, y),
            Size::new(
                (across.1 - across.0).max(0) as u32,
                (height as i32 - y - cell.height as i32).max(0) as u32,
            ),
        )
    };
    y = face.paragraph(canvas, area(y), page.name, TEXT);
    line.clear();
    let _ = write!(line, "{}, {width} x {height}", page.controller);
    y = face.paragraph(canvas, area(y), &line, DIM);
    y += cell.height as i32 / 2;
    y = face.paragraph(
        canvas,
        area(y),
        "Right if all four edges have a line, the colours stand over their letters and nothing flickers. If no other is, take the one that can be read.",
        TEXT,
    );
    y += cell.height as i32 / 2;
    for key in page.keys {
        y = face.paragraph(canvas, area(y), key, WARN);
    }
    if let Some(seconds) = page.seconds {
        line.clear();
        let _ = write!(line, "Off in {seconds} s without a key");
        face.paragraph(canvas, area(y), &line, DIM);
    }
    edges(canvas, cell.width);
}

fn bars(canvas: &mut Canvas<'_>, face: Face, top: u32, height: u32) {
    let width = canvas.width();
    let count = BARS.len() as u32;
    for (index, (colour, name)) in (0..).zip(BARS) {
        let left = width * index / count;
        let right = width * (index + 1) / count;
        let area = Rectangle::new(
            Point::new(left as i32, top as i32),
            Size::new(right - left, height),
        );
        canvas.fill(area, colour);
        let below = (top + height) as i32;
        face.centred(canvas, (left as i32, right as i32), below, name, TEXT);
    }
}

/// From black to white, one grey a column, for each 5-bit step alike.
fn ramp(canvas: &mut Canvas<'_>, top: u32, height: u32) {
    let width = canvas.width().max(1);
    for y in top..top.saturating_add(height) {
        for (x, pixel) in (0_u32..).zip(canvas.line_mut(y)) {
            let grey = (x * 64 / width).min(63) as u8;
            *pixel = raw(Rgb565::new(grey / 2, grey, grey / 2));
        }
    }
}

/// One white pixel along every edge, and corners that tell up from down and
/// left from right.
fn edges(canvas: &mut Canvas<'_>, corner: u32) {
    let (width, height) = (canvas.width(), canvas.height());
    let (right, bottom) = (width.saturating_sub(1), height.saturating_sub(1));
    let size = corner.min(width / 4).min(height / 4);
    for (x, y, colour) in [
        (1, 1, Rgb565::RED),
        (right.saturating_sub(size), 1, Rgb565::GREEN),
        (1, bottom.saturating_sub(size), Rgb565::BLUE),
        (
            right.saturating_sub(size),
            bottom.saturating_sub(size),
            Rgb565::WHITE,
        ),
    ] {
        let area = Rectangle::new(Point::new(x as i32, y as i32), Size::new(size, size));
        canvas.fill(area, colour);
    }
    for (x, y, w, h) in [
        (0, 0, width, 1),
        (0, bottom, width, 1),
        (0, 0, 1, height),
        (right, 0, 1, height),
    ] {
        let line = Rectangle::new(Point::new(x as i32, y as i32), Size::new(w, h));
        canvas.fill(line, Rgb565::WHITE);
    }
}
