//! MediaTek's 512-byte header and what follows it: `lk.bin`, logos, kernels,
//! RAM disks, and dumps of the partitions that hold them.
//!
//! Source: facts/storage-and-images.md 1.1 to 1.6.

use super::Level;
use super::report::{self, Facts, Report};
use super::{loader, logo, of_core, part, read, text};
use crate::bytes::u32_at;
use crate::finding::Finding;
use crate::mtk::{self, HEADER_BYTES, Header, LK_PAYLOAD_MAX};
use crate::recognise::Kind;
use crate::source::{Source, Window};

/// Names under which stock and other bootloaders lie in UBOOT.
const LOADER_NAMES: [&str; 6] = ["LK", "lk", "UBOOT", "U-Boot", "u-boot", "unilk"];
const NOT_GIVEN: u32 = u32::MAX;

/// What a payload is for, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Loader,
    Logo,
    Kernel,
    Ramdisk,
    Other,
}

impl Role {
    fn of(name: &str) -> Self {
        match name {
            "LOGO" => Self::Logo,
            "KERNEL" => Self::Kernel,
            "ROOTFS" | "RECOVERY" => Self::Ramdisk,
            name if LOADER_NAMES.contains(&name) => Self::Loader,
            _ => Self::Other,
        }
    }

    const fn part_name(self) -> &'static str {
        match self {
            Self::Loader => "bootloader",
            Self::Logo => "pictures",
            Self::Kernel => "kernel",
            Self::Ramdisk => "ramdisk",
            Self::Other => "payload",
        }
    }
}

/// What `source`, which begins with the magic, holds; `head` are its first
/// bytes.
pub fn look(source: &dyn Source, head: &[u8], level: Level) -> Option<Report> {
    let header = head.get(..HEADER_BYTES);
    let payload_len = u32_at(head, 4)?;
    let raw_name = crate::bytes::text(head.get(8..40).unwrap_or_default());
    let role = Role::of(&raw_name);
    let mut report = Report::new(Kind::MediatekImage, source.len(), "");
    report.summary = summary(role, &raw_name, payload_len);
    report
        .facts
        .push(fields(head, &raw_name, payload_len).into());
    report.findings = header_findings(head, role);
    let Some(header) = header else {
        return Some(report);
    };
    let room = source.len() - HEADER_BYTES as u64;
    let there = room.min(payload_len.into());
    if there < payload_len.into() {
        report.findings.push(Finding::problem(
            "LK-CUT",
            format!(
                "ends after {there} of {payload_len} payload bytes: the copy was cut off, make it again"
            ),
        ));
    }
    behind(source, HEADER_BYTES as u64 + there, &mut report);
    padding(header, &mut report);
    let payload = Window::new(source, HEADER_BYTES as u64, there);
    match role {
        Role::Logo => logo::add_to(source, &mut report),
        Role::Loader => loader::add_to(&payload, payload_len, &mut report),
        Role::Other if loader::is_ours(&payload) => {
            loader::add_to(&payload, payload_len, &mut report);
        }
        _ => report.parts.push(part(
            source,
            role.part_name(),
            HEADER_BYTES as u64,
            there,
            level,
        )),
    }
    if report.on_a_phone.is_empty() {
        report.on_a_phone = on_a_phone(role, &raw_name);
    }
    Some(report)
}

fn summary(role: Role, name: &str, payload: u32) -> String {
    let what = match role {
        Role::Loader => "bootloader image for UBOOT",
        Role::Logo => "boot logo",
        Role::Kernel => "kernel with MediaTek's header",
        Role::Ramdisk => "RAM disk with MediaTek's header",
        Role::Other => "image with MediaTek's header",
    };
    format!(
        "{what} \"{}\", payload {}",
        report::printable(name),
        text::size(payload.into())
    )
}

fn fields(head: &[u8], name: &str, payload: u32) -> Facts {
    let mut facts = Facts::new("header", "MediaTek header");
    facts.add("name", report::text(name));
    facts.add("payload_bytes", report::bytes(payload));
    let given = |at| match u32_at(head, at) {
        None | Some(NOT_GIVEN) => report::absent("not given"),
        Some(word) => report::address(word),
    };
    facts.add("load_address", given(0x28));
    facts.add("mode", given(0x2C));
    facts
}

/// What the header alone is to blame for.
fn header_findings(head: &[u8], role: Role) -> Vec<Finding> {
    let header = match Header::parse(head) {
        Ok(header) => header,
        Err(why) => {
            // A stock loader takes any name for UBOOT, and shows no logo.
            let severity = match why {
                mtk::Error::Name => Finding::warning,
                _ => Finding::problem,
            };
            return vec![of_core(severity, &why)];
        }
    };
    let mut findings = Vec::new();
    if header.later_chip {
        findings.push(Finding::problem(
            "LK-LATER",
            "has the header extension of later chips (0x58891689 at 0x30): this image was made for another chip",
        ));
    }
    if role == Role::Loader && header.payload_len as usize > LK_PAYLOAD_MAX {
        let why = mtk::Error::TooBig {
            payload: header.payload_len,
            room: LK_PAYLOAD_MAX as u32,
        };
        findings.push(of_core(Finding::problem, &why));
    }
    if header.load_address.is_some() || header.mode.is_some() {
        findings.push(Finding::note(
            "LK-ADDRESS",
            "gives a load address or mode, as packers of Android 4.4 and later do: MT6572 loaders ignore both",
        ));
    }
    findings
}

