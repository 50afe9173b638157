//! The import on made-up panels: each rule once.
#![allow(clippy::unwrap_used)]

use super::{Imported, import};
use serde_json::{Value, json};
use std::path::Path;

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

#[test]
fn a_whole_row() {
    assert_eq!(row(&json!({})), ROW);
    let twice = [panel(), with(&json!({"id": "y-1", "names": ["y"]}))];
    let once = imported(&twice, "");
    assert_eq!(once.files, imported(&twice, "").files);
    assert_eq!(once.summary, "2 rows, 2 with an ID, 0 doubtful; 0 left out");
}

#[test]
fn video_panels_have_blanking_and_a_frame_rate() {
    let timing = json!({"vsa": 4, "vbp": 16, "vfp": 20, "hsa": 10, "hbp": 50, "hfp": 60});
    let video = |pll: Value| {
        row(&json!({"interface": "dsi_video_sync_event", "timing": timing, "pll": pll}))
    };
    let row = video(json!({"fbk_div": 30, "pll_div1": 1, "pll_div2": 1, "ssc_disable": 1}));
    has(&row, "mode = \"sync-event\"\n");
    has(&row, "vertical = { sync = 4, back = 16, front = 20 }\n");
    has(&row, "horizontal = { sync = 10, back = 50, front = 60 }\n");
    has(
        &row,
        "rate = { div1 = 1, div2 = 1, feedback = 30 }\nno_spread = true\n",
    );
    lacks(&row, "doubtful");
    has(
        &video(json!({"clock_mhz": 340.5})),
        "# Doubtful: its timing gives 113 frames a second.\ndoubtful = true\n",
    );
}

#[test]
fn a_rate_of_another_chip_is_converted_and_doubtful() {
    let row = row(&json!({"pll": {"pll_div1": 29, "pll_div2": 1}}));
    has(
        &row,
        "26 MHz x 30 / 2 on a lane.\nrate = { pll_mhz = 195 }\n",
    );
    has(&row, "doubtful = true\n");
}

#[test]
fn phy_times_that_the_host_has() {
    let row = row(&json!({"phy": {"CLK_ZERO": 18, "HS_PRPR": 4, "LPX_WAIT": 10}}));
    has(&row, "phy = { hs_prepare = 4, clk_zero = 18 }\n");
}

#[test]
fn resets_of_the_line_of_a_pin_and_of_nothing() {
    has(
        &row(&json!({"reset": [[0, 0], [1, 1]]})),
        "reset = [\"low 1\", \"high 5\"]\n",
    );
    let calls = json!([
        "mt_set_gpio_out(GPIO2,1)",
        "mt_set_gpio_out(GPIO131,0)",
        "delay 50",
        "mt_set_gpio_out(GPIO131,1)",
        "delay 120"
    ]);
    has(
        &row(&json!({"reset": null, "pre_init": calls})),
        "reset = [\"low 50\", \"high 120\"]\n",
    );
    let row = row(&json!({"reset": null}));
    has(
        &row,
        "# Its driver resets by means of its board: the common pulse.\n",
    );
    has(&row, "reset = [\"high 10\", \"low 10\", \"high 120\"]\n");
}

#[test]
fn display_on_may_be_in_resume() {
    let init = json!([{"cmd": 8, "args": [16], "dt": 21}]);
    let on = json!([{"cmd": 17, "args": [0], "dt": 21, "delay_ms": 120}, {"cmd": 41, "args": [0], "dt": 21}]);
    for resume in [on.clone(), json!({"init_plus": on})] {
        let row = row(&json!({"init": init, "display_on_via": "resume", "resume": resume}));
        has(
            &row,
            "# Sleep-out and display-on are in its driver's resume.\n",
        );
        has(&row, "15 08 10\n15 11 00\ndelay 120\n15 29 00\n\"\"\"\n");
    }
    assert!(refusal(&json!({"init": init})).contains("sleep-out and display-on"));
}

