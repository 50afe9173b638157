//! A panel of the facts to a row of the table, or the reason why it cannot be
//! one.

use super::dataset::{Entry, Item};
use super::row::{Bus, Parallel, Rate, Row};
use super::script::{self, Refusal, Script, whole_ms};
use super::{SOURCE, dbi, dsi, ident};
use crate::import::burners::burns;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Sources named in a row; `trees` says how many there are.
const SOURCES_SHOWN: usize = 3;
/// Device configurations named in a row; `shipped` says how many there are.
const DEVICES_SHOWN: usize = 6;

/// Makes the row.
pub fn convert(entry: &Entry) -> Result<Row, Refusal> {
    let mut row = Row {
        comments: BTreeMap::new(),
        names: entry.names.clone(),
        controller: entry.controller.clone().unwrap_or_else(|| "unknown".into()),
        compatible: None,
        width: entry.width.unwrap_or(0),
        height: entry.height.unwrap_or(0),
        physical_mm: entry.physical_mm,
        bus: Bus::Dsi,
        lanes: 0,
        mode: "",
        format: "",
        vertical: None,
        horizontal: None,
        rate: Rate::PllMhz { pll_mhz: 0 },
        no_spread: false,
        phy: Vec::new(),
        reset: Vec::new(),
        shipped: entry.used_by.len(),
        trees: entry.sources_total,
        doubtful: false,
        init: Vec::new(),
        power_down: Vec::new(),
        ids: Vec::new(),
    };
    head(entry, &mut row);
    if entry
        .interface
        .as_deref()
        .is_some_and(|name| name.starts_with("dsi"))
    {
        fits(entry)?;
        dsi::fill(entry, &mut row)?;
    } else {
        row.bus = dbi::bus(entry)?;
        row.format = dbi::format(entry)?;
    }
    if row.bus == Bus::Dpi {
        row.comment(
            "",
            "It is described so that it can be named: unilk drives no DPI panel.",
        );
        if let Some(timing) = entry.timing {
            (row.vertical, row.horizontal) = (Some(timing.vertical()), Some(timing.horizontal()));
        }
        return Ok(row);
    }
    evaluated(entry)?;
    reset(entry, &mut row);
    init(entry, &mut row)?;
    power_down(entry, &mut row);
    doubts(entry, &mut row);
    row.ids = ident::identities(entry)?;
    Ok(row)
}

/// Whether the chip can drive it: facts/panels.md, "Counts".
fn fits(entry: &Entry) -> Result<(), Refusal> {
    let (width, height) = (entry.width.unwrap_or(0), entry.height.unwrap_or(0));
    match entry.lanes {
        Some(1..=3) => {}
        Some(lanes) => return Err(format!("it has {lanes} DSI lanes; the chip has three")),
        None => return Err("its driver does not say how many DSI lanes it has".into()),
    }
    if width * height > 540 * 960 || width == 0 || height == 0 {
        return Err(format!(
            "it has {width}x{height} pixels; the facts take up to 540x960 for fit"
        ));
    }
    if !entry.mt6572_fit {
        return Err("it needs two DSI hosts; the chip has one".into());
    }
    Ok(())
}

/// Whether the facts have what the driver sends.
fn evaluated(entry: &Entry) -> Result<(), Refusal> {
    if entry.extraction.init == "failed" {
        let why = entry
            .extraction
            .reasons
            .get("init")
            .and_then(|all| all.first());
        let why = why.map_or("not evaluated", String::as_str);
        return Err(format!("its initialisation is not in the facts: {why}"));
    }
    Ok(())
}

/// Where the row comes from.
fn head(entry: &Entry, row: &mut Row) {
    row.comment("", format!("Source: {SOURCE}, {}.", entry.id));
    for source in entry.sources.iter().take(SOURCES_SHOWN) {
        row.comment("", format!("From: {source}"));
    }
    if !entry.used_by.is_empty() {
        let shown = entry.used_by.iter().take(DEVICES_SHOWN);
        let more = match entry.used_by.len().saturating_sub(DEVICES_SHOWN) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let shown: Vec<&str> = shown.map(String::as_str).collect();
        row.comment("", format!("Seen in: {}{more}.", shown.join("; ")));
    }
}

