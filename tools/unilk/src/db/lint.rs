//! Rows in files, checked with the code that checks them when the table is
//! compiled.

use crate::finding::Finding;
use std::io;
use std::path::{Path, PathBuf};
use unilk_board_db::lint::{File, Kind, lint as check};

/// Largest file that is a row: the largest sequence takes less.
const LARGEST: u64 = 1 << 20;
/// Most files that are checked at once: ten times what the table has.
const MOST_FILES: usize = 20_000;

/// Checks what `paths` name: TOML files, or folders with some, at any depth of
/// the kind that `board-db/data` has. How many files there were, and what is
/// wrong.
///
/// # Errors
/// A file or folder cannot be read.
pub fn lint(paths: &[PathBuf]) -> io::Result<(usize, Vec<Finding>)> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut files, 0)?;
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    files.dedup();
    let mut findings = Vec::new();
    let mut rows = Vec::new();
    for path in &files {
        match read(path)? {
            Ok((kind, text)) => rows.push((path, id(path), kind, text)),
            Err(remedy) => findings.push(problem(path, remedy)),
        }
    }
    let given: Vec<File<'_>> = rows
        .iter()
        .map(|(_, id, kind, text)| File {
            id,
            kind: *kind,
            text,
        })
        .collect();
    for complaint in check(&given) {
        findings.push(problem(rows[complaint.file].0, &complaint.remedy));
    }
    for file in &given {
        let path = rows
            .iter()
            .find(|row| row.1 == file.id && row.2 == file.kind);
        if let Some((path, ..)) = path {
            findings.extend(unfinished(path, file.text));
        }
    }
    Ok((files.len(), findings))
}

fn problem(path: &Path, remedy: &str) -> Finding {
    Finding::problem("DB-ROW", format!("{}: {remedy}", path.display()))
}

/// What a tool left for a person to fill in.
fn unfinished(path: &Path, text: &str) -> Option<Finding> {
    let lines = text.lines().enumerate();
    let mut open = lines.filter(|(_, line)| !line.starts_with('#') && line.contains(PLACEHOLDER));
    let (first, _) = open.next()?;
    Some(Finding::warning(
        "DB-FILL",
        format!(
            "{}: line {}{} {PLACEHOLDER}: take it from the phone's stock firmware",
            path.display(),
            first + 1,
            match open.count() {
                0 => " says".to_owned(),
                more => format!(" and {more} more say"),
            }
        ),
    ))
}

/// What stands in a row that a tool began where a person must go on.
pub const PLACEHOLDER: &str = "FILL-IN";

/// The id of the row in a file.
fn id(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>, depth: usize) -> io::Result<()> {
    /// The table's own folder is two deep.
    const DEEPEST: usize = 4;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if depth < DEEPEST {
                walk(&path, files, depth + 1)?;
            }
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            return Err(io::Error::other(format!(
                "more than {MOST_FILES} TOML files: name a smaller folder"
            )));
        }
    }
    Ok(())
}

/// The text of a row and its kind: by the folder that it is in, or by what
/// it says.
fn read(path: &Path) -> io::Result<Result<(Kind, String), &'static str>> {
    if std::fs::metadata(path)?.len() > LARGEST {
        return Ok(Err("is larger than 1 MiB: no row is"));
    }
    let Ok(text) = String::from_utf8(std::fs::read(path)?) else {
        return Ok(Err("is no text: write it in UTF-8"));
    };
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    let by_folder = Kind::ALL.into_iter().find(|kind| folder == kind.folder());
    let Some(kind) = by_folder.or_else(|| Kind::of_text(&text)) else {
        return Ok(Err(
            "is no row, or broken TOML: put it into a folder panels, touch, cameras, wiring or boards to be told more",
        ));
    };
    Ok(Ok((kind, text)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("unilk-lint-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("touch")).unwrap();
        folder
    }

    const CHIP: &str = "name = \"X\"\nfamily = \"X\"\naddresses = [0x38]\norder = 20\nwait_ms = 200\ndriver = \"x\"\n\
                        [[probe]]\nwrite = [0xA3]\nread = 1\nexpect = { values = [[0x06]] }\n";

    #[test]
    fn the_table_itself_passes() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../board-db/data");
        let (files, findings) = lint(&[data]).unwrap();
        assert_eq!(findings, []);
        assert_eq!(files, super::super::Row::all().count());
    }

    #[test]
    fn each_file_is_named_with_its_fault() {
        let folder = folder("faults");
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write("touch/good.toml", CHIP);
        write(
            "touch/bad.toml",
            &CHIP.replace("wait_ms = 200", "wait_ms = 2000"),
        );
        write("loose.toml", &CHIP.replace("0x06", "0x07"));
        write(
            "loose2.toml",
            &CHIP.replace("0x06", "0x17").replace("\"X\"", "\"FILL-IN\""),
        );
        write("noise.toml", "\u{1}");
        write("notes.txt", "not looked at");
        let (files, findings) = lint(std::slice::from_ref(&folder)).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(files, 5);
        let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let has = |file: &str, what: &str| {
            let found = text
                .iter()
                .any(|line| line.contains(file) && line.contains(what));
            assert!(found, "{file}: {text:?}");
        };
        assert_eq!(text.len(), 3, "{text:?}");
        has("touch/bad.toml", "wait_ms: must be at most 1000");
        has("noise.toml", "is no row");
        has("loose2.toml", "warning DB-FILL");
    }

    #[test]
    fn any_text_returns() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../board-db/data");
        for (kind, id) in [
            (Kind::Panels, "ili9806e-fwvga-dsi-vdo-txd"),
            (Kind::Panels, "auo-v3"),
            (Kind::Touch, "gt911"),
            (Kind::Cameras, "ov5645"),
            (Kind::Wiring, "generic"),
            (Kind::Boards, "s5201ap"),
        ] {
            let path = data.join(kind.folder()).join(format!("{id}.toml"));
            let seed = std::fs::read(path).unwrap();
            crate::mutate::each(&seed, 300, |text| {
                let text = String::from_utf8_lossy(text);
                let _ = Kind::of_text(&text);
                let _ = check(&[File {
                    id,
                    kind,
                    text: &text,
                }]);
            });
        }
    }
}
