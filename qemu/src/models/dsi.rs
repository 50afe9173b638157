//! DSI host: command queue, video engine and status bits, with nothing that
//! answers on the lanes.
//!
//! Software that brings up a display gets through its waits as it would on a
//! phone whose panel is not plugged in: writes are sent and end, a turned-round
//! bus stays busy until the host is reset, video runs.
//! Source: facts/display.md 3.1, 3.4, 3.6 and 9.3.

use super::scratch::Scratch;
use crate::bus::{Block, Context, Nanos, Reset, Size};

const NAME: &str = "DSI";
const LEN: u32 = 0x1000;
/// SPI of the host.
const SPI: u8 = 104;

const START: u32 = 0x00;
const INTEN: u32 = 0x08;
const INTSTA: u32 = 0x0c;
const COM_CTRL: u32 = 0x10;
const MODE_CTRL: u32 = 0x14;
const CMDQ_SIZE: u32 = 0x60;
const PHY_LCCON: u32 = 0x104;
const STATE_DBG0: u32 = 0x148;
const CMDQ: u32 = 0x180;
const CMDQ_WORDS: u32 = 32;

const DSI_START: u32 = 1;
const SLEEPOUT_START: u32 = 1 << 2;
const VM_CMD_START: u32 = 1 << 16;

const CMD_DONE: u32 = 1 << 1;
const VM_DONE: u32 = 1 << 3;
const VM_CMD_DONE: u32 = 1 << 5;
const SLEEPOUT_DONE: u32 = 1 << 6;
const BUSY: u32 = 1 << 31;

const HOST_RESET: u32 = 1;
const MODE: u32 = 3;
const LC_HS_TX_EN: u32 = 1;

/// CONFIG bits of a queue header.
const TYPE: u32 = 3;
const TYPE_FRAME: u32 = 1;
const TYPE_LONG: u32 = 2;
const BTA: u32 = 1 << 2;
const HS: u32 = 1 << 3;
const WAIT_TE: u32 = 1 << 5;

/// 10 Mbit/s, the usual LP rate.
const LP_BYTE: Nanos = 800;
/// 416 Mbit/s on one lane.
const HS_BYTE: Nanos = 20;
/// A frame at 60 Hz.
pub const FRAME: Nanos = 16_666_667;

/// What the command engine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Idle,
    /// Sends until the time given.
    Sending(Nanos),
    /// Waits for somebody at the other end, who is not there.
    Waiting,
}

/// The block at 0x1400C000.
pub struct Dsi {
    registers: Scratch,
    /// INTSTA without BUSY.
    latched: u32,
    engine: Engine,
    vm_command_at: Option<Nanos>,
}

impl Default for Dsi {
    fn default() -> Self {
        Self::new()
    }
}

impl Dsi {
    /// Idle, all registers zero.
    pub fn new() -> Self {
        Dsi {
            registers: Scratch::new(NAME, LEN),
            latched: 0,
            engine: Engine::Idle,
            vm_command_at: None,
        }
    }

    fn get(&mut self, offset: u32, cx: &mut Context<'_>) -> u32 {
        self.registers.read(offset, 4, cx)
    }

    fn catch_up(&mut self, cx: &mut Context<'_>) {
        if matches!(self.engine, Engine::Sending(end) if end <= cx.now) {
            self.engine = Engine::Idle;
            self.latched |= CMD_DONE;
        }
        if self.vm_command_at.is_some_and(|at| at <= cx.now) {
            self.vm_command_at = None;
            self.latched |= VM_CMD_DONE;
        }
        let enabled = self.get(INTEN, cx);
        cx.irq.set(SPI, self.latched & enabled != 0);
    }

    fn status(&self, cx: &Context<'_>) -> u32 {
        let busy = self.engine != Engine::Idle || cx.signals.video_since.is_some();
        self.latched | if busy { BUSY } else { 0 }
    }

    /// Rising edges of START.
    fn start(&mut self, edges: u32, cx: &mut Context<'_>) {
        if edges & SLEEPOUT_START != 0 {
            self.latched |= SLEEPOUT_DONE;
        }
        if edges & VM_CMD_START != 0 {
            self.vm_command_at = cx.signals.frame_after(cx.now, FRAME);
        }
        if edges & DSI_START != 0 {
            if self.get(MODE_CTRL, cx) & MODE != 0 {
                cx.signals.video_since.get_or_insert(cx.now);
            } else if self.engine != Engine::Waiting {
                self.engine = self.send_queue(cx);
            }
        }
    }

    /// Walks the queue: how long it takes, or that it needs an answer.
    fn send_queue(&mut self, cx: &mut Context<'_>) -> Engine {
        let words = (self.get(CMDQ_SIZE, cx) & 0x3f).min(CMDQ_WORDS);
        let (mut at, mut time) = (0, 0);
        while at < words {
            let header = self.get(CMDQ + 4 * at, cx);
            if header & (BTA | WAIT_TE) != 0 {
                return Engine::Waiting;
            }
            let byte = if header & HS != 0 { HS_BYTE } else { LP_BYTE };
            let payload = if header & TYPE == TYPE_LONG {
                header >> 16
            } else {
                0
            };
            time += match header & TYPE {
                TYPE_FRAME => FRAME,
                TYPE_LONG => (6 + Nanos::from(payload)) * byte,
                _ => 4 * byte,
            };
            at += 1 + payload.div_ceil(4);
        }
        Engine::Sending(cx.now + time)
    }

