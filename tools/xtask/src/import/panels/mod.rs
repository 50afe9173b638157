//! Panels: `facts/panels.json` to `board-db/data/panels`.

mod convert;
mod dataset;
mod dbi;
mod dsi;
mod ident;
mod names;
mod overlay;
mod row;
mod script;
#[cfg(test)]
mod tests;

use super::Files;
use anyhow::{Context, Result, anyhow, bail};
use dataset::Entry;
use overlay::{Change, Overlay};
use row::{Bus, Row};
use script::Refusal;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// What the rows name as their source.
pub const SOURCE: &str = "facts/panels.json";
/// Where the rows go, below `board-db`.
pub const FOLDER: &str = "data/panels";
/// Where the panels go that are left out, below `board-db`.
pub const EXCLUDED: &str = "import/excluded-panels.toml";

/// What an import makes.
pub struct Imported {
    /// Rows.
    pub files: Files,
    /// Panels that are left out, with the reasons.
    pub excluded: String,
    /// One line for the person who runs it.
    pub summary: String,
}

/// Makes the rows of `facts` (panels.json) with the changes of `overlay`.
pub fn import(facts: &str, overlay: &str) -> Result<Imported> {
    let entries: Vec<Entry> = serde_json::from_str(facts).context("panels.json")?;
    let overlay: Overlay = toml::from_str(overlay).context("import/panels.toml")?;
    if let Some(id) = overlay
        .keys()
        .find(|id| !entries.iter().any(|entry| entry.id == **id))
    {
        bail!("import/panels.toml: no panel {id} in the facts: correct or remove it");
    }
    let mut rows: Vec<(&Entry, Row)> = Vec::new();
    let mut excluded: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
    for entry in &entries {
        match row(entry, overlay.get(&entry.id))? {
            Ok(row) => rows.push((entry, row)),
            Err(why) => excluded.entry(why).or_default().push(entry),
        }
    }
    let given = overlay
        .iter()
        .filter_map(|(id, change)| Some((id.clone(), change.file.clone()?)))
        .collect();
    let names = names::names(rows.iter().map(|(entry, _)| *entry), &given);
    let mut files = Files::new();
    for (entry, row) in &rows {
        let name = &names[&entry.id];
        let path = PathBuf::from(FOLDER).join(format!("{name}.toml"));
        if files.insert(path, row.text()).is_some() {
            bail!("two panels would be {name}.toml: name one in import/panels.toml");
        }
    }
    Ok(Imported {
        summary: summary(&rows, &excluded),
        excluded: report(&excluded),
        files,
    })
}

/// The row of `entry` with its change, or why there is none; an error for a
/// change that does not fit.
fn row(entry: &Entry, change: Option<&Change>) -> Result<Result<Row, Refusal>> {
    if let Some(why) = change.and_then(|change| change.exclude.clone()) {
        return Ok(Err(why));
    }
    let mut row = match convert::convert(entry) {
        Ok(row) => row,
        Err(why) => return Ok(Err(why)),
    };
    if let Some(change) = change {
        let applied = change.apply(&mut row);
        applied.map_err(|why| anyhow!("import/panels.toml: {}: {why}", entry.id))?;
    }
    if row.bus == Bus::Dsi {
        return Ok(script::sendable(&row.init).map(|()| row));
    }
    Ok(Ok(row))
}

fn summary(rows: &[(&Entry, Row)], excluded: &BTreeMap<String, Vec<&Entry>>) -> String {
    let count = |wanted: fn(&Row) -> bool| rows.iter().filter(|(_, row)| wanted(row)).count();
    let left_out: usize = excluded.values().map(Vec::len).sum();
    format!(
        "{} rows, {} with an ID, {} doubtful; {left_out} left out",
        rows.len(),
        count(|row| !row.ids.is_empty()),
        count(|row| row.doubtful),
    )
}

/// Writing to a `String` cannot fail.
fn report(excluded: &BTreeMap<String, Vec<&Entry>>) -> String {
    let mut out = String::from(
        "# Panels of facts/panels.json that are no rows, by the reason. Written by\n\
         # `cargo xtask import-facts`.\n",
    );
    for (why, entries) in excluded {
        let _ = write!(out, "\n[[excluded]]\nreason = {why:?}\npanels = [\n");
        for entry in entries {
            let _ = writeln!(out, "    {:?},", entry.id);
        }
        out += "]\n";
    }
    out
}
