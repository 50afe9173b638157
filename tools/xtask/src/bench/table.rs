//! What the driver table takes of `lk.bin`: its sequences, which are packed by
//! themselves, and its rows, which are packed with the bootloader's constants.
//! A part of those counts for what they are smaller without it. That is no
//! exact sum, because what parts have in common is there once.

use super::figure::Figure;
use anyhow::{Context, Result};
use object::{Object, ObjectSection, ObjectSymbol};
use std::ops::Range;
use unilk::compress;
use unilk_board_db::{PackedScript, panels};

/// What the whole table may have: 100 KiB.
const TABLE_MAX: f64 = 102_400.0;
/// And of it each panel, all that is not a panel's counted as if it were.
const PANEL_MAX: f64 = 130.0;
/// Microseconds that the phone needs at most for a packed byte of a sequence
/// (board-db/build/source/pack.rs).
const UNPACK_US: f64 = 0.7;
/// What unpacking a row may take, in milliseconds.
const UNPACK_MAX_MS: f64 = 2.0;

/// Parts by how the names of their constants begin; the first that fits.
const PARTS: [(&str, &[&str]); 4] = [
    ("dictionary of the sequences", &["DICTIONARY"]),
    (
        "panels, without names",
        &["PANEL", "CLUSTERS", "RESETS", "TERMS", "ALTERNATIVES"],
    ),
    ("names and other texts", &["TEXT"]),
    ("touch chips, cameras, boards and wirings", &[""]),
];

/// The table's bytes by part; `sequences` are those that are packed by
/// themselves.
pub fn measure(file: &object::File<'_>, sequences: u32) -> Result<Vec<Figure>> {
    // The image's constants, and where those of each section begin in memory
    // and among them.
    let mut constants = Vec::new();
    let mut places = Vec::new();
    for name in [".rodata", ".late.rodata"] {
        let section = file.section_by_name(name).context("no constants")?;
        places.push((section.address(), section.size(), constants.len() as u64));
        constants.extend_from_slice(section.data()?);
    }
    let constants = constants.as_slice();
    let mut parts: [Vec<Range<usize>>; PARTS.len()] = Default::default();
    for symbol in file.symbols() {
        let Some(name) = symbol.name().ok().and_then(constant) else {
            continue;
        };
        // The sequences are in neither.
        let place = places.iter().find_map(|&(address, size, before)| {
            let at = symbol.address().checked_sub(address)?;
            (at < size).then_some(before + at)
        });
        let Some(at) = place else {
            continue;
        };
        let range = at as usize..(at + symbol.size()) as usize;
        let part = PARTS
            .iter()
            .position(|(_, begins)| begins.iter().any(|begin| name.starts_with(begin)));
        if let Some(part) = part {
            parts[part].push(range);
        }
    }
    let all = compress::pack(constants).len();
    let share =
        |ranges: &[Range<usize>]| (all - compress::pack(&without(constants, ranges)).len()) as f64;
    let table = f64::from(sequences) + share(&parts.concat());
    let mut figures = vec![
        Figure::new("driver table, packed", table, "bytes").at_most(TABLE_MAX),
        Figure::new("  a panel of it", table / panels().len() as f64, "bytes").at_most(PANEL_MAX),
        Figure::new("  sequences of the panels", f64::from(sequences), "bytes"),
    ];
    for ((name, _), ranges) in PARTS.iter().zip(&parts) {
        figures.push(Figure::new(format!("  {name}"), share(ranges), "bytes"));
    }
    let packed = panels().iter().flat_map(|row| [row.init, row.power_down]);
    let worst = packed.map(PackedScript::packed_bytes).max().unwrap_or(0);
    let ms = worst as f64 * UNPACK_US / 1000.0;
    figures.push(Figure::new("unpacking a row, at most", ms, "ms").at_most(UNPACK_MAX_MS));
    Ok(figures)
}

/// `bytes` but for those in `ranges`.
fn without(bytes: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let mut keep = vec![true; bytes.len()];
    for range in ranges {
        keep[range.clone()].fill(false);
    }
    let bytes = bytes.iter().zip(keep);
    bytes
        .filter_map(|(&byte, keep)| keep.then_some(byte))
        .collect()
}

/// The constant of the table that a mangled name means.
fn constant(mangled: &str) -> Option<&str> {
    let (_, path) = mangled.split_once("unilk_board_db5table")?;
    let digits = path.bytes().take_while(u8::is_ascii_digit).count();
    let length: usize = path[..digits].parse().ok()?;
    path.get(digits..digits + length)
}

#[cfg(test)]
mod tests {
    use super::{constant, without};

    #[test]
    fn constants_are_found_in_mangled_names() {
        let name = "_ZN14unilk_board_db5table16PANELS_TREES_LOW17h5c14862763a43a93E";
        assert_eq!(constant(name), Some("PANELS_TREES_LOW"));
        let name = "_ZN14unilk_board_db5table4TEXT17h5c14862763a43a93E";
        assert_eq!(constant(name), Some("TEXT"));
        assert_eq!(constant("_ZN14unilk_board_db6panels4ROOM17h33bE"), None);
    }

    #[test]
    fn parts_are_left_out_once() {
        assert_eq!(without(b"abcdef", &[1..3, 2..4]), b"aef");
    }
}
