//! The beginning of a new row of the driver table, for chips that answered
//! and that no row knows: what was read, in the form of `board-db/data`.

use super::entry::{Entry, Hex, What};
use std::fmt::Write as _;
use unilk_board_db::{OP_WORDS, Script, Step};

/// Millivolts by which an identification voltage may differ: half of the
/// distance that boards keep between theirs (facts/display.md 5.6).
const NEAR_MV: u16 = 100;

/// Rows for everything in `records` that the table does not know.
pub fn of(records: &[Entry]) -> Vec<String> {
    let noted = |unit: &str, wanted: &str| {
        records.iter().any(|entry| {
            entry.unit == unit && matches!(&entry.what, What::Note { code, .. } if code == wanted)
        })
    };
    let mut rows = Vec::new();
    if noted("panel", "LCM-NEW") {
        rows.extend(panel(records));
    }
    if noted("touch", "TP-NEW") {
        rows.extend(touch(records));
    }
    for unit in ["camera main", "camera sub"] {
        if noted(unit, "CAM-NEW") {
            rows.extend(camera(records, unit));
        }
    }
    rows
}

/// Registers that were read after one unlock sequence.
struct Section {
    unlock: Option<(u16, String)>,
    reads: Vec<Read>,
}

/// A register that was answered.
struct Read {
    register: u16,
    got: Vec<u8>,
    /// On a bus of the LCD controller: words of 16 bits, little endian.
    in_words: bool,
}

impl Read {
    /// As `reads` of a row has it.
    fn asked(&self) -> String {
        let unit = if self.in_words { 2 } else { 1 };
        format!("{:02X} {}", self.register, self.got.len() / unit)
    }

    /// As `match` of a row has it.
    fn terms(&self) -> Vec<String> {
        let register = self.register;
        let term = |(index, value): (usize, String)| format!("{register:02X}[{index}]={value}");
        let values: Vec<String> = if self.in_words {
            let words = self.got.as_chunks::<2>().0.iter();
            words
                .map(|&word| format!("{:04X}", u16::from_le_bytes(word)))
                .collect()
        } else {
            self.got.iter().map(|byte| format!("{byte:02X}")).collect()
        };
        values.into_iter().enumerate().map(term).collect()
    }
}

fn panel(records: &[Entry]) -> Option<String> {
    let mut sections: Vec<Section> = Vec::new();
    let mut unlock = None;
    let mut other_terms = Vec::new();
    for entry in records.iter().filter(|entry| entry.unit == "panel") {
        match &entry.what {
            What::Reset { .. } => unlock = None,
            What::Unlock { stage, name } => unlock = Some((*stage, name.clone())),
            What::Read {
                packet,
                register,
                got,
                ..
            } if entry.outcome == Some("ok") => {
                let place = sections
                    .iter()
                    .position(|section| section.unlock == unlock)
                    .unwrap_or_else(|| {
                        sections.push(Section {
                            unlock: unlock.clone(),
                            reads: Vec::new(),
                        });
                        sections.len() - 1
                    });
                let reads = &mut sections[place].reads;
                if reads.iter().all(|known| known.register != *register) {
                    reads.push(Read {
                        register: *register,
                        got: got.0.clone(),
                        in_words: *packet == "dbi",
                    });
                }
            }
            What::Pin { pin, level } if *level != "open" => {
                other_terms.push(format!("strap{pin}={level}"));
            }
            What::Voltage { channel, mv } => other_terms.push(format!(
                "adc{channel}={}..{}",
                mv.saturating_sub(NEAR_MV),
                mv.saturating_add(NEAR_MV)
            )),
            _ => {}
        }
    }
    if sections.is_empty() {
        return None;
    }
    let mut row = "# New row, to become board-db/data/panels/NAME.toml. Take the rest from the phone's stock\n\
                   # firmware; keep of each [[id]] what tells this panel from others.\n\
                   names = [\"\"]\ncontroller = \"\"\nwidth = 0\nheight = 0\nlanes = 0\nmode = \"\"\nformat = \"\"\n\
                   reset = []\ninit = \"\"\"\n\"\"\"\n"
        .to_owned();
    if !other_terms.is_empty() {
        let _ = writeln!(row, "# pins and voltages: {}", list(&other_terms));
    }
    for section in &sections {
        row.push_str("\n[[id]]\n");
        if let Some((stage, name)) = &section.unlock {
            let _ = writeln!(row, "# after the sequence for: {name}");
            match unlock_lines(*stage, name) {
                Some(lines) => {
                    let _ = writeln!(row, "unlock = {}", list(&lines));
                }
                None => row.push_str("# its bytes are those of the release that made the report\n"),
            }
        }
        let reads: Vec<_> = section.reads.iter().map(Read::asked).collect();
        let terms: Vec<_> = section.reads.iter().flat_map(Read::terms).collect();
        let _ = writeln!(row, "reads = {}\nmatch = {}", list(&reads), list(&terms));
    }
    Some(row)
}

/// The unlock sequence of a stage as a row writes it; `None` if this release's
/// plan has another stage of that number.
fn unlock_lines(stage: u16, name: &str) -> Option<Vec<String>> {
    let stage = unilk_board_db::plan().stages.get(usize::from(stage))?;
    (stage.name == name).then(|| script_lines(stage.unlock, stage.dbi))
}

