//! What speaks for a panel, and how much.
//!
//! An ID names the controller and not the glass, so nothing decides alone.
//! The weights put the kinds of evidence in the order of DESIGN.md: each kind
//! weighs more than all weaker kinds together, so that adding a weak hint can
//! never overturn a strong one, only decide between those that it left.

use super::panel::{Findings, Match, Outcome};
use super::store::How;
use super::verdict::{Candidate, Certainty, PanelVerdict};
use super::{RowSet, Table};
use unilk_board_db::{Board, PanelRow};

/// A person chose it, and the phone remembers.
pub const STORED: u16 = 7680;
/// The host tool found it in this phone's own stock firmware.
pub const HINT: u16 = 3840;
/// ID bytes over DSI, all of them.
pub const ID_BYTES: u16 = 1920;
/// Identification pins or voltage, where the wiring is known.
pub const PINS: u16 = 960;
/// The kernel in the phone's own boot image names its driver.
pub const KERNEL: u16 = 480;
/// Seen on a board with the touch chip that was found.
pub const TOUCH: u16 = 160;
/// Seen on a board with the camera that was found, each.
pub const CAMERA: u16 = 80;
/// Seen on a board that has every chip which was found, two at least: a set
/// that was sold together says more than its parts on different boards.
pub const TOGETHER: u16 = 80;
/// A pin or voltage agrees that may be something else: unknown wiring.
pub const VOLTAGE: u16 = 40;
/// Seen on the board that this is.
pub const BOARD: u16 = 20;
/// Fame: a point for each doubling of the devices that select it, up to
/// `MAX_SHIPPED`, one for each two doublings of the source trees that have its
/// driver, up to `MAX_TREES`, `SURE` for a row whose source is certain, one for
/// each four bits of ID, up to `MAX_BITS`, and one for the winner of the last
/// boot. It orders, but decides nothing.
pub const MAX_FAME: u16 = MAX_SHIPPED + MAX_TREES + SURE + MAX_BITS + 1;
const MAX_SHIPPED: u16 = 6;
const MAX_TREES: u16 = 2;
const SURE: u16 = 2;
/// Who explains more of the answer stands first.
const MAX_BITS: u16 = 8;

/// Why a candidate has its score: one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Reasons(pub u16);

impl Reasons {
    /// A person chose it on an earlier boot.
    pub const STORED: Self = Self(1 << 0);
    /// Hinted by the host tool.
    pub const HINT: Self = Self(1 << 1);
    /// ID bytes agree.
    pub const ID_BYTES: Self = Self(1 << 2);
    /// Pins or a voltage agree, on known wiring.
    pub const PINS: Self = Self(1 << 3);
    /// Named in the phone's kernel.
    pub const KERNEL: Self = Self(1 << 4);
    /// Boards with this touch chip have it.
    pub const TOUCH: Self = Self(1 << 5);
    /// Boards with this main camera have it.
    pub const MAIN_CAMERA: Self = Self(1 << 6);
    /// Boards with this sub camera have it.
    pub const SUB_CAMERA: Self = Self(1 << 7);
    /// This board has it.
    pub const BOARD: Self = Self(1 << 8);
    /// It cannot be read: nothing contradicts it.
    pub const UNREADABLE: Self = Self(1 << 9);
    /// What the panel answers contradicts it.
    pub const CONTRADICTED: Self = Self(1 << 10);
    /// It won the last boot, without a person.
    pub const LAST: Self = Self(1 << 11);
    /// A pin or a voltage agrees, on unknown wiring.
    pub const VOLTAGE: Self = Self(1 << 12);
    /// One board has it and all chips that were found.
    pub const TOGETHER: Self = Self(1 << 13);

    const NAMES: [&'static str; 14] = [
        "chosen",
        "hint",
        "id",
        "pins",
        "kernel",
        "touch",
        "main-camera",
        "sub-camera",
        "board",
        "unreadable",
        "contradicted",
        "last-boot",
        "voltage",
        "together",
    ];

    /// Whether all of `other` are among them.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Adds `other`.
    pub const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Their names, in the order of their bits.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let names = Self::NAMES.iter().enumerate();
        names.filter_map(move |(bit, &name)| (self.0 >> bit & 1 == 1).then_some(name))
    }
}

/// Everything beside the panel's own answers.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The stored choice, as a row, and how it came about.
    pub stored: Option<(u16, How)>,
    /// Rows that the host tool hinted at.
    pub hinted: RowSet,
    /// Rows whose drivers the phone's kernel names.
    pub kernel: RowSet,
    /// Id of the touch chip that was found.
    pub touch: Option<&'a str>,
    /// Ids of the cameras that were found: main, sub.
    pub cameras: [Option<&'a str>; 2],
    /// The board, where hint or store name it.
    pub board: Option<&'a Board>,
}

