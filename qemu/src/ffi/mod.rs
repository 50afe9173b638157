//! The border to QEMU, and the only place with `unsafe` code: what QEMU calls
//! here becomes a call of [`crate::plugin`], and [`Qemu`] offers what the
//! machine needs of QEMU as safe methods.
//!
//! Everything runs under QEMU's big lock except the three callbacks named in
//! [`hooks`]. Source: facts/qemu-plugin.md.

mod hooks;
mod regions;
pub mod sparse;
mod symbols;
mod turns;

use core::ffi::{CStr, c_char, c_int, c_uint};
use core::ptr::{null, null_mut};
use std::sync::OnceLock;

use crate::bus::{Memory, Nanos};
use crate::machine::Host;
use crate::plugin;
use regions::{LITTLE_ENDIAN, Ops, Regions, Valid, zeroed_struct};
use symbols::{Api, Opaque};

/// `QEMU_CLOCK_VIRTUAL`.
const CLOCK_VIRTUAL: c_int = 1;
/// `SHUTDOWN_CAUSE_GUEST_SHUTDOWN` and `SHUTDOWN_CAUSE_GUEST_RESET`.
const GUEST_SHUTDOWN: c_int = 6;
const GUEST_RESET: c_int = 7;
/// SPIs of the MT6572.
const SPI_COUNT: usize = 128;

static API: OnceLock<Api> = OnceLock::new();
static PARTS: OnceLock<Parts> = OnceLock::new();
static OPS: Ops = Ops {
    read: mmio_read,
    write: mmio_write,
    read_with_attrs: null(),
    write_with_attrs: null(),
    endianness: LITTLE_ENDIAN,
    valid: Valid {
        min: 1,
        max: 8,
        unaligned: true,
        accepts: null(),
    },
    implemented: regions::Implemented {
        min: 1,
        max: 4,
        unaligned: true,
    },
};

/// QEMU's objects that the phone uses, found when the machine is complete.
struct Parts {
    lines: Vec<Opaque>,
    regions: Regions,
    timer: Opaque,
    serial: [Opaque; 2],
}

// SAFETY: the pointers are to QEMU objects that live as long as the process,
// and are used under the big lock only.
unsafe impl Send for Parts {}
// SAFETY: as above.
unsafe impl Sync for Parts {}

/// The process's QEMU, for callers that hold the big lock.
#[derive(Clone, Copy)]
pub struct Qemu;

fn api() -> &'static Api {
    API.get().expect("the library was installed")
}

