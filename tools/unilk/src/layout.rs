//! Where partitions lie on a phone's eMMC, as a scatter file or a built-in
//! table gives it, with the three address spaces kept apart.
//!
//! Linear addresses count the hardware partitions (boot 1, boot 2, RPMB) in
//! front of the user area; logical ones start at the MBR; the place in the
//! user area depends on the fitted card. Confusing them is the most frequent
//! way to brick one of these phones.
//!
//! Source: facts/storage-and-images.md 3.2, 3.3, 3.4, 4.1.

use std::fmt;

/// Where a partition starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Byte address in the linear space.
    Linear(u64),
    /// So many blocks of [`Layout::block_bytes`] at the end of the card.
    Tail {
        /// Blocks reserved.
        blocks: u16,
    },
}

/// Addresses of this form, 0xFFFFxxxx, stand for xxxx blocks at the end.
const TAIL_MARK: u64 = 0xFFFF_0000;

impl Place {
    /// What the address in a scatter file or PMT stands for.
    pub fn of_address(address: u64) -> Self {
        if address & !0xFFFF == TAIL_MARK {
            Self::Tail {
                blocks: address as u16,
            }
        } else {
            Self::Linear(address)
        }
    }

    /// The address as scatter files and PMT have it.
    pub fn address(self) -> u64 {
        match self {
            Self::Linear(address) => address,
            Self::Tail { blocks } => TAIL_MARK | u64::from(blocks),
        }
    }
}

/// Whether a partition of this name lies in a boot area, not in the user area,
/// on every known phone.
pub fn is_in_boot_area(name: &str) -> bool {
    matches!(name, "PRELOADER" | "DSP_BL")
}

/// Whether a partition of this name holds a file system on every known phone,
/// and is therefore listed in MBR or EBR, although no file may be downloaded to
/// it and an old scatter file gives no type.
pub fn holds_file_system(name: &str) -> bool {
    matches!(
        name,
        "PROTECT_F"
            | "PROTECT_S"
            | "PRELOAD"
            | "CUSTPACK"
            | "ANDROID"
            | "CACHE"
            | "USRDATA"
            | "FAT"
    )
}

/// A partition of a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Upper-case name as in scatter files: `UBOOT`, `BOOTIMG`, ...
    pub name: String,
    /// Where it starts.
    pub place: Place,
    /// Size in bytes; 0 means "the rest of the card".
    pub size: u64,
    /// Whether it lies in the user area (the preloader does not).
    pub in_user_area: bool,
    /// Whether it holds a file system and is therefore listed in MBR or EBR.
    pub has_file_system: bool,
    /// Whether the scatter file marks it for download.
    pub download: bool,
}

/// All partitions of a phone, in flash order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What the layout is called: a built-in name or a scatter file's project.
    pub name: String,
    /// Unit of tail reserves in bytes: 128 KiB on eMMC.
    pub block_bytes: u64,
    /// Partitions in flash order.
    pub partitions: Vec<Partition>,
}

/// What is wrong with a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// No partition of this name.
    Missing(String),
    /// A name occurs twice.
    Twice(String),
    /// A partition starts before the previous one ends.
    Overlap(String, String),
    /// An address or size is not a whole number of 512-byte sectors, or
    /// reaches past 64 bits.
    Address(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "the layout has no partition {name}"),
            Self::Twice(name) => write!(f, "the layout has two partitions named {name}"),
            Self::Overlap(first, second) => write!(f, "{second} starts inside {first}"),
            Self::Address(name) => write!(f, "address or size of {name} makes no sense"),
        }
    }
}

impl std::error::Error for Error {}

/// Names of the built-in layouts, for messages.
pub const BUILT_IN: [&str; 2] = ["a516", "large-boot"];

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

impl Layout {
    /// The built-in layout called `name`.
    ///
    /// * `a516`: the layout of a Lenovo A516, verified on real dumps.
    /// * `large-boot`: the same order with the MBR at 12 MiB and 18 MiB for
    ///   BOOTIMG and RECOVERY, as phones repartitioned for current kernels
    ///   have it (Wiko Sunset 2).
    pub fn built_in(name: &str) -> Option<Self> {
        match name {
            "a516" => Some(Self::in_order(name, 6 * MIB, 6 * MIB)),
            "large-boot" => Some(Self::in_order(name, 12 * MIB, 18 * MIB)),
            _ => None,
        }
    }

