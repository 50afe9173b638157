//! A picture of the screen, as a test looks at it.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::error::Error;

/// A picture: three bytes a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Screen {
    /// Reads a PNG file of the emulator: 8 bits, RGB.
    ///
    /// # Errors
    /// No such file, or another kind of picture.
    pub fn load(path: &Path) -> Result<Screen, Error> {
        let bad = |why: String| Error::BadScreen(path.to_owned(), why);
        let file = File::open(path).map_err(|error| bad(error.to_string()))?;
        let mut reader = png::Decoder::new(BufReader::new(file))
            .read_info()
            .map_err(|error| bad(error.to_string()))?;
        let size = reader
            .output_buffer_size()
            .ok_or_else(|| bad("too large".into()))?;
        let mut rgb = vec![0; size];
        let info = reader
            .next_frame(&mut rgb)
            .map_err(|error| bad(error.to_string()))?;
        if (info.color_type, info.bit_depth) != (png::ColorType::Rgb, png::BitDepth::Eight) {
            return Err(bad("not 8-bit RGB".into()));
        }
        Ok(Screen {
            width: info.width as usize,
            height: info.height as usize,
            rgb,
        })
    }

    /// Pixels a line, and lines.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Red, green and blue of a pixel; `None` outside of the picture.
    pub fn pixel(&self, x: usize, y: usize) -> Option<[u8; 3]> {
        if x >= self.width {
            return None;
        }
        let at = y.checked_mul(self.width)?.checked_add(x)?.checked_mul(3)?;
        self.rgb.get(at..at + 3)?.try_into().ok()
    }

    fn pixels(&self) -> impl Iterator<Item = &[u8]> {
        self.rgb.chunks_exact(3)
    }

    /// How many different colours there are.
    pub fn colours(&self) -> usize {
        self.pixels().collect::<HashSet<_>>().len()
    }

    /// The mean colour.
    pub fn average(&self) -> [u8; 3] {
        let count = (self.width * self.height).max(1) as u64;
        let sum = |part: usize| {
            self.pixels()
                .map(|pixel| u64::from(pixel[part]))
                .sum::<u64>()
        };
        [0, 1, 2].map(|part| (sum(part) / count) as u8)
    }

    /// A picture of at most `columns` by `lines` pixels of this one, nearest
    /// pixel, sides in proportion.
    #[must_use]
    pub fn scaled(&self, columns: usize, lines: usize) -> Screen {
        let fits = |side: usize, limit: usize| side.div_ceil(limit.max(1)).max(1);
        let step = fits(self.width, columns).max(fits(self.height, lines));
        let (width, height) = (self.width / step, self.height / step);
        let mut rgb = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                let pixel = self.pixel(x * step + step / 2, y * step + step / 2);
                rgb.extend(pixel.unwrap_or_default());
            }
        }
        Screen { width, height, rgb }
    }

    /// The picture for a terminal with true colour: each character is two
    /// pixels, one above the other.
    pub fn to_ansi(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for y in (0..self.height).step_by(2) {
            for x in 0..self.width {
                let [r, g, b] = self.pixel(x, y).unwrap_or_default();
                let _ = write!(text, "\x1b[38;2;{r};{g};{b}m");
                let [r, g, b] = self.pixel(x, y + 1).unwrap_or_default();
                let _ = write!(text, "\x1b[48;2;{r};{g};{b}m\u{2580}");
            }
            text.push_str("\x1b[0m\x1b[K\r\n");
        }
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn checkers() -> Screen {
        let mut rgb = Vec::new();
        for at in 0..32 {
            let light = (at % 8 + at / 8) % 2 == 0;
            rgb.extend(if light { [255, 255, 255] } else { [0, 0, 255] });
        }
        Screen {
            width: 8,
            height: 4,
            rgb,
        }
    }

    #[test]
    fn pixels_are_counted_and_found() {
        let screen = checkers();
        assert_eq!(screen.size(), (8, 4));
        assert_eq!(screen.colours(), 2);
        assert_eq!(screen.average(), [127, 127, 255]);
        assert_eq!(screen.pixel(1, 0), Some([0, 0, 255]));
        assert_eq!(screen.pixel(8, 0), None);
        assert_eq!(screen.pixel(0, 4), None);
    }

    #[test]
    fn a_small_terminal_gets_a_small_picture() {
        let small = checkers().scaled(4, 100);
        assert_eq!(small.size(), (4, 2));
        assert_eq!(small.to_ansi().matches('\u{2580}').count(), 4);
    }

    #[test]
    fn only_pictures_are_read() {
        let path = std::env::temp_dir().join(format!("unilk-screen-{}.png", std::process::id()));
        std::fs::write(&path, "no picture").unwrap();
        let why = Screen::load(&path).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        assert!(why.contains("unilk-screen"), "{why}");
    }
}
