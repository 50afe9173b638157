//! What a kernel was told of its boot: `unilk,*` of `/chosen`, and the
//! evidence in `/chosen/unilk`, out of any tree that unilk fixed up.
//!
//! Source: `unilk_core::fixup` (which properties there are).

use super::{Node, Property, Value, find};
use crate::bytes::printable;
use crate::progress::Progress;
use crate::source::Source;
use serde::Serialize;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::Path;

/// How properties of `/chosen` begin that are unilk's.
const OURS: &str = "unilk,";

/// What one tree tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Handed {
    /// Where the tree and its copies begin.
    pub places: Vec<u64>,
    /// The kernel's command line.
    pub bootargs: Option<String>,
    /// Names and what they say, in the order of the tree: `version`,
    /// `boot-mode`, `panel`, `touch`, ...
    pub told: Vec<(String, String)>,
    /// Bytes of the identification report in it; `unilk report` shows it.
    pub report_bytes: usize,
}

impl Handed {
    /// What `chosen` tells, if unilk wrote it.
    pub fn of(chosen: &Node, at: u64) -> Option<Self> {
        let of_boot = chosen.properties.iter().filter_map(|property| {
            let name = property.name.strip_prefix(OURS)?;
            Some((name, property))
        });
        let unilk = chosen.child("unilk");
        let evidence = unilk.iter().flat_map(|node| &node.properties);
        let evidence = evidence.map(|property| (property.name.as_str(), property));
        let mut handed = Self {
            places: vec![at],
            bootargs: chosen
                .property("bootargs")
                .and_then(|line| Some(printable(line.value.strings()?.join(" ").as_bytes()))),
            told: Vec::new(),
            report_bytes: 0,
        };
        for (name, property) in of_boot.chain(evidence) {
            if name == "report" {
                handed.report_bytes = property.value.0.len();
                continue;
            }
            let value = &property.value;
            let text = match (value.strings(), value.cells().as_deref()) {
                (Some(texts), _) => printable(texts.join(", ").as_bytes()),
                (None, Some([number])) => number.to_string(),
                _ => value.to_string(),
            };
            handed.told.push((name.to_owned(), text));
        }
        (!handed.told.is_empty() || handed.report_bytes > 0).then_some(handed)
    }

    /// What is told under `name`.
    pub fn told(&self, name: &str) -> Option<&str> {
        let found = self.told.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.as_str())
    }
}

/// Looks for trees in `source` that unilk handed to a kernel. Copies are one.
///
/// # Errors
/// The file cannot be read.
pub fn scan(
    source: &(impl Source + ?Sized),
    progress: &mut impl Progress,
) -> io::Result<Vec<Handed>> {
    let mut all: Vec<Handed> = Vec::new();
    for found in find::all(source, progress)? {
        let tree = found.tree();
        let Some(new) = tree
            .node("/chosen")
            .and_then(|chosen| Handed::of(chosen, found.at))
        else {
            continue;
        };
        let same = |known: &&mut Handed| known.told == new.told && known.bootargs == new.bootargs;
        match all.iter_mut().find(same) {
            Some(known) => known.places.push(found.at),
            None => all.push(new),
        }
    }
    Ok(all)
}

/// Largest property that is read out of a folder: a report is the largest.
const LARGEST: u64 = 64 << 10;

/// What a copy of `/proc/device-tree` tells, where each node is a folder and
/// each property a file; `folder` may also be its `chosen`. With it the report
/// that is in it, if there is one.
///
/// # Errors
/// The folder cannot be read.
pub fn of_folder(folder: &Path) -> io::Result<Option<(Handed, Vec<u8>)>> {
    let below = folder.join("chosen");
    let chosen = if below.is_dir() { &below } else { folder };
    let mut node = properties(chosen)?;
    let unilk = chosen.join("unilk");
    if unilk.is_dir() {
        node.children.push(Node {
            name: "unilk".to_owned(),
            ..properties(&unilk)?
        });
    }
    let report = node
        .child("unilk")
        .and_then(|unilk| unilk.property("report"));
    let report = report.map_or_else(Vec::new, |report| report.value.0.clone());
    Ok(Handed::of(&node, 0).map(|handed| (handed, report)))
}

/// The files of a folder, as properties.
fn properties(folder: &Path) -> io::Result<Node> {
    let mut node = Node::default();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if !path.is_file() || path.metadata()?.len() > LARGEST {
            continue;
        }
        node.properties.push(Property {
            name: entry.file_name().to_string_lossy().into_owned(),
            value: Value(std::fs::read(&path)?),
        });
    }
    node.properties.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(node)
}

impl Display for Handed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let places: Vec<_> = self.places.iter().map(|at| format!("{at:#x}")).collect();
        writeln!(
            f,
            "handed to the kernel (device tree at {})",
            places.join(" and ")
        )?;
        for (name, text) in &self.told {
            writeln!(f, "  {name:<18} {text}")?;
        }
        if let Some(line) = &self.bootargs {
            writeln!(f, "  {:<18} {line}", "command line")?;
        }
        if self.report_bytes > 0 {
            writeln!(
                f,
                "  {:<18} {} bytes; `unilk report` on this file shows it",
                "report", self.report_bytes
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{edited, empty, sample};
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn a_copy_of_the_kernels_own_view_is_read() {
        let name = format!("unilk-handed-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let unilk = folder.join("chosen/unilk");
        std::fs::create_dir_all(&unilk).unwrap();
        std::fs::write(folder.join("chosen/unilk,boot-mode"), b"normal\0").unwrap();
        std::fs::write(folder.join("chosen/name"), b"chosen\0").unwrap();
        std::fs::write(unilk.join("report"), [1, 2, 3]).unwrap();
        std::fs::write(unilk.join("touch"), b"gt911\0").unwrap();
        let found = [&folder, &folder.join("chosen")].map(|folder| of_folder(folder).unwrap());
        let nothing = of_folder(&unilk).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        for found in found {
            let (handed, report) = found.unwrap();
            assert_eq!(handed.told("boot-mode"), Some("normal"));
            assert_eq!(handed.told("touch"), Some("gt911"));
            assert_eq!((handed.told.len(), report), (2, vec![1, 2, 3]));
        }
        assert_eq!(nothing, None);
    }

    #[test]
    fn what_the_kernel_was_told_is_found() {
        let tree = edited(&empty(), |editor, fdt| {
            editor.add_node(fdt.root(), b"chosen", &|chosen| {
                chosen.property(b"bootargs", &|value| value.put_bytes(b"quiet\0"))?;
                chosen.property(b"unilk,boot-mode", &|value| value.put_bytes(b"normal\0"))?;
                chosen.property(b"unilk,preloader-time-ms", &|value| value.put_u32(812))?;
                chosen.begin_node(b"unilk")?;
                chosen.property(b"panel-candidates", &|value| value.put_bytes(b"a\0bb\0"))?;
                chosen.property(b"report", &|value| value.put_bytes(&[1, 2, 3]))?;
                chosen.end_node()
            })
        });
        let dump = [&sample()[..], &tree, &[0xFF; 50], &tree].concat();
        let all = scan(dump.as_slice(), &mut Silent).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].places.len(), 2);
        assert_eq!(all[0].told("boot-mode"), Some("normal"));
        assert_eq!(all[0].told("preloader-time-ms"), Some("812"));
        assert_eq!(all[0].told("panel-candidates"), Some("a, bb"));
        assert_eq!(all[0].report_bytes, 3);
        let text = all[0].to_string();
        assert!(text.contains("\n  command line       quiet\n"), "{text}");
    }
}
