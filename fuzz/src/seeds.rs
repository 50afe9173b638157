//! Inputs to begin from, all made here: of every format one that its parser
//! takes, small, for what mutates them has to be fast.

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::Write;
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use unilk::backup::dump::{Dump, Phone};
use unilk::backup::write::Backup;
use unilk::bootimg::{BootImage, SubHeaders, TreePlace};
use unilk::emmc::{Card, Image};
use unilk::identity::files::NvramFiles;
use unilk::layout::Layout;
use unilk::progress::Silent;
use unilk::source::Source;
use unilk::storage::{Options, Storage};
use unilk::{dos, mtk, pmt, scatter};
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

/// Rows of the driver table, one of each kind.
pub fn rows() -> Vec<Vec<u8>> {
    let rows: [&[u8]; 5] = [
        include_bytes!("../../board-db/data/panels/auo-v3.toml"),
        include_bytes!("../../board-db/data/touch/gt911.toml"),
        include_bytes!("../../board-db/data/cameras/ov5645.toml"),
        include_bytes!("../../board-db/data/wiring/generic.toml"),
        include_bytes!("../../board-db/data/boards/s5201ap.toml"),
    ];
    rows.map(<[u8]>::to_vec).to_vec()
}

/// Payloads of `lk.bin`.
pub fn lk_images() -> Vec<Vec<u8>> {
    vec![unilk::compress::example()]
}

