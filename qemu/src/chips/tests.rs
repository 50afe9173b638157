//! Chips as the boards in `qemu/boards` describe them, and each quirk by itself.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::{Chip, Wires};
use crate::board::Board;
use crate::bus::{GuestError, TestWorld};
use crate::signals::{Rail, Signals};

const MS: u64 = 1_000_000;

/// A bus with its world.
struct Bench {
    world: TestWorld,
    wires: Wires,
}

impl Bench {
    fn of(bus: u8, board: &Board) -> Bench {
        let mut bench = Bench {
            world: TestWorld::default(),
            wires: Wires::new(bus, &board.i2c),
        };
        for pin in [105, 106, 113, 114] {
            bench.world.signals.pin_mode[pin] = 1;
        }
        bench.look();
        bench
    }

    fn board(bus: u8, file: &str) -> Bench {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards");
        Bench::of(bus, &Board::load(&folder.join(file)).unwrap())
    }

    /// A chip at 0x38 of bus 1 that needs nothing, with more in its table.
    fn chip(more: &str) -> Bench {
        Bench::of(1, &parse(more).unwrap())
    }

    fn look(&mut self) {
        self.wires.observe("I2C", &mut self.world.cx());
    }

    fn set(&mut self, change: impl FnOnce(&mut Signals)) {
        change(&mut self.world.signals);
        self.look();
    }

    fn rail(&mut self, rail: Rail, mv: u16) {
        self.set(|signals| signals.rails_mv[rail as usize] = mv);
    }

    fn pin(&mut self, pin: usize, high: bool) {
        self.set(|signals| {
            signals.pin_output[pin] = true;
            signals.pin_out_level[pin] = high;
        });
    }

    fn wait(&mut self, ms: u64) {
        self.world.now += ms * MS;
        self.look();
    }

    fn message(&mut self, address: u8, bytes: &[u8]) -> bool {
        let (now, signals) = (self.world.now, &self.world.signals);
        let acked = self.wires.start(address, false, now, signals)
            && bytes.iter().all(|&byte| self.wires.write(byte, signals));
        self.wires.end(true, now);
        self.look();
        acked
    }

    fn read(&mut self, address: u8, len: usize) -> Option<Vec<u8>> {
        let (now, signals) = (self.world.now, &self.world.signals);
        let bytes = self
            .wires
            .start(address, true, now, signals)
            .then(|| (0..len).map(|_| self.wires.read(signals)).collect());
        self.wires.end(true, now);
        self.look();
        bytes
    }

    /// The register's address, STOP, read.
    fn get(&mut self, address: u8, register: &[u8], len: usize) -> Option<Vec<u8>> {
        self.message(address, register).then_some(())?;
        self.read(address, len)
    }
}

fn parse(more: &str) -> Result<Board, String> {
    Board::parse(&format!(
        "name = 'x'\n[dram]\nranks_mib = [512]\n[[i2c]]\nname = 'chip'\nbus = 1\naddresses = [0x38]\n{more}"
    ))
}

#[test]
fn goodix_takes_its_address_from_the_strap() {
    for (high, address, other) in [(false, 0x5D, 0x14), (true, 0x14, 0x5D)] {
        let mut bench = Bench::board(1, "touch-goodix.toml");
        bench.pin(57, false);
        bench.pin(129, high);
        bench.rail(Rail::Vio18, 1800);
        bench.rail(Rail::Vgp1, 2800);
        bench.wait(10);
        assert_eq!(bench.read(address, 1), None, "in reset");
        bench.pin(57, true);
        bench.wait(54);
        assert_eq!(bench.read(address, 1), None, "too early");
        bench.pin(129, !high);
        bench.wait(1);
        assert_eq!(bench.get(address, &[0x81, 0x40], 4).unwrap(), b"911\0");
        assert_eq!(bench.read(other, 1), None);
        assert_eq!(
            bench.get(address, &[0x42, 0x20], 4).unwrap(),
            [0, 6, 0x90, 0]
        );
        assert!(bench.world.reports.is_empty());
    }
}