impl Evidence<'_> {
    /// Nothing but the panel's own answers.
    pub const NONE: Self = Self {
        stored: None,
        hinted: RowSet::EMPTY,
        kernel: RowSet::EMPTY,
        touch: None,
        cameras: [None; 2],
        board: None,
    };

    /// Rows that are asked first: what only a strong reason can overturn.
    pub fn preferred(&self) -> RowSet {
        let mut rows = self.hinted;
        if let Some((row, _)) = self.stored {
            rows = RowSet::EMPTY;
            rows.insert(row);
        }
        rows
    }

    /// Which of the chips that were found this board is known with: touch,
    /// main camera, sub camera.
    fn seen_on(&self, board: &Board) -> [bool; 3] {
        let has = |ids: &[&str], id: Option<&str>| id.is_some_and(|id| ids.contains(&id));
        [
            has(board.touch, self.touch),
            has(board.cameras[0], self.cameras[0]),
            has(board.cameras[1], self.cameras[1]),
        ]
    }

    /// Which were found.
    fn chips(&self) -> [bool; 3] {
        let [main, sub] = self.cameras;
        [self.touch, main, sub].map(|chip| chip.is_some())
    }
}

/// The board that this phone is most likely one of: the only one which is
/// known with every chip that was found and with this panel or, if there is
/// none, with a panel of this controller. `None` if several fit alike, or if
/// less than two parts were found.
///
/// An inference: it may go into reports and say what to ask first, but it must
/// not choose a wiring.
pub fn likely_board(
    table: &Table,
    evidence: &Evidence<'_>,
    verdict: &PanelVerdict,
) -> Option<&'static Board> {
    let chips = evidence.chips();
    // What was only guessed is nothing that was found.
    let row = verdict
        .winner
        .filter(|_| verdict.certainty > Certainty::Guess || verdict.identified());
    let panel = |row: u16| table.panels.get(usize::from(row));
    let winner = row.and_then(panel);
    let kinds = chips.iter().filter(|&&found| found).count() + usize::from(winner.is_some());
    if kinds < 2 {
        return None;
    }
    let rank = |board: &Board| {
        if evidence.seen_on(board) != chips {
            return None;
        }
        let Some(winner) = winner else {
            return Some(0);
        };
        // Of several that answer alike only the controller is known.
        let mut rows = board.panels.iter();
        if verdict.certainty > Certainty::Guess && rows.any(|&there| row == Some(there)) {
            return Some(2);
        }
        let mut panels = board.panels.iter().filter_map(|&row| panel(row));
        panels
            .any(|panel| panel.controller == winner.controller)
            .then_some(1)
    };
    let mut best: Option<(u8, Option<&'static Board>)> = None;
    for board in table.boards {
        let Some(rank) = rank(board) else {
            continue;
        };
        best = match best {
            Some((known, _)) if known > rank => best,
            // Two that fit alike: neither.
            Some((known, _)) if known == rank => Some((rank, None)),
            _ => Some((rank, Some(board))),
        };
    }
    best?.1
}

/// Evidence per row, worked out once for all rows.
pub(super) struct Weights<'a> {
    evidence: &'a Evidence<'a>,
    touch: RowSet,
    cameras: [RowSet; 2],
    together: RowSet,
    board: RowSet,
}

impl<'a> Weights<'a> {
    pub(super) fn new(table: &Table, evidence: &'a Evidence<'a>) -> Self {
        let mut weights = Self {
            evidence,
            touch: RowSet::EMPTY,
            cameras: [RowSet::EMPTY; 2],
            together: RowSet::EMPTY,
            board: RowSet::EMPTY,
        };
        let chips = evidence.chips();
        let several = chips.iter().filter(|&&found| found).count() >= 2;
        for board in table.boards {
            let seen = evidence.seen_on(board);
            let [touch, main, sub] = seen;
            let this = evidence.board.is_some_and(|known| known.id == board.id);
            if !(touch || main || sub || this) {
                continue;
            }
            let panels = board.panels.iter().copied().collect();
            let [main_set, sub_set] = &mut weights.cameras;
            let sets = [
                (touch, &mut weights.touch),
                (main, main_set),
                (sub, sub_set),
                (several && seen == chips, &mut weights.together),
                (this, &mut weights.board),
            ];
            for (_, set) in sets.into_iter().filter(|(applies, _)| *applies) {
                set.add(&panels);
            }
        }
        weights
    }

