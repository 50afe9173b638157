//! SPM: the switches of the power domains, behind a key, with the status and
//! acknowledge bits that software polls.
//!
//! The microcontroller inside (PCM) does not run: its registers remember what
//! is written. Source: facts/soc.md 9.6.

use super::registers::{Register, RegisterFile, check_width, ro, rw};
use crate::bus::{Block, Context, GuestError, Reset, Size};

const NAME: &str = "SPM";

const POWERON_CONFIG_SET: u32 = 0x000;
/// In [31:16] of every write to [`POWERON_CONFIG_SET`].
const PROJECT_CODE: u32 = 0x0b16;
const PWR_STATUS: u32 = 0x60c;
const PWR_STATUS_S: u32 = 0x610;
const SLEEP_TIMER_STA: u32 = 0x720;
/// Core 1 sits in WFI.
const CORE1_WFI: u32 = 1 << 16;

/// Bit of the display and camera domain.
const DIS_STATUS: u8 = 3;

const RST_B: u32 = 1 << 0;
const ISO: u32 = 1 << 1;
const ON: u32 = 1 << 2;
const ON_S: u32 = 1 << 3;
const CLK_DIS: u32 = 1 << 4;

/// A domain that runs, one that does not, and the latter with SRAMs down.
const POWERED: u32 = ON_S | ON | RST_B;
const OFF: u32 = CLK_DIS | ISO;
const OFF_SRAM: u32 = 0xf << 8 | OFF;

/// How a domain's control register is read back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ack {
    /// No acknowledge bits.
    None,
    /// SRAM_PDN [11:8] acknowledged in [15:12].
    Sram,
    /// A core's L1: PDN .0 acknowledged in .8. No status bit of its own.
    L1,
}

struct Domain {
    offset: u32,
    /// Bit in PWR_STATUS; `None` for the L1 switches.
    status: Option<u8>,
    ack: Ack,
}

const fn domain(offset: u32, status: u8, ack: Ack) -> Domain {
    Domain {
        offset,
        status: Some(status),
        ack,
    }
}

static DOMAINS: [Domain; 14] = [
    domain(0x284, 0, Ack::None),  // MD1
    domain(0x280, 1, Ack::None),  // CONN
    domain(0x240, 2, Ack::None),  // DPY
    domain(0x23c, 3, Ack::Sram),  // DIS
    domain(0x214, 4, Ack::Sram),  // MFG
    domain(0x238, 5, Ack::Sram),  // ISP
    domain(0x234, 6, Ack::None),  // IFR
    domain(0x210, 7, Ack::Sram),  // VDE
    domain(0x208, 8, Ack::None),  // CPU
    domain(0x218, 11, Ack::None), // FC1
    domain(0x200, 12, Ack::None), // FC0
    domain(0x290, 13, Ack::None), // MCU
    Domain {
        offset: 0x264,
        status: None,
        ack: Ack::L1,
    },
    Domain {
        offset: 0x25c,
        status: None,
        ack: Ack::L1,
    },
];

