//! Tells what a file is from its first bytes, so that a tool can refuse to
//! pack a preloader as a bootloader and can explain a file that it was given.
//!
//! Source: facts/storage-and-images.md 1.4, 1.5, 2.3, 3, 4.2, 4.3, 4.8, 5.1,
//! 6.2, 6.5; magic numbers of other formats: their own documents.

use crate::backup::manifest;
use crate::bytes::u32_at;
use crate::mtk;
use unilk_core::{atags, bootarg, packed};

/// Bytes of a file that [`Kind::of`] wants to see: preloader marks may stand
/// anywhere in the first 64 KiB.
pub const HEAD_BYTES: usize = 64 * 1024;

/// What a file appears to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// MediaTek 512-byte header and payload.
    MediatekImage,
    /// Android boot or recovery image.
    BootImage,
    /// The half of an Android 11 boot image that the chip's maker provides.
    VendorBoot,
    /// First-stage loader, as a GFH file or with its eMMC header. Never flashed.
    Preloader,
    /// Image inside MediaTek's secure-boot wrapper.
    Signed,
    /// ELF executable.
    Elf,
    /// Flattened device tree.
    DeviceTree,
    /// Android's table of device trees or overlays (DTBO).
    DeviceTreeTable,
    /// ARM Linux zImage.
    ZImage,
    /// Payload of unilk without any header.
    Unilk,
    /// U-Boot's legacy image.
    UImage,
    /// Packed data: gzip, xz, lzma, lz4, lzo, bzip2, zstd.
    Compressed,
    /// An archive of files as RAM disks are.
    Cpio,
    /// MediaTek's list of a phone's partitions.
    Scatter,
    /// MBR or EBR.
    DosTable,
    /// MediaTek's partition management table.
    Pmt,
    /// What a flash tool noted of its last download.
    DownloadRecord,
    /// MediaTek's security region.
    SecRo,
    /// MediaTek's lock state.
    SecCfg,
    /// Tags for a kernel.
    Atags,
    /// What the preloader tells the bootloader.
    BootArgument,
    /// ext2, ext3 or ext4 file system.
    Ext,
    /// FAT file system.
    Fat,
    /// Android sparse image.
    Sparse,
    /// Log that unilk keeps over a reset.
    BootLog,
    /// Identification report of a boot of unilk.
    BootReport,
    /// What a phone remembers in MISC.
    Misc,
    /// Backup made by unilk.
    Backup,
    /// Archive of files: zip, rar, 7z, tar.
    Archive,
    /// Page of a web site, saved instead of a file.
    WebPage,
    /// Contents of a whole eMMC.
    Card,
    /// Nothing but 0x00 or nothing but 0xFF.
    Blank,
    /// Anything else.
    Unknown,
}

impl Kind {
    /// Recognises `head`, the first [`HEAD_BYTES`] of a file or all of it.
    /// [`Kind::Misc`] and [`Kind::Card`], and a [`Kind::BootLog`] whose first
    /// half was never written, cannot be told from that little.
    pub fn of(head: &[u8]) -> Self {
        // Scatter files and backups name or hold preloaders and are none.
        if is_scatter(head) {
            return Self::Scatter;
        }
        if let Some(first) = first_of_tar(head) {
            return if first == manifest::MEMBER {
                Self::Backup
            } else {
                Self::Archive
            };
        }
        if is_web_page(head) {
            return Self::WebPage;
        }
        if is_preloader(head) {
            return Self::Preloader;
        }
        let by_magic = MAGIC.iter().find(|(magic, _)| head.starts_with(magic));
        if let Some(&(_, kind)) = by_magic {
            return kind;
        }
        let word = |at| u32_at(head, at);
        match (word(0), word(4)) {
            (Some(mtk::MAGIC), _) => Self::MediatekImage,
            (Some(bootarg::MAGIC), _) => Self::BootArgument,
            (Some(2..=5), Some(atags::id::CORE)) => Self::Atags,
            _ if word(0x24) == Some(unilk_core::zimage::MAGIC) => Self::ZImage,
            _ if packed::is_ours(head) => Self::Unilk,
            _ if is_fat(head) => Self::Fat,
            _ if is_dos_table(head) => Self::DosTable,
            _ if is_ext(head) => Self::Ext,
            _ if is_blank(head) => Self::Blank,
            _ => Self::Unknown,
        }
    }

