//! Opens a dump of the whole card or its user area.

use super::base::{self, Base};
use super::{Area, Bytes, Error, Evidence, Options, Part, Shape, Storage, TAIL, TAIL_BYTES};
use super::{common, contents, tell};
use crate::finding::Finding;
use crate::layout::{self, Layout, Place};
use crate::pmt;
use crate::source::{Source, Window};
use crate::sparse;
use std::sync::Arc;
use unilk_core::address::{AreaSizes, Translation};
use unilk_core::partition::{PMT_LEN, PmtCopy, TableError, canonical, parse_pmt};

pub fn open(
    dump: Arc<dyn Source>,
    boot1: Option<Arc<dyn Source>>,
    options: &Options,
) -> Result<Storage, Error> {
    let dump = unsparse(dump)?;
    let boot1 = boot1.map(unsparse).transpose()?;
    let mut findings = Vec::new();
    let pmt = read_pmt(dump.as_ref(), options, &mut findings)?;
    let opened = Opened {
        dump,
        boot1,
        options,
        has_pmt: pmt.is_some(),
    };
    if let (Some((pmt, _)), Some(scatter)) = (&pmt, &options.scatter) {
        findings.extend(tell::disagreement(pmt, scatter));
    }
    let scatter = options.scatter.clone();
    match pmt.or(scatter.map(|layout| (layout, Evidence::Scatter))) {
        Some((layout, evidence)) => opened.by_layout(layout, evidence, findings),
        None => common::open(&opened, findings),
    }
}

/// Sparse images are read as what they stand for.
pub(super) fn unsparse(source: Arc<dyn Source>) -> Result<Arc<dyn Source>, Error> {
    if sparse::is_sparse(&source.read_some(0, 4)?) {
        return Ok(Arc::new(sparse::open(source).map_err(Error::Sparse)?));
    }
    Ok(source)
}

/// The PMT at the end of the dump, if there is one to be believed.
fn read_pmt(
    dump: &dyn Source,
    options: &Options,
    findings: &mut Vec<Finding>,
) -> Result<Option<(Layout, Evidence)>, Error> {
    let mut ends = vec![dump.len()];
    // Dumps by tools that read too much have the end of the card inside.
    ends.extend(options.card.map(|card| card.user_bytes));
    let mut primary = None;
    for end in ends {
        let Some(at) = end.checked_sub(pmt::FROM_END_BYTES) else {
            continue;
        };
        let tables = dump.read_some(at, 2 * PMT_LEN)?;
        for (copy, evidence) in [
            (PmtCopy::Primary, Evidence::Pmt),
            (PmtCopy::Mirror, Evidence::PmtMirror),
        ] {
            let at = if copy == PmtCopy::Mirror { PMT_LEN } else { 0 };
            let table = tables.get(at..).unwrap_or_default();
            match parse_pmt(table, copy, any_card()) {
                Ok(_) => {
                    if let (PmtCopy::Mirror, Some(why)) = (copy, primary) {
                        let text = format!("the first copy of the PMT is not used: {why}");
                        findings.push(Finding::warning("STORAGE-PMT", text));
                    }
                    return Ok(Some((pmt::layout(table), evidence)));
                }
                Err(why) => primary = primary.or(Some(why)),
            }
        }
    }
    match primary {
        // Nothing there is no table with a fault.
        Some(TableError::Signature { .. } | TableError::Read) | None => {}
        Some(why) => {
            let text = format!("neither copy of the PMT is used: {why}");
            findings.push(Finding::warning("STORAGE-PMT", text));
        }
    }
    Ok(None)
}

/// A card on which every table fits: whether it does on this one is asked when
/// the card is known.
fn any_card() -> Translation {
    Translation::new(AreaSizes {
        user_sectors: 1 << 40,
        ..AreaSizes::default()
    })
}

/// A dump while its partitions are being found.
pub(super) struct Opened<'a> {
    pub dump: Arc<dyn Source>,
    pub boot1: Option<Arc<dyn Source>>,
    pub options: &'a Options,
    pub has_pmt: bool,
}

/// Where the areas are in the dump.
pub(super) struct Frame {
    pub shape: Shape,
    /// Bytes of boot areas and RPMB.
    pub hardware: u64,
    /// The user area as far as it is there.
    pub user: Bytes,
    /// Bytes of the user area, where its end is known.
    pub user_bytes: Option<u64>,
}

