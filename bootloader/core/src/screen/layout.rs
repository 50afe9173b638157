//! Where the framebuffer lies: the vendor's formula.
//!
//! The vendor's kernels compute the same place again from the panel that
//! `lcm=` names and take its memory from the end of DRAM, so a picture there
//! is in nobody's way and stays on until their own display driver takes over.
//! Mainline is told of it as reserved memory.
//!
//! Source: facts/display.md 1.7, facts/soc.md 3.5, facts/storage-and-images.md
//! 6.3. With these parts of the formula all four devices that are known come
//! out right, see the tests.

use crate::bootarg::{DRAM_BASE, Dram};
use crate::kernel::Generation;
use crate::memory::{FRAMEBUFFER_RESERVE, Region};

const MIB: u32 = 1 << 20;
/// Lines are padded to so many pixels.
const ALIGN: u32 = 32;
/// Bytes of our pixels: RGB565.
const PIXEL: u32 = 2;
/// The vendor's kernel keeps three pages of 32-bit pixels.
const KERNEL_PIXEL: u32 = 4;
const KERNEL_PAGES: u32 = 3;
/// Panels in video mode get so many frames of 24-bit pixels to work in.
const WORK_FRAMES: u32 = 2;
/// 4.4 kernels can put the layers together in memory first: three frames.
const DECOUPLE_FRAMES: u32 = 3;
const WORK_PIXEL: u32 = 3;
/// The layer on which a kernel that stops shows why: a frame of 16-bit pixels
/// and a page.
const ASSERT_EXTRA: u32 = 4096;
/// Pages of the vendor's loader from the base on, counted in frames: picture
/// A, console, scratch, picture B. The kernel expects A to be shown.
const PAGES: [u32; 2] = [0, 3];
/// What the overlay can fetch at most, in either direction.
const MAX_SIDE: u32 = 1920;

error_enum! {
    /// Why there is no framebuffer.
    pub enum LayoutError {
        /// A side is zero or more than the display path can fetch.
        Panel { /** Pixels. */ width: u32, /** Pixels. */ height: u32 }
            => "FB-PANEL", "a panel of {width} x {height} pixels cannot be driven: correct its entry in the table";
        /// It would take too large a part of the memory.
        Memory { /** Bytes. */ needed: u32, /** Bytes of DRAM. */ dram: u32 }
            => "FB-MEMORY", "the picture needs {needed:#x} bytes of {dram:#x}: correct the panel's entry in the table";
    }
}

/// The framebuffer's place and division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FramebufferLayout {
    /// First byte, a multiple of 1 MiB.
    pub base: u32,
    /// Bytes up to the end of DRAM: what ` VIDEOLFB` tells and what is
    /// reserved.
    pub vram_bytes: u32,
    /// Bytes of one page: padded lines, their number padded as well.
    pub page_bytes: u32,
    /// The two pages to draw on in turn. The first is the one to leave shown.
    pub pages: [u32; 2],
    /// Bytes from one line to the next.
    pub pitch_bytes: u32,
    /// Visible pixels.
    pub width: u16,
    /// Visible lines.
    pub height: u16,
}

