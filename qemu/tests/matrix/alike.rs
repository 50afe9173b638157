//! Which rows of the facts cannot be told apart by what can be read of a
//! panel: worked out from the facts alone.

use std::collections::BTreeMap;

use crate::data::Panel;
use crate::glass::known_answers;

/// What Orise's controllers say behind their keys: their number. It is also in
/// what they say without, from this byte on. Source: facts/display.md 5.5.
const ORISE_NUMBER: u8 = 0xD2;
const ORISE_ALL: u8 = 0xA1;
const ORISE_PLACE: usize = 2;

/// A byte of an answer that must have a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    pub register: u8,
    pub byte: usize,
    pub mask: u8,
    pub value: u8,
}

impl Term {
    /// The terms of an alternative that bytes of answers decide.
    pub fn all(text: &str) -> Vec<Term> {
        let bytes = text.split_whitespace().filter(|word| word.contains('='));
        bytes.map(|word| Term::parse(word).unwrap()).collect()
    }

    /// `A1[2]&F0=80`.
    fn parse(word: &str) -> Option<Term> {
        let (place, value) = word.split_once('=')?;
        let (register, rest) = place.split_once('[')?;
        let (byte, mask) = rest.split_once(']')?;
        let number = |digits: &str| u8::from_str_radix(digits, 16).ok();
        Some(Term {
            register: number(register)?,
            byte: byte.parse().ok()?,
            mask: mask.strip_prefix('&').map_or(Some(0xFF), number)?,
            value: number(value)?,
        })
    }
}

/// What a panel answers, in a form that is the same for panels that answer
/// alike.
pub fn signature(panel: &Panel) -> String {
    let mut answers: Vec<String> = known_answers(panel)
        .into_iter()
        .map(|(read, bytes)| format!("{:02X} {:?} {bytes:02X?}", read.register, read.after))
        .collect();
    answers.sort();
    answers.join("; ")
}

/// How far what a panel says agrees with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agrees {
    /// All bytes that the row's driver tests are right.
    Yes,
    /// One is not.
    No,
    /// The row's driver tests none, or for zeros alone.
    Unreadable,
}

/// Whether `fitted` answers as `row`'s driver demands.
pub fn agrees(fitted: &Panel, row: &Panel) -> Agrees {
    let alternatives: Vec<Vec<Term>> = row.matches.iter().map(|text| Term::all(text)).collect();
    // Zeros are also what is read where nobody answers.
    let says = |terms: &Vec<Term>| terms.iter().any(|term| term.value != 0);
    if !alternatives.iter().any(says) {
        return Agrees::Unreadable;
    }
    // What is written before a read may differ from driver to driver, and the
    // bootloader asks once: only the bytes tell rows apart.
    let says = |register: u8, byte: usize| {
        let mut answers = known_answers(fitted).into_iter();
        let answer = answers.find(|(read, _)| read.register == register);
        let byte = answer.and_then(|(_, bytes)| bytes.get(byte).copied());
        byte.unwrap_or(0)
    };
    let holds = |term: &Term| {
        let is = |byte: u8| byte & term.mask == term.value;
        is(says(term.register, term.byte))
            || term.register == ORISE_NUMBER && is(says(ORISE_ALL, ORISE_PLACE + term.byte))
    };
    let any = alternatives
        .iter()
        .any(|terms| !terms.is_empty() && terms.iter().all(holds));
    if any { Agrees::Yes } else { Agrees::No }
}

/// Panels by what they answer.
pub fn groups(panels: &[Panel]) -> BTreeMap<String, Vec<&Panel>> {
    let mut groups: BTreeMap<String, Vec<&Panel>> = BTreeMap::new();
    for panel in panels {
        groups.entry(signature(panel)).or_default().push(panel);
    }
    groups
}

#[test]
fn terms_are_read_as_they_are_written() {
    let term = |register, byte, mask, value| Term {
        register,
        byte,
        mask,
        value,
    };
    assert_eq!(
        Term::all("A1[2]=80 D0[11]&F0=90 gpio"),
        [term(0xA1, 2, 0xFF, 0x80), term(0xD0, 11, 0xF0, 0x90)]
    );
}

#[test]
fn a_row_agrees_by_what_its_driver_tests() {
    let panel = |reads: &str, matches: &str| -> Panel {
        let text = format!(
            "id = 'x'\nnames = ['x']\ncontroller = 'x'\nfamily = 'dcs'\nwidth = 8\nheight = 8\n\
             lanes = 1\nmode = 'burst'\nformat = 'rgb888'\nknown_by = 'dsi_read'\ninit = ''\n\
             reads = [{{ register = {reads}, after = [] }}]\nmatch = ['{matches}']\n"
        );
        toml::from_str(&text).unwrap()
    };
    let all = panel("0xA1", "A1[2]=80 A1[3]=09");
    assert_eq!(agrees(&all, &all), Agrees::Yes);
    let other = panel("0xA1", "A1[2]=80 A1[3]=19");
    assert_eq!(agrees(&all, &other), Agrees::No);
    // The number alone, which the whole answer ends in.
    let number = panel("0xD2", "D2[0]=80 D2[1]=09");
    assert_eq!(agrees(&all, &number), Agrees::Yes);
    assert_eq!(agrees(&other, &number), Agrees::No);
    let zeros = panel("0x04", "04[0]=00");
    assert_eq!(agrees(&zeros, &zeros), Agrees::Unreadable);
}
