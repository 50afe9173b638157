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

/// Runs an image that is no program, until the watchdog has bitten once. It
/// warns by an interrupt after 16 s and resets after 16 more, in the time that
/// `clock` makes of it.
fn is_ended_by_the_watchdog(size: u32, clock: &'static [&'static str]) {
    let run = TestPhone::with_empty_card()
        .part("UBOOT", lk_with(SIZE, size))
        .good_bootimg()
        // What is no program does anything.
        .allow_guest_errors()
        .change(|phone| phone.icount(false).args(clock.iter().copied()))
        .change(|phone| phone.max_resets(0))
        .run();
    run.check(
        run.resets("watchdog time-out") == 1,
        "the watchdog does not bite",
    );
    run.never_says("TK ");
}

#[test]
fn size_zero_is_ended_by_the_watchdog() {
    // The preloader jumps to what was in memory before. Real time: garbage
    // takes one exception after the other, which no instruction count counts.
    is_ended_by_the_watchdog(0, &[]);
}

#[test]
fn half_an_image_is_ended_by_the_watchdog() {
    // 256 ns an instruction: half a minute of waiting is soon over.
    let half = artifacts::lk().len() as u32 / 2;
    is_ended_by_the_watchdog(half, &["-icount", "shift=8,sleep=off"]);
}

/// A loader may put us where our own place begins within us: the copy must not
/// overwrite itself. Here a page stands in front that jumps over itself.
#[test]
fn an_image_that_stands_across_its_own_place() {
    const PAGE: usize = 0x1000;
    /// `b` to the page behind, in ARM code.
    const BRANCH: u32 = 0xEA00_0000 | ((PAGE as u32 - 8) / 4);
    let lk = artifacts::lk();
    let (header, payload) = lk.split_at(512);
    let mut moved = header.to_vec();
    moved.extend_from_slice(&BRANCH.to_le_bytes());
    moved.resize(512 + PAGE, 0);
    moved.extend_from_slice(payload);
    let size = moved.len() as u32 - 512;
    moved[SIZE..SIZE + 4].copy_from_slice(&size.to_le_bytes());
    let run = TestPhone::with_empty_card()
        .part("UBOOT", moved)
        .good_bootimg()
        .run();
    run.boots("BOOTIMG");
}
