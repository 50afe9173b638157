//! Garbage where a phone has garbage: software that relies on zeros in memory
//! that somebody else used must break here and not in a workshop.
//!
//! Source: facts/soc.md 3.1 (buffers), facts/storage-and-images.md 1.3.

use crate::bus::Memory;
use crate::machine::{Host, map};

/// A word that is no address, no instruction of use and no magic.
pub const GARBAGE: u32 = 0xA5C3_5A96;

/// The first MiB of DRAM, where the preloader's buffers and the image lie.
const FIRST_MIB: u32 = 0x10_0000;
/// Uninitialised data of the preloader: PMT buffer and more.
const PMT_BUFFER: u32 = 0x81D0_0000;
const PMT_BUFFER_LEN: u32 = 0x2_0000;
/// Where a download agent would be.
const AGENTS: [u32; 2] = [0x801E_0000, 0x81E0_0000];
const AGENT_LEN: u32 = 0x1_0000;
/// What the boot ROM and preloader used of the small SRAM.
const SRAM_USED: u32 = 0x4000;

const CHUNK: usize = 0x1_0000;

/// Fills `len` bytes from `base` with words that differ from each other.
pub fn fill(memory: &mut (impl Memory + ?Sized), base: u32, len: u32) {
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut seed = GARBAGE ^ base;
    let mut addr = base;
    let mut left = len as usize;
    while left > 0 {
        let bytes = left.min(CHUNK);
        chunk.clear();
        while chunk.len() < bytes {
            // Marsaglia's xorshift: cheap, never 0.
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            chunk.extend_from_slice(&seed.to_le_bytes());
        }
        memory.write(addr, &chunk[..bytes]);
        addr = addr.wrapping_add(bytes as u32);
        left -= bytes;
    }
}

/// Fills all that the preloader has used by the time it loads the image.
pub fn fill_buffers(host: &mut dyn Host) {
    fill(host, map::SRAM, SRAM_USED);
    fill(host, map::L2_SRAM, map::L2_SRAM_LEN);
    fill(host, map::DRAM, FIRST_MIB);
    fill(host, PMT_BUFFER, PMT_BUFFER_LEN);
    for agent in AGENTS {
        fill(host, agent, AGENT_LEN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestMemory;

    #[test]
    fn filled_memory_holds_no_zero_word_and_stops_at_its_end() {
        let mut memory = TestMemory::default();
        fill(&mut memory, 0x8000_0000, 0x1_0010);
        assert_eq!(memory.0.len(), 0x1_0010);
        assert!(memory.0.chunks(4).all(|word| word != [0; 4]));
        assert_ne!(memory.0[..4], memory.0[4..8]);
    }
}