impl Opened<'_> {
    fn by_layout(
        self,
        layout: Layout,
        evidence: Evidence,
        mut findings: Vec<Finding>,
    ) -> Result<Storage, Error> {
        let card = self.options.card;
        let base = base::infer(&*self.dump, &layout, card.map(|card| card.hardware_bytes()))?;
        let frame = self.frame(&layout, &base, &mut findings);
        let mut listed = Vec::new();
        for partition in &layout.partitions {
            let (part, bytes) = self.part(&layout, partition, &frame);
            listed.push((part, bytes));
        }
        // Where a linear dump's user area begins is only assumed.
        let known = frame.shape == Shape::User || card.is_some();
        let mut storage = finish(frame, listed, evidence, Some(layout), findings);
        storage.hardware_bytes = storage.hardware_bytes.filter(|_| known);
        Ok(storage)
    }

    fn frame(&self, layout: &Layout, base: &Base, findings: &mut Vec<Finding>) -> Frame {
        let first = base::first_linear(layout);
        let card = self.options.card.map(|card| card.hardware_bytes());
        let linear_dump = base.linear == 0 && first > 0;
        let hardware = match (linear_dump, card) {
            (false, _) => base.linear,
            (true, Some(card)) => card,
            (true, None) => first,
        };
        let skipped = if linear_dump { hardware } else { 0 };
        let most = self.options.card.map_or(u64::MAX, |card| card.user_bytes);
        let user = Window::new(self.dump.clone(), skipped, most);
        findings.extend(tell::base(base, linear_dump, first, hardware, card));
        let user_bytes = match self.options.card {
            Some(card) => Some(card.user_bytes),
            None => self.has_pmt.then(|| user.len()),
        };
        Frame {
            shape: if linear_dump {
                Shape::Linear
            } else {
                Shape::User
            },
            hardware,
            user,
            user_bytes,
        }
    }

    fn part(
        &self,
        layout: &Layout,
        partition: &layout::Partition,
        frame: &Frame,
    ) -> (Part, Option<Bytes>) {
        let mut part = Part {
            name: partition.name.to_ascii_uppercase(),
            area: Area::User,
            start: 0,
            len: partition.size,
            linear: None,
            fixed: true,
        };
        if !partition.in_user_area {
            let bytes = self.boot_area(frame);
            part.area = Area::Boot1;
            part.linear = Some(partition.place.address());
            part.len = match (&bytes, self.options.card) {
                (_, Some(card)) => card.boot_bytes(),
                (Some(bytes), None) => bytes.len(),
                (None, None) => partition.size,
            };
            return (part, bytes);
        }
        let start = match partition.place {
            Place::Linear(at) => {
                part.linear = Some(at);
                at.checked_sub(frame.hardware)
            }
            Place::Tail { blocks } => {
                let reserve = u64::from(blocks) * layout.block_bytes;
                frame.user_bytes.and_then(|end| end.checked_sub(reserve))
            }
        };
        let Some(start) = start else {
            part.fixed = false;
            return (part, None);
        };
        part.start = start;
        if takes_the_rest(layout, partition) {
            part.len = match frame.user_bytes {
                Some(end) => end.saturating_sub(reserve(layout)).saturating_sub(start),
                // Whatever is there, where no size is given either.
                None if part.len == 0 => frame.user.len().saturating_sub(start),
                None => part.len,
            };
        }
        let bytes = stretch(&frame.user, part.start, part.len);
        (part, bytes)
    }

    /// Boot area 1, from a file of its own or from the front of the dump.
    pub fn boot_area(&self, frame: &Frame) -> Option<Bytes> {
        if let Some(boot1) = &self.boot1 {
            return Some(Window::new(boot1.clone(), 0, u64::MAX));
        }
        let len = self
            .options
            .card
            .map_or(frame.hardware, |card| card.boot_bytes());
        (frame.shape == Shape::Linear).then(|| Window::new(self.dump.clone(), 0, len))
    }
}

/// Adds what no table lists, checks contents, tells what is missing.
pub(super) fn finish(
    frame: Frame,
    mut listed: Vec<(Part, Option<Bytes>)>,
    evidence: Evidence,
    layout: Option<Layout>,
    mut findings: Vec<Finding>,
) -> Storage {
    let whole = frame
        .user_bytes
        .is_some_and(|bytes| frame.user.len() >= bytes);
    if let Some(start) = frame.user_bytes.and_then(|end| end.checked_sub(TAIL_BYTES)) {
        let part = Part {
            name: TAIL.to_owned(),
            area: Area::User,
            start,
            len: TAIL_BYTES,
            linear: Some(start.saturating_add(frame.hardware)),
            fixed: true,
        };
        let bytes = stretch(&frame.user, start, TAIL_BYTES);
        listed.push((part, bytes));
    }
    let there = listed
        .iter()
        .filter_map(|(part, bytes)| Some((part, bytes.as_ref()?)));
    findings.extend(contents::check(there, Some(&frame.user)));
    findings.extend(tell::missing(&listed, evidence, whole));
    let (parts, bytes) = listed.into_iter().unzip();
    Storage {
        parts,
        bytes,
        shape: frame.shape,
        evidence,
        findings,
        hardware_bytes: Some(frame.hardware),
        user: Some(frame.user),
        whole,
        layout,
    }
}

/// What is there of `len` bytes of the user area from `start` on.
pub(super) fn stretch(user: &Bytes, start: u64, len: u64) -> Option<Bytes> {
    let bytes = user.part(start, len);
    (!bytes.is_empty()).then_some(bytes)
}

/// Whether loaders give `partition` what the card has left, whatever size the
/// table says.
fn takes_the_rest(layout: &Layout, partition: &layout::Partition) -> bool {
    let is_last = layout.partitions.iter().all(|other| {
        matches!(other.place, Place::Tail { .. })
            || other.place.address() <= partition.place.address()
    });
    let grows = partition.size == 0 || matches!(canonical(&partition.name), "USRDATA" | "FAT");
    matches!(partition.place, Place::Linear(_)) && is_last && grows
}

/// Bytes at the end of the card that the last partition leaves alone.
fn reserve(layout: &Layout) -> u64 {
    let listed = layout
        .partitions
        .iter()
        .any(|partition| matches!(partition.place, Place::Tail { .. }));
    if listed {
        layout.reserved_bytes()
    } else {
        pmt::DEFAULT_RESERVE_BYTES
    }
}
