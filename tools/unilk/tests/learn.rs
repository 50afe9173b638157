//! `unilk learn` as a person runs it.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "../../learn/tests/stock/mod.rs"]
#[allow(dead_code, reason = "not every image needs all of it")]
mod stock;

use common::{output_of, scratch};
use std::path::Path;
use std::process::Command;
use stock::{Model, Op, image};
use unilk_learn::layout::Generation;

/// Runs it; it has to end with `code`. What it said on both channels.
fn run(directory: &Path, code: i32, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_unilk"))
        .arg("learn")
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

#[test]
fn rows_of_a_stock_lk() {
    let directory = scratch("learn");
    std::fs::remove_dir_all(&directory).unwrap();
    std::fs::create_dir(&directory).unwrap();
    let mut read = Model::new("ili9806e_one", true);
    read.compare = Some(vec![Op::Read(0xDA, 1), Op::Byte(0, 0x40)]);
    let mut stuck = Model::new("ili9806e_two", true);
    stuck.suspend = vec![Op::WaitForEver(0x1400_C00C)];
    let good = image(Generation::Kk, &[read.clone(), Model::new("last", true)]);
    let bad = image(Generation::Kk, &[read, stuck]);
    std::fs::write(directory.join("lk.bin"), good).unwrap();
    std::fs::write(directory.join("stuck.bin"), bad).unwrap();
    std::fs::write(directory.join("text.txt"), [b'x'; 9000]).unwrap();

    let said = run(&directory, 1, &["text.txt"]);
    assert!(said.contains("text.txt: no code for 0x80020000"), "{said}");
    let said = run(&directory, 1, &["lk.bin", "--qemu", "no-such-emulator"]);
    assert!(said.contains("no-such-emulator is missing"), "{said}");
    if output_of("qemu-system-arm", &["--version"]).is_none() {
        return;
    }
    let said = run(
        &directory,
        0,
        &["lk.bin", "-o", "phone", "--board", "My phone"],
    );
    assert!(said.contains("DA[0]=40"), "{said}");
    let row = directory.join("phone/panels/ili9806e-one.toml");
    assert!(
        std::fs::read_to_string(&row)
            .unwrap()
            .contains("match = [\"DA[0]=40\"]")
    );
    let board = std::fs::read_to_string(directory.join("phone/board.toml")).unwrap();
    assert!(board.contains("name = \"My phone\""));
    // Again is the same; what a person wrote stays.
    run(&directory, 0, &["lk.bin", "-o", "phone"]);
    std::fs::write(&row, "mine").unwrap();
    let said = run(&directory, 1, &["lk.bin", "-o", "phone"]);
    assert!(said.contains("choose another directory"), "{said}");
    // Several: each in a folder of its own, and what is wrong is told.
    let said = run(
        &directory,
        3,
        &["lk.bin", "stuck.bin", "text.txt", "-o", "all"],
    );
    assert!(
        said.contains("suspend") && said.contains("waits for ever"),
        "{said}"
    );
    assert!(
        directory
            .join("all/stuck/panels/ili9806e-two.toml")
            .exists()
    );
    assert!(directory.join("all/lk/board.toml").exists());
}
