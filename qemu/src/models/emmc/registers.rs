//! The card's own registers (OCR, CID, CSD, EXT_CSD) and its status word.
//!
//! Source: facts/storage-and-images.md 4.1 and 8.5 for what MT6572 software
//! reads; layouts are those of JESD84-B45 chapter 7.

use super::config::Config;

/// Status bits of an R1 response.
pub mod status {
    /// The address is beyond the area.
    pub const OUT_OF_RANGE: u32 = 1 << 31;
    /// A byte address that is no multiple of the block length.
    pub const ADDRESS_ERROR: u32 = 1 << 30;
    /// CMD16 with a length that the card does not do.
    pub const BLOCK_LEN_ERROR: u32 = 1 << 29;
    /// CMD35, 36 and 38 out of order.
    pub const ERASE_SEQ_ERROR: u32 = 1 << 28;
    /// An erase range that ends before it starts.
    pub const ERASE_PARAM: u32 = 1 << 27;
    /// A command that the card's state does not allow (seen in the next response).
    pub const ILLEGAL_COMMAND: u32 = 1 << 22;
    /// The card could not do what its store refused.
    pub const ERROR: u32 = 1 << 19;
    /// SWITCH to something impossible (seen in the next response).
    pub const SWITCH_ERROR: u32 = 1 << 7;
    /// The card takes data.
    pub const READY_FOR_DATA: u32 = 1 << 8;
    /// Position of CURRENT_STATE.
    pub const STATE_SHIFT: u32 = 9;
}

/// Indices of the EXT_CSD bytes that the model itself reads or writes.
pub mod ext {
    /// 1 = erase groups are those of HC_ERASE_GRP_SIZE, not the CSD's.
    pub const ERASE_GROUP_DEF: usize = 175;
    /// Boot enable and partition access.
    pub const PARTITION_CONFIG: usize = 179;
    /// What an erased byte reads as: 0 or 0xFF.
    pub const ERASED_MEM_CONT: usize = 181;
    /// Bus width: 0, 1, 2 = 1, 4, 8 bit; 5, 6 = 4, 8 bit DDR.
    pub const BUS_WIDTH: usize = 183;
    /// 0 = up to 26 MHz, 1 = high speed.
    pub const HS_TIMING: usize = 185;
    /// 1 = RST_n resets the card.
    pub const RST_N_FUNCTION: usize = 162;
    /// Modes offered.
    pub const CARD_TYPE: usize = 196;
    /// Erase group of a high-capacity card in units of 512 KiB.
    pub const HC_ERASE_GRP_SIZE: usize = 224;
}

/// OCR: 2.7 to 3.6 V and 1.70 to 1.95 V.
pub const OCR_VOLTAGES: u32 = 0x00FF_8080;
/// OCR bit 30: sector addresses.
pub const OCR_SECTOR_MODE: u32 = 1 << 30;
/// OCR bit 31: ready.
pub const OCR_READY: u32 = 1 << 31;
/// Above this capacity a card has sector addresses.
pub const BYTE_ADDRESS_LIMIT: u64 = 2 << 30;

/// CRC7 of the card's command line and registers: x^7 + x^3 + 1.
pub fn crc7(data: &[u8]) -> u8 {
    let mut crc = 0u8;
    for &byte in data {
        for bit in (0..8).rev() {
            let feedback = (crc >> 6 ^ byte >> bit) & 1;
            crc = ((crc << 1) & 0x7F) ^ (feedback * 0x09);
        }
    }
    crc
}

/// A 128-bit register, bit 127 first, being put together from its fields.
#[derive(Default)]
struct Fields(u128);

impl Fields {
    fn put(&mut self, high: u8, low: u8, value: u32) {
        let width = high - low + 1;
        debug_assert!(
            width >= 32 || value >> width == 0,
            "field {high}:{low} cannot hold {value}"
        );
        self.0 |= u128::from(value) << low;
    }

