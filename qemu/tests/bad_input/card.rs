//! A sick eMMC: errors at a block, no answer, never ready, busy for ever, DDR
//! that does not work. Source: facts/storage-and-images.md 8.

use crate::common::{Run, TestPhone, artifacts};

/// Both images are good; the card is not.
fn with_faults(describe: impl FnOnce(&TestPhone) -> String) -> Run {
    let phone = TestPhone::new().good_bootimg().good_recovery();
    let toml = describe(&phone);
    phone.with_board(&toml).run()
}

fn fault(kind: &str, first: u64, more: &str) -> String {
    format!("[[emmc.faults]]\nkind = '{kind}'\nfirst = {first}\n{more}\n")
}

/// A sector in the middle of the kernel, which starts in the fifth.
fn in_kernel(phone: &TestPhone) -> u64 {
    phone.sector("BOOTIMG") + 20
}

/// The kernel was read again and again, then RECOVERY was taken.
fn falls_back(run: &Run, code: &str, block: Option<u64>) {
    run.says(&[code, "BOOTIMG: "]);
    if let Some(block) = block {
        run.says(&[code, "block", &block.to_string()]);
    }
    run.says(&["trying RECOVERY instead"]).boots("RECOVERY");
}

#[test]
fn crc_errors_in_the_kernel() {
    let run = with_faults(|phone| fault("crc", in_kernel(phone), ""));
    falls_back(&run, "MMC-DATCRC", None);
}

#[test]
fn time_outs_in_the_kernel() {
    let run = with_faults(|phone| fault("timeout", in_kernel(phone), ""));
    falls_back(&run, "MMC-DATTMO", None);
}

#[test]
fn crc_errors_in_the_image_header() {
    let run = with_faults(|phone| fault("crc", phone.sector("BOOTIMG"), ""));
    falls_back(&run, "IMG-READ", None);
}

#[test]
fn crc_errors_in_the_ramdisk() {
    // The last sector of the image's last page.
    let len = crate::common::image("tk.image=bootimg")
        .build()
        .unwrap()
        .len() as u64;
    let run = with_faults(|phone| fault("crc", phone.sector("BOOTIMG") + len / 512 - 4, ""));
    falls_back(&run, "MMC-DATCRC", None);
}

#[test]
fn an_error_that_goes_away_is_not_the_end_of_an_image() {
    for kind in ["crc", "timeout"] {
        let run = with_faults(|phone| fault(kind, in_kernel(phone), "times = 1"));
        run.boots("BOOTIMG");
    }
}

#[test]
fn errors_in_both_images() {
    let run = with_faults(|phone| {
        fault("crc", in_kernel(phone), "") + &fault("timeout", phone.sector("RECOVERY") + 20, "")
    });
    run.says(&["MMC-DATCRC", "BOOTIMG: "])
        .stops("MMC-DATTMO")
        .is_clean()
        .is_off();
}

#[test]
fn ddr_that_does_not_work() {
    let run = with_faults(|_| "[emmc]\nddr_works = false".to_owned());
    run.says(&["MMC-DATCRC", "8-bit failed"]).boots("BOOTIMG");
}

#[test]
fn a_card_of_the_slowest_kind() {
    let run = with_faults(|_| "[emmc]\ncard_type = 'hs26'".to_owned());
    run.says(&["eMMC", "26 MHz"]).boots("BOOTIMG");
}

/// The bootloader is given by hand, since no preloader would find it.
fn without_card(toml: &str) -> Run {
    TestPhone::new()
        .good_bootimg()
        .good_recovery()
        .with_board(toml)
        .change(|phone| phone.lk(artifacts::path("lk.bin")))
        .run()
}

#[test]
fn no_card() {
    let run = without_card("[emmc]\nabsent = true");
    run.stops("MMC-NOCARD").is_clean().is_off();
}

#[test]
fn no_card_and_a_preloader_that_looks_for_it() {
    let run = TestPhone::new().with_board("[emmc]\nabsent = true").run();
    run.waits_for_usb("preloader").is_clean();
}

#[test]
fn a_card_that_is_never_ready() {
    let run = without_card("[emmc]\nnever_ready = true");
    run.stops("MMC-POWERUP").is_clean().is_off();
}

#[test]
fn a_card_that_is_busy_for_ever() {
    let run = without_card("[emmc]\nstuck_busy = true");
    run.stops("MMC-BUSY").is_clean().is_off();
}

#[test]
fn a_card_that_ignores_the_read_command() {
    let run = with_faults(|_| {
        "[[emmc.command_faults]]\nindex = 18\n[[emmc.command_faults]]\nindex = 17".to_owned()
    });
    // The first thing that is read.
    run.stops("PT-READ").is_clean().is_off();
}

#[test]
fn a_card_that_ignores_the_first_read() {
    let run = with_faults(|_| "[[emmc.command_faults]]\nindex = 18\ntimes = 1".to_owned());
    run.boots("BOOTIMG");
}

#[test]
fn a_card_that_ignores_switch() {
    // It cannot be told which of its areas is meant.
    let run = with_faults(|_| "[[emmc.command_faults]]\nindex = 6".to_owned());
    run.stops("MMC-CMDTMO").is_clean().is_off();
    run.says(&["CMD6"]);
}

#[test]
fn a_card_without_ext_csd() {
    let run = with_faults(|_| "[[emmc.command_faults]]\nindex = 8".to_owned());
    run.stops("MMC-CMDTMO").is_clean().is_off();
}
