#![allow(clippy::unwrap_used)]

use super::*;
use crate::finding::any_problem;
use crate::layout::{Layout, Partition, Place};
use crate::scatter::from_layout;
use std::fmt::Write as _;

const MOBIWIRE: &str = include_str!("../../../tests/data/mobiwire-s10/MT6572_Android_scatter.txt");

/// The layouts of facts 3.4, in the form that generators write.
fn text_of(layout: &Layout) -> String {
    from_layout(layout, |p| p.download.then(|| format!("{}.img", p.name)))
}

/// An A516's layout with the MBR elsewhere and other sizes.
fn packed(mbr: u64, sizes: &[(&str, u64)]) -> Layout {
    let mut layout = Layout::built_in("a516").unwrap();
    let mut linear = mbr;
    for partition in &mut layout.partitions {
        if let Some((_, size)) = sizes.iter().find(|(name, _)| *name == partition.name) {
            partition.size = *size;
        }
        if !partition.in_user_area {
            partition.size = mbr;
        } else if let Place::Linear(at) = &mut partition.place {
            *at = linear;
            linear += partition.size;
        }
    }
    layout
}

fn findings(text: &str) -> Vec<Finding> {
    lint(&Scatter::parse(text).unwrap())
}

fn codes(text: &str) -> Vec<&'static str> {
    let mut codes: Vec<_> = findings(text).iter().map(|finding| finding.code).collect();
    codes.dedup();
    codes
}

/// Those that are more than notes.
fn doubts(text: &str) -> Vec<String> {
    findings(text)
        .into_iter()
        .filter(|finding| finding.severity > Severity::Note)
        .map(|finding| finding.to_string())
        .collect()
}

/// The text of the only finding with this code.
fn one(text: &str, code: &str) -> String {
    let found: Vec<Finding> = findings(text)
        .into_iter()
        .filter(|f| f.code == code)
        .collect();
    assert_eq!(found.len(), 1, "{code}: {found:?}");
    found[0].to_string()
}

#[test]
fn the_file_of_a_mobiwire_s10_is_clean_but_for_the_physical_column() {
    assert_eq!(doubts(MOBIWIRE), Vec::<String>::new());
    assert_eq!(codes(MOBIWIRE), ["SCATTER-MARKS", "SCATTER-PHYSICAL"]);
    assert!(one(MOBIWIRE, "SCATTER-PHYSICAL").contains("0x80000 of EBR1, line 55"));
    let marks = one(MOBIWIRE, "SCATTER-MARKS");
    assert!(
        marks.contains("PRELOADER, MBR, EBR1, SEC_RO are"),
        "{marks}"
    );
}

#[test]
fn the_layouts_of_an_a516_and_an_iq4407_are_clean() {
    let a516 = text_of(&Layout::built_in("a516").unwrap());
    assert_eq!(codes(&a516), ["SCATTER-MARKS"]);

    let mut fly = packed(
        0xC0_0000,
        &[("ANDROID", 0x3840_0000), ("CACHE", 0x1780_0000)],
    );
    fly.partitions
        .retain(|partition| partition.name != "PRELOAD");
    let preload = 0xC80_0000;
    for partition in &mut fly.partitions {
        if let Place::Linear(at) = &mut partition.place
            && matches!(partition.name.as_str(), "ANDROID" | "CACHE" | "USRDATA")
        {
            *at -= preload;
        }
    }
    let usrdata = fly
        .partitions
        .iter()
        .position(|p| p.name == "USRDATA")
        .unwrap();
    fly.partitions[usrdata].size = 0x6140_0000;
    let fat = Partition {
        name: "FAT".to_owned(),
        place: Place::Linear(0xB534_0000),
        size: 0,
        in_user_area: true,
        has_file_system: true,
        download: false,
    };
    fly.partitions.insert(usrdata + 1, fat);
    assert_eq!(
        fly.find("ANDROID").unwrap().place,
        Place::Linear(0x434_0000)
    );
    assert_eq!(
        fly.find("USRDATA").unwrap().place,
        Place::Linear(0x53F4_0000)
    );
    assert_eq!(doubts(&text_of(&fly)), Vec::<String>::new());
}

