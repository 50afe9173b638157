//! The checks of the build script name file, field and remedy.
#![allow(clippy::unwrap_used, dead_code, missing_docs)]

#[path = "../build/source.rs"]
mod source;

use source::{BoardToml, PanelToml, parse};

const PANEL: &str = r#"
lcm_name = "ili9806e_6572_dsi_vdo"
controller = "ili9806e"
width = 480
height = 854
lanes = 2
mode = "sync-pulse"
format = "rgb888"
vertical = { sync = 2, back = 18, front = 20 }
horizontal = { sync = 10, back = 60, front = 60 }
rate = { div1 = 1, div2 = 1, feedback = 30 }
"#;

const BOARD: &str = r#"
name = "X"
project = "x"
backlight = "isink"
panels = ["p"]
[keys]
volume_up = 2
volume_down = 1
"#;

fn panel_error(from: &str, to: &str) -> String {
    assert!(PANEL.contains(from));
    match parse::<PanelToml>("data/panels/p.toml", &PANEL.replace(from, to)) {
        Ok(panel) => panel.check("p").unwrap_err().0,
        Err(error) => error.0,
    }
}

fn board_error(from: &str, to: &str) -> String {
    assert!(BOARD.contains(from));
    let panels = vec![("p".to_string(), parse::<PanelToml>("p", PANEL).unwrap())];
    match parse::<BoardToml>("data/boards/b.toml", &BOARD.replace(from, to)) {
        Ok(board) => board.check("b", &panels).unwrap_err().0,
        Err(error) => error.0,
    }
}

#[test]
fn good_rows_pass() {
    let panel: PanelToml = parse("p", PANEL).unwrap();
    panel.check("p").unwrap();
    let panels = [("p".to_string(), panel)];
    let board: BoardToml = parse("b", BOARD).unwrap();
    board.check("b", &panels).unwrap();
    let text = source::emit(&panels, &[("b".to_string(), board)]);
    assert!(text.contains("feedback: 30") && text.contains("volume_up: Some(2)"));
}

#[test]
fn panel_errors_name_file_and_field() {
    let cases = [
        (
            "lanes = 2",
            "lanes = 4",
            "data/panels/p.toml: lanes: must be 1, 2 or 3",
        ),
        (
            "width = 480",
            "width = 4800",
            "data/panels/p.toml: width, height: must be",
        ),
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
            "lcm_name: must be one word",
        ),
        ("width = 480", "widht = 480", "data/panels/p.toml: "),
    ];
    for (from, to, expected) in cases {
        let error = panel_error(from, to);
        assert!(error.contains(expected), "{error}");
    }
    assert!(panel_error("width = 480", "widht = 480").contains("widht"));
}

#[test]
fn board_errors_name_file_and_field() {
    let cases = [
        (
            "[\"p\"]",
            "[\"q\"]",
            "data/boards/b.toml: panels: there is no data/panels/q.toml",
        ),
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
            "keys: volume_up and volume_down have the same code",
        ),
        ("\"isink\"", "\"candle\"", "data/boards/b.toml: "),
    ];
    for (from, to, expected) in cases {
        let error = board_error(from, to);
        assert!(error.contains(expected), "{error}");
    }
}
