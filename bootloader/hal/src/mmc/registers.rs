//! The card's own registers: CID, CSD and EXT_CSD.
//!
//! Source: facts/storage-and-images.md 4.1 and 8.5; JEDEC JESD84-B45 7.2 (CID),
//! 7.3 (CSD) and 7.4 (EXT_CSD).

use super::{BLOCK_BYTES, Response};

/// `width` bits from bit `low` on of a 128-bit register, word 0 lowest.
fn bits(words: &[u32; 4], low: usize, width: usize) -> u32 {
    let pair = |word: usize| words.get(word).copied().unwrap_or(0) as u64;
    let joined = pair(low / 32) | pair(low / 32 + 1) << 32;
    (joined >> (low % 32)) as u32 & (((1u64 << width) - 1) as u32)
}

/// Card identification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Cid {
    /// Maker, a number that JEDEC gives (0x15 Samsung, 0x90 Hynix, ...).
    pub manufacturer: u8,
    /// Product name, six characters, not checked to be ASCII.
    pub product: [u8; 6],
    /// Product revision, two digits.
    pub revision: u8,
    /// Serial number of this one card.
    pub serial: u32,
}

impl Cid {
    /// From the answer to CMD2.
    pub fn parse(response: &Response) -> Self {
        let words = &response.0;
        let mut product = [0; 6];
        for (i, byte) in product.iter_mut().enumerate() {
            *byte = bits(words, 96 - 8 * i, 8) as u8;
        }
        Self {
            manufacturer: bits(words, 120, 8) as u8,
            product,
            revision: bits(words, 48, 8) as u8,
            serial: bits(words, 16, 32),
        }
    }
}

/// Card-specific data: what a card without EXT_CSD says of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Csd {
    /// Version of the specification, 4 from MMC 4.0 on. EXT_CSD exists.
    pub spec_version: u8,
    /// User area in blocks, for cards up to 2 GiB.
    pub blocks: u32,
}

impl Csd {
    /// From the answer to CMD9.
    pub fn parse(response: &Response) -> Self {
        let words = &response.0;
        let read_block_log2 = bits(words, 80, 4);
        let size_log2 = bits(words, 47, 3) + 2 + read_block_log2;
        let size = bits(words, 62, 12) + 1;
        // At most 12 + 9 + 15 bits: the shift cannot lose any in 64.
        let bytes = (size as u64) << size_log2;
        Self {
            spec_version: bits(words, 122, 4) as u8,
            blocks: (bytes / BLOCK_BYTES as u64) as u32,
        }
    }
}

/// Sizes of the hardware areas, the terms of the linear address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AreaSizes {
    /// Bytes of BOOT1, and again of BOOT2.
    pub boot_bytes: u32,
    /// Bytes of RPMB.
    pub rpmb_bytes: u32,
    /// Bytes of GP1 to GP4.
    pub gp_bytes: [u64; 4],
    /// Blocks of the user area.
    pub user_blocks: u32,
}

/// Extended card-specific data, 512 bytes.
#[derive(Clone)]
pub struct ExtCsd(pub [u8; BLOCK_BYTES]);

impl ExtCsd {
    /// PARTITION_CONFIG: its low three bits select the area.
    pub const PARTITION_CONFIG: u8 = 179;
    /// BUS_WIDTH, write only: see [`super::Width`] and DDR.
    pub const BUS_WIDTH: u8 = 183;
    /// HS_TIMING: 1 is high speed.
    pub const HS_TIMING: u8 = 185;

    const BOOT_UNIT: u32 = 128 << 10;

    /// Any byte by its number.
    pub fn byte(&self, index: u8) -> u8 {
        self.0[index as usize]
    }

    /// EXT_CSD_REV: 5 is eMMC 4.41, 6 is 4.5.
    pub fn revision(&self) -> u8 {
        self.byte(192)
    }

    /// Whether the card runs at 26 MHz in high-speed timing.
    pub fn supports_hs26(&self) -> bool {
        self.byte(196) & 1 != 0
    }

    /// Whether the card runs at 52 MHz.
    pub fn supports_hs52(&self) -> bool {
        self.byte(196) & 1 << 1 != 0
    }

    /// Whether the card takes data on both edges at 1.8 or 3 V I/O.
    pub fn supports_ddr52(&self) -> bool {
        self.byte(196) & 1 << 2 != 0
    }

