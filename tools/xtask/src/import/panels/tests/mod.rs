//! The import on made-up panels: each rule once.
#![allow(clippy::unwrap_used)]

mod buses;
mod files;
mod ids;
mod rows;

use super::{Imported, import};
use serde_json::{Value, json};

/// A DSI panel in command mode that needs nothing special.
fn panel() -> Value {
    json!({
        "id": "ili9806e_x-0123ab", "names": ["ili9806e_x"], "controller": "ili9806e",
        "interface": "dsi_cmd", "width": 480, "height": 800, "lanes": 2,
        "ps": "packed_24bpp_rgb888", "pll": {"clock_mhz": 221}, "reset": [[1, 10], [0, 20], [1, 120]],
        "init": [
            {"cmd": 255, "args": [255, 152, 6, 4, 1], "dt": 57},
            {"cmd": 8, "args": [16], "dt": 21, "delay_ms": 1.02},
            {"cmd": 17, "args": [], "dt": 5, "delay_ms": 120},
            {"cmd": 41, "args": [], "dt": 5}
        ],
        "display_on_via": "init",
        "suspend": [{"cmd": 40, "args": [], "dt": 5}, {"cmd": 16, "args": [], "dt": 5, "delay_ms": 100}],
        "resume": "init",
        "id_read": {"method": "dsi_read",
            "match": [{"dsi": [{"cmd": 0, "byte": 0, "value": 152}, {"cmd": 1, "byte": 0, "value": 6}]}],
            "seq": [{"op": "reset", "level": 1}, {"cmd": 255, "args": [255, 152, 6, 4, 1], "dt": 57}]},
        "mt6572_fit": true, "socs": ["mt6572"], "used_by": ["o/r: p"], "sources_total": 5,
        "sources": ["o/r: a.c", "o/s: a.c", "o/t: a.c", "o/u: a.c"],
        "extraction": {"init": "ok"}
    })
}

const ROW: &str = r#"# Source: facts/panels.json, ili9806e_x-0123ab.
# From: o/r: a.c
# From: o/s: a.c
# From: o/t: a.c
# Seen in: o/r: p.
names = ["ili9806e_x"]
controller = "ili9806e"
width = 480
height = 800
lanes = 2
mode = "command"
format = "rgb888"
rate = { pll_mhz = 221 }
reset = ["high 10", "low 20", "high 120"]
shipped = 1
trees = 5
init = """
39 FF FF 98 06 04 01
15 08 10
delay 1
05 11
delay 120
05 29
"""
power_down = """
05 28
05 10
delay 100
"""

[[id]]
unlock = ["39 FF FF 98 06 04 01"]
reads = ["00 1", "01 1"]
match = ["00[0]=98", "01[0]=06"]
"#;

/// The panel with some fields changed; `null` removes one.
fn with(changes: &Value) -> Value {
    let mut panel = panel();
    for (key, value) in changes.as_object().unwrap() {
        if value.is_null() {
            panel.as_object_mut().unwrap().remove(key);
        } else {
            panel[key] = value.clone();
        }
    }
    panel
}

fn imported(panels: &[Value], overlay: &str) -> Imported {
    import(&Value::from(panels).to_string(), overlay).unwrap()
}

/// The only row of the panel with these changes.
fn row(changes: &Value) -> String {
    let imported = imported(&[with(changes)], "");
    assert_eq!(imported.files.len(), 1, "{}", imported.excluded);
    imported.files.into_values().next().unwrap()
}

/// Why the panel with these changes is no row.
fn refusal(changes: &Value) -> String {
    let imported = imported(&[with(changes)], "");
    assert!(imported.files.is_empty(), "{:?}", imported.files);
    assert!(imported.excluded.contains("ili9806e_x-0123ab"));
    let reason = imported
        .excluded
        .lines()
        .find(|line| line.starts_with("reason"));
    reason.unwrap().to_string()
}

#[track_caller]
fn has(row: &str, lines: &str) {
    assert!(row.contains(lines), "no\n{lines}\nin\n{row}");
}

#[track_caller]
fn lacks(row: &str, text: &str) {
    assert!(!row.contains(text), "{text} in\n{row}");
}
