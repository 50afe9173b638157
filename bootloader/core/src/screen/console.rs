//! A text console in a part of the screen: log lines, scrolling.
//!
//! The console keeps its place only; the canvas is lent to it for each write,
//! so that pages and console can share a frame.

use core::fmt;

use embedded_graphics::geometry::Point;
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::primitives::Rectangle;

use super::canvas::Canvas;
use super::text::Face;

const TAB: u32 = 8;

/// Where the next character goes, and how it looks.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    area: Rectangle,
    face: Face,
    ink: Rgb565,
    ground: Rgb565,
    column: u32,
    row: u32,
}

impl Console {
    /// A console that fills `area`, starting at its top. The area is not
    /// wiped.
    pub const fn new(area: Rectangle, face: Face, ink: Rgb565, ground: Rgb565) -> Self {
        Self {
            area,
            face,
            ink,
            ground,
            column: 0,
            row: 0,
        }
    }

    /// Characters in a line.
    pub const fn columns(&self) -> u32 {
        self.area.size.width / self.face.cell().width
    }

    /// Lines.
    pub const fn rows(&self) -> u32 {
        self.area.size.height / self.face.cell().height
    }

    /// Colour of what is written from now on.
    pub const fn set_ink(&mut self, ink: Rgb565) {
        self.ink = ink;
    }

    /// Wipes the area and goes back to its top.
    pub fn clear(&mut self, canvas: &mut Canvas<'_>) {
        canvas.fill(self.area, self.ground);
        (self.column, self.row) = (0, 0);
    }

    /// Something that `write!` takes.
    pub const fn on<'a, 'f>(&'a mut self, canvas: &'a mut Canvas<'f>) -> Writer<'a, 'f> {
        Writer {
            console: self,
            canvas,
        }
    }

    /// Writes text. Lines that are too long go on in the next; control
    /// characters other than newline, return and tab are left out.
    pub fn write(&mut self, canvas: &mut Canvas<'_>, text: &str) {
        // An area without room for a single character shows nothing.
        if self.columns() == 0 || self.rows() == 0 {
            return;
        }
        for character in text.chars() {
            match character {
                '\n' => (self.column, self.row) = (0, self.row + 1),
                '\r' => self.column = 0,
                '\t' => {
                    let stop = (self.column / TAB + 1) * TAB;
                    while self.column < stop.min(self.columns()) {
                        self.put(canvas, ' ');
                    }
                }
                character if character.is_control() => {}
                character => self.put(canvas, character),
            }
        }
    }

    fn put(&mut self, canvas: &mut Canvas<'_>, character: char) {
        if self.column >= self.columns() {
            (self.column, self.row) = (0, self.row + 1);
        }
        let cell = self.face.cell();
        // Only now, so that a newline at the end of a message does not leave
        // an empty line at the bottom.
        if let Some(beyond) = (self.row + 1).checked_sub(self.rows()).filter(|&n| n > 0) {
            canvas.scroll_up(self.area, beyond.saturating_mul(cell.height), self.ground);
            self.row = self.rows() - 1;
        }
        let at = self.area.top_left
            + Point::new(
                (self.column * cell.width) as i32,
                (self.row * cell.height) as i32,
            );
        self.face
            .put(canvas, at, character, self.ink, Some(self.ground));
        self.column += 1;
    }
}

/// See [`Console::on`].
#[derive(Debug)]
pub struct Writer<'a, 'f> {
    console: &'a mut Console,
    canvas: &'a mut Canvas<'f>,
}

impl fmt::Write for Writer<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.console.write(self.canvas, text);
        Ok(())
    }
}
