//! MMSYS_CONFIG: the clock gates and resets of the display, camera and codec
//! blocks, and how the blocks of the display path are connected.
//!
//! Which gates are open after the power domain was switched on is not known;
//! all are closed here, because vendor code opens what it uses. Routing takes
//! effect at once: no mutex holds it back.
//! Source: facts/soc.md 9.2, 9.3; facts/display.md 1.3 and 1.5.

use super::registers::{Access, read_only, write_only};
use super::scratch::Scratch;
use crate::bus::{Block, Context, GuestError, Reset, Size};

const NAME: &str = "MMSYS_CONFIG";
const LEN: u32 = 0x1000;

const CG0: u32 = 0x100;
const CG1: u32 = 0x110;
/// Clock gating by hardware. Two triples of value, SET and CLR fill the gap in
/// front of SW_RST; that they are laid out so is inferred from the gates.
const DCM0: u32 = 0x120;
const DCM1: u32 = 0x12c;
/// Active low, a bit a block. Which bit is whose is not known: it is only remembered.
const SW_RST: u32 = 0x138;
/// Debug views of the handshakes between the blocks.
const DL_VALID0: u32 = 0x860;
const DL_READY1: u32 = 0x86c;

const CG0_GATES: u32 = (1 << 22) - 1;
const CG1_GATES: u32 = (1 << 7) - 1;

const OVL_MOUT_EN: u32 = 0x30;
const DISP_OUT_SEL: u32 = 0x4c;
const RDMA0_OUT_SEL: u32 = 0x50;
const COLOR_SEL: u32 = 0x54;
const DSI_SEL: u32 = 0x58;
const DPI0_SEL: u32 = 0x5c;

/// The block at 0x14000000.
pub struct Mmsys {
    rest: Scratch,
    dcm: [u32; 2],
    sw_rst: u32,
}

impl Default for Mmsys {
    fn default() -> Self {
        Self::new()
    }
}

impl Mmsys {
    /// All gates closed, nothing connected, no block held in reset.
    pub fn new() -> Self {
        Mmsys {
            rest: Scratch::new(NAME, LEN),
            dcm: [0; 2],
            sw_rst: !0,
        }
    }

    /// Tells the path how its blocks are connected.
    fn connect(&mut self, cx: &mut Context<'_>) {
        let mut get = |offset| self.rest.read(offset, 4, cx);
        let routing = crate::display::Routing {
            ovl_mout: get(OVL_MOUT_EN),
            disp_out: get(DISP_OUT_SEL),
            rdma_out: get(RDMA0_OUT_SEL),
            color_in: get(COLOR_SEL),
            dsi_in: get(DSI_SEL),
        };
        cx.signals.display.routing = routing;
        cx.signals.display.gated = cx.signals.mm_cg0;
    }
}

/// The highest value that a routing register of the display path takes.
fn highest(offset: u32) -> Option<u32> {
    Some(match offset {
        OVL_MOUT_EN => 7,
        DISP_OUT_SEL => 2,
        RDMA0_OUT_SEL | COLOR_SEL | DSI_SEL | DPI0_SEL => 1,
        _ => return None,
    })
}

/// What a register with SET and CLR aliases is, and how it is written.
fn aliased(offset: u32) -> Option<(u32, Access)> {
    [CG0, CG1, DCM0, DCM1].into_iter().find_map(|base| {
        let access = match offset.checked_sub(base)? {
            0 => Access::Value,
            4 => Access::Set,
            8 => Access::Clear,
            _ => return None,
        };
        Some((base, access))
    })
}

