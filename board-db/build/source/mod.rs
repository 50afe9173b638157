//! The TOML form of the rows, its checks, and the Rust text it becomes.

pub mod boards;
pub mod burners;
pub mod buses;
pub mod clusters;
pub mod columns;
#[path = "../../src/data_type.rs"]
pub mod data_type;
pub mod dictionary;
pub mod emit;
pub mod ids;
pub mod pack;
pub mod panel_rows;
pub mod panels;
pub mod parts;
pub mod plan;
pub mod pools;
pub mod script;
pub mod timing;
pub mod twins;

pub use boards::{BoardToml, WiringToml};
pub use panels::{Panel, PanelToml};
pub use parts::{CameraToml, TouchToml};

/// A row that cannot be used: file, field, remedy.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem(pub String);

/// Where in `data/` something stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Folder below `data/`.
    pub folder: &'a str,
    /// File name without its ending.
    pub id: &'a str,
    /// Field.
    pub field: &'a str,
}

impl<'a> Place<'a> {
    /// A file.
    pub const fn new(folder: &'a str, id: &'a str) -> Self {
        Self {
            folder,
            id,
            field: "",
        }
    }

    /// A field of the same file.
    pub const fn field(self, field: &'a str) -> Self {
        Self { field, ..self }
    }

    /// What is wrong there and what to do.
    pub fn problem(self, remedy: &str) -> Problem {
        let Self { folder, id, field } = self;
        Problem(format!("data/{folder}/{id}.toml: {field}: {remedy}"))
    }

    /// A text that goes into a command line or device tree: one word.
    pub fn word(self, text: &str) -> Result<(), Problem> {
        let plain = text
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if text.is_empty() || text.len() >= 64 || !plain {
            return Err(self.problem("must be one word of 1 to 63 plain characters"));
        }
        Ok(())
    }

    /// A text for people.
    pub fn text(self, text: &str) -> Result<(), Problem> {
        let plain = text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        if text.is_empty() || text.len() >= 64 || !plain {
            return Err(self.problem("give a name of 1 to 63 plain characters"));
        }
        Ok(())
    }
}

/// Reads one file; an unknown or missing field is named with its line.
pub fn parse<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, Problem> {
    toml::from_str(text)
        .map_err(|error| Problem(format!("{file}: {}", error.to_string().replace('\n', " "))))
}
