//! `cargo xtask import-matrix`: what the boots of the generated matrix need to
//! know of the chips, straight from the collected facts.
//!
//! The glass, the touch chips and the cameras that the matrix emulates must not
//! be what the bootloader's table says of them, or a mistake in the table would
//! be on both sides. So this shares nothing with `board-db` and its importer:
//! facts go in, `qemu/matrix` comes out. What cannot be emulated is left out
//! with its reason (`left-out.toml`). The result is committed; the same facts
//! give the same bytes.
//!
//! Source: facts/panels.md, facts/i2c-touch-camera.md 2 to 4.

mod burners;
mod cameras;
mod facts;
mod family;
mod keys;
mod panels;
mod power;
mod script;
mod touch;
mod write;

use crate::paths;
use anyhow::{Context, Result, bail};
use clap::Args;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Write qemu/matrix anew from the collected facts
#[derive(Args)]
pub struct ImportMatrix {
    /// Folder with panels.json, touch.json and cameras.json
    #[arg(long, default_value = "../shared/facts")]
    facts: PathBuf,
}

/// Files of `qemu/matrix` by their path in it, with their content.
type Files = BTreeMap<String, String>;

/// A row of the facts that is not emulated.
pub struct LeftOut {
    kind: &'static str,
    id: String,
    reason: String,
}

impl ImportMatrix {
    /// Replaces the generated files.
    pub fn run(&self) -> Result<()> {
        let files = generate(&paths::root().join(&self.facts))?;
        let folder = folder();
        let panels = folder.join("panels");
        if panels.exists() {
            fs::remove_dir_all(&panels).context("cannot empty qemu/matrix/panels")?;
        }
        fs::create_dir_all(&panels).context("cannot make qemu/matrix/panels")?;
        for (name, text) in &files {
            fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))?;
        }
        println!("{} files in {}", files.len(), folder.display());
        Ok(())
    }
}

/// Where the matrix is.
fn folder() -> PathBuf {
    paths::root().join("qemu/matrix")
}

fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<Vec<T>> {
    let path = folder.join(name);
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))
}

/// All files that the facts in this folder make.
fn generate(facts: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut left_out = Vec::new();
    panels::convert(&read(facts, "panels.json")?, &mut files, &mut left_out);
    touch::convert(&read(facts, "touch.json")?, &mut files)?;
    cameras::convert(&read(facts, "cameras.json")?, &mut files, &mut left_out)?;
    if files.is_empty() {
        bail!("the facts name no chip");
    }
    files.insert("left-out.toml".into(), write::left_out(&left_out));
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The committed files are what the facts make, where the facts are at hand.
    #[test]
    fn the_matrix_is_as_the_facts_make_it() {
        let facts = paths::root().join("../shared/facts");
        if !facts.join("panels.json").exists() {
            println!("SKIP: no collected facts at {}", facts.display());
            return;
        }
        let files = generate(&facts).unwrap();
        for (name, text) in &files {
            let kept = fs::read_to_string(folder().join(name)).unwrap_or_default();
            assert!(
                kept == *text,
                "qemu/matrix/{name} is not what the facts make: run `cargo xtask import-matrix`"
            );
        }
        let panels = fs::read_dir(folder().join("panels")).unwrap().count();
        let made = files.keys().filter(|name| name.starts_with("panels/"));
        assert_eq!(panels, made.count(), "a file that nothing makes");
    }
}
