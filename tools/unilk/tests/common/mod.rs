//! What tests against other people's tools share.

#![allow(dead_code)]

use std::path::PathBuf;
use std::process::Command;
use unilk::layout::{Layout, Place};

/// Runs `program` and takes all that it says; `None`, said aloud, if it is not
/// installed.
pub fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some(format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
        Err(why) => {
            eprintln!("skipped: {program}: {why}");
            None
        }
    }
}

/// A directory for one test.
pub fn scratch(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// An A516 whose file systems have a MiB each, so that it is soon written.
pub fn small() -> Layout {
    let mut layout = Layout::built_in("a516").unwrap();
    let mut end = 0;
    for partition in &mut layout.partitions {
        if let Place::Linear(at) = &mut partition.place {
            if partition.has_file_system && *at > 0x300_0000 {
                partition.size = 1 << 20;
            }
            *at = end;
            end += partition.size;
        }
    }
    layout
}
