//! What the decisions of a boot need from storage: sectors, and where they
//! come from. eMMC implements it today; the geometry carries what a NAND
//! driver must tell, so that it needs no other trait. Source:
//! facts/storage-and-images.md 4.1, 9.

use crate::address::{Physical, SECTOR_BYTES};

/// Shape of the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Geometry {
    /// Sectors of 512 bytes that can be addressed (user area, or NAND behind
    /// its bad-block mapping).
    pub sectors: u64,
    /// Smallest unit of a write: 512 on eMMC, 2048 or 4096 on NAND.
    pub page_bytes: u32,
    /// Smallest unit of an erase; 0 where writing needs none.
    pub erase_bytes: u32,
    /// Spare bytes a page; 0 on eMMC.
    pub spare_bytes: u32,
    /// Whether sector numbers pass through a bad-block map.
    pub bad_blocks: BadBlocks,
}

/// How bad blocks are dealt with below the sector numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum BadBlocks {
    /// By the medium itself (eMMC).
    Internal,
    /// By MediaTek's map (BMT) in the last `pool_blocks` erase blocks.
    Mapped {
        /// Erase blocks set aside as replacements.
        pool_blocks: u32,
    },
}

impl Geometry {
    /// An eMMC user area.
    pub const fn emmc(sectors: u64) -> Self {
        Self {
            sectors,
            page_bytes: 512,
            erase_bytes: 0,
            spare_bytes: 0,
            bad_blocks: BadBlocks::Internal,
        }
    }
}

/// A medium that sectors can be read from.
pub trait BlockDevice {
    /// The driver's error; it names the block.
    type Error;

    /// Shape of the medium.
    fn geometry(&self) -> Geometry;

    /// Fills `out`, whose length is a multiple of 512, from block `first` on.
    fn read(&mut self, first: Physical, out: &mut [u8]) -> Result<(), Self::Error>;
}

/// Bytes at offsets, for parsers that hop through an image without holding
/// it: a partition, a file, or memory.
pub trait ReadAt {
    /// The source's error.
    type Error;

    /// Fills `out` from byte `offset` on.
    fn read_at(&mut self, offset: u32, out: &mut [u8]) -> Result<(), Self::Error>;
}

/// Reading behind the end of a slice in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PastEnd;

impl ReadAt for &[u8] {
    type Error = PastEnd;

    fn read_at(&mut self, offset: u32, out: &mut [u8]) -> Result<(), PastEnd> {
        let start = offset as usize;
        let end = start.checked_add(out.len()).ok_or(PastEnd)?;
        out.copy_from_slice(self.get(start..end).ok_or(PastEnd)?);
        Ok(())
    }
}

/// One partition of a device, read by byte offset through a sector buffer.
pub struct Window<'a, D> {
    device: &'a mut D,
    first: Physical,
    sectors: u64,
}

impl<'a, D: BlockDevice> Window<'a, D> {
    /// `sectors` of `device` from `first` on.
    pub fn new(device: &'a mut D, first: Physical, sectors: u64) -> Self {
        Self {
            device,
            first,
            sectors,
        }
    }
}

/// Reading through a [`Window`] failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WindowError<E> {
    /// The offset lies behind the partition's end.
    PastEnd,
    /// The medium's own error.
    Device(E),
}

impl<D: BlockDevice> ReadAt for Window<'_, D> {
    type Error = WindowError<D::Error>;

    fn read_at(&mut self, offset: u32, out: &mut [u8]) -> Result<(), Self::Error> {
        let end = u64::from(offset) + out.len() as u64;
        if end > self.sectors.saturating_mul(SECTOR_BYTES) {
            return Err(WindowError::PastEnd);
        }
        let mut sector = u64::from(offset) / SECTOR_BYTES;
        let mut skip = (u64::from(offset) % SECTOR_BYTES) as usize;
        let mut rest = out;
        while !rest.is_empty() {
            // Whole sectors go straight to the caller in one request.
            let whole = rest.len() / SECTOR_BYTES as usize;
            if skip == 0 && whole > 0 {
                let (body, tail) = rest.split_at_mut(whole * SECTOR_BYTES as usize);
                self.device
                    .read(self.first.offset(sector), body)
                    .map_err(WindowError::Device)?;
                sector += whole as u64;
                rest = tail;
                continue;
            }
            let mut buffer = [0; SECTOR_BYTES as usize];
            self.device
                .read(self.first.offset(sector), &mut buffer)
                .map_err(WindowError::Device)?;
            let part = rest.len().min(buffer.len() - skip);
            let (head, tail) = rest.split_at_mut(part);
            head.copy_from_slice(&buffer[skip..skip + part]);
            sector += 1;
            skip = 0;
            rest = tail;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::vec::Vec;

    /// A card in memory; blocks in `bad` fail.
    pub struct FakeCard {
        pub data: Vec<u8>,
        pub bad: Vec<u64>,
        pub reads: usize,
    }

    impl FakeCard {
        pub fn new(bytes: usize) -> Self {
            Self {
                data: std::vec![0; bytes],
                bad: Vec::new(),
                reads: 0,
            }
        }

        pub fn put(&mut self, at: usize, bytes: &[u8]) {
            self.data[at..at + bytes.len()].copy_from_slice(bytes);
        }
    }

    impl BlockDevice for FakeCard {
        type Error = u64;

        fn geometry(&self) -> Geometry {
            Geometry::emmc(self.data.len() as u64 / 512)
        }

        fn read(&mut self, first: Physical, out: &mut [u8]) -> Result<(), u64> {
            assert_eq!(out.len() % 512, 0);
            self.reads += 1;
            let sectors = first.sector()..first.sector() + out.len() as u64 / 512;
            if let Some(&bad) = self.bad.iter().find(|bad| sectors.contains(bad)) {
                return Err(bad);
            }
            let at = first.bytes() as usize;
            out.copy_from_slice(self.data.get(at..at + out.len()).ok_or(u64::MAX)?);
            Ok(())
        }
    }

    #[test]
    fn window_reads_any_offset_and_stops_at_its_end() {
        let mut card = FakeCard::new(16 * 512);
        for (index, byte) in card.data.iter_mut().enumerate() {
            *byte = (index / 7) as u8;
        }
        let expected = card.data[2 * 512 + 100..2 * 512 + 1700].to_vec();
        let mut window = Window::new(&mut card, Physical::from_sector(2), 4);
        let mut out = [0; 1600];
        window.read_at(100, &mut out).unwrap();
        assert_eq!(out[..], expected[..]);
        assert_eq!(
            window.read_at(2040, &mut out[..9]),
            Err(WindowError::PastEnd)
        );
        assert_eq!(
            window.read_at(u32::MAX, &mut out),
            Err(WindowError::PastEnd)
        );
        assert_eq!(card.reads, 3, "head, whole sectors at once, tail");
    }

    #[test]
    fn a_bad_block_is_named() {
        let mut card = FakeCard::new(16 * 512);
        card.bad.push(5);
        let mut window = Window::new(&mut card, Physical::from_sector(4), 4);
        assert_eq!(
            window.read_at(0, &mut [0; 1024]),
            Err(WindowError::Device(5))
        );
    }
}
