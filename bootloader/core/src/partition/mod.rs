//! The one table of partitions: where it comes from, how a name is looked up,
//! and which partitions nobody may write.
//!
//! Order of belief: PMT, its mirror, the built-in layout with the MBR found by
//! probing. Unlike the vendor's loaders, which take the entry with the same
//! *index* as in a compiled list, look-up is by name, so that a phone whose
//! table has an extra partition still works. Source:
//! facts/storage-and-images.md 3.6, 4.3, 4.4, 4.6.

mod builtin;
mod discover;
mod mbr;
mod pmt;

pub use builtin::{A516, LayoutEntry};
pub use discover::{Found, discover};
pub use mbr::{Mbr, MbrEntry, MbrError};
pub use pmt::{PMT_LEN, PMT_TAIL_BYTES, PmtCopy, parse_pmt};

use crate::address::{AddressError, Linear, Physical, Translation};
use heapless::Vec;

/// Most partitions a PMT holds.
pub const MAX_PARTITIONS: usize = 40;

/// A partition's name as the table spells it.
pub type Name = heapless::String<32>;

error_enum! {
    /// Why a partition table, or a partition, cannot be used.
    pub enum TableError {
        /// The card could not be read there.
        Read => "PT-READ", "partition table cannot be read from the card: check the eMMC";
        /// First word is not the copy's signature.
        Signature { /** The word found. */ found: u32 }
            => "PMT-SIG", "partition table has signature {found:#010x}: using the mirror or the built-in layout";
        /// Not version 1.0.
        Version { /** The word found. */ found: u32 }
            => "PMT-VER", "partition table has version {found:#010x}, expected \"1.0\": using the mirror or the built-in layout";
        /// The last word does not repeat the signature: a write was cut off.
        Tail { /** The word found. */ found: u32 }
            => "PMT-TAIL", "partition table ends with {found:#010x}, its writing was cut off: using the mirror or the built-in layout";
        /// No entry at all, or none named UBOOT.
        NoUboot => "PMT-UBOOT", "partition table has no UBOOT entry: using the mirror or the built-in layout";
        /// A name that is no text of at most 32 characters, or a place that
        /// is not on a sector boundary.
        Entry { /** Number of the entry. */ index: u8 }
            => "PMT-ENTRY", "partition table entry {index} is damaged: using the mirror or the built-in layout";
        /// Two entries claim the same sectors.
        Overlap { /** Number of an entry. */ first: u8, /** Number of the other. */ second: u8 }
            => "PMT-OVER", "partition table entries {first} and {second} overlap: using the mirror or the built-in layout";
        /// An entry ends behind the card.
        PastEnd { /** Number of the entry. */ index: u8 }
            => "PMT-END", "partition table entry {index} ends behind the card: using the mirror or the built-in layout";
        /// The name is in no table.
        Unknown => "PT-NAME", "no such partition on this phone: check the name and the layout";
        /// The partition holds what a phone cannot get back.
        Protected { /** What it holds. */ holds: &'static str }
            => "PT-PROT", "partition is never written, it holds {holds}: restore it only from this phone's own backup";
        /// More data than the partition has room for.
        TooSmall { /** Sectors wanted. */ sectors: u64, /** Sectors there are. */ room: u64 }
            => "PT-ROOM", "{sectors:#x} sectors do not fit into a partition of {room:#x}: wrong image or wrong partition";
    }
}

/// Where a table came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Source {
    /// PMT, first copy.
    Pmt,
    /// PMT, second copy.
    PmtMirror,
    /// Built-in layout; an MBR was found where it says.
    BuiltIn,
    /// Built-in layout; the MBR's place was inferred from the header of the
    /// UBOOT partition.
    BuiltInFromUboot,
    /// Built-in layout at a place that nothing confirms. Check the content of
    /// a partition before believing it, and write nothing.
    Assumed,
}

impl Source {
    /// Text for the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pmt => "PMT",
            Self::PmtMirror => "PMT mirror",
            Self::BuiltIn => "built-in layout at the MBR",
            Self::BuiltInFromUboot => "built-in layout at the UBOOT header",
            Self::Assumed => "built-in layout, unconfirmed",
        }
    }
}

/// One partition in linear space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Name as the table spells it.
    pub name: Name,
    /// First sector.
    pub start: Linear,
    /// Length.
    pub sectors: u64,
}

impl Partition {
    fn end(&self) -> u64 {
        self.start.sector().saturating_add(self.sectors)
    }
}

/// The partitions of one card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    entries: Vec<Partition, MAX_PARTITIONS>,
    source: Source,
    translation: Translation,
}

impl Table {
    /// Where the table came from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// How its addresses become blocks of the card.
    pub fn translation(&self) -> &Translation {
        &self.translation
    }

    /// All entries in the table's order.
    pub fn entries(&self) -> &[Partition] {
        &self.entries
    }

