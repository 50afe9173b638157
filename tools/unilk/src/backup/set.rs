//! What belongs into a backup, what each part holds, and what has to be said
//! before it may be written back.
//!
//! Source: facts/storage-and-images.md 3.6, 4.6, 11.5.

use crate::finding::Severity;
use crate::storage::{Area, TAIL};
use unilk_core::partition::{canonical, protected};

/// A part that every backup should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Name as in scatter files.
    pub name: &'static str,
    /// How bad it is if the dump does not have it.
    pub if_missing: Severity,
}

const fn kept(name: &'static str, if_missing: Severity) -> Kept {
    Kept { name, if_missing }
}

/// What makes a phone this phone, and what it starts from; those that nobody
/// can make again first.
pub const KEPT: [Kept; 19] = [
    kept("NVRAM", Severity::Problem),
    kept("PRO_INFO", Severity::Problem),
    kept("PROTECT_F", Severity::Problem),
    kept("PROTECT_S", Severity::Problem),
    kept("SECCFG", Severity::Problem),
    kept("SEC_RO", Severity::Problem),
    kept("MBR", Severity::Problem),
    kept("EBR1", Severity::Problem),
    kept("EBR2", Severity::Note),
    kept("PMT", Severity::Note),
    kept("UBOOT", Severity::Problem),
    kept("BOOTIMG", Severity::Problem),
    kept("RECOVERY", Severity::Problem),
    kept("MISC", Severity::Warning),
    kept("LOGO", Severity::Warning),
    kept("OTP", Severity::Note),
    kept(TAIL, Severity::Warning),
    kept("PRELOADER", Severity::Warning),
    kept("BOOT2", Severity::Note),
];

/// What has to be said before a part is written back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// Its name.
    Named,
    /// `--identity`, on the same phone.
    Identity,
    /// `--tables`, on the same phone.
    Tables,
    /// Nothing: it is kept to be looked at, and is never written.
    Never,
}

impl Guard {
    /// Of the part called `name` in `area`. What lies outside the user area, and
    /// what is protected and not known by name here, is never written.
    pub fn of(name: &str, area: Area) -> Self {
        let name = canonical(name);
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if area != Area::User || ["BOOT1", "BOOT2", "RPMB"].into_iter().any(is) {
            return Self::Never;
        }
        if is(TAIL) {
            return Self::Tables;
        }
        if protected(name).is_none() {
            return Self::Named;
        }
        let stem = name.get(..3).unwrap_or_default();
        if is("MBR") || is("PMT") || stem.eq_ignore_ascii_case("EBR") {
            Self::Tables
        } else if [
            "NVRAM",
            "PRO_INFO",
            "PROTECT_F",
            "PROTECT_S",
            "SECCFG",
            "SEC_RO",
            "OTP",
        ]
        .into_iter()
        .any(is)
        {
            Self::Identity
        } else {
            Self::Never
        }
    }
}

/// What the part called `name` holds, in words.
pub fn holds(name: &str) -> &'static str {
    let name = canonical(name).to_ascii_uppercase();
    match name.as_str() {
        "NVRAM" => "IMEI, radio calibration, WiFi and Bluetooth address",
        "PRO_INFO" => "serial number and factory records",
        "PROTECT_F" | "PROTECT_S" => "the modem's protected files (SIM lock)",
        "SECCFG" => "lock state",
        "SEC_RO" => "signed security settings; holds keys, do not publish",
        "OTP" => "emulated one-time area",
        "MBR" | "EBR1" | "EBR2" => "partition table of the kernel",
        "PMT" => "partition table of the loaders",
        TAIL => "last 2 MiB of the user area: PMT and the flash tool's record",
        "BMTPOOL" => "reserve at the end of the card",
        "UBOOT" => "second loader (lk.bin)",
        "BOOTIMG" => "kernel and ramdisk",
        "RECOVERY" => "kernel and ramdisk of the recovery system",
        "MISC" => "messages to the loader",
        "LOGO" => "pictures of the loader",
        "EXPDB" => "crash records",
        "ANDROID" => "Android's system files",
        "PRELOAD" => "the maker's additions",
        "CACHE" => "cache",
        "USRDATA" => "the owner's data, and the live NVRAM files",
        "PRELOADER" | "DSP_BL" => "first loader; for reference only, never written",
        "BOOT2" => "second boot area; for reference only, never written",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_protected_has_a_guard_and_loaders_have_no_way() {
        for (name, guard) in [
            ("UBOOT", Guard::Named),
            ("lk", Guard::Named),
            ("USRDATA", Guard::Named),
            ("NVRAM", Guard::Identity),
            ("nvram", Guard::Identity),
            ("SECRO", Guard::Identity),
            ("SECURE", Guard::Identity),
            ("MBR", Guard::Tables),
            ("EBR7", Guard::Tables),
            ("PMT", Guard::Tables),
            (TAIL, Guard::Tables),
            ("PRELOADER", Guard::Never),
            ("loader", Guard::Never),
            ("DSP_BL", Guard::Never),
            ("BMTPOOL", Guard::Never),
            ("boot1", Guard::Never),
            ("BOOT2", Guard::Never),
            ("rpmb", Guard::Never),
        ] {
            assert_eq!(Guard::of(name, Area::User), guard, "{name}");
            assert_eq!(Guard::of(name, Area::Boot1), Guard::Never, "{name}");
        }
    }

    #[test]
    fn every_kept_part_says_what_it_holds() {
        for part in KEPT {
            assert!(!holds(part.name).is_empty(), "{}", part.name);
        }
    }
}