#[test]
fn a_write_to_another_ones_sensor_is_a_guest_error() {
    let mut bench = Bench::board(1, "touch-goodix.toml");
    bench.rail(Rail::Vio28, 2800);
    assert_eq!(bench.get(0x49, &[1], 1).unwrap(), [0x71]);
    assert!(bench.world.reports.is_empty(), "a read is harmless");
    assert!(bench.message(0x49, &[0, 3]));
    assert_eq!(bench.world.reports[0].kind, GuestError::Refused);
    assert!(bench.world.reports[0].message.contains("light sensor"));
    assert_eq!(bench.get(0x49, &[0], 1).unwrap(), [0], "nothing changed");
}

#[test]
fn too_high_a_supply_destroys() {
    let mut bench = Bench::board(0, "cameras-ov5645-gc0329.toml");
    bench.rail(Rail::Vcamd, 1800);
    bench.wait(1);
    assert_eq!(bench.world.reports.len(), 1, "said once");
    let message = &bench.world.reports[0].message;
    assert!(
        message.contains("OV5645") && message.contains("Vcamd"),
        "{message}"
    );
    start_main_camera(&mut bench);
    assert_eq!(bench.read(0x3C, 1), None);
}

fn start_main_camera(bench: &mut Bench) {
    bench.rail(Rail::VcamIo, 1800);
    bench.rail(Rail::Vcama, 2800);
    bench.rail(Rail::Vcamd, 1500);
    bench.set(|signals| signals.cmmclk_hz = Some(24_000_000));
    bench.pin(88, true);
    bench.wait(1);
    bench.pin(87, true);
    bench.wait(2);
}

#[test]
fn a_camera_needs_supplies_clock_and_pins() {
    let id = Some(vec![0x56, 0x45]);
    let ask = |bench: &mut Bench| bench.get(0x3C, &[0x30, 0x0A], 2);
    let mut bench = Bench::board(0, "cameras-ov5645-gc0329.toml");
    start_main_camera(&mut bench);
    assert_eq!(ask(&mut bench), id);
    bench.set(|signals| signals.cmmclk_hz = None);
    assert_eq!(ask(&mut bench), None, "no clock");
    bench.set(|signals| signals.cmmclk_hz = Some(60_000_000));
    assert_eq!(ask(&mut bench), None, "too fast a clock");
    bench.set(|signals| signals.cmmclk_hz = Some(24_000_000));
    assert_eq!(ask(&mut bench), id);
    bench.pin(88, false);
    assert_eq!(ask(&mut bench), None, "standby");
    bench.pin(88, true);
    bench.wait(1);
    assert_eq!(ask(&mut bench), id);
    bench.rail(Rail::Vcama, 1500);
    assert_eq!(ask(&mut bench), None, "too low a supply");
    bench.rail(Rail::Vcama, 2800);
    bench.wait(9);
    assert_eq!(
        ask(&mut bench),
        None,
        "its reset must rise while it has everything"
    );
    bench.pin(87, false);
    bench.pin(87, true);
    bench.wait(2);
    assert_eq!(ask(&mut bench), id);
}

#[test]
fn a_page_shows_while_its_selector_holds() {
    let mut bench = Bench::board(0, "cameras-ov5645-gc0329.toml");
    bench.rail(Rail::VcamIo, 1800);
    bench.rail(Rail::Vcama, 2800);
    bench.set(|signals| signals.cmmclk_hz = Some(24_000_000));
    bench.pin(89, true);
    bench.wait(1);
    assert_eq!(bench.get(0x31, &[0], 1).unwrap(), [0]);
    assert!(bench.message(0x31, &[0xFC, 0x16]));
    assert_eq!(bench.get(0x31, &[0], 1).unwrap(), [0xC0]);
    assert!(bench.message(0x31, &[0xFC, 0x17]));
    assert_eq!(bench.get(0x31, &[0], 1).unwrap(), [0]);
    bench.message(0x31, &[0xFC, 0x16]);
    bench.pin(89, false);
    bench.pin(89, true);
    bench.wait(1);
    assert_eq!(bench.get(0x31, &[0], 1).unwrap(), [0], "a reset forgets it");
    // HI541 is told its bank at the last register, and two bytes of it.
    let bank = "address_width = 2\n[[i2c.pages]]\nselect = { 0xFFFF = [0, 0x40] }\nregisters = { 5 = [1] }\n";
    let mut bench = Bench::chip(bank);
    assert!(bench.message(0x38, &[0xFF, 0xFF, 0, 0x40]));
    assert_eq!(bench.get(0x38, &[0, 5], 1).unwrap(), [1]);
}

