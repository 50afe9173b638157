//! Whether an image belongs where it is to go, and starts there.
//!
//! Source: facts/storage-and-images.md 1.3, 1.4, 1.6, 2.3, 5.

use crate::finding::Finding;
use crate::layout::Partition;
use crate::mtk::{HEADER_BYTES, Header, LK_PAYLOAD_MAX};
use crate::recognise::{HEAD_BYTES, Kind};
use crate::source::Source;
use crate::{bytes::u32_at, sparse};
use std::io;
use unilk_core::block::ReadAt;
use unilk_core::bootimg::BootImage;
use unilk_core::partition::canonical;

/// What is wrong with `image` as the contents of `partition`.
pub fn image(partition: &Partition, image: &dyn Source) -> io::Result<Vec<Finding>> {
    let head = image.read_some(0, HEAD_BYTES)?;
    let kind = Kind::of(&head);
    let mut findings = Vec::new();
    size(partition, image, &head, &mut findings);
    let mut problem = |code, text: String| findings.push(Finding::problem(code, text));
    if matches!(kind, Kind::Preloader | Kind::Signed) {
        problem(
            "PLAN-KIND",
            format!("it is {}, which is never written", kind.describe()),
        );
        return Ok(findings);
    }
    match canonical(&partition.name) {
        "UBOOT" => match kind {
            Kind::MediatekImage => loader(image, &head, &mut findings)?,
            kind => problem(
                "PLAN-KIND",
                format!(
                    "it is {}; UBOOT takes a bootloader with MediaTek's header (`unilk pack` makes \
                     one)",
                    kind.describe()
                ),
            ),
        },
        "BOOTIMG" | "RECOVERY" => match kind {
            Kind::BootImage => boot_image(image, &mut findings),
            kind => problem(
                "PLAN-KIND",
                format!("it is {}, expected an Android boot image", kind.describe()),
            ),
        },
        "LOGO" => logo(image, &head, &mut findings),
        _ if matches!(kind, Kind::BootImage | Kind::MediatekImage) => problem(
            "PLAN-KIND",
            format!("it is {}, which does not belong there", kind.describe()),
        ),
        _ => {}
    }
    Ok(findings)
}

/// A sparse image is written as what it stands for.
fn size(partition: &Partition, image: &dyn Source, head: &[u8], findings: &mut Vec<Finding>) {
    let bytes = if sparse::is_sparse(head) {
        match sparse::open(image) {
            Ok(whole) => whole.len(),
            Err(why) => {
                findings.push(Finding::problem("PLAN-SPARSE", why.to_string()));
                return;
            }
        }
    } else {
        image.len()
    };
    // 0 is the rest of the card, whose size the file does not know.
    if bytes > partition.size && partition.size > 0 {
        let text = format!(
            "it has {bytes:#x} bytes, the partition {:#x}: it would write over what follows",
            partition.size
        );
        findings.push(Finding::problem("PLAN-SIZE", text));
    }
    if bytes == 0 {
        findings.push(Finding::problem("PLAN-SIZE", "it is empty"));
    }
}

/// The rules for an lk.bin. The preloader checks the magic and nothing else.
fn loader(image: &dyn Source, head: &[u8], findings: &mut Vec<Finding>) -> io::Result<()> {
    let header = match Header::parse(head) {
        Ok(header) => header,
        Err(why) => {
            findings.push(Finding::problem("PLAN-HEADER", why.to_string()));
            return Ok(());
        }
    };
    let payload = u64::from(header.payload_len);
    let mut problem = |text: String| findings.push(Finding::problem("PLAN-HEADER", text));
    if payload == 0 || payload > LK_PAYLOAD_MAX as u64 {
        problem(format!(
            "its header announces {payload:#x} bytes of payload, possible are 1 to \
             {LK_PAYLOAD_MAX:#x}: the preloader would load over its own buffers"
        ));
    }
    if image.len() < HEADER_BYTES as u64 + payload {
        problem(format!(
            "it has {:#x} bytes, but its header announces {:#x}: it is cut off",
            image.len(),
            HEADER_BYTES as u64 + payload
        ));
    }
    if header.later_chip {
        problem("it has the extended header of later chips".to_owned());
    }
    if !["LK", "UBOOT", "U-Boot", "unilk"].contains(&header.name()) {
        problem(format!(
            "its header is named {}, a bootloader's LK",
            header.name().escape_default()
        ));
    }
    let body = image.read_some(HEADER_BYTES as u64, HEAD_BYTES)?;
    match Kind::of(&body) {
        Kind::Unknown | Kind::ZImage => {}
        kind => problem(format!("behind its header is {}", kind.describe())),
    }
    // An unconditional branch, as every known loader begins.
    if u32_at(&body, 0).is_some_and(|word| word >> 24 != 0xEA) {
        let text = "its first word is no ARM branch, as all known bootloaders begin with";
        findings.push(Finding::warning("PLAN-CODE", text));
    }
    Ok(())
}

/// A source that parsers of the bootloader read.
struct At<'a>(&'a dyn Source);

impl ReadAt for At<'_> {
    type Error = io::Error;

    fn read_at(&mut self, offset: u32, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(u64::from(offset), out)
    }
}

fn boot_image(image: &dyn Source, findings: &mut Vec<Finding>) {
    // By the file's own end: what is cut off is not whole in a partition either.
    let bytes = u32::try_from(image.len()).unwrap_or(u32::MAX);
    if let Err(why) = BootImage::open(&mut At(image), bytes) {
        let text = format!("it is a damaged boot image, or is cut off: {why}");
        findings.push(Finding::problem("PLAN-BOOTIMG", text));
    }
}

fn logo(image: &dyn Source, head: &[u8], findings: &mut Vec<Finding>) {
    let text = match Header::parse(head) {
        Err(why) => format!("it has no header of a logo: {why}"),
        Ok(header) if header.name() != "LOGO" => format!(
            "its header is named {}, loaders want LOGO",
            header.name().escape_default()
        ),
        Ok(header) if image.len() < HEADER_BYTES as u64 + u64::from(header.payload_len) => {
            "it is cut off: its header announces more than there is".to_owned()
        }
        Ok(_) => return,
    };
    findings.push(Finding::problem("PLAN-LOGO", text));
}
