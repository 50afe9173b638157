//! Opens a directory of files named after partitions, as flash tools write
//! them: `mtk r uboot,nvram uboot.bin,nvram.bin`, SP Flash Tool's readback
//! under names that people give, the images of a firmware package.

use super::image::unsparse;
use super::{Area, Bytes, Error, Evidence, Options, Part, Shape, Storage, TAIL, contents};
use crate::finding::Finding;
use crate::layout::{Layout, Place, is_in_boot_area};
use crate::source::{Source, Window};
use std::sync::Arc;
use unilk_core::partition::canonical;

/// Partitions of phones seen, beside those of the common layout: facts 3.3,
/// 3.4, and what tables do not list.
const NAMES: [&str; 31] = [
    "PRELOADER",
    "DSP_BL",
    "MBR",
    "EBR1",
    "EBR2",
    "PMT",
    "PRO_INFO",
    "NVRAM",
    "PROTECT_F",
    "PROTECT_S",
    "SECCFG",
    "UBOOT",
    "BOOTIMG",
    "RECOVERY",
    "SEC_RO",
    "MISC",
    "LOGO",
    "EXPDB",
    "PRELOAD",
    "CUSTPACK",
    "CUSTOM",
    "MOBILE_INFO",
    "ANDROID",
    "CACHE",
    "USRDATA",
    "FAT",
    "OTP",
    "BMTPOOL",
    TAIL,
    BOOT2,
    RPMB,
];
const BOOT2: &str = "BOOT2";
const RPMB: &str = "RPMB";
/// Endings that tools and people give to dumps.
const ENDINGS: [&str; 6] = [".bin", ".img", ".dump", ".raw", ".rom", ".mbn"];
/// What else they put around a name: `nodl_protect_f.ext4.img`.
const FILE_SYSTEM: &str = ".ext4";
const NOT_DOWNLOADED: &str = "nodl_";

pub fn open(
    mut files: Vec<(String, Arc<dyn Source>)>,
    options: &Options,
) -> Result<Storage, Error> {
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let mut findings = Vec::new();
    let mut named: Vec<(String, String, Arc<dyn Source>)> = Vec::new();
    let mut others = Vec::new();
    for (file, source) in files {
        let Some(name) = partition_of(&file, options.scatter.as_ref()) else {
            others.push(file);
            continue;
        };
        if let Some((_, first, _)) = named.iter().find(|(known, ..)| *known == name) {
            let text = format!("{first} and {file} are both {name}; {first} is taken");
            findings.push(Finding::warning("STORAGE-TWICE", text));
            continue;
        }
        match unsparse(source) {
            Ok(source) => named.push((name, file, source)),
            Err(why) => {
                let text = format!("{file} is not taken: {why}");
                findings.push(Finding::problem("STORAGE-READ", text));
            }
        }
    }
    if named.is_empty() {
        return Err(Error::NoPartition);
    }
    if !others.is_empty() {
        let text = format!("not named after a partition: {}", others.join(", "));
        findings.push(Finding::note("STORAGE-OTHER", text));
    }
    let mut parts = Vec::new();
    let mut bytes = Vec::new();
    for (name, file, source) in named {
        let window: Bytes = Window::new(source, 0, u64::MAX);
        let part = part(&name, window.len(), options);
        if window.len() > part.len {
            findings.push(Finding::problem(
                "STORAGE-SIZE",
                format!(
                    "{file} has {:#x} bytes, the partition {:#x}: it is not from this phone",
                    window.len(),
                    part.len
                ),
            ));
        } else if window.len() < part.len {
            findings.push(Finding::note(
                "STORAGE-SHORT",
                format!(
                    "{file} has {:#x} of the partition's {:#x} bytes",
                    window.len(),
                    part.len
                ),
            ));
        }
        let window = window.part(0, part.len);
        parts.push(part);
        bytes.push((!window.is_empty()).then_some(window));
    }
    sort_by_flash_order(&mut parts, &mut bytes);
    let there = parts.iter().zip(&bytes);
    let there = there.filter_map(|(part, bytes)| Some((part, bytes.as_ref()?)));
    findings.extend(contents::check(there, None));
    let evidence = if options.scatter.is_some() {
        Evidence::Scatter
    } else {
        Evidence::FileNames
    };
    Ok(Storage {
        parts,
        bytes,
        shape: Shape::Files,
        evidence,
        findings,
        hardware_bytes: options.card.map(|card| card.hardware_bytes()),
        user: None,
        whole: false,
        layout: options.scatter.clone(),
    })
}

/// The partition that a file of this name is a dump of.
pub fn partition_of(file: &str, layout: Option<&Layout>) -> Option<String> {
    let lower = file.to_ascii_lowercase();
    let stem = ENDINGS
        .iter()
        .find_map(|ending| lower.strip_suffix(ending))
        .unwrap_or(&lower);
    let stem = stem.strip_suffix(FILE_SYSTEM).unwrap_or(stem);
    let stem = stem.strip_prefix(NOT_DOWNLOADED).unwrap_or(stem);
    // A loader's name for USRDATA, but people's for the whole user area.
    if stem == "user" {
        return None;
    }
    let stem = canonical(stem).to_ascii_uppercase();
    if let Some(partition) = layout.and_then(|layout| layout.find(&stem).ok()) {
        return Some(partition.name.to_ascii_uppercase());
    }
    // `preloader_a516_row.bin` in firmware packages; `user.img.boot1`.
    let last_word = stem.rsplit('.').next();
    if stem.starts_with("PRELOADER_") || last_word == Some("BOOT1") {
        return Some("PRELOADER".to_owned());
    }
    NAMES
        .iter()
        .find(|known| **known == stem)
        .map(|known| (*known).to_owned())
}

fn part(name: &str, held: u64, options: &Options) -> Part {
    let mut part = Part {
        name: name.to_owned(),
        area: match name {
            BOOT2 => Area::Boot2,
            RPMB => Area::Rpmb,
            _ if is_in_boot_area(name) => Area::Boot1,
            _ => Area::User,
        },
        start: 0,
        len: held,
        linear: None,
        fixed: false,
    };
    if part.area != Area::User {
        part.fixed = true;
        if let (Area::Boot1 | Area::Boot2, Some(card)) = (part.area, options.card) {
            part.len = card.boot_bytes();
        }
        return part;
    }
    let partition = options
        .scatter
        .as_ref()
        .and_then(|layout| layout.find(name).ok());
    let Some(partition) = partition else {
        return part;
    };
    // 0 is "the rest", and the last one's size is only nominal.
    if partition.size > 0 && !matches!(canonical(name), "USRDATA" | "FAT") {
        part.len = partition.size;
    }
    if let Place::Linear(at) = partition.place {
        part.linear = Some(at);
        let start = options
            .card
            .and_then(|card| at.checked_sub(card.hardware_bytes()));
        part.fixed = start.is_some();
        part.start = start.unwrap_or(0);
    }
    part
}

/// Boot area first, then as on the phone, then what is not in the order.
fn sort_by_flash_order(parts: &mut Vec<Part>, bytes: &mut Vec<Option<Bytes>>) {
    let place = |part: &Part| {
        let known = NAMES.iter().position(|name| *name == part.name);
        (
            part.area != Area::Boot1,
            part.linear.unwrap_or(u64::MAX),
            known.unwrap_or(NAMES.len()),
        )
    };
    let mut both: Vec<_> = parts.drain(..).zip(bytes.drain(..)).collect();
    both.sort_by_key(|(part, _)| place(part));
    (*parts, *bytes) = both.into_iter().unzip();
}
