//! Rows of panels on the LCD controller's buses and on DPI: what they become,
//! and what is refused.
#![allow(clippy::unwrap_used, dead_code, unused_imports, missing_docs)]

mod rows;
#[path = "../build/source/mod.rs"]
mod source;

use rows::panel;
use source::ids::Term;
use source::{Panel, plan};

const PARALLEL: &str = r#"
names = ["ili9488"]
controller = "ili9488"
width = 320
height = 480
format = "rgb666-packed"
reset = ["high 10", "low 10", "high 120"]
init = """
36 48
11
delay 120
29
"""
power_down = "10"

[bus.parallel]
width = 18
access = 16
pad_high = true
write = { setup = 2, strobe = 6, hold = 2 }
read = { setup = 3, strobe = 40, hold = 0 }

[[id]]
unlock = ["B9 FF"]
reads = ["D3 4"]
match = ["D3[2]=94", "D3[3]&F0=80"]
"#;

const DPI: &str = r#"
names = ["bl24086"]
controller = "bl24086"
width = 240
height = 320
bus = "dpi"
format = "rgb888"
"#;

fn changed(text: &str, from: &str, to: &str) -> Result<Panel, String> {
    assert!(text.contains(from), "{from}");
    panel(&text.replace(from, to))
}

#[test]
fn writes_are_bytes_or_words() {
    let bytes = panel(PARALLEL).unwrap();
    assert_eq!(bytes.init[..4], [0x15, 2, 0x36, 0x48]);
    let words = changed(PARALLEL, "36 48", "F000 0055").unwrap();
    assert_eq!(words.init[..6], [0x02, 4, 0xF0, 0x00, 0x00, 0x55]);
}

/// Two bytes of the answer a word, the lower one first.
#[test]
fn ids_count_in_words() {
    let term = |byte, mask, value| Term::Register {
        register: 0xD3,
        len: 8,
        byte,
        mask,
        value,
    };
    let ids = panel(PARALLEL).unwrap().ids;
    assert_eq!(ids[0].terms, [term(4, 0xFF, 0x94), term(6, 0xF0, 0x80)]);
    let whole = changed(PARALLEL, "D3[2]=94", "D3[1]=D802").unwrap();
    assert_eq!(
        whole.ids[0].terms[..2],
        [term(2, 0xFF, 0x02), term(3, 0xFF, 0xD8)]
    );
    let wide = PARALLEL.replace("D3[3]&F0=80", "DB00[0]=80");
    let wide = changed(&wide, "\"D3 4\"", "\"D3 4\", \"DB00 1\"").unwrap();
    let registers = wide.ids[0].terms.iter().map(|term| match term {
        Term::Register { register, len, .. } => (*register, *len),
        other => panic!("{other:?}"),
    });
    assert_eq!(registers.collect::<Vec<_>>(), [(0xD3, 8), (0xDB00, 2)]);
}

#[test]
fn nobody_is_asked_on_two_buses() {
    let (bus, dsi) = (panel(PARALLEL).unwrap(), {
        let dsi = PARALLEL.replace("pad_high = true\n", "");
        let at = dsi.find("[bus.parallel]").unwrap();
        let lanes = "lanes = 1\nmode = \"command\"\nrate = { pll_mhz = 200 }\nwidth = 320";
        let init = "15 36 48\n05 11\ndelay 120\n05 29";
        dsi[..at]
            .replace("width = 320", lanes)
            .replace("36 48\n11\ndelay 120\n29", init)
            .replace("\"10\"", "\"05 10\"")
            + "[[id]]\nreads = [\"D3 4\"]\nmatch = [\"D3[2]=94\"]\n"
    });
    let dsi = panel(&dsi).unwrap();
    let rows = [bus.plan_row(), dsi.plan_row()];
    let plan = plan::make(&rows);
    let dbi: Vec<bool> = plan.stages.iter().map(|stage| stage.dbi).collect();
    assert!(dbi.is_sorted() && dbi.contains(&true) && dbi.contains(&false));
    let stage_of = |row: usize| {
        let plan::Planned::Answer { question, .. } = plan.ids[row][0][0] else {
            panic!("{:?}", plan.ids);
        };
        plan.questions[question].stage
    };
    assert!(plan.stages[stage_of(0)].dbi && !plan.stages[stage_of(1)].dbi);
}

#[test]
fn impossible_buses_are_refused() {
    for (from, to, expected) in [
        ("width = 18", "width = 24", "LPD0 to LPD17"),
        ("access = 16", "access = 12", "bus.parallel.access: must be"),
        (
            "access = 16",
            "access = 8\nwide = true",
            "needs an access of 16 or 32 bits",
        ),
        ("strobe = 40", "strobe = 64", "strobe 1 to 63 cycles"),
        ("strobe = 6", "strobe = 0", "strobe 1 to 63 cycles"),
        ("width = 320", "lanes = 2\nwidth = 320", "only DSI panels"),
        (
            "width = 320",
            "vertical = { sync = 1, back = 1, front = 1 }\nwidth = 320",
            "refreshes itself",
        ),
        ("rgb666-packed", "rgb666-loose", "format: must be"),
        ("36 48", "36 148", "must be bytes"),
        ("36 48", "36 4", "must be bytes"),
        ("D3[2]=94", "D3[4]=94", "match"),
        ("D3[2]=94", "D3[2]=9", "match"),
        ("\"D3 4\"", "\"D3 6\"", "1 to 5 words"),
    ] {
        let error = changed(PARALLEL, from, to).unwrap_err();
        assert!(error.contains(expected), "{to}: {error}");
        assert!(error.starts_with("data/panels/x"), "{error}");
    }
}

#[test]
fn a_dpi_row_names_and_does_no_more() {
    let row = panel(DPI).unwrap();
    assert!(row.init.is_empty() && row.ids.is_empty());
    let more = format!("{DPI}init = \"29\"\n");
    assert!(panel(&more).unwrap_err().contains("does not drive DPI"));
    let rated = format!("{DPI}rate = {{ pll_mhz = 200 }}\n");
    assert!(panel(&rated).unwrap_err().contains("only DSI panels"));
}
