//! The three address spaces of an MT6572 eMMC, as types that do not mix.
//!
//! Taking one for the other is the most frequent way to brick these phones:
//! *linear* counts the card's hardware partitions before the user area,
//! *logical* starts at the MBR, *physical* is what CMD18 takes. Which linear
//! address is which physical block depends on the fitted card. Source:
//! facts/storage-and-images.md 4.1.

/// Bytes of a sector; all three spaces count in sectors.
pub const SECTOR_BYTES: u64 = 512;

macro_rules! space {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub struct $name(u64);

        impl $name {
            /// The address of sector number `sector`.
            pub const fn from_sector(sector: u64) -> Self {
                Self(sector)
            }

            /// The address of a byte offset; `None` between two sectors.
            pub const fn from_bytes(bytes: u64) -> Option<Self> {
                if bytes % SECTOR_BYTES == 0 { Some(Self(bytes / SECTOR_BYTES)) } else { None }
            }

            /// Sector number.
            pub const fn sector(self) -> u64 {
                self.0
            }

            /// Byte offset; saturates (no card is that large).
            pub const fn bytes(self) -> u64 {
                self.0.saturating_mul(SECTOR_BYTES)
            }

            /// This address moved up by `sectors`.
            #[must_use]
            pub const fn offset(self, sectors: u64) -> Self {
                Self(self.0.saturating_add(sectors))
            }
        }
    };
}

space! {
    /// BOOT1, BOOT2, RPMB, GP1 to GP4 and user area, one after the other with
    /// the card's real sizes: the space of PMT, scatter files and preloader.
    Linear
}
space! {
    /// Linear less the linear start of the MBR: the space of the MBR and of
    /// `/dev/block/mmcblk0` in the vendor's kernel.
    Logical
}
space! {
    /// Block of the user area, as the card's commands count.
    Physical
}

error_enum! {
    /// Why an address has no counterpart in another space.
    pub enum AddressError {
        /// A linear address that lies in BOOT1, BOOT2, RPMB or a GP partition.
        BelowUser { /** Linear sector. */ sector: u64, /** First linear sector of the user area. */ user: u64 }
            => "ADR-BELOW", "linear sector {sector:#x} lies before the user area at {user:#x}: the table is for a card with smaller boot areas";
        /// Behind the last sector of the card.
        PastEnd { /** Physical sector. */ sector: u64, /** Sectors of the user area. */ sectors: u64 }
            => "ADR-END", "sector {sector:#x} is behind the card's last ({sectors:#x} sectors): the table is for a larger card";
    }
}

/// Sizes of a card's areas, from its EXT_CSD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AreaSizes {
    /// EXT_CSD byte 226: each boot area in units of 128 KiB.
    pub boot_mult: u8,
    /// EXT_CSD byte 168: RPMB in units of 128 KiB.
    pub rpmb_mult: u8,
    /// Sectors of the four general-purpose areas.
    pub gp_sectors: [u64; 4],
    /// Sectors of the user area.
    pub user_sectors: u64,
}

const MULT_SECTORS: u64 = 128 * 1024 / SECTOR_BYTES;

impl AreaSizes {
    /// Sectors before the user area in linear space. RPMB counts although
    /// nobody addresses it this way.
    pub fn hardware_sectors(&self) -> u64 {
        let areas = 2 * u64::from(self.boot_mult) + u64::from(self.rpmb_mult);
        self.gp_sectors
            .iter()
            .fold(areas * MULT_SECTORS, |sum, &gp| sum.saturating_add(gp))
    }

    /// Sectors of all areas together: the end of linear space.
    pub fn total_sectors(&self) -> u64 {
        self.hardware_sectors().saturating_add(self.user_sectors)
    }
}

/// Translates between the spaces for one card and one MBR position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Translation {
    areas: AreaSizes,
    mbr: Linear,
}

impl Translation {
    /// For the card `areas`, with the MBR at the start of its user area. That
    /// is so on most phones; [`Translation::with_mbr`] sets what was found.
    pub fn new(areas: AreaSizes) -> Self {
        Self {
            areas,
            mbr: Linear(areas.hardware_sectors()),
        }
    }

    /// The same card with the MBR at `mbr`.
    #[must_use]
    pub fn with_mbr(self, mbr: Linear) -> Self {
        Self { mbr, ..self }
    }

