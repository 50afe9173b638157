//! The LCD controller with and without a panel on its bus.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::bus::{Report, TestWorld};
use crate::panel::Config;
use crate::signals::RAILS;

const MS: Nanos = 1_000_000;
const PCMD: u32 = 0xf00;
const PDATA: u32 = 0xf10;

const PANEL: &str = "
controller = 'ILI9341'
width = 4
height = 2
mode = 'command'
format = 'rgb565'
backlight = 'always'
answers = [{ register = 0xD3, bytes = [0, 0x93, 0x41] }]
init = [{ cmd = 0x3A, args = [0x55] }, { cmd = 0x11, delay_ms = 120 }, { cmd = 0x29 }]
";

struct Rig {
    world: TestWorld,
    dbi: Dbi,
}

impl Rig {
    fn new(bus: &str) -> Rig {
        let config: Config = toml::from_str(&format!("{PANEL}\n[bus]\n{bus}")).unwrap();
        config.check().unwrap();
        Rig::with(Panel::new(Some(config)))
    }

    /// A parallel bus of 16 lines with slow accesses, and the panel awake.
    fn with(panel: Panel) -> Rig {
        let mut rig = Rig {
            world: TestWorld::default(),
            dbi: Dbi::new(panel),
        };
        let signals = &mut rig.world.signals;
        signals.mm_cg1 = 0;
        signals.cg0 = 0;
        signals.rails_mv = [2800; RAILS];
        for pin in 14..32 {
            signals.pin_mode[pin] = 1;
        }
        for pin in [56, 57, 58, 59, 60] {
            signals.pin_mode[pin] = 2;
        }
        rig.set(PARALLEL_DW, 2);
        rig.set(PARALLEL_CFG0, 0x2228_2208);
        rig.wait(10);
        rig.set(RESET, 1);
        rig.wait(150);
        assert_eq!(rig.told(), Vec::<String>::new());
        rig
    }

    fn set(&mut self, offset: u32, value: u32) {
        self.world.write(&mut self.dbi, offset, value);
    }

    fn wait(&mut self, ms: Nanos) {
        let to = self.world.now + ms * MS;
        self.world.advance(&mut self.dbi, to);
    }

    fn command(&mut self, value: u32) {
        self.dbi.write(PCMD, 2, value, &mut self.world.cx());
    }

    fn parameter(&mut self, value: u32) {
        self.dbi.write(PDATA, 2, value, &mut self.world.cx());
    }

    fn answer(&mut self) -> u32 {
        self.dbi.read(PDATA, 2, &mut self.world.cx())
    }

    fn told(&mut self) -> Vec<String> {
        let reports = self.world.reports.drain(..);
        reports.map(|Report { message, .. }| message).collect()
    }

    fn wake(&mut self) {
        self.command(0x3A);
        self.parameter(0x55);
        self.command(0x11);
        self.wait(130);
        self.command(0x29);
        self.wait(20);
    }

    fn window(&mut self) {
        for (command, last) in [(0x2A, 3), (0x2B, 1)] {
            self.command(command);
            for value in [0, 0, 0, last] {
                self.parameter(value);
            }
        }
        self.command(0x2C);
    }

    /// A path that makes a picture of one colour.
    fn path(&mut self) {
        let display = &mut self.world.signals.display;
        display.gated = 0;
        display.routing.ovl_mout = 1;
        display.routing.disp_out = 2;
        display.rdma.con = 1;
        (display.rdma.size0, display.rdma.size1) = (4, 2);
        display.ovl.enabled = true;
        display.ovl.roi = 2 << 16 | 4;
        display.ovl.background = 0xFF11_2233;
        display.color.started = true;
        (display.color.width, display.color.height) = (4, 2);
        display.mutexes[0].enabled = true;
        display.mutexes[0].modules = 0x688;
        display.mutexes[0].source = 0;
    }

    fn frame(&mut self, control: u32) {
        self.set(WROI_CON, control);
        self.set(WROI_CMD_ADDR, 0);
        self.set(WROI_DATA_ADDR, 0x10);
        self.set(WROI_SIZE, 2 << 16 | 4);
        self.set(START, 0);
        self.set(START, START_FRAME);
    }

    fn glass(&mut self) -> Glass {
        self.dbi.glass(&mut self.world.cx()).unwrap()
    }
}

/// Sixteen lines, RGB565.
const GOOD: u32 = 1 << 6 | 2 << 3;

use super::settings::{
    PARALLEL_CFG0, PARALLEL_DW, WROI_CMD_ADDR, WROI_CON, WROI_DATA_ADDR, WROI_SIZE,
};

#[test]
fn the_reset_pin_follows_its_register() {
    let (mut world, mut dbi) = (TestWorld::default(), Dbi::new(Panel::new(None)));
    assert!(!world.signals.lrstb);
    for (value, high) in [(1, true), (0, false), (1, true)] {
        world.write(&mut dbi, RESET, value);
        assert_eq!(world.signals.lrstb, high);
        assert_eq!(world.read(&mut dbi, RESET), value);
    }
    dbi.reset(Reset::Watchdog, &mut world.cx());
    assert!(!world.signals.lrstb);
    assert!(world.reports.is_empty());
}

