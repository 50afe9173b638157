//! Phones that differ in the chip's speed grade, the DRAM's type, the log port
//! and in what the preloader leaves on.
//! Source: facts/soc.md 2.1, 2.2, 3.3, 3.4.

use crate::common::{Kernel, Run};
use crate::look::{phone_with, plain, stock};

const RANKS: &str = "[dram]\nranks_mib = [512]\n";

fn tree(board: &str) -> Run {
    let run = phone_with(&plain(Kernel::Tree)).board(board).run();
    run.is_good().ramdisk_at("TK initrd ");
    run
}

/// Boots a tree kernel and a vendor kernel on this chip: the name in the tree,
/// and in the e-fuse words (12 and 13 the unique ID, 18 the CPU's speed bin,
/// 20 the chip's code) what is burned.
#[track_caller]
fn variant(burned: &str, told: &str, bin: u32) {
    let board = format!("{RANKS}[chip]\nvariant = '{burned}'\nunique_id = 0x6572AAAA5555BBBB\n");
    let run = tree(&board);
    run.lists("TK chosen unilk,variant=", &[told]);
    run.lists("TK fdt serial-number=", &["6572AAAA5555BBBB"]);
    let run = phone_with(&stock()).board(&board).run();
    let words = format!("w12=5555bbbb w13=6572aaaa w18={bin:08x} w20=00006572");
    run.is_good().lists("TK atag DEVINFO ", &[&words]);
}

/// Without a speed bin the part is the unlimited one.
#[test]
fn mt6572_without_a_speed_bin() {
    variant("MT6572", "MT6572W", 0);
}

#[test]
fn mt6572w() {
    variant("MT6572W", "MT6572W", 0x100);
}

#[test]
fn mt6572a() {
    variant("MT6572A", "MT6572A", 0x200);
}

#[test]
fn mt6572m() {
    variant("MT6572M", "MT6572M", 0x300);
}

#[test]
fn ddr3_has_other_clocks_and_boots_as_well() {
    tree(&format!("{RANKS}kind = 'ddr3'\n"));
}

#[test]
fn log_on_the_second_uart() {
    let run = tree(&format!("{RANKS}[boot]\nlog_port = 'uart1'\n"));
    let ours = |port: &str| port.contains("] unilk ");
    let [first, second] = &run.outcome.serial;
    run.check(!ours(first) && ours(second), "the log is on the wrong port");
    run.lists("TK chosen stdout-path=", &["serial1:921600n8"]);
}

#[test]
fn log_at_another_speed() {
    let run = tree(&format!("{RANKS}[boot]\nbaud = 115200\n"));
    run.says(&["] unilk "]);
    run.lists("TK chosen stdout-path=", &["serial0:115200n8"]);
}

#[test]
fn instruction_cache_on_at_entry() {
    tree(&format!("{RANKS}[boot]\nicache = true\n"));
}

#[test]
fn card_still_busy_at_entry() {
    tree(&format!("{RANKS}[boot]\ncard_busy_ms = 20\n"));
}

#[test]
fn card_that_takes_a_while_to_start() {
    tree(&format!("{RANKS}[emmc]\nreinit_busy_us = 400000\n"));
}

#[test]
fn card_without_ddr() {
    tree(&format!("{RANKS}[emmc]\ncard_type = 'hs52'\n"));
}
