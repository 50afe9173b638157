#![allow(clippy::unwrap_used)]

use super::*;
use crate::bus::{TEST_MEMORY_BASE as BASE, TestMemory};
use crate::display::{Color, Mutex, Ovl, Rdma, Routing};

const ALPHA: u32 = 1 << 8;
const FLIP_V: u32 = 1 << 9;
const FLIP_H: u32 = 1 << 10;
const RGB565: u32 = 1 << 12;
const ARGB8888: u32 = 2 << 12;
const PARGB8888: u32 = 3 << 12;
const KEY: u32 = 1 << 30;

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// The path of a stock loader, `width` x `height`, all layers off.
fn stock(width: u32, height: u32) -> Path {
    Path {
        routing: Routing {
            ovl_mout: 1,
            ..Routing::default()
        },
        gated: !0x0020_81FF,
        mutexes: {
            let mut mutexes = [Mutex::default(); 8];
            mutexes[0] = Mutex {
                enabled: true,
                modules: 0x688,
                source: 1,
            };
            mutexes
        },
        ovl: Ovl {
            enabled: true,
            roi: height << 16 | width,
            background: 0xFF00_0000,
            ..Ovl::default()
        },
        rdma: Rdma {
            con: 1,
            size0: width,
            size1: height,
            ..Rdma::default()
        },
        color: Color {
            started: true,
            width,
            height,
        },
        ..Path::default()
    }
}

/// Shows layer `index`.
fn show(path: &mut Path, index: usize, con: u32, (width, height): (u32, u32), pitch: u32) {
    path.ovl.shown |= 1 << index;
    path.ovl.layers[index] = Layer {
        con,
        size: height << 16 | width,
        addr: BASE,
        pitch,
        reads: true,
        ..Layer::default()
    };
}

fn memory(bytes: &[u8]) -> TestMemory {
    TestMemory(bytes.to_vec())
}

fn picture(path: &Path, memory: &mut TestMemory) -> Picture {
    let composition = compose(path, Sink::Dsi, memory);
    assert_eq!(composition.problems, Vec::<String>::new());
    composition.picture.unwrap()
}

fn refusal(path: &Path) -> String {
    let composition = compose(path, Sink::Dsi, &mut TestMemory::default());
    assert_eq!(composition.picture, None);
    composition.problems[0].clone()
}

#[test]
fn a_stock_loaders_logo_shows_through_its_console() {
    let mut path = stock(2, 2);
    // Two pixels a line, lines padded to four.
    let mut ram = memory(&[
        0x00, 0xf8, 0x00, 0xf8, 9, 9, 9, 9, 0x00, 0xf8, 0x00, 0xf8, 9, 9, 9, 9, //
        0, 0, 0x1f, 0x00, 0, 0, 0, 0,
    ]);
    show(&mut path, 2, RGB565, (2, 2), 8);
    show(&mut path, 3, RGB565 | KEY, (2, 2), 4);
    path.ovl.layers[3].addr = BASE + 16;
    path.ovl.layers[3].key = 0xFF00_0000;
    assert_eq!(picture(&path, &mut ram).rgb, [RED, BLUE, RED, RED].concat());
    path.ovl.layers[3].con &= !KEY;
    let black = [0; 3];
    assert_eq!(
        picture(&path, &mut ram).rgb,
        [black, BLUE, black, black].concat()
    );
}

#[test]
fn a_layer_stands_at_its_offset_over_the_background() {
    let mut path = stock(3, 2);
    path.ovl.background = 0xFF00_00FF;
    show(&mut path, 0, RGB565, (1, 1), 2);
    path.ovl.layers[0].offset = 1 << 16 | 2;
    let shown = picture(&path, &mut memory(&[0x00, 0xf8]));
    assert_eq!((shown.width, shown.height), (3, 2));
    assert_eq!(shown.rgb, [BLUE, BLUE, BLUE, BLUE, BLUE, RED].concat());
}