#[test]
fn a_wiko_sunset2_marks_identity_for_download() {
    let mut wiko = packed(
        0xC0_0000,
        &[("BOOTIMG", 0x120_0000), ("RECOVERY", 0x120_0000)],
    );
    let marked = [
        "PRO_INFO",
        "NVRAM",
        "PROTECT_F",
        "PROTECT_S",
        "SECCFG",
        "MISC",
        "EXPDB",
    ];
    for partition in &mut wiko.partitions {
        partition.download |= marked.contains(&partition.name.as_str());
    }
    let text = text_of(&wiko);
    let found: Vec<String> = doubts(&text);
    for name in marked {
        let told = found
            .iter()
            .find(|text| text.contains(&format!(": {name} (line ")));
        assert!(told.is_some(), "{name}: {found:?}");
    }
    assert_eq!(found.len(), marked.len(), "{found:?}");
    let nvram = found.iter().find(|text| text.contains("NVRAM")).unwrap();
    assert!(
        nvram.starts_with("problem SCATTER-IDENTITY") && nvram.contains("IMEI"),
        "{nvram}"
    );
}

#[test]
fn an_accu_chek_solo_has_a_stray_entry_and_a_copy_of_linear() {
    let mut solo = packed(0xC0_0000, &[]);
    solo.partitions.last_mut().unwrap().place = Place::Tail { blocks: 0 };
    let mut text = String::new();
    let mut linear = "";
    let made = text_of(&solo);
    for line in made.lines() {
        if let Some(value) = line.strip_prefix("  linear_start_addr: ") {
            linear = value;
        }
        if line.starts_with("  physical_start_addr: ") {
            let _ = write!(text, "  physical_start_addr: {linear}\r\n");
        } else {
            let _ = write!(text, "{line}\r\n");
        }
    }
    text += "- partition_index: SYS20\r\n  partition_name: \r\n";
    assert_eq!(
        codes(&text),
        ["SCATTER-STRAY", "SCATTER-MARKS", "SCATTER-PHYSICAL"]
    );
    assert!(one(&text, "SCATTER-STRAY").contains("without a name"));
}

#[test]
fn an_extra_pmt_partition_moves_uboot_by_4_mib() {
    let mut alcatel = packed(0x100_0000, &[]);
    let pmt = Partition {
        name: "PMT".to_owned(),
        place: Place::Linear(0x110_0000),
        size: 0x40_0000,
        in_user_area: true,
        has_file_system: false,
        download: false,
    };
    for partition in &mut alcatel.partitions[3..] {
        if let Place::Linear(at) = &mut partition.place {
            *at += 0x40_0000;
        }
    }
    alcatel.partitions.insert(3, pmt);
    assert_eq!(doubts(&text_of(&alcatel)), Vec::<String>::new());
    // The same places under another name are another phone's.
    let text = text_of(&alcatel).replace("partition_name: PMT", "partition_name: ODD");
    assert!(one(&text, "SCATTER-UBOOT").contains("begins 0x2120000 behind the MBR"));
}

/// `layout` with a partition behind the one called `name`, and all that follow
/// further up.
fn insert(layout: &mut Layout, name: &str, new: &str, size: u64) {
    let index = layout
        .partitions
        .iter()
        .position(|p| p.name == name)
        .unwrap();
    let before = &layout.partitions[index];
    let Place::Linear(at) = before.place else {
        panic!("{name} has no address");
    };
    let start = at + before.size;
    for partition in &mut layout.partitions[index + 1..] {
        if let Place::Linear(at) = &mut partition.place {
            *at += size;
        }
    }
    let partition = Partition {
        name: new.to_owned(),
        place: Place::Linear(start),
        size,
        in_user_area: true,
        has_file_system: false,
        download: false,
    };
    layout.partitions.insert(index + 1, partition);
}

