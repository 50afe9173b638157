//! What is said of a file: one shape for every format, for people and, as
//! JSON with names that do not change, for scripts.

use crate::finding::Finding;
use crate::recognise::Kind;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// What a file, or a part of one, is.
#[derive(Debug, serde::Serialize)]
pub struct Report {
    /// What it is.
    pub kind: Kind,
    /// The same in a line, with what matters most.
    pub summary: String,
    /// Its bytes.
    pub bytes: u64,
    /// What it says of itself, in groups.
    #[serde(serialize_with = "groups_as_map")]
    pub facts: Vec<Group>,
    /// What lies inside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// What is wrong or worth knowing; that of the parts stands with them.
    pub findings: Vec<Finding>,
    /// What happens when a phone gets it: one or two sentences.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub on_a_phone: String,
}

impl Report {
    /// Nothing known but what it is.
    pub fn new(kind: Kind, bytes: u64, summary: impl Into<String>) -> Self {
        Self {
            kind,
            summary: summary.into(),
            bytes,
            facts: Vec::new(),
            parts: Vec::new(),
            findings: Vec::new(),
            on_a_phone: String::new(),
        }
    }

    /// Its own findings and those of everything inside.
    pub fn all_findings(&self) -> Vec<Finding> {
        let inside = self
            .parts
            .iter()
            .flat_map(|part| part.report.all_findings());
        self.findings.iter().cloned().chain(inside).collect()
    }

    /// The value of a fact, for tests and other readers of the library.
    pub fn value(&self, group: &str, key: &str) -> Option<&Value> {
        let group = self.facts.iter().find(|found| found.key == group)?;
        match &group.body {
            Body::Facts(facts) => facts
                .iter()
                .find(|fact| fact.key == key)
                .map(|fact| &fact.cell.value),
            Body::Table { .. } => None,
        }
    }

    /// Whether there is a finding of this code, here or inside.
    pub fn has(&self, code: &str) -> bool {
        self.all_findings().iter().any(|found| found.code == code)
    }
}

/// Something that lies inside a file.
#[derive(Debug, serde::Serialize)]
pub struct Part {
    /// Its role: `kernel`, `ramdisk`, a partition's name.
    pub name: String,
    /// First byte, from the beginning of what holds it.
    pub offset: u64,
    /// Its bytes.
    pub len: u64,
    /// What it is.
    pub report: Report,
}

/// Facts that belong together.
#[derive(Debug)]
pub struct Group {
    /// Name in JSON.
    pub key: &'static str,
    /// Heading in text.
    pub title: &'static str,
    /// The facts.
    pub body: Body,
}

/// How the facts of a group are laid out.
#[derive(Debug)]
pub enum Body {
    /// One of each.
    Facts(Vec<Fact>),
    /// The same fields of several things.
    Table {
        /// Names in JSON, which are the headings too.
        columns: &'static [&'static str],
        /// As many cells each as there are columns.
        rows: Vec<Vec<Cell>>,
    },
}

/// A fact.
#[derive(Debug)]
pub struct Fact {
    /// Name in JSON.
    pub key: &'static str,
    /// What it is, and its value.
    pub cell: Cell,
}

impl Fact {
    /// Name in text.
    pub fn label(&self) -> String {
        label(self.key)
    }
}

/// A key in words, without its unit: the value in text has that itself.
pub fn label(key: &str) -> String {
    key.strip_suffix("_bytes").unwrap_or(key).replace('_', " ")
}

/// A value as text and as what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// For people.
    pub text: String,
    /// For scripts.
    pub value: Value,
}

/// A value for scripts.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Not there.
    None,
    /// Yes or no.
    Flag(bool),
    /// A size, an address, a count.
    Number(u64),
    /// Text.
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A count or a number without unit.
pub fn count(number: impl Into<u64>) -> Cell {
    let number = number.into();
    Cell {
        text: number.to_string(),
        value: Value::Number(number),
    }
}

