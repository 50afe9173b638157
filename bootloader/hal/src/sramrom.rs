//! SRAMROM: words that the boot ROM reads: into USB download after the next
//! reset, and the start of core 1.
//!
//! USB download is the way out that every phone has: armed here, followed by
//! a TOPRGU reset, the boot ROM or the preloader waits for a host instead of
//! starting the system.
//!
//! Source: facts/soc.md 1.3.

use crate::reg::{Write, assert_offsets};
use arbitrary_int::u14;
use bitbybit::bitfield;
use volatile_register::RW;

/// Registers of the block.
#[repr(C)]
pub struct RegisterBlock {
    slave_config: RW<u32>,
    slave_warm_entry: RW<u32>,
    slave_cold_entry: RW<u32>,
    slave_magic: RW<u32>,
    _reserved: [u32; 3],
    usbdl: RW<u32>,
    usbdl_magic: RW<u32>,
    preserve_entry: RW<u32>,
    preserve_magic: RW<u32>,
    usbdl_timeout_off: RW<u32>,
    download_agent: RW<u32>,
}

assert_offsets!(RegisterBlock {
    slave_cold_entry: 0x08,
    slave_magic: 0x0c,
    usbdl: 0x1c,
    usbdl_magic: 0x20,
    download_agent: 0x30,
});

/// "USBD": the boot ROM honours the register only with it.
const USBDL_MAGIC: u32 = 0x5553_4244;
/// "SLA1": releases core 1 from the boot ROM at its next wake-up.
const SLAVE_MAGIC: u32 = 0x534c_4131;

#[bitfield(u32, default = 0)]
struct Usbdl {
    #[bit(0, rw)]
    enable: bool,
    /// 0 = the boot ROM waits for the host, 1 = the preloader.
    #[bit(1, rw)]
    preloader: bool,
    #[bits(2..=15, rw)]
    timeout_s: u14,
}

/// Who talks to the host after the reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Downloader {
    /// The mask ROM: works with any preloader, even a broken one.
    BootRom,
    /// The preloader's download mode.
    Preloader,
}

/// The boot ROM's words.
pub struct Sramrom {
    regs: &'static RegisterBlock,
}

impl Sramrom {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// After the next reset `downloader` waits for a host; at most for
    /// `timeout_s` seconds, without end if that is `None`.
    pub fn arm_usb_download(&mut self, downloader: Downloader, timeout_s: Option<u16>) {
        // All ones means "no time-out", so a limit stays below it.
        const NO_TIMEOUT: u16 = 0x3fff;
        let seconds = timeout_s.map_or(NO_TIMEOUT, |limit| limit.clamp(1, NO_TIMEOUT - 1));
        let usbdl = Usbdl::DEFAULT
            .with_enable(true)
            .with_preloader(downloader == Downloader::Preloader)
            .with_timeout_s(u14::new(seconds));
        self.regs.usbdl.put(usbdl.raw_value());
        self.regs.usbdl_magic.put(USBDL_MAGIC);
    }

    /// The next reset starts the system as usual.
    pub fn disarm_usb_download(&mut self) {
        self.regs.usbdl_magic.put(0);
        self.regs.usbdl.put(0);
    }

    /// Lets core 1 leave the boot ROM for `entry` (physical, ARM code) when a
    /// Secure software interrupt wakes it. The kernel normally does this.
    ///
    /// # Safety
    ///
    /// From that wake-up on core 1 runs what is at `entry`, with its caches
    /// and MMU off: the memory must hold code made for that and stay so.
    pub unsafe fn release_core1(&mut self, entry: u32) {
        self.regs.slave_cold_entry.put(entry);
        self.regs.slave_magic.put(SLAVE_MAGIC);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::leaked;

    #[test]
    fn arming_sets_magic_target_and_timeout() {
        let regs: &RegisterBlock = leaked();
        let mut rom = Sramrom::new(regs);
        rom.arm_usb_download(Downloader::BootRom, None);
        assert_eq!(regs.usbdl.read(), 0xfffd);
        assert_eq!(regs.usbdl_magic.read(), 0x5553_4244);
        rom.arm_usb_download(Downloader::Preloader, Some(60));
        assert_eq!(regs.usbdl.read(), 60 << 2 | 3);
        rom.disarm_usb_download();
        assert_eq!((regs.usbdl.read(), regs.usbdl_magic.read()), (0, 0));
    }

    #[test]
    fn core1_gets_entry_and_magic() {
        let regs: &RegisterBlock = leaked();
        // SAFETY: the block is memory; there is no core 1.
        unsafe { Sramrom::new(regs).release_core1(0x8010_0000) };
        assert_eq!(regs.slave_cold_entry.read(), 0x8010_0000);
        assert_eq!(regs.slave_magic.read(), 0x534c_4131);
    }
}
