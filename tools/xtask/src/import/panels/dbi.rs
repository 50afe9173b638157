//! Panels on the LCD controller's buses, and those on DPI, which are only
//! named. On a bus a register has one address of 8 bits, or of 16 with one
//! parameter each; answers are words (facts/display.md 8).

use super::dataset::{Entry, Item, WordIs};
use super::row::{Bus, Cycle, Identity, Parallel};
use super::script::{Refusal, whole_ms};
use std::collections::BTreeMap;

/// Write memory start, in both forms: a picture, no setting.
const PIXELS: [u16; 2] = [0x2C, 0x2C00];
/// Column and row window of a picture, likewise.
const WINDOWS: [u16; 2] = [0x2A, 0x2B];
/// Words of the longest answer that the table can hold.
const LONGEST_ANSWER: u8 = 5;

/// The bus of `entry`, or why the chip cannot drive it.
pub fn bus(entry: &Entry) -> Result<Bus, Refusal> {
    if entry.interface.as_deref() == Some("dpi") {
        let of_this_chip = |soc: &String| soc == "mt6572" || soc == "mt6571";
        if !entry.socs.iter().any(of_this_chip) {
            return Err("its interface is dpi, and no tree of this chip has it".into());
        }
        return Ok(Bus::Dpi);
    }
    if entry.interface.as_deref() != Some("dbi_parallel") {
        let interface = entry.interface.as_deref().unwrap_or("not in the facts");
        return Err(format!("its interface is {interface}"));
    }
    let value = |name: &str| entry.dbi.get(name).copied().unwrap_or(0);
    let width = match value("data_width") {
        0 => 8,
        1 => 9,
        2 => 16,
        3 => 18,
        _ => return Err("its bus has 24 lines or more; the chip has 18".into()),
    };
    let cycle = |setup: &str, strobe: &str, hold: &str| Cycle {
        setup: value(setup),
        // One cycle is the least that the controller makes.
        strobe: value(strobe).max(1),
        hold: value(hold),
    };
    Ok(Bus::Parallel(Parallel {
        width,
        access: value("cpu_write_bits"),
        wide: entry.init.iter().any(|item| item.cmd > Some(0xFF)),
        pad_high: value("data_format.padding") == 1,
        low_first: value("data_format.trans_seq") == 1,
        write: cycle(
            "parallel.write_setup",
            "parallel.write_wait",
            "parallel.write_hold",
        ),
        read: cycle(
            "parallel.read_setup",
            "parallel.read_latency",
            "parallel.read_hold",
        ),
    }))
}

/// Pixel format on the bus.
pub fn format(entry: &Entry) -> Result<&'static str, Refusal> {
    match entry.format.as_deref() {
        Some("rgb565") => Ok("rgb565"),
        Some("rgb666") => Ok("rgb666-packed"),
        Some("rgb888") => Ok("rgb888"),
        _ => Err("its driver does not say the pixel format".into()),
    }
}

/// A driver's steps as lines, without pixels and reads.
pub fn lines(items: &[Item]) -> Result<Vec<String>, Refusal> {
    let mut out = Vec::new();
    let draws = |item: &Item| item.cmd.is_some_and(|cmd| PIXELS.contains(&cmd));
    let draws = items.iter().any(draws);
    for (index, item) in items.iter().enumerate() {
        match item.op.as_deref() {
            None if !is_read(items, index) => {
                let command = item.cmd.unwrap_or(0);
                let window = draws && WINDOWS.contains(&command);
                if !window && !PIXELS.contains(&command) {
                    out.push(line(item)?);
                }
            }
            Some("reset") => {
                let level = if item.level == Some(0) { "low" } else { "high" };
                out.push(format!("reset {level} {}", whole_ms(item.delay_ms)));
                continue;
            }
            None | Some("read_dbi" | "delay" | "call" | "gpio_in" | "adc") => {}
            Some(other) => return Err(format!("it has a step that is not known: {other}")),
        }
        match whole_ms(item.delay_ms) {
            0 => {}
            ms => out.push(format!("delay {ms}")),
        }
    }
    Ok(out)
}

/// Whether the write only says what the next step reads.
fn is_read(items: &[Item], index: usize) -> bool {
    let next = items.get(index + 1).and_then(|next| next.op.as_deref());
    items[index].args.is_empty() && next == Some("read_dbi")
}

