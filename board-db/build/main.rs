//! Compiles `data/` into the table. A bad row stops the build with the file,
//! the field and what to do.

mod source;

use source::boards::Known;
use source::emit::Table;
use source::{
    BoardToml, CameraToml, Panel, PanelToml, Problem, TouchToml, WiringToml, clusters, plan, twins,
};
use std::path::Path;
use std::{env, fs, process};

fn main() {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/data_type.rs");
    if let Err(Problem(text)) = run() {
        println!("cargo::error={text}");
        process::exit(1);
    }
}

fn run() -> Result<(), Problem> {
    let panels: Vec<(String, PanelToml)> = read_all(Path::new("data/panels"))?;
    let panels = panels
        .into_iter()
        .map(|(id, panel)| panel.check(&id).map(|panel| (id, panel)))
        .collect::<Result<Vec<(String, Panel)>, Problem>>()?;
    twins::check_panels(&panels)?;
    let mut touch: Vec<(String, TouchToml)> = read_all(Path::new("data/touch"))?;
    for (id, chip) in &touch {
        chip.check(id)?;
    }
    touch.sort_by_key(|(_, chip)| chip.turn());
    twins::check_touch(&touch)?;
    let cameras: Vec<(String, CameraToml)> = read_all(Path::new("data/cameras"))?;
    for (id, camera) in &cameras {
        camera.check(id)?;
    }
    let wirings: Vec<(String, WiringToml)> = read_all(Path::new("data/wiring"))?;
    for (id, wiring) in &wirings {
        wiring.check(id)?;
    }
    let boards: Vec<(String, BoardToml)> = read_all(Path::new("data/boards"))?;
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
