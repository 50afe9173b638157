//! Scatter files, MediaTek's lists of a phone's partitions, in both grammars:
//! the old `NAME 0xADDR { }` stanzas and the YAML-like one.
//!
//! Real files are hand-edited and not valid YAML; they are read as lines of
//! `key: value`, without regard to indentation. All keys and lines are kept, so
//! that a file can be judged line by line, and written again with nothing
//! changed but what was asked for. `physical_start_addr` is never used:
//! generators fill it with rubbish.
//!
//! Source: facts/storage-and-images.md 3.1, 3.2, 3.6.

pub mod diff;
pub mod lint;
mod parse_keyed;
mod parse_old;
pub mod plan;
mod write;

pub use write::{from_layout, operation};

use crate::bytes::parse_size;
use crate::layout::{self, Layout, Partition, Place, holds_file_system, is_in_boot_area};
use std::fmt;

/// Largest file that is read as a scatter file; real ones are below 10 KiB.
pub const MAX_BYTES: usize = 256 << 10;
/// Most partitions that a file may list; a phone's own table has room for 40.
pub const MAX_ENTRIES: usize = 128;
/// Most keys that a partition may have; real ones have 14.
const MAX_FIELDS: usize = 64;

/// Erase unit that eMMC layouts count tail reserves in.
pub const EMMC_BLOCK_BYTES: u64 = 0x2_0000;
/// What a file name says where there is no file.
pub const NO_FILE: &str = "NONE";

