//! A model of a stock LK: what the vendor's second stage does between the
//! preloader's jump and the first instruction of what lies in BOOTIMG or
//! RECOVERY, as far as that can notice.
//!
//! An image that is to be started this way must pass the rules of that loader:
//! where it breaks one, the real loader loops for ever, and so the run ends here.
//! A board file has it run by `[boot.stock_loader]`.
//! Source: facts/storage-and-images.md 5.3, 6.1 to 6.3; facts/soc.md 12.1, 12.2.

mod image;
mod state;
mod tags;

use crate::board::StockLoader;
use crate::machine::bootrom::Handover;
use crate::preloader::scratch::{self, GARBAGE};
use crate::preloader::{Outcome, Phone};

/// Where the kernel goes and is entered.
const KERNEL: u32 = 0x8010_8000;
/// Where the tags go.
const TAGS: u32 = 0x8010_0100;
/// Machine type of the vendor's kernels.
const MACHINE: u32 = 6572;
/// The loader's own memory: image, heap, stacks, and what it copied its boot
/// argument from.
const OWN: (u32, u32) = (0x8002_0000, 0xE_0000);
/// SCTLR as it leaves it: caches, MMU and branch prediction off again.
const SCTLR: u32 = 0x00C5_0078;

/// Runs from the preloader's jump to the kernel's first instruction.
pub fn run(phone: &mut Phone<'_>, loader: &StockLoader, boot_reason: u32) -> Outcome {
    state::take_over(phone);
    scratch::fill(phone.host, OWN.0, OWN.1);
    let ramdisk = match image::load(phone, loader.recovery) {
        Ok(ramdisk) => ramdisk,
        Err(why) => {
            let why = format!("stock loader hangs: {why}");
            phone.log(why.clone());
            return Outcome::Hangs { why };
        }
    };
    let list = tags::list(phone.machine.board(), loader, boot_reason, ramdisk);
    phone.host.write(TAGS, &list);
    state::leave(phone);
    phone.log(format!(
        "stock loader jumps to {KERNEL:#x}, tags at {TAGS:#x}"
    ));
    Outcome::Jump(Handover {
        entry: KERNEL,
        sctlr: SCTLR,
        vbar: OWN.0,
        sp: OWN.0 + OWN.1 - 0x100,
        registers: [0, MACHINE, TAGS, GARBAGE, GARBAGE, GARBAGE],
    })
}
