//! Builds the contents of a phone's eMMC: user area and boot area 1.
//!
//! Images are written as sparse files and streamed, so a 32 GiB card costs
//! neither disk space nor memory.

use super::copy::{copy_sparse, seal};
use super::{Card, Error, io_error};
use crate::dos;
use crate::layout::{Layout, Partition, Place};
use crate::storage::{TAIL, TAIL_BYTES};
use crate::{pmt, preloader};
use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

/// Largest user area: tables have 32 bits for a sector's number.
const CARD_MAX: u64 = 1 << 41;

/// What a partition is filled with.
#[derive(Clone, Debug)]
pub enum Content {
    /// A file on the host.
    File(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// A card to be filled.
#[derive(Clone, Debug)]
pub struct Image {
    layout: Layout,
    card: Card,
    contents: Vec<(String, Content)>,
    preloader: Option<Vec<u8>>,
    tail: Option<Content>,
}

impl Image {
    /// An image of `card` partitioned by `layout`, empty but for its tables.
    pub fn new(layout: Layout, card: Card) -> Result<Self, Error> {
        layout.check()?;
        let tail = layout.reserved_bytes().max(pmt::FROM_END_BYTES);
        let least = layout
            .last_start()
            .saturating_add(512 + tail)
            .saturating_sub(card.hardware_bytes())
            .max(tail);
        if card.user_bytes > CARD_MAX {
            return Err(Error::CardTooBig(card.user_bytes));
        }
        if card.user_bytes < least || !card.user_bytes.is_multiple_of(512) {
            return Err(Error::CardTooSmall(least));
        }
        Ok(Self {
            layout,
            card,
            contents: Vec::new(),
            preloader: None,
            tail: None,
        })
    }

    /// Puts `content` at the start of the partition called `name`. `PRELOADER`
    /// goes into boot area 1; content for `MBR`, `EBR1` or `TAIL`, the last
    /// 2 MiB with the PMT, replaces the tables that would be made.
    pub fn put(&mut self, name: &str, content: Content) -> Result<(), Error> {
        if name.eq_ignore_ascii_case(TAIL) {
            let size = content_bytes(&content)?;
            if size != TAIL_BYTES {
                return Err(Error::TailSize(size));
            }
            self.tail = Some(content);
            return Ok(());
        }
        let partition = self.layout.find(name)?.clone();
        if !partition.in_user_area {
            let file = read(&content, self.card.boot_bytes())?;
            self.preloader = Some(preloader::boot_area(&file).map_err(Error::Preloader)?);
            return Ok(());
        }
        if matches!(partition.place, Place::Tail { .. }) {
            return Err(Error::NotAPlace(partition.name));
        }
        let size = content_bytes(&content)?;
        let room = self.room(&partition);
        if size > room {
            return Err(Error::TooBig(partition.name, size, room));
        }
        self.contents.push((partition.name, content));
        Ok(())
    }

    /// Byte offset of `partition` in the user area of this card.
    pub fn user_offset(&self, partition: &Partition) -> Result<u64, Error> {
        match partition.place {
            Place::Linear(linear) => linear
                .checked_sub(self.card.hardware_bytes())
                .ok_or_else(|| Error::OutsideUserArea(partition.name.clone())),
            Place::Tail { blocks } => {
                let reserve = u64::from(blocks) * self.layout.block_bytes;
                let start = self.card.user_bytes.checked_sub(reserve);
                start.ok_or_else(|| Error::OutsideUserArea(partition.name.clone()))
            }
        }
    }

    /// Writes the user area to `out`, which has to be empty: what is not
    /// written is left as a hole.
    pub fn write_user(&self, out: &mut (impl Write + Seek)) -> Result<(), Error> {
        match dos::tables(&self.layout) {
            Ok(tables) => {
                for table in tables
                    .iter()
                    .filter(|table| !self.has_content(table.partition))
                {
                    let content = Content::Bytes(table.sector.to_vec());
                    self.write_at(out, table.partition, &content)?;
                }
            }
            // Given all of them, none is made.
            Err(_) if self.has_content("MBR") && self.has_content("EBR1") => {}
            Err(why) => return Err(Error::Tables(why)),
        }
        for (name, content) in &self.contents {
            self.write_at(out, name, content)?;
        }
        if let Some(tail) = &self.tail {
            let at = self.card.user_bytes.saturating_sub(TAIL_BYTES);
            write_content(out, at, TAIL, tail)?;
        } else {
            let pmt = pmt::tables(&self.layout, self.card.total_bytes()).map_err(Error::Pmt)?;
            let at = self.card.user_bytes - pmt::FROM_END_BYTES;
            copy_sparse(&mut pmt.as_slice(), out, at).map_err(|why| io_error("PMT", why))?;
        }
        seal(out, self.card.user_bytes).map_err(|why| io_error("user area", why))
    }

    /// Writes boot area 1 to `out`, which has to be empty.
    pub fn write_boot1(&self, out: &mut (impl Write + Seek)) -> Result<(), Error> {
        let made;
        let area = if let Some(given) = &self.preloader {
            given
        } else {
            made = preloader::boot_area(&preloader::placeholder()).map_err(Error::Preloader)?;
            &made
        };
        let (size, room) = (area.len() as u64, self.card.boot_bytes());
        if size > room {
            return Err(Error::TooBig("PRELOADER".to_owned(), size, room));
        }
        copy_sparse(&mut area.as_slice(), out, 0)
            .and_then(|()| seal(out, room))
            .map_err(|why| io_error("boot area 1", why))
    }

    /// The card.
    pub fn card(&self) -> Card {
        self.card
    }

    /// The layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    fn write_at(
        &self,
        out: &mut (impl Write + Seek),
        name: &str,
        content: &Content,
    ) -> Result<(), Error> {
        let at = self.user_offset(self.layout.find(name)?)?;
        write_content(out, at, name, content)
    }

    fn has_content(&self, name: &str) -> bool {
        self.contents.iter().any(|(given, _)| given == name)
    }

    /// Bytes that `partition` has on this card.
    fn room(&self, partition: &Partition) -> u64 {
        match partition.place {
            Place::Linear(start) if start == self.layout.last_start() => {
                pmt::rest(&self.layout, self.card.total_bytes(), start)
            }
            _ => partition.size,
        }
    }
}

/// Creates `path` anew and lets `write` fill it.
pub fn create(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut file = File::create(path).map_err(|why| io_error(&path.display().to_string(), why))?;
    write(&mut file)
}

fn write_content(
    out: &mut (impl Write + Seek),
    at: u64,
    name: &str,
    content: &Content,
) -> Result<(), Error> {
    let done = match content {
        Content::Bytes(bytes) => copy_sparse(&mut bytes.as_slice(), out, at),
        Content::File(path) => File::open(path).and_then(|mut f| copy_sparse(&mut f, out, at)),
    };
    done.map_err(|why| io_error(name, why))
}

fn content_bytes(content: &Content) -> Result<u64, Error> {
    match content {
        Content::Bytes(bytes) => Ok(bytes.len() as u64),
        Content::File(path) => std::fs::metadata(path)
            .map(|metadata| metadata.len())
            .map_err(|why| io_error(&path.display().to_string(), why)),
    }
}

/// Reads content that has to be held in memory, at most `limit` bytes of it.
fn read(content: &Content, limit: u64) -> Result<Vec<u8>, Error> {
    let size = content_bytes(content)?;
    if size > limit {
        return Err(Error::TooBig("PRELOADER".to_owned(), size, limit));
    }
    match content {
        Content::Bytes(bytes) => Ok(bytes.clone()),
        Content::File(path) => {
            std::fs::read(path).map_err(|why| io_error(&path.display().to_string(), why))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout;
    use std::io::{self, SeekFrom};

    fn a516() -> Image {
        let layout = Layout::built_in("a516").unwrap();
        let card = Card::for_layout(&layout, None).unwrap();
        Image::new(layout, card).unwrap()
    }

    #[test]
    fn the_default_card_leaves_usrdata_what_an_a516_has() {
        let image = a516();
        assert_eq!(
            image.card().total_bytes(),
            0x5834_0000 + 0x8FBE_0000 + 0x150_0000
        );
        let usrdata = image.layout().find("USRDATA").unwrap().clone();
        assert_eq!(image.room(&usrdata), 0x8FBE_0000);
    }

    #[test]
    fn user_offsets_follow_the_card_not_the_layout() {
        let layout = Layout::built_in("a516").unwrap();
        // A card with 2.5 MiB of hardware partitions: the MBR is at 0x380000.
        let card = Card {
            boot_size_mult: 8,
            rpmb_size_mult: 4,
            user_bytes: 0xF000_0000,
        };
        let image = Image::new(layout, card).unwrap();
        let offset = |name| image.user_offset(image.layout().find(name).unwrap());
        assert_eq!(offset("MBR").unwrap(), 0x38_0000);
        assert_eq!(offset("UBOOT").unwrap(), 0x1D2_0000 + 0x38_0000);
        assert!(matches!(
            offset("PRELOADER"),
            Err(Error::OutsideUserArea(_))
        ));
    }

    #[test]
    fn content_must_fit_and_must_have_a_place() {
        let mut image = a516();
        let big = Content::Bytes(vec![1; 0x6_0001]);
        assert!(matches!(
            image.put("UBOOT", big),
            Err(Error::TooBig(_, 0x6_0001, 0x6_0000))
        ));
        assert!(matches!(
            image.put("NOSUCH", Content::Bytes(vec![])),
            Err(Error::Layout(layout::Error::Missing(_)))
        ));
        assert!(matches!(
            image.put("BMTPOOL", Content::Bytes(vec![])),
            Err(Error::NotAPlace(_))
        ));
        assert!(matches!(
            image.put("PRELOADER", Content::Bytes(vec![1; 64])),
            Err(Error::Preloader(_))
        ));
    }

    #[test]
    fn tables_that_are_given_are_not_made() {
        let mut image = a516();
        // What was read out of a blank phone has to stay blank.
        for (name, len) in [("MBR", 0x8_0000), ("EBR1", 0x8_0000), ("TAIL", 2 << 20)] {
            image.put(name, Content::Bytes(vec![0; len])).unwrap();
        }
        let mut out = Pieces::default();
        image.write_user(&mut out).unwrap();
        assert_eq!(out.0, [(image.card().user_bytes - 1, 1)]);
        let short = image.put("TAIL", Content::Bytes(vec![0; 512]));
        assert!(matches!(short, Err(Error::TailSize(512))));
    }

    /// Where something was written, and how much.
    #[derive(Default)]
    struct Pieces(Vec<(u64, usize)>, u64);

    impl Write for Pieces {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.0.push((self.1, data.len()));
            self.1 += data.len() as u64;
            Ok(data.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Pieces {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            let end = self.0.iter().map(|(at, len)| at + *len as u64).max();
            self.1 = match to {
                SeekFrom::Start(at) => at,
                SeekFrom::End(by) => end.unwrap_or(0).saturating_add_signed(by),
                SeekFrom::Current(by) => self.1.saturating_add_signed(by),
            };
            Ok(self.1)
        }
    }

    #[test]
    fn a_card_that_ends_too_early_is_refused() {
        let layout = Layout::built_in("a516").unwrap();
        let card = Card::for_layout(&layout, Some(0x5834_0000)).unwrap();
        assert!(matches!(
            Image::new(layout.clone(), card),
            Err(Error::CardTooSmall(_))
        ));
        let card = Card::for_layout(&layout, Some(u64::MAX)).unwrap();
        assert!(matches!(
            Image::new(layout, card),
            Err(Error::CardTooBig(_))
        ));
    }

    #[test]
    fn boot_area_1_is_as_big_as_the_card_says() {
        let mut out = io::Cursor::new(Vec::new());
        a516().write_boot1(&mut out).unwrap();
        let area = out.into_inner();
        assert_eq!(area.len(), 16 * 128 * 1024);
        assert!(area.starts_with(b"EMMC_BOOT\0"));
    }
}