impl Block for Mmsys {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        match (aliased(offset), offset) {
            (Some((CG0, Access::Value)), _) => cx.signals.mm_cg0 & CG0_GATES,
            (Some((CG1, Access::Value)), _) => cx.signals.mm_cg1 & CG1_GATES,
            (Some((base, Access::Value)), _) => self.dcm[usize::from(base == DCM1)],
            (Some(_), _) => write_only(NAME, offset, "a SET or CLR register", cx),
            (None, SW_RST) => self.sw_rst,
            _ => self.rest.read(offset, size, cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        let signals = &mut *cx.signals;
        match (aliased(offset), offset) {
            (Some((CG0, access)), _) => signals.mm_cg0 = access.apply(signals.mm_cg0, value),
            (Some((CG1, access)), _) => signals.mm_cg1 = access.apply(signals.mm_cg1, value),
            (Some((base, access)), _) => {
                let dcm = &mut self.dcm[usize::from(base == DCM1)];
                *dcm = access.apply(*dcm, value);
            }
            (None, SW_RST) => self.sw_rst = value,
            (None, DL_VALID0..=DL_READY1) => read_only(NAME, offset, "a debug view", cx),
            _ => {
                if let Some(highest) = highest(offset).filter(|&highest| value > highest) {
                    cx.report(
                        GuestError::BadValue,
                        NAME,
                        offset,
                        format!("{value:#x} in a routing register that takes 0 to {highest}"),
                    );
                }
                self.rest.write(offset, size, value, cx);
            }
        }
        self.connect(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        (cx.signals.mm_cg0, cx.signals.mm_cg1) = (!0, !0);
        self.rest.reset(kind, cx);
        self.dcm = [0; 2];
        self.sw_rst = !0;
        self.connect(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    #[test]
    fn vendor_values_open_the_gates_of_the_display_path() {
        let (mut world, mut mmsys) = (TestWorld::default(), Mmsys::new());
        assert_eq!(world.read(&mut mmsys, 0x100), 0x3F_FFFF);
        world.write(&mut mmsys, 0x108, 0xF);
        world.write(&mut mmsys, 0x108, 0x0020_81F0);
        world.write(&mut mmsys, 0x118, 0x13);
        assert_eq!(world.read(&mut mmsys, 0x100), 0x3F_FFFF & !0x0020_81FF);
        assert_eq!(world.signals.display.gated, world.signals.mm_cg0);
        assert_eq!(
            world.signals.mm_cg1 >> 4 & 1,
            0,
            "the LCM reset's gate is open"
        );
        world.write(&mut mmsys, 0x104, 1);
        assert_eq!(world.signals.mm_cg0 & 1, 1);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn aliases_cannot_be_read() {
        let (mut world, mut mmsys) = (TestWorld::default(), Mmsys::new());
        world.read(&mut mmsys, 0x104);
        world.read(&mut mmsys, 0x134);
        assert_eq!(world.reports.len(), 2);
    }

    #[test]
    fn routing_reaches_the_path_at_once() {
        let (mut world, mut mmsys) = (TestWorld::default(), Mmsys::new());
        world.signals.display.held = !0;
        world.write(&mut mmsys, OVL_MOUT_EN, 1);
        world.write(&mut mmsys, DSI_SEL, 1);
        assert_eq!(world.signals.display.routing.ovl_mout, 1);
        assert_eq!(world.signals.display.routing.dsi_in, 1);
        assert!(world.reports.is_empty());
        mmsys.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(world.signals.display.routing.ovl_mout, 0);
    }

    #[test]
    fn values_that_lead_nowhere_are_told_of() {
        let (mut world, mut mmsys) = (TestWorld::default(), Mmsys::new());
        for (offset, value) in [(OVL_MOUT_EN, 8), (DISP_OUT_SEL, 3), (COLOR_SEL, 2)] {
            world.write(&mut mmsys, offset, value);
        }
        world.write(&mut mmsys, DL_VALID0, 1);
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(kinds, [GuestError::BadValue; 4]);
    }

    #[test]
    fn resets_and_dcm_are_remembered() {
        let (mut world, mut mmsys) = (TestWorld::default(), Mmsys::new());
        assert_eq!(world.read(&mut mmsys, SW_RST), !0);
        world.write(&mut mmsys, SW_RST, !0x100);
        assert_eq!(world.read(&mut mmsys, SW_RST), !0x100);
        world.write(&mut mmsys, DCM1 + 4, 0xf0);
        world.write(&mut mmsys, DCM1 + 8, 0x30);
        assert_eq!(world.read(&mut mmsys, DCM1), 0xc0);
        assert_eq!(world.read(&mut mmsys, DCM0), 0);
        assert!(world.reports.is_empty());
    }
}
