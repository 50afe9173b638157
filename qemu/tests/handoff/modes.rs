//! What decides about a boot: flags in the RTC, the command in MISC, the
//! preloader's word, keys, the charger - and that a request acts once.
//! Source: facts/soc.md 3.6, 8.4, 10.8, 12.3; facts/storage-and-images.md 7.3.

use unilk::bootimg::BootImage;
use unilk_core::hints::Hints;
use unilk_phone::Kind;

use crate::common::{Kernel, Run, TestPhone};
use crate::look::{lk_with, phone_with, plain};

/// A phone that can boot both ways; the RAM disk is the smaller part here.
fn phone() -> TestPhone {
    let image = |cmdline: &str| {
        let image = BootImage {
            cmdline: cmdline.to_owned(),
            ramdisk: vec![0x5A; 512],
            ..plain(Kernel::Tree)
        };
        image.build().unwrap()
    };
    TestPhone::new()
        .part("BOOTIMG", image("tk.image=bootimg"))
        .part("RECOVERY", image("tk.image=recovery"))
}

#[track_caller]
fn boots(board: &str, partition: &str, mode: &str, why: &str) -> Run {
    let run = phone().with_board(board).run();
    run.is_good().boots(partition);
    run.says(&[&format!("mode {mode}: {why}")]);
    run.lists("TK chosen unilk,boot-mode=", &[mode]);
    run
}

/// The boot ROM waits for a host, for as long as a person takes.
#[track_caller]
fn downloads(board: &str, why: &str) -> Run {
    let run = phone().with_board(board).run();
    run.is_clean().waits_for_usb("boot-rom");
    let wanted = Kind::UsbDownload {
        by: "boot-rom".into(),
        timeout_s: Some(60),
    };
    run.check(
        run.outcome.saw(|kind| *kind == wanted),
        "no time limit of 60 s",
    );
    run.says(&["USB download mode", why]).never_says("TK ");
    run
}

#[test]
fn nothing_asked_for() {
    boots("", "BOOTIMG", "normal", "nothing else asked for");
}

#[test]
fn fastboot_flag_in_the_rtc() {
    downloads("[rtc]\npdn1 = 0x2000", "request in the RTC");
}

#[test]
fn recovery_flag_in_the_rtc() {
    boots(
        "[rtc]\npdn1 = 0x0010",
        "RECOVERY",
        "recovery",
        "request in the RTC",
    );
}

/// The kernel resets the phone: the flag is gone, and Android starts.
#[test]
fn recovery_flag_acts_once() {
    let recovery = BootImage {
        cmdline: "tk.image=recovery tk.end=reset".to_owned(),
        ..plain(Kernel::Tree)
    };
    let run = phone_with(&BootImage {
        cmdline: "tk.image=bootimg".to_owned(),
        ..plain(Kernel::Tree)
    })
    .part("RECOVERY", recovery.build().unwrap())
    .with_board("[rtc]\npdn1 = 0x0010")
    .run();
    run.is_good();
    run.lists("TK chosen unilk,boot-mode=", &["recovery", "normal"]);
    run.lists(
        "TK chosen bootargs=",
        &["tk.image=recovery tk.end=reset", "tk.image=bootimg"],
    );
}

#[test]
fn command_in_misc() {
    let mut command = b"boot-recovery".to_vec();
    command.resize(2048, 0);
    let run = phone().part("MISC", command).keep_before().run();
    run.is_good().boots("RECOVERY");
    // It is recovery's to take the command back, when it is done.
    run.says(&["mode recovery: request in MISC"])
        .wrote_only_what_it_remembers();
}

#[test]
fn no_command_in_misc() {
    let run = phone().part("MISC", vec![0xFF; 2048]).run();
    run.is_good().boots("BOOTIMG");
}

#[test]
fn mode_of_the_preloader() {
    let why = "preloader or host tool";
    boots("[boot]\nmode = 2", "RECOVERY", "recovery", why);
    boots("[boot]\nmode = 1", "BOOTIMG", "meta", why);
    boots("[boot]\nmode = 4", "BOOTIMG", "factory", why);
}

/// Only the low byte is the mode.
#[test]
fn mode_with_garbage_above_it() {
    let why = "preloader or host tool";
    boots("[boot]\nmode = 0xDEADBE02", "RECOVERY", "recovery", why);
    boots(
        "[boot]\nmode = 0xDEADBE00",
        "BOOTIMG",
        "normal",
        "nothing else",
    );
}

#[test]
fn fastboot_asked_for_by_the_preloader() {
    downloads("[boot]\nmode = 99", "preloader or host tool");
}

/// Key codes that mean the same on every board that has them.
#[test]
fn volume_up_held() {
    let keys = "[keys]\nheld = ['vol-up']\nmap = { vol-up = 20, vol-down = 29 }";
    let run = boots(keys, "RECOVERY", "recovery", "key held");
    run.says(&["keys held"]);
}

/// Code 0 is volume up on this board and volume down on others.
#[test]
fn volume_up_of_a_board_that_is_known() {
    let hints = Hints {
        board: Some("lightning72"),
        ..Hints::default()
    };
    let run = phone()
        .part("UBOOT", lk_with(&hints))
        .with_board("[keys]\nheld = ['vol-up']")
        .run();
    run.is_good().boots("RECOVERY");
}

#[test]
fn volume_down_held() {
    downloads("[keys]\nheld = ['vol-down']", "key held").says(&["keys held"]);
}

#[test]
fn power_key_held_is_nothing_special() {
    boots(
        "[keys]\nheld = ['power']",
        "BOOTIMG",
        "normal",
        "nothing else",
    );
}

/// With a charger the PMIC cannot be switched off: the run ends with the
/// test kernel's last line.
#[track_caller]
fn boots_on_the_charger(board: &str, mode: &str, why: &str) {
    let run = phone()
        .with_board(&format!("[power]\ncharger = true\n{board}"))
        .change(|phone| phone.until(0, "TK end off"))
        .run();
    run.is_clean().never_says("TK FAIL");
    run.says(&[&format!("mode {mode}: {why}")]);
    run.says(&["tk.image=bootimg"]);
    run.lists("TK chosen unilk,boot-mode=", &[mode]);
}

/// Started by a charger, not by a person.
#[test]
fn charger_plugged_in_while_off() {
    boots_on_the_charger(
        "[boot]\nreason = 1",
        "power-off-charging",
        "charger plugged in while off",
    );
}

#[test]
fn charger_unplugged_again() {
    let run = phone().with_board("[boot]\nreason = 1").run();
    run.is_clean().is_off();
    run.says(&["power off: charger unplugged again"])
        .never_says("TK ");
}

#[test]
fn charger_and_power_key() {
    let board = "[boot]\nreason = 1\n[keys]\nheld = ['power']";
    boots_on_the_charger(board, "normal", "nothing else");
}

#[test]
fn alarm_clock() {
    boots(
        "[boot]\nreason = 2\n[rtc]\npdn2 = 0x0010",
        "BOOTIMG",
        "alarm",
        "alarm clock",
    );
}

/// No kernel: a key within the half minute of patience opens the way out.
#[test]
fn key_pressed_at_a_stop() {
    let run = TestPhone::new()
        .with_board("[[user]]\nat_ms = 4000\npress = 'vol-up'")
        .run();
    run.is_clean().waits_for_usb("boot-rom");
    run.says(&["STOP "]);
    run.check((4000..5000).contains(&run.end_ms()), "not at the key press");
}
