//! Pixels in memory and how the readers of the path turn them into colours.
//!
//! Source: facts/display.md 1.7 (order in memory), 2.1 and 2.2 (codes).

/// A colour: red, green, blue, alpha.
pub type Pixel = [u8; 4];

/// How a pixel lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the names of the table in facts/display.md 2.1"
)]
pub enum Format {
    Rgb888,
    Rgb565,
    Argb8888,
    /// The colours are already multiplied by alpha.
    Pargb8888,
    Xrgb8888,
    Yuyv,
    Uyvy,
    Yvyu,
    Vyuy,
    Yuv444,
}

impl Format {
    /// The format that OVL's Ln_CON calls `code`.
    pub fn of_ovl(code: u32) -> Option<Format> {
        Some(match code {
            0 => Format::Rgb888,
            1 => Format::Rgb565,
            2 => Format::Argb8888,
            3 => Format::Pargb8888,
            4 => Format::Xrgb8888,
            8 => Format::Yuyv,
            9 => Format::Uyvy,
            10 => Format::Yvyu,
            11 => Format::Vyuy,
            15 => Format::Yuv444,
            _ => return None,
        })
    }

    /// The format that RDMA's MEM_CON calls `code`.
    pub fn of_rdma(code: u32) -> Option<Format> {
        Some(match code {
            0 => Format::Yuyv,
            1 => Format::Uyvy,
            2 => Format::Yvyu,
            3 => Format::Vyuy,
            4 => Format::Rgb565,
            8 => Format::Rgb888,
            16 => Format::Argb8888,
            _ => return None,
        })
    }

    /// Bytes a pixel.
    pub fn bytes(self) -> usize {
        match self {
            Format::Rgb888 | Format::Yuv444 => 3,
            Format::Argb8888 | Format::Pargb8888 | Format::Xrgb8888 => 4,
            _ => 2,
        }
    }

    /// Whether a pixel says itself how opaque it is.
    pub fn has_alpha(self) -> bool {
        matches!(self, Format::Argb8888 | Format::Pargb8888)
    }

    /// Places of the first luma, U, the second luma and V in four bytes that
    /// are two pixels.
    fn chroma_pairs(self) -> Option<[usize; 4]> {
        Some(match self {
            Format::Yuyv => [0, 1, 2, 3],
            Format::Uyvy => [1, 0, 3, 2],
            Format::Yvyu => [0, 3, 2, 1],
            Format::Vyuy => [1, 2, 3, 0],
            _ => return None,
        })
    }
}

/// A format with the two swaps of its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The format without swaps.
    pub format: Format,
    /// The bytes of a pixel stand in opposite order.
    pub byte_swap: bool,
    /// Red and blue change places.
    pub rgb_swap: bool,
}

impl Reader {
    /// The pixels of one line, in the order of their addresses.
    pub fn line(self, bytes: &[u8]) -> Vec<Pixel> {
        let mut pixels = match self.format.chroma_pairs() {
            Some(places) => bytes
                .chunks_exact(4)
                .flat_map(|pair| {
                    let [first, u, second, v] = places.map(|place| {
                        let place = if self.byte_swap { place ^ 1 } else { place };
                        pair[place]
                    });
                    [from_yuv(first, u, v), from_yuv(second, u, v)]
                })
                .collect(),
            None => bytes
                .chunks_exact(self.format.bytes())
                .map(|pixel| self.pixel(pixel))
                .collect::<Vec<_>>(),
        };
        if self.rgb_swap {
            for pixel in &mut pixels {
                pixel.swap(0, 2);
            }
        }
        pixels
    }

    fn pixel(self, bytes: &[u8]) -> Pixel {
        let mut ordered = [0; 4];
        let ordered = &mut ordered[..bytes.len()];
        ordered.copy_from_slice(bytes);
        if self.byte_swap {
            ordered.reverse();
        }
        match *ordered {
            [low, high] => from_565(u16::from_le_bytes([low, high])),
            // The order of the three is not documented; taken as in YUYV.
            [y, u, v] if self.format == Format::Yuv444 => from_yuv(y, u, v),
            [blue, green, red] => [red, green, blue, 255],
            [blue, green, red, alpha] if self.format.has_alpha() => [red, green, blue, alpha],
            [blue, green, red, _] => [red, green, blue, 255],
            _ => [0; 4],
        }
    }
}

