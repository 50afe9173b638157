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

/// What an import made.
struct Imported {
    files: Files,
    /// For people.
    summary: String,
}

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
        touch(&facts, &overlays, &into)?;
        cameras(&facts, &overlays, &into)
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
    replace(into, panels::FOLDER, panels::SOURCE, &imported.files)?;
    write(into, Path::new(panels::EXCLUDED), &imported.excluded)?;
    println!("panels: {}", imported.summary);
    Ok(())
}

/// Touch chips: `facts/touch.json` and `import/touch.toml` to `data/touch`
/// and `import/excluded-touch.toml`.
fn touch(facts: &Path, overlays: &Path, into: &Path) -> Result<()> {
    let imported = touch::import(
        &read(&facts.join("touch.json"))?,
        &read(&overlays.join("touch.toml"))?,
    )?;
    replace(into, "data/touch", "facts/touch.json", &imported.files)?;
    println!("touch: {}", imported.summary);
    Ok(())
}

/// Cameras: `facts/cameras.json` and `import/cameras.toml` to `data/cameras`
/// and `import/excluded-cameras.toml`.
fn cameras(facts: &Path, overlays: &Path, into: &Path) -> Result<()> {
    let imported = cameras::import(
        &read(&facts.join("cameras.json"))?,
        &read(&overlays.join("cameras.toml"))?,
    )?;
    replace(into, "data/cameras", "facts/cameras.json", &imported.files)?;
    println!("cameras: {}", imported.summary);
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// Writes `files`, and removes what else of an earlier import `folder` below
/// `root` holds. Rows that were written by hand stay.
fn replace(root: &Path, folder: &str, source: &str, files: &Files) -> Result<()> {
    let dir = root.join(folder);
    fs::create_dir_all(&dir)?;
    for entry in fs::read_dir(&dir)? {
        let name = Path::new(folder).join(entry?.file_name());
        let imported = read(&root.join(&name))?.starts_with(&format!("# Source: {source}, "));
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
