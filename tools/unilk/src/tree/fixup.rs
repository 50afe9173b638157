//! The bootloader's own fix-up of a device tree, without a phone: what it
//! would find out is taken from a boot's report and from what a person says.
//!
//! Source: `unilk_core::fixup`; `bootloader/lk/src/hand_off/tree.rs` and
//! `parts/told.rs`, which gather the same on the phone.

use crate::report::Identified;
use std::fmt;
use unilk_board_db::{Board, PanelMode, PanelRow, Wiring};
use unilk_core::Code;
use unilk_core::bootarg::{DRAM_BASE, Dram};
use unilk_core::fixup::{
    self, BootArgs, CameraPart, Console, Display, Evidence, Fitted, FixupError, Found,
    GROWTH_BYTES, HandOff, Identity, Known, PanelPart, Region, ReservedRegion, TouchPart,
};
use unilk_core::memory::{FRAMEBUFFER_RESERVE, KERNEL_MEMORY_START};
use unilk_core::screen::layout::FramebufferLayout;

/// What a person says of the boot; the rest is in the report.
#[derive(Clone, Debug)]
pub struct Boot {
    /// Bytes of each DRAM rank, the first at 0x80000000.
    pub ranks: Vec<u32>,
    /// First address that is told to the kernel.
    pub memory_start: u32,
    /// The ramdisk as loaded: first address, bytes.
    pub initrd: Option<(u64, u64)>,
    /// The boot image's command line.
    pub image_cmdline: String,
    /// The bootloader's own, from its hints.
    pub our_cmdline: String,
    /// UART of the log and its rate.
    pub console: Option<(u32, u32)>,
    /// The phone's serial number.
    pub serial: Option<String>,
    /// Speed grade: `W`, `A`, `M`.
    pub variant: String,
    /// Boot mode: `normal`, `recovery`, ...
    pub mode: String,
    /// Why it started: `power-key`, ...
    pub reason: String,
    /// The board, if it is known.
    pub board: Option<&'static Board>,
    /// Whether the picture is on.
    pub lit: bool,
}

impl Default for Boot {
    /// A phone of 512 MiB that was started with its power key.
    fn default() -> Self {
        Self {
            ranks: vec![512 << 20],
            memory_start: DRAM_BASE,
            initrd: None,
            image_cmdline: String::new(),
            our_cmdline: String::new(),
            console: Some((0x1100_5000, 921_600)),
            serial: None,
            variant: "W".to_owned(),
            mode: "normal".to_owned(),
            reason: "power-key".to_owned(),
            board: None,
            lit: true,
        }
    }
}

/// Why there is no tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The DRAM is none that the chip can have.
    Dram(String),
    /// The tree is broken, or cannot take it.
    Tree(FixupError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dram(why) => write!(f, "DRAM: {why}"),
            Self::Tree(why) => write!(f, "{} {why}", why.code()),
        }
    }
}

impl std::error::Error for Error {}

/// A tree that is ready for a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The tree.
    pub bytes: Vec<u8>,
    /// What the boot's log would mention, each with its code.
    pub warnings: Vec<(&'static str, String)>,
}

