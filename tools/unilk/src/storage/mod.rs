//! A phone's storage as somebody read it out: a dump of the user area, a
//! linear dump with the hardware partitions in front, an Android sparse image
//! of either, or a directory of files named after partitions. Whatever it is,
//! it answers alike: which partitions there are, where they lie, and their
//! bytes.
//!
//! A dump does not say how big the card's boot areas are, and tables count
//! them. Where nobody gives the card's sizes, they are inferred from where the
//! MBR and the images really stand; that is said in the findings.
//!
//! Source: facts/storage-and-images.md 4.1, 4.3, 4.4, 11.5.

mod base;
mod common;
mod contents;
mod device;
mod directory;
mod image;
mod tell;
#[cfg(test)]
mod tests;

use crate::emmc::Card;
use crate::finding::Finding;
use crate::layout::Layout;
use crate::source::{Source, Window};
use crate::sparse;
use std::fmt;
use std::io;
use std::sync::Arc;
use unilk_core::partition::canonical;

/// Name of the stretch at the end of the user area that no table lists: the
/// last 2 MiB, with the PMT, its mirror and the download record.
pub const TAIL: &str = "TAIL";
/// Bytes of [`TAIL`].
pub const TAIL_BYTES: u64 = 2 << 20;

/// A part of the card that is addressed on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// First boot area: the preloader.
    Boot1,
    /// Second boot area.
    Boot2,
    /// Replay-protected memory; nobody addresses it, but addresses count it.
    Rpmb,
    /// Everything else.
    User,
}

impl Area {
    /// The word for it in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boot1 => "boot1",
            Self::Boot2 => "boot2",
            Self::Rpmb => "rpmb",
            Self::User => "user",
        }
    }
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Part {
    /// Name as in scatter files, upper case: `UBOOT`, `BOOTIMG`, [`TAIL`], ...
    pub name: String,
    /// Where it lies.
    pub area: Area,
    /// Its first byte in the area; 0 and meaningless unless [`Part::fixed`].
    pub start: u64,
    /// Its bytes: those that the table says, for files of their own without a
    /// table those of the file.
    pub len: u64,
    /// Its address as PMT and scatter files have it, where that is known.
    pub linear: Option<u64>,
    /// Whether the phone's place for it is known. It is not for files in a
    /// directory without a table.
    pub fixed: bool,
}

/// What told where the partitions are, most trustworthy first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The phone's own table, first copy.
    Pmt,
    /// The phone's own table, second copy.
    PmtMirror,
    /// A scatter file that was given.
    Scatter,
    /// The layout that all MT6572 phones share, from the MBR on.
    Mbr,
    /// The same, placed by the header of the UBOOT partition.
    UbootHeader,
    /// Names of files.
    FileNames,
}

impl Evidence {
    /// In words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Pmt => "the phone's partition table (PMT)",
            Self::PmtMirror => "the mirror of the phone's partition table (PMT)",
            Self::Scatter => "the scatter file",
            Self::Mbr => "the common layout, placed by the MBR",
            Self::UbootHeader => "the common layout, placed by the header of UBOOT",
            Self::FileNames => "the names of the files",
        }
    }
}

/// What the files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The user area.
    User,
    /// Boot areas, RPMB and user area, one behind the other.
    Linear,
    /// One file a partition.
    Files,
}

impl Shape {
    /// In words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::User => "dump of the user area",
            Self::Linear => "linear dump, boot areas in front",
            Self::Files => "one file a partition",
        }
    }
}

/// What is known besides the dump.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The phone's scatter file: used where the dump has no PMT, compared with
    /// it where it has one.
    pub scatter: Option<Layout>,
    /// The card's sizes.
    pub card: Option<Card>,
}

/// Why there is nothing to work with.
#[derive(Debug)]
pub enum Error {
    /// Neither PMT nor MBR nor a header of UBOOT: no partition can be told.
    NoTable,
    /// None of the files has the name of a partition.
    NoPartition,
    /// The image says it is sparse, and is damaged.
    Sparse(sparse::Error),
    /// It cannot be read.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTable => write!(
                f,
                "no partition table (PMT), no MBR and no header of UBOOT: this is no whole dump \
                 of an MT6572 phone; if it is a part of one, give the phone's scatter file"
            ),
            Self::NoPartition => write!(
                f,
                "no file here is named after a partition (uboot.bin, NVRAM, boot.img, ...)"
            ),
            Self::Sparse(why) => write!(f, "{why}"),
            Self::Io(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(why: io::Error) -> Self {
        Self::Io(why)
    }
}

/// Bytes of a partition.
pub type Bytes = Window<Arc<dyn Source>>;

/// A phone's partitions and where their bytes are.
pub struct Storage {
    parts: Vec<Part>,
    /// One for each of `parts`.
    bytes: Vec<Option<Bytes>>,
    shape: Shape,
    evidence: Evidence,
    findings: Vec<Finding>,
    hardware_bytes: Option<u64>,
    user: Option<Bytes>,
    whole: bool,
    layout: Option<Layout>,
}

impl Storage {
    /// A dump of the user area, or a linear one, raw or Android sparse; and
    /// boot area 1 if it was read out.
    ///
    /// # Errors
    /// [`Error`] if no partition can be told.
    pub fn open_image(
        user: Arc<dyn Source>,
        boot1: Option<Arc<dyn Source>>,
        options: &Options,
    ) -> Result<Self, Error> {
        image::open(user, boot1, options)
    }

    /// Files named after partitions: `uboot.bin`, `UBOOT`, `boot.img`,
    /// `preloader.bin`, `boot1.bin`. Others are told in the findings and left
    /// aside.
    ///
    /// # Errors
    /// [`Error`] if there is no partition among them.
    pub fn open_directory(
        files: Vec<(String, Arc<dyn Source>)>,
        options: &Options,
    ) -> Result<Self, Error> {
        directory::open(files, options)
    }

    /// All partitions in flash order, those without bytes included.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The partition called `name` or an alias of it, in any case.
    pub fn find(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| {
            part.name.eq_ignore_ascii_case(name)
                || canonical(&part.name).eq_ignore_ascii_case(canonical(name))
        })
    }

    /// The bytes of `part`, if any are there. Fewer than [`Part::len`] where
    /// the dump ends inside it.
    pub fn window(&self, part: &Part) -> Option<Bytes> {
        let index = self.parts.iter().position(|known| known == part)?;
        self.bytes.get(index)?.clone()
    }

    /// How many bytes of `part` are there.
    pub fn held(&self, part: &Part) -> u64 {
        self.window(part).map_or(0, |bytes| bytes.len())
    }

    /// What the files are.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// What told where the partitions are.
    pub fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// What is doubtful or wrong.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Bytes of boot areas and RPMB together, which is the linear address at
    /// which the user area begins; `None` where nothing tells it: then places in
    /// the user area are counted from the MBR.
    pub fn hardware_bytes(&self) -> Option<u64> {
        self.hardware_bytes
    }

    /// The user area, as far as it is there; `None` in a directory of files.
    pub fn user_area(&self) -> Option<&Bytes> {
        self.user.as_ref()
    }

    /// Whether the user area is there to its end.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The layout, with tail reserves, as the table or scatter file gives it;
    /// `None` where the common layout or file names had to do.
    pub fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }
}
