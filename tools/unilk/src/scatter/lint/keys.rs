//! Keys: those that are missing, unknown, of later chips, or have values that
//! no MT6572 file has.
//!
//! Source: facts/storage-and-images.md 3.2.

use super::{Told, at, named};
use crate::finding::Finding;
use crate::scatter::{EMMC_BLOCK_BYTES, Entry, Grammar, Scatter};

/// Lines and keys that are told one by one: enough to see what is going on.
const SHOWN: usize = 20;

const VERSION: &str = "V1.1.1";
const GENERAL: [&str; 8] = [
    "general",
    "info",
    "config_version",
    "platform",
    "project",
    "storage",
    "boot_channel",
    "block_size",
];
const KNOWN: [&str; 14] = [
    "partition_index",
    "partition_name",
    "file_name",
    "is_download",
    "type",
    "linear_start_addr",
    "physical_start_addr",
    "partition_size",
    "region",
    "storage",
    "boundary_check",
    "is_reserved",
    "operation_type",
    "reserve",
];
/// Keys that files for later chips have.
const LATER: [&str; 6] = [
    "d_type",
    "is_upgradable",
    "empty_boot_needed",
    "combo_partsize_check",
    "slc_percentage",
    "is_slc",
];
const TYPES: [&str; 6] = [
    "SV5_BL_BIN",
    "NORMAL_ROM",
    "YAFFS_IMG",
    "EXT4_IMG",
    "UBI_IMG",
    "NONE",
];

pub fn check(scatter: &Scatter) -> Vec<Told> {
    let mut told: Vec<Told> = scatter
        .stray
        .iter()
        .take(SHOWN)
        .map(|(line, why)| {
            let text = format!("line {line} is {why}: correct or remove it");
            Told::all(Finding::problem("SCATTER-LINE", text))
        })
        .collect();
    if let Some(more) = scatter.stray.len().checked_sub(SHOWN + 1) {
        let text = format!("{} more lines like that", more + 1);
        told.push(Told::all(Finding::problem("SCATTER-LINE", text)));
    }
    for entry in named(scatter).filter(|entry| !is_name(&entry.name)) {
        let text = format!(
            "{}: no partition has such a name; flash tools may read another one in it",
            at(entry, "partition_name")
        );
        told.push(Told::of(entry, Finding::problem("SCATTER-NAME", text)));
    }
    twice(scatter, &mut told);
    if scatter.grammar == Grammar::Keyed {
        general(scatter, &mut told);
        for entry in named(scatter) {
            values(entry, &mut told);
        }
        unknown(scatter, &mut told);
    }
    for entry in scatter.entries.iter().filter(|entry| entry.name.is_empty()) {
        let text = format!(
            "line {} begins an entry without a name; flash tools skip it, remove it",
            entry.line
        );
        told.push(Told::all(Finding::note("SCATTER-STRAY", text)));
    }
    told
}

/// Letters, digits and underscores: neither quotes nor comments.
fn is_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn general(scatter: &Scatter, told: &mut Vec<Told>) {
    let mut say = |finding| told.push(Told::all(finding));
    let wrong = |key, right: &str| {
        let field = scatter.general(key)?;
        (field.value != right).then_some((field.line, field.value.as_str()))
    };
    if let Some((line, chip)) = wrong("platform", "MT6572") {
        let text = format!("platform {chip} (line {line}): the file is for another chip");
        say(Finding::problem("SCATTER-PLATFORM", text));
    }
    if scatter.general("platform").is_none() {
        let text = "no platform is given: make sure that the file is for an MT6572";
        say(Finding::warning("SCATTER-PLATFORM", text));
    }
    if let Some((line, kind)) = wrong("storage", "EMMC") {
        let text = format!(
            "storage {kind} (line {line}): addresses mean nothing on a phone with eMMC, and no \
             MT6572 phone with NAND is known"
        );
        say(Finding::problem("SCATTER-STORAGE", text));
    }
    if let Some((line, version)) = wrong("config_version", VERSION) {
        let text = format!(
            "config_version {version} (line {line}): MT6572 files have {VERSION}, later ones \
             belong to later chips"
        );
        say(Finding::warning("SCATTER-VERSION", text));
    }
    if let Some((line, channel)) = wrong("boot_channel", "MSDC_0") {
        let text = format!("boot_channel {channel} (line {line}): eMMC phones have MSDC_0");
        say(Finding::warning("SCATTER-STORAGE", text));
    }
    match scatter.block_bytes() {
        Ok(EMMC_BLOCK_BYTES) => {}
        Ok(bytes) => {
            let text = format!(
                "block_size {bytes:#x}: eMMC files have {EMMC_BLOCK_BYTES:#x}; reserves at the end \
                 of the card are counted in it"
            );
            say(Finding::warning("SCATTER-BLOCK", text));
        }
        Err(why) => say(Finding::problem("SCATTER-BLOCK", why.to_string())),
    }
}

