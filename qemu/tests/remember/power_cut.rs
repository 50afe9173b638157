//! The power is cut in every sector that a boot writes: what the phone knew is
//! there afterwards, or what it was about to store, and nothing else is lost.

use unilk_core::identify::store::{How, SLOT_LEN, StoreError};
use unilk_phone::Kind;

use crate::phone::{Boot, Phone, SECTOR, Slots, blank, choice, load, with_choice};

/// Sectors of a slot.
const SECTORS: usize = SLOT_LEN / SECTOR;
/// A panel that nothing else answers like, and its row.
const BOARD: &str = "identify/unknown-ili9806h";
const PANEL: &str = "ili9806h-azet-a40271n01vi-a-dsi-2-ivo-wvga-vdo";

/// Where the power is cut, as the number of a sector in the slot from 1, and
/// what that sector holds afterwards.
const EVERYWHERE: [(usize, &str); 10] = [
    (1, "old"),
    (1, "half"),
    (2, "half"),
    (3, "old"),
    (4, "half"),
    (5, "new"),
    (6, "half"),
    (7, "new"),
    (8, "half"),
    (8, "new"),
];
const SOME: [(usize, &str); 3] = [(1, "half"), (5, "old"), (8, "half")];

/// Boots with the power cut in the `number`th sector, from 1.
#[track_caller]
fn cut(phone: &Phone, number: usize, leaves: &str) -> Boot {
    let fault = format!("[emmc.power_cut]\nat_sector = {number}\nleaves = '{leaves}'");
    let boot = phone.with_board(&fault).boot();
    let off = |kind: &Kind| matches!(kind, Kind::PowerOff { why } if why == "power cut");
    boot.run.check(
        boot.run.outcome.saw(off) && !boot.saw_kernel(),
        &format!("the power was not cut in sector {number}"),
    );
    boot
}

/// Boots a phone that has something to store in slot `target`, with each of
/// the power cuts, and again without.
#[track_caller]
fn survives(phone: &Phone, slots: &Slots, target: usize, cuts: &[(usize, &str)], check: fn(&Boot)) {
    let phone = phone.with_slots(slots);
    let undisturbed = phone.boot();
    undisturbed.reaches_kernel();
    let new = undisturbed.remembers();
    let other = (1 - target) * SLOT_LEN;
    assert_eq!(
        undisturbed.slots[other..][..SLOT_LEN],
        slots[other..][..SLOT_LEN],
        "the slot with the newest choice was written"
    );
    for &(number, leaves) in cuts {
        let torn = cut(&phone, number, leaves);
        let at = target * SLOT_LEN;
        let mut expected = slots.clone();
        let whole = (number - 1) * SECTOR;
        expected[at..][..whole].copy_from_slice(&undisturbed.slots[at..][..whole]);
        let behind = at + whole + SECTOR;
        assert_eq!(torn.slots[..at + whole], expected[..at + whole], "{number}");
        assert_eq!(torn.slots[behind..], expected[behind..], "{number}");
        match (load(slots), load(&torn.slots)) {
            (_, Ok(Some(found))) if found == new => {
                assert!(number == SECTORS, "{number} of {SECTORS} sectors suffice");
            }
            (Ok(Some(old)), Ok(Some(found))) => assert_eq!(found, old),
            (Ok(None), Ok(None)) => assert_eq!(torn.slots, *slots),
            (Ok(None), found) => assert_eq!(found, Err(StoreError::Damaged)),
            other => panic!("{number}: {other:?}\n{}", torn.run),
        }
        let again = phone.with_slots(&torn.slots).boot();
        again.reaches_kernel();
        check(&again);
        assert_eq!(again.remembers(), new, "cut at {number}\n{}", again.run);
    }
}

/// Nothing was ever stored: slot 0 is written.
#[test]
fn on_the_first_boot() {
    survives(
        &Phone::with_panel(BOARD),
        &blank(),
        0,
        &EVERYWHERE,
        |boot| {
            boot.verdict(PANEL, "certain", "id");
        },
    );
}

/// The panel that a person chose, one of many that answer alike; the rest of
/// the phone is new. Slot 1 is written.
#[test]
fn when_a_persons_choice_is_stored() {
    let (slots, written) = with_choice(blank(), &choice("ili9806e-dsi-cmd-txd", How::Person));
    assert_eq!(written, 0);
    survives(
        &Phone::with_panel("identify/ckt72-ili9806e"),
        &slots,
        1,
        &EVERYWHERE,
        |boot| {
            boot.verdict("ili9806e-dsi-cmd-txd", "confirmed", "chosen");
            boot.never_says("fit alike");
        },
    );
}

/// Both slots hold a choice, and the panel was exchanged: the older of the
/// two is written over.
#[test]
fn when_both_slots_are_in_use() {
    let (slots, _) = with_choice(blank(), &choice("otm8018b-dsi-vdo", How::Identified));
    let (slots, written) = with_choice(slots, &choice("st7701-fwvga-dsi-vdo", How::Identified));
    assert_eq!(written, 1);
    survives(&Phone::with_panel(BOARD), &slots, 0, &SOME, |boot| {
        boot.verdict(PANEL, "certain", "id");
    });
}

/// A sector that holds neither the old bytes nor the new: it bears no tag, and
/// may be anybody's. What was known before still is, and the phone boots.
#[test]
fn a_sector_that_is_lost_does_not_stop_the_phone() {
    let (slots, _) = with_choice(blank(), &choice("ili9806e-dsi-cmd-txd", How::Person));
    let phone = Phone::with_panel("identify/ckt72-ili9806e").with_slots(&slots);
    for number in [1, 4] {
        let torn = cut(&phone, number, "garbage");
        assert_eq!(load(&torn.slots), load(&slots));
        let again = phone.with_slots(&torn.slots).boot();
        again.reaches_kernel().never_says("fit alike");
        again.verdict("ili9806e-dsi-cmd-txd", "confirmed", "chosen");
    }
}

/// What is known is not written again: the last two boots of three write
/// nothing at all.
#[test]
fn what_is_known_is_not_written_again() {
    let phone = Phone::with_panel(BOARD);
    let first = phone.boot();
    first.reaches_kernel().says(&["remembered in MISC, slot 0"]);
    assert_eq!(first.remembers().panel, PANEL);
    let second = phone.with_slots(&first.slots).boot();
    second.reaches_kernel().never_says("remembered in MISC");
    assert!(second.slots == first.slots);
    // Not even the first of all writes would have been interrupted.
    let fault = "[emmc.power_cut]\nat_sector = 1";
    let third = phone.with_slots(&first.slots).with_board(fault).boot();
    third.reaches_kernel();
}
