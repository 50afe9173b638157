#![allow(clippy::unwrap_used)]

use super::*;

fn files() -> NvramFiles {
    let mut files = NvramFiles::default();
    let mut wifi = vec![0; 512];
    wifi[..10].copy_from_slice(&[0x03, 1, 0, 0, 0x00, 0x0A, 0xF5, 0x12, 0x34, 0x56]);
    files.add("nvram/APCFG/APRDEB/WIFI", wifi);
    files.add(
        "nvram/APCFG/APRDEB/BT_Addr",
        vec![0x00, 0x0A, 0xF5, 0x65, 0x43, 0x21, 0x60, 0],
    );
    files.add("nvram/md/NVRAM/NVD_IMEI/MP0B_001", (0..36).collect());
    files.add("nvram/md/NVRAM/CALIBRAT/ULAA_000", (0..99).collect());
    files
}

fn protect() -> Vec<u8> {
    let mut part = vec![0; 10 << 20];
    part[0x404..0x408].copy_from_slice(&10240u32.to_le_bytes());
    part[0x420..0x424].copy_from_slice(&8192u32.to_le_bytes());
    part[0x438..0x43B].copy_from_slice(&[0x53, 0xEF, 1]);
    part
}

fn seccfg(state: u32) -> Vec<u8> {
    let mut part = vec![0; 0x2_0000];
    part[..12].copy_from_slice(b"AND_SECCFG_v");
    part[0x10..0x14].fill(0x4D);
    part[0x20..0x24].copy_from_slice(&state.to_le_bytes());
    part
}

/// The partitions of a phone that has everything.
fn partition(name: &str) -> Option<Vec<u8>> {
    Some(match name {
        "NVRAM" => (0..1 << 20).map(|i: u32| (i ^ i >> 7) as u8).collect(),
        "PRO_INFO" => {
            let mut part = vec![0; 3 << 20];
            part[0x100..0x111].copy_from_slice(b"\x00490154203237518\x00");
            // One whose check digit is wrong, and digits of something longer.
            part[0x200..0x20F].copy_from_slice(b"490154203237519");
            part[0x300..0x311].copy_from_slice(b"49015420323751849");
            part
        }
        "PROTECT_F" | "PROTECT_S" => protect(),
        "SECCFG" => seccfg(0x0100_0000),
        _ => return None,
    })
}

fn look(
    files: Result<&NvramFiles, String>,
    change: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>,
) -> Status {
    let partition = |name: &str| -> Option<Arc<dyn Source>> {
        let bytes = change(name, partition(name)?)?;
        Some(Arc::new(bytes))
    };
    status(&Evidence {
        partition: &partition,
        files,
        show: Show::Masked,
    })
}

fn verdict(status: &Status, name: &str) -> Verdict {
    status
        .items
        .iter()
        .find(|i| i.name == name)
        .unwrap()
        .verdict
}

#[test]
fn a_phone_that_has_everything() {
    let status = look(Ok(&files()), |_, bytes| Some(bytes));
    for item in &status.items {
        assert_eq!(item.verdict, Verdict::Present, "{item:?}");
    }
    assert_eq!(status.findings, []);
    assert_eq!(status.summary, "everything looks present");
}

#[test]
fn nothing_personal_is_shown_in_full() {
    let everything = look(Ok(&files()), |_, bytes| Some(bytes));
    let text = format!("{everything:?}");
    assert!(text.contains("4901********518"), "{text}");
    assert!(!text.contains("490154203237518"), "{text}");
    assert!(text.contains("00:0a:f5:**:**:56"), "{text}");
    let files = files();
    let status = status(&Evidence {
        partition: &|name| Some(Arc::new(partition(name)?)),
        files: Ok(&files),
        show: Show::Full,
    });
    let text = format!("{status:?}");
    assert!(text.contains("490154203237518"), "{text}");
    assert!(text.contains("00:0a:f5:12:34:56"), "{text}");
    // Neither what has a wrong check digit nor a piece of a longer number.
    assert_eq!(text.matches("4901542032375").count(), 1, "{text}");
}

#[test]
fn addresses_that_are_none() {
    for (mac, expected) in [
        ([0x00, 0x08, 0x22, 1, 2, 3], Verdict::Default),
        ([0; 6], Verdict::Blank),
        ([0xFF; 6], Verdict::Blank),
        ([0x01, 0, 0x5E, 1, 2, 3], Verdict::Blank),
        ([0x00, 0x08, 0x23, 1, 2, 3], Verdict::Present),
    ] {
        let mut files = files();
        let mut wifi = vec![0; 512];
        wifi[4..10].copy_from_slice(&mac);
        files.add("APCFG/APRDEB/WIFI", wifi);
        let status = look(Ok(&files), |_, bytes| Some(bytes));
        assert_eq!(verdict(&status, "WiFi address"), expected, "{mac:x?}");
    }
    for (mac, expected) in [
        ([0x00, 0x00, 0x46, 0x65, 0x72, 0x01], Verdict::Default),
        ([0; 6], Verdict::Blank),
        ([0x00, 0x00, 0x46, 0x65, 0x72, 0x02], Verdict::Present),
    ] {
        let mut files = files();
        files.add("APCFG/APRDEB/BT_Addr", mac.to_vec());
        let status = look(Ok(&files), |_, bytes| Some(bytes));
        assert_eq!(verdict(&status, "Bluetooth address"), expected, "{mac:x?}");
    }
}

