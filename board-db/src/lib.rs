//! The driver table: known panels and boards.
//!
//! One TOML file a panel or board in `data/`, checked and compiled by the
//! build script into constants, so that adding one needs no Rust. Look-ups
//! are linear: the table is small and asked a few times a boot. Source of the
//! rows: facts/display.md 5.6, facts/soc.md 7.4, 8.4.
#![no_std]
#![forbid(unsafe_code)]

mod types;

pub use types::{Backlight, Board, Keys, LaneFormat, PanelMode, PanelRow, RateSource, Timing};

mod table {
    use crate::types::{
        Backlight, Board, Keys, LaneFormat, PanelMode, PanelRow, RateSource, Timing,
    };
    include!(concat!(env!("OUT_DIR"), "/table.rs"));
}

/// All panels, in order of their file names.
pub fn panels() -> &'static [PanelRow] {
    &table::PANELS
}

/// All boards, in order of their file names.
pub fn boards() -> &'static [Board] {
    &table::BOARDS
}

/// The panel in `data/panels/<id>.toml`.
pub fn panel(id: &str) -> Option<&'static PanelRow> {
    panels().iter().find(|panel| panel.id == id)
}

/// Panels whose vendor driver has this name. Several may: vendors reuse names
/// for other glass.
pub fn panels_by_driver(name: &str) -> impl Iterator<Item = &'static PanelRow> + '_ {
    panels().iter().filter(move |panel| panel.lcm_name == name)
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
                volume_up: 2,
                volume_down: 1
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
        let mut names = board.panels.iter().map(|id| panel(id).unwrap().lcm_name);
        assert_eq!(names.next(), Some("ili9806e_dsi_cmd_txd"));
        assert_eq!(names.next(), Some("otm8019a_dsi_vdo_djn"));
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
        for panel in panels() {
            match panel.fps_x100() {
                Some(fps) => assert!((4500..=8500).contains(&fps), "{}: {fps}", panel.id),
                None => assert_eq!(panel.mode, PanelMode::Command, "{}", panel.id),
            }
        }
    }
}
