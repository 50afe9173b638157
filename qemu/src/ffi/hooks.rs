//! What QEMU calls without its big lock, and what it reads before it calls
//! anything: the translation hook, the memory hook, the end of the process and
//! the version of the plugin interface.
//!
//! An MMIO callback is not told the PC. The memory hook runs right after the
//! access and knows it, but costs time on every load and store, so it is set
//! only on instructions in the address range that [`plugin::translated`] names.
//! Source: facts/qemu-plugin.md "Plugin API version" and "Limits to keep in mind".

use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, Ordering};

use super::api;
use super::symbols::{Opaque, symbol};
use crate::plugin;

/// Read by QEMU before it calls the library: 7.2 takes 0 and 1, 10.0 takes 2
/// to 4. [`CHOOSE_VERSION`] sets it to what the running process takes.
#[unsafe(no_mangle)]
#[allow(
    non_upper_case_globals,
    reason = "the name is part of QEMU's plugin interface"
)]
pub static qemu_plugin_version: AtomicI32 = AtomicI32::new(OLD_INTERFACE);

const OLD_INTERFACE: c_int = 1;
const NEW_INTERFACE: c_int = 2;

/// Runs when the library is loaded, before QEMU looks at the version. The new
/// interface came with scoreboards.
#[used]
#[unsafe(link_section = ".init_array")]
static CHOOSE_VERSION: extern "C" fn() = choose_version;

extern "C" fn choose_version() {
    if symbol("qemu_plugin_scoreboard_new\0").is_some() {
        qemu_plugin_version.store(NEW_INTERFACE, Ordering::Relaxed);
    }
}

/// `QEMU_PLUGIN_CB_NO_REGS` and `QEMU_PLUGIN_MEM_RW`.
const NO_REGISTERS: c_int = 0;
const READS_AND_WRITES: c_int = 3;

/// A block of guest code is translated, in the thread of its core.
pub extern "C" fn translated(_plugin_id: u64, block: Opaque) {
    let api = api();
    // SAFETY: the block is valid during this call, and the indices are below its length.
    unsafe {
        let count = (api.qemu_plugin_tb_n_insns)(block);
        for index in 0..count {
            let instruction = (api.qemu_plugin_tb_get_insn)(block, index);
            let pc = (api.qemu_plugin_insn_vaddr)(instruction) as u32;
            let watch = plugin::translated(pc, index == 0);
            if watch {
                let data = pc as usize as Opaque;
                (api.qemu_plugin_register_vcpu_mem_cb)(
                    instruction,
                    accessed,
                    NO_REGISTERS,
                    READS_AND_WRITES,
                    data,
                );
            }
        }
    }
}

/// An instruction at `pc` has accessed memory, in the thread of its core.
extern "C" fn accessed(_core: u32, _info: u32, _address: u64, pc: Opaque) {
    plugin::accessed(pc as usize as u32);
}

/// The process ends.
pub extern "C" fn exiting(_plugin_id: u64, _opaque: Opaque) {
    plugin::exiting();
}

/// What `qemu-system-arm --version` says, for error messages.
pub fn qemu_version() -> String {
    let output = std::env::current_exe()
        .and_then(|exe| std::process::Command::new(exe).arg("--version").output());
    match output {
        Ok(output) => String::from_utf8_lossy(&output.stdout)
            .lines()
            .next()
            .unwrap_or("unknown")
            .to_owned(),
        Err(error) => format!("unknown ({error})"),
    }
}
