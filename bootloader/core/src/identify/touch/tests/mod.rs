//! A bus with chips that answer only when their time has come.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::identify::testing::{FakeClock, run, table};
use embedded_hal::i2c::{
    Error, ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation, SevenBitAddress,
};
use std::rc::Rc;
use std::vec::Vec as StdVec;
use unilk_board_db::{Confidence, Expect, FromAnswer, ProbeStep};

mod every_row;
mod trouble;

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
        confidence: Confidence::High,
        wait_ms,
        vendor_id: None,
        version: None,
        compatible: None,
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
    /// Not the touch chip: reset means nothing to it.
    stranger: bool,
    /// Refuses everything for 3 ms after a write.
    busy: bool,
    busy_since: Option<u32>,
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
        stranger: false,
        busy: false,
        busy_since: None,
    }
}

#[derive(Default)]
struct FakeBus {
    clock: Rc<FakeClock>,
    chips: StdVec<FakeChip>,
    /// Pins and supplies, as last set.
    powered: bool,
    asserted: bool,
    has_reset: bool,
    interrupt: Option<bool>,
    released: u32,
    pointer: StdVec<u8>,
    transfers: StdVec<(u8, StdVec<u8>)>,
    /// When each was made, in ms after the last reset.
    asked_ms: StdVec<u32>,
    rows: StdVec<TouchRow>,
    /// Transfers until somebody holds SDA, and recoveries until he lets go.
    holds_after: Option<usize>,
    hold_for: u8,
    recoveries: u8,
    /// This transfer is not acknowledged.
    nack_at: Option<usize>,
    /// Somebody at this address takes nothing but being looked at.
    refuses: Option<u8>,
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
        assert!(self.powered, "asked without power");
        self.clock.0.set(self.clock.0.get() + 40);
        let known = |row: &TouchRow| {
            let steps = row.probe.iter().chain(row.exit);
            row.addresses.contains(&address)
                || steps.into_iter().any(|s| s.address == Some(address))
        };
        let nobody = || panic!("address {address:#x} is nobody's");
        self.rows
            .iter()
            .find(|row| known(row))
            .unwrap_or_else(nobody);
        let number = self.transfers.len();
        self.transfers.push((address, StdVec::new()));
        let since_reset = self.clock.now_us().wrapping_sub(self.released) / 1000;
        self.asked_ms.push(since_reset);
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
        let in_reset = self.asserted;
        if in_reset {
            assert!(self.has_reset, "asked in a reset that is none");
            let plain = matches!(operations, [Operation::Read(out)] if out.len() == 1);
            assert!(plain, "more than a look during reset");
        }
        let now = self.clock.now_us();
        if self.refuses == Some(address) && !in_reset {
            return match operations {
                [Operation::Read(_)] => Ok(()),
                _ => nack,
            };
        }
        let there = |chip: &&mut FakeChip| {
            chip.address == address
                && (chip.stranger || (!in_reset && awake >= chip.wait_ms * 1000))
        };
        let Some(chip) = self.chips.iter_mut().find(there) else {
            return nack;
        };
        for operation in operations {
            if chip.busy_since.is_some_and(|since| now - since < 3_000) {
                return nack;
            }
            match operation {
                Operation::Write(data) => {
                    chip.busy_since = chip.busy.then_some(now);
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

    fn has_reset(&self) -> bool {
        self.has_reset
    }

    fn interrupt_low(&mut self, drive: Option<bool>) {
        self.interrupt = drive;
    }

    fn supplies(&mut self, on: bool) {
        self.powered = on;
    }
}

fn identify_on(bus: &mut FakeBus, prefer: &[u16]) -> TouchVerdict {
    identify_in(bus, &(), prefer, false)
}

fn identify_in(
    bus: &mut FakeBus,
    log: &dyn Recorder,
    prefer: &[u16],
    expect_absent: bool,
) -> TouchVerdict {
    let table = table(&bus.rows, &[]);
    let clock = Rc::clone(&bus.clock);
    let verdict = run(identify(&table, &*clock, bus, log, prefer, expect_absent));
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
        has_reset: true,
        rows: TABLE.to_vec(),
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
    // The others see one look during reset and nothing more.
    let others = bus.transfers.iter().map(|&(address, _)| address);
    let others: StdVec<_> = others.filter(|&address| address != 0x38).collect();
    assert_eq!(others, [0x5D, 0x14, 0x39, 0x26, 0x20]);
    assert!(others.iter().all(|&address| sent(&bus, address).is_empty()));
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
    // The first are the look during reset.
    for nack_at in 0..14 {
        let mut bus = bus([goodix(), focaltech()]);
        bus.nack_at = Some(nack_at);
        let verdict = identify_on(&mut bus, &[]);
        assert_eq!(id(&verdict), Some("gt911"), "byte {nack_at}");
    }
}

/// Somebody else's chip: awake whatever the touch chip's reset does.
fn stranger(address: u8, answers: &'static [(&'static [u8], &'static [u8])]) -> FakeChip {
    FakeChip {
        stranger: true,
        fill: 0x71,
        ..chip(address, 0, answers)
    }
}

/// What was sent to an address.
fn sent(bus: &FakeBus, address: u8) -> StdVec<&[u8]> {
    let to = bus.transfers.iter().filter(|(to, _)| *to == address);
    let sent = to.map(|(_, sent)| &sent[..]);
    sent.filter(|sent| !sent.is_empty()).collect()
}

#[test]
fn strangers_are_not_written_to() {
    // The real one is found, and the strangers are sent nothing at all.
    let mut bus = bus([goodix(), stranger(0x38, &[]), stranger(0x26, &[])]);
    assert_eq!(id(&identify_on(&mut bus, &[])), Some("gt911"));
    for address in [0x38, 0x26, 0x62] {
        assert!(sent(&bus, address).is_empty(), "{:?}", bus.transfers);
    }
    // Nobody else is there: numbers of registers, one byte each, at the end.
    for address in [0x5D, 0x38, 0x26, 0x20] {
        let mut bus = self::bus([stranger(address, &[]), stranger(0x62, &[])]);
        let verdict = identify_on(&mut bus, &[]);
        assert_eq!(
            (id(&verdict), verdict.note),
            (None, Some(TouchNote::Silent))
        );
        assert!(sent(&bus, 0x62).is_empty(), "{:?}", bus.transfers);
        for sent in sent(&bus, address) {
            assert!((address, sent) == (0x38, &[0xA3]), "{address:#x} {sent:?}");
        }
        let last = bus.transfers.len() - 1;
        let asked = bus.transfers.iter().position(|(_, sent)| sent == &[0xA3]);
        assert!(asked.is_none_or(|at| at == last || address != 0x38));
    }
}

#[test]
fn without_a_reset_nobody_is_a_stranger() {
    let mut bus = bus([
        stranger(0x26, &[]),
        stranger(0x62, &[(&[0x10, 0x1E], &[0x01])]),
    ]);
    bus.has_reset = false;
    assert_eq!(id(&identify_on(&mut bus, &[])), Some("msg2133"));
}

#[test]
fn a_chip_whose_reset_is_wired_otherwise_is_found_by_reading() {
    let answers: &[(&[u8], &[u8])] = &[(&[0xA3], &[0x06]), (&[0xA8], &[0x79])];
    let mut first = bus([stranger(0x38, answers)]);
    assert_eq!(id(&identify_on(&mut first, &[])), Some("ft6x06"));
    // And on the next boot, as a known one, at once.
    let mut again = bus([stranger(0x38, answers)]);
    let verdict = identify_on(&mut again, &[FT6X06]);
    assert_eq!(id(&verdict), Some("ft6x06"));
    assert!(sent(&again, 0x38).iter().all(|sent| sent.len() == 1));
}

#[test]
fn writing_waits_for_all_who_can_be_read_at_the_address() {
    const RMI: TouchRow = TouchRow {
        intrusive: true,
        ..row(
            "s7020",
            &[0x38],
            50,
            &[
                ProbeStep {
                    write: &[0xFF, 0x00],
                    ..STEP
                },
                ask(&[0xE9], &[&[0x11]]),
            ],
        )
    };
    let chips = [chip(0x38, 40, &[(&[0xA3], &[0x99]), (&[0xE9], &[0x11])])];
    let mut bus = bus(chips);
    bus.rows.insert(4, RMI);
    let verdict = identify_on(&mut bus, &[]);
    assert_eq!(
        bus.rows[usize::from(verdict.chip().unwrap().row)].id,
        "s7020"
    );
    let mut transfers = bus.transfers.iter().zip(&bus.asked_ms);
    let first = transfers.find(|((_, sent), _)| sent == &[0xFF, 0x00]);
    assert!(*first.unwrap().1 >= 200, "{first:?}");
}

#[test]
fn who_was_absent_is_looked_for_once() {
    let verdict = identify_in(&mut bus([]), &(), &[], true);
    assert_eq!(
        (id(&verdict), verdict.note),
        (None, Some(TouchNote::Silent))
    );
    assert!(verdict.took_us < 82_000, "{} us", verdict.took_us);
    // A stranger changes nothing.
    let verdict = identify_in(&mut bus([stranger(0x38, &[])]), &(), &[], true);
    assert!(verdict.took_us < 82_000, "{} us", verdict.took_us);
    let mut early = focaltech();
    early.wait_ms = 50;
    let verdict = identify_in(&mut bus([early]), &(), &[], true);
    assert_eq!(id(&verdict), Some("ft6x06"));
}

/// With the built-in rows: time and room.
#[test]
fn the_built_in_search_is_short() {
    use crate::identify::report::{Builder, Report, Shared};
    let ask = |chips: StdVec<FakeChip>| {
        let mut bus = bus(chips);
        bus.rows = unilk_board_db::touch_chips().to_vec();
        let mut room = [0; 8192];
        let log = Shared::new(Builder::new(&mut room));
        let verdict = identify_in(&mut bus, &log, &[], false);
        verdict.record(&table(&bus.rows, &[]), &log, 0);
        let report = log.into_inner().finish().to_vec();
        assert_eq!(Report::parse(&report).unwrap().lost, 0);
        (verdict, report.len(), bus)
    };
    let (verdict, bytes, _) = ask(StdVec::new());
    assert_eq!(id(&verdict), None);
    assert!(verdict.took_us <= 330_000, "{} us", verdict.took_us);
    assert!(bytes < 700, "{bytes} bytes");
    let signature: &[(&[u8], &[u8])] = &[
        (&[0x42, 0x20], &[0x00, 0x06, 0x90, 0x00]),
        (&[0x81, 0x40], b"911\0"),
    ];
    let light = stranger(0x49, &[]);
    let (verdict, bytes, bus) = ask(std::vec![chip(0x5D, 56, signature), light]);
    let chip = verdict.chip().unwrap();
    assert_eq!(bus.rows[usize::from(chip.row)].id, "gt911");
    assert!(sent(&bus, 0x49).is_empty());
    assert!(bytes < 600, "{bytes} bytes");
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
