//! Stock Android's kernel, for both generations: where it lies, what is in its
//! registers, every tag in its order, the vendor's command line.
//! Source: facts/storage-and-images.md 5.3, 5.5, 6.1 to 6.3; facts/soc.md 3.5.

use unilk::bootimg::{BootImage, SubHeaders};
use unilk_core::hints::Hints;
use unilk_core::kernel::{Generation, KernelKind};

use crate::common::{Run, TestPhone};
use crate::look::{lk_with, phone_with, stock};

fn phone(generation: Generation) -> TestPhone {
    let hints = Hints {
        panel: Some("ili9806e_dsi_vdo_txd"),
        kernel: Some(KernelKind::VendorAtag),
        generation: Some(generation),
        ..Hints::default()
    };
    phone_with(&stock())
        .part("UBOOT", lk_with(&hints))
        .board("[dram]\nranks_mib = [256, 512]\n[chip]\nunique_id = 0x1122334455667788")
}

/// What both generations get.
#[track_caller]
fn check(run: &Run) {
    run.is_good();
    let entry = run.line("TK entry ");
    let registers = entry.split_once("r0=").map(|(_, rest)| rest);
    run.check(
        registers == Some("00000000 r1=000019ac r2=80100100"),
        "r0, r1 and r2",
    );
    run.lists(
        "TK place ",
        &["loaded=80108000 placed=80108000 text_offset=8000"],
    );
    let tags: Vec<_> = run
        .lines("TK atag ")
        .map(|line| line.split_once(' ').map_or(line, |(name, _)| name))
        .collect();
    let order = [
        "CORE", "BOOT", "MEM", "MEM", "DEVINFO", "CMDLINE", "INITRD2", "VIDEOLFB", "NONE",
    ];
    run.check(tags == order, &format!("the tags are {tags:?}"));
    run.lists("TK atag CORE ", &["words=2"]);
    run.lists("TK atag BOOT ", &["mode=0"]);
    run.lists(
        "TK atag MEM ",
        &[
            "start=80100000 size=0ff00000",
            "start=90000000 size=20000000",
        ],
    );
    run.lists(
        "TK atag DEVINFO ",
        &["w12=55667788 w13=11223344 w18=00000000 w20=00006572"],
    );
    // Size 0 at 0: nobody lit the panel, the kernel does.
    run.lists(
        "TK atag VIDEOLFB ",
        &["words=8 base=00000000 size=00000000"],
    );
    run.check(
        run.ramdisk_at("TK atag INITRD2 ") == 0x8410_0000,
        "the RAM disk is elsewhere",
    );
}

/// The tokens of the command line, with the times that differ from run to run
/// cut off.
fn tokens(run: &Run) -> Vec<&str> {
    let line = run.line("TK atag CMDLINE ");
    let cut = |token: &'static str| token;
    line.split(' ')
        .map(|token| {
            ["pl_t=", "lk_t=", "bootprof.pl_t=", "bootprof.lk_t="]
                .into_iter()
                .find(|name| token.starts_with(name))
                .map_or(token, cut)
        })
        .collect()
}

#[test]
fn android_4_2() {
    let run = phone(Generation::JellyBean).run();
    check(&run);
    let wanted = [
        "console=tty0",
        "console=ttyMT0,921600n1",
        "root=/dev/ram",
        "lcm=1-ili9806e_dsi_vdo_txd",
        "fps=6000",
        "pl_t=",
        "lk_t=",
        "printk.disable_uart=0",
        "boot_reason=0",
    ];
    run.check(tokens(&run) == wanted, "the command line");
}

#[test]
fn android_4_4() {
    let run = phone(Generation::KitKat).run();
    check(&run);
    let wanted = [
        "console=tty0",
        "console=ttyMT0,921600n1",
        "root=/dev/ram",
        "lcm=1-ili9806e_dsi_vdo_txd",
        "fps=6000",
        "bootprof.pl_t=",
        "bootprof.lk_t=",
        "printk.disable_uart=0",
        "boot_reason=0",
        "androidboot.serialno=1122334455667788",
    ];
    run.check(tokens(&run) == wanted, "the command line");
}

/// Nothing packed, nothing assumed: the kernel looks for its panel itself.
#[test]
fn without_hints_the_panel_is_left_to_the_kernel() {
    let run = phone_with(&stock()).run();
    run.is_good().never_says("lcm=");
    run.says(&["takes vendor tags"]);
}

/// A phone of this board, as the host tool hints, with nothing fitted.
fn hinted(board: &'static str) -> TestPhone {
    let hints = Hints {
        board: Some(board),
        ..Hints::default()
    };
    phone_with(&stock()).part("UBOOT", lk_with(&hints))
}

/// The panel that answers is the one that is named, and stays lit.
#[test]
fn the_panel_that_answers_is_named() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/boards/identify/soul35-hx8357d.toml"
    );
    let mut board: toml::Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
    board.remove("name");
    let run = hinted("alcatel-soul35").board(&board.to_string()).run();
    run.is_good();
    run.says(&["lcm=1-hx8357d_6572_soul3p5 "]);
    let lit = run.hex("TK atag VIDEOLFB ", "base") != 0;
    run.check(lit, "the kernel is not told of the picture");
}

/// Where no panel answers that would, the kernel is told of none, however few
/// the board was seen with.
#[test]
fn a_panel_that_does_not_answer_is_not_named() {
    for board in ["lge-muse72", "alcatel-yariss"] {
        let run = hinted(board).run();
        run.is_good().never_says("lcm=1-");
        run.says(&["LCM-SILENT"]);
    }
}

/// The channel of the META tool is told in META mode only.
#[test]
fn meta_mode() {
    let run = phone_with(&stock())
        .with_board("[boot]\nmode = 1\nmeta_com_type = 2")
        .run();
    run.is_good().lists("TK atag BOOT ", &["mode=1"]);
    let channel = run.line("TK atag META_COM ");
    run.check(channel.starts_with("type=2 "), "the channel is not told");
}

#[test]
fn recovery_is_told_its_mode() {
    let recovery = BootImage {
        sub_headers: SubHeaders::Recovery,
        ..stock()
    };
    let run = TestPhone::new()
        .part("RECOVERY", recovery.build().unwrap())
        .with_board("[boot]\nmode = 0xABCDEF02")
        .run();
    run.is_good().lists("TK atag BOOT ", &["mode=2"]);
}

#[test]
fn only_what_is_fitted_is_written_to_the_card() {
    let run = phone(Generation::JellyBean).keep_before().run();
    check(&run);
    run.wrote_only_what_it_remembers();
}
