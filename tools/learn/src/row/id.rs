//! What a driver accepts, as the table and people write it.

use crate::event::{Event, Question};
use crate::identify::{Identification, Term, Way};
use crate::script::{Step, line};
use std::fmt::Write as _;

/// Counts of the AUXADC in 1500 mV. Source: facts/display.md 5.5.
const ADC_COUNTS: u32 = 4096;
const ADC_MV: u32 = 1500;
/// What a driver accepts, a text for each way.
pub fn ways(found: &Identification) -> Vec<String> {
    let text = |way: &Way| {
        let terms: Vec<String> = way.terms.iter().copied().map(term).collect();
        terms.join(" ")
    };
    found.ways.iter().map(text).collect()
}

/// A term as people and the table write it.
pub fn term(term: Term) -> String {
    match term {
        Term::Byte {
            question: Question::Dsi { register, .. },
            byte,
            mask: 0xFF,
            value,
        } => format!("{register:02X}[{byte}]={value:02X}"),
        Term::Byte {
            question: Question::Dsi { register, .. },
            byte,
            mask,
            value,
        } => format!("{register:02X}[{byte}]&{mask:02X}={value:02X}"),
        Term::Byte {
            question: Question::Pins { bank },
            byte,
            mask,
            value,
        } => {
            let first = 32 * u32::from(bank) + 8 * u32::from(byte);
            let pins = (0..8).filter(|bit| mask >> bit & 1 == 1);
            let pins: Vec<String> = pins
                .map(|bit| {
                    let level = if value >> bit & 1 == 1 { "high" } else { "low" };
                    format!("GPIO{}={level}", first + bit)
                })
                .collect();
            pins.join(" ")
        }
        Term::Byte { mask, value, .. } => format!("bus&{mask:02X}={value:02X}"),
        Term::Adc { channel, from, to } => {
            let mv = |raw: u16| u32::from(raw) * ADC_MV / ADC_COUNTS;
            let to = if u32::from(to) + 1 >= ADC_COUNTS {
                String::new()
            } else {
                mv(to).max(mv(from) + 1).to_string()
            };
            format!("adc{channel}={}..{to}", mv(from))
        }
    }
}

/// An `[[id]]` section; nothing if only pins decide.
pub fn id(way: &Way) -> String {
    let mut reads: Vec<(u8, u8)> = Vec::new();
    let mut terms = Vec::new();
    for wanted in &way.terms {
        if let Term::Byte {
            question: Question::Dsi { register, .. },
            byte,
            ..
        } = *wanted
        {
            let asked = asked(way, register).max(byte + 1);
            match reads.iter_mut().find(|(known, _)| *known == register) {
                Some((_, length)) => *length = asked.max(*length),
                None => reads.push((register, asked)),
            }
        }
        let in_table = match *wanted {
            Term::Byte { question, .. } => matches!(question, Question::Dsi { .. }),
            Term::Adc { .. } => true,
        };
        let text = format!("\"{}\"", term(*wanted));
        if in_table && !terms.contains(&text) {
            terms.push(text);
        }
    }
    if terms.is_empty() {
        return String::new();
    }
    let mut out = String::from("\n[[id]]\n");
    let unlock: Vec<String> = unlock(way)
        .iter()
        .map(|line| format!("\"{line}\""))
        .collect();
    if !unlock.is_empty() && !reads.is_empty() {
        let _ = writeln!(out, "unlock = [{}]", unlock.join(", "));
    }
    if !reads.is_empty() {
        let reads: Vec<String> = reads
            .iter()
            .map(|(register, length)| format!("\"{register:02X} {length}\""))
            .collect();
        let _ = writeln!(out, "reads = [{}]", reads.join(", "));
    }
    let _ = writeln!(out, "match = [{}]", terms.join(", "));
    out
}

/// Bytes that the driver asked a register for.
fn asked(way: &Way, wanted: u8) -> u8 {
    let asked = way.events.iter().filter_map(|event| match event {
        Event::Read {
            question: Question::Dsi { register, .. },
            asked,
            ..
        } if *register == wanted => Some(*asked),
        _ => None,
    });
    asked.max().unwrap_or(1)
}

/// What the driver sent before its last read, since the last reset.
fn unlock(way: &Way) -> Vec<String> {
    let read = |event: &Event| {
        matches!(
            event,
            Event::Read {
                question: Question::Dsi { .. },
                ..
            }
        )
    };
    let end = way.events.iter().rposition(read).unwrap_or(0);
    let mut lines: Vec<String> = Vec::new();
    for event in way.events.iter().take(end) {
        match event {
            Event::Packet { data_type, payload } => {
                lines.push(line(&Step::Write(*data_type, payload.clone())));
            }
            Event::Reset(false) => lines.clear(),
            _ => {}
        }
    }
    lines
}
