//! A model of the preloader: what MediaTek's first stage does between the boot
//! ROM and the image in UBOOT, as far as that image can notice.
//!
//! It works on the phone through the same registers as a real one, so that a
//! wrong value shows up as a guest error, except where the real sequence is a
//! long negotiation that nobody sees (PMIC wrapper, eMMC): there the model is
//! put in its final state. It takes no virtual time; the boot argument states
//! how long the real one would have taken.
//!
//! It reads the file behind the card and not the card, so what a board file
//! makes the card do wrong (faults, `never_ready`, `stuck_busy`) does not stop
//! it. That is on purpose: such a card is there to be met by the image under
//! test, which would never start if the preloader met it first.
//! Source: facts/soc.md 1.3, 3, 6, 9.7; facts/storage-and-images.md 1.3, 4, 6.5.

mod argument;
mod image;
pub(crate) mod partition;
mod reason;
pub mod scratch;
mod state;

use crate::machine::bootrom::Handover;
use crate::machine::{Host, Machine};
use crate::report::Event;
use crate::stock_loader;

/// Where the image goes and is entered.
pub const ENTRY: u32 = 0x8002_0000;
/// Where the boot argument goes.
pub const BOOT_ARGUMENT: u32 = 0x800D_0000;
/// Bytes of boot argument that this preloader knows.
pub const BOOT_ARGUMENT_LEN: u32 = 0x50;

/// SCTLR of a Cortex-A7 after reset; MMU, caches and branch prediction off.
const SCTLR_RESET: u32 = 0x00C5_0078;
/// SCTLR.I and SCTLR.Z, for the preloaders that leave the instruction cache on.
const SCTLR_ICACHE: u32 = 1 << 12 | 1 << 11;
/// The preloader's vectors and stack, in L2-SRAM: gone when it becomes cache.
const PRELOADER_VECTORS: u32 = 0x0200_7500;
const PRELOADER_STACK: u32 = 0x0200_7000;

/// How the preloader, or the stock loader after it, ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It jumps to the next stage.
    Jump(Handover),
    /// It, or the boot ROM before it, waits for a host on USB.
    UsbDownload {
        /// "boot-rom" or "preloader".
        by: &'static str,
        /// Seconds that it waits; `None` = for ever.
        timeout_s: Option<u32>,
    },
    /// The stock loader ends in a loop without a way out.
    Hangs {
        /// What it did not like.
        why: String,
    },
}

/// The phone in the preloader's hands.
pub struct Phone<'a> {
    /// Its blocks.
    pub machine: &'a mut Machine,
    /// Its memory and clock.
    pub host: &'a mut dyn Host,
}

impl Phone<'_> {
    pub(crate) fn read(&mut self, addr: u32) -> u32 {
        self.machine.poke(addr, 4, None, self.host)
    }

    pub(crate) fn write(&mut self, addr: u32, value: u32) {
        self.machine.poke(addr, 4, Some(value), self.host);
    }

    pub(crate) fn modify(&mut self, addr: u32, change: impl FnOnce(u32) -> u32) {
        let old = self.read(addr);
        self.write(addr, change(old));
    }

    pub(crate) fn log(&mut self, text: impl Into<String>) {
        let t_ns = self.host.now();
        self.machine.note(Event::Preloader {
            text: text.into(),
            t_ns,
        });
    }
}

/// What comes of waiting for a host: `None` if it ends in vain and the boot
/// goes on.
fn waits(phone: &mut Phone<'_>, wait: Outcome) -> Option<Outcome> {
    if let Outcome::UsbDownload {
        by,
        timeout_s: Some(seconds),
    } = wait
        && !phone.machine.board().usb_host
    {
        phone.log(format!("no USB host came to the {by} within {seconds} s"));
        phone.machine.let_pass(seconds);
        return None;
    }
    Some(wait)
}

/// Runs from the boot ROM's first check to the jump.
pub fn run(phone: &mut Phone<'_>) -> Outcome {
    if let Some(download) = reason::armed_download(phone).and_then(|wait| waits(phone, wait)) {
        return download;
    }
    let reset = reason::reset_status(phone);
    state::early(phone);
    if phone
        .machine
        .board()
        .download_keys_held(&phone.machine.signals)
    {
        phone.log("all download keys are held");
        let wait = Outcome::UsbDownload {
            by: "boot-rom",
            timeout_s: Some(reason::KEY_DOWNLOAD_S),
        };
        if let Some(download) = waits(phone, wait) {
            return download;
        }
    }
    let boot_reason = reason::boot_reason(phone, reset);
    scratch::fill_buffers(phone.host);
    // A stock loader is not loaded: what it does follows as a model.
    let stock = phone.machine.board().boot.stock_loader.clone();
    if stock.is_none()
        && let Err(message) = image::load(phone)
    {
        phone.log(message);
        return Outcome::UsbDownload {
            by: "preloader",
            timeout_s: None,
        };
    }
    argument::write(phone, boot_reason);
    state::late(phone);
    if let Some(stock) = stock {
        return stock_loader::run(phone, &stock, boot_reason);
    }
    let board = phone.machine.board();
    let sctlr = if board.boot.icache {
        SCTLR_RESET | SCTLR_ICACHE
    } else {
        SCTLR_RESET
    };
    Outcome::Jump(Handover {
        entry: ENTRY,
        sctlr,
        vbar: PRELOADER_VECTORS,
        sp: PRELOADER_STACK,
        // r3 carries nothing; it must not look like a boot argument.
        registers: [
            ENTRY,
            BOOT_ARGUMENT,
            BOOT_ARGUMENT_LEN,
            scratch::GARBAGE,
            BOOT_ARGUMENT,
            BOOT_ARGUMENT_LEN,
        ],
    })
}
