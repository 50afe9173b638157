//! ATAGs for the vendor's 3.4 kernels: writer, and the reader that checks it.
//!
//! The two Android generations differ in order and in one tag, so the list is
//! built per generation: 4.2 as in facts/storage-and-images.md 6.2 (verified
//! in a 4.2 image), 4.4 as in facts/soc.md 3.5, with MDINFO behind VIDEOLFB.

use crate::bootarg::{Bank, BootMode, MetaCom};
use crate::bytes::{Bytes, put, put_u32};
use crate::kernel::Generation;

/// Tag identifiers.
pub mod id {
    /// Starts the list.
    pub const CORE: u32 = 0x5441_0001;
    /// One memory bank.
    pub const MEM: u32 = 0x5441_0002;
    /// Framebuffer.
    pub const VIDEOLFB: u32 = 0x5441_0008;
    /// Kernel command line.
    pub const CMDLINE: u32 = 0x5441_0009;
    /// Initial RAM disk.
    pub const INITRD2: u32 = 0x5442_0005;
    /// MediaTek: boot mode.
    pub const BOOT: u32 = 0x4100_0802;
    /// MediaTek: channel of the META tool.
    pub const META_COM: u32 = 0x4100_0803;
    /// MediaTek: e-fuse words.
    pub const DEVINFO: u32 = 0x4100_0804;
    /// MediaTek: switches of the modem and the like, by name.
    pub const DFO: u32 = 0x4100_0805;
    /// MediaTek: modem types.
    pub const MDINFO: u32 = 0x4100_0806;
    /// Ends the list.
    pub const NONE: u32 = 0;
}

/// Machine type (r1) of every MT6572 kernel: decimal 6572.
pub const MACHINE_TYPE: u32 = 6572;
/// Words of the e-fuse mirror.
pub const DEVINFO_WORDS: usize = 26;
/// Entries of the DFO tag.
pub const DFO_ENTRIES: usize = 8;

const DFO_NAME: usize = 32;
const HEADER: usize = 8;

error_enum! {
    /// Why the list cannot be written.
    pub enum AtagError {
        /// More than the buffer holds.
        NoSpace { /** Bytes of the buffer. */ room: usize }
            => "TAG-SPACE", "kernel tags do not fit into {room} bytes: shorten the command line";
        /// A NUL in the command line.
        Cmdline => "TAG-CMD", "kernel command line contains a NUL: correct the boot image";
        /// More than eight DFO entries, or a name of more than 31 bytes.
        Dfo => "TAG-DFO", "DFO list has more than 8 entries or a name over 31 bytes: correct the LK environment";
    }
}

/// What the tags tell.
#[derive(Debug, Clone, Copy)]
pub struct Atags<'a> {
    /// Which order.
    pub generation: Generation,
    /// Boot mode.
    pub boot_mode: BootMode,
    /// Memory, the first MiB already taken off.
    pub banks: &'a [Bank],
    /// DFO switches; empty leaves the tag out and the kernel takes its
    /// defaults.
    pub dfo: &'a [(&'a str, u32)],
    /// META channel; told in the META and factory modes.
    pub meta: MetaCom,
    /// e-fuse mirror in the order of facts/soc.md 2.2.
    pub devinfo: &'a [u32; DEVINFO_WORDS],
    /// Modem types for 4.4. No MT6572 preloader tells them, so normally
    /// `None`, which leaves the tag out.
    pub modem_types: Option<[u8; 4]>,
    /// Command line.
    pub cmdline: &'a str,
    /// RAM disk.
    pub ramdisk: Option<Bank>,
    /// Framebuffer; of length 0 at 0 it says that we did not light the panel,
    /// and the kernel initialises it.
    pub framebuffer: Bank,
}

