//! The list of what happened on the phone: milestones and guest errors, as
//! JSON lines in the order in which they occurred.
//!
//! The file is the contract with the harness and with people's scripts. Every
//! line is flushed when it is written, so that it survives a crash of QEMU.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::bus::{GuestError, Nanos};

/// One line of the list. Times are virtual nanoseconds since power-on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields say what the variant's line says")]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The phone left reset: `why` is "power-on" or TOPRGU's reason.
    Reset { why: String, t_ns: Nanos },
    /// A line of the preloader model's own log.
    Preloader { text: String, t_ns: Nanos },
    /// A milestone that a block's model noted.
    Log { text: String, t_ns: Nanos },
    /// The preloader jumps to the next stage; `mmio` counts accesses so far.
    LkEntry { pc: u32, mmio: u64, t_ns: Nanos },
    /// The first code outside of the bootloader's MiB runs.
    KernelEntry { pc: u32, mmio: u64, t_ns: Nanos },
    /// The guest did something wrong.
    GuestError(Fault),
    /// A picture of the screen was saved as `file` in the folder of `screen=`:
    /// what it was taken for, what one sees and why, and the backlight in
    /// thousandths.
    Screen {
        milestone: String,
        state: &'static str,
        reason: String,
        backlight: u16,
        file: String,
        t_ns: Nanos,
    },
    /// The phone waits for a host on USB; `by` is "boot-rom" or "preloader".
    UsbDownload {
        by: &'static str,
        timeout_s: Option<u32>,
        t_ns: Nanos,
    },
    /// The phone is off.
    PowerOff { why: String, t_ns: Nanos },
    /// The emulation was given up, for the reason stated.
    Stopped { why: String, t_ns: Nanos },
    /// The last line: accesses to registers and guest errors in all.
    Exit {
        /// By the cores, the GIC's registers excepted.
        mmio: u64,
        /// All, also those that were not written out.
        errors: u64,
        /// The power-on is none.
        resets: u32,
    },
}

/// A guest error with all that is known about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Fault {
    /// A word for [`GuestError`].
    pub kind: &'static str,
    /// The block that complains.
    pub block: &'static str,
    /// Physical address of the access.
    pub addr: u32,
    /// Offset in the block.
    pub offset: u32,
    /// Address of the instruction, where it is known.
    pub pc: Option<u32>,
    /// Whether it was a write; unknown for what a block did by itself.
    pub write: Option<bool>,
    /// What was wrong, in a sentence.
    pub message: String,
    /// When.
    pub t_ns: Nanos,
}

/// `why` of the first [`Event::Reset`], which is none.
pub const POWER_ON: &str = "power-on";

/// The word for a kind of guest error in the list.
pub fn kind_name(kind: GuestError) -> &'static str {
    match kind {
        GuestError::Unmapped => "unmapped",
        GuestError::UnknownRegister => "unknown-register",
        GuestError::AccessSize => "access-size",
        GuestError::Gated => "gated",
        GuestError::Unpowered => "unpowered",
        GuestError::BadValue => "bad-value",
        GuestError::Refused => "refused",
        GuestError::Unmodelled => "unmodelled",
    }
}

/// How often the same fault (block, offset, kind, PC) is written out; all are
/// counted.
const REPEATS_WRITTEN: u32 = 8;

type FaultKey = (&'static str, &'static str, u32, Option<u32>);

/// Writes the list and counts.
#[derive(Default)]
pub struct Recorder {
    file: Option<File>,
    echo: bool,
    errors: u64,
    resets: u32,
    seen: HashMap<FaultKey, u32>,
}

impl Recorder {
    /// Writes to `path` if given. Guest errors also go to standard error if
    /// `echo`, or if there is no file.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn new(path: Option<&Path>, echo: bool) -> Result<Recorder, String> {
        let file =
            match path {
                None => None,
                Some(path) => Some(File::create(path).map_err(|error| {
                    format!("events={}: cannot create: {error}", path.display())
                })?),
            };
        Ok(Recorder {
            echo: echo || file.is_none(),
            file,
            ..Recorder::default()
        })
    }

    /// Guest errors so far.
    pub fn errors(&self) -> u64 {
        self.errors
    }

    /// Adds a line.
    pub fn record(&mut self, event: &Event) {
        match event {
            Event::GuestError(fault) => {
                self.errors += 1;
                let key = (fault.kind, fault.block, fault.offset, fault.pc);
                let seen = self.seen.entry(key).or_insert(0);
                *seen += 1;
                if *seen > REPEATS_WRITTEN {
                    return;
                }
            }
            Event::Reset { why, .. } if why != POWER_ON => self.resets += 1,
            _ => {}
        }
        if self.echo {
            echo(event);
        }
        if let (Some(file), Ok(mut line)) = (&mut self.file, serde_json::to_string(event)) {
            line.push('\n');
            // A full disk must not stop the phone; the harness misses the "exit" line.
            let _ = file.write_all(line.as_bytes());
        }
    }

    /// Adds the last line.
    pub fn finish(&mut self, mmio: u64) {
        let (errors, resets) = (self.errors, self.resets);
        self.record(&Event::Exit {
            mmio,
            errors,
            resets,
        });
    }
}

/// One line for a person.
fn echo(event: &Event) {
    match event {
        Event::GuestError(fault) => {
            let pc = fault
                .pc
                .map_or_else(|| "unknown".to_owned(), |pc| format!("{pc:#010x}"));
            eprintln!(
                "mt6572: guest error: {} +{:#x} ({:#010x}), pc {pc}: {}: {}",
                fault.block, fault.offset, fault.addr, fault.kind, fault.message
            );
        }
        Event::Preloader { text, .. } => eprintln!("mt6572: preloader: {text}"),
        Event::Stopped { why, .. } => eprintln!("mt6572: stopped: {why}"),
        Event::UsbDownload { by, .. } => {
            eprintln!("mt6572: USB download mode, waiting in the {by}");
        }
        _ => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fault(pc: u32) -> Fault {
        Fault {
            kind: kind_name(GuestError::Gated),
            block: "UART1",
            addr: 0x1100_6014,
            offset: 0x14,
            pc: Some(pc),
            write: Some(false),
            message: "the clock is off".into(),
            t_ns: 5,
        }
    }

    #[test]
    fn a_line_has_the_agreed_fields() {
        let line = serde_json::to_string(&Event::GuestError(fault(0x8002_0010))).unwrap();
        assert_eq!(
            line,
            r#"{"event":"guest-error","kind":"gated","block":"UART1","addr":285237268,"offset":20,"pc":2147614736,"write":false,"message":"the clock is off","t_ns":5}"#
        );
        let line = serde_json::to_string(&Event::UsbDownload {
            by: "boot-rom",
            timeout_s: None,
            t_ns: 1,
        })
        .unwrap();
        assert_eq!(
            line,
            r#"{"event":"usb-download","by":"boot-rom","timeout_s":null,"t_ns":1}"#
        );
    }

    #[test]
    fn repeats_are_counted_but_not_all_written() {
        let path = std::env::temp_dir().join(format!("mt6572-report-{}.jsonl", std::process::id()));
        let mut recorder = Recorder::new(Some(&path), false).unwrap();
        for _ in 0..100 {
            recorder.record(&Event::GuestError(fault(1)));
        }
        recorder.record(&Event::GuestError(fault(2)));
        recorder.finish(7);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text.lines().count(), REPEATS_WRITTEN as usize + 2);
        assert!(
            text.ends_with("{\"event\":\"exit\",\"mmio\":7,\"errors\":101,\"resets\":0}\n"),
            "{text}"
        );
    }
}
