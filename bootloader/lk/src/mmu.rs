//! The translation table: identity mapping, and a fault for everything that
//! the boot has no business to touch.
//!
//! The first MiB of DRAM is mapped in 4 KiB pages: code and constants cannot
//! be written, data cannot be executed, and the page below the stack does not
//! exist, nor do those of the image that are not unpacked yet. DRAM beyond it appears when the boot argument has been believed
//! ([`map_dram`]); a pointer into nowhere faults instead of corrupting.
//!
//! Own table instead of `aarch32_cpu::mmu::L1Table`, which is aligned to 1 MiB
//! and knows no second level. Source: facts/soc.md 1.1; ARMv7-A short
//! descriptors.

use core::cell::UnsafeCell;

use aarch32_cpu::asm::{dsb, isb};
use aarch32_cpu::register::{Dacr, Sctlr, TlbIAll};
use mt6572_hal::cache;

use crate::map;

const MIB: u32 = 1 << 20;
const PAGE: u32 = 4096;

// Section descriptor: normal write-back write-allocate memory; device memory.
// Both execute-never, privileged read-write.
const SECTION: u32 = 0b10;
const SECTION_XN: u32 = 1 << 4;
const SECTION_RW: u32 = 0b01 << 10;
const SECTION_NORMAL: u32 = SECTION | SECTION_XN | SECTION_RW | 0b001 << 12 | 0b11 << 2;
const SECTION_DEVICE: u32 = SECTION | SECTION_XN | SECTION_RW | 0b01 << 2;

// Small-page descriptor, normal memory.
const PAGE_NORMAL: u32 = 0b10 | 0b001 << 6 | 0b11 << 2;
// The log is not cached: what it says must be in DRAM when a reset comes.
const PAGE_UNCACHED: u32 = 0b10 | 0b001 << 6;
const PAGE_XN: u32 = 1;
const PAGE_RW: u32 = 0b01 << 4;
const PAGE_RO: u32 = 1 << 9 | 0b01 << 4;

// Walks go through the caches: inner and outer write-back write-allocate.
const WALK_CACHED: u32 = 1 << 6 | 0b01 << 3;

#[repr(C, align(16384))]
struct Level1(UnsafeCell<[u32; 4096]>);
#[repr(C, align(1024))]
struct Level2(UnsafeCell<[u32; 256]>);

// SAFETY: one core, interrupts masked, and the tables are only reached through
// this module, which never holds a reference across a call.
unsafe impl Sync for Level1 {}
// SAFETY: as above.
unsafe impl Sync for Level2 {}

static LEVEL1: Level1 = Level1(UnsafeCell::new([0; 4096]));
static FIRST_MIB: Level2 = Level2(UnsafeCell::new([0; 256]));

/// Peripherals, by MiB: (first address, MiB count). Source: facts/soc.md 1.1.
const DEVICES: &[(u32, u32)] = &[
    (0x0100_0000, 1), // small SRAM
    (0x0800_0000, 1), // chip ID
    (0x1000_0000, 3), // infra, MCU configuration, GIC
    (0x1100_0000, 2), // peripherals
    (0x1400_0000, 1), // MMSYS
];

