//! Tells what a file is from its first bytes, so that a tool can refuse to
//! pack a preloader as a bootloader and can explain a file that it was given.
//!
//! Source: facts/storage-and-images.md 1.4, 1.5, 2.3, 5.1.

use crate::mtk;

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
    /// First-stage loader, as a GFH file or with its eMMC header. Never flashed.
    Preloader,
    /// Image inside MediaTek's secure-boot wrapper.
    Signed,
    /// ELF executable.
    Elf,
    /// Flattened device tree.
    DeviceTree,
    /// ARM Linux zImage.
    ZImage,
    /// Anything else.
    Unknown,
}

impl Kind {
    /// Recognises `head`, the first [`HEAD_BYTES`] of a file or all of it.
    pub fn of(head: &[u8]) -> Self {
        if is_preloader(head) {
            return Self::Preloader;
        }
        let word = crate::bytes::u32_at(head, 0);
        if word == Some(mtk::MAGIC) {
            Self::MediatekImage
        } else if head.starts_with(b"ANDROID!") {
            Self::BootImage
        } else if head.starts_with(b"SSSS") {
            Self::Signed
        } else if head.starts_with(b"\x7fELF") {
            Self::Elf
        } else if head.starts_with(&[0xD0, 0x0D, 0xFE, 0xED]) {
            Self::DeviceTree
        } else if crate::bytes::u32_at(head, 0x24) == Some(0x016F_2818) {
            Self::ZImage
        } else {
            Self::Unknown
        }
    }

    /// The kind in words, with its article.
    pub fn describe(self) -> &'static str {
        match self {
            Self::MediatekImage => "an image with MediaTek's 512-byte header",
            Self::BootImage => "an Android boot image",
            Self::Preloader => "a preloader (first-stage loader)",
            Self::Signed => "an image in MediaTek's secure-boot wrapper",
            Self::Elf => "an ELF file",
            Self::DeviceTree => "a flattened device tree",
            Self::ZImage => "an ARM Linux zImage",
            Self::Unknown => "unknown data",
        }
    }
}

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
    head.starts_with(b"MMM\x01")
        || MARKS
            .iter()
            .any(|mark| head.windows(mark.len()).any(|window| window == *mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_their_first_bytes() {
        assert_eq!(Kind::of(&[0x88, 0x16, 0x88, 0x58]), Kind::MediatekImage);
        assert_eq!(Kind::of(b"ANDROID!xx"), Kind::BootImage);
        assert_eq!(Kind::of(b"SSSS...."), Kind::Signed);
        assert_eq!(Kind::of(b"\x7fELF"), Kind::Elf);
        assert_eq!(Kind::of(&[0xD0, 0x0D, 0xFE, 0xED]), Kind::DeviceTree);
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
}
