//! The plugin's list of events: one JSON object a line.
//!
//! The shape is the emulator's contract with its users. Fields that are not
//! known here are kept out of the way, so that an older harness reads a newer
//! list.

use serde::Deserialize;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// What happened.
    #[serde(flatten)]
    pub kind: Kind,
    /// Virtual nanoseconds since power-on; 0 where the line has none.
    #[serde(default)]
    pub t_ns: u64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields say what the variant's line says")]
pub enum Kind {
    /// The phone left reset; "power-on" or the watchdog block's reason.
    Reset { why: String },
    /// A line of the preloader model.
    Preloader { text: String },
    /// A milestone of a block's model.
    Log { text: String },
    /// The preloader jumps; `mmio` counts register accesses so far.
    LkEntry { pc: u32, mmio: u64 },
    /// The first code outside of the bootloader's MiB runs.
    KernelEntry { pc: u32, mmio: u64 },
    /// The guest did something wrong.
    GuestError(Fault),
    /// A picture of the screen was saved as `file` in the folder of
    /// [`crate::Phone::screen`]. `state` is what one sees: `picture`, `white`,
    /// `black`, `garbled`, `shifted`, `wrong-colours`, `off` or `absent`.
    Screen {
        milestone: String,
        state: String,
        reason: String,
        backlight: u16,
        file: String,
    },
    /// The phone waits for a host on USB, in "boot-rom" or "preloader".
    UsbDownload { by: String, timeout_s: Option<u32> },
    /// The phone is off.
    PowerOff { why: String },
    /// The emulation was given up.
    Stopped { why: String },
    /// The last line.
    Exit { mmio: u64, errors: u64, resets: u32 },
    /// A kind that this harness does not know.
    #[serde(other)]
    Unknown,
}

/// A guest error.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Fault {
    /// A word: `unmapped`, `unknown-register`, `access-size`, `gated`,
    /// `unpowered`, `bad-value` or `refused`.
    #[serde(rename = "kind")]
    pub what: String,
    /// Which block says so.
    pub block: String,
    /// Physical address of the access.
    pub addr: u32,
    /// Offset in the block.
    pub offset: u32,
    /// Where the instruction was, if known.
    pub pc: Option<u32>,
    /// Whether it was a write, if it was an access.
    pub write: Option<bool>,
    /// A sentence.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} +{:#x} ({:#010x})",
            self.block, self.offset, self.addr
        )?;
        if let Some(pc) = self.pc {
            write!(f, " at pc {pc:#010x}")?;
        }
        write!(f, ": {}: {}", self.what, self.message)
    }
}

/// Reads a list; a line that is not complete (QEMU was killed) is left out.
pub fn parse(text: &str) -> Vec<Event> {
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_plugin_are_read() {
        let list = parse(concat!(
            "{\"event\":\"reset\",\"why\":\"power-on\",\"t_ns\":0}\n",
            "{\"event\":\"guest-error\",\"kind\":\"gated\",\"block\":\"UART1\",\"addr\":285237268,\"offset\":20,",
            "\"pc\":null,\"write\":false,\"message\":\"the clock is off\",\"t_ns\":5}\n",
            "{\"event\":\"usb-download\",\"by\":\"boot-rom\",\"timeout_s\":null,\"t_ns\":1}\n",
            "{\"event\":\"screen\",\"milestone\":\"end\",\"state\":\"off\",\"reason\":\"r\",\"backlight\":0,",
            "\"file\":\"f.png\",\"t_ns\":9}\n",
            "{\"event\":\"from-the-future\",\"x\":1}\n",
            "{\"event\":\"exit\",\"mmio\":7,\"errors\":1,\"resets\":0}\n",
            "{\"event\":\"exi",
        ));
        assert_eq!(list.len(), 6, "{list:?}");
        assert_eq!(
            list[0].kind,
            Kind::Reset {
                why: "power-on".into()
            }
        );
        let Kind::GuestError(fault) = &list[1].kind else {
            panic!("{:?}", list[1])
        };
        assert_eq!((fault.addr, fault.pc, list[1].t_ns), (0x1100_6014, None, 5));
        assert_eq!(
            fault.to_string(),
            "UART1 +0x14 (0x11006014): gated: the clock is off"
        );
        assert_eq!(
            list[2].kind,
            Kind::UsbDownload {
                by: "boot-rom".into(),
                timeout_s: None
            }
        );
        assert!(matches!(&list[3].kind, Kind::Screen { state, .. } if state == "off"));
        assert_eq!(list[4].kind, Kind::Unknown);
        assert_eq!(
            list[5].kind,
            Kind::Exit {
                mmio: 7,
                errors: 1,
                resets: 0
            }
        );
    }
}
