//! The image's own memory, as the linker script (`linker/lk.ld`) lays it out.

use core::ops::Range;

/// Where DRAM begins. Source: facts/soc.md 1.1.
pub const DRAM_BASE: u32 = 0x8000_0000;

macro_rules! symbol {
    ($name:ident) => {{
        unsafe extern "C" {
            static $name: u8;
        }
        &raw const $name as u32
    }};
}

/// Code and constants.
pub fn image() -> Range<u32> {
    symbol!(__image_start)..symbol!(__image_end)
}

/// The pages with code that is there from the start.
pub fn early_code() -> Range<u32> {
    symbol!(__image_start)..symbol!(__early_code_end)
}

/// The part of the image that is unpacked later (late.rs).
pub fn late() -> Range<u32> {
    symbol!(__late_start)..symbol!(__hints)
}

/// The pages of it with code.
pub fn late_code() -> Range<u32> {
    symbol!(__late_start)..symbol!(__late_code_end)
}

/// Zeroed data and stacks.
pub fn work() -> Range<u32> {
    symbol!(__bss_start)..symbol!(__exception_stack_top)
}

/// The page below the stack that is never mapped.
pub fn stack_guard() -> u32 {
    symbol!(__stack_guard)
}

/// The heap.
pub fn heap() -> Range<u32> {
    symbol!(__heap_start)..symbol!(__heap_end)
}

/// The log that outlives a reset.
pub fn log() -> Range<u32> {
    symbol!(__log_start)..symbol!(__log_end)
}
