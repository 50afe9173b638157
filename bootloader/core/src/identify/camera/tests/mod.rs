//! Two sockets on one bus, with sensors that answer only when powered,
//! clocked, released and given their time.

#![allow(clippy::unwrap_used)]

mod every_row;

use super::super::testing::{FakeClock, run, table};
use super::*;
use embedded_hal::i2c::{
    Error, ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation, SevenBitAddress,
};
use std::rc::Rc;
use std::vec::Vec as StdVec;
use unilk_board_db::{CameraBus, Confidence};

const fn row(id: &'static str, address: &'static [u8], bytes: (u8, u8)) -> CameraRow {
    CameraRow {
        id,
        name: id,
        addresses: address,
        address_bytes: bytes.0,
        data_bytes: bytes.1,
        prelude: &[],
        prelude_ms: 0,
        registers: &[],
        values: &[],
        mask: u32::MAX,
        weak: false,
        confidence: Confidence::High,
        bus: CameraBus::Unknown,
        core_mv: 1500,
        runs_with_pdn_high: None,
        compatible: None,
        shipped: 1,
    }
}

const TABLE: [CameraRow; 6] = [
    CameraRow {
        registers: &[0x300A, 0x300B],
        values: &[0x5645],
        core_mv: 1500,
        ..row("ov5645", &[0x3C], (2, 1))
    },
    CameraRow {
        registers: &[0xF0, 0xF1],
        values: &[0x2035],
        core_mv: 1800,
        ..row("gc2035", &[0x3C], (1, 1))
    },
    CameraRow {
        registers: &[0x00],
        values: &[0xC0],
        prelude: &[&[0xFC, 0x16]],
        weak: true,
        ..row("gc0329", &[0x31, 0x3C], (1, 1))
    },
    CameraRow {
        registers: &[0x04],
        values: &[0x96],
        weak: true,
        shipped: 2,
        ..row("hi704", &[0x30], (1, 1))
    },
    CameraRow {
        registers: &[0x04],
        values: &[0x96],
        weak: true,
        shipped: 9,
        ..row("hi708", &[0x30], (1, 1))
    },
    CameraRow {
        registers: &[0x0000],
        values: &[0x4800],
        core_mv: 1200,
        ..row("a5142", &[0x36], (2, 2))
    },
];

#[derive(Clone, Copy)]
struct Sensor {
    address: u8,
    wide: bool,
    min_mv: u16,
    runs_high: bool,
    needs_write: Option<&'static [u8]>,
    registers: &'static [(u16, u8)],
    fill: u8,
    holds_sda: bool,
    /// Whoever has less core supply than he needs holds the data line.
    clamps: bool,
    /// The core supply that destroys it.
    max_mv: u16,
    /// Transfers whose data bytes it refuses.
    refuses: u8,
}

const fn sensor(address: u8, wide: bool, registers: &'static [(u16, u8)]) -> Sensor {
    Sensor {
        address,
        wide,
        min_mv: 0,
        runs_high: true,
        needs_write: None,
        registers,
        fill: 0x11,
        holds_sda: false,
        clamps: false,
        max_mv: u16::MAX,
        refuses: 0,
    }
}

const OV5645: &[(u16, u8)] = &[(0x300A, 0x56), (0x300B, 0x45)];
const GC2035: &[(u16, u8)] = &[(0xF0, 0x20), (0xF1, 0x35)];

#[derive(Default)]
struct Pins {
    mv: u16,
    released: Option<u32>,
    pdn_high: bool,
    pointer: u16,
    /// Something was written that is no register number.
    written: StdVec<StdVec<u8>>,
}

#[derive(Default)]
struct FakePort {
    clock: Rc<FakeClock>,
    sensors: [Option<Sensor>; 2],
    pins: [Pins; 2],
    mclk: bool,
    transfers: usize,
    pulses: usize,
    /// Address of a module's EEPROM: it answers whenever it has its supply.
    eeprom: Option<u8>,
}

#[derive(Debug)]
struct FakeError(ErrorKind);

impl Error for FakeError {
    fn kind(&self) -> ErrorKind {
        self.0
    }
}

