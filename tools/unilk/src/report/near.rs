//! Rows that an unknown chip fits in part: which family it may be of, and who
//! else answers so.

use super::entry::{Entry, What};
use super::rows::panel::sections;
use crate::db::{Row, Sheet};
use serde::Serialize;
use unilk_board_db::{CameraRow, PanelRow, ReadKind, Term, TouchRow};

/// Most rows that are told.
const MOST: usize = 8;

/// A row that fits in part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Near {
    /// The row.
    pub id: &'static str,
    /// Its controller or family.
    pub controller: String,
    /// Bytes of its ID that agree.
    pub fits: usize,
    /// Bytes of its ID that were read.
    pub of: usize,
    /// How common it is: device configurations that ship it.
    pub shipped: u16,
}

impl Near {
    /// 0 to 1000: how much of what was read agrees, less where little was.
    pub fn score(&self) -> usize {
        // One byte agrees with many by chance.
        1000 * self.fits / (self.of + 1)
    }
}

/// The rows that fit best what a unit answered, of each controller the best.
pub fn of(records: &[Entry], unit: &str) -> Vec<Near> {
    let mut near: Vec<Near> = match unit {
        "panel" => panels(records),
        "touch" => touch(records),
        _ => cameras(records, unit),
    };
    near.retain(|near| near.fits > 0);
    near.sort_by_key(|near| std::cmp::Reverse((near.score(), near.fits, near.shipped)));
    let mut best: Vec<Near> = Vec::new();
    for near in near {
        let same = |known: &&Near| known.controller == near.controller;
        if best.iter().filter(same).count() < 2 {
            best.push(near);
        }
    }
    best.truncate(MOST);
    best
}

fn panels(records: &[Entry]) -> Vec<Near> {
    let (sections, _) = sections(records);
    let plan = unilk_board_db::plan();
    // The answer to a question of the plan, if it was asked in this state.
    let answer = |question: u16| {
        let asked = plan.questions.get(usize::from(question))?;
        let stage = plan.stages.get(usize::from(asked.stage))?;
        let section = sections.iter().find(|section| match &section.unlock {
            Some((_, name)) => *name == stage.name,
            None => stage.unlock.is_empty(),
        })?;
        let read = section.reads.iter().find(|read| {
            read.register == asked.register && read.in_words == (asked.kind == ReadKind::Dbi)
        })?;
        Some(&read.got)
    };
    let rows = unilk_board_db::panels().iter();
    rows.filter_map(|row| best_id(row, &answer)).collect()
}

fn best_id<'a>(
    row: &'static PanelRow,
    answer: &impl Fn(u16) -> Option<&'a Vec<u8>>,
) -> Option<Near> {
    let ids = row.ids.iter().map(|id| {
        let (mut fits, mut of) = (0, 0);
        for term in *id {
            let Term::Answer {
                question,
                byte,
                mask,
                value,
            } = *term
            else {
                continue;
            };
            let got = answer(question).and_then(|got| got.get(usize::from(byte)));
            if let Some(got) = got {
                of += 1;
                fits += usize::from(got & mask == value);
            }
        }
        Near {
            id: row.id,
            controller: row.controller.to_owned(),
            fits,
            of,
            shipped: row.shipped,
        }
    });
    ids.max_by_key(|near| (near.score(), near.fits))
}

/// Transfers that were answered: address, sent, got.
fn transfers<'a>(
    records: &'a [Entry],
    unit: &'a str,
) -> impl Iterator<Item = (u16, &'a [u8], &'a [u8])> {
    let of_unit = records
        .iter()
        .filter(move |entry| entry.unit == unit && entry.outcome == Some("ok"));
    of_unit.filter_map(|entry| match &entry.what {
        What::I2c {
            address, sent, got, ..
        } if !got.0.is_empty() => Some((*address, sent.0.as_slice(), got.0.as_slice())),
        _ => None,
    })
}

fn touch(records: &[Entry]) -> Vec<Near> {
    let near = |row: &'static TouchRow| {
        let (mut fits, mut of) = (0, 0);
        let here = |address: u16| {
            row.addresses
                .iter()
                .any(|&known| u16::from(known) == address)
        };
        for step in row.probe {
            let Some(expect) = step.expect.filter(|expect| !expect.invert) else {
                continue;
            };
            let mut answers = transfers(records, "touch").filter(|(at, ..)| here(*at));
            let Some((.., got)) = answers.find(|(_, sent, _)| *sent == step.write) else {
                continue;
            };
            let from = usize::from(expect.offset);
            let best = expect.values.iter().map(|value| {
                let places = value.iter().enumerate();
                places
                    .filter(|&(at, value)| {
                        let mask = expect.mask.get(at).copied().unwrap_or(0xFF);
                        got.get(from + at)
                            .is_some_and(|got| got & mask == value & mask)
                    })
                    .count()
            });
            of += expect.values.first().map_or(0, |value| value.len());
            fits += best.max().unwrap_or(0);
        }
        Near {
            id: row.id,
            controller: row.family.to_owned(),
            fits,
            of,
            shipped: row.shipped,
        }
    };
    unilk_board_db::touch_chips().iter().map(near).collect()
}

