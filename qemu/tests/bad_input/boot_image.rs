//! Boot images that lie: header, section sizes, MediaTek's inner headers, and
//! kernels that are none. Source: facts/storage-and-images.md 1.1, 5.1 to 5.4.

use unilk::bootimg::SubHeaders;

use crate::common::{Run, TestPhone, image};

/// Offsets in the header.
const KERNEL_SIZE: usize = 0x08;
const RAMDISK_SIZE: usize = 0x10;
const SECOND_SIZE: usize = 0x18;
const PAGE_SIZE: usize = 0x24;
/// The kernel's place in an image of 2048-byte pages.
const KERNEL: usize = 0x800;
/// Words of a zImage header.
const ZIMAGE_MAGIC: usize = KERNEL + 0x24;
const ZIMAGE_END: usize = KERNEL + 0x2C;

fn good() -> Vec<u8> {
    image("tk.image=bootimg").build().unwrap()
}

fn with_headers() -> Vec<u8> {
    let mut image = image("tk.image=bootimg");
    image.sub_headers = SubHeaders::Boot;
    image.build().unwrap()
}

fn with_word(mut image: Vec<u8>, at: usize, value: u32) -> Vec<u8> {
    image[at..at + 4].copy_from_slice(&value.to_le_bytes());
    image
}

/// Boots `bootimg` beside a good RECOVERY, which has to run, after a line
/// that names BOOTIMG and has `code`.
fn falls_back(bootimg: Vec<u8>, code: &str) -> Run {
    let run = TestPhone::new()
        .part("BOOTIMG", bootimg)
        .good_recovery()
        .run();
    run.says(&[code, "BOOTIMG: "]);
    run.says(&["trying RECOVERY instead"]).boots("RECOVERY");
    run
}

#[test]
fn an_empty_partition_is_no_image() {
    falls_back(vec![0xFF; 4096], "IMG-MAGIC");
}

#[test]
fn page_size_zero() {
    falls_back(with_word(good(), PAGE_SIZE, 0), "IMG-PAGE");
}

#[test]
fn page_size_huge() {
    falls_back(with_word(good(), PAGE_SIZE, 0x8000_0000), "IMG-PAGE");
}

#[test]
fn page_size_no_power_of_two() {
    falls_back(with_word(good(), PAGE_SIZE, 3000), "IMG-PAGE");
}

#[test]
fn no_kernel() {
    falls_back(with_word(good(), KERNEL_SIZE, 0), "IMG-KERNEL");
}

#[test]
fn kernel_that_ends_behind_the_partition() {
    falls_back(with_word(good(), KERNEL_SIZE, 0x60_0000), "IMG-SIZE").says(&["kernel", "0x600000"]);
}

#[test]
fn kernel_whose_end_wraps_around() {
    falls_back(with_word(good(), KERNEL_SIZE, 0xFFFF_FFFF), "IMG-SIZE");
}

#[test]
fn ramdisk_that_wraps_around_onto_the_header() {
    // Page plus kernel plus this is 2^32: the next section would start at 0.
    falls_back(with_word(good(), RAMDISK_SIZE, 0xFFFF_0000), "IMG-SIZE").says(&["ramdisk"]);
}

#[test]
fn second_stage_that_ends_behind_the_partition() {
    falls_back(with_word(good(), SECOND_SIZE, 0x60_0000), "IMG-SIZE").says(&["second stage"]);
}

#[test]
fn inner_header_of_size_zero() {
    falls_back(with_word(with_headers(), KERNEL + 4, 0), "IMG-INNER").says(&["kernel"]);
}

#[test]
fn inner_header_larger_than_its_section() {
    falls_back(
        with_word(with_headers(), KERNEL + 4, 0x7FFF_FFFF),
        "IMG-INNER",
    );
}

#[test]
fn inner_header_with_wrong_magic_leaves_no_kernel() {
    falls_back(with_word(with_headers(), KERNEL, 0x5888_1689), "ZI-MAGIC");
}

#[test]
fn kernel_that_is_no_zimage() {
    falls_back(with_word(good(), ZIMAGE_MAGIC, 0), "ZI-MAGIC");
}

#[test]
fn big_endian_kernel() {
    falls_back(with_word(good(), ZIMAGE_MAGIC, 0x1828_6F01), "ZI-ENDIAN");
}

#[test]
fn zimage_longer_than_its_section() {
    falls_back(with_word(good(), ZIMAGE_END, 0x7000_0000), "ZI-SIZE");
}

#[test]
fn zimage_that_ends_before_it_starts() {
    falls_back(with_word(good(), ZIMAGE_END, 0), "ZI-SIZE");
}

#[test]
fn a_kernel_section_of_a_few_bytes() {
    falls_back(with_word(good(), KERNEL_SIZE, 16), "ZI-");
}

#[test]
fn a_command_line_without_end_is_cut_not_run_over() {
    // Both fields full to their last byte, no NUL anywhere.
    let mut image = good();
    let filler = b" tk.long=0123456789abcdef";
    for at in (0x40..0x240).chain(0x260..0x660) {
        image[at] = filler[at % filler.len()];
    }
    let run = TestPhone::new()
        .part("BOOTIMG", image)
        .good_recovery()
        .run();
    run.says(&["TK entry"]).ends_in_kernel();
}

#[test]
fn text_that_is_none_in_the_command_line_does_not_stop_the_boot() {
    let mut image = good();
    image[0x40..0x60].fill(0xFE);
    let run = TestPhone::new()
        .part("BOOTIMG", image)
        .good_recovery()
        .run();
    run.ends_in_kernel();
}

#[test]
fn both_images_bad_is_a_stop_that_names_the_last_reason() {
    let run = TestPhone::new()
        .part("BOOTIMG", with_word(good(), PAGE_SIZE, 1))
        .part("RECOVERY", with_word(good(), KERNEL_SIZE, 0))
        .run();
    run.says(&["IMG-PAGE", "BOOTIMG: "])
        .says(&["IMG-KERNEL", "RECOVERY: "]);
    run.stops("IMG-KERNEL").is_clean().is_off();
}
