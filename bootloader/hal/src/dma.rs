//! Memory that a bus master reads or writes: one type that owns alignment and
//! cache maintenance, so that no driver can forget either.
//!
//! No bus master of this chip looks into the CPU's caches. What goes wrong
//! without maintenance goes wrong on silicon only, and only sometimes:
//! - the device reads DRAM while the CPU's stores still sit in a cache, so
//!   every line is **cleaned before** the device reads;
//! - a dirty line is evicted onto data that the device has just written, so
//!   every line is **invalidated before** the device writes;
//! - the CPU prefetches a line speculatively while the device writes, and
//!   later reads the old contents from the cache, so every line is
//!   **invalidated again after** the device has written;
//! - a neighbour shares a line with the buffer, so that cleaning the one
//!   destroys the other: both ends of a region are **line-aligned**.
//!
//! [`DmaRegion`] is memory in the CPU's hands. Giving it to a device consumes
//! it and returns [`DeviceOwned`], through which the CPU cannot look; getting
//! it back is the driver's statement that the device has stopped.
//!
//! Addresses are physical: the bootloader maps DRAM one to one.
//!
//! Source: facts/soc.md 1.3 and 1.6; facts/storage-and-images.md 8.8 (first
//! user).

use crate::cache;
use core::mem;
use core::ptr::NonNull;

/// Why memory cannot be used for DMA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error {
    /// An end is not on a cache line ([`cache::LINE_BYTES`]).
    Unaligned,
    /// Null, or beyond the 32 bits that bus masters address.
    OutOfReach,
}

impl Error {
    /// Stable short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unaligned => "DMA-ALIGN",
            Self::OutOfReach => "DMA-REACH",
        }
    }
}

/// A cache-line-aligned piece of DRAM, in the CPU's hands.
#[derive(Debug)]
pub struct DmaRegion {
    start: NonNull<u8>,
    bytes: usize,
}

impl DmaRegion {
    /// A region over a buffer that is given up for good.
    pub fn new(buffer: &'static mut [u8]) -> Result<Self, Error> {
        let bytes = buffer.len();
        // SAFETY: a mutable reference that lives forever is exclusive, valid
        // and initialised memory.
        unsafe { Self::from_raw(buffer.as_mut_ptr() as usize, bytes) }
    }

    /// A region over DRAM that the memory planner has set aside.
    ///
    /// # Safety
    /// The range is mapped one to one as normal memory, nothing else refers
    /// to any byte of it, and no device writes it, for as long as the region
    /// or a part of it exists.
    pub unsafe fn from_raw(start: usize, bytes: usize) -> Result<Self, Error> {
        if !cache::is_line_aligned(start, bytes) {
            return Err(Error::Unaligned);
        }
        let end = start.checked_add(bytes).ok_or(Error::OutOfReach)?;
        if cfg!(target_arch = "arm") && end as u64 > u64::from(u32::MAX) {
            return Err(Error::OutOfReach);
        }
        let start = NonNull::new(start as *mut u8).ok_or(Error::OutOfReach)?;
        Ok(Self { start, bytes })
    }

    /// A region of no bytes, to stand in for one that is away.
    pub const fn empty() -> Self {
        // A dangling pointer at a line's start is valid for zero bytes.
        Self {
            start: NonNull::without_provenance(
                core::num::NonZeroUsize::new(cache::LINE_BYTES).expect("a line has bytes"),
            ),
            bytes: 0,
        }
    }

    /// Takes the region out, leaving an empty one.
    #[must_use = "memory that is dropped is lost"]
    pub fn take(&mut self) -> Self {
        mem::replace(self, Self::empty())
    }

    /// Length in bytes, a multiple of [`cache::LINE_BYTES`].
    pub const fn len(&self) -> usize {
        self.bytes
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Address of the first byte, as CPU and bus masters see it.
    pub fn address(&self) -> usize {
        self.start.as_ptr() as usize
    }

    /// The contents.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: exclusive and valid by the contract of `from_raw`; the CPU
        // holds the region, so no device writes it.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.bytes) }
    }