#[test]
fn a_power_down_that_initialises_is_replaced() {
    let again: Vec<Value> = (0..14)
        .map(|_| json!({"cmd": 8, "args": [1], "dt": 21}))
        .collect();
    let damaged = json!([{"cmd": 4, "args": [1], "dt": 183}]);
    for suspend in [Value::from(again), json!([]), damaged] {
        let row = row(&json!({ "suspend": suspend }));
        has(&row, "05 28\ndelay 20\n05 10\ndelay 120\n\"\"\"\n");
        has(&row, "the standard one.\npower_down");
    }
}

/// `init` with steps put before the first.
fn before(steps: &Value) -> Value {
    let mut init = steps.as_array().unwrap().clone();
    init.extend(panel()["init"].as_array().unwrap().iter().cloned());
    json!({ "init": init })
}

#[test]
fn steps_that_are_cut_left_out_or_refused() {
    let row = row(&before(&json!([
        {"cmd": 193, "args": [32, 0, 0], "dt": 21},
        {"cmd": 44, "args": [0, 0], "dt": 57},
        {"op": "raw", "words": ["002c3909"]},
        {"op": "max_return", "n": 3, "delay_ms": 10},
        {"op": "reset", "level": 0, "delay_ms": 1},
        {"op": "raw", "dt": 50, "data": [0, 0]}
    ])));
    has(
        &row,
        "init = \"\"\"\n15 C1 20\ndelay 10\nreset low 1\n39 FF FF 98",
    );
    has(
        &row,
        "# Doubtful: its driver also sends a packet 32 without command.\n",
    );
    let unknown = before(&json!([{"op": "raw", "dt": 7, "data": [0]}]));
    assert!(refusal(&unknown).contains("does not explain"));
    let long = before(&json!([{"cmd": 193, "args": vec![1; 127], "dt": 57}]));
    assert!(refusal(&long).contains("128 bytes; the host's queue holds 124"));
}

#[test]
fn what_lies_behind_a_table_is_not_sent() {
    let mut init = panel()["init"].as_array().unwrap().clone();
    init.push(json!({"cmd": 0, "args": [], "dt": 0}));
    init.push(json!({"cmd": 4, "args": [1], "dt": 183}));
    has(&row(&json!({ "init": init })), "05 29\n\"\"\"\n");
}

#[test]
fn one_time_memory_is_left_out_and_said() {
    let mut changes = before(&json!([{"cmd": 187, "args": [1], "dt": 35}]));
    changes["controller"] = json!("hx8369a");
    let row = row(&changes);
    has(
        &row,
        "# Left out: BB, which programs the one-time memory.\ninit",
    );
    lacks(&row, "23 BB 01");
}

/// The sections of a panel whose driver compares so.
fn ids(id_read: &Value, changes: &Value) -> String {
    let mut changes = changes.clone();
    changes["id_read"] = id_read.clone();
    let row = row(&changes);
    row.split_once("[[id]]")
        .map_or(String::new(), |(_, ids)| ids.to_string())
}

#[test]
fn pins_and_voltages_join_what_the_key_says() {
    let pins = json!({"match": [{
        "gpio": [{"pin": "GPIO19", "level": 0}, {"pin": "GPIO_LCM_ID_PIN", "level": 1}],
        "adc": [{"ch": 1, "mv": [[500, 800]]}]
    }]});
    let found = ids(&pins, &json!({}));
    has(
        &found,
        "match = [\"00[0]=98\", \"01[0]=06\", \"02[0]=04\", \"strap2=low\", \"strap2=high\", \"adc1=500..800\"]",
    );
    let raw = |from: u32, to: u32| {
        let adc = json!({"match": [{"adc": [{"ch": "MACRO", "raw": [[from, to]]}]}]});
        ids(&adc, &json!({"init": without_key()}))
    };
    has(&raw(0, 200), "match = [\"adc0=0..73\"]");
    has(&raw(201, 4095), "match = [\"adc0=74..\"]");
}

