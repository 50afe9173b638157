//! Whether what stands at a layout's addresses is what belongs there: the last
//! check before somebody believes the layout of another phone.
//!
//! Source: facts/storage-and-images.md 1.1, 3.6, 5.1.

use super::base::mark_of;
use super::{Bytes, Part};
use crate::finding::Finding;
use crate::mtk::Header;
use crate::source::Source;

/// How far and in which steps a misplaced loader is looked for.
const SEARCH_BYTES: u64 = 64 << 20;
const SEARCH_STEP: u64 = 128 << 10;

/// What is wrong with the contents of all `parts`; `user` is the user area that
/// they lie in.
pub fn check<'a>(
    parts: impl Iterator<Item = (&'a Part, &'a Bytes)>,
    user: Option<&Bytes>,
) -> Vec<Finding> {
    let (mut findings, mut blank) = (Vec::new(), Vec::new());
    for (part, bytes) in parts {
        match judge(part, bytes, user) {
            Some(Verdict::Blank) => blank.push(part.name.as_str()),
            Some(Verdict::Wrong(finding)) => findings.push(finding),
            None => {}
        }
    }
    if blank.contains(&"UBOOT") {
        findings.push(Finding::warning(
            "STORAGE-BLANK",
            "UBOOT is blank: a phone would not start from this, or the layout is another's",
        ));
    }
    blank.retain(|name| *name != "UBOOT");
    if !blank.is_empty() {
        findings.push(Finding::note(
            "STORAGE-BLANK",
            format!("blank at the beginning: {}", blank.join(", ")),
        ));
    }
    findings
}

/// What is to be said of a partition.
enum Verdict {
    Blank,
    Wrong(Finding),
}

fn judge(part: &Part, bytes: &Bytes, user: Option<&Bytes>) -> Option<Verdict> {
    let head = match bytes.read_some(0, 512) {
        Ok(head) => head,
        Err(why) => {
            let text = format!("{} cannot be read: {why}", part.name);
            return Some(Verdict::Wrong(Finding::problem("STORAGE-READ", text)));
        }
    };
    if mark_of(&part.name, &head)? {
        return None;
    }
    if is_blank(&head) {
        return Some(Verdict::Blank);
    }
    let name = &part.name;
    let (expected, elsewhere) = match name.as_str() {
        "UBOOT" => ("88 16 88 58", user.and_then(find_loader)),
        "LOGO" => ("88 16 88 58", None),
        "MBR" => ("a partition table with EBR1 in its first slot", None),
        _ => ("ANDROID!", None),
    };
    let found = head.get(..4).unwrap_or_default();
    let found: Vec<String> = found.iter().map(|byte| format!("{byte:02x}")).collect();
    let elsewhere = elsewhere.map_or_else(String::new, |at| {
        format!("; a loader stands at {at:#x} of the user area instead")
    });
    Some(Verdict::Wrong(Finding::problem(
        "STORAGE-CONTENT",
        format!(
            "{name} at {:#x} begins with {}, not with {expected}{elsewhere}: the layout is that of \
             another phone, or the partition is damaged; write nothing by this layout",
            part.start,
            found.join(" "),
        ),
    )))
}

/// Erased or never written.
fn is_blank(head: &[u8]) -> bool {
    head.iter().all(|&byte| byte == 0) || head.iter().all(|&byte| byte == 0xFF)
}

/// Where in the user area a bootloader's header stands.
fn find_loader(user: &Bytes) -> Option<u64> {
    (0..SEARCH_BYTES.min(user.len()))
        .step_by(SEARCH_STEP as usize)
        .find(|&at| {
            let head = user.read_some(at, 512).unwrap_or_default();
            Header::parse(&head).is_ok_and(|header| is_loader(header.name()))
        })
}

fn is_loader(name: &str) -> bool {
    ["LK", "UBOOT", "U-Boot", "unilk"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}
