//! COLOR, the colour engine: on or off, and the size it is set to. What it
//! would do to the colours is not modelled; loaders bypass it.
//!
//! Source: facts/display.md 1.6, 2.3 and 9.3.

use super::scratch::Scratch;
use crate::bus::{Block, Context, Reset, Size};
use crate::display::{Color, Module};

const NAME: &str = "DISP_COLOR";
const LEN: u32 = 0x1000;

const START: u32 = 0xf00;
const INTSTA: u32 = 0xf08;
const WIDTH: u32 = 0xf50;
const HEIGHT: u32 = 0xf54;

/// The block at 0x1400B000.
pub struct DispColor {
    registers: Scratch,
    /// A mutex held the block when that was last looked at.
    held_back: bool,
}

impl Default for DispColor {
    fn default() -> Self {
        Self::new()
    }
}

impl DispColor {
    /// Not started.
    pub fn new() -> Self {
        DispColor {
            registers: Scratch::new(NAME, LEN),
            held_back: false,
        }
    }

    /// Puts into effect what no mutex holds back.
    fn catch_up(&mut self, cx: &mut Context<'_>) {
        self.held_back = cx.signals.display.holds(Module::Color);
        if !self.held_back {
            let mut get = |offset| self.registers.read(offset, 4, cx);
            let color = Color {
                started: get(START) & 1 != 0,
                width: get(WIDTH),
                height: get(HEIGHT),
            };
            cx.signals.display.color = color;
        }
    }
}

impl Block for DispColor {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if offset == INTSTA {
            // Bypassed, it has nothing to report.
            return 0;
        }
        self.registers.read(offset, size, cx)
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if offset != INTSTA {
            self.registers.write(offset, size, value, cx);
            self.catch_up(cx);
        }
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        cx.signals.display.color = Color::default();
        self.held_back = false;
    }

    fn watches_wires(&self) -> bool {
        true
    }

    /// A mutex may have let go.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        if self.held_back {
            self.catch_up(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    #[test]
    fn a_stock_loaders_writes_start_it_at_its_size() {
        let (mut world, mut color) = (TestWorld::default(), DispColor::new());
        for (offset, value) in [
            (INTSTA, 0),
            (WIDTH, 480),
            (HEIGHT, 854),
            (0x400, 0x2000_00bf),
            (START, 1),
            (INTSTA, 0xf),
        ] {
            world.write(&mut color, offset, value);
        }
        let wanted = Color {
            started: true,
            width: 480,
            height: 854,
        };
        assert_eq!(world.signals.display.color, wanted);
        assert_eq!(world.read(&mut color, INTSTA), 0);
        assert!(world.reports.is_empty());
        color.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(world.signals.display.color, Color::default());
    }

    #[test]
    fn a_mutex_holds_it_back() {
        let (mut world, mut color) = (TestWorld::default(), DispColor::new());
        world.signals.display.held = Module::Color.mask();
        world.write(&mut color, START, 1);
        assert!(!world.signals.display.color.started);
        world.signals.display.held = 0;
        color.wires_changed(&mut world.cx());
        assert!(world.signals.display.color.started);
    }
}