    /// The kind in words, with its article.
    pub fn describe(self) -> &'static str {
        match self {
            Self::MediatekImage => "an image with MediaTek's 512-byte header",
            Self::BootImage => "an Android boot image",
            Self::VendorBoot => "an Android vendor boot image",
            Self::Preloader => "a preloader (first-stage loader)",
            Self::Signed => "an image in MediaTek's secure-boot wrapper",
            Self::Elf => "an ELF file",
            Self::DeviceTree => "a flattened device tree",
            Self::DeviceTreeTable => "a table of device trees (DTBO)",
            Self::ZImage => "an ARM Linux zImage",
            Self::Unilk => "unilk's bare payload",
            Self::UImage => "a U-Boot legacy image",
            Self::Compressed => "packed data",
            Self::Cpio => "a cpio archive",
            Self::Scatter => "a scatter file",
            Self::DosTable => "an MBR or EBR sector",
            Self::Pmt => "a partition management table (PMT)",
            Self::DownloadRecord => "a flash tool's download record",
            Self::SecRo => "a security region (SECRO)",
            Self::SecCfg => "a lock state (SECCFG)",
            Self::Atags => "a list of kernel tags (ATAGs)",
            Self::BootArgument => "a boot argument of the preloader",
            Self::Ext => "an ext2/3/4 file system",
            Self::Fat => "a FAT file system",
            Self::Sparse => "an Android sparse image",
            Self::BootLog => "the log that unilk keeps over a reset",
            Self::BootReport => "an identification report of unilk",
            Self::Misc => "a MISC partition",
            Self::Backup => "a backup made by unilk",
            Self::Archive => "an archive of files",
            Self::WebPage => "a web page",
            Self::Card => "the contents of a whole eMMC",
            Self::Blank => "blank data",
            Self::Unknown => "unknown data",
        }
    }
}

/// Formats that begin with a magic number.
const MAGIC: [(&[u8], Kind); 32] = [
    (b"ANDROID!", Kind::BootImage),
    (b"VNDRBOOT", Kind::VendorBoot),
    (b"SSSS", Kind::Signed),
    (b"\x7fELF", Kind::Elf),
    (&[0xD0, 0x0D, 0xFE, 0xED], Kind::DeviceTree),
    (&[0xD7, 0xB7, 0xAB, 0x1E], Kind::DeviceTreeTable),
    (&[0x27, 0x05, 0x19, 0x56], Kind::UImage),
    (&[0x1F, 0x8B, 0x08], Kind::Compressed),
    (b"\xFD7zXZ\0", Kind::Compressed),
    (b"\x89LZO\0", Kind::Compressed),
    (&[0x02, 0x21, 0x4C, 0x18], Kind::Compressed),
    (&[0x04, 0x22, 0x4D, 0x18], Kind::Compressed),
    (&[0x28, 0xB5, 0x2F, 0xFD], Kind::Compressed),
    (b"BZh", Kind::Compressed),
    (&[0x5D, 0, 0, 0x80, 0], Kind::Compressed),
    (&[0x5D, 0, 0, 0, 4], Kind::Compressed),
    (b"070701", Kind::Cpio),
    (b"070702", Kind::Cpio),
    (b"1vTP", Kind::Pmt),
    (b"3vTP", Kind::Pmt),
    (b"1TPM", Kind::Pmt),
    (b"3TPM", Kind::Pmt),
    (b"DOWNLOAD INFORMATION!!", Kind::DownloadRecord),
    (b"AND_AC_REGION", Kind::SecRo),
    (b"AND_SECCFG_v", Kind::SecCfg),
    (&[0x3A, 0xFF, 0x26, 0xED], Kind::Sparse),
    (b"UKLG", Kind::BootLog),
    (b"unilkRPT", Kind::BootReport),
    (b"PK\x03\x04", Kind::Archive),
    (b"Rar!\x1A\x07", Kind::Archive),
    (b"7z\xBC\xAF\x27\x1C", Kind::Archive),
    (b"MSCF\0\0\0\0", Kind::Archive),
];