impl Atags<'_> {
    /// Writes the list and returns its length in bytes.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, AtagError> {
        let room = out.len();
        let mut writer = Writer { out, at: 0 };
        self.emit(&mut writer)
            .map_err(|problem| problem.unwrap_or(AtagError::NoSpace { room }))?;
        Ok(writer.at)
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), Option<AtagError>> {
        writer.words(id::CORE, &[])?;
        writer.words(id::BOOT, &[self.boot_mode as u32])?;
        for bank in self.banks {
            writer.words(id::MEM, &[bank.len, bank.base])?;
        }
        if !self.dfo.is_empty() {
            self.emit_dfo(writer)?;
        }
        if self.boot_mode.has_meta_com() {
            writer.words(id::META_COM, &[u32::from(self.meta.kind), self.meta.id])?;
        }
        self.emit_devinfo(writer)?;
        self.emit_cmdline(writer)?;
        if let Some(ramdisk) = self.ramdisk {
            writer.words(id::INITRD2, &[ramdisk.base, ramdisk.len])?;
        }
        // Size and colour fields: the vendor's loader leaves them undefined.
        writer.words(
            id::VIDEOLFB,
            &[0, 0, self.framebuffer.base, self.framebuffer.len, 0, 0],
        )?;
        if let (Generation::KitKat, Some(types)) = (self.generation, self.modem_types) {
            writer.words(id::MDINFO, &[u32::from_le_bytes(types)])?;
        }
        // The end tag has size 0.
        let end = writer.take(HEADER)?;
        end.fill(0);
        Ok(())
    }

    fn emit_dfo(&self, writer: &mut Writer<'_>) -> Result<(), Option<AtagError>> {
        let fits =
            self.dfo.len() <= DFO_ENTRIES && self.dfo.iter().all(|(name, _)| name.len() < DFO_NAME);
        if !fits {
            return Err(Some(AtagError::Dfo));
        }
        let payload = writer.tag(id::DFO, DFO_ENTRIES * (DFO_NAME + 4))?;
        payload.fill(0);
        for (index, (name, value)) in self.dfo.iter().enumerate() {
            put(payload, index * DFO_NAME, name.as_bytes()).ok_or(None)?;
            put_u32(payload, DFO_ENTRIES * DFO_NAME + 4 * index, *value).ok_or(None)?;
        }
        Ok(())
    }

    fn emit_devinfo(&self, writer: &mut Writer<'_>) -> Result<(), Option<AtagError>> {
        let payload = writer.tag(id::DEVINFO, 4 * (DEVINFO_WORDS + 1))?;
        for (index, word) in self.devinfo.iter().enumerate() {
            put_u32(payload, 4 * index, *word).ok_or(None)?;
        }
        put_u32(payload, 4 * DEVINFO_WORDS, DEVINFO_WORDS as u32).ok_or(None)
    }

    fn emit_cmdline(&self, writer: &mut Writer<'_>) -> Result<(), Option<AtagError>> {
        if self.cmdline.contains('\0') {
            return Err(Some(AtagError::Cmdline));
        }
        // Size in words is (8 + length + 5) / 4: text, NUL, padding.
        let payload = writer.tag(
            id::CMDLINE,
            ((HEADER + self.cmdline.len() + 5) & !3) - HEADER,
        )?;
        payload.fill(0);
        put(payload, 0, self.cmdline.as_bytes()).ok_or(None)
    }
}

struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
}

/// `None` stands for "no space"; the caller knows how much there was.
impl Writer<'_> {
    fn take(&mut self, len: usize) -> Result<&mut [u8], Option<AtagError>> {
        let end = self.at.checked_add(len).ok_or(None)?;
        let space = self.out.get_mut(self.at..end).ok_or(None)?;
        self.at = end;
        Ok(space)
    }

    fn tag(&mut self, id: u32, payload: usize) -> Result<&mut [u8], Option<AtagError>> {
        let space = self.take(HEADER + payload)?;
        put_u32(space, 0, (space.len() / 4) as u32).ok_or(None)?;
        put_u32(space, 4, id).ok_or(None)?;
        space.get_mut(HEADER..).ok_or(None)
    }

    fn words(&mut self, id: u32, words: &[u32]) -> Result<(), Option<AtagError>> {
        let payload = self.tag(id, 4 * words.len())?;
        for (slot, word) in payload.chunks_exact_mut(4).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        Ok(())
    }
}

/// One tag as read back.
#[derive(Debug, Clone, Copy)]
pub struct Tag<'a> {
    /// Identifier.
    pub id: u32,
    /// Payload without the two header words.
    pub payload: Bytes<'a>,
}

/// Reads a list: ends at the end tag, or early where it is damaged.
#[derive(Debug, Clone)]
pub struct Tags<'a> {
    data: Bytes<'a>,
    at: usize,
}

impl<'a> Tags<'a> {
    /// Reads from the CORE tag on.
    pub fn new(data: &'a [u8]) -> Self {
        Self {
            data: Bytes::new(data),
            at: 0,
        }
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        let words = self.data.u32(self.at)?;
        let id = self.data.u32(self.at.checked_add(4)?)?;
        if words < 2 || id == id::NONE {
            return None;
        }
        let len = usize::try_from(words).ok()?.checked_mul(4)?;
        let payload = Bytes::new(self.data.slice(self.at + HEADER, len - HEADER)?);
        self.at += len;
        Some(Tag { id, payload })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fuzz::fuzz;
    use std::vec::Vec;

    const DEVINFO: [u32; 26] = {
        let mut words = [0; 26];
        words[20] = 0x6572;
        words
    };

    fn tags() -> Atags<'static> {
        Atags {
            generation: Generation::JellyBean,
            boot_mode: BootMode::Normal,
            banks: &[Bank {
                base: 0x8010_0000,
                len: 0x1FF0_0000,
            }],
            dfo: &[],
            meta: MetaCom { kind: 2, id: 0 },
            devinfo: &DEVINFO,
            modem_types: None,
            cmdline: "console=tty0",
            ramdisk: Some(Bank {
                base: 0x8410_0000,
                len: 0x9_260D,
            }),
            framebuffer: Bank { base: 0, len: 0 },
        }
    }

