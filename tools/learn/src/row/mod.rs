//! What was learned, as rows of the table.
//!
//! The form is that of docs/board-db.md, so that a learned row can be packed
//! beside the built-in ones, or become one of them as it is.

mod id;

pub use id::ways;

use crate::event::Question;
use crate::identify::{Identification, Method, Term};
use crate::known::Known;
use crate::layout::Generation;
use crate::learn::{Driver, Learned};
use crate::params::{Dsi, Interface};
use crate::script::line;
use id::{id, term};
use std::fmt::Write as _;

/// Writes of a real power-down.
const LONGEST_POWER_DOWN: usize = 12;
/// Display off, sleep in.
const STANDARD_POWER_DOWN: &str = "05 28\ndelay 20\n05 10\ndelay 120\n";
/// Names of the table's D-PHY times and their place in the vendor's bytes.
const PHY: [(&str, usize); 10] = [
    ("hs_trail", 0),
    ("hs_zero", 1),
    ("hs_prepare", 2),
    ("lpx", 3),
    ("ta_get", 5),
    ("ta_sure", 6),
    ("ta_go", 7),
    ("clk_trail", 8),
    ("clk_zero", 9),
    ("clk_prepare", 12),
];

/// A file of a learned row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Name of the file without its ending: letters, digits and dashes.
    pub id: String,
    /// What is in it.
    pub text: String,
}

/// The rows of all panels that can be driven, in the vendor's order. A name
/// that is there twice gets a number.
pub fn panels(learned: &Learned) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for driver in &learned.drivers {
        let Some(text) = panel(learned, driver) else {
            continue;
        };
        let base = slug(&driver.name);
        let taken = |id: &str| rows.iter().any(|row| row.id == id);
        let mut id = base.clone();
        let mut number = 2;
        while taken(&id) {
            id = format!("{base}-{number}");
            number += 1;
        }
        rows.push(Row { id, text });
    }
    rows
}

/// The board's row: its panels in the vendor's order. What an LK does not say
/// is for a person to fill in.
pub fn board(learned: &Learned, name: &str, panels: &[Row]) -> String {
    let mut out = String::new();
    let ids: Vec<String> = panels.iter().map(|row| format!("\"{}\"", row.id)).collect();
    let _ = writeln!(
        out,
        "# Source: learned from a stock LK, SHA-256 {}.\n\
         # Not known: wiring and backlight, which are what most boards have; touch chip, cameras, keys.\n\
         name = \"{}\"\n\
         project = \"{}\"\n\
         wiring = \"generic\"\n\
         backlight = \"isink\"\n\
         panels = [{}]          # in the vendor's order",
        learned.sha256,
        plain(name, 63),
        slug(name),
        ids.join(", ")
    );
    out
}

