//! Rows that answer alike: which they are, and what else tells them apart.
//!
//! Panels are asked by the bootloader's own asker ([`crate::simulate`]), chips
//! on I2C compared by their probes: this is what a phone will see, not what
//! the rows look like.

use super::{Kind, Row, ids};
use crate::simulate::{ask, is_readable};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use unilk_board_db::{PanelBus, PanelRow, Term, cameras_like, touch_like};
use unilk_core::identify::Table;
use unilk_core::identify::evidence::Evidence;
use unilk_core::identify::verdict::decide;

/// How well a panel is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "by", content = "among")]
pub enum Told {
    /// By its answers, among so many.
    ById(usize),
    /// By identification pins or a voltage.
    ByPins,
    /// Its own driver reads nothing, others of its controller do: it comes
    /// after them.
    ByController,
    /// No driver of its controller reads anything.
    ByNothing,
    /// The bootloader does not drive its bus.
    NotDriven,
}

/// Rows of the table's panels that answer alike.
pub type Group = BTreeSet<u16>;

/// The panels that a phone cannot tell from one that answers as `id` says.
pub fn group(table: &Table, id: &'static [Term]) -> Group {
    let alike = decide(table, &Evidence::NONE, ask(table, id)).alike;
    alike.iter().collect()
}

/// What becomes of every panel, and all groups; of several IDs the one that is
/// shared with the most others counts.
pub fn panels(table: &Table) -> (Vec<Told>, BTreeSet<Group>) {
    let mut groups = BTreeSet::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let told = table.panels.iter().map(|panel| {
        told(table, panel, |id| {
            *known.entry(format!("{id:?}")).or_insert_with(|| {
                let group = group(table, id);
                let size = group.len();
                groups.insert(group);
                size
            })
        })
    });
    (told.collect(), groups)
}

/// How well `panel` is told; `size` says how many answer as an ID.
fn told(table: &Table, panel: &PanelRow, size: impl FnMut(&'static [Term]) -> usize) -> Told {
    let read = |panel: &PanelRow| panel.ids.iter().any(|id| is_readable(id));
    if panel.bus == PanelBus::Dpi {
        return Told::NotDriven;
    }
    let ids = panel.ids.iter().filter(|id| is_readable(id)).copied();
    if let Some(most) = ids.map(size).max() {
        return Told::ById(most);
    }
    if !panel.ids.is_empty() {
        return Told::ByPins;
    }
    let mut like = table.panels.iter();
    if like.any(|other| other.controller == panel.controller && read(other)) {
        Told::ByController
    } else {
        Told::ByNothing
    }
}

/// Who answers as one row does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alike {
    /// What it is.
    pub kind: Kind,
    /// The row.
    pub id: &'static str,
    /// How well it is told, if it is a panel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// What it answers, in words.
    pub ids: Vec<Vec<String>>,
    /// What speaks for it besides its answers: pins, boards, driver names.
    pub marks: Vec<String>,
    /// The others.
    pub others: Vec<Other>,
}

/// Another row that answers alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Other {
    /// The row.
    pub id: &'static str,
    /// It shows a picture with the first row's table, if both are panels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_glass: Option<bool>,
    /// What tells it from the first: what it has, in words.
    pub apart: Vec<String>,
}

impl Alike {
    /// Who answers as `row`; `None` for boards and wirings, which answer
    /// nothing.
    pub fn of(table: &Table, row: &Row) -> Option<Self> {
        match row {
            Row::Panel(panel) => Some(Self::of_panel(table, panel)),
            Row::Touch(chip) => Some(Self::of_chip(row, touch_like(chip).map(Row::Touch))),
            Row::Camera(sensor) => Some(Self::of_chip(row, cameras_like(sensor).map(Row::Camera))),
            Row::Board(_) | Row::Wiring(_) => None,
        }
    }

    fn of_panel(table: &Table, panel: &'static PanelRow) -> Self {
        let readable = panel.ids.iter().filter(|id| is_readable(id)).copied();
        let mut rows = Group::new();
        let told = told(table, panel, |id| {
            let group = group(table, id);
            let size = group.len();
            rows.extend(group);
            size
        });
        // What cannot be read stands beside the others of its controller.
        if readable.count() == 0 {
            let all = (0..).zip(table.panels);
            rows.extend(
                all.filter_map(|(row, other)| {
                    (other.controller == panel.controller).then_some(row)
                }),
            );
        }
        let own = (0..).zip(table.panels).find(|(_, row)| row.id == panel.id);
        let cluster = own.map(|(row, _)| table.cluster(row));
        let others = rows.iter().filter_map(|&row| {
            let other = table.panels.get(usize::from(row))?;
            (other.id != panel.id).then(|| Other {
                id: other.id,
                same_glass: Some(cluster == Some(table.cluster(row))),
                apart: panels_apart(panel, other),
            })
        });
        Self {
            kind: Kind::Panel,
            id: panel.id,
            told: Some(told),
            ids: panel
                .ids
                .iter()
                .map(|id| ids::words(table.plan, id))
                .collect(),
            marks: panel_marks(panel),
            others: others.collect(),
        }
    }

