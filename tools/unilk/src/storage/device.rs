//! A [`Source`] as the block device that the bootloader's own table code reads.

use crate::source::Source;
use std::io;
use unilk_core::address::{Physical, SECTOR_BYTES};
use unilk_core::block::{BlockDevice, Geometry};

/// Whole sectors of a source; a half one at its end does not count.
pub struct Sectors<S>(pub S);

impl<S: Source> BlockDevice for Sectors<S> {
    type Error = io::Error;

    fn geometry(&self) -> Geometry {
        Geometry::emmc(self.0.len() / SECTOR_BYTES)
    }

    fn read(&mut self, first: Physical, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(first.bytes(), out)
    }
}
