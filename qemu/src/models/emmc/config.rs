//! What eMMC a board has and what is wrong with it: the `[emmc]` table of a
//! board file.
//!
//! The defaults are those of an ordinary 4 GB eMMC 4.5 part, the most common
//! fitting of an MT6572 phone. Source: facts/storage-and-images.md 4.1 and 8.5;
//! register meanings are those of JESD84-B45.

use serde::Deserialize;

use super::store::Area;

/// Bytes of one unit of BOOT_SIZE_MULT and RPMB_SIZE_MULT.
pub const HW_PARTITION_UNIT: u64 = 128 << 10;

/// One card. All times are the card's own, on top of what the bus takes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Nothing is soldered there: no command is ever answered.
    pub absent: bool,
    /// CID.MID, the manufacturer (0x15 Samsung, 0x90 Hynix, 0x45 SanDisk, 0x11 Toshiba).
    pub manufacturer: u8,
    /// CID.OID, the manufacturer's own code.
    pub oem: u8,
    /// CID.PNM, six ASCII characters; a shorter name is padded with spaces.
    pub name: String,
    /// CID.PRV, the product revision, two BCD digits.
    pub revision: u8,
    /// CID.PSN.
    pub serial: u32,
    /// Sectors of the user area. Absent: as many as the store holds, or those
    /// of a 4 GB part if the store is empty.
    pub user_sectors: Option<u32>,
    /// EXT_CSD byte 226: size of each boot partition in units of 128 KiB.
    pub boot_size_mult: u8,
    /// EXT_CSD byte 168: size of RPMB in units of 128 KiB.
    pub rpmb_size_mult: u8,
    /// EXT_CSD byte 162: 1 = the RST_n pin resets the card; 0 (as delivered) and 2
    /// = the pin is ignored.
    pub rst_n_function: u8,
    /// The fastest mode that the card offers in EXT_CSD byte 196.
    pub card_type: CardType,
    /// Whether DDR transfers arrive intact. A board with long traces has a card
    /// that offers DDR52 and CRC errors for those who take it.
    pub ddr_works: bool,
    /// How long CMD1 reports "busy" after power-on.
    pub init_busy_us: u32,
    /// How long CMD1 reports "busy" after a CMD0 on an initialised card.
    pub reinit_busy_us: u32,
    /// From a read command to the start bit of the first block.
    pub read_latency_us: u32,
    /// Busy after the last block of a write.
    pub write_busy_us: u32,
    /// Busy between two blocks of one write.
    pub block_busy_us: u32,
    /// Busy after SWITCH.
    pub switch_busy_us: u32,
    /// Busy after ERASE.
    pub erase_busy_us: u32,
    /// Clocks between the blocks of one read (N_AC).
    pub block_gap_clocks: u32,
    /// CMD1 reports "busy" for ever.
    pub never_ready: bool,
    /// DAT0 is low for ever, as with a dead flash controller.
    pub stuck_busy: bool,
    /// Bad blocks.
    pub faults: Vec<Fault>,
    /// Commands that get no answer.
    pub command_faults: Vec<CommandFault>,
    /// The phone loses its power in the middle of a write.
    pub power_cut: Option<PowerCut>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            absent: false,
            manufacturer: 0x15,
            oem: 0x00,
            name: "4YMD3R".into(),
            revision: 0x01,
            serial: 0x6572_0045,
            user_sectors: None,
            boot_size_mult: 16,
            rpmb_size_mult: 16,
            rst_n_function: 0,
            card_type: CardType::Ddr52,
            ddr_works: true,
            init_busy_us: 60_000,
            reinit_busy_us: 12_000,
            read_latency_us: 120,
            write_busy_us: 700,
            block_busy_us: 5,
            switch_busy_us: 200,
            erase_busy_us: 3_000,
            block_gap_clocks: 2,
            never_ready: false,
            stuck_busy: false,
            faults: Vec::new(),
            command_faults: Vec::new(),
            power_cut: None,
        }
    }
}

/// Fastest bus mode of a card; each includes the slower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CardType {
    /// 26 MHz only.
    Hs26,
    /// High speed, 52 MHz.
    Hs52,
    /// Dual data rate at 52 MHz, 1.8 or 3 V.
    Ddr52,
}

