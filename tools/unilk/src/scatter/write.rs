//! Writes scatter files: a read one with changes, in its own grammar and with
//! its own line ends, and new ones from a layout.
//!
//! Source: facts/storage-and-images.md 3.2.

use super::parse_old::NOT_DOWNLOADED;
use super::{Grammar, NO_FILE, Scatter};
use crate::layout::{Layout, Partition, Place};
use std::fmt::Write as _;

impl Scatter {
    /// The file's text: what was read, but for what was changed since.
    pub fn to_text(&self) -> String {
        self.lines.concat()
    }

    /// Marks entry number `index` for download of `file`, or for none.
    pub fn set_download(&mut self, index: usize, file: Option<&str>) {
        let Some(entry) = self.entries.get_mut(index) else {
            return;
        };
        entry.download = file.is_some();
        if self.grammar == Grammar::Old {
            self.set_prefix(index);
            return;
        }
        let flag = if file.is_some() { "true" } else { "false" };
        let mut keys = vec![
            ("is_download", flag),
            ("file_name", file.unwrap_or(NO_FILE)),
        ];
        if file.is_some() {
            keys.extend(self.shown(index));
        }
        let mut added = false;
        for (key, value) in keys {
            if !self.replace(index, key, value) {
                added |= self.add(index, key, value);
            }
        }
        // Lines have moved.
        if added && let Ok(read) = Self::parse(&self.to_text()) {
            *self = read;
        }
    }

    /// Flash tools neither show nor write what has no type or is invisible.
    fn shown(&self, index: usize) -> Vec<(&'static str, &'static str)> {
        let entry = &self.entries[index];
        let mut keys = Vec::new();
        if entry.value("type") == Some("NONE") {
            let has_file_system = entry.has_file_system();
            keys.push((
                "type",
                if has_file_system {
                    "YAFFS_IMG"
                } else {
                    "NORMAL_ROM"
                },
            ));
        }
        if entry.value("operation_type") == Some("INVISIBLE") {
            keys.push(("operation_type", "UPDATE"));
        }
        keys
    }

    /// Replaces a value wherever the entry gives it; whether it does.
    fn replace(&mut self, index: usize, key: &str, value: &str) -> bool {
        let mut found = false;
        let fields = self.entries[index].fields.iter_mut();
        for field in fields.filter(|field| field.key == key) {
            value.clone_into(&mut field.value);
            let line = &mut self.lines[field.line - 1];
            let text = line.trim_end();
            let blanks = line[text.len()..].to_owned();
            let start = line.find(':').map_or(text.len(), |colon| colon + 1);
            *line = format!("{} {value}{blanks}", &line[..start]);
            found = true;
        }
        found
    }

    /// Adds a key behind the name; whether there is a name.
    fn add(&mut self, index: usize, key: &str, value: &str) -> bool {
        let entry = &self.entries[index];
        let name = entry
            .field("partition_name")
            .filter(|_| !entry.name.is_empty());
        let Some(name) = name else {
            return false;
        };
        let line = &mut self.lines[name.line - 1];
        let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
        let end = line[line.trim_end().len()..].to_owned();
        let end = if end.contains('\n') { &*end } else { "\n" };
        let _ = write!(line, "{indent}{key}: {value}{end}");
        true
    }

    fn set_prefix(&mut self, index: usize) {
        let entry = &self.entries[index];
        let line = &mut self.lines[entry.line - 1];
        let start = line.len() - line.trim_start_matches('\u{FEFF}').trim_start().len();
        let (before, name) = line.split_at(start);
        let bare = name.strip_prefix(NOT_DOWNLOADED).unwrap_or(name);
        let prefix = if entry.download { "" } else { NOT_DOWNLOADED };
        *line = format!("{before}{prefix}{bare}");
    }
}

/// A file in the keyed grammar that describes `layout`. `file` names what is
/// downloaded to a partition; what has no file is not marked for download.
pub fn from_layout(layout: &Layout, file: impl Fn(&Partition) -> Option<String>) -> String {
    let rule = "#".repeat(108);
    let heading = |title: &str| format!("{rule}\n#\n#  {title}\n#\n{rule}\n");
    let mut text = heading("General Setting");
    let _ = write!(
        text,
        "- general: MTK_PLATFORM_CFG\n  info:\n    - config_version: V1.1.1\n      platform: MT6572\n      \
         project: {}\n      storage: EMMC\n      boot_channel: MSDC_0\n      block_size: 0x{:X}\n",
        layout.name, layout.block_bytes
    );
    text += &heading("Layout Setting");
    for (index, partition) in layout.partitions.iter().enumerate() {
        let name = &partition.name;
        let file = file(partition);
        let kind = match (&file, partition.in_user_area, partition.has_file_system) {
            (None, ..) => "NONE",
            (_, false, _) => "SV5_BL_BIN",
            (_, _, true) => "YAFFS_IMG",
            _ => "NORMAL_ROM",
        };
        let tail = matches!(partition.place, Place::Tail { .. });
        let region = if partition.in_user_area {
            "EMMC_USER"
        } else {
            "EMMC_BOOT_1"
        };
        let _ = write!(
            text,
            "- partition_index: SYS{index}\n  partition_name: {name}\n  file_name: {}\n  \
             is_download: {}\n  type: {kind}\n  linear_start_addr: 0x{:X}\n  \
             physical_start_addr: 0x0\n  partition_size: 0x{:X}\n  region: {region}\n  \
             storage: HW_STORAGE_EMMC\n  boundary_check: {}\n  is_reserved: {tail}\n  \
             operation_type: {}\n  reserve: 0x00\n\n",
            file.as_deref().unwrap_or(NO_FILE),
            file.is_some(),
            partition.place.address(),
            partition.size,
            !tail,
            operation(name, file.is_some()),
        );
    }
    text
}

