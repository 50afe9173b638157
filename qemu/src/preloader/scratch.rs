//! Garbage where a phone has garbage: software that relies on zeros in memory
//! that somebody else used must break here and not in a workshop.
//!
//! Source: facts/soc.md 3.1 (buffers), facts/storage-and-images.md 1.3.

use crate::bus::Memory;
use crate::machine::{Host, map};

/// A word that is no address, no instruction of use and no magic.
pub const GARBAGE: u32 = 0xA5C3_5A96;

/// What the preloader writes to on every boot: start and length. The rest of
/// the DRAM keeps its contents over a reset.
const BUFFERS: [(u32, u32); 3] = [
    // PMT (KK).
    (0x8000_0000, 0x2_0000),
    // Bounce buffer, headers, NAND, security, log, boot argument.
    (0x8008_0000, 0x5_0400),
    // PMT and other uninitialised data.
    (0x81D0_0000, 0x2_0000),
];
/// How much of the DRAM is filled at its two ends when the battery is put in:
/// all that software of this size uses, and little of the host's memory.
const FILLED_LOW: u32 = 96 << 20;
const FILLED_HIGH: u32 = 16 << 20;

const CHUNK: usize = 0x1_0000;

/// Fills `len` bytes from `base` with words that differ from each other.
pub fn fill(memory: &mut (impl Memory + ?Sized), base: u32, len: u32) {
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut seed = GARBAGE ^ base;
    let mut addr = base;
    let mut left = len as usize;
    while chunk.len() < CHUNK {
        // Marsaglia's xorshift: cheap, never 0.
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        chunk.extend_from_slice(&seed.to_le_bytes());
    }
    while left > 0 {
        let bytes = left.min(CHUNK);
        // No two chunks start alike.
        chunk[..4].copy_from_slice(&(addr | 1).to_le_bytes());
        memory.write(addr, &chunk[..bytes]);
        addr = addr.wrapping_add(bytes as u32);
        left -= bytes;
    }
}

/// Fills all that the preloader has used by the time it loads the image.
pub fn fill_buffers(host: &mut dyn Host) {
    fill(host, map::L2_SRAM, map::L2_SRAM_LEN);
    for (base, len) in BUFFERS {
        fill(host, base, len);
    }
}

/// What RAM holds when the battery is put in: nothing in particular.
pub fn fill_at_power_on(host: &mut dyn Host, dram_bytes: u32) {
    fill(host, map::SRAM, map::SRAM_LEN);
    let low = dram_bytes.min(FILLED_LOW);
    let high = (dram_bytes - low).min(FILLED_HIGH);
    fill(host, map::DRAM, low);
    fill(host, map::DRAM + (dram_bytes - high), high);
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
