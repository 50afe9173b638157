//! The host against a fake of itself with a panel behind it.

use super::registers::*;
use super::*;
use crate::mipitx::PhyOverrides;
use crate::reg::{Write, leaked, poke};
use crate::time::{clock, ticks};
use std::cell::RefCell;
use std::rc::Rc;
use volatile_register::{RO, RW};

/// What the fake did.
#[derive(Default)]
struct Seen {
    /// The words of each queue that was started.
    queues: Vec<Vec<u32>>,
    /// VM_CMD_CON and its data at each start.
    vm: Vec<[u32; 5]>,
    resets: u32,
    /// The panel's answers, each RX_DATA0 to 3; then it is silent.
    answers: Vec<Option<[u32; 4]>>,
    /// The answer is a bare acknowledge.
    only_acknowledge: bool,
    /// Nothing that is started ever ends.
    stuck: bool,
    /// Ends of video are not told.
    never_ends: bool,
}

type Log = Rc<RefCell<Seen>>;

/// A register that reads as one thing and takes writes as another needs the
/// fake to know which of its values the driver wrote.
fn animate(regs: &'static RegisterBlock) -> Log {
    let seen = Log::default();
    let log = Rc::clone(&seen);
    let (mut latched, mut busy, mut reading) = (0_u32, 0_u32, false);
    let (mut start, mut mode, mut reset) = (0, 0, false);
    let mut ticks_left = 0_u32;
    clock::each_tick(move || {
        let mut seen = log.borrow_mut();
        // Write 0 to clear.
        latched &= regs.int_status.read();
        let control = regs.com_ctrl.read() & RESET != 0;
        if control && !reset {
            seen.resets += 1;
            (busy, reading, ticks_left) = (0, false, 0);
        }
        reset = control;
        let edges = regs.start.read() & !start;
        start = regs.start.read();
        if edges & DSI_START != 0 && regs.mode_ctrl.read() == 0 {
            assert_eq!(busy, 0, "started while busy");
            let words = regs.queue_size.read() as usize;
            let queue: Vec<u32> = regs.queue[..words].iter().map(RW::read).collect();
            reading = queue.last().is_some_and(|word| word & 0b111 == 0b100);
            // Frames take their time.
            let pixels = queue.last() == Some(&0x002c_3909);
            (busy, ticks_left) = (BUSY, if pixels { 5000 } else { 5 });
            seen.queues.push(queue);
            regs.rack.put(0);
        }
        if edges & VM_CMD_START != 0 {
            let data = |index: usize| regs.vm_data[index].read();
            seen.vm
                .push([regs.vm_command.read(), data(0), data(1), data(2), data(3)]);
            if !seen.stuck {
                latched |= VM_CMD_DONE;
            }
        }
        if mode != 0 && regs.mode_ctrl.read() == 0 && !seen.never_ends {
            latched |= VM_DONE;
        }
        mode = regs.mode_ctrl.read();
        if busy != 0 && !seen.stuck {
            ticks_left = ticks_left.saturating_sub(1);
            if ticks_left == 0 && !reading {
                busy = 0;
                latched |= CMD_DONE;
            } else if ticks_left == 0 && latched & RD_RDY == 0 {
                if seen.only_acknowledge {
                    poke(&regs.trigger, TRIGGER_ACK);
                    latched |= RD_RDY;
                } else if !seen.answers.is_empty() {
                    if let Some(words) = seen.answers.remove(0) {
                        for (register, word) in regs.rx_data.iter().zip(words) {
                            poke::<u32>(register as &RO<u32>, word);
                        }
                        latched |= RD_RDY;
                    } else {
                        ticks_left = u32::MAX;
                    }
                }
                regs.rack.put(0);
            } else if reading && latched & RD_RDY != 0 && regs.rack.read() & RACK != 0 {
                (busy, reading) = (0, false);
                latched |= CMD_DONE;
            }
        }
        regs.int_status.put(latched | busy);
    });
    seen
}

const LINK: LinkConfig = LinkConfig {
    lanes: 2,
    format: PixelFormat::Rgb888,
    mode: LinkMode::SyncPulse,
    width: 480,
    height: 854,
    vertical: Porches {
        sync: 2,
        back: 18,
        front: 20,
    },
    horizontal: Porches {
        sync: 10,
        back: 60,
        front: 60,
    },
    phy: PhyTiming([1, 2, 3, 4]),
    continuous_clock: true,
};

