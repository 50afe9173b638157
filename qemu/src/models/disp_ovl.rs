//! OVL, the overlay engine: what software wrote, what of it is in effect, and
//! the status bits of the frames that go by. [`crate::display::compose`] makes
//! the picture.
//!
//! While a mutex holds OVL, writes change nothing but the registers; interrupt
//! and reset registers always act at once. Reads return what was written last.
//! Source: facts/display.md 1.6, 2.1 and 9.3.

use super::registers::read_only;
use super::scratch::Scratch;
use crate::bus::{Block, Context, GuestError, Nanos, Reset, Size};
use crate::display::{Format, Frames, Layer, Module, Moment, Ovl};

const NAME: &str = "DISP_OVL";
const LEN: u32 = 0x1000;
/// SPI of the block.
const SPI: u8 = 103;
/// Pixels and lines at most.
const LIMIT: u32 = 1920;

const STA: u32 = 0x00;
const INTEN: u32 = 0x04;
const INTSTA: u32 = 0x08;
const EN: u32 = 0x0c;
const RST: u32 = 0x14;
const ROI_SIZE: u32 = 0x20;
const ROI_BGCLR: u32 = 0x28;
const SRC_CON: u32 = 0x2c;
const LAYER0: u32 = 0x30;
const RDMA0_CTRL: u32 = 0xc0;
const STRIDE: u32 = 0x20;
/// Registers of a layer.
const CON: u32 = 0x00;
const SRCKEY: u32 = 0x04;
const SRC_SIZE: u32 = 0x08;
const OFFSET: u32 = 0x0c;
const ADDR: u32 = 0x10;
const PITCH: u32 = 0x14;

const REG_COMMIT: u32 = 1 << 0;
const FRAME_COMPLETE: u32 = 1 << 1;
const RESET_DONE: u32 = 1 << 3;

/// The block at 0x14007000.
pub struct DispOvl {
    registers: Scratch,
    latched: u32,
    frames: Frames,
    /// Commits by a mutex up to here are in `latched`.
    commits: u32,
    next_frame: Option<Nanos>,
    /// A mutex held the block when that was last looked at.
    held_back: bool,
    /// Whether video ran when that was last looked at.
    video: bool,
}

impl Default for DispOvl {
    fn default() -> Self {
        Self::new()
    }
}

impl DispOvl {
    /// The engine off.
    pub fn new() -> Self {
        DispOvl {
            registers: Scratch::new(NAME, LEN),
            latched: 0,
            frames: Frames::default(),
            commits: 0,
            next_frame: None,
            held_back: false,
            video: false,
        }
    }

    /// What software wrote last.
    fn written(&mut self, cx: &mut Context<'_>) -> Ovl {
        let mut get = |offset| self.registers.read(offset, 4, cx);
        let layers = std::array::from_fn(|index| {
            let base = LAYER0 + STRIDE * index as u32;
            Layer {
                con: get(base + CON),
                key: get(base + SRCKEY),
                size: get(base + SRC_SIZE),
                offset: get(base + OFFSET),
                addr: get(base + ADDR),
                pitch: get(base + PITCH),
                reads: get(RDMA0_CTRL + STRIDE * index as u32) & 1 != 0,
            }
        });
        Ovl {
            enabled: get(EN) & 1 != 0,
            roi: get(ROI_SIZE),
            background: get(ROI_BGCLR),
            shown: get(SRC_CON) & 0xf,
            layers,
        }
    }

    /// Puts into effect what no mutex holds back, and counts frames.
    fn catch_up(&mut self, cx: &mut Context<'_>) {
        let video = cx.signals.video_since;
        let path = cx.signals.display;
        let [complete] = self.frames.passed(video, &path, [Moment::End], cx.now);
        if complete && path.ovl.enabled {
            self.latched |= FRAME_COMPLETE;
        }
        let commits = path.commits_of(Module::Ovl);
        if commits != self.commits {
            self.commits = commits;
            self.latched |= REG_COMMIT;
        }
        self.held_back = path.holds(Module::Ovl);
        if !self.held_back {
            cx.signals.display.ovl = self.written(cx);
        }
        self.video = video.is_some();
        let enabled = self.registers.read(INTEN, 4, cx);
        // Nobody needs to be woken for frames that interrupt nobody.
        let wanted =
            cx.signals.display.ovl.enabled && enabled & FRAME_COMPLETE & !self.latched != 0;
        self.next_frame = self
            .frames
            .next(video, &path, Moment::End)
            .filter(|_| wanted);
        cx.irq.set(SPI, self.latched & enabled != 0);
    }

    /// Reports a value that the engine cannot work with.
    fn check(offset: u32, value: u32, cx: &mut Context<'_>) {
        let layer = offset
            .checked_sub(LAYER0)
            .filter(|&from_first| from_first < 4 * STRIDE)
            .map(|from_first| from_first % STRIDE);
        let complaint = match (offset, layer) {
            (ROI_SIZE, _) | (_, Some(SRC_SIZE)) => {
                let (width, height) = (value & 0xffff, value >> 16);
                (width > LIMIT || height > LIMIT)
                    .then(|| format!("{width}x{height} is larger than {LIMIT}x{LIMIT}"))
            }
            (_, Some(CON)) => {
                let format = value >> 12 & 0xf;
                if Format::of_ovl(format).is_none() {
                    Some(format!("colour format {format} does not exist"))
                } else if value >> 28 & 3 == 1 {
                    Some("pixel source 1 does not exist".into())
                } else {
                    None
                }
            }
            _ => None,
        };
        if let Some(message) = complaint {
            cx.report(GuestError::BadValue, NAME, offset, message);
        }
    }
}

