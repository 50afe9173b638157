//! The display mutex: changes to the stages of the path that take effect
//! together.
//!
//! While software holds it, writes to its modules go to shadow registers.
//! These become active at the next frame of its source after the release, or
//! at once where there is no stream of frames. Mutex 0 is the only one used.
//!
//! Source: facts/display.md 1.6.

use super::{DisplayError, Source};
use crate::reg::{Write, assert_offsets};
use crate::time::{Micros, poll};
use volatile_register::RW;

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    int_enable: RW<u32>,
    /// Write 0 to clear.
    int_status: RW<u32>,
    _reserved: [u32; 6],
    mutex0: Mutex0,
}

#[repr(C)]
struct Mutex0 {
    enable: RW<u32>,
    lock: RW<u32>,
    reset: RW<u32>,
    modules: RW<u32>,
    source: RW<u32>,
}

assert_offsets!(RegisterBlock {
    int_status: 0x04,
    mutex0: 0x20,
});
assert_offsets!(Mutex0 {
    lock: 0x04,
    modules: 0x0c,
    source: 0x10,
});

/// OVL, COLOR, BLS and RDMA.
const MODULES: u32 = 0x688;
const REQUEST: u32 = 1 << 0;
const GRANTED: u32 = 1 << 1;
/// INTSTA and INTEN: mutex 0 has taken effect.
const UPDATED: u32 = 1 << 0;
/// The vendor's limit for the lock.
const LOCK_LIMIT: Micros = Micros::from_ms(5);

/// Mutex 0.
pub(super) struct Mutex {
    regs: &'static RegisterBlock,
}

impl Mutex {
    pub(super) const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Puts the path under the mutex, with the source of its frames.
    pub(super) fn configure(&mut self, source: Source) {
        let mutex = &self.regs.mutex0;
        mutex.reset.put(1);
        mutex.reset.put(0);
        mutex.modules.put(MODULES);
        mutex.source.put(match source {
            Source::Single | Source::Dbi => 0,
            Source::DsiVideo => 1,
        });
        self.regs.int_status.put(0);
        self.regs.int_enable.put(UPDATED);
        mutex.enable.put(1);
    }

    /// Lets go of the path: writes are immediate from now on.
    pub(super) fn disable(&mut self) {
        let mutex = &self.regs.mutex0;
        mutex.lock.put(0);
        mutex.enable.put(0);
        self.regs.int_enable.put(0);
        self.regs.int_status.put(0);
    }

    /// Begins a change.
    pub(super) fn lock(&mut self) -> Result<(), DisplayError> {
        let mutex = &self.regs.mutex0;
        mutex.enable.put(1);
        mutex.lock.put(REQUEST);
        poll(LOCK_LIMIT, || mutex.lock.read() & GRANTED != 0).map_err(|_| {
            mutex.lock.put(0);
            DisplayError::Lock
        })
    }

    /// Ends a change, which then takes effect.
    pub(super) fn release(&mut self) -> Result<(), DisplayError> {
        let mutex = &self.regs.mutex0;
        self.regs.int_status.put(!UPDATED);
        mutex.lock.put(0);
        poll(LOCK_LIMIT, || mutex.lock.read() & GRANTED == 0).map_err(|_| DisplayError::Lock)
    }

    /// Whether the last change has taken effect.
    pub(super) fn updated(&self) -> bool {
        self.regs.int_status.read() & UPDATED != 0
    }
}

/// Grants and drops the lock as the hardware does, and while frames come says
/// that a change has taken effect when it is released.
#[cfg(test)]
pub(super) fn animate(
    regs: &'static RegisterBlock,
    frames_come: bool,
) -> std::rc::Rc<std::cell::Cell<bool>> {
    let frames = std::rc::Rc::new(std::cell::Cell::new(frames_come));
    let come = std::rc::Rc::clone(&frames);
    let (mut held, mut latched) = (false, 0);
    crate::time::clock::each_tick(move || {
        latched &= regs.int_status.read();
        let request = regs.mutex0.lock.read() & REQUEST;
        regs.mutex0.lock.put(request | request << 1);
        if held && request == 0 && come.get() {
            latched |= UPDATED;
        }
        regs.int_status.put(latched);
        held = request != 0;
    });
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::leaked;

    #[test]
    fn configured_for_video_and_for_single_frames() {
        let regs: &RegisterBlock = leaked();
        regs.int_status.put(0x101);
        let mut mutex = Mutex::new(regs);
        mutex.configure(Source::DsiVideo);
        assert_eq!(regs.mutex0.modules.read(), 0x688);
        assert_eq!(regs.mutex0.source.read(), 1);
        assert_eq!(regs.mutex0.enable.read(), 1);
        assert_eq!(regs.mutex0.reset.read(), 0);
        assert_eq!(regs.int_status.read(), 0);
        assert_eq!(regs.int_enable.read(), 1);
        mutex.configure(Source::Single);
        assert_eq!(regs.mutex0.source.read(), 0);
        mutex.disable();
        assert_eq!(regs.mutex0.enable.read(), 0);
    }

    #[test]
    fn locking_waits_for_the_grant() {
        let regs: &RegisterBlock = leaked();
        animate(regs, true);
        let mut mutex = Mutex::new(regs);
        assert_eq!(mutex.lock(), Ok(()));
        assert_eq!(regs.mutex0.lock.read(), REQUEST | GRANTED);
        assert_eq!(mutex.release(), Ok(()));
        assert_eq!(regs.mutex0.lock.read(), 0);
        assert!(mutex.updated());
    }

    #[test]
    fn a_lock_that_is_never_granted_is_given_up() {
        let regs: &RegisterBlock = leaked();
        let mut mutex = Mutex::new(regs);
        assert_eq!(mutex.lock(), Err(DisplayError::Lock));
        assert_eq!(regs.mutex0.lock.read(), 0, "and not asked for any more");
    }
}