impl FramebufferLayout {
    /// The vendor's place for a panel of this size. `video`: the panel gets a
    /// stream and has no memory of its own. Without a known `generation` the
    /// smaller of the two areas: it lies inside of the larger.
    pub fn vendor(
        dram: &Dram,
        (width, height): (u16, u16),
        video: bool,
        generation: Option<Generation>,
    ) -> Result<Self, LayoutError> {
        let (shown_width, shown_height) = (width, height);
        let (width, height) = (u32::from(width), u32::from(height));
        if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
            return Err(LayoutError::Panel { width, height });
        }
        // At most 1920 x 1920 x (12 + 6 + 2 + 9): far from wrapping.
        let padded = width.next_multiple_of(ALIGN) * height.next_multiple_of(ALIGN);
        let frame = width * height;
        let mut bytes = padded * KERNEL_PIXEL * KERNEL_PAGES + frame * PIXEL + ASSERT_EXTRA;
        if video {
            bytes += frame * WORK_PIXEL * WORK_FRAMES;
        }
        if generation == Some(Generation::KitKat) {
            bytes += frame * WORK_PIXEL * DECOUPLE_FRAMES;
        }
        let vram_bytes = bytes.next_multiple_of(MIB);
        let total = dram.total();
        // A quarter is far more than any phone gives.
        if vram_bytes > total / 4 {
            return Err(LayoutError::Memory {
                needed: vram_bytes,
                dram: total,
            });
        }
        let base = DRAM_BASE + (total - vram_bytes);
        let page_bytes = padded * PIXEL;
        Ok(Self {
            base,
            vram_bytes,
            page_bytes,
            pages: PAGES.map(|frames| base + frames * page_bytes),
            pitch_bytes: width.next_multiple_of(ALIGN) * PIXEL,
            width: shown_width,
            height: shown_height,
        })
    }

    /// What a plan of memory must leave alone: the framebuffer, or where it is
    /// smaller what the vendor's kernels reserve for an unknown panel.
    pub fn claim(&self, dram: &Dram) -> Region {
        let kept = dram.end().saturating_sub(FRAMEBUFFER_RESERVE);
        Region::between("framebuffer", self.base.min(kept), dram.end())
    }

    /// Pixels from one line to the next.
    pub const fn pitch(&self) -> u16 {
        (self.pitch_bytes / PIXEL) as u16
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(mib: u32, size: (u16, u16), video: bool, generation: Generation) -> FramebufferLayout {
        let dram = Dram::new(&[mib << 20]).unwrap();
        FramebufferLayout::vendor(&dram, size, video, Some(generation)).unwrap()
    }

    #[test]
    fn the_devices_that_are_known_come_out_right() {
        // Z1, Lenovo A369i, Prestigio PAP5500, JTY D101.
        let z1 = at(1024, (240, 320), true, Generation::KitKat);
        assert_eq!((z1.base, z1.vram_bytes), (0xBFD0_0000, 3 << 20));
        assert_eq!(z1.pitch_bytes, 512);
        let a369i = at(512, (480, 800), false, Generation::JellyBean);
        assert_eq!((a369i.base, a369i.vram_bytes), (0x9FA0_0000, 6 << 20));
        assert_eq!(a369i.pages, [0x9FA0_0000, 0x9FA0_0000 + 3 * 768_000]);
        let pap5500 = at(512, (480, 854), true, Generation::JellyBean);
        assert_eq!((pap5500.base, pap5500.vram_bytes), (0x9F80_0000, 8 << 20));
        assert_eq!(pap5500.page_bytes, 480 * 864 * 2);
        let d101 = at(1024, (1024, 600), true, Generation::JellyBean);
        assert_eq!((d101.base, d101.vram_bytes), (0xBF40_0000, 12 << 20));
    }

    #[test]
    fn both_pages_lie_in_the_area_whatever_the_size() {
        let dram = Dram::smallest();
        for width in (1..=1920).step_by(61) {
            for height in (1..=1920).step_by(67) {
                let layout = FramebufferLayout::vendor(&dram, (width, height), false, None);
                let layout = layout.unwrap();
                let end = layout.pages[1] + layout.page_bytes;
                assert!(end <= layout.base + layout.vram_bytes, "{layout:?}");
                assert_eq!(layout.base + layout.vram_bytes, dram.end());
                assert!(layout.pages[0] + layout.page_bytes <= layout.pages[1]);
                assert!(layout.pitch_bytes >= u32::from(width) * 2);
                assert!(layout.claim(&dram).base <= layout.base);
            }
        }
    }

    #[test]
    fn impossible_panels_and_phones_are_refused() {
        use crate::error::Code as _;
        let tiny = Dram::new(&[32 << 20]).unwrap();
        let refused = |dram: &Dram, size| {
            FramebufferLayout::vendor(dram, size, true, None)
                .unwrap_err()
                .code()
        };
        for size in [(0, 800), (480, 0), (1921, 10), (65_535, 65_535)] {
            assert_eq!(refused(&Dram::smallest(), size), "FB-PANEL");
        }
        assert_eq!(refused(&tiny, (1024, 600)), "FB-MEMORY");
    }
}
