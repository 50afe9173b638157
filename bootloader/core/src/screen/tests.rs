//! The screen on panels of all sizes. `UNILK_PAGES=folder` makes one test
//! write every page as PPM there, to look at.

#![allow(clippy::unwrap_used)]

use std::string::String;
use std::vec::Vec;

use core::fmt::Write as _;
use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget as _;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::pixelcolor::{Rgb565, RgbColor as _};
use embedded_graphics::primitives::Rectangle;

use super::canvas::raw;
use super::colours::{ACCENT, ERROR, GROUND, TEXT};
use super::logo::{BOOT_LOGO, HEAD_BYTES, WINDOW_BYTES};
use super::pages::{BootPage, ErrorPage, Shown, Tone, UsbPage, VerdictRow};
use super::wizard::WizardPage;
use super::*;
use crate::header::Header;

/// The panels of MT6572 phones, and shapes that nobody builds.
const SIZES: [(u16, u16); 14] = [
    (240, 320),
    (240, 400),
    (320, 480),
    (480, 800),
    (480, 854),
    (540, 960),
    (1024, 600),
    (1, 1),
    (1, 960),
    (540, 1),
    (7, 11),
    (33, 31),
    (100, 20),
    (0, 0),
];

/// A frame with padding on the right and a guard behind the last line.
struct Memory {
    pixels: Vec<u16>,
    size: (u16, u16),
    pitch: u16,
}

const PADDING: u16 = 0xDEAD;

impl Memory {
    fn new(width: u16, height: u16) -> Self {
        let pitch = width.next_multiple_of(32);
        let len = usize::from(pitch) * usize::from(height) + 64;
        Self {
            pixels: std::vec![PADDING; len],
            size: (width, height),
            pitch,
        }
    }

    fn canvas(&mut self) -> Canvas<'_> {
        Canvas::new(&mut self.pixels, self.size.0, self.size.1, self.pitch).unwrap()
    }

    fn at(&self, x: usize, y: usize) -> u16 {
        self.pixels[y * usize::from(self.pitch) + x]
    }

    /// How many visible pixels have this colour.
    fn count(&self, colour: Rgb565) -> usize {
        let (width, height) = (usize::from(self.size.0), usize::from(self.size.1));
        (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .filter(|&(x, y)| self.at(x, y) == raw(colour))
            .count()
    }

    /// The text in line `row` of cells whose first is at `left`, `top`, read
    /// by comparing with every letter.
    fn read(&self, face: Face, left: usize, top: usize, count: usize) -> String {
        let cell = face.cell();
        let mut letter = Memory::new(cell.width as u16, cell.height as u16);
        let is_lit = |memory: &Memory, x: usize, y: usize, ground: u16| memory.at(x, y) != ground;
        (0..count)
            .map(|index| {
                let left = left + index * cell.width as usize;
                (b' '..=b'~')
                    .map(char::from)
                    .find(|&candidate| {
                        letter.canvas().wipe(Rgb565::BLACK);
                        face.put(
                            &mut letter.canvas(),
                            Point::zero(),
                            candidate,
                            Rgb565::WHITE,
                            None,
                        );
                        let ground = self.at(left, top);
                        (0..cell.height as usize).all(|y| {
                            (0..cell.width as usize).all(|x| {
                                is_lit(&letter, x, y, 0) == is_lit(self, left + x, top + y, ground)
                            })
                        })
                    })
                    .unwrap_or('\u{fffd}')
            })
            .collect()
    }

    fn padding_is_untouched(&self) -> bool {
        let (width, height) = (usize::from(self.size.0), usize::from(self.size.1));
        let pitch = usize::from(self.pitch);
        let sides = (0..height).all(|y| {
            self.pixels[y * pitch + width..(y + 1) * pitch]
                .iter()
                .all(|&pixel| pixel == PADDING)
        });
        sides && self.pixels[height * pitch..].iter().all(|&p| p == PADDING)
    }

    fn ppm(&self) -> Vec<u8> {
        let (width, height) = self.size;
        let mut file = std::format!("P6 {width} {height} 255\n").into_bytes();
        for y in 0..usize::from(height) {
            for x in 0..usize::from(width) {
                let pixel = u32::from(self.at(x, y));
                let channel = |shift: u32, bits: u32| {
                    let most = (1 << bits) - 1;
                    ((pixel >> shift & most) * 255 / most) as u8
                };
                file.extend([channel(11, 5), channel(5, 6), channel(0, 5)]);
            }
        }
        file
    }
}

