//! Headers of Android boot images, versions 0 to 4: fields and the places of
//! the sections.
//!
//! Source: facts/storage-and-images.md 5.1; versions 1 to 4: AOSP's
//! description of the format, compared with what `mkbootimg` writes.

use crate::bytes::{text, u32_at};
use unilk_core::bytes::Bytes;

/// Page of versions 3 and 4, whatever anybody says.
const PAGE_OF_V3: u32 = 4096;

/// Load addresses; versions 3 and 4 have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Kernel.
    pub kernel: u32,
    /// RAM disk.
    pub ramdisk: u32,
    /// Second stage.
    pub second: u32,
    /// Tags.
    pub tags: u32,
}

/// A section: what it is called, its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// `kernel`, `ramdisk`, `second`, `recovery_dtbo`, `dtb`, `signature`.
    pub name: &'static str,
    /// First byte in the image.
    pub offset: u64,
    /// Bytes.
    pub len: u32,
}

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// 0 to 4.
    pub version: u32,
    /// Bytes of the header, where it says so.
    pub stated_bytes: Option<u32>,
    /// Page size in bytes; always 4096 from version 3 on.
    pub page_bytes: u32,
    /// Load addresses.
    pub addresses: Option<Addresses>,
    /// Where the device tree goes, of version 2.
    pub dtb_address: Option<u64>,
    /// Product name; none from version 3 on.
    pub name: Option<String>,
    /// Command line, both fields.
    pub cmdline: String,
    /// Android release and patch level, packed.
    pub os_version: u32,
    /// Check of the sections; none from version 3 on.
    pub id: Option<[u8; 32]>,
    /// Bytes of a table of device trees, which some chip makers' tools note
    /// where the version stands.
    pub tree_table_bytes: Option<u32>,
    /// Offset that version 1 gives for the recovery's overlays.
    pub dtbo_offset: Option<u64>,
    /// Sections with at least a byte, in order.
    pub sections: Vec<Section>,
}

impl Header {
    /// Reads the header at the start of `head`; `None` if it ends before its
    /// fields do.
    pub fn parse(head: &[u8]) -> Option<Self> {
        let word = |at| u32_at(head, at);
        match word(0x28)? {
            3 | 4 => Self::parse_new(head),
            version @ 0..=2 => Self::parse_old(head, version, None),
            // Older than versions: here stood the size of a device tree table.
            table => Self::parse_old(head, 0, Some(table)),
        }
    }

    fn parse_old(head: &[u8], version: u32, tree_table: Option<u32>) -> Option<Self> {
        let bytes = Bytes::new(head);
        let word = |at| bytes.u32(at);
        let cmdline = [bytes.slice(0x40, 512)?, bytes.slice(0x260, 1024)?];
        let cmdline = cmdline.map(text).concat();
        let dtbo = if version >= 1 { word(0x660)? } else { 0 };
        let dtb = if version == 2 { word(0x670)? } else { 0 };
        let page_bytes = word(0x24)?;
        let sizes = [
            ("kernel", word(0x08)?),
            ("ramdisk", word(0x10)?),
            ("second", word(0x18)?),
            ("recovery_dtbo", dtbo),
            ("dtb", dtb),
            ("device_trees", tree_table.unwrap_or(0)),
        ];
        Some(Self {
            version,
            stated_bytes: (version >= 1).then(|| word(0x66C)).flatten(),
            page_bytes,
            addresses: Some(Addresses {
                kernel: word(0x0C)?,
                ramdisk: word(0x14)?,
                second: word(0x1C)?,
                tags: word(0x20)?,
            }),
            dtb_address: (version == 2).then(|| bytes.u64(0x674)).flatten(),
            name: Some(text(bytes.slice(0x30, 16)?)),
            cmdline,
            os_version: word(0x2C)?,
            id: bytes.array(0x240),
            tree_table_bytes: tree_table,
            dtbo_offset: (version >= 1).then(|| bytes.u64(0x664)).flatten(),
            sections: lay_out(page_bytes, page_bytes.into(), &sizes),
        })
    }

    fn parse_new(head: &[u8]) -> Option<Self> {
        let bytes = Bytes::new(head);
        let word = |at| bytes.u32(at);
        let version = word(0x28)?;
        let signature = if version == 4 { word(0x62C)? } else { 0 };
        let sizes = [
            ("kernel", word(0x08)?),
            ("ramdisk", word(0x0C)?),
            ("signature", signature),
        ];
        Some(Self {
            version,
            stated_bytes: word(0x14),
            page_bytes: PAGE_OF_V3,
            addresses: None,
            dtb_address: None,
            name: None,
            cmdline: text(bytes.slice(0x2C, 1536)?),
            os_version: word(0x10)?,
            id: None,
            tree_table_bytes: None,
            dtbo_offset: None,
            sections: lay_out(PAGE_OF_V3, PAGE_OF_V3.into(), &sizes),
        })
    }

    /// The section called `name`.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// First byte behind the last section.
    pub fn end(&self) -> u64 {
        self.sections
            .last()
            .map_or(u64::from(self.page_bytes), |last| {
                last.offset + u64::from(last.len)
            })
    }
}

/// Places sections one behind the other, each on a page. No sum of these
/// 32-bit numbers reaches 64 bits.
pub fn lay_out(page: u32, first: u64, sizes: &[(&'static str, u32)]) -> Vec<Section> {
    let mut offset = first;
    let mut sections = Vec::new();
    for &(name, len) in sizes {
        if len != 0 {
            sections.push(Section { name, offset, len });
            offset = (offset + u64::from(len)).next_multiple_of(u64::from(page.max(1)));
        }
    }
    sections
}

/// Android release and patch level as people write them: `4.4.2, 2014-10`.
pub fn os_version(word: u32) -> Option<String> {
    let (release, patch) = (word >> 11, word & 0x7FF);
    let release = (release != 0).then(|| {
        let [a, b, c] = [release >> 14, release >> 7, release].map(|part| part & 0x7F);
        format!("{a}.{b}.{c}")
    });
    let patch = (patch != 0).then(|| format!("{}-{:02}", 2000 + (patch >> 4), patch & 15));
    let both: Vec<String> = release.into_iter().chain(patch).collect();
    (!both.is_empty()).then(|| both.join(", "))
}
