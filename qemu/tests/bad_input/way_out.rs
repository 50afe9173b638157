//! When nothing can be started: the reason, the offer, and what comes of it.
//! Source: facts/soc.md 1.3 (USBDL), 6 (reset), 10.8 (power-off).

use unilk_phone::Kind;

use crate::common::{Run, TestPhone};

/// Nothing in BOOTIMG, nothing in RECOVERY.
fn unusable(toml: &str) -> TestPhone {
    TestPhone::new().with_board(toml)
}

/// The boot ROM waits for a host, for as long as the bootloader asked for.
fn is_downloading(run: &Run) {
    run.stops("IMG-MAGIC").is_clean();
    run.says(&["USB download mode"]).waits_for_usb("boot-rom");
    let asked = run.outcome.saw(|kind| {
        matches!(kind, Kind::UsbDownload { timeout_s: Some(seconds), .. } if (10..=600).contains(seconds))
    });
    run.check(asked, "it waits for ever or not at all");
    run.check(run.resets("software reset") == 1, "not one reset");
}

#[test]
fn nobody_is_there() {
    let run = unusable("").run();
    run.says(&["IMG-MAGIC", "BOOTIMG: "])
        .says(&["IMG-MAGIC", "RECOVERY: "]);
    run.stops("IMG-MAGIC").is_clean().is_off();
    run.says(&["press a key or plug in USB"]);
    // The patience that the line states, during which the watchdog is fed. It
    // is timed by the ARM counter, which QEMU runs 1.2 % fast: it rounds the
    // period of 13 MHz to whole nanoseconds.
    let waited = run.end_ms();
    run.check((29_600..35_000).contains(&waited), "not after 30 s");
}

#[test]
fn a_key_is_pressed() {
    let run = unusable("[[user]]\nat_ms = 5000\npress = 'vol-up'").run();
    is_downloading(&run);
    run.check((5_000..6_500).contains(&run.end_ms()), "not at once");
}

#[test]
fn the_power_key_is_pressed() {
    is_downloading(&unusable("[[user]]\nat_ms = 12000\npress = 'power'").run());
}

#[test]
fn a_cable_is_plugged_in() {
    is_downloading(&unusable("[[user]]\nat_ms = 7000\nplug = true").run());
}

#[test]
fn a_cable_was_there_all_the_time() {
    let run = unusable("[power]\ncharger = true").run();
    is_downloading(&run);
    run.check(run.end_ms() < 2_000, "not at once");
}

#[test]
fn a_key_is_typed_on_the_serial_port() {
    let run = unusable("")
        .change(|phone| phone.type_after(0, "press a key", "u"))
        .run();
    is_downloading(&run);
}

#[test]
fn a_dead_card_offers_the_same() {
    let run = unusable("[emmc]\nnever_ready = true\n[[user]]\nat_ms = 9000\npress = 'vol-down'")
        .change(|phone| phone.lk(crate::common::artifacts::path("lk.bin")))
        .run();
    run.stops("MMC-POWERUP")
        .is_clean()
        .waits_for_usb("boot-rom");
}