/// One write: bytes, or words where one of them needs 16 bits.
fn line(item: &Item) -> Result<String, Refusal> {
    let command = item.cmd.map(u64::from);
    let args = item.args.iter().map(serde_json::Value::as_u64);
    let values: Option<Vec<u64>> = std::iter::once(command).chain(args).collect();
    let unclear = || Refusal::from("it has a write without command");
    let values = values.ok_or_else(unclear)?;
    let digits = match values.iter().max() {
        Some(0..=0xFF) => 2,
        Some(0x100..=0xFFFF) => 4,
        _ => return Err("it has a write of more than 16 bits".into()),
    };
    let words: Vec<String> = values
        .iter()
        .map(|value| format!("{value:0digits$X}"))
        .collect();
    Ok(words.join(" "))
}

/// A register's number.
fn register(number: u16) -> String {
    let digits = if number > 0xFF { 4 } else { 2 };
    format!("{number:0digits$X}")
}

/// The section for what the driver reads; `None`: it compares nothing.
pub fn identity(entry: &Entry, words: &[WordIs]) -> Result<Option<Identity>, Refusal> {
    let known = known_words(words, &entry.id_read.compared_consts);
    if known.values().all(|(value, _)| *value == 0) {
        return Ok(None);
    }
    let mut reads: BTreeMap<u16, u8> = BTreeMap::new();
    let mut terms = Vec::new();
    for (&(number, word), &(value, mask)) in &known {
        let len = reads.entry(number).or_default();
        *len = (*len).max(word + 1);
        if word >= LONGEST_ANSWER {
            return Err(format!(
                "its ID is in word {word}; the table holds {LONGEST_ANSWER}"
            ));
        }
        let name = format!("{}[{word}]", register(number));
        terms.push(match mask {
            0xFF => format!("{name}={value:02X}"),
            0xFFFF => format!("{name}={value:04X}"),
            0x00..=0xFF => format!("{name}&{mask:02X}={value:02X}"),
            _ => format!("{name}&{mask:04X}={value:04X}"),
        });
    }
    let sequence = &entry.id_read.seq;
    let resets = sequence
        .iter()
        .rposition(|item| item.op.as_deref() == Some("reset"));
    let after_reset = resets.map_or(0, |at| at + 1);
    let keys: Vec<Item> = sequence[after_reset..]
        .iter()
        .enumerate()
        .filter(|(index, item)| item.op.is_none() && !is_read(sequence, after_reset + index))
        .map(|(_, item)| Item {
            delay_ms: 0.0,
            ..item.clone()
        })
        .collect();
    let mut unlock = lines(&keys)?;
    // Of a key that is sent again, the last one counts.
    if let Some(again) = unlock.iter().rposition(|line| *line == unlock[0]) {
        unlock.drain(..again);
    }
    Ok(Some(Identity {
        comment: Vec::new(),
        unlock,
        reads: reads
            .into_iter()
            .map(|(number, len)| format!("{} {len}", register(number)))
            .collect(),
        terms,
    }))
}

/// Value and mask by register and word. Of a word, zeros above the first byte
/// only say that the driver compares an integer. Where two words next to each
/// other make one constant, the facts may hold any pair whose sum it is
/// (facts/panels.md, "How the values were obtained"): its bytes are meant.
fn known_words(words: &[WordIs], constants: &[u64]) -> BTreeMap<(u16, u8), (u16, u16)> {
    let mut known: BTreeMap<(u16, u8), (u16, u16)> = BTreeMap::new();
    for is in words {
        if is.byte > 1 || (is.byte == 1 && is.value == 0) {
            continue;
        }
        let entry = known.entry((is.cmd, is.word)).or_default();
        let shift = 8 * u32::from(is.byte);
        entry.0 |= u16::from(is.value) << shift;
        entry.1 |= u16::from(is.mask) << shift;
    }
    let places: Vec<(u16, u8)> = known.keys().copied().collect();
    if let [first, second] = places[..]
        && first.0 == second.0
        && first.1 + 1 == second.1
        && let Some(constant) = constants.iter().find_map(|&c| u16::try_from(c).ok())
        && constant > 0xFF
    {
        known.insert(first, (constant >> 8, 0xFF));
        known.insert(second, (constant & 0xFF, 0xFF));
    }
    known
}
