//! Which linear address the first byte of a dump has.
//!
//! Tables give linear addresses, which count the boot areas and RPMB in front
//! of the user area; their sizes are in the card's EXT_CSD, which a dump does
//! not have. But the MBR and the images stand where they stand: the address
//! that puts most of them where the table has them is the right one.
//!
//! Source: facts/storage-and-images.md 4.1.

use crate::layout::{Layout, Place};
use crate::mtk;
use crate::source::Source;
use std::io;
use unilk_core::address::Logical;
use unilk_core::partition::{Mbr, canonical};

/// Boot areas and RPMB are multiples of this.
const UNIT: u64 = 128 << 10;
/// Most addresses that are tried: all that EXT_CSD can say.
const TRIES: u64 = 3 * 255;

/// Where a dump begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Linear address of its first byte: 0 for a linear dump.
    pub linear: u64,
    /// The partitions that stand where the layout then has them.
    pub confirmed_by: Vec<String>,
}

/// Whether a dump begins with boot area 1.
pub fn begins_with_boot_area(head: &[u8]) -> bool {
    head.starts_with(b"EMMC_BOOT\0") || head.get(0x200..0x205) == Some(b"BRLYT")
}

/// Linear address of the MBR, or of the first partition of the user area.
pub fn first_linear(layout: &Layout) -> u64 {
    layout.mbr_linear().unwrap_or_else(|_| {
        let mut places = layout.partitions.iter().filter(|p| p.in_user_area);
        places
            .find_map(|partition| match partition.place {
                Place::Linear(at) => Some(at),
                Place::Tail { .. } => None,
            })
            .unwrap_or(0)
    })
}

/// The base of `dump`, partitioned by `layout`. `hardware` is what the card's
/// sizes say, if they are known.
pub fn infer(dump: &dyn Source, layout: &Layout, hardware: Option<u64>) -> io::Result<Base> {
    let first = first_linear(layout);
    if begins_with_boot_area(&dump.read_some(0, 0x205)?) {
        let mut base = confirmed(dump, layout, 0);
        base.confirmed_by.insert(0, "PRELOADER".to_owned());
        return Ok(base);
    }
    // The likely ones first: they win where no mark decides.
    let steps = (0..first.div_ceil(UNIT).min(TRIES)).map(|step| first - step * UNIT);
    let candidates = hardware.into_iter().chain(steps).chain([0]);
    let mut best: Option<Base> = None;
    for linear in candidates {
        let base = confirmed(dump, layout, linear);
        let better = best
            .as_ref()
            .is_none_or(|best| base.confirmed_by.len() > best.confirmed_by.len());
        if better {
            best = Some(base);
        }
    }
    Ok(best.unwrap_or(Base {
        linear: first,
        confirmed_by: Vec::new(),
    }))
}

/// What stands where `layout` has it if the dump begins at `linear`. What
/// cannot be read does not count.
fn confirmed(dump: &dyn Source, layout: &Layout, linear: u64) -> Base {
    let mut confirmed_by = Vec::new();
    for partition in &layout.partitions {
        let Place::Linear(at) = partition.place else {
            continue;
        };
        let Some(offset) = at.checked_sub(linear) else {
            continue;
        };
        if !partition.in_user_area || !has_mark(&partition.name) {
            continue;
        }
        let Ok(head) = dump.read_some(offset, 512) else {
            continue;
        };
        if mark_of(&partition.name, &head) == Some(true) {
            confirmed_by.push(partition.name.clone());
        }
    }
    Base {
        linear,
        confirmed_by,
    }
}

fn has_mark(name: &str) -> bool {
    mark_of(name, &[]).is_some()
}

/// Whether `head`, the first 512 bytes of the partition called `name`, are what
/// belongs there; `None` for partitions that have no mark.
pub fn mark_of(name: &str, head: &[u8]) -> Option<bool> {
    match canonical(name) {
        "MBR" => Some(Mbr::parse(head, Logical::from_sector(0)).is_ok_and(|mbr| mbr.is_mediatek())),
        "UBOOT" | "LOGO" => Some(mtk::Header::parse(head).is_ok()),
        "BOOTIMG" | "RECOVERY" => Some(head.starts_with(b"ANDROID!")),
        _ => None,
    }
}
