//! The late part of the image: what a boot does not need before panel and eMMC
//! have been switched on (`linker/lk.ld` says what that is). It is unpacked
//! whenever nothing else is to be done, while they get ready.
//!
//! Until all of it is there, its pages are not: who calls or reads something
//! of it earlier faults, waits until it is unpacked ([`late_fault`]), and goes
//! on. So the order of the image decides how fast a boot is, never whether it
//! is right.

use core::cell::UnsafeCell;

use unilk_core::Code;
use unilk_unpack::Unpacking;

use crate::{map, mmu};

/// So much at a time: less than 200 us.
const STEP_BYTES: usize = 1024;
/// Status of a fault: no page is there.
const NO_PAGE: u32 = 0b0_0111;
const STATUS: u32 = 1 << 10 | 0xF;

enum State {
    // First: variables begin as zeroes.
    Done,
    /// As [`begin`] found it, or further.
    Unpacking(&'static mut Unpacking),
    /// Somebody is at it.
    Taken,
}

struct Local(UnsafeCell<State>);
// SAFETY: one core, interrupts masked; `take` says who has the state when.
unsafe impl Sync for Local {}
static STATE: Local = Local(UnsafeCell::new(State::Done));

/// Leaves `next` behind.
fn take(next: State) -> State {
    // SAFETY: see `Sync`; the reference ends here.
    core::mem::replace(unsafe { &mut *STATE.0.get() }, next)
}

/// Takes the unpacker's work over. Once, before anything of the late part is
/// used.
pub fn begin() {
    // SAFETY: the unpacker, which alone starts us, has begun it in this boot;
    // `mmu::enable` has mapped the room, and no kernel is loaded before the
    // code that loads one is there, which is late.
    take(State::Unpacking(unsafe { Unpacking::resume() }));
}

/// Unpacks some of it; whether there was something to do.
pub fn step() -> bool {
    work(STEP_BYTES)
}

fn work(bytes: usize) -> bool {
    let unpacking = match take(State::Taken) {
        State::Unpacking(unpacking) => unpacking,
        before => {
            take(before);
            return false;
        }
    };
    let until = unpacking.done().saturating_add(bytes);
    if let Err(error) = unpacking.unpack(until) {
        // What was checked before it was unpacked is no longer what it was.
        panic!("{} the image has changed in memory", error.code());
    }
    let all = unpacking.head().unpacked_len as usize;
    if unpacking.done() < all {
        take(State::Unpacking(unpacking));
    } else {
        let early = unpacking.head().early_len as usize;
        mmu::fill_late(|late| {
            late.copy_from_slice(unpacking.bytes(early, all));
            unpacking.head().restore_late(late);
        });
        take(State::Done);
    }
    true
}

/// Called by `start.s` for each abort, with its address and status. Whether
/// what was missing is there now, so that the instruction can be run again.
#[unsafe(no_mangle)]
extern "C" fn late_fault(address: u32, status: u32) -> bool {
    // An instruction of four bytes may begin on the page before.
    let late = map::late().contains(&address) || map::late().contains(&(address + 2));
    late && status & STATUS == NO_PAGE && work(usize::MAX)
}
