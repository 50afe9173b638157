//! The checks of the build script name file, field and remedy.
#![allow(clippy::unwrap_used, dead_code, missing_docs)]

mod rows;
#[path = "../build/source/mod.rs"]
mod source;

use rows::{BOARD, CAMERA, PANEL, TOUCH, WIRING, panel};
use source::boards::Known;
use source::{BoardToml, CameraToml, TouchToml, WiringToml, parse, plan};

const KNOWN: fn() -> Known<'static> = || Known {
    panels: vec!["p"],
    touch: vec!["t"],
    cameras: vec!["c"],
    wirings: vec!["w"],
};

/// The complaint about `text` with `from` replaced.
fn complaint(kind: &str, text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    let text = text.replacen(from, to, 1);
    let file = format!("data/{kind}/x.toml");
    let outcome = match kind {
        "panels" => return panel(&text).unwrap_err(),
        "touch" => parse::<TouchToml>(&file, &text).and_then(|row| row.check("x")),
        "cameras" => parse::<CameraToml>(&file, &text).and_then(|row| row.check("x")),
        "wiring" => parse::<WiringToml>(&file, &text).and_then(|row| row.check("x")),
        _ => parse::<BoardToml>(&file, &text).and_then(|row| row.check("x", &KNOWN())),
    };
    outcome.unwrap_err().0
}

fn all_complain(kind: &str, text: &str, cases: &[(&str, &str, &str)]) {
    for (from, to, expected) in cases {
        let error = complaint(kind, text, from, to);
        assert!(error.contains(expected), "{to}: {error}");
        assert!(error.starts_with(&format!("data/{kind}/")), "{error}");
    }
}

