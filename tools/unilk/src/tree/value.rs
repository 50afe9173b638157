//! The value of a property: bytes, of which the tree does not say what they
//! are. They are shown as what they look like, by dtc's own rule.

use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt::{self, Display, Formatter, Write as _};

/// A value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value(pub Vec<u8>);

/// Bytes from which on a value is shortened, and what is shown of it then.
const LONG: usize = 128;
const SHOWN: usize = 32;

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looks {
    /// Like nothing: the property is just there.
    Empty,
    /// Like texts, each with a NUL behind it.
    Strings,
    /// Like words of 32 bits.
    Cells,
    /// Like bytes.
    Bytes,
}

impl Value {
    fn looks(&self) -> Looks {
        let Some((last, _)) = self.0.split_last() else {
            return Looks::Empty;
        };
        let texts = self.0.iter().filter(|&&byte| byte != 0);
        let mostly = texts.clone().count() * 2 >= self.0.len();
        let is_text = |byte: &u8| matches!(byte, 0x07..=0x0D | 0x20..=0x7E);
        if *last == 0 && mostly && texts.clone().all(is_text) {
            Looks::Strings
        } else if self.0.len().is_multiple_of(4) {
            Looks::Cells
        } else {
            Looks::Bytes
        }
    }

    /// As [`Display`] says it, but of many words or bytes only the first: for
    /// lists of differences.
    pub fn short(&self) -> String {
        let long = matches!(self.looks(), Looks::Cells | Looks::Bytes) && self.0.len() > LONG;
        let Some(head) = self.0.get(..SHOWN).filter(|_| long) else {
            return self.to_string();
        };
        let head = Self(head.to_vec()).to_string();
        format!("{head} ... ({} bytes)", self.0.len())
    }

    /// The texts, if it looks like some.
    pub fn strings(&self) -> Option<Vec<&str>> {
        let texts = self.0.strip_suffix(&[0])?;
        if self.looks() != Looks::Strings {
            return None;
        }
        let texts = std::str::from_utf8(texts).ok()?;
        Some(texts.split('\0').collect())
    }

    /// The words, if its length allows them.
    pub fn cells(&self) -> Option<Vec<u32>> {
        let (words, rest) = self.0.as_chunks();
        rest.is_empty()
            .then(|| words.iter().map(|&word| u32::from_be_bytes(word)).collect())
    }
}

/// In the words of a DTS file, without the equals sign.
impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.looks() {
            Looks::Empty => Ok(()),
            Looks::Strings => {
                for (index, text) in self.strings().unwrap_or_default().iter().enumerate() {
                    f.write_str(if index > 0 { ", \"" } else { "\"" })?;
                    text.chars().try_for_each(|c| put_escaped(f, c))?;
                    f.write_char('"')?;
                }
                Ok(())
            }
            Looks::Cells => {
                for (index, word) in self.cells().unwrap_or_default().iter().enumerate() {
                    write!(f, "{}{word:#04x}", if index > 0 { " " } else { "<" })?;
                }
                f.write_char('>')
            }
            Looks::Bytes => {
                for (index, byte) in self.0.iter().enumerate() {
                    write!(f, "{}{byte:02x}", if index > 0 { " " } else { "[" })?;
                }
                f.write_char(']')
            }
        }
    }
}

fn put_escaped(f: &mut Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '\x07' => f.write_str("\\a"),
        '\x08' => f.write_str("\\b"),
        '\t' => f.write_str("\\t"),
        '\n' => f.write_str("\\n"),
        '\x0B' => f.write_str("\\v"),
        '\x0C' => f.write_str("\\f"),
        '\r' => f.write_str("\\r"),
        '"' | '\\' => write!(f, "\\{c}"),
        _ => f.write_char(c),
    }
}

/// `strings` or `cells` where it looks like that, and always `hex`.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.looks() {
            Looks::Strings => map.serialize_entry("strings", &self.strings())?,
            Looks::Cells => map.serialize_entry("cells", &self.cells())?,
            Looks::Empty | Looks::Bytes => {}
        }
        let hex = self.0.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        map.serialize_entry("hex", &hex)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_shortened() {
        assert_eq!(Value(vec![1; 128]).short(), Value(vec![1; 128]).to_string());
        let short = Value(vec![1; 132]).short();
        assert!(short.ends_with(" 0x1010101> ... (132 bytes)"), "{short}");
        let text = [vec![b'x'; 200], vec![0]].concat();
        assert_eq!(Value(text).short().len(), 202);
    }

    #[test]
    fn values_are_shown_as_what_they_look_like() {
        let shown = |bytes: &[u8]| Value(bytes.to_vec()).to_string();
        // Each as dtc 1.6.1 says it, but for its way with several texts.
        assert_eq!(shown(b""), "");
        assert_eq!(shown(b"x\ty\"z\0b\\c\0"), r#""x\ty\"z", "b\\c""#);
        assert_eq!(shown(b"\0"), "[00]");
        assert_eq!(shown(b"\0\0\0\0"), "<0x00>");
        assert_eq!(shown(&[0, 0, 0, 1, 0xFF, 0, 0, 0]), "<0x01 0xff000000>");
        assert_eq!(shown(b"a\x07\x01\0"), "<0x61070100>");
        assert_eq!(shown(b"a\x07\0"), "\"a\\a\"");
        assert_eq!(shown(&[1, 2, 3]), "[01 02 03]");
        assert_eq!(shown(b"abc"), "[61 62 63]");
        assert_eq!(shown("ü\0".as_bytes()), "[c3 bc 00]");
    }
}
