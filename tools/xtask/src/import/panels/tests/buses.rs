//! Panels on the LCD controller's buses and on DPI, and those that the chip
//! cannot drive.

use super::{has, lacks, refusal, row};
use serde_json::{Value, json};

/// A panel on a parallel bus.
fn parallel(changes: &Value) -> Value {
    let mut all = json!({
        "interface": "dbi_parallel", "lanes": null, "ps": null, "pll": null, "format": "rgb666",
        "dbi": {"data_width": 3, "cpu_write_bits": 32, "parallel.write_setup": 2, "parallel.write_wait": 6,
            "parallel.read_latency": 40},
        "init": [{"cmd": 17, "args": [], "delay_ms": 120}, {"cmd": 41, "args": []}],
        "suspend": [{"cmd": 40, "args": []}, {"cmd": 16, "args": []}],
        "id_read": {"method": "none"}, "mt6572_fit": false
    });
    for (key, value) in changes.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

#[test]
fn panels_on_a_parallel_bus() {
    let words = json!({"match": [{"dbi": [
            {"cmd": 211, "word": 2, "byte": 0, "value": 90, "mask": 255},
            {"cmd": 211, "word": 3, "byte": 0, "value": 6, "mask": 255},
            {"cmd": 211, "word": 3, "byte": 1, "value": 62, "mask": 255}]}],
        "compared_consts": [38918],
        "seq": [{"cmd": 185, "args": [255]}, {"cmd": 211, "args": []}, {"op": "read_dbi", "cmd": 211}]});
    let row = row(&parallel(&json!({ "id_read": words })));
    lacks(&row, "lanes");
    lacks(&row, "rate");
    has(&row, "init = \"\"\"\n11\ndelay 120\n29\n\"\"\"\n");
    has(
        &row,
        "[bus.parallel]\nwidth = 18\naccess = 32\nwrite = { setup = 2, strobe = 6, hold = 0 }\n",
    );
    has(&row, "read = { setup = 0, strobe = 40, hold = 0 }\n");
    // Any two words with this sum would do for the driver: 0x9806 is meant.
    has(
        &row,
        "unlock = [\"B9 FF\"]\nreads = [\"D3 4\"]\nmatch = [\"D3[2]=98\", \"D3[3]=06\"]\n",
    );
}

#[test]
fn registers_of_sixteen_bits_and_display_on_with_every_picture() {
    let row = row(&parallel(&json!({
        "init": [{"cmd": 61440, "args": [85]}, {"cmd": 4352, "args": [0], "delay_ms": 120}],
        "suspend": [{"cmd": 42, "args": [0]}, {"cmd": 44, "args": [0]}]
    })));
    has(
        &row,
        "# Its driver sends display-on with every picture.\ninit = \"\"\"\nF000 0055\n1100 0000\ndelay 120\n2900\n",
    );
    has(&row, "power_down = \"\"\"\n2800\ndelay 20\n1000\n");
    has(&row, "wide = true\n");
}

#[test]
fn dpi_panels_of_this_chip_are_named() {
    let dpi = |socs: Value| parallel(&json!({"interface": "dpi", "socs": socs}));
    let row = row(&dpi(json!(["mt6571"])));
    has(&row, "bus = \"dpi\"\n");
    lacks(&row, "init");
    assert!(refusal(&dpi(json!(["mt6582"]))).contains("dpi"));
}

#[test]
fn panels_that_the_chip_cannot_drive() {
    for (changes, reason) in [
        (json!({"lanes": 4}), "it has 4 DSI lanes"),
        (json!({"width": 720, "height": 1280}), "720x1280 pixels"),
        (json!({"mt6572_fit": false}), "two DSI hosts"),
        (
            json!({"interface": "dpi_lvds"}),
            "its interface is dpi_lvds",
        ),
        (json!({"interface": null}), "not in the facts"),
        (json!({"pll": null}), "states no rate"),
        (
            json!({"interface": "dsi_video_burst"}),
            "without horizontal blanking",
        ),
        (
            json!({"extraction": {"init": "failed", "reasons": {"init": ["no writes"]}}}),
            "not in the facts: no writes",
        ),
        (parallel(&json!({"dbi": {"data_width": 4}})), "24 lines"),
    ] {
        assert!(
            refusal(&changes).contains(reason),
            "{reason}: {}",
            refusal(&changes)
        );
    }
}