/// An initialisation that does not name the chip.
fn without_key() -> Value {
    panel()["init"].as_array().unwrap()[1..].to_vec().into()
}

#[test]
fn a_driver_that_does_not_ask_is_known_by_its_key() {
    let row = row(&json!({"id_read": {"method": "always_true"}}));
    has(
        &row,
        "its driver does not ask.\n[[id]]\nunlock = [\"39 FF FF 98 06 04 01\"]\n",
    );
    let silent = ids(&json!({"method": "none"}), &json!({"init": without_key()}));
    assert_eq!(silent, "");
}

#[test]
fn zeros_and_a_boards_function_are_no_identity() {
    let plain = json!({"init": without_key()});
    let zeros = json!({"match": [{"dsi": [{"cmd": 4, "byte": 0, "value": 0}]}]});
    assert_eq!(ids(&zeros, &plain), "");
    let helper = json!({"match": [{"helper": [{"fn": "which_lcd_module", "value": 1}]}]});
    assert_eq!(ids(&helper, &plain), "");
}

#[test]
fn alternatives_that_differ_in_a_pin_are_one() {
    let asks = |level: u8| json!({"dsi": [{"cmd": 4, "byte": 1, "value": 128}], "gpio": [{"pin": "GPIO97", "level": level}]});
    let found = ids(&json!({"match": [asks(0), asks(1)]}), &json!({}));
    has(&found, "reads = [\"04 3\"]\nmatch = [\"04[1]=80\"]\n");
    // The pin alone is enough for the driver: the chip is the same.
    let pin = json!({"gpio": [{"pin": "GPIO97", "level": 0}]});
    let found = ids(&json!({"match": [pin, asks(1)]}), &json!({}));
    has(&found, "match = [\"04[1]=80\"]\n");
}

#[test]
fn what_merged_drivers_compare_counts_too() {
    let other = json!([{"match": [{"dsi": [{"cmd": 218, "byte": 0, "value": 64}]}]}]);
    let row = row(&json!({ "id_variants": other }));
    has(
        &row,
        "match = [\"00[0]=98\", \"01[0]=06\"]\n\n[[id]]\nreads = [\"DA 1\"]\nmatch = [\"DA[0]=40\"]\n",
    );
}

#[test]
fn orise_says_in_a1_what_a_driver_asks_in_d2() {
    let d2 = json!({
        "match": [{"dsi": [{"cmd": 210, "byte": 0, "value": 128}, {"cmd": 210, "byte": 1, "value": 9}]}],
        "seq": [{"cmd": 255, "args": [128, 9, 1], "dt": 41}]
    });
    let found = ids(&d2, &json!({"init": without_key()}));
    has(
        &found,
        "reads = [\"A1 5\"]\nmatch = [\"A1[2]=80\", \"A1[3]=09\"]",
    );
    has(
        &found,
        "\"15 00 02\"]\nreads = [\"D2 2\"]\nmatch = [\"D2[0]=80\", \"D2[1]=09\"]",
    );
}

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

fn file_names(imported: &Imported) -> Vec<&str> {
    let names = imported
        .files
        .keys()
        .map(|path| path.file_stem().unwrap().to_str().unwrap());
    names.collect()
}

#[test]
fn names_that_are_taken_twice_get_their_hash() {
    let panels = [
        with(&json!({"id": "a_b-111111", "names": ["A_B__(c)"]})),
        with(&json!({"id": "a_b-222222", "names": ["a_b_c"]})),
        with(&json!({"id": "d-333333", "names": ["d"]})),
    ];
    let names = imported(&panels, "");
    assert_eq!(file_names(&names), ["a-b-c-111111", "a-b-c-222222", "d"]);
    let names = imported(&panels, "[\"a_b-222222\"]\nfile = \"a-b-c\"\n");
    assert_eq!(file_names(&names), ["a-b-c-111111", "a-b-c", "d"]);
    let same = "[\"a_b-222222\"]\nfile = \"x\"\n[\"d-333333\"]\nfile = \"x\"\n";
    let Err(error) = import(&Value::from(panels.to_vec()).to_string(), same) else {
        panic!("two files of one name");
    };
    assert!(error.to_string().contains("x.toml: name one"), "{error}");
}

