//! The text of a row: comments, fields in a fixed order, numbers as people
//! write them.

use anyhow::{Result, ensure};
use std::fmt::Write;
use toml::{Table, Value};

/// How the numbers of a field are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    Decimal,
    /// With at least so many digits.
    Hex(usize),
}

/// A field of a row.
pub type Field = (&'static str, Numbers);

/// Order of the fields of inner tables.
const INNER: [&str; 8] = [
    "write", "len", "offset", "mask", "values", "invert", "step", "byte",
];
/// Columns of a comment.
const WIDTH: usize = 100;

/// A comment of one or more lines.
pub fn comment(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH && line.len() > 1 {
            out.push_str(&line);
            out.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}

/// Comments that name where a row is from.
pub fn sources(out: &mut String, facts: &str, sources: &[String]) {
    comment(out, facts);
    for source in sources {
        // A path is not broken into lines; what stands behind it in brackets
        // are the collector's own numbers.
        let _ = writeln!(out, "#   {}", short_name(source));
    }
}

/// The fields of `table` in order, one a line.
pub fn fields(out: &mut String, fields: &[Field], table: &Table) -> Result<()> {
    for key in table.keys() {
        ensure!(
            fields.iter().any(|(name, _)| name == key),
            "overlay: \"{key}\" is no field of such a row"
        );
    }
    for &(name, numbers) in fields {
        if let Some(there) = table.get(name) {
            let _ = writeln!(out, "{name} = {}", value(there, numbers));
        }
    }
    Ok(())
}

/// A value on one line. Only names of fields that are counts are decimal
/// inside of tables.
pub fn value(value: &Value, numbers: Numbers) -> String {
    match (value, numbers) {
        (Value::Integer(number), Numbers::Hex(digits)) => {
            format!("{number:#0w$X}", w = digits + 2).replacen("0X", "0x", 1)
        }
        (Value::Array(items), _) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| self::value(item, numbers))
                .collect();
            format!("[{}]", items.join(", "))
        }
        (Value::Table(table), _) => {
            let mut keys: Vec<_> = table.iter().collect();
            keys.sort_by_key(|(key, _)| {
                let place = INNER.iter().position(|name| name == key);
                place.unwrap_or(INNER.len())
            });
            let fields: Vec<String> = keys
                .into_iter()
                .map(|(key, field)| {
                    let numbers = match key.as_str() {
                        "len" | "offset" | "step" | "byte" => Numbers::Decimal,
                        _ => numbers,
                    };
                    format!("{key} = {}", self::value(field, numbers))
                })
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        (other, _) => other.to_string(),
    }
}

/// `0x5D` or `5D` as a number.
pub fn hex(text: &str) -> Option<i64> {
    i64::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
}

/// Bytes of `0x394142`, most significant first, at least `len`.
pub fn hex_bytes(text: &str, len: usize) -> Option<Vec<u8>> {
    let digits = text.trim().strip_prefix("0x")?;
    let digits = format!("{digits:0>width$}", width = 2 * len);
    let digits = if digits.len() % 2 == 1 {
        format!("0{digits}")
    } else {
        digits
    };
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok())
        .collect()
}

/// An array of bytes.
pub fn byte_array(bytes: &[u8]) -> Value {
    Value::Array(
        bytes
            .iter()
            .map(|&byte| Value::Integer(byte.into()))
            .collect(),
    )
}

/// A name without what stands in brackets behind it.
pub fn short_name(name: &str) -> &str {
    name.split(" (").next().unwrap_or(name).trim()
}

/// The first `compatible` of a list such as `"a,b / a,c (remark)"`, unless the
/// remark says that it is not quite this chip.
pub fn compatible(text: Option<&str>) -> Option<&str> {
    const DOUBTS: [&str; 7] = [
        "unverified",
        "similar",
        "later part",
        "different",
        "related",
        "family",
        "no DT",
    ];
    let text = text?;
    if DOUBTS.iter().any(|doubt| text.contains(doubt)) {
        return None;
    }
    let first = text.split_whitespace().next()?;
    first.contains(',').then_some(first)
}

/// Excluded rows as a file: name, reason.
pub fn excluded(title: &str, rows: &[(String, String)]) -> String {
    let mut out = String::new();
    comment(&mut out, title);
    comment(&mut out, "Written by `cargo xtask import-facts`.");
    for (id, reason) in rows {
        let _ = writeln!(out, "{id} = {reason:?}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lists() {
        let list: Value = "x = [[1, 0xAB], [0x300A]]"
            .parse::<Table>()
            .expect("a list")["x"]
            .clone();
        assert_eq!(value(&list, Numbers::Hex(2)), "[[0x01, 0xAB], [0x300A]]");
        assert_eq!(value(&list, Numbers::Decimal), "[[1, 171], [12298]]");
        assert_eq!(hex_bytes("0x3989", 4), Some(vec![0, 0, 0x39, 0x89]));
        assert_eq!(hex_bytes("0x9", 1), Some(vec![9]));
        assert_eq!(hex("0x5d"), Some(0x5D));
        assert_eq!(hex("reg"), None);
    }

    #[test]
    fn comments_are_wrapped_and_paths_are_not() {
        let mut out = String::new();
        comment(&mut out, &"word ".repeat(30));
        assert!(out.lines().count() == 2 && out.lines().all(|line| line.len() <= WIDTH));
        let mut out = String::new();
        sources(&mut out, "Source: a.", &["p q/".repeat(40)]);
        assert_eq!(out.lines().count(), 2);
    }

    #[test]
    fn remarks_on_compatibles_count() {
        assert_eq!(compatible(Some("a,b / a,c (seen)")), Some("a,b"));
        assert_eq!(compatible(Some("a,b (unverified)")), None);
        assert_eq!(compatible(None), None);
    }
}