#[test]
fn a_yaris_and_a_z1_are_clean() {
    let mut yaris = packed(0x100_0000, &[("SEC_RO", 6 << 20)]);
    insert(&mut yaris, "LOGO", "EBR2", 512 << 10);
    insert(&mut yaris, "EXPDB", "CUSTPACK", 627_712 << 10);
    insert(&mut yaris, "CUSTPACK", "MOBILE_INFO", 8 << 20);
    let otp = Partition {
        name: "OTP".to_owned(),
        // 44032 KiB in blocks of 128.
        place: Place::Tail { blocks: 0x158 },
        size: 44_032 << 10,
        in_user_area: true,
        has_file_system: false,
        download: false,
    };
    let end = yaris.partitions.len() - 1;
    yaris.partitions.insert(end, otp);
    assert_eq!(doubts(&text_of(&yaris)), Vec::<String>::new());

    let mut z1 = packed(0xC0_0000, &[("PRELOAD", 0), ("ANDROID", 900 << 20)]);
    z1.partitions
        .retain(|partition| partition.name != "PRELOAD");
    assert_eq!(z1.find("ANDROID").unwrap().place, Place::Linear(0x434_0000));
    assert_eq!(doubts(&text_of(&z1)), Vec::<String>::new());
}

#[test]
fn addresses_that_cannot_be() {
    let changed = |from: &str, to: &str| {
        assert!(MOBIWIRE.contains(from), "{from}");
        MOBIWIRE.replacen(from, to, 1)
    };
    let address = |from: &str, to: &str| {
        changed(
            &format!("linear_start_addr: {from}"),
            &format!("linear_start_addr: {to}"),
        )
    };
    let overlap = address("0x3180000", "0x3170000");
    assert!(
        one(&overlap, "SCATTER-OVERLAP").contains("UBOOT (line"),
        "{overlap}"
    );
    let backwards = address("0x3180000", "0x1180000");
    assert!(codes(&backwards).contains(&"SCATTER-ORDER"));
    let gap = changed("partition_size: 0x60000", "partition_size: 0x40000");
    assert!(codes(&gap).contains(&"SCATTER-GAP"));
    assert!(one(&gap, "SCATTER-UBOOT").contains("0x40000 bytes"));
    let odd = address("0x3180000", "0x3180001");
    assert!(codes(&odd).contains(&"SCATTER-ALIGN"));
    let mbr = changed("partition_size: 0x1400000", "partition_size: 0x1000000");
    assert!(one(&mbr, "SCATTER-MBR").contains("not where PRELOADER ends"));
    let rest = changed("partition_size: 0x600000", "partition_size: 0x0");
    assert!(one(&rest, "SCATTER-REST").contains("BOOTIMG"));
    let none = MOBIWIRE.replace("partition_name: MBR", "partition_name: XBR");
    assert!(codes(&none).contains(&"SCATTER-MBR"));
    let none = MOBIWIRE.replace("partition_name: UBOOT", "partition_name: XBOOT");
    assert!(codes(&none).contains(&"SCATTER-UBOOT"));
    let tail = changed("partition_size: 0x1500000", "partition_size: 0x1400000");
    assert!(one(&tail, "SCATTER-TAIL").contains("0x1500000 bytes"));
    let huge = changed(
        "partition_size: 0x9AFE0000",
        "partition_size: 0xFFFFFFFFFFFFFE00",
    );
    assert!(any_problem(&findings(&huge)));
}

