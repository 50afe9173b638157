//! How long the bootloader takes to fix up a device tree of 64 KiB.

use super::boot;
use super::figure::Figure;
use crate::storage::{self, Payload};
use crate::trace::Log;
use crate::{artifacts, paths, ui};
use anyhow::{Context, Result, ensure};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Size of the tree as the image brings it.
const TREE_BYTES: usize = 64 * 1024;
/// The tree of the demo's phone, to which nodes are added.
const BASE: &str = "mt6572-qemu-debian";
/// Fixing it up may take this long.
const LIMIT_MS: f64 = 2.0;

/// Boots the test kernel with such a tree behind it.
pub fn measure() -> Result<Figure> {
    let directory = paths::work().join("bench");
    let payload = Payload::Test("the tree is what counts".to_owned());
    let mut image = payload.boot_image()?;
    image.device_tree = Some(large_tree(&directory)?);
    let card = storage::build_with(image, &directory)?;
    let step = ui::step("device tree of 64 KiB");
    let boot = boot::boot(&card, &directory, payload.first_words())?;
    let (_, bytes, us) = fix_up(&boot.log).context("the log does not tell of the device tree")?;
    ensure!(
        bytes >= TREE_BYTES as u64,
        "the tree has {bytes} bytes only: it was not ours"
    );
    step.done("measured");
    Ok(Figure::new("fix-up of a 64 KiB device tree", us as f64 / 1e3, "ms").at_most(LIMIT_MS))
}

/// The trace's line about the fix-up, with bytes and microseconds:
/// `tree: 2171 bytes in 11006 us`.
pub fn fix_up(log: &Log) -> Option<(usize, u64, u64)> {
    log.lines.iter().enumerate().find_map(|(index, line)| {
        let (bytes, rest) = line.text.strip_prefix("tree: ")?.split_once(" bytes in ")?;
        let us = rest.strip_suffix(" us")?;
        Some((index, bytes.parse().ok()?, us.parse().ok()?))
    })
}

/// The demo's tree with so many nodes more that it just exceeds
/// [`TREE_BYTES`].
fn large_tree(directory: &Path) -> Result<Vec<u8>> {
    let base = paths::root()
        .join("bootloader/dts")
        .join(BASE)
        .with_extension("dts");
    let base = fs::read_to_string(&base).with_context(|| base.display().to_string())?;
    let compile = |nodes: usize| -> Result<Vec<u8>> {
        let source = directory.join("large.dts");
        let output = directory.join("large.dtb");
        fs::write(&source, with_nodes(&base, nodes)).context("cannot write large.dts")?;
        artifacts::compile_tree(&source, &output)?;
        fs::read(&output).context("cannot read large.dtb")
    };
    // Nodes are of one size, so that two trees tell how many are needed.
    const SAMPLE: usize = 100;
    let (empty, some) = (compile(0)?.len(), compile(SAMPLE)?.len());
    ensure!(some > empty, "dtc left the added nodes out");
    let missing = TREE_BYTES.saturating_sub(empty);
    compile((missing * SAMPLE).div_ceil(some - empty) + 1)
}

/// `base` and a bus with `count` devices on it, such as real trees have.
fn with_nodes(base: &str, count: usize) -> String {
    let mut source = base.to_owned();
    source.push_str("\n/ {\n\tbench-bus {\n\t\t#address-cells = <1>;\n\t\t#size-cells = <1>;\n");
    for index in 0..count {
        let address = 0x2000_0000 + 0x1000 * index;
        // Infallible: the target is a string.
        let _ = writeln!(
            source,
            "\t\tdevice@{address:x} {{\n\
             \t\t\tcompatible = \"unilk,bench-device\", \"unilk,bench\";\n\
             \t\t\treg = <{address:#x} 0x1000>;\n\
             \t\t\tinterrupts = <0 {} 8>;\n\
             \t\t\tstatus = \"disabled\";\n\
             \t\t}};",
            index % 224
        );
    }
    source.push_str("\t};\n};\n");
    source
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Line;

    #[test]
    fn the_trace_tells_size_and_time() {
        let log = Log {
            lines: vec![
                Line::traced("0.100000 INFO 5449979 bytes in 58173 us, 93685 KB/s"),
                Line::traced("0.101106 INFO tree: 65571 bytes in 1106 us"),
            ],
            ..Log::default()
        };
        assert_eq!(fix_up(&log), Some((1, 65571, 1106)));
        assert_eq!(fix_up(&Log::default()), None);
    }

    #[test]
    fn nodes_are_added_with_addresses_of_their_own() {
        let source = with_nodes("/ { };", 300);
        assert_eq!(source.matches("device@").count(), 300);
        assert!(source.contains("device@2012b000 {"));
    }
}
