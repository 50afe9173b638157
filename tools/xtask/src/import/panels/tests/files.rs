//! Names of the files, the overlay, and what is committed.

use super::{Imported, has, imported, panel, with};
use crate::import::panels::{EXCLUDED, FOLDER, import};
use crate::import::{default_facts, is_imported};
use serde_json::{Value, json};
use std::path::Path;

fn file_names(imported: &Imported) -> Vec<&str> {
    let names = imported
        .files
        .keys()
        .map(|path| path.file_stem().unwrap().to_str().unwrap());
    names.collect()
}

#[test]
fn names_that_are_taken_twice_get_their_hash() {
    let panels = [
        with(&json!({"id": "a_b-111111", "names": ["A_B__(c)"]})),
        with(&json!({"id": "a_b-222222", "names": ["a_b_c"]})),
        with(&json!({"id": "d-333333", "names": ["d"]})),
    ];
    let names = imported(&panels, "");
    assert_eq!(file_names(&names), ["a-b-c-111111", "a-b-c-222222", "d"]);
    let names = imported(&panels, "[\"a_b-222222\"]\nfile = \"a-b-c\"\n");
    assert_eq!(file_names(&names), ["a-b-c-111111", "a-b-c", "d"]);
    let same = "[\"a_b-222222\"]\nfile = \"x\"\n[\"d-333333\"]\nfile = \"x\"\n";
    let Err(error) = import(&Value::from(panels.to_vec()).to_string(), same) else {
        panic!("two files of one name");
    };
    assert!(error.to_string().contains("x.toml: name one"), "{error}");
}

#[test]
fn the_overlay_changes_a_row() {
    let mut twice = panel();
    let first = twice["init"][0].clone();
    twice["init"].as_array_mut().unwrap().insert(2, first);
    let overlay = r#"
["ili9806e_x-0123ab"]
names = ["n"]
controller = "ili9806c"
compatible = "maker,glass"
physical_mm = [50, 90]
rate = { pll_mhz = 200 }
doubtful = true
reset = ["low 1", "high 5"]
power_down = "05 10"
replace = [{ line = "39 FF ...", with = ["39 01", "39 02"] }, { line = "delay 1" }]
[["ili9806e_x-0123ab".id]]
comment = ["Measured."]
match = ["strap1=low"]
["ili9806e_x-0123ab".comments]
rate = ["By hand."]
"" = ["Seen by me."]
"#;
    let changed = imported(&[twice.clone()], overlay)
        .files
        .into_values()
        .next()
        .unwrap();
    has(
        &changed,
        "# Seen by me.\nnames = [\"n\"]\ncontroller = \"ili9806c\"\ncompatible = \"maker,glass\"\n",
    );
    has(&changed, "physical_mm = [50, 90]\n");
    has(
        &changed,
        "# By hand.\nrate = { pll_mhz = 200 }\nreset = [\"low 1\", \"high 5\"]\n",
    );
    has(
        &changed,
        "doubtful = true\ninit = \"\"\"\n39 01\n39 02\n15 08 10\n39 01\n39 02\n05 11\n",
    );
    has(&changed, "power_down = \"\"\"\n05 10\n\"\"\"\n");
    has(&changed, "# Measured.\n[[id]]\nmatch = [\"strap1=low\"]\n");
    let left_out = imported(
        &[twice],
        "[\"ili9806e_x-0123ab\"]\nexclude = \"it burnt\"\n",
    );
    assert!(left_out.files.is_empty() && left_out.excluded.contains("it burnt"));
}

#[test]
fn an_overlay_that_fits_nothing_is_an_error() {
    let error = |overlay: &str| match import(&json!([panel()]).to_string(), overlay) {
        Ok(_) => panic!("{overlay}"),
        Err(error) => format!("{error:#}"),
    };
    assert!(error("[\"nobody-1\"]\n").contains("no panel nobody-1 in the facts"));
    assert!(error("[\"ili9806e_x-0123ab\"]\nspeed = 1\n").contains("speed"));
    let line = "[\"ili9806e_x-0123ab\"]\nreplace = [{ line = \"15 09 10\" }]\n";
    assert!(error(line).contains("init has no line \"15 09 10\""));
    let field = "[\"ili9806e_x-0123ab\"]\ncomments.speed = [\"x\"]\n";
    assert!(error(field).contains("no field \"speed\""));
}

/// The committed rows are what the import makes; where the facts are not
/// there, that cannot be tested.
#[test]
fn the_committed_rows_are_the_import() {
    let facts = default_facts();
    if !facts.is_dir() {
        println!("skipped: no facts in {}", facts.display());
        return;
    }
    let board_db = crate::paths::root().join("board-db");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let again = import(
        &read(&facts.join("panels.json")),
        &read(&board_db.join("import/panels.toml")),
    )
    .unwrap();
    for (path, text) in &again.files {
        assert_eq!(read(&board_db.join(path)), *text, "{}", path.display());
    }
    assert_eq!(read(&board_db.join(EXCLUDED)), again.excluded);
    let there = std::fs::read_dir(board_db.join(FOLDER)).unwrap();
    let rows = there.map(|entry| read(&entry.unwrap().path()));
    let committed = rows.filter(|row| is_imported(row)).count();
    assert_eq!(committed, again.files.len());
}
