//! The YAML-like grammar: one `key: value` a line.

use super::{Entry, Field, MAX_FIELDS, Scatter, clean};

/// First key of a partition.
const FIRST: &str = "partition_index";

/// Fills `scatter` from its lines.
pub fn read(scatter: &mut Scatter) {
    for (index, raw) in scatter.lines.iter().enumerate() {
        let number = index + 1;
        let line = clean(raw).trim_start_matches("- ").trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            scatter.stray.push((number, "not `key: value`"));
            continue;
        };
        let field = Field {
            key: key.trim().to_owned(),
            value: value.trim().to_owned(),
            line: number,
        };
        if field.key == FIRST {
            scatter.entries.push(Entry {
                line: number,
                name: String::new(),
                download: false,
                fields: Vec::new(),
            });
        }
        let Some(entry) = scatter.entries.last_mut() else {
            scatter.general.push(field);
            continue;
        };
        if entry.fields.len() == MAX_FIELDS {
            scatter
                .stray
                .push((number, "more keys than a partition has"));
            continue;
        }
        match field.key.as_str() {
            "partition_name" => entry.name = field.value.to_ascii_uppercase(),
            "is_download" => entry.download = field.value == "true",
            _ => {}
        }
        entry.fields.push(field);
    }
}
