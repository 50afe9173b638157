//! The payload of `lk.bin`: unilk's own images, and stock ones.
//!
//! Source: facts/storage-and-images.md 1.3, 1.4, 4.3; `unilk_core::packed`
//! (head), `unilk_core::hints` (hints).

use super::report::{self, Facts, Report};
use super::{of_core, read};
use crate::bytes::u32_at;
use crate::compress;
use crate::finding::Finding;
use crate::image::{self, Identity};
use crate::mtk::LK_PAYLOAD_MAX;
use crate::pack::is_arm_instruction;
use crate::recognise::Kind;
use crate::source::Source;
use unilk_core::hints::Hints;
use unilk_core::kernel::{Generation, KernelKind};
use unilk_core::names::{Finder, NameSet};
use unilk_core::packed::{self, PackedError};

/// Whether a payload is a unilk image, whatever its header's name.
pub fn is_ours(payload: &dyn Source) -> bool {
    packed::is_ours(&read::some(payload, 0, 0x100))
}

/// A unilk image without any header, as a file or as the kernel of a boot image.
pub fn bare(source: &dyn Source) -> Report {
    let mut report = Report::new(Kind::Unilk, source.len(), "payload without a header");
    let bytes = u32::try_from(source.len()).unwrap_or(u32::MAX);
    add_to(source, bytes, &mut report);
    "Runs from any address in DRAM: RAM boot tools start it at 0x80020000, loaders that take it for a kernel at 0x80108000."
        .clone_into(&mut report.on_a_phone);
    report
}

/// Adds what is known of `payload`, of which a header says that it has
/// `stated` bytes.
pub fn add_to(payload: &dyn Source, stated: u32, report: &mut Report) {
    let bytes = read::some(payload, 0, LK_PAYLOAD_MAX);
    if bytes.starts_with(b"SSSS") {
        report.findings.push(Finding::problem(
            "LK-SIGNED",
            "payload is in MediaTek's secure-boot wrapper: a phone that is not fused jumps into the wrapper's header, and where a fused one wants it is not known",
        ));
        return;
    }
    if let Some(word) = u32_at(&bytes, 0)
        && !is_arm_instruction(word)
    {
        report.findings.push(Finding::problem(
            "LK-ENTRY",
            format!(
                "first word {word:#010x} is no ARM instruction: the preloader would jump into data"
            ),
        ));
    }
    match Identity::of(&bytes) {
        Ok(identity) => ours(identity, &bytes, stated, report),
        Err(image::Error::NotUnilk) => stock(&bytes, report),
        // Of another release, which is no damage.
        Err(why @ image::Error::Image(PackedError::Layout { .. })) => report
            .findings
            .push(Finding::warning("UNILK-RELEASE", why.to_string())),
        Err(why) => report
            .findings
            .push(Finding::problem("UNILK-HEAD", why.to_string())),
    }
}

fn ours(identity: Identity, payload: &[u8], stated: u32, report: &mut Report) {
    report.summary = format!("unilk, {}", report.summary);
    let mut facts = Facts::new("unilk", "unilk image");
    facts.add("image_bytes", report::bytes(identity.image_bytes));
    facts.add("unpacker_bytes", report::bytes(identity.unpacker_bytes));
    facts.add("plain_bytes", report::bytes(identity.plain_bytes));
    facts.add("packed_bytes", report::bytes(identity.packed_bytes));
    facts.add("unpacked_bytes", report::bytes(identity.unpacked_bytes));
    facts.add("hints_offset", report::hex(identity.hints_offset));
    report.facts.push(facts.into());
    if identity.image_bytes != stated {
        report.findings.push(Finding::problem(
            "UNILK-SIZE",
            format!(
                "image says it has {} bytes, its header {stated}: pack it again",
                identity.image_bytes
            ),
        ));
    }
    if let Err(why) = compress::unpack(payload) {
        report
            .findings
            .push(Finding::problem("UNILK-PACK", why.to_string()));
    }
    match image::hints(payload) {
        Ok(hints) => report.facts.push(listed(&hints).into()),
        Err(image::Error::Hints(why)) => report.findings.push(of_core(Finding::problem, &why)),
        Err(why) => report
            .findings
            .push(Finding::problem("UNILK-HINTS", why.to_string())),
    }
    "Flashed to UBOOT, the preloader loads it to 0x80020000 and jumps there; it unpacks itself, finds out what is fitted and boots BOOTIMG."
        .clone_into(&mut report.on_a_phone);
}

/// The hints that say something, under the names of `unilk pack`'s arguments.
fn listed(hints: &Hints<'_>) -> Facts {
    let kernel = hints.kernel.map(|kernel| match kernel {
        KernelKind::DeviceTree => "tree",
        KernelKind::VendorAtag => "vendor",
    });
    let generation = hints.generation.map(|generation| match generation {
        Generation::JellyBean => "4.2",
        Generation::KitKat => "4.4",
    });
    let mut facts = Facts::new("hints", "hints");
    for (name, value) in [
        ("panel", hints.panel),
        ("board", hints.board),
        ("kernel", kernel),
        ("generation", generation),
        ("cmdline", hints.cmdline),
    ] {
        facts.add(name, value.map_or(report::absent("none"), report::text));
    }
    facts
}

