//! Phones with less DRAM than an image needs: nothing may be loaded over
//! anything else, nor where no memory is.
//! Source: facts/soc.md 1.1, 3.5; facts/storage-and-images.md 5.3, 6.3.

use unilk::bootimg::SubHeaders;

use crate::common::{Kernel, TestPhone, image, kernel};

/// As little as the preloader's own buffers allow.
const TINY: &str = "[dram]\nranks_mib = [32]";

#[test]
fn the_vendors_ramdisk_lies_outside_of_a_small_phone() {
    let mut vendor = image("tk.image=bootimg");
    vendor.kernel = kernel(Kernel::Fixed);
    // A header of 3.4: neither byte-order mark nor table.
    vendor.kernel[0x30..0x38].fill(0);
    vendor.sub_headers = SubHeaders::Boot;
    let run = TestPhone::new()
        .board(TINY)
        .part("BOOTIMG", vendor.build().unwrap())
        .good_recovery()
        .run();
    run.says(&["MEM-SMALL", "BOOTIMG: ", "ramdisk"]);
    run.says(&["trying RECOVERY instead"]).boots("RECOVERY");
}

#[test]
fn a_kernel_larger_than_the_phone() {
    // The size that the zImage states of the kernel inside of it.
    let mut huge = image("tk.image=bootimg");
    state_size(&mut huge.kernel, 100 << 20);
    let run = TestPhone::new()
        .board(TINY)
        .part("BOOTIMG", huge.build().unwrap())
        .good_recovery()
        .run();
    run.says(&["MEM-", "BOOTIMG: ", "kernel"]);
    run.says(&["trying RECOVERY instead"]).boots("RECOVERY");
}

#[test]
fn a_ramdisk_that_leaves_the_kernel_no_room() {
    let mut large = image("tk.image=bootimg");
    state_size(&mut large.kernel, 26 << 20);
    large.ramdisk = vec![0x5A; 5 << 20];
    let run = TestPhone::new()
        .board(TINY)
        .part("BOOTIMG", large.build().unwrap())
        .good_recovery()
        .run();
    run.says(&["MEM-", "BOOTIMG: "]);
    run.says(&["trying RECOVERY instead"]).boots("RECOVERY");
}

/// Adds the table of a kernel of 4.15 and later that states the size of the
/// unpacked kernel: the mark at +0x34, the table's place at +0x38.
fn state_size(zimage: &mut Vec<u8>, bytes: u32) {
    const TABLE_MARK: u32 = 0x4545_4545;
    const KERNEL_SIZE_TAG: u32 = 0x5A53_4C4B;
    let table = zimage.len() as u32;
    for word in [4, KERNEL_SIZE_TAG, table + 16, 0, bytes] {
        zimage.extend_from_slice(&u32::to_le_bytes(word));
    }
    let end = zimage.len() as u32;
    let mut put = |at: usize, word: u32| zimage[at..at + 4].copy_from_slice(&word.to_le_bytes());
    put(0x28, 0);
    put(0x2C, end);
    put(0x34, TABLE_MARK);
    put(0x38, table);
}
