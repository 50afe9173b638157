//! The blocks as a stock loader takes them over and leaves them.
//!
//! Source: facts/soc.md 9.6, 9.7, 12.1, 12.2, 6 (watchdog), 10.8 (RTC flags).

use crate::preloader::Phone;

const CG0_SET: u32 = 0x1000_0050;
const CG0_CLR: u32 = 0x1000_0080;
const CG1_SET: u32 = 0x1000_0054;
const CG1_CLR: u32 = 0x1000_0084;
const TOP_CKMUXSEL: u32 = 0x1000_1000;
const WDT: u32 = 0x1000_7000;
const WDT_KEY: u32 = 0x2200_0000;
const WDT_KICK: u32 = 0x1971;
const WDT_LENGTH_KEY: u32 = 8;
/// 10 s in units of 512 periods of 32 kHz.
const WDT_LENGTH_10_S: u32 = 0x5000;
/// Dual mode, interrupt, automatic restart, on.
const WDT_ON: u32 = 0x59;
const ARMPLL_CON1: u32 = 0x1020_5104;
const MCUSYS_L2C: u32 = 0x1020_0000;
const L2_SIZE: u32 = 7 << 5;
const L2_IS_CACHE: u32 = 1 << 5;

/// Right after the preloader's jump.
pub fn take_over(phone: &mut Phone<'_>) {
    phone.modify(MCUSYS_L2C, |old| old & !L2_SIZE | L2_IS_CACHE);
    // 1001 MHz.
    phone.write(TOP_CKMUXSEL, 0);
    phone.write(ARMPLL_CON1, 0x8009_A000);
    phone.modify(TOP_CKMUXSEL, |old| old | 4);
    clock_gates(phone);
    phone.write(WDT, WDT_KEY);
    phone.write(WDT + 0x04, WDT_LENGTH_10_S | WDT_LENGTH_KEY);
    phone.write(WDT, WDT_KEY | WDT_ON);
    phone.write(WDT + 0x08, WDT_KICK);
}

/// As its clock initialisation leaves them on an eMMC phone.
fn clock_gates(phone: &mut Phone<'_>) {
    phone.write(CG0_CLR, 0x0030_0080);
    phone.write(CG0_SET, 0x08);
    phone.write(CG1_CLR, 0x0410_0000);
    phone.write(CG1_SET, 0x2241_0001);
    phone.write(CG1_SET, 0xC0);
}

/// Right before the jump: the dog runs on, the kernel's driver has to feed it.
pub fn leave(phone: &mut Phone<'_>) {
    phone.write(WDT + 0x08, WDT_KICK);
}
