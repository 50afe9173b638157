//! What a flash tool would do with the file: identity marked for download, a
//! preloader in the wrong place, operations that destroy what they should keep.
//!
//! Source: facts/storage-and-images.md 3.2, 3.4, 3.6.

use super::{Told, at, named};
use crate::bytes::parse_size;
use crate::finding::Finding;
use crate::layout::{Place, is_in_boot_area};
use crate::scatter::{Entry, Grammar, Scatter, operation};
use unilk_core::partition::protected;

/// Partitions on the never-write list that firmware packages nevertheless bring
/// and mark: a generator does so.
const BROUGHT: [&str; 5] = ["PRELOADER", "DSP_BL", "MBR", "SEC_RO", "EBR"];
/// Partitions that may be written, but that no firmware package brings.
pub const NOT_BROUGHT: [&str; 2] = ["MISC", "EXPDB"];

pub fn check(scatter: &Scatter) -> Vec<Told> {
    let mut told = Vec::new();
    marks(scatter, &mut told);
    if scatter.grammar == Grammar::Keyed {
        for entry in named(scatter) {
            region(entry, &mut told);
            operations(entry, &mut told);
        }
        reserved(scatter, &mut told);
        physical(scatter, &mut told);
    }
    told
}

fn marks(scatter: &Scatter, told: &mut Vec<Told>) {
    let remedy = match scatter.grammar {
        Grammar::Keyed => "set is_download to false, file_name to NONE",
        Grammar::Old => "write __NODL_ in front of its name",
    };
    let mut usual = Vec::new();
    for entry in named(scatter).filter(|entry| entry.download) {
        let stem = entry.name.trim_end_matches(|c: char| c.is_ascii_digit());
        let name = at(entry, "is_download");
        if BROUGHT.contains(&stem) {
            usual.push(entry.name.as_str());
        } else if let Some(holds) = protected(&entry.name) {
            let text = format!(
                "{name} is marked for download, but holds {holds}: a flash tool would write over \
                 it, and nothing brings it back; {remedy}"
            );
            let finding = Finding::problem("SCATTER-IDENTITY", text);
            told.push(Told::of(entry, finding));
        } else if NOT_BROUGHT.contains(&stem) {
            let text = format!(
                "{name} is marked for download; generators never do that, the file was edited by \
                 hand"
            );
            let finding = Finding::warning("SCATTER-EDITED", text);
            told.push(Told::of(entry, finding));
        }
    }
    if !usual.is_empty() {
        let text = format!(
            "{} are marked for download, as firmware packages do; to put a bootloader on a phone \
             untick them (`unilk scatter flash-plan` does)",
            usual.join(", ")
        );
        told.push(Told::all(Finding::note("SCATTER-MARKS", text)));
    }
}

fn region(entry: &Entry, told: &mut Vec<Told>) {
    let boot = is_in_boot_area(&entry.name);
    let mut problem = |key: &str, value: &str, expected: &str| {
        let text = format!(
            "{}: {key} {value}, expected {expected}: a flash tool would write it to the wrong \
             place; correct the line",
            at(entry, key)
        );
        told.push(Told::of(entry, Finding::problem("SCATTER-REGION", text)));
    };
    match entry.value("region") {
        Some("EMMC_BOOT_1" | "EMMC_BOOT_2" | "EMMC_BOOT_1_BOOT_2") if boot => {}
        Some("EMMC_USER") if !boot => {}
        Some(other) => problem(
            "region",
            other,
            if boot { "EMMC_BOOT_1" } else { "EMMC_USER" },
        ),
        None => problem(
            "region",
            "(none)",
            if boot { "EMMC_BOOT_1" } else { "EMMC_USER" },
        ),
    }
    if let Some(kind) = entry.value("type")
        && entry.name == "PRELOADER"
        && kind != "SV5_BL_BIN"
        && entry.download
    {
        problem("type", kind, "SV5_BL_BIN");
    }
    if let Some(kind) = entry.value("type").filter(|_| !boot)
        && kind == "SV5_BL_BIN"
    {
        problem("type", kind, "NORMAL_ROM (this one is for preloaders)");
    }
}

fn operations(entry: &Entry, told: &mut Vec<Told>) {
    let Some(given) = entry.value("operation_type") else {
        return;
    };
    let expected = operation(&entry.name, entry.download);
    if given == expected {
        return;
    }
    let name = at(entry, "operation_type");
    told.push(Told::of(
        entry,
        match (expected, given) {
            ("BOOTLOADERS", "BOOTLOADER") => Finding::note(
                "SCATTER-OPERATION",
                format!("{name}: operation_type BOOTLOADER is a misspelling of BOOTLOADERS"),
            ),
            ("BINREGION" | "PROTECTED" | "RESERVED" | "BOOTLOADERS", _) => Finding::warning(
                "SCATTER-OPERATION",
                format!(
                    "{name}: operation_type {given}, expected {expected}: a tool that formats \
                     would not keep it"
                ),
            ),
            _ => Finding::note(
                "SCATTER-OPERATION",
                format!("{name}: operation_type {given}, generators write {expected}"),
            ),
        },
    ));
}

fn reserved(scatter: &Scatter, told: &mut Vec<Told>) {
    for entry in named(scatter) {
        let tail = matches!(entry.place(), Ok(Place::Tail { .. }));
        let says = entry.value("is_reserved") == Some("true");
        if tail != says && entry.field("is_reserved").is_some() {
            let text = format!(
                "{}: is_reserved {says}, but it {} a reserve at the end of the card",
                at(entry, "is_reserved"),
                if tail { "is" } else { "is not" }
            );
            told.push(Told::of(entry, Finding::warning("SCATTER-TAIL", text)));
        }
    }
}

/// The column that generators fill with rubbish; told once.
fn physical(scatter: &Scatter, told: &mut Vec<Told>) {
    let given = named(scatter).find_map(|entry| {
        let field = entry.field("physical_start_addr")?;
        (parse_size(&field.value) != Some(0)).then_some((field, entry))
    });
    if let Some((field, entry)) = given {
        let text = format!(
            "physical_start_addr has values ({} of {}, line {}); it is rubbish in all files and \
             never used",
            field.value, entry.name, field.line
        );
        told.push(Told::all(Finding::note("SCATTER-PHYSICAL", text)));
    }
}
