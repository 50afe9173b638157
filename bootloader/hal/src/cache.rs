//! Maintenance of the Cortex-A7's caches: what DMA, loaded code and the jump to
//! a kernel need, and nothing else.
//!
//! The L1 data caches of both cores and the 256 KiB L2 sit in front of DRAM and
//! no bus master but the CPU looks into them. Operations by address act on L1
//! and L2 down to the point of coherency, which on this chip is DRAM itself.
//! Operations by set and way exist for one moment only: the hand-off, where the
//! caches are switched off for good. They say nothing to the other core and may
//! not be used for DMA.
//!
//! On any other architecture every function is a no-op, so that drivers that
//! keep their buffers coherent can be tested on the host.
//!
//! Source: facts/soc.md 1.3, 1.6 and 12.2; ARM Architecture Reference Manual
//! ARMv7-A B2.2 and Cortex-A7 Technical Reference Manual 6.1.

/// Bytes of a cache line, the same for L1 data and L2.
pub const LINE_BYTES: usize = 64;

/// Whether a range starts and ends on line boundaries, so that no neighbour
/// shares a line with it.
pub const fn is_line_aligned(address: usize, bytes: usize) -> bool {
    address.is_multiple_of(LINE_BYTES) && bytes.is_multiple_of(LINE_BYTES)
}

/// Writes dirty lines of the range to DRAM; they stay valid in the cache.
///
/// For memory that a device will read, and for code that was just written.
pub fn clean(start: *const u8, bytes: usize) {
    by_line(start, bytes, arch::clean_line);
}

/// Writes dirty lines of the range to DRAM and drops them from the cache.
pub fn clean_invalidate(start: *const u8, bytes: usize) {
    by_line(start, bytes, arch::clean_invalidate_line);
}

/// Drops the range from the caches without writing it back.
///
/// # Safety
/// Whatever the CPU wrote there and has not been evicted yet is lost. The range
/// must be line-aligned at both ends ([`is_line_aligned`]), and nobody may
/// depend on its present contents.
pub unsafe fn invalidate(start: *const u8, bytes: usize) {
    debug_assert!(is_line_aligned(start as usize, bytes));
    by_line(start, bytes, arch::invalidate_line);
}

/// Forgets every cached instruction and branch prediction of this core.
///
/// Needed before running code that was loaded or moved, after [`clean`] has
/// brought it to DRAM. At LK entry nothing may be assumed of either.
pub fn invalidate_instructions() {
    arch::invalidate_instructions();
}

/// Cleans and invalidates all data caches of all levels by set and way.
///
/// The caches stay as they are (on or off). Lines that the code around the call
/// makes dirty afterwards are its own business: with caches on, use it only to
/// shorten the work of [`switch_off`].
pub fn clean_invalidate_all() {
    arch::clean_invalidate_all();
}

/// Ends caching for the hand-off: MMU, data and instruction caches and branch
/// prediction off, all data cache levels cleaned and invalidated, instruction
/// cache, predictor and TLB invalidated.
///
/// The steps run without touching memory in between: once the data cache is
/// off, the CPU would read a stale stack from DRAM until the clean has ended.
///
/// # Safety
/// The code that runs must be mapped one to one, interrupts must be masked, and
/// afterwards unaligned accesses and exclusive accesses fault or fail, as all
/// memory is strongly ordered.
pub unsafe fn switch_off() {
    // SAFETY: passed on to the caller.
    unsafe { arch::switch_off() }
}

/// Runs `operation` on every line that the range touches, then waits until the
/// results are visible to every bus master.
fn by_line(start: *const u8, bytes: usize, operation: impl Fn(usize)) {
    if bytes == 0 {
        return;
    }
    let start = start as usize;
    let last = start.saturating_add(bytes - 1) & !(LINE_BYTES - 1);
    let mut line = start & !(LINE_BYTES - 1);
    // Earlier stores must have reached the cache before their line is treated.
    arch::barrier();
    // A plain loop: a kernel has a quarter of a million lines, and an iterator
    // over an inclusive range costs several instructions more for each.
    loop {
        operation(line);
        if line == last {
            break;
        }
        line += LINE_BYTES;
    }
    arch::barrier();
}

#[cfg(target_arch = "arm")]
mod arch {
    use core::arch::{asm, naked_asm};

    /// Data synchronization barrier: waits for memory and maintenance.
    pub fn barrier() {
        // SAFETY: a barrier changes no state; left without `nomem` so that the
        // compiler keeps memory accesses on their side of it.
        unsafe { asm!("dsb", options(nostack, preserves_flags)) }
    }

    /// DCCMVAC: clean one line to the point of coherency.
    pub fn clean_line(address: usize) {
        // SAFETY: writing a line back changes no value that the CPU sees.
        unsafe {
            asm!("mcr p15, 0, {}, c7, c10, 1", in(reg) address, options(nostack, preserves_flags));
        }
    }

    /// DCCIMVAC: clean and invalidate one line to the point of coherency.
    pub fn clean_invalidate_line(address: usize) {
        // SAFETY: as for `clean_line`.
        unsafe {
            asm!("mcr p15, 0, {}, c7, c14, 1", in(reg) address, options(nostack, preserves_flags));
        }
    }

    /// DCIMVAC: invalidate one line to the point of coherency.
    pub fn invalidate_line(address: usize) {
        // SAFETY: the loss of dirty data is the contract of the only caller,
        // `super::invalidate`.
        unsafe {
            asm!("mcr p15, 0, {}, c7, c6, 1", in(reg) address, options(nostack, preserves_flags));
        }
    }

