//! INFRACFG_AO: the CPU's clock mux and divider, bus protection, and at +0x400
//! the SRAMROM registers through which the boot ROM takes its orders: where
//! core 1 goes, and whether the next reset ends in USB download.
//!
//! Source: facts/soc.md 1.3 and 9.4.

use super::registers::{Register, RegisterFile, check_width, masked, ro, rw};
use crate::bus::{Block, Context, GuestError, Reset, Size};

const NAME: &str = "INFRACFG_AO";

const TOP_CKDIV1: u32 = 0x008;
const PROTECTEN: u32 = 0x220;
const PROTECTSTA1: u32 = 0x228;

const BOOT_SLV_CFG: u32 = 0x400;
const BOOT_SLV_ADDR: u32 = 0x404;
const SLAVE_JUMP: u32 = 0x408;
const SLAVE1_MAGIC: u32 = 0x40c;
const USBDL_REG: u32 = 0x41c;
const USBDL_MAGIC: u32 = 0x420;
const PRESERVE_ENTRY: u32 = 0x424;
const PRESERVE_MAGIC: u32 = 0x428;
const USBDL_TO_DIS: u32 = 0x42c;
const DA_LENGTH: u32 = 0x430;

/// "SLA1": core 1 may leave the boot ROM.
const SLAVE1_MAGIC_VALUE: u32 = 0x534c_4131;
const BOOT_SLV_CFG_KEY: u32 = 0x1380_0000;

/// What the boot ROM must find again after a reset of the SoC.
const SURVIVE_WATCHDOG: [u32; 6] = [
    USBDL_REG,
    USBDL_MAGIC,
    PRESERVE_ENTRY,
    PRESERVE_MAGIC,
    USBDL_TO_DIS,
    DA_LENGTH,
];

static REGISTERS: [Register; 16] = [
    rw(0x000, "TOP_CKMUXSEL", 0),
    masked(TOP_CKDIV1, "TOP_CKDIV1", 0, 0x1f),
    rw(0x200, "TOPAXI_SI0_CTL", 0),
    rw(PROTECTEN, "TOPAXI_PROTECTEN", 0),
    ro(PROTECTSTA1, "TOPAXI_PROTECTSTA1", 0),
    masked(BOOT_SLV_CFG, "BOOT_SLV_CFG", 0, 1),
    rw(BOOT_SLV_ADDR, "BOOT_SLV_ADDR", 0),
    rw(SLAVE_JUMP, "SLAVE_JUMP", 0),
    rw(SLAVE1_MAGIC, "SLAVE1_MAGIC", 0),
    rw(USBDL_REG, "USBDL_REG", 0),
    rw(USBDL_MAGIC, "USBDL_MAGIC", 0),
    rw(PRESERVE_ENTRY, "MEM_PRESERVE_ENTRY", 0),
    rw(PRESERVE_MAGIC, "MEM_PRESERVE_MAGIC", 0),
    rw(USBDL_TO_DIS, "USBDL_TO_DIS", 0),
    rw(DA_LENGTH, "DA_LENGTH", 0),
    rw(0x800, "AP2CONN_OSC_EN", 0),
];

/// The block at 0x10001000.
pub struct Infracfg {
    registers: RegisterFile,
}

impl Default for Infracfg {
    fn default() -> Self {
        Self::new()
    }
}

impl Infracfg {
    /// CPU on the crystal, nothing protected, core 1 not released, USB
    /// download not armed.
    pub fn new() -> Self {
        Infracfg {
            registers: RegisterFile::new(NAME, &REGISTERS),
        }
    }

    /// Where core 1 starts when its power domain comes on again, if software
    /// has armed that (BOOT_SLV_CFG, BOOT_SLV_ADDR). The first start goes
    /// through [`crate::signals::Signals::core1_entry`] instead.
    pub fn core1_warm_entry(&self) -> Option<u32> {
        (self.registers.get(BOOT_SLV_CFG) & 1 != 0).then(|| self.registers.get(BOOT_SLV_ADDR))
    }

    /// The CPU's frequency in Hz from mux, divider and the PLLs on the wires.
    pub fn cpu_hz(&self, cx: &Context<'_>) -> u64 {
        let source = match self.registers.get(0) >> 2 & 3 {
            0 => 26_000_000,
            1 => cx.signals.armpll_hz,
            2 => cx.signals.univpll_hz,
            _ => cx.signals.mainpll_hz / 2,
        };
        let (numerator, denominator) =
            cpu_divider(self.registers.get(TOP_CKDIV1)).unwrap_or((1, 1));
        source * numerator / denominator
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        let protected = self.registers.get(PROTECTEN);
        self.registers.set(PROTECTSTA1, protected);
        cx.signals.axi_protect = protected;
        let released = self.registers.get(SLAVE1_MAGIC) == SLAVE1_MAGIC_VALUE;
        cx.signals.core1_entry = released.then(|| self.registers.get(SLAVE_JUMP));
        cx.signals.usbdl_reg = self.registers.get(USBDL_REG);
        cx.signals.usbdl_magic = self.registers.get(USBDL_MAGIC);
    }

