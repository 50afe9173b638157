#![allow(clippy::unwrap_used)]

use super::*;
use crate::bootimg::BootImage;
use crate::mtk;
use crate::scatter::lint::in_the_way;

const MOBIWIRE: &str = include_str!("../../../tests/data/mobiwire-s10/MT6572_Android_scatter.txt");

fn lk() -> Vec<u8> {
    let mut payload = vec![0x07, 0, 0, 0xEA];
    payload.resize(3000, 0x5A);
    mtk::with_header("LK", &payload).unwrap()
}

fn boot() -> Vec<u8> {
    let image = BootImage {
        kernel: vec![1; 5000],
        ramdisk: vec![2; 3000],
        ..BootImage::default()
    };
    image.build().unwrap()
}

fn planned(text: &str, images: &[(&str, &[u8])]) -> Result<Plan, Error> {
    let images: Vec<(&str, Vec<u8>)> = images
        .iter()
        .map(|(name, bytes)| (*name, bytes.to_vec()))
        .collect();
    let images: Vec<Image<'_>> = images
        .iter()
        .map(|(partition, bytes)| Image { partition, bytes })
        .collect();
    plan(&Scatter::parse(text).unwrap(), &images)
}

fn refused(text: &str, images: &[(&str, &[u8])]) -> String {
    let why = planned(text, images).unwrap_err();
    assert!(why.is_refusal(), "{why}");
    why.to_string()
}

#[test]
fn nothing_is_marked_but_what_was_asked_for() {
    let plan = planned(MOBIWIRE, &[("lk", &lk()), ("boot", &boot())]).unwrap();
    let made = Scatter::parse(&plan.scatter).unwrap();
    let marked: Vec<(&str, Option<&str>)> = made
        .entries
        .iter()
        .filter(|entry| entry.download)
        .map(|entry| (entry.name.as_str(), entry.file()))
        .collect();
    assert_eq!(
        marked,
        [("UBOOT", Some("lk.bin")), ("BOOTIMG", Some("boot.img"))]
    );
    for entry in made.entries.iter().filter(|entry| !entry.download) {
        assert_eq!(entry.value("file_name"), Some("NONE"), "{}", entry.name);
    }
    // Addresses are as they were.
    let (before, after) = (
        crate::scatter::parse(MOBIWIRE).unwrap(),
        made.layout().unwrap(),
    );
    for (before, after) in before.partitions.iter().zip(&after.partitions) {
        assert_eq!((before.place, before.size), (after.place, after.size));
    }
    assert_eq!(
        (plan.planned[0].linear, plan.planned[0].logical),
        (0x312_0000, 0x1D2_0000)
    );
    assert!(plan.findings.is_empty());
}

#[test]
fn the_old_grammar_gets_its_prefix() {
    let text = "PRELOADER 0x0\r\n{\r\n}\r\nMBR 0x600000\r\n{\r\n}\r\nNVRAM 0xA00000\r\n{\r\n}\r\n\
                __NODL_UBOOT 0x2320000\r\n{\r\n}\r\nBOOTIMG 0x2380000\r\n{\r\n}\r\n\
                RECOVERY 0x2980000\r\n{\r\n}\r\n";
    let plan = planned(text, &[("UBOOT", &lk())]).unwrap();
    assert_eq!(
        plan.scatter,
        "__NODL_PRELOADER 0x0\r\n{\r\n}\r\n__NODL_MBR 0x600000\r\n{\r\n}\r\n\
         __NODL_NVRAM 0xA00000\r\n{\r\n}\r\nUBOOT 0x2320000\r\n{\r\n}\r\n\
         __NODL_BOOTIMG 0x2380000\r\n{\r\n}\r\n__NODL_RECOVERY 0x2980000\r\n{\r\n}\r\n"
    );
}

#[test]
fn partitions_that_are_never_written_are_refused_whatever_they_are_called() {
    for name in [
        "PRELOADER",
        "preloader",
        "loader",
        "DSP_BL",
        "MBR",
        "EBR1",
        "ebr2",
        "PMT",
        "BMTPOOL",
        "PRO_INFO",
        "nvram",
        "PROTECT_F",
        "protect_s",
        "SECCFG",
        "secure",
        "SEC_RO",
        "secstatic",
        "OTP",
    ] {
        let why = refused(MOBIWIRE, &[("UBOOT", &lk()), (name, &lk())]);
        assert!(why.contains("never written"), "{name}: {why}");
    }
    // Nor under another name in a file that was edited.
    let text = MOBIWIRE.replace("partition_name: MISC", "partition_name: SECURE");
    assert!(refused(&text, &[("SECCFG", &[1])]).contains("never written"));
    let text = MOBIWIRE.replacen("region: EMMC_USER", "region: EMMC_BOOT_1", 20);
    assert!(refused(&text, &[("UBOOT", &lk())]).contains("boot area"));
}