/// Bytes: `255344 bytes (0x3e570)`.
pub fn bytes(number: impl Into<u64>) -> Cell {
    let number = number.into();
    let text = if number < 1024 {
        format!("{number} bytes")
    } else {
        format!(
            "{number} bytes ({number:#x}, {})",
            crate::inspect::text::size(number)
        )
    };
    Cell {
        text,
        value: Value::Number(number),
    }
}

/// An address or a word of bits.
pub fn address(number: impl Into<u64>) -> Cell {
    let number = number.into();
    Cell {
        text: format!("{number:#010x}"),
        value: Value::Number(number),
    }
}

/// A short number in hexadecimal.
pub fn hex(number: impl Into<u64>) -> Cell {
    let number = number.into();
    Cell {
        text: format!("{number:#x}"),
        value: Value::Number(number),
    }
}

/// Text from a file: what is not printable is escaped.
pub fn text(text: impl AsRef<str>) -> Cell {
    let text = text.as_ref();
    Cell {
        text: printable(text),
        value: text.into(),
    }
}

/// A number that means something.
pub fn meaning(number: impl Into<u64>, meaning: impl Into<String>) -> Cell {
    Cell {
        text: meaning.into(),
        value: Value::Number(number.into()),
    }
}

/// Yes or no.
pub fn flag(yes: bool) -> Cell {
    Cell {
        text: if yes { "yes" } else { "no" }.to_owned(),
        value: Value::Flag(yes),
    }
}

/// Several texts from a file.
pub fn list(entries: Vec<String>) -> Cell {
    Cell {
        text: printable(&entries.join(", ")),
        value: Value::List(entries),
    }
}

/// Nothing, said as `text`.
pub fn absent(text: &str) -> Cell {
    Cell {
        text: text.to_owned(),
        value: Value::None,
    }
}

/// Text from a file without what a terminal would act on.
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let plain = !c.is_control();
            let escaped = (!plain).then(|| c.escape_default());
            plain
                .then_some(c)
                .into_iter()
                .chain(escaped.into_iter().flatten())
        })
        .collect()
}

/// Collects the facts of a group.
#[derive(Debug)]
pub struct Facts {
    key: &'static str,
    title: &'static str,
    entries: Vec<Fact>,
}

impl Facts {
    /// A group without facts.
    pub fn new(key: &'static str, title: &'static str) -> Self {
        Self {
            key,
            title,
            entries: Vec::new(),
        }
    }

    /// Adds one.
    pub fn add(&mut self, key: &'static str, cell: Cell) {
        self.entries.push(Fact { key, cell });
    }

    /// Adds one if it is there.
    pub fn maybe(&mut self, key: &'static str, cell: Option<Cell>) {
        if let Some(cell) = cell {
            self.add(key, cell);
        }
    }
}

impl From<Facts> for Group {
    fn from(facts: Facts) -> Self {
        Self {
            key: facts.key,
            title: facts.title,
            body: Body::Facts(facts.entries),
        }
    }
}

/// A group of rows.
pub fn table(
    key: &'static str,
    title: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
) -> Group {
    Group {
        key,
        title,
        body: Body::Table { columns, rows },
    }
}

fn groups_as_map<S: Serializer>(groups: &[Group], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(groups.len()))?;
    for group in groups {
        map.serialize_entry(group.key, &group.body)?;
    }
    map.end()
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Facts(facts) => {
                serializer.collect_map(facts.iter().map(|fact| (fact.key, &fact.cell.value)))
            }
            Self::Table { columns, rows } => {
                serializer.collect_seq(rows.iter().map(|row| Row { columns, row }))
            }
        }
    }
}

struct Row<'a> {
    columns: &'a [&'static str],
    row: &'a [Cell],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cells = self.row.iter().map(|cell| &cell.value);
        serializer.collect_map(self.columns.iter().zip(cells))
    }
}
