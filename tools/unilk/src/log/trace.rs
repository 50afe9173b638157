//! The trace's strings, which are in the bootloader's ELF file only, and
//! frames decoded with them.
//!
//! A frame holds numbers of strings: with the ELF file of another build it
//! says something else, or nothing. So the file is checked against the version
//! that the log itself names, and each frame is walked before it is decoded.

use super::frame::Formats;
use super::line::Line;
use crate::bytes::printable;
use defmt_decoder::{Encoding, Table};
use std::fmt;

/// How the log's first line, and so the ELF file, names the version.
const NAMED: &str = "unilk ";
/// What the version of a build with uncommitted changes ends with.
const DIRTY: &str = "-dirty";

/// Why an ELF file is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElfError {
    /// Not an ELF file, or one whose trace cannot be read: what the decoder
    /// says.
    Unreadable(String),
    /// It has no trace strings.
    NoStrings,
    /// Its trace is not encoded as rzCOBS.
    Encoding,
}

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "its trace strings cannot be read: {why}"),
            Self::NoStrings => f.write_str(
                "it has no trace strings: give target/unilk/unilk-lk of the build that runs on the phone",
            ),
            Self::Encoding => f.write_str("its trace is not encoded as rzCOBS"),
        }
    }
}

impl std::error::Error for ElfError {}

/// Whether an ELF file is that of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It names the log's version.
    Same,
    /// It names that version, but so does every build with uncommitted changes
    /// on that commit.
    SameCommit,
    /// It does not.
    Other,
}

/// The strings of one build.
#[derive(Debug)]
pub struct Strings {
    table: Table,
    formats: Formats,
    /// Versions that the file names, each with what stands behind it.
    named: Vec<Vec<u8>>,
}

impl Strings {
    /// Reads an ELF file.
    ///
    /// # Errors
    /// It is none, or has no trace strings that this tool knows.
    pub fn parse(elf: &[u8]) -> Result<Self, ElfError> {
        let table = Table::parse(elf).map_err(|why| ElfError::Unreadable(why.to_string()))?;
        let table = table.ok_or(ElfError::NoStrings)?;
        if table.encoding() != Encoding::Rzcobs {
            return Err(ElfError::Encoding);
        }
        let named = elf
            .windows(NAMED.len() + 1)
            .enumerate()
            .filter(|(_, bytes)| bytes.starts_with(NAMED.as_bytes()) && bytes[6].is_ascii_digit())
            .map(|(at, _)| elf[at + NAMED.len()..].iter().copied().take(96).collect())
            .collect();
        Ok(Self {
            formats: Formats::of(&table).ok_or(ElfError::NoStrings)?,
            table,
            named,
        })
    }

    /// Whether this is the build that calls itself `version`.
    pub fn fits(&self, version: &str) -> Fit {
        let dirty = version.ends_with(DIRTY);
        let same = |text: &Vec<u8>| {
            text.strip_prefix(version.as_bytes())
                .is_some_and(|rest| dirty || !rest.starts_with(DIRTY.as_bytes()))
        };
        match self.named.iter().any(same) {
            true if dirty => Fit::SameCommit,
            true => Fit::Same,
            false => Fit::Other,
        }
    }

    /// One frame, as a record of the log has it; `None` if it is damaged or of
    /// another build.
    pub fn decode(&self, record: &[u8]) -> Option<Line> {
        // Zeros stand between frames; which record they are in does not matter.
        let begin = record.iter().position(|&byte| byte != 0)?;
        let end = record.iter().rposition(|&byte| byte != 0)?;
        let frame = unstuff(record.get(begin..=end)?)?;
        if !self.formats.fit(&frame) {
            return None;
        }
        let (frame, _) = self.table.decode(&frame).ok()?;
        let text = frame.display(false).to_string();
        Some(Line::traced(&printable(text.as_bytes())))
    }
}