static REGISTERS: [Register; 60] = [
    rw(POWERON_CONFIG_SET, "POWERON_CONFIG_SET", 0),
    rw(0x010, "POWER_ON_VAL0", 0),
    rw(0x014, "POWER_ON_VAL1", 0),
    rw(0x100, "CLK_SETTLE", 0),
    rw(0x200, "FC0_PWR_CON", POWERED),
    rw(0x208, "CPU_PWR_CON", POWERED),
    rw(0x210, "VDE_PWR_CON", OFF_SRAM),
    rw(0x214, "MFG_PWR_CON", OFF_SRAM),
    // Core 1 is powered after a reset: it waits inside the boot ROM.
    rw(0x218, "FC1_PWR_CON", POWERED),
    rw(0x234, "IFR_PWR_CON", POWERED),
    rw(0x238, "ISP_PWR_CON", OFF_SRAM),
    rw(0x23c, "DIS_PWR_CON", OFF_SRAM),
    rw(0x240, "DPY_PWR_CON", POWERED),
    rw(0x25c, "FC0_L1_PDN", 0),
    rw(0x264, "FC1_L1_PDN", 0),
    rw(0x280, "CONN_PWR_CON", OFF),
    rw(0x284, "MD1_PWR_CON", OFF_SRAM),
    rw(0x290, "MCU_PWR_CON", POWERED),
    rw(0x310, "PCM_CON0", 0),
    rw(0x314, "PCM_CON1", 0),
    rw(0x318, "PCM_IM_PTR", 0),
    rw(0x31c, "PCM_IM_LEN", 0),
    rw(0x320, "PCM_DATA_INI", 0),
    rw(0x340, "PCM_EVENT_VECTOR0", 0),
    rw(0x344, "PCM_EVENT_VECTOR1", 0),
    rw(0x348, "PCM_EVENT_VECTOR2", 0),
    rw(0x34c, "PCM_EVENT_VECTOR3", 0),
    rw(0x358, "PCM_PWR_IO_EN", 0),
    rw(0x35c, "PCM_TIMER_VAL", 0),
    rw(0x380, "PCM_REG0_DATA", 0),
    rw(0x384, "PCM_REG1_DATA", 0),
    rw(0x388, "PCM_REG2_DATA", 0),
    rw(0x38c, "PCM_REG3_DATA", 0),
    rw(0x390, "PCM_REG4_DATA", 0),
    rw(0x394, "PCM_REG5_DATA", 0),
    rw(0x398, "PCM_REG6_DATA", 0),
    rw(0x39c, "PCM_REG7_DATA", 0),
    rw(0x3a0, "PCM_REG8_DATA", 0),
    rw(0x3a4, "PCM_REG9_DATA", 0),
    rw(0x3a8, "PCM_REG10_DATA", 0),
    rw(0x3ac, "PCM_REG11_DATA", 0),
    rw(0x3b0, "PCM_REG12_DATA", 0),
    rw(0x3b4, "PCM_REG13_DATA", 0),
    rw(0x3b8, "PCM_REG14_DATA", 0),
    rw(0x3bc, "PCM_REG15_DATA", 0),
    ro(0x3c4, "PCM_FSM_STA", 0),
    rw(0x3e0, "PCM_SW_INT_SET", 0),
    rw(0x3e4, "PCM_SW_INT_CLEAR", 0),
    rw(0x400, "CLK_CON", 0),
    rw(0x600, "APMCU_PWRCTL", 0),
    rw(0x608, "AP_STANBY_CON", 0),
    ro(PWR_STATUS, "PWR_STATUS", 0),
    ro(PWR_STATUS_S, "PWR_STATUS_S", 0),
    ro(SLEEP_TIMER_STA, "SLEEP_TIMER_STA", 0),
    rw(0x810, "WAKEUP_EVENT_MASK", 0),
    rw(0x900, "ISR_MASK", 0),
    rw(0x904, "ISR_STATUS", 0),
    rw(0xb00, "PCM_RESERVE", 0),
    rw(0xf00, "CORE0_WFI_SEL", 0),
    rw(0xf04, "CORE1_WFI_SEL", 0),
];

/// The block at 0x10006000.
pub struct Spm {
    registers: RegisterFile,
}

impl Default for Spm {
    fn default() -> Self {
        Self::new()
    }
}

impl Spm {
    /// Locked; CPU, both cores, infrastructure and DRAM on, the rest off.
    pub fn new() -> Self {
        let mut spm = Spm {
            registers: RegisterFile::new(NAME, &REGISTERS),
        };
        spm.settle();
        spm
    }

    fn unlocked(&self) -> bool {
        self.registers.get(POWERON_CONFIG_SET) & 1 != 0
    }

    /// Acknowledge and status bits follow the switches at once.
    fn settle(&mut self) {
        let (mut status, mut status_s) = (0, 0);
        for domain in &DOMAINS {
            let control = self.registers.get(domain.offset);
            let acknowledged = match domain.ack {
                Ack::None => control,
                Ack::Sram => control & !(0xf << 12) | (control & 0xf << 8) << 4,
                Ack::L1 => control & !(1 << 8) | (control & 1) << 8,
            };
            self.registers.set(domain.offset, acknowledged);
            if let Some(bit) = domain.status {
                status |= u32::from(control & ON != 0) << bit;
                status_s |= u32::from(control & ON_S != 0) << bit;
            }
        }
        self.registers.set(PWR_STATUS, status);
        self.registers.set(PWR_STATUS_S, status_s);
    }

    /// A domain that others may use has both switches on, is not isolated,
    /// not in reset and has its clock.
    fn drive(&self, cx: &mut Context<'_>) {
        let usable = |domain: &&Domain| {
            let sram = match domain.offset {
                0x23c => 0xf << 8, // DIS
                0x214 => 1 << 8,   // MFG
                _ => 0,
            };
            let switches = RST_B | ISO | ON | ON_S | CLK_DIS | sram;
            self.registers.get(domain.offset) & switches == POWERED
        };
        cx.signals.pwr_status = DOMAINS
            .iter()
            .filter(usable)
            .filter_map(|domain| domain.status)
            .fold(0, |all, bit| all | 1 << bit);
        if !cx.signals.domain_on(DIS_STATUS) {
            // The gates lose their state with the supply.
            (cx.signals.mm_cg0, cx.signals.mm_cg1) = (!0, !0);
        }
    }
}

