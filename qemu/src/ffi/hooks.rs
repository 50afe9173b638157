//! What QEMU calls without its big lock, and what it reads before it calls
//! anything: the translation hook, the memory hook, the end of the process and
//! the version of the plugin interface.
//!
//! An MMIO callback is not told the PC. The memory hook runs right after the
//! access and knows it, but costs time on every load and store, so it is set
//! only on instructions in the address range that [`plugin::translated`] names.
//! Source: facts/qemu-plugin.md "Plugin API version" and "Limits to keep in mind".

use core::ffi::c_int;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicI32, Ordering};

use super::api;
use super::symbols::{Opaque, symbol};
use super::turns;
use crate::plugin::{self, Hooked};

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

/// A block of guest code is translated, in the thread of its core. A block
/// lies within two pages, and the bounds that matter are a MiB apart: its
/// first instruction speaks for all.
pub extern "C" fn translated(_plugin_id: u64, block: Opaque) {
    let api = api();
    turns::translated(api, block);
    // SAFETY: the block is valid during this call, and the indices are below its length.
    unsafe {
        for index in 0..(api.qemu_plugin_tb_n_insns)(block) {
            let instruction = (api.qemu_plugin_tb_get_insn)(block, index);
            if reads_counter(word_of(instruction)) {
                let pc = (api.qemu_plugin_insn_vaddr)(instruction) as u32;
                (api.qemu_plugin_register_vcpu_insn_exec_cb)(
                    instruction,
                    counter_read,
                    NO_REGISTERS,
                    pc as usize as Opaque,
                );
            }
        }
        let first = (api.qemu_plugin_tb_get_insn)(block, 0);
        if !plugin::translated((api.qemu_plugin_insn_vaddr)(first) as u32) {
            return;
        }
        for index in 0..(api.qemu_plugin_tb_n_insns)(block) {
            let instruction = (api.qemu_plugin_tb_get_insn)(block, index);
            let pc = (api.qemu_plugin_insn_vaddr)(instruction) as u32;
            (api.qemu_plugin_register_vcpu_mem_cb)(
                instruction,
                accessed,
                NO_REGISTERS,
                READS_AND_WRITES,
                pc as usize as Opaque,
            );
        }
    }
}

/// The instruction at `pc`, which reads the ARM counter, is executed.
extern "C" fn counter_read(_core: u32, pc: Opaque) {
    plugin::counter_read(pc as usize as u32);
}

/// The four bytes of an instruction; 0 for a short one.
///
/// # Safety
/// `instruction` belongs to the block that is being translated.
unsafe fn word_of(instruction: Opaque) -> u32 {
    let api = api();
    let mut bytes = [0u8; 4];
    // SAFETY: by the contract above. The old interface returns a pointer to the bytes and ignores
    // the other arguments, the new one copies as many as are asked for.
    unsafe {
        if (api.qemu_plugin_insn_size)(instruction) != bytes.len() {
            return 0;
        }
        if qemu_plugin_version.load(Ordering::Relaxed) == OLD_INTERFACE {
            let data = (api.qemu_plugin_insn_data)(instruction, null_mut(), 0);
            bytes = data.cast::<[u8; 4]>().read_unaligned();
        } else {
            (api.qemu_plugin_insn_data)(instruction, bytes.as_mut_ptr().cast(), bytes.len());
        }
    }
    u32::from_le_bytes(bytes)
}

/// MRRC of CNTPCT or CNTVCT, in ARM or in Thumb, whose halves stand the other
/// way round.
fn reads_counter(word: u32) -> bool {
    let hits = |word: u32| word & 0x0FF0_0FEF == 0x0C50_0F0E;
    hits(word) || hits(word.rotate_left(16))
}

/// Memory was accessed, in the thread of the core, most likely by the
/// instruction at `pc`; [`plugin::Hooked`] says why not surely.
extern "C" fn accessed(_core: u32, info: u32, address: u64, pc: Opaque) {
    let pc = pc as usize as u32;
    if plugin::is_null_access(pc, address as u32) {
        plugin::null_accessed(pc, address as u32);
    }
    if plugin::hook_is_idle() {
        return;
    }
    let api = api();
    // SAFETY: `info` and `address` are those of the access that the call is about; where the access
    // went may be asked during the call.
    let (shift, write, io) = unsafe {
        let place = (api.qemu_plugin_get_hwaddr)(info, address);
        (
            (api.qemu_plugin_mem_size_shift)(info),
            (api.qemu_plugin_mem_is_store)(info),
            !place.is_null() && (api.qemu_plugin_hwaddr_is_io)(place),
        )
    };
    if !io {
        return;
    }
    plugin::accessed(Hooked {
        pc,
        addr: address as u32,
        len: 1 << shift.min(4),
        write,
    });
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
