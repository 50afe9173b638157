//! Which chip this is: the ID block and the e-fuses.
//!
//! The three parts sold as MT6572, A, W and M differ in fused speed bins
//! only. The order of the ID words is this chip's own (hardware version
//! first), not that of its siblings.
//!
//! Source: facts/soc.md 2.1 and 2.2.

use crate::clocks::{Gate, Topckgen};
use crate::reg::assert_offsets;
use arbitrary_int::{u2, u4};
use bitbybit::bitfield;
use volatile_register::RO;

/// Registers of the ID block.
#[repr(C)]
pub struct IdBlock {
    hw_version: RO<u32>,
    sw_version: RO<u32>,
    hw_code: RO<u32>,
    hw_subcode: RO<u32>,
}

assert_offsets!(IdBlock {
    hw_code: 0x08,
    hw_subcode: 0x0c,
});

/// Registers of the e-fuse block: only those in `DEVINFO_OFFSETS` are
/// known to exist.
#[repr(C)]
pub struct EfuseBlock {
    words: [RO<u32>; 0x188 / 4],
}

/// How many words the vendor's kernels get in the DEVINFO tag.
pub const DEVINFO_WORDS: usize = 26;

/// Index of the hardware code, the one word that is no fuse.
const HW_CODE_INDEX: usize = 20;

/// Offsets of the device information words, in the order of the vendor's
/// `get_devinfo_with_index`. Entry 20 is not read from here.
const DEVINFO_OFFSETS: [u16; DEVINFO_WORDS] = [
    0x020, 0x030, 0x038, 0x040, 0x044, 0x048, 0x060, 0x100, 0x104, 0x108, 0x120, 0x130, 0x140,
    0x144, 0x170, 0x174, 0x178, 0x17c, 0x180, 0x184, 0, 0x10c, 0x110, 0x114, 0x118, 0x11c,
];

/// Which of the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Variant {
    /// The chip does not say MT6572.
    Unknown,
    /// MT6572W: CPU up to 1.3 GHz.
    W,
    /// MT6572A: CPU up to 1.2 GHz.
    A,
    /// MT6572M: CPU up to 1.0 GHz.
    M,
}

impl Variant {
    /// Name for people and for the kernel.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::W => "MT6572W",
            Self::A => "MT6572A",
            Self::M => "MT6572M",
        }
    }

    /// The highest CPU clock that the part is sold for, in MHz.
    pub const fn cpu_mhz(self) -> u16 {
        match self {
            Self::W => 1300,
            Self::A => 1209,
            Self::M | Self::Unknown => 1001,
        }
    }
}

/// Device information word 3.
#[bitfield(u32)]
struct CpuFuses {
    #[bits(24..=27, r)]
    core_code: u4,
}

/// Device information word 16.
#[bitfield(u32)]
struct GpuFuses {
    /// 416 MHz instead of 500.5.
    #[bit(27, r)]
    slow: bool,
}

/// Device information word 18.
#[bitfield(u32)]
struct SpeedFuses {
    #[bits(8..=9, r)]
    cpu_bin: u2,
}

/// The device information words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DevInfo(pub [u32; DEVINFO_WORDS]);

impl DevInfo {
    /// The chip's unique number, the two words in the order of their
    /// addresses. Zero on chips without one.
    pub const fn unique_id(&self) -> [u32; 2] {
        [self.0[12], self.0[13]]
    }

    /// The part, from the CPU's speed bin.
    pub fn variant(&self) -> Variant {
        if self.0[HW_CODE_INDEX] & 0xffff != u32::from(HW_CODE) {
            return Variant::Unknown;
        }
        match SpeedFuses::new_with_raw_value(self.0[18]).cpu_bin().value() {
            3 => Variant::M,
            2 => Variant::A,
            _ => Variant::W,
        }
    }

    /// The raw core count code; all known values mean two cores.
    pub fn core_code(&self) -> u8 {
        CpuFuses::new_with_raw_value(self.0[3]).core_code().value()
    }

    /// The GPU is good for 416 MHz only.
    pub fn gpu_is_slow(&self) -> bool {
        GpuFuses::new_with_raw_value(self.0[16]).slow()
    }
}

/// What the ID block says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChipId {
    /// 0xCA00 and up: E1, 0xCB00: E2.
    pub hw_version: u16,
    /// 0: first software interface, 1: second.
    pub sw_version: u16,
    /// 0x6572.
    pub hw_code: u16,
    /// Differs between siblings; its value on this chip is not known.
    pub hw_subcode: u16,
}