#[test]
fn what_is_not_connected_is_not_reached() {
    let mut rig = Rig::new("lines = 16");
    rig.world.signals.pin_mode[20] = 0;
    rig.command(0xD3);
    assert!(rig.told()[0].contains("pad 20 is not set to LPD6"));
    rig.world.signals.pin_mode[20] = 1;
    rig.world.signals.pin_mode[58] = 0;
    rig.command(0xD3);
    assert!(rig.told()[0].contains("LPRDB"));
    rig.world.signals.pin_mode[58] = 2;
    rig.world.signals.cg0 = 1 << 5;
    rig.command(0xD3);
    assert!(rig.told()[0].contains("DBI_BCLK"));
    rig.world.signals.cg0 = 0;
    rig.dbi.write(0xf20, 2, 0xD3, &mut rig.world.cx());
    assert!(rig.told()[0].contains("no pad belongs"));
    rig.dbi.write(PCMD, 4, 0xD3, &mut rig.world.cx());
    assert!(rig.told()[0].contains("split"));
}

#[test]
fn an_answer_begins_with_a_dummy() {
    let mut rig = Rig::new("lines = 16");
    rig.command(0xD3);
    let words: Vec<u32> = (0..4).map(|_| rig.answer()).collect();
    assert_eq!(words, [0, 0, 0x93, 0x41]);
    assert!(rig.told().is_empty());
}

#[test]
fn nobody_leaves_the_lines_as_they_were() {
    let mut rig = Rig::with(Panel::new(None));
    rig.command(0xD3);
    assert_eq!(rig.answer(), 0xD3);
    assert!(rig.told().is_empty(), "an empty bus is no mistake");
}

#[test]
fn a_read_that_is_too_fast_brings_nonsense() {
    let mut rig = Rig::new("lines = 16\naccess_ns = 900");
    rig.command(0xD3);
    let words: Vec<u32> = (0..4).map(|_| rig.answer()).collect();
    assert_ne!(words[2], 0x93);
    let told = rig.told();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("sampled after"), "{told:?}");
}

#[test]
fn a_write_that_is_too_fast_is_not_taken() {
    let mut rig = Rig::new("lines = 16\nwrite_ns = 400");
    rig.command(0xD3);
    assert!(rig.told()[0].contains("a write of"));
    assert_eq!(rig.answer(), 0);
}

#[test]
fn wide_registers_hold_a_parameter_each() {
    let mut rig = Rig::new("lines = 16\nwide = true");
    for (at, value) in [(0, 0x55), (1, 0xAA)] {
        rig.command(0xF000 + at);
        rig.parameter(value);
    }
    rig.command(0xD302);
    assert_eq!(rig.answer(), 0x41);
    rig.command(0xD301);
    assert_eq!(rig.answer(), 0x93);
    assert!(rig.told().is_empty());
}

#[test]
fn a_frame_fills_the_memory_of_the_panel() {
    let mut rig = Rig::new("lines = 16");
    rig.wake();
    assert_eq!(rig.glass().state, "garbled", "nothing was written");
    rig.path();
    rig.window();
    rig.frame(GOOD);
    assert_eq!(rig.world.read(&mut rig.dbi, STATUS), RUN | BUSY);
    rig.command(0x28);
    assert!(rig.told()[0].contains("while a frame is on it"));
    rig.wait(1);
    assert_eq!(rig.world.read(&mut rig.dbi, STATUS), 0);
    assert_eq!(rig.world.read(&mut rig.dbi, INT_STATUS), DONE);
    let glass = rig.glass();
    assert_eq!((glass.state, rig.told().len()), ("picture", 0));
    assert_eq!(glass.rgb[..3], [0x11, 0x22, 0x33]);
}

#[test]
fn frames_that_a_panel_does_not_understand() {
    for (bus, control, state) in [
        ("lines = 16\npad_high = true", GOOD, "wrong-colours"),
        ("lines = 16", 1 << 6 | 3 << 3, "wrong-colours"),
        ("lines = 18", GOOD, "garbled"),
    ] {
        let mut rig = Rig::new(bus);
        rig.wake();
        rig.path();
        rig.window();
        rig.frame(control);
        rig.wait(1);
        assert_eq!(rig.glass().state, state, "{bus}");
    }
    let mut rig = Rig::new("lines = 16");
    rig.wake();
    rig.path();
    rig.frame(GOOD);
    rig.wait(1);
    assert!(rig.told()[0].contains("not after a memory write"));
}

#[test]
fn a_frame_needs_the_path_to_end_here() {
    let mut rig = Rig::new("lines = 16");
    rig.wake();
    rig.path();
    rig.world.signals.display.routing.disp_out = 0;
    rig.window();
    rig.frame(GOOD);
    rig.wait(1);
    assert!(rig.told()[0].contains("not to DBI"));
    rig.frame(GOOD & !(3 << 6));
    assert!(rig.told()[0].contains("to 8 lines"));
}
