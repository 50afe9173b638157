//! What tells a panel: the `[[id]]` sections.

use crate::source::buses::Bus;
use crate::source::script::hex;
use crate::source::{Place, Problem};
use serde::Deserialize;

/// One way to know a panel.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdToml {
    /// Writes that open the registers, in order.
    #[serde(default)]
    pub unlock: Vec<String>,
    /// Registers and the bytes to ask for, `"A1 5"`; on a bus of the LCD
    /// controller words of 16 bits, of registers of 8 or 16 bits, `"D3 4"`,
    /// `"DA00 1"`.
    #[serde(default)]
    pub reads: Vec<String>,
    /// Terms that must all hold: `"A1[2]=80"`, `"DA[0]&F0=40"`,
    /// `"strap1=high"`, `"adc0=500..800"`. On a bus of the LCD controller the
    /// number in brackets counts words: `"D3[2]=94"` means the lower byte of
    /// the third, `"00[0]=D802"` the whole first.
    #[serde(rename = "match")]
    pub terms: Vec<String>,
}

/// A checked alternative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id {
    /// The unlock sequence in the table's form.
    pub unlock: Vec<u8>,
    /// Terms in order.
    pub terms: Vec<Term>,
}

/// A checked term; registers are not yet questions of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// A byte of a register.
    Register {
        register: u16,
        len: u8,
        byte: u8,
        mask: u8,
        value: u8,
    },
    /// An identification pin.
    Strap { index: u8, high: bool },
    /// An identification voltage.
    Voltage {
        channel: u8,
        from_mv: u16,
        to_mv: u16,
    },
}

impl IdToml {
    /// The checked form.
    pub fn compile(&self, place: Place<'_>, controller: &str, bus: &Bus) -> Result<Id, Problem> {
        let unlock = bus.script(
            place.field("id.unlock"),
            controller,
            &self.unlock.join("\n"),
        )?;
        let unit = if bus.is_dbi() { 2 } else { 1 };
        let place = place.field("id.match");
        if self.terms.is_empty() {
            return Err(place.problem("give at least one term, or leave the [[id]] out"));
        }
        let mut reads = Vec::new();
        for read in &self.reads {
            let parts: Vec<&str> = read.split_whitespace().collect();
            let parsed = match parts[..] {
                [register, len] => self::register(register, bus).zip(len.parse::<u8>().ok()),
                _ => None,
            };
            let longest = 10 / unit;
            let Some((register, len)) = parsed.filter(|(_, len)| (1..=longest).contains(len))
            else {
                let remedy = format!(
                    "\"{read}\": must be a register in hexadecimal and 1 to {longest} {}, \"A1 5\"",
                    if bus.is_dbi() { "words" } else { "bytes" }
                );
                return Err(place.field("id.reads").problem(&remedy));
            };
            reads.push((register, unit * len));
        }
        let mut terms = Vec::new();
        for text in &self.terms {
            let found = if bus.is_dbi() {
                word_terms(text, &reads)
            } else {
                term(text, &reads).map(|term| vec![term])
            };
            let found = found.ok_or_else(|| {
                place.problem(&format!(
                    "\"{text}\": must be \"A1[2]=80\", \"DA[0]&F0=40\" with a byte that `reads` asks for, \
                     \"strap1=high\", \"strap2=low\" or \"adc0=500..800\" in mV"
                ))
            })?;
            if found.iter().any(|term| terms.contains(term)) {
                return Err(place.problem(&format!("\"{text}\" stands there twice: remove one")));
            }
            terms.extend(found);
        }
        Ok(Id { unlock, terms })
    }
}

fn one_byte(text: &str) -> Option<u8> {
    match hex(text)?[..] {
        [byte] => Some(byte),
        _ => None,
    }
}

/// A register's number: two digits, or four on a bus of the LCD controller.
fn register(text: &str, bus: &Bus) -> Option<u16> {
    match hex_digits(text)? {
        (value, 2) => Some(value),
        (value, 4) if bus.is_dbi() => Some(value),
        _ => None,
    }
}

/// A number in hexadecimal and how many digits it has.
fn hex_digits(text: &str) -> Option<(u16, usize)> {
    let value = u16::from_str_radix(text, 16).ok()?;
    Some((value, text.len()))
}

/// A term that counts in words: one byte of each, or the two of one.
fn word_terms(text: &str, reads: &[(u16, u8)]) -> Option<Vec<Term>> {
    let (name, value) = text.split_once('=')?;
    let Some((name, word)) = name.strip_suffix(']').and_then(|name| name.split_once('[')) else {
        return match name.split_once('&') {
            Some((name, mask)) => masked_word(name, mask, value, reads),
            None => term(text, reads).map(|term| vec![term]),
        };
    };
    masked_word(
        &format!("{name}[{word}]"),
        &"F".repeat(value.len()),
        value,
        reads,
    )
}

fn masked_word(name: &str, mask: &str, value: &str, reads: &[(u16, u8)]) -> Option<Vec<Term>> {
    let (register, word) = name.strip_suffix(']')?.split_once('[')?;
    let (register, _) = hex_digits(register)?;
    let byte = word.parse::<u8>().ok()?.checked_mul(2)?;
    let &(_, len) = reads
        .iter()
        .find(|(read, len)| *read == register && byte < *len)?;
    let ((mask, digits), (value, same)) = (hex_digits(mask)?, hex_digits(value)?);
    if digits != same || !matches!(digits, 2 | 4) || value & !mask != 0 || mask == 0 {
        return None;
    }
    let (mask, value) = (mask.to_le_bytes(), value.to_le_bytes());
    let bytes = (0..2).filter(|&n| mask[n] != 0).map(|n| Term::Register {
        register,
        len,
        byte: byte + n as u8,
        mask: mask[n],
        value: value[n],
    });
    Some(bytes.collect())
}

fn term(text: &str, reads: &[(u16, u8)]) -> Option<Term> {
    let (name, value) = text.split_once('=')?;
    if let Some(index) = name.strip_prefix("strap") {
        let index = index.parse::<u8>().ok().filter(|n| (1..=2).contains(n))?;
        let high = match value {
            "high" => true,
            "low" => false,
            _ => return None,
        };
        return Some(Term::Strap {
            index: index - 1,
            high,
        });
    }
    if let Some(channel) = name.strip_prefix("adc") {
        let channel = channel.parse::<u8>().ok().filter(|n| *n <= 15)?;
        let (from, to) = value.split_once("..")?;
        let from_mv = from.parse().ok()?;
        let to_mv = if to.is_empty() {
            u16::MAX
        } else {
            to.parse().ok()?
        };
        return (from_mv < to_mv).then_some(Term::Voltage {
            channel,
            from_mv,
            to_mv,
        });
    }
    let (name, mask) = match name.split_once('&') {
        Some((name, mask)) => (name, one_byte(mask)?),
        None => (name, 0xFF),
    };
    let (register, byte) = name.strip_suffix(']')?.split_once('[')?;
    let register = u16::from(one_byte(register)?);
    let byte = byte.parse::<u8>().ok()?;
    let value = one_byte(value)?;
    let &(_, len) = reads
        .iter()
        .find(|(read, len)| *read == register && byte < *len)?;
    (value & !mask == 0 && mask != 0).then_some(Term::Register {
        register,
        len,
        byte,
        mask,
        value,
    })
}