#[test]
fn what_belongs_to_other_phones_or_chips() {
    let changed = |from: &str, to: &str| MOBIWIRE.replacen(from, to, 1);
    let cases = [
        ("platform: MT6572", "platform: MT6582", "SCATTER-PLATFORM"),
        ("storage: EMMC", "storage: NAND", "SCATTER-STORAGE"),
        ("HW_STORAGE_EMMC", "HW_STORAGE_NAND", "SCATTER-STORAGE"),
        (
            "boot_channel: MSDC_0",
            "boot_channel: NONE",
            "SCATTER-STORAGE",
        ),
        (
            "config_version: V1.1.1",
            "config_version: V1.1.2",
            "SCATTER-VERSION",
        ),
        (
            "block_size: 0x20000",
            "block_size: 0x40000",
            "SCATTER-BLOCK",
        ),
        ("block_size: 0x20000", "block_size: no", "SCATTER-BLOCK"),
        (
            "  reserve: 0x00",
            "  d_type: FALSE\n  reserve: 0x00",
            "SCATTER-LATER",
        ),
        (
            "  reserve: 0x00",
            "  colour: red\n  reserve: 0x00",
            "SCATTER-KEY",
        ),
        (
            "  reserve: 0x00",
            "  type: NONE\n  reserve: 0x00",
            "SCATTER-TWICE",
        ),
        (
            "partition_name: MISC",
            "partition_name: LOGO",
            "SCATTER-TWICE",
        ),
        ("  reserve: 0x00", "  reserve 0x00", "SCATTER-LINE"),
        ("is_download: false", "is_download: no", "SCATTER-FLAG"),
        ("type: NORMAL_ROM", "type: ABNORMAL", "SCATTER-TYPE"),
        ("region: EMMC_BOOT_1", "region: EMMC_USER", "SCATTER-REGION"),
        ("region: EMMC_USER", "region: EMMC_BOOT_1", "SCATTER-REGION"),
        ("type: SV5_BL_BIN", "type: NORMAL_ROM", "SCATTER-REGION"),
        ("type: NORMAL_ROM", "type: SV5_BL_BIN", "SCATTER-REGION"),
        ("BINREGION", "UPDATE", "SCATTER-OPERATION"),
        ("BOOTLOADERS", "BOOTLOADER", "SCATTER-OPERATION"),
        ("is_reserved: true", "is_reserved: false", "SCATTER-TAIL"),
        (
            "linear_start_addr: 0x3120000",
            "linear_start_addr: here",
            "SCATTER-NUMBER",
        ),
    ];
    for (from, to, code) in cases {
        let text = changed(from, to);
        assert_ne!(text, MOBIWIRE, "{from}");
        assert!(codes(&text).contains(&code), "{to}: {:?}", codes(&text));
    }
}

#[test]
fn the_old_grammar_is_judged_by_its_addresses() {
    let text = "PRELOADER 0x0\n{\n}\nMBR 0x600000\n{\n}\nNVRAM 0xA00000\n{\n}\n\
                UBOOT 0x2320000\n{\n}\nBOOTIMG 0x2380000\n{\n}\n__NODL_BMTPOOL 0xFFFF00A8\n{\n}\n";
    assert_eq!(codes(text), ["SCATTER-IDENTITY", "SCATTER-MARKS"]);
    let moved = text.replace("0x2380000", "0x2360000");
    assert!(one(&moved, "SCATTER-UBOOT").contains("0x40000 bytes"));
    assert!(codes(&text.replace("0x2380000", "0x1000")).contains(&"SCATTER-ORDER"));
}

#[test]
fn file_names_stay_in_the_folder_and_files_fit() {
    let look = |file: &str| match file {
        "lk.bin" => Some(0x6_0001),
        "boot.img" => None,
        _ => Some(1),
    };
    let check = |text: &str| files(&Scatter::parse(text).unwrap(), Some(&look));
    let found = check(MOBIWIRE);
    let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{texts:?}");
    assert!(texts[0].contains("lk.bin has 0x60001 bytes"), "{texts:?}");
    assert!(
        texts[1].contains("boot.img is not in the folder"),
        "{texts:?}"
    );
    for name in ["../lk.bin", "C:\\lk.bin", "/etc/passwd", "a/b", ".."] {
        let text = MOBIWIRE.replace("file_name: lk.bin", &format!("file_name: {name}"));
        assert_eq!(check(&text)[0].code, "SCATTER-PATH", "{name}");
    }
    let none = MOBIWIRE.replace("file_name: lk.bin", "file_name: NONE");
    assert!(check(&none)[0].text.contains("no file is named"));
}

#[test]
fn any_text_returns() {
    let mut seed = 7u64;
    for _ in 0..3000 {
        let mut bytes = MOBIWIRE.as_bytes().to_vec();
        for _ in 0..5 {
            seed = seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            let at = (seed >> 33) as usize % bytes.len();
            match seed >> 62 {
                0 => bytes.truncate(at.max(100)),
                1 => {
                    bytes.remove(at);
                }
                _ => bytes[at] = b"0Ff:\n -x9{}_"[(seed >> 20) as usize % 12],
            }
        }
        let Ok(scatter) = Scatter::parse(&String::from_utf8_lossy(&bytes)) else {
            continue;
        };
        assert_eq!(
            scatter.to_text().as_bytes(),
            String::from_utf8_lossy(&bytes).as_bytes()
        );
        let _ = lint(&scatter);
        let _ = files(&scatter, Some(&|_| Some(u64::MAX)));
        let _ = scatter.layout();
    }
}
