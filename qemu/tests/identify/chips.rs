//! The touch chips and cameras of the matrix at the level of their models:
//! each answers as the fact sheets say that a driver asks, and only once it
//! has its supplies, its clock, its pins and its time.
//!
//! Source: facts/i2c-touch-camera.md 2.4, 3, 3.1, 4.2 to 4.5.

use mt6572_qemu::board::Board;
use mt6572_qemu::chips::Wires;
use mt6572_qemu::chips::config::{Chip, Role, rail};

use crate::bench::Bench;
use crate::expect;

/// Highest supply of a touch chip, and of a camera's parts.
const TOUCH_MV: u16 = 2800;

/// One bus of a board.
struct Bus {
    bench: Bench,
    wires: Wires,
}

impl Bus {
    fn new(bus: u8, board: &Board) -> Bus {
        let mut this = Bus {
            bench: Bench::new(board),
            wires: Wires::new(bus, &board.i2c),
        };
        this.look();
        this
    }

    fn look(&mut self) {
        self.wires.observe("I2C", &mut self.bench.cx());
    }

    fn wait(&mut self, ms: u64) {
        self.bench.wait(ms);
        self.look();
    }

    fn drive(&mut self, pin: u8, high: bool) {
        self.bench.drive(pin.into(), high);
        self.look();
    }

    fn write(&mut self, address: u8, bytes: &[u8]) -> bool {
        let (now, signals) = (self.bench.now, &self.bench.signals);
        let taken = self.wires.start(address, false, now, signals)
            && bytes.iter().all(|&byte| self.wires.write(byte, signals));
        self.wires.end(true, now);
        self.look();
        taken
    }

    fn read(&mut self, address: u8, len: usize) -> Option<Vec<u8>> {
        let (now, signals) = (self.bench.now, &self.bench.signals);
        let bytes = self
            .wires
            .start(address, true, now, signals)
            .then(|| (0..len).map(|_| self.wires.read(signals)).collect());
        self.wires.end(true, now);
        self.look();
        bytes
    }

    /// Supplies of a chip, each in the middle of what it takes.
    fn supply(&mut self, chip: &Chip, on: bool) {
        for supply in &chip.rails {
            let mv = match supply.rail.as_str() {
                "vcamd" => supply.min_mv + 50,
                "vcam_io" | "vio18" => 1800,
                _ => TOUCH_MV,
            };
            let mv = if on { mv } else { 0 };
            self.bench.signals.rails_mv[rail(&supply.rail).unwrap() as usize] = mv;
        }
        self.look();
    }

    /// Pins to the level that lets the chip run, or to the other.
    fn pins(&mut self, chip: &Chip, role: Role, run: bool) {
        for pin in chip.pins.iter().filter(|pin| pin.role == role) {
            self.drive(pin.pin, pin.high == run);
        }
    }

    fn is_clean(&self, file: &str) {
        let complaints: Vec<_> = self.bench.reports.iter().map(|r| &r.message).collect();
        assert!(complaints.is_empty(), "{file}: {complaints:?}");
    }
}

/// A message: address, bytes to write, bytes that the answer begins with.
type Step = (u8, &'static [u8], &'static [u8]);

const MSTAR: [Step; 4] = [
    (0x62, &[0x53, 0x45, 0x52, 0x44, 0x42], &[]),
    (0x62, &[0x37], &[]),
    (0x62, &[0x35], &[]),
    (0x62, &[0x71], &[]),
];
const MSG22XX: [Step; 4] = [
    (0x59, &[0x53, 0x45, 0x52, 0x44, 0x42], &[]),
    (0x59, &[0x37], &[]),
    (0x59, &[0x35], &[]),
    (0x59, &[0x71], &[]),
];