    /// How long a CMD6 may take, ms; 500 where the card does not say.
    pub fn switch_timeout_ms(&self) -> u32 {
        match self.byte(248) {
            0 => 500,
            units => units as u32 * 10,
        }
    }

    /// Sizes of all areas. Before revision 3 there is only the user area.
    /// `csd_blocks` counts for cards that do not give a number of sectors.
    pub fn areas(&self, csd_blocks: u32) -> AreaSizes {
        let sectors = u32::from_le_bytes([self.0[212], self.0[213], self.0[214], self.0[215]]);
        let user_blocks = if sectors == 0 { csd_blocks } else { sectors };
        if self.revision() < 3 {
            return AreaSizes {
                user_blocks,
                ..AreaSizes::default()
            };
        }
        let protect_group = self.byte(221) as u64 * self.byte(224) as u64 * (512 << 10);
        let mut gp_bytes = [0; 4];
        for (bytes, mult) in gp_bytes.iter_mut().zip(self.0[143..155].chunks_exact(3)) {
            let mult = u32::from_le_bytes([mult[0], mult[1], mult[2], 0]);
            *bytes = mult as u64 * protect_group;
        }
        AreaSizes {
            boot_bytes: self.byte(226) as u32 * Self::BOOT_UNIT,
            rpmb_bytes: self.byte(168) as u32 * Self::BOOT_UNIT,
            gp_bytes,
            user_blocks,
        }
    }

    /// Whether `other` was read from the same card: compares the bytes from
    /// EXT_CSD_REV to SEC_FEATURE_SUPPORT that never change.
    pub fn is_same_card(&self, other: &Self) -> bool {
        self.0[192..=231] == other.0[192..=231]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_cross_words() {
        let words = [0x8000_0000, 0x0000_0001, 0, 0xf000_0000];
        assert_eq!(bits(&words, 31, 2), 3);
        assert_eq!(bits(&words, 124, 4), 0xf);
        assert_eq!(bits(&words, 0, 32), 0x8000_0000);
    }

    #[test]
    fn cid_of_a_samsung_card() {
        // Maker 0x15, BGA, "M4G1YC", revision 1.1, serial 0x12345678.
        let cid = Cid::parse(&Response([
            0x5678_f701,
            0x4311_1234,
            0x3447_3159,
            0x1501_004d,
        ]));
        assert_eq!(
            cid,
            Cid {
                manufacturer: 0x15,
                product: *b"M4G1YC",
                revision: 0x11,
                serial: 0x1234_5678,
            }
        );
    }

    #[test]
    fn csd_of_a_1_gib_card() {
        // READ_BL_LEN 10, C_SIZE 4095, C_SIZE_MULT 6: 4096 << 8 << 10.
        let mut words = [0u32; 4];
        let mut put = |low: usize, value: u64| {
            let value = value << (low % 32);
            words[low / 32] |= value as u32;
            if low / 32 < 3 {
                words[low / 32 + 1] |= (value >> 32) as u32;
            }
        };
        put(122, 4);
        put(80, 10);
        put(62, 4095);
        put(47, 6);
        let csd = Csd::parse(&Response(words));
        assert_eq!((csd.spec_version, csd.blocks), (4, 1 << 21));
    }

    #[test]
    fn areas_add_up_to_the_linear_start_of_the_mbr() {
        let mut ext_csd = ExtCsd([0; 512]);
        ext_csd.0[192] = 6;
        ext_csd.0[226] = 16;
        ext_csd.0[168] = 16;
        ext_csd.0[212..216].copy_from_slice(&7_634_944u32.to_le_bytes());
        ext_csd.0[221] = 16;
        ext_csd.0[224] = 1;
        ext_csd.0[146] = 2;
        let areas = ext_csd.areas(0);
        assert_eq!(2 * areas.boot_bytes + areas.rpmb_bytes, 6 << 20);
        assert_eq!(areas.gp_bytes, [0, 16 << 20, 0, 0]);
        assert_eq!(areas.user_blocks, 7_634_944);
    }

    #[test]
    fn an_old_card_has_only_a_user_area() {
        let mut ext_csd = ExtCsd([0; 512]);
        ext_csd.0[192] = 2;
        ext_csd.0[226] = 16;
        let areas = ext_csd.areas(1 << 21);
        assert_eq!((areas.boot_bytes, areas.user_blocks), (0, 1 << 21));
    }
}
