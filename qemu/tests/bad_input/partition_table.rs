//! Partition tables: a damaged PMT, a damaged mirror too, no MBR either.
//! Source: facts/storage-and-images.md 4.2 to 4.4.

use crate::common::{TestPhone, artifacts};

/// A copy of the PMT, and the bytes that are read of it.
const COPY: u64 = 4096;
const TAIL: u64 = COPY - 4;
const VERSION: u64 = 4;

fn phone() -> (TestPhone, u64) {
    let phone = TestPhone::new().good_bootimg();
    let pmt = phone.pmt_offset();
    (phone, pmt)
}

#[test]
fn bad_signature_and_good_mirror() {
    let (phone, pmt) = phone();
    let run = phone.patch(pmt, *b"XXXX").run();
    run.says(&["PMT-SIG PMT:"])
        .says(&["partitions: ", "from PMT mirror"]);
    run.boots("BOOTIMG");
}

#[test]
fn an_update_that_was_cut_off() {
    let (phone, pmt) = phone();
    let run = phone.patch(pmt + TAIL, [0xFF; 4]).run();
    run.says(&["PMT-TAIL PMT:"]).says(&["from PMT mirror"]);
    run.boots("BOOTIMG");
}

#[test]
fn a_version_that_nobody_knows() {
    let (phone, pmt) = phone();
    let run = phone.patch(pmt + VERSION, *b"9.9\0").run();
    run.says(&["PMT-VER PMT:"]).says(&["from PMT mirror"]);
    run.boots("BOOTIMG");
}

#[test]
fn entries_that_overlap() {
    // BOOTIMG, line 9, is given the place of UBOOT, line 8.
    let (phone, pmt) = phone();
    let entry = |line: u64| pmt + 8 + 88 * line;
    let run = phone
        .patch(entry(9) + 72, 0x232_0000u64.to_le_bytes())
        .run();
    run.says(&["PMT-OVER PMT:", "8", "9"])
        .says(&["from PMT mirror"]);
    run.boots("BOOTIMG");
}

#[test]
fn an_entry_behind_the_end_of_the_card() {
    let (phone, pmt) = phone();
    let entry = pmt + 8 + 88 * 9;
    let run = phone
        .patch(entry + 64, 0xFFFF_FFFF_FFFF_FE00u64.to_le_bytes())
        .run();
    run.says(&["PMT-", " PMT:"]).says(&["from PMT mirror"]);
    run.boots("BOOTIMG");
}

#[test]
fn both_copies_bad_and_a_good_mbr() {
    let (phone, pmt) = phone();
    let run = phone.patch(pmt, *b"XXXX").patch(pmt + COPY, [0; 4]).run();
    run.says(&["PMT-SIG PMT:"]).says(&["PMT-SIG PMT mirror:"]);
    run.says(&["built-in layout at the MBR"]);
    run.boots("BOOTIMG");
}

#[test]
fn both_copies_bad_and_recovery_needed() {
    // The whole built-in layout is believed because the MBR agrees with it.
    let phone = TestPhone::new().good_recovery();
    let pmt = phone.pmt_offset();
    let run = phone.patch(pmt, [0; 2 * COPY as usize]).run();
    run.says(&["IMG-MAGIC", "BOOTIMG: "]).boots("RECOVERY");
}

#[test]
fn nothing_but_the_header_of_uboot_tells_the_place() {
    let (phone, pmt) = phone();
    let run = phone
        .patch(pmt, [0; 2 * COPY as usize])
        .patch(0, [0xFF; 512])
        .run();
    run.says(&["built-in layout at the UBOOT header"]);
    run.boots("BOOTIMG");
}

#[test]
fn nothing_at_all_tells_the_place() {
    // Started from outside the card, as a tool would.
    let phone = TestPhone::with_empty_card().good_bootimg();
    let pmt = phone.pmt_offset();
    let run = phone
        .patch(pmt, [0; 2 * COPY as usize])
        .patch(0, [0xFF; 512])
        .change(|phone| phone.lk(artifacts::path("lk.bin")))
        .run();
    run.says(&["built-in layout, unconfirmed"]).boots("BOOTIMG");
}

#[test]
fn crc_errors_where_the_table_lies() {
    let (phone, pmt) = phone();
    let sector = pmt / 512;
    let run = phone
        .with_board(&format!(
            "[[emmc.faults]]\nkind = 'crc'\nfirst = {sector}\nlast = {}",
            sector + 7
        ))
        .run();
    run.says(&["PT-READ PMT:"]).says(&["from PMT mirror"]);
    run.boots("BOOTIMG");
}

#[test]
fn time_outs_where_both_copies_lie() {
    let (phone, pmt) = phone();
    let sector = pmt / 512;
    let run = phone
        .with_board(&format!(
            "[[emmc.faults]]\nkind = 'timeout'\nfirst = {sector}\nlast = {}",
            sector + 15
        ))
        .run();
    run.says(&["PT-READ PMT:"]).says(&["PT-READ PMT mirror:"]);
    run.says(&["built-in layout at the MBR"]).boots("BOOTIMG");
}

/// Every read of the card's first 64 MiB and of its end takes as long as a
/// read can: the way to the last layout has many of them, and still ends in a
/// clear line rather than in a reset.
#[test]
fn nothing_can_be_read_where_tables_lie() {
    let (phone, pmt) = phone();
    let sector = pmt / 512;
    let run = phone
        .with_board(&format!(
            "[[emmc.faults]]\nkind = 'timeout'\nfirst = 0\nlast = 131071\n\
             [[emmc.faults]]\nkind = 'timeout'\nfirst = {sector}\nlast = {}",
            sector + 15
        ))
        .change(|phone| phone.lk(artifacts::path("lk.bin")))
        .run();
    run.says(&["PT-READ"]).is_clean().is_off();
    run.never_says("TK ");
    run.check(run.resets("watchdog time-out") == 0, "the watchdog bit");
}

/// The MBR can be read and is none, and then one read after the other fails:
/// the search for UBOOT gives up long before its 512th.
#[test]
fn a_search_through_a_bad_card_gives_up() {
    let (phone, pmt) = phone();
    let run = phone
        .patch(pmt, [0; 2 * COPY as usize])
        .patch(0, [0xFF; 512])
        .with_board("[[emmc.faults]]\nkind = 'timeout'\nfirst = 1\nlast = 131071")
        .change(|phone| phone.lk(artifacts::path("lk.bin")))
        .run();
    run.says(&["STOP "]).is_clean().is_off();
    run.check(run.resets("watchdog time-out") == 0, "the watchdog bit");
}