/// Letters, digits and single dashes.
fn slug(name: &str) -> String {
    let mut id = String::new();
    for character in name.chars().take(63) {
        if character.is_ascii_alphanumeric() {
            id.push(character.to_ascii_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    let id = id.trim_end_matches('-');
    if id.is_empty() {
        "panel".to_owned()
    } else {
        id.to_owned()
    }
}

/// Text that needs no escapes in TOML.
fn plain(text: &str, most: usize) -> String {
    text.chars()
        .filter(|c| (c.is_ascii_graphic() || *c == ' ') && *c != '"' && *c != '\\')
        .take(most)
        .collect()
}

/// A row, if the panel is on DSI and something is sent to it.
fn panel(learned: &Learned, driver: &Driver) -> Option<String> {
    let dsi = driver.params.dsi.as_ref()?;
    if driver.params.interface != Interface::Dsi || !driver.init.sends() {
        return None;
    }
    let mut out = String::new();
    head(&mut out, learned, driver, dsi);
    let name = plain(&driver.name, 63);
    let controller = plain(&driver.controller, 63);
    let _ = writeln!(out, "names = [\"{name}\"]\ncontroller = \"{controller}\"");
    geometry(&mut out, driver, dsi);
    let reset = driver.init.reset_or_usual();
    let reset: Vec<String> = reset
        .iter()
        .map(|(high, ms)| format!("\"{} {ms}\"", if *high { "high" } else { "low" }))
        .collect();
    let _ = writeln!(out, "reset = [{}]\nshipped = 1", reset.join(", "));
    if doubtful(driver, dsi) {
        out.push_str("doubtful = true\n");
    }
    let _ = write!(out, "init = \"\"\"\n{}\"\"\"\n", driver.init.lines());
    let _ = write!(
        out,
        "power_down = \"\"\"\n{}\"\"\"\n",
        own_power_down(driver).unwrap_or_else(|| STANDARD_POWER_DOWN.to_owned())
    );
    for way in &driver.identification.ways {
        out.push_str(&id(way));
    }
    Some(out)
}

/// What `suspend` sends, unless that is nothing, or all of another
/// initialisation.
fn own_power_down(driver: &Driver) -> Option<String> {
    let writes = driver.power_down.writes();
    (1..=LONGEST_POWER_DOWN)
        .contains(&writes)
        .then(|| driver.power_down.lines())
}

fn doubtful(driver: &Driver, dsi: &Dsi) -> bool {
    !driver.complete()
        || !driver.init.notes.is_empty()
        || !driver.init.burners.is_empty()
        || dsi.pll_mhz == 0 && dsi.dividers[2] == 0
}

/// Where it is from, and how sure each part is.
fn head(out: &mut String, learned: &Learned, driver: &Driver, dsi: &Dsi) {
    let layout = match driver.generation {
        Generation::Jb => "4.2",
        Generation::Kk => "4.4",
    };
    let rate = if dsi.pll_mhz == 0 && dsi.dividers[2] == 0 {
        "; the driver gives no lane rate"
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "# Source: learned from a stock LK, SHA-256 {}, LCM driver {}.\n\
         # Parameters: sure, as get_params fills them (structures of Android {layout}){rate}.",
        learned.sha256,
        plain(&driver.name, 63)
    );
    let sure = if driver.init.notes.is_empty() {
        "sure"
    } else {
        "partial"
    };
    let resume = if driver.with_resume {
        ", then resume"
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "# Initialisation: {sure}, as the driver's init sent it{resume}."
    );
    for note in &driver.init.notes {
        let _ = writeln!(out, "#   also: {note}");
    }
    if own_power_down(driver).is_none() {
        out.push_str("# Power-down: the driver has none of its own, the standard one.\n");
    }
    for note in &driver.power_down.notes {
        let _ = writeln!(out, "#   in power-down also: {note}");
    }
    for (function, failure) in &driver.failures {
        let _ = writeln!(out, "#   {function} {failure}");
    }
    if let Some(pin) = driver.reset_pin {
        let _ = writeln!(out, "#   the driver resets the panel by GPIO{pin}");
    }
    for step in driver.init.burners.iter().chain(&driver.power_down.burners) {
        let _ = writeln!(
            out,
            "#   programs one-time memory, left out, never to be sent: {}",
            line(step)
        );
    }
    let _ = writeln!(
        out,
        "# Identification: {}.",
        confidence(&driver.identification)
    );
    for way in &driver.identification.ways {
        for wanted in &way.terms {
            if let Term::Byte {
                question: Question::Pins { .. },
                ..
            } = wanted
            {
                let _ = writeln!(
                    out,
                    "#   and {}: a strap of the wiring profile",
                    term(*wanted)
                );
            }
        }
    }
    let _ = writeln!(out, "# Built-in table: {}.", known(&driver.known));
}

fn confidence(found: &Identification) -> String {
    match found.method {
        Method::None => "the driver has no compare_id".to_owned(),
        Method::AlwaysTrue => "none: compare_id accepts everything and asks nothing".to_owned(),
        Method::AlwaysFalse => "none: compare_id accepts nothing and asks nothing".to_owned(),
        Method::ReadsAlwaysTrue => "none: compare_id asks, and accepts every answer".to_owned(),
        Method::AlmostAlwaysTrue => {
            "none: compare_id asks, and accepts every answer but some".to_owned()
        }
        Method::NeverAccepted => {
            "unsolved: compare_id asks, and no answer was found that it accepts".to_owned()
        }
        Method::Solved if found.cut_short => {
            format!(
                "solved in {} runs of compare_id, perhaps not all alternatives",
                found.runs
            )
        }
        Method::Solved => format!("sure, solved in {} runs of compare_id", found.runs),
        Method::Failed => match &found.failure {
            Some(why) => format!("compare_id {why}"),
            None => "compare_id could not be run".to_owned(),
        },
    }
}

fn known(known: &Known) -> String {
    match known {
        Known::Same(row) => format!("{row} sends the same"),
        Known::Near { row, percent } => format!("{row} sends nearly the same ({percent} %)"),
        Known::New => "no row sends the same".to_owned(),
    }
}

fn geometry(out: &mut String, driver: &Driver, dsi: &Dsi) {
    let params = &driver.params;
    let _ = writeln!(out, "width = {}\nheight = {}", params.width, params.height);
    if let Some((width, height)) = params.physical_mm {
        let _ = writeln!(out, "physical_mm = [{width}, {height}]");
    }
    let mode = ["command", "sync-pulse", "sync-event", "burst"];
    let format = ["rgb565", "rgb666-loose", "rgb888", "rgb666-packed"];
    let word = |words: [&'static str; 4], at: u32| words.get(at as usize).copied().unwrap_or("");
    let _ = writeln!(
        out,
        "lanes = {}\nmode = \"{}\"\nformat = \"{}\"",
        dsi.lanes,
        word(mode, dsi.mode),
        word(format, dsi.pixels)
    );
    if !dsi.command_mode() {
        for (name, [sync, back, front]) in
            [("vertical", dsi.vertical), ("horizontal", dsi.horizontal)]
        {
            let _ = writeln!(
                out,
                "{name} = {{ sync = {sync}, back = {back}, front = {front} }}"
            );
        }
    }
    if dsi.pll_mhz != 0 {
        let _ = writeln!(out, "rate = {{ pll_mhz = {} }}", dsi.pll_mhz);
    } else {
        let [one, two, feedback] = dsi.dividers;
        let _ = writeln!(
            out,
            "rate = {{ div1 = {one}, div2 = {two}, feedback = {feedback} }}"
        );
    }
    if dsi.no_spread {
        out.push_str("no_spread = true\n");
    }
    let phy: Vec<String> = PHY
        .iter()
        .filter(|(_, at)| dsi.phy[*at] != 0)
        .map(|(name, at)| format!("{name} = {}", dsi.phy[*at]))
        .collect();
    if !phy.is_empty() {
        let _ = writeln!(out, "phy = {{ {} }}", phy.join(", "));
    }
}
