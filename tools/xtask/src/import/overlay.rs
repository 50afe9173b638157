//! Corrections that people made to imported rows: `board-db/import/*.toml`.
//! What a file may hold is described in `board-db/import/README.md`.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Table;

/// A file of corrections. A later kind wins over an earlier one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Rows that are not imported, and why.
    #[serde(default)]
    pub exclude: BTreeMap<String, String>,
    /// Fields for all rows of a family or maker where the facts have none.
    #[serde(default)]
    pub default: BTreeMap<String, Table>,
    /// Fields of all rows of a family or maker.
    #[serde(default)]
    pub group: BTreeMap<String, Table>,
    /// Fields of one row, by its name in the facts.
    #[serde(default)]
    pub row: BTreeMap<String, Table>,
    /// Further rows: fields that differ from the row that `of` names.
    #[serde(default)]
    pub extra: BTreeMap<String, Table>,
}

impl Overlay {
    pub fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).context("overlay")
    }

    /// Refuses corrections of what is not in the facts: a name that nobody has
    /// would correct nothing, unseen.
    pub fn check(&self, ids: &BTreeSet<&str>, groups: &BTreeSet<&str>) -> Result<()> {
        for id in self.exclude.keys().chain(self.row.keys()) {
            ensure!(
                ids.contains(id.as_str()),
                "overlay: no \"{id}\" in the facts"
            );
        }
        for group in self.default.keys().chain(self.group.keys()) {
            ensure!(
                groups.contains(group.as_str()),
                "overlay: nobody of \"{group}\" in the facts"
            );
        }
        Ok(())
    }

    /// Whether the overlay gives this field of a row.
    pub fn gives(&self, id: &str, group: &str, field: &str) -> bool {
        let fields = [self.group.get(group), self.row.get(id)];
        fields
            .into_iter()
            .flatten()
            .any(|fields| fields.contains_key(field))
    }

    /// The corrected row, and the reasons for its corrections.
    pub fn apply(&self, id: &str, group: &str, row: &mut Table) -> Vec<String> {
        let mut reasons = Vec::new();
        for (key, value) in self.default.get(group).into_iter().flatten() {
            row.entry(key.clone()).or_insert_with(|| value.clone());
        }
        for fields in [self.group.get(group), self.row.get(id)] {
            correct(row, fields.into_iter().flatten(), &mut reasons);
        }
        reasons
    }

    /// The rows that this one is the pattern of: name, fields, reasons.
    pub fn extras(&self, of: &str, row: &Table) -> Vec<(String, Table, Vec<String>)> {
        let like = |fields: &&Table| fields.get("of").and_then(toml::Value::as_str) == Some(of);
        let extras = self.extra.iter().filter(|(_, fields)| like(fields));
        extras
            .map(|(id, fields)| {
                let (mut row, mut reasons) = (row.clone(), Vec::new());
                correct(&mut row, fields.iter(), &mut reasons);
                row.remove("of");
                (id.clone(), row, reasons)
            })
            .collect()
    }
}

/// Sets fields; the value `"none"` removes one.
fn correct<'a>(
    row: &mut Table,
    fields: impl Iterator<Item = (&'a String, &'a toml::Value)>,
    reasons: &mut Vec<String>,
) {
    for (key, value) in fields {
        match (key.as_str(), value.as_str()) {
            ("why", Some("none")) => reasons.clear(),
            ("why", Some(why)) => reasons.push(why.into()),
            (_, Some("none")) => {
                row.remove(key);
            }
            _ => {
                row.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        exclude = { tv = "no sensor" }
        [default.Acme]
        core_mv = 1800
        [group.Acme]
        order = 3
        [row.a1]
        order = 4
        compatible = "none"
        why = "seen on a phone"
        [extra.a2]
        of = "a1"
        name = "A2"
    "#;

    fn row(text: &str) -> Table {
        toml::from_str(text).expect("a table")
    }

    #[test]
    fn the_row_wins_over_the_group_and_the_facts_over_defaults() {
        let overlay = Overlay::parse(TEXT).expect("an overlay");
        let mut a1 = row("compatible = \"acme,a1\"\ncore_mv = 1200");
        let reasons = overlay.apply("a1", "Acme", &mut a1);
        assert_eq!(a1, row("core_mv = 1200\norder = 4"));
        assert_eq!(reasons, ["seen on a phone"]);
        let mut other = Table::new();
        assert!(overlay.apply("a9", "Acme", &mut other).is_empty());
        assert_eq!(other, row("core_mv = 1800\norder = 3"));
        let extras = overlay.extras("a1", &a1);
        assert_eq!(extras.len(), 1);
        assert_eq!(extras[0].1, row("core_mv = 1200\norder = 4\nname = \"A2\""));
    }

    #[test]
    fn a_correction_of_nobody_is_refused() {
        let overlay = Overlay::parse(TEXT).expect("an overlay");
        let set = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
        assert!(overlay.check(&set(&["a1", "tv"]), &set(&["Acme"])).is_ok());
        let error = overlay
            .check(&set(&["a1"]), &set(&["Acme"]))
            .expect_err("nobody");
        assert!(error.to_string().contains("\"tv\""), "{error}");
        let error = overlay
            .check(&set(&["a1", "tv"]), &set(&[]))
            .expect_err("nobody");
        assert!(error.to_string().contains("\"Acme\""), "{error}");
        assert!(Overlay::parse("rows = 1").is_err());
    }
}