    /// ICIALLU and BPIALL.
    pub fn invalidate_instructions() {
        // SAFETY: both structures only mirror memory; the barriers order the
        // loss against what was stored before and what is fetched after.
        unsafe {
            asm!(
                "dsb",
                "mcr p15, 0, {zero}, c7, c5, 0",
                "mcr p15, 0, {zero}, c7, c5, 6",
                "dsb",
                "isb",
                zero = in(reg) 0,
                options(nostack, preserves_flags),
            );
        }
    }

    pub fn clean_invalidate_all() {
        // SAFETY: writes back and drops; no value that the CPU sees changes.
        unsafe { clean_invalidate_levels() }
    }

    #[unsafe(naked)]
    unsafe extern "C" fn clean_invalidate_levels() {
        naked_asm!(
            "push {{r4-r9, lr}}",
            "bl {walk}",
            "pop {{r4-r9, pc}}",
            walk = sym every_set_and_way,
        )
    }

    /// See [`super::switch_off`].
    #[unsafe(naked)]
    pub unsafe extern "C" fn switch_off() {
        naked_asm!(
            // Pushed while the cache is on, popped when the walk has brought
            // it to DRAM. A push in between would be overwritten by whatever
            // old stack frames are still dirty in the cache.
            "push {{r4-r9, lr}}",
            "mrc p15, 0, r0, c1, c0, 0",
            "movw r1, #0x1805", // SCTLR: I, Z, C, M
            "bic r0, r0, r1",
            "dsb",
            "mcr p15, 0, r0, c1, c0, 0",
            "isb",
            "bl {walk}",
            "mov r0, #0",
            "mcr p15, 0, r0, c8, c7, 0", // TLBIALL
            "mcr p15, 0, r0, c7, c5, 0", // ICIALLU
            "mcr p15, 0, r0, c7, c5, 6", // BPIALL
            "dsb",
            "isb",
            "pop {{r4-r9, pc}}",
            walk = sym every_set_and_way,
        )
    }

    /// Walks all data and unified caches up to the level of coherency with
    /// DCCISW. CLIDR says which levels there are, CCSIDR how large each is.
    ///
    /// Registers only, and it clobbers r0 to r9: to be called from assembly.
    #[unsafe(naked)]
    unsafe extern "C" fn every_set_and_way() {
        naked_asm!(
            "dsb",
            "mrc p15, 1, r0, c0, c0, 1", // r0 = CLIDR
            "ubfx r1, r0, #24, #3",      // r1 = levels up to coherency
            "mov r2, #0",                // r2 = level, from 0
            "b 5f",
            "2:",
            "and r3, r0, #7", // cache type of this level
            "lsr r0, r0, #3",
            "lsl r4, r2, #1", // r4 = level field of CSSELR and DCCISW
            "add r2, r2, #1",
            "cmp r3, #2", // 2, 3 and 4 have a data cache
            "blo 5f",
            "mcr p15, 2, r4, c0, c0, 0", // CSSELR
            "isb",
            "mrc p15, 1, r5, c0, c0, 0", // r5 = CCSIDR
            "and r6, r5, #7",
            "add r6, r6, #4",        // r6 = log2 of the line's bytes
            "ubfx r7, r5, #3, #10",  // r7 = highest way
            "ubfx r5, r5, #13, #15", // r5 = highest set
            "clz r8, r7",            // r8 = left shift of the way number
            "3:",                    // for each set, downwards
            "mov r9, r7",
            "4:", // for each way, downwards
            "lsl r3, r9, r8",
            "lsl r12, r5, r6",
            "orr r3, r3, r12",
            "orr r3, r3, r4",
            "mcr p15, 0, r3, c7, c14, 2", // DCCISW
            "subs r9, r9, #1",
            "bpl 4b",
            "subs r5, r5, #1",
            "bpl 3b",
            "5:",
            "cmp r2, r1",
            "blo 2b",
            "mov r4, #0",
            "mcr p15, 2, r4, c0, c0, 0",
            "dsb",
            "isb",
            "bx lr",
        )
    }
}

#[cfg(not(target_arch = "arm"))]
mod arch {
    pub fn barrier() {}
    pub fn clean_line(_address: usize) {}
    pub fn clean_invalidate_line(_address: usize) {}
    pub fn invalidate_line(_address: usize) {}
    pub fn invalidate_instructions() {}
    pub fn clean_invalidate_all() {}
    pub unsafe fn switch_off() {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::RefCell;
    use std::vec::Vec;

    fn lines(start: usize, bytes: usize) -> Vec<usize> {
        let seen = RefCell::new(Vec::new());
        by_line(start as *const u8, bytes, |line| {
            seen.borrow_mut().push(line);
        });
        seen.into_inner()
    }

    #[test]
    fn every_touched_line_is_treated_once() {
        assert_eq!(lines(0x1000, 128), [0x1000, 0x1040]);
        assert_eq!(lines(0x103f, 2), [0x1000, 0x1040]);
        assert_eq!(lines(0x1001, 1), [0x1000]);
        assert!(lines(0x1000, 0).is_empty());
    }

    #[test]
    fn range_up_to_the_end_of_memory_ends() {
        assert_eq!(lines(usize::MAX - 63, 64), [usize::MAX - 63]);
        assert_eq!(lines(usize::MAX - 63, 4096), [usize::MAX - 63]);
    }

    #[test]
    fn alignment_counts_both_ends() {
        assert!(is_line_aligned(0x8010_8000, 0x200));
        assert!(!is_line_aligned(0x8010_8020, 0x200));
        assert!(!is_line_aligned(0x8010_8000, 0x220));
    }
}
