//! What tells a panel: the `[[id]]` sections.

use crate::source::script::{self, hex};
use crate::source::{Place, Problem};
use serde::Deserialize;

/// One way to know a panel.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdToml {
    /// Writes that open the registers, in order.
    #[serde(default)]
    pub unlock: Vec<String>,
    /// Registers and the bytes to ask for, `"A1 5"`.
    #[serde(default)]
    pub reads: Vec<String>,
    /// Terms that must all hold: `"A1[2]=80"`, `"DA[0]&F0=40"`,
    /// `"strap1=high"`, `"adc0=500..800"`.
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
        register: u8,
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
    pub fn compile(&self, place: Place<'_>, controller: &str) -> Result<Id, Problem> {
        let unlock = script::compile(
            place.field("id.unlock"),
            controller,
            &self.unlock.join("\n"),
        )?;
        let place = place.field("id.match");
        if self.terms.is_empty() {
            return Err(place.problem("give at least one term, or leave the [[id]] out"));
        }
        let mut reads = Vec::new();
        for read in &self.reads {
            let parts: Vec<&str> = read.split_whitespace().collect();
            let parsed = match parts[..] {
                [register, len] => one_byte(register).zip(len.parse::<u8>().ok()),
                _ => None,
            };
            let Some((register, len @ 1..=10)) = parsed else {
                let remedy = format!(
                    "\"{read}\": must be a register in hexadecimal and 1 to 10 bytes, \"A1 5\""
                );
                return Err(place.field("id.reads").problem(&remedy));
            };
            reads.push((register, len));
        }
        let mut terms = Vec::new();
        for text in &self.terms {
            let term = term(text, &reads).ok_or_else(|| {
                place.problem(&format!(
                    "\"{text}\": must be \"A1[2]=80\", \"DA[0]&F0=40\" with a byte that `reads` asks for, \
                     \"strap1=high\", \"strap2=low\" or \"adc0=500..800\" in mV"
                ))
            })?;
            if terms.contains(&term) {
                return Err(place.problem(&format!("\"{text}\" stands there twice: remove one")));
            }
            terms.push(term);
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

fn term(text: &str, reads: &[(u8, u8)]) -> Option<Term> {
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
    let register = one_byte(register)?;
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
