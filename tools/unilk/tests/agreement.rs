//! What we write, read by tools that others wrote. A tool that is not
//! installed is named and its check skipped.

#![allow(clippy::unwrap_used)]

mod common;

use common::{output_of, scratch};
use unilk::bootimg::{Addresses, BootImage, SubHeaders};
use unilk::emmc::{self, Card, Content, Image};
use unilk::layout::Layout;
use unilk::{mtk, pack};

const BRANCH: [u8; 4] = [0x07, 0x00, 0x00, 0xEA];

#[test]
fn mkimage_knows_our_lk_header() {
    let path = scratch("mkimage").join("lk.bin");
    let mut payload = BRANCH.to_vec();
    payload.resize(0x1234, 0);
    std::fs::write(&path, pack::lk_image(&payload, pack::LK_NAME).unwrap()).unwrap();
    // Told the type, mkimage wants its build options too before it reads.
    let options = ["-T", "mtk_image", "-n", "lk=1", "-a", "0x80020000", "-l"];
    let arguments: Vec<&str> = options.into_iter().chain(path.to_str()).collect();
    if let Some(text) = output_of("mkimage", &arguments) {
        assert!(text.contains("MediaTek LK Image"), "{text}");
        assert!(text.contains("ffffffff"), "load address not given: {text}");
    }
}

#[test]
fn mkimage_makes_the_same_bytes_but_for_name_and_address() {
    let directory = scratch("mkimage-build");
    let (input, theirs) = (directory.join("payload"), directory.join("theirs.bin"));
    let mut payload = BRANCH.to_vec();
    payload.resize(0x1234, 0x5A);
    std::fs::write(&input, &payload).unwrap();
    let _ = std::fs::remove_file(&theirs);
    let arguments = [
        "-T",
        "mtk_image",
        "-n",
        "lk=1",
        "-a",
        "0x80020000",
        "-d",
        input.to_str().unwrap(),
        theirs.to_str().unwrap(),
    ];
    if let Some(text) = output_of("mkimage", &arguments) {
        let theirs = std::fs::read(&theirs).unwrap_or_else(|_| panic!("mkimage: {text}"));
        let mut ours = mtk::with_header("U-Boot", &payload).unwrap();
        ours[0x28..0x2C].copy_from_slice(&mtk::LK_ADDRESS.to_le_bytes());
        assert!(theirs == ours, "images differ");
    }
}

#[test]
fn mkbootimg_makes_the_same_bytes() {
    let directory = scratch("mkbootimg");
    let file = |name: &str, data: &[u8]| {
        let path = directory.join(name);
        std::fs::write(&path, data).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let image = BootImage {
        kernel: (0..5000u32).map(|i| i as u8).collect(),
        ramdisk: vec![0x1F; 3000],
        cmdline: "console=ttyS0,921600n8 ".repeat(30),
        name: "mt6572".to_owned(),
        // mkbootimg gives an absent second stage no address.
        addresses: Addresses {
            second: 0,
            ..Addresses::default()
        },
        ..BootImage::default()
    };
    // mkbootimg knows no sub-headers: it is given sections that have them.
    let kernel = file(
        "kernel",
        &mtk::with_header("KERNEL", &image.kernel).unwrap(),
    );
    let ramdisk = file(
        "ramdisk",
        &mtk::with_header("ROOTFS", &image.ramdisk).unwrap(),
    );
    let theirs = directory.join("theirs.img");
    let arguments = [
        "--kernel",
        &kernel,
        "--ramdisk",
        &ramdisk,
        "--cmdline",
        &image.cmdline,
        "--board",
        "mt6572",
        "--base",
        "0x10000000",
        "--pagesize",
        "2048",
        "--output",
        theirs.to_str().unwrap(),
    ];
    let _ = std::fs::remove_file(&theirs);
    if let Some(text) = output_of("mkbootimg", &arguments) {
        let theirs = std::fs::read(&theirs).unwrap_or_else(|_| panic!("mkbootimg: {text}"));
        assert!(image.build().unwrap() == theirs, "images differ");
    }
}

#[test]
fn boot_image_readers_read_ours() {
    let directory = scratch("readers");
    let path = directory.join("boot.img");
    let image = BootImage {
        kernel: b"kernel bytes".repeat(300),
        ramdisk: b"ramdisk bytes".repeat(200),
        cmdline: "console=ttyS0".to_owned(),
        sub_headers: SubHeaders::None,
        ..BootImage::default()
    };
    std::fs::write(&path, image.build().unwrap()).unwrap();
    let path = path.to_str().unwrap();
    let out = directory.join("out");
    if let Some(text) = output_of(
        "unpack_bootimg",
        &["--boot_img", path, "--out", out.to_str().unwrap()],
    ) {
        assert!(text.contains("console=ttyS0"), "{text}");
        assert_eq!(std::fs::read(out.join("kernel")).unwrap(), image.kernel);
        assert_eq!(std::fs::read(out.join("ramdisk")).unwrap(), image.ramdisk);
    }
    if let Some(text) = output_of("abootimg", &["-i", path]) {
        assert!(text.contains("console=ttyS0"), "{text}");
        assert!(
            text.contains("page size") && text.contains("2048"),
            "{text}"
        );
    }
}

#[test]
fn sfdisk_reads_the_partition_table_of_a_built_card() {
    let path = scratch("sfdisk").join("user.img");
    let layout = Layout::built_in("a516").unwrap();
    let card = Card::for_layout(&layout, None).unwrap();
    let mut image = Image::new(layout, card).unwrap();
    let lk = pack::lk_image(&BRANCH, pack::LK_NAME).unwrap();
    image.put("UBOOT", Content::Bytes(lk.clone())).unwrap();
    emmc::create(&path, |out| image.write_user(out)).unwrap();

    // Sparse: 3.6 GiB long, a few blocks on disk.
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!(metadata.len(), card.user_bytes);
    assert!(std::os::unix::fs::MetadataExt::blocks(&metadata) * 512 < 1 << 20);
    assert_eq!(read_at(&path, 0x1D2_0000, lk.len()), lk);
    assert_eq!(
        &read_at(&path, card.user_bytes - 0x10_0000, 8),
        b"1vTP1.0\0"
    );

    let Some(dump) = output_of("sfdisk", &["-d", path.to_str().unwrap()]) else {
        return;
    };
    // Spaces vary with the widest number; compare without them.
    let dump: String = dump.chars().filter(|c| *c != ' ').collect();
    for entry in [
        "start=1024,",
        "start=18432,size=20480,type=83",
        "start=38912,size=20480,type=83",
        "start=113152,size=409600,type=83",
        "start=522752,size=2097152,type=83",
    ] {
        assert!(dump.contains(entry), "{entry} not in {dump}");
    }
    std::fs::remove_file(&path).unwrap();
}

fn read_at(path: &std::path::Path, offset: u64, length: usize) -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    let mut data = vec![0; length];
    let file = std::fs::File::open(path).unwrap();
    file.read_exact_at(&mut data, offset).unwrap();
    data
}
