//! A driver's steps as lines of a row's `init`, `power_down` and `unlock`.

use super::dataset::Item;
use serde_json::Value;
use std::fmt::Write as _;

/// Write memory start: a picture, no setting.
const PIXELS: u8 = 0x2C;

/// Bytes of the longest write: what the host's command queue holds behind the
/// header (facts/display.md 3.4).
const LONGEST: usize = 124;
/// Turn-on and shut-down of the peripheral: packets without a command.
const PERIPHERAL: [u8; 2] = [0x22, 0x32];

/// Why steps cannot be a row's.
pub type Refusal = String;

/// Steps as lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// One step each.
    pub lines: Vec<String>,
    /// What was left out and may matter.
    pub doubts: Vec<String>,
}

/// Whole milliseconds that are at least `ms`.
pub fn whole_ms(ms: f64) -> u32 {
    // Some of MediaTek's waits end in 10 us; they do not make another step.
    (ms - 0.05).ceil().max(0.0) as u32
}

/// The lines, without pixels, reads and what only concerns a board's pins
/// and supplies.
pub fn script(items: &[Item]) -> Result<Script, Refusal> {
    let mut out = Script::default();
    // Behind a table without an end lies the driver's other memory.
    let table_end = |item: &&Item| item.op.is_none() && item.dt == Some(0) && item.args.is_empty();
    for item in items.iter().take_while(|item| !table_end(item)) {
        match item.op.as_deref() {
            None => write(item, &mut out)?,
            Some("reset") => {
                let level = if item.level == Some(0) { "low" } else { "high" };
                let ms = whole_ms(item.delay_ms);
                out.lines.push(format!("reset {level} {ms}"));
                continue;
            }
            // The longest answer only concerns reads, which are left out.
            Some("max_return" | "read" | "delay" | "call" | "gpio_in" | "adc") => {}
            Some("raw") => raw(item, &mut out)?,
            Some(other) => return Err(format!("it has a step that is not known: {other}")),
        }
        match whole_ms(item.delay_ms) {
            0 => {}
            ms => out.lines.push(format!("delay {ms}")),
        }
    }
    Ok(out)
}

/// A packet that the driver builds itself.
fn raw(item: &Item, out: &mut Script) -> Result<(), Refusal> {
    // A long write whose first byte is the third of the word.
    let pixels = format!("{PIXELS:02x}39");
    let is_picture = |word: &String| word.get(2..6) == Some(&pixels);
    if !item.words.is_empty() && item.words.iter().all(is_picture) {
        return Ok(());
    }
    match item.dt {
        Some(data_type) if PERIPHERAL.contains(&data_type) => {
            let packet = format!("its driver also sends a packet {data_type:02X} without command");
            out.doubts.push(packet);
            Ok(())
        }
        _ => Err("it sends packets that the source does not explain".into()),
    }
}

/// One write, unless it is pixels.
fn write(item: &Item, out: &mut Script) -> Result<(), Refusal> {
    let unclear = || Refusal::from("it has a write without command or data type");
    let command = item.cmd.and_then(|cmd| u8::try_from(cmd).ok());
    let (command, data_type) = command.zip(item.dt).ok_or_else(unclear)?;
    let args: Option<Vec<u8>> = item.args.iter().map(byte).collect();
    let mut args = args.ok_or_else(unclear)?;
    // A short packet holds two bytes whatever the driver counts.
    match data_type {
        0x05 | 0x13 => args.clear(),
        0x15 | 0x23 => args.resize(1, 0),
        0x29 | 0x39 => {}
        _ => return Err(format!("it has a write with data type {data_type:02X}")),
    }
    if command == PIXELS {
        return Ok(());
    }
    let mut line = format!("{data_type:02X} {command:02X}");
    for byte in args {
        // Writing to a String cannot fail.
        let _ = write!(line, " {byte:02X}");
    }
    out.lines.push(line);
    Ok(())
}

/// Whether the host can send every line.
pub fn sendable(lines: &[String]) -> Result<(), Refusal> {
    // Two digits and a space a byte, the data type first.
    let longest = lines.iter().map(|line| line.len() / 3).max().unwrap_or(0);
    if longest > LONGEST {
        return Err(format!(
            "it needs a write of {longest} bytes; the host's queue holds {LONGEST}"
        ));
    }
    Ok(())
}

/// An argument as the byte it is on the wire.
pub fn byte(arg: &Value) -> Option<u8> {
    u8::try_from(arg.as_u64()?).ok()
}
