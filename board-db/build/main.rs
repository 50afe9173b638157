//! Compiles `data/` into the table. A bad row stops the build with the file,
//! the field and what to do.

mod source;

use source::{BoardToml, PanelToml, Problem};
use std::path::Path;
use std::{env, fs, process};

fn main() {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build");
    if let Err(Problem(text)) = run() {
        println!("cargo::error={text}");
        process::exit(1);
    }
}

fn run() -> Result<(), Problem> {
    let panels: Vec<(String, PanelToml)> = read_all(Path::new("data/panels"))?;
    let boards: Vec<(String, BoardToml)> = read_all(Path::new("data/boards"))?;
    for (id, panel) in &panels {
        panel.check(id)?;
    }
    for (id, board) in &boards {
        board.check(id, &panels)?;
    }
    let out =
        env::var("OUT_DIR").map_err(|_| Problem("OUT_DIR is not set: build with cargo".into()))?;
    let path = Path::new(&out).join("table.rs");
    fs::write(&path, source::emit(&panels, &boards))
        .map_err(|error| Problem(format!("{}: {error}", path.display())))
}

/// All rows of a folder, in order of their file names.
fn read_all<T: serde::de::DeserializeOwned>(folder: &Path) -> Result<Vec<(String, T)>, Problem> {
    let problem = |path: &Path, error: &dyn std::fmt::Display| {
        Problem(format!("{}: {error}", path.display()))
    };
    let mut rows = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| problem(folder, &error))? {
        let path = entry.map_err(|error| problem(folder, &error))?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| problem(&path, &error))?;
        let id = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        rows.push((id, source::parse(&path.display().to_string(), &text)?));
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(rows)
}
