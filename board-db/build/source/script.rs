//! Command sequences as text, one step a line, to the bytes of `src/script.rs`.
//!
//! | line | meaning |
//! |---|---|
//! | `29 FF 98 06` | write with data type 0x29: command 0xFF and its parameters |
//! | `delay 120` | wait milliseconds |
//! | `reset low 10` | reset pin to this level, wait milliseconds |
//! | `max-return 4` | set the maximum return packet size |
//!
//! Panels on a bus of the LCD controller have no data types: `36 48` writes
//! command 0x36 and its parameter. With words of four digits, `F000 0055`, all
//! of a line are 16 bits wide.
//!
//! Two kinds of writes never get in: pixels, which are dropped because they
//! are a picture and no setting, and commands that burn the chip's one-time
//! memory, which are refused (see [`burns`]).

use crate::source::Place;
use crate::source::Problem;
use crate::source::burners::burns;
use crate::source::data_type::usual;

const OP_DELAY: u8 = 0x00;
pub const OP_RESET: u8 = 0x01;
pub const OP_WORDS: u8 = 0x02;
const OP_MAX_RETURN: u8 = 0x37;
/// What [`crate::source::pack`] makes of words to one register after the other.
pub const OP_REGISTERS: u8 = 0x04;
/// What [`crate::source::pack`] makes of a write with the usual data type.
pub const OP_USUAL: u8 = 0x80;
/// What [`crate::source::pack`] puts behind a sequence.
pub const OP_END: u8 = 0x80;
/// Longest write: what the host's command queue holds after the header.
pub const LONGEST: usize = 124;
/// Longest sequence, twice that of any known panel.
const LONGEST_SCRIPT: usize = 4096;
/// Longest that a sequence may wait in all; the slowest known panel takes 2.1 s.
const LONGEST_WAIT_MS: u32 = 3000;
/// Write memory start.
const PIXELS: u8 = 0x2C;

/// Bytes of hexadecimal words.
pub fn hex(words: &str) -> Option<Vec<u8>> {
    words
        .split_whitespace()
        .map(|word| {
            u8::from_str_radix(word, 16)
                .ok()
                .filter(|_| word.len() == 2)
        })
        .collect()
}

/// A line that is no write: a wait, the reset pin, the size of answers.
/// `None`: it is a write.
fn control(place: Place<'_>, line: &str) -> Option<Result<Vec<u8>, Problem>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ms = |text: &str| text.parse::<u16>().ok().filter(|ms| *ms <= 2000);
    let bad = |remedy: &str| Err(place.problem(&format!("line \"{line}\": {remedy}")));
    let step = match words[..] {
        ["delay", time] => match ms(time) {
            Some(time) => Ok([&[OP_DELAY][..], &time.to_le_bytes()].concat()),
            None => bad("give milliseconds, 0 to 2000"),
        },
        ["reset", level @ ("high" | "low"), time] => match ms(time) {
            Some(time) => Ok([
                &[OP_RESET, u8::from(level == "high")][..],
                &time.to_le_bytes(),
            ]
            .concat()),
            None => bad("give milliseconds, 0 to 2000"),
        },
        ["max-return", size] => match size.parse::<u8>() {
            Ok(size @ 1..=10) => Ok(vec![OP_MAX_RETURN, size]),
            _ => bad("give bytes, 1 to 10"),
        },
        _ => return None,
    };
    Some(step)
}

/// One line, as bytes.
fn step(place: Place<'_>, controller: &str, line: &str) -> Result<Vec<u8>, Problem> {
    let bad = |remedy: &str| Err(place.problem(&format!("line \"{line}\": {remedy}")));
    if let Some(step) = control(place, line) {
        return step;
    }
    let Some(bytes) = hex(line) else {
        return bad(
            "must be bytes in hexadecimal, \"delay N\", \"reset high|low N\" or \"max-return N\"",
        );
    };
    let [data_type, payload @ ..] = &bytes[..] else {
        return bad("is empty");
    };
    let [command, ..] = payload else {
        return bad("give the data type and at least the command");
    };
    let long_enough = match data_type {
        0x05 | 0x13 => payload.len() == 1,
        0x15 | 0x23 => payload.len() == 2,
        0x03 | 0x29 | 0x39 => true,
        _ => return bad("the data type must be 03, 05, 13, 15, 23, 29 or 39"),
    };
    if !long_enough {
        return bad("a short write (05, 13, 15, 23) has no such length: use 29 or 39");
    }
    if burns(controller, *command) {
        return bad("programs the one-time memory of this controller: remove the line");
    }
    if payload.len() > LONGEST {
        if *command == PIXELS {
            return Ok(Vec::new());
        }
        return bad("is longer than 124 bytes: split it");
    }
    let len = payload.len() as u8;
    Ok([&[*data_type, len][..], payload].concat())
}