impl Block for Spm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if !check_width(NAME, offset, size, &[4], cx) {
            return 0;
        }
        if offset == SLEEP_TIMER_STA {
            return if cx.signals.core1_waits { CORE1_WFI } else { 0 };
        }
        self.registers.read(offset, cx)
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if !check_width(NAME, offset, size, &[4], cx) {
            return;
        }
        if offset == POWERON_CONFIG_SET {
            if value >> 16 == PROJECT_CODE {
                self.registers.set(offset, value);
            } else {
                cx.report(
                    GuestError::BadValue,
                    NAME,
                    offset,
                    "written without the project code 0x0b16 in [31:16]",
                );
            }
            return;
        }
        if !self.unlocked() && self.registers.has(offset) {
            cx.report(
                GuestError::BadValue,
                NAME,
                offset,
                "written while locked (POWERON_CONFIG_SET = 0x0b160001)",
            );
            return;
        }
        self.registers.write(offset, value, cx);
        self.settle();
        self.drive(cx);
    }

    fn reset(&mut self, _kind: Reset, cx: &mut Context<'_>) {
        *self = Self::new();
        self.drive(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    const DIS: u8 = 3;
    const DIS_PWR_CON: u32 = 0x23c;

    fn block(world: &mut TestWorld) -> Spm {
        let mut block = Spm::new();
        block.reset(Reset::PowerOn, &mut world.cx());
        block
    }

    #[test]
    fn cpu_and_dram_are_on_at_reset_and_the_display_is_not() {
        let mut world = TestWorld::default();
        let mut block = block(&mut world);
        for bit in [2, 6, 8, 11, 12, 13] {
            assert!(world.signals.domain_on(bit));
        }
        for bit in [0, 1, 3, 4, 5, 7] {
            assert!(!world.signals.domain_on(bit));
        }
        assert_eq!(world.read(&mut block, 0x60c), world.signals.pwr_status);
    }

    #[test]
    fn nothing_moves_without_the_key() {
        let mut world = TestWorld::default();
        let mut block = block(&mut world);
        world.write(&mut block, DIS_PWR_CON, 0xd);
        world.write(&mut block, 0x000, 1);
        world.write(&mut block, DIS_PWR_CON, 0xd);
        assert!(!world.signals.domain_on(DIS));
        assert_eq!(world.reports.len(), 3);
        assert!(
            world
                .reports
                .iter()
                .all(|report| report.kind == GuestError::BadValue)
        );
    }

    /// The power-on order of facts/soc.md 9.6, with its polls.
    #[test]
    fn display_domain_powers_up_step_by_step() {
        let mut world = TestWorld::default();
        let mut block = block(&mut world);
        world.write(&mut block, 0x000, 0x0b16_0001);
        let change = |world: &mut TestWorld, block: &mut Spm, clear: u32, set: u32| {
            let value = world.read(block, DIS_PWR_CON) & !clear | set;
            world.write(block, DIS_PWR_CON, value);
        };
        assert_eq!(
            world.read(&mut block, DIS_PWR_CON) & 0xf000,
            0xf000,
            "SRAM powered down"
        );
        change(&mut world, &mut block, 0, ON);
        assert_eq!(world.read(&mut block, 0x60c) >> DIS & 1, 1);
        assert_eq!(world.read(&mut block, 0x610) >> DIS & 1, 0);
        change(&mut world, &mut block, 0, ON_S);
        assert_eq!(world.read(&mut block, 0x610) >> DIS & 1, 1);
        for bit in 8..12 {
            change(&mut world, &mut block, 1 << bit, 0);
            assert_eq!(world.read(&mut block, DIS_PWR_CON) >> (bit + 4) & 1, 0);
        }
        change(&mut world, &mut block, CLK_DIS, 0);
        change(&mut world, &mut block, ISO, 0);
        assert_eq!(world.read(&mut block, DIS_PWR_CON) & 0xf000, 0);
        change(&mut world, &mut block, 0, CLK_DIS);
        change(&mut world, &mut block, 0, RST_B);
        assert!(!world.signals.domain_on(DIS), "the clock is still off");
        change(&mut world, &mut block, CLK_DIS, 0);
        assert!(world.signals.domain_on(DIS));
        assert!(world.reports.is_empty());
    }

    #[test]
    fn core1_cache_power_down_is_acknowledged() {
        let mut world = TestWorld::default();
        let mut block = block(&mut world);
        world.write(&mut block, 0x000, 0x0b16_0001);
        world.write(&mut block, 0x264, 1);
        assert_eq!(world.read(&mut block, 0x264), 0x101);
        world.write(&mut block, 0x264, 0);
        assert_eq!(world.read(&mut block, 0x264), 0);
        world.write(&mut block, 0x60c, 0);
        assert_eq!(world.reports[0].kind, GuestError::BadValue);
    }

    #[test]
    fn core1_in_wfi_shows() {
        let mut world = TestWorld::default();
        let mut block = block(&mut world);
        assert_eq!(world.read(&mut block, 0x720), 1 << 16);
        world.signals.core1_entry = Some(0x8010_0000);
        world.signals.core1_waits = false;
        assert_eq!(world.read(&mut block, 0x720), 0, "it runs");
        world.signals.core1_waits = true;
        assert_eq!(world.read(&mut block, 0x720), 1 << 16, "and waits again");
    }
}
