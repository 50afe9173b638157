//! A bus with chips that answer only when their time has come.

#![allow(clippy::unwrap_used)]

use super::super::testing::{FakeClock, run, table};
use super::*;
use embedded_hal::i2c::{
    Error, ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation, SevenBitAddress,
};
use std::rc::Rc;
use std::vec::Vec as StdVec;
use unilk_board_db::{Expect, FromAnswer, ProbeStep};

const STEP: ProbeStep = ProbeStep {
    address: None,
    write: &[],
    write_from: None,
    read_len: 0,
    stop: false,
    expect: None,
    optional: false,
    delay_ms: 0,
};

const fn ask(write: &'static [u8], expect: &'static [&'static [u8]]) -> ProbeStep {
    ProbeStep {
        write,
        read_len: expect[0].len() as u8,
        expect: Some(Expect {
            offset: 0,
            mask: &[],
            values: expect,
            invert: false,
        }),
        ..STEP
    }
}

const fn row(
    id: &'static str,
    addresses: &'static [u8],
    wait_ms: u16,
    probe: &'static [ProbeStep],
) -> TouchRow {
    TouchRow {
        id,
        name: id,
        family: id,
        addresses,
        probe,
        exit: &[],
        intrusive: false,
        weak: false,
        wait_ms,
        vendor_id: None,
        version: None,
        compatible: None,
        driver: id,
        shipped: 1,
    }
}

const FOCALTECH: TouchRow = TouchRow {
    family: "focaltech",
    vendor_id: Some(ExtraRead {
        write: &[0xA8],
        len: 1,
    }),
    version: Some(ExtraRead {
        write: &[0xA6],
        len: 1,
    }),
    ..row("ft6x06", &[0x38, 0x39], 200, &[ask(&[0xA3], &[&[0x06]])])
};
const TABLE: [TouchRow; 7] = [
    row(
        "gt911",
        &[0x5D, 0x14],
        56,
        &[ask(&[0x81, 0x40], &[b"911\0"])],
    ),
    row(
        "gt927",
        &[0x5D, 0x14],
        56,
        &[ask(&[0x81, 0x40], &[b"927\0"])],
    ),
    FOCALTECH,
    TouchRow {
        family: "focaltech",
        ..row("ft5x06", &[0x38, 0x39], 200, &[ask(&[0xA3], &[&[0x55]])])
    },
    TouchRow {
        intrusive: true,
        exit: &[ProbeStep {
            address: Some(0x62),
            write: &[0x45],
            ..STEP
        }],
        ..row(
            "msg2133",
            &[0x26],
            100,
            &[
                ProbeStep {
                    address: Some(0x62),
                    write: &[0x53],
                    delay_ms: 100,
                    ..STEP
                },
                ProbeStep {
                    address: Some(0x62),
                    ..ask(&[0x10, 0x1E], &[&[0x01]])
                },
            ],
        )
    },
    // The place of the second answer is in the first.
    row(
        "synaptics",
        &[0x20],
        100,
        &[
            ProbeStep {
                read_len: 1,
                write: &[0xE9],
                ..STEP
            },
            ProbeStep {
                write: &[],
                write_from: Some(FromAnswer { step: 0, byte: 0 }),
                ..ask(&[], &[&[0x01]])
            },
        ],
    ),
    TouchRow {
        weak: true,
        ..row("ft-any", &[0x38], 200, &[ask(&[0x00], &[&[0x00], &[0x10]])])
    },
];
const GT911: u16 = 0;
const FT6X06: u16 = 2;
const MSG2133: u16 = 4;

/// A chip: address, ms after reset, and what it answers to what is written.
struct FakeChip {
    address: u8,
    wait_ms: u32,
    answers: &'static [(&'static [u8], &'static [u8])],
    fill: u8,
}

const fn chip(
    address: u8,
    wait_ms: u32,
    answers: &'static [(&'static [u8], &'static [u8])],
) -> FakeChip {
    FakeChip {
        address,
        wait_ms,
        answers,
        fill: 0,
    }
}

#[derive(Default)]
struct FakeBus {
    clock: Rc<FakeClock>,
    chips: StdVec<FakeChip>,
    /// Pins and supplies, as last set.
    powered: bool,
    asserted: bool,
    interrupt: Option<bool>,
    released: u32,
    pointer: StdVec<u8>,
    transfers: StdVec<(u8, StdVec<u8>)>,
    /// Transfers until somebody holds SDA, and recoveries until he lets go.
    holds_after: Option<usize>,
    hold_for: u8,
    recoveries: u8,
    /// This transfer is not acknowledged.
    nack_at: Option<usize>,
}

#[derive(Debug)]
struct FakeError(ErrorKind);

impl Error for FakeError {
    fn kind(&self) -> ErrorKind {
        self.0
    }
}

impl ErrorType for FakeBus {
    type Error = FakeError;
}

impl I2c<SevenBitAddress> for FakeBus {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), FakeError> {
        assert!(
            self.powered && !self.asserted,
            "asked without power or in reset"
        );
        self.clock.0.set(self.clock.0.get() + 40);
        let known = |row: &TouchRow| {
            let steps = row.probe.iter().chain(row.exit);
            row.addresses.contains(&address)
                || steps.into_iter().any(|s| s.address == Some(address))
        };
        assert!(TABLE.iter().any(known), "address {address:#x} is nobody's");
        let number = self.transfers.len();
        self.transfers.push((address, StdVec::new()));
        if self.holds_after.is_some_and(|after| number >= after) {
            return Err(FakeError(ErrorKind::Bus));
        }
        let nack = Err(FakeError(ErrorKind::NoAcknowledge(
            NoAcknowledgeSource::Unknown,
        )));
        if self.nack_at == Some(number) {
            return nack;
        }
        let awake = self.clock.now_us().wrapping_sub(self.released);
        let there = |chip: &&FakeChip| chip.address == address && awake >= chip.wait_ms * 1000;
        let Some(chip) = self.chips.iter().find(there) else {
            return nack;
        };
        for operation in operations {
            match operation {
                Operation::Write(data) => {
                    self.pointer = data.to_vec();
                    self.transfers[number].1.extend_from_slice(data);
                }
                Operation::Read(out) => {
                    out.fill(chip.fill);
                    let mut answers = chip.answers.iter();
                    if let Some((_, data)) = answers.find(|(key, _)| *key == self.pointer) {
                        let len = out.len().min(data.len());
                        out[..len].copy_from_slice(&data[..len]);
                    }
                }
            }
        }
        Ok(())
    }
}

