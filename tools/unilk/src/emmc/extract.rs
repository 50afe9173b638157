//! Takes a phone's storage apart into one file a partition, with a layout and
//! card sizes that put it together again to the same bytes.

use super::copy::{copy, first_content};
use super::{Card, Error};
use crate::finding::Finding;
use crate::layout::{Layout, Partition, Place, holds_file_system, is_in_boot_area};
use crate::progress::Progress;
use crate::source::Source;
use crate::storage::{Area, Bytes, Part, Shape, Storage, TAIL};
use std::io::{self, Seek, Write};

/// What is taken out of a storage.
pub struct Extract<'a> {
    storage: &'a Storage,
    card: Option<Card>,
}

impl<'a> Extract<'a> {
    /// From `storage`, on a card with these sizes if they are known.
    pub fn new(storage: &'a Storage, card: Option<Card>) -> Self {
        Self {
            storage,
            card: card.or_else(|| assumed_card(storage)),
        }
    }

    /// The sizes of the card. Where nobody gave them, the sum of its boot areas
    /// and RPMB is right and the split is that of most cards. `None` where the
    /// end or the beginning of the user area is not known.
    pub fn card(&self) -> Option<Card> {
        self.card
    }

    /// Partitions that get a file, with the bytes that go into it. Reserves at
    /// the end of the card hold nothing but [`TAIL`], which gets one.
    pub fn files(&self) -> Vec<(&'a Part, Bytes)> {
        let storage = self.storage;
        let files = storage.parts().iter().filter_map(|part| {
            if self.is_reserve(part) {
                return None;
            }
            let bytes = storage.window(part)?;
            Some((part, self.trimmed(part, bytes)))
        });
        files.collect()
    }

    fn is_reserve(&self, part: &Part) -> bool {
        let layout = self.storage.layout();
        layout
            .and_then(|layout| layout.find(&part.name).ok())
            .is_some_and(|partition| matches!(partition.place, Place::Tail { .. }))
    }

    /// A linear dump does not say where its first boot area ends; the card does.
    fn trimmed(&self, part: &Part, bytes: Bytes) -> Bytes {
        match (part.area, self.card) {
            (Area::Boot1, Some(card)) => bytes.part(0, card.boot_bytes()),
            _ => bytes,
        }
    }

    /// Writes `bytes` to `out`, which has to be empty, with holes; how many
    /// bytes are no holes.
    ///
    /// # Errors
    /// What reading or writing says.
    pub fn write(
        bytes: &Bytes,
        out: &mut (impl Write + Seek),
        progress: &mut dyn Progress,
    ) -> io::Result<u64> {
        copy(bytes, out, progress)
    }

    /// The layout of what was taken out, with every address as the phone's
    /// table has it. Where only the common layout is known, sizes are those of
    /// the parts.
    ///
    /// # Errors
    /// [`Error::Layout`] if nothing tells linear addresses.
    pub fn layout(&self) -> Result<Layout, Error> {
        if let Some(layout) = self.storage.layout() {
            return Ok(layout.clone());
        }
        let mut layout = Layout {
            name: "common".to_owned(),
            block_bytes: crate::scatter::EMMC_BLOCK_BYTES,
            partitions: Vec::new(),
        };
        for part in self.storage.parts() {
            let Some(linear) = part.linear.filter(|_| part.name != TAIL) else {
                continue;
            };
            layout.partitions.push(Partition {
                name: part.name.clone(),
                place: Place::Linear(linear),
                size: part.len,
                in_user_area: !is_in_boot_area(&part.name),
                has_file_system: holds_file_system(&part.name),
                download: false,
            });
        }
        layout.mbr_linear()?;
        Ok(layout)
    }

    /// Stretches of the user area that belong to no file and hold something.
    ///
    /// # Errors
    /// What reading says.
    pub fn left_over(&self, progress: &mut dyn Progress) -> io::Result<Vec<Finding>> {
        let Some(user) = self.storage.user_area() else {
            return Ok(Vec::new());
        };
        let mut findings = Vec::new();
        for (start, len) in self.gaps(user.len()) {
            progress.begin("between", len);
            if let Some(first) = first_content(&user.part(start, len), progress)? {
                findings.push(Finding::warning(
                    "EMMC-GAP",
                    format!(
                        "{len:#x} bytes from {start:#x} of the user area on belong to no \
                         partition, but hold something from {:#x} on; they are not taken out",
                        start + first
                    ),
                ));
            }
        }
        progress.finish();
        Ok(findings)
    }

    /// What no file covers, in order.
    fn gaps(&self, end: u64) -> Vec<(u64, u64)> {
        let mut covered: Vec<(u64, u64)> = self
            .files()
            .into_iter()
            .filter(|(part, _)| part.area == Area::User)
            .map(|(part, bytes)| (part.start, part.start.saturating_add(bytes.len())))
            .collect();
        covered.sort_unstable();
        let mut gaps = Vec::new();
        let mut at = 0;
        for (start, stop) in covered {
            if start > at {
                gaps.push((at, start - at));
            }
            at = at.max(stop);
        }
        if at < end {
            gaps.push((at, end - at));
        }
        gaps
    }
}

fn assumed_card(storage: &Storage) -> Option<Card> {
    let hardware = match (storage.hardware_bytes(), storage.shape()) {
        (Some(hardware), _) => hardware,
        // Counted from the MBR, a linear dump gives a card that fits.
        (None, Shape::Linear) => storage.layout()?.mbr_linear().ok()?,
        (None, _) => return None,
    };
    let user = storage.user_area().filter(|_| storage.is_whole())?.len();
    let boot1 = storage
        .find("PRELOADER")
        .map(|part| storage.held(part))
        .filter(|&held| held > 0 && held < hardware);
    boot1
        .and_then(|boot| Card::with_boot_areas(boot, hardware, user).ok())
        .or_else(|| Card::for_hardware(hardware, user).ok())
}
