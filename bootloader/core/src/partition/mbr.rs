//! MBR and EBR sectors as MediaTek writes them: DOS tables without boot code
//! in logical addresses, listing the file systems only. Boot reads them to
//! find where logical space begins. Source: facts/storage-and-images.md 4.2.

use crate::address::Logical;
use crate::bytes::Bytes;

/// Type of the slot that holds the EBR.
const EXTENDED: u8 = 0x05;
/// Where every MT6572 layout has EBR1: sector 0x400.
const EBR1_SECTOR: u64 = 0x400;

error_enum! {
    /// Why a sector is not one of these tables.
    pub enum MbrError {
        /// Fewer than 512 bytes.
        Short => "MBR-SHORT", "MBR is shorter than 512 bytes: check the eMMC";
        /// No 55 AA at the end.
        Signature => "MBR-SIG", "MBR does not end with 55 AA: the card is blank or the address is wrong";
    }
}

/// One slot in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MbrEntry {
    /// Partition type: 0x05 extended, 0x83 file system.
    pub kind: u8,
    /// First sector.
    pub start: Logical,
    /// Length; 0xFFFFFFFF less the start stands for "to the end".
    pub sectors: u32,
}

/// The four slots of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mbr {
    /// Slots in order; `None` where type and length are 0.
    pub slots: [Option<MbrEntry>; 4],
}

impl Mbr {
    /// Reads a sector whose addresses are relative to `base`: sector 0 for
    /// the MBR itself, the EBR's own place for an EBR.
    pub fn parse(data: &[u8], base: Logical) -> Result<Self, MbrError> {
        let bytes = Bytes::new(data.get(..512).ok_or(MbrError::Short)?);
        if bytes.u16(510) != Some(0xAA55) {
            return Err(MbrError::Signature);
        }
        let slots = core::array::from_fn(|slot| {
            let at = 0x1BE + 16 * slot;
            let kind = bytes.u8(at + 4)?;
            let start = base.offset(u64::from(bytes.u32(at + 8)?));
            (kind != 0).then_some(MbrEntry {
                kind,
                start,
                sectors: bytes.u32(at + 12)?,
            })
        });
        Ok(Self { slots })
    }

    /// True for the MBR that MediaTek's tools write: slot 0 is the extended
    /// partition with EBR1 in sector 0x400.
    pub fn is_mediatek(&self) -> bool {
        self.slots[0]
            .is_some_and(|slot| slot.kind == EXTENDED && slot.start.sector() == EBR1_SECTOR)
    }

    /// First file system behind the raw partitions (slot 3: PRELOAD, ANDROID
    /// or CUSTPACK): where the raw partitions end.
    pub fn raw_end(&self) -> Option<Logical> {
        self.slots[3].map(|slot| slot.start)
    }
}
