//! The ATAG list for the vendor's 3.4 kernels.
//!
//! Source: facts/storage-and-images.md 5.5, 6.1 to 6.3; facts/soc.md 3.5.

use mt6572_hal::time::{self, Micros};
use unilk_core::Code;
use unilk_core::atags::{Atags, MACHINE_TYPE};
use unilk_core::bootarg::Bank;
use unilk_core::cmdline::{self, VendorLine};
use unilk_core::kernel::Generation;
use unilk_core::memory::{KERNEL_MEMORY_START, VendorPlan};
use unilk_core::screen::FramebufferLayout;
use unilk_core::watchdog;

use super::{Kernel, serial_number};
use crate::load::{Opened, Problem, dram};
use crate::log::say;
use crate::parts::Parts;
use crate::wake::Phone;

/// As the preloader gives us: the vendor kernel takes the dog over.
const KERNEL_WATCHDOG: Micros = Micros::from_ms(16_000);

/// Writes the tags to their place in `plan`.
pub fn write(
    phone: &Phone,
    parts: &Parts,
    opened: &Opened,
    plan: &VendorPlan,
    generation: Generation,
) -> Result<Kernel, Problem> {
    let serial = serial_number(phone);
    let (main, extra) = opened.image.cmdline();
    let uptime = time::uptime();
    let panel = parts
        .vendor_panel()
        .or_else(|| Some((phone.hints.panel?, true)));
    let framebuffer = hand_over(phone, parts, generation);
    let line = cmdline::vendor(&VendorLine {
        generation,
        log_port: phone.argument.log_port,
        panel: panel.map(|(name, _)| name),
        panel_found: panel.is_some_and(|(_, found)| found),
        // 60 where no video runs, as the vendor's loader has it.
        fps_x100: Some(parts.fps_x100().unwrap_or(6000)),
        preloader_ms: phone.argument.preloader_ms,
        lk_ms: uptime.seconds * 1000 + uptime.micros / 1000,
        disable_uart: false,
        reason: phone.argument.reason,
        serial: serial.as_deref(),
        extra: &[
            main.unwrap_or_default(),
            extra.unwrap_or_default(),
            phone.hints.cmdline.unwrap_or_default(),
        ],
    })?;
    let mut banks: heapless::Vec<Bank, 4> = heapless::Vec::new();
    for bank in phone.dram.banks_from(KERNEL_MEMORY_START) {
        // Four ranks at most, as many as the vector holds.
        let _ = banks.push(bank);
    }
    let ramdisk = plan
        .ramdisk
        .zip(opened.image.ramdisk)
        .map(|(region, piece)| Bank {
            base: region.base,
            len: piece.len,
        });
    let tags = Atags {
        generation,
        boot_mode: opened.mode,
        banks: &banks,
        dfo: &[],
        meta: phone.argument.meta,
        devinfo: &phone.devinfo.0,
        modem_types: None,
        cmdline: &line,
        ramdisk,
        framebuffer,
    };
    let bytes = tags.write(dram(plan.tags))?;
    say!("vendor {} tags, {bytes} bytes", generation.name());
    Ok(Kernel {
        entry: plan.zimage.base,
        registers: [0, MACHINE_TYPE, plan.tags.base],
        watchdog: watchdog::stays_on(true, line.as_bytes()).then_some(KERNEL_WATCHDOG),
        // The vendor kernel programs every register of the port.
        plain_uart: false,
    })
}

/// The picture where this kernel looks for it. Without one the kernel brings
/// the panel up by itself.
fn hand_over(phone: &Phone, parts: &Parts, generation: Generation) -> Bank {
    let dark = Bank { base: 0, len: 0 };
    let Some(shown) = parts.shown() else {
        return dark;
    };
    let size = (shown.layout.width, shown.layout.height);
    match FramebufferLayout::vendor(&phone.dram, size, shown.video, Some(generation)) {
        Ok(layout) => {
            parts.hand_over(&layout);
            Bank {
                base: layout.base,
                len: layout.vram_bytes,
            }
        }
        Err(error) => {
            say!("{} {error}", error.code());
            dark
        }
    }
}
