//! Boot images made by the description, whole and damaged.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::bootimg::{BootImage, SubHeaders, TreePlace};
use crate::bytes::u32_at;
use crate::inspect::compressed::tests::ramdisk;
use crate::inspect::inspect;
use crate::inspect::testing::{codes, mutate, put};
use crate::inspect::tree::tests::tree;
use crate::inspect::zimage::tests::zimage;

fn image() -> BootImage {
    BootImage {
        kernel: zimage(0x8000),
        ramdisk: ramdisk(),
        ..BootImage::default()
    }
}

fn built(sub_headers: SubHeaders, tree_place: TreePlace) -> Vec<u8> {
    BootImage {
        sub_headers,
        tree_place,
        device_tree: Some(tree()),
        ..image()
    }
    .build()
    .unwrap()
}

#[test]
fn a_stock_boot_image_is_taken_by_both() {
    let report = inspect(&image().build().unwrap());
    assert_eq!(report.kind, Kind::BootImage);
    assert!(codes(&report).is_empty(), "{:?}", report.findings);
    assert!(report.on_a_phone.contains("boots it from BOOTIMG"));
    assert!(report.on_a_phone.contains("ATAGs"));
    assert_eq!(report.value("id", "sections_unchanged"), Some(&true.into()));
    assert_eq!(report.parts[0].name, "kernel");
    assert_eq!(report.parts[0].report.kind, Kind::MediatekImage);
    assert_eq!(report.parts[0].report.parts[0].report.kind, Kind::ZImage);
}

#[test]
fn recoveries_trees_and_plain_images() {
    let recovery = inspect(&built(SubHeaders::Recovery, TreePlace::Appended));
    assert!(recovery.summary.contains("recovery"));
    assert!(recovery.on_a_phone.contains("boots it from RECOVERY"));
    assert!(recovery.on_a_phone.contains("the tree that it brings"));
    let plain = inspect(&built(SubHeaders::None, TreePlace::SecondStage));
    assert_eq!(codes(&plain), ["BOOT-STOCK"]);
    assert!(plain.on_a_phone.contains("Stock LK hangs"));
    assert_eq!(plain.parts[2].name, "second");
    assert_eq!(plain.parts[2].report.kind, Kind::DeviceTree);
}

#[test]
fn damage_is_named() {
    let good = image().build().unwrap();
    let with = |words: &[(usize, u32)]| {
        let mut bad = good.clone();
        put(&mut bad, words);
        codes(&inspect(&bad))
    };
    let kernel = u32_at(&good, 8);
    assert!(codes(&inspect(&&good[..1000])).contains(&"BOOT-CUT"));
    assert!(codes(&inspect(&&good[..good.len() - 0x900])).contains(&"BOOT-CUT"));
    assert!(with(&[(0x240, 1)]).contains(&"BOOT-ID"));
    assert!(with(&[(0x24, 3000)]).contains(&"BOOT-PAGE"));
    assert!(with(&[(8, 0)]).contains(&"BOOT-KERNEL"));
    assert!(with(&[(8, kernel.unwrap() + 0x1000)]).contains(&"BOOT-STOCK"));
    assert!(with(&[(0x28, 0x1234)]).contains(&"BOOT-VERSION"));
    // A kernel that is none: unilk says so by its own code.
    assert!(with(&[(0xA24, 0)]).contains(&"ZI-MAGIC"));
    let mut renamed = good.clone();
    renamed[0x808] = b'X';
    assert_eq!(codes(&inspect(&renamed)), ["BOOT-ID", "BOOT-STOCK"]);
    let mut dump = good.clone();
    dump.resize(6 << 20, 0);
    assert_eq!(codes(&inspect(&dump)), ["BOOT-REST"]);
}

#[test]
fn later_headers_are_read_where_they_have_their_fields() {
    let mut image = vec![0; 4096 * 3];
    image[..8].copy_from_slice(b"ANDROID!");
    put(
        &mut image,
        &[
            (0x08, 100),
            (0x0C, 50),
            (0x14, 1584),
            (0x28, 4),
            (0x62C, 16),
        ],
    );
    image[0x2C..0x31].copy_from_slice(b"quiet");
    image.resize(4096 * 4, 0);
    let report = inspect(&image);
    assert_eq!(report.value("header", "version"), Some(&4u32.into()));
    assert_eq!(report.value("header", "cmdline"), Some(&"quiet".into()));
    assert_eq!(report.parts[1].offset, 8192);
    assert!(report.has("IMG-PAGE") && report.has("BOOT-STOCK"));
    let mut vendor = vec![0; 4096 * 2];
    vendor[..8].copy_from_slice(b"VNDRBOOT");
    put(
        &mut vendor,
        &[(8, 3), (12, 4096), (0x18, 10), (0x830, 2112)],
    );
    let report = inspect(&vendor);
    assert_eq!(report.kind, Kind::VendorBoot);
    assert_eq!(codes(&report), ["BOOT-VENDOR"]);
    assert_eq!(report.parts[0].name, "vendor_ramdisk");
    mutate(&vendor, 300, |data| {
        let _ = inspect(&data);
    });
}

#[test]
fn overlays_of_a_recovery_have_their_place() {
    // Version 1: kernel, RAM disk, overlays, each on a page of 2048.
    let mut image = image().build().unwrap();
    let at = image.len() as u32;
    put(
        &mut image,
        &[(0x28, 1), (0x660, 700), (0x664, at), (0x66C, 1648)],
    );
    image[0x240..0x260].fill(0);
    image.resize(image.len() + 2048, 0x44);
    let report = inspect(&image);
    assert_eq!(report.value("header", "version"), Some(&1u32.into()));
    let overlays = report
        .parts
        .iter()
        .find(|part| part.name == "recovery_dtbo");
    assert_eq!(
        overlays.map(|part| (part.offset, part.len)),
        Some((at.into(), 700))
    );
    assert!(codes(&report).is_empty(), "{:?}", report.findings);
    put(&mut image, &[(0x664, at + 2048)]);
    assert_eq!(codes(&inspect(&image)), ["BOOT-DTBO"]);
}

#[test]
fn versions_in_words() {
    // 11.0.0, 2021-06.
    let word = 11 << 25 | 21 << 4 | 6;
    assert_eq!(header::os_version(word).as_deref(), Some("11.0.0, 2021-06"));
    assert_eq!(header::os_version(0), None);
}

#[test]
fn any_bytes_return() {
    mutate(&built(SubHeaders::Boot, TreePlace::Appended), 300, |data| {
        let _ = inspect(&data);
    });
}

#[test]
fn unilk_itself_is_no_kernel_that_it_would_boot() {
    let payload = crate::compress::example();
    for (headers, partition) in [
        (SubHeaders::Boot, "BOOTIMG"),
        (SubHeaders::Recovery, "RECOVERY"),
    ] {
        let report = inspect(&crate::pack::boot_image(&payload, headers).unwrap());
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
        assert!(report.summary.starts_with("unilk as Android"));
        let starts = format!("Stock LK boots it from {partition}");
        assert!(
            report.on_a_phone.starts_with(&starts),
            "{}",
            report.on_a_phone
        );
        assert!(report.on_a_phone.contains("unilk itself"));
    }
}
