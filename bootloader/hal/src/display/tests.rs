//! The path as a whole, on blocks of memory.

use super::*;
use crate::reg::leaked;
use crate::time::{TICKS_PER_SECOND, delay};

const PICTURE: Picture = Picture {
    address: 0xbfd0_0000,
    width: 240,
    height: 320,
    pitch: 512,
    format: Format::Rgb565,
};

fn blocks() -> Registers {
    Registers {
        larb: leaked(),
        mutex: leaked(),
        ovl: leaked(),
        rdma: leaked(),
        color: leaked(),
        bls: leaked(),
    }
}

/// What a block holds at an offset.
fn word<T>(block: &T, offset: usize) -> u32 {
    assert!(offset + 4 <= core::mem::size_of::<T>());
    let base = core::ptr::from_ref(block).cast::<u32>();
    // SAFETY: inside the leaked block, which holds integers only.
    unsafe { base.add(offset / 4).read_volatile() }
}

#[test]
fn the_values_of_the_facts() {
    let regs = blocks();
    let Registers {
        mutex,
        ovl,
        rdma,
        color,
        bls,
        ..
    } = regs;
    mutex::animate(mutex, true);
    let routing: &crate::mmsys::RegisterBlock = leaked();
    let mut path = Path::new(regs);
    let mut mmsys = Mmsys::new(routing);
    assert_eq!(
        path.bring_up(&mut mmsys, Source::DsiVideo, &PICTURE),
        Ok(())
    );
    assert_eq!([0x20, 0x2c, 0x30].map(|at| word(mutex, at)), [1, 0x688, 1]);
    assert_eq!(word(mutex, 0x24), 0, "released");
    assert_eq!(word(routing, 0x30), 1);
    let layer = [0x70, 0x74, 0x78, 0x7c, 0x80, 0x84].map(|at| word(ovl, at));
    let size = 0x0140_00f0;
    assert_eq!(layer, [0x1000, 0, size, 0, 0xbfd0_0000, 512]);
    assert_eq!([0x0c, 0x20, 0x2c].map(|at| word(ovl, at)), [1, size, 4]);
    assert_eq!(word(ovl, 0x100), 1, "its fetch is on");
    assert_eq!([0x10, 0x14, 0x18].map(|at| word(rdma, at)), [1, 240, 320]);
    assert_eq!(word(color, 0x400), 0x2000_00bf);
    assert_eq!([0x00, 0x18].map(|at| word(bls, at)), [1 << 16, size]);
    path.stop();
    assert_eq!(word(mutex, 0x20), 0);
    assert_eq!((word(ovl, 0x0c), word(rdma, 0x10)), (0, 0));
}

#[test]
fn a_flip_waits_for_its_frame() {
    let regs = blocks();
    let (mutex, ovl) = (regs.mutex, regs.ovl);
    mutex::animate(mutex, true);
    let mut path = Path::new(regs);
    assert_eq!(path.flip(0xbfd4_0000), Ok(()));
    assert_eq!(word(ovl, 0x80), 0xbfd4_0000);
    assert!(path.flipped());
}

#[test]
fn without_frames_a_flip_is_given_up() {
    let regs = blocks();
    mutex::animate(regs.mutex, false);
    let mut path = Path::new(regs);
    let before = ticks();
    assert_eq!(path.flip(0), Err(DisplayError::Commit));
    let spent = ticks().wrapping_sub(before) / (TICKS_PER_SECOND / 1000);
    assert!((100..150).contains(&spent), "{spent} ms");
}

#[test]
fn an_old_change_does_not_count_as_this_one() {
    let regs = blocks();
    let frames = mutex::animate(regs.mutex, true);
    let mut path = Path::new(regs);
    path.flip(0x8000_0000).unwrap();
    assert!(path.flipped());
    frames.set(false);
    path.start_flip(0x8010_0000).unwrap();
    assert!(!path.flipped());
}

#[test]
fn a_mutex_that_is_not_granted_stops_the_bring_up() {
    let regs = blocks();
    let ovl = regs.ovl;
    let mut path = Path::new(regs);
    let result = path.bring_up(&mut Mmsys::new(leaked()), Source::Single, &PICTURE);
    assert_eq!(result, Err(DisplayError::Lock));
    assert_eq!(word(ovl, 0x0c), 0);
}

#[test]
fn a_picture_that_does_not_fit_leaves_the_mutex_free() {
    let regs = blocks();
    let mutex = regs.mutex;
    mutex::animate(mutex, true);
    let mut path = Path::new(regs);
    let flat = Picture {
        height: 0,
        ..PICTURE
    };
    let result = path.bring_up(&mut Mmsys::new(leaked()), Source::Single, &flat);
    assert_eq!(result, Err(DisplayError::Size));
    assert_eq!(word(mutex, 0x24), 0);
    assert_eq!(path.show(4, &PICTURE), Err(DisplayError::Layer));
    assert_eq!(word(mutex, 0x24), 0);
}

#[test]
fn frames_are_timed_from_start_to_start() {
    let regs = blocks();
    // A frame start at each 5000th look at the clock, of 1 us each.
    rdma::animate(regs.rdma, 5000);
    let mut path = Path::new(regs);
    // One began long before anybody looked.
    delay(Micros(6000));
    let time = path.frame_time().unwrap();
    assert!((4000..=5100).contains(&time.0), "{time:?}");
}

#[test]
fn no_frames_have_no_time() {
    let mut path = Path::new(blocks());
    assert_eq!(path.frame_time(), None);
}

#[test]
fn opening_reaches_gates_and_larb() {
    let regs = blocks();
    let larb = regs.larb;
    // The domain is on already: both status words say so.
    let domains: &crate::spm::RegisterBlock = leaked();
    let status = core::ptr::from_ref(domains).cast::<u32>().cast_mut();
    // SAFETY: inside the leaked block, which only this thread uses.
    unsafe {
        status.add(0x60c / 4).write_volatile(1 << 3);
        status.add(0x610 / 4).write_volatile(1 << 3);
    }
    let mmsys: &crate::mmsys::RegisterBlock = leaked();
    let opened = Path::new(regs).open(
        &mut Spm::new(domains),
        &mut Infracfg::new(leaked()),
        &mut Mmsys::new(mmsys),
    );
    assert_eq!(opened, Ok(()));
    assert_eq!(word(larb, 0x64), 0xfffff);
    assert_eq!(
        (word(mmsys, 0x108), word(mmsys, 0x118)),
        (0x0020_81f0, 0x13)
    );
    let dead = Path::new(blocks()).open(
        &mut Spm::new(leaked()),
        &mut Infracfg::new(leaked()),
        &mut Mmsys::new(leaked()),
    );
    assert_eq!(dead, Err(SpmError::Switch));
}
