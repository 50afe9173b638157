//! The blocks of the path together, programmed as stock loaders do it.
//! Source: facts/display.md 1.6, 2.1 to 2.5, 9.1.

#![allow(clippy::unwrap_used)]

use super::{Composition, FRAME, Picture, Sink, compose};
use crate::bus::{Block, Nanos, TEST_MEMORY_BASE as BASE, TestWorld};
use crate::models::{
    disp_bls::DispBls, disp_color::DispColor, disp_mutex::DispMutex, disp_ovl::DispOvl,
    disp_rdma::DispRdma, mmsys::Mmsys,
};

const MMSYS: u32 = 0x1400_0000;
const OVL: u32 = 0x1400_7000;
const RDMA: u32 = 0x1400_8000;
const BLS: u32 = 0x1400_A000;
const COLOR: u32 = 0x1400_B000;
const MUTEX: u32 = 0x1400_E000;

const WIDTH: u32 = 4;
const HEIGHT: u32 = 2;
/// Layer 2's pages: red and blue.
const PAGES: [u32; 2] = [BASE, BASE + 0x1000];
const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// The blocks in the order of the map, as the machine asks them.
struct Bench {
    world: TestWorld,
    blocks: [(u32, Box<dyn Block>); 6],
}

impl Bench {
    fn new() -> Bench {
        let mut world = TestWorld::default();
        world.memory.0 = vec![0; 0x2000];
        for pixel in world.memory.0[..0x1000].chunks_exact_mut(2) {
            pixel.copy_from_slice(&[0x00, 0xf8]);
        }
        for pixel in world.memory.0[0x1000..].chunks_exact_mut(2) {
            pixel.copy_from_slice(&[0x1f, 0x00]);
        }
        Bench {
            world,
            blocks: [
                (MMSYS, Box::new(Mmsys::new())),
                (OVL, Box::new(DispOvl::new())),
                (RDMA, Box::new(DispRdma::new())),
                (BLS, Box::new(DispBls::new())),
                (COLOR, Box::new(DispColor::new())),
                (MUTEX, Box::new(DispMutex::new())),
            ],
        }
    }

    fn block(&mut self, addr: u32) -> usize {
        let page = addr & !0xfff;
        self.blocks
            .iter()
            .position(|&(base, _)| base == page)
            .unwrap()
    }

    fn write(&mut self, addr: u32, value: u32) {
        let index = self.block(addr);
        self.world
            .write(self.blocks[index].1.as_mut(), addr & 0xfff, value);
        self.notify();
    }

    fn writes(&mut self, base: u32, list: &[(u32, u32)]) {
        for &(offset, value) in list {
            self.write(base + offset, value);
        }
    }

    fn read(&mut self, addr: u32) -> u32 {
        let index = self.block(addr);
        self.world.read(self.blocks[index].1.as_mut(), addr & 0xfff)
    }

    fn notify(&mut self) {
        for (_, block) in &mut self.blocks {
            if block.watches_wires() {
                block.wires_changed(&mut self.world.cx());
            }
        }
    }

    fn advance(&mut self, to: Nanos) {
        loop {
            let due = |block: &dyn Block| block.deadline().filter(|&at| at <= to);
            let Some(at) = self
                .blocks
                .iter()
                .filter_map(|(_, block)| due(&**block))
                .min()
            else {
                break;
            };
            self.world.now = self.world.now.max(at);
            for index in 0..self.blocks.len() {
                let block = self.blocks[index].1.as_mut();
                if block.deadline().is_some_and(|due| due <= at) {
                    block.tick(&mut self.world.cx());
                    self.notify();
                }
            }
        }
        self.world.now = to;
    }

    /// Everything from the mutex to BLS, in the order of a stock loader.
    fn configure(&mut self, sof: u32) {
        self.writes(MMSYS, &[(0x108, 0xf), (0x108, 0x0020_81F0)]);
        self.writes(MUTEX, &[(0x20, 1), (0x24, 1)]);
        assert_eq!(self.read(MUTEX + 0x24) & 2, 2);
        self.writes(MUTEX, &[(0x28, 1), (0x28, 0), (0x2c, 0x688), (0x30, sof)]);
        self.writes(MUTEX, &[(0x04, 1), (0x00, 1), (0x20, 1)]);
        self.writes(
            MMSYS,
            &[(0x30, 1), (0x4c, 0), (0x50, 0), (0x54, 0), (0x58, 0)],
        );
        let size = HEIGHT << 16 | WIDTH;
        self.writes(OVL, &[(0x04, 0), (0x0c, 0), (0x20, size), (0x28, 0)]);
        self.writes(OVL, &[(0x100, 1), (0x70, 0x1000), (0x78, size), (0x7c, 0)]);
        self.writes(OVL, &[(0x80, PAGES[0]), (0x84, WIDTH * 2), (0x74, 0)]);
        self.writes(OVL, &[(0x2c, 1 << 2), (0x04, 0xf), (0x0c, 1)]);
        let duty = self.read(BLS + 0xa0);
        self.writes(
            BLS,
            &[(0x18, size), (0xa0, duty), (0xa8, 0), (0x00, 0x1_0000)],
        );
        self.writes(
            COLOR,
            &[
                (0xf50, WIDTH),
                (0xf54, HEIGHT),
                (0x400, 0x2000_00BF),
                (0xf00, 1),
            ],
        );
        self.writes(RDMA, &[(0x10, 0), (0x10, 0x10)]);
        assert_ne!(self.read(RDMA + 0x10) & 0x700, 0x100);
        self.write(RDMA + 0x10, 0);
        assert_eq!(self.read(RDMA + 0x10) & 0x700, 0x100);
        self.writes(RDMA, &[(0x38, 0x20), (0x40, 0x8100_0040)]);
        self.writes(RDMA, &[(0x14, WIDTH), (0x18, HEIGHT), (0x10, 1)]);
        self.write(MUTEX + 0x24, 0);
        assert_eq!(self.read(MUTEX + 0x24) & 2, 0);
    }

