//! TOPCKGEN: the clock multiplexers and the gates of nearly every block.
//!
//! Status words are plain read-write registers with SET and CLR aliases: some
//! software uses the aliases, some changes the status word directly. In CG0
//! and CG1 a 1 stops the clock, except for the enable bits of CG0.
//! Source: facts/soc.md 9.1 and 9.2.

use super::registers::{Access, check_width, write_only};
use crate::bus::{Block, Context, GuestError, Reset, Size};

const NAME: &str = "TOPCKGEN";

const CLK_MUX_SEL: u32 = 0x00;
/// AXI bus mux, [7:5] of CLK_MUX_SEL: the clock of everything.
const AXI_SHIFT: u32 = 5;
/// 26 MHz, main PLL/10, main PLL/12; any other code stops the bus.
const AXI_CODES: [u32; 3] = [1, 2, 4];

/// Every mux that has a code for the 26 MHz crystal starts there: AXI 1,
/// MSDC0 and MSDC1 6, PMIC SPI 3, audio bus 1. No PLL runs before the boot ROM.
const CLK_MUX_SEL_RESET: u32 = 1 << 5 | 6 << 11 | 6 << 20 | 3 << 24 | 1 << 27;

/// Off: PWM_MM, CAM_MM, MFG_MM, DBI. Enabled: MIPI_26M, SC_26M, SC_MEM,
/// GPU_491M, GPU_500M, ARMDCM (enables are 1 when on).
const CG0_RESET: u32 = 0x803f_00f7;

/// Off: THERM, APDMA, I2C0/1, AUX_*, PWM, UART2, BTIF, USB, FHCTL, MSDC1.
const CG1_RESET: u32 = 1 << 1
    | 1 << 2
    | 1 << 3
    | 1 << 4
    | 1 << 5
    | 1 << 9
    | 1 << 11
    | 1 << 12
    | 1 << 13
    | 1 << 14
    | 1 << 15
    | 1 << 18
    | 1 << 30
    | 1 << 31;

/// Existing bits of the main PLL's and UNIVPLL's divider enables.
const MPLL_DIVIDERS: u32 = 0x0107_070f;
const UPLL_DIVIDERS: u32 = 0x0307_070f;

/// One status word with its aliases at +0x30 and +0x60.
struct Group {
    offset: u32,
    name: &'static str,
    reset: u32,
    /// Bits that exist.
    bits: u32,
}

static GROUPS: [Group; 5] = [
    Group {
        offset: 0x20,
        name: "CG0",
        reset: CG0_RESET,
        bits: u32::MAX,
    },
    Group {
        offset: 0x24,
        name: "CG1",
        reset: CG1_RESET,
        bits: u32::MAX,
    },
    Group {
        offset: 0x2c,
        name: "SWCG_3",
        reset: 0,
        bits: u32::MAX,
    },
    Group {
        offset: 0x30,
        name: "MAINPLL_DIV",
        reset: MPLL_DIVIDERS,
        bits: MPLL_DIVIDERS,
    },
    Group {
        offset: 0x34,
        name: "UNIVPLL_DIV",
        reset: UPLL_DIVIDERS,
        bits: UPLL_DIVIDERS,
    },
];
const CG0: usize = 0;
const CG1: usize = 1;

/// The block at 0x10000000.
pub struct Topckgen {
    clk_mux_sel: u32,
    status: [u32; GROUPS.len()],
}

impl Default for Topckgen {
    fn default() -> Self {
        Self::new()
    }
}

impl Topckgen {
    /// Clocks as they are after power-on.
    pub fn new() -> Self {
        Topckgen {
            clk_mux_sel: CLK_MUX_SEL_RESET,
            status: std::array::from_fn(|group| GROUPS[group].reset),
        }
    }

    /// Which group an offset belongs to, and what a write there does.
    fn decode(offset: u32) -> Option<(usize, Access)> {
        GROUPS.iter().enumerate().find_map(|(index, group)| {
            match offset.checked_sub(group.offset) {
                Some(0x00) => Some((index, Access::Value)),
                Some(0x30) => Some((index, Access::Set)),
                Some(0x60) => Some((index, Access::Clear)),
                _ => None,
            }
        })
    }