fn from_565(value: u16) -> Pixel {
    let widen = |value: u16, bits: u32| (value << (8 - bits) | value >> (2 * bits - 8)) as u8;
    [
        widen(value >> 11, 5),
        widen(value >> 5 & 0x3f, 6),
        widen(value & 0x1f, 5),
        255,
    ]
}

/// BT.601, limited range.
fn from_yuv(y: u8, u: u8, v: u8) -> Pixel {
    let (y, u, v) = (
        298 * (i32::from(y) - 16),
        i32::from(u) - 128,
        i32::from(v) - 128,
    );
    let clamp = |value: i32| ((value + 128) >> 8).clamp(0, 255) as u8;
    [
        clamp(y + 409 * v),
        clamp(y - 100 * u - 208 * v),
        clamp(y + 516 * u),
        255,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: Format, bytes: &[u8]) -> Vec<Pixel> {
        Reader {
            format,
            byte_swap: false,
            rgb_swap: false,
        }
        .line(bytes)
    }

    #[test]
    fn each_format_finds_its_colours() {
        // Red in the top five bits.
        assert_eq!(read(Format::Rgb565, &[0x00, 0xf8]), [[255, 0, 0, 255]]);
        assert_eq!(read(Format::Rgb565, &[0xe0, 0x07]), [[0, 255, 0, 255]]);
        assert_eq!(read(Format::Rgb565, &[0x10, 0x84]), [[132, 130, 132, 255]]);
        assert_eq!(read(Format::Rgb888, &[1, 2, 3]), [[3, 2, 1, 255]]);
        assert_eq!(read(Format::Argb8888, &[1, 2, 3, 4]), [[3, 2, 1, 4]]);
        assert_eq!(read(Format::Pargb8888, &[1, 2, 3, 4]), [[3, 2, 1, 4]]);
        assert_eq!(read(Format::Xrgb8888, &[1, 2, 3, 4]), [[3, 2, 1, 255]]);
        assert_eq!(
            read(Format::Yuv444, &[235, 128, 128]),
            [[255, 255, 255, 255]]
        );
    }

    #[test]
    fn pairs_share_their_chroma() {
        // Luma 81 and 16, U 90, V 240: red and what is left of it in black.
        let [y0, u, y1, v] = [81, 90, 16, 240];
        let wanted = read(Format::Yuyv, &[y0, u, y1, v]);
        assert_eq!(wanted[0], [255, 0, 0, 255]);
        assert_ne!(wanted[1], wanted[0]);
        assert_eq!(read(Format::Uyvy, &[u, y0, v, y1]), wanted);
        assert_eq!(read(Format::Yvyu, &[y0, v, y1, u]), wanted);
        assert_eq!(read(Format::Vyuy, &[v, y0, u, y1]), wanted);
    }

    #[test]
    fn swaps_change_places() {
        let mut reader = Reader {
            format: Format::Argb8888,
            byte_swap: true,
            rgb_swap: false,
        };
        assert_eq!(reader.line(&[4, 3, 2, 1]), [[3, 2, 1, 4]]);
        reader.rgb_swap = true;
        assert_eq!(reader.line(&[4, 3, 2, 1]), [[1, 2, 3, 4]]);
        reader = Reader {
            format: Format::Rgb565,
            byte_swap: true,
            rgb_swap: false,
        };
        assert_eq!(reader.line(&[0xf8, 0x00]), [[255, 0, 0, 255]]);
    }

    #[test]
    fn codes_without_a_format_have_none() {
        for code in [5, 6, 7, 12, 13, 14] {
            assert_eq!(Format::of_ovl(code), None);
        }
        assert_eq!(Format::of_rdma(5), None);
        assert_eq!(Format::of_rdma(16), Some(Format::Argb8888));
    }
}