/// Chip, what opens it, and what then tells it. Source:
/// facts/i2c-touch-camera.md 3, 3.1.
#[rustfmt::skip]
const TOUCH: &[(&str, &[Step], &[Step])] = &[
    ("aw5206", &[], &[(0x38, &[0x01], &[0xA8])]),
    ("cst3xx", &[(0x1A, &[0xD1, 0x01], &[])], &[(0x1A, &[0xD2, 0x04], &[0x01, 0x00, 0x8C, 0x00])]),
    ("ektf2k", &[(0x15, &[], &[0x55, 0x55, 0x55, 0x55])], &[(0x15, &[0x53, 0x00, 0x00, 0x01], &[0x52])]),
    ("ft5336i", &[], &[(0x38, &[0xA3], &[0x11])]),
    ("ft5436i", &[], &[(0x38, &[0xA3], &[0x12])]),
    ("ft5606", &[], &[(0x38, &[0xA3], &[0x08])]),
    ("ft5x06", &[], &[(0x38, &[0xA3], &[0x55])]),
    ("ft5x16", &[], &[(0x38, &[0xA3], &[0x0A])]),
    ("ft5x46", &[], &[(0x38, &[0xA3], &[0x54])]),
    ("ft6208", &[], &[(0x38, &[0xA3], &[0x05])]),
    ("ft6x06", &[], &[(0x38, &[0xA3], &[0x06])]),
    ("ft6x36", &[], &[(0x38, &[0xA3], &[0x36])]),
    ("fts2a052", &[], &[(0x49, &[0xB6, 0x00, 0x07], &[0x00, 0x39, 0x80])]),
    ("gsl168x", &[(0x40, &[0xF0, 0x12], &[])], &[(0x40, &[0xF0], &[0x12])]),
    ("gt911", &[], &[(0x5D, &[0x42, 0x20], &[0x00, 0x06, 0x90, 0x00]), (0x5D, &[0x81, 0x40], b"911\0")]),
    ("gt912", &[], &[(0x5D, &[0x81, 0x40], b"912\0")]),
    ("gt9147", &[], &[(0x5D, &[0x81, 0x40], b"9147")]),
    ("gt915", &[], &[(0x5D, &[0x81, 0x40], b"915\0")]),
    ("gt9271", &[], &[(0x5D, &[0x81, 0x40], b"9271")]),
    ("gt928", &[], &[(0x5D, &[0x81, 0x40], b"928\0")]),
    ("hx852x", &[], &[(0x48, &[0xD1], &[0x05, 0x85, 0x26])]),
    ("icn83xx", &[], &[(0x40, &[0x0A], &[0x83])]),
    ("icn85xx", &[(0x30, &[0xCC, 0x33, 0x55, 0x5A], &[])], &[(0x30, &[0x04, 0x00, 0x00], &[0x00, 0x05, 0x85])]),
    ("mit200", &[], &[(0x34, &[0x10, 0xE0], b"MIT200")]),
    ("mms128", &[], &[(0x48, &[0xF1], &[0x10])]),
    ("mms244", &[], &[(0x20, &[0xC4], &[0x21])]),
    ("msg2133", &MSTAR, &[(0x62, &[0x10, 0x1E, 0xCC], &[0x01])]),
    ("msg2133a", &MSTAR, &[(0x62, &[0x10, 0x1E, 0xCC], &[0x02]), (0x62, &[0x10, 0x3C, 0xEA], &[0x01])]),
    ("msg2138a", &MSTAR, &[(0x62, &[0x10, 0x1E, 0xCC], &[0x02]), (0x62, &[0x10, 0x3C, 0xEA], &[0x03])]),
    ("msg22xx", &MSG22XX, &[(0x59, &[0x10, 0x1E, 0xCC], &[0x7A])]),
    ("s2202", &[(0x20, &[0xFF, 0x00], &[])], &[(0x20, &[0xEE], &[0x34]), (0x20, &[0xE8], &[0x01]), (0x20, &[0x90], &[0x01])]),
    ("s3202", &[(0x22, &[0xFF, 0x00], &[])], &[(0x22, &[0xEE], &[0x34]), (0x22, &[0x90], &[0x01])]),
    ("s7020", &[(0x38, &[0xFF, 0x00], &[])], &[(0x38, &[0xEE], &[0x34]), (0x38, &[0x90], &[0x01])]),
    ("zinitix-bt4xx", &[(0x20, &[0x00, 0xC0, 0x01, 0x00], &[])], &[(0x20, &[0x00, 0xCC], &[0x00, 0xF4])]),
];

/// Supplies, reset with INT low (Goodix at 0x5D), and the time that every
/// family takes. Source: facts/i2c-touch-camera.md 2.4.
fn start_touch(bus: &mut Bus, chip: &Chip) {
    bus.pins(chip, Role::Reset, false);
    bus.pins(chip, Role::Enable, false);
    bus.drive(129, false);
    bus.supply(chip, true);
    bus.wait(20);
    bus.pins(chip, Role::Enable, true);
    bus.pins(chip, Role::Reset, true);
    bus.wait(60);
    bus.bench.release(129);
    bus.wait(260);
}

