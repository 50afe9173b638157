//! The driver table: known panels, touch chips, cameras, wirings and boards.
//!
//! One TOML file a row in `data/`, checked and compiled by the build script
//! into constants, so that adding one needs no Rust; the plan of which
//! registers to ask a panel for is made from the rows at the same time.
//! Look-ups are linear: the table is small and asked a few times a boot.
//! Source of the rows: facts/panels.json, facts/touch.json,
//! facts/cameras.json, facts/display.md 5, facts/i2c-touch-camera.md 2 to 5,
//! facts/soc.md 7.4, 8.4; each file names its own.
#![cfg_attr(not(feature = "lint"), no_std)]
#![forbid(unsafe_code)]

mod alike;
mod columns;
#[cfg(not(feature = "lint"))]
mod data_type;
#[cfg(feature = "lint")]
pub mod lint;
mod panels;
mod script;
#[cfg(feature = "lint")]
#[path = "../build/source/mod.rs"]
#[allow(dead_code, unused_imports, reason = "a part of the build script")]
mod source;
#[cfg(feature = "lint")]
use source::data_type;
mod types;

pub use alike::{cameras_like, touch_like};
pub use panels::panels;
pub use script::{
    OP_DELAY, OP_MAX_RETURN, OP_REGISTERS, OP_RESET, OP_WORDS, PackedScript, Script, Step, Steps,
};
pub use table::UNPACK_BYTES;
pub use types::{
    Backlight, Board, BusCycle, BusWiring, CameraBus, CameraRow, CameraWiring, Confidence, Expect,
    ExtraRead, FromAnswer, Keys, LaneFormat, PanelBus, PanelMode, PanelReset, PanelRow,
    PanelWiring, ParallelBus, PhyTiming, PinMode, Plan, ProbeStep, Question, Rail, RateSource,
    ReadKind, ResetStep, SerialBus, Stage, Supply, Term, Timing, TouchRow, TouchWiring, Wiring,
};

#[allow(
    unused_imports,
    clippy::wildcard_imports,
    reason = "the compiled table names what its rows need"
)]
mod table {
    use crate::columns::{Column, Numbers};
    use crate::panels::{Columns, Scripts};
    use crate::script::{Block, Script};
    use crate::types::*;
    include!(concat!(env!("OUT_DIR"), "/table.rs"));
}

/// The panel in `data/panels/<id>.toml`.
pub fn panel(id: &str) -> Option<&'static PanelRow> {
    panels().iter().find(|panel| panel.id == id)
}

/// Panels of which a vendor driver has this name. Several may: vendors reuse
/// names for other glass.
pub fn panels_by_driver(name: &str) -> impl Iterator<Item = &'static PanelRow> + '_ {
    panels()
        .iter()
        .filter(move |panel| panel.names.contains(&name))
}

/// Which questions to ask a panel, in which order.
pub fn plan() -> &'static Plan {
    &table::PLAN
}

/// The cluster of each panel, in the order of [`panels`]: those of one cluster
/// show a picture on each other's glass, with other colours or a few lines
/// more or less. Its number means nothing else.
pub fn clusters() -> &'static [u16] {
    &table::CLUSTERS
}

/// All touch chips, in the order in which to probe an address they share.
pub fn touch_chips() -> &'static [TouchRow] {
    &table::TOUCH
}

/// The touch chip in `data/touch/<id>.toml`.
pub fn touch(id: &str) -> Option<&'static TouchRow> {
    touch_chips().iter().find(|chip| chip.id == id)
}

/// All cameras, in the order in which to probe an address they share: those
/// with 8-bit register addresses first (facts/i2c-touch-camera.md 4.4).
pub fn cameras() -> &'static [CameraRow] {
    &table::CAMERAS
}

/// The camera in `data/cameras/<id>.toml`.
pub fn camera(id: &str) -> Option<&'static CameraRow> {
    cameras().iter().find(|camera| camera.id == id)
}

/// All wiring profiles, in order of their file names.
pub fn wirings() -> &'static [Wiring] {
    &table::WIRINGS
}

/// The profile in `data/wiring/<id>.toml`.
pub fn wiring(id: &str) -> Option<&'static Wiring> {
    wirings().iter().find(|wiring| wiring.id == id)
}

