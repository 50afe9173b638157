//! Reads scatter files, MediaTek's lists of a phone's partitions, in both
//! grammars: the old `NAME 0xADDR { }` stanzas and the YAML-like one.
//!
//! Real files are hand-edited and not valid YAML; they are read as lines of
//! `key: value`, without regard to indentation. `physical_start_addr` is never
//! used: generators fill it with rubbish.
//!
//! Source: facts/storage-and-images.md 3.1, 3.2, 3.6.

use crate::bytes::parse_size;
use crate::layout::{Layout, Partition, Place, holds_file_system, is_in_boot_area};
use std::fmt;

/// Largest file that is read as a scatter file; real ones are below 10 KiB.
pub const MAX_BYTES: usize = 1 << 20;

const EMMC_BLOCK_BYTES: u64 = 0x2_0000;

/// Why a file is not a usable scatter file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Larger than [`MAX_BYTES`].
    TooBig,
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
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooBig => write!(f, "larger than {MAX_BYTES} bytes"),
            Self::Line(line, why) => write!(f, "line {line}: {why}"),
            Self::Missing(line, key) => write!(f, "partition at line {line} has no {key}"),
            Self::Empty => write!(f, "no partition in the file"),
            Self::Platform(chip) => write!(f, "made for {chip}, not for MT6572"),
            Self::Storage(kind) => write!(f, "storage is {kind}, not EMMC"),
        }
    }
}

impl std::error::Error for Error {}

/// Parses the text of a scatter file.
pub fn parse(text: &str) -> Result<Layout, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::TooBig);
    }
    let is_yaml_like = text
        .lines()
        .any(|line| line.trim_start().starts_with("- general:"));
    let layout = if is_yaml_like {
        parse_keyed(text)?
    } else {
        parse_old(text)?
    };
    if layout.partitions.is_empty() {
        return Err(Error::Empty);
    }
    Ok(layout)
}

/// A partition's keys while they are being collected.
#[derive(Default)]
struct Fields<'a> {
    line: usize,
    name: Option<&'a str>,
    linear: Option<u64>,
    size: Option<u64>,
    kind: &'a str,
    region: &'a str,
    download: bool,
}

impl Fields<'_> {
    fn finish(&self) -> Result<Partition, Error> {
        let name = self
            .name
            .ok_or(Error::Missing(self.line, "partition_name"))?;
        let linear = self
            .linear
            .ok_or(Error::Missing(self.line, "linear_start_addr"))?;
        let size = self
            .size
            .ok_or(Error::Missing(self.line, "partition_size"))?;
        let name = name.to_ascii_uppercase();
        Ok(Partition {
            place: Place::of_address(linear),
            size,
            in_user_area: !self.region.starts_with("EMMC_BOOT"),
            has_file_system: matches!(self.kind, "YAFFS_IMG" | "EXT4_IMG")
                || holds_file_system(&name),
            download: self.download,
            name,
        })
    }
}

fn parse_keyed(text: &str) -> Result<Layout, Error> {
    let mut layout = Layout {
        name: String::new(),
        block_bytes: EMMC_BLOCK_BYTES,
        partitions: Vec::new(),
    };
    let mut current: Option<Fields<'_>> = None;
    for (index, raw) in text.lines().enumerate() {
        let number = index + 1;
        let line = raw.trim().trim_start_matches("- ");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line
            .split_once(':')
            .ok_or(Error::Line(number, "not `key: value`"))?;
        let (key, value) = (key.trim(), value.trim());
        let number_of = |value| parse_size(value).ok_or(Error::Line(number, "not a number"));
        if key == "partition_index" {
            if let Some(done) = current.take() {
                push(&mut layout, &done)?;
            }
            current = Some(Fields {
                line: number,
                ..Fields::default()
            });
            continue;
        }
        match (&mut current, key) {
            (Some(fields), "partition_name") => fields.name = Some(value),
            (Some(fields), "linear_start_addr") => fields.linear = Some(number_of(value)?),
            (Some(fields), "partition_size") => fields.size = Some(number_of(value)?),
            (Some(fields), "type") => fields.kind = value,
            (Some(fields), "region") => fields.region = value,
            (Some(fields), "is_download") => fields.download = value == "true",
            (None, "platform") if value != "MT6572" => {
                return Err(Error::Platform(value.to_owned()));
            }
            (None, "storage") if value != "EMMC" => return Err(Error::Storage(value.to_owned())),
            (None, "project") => value.clone_into(&mut layout.name),
            (None, "block_size") => {
                layout.block_bytes = number_of(value)?;
                if !(512..=1 << 24).contains(&layout.block_bytes) {
                    return Err(Error::Line(number, "block size out of range"));
                }
            }
            _ => {}
        }
    }
    if let Some(done) = current {
        push(&mut layout, &done)?;
    }
    Ok(layout)
}

/// Adds a finished partition. Some files end with a stray entry whose name is
/// empty; flash tools skip it, and so do we.
fn push(layout: &mut Layout, fields: &Fields<'_>) -> Result<(), Error> {
    if fields.name != Some("") {
        layout.partitions.push(fields.finish()?);
    }
    Ok(())
}

fn parse_old(text: &str) -> Result<Layout, Error> {
    let mut partitions: Vec<Partition> = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let line = raw.trim();
        if line.is_empty() || line.starts_with('#') || matches!(line, "{" | "}" | "{}") {
            continue;
        }
        let bad = Error::Line(index + 1, "not `NAME 0xADDRESS`");
        let mut words = line.trim_end_matches(['{', '}']).split_whitespace();
        let (Some(name), Some(address), None) = (words.next(), words.next(), words.next()) else {
            return Err(bad);
        };
        let address = address
            .starts_with("0x")
            .then(|| parse_size(address))
            .flatten()
            .ok_or(bad)?;
        let bare = name.trim_start_matches("__NODL_").to_ascii_uppercase();
        partitions.push(Partition {
            place: Place::of_address(address),
            size: 0,
            // The old grammar has no region; only the preloader's address
            // belongs to a boot area.
            in_user_area: !is_in_boot_area(&bare),
            has_file_system: holds_file_system(&bare),
            download: !name.starts_with("__NODL_"),
            name: bare,
        });
    }
    size_by_next(&mut partitions)?;
    Ok(Layout {
        name: "scatter".to_owned(),
        block_bytes: EMMC_BLOCK_BYTES,
        partitions,
    })
}

/// In the old grammar a partition ends where the next one begins.
fn size_by_next(partitions: &mut [Partition]) -> Result<(), Error> {
    for index in 0..partitions.len() {
        let next = partitions.get(index + 1).map(|next| next.place);
        let partition = &mut partitions[index];
        partition.size = match (partition.place, next) {
            (Place::Linear(start), Some(Place::Linear(end))) => end
                .checked_sub(start)
                .ok_or(Error::Line(index + 1, "addresses are not in flash order"))?,
            (Place::Linear(_), _) => 0,
            (Place::Tail { blocks }, _) => u64::from(blocks) * EMMC_BLOCK_BYTES,
        };
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MOBIWIRE: &str = include_str!("../tests/data/mobiwire-s10/MT6572_Android_scatter.txt");

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
        assert!(parse("hello world, this is no scatter file").is_err());
        // Cut anywhere, it is an error or a shorter table, never a panic.
        for end in 0..MOBIWIRE.len() {
            let _ = parse(&MOBIWIRE[..end]);
        }
    }
}