#[test]
fn each_touch_chip_answers_as_the_facts_say() {
    let mut asked = std::collections::BTreeSet::new();
    for expected in expect::all()
        .iter()
        .filter(|expected| !expected.has_fault())
    {
        let Some([id]) = expected.touch.as_deref() else {
            continue;
        };
        let row = TOUCH.iter().find(|(of, ..)| of == id);
        let (_, open, tell) = row.unwrap_or_else(|| panic!("{id} is not asked for"));
        let board = expected.board();
        let chip = board.i2c.iter().find(|chip| chip.bus == 1).unwrap();
        let mut bus = Bus::new(1, &board);
        let (address, ..) = tell[0];
        assert_eq!(bus.read(address, 1), None, "{}: no supply", expected.file);
        start_touch(&mut bus, chip);
        for (address, write, answer) in *open {
            let taken = write.is_empty() || bus.write(*address, write);
            assert!(taken, "{}", expected.file);
            if !answer.is_empty() {
                assert_eq!(bus.read(*address, answer.len()).as_deref(), Some(*answer));
            }
        }
        bus.wait(100);
        for (address, write, answer) in *tell {
            assert!(bus.write(*address, write), "{}", expected.file);
            assert_eq!(
                bus.read(*address, answer.len()).as_deref(),
                Some(*answer),
                "{}: {write:02X?}",
                expected.file
            );
        }
        bus.is_clean(&expected.file);
        asked.insert(id.clone());
    }
    assert!(asked.len() >= 30, "{asked:?}");
}

/// Sensor, address, writes before, and the registers with what they hold.
type Sensor = (
    &'static str,
    u8,
    &'static [&'static [u8]],
    &'static [(&'static [u8], &'static [u8])],
);

/// Source: facts/i2c-touch-camera.md 4.5.
#[rustfmt::skip]
const SENSORS: &[Sensor] = &[
    ("bf3905", 0x6E, &[], &[(&[0xFC], &[0x39]), (&[0xFD], &[0x05])]),
    ("gc0308", 0x21, &[], &[(&[0x00], &[0x9B])]),
    ("gc0309", 0x21, &[], &[(&[0x00], &[0xA0])]),
    ("gc0310", 0x21, &[], &[(&[0xF0], &[0xA3]), (&[0xF1], &[0x10])]),
    ("gc0311", 0x33, &[], &[(&[0xF0], &[0xBB])]),
    ("gc0312", 0x21, &[], &[(&[0xF0], &[0xB3]), (&[0xF1], &[0x10])]),
    ("gc0313", 0x21, &[], &[(&[0xF0], &[0xD0])]),
    ("gc0328", 0x21, &[], &[(&[0xF0], &[0x9D])]),
    ("gc0329", 0x31, &[&[0xFC, 0x16]], &[(&[0x00], &[0xC0])]),
    ("gc2035", 0x3C, &[], &[(&[0xF0], &[0x20]), (&[0xF1], &[0x35])]),
    ("gc2145", 0x3C, &[], &[(&[0xF0], &[0x21]), (&[0xF1], &[0x45])]),
    ("gc2155", 0x3C, &[], &[(&[0xF0], &[0x21]), (&[0xF1], &[0x55])]),
    ("gc2235", 0x3C, &[], &[(&[0xF0], &[0x22]), (&[0xF1], &[0x35])]),
    ("gc2355", 0x3C, &[], &[(&[0xF0], &[0x23]), (&[0xF1], &[0x55])]),
    ("hi253", 0x20, &[], &[(&[0x04], &[0x92])]),
    ("hi257", 0x20, &[], &[(&[0x04], &[0xC4])]),
    ("hi258", 0x20, &[], &[(&[0x04], &[0xD1])]),
    ("hi351", 0x20, &[], &[(&[0x04], &[0xA4])]),
    ("hi704", 0x30, &[], &[(&[0x04], &[0x96])]),
    ("hi707", 0x30, &[], &[(&[0x04], &[0xB8])]),
    ("hi708", 0x30, &[], &[(&[0x04], &[0x96])]),
    ("hm5065", 0x1F, &[], &[(&[0x00, 0x00], &[0x03]), (&[0x00, 0x01], &[0x9E])]),
    ("mt9t113", 0x3C, &[], &[(&[0x00, 0x00], &[0x46, 0x80])]),
    ("ov2640", 0x30, &[&[0xFF, 0x01]], &[(&[0x0A], &[0x26]), (&[0x0B], &[0x42])]),
    ("ov2655", 0x30, &[], &[(&[0x30, 0x0A], &[0x26]), (&[0x30, 0x0B], &[0x56])]),
    ("ov2659", 0x30, &[], &[(&[0x30, 0x0A], &[0x26]), (&[0x30, 0x0B], &[0x56])]),
    ("ov2675", 0x30, &[], &[(&[0x30, 0x0A], &[0x26]), (&[0x30, 0x0B], &[0x56])]),
    ("ov5640", 0x3C, &[], &[(&[0x30, 0x0A], &[0x56]), (&[0x30, 0x0B], &[0x40])]),
    ("ov5645", 0x3C, &[], &[(&[0x30, 0x0A], &[0x56]), (&[0x30, 0x0B], &[0x45])]),
    ("ov5647", 0x36, &[], &[(&[0x30, 0x0A], &[0x56]), (&[0x30, 0x0B], &[0x47])]),
    ("ov5648", 0x36, &[], &[(&[0x30, 0x0A], &[0x56]), (&[0x30, 0x0B], &[0x48])]),
    ("ov7690", 0x21, &[], &[(&[0x0A], &[0x76]), (&[0x0B], &[0x91])]),
    ("ov7695", 0x21, &[], &[(&[0x30, 0x0A], &[0x76]), (&[0x30, 0x0B], &[0x95])]),
    ("ov9726", 0x10, &[], &[(&[0x00, 0x00], &[0x97]), (&[0x00, 0x01], &[0x26])]),
    ("s5k4ecgx", 0x3C, &[&[0xFC, 0xFC, 0xD0, 0x00], &[0x00, 0x2C, 0x70, 0x00], &[0x00, 0x2E, 0x01, 0xA4]], &[(&[0x0F, 0x12], &[0x4E, 0xC0])]),
    ("s5k4h5", 0x10, &[], &[(&[0x00, 0x00], &[0x48]), (&[0x00, 0x01], &[0x5B])]),
    ("s5k5eayx", 0x2D, &[&[0xFC, 0xFC, 0xD0, 0x00], &[0x00, 0x2C, 0x20, 0x00], &[0x00, 0x2E, 0x00, 0x00]], &[(&[0x0F, 0x12], &[0x5E, 0xA1])]),
    ("s5k8aayx", 0x10, &[&[0xFC, 0xFC, 0x00, 0x00]], &[(&[0x00, 0x40], &[0x08, 0xAA])]),
    ("siv120", 0x33, &[&[0x00, 0x00]], &[(&[0x01], &[0x12])]),
    ("sp0718", 0x21, &[&[0xFD, 0x00]], &[(&[0x02], &[0x71])]),
    ("sp0a19", 0x21, &[&[0xFD, 0x00]], &[(&[0x02], &[0xA6])]),
    ("sp0a28", 0x3D, &[], &[(&[0x02], &[0xA2])]),
    ("sp2518", 0x30, &[&[0xFD, 0x00]], &[(&[0x02], &[0x53])]),
    ("sp2519", 0x30, &[&[0xFD, 0x00]], &[(&[0x02], &[0x25])]),
    ("sp2529", 0x30, &[&[0xFD, 0x00]], &[(&[0x02], &[0x25])]),];

