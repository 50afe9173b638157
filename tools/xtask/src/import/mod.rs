//! `cargo xtask import-facts`: writes the rows of `board-db/data` out of the
//! collected facts about drivers (`facts/*.json`), so that anybody can repeat
//! and review the import. What the facts cannot know is in the overlays in
//! `board-db/import`. Equal input gives equal files.

mod cameras;
mod overlay;
mod panels;
mod text;
mod touch;

use crate::paths;
use crate::source::burners;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use panels::Imported;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Write board-db/data out of the collected facts
#[derive(Args)]
pub struct Import {
    /// Folder with panels.json and its sisters [default: ../shared/facts]
    #[arg(long, value_name = "DIR")]
    facts: Option<PathBuf>,
    /// Folder in which to write instead of board-db
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

/// Files to write, by their path below `board-db`.
type Files = BTreeMap<PathBuf, String>;

impl Import {
    /// Imports everything.
    pub fn run(&self) -> Result<()> {
        let facts = self.facts.clone().unwrap_or_else(default_facts);
        ensure!(
            facts.is_dir(),
            "{} is not there: give the folder of the facts with --facts DIR",
            facts.display()
        );
        let overlays = paths::root().join("board-db/import");
        let into = self
            .into
            .clone()
            .unwrap_or_else(|| paths::root().join("board-db"));
        panels(&facts, &overlays, &into)?;
        parts("touch", touch::import, &facts, &overlays, &into)?;
        parts("cameras", cameras::import, &facts, &overlays, &into)
    }
}

/// Where the facts lie next to a checkout.
fn default_facts() -> PathBuf {
    paths::root().join("../shared/facts")
}

/// Panels: `facts/panels.json` and `import/panels.toml` to `data/panels` and
/// `import/excluded-panels.toml`.
fn panels(facts: &Path, overlays: &Path, into: &Path) -> Result<()> {
    let imported = panels::import(
        &read(&facts.join("panels.json"))?,
        &read(&overlays.join("panels.toml"))?,
    )?;
    replace(into, panels::FOLDER, &imported.files)?;
    write(into, Path::new(panels::EXCLUDED), &imported.excluded)?;
    println!("panels: {}", imported.summary);
    Ok(())
}

/// Touch chips or cameras: `facts/KIND.json` and `import/KIND.toml` to
/// `data/KIND` and `import/excluded-KIND.toml`.
fn parts(
    kind: &str,
    import: fn(&str, &str) -> Result<Imported>,
    facts: &Path,
    overlays: &Path,
    into: &Path,
) -> Result<()> {
    let imported = import(
        &read(&facts.join(format!("{kind}.json")))?,
        &read(&overlays.join(format!("{kind}.toml")))?,
    )?;
    replace(into, &format!("data/{kind}"), &imported.files)?;
    let excluded = format!("import/excluded-{kind}.toml");
    write(into, Path::new(&excluded), &imported.excluded)?;
    println!("{kind}: {}", imported.summary);
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// Writes `files`, and removes what else of an earlier import `folder` below
/// `root` holds. Rows that were written by hand stay.
fn replace(root: &Path, folder: &str, files: &Files) -> Result<()> {
    let dir = root.join(folder);
    fs::create_dir_all(&dir)?;
    for entry in fs::read_dir(&dir)? {
        let name = Path::new(folder).join(entry?.file_name());
        let imported = is_imported(&read(&root.join(&name))?);
        match (imported, files.contains_key(&name)) {
            (true, false) => fs::remove_file(root.join(&name))?,
            (false, true) => bail!(
                "{}: was written by hand, and the import has a row of this name: rename one",
                name.display()
            ),
            _ => {}
        }
    }
    for (name, text) in files {
        write(root, name, text)?;
    }
    Ok(())
}

/// Whether a row is of an import: it begins with `# Source: facts/x.json, `.
fn is_imported(row: &str) -> bool {
    let first = row.lines().next().unwrap_or_default();
    let source = first.strip_prefix("# Source: facts/");
    source.is_some_and(|source| source.contains(".json, "))
}

/// Writes a file below `root` that differs.
fn write(root: &Path, name: &Path, text: &str) -> Result<()> {
    let path = root.join(name);
    if fs::read_to_string(&path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, text).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// An empty folder of this test's own.
    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("unilk-import-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("rows")).unwrap();
        path
    }

    fn files(names: &[&str]) -> Files {
        let text = |name: &&str| {
            (
                Path::new("rows").join(name),
                "# Source: facts/panels.json, x.\n".into(),
            )
        };
        names.iter().map(text).collect()
    }

    fn there(root: &Path) -> Vec<String> {
        let entries = fs::read_dir(root.join("rows")).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn old_rows_go_and_rows_of_people_stay() {
        let root = folder("replace");
        fs::write(root.join("rows/mine.toml"), "# Source: facts/soc.md 7.4.\n").unwrap();
        replace(&root, "rows", &files(&["a.toml", "b.toml"])).unwrap();
        replace(&root, "rows", &files(&["b.toml", "c.toml"])).unwrap();
        assert_eq!(there(&root), ["b.toml", "c.toml", "mine.toml"]);
        let error = replace(&root, "rows", &files(&["mine.toml"])).unwrap_err();
        assert!(error.to_string().contains("mine.toml: was written by hand"));
        assert_eq!(
            read(&root.join("rows/mine.toml")).unwrap(),
            "# Source: facts/soc.md 7.4.\n"
        );
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn facts_that_are_not_there_are_said() {
        let import = Import {
            facts: Some("/nowhere/facts".into()),
            into: None,
        };
        let error = import.run().unwrap_err().to_string();
        assert!(error.contains("/nowhere/facts is not there: give the folder"));
    }
}
