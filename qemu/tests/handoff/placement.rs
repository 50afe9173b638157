//! The decompressor trap: kernels that place themselves by masking the PC,
//! those that obey the tree, and those with a fixed place. Wherever one ends,
//! it is not in CONNSYS, nor on our image, our log, the tree or the RAM disk.
//!
//! The test kernel moves itself the way a real one does, so one that is put
//! wrongly destroys what lies there: the tree and the RAM disk are checked by
//! the kernel after the move, the log by [`Run::is_good`] after the end.
//! Source: facts/storage-and-images.md 5.4.

use unilk::bootimg::{BootImage, TreePlace};

use crate::common::{Kernel, Run, trees::Tree};
use crate::look::{FIRST_MIB, number, phone_with, plain};

/// Boots and checks that nothing overlaps; returns the run and the place.
#[track_caller]
fn place(ranks_mib: &str, image: &BootImage) -> (Run, u32) {
    let run = phone_with(image)
        .board(&format!("[dram]\nranks_mib = {ranks_mib}"))
        .run();
    run.is_good();
    let placed = run.hex("TK place ", "placed");
    let loaded = run.hex("TK place ", "loaded");
    // 16 KiB of page tables below.
    let kernel = placed - 0x4000..placed + image.kernel.len() as u32;
    let clear = |what: &str, start: u32, len: u32| {
        let apart = kernel.end <= start || start + len <= kernel.start;
        run.check(apart, &format!("the kernel is on {what}"));
    };
    clear(
        "CONNSYS or the bootloader",
        FIRST_MIB.start,
        FIRST_MIB.end - FIRST_MIB.start,
    );
    clear("its own zImage", loaded, image.kernel.len() as u32);
    let start = run.ramdisk_at("TK initrd ");
    clear("the RAM disk", start, image.ramdisk.len() as u32);
    let in_memory = run.lines("TK fdt memory ").any(|bank| {
        let base = number(bank, "base");
        (base..=base + (number(bank, "size") - 1)).contains(&placed)
    });
    run.check(
        in_memory,
        "the kernel is outside of the memory that it is told",
    );
    (run, placed)
}

/// The first 128 MiB are lost to a kernel that would end in the first MiB.
#[test]
fn masking_kernel_with_a_small_text_offset() {
    for ranks in ["[256]", "[128, 128]", "[512, 512]"] {
        let (run, placed) = place(ranks, &plain(Kernel::Masked));
        run.check(placed == 0x8800_8000, "the place");
        run.says(&["memory below 0x88000000 is lost to it"]);
    }
}

#[test]
fn masking_kernel_with_text_offset_0x208000() {
    for ranks in ["[256]", "[512]"] {
        let (run, placed) = place(ranks, &plain(Kernel::Masked2M));
        run.check(placed == 0x8020_8000, "the place");
        run.never_says("is lost to it");
    }
}

/// Memory is told from 2 MiB on, so that the kernel goes there.
#[test]
fn obeying_kernel_with_a_small_text_offset() {
    for ranks in ["[256]", "[128, 128]", "[512, 512]"] {
        let (run, placed) = place(ranks, &plain(Kernel::Tree));
        run.check(placed == 0x8020_8000, "the place");
    }
}

#[test]
fn obeying_kernel_with_text_offset_0x208000() {
    for ranks in ["[256]", "[512]"] {
        let (run, placed) = place(ranks, &plain(Kernel::Tree2M));
        run.check(placed == 0x8020_8000, "the place");
    }
}

/// A vendor 3.10 kernel: a fixed place, and a tree behind the zImage.
#[test]
fn fixed_kernel_with_a_tree() {
    let image = BootImage {
        device_tree: Some(Tree::usable().finish()),
        tree_place: TreePlace::Appended,
        ..plain(Kernel::Fixed)
    };
    for ranks in ["[256]", "[512, 512]"] {
        let (run, placed) = place(ranks, &image);
        run.check(placed == 0x8010_8000, "the place");
    }
}