#[test]
fn samsung_sensors_at_one_address() {
    let mut bench = Bench::board(0, "cameras-s5k4ecgx-s5k8aayx.toml");
    bench.rail(Rail::VcamIo, 1800);
    bench.rail(Rail::Vcama, 2800);
    bench.rail(Rail::Vcamd, 1200);
    bench.set(|signals| signals.cmmclk_hz = Some(24_000_000));
    for pin in [143, 142] {
        bench.pin(pin, true);
    }
    bench.wait(3);
    for write in [
        [0xFC, 0xFC, 0xD0, 0],
        [0, 0x2C, 0x70, 0],
        [0, 0x2E, 1, 0xA4],
    ] {
        assert!(bench.message(0x3C, &write));
    }
    assert_eq!(bench.get(0x3C, &[0x0F, 0x12], 2).unwrap(), [0x4E, 0xC0]);
    for pin in [143, 142] {
        bench.pin(pin, false);
    }
    for pin in [90, 89] {
        bench.pin(pin, true);
    }
    bench.wait(5);
    assert!(bench.message(0x3C, &[0xFC, 0xFC, 0, 0]));
    assert_eq!(bench.get(0x3C, &[0, 0x40], 2).unwrap(), [0x08, 0xAA]);
    assert_eq!(bench.get(0x3C, &[0x0F, 0x12], 2).unwrap(), [0, 0]);
}

#[test]
fn synaptics_page_description() {
    let mut bench = Bench::board(1, "touch-synaptics.toml");
    bench.rail(Rail::Vgp2, 3000);
    bench.rail(Rail::Vgp1, 1800);
    bench.pin(56, true);
    bench.wait(50);
    assert!(bench.message(0x20, &[0xFF, 0]));
    assert_eq!(bench.get(0x20, &[0xE9], 6).unwrap()[5], 0x34);
    let query = bench.get(0x20, &[0xE3], 6).unwrap();
    assert_eq!(query[5], 1);
    let identity = bench.get(0x20, &query[..1], 21).unwrap();
    assert_eq!((identity[0], &identity[11..]), (1, &b"S2202-LG50"[..]));
    assert!(bench.message(0x20, &[0xFF, 1]));
    assert_eq!(bench.get(0x20, &[0xEE], 1).unwrap(), [0x54]);
}

#[test]
fn elan_greets_once_and_answers_packets() {
    let mut bench = Bench::board(1, "touch-elan.toml");
    bench.rail(Rail::Vgp2, 2800);
    bench.rail(Rail::Vgp1, 1800);
    bench.pin(56, true);
    assert_eq!(
        bench.wires.deadline(bench.world.now),
        Some(294 * MS),
        "300 ms less 2 %"
    );
    assert_eq!(bench.world.signals.pin_applied[129], None);
    bench.wait(300);
    assert_eq!(bench.world.signals.pin_applied[129], Some(false), "INT");
    assert_eq!(
        bench.read(0x15, 2).unwrap(),
        [0x55, 0x55],
        "cut short: it stays"
    );
    assert_eq!(bench.read(0x15, 4).unwrap(), [0x55; 4]);
    assert_eq!(bench.world.signals.pin_applied[129], Some(true));
    assert_eq!(bench.read(0x15, 4).unwrap(), [0; 4]);
    let version = bench.get(0x15, &[0x53, 0, 0, 1], 4).unwrap();
    assert_eq!(version, [0x52, 5, 0x50, 0x10]);
    assert_eq!(bench.read(0x15, 1).unwrap(), [0], "a reply is read once");
    bench.pin(56, false);
    bench.pin(56, true);
    bench.wait(300);
    assert_eq!(bench.read(0x15, 4).unwrap(), [0x55; 4]);
}

