//! The test kernel: not a kernel, but entered like one. It prints every
//! register, tag and property that it was handed, checks the state of the
//! machine that any kernel relies on, and switches the phone off.
//!
//! It shares nothing with the bootloader but the device-tree reader. What it
//! prints begins with `TK`; a violated contract prints `TK FAIL`.
//! Source of the contract: facts/soc.md 12.2, facts/storage-and-images.md 6.

#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]
#![cfg_attr(not(target_os = "none"), allow(unused))]

#[cfg(target_os = "none")]
mod atags;
#[cfg(target_os = "none")]
mod found;
#[cfg(target_os = "none")]
mod machine;
#[cfg(target_os = "none")]
mod tree;

#[cfg(target_os = "none")]
mod kernel {
    use core::arch::global_asm;

    use crate::machine::{Machine, fail, print};
    use crate::{atags, tree};

    const TEXT_OFFSET: u32 = if cfg!(feature = "text-offset-2m") {
        0x20_8000
    } else {
        0x8000
    };

    // `options(raw)` leaves the braces of register lists alone, but takes no
    // operands: the two constants go in as text.
    macro_rules! head {
        ($head:literal, $text_offset:literal) => {
            global_asm!(
                concat!(".set HEAD, ", $head),
                concat!(".set TEXT_OFFSET, ", $text_offset),
                include_str!("head.s"),
                options(raw)
            );
        };
    }

    #[cfg(feature = "head-fixed")]
    head!("0", "0x8000");
    #[cfg(all(feature = "head-masked", not(feature = "text-offset-2m")))]
    head!("1", "0x8000");
    #[cfg(all(feature = "head-masked", feature = "text-offset-2m"))]
    head!("1", "0x208000");
    #[cfg(not(any(
        feature = "head-fixed",
        feature = "head-masked",
        feature = "text-offset-2m"
    )))]
    head!("2", "0x8000");
    #[cfg(all(
        feature = "text-offset-2m",
        not(any(feature = "head-fixed", feature = "head-masked"))
    ))]
    head!("2", "0x208000");

    /// What `head.s` found when it was entered.
    #[repr(C)]
    pub struct Entry {
        /// CPSR.
        cpsr: u32,
        /// SCTLR.
        sctlr: u32,
        /// Where the kernel put itself.
        place: u32,
        /// Where the loader had put it.
        loaded: u32,
    }

    /// Called by `head.s` with r0..r2 as the loader left them.
    ///
    /// # Safety
    ///
    /// Only `head.s` may call this, once.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn kernel(r0: u32, r1: u32, r2: u32, entry: &Entry) -> ! {
        let machine = Machine::take();
        print!(
            "TK entry ticks={} r0={r0:08x} r1={r1:08x} r2={r2:08x}",
            machine.ticks()
        );
        print!(
            "TK place loaded={:08x} placed={:08x} text_offset={TEXT_OFFSET:x}",
            entry.loaded, entry.place
        );
        check_cpu(entry);
        machine.report();

        let end = match machine.word(r2) {
            Some(0xEDFE_0DD0) => tree::show(&machine, r2, entry.place),
            Some(2 | 5) if machine.word(r2 + 4) == Some(0x5441_0001) => {
                if r0 != 0 {
                    fail!("r0 = {r0:#x}, the ABI says 0");
                }
                atags::show(&machine, r1, r2)
            }
            other => {
                fail!("r2 = {r2:#010x} points at neither a device tree nor ATAGs ({other:x?})");
                End::Off
            }
        };
        machine.finish(end)
    }

    fn check_cpu(entry: &Entry) {
        print!("TK cpu cpsr={:08x} sctlr={:08x}", entry.cpsr, entry.sctlr);
        if entry.cpsr & 0x1F != 0x13 {
            fail!("not in SVC mode");
        }
        if entry.cpsr & 0xC0 != 0xC0 {
            fail!("interrupts not masked");
        }
        if entry.sctlr & 0x5 != 0 {
            fail!("MMU or data cache on");
        }
    }

    /// How the run ends, from the command line (`tk.end=`).
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub enum End {
        /// Through the PMIC's RTC: `off`, and without the option.
        Off,
        /// Through TOPRGU: `reset`.
        Reset,
        /// Not at all, so that the watchdog has to: `hang`.
        Hang,
    }

    impl End {
        /// Reads `tk.end=` from a command line.
        pub fn from_command_line(line: &str) -> Self {
            match line
                .split_ascii_whitespace()
                .find_map(|word| word.strip_prefix("tk.end="))
            {
                Some("reset") => End::Reset,
                Some("hang") => End::Hang,
                _ => End::Off,
            }
        }
    }
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    machine::print!("TK FAIL panic: {info}");
    loop {
        core::hint::spin_loop();
    }
}

#[cfg(not(target_os = "none"))]
fn main() {}