#[test]
fn every_format_of_the_overlay_is_read() {
    let white_pair: &[u8] = &[235, 128, 235, 128];
    for (code, bytes) in [
        (0, [255; 6].as_slice()),
        (1, [255; 4].as_slice()),
        (2, [255; 8].as_slice()),
        (3, [255; 8].as_slice()),
        (4, [255; 8].as_slice()),
        (8, white_pair),
        (9, &[128, 235, 128, 235]),
        (10, white_pair),
        (11, &[128, 235, 128, 235]),
        (15, &[235, 128, 128, 235, 128, 128]),
    ] {
        let mut path = stock(2, 1);
        show(&mut path, 0, code << 12, (2, 1), bytes.len() as u32);
        assert_eq!(
            picture(&path, &mut memory(bytes)).rgb,
            [255; 6],
            "format {code}"
        );
    }
}

#[test]
fn flips_read_backwards() {
    // 1 2 / 3 4 in blue.
    let bytes = [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0];
    for (flips, addr, wanted) in [
        (0, 0, [1, 2, 3, 4]),
        (FLIP_V, 8, [3, 4, 1, 2]),
        (FLIP_H, 7, [2, 1, 4, 3]),
        // Start + width * height * bytes - 1.
        (FLIP_V | FLIP_H, 15, [4, 3, 2, 1]),
    ] {
        let mut path = stock(2, 2);
        show(&mut path, 1, ARGB8888 | flips, (2, 2), 8);
        path.ovl.layers[1].addr = BASE + addr;
        let blue: Vec<u8> = picture(&path, &mut memory(&bytes))
            .rgb
            .chunks(3)
            .map(|pixel| pixel[2])
            .collect();
        assert_eq!(blue, wanted);
    }
}

#[test]
fn alpha_blends() {
    let shade = |con: u32, pixel: [u8; 4]| {
        let mut path = stock(1, 1);
        path.ovl.background = 0xFF00_00FF;
        show(&mut path, 0, con, (1, 1), 4);
        picture(&path, &mut memory(&pixel)).rgb
    };
    let red_half = [0, 0, 255, 128];
    assert_eq!(shade(ARGB8888, red_half), [255, 0, 0], "alpha is off");
    assert_eq!(shade(ARGB8888 | ALPHA | 255, red_half), [128, 0, 127]);
    assert_eq!(shade(ARGB8888 | ALPHA | 128, red_half), [64, 0, 191]);
    assert_eq!(shade(4 << 12 | ALPHA | 128, red_half), [128, 0, 127]);
    assert_eq!(shade(ARGB8888 | ALPHA, red_half), [0, 0, 255]);
    assert_eq!(
        shade(PARGB8888 | ALPHA | 255, [0, 0, 100, 128]),
        [100, 0, 127]
    );
}

#[test]
fn swaps_are_applied() {
    let mut path = stock(1, 1);
    show(&mut path, 0, 1 << 25, (1, 1), 3);
    assert_eq!(picture(&path, &mut memory(&[1, 2, 3])).rgb, [1, 2, 3]);
    show(&mut path, 0, 1 << 24, (1, 1), 3);
    assert_eq!(picture(&path, &mut memory(&[1, 2, 3])).rgb, [1, 2, 3]);
    show(&mut path, 0, 0, (1, 1), 3);
    assert_eq!(picture(&path, &mut memory(&[1, 2, 3])).rgb, [3, 2, 1]);
}

#[test]
fn rdma_reads_memory_by_itself() {
    let mut path = stock(2, 2);
    path.routing.ovl_mout = 0;
    path.ovl.enabled = false;
    path.mutexes[0].modules = 0x680;
    path.rdma = Rdma {
        con: 3,
        mem_con: 4 << 4,
        addr: BASE,
        pitch: 6,
        ..path.rdma
    };
    let bytes = [0, 0xf8, 0, 0xf8, 9, 9, 0x1f, 0, 0, 0xf8, 9, 9];
    assert_eq!(
        picture(&path, &mut memory(&bytes)).rgb,
        [RED, RED, BLUE, RED].concat()
    );
    path.rdma.size0 |= 1 << 31;
    assert_eq!(
        picture(&path, &mut memory(&bytes)).rgb,
        [BLUE, BLUE, RED, BLUE].concat()
    );
    path.rdma.mem_con = 16 << 4;
    path.rdma.size0 &= 0xfff;
    path.rdma.pitch = 8;
    path.mutexes[0].modules = 0x400;
    assert_eq!(
        picture(&path, &mut memory(&[0, 0, 255, 0].repeat(4))).rgb,
        RED.repeat(4)
    );
    path.rdma.mem_con = 5 << 4;
    assert!(refusal(&path).contains("format 5"));
    path.rdma.mem_con = 4 << 4 | 1;
    assert!(refusal(&path).contains("tiles"));
}