#[test]
fn mstar_answers_in_debug_mode_only() {
    let mut bench = Bench::board(1, "touch-mstar.toml");
    bench.rail(Rail::Vgp2, 2800);
    bench.pin(22, true);
    bench.wait(200);
    let kind = |bench: &mut Bench| bench.get(0x62, &[0x10, 0x1E, 0xCC], 2).unwrap();
    assert_eq!(kind(&mut bench), [0xFF, 0xFF]);
    let enter = |bench: &mut Bench| {
        for write in [&b"SERDB"[..], &[0x37], &[0x35], &[0x71]] {
            assert!(bench.message(0x62, write));
        }
    };
    enter(&mut bench);
    assert_eq!(kind(&mut bench), [0xFF, 0xFF], "too early");
    bench.wait(100);
    assert!(bench.message(0x62, &[0x10, 0x3C, 0x60, 0x55]));
    assert_eq!(kind(&mut bench), [2, 0]);
    assert_eq!(bench.get(0x62, &[0x10, 0x3C, 0xEA], 2).unwrap(), [3, 0]);
    for write in [0x34, 0x36, 0x45] {
        bench.message(0x62, &[write]);
    }
    assert_eq!(kind(&mut bench), [0xFF, 0xFF], "left");
    bench.message(0x62, b"SERDB");
    bench.message(0x62, &[0x35]);
    bench.message(0x62, &[0x37]);
    bench.message(0x62, &[0x71]);
    bench.wait(100);
    assert_eq!(kind(&mut bench), [0xFF, 0xFF], "wrong order");
    assert_eq!(bench.get(0x26, &[0x53, 0, 0x2A], 4).unwrap(), [2, 0, 5, 0]);
    assert_eq!(bench.read(0x59, 1), None);
}

#[test]
fn a_wide_address_writes_to_a_narrow_part() {
    let mut bench = Bench::chip("registers = { 0x30 = [0x77], 0x31 = [0x78] }");
    assert!(bench.message(0x38, &[0x30, 0x0A]));
    assert_eq!(bench.get(0x38, &[0x30], 2).unwrap(), [0x0A, 0x78]);
    let written = bench.wires.chips().iter().flat_map(Chip::written);
    let bytes: Vec<_> = written.map(|write| write.bytes.clone()).collect();
    assert_eq!(bytes, [vec![0x30, 0x0A], vec![0x30]]);
}

#[test]
fn pointers_and_widths() {
    let mut bench = Bench::chip("registers = { 0x10 = [1, 2, 3] }\nauto_increment = false\n");
    assert_eq!(bench.get(0x38, &[0x10], 3).unwrap(), [1, 1, 1]);
    let mut bench = Bench::chip("registers = { 0 = [9], 0x10 = [1] }\nkeep_pointer = false\n");
    assert_eq!(bench.get(0x38, &[0x10], 1).unwrap(), [9]);
    let mut bench = Bench::chip("registers = { 0xFF = [1], 0 = [2] }");
    assert_eq!(bench.get(0x38, &[0xFF], 2).unwrap(), [1, 2], "it wraps");
    let wide =
        "address_width = 2\ndata_width = 2\nfill = 0xEE\nregisters = { 0x1234 = [1, 2, 3, 4] }\n";
    let mut bench = Bench::chip(wide);
    assert_eq!(
        bench.get(0x38, &[0x12, 0x34], 5).unwrap(),
        [1, 2, 3, 4, 0xEE]
    );
    assert_eq!(bench.get(0x38, &[0x12, 0x36], 2).unwrap(), [3, 4]);
    let mut bench = Bench::chip(&format!("{wide}pointer = 'little'\n"));
    assert_eq!(bench.get(0x38, &[0x34, 0x12], 2).unwrap(), [1, 2]);
    let mut bench = Bench::chip("data_width = 2\nregisters = { 5 = [1, 2, 3, 4] }\n");
    assert_eq!(bench.get(0x38, &[6], 2).unwrap(), [3, 4]);
    let mut bench = Bench::chip("registers = { 5 = [1] }\nread_only = ['5']\n");
    bench.message(0x38, &[5, 2]);
    assert_eq!(bench.get(0x38, &[5], 1).unwrap(), [1]);
}

