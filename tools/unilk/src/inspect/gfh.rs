//! The chain of records in front of a preloader's code.
//!
//! Source: facts/storage-and-images.md 2.1.

use crate::bytes::u32_at;
use unilk_core::bytes::Bytes;

/// How the first record begins: "MMM", version 1.
pub const MAGIC: &[u8] = b"MMM\x01";
/// How all begin. Later ones have versions of their own (BROM_CFG of a Mobiwire
/// S10 has 3).
const MARK: &[u8] = b"MMM";
/// Type of the first record.
const FILE_INFO: u16 = 0;
/// Chains have seven records at most.
const MOST: usize = 32;
/// Magic, size, type.
const RECORD_HEADER: usize = 8;

/// A record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// From the beginning of the chain.
    pub offset: usize,
    /// Its type.
    pub kind: u16,
    /// Bytes with its header.
    pub size: u16,
}

impl Record {
    /// Name of the type, and what is in it.
    pub fn name(self) -> &'static str {
        match self.kind {
            0 => "FILE_INFO: load address, lengths",
            1 => "BL_INFO: attributes",
            2 => "ANTI_CLONE",
            3 => "BL_SEC_KEY: key, not shown",
            7 => "BROM_CFG: settings of the boot ROM",
            8 => "BROM_SEC_CFG: debug ports",
            _ => "not known",
        }
    }
}

/// What the first record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// 1 = ARM bootloader.
    pub file_type: u16,
    /// 5 = eMMC, SD or NOR, 2 = NAND.
    pub flash_device: u8,
    /// How it is signed.
    pub signature_type: u8,
    /// Where the boot ROM puts the file.
    pub load_address: u32,
    /// Bytes of the file with its signature.
    pub file_bytes: u32,
    /// Most bytes it may have.
    pub max_bytes: u32,
    /// Where the code begins.
    pub content_offset: u32,
    /// Bytes of the signature at the end.
    pub signature_bytes: u32,
    /// Where the boot ROM jumps to.
    pub jump_offset: u32,
}

/// The records at the beginning of `data`, and whether the chain ends as one
/// does: where the content begins.
pub fn chain(data: &[u8]) -> (Vec<Record>, bool) {
    let bytes = Bytes::new(data);
    let content = file_info(data).map(|info| info.content_offset as usize);
    let mut records = Vec::new();
    let mut at = 0;
    while records.len() < MOST && Some(at) != content && bytes.slice(at, MARK.len()) == Some(MARK) {
        let (Some(size), Some(kind)) = (bytes.u16(at + 4), bytes.u16(at + 6)) else {
            break;
        };
        if usize::from(size) < RECORD_HEADER {
            break;
        }
        records.push(Record {
            offset: at,
            kind,
            size,
        });
        at += usize::from(size);
    }
    (records, content == Some(at))
}

/// The first record's fields.
pub fn file_info(data: &[u8]) -> Option<FileInfo> {
    let bytes = Bytes::new(data);
    let word = |at| u32_at(data, at);
    let first = bytes.slice(0, 4) == Some(MAGIC) && bytes.u16(6) == Some(FILE_INFO);
    let named = bytes.slice(8, 9) == Some(b"FILE_INFO");
    (first && named).then_some(())?;
    Some(FileInfo {
        file_type: bytes.u16(0x18)?,
        flash_device: bytes.u8(0x1A)?,
        signature_type: bytes.u8(0x1B)?,
        load_address: word(0x1C)?,
        file_bytes: word(0x20)?,
        max_bytes: word(0x24)?,
        content_offset: word(0x28)?,
        signature_bytes: word(0x2C)?,
        jump_offset: word(0x30)?,
    })
}