    fn lock(&mut self) {
        self.writes(MUTEX, &[(0x20, 1), (0x24, 1)]);
        assert_eq!(self.read(MUTEX + 0x24) & 2, 2);
    }

    fn composition(&mut self) -> Composition {
        compose(
            &self.world.signals.display,
            Sink::Dsi,
            &mut self.world.memory,
        )
    }

    /// The colour that fills the picture.
    fn color(&mut self) -> Option<[u8; 3]> {
        let Composition { picture, problems } = self.composition();
        let Picture { width, height, rgb } = picture?;
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!((width as u32, height as u32), (WIDTH, HEIGHT));
        let first: [u8; 3] = rgb[..3].try_into().unwrap();
        assert!(rgb.chunks_exact(3).all(|pixel| pixel == first));
        Some(first)
    }
}

#[test]
fn video_shows_a_new_page_from_the_frame_after_the_release() {
    let mut bench = Bench::new();
    bench.configure(1);
    bench.advance(1_000);
    bench.world.signals.video_since = Some(1_000);
    bench.notify();
    bench.advance(2_000);
    assert_eq!(bench.color(), Some(RED));
    assert_eq!(bench.read(RDMA + 0x04) & 2, 2, "the frame has started");

    bench.lock();
    bench.write(OVL + 0x80, PAGES[1]);
    assert_eq!(bench.color(), Some(RED));
    bench.write(MUTEX + 0x24, 0);
    assert_eq!(bench.color(), Some(RED));
    assert_eq!(bench.read(MUTEX + 0x04) & 1, 0);
    bench.advance(1_000 + FRAME - 1);
    assert_eq!(bench.color(), Some(RED));
    bench.advance(1_000 + FRAME);
    assert_eq!(bench.color(), Some(BLUE));
    assert_eq!(bench.read(MUTEX + 0x04) & 1, 1);
    assert!(bench.world.irq.get(92));
    assert!(bench.world.reports.is_empty(), "{:?}", bench.world.reports);
}

#[test]
fn command_mode_takes_a_new_page_at_the_release() {
    let mut bench = Bench::new();
    bench.configure(0);
    bench.lock();
    bench.write(OVL + 0x80, PAGES[1]);
    assert_eq!(bench.color(), Some(RED));
    bench.write(MUTEX + 0x24, 0);
    assert_eq!(bench.color(), Some(BLUE));
    bench.world.signals.display.single_frame_at = Some(0);
    bench.notify();
    bench.advance(FRAME);
    assert_eq!(bench.color(), Some(BLUE));
    assert_eq!(bench.read(RDMA + 0x04) & 6, 6);
    assert_eq!(bench.read(OVL + 0x08) & 2, 2);
    assert!(bench.world.reports.is_empty(), "{:?}", bench.world.reports);
}

#[test]
fn what_was_released_before_video_ran_is_taken_by_its_first_frame() {
    let mut bench = Bench::new();
    bench.configure(1);
    bench.lock();
    bench.write(OVL + 0x80, PAGES[1]);
    bench.write(MUTEX + 0x24, 0);
    bench.advance(5 * FRAME);
    assert_eq!(bench.color(), Some(RED));
    bench.world.signals.video_since = Some(5 * FRAME);
    bench.notify();
    bench.advance(5 * FRAME);
    assert_eq!(bench.color(), Some(BLUE));
}

#[test]
fn a_mutex_that_waits_for_the_other_source_shows_nothing() {
    let mut bench = Bench::new();
    bench.configure(0);
    bench.world.signals.video_since = Some(0);
    bench.notify();
    let composition = bench.composition();
    assert_eq!(composition.picture, None);
    assert!(composition.problems[0].contains("SOF 0"));
}

#[test]
fn memory_mode_needs_no_overlay() {
    let mut bench = Bench::new();
    bench.configure(1);
    bench.lock();
    bench.write(MUTEX + 0x2c, 0x680);
    bench.write(OVL + 0x0c, 0);
    bench.writes(RDMA, &[(0x24, 4 << 4), (0x28, PAGES[1]), (0x2c, WIDTH * 2)]);
    bench.write(RDMA + 0x10, 3);
    bench.write(MUTEX + 0x24, 0);
    bench.world.signals.video_since = Some(0);
    bench.notify();
    bench.advance(FRAME);
    assert_eq!(bench.color(), Some(BLUE));
    assert!(bench.world.reports.is_empty(), "{:?}", bench.world.reports);
}

#[test]
fn the_clock_of_a_module_stops_the_picture() {
    let mut bench = Bench::new();
    bench.configure(1);
    assert_eq!(bench.color(), Some(RED));
    bench.write(MMSYS + 0x104, 1 << 4);
    assert!(bench.composition().problems[0].contains("COLOR"));
}