impl BusPort for FakeBus {
    type Bus = Self;

    fn bus(&mut self) -> &mut Self {
        self
    }

    fn recover(&mut self) -> bool {
        self.recoveries += 1;
        if self.recoveries > self.hold_for {
            self.holds_after = None;
        }
        self.holds_after.is_none()
    }
}

impl TouchPort for FakeBus {
    fn reset(&mut self, assert: bool) {
        if self.asserted && !assert {
            assert_eq!(self.interrupt, Some(true), "selects the address");
            self.released = self.clock.now_us();
        }
        self.asserted = assert;
    }

    fn enable(&mut self, on: bool) {
        assert_eq!(on, !self.asserted);
    }

    fn interrupt_low(&mut self, drive: Option<bool>) {
        self.interrupt = drive;
    }

    fn supplies(&mut self, on: bool) {
        self.powered = on;
    }
}

fn identify_on(bus: &mut FakeBus, prefer: &[u16]) -> TouchVerdict {
    let table = table(&TABLE, &[]);
    let clock = Rc::clone(&bus.clock);
    let verdict = run(identify(&table, &*clock, bus, &(), prefer));
    assert!(
        !bus.powered && bus.asserted && bus.interrupt.is_none(),
        "powered down"
    );
    assert!(verdict.took_us <= LIMIT_US + 50_000);
    verdict
}

fn bus(chips: impl Into<StdVec<FakeChip>>) -> FakeBus {
    FakeBus {
        chips: chips.into(),
        asserted: true,
        ..FakeBus::default()
    }
}

fn goodix() -> FakeChip {
    chip(0x5D, 56, &[(&[0x81, 0x40], b"911\0")])
}

fn focaltech() -> FakeChip {
    let answers: &[(&[u8], &[u8])] = &[(&[0xA3], &[0x06]), (&[0xA8], &[0x79]), (&[0xA6], &[0x12])];
    chip(0x38, 200, answers)
}

fn id(verdict: &TouchVerdict) -> Option<&'static str> {
    Some(TABLE[usize::from(verdict.chip()?.row)].id)
}

#[test]
fn each_family_is_asked_at_its_time() {
    let verdict = identify_on(&mut bus([goodix()]), &[]);
    assert_eq!((id(&verdict), verdict.note), (Some("gt911"), None));
    assert!(verdict.took_us < 80_000, "{} us", verdict.took_us);
    let verdict = identify_on(&mut bus([focaltech()]), &[]);
    assert_eq!(id(&verdict), Some("ft6x06"));
    assert!((222_000..226_000).contains(&verdict.took_us));
    let found = verdict.chip().unwrap();
    assert_eq!(
        (&found.vendor[..], &found.version[..]),
        (&[0x79][..], &[0x12][..])
    );
}

#[test]
fn what_is_known_is_asked_alone() {
    let mut bus = bus([goodix(), focaltech()]);
    let verdict = identify_on(&mut bus, &[FT6X06]);
    assert_eq!((id(&verdict), verdict.chips.len()), (Some("ft6x06"), 1));
    assert!(bus.transfers.iter().all(|&(address, _)| address == 0x38));
    // Another was fitted: the search goes on.
    let verdict = identify_on(&mut self::bus([goodix()]), &[FT6X06]);
    assert_eq!(id(&verdict), Some("gt911"));
}

#[test]
fn rows_of_one_family_share_their_questions() {
    let mut bus = bus([chip(0x38, 200, &[(&[0xA3], &[0x55])])]);
    let verdict = identify_on(&mut bus, &[]);
    assert_eq!(id(&verdict), Some("ft5x06"));
    let asked = bus.transfers.iter().filter(|(_, sent)| sent == &[0xA3]);
    assert!(asked.count() <= 2, "{:?}", bus.transfers);
}

