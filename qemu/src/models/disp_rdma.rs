//! Display RDMA: what software wrote, what of it is in effect, and the status
//! bits of the frames that go by. [`crate::display::compose`] reads its memory.
//!
//! While a mutex holds RDMA, writes change nothing but the registers; interrupts
//! and the soft reset always act at once. Reads return what was written last.
//! Source: facts/display.md 1.6, 2, 2.2 and 9.3. That the reset state is 1
//! outside of a reset follows from how stock loaders poll it.

use super::scratch::Scratch;
use crate::bus::{Block, Context, GuestError, Nanos, Reset, Size};
use crate::display::{Format, Frames, Module, Moment, Rdma};

const NAME: &str = "DISP_RDMA";
const LEN: u32 = 0x1000;
/// SPI of the block.
const SPI: u8 = 100;
/// Pixels and lines at most.
const LIMIT: u32 = 2047;

const INT_ENABLE: u32 = 0x00;
const INT_STATUS: u32 = 0x04;
const GLOBAL_CON: u32 = 0x10;
const SIZE_CON_0: u32 = 0x14;
const SIZE_CON_1: u32 = 0x18;
const TARGET_LINE: u32 = 0x1c;
const MEM_CON: u32 = 0x24;
const MEM_START_ADDR: u32 = 0x28;
const MEM_SRC_PITCH: u32 = 0x2c;

const ENGINE_EN: u32 = 1;
const SOFT_RESET: u32 = 1 << 4;
const RESET_STATE: u32 = 7 << 8;
const NOT_RESET: u32 = 1 << 8;

const UPDATED: u32 = 1 << 0;
const FRAME_START: u32 = 1 << 1;
const FRAME_END: u32 = 1 << 2;
const AT_TARGET: u32 = 1 << 5;

/// The block at 0x14008000.
pub struct DispRdma {
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
            frames: Frames::default(),
            commits: 0,
            next_frame: None,
            held_back: false,
            video: false,
        }
    }

    fn get(&mut self, offset: u32, cx: &mut Context<'_>) -> u32 {
        self.registers.read(offset, 4, cx)
    }

    /// What software wrote last.
    fn written(&mut self, cx: &mut Context<'_>) -> Rdma {
        let mut get = |offset| self.registers.read(offset, 4, cx);
        Rdma {
            con: get(GLOBAL_CON),
            size0: get(SIZE_CON_0),
            size1: get(SIZE_CON_1),
            mem_con: get(MEM_CON),
            addr: get(MEM_START_ADDR),
            pitch: get(MEM_SRC_PITCH),
        }
    }

    /// Puts into effect what no mutex holds back, and counts frames.
    fn catch_up(&mut self, cx: &mut Context<'_>) {
        let video = cx.signals.video_since;
        let path = cx.signals.display;
        let target = self.get(TARGET_LINE, cx) & 0xf_ffff;
        let moments = [
            (FRAME_START, Moment::Start),
            (FRAME_END, Moment::End),
            (AT_TARGET, Moment::Line(target, path.rdma.size1)),
        ];
        let passed = self
            .frames
            .passed(video, &path, moments.map(|(_, moment)| moment), cx.now);
        if runs(path.rdma.con) {
            for ((bit, _), passed) in moments.into_iter().zip(passed) {
                // A target line of 0 is none.
                if passed && (bit != AT_TARGET || target != 0) {
                    self.latched |= bit;
                }
            }
        }
        let commits = path.commits_of(Module::Rdma);
        if commits != self.commits {
            self.commits = commits;
            self.latched |= UPDATED;
        }
        let written = self.written(cx);
        let active = &mut cx.signals.display.rdma;
        self.held_back = path.holds(Module::Rdma);
        if self.held_back {
            active.con = active.con & !SOFT_RESET | written.con & SOFT_RESET;
        } else {
            *active = written;
        }
        let running = runs(active.con);
        self.video = video.is_some();
        let enabled = self.get(INT_ENABLE, cx);
        // Nobody needs to be woken for frames that interrupt nobody.
        let path = cx.signals.display;
        self.next_frame = moments
            .into_iter()
            .filter(|&(bit, _)| running && enabled & bit & !self.latched != 0)
            .filter(|&(bit, _)| bit != AT_TARGET || target != 0)
            .filter_map(|(_, moment)| self.frames.next(video, &path, moment))
            .min();
        cx.irq.set(SPI, self.latched & enabled != 0);
    }

    /// Reports a value that the engine cannot work with.
    fn check(offset: u32, value: u32, cx: &mut Context<'_>) {
        let complaint = match offset {
            SIZE_CON_0 if value & 0xfff > LIMIT => Some(format!(
                "{} pixels a line; {LIMIT} are the most",
                value & 0xfff
            )),
            SIZE_CON_1 if value & 0xf_ffff > LIMIT => {
                Some(format!("{} lines; {LIMIT} are the most", value & 0xf_ffff))
            }
            MEM_CON if Format::of_rdma(value >> 4 & 0x1f).is_none() => {
                Some(format!("input format {} does not exist", value >> 4 & 0x1f))
            }
            _ => None,
        };
        if let Some(message) = complaint {
            cx.report(GuestError::BadValue, NAME, offset, message);
        }
    }
}