    fn drive(&self, cx: &mut Context<'_>) {
        cx.signals.clk_mux_sel = self.clk_mux_sel;
        cx.signals.cg0 = self.status[CG0];
        cx.signals.cg1 = self.status[CG1];
    }
}

impl Block for Topckgen {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if !check_width(NAME, offset, size, &[4], cx) {
            return 0;
        }
        if offset == CLK_MUX_SEL {
            return self.clk_mux_sel;
        }
        match Self::decode(offset) {
            Some((group, Access::Value)) => self.status[group],
            Some((group, _)) => write_only(NAME, offset, GROUPS[group].name, cx),
            None => cx.unknown_register(NAME, offset, false),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if !check_width(NAME, offset, size, &[4], cx) {
            return;
        }
        if offset == CLK_MUX_SEL {
            let axi = value >> AXI_SHIFT & 7;
            if !AXI_CODES.contains(&axi) {
                cx.report(
                    GuestError::BadValue,
                    NAME,
                    offset,
                    format!("AXI mux code {axi} selects no clock"),
                );
            }
            self.clk_mux_sel = value;
        } else if let Some((group, access)) = Self::decode(offset) {
            self.status[group] = access.apply(self.status[group], value) & GROUPS[group].bits;
        } else {
            cx.unknown_register(NAME, offset, true);
        }
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

    fn block(world: &mut TestWorld) -> Topckgen {
        let mut block = Topckgen::new();
        block.reset(Reset::PowerOn, &mut world.cx());
        block
    }

    #[test]
    fn power_on_gates() {
        let mut world = TestWorld::default();
        block(&mut world);
        for (bit, name) in [
            (8, "DEBUGSYS"),
            (10, "UART1"),
            (17, "MSDC0"),
            (20, "PWRAP"),
            (21, "SEJ"),
            (24, "GPT"),
        ] {
            assert!(world.signals.cg1_open(bit), "{name} runs");
        }
        for (bit, name) in [
            (2, "APDMA"),
            (3, "I2C0"),
            (9, "PWM"),
            (11, "UART2"),
            (13, "USB"),
            (18, "MSDC1"),
        ] {
            assert!(!world.signals.cg1_open(bit), "{name} is stopped");
        }
        assert_eq!(world.signals.cg0, 0x803f_00f7);
    }

    #[test]
    fn gates_change_through_aliases_and_directly() {
        let mut world = TestWorld::default();
        let mut block = block(&mut world);
        world.write(&mut block, 0x84, 1 << 11);
        assert!(world.signals.cg1_open(11));
        world.write(&mut block, 0x54, 1 << 24 | 1 << 0);
        assert!(!world.signals.cg1_open(24));
        // The vendor's way of opening the timers' gate.
        let value = world.read(&mut block, 0x24) & !(1 << 24);
        world.write(&mut block, 0x24, value);
        assert!(world.signals.cg1_open(24));
        assert!(!world.signals.cg1_open(0));
        world.write(&mut block, 0x50, 0x08);
        world.write(&mut block, 0x80, 0x0030_0080);
        assert_eq!(world.read(&mut block, 0x20), 0x800f_007f);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn preloader_values_are_accepted_and_kept() {
        let mut world = TestWorld::default();
        let mut block = block(&mut world);
        world.write(&mut block, 0x2c, 0x8000_0000);
        world.write(&mut block, 0x5c, 4);
        world.write(&mut block, 0x00, 0x1000_0480);
        assert_eq!(world.read(&mut block, 0x2c), 0x8000_0004);
        assert_eq!(world.signals.clk_mux_sel, 0x1000_0480);
        world.write(&mut block, 0x94, 1 << 25);
        assert_eq!(world.read(&mut block, 0x34), UPLL_DIVIDERS & !(1 << 25));
        assert!(world.reports.is_empty());
    }

    #[test]
    fn is_strict() {
        let mut world = TestWorld::default();
        let mut block = block(&mut world);
        world.read(&mut block, 0x54);
        world.write(&mut block, 0x04, 1);
        world.write(&mut block, 0x00, 0);
        block.write(0x84, 1, 8, &mut world.cx());
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(
            kinds,
            [
                GuestError::BadValue,
                GuestError::UnknownRegister,
                GuestError::BadValue,
                GuestError::AccessSize
            ]
        );
    }
}
