//! Whole cards: every partition with what is in it.
//!
//! Where the partitions are is [`crate::storage`]'s to find out. Of each, only
//! the beginning is read, and what its contents say of themselves.
//!
//! Source: facts/storage-and-images.md 4.1 to 4.6.

use super::Level;
use super::read::Watched;
use super::report::{self, Cell, Facts, Part, Report};
use super::{look as look_inside, part, text, unreadable};
use crate::finding::Finding;
use crate::pmt::FROM_END_BYTES;
use crate::recognise::{HEAD_BYTES, Kind};
use crate::source::Source;
use crate::storage::{self, Storage, TAIL, TAIL_BYTES};
use std::sync::Arc;
use unilk_core::partition::protected;

/// No card is smaller; what is smaller is not searched for partitions.
const LEAST: u64 = 32 << 20;
/// The download record stands so far before the end.
const RECORD_FROM_END: u64 = 2048;

/// `source`, if it is the dump of a card: its user area, or linear with the
/// boot areas in front, or a sparse image of either.
pub fn look(source: &Arc<dyn Source>, level: Level) -> Option<Report> {
    if source.len() < HEAD_BYTES as u64 {
        return None;
    }
    let kind = Kind::of(&super::read::some(source, 0, HEAD_BYTES));
    let possible = match kind {
        Kind::Sparse => true,
        Kind::DosTable | Kind::Preloader | Kind::Blank | Kind::Unknown => source.len() >= LEAST,
        _ => false,
    };
    if !possible {
        return None;
    }
    let watched = Arc::new(Watched::new(Arc::clone(source)));
    let storage = Storage::open_image(watched.clone(), None, &storage::Options::default()).ok()?;
    let mut report = describe(source.len(), &storage, level.inner());
    report.findings.extend(unreadable(&watched));
    Some(report)
}

fn describe(bytes: u64, storage: &Storage, level: Level) -> Report {
    let mut report = Report::new(Kind::Card, bytes, "");
    let user = storage.user_area().map_or(0, Source::len);
    report.summary = format!(
        "{} of an eMMC, {}, partitions by {}",
        storage.shape().describe(),
        text::size(user),
        storage.evidence().describe()
    );
    report.facts.push(fields(storage, user).into());
    report.findings = storage.findings().to_vec();
    for known in storage.parts() {
        if let Some(window) = storage.window(known) {
            let mut inside = if known.name == TAIL {
                tail(&window, level)
            } else {
                look_inside(&window, level)
            };
            if let (Kind::Unknown, Some(holds)) = (inside.kind, protected(&known.name)) {
                inside.summary = format!("data: {holds}");
                "It belongs to this phone alone and is never written but from its own backup."
                    .clone_into(&mut inside.on_a_phone);
            }
            report.findings.extend(misplaced(&known.name, &inside));
            report.parts.push(Part {
                name: known.name.clone(),
                offset: known.start,
                len: window.len(),
                report: inside,
            });
        }
    }
    report.findings.extend(lost_identity(&report.parts));
    "A phone's whole memory, with its identity: it belongs to this phone alone. `unilk backup` keeps what cannot be replaced, `unilk emmc extract` takes partitions out."
        .clone_into(&mut report.on_a_phone);
    report
}

fn fields(storage: &Storage, user: u64) -> Facts {
    let mut facts = Facts::new("card", "card");
    facts.add("shape", word(storage.shape(), storage.shape().describe()));
    facts.add(
        "partitions_by",
        word(storage.evidence(), storage.evidence().describe()),
    );
    facts.add("user_area_bytes", report::bytes(user));
    facts.maybe(
        "user_area_linear",
        storage.hardware_bytes().map(report::hex),
    );
    facts.add("complete", report::flag(storage.is_whole()));
    facts
}

/// A word of a list, with its explanation for people.
fn word(value: impl serde::Serialize, text: &str) -> Cell {
    let value = serde_json::to_value(value).ok();
    let value = value.as_ref().and_then(serde_json::Value::as_str);
    Cell {
        text: text.to_owned(),
        value: value.map_or(report::Value::None, Into::into),
    }
}

/// The last 2 MiB, where no partition is.
fn tail(window: &storage::Bytes, level: Level) -> Report {
    let mut report = Report::new(Kind::Unknown, window.len(), "end of the card");
    for (name, from_end, len) in [
        ("partition table", FROM_END_BYTES, 2 * 4096),
        ("download record", RECORD_FROM_END, RECORD_FROM_END),
    ] {
        if window.len() == TAIL_BYTES {
            report
                .parts
                .push(part(window, name, TAIL_BYTES - from_end, len, level));
        }
    }
    for part in &report.parts {
        let inside = match part.report.kind {
            Kind::Blank | Kind::Unknown => format!("no {}", part.name),
            _ => part.report.summary.clone(),
        };
        report.summary = format!("{}; {inside}", report.summary);
    }
    report
}