    /// The contents, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_slice`, and `self` is borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes) }
    }

    /// Divides the region after `bytes`, which must be a multiple of the line
    /// and no more than there is; the region comes back whole otherwise.
    pub fn split_at(self, bytes: usize) -> Result<(Self, Self), Self> {
        if !bytes.is_multiple_of(cache::LINE_BYTES) || bytes > self.bytes {
            return Err(self);
        }
        // SAFETY: `bytes` is within the region, or one past its end.
        let tail = unsafe { self.start.add(bytes) };
        Ok((
            Self {
                start: self.start,
                bytes,
            },
            Self {
                start: tail,
                bytes: self.bytes - bytes,
            },
        ))
    }

    /// Puts two adjacent parts together again; they come back if they are not.
    pub fn join(self, tail: Self) -> Result<Self, (Self, Self)> {
        if self.address() + self.bytes != tail.address() {
            return Err((self, tail));
        }
        Ok(Self {
            start: self.start,
            bytes: self.bytes + tail.bytes,
        })
    }

    /// Hands the region to a device that will write it; what it holds now is
    /// given up.
    pub fn for_device_write(self) -> DeviceOwned {
        // SAFETY: aligned by construction, and its contents are given up.
        unsafe { cache::invalidate(self.start.as_ptr(), self.bytes) };
        DeviceOwned {
            region: self,
            device_writes: true,
        }
    }

    /// Hands the region to a device that will only read it.
    pub fn for_device_read(self) -> DeviceOwned {
        cache::clean(self.start.as_ptr(), self.bytes);
        DeviceOwned {
            region: self,
            device_writes: false,
        }
    }

    /// Hands the region to a device that will read and write it, like
    /// descriptors with an ownership bit.
    pub fn for_device_both(self) -> DeviceOwned {
        cache::clean_invalidate(self.start.as_ptr(), self.bytes);
        DeviceOwned {
            region: self,
            device_writes: true,
        }
    }
}

/// A region that a device may be reading or writing. Dropping it loses the
/// memory rather than letting CPU and device meet in it.
#[must_use = "memory that is not reclaimed is lost"]
#[derive(Debug)]
pub struct DeviceOwned {
    region: DmaRegion,
    device_writes: bool,
}

impl DeviceOwned {
    /// What the device is told as the address.
    pub fn bus_address(&self) -> u32 {
        // Checked to fit when the region was made; a host's pointers do not,
        // and no device ever sees those.
        self.region.address() as u32
    }

    /// Length in bytes.
    pub const fn len(&self) -> usize {
        self.region.bytes
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.region.bytes == 0
    }

    /// Takes the memory back. For drivers only: they know that the device has
    /// finished, or that they have stopped it.
    pub(crate) fn reclaim(self) -> DmaRegion {
        if self.device_writes {
            // SAFETY: aligned by construction. The CPU has not written since
            // the hand-over, so all that can be lost is speculative fills.
            unsafe { cache::invalidate(self.region.start.as_ptr(), self.region.bytes) };
        }
        self.region
    }

    /// The device's own view, for the fake devices of the tests.
    #[cfg(test)]
    pub(crate) fn device_view(&mut self) -> &mut [u8] {
        self.region.as_mut_slice()
    }
}

/// A zeroed region for tests.
#[cfg(test)]
pub(crate) fn leaked(bytes: usize) -> DmaRegion {
    #[repr(align(64))]
    #[derive(Clone)]
    struct Line([u8; cache::LINE_BYTES]);
    let lines = vec![Line([0; cache::LINE_BYTES]); bytes.div_ceil(cache::LINE_BYTES)].leak();
    assert_eq!(size_of_val(&lines[0].0), cache::LINE_BYTES);
    // SAFETY: leaked memory is exclusive and lives forever.
    unsafe { DmaRegion::from_raw(lines.as_mut_ptr() as usize, size_of_val(lines)) }
        .expect("lines are aligned")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ends_must_be_on_lines() {
        let region = leaked(256);
        let start = region.address();
        // SAFETY: the regions are dropped unused.
        unsafe {
            assert_eq!(
                DmaRegion::from_raw(start + 32, 64).unwrap_err(),
                Error::Unaligned
            );
            assert_eq!(
                DmaRegion::from_raw(start, 100).unwrap_err(),
                Error::Unaligned
            );
            assert_eq!(DmaRegion::from_raw(0, 64).unwrap_err(), Error::OutOfReach);
            assert_eq!(
                DmaRegion::from_raw(usize::MAX - 63, 128).unwrap_err(),
                Error::OutOfReach
            );
        }
    }

    #[test]
    fn parts_cover_the_whole_and_join_again() {
        let mut region = leaked(256);
        region.as_mut_slice()[63] = 1;
        region.as_mut_slice()[64] = 2;
        let region = region.split_at(32).unwrap_err();
        let region = region.split_at(320).unwrap_err();
        let (head, tail) = region.split_at(64).unwrap();
        assert_eq!((head.as_slice()[63], tail.as_slice()[0]), (1, 2));
        let (tail, head) = tail.join(head).unwrap_err();
        assert_eq!(head.join(tail).unwrap().len(), 256);
    }

    #[test]
    fn device_and_cpu_see_the_same_memory_in_turn() {
        let region = leaked(64);
        let address = region.address();
        let mut owned = region.for_device_write();
        assert_eq!(owned.bus_address(), address as u32);
        owned.device_view()[5] = 0xa5;
        assert_eq!(owned.reclaim().as_slice()[5], 0xa5);
    }

    #[test]
    fn taking_leaves_nothing_behind() {
        let mut region = leaked(128);
        let taken = region.take();
        assert_eq!((taken.len(), region.len()), (128, 0));
        assert!(region.as_slice().is_empty());
    }
}