fn is_preloader(head: &[u8]) -> bool {
    const MARKS: [&[u8]; 7] = [
        b"EMMC_BOOT",
        b"SDMMC_BOOT",
        b"SF_BOOT",
        b"BRLYT",
        b"NFIINFO",
        b"MTK_BLOADER_INFO_v",
        b"AND_ROMINFO_v",
    ];
    let marked = |(at, first): (usize, &u8)| {
        matches!(first, b'A' | b'B' | b'E' | b'M' | b'N' | b'S')
            && MARKS.iter().any(|mark| head[at..].starts_with(mark))
    };
    head.starts_with(b"MMM\x01") || head.iter().enumerate().any(marked)
}

/// Either grammar: a key that only scatter files have, or a first line of name
/// and address.
fn is_scatter(head: &[u8]) -> bool {
    const KEYS: [&str; 2] = ["- general:", "- partition_index:"];
    let control = |&byte: &u8| byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t');
    let start = &head[..head.len().min(4096)];
    if start.is_empty() || start.iter().any(control) {
        return false;
    }
    let text = String::from_utf8_lossy(start);
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    if lines
        .clone()
        .any(|line| KEYS.iter().any(|key| line.starts_with(key)))
    {
        return true;
    }
    let mut words = lines.next().unwrap_or_default().split_whitespace();
    let named = words
        .next()
        .is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    let address = words.next().and_then(crate::bytes::parse_size);
    let brace = words.next().or_else(|| lines.next());
    named && address.is_some() && brace.is_some_and(|brace| brace.starts_with('{'))
}

/// Name of the first member, if it is a tar archive.
fn first_of_tar(head: &[u8]) -> Option<String> {
    let tar = head.get(257..).is_some_and(|at| at.starts_with(b"ustar"));
    tar.then(|| crate::bytes::text(&head[..100]))
}

/// What file hosters and captive portals send instead of a file.
fn is_web_page(head: &[u8]) -> bool {
    let start = head.trim_ascii_start();
    ["<!doctype html", "<html"].iter().any(|tag| {
        start
            .get(..tag.len())
            .is_some_and(|there| there.eq_ignore_ascii_case(tag.as_bytes()))
    })
}

fn is_fat(head: &[u8]) -> bool {
    let jump = matches!(head, [0xEB, _, 0x90, ..] | [0xE9, ..]);
    let named = [54, 82].iter().any(|&at| {
        head.get(at..)
            .is_some_and(|there| there.starts_with(b"FAT"))
    });
    jump && named && ends_as_boot_sector(head)
}

fn ends_as_boot_sector(head: &[u8]) -> bool {
    head.get(510..512) == Some(&[0x55, 0xAA])
}

/// At least one slot in use, and none with a status byte that no table has.
fn is_dos_table(head: &[u8]) -> bool {
    let Some(slots) = head.get(446..510) else {
        return false;
    };
    let mut slots = slots.chunks_exact(16);
    ends_as_boot_sector(head)
        && slots.clone().all(|slot| matches!(slot[0], 0 | 0x80))
        && slots.any(|slot| slot[4] != 0)
}

