//! What the compiled-in driver table knows: its rows listed, searched, shown
//! and compared, and rows in files checked.

pub mod alike;
mod dcs;
mod ids;
pub mod lint;
mod list;
mod sequence;
mod sheet;

use crate::names;
use serde::Serialize;
use unilk_board_db::{Board, CameraRow, PanelRow, TouchRow, Wiring};

pub use list::{Entry, Filter, Hit, list, search};
pub use sequence::{Sequence, Step};
pub use sheet::{Fact, Sheet};

/// What a row describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A display module.
    Panel,
    /// A touch controller.
    Touch,
    /// A camera sensor.
    Camera,
    /// A phone.
    Board,
    /// What boards of one design connect where.
    Wiring,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Panel,
        Self::Touch,
        Self::Camera,
        Self::Board,
        Self::Wiring,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Panel => "panel",
            Self::Touch => "touch",
            Self::Camera => "camera",
            Self::Board => "board",
            Self::Wiring => "wiring",
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Row {
    /// A display module.
    Panel(&'static PanelRow),
    /// A touch controller.
    Touch(&'static TouchRow),
    /// A camera sensor.
    Camera(&'static CameraRow),
    /// A phone.
    Board(&'static Board),
    /// A wiring profile.
    Wiring(&'static Wiring),
}

impl Row {
    /// All rows, by kind and in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        let panels = unilk_board_db::panels().iter().map(Self::Panel);
        let touch = unilk_board_db::touch_chips().iter().map(Self::Touch);
        let cameras = unilk_board_db::cameras().iter().map(Self::Camera);
        let boards = unilk_board_db::boards().iter().map(Self::Board);
        let wirings = unilk_board_db::wirings().iter().map(Self::Wiring);
        panels
            .chain(touch)
            .chain(cameras)
            .chain(boards)
            .chain(wirings)
    }

    /// The row called `name`: its id, or for a panel the name of a vendor's
    /// driver that no other row has. One id may stand for a board and a wiring:
    /// `kind` says which is meant.
    ///
    /// # Errors
    /// No row, or several, with what may have been meant.
    pub fn named(name: &str, kind: Option<Kind>) -> Result<Self, names::Unknown> {
        let of_kind = |row: &Self| kind.is_none_or(|kind| row.kind() == kind);
        let mut by_id = Self::all().filter(of_kind).filter(|row| row.id() == name);
        match (by_id.next(), by_id.next()) {
            (Some(row), None) => return Ok(row),
            (Some(row), Some(other)) => {
                let kinds = [row, other].map(|row| row.kind().word());
                return Err(names::Unknown::ambiguous("row", name, kinds.into_iter()));
            }
            (None, _) => {}
        }
        let has = |row: &Self| row.aliases().contains(&name);
        let mut rows = Self::all().filter(of_kind).filter(has);
        match (rows.next(), rows.next()) {
            (Some(row), None) => Ok(row),
            (Some(row), Some(other)) => {
                let more = rows.map(|row| row.id());
                let ids = [row.id(), other.id()].into_iter().chain(more);
                Err(names::Unknown::ambiguous("row", name, ids))
            }
            (None, _) => {
                let known = Self::all().filter(of_kind);
                let known = known.flat_map(|row| [&[row.id()][..], row.aliases()].concat());
                Err(names::Unknown::near("row", name, known))
            }
        }
    }

    /// What it describes.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Panel(_) => Kind::Panel,
            Self::Touch(_) => Kind::Touch,
            Self::Camera(_) => Kind::Camera,
            Self::Board(_) => Kind::Board,
            Self::Wiring(_) => Kind::Wiring,
        }
    }

    /// Name of its file, unique within its kind.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Panel(row) => row.id,
            Self::Touch(row) => row.id,
            Self::Camera(row) => row.id,
            Self::Board(row) => row.id,
            Self::Wiring(row) => row.id,
        }
    }

    /// Names of the vendor's drivers.
    pub const fn aliases(&self) -> &'static [&'static str] {
        match self {
            Self::Panel(row) => row.names,
            _ => &[],
        }
    }

    /// Controller, or maker and name of the chip.
    pub fn controller(&self) -> String {
        match self {
            Self::Panel(row) => row.controller.to_owned(),
            Self::Touch(row) => format!("{} {}", row.family, row.name),
            Self::Camera(row) => row.name.to_owned(),
            Self::Board(_) | Self::Wiring(_) => String::new(),
        }
    }

    /// `compatible` of mainline Linux.
    pub const fn compatible(&self) -> Option<&'static str> {
        match self {
            Self::Panel(row) => row.compatible,
            Self::Touch(row) => row.compatible,
            Self::Camera(row) => row.compatible,
            Self::Board(_) | Self::Wiring(_) => None,
        }
    }

    /// The boards that were seen with it.
    pub fn boards(&self) -> Vec<&'static str> {
        let has = |board: &&Board| match self {
            Self::Panel(row) => panels_of(board).any(|panel| panel.id == row.id),
            Self::Touch(row) => board.touch.contains(&row.id),
            Self::Camera(row) => board.cameras.iter().any(|ids| ids.contains(&row.id)),
            Self::Board(row) => board.id == row.id,
            Self::Wiring(row) => board.wiring == row.id,
        };
        let boards = unilk_board_db::boards().iter();
        boards.filter(has).map(|board| board.id).collect()
    }
}

/// The panels that were seen in a board.
fn panels_of(board: &Board) -> impl Iterator<Item = &'static PanelRow> {
    let panels = unilk_board_db::panels();
    board
        .panels
        .iter()
        .filter_map(|&row| panels.get(usize::from(row)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_id_and_by_a_drivers_name() {
        let row = Row::named("gt911", None).unwrap();
        assert_eq!((row.kind(), row.id()), (Kind::Touch, "gt911"));
        let row = Row::named("ili9806e_fwvga_dsi_vdo_dj", None).unwrap();
        assert_eq!(row.id(), "ili9806e-fwvga-dsi-vdo-dj");
        let why = Row::named("ili9806e_fwvga_dsi_vdo_tdx", None).unwrap_err();
        let why = why.to_string();
        assert!(why.contains("ili9806e_fwvga_dsi_vdo_txd"), "{why}");
        assert!(Row::named("gt911", Some(Kind::Camera)).is_err());
        let why = Row::named("lge-muse72", None).unwrap_err().to_string();
        assert!(why.ends_with("say which: board, wiring"), "{why}");
        let wiring = Row::named("lge-muse72", Some(Kind::Wiring)).unwrap();
        assert_eq!(wiring.kind(), Kind::Wiring);
    }

    #[test]
    fn a_name_that_several_rows_have_is_not_guessed_at() {
        let shared = unilk_board_db::panels().iter().flat_map(|row| row.names);
        let shared = shared
            .copied()
            .find(|name| unilk_board_db::panels_by_driver(name).count() > 1);
        if let Some(name) = shared {
            let why = Row::named(name, None).unwrap_err().to_string();
            let first = unilk_board_db::panels_by_driver(name).next().unwrap();
            assert!(why.contains(first.id), "{why}");
        }
    }
}
