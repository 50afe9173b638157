//! Where everything goes for the vendor's 3.4 kernel: at the addresses that
//! it was built for, checked against what the phone has.
//!
//! The zImage is linked to unpack over itself, so it first copies itself
//! behind the kernel: the window from 0x80108000 to the RAM disk must hold
//! both. Source: facts/storage-and-images.md 5.3, 6.3, facts/soc.md 3.5.

use super::{
    FRAMEBUFFER_RESERVE, KERNEL_MEMORY_START, MODEM_RESERVE, MemoryError, Region, RegionMap,
    load_len,
};
use crate::bootarg::{DRAM_BASE, Dram};
use crate::zimage::KernelSize;

/// Where the tags are expected (r2).
pub const TAGS_ADDRESS: u32 = 0x8010_0100;
/// Room for tags: up to the page tables that the decompressor builds 16 KiB
/// below the kernel.
pub const TAGS_LEN: u32 = VENDOR_KERNEL_ADDRESS - 0x4000 - TAGS_ADDRESS;
/// Load address, entry and place of the unpacked kernel.
pub const VENDOR_KERNEL_ADDRESS: u32 = 0x8010_8000;
/// Load address of the RAM disk.
pub const VENDOR_RAMDISK_ADDRESS: u32 = 0x8410_0000;

/// The decompressor's bss, stack and heap behind its copy.
const DECOMPRESSOR_WORK: u32 = 256 << 10;
/// The kernel puts the modem's memory on a multiple of this.
const MODEM_ALIGN: u32 = 32 << 20;

/// What has to find room.
#[derive(Debug, Clone, Copy)]
pub struct VendorNeeds<'a> {
    /// Bytes of the zImage.
    pub zimage_len: u32,
    /// Size of the kernel in it (an estimate: 3.4 does not say).
    pub kernel: KernelSize,
    /// Bytes of the RAM disk; 0 for none.
    pub ramdisk_len: u32,
    /// Memory in use that must stay.
    pub in_use: &'a [Region],
}

/// The places.
#[derive(Debug, Clone)]
pub struct VendorPlan {
    /// Where to load the zImage, and its entry point.
    pub zimage: Region,
    /// Where to write the tags.
    pub tags: Region,
    /// Where to load the RAM disk.
    pub ramdisk: Option<Region>,
    /// Every claim.
    pub map: RegionMap,
}

/// Makes the plan, or says what does not fit.
pub fn plan_vendor(dram: &Dram, needs: &VendorNeeds<'_>) -> Result<VendorPlan, MemoryError> {
    let mut map = RegionMap::around(needs.in_use)?;
    let tags = Region {
        name: "ATAGs",
        base: TAGS_ADDRESS,
        len: TAGS_LEN,
    };
    map.claim(tags)?;

    let zimage = Region {
        name: "zImage",
        base: VENDOR_KERNEL_ADDRESS,
        len: load_len("zImage", needs.zimage_len)?,
    };
    let unpacked = needs
        .kernel
        .total()
        .saturating_add(zimage.len)
        .saturating_add(DECOMPRESSOR_WORK);
    let window = VENDOR_RAMDISK_ADDRESS - VENDOR_KERNEL_ADDRESS;
    // An estimate must not stop a kernel that may well fit; its zImage alone
    // tells enough then.
    let certain = if needs.kernel.exact {
        unpacked
    } else {
        zimage.len.saturating_mul(2)
    };
    if certain > window {
        return Err(MemoryError::Full {
            wanted: "kernel",
            needed: certain,
            available: window,
        });
    }
    // No more than the window, so the sum does not wrap.
    let kernel_end = VENDOR_KERNEL_ADDRESS + certain;
    if kernel_end > dram.end() {
        return Err(MemoryError::Small {
            wanted: "kernel",
            needed: kernel_end - DRAM_BASE,
            available: dram.total(),
        });
    }
    let page_tables = VENDOR_KERNEL_ADDRESS - 0x4000;
    map.claim(Region::between(
        "kernel",
        page_tables,
        VENDOR_KERNEL_ADDRESS.saturating_add(unpacked.min(window)),
    ))?;

    let limit = modem_base(dram);
    let ramdisk = match needs.ramdisk_len {
        0 => None,
        bytes => {
            let len = load_len("ramdisk", bytes)?;
            let end = VENDOR_RAMDISK_ADDRESS.saturating_add(len);
            if end > limit {
                let reserved = dram.end() - limit;
                let needed = (end - DRAM_BASE).saturating_add(reserved);
                return Err(MemoryError::Small {
                    wanted: "ramdisk",
                    needed,
                    available: dram.total(),
                });
            }
            let region = Region {
                name: "ramdisk",
                base: VENDOR_RAMDISK_ADDRESS,
                len,
            };
            map.claim(region)?;
            Some(region)
        }
    };
    Ok(VendorPlan {
        zimage,
        tags,
        ramdisk,
        map,
    })
}

/// Lowest address that the vendor's kernel gives to framebuffer and modem.
fn modem_base(dram: &Dram) -> u32 {
    let top = dram
        .end()
        .saturating_sub(FRAMEBUFFER_RESERVE)
        .saturating_sub(MODEM_RESERVE);
    (top & !(MODEM_ALIGN - 1)).max(KERNEL_MEMORY_START)
}
