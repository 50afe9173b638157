//! Each built-in row as a chip that answers its probe and nothing else.

use super::*;
use std::boxed::Box;

/// What a register holds of which the row says nothing.
const OTHER: u8 = 0x99;

/// The answer that a step wants.
fn answer(step: &ProbeStep) -> StdVec<u8> {
    let mut bytes = std::vec![OTHER; usize::from(step.read_len)];
    let Some(expect) = step.expect else {
        return bytes;
    };
    let value = expect.values[0];
    let there = &mut bytes[usize::from(expect.offset)..][..value.len()];
    if expect.invert {
        there
            .iter_mut()
            .zip(value)
            .for_each(|(byte, value)| *byte = !value);
    } else {
        there.copy_from_slice(value);
    }
    bytes
}

/// The chips at all addresses of a row's probe; the touch chip itself is at
/// `address`.
fn chips_of(row: &'static TouchRow, address: u8) -> StdVec<FakeChip> {
    let mut chips = std::vec![(address, StdVec::new())];
    let mut answers: StdVec<StdVec<u8>> = StdVec::new();
    for step in row.probe {
        let mut write = step.write.to_vec();
        if let Some(from) = step.write_from {
            write.push(answers[usize::from(from.step)][usize::from(from.byte)]);
        }
        let answer = answer(step);
        let at = step.address.unwrap_or(address);
        if !chips.iter().any(|(there, _)| *there == at) {
            chips.push((at, StdVec::new()));
        }
        let chip = chips.iter_mut().find(|(there, _)| *there == at).unwrap();
        let write: &'static [u8] = Box::leak(write.into_boxed_slice());
        let bytes: &'static [u8] = Box::leak(answer.clone().into_boxed_slice());
        if step.read_len > 0 {
            chip.1.insert(0, (write, bytes));
        }
        answers.push(answer);
    }
    let chips = chips.into_iter().map(|(at, answers)| FakeChip {
        fill: OTHER,
        ..chip(
            at,
            u32::from(row.wait_ms),
            Box::leak(answers.into_boxed_slice()),
        )
    });
    chips.collect()
}

fn ask_all(rows: &[TouchRow], chips: StdVec<FakeChip>) -> (TouchVerdict, FakeBus) {
    let mut bus = bus(chips);
    bus.rows = rows.to_vec();
    (identify_on(&mut bus, &[]), bus)
}

#[test]
fn every_row_is_found_or_listed_with_its_likes() {
    let rows = unilk_board_db::touch_chips();
    for row in rows {
        for &address in row.addresses {
            let (verdict, bus) = ask_all(rows, chips_of(row, address));
            let chip = verdict.chip().unwrap_or_else(|| panic!("{}", row.id));
            let fits = chip.fits.iter().map(|&number| rows[usize::from(number)].id);
            let fits: StdVec<_> = fits.collect();
            assert_eq!(
                (verdict.chips.len(), chip.address),
                (1, address),
                "{}",
                row.id
            );
            assert!(fits.contains(&row.id), "{}: {fits:?}", row.id);
            assert_eq!(fits[0], rows[usize::from(chip.row)].id);
            let alike: StdVec<_> = unilk_board_db::touch_like(row).map(|row| row.id).collect();
            let strange = fits.iter().find(|id| !alike.contains(id));
            assert_eq!(strange, None, "{}: {fits:?}, alike {alike:?}", row.id);
            // At 0x20 the sequences of two families are tried first, with a
            // reset between them.
            let limit = if address == 0x20 { 545_000 } else { 360_000 };
            assert!(verdict.took_us <= limit, "{}: {}", row.id, verdict.took_us);
            assert!(
                bus.transfers.len() <= 160,
                "{}: {}",
                row.id,
                bus.transfers.len()
            );
        }
    }
}

#[test]
fn chips_that_only_acknowledge_are_ranked() {
    let rows = unilk_board_db::touch_chips();
    let ids = |verdict: &TouchVerdict| -> StdVec<_> {
        let fits = verdict.chip().unwrap().fits.iter();
        fits.map(|&number| rows[usize::from(number)].id).collect()
    };
    let silent = || {
        std::vec![FakeChip {
            fill: OTHER,
            ..chip(0x48, 200, &[])
        }]
    };
    let (verdict, _) = ask_all(rows, silent());
    let fits = ids(&verdict);
    assert_eq!(fits[..3], ["mms128", "mms144", "mms100s"]);
    // Of one source only, and the last of them would have to be written to.
    assert_eq!(fits[3..], ["ssd60xx", "max1187x"]);
    assert!(verdict.chip().unwrap().weak);
    // What speaks for the phone's own wins.
    let mut bus = bus(silent());
    bus.rows = rows.to_vec();
    let number = rows.iter().position(|row| row.id == "mms100s").unwrap();
    let verdict = identify_on(&mut bus, &[number as u16]);
    assert_eq!(ids(&verdict)[0], "mms100s");
}

/// The rows, and after each one that asks the same and expects another answer.
fn twice_the_rows() -> StdVec<TouchRow> {
    let other_values = |expect: &Expect| Expect {
        values: Box::leak(
            expect
                .values
                .iter()
                .map(|value| {
                    &*value
                        .iter()
                        .map(|byte| byte ^ 0x80)
                        .collect::<StdVec<_>>()
                        .leak()
                })
                .collect(),
        ),
        ..*expect
    };
    let other = |row: &TouchRow| TouchRow {
        probe: Box::leak(
            row.probe
                .iter()
                .map(|step| ProbeStep {
                    expect: step.expect.as_ref().map(other_values),
                    ..*step
                })
                .collect(),
        ),
        ..*row
    };
    let rows = unilk_board_db::touch_chips().iter();
    rows.flat_map(|row| [*row, other(row)]).collect()
}

#[test]
fn a_search_costs_as_much_as_there_are_registers() {
    let twice = twice_the_rows();
    let rows = unilk_board_db::touch_chips();
    let (verdict, bus) = ask_all(rows, StdVec::new());
    assert_eq!(verdict.note, Some(TouchNote::Silent));
    assert!(bus.transfers.len() <= 155, "{}", bus.transfers.len());
    let (_, again) = ask_all(&twice, StdVec::new());
    assert_eq!(again.transfers, bus.transfers);
    // Somebody whom no row knows, at the addresses that most rows share.
    for address in [0x38, 0x5D, 0x26] {
        let unknown = || {
            std::vec![FakeChip {
                fill: 0x42,
                ..chip(address, 50, &[])
            }]
        };
        let (_, bus) = ask_all(rows, unknown());
        let (_, again) = ask_all(&twice, unknown());
        let known = |(at, _): &&(u8, StdVec<u8>)| *at == address;
        let count = |bus: &FakeBus| bus.transfers.iter().filter(known).count();
        assert!(count(&bus) <= 60, "{address:#x}: {}", count(&bus));
        assert_eq!(count(&again), count(&bus), "{address:#x}");
    }
}