/// The levels of the reset line; those of a board's own pin or call are in
/// `pre_init`.
fn reset(entry: &Entry, row: &mut Row) {
    let steps = entry.reset.clone().unwrap_or_default();
    let mut steps: Vec<(bool, u32)> = steps
        .into_iter()
        .map(|(level, ms)| (level != 0, whole_ms(ms)))
        .collect();
    if !matches!(steps[..], [.., (false, _), (true, _)]) {
        steps = board_reset(&entry.pre_init);
    }
    if let [.., (false, low), (true, high)] = &mut steps[..] {
        // What every controller needs; some drivers rely on the time that the
        // calls themselves take.
        *low = (*low).max(1);
        *high = (*high).max(5);
    } else {
        row.comment(
            "reset",
            "Its driver resets by means of its board: the common pulse.",
        );
        steps = vec![(true, 10), (false, 10), (true, 120)];
    }
    row.reset = steps
        .iter()
        .map(|(high, ms)| format!("{} {ms}", if *high { "high" } else { "low" }))
        .collect();
}

/// The levels that a driver gives to the pin it moves low and high again:
/// `"mt_set_gpio_out(GPIO131,1)"`, `"delay 10"`, ...
fn board_reset(calls: &[String]) -> Vec<(bool, u32)> {
    let level = |call: &str| {
        let (pin, level) = call
            .strip_prefix("mt_set_gpio_out(")?
            .strip_suffix(')')?
            .split_once(',')?;
        Some((pin.to_string(), level.trim() == "1"))
    };
    let Some((pin, _)) = calls.iter().filter_map(|call| level(call)).next_back() else {
        return Vec::new();
    };
    let mut steps: Vec<(bool, u32)> = Vec::new();
    for call in calls {
        if let Some((moved, high)) = level(call) {
            if moved == pin {
                steps.push((high, 0));
            }
        } else if let Some(ms) = call.strip_prefix("delay ")
            && let (Ok(ms), Some(last)) = (ms.parse::<f64>(), steps.last_mut())
        {
            last.1 += whole_ms(ms);
        }
    }
    steps
}

fn init(entry: &Entry, row: &mut Row) -> Result<(), Refusal> {
    let mut script = steps(row.bus, &entry.init)?;
    let in_resume = entry.display_on_via.as_deref() == Some("resume");
    if in_resume || !lights(row.bus, &script.lines) {
        let resume = steps(
            row.bus,
            &items(&resume_steps(&entry.resume)).unwrap_or_default(),
        )?;
        if !resume.lines.is_empty() {
            row.comment(
                "init",
                "Sleep-out and display-on are in its driver's resume.",
            );
        }
        script.lines.extend(resume.lines);
        script.doubts.extend(resume.doubts);
    }
    if row.bus != Bus::Dsi && wakes(row.bus, &script.lines) && !lights(row.bus, &script.lines) {
        row.comment("init", "Its driver sends display-on with every picture.");
        script.lines.push(match row.bus {
            Bus::Parallel(Parallel { wide: true, .. }) => "2900".into(),
            _ => "29".into(),
        });
    }
    if !lights(row.bus, &script.lines) {
        return Err("its driver does not send sleep-out and display-on".into());
    }
    let burnt = |line: &str| {
        let (command, _) = command(row.bus, line)?;
        burns(&row.controller, command).then(|| format!("{command:02X}"))
    };
    let left_out: BTreeSet<String> = script.lines.iter().filter_map(|line| burnt(line)).collect();
    script.lines.retain(|line| burnt(line).is_none());
    if !left_out.is_empty() {
        let commands: Vec<String> = left_out.into_iter().collect();
        let commands = commands.join(", ");
        row.comment(
            "init",
            format!("Left out: {commands}, which programs the one-time memory."),
        );
    }
    row.init = script.lines;
    for doubt in script.doubts {
        doubtful(row, &doubt);
    }
    Ok(())
}