    /// The stock order of partitions, packed one behind the other.
    fn in_order(name: &str, mbr_linear: u64, boot_bytes: u64) -> Self {
        // Name, size, file system, download.
        let table: [(&str, u64, bool, bool); 18] = [
            ("MBR", 512 * KIB, false, true),
            ("EBR1", 512 * KIB, false, true),
            ("PRO_INFO", 3 * MIB, false, false),
            ("NVRAM", 5 * MIB, false, false),
            ("PROTECT_F", 10 * MIB, true, false),
            ("PROTECT_S", 10 * MIB, true, false),
            ("SECCFG", 128 * KIB, false, false),
            ("UBOOT", 384 * KIB, false, true),
            ("BOOTIMG", boot_bytes, false, true),
            ("RECOVERY", boot_bytes, false, true),
            ("SEC_RO", 256 * KIB, false, true),
            ("MISC", 512 * KIB, false, false),
            ("LOGO", 3 * MIB, false, true),
            ("EXPDB", 10 * MIB, false, false),
            ("PRELOAD", 200 * MIB, true, true),
            ("ANDROID", 1024 * MIB, true, true),
            ("CACHE", 126 * MIB, true, true),
            ("USRDATA", 1536 * MIB, true, true),
        ];
        let mut partitions = vec![Partition {
            name: "PRELOADER".to_owned(),
            place: Place::Linear(0),
            size: mbr_linear,
            in_user_area: false,
            has_file_system: false,
            download: true,
        }];
        let mut linear = mbr_linear;
        for (name, size, has_file_system, download) in table {
            partitions.push(Partition {
                name: name.to_owned(),
                place: Place::Linear(linear),
                size,
                in_user_area: true,
                has_file_system,
                download,
            });
            linear += size;
        }
        partitions.push(Partition {
            name: "BMTPOOL".to_owned(),
            place: Place::Tail { blocks: 0xA8 },
            size: 21 * MIB,
            in_user_area: true,
            has_file_system: false,
            download: false,
        });
        Self {
            name: name.to_owned(),
            block_bytes: 128 * KIB,
            partitions,
        }
    }

    /// The partition called `name`, without regard to case.
    pub fn find(&self, name: &str) -> Result<&Partition, Error> {
        self.partitions
            .iter()
            .find(|partition| partition.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| Error::Missing(name.to_owned()))
    }

    /// Linear address of the MBR, which is logical address 0.
    pub fn mbr_linear(&self) -> Result<u64, Error> {
        match self.find("MBR")?.place {
            Place::Linear(address) => Ok(address),
            Place::Tail { .. } => Err(Error::Address("MBR".to_owned())),
        }
    }

    /// Logical address of `partition`, as MBR, EBR and /proc/dumchar_info have
    /// it; `None` for the preloader and the tail reserve.
    pub fn logical(&self, partition: &Partition) -> Result<Option<u64>, Error> {
        let mbr = self.mbr_linear()?;
        Ok(match partition.place {
            Place::Linear(linear) if partition.in_user_area => linear.checked_sub(mbr),
            _ => None,
        })
    }

    /// Bytes that tail reserves take from the end of the card.
    pub fn reserved_bytes(&self) -> u64 {
        self.partitions
            .iter()
            .map(|partition| match partition.place {
                Place::Tail { blocks } => u64::from(blocks) * self.block_bytes,
                Place::Linear(_) => 0,
            })
            .sum()
    }

    /// Linear start of the last partition before the tail reserves.
    pub fn last_start(&self) -> u64 {
        self.partitions
            .iter()
            .filter_map(|partition| match partition.place {
                Place::Linear(start) => Some(start),
                Place::Tail { .. } => None,
            })
            .max()
            .unwrap_or(0)
    }

