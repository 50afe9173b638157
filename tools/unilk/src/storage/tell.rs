//! What opening a dump finds out, in words.

use super::base::Base;
use super::{Bytes, Evidence, Part};
use crate::finding::Finding;
use crate::layout::Layout;
use crate::source::Source;

/// Partitions that a scatter file has elsewhere than the phone's own table.
pub fn disagreement(pmt: &Layout, scatter: &Layout) -> Option<Finding> {
    let moved: Vec<&str> = scatter
        .partitions
        .iter()
        .filter(|theirs| {
            pmt.find(&theirs.name)
                .is_ok_and(|ours| ours.place != theirs.place)
        })
        .map(|theirs| theirs.name.as_str())
        .collect();
    (!moved.is_empty()).then(|| {
        Finding::warning(
            "STORAGE-SCATTER",
            format!(
                "the scatter file has {} elsewhere than the phone's own table, which is believed: \
                 it is not this phone's file",
                moved.join(", ")
            ),
        )
    })
}

/// Where the user area was found to begin, and why. `first` is the linear
/// address of the MBR, `card` what the card's sizes say.
pub fn base(
    base: &Base,
    linear_dump: bool,
    first: u64,
    hardware: u64,
    card: Option<u64>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let seen = base.confirmed_by.join(", ");
    if seen.is_empty() {
        findings.push(Finding::warning(
            "STORAGE-BASE",
            format!(
                "nothing recognisable stands where the layout says; taken as a dump of the user \
                 area that begins at linear {hardware:#x}, unconfirmed"
            ),
        ));
    } else if let (Some(card), false) = (card, linear_dump)
        && card != base.linear
    {
        findings.push(Finding::problem(
            "STORAGE-CARD",
            format!(
                "the card's sizes put the user area at linear {card:#x}, but {seen} stand as if it \
                 began at {hardware:#x}: the sizes are those of another card",
            ),
        ));
    } else if linear_dump && card.is_none() {
        findings.push(Finding::warning(
            "STORAGE-LINEAR",
            format!(
                "linear dump, by {seen}; it does not tell how large the card's boot areas are, so \
                 places in the user area are counted from the MBR, {hardware:#x} bytes into it: \
                 right on most phones, certain with the card's sizes (EXT_CSD)"
            ),
        ));
    } else if card.is_none() {
        findings.push(Finding::note(
            "STORAGE-BASE",
            format!(
                "boot areas and RPMB of the card are {hardware:#x} bytes together, told by where \
                 {seen} stand"
            ),
        ));
    }
    if !linear_dump && hardware < first {
        findings.push(Finding::note(
            "STORAGE-SHIFT",
            format!(
                "the MBR is at {:#x} of the user area, because this card's boot areas are smaller \
                 than the layout's; a mainline kernel does not find the partitions there",
                first - hardware
            ),
        ));
    }
    findings
}

/// Partitions that are not there, or not to their ends.
pub fn missing(listed: &[(Part, Option<Bytes>)], evidence: Evidence, whole: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_user = |part: &Part| part.area == super::Area::User;
    let names = |wanted: &dyn Fn(&Part, u64) -> bool| -> Vec<&str> {
        listed
            .iter()
            .filter(|(part, bytes)| wanted(part, bytes.as_ref().map_or(0, Source::len)))
            .map(|(part, _)| part.name.as_str())
            .collect()
    };
    let absent = names(&|part, held| is_user(part) && held == 0 && (part.fixed || part.len > 0));
    let cut = names(&|part, held| is_user(part) && held > 0 && held < part.len);
    let preloader = names(&|part, held| !is_user(part) && held == 0);
    if !absent.is_empty() || !cut.is_empty() {
        let mut what = Vec::new();
        if !cut.is_empty() {
            what.push(format!("{} cut off", cut.join(", ")));
        }
        if !absent.is_empty() {
            what.push(format!("{} missing", absent.join(", ")));
        }
        let what = what.join("; ");
        let by_pmt = matches!(evidence, Evidence::Pmt | Evidence::PmtMirror);
        findings.push(if whole && by_pmt {
            let text = format!("the partition table is for a larger card: {what}");
            Finding::problem("STORAGE-CARD", text)
        } else {
            let text = format!("the dump ends early: {what}");
            Finding::warning("STORAGE-CUT", text)
        });
    }
    if !whole {
        findings.push(Finding::warning(
            "STORAGE-END",
            "there is no PMT at the end: the dump is cut off, or the phone never had one; \
             the card's sizes would tell",
        ));
    }
    if !preloader.is_empty() {
        let text = format!("{}: boot area 1 was not read out", preloader.join(", "));
        findings.push(Finding::note("STORAGE-BOOT1", text));
    }
    findings
}