impl ErrorType for FakePort {
    type Error = FakeError;
}

impl FakePort {
    fn held(&self) -> bool {
        // The supply is one for both.
        let mv = self.pins.iter().map(|pins| pins.mv).max().unwrap_or(0);
        let mut both = self.sensors.iter().zip(&self.pins);
        both.any(|(sensor, pins)| {
            sensor
                .as_ref()
                .is_some_and(|s| s.holds_sda && pins.mv > 0 || s.clamps && mv < s.min_mv)
        })
    }
}

impl I2c<SevenBitAddress> for FakePort {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), FakeError> {
        self.clock.0.set(self.clock.0.get() + 60);
        self.transfers += 1;
        if self.held() {
            return Err(FakeError(ErrorKind::Bus));
        }
        if self.eeprom == Some(address) && self.pins.iter().any(|pins| pins.mv > 0) {
            let read = matches!(operations, [Operation::Read(_)]);
            assert!(read, "written to the EEPROM");
            return Ok(());
        }
        let now = self.clock.now_us();
        let mclk = self.mclk;
        let awake = |(sensor, pins): &(&mut Sensor, &mut Pins)| {
            sensor.address == address
                && mclk
                && pins.mv >= sensor.min_mv.max(1)
                && pins.pdn_high == sensor.runs_high
                && pins.released.is_some_and(|at| now - at >= 15_000)
        };
        let both = self.sensors.iter_mut().zip(&mut self.pins);
        let mut there = both.filter_map(|(sensor, pins)| Some((sensor.as_mut()?, pins)));
        let nack = FakeError(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown));
        let Some((sensor, pins)) = there.find(awake) else {
            return Err(nack);
        };
        let writes = matches!(operations, [Operation::Write(_), ..]);
        if writes && sensor.refuses > 0 {
            sensor.refuses -= 1;
            return Err(nack);
        }
        for operation in operations {
            match operation {
                Operation::Write(data) => match (sensor.wide, &**data) {
                    (true, &[high, low]) => pins.pointer = u16::from_be_bytes([high, low]),
                    (false, &[register]) => pins.pointer = u16::from(register),
                    (_, other) => pins.written.push(other.to_vec()),
                },
                Operation::Read(out) => {
                    for byte in out.iter_mut() {
                        let open = sensor
                            .needs_write
                            .is_none_or(|key| pins.written.iter().any(|data| data == key));
                        let mut known = sensor.registers.iter();
                        let found = known.find(|(register, _)| open && *register == pins.pointer);
                        *byte = found.map_or(sensor.fill, |&(_, value)| value);
                        pins.pointer += 1;
                    }
                }
            }
        }
        Ok(())
    }
}

impl BusPort for FakePort {
    type Bus = Self;

    fn bus(&mut self) -> &mut Self {
        self
    }

    fn recover(&mut self) -> bool {
        !self.held()
    }
}

impl CameraPort for FakePort {
    fn power(&mut self, socket: Socket, core_mv: u16) {
        let pins = &mut self.pins[socket as usize];
        assert!(pins.released.is_none(), "supplies change in reset only");
        pins.mv = core_mv;
        for sensor in self.sensors.iter().flatten() {
            assert!(core_mv <= sensor.max_mv, "{core_mv} mV destroys somebody");
        }
    }

    fn off(&mut self, socket: Socket) {
        self.pins[socket as usize].mv = 0;
    }

    fn reset(&mut self, socket: Socket, assert: bool) {
        let now = self.clock.now_us();
        let pins = &mut self.pins[socket as usize];
        if !assert {
            assert!(self.mclk, "the clock runs when reset rises");
            self.pulses += 1;
        }
        pins.released = (!assert).then_some(now);
        pins.written.clear();
    }

    fn power_down(&mut self, socket: Socket, high: bool) {
        self.pins[socket as usize].pdn_high = high;
    }

    fn clock(&mut self, on: bool) {
        self.mclk = on;
    }
}

const PINS: CameraWiring = CameraWiring {
    reset: 87,
    power_down: 88,
    runs_with_pdn_high: Some(true),
};