/// What flash tools may do with a partition, as MT6572 generators write it.
pub fn operation(name: &str, download: bool) -> &'static str {
    match name {
        "PRELOADER" | "DSP_BL" => "BOOTLOADERS",
        "NVRAM" => "BINREGION",
        "PRO_INFO" | "PROTECT_F" | "PROTECT_S" => "PROTECTED",
        "OTP" | "PMT" | "BMTPOOL" => "RESERVED",
        _ if download => "UPDATE",
        _ => "INVISIBLE",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scatter::parse;

    const MOBIWIRE: &str = include_str!("../../tests/data/mobiwire-s10/MT6572_Android_scatter.txt");

    #[test]
    fn what_is_not_changed_keeps_its_bytes() {
        for text in [
            MOBIWIRE.to_owned(),
            MOBIWIRE.replace('\n', " \t\r\n"),
            format!("\u{FEFF}{}", MOBIWIRE.trim_end()),
            "PRELOADER 0x0\r\n{\r\n}\r\n__NODL_MBR 0x600000 {}".to_owned(),
        ] {
            assert_eq!(Scatter::parse(&text).unwrap().to_text(), text);
        }
    }

    #[test]
    fn only_the_lines_that_were_asked_for_change() {
        for end in ["\n", "  \r\n"] {
            let before = MOBIWIRE.replace('\n', end);
            let mut scatter = Scatter::parse(&before).unwrap();
            let index = |name| scatter.entries.iter().position(|e| e.name == name).unwrap();
            let (mbr, uboot) = (index("MBR"), index("UBOOT"));
            scatter.set_download(mbr, None);
            scatter.set_download(uboot, Some("mine.bin"));
            let after = scatter.to_text();
            let changed: Vec<(&str, &str)> = before
                .split_inclusive('\n')
                .zip(after.split_inclusive('\n'))
                .filter(|(a, b)| a != b)
                .collect();
            assert_eq!(
                changed,
                [
                    (
                        &*format!("  file_name: MBR{end}"),
                        &*format!("  file_name: NONE{end}")
                    ),
                    (
                        &*format!("  is_download: true{end}"),
                        &*format!("  is_download: false{end}")
                    ),
                    (
                        &*format!("  file_name: lk.bin{end}"),
                        &*format!("  file_name: mine.bin{end}")
                    ),
                ]
            );
        }
    }

    #[test]
    fn keys_that_are_missing_are_added() {
        let text = MOBIWIRE
            .replace("  is_download: true\n", "")
            .replace("  file_name: MBR\n", "");
        let mut scatter = Scatter::parse(&text).unwrap();
        for _ in 0..2 {
            scatter.set_download(1, Some("m"));
        }
        let entry = &scatter.entries[1];
        assert_eq!((entry.download, entry.file()), (true, Some("m")));
        assert_eq!(
            scatter.to_text().len(),
            text.len() + "  is_download: true\n  file_name: m\n".len()
        );
    }

    #[test]
    fn the_old_grammar_has_a_prefix() {
        let text = "PRELOADER 0x0\r\n{\r\n}\r\n __NODL_MBR 0x600000\r\n{\r\n}\r\n";
        let mut scatter = Scatter::parse(text).unwrap();
        scatter.set_download(0, None);
        scatter.set_download(1, Some("MBR"));
        assert_eq!(
            scatter.to_text(),
            "__NODL_PRELOADER 0x0\r\n{\r\n}\r\n MBR 0x600000\r\n{\r\n}\r\n"
        );
    }

    #[test]
    fn a_new_file_is_what_a_generator_writes() {
        let layout = parse(MOBIWIRE).unwrap();
        let real = Scatter::parse(MOBIWIRE).unwrap();
        let made = from_layout(&layout, |partition| {
            real.find(&partition.name)
                .unwrap()
                .file()
                .map(str::to_owned)
        });
        assert_eq!(parse(&made).unwrap(), layout);
        // But for the column that is rubbish, and blank lines at the end.
        let lines = |text: &str| -> Vec<String> {
            let lines = text.trim_end().lines();
            lines
                .filter(|line| !line.contains("physical_start_addr"))
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(lines(&made), lines(MOBIWIRE));
    }
}