/// Builds the table and takes it in place of the unpacker's, with MMU and caches
/// on. Once, at the start.
pub fn enable() {
    // SAFETY: `LEVEL1` and `FIRST_MIB` are ours alone (see `Sync` above), and
    // the MMU does not read them yet.
    let (level1, pages) = unsafe { (&mut *LEVEL1.0.get(), &mut *FIRST_MIB.0.get()) };
    for &(base, mib) in DEVICES {
        for n in 0..mib {
            let address = base + n * MIB;
            level1[(address / MIB) as usize] = address | SECTION_DEVICE;
        }
    }
    for (index, entry) in pages.iter_mut().enumerate() {
        *entry = first_mib_page(map::DRAM_BASE + index as u32 * PAGE);
    }
    level1[(map::DRAM_BASE / MIB) as usize] = FIRST_MIB.0.get() as u32 | 0b01;
    // Where the image is unpacked: before anything is known of the DRAM.
    level1[(unilk_unpack::ROOM / MIB) as usize] = unilk_unpack::ROOM | SECTION_NORMAL;

    dsb();
    // Domain 0 as client: permissions count.
    Dacr::write(Dacr::new_with_raw_value(0b01));
    // SAFETY: TTBR0 gets the table built above, TTBCR = 0 makes it the only
    // one; every address that is in use right now (image, stack, tables) is
    // mapped to itself, as in the table before it.
    unsafe {
        core::arch::asm!(
            "mcr p15, 0, {table}, c2, c0, 0",
            "mcr p15, 0, {zero}, c2, c0, 2",
            table = in(reg) LEVEL1.0.get() as u32 | WALK_CACHED,
            zero = in(reg) 0,
        );
    }
    TlbIAll::write();
    dsb();
    isb();
    Sctlr::modify(|sctlr| {
        sctlr.set_m(true);
        sctlr.set_c(true);
        sctlr.set_i(true);
        sctlr.set_z(true);
    });
}

/// Maps `len` bytes of DRAM from `base`, both multiples of 1 MiB, beyond the
/// first MiB.
pub fn map_dram(base: u32, len: u32) {
    // SAFETY: single user, see `Sync` above; only entries that are unmapped or
    // already map the same MiB are written.
    let level1 = unsafe { &mut *LEVEL1.0.get() };
    let first = (base / MIB).max(map::DRAM_BASE / MIB + 1);
    let end = (u64::from(base) + u64::from(len)).div_euclid(u64::from(MIB)) as u32;
    for mib in first..end {
        level1[mib as usize] = (mib * MIB) | SECTION_NORMAL;
    }
    dsb();
    TlbIAll::write();
    dsb();
    isb();
}

/// Has `fill` fill the late part of the image, and gives it its pages: code,
/// which may be run, and constants.
pub fn fill_late(fill: impl FnOnce(&mut [u8])) {
    let late = map::late();
    map_late(|address| address | PAGE_NORMAL | PAGE_RW | PAGE_XN);
    // SAFETY: these pages have just been mapped, and were unreachable before:
    // nobody holds a reference into them, and who would read or run something
    // there waits for us.
    fill(unsafe { core::slice::from_raw_parts_mut(late.start as *mut u8, late.len()) });
    let code = map::late_code();
    cache::clean(code.start as *const u8, code.len());
    cache::invalidate_instructions();
    map_late(|address| {
        let execute_never = if map::late_code().contains(&address) {
            0
        } else {
            PAGE_XN
        };
        address | PAGE_NORMAL | PAGE_RO | execute_never
    });
}

fn map_late(entry: impl Fn(u32) -> u32) {
    // SAFETY: single user, see `Sync` above; the entries are those of the late
    // part, which `fill_late` alone changes.
    let pages = unsafe { &mut *FIRST_MIB.0.get() };
    for address in map::late().step_by(PAGE as usize) {
        if let Some(page) = pages.get_mut(((address - map::DRAM_BASE) / PAGE) as usize) {
            *page = entry(address);
        }
    }
    dsb();
    TlbIAll::write();
    dsb();
    isb();
}

fn first_mib_page(address: u32) -> u32 {
    if address == map::stack_guard() || map::late().contains(&address) {
        0
    } else if map::early_code().contains(&address) {
        address | PAGE_NORMAL | PAGE_RO
    } else if address < map::image().end {
        address | PAGE_NORMAL | PAGE_RO | PAGE_XN
    } else if map::log().contains(&address) {
        address | PAGE_UNCACHED | PAGE_RW | PAGE_XN
    } else {
        address | PAGE_NORMAL | PAGE_RW | PAGE_XN
    }
}
