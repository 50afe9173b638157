//! MCUSYS_CFG: says whether the L2's RAM is a cache or SRAM, and holds the
//! polarity inverter ("sysirq") between the blocks and the GIC.
//!
//! Source: facts/soc.md 1.4 and 1.6.

use super::registers::{Register, RegisterFile, check_width, ro, rw};
use crate::bus::{Block, Context, GuestError, Reset, Size};

const NAME: &str = "MCUSYS";

const CACHE_CONFIG: u32 = 0x000;
/// L2C_SIZE, [7:5] of [`CACHE_CONFIG`]: 0 = SRAM, 1 = 256 KiB of cache.
const L2C_SIZE_SHIFT: u32 = 5;
const INT_POL_CTL0: u32 = 0x100;
/// INT_POL_CTL words with lines that exist: 4 x 32 SPIs.
const INT_POL_WORDS: u32 = 4;

/// Stock loaders change [`CACHE_CONFIG`] by half-words.
const WIDTHS: [Size; 2] = [2, 4];

static REGISTERS: [Register; 19] = [
    rw(CACHE_CONFIG, "CA7_CACHE_CONFIG", 0),
    rw(0x014, "CACHE_MEM_DELSEL", 0),
    rw(0x060, "ACLKEN_DIV", 0),
    rw(0x064, "PCLKEN_DIV", 0),
    rw(0x080, "DBG_MON_SEL", 0),
    ro(0x084, "DBG_MON", 0),
    rw(INT_POL_CTL0, "INT_POL_CTL0", 0),
    rw(0x104, "INT_POL_CTL1", 0),
    rw(0x108, "INT_POL_CTL2", 0),
    rw(0x10c, "INT_POL_CTL3", 0),
    // The window that drivers map reaches to +118; no SPI is behind these.
    rw(0x110, "INT_POL_CTL4", 0),
    rw(0x114, "INT_POL_CTL5", 0),
    rw(0x118, "INT_POL_CTL6", 0),
    ro(0x300, "CORE0_PC", 0),
    ro(0x304, "CORE0_FP", 0),
    ro(0x308, "CORE0_SP", 0),
    ro(0x310, "CORE1_PC", 0),
    ro(0x314, "CORE1_FP", 0),
    ro(0x318, "CORE1_SP", 0),
];

/// The block at 0x10200000.
pub struct Mcusys {
    registers: RegisterFile,
}

impl Default for Mcusys {
    fn default() -> Self {
        Self::new()
    }
}

impl Mcusys {
    /// The L2 as SRAM, no line inverted.
    pub fn new() -> Self {
        Mcusys {
            registers: RegisterFile::new(NAME, &REGISTERS),
        }
    }

    fn l2c_size(&self) -> u32 {
        self.registers.get(CACHE_CONFIG) >> L2C_SIZE_SHIFT & 7
    }

    fn drive(&self, cx: &mut Context<'_>) {
        cx.signals.l2_is_sram = self.l2c_size() == 0;
        cx.signals.int_pol = (0..INT_POL_WORDS)
            .map(|word| u128::from(self.registers.get(INT_POL_CTL0 + 4 * word)) << (32 * word))
            .fold(0, |all, word| all | word);
    }
}

/// The bits that an access of `size` bytes reaches.
fn lanes(size: Size) -> u32 {
    if size == 2 { 0xffff } else { u32::MAX }
}

impl Block for Mcusys {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if check_width(NAME, offset, size, &WIDTHS, cx) {
            self.registers.read(offset, cx) & lanes(size)
        } else {
            0
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if !check_width(NAME, offset, size, &WIDTHS, cx) {
            return;
        }
        let kept = self.registers.get(offset) & !lanes(size);
        if !self.registers.write(offset, kept | value & lanes(size), cx) {
            return;
        }
        if offset == CACHE_CONFIG && self.l2c_size() > 1 {
            cx.report(
                GuestError::BadValue,
                NAME,
                offset,
                format!("L2C_SIZE {} is not a size", self.l2c_size()),
            );
        }
        self.drive(cx);
    }

    fn reset(&mut self, _kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset();
        self.drive(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    #[test]
    fn l2_leaves_the_memory_map_when_it_becomes_a_cache() {
        let mut world = TestWorld::default();
        let mut block = Mcusys::new();
        block.reset(Reset::PowerOn, &mut world.cx());
        assert!(world.signals.l2_is_sram);
        // As an LK does it: read, clear [7:5], set 1.
        let value = world.read(&mut block, 0) & !0xe0 | 0x20;
        world.write(&mut block, 0, value);
        assert!(!world.signals.l2_is_sram);
        block.reset(Reset::Watchdog, &mut world.cx());
        assert!(world.signals.l2_is_sram);
        assert!(world.reports.is_empty());
        world.write(&mut block, 0, 0x60);
        assert_eq!(world.reports[0].kind, GuestError::BadValue);
    }

    #[test]
    fn half_word_leaves_the_upper_half_alone() {
        let mut world = TestWorld::default();
        let mut block = Mcusys::new();
        world.write(&mut block, 0, 0xabcd_0000);
        block.write(0, 2, 0xffff_0020, &mut world.cx());
        assert!(!world.signals.l2_is_sram);
        assert_eq!(world.read(&mut block, 0), 0xabcd_0020);
        assert_eq!(block.read(0, 2, &mut world.cx()), 0x20);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn polarity_words_become_one_line_mask() {
        let mut world = TestWorld::default();
        let mut block = Mcusys::new();
        world.write(&mut block, 0x100, 1 << 31);
        world.write(&mut block, 0x108, 1 << (74 - 64));
        world.write(&mut block, 0x10c, 1 << (126 - 96));
        assert_eq!(world.signals.int_pol, 1 << 31 | 1 << 74 | 1 << 126);
        world.write(&mut block, 0x118, u32::MAX);
        assert_eq!(world.signals.int_pol, 1 << 31 | 1 << 74 | 1 << 126);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn is_strict() {
        let mut world = TestWorld::default();
        let mut block = Mcusys::new();
        world.write(&mut block, 0x300, 1);
        world.read(&mut block, 0x11c);
        block.read(0x100, 1, &mut world.cx());
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(
            kinds,
            [
                GuestError::BadValue,
                GuestError::UnknownRegister,
                GuestError::AccessSize
            ]
        );
    }
}
