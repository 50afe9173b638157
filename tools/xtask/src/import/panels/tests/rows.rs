//! Rows of DSI panels.

use super::{ROW, has, imported, lacks, panel, refusal, row, with};
use serde_json::{Value, json};

#[test]
fn of_many_devices_some_are_named() {
    let devices: Vec<String> = (0..8).map(|n| format!("o/r: p{n}")).collect();
    let row = row(&json!({ "used_by": devices }));
    has(&row, "o/r: p5; and 2 more.\n");
    has(&row, "shipped = 8\n");
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
