//! The block device, as the boot flow sees any storage.
//!
//! eMMC is the only one today. NAND phones exist on paper, and on them reading
//! needs to know pages, erase blocks, spare bytes and which blocks are bad, so
//! that this is part of the interface from the start and eMMC merely answers
//! "managed inside".
//!
//! Source: facts/storage-and-images.md 4.1 and 9.3 to 9.6.

use crate::dma::DmaRegion;

/// Who deals with blocks that have gone bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadBlocks {
    /// The device itself; every block that it shows is good.
    Managed,
    /// A remapping pool at the end of the device, which is not counted in
    /// [`Geometry::pages`].
    Remapped {
        /// Erase blocks in the pool.
        pool_blocks: u32,
    },
}

/// Shape of a block device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes of a page: the unit of reading and writing, and of addresses.
    pub page_bytes: u32,
    /// Pages that can be addressed.
    pub pages: u32,
    /// Pages that are erased together; 1 where writing needs no erase.
    pub erase_pages: u32,
    /// Spare bytes a page beside the data; 0 for eMMC.
    pub spare_bytes: u32,
    /// Who deals with bad blocks.
    pub bad_blocks: BadBlocks,
}

impl Geometry {
    /// Bytes that can be addressed.
    pub const fn bytes(&self) -> u64 {
        self.pages as u64 * self.page_bytes as u64
    }
}

/// A transfer that did not start; the memory comes back.
#[derive(Debug)]
pub struct Rejected<E> {
    /// Why.
    pub error: E,
    /// The memory as it was given.
    pub region: DmaRegion,
}

/// Storage in pages.
pub trait BlockDevice {
    /// What can go wrong.
    type Error;

    /// Shape of what is addressed now.
    fn geometry(&self) -> Geometry;

    /// Reads whole pages by CPU: for tables and headers.
    fn read(&mut self, page: u32, data: &mut [u8]) -> Result<(), Self::Error>;

    /// Writes whole pages and waits until they are stored. Verifying by
    /// reading back is the caller's part.
    fn write(&mut self, page: u32, data: &[u8]) -> Result<(), Self::Error>;

    /// Writes the whole of `region` by DMA, otherwise as [`Self::write`].
    fn write_region(&mut self, page: u32, region: &mut DmaRegion) -> Result<(), Self::Error>;

    /// Starts filling `region` from `page` on by DMA and returns at once. The
    /// region's length must be a multiple of the page.
    fn start_read(&mut self, page: u32, region: DmaRegion) -> Result<(), Rejected<Self::Error>>;

    /// Whether the transfer has ended, well or not. Asking also keeps a long
    /// transfer going that the hardware does in several parts.
    fn is_done(&mut self) -> bool;

    /// Waits for the end of the transfer and gives the memory back.
    fn finish(&mut self) -> (DmaRegion, Result<(), Self::Error>);

    /// Fills `region` from `page` on and waits for it.
    fn read_region(&mut self, page: u32, region: &mut DmaRegion) -> Result<(), Self::Error> {
        match self.start_read(page, region.take()) {
            Ok(()) => {
                let (back, result) = self.finish();
                *region = back;
                result
            }
            Err(rejected) => {
                *region = rejected.region;
                Err(rejected.error)
            }
        }
    }

    /// Reads the spare bytes of a page into `spare`; returns how many there
    /// are. Devices without spare area have none.
    fn read_spare(&mut self, page: u32, spare: &mut [u8]) -> Result<usize, Self::Error> {
        let _ = (page, spare);
        Ok(0)
    }

    /// The erase block that holds the data of erase block `block`; `None` if
    /// it is bad and has no replacement.
    fn mapped_block(&self, block: u32) -> Option<u32> {
        Some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nand_is_described_without_redesign() {
        // 4 KiB pages with 128 spare bytes, 256 KiB blocks, 512 MiB less the
        // default pool of 80 blocks.
        let geometry = Geometry {
            page_bytes: 4096,
            pages: (2048 - 80) * 64,
            erase_pages: 64,
            spare_bytes: 128,
            bad_blocks: BadBlocks::Remapped { pool_blocks: 80 },
        };
        assert_eq!(geometry.bytes(), (512 - 20) << 20);
    }
}
