//! Puts the MT6572's address space in front of that of QEMU's `virt` machine.
//!
//! One container holds everything: an I/O region of 4 GiB at the bottom, so
//! that an access to nothing is seen, and above it RAM, ROM and QEMU's own GIC
//! at the phone's addresses. The container covers `virt` in system memory and,
//! through an alias, in the Secure root that the CPU sees first.
//! Source: facts/qemu-plugin.md "Steps that were seen to work" 2, facts/soc.md 1.1 and 1.4.

use core::ffi::{CStr, c_int, c_uint, c_void};
use core::ptr::null_mut;

use super::symbols::{Api, Opaque};
use crate::machine::map;

/// QEMU's `MemoryRegionOps`.
#[repr(C)]
pub struct Ops {
    pub read: extern "C" fn(Opaque, u64, c_uint) -> u64,
    pub write: extern "C" fn(Opaque, u64, u64, c_uint),
    pub read_with_attrs: *const c_void,
    pub write_with_attrs: *const c_void,
    pub endianness: c_int,
    pub valid: Valid,
    pub implemented: Implemented,
}

/// `MemoryRegionOps.valid`: what the guest may do.
#[repr(C)]
pub struct Valid {
    pub min: c_uint,
    pub max: c_uint,
    pub unaligned: bool,
    pub accepts: *const c_void,
}

/// `MemoryRegionOps.impl`: what the callbacks take.
#[repr(C)]
pub struct Implemented {
    pub min: c_uint,
    pub max: c_uint,
    pub unaligned: bool,
}

// SAFETY: the table is constant, and its pointers are null or to functions.
unsafe impl Sync for Ops {}

/// `DEVICE_LITTLE_ENDIAN`.
pub const LITTLE_ENDIAN: c_int = 2;

/// More than any QEMU structure that is allocated here needs (`MemoryRegion`
/// is about 300 bytes, `QEMUTimer` 56, `CharBackend` 64).
const STRUCT_BYTES: usize = 1024;

/// Zeroed memory for one of QEMU's structures. It is never freed, because
/// QEMU keeps pointers to it until the process ends.
pub fn zeroed_struct() -> Opaque {
    Box::leak(Box::new([0u128; STRUCT_BYTES / 16]))
        .as_mut_ptr()
        .cast()
}

/// Above what `virt` has, whose own regions use priorities up to 0.
const OVER_VIRT: c_int = 10;
const WHOLE_SPACE: u64 = 1 << 32;

/// The regions that are needed again after mapping.
pub struct Regions {
    l2_sram: Opaque,
    boot_rom: Opaque,
}

// SAFETY: the pointers are to structures that are never freed; they are used
// under QEMU's big lock only.
unsafe impl Send for Regions {}