#[test]
fn shortcuts_leave_modules_out() {
    let mut path = stock(1, 1);
    path.ovl.background = 0x00FF_0000;
    path.routing.dsi_in = 1;
    assert!(refusal(&path).contains("routed to COLOR"));
    path.routing.rdma_out = 1;
    path.color.started = false;
    path.mutexes[0].modules = 0x408;
    assert_eq!(picture(&path, &mut TestMemory::default()).rgb, RED);

    let mut path = stock(1, 1);
    path.ovl.background = 0x00FF_0000;
    path.routing.color_in = 1;
    assert!(refusal(&path).contains("COLOR takes from OVL"));
    path.routing.ovl_mout = 4;
    path.rdma.con = 0;
    path.mutexes[0].modules = 0x288;
    assert_eq!(picture(&path, &mut TestMemory::default()).rgb, RED);
}

#[test]
fn nothing_arrives_unless_all_agree() {
    let broken = |part: fn(&mut Path), why: &str| {
        let mut path = stock(4, 4);
        part(&mut path);
        let reason = refusal(&path);
        assert!(reason.contains(why), "{reason:?} does not say {why:?}");
    };
    broken(
        |path| path.routing.ovl_mout = 2,
        "OVL is not routed to RDMA",
    );
    broken(
        |path| path.routing.rdma_out = 1,
        "RDMA is not routed to COLOR",
    );
    broken(|path| path.routing.disp_out = 1, "DISP_OUT_SEL");
    broken(|path| path.rdma.con = 0, "RDMA is off");
    broken(|path| path.rdma.con = 0x11, "held in reset");
    broken(|path| path.ovl.enabled = false, "OVL is off");
    broken(|path| path.color.started = false, "COLOR is not started");
    broken(|path| path.gated |= 1 << 8, "clock of OVL");
    broken(|path| path.gated |= 1 << 7, "clock of RDMA");
    broken(|path| path.gated |= 1 << 1, "clock of SMI");
    broken(|path| path.mutexes[0].enabled = false, "no mutex");
    broken(|path| path.mutexes[0].modules = 0x680, "no mutex");
    broken(|path| path.mutexes[0].source = 2, "SOF 2");
    broken(|path| path.streaming = Some(false), "SOF 1");
    broken(|path| path.rdma.size0 = 5, "RDMA to 5x4");
    broken(|path| path.color.height = 8, "COLOR to 4x8");
    broken(|path| path.bls.processes = true, "BLS to 0x0");
    broken(|path| path.ovl.roi = 4, "no size");
}

#[test]
fn a_layer_that_cannot_be_read_is_a_problem_and_the_rest_is_shown() {
    let problem = |part: fn(&mut Path), why: &str| {
        let mut path = stock(2, 2);
        path.ovl.background = 0x0000_00FF;
        show(&mut path, 2, RGB565, (2, 2), 4);
        part(&mut path);
        let composition = compose(&path, Sink::Dsi, &mut TestMemory::default());
        assert_eq!(composition.picture.unwrap().rgb.len(), 12);
        let text = &composition.problems[0];
        assert!(text.contains(why), "{text:?} does not say {why:?}");
    };
    problem(
        |path| path.ovl.layers[2].addr = 0x7fff_fffe,
        "layer 2 reads outside of DRAM at 0x7ffffffe",
    );
    problem(|path| path.ovl.layers[2].addr = u32::MAX, "outside of DRAM");
    problem(|path| path.ovl.layers[2].reads = false, "reader is off");
    problem(|path| path.ovl.layers[2].con = 5 << 12, "format 5");
    problem(|path| path.ovl.layers[2].con |= 2 << 28, "from memory");
    problem(
        |path| path.ovl.layers[2].offset = 1,
        "reaches out of the ROI",
    );
    problem(|path| path.ovl.layers[2].offset = 3 << 16, "reaches out");
    problem(|path| path.ovl.layers[2].pitch = 2, "pitch of 2 bytes");
    problem(|path| path.ovl.layers[2].size = 0, "no size");
}