fn ask_wired(
    main: Option<Sensor>,
    sub: Option<Sensor>,
    wiring: [Option<CameraWiring>; 2],
    prefer: [&[u16]; 2],
) -> ([CameraVerdict; 2], FakePort) {
    let mut port = FakePort {
        sensors: [main, sub],
        ..FakePort::default()
    };
    let table = table(&[], &TABLE);
    let clock = Rc::clone(&port.clock);
    let verdicts = run(identify(
        &table,
        &*clock,
        &mut port,
        &(),
        &wiring,
        &Known {
            prefer,
            ..Known::default()
        },
    ));
    assert!(!port.mclk, "clock off");
    for pins in &port.pins {
        assert!(pins.mv == 0 && pins.released.is_none(), "powered down");
    }
    (verdicts, port)
}

fn ask(main: Option<Sensor>, sub: Option<Sensor>) -> [CameraVerdict; 2] {
    ask_wired(main, sub, [Some(PINS); 2], [&[], &[]]).0
}

fn id(verdict: &CameraVerdict) -> Option<&'static str> {
    Some(TABLE[usize::from(verdict.winner?)].id)
}

#[test]
fn both_sockets_are_told_apart_by_their_power() {
    // The same sensor twice is fine: only one is awake at a time.
    let pairs = [
        (
            Some(sensor(0x3C, true, OV5645)),
            Some(sensor(0x3C, false, GC2035)),
        ),
        (
            Some(sensor(0x3C, true, OV5645)),
            Some(sensor(0x3C, true, OV5645)),
        ),
    ];
    for (main, sub) in pairs {
        let expected = if sub.as_ref().unwrap().wide {
            "ov5645"
        } else {
            "gc2035"
        };
        let [main, sub] = ask(main, sub);
        assert_eq!((id(&main), id(&sub)), (Some("ov5645"), Some(expected)));
        assert_eq!((main.address, main.core_mv, main.note), (0x3C, 1200, None));
        assert!(main.took_us < 70_000, "{}", main.took_us);
    }
}

#[test]
fn one_byte_parts_are_never_sent_two_bytes_first() {
    let ([main, _], port) = ask_wired(
        Some(sensor(0x3C, false, GC2035)),
        None,
        [Some(PINS); 2],
        [&[], &[]],
    );
    assert_eq!(id(&main), Some("gc2035"));
    assert!(port.pins[0].written.is_empty());
}

#[test]
fn a_prelude_is_undone_before_others_are_asked() {
    let mut gc0329 = sensor(0x31, false, &[(0x00, 0xC0)]);
    gc0329.needs_write = Some(&[0xFC, 0x16]);
    let [main, _] = ask(Some(gc0329), None);
    assert_eq!((id(&main), main.weak), (Some("gc0329"), true));
    // The prelude reaches an OV5645 at the shared address: it is reset before
    // its own question.
    let (_, port) = ask_wired(
        Some(sensor(0x3C, true, OV5645)),
        None,
        [Some(PINS), None],
        [&[], &[]],
    );
    assert_eq!(port.pulses, 2);
}

#[test]
fn the_core_is_raised_until_it_answers() {
    let mut ov = sensor(0x3C, true, OV5645);
    ov.min_mv = 1500;
    let [main, _] = ask(Some(ov), None);
    assert_eq!((id(&main), main.core_mv), (Some("ov5645"), 1500));
}

#[test]
fn an_unknown_level_of_power_down_is_found() {
    let unknown = CameraWiring {
        runs_with_pdn_high: None,
        ..PINS
    };
    for runs_high in [true, false] {
        let mut ov = sensor(0x3C, true, OV5645);
        ov.runs_high = runs_high;
        let ([main, _], _) = ask_wired(Some(ov), None, [Some(unknown), None], [&[], &[]]);
        assert_eq!((id(&main), main.pdn_high), (Some("ov5645"), runs_high));
    }
}