/// Maps everything. `dram_bytes` is the sum of the ranks.
///
/// # Errors
/// What QEMU's machine lacks, with the option that adds it.
pub fn map_all(api: &Api, ops: &'static Ops, dram_bytes: u32) -> Result<Regions, &'static str> {
    let gic = resolve_gic(api)?;
    let secure = secure_memory(api)?;
    let container = zeroed_struct();
    let io = zeroed_struct();
    // SAFETY: called once from the machine-init-done notifier, under the big lock; all structures
    // are zeroed and never freed, all names are NUL-terminated constants.
    unsafe {
        (api.memory_region_init)(container, null_mut(), c"mt6572".as_ptr(), WHOLE_SPACE);
        let table = core::ptr::from_ref(ops).cast();
        (api.memory_region_init_io)(
            io,
            null_mut(),
            table,
            null_mut(),
            c"mt6572.io".as_ptr(),
            WHOLE_SPACE,
        );
        (api.memory_region_add_subregion_overlap)(container, 0, io, 0);
    }
    let ram = |name: &CStr, base: u32, len: u32| -> Opaque {
        let region = zeroed_struct();
        // SAFETY: as above.
        unsafe {
            let mut error: Opaque = null_mut();
            (api.memory_region_init_ram)(
                region,
                null_mut(),
                name.as_ptr(),
                u64::from(len),
                &raw mut error,
            );
            (api.memory_region_add_subregion_overlap)(container, u64::from(base), region, 1);
        }
        region
    };
    let boot_rom = ram(c"mt6572.bootrom", map::BOOT_ROM, map::BOOT_ROM_LEN);
    ram(c"mt6572.sram", map::SRAM, map::SRAM_LEN);
    let l2_sram = ram(c"mt6572.l2sram", map::L2_SRAM, map::L2_SRAM_LEN);
    if dram_bytes > 0 {
        ram(c"mt6572.dram", map::DRAM, dram_bytes);
    }
    let alias = |name: &CStr, of: Opaque, len: u64| -> Opaque {
        let region = zeroed_struct();
        // SAFETY: as above; `of` is a region of a realized device or ours.
        unsafe { (api.memory_region_init_alias)(region, null_mut(), name.as_ptr(), of, 0, len) };
        region
    };
    // SAFETY: as above; the GIC is a system-bus device with these two regions.
    unsafe {
        let distributor = alias(
            c"mt6572.gicd",
            (api.sysbus_mmio_get_region)(gic, 0),
            map::GICD_LEN,
        );
        let cpu_interface = alias(
            c"mt6572.gicc",
            (api.sysbus_mmio_get_region)(gic, 1),
            map::GICC_LEN,
        );
        (api.memory_region_add_subregion_overlap)(container, u64::from(map::GICD), distributor, 1);
        (api.memory_region_add_subregion_overlap)(
            container,
            u64::from(map::GICC),
            cpu_interface,
            1,
        );
        let view = alias(c"mt6572.secure", container, WHOLE_SPACE);
        (api.memory_region_add_subregion_overlap)(
            (api.get_system_memory)(),
            0,
            container,
            OVER_VIRT,
        );
        (api.memory_region_add_subregion_overlap)(secure, 0, view, OVER_VIRT);
        (api.memory_region_set_readonly)(boot_rom, true);
    }
    Ok(Regions { l2_sram, boot_rom })
}

impl Regions {
    /// Shows or hides the L2's RAM.
    pub fn map_l2_sram(&self, api: &Api, mapped: bool) {
        // SAFETY: the region was initialised by `map_all`; the caller holds the big lock.
        unsafe { (api.memory_region_set_enabled)(self.l2_sram, mapped) };
    }

    /// Writes the code of the boot ROM, before the first instruction runs.
    pub fn fill_boot_rom(&self, api: &Api, words: &[u32]) {
        assert!(
            size_of_val(words) <= map::BOOT_ROM_LEN as usize,
            "the boot ROM stub is too long"
        );
        // SAFETY: the region is RAM of BOOT_ROM_LEN bytes, longer than `words`; no CPU runs yet.
        unsafe {
            let to = (api.memory_region_get_ram_ptr)(self.boot_rom);
            for (index, word) in words.iter().enumerate() {
                to.add(4 * index)
                    .cast::<[u8; 4]>()
                    .write(word.to_le_bytes());
            }
        }
    }
}

/// The interrupt controller of `virt`.
pub fn resolve_gic(api: &Api) -> Result<Opaque, &'static str> {
    // SAFETY: both strings are NUL-terminated; a null "ambiguous" pointer is allowed.
    let gic =
        unsafe { (api.object_resolve_path_type)(c"".as_ptr(), c"arm_gic".as_ptr(), null_mut()) };
    if gic.is_null() {
        Err("the machine has no GICv2: start QEMU with -M virt,gic-version=2,secure=on,highmem=off")
    } else {
        Ok(gic)
    }
}

fn secure_memory(api: &Api) -> Result<Opaque, &'static str> {
    // SAFETY: core 0 exists once the machine is complete; a missing property yields null.
    let secure = unsafe {
        let cpu = (api.qemu_get_cpu)(0);
        let mut error: Opaque = null_mut();
        (api.object_property_get_link)(cpu, c"secure-memory".as_ptr(), &raw mut error)
    };
    if secure.is_null() {
        Err(
            "the machine has no Secure state: start QEMU with -M virt,gic-version=2,secure=on,highmem=off",
        )
    } else {
        Ok(secure)
    }
}
