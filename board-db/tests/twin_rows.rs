//! Rows that repeat another one, or can never be found beside it.
#![allow(clippy::unwrap_used, dead_code, unused_imports, missing_docs)]

mod rows;
#[path = "../build/source/mod.rs"]
mod source;

use rows::{PANEL, TOUCH, panel};
use source::{TouchToml, parse, twins};

#[test]
fn the_same_panel_twice() {
    let rows = |text: &str| {
        [
            ("x".to_string(), panel(PANEL).unwrap()),
            ("y".to_string(), panel(text).unwrap()),
        ]
    };
    let names = PANEL.replace("ili9806e_6572_dsi_vdo", "other_name");
    let error = twins::check_panels(&rows(&names)).unwrap_err().0;
    assert!(
        error.starts_with("data/panels/y.toml: names: is the panel of data/panels/x.toml:"),
        "{error}"
    );
    // A name that two panels share is a vendor's habit, not a mistake.
    for (from, to) in [
        ("15 08 10", "15 08 11"),
        ("back = 18", "back = 19"),
        ("\"high 120\"", "\"high 60\""),
    ] {
        twins::check_panels(&rows(&PANEL.replace(from, to))).unwrap();
    }
}

#[test]
fn ways_to_know_a_panel_that_are_none() {
    let twice = format!("{PANEL}{}", PANEL.split_at(PANEL.find("[[id]]").unwrap()).1);
    let check = |text: &str| {
        let rows = [("x".to_string(), panel(text).unwrap())];
        twins::check_panels(&rows).map_err(|problem| problem.0)
    };
    assert!(
        check(&twice)
            .unwrap_err()
            .contains("id.match: number 2 is another [[id]]")
    );
    for never in ["00[0]&0F=07", "strap1=low", "adc0=900..1000"] {
        let text = PANEL.replace("\"00[0]=98\"", &format!("\"00[0]=98\", \"{never}\""));
        let error = check(&text).unwrap_err();
        assert!(
            error.contains("id.match: number 1 wants two values"),
            "{error}"
        );
    }
    // More terms are more certain, and other bits of one byte are no clash.
    check(&twice.replacen("\"strap1=high\", ", "", 1)).unwrap();
    check(&PANEL.replace("\"01[0]&F0=00\"", "\"01[0]&F0=00\", \"01[0]&0F=04\"")).unwrap();
}

#[test]
fn file_names_that_look_alike() {
    let error = twins::check_ids("panels", ["a-b", "c", "A_b"])
        .unwrap_err()
        .0;
    assert!(
        error.contains("data/panels/A_b.toml: file name: is nearly that of data/panels/a-b.toml"),
        "{error}"
    );
    twins::check_ids("panels", ["a-b", "ab", "a-b-c"]).unwrap();
}

#[test]
fn touch_chips_that_another_one_shadows() {
    let check = |second: &str| {
        let row = |id: &str, text: &str| (id.to_string(), parse::<TouchToml>(id, text).unwrap());
        twins::check_touch(&[row("x", TOUCH), row("y", second)]).map_err(|problem| problem.0)
    };
    let error = check(TOUCH).unwrap_err();
    assert!(
        error.contains(
            "data/touch/y.toml: probe: whatever answers this is taken for data/touch/x.toml"
        ),
        "{error}"
    );
    let more = "[[probe]]\nwrite = [0xA6]\nread = 1\n";
    check(&format!("{TOUCH}{more}")).unwrap_err();
    for (from, to) in [
        ("[[0x06]]", "[[0x07]]"),
        ("[[0x06]]", "[[0x06], [0x07]]"),
        ("[0x38]", "[0x38, 0x39]"),
        ("[0xA3]", "[0xA6]"),
        ("wait_ms = 200", "wait_ms = 100"),
    ] {
        check(&TOUCH.replace(from, to)).unwrap();
    }
}