fn cameras(records: &[Entry], unit: &str) -> Vec<Near> {
    let near = |row: &'static CameraRow| {
        let width = usize::from(row.data_bytes);
        let here = |address: u16| {
            row.addresses
                .iter()
                .any(|&known| u16::from(known) == address)
        };
        let sent_for = |register: u16| match row.address_bytes {
            1 => vec![register as u8],
            _ => register.to_be_bytes().to_vec(),
        };
        let mut read = Vec::new();
        for &register in row.registers {
            let sent = sent_for(register);
            let mut answers = transfers(records, unit).filter(|(at, ..)| here(*at));
            let got = answers.find(|(_, asked, got)| *asked == sent && got.len() == width);
            read.push(got.map(|(.., got)| got));
        }
        let of = read.iter().flatten().count() * width;
        let agree = |value: u32| {
            let bytes = value.to_be_bytes();
            let id = &bytes[4_usize.saturating_sub(row.registers.len() * width)..];
            let pairs = read.iter().zip(id.chunks(width.max(1)));
            let count = pairs.map(|(got, id)| {
                let got = got.unwrap_or_default();
                got.iter().zip(id).filter(|(got, id)| got == id).count()
            });
            count.sum::<usize>()
        };
        Near {
            id: row.id,
            controller: row.name.to_owned(),
            fits: row
                .values
                .iter()
                .map(|&value| agree(value))
                .max()
                .unwrap_or(0),
            of,
            shipped: row.shipped,
        }
    };
    unilk_board_db::cameras().iter().map(near).collect()
}

/// What a row is known by, for the reader of a report.
pub fn known_by(id: &str, unit: &str) -> Vec<String> {
    let row = match unit {
        "panel" => unilk_board_db::panel(id).map(Row::Panel),
        "touch" => unilk_board_db::touch(id).map(Row::Touch),
        _ => unilk_board_db::camera(id).map(Row::Camera),
    };
    row.map_or_else(Vec::new, |row| Sheet::of(&row).ids.concat())
}

#[cfg(test)]
mod tests {
    use crate::report::tests::view;
    use unilk_core::identify::report::{Kind, Record, Unit};

    fn note(unit: Unit, code: &'static str) -> Record<'static> {
        Record {
            unit,
            sent: code.as_bytes(),
            ..Record::new(Kind::Note, 0)
        }
    }

    #[test]
    fn a_relative_of_a_known_controller_is_recognised() {
        // ILI9806E's page 1 says 98 06 04; a relative of it 98 07 04.
        let plan = unilk_board_db::plan();
        let stages = plan.stages.iter().enumerate();
        let mut page = stages.filter(|(_, stage)| stage.name.contains("FF FF 98 06 04 01"));
        let Some((number, stage)) = page.next() else {
            return;
        };
        let read = |sent: &'static [u8], got: &'static [u8]| Record {
            unit: Unit::Panel,
            a: got.len() as u16,
            sent,
            got,
            ..Record::new(Kind::Read, 0)
        };
        let view = view(&[
            Record {
                unit: Unit::Panel,
                a: number as u16,
                sent: stage.name.as_bytes(),
                ..Record::new(Kind::Unlock, 0)
            },
            read(&[6, 1], &[7, 0]),
            read(&[6, 2], &[4, 0]),
            read(&[6, 0], &[0x98]),
            note(Unit::Panel, "LCM-NEW"),
        ]);
        let near = &view.unknown[0].near;
        assert!(near[0].controller.starts_with("ili98"), "{near:?}");
        assert_eq!((near[0].fits, near[0].of), (2, 3));
        assert!(
            near.windows(2)
                .all(|pair| pair[0].score() >= pair[1].score())
        );
        let row = view.unknown[0].row.as_ref().map(|row| row.text.as_str());
        let controller = format!("\ncontroller = \"{}\" #", near[0].controller);
        assert!(
            row.is_some_and(|text| text.contains(&controller)),
            "{row:?}"
        );
    }

    #[test]
    fn a_camera_with_half_of_a_known_id_is_recognised() {
        let read = |sent: &'static [u8], got: &'static [u8]| Record {
            unit: Unit::MainCamera,
            a: 0x3C,
            sent,
            got,
            ..Record::new(Kind::I2c, 0)
        };
        let view = view(&[
            read(&[0x30, 0x0A], &[0x56]),
            read(&[0x30, 0x0B], &[0x99]),
            note(Unit::MainCamera, "CAM-NEW"),
        ]);
        let near = &view.unknown[0].near;
        assert!(near.iter().any(|near| near.id == "ov5645"), "{near:?}");
        assert!(near.iter().all(|near| near.fits == 1));
        let row = view.unknown[0].row.as_ref().map(|row| row.text.as_str());
        let wanted = "registers = [0x300A, 0x300B]\nvalues = [0x5699]\n";
        assert!(row.is_some_and(|text| text.contains(wanted)), "{row:?}");
    }

    #[test]
    fn a_touch_chip_of_a_known_family_is_recognised() {
        let view = view(&[
            Record {
                unit: Unit::Touch,
                a: 0x5D,
                sent: &[0x81, 0x40],
                got: b"999\0",
                ..Record::new(Kind::I2c, 0)
            },
            note(Unit::Touch, "TP-NEW"),
        ]);
        let near = &view.unknown[0].near;
        assert!(near[0].controller.contains("Goodix"), "{near:?}");
    }
}
