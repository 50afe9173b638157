//! Which of the two kinds of kernel an image holds: one that takes a device
//! tree, or the vendor's 3.4 that takes ATAGs.
//!
//! The choice cannot be undone once the kernel runs, so it is made from
//! evidence, each piece with its weight, and the verdict carries the reasons
//! for the log. A hint stored in our image or with the boot image overrides.
//! Source: facts/storage-and-images.md 1.1, 5.3, 5.4, 6.4.

use crate::bootimg::Piece;
use crate::memory::VENDOR_KERNEL_ADDRESS;
use crate::zimage::{Placement, ZImage};
use heapless::Vec;

/// The two hand-offs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum KernelKind {
    /// Takes a device tree in r2.
    DeviceTree,
    /// Vendor 3.4: ATAGs at 0x80100100, machine 6572.
    VendorAtag,
}

/// The vendor's Android generation: it decides tag order and command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Generation {
    /// Android 4.2.
    JellyBean,
    /// Android 4.4.
    KitKat,
}

impl Generation {
    /// Name for the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JellyBean => "4.2",
            Self::KitKat => "4.4",
        }
    }
}

/// How far a verdict can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Certainty {
    /// The evidence is thin or contradicts itself.
    Guess,
    /// Nothing speaks against it.
    Likely,
    /// A person said so, or no kernel of the other kind looks like this.
    Certain,
}

/// What is known when the choice is made.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The kernel.
    pub zimage: &'a ZImage,
    /// The section it came in.
    pub section: &'a Piece,
    /// True if the image brings a device tree, appended or as second stage.
    pub has_tree: bool,
    /// What a person said.
    pub hint: Option<KernelKind>,
    /// What a person said about the generation.
    pub generation_hint: Option<Generation>,
}

/// The choice and its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which hand-off to use.
    pub kind: KernelKind,
    /// How sure that is. Less than certain deserves a line on the UART.
    pub certainty: Certainty,
    /// Vendor generation, meaningful for [`KernelKind::VendorAtag`].
    pub generation: Generation,
    /// True if the generation is known rather than assumed.
    pub generation_known: bool,
    /// The reasons, strongest first as far as they were weighed.
    pub reasons: Vec<&'static str, 8>,
}

/// Weighs the evidence.
pub fn judge(evidence: &Evidence<'_>) -> Verdict {
    let mut tree = Side::default();
    let mut vendor = Side::default();
    if evidence.has_tree {
        // More than all that speaks for the vendor together: a 3.10 kernel of
        // the vendor's looks like its 3.4, but nobody packs a tree for that.
        tree.add(12, "image brings a device tree");
    }
    weigh_placement(evidence.zimage.placement, &mut tree, &mut vendor);
    if evidence.zimage.table.is_some() {
        tree.add(8, "zImage header of 4.15 or later");
    } else if evidence.zimage.has_endian_mark {
        tree.add(8, "zImage header of 3.17 or later");
    } else {
        vendor.add(2, "zImage header from before 3.17");
    }
    if evidence.section.wrapped {
        // Weak: ports that start from a stock LK are wrapped too.
        vendor.add(1, "wrapped in MediaTek's KERNEL header");
    }
    let (kind, winner, loser) = if tree.weight > vendor.weight {
        (KernelKind::DeviceTree, tree, vendor)
    } else {
        (KernelKind::VendorAtag, vendor, tree)
    };
    let certainty = match (winner.weight, loser.weight) {
        (8.., 0..=1) => Certainty::Certain,
        (won, lost) if won >= 3 && won > 2 * lost => Certainty::Likely,
        _ => Certainty::Guess,
    };
    let (generation, generation_known) = generation(evidence);
    let judged = Verdict {
        kind,
        certainty,
        generation,
        generation_known,
        reasons: winner.reasons,
    };
    match evidence.hint {
        Some(hint) => overridden(&judged, hint),
        None => judged,
    }
}

#[derive(Default)]
struct Side {
    weight: u8,
    reasons: Vec<&'static str, 8>,
}

impl Side {
    fn add(&mut self, weight: u8, reason: &'static str) {
        self.weight += weight;
        // Eight reasons are more than exist.
        let _ = self.reasons.push(reason);
    }
}

fn weigh_placement(placement: Placement, tree: &mut Side, vendor: &mut Side) {
    match placement {
        Placement::ObeysTree { .. } => tree.add(8, "start code reads the device tree"),
        Placement::Masked { .. } => tree.add(
            6,
            "start code computes its address, the vendor's never does",
        ),
        Placement::Fixed {
            address: VENDOR_KERNEL_ADDRESS,
        } => {
            vendor.add(6, "built for 0x80108000 as all vendor kernels");
        }
        Placement::Fixed { .. } => tree.add(3, "built for an address that no vendor kernel has"),
        Placement::Unknown => {}
    }
}

fn overridden(judged: &Verdict, hint: KernelKind) -> Verdict {
    let mut reasons = Vec::new();
    let _ = reasons.push(if judged.kind == hint {
        "a hint says so, and the image agrees"
    } else {
        "a hint says so, against what the image looks like"
    });
    let (generation, generation_known) = (judged.generation, judged.generation_known);
    Verdict {
        kind: hint,
        certainty: Certainty::Certain,
        generation,
        generation_known,
        reasons,
    }
}

