//! ARM Linux kernels as they are started: the zImage.
//!
//! Source: facts/storage-and-images.md 5.3, 5.4; the judgement is the
//! bootloader's own (`unilk_core::zimage`).

use super::Level;
use super::read::{self, At};
use super::report::{self, Facts, Report};
use super::{compressed, kernel, of_core, part, text};
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::{Source, Window};
use unilk_core::memory::VENDOR_KERNEL_ADDRESS;
use unilk_core::zimage::{HEAD_LEN, Placement, ZImage, appended_tree};

/// Where in a zImage the packed kernel begins at the latest.
pub const SEARCH_BYTES: usize = 256 << 10;

/// What `source`, which begins like a zImage, holds.
pub fn look(source: &dyn Source, head: &[u8], level: Level) -> Report {
    let mut report = Report::new(Kind::ZImage, source.len(), "ARM Linux kernel (zImage)");
    "Not to be flashed by itself: pack it into a boot image with `unilk bootimg`."
        .clone_into(&mut report.on_a_phone);
    let room = u32::try_from(source.len()).unwrap_or(u32::MAX);
    let zimage = match ZImage::parse(&head[..head.len().min(HEAD_LEN)], room) {
        Ok(zimage) => zimage,
        Err(why) => {
            report.findings.push(of_core(Finding::problem, &why));
            return report;
        }
    };
    report.summary = format!(
        "ARM Linux kernel (zImage), {}, {}",
        text::size(zimage.len.into()),
        age(&zimage)
    );
    report.facts.push(fields(source, &zimage).into());
    if level.options.deep {
        kernel::add_to(source, &zimage, &mut report);
    }
    tree_behind(source, &zimage, room, level, &mut report);
    report
}

/// The kernel's age, by what only later ones have in their header.
fn age(zimage: &ZImage) -> &'static str {
    if zimage.table.is_some() {
        "Linux 4.15 or later"
    } else if zimage.has_endian_mark {
        "Linux 3.17 or later"
    } else {
        "older than Linux 3.17"
    }
}

/// A placement in words.
pub fn placement(placement: Placement) -> String {
    match placement {
        Placement::Masked { text_offset } => {
            format!("computes its address: its own rounded down to 128 MiB, plus {text_offset:#x}")
        }
        Placement::ObeysTree { text_offset } => {
            format!("goes where the device tree has memory, plus {text_offset:#x}")
        }
        Placement::Fixed {
            address: VENDOR_KERNEL_ADDRESS,
        } => format!("built for {VENDOR_KERNEL_ADDRESS:#x}, as all vendor kernels"),
        Placement::Fixed { address } => format!("built for {address:#x}"),
        Placement::Unknown => "starts with code of no known kind".to_owned(),
    }
}

fn fields(source: &dyn Source, zimage: &ZImage) -> Facts {
    let mut facts = Facts::new("zimage", "zImage");
    facts.add("image_bytes", report::bytes(zimage.len));
    facts.add("link_address", report::address(zimage.start));
    facts.add("placement", report::text(placement(zimage.placement)));
    let size = zimage.kernel_size(&mut At(source));
    let unpacked = report::bytes(size.image);
    facts.add(
        "unpacked_bytes",
        if size.exact {
            unpacked
        } else {
            report::absent("not told")
        },
    );
    let code = read::some(source, 0, SEARCH_BYTES.min(zimage.len as usize));
    let packing = compressed::find(&code);
    facts.add(
        "packed_with",
        packing.map_or(report::absent("not recognised"), |(name, _)| {
            report::text(name)
        }),
    );
    facts
}

/// A device tree directly behind the kernel, and anything else there.
fn tree_behind(source: &dyn Source, zimage: &ZImage, room: u32, level: Level, report: &mut Report) {
    match appended_tree(zimage, &mut At(source), room) {
        Ok(Some((offset, len))) => {
            report
                .parts
                .push(part(source, "dtb", offset.into(), len.into(), level));
            let end = u64::from(offset) + u64::from(len);
            rest(source, end, report);
        }
        Ok(None) => rest(source, zimage.len.into(), report),
        Err(why) => report.findings.push(of_core(Finding::problem, &why)),
    }
}

fn rest(source: &dyn Source, end: u64, report: &mut Report) {
    /// Padding and signatures are smaller.
    const MOST: u64 = 1 << 20;
    let len = source.len().saturating_sub(end);
    let window = Window::new(source, end, len.min(MOST));
    let zeros = read::through(&window, 0, u64::MAX, &mut |piece| {
        piece.iter().all(|&byte| byte == 0)
    });
    if len > 0 && !zeros {
        report.findings.push(Finding::note(
            "ZI-REST",
            format!(
                "{} of other data follow the kernel: neither zeros nor a device tree",
                text::size(len)
            ),
        ));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::Value;
    use crate::inspect::testing::{codes, mutate, put};
    use crate::inspect::tree::tests::tree;

    /// A zImage of `len` bytes with the header of a 3.4 kernel.
    pub fn zimage(len: u32) -> Vec<u8> {
        let mut image = vec![0; len as usize];
        for nop in image.chunks_exact_mut(4).take(8) {
            nop.copy_from_slice(&0xE1A0_0000u32.to_le_bytes());
        }
        put(
            &mut image,
            &[
                (0x20, 0xEA00_0002),
                (0x24, 0x016F_2818),
                (0x28, 0),
                (0x2C, len),
            ],
        );
        if let Some(place) = image.get_mut(0x400..0x40A) {
            place.copy_from_slice(&[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 3]);
        }
        image
    }

    #[test]
    fn a_kernel_and_the_tree_behind_it() {
        let report = inspect(&zimage(0x1000));
        assert_eq!(report.kind, Kind::ZImage);
        assert!(codes(&report).is_empty());
        assert_eq!(report.value("zimage", "packed_with"), Some(&"gzip".into()));
        assert_eq!(
            report.value("zimage", "image_bytes"),
            Some(&Value::Number(0x1000))
        );
        let mut with_tree = zimage(0x1000);
        with_tree.extend(tree());
        with_tree.extend([0; 100]);
        let report = inspect(&with_tree);
        assert_eq!(report.parts[0].name, "dtb");
        assert_eq!(report.parts[0].offset, 0x1000);
        assert_eq!(report.parts[0].report.kind, Kind::DeviceTree);
        assert!(codes(&report).is_empty());
    }

    #[test]
    fn damage_is_named() {
        let good = zimage(0x1000);
        assert_eq!(codes(&inspect(&&good[..0xFFF])), ["ZI-SIZE"]);
        let mut cut = good.clone();
        cut.extend(&tree()[..60]);
        assert_eq!(codes(&inspect(&cut)), ["FDT-SIZE"]);
        let mut foreign = good.clone();
        foreign.extend(b"signature");
        assert_eq!(codes(&inspect(&foreign)), ["ZI-REST"]);
        mutate(&cut, 300, |data| {
            let _ = inspect(&data);
        });
    }
}