    /// The candidate that a row makes; `None` when it is out of the question.
    pub(super) fn weigh(
        &self,
        table: &Table,
        row: u16,
        panel: &PanelRow,
        found: &Findings,
    ) -> Option<Candidate> {
        let mut grounds = 0;
        let mut reasons = Reasons::default();
        let mut add = |applies: bool, weight: u16, reason: Reasons| {
            if applies {
                grounds += weight;
                reasons.add(reason);
            }
        };
        let stored = |how| self.evidence.stored == Some((row, how));
        let person = stored(How::Person);
        let last = [How::Identified, How::KernelNames, How::Guess]
            .into_iter()
            .any(stored);
        let Match {
            outcome,
            bits,
            pins,
        } = found.match_of(table, row, panel);
        add(person, STORED, Reasons::STORED);
        if outcome == Outcome::Refuted {
            // A person has seen a picture with it: keep it, and warn.
            if !person {
                return None;
            }
            add(true, 0, Reasons::CONTRADICTED);
        }
        let confirmed = outcome == Outcome::Confirmed;
        add(self.evidence.hinted.contains(row), HINT, Reasons::HINT);
        add(confirmed && bits > 0, ID_BYTES, Reasons::ID_BYTES);
        let known = found.own.is_some();
        add(confirmed && pins > 0 && known, PINS, Reasons::PINS);
        add(pins > 0 && !known, VOLTAGE, Reasons::VOLTAGE);
        add(self.evidence.kernel.contains(row), KERNEL, Reasons::KERNEL);
        add(self.touch.contains(row), TOUCH, Reasons::TOUCH);
        add(self.cameras[0].contains(row), CAMERA, Reasons::MAIN_CAMERA);
        add(self.cameras[1].contains(row), CAMERA, Reasons::SUB_CAMERA);
        add(self.together.contains(row), TOGETHER, Reasons::TOGETHER);
        add(self.board.contains(row), BOARD, Reasons::BOARD);
        add(outcome == Outcome::Unreadable, 0, Reasons::UNREADABLE);
        // So that a guess stays the same from boot to boot.
        add(last, 0, Reasons::LAST);
        let specific = if confirmed {
            u16::from(bits / 4).min(MAX_BITS)
        } else {
            0
        };
        Some(Candidate {
            row,
            grounds,
            score: grounds + fame(panel) + specific + u16::from(last),
            reasons,
        })
    }
}

/// Points for being common, and known for certain.
fn fame(panel: &PanelRow) -> u16 {
    let doublings = |count: u16| (u16::BITS - count.leading_zeros()) as u16;
    let shipped = doublings(panel.shipped).min(MAX_SHIPPED);
    let trees = (doublings(panel.trees) / 2).min(MAX_TREES);
    shipped + trees + if panel.doubtful { 0 } else { SURE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn each_kind_outweighs_all_weaker_ones() {
        let seen = TOUCH + 2 * CAMERA + TOGETHER;
        let kinds = [
            STORED, HINT, ID_BYTES, PINS, KERNEL, seen, VOLTAGE, BOARD, MAX_FAME,
        ];
        for (at, kind) in kinds.iter().enumerate() {
            let weaker: u16 = kinds[at + 1..].iter().sum();
            assert!(*kind > weaker, "kind {at}: {kind} and {weaker}");
        }
        // One camera alone does, too.
        const { assert!(CAMERA > VOLTAGE + BOARD + MAX_FAME) }
        const { assert!(TOGETHER > VOLTAGE + BOARD + MAX_FAME) }
        assert!(kinds.iter().map(|&kind| u32::from(kind)).sum::<u32>() < 0x1_0000);
    }

    #[test]
    fn fame_is_capped_and_doubt_lowers_it() {
        let of = |shipped, trees, doubtful| {
            fame(&PanelRow {
                shipped,
                trees,
                doubtful,
                ..super::super::testing::panel("p", &[])
            })
        };
        let points = [0, 1, 2, 3, 4, 100, u16::MAX].map(|count| of(count, 0, true));
        assert_eq!(points, [0, 1, 2, 2, 3, 6, 6]);
        let points = [0, 1, 2, 8, u16::MAX].map(|count| of(0, count, true));
        assert_eq!(points, [0, 0, 1, 2, 2]);
        // One device more than makes up for many trees, doubt for two devices.
        assert_eq!(of(1, 1, false), 3);
        assert_eq!(of(u16::MAX, u16::MAX, false) + MAX_BITS + 1, MAX_FAME);
    }

    #[test]
    fn reasons_have_names() {
        let mut reasons = Reasons::ID_BYTES;
        reasons.add(Reasons::BOARD);
        assert_eq!(reasons.names().collect::<Vec<_>>(), ["id", "board"]);
        assert!(reasons.contains(Reasons::BOARD) && !reasons.contains(Reasons::HINT));
    }
}