/// Packed kernels.
pub fn kernels() -> Vec<Vec<u8>> {
    let strings = b"st7701_wvga_dsi_vdo\0ili9806e_dsi_cmd_txd\0".repeat(20);
    let gzip = |level| {
        let mut out = GzEncoder::new(Vec::new(), level);
        out.write_all(&strings).and_then(|()| out.finish())
    };
    let mut seeds = Vec::new();
    for level in [Compression::none(), Compression::best()] {
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

/// A logo partition with one small picture.
pub fn logos() -> Vec<Vec<u8>> {
    let pixels: Vec<u8> = (0..8 * 6u16).flat_map(|n| (n * 99).to_le_bytes()).collect();
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    let Ok(packed) = packer.write_all(&pixels).and_then(|()| packer.finish()) else {
        return Vec::new();
    };
    let total = 12 + packed.len() as u32;
    let mut body: Vec<u8> = [1, total, 12]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    body.extend_from_slice(&packed);
    mtk::with_header("LOGO", &body).into_iter().collect()
}

/// Scatter files in both grammars.
pub fn scatter_files() -> Vec<Vec<u8>> {
    let old = "PRELOADER 0x0\n{\n}\nMBR 0x600000\n{\n}\nUBOOT 0x2320000\n{\n}\n\
               BOOTIMG 0x2380000\n{\n}\n__NODL_BMTPOOL 0xffff00a8\n{\n}\n";
    let mut seeds = vec![old.as_bytes().to_vec()];
    if let Some(layout) = Layout::built_in("a516") {
        let text = scatter::from_layout(&layout, |partition| {
            (partition.name == "UBOOT").then(|| "lk.bin".to_owned())
        });
        seeds.push(text.replace('\n', "\r\n").into_bytes());
        seeds.push(text.into_bytes());
    }
    seeds
}

/// An Android sparse image with a chunk of each kind.
pub fn sparse_images() -> Vec<Vec<u8>> {
    let mut image = Vec::new();
    let header: [u8; 12] = [0x3A, 0xFF, 0x26, 0xED, 1, 0, 0, 0, 28, 0, 12, 0];
    image.extend_from_slice(&header);
    for word in [4096u32, 4, 4, 0] {
        image.extend_from_slice(&word.to_le_bytes());
    }
    let mut chunk = |kind: u16, blocks: u32, body: &[u8]| {
        image.extend_from_slice(&kind.to_le_bytes());
        image.extend_from_slice(&[0, 0]);
        image.extend_from_slice(&blocks.to_le_bytes());
        image.extend_from_slice(&(12 + body.len() as u32).to_le_bytes());
        image.extend_from_slice(body);
    };
    chunk(0xCAC1, 1, &[7; 4096]);
    chunk(0xCAC2, 1, &[1, 2, 3, 4]);
    chunk(0xCAC3, 2, &[]);
    chunk(0xCAC4, 0, &[0; 4]);
    vec![image]
}

/// MBR, PMT and head of UBOOT of a card (see `host::Spread`).
pub fn spread_cards() -> Vec<Vec<u8>> {
    let Some(layout) = Layout::built_in("a516") else {
        return Vec::new();
    };
    let tables = dos::tables(&layout).unwrap_or_default();
    let mbr = tables.first().map(|table| table.sector.to_vec());
    let total = 0x60_0000 + (256 << 20);
    let pmt = pmt::tables(&layout, total).unwrap_or_default();
    let uboot = headers().swap_remove(0);
    let whole = [mbr.unwrap_or_default(), pmt, uboot.clone()].concat();
    let without_pmt = [whole[..512].to_vec(), vec![0; 8192], uboot].concat();
    vec![whole, without_pmt]
}

/// A backup of a phone that has little.
pub fn backups() -> Vec<Vec<u8>> {
    let part = |name: &str, byte: u8| -> (String, Arc<dyn Source>) {
        (name.to_owned(), Arc::new(vec![byte; 1024]))
    };
    let files = vec![part("NVRAM.img", 1), part("PRO_INFO.img", 2)];
    let Ok(storage) = Storage::open_directory(files, &Options::default()) else {
        return Vec::new();
    };
    let dump = Dump::of(&storage, "seed", Phone::default());
    let parts: Vec<_> = dump.parts.iter().collect();
    let backup = Backup::new(&dump, &parts, &NvramFiles::default(), UNIX_EPOCH);
    let name = format!("unilk-fuzz-{}.tar", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    let written = backup.create(&path, &mut Silent).is_ok();
    let archive = std::fs::read(&path).unwrap_or_default();
    let _ = std::fs::remove_file(&path);
    if !written {
        return Vec::new();
    }
    let manifest = archive.get(512..).map(|json| {
        let end = json
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(json.len());
        json[..end].to_vec()
    });
    [Some(archive), manifest].into_iter().flatten().collect()
}

/// A copy of /data/nvram, and something like a file system that holds one.
pub fn nvram() -> Vec<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in [
        ("data/nvram/APCFG/APRDEB/WIFI", &[4u8; 512][..]),
        (
            "data/nvram/APCFG/APRDEB/BT_Addr",
            &[0, 0, 0x46, 0x65, 0x72, 1],
        ),
        ("data/nvram/md/NVRAM/NVD_IMEI/MP0B_001", &[9; 120]),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        // Into memory: nothing can fail.
        let _ = builder.append_data(&mut header, path, content);
    }
    let archive = builder.into_inner().unwrap_or_default();
    // The superblock of an ext4 file system, and nothing behind it.
    let mut superblock = vec![0; 4096];
    for (at, word) in [
        (0x400, 16u32),
        (0x404, 64),
        (0x414, 0),
        (0x418, 2),
        (0x420, 64),
        (0x428, 16),
        (0x44C, 1),
        (0x454, 11),
        (0x45C, 0x38),
        (0x460, 0x2C2),
    ] {
        superblock[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
    superblock[0x438..0x43A].copy_from_slice(&[0x53, 0xEF]);
    superblock[0x458] = 128;
    vec![archive, superblock]
}

/// Something like an LK with one driver: a name, and pointers to code.
pub fn stock_lks() -> Vec<Vec<u8>> {
    const BASE: u32 = 0x8002_0000;
    let mut payload = vec![0u8; 0x4000];
    let mut put = |at: usize, word: u32| {
        payload[at..at + 4].copy_from_slice(&word.to_le_bytes());
    };
    put(0, 0xEA00_0007);
    // The driver, whose functions all return at once, and a list with it.
    put(0x1000, BASE + 0x2000);
    for field in 1..12 {
        put(0x1000 + 4 * field, BASE + 0x3000 + 4 * field as u32);
        put(0x3000 + 4 * field, 0xE12F_FF1E);
    }
    put(0x1100, BASE + 0x1000);
    // As many pointers into itself as real code has.
    for at in (0x3800..0x4000).step_by(4) {
        put(at, BASE + 0x3000);
    }
    payload[0x2000..0x200B].copy_from_slice(b"abc_dsi_vdo");
    mtk::with_header("LK", &payload).into_iter().collect()
}

/// A file of every kind.
pub fn files() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = [
        headers,
        boot_images,
        trees,
        cards,
        handed_over,
        kept,
        lk_images,
        logos,
        scatter_files,
        sparse_images,
        backups,
    ]
    .into_iter()
    .flat_map(|make| make())
    .collect();
    let preloader = unilk::preloader::placeholder();
    seeds.extend(unilk::preloader::boot_area(&preloader));
    seeds.push(preloader);
    for version in 1..=4u32 {
        let mut header = vec![0; 8192];
        header[..8].copy_from_slice(b"ANDROID!");
        let words = if version < 3 {
            [(8, 16), (0x24, 4096), (0x28, version), (0x644, 4096)]
        } else {
            [(8, 16), (0x0C, 16), (0x14, 1580), (0x28, version)]
        };
        for (at, word) in words {
            header[at..at + 4].copy_from_slice(&u32::to_le_bytes(word));
        }
        seeds.push(header);
    }
    for id in [&b"AND_SECCFG_v\0\0\0\0MMMM"[..], b"AND_AC_REGION\0\0\0HHHH"] {
        let mut seed = id.to_vec();
        seed.resize(1024, 0x41);
        seeds.push(seed);
    }
    seeds
}
