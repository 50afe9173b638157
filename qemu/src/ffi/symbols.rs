//! The functions of the QEMU process that this library calls, looked up once.
//!
//! QEMU promises no stable interface for them, so each is resolved by name
//! when the library is loaded, and a missing one is an error message rather
//! than a crash. Source: facts/qemu-plugin.md "The approach".

use core::ffi::{c_char, c_int, c_uint, c_void};

/// A pointer to one of QEMU's own structures, which nobody looks into here.
pub type Opaque = *mut c_void;

/// `void (*)(void *)`, QEMU's shape for timers and resets.
pub type Callback = extern "C" fn(Opaque);

macro_rules! api {
    ($($name:ident($($arg:ty),*) $(-> $ret:ty)?;)*) => {
        /// Function pointers into QEMU. The names are QEMU's.
        pub struct Api {
            $(pub $name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)*
        }

        impl Api {
            /// Looks all of them up.
            ///
            /// # Errors
            /// The name of the first function that this QEMU does not export.
            pub fn resolve() -> Result<Api, &'static str> {
                Ok(Api {
                    $($name: {
                        let found = symbol(concat!(stringify!($name), "\0")).ok_or(stringify!($name))?;
                        // SAFETY: the symbol of this name has this C signature in every QEMU
                        // from 7.2 to 10.0, and a function pointer is as wide as a data pointer.
                        unsafe { core::mem::transmute::<Opaque, unsafe extern "C" fn($($arg),*) $(-> $ret)?>(found) }
                    },)*
                })
            }
        }
    };
}

api! {
    // Memory.
    get_system_memory() -> Opaque;
    memory_region_init(Opaque, Opaque, *const c_char, u64);
    memory_region_init_io(Opaque, Opaque, *const c_void, Opaque, *const c_char, u64);
    memory_region_init_alias(Opaque, Opaque, *const c_char, Opaque, u64, u64);
    memory_region_init_ram(Opaque, Opaque, *const c_char, u64, *mut Opaque);
    memory_region_set_readonly(Opaque, bool);
    memory_region_set_enabled(Opaque, bool);
    memory_region_get_ram_ptr(Opaque) -> *mut u8;
    memory_region_add_subregion_overlap(Opaque, u64, Opaque, c_int);
    cpu_physical_memory_rw(u64, *mut c_void, u64, bool);
    // Objects and interrupt lines.
    object_resolve_path_type(*const c_char, *const c_char, *mut bool) -> Opaque;
    object_property_get_link(Opaque, *const c_char, *mut Opaque) -> Opaque;
    sysbus_mmio_get_region(Opaque, c_int) -> Opaque;
    qdev_get_gpio_in(Opaque, c_int) -> Opaque;
    qdev_connect_gpio_out(Opaque, c_int, Opaque);
    qemu_set_irq(Opaque, c_int);
    qemu_get_cpu(c_int) -> Opaque;
    arm_set_cpu_on_and_reset(u64) -> c_int;
    arm_set_cpu_off(u64) -> c_int;
    cpu_exit(Opaque);
    cpu_thread_is_idle(Opaque) -> bool;
    tb_flush(Opaque);
    // Time and the life of the machine.
    qemu_clock_get_ns(c_int) -> i64;
    timer_init_full(Opaque, Opaque, c_int, c_int, c_int, Callback, Opaque);
    timer_mod(Opaque, i64);
    timer_del(Opaque);
    qemu_add_machine_init_done_notifier(Opaque);
    qemu_register_reset(Callback, Opaque);
    qemu_system_reset_request(c_int);
    qemu_system_shutdown_request(c_int);
    // Character devices.
    qemu_chr_find(*const c_char) -> Opaque;
    qemu_chr_fe_init(Opaque, Opaque, *mut Opaque) -> bool;
    qemu_chr_fe_set_handlers(
        Opaque, extern "C" fn(Opaque) -> c_int, extern "C" fn(Opaque, *const u8, c_int),
        Opaque, Opaque, Opaque, Opaque, bool
    );
    qemu_chr_fe_accept_input(Opaque);
    qemu_chr_fe_write_all(Opaque, *const u8, c_int) -> c_int;
    // The plugin interface proper.
    qemu_plugin_register_vcpu_tb_trans_cb(u64, extern "C" fn(u64, Opaque));
    qemu_plugin_register_atexit_cb(u64, extern "C" fn(u64, Opaque), Opaque);
    qemu_plugin_insn_size(Opaque) -> usize;
    // The old interface takes the first argument only and returns a pointer.
    qemu_plugin_insn_data(Opaque, *mut c_void, usize) -> Opaque;
    qemu_plugin_register_vcpu_insn_exec_cb(Opaque, extern "C" fn(u32, Opaque), c_int, Opaque);
    qemu_plugin_tb_n_insns(Opaque) -> usize;
    qemu_plugin_tb_get_insn(Opaque, usize) -> Opaque;
    qemu_plugin_insn_vaddr(Opaque) -> u64;
    qemu_plugin_register_vcpu_tb_exec_cb(Opaque, extern "C" fn(u32, Opaque), c_int, Opaque);
    qemu_plugin_mem_size_shift(u32) -> c_uint;
    qemu_plugin_mem_is_store(u32) -> bool;
    qemu_plugin_get_hwaddr(u32, u64) -> Opaque;
    qemu_plugin_hwaddr_is_io(Opaque) -> bool;
    qemu_plugin_register_vcpu_mem_cb(Opaque, extern "C" fn(u32, u32, u64, Opaque), c_int, c_int, Opaque);
}

/// The address of a symbol of the running process; `name` ends in a NUL.
pub fn symbol(name: &str) -> Option<Opaque> {
    debug_assert!(name.ends_with('\0'));
    // SAFETY: the name is NUL-terminated and lives for the length of the call.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr().cast()) };
    (!found.is_null()).then_some(found)
}

/// Whether QEMU counts instructions (`-icount`), by its variable of that name.
pub fn counts_instructions() -> bool {
    // SAFETY: the symbol is an `int` or an enumeration of that size, and does not change any more
    // when the machine is complete.
    symbol("use_icount\0").is_some_and(|variable| unsafe { variable.cast::<c_int>().read() != 0 })
}
