//! Rows that repeat another one, or can never be found beside it.
//!
//! Panels that answer alike are no twins: what they answer is one piece of
//! evidence among others, and all of them are weighed. The first touch chip
//! that recognises itself at an address is taken.

use crate::source::ids::Term;
use crate::source::panels::Panel;
use crate::source::parts::{ExpectToml, StepToml, TouchToml};
use crate::source::{Place, Problem};
use std::collections::BTreeMap;

/// Refuses file names of one folder that people would take for the same.
pub fn check_ids<'a>(folder: &str, ids: impl IntoIterator<Item = &'a str>) -> Result<(), Problem> {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for id in ids {
        let plain = id.to_ascii_lowercase().replace('_', "-");
        if let Some(other) = known.insert(plain, id) {
            return Err(Place::new(folder, id).field("file name").problem(&format!(
                "is nearly that of data/{folder}/{other}.toml: rename one of them"
            )));
        }
    }
    Ok(())
}

/// Refuses panels of which one is the other under another file name, and
/// ways to know a panel that are none.
pub fn check_panels(panels: &[(String, Panel)]) -> Result<(), Problem> {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for (id, panel) in panels {
        let row = &panel.row;
        // All that drives it: with two such rows nobody can tell which is fitted.
        let same = format!(
            "{:?}",
            (
                (&row.controller, row.width, row.height, row.bus, row.lanes),
                (row.mode, row.format, row.vertical, row.horizontal, row.rate),
                (row.no_spread, row.phy, &panel.reset, &panel.init),
                (&panel.power_down, &panel.ids),
            )
        );
        // A panel that is only named has nothing else.
        if !panel.init.is_empty()
            && let Some(other) = known.insert(same, id)
        {
            return Err(Place::new("panels", id).field("names").problem(&format!(
                "is the panel of data/panels/{other}.toml: put these names there and remove this file"
            )));
        }
        let place = Place::new("panels", id).field("id.match");
        for (n, alternative) in panel.ids.iter().enumerate() {
            let mut before = panel.ids[..n].iter();
            if before.any(|other| other == alternative) {
                return Err(place.problem(&format!(
                    "number {} is another [[id]] of this row once more: remove it",
                    n + 1
                )));
            }
            if contradicts_itself(&alternative.terms) {
                return Err(place.problem(&format!(
                    "number {} wants two values of one byte, pin or voltage: make two [[id]] of it",
                    n + 1
                )));
            }
        }
    }
    Ok(())
}

/// Whether no answer can fulfil all of `terms`.
fn contradicts_itself(terms: &[Term]) -> bool {
    let clash = |one: &Term, other: &Term| match (*one, *other) {
        (
            Term::Register {
                register,
                byte,
                mask,
                value,
                ..
            },
            Term::Register {
                register: register_2,
                byte: byte_2,
                mask: mask_2,
                value: value_2,
                ..
            },
        ) => (register, byte) == (register_2, byte_2) && (value ^ value_2) & mask & mask_2 != 0,
        (
            Term::Strap { index, high },
            Term::Strap {
                index: index_2,
                high: high_2,
            },
        ) => index == index_2 && high != high_2,
        (
            Term::Voltage {
                channel,
                from_mv,
                to_mv,
            },
            Term::Voltage {
                channel: channel_2,
                from_mv: from_2,
                to_mv: to_2,
            },
        ) => channel == channel_2 && (to_mv < from_2 || to_2 < from_mv),
        _ => false,
    };
    terms
        .iter()
        .enumerate()
        .any(|(n, one)| terms[..n].iter().any(|other| clash(one, other)))
}

/// Refuses touch chips that are never found, because another one always
/// recognises itself first. `chips` stand in the order of their probes.
pub fn check_touch(chips: &[(String, TouchToml)]) -> Result<(), Problem> {
    for (n, (id, chip)) in chips.iter().enumerate() {
        let first = chips[..n].iter().find(|(_, other)| shadows(other, chip));
        if let Some((other, _)) = first {
            return Err(Place::new("touch", id).field("probe").problem(&format!(
                "whatever answers this is taken for data/touch/{other}.toml: \
                 expect something that tells them apart, give it a lower `order`, or add the names there"
            )));
        }
    }
    Ok(())
}

/// Whether `first` recognises itself in every chip in which `second` does, at
/// every address and not later.
fn shadows(first: &TouchToml, second: &TouchToml) -> bool {
    !first.weak
        && first.wait_ms <= second.wait_ms
        && second
            .addresses
            .iter()
            .all(|address| first.addresses.contains(address))
        && first.probe.len() <= second.probe.len()
        && first
            .probe
            .iter()
            .zip(&second.probe)
            .all(|(one, other)| accepts(one, other))
}

/// Whether the step `one` asks the same as `other` and takes every answer that
/// it takes.
fn accepts(one: &StepToml, other: &StepToml) -> bool {
    let asks = |step: &StepToml| {
        (
            step.address,
            step.write.clone(),
            step.write_from.map(|from| (from.step, from.byte)),
            step.stop,
        )
    };
    let bytes = |expect: &ExpectToml| {
        let all = vec![0xFF; expect.values.first().map_or(0, Vec::len)];
        (
            expect.offset,
            expect.mask.clone().unwrap_or(all),
            expect.invert,
        )
    };
    asks(one) == asks(other)
        && one.read <= other.read
        && (one.optional || !other.optional)
        && match (&one.expect, &other.expect) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(one), Some(other)) => {
                let part = |all: &ExpectToml, some: &ExpectToml| {
                    some.values.iter().all(|value| all.values.contains(value))
                };
                bytes(one) == bytes(other)
                    && if one.invert {
                        part(other, one)
                    } else {
                        part(one, other)
                    }
            }
        }
}