impl Qemu {
    /// Loads the function table and asks to be called when the machine is
    /// complete, when code is translated and when the process ends.
    ///
    /// # Errors
    /// The name of a function that this QEMU does not export.
    fn install(plugin_id: u64) -> Result<(), &'static str> {
        let api = Api::resolve()?;
        let api = API.get_or_init(|| api);
        let notifier = zeroed_struct();
        // SAFETY: a Notifier begins with its function pointer, the rest is QEMU's; it is never freed.
        unsafe {
            notifier
                .cast::<extern "C" fn(Opaque, Opaque)>()
                .write(machine_done);
            (api.qemu_add_machine_init_done_notifier)(notifier);
            (api.qemu_plugin_register_vcpu_tb_trans_cb)(plugin_id, hooks::translated);
            (api.qemu_plugin_register_atexit_cb)(plugin_id, hooks::exiting, null_mut());
        }
        Ok(())
    }

    /// Virtual time in nanoseconds. Also allowed while code is translated.
    pub fn clock() -> Nanos {
        // SAFETY: the clock may be read from any QEMU thread.
        let ns = unsafe { (api().qemu_clock_get_ns)(CLOCK_VIRTUAL) };
        u64::try_from(ns).unwrap_or(0)
    }

    /// Asks a character device for what it held back.
    pub fn serial_accept(port: usize) {
        let Some(&front_end) = PARTS.get().and_then(|parts| parts.serial.get(port)) else {
            return;
        };
        if !front_end.is_null() {
            // SAFETY: the front end was initialised; the big lock is held, ours are not.
            unsafe { (api().qemu_chr_fe_accept_input)(front_end) };
        }
    }

    /// Builds the phone's address space, interrupt lines, timer and serial
    /// ports. Called once, when the machine is complete.
    ///
    /// # Errors
    /// What is missing in the machine that QEMU was told to make.
    pub fn build(dram_bytes: u32, boot_rom: &[u32]) -> Result<(), &'static str> {
        let api = api();
        let regions = regions::map_all(api, &OPS, dram_bytes)?;
        regions.fill_boot_rom(api, boot_rom);
        let gic = regions::resolve_gic(api)?;
        // SAFETY: the GIC has 128 SPI inputs and more.
        let lines = (0..SPI_COUNT)
            .map(|spi| unsafe { (api.qdev_get_gpio_in)(gic, spi as c_int) })
            .collect();
        let timer = zeroed_struct();
        // SAFETY: the timer is zeroed and never freed; a null group means the main loop's.
        unsafe {
            (api.timer_init_full)(
                timer,
                null_mut(),
                CLOCK_VIRTUAL,
                1,
                0,
                timer_fired,
                null_mut(),
            );
            (api.qemu_register_reset)(machine_reset, null_mut());
        }
        let serial = [
            connect_serial(api, c"uart0", 0),
            connect_serial(api, c"uart1", 1),
        ];
        PARTS
            .set(Parts {
                lines,
                regions,
                timer,
                serial,
            })
            .map_err(|_| "the machine was completed twice")
    }

    /// Cuts the wire from core 0's secure physical timer to PPI 29, for boards
    /// on which it is broken. After [`Qemu::build`].
    pub fn cut_secure_timer() {
        /// Number of that output of QEMU's CPU (`GTIMER_SEC`).
        const GTIMER_SEC: c_int = 3;
        let api = api();
        // SAFETY: core 0 exists once the machine is complete and has five timer outputs; a null
        // line is one that is not connected. The big lock is held.
        unsafe { (api.qdev_connect_gpio_out)((api.qemu_get_cpu)(0), GTIMER_SEC, null_mut()) };
    }
}

fn parts() -> &'static Parts {
    PARTS.get().expect("the machine is complete")
}

/// Finds the character device `name`; null where there is none.
fn connect_serial(api: &Api, name: &CStr, port: usize) -> Opaque {
    // SAFETY: the name is NUL-terminated; the front end is zeroed and never freed; the port number
    // travels in the opaque pointer.
    unsafe {
        let chardev = (api.qemu_chr_find)(name.as_ptr());
        if chardev.is_null() {
            return null_mut();
        }
        let front_end = zeroed_struct();
        let mut error: Opaque = null_mut();
        if !(api.qemu_chr_fe_init)(front_end, chardev, &raw mut error) {
            eprintln!(
                "mt6572: the character device {} is in use by another device",
                name.to_string_lossy()
            );
            return null_mut();
        }
        let opaque = port as Opaque;
        let none = null_mut();
        (api.qemu_chr_fe_set_handlers)(
            front_end,
            can_receive,
            receive,
            none,
            none,
            opaque,
            none,
            true,
        );
        front_end
    }
}

impl Memory for Qemu {
    fn read(&mut self, addr: u32, data: &mut [u8]) -> bool {
        // SAFETY: the buffer has the length that is passed; the caller holds the big lock and has
        // checked that the range is RAM, so that no callback of ours is entered again.
        unsafe {
            (api().cpu_physical_memory_rw)(
                u64::from(addr),
                data.as_mut_ptr().cast(),
                data.len() as u64,
                false,
            );
        }
        true
    }

    fn write(&mut self, addr: u32, data: &[u8]) -> bool {
        // SAFETY: as for `read`; QEMU does not write to the buffer when `is_write` is true.
        unsafe {
            let from = data.as_ptr().cast_mut().cast();
            (api().cpu_physical_memory_rw)(u64::from(addr), from, data.len() as u64, true);
        }
        true
    }
}

impl Host for Qemu {
    fn now(&self) -> Nanos {
        Qemu::clock()
    }

    fn set_irq(&mut self, spi: u8, level: bool) {
        if let Some(&line) = parts().lines.get(usize::from(spi)) {
            // SAFETY: the line is an input of the GIC; the big lock is held.
            unsafe { (api().qemu_set_irq)(line, c_int::from(level)) };
        }
    }

