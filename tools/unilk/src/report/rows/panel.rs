//! The row of a panel.

use super::{Hex, NewRow, heading, list};
use crate::db::lint::PLACEHOLDER;
use crate::report::entry::{Entry, What};
use crate::report::near::Near;
use std::fmt::Write as _;
use unilk_board_db::{OP_WORDS, Script, Step};

/// Millivolts by which an identification voltage may differ: half of the
/// distance that boards keep between theirs (facts/display.md 5.6).
const NEAR_MV: u16 = 100;

/// Registers that were read after one unlock sequence, or right after reset.
pub struct Section {
    /// Stage of the plan and its name.
    pub unlock: Option<(u16, String)>,
    /// In order, each register once.
    pub reads: Vec<Read>,
}

/// A register that was answered.
pub struct Read {
    /// Its number.
    pub register: u16,
    /// The answer.
    pub got: Vec<u8>,
    /// On a bus of the LCD controller: words of 16 bits, little endian.
    pub in_words: bool,
}

impl Read {
    /// The register's number: two digits, or four with wide registers.
    fn name(&self) -> String {
        match self.register {
            ..=0xFF => format!("{:02X}", self.register),
            _ => format!("{:04X}", self.register),
        }
    }

    /// As `reads` of a row has it.
    fn asked(&self) -> String {
        let unit = if self.in_words { 2 } else { 1 };
        format!("{} {}", self.name(), self.got.len() / unit)
    }

    /// As `match` of a row has it.
    fn terms(&self) -> Vec<String> {
        let register = self.name();
        let term = |(index, value): (usize, String)| format!("{register}[{index}]={value}");
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

/// What a panel answered, and its pins and voltages as terms of a row.
pub fn sections(records: &[Entry]) -> (Vec<Section>, Vec<String>) {
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
    (sections, other_terms)
}

/// The link of a panel whose rest is not known: what wakes most panels up, so
/// that the row can be compiled and tried.
const ON_DSI: &str = "lanes = 2 # FILL-IN\nmode = \"command\" # FILL-IN\nformat = \"rgb888\" # FILL-IN\n\
    rate = { pll_mhz = 200 } # FILL-IN\n\
    reset = [\"high 10\", \"low 20\", \"high 120\"] # FILL-IN\ndoubtful = true\n\
    init = \"\"\"\n05 11 # FILL-IN: this only wakes it up\ndelay 120\n05 29\n\"\"\"\n\
    power_down = \"\"\"\n05 28\ndelay 20\n05 10\ndelay 120\n\"\"\"\n";
const ON_DBI: &str = "format = \"rgb565\" # FILL-IN\n\
    reset = [\"high 10\", \"low 20\", \"high 120\"] # FILL-IN\ndoubtful = true\n\
    init = \"\"\"\n11 # FILL-IN: this only wakes it up\ndelay 120\n29\n\"\"\"\n\
    power_down = \"\"\"\n28\ndelay 20\n10\ndelay 120\n\"\"\"\n\
    \n[bus.parallel]\nwidth = 16 # FILL-IN\naccess = 16\n\
    write = { setup = 2, strobe = 6, hold = 2 }\nread = { setup = 2, strobe = 31, hold = 0 }\n";

/// The row of a panel that answered and is not known.
pub(super) fn begin(records: &[Entry], unit: &'static str, near: &[Near]) -> Option<NewRow> {
    let (sections, other_terms) = sections(records);
    let first = sections.first()?.reads.first()?;
    let in_words = first.in_words;
    let controller = near.first().map_or(PLACEHOLDER, |near| &near.controller);
    let mut text = heading("panel");
    let _ = writeln!(
        text,
        "names = [\"{PLACEHOLDER}\"]\ncontroller = \"{controller}\" # {PLACEHOLDER}: a guess by its answers\n\
         width = 480 # {PLACEHOLDER}\nheight = 800 # {PLACEHOLDER}"
    );
    if !other_terms.is_empty() {
        let _ = writeln!(text, "# pins and voltages: {}", list(&other_terms));
    }
    text.push_str(if in_words { ON_DBI } else { ON_DSI });
    text.push_str("\n# Keep what tells this panel from others.\n");
    for section in &sections {
        put_section(&mut text, section);
    }
    Some(NewRow {
        unit,
        folder: "panels",
        name: format!(
            "new-{:02x}-{}",
            first.register,
            Hex(first.got.clone()).digits()
        )
        .to_lowercase(),
        text,
    })
}

fn put_section(text: &mut String, section: &Section) {
    text.push_str("\n[[id]]\n");
    if let Some((stage, name)) = &section.unlock {
        let _ = writeln!(text, "# after the sequence for: {name}");
        match unlock_lines(*stage, name) {
            Some(lines) => {
                let _ = writeln!(text, "unlock = {}", list(&lines));
            }
            None => text.push_str("# its bytes are those of the release that made the report\n"),
        }
    }
    let reads: Vec<_> = section.reads.iter().map(Read::asked).collect();
    let terms: Vec<_> = section.reads.iter().flat_map(Read::terms).collect();
    let _ = writeln!(text, "reads = {}\nmatch = {}", list(&reads), list(&terms));
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