#[test]
fn the_overlay_changes_a_row() {
    let overlay = r#"
["ili9806e_x-0123ab"]
names = ["n"]
controller = "ili9806c"
compatible = "maker,glass"
physical_mm = [50, 90]
rate = { pll_mhz = 200 }
doubtful = true
reset = ["low 1", "high 5"]
power_down = "05 10"
replace = [{ line = "39 FF ...", with = ["39 01", "39 02"] }, { line = "delay 1" }]
[["ili9806e_x-0123ab".id]]
comment = ["Measured."]
match = ["strap1=low"]
["ili9806e_x-0123ab".comments]
rate = ["By hand."]
"" = ["Seen by me."]
"#;
    let changed = imported(&[panel()], overlay)
        .files
        .into_values()
        .next()
        .unwrap();
    has(
        &changed,
        "# Seen by me.\nnames = [\"n\"]\ncontroller = \"ili9806c\"\ncompatible = \"maker,glass\"\n",
    );
    has(&changed, "physical_mm = [50, 90]\n");
    has(
        &changed,
        "# By hand.\nrate = { pll_mhz = 200 }\nreset = [\"low 1\", \"high 5\"]\n",
    );
    has(
        &changed,
        "doubtful = true\ninit = \"\"\"\n39 01\n39 02\n15 08 10\n05 11\n",
    );
    has(&changed, "power_down = \"\"\"\n05 10\n\"\"\"\n");
    has(&changed, "# Measured.\n[[id]]\nmatch = [\"strap1=low\"]\n");
    let left_out = imported(
        &[panel()],
        "[\"ili9806e_x-0123ab\"]\nexclude = \"it burnt\"\n",
    );
    assert!(left_out.files.is_empty() && left_out.excluded.contains("it burnt"));
}

#[test]
fn an_overlay_that_fits_nothing_is_an_error() {
    let error = |overlay: &str| match import(&json!([panel()]).to_string(), overlay) {
        Ok(_) => panic!("{overlay}"),
        Err(error) => format!("{error:#}"),
    };
    assert!(error("[\"nobody-1\"]\n").contains("no panel nobody-1 in the facts"));
    assert!(error("[\"ili9806e_x-0123ab\"]\nspeed = 1\n").contains("speed"));
    let line = "[\"ili9806e_x-0123ab\"]\nreplace = [{ line = \"15 09 10\" }]\n";
    assert!(error(line).contains("init has no line \"15 09 10\""));
    let field = "[\"ili9806e_x-0123ab\"]\ncomments.speed = [\"x\"]\n";
    assert!(error(field).contains("no field \"speed\""));
}

/// The committed rows are what the import makes; where the facts are not
/// there, that cannot be tested.
#[test]
fn the_committed_rows_are_the_import() {
    let facts = super::super::default_facts();
    if !facts.is_dir() {
        println!("skipped: no facts in {}", facts.display());
        return;
    }
    let board_db = crate::paths::root().join("board-db");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let again = import(
        &read(&facts.join("panels.json")),
        &read(&board_db.join("import/panels.toml")),
    )
    .unwrap();
    for (path, text) in &again.files {
        assert_eq!(read(&board_db.join(path)), *text, "{}", path.display());
    }
    assert_eq!(read(&board_db.join(super::EXCLUDED)), again.excluded);
    let ours = |path: &Path| read(path).starts_with("# Source: facts/panels.json, ");
    let there = std::fs::read_dir(board_db.join(super::FOLDER)).unwrap();
    let committed = there
        .filter(|entry| ours(&entry.as_ref().unwrap().path()))
        .count();
    assert_eq!(committed, again.files.len());
}
