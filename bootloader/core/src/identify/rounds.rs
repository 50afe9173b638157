//! In which order a person is shown the panels that fit alike.
//!
//! Up to some hundred may, but their tables come in clusters that show a
//! picture on each other's glass (`board-db/build/source/clusters.rs`). So the
//! first round shows one of each cluster, those by which the most phones were
//! built first; who can read one of them chooses in a second round among its
//! like. Behind the last cluster the first round goes on with everybody else.
//!
//! Panels whose own driver reads nothing, but which have the controller that
//! answered, come after those whose driver does.

use super::{RowSet, Table};
use crate::order::sort_by_key;
use core::cmp::Reverse;
use heapless::Vec;

/// Panels that a person may be shown.
pub const MAX_SHOWN: usize = 512;
/// Rows in the order in which to show them.
pub type Order = Vec<u16, MAX_SHOWN>;

/// One who may be shown. The order of the fields is that of showing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Not the first of its cluster.
    follows: bool,
    /// Only has the controller that answered.
    kin: bool,
    /// The scores of its cluster together.
    weight: Reverse<u16>,
    score: Reverse<u16>,
    row: u16,
}

/// Between whom a person chooses.
#[derive(Debug, Clone, Default)]
pub struct Rounds {
    order: Order,
}

impl Rounds {
    /// `fit`: those that fit alike; `best` of them comes first. `kin`: those
    /// that come after them. `score`: the higher the more likely.
    pub fn new(
        table: &Table,
        (best, fit): (u16, &RowSet),
        kin: &RowSet,
        score: impl Fn(u16) -> u16,
    ) -> Self {
        let mut entries: Vec<Entry, MAX_SHOWN> = Vec::new();
        let kin_alone = kin.iter().filter(|&row| !fit.contains(row));
        for (row, kin) in fit
            .iter()
            .map(|row| (row, false))
            .chain(kin_alone.map(|row| (row, true)))
        {
            let entry = Entry {
                follows: false,
                kin,
                weight: Reverse(0),
                score: Reverse(if row == best { u16::MAX } else { score(row) }),
                row,
            };
            // More than there is room for are not shown.
            let _ = entries.push(entry);
        }
        // The best of each cluster before its others, the cluster of `best`
        // before all.
        let cluster = |entry: &Entry| table.cluster(entry.row).unwrap_or(u16::MAX);
        sort_by_key(&mut entries, |entry| {
            (cluster(entry), entry.kin, entry.score, entry.row)
        });
        let number = |entry: &Entry| table.cluster(entry.row);
        for alike in entries.chunk_by_mut(|a, b| number(a).is_some() && number(a) == number(b)) {
            let points =
                |sum: u16, entry: &Entry| sum.saturating_add(entry.score.0).saturating_add(1);
            let weight = Reverse(alike.iter().fold(0, points));
            for (place, entry) in alike.iter_mut().enumerate() {
                entry.follows = place > 0;
                entry.weight = weight;
            }
        }
        sort_by_key(&mut entries, |entry| *entry);
        Self {
            order: entries.iter().map(|entry| entry.row).collect(),
        }
    }

    /// All of them: one of each cluster first.
    pub fn first(&self) -> &[u16] {
        &self.order
    }

    /// Those of the cluster of `row`, which comes first.
    pub fn second(&self, table: &Table, row: u16) -> Order {
        let cluster = table.cluster(row);
        let others = self.order.iter().copied().filter(|&other| other != row);
        let alike = others.filter(|&other| cluster.is_some() && table.cluster(other) == cluster);
        core::iter::once(row).chain(alike).take(MAX_SHOWN).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{leak, panel, panels};
    use super::*;
    use unilk_board_db::Plan;

    static PLAN: Plan = Plan {
        stages: &[],
        questions: &[],
    };

    /// Rows 0 to 7 in these clusters; row 8 has none.
    fn table() -> Table {
        let rows: std::vec::Vec<_> = (0..9).map(|_| panel("p", &[])).collect();
        Table {
            clusters: leak(&[0, 1, 0, 2, 1, 1, 3, 3]),
            ..panels(&rows, &PLAN)
        }
    }

    #[test]
    fn one_of_each_cluster_comes_first_and_the_like_in_the_second_round() {
        let table = table();
        let fit = RowSet::first(6);
        let score = |row| if row == 3 { 20 } else { row };
        let rounds = Rounds::new(&table, (2, &fit), &RowSet::EMPTY, score);
        // The best, then by weight (20 of one, 10 of three), then the rest.
        assert_eq!(rounds.first(), [2, 3, 5, 0, 4, 1]);
        assert_eq!(rounds.second(&table, 5), [5, 4, 1]);
        assert_eq!(rounds.second(&table, 1), [1, 5, 4], "it stays lit");
        assert_eq!(rounds.second(&table, 3), [3]);
    }

    #[test]
    fn who_only_has_the_controller_comes_later() {
        let table = table();
        let fit = [1, 4].into_iter().collect();
        let kin = [0, 1, 5, 6, 7, 8].into_iter().collect();
        let rounds = Rounds::new(&table, (4, &fit), &kin, |row| row);
        // 5 is shown by the cluster of 4.
        assert_eq!(rounds.first(), [4, 7, 8, 0, 1, 5, 6]);
        assert_eq!(rounds.second(&table, 4), [4, 1, 5]);
    }
}
