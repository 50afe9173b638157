//! Each built-in row as a sensor that answers its ID and nothing else.

use super::*;
use std::boxed::Box;

/// The sensor of a row, with the first of its IDs at the first address.
fn sensor_of(row: &'static CameraRow) -> Sensor {
    let width = usize::from(row.data_bytes);
    let bytes = row.values[0].to_be_bytes();
    let bytes = &bytes[4 - row.registers.len() * width..];
    let places = row
        .registers
        .iter()
        .flat_map(|&register| (0..width as u16).map(move |byte| register.wrapping_add(byte)));
    let registers: StdVec<(u16, u8)> = places.zip(bytes.iter().copied()).collect();
    Sensor {
        min_mv: row.core_mv,
        runs_high: row.runs_with_pdn_high.unwrap_or(true),
        needs_write: row.prelude.last().copied(),
        ..sensor(
            row.addresses[0],
            row.address_bytes == 2,
            Box::leak(registers.into_boxed_slice()),
        )
    }
}

fn ask_all(rows: &[CameraRow], main: Option<Sensor>) -> (CameraVerdict, FakePort) {
    let mut port = FakePort {
        sensors: [main, None],
        ..FakePort::default()
    };
    let table = table(&[], rows);
    let clock = Rc::clone(&port.clock);
    let wiring = [Some(PINS), None];
    let known = Known::default();
    let [main, _] = run(identify(&table, &*clock, &mut port, &(), &wiring, &known));
    (main, port)
}

#[test]
fn every_row_is_found_or_listed_with_its_likes() {
    let rows = unilk_board_db::cameras();
    for row in rows {
        for &address in row.addresses {
            let sensor = Sensor {
                address,
                ..sensor_of(row)
            };
            let (main, port) = ask_all(rows, Some(sensor));
            let fits = main.fits.iter().map(|&number| rows[usize::from(number)].id);
            let fits: StdVec<_> = fits.collect();
            assert!(
                fits.contains(&row.id),
                "{} at {address:#x}: {fits:?}",
                row.id
            );
            assert_eq!(
                (main.winner, main.address),
                (main.fits.first().copied(), address)
            );
            let alike: StdVec<_> = unilk_board_db::cameras_like(row)
                .map(|row| row.id)
                .collect();
            let strange = fits.iter().find(|id| !alike.contains(id));
            assert_eq!(strange, None, "{}: {fits:?}, alike {alike:?}", row.id);
            assert!(main.took_us <= 300_000, "{}: {}", row.id, main.took_us);
            assert!(port.transfers <= 400, "{}: {}", row.id, port.transfers);
        }
    }
}

#[test]
fn those_that_answer_alike_are_ranked() {
    let rows = unilk_board_db::cameras();
    let fits = |id: &str| -> StdVec<_> {
        let row = rows.iter().find(|row| row.id == id).unwrap();
        let fits = ask_all(rows, Some(sensor_of(row))).0.fits;
        fits.iter()
            .map(|&number| rows[usize::from(number)].id)
            .collect()
    };
    // By the boards that ship them, and by what is sure of them.
    assert_eq!(fits("ov2655"), ["ov2659", "ov2655", "ov2675"]);
    assert_eq!(fits("hi708"), ["hi704", "hi708"]);
    assert_eq!(fits("gs8604"), ["imx219", "gs8604"]);
    assert_eq!(fits("imx136"), ["imx135", "imx136"]);
}

/// The rows, and after each one that asks the same and expects another answer.
fn twice_the_rows() -> StdVec<CameraRow> {
    let other = |row: &CameraRow| CameraRow {
        values: row
            .values
            .iter()
            .map(|value| value ^ row.mask & 0x8080_8080)
            .collect::<StdVec<_>>()
            .leak(),
        ..*row
    };
    let rows = unilk_board_db::cameras().iter();
    rows.flat_map(|row| [*row, other(row)]).collect()
}

#[test]
fn a_search_costs_as_much_as_there_are_registers() {
    let twice = twice_the_rows();
    let rows = unilk_board_db::cameras();
    let (main, port) = ask_all(rows, None);
    assert_eq!(main.note, Some(CameraNote::Silent));
    assert!(port.transfers <= 325, "{}", port.transfers);
    assert_eq!(ask_all(&twice, None).1.transfers, port.transfers);
    let addresses: std::collections::BTreeSet<u8> =
        rows.iter().flat_map(|row| row.addresses).copied().collect();
    for (address, wide) in addresses
        .iter()
        .flat_map(|&address| [(address, true), (address, false)])
    {
        let unknown = Sensor {
            fill: 0x42,
            ..sensor(address, wide, &[])
        };
        let (main, port) = ask_all(rows, Some(unknown));
        assert_eq!(main.note, Some(CameraNote::Unknown { address }));
        assert!(main.took_us <= 400_000, "{address:#x}: {}", main.took_us);
        let (_, again) = ask_all(&twice, Some(unknown));
        assert_eq!(again.transfers, port.transfers, "{address:#x}");
    }
}