/// Whether `lines` wake the panel and switch it on.
fn lights(bus: Bus, lines: &[String]) -> bool {
    wakes(bus, lines) && sends(bus, lines, 0x29)
}

fn wakes(bus: Bus, lines: &[String]) -> bool {
    sends(bus, lines, 0x11)
}

/// Whether `wanted` is sent without parameters; zeros count as none.
fn sends(bus: Bus, lines: &[String], wanted: u8) -> bool {
    lines.iter().any(|line| match command(bus, line) {
        Some((found, rest)) => {
            found == wanted && rest.bytes().all(|byte| matches!(byte, b'0' | b' '))
        }
        None => false,
    })
}

/// The steps in the form that the bus takes.
fn steps(bus: Bus, items: &[Item]) -> Result<Script, Refusal> {
    match bus {
        Bus::Dsi => script::script(items),
        _ => Ok(Script {
            lines: dbi::lines(items)?,
            doubts: Vec::new(),
        }),
    }
}

/// Command of a line that is a write, and the rest of the line. A register
/// of 16 bits belongs to the command in its upper byte.
fn command(bus: Bus, line: &str) -> Option<(u8, &str)> {
    let write = match bus {
        Bus::Dsi => {
            line.split_once(' ')
                .filter(|(data_type, _)| data_type.len() == 2)?
                .1
        }
        _ => line,
    };
    let (command, rest) = write.split_once(' ').unwrap_or((write, ""));
    let digits = command
        .get(..2)
        .filter(|_| matches!(command.len(), 2 | 4))?;
    Some((u8::from_str_radix(digits, 16).ok()?, rest))
}

/// `resume` is a list, or what it sends after `init`.
fn resume_steps(resume: &Value) -> Value {
    match resume.get("init_plus") {
        Some(after) => after.clone(),
        None => resume.clone(),
    }
}

fn items(list: &Value) -> Result<Vec<Item>, Refusal> {
    serde_json::from_value(list.clone()).map_err(|_| "its resume is not in the facts".into())
}

/// Writes of a real power-down; a longer one repeats the initialisation.
const LONGEST_POWER_DOWN: usize = 12;

fn power_down(entry: &Entry, row: &mut Row) {
    let suspend: Vec<Item> = items(&entry.suspend).unwrap_or_default();
    let lines = steps(row.bus, &suspend).unwrap_or_default().lines;
    let sendable = row.bus != Bus::Dsi || script::sendable(&lines).is_ok();
    let writes: Vec<u8> = lines
        .iter()
        .filter_map(|line| Some(command(row.bus, line)?.0))
        .collect();
    let dark = row.bus == Bus::Dsi || writes.iter().any(|command| matches!(command, 0x10 | 0x28));
    if sendable && dark && (1..=LONGEST_POWER_DOWN).contains(&writes.len()) {
        row.power_down = lines;
        return;
    }
    row.comment(
        "power_down",
        "Its driver has no power-down of its own: the standard one.",
    );
    let (off, sleep) = match row.bus {
        Bus::Dsi => ("05 28", "05 10"),
        Bus::Parallel(Parallel { wide: true, .. }) => ("2800", "1000"),
        _ => ("28", "10"),
    };
    row.power_down = [off, "delay 20", sleep, "delay 120"]
        .map(String::from)
        .to_vec();
}

/// What makes the row less certain than others.
fn doubts(entry: &Entry, row: &mut Row) {
    let mut why: Vec<String> = Vec::new();
    if entry.extraction.init != "ok" {
        let reasons = entry.extraction.reasons.get("init");
        why.extend(reasons.into_iter().flatten().cloned());
    }
    if let Some(other) = &entry.controller_conflict {
        why.push(format!("its first writes are those of the {other}"));
    }
    for reason in why {
        doubtful(row, &reason);
    }
}

/// Marks `row`, and says why.
pub fn doubtful(row: &mut Row, why: &str) {
    row.doubtful = true;
    row.comment("doubtful", format!("Doubtful: {why}."));
}