fn host(link: &LinkConfig) -> (Dsi, &'static RegisterBlock, Log) {
    let regs: &RegisterBlock = leaked();
    let seen = animate(regs);
    let mut dsi = Dsi::new(regs);
    dsi.configure(link).unwrap();
    seen.borrow_mut().resets = 0;
    (dsi, regs, seen)
}

fn answering(answers: &[Option<[u32; 4]>]) -> (Dsi, &'static RegisterBlock, Log) {
    let (dsi, regs, seen) = host(&LINK);
    seen.borrow_mut().answers = answers.to_vec();
    (dsi, regs, seen)
}

#[test]
fn the_worked_example_is_set_up() {
    let (_, regs, _) = host(&LINK);
    assert_eq!(regs.txrx_ctrl.read(), 0x0c);
    assert_eq!(regs.ps_ctrl.read(), 0x0003_05a0);
    let lines = [0, 1, 2, 3].map(|at: usize| regs.vertical[at].read());
    assert_eq!(lines, [2, 18, 20, 854]);
    let bytes = [0, 1, 2].map(|at: usize| regs.horizontal[at].read());
    assert_eq!(bytes, [20, 170, 168]);
    assert_eq!(regs.com_ctrl.read(), DSI_EN);
    assert_eq!((regs.mode_ctrl.read(), regs.clock_lane.read()), (0, 0));
    assert_eq!(regs.mem_conti.read(), 0x3c);
    assert_eq!(regs.clock_drop.read(), 1 << 16);
    assert_eq!(regs.vm_command.read(), 0x21);
    assert_eq!(
        [0, 1, 2, 3].map(|at: usize| regs.timing[at].read()),
        [1, 2, 3, 4]
    );
}

#[test]
fn other_links() {
    let (_, regs, _) = host(&LinkConfig {
        lanes: 1,
        mode: LinkMode::Command,
        format: PixelFormat::Rgb666Packed,
        continuous_clock: false,
        ..LINK
    });
    assert_eq!(regs.txrx_ctrl.read(), 0x0001_0004);
    assert_eq!(regs.ps_ctrl.read(), 0x0002_05a0);
    assert_eq!((regs.vm_command.read(), regs.horizontal[0].read()), (0, 0));
    let (_, regs, _) = host(&LinkConfig {
        lanes: 3,
        mode: LinkMode::SyncEvent,
        format: PixelFormat::Rgb565,
        ..LINK
    });
    assert_eq!(regs.txrx_ctrl.read(), 0x1c);
    assert_eq!(regs.ps_ctrl.read(), 960);
    assert_eq!(regs.horizontal[1].read(), 70 * 2 - 10);
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let tall = Porches {
        front: 128,
        ..LINK.vertical
    };
    let wide = Porches {
        back: 1370,
        ..LINK.horizontal
    };
    for link in [
        LinkConfig { lanes: 0, ..LINK },
        LinkConfig { lanes: 4, ..LINK },
        LinkConfig { width: 0, ..LINK },
        LinkConfig {
            width: 5462,
            ..LINK
        },
        LinkConfig {
            height: 4096,
            ..LINK
        },
        LinkConfig {
            vertical: tall,
            ..LINK
        },
        LinkConfig {
            horizontal: wide,
            ..LINK
        },
    ] {
        let regs: &RegisterBlock = leaked();
        assert_eq!(Dsi::new(regs).configure(&link), Err(DsiError::Link));
        assert_eq!(regs.com_ctrl.read(), 0, "nothing was written");
    }
}

#[test]
fn packets_are_the_words_of_the_facts() {
    let (mut dsi, _, seen) = host(&LINK);
    dsi.write(0x05, &[0x11]).unwrap();
    dsi.write(0x15, &[0x35, 0]).unwrap();
    dsi.write(0x13, &[0xb0]).unwrap();
    dsi.write(0x39, &[0xf0, 0x55, 0xaa, 0x52, 0x08, 0x01])
        .unwrap();
    dsi.write(0x29, &[0x01]).unwrap();
    assert_eq!(
        seen.borrow().queues,
        [
            vec![0x0011_0500],
            vec![0x0035_1500],
            vec![0x00b0_1300],
            vec![0x0006_3902, 0x52aa_55f0, 0x0000_0108],
            vec![0x0001_2902, 1],
        ]
    );
    assert_eq!(seen.borrow().resets, 0);
}