/// A board says how most of its sensors run; some run otherwise.
#[test]
fn the_other_level_of_power_down_is_tried_before_the_core_is_raised() {
    let mut ov = sensor(0x3C, true, OV5645);
    ov.runs_high = false;
    ov.max_mv = 1300;
    for prefer in [&[0][..], &[]] {
        let ov = Sensor {
            max_mv: if prefer.is_empty() { 1300 } else { 1600 },
            ..ov
        };
        let ([main, _], _) = ask_wired(Some(ov), None, [Some(PINS), None], [prefer, &[]]);
        assert_eq!((id(&main), main.pdn_high), (Some("ov5645"), false));
    }
}

#[test]
fn a_preferred_sensor_of_a_higher_voltage_waits_for_both_sockets() {
    // Main is known with a sensor of 1.8 V, sub with one of 1.2 V.
    let mut low = sensor(0x36, true, &[(0, 0x48), (1, 0)]);
    low.max_mv = 1550;
    let wiring = [Some(PINS); 2];
    let ([main, sub], _) = ask_wired(None, Some(low), wiring, [&[1], &[5]]);
    assert_eq!((id(&main), id(&sub)), (None, Some("a5142")));
}

#[test]
fn what_another_profile_found_limits_the_core() {
    let mut port = FakePort::default();
    let table = table(&[], &TABLE);
    let clock = Rc::clone(&port.clock);
    let low = CameraVerdict {
        winner: Some(5),
        core_mv: 1200,
        ..CameraVerdict::default()
    };
    let known = Known {
        found: [Some(&low), None],
        ..Known::default()
    };
    port.sensors[0] = Some(Sensor {
        max_mv: 1550,
        // Nobody of this profile.
        address: 0x7F,
        ..sensor(0x7F, false, &[])
    });
    let wiring = [None, Some(PINS)];
    let [_, sub] = run(identify(&table, &*clock, &mut port, &(), &wiring, &known));
    assert_eq!(sub.winner, None);
}

#[test]
fn what_answers_at_a_voltage_does_not_forbid_it() {
    // Some boards give it 1.2 V, this one more; the other has 1.8 V.
    let mut low = sensor(0x36, true, &[(0, 0x48), (1, 0)]);
    (low.min_mv, low.max_mv) = (1800, 2000);
    let mut high = sensor(0x3C, false, GC2035);
    high.min_mv = 1800;
    let [main, sub] = ask(Some(low), Some(high));
    assert_eq!((id(&main), main.core_mv), (Some("a5142"), 1800));
    assert_eq!((id(&sub), sub.core_mv), (Some("gc2035"), 1800));
}

#[test]
fn a_register_number_that_is_refused_is_sent_again() {
    for refuses in 1..=2 {
        let gc = Sensor {
            refuses,
            ..sensor(0x3C, false, GC2035)
        };
        let [main, _] = ask(Some(gc), None);
        assert_eq!(id(&main), Some("gc2035"), "refused {refuses} times");
    }
    // For ever: bounded.
    let gc = Sensor {
        refuses: u8::MAX,
        ..sensor(0x3C, false, GC2035)
    };
    let [main, _] = ask(Some(gc), None);
    assert_eq!(main.winner, None);
    assert!(main.took_us < 300_000, "{}", main.took_us);
}

#[test]
fn a_camera_that_clamps_the_bus_is_asked_with_enough_core() {
    let mut gc = sensor(0x3C, false, GC2035);
    (gc.clamps, gc.min_mv) = (true, 1700);
    let [main, sub] = ask(Some(gc), Some(sensor(0x30, false, &[(4, 0x96)])));
    assert_eq!((id(&main), id(&sub)), (Some("gc2035"), Some("hi708")));
    assert_eq!((main.bus, main.note), (BusState::Ok, None));
}

#[test]
fn a_socket_that_was_empty_is_looked_at_once() {
    let look = |main, sub| {
        let mut port = FakePort {
            sensors: [main, sub],
            ..FakePort::default()
        };
        let table = table(&[], &TABLE);
        let clock = Rc::clone(&port.clock);
        let wiring = [Some(PINS); 2];
        let known = Known {
            absent: [true, false],
            ..Known::default()
        };
        run(identify(&table, &*clock, &mut port, &(), &wiring, &known))
    };
    let [main, sub] = look(None, None);
    assert!(main.took_us < 65_000, "{}", main.took_us);
    assert!((170_000..195_000).contains(&sub.took_us), "{}", sub.took_us);
    let [main, _] = look(Some(sensor(0x3C, true, OV5645)), None);
    assert_eq!(id(&main), Some("ov5645"));
}

