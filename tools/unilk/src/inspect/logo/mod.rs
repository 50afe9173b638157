//! Boot logos: the table of pictures, each picture's size, and PNG files of
//! them.
//!
//! No more than [`MAX_BODY`] of the file and one picture of [`MAX_PICTURE`]
//! are in memory at a time, and all pictures together are unpacked to no more
//! than [`MAX_ALL`].
//!
//! Source: facts/storage-and-images.md 1.2, facts/display.md 7; what is
//! refused is the bootloader's own (`unilk_core::screen::logo`).

mod geometry;
#[cfg(test)]
mod tests;

pub use geometry::{Certainty, Geometry};

use super::report::{self, Report, table};
use super::{of_core, read, text};
use crate::bytes::u32_at;
use crate::finding::Finding;
use crate::mtk::HEADER_BYTES;
use crate::source::Source;
use flate2::read::ZlibDecoder;
use std::io::{self, Read};
use unilk_core::screen::logo::{LogoError, find};

/// Header and body that are read: vendor loaders have no room for more.
pub const MAX_BODY: usize = (4 << 20) + HEADER_BYTES;
/// Largest picture: 1920 by 1200 pixels are more than any panel has.
pub const MAX_PICTURE: u64 = 1920 * 1200 * 2;
/// Bytes that all pictures together may become; real logos stay below 40 MiB.
pub const MAX_ALL: u64 = 256 << 20;
/// The battery's fill is a single line, which is drawn again and again.
const FILL: u32 = 36;
/// Pictures that are looked at.
const MOST: u32 = 1024;

/// A picture's pixels: RGB565, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its number in the table.
    pub index: u32,
    /// Bytes of its stream.
    pub packed_bytes: u32,
    /// Two bytes a pixel.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// Its pixels, as there are.
    pub fn count(&self) -> usize {
        self.pixels.len() / 2
    }

    /// Width and height that it has by the looks of it.
    pub fn geometry(&self) -> Option<Geometry> {
        if self.index == FILL {
            return geometry::line(&self.pixels);
        }
        geometry::guess(&self.pixels)
    }

    /// A PNG file of it, `width` pixels wide; what is left of the last line is
    /// black.
    ///
    /// # Errors
    /// A width of 0, or one that PNG cannot say.
    pub fn png(&self, width: u32) -> Result<Vec<u8>, png::EncodingError> {
        let height = (self.count() as u32).div_ceil(width.max(1));
        let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
        for pair in self.pixels.as_chunks::<2>().0 {
            rgb.extend(colour(u16::from_le_bytes(*pair)));
        }
        rgb.resize(width as usize * height as usize * 3, 0);
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(&rgb)?;
        Ok(file)
    }
}

/// RGB565 as three bytes; full brightness stays full.
fn colour(pixel: u16) -> [u8; 3] {
    let [r, g, b] = [pixel >> 11, pixel >> 5 & 63, pixel & 31];
    [r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2].map(|part| part as u8)
}

/// A logo file.
pub struct Logo {
    image: Vec<u8>,
    partition: u64,
    /// Pictures by its table.
    pub count: u32,
}

impl Logo {
    /// Reads the logo that `source`, beginning with MediaTek's header, holds.
    ///
    /// # Errors
    /// It is none that a phone would take.
    pub fn open(source: &dyn Source) -> Result<Self, LogoError> {
        let image = read::some(source, 0, MAX_BODY);
        let partition = source.len();
        let count = u32_at(&image, HEADER_BYTES).ok_or(LogoError::Header)?;
        match find(&image, partition, 0) {
            Ok(_) => {}
            // Picture 0 alone may be broken.
            Err(why @ LogoError::Table { .. }) if count > MOST => return Err(why),
            Err(LogoError::Table { .. } | LogoError::Missing { .. }) => {}
            Err(why) => return Err(why),
        }
        Ok(Self {
            image,
            partition,
            count: count.min(MOST),
        })
    }

