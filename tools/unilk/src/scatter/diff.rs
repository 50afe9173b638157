//! Two scatter files against each other: what moved, and whether firmware for
//! the one phone could go on the other.
//!
//! Source: facts/storage-and-images.md 3.4, 4.1.

use super::{Entry, Error, Scatter};
use crate::layout::{Layout, Partition};
use unilk_core::partition::protected;

/// One partition in one file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Side {
    /// Address as the file has it.
    pub linear: u64,
    /// From the MBR on; none in boot areas and for reserves at the end.
    pub logical: Option<u64>,
    /// Bytes; 0 is the rest of the card.
    pub size: u64,
    /// Whether it is marked for download.
    pub download: bool,
    /// The file to download.
    pub file: Option<String>,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Only in the second file.
    Added,
    /// Only in the first.
    Removed,
    /// Another distance from the MBR.
    Moved,
    /// The same distance from the MBR, which is elsewhere.
    Shifted,
    /// Another size.
    Resized,
    /// Marked for download in one of them only.
    Download,
    /// Another file.
    File,
}

impl Change {
    /// The word for it in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "only in B",
            Self::Removed => "only in A",
            Self::Moved => "moved",
            Self::Shifted => "shifted with the MBR",
            Self::Resized => "resized",
            Self::Download => "download flag",
            Self::File => "file",
        }
    }
}

/// A partition of either file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// Name.
    pub name: String,
    /// In the first file.
    pub a: Option<Side>,
    /// In the second.
    pub b: Option<Side>,
    /// What differs; nothing if nothing does.
    pub changes: Vec<Change>,
}

/// Whether firmware for one phone could go on the other, as far as addresses
/// tell. Panels, memory and modem are another matter.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Verdict {
    /// Whatever is downloaded stands at the same addresses in both.
    SameAddresses,
    /// It stands at the same distance from the MBR, which is elsewhere.
    OtherBase,
    /// These stand elsewhere or have other sizes.
    Different {
        /// Names.
        partitions: Vec<String>,
    },
}

/// The comparison.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Diff {
    /// Every partition of the first file, then those of the second alone.
    pub rows: Vec<Row>,
    /// For whoever wants to flash by the wrong file.
    pub verdict: Verdict,
}

/// Compares two files.
///
/// # Errors
/// [`Error`] if one of them describes no layout.
pub fn diff(a: &Scatter, b: &Scatter) -> Result<Diff, Error> {
    let (left, right) = (a.layout()?, b.layout()?);
    let names = left.partitions.iter().map(|partition| &partition.name);
    let others = right.partitions.iter().map(|partition| &partition.name);
    let others = others.filter(|name| left.find(name).is_err());
    let rows: Vec<Row> = names
        .chain(others)
        .map(|name| {
            let a = side(&left, a, name);
            let b = side(&right, b, name);
            Row {
                name: name.clone(),
                changes: changes(a.as_ref(), b.as_ref()),
                a,
                b,
            }
        })
        .collect();
    let verdict = verdict(&rows, left.last_start(), right.last_start());
    Ok(Diff { rows, verdict })
}

fn side(layout: &Layout, scatter: &Scatter, name: &str) -> Option<Side> {
    let partition: &Partition = layout.find(name).ok()?;
    Some(Side {
        linear: partition.place.address(),
        logical: layout.logical(partition).ok().flatten(),
        size: partition.size,
        download: partition.download,
        file: scatter.find(name).and_then(Entry::file).map(str::to_owned),
    })
}

fn changes(a: Option<&Side>, b: Option<&Side>) -> Vec<Change> {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (None, _) => return vec![Change::Added],
        (_, None) => return vec![Change::Removed],
    };
    let mut changes = Vec::new();
    if a.linear != b.linear {
        let same = a.logical.is_some() && a.logical == b.logical;
        changes.push(if same { Change::Shifted } else { Change::Moved });
    }
    if a.size != b.size {
        changes.push(Change::Resized);
    }
    if a.download != b.download {
        changes.push(Change::Download);
    }
    if a.file != b.file {
        changes.push(Change::File);
    }
    changes
}

