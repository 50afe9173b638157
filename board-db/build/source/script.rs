//! Command sequences as text, one step a line, to the bytes of `src/script.rs`.
//!
//! | line | meaning |
//! |---|---|
//! | `29 FF 98 06` | write with data type 0x29: command 0xFF and its parameters |
//! | `delay 120` | wait milliseconds |
//! | `reset low 10` | reset pin to this level, wait milliseconds |
//! | `max-return 4` | set the maximum return packet size |
//!
//! Two kinds of writes never get in: pixels, which are dropped because they
//! are a picture and no setting, and commands that burn the chip's one-time
//! memory, which are refused (see [`burns`]).

use crate::source::Place;
use crate::source::Problem;
use crate::source::burners::burns;

const OP_DELAY: u8 = 0x00;
const OP_RESET: u8 = 0x01;
const OP_MAX_RETURN: u8 = 0x37;
/// Longest write: what the host's command queue holds after the header.
const LONGEST: usize = 124;
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

/// One line, as bytes.
fn step(place: Place<'_>, controller: &str, line: &str) -> Result<Vec<u8>, Problem> {
    let bad = |remedy: &str| Err(place.problem(&format!("line \"{line}\": {remedy}")));
    let words: Vec<&str> = line.split_whitespace().collect();
    let ms = |text: &str| text.parse::<u16>().ok().filter(|ms| *ms <= 2000);
    match words[..] {
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
        _ => {
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
    }
}

/// A sequence, one step a line; empty lines and `#` comments are skipped.
pub fn compile(place: Place<'_>, controller: &str, text: &str) -> Result<Vec<u8>, Problem> {
    let mut out = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            out.extend(step(place, controller, line)?);
        }
    }
    Ok(out)
}