/// What can be told of somebody else's bootloader: the panels that it knows,
/// and a check that stops phones.
fn stock(payload: &[u8], report: &mut Report) {
    let set = NameSet::new(unilk_board_db::panels());
    let mut finder = Finder::new(&set);
    finder.feed(payload);
    // The last string ends where the image does.
    finder.feed(&[0]);
    let names: Vec<String> = finder.names().map(str::to_owned).collect();
    if let Some(version) = string_at(payload, b"U-Boot 20") {
        report.summary = format!("U-Boot, {}", report.summary);
        let mut facts = Facts::new("u_boot", "U-Boot");
        facts.add("version", report::text(version));
        report.facts.push(facts.into());
    } else if !names.is_empty() {
        let mut facts = Facts::new("stock", "stock LK");
        facts.add("panels", report::list(names));
        report.facts.push(facts.into());
    }
    if string_at(payload, b"TOOL DL image Fail").is_some() {
        report.findings.push(Finding::note(
            "LK-TOOLDL",
            "this build looks at the flash tool's download record at the end of the card and may refuse to boot when that is damaged: never format the last 2 MiB",
        ));
    }
}

/// The text that begins with `start`, up to what is no text.
fn string_at(payload: &[u8], start: &[u8]) -> Option<String> {
    let at = payload
        .windows(start.len())
        .position(|there| there == start)?;
    let text = payload[at..].iter().take(80);
    let text = text.take_while(|byte| matches!(byte, b' '..=b'~'));
    Some(text.map(|&byte| char::from(byte)).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::Value;
    use crate::inspect::testing::{ARM_BRANCH, codes, mutate};
    use crate::mtk;

    #[test]
    fn our_image_tells_its_parts_and_hints() {
        let mut payload = compress::example();
        let hints = Hints {
            panel: Some("ili9806e_dsi_cmd_txd"),
            ..Hints::default()
        };
        image::fill(&mut payload, &hints).unwrap();
        let report = inspect(&mtk::with_header("LK", &payload).unwrap());
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
        assert!(report.summary.starts_with("unilk"), "{}", report.summary);
        assert_eq!(
            report.value("unilk", "unpacked_bytes"),
            Some(&Value::Number(0x3000))
        );
        assert_eq!(
            report.value("hints", "panel"),
            Some(&"ili9806e_dsi_cmd_txd".into())
        );
        assert_eq!(report.value("hints", "board"), Some(&Value::None));
        // Under another name it is still ours.
        let named = mtk::with_header("MINE", &payload).unwrap();
        assert!(inspect(&named).value("unilk", "image_bytes").is_some());
    }

    #[test]
    fn a_damaged_image_of_ours_is_a_problem() {
        let good = mtk::with_header("LK", &compress::example()).unwrap();
        let mut bad = good.clone();
        let last = bad.len() - 20;
        bad[last] ^= 1;
        assert_eq!(codes(&inspect(&bad)), ["UNILK-PACK"]);
        let mut longer = good.clone();
        longer.extend([0; 8]);
        let payload = longer.len() as u32 - 512;
        longer[4..8].copy_from_slice(&payload.to_le_bytes());
        assert!(inspect(&longer).has("UNILK-SIZE"));
        mutate(&good, 100, |data| {
            let _ = inspect(&data);
        });
    }

    #[test]
    fn a_signed_payload_is_told() {
        let image = mtk::with_header("LK", b"SSSSmaker and more").unwrap();
        assert_eq!(codes(&inspect(&image)), ["LK-SIGNED"]);
    }

    #[test]
    fn panels_and_traps_of_a_stock_loader() {
        let name = unilk_board_db::panels()[0].names[0];
        let mut payload = ARM_BRANCH.to_vec();
        payload.extend_from_slice(b"\0TOOL DL image Fail!\0");
        payload.extend_from_slice(name.as_bytes());
        let report = inspect(&mtk::with_header("LK", &payload).unwrap());
        assert_eq!(
            report.value("stock", "panels"),
            Some(&Value::List(vec![name.to_owned()]))
        );
        assert_eq!(codes(&report), ["LK-TOOLDL"]);
        let mut other = ARM_BRANCH.to_vec();
        other.extend_from_slice(b"\0U-Boot 2024.10 (Oct 07 2024)\n\0");
        let report = inspect(&mtk::with_header("U-Boot", &other).unwrap());
        assert_eq!(
            report.value("u_boot", "version"),
            Some(&"U-Boot 2024.10 (Oct 07 2024)".into())
        );
    }
}
