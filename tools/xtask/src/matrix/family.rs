//! The maker's manner of a controller, known by the keys of its own table.
//!
//! Source: facts/display.md 5.2, 5.5.

use super::script::Write;

/// What the emulated panel calls it (`qemu/src/panel/family.rs`).
pub fn of(controller: &str, table: &[Write]) -> &'static str {
    let sends = |start: &[u8]| table.iter().any(|write| write.bytes.starts_with(start));
    // The address shift alone is a no-operation elsewhere.
    if controller.starts_with("otm") {
        "orise"
    } else if sends(&[0xFF, 0xFF, 0x98]) || sends(&[0xFF, 0x98, 0x81]) {
        "ilitek-page"
    } else if sends(&[0xF0, 0x55, 0xAA, 0x52]) {
        "novatek"
    } else if sends(&[0xB9, 0xFF, 0x83]) {
        "himax"
    } else if sends(&[0xFF, 0x77, 0x01, 0x00, 0x00]) {
        "sitronix"
    } else if controller.starts_with('r') && (sends(&[0xB0, 0x04]) || sends(&[0xB0, 0x00])) {
        "renesas"
    } else if table
        .iter()
        .any(|write| matches!(write.bytes[..], [0xFF, _]))
    {
        "page-ff"
    } else if table
        .iter()
        .any(|write| matches!(write.bytes[..], [0xFE, _]))
    {
        "page-fe"
    } else {
        "dcs"
    }
}