/// Magic 0xEF53 in the superblock 1024 bytes in, and a block size that can be.
fn is_ext(head: &[u8]) -> bool {
    let magic = head.get(0x438..0x43A) == Some(&[0x53, 0xEF]);
    magic && u32_at(head, 0x418).is_some_and(|shift| shift <= 6)
}

fn is_blank(head: &[u8]) -> bool {
    match head {
        [first @ (0 | 0xFF), rest @ ..] => rest.iter().all(|byte| byte == first),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_their_first_bytes() {
        assert_eq!(Kind::of(&[0x88, 0x16, 0x88, 0x58]), Kind::MediatekImage);
        assert_eq!(Kind::of(b"ANDROID!xx"), Kind::BootImage);
        assert_eq!(Kind::of(b"VNDRBOOT\x03"), Kind::VendorBoot);
        assert_eq!(Kind::of(b"SSSS...."), Kind::Signed);
        assert_eq!(Kind::of(b"\x7fELF"), Kind::Elf);
        assert_eq!(Kind::of(&[0xD0, 0x0D, 0xFE, 0xED]), Kind::DeviceTree);
        assert_eq!(Kind::of(&[0x1F, 0x8B, 8, 0]), Kind::Compressed);
        assert_eq!(Kind::of(b"LPLP"), Kind::BootArgument);
        assert_eq!(Kind::of(b"\x02\0\0\0\x01\0AT"), Kind::Atags);
        assert_eq!(Kind::of(b"1vTP1.0\0"), Kind::Pmt);
        assert_eq!(Kind::of(&[0; 4096]), Kind::Blank);
        assert_eq!(Kind::of(&[0xFF; 1]), Kind::Blank);
        assert_eq!(Kind::of(b"PK\x03\x04"), Kind::Archive);
        assert_eq!(Kind::of(b"\r\n<!DOCTYPE HTML><html>"), Kind::WebPage);
        assert_eq!(Kind::of(b"hello"), Kind::Unknown);
        assert_eq!(Kind::of(b""), Kind::Unknown);
    }

    #[test]
    fn a_preloader_is_known_in_every_wrapping() {
        assert_eq!(Kind::of(b"MMM\x01\x38\x00"), Kind::Preloader);
        assert_eq!(Kind::of(b"EMMC_BOOT\0\0\0"), Kind::Preloader);
        // Even behind a bootloader's header.
        let mut wrapped = vec![0x88, 0x16, 0x88, 0x58];
        wrapped.resize(0x4FC, 0);
        wrapped.extend_from_slice(b"AND_ROMINFO_v");
        assert_eq!(Kind::of(&wrapped), Kind::Preloader);
    }

    #[test]
    fn scatter_files_of_both_grammars_although_they_name_the_boot_area() {
        let keyed = b"# comment\r\n- general: MTK_PLATFORM_CFG\r\n  region: EMMC_BOOT_1\r\n";
        assert_eq!(Kind::of(keyed), Kind::Scatter);
        assert_eq!(Kind::of(b"PRELOADER 0x0\n{\n}\n"), Kind::Scatter);
        assert_eq!(Kind::of(b"PRELOADER 0x0 {\n}\n"), Kind::Scatter);
        assert_eq!(Kind::of(b"see 0x0 for more\n"), Kind::Unknown);
    }

    #[test]
    fn sectors_that_end_alike_are_told_apart() {
        let mut sector = vec![0; 512];
        sector[510..].copy_from_slice(&[0x55, 0xAA]);
        assert_eq!(Kind::of(&sector), Kind::Unknown);
        sector[446 + 4] = 5;
        assert_eq!(Kind::of(&sector), Kind::DosTable);
        sector[446] = 0x12;
        assert_eq!(Kind::of(&sector), Kind::Unknown);
        sector[..3].copy_from_slice(&[0xEB, 0x58, 0x90]);
        sector[82..87].copy_from_slice(b"FAT32");
        assert_eq!(Kind::of(&sector), Kind::Fat);
    }
}