    fn write(tags: &Atags<'_>) -> Vec<u8> {
        let mut out = std::vec![0xA5; 4096];
        let len = tags.write(&mut out).unwrap();
        out.truncate(len);
        out
    }

    fn ids(data: &[u8]) -> Vec<u32> {
        Tags::new(data).map(|tag| tag.id).collect()
    }

    #[test]
    fn jelly_bean_order_and_sizes() {
        let data = write(&tags());
        assert_eq!(
            ids(&data),
            [
                id::CORE,
                id::BOOT,
                id::MEM,
                id::DEVINFO,
                id::CMDLINE,
                id::INITRD2,
                id::VIDEOLFB
            ]
        );
        let words: Vec<_> = data
            .chunks(4)
            .map(|w| u32::from_le_bytes(w.try_into().unwrap()))
            .collect();
        assert_eq!(words[..5], [2, 0x5441_0001, 3, 0x4100_0802, 0]);
        assert_eq!(words[5..9], [4, 0x5441_0002, 0x1FF0_0000, 0x8010_0000]);
        assert_eq!((words[9], words[10]), (0x1D, 0x4100_0804));
        assert_eq!((words[11 + 20], words[11 + 26]), (0x6572, 26));
        // (8 + 12 + 5) / 4 words of command line, then the RAM disk.
        assert_eq!((words[38], words[39]), (6, 0x5441_0009));
        assert_eq!(words[44..48], [4, 0x5442_0005, 0x8410_0000, 0x9_260D]);
        assert_eq!(words[48..50], [8, 0x5441_0008]);
        assert_eq!(words[56..], [0, 0], "end tag");
    }

    #[test]
    fn kitkat_has_modem_types_behind_the_framebuffer() {
        let kitkat = Atags {
            generation: Generation::KitKat,
            modem_types: Some([1, 2, 0, 0]),
            ..tags()
        };
        let data = write(&kitkat);
        assert_eq!(ids(&data)[6..], [id::VIDEOLFB, id::MDINFO]);
        assert!(
            !ids(&write(&Atags {
                generation: Generation::JellyBean,
                ..kitkat
            }))
            .contains(&id::MDINFO)
        );
        let last = Tags::new(&data).last().unwrap();
        assert_eq!(last.payload.u32(0), Some(0x0201));
    }

    #[test]
    fn meta_and_dfo_where_they_belong() {
        let factory = Atags {
            boot_mode: BootMode::Factory,
            dfo: &[("MTK_ENABLE_MD1", 1), ("MD1_SIZE", 0x0120_0000)],
            banks: &[Bank { base: 1, len: 2 }, Bank { base: 3, len: 4 }],
            ramdisk: None,
            ..tags()
        };
        let data = write(&factory);
        assert_eq!(
            ids(&data),
            [
                id::CORE,
                id::BOOT,
                id::MEM,
                id::MEM,
                id::DFO,
                id::META_COM,
                id::DEVINFO,
                id::CMDLINE,
                id::VIDEOLFB
            ]
        );
        let dfo = Tags::new(&data)
            .find(|tag| tag.id == id::DFO)
            .unwrap()
            .payload;
        assert_eq!(dfo.len() / 4 + 2, 0x4A);
        assert_eq!(
            (dfo.text(32, 32), dfo.u32(256 + 4)),
            (Some("MD1_SIZE"), Some(0x0120_0000))
        );
    }

    #[test]
    fn command_line_always_ends_with_nul() {
        for len in 0..9 {
            let text = "x".repeat(len);
            let data = write(&Atags {
                cmdline: &text,
                ..tags()
            });
            let tag = Tags::new(&data).find(|tag| tag.id == id::CMDLINE).unwrap();
            assert_eq!(tag.payload.len() / 4 + 2, (8 + len + 5) >> 2);
            assert_eq!(tag.payload.u8(len), Some(0));
        }
        let mut out = [0; 4096];
        assert_eq!(
            Atags {
                cmdline: "a\0b",
                ..tags()
            }
            .write(&mut out),
            Err(AtagError::Cmdline)
        );
    }

    #[test]
    fn too_little_room_is_said_for_every_length() {
        let needed = write(&tags()).len();
        for room in 0..needed {
            assert_eq!(
                tags().write(&mut std::vec![0; room]),
                Err(AtagError::NoSpace { room })
            );
        }
        let mut out = [0; 4096];
        let nine = [("A", 0); 9];
        assert_eq!(
            Atags {
                dfo: &nine,
                ..tags()
            }
            .write(&mut out),
            Err(AtagError::Dfo)
        );
    }

    #[test]
    fn any_bytes_return() {
        fuzz(&write(&tags()), 10_000, |data| {
            assert!(Tags::new(data).count() <= data.len() / 8);
        });
    }
}
