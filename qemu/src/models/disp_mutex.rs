//! Display mutexes: software locks one, changes the display modules, and the
//! release makes the changes take effect together, at the next frame or at once.
//!
//! What is written to a module of a locked mutex is held back until the commit;
//! the modules see that in [`crate::display::Path::held`]. A reset drops the
//! lock without a commit, and with it the reason to hold anything back.
//! Source: facts/display.md 1.6 and 9.3.

use super::scratch::Scratch;
use crate::bus::{Block, Context, GuestError, Nanos, Reset, Size};
use crate::display::Mutex;

const NAME: &str = "DISP_MUTEX";
const LEN: u32 = 0x1000;
/// SPI of the block.
const SPI: u8 = 92;

const INTEN: u32 = 0x00;
const INTSTA: u32 = 0x04;
const REG_COMMIT: u32 = 0x0c;
const FIRST: u32 = 0x20;
const STRIDE: u32 = 0x20;
const COUNT: usize = 8;
/// Registers of one mutex.
const EN: u32 = 0x00;
const LOCK: u32 = 0x04;
const RST: u32 = 0x08;
const MOD: u32 = 0x0c;
const SOF: u32 = 0x10;

const REQUEST: u32 = 1;
const GRANTED: u32 = 2;
/// Modules that MOD and REG_COMMIT know.
const MODULES: u32 = 0xfff;
/// SOF: software's own start, frames of DSI video, frames of DPI (no model).
const SOF_SINGLE: u32 = 0;
const SOF_DSI_VIDEO: u32 = 1;
const SOF_LAST: u32 = 2;

/// What one mutex is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Free,
    /// Software holds it.
    Locked,
    /// Released then, with changes that no frame has taken yet.
    Released(Nanos),
}

