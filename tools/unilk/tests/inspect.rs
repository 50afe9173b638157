//! What others made, looked at by `unilk inspect`: the values are those that
//! the makers' own readers print. A tool that is not installed is named and
//! its check skipped.

#![allow(clippy::unwrap_used)]

mod common;

use common::output_of;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use unilk::bootimg::BootImage;
use unilk::inspect::report::Value;
use unilk::inspect::{Report, inspect};
use unilk::recognise::Kind;
use unilk::source::FileSource;

fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("inspect")
        .join(name);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn write(directory: &Path, name: &str, data: &[u8]) -> String {
    let path = directory.join(name);
    std::fs::write(&path, data).unwrap();
    path.to_str().unwrap().to_owned()
}

fn look(path: &str) -> Report {
    inspect(&FileSource::open(Path::new(path)).unwrap())
}

/// A zImage's header and nothing in it.
fn kernel(len: u32) -> Vec<u8> {
    let mut image = vec![0; len as usize];
    for (at, word) in [(0x20, 0xEA00_0002), (0x24, 0x016F_2818), (0x2C, len)] {
        image[at..at + 4].copy_from_slice(&u32::to_le_bytes(word));
    }
    image
}

fn number(report: &Report, group: &str, key: &str) -> u64 {
    match report.value(group, key) {
        Some(Value::Number(number)) => *number,
        other => panic!("{group}.{key} is {other:?}"),
    }
}

fn text<'a>(report: &'a Report, group: &str, key: &str) -> &'a str {
    match report.value(group, key) {
        Some(Value::Text(text)) => text,
        other => panic!("{group}.{key} is {other:?}"),
    }
}

/// The line of `unpack_bootimg` that begins with `name`, behind the colon.
fn field<'a>(printed: &'a str, name: &str) -> &'a str {
    printed
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))
        .unwrap_or_else(|| panic!("no {name} in {printed}"))
        .trim()
}

fn decimal(text: &str) -> u64 {
    text.parse().unwrap()
}

fn hexadecimal(text: &str) -> u64 {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}

fn section(report: &Report, name: &str) -> u64 {
    let part = report.parts.iter().find(|part| part.name == name);
    part.map_or(0, |part| part.len)
}

/// Builds an image of `version` with `mkbootimg`; its path, and what
/// `unpack_bootimg` says of it.
fn built(version: u32, more: &[&str]) -> Option<(String, String)> {
    let directory = scratch(&format!("v{version}"));
    let kernel = write(&directory, "kernel", &kernel(5000));
    let ramdisk = write(&directory, "ramdisk", &[0x5A; 3000]);
    let image = directory.join("boot.img").to_str().unwrap().to_owned();
    let version = version.to_string();
    let mut arguments = vec![
        "--header_version",
        &version,
        "--kernel",
        &kernel,
        "--ramdisk",
        &ramdisk,
        "--cmdline",
        "console=ttyS0 quiet",
        "--os_version",
        "11.0.0",
        "--os_patch_level",
        "2021-06",
        "--output",
        &image,
    ];
    arguments.extend(more);
    let made = output_of("mkbootimg", &arguments)?;
    // Debian 12 and 13 have one that knows no version 4.
    if made.contains("not supported") {
        eprintln!(
            "skipped: mkbootimg: {}",
            made.lines().last().unwrap_or_default()
        );
        return None;
    }
    assert!(made.is_empty(), "{made}");
    let out = directory.join("out").to_str().unwrap().to_owned();
    let printed = output_of("unpack_bootimg", &["--boot_img", &image, "--out", &out])?;
    Some((image, printed))
}

