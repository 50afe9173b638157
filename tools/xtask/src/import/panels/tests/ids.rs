//! What tells a panel.

use super::{has, panel, row};
use serde_json::{Value, json};

/// The sections of a panel whose driver compares so.
fn ids(id_read: &Value, changes: &Value) -> String {
    let mut changes = changes.clone();
    changes["id_read"] = id_read.clone();
    let row = row(&changes);
    row.split_once("[[id]]")
        .map_or(String::new(), |(_, ids)| ids.to_string())
}

#[test]
fn pins_and_voltages_join_what_the_key_says() {
    let pins = json!({"match": [{
        "gpio": [{"pin": "GPIO19", "level": 0}, {"pin": "GPIO_LCM_ID_PIN", "level": 1}],
        "adc": [{"ch": 1, "mv": [[500, 800]]}]
    }]});
    let found = ids(&pins, &json!({}));
    has(
        &found,
        "match = [\"00[0]=98\", \"01[0]=06\", \"02[0]=04\", \"strap2=low\", \"strap2=high\", \"adc1=500..800\"]",
    );
    let raw = |from: u32, to: u32| {
        let adc = json!({"match": [{"adc": [{"ch": "MACRO", "raw": [[from, to]]}]}]});
        ids(&adc, &json!({"init": without_key()}))
    };
    has(&raw(0, 200), "match = [\"adc0=0..73\"]");
    has(&raw(201, 4095), "match = [\"adc0=74..\"]");
}

/// An initialisation that does not name the chip.
fn without_key() -> Value {
    panel()["init"].as_array().unwrap()[1..].to_vec().into()
}

#[test]
fn a_driver_that_does_not_ask_is_known_by_its_key() {
    let row = row(&json!({"id_read": {"method": "always_true"}}));
    has(
        &row,
        "its driver does not ask.\n[[id]]\nunlock = [\"39 FF FF 98 06 04 01\"]\n",
    );
    let silent = ids(&json!({"method": "none"}), &json!({"init": without_key()}));
    assert_eq!(silent, "");
}

#[test]
fn zeros_and_a_boards_function_are_no_identity() {
    let plain = json!({"init": without_key()});
    let zeros = json!({"match": [{"dsi": [{"cmd": 4, "byte": 0, "value": 0}]}]});
    assert_eq!(ids(&zeros, &plain), "");
    let helper = json!({"match": [{"helper": [{"fn": "which_lcd_module", "value": 1}]}]});
    assert_eq!(ids(&helper, &plain), "");
}

#[test]
fn alternatives_that_differ_in_a_pin_are_one() {
    let asks = |level: u8| json!({"dsi": [{"cmd": 4, "byte": 1, "value": 128}], "gpio": [{"pin": "GPIO97", "level": level}]});
    let found = ids(&json!({"match": [asks(0), asks(1)]}), &json!({}));
    has(&found, "reads = [\"04 3\"]\nmatch = [\"04[1]=80\"]\n");
    // The pin alone is enough for the driver: the chip is the same.
    let pin = json!({"gpio": [{"pin": "GPIO97", "level": 0}]});
    let found = ids(&json!({"match": [pin, asks(1)]}), &json!({}));
    has(&found, "match = [\"04[1]=80\"]\n");
}

#[test]
fn what_merged_drivers_compare_counts_too() {
    let other = json!([{"match": [{"dsi": [{"cmd": 218, "byte": 0, "value": 64}]}]}]);
    let row = row(&json!({ "id_variants": other }));
    has(
        &row,
        "match = [\"00[0]=98\", \"01[0]=06\"]\n\n[[id]]\nreads = [\"DA 1\"]\nmatch = [\"DA[0]=40\"]\n",
    );
}

#[test]
fn orise_says_in_a1_what_a_driver_asks_in_d2() {
    let d2 = json!({
        "match": [{"dsi": [{"cmd": 210, "byte": 0, "value": 128}, {"cmd": 210, "byte": 1, "value": 9}]}],
        "seq": [{"cmd": 255, "args": [128, 9, 1], "dt": 41}]
    });
    let found = ids(&d2, &json!({"init": without_key()}));
    has(
        &found,
        "reads = [\"A1 5\"]\nmatch = [\"A1[2]=80\", \"A1[3]=09\"]",
    );
    has(
        &found,
        "\"15 00 02\"]\nreads = [\"D2 2\"]\nmatch = [\"D2[0]=80\", \"D2[1]=09\"]",
    );
}