/// Does to `tree` what the bootloader would.
///
/// # Errors
/// The tree is broken or cannot take what it is told.
pub fn fix_up(tree: &[u8], boot: &Boot, identified: &Identified) -> Result<Fixed, Error> {
    let dram = Dram::new(&boot.ranks).map_err(|why| Error::Dram(why.to_string()))?;
    let memory: Vec<Region> = dram
        .banks_from(boot.memory_start)
        .map(|bank| Region::new(bank.base.into(), bank.len.into()))
        .collect();
    let first_mib = u64::from(DRAM_BASE);
    let reserved = [ReservedRegion {
        name: "connsys",
        region: Region::new(first_mib, u64::from(KERNEL_MEMORY_START) - first_mib),
        no_map: true,
    }];
    let wiring = wiring(boot, identified);
    let touch_address = identified.touch.zip(wiring.and_then(|wiring| wiring.touch));
    let touch_address = touch_address
        .map(|((_, address), wiring)| format!("i2c{}/{address:02x}", wiring.bus.controller));
    let candidates: Vec<&str> = identified.candidates.iter().map(String::as_str).collect();
    let hand_off = HandOff {
        memory: &memory,
        reserved: &reserved,
        bootargs: BootArgs {
            image: boot.image_cmdline.as_bytes(),
            ours: boot.our_cmdline.as_bytes(),
        },
        initrd: boot.initrd.map(|(base, size)| Region::new(base, size)),
        console: boot
            .console
            .map(|(uart_base, baud)| Console { uart_base, baud }),
        serial_number: boot.serial.as_deref(),
        identity: Identity {
            version: concat!(env!("CARGO_PKG_VERSION"), " (offline)"),
            chip: "mt6572",
            variant: &boot.variant,
            boot_mode: &boot.mode,
            boot_reason: &boot.reason,
            preloader_ms: 0,
        },
        mac_addresses: &[],
        found: Found {
            display: display(boot, &dram, identified),
            evidence: Evidence {
                panel: identified.panel.map(PanelRow::lcm_name),
                panel_id: identified.panel.map(|row| row.id),
                panel_certainty: identified.certainty,
                panel_candidates: &candidates,
                touch: identified.touch.map(|(row, _)| row.id),
                touch_address: touch_address.as_deref(),
                camera_main: identified.cameras[0].map(|(row, _)| row.id),
                camera_sub: identified.cameras[1].map(|(row, _)| row.id),
                wiring: wiring.map(|wiring| wiring.id),
                board: boot.board.map(|board| board.id),
                report: &identified.report,
            },
            ..parts(wiring, identified)
        },
    };
    let mut bytes = vec![0; tree.len() + GROWTH_BYTES];
    let done = fixup::fix_up(tree, &hand_off, &mut bytes).map_err(Error::Tree)?;
    bytes.truncate(done.size);
    let warnings = done.warnings.as_slice().iter();
    Ok(Fixed {
        bytes,
        warnings: warnings
            .map(|warning| (warning.code(), warning.to_string()))
            .collect(),
    })
}

/// A known board's profile, or the one that answered.
fn wiring(boot: &Boot, identified: &Identified) -> Option<&'static Wiring> {
    let of_board = boot
        .board
        .and_then(|board| unilk_board_db::wiring(board.wiring));
    of_board.or(identified.wiring)
}