impl Block for DispOvl {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.catch_up(cx);
        match offset {
            STA => u32::from(cx.signals.display.ovl.enabled),
            INTSTA => self.latched,
            _ => self.registers.read(offset, size, cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.catch_up(cx);
        match offset {
            STA => read_only(NAME, offset, "STA", cx),
            // Bits are cleared by writing 0.
            INTSTA => self.latched &= value,
            _ => {
                DispOvl::check(offset, value, cx);
                self.registers.write(offset, size, value, cx);
            }
        }
        if offset == RST && value & 1 != 0 {
            self.latched |= RESET_DONE;
        }
        self.catch_up(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        self.latched = 0;
        cx.signals.display.ovl = Ovl::default();
        self.catch_up(cx);
        self.latched = 0;
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

    /// A mutex may have let go, video may have started or stopped.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        let path = &cx.signals.display;
        if cx.signals.video_since.is_some() != self.video
            || path.commits_of(Module::Ovl) != self.commits
            || self.frames.missed_single(path)
            || self.held_back && !path.holds(Module::Ovl)
        {
            self.catch_up(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;
    use crate::display::FRAME;

    const HELD: u32 = Module::Ovl.mask();

    #[test]
    fn what_is_written_is_in_effect_unless_a_mutex_holds_it() {
        let (mut world, mut ovl) = (TestWorld::default(), DispOvl::new());
        world.write(&mut ovl, ROI_SIZE, 0x0356_01e0);
        world.write(&mut ovl, LAYER0 + 2 * STRIDE + ADDR, 0x9fa0_0000);
        world.write(&mut ovl, RDMA0_CTRL + 2 * STRIDE, 1);
        assert_eq!(world.signals.display.ovl.roi, 0x0356_01e0);
        let layer = world.signals.display.ovl.layers[2];
        assert_eq!((layer.addr, layer.reads), (0x9fa0_0000, true));

        world.signals.display.held = HELD;
        world.write(&mut ovl, LAYER0 + 2 * STRIDE + ADDR, 0x9fb0_0000);
        assert_eq!(world.signals.display.ovl.layers[2].addr, 0x9fa0_0000);
        assert_eq!(
            world.read(&mut ovl, LAYER0 + 2 * STRIDE + ADDR),
            0x9fb0_0000,
            "software reads back what it wrote"
        );
        world.signals.display.held = 0;
        world.signals.display.commits[3] = 1;
        ovl.wires_changed(&mut world.cx());
        assert_eq!(world.signals.display.ovl.layers[2].addr, 0x9fb0_0000);
        assert_eq!(world.read(&mut ovl, INTSTA), REG_COMMIT);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn frames_complete_while_it_runs() {
        let (mut world, mut ovl) = (TestWorld::default(), DispOvl::new());
        world.write(&mut ovl, INTEN, 0xf);
        world.write(&mut ovl, EN, 1);
        assert_eq!(world.read(&mut ovl, STA), 1);
        world.signals.video_since = Some(0);
        ovl.wires_changed(&mut world.cx());
        world.advance(&mut ovl, FRAME);
        assert!(world.irq.get(SPI), "without an access");
        assert_eq!(world.read(&mut ovl, INTSTA), FRAME_COMPLETE);
        // A read-modify-write with ones is harmless.
        world.write(&mut ovl, INTSTA, 0xf);
        assert_eq!(world.read(&mut ovl, INTSTA), FRAME_COMPLETE);
        world.write(&mut ovl, INTSTA, 0);
        world.write(&mut ovl, EN, 0);
        world.advance(&mut ovl, 4 * FRAME);
        assert_eq!(world.read(&mut ovl, INTSTA), 0);
        assert!(!world.irq.get(SPI));
    }

    #[test]
    fn a_frame_of_command_mode_completes_once() {
        let (mut world, mut ovl) = (TestWorld::default(), DispOvl::new());
        world.write(&mut ovl, EN, 1);
        world.now = 1_000;
        world.signals.display.single_frame_at = Some(1_000);
        ovl.wires_changed(&mut world.cx());
        assert_eq!(world.read(&mut ovl, INTSTA), 0);
        world.advance(&mut ovl, 1_000 + FRAME);
        assert_eq!(world.read(&mut ovl, INTSTA), FRAME_COMPLETE);
        world.write(&mut ovl, INTSTA, 0);
        world.advance(&mut ovl, 9 * FRAME);
        assert_eq!(world.read(&mut ovl, INTSTA), 0);
    }

    #[test]
    fn reset_is_done_at_once() {
        let (mut world, mut ovl) = (TestWorld::default(), DispOvl::new());
        world.signals.display.held = HELD;
        world.write(&mut ovl, RST, 1);
        world.write(&mut ovl, RST, 0);
        assert_eq!(world.read(&mut ovl, INTSTA), RESET_DONE);
    }

    #[test]
    fn values_without_a_meaning_are_told_of() {
        let (mut world, mut ovl) = (TestWorld::default(), DispOvl::new());
        for (offset, value) in [
            (ROI_SIZE, 1921),
            (LAYER0 + SRC_SIZE, 1921 << 16),
            (LAYER0 + 3 * STRIDE + CON, 5 << 12),
            (LAYER0 + CON, 1 << 28),
            (STA, 1),
        ] {
            world.write(&mut ovl, offset, value);
        }
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(kinds, [GuestError::BadValue; 5]);
        world.write(&mut ovl, ROI_SIZE, 0x0780_0780);
        assert_eq!(world.reports.len(), 5);
    }

    #[test]
    fn power_on_values_come_back() {
        let (mut world, mut ovl) = (TestWorld::default(), DispOvl::new());
        world.write(&mut ovl, EN, 1);
        ovl.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(world.signals.display.ovl, Ovl::default());
        assert_eq!(world.read(&mut ovl, EN), 0);
    }
}
