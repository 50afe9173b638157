//! The live NVRAM files: IMEI, WiFi and Bluetooth address, calibration.
//!
//! Source: facts/storage-and-images.md 4.7.

use super::blank::is_constant;
use super::files::NvramFiles;
use super::{Evidence, Item, Show, Verdict};

const WIFI: &str = "APCFG/APRDEB/WIFI";
/// With and without the two bytes of check value that the files of a real phone
/// have at their end (a Mobiwire S10).
const WIFI_BYTES: [usize; 2] = [512, 514];
const WIFI_MAC: std::ops::Range<usize> = 4..10;
/// What the driver puts in front of an address that it makes up, anew at every
/// start.
const WIFI_MADE_UP: [u8; 3] = [0x00, 0x08, 0x22];

const BLUETOOTH: &str = "APCFG/APRDEB/BT_Addr";
const BLUETOOTH_DEFAULT: [u8; 6] = [0x00, 0x00, 0x46, 0x65, 0x72, 0x01];

const IMEI: &str = "md/NVRAM/NVD_IMEI/MP0B_001";
const CALIBRATION: [&str; 2] = ["md/NVRAM/CALIBRAT/", "md/NVRAM/NVD_DATA/"];

const NAMES: [&str; 4] = [
    "IMEI",
    "WiFi address",
    "Bluetooth address",
    "radio calibration",
];

pub(super) fn items(evidence: &Evidence<'_>) -> Vec<Item> {
    match evidence.files {
        Err(ref why) => NAMES
            .into_iter()
            .map(|name| Item::new(name, Verdict::NotLookedAt, why.clone()))
            .collect(),
        Ok(files) => vec![
            imei(files),
            wifi(files, evidence.show),
            bluetooth(files, evidence.show),
            calibration(files),
        ],
    }
}

fn missing(name: &'static str, path: &str) -> Item {
    let text = format!("/data/nvram/{path} is not there");
    Item::new(name, Verdict::Blank, text)
}

/// The coding of the records is not known: they are there or they are not.
fn imei(files: &NvramFiles) -> Item {
    let name = NAMES[0];
    let Some(content) = files.get(IMEI) else {
        return missing(name, IMEI);
    };
    if is_constant(content) {
        let text = format!("{IMEI} holds nothing ({} equal bytes)", content.len());
        return Item::new(name, Verdict::Blank, text);
    }
    let text = format!(
        "MP0B_001 has {} bytes that are not blank; their coding is not known, *#06# on the phone \
         shows the number",
        content.len()
    );
    Item::new(name, Verdict::Present, text)
}

fn wifi(files: &NvramFiles, show: Show) -> Item {
    let name = NAMES[1];
    let Some(content) = files.get(WIFI) else {
        return missing(name, WIFI);
    };
    let Some(mac) = content.get(WIFI_MAC) else {
        return wrong_size(name, content);
    };
    if mac.starts_with(&WIFI_MADE_UP) {
        let text = format!(
            "{}: 00:08:22 is what the driver makes up when NVRAM was lost",
            address(mac, Show::Full)
        );
        return Item::new(name, Verdict::Default, text);
    }
    let item = device_address(name, mac, show);
    if item.verdict == Verdict::Present && !WIFI_BYTES.contains(&content.len()) {
        return wrong_size(name, content);
    }
    item
}

fn wrong_size(name: &'static str, content: &[u8]) -> Item {
    let [bytes, _] = WIFI_BYTES;
    let text = format!("{WIFI} has {} bytes, not {bytes}", content.len());
    Item::new(name, Verdict::Damaged, text)
}

fn bluetooth(files: &NvramFiles, show: Show) -> Item {
    let name = NAMES[2];
    let Some(content) = files.get(BLUETOOTH) else {
        return missing(name, BLUETOOTH);
    };
    let Some(mac) = content.get(..6) else {
        let text = format!("{BLUETOOTH} has only {} bytes", content.len());
        return Item::new(name, Verdict::Damaged, text);
    };
    if mac == BLUETOOTH_DEFAULT {
        // Some factories never set it: alone it does not mean a loss.
        let text = format!("{} was never set", address(mac, Show::Full));
        return Item::new(name, Verdict::Default, text).optional();
    }
    device_address(name, mac, show)
}

/// An address that no single device can have is none.
fn device_address(name: &'static str, mac: &[u8], show: Show) -> Item {
    let text = address(mac, show);
    if is_constant(mac) && matches!(mac[0], 0 | 0xFF) {
        Item::new(name, Verdict::Blank, text)
    } else if mac[0] & 1 != 0 {
        let text = format!("{text} is a group's address, which no device can have");
        Item::new(name, Verdict::Blank, text)
    } else {
        Item::new(name, Verdict::Present, text)
    }
}

/// The maker's half, and of the device's half the last byte.
fn address(mac: &[u8], show: Show) -> String {
    let shown = |(index, byte): (usize, &u8)| match show {
        Show::Masked if matches!(index, 3 | 4) && !is_constant(mac) => "**".to_owned(),
        _ => format!("{byte:02x}"),
    };
    let bytes: Vec<String> = mac.iter().enumerate().map(shown).collect();
    bytes.join(":")
}

fn calibration(files: &NvramFiles) -> Item {
    let name = NAMES[3];
    let mut count = 0;
    let mut live = 0;
    for (path, content) in files.iter() {
        if CALIBRATION.iter().any(|start| path.starts_with(start)) {
            count += 1;
            live += usize::from(!is_constant(content));
        }
    }
    let text = match (count, live) {
        (0, _) => "no file in md/NVRAM/CALIBRAT or NVD_DATA".to_owned(),
        _ => format!("{live} of {count} files in md/NVRAM/CALIBRAT and NVD_DATA hold something"),
    };
    let verdict = if live > 0 {
        Verdict::Present
    } else {
        Verdict::Blank
    };
    Item::new(name, verdict, text)
}