    /// The partition called `name`, or an alias of it (`SECURE` is `SECCFG`,
    /// `boot` is `BOOTIMG`, in any case).
    pub fn find(&self, name: &str) -> Option<&Partition> {
        self.entries
            .iter()
            .find(|entry| same_name(&entry.name, name))
    }

    /// First block and length of `name` in the user area.
    pub fn locate(&self, name: &str) -> Result<(Physical, u64), LocateError> {
        let entry = self
            .find(name)
            .ok_or(LocateError::Table(TableError::Unknown))?;
        let first = self
            .translation
            .physical(entry.start)
            .map_err(LocateError::Address)?;
        let card = self.translation.areas().user_sectors;
        if first.sector().saturating_add(entry.sectors) > card {
            let sector = first.sector().saturating_add(entry.sectors);
            return Err(LocateError::Address(AddressError::PastEnd {
                sector,
                sectors: card,
            }));
        }
        Ok((first, entry.sectors))
    }

    /// Allows a write of `sectors` to `name`, or says why not. Every writer
    /// asks here first.
    pub fn check_write(&self, name: &str, sectors: u64) -> Result<(), TableError> {
        if let Some(holds) = protected(name) {
            return Err(TableError::Protected { holds });
        }
        let entry = self.find(name).ok_or(TableError::Unknown)?;
        if sectors > entry.sectors {
            return Err(TableError::TooSmall {
                sectors,
                room: entry.sectors,
            });
        }
        Ok(())
    }

    /// Entries must lie on the card, in order that no two share a sector.
    fn check(&self) -> Result<(), TableError> {
        let end = self.translation.end().sector();
        for (index, entry) in (0u8..).zip(&self.entries) {
            if entry.end() > end {
                return Err(TableError::PastEnd { index });
            }
            for (second, other) in (0u8..).zip(&self.entries).skip(usize::from(index) + 1) {
                if entry.start.sector() < other.end() && other.start.sector() < entry.end() {
                    return Err(TableError::Overlap {
                        first: index,
                        second,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Why a partition's blocks cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LocateError {
    /// The table does not have it.
    Table(TableError),
    /// The card does not have it.
    Address(AddressError),
}

impl core::fmt::Display for LocateError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Table(error) => error.fmt(f),
            Self::Address(error) => error.fmt(f),
        }
    }
}

impl crate::Code for LocateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Table(error) => error.code(),
            Self::Address(error) => error.code(),
        }
    }
}

/// One partition under its names in scatter files, compiled tables and
/// kernels; the first is the scatter file's.
const ALIASES: [&[&str]; 8] = [
    &["SECCFG", "SECURE", "SECCNFG"],
    &["SEC_RO", "SECRO", "SECSTATIC"],
    &["ANDROID", "ANDSYSIMG", "SYSTEM"],
    &["USRDATA", "USER", "USERDATA"],
    &["EXPDB", "APANIC"],
    &["UBOOT", "LK"],
    &["BOOTIMG", "BOOT"],
    &["PRELOADER", "LOADER"],
];

fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || canonical(a).eq_ignore_ascii_case(canonical(b))
}

/// The scatter file's name for any alias; other names unchanged.
pub fn canonical(name: &str) -> &str {
    let group = ALIASES
        .iter()
        .find(|group| group.iter().any(|alias| alias.eq_ignore_ascii_case(name)));
    group
        .and_then(|group| group.first())
        .map_or(name, |first| first)
}

const IDENTITY: &str = "the phone's identity (IMEI, MAC, calibration)";
const SECURITY: &str = "the phone's security state";
const TABLES: &str = "the partition table";
const LOADER: &str = "the first loader";

/// What a partition holds that forbids writing it; `None` where writing is
/// allowed. A scatter file's own flags are not trusted on this.
pub fn protected(name: &str) -> Option<&'static str> {
    const PROTECTED: [(&str, &str); 13] = [
        ("PRELOADER", LOADER),
        ("DSP_BL", LOADER),
        ("MBR", TABLES),
        ("EBR", TABLES),
        ("PMT", TABLES),
        ("BMTPOOL", TABLES),
        ("PRO_INFO", IDENTITY),
        ("NVRAM", IDENTITY),
        ("PROTECT_F", IDENTITY),
        ("PROTECT_S", IDENTITY),
        ("SECCFG", SECURITY),
        ("SEC_RO", SECURITY),
        ("OTP", SECURITY),
    ];
    let name = canonical(name);
    // EBR1, EBR2, ...
    let stem = match name.get(..3) {
        Some(stem) if stem.eq_ignore_ascii_case("EBR") => stem,
        _ => name,
    };
    PROTECTED
        .iter()
        .find(|(entry, _)| entry.eq_ignore_ascii_case(stem))
        .map(|&(_, holds)| holds)
}

#[cfg(test)]
mod tests;
