//! What a board tells of its panel: levels of pins and voltages.

use super::dataset::{Match, VoltageIs};
use super::row::Identity;

/// Pins that a wiring profile of `board-db/data/wiring` has as straps. The
/// level of another pin would be compared with one of these.
const PINS: [u8; 4] = [18, 19, 21, 58];

/// The terms of an alternative, and comments on what is left out.
pub fn terms(alternative: &Match) -> (Vec<String>, Vec<String>) {
    let (mut terms, mut comments) = (Vec::new(), Vec::new());
    for (index, is) in alternative.gpio.iter().enumerate() {
        let number = is
            .pin
            .strip_prefix("GPIO")
            .and_then(|pin| pin.parse::<u8>().ok());
        if number.is_some_and(|number| !PINS.contains(&number)) {
            comments.push(format!(
                "Its driver also looks at {}, which is a strap in no wiring profile.",
                is.pin
            ));
            continue;
        }
        let level = if is.level == 0 { "low" } else { "high" };
        terms.push(format!("strap{}={level}", strap(&is.pin, index)));
    }
    terms.extend(alternative.adc.iter().map(voltage));
    (terms, comments)
}

/// Of two alternatives that differ in the level of a pin only, the pin says
/// nothing.
pub fn either_level(ids: &mut Vec<Identity>) {
    let flipped = |term: &str| {
        let low = term.strip_suffix("=high").map(|pin| format!("{pin}=low"));
        low.or_else(|| term.strip_suffix("=low").map(|pin| format!("{pin}=high")))
    };
    let mut at = 0;
    while at < ids.len() {
        let found = ids[at].terms.iter().enumerate().find_map(|(index, term)| {
            let mut other = ids[at].terms.clone();
            other[index] = flipped(term)?;
            let twin = ids.iter().position(|id| id.terms == other)?;
            Some((index, twin))
        });
        match found {
            Some((index, twin)) => {
                ids[at].terms.remove(index);
                ids.remove(twin);
                ids.retain(|id| !id.terms.is_empty());
                at = 0;
            }
            None => at += 1,
        }
    }
}

/// Which identification pin of the wiring profile a board's name is, the
/// `index`th that the driver looks at. Most boards have one; two are LCM_ID1
/// and LCM_ID2, GPIO18 and GPIO19 on Alcatel's (facts/display.md 5.5).
fn strap(pin: &str, index: usize) -> usize {
    match pin {
        "GPIO_LCM_ID1" | "GPIO18" => 1,
        "GPIO_LCM_ID2" | "GPIO19" => 2,
        _ => index + 1,
    }
}

/// The driver's unit is millivolts in steps of 10, open at 2490, or counts
/// of 1500 mV / 4096 (facts/panels.md, "id_read"; facts/display.md 5.5).
fn voltage(is: &VoltageIs) -> String {
    let channel = is.ch.as_u64().unwrap_or(0);
    let (from, to) = if let Some(&[(from, to), ..]) = is.mv.as_deref() {
        (from, (to < 2490).then_some(to))
    } else {
        let (from, to) = is
            .raw
            .as_ref()
            .and_then(|raw| raw.first())
            .copied()
            .unwrap_or((0, 4095));
        let up = (from * 1500).div_ceil(4096);
        (up, (to < 4095).then_some(to * 1500 / 4096))
    };
    let to = to.map_or(String::new(), |to| to.max(from + 1).to_string());
    format!("adc{channel}={from}..{to}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::PINS;
    use std::collections::BTreeSet;

    #[test]
    fn the_pins_are_those_of_the_profiles() {
        let folder = crate::paths::root().join("board-db/data/wiring");
        let mut straps = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let profile: toml::Table = toml::from_str(&text).unwrap();
            let pins = profile["panel"]
                .get("straps")
                .and_then(toml::Value::as_array);
            straps.extend(
                pins.into_iter()
                    .flatten()
                    .map(|pin| pin.as_integer().unwrap()),
            );
        }
        assert_eq!(straps, PINS.map(i64::from).into_iter().collect());
    }
}