/// One line for a bus of the LCD controller, as bytes.
fn word_step(place: Place<'_>, controller: &str, line: &str) -> Result<Vec<u8>, Problem> {
    let bad = |remedy: &str| Err(place.problem(&format!("line \"{line}\": {remedy}")));
    if let Some(step) = control(place, line) {
        return step;
    }
    let words = || line.split_whitespace();
    let wide = words().all(|word| word.len() == 4);
    let digits = if wide { 4 } else { 2 };
    let parsed = words().map(|word| {
        let value = u16::from_str_radix(word, 16).ok()?;
        (word.len() == digits).then_some(value)
    });
    let Some(values) = parsed.collect::<Option<Vec<u16>>>() else {
        return bad(
            "must be bytes (\"36 48\") or words (\"F000 0055\") in hexadecimal, \"delay N\" or \"reset high|low N\"",
        );
    };
    let first = values.first().copied().unwrap_or_default();
    let command = if wide { first >> 8 } else { first } as u8;
    if burns(controller, command) {
        return bad("programs the one-time memory of this controller: remove the line");
    }
    let payload: Vec<u8> = if wide {
        values.iter().flat_map(|word| word.to_be_bytes()).collect()
    } else {
        values.iter().map(|&byte| byte as u8).collect()
    };
    let op = if wide { OP_WORDS } else { usual(&payload) };
    match u8::try_from(payload.len()) {
        Ok(len) => Ok([&[op, len][..], &payload].concat()),
        Err(_) if command == PIXELS => Ok(Vec::new()),
        Err(_) => bad("is longer than 255 bytes: split it"),
    }
}

/// A sequence for a bus of the LCD controller.
pub fn compile_words(place: Place<'_>, controller: &str, text: &str) -> Result<Vec<u8>, Problem> {
    compile_with(text, |line| word_step(place, controller, line))
}

/// A sequence, one step a line; empty lines and `#` comments are skipped.
pub fn compile(place: Place<'_>, controller: &str, text: &str) -> Result<Vec<u8>, Problem> {
    compile_with(text, |line| step(place, controller, line))
}

fn compile_with(
    text: &str,
    step: impl Fn(&str) -> Result<Vec<u8>, Problem>,
) -> Result<Vec<u8>, Problem> {
    let mut out = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            out.extend(step(line)?);
        }
    }
    Ok(out)
}

/// The steps of a compiled sequence.
pub fn steps(mut script: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = match *script {
            [OP_DELAY, ..] => 3,
            [OP_RESET, ..] => 4,
            [OP_MAX_RETURN, ..] => 2,
            [_, len, ..] => 2 + usize::from(len),
            _ => return None,
        };
        let (step, rest) = script.split_at_checked(length)?;
        script = rest;
        Some(step)
    })
}

/// Refuses a sequence that no panel needs: the phone has memory for one of
/// [`LONGEST_SCRIPT`] bytes, and nobody waits for a screen for ever.
pub fn check_size(place: Place<'_>, script: &[u8]) -> Result<(), Problem> {
    if script.len() > LONGEST_SCRIPT {
        return Err(place.problem(&format!(
            "makes {} bytes, the most is {LONGEST_SCRIPT}: remove what is no setting of the panel",
            script.len()
        )));
    }
    let waits = steps(script).map(|step| match *step {
        [OP_DELAY, low, high] | [OP_RESET, _, low, high] => {
            u32::from(u16::from_le_bytes([low, high]))
        }
        _ => 0,
    });
    let ms: u32 = waits.sum();
    if ms > LONGEST_WAIT_MS {
        return Err(place.problem(&format!(
            "waits {ms} ms in all, the most is {LONGEST_WAIT_MS}: shorten the delays"
        )));
    }
    Ok(())
}

/// Payloads of the writes in a sequence: the data types do not matter to a
/// panel (facts/display.md 9.3).
pub fn payloads(script: &[u8]) -> Vec<&[u8]> {
    steps(script)
        .filter(|step| !matches!(step[0], OP_DELAY | OP_RESET | OP_MAX_RETURN))
        .map(|write| &write[2..])
        .collect()
}