/// With the built-in rows: time and room.
#[test]
fn the_built_in_search_is_short() {
    use super::super::report::{Builder, Report, Shared};
    let ask = |main, sub| {
        let mut port = FakePort {
            sensors: [main, sub],
            ..FakePort::default()
        };
        let table = table(&[], unilk_board_db::cameras());
        let clock = Rc::clone(&port.clock);
        let wiring = [Some(PINS); 2];
        let known = Known::default();
        let mut room = [0; 8192];
        let log = Shared::new(Builder::new(&mut room));
        let verdicts = run(identify(&table, &*clock, &mut port, &log, &wiring, &known));
        for (socket, verdict) in Socket::ALL.into_iter().zip(&verdicts) {
            verdict.record(socket, &table, &log, 0);
        }
        let report = log.into_inner().finish().to_vec();
        assert_eq!(Report::parse(&report).unwrap().lost, 0);
        let ids = verdicts
            .clone()
            .map(|verdict| Some(table.cameras[usize::from(verdict.winner?)].id));
        (verdicts, ids, report.len())
    };
    let (verdicts, ids, bytes) = ask(None, None);
    assert_eq!(ids, [None; 2]);
    for verdict in verdicts {
        assert!(verdict.took_us <= 200_000, "{}", verdict.took_us);
    }
    assert!(bytes < 900, "{bytes} bytes");
    let sub = sensor(0x3C, false, GC2035);
    let (_, ids, bytes) = ask(Some(sensor(0x3C, true, OV5645)), Some(sub));
    assert_eq!(ids, [Some("ov5645"), Some("gc2035")]);
    assert!(bytes < 1500, "{bytes} bytes");
}

#[test]
fn a_known_sensor_is_asked_alone() {
    let ([main, sub], port) = ask_wired(
        Some(sensor(0x3C, true, OV5645)),
        Some(sensor(0x30, false, &[(4, 0x96)])),
        [Some(PINS); 2],
        [&[0], &[3]],
    );
    assert_eq!((id(&main), main.core_mv), (Some("ov5645"), 1500));
    assert_eq!(id(&sub), Some("hi704"), "the preferred of two that fit");
    assert_eq!(port.transfers, 6, "each read is a write and a read");
    // It was exchanged: the search finds the other.
    let ([main, _], _) = ask_wired(
        Some(sensor(0x3C, false, GC2035)),
        None,
        [Some(PINS); 2],
        [&[0], &[]],
    );
    assert_eq!(id(&main), Some("gc2035"));
}

#[test]
fn sensors_that_answer_alike_are_all_listed() {
    let [main, _] = ask(Some(sensor(0x30, false, &[(4, 0x96)])), None);
    assert_eq!(
        (id(&main), main.fits.len(), main.weak),
        (Some("hi708"), 2, true)
    );
}

#[test]
fn a_camera_that_holds_the_bus_does_not_hide_the_other() {
    let mut holder = sensor(0x3C, true, OV5645);
    holder.holds_sda = true;
    let [main, sub] = ask(Some(holder), Some(sensor(0x3C, false, GC2035)));
    assert_eq!((id(&main), main.bus), (None, BusState::Stuck));
    assert_eq!(main.note, Some(CameraNote::Stuck));
    assert_eq!((id(&sub), sub.bus), (Some("gc2035"), BusState::Ok));
}

