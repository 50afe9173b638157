//! Display RDMA: what software sees of frames going by. Pixels are not moved.
//!
//! Source: facts/display.md 2, 2.2 and 9.3.

use super::dsi::FRAME;
use super::scratch::Scratch;
use crate::bus::{Block, Context, Nanos, Reset, Size};

const NAME: &str = "DISP_RDMA";
const LEN: u32 = 0x1000;
/// SPI of the block.
const SPI: u8 = 100;

const INT_ENABLE: u32 = 0x00;
const INT_STATUS: u32 = 0x04;
const GLOBAL_CON: u32 = 0x10;

const ENGINE_EN: u32 = 1;
const FRAME_START: u32 = 1 << 1;
const FRAME_END: u32 = 1 << 2;

/// The block at 0x14008000.
pub struct DispRdma {
    registers: Scratch,
    latched: u32,
    /// Frames up to here are in `latched`.
    seen: Nanos,
    next_frame: Option<Nanos>,
    /// Whether video ran when that was last looked at.
    video: bool,
}

impl Default for DispRdma {
    fn default() -> Self {
        Self::new()
    }
}

impl DispRdma {
    /// The engine off.
    pub fn new() -> Self {
        DispRdma {
            registers: Scratch::new(NAME, LEN),
            latched: 0,
            seen: 0,
            next_frame: None,
            video: false,
        }
    }

    fn catch_up(&mut self, cx: &mut Context<'_>) {
        let running = self.registers.read(GLOBAL_CON, 4, cx) & ENGINE_EN != 0;
        if running
            && cx
                .signals
                .frame_after(self.seen, FRAME)
                .is_some_and(|at| at <= cx.now)
        {
            self.latched |= FRAME_START | FRAME_END;
        }
        self.seen = cx.now;
        self.video = cx.signals.video_since.is_some();
        let enabled = self.registers.read(INT_ENABLE, 4, cx);
        // Nobody needs to be woken for frames that interrupt nobody.
        let wanted = running && enabled & (FRAME_START | FRAME_END) & !self.latched != 0;
        self.next_frame = cx.signals.frame_after(cx.now, FRAME).filter(|_| wanted);
        cx.irq.set(SPI, self.latched & enabled != 0);
    }
}

impl Block for DispRdma {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.catch_up(cx);
        if offset == INT_STATUS {
            self.latched
        } else {
            self.registers.read(offset, size, cx)
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.catch_up(cx);
        if offset == INT_STATUS {
            // Bits are cleared by writing 0.
            self.latched &= value;
        } else {
            self.registers.write(offset, size, value, cx);
        }
        self.catch_up(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        self.latched = 0;
        self.catch_up(cx);
    }

    fn deadline(&self) -> Option<Nanos> {
        self.next_frame
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.catch_up(cx);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    /// Video may have started or stopped.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        if cx.signals.video_since.is_some() != self.video {
            self.catch_up(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    #[test]
    fn frames_show_while_engine_and_video_run() {
        let (mut world, mut rdma) = (TestWorld::default(), DispRdma::new());
        world.signals.video_since = Some(0);
        world.advance(&mut rdma, 2 * FRAME);
        assert_eq!(world.read(&mut rdma, INT_STATUS), 0);
        world.write(&mut rdma, GLOBAL_CON, ENGINE_EN);
        assert_eq!(world.read(&mut rdma, INT_STATUS), 0);
        world.advance(&mut rdma, 3 * FRAME);
        assert_eq!(world.read(&mut rdma, INT_STATUS), FRAME_START | FRAME_END);
        world.write(&mut rdma, INT_STATUS, !FRAME_START);
        assert_eq!(world.read(&mut rdma, INT_STATUS), FRAME_END);
        world.signals.video_since = None;
        world.advance(&mut rdma, 9 * FRAME);
        assert_eq!(world.read(&mut rdma, INT_STATUS), FRAME_END);
    }

    #[test]
    fn an_enabled_frame_interrupts_without_an_access() {
        let (mut world, mut rdma) = (TestWorld::default(), DispRdma::new());
        world.write(&mut rdma, GLOBAL_CON, ENGINE_EN);
        world.write(&mut rdma, INT_ENABLE, FRAME_START);
        assert_eq!(rdma.deadline(), None);
        world.signals.video_since = Some(0);
        rdma.wires_changed(&mut world.cx());
        world.advance(&mut rdma, FRAME);
        assert!(world.irq.get(SPI));
    }
}
