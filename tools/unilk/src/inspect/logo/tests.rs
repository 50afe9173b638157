//! Logos made by the description: found, measured, unpacked, and read again
//! as PNG.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::inspect::inspect;
use crate::inspect::report::{Body, Value};
use crate::inspect::testing::{codes, mutate};
use crate::mtk;
use flate2::{Compression, write::ZlibEncoder};
use std::io::Write as _;

/// A circle on a slope of colours, `width` by `height`.
fn pixels(width: u32, height: u32) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let [dx, dy] = [x.abs_diff(width / 2), y.abs_diff(height / 2)];
            let inside = dx * dx + dy * dy < (width / 3).pow(2);
            let pixel = if inside {
                0xFFE0
            } else {
                ((x * 31 / width) << 11) | (y * 31 / height)
            };
            pixels.extend_from_slice(&(pixel as u16).to_le_bytes());
        }
    }
    pixels
}

fn logo(pictures: &[Vec<u8>]) -> Vec<u8> {
    let streams: Vec<Vec<u8>> = pictures
        .iter()
        .map(|pixels| {
            let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
            packer.write_all(pixels).unwrap();
            packer.finish().unwrap()
        })
        .collect();
    let mut offset = 8 + 4 * streams.len();
    let mut body = Vec::new();
    for stream in &streams {
        body.extend(u32::try_from(offset).unwrap().to_le_bytes());
        offset += stream.len();
    }
    body.extend(streams.concat());
    let head = [streams.len() as u32, offset as u32].map(u32::to_le_bytes);
    mtk::with_header("LOGO", &[head.concat(), body].concat()).unwrap()
}

fn sizes(report: &Report) -> Vec<(String, String)> {
    let group = report.facts.iter().find(|group| group.key == "pictures");
    let Some(Body::Table { rows, .. }) = group.map(|group| &group.body) else {
        panic!("no pictures");
    };
    rows.iter()
        .map(|row| {
            let size = format!("{}x{}", row[2].text, row[3].text);
            (size, row[4].text.clone())
        })
        .collect()
}

#[test]
fn panels_and_sprites_are_measured() {
    let image = logo(&[pixels(480, 854), pixels(38, 54), pixels(800, 480)]);
    let report = inspect(&image);
    assert!(codes(&report).is_empty(), "{:?}", report.findings);
    let sizes = sizes(&report);
    assert_eq!(sizes[0], ("480x854".to_owned(), "sure".to_owned()));
    assert_eq!(sizes[1].0, "38x54");
    assert_eq!(sizes[2], ("800x480".to_owned(), "sure".to_owned()));
    assert!(report.summary.contains("480x854"), "{}", report.summary);
    assert!(report.on_a_phone.contains("480x854"));
}

#[test]
fn the_fill_of_the_battery_is_a_line() {
    let mut pictures = vec![pixels(24, 24); 36];
    pictures.push(vec![0xE0; 270]);
    let sizes = sizes(&inspect(&logo(&pictures)));
    assert_eq!(sizes[36], ("135x1".to_owned(), "likely".to_owned()));
}

#[test]
fn a_picture_of_one_colour_is_a_guess() {
    let report = inspect(&logo(&[vec![0; 480 * 854 * 2]]));
    assert_eq!(sizes(&report), [("480x854".to_owned(), "guess".to_owned())]);
}

#[test]
fn a_png_has_the_same_pixels() {
    let image = logo(&[pixels(240, 320)]);
    let logo = Logo::open(&image).unwrap();
    let picture = logo.picture(0).unwrap();
    assert_eq!(picture.pixels, pixels(240, 320));
    let png = picture.png(240).unwrap();
    let mut reader = png::Decoder::new(io::Cursor::new(png)).read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    assert_eq!((info.width, info.height), (240, 320));
    for (pair, rgb) in picture.pixels.chunks_exact(2).zip(rgb.chunks_exact(3)) {
        let pixel = u16::from_le_bytes([pair[0], pair[1]]);
        let back =
            u16::from(rgb[0] >> 3) << 11 | u16::from(rgb[1] >> 2) << 5 | u16::from(rgb[2] >> 3);
        assert_eq!(back, pixel);
    }
    // White stays white.
    assert_eq!(colour(0xFFFF), [255; 3]);
}

#[test]
fn damage_is_told_of_the_picture_that_has_it() {
    let good = logo(&[pixels(240, 320), pixels(24, 24)]);
    let second = u32_at(&good, HEADER_BYTES + 12).unwrap() as usize;
    let mut bad = good.clone();
    bad[HEADER_BYTES + second + 10] ^= 0xFF;
    let report = inspect(&bad);
    assert_eq!(codes(&report), ["LOGO-STREAM"]);
    assert!(report.findings[0].text.starts_with("picture 1"));
    let mut table = good.clone();
    table[HEADER_BYTES + 12..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(codes(&inspect(&table)), ["LOGO-TABLE", "LOGO-TABLE"]);
    let cut = &good[..good.len() - 5];
    assert!(inspect(&cut).has("LK-CUT"));
    let small = logo(&[pixels(24, 24), pixels(16, 16)]);
    mutate(&small, 300, |data| {
        let _ = inspect(&data);
    });
}

#[test]
fn a_bomb_goes_off_in_a_box() {
    // 16 MiB of zeros in 16 KiB.
    let image = logo(&[vec![0; 16 << 20]]);
    assert_eq!(codes(&inspect(&image)), ["LOGO-STREAM"]);
    // Many pictures in the same stream.
    let one = logo(&[vec![0; MAX_PICTURE as usize]]);
    let stream = &one[HEADER_BYTES + 12..];
    let mut body = Vec::new();
    let count = 1000u32;
    let first = 8 + 4 * count;
    body.extend(count.to_le_bytes());
    body.extend((first + stream.len() as u32).to_le_bytes());
    for _ in 0..count {
        body.extend(first.to_le_bytes());
    }
    body.extend(stream);
    let report = inspect(&mtk::with_header("LOGO", &body).unwrap());
    // Equal offsets are refused but for the last.
    assert!(report.has("LOGO-TABLE"));
}

#[test]
fn what_is_no_logo() {
    assert_eq!(
        codes(&inspect(&mtk::with_header("LOGO", &[0; 4]).unwrap())),
        ["LOGO-HEADER"]
    );
    let empty = inspect(&logo(&[]));
    assert_eq!(sizes(&empty), []);
    assert_eq!(
        inspect(&logo(&[pixels(24, 24)])).value("header", "name"),
        Some(&Value::Text("LOGO".to_owned()))
    );
}
