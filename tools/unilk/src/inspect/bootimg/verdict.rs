//! What stock LK and unilk would make of a boot image.
//!
//! Stock LK's rules are those of facts/storage-and-images.md 5.3; unilk's are
//! its own code, run on the image.

use super::header::Header;
use super::report::{self, Facts, Report};
use crate::finding::Finding;
use crate::inspect::read::{self, At};
use crate::inspect::{loader, of_core, text, zimage};
use crate::mtk::{self, HEADER_BYTES};
use crate::source::{Source, Window};
use unilk_core::Code as _;
use unilk_core::bootarg::Dram;
use unilk_core::bootimg::{BootImage, Piece};
use unilk_core::kernel::{Certainty, Evidence, KernelKind, Verdict, judge};
use unilk_core::memory::{
    DeviceTreeNeeds, VENDOR_KERNEL_ADDRESS, VENDOR_RAMDISK_ADDRESS, VendorNeeds, plan_device_tree,
    plan_vendor,
};
use unilk_core::zimage::{ZImage, appended_tree};

/// Page size that stock LK has built in.
const STOCK_PAGE: u64 = 2048;

/// MediaTek's header at `offset`: name and payload bytes.
fn sub_header(source: &dyn Source, offset: u64) -> Option<(String, u32)> {
    let header = mtk::Header::parse(&read::some(source, offset, HEADER_BYTES)).ok()?;
    Some((header.name().to_owned(), header.payload_len))
}

/// `boot` or `recovery`, as far as that can be seen.
pub fn purpose(source: &dyn Source, header: &Header) -> &'static str {
    let name = header
        .section("ramdisk")
        .and_then(|ramdisk| sub_header(source, ramdisk.offset));
    match name {
        Some((name, _)) if name == "RECOVERY" => "recovery",
        _ => "boot",
    }
}

/// What stock LK does with the image, in a sentence.
pub fn stock(source: &dyn Source, header: &Header, report: &mut Report) -> String {
    let partition = stock_partition(source, header);
    let mut facts = Facts::new("stock", "stock LK");
    facts.add(
        "boots_it_from",
        match partition {
            Ok(partition) => report::text(partition),
            Err(_) => report::absent("nowhere"),
        },
    );
    report.facts.push(facts.into());
    match partition {
        Ok(partition) => {
            format!("Stock LK boots it from {partition}, with a command line of its own.")
        }
        Err(why) => {
            report.findings.push(Finding::warning(
                "BOOT-STOCK",
                format!("stock LK does not boot it: {why}"),
            ));
            "Stock LK hangs on it.".to_owned()
        }
    }
}

/// The partition from which stock LK boots it, or why it does not.
fn stock_partition(source: &dyn Source, header: &Header) -> Result<&'static str, String> {
    if header.version > 2 {
        return Err(format!(
            "header version {} has its fields elsewhere; build version 0",
            header.version
        ));
    }
    let kernel = header.section("kernel").ok_or("it has no kernel")?;
    let (name, payload) = sub_header(source, STOCK_PAGE)
        .ok_or("there is no MediaTek header 2048 bytes in, in front of the kernel")?;
    if name != "KERNEL" {
        return Err(format!(
            "its kernel's MediaTek header is named \"{}\", not \"KERNEL\"",
            report::printable(&name)
        ));
    }
    let room = u64::from(VENDOR_RAMDISK_ADDRESS - VENDOR_KERNEL_ADDRESS);
    if u64::from(payload) > room {
        return Err("its kernel would reach into the RAM disk".to_owned());
    }
    let ramdisk = (STOCK_PAGE + u64::from(kernel.len)).next_multiple_of(STOCK_PAGE);
    let (name, _) = sub_header(source, ramdisk).ok_or_else(|| {
        format!("there is no MediaTek header at {ramdisk:#x}, in front of the RAM disk")
    })?;
    match name.as_str() {
        "ROOTFS" => Ok("BOOTIMG"),
        "RECOVERY" => Ok("RECOVERY"),
        name => Err(format!(
            "its RAM disk's MediaTek header is named \"{}\", neither \"ROOTFS\" nor \"RECOVERY\"",
            report::printable(name)
        )),
    }
}

/// What unilk does with an image that holds itself.
pub const ITSELF: &str = "It holds unilk itself, which a stock LK starts like a kernel: from BOOTIMG it then boots RECOVERY, from RECOVERY it boots BOOTIMG.";

