//! MediaTek's secure-boot wrapper, security region and lock state: recognised
//! and summed up. Keys and encrypted bodies are never shown.
//!
//! Source: facts/storage-and-images.md 1.5, 4.8.

use super::Level;
use super::report::{self, Cell, Facts, Report};
use super::{part, text};
use crate::bytes::{text as field_text, u32_at};
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::Source;

/// Bytes of the wrapper's header.
const SIGNED_HEADER: u64 = 64;

/// What `source`, which begins with "SSSS", holds.
pub fn signed(source: &dyn Source, head: &[u8], level: Level) -> Report {
    let mut report = Report::new(
        Kind::Signed,
        source.len(),
        "image in MediaTek's secure-boot wrapper",
    );
    "A phone whose secure boot is fused takes only images signed with its maker's key; one that is not looks for MediaTek's header in UBOOT and finds this instead: do not flash it there."
        .clone_into(&mut report.on_a_phone);
    let word = |at| u32_at(head, at);
    let (Some(len), Some(offset), Some(signature_len)) = (word(0x28), word(0x2C), word(0x3C))
    else {
        report.findings.push(Finding::problem(
            "SIGN-CUT",
            "ends within its header of 64 bytes: the copy was cut off",
        ));
        return report;
    };
    let mut facts = Facts::new("wrapper", "wrapper");
    facts.add("customer", report::text(field_text(&head[4..36])));
    facts.add("version", report::hex(word(0x24).unwrap_or(0)));
    facts.add("image_bytes", report::bytes(len));
    facts.add("image_offset", report::hex(offset));
    facts.add("signature_bytes", report::count(signature_len));
    facts.add("signature_offset", report::hex(word(0x38).unwrap_or(0)));
    report.facts.push(facts.into());
    let start = u64::from(offset).max(SIGNED_HEADER);
    let end = start + u64::from(len);
    if end > source.len() {
        report.findings.push(Finding::problem(
            "SIGN-CUT",
            format!(
                "image inside ends at {end:#x}, the file at {:#x}",
                source.len()
            ),
        ));
    }
    if start < source.len() {
        report
            .parts
            .push(part(source, "image", start, len.into(), level));
    }
    report
}

/// What `source`, which begins with "AND_AC_REGION", holds.
pub fn secro(source: &dyn Source, head: &[u8]) -> Option<Report> {
    let mut report = Report::new(Kind::SecRo, source.len(), "security region (SECRO)");
    "Read by preloader and LK where secure boot is on. It is this phone's, holds key material and is never written: keep it in a backup and do not publish it."
        .clone_into(&mut report.on_a_phone);
    let word = |at| u32_at(head, at);
    if head.len() < 0x100 {
        report.findings.push(Finding::problem(
            "SECRO-CUT",
            "ends within its header: the copy was cut off",
        ));
        return Some(report);
    }
    let mut facts = Facts::new("region", "security region");
    let (len, offset) = (word(0x14)?, word(0x18)?);
    facts.add("region_bytes", report::bytes(len));
    facts.add("region_offset", report::hex(offset));
    facts.add("hash_bytes", report::count(word(0x1C)?));
    facts.add("hash_offset", report::hex(word(0x20)?));
    report.facts.push(facts.into());
    if word(0x10) != Some(0x4848_4848) {
        report.findings.push(Finding::problem(
            "SECRO-MARK",
            "has no mark 48 48 48 48 at 0x10: it is damaged",
        ));
    }
    if u64::from(offset) + u64::from(len) > source.len() {
        report.findings.push(Finding::problem(
            "SECRO-CUT",
            format!("region of {len:#x} bytes ends behind the file: the copy was cut off"),
        ));
    }
    if word(0x70) == Some(0x5757_5757) {
        report.facts.push(policy(head).into());
    } else {
        report.findings.push(Finding::note(
            "SECRO-POLICY",
            "has no policy where the known ones have it",
        ));
    }
    Some(report)
}

/// What is to be checked at boot; no keys are near.
fn policy(head: &[u8]) -> Facts {
    let word = |at| u32_at(head, at).unwrap_or(0);
    let check = |at| Cell {
        text: match word(at) {
            1 => "checked".to_owned(),
            2 => "not checked".to_owned(),
            other => format!("{other}"),
        },
        value: word(at).into(),
    };
    let mut facts = Facts::new("policy", "policy");
    facts.add("flashtool_unlock", report::flag(word(0x74) != 0));
    for (at, key) in [
        (0x8C, "second_loader"),
        (0x90, "logo"),
        (0x94, "boot"),
        (0x98, "recovery"),
        (0x9C, "system"),
        (0xA0, "others"),
    ] {
        facts.add(key, check(at));
    }
    facts.add("fastboot_unlock", report::flag(word(0xA4) != 0));
    facts
}

