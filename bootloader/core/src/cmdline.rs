//! The kernel's command line as text: merged from several sources, and the
//! vendor's own line for stock Android.
//!
//! The rule of merging is the one of [`crate::fixup::merge_bootargs`], so that
//! a kernel gets the same line whichever way it takes it: the stronger source
//! wins a key, lists such as `console=` are kept from all. Source of the
//! vendor's line: facts/soc.md 3.5, facts/storage-and-images.md 5.5,
//! facts/display.md 1.8.

use crate::bootarg::{BootReason, LogPort};
use crate::fixup::{MAX_BOOTARGS_BYTES, merge_bootargs};
use crate::kernel::Generation;
use core::fmt::Write;
use heapless::{String, Vec};

/// COMMAND_LINE_SIZE of ARM kernels, with the final NUL.
pub const KERNEL_LIMIT: usize = 1024;

/// Most sources that are merged.
const MAX_PARTS: usize = 8;

/// A command line that a kernel will take whole.
pub type CommandLine = String<{ KERNEL_LIMIT - 1 }>;

error_enum! {
    /// Why there is no command line.
    pub enum CmdlineError {
        /// Longer than the kernel's 1023 characters.
        TooLong => "CMD-LONG", "kernel command line is longer than 1023 characters: shorten the image's or the extra part";
        /// More than eight sources.
        TooManyParts => "CMD-PARTS", "kernel command line has more than 8 sources: report this";
        /// A source that is no text.
        NoText => "CMD-TEXT", "kernel command line is no text: correct the boot image";
        /// A driver or serial name with a space, quote or control character.
        BadName => "CMD-NAME", "panel name or serial number is no single word: correct the hint or the table";
    }
}

/// Merges `parts`, weakest first. An error rather than a line cut short: the
/// kernel would cut it at the end, where the strongest part stands.
pub fn merge(parts: &[&str]) -> Result<CommandLine, CmdlineError> {
    let mut bytes: Vec<&[u8], MAX_PARTS> = Vec::new();
    for part in parts {
        let part = part.as_bytes();
        if part.len() > MAX_BOOTARGS_BYTES {
            return Err(CmdlineError::TooLong);
        }
        bytes.push(part).map_err(|_| CmdlineError::TooManyParts)?;
    }
    let mut line = CommandLine::new();
    merge_bootargs(&bytes, &mut |piece: &[u8]| {
        let text = core::str::from_utf8(piece).map_err(|_| CmdlineError::NoText)?;
        line.push_str(text).map_err(|_| CmdlineError::TooLong)
    })?;
    Ok(line)
}

/// What the vendor's command line tells.
#[derive(Debug, Clone, Copy)]
pub struct VendorLine<'a> {
    /// Which rules.
    pub generation: Generation,
    /// Whose tty is the console.
    pub log_port: LogPort,
    /// Name of the vendor's panel driver; `None` leaves `lcm=` out, and the
    /// kernel then detects by itself.
    pub panel: Option<&'a str>,
    /// True if the panel was identified rather than assumed.
    pub panel_found: bool,
    /// Frames per second times 100; `None` for the vendor's 6000.
    pub fps_x100: Option<u32>,
    /// Milliseconds in the preloader.
    pub preloader_ms: u32,
    /// Milliseconds from our entry to now.
    pub lk_ms: u32,
    /// True to silence the kernel's UART.
    pub disable_uart: bool,
    /// Why the phone started.
    pub reason: BootReason,
    /// Serial number; told to 4.4 only.
    pub serial: Option<&'a str>,
    /// The image's own command line (empty in stock images) and ours; may
    /// replace tokens of the vendor's.
    pub extra: &'a [&'a str],
}

fn word(text: &str) -> Result<&str, CmdlineError> {
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    if text.is_empty() || !plain {
        Err(CmdlineError::BadName)
    } else {
        Ok(text)
    }
}

/// The vendor's line. Its kernel drops `console=` and `root=` and appends the
/// rest to its own.
pub fn vendor(line: &VendorLine<'_>) -> Result<CommandLine, CmdlineError> {
    let mut out = CommandLine::new();
    write_vendor(&mut out, line)?;
    let mut parts: Vec<&str, MAX_PARTS> = Vec::new();
    parts.push(&out).map_err(|_| CmdlineError::TooManyParts)?;
    parts
        .extend_from_slice(line.extra)
        .map_err(|_| CmdlineError::TooManyParts)?;
    merge(&parts)
}

