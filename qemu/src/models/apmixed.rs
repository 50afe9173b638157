//! APMIXED: the PLLs. Their outputs in Hz go onto the wires, so that blocks
//! can take the time that the programmed clock implies.
//!
//! A new PCW counts at once: the preloader's documented ARMPLL value has no
//! change strobe, so the strobe cannot be demanded. Which of the PLL enables
//! the hardware-mode bits of AP_PLL_CONx overrule is not known; they are kept
//! and have no effect. Source: facts/soc.md 9.5 and 9.7.

use super::registers::{Register, RegisterFile, check_width, masked, rw};
use crate::bus::{Block, Context, GuestError, Reset, Size};

const NAME: &str = "APMIXED";
const XTAL_HZ: u64 = 26_000_000;
/// Fastest CPU clock at which the L2's RAM works as SRAM (facts/soc.md 1.6).
const L2_SRAM_MAX_HZ: u64 = 897_000_000;

/// CON0 bit 0: the PLL is enabled.
const CON0_EN: u32 = 1 << 0;
/// CON0 bit 27: MAINPLL and UNIVPLL are out of reset.
const CON0_RSTB: u32 = 1 << 27;
const PWR_ON: u32 = 1 << 0;
const PWR_ISO_EN: u32 = 1 << 1;

/// Enabled, with the fractional part of the divider.
const CON0_RUNNING: u32 = 0x11;

const ARMPLL: u32 = 0x100;
const MAINPLL: u32 = 0x120;
const UNIVPLL: u32 = 0x140;

static REGISTERS: [Register; 38] = [
    rw(0x000, "AP_PLL_CON0", 0),
    rw(0x004, "AP_PLL_CON1", 0),
    rw(0x008, "AP_PLL_CON2", 0),
    rw(0x00c, "AP_PLL_CON3", 0),
    rw(0x010, "AP_PLL_CON4", 0),
    rw(0x014, "PLL_HP_CON0", 0),
    rw(0x018, "PLL_HP_CON1", 0),
    rw(0x01c, "CLKSQ_STB_CON0", 0),
    rw(0x020, "PLL_PWR_CON0", 0),
    rw(0x024, "PLL_PWR_CON1", 0),
    rw(0x028, "PLL_PWR_CON2", 0),
    rw(0x02c, "PLL_PWR_CON3", 0),
    rw(ARMPLL, "ARMPLL_CON0", CON0_RUNNING),
    rw(ARMPLL + 0x4, "ARMPLL_CON1", 0x0111_4000),
    rw(ARMPLL + 0x8, "ARMPLL_CON2", 0),
    masked(ARMPLL + 0x10, "ARMPLL_PWR", PWR_ON, 0xff),
    rw(MAINPLL, "MAINPLL_CON0", CON0_RUNNING | CON0_RSTB),
    rw(MAINPLL + 0x4, "MAINPLL_CON1", 0x000f_6000),
    rw(MAINPLL + 0x8, "MAINPLL_CON2", 0),
    masked(MAINPLL + 0x10, "MAINPLL_PWR", PWR_ON, 0xff),
    rw(UNIVPLL, "UNIVPLL_CON0", CON0_EN | CON0_RSTB),
    rw(UNIVPLL + 0x4, "UNIVPLL_CON1", 48),
    rw(UNIVPLL + 0x8, "UNIVPLL_CON2", 0),
    masked(UNIVPLL + 0x10, "UNIVPLL_PWR", PWR_ON, 0xff),
    rw(0x220, "MCUPLL_CON0", 0),
    rw(0x224, "MCUPLL_CON1", 0),
    masked(0x230, "MCUPLL_PWR", PWR_ISO_EN, 0xff),
    rw(0x240, "WHPLL_CON0", 0),
    rw(0x244, "WHPLL_CON1", 0),
    masked(0x250, "WHPLL_PWR", PWR_ISO_EN, 0xff),
    rw(0x254, "WHPLL_PATHSEL", 0),
    rw(0x260, "WPLL_CON0", 0),
    rw(0x264, "WPLL_CON1", 0),
    masked(0x270, "WPLL_PWR", PWR_ISO_EN, 0xff),
    rw(0x404, "AUXADC_CON_RTP", 0),
    rw(0x600, "TS_CON0", 3 << 6),
    rw(0x604, "TS_CON1", 0),
    rw(0xf04, "RSV_RW0_CON1", 0),
];

/// The block at 0x10205000.
pub struct Apmixed {
    registers: RegisterFile,
}

impl Default for Apmixed {
    fn default() -> Self {
        Self::new()
    }
}

