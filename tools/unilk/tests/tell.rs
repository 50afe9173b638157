//! The commands that tell of a phone, as a person calls them: exit codes, and
//! the words that scripts and people look for.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::Command;
use unilk_core::logmem::{Kind, Log};

fn file(name: &str, data: &[u8]) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tell");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, data).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Exit code and what was said on standard output and error.
fn unilk(arguments: &[&str]) -> (i32, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_unilk"))
        .args(arguments)
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].concat();
    (
        done.status.code().unwrap(),
        String::from_utf8(said).unwrap(),
    )
}

fn json(arguments: &[&str]) -> serde_json::Value {
    let (code, text) = unilk(&[arguments, &["--json"]].concat());
    assert!(code == 0 || code == 3, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// A tree with nothing but a model.
fn tree(model: u8) -> Vec<u8> {
    let structure: [u32; 8] = [1, 0, 3, 2, 0, u32::from(model) << 24, 2, 9];
    let header = [0xD00D_FEED, 94, 56, 88, 40, 17, 16, 0, 6, 32];
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_be_bytes()).collect() };
    [
        words(&header),
        vec![0; 16],
        words(&structure),
        b"model\0".to_vec(),
    ]
    .concat()
}

#[test]
fn a_log_is_shown_newest_boot_first() {
    let mut memory = vec![0xA5; 8192];
    for line in ["[   0.000001] unilk 0.1.0", "[   0.000002] CPU-TRAP"] {
        let mut log = Log::begin(&mut memory).unwrap();
        log.append(Kind::Text, line.as_bytes()).unwrap();
        log.append(Kind::Defmt, &[1, 2, 3]).unwrap();
    }
    let dump = file("log.bin", &memory);
    let (code, text) = unilk(&["log", &dump]);
    assert_eq!(code, 0, "{text}");
    let (newest, older) = (
        text.find("CPU-TRAP").unwrap(),
        text.find("unilk 0.1.0").unwrap(),
    );
    assert!(newest < older && text.contains("LOG-TRACE"), "{text}");
    let told = json(&["log", &dump, "--last"]);
    assert_eq!(told["boots"].as_array().unwrap().len(), 1);
    assert_eq!(told["boots"][0]["sequence"], 2);
    // A record that decayed is a problem.
    let at = memory
        .windows(4)
        .position(|bytes| bytes == b"TRAP")
        .unwrap();
    memory[at] ^= 1;
    let (code, text) = unilk(&["log", &file("torn.bin", &memory)]);
    assert!(code == 3 && text.contains("LOG-TORN"), "{code} {text}");
    let (code, text) = unilk(&["log", &file("none.bin", &[0; 4096])]);
    assert!(
        code == 1 && text.contains("no log of unilk"),
        "{code} {text}"
    );
}

#[test]
fn differing_trees_have_an_exit_code_of_their_own() {
    let [one, two] = [b'a', b'b'].map(|model| file(&format!("{model}.dtb"), &tree(model)));
    assert_eq!(unilk(&["fdt", "diff", &one, &one]), (0, String::new()));
    let (code, text) = unilk(&["fdt", "diff", &one, &two]);
    assert_eq!(code, 3);
    assert!(
        text.contains("- model = \"a\"\n  + model = \"b\""),
        "{text}"
    );
    // Two in one file: which one is asked for.
    let both = file("both.bin", &[tree(b'a'), tree(b'b')].concat());
    let (code, text) = unilk(&["fdt", "show", &both]);
    assert!(code == 1 && text.contains("both.bin@0x5e"), "{text}");
    let (code, text) = unilk(&["fdt", "show", &format!("{both}@0x5e:/")]);
    assert!(code == 0 && text.contains("model = \"b\""), "{text}");
    let out = file("out.dtb", b"");
    let (code, text) = unilk(&["fdt", "fixup", &one, "-o", &out, "--cmdline", "quiet"]);
    assert!(code == 0 && text.contains("warning FIX-CONSOLE"), "{text}");
    let (code, text) = unilk(&["fdt", "diff", &one, &out]);
    assert!(code == 3 && text.contains("bootargs = \"quiet\""), "{text}");
    let (code, text) = unilk(&["fdt", "fixup", &one, "-o", &one]);
    assert!(code == 1 && text.contains("--output"), "{text}");
}

#[test]
fn the_table_is_searched_and_slips_are_answered() {
    let (code, text) = unilk(&["db", "show", "gt991"]);
    assert!(
        code == 1 && text.contains("near it: ") && text.contains("gt911"),
        "{text}"
    );
    let hits = json(&["db", "search", "goodix,gt911"]);
    let ids: Vec<_> = hits
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| &hit["id"])
        .collect();
    assert!(ids.iter().any(|id| **id == "gt911"), "{ids:?}");
    let sheet = json(&["db", "show", "ili9806e-fwvga-dsi-vdo-txd"]);
    assert_eq!(sheet["init"]["steps"][0]["bytes"], "FF FF 98 06 04 01");
    let alike = json(&["db", "alike", "gt911"]);
    assert_eq!(alike["kind"], "touch");
    let (code, text) = unilk(&["db", "alike", "s5201ap"]);
    assert!(
        code == 1 && text.contains("only panels, touch chips and cameras"),
        "{text}"
    );
    let (code, text) = unilk(&["db", "list", "--board", "s5201"]);
    assert!(code == 1 && text.contains("s5201ap"), "{text}");
}

#[test]
fn a_bad_row_is_named_with_its_remedy() {
    let row = file(
        "row.toml",
        b"names = [\"x\"]\ncontroller = \"x\"\nwidth = 9\n",
    );
    let (code, text) = unilk(&["db", "lint", &row]);
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains("row.toml: ") && text.contains("missing field"),
        "{text}"
    );
}