    /// Unpacks picture `index`.
    ///
    /// # Errors
    /// Its place is none, its stream is damaged or becomes too large.
    pub fn picture(&self, index: u32) -> Result<Picture, LogoError> {
        let stream = find(&self.image, self.partition, index)?;
        let start = stream.offset as usize;
        let packed = start
            .checked_add(stream.len as usize)
            .and_then(|end| self.image.get(start..end))
            .ok_or(LogoError::Stream)?;
        let pixels = unpack(packed).map_err(|_| LogoError::Stream)?;
        Ok(Picture {
            index,
            packed_bytes: stream.len,
            pixels,
        })
    }
}

fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut pixels = Vec::new();
    let mut decoder = ZlibDecoder::new(packed).take(MAX_PICTURE + 1);
    decoder.read_to_end(&mut pixels)?;
    if pixels.len() as u64 > MAX_PICTURE || pixels.len() % 2 != 0 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(pixels)
}

/// What a picture is for, by its number.
pub fn role(index: u32) -> &'static str {
    match index {
        0 => "boot logo",
        1 => "battery frame",
        2 => "low battery",
        3 => "charger over-voltage",
        4..=13 => "digit",
        14 => "percent sign",
        15..=24 => "charging wave",
        25..=34 => "charging, below 10 %",
        35 => "battery background",
        FILL => "battery fill",
        37 => "charged",
        38 => "kernel logo",
        39..=56 => "fast charging",
        57..=85 => "wireless charging",
        _ => "not known",
    }
}

/// What was made of a picture.
struct Seen {
    index: u32,
    packed: u32,
    pixels: u64,
    geometry: Option<Geometry>,
}

/// Adds the pictures of the logo in `source` to its report.
pub fn add_to(source: &dyn Source, report: &mut Report) {
    let logo = match Logo::open(source) {
        Ok(logo) => logo,
        Err(why) => {
            report.findings.push(of_core(Finding::problem, &why));
            return;
        }
    };
    let mut seen = Vec::new();
    let mut all = 0;
    for index in 0..logo.count {
        match logo.picture(index) {
            Ok(picture) => {
                all += picture.pixels.len() as u64;
                seen.push(Seen {
                    index,
                    packed: picture.packed_bytes,
                    pixels: picture.count() as u64,
                    geometry: picture.geometry(),
                });
            }
            Err(why) => {
                let mut finding = of_core(Finding::problem, &why);
                finding.text = format!("picture {index} ({}): {}", role(index), finding.text);
                report.findings.push(finding);
            }
        }
        if all > MAX_ALL {
            report.findings.push(Finding::problem(
                "LOGO-BOMB",
                format!(
                    "pictures up to number {index} become {}: no real logo does, the rest was not looked at",
                    text::size(all)
                ),
            ));
            break;
        }
    }
    describe(&logo, &seen, report);
}

fn describe(logo: &Logo, seen: &[Seen], report: &mut Report) {
    let panel = seen
        .iter()
        .find(|picture| picture.index == 0)
        .and_then(|first| first.geometry);
    report.summary = match panel {
        Some(panel) => format!(
            "boot logo, {}, for a panel of {panel}",
            text::plural(logo.count.into(), "picture")
        ),
        None => format!("boot logo, {}", text::plural(logo.count.into(), "picture")),
    };
    let rows = seen.iter().map(|picture| {
        let side = |of: fn(Geometry) -> u32| {
            picture
                .geometry
                .map_or(report::absent("?"), |geometry| report::count(of(geometry)))
        };
        let certainty = picture.geometry.map(|geometry| geometry.certainty.word());
        vec![
            report::count(picture.index),
            report::text(role(picture.index)),
            side(|geometry| geometry.width),
            side(|geometry| geometry.height),
            certainty.map_or(report::absent("?"), report::text),
            report::count(picture.pixels),
            report::count(picture.packed),
        ]
    });
    let columns = &[
        "number",
        "for",
        "width",
        "height",
        "certainty",
        "pixels",
        "packed_bytes",
    ];
    let rows = rows.collect();
    report
        .facts
        .push(table("pictures", "pictures", columns, rows));
    if let Some(panel) = panel {
        report.on_a_phone = format!(
            "Flashed to LOGO, the bootloader shows picture 0 on panels of {panel}; unilk shows its own on any other, stock LK shows it torn."
        );
    }
}