#[test]
fn packets_wait_together_until_the_queue_is_full() {
    let (mut dsi, _, seen) = host(&LINK);
    for register in 0..30 {
        dsi.queue(0x15, &[register, 1]).unwrap();
    }
    assert!(seen.borrow().queues.is_empty());
    // Three words do not fit behind thirty.
    dsi.queue(0x39, &[0; 5]).unwrap();
    assert_eq!(seen.borrow().queues.len(), 1);
    assert_eq!(seen.borrow().queues[0].len(), 30);
    dsi.flush().unwrap();
    dsi.flush().unwrap();
    assert_eq!(seen.borrow().queues[1..], [vec![0x0005_3902, 0, 0]]);
    dsi.write(0x29, &[7; MAX_PAYLOAD]).unwrap();
    assert_eq!(seen.borrow().queues[2].len(), 32);
}

#[test]
fn lengths_are_checked() {
    let (mut dsi, _, seen) = host(&LINK);
    assert_eq!(dsi.write(0x39, &[0; 125]), Err(DsiError::TooLong));
    assert_eq!(dsi.write(0x23, &[0; 3]), Err(DsiError::TooLong));
    let mut long = [0; MAX_ANSWER + 1];
    assert_eq!(
        dsi.read(ReadKind::Dcs, 4, &mut long),
        Err(DsiError::TooLong)
    );
    assert_eq!(dsi.read(ReadKind::Dcs, 4, &mut []), Ok(0));
    assert!(seen.borrow().queues.is_empty());
}

#[test]
fn a_host_that_hangs_is_reset() {
    let (mut dsi, _, seen) = host(&LINK);
    seen.borrow_mut().stuck = true;
    let before = ticks();
    assert_eq!(dsi.write(0x05, &[0x29]), Err(DsiError::Busy));
    assert_eq!(seen.borrow().resets, 1);
    let spent = ticks().wrapping_sub(before) / 13;
    assert!((1000..2000).contains(&spent), "{spent} us");
    seen.borrow_mut().stuck = false;
    assert_eq!(dsi.write(0x05, &[0x29]), Ok(()));
    assert_eq!(seen.borrow().queues.len(), 2, "the first is not repeated");
}

#[test]
fn a_read_is_the_recipe_of_the_facts() {
    let (mut dsi, regs, seen) = answering(&[Some([0x0010_5522, 0, 0, 0])]);
    let mut id = [0; 2];
    assert_eq!(dsi.read(ReadKind::Dcs, 0xc5, &mut id), Ok(2));
    assert_eq!(id, [0x55, 0x10]);
    assert_eq!(seen.borrow().queues, [vec![0x0002_3700], vec![0x00c5_0604]]);
    assert_eq!(regs.start.read(), 0);
    assert!(!dsi.is_busy(), "the answer was acknowledged");
    assert_eq!(seen.borrow().resets, 0);
}

#[test]
fn every_kind_of_answer_is_taken() {
    let long = [0x0600_0500 | 0x1c, 0x3322_1104, 0x5555_5544, 0];
    for (answer, expected) in [
        ([0x0000_9821, 0, 0, 0], &[0x98][..]),
        ([0x0000_9811, 0, 0, 0], &[0x98]),
        ([0x0006_9822, 0, 0, 0], &[0x98, 0x06]),
        ([0x0006_9812, 0, 0, 0], &[0x98, 0x06]),
        (long, &[0x04, 0x11, 0x22, 0x33, 0x44]),
        (
            [long[0] & !0xff | 0x1a, long[1], long[2], 0],
            &[0x04, 0x11, 0x22, 0x33, 0x44],
        ),
        ([0x0000_001c, 1, 2, 3], &[]),
    ] {
        let (mut dsi, _, seen) = answering(&[Some(answer)]);
        let mut buf = [0xee; 8];
        let len = dsi.read(ReadKind::Generic, 0xa1, &mut buf).unwrap();
        assert_eq!(&buf[..len], expected);
        assert!(buf[len..].iter().all(|&byte| byte == 0xee));
        assert_eq!(seen.borrow().queues[1], [0x00a1_1404]);
    }
}