#[test]
fn wrong_answers() {
    let contents = "registers = { 0xA3 = [6] }\n[i2c.faults]\n";
    let ask = |fault: &str| Bench::chip(&format!("{contents}{fault}")).get(0x38, &[0xA3], 1);
    assert_eq!(ask(""), Some(vec![6]));
    assert_eq!(ask("all_ones = true"), Some(vec![0xFF]));
    assert_eq!(ask("all_zeros = true"), Some(vec![0]));
    assert_eq!(ask("wrong = { 0xA3 = [0x99] }"), Some(vec![0x99]));
    assert_eq!(ask("dead = true"), None);
    assert_eq!(ask("nack_byte = 0"), None);
    assert_eq!(ask("nack_byte = 1"), None);
    assert_eq!(ask("nack_byte = 2"), Some(vec![6]));
    assert_eq!(Bench::chip("present = false").read(0x38, 1), None);
    let page = "pages = [{ select = { 1 = [1] }, registers = { 2 = [5] } }]\n[i2c.faults]\nwrong = { 2 = [7] }";
    let mut bench = Bench::chip(page);
    bench.message(0x38, &[1, 1]);
    assert_eq!(bench.get(0x38, &[2], 1), Some(vec![7]));
}

#[test]
fn faults_that_pass() {
    let mut bench = Bench::chip("[i2c.faults]\nnack_byte = 1\nnack_times = 2\n");
    let acks: Vec<_> = (0..3).map(|_| bench.message(0x38, &[0])).collect();
    assert_eq!(acks, [false, false, true]);
    let mut bench = Bench::chip("[i2c.faults]\nbusy_ms = 3\n");
    assert!(bench.message(0x38, &[0]));
    assert_eq!(bench.read(0x38, 1), None);
    bench.wait(3);
    assert_eq!(bench.read(0x38, 1), Some(vec![0]));
    let resets = "pins = [{ pin = 57 }]\n[i2c.faults]\nanswers_from_reset = 3\n";
    let mut bench = Bench::chip(resets);
    let answers: Vec<_> = (0..3)
        .map(|_| {
            bench.pin(57, false);
            bench.pin(57, true);
            bench.read(0x38, 1).is_some()
        })
        .collect();
    assert_eq!(answers, [false, false, true]);
}

#[test]
fn two_that_answer_pull_the_lines_together() {
    let both = "registers = { 0 = [0xF0] }\n[[i2c]]\nname = 'b'\nbus = 1\naddresses = [0x38]\nregisters = { 0 = [0x3C] }";
    assert_eq!(Bench::chip(both).read(0x38, 1), Some(vec![0x30]));
}

#[test]
fn wires_are_where_the_pads_are() {
    let mut bench = Bench::chip("scl = 89");
    assert_eq!(bench.read(0x38, 1), None, "pads 113 and 114 lead elsewhere");
    bench.set(|signals| (signals.pin_mode[89], signals.pin_mode[90]) = (2, 2));
    assert_eq!(bench.read(0x38, 1), Some(vec![0]));
    bench.set(|signals| signals.pin_mode[90] = 0);
    assert_eq!(bench.read(0x38, 1), None, "SDA alone is missing");
    assert_eq!(bench.world.signals.pin_applied[89], Some(true), "pull-ups");
    assert_eq!(
        bench.world.signals.pin_applied[113], None,
        "no chips, no pull-ups known"
    );
}

/// One clock by the GPIO block.
fn clock(bench: &mut Bench, scl: usize) {
    bench.pin(scl, false);
    bench.set(|signals| signals.pin_output[scl] = false);
}

#[test]
fn nine_clocks_free_the_bus() {
    let mut bench = Bench::board(1, "touch-stuck.toml");
    bench.rail(Rail::Vgp2, 2800);
    bench.pin(22, true);
    bench.wait(200);
    assert!(bench.message(0x38, &[0xA3]));
    assert_eq!(bench.read(0x38, 2).unwrap(), [6, 0], "held in the middle");
    assert!(bench.wires.sda_held(&bench.world.signals));
    bench.set(|signals| (signals.pin_mode[113], signals.pin_mode[114]) = (0, 0));
    for _ in 0..8 {
        clock(&mut bench, 113);
        assert_eq!(bench.world.signals.pin_applied[114], Some(false));
    }
    clock(&mut bench, 113);
    assert_eq!(bench.world.signals.pin_applied[114], Some(true));
    bench.set(|signals| (signals.pin_mode[113], signals.pin_mode[114]) = (1, 1));
    assert_eq!(bench.get(0x38, &[0xA3], 1).unwrap(), [6]);
}