/// The block at 0x1400E000.
pub struct DispMutex {
    registers: Scratch,
    latched: u32,
    states: [State; COUNT],
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
            states: [State::Free; COUNT],
            next_frame: None,
        }
    }

    fn get(&mut self, offset: u32, cx: &mut Context<'_>) -> u32 {
        self.registers.read(offset, 4, cx)
    }

    /// When the mutex released at `at` commits, as far as that is known.
    fn commit_time(&mut self, index: usize, at: Nanos, cx: &mut Context<'_>) -> Option<Nanos> {
        match self.get(FIRST + STRIDE * index as u32 + SOF, cx) {
            SOF_SINGLE => Some(at),
            SOF_DSI_VIDEO => cx.signals.frame_after(at, cx.signals.display.frame_ns),
            _ => None,
        }
    }

    /// Finds out when the next commit is due.
    fn look_ahead(&mut self, cx: &mut Context<'_>) {
        self.next_frame = None;
        for index in 0..COUNT {
            if let State::Released(at) = self.states[index] {
                let commit = self.commit_time(index, at, cx);
                self.next_frame = self.next_frame.into_iter().chain(commit).min();
            }
        }
    }

    /// Commits what a frame has taken, tells the modules, drives the interrupt.
    fn catch_up(&mut self, cx: &mut Context<'_>) {
        for index in 0..COUNT {
            if let State::Released(at) = self.states[index]
                && self
                    .commit_time(index, at, cx)
                    .is_some_and(|commit| commit <= cx.now)
            {
                self.states[index] = State::Free;
                self.latched |= 1 << index;
                self.commit(index, cx);
            }
        }
        self.look_ahead(cx);
        self.export(cx);
        let enabled = self.get(INTEN, cx);
        cx.irq.set(SPI, self.latched & enabled != 0);
    }

    fn commit(&mut self, index: usize, cx: &mut Context<'_>) {
        let modules = self.get(FIRST + STRIDE * index as u32 + MOD, cx) & MODULES;
        for (module, commits) in cx.signals.display.commits.iter_mut().enumerate() {
            *commits = commits.wrapping_add(modules >> module & 1);
        }
        let committed = self.get(REG_COMMIT, cx);
        self.registers.write(REG_COMMIT, 4, committed | modules, cx);
    }

    fn export(&mut self, cx: &mut Context<'_>) {
        let mut held = 0;
        for index in 0..COUNT {
            let base = FIRST + STRIDE * index as u32;
            let modules = self.get(base + MOD, cx) & MODULES;
            if self.states[index] != State::Free {
                held |= modules;
            }
            cx.signals.display.mutexes[index] = Mutex {
                enabled: self.get(base + EN, cx) & 1 != 0,
                modules,
                source: self.get(base + SOF, cx),
            };
        }
        cx.signals.display.held = held;
        DispMutex::see_source(cx);
    }

    /// Which of DSI's frames there are, for whoever compares that with SOF.
    fn see_source(cx: &mut Context<'_>) {
        let display = &mut cx.signals.display;
        display.streaming = match (cx.signals.video_since, display.single_frame_at) {
            (Some(_), _) => Some(true),
            (None, Some(_)) => Some(false),
            (None, None) => None,
        };
    }

    fn check(register: u32, offset: u32, value: u32, cx: &mut Context<'_>) {
        let complaint = match register {
            MOD if value & !MODULES != 0 => "modules that do not exist",
            SOF if value > SOF_LAST => "a source of frames that does not exist",
            _ => return,
        };
        cx.report(
            GuestError::BadValue,
            NAME,
            offset,
            format!("{value:#x}: {complaint}"),
        );
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
            Some((index, LOCK)) => {
                if self.states[index] == State::Locked {
                    REQUEST | GRANTED
                } else {
                    0
                }
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
        match split(offset) {
            Some((index, LOCK)) => {
                let resets = self.get(offset - LOCK + RST, cx) & 1 != 0;
                let wanted = value & REQUEST != 0;
                self.states[index] = match self.states[index] {
                    State::Locked if !wanted => State::Released(cx.now),
                    // Before a frame took the last changes: they wait for the next release.
                    State::Free | State::Released(_) if wanted && !resets => State::Locked,
                    state => state,
                };
            }
            Some((index, register)) => {
                DispMutex::check(register, offset, value, cx);
                self.registers.write(offset, size, value, cx);
                if register == RST && value & 1 != 0 {
                    self.states[index] = State::Free;
                }
            }
            None => self.registers.write(offset, size, value, cx),
        }
        self.catch_up(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        self.latched = 0;
        self.states = [State::Free; COUNT];
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

    /// Video may have started. The commit itself is left to a tick, which may
    /// be due at once: the modules are told of it then, in whatever order the
    /// blocks were told of the wires.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        DispMutex::see_source(cx);
        if self
            .states
            .iter()
            .any(|state| matches!(state, State::Released(_)))
        {
            self.look_ahead(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;
    use crate::display::{FRAME, Module};

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
        assert!(world.reports.is_empty());
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
        assert_eq!(mutex.deadline(), Some(1_000));
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
    fn modules_are_held_from_the_lock_to_the_commit() {
        let (mut world, mut mutex) = configured(1);
        world.signals.video_since = Some(0);
        assert_eq!(world.signals.display.held, 0);
        assert_eq!(world.signals.display.mutexes[0].modules, 0x688);
        world.write(&mut mutex, MUTEX0_LOCK, 1);
        assert_eq!(world.signals.display.held, 0x688);
        world.write(&mut mutex, MUTEX0_LOCK, 0);
        assert!(world.signals.display.holds(Module::Ovl));
        world.advance(&mut mutex, FRAME);
        assert_eq!(world.signals.display.held, 0);
        assert_eq!(world.signals.display.commits_of(Module::Ovl), 1);
        assert_eq!(world.read(&mut mutex, REG_COMMIT), 0x688);
    }

    #[test]
    fn a_lock_before_the_frame_waits_for_its_own_release() {
        let (mut world, mut mutex) = configured(1);
        world.signals.video_since = Some(0);
        for value in [1, 0, 1] {
            world.write(&mut mutex, MUTEX0_LOCK, value);
        }
        world.advance(&mut mutex, 3 * FRAME);
        assert_eq!(world.read(&mut mutex, INTSTA), 0);
        world.write(&mut mutex, MUTEX0_LOCK, 0);
        world.advance(&mut mutex, 4 * FRAME);
        assert_eq!(world.read(&mut mutex, INTSTA), 1);
        assert_eq!(world.signals.display.commits_of(Module::Rdma), 1);
    }

    #[test]
    fn reset_drops_a_lock_without_a_commit() {
        let (mut world, mut mutex) = configured(0);
        world.write(&mut mutex, MUTEX0_LOCK, 1);
        world.write(&mut mutex, 0x28, 1);
        assert_eq!(world.read(&mut mutex, MUTEX0_LOCK), 0);
        assert_eq!(world.signals.display.held, 0);
        // As long as it is in reset it is not granted.
        world.write(&mut mutex, MUTEX0_LOCK, 1);
        assert_eq!(world.read(&mut mutex, MUTEX0_LOCK), 0);
        world.write(&mut mutex, 0x28, 0);
        // Stock loaders release what the reset has dropped already.
        world.write(&mut mutex, MUTEX0_LOCK, 0);
        assert_eq!(world.read(&mut mutex, INTSTA), 0);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn mutexes_do_not_disturb_each_other() {
        let (mut world, mut mutex) = configured(1);
        // BLS with a mutex of its own, beside the one of the picture.
        world.write(&mut mutex, 0x8c, 0x200);
        world.write(&mut mutex, 0x80, 1);
        world.write(&mut mutex, MUTEX0_LOCK, 1);
        world.write(&mut mutex, 0x84, 1);
        world.write(&mut mutex, 0x84, 0);
        assert_eq!(world.read(&mut mutex, INTSTA), 1 << 3);
        assert_eq!(world.signals.display.commits_of(Module::Bls), 1);
        assert_eq!(world.signals.display.commits_of(Module::Ovl), 0);
        assert_eq!(world.read(&mut mutex, MUTEX0_LOCK), REQUEST | GRANTED);
    }

    #[test]
    fn values_without_a_meaning_are_told_of() {
        let (mut world, mut mutex) = configured(0);
        world.write(&mut mutex, 0x2c, 0x1000);
        world.write(&mut mutex, 0x30, 3);
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(kinds, [GuestError::BadValue; 2]);
    }
}
