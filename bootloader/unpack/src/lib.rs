//! What the unpacker (`main.rs`) and the bootloader share: the decoder, which
//! the one starts and the other takes over.
//!
//! Unpacking all of the bootloader takes longer than anything else that the
//! phone does by itself. So the unpacker unpacks the early part (`linker/lk.ld`
//! says what that is) and starts it; the bootloader unpacks the rest while
//! supplies, panel and eMMC get ready.
//!
//! All of it is unpacked in one MiB of DRAM that nobody uses before a kernel
//! is loaded, and copied from there to where it runs: what is unpacked refers
//! to bytes before it, as they were packed, not as the filter for code
//! (`unilk_lzma::thumb`) has left them.
#![no_std]
#![cfg_attr(not(target_os = "none"), allow(dead_code, unused_imports))]

use core::mem::offset_of;

use unilk_core::packed::{Head, PackedError};

#[cfg(target_os = "none")]
core::arch::global_asm!(include_str!("lzma.s"), options(raw));

/// The MiB in which is unpacked. Every phone has it, and each kernel is loaded
/// over it.
pub const ROOM: u32 = 0x8060_0000;
/// In it: the unpacked bytes, the packed ones, what is known of both.
const UNPACKED: u32 = ROOM;
const PACKED: u32 = ROOM + unilk_core::packed::IMAGE_MAX as u32;
const UNPACKING: u32 = PACKED + unilk_core::packed::PAYLOAD_MAX as u32;

/// Chances that LZMA with lc 3, lp 1 and pb 1 keeps, and what they begin with.
const CHANCES: usize = 14_148;
const EVEN: u16 = 1 << 10;

/// A decoder of LZMA between two of its bytes. Addresses are of DRAM.
#[repr(C)]
struct Decoder {
    range: u32,
    code: u32,
    packed: u32,
    packed_end: u32,
    at: u32,
    state: u32,
    distances: [u32; 4],
    start: u32,
    end: u32,
    chances: [u16; CHANCES],
}

// As lzma.s knows it.
const _: () = assert!(offset_of!(Decoder, distances) == 24);
const _: () = assert!(offset_of!(Decoder, chances) == 48);

/// The bootloader, while it is unpacked.
#[repr(C)]
pub struct Unpacking {
    head: Head,
    decoder: Decoder,
}

const _: () = assert!(UNPACKING as usize + size_of::<Unpacking>() <= ROOM as usize + (1 << 20));

#[cfg(target_os = "none")]
unsafe extern "C" {
    fn lzma_run(decoder: *mut Decoder, until: u32) -> u32;
}

#[cfg(target_os = "none")]
impl Unpacking {
    /// Begins to unpack `packed`, the packed part of a payload with this head.
    ///
    /// # Errors
    /// No packer wrote these bytes.
    ///
    /// # Safety
    /// [`ROOM`] is mapped memory, and nobody else's as long as the result is
    /// used.
    pub unsafe fn begin(head: Head, packed: &[u8]) -> Result<&'static mut Self, PackedError> {
        // A zero, then the first code, highest byte first.
        let Some(&[0, a, b, c, d]) = packed.first_chunk() else {
            return Err(PackedError::Data);
        };
        // SAFETY: as the caller promises; the head has been checked, so the
        // packed bytes fit. The place is written whole before it is referred to.
        unsafe {
            core::ptr::copy_nonoverlapping(packed.as_ptr(), PACKED as *mut u8, packed.len());
            let this = UNPACKING as *mut Self;
            (&raw mut (*this).head).write(head);
            let decoder = &raw mut (*this).decoder;
            for chance in 0..CHANCES {
                (&raw mut (*decoder).chances[chance]).write(EVEN);
            }
            (&raw mut (*decoder).range).write(u32::MAX);
            (&raw mut (*decoder).code).write(u32::from_be_bytes([a, b, c, d]));
            (&raw mut (*decoder).packed).write(PACKED + 5);
            (&raw mut (*decoder).packed_end).write(PACKED + packed.len() as u32);
            (&raw mut (*decoder).at).write(UNPACKED);
            (&raw mut (*decoder).state).write(0);
            (&raw mut (*decoder).distances).write([1; 4]);
            (&raw mut (*decoder).start).write(UNPACKED);
            (&raw mut (*decoder).end).write(UNPACKED + head.unpacked_len);
            Ok(&mut *this)
        }
    }

    /// What [`Unpacking::begin`] began, for the bootloader.
    ///
    /// # Safety
    /// The unpacker has called `begin` in this boot, [`ROOM`] is mapped and
    /// still what it was, and nobody else has called this.
    pub unsafe fn resume() -> &'static mut Self {
        // SAFETY: as the caller promises.
        unsafe { &mut *(UNPACKING as *mut Self) }
    }

    /// What is unpacked, and of what.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Bytes that are unpacked by now.
    pub fn done(&self) -> usize {
        (self.decoder.at - UNPACKED) as usize
    }

    /// Unpacks at least `until` bytes, counted from the first, or all there are.
    ///
    /// # Errors
    /// No packer wrote these bytes.
    pub fn unpack(&mut self, until: usize) -> Result<(), PackedError> {
        let decoder = &mut self.decoder;
        let all = self.head.unpacked_len as usize;
        let until = UNPACKED + until.min(all) as u32;
        // SAFETY: it reads and writes nothing but the decoder, the packed bytes
        // and the room for the unpacked ones, all of them in `ROOM`.
        if unsafe { lzma_run(decoder, until) } != 0 {
            return Err(PackedError::Data);
        }
        let more = decoder.at < decoder.end;
        (more || decoder.is_even())
            .then_some(())
            .ok_or(PackedError::Data)
    }

    /// The bytes from `from` to `to` as they were packed: those that are
    /// unpacked by now.
    pub fn bytes(&self, from: usize, to: usize) -> &[u8] {
        let to = to.min(self.done());
        let from = from.min(to);
        // SAFETY: these bytes of `ROOM` have been written.
        unsafe { core::slice::from_raw_parts((UNPACKED as usize + from) as *const u8, to - from) }
    }
}

#[cfg(target_os = "none")]
impl Decoder {
    /// After the last byte: whether the packed bytes ended with it.
    fn is_even(&mut self) -> bool {
        if self.range < 1 << 24 && self.packed < self.packed_end {
            // SAFETY: between the first and the last of the packed bytes.
            let byte = unsafe { (self.packed as *const u8).read() };
            self.code = self.code << 8 | u32::from(byte);
            self.range <<= 8;
            self.packed += 1;
        }
        self.packed == self.packed_end && self.code == 0
    }
}
