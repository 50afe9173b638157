//! The beginning of a new row of the driver table, for chips that answered
//! and that no row knows: what was read, in the form of `board-db/data`.
//!
//! A row passes the checks of `unilk db lint`, but says where a person must
//! go on: what no register tells is in the phone's own firmware.

mod chips;
pub(super) mod panel;

use super::Hex;
use super::entry::{Entry, What};
use super::near::{self, Near};
use crate::db::lint::PLACEHOLDER;
use serde::Serialize;

/// A row that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewRow {
    /// What it is of: `panel`, `touch`, `camera main`, `camera sub`.
    pub unit: &'static str,
    /// Folder below `board-db/data`.
    pub folder: &'static str,
    /// A name for its file, without ending.
    pub name: String,
    /// What goes into the file.
    pub text: String,
}

/// A chip that answered and that no row knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// What it is: `panel`, `touch`, `camera main`, `camera sub`.
    pub unit: &'static str,
    /// Rows that fit in part, best first.
    pub near: Vec<Near>,
    /// The beginning of its row; `None` if it said nothing that would tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<NewRow>,
}

/// Everything in `records` that the table does not know.
pub fn of(records: &[Entry]) -> Vec<Unknown> {
    let noted = |unit: &str, wanted: &str| {
        records.iter().any(|entry| {
            entry.unit == unit && matches!(&entry.what, What::Note { code, .. } if code == wanted)
        })
    };
    let mut all = Vec::new();
    let mut add = |unit: &'static str,
                   begin: fn(&[Entry], &'static str, &[Near]) -> Option<NewRow>| {
        let near = near::of(records, unit);
        let row = begin(records, unit, &near);
        all.push(Unknown { unit, near, row });
    };
    if noted("panel", "LCM-NEW") {
        add("panel", panel::begin);
    }
    if noted("touch", "TP-NEW") {
        add("touch", chips::begin_touch);
    }
    for unit in ["camera main", "camera sub"] {
        if noted(unit, "CAM-NEW") {
            add(unit, chips::begin_camera);
        }
    }
    all
}

/// How every row begins.
fn heading(what: &str) -> String {
    format!(
        "# Begun by `unilk report` from what an unknown {what} answered: partial, not verified.\n\
         # {PLACEHOLDER}: what no register tells; the phone's stock firmware does. `unilk db lint` checks the row.\n"
    )
}

/// Whom the unit's transfers reached first, and what it answered to which
/// bytes. Answers of all zeros or ones are none.
pub(super) fn answers(records: &[Entry], unit: &str) -> Option<(u16, Vec<(Hex, Hex)>)> {
    let mut reached = None;
    let mut answers: Vec<(Hex, Hex)> = Vec::new();
    for entry in records.iter().filter(|entry| entry.unit == unit) {
        let What::I2c {
            address, sent, got, ..
        } = &entry.what
        else {
            continue;
        };
        if entry.outcome != Some("ok") || *reached.get_or_insert(*address) != *address {
            continue;
        }
        let known = answers.iter().any(|(known, _)| known == sent);
        if !sent.0.is_empty() && !got.0.is_empty() && !known {
            answers.push((sent.clone(), got.clone()));
        }
    }
    Some((reached?, answers))
}

/// An array of texts.
fn list(texts: &[String]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| format!("\"{text}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

/// An array of bytes.
fn bytes(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("0x{byte:02X}")).collect();
    format!("[{}]", digits.join(", "))
}

#[cfg(test)]
mod tests;