/// Takes rzCOBS apart: read from its end, each byte says which of the bytes
/// before it are left out because they are zero.
fn unstuff(stuffed: &[u8]) -> Option<Vec<u8>> {
    let mut frame = Vec::with_capacity(stuffed.len());
    let mut bytes = stuffed.iter().rev().copied();
    while let Some(code) = bytes.next() {
        match code {
            0 => return None,
            0x01..=0x7F => {
                for bit in (0..7).rev() {
                    let zero = code >> bit & 1 == 1;
                    frame.push(if zero { 0 } else { bytes.next()? });
                }
            }
            0x80..=0xFE => {
                frame.push(0);
                for _ in 0..(code & 0x7F) + 7 {
                    frame.push(bytes.next()?);
                }
            }
            0xFF => {
                for _ in 0..134 {
                    frame.push(bytes.next()?);
                }
            }
        }
    }
    frame.reverse();
    Some(frame)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;

    /// An ELF file with these strings: number, tag, format; and a text of the
    /// program.
    pub(crate) fn elf(strings: &[(u32, &str, &str)], text: &str) -> Vec<u8> {
        let mut names = b"\0".to_vec();
        let mut symbols = vec![0_u8; 16];
        let mut symbol = |name: &str, value: u32| {
            let at = names.len() as u32;
            names.extend(name.bytes().chain([0]));
            for word in [at, value, 1] {
                symbols.extend(word.to_le_bytes());
            }
            // Global object in section 1.
            symbols.extend([0x11, 0, 1, 0]);
        };
        symbol("_defmt_version_ = 4", 0x100);
        symbol("_defmt_encoding_ = rzcobs", 0x101);
        for (number, tag, format) in strings {
            let name = format!(
                "{{\"package\":\"p\",\"tag\":\"{tag}\",\"data\":\"{format}\",\
                 \"disambiguator\":\"{number}\",\"crate_name\":\"c\"}}"
            );
            symbol(&name, *number);
        }
        let section_names = b"\0.defmt\0.symtab\0.strtab\0.shstrtab\0.rodata\0";
        let blocks: [&[u8]; 6] = [
            &[],
            &[0; 0x200],
            &symbols,
            &names,
            section_names,
            text.as_bytes(),
        ];
        // Name, type, link, info, size of an entry.
        let kinds: [(u32, u32, u32, u32, u32); 6] = [
            (0, 0, 0, 0, 0),
            (1, 1, 0, 0, 0),
            (8, 2, 3, 1, 16),
            (16, 3, 0, 0, 0),
            (24, 3, 0, 0, 0),
            (34, 1, 0, 0, 0),
        ];
        let mut file = vec![0; 52];
        let mut headers = Vec::new();
        for (block, (name, kind, link, info, entry)) in blocks.iter().zip(kinds) {
            let at = file.len() as u32;
            for word in [
                name,
                kind,
                0,
                0,
                at,
                block.len() as u32,
                link,
                info,
                4,
                entry,
            ] {
                headers.extend(word.to_le_bytes());
            }
            file.extend(*block);
            file.resize(file.len().next_multiple_of(4), 0);
        }
        let sections_at = file.len() as u32;
        file.extend(headers);
        file[..16].copy_from_slice(b"\x7FELF\x01\x01\x01\0\0\0\0\0\0\0\0\0");
        file[16..24].copy_from_slice(&[2, 0, 40, 0, 1, 0, 0, 0]);
        file[32..36].copy_from_slice(&sections_at.to_le_bytes());
        file[40..52].copy_from_slice(&[52, 0, 32, 0, 0, 0, 40, 0, 6, 0, 4, 0]);
        file
    }

    /// The strings of a small build named `version`.
    pub(crate) fn build(version: &str) -> Vec<u8> {
        let strings = [
            (1, "defmt_prim", "{=u32}"),
            (3, "defmt_info", "read: {=u32} bytes from {=str}"),
            (4, "defmt_info", "devinfo {=[?]:#x}"),
            (5, "defmt_derived", "None|Some({=?})"),
            (6, "defmt_info", "placed {}"),
            (7, "defmt_derived", "Unit"),
            (0x10, "defmt_timestamp", "{=u64:us}"),
        ];
        elf(&strings, &format!("xunilk {version}GPT-CNT"))
    }

    /// A frame as defmt writes it without leaving anything out.
    pub(crate) fn stuffed(frame: &[u8]) -> Vec<u8> {
        let mut padded = frame.to_vec();
        padded.resize(frame.len().next_multiple_of(7), 0);
        let mut out = Vec::new();
        for seven in padded.chunks(7) {
            let mut code = 0;
            for (bit, byte) in seven.iter().enumerate() {
                if *byte == 0 {
                    code |= 1 << bit;
                } else {
                    out.push(*byte);
                }
            }
            // A code of zero is the end of a frame: not with these bytes.
            assert_ne!(code, 0);
            out.push(code);
        }
        out.push(0);
        out
    }

    pub(crate) fn frame(number: u16, at_us: u64, rest: &[u8]) -> Vec<u8> {
        let mut frame = number.to_le_bytes().to_vec();
        frame.extend(at_us.to_le_bytes());
        frame.extend(rest);
        stuffed(&frame)
    }

    #[test]
    fn frames_become_lines() {
        let strings = Strings::parse(&build("0.1.0")).unwrap();
        let line = |number, rest: &[u8]| {
            let line = strings.decode(&frame(number, 1_005_635, rest))?;
            assert_eq!((line.trace, line.at_us), (true, Some(1_005_635)));
            Some(line.text)
        };
        let read = b"\x05\0\0\0\x04\0\0\0eMMC";
        assert_eq!(line(3, read).unwrap(), "read: 5 bytes from eMMC");
        let devinfo = b"\x02\0\0\0\x01\0\x07\0\0\0\x09\0\0\0";
        assert_eq!(line(4, devinfo).unwrap(), "devinfo [0x7, 0x9]");
        assert_eq!(line(6, &[5, 0, 0]).unwrap(), "placed None");
        let some = [5, 0, 1, 1, 0, 9, 0, 0, 0];
        assert_eq!(line(6, &some).unwrap(), "placed Some(9)");
        // The first of a boot begins with the mark of a frame's end.
        let first = [&[0], &frame(4, 5, devinfo)[..]].concat();
        assert!(strings.decode(&first).is_some());
    }

    #[test]
    fn frames_of_another_build_are_none() {
        let strings = Strings::parse(&build("0.1.0")).unwrap();
        let none = |number, rest: &[u8]| {
            let line = strings.decode(&frame(number, 5, rest));
            assert_eq!(line, None, "{number} {rest:?}");
        };
        // No such string, too short, and more than the string takes.
        none(9, &[]);
        none(3, &[5, 0, 0]);
        none(3, b"\x05\0\0\0\x04\0\0\0eMM");
        none(3, b"\x05\0\0\0\x04\0\0\0eMMC\x09");
        none(6, &[5, 0, 2]);
        // A count that no frame can hold, and a string of itself.
        none(4, b"\xF0\xFF\xFF\x7F\x01\0");
        none(4, b"\xF0\xFF\xFF\x7F\x07\0");
        none(6, &[6, 0].repeat(40));
        assert_eq!(strings.decode(&[]), None);
        assert_eq!(strings.decode(&[0xFF, 0]), None);
    }

    #[test]
    fn any_bytes_return() {
        let strings = Strings::parse(&build("0.1.0")).unwrap();
        let good = frame(4, 5, b"\x02\0\0\0\x01\0\x07\0\0\0\x09\0\0\0");
        crate::mutate::each(&good, 20_000, |data| {
            let _ = strings.decode(data);
        });
        let good = build("0.1.0");
        crate::mutate::each(&good, 2_000, |data| {
            let _ = Strings::parse(data).map(|strings| strings.fits("0.1.0"));
        });
    }

    #[test]
    fn the_version_says_whether_the_file_fits() {
        let fit = |elf: &str, log: &str| Strings::parse(&build(elf)).unwrap().fits(log);
        assert_eq!(fit("0.1.0+08970acada", "0.1.0+08970acada"), Fit::Same);
        assert_eq!(fit("0.1.0+08970acada", "0.1.0+2bae716aaa"), Fit::Other);
        let dirty = "0.1.0+08970acada-dirty";
        assert_eq!(fit(dirty, dirty), Fit::SameCommit);
        assert_eq!(fit(dirty, "0.1.0+08970acada"), Fit::Other);
        assert_eq!(fit("0.1.0+08970acada", dirty), Fit::Other);
    }

    #[test]
    fn wrong_files_are_refused() {
        let why = |elf: &[u8]| Strings::parse(elf).err();
        assert!(matches!(why(b"text"), Some(ElfError::Unreadable(_))));
        // Cut off: the section headers are gone.
        let whole = build("0.1.0");
        assert!(why(&whole[..whole.len() - 300]).is_some());
    }
}
