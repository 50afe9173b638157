//! A panel of the facts to a row of the table, or the reason why it cannot be
//! one.

use super::dataset::{Entry, Item, Pll, Timing};
use super::ident;
use super::row::{Blanking, Rate, Row};
use super::script::{self, Refusal, Script, whole_ms};
use crate::import::burners::burns;
use serde_json::Value;
use std::collections::BTreeMap;

/// Sources named in a row; `trees` says how many there are.
const SOURCES_SHOWN: usize = 3;

/// Makes the row.
pub fn convert(entry: &Entry) -> Result<Row, Refusal> {
    fits(entry)?;
    let (width, height) = (entry.width.unwrap_or(0), entry.height.unwrap_or(0));
    let mode = match entry.interface.as_deref() {
        Some("dsi_cmd") => "command",
        Some("dsi_video_sync_pulse") => "sync-pulse",
        Some("dsi_video_sync_event") => "sync-event",
        _ => "burst",
    };
    let video = entry.timing.filter(|_| mode != "command");
    let mut row = Row {
        comments: BTreeMap::new(),
        names: entry.names.clone(),
        controller: entry.controller.clone().unwrap_or_else(|| "unknown".into()),
        compatible: None,
        width,
        height,
        physical_mm: entry.physical_mm,
        lanes: entry.lanes.unwrap_or(0),
        mode,
        format: match entry.ps.as_deref() {
            Some("packed_16bpp_rgb565") => "rgb565",
            Some("packed_18bpp_rgb666") => "rgb666-packed",
            Some("loosely_packed_18bpp_rgb666") => "rgb666-loose",
            _ => "rgb888",
        },
        vertical: video.map(|Timing { vsa, vbp, vfp, .. }| Blanking {
            sync: vsa,
            back: vbp,
            front: vfp,
        }),
        horizontal: video.map(|Timing { hsa, hbp, hfp, .. }| Blanking {
            sync: hsa,
            back: hbp,
            front: hfp,
        }),
        rate: Rate::PllMhz { pll_mhz: 0 },
        no_spread: entry.pll.is_some_and(|pll| pll.ssc_disable != 0),
        phy: phy(&entry.phy),
        reset: Vec::new(),
        shipped: entry.used_by.len(),
        trees: entry.sources_total,
        doubtful: false,
        init: Vec::new(),
        power_down: Vec::new(),
        ids: ident::identities(entry),
    };
    head(entry, &mut row);
    if mode != "command" && video.is_none_or(|timing| timing.hbp + timing.hfp == 0) {
        return Err("it is a video panel without horizontal blanking".into());
    }
    rate(entry, &mut row)?;
    reset(entry, &mut row);
    init(entry, &mut row)?;
    power_down(entry, &mut row);
    doubts(entry, &mut row);
    Ok(row)
}

/// Whether the chip can drive it: facts/panels.md, "Counts".
fn fits(entry: &Entry) -> Result<(), Refusal> {
    let interface = entry.interface.as_deref().unwrap_or("none");
    let (width, height) = (entry.width.unwrap_or(0), entry.height.unwrap_or(0));
    if !interface.starts_with("dsi") {
        return Err(format!("its interface is {interface}"));
    }
    match entry.lanes {
        Some(1..=3) => {}
        Some(lanes) => return Err(format!("it has {lanes} DSI lanes; the chip has three")),
        None => return Err("its driver does not say how many DSI lanes it has".into()),
    }
    if width * height > 540 * 960 || width == 0 || height == 0 {
        return Err(format!(
            "it has {width}x{height} pixels; the chip drives up to 540x960"
        ));
    }
    if !entry.mt6572_fit {
        return Err("it needs two DSI hosts; the chip has one".into());
    }
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
    row.comment("", format!("Source: facts/panels.json, {}.", entry.id));
    for source in entry.sources.iter().take(SOURCES_SHOWN) {
        row.comment("", format!("From: {source}"));
    }
    if !entry.used_by.is_empty() {
        row.comment("", format!("Seen in: {}.", entry.used_by.join("; ")));
    }
}

/// D-PHY times in the order of the table's schema; the host of this chip has
/// no others (facts/display.md 4.4).
fn phy(times: &BTreeMap<String, u32>) -> Vec<(&'static str, u32)> {
    const NAMES: [(&str, &str); 10] = [
        ("hs_trail", "HS_TRAIL"),
        ("hs_zero", "HS_ZERO"),
        ("hs_prepare", "HS_PRPR"),
        ("lpx", "LPX"),
        ("ta_get", "TA_GET"),
        ("ta_sure", "TA_SURE"),
        ("ta_go", "TA_GO"),
        ("clk_trail", "CLK_TRAIL"),
        ("clk_zero", "CLK_ZERO"),
        ("clk_prepare", "CLK_HS_PRPR"),
    ];
    NAMES
        .iter()
        .filter_map(|&(name, vendor)| Some((name, times.get(vendor).copied()?)))
        .collect()
}