fn runs(con: u32) -> bool {
    con & (ENGINE_EN | SOFT_RESET) == ENGINE_EN
}

impl Block for DispRdma {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.catch_up(cx);
        match offset {
            INT_STATUS => self.latched,
            GLOBAL_CON => {
                let con = self.get(GLOBAL_CON, cx);
                con | if con & SOFT_RESET == 0 { NOT_RESET } else { 0 }
            }
            _ => self.registers.read(offset, size, cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.catch_up(cx);
        match offset {
            // Bits are cleared by writing 0.
            INT_STATUS => self.latched &= value,
            GLOBAL_CON => self.registers.write(offset, size, value & !RESET_STATE, cx),
            _ => {
                DispRdma::check(offset, value, cx);
                self.registers.write(offset, size, value, cx);
            }
        }
        self.catch_up(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        cx.signals.display.rdma = Rdma::default();
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
            || path.commits_of(Module::Rdma) != self.commits
            || self.frames.missed_single(path)
            || self.held_back && !path.holds(Module::Rdma)
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

    #[test]
    fn the_target_line_comes_between_start_and_end() {
        let (mut world, mut rdma) = (TestWorld::default(), DispRdma::new());
        world.signals.display.frame_ns = 16_000;
        for (offset, value) in [
            (SIZE_CON_1, 100),
            (TARGET_LINE, 80),
            (GLOBAL_CON, ENGINE_EN),
        ] {
            world.write(&mut rdma, offset, value);
        }
        world.now = 1_000;
        world.signals.video_since = Some(1_000);
        rdma.wires_changed(&mut world.cx());
        assert_eq!(world.read(&mut rdma, INT_STATUS), FRAME_START);
        world.write(&mut rdma, INT_STATUS, 0);
        world.advance(&mut rdma, 1_000 + 11_999);
        assert_eq!(world.read(&mut rdma, INT_STATUS), 0);
        world.advance(&mut rdma, 1_000 + 12_000);
        assert_eq!(world.read(&mut rdma, INT_STATUS), AT_TARGET);
        world.advance(&mut rdma, 1_000 + 15_000);
        assert_eq!(world.read(&mut rdma, INT_STATUS), AT_TARGET | FRAME_END);
    }

    #[test]
    fn a_frame_of_command_mode_starts_and_ends_once() {
        let (mut world, mut rdma) = (TestWorld::default(), DispRdma::new());
        world.write(&mut rdma, GLOBAL_CON, ENGINE_EN);
        world.signals.display.single_frame_at = Some(0);
        rdma.wires_changed(&mut world.cx());
        assert_eq!(world.read(&mut rdma, INT_STATUS), FRAME_START);
        world.write(&mut rdma, INT_STATUS, 0);
        world.advance(&mut rdma, 5 * FRAME);
        assert_eq!(world.read(&mut rdma, INT_STATUS), FRAME_END);
    }

    #[test]
    fn soft_reset_shows_in_the_reset_state_even_while_held() {
        let (mut world, mut rdma) = (TestWorld::default(), DispRdma::new());
        world.write(&mut rdma, GLOBAL_CON, ENGINE_EN);
        assert_eq!(world.read(&mut rdma, GLOBAL_CON), NOT_RESET | ENGINE_EN);
        world.signals.display.held = Module::Rdma.mask();
        world.write(&mut rdma, GLOBAL_CON, NOT_RESET | SOFT_RESET);
        assert_eq!(world.read(&mut rdma, GLOBAL_CON), SOFT_RESET);
        let active = world.signals.display.rdma.con;
        assert_eq!(
            active,
            SOFT_RESET | ENGINE_EN,
            "the engine bit is held back"
        );
        world.write(&mut rdma, GLOBAL_CON, 0);
        assert_eq!(world.read(&mut rdma, GLOBAL_CON), NOT_RESET);
    }

    #[test]
    fn a_mutex_holds_sizes_back() {
        let (mut world, mut rdma) = (TestWorld::default(), DispRdma::new());
        world.signals.display.held = Module::Rdma.mask();
        world.write(&mut rdma, SIZE_CON_0, 480);
        assert_eq!(world.signals.display.rdma.size0, 0);
        world.signals.display.held = 0;
        world.signals.display.commits[Module::Rdma as usize] += 1;
        rdma.wires_changed(&mut world.cx());
        assert_eq!(world.signals.display.rdma.size0, 480);
        assert_eq!(world.read(&mut rdma, INT_STATUS), UPDATED);
    }

    #[test]
    fn values_without_a_meaning_are_told_of() {
        let (mut world, mut rdma) = (TestWorld::default(), DispRdma::new());
        world.write(&mut rdma, SIZE_CON_0, 2048);
        world.write(&mut rdma, SIZE_CON_1, 2048);
        world.write(&mut rdma, MEM_CON, 5 << 4);
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(kinds, [GuestError::BadValue; 3]);
    }
}