fn write_vendor(out: &mut CommandLine, line: &VendorLine<'_>) -> Result<(), CmdlineError> {
    let long = |_| CmdlineError::TooLong;
    write!(
        out,
        "console=tty0 console=ttyMT{},921600n1 root=/dev/ram",
        line.log_port.tty()
    )
    .map_err(long)?;
    if let Some(panel) = line.panel {
        write!(out, " lcm={}-{}", u8::from(line.panel_found), word(panel)?).map_err(long)?;
        write!(out, " fps={}", line.fps_x100.unwrap_or(6000)).map_err(long)?;
    }
    let (preloader, lk) = (line.preloader_ms, line.lk_ms);
    match line.generation {
        Generation::JellyBean => write!(out, " pl_t={preloader} lk_t={lk}"),
        Generation::KitKat => write!(out, " bootprof.pl_t={preloader} bootprof.lk_t={lk}"),
    }
    .map_err(long)?;
    write!(out, " printk.disable_uart={}", u8::from(line.disable_uart)).map_err(long)?;
    write!(out, " boot_reason={}", line.reason.number()).map_err(long)?;
    if let (Generation::KitKat, Some(serial)) = (line.generation, line.serial) {
        write!(out, " androidboot.serialno={}", word(serial)?).map_err(long)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fuzz::fuzz;

    fn merged(parts: &[&str]) -> CommandLine {
        merge(parts).unwrap()
    }

    #[test]
    fn the_strongest_part_wins_per_key() {
        assert_eq!(
            merged(&["root=/dev/ram quiet", "root=/dev/mmcblk0p5 rootwait"]),
            "quiet root=/dev/mmcblk0p5 rootwait"
        );
        assert_eq!(merged(&["a.b-c=1", "a.b_c=2"]), "a.b_c=2");
        assert_eq!(merged(&["quiet", "quiet"]), "quiet");
        assert_eq!(merged(&["", "  x   y  "]), "x y");
    }

    #[test]
    fn lists_are_kept_from_all_parts_once() {
        assert_eq!(
            merged(&[
                "console=tty0 console=ttyS0,921600",
                "console=ttyS0,921600 console=ttyS1"
            ]),
            "console=tty0 console=ttyS0,921600 console=ttyS1"
        );
    }

    #[test]
    fn too_long_is_an_error_not_a_cut() {
        let half = "x".repeat(600);
        assert_eq!(merge(&[&half, &half[1..]]), Err(CmdlineError::TooLong));
        let full = "y".repeat(1023);
        assert_eq!(merged(&[&full]).len(), 1023);
        assert_eq!(merge(&[&full, "z"]), Err(CmdlineError::TooLong));
    }

    fn line() -> VendorLine<'static> {
        VendorLine {
            generation: Generation::JellyBean,
            log_port: LogPort::Uart2,
            panel: Some("ili9806e_dsi_cmd_txd"),
            panel_found: true,
            fps_x100: Some(5960),
            preloader_ms: 1450,
            lk_ms: 320,
            disable_uart: false,
            reason: BootReason::PowerKey,
            serial: Some("0123456789ABCDEF"),
            extra: &[],
        }
    }

    #[test]
    fn jelly_bean_line() {
        assert_eq!(
            vendor(&line()).unwrap(),
            "console=tty0 console=ttyMT1,921600n1 root=/dev/ram lcm=1-ili9806e_dsi_cmd_txd fps=5960 \
             pl_t=1450 lk_t=320 printk.disable_uart=0 boot_reason=0"
        );
    }

    #[test]
    fn kitkat_line() {
        let line = VendorLine {
            generation: Generation::KitKat,
            log_port: LogPort::Uart1,
            panel_found: false,
            fps_x100: None,
            disable_uart: true,
            reason: BootReason::Reboot,
            ..line()
        };
        assert_eq!(
            vendor(&line).unwrap(),
            "console=tty0 console=ttyMT0,921600n1 root=/dev/ram lcm=0-ili9806e_dsi_cmd_txd fps=6000 \
             bootprof.pl_t=1450 bootprof.lk_t=320 printk.disable_uart=1 boot_reason=4 \
             androidboot.serialno=0123456789ABCDEF"
        );
    }

    #[test]
    fn without_a_panel_the_kernel_detects_by_itself() {
        let text = vendor(&VendorLine {
            panel: None,
            extra: &["boot_reason=9 quiet"],
            ..line()
        })
        .unwrap();
        assert!(!text.contains("lcm=") && !text.contains("fps="));
        assert!(text.ends_with("printk.disable_uart=0 boot_reason=9 quiet"));
        for panel in ["", "two words", "quo\"te", "nul\0"] {
            assert_eq!(
                vendor(&VendorLine {
                    panel: Some(panel),
                    ..line()
                }),
                Err(CmdlineError::BadName)
            );
        }
    }

    #[test]
    fn any_text_returns() {
        fuzz(
            b"console=tty0 a=\"b c\" -- d root=/dev/ram a=1",
            5_000,
            |data| {
                let text = std::string::String::from_utf8_lossy(data);
                let _ = merge(&[&text, "a=2 x", &text]);
            },
        );
    }
}