    fn stop_video(cx: &mut Context<'_>) -> bool {
        cx.signals.video_since.take().is_some()
    }
}

impl Block for Dsi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.catch_up(cx);
        match offset {
            INTSTA if size == 4 => self.status(cx),
            STATE_DBG0 if size == 4 => {
                let fast = self.get(PHY_LCCON, cx) & LC_HS_TX_EN;
                (1 - fast) | fast << 18
            }
            _ => self.registers.read(offset, size, cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.catch_up(cx);
        // Bits are cleared by writing 0; a 1 leaves them as they are.
        if offset == INTSTA && size == 4 {
            self.latched &= value;
            self.catch_up(cx);
            return;
        }
        let word = offset & !3;
        let old = self.get(word, cx);
        self.registers.write(offset, size, value, cx);
        let new = self.get(word, cx);
        match word {
            START => self.start(new & !old, cx),
            COM_CTRL if new & HOST_RESET != 0 => {
                self.engine = Engine::Idle;
                Dsi::stop_video(cx);
            }
            MODE_CTRL if new & MODE == 0 && Dsi::stop_video(cx) => self.latched |= VM_DONE,
            _ => {}
        }
        self.catch_up(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        self.latched = 0;
        self.engine = Engine::Idle;
        self.vm_command_at = None;
        Dsi::stop_video(cx);
        self.catch_up(cx);
    }

    fn deadline(&self) -> Option<Nanos> {
        let sent = match self.engine {
            Engine::Sending(end) => Some(end),
            _ => None,
        };
        sent.into_iter().chain(self.vm_command_at).min()
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.catch_up(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    fn start(world: &mut TestWorld, dsi: &mut Dsi) {
        world.write(dsi, START, 0);
        world.write(dsi, START, 1);
    }

    #[test]
    fn a_write_is_busy_for_its_time_and_done() {
        let (mut world, mut dsi) = (TestWorld::default(), Dsi::new());
        world.write(&mut dsi, INTEN, CMD_DONE);
        // Five bytes of payload and sleep-out behind it.
        world.write(&mut dsi, CMDQ, 0x0005_3902);
        world.write(&mut dsi, CMDQ + 12, 0x0011_0500);
        world.write(&mut dsi, CMDQ_SIZE, 4);
        start(&mut world, &mut dsi);
        assert_eq!(world.read(&mut dsi, INTSTA), BUSY);
        world.advance(&mut dsi, 15 * LP_BYTE - 1);
        assert_eq!(world.read(&mut dsi, INTSTA), BUSY);
        world.advance(&mut dsi, 15 * LP_BYTE);
        assert!(world.irq.get(SPI));
        assert_eq!(world.read(&mut dsi, INTSTA), CMD_DONE);
        world.write(&mut dsi, INTSTA, !0);
        assert_eq!(world.read(&mut dsi, INTSTA), CMD_DONE);
        world.write(&mut dsi, INTSTA, 0);
        assert_eq!(world.read(&mut dsi, INTSTA), 0);
        assert!(!world.irq.get(SPI));
        // Without an edge nothing is sent.
        world.write(&mut dsi, START, 1);
        assert_eq!(world.read(&mut dsi, INTSTA), 0);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn a_read_is_never_answered_and_ends_with_the_host_reset() {
        let (mut world, mut dsi) = (TestWorld::default(), Dsi::new());
        world.write(&mut dsi, CMDQ, 0x0004_0604);
        world.write(&mut dsi, CMDQ_SIZE, 1);
        start(&mut world, &mut dsi);
        world.advance(&mut dsi, 1_000_000_000);
        assert_eq!(world.read(&mut dsi, INTSTA), BUSY);
        start(&mut world, &mut dsi);
        world.write(&mut dsi, COM_CTRL, 3);
        assert_eq!(world.read(&mut dsi, INTSTA), 0);
        assert_eq!(world.read(&mut dsi, CMDQ), 0x0004_0604);
    }

    #[test]
    fn video_runs_until_the_mode_is_left() {
        let (mut world, mut dsi) = (TestWorld::default(), Dsi::new());
        world.write(&mut dsi, MODE_CTRL, 1);
        world.now = 100;
        start(&mut world, &mut dsi);
        assert_eq!(world.signals.video_since, Some(100));
        assert_eq!(world.read(&mut dsi, INTSTA), BUSY);
        world.write(&mut dsi, START, 1 | VM_CMD_START);
        world.advance(&mut dsi, 100 + FRAME);
        assert_eq!(world.read(&mut dsi, INTSTA), BUSY | VM_CMD_DONE);
        world.write(&mut dsi, INTSTA, 0);
        world.write(&mut dsi, MODE_CTRL, 0);
        assert_eq!(world.read(&mut dsi, INTSTA), VM_DONE);
        assert_eq!(world.signals.video_since, None);
    }

    #[test]
    fn clock_lane_shows_in_the_debug_register() {
        let (mut world, mut dsi) = (TestWorld::default(), Dsi::new());
        assert_eq!(world.read(&mut dsi, STATE_DBG0), 1);
        world.write(&mut dsi, PHY_LCCON, 1);
        assert_eq!(world.read(&mut dsi, STATE_DBG0), 1 << 18);
    }
}
