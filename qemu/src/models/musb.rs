//! USB controller as far as a driver sees it with no cable plugged in: it says
//! how it was built, keeps what is written, and nothing ever happens.
//!
//! Source: facts/soc.md 1.2. That endpoint memory is assigned by software
//! (dynamic FIFOs) is what drivers for this chip count on.

use super::scratch::Scratch;
use crate::bus::{Block, Context, Reset, Size};

const NAME: &str = "USB";
const LEN: u32 = 0x1_0000;

/// Interrupt status: transmit, receive, bus events, and the second level.
const QUIET: [core::ops::Range<u32>; 3] = [0x02..0x06, 0x0a..0x0b, 0xa0..0xa4];
const INDEX: u32 = 0x0e;
/// CONFIGDATA of endpoint 0, FIFOSIZE of the others.
const CONFIGDATA: u32 = 0x1f;

/// Soft connect, dynamic FIFOs, high-bandwidth both ways, bulk combine and split.
const BUILT_WITH: u32 = 0xde;

/// The block at 0x11100000.
pub struct Musb {
    registers: Scratch,
}

impl Default for Musb {
    fn default() -> Self {
        Self::new()
    }
}

impl Musb {
    /// Nothing plugged in.
    pub fn new() -> Self {
        Musb {
            registers: Scratch::new(NAME, LEN),
        }
    }
}

fn is_quiet(offset: u32) -> bool {
    QUIET.iter().any(|range| range.contains(&offset))
}

impl Block for Musb {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if is_quiet(offset) {
            return 0;
        }
        if offset == CONFIGDATA && self.registers.read(INDEX, 1, cx) == 0 {
            return BUILT_WITH;
        }
        self.registers.read(offset, size, cx)
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        // Acknowledging what has not happened is harmless.
        if !is_quiet(offset) {
            self.registers.write(offset, size, value, cx);
        }
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    #[test]
    fn says_how_it_was_built_at_endpoint_0() {
        let (mut world, mut usb) = (TestWorld::default(), Musb::new());
        assert_eq!(usb.read(CONFIGDATA, 1, &mut world.cx()), BUILT_WITH);
        usb.write(INDEX, 1, 1, &mut world.cx());
        assert_eq!(usb.read(CONFIGDATA, 1, &mut world.cx()), 0);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn no_event_ever_comes() {
        let (mut world, mut usb) = (TestWorld::default(), Musb::new());
        usb.write(0x0a, 1, 0xff, &mut world.cx());
        usb.write(0x02, 2, 0xffff, &mut world.cx());
        world.write(&mut usb, 0xa4, 7);
        assert_eq!(usb.read(0x0a, 1, &mut world.cx()), 0);
        assert_eq!(usb.read(0x02, 2, &mut world.cx()), 0);
        assert_eq!(world.read(&mut usb, 0xa0), 0);
        assert_eq!(world.read(&mut usb, 0xa4), 7);
    }
}
