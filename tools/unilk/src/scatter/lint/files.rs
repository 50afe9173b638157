//! The files that a scatter file names: whether they are there, fit, and stay
//! in its folder.

use super::{at, named};
use crate::finding::Finding;
use crate::layout::Place;
use crate::scatter::{Grammar, Scatter};

/// Gives the size of a file in the scatter file's folder, if it is there.
pub type Look<'a> = &'a dyn Fn(&str) -> Option<u64>;

/// What is wrong with the file names of `scatter`, and with the files, where
/// there is a folder to look into.
pub fn files(scatter: &Scatter, look: Option<Look<'_>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if scatter.grammar == Grammar::Old {
        return findings;
    }
    for entry in named(scatter) {
        let name = at(entry, "file_name");
        let Some(file) = entry.file() else {
            if entry.download {
                let text = format!("{name} is marked for download, but no file is named");
                findings.push(Finding::warning("SCATTER-FILE", text));
            }
            continue;
        };
        if !is_plain(file) {
            let text = format!(
                "{name}: file name {file} leads out of the scatter file's folder; put the file \
                 beside it and name it alone"
            );
            findings.push(Finding::problem("SCATTER-PATH", text));
            continue;
        }
        let Some(look) = look else {
            continue;
        };
        let Some(bytes) = look(file) else {
            if entry.download {
                let text = format!("{name}: {file} is not in the folder");
                findings.push(Finding::problem("SCATTER-FILE", text));
            }
            continue;
        };
        let room = entry.number("partition_size").unwrap_or(0);
        let in_place = matches!(entry.place(), Ok(Place::Linear(_)));
        if in_place && room > 0 && bytes > room {
            let text = format!(
                "{name}: {file} has {bytes:#x} bytes, the partition {room:#x}: writing it destroys \
                 what follows"
            );
            findings.push(Finding::problem("SCATTER-FILE", text));
        }
    }
    findings
}

/// Whether `file` is a name and nothing else, on every system.
pub fn is_plain(file: &str) -> bool {
    !file.contains(['/', '\\', ':', '\0']) && file != ".." && file != "."
}
