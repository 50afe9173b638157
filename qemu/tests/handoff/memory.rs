//! Every fitting of DRAM: what the kernel is told is what is there, less what
//! it must not touch. Source: facts/soc.md 2.1; facts/storage-and-images.md 5.4.

use unilk::bootimg::BootImage;

use crate::common::{Kernel, Run};
use crate::look::{FIRST_MIB, phone_with, plain, stock};

/// Boots `image` on a phone with these ranks.
fn boot(ranks_mib: &str, image: &BootImage) -> Run {
    let run = phone_with(image)
        .board(&format!("[dram]\nranks_mib = {ranks_mib}"))
        .run();
    run.is_good();
    run
}

/// A kernel that takes a tree: memory nodes, CONNSYS reserved, the RAM disk
/// whole and inside, the kernel outside of what is reserved.
#[track_caller]
fn tree(ranks_mib: &str, memory: &[&str]) {
    // TEXT_OFFSET 0x208000: a kernel for which nothing has to be withheld.
    let run = boot(ranks_mib, &plain(Kernel::Tree2M));
    run.lists("TK fdt memory ", memory);
    let connsys = run.line("TK fdt connsys@80000000 ");
    run.check(
        connsys == "base=80000000 size=00100000",
        "CONNSYS is not reserved",
    );
    let end = memory.iter().map(|bank| bank_end(bank)).max().unwrap();
    let start = run.ramdisk_at("TK initrd ");
    run.check(
        start > FIRST_MIB.end && u64::from(start) < end,
        "the RAM disk lies outside of the memory",
    );
    let place = run.hex("TK place ", "placed");
    run.check(!FIRST_MIB.contains(&place), "the kernel is inside CONNSYS");
}

/// A vendor kernel: MEM tags, without the first MiB.
#[track_caller]
fn tags(ranks_mib: &str, memory: &[&str]) {
    let run = boot(ranks_mib, &stock());
    run.lists("TK atag MEM ", memory);
    let start = run.ramdisk_at("TK atag INITRD2 ");
    run.check(start == 0x8410_0000, "the RAM disk is elsewhere");
}

fn bank_end(line: &str) -> u64 {
    let value = |key| u64::from(crate::look::number(line, key));
    value("base") + value("size")
}

#[test]
fn tree_256_mib() {
    tree("[256]", &["base=80000000 size=10000000"]);
}

#[test]
fn tree_512_mib() {
    tree("[512]", &["base=80000000 size=20000000"]);
}

#[test]
fn tree_1_gib_in_two_ranks() {
    tree(
        "[512, 512]",
        &["base=80000000 size=20000000", "base=a0000000 size=20000000"],
    );
}

#[test]
fn tree_1_gib_in_one_rank() {
    tree("[1024]", &["base=80000000 size=40000000"]);
}

#[test]
fn tree_two_ranks_of_128_mib() {
    tree(
        "[128, 128]",
        &["base=80000000 size=08000000", "base=88000000 size=08000000"],
    );
}

#[test]
fn tree_256_and_512_mib() {
    tree(
        "[256, 512]",
        &["base=80000000 size=10000000", "base=90000000 size=20000000"],
    );
}

#[test]
fn tree_four_ranks() {
    tree(
        "[128, 256, 128, 512]",
        &[
            "base=80000000 size=08000000",
            "base=88000000 size=10000000",
            "base=98000000 size=08000000",
            "base=a0000000 size=20000000",
        ],
    );
}

#[test]
fn tags_256_mib() {
    tags("[256]", &["start=80100000 size=0ff00000"]);
}

#[test]
fn tags_512_mib() {
    tags("[512]", &["start=80100000 size=1ff00000"]);
}

#[test]
fn tags_1_gib_in_two_ranks() {
    tags(
        "[512, 512]",
        &[
            "start=80100000 size=1ff00000",
            "start=a0000000 size=20000000",
        ],
    );
}

#[test]
fn tags_256_and_512_mib() {
    tags(
        "[256, 512]",
        &[
            "start=80100000 size=0ff00000",
            "start=90000000 size=20000000",
        ],
    );
}
