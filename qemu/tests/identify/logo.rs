//! The phone's own picture, out of its LOGO partition, on the emulated glass.
//!
//! Source: facts/display.md 7.1 to 7.3, facts/storage-and-images.md 1.6.

use std::io::Write as _;
use std::ops::Range;

use unilk_phone::Screen;

use crate::common::phone::Scratch;
use crate::common::{Run, TestPhone, image};

/// The panel of the demo's phone.
const WIDTH: usize = 480;
const HEIGHT: usize = 854;
/// Rows in which the boot mode is written.
const LINE: Range<usize> = 810..840;
/// A charger's picture, which must not be taken for the boot logo.
const OTHER: u16 = 0x001F;

/// Four fields: red, green, blue and white, and a black line all around.
fn expected(x: usize, y: usize) -> u16 {
    if x == 0 || y == 0 || x == WIDTH - 1 || y == HEIGHT - 1 {
        return 0;
    }
    match (x < WIDTH / 2, y < HEIGHT / 2) {
        (true, true) => 0xF800,
        (false, true) => 0x07E0,
        (true, false) => 0x001F,
        (false, false) => 0xFFFF,
    }
}

fn zlib(pixels: impl Iterator<Item = u16>) -> Vec<u8> {
    let bytes: Vec<u8> = pixels.flat_map(u16::to_le_bytes).collect();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(&bytes).unwrap();
    zlib.finish().unwrap()
}

/// A LOGO partition of these pictures.
fn logo(pictures: &[Vec<u8>]) -> Vec<u8> {
    let head = 8 + 4 * pictures.len();
    let total = head + pictures.iter().map(Vec::len).sum::<usize>();
    let mut body = Vec::new();
    body.extend((pictures.len() as u32).to_le_bytes());
    body.extend((total as u32).to_le_bytes());
    let mut at = head;
    for picture in pictures {
        body.extend((at as u32).to_le_bytes());
        at += picture.len();
    }
    body.extend(pictures.iter().flatten());
    unilk::mtk::with_header("LOGO", &body).unwrap()
}

fn pixels() -> impl Iterator<Item = u16> {
    (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| expected(x, y)))
}

/// The demo's phone with this in LOGO, and what it shows when it is lit.
fn boot(partition: Vec<u8>) -> (Run, Screen) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/boards/demo.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, board) = text.split_once("\n[dram]").unwrap();
    let pictures = Scratch::new();
    let folder = pictures.path().to_owned();
    let run = TestPhone::new()
        .board(&format!("[dram]{board}"))
        .part("BOOTIMG", image("tk.image=bootimg").build().unwrap())
        .part("LOGO", partition)
        .change(move |phone| phone.screen(folder))
        .run();
    run.is_clean().is_off();
    let shown = run.outcome.screen(pictures.path(), "backlight-on").unwrap();
    (run, shown)
}

/// Whether the phone's picture is on the glass. The panel may have fewer
/// shades than RGB565 spread to bytes.
fn is_own_picture(screen: &Screen) -> bool {
    let close = |shown: [u8; 3], wanted: u16| {
        let field = |shift: u16, bits: u16| {
            let all = (1 << bits) - 1;
            u32::from(wanted >> shift & all) * 255 / u32::from(all)
        };
        let wanted = [field(11, 5), field(5, 6), field(0, 5)];
        std::iter::zip(shown, wanted).all(|(shown, wanted)| u32::from(shown).abs_diff(wanted) < 8)
    };
    assert_eq!(screen.size(), (WIDTH, HEIGHT));
    // The boot mode is written over its lower end.
    let mut free = (0..HEIGHT).filter(|y| !LINE.contains(y));
    free.all(|y| {
        (0..WIDTH).all(|x| {
            screen
                .pixel(x, y)
                .is_some_and(|pixel| close(pixel, expected(x, y)))
        })
    })
}

#[test]
fn the_phones_own_logo_is_shown() {
    let other = std::iter::repeat_n(OTHER, WIDTH * HEIGHT);
    let (run, screen) = boot(logo(&[zlib(pixels()), zlib(other)]));
    run.check(is_own_picture(&screen), "it is not the phone's picture");
    run.never_says("LOGO-");
}

/// A picture of another panel's size would be a skewed one: ours instead.
#[test]
fn a_logo_of_another_panel_is_not_shown() {
    let other = std::iter::repeat_n(OTHER, 480 * 800);
    let (run, screen) = boot(logo(&[zlib(other)]));
    run.says(&["LOGO-SIZE", "the own logo is shown"]);
    run.check(screen.colours() > 2, "there is no picture");
}

#[test]
fn a_damaged_logo_is_not_shown() {
    let mut packed = zlib((0..HEIGHT * WIDTH).map(|at| ((at * at) >> 3) as u16));
    let middle = packed.len() / 2;
    packed[middle..].fill(0xA5);
    let (run, screen) = boot(logo(&[packed]));
    run.says(&["LOGO-STREAM", "the own logo is shown"]);
    run.check(
        screen.colours() > 2 && screen.colours() < 1000,
        "half of a damaged picture is shown",
    );
}