/// An image that belongs to another partition.
fn misplaced(name: &str, inside: &Report) -> Option<Finding> {
    let from = inside.value("stock", "boots_it_from");
    let other = match (name, from) {
        ("BOOTIMG", Some(from)) if *from == "RECOVERY".into() => "recovery",
        ("RECOVERY", Some(from)) if *from == "BOOTIMG".into() => "boot",
        _ => return None,
    };
    Some(Finding::problem(
        "CARD-SWAPPED",
        format!("{name} holds a {other} image: stock LK hangs on its RAM disk's name"),
    ))
}

/// Partitions with the phone's identity in which nothing is.
fn lost_identity(parts: &[Part]) -> Option<Finding> {
    const IDENTITY: [&str; 4] = ["NVRAM", "PRO_INFO", "PROTECT_F", "PROTECT_S"];
    let blank: Vec<&str> = parts
        .iter()
        .filter(|part| part.report.kind == Kind::Blank)
        .map(|part| part.name.as_str())
        .filter(|name| IDENTITY.contains(name))
        .collect();
    (!blank.is_empty()).then(|| {
        Finding::warning(
            "CARD-IDENTITY",
            format!(
                "blank: {}. This phone has lost a part of its identity, or never had it; restore its own backup, nothing else (`unilk identity status` tells more)",
                blank.join(", ")
            ),
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bootimg::{BootImage, SubHeaders};
    use crate::emmc::{Card, Content, Image};
    use crate::inspect::compressed::tests::ramdisk;
    use crate::inspect::report::Value;
    use crate::inspect::testing::{ARM_BRANCH, codes};
    use crate::inspect::zimage::tests::zimage;
    use crate::inspect::{Options, inspect_file};
    use crate::layout::Layout;
    use crate::mtk;
    use crate::source::FileSource;

    fn boot(sub_headers: SubHeaders) -> Content {
        let image = BootImage {
            kernel: zimage(0x8000),
            ramdisk: ramdisk(),
            sub_headers,
            ..BootImage::default()
        };
        Content::Bytes(image.build().unwrap())
    }

    fn card(recovery: SubHeaders) -> Arc<dyn Source> {
        let layout = Layout::built_in("a516").unwrap();
        let sizes = Card::for_layout(&layout, None).unwrap();
        let mut image = Image::new(layout, sizes).unwrap();
        let lk = mtk::with_header("LK", &ARM_BRANCH).unwrap();
        image.put("UBOOT", Content::Bytes(lk)).unwrap();
        image.put("BOOTIMG", boot(SubHeaders::Boot)).unwrap();
        image.put("RECOVERY", boot(recovery)).unwrap();
        let security = Content::Bytes(vec![0x37; 512]);
        image.put("SECCFG", security).unwrap();
        let name = format!("inspect-card-{recovery:?}.img");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../target/tmp")
            .join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        crate::emmc::create(&path, |out| image.write_user(out)).unwrap();
        let source = FileSource::open(&path).unwrap();
        // Open files stay readable.
        std::fs::remove_file(&path).unwrap();
        Arc::new(source)
    }

    #[test]
    fn every_partition_is_told_by_what_is_in_it() {
        let report = inspect_file(&card(SubHeaders::Recovery), Options::default());
        assert_eq!(report.kind, Kind::Card);
        assert_eq!(
            report.value("card", "partitions_by"),
            Some(&Value::Text("pmt".to_owned()))
        );
        let kind = |name: &str| {
            let part = report.parts.iter().find(|part| part.name == name);
            part.map(|part| part.report.kind)
        };
        assert_eq!(kind("MBR"), Some(Kind::DosTable));
        assert_eq!(kind("UBOOT"), Some(Kind::MediatekImage));
        assert_eq!(kind("BOOTIMG"), Some(Kind::BootImage));
        assert_eq!(kind("NVRAM"), Some(Kind::Blank));
        let seccfg = report.parts.iter().find(|part| part.name == "SECCFG");
        assert!(seccfg.unwrap().report.summary.contains("security state"));
        let tail = report.parts.iter().find(|part| part.name == TAIL).unwrap();
        assert_eq!(tail.report.parts[0].report.kind, Kind::Pmt);
        assert!(codes(&report).contains(&"CARD-IDENTITY"));
        assert!(!codes(&report).contains(&"CARD-SWAPPED"));
    }

    #[test]
    fn an_image_in_the_wrong_partition_is_told() {
        let report = inspect_file(&card(SubHeaders::Boot), Options::default());
        assert!(codes(&report).contains(&"CARD-SWAPPED"));
    }

    #[test]
    fn small_and_other_files_are_no_cards() {
        for data in [vec![0; 100], vec![0x5A; 1 << 20]] {
            let source: Arc<dyn Source> = Arc::new(data);
            assert_ne!(inspect_file(&source, Options::default()).kind, Kind::Card);
        }
    }
}
