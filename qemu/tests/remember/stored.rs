//! Slots that hold what they should not: the boot says so where a person can
//! do something about it, and goes on.

use unilk_core::crc32::Crc32;
use unilk_core::identify::store::{How, SLOT_LEN};

use crate::phone::{Phone, Slots, blank, choice, with_choice};

/// A panel that nothing else answers like, and its row.
const BOARD: &str = "identify/unknown-ili9806h";
const PANEL: &str = "ili9806h-azet-a40271n01vi-a-dsi-2-ivo-wvga-vdo";

#[track_caller]
fn boot(slots: &Slots) -> crate::phone::Boot {
    let boot = Phone::with_panel(BOARD).with_slots(slots).boot();
    boot.reaches_kernel();
    boot
}

/// In either slot, wholly or by a single byte: nothing is written, to the
/// other slot neither.
#[test]
fn what_is_somebody_elses_is_not_written_over() {
    let full: Slots = (0..2 * SLOT_LEN)
        .map(|at| ((at * 7) >> 3) as u8 | 1)
        .collect();
    let byte_at = |at: usize| {
        let mut slots = blank();
        slots[at] = 0x41;
        slots
    };
    for slots in [full, byte_at(17), byte_at(2 * SLOT_LEN - 1)] {
        let boot = boot(&slots);
        boot.says(&["STORE-FULL"]).verdict(PANEL, "certain", "id");
        assert!(boot.slots == slots, "foreign data was written over");
    }
}

/// A stored choice beside somebody else's data is still read, and stays.
#[test]
fn a_choice_beside_foreign_data_holds() {
    let (mut slots, _) = with_choice(blank(), &choice("ili9806e-dsi-cmd-txd", How::Person));
    slots[SLOT_LEN + 600] = 9;
    let phone = Phone::with_panel("identify/ckt72-ili9806e").with_slots(&slots);
    let boot = phone.boot();
    boot.reaches_kernel().never_says("fit alike");
    boot.verdict("ili9806e-dsi-cmd-txd", "confirmed", "chosen");
    assert!(boot.slots == slots, "something was written");
}

#[test]
fn a_corrupt_choice_is_written_anew() {
    let (good, _) = with_choice(blank(), &choice("st7701-fwvga-dsi-vdo", How::Person));
    for (at, bits) in [(28, 1), (16, 0x80), (SLOT_LEN - 1, 4), (9, 2)] {
        let mut slots = good.clone();
        slots[at] ^= bits;
        let boot = boot(&slots);
        boot.says(&["STORE-CRC"]).verdict(PANEL, "certain", "id");
        assert_eq!(boot.remembers().panel, PANEL);
    }
}

/// The newer of two is damaged: the older one holds.
#[test]
fn the_older_choice_stands_in_for_a_damaged_newer_one() {
    let (slots, _) = with_choice(blank(), &choice("ili9806e-dsi-cmd-txd", How::Person));
    let (mut slots, newer) = with_choice(slots, &choice("otm8018b-dsi-vdo", How::Person));
    slots[newer * SLOT_LEN + 30] ^= 1;
    let phone = Phone::with_panel("identify/ckt72-ili9806e").with_slots(&slots);
    let boot = phone.boot();
    boot.reaches_kernel().never_says("fit alike");
    boot.verdict("ili9806e-dsi-cmd-txd", "confirmed", "chosen");
}

/// As after an update whose table lacks a row.
#[test]
fn an_unknown_panel_is_said_and_forgotten() {
    for how in [How::Person, How::Identified] {
        let (slots, _) = with_choice(blank(), &choice("panel-of-tomorrow", how));
        let boot = boot(&slots);
        boot.says(&["STORE-LCM"]).verdict(PANEL, "certain", "id");
        assert_eq!(boot.remembers().panel, PANEL);
    }
}

/// What was only identified yields to another answer, without a word: the
/// panel was exchanged.
#[test]
fn an_identified_panel_yields_to_what_answers_now() {
    let (slots, _) = with_choice(blank(), &choice("st7701-fwvga-dsi-vdo", How::Identified));
    let boot = boot(&slots);
    boot.verdict(PANEL, "certain", "id").never_says("LCM-OTHER");
    assert_eq!(boot.remembers().panel, PANEL);
}

/// What a person saw stands against it, with a warning.
#[test]
fn a_persons_panel_stands_with_a_warning() {
    let (slots, _) = with_choice(blank(), &choice("st7701-fwvga-dsi-vdo", How::Person));
    let boot = boot(&slots);
    boot.says(&["LCM-OTHER"]);
    boot.verdict("st7701-fwvga-dsi-vdo", "confirmed", "contradicted");
    let kept = boot.remembers();
    assert_eq!(
        (kept.panel, kept.how),
        ("st7701-fwvga-dsi-vdo", How::Person)
    );
}

/// A slot of a version to come, with a sum that is right: it is not used, and
/// its place may be taken.
#[test]
fn a_slot_of_another_version_is_not_used() {
    let (mut slots, _) = with_choice(blank(), &choice("st7701-fwvga-dsi-vdo", How::Person));
    slots[9] += 1;
    let sum = Crc32::new()
        .update(&slots[..16])
        .update(&slots[20..SLOT_LEN]);
    slots[16..20].copy_from_slice(&sum.value().to_le_bytes());
    let boot = boot(&slots);
    boot.says(&["STORE-CRC"]).verdict(PANEL, "certain", "id");
    assert_eq!(boot.remembers().panel, PANEL);
}