    /// The card's areas.
    pub fn areas(&self) -> &AreaSizes {
        &self.areas
    }

    /// Linear address of the MBR.
    pub fn mbr(&self) -> Linear {
        self.mbr
    }

    /// End of linear space: first sector that does not exist.
    pub fn end(&self) -> Linear {
        Linear(self.areas.total_sectors())
    }

    /// The user-area block of a linear address.
    pub fn physical(&self, linear: Linear) -> Result<Physical, AddressError> {
        let user = self.areas.hardware_sectors();
        let sector = linear.0.checked_sub(user).ok_or(AddressError::BelowUser {
            sector: linear.0,
            user,
        })?;
        if sector >= self.areas.user_sectors {
            return Err(AddressError::PastEnd {
                sector,
                sectors: self.areas.user_sectors,
            });
        }
        Ok(Physical(sector))
    }

    /// The linear address of a user-area block.
    pub fn linear(&self, physical: Physical) -> Linear {
        Linear(physical.0.saturating_add(self.areas.hardware_sectors()))
    }

    /// The linear address of a logical one.
    pub fn linear_of_logical(&self, logical: Logical) -> Linear {
        Linear(self.mbr.0.saturating_add(logical.0))
    }

    /// The logical address of a linear one; `None` before the MBR.
    pub fn logical(&self, linear: Linear) -> Option<Logical> {
        linear.0.checked_sub(self.mbr.0).map(Logical)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// 6 MiB of hardware partitions, 4 GiB of user area.
    const A516_CARD: AreaSizes = AreaSizes {
        boot_mult: 16,
        rpmb_mult: 16,
        gp_sectors: [0; 4],
        user_sectors: 0x80_0000,
    };

    #[test]
    fn uboot_of_the_a516_in_all_three_spaces() {
        let card = Translation::new(A516_CARD);
        assert_eq!(card.mbr().bytes(), 0x60_0000);
        let uboot = Linear::from_bytes(0x232_0000).unwrap();
        assert_eq!(card.physical(uboot).unwrap().bytes(), 0x1D2_0000);
        assert_eq!(card.logical(uboot).unwrap().bytes(), 0x1D2_0000);
        assert_eq!(
            card.linear_of_logical(Logical::from_bytes(0x1D2_0000).unwrap()),
            uboot
        );
    }

    #[test]
    fn a_smaller_boot_area_moves_the_mbr_off_block_zero() {
        // 2.5 MiB of hardware partitions under a layout made for 6 MiB: the
        // offset 0x380000 that host tools know as a second probe.
        let areas = AreaSizes {
            boot_mult: 8,
            rpmb_mult: 4,
            ..A516_CARD
        };
        let card = Translation::new(areas).with_mbr(Linear::from_bytes(0x60_0000).unwrap());
        assert_eq!(card.physical(card.mbr()).unwrap().bytes(), 0x38_0000);
        let uboot = card.linear_of_logical(Logical::from_bytes(0x1D2_0000).unwrap());
        assert_eq!(
            card.physical(uboot).unwrap().bytes(),
            0x1D2_0000 + 0x38_0000
        );
    }

    #[test]
    fn addresses_outside_the_user_area_are_refused() {
        let card = Translation::new(A516_CARD);
        let boot1 = Linear::from_sector(0);
        assert_eq!(
            card.physical(boot1),
            Err(AddressError::BelowUser {
                sector: 0,
                user: 0x3000
            })
        );
        assert!(
            card.physical(Linear::from_sector(0x3000 + 0x7F_FFFF))
                .is_ok()
        );
        assert_eq!(
            card.physical(card.end()),
            Err(AddressError::PastEnd {
                sector: 0x80_0000,
                sectors: 0x80_0000
            })
        );
        assert_eq!(Linear::from_bytes(0x1001), None);
        assert_eq!(card.logical(boot1), None);
    }

    #[test]
    fn gp_partitions_count_and_nothing_overflows() {
        let areas = AreaSizes {
            gp_sectors: [8, 0, 0, u64::MAX],
            ..A516_CARD
        };
        assert_eq!(areas.total_sectors(), u64::MAX);
        let card = Translation::new(areas);
        assert!(card.physical(Linear::from_sector(5)).is_err());
    }
}
