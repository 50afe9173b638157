//! How large the bootloader is, in the partition and in memory.

use super::figure::Figure;
use crate::{artifacts, paths};
use anyhow::{Context, Result};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, elf};
use std::fs;
use unilk::mtk::HEADER_BYTES;

/// What the UBOOT partition holds beside the header.
const PAYLOAD_MAX: f64 = 0x5_FE00 as f64;

/// Regions of memory that the bootloader uses: name, symbols of its bounds.
const REGIONS: [(&str, &str, &str); 5] = [
    ("image", "__image_start", "__image_end"),
    ("zeroed data, page tables", "__bss_start", "__bss_end"),
    ("stacks", "__stack_guard", "__exception_stack_top"),
    ("heap", "__heap_start", "__heap_end"),
    ("kept log", "__log_start", "__log_end"),
];

/// Payload by section, memory by region.
pub fn measure() -> Result<Vec<Figure>> {
    let image = fs::metadata(paths::lk_image()).context("lk.bin")?.len();
    let payload = image.saturating_sub(HEADER_BYTES as u64);
    let mut figures = vec![
        Figure::new("payload of lk.bin, complete", payload as f64, "bytes").at_most(PAYLOAD_MAX),
    ];
    let elf = fs::read(artifacts::lk_elf()).context("the bootloader's ELF file")?;
    let file = object::File::parse(elf.as_slice()).context("the bootloader's ELF file")?;
    figures.extend(sections(&file));
    figures.extend(regions(&file));
    Ok(figures)
}

/// Sections that have bytes in the image.
fn sections(file: &object::File<'_>) -> Vec<Figure> {
    let loaded = |section: &object::Section<'_, '_>| {
        let SectionFlags::Elf { sh_flags } = section.flags() else {
            return false;
        };
        sh_flags & u64::from(elf::SHF_ALLOC) != 0
            && section.kind() != object::SectionKind::UninitializedData
            && section.size() > 0
    };
    file.sections()
        .filter(loaded)
        .filter_map(|section| {
            let name = format!("  {}", section.name().ok()?);
            Some(Figure::new(name, section.size() as f64, "bytes"))
        })
        .collect()
}

fn regions(file: &object::File<'_>) -> Vec<Figure> {
    let address = |name: &str| {
        file.symbols()
            .find(|symbol| symbol.name() == Ok(name))
            .map(|symbol| symbol.address())
    };
    let mut total = 0;
    let mut figures: Vec<_> = REGIONS
        .iter()
        .filter_map(|&(name, start, end)| {
            let bytes = address(end)?.checked_sub(address(start)?)?;
            total += bytes;
            Some(Figure::new(format!("  {name}"), bytes as f64, "bytes"))
        })
        .collect();
    figures.insert(0, Figure::new("memory linked", total as f64, "bytes"));
    figures
}