/// 4.4-era packers may fill fields that 4.2-era ones leave at 0xFF. Without
/// that, 4.4 is assumed: its tags and tokens are a superset, and a 4.2 kernel
/// ignores what it does not know.
fn generation(evidence: &Evidence<'_>) -> (Generation, bool) {
    match evidence.generation_hint {
        Some(generation) => (generation, true),
        None => (
            Generation::KitKat,
            evidence.section.wrapped && evidence.section.later_packer,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zimage(placement: Placement, has_endian_mark: bool) -> ZImage {
        ZImage {
            len: 0x3D_1E80,
            start: 0,
            has_endian_mark,
            table: None,
            placement,
        }
    }

    fn section(wrapped: bool) -> Piece {
        Piece {
            offset: 0xA00,
            len: 0x3D_1E80,
            wrapped,
            odd_name: false,
            later_packer: false,
        }
    }

    fn verdict(placement: Placement, modern: bool, wrapped: bool, has_tree: bool) -> Verdict {
        judge(&Evidence {
            zimage: &zimage(placement, modern),
            section: &section(wrapped),
            has_tree,
            hint: None,
            generation_hint: None,
        })
    }

    #[test]
    fn stock_android() {
        let verdict = verdict(
            Placement::Fixed {
                address: 0x8010_8000,
            },
            false,
            true,
            false,
        );
        assert_eq!(
            (verdict.kind, verdict.certainty),
            (KernelKind::VendorAtag, Certainty::Certain)
        );
        assert_eq!(
            (verdict.generation, verdict.generation_known),
            (Generation::KitKat, false)
        );
    }

    #[test]
    fn vendor_kernel_with_a_tree() {
        let verdict = verdict(
            Placement::Fixed {
                address: 0x8010_8000,
            },
            false,
            true,
            true,
        );
        assert_eq!(verdict.kind, KernelKind::DeviceTree);
    }

    #[test]
    fn debian_and_mainline() {
        for placement in [
            Placement::ObeysTree {
                text_offset: 0x20_8000,
            },
            Placement::Masked {
                text_offset: 0x8000,
            },
        ] {
            let verdict = verdict(placement, true, false, false);
            assert_eq!(
                (verdict.kind, verdict.certainty),
                (KernelKind::DeviceTree, Certainty::Certain)
            );
        }
    }

    #[test]
    fn a_port_for_a_stock_loader_is_wrapped_and_fixed_but_brings_a_tree() {
        let verdict = verdict(
            Placement::Fixed {
                address: 0x8020_8000,
            },
            true,
            true,
            true,
        );
        assert_eq!(
            (verdict.kind, verdict.certainty),
            (KernelKind::DeviceTree, Certainty::Certain)
        );
    }

    #[test]
    fn contradiction_is_a_guess_and_says_so() {
        // A 3.x kernel at the vendor's address with a tree behind it.
        let verdict = verdict(
            Placement::Fixed {
                address: 0x8010_8000,
            },
            false,
            true,
            true,
        );
        assert_eq!(verdict.certainty, Certainty::Guess);
        assert!(!verdict.reasons.is_empty());
    }

    #[test]
    fn nothing_known_is_a_guess() {
        assert_eq!(
            verdict(Placement::Unknown, false, false, false).certainty,
            Certainty::Guess
        );
    }

    #[test]
    fn a_hint_wins_and_tells_when_it_is_odd() {
        let zimage = zimage(
            Placement::Fixed {
                address: 0x8010_8000,
            },
            false,
        );
        let mut evidence = Evidence {
            zimage: &zimage,
            section: &section(true),
            has_tree: false,
            hint: Some(KernelKind::DeviceTree),
            generation_hint: Some(Generation::JellyBean),
        };
        let verdict = judge(&evidence);
        assert_eq!(
            (verdict.kind, verdict.certainty),
            (KernelKind::DeviceTree, Certainty::Certain)
        );
        assert_eq!(
            verdict.reasons[..],
            ["a hint says so, against what the image looks like"]
        );
        evidence.hint = Some(KernelKind::VendorAtag);
        let verdict = judge(&evidence);
        assert_eq!(
            verdict.reasons[..],
            ["a hint says so, and the image agrees"]
        );
        assert_eq!(
            (verdict.generation, verdict.generation_known),
            (Generation::JellyBean, true)
        );
    }

    #[test]
    fn a_later_packer_tells_the_generation() {
        let zimage = zimage(
            Placement::Fixed {
                address: 0x8010_8000,
            },
            false,
        );
        let section = Piece {
            later_packer: true,
            ..section(true)
        };
        let verdict = judge(&Evidence {
            zimage: &zimage,
            section: &section,
            has_tree: false,
            hint: None,
            generation_hint: None,
        });
        assert_eq!(
            (verdict.generation, verdict.generation_known),
            (Generation::KitKat, true)
        );
    }
}
