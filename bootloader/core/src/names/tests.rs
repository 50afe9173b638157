#![allow(clippy::unwrap_used)]

use super::*;
use std::boxed::Box;
use std::format;
use std::io::Write;
use std::vec;
use std::vec::Vec;
use unilk_board_db::PanelRow;

fn panels() -> &'static [PanelRow] {
    let names: [&[&str]; 4] = [
        &["ili9806e_dsi_vdo_txd"],
        &["otm8018b_dsi_vdo", "otm8018b_other"],
        &["hx8379a_dsi"],
        &["otm8018b_dsi_vdo"],
    ];
    let first = unilk_board_db::panels()[0];
    let rows = names.map(|names| PanelRow { names, ..first });
    Box::leak(Box::new(rows))
}

/// Something like a kernel: code, strings, more code.
fn kernel() -> Vec<u8> {
    let mut out = Vec::new();
    for word in 0..200_000u32 {
        let code = word.wrapping_mul(0x9E37_79B9) >> (word % 13);
        out.extend_from_slice(&code.to_le_bytes());
        if word == 120_000 {
            out.extend_from_slice(b"\0otm8018b_dsi_vdo\0otm8018b_dsi_vdo_not\0");
        }
        if word == 160_000 {
            // Where LZ4 and LZO begin a new block it may be cut in two.
            out.extend_from_slice(b"\0hx8379a_dsi\0xhx8379a_dsi\0ili9806e_dsi_vdo_txd");
            out.extend_from_slice(b"\x01\0");
        }
    }
    out
}

fn zimage(packed: &[u8]) -> Vec<u8> {
    let mut out = vec![0xE1; 20_000];
    out.extend_from_slice(packed);
    out.extend_from_slice(&[0x55; 64]);
    out
}

fn find(zimage: &[u8], work: usize) -> (Result<Searched, NamesError>, Vec<u16>) {
    let set = NameSet::new(panels());
    let mut finder = Finder::new(&set);
    let mut calls = 0;
    let mut alive = || calls += 1;
    let result = search(zimage, &mut vec![0; work], &mut finder, &mut alive);
    if result.is_ok() {
        assert!(calls >= 10, "{calls}");
    }
    (result, finder.rows().collect())
}

fn gzipped(kernel: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::GzBuilder::new()
        .filename("Image")
        .write(Vec::new(), flate2::Compression::best());
    gzip.write_all(kernel).unwrap();
    gzip.finish().unwrap()
}

fn xzipped(kernel: &[u8]) -> Vec<u8> {
    let mut options = lzma_rust2::XzOptions::with_preset(6);
    options.prepend_pre_filter(lzma_rust2::FilterType::BcjArm, 0);
    options.set_check_sum_type(lzma_rust2::CheckType::Crc32);
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    xz.write_all(kernel).unwrap();
    xz.finish().unwrap()
}

fn lz4ed(kernel: &[u8]) -> Vec<u8> {
    let mut out = vec![0x02, 0x21, 0x4C, 0x18];
    for block in kernel.chunks(8 << 20) {
        let packed = lz4_flex::block::compress(block);
        out.extend_from_slice(&(packed.len() as u32).to_le_bytes());
        out.extend_from_slice(&packed);
    }
    out
}

