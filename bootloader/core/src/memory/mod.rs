//! The plan of memory: which bytes of DRAM are whose, from the moment we read
//! the boot argument to the moment the kernel has unpacked itself.
//!
//! Nothing is loaded to an address that has not been claimed here first, and
//! two claims that overlap are an error that names both. Source:
//! facts/soc.md 1.1, 3.5, facts/storage-and-images.md 5.3, 5.4, 6.3.

mod device_tree;
mod vendor;

pub use device_tree::{DeviceTreeNeeds, DeviceTreePlan, PlacementNote, plan_device_tree};
pub use vendor::{
    TAGS_ADDRESS, TAGS_LEN, VENDOR_KERNEL_ADDRESS, VENDOR_RAMDISK_ADDRESS, VendorNeeds, VendorPlan,
    plan_vendor,
};

use crate::bootarg::DRAM_BASE;
use crate::bytes::align_up;
use heapless::Vec;

/// First byte behind the MiB that CONNSYS' firmware later owns and that holds
/// all of our own memory: image, stacks, heap, log.
pub const KERNEL_MEMORY_START: u32 = 0x8010_0000;
/// The framebuffer of the largest panel seen.
pub const FRAMEBUFFER_RESERVE: u32 = 12 << 20;
/// Modem firmware and its shared memory, as the vendor's kernel takes them.
pub const MODEM_RESERVE: u32 = 0x140_0000;

const MAX_REGIONS: usize = 24;
/// Alignment of everything that the card writes by DMA: whole pages, so that
/// no cache line is shared.
const LOAD_ALIGN: u32 = 4096;

/// A claimed piece of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Region {
    /// What it is for.
    pub name: &'static str,
    /// Physical address.
    pub base: u32,
    /// Bytes.
    pub len: u32,
}

impl Region {
    /// A region from `base` up to `end` (not included).
    pub const fn between(name: &'static str, base: u32, end: u32) -> Self {
        Self {
            name,
            base,
            len: end.saturating_sub(base),
        }
    }

    /// First byte behind it. Regions are made so that this does not wrap.
    pub const fn end(&self) -> u32 {
        self.base.saturating_add(self.len)
    }

    /// True if the two share a byte.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.base < other.end() && other.base < self.end()
    }
}

error_enum! {
    /// Why there is no room.
    pub enum MemoryError {
        /// Two things want the same bytes.
        Overlap { /** The new one. */ wanted: &'static str, /** The one that is there. */ holder: &'static str, /** Where the new one starts. */ base: u32 }
            => "MEM-OVER", "{wanted} at {base:#x} would lie on {holder}: use a smaller image";
        /// No free space of that size.
        Full { /** What was to be placed. */ wanted: &'static str, /** Bytes it needs. */ needed: u32, /** The largest free space. */ available: u32 }
            => "MEM-FULL", "{wanted} needs {needed:#x} bytes of memory, {available:#x} are free: use a smaller kernel or ramdisk";
        /// DRAM is smaller than this kernel's fixed layout.
        Small { /** What lies outside. */ wanted: &'static str, /** Bytes of DRAM needed. */ needed: u32, /** Bytes of DRAM there are. */ available: u32 }
            => "MEM-SMALL", "{wanted} needs {needed:#x} bytes of DRAM, this phone has {available:#x}: use a smaller kernel or ramdisk";
        /// The kernel insists on an address that is not free.
        KernelPlace { /** The address. */ address: u32 }
            => "MEM-PLACE", "kernel unpacks itself to {address:#x}, over memory of CONNSYS and the bootloader: build it with another address";
        /// A device tree over 1 MiB.
        Tree { /** Its bytes. */ bytes: u32 }
            => "MEM-TREE", "device tree has {bytes:#x} bytes, at most 0x100000 are possible: shrink it";
        /// More regions than the plan holds.
        TooMany => "MEM-LIST", "memory plan has too many regions: report this";
    }
}

/// Claims, kept free of overlaps.
#[derive(Debug, Clone, Default)]
pub struct RegionMap {
    regions: Vec<Region, MAX_REGIONS>,
}

impl RegionMap {
    /// A map with nothing claimed.
    pub const fn new() -> Self {
        Self {
            regions: Vec::new(),
        }
    }

    /// A map with what no plan may touch: the first MiB, and `in_use`.
    fn around(in_use: &[Region]) -> Result<Self, MemoryError> {
        let mut map = Self::new();
        map.claim(Region::between(
            "CONNSYS and bootloader",
            DRAM_BASE,
            KERNEL_MEMORY_START,
        ))?;
        for region in in_use {
            // What we keep in the first MiB is part of that claim.
            if region.end() > KERNEL_MEMORY_START {
                map.claim(*region)?;
            }
        }
        Ok(map)
    }

    /// All claims, in the order they were made: the listing of RAM in use.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Claims exactly `region`; an empty one is ignored.
    pub fn claim(&mut self, region: Region) -> Result<(), MemoryError> {
        if region.len == 0 {
            return Ok(());
        }
        if let Some(holder) = self.regions.iter().find(|held| held.overlaps(&region)) {
            return Err(MemoryError::Overlap {
                wanted: region.name,
                holder: holder.name,
                base: region.base,
            });
        }
        self.regions.push(region).map_err(|_| MemoryError::TooMany)
    }

    /// Claims the lowest free `len` bytes within `window`, aligned to `align`
    /// (a power of two).
    pub fn allocate(
        &mut self,
        name: &'static str,
        len: u32,
        align: u32,
        window: Region,
    ) -> Result<Region, MemoryError> {
        let mut base = window.base;
        let mut largest = 0;
        loop {
            let start = align_up(base, align).filter(|&start| start < window.end());
            let Some(start) = start else {
                return Err(MemoryError::Full {
                    wanted: name,
                    needed: len,
                    available: largest,
                });
            };
            let next = self
                .regions
                .iter()
                .filter(|held| held.end() > start)
                .min_by_key(|held| held.base);
            let free_end = next.map_or(window.end(), |held| held.base.min(window.end()));
            let free = free_end.saturating_sub(start);
            if free >= len {
                let region = Region {
                    name,
                    base: start,
                    len,
                };
                self.claim(region)?;
                return Ok(region);
            }
            largest = largest.max(free);
            base = match next {
                Some(held) => held.end(),
                None => window.end(),
            };
        }
    }
}

/// `bytes` rounded up to what one DMA load occupies.
fn load_len(name: &'static str, bytes: u32) -> Result<u32, MemoryError> {
    align_up(bytes, LOAD_ALIGN).ok_or(MemoryError::Full {
        wanted: name,
        needed: bytes,
        available: 0,
    })
}

#[cfg(test)]
mod tests;
