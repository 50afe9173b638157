//! Makes the two cores take turns when QEMU counts instructions.
//!
//! With `-icount` one thread runs both cores, and the second gets its turn
//! when the first has run up to the next deadline of virtual time or waits in
//! WFI or WFE. A core that polls memory for an answer of the other therefore
//! keeps it from answering for half a second of virtual time (QEMU 10.0), for
//! two, or for as long as deadlines come (7.2). While both cores run, every
//! block of code is counted here, and a core gives way after [`TURN`]. It
//! happens at the same instruction in every run, so that runs stay repeatable.
//! Without `-icount` each core has its own thread, and nothing is done.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::api;
use super::symbols::{Api, Opaque, counts_instructions};

/// Instructions, and therefore nanoseconds, of a turn.
const TURN: u32 = 20_000;

/// Whether the cores take turns.
static ON: AtomicBool = AtomicBool::new(false);
/// Instructions of the turn so far.
static SPENT: AtomicU32 = AtomicU32::new(0);

/// Begins to take turns, if it matters, or ends it. The caller holds QEMU's
/// big lock.
pub fn share(api: &Api, both_cores: bool) {
    let on = both_cores && counts_instructions();
    if ON.swap(on, Ordering::Relaxed) != on && on {
        // Code that was translated before has no hook: translate it again.
        // SAFETY: core 0 exists; the flush is put off until no code runs.
        unsafe { (api.tb_flush)((api.qemu_get_cpu)(0)) };
    }
}

/// A block is translated: sets the hook if turns are taken.
pub fn translated(api: &Api, block: Opaque) {
    if !ON.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: the block is valid while it is translated; the hook reads no registers.
    unsafe {
        let instructions = (api.qemu_plugin_tb_n_insns)(block) as Opaque;
        (api.qemu_plugin_register_vcpu_tb_exec_cb)(block, executed, 0, instructions);
    }
}

/// `core` runs a block of so many instructions, in the one thread there is.
extern "C" fn executed(core: u32, instructions: Opaque) {
    let spent = SPENT.load(Ordering::Relaxed) + instructions as usize as u32;
    if spent < TURN {
        SPENT.store(spent, Ordering::Relaxed);
        return;
    }
    SPENT.store(0, Ordering::Relaxed);
    if ON.load(Ordering::Relaxed) {
        let api = api();
        // SAFETY: the core exists, since it runs; it leaves its loop after this block.
        unsafe { (api.cpu_exit)((api.qemu_get_cpu)(core as i32)) };
    }
}
