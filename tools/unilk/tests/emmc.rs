//! `unilk emmc` and `unilk scatter` as a person runs them.

#![allow(clippy::unwrap_used)]

mod common;

use common::{scratch, small};
use std::path::Path;
use std::process::{Command, Output};
use unilk::{mtk, scatter};

const MOBIWIRE: &str = "tests/data/mobiwire-s10/MT6572_Android_scatter.txt";

fn unilk(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_unilk"))
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs it; it has to end with `code`. What it said on both channels.
fn run(directory: &Path, code: i32, arguments: &[&str]) -> String {
    let output = unilk(directory, arguments);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

/// An empty directory with lk.bin, a logo, some NVRAM and the scatter file of a
/// phone with 96 MiB.
fn bench(name: &str) -> std::path::PathBuf {
    let directory = scratch(name);
    std::fs::remove_dir_all(&directory).unwrap();
    std::fs::create_dir(&directory).unwrap();
    let layout = small();
    let table = scatter::from_layout(&layout, |_| None);
    let mut payload = vec![0x07, 0, 0, 0xEA];
    payload.resize(5000, 0x5A);
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.join(name), bytes).unwrap();
    write("layout.txt", table.as_bytes());
    write("lk.bin", &mtk::with_header("LK", &payload).unwrap());
    write("logo.bin", &mtk::with_header("LOGO", &[1; 900]).unwrap());
    write("nvram", &vec![7; 0x2_0000]);
    directory
}

const BUILD: [&str; 13] = [
    "emmc",
    "build",
    "--layout",
    "layout.txt",
    "--user-size",
    "96M",
    "--part",
    "UBOOT=lk.bin",
    "--part",
    "LOGO=logo.bin",
    "--part",
    "NVRAM=nvram",
    "-o",
];

fn build(directory: &Path, into: &str) {
    let mut arguments = BUILD.to_vec();
    arguments.push(into);
    run(directory, 0, &arguments);
}

fn same(directory: &Path, a: &str, b: &str) {
    let read = |name| std::fs::read(directory.join(name)).unwrap();
    assert!(read(a) == read(b), "{a} and {b} differ");
}

#[test]
fn taken_apart_and_put_together_it_is_the_same() {
    let directory = bench("round-trip");
    build(&directory, "card");
    // What no table describes has to survive too: a download record.
    let path = directory.join("card/user.img");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() - 2048;
    bytes[at..at + 22].copy_from_slice(b"DOWNLOAD INFORMATION!!");
    std::fs::write(&path, &bytes).unwrap();

    let said = run(
        &directory,
        0,
        &["emmc", "extract", "card/user.img", "-o", "parts"],
    );
    assert!(
        said.contains("NVRAM.img") && said.contains("card.json"),
        "{said}"
    );
    let arguments = [
        "emmc",
        "build",
        "--layout",
        "parts/MT6572_Android_scatter.txt",
        "--card",
        "parts/card.json",
        "--parts",
        "parts",
        "-o",
        "again",
    ];
    run(&directory, 0, &arguments);
    for file in ["user.img", "user.img.boot1", "card.json"] {
        same(
            &directory,
            &format!("card/{file}"),
            &format!("again/{file}"),
        );
    }
    // The parts alone are the phone too: scatter file and sizes lie with them.
    let said = run(&directory, 0, &["emmc", "list", "parts"]);
    assert!(
        said.contains("0x1d20000      0x60000    0x2320000  yes"),
        "{said}"
    );
    // What was taken apart marks nothing that must not be written.
    let said = run(
        &directory,
        0,
        &["scatter", "lint", "parts", "--against", "card/user.img"],
    );
    assert!(said.contains("nothing wrong"), "{said}");
}

#[test]
fn a_linear_dump_gives_the_same_parts() {
    let directory = bench("linear");
    build(&directory, "card");
    let user = std::fs::read(directory.join("card/user.img")).unwrap();
    let boot1 = std::fs::read(directory.join("card/user.img.boot1")).unwrap();
    let mut linear = boot1;
    linear.resize(6 << 20, 0);
    linear.extend(user);
    std::fs::write(directory.join("linear.bin"), linear).unwrap();
    run(
        &directory,
        0,
        &["emmc", "extract", "card/user.img", "-o", "a"],
    );
    let said = run(&directory, 0, &["emmc", "extract", "linear.bin", "-o", "b"]);
    assert!(said.contains("linear dump"), "{said}");
    for entry in std::fs::read_dir(directory.join("a")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        same(&directory, &format!("a/{name}"), &format!("b/{name}"));
    }
}

#[test]
fn only_what_was_asked_for_and_nothing_over_what_is_there() {
    let directory = bench("some-parts");
    build(&directory, "card");
    let arguments = [
        "emmc",
        "extract",
        "card/user.img",
        "--part",
        "lk",
        "--part",
        "NVRAM",
    ];
    run(&directory, 0, &arguments);
    let mut files: Vec<String> = std::fs::read_dir(directory.join("card/user.parts"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["NVRAM.img", "UBOOT.img"]);
    let said = run(&directory, 1, &arguments);
    assert!(said.contains("--force"), "{said}");
    run(&directory, 0, &[&arguments[..], &["--force"]].concat());
    let said = run(
        &directory,
        1,
        &["emmc", "extract", "card/user.img", "--part", "NO"],
    );
    assert!(
        said.contains("no such partition; there are PRELOADER, MBR"),
        "{said}"
    );
    // What is being read is not written over.
    std::fs::copy(directory.join("card/user.img"), directory.join("LOGO.img")).unwrap();
    let over = ["emmc", "extract", "LOGO.img", "-o", ".", "--force"];
    assert!(run(&directory, 1, &over).contains("what is being read"));
    same(&directory, "card/user.img", "LOGO.img");
}

#[test]
fn wrong_arguments_are_named() {
    let directory = bench("wrong");
    std::fs::create_dir(directory.join("empty")).unwrap();
    for (arguments, code, expected) in [
        (&["emmc", "list", "nothing.img"][..], 1, "nothing.img"),
        (&["emmc", "list", "nvram"], 1, "no partition table (PMT)"),
        (
            &["emmc", "list", "lk.bin", "--card", "layout.txt"],
            1,
            "boot_size_mult",
        ),
        (
            &["emmc", "list", "lk.bin", "--scatter", "lk.bin"],
            1,
            "lk.bin",
        ),
        (&["emmc", "build", "--part", "UBOOT"], 2, "NAME=FILE"),
        (
            &["emmc", "build", "--layout", "b517"],
            1,
            "built-in layouts are a516",
        ),
        (&["emmc", "build", "--part", "BMTPOOL=nvram"], 1, "BMTPOOL"),
        (&["scatter", "lint", "nvram"], 1, "no scatter file"),
        (&["scatter", "lint", "empty"], 1, "no scatter file"),
        (&["scatter", "diff", "layout.txt"], 2, "<B>"),
        (&["scatter", "flash-plan", "layout.txt"], 2, "--lk"),
    ] {
        let said = run(&directory, code, arguments);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn a_flash_plan_is_a_folder_of_its_own() {
    let directory = bench("flash-plan");
    std::fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join(MOBIWIRE),
        directory.join("s10.txt"),
    )
    .unwrap();
    let plan = ["scatter", "flash-plan", "s10.txt", "--lk", "lk.bin"];
    let with = |more: &[&'static str]| [&plan[..], more].concat();
    let said = run(
        &directory,
        0,
        &with(&["--also", "LOGO=logo.bin", "-o", "plan"]),
    );
    assert!(
        said.contains("Ticked must be UBOOT, LOGO, and nothing else"),
        "{said}"
    );
    same(&directory, "lk.bin", "plan/lk.bin");
    same(&directory, "logo.bin", "plan/logo.bin");
    let said = run(&directory, 0, &["scatter", "lint", "plan"]);
    assert!(!said.contains("SCATTER-MARKS"), "{said}");
    // Not into a folder with other things, and not by another phone's file.
    let said = run(&directory, 1, &with(&["-o", "plan"]));
    assert!(said.contains("not empty"), "{said}");
    build(&directory, "card");
    let said = run(
        &directory,
        4,
        &with(&["--against", "card/user.img", "-o", "other"]),
    );
    assert!(said.contains("not that of the phone"), "{said}");
    assert!(!directory.join("other").exists());
}

#[test]
fn identity_and_loader_are_refused_before_any_file_is_opened() {
    let directory = bench("refused");
    for name in ["PRELOADER", "nvram", "EBR1", "secure", "PRO_INFO", "PMT"] {
        let also = format!("{name}=does-not-exist");
        let arguments = [
            "scatter",
            "flash-plan",
            "layout.txt",
            "--lk",
            "lk.bin",
            "--also",
            &also,
            "-o",
            "plan",
        ];
        let said = run(&directory, 4, &arguments);
        assert!(
            said.contains("refused:") && said.contains("never written"),
            "{said}"
        );
    }
    assert!(!directory.join("plan").exists());
}

#[test]
fn reports_are_json_when_asked_for() {
    let directory = bench("json");
    build(&directory, "card");
    for arguments in [
        &["emmc", "table"][..],
        &["emmc", "list", "card/user.img"],
        &["emmc", "extract", "card/user.img", "-o", "parts"],
        &["emmc", "build", "-o", "other"],
        &["scatter", "show", "layout.txt"],
        &["scatter", "lint", "layout.txt"],
        &["scatter", "diff", "layout.txt", "layout.txt"],
        &[
            "scatter",
            "flash-plan",
            "layout.txt",
            "--lk",
            "lk.bin",
            "-o",
            "plan",
        ],
    ] {
        let output = unilk(&directory, &[arguments, &["--json"]].concat());
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(json.is_object() || json.is_array(), "{arguments:?}");
    }
}
