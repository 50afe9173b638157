//! Where everything goes for a kernel that takes a device tree.
//!
//! The kernel chooses its own place ([`Placement`]), so the plan works
//! backwards from that: which base will it compute for which load address and
//! which memory node, and does the unpacked kernel then stay clear of the
//! first MiB? The zImage is put above the unpacked kernel, so that it need not
//! move itself first (which also saves the time of the copy); tree and RAM
//! disk lie above both.
//!
//! | placement | TEXT_OFFSET | zImage goes | memory told from |
//! |---|---|---|---|
//! | masked | clear of the first MiB | first 128 MiB | 0x80000000 |
//! | masked | 0x8000 and the like | second 128 MiB | 0x88000000, the first is lost |
//! | obeys the tree | clear of the first MiB | first 128 MiB | 0x80000000 |
//! | obeys the tree | 0x8000 and the like | first 128 MiB | 0x80200000 |
//! | fixed | – | anywhere above | its address rounded down to 2 MiB, not below 0x80100000 |
//! | unknown | taken as 0x8000 | second 128 MiB | 0x88000000 |
//!
//! "Clear of the first MiB" counts the page tables that the decompressor
//! builds in the 16 KiB (20 KiB with LPAE) below the kernel. Source:
//! facts/storage-and-images.md 5.4.

use super::{KERNEL_MEMORY_START, LOAD_ALIGN, MemoryError, Region, RegionMap, load_len};
use crate::bootarg::{DRAM_BASE, Dram};
use crate::bytes::align_up;
use crate::zimage::{KernelSize, Placement};

/// What has to find room.
#[derive(Debug, Clone, Copy)]
pub struct DeviceTreeNeeds<'a> {
    /// How the zImage finds its place.
    pub placement: Placement,
    /// Bytes of the zImage with whatever is appended to it.
    pub zimage_len: u32,
    /// Size of the kernel in it.
    pub kernel: KernelSize,
    /// Bytes of the device tree before fix-up.
    pub tree_len: u32,
    /// Bytes of the RAM disk; 0 for none.
    pub ramdisk_len: u32,
    /// Memory in use that must stay: framebuffer, buffers of running DMA.
    pub in_use: &'a [Region],
}

/// What the plan had to do, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PlacementNote {
    /// Nothing special.
    None,
    /// Memory below `start` is lost to this kernel: it rounds its address
    /// down to 128 MiB and would land in the first MiB otherwise.
    LowMemoryLost {
        /// First address that the kernel can use.
        start: u32,
    },
    /// The tree's memory begins 2 MiB later so that the kernel goes there.
    FirstMibsWithheld,
    /// The image's start is of no known kind; planned for the worst, low
    /// memory is lost.
    Unrecognised {
        /// First address that the kernel can use.
        start: u32,
    },
}

impl core::fmt::Display for PlacementNote {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::None => f.write_str("kernel finds its place by itself"),
            Self::LowMemoryLost { start } => {
                write!(
                    f,
                    "kernel masks its address with TEXT_OFFSET in the first MiB: memory below {start:#x} is lost to it"
                )
            }
            Self::FirstMibsWithheld => {
                f.write_str("memory told from 0x80200000 on, so that the kernel goes there")
            }
            Self::Unrecognised { start } => {
                write!(
                    f,
                    "kernel's start code is not recognised: planned for the worst, memory below {start:#x} is lost to it"
                )
            }
        }
    }
}

/// The places. All regions are free of overlap with each other and `in_use`.
#[derive(Debug, Clone)]
pub struct DeviceTreePlan {
    /// Where to load the kernel section, and its entry point.
    pub zimage: Region,
    /// Where the kernel will unpack itself (with page tables and bss).
    pub kernel: Region,
    /// Room for the fixed-up tree: the tree, 64 KiB more, at most 1 MiB.
    pub tree: Region,
    /// Where to load the RAM disk.
    pub ramdisk: Option<Region>,
    /// Lowest address to tell in the tree's memory nodes. The first MiB is
    /// reserved in the tree in any case.
    pub memory_start: u32,
    /// What had to be done.
    pub note: PlacementNote,
    /// Every claim.
    pub map: RegionMap,
}

/// Page tables below the kernel: 16 KiB, with LPAE 20 KiB.
const PAGE_TABLES: u32 = 0x5000;
/// Behind the zImage: its bss, stack and heap of 64 KiB, rounded up.
const DECOMPRESSOR_WORK: u32 = 256 << 10;
/// Granularity of the address rounding in the decompressor.
const MASK_UNIT: u32 = 128 << 20;
/// What the kernel rounds the tree's memory up to, and its sections.
const SECTION_PAIR: u32 = 2 << 20;
/// Memory that the kernel maps directly with the usual 3:1 split. Tree and
/// RAM disk must lie in it.
const LOW_MEMORY: u32 = 760 << 20;
const TREE_SPARE: u32 = 64 << 10;
const MAX_TREE: u32 = 1 << 20;

