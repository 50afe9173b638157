//! The rows of touch chips and cameras.

use super::{NewRow, answers, bytes, heading};
use crate::db::lint::PLACEHOLDER;
use crate::report::Hex;
use crate::report::entry::{Entry, What};
use crate::report::near::Near;
use std::fmt::Write as _;

/// What one step of a probe writes and reads at most.
const MOST_WRITTEN: usize = 8;
const MOST_READ: usize = 32;
/// Bytes of a register's number.
const REGISTER: usize = 2;
/// Bytes of a camera's ID at most.
const ID: usize = 4;

/// The row of a touch chip that answered and is not known.
pub(super) fn begin_touch(records: &[Entry], unit: &'static str, near: &[Near]) -> Option<NewRow> {
    let (address, answers) = answers(records, unit)?;
    let mut steps = answers
        .iter()
        .filter(|(sent, got)| sent.0.len() <= MOST_WRITTEN && got.0.len() <= MOST_READ);
    let (_, first) = steps.clone().next()?;
    let family = near.first().map_or(PLACEHOLDER, |near| &near.controller);
    let mut text = heading("touch chip");
    let _ = writeln!(
        text,
        "name = \"{PLACEHOLDER}\"\nfamily = \"{family}\" # {PLACEHOLDER}: a guess by its answers\n\
         addresses = [{address:#04X}]\norder = 50\nwait_ms = 300 # {PLACEHOLDER}\n\
         driver = \"{PLACEHOLDER}\"\nconfidence = \"low\""
    );
    if steps.clone().any(|(sent, _)| sent.0.len() > REGISTER) {
        text.push_str("intrusive = true\n");
    }
    text.push_str("\n# Keep the probes whose answer tells this chip from others.\n");
    let _ = steps.try_for_each(|(sent, got)| {
        write!(
            text,
            "\n[[probe]]\nwrite = {}\nread = {}\nexpect = {{ values = [{}] }}\n",
            bytes(&sent.0),
            got.0.len(),
            bytes(&got.0)
        )
    });
    Some(NewRow {
        unit,
        folder: "touch",
        name: format!("unknown-{address:02x}-{}", first.digits()).to_lowercase(),
        text,
    })
}

/// The row of a camera that answered and is not known.
pub(super) fn begin_camera(records: &[Entry], unit: &'static str, near: &[Near]) -> Option<NewRow> {
    let (address, answers) = answers(records, unit)?;
    let core_mv = records.iter().find_map(|entry| match entry.what {
        What::Power { on: true, core_mv } if entry.unit == unit => Some(core_mv),
        _ => None,
    });
    let usual = |mv: &u16| [1200, 1500, 1800].contains(mv);
    let (registers, value) = id_of(&answers)?;
    let (first, _) = registers.first()?;
    let maker = near.first().map_or(PLACEHOLDER, |near| &near.controller);
    let mut text = heading("camera");
    text.push_str("# What each register answered:\n");
    for (sent, got) in &answers {
        let _ = writeln!(text, "#   {sent} -> {got}");
    }
    let number = |bytes: &Hex| format!("0x{}", bytes.digits());
    let numbers: Vec<String> = registers.iter().map(|(sent, _)| number(sent)).collect();
    let _ = write!(
        text,
        "name = \"{PLACEHOLDER}\"\nmaker = \"{PLACEHOLDER}\" # near {maker}\ndriver = \"{PLACEHOLDER}\"\n\
         addresses = [{address:#04X}]\naddress_bytes = {}\ndata_bytes = {}\nregisters = [{}]\n\
         values = [{}]\nconfidence = \"low\"\nbus = \"unknown\" # {PLACEHOLDER}\ncore_mv = {}\n",
        first.0.len(),
        registers.first()?.1.0.len(),
        numbers.join(", "),
        number(&value),
        core_mv.filter(usual).unwrap_or(1800)
    );
    Some(NewRow {
        unit,
        folder: "cameras",
        name: format!("unknown-{address:02x}-{}", value.digits()).to_lowercase(),
        text,
    })
}

/// What was sent, and what came back.
type Answer = (Hex, Hex);

/// The first register that answered, with those right behind it, and the ID
/// that they make.
fn id_of(answers: &[Answer]) -> Option<(Vec<&Answer>, Hex)> {
    let fits = |(sent, got): &&Answer| {
        (1..=REGISTER).contains(&sent.0.len()) && (1..=2).contains(&got.0.len())
    };
    let number = |sent: &Hex| {
        sent.0
            .iter()
            .fold(0_u32, |all, &byte| all << 8 | u32::from(byte))
    };
    let mut taken: Vec<&Answer> = Vec::new();
    let mut id = Vec::new();
    for answer in answers.iter().filter(fits) {
        let (sent, got) = answer;
        let follows = taken.last().is_none_or(|(last, before)| {
            (sent.0.len(), got.0.len()) == (last.0.len(), before.0.len())
                && number(sent) == number(last) + before.0.len() as u32
        });
        if follows && id.len() + got.0.len() <= ID {
            id.extend(&got.0);
            taken.push(answer);
        }
    }
    (!taken.is_empty()).then_some((taken, Hex(id)))
}
