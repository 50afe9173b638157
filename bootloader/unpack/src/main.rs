//! The front of `lk.bin`: checks what is behind it, unpacks the early part of
//! the bootloader to where that is linked, and jumps. The bootloader unpacks
//! its rest by itself.
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

    use unilk_core::packed::{self, IMAGE_ADDRESS, IMAGE_MAX, PAYLOAD_MAX, PackedError};
    use unilk_unpack::Unpacking;

    global_asm!(include_str!("start.s"), options(raw));
    global_asm!(include_str!("../../lk/src/caches.s"), options(raw));

    /// Where the payload stands by now: `linker/unpack.ld`.
    const PAYLOAD: u32 = 0x8008_8000;

    /// Called by `start.s`, with caches: `entry` is what the bootloader will be
    /// handed. Returns the bytes of the bootloader's early part, if it may be
    /// run.
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
        match early_part(payload, image) {
            Ok(bytes) => bytes,
            Err(error) => crate::stop::damaged(entry[0], error),
        }
    }

    fn early_part(payload: &[u8], image: &mut [u8]) -> Result<usize, PackedError> {
        let (head, plain, packed) = packed::open(payload)?;
        // SAFETY: `start.s` has mapped these 16 MiB; the bootloader takes the
        // work over when we are done.
        let unpacking = unsafe { Unpacking::begin(head, packed)? };
        unpacking.unpack(head.early_len as usize)?;
        let (early, rest) = image
            .split_at_mut_checked(head.early_len as usize)
            .ok_or(PackedError::Size)?;
        early.copy_from_slice(unpacking.bytes(0, early.len()));
        head.restore_early(early);
        rest.get_mut(head.late_len()..)
            .and_then(|rest| rest.get_mut(..plain.len()))
            .ok_or(PackedError::Size)?
            .copy_from_slice(plain);
        Ok(early.len())
    }
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("the unpacker runs on a phone: build it with `cargo xtask build`");
}