/// Where the kernel goes, given how it thinks.
struct Base {
    /// Address of the unpacked kernel.
    kernel: u32,
    memory_start: u32,
    /// Where the zImage may be so that this comes true.
    window: (u32, u32),
    note: PlacementNote,
}

fn base(placement: Placement, dram_end: u32) -> Result<Base, MemoryError> {
    let second = DRAM_BASE + MASK_UNIT;
    let in_first = (KERNEL_MEMORY_START, second.min(dram_end));
    let clear = |text_offset: u32| text_offset >= (KERNEL_MEMORY_START - DRAM_BASE) + PAGE_TABLES;
    let normal = |text_offset: u32| Base {
        kernel: DRAM_BASE.saturating_add(text_offset),
        memory_start: DRAM_BASE,
        window: in_first,
        note: PlacementNote::None,
    };
    let moved = |text_offset: u32, note| Base {
        kernel: second.saturating_add(text_offset),
        memory_start: second,
        window: (second, (second + MASK_UNIT).min(dram_end)),
        note,
    };
    Ok(match placement {
        Placement::Masked { text_offset } | Placement::ObeysTree { text_offset }
            if clear(text_offset) =>
        {
            normal(text_offset)
        }
        Placement::Masked { text_offset } => {
            moved(text_offset, PlacementNote::LowMemoryLost { start: second })
        }
        Placement::ObeysTree { text_offset } => {
            let start = DRAM_BASE + SECTION_PAIR;
            Base {
                kernel: start.saturating_add(text_offset),
                memory_start: start,
                window: in_first,
                note: PlacementNote::FirstMibsWithheld,
            }
        }
        Placement::Fixed { address } => fixed(address, dram_end)?,
        Placement::Unknown => moved(0x8000, PlacementNote::Unrecognised { start: second }),
    })
}

fn fixed(address: u32, dram_end: u32) -> Result<Base, MemoryError> {
    if address < KERNEL_MEMORY_START + 0x4000 || address >= dram_end {
        return Err(MemoryError::KernelPlace { address });
    }
    Ok(Base {
        kernel: address,
        memory_start: (address & !(SECTION_PAIR - 1)).max(KERNEL_MEMORY_START),
        window: (KERNEL_MEMORY_START, dram_end),
        note: PlacementNote::None,
    })
}

/// Makes the plan, or says what does not fit.
pub fn plan_device_tree(
    dram: &Dram,
    needs: &DeviceTreeNeeds<'_>,
) -> Result<DeviceTreePlan, MemoryError> {
    let dram_end = dram.end();
    let base = base(needs.placement, dram_end)?;
    let mut map = RegionMap::around(needs.in_use)?;
    let kernel = kernel_region(&base, needs.kernel, dram)?;
    map.claim(kernel)?;

    let low_end = base.memory_start.saturating_add(LOW_MEMORY).min(dram_end);
    let zimage_window = Region::between(
        "",
        base.window.0.max(kernel.end()),
        base.window.1.min(low_end),
    );
    let zimage_len = load_len("zImage", needs.zimage_len)?;
    let with_work = zimage_len.saturating_add(DECOMPRESSOR_WORK);
    let zimage = map.allocate("zImage", with_work, LOAD_ALIGN, zimage_window)?;

    // Tree and RAM disk above, so that no step of unpacking can reach them.
    let above = Region::between("", zimage.end(), low_end);
    let tree = map.allocate("device tree", tree_room(needs.tree_len)?, TREE_SPARE, above)?;
    let ramdisk = match needs.ramdisk_len {
        0 => None,
        len => Some(map.allocate("ramdisk", load_len("ramdisk", len)?, LOAD_ALIGN, above)?),
    };
    Ok(DeviceTreePlan {
        zimage,
        kernel,
        tree,
        ramdisk,
        memory_start: base.memory_start,
        note: base.note,
        map,
    })
}

fn kernel_region(base: &Base, size: KernelSize, dram: &Dram) -> Result<Region, MemoryError> {
    let start = base
        .kernel
        .saturating_sub(PAGE_TABLES)
        .max(KERNEL_MEMORY_START);
    let end = base
        .kernel
        .checked_add(size.total())
        .and_then(|end| align_up(end, LOAD_ALIGN));
    match end {
        Some(end) if end <= dram.end() => Ok(Region::between("unpacked kernel", start, end)),
        _ => Err(MemoryError::Small {
            wanted: "unpacked kernel",
            needed: end.map_or(u32::MAX, |end| end - DRAM_BASE),
            available: dram.total(),
        }),
    }
}

fn tree_room(len: u32) -> Result<u32, MemoryError> {
    if len > MAX_TREE {
        return Err(MemoryError::Tree { bytes: len });
    }
    Ok(align_up(len, LOAD_ALIGN)
        .unwrap_or(MAX_TREE)
        .saturating_add(TREE_SPARE)
        .min(MAX_TREE))
}
