//! Constants that rows refer to, each once and those of a kind together: the
//! image is packed as a whole, and packs so a tenth smaller than with the
//! compiler's own order.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Rust text of functions that the constants need.
const ACCESS: &str = r#"
const fn part<T>(all: &'static [T], at: usize, len: usize) -> &'static [T] {
    all.split_at(at).1.split_at(len).0
}

const fn text(at: usize, len: usize) -> &'static str {
    match core::str::from_utf8(part(&TEXT, at, len)) {
        Ok(text) => text,
        Err(_) => panic!(),
    }
}
"#;

/// The constants.
#[derive(Default)]
pub struct Pools {
    text: String,
    /// Elements by the name of the constant; each has the type in front.
    lists: BTreeMap<&'static str, (&'static str, Vec<String>)>,
}

impl Pools {
    /// Rust text of `text`.
    pub fn text(&mut self, text: &str) -> String {
        let at = self.text.find(text).unwrap_or_else(|| {
            self.text.push_str(text);
            self.text.len() - text.len()
        });
        format!("text({at}, {})", text.len())
    }

    /// Rust text of a text that may be missing.
    pub fn some_text(&mut self, text: Option<&String>) -> String {
        text.map_or("None".into(), |text| format!("Some({})", self.text(text)))
    }

    /// Rust text of a slice of texts.
    pub fn texts(&mut self, texts: &[String]) -> String {
        let items = texts.iter().map(|text| self.text(text)).collect();
        self.slice("TEXTS", "&str", items)
    }

    /// Rust text of a slice of bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> String {
        let items = bytes.iter().map(u8::to_string).collect();
        self.slice("BYTES", "u8", items)
    }

    /// Rust text of a slice of byte slices.
    pub fn byte_slices(&mut self, slices: &[Vec<u8>]) -> String {
        let items = slices.iter().map(|bytes| self.bytes(bytes)).collect();
        self.slice("BYTE_SLICES", "&[u8]", items)
    }

    /// Rust text of a slice of `items` of the type `kind`, in the constant
    /// `name`.
    pub fn slice(&mut self, name: &'static str, kind: &'static str, items: Vec<String>) -> String {
        if items.is_empty() {
            return "&[]".into();
        }
        let (_, all) = self.lists.entry(name).or_insert((kind, Vec::new()));
        let len = items.len();
        let at = all.windows(len).position(|there| there == items);
        let at = at.unwrap_or_else(|| {
            all.extend(items);
            all.len() - len
        });
        format!("part(&{name}, {at}, {len})")
    }

    /// Rust text of the constants. Writing to a `String` cannot fail.
    pub fn emit(&self, out: &mut String) {
        let bytes = self.text.as_bytes();
        let _ = writeln!(
            out,
            "{ACCESS}\nstatic TEXT: [u8; {}] = {bytes:?};",
            bytes.len()
        );
        for (name, (kind, items)) in &self.lists {
            let _ = writeln!(out, "static {name}: [{kind}; {}] = [", items.len());
            for item in items {
                let _ = writeln!(out, "{item},");
            }
            *out += "];\n";
        }
    }
}
