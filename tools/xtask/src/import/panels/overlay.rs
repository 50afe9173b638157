//! `board-db/import/panels.toml`: what is known of panels and not in the
//! facts. Its head explains it to people.

use super::row::{Identity, Rate, Row};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Changes by the facts' ids.
pub type Overlay = BTreeMap<String, Change>;

/// Each field replaces the row's.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// Name of the file, without its ending.
    pub file: Option<String>,
    /// The panel is left out; the text says why.
    pub exclude: Option<String>,
    /// Comments by field.
    pub comments: BTreeMap<String, Vec<String>>,
    pub names: Option<Vec<String>>,
    pub controller: Option<String>,
    pub compatible: Option<String>,
    pub physical_mm: Option<(u16, u16)>,
    pub rate: Option<Rate>,
    pub doubtful: Option<bool>,
    pub shipped: Option<usize>,
    pub reset: Option<Vec<String>>,
    /// Lines of the initialisation that become others, wherever they stand.
    pub replace: Vec<Replace>,
    pub power_down: Option<String>,
    pub id: Option<Vec<Identity>>,
}

/// A line of `init` and what it becomes; nothing: it is left out. A line that
/// ends in `...` is any that begins so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replace {
    pub line: String,
    #[serde(default)]
    pub with: Vec<String>,
}

/// Fields that can have comments.
const FIELDS: [&str; 8] = [
    "",
    "names",
    "controller",
    "rate",
    "reset",
    "init",
    "power_down",
    "doubtful",
];

impl Change {
    /// Changes `row`; an error says what does not fit it.
    pub fn apply(&self, row: &mut Row) -> Result<(), String> {
        for (field, lines) in &self.comments {
            let Some(&known) = FIELDS.iter().find(|known| **known == field) else {
                return Err(format!(
                    "comments: no field \"{field}\": use one of {FIELDS:?}"
                ));
            };
            if known.is_empty() {
                for line in lines {
                    row.comment("", line);
                }
            } else {
                row.comments.insert(known, lines.clone());
            }
        }
        if let Some(names) = &self.names {
            row.names.clone_from(names);
        }
        if let Some(controller) = &self.controller {
            row.controller.clone_from(controller);
        }
        if self.compatible.is_some() {
            row.compatible.clone_from(&self.compatible);
        }
        row.physical_mm = self.physical_mm.or(row.physical_mm);
        row.rate = self.rate.unwrap_or(row.rate);
        row.shipped = self.shipped.unwrap_or(row.shipped);
        if let Some(doubtful) = self.doubtful {
            row.doubtful = doubtful;
            if !doubtful {
                row.comments.remove("doubtful");
            }
        }
        if let Some(reset) = &self.reset {
            row.reset.clone_from(reset);
        }
        for Replace { line, with } in &self.replace {
            let same = |there: &String| match line.strip_suffix("...") {
                Some(begins) => there.starts_with(begins),
                None => there == line,
            };
            if !row.init.iter().any(same) {
                return Err(format!("replace: init has no line \"{line}\""));
            }
            let lines = std::mem::take(&mut row.init);
            row.init = lines
                .into_iter()
                .flat_map(|there| {
                    if same(&there) {
                        with.clone()
                    } else {
                        vec![there]
                    }
                })
                .collect();
        }
        if let Some(power_down) = &self.power_down {
            row.power_down = power_down.lines().map(String::from).collect();
        }
        if let Some(ids) = &self.id {
            row.ids.clone_from(ids);
        }
        Ok(())
    }
}