    /// Checks that names are unique and that partitions do not overlap.
    pub fn check(&self) -> Result<(), Error> {
        let mut previous: Option<(&Partition, u64)> = None;
        for (index, partition) in self.partitions.iter().enumerate() {
            let name = &partition.name;
            if self.partitions[..index].iter().any(|p| p.name == *name) {
                return Err(Error::Twice(name.clone()));
            }
            let Place::Linear(start) = partition.place else {
                continue;
            };
            let end = start
                .checked_add(partition.size)
                .filter(|end| start % 512 == 0 && end % 512 == 0)
                .ok_or_else(|| Error::Address(name.clone()))?;
            if let Some((before, before_end)) = previous
                && start < before_end
            {
                return Err(Error::Overlap(before.name.clone(), name.clone()));
            }
            previous = Some((partition, end));
        }
        self.mbr_linear().map(|_| ())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_a516_table_is_that_of_the_phone() {
        // facts/storage-and-images.md 3.3: linear, size, logical.
        let table: [(&str, u64, u64, u64); 18] = [
            ("MBR", 0x60_0000, 0x8_0000, 0x0),
            ("EBR1", 0x68_0000, 0x8_0000, 0x8_0000),
            ("PRO_INFO", 0x70_0000, 0x30_0000, 0x10_0000),
            ("NVRAM", 0xA0_0000, 0x50_0000, 0x40_0000),
            ("PROTECT_F", 0xF0_0000, 0xA0_0000, 0x90_0000),
            ("PROTECT_S", 0x190_0000, 0xA0_0000, 0x130_0000),
            ("SECCFG", 0x230_0000, 0x2_0000, 0x1D0_0000),
            ("UBOOT", 0x232_0000, 0x6_0000, 0x1D2_0000),
            ("BOOTIMG", 0x238_0000, 0x60_0000, 0x1D8_0000),
            ("RECOVERY", 0x298_0000, 0x60_0000, 0x238_0000),
            ("SEC_RO", 0x2F8_0000, 0x4_0000, 0x298_0000),
            ("MISC", 0x2FC_0000, 0x8_0000, 0x29C_0000),
            ("LOGO", 0x304_0000, 0x30_0000, 0x2A4_0000),
            ("EXPDB", 0x334_0000, 0xA0_0000, 0x2D4_0000),
            ("PRELOAD", 0x3D4_0000, 0xC80_0000, 0x374_0000),
            ("ANDROID", 0x1054_0000, 0x4000_0000, 0xFF4_0000),
            ("CACHE", 0x5054_0000, 0x7E0_0000, 0x4FF4_0000),
            ("USRDATA", 0x5834_0000, 0x6000_0000, 0x57D4_0000),
        ];
        let layout = Layout::built_in("a516").unwrap();
        layout.check().unwrap();
        assert_eq!(layout.partitions.len(), 20);
        for (name, linear, size, logical) in table {
            let partition = layout.find(name).unwrap();
            assert_eq!(partition.place, Place::Linear(linear), "{name}");
            assert_eq!(partition.size, size, "{name}");
            assert_eq!(layout.logical(partition).unwrap(), Some(logical), "{name}");
        }
        assert_eq!(layout.reserved_bytes(), 0x150_0000);
    }

    #[test]
    fn every_built_in_layout_has_uboot_at_the_common_logical_address() {
        // facts/storage-and-images.md 3.4: the same on all known phones.
        for name in BUILT_IN {
            let layout = Layout::built_in(name).unwrap();
            layout.check().unwrap();
            let uboot = layout.find("uboot").unwrap();
            assert_eq!(layout.logical(uboot).unwrap(), Some(0x1D2_0000));
            assert_eq!(uboot.size, 0x6_0000);
        }
        let large = Layout::built_in("large-boot").unwrap();
        assert_eq!(
            large.find("UBOOT").unwrap().place,
            Place::Linear(0x292_0000)
        );
        assert_eq!(large.find("BOOTIMG").unwrap().size, 0x120_0000);
    }

    #[test]
    fn overlaps_and_doubles_are_found() {
        let mut layout = Layout::built_in("a516").unwrap();
        layout.partitions[8].size += 512;
        assert_eq!(
            layout.check(),
            Err(Error::Overlap("UBOOT".into(), "BOOTIMG".into()))
        );
        let mut layout = Layout::built_in("a516").unwrap();
        layout.partitions[9].name = "UBOOT".into();
        assert_eq!(layout.check(), Err(Error::Twice("UBOOT".into())));
        let mut layout = Layout::built_in("a516").unwrap();
        layout.partitions[18].size = u64::MAX - 511;
        assert_eq!(layout.check(), Err(Error::Address("USRDATA".into())));
    }
}