impl Apmixed {
    /// ARMPLL at 897 MHz, MAINPLL at 1599 MHz, UNIVPLL at 1248 MHz; the modem
    /// and GPU PLLs off.
    pub fn new() -> Self {
        Apmixed {
            registers: RegisterFile::new(NAME, &REGISTERS),
        }
    }

    /// Output of the PLL whose CON0 is at `base`, in Hz; 0 while it is off.
    fn output_hz(&self, base: u32) -> u64 {
        let con0 = self.registers.get(base);
        let con1 = self.registers.get(base + 0x4);
        let power = self.registers.get(base + 0x10);
        let reset = base != ARMPLL && con0 & CON0_RSTB == 0;
        if con0 & CON0_EN == 0 || reset || power & (PWR_ON | PWR_ISO_EN) != PWR_ON {
            return 0;
        }
        let post_divider = 1 << (con1 >> 24 & 7).min(4);
        let times_16384 = if base == UNIVPLL {
            u64::from(con1 & 0x7f) << 14
        } else {
            u64::from(con1 & 0x001f_ffff)
        };
        ((XTAL_HZ * times_16384) >> 14) / post_divider
    }

    fn drive(&self, cx: &mut Context<'_>) {
        cx.signals.armpll_hz = self.output_hz(ARMPLL);
        cx.signals.mainpll_hz = self.output_hz(MAINPLL);
        cx.signals.univpll_hz = self.output_hz(UNIVPLL);
    }

    /// A PLL whose output is still isolated must not be enabled (the order is
    /// power, 1 us, isolation off, 1 us, enable).
    fn check_order(&self, offset: u32, cx: &mut Context<'_>) {
        let is_con0 = matches!(offset, ARMPLL | MAINPLL | UNIVPLL | 0x220 | 0x240 | 0x260);
        if !is_con0 || self.registers.get(offset) & CON0_EN == 0 {
            return;
        }
        if self.registers.get(offset + 0x10) & (PWR_ON | PWR_ISO_EN) != PWR_ON {
            cx.report(
                GuestError::Refused,
                NAME,
                offset,
                "PLL enabled without power or while isolated",
            );
        }
    }
}

impl Block for Apmixed {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if check_width(NAME, offset, size, &[4], cx) {
            self.registers.read(offset, cx)
        } else {
            0
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if check_width(NAME, offset, size, &[4], cx) && self.registers.write(offset, value, cx) {
            self.check_order(offset, cx);
            self.drive(cx);
            if cx.signals.l2_is_sram && cx.signals.armpll_hz > L2_SRAM_MAX_HZ {
                cx.report(
                    GuestError::Refused,
                    NAME,
                    offset,
                    "ARMPLL above 897 MHz while the L2 is SRAM",
                );
            }
        }
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
    fn documented_words_give_the_documented_frequencies() {
        let mut world = TestWorld::default();
        let mut block = Apmixed::new();
        block.reset(Reset::PowerOn, &mut world.cx());
        assert_eq!(world.signals.mainpll_hz, 1_599_000_000);
        assert_eq!(world.signals.univpll_hz, 1_248_000_000);
        world.write(&mut block, 0x104, 0x0111_4000);
        assert_eq!(world.signals.armpll_hz, 897_000_000);
        world.signals.l2_is_sram = false;
        world.write(&mut block, 0x104, 0x8009_a000);
        assert_eq!(world.signals.armpll_hz, 1_001_000_000);
        world.write(&mut block, 0x124, 0x800c_c000);
        assert_eq!(world.signals.mainpll_hz, 1_326_000_000);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn a_pll_needs_power_enable_and_release() {
        let mut world = TestWorld::default();
        let mut block = Apmixed::new();
        world.write(&mut block, 0x120, 0);
        assert_eq!(world.signals.mainpll_hz, 0);
        world.write(&mut block, 0x120, 0x11);
        assert_eq!(world.signals.mainpll_hz, 0, "RSTB is still low");
        world.write(&mut block, 0x120, 0x0800_0011);
        assert_eq!(world.signals.mainpll_hz, 1_599_000_000);
        world.write(&mut block, 0x110, 0b11);
        assert_eq!(world.signals.armpll_hz, 0, "isolated");
        assert!(world.reports.is_empty());
    }

    #[test]
    fn is_strict() {
        let mut world = TestWorld::default();
        let mut block = Apmixed::new();
        world.write(&mut block, 0x240, 0x11);
        world.read(&mut block, 0x114);
        block.read(0x104, 2, &mut world.cx());
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(
            kinds,
            [
                GuestError::Refused,
                GuestError::UnknownRegister,
                GuestError::AccessSize
            ]
        );
    }
}
