//! The writes that wake a panel, as its vendor's driver sends them.

use super::burners::burns;
use super::facts::{Panel, Resume, Step};
use std::fmt::Write as _;

/// Commands that a table must hold.
const SLEEP_OUT: u8 = 0x11;
const DISPLAY_ON: u8 = 0x29;
/// Starts a write to the frame memory: pixels, and no part of a table.
const MEMORY_WRITE: &str = "2c";
/// Tells a video panel to turn on.
const TURN_ON: u32 = 0x32;
/// Command and parameters that fit into the MT6572's command queue behind a
/// packet's header. Source: facts/display.md 3.4.
const LONGEST_WRITE: usize = 124;

/// A write and the pause after it.
pub struct Write {
    pub data_type: u8,
    /// Command and parameters.
    pub bytes: Vec<u8>,
    pub delay_ms: u32,
}

impl Write {
    /// The write of a step, if it is one.
    pub fn of(step: &Step) -> Option<Write> {
        let command = step.cmd.filter(|_| step.op.is_none())?;
        let command = u8::try_from(command).ok()?;
        let args = step.args.as_array().map_or(&[][..], Vec::as_slice);
        let mut bytes = vec![command];
        for arg in args {
            bytes.push(u8::try_from(arg.as_u64()?).ok()?);
        }
        let data_type = u8::try_from(step.dt?).ok()?;
        // A short packet has no room for what some drivers hand over more.
        match data_type {
            0x05 | 0x13 => bytes.truncate(1),
            0x15 | 0x23 => bytes.truncate(2),
            _ => {}
        }
        Some(Write {
            data_type,
            bytes,
            delay_ms: pause_ms(step),
        })
    }

    /// As hexadecimal bytes.
    pub fn hex(&self) -> String {
        hex(&self.bytes)
    }
}

/// Bytes as a person writes them: `"FF 98 06"`.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let gap = if text.is_empty() { "" } else { " " };
        // Writing to a text cannot fail.
        let _ = write!(text, "{gap}{byte:02X}");
    }
    text
}

/// All that is sent from the last reset to display-on, or why that is not known.
pub fn of(panel: &Panel) -> Result<Vec<Write>, String> {
    if panel.extraction.init == "failed" || panel.init.is_empty() {
        return Err("its initialisation could not be read from the sources".into());
    }
    let more = match (&panel.display_on_via.as_deref(), &panel.resume) {
        (Some("init"), _) => &[][..],
        (Some("resume"), Some(Resume::Plus { init_plus })) => init_plus,
        (Some("resume"), Some(Resume::List(list))) => list,
        _ => return Err("its driver never sends sleep-out and display-on".into()),
    };
    let steps: Vec<&Step> = panel.init.iter().chain(more).collect();
    // A reset in between throws away what came before it.
    let reset = |step: &&Step| step.op.as_deref() == Some("reset");
    let begin = steps.iter().rposition(reset).map_or(0, |last| last + 1);
    let mut writes: Vec<Write> = Vec::new();
    for step in &steps[begin..] {
        take(step, &mut writes)?;
    }
    drop_memory_writes(&mut writes);
    let controller = panel.controller.as_deref().unwrap_or_default();
    drop_writes(&mut writes, |write| burns(controller, write.bytes[0]));
    for needed in [SLEEP_OUT, DISPLAY_ON] {
        if !writes.iter().any(|write| write.bytes[0] == needed) {
            return Err(format!("its driver never sends {needed:02X}"));
        }
    }
    let long = |write: &&Write| write.bytes.len() > LONGEST_WRITE;
    if let Some(write) = writes.iter().find(long) {
        return Err(format!(
            "a write to {:02X} has {} bytes, the chip's command queue takes {LONGEST_WRITE}",
            write.bytes[0],
            write.bytes.len()
        ));
    }
    Ok(writes)
}

/// Drops what starts a write to the frame memory: it only tells that pixels
/// come. On a maker's page the same number is a register, and stays, as does
/// 3C with parameters: that is on a page whose key is not known here.
fn drop_memory_writes(writes: &mut Vec<Write>) {
    let mut standard = true;
    drop_writes(writes, |write| match write.bytes[..] {
        [0xFF, 0xFF, 0x98, 0x06, 0x04, page, ..] | [0xFF, 0x98, 0x81, page, ..] => {
            standard = page == 0;
            false
        }
        [0x2C, ..] | [0x3C] => standard,
        _ => false,
    });
}

/// Drops the writes that `is_dropped` names, in their order; their pauses stay.
fn drop_writes(writes: &mut Vec<Write>, mut is_dropped: impl FnMut(&Write) -> bool) {
    let mut kept: Vec<Write> = Vec::new();
    for write in writes.drain(..) {
        if !is_dropped(&write) {
            kept.push(write);
        } else if let Some(last) = kept.last_mut() {
            last.delay_ms += write.delay_ms;
        }
    }
    *writes = kept;
}

fn take(step: &Step, writes: &mut Vec<Write>) -> Result<(), String> {
    let Some(op) = step.op.as_deref() else {
        let write = Write::of(step).ok_or("a write of its table is not complete")?;
        writes.push(write);
        return Ok(());
    };
    let sends_nothing = match op {
        // What a board does around the panel, and what the panel is asked.
        "call" | "gpio_in" | "max_return" | "read" | "delay" => true,
        "raw" => {
            step.dt == Some(TURN_ON)
                || !step.words.is_empty()
                    && step
                        .words
                        .iter()
                        .all(|word| word.get(2..4) == Some(MEMORY_WRITE))
        }
        _ => false,
    };
    if !sends_nothing {
        return Err(format!("its table has a step that no packet is: {op}"));
    }
    let pause = match op {
        "delay" => step.n.unwrap_or(0) + pause_ms(step),
        _ => pause_ms(step),
    };
    if let Some(last) = writes.last_mut() {
        last.delay_ms += pause;
    }
    Ok(())
}

/// Milliseconds from the end of the last reset to the first write, where the
/// driver resets the panel.
pub fn wait_after_reset(panel: &Panel) -> Option<u32> {
    let reset = |step: &&Step| step.op.as_deref() == Some("reset");
    let again = panel.init.iter().rfind(reset);
    let (level, ms) = match again {
        Some(step) => (step.level?, step.delay_ms),
        None => *panel.reset.as_deref()?.last()?,
    };
    (level == 1).then_some(ms.ceil() as u32)
}

/// The pause after a step in whole milliseconds.
fn pause_ms(step: &Step) -> u32 {
    step.delay_ms.round() as u32
}