fn twice(scatter: &Scatter, told: &mut Vec<Told>) {
    for (index, entry) in scatter.entries.iter().enumerate() {
        let first = scatter.entries[..index]
            .iter()
            .find(|e| e.name == entry.name);
        if let Some(first) = first.filter(|first| !first.name.is_empty()) {
            let text = format!(
                "{} is listed at lines {} and {}: remove one",
                entry.name, first.line, entry.line
            );
            told.push(Told::of(entry, Finding::problem("SCATTER-TWICE", text)));
        }
        for (nth, field) in entry.fields.iter().enumerate() {
            if entry.fields[..nth].iter().any(|f| f.key == field.key) {
                let text = format!(
                    "{} (line {}): {} is given twice, remove one",
                    entry.name, field.line, field.key
                );
                told.push(Told::of(entry, Finding::problem("SCATTER-TWICE", text)));
            }
        }
    }
}

fn values(entry: &Entry, told: &mut Vec<Told>) {
    let mut say = |finding| told.push(Told::of(entry, finding));
    for key in ["linear_start_addr", "partition_size"] {
        if let Err(why) = entry.number(key) {
            let text = format!("{}: {key}: {why}", at(entry, key));
            say(Finding::problem("SCATTER-NUMBER", text));
        }
    }
    for key in ["is_download", "boundary_check", "is_reserved"] {
        match entry.value(key) {
            Some("true" | "false") => {}
            Some(other) => {
                let text = format!(
                    "{}: {key} is `{other}`, which tools read as false: write true or false",
                    at(entry, key)
                );
                say(Finding::warning("SCATTER-FLAG", text));
            }
            None => {
                let text = format!("{}: no {key}", at(entry, key));
                say(Finding::warning("SCATTER-FLAG", text));
            }
        }
    }
    if let Some(kind) = entry.value("type").filter(|kind| !TYPES.contains(kind)) {
        let text = format!(
            "{}: type {kind} is none that MT6572 files have ({})",
            at(entry, "type"),
            TYPES.join(", ")
        );
        say(Finding::warning("SCATTER-TYPE", text));
    }
    if let Some(kind) = entry
        .value("storage")
        .filter(|kind| *kind != "HW_STORAGE_EMMC")
    {
        let text = format!(
            "{}: storage {kind}, expected HW_STORAGE_EMMC: the entry is for another kind of phone",
            at(entry, "storage")
        );
        say(Finding::problem("SCATTER-STORAGE", text));
    }
}

/// Keys that nobody knows, each told once.
fn unknown(scatter: &Scatter, told: &mut Vec<Told>) {
    let general = scatter.general.iter().map(|field| (field, &GENERAL[..]));
    let entries = scatter.entries.iter().flat_map(|entry| &entry.fields);
    let mut seen: Vec<(&str, usize, usize)> = Vec::new();
    for (field, known) in general.chain(entries.map(|field| (field, &KNOWN[..]))) {
        if known.contains(&field.key.as_str()) {
            continue;
        }
        let count = seen.len();
        match seen.iter_mut().find(|(key, ..)| *key == field.key) {
            Some((.., times)) => *times += 1,
            None if count < SHOWN => seen.push((&field.key, field.line, 1)),
            None => {}
        }
    }
    for (key, line, count) in seen {
        let where_ = format!("key {key} (line {line}, {count} in all)");
        told.push(Told::all(if LATER.contains(&key) {
            let text = format!("{where_} belongs to files for later chips");
            Finding::warning("SCATTER-LATER", text)
        } else {
            Finding::note("SCATTER-KEY", format!("{where_} is not known"))
        }));
    }
}