#[test]
fn tricks_of_a_hostile_file_are_seen_through() {
    // A name that another reader takes for NVRAM.
    for name in ["\"NVRAM\"", "NVRAM # x", "'NVRAM'"] {
        let text = MOBIWIRE.replace("partition_name: NVRAM", &format!("partition_name: {name}"));
        refused(&text, &[(name, &[1; 9])]);
        assert!(planned(&text, &[("UBOOT", &lk())]).is_ok(), "{name}");
    }
    // Identity under an innocent name, at its own place.
    let text = MOBIWIRE.replace("partition_name: NVRAM", "partition_name: CUSTOM");
    assert!(refused(&text, &[("CUSTOM", &[1; 9])]).contains("in front of UBOOT"));
    // A flag that is given twice, or in another spelling.
    let twice = "  is_download: true\n  is_download: false\n  boundary_check";
    let text = MOBIWIRE.replace("  boundary_check", twice);
    let plan = planned(&text, &[("UBOOT", &lk())]);
    assert!(plan.is_err_and(|why| why.is_refusal()));
    let text = MOBIWIRE.replacen("  is_download: false\n", twice, 1);
    let text = text.replacen("  boundary_check  type", "  type", 1);
    let plan = planned(&text, &[("UBOOT", &lk())]).unwrap();
    assert_eq!(plan.scatter.matches("is_download: true").count(), 1);
    for odd in [
        "\"is_download\": true",
        "{is_download: true}",
        "is_download= true",
    ] {
        let text = MOBIWIRE.replacen("is_download: false", odd, 1);
        refused(&text, &[("UBOOT", &lk())]);
    }
    // A region that another reader takes for the preloader's.
    let text = MOBIWIRE.replace("region: EMMC_USER", "region: \"EMMC_BOOT_1\"");
    assert!(refused(&text, &[("UBOOT", &lk())]).contains("boot area"));
    let text = MOBIWIRE.replace("type: NORMAL_ROM", "type: SV5_BL_BIN");
    assert!(refused(&text, &[("UBOOT", &lk())]).contains("SCATTER-REGION"));
}

#[test]
fn images_that_would_not_start_are_refused() {
    let with = |at: usize, byte: u8| {
        let mut bad = lk();
        bad[at] = byte;
        bad
    };
    let cases: [(&str, Vec<u8>, &str); 14] = [
        ("UBOOT", b"MMM\x01\x38\0\0\0".to_vec(), "a preloader"),
        ("LOGO", b"EMMC_BOOT\0\0\0".to_vec(), "a preloader"),
        ("UBOOT", boot(), "an Android boot image"),
        ("UBOOT", b"SSSS    ".to_vec(), "secure-boot"),
        ("UBOOT", vec![0x5A; 100], "unknown data"),
        ("UBOOT", with(6, 0x10), "possible are 1 to"),
        ("UBOOT", lk()[..2000].to_vec(), "cut off"),
        (
            "UBOOT",
            mtk::with_header("LOGO", &[1; 9]).unwrap(),
            "named LOGO",
        ),
        (
            "UBOOT",
            mtk::with_header("LK", &boot()).unwrap(),
            "behind its header",
        ),
        ("BOOTIMG", lk(), "expected an Android boot image"),
        ("RECOVERY", boot()[..3000].to_vec(), "cut off"),
        ("LOGO", lk(), "loaders want LOGO"),
        ("MISC", lk(), "does not belong there"),
        ("CACHE", Vec::new(), "empty"),
    ];
    for (name, image, expected) in cases {
        let why = refused(MOBIWIRE, &[(name, &image)]);
        assert!(why.contains(expected), "{name}: {why}");
    }
    let mut big = lk();
    big.resize(0x6_0001, 0);
    assert!(refused(MOBIWIRE, &[("UBOOT", &big)]).contains("write over what follows"));
    let sparse = {
        let mut file = 0xED26_FF3Au32.to_le_bytes().to_vec();
        file.extend([
            1, 0, 0, 0, 28, 0, 12, 0, 0, 16, 0, 0, 0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        ]);
        file.extend([0xC3, 0xCA, 0, 0, 0, 0, 16, 0, 12, 0, 0, 0]);
        file
    };
    // 4 GiB in 40 bytes.
    assert!(refused(MOBIWIRE, &[("CACHE", &sparse)]).contains("0x100000000 bytes"));
    let odd = planned(
        MOBIWIRE,
        &[("UBOOT", &mtk::with_header("LK", &[1; 64]).unwrap())],
    );
    assert_eq!(odd.unwrap().findings[0].code, "PLAN-CODE");
}