#[test]
fn files_that_are_short_blank_or_missing() {
    let mut files = files();
    files.add("APCFG/APRDEB/WIFI", vec![1; 9]);
    files.add("APCFG/APRDEB/BT_Addr", vec![1; 5]);
    files.add("md/NVRAM/NVD_IMEI/MP0B_001", vec![0xFF; 36]);
    files.add("md/NVRAM/CALIBRAT/ULAA_000", vec![0; 99]);
    let status = look(Ok(&files), |_, bytes| Some(bytes));
    assert_eq!(verdict(&status, "WiFi address"), Verdict::Damaged);
    assert_eq!(verdict(&status, "Bluetooth address"), Verdict::Damaged);
    assert_eq!(verdict(&status, "IMEI"), Verdict::Blank);
    assert_eq!(verdict(&status, "radio calibration"), Verdict::Blank);
    assert!(crate::finding::any_problem(&status.findings));
    let status = look(Ok(&NvramFiles::default()), |_, bytes| Some(bytes));
    assert_eq!(verdict(&status, "IMEI"), Verdict::Blank);
}

#[test]
fn what_was_not_seen_is_not_judged() {
    let status = look(Err("no USRDATA".to_owned()), |_, bytes| Some(bytes));
    assert_eq!(verdict(&status, "IMEI"), Verdict::NotLookedAt);
    assert!(
        status.summary.contains("not seen: IMEI"),
        "{}",
        status.summary
    );
    assert_eq!(status.findings, []);
    let status = look(Err(String::new()), |_, _| None);
    assert!(status.summary.starts_with("nothing was seen"));
}

#[test]
fn partitions_that_are_blank_or_damaged() {
    let blank = look(Ok(&files()), |_, bytes| Some(vec![0xFF; bytes.len()]));
    for name in ["NVRAM", "PRO_INFO", "PROTECT_F", "SECCFG"] {
        assert_eq!(verdict(&blank, name), Verdict::Blank, "{name}");
    }
    assert!(blank.summary.contains("NVRAM, PROTECT_F, PROTECT_S"));
    assert!(!blank.summary.contains("PRO_INFO"), "some never had one");
    let damaged = look(Ok(&files()), |name, mut bytes| {
        if name.starts_with("PROTECT") {
            bytes[0x438] = 0;
            bytes[0x3A + 0x400] = 1;
        }
        Some(bytes)
    });
    assert_eq!(verdict(&damaged, "PROTECT_F"), Verdict::Damaged);
    let cut = look(Ok(&files()), |_, bytes| Some(bytes[..1 << 17].to_vec()));
    assert_eq!(verdict(&cut, "PROTECT_S"), Verdict::Damaged);
}

#[test]
fn lock_states() {
    for (state, text) in [
        (0x0100_0000, "locked"),
        (0x07F2_0000, "unlocked"),
        (5, "lock state not told by this version"),
    ] {
        let status = look(Ok(&files()), |name, bytes| {
            Some(if name == "SECCFG" {
                seccfg(state)
            } else {
                bytes
            })
        });
        let item = status.items.iter().find(|i| i.name == "SECCFG").unwrap();
        assert_eq!(item.detail, text);
    }
}

#[test]
fn a_wifi_file_has_its_check_value_at_the_end_or_none() {
    for (length, verdict) in [
        (512, Verdict::Present),
        (514, Verdict::Present),
        (300, Verdict::Damaged),
    ] {
        let mut files = files();
        let mut wifi = vec![0; length];
        wifi[4..10].copy_from_slice(&[0x00, 0x0A, 0xF5, 0x12, 0x34, 0x56]);
        files.add("APCFG/APRDEB/WIFI", wifi);
        let status = look(Ok(&files), |_, _| None);
        let item = status.items.iter().find(|item| item.name == "WiFi address");
        assert_eq!(item.unwrap().verdict, verdict, "{length} bytes");
    }
}

#[test]
fn whatever_it_is_given_it_answers() {
    for length in [0, 1, 63, 64, 512, 1023, 1024, 2047, 2048, 2049] {
        for fill in [0u8, 0xFF, 0x30] {
            let short = look(Ok(&files()), |_, _| Some(vec![fill; length]));
            assert_eq!(short.items.len(), 9);
        }
    }
}