#[test]
fn intrusive_probes_need_an_acknowledge_and_leave() {
    let mut nobody = bus([chip(0x62, 0, &[])]);
    let verdict = identify_on(&mut nobody, &[]);
    assert_eq!(id(&verdict), None);
    assert!(nobody.transfers.iter().all(|&(address, _)| address != 0x62));
    let mut bus = bus([
        chip(0x26, 50, &[]),
        chip(0x62, 0, &[(&[0x10, 0x1E], &[0x01])]),
    ]);
    let verdict = identify_on(&mut bus, &[]);
    assert_eq!(verdict.chip().map(|chip| chip.row), Some(MSG2133));
    assert!(
        bus.transfers.contains(&(0x62, std::vec![0x45])),
        "debug mode is left"
    );
}

#[test]
fn an_answer_may_name_the_next_question() {
    let chips = [chip(0x20, 100, &[(&[0xE9], &[0x7C]), (&[0x7C], &[0x01])])];
    assert_eq!(id(&identify_on(&mut bus(chips), &[])), Some("synaptics"));
}

#[test]
fn two_chips_are_both_reported() {
    let mut early = focaltech();
    early.wait_ms = 50;
    let verdict = identify_on(&mut bus([goodix(), early]), &[]);
    assert_eq!(
        (verdict.chips.len(), verdict.note),
        (2, Some(TouchNote::Two))
    );
    assert_eq!(id(&verdict), Some("gt911"), "the first of equals");
    let mut early = focaltech();
    early.wait_ms = 50;
    // A preferred row that is not there first, one that is second.
    let verdict = identify_on(&mut bus([goodix(), early]), &[1, GT911]);
    assert_eq!(id(&verdict), Some("gt911"));
}

#[test]
fn zeros_and_ones_are_nobody() {
    for fill in [0x00, 0xFF] {
        let mut odd = chip(0x38, 0, &[]);
        odd.fill = fill;
        let verdict = identify_on(&mut bus([odd]), &[]);
        assert_eq!(id(&verdict), None);
        assert_eq!(verdict.note, Some(TouchNote::Suspicious { address: 0x38 }));
    }
}

#[test]
fn a_chip_that_only_acknowledges_is_weak() {
    let chips = [chip(0x38, 100, &[(&[0xA3], &[0xE7]), (&[0x00], &[0x10])])];
    let verdict = identify_on(&mut bus(chips), &[]);
    assert_eq!(id(&verdict), Some("ft-any"));
    assert!(verdict.chip().unwrap().weak);
    let verdict = identify_on(
        &mut bus([chip(0x5D, 50, &[(&[0x81, 0x40], b"999\0")])]),
        &[],
    );
    assert_eq!(verdict.note, Some(TouchNote::Unknown { address: 0x5D }));
}

#[test]
fn nobody_is_said_in_bounded_time() {
    let verdict = identify_on(&mut bus([]), &[]);
    assert_eq!(
        (id(&verdict), verdict.note),
        (None, Some(TouchNote::Silent))
    );
    assert!(verdict.took_us < 240_000, "{} us", verdict.took_us);
    assert_eq!(verdict.bus, BusState::Ok);
}

#[test]
fn a_held_bus_is_freed_or_given_up() {
    let mut freed = bus([goodix()]);
    freed.holds_after = Some(0);
    let verdict = identify_on(&mut freed, &[]);
    assert_eq!(
        (id(&verdict), verdict.bus),
        (Some("gt911"), BusState::Recovered)
    );
    let mut stuck = bus([goodix()]);
    (stuck.holds_after, stuck.hold_for) = (Some(0), u8::MAX);
    let verdict = identify_on(&mut stuck, &[]);
    assert_eq!((id(&verdict), verdict.bus), (None, BusState::Stuck));
    assert_eq!(verdict.note, Some(TouchNote::Stuck));
    assert!(stuck.transfers.len() < 4);
}

#[test]
fn a_lost_acknowledge_is_no_absence() {
    for nack_at in 0..6 {
        let mut bus = bus([goodix(), focaltech()]);
        bus.nack_at = Some(nack_at);
        let verdict = identify_on(&mut bus, &[]);
        assert_eq!(id(&verdict), Some("gt911"), "byte {nack_at}");
    }
}

/// What a probe may need is bounded; no row of the built-in table needs more.
#[test]
fn the_built_in_rows_fit() {
    for row in unilk_board_db::touch_chips() {
        for steps in [row.probe, row.exit] {
            assert!(steps.len() <= 16, "{}", row.id);
            for step in steps {
                let fits = step.read_len <= 24 && step.write.len() < 24;
                assert!(fits, "{}", row.id);
            }
        }
        for extra in [row.vendor_id, row.version].into_iter().flatten() {
            assert!(usize::from(extra.len) <= EXTRA_LEN, "{}", row.id);
        }
    }
}