/// What unilk does with any other image, in a sentence, and the reasons as facts.
pub fn unilk(source: &dyn Source, report: &mut Report) -> String {
    let mut facts = Facts::new("unilk", "unilk");
    match choose(source) {
        Ok(choice) => {
            choice.add_to(&mut facts);
            report.facts.push(facts.into());
            choice.fit(report);
            let certainty = match choice.verdict.certainty {
                Certainty::Certain => "",
                Certainty::Likely => " (likely)",
                Certainty::Guess => " (a guess: say it with a hint)",
            };
            match choice.verdict.kind {
                KernelKind::DeviceTree => {
                    let tree = if choice.tree.is_some() {
                        "the tree that it brings"
                    } else {
                        "a generic device tree"
                    };
                    format!("unilk boots it with {tree}{certainty}.")
                }
                KernelKind::VendorAtag => {
                    format!("unilk boots it as a vendor kernel with ATAGs{certainty}.")
                }
            }
        }
        Err(finding) => {
            let code = finding.code;
            report.findings.push(finding);
            format!("unilk does not boot it ({code}) and tries the next image.")
        }
    }
}

/// Whether the kernel is unilk, packed to be started by a stock LK.
pub fn holds_unilk(source: &dyn Source) -> bool {
    let partition = u32::try_from(source.len()).unwrap_or(u32::MAX);
    BootImage::open(&mut At(source), partition)
        .is_ok_and(|image| loader::is_ours(&section(source, &image.kernel)))
}

/// What unilk would start, and how.
struct Choice {
    image: BootImage,
    zimage: ZImage,
    tree: Option<u32>,
    verdict: Verdict,
    kernel: unilk_core::zimage::KernelSize,
}

/// Does what the bootloader does before it loads anything.
fn choose(source: &dyn Source) -> Result<Choice, Finding> {
    let partition = u32::try_from(source.len()).unwrap_or(u32::MAX);
    let image =
        BootImage::open(&mut At(source), partition).map_err(|why| problem(why.code(), &why))?;
    let window = section(source, &image.kernel);
    let head = read::some(&window, 0, unilk_core::zimage::HEAD_LEN);
    let zimage = ZImage::parse(&head, image.kernel.len).map_err(|why| problem(why.code(), &why))?;
    let appended = appended_tree(&zimage, &mut At(&window), image.kernel.len)
        .map_err(|why| problem(why.code(), &why))?;
    let tree = image
        .tree
        .map(|tree| tree.len)
        .or(appended.map(|(_, len)| len));
    let verdict = judge(&Evidence {
        zimage: &zimage,
        section: &image.kernel,
        has_tree: tree.is_some(),
        hint: None,
        generation_hint: None,
    });
    Ok(Choice {
        kernel: zimage.kernel_size(&mut At(&window)),
        image,
        zimage,
        tree,
        verdict,
    })
}

fn problem(code: &'static str, why: &dyn std::fmt::Display) -> Finding {
    Finding::problem(code, format!("unilk does not boot it: {why}"))
}

fn section<'a>(source: &'a dyn Source, piece: &Piece) -> Window<&'a dyn Source> {
    Window::new(source, piece.offset.into(), piece.len.into())
}

impl Choice {
    fn add_to(&self, facts: &mut Facts) {
        let (hand_off, spoken) = match self.verdict.kind {
            KernelKind::DeviceTree => ("device-tree", "device tree"),
            KernelKind::VendorAtag => ("atags", "ATAGs, as the vendor's 3.4 kernels take them"),
        };
        facts.add(
            "hand_off",
            report::Cell {
                text: spoken.to_owned(),
                value: hand_off.into(),
            },
        );
        let reasons = self.verdict.reasons.iter().map(|&why| why.to_owned());
        facts.add("reasons", report::list(reasons.collect()));
        facts.add(
            "placement",
            report::text(zimage::placement(self.zimage.placement)),
        );
    }

    /// Whether it fits the smallest phone, and the usual one.
    fn fit(&self, report: &mut Report) {
        const MIB: u32 = 1 << 20;
        let usual = Dram::new(&[512 * MIB]).unwrap_or(Dram::smallest());
        for (dram, severity) in [
            (
                usual,
                Finding::problem as fn(&'static str, String) -> Finding,
            ),
            (Dram::smallest(), Finding::warning),
        ] {
            if let Err(why) = self.plan(&dram) {
                let size = text::size(dram.total().into());
                let mut finding = of_core(severity, &why);
                finding.text = format!("on a phone with {size} of memory: {}", finding.text);
                report.findings.push(finding);
                return;
            }
        }
    }

    fn plan(&self, dram: &Dram) -> Result<(), unilk_core::memory::MemoryError> {
        let ramdisk_len = self.image.ramdisk.map_or(0, |ramdisk| ramdisk.len);
        match self.verdict.kind {
            KernelKind::DeviceTree => plan_device_tree(
                dram,
                &DeviceTreeNeeds {
                    placement: self.zimage.placement,
                    zimage_len: self.image.kernel.len,
                    kernel: self.kernel,
                    tree_len: self.tree.unwrap_or(0x1_0000),
                    ramdisk_len,
                    in_use: &[],
                },
            )
            .map(|_| ()),
            KernelKind::VendorAtag => plan_vendor(
                dram,
                &VendorNeeds {
                    zimage_len: self.zimage.len,
                    kernel: self.kernel,
                    ramdisk_len,
                    in_use: &[],
                },
            )
            .map(|_| ()),
        }
    }
}