/// Why a file is not a usable scatter file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Larger than [`MAX_BYTES`].
    TooBig,
    /// More partitions than [`MAX_ENTRIES`].
    TooMany,
    /// A line (counted from 1) that fits neither grammar, and what is wrong.
    Line(usize, &'static str),
    /// The partition that begins at this line lacks this key.
    Missing(usize, &'static str),
    /// No partition at all.
    Empty,
    /// Made for a chip other than MT6572.
    Platform(String),
    /// NAND layouts have no eMMC image.
    Storage(String),
    /// It can be read, but its partitions contradict each other.
    Layout(layout::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooBig => write!(f, "larger than {MAX_BYTES} bytes"),
            Self::TooMany => write!(f, "more than {MAX_ENTRIES} partitions"),
            Self::Line(line, why) => write!(f, "line {line}: {why}"),
            Self::Missing(line, key) => write!(f, "partition at line {line} has no {key}"),
            Self::Empty => write!(f, "no partition in the file"),
            Self::Platform(chip) => write!(f, "made for {chip}, not for MT6572"),
            Self::Storage(kind) => write!(f, "storage is {kind}, not EMMC"),
            Self::Layout(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for Error {}

/// Parses the text of a scatter file to the layout that it describes.
///
/// # Errors
/// [`Error`] for whatever would make the layout a guess.
pub fn parse(text: &str) -> Result<Layout, Error> {
    Scatter::parse(text)?.layout()
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grammar {
    /// `NAME 0xADDR { }`.
    Old,
    /// `key: value`.
    Keyed,
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The key, as the file spells it.
    pub key: String,
    /// Its value, without blanks around it.
    pub value: String,
    /// Line, counted from 1.
    pub line: usize,
}

/// One partition of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// First line, counted from 1.
    pub line: usize,
    /// Name in upper case, without the old grammar's `__NODL_`; empty for the
    /// stray entries that some files have.
    pub name: String,
    /// Whether flash tools tick it.
    pub download: bool,
    /// Its keys. The old grammar's address is `linear_start_addr`.
    pub fields: Vec<Field>,
}

impl Entry {
    /// The key called `key`; the last one where it is given twice.
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().rev().find(|field| field.key == key)
    }

    /// Its value.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.field(key).map(|field| field.value.as_str())
    }

    /// The file to download, if one is named.
    pub fn file(&self) -> Option<&str> {
        self.value("file_name")
            .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(NO_FILE))
    }

    /// Whether it lies in the user area.
    pub fn in_user_area(&self) -> bool {
        match self.value("region") {
            Some(region) => !region.starts_with("EMMC_BOOT"),
            // The old grammar has no region; only the preloader's address
            // belongs to a boot area.
            None => !is_in_boot_area(&self.name),
        }
    }

    /// The number that `key` has.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Line`].
    pub fn number(&self, key: &'static str) -> Result<u64, Error> {
        let field = self.field(key).ok_or(Error::Missing(self.line, key))?;
        parse_size(&field.value).ok_or(Error::Line(field.line, "not a number"))
    }

    /// Where it starts.
    ///
    /// # Errors
    /// As [`Entry::number`].
    pub fn place(&self) -> Result<Place, Error> {
        self.number("linear_start_addr").map(Place::of_address)
    }

    fn has_file_system(&self) -> bool {
        matches!(self.value("type"), Some("YAFFS_IMG" | "EXT4_IMG"))
            || holds_file_system(&self.name)
    }
}

/// A scatter file with all that it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scatter {
    /// How it is written.
    pub grammar: Grammar,
    /// Keys in front of the partitions: platform, project, storage, ...
    pub general: Vec<Field>,
    /// Its partitions, stray ones included.
    pub entries: Vec<Entry>,
    /// Lines that fit no grammar, and why.
    pub stray: Vec<(usize, &'static str)>,
    /// Every line with its end.
    lines: Vec<String>,
}

impl Scatter {
    /// Reads `text`, judging as little as possible.
    ///
    /// # Errors
    /// [`Error::TooBig`], [`Error::TooMany`]; [`Error::Empty`] if it has no partition, or the first
    /// line that fits no grammar if there is one.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_BYTES {
            return Err(Error::TooBig);
        }
        let lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let is_keyed = lines.iter().any(|line| {
            let line = clean(line);
            line.starts_with("- general:") || line.starts_with("- partition_index:")
        });
        let mut scatter = Self {
            grammar: if is_keyed {
                Grammar::Keyed
            } else {
                Grammar::Old
            },
            general: Vec::new(),
            entries: Vec::new(),
            stray: Vec::new(),
            lines,
        };
        match scatter.grammar {
            Grammar::Keyed => parse_keyed::read(&mut scatter),
            Grammar::Old => parse_old::read(&mut scatter),
        }
        if scatter.entries.len() > MAX_ENTRIES {
            return Err(Error::TooMany);
        }
        if scatter.entries.iter().all(|entry| entry.name.is_empty()) {
            let stray = scatter.stray.first();
            return Err(stray.map_or(Error::Empty, |&(line, why)| Error::Line(line, why)));
        }
        Ok(scatter)
    }

    /// A key in front of the partitions.
    pub fn general(&self, key: &str) -> Option<&Field> {
        self.general.iter().find(|field| field.key == key)
    }

    /// The partition called `name`, in any case.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// Unit of the reserves at the end of the card.
    ///
    /// # Errors
    /// [`Error::Line`] if it is no size between a sector and 16 MiB.
    pub fn block_bytes(&self) -> Result<u64, Error> {
        let Some(field) = self.general("block_size") else {
            return Ok(EMMC_BLOCK_BYTES);
        };
        parse_size(&field.value)
            .filter(|bytes| (512..=1 << 24).contains(bytes))
            .ok_or(Error::Line(field.line, "block size out of range"))
    }

    /// The layout that it describes. Entries without a name are left out, as
    /// flash tools do.
    ///
    /// # Errors
    /// [`Error`] for whatever would make the layout a guess.
    pub fn layout(&self) -> Result<Layout, Error> {
        if let Some(&(line, why)) = self.stray.first() {
            return Err(Error::Line(line, why));
        }
        let other = |key, known| {
            let value = self.general(key).map(|field| field.value.clone());
            value.filter(|value| value != known)
        };
        if let Some(chip) = other("platform", "MT6572") {
            return Err(Error::Platform(chip));
        }
        if let Some(kind) = other("storage", "EMMC") {
            return Err(Error::Storage(kind));
        }
        let block_bytes = self.block_bytes()?;
        let mut partitions = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            if entry.name.is_empty() {
                continue;
            }
            let place = entry.place()?;
            let size = match self.grammar {
                Grammar::Keyed => entry.number("partition_size")?,
                Grammar::Old => {
                    parse_old::size(place, self.entries.get(index + 1), entry.line, block_bytes)?
                }
            };
            partitions.push(Partition {
                name: entry.name.clone(),
                place,
                size,
                in_user_area: entry.in_user_area(),
                has_file_system: entry.has_file_system(),
                download: entry.download,
            });
        }
        let project = self.general("project").map(|field| field.value.clone());
        Ok(Layout {
            name: project.unwrap_or_else(|| "scatter".to_owned()),
            block_bytes,
            partitions,
        })
    }
}