#[test]
fn boot_images_of_all_versions_as_unpack_bootimg_reads_them() {
    let directory = scratch("parts");
    let second = write(&directory, "second", &[0x33; 700]);
    let dtb = write(&directory, "dtb", &[0x55; 1100]);
    let old = [
        "--base",
        "0x80000000",
        "--pagesize",
        "2048",
        "--board",
        "phone",
    ];
    for version in 0..=4 {
        // Not the recovery's overlays: Debian's mkbootimg falls over them.
        let more: &[&str] = match version {
            0 | 1 => &["--second", &second],
            2 => &["--second", &second, "--dtb", &dtb],
            _ => &[],
        };
        let more = if version < 3 {
            [&old, more].concat()
        } else {
            Vec::new()
        };
        let Some((image, printed)) = built(version, &more) else {
            continue;
        };
        let report = look(&image);
        assert_eq!(report.kind, Kind::BootImage);
        assert_eq!(number(&report, "header", "version"), u64::from(version));
        let says = |name: &str| field(&printed, name);
        assert_eq!(says("boot image header version"), version.to_string());
        assert_eq!(section(&report, "kernel"), decimal(says("kernel_size")));
        assert_eq!(section(&report, "ramdisk"), decimal(says("ramdisk size")));
        assert_eq!(text(&report, "header", "cmdline"), "console=ttyS0 quiet");
        assert!(printed.contains("console=ttyS0 quiet"));
        let android = format!("{}, {}", says("os version"), says("os patch level"));
        assert_eq!(text(&report, "header", "android"), android);
        if version < 3 {
            old_fields(&report, &printed, version);
        } else {
            // No load addresses, no second stage, and no MT6572 loader.
            assert!(report.has("IMG-PAGE") && report.has("BOOT-STOCK"));
        }
        assert!(
            !report.has("BOOT-CUT") && !report.has("BOOT-REST"),
            "{version}"
        );
    }
}

fn old_fields(report: &Report, printed: &str, version: u32) {
    let says = |name: &str| field(printed, name);
    for (key, name) in [
        ("kernel_address", "kernel load address"),
        ("ramdisk_address", "ramdisk load address"),
        ("second_address", "second bootloader load address"),
        ("tags_address", "kernel tags load address"),
    ] {
        assert_eq!(
            number(report, "header", key),
            hexadecimal(says(name)),
            "{key}"
        );
    }
    assert_eq!(
        number(report, "header", "page_bytes"),
        decimal(says("page size"))
    );
    assert_eq!(text(report, "header", "name"), says("product name"));
    assert_eq!(
        section(report, "second"),
        decimal(says("second bootloader size"))
    );
    // mkbootimg's own id, over what each version has.
    assert_eq!(report.value("id", "sections_unchanged"), Some(&true.into()));
    if version == 2 {
        assert_eq!(section(report, "dtb"), decimal(says("dtb size")));
        assert_eq!(
            number(report, "header", "dtb_address"),
            hexadecimal(says("dtb address"))
        );
    }
}

#[test]
fn vendor_boot_images_as_unpack_bootimg_reads_them() {
    let directory = scratch("vendor");
    let ramdisk = write(&directory, "ramdisk", &[0x5A; 3000]);
    let dtb = write(&directory, "dtb", &[0x55; 1100]);
    let image = directory.join("vendor.img").to_str().unwrap().to_owned();
    let arguments = [
        "--header_version",
        "3",
        "--vendor_ramdisk",
        &ramdisk,
        "--dtb",
        &dtb,
        "--vendor_cmdline",
        "quiet",
        "--board",
        "phone",
        "--vendor_boot",
        &image,
    ];
    let Some(made) = output_of("mkbootimg", &arguments) else {
        return;
    };
    assert!(Path::new(&image).exists(), "{made}");
    let out = directory.join("out").to_str().unwrap().to_owned();
    let Some(printed) = output_of("unpack_bootimg", &["--boot_img", &image, "--out", &out]) else {
        return;
    };
    let report = look(&image);
    assert_eq!(report.kind, Kind::VendorBoot);
    assert_eq!(text(&report, "header", "cmdline"), "quiet");
    assert_eq!(
        text(&report, "header", "name"),
        field(&printed, "product name")
    );
    assert_eq!(
        section(&report, "vendor_ramdisk"),
        decimal(field(&printed, "vendor ramdisk size"))
    );
    assert_eq!(
        section(&report, "dtb"),
        decimal(field(&printed, "dtb size"))
    );
    assert!(!report.has("BOOT-CUT"));
}

#[test]
fn our_boot_image_as_abootimg_reads_it() {
    let directory = scratch("abootimg");
    let image = BootImage {
        kernel: kernel(5000),
        ramdisk: vec![0x5A; 3000],
        cmdline: "console=ttyS0".to_owned(),
        name: "phone".to_owned(),
        ..BootImage::default()
    };
    let path = write(&directory, "boot.img", &image.build().unwrap());
    let Some(printed) = output_of("abootimg", &["-i", &path]) else {
        return;
    };
    let report = look(&path);
    for (key, label) in [
        ("kernel_address", "kernel:"),
        ("ramdisk_address", "ramdisk:"),
        ("tags_address", "tags:"),
    ] {
        let address = number(&report, "header", key);
        let line = printed
            .lines()
            .find(|line| line.contains(label) && line.contains("0x"))
            .unwrap_or_else(|| panic!("no {label} in {printed}"));
        assert!(
            line.contains(&format!("{address:#x}")),
            "{line}: {address:#x}"
        );
    }
    let id = text(&report, "id", "stored");
    // abootimg prints the id as words.
    let words: Vec<String> = id
        .as_bytes()
        .chunks(8)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let first = u32::from_str_radix(&words[0], 16).unwrap().swap_bytes();
    assert!(printed.contains(&format!("0x{first:08x}")), "{printed}");
}

