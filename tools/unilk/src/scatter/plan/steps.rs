//! What a person does with a plan, in words: SP Flash Tool, mtkclient, and the
//! check afterwards.
//!
//! Source: facts/storage-and-images.md 4.1, 11.2, 11.3, 11.6.

use super::{Plan, Planned, UBOOT};
use crate::scatter::Grammar;
use std::fmt::Write as _;
use unilk_core::partition::canonical;

/// What is known of the phone besides its scatter file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Phone {
    /// Bytes of boot areas and RPMB of its card; addresses of mtkclient depend
    /// on it.
    pub hardware_bytes: Option<u64>,
}

const SECTOR: u64 = 512;

impl Planned {
    /// Where its first byte is in the user area.
    fn user_offset(&self, phone: Phone) -> u64 {
        phone
            .hardware_bytes
            .and_then(|hardware| self.linear.checked_sub(hardware))
            .unwrap_or(self.logical)
    }
}

/// The instructions for `plan`, whose scatter file is called `scatter`.
pub fn instructions(plan: &Plan, scatter: &str, phone: Phone) -> String {
    let names: Vec<&str> = plan.planned.iter().map(|p| p.partition.as_str()).collect();
    let names = names.join(", ");
    let mut text = String::new();
    let _ = write!(
        text,
        "Before: back up this phone\n  \
           mtk r preloader preloader.bin --parttype boot1\n  \
           mtk rf dump.bin\n  \
           mtk r uboot uboot.old\n  \
           unilk scatter lint {scatter} --against dump.bin\n\
         \n\
         With SP Flash Tool\n  \
           1. Load {scatter} of this folder.\n  \
           2. Choose \"Download Only\". Never \"Firmware Upgrade\" or \"Format All\".\n  \
           3. Ticked must be {names}, and nothing else.\n  \
           4. Press Download, then connect the phone, switched off.\n"
    );
    if plan.grammar == Grammar::Old {
        for planned in &plan.planned {
            let _ = writeln!(
                text,
                "     This old kind of scatter file names no images: click the line {} and choose {}.",
                planned.partition, planned.file
            );
        }
    }
    text += "\nOr with mtkclient\n";
    if phone.hardware_bytes.is_none() {
        text += "  Offsets hold where the MBR is the first sector of the user area, as on most \
                 phones.\n";
    }
    for planned in &plan.planned {
        let offset = planned.user_offset(phone);
        let name = planned.partition.to_ascii_lowercase();
        if canonical(&planned.partition) == UBOOT {
            let _ = writeln!(
                text,
                "  mtk ro {offset:#x} 0x200 before.bin     must begin with 88 16 88 58; if not, stop: \
                 the layout is another phone's"
            );
        }
        let _ = writeln!(text, "  mtk w {name} {}", planned.file);
    }
    text += "\nAfterwards, before the phone is started: read back and compare\n";
    for planned in &plan.planned {
        let offset = planned.user_offset(phone);
        let len = planned.bytes.next_multiple_of(SECTOR);
        let name = planned.partition.to_ascii_lowercase();
        let _ = writeln!(text, "  mtk ro {offset:#x} {len:#x} {name}.read");
        let _ = writeln!(
            text,
            "  cmp -n {} {} {name}.read",
            planned.bytes, planned.file
        );
    }
    text += "  mtk r nvram nvram.read\n  \
               mtk r mbr mbr.read\n  \
               unilk emmc extract dump.bin --part NVRAM --part MBR -o before\n  \
               cmp nvram.read before/NVRAM.img\n  \
               cmp mbr.read before/MBR.img\n\
             \nIf the phone does not start: take the battery out and in again and connect USB without \
             pressing a key.\nThe preloader (USB 0e8d:2000) answers for some seconds, whatever is \
             in UBOOT, and the old image goes\nback the same way: mtk w uboot uboot.old\n";
    text
}
