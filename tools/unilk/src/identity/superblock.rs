//! The superblock of ext2, ext3 and ext4, as far as it tells whether a file
//! system is sound: PROTECT_F and PROTECT_S are such.
//!
//! Source: the kernel's documentation of the ext4 disk layout; which partitions
//! have one: facts/storage-and-images.md 4.6.

use crate::bytes::u32_at;
use crate::source::Source;
use std::io;

/// Byte of the file system at which the superblock begins, and its length.
const OFFSET: u64 = 1024;
const BYTES: usize = 1024;

const BLOCKS_LOW: usize = 0x04;
const LOG_BLOCK_BYTES: usize = 0x18;
const BLOCKS_PER_GROUP: usize = 0x20;
const MAGIC: usize = 0x38;
const STATE: usize = 0x3A;
const INCOMPATIBLE: usize = 0x60;
const BLOCKS_HIGH: usize = 0x150;

const MAGIC_VALUE: u16 = 0xEF53;
const STATE_CLEAN: u16 = 1;
const STATE_ERRORS: u16 = 2;
const NEEDS_RECOVERY: u32 = 0x4;
const HAS_64_BIT: u32 = 0x80;
/// Block sizes go up to 64 KiB.
const LOG_BLOCK_MAX: u32 = 6;

/// What a superblock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// Bytes that the file system takes.
    pub bytes: u64,
    /// Groups of blocks, at most: whether the upper half of the number of blocks
    /// counts without the feature for it, readers do not agree.
    pub groups: u64,
    /// Whether it was unmounted, and nothing waits in its journal.
    pub clean: bool,
    /// Whether the kernel met errors in it.
    pub errors: bool,
}

impl Superblock {
    /// Reads it; `None` if there is none that makes sense.
    ///
    /// # Errors
    /// What the source says.
    pub fn of(source: &dyn Source) -> io::Result<Option<Self>> {
        if source.len() < OFFSET + BYTES as u64 {
            return Ok(None);
        }
        Ok(Self::parse(&source.read_some(OFFSET, BYTES)?))
    }

    /// Reads the 1024 bytes of one.
    pub fn parse(block: &[u8]) -> Option<Self> {
        let block = block.get(..BYTES)?;
        let half = |at: usize| u16::from_le_bytes([block[at], block[at + 1]]);
        if half(MAGIC) != MAGIC_VALUE {
            return None;
        }
        let log = u32_at(block, LOG_BLOCK_BYTES)?;
        let per_group = u64::from(u32_at(block, BLOCKS_PER_GROUP)?);
        if log > LOG_BLOCK_MAX || per_group == 0 {
            return None;
        }
        let features = u32_at(block, INCOMPATIBLE)?;
        let low = u64::from(u32_at(block, BLOCKS_LOW)?);
        let most = u64::from(u32_at(block, BLOCKS_HIGH)?) << 32 | low;
        let blocks = if features & HAS_64_BIT == 0 {
            low
        } else {
            most
        };
        let state = half(STATE);
        Some(Self {
            bytes: blocks.checked_mul(1024 << log)?,
            groups: most.div_ceil(per_group),
            clean: state & STATE_CLEAN != 0 && features & NEEDS_RECOVERY == 0,
            errors: state & STATE_ERRORS != 0,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// As `mkfs.ext4` makes it in a partition of 10 MiB.
    fn block() -> Vec<u8> {
        let mut block = vec![0; BYTES];
        block[BLOCKS_LOW..][..4].copy_from_slice(&10240u32.to_le_bytes());
        block[BLOCKS_PER_GROUP..][..4].copy_from_slice(&8192u32.to_le_bytes());
        block[MAGIC..][..2].copy_from_slice(&MAGIC_VALUE.to_le_bytes());
        block[STATE] = 1;
        block
    }

    #[test]
    fn what_it_says() {
        let expected = Superblock {
            bytes: 10 << 20,
            groups: 2,
            clean: true,
            errors: false,
        };
        assert_eq!(Superblock::parse(&block()), Some(expected));
        let mut large = block();
        large[BLOCKS_HIGH] = 1;
        let large = Superblock::parse(&large).unwrap();
        assert_eq!((large.bytes, large.groups), (10 << 20, (1 << 19) + 2));
        let mut mounted = block();
        mounted[INCOMPATIBLE] = 4;
        assert!(!Superblock::parse(&mounted).unwrap().clean);
        let mut errors = block();
        errors[STATE] = 3;
        assert!(Superblock::parse(&errors).unwrap().errors);
    }

    #[test]
    fn what_makes_no_sense_is_none() {
        for (at, value) in [(MAGIC, 0), (LOG_BLOCK_BYTES, 7), (LOG_BLOCK_BYTES + 3, 1)] {
            let mut block = block();
            block[at] = value;
            assert_eq!(Superblock::parse(&block), None);
        }
        let mut huge = block();
        huge[INCOMPATIBLE] = 0x80;
        huge[BLOCKS_HIGH..][..4].fill(0xFF);
        huge[LOG_BLOCK_BYTES] = 6;
        assert_eq!(Superblock::parse(&huge), None, "beyond 64 bits");
        assert_eq!(Superblock::parse(&[0; 1023]), None);
        assert_eq!(Superblock::of(&vec![0; 100]).unwrap(), None);
    }
}