/// From 0x30 on a header is 0xFF, unless it has the extension of later chips.
fn padding(header: &[u8], report: &mut Report) {
    let later = Header::parse(header).is_ok_and(|header| header.later_chip);
    if !later && header[0x30..].iter().any(|&byte| byte != 0xFF) {
        report.findings.push(Finding::note(
            "LK-PAD",
            "header is not padded with 0xFF as MediaTek's packers do: nobody checks it, but the file was made or changed by another tool",
        ));
    }
}

/// What lies behind the payload: nothing, padding to a page, the rest of a
/// partition's dump, or something that does not belong there.
fn behind(source: &dyn Source, end: u64, report: &mut Report) {
    /// More than any of these partitions has.
    const MOST: u64 = 32 << 20;
    /// Sections of boot images are padded to a page.
    const PAGE: u64 = 4096;
    let rest = source.len().saturating_sub(end);
    if rest == 0 {
        return;
    }
    let mut fills = [true; 2];
    let all = read::through(source, end, rest.min(MOST), &mut |piece| {
        fills[0] &= piece.iter().all(|&byte| byte == 0);
        fills[1] &= piece.iter().all(|&byte| byte == 0xFF);
        fills[0] || fills[1]
    });
    if all && rest < PAGE {
        return;
    }
    let size = text::size(rest);
    report.findings.push(if all {
        Finding::note(
            "LK-REST",
            format!("{size} of {} follow the payload: this is the dump of a partition, or padded to its size",
                if fills[0] { "zeros" } else { "0xFF" }),
        )
    } else {
        Finding::note(
            "LK-REST",
            format!("{size} of other data follow the payload, which no loader reads: remains of an earlier, larger image, or the dump of more than this"),
        )
    });
}

fn on_a_phone(role: Role, name: &str) -> String {
    match role {
        Role::Loader => "Flashed to UBOOT, the preloader copies the payload to 0x80020000 and jumps there; it checks the magic number and nothing else.".to_owned(),
        Role::Logo => "Flashed to LOGO, the bootloader shows picture 0 if it has exactly the pixels of the panel.".to_owned(),
        Role::Kernel => "Part of a boot image: stock LK enters this kernel at 0x80108000. Not to be flashed by itself.".to_owned(),
        Role::Ramdisk => format!(
            "Part of a boot image for {}: stock LK copies it to 0x84100000. Not to be flashed by itself.",
            if name == "RECOVERY" { "RECOVERY" } else { "BOOTIMG" }
        ),
        Role::Other => "Stock LK compares this name with the partition's and takes nothing else; the preloader takes any name from UBOOT.".to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::Value;
    use crate::inspect::testing::{ARM_BRANCH, codes, mutate};

    fn lk(len: usize) -> Vec<u8> {
        let mut payload = ARM_BRANCH.to_vec();
        payload.resize(len, 0x5A);
        mtk::with_header("LK", &payload).unwrap()
    }

    #[test]
    fn a_stock_lk_is_explained() {
        // facts/storage-and-images.md 1.2: sizes of the A516's.
        let report = inspect(&lk(0x3_E570));
        assert_eq!(report.kind, Kind::MediatekImage);
        assert_eq!(report.bytes, 255_856);
        assert_eq!(
            report.value("header", "payload_bytes"),
            Some(&Value::Number(0x3_E570))
        );
        assert_eq!(report.value("header", "load_address"), Some(&Value::None));
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
        assert!(report.on_a_phone.contains("0x80020000"));
    }

    #[test]
    fn the_limit_of_the_partition_is_exact() {
        assert!(!inspect(&lk(0x5_FE00)).has("LK-SIZE"));
        assert!(inspect(&lk(0x5_FE01)).has("LK-SIZE"));
        // Only for a bootloader.
        let kernel = mtk::with_header("KERNEL", &vec![0; 0x6_0000]).unwrap();
        assert!(!inspect(&kernel).has("LK-SIZE"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = lk(0x1000);
        assert_eq!(codes(&inspect(&&good[..good.len() - 1])), ["LK-CUT"]);
        assert_eq!(codes(&inspect(&&good[..100])), ["LK-SHORT"]);
        let with = |at: usize, bytes: &[u8]| {
            let mut image = good.clone();
            image[at..at + bytes.len()].copy_from_slice(bytes);
            codes(&inspect(&image))
        };
        assert_eq!(with(4, &[0; 4]), ["LK-EMPTY", "LK-REST"]);
        assert_eq!(with(0x2C, &[1, 0, 0, 0]), ["LK-ADDRESS"]);
        assert_eq!(with(0x30, &0x5889_1689u32.to_le_bytes()), ["LK-LATER"]);
        assert_eq!(with(0x100, &[0]), ["LK-PAD"]);
        assert_eq!(with(0x200, &[0; 4]), ["LK-ENTRY"]);
        let mut odd = good.clone();
        odd[8] = 0xFF;
        assert!(inspect(&odd).has("LK-NAME"));
    }

    #[test]
    fn a_partition_dump_is_told_from_garbage_behind() {
        let mut dump = lk(0x1000);
        dump.resize(0x6_0000, 0xFF);
        let report = inspect(&dump);
        assert!(report.findings[0].text.contains("dump of a partition"));
        dump[0x5_0000] = 1;
        assert!(inspect(&dump).findings[0].text.contains("other data"));
    }

    #[test]
    fn any_bytes_return() {
        mutate(&lk(0x1000), 300, |data| {
            let _ = inspect(&data);
        });
    }
}
