//! Builds the contents of a phone's eMMC: user area and boot area 1.
//!
//! Images are written as sparse files and streamed, so a 32 GiB card costs
//! neither disk space nor memory.
//!
//! Source: facts/storage-and-images.md 4.1, 4.2, 4.3.

use crate::dos;
use crate::layout::{self, Layout, Partition, Place};
use crate::{pmt, preloader};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const HARDWARE_UNIT: u64 = 128 * 1024;
const CHUNK_BYTES: usize = 64 * 1024;
/// Room for USRDATA that a card gets when nobody says how big it is.
const DEFAULT_USRDATA: u64 = 0x8FBE_0000;

/// The sizes of a card, as EXT_CSD gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Card {
    /// EXT_CSD\[226\]: size of each boot area in units of 128 KiB.
    pub boot_size_mult: u8,
    /// EXT_CSD\[168\]: size of RPMB in units of 128 KiB.
    pub rpmb_size_mult: u8,
    /// Size of the user area in bytes.
    pub user_bytes: u64,
}

/// What a partition is filled with.
#[derive(Clone, Debug)]
pub enum Content {
    /// A file on the host.
    File(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// Why an image could not be built.
#[derive(Debug)]
pub enum Error {
    /// The layout is wrong.
    Layout(layout::Error),
    /// MBR and EBR cannot hold the layout.
    Tables(dos::Error),
    /// The PMT cannot hold the layout.
    Pmt(pmt::DoesNotFit),
    /// No combination of boot and RPMB sizes puts the MBR there.
    Hardware(u64),
    /// The card ends before the last partition begins.
    CardTooSmall(u64),
    /// A partition that the card's sizes put in front of the user area.
    OutsideUserArea(String),
    /// Content larger than its partition: name, content, partition.
    TooBig(String, u64, u64),
    /// Content for a place that is not written this way.
    NotAPlace(String),
    /// The preloader file is none.
    Preloader(preloader::NotAPreloader),
    /// Reading or writing failed, and at what.
    Io(String, io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout(why) => write!(f, "{why}"),
            Self::Tables(why) => write!(f, "{why}"),
            Self::Pmt(why) => write!(f, "{why}"),
            Self::Hardware(at) => write!(
                f,
                "no boot and RPMB sizes of a card add up to the MBR's linear address {at:#x}"
            ),
            Self::CardTooSmall(least) => {
                write!(
                    f,
                    "the user area must be at least {least} bytes for this layout"
                )
            }
            Self::OutsideUserArea(name) => {
                write!(f, "{name} begins before the user area of this card")
            }
            Self::TooBig(name, content, room) => write!(
                f,
                "{content} bytes do not fit the {room} bytes of partition {name}"
            ),
            Self::NotAPlace(name) => write!(f, "{name} cannot be given a file"),
            Self::Preloader(why) => write!(f, "preloader file: {why}"),
            Self::Io(what, why) => write!(f, "{what}: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<layout::Error> for Error {
    fn from(why: layout::Error) -> Self {
        Self::Layout(why)
    }
}

impl Card {
    /// A card on which the MBR of `layout` is sector 0 of the user area, with
    /// `user_bytes` of user area, or with what an A516 has left for USRDATA.
    ///
    /// Only on such a card does a mainline kernel find the partitions.
    pub fn for_layout(layout: &Layout, user_bytes: Option<u64>) -> Result<Self, Error> {
        let mbr = layout.mbr_linear()?;
        let units = mbr / HARDWARE_UNIT;
        let rpmb = if units >= 96 { 32 } else { 16 } + units % 2;
        let boot = units.checked_sub(rpmb).map(|both| both / 2);
        let boot_size_mult = boot
            .and_then(|boot| u8::try_from(boot).ok())
            .filter(|&boot| boot > 0 && mbr % HARDWARE_UNIT == 0)
            .ok_or(Error::Hardware(mbr))?;
        let natural = last_start(layout) + DEFAULT_USRDATA + layout.reserved_bytes() - mbr;
        Ok(Self {
            boot_size_mult,
            rpmb_size_mult: rpmb as u8,
            user_bytes: user_bytes.unwrap_or(natural),
        })
    }

    /// Size of one boot area in bytes.
    pub fn boot_bytes(&self) -> u64 {
        u64::from(self.boot_size_mult) * HARDWARE_UNIT
    }

    /// Bytes of boot 1, boot 2 and RPMB: the linear address at which the user
    /// area begins.
    pub fn hardware_bytes(&self) -> u64 {
        2 * self.boot_bytes() + u64::from(self.rpmb_size_mult) * HARDWARE_UNIT
    }

    /// Length of the linear space.
    pub fn total_bytes(&self) -> u64 {
        self.hardware_bytes() + self.user_bytes
    }
}

/// A card to be filled.
#[derive(Clone, Debug)]
pub struct Image {
    layout: Layout,
    card: Card,
    contents: Vec<(String, Content)>,
    preloader: Option<Vec<u8>>,
}

impl Image {
    /// An image of `card` partitioned by `layout`, empty but for its tables.
    pub fn new(layout: Layout, card: Card) -> Result<Self, Error> {
        layout.check()?;
        let tail = layout.reserved_bytes().max(pmt::FROM_END_BYTES);
        let least = (last_start(&layout) + 512 + tail).saturating_sub(card.hardware_bytes());
        if card.user_bytes < least || !card.user_bytes.is_multiple_of(512) {
            return Err(Error::CardTooSmall(least));
        }
        Ok(Self {
            layout,
            card,
            contents: Vec::new(),
            preloader: None,
        })
    }

    /// Puts `content` at the start of the partition called `name`. `PRELOADER`
    /// goes into boot area 1; content for `MBR` or `EBR1` replaces the table
    /// that would be made.
    pub fn put(&mut self, name: &str, content: Content) -> Result<(), Error> {
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
                Ok(self.card.user_bytes - u64::from(blocks) * self.layout.block_bytes)
            }
        }
    }

    /// Writes the user area to `out`, which has to be empty: what is not
    /// written is left as a hole.
    pub fn write_user(&self, out: &mut (impl Write + Seek)) -> Result<(), Error> {
        for table in dos::tables(&self.layout).map_err(Error::Tables)? {
            self.write_at(out, table.partition, &Content::Bytes(table.sector.to_vec()))?;
        }
        for (name, content) in &self.contents {
            self.write_at(out, name, content)?;
        }
        let pmt = pmt::tables(&self.layout, self.card.total_bytes()).map_err(Error::Pmt)?;
        let at = self.card.user_bytes - pmt::FROM_END_BYTES;
        copy_sparse(&mut pmt.as_slice(), out, at).map_err(|why| io_error("PMT", why))?;
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
        let done = match content {
            Content::Bytes(bytes) => copy_sparse(&mut bytes.as_slice(), out, at),
            Content::File(path) => File::open(path).and_then(|mut f| copy_sparse(&mut f, out, at)),
        };
        done.map_err(|why| io_error(name, why))
    }

    /// Bytes that `partition` has on this card.
    fn room(&self, partition: &Partition) -> u64 {
        match partition.place {
            Place::Linear(start) if start == last_start(&self.layout) => {
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

fn io_error(what: &str, why: io::Error) -> Error {
    Error::Io(what.to_owned(), why)
}

/// Linear start of the last partition before the tail reserves.
fn last_start(layout: &Layout) -> u64 {
    layout
        .partitions
        .iter()
        .filter_map(|partition| match partition.place {
            Place::Linear(start) => Some(start),
            Place::Tail { .. } => None,
        })
        .max()
        .unwrap_or(0)
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

/// Copies `from` to byte `at` of `out`, leaving holes where it is all zeros.
fn copy_sparse(from: &mut impl Read, out: &mut (impl Write + Seek), at: u64) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut position = at;
    loop {
        let mut filled = 0;
        while filled < CHUNK_BYTES {
            match from.read(&mut chunk[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        if filled == 0 {
            return Ok(());
        }
        if chunk[..filled].iter().any(|&byte| byte != 0) {
            out.seek(SeekFrom::Start(position))?;
            out.write_all(&chunk[..filled])?;
        }
        position += filled as u64;
    }
}

/// Gives `out` its full length without disturbing its last byte.
fn seal(out: &mut (impl Write + Seek), length: u64) -> io::Result<()> {
    if length > 0 && out.seek(SeekFrom::End(0))? < length {
        out.seek(SeekFrom::Start(length - 1))?;
        out.write_all(&[0])?;
    }
    out.flush()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn a516() -> Image {
        let layout = Layout::built_in("a516").unwrap();
        let card = Card::for_layout(&layout, None).unwrap();
        Image::new(layout, card).unwrap()
    }

    #[test]
    fn cards_fit_the_layouts_that_facts_name() {
        // facts/storage-and-images.md 4.1: MBR in MiB, EXT_CSD[226], [168].
        for (mib, boot, rpmb) in [(6, 16, 16), (12, 32, 32), (16, 48, 32), (20, 64, 32)] {
            let mut layout = Layout::built_in("a516").unwrap();
            layout.partitions[0].size = 0;
            layout.partitions[1].place = Place::Linear(mib << 20);
            let card = Card::for_layout(&layout, None).unwrap();
            assert_eq!((card.boot_size_mult, card.rpmb_size_mult), (boot, rpmb));
            assert_eq!(card.hardware_bytes(), mib << 20);
        }
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
    fn a_card_that_ends_too_early_is_refused() {
        let layout = Layout::built_in("a516").unwrap();
        let card = Card::for_layout(&layout, Some(0x5834_0000)).unwrap();
        assert!(matches!(
            Image::new(layout, card),
            Err(Error::CardTooSmall(_))
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

    #[test]
    fn zeros_become_holes_and_the_length_is_kept() {
        let mut data = vec![0; 3 * CHUNK_BYTES];
        data[2 * CHUNK_BYTES + 5] = 7;
        let mut out = io::Cursor::new(Vec::new());
        copy_sparse(&mut data.as_slice(), &mut out, 100).unwrap();
        seal(&mut out, 4 * CHUNK_BYTES as u64).unwrap();
        let written = out.into_inner();
        assert_eq!(written.len(), 4 * CHUNK_BYTES);
        assert_eq!(written[100..][..data.len()], data);
    }
}
