//! The Rust text of the panels: their rows by field ([`Columns`]), their names
//! as one text, their sequences packed ([`Packed`]).

use crate::source::columns::{Columns, numbers};
use crate::source::emit::Table;
use crate::source::ids::Term;
use crate::source::pack::Packed;
use crate::source::panels::{Blanking, Panel, Phy, Rate};
use crate::source::plan::Planned;
use crate::source::pools::Pools;
use crate::source::{Place, Problem};
use std::fmt::Write;

/// Adds the text of all panels. Writing to a `String` cannot fail, here and
/// below.
pub fn emit(out: &mut String, pools: &mut Pools, table: &Table<'_>) -> Result<(), Problem> {
    emit_names(out, pools, table)?;
    let packed = Packed::new(table.panels)?;
    packed.emit(out);
    let mut columns = Columns::default();
    for (n, (_, panel)) in table.panels.iter().enumerate() {
        let ids = table.plan.ids.get(n).map_or(&[][..], |ids| ids);
        columns.push(fields(pools, panel, ids));
    }
    columns.emit(out, "PANELS", "Columns");
    let scripts = |script: fn(&Panel) -> &[u8]| {
        let panels = table.panels.iter();
        let numbers = panels.map(|(_, panel)| packed.number(script(panel)));
        numbers.collect::<Vec<usize>>()
    };
    let init = numbers(out, "PANELS_INIT", &scripts(|panel| &panel.init));
    let power_down = numbers(
        out,
        "PANELS_POWER_DOWN",
        &scripts(|panel| &panel.power_down),
    );
    let _ = writeln!(
        out,
        "pub static PANEL_SCRIPTS: Scripts = Scripts {{ init: {init}, power_down: {power_down} }};"
    );
    Ok(())
}

/// The names: a line for each row, as `src/panels.rs` reads it.
fn emit_names(out: &mut String, pools: &mut Pools, table: &Table<'_>) -> Result<(), Problem> {
    let mut text = String::new();
    for (id, panel) in table.panels {
        Place::new("panels", id).field("the file's name").word(id)?;
        let names = &panel.row.names;
        let spelled = names.first().map_or(String::new(), |name| {
            name.to_ascii_lowercase().replace('_', "-")
        });
        text += &names.join(" ");
        match id.strip_prefix(&spelled) {
            Some("") => {}
            Some(rest) => text.extend(["\t", rest]),
            None => text.extend(["\t/", id]),
        }
        text += "\n";
    }
    let ids = table.panels.iter().map(|(id, _)| id.len() + 1);
    let names = table.panels.iter().map(|(_, panel)| panel.row.names.len());
    let _ = writeln!(
        out,
        "pub const PANEL_COUNT: usize = {};\n\
         pub const PANEL_NAME_COUNT: usize = {};\n\
         pub const PANEL_ID_BYTES: usize = {};\n\
         pub static PANEL_NAMES: &str = {};",
        table.panels.len(),
        names.sum::<usize>(),
        ids.sum::<usize>(),
        pools.text(text.trim_end())
    );
    Ok(())
}

/// A field: its name, its type and its value.
type Field = (&'static str, &'static str, String);

fn fields(pools: &mut Pools, panel: &Panel, ids: &[Vec<Planned>]) -> [Field; 19] {
    let row = &panel.row;
    let reset = panel.reset.iter();
    let reset = reset.map(|(high, ms)| format!("ResetStep {{ high: {high}, ms: {ms} }}"));
    let reset = pools.slice("RESETS", "ResetStep", reset.collect());
    let ids = ids.iter();
    let ids = ids.map(|terms| pools.slice("TERMS", "Term", terms.iter().map(term).collect()));
    let ids = ids.collect();
    [
        ("controller", "&str", pools.text(&row.controller)),
        (
            "compatible",
            "Option<&str>",
            pools.some_text(row.compatible.as_ref()),
        ),
        ("width", "u16", row.width.to_string()),
        ("height", "u16", row.height.to_string()),
        (
            "physical_mm",
            "Option<(u16, u16)>",
            format!("{:?}", row.physical_mm),
        ),
        ("bus", "PanelBus", format!("PanelBus::{:?}", row.bus)),
        ("lanes", "u8", row.lanes.to_string()),
        ("mode", "PanelMode", format!("PanelMode::{:?}", row.mode)),
        (
            "format",
            "LaneFormat",
            format!("LaneFormat::{:?}", row.format),
        ),
        ("vertical", "Option<Timing>", blanking(row.vertical)),
        ("horizontal", "Option<Timing>", blanking(row.horizontal)),
        ("rate", "RateSource", rate(row.rate)),
        ("no_spread", "bool", row.no_spread.to_string()),
        ("phy", "PhyTiming", phy(row.phy)),
        ("reset", "&[ResetStep]", reset),
        (
            "ids",
            "&[&[Term]]",
            pools.slice("ALTERNATIVES", "&[Term]", ids),
        ),
        ("shipped", "u16", row.shipped.to_string()),
        ("trees", "u16", row.trees.to_string()),
        ("doubtful", "bool", row.doubtful.to_string()),
    ]
}

fn blanking(timing: Option<Blanking>) -> String {
    match timing {
        Some(Blanking { sync, back, front }) => {
            format!("Some(Timing {{ sync: {sync}, back: {back}, front: {front} }})")
        }
        None => "None".to_string(),
    }
}

fn rate(rate: Rate) -> String {
    match rate {
        Rate {
            pll_mhz: Some(mhz), ..
        } => format!("RateSource::PllMhz({mhz})"),
        Rate {
            div1,
            div2,
            feedback,
            ..
        } => format!(
            "RateSource::Dividers {{ div1: {}, div2: {}, feedback: {} }}",
            div1.unwrap_or(0),
            div2.unwrap_or(0),
            feedback.unwrap_or(0)
        ),
    }
}

fn phy(phy: Phy) -> String {
    let Phy {
        hs_trail,
        hs_zero,
        hs_prepare,
        lpx,
        ta_get,
        ta_sure,
        ta_go,
        clk_trail,
        clk_zero,
        clk_prepare,
    } = phy;
    format!(
        "PhyTiming {{ hs_trail: {hs_trail}, hs_zero: {hs_zero}, hs_prepare: {hs_prepare}, \
         lpx: {lpx}, ta_get: {ta_get}, ta_sure: {ta_sure}, ta_go: {ta_go}, \
         clk_trail: {clk_trail}, clk_zero: {clk_zero}, clk_prepare: {clk_prepare} }}"
    )
}

fn term(term: &Planned) -> String {
    match *term {
        Planned::Answer {
            question,
            byte,
            mask,
            value,
        } => format!(
            "Term::Answer {{ question: {question}, byte: {byte}, mask: {mask}, value: {value} }}"
        ),
        Planned::Other(Term::Strap { index, high }) => {
            format!("Term::Strap {{ index: {index}, high: {high} }}")
        }
        Planned::Other(Term::Voltage {
            channel,
            from_mv,
            to_mv,
        }) => format!("Term::Voltage {{ channel: {channel}, from_mv: {from_mv}, to_mv: {to_mv} }}"),
        // The plan has made an answer of every register.
        Planned::Other(Term::Register { .. }) => String::new(),
    }
}