fn rate(entry: &Entry, row: &mut Row) -> Result<(), Refusal> {
    let no_rate = || Refusal::from("its driver states no rate");
    let Pll {
        clock_mhz,
        pll_div1,
        pll_div2,
        fbk_div,
        ..
    } = entry.pll.ok_or_else(no_rate)?;
    let (div1, div2) = (pll_div1.unwrap_or(0), pll_div2.unwrap_or(0));
    row.rate = match (clock_mhz, fbk_div) {
        (Some(mhz), _) => Rate::PllMhz {
            pll_mhz: mhz.round() as u32,
        },
        (None, Some(feedback)) => Rate::Dividers {
            div1,
            div2,
            feedback,
        },
        // facts/display.md 4.3 has the newer dividers only; these are the ones
        // of the vendor's MT6575 and MT6577, 0 dividing by 1.
        (None, None) if div1 > 3 => {
            let (times, divisor) = (u32::from(div1) + 1, (2 * u32::from(div2)).max(1));
            row.comment(
                "rate",
                format!(
                    "Its driver states the rate as the MT6575 and MT6577 do: 26 MHz x {times} / \
                     {divisor} on a lane."
                ),
            );
            row.doubtful = true;
            Rate::PllMhz {
                pll_mhz: 26 * times / divisor / 2,
            }
        }
        (None, None) => return Err(no_rate()),
    };
    Ok(())
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
    match &mut steps[..] {
        [.., (false, low), (true, high)] => {
            // What every controller needs; some drivers rely on the time that
            // the calls themselves take.
            *low = (*low).max(1);
            *high = (*high).max(5);
        }
        _ => {
            row.comment(
                "reset",
                "Its driver resets by means of its board: the common pulse.",
            );
            steps = vec![(true, 10), (false, 10), (true, 120)];
        }
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
    let Script {
        mut lines,
        mut doubts,
    } = script::script(&entry.init)?;
    if entry.display_on_via.as_deref() == Some("resume") {
        let resume = script::script(&items(&resume_steps(&entry.resume))?)?;
        lines.extend(resume.lines);
        doubts.extend(resume.doubts);
        row.comment(
            "init",
            "Sleep-out and display-on are in its driver's resume.",
        );
    }
    let at = |command: &str| {
        lines.iter().rposition(|line| {
            let mut words = line.split_whitespace().skip(1);
            words.next() == Some(command) && words.next().is_none_or(|arg| arg == "00")
        })
    };
    match (at("11"), at("29")) {
        (Some(wake), Some(on)) if on > wake => {}
        _ => return Err("its driver does not send sleep-out and display-on".into()),
    }
    let mut left_out: Vec<String> = Vec::new();
    let controller = row.controller.clone();
    lines.retain(|line| {
        let burning = command(line).filter(|&command| burns(&controller, command));
        left_out.extend(burning.map(|command| format!("{command:02X}")));
        burning.is_none()
    });
    if !left_out.is_empty() {
        left_out.dedup();
        row.comment(
            "init",
            format!(
                "Left out: {}, which programs the one-time memory.",
                left_out.join(", ")
            ),
        );
    }
    row.init = lines;
    for doubt in doubts {
        doubtful(row, &doubt);
    }
    Ok(())
}

/// Command of a line that is a write.
fn command(line: &str) -> Option<u8> {
    let mut words = line.split_whitespace();
    let data_type = words.next()?;
    (data_type.len() == 2).then_some(())?;
    u8::from_str_radix(words.next()?, 16).ok()
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
    let lines = script::script(&suspend).unwrap_or_default().lines;
    let lines = if script::sendable(&lines).is_ok() {
        lines
    } else {
        Vec::new()
    };
    let writes = lines.iter().filter(|line| command(line).is_some()).count();
    row.power_down = if (1..=LONGEST_POWER_DOWN).contains(&writes) {
        lines
    } else {
        row.comment(
            "power_down",
            "Its driver has no power-down of its own: the standard one.",
        );
        ["05 28", "delay 20", "05 10", "delay 120"]
            .map(String::from)
            .to_vec()
    };
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
    if let Some(fps) = row.frames_per_second()
        && !(40.0..=90.0).contains(&fps)
    {
        why.push(format!("its timing gives {fps:.0} frames a second"));
    }
    for reason in why {
        doubtful(row, &reason);
    }
}

fn doubtful(row: &mut Row, why: &str) {
    row.doubtful = true;
    row.comment("doubtful", format!("Doubtful: {why}."));
}