    /// Adds CRC7 and the end bit; words with bits 127:96 first.
    fn seal(self) -> [u32; 4] {
        let crc = crc7(&self.0.to_be_bytes()[..15]);
        let bits = self.0 | u128::from(crc) << 1 | 1;
        [96, 64, 32, 0].map(|shift| (bits >> shift) as u32)
    }
}

/// CID with CRC, bits 127:96 first.
pub fn cid(config: &Config) -> [u32; 4] {
    let mut name = [b' '; 6];
    for (to, from) in name.iter_mut().zip(config.name.bytes()) {
        *to = from;
    }
    let mut cid = Fields::default();
    cid.put(127, 120, config.manufacturer.into());
    cid.put(113, 112, 1); // CBX: a BGA
    cid.put(111, 104, config.oem.into());
    cid.put(
        103,
        72,
        u32::from_be_bytes([name[0], name[1], name[2], name[3]]),
    );
    cid.put(71, 56, u32::from(u16::from_be_bytes([name[4], name[5]])));
    cid.put(55, 48, config.revision.into());
    cid.put(47, 16, config.serial);
    cid.put(15, 8, 0x60); // MDT: June 2013, the year counted from 2013 in revision 6
    cid.seal()
}

/// CSD with CRC, bits 127:96 first.
pub fn csd(user_bytes: u64) -> [u32; 4] {
    let read_bl_len = default_block_len(user_bytes).trailing_zeros();
    // High-capacity cards say their size in EXT_CSD and saturate here.
    let c_size = if user_bytes > BYTE_ADDRESS_LIMIT {
        0xFFF
    } else {
        ((user_bytes >> (9 + read_bl_len)).saturating_sub(1) as u32).min(0xFFF)
    };
    let mut csd = Fields::default();
    csd.put(127, 126, 3); // version is in EXT_CSD
    csd.put(125, 122, 4); // SPEC_VERS: 4.x
    csd.put(119, 112, 0x27); // TAAC: 15 ms
    csd.put(111, 104, 0x01); // NSAC: 100 clocks
    csd.put(103, 96, 0x32); // TRAN_SPEED: 26 MHz
    csd.put(95, 84, 0x035); // CCC: basic, block read, block write, erase
    csd.put(83, 80, read_bl_len);
    csd.put(73, 62, c_size);
    for low in [59, 56, 53, 50] {
        csd.put(low + 2, low, 7); // VDD currents: "see EXT_CSD"
    }
    csd.put(49, 47, 7); // C_SIZE_MULT: 512
    csd.put(46, 42, 31); // ERASE_GRP_SIZE
    csd.put(41, 37, 31); // ERASE_GRP_MULT: groups of 1024 blocks
    csd.put(36, 32, 15); // WP_GRP_SIZE
    csd.put(28, 26, 2); // R2W_FACTOR
    csd.put(25, 22, read_bl_len); // WRITE_BL_LEN
    csd.seal()
}

/// Blocks of an erase group while ERASE_GROUP_DEF is 0: as in [`csd`].
pub const CSD_ERASE_GROUP_SECTORS: u64 = 32 * 32;

/// Block length after power-on: 2^READ_BL_LEN. Parts between 1 and 2 GiB need 1024.
pub fn default_block_len(user_bytes: u64) -> u32 {
    if user_bytes > BYTE_ADDRESS_LIMIT || user_bytes <= 1 << 30 {
        512
    } else {
        1024
    }
}