#[test]
fn good_rows_pass() {
    let panel = panel(PANEL).unwrap();
    assert_eq!(panel.reset, [(true, 1), (false, 10), (true, 120)]);
    assert_eq!(
        panel.init,
        [
            0x39, 6, 0xFF, 0xFF, 0x98, 6, 4, 1, 0x15, 2, 8, 0x10, 5, 1, 0x11, 0, 120, 0, 5, 1, 0x29
        ]
    );
    assert_eq!(panel.power_down, [5, 1, 0x28, 1, 0, 10, 0]);
    assert_eq!(panel.ids[0].terms.len(), 4);
    let rows = [panel.plan_row()];
    let plan = plan::make(&rows);
    assert_eq!(plan.stages.len(), 1);
    assert_eq!(plan.stages[0].name, "ilitek FF FF 98 06 04 01");
    assert_eq!(plan.questions.len(), 2);
    let panels = [("p".to_string(), panel)];
    let touch = [("t".to_string(), parse::<TouchToml>("t", TOUCH).unwrap())];
    touch[0].1.check("t").unwrap();
    let cameras = [("c".to_string(), parse::<CameraToml>("c", CAMERA).unwrap())];
    cameras[0].1.check("c").unwrap();
    let wirings = [("w".to_string(), parse::<WiringToml>("w", WIRING).unwrap())];
    wirings[0].1.check("w").unwrap();
    let boards = [("b".to_string(), parse::<BoardToml>("b", BOARD).unwrap())];
    boards[0].1.check("b", &KNOWN()).unwrap();
    let text = source::emit::emit(source::emit::Table {
        panels: &panels,
        plan: &plan,
        clusters: &[],
        touch: &touch,
        cameras: &cameras,
        wirings: &wirings,
        boards: &boards,
    })
    .map_err(|problem| problem.0)
    .unwrap();
    for part in [
        "feedback: 30",
        "volume_up: Some(2)",
        "Term::Voltage { channel: 0, from_mv: 500, to_mv: 800 }",
        "Supply { rail: Rail::Vgp2, mv: 2800 }",
        "CAMERAS_REGISTERS: [u16; 2] = [\n12298,\n12299,\n]",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn panels() {
    all_complain(
        "panels",
        PANEL,
        &[
            ("lanes = 2", "lanes = 4", "lanes: must be 1, 2 or 3"),
            (
                "\"ili9806e_6572_dsi_vdo\"",
                "\"same\", \"other\", \"same\"",
                "names: \"same\" stands there twice: remove one",
            ),
            ("width = 480", "width = 4800", "width, height: must be"),
            (
                "\"sync-pulse\"",
                "\"command\"",
                "vertical, horizontal: leave out",
            ),
            ("vertical = {", "# {", "vertical, horizontal: add both"),
            (
                "feedback = 30",
                "feedback = 30, pll_mhz = 200",
                "rate: give either",
            ),
            (
                "ili9806e_6572_dsi_vdo",
                "two words",
                "names: must be one word",
            ),
            ("\"ili9806e_6572_dsi_vdo\"", "", "names: give at least"),
            ("width = 480", "widht = 480", "widht"),
            ("\"high 120\"", "\"high 2\"", "reset: must end with"),
            ("\"low 10\"", "\"down 10\"", "reset: \"down 10\""),
            (
                "\"high 120\"]",
                "\"high 120\", \"low 5\"]",
                "reset: must end with",
            ),
        ],
    );
}

#[test]
fn impossible_timings() {
    let rate = "rate = { div1 = 1, div2 = 1, feedback = 30 }";
    all_complain(
        "panels",
        PANEL,
        &[
            (
                "sync = 2",
                "sync = 0",
                "vertical: sync, back and front must be at least 1",
            ),
            (
                "back = 60",
                "back = 0",
                "horizontal: sync, back and front must be at least 1",
            ),
            (
                "back = 18",
                "back = 128",
                "vertical: sync, back and front must be at most 127",
            ),
            (
                "front = 60",
                "front = 1366",
                "horizontal: sync and back together, or front",
            ),
            // 480 x 854 at 24 bits with these porches takes 6.5 Mbit a frame.
            (
                rate,
                "rate = { pll_mhz = 130 }",
                "rate: 260 Mbit/s on 2 lanes is too low for the pixels: 39 frames",
            ),
            (
                rate,
                "rate = { pll_mhz = 300 }",
                "rate: 600 Mbit/s on 2 lanes is too high for the pixels: 91 frames",
            ),
            ("lanes = 2", "lanes = 1", "390 Mbit/s on 1 lanes is too low"),
            (
                rate,
                "rate = { pll_mhz = 700 }",
                "rate: makes 1400 Mbit/s on a lane",
            ),
            ("feedback = 30", "feedback = 63, div3 = 1", "div3"),
            (
                "div1 = 1, div2 = 1, feedback = 30",
                "div1 = 2, div2 = 2, feedback = 10",
                "rate: makes 32 Mbit/s",
            ),
        ],
    );
    // Who says that the source is not certain is believed a little more.
    let doubtful = PANEL.replace("lanes = 2", "lanes = 1\ndoubtful = true");
    panel(&doubtful).unwrap();
    let hopeless = doubtful.replace(rate, "rate = { pll_mhz = 60 }");
    assert!(
        panel(&hopeless)
            .unwrap_err()
            .contains("9 frames a second where 20 to 200")
    );
}

#[test]
fn overlong_tables() {
    let line = format!("29 B9{}\n", " 00".repeat(123));
    let error = complaint("panels", PANEL, "15 08 10", &line.repeat(33));
    assert!(
        error.contains("init: makes 4175 bytes, the most is 4096"),
        "{error}"
    );
    panel(&PANEL.replace("15 08 10", &line.repeat(32))).unwrap();
    let error = complaint("panels", PANEL, "05 28", &"delay 1000\n".repeat(3));
    assert!(
        error.contains("power_down: waits 3010 ms in all"),
        "{error}"
    );
}

#[test]
fn scripts() {
    let long = format!("29 B9{}", " 00".repeat(124));
    all_complain(
        "panels",
        PANEL,
        &[
            ("15 08 10", "15 08", "init: line \"15 08\": a short write"),
            ("15 08 10", "77 08 10", "the data type must be"),
            ("15 08 10", "15 8 10", "must be bytes in hexadecimal"),
            (
                "15 08 10",
                "39",
                "give the data type and at least the command",
            ),
            ("15 08 10", &long, "is longer than 124 bytes"),
            ("delay 120", "delay 5000", "give milliseconds"),
            ("reset low 10", "reset down 10", "power_down: line"),
            ("delay 120", "max-return 11", "give bytes, 1 to 10"),
        ],
    );
}

#[test]
fn one_time_memory_is_never_written() {
    for (controller, line) in [
        ("hx8369a", "29 BB 01"),
        ("hx8379c", "15 BB 01"),
        ("ili9488", "39 D0 01 02 66"),
        ("ili9488", "39 D1 55 AA 66"),
        ("st7796s", "39 D1 55"),
        ("r61408", "23 E0 01"),
    ] {
        let text = PANEL
            .replace("\"ili9806e\"", &format!("\"{controller}\""))
            .replace("15 08 10", line);
        let error = panel(&text).unwrap_err();
        assert!(error.contains("one-time memory"), "{controller}: {error}");
    }
    // The same numbers are ordinary registers elsewhere.
    panel(&PANEL.replace("15 08 10", "29 D1 00 00")).unwrap();
}

#[test]
fn pixels_are_left_out() {
    let pixels = format!("39 2C{}", " FF".repeat(150));
    let with = panel(&PANEL.replace("15 08 10", &format!("15 08 10\n{pixels}"))).unwrap();
    assert_eq!(with.init, panel(PANEL).unwrap().init);
}

#[test]
fn ids() {
    all_complain(
        "panels",
        PANEL,
        &[
            ("\"01[0]&F0=00\"", "\"02[0]=04\"", "id.match: \"02[0]=04\""),
            ("\"00[0]=98\"", "\"00[1]=98\"", "id.match: \"00[1]=98\""),
            ("&F0=00", "&F0=08", "id.match: \"01[0]&F0=08\""),
            ("strap1=high", "strap3=high", "id.match: \"strap3=high\""),
            (
                "adc0=500..800",
                "adc0=800..500",
                "id.match: \"adc0=800..500\"",
            ),
            ("\"00[0]=98\"", "\"01[0]&F0=00\"", "stands there twice"),
            ("\"00 1\"", "\"00 11\"", "id.reads: \"00 11\""),
            ("[\"39 FF", "[\"40 FF", "id.unlock: line"),
        ],
    );
}

#[test]
fn touch_chips() {
    all_complain(
        "touch",
        TOUCH,
        &[
            ("[0x38]", "[0x78]", "addresses: give 7-bit"),
            (
                "values = [[0x06]]",
                "values = [[0x06], [1, 2]]",
                "probe: expect",
            ),
            ("read = 1", "read = 0", "looks at more bytes"),
            ("expect = {", "# {", "no step expects anything"),
            ("[0xA3]", "[0xA3, 0, 1]", "say `intrusive = true`"),
            (
                "[0xA3]",
                "[0xA3]\nwrite_from = { step = 0, byte = 0 }",
                "write_from",
            ),
            ("wait_ms = 200", "wait_ms = 2000", "wait_ms: must be"),
            ("len = 1", "len = 9", "vendor_id, version"),
            ("family", "famly", "famly"),
        ],
    );
}

#[test]
fn cameras() {
    all_complain(
        "cameras",
        CAMERA,
        &[
            ("[0x3C]", "[]", "addresses"),
            (
                "address_bytes = 2",
                "address_bytes = 1",
                "registers: a register is beyond",
            ),
            ("0x5645", "0x15645", "values, mask"),
            (
                "data_bytes = 1",
                "data_bytes = 3",
                "data_bytes: must be 1 or 2",
            ),
            ("core_mv = 1500", "core_mv = 2800", "core_mv: must be"),
            ("[0x300A, 0x300B]", "[]", "registers: give registers"),
        ],
    );
}

#[test]
fn wiring() {
    all_complain(
        "wiring",
        WIRING,
        &[
            ("reset = 57", "reset = 139", "touch.reset: GPIO139"),
            ("reset = 57", "reset = 154", "touch.reset: no such pin"),
            (
                "reset = 57",
                "reset = 59",
                "touch.reset: GPIO59 is also panel.reset",
            ),
            ("mv = 2800", "mv = 3300", "supplies: Vgp2 gives"),
            ("[18, 19]", "[18, 19, 20]", "panel.straps"),
            (
                "\"isink\"",
                "\"isink\"\nbacklight_pin = { pin = 22, mode = 2 }",
                "backlight_pin: leave out",
            ),
            ("controller = 1", "controller = 2", "bus.controller"),
        ],
    );
}

#[test]
fn boards() {
    all_complain(
        "boards",
        BOARD,
        &[
            (
                "[\"p\"]",
                "[\"q\"]",
                "panels: there is no data/panels/q.toml",
            ),
            ("[\"t\"]", "[\"q\"]", "touch: there is no data/touch/q.toml"),
            (
                "[\"c\"]",
                "[\"q\"]",
                "cameras.main: there is no data/cameras/q.toml",
            ),
            ("\"w\"", "\"q\"", "wiring: there is no data/wiring/q.toml"),
            (
                "volume_up = 2",
                "volume_up = 8",
                "keys.volume_up: must be a matrix code",
            ),
            (
                "volume_up = 2",
                "volume_up = 72",
                "keys.volume_up: must be a matrix code",
            ),
            (
                "volume_up = 2",
                "volume_up = 1",
                "volume_up and volume_down have the same code",
            ),
            ("\"isink\"", "\"candle\"", "data/boards/x.toml"),
        ],
    );
}