fn lzopped(kernel: &[u8]) -> Vec<u8> {
    let mut out = vec![0x89, b'L', b'Z', b'O', 0, 0x0D, 0x0A, 0x1A, 0x0A];
    out.extend_from_slice(&[0x10, 0x30, 0x20, 0x80, 0x09, 0x40, 3, 9]);
    // Adler of the unpacked bytes, as lzop does by itself.
    out.extend_from_slice(&1u32.to_be_bytes());
    out.extend_from_slice(&[0; 12]);
    out.push(0);
    out.extend_from_slice(&[0; 4]);
    for block in kernel.chunks(MAX_LZOP) {
        let packed = lzokay_native::compress(block).unwrap();
        let stored: &[u8] = if packed.len() < block.len() {
            &packed
        } else {
            block
        };
        out.extend_from_slice(&(block.len() as u32).to_be_bytes());
        out.extend_from_slice(&(stored.len() as u32).to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(stored);
    }
    out.extend_from_slice(&[0; 4]);
    out
}

const MAX_LZOP: usize = 256 << 10;

type Pack = fn(&[u8]) -> Vec<u8>;
const PACKINGS: [(Packing, Pack); 4] = [
    (Packing::Gzip, gzipped),
    (Packing::Xz, xzipped),
    (Packing::Lzo, lzopped),
    (Packing::Lz4, lz4ed),
];

#[test]
fn names_are_found_in_every_packing() {
    let kernel = kernel();
    for (packing, pack) in PACKINGS {
        let (result, found) = find(&zimage(&pack(&kernel)), WORK_BYTES);
        let bytes = kernel.len() as u32;
        assert_eq!(result, Ok(Searched { packing, bytes }));
        assert_eq!(found, [1, 3, 2], "{packing:?}: whole names only");
    }
}

#[test]
fn a_magic_number_by_chance_is_passed_over() {
    for (_, magic) in Packing::ALL {
        let mut image = vec![0; 64];
        image.extend_from_slice(magic);
        image.extend_from_slice(&[0xA5; 100]);
        image.extend(zimage(&gzipped(&kernel())));
        let (result, found) = find(&image, WORK_BYTES);
        assert_eq!(result.unwrap().packing, Packing::Gzip, "{magic:?}");
        assert_eq!(found.len(), 3);
    }
}

#[test]
fn torn_streams_end_with_an_error() {
    let kernel = kernel();
    for (packing, pack) in PACKINGS {
        let whole = pack(&kernel);
        for keep in [12, 30, whole.len() / 2, whole.len() - 40] {
            let mut image = vec![0; 100];
            image.extend_from_slice(&whole[..keep]);
            let (result, _) = find(&image, WORK_BYTES);
            // The end of an LZ4 frame is not marked: a cut block is no block.
            if packing != Packing::Lz4 {
                assert!(result.is_err(), "{packing:?} {keep}");
            }
        }
    }
}

#[test]
fn flipped_bits_never_panic_and_always_end() {
    let kernel = &kernel()[..120_000];
    for (_, pack) in PACKINGS {
        let whole = zimage(&pack(kernel));
        for at in (20_000..whole.len()).step_by(whole.len() / 97) {
            let mut image = whole.clone();
            image[at] ^= 1 << (at % 8);
            let _ = find_quietly(&image);
        }
    }
}

fn find_quietly(image: &[u8]) -> Result<Searched, NamesError> {
    let set = NameSet::new(panels());
    let mut work = vec![0; WORK_BYTES];
    search(image, &mut work, &mut Finder::new(&set), &mut || {})
}

#[test]
fn too_little_memory_is_said() {
    let kernel = kernel();
    for (packing, pack) in PACKINGS {
        let image = zimage(&pack(&kernel));
        let (result, _) = find(&image, 16 << 10);
        assert_eq!(result, Err(NamesError::Memory), "{packing:?}");
    }
    // xz asks for a dictionary of 8 MiB here.
    let (result, _) = find(&zimage(&xzipped(&kernel)), 1 << 20);
    assert_eq!(result, Err(NamesError::Memory));
}

#[test]
fn a_bomb_ends_at_the_size_of_no_kernel() {
    let zeros = vec![0; MAX_KERNEL + (1 << 20)];
    for pack in [gzipped as Pack, xzipped, lz4ed] {
        assert_eq!(find_quietly(&zimage(&pack(&zeros))), Err(NamesError::Large));
    }
}

#[test]
fn nothing_packed_is_said() {
    let (result, found) = find(&[0; 4096], WORK_BYTES);
    assert_eq!((result, found.len()), (Err(NamesError::Unknown), 0));
    let error = format!("{}", NamesError::Unknown);
    assert!(error.contains("not used"), "{error}");
}

#[test]
fn a_name_may_be_cut_anywhere() {
    let text = b"\0hx8379a_dsi\0otm8018b_other\0";
    for cut in 0..text.len() {
        let set = NameSet::new(panels());
        let mut finder = Finder::new(&set);
        finder.feed(&text[..cut]);
        finder.feed(&text[cut..]);
        let found: Vec<u16> = finder.rows().collect();
        assert_eq!(found, [2, 1], "cut at {cut}");
        let names: Vec<_> = finder.names().collect();
        assert_eq!(names, ["hx8379a_dsi", "otm8018b_other"]);
    }
}
