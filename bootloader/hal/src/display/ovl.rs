//! OVL: reads pictures from memory and lays them over each other.
//!
//! Layer 0 is the lowest of four. The memory addresses are physical: the M4U
//! is off and stays off (facts/display.md 1.4).
//!
//! Source: facts/display.md 2.1 and 2.5.

use super::{DisplayError, Picture};
use crate::reg::{Update, Write, assert_offsets};
use arbitrary_int::u4;
use bitbybit::bitfield;
use volatile_register::RW;

/// Pictures that lie over each other.
pub const LAYERS: u8 = 4;

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    _status: u32,
    int_enable: RW<u32>,
    /// Write 0 to clear.
    int_status: RW<u32>,
    enable: RW<u32>,
    _reserved0: [u32; 4],
    /// Height and width of the whole.
    roi_size: RW<u32>,
    datapath: RW<u32>,
    background: RW<u32>,
    /// A bit a layer.
    layers_on: RW<u32>,
    layers: [Layer; LAYERS as usize],
    _reserved1: [u32; 4],
    fetch: [Fetch; LAYERS as usize],
}

/// What a layer shows.
#[repr(C)]
struct Layer {
    control: RW<u32>,
    source_key: RW<u32>,
    size: RW<u32>,
    /// Where its top left corner lies.
    offset: RW<u32>,
    address: RW<u32>,
    /// Bytes from line to line.
    pitch: RW<u32>,
    _reserved: [u32; 2],
}

/// How a layer is read from memory.
#[repr(C)]
struct Fetch {
    control: RW<u32>,
    _reserved: [u32; 7],
}

assert_offsets!(RegisterBlock {
    enable: 0x0c,
    roi_size: 0x20,
    layers_on: 0x2c,
    layers: 0x30,
    fetch: 0xc0,
});
assert_offsets!(Layer {
    address: 0x10,
    pitch: 0x14,
});

/// Ln_CON. No alpha, no flips, no key, from memory.
#[bitfield(u32, default = 0)]
struct LayerControl {
    #[bits(12..=15, w)]
    format: u4,
}

/// INTEN: what the vendor's loader has.
const INTERRUPTS: u32 = 0xf;
/// Sides of the largest picture.
const MAX_SIDE: u16 = 1920;

/// Pixels in memory, least significant byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 16 bits, red on top.
    Rgb565,
    /// 32 bits, the upper byte of no meaning.
    Xrgb8888,
}

impl Format {
    /// Ln_CON's code.
    const fn code(self) -> u4 {
        match self {
            Self::Rgb565 => u4::new(1),
            Self::Xrgb8888 => u4::new(4),
        }
    }

    /// Bytes a pixel.
    pub const fn bytes(self) -> u32 {
        match self {
            Self::Rgb565 => 2,
            Self::Xrgb8888 => 4,
        }
    }
}

/// The overlay engine.
pub(super) struct Ovl {
    regs: &'static RegisterBlock,
}

impl Ovl {
    pub(super) const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Sets the size of the whole, black and without layers.
    pub(super) fn configure(&mut self, width: u16, height: u16) -> Result<(), DisplayError> {
        if !fits(width) || !fits(height) {
            return Err(DisplayError::Size);
        }
        let regs = self.regs;
        regs.int_status.put(0);
        regs.datapath.put(0);
        regs.roi_size.put(size(width, height));
        regs.background.put(0);
        regs.layers_on.put(0);
        Ok(())
    }

    /// Shows a picture in a layer's top left corner.
    pub(super) fn show(&mut self, layer: u8, picture: &Picture) -> Result<(), DisplayError> {
        let index = usize::from(layer);
        let (Some(registers), Some(fetch)) =
            (self.regs.layers.get(index), self.regs.fetch.get(index))
        else {
            return Err(DisplayError::Layer);
        };
        let line = u32::from(picture.width) * picture.format.bytes();
        if !fits(picture.width) || !fits(picture.height) || line > u32::from(picture.pitch) {
            return Err(DisplayError::Size);
        }
        fetch.control.put(1);
        let control = LayerControl::DEFAULT.with_format(picture.format.code());
        registers.control.put(control.raw_value());
        registers.size.put(size(picture.width, picture.height));
        registers.offset.put(0);
        registers.address.put(picture.address);
        registers.pitch.put(u32::from(picture.pitch));
        registers.source_key.put(0);
        self.regs.layers_on.update(|layers| layers | 1 << layer);
        Ok(())
    }

    /// Changes where a layer's picture lies, in bytes.
    pub(super) fn set_address(&mut self, layer: u8, address: u32) {
        if let Some(registers) = self.regs.layers.get(usize::from(layer)) {
            registers.address.put(address);
        }
    }

    pub(super) fn start(&mut self) {
        self.regs.int_enable.put(INTERRUPTS);
        self.regs.enable.put(1);
    }

    pub(super) fn stop(&mut self) {
        self.regs.int_enable.put(0);
        self.regs.enable.put(0);
    }
}

fn fits(side: u16) -> bool {
    (1..=MAX_SIDE).contains(&side)
}

fn size(width: u16, height: u16) -> u32 {
    u32::from(height) << 16 | u32::from(width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::leaked;

    const PICTURE: Picture = Picture {
        address: 0x9fa0_0000,
        width: 480,
        height: 854,
        pitch: 960,
        format: Format::Rgb565,
    };

    #[test]
    fn a_picture_is_a_layer() {
        let regs: &RegisterBlock = leaked();
        regs.layers_on.put(0b1000);
        regs.layers[2].source_key.put(0xff00_0000);
        let mut ovl = Ovl::new(regs);
        assert_eq!(ovl.configure(480, 854), Ok(()));
        assert_eq!(regs.layers_on.read(), 0, "what was shown before is gone");
        assert_eq!(ovl.show(2, &PICTURE), Ok(()));
        ovl.start();
        assert_eq!(regs.roi_size.read(), 0x0356_01e0);
        let layer = &regs.layers[2];
        assert_eq!(layer.control.read(), 0x1000);
        assert_eq!(layer.size.read(), 0x0356_01e0);
        assert_eq!(layer.address.read(), 0x9fa0_0000);
        assert_eq!((layer.pitch.read(), layer.source_key.read()), (960, 0));
        assert_eq!(regs.fetch[2].control.read(), 1);
        assert_eq!(regs.layers_on.read(), 0b100);
        assert_eq!((regs.enable.read(), regs.int_enable.read()), (1, 0xf));
        ovl.set_address(2, 0x9fb0_0000);
        assert_eq!(layer.address.read(), 0x9fb0_0000);
        ovl.stop();
        assert_eq!((regs.enable.read(), regs.int_enable.read()), (0, 0));
    }

    #[test]
    fn sizes_are_checked() {
        let mut ovl = Ovl::new(leaked());
        assert_eq!(ovl.configure(0, 10), Err(DisplayError::Size));
        assert_eq!(ovl.configure(480, 1921), Err(DisplayError::Size));
        assert_eq!(ovl.show(4, &PICTURE), Err(DisplayError::Layer));
        let narrow = Picture {
            pitch: 958,
            ..PICTURE
        };
        assert_eq!(ovl.show(0, &narrow), Err(DisplayError::Size));
        let wide = Picture {
            format: Format::Xrgb8888,
            pitch: 1920,
            ..PICTURE
        };
        assert_eq!(ovl.show(0, &wide), Ok(()));
        assert_eq!(ovl.regs.layers[0].control.read(), 0x4000);
    }
}
