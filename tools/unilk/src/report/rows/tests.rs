//! Rows that are begun from reports.

#![allow(clippy::unwrap_used)]

use crate::report::View;
use crate::report::tests::view;
use unilk_board_db::lint::{File, Kind, lint};
use unilk_core::identify::report::{Kind as Of, Record, Unit, status};

fn read(register: u8, got: &'static [u8]) -> Record<'static> {
    let sent: &'static [u8] = match register {
        0xA1 => &[0x14, 0xA1],
        0xDA => &[0x06, 0xDA],
        _ => &[0x06, 0x00],
    };
    Record {
        unit: Unit::Panel,
        status: if got.is_empty() {
            status::SILENCE
        } else {
            status::OK
        },
        a: got.len() as u16,
        sent,
        got,
        ..Record::new(Of::Read, 0)
    }
}

/// The rows that a report begins, each of which must pass the table's checks.
fn texts(view: &View) -> Vec<String> {
    let rows = view
        .unknown
        .iter()
        .filter_map(|unknown| unknown.row.as_ref());
    let texts = rows.map(|row| {
        let kind = Kind::of_text(&row.text).unwrap();
        assert_eq!(kind.folder(), row.folder);
        let file = File {
            id: &row.name,
            kind,
            text: &row.text,
        };
        assert_eq!(lint(&[file]), [], "{}", row.text);
        row.text.clone()
    });
    texts.collect()
}

fn note(unit: Unit, code: &'static str) -> Record<'static> {
    Record {
        unit,
        sent: code.as_bytes(),
        ..Record::new(Of::Note, 0)
    }
}

#[test]
fn an_unknown_panel_gives_the_ids_of_a_row() {
    let panel = |kind, a, b, sent| Record {
        unit: Unit::Panel,
        a,
        b,
        sent,
        ..Record::new(kind, 0)
    };
    let view = view(&[
        panel(Of::Strap, 0, 1, &b""[..]),
        panel(Of::Strap, 1, 2, b""),
        panel(Of::Reset, 10, 6, b""),
        read(0xDA, &[0x40]),
        read(0xDA, &[0x41]),
        read(0xA1, &[]),
        panel(Of::Unlock, 999, 0, b"gone"),
        read(0xA1, &[0x12, 0x34]),
        panel(Of::Voltage, 1, 650, b""),
        note(Unit::Panel, "LCM-NEW"),
    ]);
    let row = texts(&view).concat();
    let (head, ids) = row.split_once("\n[[id]]\n").unwrap_or_default();
    assert!(head.contains("# pins and voltages: [\"strap1=high\", \"adc1=550..750\"]"));
    assert_eq!(
        ids,
        "reads = [\"DA 1\"]\nmatch = [\"DA[0]=40\"]\n\
         \n[[id]]\n# after the sequence for: gone\n\
         # its bytes are those of the release that made the report\n\
         reads = [\"A1 2\"]\nmatch = [\"A1[0]=12\", \"A1[1]=34\"]\n"
    );
}

#[test]
fn the_plans_unlock_sequence_is_written_out() {
    let stages = unilk_board_db::plan().stages.iter().enumerate();
    let mut unlocking = stages.filter(|(_, stage)| !stage.unlock.is_empty());
    let Some((number, stage)) = unlocking.next() else {
        return;
    };
    let view = view(&[
        Record {
            unit: Unit::Panel,
            a: number as u16,
            sent: stage.name.as_bytes(),
            ..Record::new(Of::Unlock, 0)
        },
        read(0xA1, &[1]),
        note(Unit::Panel, "LCM-NEW"),
    ]);
    let row = texts(&view).concat();
    assert!(row.contains("\nunlock = [\""), "{row}");
}

#[test]
fn unknown_chips_on_i2c_give_probes_and_registers() {
    let transfer = |unit, status, a, sent, got| Record {
        unit,
        status,
        a,
        sent,
        got,
        ..Record::new(Of::I2c, 0)
    };
    let view = view(&[
        transfer(Unit::Touch, status::SILENCE, 0x14, &b"\xA3"[..], &b""[..]),
        transfer(Unit::Touch, status::OK, 0x38, b"\xA3", b"\x77"),
        transfer(Unit::Touch, status::CONSTANT, 0x38, b"\xA8", b"\xFF"),
        transfer(Unit::Touch, status::OK, 0x38, b"\x81\x40", b"\x01\x02"),
        note(Unit::Touch, "TP-NEW"),
        Record {
            unit: Unit::SubCamera,
            a: 1200,
            b: 1,
            ..Record::new(Of::Power, 0)
        },
        transfer(Unit::SubCamera, status::OK, 0x3C, b"\x30\x0A", b"\x26"),
        note(Unit::SubCamera, "CAM-NEW"),
    ]);
    let rows = texts(&view);
    let [touch, camera] = &rows[..] else {
        panic!("{rows:?}")
    };
    assert!(touch.contains("addresses = [0x38]\n"), "{touch}");
    assert!(touch.ends_with(
        "\n[[probe]]\nwrite = [0xA3]\nread = 1\nexpect = { values = [[0x77]] }\n\
         \n[[probe]]\nwrite = [0x81, 0x40]\nread = 2\nexpect = { values = [[0x01, 0x02]] }\n"
    ));
    assert!(camera.contains("#   30 0A -> 26\n"), "{camera}");
    assert!(camera.contains("registers = [0x300A]\nvalues = [0x26]\n"));
    assert!(camera.ends_with("core_mv = 1200\n"), "{camera}");
}

#[test]
fn what_is_known_gives_no_row() {
    let view = view(&[read(0xDA, &[0x40]), note(Unit::Panel, "LCM-CONST")]);
    assert_eq!(view.unknown, []);
}

#[test]
fn a_panel_on_the_lcd_controllers_bus_gives_words() {
    let word = |sent: &'static [u8], got: &'static [u8]| Record {
        unit: Unit::Panel,
        a: got.len() as u16,
        sent,
        got,
        ..Record::new(Of::Read, 0)
    };
    let view = view(&[
        word(&[0, 0, 0x04], &[0, 0, 0x94, 0x00]),
        word(&[0, 0x0D, 0xA0], &[0x02, 0xD8]),
        note(Unit::Panel, "LCM-NEW"),
    ]);
    let row = texts(&view).concat();
    assert!(row.contains("[bus.parallel]"), "{row}");
    assert!(
        row.contains("reads = [\"04 2\", \"0DA0 1\"]\nmatch = [\"04[0]=0000\", \"04[1]=0094\", \"0DA0[0]=D802\"]"),
        "{row}"
    );
}
