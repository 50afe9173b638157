//! The part of a panel's own memory that a memory write fills.
//!
//! Source: facts/display.md 3.4.

use super::config::Config;
use crate::display::Picture;

/// Columns and rows, ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub columns: (usize, usize),
    pub rows: (usize, usize),
}

impl Window {
    /// All of the glass, as after a reset.
    pub fn of(config: &Config) -> Window {
        Window {
            columns: (0, config.width as usize - 1),
            rows: (0, config.height as usize - 1),
        }
    }

    /// Pixels fill it row by row, and begin again. `memory` has three bytes for
    /// each pixel of the glass, whose width and height are `size`.
    pub fn fill(self, size: (usize, usize), picture: &Picture, memory: &mut [u8]) {
        let (width, height) = size;
        let Window { columns, rows } = self;
        let (right, bottom) = (columns.1.min(width - 1), rows.1.min(height - 1));
        let (mut x, mut y) = (columns.0, rows.0);
        if x > right || y > bottom {
            return;
        }
        for pixel in picture.rgb.chunks_exact(3) {
            let at = (y * width + x) * 3;
            memory[at..at + 3].copy_from_slice(pixel);
            x += 1;
            if x > right {
                x = columns.0;
                y = if y == bottom { rows.0 } else { y + 1 };
            }
        }
    }
}
