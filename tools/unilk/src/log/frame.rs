//! Walks a frame of the trace before it is decoded.
//!
//! The decoder believes what a frame claims: how many elements follow, and
//! which string is inside which. A frame of another build claims anything, so
//! it is decoded only if its strings take exactly its bytes.

use defmt_decoder::Table;
use serde_json::Value;
use std::collections::BTreeMap;

/// Strings inside strings; the deepest of ours is four.
const DEEPEST: usize = 16;
/// Elements of a list that take no bytes are not worth more than this.
const MOST_ELEMENTS: usize = 1 << 16;

/// The format strings of a build, by number.
#[derive(Debug)]
pub struct Formats {
    strings: BTreeMap<u16, String>,
    timestamp: String,
}

impl Formats {
    /// Those of `table`; `None` if it has them in a form that is not known.
    pub fn of(table: &Table) -> Option<Self> {
        let table = serde_json::to_value(table).ok()?;
        let text = |entry: &Value| Some(entry.get("string")?.get("string")?.as_str()?.to_owned());
        let strings = table.get("entries")?.as_object()?.iter();
        Some(Self {
            strings: strings
                .map(|(number, entry)| Some((number.parse().ok()?, text(entry)?)))
                .collect::<Option<_>>()?,
            timestamp: table.get("timestamp").and_then(text).unwrap_or_default(),
        })
    }

    /// Whether the strings that `frame` names take all of it. Zeros may
    /// follow: the encoding adds some.
    pub fn fit(&self, frame: &[u8]) -> bool {
        let mut rest = frame;
        let whole = self.whole(&mut rest);
        whole.is_some() && rest.iter().all(|&byte| byte == 0)
    }

    fn whole(&self, rest: &mut &[u8]) -> Option<()> {
        let number = u16::from_le_bytes(take(rest)?);
        self.arguments(&self.timestamp, rest, 0)?;
        self.arguments(self.strings.get(&number)?, rest, 0)
    }

    /// Skips the arguments of `format`.
    fn arguments(&self, format: &str, rest: &mut &[u8], depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        let plain = format.replace("{{", "").replace("}}", "");
        for hole in plain.split('{').skip(1) {
            let (hole, _) = hole.split_once('}')?;
            let (hole, _) = hole.split_once(':').unwrap_or((hole, ""));
            let kind = match hole.strip_prefix('=') {
                Some(kind) => kind,
                None if hole.is_empty() => "?",
                // Arguments out of order: none of ours.
                None => return None,
            };
            self.argument(kind, rest, depth)?;
        }
        Some(())
    }

    fn argument(&self, kind: &str, rest: &mut &[u8], depth: usize) -> Option<()> {
        let bytes = match kind {
            "u8" | "i8" | "bool" => 1,
            "u16" | "i16" | "istr" => 2,
            "u32" | "i32" | "usize" | "isize" | "f32" | "char" => 4,
            "u64" | "i64" | "f64" => 8,
            "u128" | "i128" => 16,
            "str" | "[u8]" => count(rest)?,
            "?" => {
                let format = self.named(rest)?;
                return self.value(format, rest, depth);
            }
            "[?]" => {
                let count = count(rest)?;
                return self.list(count, rest, depth);
            }
            "__internal_Debug" | "__internal_Display" => {
                rest.iter().position(|&byte| byte == 0xFF)? + 1
            }
            _ => {
                let (of, length) = kind.strip_prefix('[')?.strip_suffix(']')?.split_once(';')?;
                let length = length.trim().parse().ok()?;
                match of {
                    "u8" => length,
                    "?" => return self.list(length, rest, depth),
                    _ => return None,
                }
            }
        };
        *rest = rest.get(bytes..)?;
        Some(())
    }

    fn named(&self, rest: &mut &[u8]) -> Option<&str> {
        let number = u16::from_le_bytes(take(rest)?);
        self.strings.get(&number).map(String::as_str)
    }

    fn list(&self, count: usize, rest: &mut &[u8], depth: usize) -> Option<()> {
        let format = self.named(rest)?;
        if count > rest.len().min(MOST_ELEMENTS) {
            return None;
        }
        (0..count).try_for_each(|_| self.value(format, rest, depth))
    }

    /// Skips what `format` describes; one that has variants says which first.
    fn value(&self, format: &str, rest: &mut &[u8], depth: usize) -> Option<()> {
        let mut variants = format.split('|');
        let format = if format.contains('|') {
            let [variant] = take(rest)?;
            variants.nth(usize::from(variant))?
        } else {
            format
        };
        self.arguments(format, rest, depth + 1)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*taken)
}

fn count(rest: &mut &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(take(rest)?)).ok()
}