fn script_lines(script: Script, dbi: bool) -> Vec<String> {
    script
        .steps()
        .map(|step| match step {
            Step::Write {
                data_type: OP_WORDS,
                payload,
            } => {
                let words = payload.as_chunks::<2>().0.iter();
                let words = words.map(|&word| format!("{:04X}", u16::from_be_bytes(word)));
                words.collect::<Vec<_>>().join(" ")
            }
            Step::Write { payload, .. } if dbi => Hex(payload.to_vec()).to_string(),
            Step::Write { data_type, payload } => {
                format!("{data_type:02X} {}", Hex(payload.to_vec()))
            }
            Step::Delay(ms) => format!("delay {ms}"),
            Step::Reset { high, ms } => {
                format!("reset {} {ms}", if high { "high" } else { "low" })
            }
            Step::MaxReturn(size) => format!("max-return {size}"),
        })
        .collect()
}

fn touch(records: &[Entry]) -> Option<String> {
    let (address, answers) = answers(records, "touch")?;
    let mut row = format!(
        "# New row, to become board-db/data/touch/NAME.toml. Keep the probes whose answer tells this\n\
         # chip from others.\n\
         name = \"\"\nfamily = \"\"\naddresses = [{address:#04X}]\norder = 50\nwait_ms = 300\ndriver = \"\"\n"
    );
    for (sent, got) in answers {
        let _ = write!(
            row,
            "\n[[probe]]\nwrite = {}\nread = {}\nexpect = {{ values = [{}] }}\n",
            bytes(&sent.0),
            got.0.len(),
            bytes(&got.0)
        );
    }
    Some(row)
}

fn camera(records: &[Entry], unit: &str) -> Option<String> {
    let (address, answers) = answers(records, unit)?;
    let core_mv = records.iter().find_map(|entry| match entry.what {
        What::Power { on: true, core_mv } if entry.unit == unit => Some(core_mv),
        _ => None,
    });
    let mut row = format!(
        "# New row, to become board-db/data/cameras/NAME.toml ({unit}). What each register answered:\n"
    );
    for (sent, got) in &answers {
        let _ = writeln!(row, "#   {sent} -> {got}");
    }
    let (register, value) = answers.first()?;
    let number = |hex: &Hex| format!("0x{}", hex.to_string().replace(' ', ""));
    let _ = write!(
        row,
        "name = \"\"\nmaker = \"\"\ndriver = \"\"\naddresses = [{address:#04X}]\naddress_bytes = {}\n\
         data_bytes = {}\nregisters = [{}]\nvalues = [{}]\nbus = \"\"\ncore_mv = {}\n",
        register.0.len(),
        value.0.len(),
        number(register),
        number(value),
        core_mv.unwrap_or_default()
    );
    Some(row)
}

/// Whom the unit's transfers reached first, and what it answered to which
/// bytes. Answers of all zeros or ones are none.
fn answers(records: &[Entry], unit: &str) -> Option<(u16, Vec<(Hex, Hex)>)> {
    let mut reached = None;
    let mut answers: Vec<(Hex, Hex)> = Vec::new();
    for entry in records.iter().filter(|entry| entry.unit == unit) {
        let What::I2c {
            address, sent, got, ..
        } = &entry.what
        else {
            continue;
        };
        if entry.outcome != Some("ok") || *reached.get_or_insert(*address) != *address {
            continue;
        }
        let known = answers.iter().any(|(known, _)| known == sent);
        if !sent.0.is_empty() && !got.0.is_empty() && !known {
            answers.push((sent.clone(), got.clone()));
        }
    }
    Some((reached?, answers))
}

/// An array of texts.
fn list(texts: &[String]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| format!("\"{text}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

/// An array of bytes.
fn bytes(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("0x{byte:02X}")).collect();
    format!("[{}]", digits.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::report::tests::view;
    use unilk_core::identify::report::{Kind, Record, Unit, status};

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
            ..Record::new(Kind::Read, 0)
        }
    }

    fn note(unit: Unit, code: &'static str) -> Record<'static> {
        Record {
            unit,
            sent: code.as_bytes(),
            ..Record::new(Kind::Note, 0)
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
            panel(Kind::Strap, 0, 1, &b""[..]),
            panel(Kind::Strap, 1, 2, b""),
            panel(Kind::Reset, 10, 6, b""),
            read(0xDA, &[0x40]),
            read(0xDA, &[0x41]),
            read(0xA1, &[]),
            panel(Kind::Unlock, 999, 0, b"gone"),
            read(0xA1, &[0x12, 0x34]),
            panel(Kind::Voltage, 1, 650, b""),
            note(Unit::Panel, "LCM-NEW"),
        ]);
        let row = view.new_rows.concat();
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
                ..Record::new(Kind::Unlock, 0)
            },
            read(0xA1, &[1]),
            note(Unit::Panel, "LCM-NEW"),
        ]);
        let row = view.new_rows.concat();
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
            ..Record::new(Kind::I2c, 0)
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
                ..Record::new(Kind::Power, 0)
            },
            transfer(Unit::SubCamera, status::OK, 0x3C, b"\x30\x0A", b"\x26"),
            note(Unit::SubCamera, "CAM-NEW"),
        ]);
        let [touch, camera] = &view.new_rows[..] else {
            panic!("{:?}", view.new_rows)
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
        assert_eq!(view.new_rows.len(), 0);
    }
}