/// A line without blanks around it and without the mark that some editors put
/// in front of a file.
fn clean(line: &str) -> &str {
    line.trim_start_matches('\u{FEFF}').trim()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MOBIWIRE: &str = include_str!("../../tests/data/mobiwire-s10/MT6572_Android_scatter.txt");

    #[test]
    fn a_real_file() {
        let layout = parse(MOBIWIRE).unwrap();
        layout.check().unwrap();
        assert_eq!(layout.name, "MTDTtest");
        assert_eq!(layout.partitions.len(), 19);
        assert_eq!(layout.mbr_linear(), Ok(0x140_0000));
        let uboot = layout.find("UBOOT").unwrap();
        assert_eq!(uboot.place, Place::Linear(0x312_0000));
        assert_eq!(layout.logical(uboot).unwrap(), Some(0x1D2_0000));
        assert!(!layout.find("PRELOADER").unwrap().in_user_area);
        assert_eq!(
            layout.find("BMTPOOL").unwrap().place,
            Place::Tail { blocks: 0xA8 }
        );
        assert!(layout.find("PROTECT_S").unwrap().has_file_system);
        assert!(!layout.find("LOGO").unwrap().has_file_system);
    }

    #[test]
    fn carriage_returns_and_blanks_do_not_matter() {
        let other = MOBIWIRE.replace('\n', "  \r\n").replace("    - ", "");
        assert_eq!(parse(&other), parse(MOBIWIRE));
    }

    #[test]
    fn a_stray_entry_with_an_empty_name_is_skipped() {
        let stray = format!("{MOBIWIRE}\n- partition_index: SYS19\n  partition_name: \n");
        assert_eq!(parse(&stray), parse(MOBIWIRE));
    }

    #[test]
    fn the_old_grammar() {
        let text = "PRELOADER 0x0\n{\n}\nMBR 0x600000\n{\n}\n__NODL_EBR1 0x680000\n{\n}\n\
                    USRDATA 0x700000\n{\n}\n__NODL_BMTPOOL 0xFFFF00A8\n{\n}\n";
        let layout = parse(text).unwrap();
        assert_eq!(layout.find("MBR").unwrap().size, 0x8_0000);
        assert!(!layout.find("EBR1").unwrap().download);
        assert_eq!(layout.find("USRDATA").unwrap().size, 0);
        assert_eq!(layout.find("BMTPOOL").unwrap().size, 0x150_0000);
    }

    #[test]
    fn foreign_and_damaged_files_are_refused() {
        let other = MOBIWIRE.replace("MT6572\n", "MT6582\n");
        assert_eq!(parse(&other), Err(Error::Platform("MT6582".into())));
        let nand = MOBIWIRE.replace("storage: EMMC\n", "storage: NAND\n");
        assert_eq!(parse(&nand), Err(Error::Storage("NAND".into())));
        let bad = MOBIWIRE.replacen("partition_size: 0x80000", "partition_size: lots", 1);
        assert!(matches!(parse(&bad), Err(Error::Line(_, "not a number"))));
        assert_eq!(parse(""), Err(Error::Empty));
        assert_eq!(
            parse("hello world, this is no scatter file"),
            Err(Error::Line(1, "not `NAME 0xADDRESS`"))
        );
        let odd = MOBIWIRE.replacen("  type: NONE", "  type NONE", 1);
        assert!(matches!(
            parse(&odd),
            Err(Error::Line(_, "not `key: value`"))
        ));
        let many = "MBR 0x600000\n".repeat(MAX_ENTRIES + 1);
        assert_eq!(parse(&many), Err(Error::TooMany));
        let long = format!("{MOBIWIRE}{}", "  a: b\n".repeat(MAX_FIELDS));
        let why = "more keys than a partition has";
        assert!(matches!(parse(&long), Err(Error::Line(_, said)) if said == why));
        // Cut anywhere, it is an error or a shorter table, never a panic.
        for end in 0..MOBIWIRE.len() {
            let _ = parse(&MOBIWIRE[..end]);
        }
    }
}
