//! The header in front of our own image, as the preloader sees it: it checks
//! the magic and nothing else, so the rest is up to the watchdog.
//! Source: facts/storage-and-images.md 1.3; facts/soc.md 6.

use crate::common::{TestPhone, artifacts};

/// Offset of the payload size in MediaTek's header.
const SIZE: usize = 4;

fn lk_with(at: usize, value: u32) -> Vec<u8> {
    let mut lk = artifacts::lk();
    lk[at..at + 4].copy_from_slice(&value.to_le_bytes());
    lk
}

#[test]
fn wrong_magic_leaves_the_phone_to_a_host_tool() {
    let run = TestPhone::with_empty_card()
        .part("UBOOT", lk_with(0, 0x5888_1689))
        .good_bootimg()
        .run();
    run.waits_for_usb("preloader").is_clean();
    run.check(run.text().is_empty(), "something ran");
}

#[test]
fn a_blank_partition_leaves_the_phone_to_a_host_tool() {
    let run = TestPhone::with_empty_card().good_bootimg().run();
    run.waits_for_usb("preloader").is_clean();
}

#[test]
fn size_beyond_the_partition_still_boots() {
    // The preloader then also loads what follows UBOOT; all of it lands in
    // memory that is ours to clear. 0xA0000 is the end of its own buffers.
    for size in [0x6_0001, 0xA_0000] {
        let run = TestPhone::with_empty_card()
            .part("UBOOT", lk_with(SIZE, size))
            .good_bootimg()
            .run();
        run.boots("BOOTIMG");
    }
}

#[test]
fn size_zero_is_ended_by_the_watchdog() {
    // The preloader jumps to what was in memory before.
    let run = TestPhone::with_empty_card()
        .part("UBOOT", lk_with(SIZE, 0))
        .good_bootimg()
        .run();
    run.check(run.resets("watchdog") > 0, "the watchdog does not bite");
    run.never_says("TK ");
}

#[test]
fn half_an_image_is_ended_by_the_watchdog() {
    let half = artifacts::lk().len() as u32 / 2;
    let run = TestPhone::with_empty_card()
        .part("UBOOT", lk_with(SIZE, half))
        .good_bootimg()
        .run();
    run.check(run.resets("watchdog") > 0, "the watchdog does not bite");
    run.never_says("TK ");
}
