//! Started by a stock LK, out of BOOTIMG or RECOVERY, as `unilk pack --as boot`
//! and `--as recovery` make it: to try unilk without replacing anything. And
//! started from RAM, as `--as da` makes it.
//!
//! Source: facts/storage-and-images.md 5.3, 6.1 to 6.3, 11.4.

use unilk::bootimg::SubHeaders;
use unilk::pack;
use unilk_core::hints::Hints;
use unilk_phone::Kind;

use crate::common::{self, Run, TestPhone};
use crate::look::lk_with;

/// The payload of our `lk.bin`, as a boot image.
fn boot_image(sub_headers: SubHeaders) -> Vec<u8> {
    let payload = pack::payload(&common::lk()).unwrap();
    pack::boot_image(&payload, sub_headers).unwrap()
}

/// A phone whose UBOOT is none of our business: the stock loader is a model.
fn phone(stock_loader: &str) -> TestPhone {
    let table = format!("[boot.stock_loader]\n{stock_loader}");
    TestPhone::with_empty_card().with_board(&table)
}

fn from_recovery(stock_loader: &str) -> TestPhone {
    phone(&format!("recovery = true\n{stock_loader}"))
        .good_bootimg()
        .part("RECOVERY", boot_image(SubHeaders::Recovery))
}

fn from_bootimg(stock_loader: &str) -> TestPhone {
    phone(stock_loader)
        .good_recovery()
        .part("BOOTIMG", boot_image(SubHeaders::Boot))
}

/// The stock loader does not start it.
#[track_caller]
fn hangs(run: &Run, why: &str) {
    let stopped = run.outcome.saw(
        |kind| matches!(kind, Kind::Stopped { why: said } if said.contains("stock loader hangs") && said.contains(why)),
    );
    run.check(stopped, &format!("the stock loader does not hang: {why}"));
}

#[test]
fn out_of_recovery_it_boots_what_lies_in_bootimg() {
    let run = from_recovery("").run();
    run.boots("BOOTIMG");
    run.says(&["started as a kernel", "panel: none"])
        .says(&["DRAM 512 MiB in 1 rank", "reason power-key"])
        .says(&["mode normal: nothing else asked for; BOOTIMG"])
        .never_says("ARG-MAGIC");
}

#[test]
fn out_of_bootimg_it_boots_what_lies_in_recovery() {
    let run = from_bootimg("").run();
    run.boots("RECOVERY");
    run.says(&["IMG-SELF", "BOOTIMG"]);
}

#[test]
fn a_request_that_led_to_it_does_not_lead_in_circles() {
    let mut command = b"boot-recovery".to_vec();
    command.resize(2048, 0);
    let run = from_recovery("").part("MISC", command).run();
    run.says(&["mode recovery: request in MISC"])
        .says(&["IMG-SELF", "RECOVERY"]);
    run.boots("BOOTIMG");
    run.says(&["TK chosen unilk,boot-mode=normal"]);
}

#[test]
fn with_itself_in_both_it_stops() {
    let run = phone("")
        .part("BOOTIMG", boot_image(SubHeaders::Boot))
        .part("RECOVERY", boot_image(SubHeaders::Recovery))
        .run();
    run.stops("IMG-SELF");
}

#[test]
fn two_ranks_and_the_other_log_port() {
    let run = from_recovery("")
        .board(
            "[dram]\nranks_mib = [256, 512]\n[boot]\nlog_port = 'uart1'\nreason = 4\n\
             [boot.stock_loader]\nrecovery = true",
        )
        .run();
    run.boots("BOOTIMG");
    run.says(&["DRAM 768 MiB in 2 rank(s)", "reason reboot"]);
    run.check(
        run.outcome.serial[0].is_empty(),
        "it speaks on the port that is not the log's",
    );
}

#[test]
fn the_stock_loaders_panel_is_a_hint() {
    let run = from_recovery("driver = 'ili9806e_dsi_cmd_txd'").run();
    run.boots("BOOTIMG");
    run.says(&["started as a kernel", "panel: ili9806e_dsi_cmd_txd"]);
    // Packed hints are a person's, and come first.
    let hints = Hints {
        panel: Some("otm8019a_dsi_vdo_lcm_drv_dnj"),
        ..Hints::default()
    };
    let payload = pack::payload(&lk_with(&hints)).unwrap();
    let image = pack::boot_image(&payload, SubHeaders::Recovery).unwrap();
    let hinted = phone("recovery = true\ndriver = 'ili9806e_dsi_cmd_txd'")
        .good_bootimg()
        .part("RECOVERY", image)
        .run();
    hinted.boots("BOOTIMG");
}

#[test]
fn a_stock_loader_refuses_what_breaks_its_rules() {
    let plain = phone("")
        .part("BOOTIMG", boot_image(SubHeaders::None))
        .run();
    hangs(&plain, "no MediaTek header");
    // The one for the other partition.
    let other = phone("")
        .part("BOOTIMG", boot_image(SubHeaders::Recovery))
        .run();
    hangs(&other, "\"RECOVERY\", not ROOTFS");
    hangs(&phone("").run(), "no Android boot image");
}

#[test]
fn bare_code_runs_from_ram() {
    let payload = pack::payload(&common::lk()).unwrap();
    let folder = common::Scratch::new();
    let file = folder.path().join("lk.raw");
    std::fs::write(&file, payload).unwrap();
    let run = TestPhone::with_empty_card()
        .good_bootimg()
        .change(move |phone| phone.lk(file))
        .run();
    run.boots("BOOTIMG");
}
