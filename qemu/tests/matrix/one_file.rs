//! A panel, a touch chip, a camera and a board that nobody knows: four TOML
//! files in a folder of the user's own, named by `UNILK_DB_EXTRA` when lk.bin
//! is built, and no line of Rust.

use crate::boot;
use crate::common::artifacts;
use crate::data;

/// `lk.bin` with the rows of `rows/`; `cargo xtask test` builds it.
const LK: &str = "lk-more-rows.bin";

#[test]
fn adding_a_row_is_one_file() {
    let phone = data::folder().join("../tests/matrix/rows/phone.toml");
    let board = std::fs::read_to_string(&phone).unwrap();
    let with = boot::run_with(artifacts::bytes(LK), None, &board);
    let told = |key: &str| with.told.get(key).map_or("none", String::as_str);
    assert!(with.kernel && with.errors.0 == 0, "{with:?}");
    assert_eq!(with.glass.0, "picture", "{}", with.glass.1);
    for (key, value) in [
        ("panel-id", "made-up-glass"),
        ("panel", "made_up_glass_dsi_vdo"),
        ("panel-certainty", "certain"),
        ("touch", "made-up-touch"),
        ("touch-address", "i2c1/1c"),
        ("camera-main", "made-up-camera"),
        ("board", "made-up-phone"),
    ] {
        assert_eq!(told(key), value, "{key} of {with:?}");
    }
    for node in [
        "panel@0:unilk,made-up-glass:okay",
        "touchscreen@1c:unilk,made-up-touch:okay",
        "camera@4c:unilk,made-up-camera:okay",
    ] {
        assert!(
            with.nodes.iter().any(|line| line.starts_with(node)),
            "{node}: {with:?}"
        );
    }

    // The usual bootloader knows none of them.
    let without = boot::run_with(artifacts::lk(), None, &board);
    assert!(without.kernel, "{without:?}");
    for key in ["panel-id", "touch", "camera-main", "board"] {
        let found = without.told.get(key).map_or("", String::as_str);
        assert!(!found.starts_with("made-up"), "{key} {found}");
    }
}
