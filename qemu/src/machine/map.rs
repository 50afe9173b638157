//! The address map: what is where, how wide it may be accessed, and what must
//! be on before it answers.
//!
//! Source: facts/soc.md 1.1, 1.2, 1.3 (RAM and bases), 9.2, 9.3 (gates), 9.6 (power domains).

/// Boot ROM. Its size is not known; the stub needs one page.
pub const BOOT_ROM: u32 = 0;
/// Bytes of boot ROM that exist here.
pub const BOOT_ROM_LEN: u32 = 0x1_0000;
/// Where the boot ROM stub asks the preloader model to act; nothing is here on
/// a phone, and nothing answers after the jump.
pub const DOORBELL: u32 = 0x0010_0000;
/// Length of the doorbell's page.
pub const DOORBELL_LEN: u32 = 0x1000;
/// Small on-chip SRAM.
pub const SRAM: u32 = 0x0100_0000;
/// At least 16 KiB are in use by vendor software; the map leaves room for 64.
pub const SRAM_LEN: u32 = 0x1_0000;
/// The L2's RAM while it is no cache.
pub const L2_SRAM: u32 = 0x0200_0000;
/// All of the 256 KiB that later become cache.
pub const L2_SRAM_LEN: u32 = 0x4_0000;
/// The first rank of DRAM.
pub const DRAM: u32 = 0x8000_0000;
/// "UART1" of the vendor, the first serial port.
pub const UART0: u32 = 0x1100_5000;
/// "UART2" of the vendor.
pub const UART1: u32 = 0x1100_6000;
/// GIC distributor.
pub const GICD: u32 = 0x1021_1000;
/// Length of the GIC distributor's page.
pub const GICD_LEN: u64 = 0x1000;
/// GIC CPU interface.
pub const GICC: u32 = 0x1021_2000;
/// Length of the GIC CPU interface.
pub const GICC_LEN: u64 = 0x2000;

/// Which accesses a block's bus takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Widths {
    /// Words only.
    Word,
    /// Half-words and words, for blocks with 16-bit registers.
    HalfAndWord,
    /// Any.
    All,
}

impl Widths {
    /// Whether an access of `size` bytes is taken.
    pub fn allow(self, size: u8) -> bool {
        match self {
            Widths::Word => size == 4,
            Widths::HalfAndWord => size != 1,
            Widths::All => true,
        }
    }
}

/// What must be on before a block answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Always on.
    Nothing,
    /// This bit of CG1 clear.
    Cg1(u8),
    /// This power domain on (bit of PWR_STATUS).
    Domain(u8),
    /// The display domain on and this bit of MMSYS_CG_CON0 clear.
    Mm0(u8),
    /// The display domain on and this bit of MMSYS_CG_CON1 clear.
    Mm1(u8),
}

/// PWR_STATUS bit of the display and camera domain.
pub const DOMAIN_DIS: u8 = 3;
/// Bases of the blocks that have their supply from the display and camera domain.
pub const DIS_BLOCKS: std::ops::RangeInclusive<u32> = 0x1400_0000..=0x1401_7000;
/// PWR_STATUS bit of the GPU.
pub const DOMAIN_MFG: u8 = 4;
/// PWR_STATUS bit of CONNSYS.
pub const DOMAIN_CONN: u8 = 1;
/// PWR_STATUS bit of core 1.
pub const DOMAIN_FC1: u8 = 11;

/// One line of the map.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Physical address of offset 0.
    pub base: u32,
    /// Bytes decoded.
    pub len: u32,
    /// The name in facts/soc.md 1.2.
    pub name: &'static str,
    /// Access widths.
    pub widths: Widths,
    /// Clock gate or power domain.
    pub needs: Needs,
}

const fn entry(base: u32, len: u32, name: &'static str, widths: Widths, needs: Needs) -> Entry {
    Entry {
        base,
        len,
        name,
        widths,
        needs,
    }
}

use Needs::{Cg1, Domain, Mm0, Mm1, Nothing};
use Widths::{All, HalfAndWord, Word};