/// What `source`, which begins with "AND_SECCFG_v", holds.
pub fn seccfg(source: &dyn Source, head: &[u8]) -> Report {
    const LOCKED: u32 = 0x0100_0000;
    const UNLOCKED: u32 = 0x07F2_0000;
    const END: u32 = 0x4545_4545;
    let mut report = Report::new(Kind::SecCfg, source.len(), "lock state (SECCFG)");
    "Says whether this phone is locked and which images its loader found good. It is this phone's and never written: keep it in a backup."
        .clone_into(&mut report.on_a_phone);
    let word = |at| u32_at(head, at);
    let (Some(magic), Some(version), Some(size), Some(body_at), Some(body_len)) =
        (word(0x10), word(0x14), word(0x18), word(0x1C), word(0x20))
    else {
        report.findings.push(Finding::problem(
            "SECCFG-CUT",
            "ends within its header: the copy was cut off",
        ));
        return report;
    };
    let state = match body_len {
        LOCKED => "locked",
        UNLOCKED => "unlocked",
        _ => "not told",
    };
    report.summary = format!("lock state (SECCFG), {state}");
    let mut facts = Facts::new("state", "lock state");
    facts.add("version", report::count(version));
    facts.add("state", report::text(state));
    facts.add("state_bytes", report::bytes(size));
    facts.add("body_offset", report::hex(body_at));
    report.facts.push(facts.into());
    if magic != 0x4D4D_4D4D {
        report.findings.push(Finding::problem(
            "SECCFG-MARK",
            "has no mark 4D 4D 4D 4D at 0x10: it is damaged",
        ));
    }
    let end = (size as usize).checked_sub(4).and_then(word);
    if u64::from(size) > source.len() {
        report.findings.push(Finding::problem(
            "SECCFG-CUT",
            format!(
                "says it has {}, there are {}: the copy was cut off",
                text::size(size.into()),
                text::size(source.len())
            ),
        ));
    } else if end != Some(END) {
        report.findings.push(Finding::warning(
            "SECCFG-END",
            "has no mark 45 45 45 45 at its end: it is damaged, or of a version not known",
        ));
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::Value;
    use crate::inspect::testing::{codes, mutate, put};

    fn secro_image() -> Vec<u8> {
        let mut image = vec![0; 0x2C00];
        image[..13].copy_from_slice(b"AND_AC_REGION");
        put(
            &mut image,
            &[
                (0x10, 0x4848_4848),
                (0x14, 0x2BC0),
                (0x18, 0x40),
                (0x1C, 0x14),
                (0x20, 0x2BE0),
                (0x40, 0x4141_4141),
                (0x70, 0x5757_5757),
                (0x8C, 1),
                (0x90, 2),
            ],
        );
        image[0x44..0x64].copy_from_slice(b"this is the key of the SIM lock!");
        image
    }

    #[test]
    fn secro_is_summed_up_without_its_keys() {
        let image = secro_image();
        let report = inspect(&image);
        assert_eq!(report.kind, Kind::SecRo);
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
        assert_eq!(report.value("policy", "second_loader"), Some(&1u32.into()));
        let all = format!("{report:?}");
        assert!(!all.contains("the key") && !all.contains("746865206b6579"));
        assert_eq!(codes(&inspect(&&image[..0x2BFF])), ["SECRO-CUT"]);
        let mut bad = image.clone();
        bad[0x10] = 0;
        bad[0x70] = 0;
        assert_eq!(codes(&inspect(&bad)), ["SECRO-MARK", "SECRO-POLICY"]);
        mutate(&image, 300, |data| {
            let _ = inspect(&data);
        });
    }

    #[test]
    fn seccfg_tells_its_lock() {
        let mut image = vec![0; 0x1860];
        image[..12].copy_from_slice(b"AND_SECCFG_v");
        put(
            &mut image,
            &[
                (0x10, 0x4D4D_4D4D),
                (0x14, 3),
                (0x18, 0x1860),
                (0x20, 0x07F2_0000),
                (0x185C, 0x4545_4545),
            ],
        );
        let report = inspect(&image);
        assert_eq!(report.kind, Kind::SecCfg);
        assert!(codes(&report).is_empty());
        assert_eq!(report.value("state", "state"), Some(&"unlocked".into()));
        assert_eq!(codes(&inspect(&&image[..0x1000])), ["SECCFG-CUT"]);
        let mut bad = image.clone();
        bad[0x185C] = 0;
        assert_eq!(codes(&inspect(&bad)), ["SECCFG-END"]);
        mutate(&image, 300, |data| {
            let _ = inspect(&data);
        });
    }

    #[test]
    fn a_signed_image_shows_what_is_inside() {
        let mut image = vec![0; 64];
        image[..4].copy_from_slice(b"SSSS");
        image[4..9].copy_from_slice(b"maker");
        let inside = crate::mtk::with_header("LK", &[0xEA; 16]).unwrap_or_default();
        put(
            &mut image,
            &[(0x28, inside.len() as u32), (0x2C, 0x40), (0x3C, 128)],
        );
        image.extend(&inside);
        let report = inspect(&image);
        assert_eq!(report.kind, Kind::Signed);
        assert_eq!(report.value("wrapper", "customer"), Some(&"maker".into()));
        assert_eq!(report.parts[0].report.kind, Kind::MediatekImage);
        assert_eq!(
            report.value("wrapper", "signature_bytes"),
            Some(&Value::Number(128))
        );
        mutate(&image, 300, |data| {
            let _ = inspect(&data);
        });
    }
}
