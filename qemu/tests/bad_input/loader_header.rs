//! The header in front of our own image, as the preloader sees it: it checks
//! the magic and nothing else, so the rest is up to the watchdog.
//! Source: facts/storage-and-images.md 1.3; facts/soc.md 6.

use crate::common::{Scratch, TestPhone, artifacts};

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
    // The preloader jumps to what was in memory before. Real time: garbage
    // takes one exception after the other, which no instruction count counts.
    // The watchdog warns by an interrupt after 16 s and resets after 16 more.
    let run = TestPhone::with_empty_card()
        .part("UBOOT", lk_with(SIZE, 0))
        .good_bootimg()
        // What is no program does anything.
        .allow_guest_errors()
        .change(|phone| phone.icount(false).max_resets(0))
        .run();
    run.check(
        run.resets("watchdog time-out") == 1,
        "the watchdog does not bite",
    );
    run.never_says("TK ");
}

/// Boots `lk`, which must say `code` and wait for a host tool.
#[track_caller]
fn says_that_it_is_damaged(lk: Vec<u8>, code: &str) {
    let run = TestPhone::with_empty_card()
        .part("UBOOT", lk)
        .good_bootimg()
        .change(|phone| phone.max_resets(1))
        .run();
    run.is_clean().waits_for_usb("boot-rom");
    run.says(&[
        "unilk: ",
        code,
        " this image is damaged: write lk.bin again",
    ])
    .never_says("TK ");
    run.check(run.resets("software reset") == 1, "not one reset");
}

#[test]
fn half_an_image_says_so_and_waits_for_a_host() {
    // What the preloader does not load is whatever memory holds.
    let half = artifacts::lk().len() as u32 / 2;
    says_that_it_is_damaged(lk_with(SIZE, half), "PACK-CHECK");
}

#[test]
fn an_image_whose_end_was_not_written_says_so() {
    let mut lk = artifacts::lk();
    let written = lk.len() - 4096;
    lk[written..].fill(0xFF);
    says_that_it_is_damaged(lk, "PACK-CHECK");
}

/// Where a word of the image's own head stands in `lk.bin`.
fn head(word: usize) -> usize {
    512 + 0x28 + 4 * word
}

#[test]
fn flipped_bits_say_so_wherever_they_are() {
    let lk = artifacts::lk();
    let word = |index: usize| {
        let at = head(index);
        u32::from_le_bytes([lk[at], lk[at + 1], lk[at + 2], lk[at + 3]]) as usize
    };
    let packed = 512 + word(3) + word(4);
    let end = 512 + word(2);
    for tenth in 0..10 {
        let mut bad = lk.clone();
        bad[packed + 5 + (end - packed - 10) * tenth / 10] ^= 1 << (tenth % 8);
        says_that_it_is_damaged(bad, "PACK-CHECK");
    }
}

#[test]
fn a_head_that_lies_says_so() {
    // Hints, payload, plain part (place, bytes), packed, unpacked, early part,
    // code in it, code in the late part; check.
    for (index, code) in [
        (1, "PACK-SIZE"),
        (3, "PACK-SIZE"),
        (4, "PACK-SIZE"),
        (5, "PACK-"),
        (6, "PACK-SIZE"),
        (7, "PACK-SIZE"),
        (8, "PACK-"),
        (9, "PACK-"),
        (10, "PACK-CHECK"),
        (11, "PACK-CHECK"),
    ] {
        for value in [8, u32::MAX] {
            says_that_it_is_damaged(lk_with(head(index), value), code);
        }
    }
    says_that_it_is_damaged(lk_with(head(0), 2), "PACK-VER");
}

/// Boots the payload from `PAGE` bytes further up, behind a jump over them.
fn boots_from_further_up<const PAGE: usize>() {
    /// `b`, in ARM code, to what is so far away.
    const BRANCH: u32 = 0xEA00_0000;
    let lk = artifacts::lk();
    let (header, payload) = lk.split_at(512);
    let mut moved = header.to_vec();
    moved.extend_from_slice(&(BRANCH | ((PAGE as u32 - 8) / 4)).to_le_bytes());
    moved.resize(512 + PAGE, 0);
    moved.extend_from_slice(payload);
    let size = moved.len() as u32 - 512;
    moved[SIZE..SIZE + 4].copy_from_slice(&size.to_le_bytes());
    let folder = Scratch::new();
    let file = folder.path().join("moved.bin");
    std::fs::write(&file, moved).unwrap();
    let run = TestPhone::with_empty_card()
        .good_bootimg()
        .change(|phone| phone.lk(file))
        .run();
    run.boots("BOOTIMG");
}

/// A loader may put us where the place of the bootloader begins within us.
#[test]
fn an_image_that_stands_across_the_bootloaders_place() {
    boots_from_further_up::<0x1000>();
}

/// Or that of the unpacker: the copy must not overwrite itself.
#[test]
fn an_image_that_stands_across_its_own_place() {
    boots_from_further_up::<0x5_0000>();
    boots_from_further_up::<0x6_8000>();
}