#[test]
fn a_tree_as_dtc_made_it() {
    let directory = scratch("dtc");
    let source = "/dts-v1/; /memreserve/ 0x80000000 0x100000; / { model = \"Some phone\"; \
         compatible = \"maker,phone\", \"mediatek,mt6572\"; #address-cells = <1>; \
         #size-cells = <1>; memory@80000000 { device_type = \"memory\"; \
         reg = <0x80000000 0x10000000 0x90000000 0x10000000>; }; \
         chosen { bootargs = \"quiet\"; linux,initrd-start = <0x84100000>; }; };";
    let dts = write(&directory, "phone.dts", source.as_bytes());
    let dtb = directory.join("phone.dtb").to_str().unwrap().to_owned();
    let Some(made) = output_of("dtc", &["-O", "dtb", "-o", &dtb, &dts]) else {
        return;
    };
    assert!(Path::new(&dtb).exists(), "{made}");
    let report = look(&dtb);
    assert!(report.all_findings().is_empty(), "{:?}", report.findings);
    assert_eq!(text(&report, "tree", "model"), "Some phone");
    assert_eq!(
        report.value("tree", "memory"),
        Some(&Value::List(vec![
            "0x80000000 + 256 MiB".to_owned(),
            "0x90000000 + 256 MiB".to_owned()
        ]))
    );
    assert_eq!(
        report.value("tree", "reservations"),
        Some(&Value::List(vec!["0x80000000 + 1 MiB".to_owned()]))
    );
    assert_eq!(number(&report, "chosen", "initrd_start"), 0x8410_0000);
}

#[test]
fn a_legacy_image_as_mkimage_made_it() {
    let directory = scratch("mkimage");
    let data = write(&directory, "kernel", &kernel(5000));
    let image = directory.join("uImage").to_str().unwrap().to_owned();
    let arguments = [
        "-A",
        "arm",
        "-O",
        "linux",
        "-T",
        "kernel",
        "-C",
        "none",
        "-a",
        "0x80208000",
        "-e",
        "0x80208040",
        "-n",
        "Linux-6.1",
        "-d",
        &data,
        &image,
    ];
    let Some(made) = output_of("mkimage", &arguments) else {
        return;
    };
    assert!(Path::new(&image).exists(), "{made}");
    let report = look(&image);
    assert!(report.all_findings().is_empty(), "{:?}", report.findings);
    assert_eq!(text(&report, "header", "name"), "Linux-6.1");
    assert_eq!(number(&report, "header", "load_address"), 0x8020_8000);
    assert_eq!(number(&report, "header", "entry_address"), 0x8020_8040);
    assert_eq!(report.parts[0].report.kind, Kind::ZImage);
}

#[test]
fn file_systems_as_others_made_them_plain_and_sparse() {
    let directory = scratch("ext4");
    let image = write(&directory, "system.img", &[]);
    std::fs::File::options()
        .write(true)
        .open(&image)
        .unwrap()
        .set_len(16 << 20)
        .unwrap();
    let arguments = [
        "-q",
        "-F",
        "-t",
        "ext4",
        "-L",
        "system",
        "-O",
        "^metadata_csum",
        &image,
    ];
    let Some(made) = output_of("/usr/sbin/mke2fs", &arguments) else {
        return;
    };
    let report = look(&image);
    assert_eq!(report.kind, Kind::Ext, "{made}");
    assert!(report.all_findings().is_empty(), "{:?}", report.findings);
    assert_eq!(text(&report, "filesystem", "type"), "ext4");
    assert_eq!(text(&report, "filesystem", "label"), "system");
    assert_eq!(number(&report, "filesystem", "filesystem_bytes"), 16 << 20);
    let sparse = directory.join("system.simg").to_str().unwrap().to_owned();
    if let Some(made) = output_of("img2simg", &[&image, &sparse]) {
        let report = look(&sparse);
        assert_eq!(report.kind, Kind::Sparse, "{made}");
        assert_eq!(report.parts[0].len, 16 << 20);
        assert_eq!(report.parts[0].report.kind, Kind::Ext);
        assert!(report.all_findings().is_empty(), "{:?}", report.findings);
    }
}