/// What is downloaded by either file counts, less what is never written.
fn verdict(rows: &[Row], last_a: u64, last_b: u64) -> Verdict {
    let mut different = Vec::new();
    let mut shifted = false;
    for row in rows {
        let sides = [row.a.as_ref(), row.b.as_ref()];
        let downloaded = sides.iter().flatten().any(|side| side.download);
        if !downloaded || protected(&row.name).is_some() {
            continue;
        }
        let (Some(a), Some(b)) = (&row.a, &row.b) else {
            different.push(row.name.clone());
            continue;
        };
        // The last one takes what the card has left, whatever its size says.
        let last = a.linear == last_a && b.linear == last_b;
        if row.changes.contains(&Change::Moved) || (a.size != b.size && !last) {
            different.push(row.name.clone());
        }
        shifted |= row.changes.contains(&Change::Shifted);
    }
    match (different.is_empty(), shifted) {
        (true, false) => Verdict::SameAddresses,
        (true, true) => Verdict::OtherBase,
        (false, _) => Verdict::Different {
            partitions: different,
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::Place;
    use crate::scatter::from_layout;

    fn file(layout: &Layout) -> Scatter {
        let text = from_layout(layout, |p| p.download.then(|| format!("{}.img", p.name)));
        Scatter::parse(&text).unwrap()
    }

    fn changed(diff: &Diff) -> Vec<(&str, &[Change])> {
        diff.rows
            .iter()
            .filter(|row| !row.changes.is_empty())
            .map(|row| (row.name.as_str(), row.changes.as_slice()))
            .collect()
    }

    #[test]
    fn the_same_and_nearly_the_same() {
        let mut layout = Layout::built_in("a516").unwrap();
        let a = file(&layout);
        let same = diff(&a, &a).unwrap();
        assert_eq!(changed(&same), []);
        assert_eq!(same.verdict, Verdict::SameAddresses);
        // The size of the last one is nominal, a flag moves nothing.
        layout.partitions[18].size += 1 << 20;
        layout.partitions[13].download = false;
        let other = diff(&a, &file(&layout)).unwrap();
        assert_eq!(
            changed(&other),
            [
                ("LOGO", &[Change::Download, Change::File][..]),
                ("USRDATA", &[Change::Resized][..])
            ]
        );
        assert_eq!(other.verdict, Verdict::SameAddresses);
    }

    #[test]
    fn another_base_and_another_layout() {
        let layout = Layout::built_in("a516").unwrap();
        let mut moved = layout.clone();
        for partition in &mut moved.partitions[1..19] {
            let Place::Linear(at) = &mut partition.place else {
                panic!("no address");
            };
            *at += 6 << 20;
        }
        let other = diff(&file(&layout), &file(&moved)).unwrap();
        assert_eq!(other.verdict, Verdict::OtherBase);
        assert!(changed(&other).contains(&("UBOOT", &[Change::Shifted][..])));

        // What nobody downloads may be elsewhere.
        let mut raw = layout.clone();
        raw.partitions[12].size -= 512;
        assert_eq!(raw.partitions[12].name, "MISC");
        let other = diff(&file(&layout), &file(&raw)).unwrap();
        assert_eq!(changed(&other), [("MISC", &[Change::Resized][..])]);
        assert_eq!(other.verdict, Verdict::SameAddresses);

        let large = Layout::built_in("large-boot").unwrap();
        let other = diff(&file(&layout), &file(&large)).unwrap();
        let Verdict::Different { partitions } = &other.verdict else {
            panic!("{:?}", other.verdict);
        };
        assert!(!partitions.contains(&"UBOOT".to_owned()));
        assert_eq!(partitions[..2], ["BOOTIMG", "RECOVERY"]);
    }

    #[test]
    fn partitions_of_one_file_only() {
        let layout = Layout::built_in("a516").unwrap();
        let mut less = layout.clone();
        less.partitions
            .retain(|partition| partition.name != "PRELOAD");
        let one = diff(&file(&layout), &file(&less)).unwrap();
        assert_eq!(changed(&one), [("PRELOAD", &[Change::Removed][..])]);
        let other = diff(&file(&less), &file(&layout)).unwrap();
        assert_eq!(changed(&other), [("PRELOAD", &[Change::Added][..])]);
        assert_eq!(other.rows.last().unwrap().name, "PRELOAD");
        assert!(matches!(other.verdict, Verdict::Different { .. }));
    }
}