const VERSION: &str = "0.2.0";

type Draw = fn(&mut Canvas<'_>);

/// Every page with long and short texts.
const ALL_PAGES: [(&str, Draw); 6] = [
    ("boot", draw_boot),
    ("verdict", draw_verdicts),
    ("error", draw_error),
    ("wizard", draw_wizard),
    ("usb", draw_usb),
    ("console", draw_console),
];

fn draw_boot(canvas: &mut Canvas<'_>) {
    let page = BootPage {
        version: VERSION,
        line: "starting Android (normal)",
    };
    pages::boot(canvas, &page, None);
}

const VERDICTS: [VerdictRow<'_>; 4] = [
    VerdictRow {
        part: "Panel",
        name: "ili9806e_wvga_dsi_vdo_muse72, ILI9806E, 480 x 800",
        certainty: "likely, 3 more fit",
        tone: Tone::Guess,
        detail: "DSI D3h: 00 98 06 04; shipped 31 times",
    },
    VerdictRow {
        part: "Touch",
        name: "FT6236 at 0x38, maker 0x53",
        certainty: "certain",
        tone: Tone::Sure,
        detail: "",
    },
    VerdictRow {
        part: "Sub camera",
        name: "no answer",
        certainty: "none",
        tone: Tone::Missing,
        detail: "",
    },
    VerdictRow {
        part: "Board",
        name: "LG L40 (muse72)",
        certainty: "wiring answered",
        tone: Tone::Sure,
        detail: "",
    },
];

fn draw_verdicts(canvas: &mut Canvas<'_>) {
    let rest = pages::verdicts(canvas, VERSION, &VERDICTS);
    let mut console = pages::console(canvas, rest);
    for line in 0..20 {
        let _ = writeln!(console.on(canvas), "{line:3} mmc0: 3.6 GiB eMMC at 52 MHz");
    }
}

fn draw_error(canvas: &mut Canvas<'_>) {
    let page = ErrorPage {
        version: VERSION,
        code: "IMG-MAGIC",
        sentence: "BOOTIMG holds no Android boot image (magic 0x00000000).",
        remedy: "Write a boot image with: fastboot flash boot boot.img",
        next: "starting recovery instead",
    };
    pages::error(canvas, &page);
}

fn draw_wizard(canvas: &mut Canvas<'_>) {
    let page = WizardPage {
        number: 3,
        count: 12,
        name: "otm8009a_6572_dsi_cmd",
        controller: "OTM8009A",
        keys: &["Volume: other panel", "Power: this one is right"],
        seconds: Some(10),
    };
    wizard::wizard(canvas, &page);
}

fn draw_usb(canvas: &mut Canvas<'_>) {
    let page = UsbPage {
        version: VERSION,
        title: "Fastboot",
        serial: "0123456789ABCDEF",
        state: "Waiting for a command",
        keys: &["Power 10 s: off", "Volume up: go on booting"],
    };
    pages::usb(canvas, &page);
}

fn draw_console(canvas: &mut Canvas<'_>) {
    canvas.wipe(GROUND);
    let area = Rectangle::new(Point::zero(), Size::new(canvas.width(), canvas.height()));
    let mut console = pages::console(canvas, area);
    for line in 0..70 {
        let _ = writeln!(
            console.on(canvas),
            "[{line:5}.123] {:x}",
            line * 0x0101_0101
        );
    }
}

#[test]
fn pages_stay_in_the_picture_whatever_its_size() {
    for (width, height) in SIZES {
        for (name, draw) in ALL_PAGES {
            let mut memory = Memory::new(width, height);
            draw(&mut memory.canvas());
            assert!(memory.padding_is_untouched(), "{name} {width} x {height}");
            let forgotten = (0..usize::from(height))
                .any(|y| (0..usize::from(width)).any(|x| memory.at(x, y) == PADDING));
            assert!(!forgotten, "{name} {width} x {height} leaves old pixels");
            if let Some(folder) = std::env::var_os("UNILK_PAGES")
                && width >= 240
                && height >= 300
            {
                std::fs::create_dir_all(&folder).unwrap();
                let file = std::format!("{name}-{width}x{height}.ppm");
                let path = std::path::Path::new(&folder).join(file);
                std::fs::write(path, memory.ppm()).unwrap();
            }
        }
    }
}

#[test]
fn every_phone_has_its_columns() {
    for (width, _) in SIZES {
        if width >= 240 {
            let columns = u32::from(width) / Face::for_width(u32::from(width)).cell().width;
            assert!((38..=64).contains(&columns), "{columns} at {width}");
        }
    }
}

#[test]
fn a_frame_that_does_not_fit_its_memory_is_refused() {
    let mut pixels = std::vec![0; 32 * 10];
    assert!(Canvas::new(&mut pixels, 32, 10, 32).is_some());
    assert!(Canvas::new(&mut pixels, 32, 11, 32).is_none());
    assert!(Canvas::new(&mut pixels, 33, 1, 32).is_none());
}

#[test]
fn drawing_is_clipped_and_lands_where_it_should() {
    let mut memory = Memory::new(40, 30);
    let mut canvas = memory.canvas();
    canvas.clear(Rgb565::BLACK).unwrap();
    let area = |x, y, w, h| Rectangle::new(Point::new(x, y), Size::new(w, h));
    canvas
        .fill_solid(&area(-5, -5, 10, 7), Rgb565::RED)
        .unwrap();
    canvas
        .fill_solid(&area(38, 28, 999, 999), Rgb565::BLUE)
        .unwrap();
    canvas
        .fill_solid(&area(100, 100, 5, 5), Rgb565::GREEN)
        .unwrap();
    canvas
        .fill_solid(&area(-100, 3, 5, 5), Rgb565::GREEN)
        .unwrap();
    let outside = [(-1, 0), (0, -1), (40, 0), (0, 30), (i32::MAX, i32::MIN)];
    let pixels = outside.map(|(x, y)| Pixel(Point::new(x, y), Rgb565::GREEN));
    canvas.draw_iter(pixels).unwrap();
    // The left column of this picture in a picture is outside.
    let colours = [Rgb565::GREEN, Rgb565::WHITE].into_iter().cycle();
    canvas
        .fill_contiguous(&area(-1, 10, 2, 4), colours)
        .unwrap();
    assert_eq!(memory.count(Rgb565::RED), 5 * 2);
    assert_eq!(memory.count(Rgb565::BLUE), 4);
    assert_eq!(memory.count(Rgb565::WHITE), 4);
    assert_eq!(memory.count(Rgb565::GREEN), 0);
    assert_eq!(memory.at(4, 1), 0xF800);
    assert_eq!(memory.at(39, 29), 0x001F);
    assert_eq!(memory.at(0, 13), 0xFFFF);
    assert!(memory.padding_is_untouched());
}

#[test]
fn colours_mix_channel_by_channel() {
    let mut memory = Memory::new(17, 1);
    let mut canvas = memory.canvas();
    canvas.wipe(Rgb565::BLACK);
    for alpha in 0..=16 {
        canvas.blend(alpha, 0, 0xFFFF, alpha as u32);
    }
    assert_eq!(memory.at(0, 0), 0);
    assert_eq!(memory.at(16, 0), 0xFFFF);
    assert_eq!(memory.at(8, 0), raw(Rgb565::new(15, 31, 15)));
    for alpha in 1..=16 {
        assert!(memory.at(alpha, 0) > memory.at(alpha - 1, 0));
    }
}

#[test]
fn text_is_what_was_written() {
    for (width, height) in [(240, 320), (480, 800), (1024, 600)] {
        let mut memory = Memory::new(width, height);
        let face = Face::for_width(u32::from(width));
        let cell = face.cell();
        let area = Rectangle::new(
            Point::new(cell.width as i32, cell.height as i32),
            Size::new(cell.width * 12, cell.height * 3),
        );
        memory.canvas().wipe(GROUND);
        let below = face.paragraph(
            &mut memory.canvas(),
            area,
            "Panel \"x\" of 7: incomprehensible \u{e9}",
            TEXT,
        );
        let (left, top) = (cell.width as usize, cell.height as usize);
        let lines: Vec<_> = (0..3)
            .map(|row| memory.read(face, left, top * (row + 1), 12))
            .collect();
        assert_eq!(lines, ["Panel \"x\" of", "7:          ", "incomprehens"]);
        assert_eq!(below, cell.height as i32 * 4, "no room for a fourth line");
        assert_eq!(
            memory.read(face, left, 4 * top, 1),
            " ",
            "what does not fit is left out"
        );
        face.line(&mut memory.canvas(), Point::zero(), "\u{e9}", ERROR);
        assert_eq!(memory.read(face, 0, 0, 1), "?");
    }
}

#[test]
fn the_console_wraps_scrolls_and_filters() {
    let mut memory = Memory::new(100, 100);
    let face = Face::for_width(100);
    let area = Rectangle::new(Point::new(10, 20), Size::new(6 * 8 + 5, 3 * 12 + 9));
    let mut console = Console::new(area, face, TEXT, GROUND);
    assert_eq!((console.columns(), console.rows()), (8, 3));
    memory.canvas().wipe(Rgb565::RED);
    console.clear(&mut memory.canvas());
    let outside = memory.count(Rgb565::RED);
    let lines = |memory: &Memory| -> Vec<String> {
        (0..3)
            .map(|row| memory.read(face, 10, 20 + row * 12, 8))
            .collect()
    };

    writeln!(console.on(&mut memory.canvas()), "a\x07b\x1b[1mc\td").unwrap();
    assert_eq!(lines(&memory), ["ab[1mc  ", "d       ", "        "]);
    console.clear(&mut memory.canvas());
    console.write(&mut memory.canvas(), "12345678");
    console.write(&mut memory.canvas(), "9\rX\nlast\n");
    assert_eq!(lines(&memory), ["12345678", "X       ", "last    "]);
    console.write(&mut memory.canvas(), "more");
    assert_eq!(lines(&memory), ["X       ", "last    ", "more    "]);
    console.write(&mut memory.canvas(), "\n\n\n\n\nend");
    assert_eq!(lines(&memory), ["        ", "        ", "end     "]);
    assert_eq!(memory.count(Rgb565::RED), outside, "nothing else moved");

    let mut none = Console::new(Rectangle::zero(), face, TEXT, GROUND);
    none.write(&mut memory.canvas(), "nobody sees this\n");
    assert_eq!(memory.count(Rgb565::RED), outside);
}

#[test]
fn the_mark_is_drawn_and_its_edges_are_soft() {
    let mut memory = Memory::new(480, 240);
    memory.canvas().wipe(Rgb565::BLACK);
    mark::draw(
        &mut memory.canvas(),
        Point::new(40, 20),
        400,
        Rgb565::WHITE,
        Rgb565::RED,
    );
    let size = mark::size(400);
    let ink = memory.count(Rgb565::WHITE);
    let all = (size.width * size.height) as usize;
    assert!((all / 5..all / 2).contains(&ink), "{ink} of {all}");
    assert!(memory.count(Rgb565::RED) > 200, "the dot");
    let soft = 480 * 240 - ink - memory.count(Rgb565::RED) - memory.count(Rgb565::BLACK);
    assert!((500..6000).contains(&soft), "{soft}");
    let (right, bottom) = (40 + size.width as usize, 20 + size.height as usize);
    for y in 0..240 {
        for x in 0..480 {
            let inside = (39..=right).contains(&x) && (19..=bottom).contains(&y);
            assert!(inside || memory.at(x, y) == 0, "{x} {y}");
        }
    }
}

#[test]
fn the_error_page_shows_its_code_large() {
    let mut memory = Memory::new(480, 800);
    let page = ErrorPage {
        version: VERSION,
        code: "EMMC-GONE",
        sentence: "The eMMC does not answer.",
        remedy: "Switch off and on.",
        next: "",
    };
    let rest = pages::error(&mut memory.canvas(), &page);
    let face = Face::for_width(480);
    let large = face.larger(3);
    assert_eq!(memory.read(large, 20, 60, 9), "EMMC-GONE");
    assert_eq!(memory.read(face, 20, 133, 25), page.sentence);
    assert!(rest.top_left.y > 133 && rest.size.height.is_multiple_of(20));
}

#[test]
fn the_wizard_page_reaches_every_edge() {
    for (width, height) in [(240, 320), (480, 854)] {
        let mut memory = Memory::new(width, height);
        draw_wizard(&mut memory.canvas());
        let (right, bottom) = (usize::from(width) - 1, usize::from(height) - 1);
        for x in 0..=right {
            assert_eq!((memory.at(x, 0), memory.at(x, bottom)), (0xFFFF, 0xFFFF));
        }
        for y in 0..=bottom {
            assert_eq!((memory.at(0, y), memory.at(right, y)), (0xFFFF, 0xFFFF));
        }
        assert_eq!(memory.at(2, 2), 0xF800, "top left is red");
        assert_eq!(memory.at(right - 2, 2), 0x07E0, "top right is green");
        assert_eq!(memory.at(2, bottom - 2), 0x001F, "bottom left is blue");
        for colour in [Rgb565::YELLOW, Rgb565::CYAN, Rgb565::MAGENTA] {
            let least = usize::from(width) / 7 * (usize::from(height) / 5 - 1);
            assert!(memory.count(colour) >= least, "a bar of {colour:?}");
        }
    }
}

/// A LOGO partition with these pictures, and its length.
fn logo_partition(pictures: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut offset = 8 + 4 * pictures.len();
    let total = offset + pictures.iter().map(Vec::len).sum::<usize>();
    for word in [pictures.len(), total] {
        body.extend((word as u32).to_le_bytes());
    }
    for picture in pictures {
        body.extend((offset as u32).to_le_bytes());
        offset += picture.len();
    }
    body.extend(pictures.concat());
    let mut partition = Header::build("LOGO", body.len() as u32).unwrap().to_vec();
    partition.extend(body);
    partition.resize(0x30_0000, 0xFF);
    partition
}

/// A picture as the partition has it, and its pixels.
fn picture(width: u16, height: u16) -> (Vec<u8>, Vec<u16>) {
    let pixels: Vec<u16> = (0..u32::from(width) * u32::from(height))
        .map(|index| (index / 3 * (index / 900 % 13)) as u16)
        .collect();
    let bytes: Vec<u8> = pixels
        .iter()
        .flat_map(|pixel| pixel.to_le_bytes())
        .collect();
    (pack(&bytes), pixels)
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn window() -> std::boxed::Box<[u8; WINDOW_BYTES]> {
    let window = std::vec![0; WINDOW_BYTES].into_boxed_slice();
    window.try_into().unwrap()
}

fn show(partition: &[u8], memory: &mut Memory) -> Result<(), LogoError> {
    let stream = logo::find(
        &partition[..HEAD_BYTES.min(partition.len())],
        partition.len() as u64,
        BOOT_LOGO,
    )?;
    let stream = &partition[stream.offset as usize..][..stream.len as usize];
    let mut window = window();
    logo::unpack(&mut memory.canvas(), stream, &mut window)
}

#[test]
fn the_phones_logo_is_shown_as_it_is() {
    for (width, height) in [(240, 320), (480, 800), (250, 101)] {
        let (packed, pixels) = picture(width, height);
        let (other, _) = picture(10, 10);
        let partition = logo_partition(&[packed, other]);
        let mut memory = Memory::new(width, height);
        show(&partition, &mut memory).unwrap();
        for (y, line) in pixels.chunks(usize::from(width)).enumerate() {
            let start = y * usize::from(memory.pitch);
            assert!(memory.pixels[start..start + line.len()] == *line, "{y}");
        }
        assert!(memory.padding_is_untouched());
    }
}

#[test]
fn a_logo_for_another_panel_or_a_bomb_is_refused() {
    let mut memory = Memory::new(240, 320);
    let expected = 240 * 320 * 2;
    let wrong = Err(LogoError::Size { expected });
    for bytes in [0, 1, expected - 2, expected - 1, expected + 1, expected + 2] {
        let packed = pack(&std::vec![7; bytes as usize]);
        assert_eq!(
            show(&logo_partition(&[packed]), &mut memory),
            wrong,
            "{bytes}"
        );
    }
    let (larger, _) = picture(480, 800);
    assert_eq!(show(&logo_partition(&[larger]), &mut memory), wrong);
    let bomb = pack(&std::vec![0; 64 << 20]);
    assert!(bomb.len() < 70_000);
    let since = std::time::Instant::now();
    assert_eq!(show(&logo_partition(&[bomb]), &mut memory), wrong);
    assert!(since.elapsed().as_millis() < 500, "stopped at one frame");
    assert!(memory.padding_is_untouched());
}

#[test]
fn a_damaged_logo_partition_has_its_reason() {
    use crate::error::Code as _;
    let (packed, _) = picture(240, 320);
    let good = logo_partition(std::slice::from_ref(&packed));
    let mut memory = Memory::new(240, 320);
    let mut code = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut partition = good.clone();
        change(&mut partition);
        show(&partition, &mut memory).map_or_else(|error| error.code(), |()| "shown")
    };
    let set = |partition: &mut Vec<u8>, at: usize, word: u32| {
        partition[at..at + 4].copy_from_slice(&word.to_le_bytes());
    };
    assert_eq!(code(&|_| {}), "shown");
    assert_eq!(code(&|p| p.fill(0xFF)), "LOGO-HEADER");
    assert_eq!(code(&|p| p.truncate(300)), "LOGO-HEADER");
    assert_eq!(code(&|p| p[8] = b'X'), "LOGO-HEADER");
    assert_eq!(code(&|p| set(p, 4, 0x7FFF_FFFF)), "LOGO-HEADER");
    assert_eq!(code(&|p| set(p, 512, 0)), "LOGO-NONE");
    assert_eq!(code(&|p| set(p, 512, 0xFFFF_FFFF)), "LOGO-TABLE");
    assert_eq!(code(&|p| set(p, 512, 1024)), "LOGO-TABLE");
    assert_eq!(code(&|p| set(p, 516, 0xFFFF_FFFF)), "LOGO-TABLE");
    for start in [0, 11, 0x20_0000, 0xFFFF_FFF0] {
        assert_eq!(code(&|p| set(p, 520, start)), "LOGO-TABLE", "{start:#x}");
    }
    assert_eq!(code(&|p| set(p, 516, 600)), "LOGO-STREAM", "cut off");
    let end = HEADER_AND_TABLE + packed.len();
    assert_eq!(code(&|p| p[end - 1] ^= 1), "LOGO-STREAM", "checksum");
    assert_eq!(code(&|p| p[HEADER_AND_TABLE] ^= 0x55), "LOGO-STREAM");
    for at in (HEADER_AND_TABLE + 2..end).step_by(packed.len() / 97) {
        assert_ne!(code(&|p| p[at] ^= 0x10), "shown", "{at}");
    }
}

const HEADER_AND_TABLE: usize = 512 + 12;

#[test]
fn the_boot_page_falls_back_to_our_logo_and_says_why() {
    let page = BootPage {
        version: VERSION,
        line: "starting",
    };
    let mut memory = Memory::new(240, 320);
    let (packed, pixels) = picture(240, 320);
    let mut window = window();
    let shown = pages::boot(&mut memory.canvas(), &page, Some((&packed, &mut window)));
    assert_eq!(shown, Shown::Phone);
    assert_eq!(memory.at(100, 100), pixels[100 * 240 + 100]);

    let cut = &packed[..packed.len() / 2];
    let shown = pages::boot(&mut memory.canvas(), &page, Some((cut, &mut window)));
    assert_eq!(shown, Shown::Own(Some(LogoError::Stream)));
    let damaged = memory.pixels.clone();
    let shown = pages::boot(&mut memory.canvas(), &page, None);
    assert_eq!(shown, Shown::Own(None));
    assert!(
        memory.pixels == damaged,
        "nothing is left of the half picture"
    );
    assert!(memory.count(ACCENT) > 30, "the dot of the i");
}