/// Runs `unilk inspect`: exit code, standard output, standard error.
fn unilk(arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_unilk"))
        .arg("inspect")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has taken all.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn lk() -> Vec<u8> {
    unilk::mtk::with_header("LK", &[0x07, 0, 0, 0xEA]).unwrap()
}

#[test]
fn as_a_person_runs_it() {
    let directory = scratch("person");
    let good = write(&directory, "lk.bin", &lk());
    let bad = write(&directory, "cut.bin", &lk()[..514]);
    let (code, text, _) = unilk(&[&good], b"");
    assert_eq!(code, 0);
    assert!(
        text.contains("nothing wrong") && text.contains("on a phone:"),
        "{text}"
    );
    let (code, text, _) = unilk(&[&good, &bad], b"");
    assert_eq!(code, 3);
    assert!(
        text.contains("lk.bin") && text.contains("problem LK-CUT"),
        "{text}"
    );
    let (code, text, _) = unilk(&["-"], &lk());
    assert_eq!(code, 0);
    assert!(text.starts_with("-: bootloader image"), "{text}");
    // What cannot be read does not hide the rest.
    let (code, text, errors) = unilk(&["/no/such/file", &good], b"");
    assert_eq!(code, 1);
    assert!(text.contains("nothing wrong") && errors.contains("/no/such/file"));
    let (code, _, errors) = unilk(&[directory.to_str().unwrap()], b"");
    assert_eq!(code, 1);
    assert!(
        errors.contains("is a directory: name the files in it"),
        "{errors}"
    );
    let (code, _, errors) = unilk(&["--size", "480", "--png", "x", &good], b"");
    assert_eq!(code, 2);
    assert!(errors.contains("480x854"), "{errors}");
}

#[test]
fn json_has_numbers_and_names_that_stay() {
    let (code, text, _) = unilk(&["--json", "-"], &lk());
    assert_eq!(code, 0);
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let first = &all[0];
    assert_eq!(first["kind"], "mediatek-image");
    assert_eq!(first["bytes"], 516);
    assert_eq!(first["facts"]["header"]["payload_bytes"], 4);
    assert_eq!(first["facts"]["header"]["name"], "LK");
    assert!(first["facts"]["header"]["load_address"].is_null());
    assert_eq!(first["findings"], serde_json::json!([]));
}

#[test]
fn pictures_of_a_logo_are_written_in_the_size_that_was_said() {
    let directory = scratch("png");
    let pixels: Vec<u8> = (0..240u32 * 320)
        .flat_map(|at| ((at % 240) as u16).to_le_bytes())
        .collect();
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&pixels).unwrap();
    let stream = packer.finish().unwrap();
    let mut body = Vec::new();
    for word in [1, 12 + stream.len() as u32, 12] {
        body.extend(u32::to_le_bytes(word));
    }
    body.extend(stream);
    let logo = unilk::mtk::with_header("LOGO", &body).unwrap();
    let logo = write(&directory, "logo.bin", &logo);
    let out = directory.join("out").to_str().unwrap().to_owned();
    let size = || {
        let file = std::fs::File::open(Path::new(&out).join("logo-00.png")).unwrap();
        let reader = png::Decoder::new(std::io::BufReader::new(file)).read_info();
        reader.unwrap().info().size()
    };
    let (code, text, errors) = unilk(&["--png", &out, &logo], b"");
    assert_eq!(code, 0, "{text}{errors}");
    assert_eq!(size(), (240, 320));
    assert_eq!(
        unilk(&["--png", &out, "--size", "320x240", &logo], b"").0,
        0
    );
    assert_eq!(size(), (320, 240));
    let (code, _, errors) = unilk(&["--png", &out, "--size", "480x854", &logo], b"");
    assert_eq!(code, 1);
    assert!(errors.contains("no picture"), "{errors}");
    let other = write(&directory, "lk.bin", &lk());
    let (code, _, errors) = unilk(&["--png", &out, &other], b"");
    assert_eq!(code, 1);
    assert!(errors.contains("holds no boot logo"), "{errors}");
}
