//! Whether a phone still has what makes it this phone: IMEI, addresses,
//! calibration, lock state. Says what can be said from the outside, and never
//! makes any of it up.
//!
//! The vendor's formats are known only where facts/storage-and-images.md 4.6 to
//! 4.8 say so. What is not known is taken as opaque: it is there, or it is
//! blank.

pub mod blank;
pub mod ext4;
pub mod files;
mod live;
mod raw;
pub mod superblock;

pub use raw::has_imei;

use crate::finding::Finding;
use crate::source::Source;
use files::NvramFiles;
use std::sync::Arc;

/// What can be said of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is there, and looks as if it were this phone's own.
    Present,
    /// The maker's default stands in its place: it was lost, or never set.
    Default,
    /// Nothing is there.
    Blank,
    /// Something is there that cannot be right.
    Damaged,
    /// Nothing of what was given says anything of it.
    NotLookedAt,
}

impl Verdict {
    /// For people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Default => "default",
            Self::Blank => "blank",
            Self::Damaged => "damaged",
            Self::NotLookedAt => "not looked at",
        }
    }
}

/// One thing that makes a phone this phone.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Item {
    /// What it is.
    pub name: &'static str,
    /// What can be said.
    pub verdict: Verdict,
    /// Why, and where it was seen.
    pub detail: String,
    /// Whether a phone without it has lost something. Some phones never had a
    /// PRO_INFO or a lock state.
    pub matters: bool,
}

impl Item {
    fn new(name: &'static str, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self {
            name,
            verdict,
            detail: detail.into(),
            matters: true,
        }
    }

    fn optional(mut self) -> Self {
        self.matters = false;
        self
    }
}

/// How much of what is personal is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Middles of numbers are replaced.
    Masked,
    /// All of it.
    Full,
}

/// What is looked at: partitions by name, and the files of /data/nvram.
pub struct Evidence<'a> {
    /// The bytes of a partition, if there are any.
    pub partition: &'a dyn Fn(&str) -> Option<Arc<dyn Source>>,
    /// The files, if any were found; and why not.
    pub files: Result<&'a NvramFiles, String>,
    /// How much is shown.
    pub show: Show,
}

/// All items, and what they add up to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Status {
    /// Every item.
    pub items: Vec<Item>,
    /// What they add up to, in one sentence.
    pub summary: String,
    /// What to do next.
    pub advice: &'static str,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Looks at everything.
pub fn status(evidence: &Evidence<'_>) -> Status {
    let mut items = live::items(evidence);
    items.extend(raw::items(evidence));
    let findings: Vec<Finding> = items.iter().filter_map(finding).collect();
    let (summary, advice) = summary(&items);
    Status {
        items,
        summary,
        advice,
        findings,
    }
}

fn finding(item: &Item) -> Option<Finding> {
    let text = format!("{} is {}: {}", item.name, item.verdict.word(), item.detail);
    match item.verdict {
        Verdict::Present | Verdict::NotLookedAt => None,
        Verdict::Damaged => Some(Finding::problem("IDENTITY-DAMAGED", text)),
        Verdict::Blank if !item.matters => Some(Finding::note("IDENTITY-ABSENT", text)),
        Verdict::Default if !item.matters => Some(Finding::warning("IDENTITY-DEFAULT", text)),
        Verdict::Blank => Some(Finding::problem("IDENTITY-BLANK", text)),
        Verdict::Default => Some(Finding::problem("IDENTITY-DEFAULT", text)),
    }
}

fn summary(items: &[Item]) -> (String, &'static str) {
    let named = |wanted: &dyn Fn(&Item) -> bool| -> Vec<&str> {
        items
            .iter()
            .filter(|item| wanted(item))
            .map(|item| item.name)
            .collect()
    };
    let lost = named(&|item| {
        item.verdict == Verdict::Damaged
            || item.matters && matches!(item.verdict, Verdict::Blank | Verdict::Default)
    });
    let unseen = named(&|item| item.matters && item.verdict == Verdict::NotLookedAt);
    if !lost.is_empty() {
        (
            format!("something is lost already: {}", lost.join(", ")),
            "flash nothing; back up what is there, and look for an older backup of this phone",
        )
    } else if items
        .iter()
        .all(|item| item.verdict == Verdict::NotLookedAt)
    {
        (
            "nothing was seen that tells anything of this phone's identity".to_owned(),
            "give a dump of the whole user area",
        )
    } else if !unseen.is_empty() {
        (
            format!(
                "what was seen looks present; not seen: {}",
                unseen.join(", ")
            ),
            "make a backup of the whole user area before flashing anything",
        )
    } else {
        (
            "everything looks present".to_owned(),
            "safe to flash UBOOT once `unilk backup` has made a backup",
        )
    }
}

#[cfg(test)]
mod tests;