#[test]
fn nobody_nonsense_and_strangers_are_said() {
    let [main, sub] = ask(None, None);
    assert_eq!((id(&main), main.note), (None, Some(CameraNote::Silent)));
    assert!(main.took_us + sub.took_us < 390_000, "{}", main.took_us);
    for fill in [0x00, 0xFF] {
        let mut odd = sensor(0x3C, false, &[]);
        odd.fill = fill;
        let [main, _] = ask(Some(odd), None);
        assert_eq!(main.note, Some(CameraNote::Suspicious { address: 0x3C }));
    }
    let [main, _] = ask(Some(sensor(0x36, true, &[(0, 0x12)])), None);
    assert_eq!(main.note, Some(CameraNote::Unknown { address: 0x36 }));
    let ([main, _], port) = ask_wired(None, None, [None, None], [&[], &[]]);
    assert_eq!(main.note, Some(CameraNote::NoSocket));
    assert_eq!(port.transfers, 0);
}

/// What an ID may need is bounded; no row of the built-in table needs more.
#[test]
fn the_built_in_rows_fit() {
    for row in unilk_board_db::cameras() {
        let bytes = row.registers.len() * usize::from(row.data_bytes);
        assert!((1..=4).contains(&bytes), "{}: {bytes}", row.id);
        assert!([1, 2].contains(&row.address_bytes), "{}", row.id);
        assert!(
            CORE_MV.contains(&row.core_mv),
            "{}: {}",
            row.id,
            row.core_mv
        );
    }
}

#[test]
fn a_reset_undoes_what_the_next_question_leaves_of_the_one_before() {
    const fn after(id: &'static str, prelude: &'static [&'static [u8]]) -> CameraRow {
        CameraRow {
            prelude,
            registers: &[0x0040],
            values: &[0x08AA],
            ..row(id, &[0x3C], (2, 2))
        }
    }
    const PAGE: CameraRow = after("page", &[&[0xFC, 0xFC, 0x00, 0x00]]);
    const POINTER: CameraRow = after(
        "pointer",
        &[&[0xFC, 0xFC, 0xD0, 0x00], &[0x00, 0x2C, 0x70, 0x00]],
    );
    const MEMORY: CameraRow = after("memory", &[&[0x0A, 0x02, 0x1F]]);
    const LIKE_PAGE: CameraRow = CameraRow {
        values: &[0x05CA],
        ..PAGE
    };
    let resets = |rows: &[CameraRow]| {
        let mut port = FakePort {
            sensors: [Some(sensor(0x3C, true, &[])), None],
            ..FakePort::default()
        };
        let table = table(&[], rows);
        let clock = Rc::clone(&port.clock);
        let wiring = [Some(PINS), None];
        let known = Known::default();
        let [main, _] = run(identify(&table, &*clock, &mut port, &(), &wiring, &known));
        assert_eq!(main.note, Some(CameraNote::Unknown { address: 0x3C }));
        port.pulses
    };
    // Three voltages, two levels of power-down; it runs at one of them.
    assert_eq!(resets(&[PAGE]), 6);
    assert_eq!(resets(&[PAGE, LIKE_PAGE]), 6, "the same writes");
    assert_eq!(resets(&[PAGE, POINTER]), 6, "writes the page anew");
    assert_eq!(resets(&[POINTER, PAGE]), 9, "leaves the pointer");
    assert_eq!(resets(&[PAGE, MEMORY]), 9, "leaves the page");
}

#[test]
fn an_eeprom_where_sensors_may_be_is_not_written_to() {
    let find = |main| {
        let mut port = FakePort {
            sensors: [main, None],
            eeprom: main.is_none().then_some(0x56),
            ..FakePort::default()
        };
        let rows = unilk_board_db::cameras();
        let table = table(&[], rows);
        let clock = Rc::clone(&port.clock);
        let number = rows.iter().position(|row| row.id == "s5k4ecgx").unwrap();
        let known = Known {
            prefer: [&[number as u16], &[]],
            ..Known::default()
        };
        let wiring = [Some(PINS); 2];
        let [main, _] = run(identify(&table, &*clock, &mut port, &(), &wiring, &known));
        main.winner.map(|number| rows[usize::from(number)].id)
    };
    assert_eq!(find(None), None);
    // A sensor there is silent in reset.
    let mut there = sensor(0x56, true, &[(0x0F12, 0x4E), (0x0F13, 0xC0)]);
    there.needs_write = Some(&[0x00, 0x2E, 0x01, 0xA4]);
    assert_eq!(find(Some(there)), Some("s5k4ecgx"));
}
