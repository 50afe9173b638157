//! Inputs to begin from, all made here: of every format one that its parser
//! takes, small, for what mutates them has to be fast.

use unilk::bootimg::{BootImage, SubHeaders, TreePlace};
use unilk::emmc::{Card, Image};
use unilk::layout::Layout;
use unilk::{dos, mtk, pmt};
use unilk_core::atags::Atags;
use unilk_core::bootarg::{Bank, BootMode, MetaCom};
use unilk_core::hints;
use unilk_core::kernel::Generation;
use unilk_core::logmem::{Kind, Log};

/// Something like a kernel: the header of a zImage, and a few words.
pub fn kernel() -> Vec<u8> {
    let mut kernel = vec![0; 0x200];
    for (offset, word) in [(0x24, 0x016F_2818u32), (0x28, 0), (0x2C, 0x200)] {
        kernel[offset..offset + 4].copy_from_slice(&word.to_le_bytes());
    }
    kernel[..4].copy_from_slice(&0xE1A0_0000u32.to_le_bytes());
    kernel
}

/// A small device tree, written by hand.
pub fn tree() -> Vec<u8> {
    let mut structure = Vec::new();
    let mut word = |value: u32| structure.extend_from_slice(&value.to_be_bytes());
    // Root with #address-cells and a child "memory" with reg.
    for value in [1, 0, 3, 4, 0, 1, 1] {
        word(value);
    }
    structure.extend_from_slice(b"memory@80000000\0");
    let mut word = |value: u32| structure.extend_from_slice(&value.to_be_bytes());
    for value in [3, 8, 15, 0x8000_0000, 0x2000_0000, 2, 2, 9] {
        word(value);
    }
    let strings = b"#address-cells\0reg\0";
    let at = 40 + 16;
    let header = [
        0xD00D_FEED,
        (at + structure.len() + strings.len()) as u32,
        at as u32,
        (at + structure.len()) as u32,
        40,
        17,
        16,
        0,
        strings.len() as u32,
        structure.len() as u32,
    ];
    let mut tree: Vec<u8> = header.iter().flat_map(|w: &u32| w.to_be_bytes()).collect();
    tree.extend_from_slice(&[0; 16]);
    tree.extend_from_slice(&structure);
    tree.extend_from_slice(strings);
    tree
}

/// Device trees.
pub fn trees() -> Vec<Vec<u8>> {
    vec![tree()]
}

/// Images with MediaTek's header.
pub fn headers() -> Vec<Vec<u8>> {
    ["LK", "LOGO", "KERNEL"]
        .into_iter()
        .filter_map(|name| mtk::with_header(name, &kernel()).ok())
        .collect()
}

/// Boot images, and a kernel alone.
pub fn boot_images() -> Vec<Vec<u8>> {
    let image = |sub_headers, tree_place| {
        BootImage {
            kernel: kernel(),
            ramdisk: vec![0x1F, 0x8B, 8, 0],
            device_tree: Some(tree()),
            tree_place,
            sub_headers,
            cmdline: "console=ttyS0,921600n8".to_owned(),
            ..BootImage::default()
        }
        .build()
    };
    let images = [
        image(SubHeaders::Boot, TreePlace::Appended),
        image(SubHeaders::Recovery, TreePlace::SecondStage),
        image(SubHeaders::None, TreePlace::Appended),
    ];
    let mut seeds: Vec<Vec<u8>> = images.into_iter().flatten().collect();
    seeds.push(kernel());
    seeds
}

/// MBR, EBR and PMT, and a card that ends with a PMT.
pub fn cards() -> Vec<Vec<u8>> {
    let Some(layout) = Layout::built_in("a516") else {
        return Vec::new();
    };
    let mut seeds = Vec::new();
    for table in dos::tables(&layout).unwrap_or_default() {
        seeds.push(table.sector.to_vec());
    }
    let card = Card::for_layout(&layout, None).and_then(|card| Image::new(layout, card));
    if let Ok(image) = card {
        let total = image.card().total_bytes();
        seeds.extend(pmt::tables(image.layout(), total));
    }
    seeds
}

/// Boot argument and tags.
pub fn handed_over() -> Vec<Vec<u8>> {
    let mut argument = vec![0; 0x50];
    argument[..4].copy_from_slice(b"LPLP");
    argument[0x18] = 1;
    argument[0x1F] = 0x20;
    let mut tags = vec![0; 512];
    let list = Atags {
        generation: Generation::KitKat,
        boot_mode: BootMode::Meta,
        banks: &[Bank {
            base: 0x8010_0000,
            len: 0x1FF0_0000,
        }],
        dfo: &[("MD1_SIZE", 1)],
        meta: MetaCom { kind: 1, id: 0 },
        devinfo: &[7; 26],
        modem_types: Some([1, 2, 3, 4]),
        cmdline: "console=ttyMT1 lcm=1-x boot_reason=4",
        ramdisk: None,
        framebuffer: Bank { base: 0, len: 0 },
    };
    if let Ok(len) = list.write(&mut tags) {
        tags.truncate(len);
    }
    vec![argument, tags]
}

/// What the phone keeps for later: log, report, choice, hints.
pub fn kept() -> Vec<Vec<u8>> {
    let mut region = vec![0; 4096];
    if let Ok(mut log) = Log::begin(&mut region) {
        let _ = log.append(Kind::Text, b"unilk 0.1.0");
        let _ = log.append(Kind::Defmt, &[1, 2, 3]);
        log.complete();
    }
    let mut report = vec![0; 256];
    let mut builder = unilk_core::identify::report::Builder::new(&mut report);
    let len = builder.finish().len();
    report.truncate(len);
    vec![region, report, hints::blank().to_vec()]
}

/// Payloads of `lk.bin`.
pub fn lk_images() -> Vec<Vec<u8>> {
    vec![unilk::compress::example()]
}

/// Packed kernels.
pub fn kernels() -> Vec<Vec<u8>> {
    let strings = b"st7701_wvga_dsi_vdo\0ili9806e_dsi_cmd_txd\0".repeat(20);
    let gzip = |level| {
        use std::io::Write;
        let mut out = flate2::write::GzEncoder::new(Vec::new(), level);
        out.write_all(&strings).and_then(|()| out.finish())
    };
    let mut seeds = Vec::new();
    for level in [flate2::Compression::none(), flate2::Compression::best()] {
        seeds.extend(gzip(level));
    }
    // The magic numbers of the others, and noise behind them.
    for magic in [
        &[0xFD, b'7', b'z', b'X', b'Z', 0][..],
        &[0x89, b'L', b'Z', b'O', 0, 0x0D, 0x0A, 0x1A, 0x0A],
        &[0x02, 0x21, 0x4C, 0x18],
    ] {
        let mut seed = kernel();
        seed.extend_from_slice(magic);
        seed.extend((0..200u8).map(|n| n.wrapping_mul(37)));
        seeds.push(seed);
    }
    seeds
}