/// All boards, in order of their file names.
pub fn boards() -> &'static [Board] {
    &table::BOARDS
}

/// The board in `data/boards/<id>.toml`.
pub fn board(id: &str) -> Option<&'static Board> {
    boards().iter().find(|board| board.id == id)
}

/// On how many known boards a matrix code is which volume key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyRoles {
    /// Boards on which it is volume up.
    pub volume_up: u8,
    /// Boards on which it is volume down.
    pub volume_down: u8,
}

/// What a key code may mean on a board that is not known.
pub fn key_roles(code: u8) -> KeyRoles {
    boards()
        .iter()
        .fold(KeyRoles::default(), |roles, board| KeyRoles {
            volume_up: roles.volume_up + u8::from(board.keys.volume_up == Some(code)),
            volume_down: roles.volume_down + u8::from(board.keys.volume_down == Some(code)),
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_of_the_known_boards() {
        let keys = |id| {
            let keys = board(id).unwrap().keys;
            (keys.volume_up, keys.volume_down)
        };
        assert_eq!(keys("alcatel-yariss"), (Some(2), Some(1)));
        assert_eq!(keys("alcatel-jrdhz72"), (Some(19), Some(10)));
        assert_eq!(keys("alcatel-california"), (Some(1), Some(0)));
        assert_eq!(keys("lightning72"), (Some(0), Some(9)));
        assert_eq!(keys("lge-muse72"), (Some(1), Some(10)));
        assert_eq!(keys("ckt72-w-kk"), (Some(20), Some(29)));
        assert_eq!(keys("pe900s"), (None, None));
        assert_eq!(board("pe900s").unwrap().keys.recovery, Some(9));
    }

    #[test]
    fn a_code_means_different_keys_on_different_boards() {
        assert_eq!(
            key_roles(1),
            KeyRoles {
                volume_up: 3,
                volume_down: 2
            }
        );
        assert_eq!(
            key_roles(29),
            KeyRoles {
                volume_up: 0,
                volume_down: 1
            }
        );
        assert_eq!(key_roles(70), KeyRoles::default());
    }

    #[test]
    fn boards_name_the_panels_that_were_seen_in_them() {
        let board = board("ckt72-w-kk").unwrap();
        let mut names = board
            .panels
            .iter()
            .map(|&row| panels()[usize::from(row)].lcm_name());
        // The names in the drivers, which the kernel compares, not their folders'.
        assert_eq!(names.next(), Some("ili9806e_dsi_cmd_6572"));
        assert_eq!(names.next(), Some("otm8019a_dsi_vdo_lcm_drv_dnj"));
        assert_eq!(board.backlight, Backlight::BlsPwm);
    }

    #[test]
    fn panel_rows_carry_the_geometry() {
        let panel = panels_by_driver("ili9806e_6572_dsi_vdo").next().unwrap();
        assert_eq!((panel.width, panel.height, panel.lanes), (480, 854, 2));
        assert_eq!(panel.mode, PanelMode::SyncPulse);
        assert_eq!(
            panel.vertical,
            Some(Timing {
                sync: 2,
                back: 18,
                front: 20
            })
        );
        assert_eq!(
            panel.rate,
            RateSource::Dividers {
                div1: 1,
                div2: 1,
                feedback: 30
            }
        );
        assert_eq!(panel.lane_mbps(), 52 * 30 / 4);
        let panel = panels_by_driver("ili9806e_dsi_cmd_txd").next().unwrap();
        assert_eq!(
            (panel.rate, panel.lane_mbps()),
            (RateSource::PllMhz(221), 442)
        );
        assert_eq!(panels_by_driver("nonsense").count(), 0);
    }

    #[test]
    fn frame_rate_of_a_video_panel_is_plausible() {
        // Rows whose source is certain; reference drivers run slow and fast.
        for panel in panels().iter().filter(|panel| !panel.doubtful) {
            match panel.fps_x100() {
                Some(fps) => assert!((4000..=9000).contains(&fps), "{}: {fps}", panel.id),
                None => assert_eq!(panel.mode, PanelMode::Command, "{}", panel.id),
            }
        }
    }
}