/// The general recipe of facts/i2c-touch-camera.md 4.2, for one socket while
/// the other is off.
fn start_camera(bus: &mut Bus, chips: &[&Chip], which: usize) {
    for chip in chips {
        bus.pins(chip, Role::Reset, false);
        bus.pins(chip, Role::Standby, false);
    }
    bus.supply(chips[which], true);
    bus.wait(10);
    bus.bench.signals.cmmclk_hz = Some(24_000_000);
    bus.look();
    bus.pins(chips[which], Role::Standby, true);
    bus.wait(5);
    bus.pins(chips[which], Role::Reset, true);
    bus.wait(20);
}

fn tells(bus: &mut Bus, sensor: &Sensor) -> bool {
    let (_, address, before, registers) = sensor;
    before.iter().all(|write| bus.write(*address, write))
        && registers.iter().all(|(register, value)| {
            bus.write(*address, register)
                && bus.read(*address, value.len()).as_deref() == Some(*value)
        })
}

#[test]
fn each_camera_answers_as_the_facts_say() {
    let mut asked = std::collections::BTreeSet::new();
    for expected in expect::all()
        .iter()
        .filter(|expected| !expected.has_fault())
    {
        let board = expected.board();
        let chips: Vec<_> = board.i2c.iter().filter(|chip| chip.bus == 0).collect();
        let wanted = [&expected.camera_main, &expected.camera_sub];
        let fitted = wanted.into_iter().flatten().filter(|list| !list.is_empty());
        for (socket, list) in fitted.enumerate() {
            // Of those that say the same, all must be told by what it says.
            for id in list {
                let sensor = SENSORS.iter().find(|sensor| sensor.0 == id);
                let sensor = sensor.unwrap_or_else(|| panic!("{id} is not asked for"));
                let mut bus = Bus::new(0, &board);
                assert!(!tells(&mut bus, sensor), "{}: no supply", expected.file);
                start_camera(&mut bus, &chips, socket);
                assert!(tells(&mut bus, sensor), "{}: {id}", expected.file);
                bus.is_clean(&expected.file);
                bus.bench.signals.cmmclk_hz = None;
                bus.look();
                assert!(!tells(&mut bus, sensor), "{}: no clock", expected.file);
                asked.insert(id.clone());
            }
        }
    }
    assert!(asked.len() >= 30, "{asked:?}");
}