    fn serial_out(&mut self, port: u8, bytes: &[u8]) {
        let Some(&front_end) = parts().serial.get(usize::from(port)) else {
            return;
        };
        if !front_end.is_null() {
            // SAFETY: the front end was initialised; the slice has the length that is passed.
            unsafe {
                (api().qemu_chr_fe_write_all)(front_end, bytes.as_ptr(), bytes.len() as c_int)
            };
        }
    }

    fn map_l2_sram(&mut self, mapped: bool) {
        parts().regions.map_l2_sram(api(), mapped);
    }

    fn set_deadline(&mut self, at: Option<Nanos>) {
        // SAFETY: the timer was initialised by `build`.
        unsafe {
            match at {
                Some(at) => (api().timer_mod)(parts().timer, i64::try_from(at).unwrap_or(i64::MAX)),
                None => (api().timer_del)(parts().timer),
            }
        }
    }

    fn power_core1(&mut self, on: bool) {
        // SAFETY: core 1 exists (checked when the machine was completed); both calls are meant to be
        // made from a device under the big lock.
        unsafe {
            if on {
                (api().arm_set_cpu_on_and_reset)(1);
            } else {
                (api().arm_set_cpu_off)(1);
            }
        }
    }

    fn core1_waits(&mut self) -> bool {
        // SAFETY: core 1 exists; the function only looks, under the big lock.
        unsafe { (api().cpu_thread_is_idle)((api().qemu_get_cpu)(1)) }
    }

    fn share_time(&mut self, both_cores: bool) {
        turns::share(api(), both_cores);
    }

    fn request_reset(&mut self) {
        // SAFETY: the request is carried out later by the main loop.
        unsafe { (api().qemu_system_reset_request)(GUEST_RESET) };
    }

    fn request_shutdown(&mut self) {
        // SAFETY: as above.
        unsafe { (api().qemu_system_shutdown_request)(GUEST_SHUTDOWN) };
    }
}

/// QEMU's entry into the library.
///
/// # Safety
/// Called by QEMU only, with `argc` valid C strings in `argv`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: u64,
    _info: Opaque,
    argc: c_int,
    argv: *const *const c_char,
) -> c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    let arguments: Vec<String> = (0..count)
        .map(|index| {
            // SAFETY: QEMU passes `argc` NUL-terminated strings.
            let argument = unsafe { CStr::from_ptr(*argv.add(index)) };
            argument.to_string_lossy().into_owned()
        })
        .collect();
    if let Err(message) = plugin::configure(&arguments) {
        eprintln!("mt6572: {message}");
        return 1;
    }
    if let Err(missing) = Qemu::install(id) {
        eprintln!(
            "mt6572: this QEMU does not export the function {missing}; Debian's qemu-system-arm 7.2 and 10.0 do. It is: {}",
            hooks::qemu_version()
        );
        return 1;
    }
    0
}

extern "C" fn machine_done(_notifier: Opaque, _data: Opaque) {
    if let Err(message) = plugin::machine_done() {
        eprintln!("mt6572: {message}");
        std::process::exit(1);
    }
}

extern "C" fn machine_reset(_opaque: Opaque) {
    plugin::reset();
}

extern "C" fn timer_fired(_opaque: Opaque) {
    plugin::timer();
}

extern "C" fn mmio_read(_opaque: Opaque, addr: u64, size: c_uint) -> u64 {
    u64::from(plugin::read(addr as u32, size as u8))
}

extern "C" fn mmio_write(_opaque: Opaque, addr: u64, value: u64, size: c_uint) {
    plugin::write(addr as u32, size as u8, value as u32);
}

extern "C" fn can_receive(opaque: Opaque) -> c_int {
    c_int::try_from(plugin::can_receive(opaque as usize as u8)).unwrap_or(c_int::MAX)
}

extern "C" fn receive(opaque: Opaque, bytes: *const u8, len: c_int) {
    let len = usize::try_from(len).unwrap_or(0);
    if bytes.is_null() || len == 0 {
        return;
    }
    // SAFETY: QEMU passes `len` bytes that live for the length of the call.
    let bytes = unsafe { core::slice::from_raw_parts(bytes, len) };
    plugin::receive(opaque as usize as u8, bytes);
}