#[test]
fn lengths_of_answers_are_not_believed() {
    // 0x0203 bytes, of which the host has twelve and the caller wants ten.
    let answer = [0x0002_031c, 0x0403_0201, 0x0807_0605, 0x0c0b_0a09];
    let (mut dsi, _, _) = answering(&[Some(answer), Some(answer)]);
    let mut buf = [0; 10];
    assert_eq!(dsi.read(ReadKind::Dcs, 0xa1, &mut buf), Ok(10));
    assert_eq!(buf, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let mut buf = [0; 12];
    assert_eq!(dsi.read(ReadKind::Dcs, 0xa1, &mut buf), Ok(12));
    let (mut dsi, _, _) = answering(&[Some([0x0002_0122, 0, 0, 0])]);
    let mut one = [0];
    assert_eq!(dsi.read(ReadKind::Dcs, 0xda, &mut one), Ok(1));
    assert_eq!(one, [1]);
}

#[test]
fn silence_ends_after_three_milliseconds() {
    let (mut dsi, regs, seen) = answering(&[None]);
    let before = ticks();
    let mut buf = [0; 3];
    assert_eq!(
        dsi.read(ReadKind::Dcs, 0x04, &mut buf),
        Err(DsiError::NoAnswer)
    );
    let spent = ticks().wrapping_sub(before) / 13;
    assert!((3000..3500).contains(&spent), "{spent} us");
    assert_eq!(seen.borrow().resets, 1);
    assert_eq!(seen.borrow().queues.len(), 2, "not asked again");
    assert_eq!(regs.rack.read(), 1);
    assert_eq!(dsi.write(0x05, &[0]), Ok(()), "the host is usable again");
}

#[test]
fn an_error_report_is_asked_again_once() {
    let report = Some([0x0080_0102, 0, 0, 0]);
    let (mut dsi, _, seen) = answering(&[report, Some([0x0000_8021, 0, 0, 0])]);
    let mut buf = [0];
    assert_eq!(dsi.read(ReadKind::Dcs, 0xda, &mut buf), Ok(1));
    assert_eq!(buf, [0x80]);
    assert_eq!(seen.borrow().queues.len(), 4);
    let (mut dsi, _, seen) = answering(&[report, report, report]);
    assert_eq!(
        dsi.read(ReadKind::Dcs, 0xda, &mut buf),
        Err(DsiError::ErrorReport(0x8001))
    );
    assert_eq!(seen.borrow().answers.len(), 1);
    let odd = Some([0x0000_0087, 0, 0, 0]);
    let (mut dsi, _, _) = answering(&[odd, odd]);
    assert_eq!(
        dsi.read(ReadKind::Dcs, 0xda, &mut buf),
        Err(DsiError::Unexpected(0x87))
    );
}

#[test]
fn an_acknowledge_without_data_is_no_answer() {
    let (mut dsi, regs, seen) = host(&LINK);
    // The answer to an earlier question is still there.
    poke(&regs.rx_data[0], 0x0000_5521);
    seen.borrow_mut().only_acknowledge = true;
    let mut buf = [0];
    for _ in 0..2 {
        // The second finds the bit set already.
        assert_eq!(
            dsi.read(ReadKind::Dcs, 0xda, &mut buf),
            Err(DsiError::NoAnswer)
        );
    }
    assert_eq!(buf, [0]);
    seen.borrow_mut().only_acknowledge = false;
    seen.borrow_mut().answers = vec![Some([0x0000_8021, 0, 0, 0])];
    assert_eq!(dsi.read(ReadKind::Dcs, 0xda, &mut buf), Ok(1));
    assert_eq!(buf, [0x80]);
}

#[test]
fn video_starts_and_stops() {
    let (mut dsi, regs, seen) = host(&LINK);
    dsi.queue(0x05, &[0x29]).unwrap();
    dsi.start_video().unwrap();
    assert_eq!(seen.borrow().queues.len(), 1, "what waited is sent first");
    assert_eq!((regs.mode_ctrl.read(), regs.clock_lane.read()), (1, 1));
    assert_eq!(regs.start.read(), 1);
    assert!(dsi.is_running());
    let mut buf = [0];
    assert_eq!(dsi.read(ReadKind::Dcs, 4, &mut buf), Err(DsiError::Mode));
    assert_eq!(dsi.queue(0x05, &[0x10]), Err(DsiError::Mode));
    dsi.stop_video().unwrap();
    assert_eq!((regs.mode_ctrl.read(), regs.clock_lane.read()), (0, 0));
    assert_eq!((dsi.is_running(), regs.start.read()), (false, 0));
    assert_eq!(dsi.start_frame(), Err(DsiError::Mode));
    assert_eq!(dsi.vm_command(0x05, &[0x10]), Err(DsiError::Mode));
}

#[test]
fn video_that_does_not_end_is_cut_off() {
    let (mut dsi, regs, seen) = host(&LINK);
    dsi.start_video().unwrap();
    seen.borrow_mut().never_ends = true;
    let resets = seen.borrow().resets;
    assert_eq!(dsi.stop_video(), Err(DsiError::Busy));
    assert_eq!(seen.borrow().resets, resets + 1);
    assert_eq!((regs.clock_lane.read(), dsi.is_running()), (0, false));
}

#[test]
fn packets_between_frames() {
    let (mut dsi, regs, seen) = host(&LINK);
    dsi.start_video().unwrap();
    dsi.write(0x15, &[0x51, 0x80]).unwrap();
    dsi.vm_command(0x39, &[1, 2, 3, 4, 5]).unwrap();
    assert_eq!(
        seen.borrow().vm,
        [
            [0x8051_1521, 0, 0, 0, 0],
            [0x0005_3923, 0x0403_0201, 5, 0, 0]
        ]
    );
    assert_eq!(regs.start.read(), DSI_START, "the stream goes on");
    assert_eq!(dsi.write(0x39, &[0; 17]), Err(DsiError::TooLong));
    seen.borrow_mut().stuck = true;
    assert_eq!(dsi.write(0x05, &[0x28]), Err(DsiError::Busy));
}

#[test]
fn a_frame_is_its_window_and_its_pixels() {
    let (mut dsi, regs, seen) = host(&LinkConfig {
        mode: LinkMode::Command,
        width: 320,
        height: 480,
        ..LINK
    });
    assert_eq!(dsi.start_video(), Err(DsiError::Mode));
    dsi.frame().unwrap();
    assert_eq!(
        seen.borrow().queues,
        [[
            0x0005_3902,
            0x0100_002a,
            0x3f,
            0x0005_3902,
            0x0100_002b,
            0xdf,
            0x002c_3909
        ]]
    );
    assert_eq!(regs.clock_lane.read(), 1);
    // A packet behind a frame that is under way waits for its end.
    dsi.start_frame().unwrap();
    dsi.write(0x05, &[0x29]).unwrap();
    assert_eq!(seen.borrow().resets, 0);
    assert_eq!(seen.borrow().queues.len(), 3);
    seen.borrow_mut().stuck = true;
    assert_eq!(dsi.frame(), Err(DsiError::Busy));
    assert_eq!(seen.borrow().resets, 1);
}

#[test]
fn lanes_sleep_and_wake() {
    let (mut dsi, regs, _) = host(&LINK);
    dsi.start_video().unwrap();
    dsi.off();
    assert_eq!((regs.mode_ctrl.read(), regs.com_ctrl.read()), (0, 0));
    assert_eq!(
        (regs.lane0.read(), regs.clock_lane.read()),
        (ULPM_EN, ULPM_EN)
    );
    dsi.leave_ulps();
    assert_eq!((regs.lane0.read(), regs.clock_lane.read()), (0, 0));
}

#[test]
fn times_on_the_lanes_are_written() {
    let timing = PhyTiming::for_rate(390, &PhyOverrides::default());
    let (_, regs, _) = host(&LinkConfig {
        phy: timing,
        ..LINK
    });
    assert_eq!(regs.timing[0].read(), 0x0e07_0303);
}
