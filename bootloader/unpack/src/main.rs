//! The front of `lk.bin`: unpacks the bootloader behind it to where that is
//! linked, checks it, and jumps.
//!
//! Small, for it is the only code in the image that is not packed. What it
//! decides is in `unilk_core::packed`, which runs in host tests.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod stop;

#[cfg(target_os = "none")]
mod start {
    use core::arch::global_asm;
    use core::slice;

    use unilk_core::packed::{self, IMAGE_ADDRESS, IMAGE_MAX, PAYLOAD_MAX};

    global_asm!(include_str!("start.s"), options(raw));
    global_asm!(include_str!("lzma.s"), options(raw));
    global_asm!(include_str!("../../lk/src/caches.s"), options(raw));

    /// Where the payload stands by now: `linker/unpack.ld`.
    const PAYLOAD: u32 = 0x8008_8000;

    /// Chances that `lzma_fill` keeps, and what they begin with.
    const CHANCES: usize = 14_148;
    const EVEN: u16 = 1 << 10;

    unsafe extern "C" {
        /// Unpacks LZMA (`lzma.s`); 0 if the packed bytes fill the room.
        fn lzma_fill(
            packed: *const u8,
            packed_end: *const u8,
            bytes: *mut u8,
            bytes_end: *mut u8,
            chances: *mut [u16; CHANCES],
        ) -> u32;
    }

    /// Called by `start.s`, with caches: `entry` is what the bootloader will be
    /// handed. Returns the bootloader's bytes, if it may be run.
    ///
    /// # Safety
    ///
    /// Only `start.s` may call this, once.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn unpack(entry: &[u32; 4]) -> usize {
        // SAFETY: `start.s` has put the payload there; what lies behind it, up
        // to the length that it may have, is DRAM that nobody uses. The image's
        // place is free: the payload has left it if it ever was there.
        let (payload, image) = unsafe {
            (
                slice::from_raw_parts(PAYLOAD as *const u8, PAYLOAD_MAX),
                slice::from_raw_parts_mut(IMAGE_ADDRESS as *mut u8, IMAGE_MAX),
            )
        };
        match packed::unpack(payload, image, fill) {
            Ok(bytes) => bytes,
            Err(error) => crate::stop::damaged(entry[0], error),
        }
    }

    #[expect(
        clippy::large_stack_arrays,
        reason = "28 KiB, which the stack is made for (linker/unpack.ld)"
    )]
    fn fill(packed: &[u8], bytes: &mut [u8]) -> bool {
        let mut chances = [EVEN; CHANCES];
        let packed = packed.as_ptr_range();
        let bytes = bytes.as_mut_ptr_range();
        // SAFETY: it reads and writes nothing but these three, in their bounds.
        let left = unsafe {
            lzma_fill(
                packed.start,
                packed.end,
                bytes.start,
                bytes.end,
                &raw mut chances,
            )
        };
        left == 0
    }
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("the unpacker runs on a phone: build it with `cargo xtask build`");
}
