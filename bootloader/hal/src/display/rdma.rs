//! RDMA: the buffer behind OVL; it also tells where a frame begins.
//!
//! Source: facts/display.md 2.2.

use crate::reg::{Update, Write, assert_offsets};
use volatile_register::RW;

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    _int_enable: u32,
    /// Write 0 to clear.
    int_status: RW<u32>,
    _reserved0: [u32; 2],
    global: RW<u32>,
    width: RW<u32>,
    height: RW<u32>,
    _reserved1: [u32; 2],
    mem_con: RW<u32>,
    mem_start: RW<u32>,
    mem_pitch: RW<u32>,
    _reserved2: [u32; 2],
    gmc_setting1: RW<u32>,
    _reserved3: u32,
    fifo: RW<u32>,
}

assert_offsets!(RegisterBlock {
    global: 0x10,
    mem_con: 0x24,
    gmc_setting1: 0x38,
    fifo: 0x40,
});

const FRAME_START: u32 = 1 << 1;
// GLOBAL_CON. Bit 1 clear: fed by OVL.
const ENABLE: u32 = 1 << 0;
const SOFT_RESET: u32 = 1 << 4;
/// As the vendor's loader has them: underflows are noted, 256 entries, ask
/// for more below 64.
const FIFO: u32 = 0x8100_0040;
const GMC_SETTING1: u32 = 0x20;

/// The display's read DMA.
pub(super) struct Rdma {
    regs: &'static RegisterBlock,
}

impl Rdma {
    pub(super) const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Resets it and sets it up behind OVL. The caller has checked the size.
    pub(super) fn configure(&mut self, width: u16, height: u16) {
        let regs = self.regs;
        self.stop();
        regs.global.update(|value| value | SOFT_RESET);
        regs.global.update(|value| value & !SOFT_RESET);
        regs.int_status.put(0);
        regs.global.put(0);
        regs.mem_con.put(0);
        regs.mem_start.put(0);
        regs.mem_pitch.put(0);
        regs.gmc_setting1.put(GMC_SETTING1);
        regs.fifo.put(FIFO);
        regs.width.put(u32::from(width));
        regs.height.put(u32::from(height));
    }

    pub(super) fn start(&mut self) {
        self.regs.global.update(|value| value | ENABLE);
    }

    pub(super) fn stop(&mut self) {
        self.regs.global.update(|value| value & !ENABLE);
    }

    /// Whether a frame has begun since this was last asked.
    pub(super) fn take_frame_start(&mut self) -> bool {
        let began = self.regs.int_status.read() & FRAME_START != 0;
        if began {
            self.regs.int_status.put(!FRAME_START);
        }
        began
    }
}

/// A frame begins at each of so many looks at the clock and register writes.
#[cfg(test)]
pub(super) fn animate(regs: &'static RegisterBlock, looks: u32) {
    let (mut look, mut latched) = (0, 0);
    crate::time::clock::each_tick(move || {
        // Writing ones leaves a bit as it is, zeroes clear it.
        latched &= regs.int_status.read();
        look += 1;
        if look % looks == 0 {
            latched |= FRAME_START;
        }
        regs.int_status.put(latched);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::leaked;

    #[test]
    fn set_up_behind_ovl() {
        let regs: &RegisterBlock = leaked();
        // Somebody had it read from memory.
        regs.global.put(0x3);
        regs.mem_con.put(0x40);
        let mut rdma = Rdma::new(regs);
        rdma.configure(480, 800);
        assert_eq!(regs.global.read(), 0);
        rdma.start();
        assert_eq!(regs.global.read(), 1);
        assert_eq!((regs.width.read(), regs.height.read()), (480, 800));
        assert_eq!(regs.mem_con.read(), 0);
        assert_eq!(regs.fifo.read(), 0x8100_0040);
        assert_eq!(regs.gmc_setting1.read(), 0x20);
        rdma.stop();
        assert_eq!(regs.global.read(), 0);
    }

    #[test]
    fn a_frame_start_is_taken_once() {
        let regs: &RegisterBlock = leaked();
        let mut rdma = Rdma::new(regs);
        regs.int_status.put(0b110);
        assert!(rdma.take_frame_start());
        assert_eq!(regs.int_status.read(), !FRAME_START);
        assert!(!rdma.take_frame_start());
    }
}