    fn of_chip(row: &Row, like: impl Iterator<Item = Row>) -> Self {
        let sheet = super::Sheet::of(row);
        let others = like.filter(|other| other.id() != row.id());
        let apart = |other: &Row| {
            let (own, theirs) = (row.boards(), other.boards());
            let only: Vec<&str> = theirs
                .iter()
                .filter(|id| !own.contains(id))
                .copied()
                .collect();
            boards(&only).into_iter().collect()
        };
        Self {
            kind: row.kind(),
            id: row.id(),
            told: None,
            ids: sheet.ids,
            marks: boards(&row.boards()).into_iter().collect(),
            others: others
                .map(|other| Other {
                    id: other.id(),
                    same_glass: None,
                    apart: apart(&other),
                })
                .collect(),
        }
    }
}

/// At most so many boards are named.
const BOARDS: usize = 4;

fn boards(ids: &[&str]) -> Option<String> {
    let more = match ids.len().saturating_sub(BOARDS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = ids.iter().take(BOARDS).copied().collect::<Vec<_>>();
    (!named.is_empty()).then(|| format!("board {}{more}", named.join(", ")))
}

fn panel_marks(panel: &'static PanelRow) -> Vec<String> {
    let mut marks: Vec<String> = panel.ids.iter().flat_map(|id| ids::pins(id)).collect();
    marks.extend(boards(&Row::Panel(panel).boards()));
    marks.push(format!("kernel names {}", panel.names.join(" or ")));
    marks
}

/// What `other` has that `panel` has not.
fn panels_apart(panel: &'static PanelRow, other: &'static PanelRow) -> Vec<String> {
    let mut apart = Vec::new();
    if panel.controller != other.controller {
        apart.push(format!("controller {}", other.controller));
    }
    if (panel.width, panel.height) != (other.width, other.height) {
        apart.push(format!("{} x {} pixels", other.width, other.height));
    }
    let pins = |panel: &PanelRow| -> Vec<String> {
        panel.ids.iter().flat_map(|id| ids::pins(id)).collect()
    };
    let own = pins(panel);
    for pin in pins(other) {
        if !own.contains(&pin) && !apart.contains(&pin) {
            apart.push(pin);
        }
    }
    let own = Row::Panel(panel).boards();
    let theirs = Row::Panel(other).boards();
    let only: Vec<&str> = theirs
        .iter()
        .filter(|id| !own.contains(id))
        .copied()
        .collect();
    apart.extend(boards(&only));
    let names = other
        .names
        .iter()
        .filter(|name| !panel.names.contains(name));
    let names: Vec<&str> = names.copied().collect();
    if names.is_empty() {
        apart.push("kernels call both the same".to_owned());
    } else {
        apart.push(format!("kernel names {}", names.join(" or ")));
    }
    apart
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::simulate::built_in;

    fn alike(name: &str) -> Alike {
        Alike::of(&built_in(), &Row::named(name, None).unwrap()).unwrap()
    }

    #[test]
    fn panels_that_answer_alike_are_told_apart_by_the_rest() {
        let alike = alike("ili9806e-fwvga-dsi-vdo-txd");
        assert!(
            matches!(alike.told, Some(Told::ById(2..))),
            "{:?}",
            alike.told
        );
        assert!(alike.others.iter().all(|other| other.id != alike.id));
        let mine = alike.others.iter();
        let dj = mine
            .clone()
            .find(|other| other.id == "ili9806e-fwvga-dsi-vdo-dj");
        let dj = dj.unwrap();
        assert!(
            dj.apart
                .contains(&"kernel names ili9806e_fwvga_dsi_vdo_dj".to_owned()),
            "{dj:?}"
        );
        assert!(!alike.ids.is_empty() && !alike.marks.is_empty());
    }

    #[test]
    fn the_sizes_are_those_of_the_whole_report() {
        let table = built_in();
        let (all, groups) = panels(&table);
        assert_eq!(all.len(), table.panels.len());
        for (panel, told) in table.panels.iter().zip(&all).step_by(53) {
            let alike = Alike::of_panel(&table, panel);
            assert_eq!(alike.told, Some(*told), "{}", panel.id);
        }
        assert!(groups.iter().any(|group| group.len() > 1));
    }

    #[test]
    fn chips_are_compared_by_their_probes() {
        let weak = unilk_board_db::touch_chips().iter().find(|chip| chip.weak);
        if let Some(chip) = weak {
            let like = alike(chip.id);
            assert_eq!(like.others.len() + 1, touch_like(chip).count());
        }
        assert_eq!(alike("gt911").kind, Kind::Touch);
        let board = Row::Board(&unilk_board_db::boards()[0]);
        assert_eq!(Alike::of(&built_in(), &board), None);
    }
}
