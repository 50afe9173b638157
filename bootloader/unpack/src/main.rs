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

    use unilk_core::header::{MAX_UBOOT_PAYLOAD, UBOOT_LOAD_ADDRESS};
    use unilk_core::packed;
    use unilk_lzma::Lzma;

    global_asm!(include_str!("start.s"), options(raw));
    global_asm!(include_str!("../../lk/src/leave.s"), options(raw));

    /// Where the payload stands by now: `linker/unpack.ld`.
    const PAYLOAD: u32 = 0x8080_0000;
    /// Where the bootloader runs, which is where the preloader loads to, and
    /// what it may take there: `linker/lk.ld`.
    const IMAGE: u32 = UBOOT_LOAD_ADDRESS;
    const IMAGE_LEN: usize = 0x6_0000;

    unsafe extern "C" {
        /// Caches and MMU off, everything in memory, and gone (`leave.s`).
        fn leave(entry: u32, r0: u32, r1: u32, r2: u32) -> !;
    }

    /// Called by `start.s`, with caches: `entry` is what the bootloader is
    /// handed.
    ///
    /// # Safety
    ///
    /// Only `start.s` may call this, once.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn unpack(entry: &[u32; 4]) -> ! {
        // SAFETY: `start.s` has put the payload there; what lies behind it, up
        // to the length that it may have, is DRAM that nobody uses. The image's
        // place is free: the payload has left it if it ever was there.
        let (payload, image) = unsafe {
            (
                slice::from_raw_parts(PAYLOAD as *const u8, MAX_UBOOT_PAYLOAD as usize),
                slice::from_raw_parts_mut(IMAGE as *mut u8, IMAGE_LEN),
            )
        };
        match packed::unpack(payload, &mut Lzma::new(), image) {
            // SAFETY: a bootloader that is linked to this address, as its
            // check value says.
            Ok(_) => unsafe { leave(IMAGE, entry.as_ptr() as u32, 0, 0) },
            Err(error) => crate::stop::damaged(entry[0], error),
        }
    }
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("the unpacker runs on a phone: build it with `cargo xtask build`");
}