impl CardType {
    /// EXT_CSD byte 196.
    pub fn bits(self) -> u8 {
        match self {
            CardType::Hs26 => 0x01,
            CardType::Hs52 => 0x03,
            CardType::Ddr52 => 0x07,
        }
    }
}

/// How a bad block shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A read delivers a block with a wrong CRC16; a write gets a negative CRC status.
    Crc,
    /// A read never gets its start bit.
    Timeout,
    /// A write gets no CRC status at all; the block is lost.
    WriteTimeout,
}

/// A run of bad blocks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// In which area.
    #[serde(default)]
    pub area: Area,
    /// First bad sector.
    pub first: u32,
    /// Last bad sector; absent: only `first`.
    pub last: Option<u32>,
    /// How many transfers it spoils before the card is well again; absent: all.
    pub times: Option<u32>,
}

impl Fault {
    /// Whether the fault still bites sector `sector` of `area` in the given direction.
    pub(super) fn hits(&self, area: Area, sector: u64, write: bool) -> bool {
        let direction = match self.kind {
            FaultKind::Crc => true,
            FaultKind::Timeout => !write,
            FaultKind::WriteTimeout => write,
        };
        direction
            && self.area == area
            && self.times != Some(0)
            && (u64::from(self.first)..=u64::from(self.last.unwrap_or(self.first)))
                .contains(&sector)
    }
}

/// A command that gets no answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandFault {
    /// Command index, e.g. 13.
    pub index: u8,
    /// How many times; absent: always.
    pub times: Option<u32>,
}

/// The battery falls out while the card writes. Sectors count whatever area
/// and command they belong to; what was written before them is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerCut {
    /// The sector during whose programming it happens, counted from 1 since
    /// power-on.
    pub at_sector: u64,
    /// What is found in that sector later.
    #[serde(default)]
    pub leaves: CutSector,
}

/// What a sector holds whose programming was cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CutSector {
    /// What it held before.
    #[default]
    Old,
    /// The new bytes in its first half, the old ones in its second.
    Half,
    /// Neither.
    Garbage,
    /// The new bytes: the cut came right behind it.
    New,
}

/// Why a card cannot be as described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// CID.PNM has six ASCII characters at most.
    Name(String),
    /// The store of this area holds more bytes than the area has.
    StoreTooLarge {
        /// The area.
        area: Area,
        /// What the store holds.
        store_bytes: u64,
        /// What the area has.
        area_bytes: u64,
    },
    /// A user area below 1 MiB or beyond 2^32 sectors.
    UserSize(u64),
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ConfigError::Name(name) => {
                write!(f, "eMMC name {name:?} is not at most six ASCII characters")
            }
            ConfigError::StoreTooLarge {
                area,
                store_bytes,
                area_bytes,
            } => {
                write!(
                    f,
                    "the image of the eMMC's {area:?} area has {store_bytes} bytes, the area {area_bytes}"
                )
            }
            ConfigError::UserSize(bytes) => {
                write!(f, "an eMMC cannot have a user area of {bytes} bytes")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_board_file_can_describe_a_sick_card() {
        let config: Config = toml::from_str(
            r#"
            name = "H4G2a"
            manufacturer = 0x90
            boot_size_mult = 32
            card_type = "hs52"
            [[faults]]
            kind = "write-timeout"
            first = 100
            last = 102
            times = 2
            [[command_faults]]
            index = 6
            [power_cut]
            at_sector = 9
            leaves = "half"
            "#,
        )
        .unwrap();
        assert_eq!(config.card_type.bits(), 0x03);
        assert_eq!(config.rpmb_size_mult, Config::default().rpmb_size_mult);
        assert!(config.faults[0].hits(Area::User, 102, true));
        assert!(!config.faults[0].hits(Area::User, 102, false));
        assert!(!config.faults[0].hits(Area::User, 103, true));
        assert!(!config.faults[0].hits(Area::Boot1, 102, true));
        assert_eq!(
            config.command_faults[0],
            CommandFault {
                index: 6,
                times: None
            }
        );
        let cut = config.power_cut.unwrap();
        assert_eq!((cut.at_sector, cut.leaves), (9, CutSector::Half));
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        assert!(toml::from_str::<Config>("boot_size = 16").is_err());
        assert!(
            toml::from_str::<Config>("[[faults]]\nkind = \"crc\"\nfirst = 1\nwhere = 2").is_err()
        );
    }
}
