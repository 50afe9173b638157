//! The state in which the preloader leaves the blocks.
//!
//! Source: facts/soc.md 3.2, 3.6, 4, 6, 7.1, 9.1, 9.7.

use super::Phone;
use crate::board::{DramKind, LogPort};

const CLK_MUX_SEL: u32 = 0x1000_0000;
const SWCG_3: u32 = 0x1000_002C;
const CG1_CLR: u32 = 0x1000_0084;
const TOP_CKMUXSEL: u32 = 0x1000_1000;
const USBDL_REG: u32 = 0x1000_141C;
const USBDL_MAGIC: u32 = 0x1000_1420;
const GPIO_MODE: u32 = 0x1000_5300;
const WDT: u32 = 0x1000_7000;
const UART0_ESCAPE_EN: u32 = 0x1100_5044;
const CG1_SET: u32 = 0x1000_0054;
const SWCG_3_SET: u32 = 0x1000_005C;
const GPT4_CON: u32 = 0x1000_8040;
const GPT4_CLK: u32 = 0x1000_8044;
const EFUSE_TRIMS: u32 = 0x1000_9100;
const AP_PLL_CON1: u32 = 0x1020_5004;
const AP_PLL_CON3: u32 = 0x1020_500C;
const ARMPLL_CON1: u32 = 0x1020_5104;
const MAINPLL_CON1: u32 = 0x1020_5124;
const TS_CON0: u32 = 0x1020_5600;

/// Before the image is looked for: clocks, log, PMIC, watchdog.
pub fn early(phone: &mut Phone<'_>) {
    phone.write(0x1020_0014, 0xAAAB); // CACHE_MEM_DELSEL: L2 as SRAM
    phone.write(GPT4_CLK, 0);
    phone.write(GPT4_CON, 0x31);
    plls(phone);
    phone.machine.leave_as_preloader("GPIO", phone.host);
    phone.machine.leave_as_preloader("KP", phone.host);
    uart(phone);
    watchdog(phone);
    // PWRAP set-up: SPI clock of 26 MHz, the other clients' clocks stay stopped.
    phone.write(CG1_SET, 7 << 27);
    phone.write(SWCG_3_SET, 4);
    phone.modify(CLK_MUX_SEL, |old| old | 3 << 24);
    phone.machine.leave_as_preloader("PWRAP", phone.host);
    phone.modify(CLK_MUX_SEL, |old| old & !(7 << 11) | 2 << 11);
    if !phone.machine.board().emmc.absent {
        phone.write(CG1_CLR, 1 << 17);
        phone.machine.leave_as_preloader("MSDC0", phone.host);
    }
}

/// Right before the jump.
///
/// The clock of USB stays on after the wait for a tool (facts/soc.md 3.6, step 5):
/// software that follows uses the controller without opening the gate.
pub fn late(phone: &mut Phone<'_>) {
    phone.write(CG1_CLR, 1 << 13);
    set_pin_mode(phone, 103, 5);
    set_pin_mode(phone, 104, 5);
    // The port itself is left such that the AP must clear this to be heard again.
    phone.write(UART0_ESCAPE_EN, 1);
    phone.write(WDT + 0x08, 0x1971);
    phone.write(USBDL_REG, 0);
    phone.write(USBDL_MAGIC, 0);
}

fn plls(phone: &mut Phone<'_>) {
    let trims = phone.read(EFUSE_TRIMS);
    if trims & 0xFF != 0 {
        phone.modify(TS_CON0, |old| {
            old & !0xFF00 | (trims >> 4 & 0xF) << 12 | (trims & 0xF) << 8
        });
    }
    phone.modify(AP_PLL_CON3, |old| old & !0x3FF | 0x80);
    phone.write(ARMPLL_CON1, 0x0111_4000); // 897 MHz
    phone.modify(AP_PLL_CON1, |old| old & 0xF8F8_CF8C);
    phone.write(0x1020_0060, 0x12);
    phone.write(0x1020_0064, 0x15);
    phone.write(SWCG_3, 0x8000_0000);
    phone.write(CLK_MUX_SEL, 0x1000_0480);
    phone.modify(TOP_CKMUXSEL, |old| old | 4);
    // DRAM code: EMI2X in [4:1], AXI in [7:5].
    match phone.machine.board().dram.kind {
        DramKind::Ddr2 => phone.modify(CLK_MUX_SEL, |old| old & !0x1E | 9 << 1),
        DramKind::Ddr3 => {
            phone.write(MAINPLL_CON1, 0x800C_C000); // 1326 MHz
            phone.modify(CLK_MUX_SEL, |old| old & !0xFE | 12 << 1 | 2 << 5);
        }
    }
}

/// The log port: pads, gate, 8N1, FIFOs, speed from the 26 MHz clock.
fn uart(phone: &mut Phone<'_>) {
    let boot = &phone.machine.board().boot;
    let (port, baud) = (boot.log_port, boot.baud.max(1));
    let (pins, gate) = match port {
        LogPort::Uart0 => ([103, 104], 10),
        LogPort::Uart1 => ([101, 102], 11),
    };
    for pin in pins {
        set_pin_mode(phone, pin, 1);
    }
    phone.write(CG1_CLR, 1 << gate);
    let base = port.base();
    let (highspeed, divider) = if baud > 115_200 { (2, 4) } else { (0, 16) };
    let latch = (26_000_000 / divider + baud / 2) / baud;
    phone.write(base + 0x08, 7); // FCR: FIFOs on and empty
    phone.write(base + 0x24, highspeed);
    phone.write(base + 0x0C, 0x83); // LCR: 8N1, divisor latch
    phone.write(base, latch & 0xFF);
    phone.write(base + 0x04, latch >> 8 & 0xFF);
    phone.write(base + 0x0C, 0x03);
}

/// 16 s, dual mode; the stage field of INTERVAL remembers a power-on.
fn watchdog(phone: &mut Phone<'_>) {
    const KEY: u32 = 0x2200_0000;
    const STAGE_POWER_ON: u32 = 3;
    phone.write(WDT, KEY);
    let interval = phone.read(WDT + 0x10);
    let power_on = interval & 3 == STAGE_POWER_ON;
    phone.write(WDT + 0x10, interval & 0xFF8 | u32::from(power_on) << 2);
    phone.write(WDT + 0x04, 0x8008);
    phone.write(WDT, KEY | 0x51);
    phone.write(WDT + 0x08, 0x1971);
    phone.write(WDT + 0x80, 0xA357);
    phone.write(WDT + 0x84, 0x67D2);
}

/// Through the masked-write register, as MediaTek's code does it.
fn set_pin_mode(phone: &mut Phone<'_>, pin: u32, mode: u32) {
    phone.write(
        GPIO_MODE + 0x10 * (pin / 8) + 0xC,
        (8 | mode) << (4 * (pin % 8)),
    );
}
