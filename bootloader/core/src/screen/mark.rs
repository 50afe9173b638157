//! The word "unilk", drawn: the boot logo of phones whose own is missing or
//! damaged.
//!
//! Strokes of one width along lines and half circles. How much of a pixel a
//! stroke covers follows from the distance to its middle line, all in whole
//! sixteenths of a pixel.

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::primitives::Rectangle;

use super::canvas::{Canvas, OPAQUE, raw};

/// A stroke; coordinates in tenths of the design's unit, `y` downwards.
enum Stroke {
    Line([i32; 4]),
    /// Half circle around the first two numbers with the radius of the third.
    Above([i32; 3]),
    Below([i32; 3]),
}

use Stroke::{Above, Below, Line};

/// Width of the strokes, in the same tenths.
const STROKE: i32 = 26;
/// Extent of the middle lines; the strokes reach half their width further.
const WIDTH: i32 = 424;
const TOP: i32 = -70;
const BOTTOM: i32 = 100;
const SPAN: i32 = BOTTOM - TOP + STROKE;

const LETTERS: [Stroke; 11] = [
    // u
    Line([0, 0, 0, 60]),
    Below([40, 60, 40]),
    Line([80, 0, 80, 100]),
    // n
    Line([130, 0, 130, 100]),
    Above([170, 40, 40]),
    Line([210, 40, 210, 100]),
    // i, l
    Line([260, 0, 260, 100]),
    Line([310, TOP, 310, 100]),
    // k
    Line([360, TOP, 360, 100]),
    Line([360, 60, 416, 0]),
    Line([380, 38, 424, 100]),
];
const DOT: Stroke = Line([260, -44, 260, -44]);

/// Size of the mark when it is `width` pixels wide.
pub const fn size(width: u32) -> Size {
    Size::new(width, width * SPAN as u32 / (WIDTH + STROKE) as u32)
}

/// Draws the mark, `width` pixels wide, with its top left corner at `at`: the
/// letters in `ink`, the dot of the i in `accent`. Up to 1920 pixels, the
/// widest that the display path can show.
pub fn draw(canvas: &mut Canvas<'_>, at: Point, width: u32, ink: Rgb565, accent: Rgb565) {
    let pen = Pen {
        origin: at,
        width: width.min(1920) as i32,
    };
    for stroke in &LETTERS {
        pen.stroke(canvas, stroke, raw(ink));
    }
    pen.stroke(canvas, &DOT, raw(accent));
}

struct Pen {
    origin: Point,
    width: i32,
}

impl Pen {
    /// Tenths of a unit in sixteenths of a pixel.
    const fn scaled(&self, tenths: i32) -> i32 {
        tenths * self.width * 16 / (WIDTH + STROKE)
    }

    fn x(&self, tenths: i32) -> i32 {
        self.scaled(tenths + STROKE / 2)
    }

    fn y(&self, tenths: i32) -> i32 {
        self.scaled(tenths - TOP + STROKE / 2)
    }

    fn stroke(&self, canvas: &mut Canvas<'_>, stroke: &Stroke, colour: u16) {
        let half = self.scaled(STROKE) / 2;
        match *stroke {
            Line([x1, y1, x2, y2]) => {
                let from = [self.x(x1), self.y(y1)];
                let to = [self.x(x2), self.y(y2)];
                let left = from[0].min(to[0]);
                let right = from[0].max(to[0]);
                let top = from[1].min(to[1]);
                let bottom = from[1].max(to[1]);
                self.shade(canvas, [left, top, right, bottom], colour, half, &|x, y| {
                    distance_to_line([x, y], from, to)
                });
            }
            Above([x, y, radius]) => self.half_circle(canvas, [x, y, radius], colour, true),
            Below([x, y, radius]) => self.half_circle(canvas, [x, y, radius], colour, false),
        }
    }

    fn half_circle(&self, canvas: &mut Canvas<'_>, circle: [i32; 3], colour: u16, above: bool) {
        let half = self.scaled(STROKE) / 2;
        let [x, y, radius] = circle;
        let (x, y, radius) = (self.x(x), self.y(y), self.scaled(radius));
        let bounds = if above {
            [x - radius, y - radius, x + radius, y]
        } else {
            [x - radius, y, x + radius, y + radius]
        };
        self.shade(canvas, bounds, colour, half, &|px, py| {
            if (py < y) == above {
                (length(px - x, py - y) - radius).abs()
            } else {
                // Behind the ends, which are round.
                length((px - x).abs() - radius, py - y)
            }
        });
    }

    /// Colours the pixels of `bounds` (left, top, right, bottom) and `half`
    /// around it by their distance from the stroke's middle.
    fn shade(
        &self,
        canvas: &mut Canvas<'_>,
        bounds: [i32; 4],
        colour: u16,
        half: i32,
        distance: &dyn Fn(i32, i32) -> i32,
    ) {
        let [left, top, right, bottom] = bounds;
        for y in (top - half) / 16 - 1..=(bottom + half) / 16 + 1 {
            for x in (left - half) / 16 - 1..=(right + half) / 16 + 1 {
                let covered = half + 8 - distance(x * 16 + 8, y * 16 + 8);
                if covered > 0 {
                    let alpha = (covered as u32).min(OPAQUE);
                    canvas.blend(self.origin.x + x, self.origin.y + y, colour, alpha);
                }
            }
        }
    }
}

fn distance_to_line(point: [i32; 2], from: [i32; 2], to: [i32; 2]) -> i32 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let off = [point[0] - from[0], point[1] - from[1]];
    let dot = off[0] * along[0] + off[1] * along[1];
    let square = along[0] * along[0] + along[1] * along[1];
    if dot <= 0 {
        length(off[0], off[1])
    } else if dot >= square {
        length(point[0] - to[0], point[1] - to[1])
    } else {
        (off[0] * along[1] - off[1] * along[0]).abs() / length(along[0], along[1]).max(1)
    }
}

/// Within 1920 pixels the squares of sixteenths stay below 2^31.
const fn length(x: i32, y: i32) -> i32 {
    ((x * x) as u32 + (y * y) as u32).isqrt() as i32
}

/// The place of a mark of `width` pixels whose middle is at `middle`.
pub fn centred(middle: Point, width: u32) -> Rectangle {
    Rectangle::with_center(middle, size(width))
}