/// EXT_CSD as the card leaves the factory.
pub fn ext_csd(config: &Config, user_sectors: u32) -> [u8; 512] {
    let mut bytes = [0; 512];
    let mut set = |index: usize, value: u8| bytes[index] = value;
    set(ext::RST_N_FUNCTION, config.rst_n_function);
    set(168, config.rpmb_size_mult);
    set(192, 6); // EXT_CSD_REV: 4.5
    set(194, 2); // CSD_STRUCTURE: version 1.2
    set(ext::CARD_TYPE, config.card_type.bits());
    set(198, 10); // OUT_OF_INTERRUPT_TIME: 100 ms
    set(199, 1); // PARTITION_SWITCH_TIME: 10 ms
    set(217, 20); // S_A_TIMEOUT: 100 ns * 2^20
    set(221, 16); // HC_WP_GRP_SIZE
    set(222, 1); // REL_WR_SEC_C
    set(223, 3); // ERASE_TIMEOUT_MULT: 900 ms
    set(ext::HC_ERASE_GRP_SIZE, 1);
    set(226, config.boot_size_mult);
    set(231, 0x10); // SEC_FEATURE_SUPPORT: TRIM
    set(232, 3); // TRIM_MULT
    set(241, 10); // INI_TIMEOUT_AP: 1 s
    set(247, 10); // POWER_OFF_LONG_TIME: 100 ms
    set(248, 10); // GENERIC_CMD6_TIME: 100 ms
    set(504, 1); // S_CMD_SET: standard MMC
    bytes[212..216].copy_from_slice(&user_sectors.to_le_bytes());
    bytes
}

/// Whether SWITCH may write byte `index`: the modes segment, without what only
/// a card with more features has (GP partitions, cache, sanitize, HPI, BKOPS).
pub fn writable(index: usize) -> bool {
    const MODES: &[usize] = &[
        32, 34, 161, 162, 163, 167, 169, 171, 173, 175, 177, 178, 179, 183, 185, 187, 191,
    ];
    MODES.contains(&index)
}

/// Bytes of EXT_CSD that a power cycle, RST_n or CMD0 puts back to zero, with
/// the bits that are lost.
pub const VOLATILE: &[(usize, u8)] = &[
    (32, 0xFF),
    (34, 0xFF),
    (161, 0xFF),
    (171, 0x55),
    (ext::ERASE_GROUP_DEF, 0xFF),
    (ext::PARTITION_CONFIG, 0x07),
    (ext::BUS_WIDTH, 0xFF),
    (ext::HS_TIMING, 0xFF),
    (187, 0xFF),
    (191, 0xFF),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc7_of_known_command_frames() {
        // CMD0 with argument 0 ends in 0x95, CMD17 with argument 0 in 0x55.
        assert_eq!(crc7(&[0x40, 0, 0, 0, 0]) << 1 | 1, 0x95);
        assert_eq!(crc7(&[0x51, 0, 0, 0, 0]) << 1 | 1, 0x55);
    }

    #[test]
    fn cid_fields_are_where_software_looks() {
        let cid = cid(&Config::default());
        assert_eq!(cid[0] >> 24, 0x15);
        assert_eq!((cid[0] & 0xFF).to_be_bytes()[3], b'4');
        assert_eq!(cid[1].to_be_bytes(), *b"YMD3");
        assert_eq!((cid[2] >> 24) as u8, b'R');
        let serial = cid[2] << 16 | cid[3] >> 16;
        assert_eq!(serial, Config::default().serial);
        let bytes: Vec<u8> = cid.iter().flat_map(|word| word.to_be_bytes()).collect();
        assert_eq!(bytes[15], crc7(&bytes[..15]) << 1 | 1);
    }

    #[test]
    fn csd_of_a_small_card_gives_its_capacity() {
        for bytes in [64u64 << 20, 1 << 30, 2 << 30] {
            let csd = csd(bytes);
            let len = csd[1] >> 16 & 0xF;
            let c_size = (csd[1] & 0x3FF) << 2 | csd[2] >> 30;
            let mult = csd[2] >> 15 & 7;
            assert_eq!(u64::from(c_size + 1) << (mult + 2) << len, bytes);
        }
        assert_eq!(csd(4 << 30)[1] & 0x3FF, 0x3FF);
    }

    #[test]
    fn ext_csd_has_the_bytes_that_lk_reads() {
        let bytes = ext_csd(&Config::default(), 0x0074_8000);
        assert_eq!(bytes[212..216], [0x00, 0x80, 0x74, 0x00]);
        // 6 MiB of hardware partitions: the MBR lies at user LBA 0.
        assert_eq!(
            (2 * u32::from(bytes[226]) + u32::from(bytes[168])) * 128,
            6 * 1024
        );
        assert!(bytes[192] >= 3);
    }
}
