//! Panels that are as they should be.

use std::io::Write as _;

use crate::phone::Phone;

/// Board file, row, driver.
const PANELS: [(&str, &str, &str); 5] = [
    (
        "dbi/ili9488-18bit",
        "ili9488-hvga-tkc-drv",
        "ili9488_hvga_tkc_drv",
    ),
    ("dbi/hx8369-18bit", "hx8369-mcu-6572", "hx8369_mcu_6572"),
    ("dbi/st7789h-8bit", "st7789h2-dbi", "st7789h2_dbi"),
    ("dbi/nt35510-16bit", "nt35510-mcu-6572", "nt35510_mcu_6572"),
    (
        "dbi/yx240qv29-serial",
        "yx240qv29-serial",
        "yx240qv29_serial",
    ),
];

/// Its registers name the controller; the hint picks one of those that answer
/// alike.
#[test]
fn each_is_identified_by_its_registers_and_shows_a_picture() {
    for (board, row, driver) in PANELS {
        let boot = Phone::new(board).boot();
        boot.run.is_clean();
        boot.run.says(&["panel", "(id"]);
        boot.run.says(&["panel", row]);

        let boot = Phone::new(board).hinted(driver).boot();
        boot.run.is_clean();
        assert_eq!(boot.told("panel-id"), Some(row), "{}", boot.run);
        assert_eq!(boot.told("panel"), Some(driver));
        assert_eq!(boot.told("panel-certainty"), Some("confirmed"));
        boot.run.says(&["panel", row, "(hint,id)"]);
        assert_eq!(boot.glass(), "picture", "{}", boot.run);
        assert!(boot.lit().colours() > 2, "{board}: nothing is drawn");
        println!("{board}: lit after {:?} ms", boot.light_ms());
    }
}

/// Four fields and a black line all around.
fn expected(x: usize, y: usize) -> u16 {
    if x == 0 || y == 0 || x == 319 || y == 479 {
        return 0;
    }
    match (x < 160, y < 240) {
        (true, true) => 0xF800,
        (false, true) => 0x07E0,
        (true, false) => 0x001F,
        (false, false) => 0xFFFF,
    }
}

fn logo() -> Vec<u8> {
    let pixels = (0..480).flat_map(|y| (0..320).map(move |x| expected(x, y)));
    let bytes: Vec<u8> = pixels.flat_map(u16::to_le_bytes).collect();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(&bytes).unwrap();
    let picture = zlib.finish().unwrap();
    let mut body = Vec::new();
    for word in [1, 12 + picture.len() as u32, 12] {
        body.extend(word.to_le_bytes());
    }
    body.extend(picture);
    unilk::mtk::with_header("LOGO", &body).unwrap()
}

/// Every pixel where it belongs and in its colour.
#[test]
fn the_phones_own_logo_arrives_pixel_by_pixel() {
    let boot = Phone::new("dbi/ili9488-18bit")
        .hinted("ili9488_hvga_tkc_drv")
        .with_logo(logo())
        .boot();
    boot.run.is_clean();
    let shown = boot.lit();
    assert_eq!(shown.size(), (320, 480));
    // The boot mode is written over its lower end.
    for y in (0..440).chain(475..480) {
        for x in 0..320 {
            let wanted = expected(x, y);
            let field = |shift: u16, bits: u16| {
                let all = (1 << bits) - 1;
                u32::from(wanted >> shift & all) * 255 / u32::from(all)
            };
            let wanted = [field(11, 5), field(5, 6), field(0, 5)];
            let pixel = shown.pixel(x, y).unwrap();
            let close = std::iter::zip(pixel, wanted);
            let close = close.map(|(shown, wanted)| u32::from(shown).abs_diff(wanted));
            assert!(close.max() < Some(8), "{x},{y}: {pixel:?}, not {wanted:?}");
        }
    }
}

/// The preloader left the pads alone, the phone's own firmware names the panel.
#[test]
fn a_hint_opens_the_pads_if_nobody_has_them() {
    let phone = || {
        let phone = Phone::new("dbi/ili9488-18bit").hinted("ili9488_hvga_tkc_drv");
        let modes = phone_pads(&phone);
        phone.with(&modes, "inputs = [57]")
    };
    let boot = phone().boot();
    boot.run.is_clean();
    assert_eq!(boot.told("panel-certainty"), Some("confirmed"));
    assert_eq!(boot.glass(), "picture", "{}", boot.run);
    // A touch chip's reset is on the pad of the write strobe.
    let boot = phone().with("inputs = [57]", "").boot();
    boot.run.is_clean();
    assert_ne!(boot.glass(), "picture");
    boot.run.says(&["LCM-SILENT"]);
    boot.run.says(&["DBI-PADS", "boot goes on"]);
}

fn phone_pads(phone: &Phone) -> String {
    let mut lines = phone.text().lines();
    lines
        .find(|line| line.starts_with("modes"))
        .unwrap()
        .to_owned()
}

/// Its pads are where a DBI panel would be asked; it answers over DSI.
#[test]
fn a_dsi_panel_is_found_behind_an_empty_bus() {
    let pads: Vec<String> = (14..32).map(|pin| format!("{pin} = 1")).collect();
    let boot = Phone::new("identify/unknown-rm68172")
        .and(&format!(
            "\n[pins]\nmodes = {{ {}, 56 = 2, 57 = 2, 58 = 2, 60 = 2 }}\n",
            pads.join(", ")
        ))
        .boot();
    boot.run.is_clean().never_says("LCM-SILENT");
    let candidates = boot.told("panel-candidates").unwrap_or("none");
    assert!(candidates.contains("rm68172"), "{candidates}: {}", boot.run);
    println!("lit after {:?} ms", boot.light_ms());
}

#[test]
fn a_dpi_panel_is_named_and_refused() {
    let file = "dbi/ili9488-18bit";
    let boot = Phone::new(file)
        .with(
            "backlight = \"isink\"",
            "backlight = \"isink\"\nfaults = { unplugged = true }",
        )
        .hinted("bl24086_p1213")
        .boot();
    boot.run.is_clean();
    boot.run.says(&["LCM-DPI", "boot goes on without a screen"]);
    boot.run.says(&["panel bl24086-p1213", "(hint"]);
    assert_eq!(boot.told("panel"), Some("bl24086_p1213"));
    assert_eq!(boot.glass(), "absent");
}