#[test]
fn a_stuck_clock_line_is_low_for_good() {
    let mut bench = Bench::board(1, "touch-scl-stuck.toml");
    for mv in [0, 2800] {
        bench.rail(Rail::Vgp2, mv);
        assert!(bench.wires.scl_held(&bench.world.signals));
        assert_eq!(bench.world.signals.pin_applied[113], Some(false));
        assert_eq!(bench.world.signals.pin_applied[114], Some(true));
    }
    // On other pads the controller does not meet it.
    bench.set(|signals| signals.pin_mode[113] = 0);
    assert!(!bench.wires.scl_held(&bench.world.signals));
}

#[test]
fn an_unpowered_camera_clamps_the_bus() {
    let mut bench = Bench::board(0, "cameras-faults.toml");
    assert!(bench.wires.sda_held(&bench.world.signals));
    assert_eq!(bench.world.signals.pin_applied[106], Some(false));
    bench.rail(Rail::VcamIo, 1800);
    bench.rail(Rail::Vcama, 2800);
    bench.rail(Rail::Vcamd, 1500);
    assert!(!bench.wires.sda_held(&bench.world.signals));
    assert_eq!(bench.world.signals.pin_applied[106], Some(true));
}

#[test]
fn holding_from_power_on_ends_with_the_supply() {
    let table = "rails = [{ rail = 'vgp1', min_mv = 2600 }]\n[i2c.faults]\nhold_sda = { from_power = true }\n";
    let mut bench = Bench::chip(table);
    bench.rail(Rail::Vgp1, 2800);
    for _ in 0..20 {
        clock(&mut bench, 113);
    }
    assert_eq!(bench.world.signals.pin_applied[114], Some(false));
    bench.rail(Rail::Vgp1, 0);
    assert_eq!(bench.world.signals.pin_applied[114], Some(true));
}

#[test]
fn mistakes_in_board_files_are_named() {
    for (more, word) in [
        ("rails = [{ rail = 'vgp9', min_mv = 1 }]", "vgp9"),
        (
            "rails = [{ rail = 'vgp1', min_mv = 2, max_mv = 1 }]",
            "max_mv",
        ),
        ("scl = 105", "scl"),
        ("strap = { pin = 154, low = 1, high = 2 }", "154"),
        ("strap = { pin = 1, low = 0x80, high = 2 }", "0x80"),
        ("pins = [{ pin = 200 }]", "200"),
        ("address_width = 3", "address_width"),
        ("data_width = 2\nregisters = { 0 = [1] }", "registers"),
        ("registers = { zero = [1] }", "zero"),
        ("read_only = ['5-4']", "5-4"),
        ("untouchable = ['all']", "all"),
        ("pages = [{ select = {}, registers = {} }]", "select"),
        ("commands = [{ write = [] }]", "write"),
        ("commands = [{ write = [1], needs = 'x' }]", "\"x\""),
        ("unlocks = [{ name = 'u', sequence = [] }]", "\"u\""),
        (
            "clock = { from = 'cmmclk', min_mhz = 9, max_mhz = 8 }",
            "clock",
        ),
        (
            "clock = { from = 'xtal', min_mhz = 9, max_mhz = 8 }",
            "xtal",
        ),
        ("step = 0", "step"),
        ("colour = 1", "colour"),
    ] {
        let error = parse(more).unwrap_err();
        assert!(error.contains(word), "{more}: {error}");
    }
    let error = parse("rails = [{ rail = 'vgp9', min_mv = 1 }]").unwrap_err();
    assert!(error.contains("\"chip\""), "{error}");
    let text = "name = 'x'\n[dram]\nranks_mib = [512]\n[[i2c]]\nname = 'c'\nbus = 1\n";
    assert!(Board::parse(text).unwrap_err().contains("addresses"));
    assert!(Board::parse(&text.replace("bus = 1", "bus = 2\naddresses = [1]")).is_err());
}
