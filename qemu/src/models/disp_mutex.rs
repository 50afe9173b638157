//! Display mutexes: software locks one, changes the display modules, and the
//! release makes the changes take effect together, at the next frame or at once.
//!
//! Source: facts/display.md 1.6 and 9.3.

use super::dsi::FRAME;
use super::scratch::Scratch;
use crate::bus::{Block, Context, Nanos, Reset, Size};

const NAME: &str = "DISP_MUTEX";
const LEN: u32 = 0x1000;
/// SPI of the block.
const SPI: u8 = 92;

const INTEN: u32 = 0x00;
const INTSTA: u32 = 0x04;
const FIRST: u32 = 0x20;
const STRIDE: u32 = 0x20;
const COUNT: usize = 8;
/// Registers of one mutex.
const LOCK: u32 = 0x04;
const RST: u32 = 0x08;
const SOF: u32 = 0x10;

const REQUEST: u32 = 1;
const GRANTED: u32 = 2;
/// SOF: software's own start, frames of DSI video; any other source has no model.
const SOF_SINGLE: u32 = 0;
const SOF_DSI_VIDEO: u32 = 1;

/// The block at 0x1400E000.
pub struct DispMutex {
    registers: Scratch,
    latched: u32,
    /// When each mutex was released with changes that no frame has taken yet.
    released: [Option<Nanos>; COUNT],
    /// The next frame, if one is waited for.
    next_frame: Option<Nanos>,
}

impl Default for DispMutex {
    fn default() -> Self {
        Self::new()
    }
}

impl DispMutex {
    /// All mutexes free.
    pub fn new() -> Self {
        DispMutex {
            registers: Scratch::new(NAME, LEN),
            latched: 0,
            released: [None; COUNT],
            next_frame: None,
        }
    }

    fn get(&mut self, offset: u32, cx: &mut Context<'_>) -> u32 {
        self.registers.read(offset, 4, cx)
    }

    /// Commits what a frame has taken, and drives the interrupt.
    fn catch_up(&mut self, cx: &mut Context<'_>) {
        self.next_frame = None;
        for index in 0..COUNT {
            let Some(at) = self.released[index] else {
                continue;
            };
            let source = self.get(FIRST + STRIDE * index as u32 + SOF, cx);
            let commit = match source {
                SOF_SINGLE => Some(at),
                SOF_DSI_VIDEO => cx.signals.frame_after(at, FRAME),
                _ => None,
            };
            match commit {
                Some(commit) if commit <= cx.now => {
                    self.released[index] = None;
                    self.latched |= 1 << index;
                }
                Some(commit) => {
                    self.next_frame = Some(self.next_frame.map_or(commit, |at| at.min(commit)));
                }
                None => {}
            }
        }
        let enabled = self.get(INTEN, cx);
        cx.irq.set(SPI, self.latched & enabled != 0);
    }
}

/// Mutex and register within it.
fn split(offset: u32) -> Option<(usize, u32)> {
    let from_first = offset.checked_sub(FIRST)?;
    let index = (from_first / STRIDE) as usize;
    (index < COUNT).then_some((index, from_first % STRIDE))
}

impl Block for DispMutex {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.catch_up(cx);
        match split(offset) {
            _ if offset == INTSTA => self.latched,
            Some((_, LOCK)) => {
                let lock = self.get(offset, cx) & REQUEST;
                lock | if lock != 0 { GRANTED } else { 0 }
            }
            _ => self.registers.read(offset, size, cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.catch_up(cx);
        if offset == INTSTA {
            // Bits are cleared by writing 0.
            self.latched &= value;
            self.catch_up(cx);
            return;
        }
        let old = self.get(offset & !3, cx);
        self.registers.write(offset, size, value, cx);
        match split(offset) {
            Some((index, LOCK)) if old & REQUEST != 0 && value & REQUEST == 0 => {
                self.released[index] = Some(cx.now);
            }
            Some((index, RST)) if value & 1 != 0 => {
                self.released[index] = None;
                self.registers.write(offset - RST + LOCK, 4, 0, cx);
            }
            _ => {}
        }
        self.catch_up(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        self.latched = 0;
        self.released = [None; COUNT];
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

    /// Video may have started.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        if self.released.iter().any(Option::is_some) {
            self.catch_up(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    const MUTEX0_LOCK: u32 = 0x24;

    fn configured(sof: u32) -> (TestWorld, DispMutex) {
        let (mut world, mut mutex) = (TestWorld::default(), DispMutex::new());
        for (offset, value) in [
            (0x28, 1),
            (0x28, 0),
            (0x2c, 0x688),
            (0x30, sof),
            (INTEN, 1),
            (0x20, 1),
        ] {
            world.write(&mut mutex, offset, value);
        }
        (world, mutex)
    }

    #[test]
    fn a_lock_is_granted_and_released() {
        let (mut world, mut mutex) = configured(0);
        assert_eq!(world.read(&mut mutex, MUTEX0_LOCK) & GRANTED, 0);
        world.write(&mut mutex, MUTEX0_LOCK, 1);
        assert_eq!(world.read(&mut mutex, MUTEX0_LOCK) & GRANTED, GRANTED);
        assert!(!world.irq.get(SPI));
        world.write(&mut mutex, MUTEX0_LOCK, 0);
        assert_eq!(world.read(&mut mutex, MUTEX0_LOCK) & GRANTED, 0);
        assert!(world.irq.get(SPI));
        // As stock software clears it: what it read without the bit.
        let status = world.read(&mut mutex, INTSTA);
        world.write(&mut mutex, INTSTA, status & !1);
        assert_eq!(world.read(&mut mutex, INTSTA), 0);
        assert!(!world.irq.get(SPI));
    }

    #[test]
    fn video_commits_at_the_next_frame_only() {
        let (mut world, mut mutex) = configured(1);
        world.write(&mut mutex, MUTEX0_LOCK, 1);
        world.write(&mut mutex, MUTEX0_LOCK, 0);
        world.advance(&mut mutex, 1_000);
        assert_eq!(world.read(&mut mutex, INTSTA), 0);
        world.signals.video_since = Some(1_000);
        mutex.wires_changed(&mut world.cx());
        assert_eq!(world.read(&mut mutex, INTSTA), 1, "the first frame took it");
        world.write(&mut mutex, INTSTA, 0);
        world.advance(&mut mutex, 2_000);
        world.write(&mut mutex, MUTEX0_LOCK, 1);
        world.write(&mut mutex, MUTEX0_LOCK, 0);
        world.advance(&mut mutex, 999 + FRAME);
        assert_eq!(world.read(&mut mutex, INTSTA), 0);
        world.advance(&mut mutex, 1_000 + FRAME);
        assert!(world.irq.get(SPI), "by the tick, without an access");
        assert_eq!(world.read(&mut mutex, INTSTA), 1);
    }

    #[test]
    fn reset_drops_a_lock_without_a_commit() {
        let (mut world, mut mutex) = configured(0);
        world.write(&mut mutex, MUTEX0_LOCK, 1);
        world.write(&mut mutex, 0x28, 1);
        assert_eq!(world.read(&mut mutex, MUTEX0_LOCK), 0);
        assert_eq!(world.read(&mut mutex, INTSTA), 0);
    }
}