/// The hardware code of an MT6572.
pub const HW_CODE: u16 = 0x6572;

/// Chip ID and e-fuses.
pub struct Chip {
    id: &'static IdBlock,
    efuse: &'static EfuseBlock,
}

impl Chip {
    /// The driver of the two blocks.
    pub const fn new(id: &'static IdBlock, efuse: &'static EfuseBlock) -> Self {
        Self { id, efuse }
    }

    /// Reads the ID block.
    pub fn id(&self) -> ChipId {
        ChipId {
            hw_version: self.id.hw_version.read() as u16,
            sw_version: self.id.sw_version.read() as u16,
            hw_code: self.id.hw_code.read() as u16,
            hw_subcode: self.id.hw_subcode.read() as u16,
        }
    }

    /// Reads the device information words. The fuses' clock gate is opened
    /// for it and left as it was found: with it closed they read stale.
    pub fn devinfo(&self, clocks: &mut Topckgen) -> DevInfo {
        let was_open = clocks.is_open(Gate::Efuse);
        if !was_open {
            clocks.open(Gate::Efuse);
        }
        let mut words = [0; DEVINFO_WORDS];
        for (index, (word, offset)) in words.iter_mut().zip(DEVINFO_OFFSETS).enumerate() {
            *word = if index == HW_CODE_INDEX {
                self.id.hw_code.read()
            } else {
                self.efuse.words[usize::from(offset) / 4].read()
            };
        }
        if !was_open {
            clocks.close(Gate::Efuse);
        }
        DevInfo(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clocks::topckgen;
    use crate::reg::{leaked, poke};
    use crate::time::clock;

    fn chip() -> (&'static IdBlock, &'static EfuseBlock) {
        let id: &IdBlock = leaked();
        poke(&id.hw_version, 0xcb01);
        poke(&id.sw_version, 1);
        poke(&id.hw_code, 0x6572);
        let efuse: &EfuseBlock = leaked();
        for (index, word) in efuse.words.iter().enumerate() {
            poke(word, index as u32 * 4);
        }
        (id, efuse)
    }

    #[test]
    fn id_words_are_in_this_chips_order() {
        let (id, efuse) = chip();
        let read = Chip::new(id, efuse).id();
        assert_eq!(read.hw_version, 0xcb01);
        assert_eq!(read.sw_version, 1);
        assert_eq!(read.hw_code, HW_CODE);
    }

    #[test]
    fn devinfo_has_the_vendors_order() {
        let (id, efuse) = chip();
        let info = Chip::new(id, efuse).devinfo(&mut Topckgen::new(leaked()));
        assert_eq!(info.0[0], 0x020);
        assert_eq!(info.0[7], 0x100);
        assert_eq!(info.unique_id(), [0x140, 0x144]);
        assert_eq!(info.0[19], 0x184);
        assert_eq!(info.0[20], 0x6572);
        assert_eq!(info.0[25], 0x11c);
    }

    #[test]
    fn the_fuses_gate_is_opened_and_closed_again() {
        let (id, efuse) = chip();
        let gates = leaked();
        topckgen::animate(gates);
        // Fuses read only while their clock runs.
        clock::each_tick(move || {
            let open = Topckgen::new(gates).is_open(Gate::Efuse);
            poke(&efuse.words[0x140 / 4], if open { 0x1234 } else { 0 });
        });
        let mut clocks = Topckgen::new(gates);
        clocks.close(Gate::Efuse);
        let info = Chip::new(id, efuse).devinfo(&mut clocks);
        assert_eq!(info.unique_id()[0], 0x1234);
        assert!(!clocks.is_open(Gate::Efuse));
        clocks.open(Gate::Efuse);
        Chip::new(id, efuse).devinfo(&mut clocks);
        assert!(clocks.is_open(Gate::Efuse));
    }

    #[test]
    fn speed_bins_name_the_part() {
        let mut info = DevInfo([0; DEVINFO_WORDS]);
        assert_eq!(info.variant(), Variant::Unknown);
        info.0[20] = 0x6572;
        for (bin, variant) in [
            (0, Variant::W),
            (1, Variant::W),
            (2, Variant::A),
            (3, Variant::M),
        ] {
            info.0[18] = bin << 8;
            assert_eq!(info.variant(), variant);
        }
        info.0[16] = 1 << 27;
        assert!(info.gpu_is_slow());
    }
}
