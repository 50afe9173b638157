//! MMSYS_CONFIG: the clock gates and resets of the display, camera and codec
//! blocks. The other registers (paths between the blocks) are remembered.
//!
//! Which gates are open after the power domain was switched on is not known;
//! all are closed here, because vendor code opens what it uses.
//! Source: facts/soc.md 9.2, 9.3.

use super::scratch::Scratch;
use crate::bus::{Block, Context, GuestError, Reset, Size};

const NAME: &str = "MMSYS_CONFIG";
const LEN: u32 = 0x1000;

const CG0: u32 = 0x100;
const CG1: u32 = 0x110;
/// SET and CLR aliases follow the status register.
const SET: u32 = 4;
const CLR: u32 = 8;

const CG0_GATES: u32 = (1 << 22) - 1;
const CG1_GATES: u32 = (1 << 7) - 1;

/// The block at 0x14000000.
pub struct Mmsys {
    rest: Scratch,
}

impl Default for Mmsys {
    fn default() -> Self {
        Self::new()
    }
}

impl Mmsys {
    /// All gates closed.
    pub fn new() -> Self {
        Mmsys {
            rest: Scratch::new(NAME, LEN),
        }
    }
}

impl Block for Mmsys {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        match offset {
            CG0 => cx.signals.mm_cg0 & CG0_GATES,
            CG1 => cx.signals.mm_cg1 & CG1_GATES,
            _ if is_alias(offset) => {
                cx.report(
                    GuestError::BadValue,
                    NAME,
                    offset,
                    "read of a write-only SET or CLR register",
                );
                0
            }
            _ => self.rest.read(offset, size, cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        let signals = &mut *cx.signals;
        match offset {
            CG0 => signals.mm_cg0 = value,
            CG1 => signals.mm_cg1 = value,
            _ if offset == CG0 + SET => signals.mm_cg0 |= value,
            _ if offset == CG0 + CLR => signals.mm_cg0 &= !value,
            _ if offset == CG1 + SET => signals.mm_cg1 |= value,
            _ if offset == CG1 + CLR => signals.mm_cg1 &= !value,
            _ => self.rest.write(offset, size, value, cx),
        }
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        (cx.signals.mm_cg0, cx.signals.mm_cg1) = (!0, !0);
        self.rest.reset(kind, cx);
    }
}

fn is_alias(offset: u32) -> bool {
    [CG0 + SET, CG0 + CLR, CG1 + SET, CG1 + CLR].contains(&offset)
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
        assert_eq!(world.reports.len(), 1);
    }
}