/// Every block, by ascending base. [`super::build`] makes one model for each.
pub const MAP: &[Entry] = &[
    entry(0x0800_0000, 0x4000, "CHIPID", Word, Nothing),
    entry(0x1000_0000, 0x1000, "TOPCKGEN", Word, Nothing),
    entry(0x1000_1000, 0x1000, "INFRACFG", Word, Nothing),
    entry(0x1000_2000, 0x1000, "KP", HalfAndWord, Nothing),
    entry(0x1000_3000, 0x1000, "PERICFG", Word, Nothing),
    entry(0x1000_4000, 0x1000, "EMI", Word, Nothing),
    entry(0x1000_5000, 0x1000, "GPIO", Word, Nothing),
    entry(0x1000_6000, 0x1000, "SPM", Word, Nothing),
    entry(0x1000_7000, 0x1000, "TOPRGU", Word, Nothing),
    entry(0x1000_8000, 0x1000, "APXGPT", Word, Cg1(24)),
    entry(0x1000_9000, 0x1000, "EFUSE", Word, Cg1(0)),
    entry(0x1000_A000, 0x1000, "SEJ", Word, Cg1(21)),
    entry(0x1000_B000, 0x1000, "EINT", Word, Nothing),
    entry(0x1000_C000, 0x1000, "AP_CCIF", Word, Nothing),
    entry(0x1000_E000, 0x1000, "SMI_COMMON_AO", Word, Nothing),
    entry(0x1000_F000, 0x1000, "PWRAP", Word, Cg1(20)),
    entry(0x1001_0000, 0x1000, "DEVICE_APC_AO", Word, Nothing),
    entry(0x1001_1000, 0x1000, "MIPI_CONFIG", Word, Nothing),
    entry(0x1001_2000, 0x1000, "INFRA_MBIST", Word, Nothing),
    entry(0x1017_0000, 0x1_0000, "APARM", Word, Cg1(8)),
    entry(0x1020_0000, 0x1000, "MCUSYS", HalfAndWord, Nothing),
    entry(0x1020_1000, 0x1000, "INFRA_SYS_CFG", Word, Nothing),
    entry(0x1020_2000, 0x1000, "SYS_CIRQ", Word, Nothing),
    entry(0x1020_3000, 0x1000, "M4U", Word, Nothing),
    entry(0x1020_4000, 0x1000, "DEVICE_APC", Word, Nothing),
    entry(0x1020_5000, 0x1000, "APMIXED", Word, Nothing),
    entry(0x1020_8000, 0x1000, "IOCFG_T", Word, Nothing),
    entry(0x1020_9000, 0x1000, "IOCFG_B", Word, Nothing),
    entry(0x1020_A000, 0x1000, "IOCFG_L", Word, Nothing),
    entry(0x1020_B000, 0x1000, "IOCFG_R", Word, Nothing),
    entry(0x1100_0000, 0x1000, "AP_DMA", Word, Cg1(2)),
    entry(0x1100_1000, 0x1000, "NFI", HalfAndWord, Cg1(6)),
    entry(0x1100_2000, 0x1000, "NFIECC", HalfAndWord, Cg1(7)),
    entry(0x1100_3000, 0x1000, "AUXADC", HalfAndWord, Cg1(30)),
    entry(0x1100_4000, 0x1000, "FHCTL", Word, Cg1(14)),
    entry(UART0, 0x1000, "UART0", All, Cg1(10)),
    entry(UART1, 0x1000, "UART1", All, Cg1(11)),
    entry(0x1100_8000, 0x1000, "PWM", Word, Cg1(9)),
    entry(0x1100_9000, 0x1000, "I2C0", HalfAndWord, Cg1(3)),
    entry(0x1100_A000, 0x1000, "I2C1", HalfAndWord, Cg1(4)),
    entry(0x1100_C000, 0x1000, "SPI", Word, Nothing),
    entry(0x1100_D000, 0x1000, "THERMAL", Word, Cg1(1)),
    entry(0x1100_E000, 0x1000, "BTIF", All, Cg1(12)),
    entry(0x1110_0000, 0x1_0000, "USB", All, Cg1(13)),
    entry(0x1111_0000, 0x1000, "USB_SIF", All, Cg1(13)),
    entry(0x1112_0000, 0x1000, "MSDC0", All, Cg1(17)),
    entry(0x1113_0000, 0x1000, "MSDC1", All, Cg1(18)),
    entry(0x1114_0000, 0x1000, "AFE", Word, Cg1(25)),
    entry(0x1114_1000, 0x4000, "AUDIO_SRAM", All, Cg1(25)),
    entry(0x1115_0000, 0x1000, "AHB_MONITOR", Word, Nothing),
    entry(0x1300_0000, 0x1000, "MFG_CONFIG", Word, Domain(DOMAIN_MFG)),
    entry(0x1301_0000, 0x1_0000, "MALI", Word, Domain(DOMAIN_MFG)),
    entry(
        0x1400_0000,
        0x1000,
        "MMSYS_CONFIG",
        Word,
        Domain(DOMAIN_DIS),
    ),
    entry(0x1400_1000, 0x1000, "MDP_RDMA", Word, Mm0(14)),
    entry(0x1400_2000, 0x1000, "MDP_RSZ0", Word, Mm0(13)),
    entry(0x1400_3000, 0x1000, "MDP_RSZ1", Word, Mm0(12)),
    entry(0x1400_4000, 0x1000, "MDP_WDMA", Word, Mm0(11)),
    entry(0x1400_5000, 0x1000, "MDP_WROT", Word, Mm0(10)),
    entry(0x1400_6000, 0x1000, "MDP_TDSHP", Word, Mm0(9)),
    entry(0x1400_7000, 0x1000, "DISP_OVL", Word, Mm0(8)),
    entry(0x1400_8000, 0x1000, "DISP_RDMA", Word, Mm0(7)),
    entry(0x1400_9000, 0x1000, "DISP_WDMA", Word, Mm0(6)),
    entry(0x1400_A000, 0x1000, "DISP_BLS", Word, Mm0(5)),
    entry(0x1400_B000, 0x1000, "DISP_COLOR", Word, Mm0(4)),
    entry(0x1400_C000, 0x1000, "DSI", All, Mm1(1)),
    entry(0x1400_D000, 0x1000, "DPI", Word, Mm1(2)),
    entry(0x1400_E000, 0x1000, "DISP_MUTEX", Word, Domain(DOMAIN_DIS)),
    entry(0x1400_F000, 0x1000, "MM_CMDQ", Word, Mm0(2)),
    entry(0x1401_0000, 0x1000, "SMI_LARB0", Word, Mm0(1)),
    entry(0x1401_1000, 0x1000, "SMI_COMMON", Word, Mm0(0)),
    entry(0x1401_2000, 0x1000, "DBI", All, Mm1(4)),
    entry(0x1401_3000, 0x1000, "CAM", Word, Mm0(16)),
    entry(0x1401_4000, 0x1000, "SENINF", Word, Mm0(17)),
    entry(
        0x1401_5000,
        0x1000,
        "MIPI_RX_CONFIG",
        Word,
        Domain(DOMAIN_DIS),
    ),
    entry(0x1401_6000, 0x1000, "VENC", Word, Mm0(19)),
    entry(0x1401_7000, 0x1000, "VDEC", Word, Mm0(19)),
    entry(0x1800_0000, 0x10_0000, "CONNSYS", All, Domain(DOMAIN_CONN)),
];

/// The line of the map that decodes `addr`.
pub fn find(addr: u32) -> Option<usize> {
    let after = MAP.partition_point(|entry| entry.base <= addr);
    let index = after.checked_sub(1)?;
    let entry = &MAP[index];
    (addr - entry.base < entry.len).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_is_sorted_and_does_not_overlap() {
        for pair in MAP.windows(2) {
            assert!(
                pair[0].base + pair[0].len <= pair[1].base,
                "{} and {}",
                pair[0].name,
                pair[1].name
            );
        }
    }

    #[test]
    fn addresses_resolve_to_their_block() {
        let name = |addr| find(addr).map(|index| MAP[index].name);
        assert_eq!(name(0x1100_5014), Some("UART0"));
        assert_eq!(name(0x1000_140C), Some("INFRACFG"));
        assert_eq!(name(0x0800_000C), Some("CHIPID"));
        assert_eq!(name(0x1000_D000), None);
        assert_eq!(name(0x4000_0000), None);
        assert_eq!(name(0), None);
    }
}
