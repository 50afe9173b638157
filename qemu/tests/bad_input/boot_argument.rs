//! Boot arguments that cannot be true: the phone starts as an ordinary one of
//! 256 MiB. Source: facts/soc.md 3.3, 3.4.

use crate::common::{Run, TestPhone};

const MIB: u32 = 1 << 20;

fn with_boot(toml: &str) -> Run {
    TestPhone::new()
        .good_bootimg()
        .with_board(&format!("[boot]\n{toml}"))
        .run()
}

/// A line with `code`, and a kernel that was told of 256 MiB and no more.
fn assumes_the_smallest(run: &Run, code: &str) {
    run.says(&[code, "assuming"])
        .says(&["DRAM 256 MiB in 1 rank"]);
    run.boots("BOOTIMG");
    let told: u64 = run
        .text()
        .lines()
        .filter(|line| line.contains("TK fdt memory "))
        .filter_map(|line| line.trim_end().rsplit_once("size="))
        .map(|(_, size)| u64::from_str_radix(size, 16).unwrap())
        .sum();
    let (limit, least) = (u64::from(256 * MIB), u64::from(248 * MIB));
    run.check(
        (least..=limit).contains(&told),
        &format!("the kernel was told of {told:#x} bytes"),
    );
}

#[test]
fn wrong_magic() {
    let run = with_boot("argument_magic = 0xDEADBEEF");
    assumes_the_smallest(&run, "ARG-MAGIC");
    run.says(&["0xdeadbeef"]);
}

#[test]
fn everything_wrong() {
    let run = with_boot(
        "argument_magic = 0\nrank_count_override = 0\nrank_override = [0, 0, 0, 0]\nmode = 0xFFFFFFFF\nreason = 0xFFFFFFFF",
    );
    assumes_the_smallest(&run, "ARG-MAGIC");
}

#[test]
fn no_ranks() {
    assumes_the_smallest(&with_boot("rank_count_override = 0"), "RAM-RANKS");
}

#[test]
fn more_ranks_than_there_can_be() {
    for count in ["5", "0xFFFFFFFF"] {
        let run = with_boot(&format!("rank_count_override = {count}"));
        assumes_the_smallest(&run, "RAM-RANKS");
    }
}

#[test]
fn a_rank_of_nothing() {
    assumes_the_smallest(&with_boot("rank_override = [0]"), "RAM-ZERO");
    let run = with_boot(&format!("rank_override = [{}, 0]", 256 * MIB));
    assumes_the_smallest(&run, "RAM-ZERO");
}

#[test]
fn ranks_over_a_gibibyte() {
    let run = with_boot(&format!("rank_override = [{}, {}]", 1024 * MIB, MIB));
    assumes_the_smallest(&run, "RAM-SUM");
}

#[test]
fn ranks_whose_sum_wraps_around() {
    let half = 2048u32.wrapping_mul(MIB);
    let run = with_boot(&format!("rank_override = [{half}, {half}]"));
    assumes_the_smallest(&run, "RAM-SUM");
}

#[test]
fn a_rank_that_is_no_multiple_of_a_mebibyte() {
    let run = with_boot(&format!("rank_override = [{}]", 512 * MIB + 2048));
    assumes_the_smallest(&run, "RAM-ALIGN");
}

#[test]
fn garbage_around_the_mode() {
    // The preloader stores one byte; what is above it means nothing.
    let run = with_boot("mode = 0xA5C35A00");
    run.says(&["mode normal", "BOOTIMG"]).boots("BOOTIMG");
}

#[test]
fn a_mode_that_does_not_exist() {
    let run = with_boot("mode = 0x77");
    run.says(&["mode normal", "BOOTIMG"]).boots("BOOTIMG");
}

#[test]
fn a_reason_that_does_not_exist() {
    let run = with_boot("reason = 0xA5A5A5A5");
    run.says(&["reason unknown"]).boots("BOOTIMG");
}
