//! Chips that are hard to find: busy, late, or recognised by less than what
//! others at their address are recognised by.

use super::*;

/// Who was found, of a bus with its own rows.
fn found(rows: &[TouchRow], chip: FakeChip) -> (Option<&'static str>, TouchVerdict) {
    let mut bus = bus([chip]);
    bus.rows = rows.to_vec();
    let verdict = identify_on(&mut bus, &[]);
    let row = verdict.chip().map(|chip| rows[usize::from(chip.row)].id);
    (row, verdict)
}

#[test]
fn a_chip_that_is_busy_after_each_write_is_found() {
    let mut busy = chip(0x38, 100, &[(&[0xA3], &[0x06]), (&[0xA8], &[0x5A])]);
    busy.busy = true;
    let mut bus = bus([busy]);
    let verdict = identify_on(&mut bus, &[]);
    assert_eq!(id(&verdict), Some("ft6x06"));
    assert_eq!(verdict.chip().unwrap().vendor, [0x5A]);
}

#[test]
fn zeros_elsewhere_do_not_hide_a_chip_that_speaks_to_a_weak_probe() {
    const ROWS: [TouchRow; 2] = [
        FOCALTECH,
        TouchRow {
            weak: true,
            ..row("mms128", &[0x38], 100, &[ask(&[0xF1], &[&[0x10]])])
        },
    ];
    let (id, _) = found(&ROWS, chip(0x38, 50, &[(&[0xF1], &[0x10])]));
    assert_eq!(id, Some("mms128"));
    let (_, silent) = found(&ROWS, chip(0x38, 50, &[]));
    assert_eq!(silent.note, Some(TouchNote::Suspicious { address: 0x38 }));
}

#[test]
fn who_comes_late_is_asked_everything_before_an_acknowledge_decides() {
    const ROWS: [TouchRow; 3] = [
        TouchRow {
            intrusive: true,
            ..row("s2202", &[0x20], 50, &[ask(&[0xE9], &[&[0x34]])])
        },
        TouchRow {
            weak: true,
            ..row("mms244", &[0x20], 50, &[ask(&[0xC4], &[&[0x00]])])
        },
        // The last to be waited for.
        row("slow", &[0x15], 200, &[ask(&[0x53], &[&[0x55]])]),
    ];
    for comes_ms in [40, 199] {
        let (id, _) = found(&ROWS, chip(0x20, comes_ms, &[(&[0xE9], &[0x34])]));
        assert_eq!(id, Some("s2202"), "{comes_ms} ms");
    }
    let (id, _) = found(&ROWS, chip(0x20, 199, &[]));
    assert_eq!(id, None, "zeros");
}

#[test]
fn who_refuses_for_ever_costs_bounded_time() {
    let mut bus = bus([]);
    bus.refuses = Some(0x38);
    let verdict = identify_on(&mut bus, &[]);
    assert_eq!(id(&verdict), None);
    // Two waits in each pass, not two for each row.
    assert!(verdict.took_us < 245_000, "{} us", verdict.took_us);
}