    /// Keys and codes; false if the write must not be done.
    fn check(offset: u32, value: u32, cx: &mut Context<'_>) -> bool {
        match offset {
            BOOT_SLV_CFG if value & !1 != BOOT_SLV_CFG_KEY => {
                cx.report(
                    GuestError::BadValue,
                    NAME,
                    offset,
                    "BOOT_SLV_CFG written without the key 0x13800000",
                );
                false
            }
            SLAVE1_MAGIC if value != 0 && value != SLAVE1_MAGIC_VALUE => {
                cx.report(
                    GuestError::BadValue,
                    NAME,
                    offset,
                    "SLAVE1_MAGIC is neither 0 nor \"SLA1\"",
                );
                true
            }
            TOP_CKDIV1 if cpu_divider(value).is_none() => {
                cx.report(
                    GuestError::BadValue,
                    NAME,
                    offset,
                    format!("CPU divider code {} means nothing", value & 0x1f),
                );
                true
            }
            _ => true,
        }
    }
}

/// The fraction that a TOP_CKDIV1 code stands for. Codes below 8 are not
/// documented and taken as 1: the register resets to 0.
fn cpu_divider(code: u32) -> Option<(u64, u64)> {
    let code = u64::from(code & 0x1f);
    match code {
        0..=8 | 16 | 24 => Some((1, 1)),
        9..=11 => Some((4 - (code - 8), 4)),
        17..=20 => Some((5 - (code - 16), 5)),
        25..=29 => Some((6 - (code - 24), 6)),
        _ => None,
    }
}

impl Block for Infracfg {
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
        if check_width(NAME, offset, size, &[4], cx) && Self::check(offset, value, cx) {
            self.registers.write(offset, value, cx);
            self.drive(cx);
        }
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        let kept = SURVIVE_WATCHDOG.map(|offset| self.registers.get(offset));
        self.registers.reset();
        if kind == Reset::Watchdog {
            for (offset, value) in SURVIVE_WATCHDOG.into_iter().zip(kept) {
                self.registers.set(offset, value);
            }
        }
        self.drive(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    #[test]
    fn core1_leaves_the_rom_only_with_the_magic() {
        let mut world = TestWorld::default();
        let mut block = Infracfg::new();
        world.write(&mut block, 0x408, 0x8010_8000);
        assert_eq!(world.signals.core1_entry, None);
        world.write(&mut block, 0x40c, 0x1234);
        assert_eq!(world.signals.core1_entry, None);
        assert_eq!(world.reports.len(), 1);
        world.write(&mut block, 0x40c, 0x534c_4131);
        assert_eq!(world.signals.core1_entry, Some(0x8010_8000));
        block.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(world.signals.core1_entry, None);
    }

    #[test]
    fn warm_start_needs_its_key() {
        let mut world = TestWorld::default();
        let mut block = Infracfg::new();
        world.write(&mut block, 0x404, 0x8002_0000);
        world.write(&mut block, 0x400, 1);
        assert_eq!(block.core1_warm_entry(), None);
        assert_eq!(world.reports[0].kind, GuestError::BadValue);
        world.write(&mut block, 0x400, 0x1380_0001);
        assert_eq!(block.core1_warm_entry(), Some(0x8002_0000));
    }

    #[test]
    fn usb_download_order_survives_the_watchdog_but_not_the_battery() {
        let mut world = TestWorld::default();
        let mut block = Infracfg::new();
        world.write(&mut block, 0x41c, 0xfffd);
        world.write(&mut block, 0x420, 0x5553_4244);
        block.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(
            (world.signals.usbdl_reg, world.signals.usbdl_magic),
            (0xfffd, 0x5553_4244)
        );
        block.reset(Reset::PowerOn, &mut world.cx());
        assert_eq!((world.signals.usbdl_reg, world.signals.usbdl_magic), (0, 0));
        assert!(world.reports.is_empty());
    }

    #[test]
    fn protection_is_acknowledged() {
        let mut world = TestWorld::default();
        let mut block = Infracfg::new();
        world.write(&mut block, 0x220, 1 << 11);
        assert_eq!(world.read(&mut block, 0x228), 1 << 11);
        world.write(&mut block, 0x228, 0);
        assert_eq!(world.reports[0].kind, GuestError::BadValue);
    }

    #[test]
    fn cpu_clock_follows_mux_and_divider() {
        let mut world = TestWorld::default();
        let mut block = Infracfg::new();
        assert_eq!(block.cpu_hz(&world.cx()), 26_000_000);
        world.write(&mut block, 0x000, 1 << 2);
        assert_eq!(block.cpu_hz(&world.cx()), 897_000_000);
        world.write(&mut block, 0x008, 10);
        assert_eq!(block.cpu_hz(&world.cx()), 448_500_000);
        world.write(&mut block, 0x008, 29);
        assert_eq!(block.cpu_hz(&world.cx()), 149_500_000);
        assert!(world.reports.is_empty());
        world.write(&mut block, 0x008, 12);
        assert_eq!(world.reports[0].kind, GuestError::BadValue);
    }
}
