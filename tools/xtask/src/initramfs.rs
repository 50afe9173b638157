//! The demo's initramfs: Debian's static busybox and one script, which says
//! what the kernel received and turns the phone off.

use crate::cpio::Archive;
use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use std::io::Write;
use std::path::Path;

/// The line with which the script says that it got to its end.
pub const OK_LINE: &str = "UNILK-DEMO-OK";
/// Begins a section of the script's output; the section's name follows.
pub const SECTION: &str = "--- unilk: ";

const INIT: &str = include_str!("init.sh");

/// The archive, compressed with gzip.
pub fn build(busybox: &Path) -> Result<Vec<u8>> {
    let busybox = std::fs::read(busybox).context("cannot read busybox")?;
    let mut archive = Archive::default();
    for directory in ["bin", "dev", "proc", "sys"] {
        archive.directory(directory);
    }
    archive.device("dev/console", 5, 1);
    archive.device("dev/null", 1, 3);
    archive.device("dev/mem", 1, 1);
    archive.executable("bin/busybox", &busybox);
    archive.symlink("bin/sh", "busybox");
    archive.executable("init", INIT.as_bytes());
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
    gzip.write_all(&archive.finish())?;
    gzip.finish().context("cannot compress the initramfs")
}

/// What the script printed, by section. Lines outside sections are left out.
pub fn sections(uart: &str) -> Vec<(String, Vec<String>)> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in uart.lines().map(|line| line.trim_end_matches('\r')) {
        if let Some(name) = line.strip_prefix(SECTION) {
            inside = name != "end";
            if inside {
                sections.push((name.to_owned(), Vec::new()));
            }
        } else if inside && let Some((_, lines)) = sections.last_mut() {
            lines.push(line.to_owned());
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_taken_apart_by_section() {
        let uart = "[    1.0] noise\r\n--- unilk: cmdline\r\nconsole=ttyS0\r\n\
                    --- unilk: memory\r\nMemTotal: 1 kB\r\n--- unilk: end\r\nlater\r\n";
        assert_eq!(
            sections(uart),
            [
                ("cmdline".to_owned(), vec!["console=ttyS0".to_owned()]),
                ("memory".to_owned(), vec!["MemTotal: 1 kB".to_owned()]),
            ]
        );
    }

    #[test]
    fn the_script_ends_with_the_line_that_the_demo_waits_for() {
        assert!(INIT.contains(OK_LINE));
        assert!(INIT.contains(SECTION.trim_end()));
    }
}
