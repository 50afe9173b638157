//! Writes TOML by hand, so that the files are dense, and the same each time.

use super::LeftOut;
use std::fmt::{Display, Write as _};

/// One table of an array of tables.
pub struct Toml(String);

impl Toml {
    /// `[[name]]`.
    pub fn table(name: &str) -> Toml {
        Toml(format!("\n[[{name}]]\n"))
    }

    /// A value that TOML takes as it is.
    pub fn raw(&mut self, key: &str, value: &impl Display) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "{key} = {value}");
    }

    /// A text.
    pub fn text(&mut self, key: &str, value: &str) {
        self.raw(key, &quoted(value));
    }

    /// A list with an entry a line.
    pub fn list(&mut self, key: &str, entries: &[String]) {
        let _ = writeln!(self.0, "{key} = [");
        for entry in entries {
            let _ = writeln!(self.0, "  {entry},");
        }
        self.0.push_str("]\n");
    }

    /// A text of many lines.
    pub fn block(&mut self, key: &str, lines: impl Iterator<Item = String>) {
        let _ = writeln!(self.0, "{key} = \"\"\"");
        for line in lines {
            let _ = writeln!(self.0, "{line}");
        }
        self.0.push_str("\"\"\"\n");
    }

    /// The text of the table.
    pub fn done(self) -> String {
        self.0
    }
}

/// A text as TOML quotes it.
pub fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// Texts on one line.
pub fn text_list<T: AsRef<str>>(texts: &[T]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

/// `left-out.toml`.
pub fn left_out(rows: &[LeftOut]) -> String {
    let mut out = String::from(
        "# Rows of the facts that no boot can show, made by `cargo xtask import-matrix`. Do not edit.\n",
    );
    for row in rows {
        let mut table = Toml::table("row");
        table.text("kind", row.kind);
        table.text("id", &row.id);
        table.text("reason", &row.reason);
        out.push_str(&table.done());
    }
    out
}
