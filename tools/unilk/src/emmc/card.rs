//! The sizes of an eMMC's areas, which decide what an address means.
//!
//! Source: facts/storage-and-images.md 4.1.

use super::Error;
use crate::layout::Layout;

const HARDWARE_UNIT: u64 = 128 * 1024;
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

impl Card {
    /// A card on which the MBR of `layout` is sector 0 of the user area, with
    /// `user_bytes` of user area, or with what an A516 has left for USRDATA.
    ///
    /// Only on such a card does a mainline kernel find the partitions.
    pub fn for_layout(layout: &Layout, user_bytes: Option<u64>) -> Result<Self, Error> {
        let mbr = layout.mbr_linear()?;
        let natural = layout
            .last_start()
            .saturating_add(DEFAULT_USRDATA)
            .saturating_add(layout.reserved_bytes())
            .saturating_sub(mbr);
        Self::for_hardware(mbr, user_bytes.unwrap_or(natural))
    }

    /// A card whose boot areas and RPMB have `hardware_bytes` together, split as
    /// most cards have it.
    pub fn for_hardware(hardware_bytes: u64, user_bytes: u64) -> Result<Self, Error> {
        let units = hardware_bytes / HARDWARE_UNIT;
        let rpmb = if units >= 96 { 32 } else { 16 } + units % 2;
        let boot = units.checked_sub(rpmb).map(|both| both / 2);
        let boot_size_mult = boot
            .and_then(|boot| u8::try_from(boot).ok())
            .filter(|&boot| boot > 0 && hardware_bytes.is_multiple_of(HARDWARE_UNIT))
            .ok_or(Error::Hardware(hardware_bytes))?;
        Ok(Self {
            boot_size_mult,
            rpmb_size_mult: rpmb as u8,
            user_bytes,
        })
    }

    /// A card whose boot areas have `boot_bytes` each, of `hardware_bytes`
    /// together with RPMB.
    pub fn with_boot_areas(
        boot_bytes: u64,
        hardware_bytes: u64,
        user_bytes: u64,
    ) -> Result<Self, Error> {
        let units = |bytes: u64| {
            let whole = bytes.is_multiple_of(HARDWARE_UNIT);
            let units = u8::try_from(bytes / HARDWARE_UNIT).ok();
            units
                .filter(|_| whole)
                .ok_or(Error::Hardware(hardware_bytes))
        };
        let rpmb = boot_bytes
            .checked_mul(2)
            .and_then(|both| hardware_bytes.checked_sub(both))
            .ok_or(Error::Hardware(hardware_bytes))?;
        Ok(Self {
            boot_size_mult: units(boot_bytes)?,
            rpmb_size_mult: units(rpmb)?,
            user_bytes,
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
        self.hardware_bytes().saturating_add(self.user_bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::Place;

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
}
