//! Device-tree tests. `dtc` and `fdtget` are the judges: they make the trees
//! that are read here and read the trees that are made here. Both come with
//! Debian's `device-tree-compiler`; without it these tests fail and say so.

#![allow(clippy::unwrap_used)]

mod editor;
pub(crate) mod fuzz;
mod reader;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::string::String;
use std::vec::Vec;

use super::*;

/// Runs a tool of `device-tree-compiler` with `input` on its standard input.
pub(crate) fn tool(name: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{name}: {error}; install device-tree-compiler to run these tests")
        });
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // From a thread of its own: the tool may fill its output pipe first.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(
        output.status.success(),
        "{name} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Compiles a device tree source with symbols.
pub(crate) fn compile(source: &str) -> Vec<u8> {
    compile_with(&["-@", "-q"], source)
}

pub(crate) fn compile_with(options: &[&str], source: &str) -> Vec<u8> {
    let include = concat!(env!("CARGO_MANIFEST_DIR"), "/../dts");
    let mut arguments = std::vec!["-I", "dts", "-O", "dtb", "-i", include];
    arguments.extend_from_slice(options);
    tool("dtc", &arguments, source.as_bytes())
}

/// One of the sources in `bootloader/dts`, compiled.
pub(crate) fn our_tree(name: &str) -> Vec<u8> {
    let path = std::format!("{}/../dts/{name}", env!("CARGO_MANIFEST_DIR"));
    compile(&std::fs::read_to_string(path).unwrap())
}

/// What dtc makes of a blob, as source text.
pub(crate) fn decompile(blob: &[u8]) -> String {
    String::from_utf8(tool("dtc", &["-I", "dtb", "-O", "dts", "-q"], blob)).unwrap()
}

/// Everything that dtc can put into a tree.
pub(super) const RICH_SOURCE: &str = r#"/dts-v1/;
/memreserve/ 0x80000000 0x100000;
/memreserve/ 0x1234567890abcdef 0x10;
/ {
    #address-cells = <2>;
    #size-cells = <1>;
    compatible = "vendor,board", "mediatek,mt6572";
    empty;
    aliases { serial0 = &uart; };
    chosen { stdout-path = "serial0:921600n8"; bootargs = "quiet rw"; };
    bus: bus@0,10000000 {
        #address-cells = <1>;
        #size-cells = <1>;
        compatible = "simple-bus";
        ranges = <0x1000 0x0 0x11000000 0x10000>;
        uart: serial@6000 {
            compatible = "mediatek,mt6572-uart";
            reg = <0x6000 0x400>;
            interrupts = <0 31 8>;
        };
    };
    timer {
        arm,cpu-registers-not-fw-configured;
        bytes = [01 02 03 04 05];
        number64 = /bits/ 64 <0x123456789abcdef0>;
        mixed = "text", <1 2>, [ff];
        a-property-name-of-more-than-thirty-one-characters = <&uart>;
        a-node-name-that-is-much-longer-than-the-specification-likes@deadbeef {};
    };
};
"#;

/// Puts a version 17 tree together from its blocks, without any check.
pub(super) fn assemble(structure: &[u8], strings: &[u8]) -> Vec<u8> {
    let reservations = [0; 16];
    let structure_at = 40 + reservations.len();
    let strings_at = structure_at + structure.len();
    let total = strings_at + strings.len();
    let mut blob = Vec::new();
    for word in [
        MAGIC as usize,
        total,
        structure_at,
        strings_at,
        40,
        17,
        16,
        0,
        strings.len(),
        structure.len(),
    ] {
        blob.extend_from_slice(&(word as u32).to_be_bytes());
    }
    blob.extend_from_slice(&reservations);
    blob.extend_from_slice(structure);
    blob.extend_from_slice(strings);
    blob
}

/// Structure block from words.
pub(super) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// Overwrites word `index` of a blob.
pub(super) fn poke(blob: &mut [u8], index: usize, value: u32) {
    blob[index * 4..index * 4 + 4].copy_from_slice(&value.to_be_bytes());
}
