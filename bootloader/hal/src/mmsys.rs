//! MMSYS_CONFIG: clock gates of display, MDP and camera. Only reachable with
//! the display power domain on.
//!
//! Source: facts/soc.md 9.2, 9.3 and 9.6.

use crate::reg::{Write, assert_offsets};
use volatile_register::{RO, WO};

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    _reserved: [u32; 0x40],
    gates: [GateGroup; 2],
}

/// Gates of one group: a set bit stops the clock.
#[repr(C)]
struct GateGroup {
    status: RO<u32>,
    set: WO<u32>,
    clear: WO<u32>,
    _reserved: u32,
}

assert_offsets!(RegisterBlock { gates: 0x100 });

/// SMI common, SMI LARB0, command queue and its SMI interface: what every
/// client needs, and what the vendor's kernel expects to find running.
const SMI_AND_CMDQ: u32 = 0xf;

/// MMSYS clock gates.
pub struct Mmsys {
    regs: &'static RegisterBlock,
}

impl Mmsys {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Lets the memory interface and the command queue run.
    pub fn open_memory_interface(&mut self) {
        self.regs.gates[0].clear.put(SMI_AND_CMDQ);
    }

    /// Both groups' gates, a set bit meaning stopped.
    pub fn stopped(&self) -> [u32; 2] {
        [
            self.regs.gates[0].status.read(),
            self.regs.gates[1].status.read(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::{leaked, peek};

    #[test]
    fn the_memory_interface_is_four_gates() {
        let regs: &RegisterBlock = leaked();
        Mmsys::new(regs).open_memory_interface();
        assert_eq!(peek(&regs.gates[0].clear), 0xf);
        assert_eq!(core::mem::size_of::<GateGroup>(), 0x10);
        assert_eq!(Mmsys::new(regs).stopped(), [0, 0]);
    }
}
