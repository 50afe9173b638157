//! Compiles `data/` into the table. A bad row stops the build with the file,
//! the field and what to do.
//!
//! Rows of one's own need not lie in `data/`: `UNILK_DB_EXTRA` names a folder
//! with more of them, in the same sub-folders.

mod source;

use source::boards::Known;
use source::emit::Table;
use source::{
    BoardToml, CameraToml, Panel, PanelToml, Problem, TouchToml, WiringToml, clusters, plan, twins,
};
use std::path::Path;
use std::{env, fs, process};

/// Names a folder with more rows; a path from the root of the file system.
const EXTRA: &str = "UNILK_DB_EXTRA";

fn main() {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/data_type.rs");
    println!("cargo::rerun-if-env-changed={EXTRA}");
    if let Some(extra) = env::var_os(EXTRA) {
        println!("cargo::rerun-if-changed={}", extra.display());
    }
    if let Err(Problem(text)) = run() {
        println!("cargo::error={text}");
        process::exit(1);
    }
}

fn run() -> Result<(), Problem> {
    let panels: Vec<(String, PanelToml)> = rows("panels")?;
    let panels = panels
        .into_iter()
        .map(|(id, panel)| panel.check(&id).map(|panel| (id, panel)))
        .collect::<Result<Vec<(String, Panel)>, Problem>>()?;
    twins::check_panels(&panels)?;
    let mut touch: Vec<(String, TouchToml)> = rows("touch")?;
    for (id, chip) in &touch {
        chip.check(id)?;
    }
    touch.sort_by_key(|(_, chip)| chip.turn());
    twins::check_touch(&touch)?;
    let cameras: Vec<(String, CameraToml)> = rows("cameras")?;
    for (id, camera) in &cameras {
        camera.check(id)?;
    }
    let wirings: Vec<(String, WiringToml)> = rows("wiring")?;
    for (id, wiring) in &wirings {
        wiring.check(id)?;
    }
    let boards: Vec<(String, BoardToml)> = rows("boards")?;
    let known = Known {
        panels: ids(&panels),
        touch: ids(&touch),
        cameras: ids(&cameras),
        wirings: ids(&wirings),
    };
    for (id, board) in &boards {
        board.check(id, &known)?;
    }
    let rows: Vec<plan::Row<'_>> = panels.iter().map(|(_, panel)| panel.plan_row()).collect();
    let out =
        env::var("OUT_DIR").map_err(|_| Problem("OUT_DIR is not set: build with cargo".into()))?;
    let path = Path::new(&out).join("table.rs");
    let tables = panels
        .iter()
        .map(|(_, panel)| (&panel.row, &panel.init[..]));
    let table = Table {
        panels: &panels,
        plan: &plan::make(&rows),
        clusters: &clusters::clusters(tables),
        touch: &touch,
        cameras: &cameras,
        wirings: &wirings,
        boards: &boards,
    };
    fs::write(&path, source::emit::emit(table)?)
        .map_err(|error| Problem(format!("{}: {error}", path.display())))
}

fn ids<T>(rows: &[(String, T)]) -> Vec<&str> {
    rows.iter().map(|(id, _)| id.as_str()).collect()
}

/// All rows of a kind, in order of their file names: of `data/` and of the
/// extra folder, if it has some.
fn rows<T: serde::de::DeserializeOwned>(kind: &str) -> Result<Vec<(String, T)>, Problem> {
    let mut rows = read_all(&Path::new("data").join(kind))?;
    let Some(extra) = env::var_os(EXTRA) else {
        return Ok(rows);
    };
    let extra = Path::new(&extra);
    if !extra.is_dir() {
        return Err(Problem(format!(
            "{EXTRA}: {} is no folder: correct it or unset it",
            extra.display()
        )));
    }
    let folder = extra.join(kind);
    if folder.is_dir() {
        for (id, row) in read_all(&folder)? {
            if rows.iter().any(|(known, _)| *known == id) {
                return Err(Problem(format!(
                    "{}/{id}.toml: data/{kind} has a file of this name: choose another",
                    folder.display()
                )));
            }
            rows.push((id, row));
        }
    }
    rows.sort_by(|a: &(String, T), b| a.0.cmp(&b.0));
    Ok(rows)
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
    let folder = folder.file_name().unwrap_or_default().to_string_lossy();
    twins::check_ids(&folder, ids(&rows))?;
    Ok(rows)
}