#[test]
fn addresses_in_doubt_are_refused_only_where_they_matter() {
    let uboot = MOBIWIRE.replace(
        "linear_start_addr: 0x3120000",
        "linear_start_addr: 0x3110000",
    );
    let why = refused(&uboot, &[("UBOOT", &lk())]);
    assert!(
        why.contains("SCATTER-UBOOT") && why.contains("mtk printgpt"),
        "{why}"
    );
    let elsewhere = MOBIWIRE.replace("partition_size: 0x9AFE0000", "partition_size: 0x9AFE0001");
    let scatter = Scatter::parse(&elsewhere).unwrap();
    assert!(!in_the_way(&scatter, &["USRDATA".to_owned()]).is_empty());
    assert!(planned(&elsewhere, &[("UBOOT", &lk())]).is_ok());
    let other = MOBIWIRE.replace("platform: MT6572", "platform: MT6582");
    assert!(refused(&other, &[("UBOOT", &lk())]).contains("another chip"));
}

#[test]
fn unknown_and_twice_are_mistakes_not_refusals() {
    let why = planned(MOBIWIRE, &[("NOSUCH", &lk())]).unwrap_err();
    assert!(matches!(why, Error::Unknown(_)) && !why.is_refusal());
    let why = planned(MOBIWIRE, &[("UBOOT", &lk()), ("lk", &lk())]).unwrap_err();
    assert!(matches!(why, Error::Twice(_)));
    let why = refused(MOBIWIRE, &[("BMTPOOL", &[1])]);
    assert!(why.contains("never written"));
}

#[test]
fn an_old_file_names_no_images() {
    let text = "PRELOADER 0x0\n{\n}\nMBR 0x600000\n{\n}\nUBOOT 0x2320000\n{\n}\n\
                BOOTIMG 0x2380000\n{\n}\n";
    let plan = planned(text, &[("UBOOT", &lk())]).unwrap();
    let text = instructions(&plan, "s.txt", Phone::default());
    assert!(
        text.contains("click the line UBOOT and choose lk.bin"),
        "{text}"
    );
}

#[test]
fn no_file_however_spoilt_gets_anything_else_marked() {
    let mut seed = 3u64;
    let mut plans = 0;
    for _ in 0..1500 {
        let mut bytes = MOBIWIRE.as_bytes().to_vec();
        for _ in 0..3 {
            seed = seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            let at = (seed >> 33) as usize % bytes.len();
            bytes[at] = b"0Ff:\n -x9{}_"[(seed >> 20) as usize % 12];
        }
        let Ok(scatter) = Scatter::parse(std::str::from_utf8(&bytes).unwrap()) else {
            continue;
        };
        let lk = lk();
        let image = Image {
            partition: "UBOOT",
            bytes: &lk,
        };
        let Ok(plan) = plan(&scatter, &[image]) else {
            continue;
        };
        plans += 1;
        let made = Scatter::parse(&plan.scatter).unwrap();
        let marked = made.entries.iter().filter(|entry| entry.download);
        let marked: Vec<&str> = marked.map(|entry| entry.name.as_str()).collect();
        assert_eq!(marked, ["UBOOT"]);
    }
    assert!(plans > 100, "{plans}");
}

#[test]
fn the_instructions_have_the_phones_addresses() {
    let plan = planned(MOBIWIRE, &[("UBOOT", &lk())]).unwrap();
    let text = instructions(&plan, "s.txt", Phone::default());
    for expected in [
        "Load s.txt",
        "Download Only",
        "Ticked must be UBOOT, and nothing else",
        "mtk ro 0x1d20000 0x200 before.bin",
        "mtk w uboot lk.bin",
        "mtk ro 0x1d20000 0xe00 uboot.read",
        "cmp -n 3512 lk.bin uboot.read",
        "as on most phones",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let known = Phone {
        hardware_bytes: Some(0x28_0000),
    };
    let text = instructions(&plan, "s.txt", known);
    assert!(text.contains("mtk ro 0x2ea0000 0x200 before.bin"), "{text}");
    assert!(!text.contains("as on most phones"));
}
