//! How large the bootloader is: in the partition, where most of it is packed,
//! and in memory, where it is not.

use super::figure::Figure;
use super::table;
use crate::{artifacts, paths};
use anyhow::{Context, Result, anyhow};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use unilk::image::Identity;
use unilk::mtk::HEADER_BYTES;
use unilk_core::hints::HINTS_LEN;

/// What the payload may have: 224 KiB.
const PAYLOAD_MAX: f64 = 229_376.0;
/// Parts smaller than this are counted together.
const SMALL: u64 = 2048;

/// Regions of memory that the bootloader uses: name, symbols of its bounds.
const REGIONS: [(&str, &str, &str); 5] = [
    ("image", "__image_start", "__image_end"),
    ("zeroed data, page tables", "__bss_start", "__bss_end"),
    ("stacks", "__stack_guard", "__exception_stack_top"),
    ("heap", "__heap_start", "__heap_end"),
    ("kept log", "__log_start", "__log_end"),
];

/// Crates by the names that stand in symbols.
const CRATES: [&str; 12] = [
    "unilk_lk",
    "unilk_core",
    "unilk_lzma",
    "unilk_board_db",
    "mt6572_hal",
    "aarch32_cpu",
    "embedded_graphics",
    "heapless",
    "linked_list_allocator",
    "compiler_builtins",
    "alloc",
    "core",
];

/// Payload by part, what becomes of it by module, memory by region.
pub fn measure() -> Result<Vec<Figure>> {
    let image = fs::read(paths::lk_image()).context("lk.bin")?;
    let payload = image.get(HEADER_BYTES..).unwrap_or_default();
    let identity = Identity::of(payload).map_err(|why| anyhow!("lk.bin: {why}"))?;
    let mut figures = parts(&identity);
    let elf = fs::read(artifacts::lk_elf()).context("the bootloader's ELF file")?;
    let file = object::File::parse(elf.as_slice()).context("the bootloader's ELF file")?;
    figures.extend(table::measure(&file, sequences(&identity))?);
    figures.extend(modules(&file));
    figures.extend(regions(&file));
    Ok(figures)
}

/// Bytes of what is packed by itself: the panels' sequences.
fn sequences(identity: &Identity) -> u32 {
    identity.plain_bytes.saturating_sub(HINTS_LEN as u32)
}

/// What lies in the partition.
fn parts(identity: &Identity) -> Vec<Figure> {
    let bytes = |name: &str, bytes: u32| Figure::new(name, f64::from(bytes), "bytes");
    let tables = sequences(identity);
    vec![
        bytes("payload of lk.bin, complete", identity.image_bytes).at_most(PAYLOAD_MAX),
        bytes("  unpacker", identity.unpacker_bytes),
        bytes("  hints", HINTS_LEN as u32),
        bytes("  tables that are packed by themselves", tables),
        bytes("  bootloader, packed", identity.packed_bytes),
        bytes("bootloader, unpacked", identity.unpacked_bytes),
    ]
}

/// What the unpacked bootloader consists of: code and constants by module.
fn modules(file: &object::File<'_>) -> Vec<Figure> {
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut named = 0;
    for symbol in file.symbols() {
        let what = match symbol.kind() {
            SymbolKind::Text => "code",
            SymbolKind::Data => "constants",
            _ => continue,
        };
        let loaded = symbol
            .section_index()
            .and_then(|index| file.section_by_index(index).ok())
            .is_some_and(|section| section.kind() != object::SectionKind::UninitializedData);
        // Functions that came out alike are one, with many names.
        if !loaded || symbol.size() == 0 || !seen.insert(symbol.address()) {
            continue;
        }
        let module = module(symbol.name().unwrap_or_default());
        named += symbol.size();
        *sizes.entry(format!("{what} of {module}")).or_default() += symbol.size();
    }
    let mut large: Vec<_> = sizes
        .into_iter()
        .filter(|&(_, bytes)| bytes >= SMALL)
        .collect();
    large.sort_by_key(|&(_, bytes)| std::cmp::Reverse(bytes));
    let counted: u64 = large.iter().map(|(_, bytes)| bytes).sum();
    let figure = |name: &str, bytes: u64| Figure::new(format!("  {name}"), bytes as f64, "bytes");
    let mut figures: Vec<_> = large
        .iter()
        .map(|(name, bytes)| figure(name, *bytes))
        .collect();
    figures.push(figure("what is smaller", named - counted));
    let all: u64 = [".text", ".rodata", ".late.text", ".late.rodata"]
        .iter()
        .filter_map(|name| Some(file.section_by_name(name)?.size()))
        .sum();
    figures.push(figure(
        "texts and constants without a name",
        all.saturating_sub(named),
    ));
    figures
}

/// Crate and module in a mangled name: `unilk_core::fixup`. Generic code counts
/// for the crate that wrote it.
fn module(mangled: &str) -> String {
    let first = CRATES
        .iter()
        .filter_map(|name| Some((mangled.find(name)?, *name)))
        .min();
    let Some((at, name)) = first else {
        return "assembly, or others".to_owned();
    };
    let rest = &mangled[at + name.len()..];
    // `4load..` in a path, `..load..` in the name of a type.
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let module = if let Some(path) = rest.strip_prefix("..") {
        path.split(['.', '$']).next()
    } else {
        let length: usize = rest[..digits].parse().unwrap_or(0);
        rest.get(digits..digits + length)
    };
    let is_module = |name: &&str| name.starts_with(|first: char| first.is_ascii_lowercase());
    match module.filter(is_module) {
        Some(module) if name.starts_with("unilk") || name.starts_with("mt6572") => {
            format!("{name}::{module}")
        }
        _ => name.to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::module;

    #[test]
    fn modules_are_found_in_mangled_names() {
        for (name, expected) in [
            (
                "_ZN8unilk_lk4load9with_tree17h815ee77c1b941747E",
                "unilk_lk::load",
            ),
            ("_ZN8unilk_lk4boot17hf6f4a62fef7cdf1cE", "unilk_lk::boot"),
            (
                "_ZN10unilk_core5fixup5parts65_$LT$impl$u20$unilk_core..fixup..Fixup$GT$10properties17hE",
                "unilk_core::fixup",
            ),
            (
                "_ZN71_$LT$mt6572_hal..msdc..host..Msdc$u20$as$u20$mt6572_hal..mmc..Host$GT$4read17hE",
                "mt6572_hal::msdc",
            ),
            ("_RNvMs4_NtCs1_4core3fmtNtB5_9Formatter3pad", "core"),
            ("__aeabi_memcpy", "assembly, or others"),
        ] {
            assert_eq!(module(name), expected);
        }
    }
}
