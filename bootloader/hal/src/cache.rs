//! Maintenance of the Cortex-A7's caches by address: what DMA and loaded code
//! need, and nothing else.
//!
//! The L1 data caches of both cores and the 256 KiB L2 sit in front of DRAM and
//! no bus master but the CPU looks into them. Operations by address act on L1
//! and L2 down to the point of coherency, which on this chip is DRAM itself.
//! Operations by set and way say nothing to the other core and may not be used
//! for DMA: they belong to entry and hand-off, which are the binary's.
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
    // Four at a time: a kernel has a quarter of a million lines, and counting
    // them would take longer than the operations.
    while last - line > 3 * LINE_BYTES {
        operation(line);
        operation(line + LINE_BYTES);
        operation(line + 2 * LINE_BYTES);
        operation(line + 3 * LINE_BYTES);
        line += 4 * LINE_BYTES;
    }
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
    use core::arch::asm;

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
}

#[cfg(not(target_arch = "arm"))]
mod arch {
    pub fn barrier() {}
    pub fn clean_line(_address: usize) {}
    pub fn clean_invalidate_line(_address: usize) {}
    pub fn invalidate_line(_address: usize) {}
    pub fn invalidate_instructions() {}
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
