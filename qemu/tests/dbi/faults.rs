//! Panels that are not.

use crate::phone::{Boot, Phone};

const BOARD: &str = "dbi/ili9488-18bit";
const DRIVER: &str = "ili9488_hvga_tkc_drv";

/// It answers, no row fits; one that cannot be read is tried, as a guess.
fn is_new(boot: &Boot) {
    boot.run.says(&["LCM-NEW"]);
    assert_eq!(boot.told("panel-certainty"), Some("guess"), "{}", boot.run);
    boot.run.says(&["guess (unreadable)"]);
    assert_ne!(boot.glass(), "picture");
}

fn broken(fault: &str) -> Phone {
    let light = "backlight = \"isink\"";
    Phone::new(BOARD).with(light, &format!("{light}\nfaults = {{ {fault} }}"))
}

#[test]
fn no_panel_on_the_bus() {
    let boot = broken("unplugged = true").boot();
    boot.run.is_clean();
    boot.run.says(&["LCM-SILENT"]);
    assert_eq!(boot.told("panel-id"), None);
    assert_eq!(boot.glass(), "absent");
}

#[test]
fn registers_of_no_panel_of_the_table() {
    let boot = broken("wrong_id = { D3 = [0x00, 0x12, 0x34] }").boot();
    boot.run.is_clean();
    is_new(&boot);
}

#[test]
fn a_panel_that_answers_ones() {
    let boot = broken("all_ones = true").boot();
    boot.run.is_clean();
    boot.run.says(&["LCM-CONST"]);
    assert_eq!(boot.told("panel-id"), None);
}

/// Slower than any data sheet: what is read is nonsense, and must not be taken
/// for an ID.
#[test]
fn a_panel_that_answers_later_than_is_waited_for() {
    let boot = Phone::new(BOARD)
        .with("access_ns = 40", "access_ns = 700")
        .may_err()
        .boot();
    let errors: Vec<_> = boot.run.outcome.guest_errors().collect();
    assert!(
        format!("{errors:?}").contains("sampled after"),
        "{errors:?}"
    );
    is_new(&boot);
}

/// The row's cycles are shorter than this glass takes: the emulator says so,
/// and shows no picture.
#[test]
fn a_panel_that_is_slower_than_its_row() {
    let boot = Phone::new(BOARD)
        .hinted(DRIVER)
        .with("write_ns = 40", "write_ns = 120")
        .may_err()
        .boot();
    let errors: Vec<_> = boot.run.outcome.guest_errors().collect();
    assert!(
        format!("{errors:?}").contains("a write of 96 ns"),
        "{errors:?}"
    );
    assert_ne!(boot.glass(), "picture");
}

/// A module strapped for fewer lines than the row says.
#[test]
fn a_panel_with_fewer_lines_than_its_row() {
    let boot = Phone::new(BOARD)
        .hinted(DRIVER)
        .with("lines = 18", "lines = 16")
        .boot();
    boot.run.is_clean();
    assert_eq!(boot.told("panel-id"), Some("ili9488-hvga-tkc-drv"));
    assert_eq!(boot.glass(), "garbled", "{}", boot.run);
}