/// What of the panel, the touch chip and the cameras the tree is to name. Of
/// parts that did not answer nothing is said: whether they were asked at the
/// right pins, only the phone knew.
fn parts(wiring: Option<&'static Wiring>, identified: &Identified) -> Found<'static> {
    let Some(wiring) = wiring else {
        return Found::UNKNOWN;
    };
    let touch = identified.touch.zip(wiring.touch.as_ref());
    let camera = |socket: usize| {
        let camera = identified.cameras[socket].zip(wiring.cameras[socket].as_ref());
        camera.map_or(Fitted::Unknown, |((row, address), pins)| {
            Fitted::Part(CameraPart {
                row,
                address,
                controller: wiring.camera_bus.controller,
                wiring: pins,
            })
        })
    };
    Found {
        panel: identified.panel.map_or(Fitted::Unknown, |row| {
            Fitted::Part(PanelPart {
                row,
                wiring: &wiring.panel,
            })
        }),
        touch: touch.map_or(Fitted::Unknown, |((row, address), wiring)| {
            Fitted::Part(TouchPart {
                row,
                address,
                wiring,
            })
        }),
        cameras: [camera(0), camera(1)],
        known: Known {
            touch: unilk_board_db::touch_chips(),
            cameras: unilk_board_db::cameras(),
        },
        ..Found::UNKNOWN
    }
}

/// The picture, where the bootloader would have put it for this panel.
fn display(boot: &Boot, dram: &Dram, identified: &Identified) -> Fitted<Display> {
    let video = |mode| mode != PanelMode::Command;
    let Some(panel) = identified.panel.filter(|row| boot.lit && video(row.mode)) else {
        return Fitted::Unknown;
    };
    let size = (panel.width, panel.height);
    let layout = FramebufferLayout::vendor(dram, size, true, None).ok();
    let kept_free = dram.end().saturating_sub(FRAMEBUFFER_RESERVE);
    let Some(layout) = layout.filter(|layout| layout.base >= kept_free) else {
        return Fitted::Unknown;
    };
    Fitted::Part(Display {
        framebuffer: Region::new(layout.base.into(), layout.vram_bytes.into()),
        visible: layout.pages[0].into(),
        width: layout.width.into(),
        height: layout.height.into(),
        stride: layout.pitch_bytes,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::diff::diff;
    use super::super::tests::sample;
    use super::super::{Tree, Value};
    use super::*;

    fn identified() -> Identified {
        let video =
            |row: &&unilk_board_db::PanelRow| row.mode != PanelMode::Command && row.width == 480;
        Identified {
            panel: unilk_board_db::panels().iter().find(video),
            certainty: Some("certain"),
            touch: unilk_board_db::touch("gt911").map(|row| (row, 0x5D)),
            wiring: unilk_board_db::wiring("generic"),
            ..Identified::default()
        }
    }

    fn boot() -> Boot {
        Boot {
            initrd: Some((0x8410_0000, 0x1234)),
            image_cmdline: "root=/dev/ram".to_owned(),
            our_cmdline: "quiet".to_owned(),
            ..Boot::default()
        }
    }

    #[test]
    fn a_tree_is_told_what_the_bootloader_would_say() {
        let fixed = fix_up(&sample(), &boot(), &identified()).unwrap();
        let tree = Tree::parse(&fixed.bytes).unwrap();
        let value = |path: &str, name: &str| -> Value {
            tree.node(path)
                .unwrap()
                .property(name)
                .unwrap()
                .value
                .clone()
        };
        let cells = |path, name| value(path, name).cells().unwrap();
        let text = |path, name| value(path, name).strings().unwrap().join(" ");
        assert_eq!(cells("/memory", "reg"), [0x8000_0000, 0x2000_0000]);
        assert_eq!(text("/chosen", "bootargs"), "root=/dev/ram quiet");
        assert_eq!(cells("/chosen", "linux,initrd-end"), [0x8410_1234]);
        assert_eq!(text("/chosen", "unilk,boot-mode"), "normal");
        assert_eq!(text("/chosen/unilk", "touch-address"), "i2c1/5d");
        assert_eq!(cells("/chosen/framebuffer", "width"), [480]);
        assert!(tree.node("/reserved-memory/connsys").is_some());
    }

    #[test]
    fn doing_it_twice_changes_nothing() {
        let once = fix_up(&sample(), &boot(), &identified()).unwrap();
        let twice = fix_up(&once.bytes, &boot(), &identified()).unwrap();
        assert_eq!(once.bytes, twice.bytes);
        let trees = [&sample(), &once.bytes].map(|bytes| Tree::parse(bytes).unwrap());
        assert!(!diff(&trees[0], &trees[1]).is_empty());
    }

    #[test]
    fn a_phone_that_found_nothing_names_no_parts() {
        let boot = Boot {
            lit: false,
            ..Boot::default()
        };
        let fixed = fix_up(&sample(), &boot, &Identified::default()).unwrap();
        let tree = Tree::parse(&fixed.bytes).unwrap();
        let chosen = tree.node("/chosen").unwrap();
        assert!(chosen.child("framebuffer").is_none() && chosen.child("unilk").is_none());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let boot = Boot {
            ranks: vec![1],
            ..Boot::default()
        };
        let why = fix_up(&sample(), &boot, &identified()).unwrap_err();
        assert!(matches!(why, Error::Dram(_)), "{why}");
        let why = fix_up(b"no tree", &Boot::default(), &identified()).unwrap_err();
        assert!(why.to_string().starts_with("FDT-MAGIC"), "{why}");
    }
}
