//! What the user does, and when: keys held from the start and timed actions
//! from the board file.
//!
//! Times count from power-on in virtual time and are not disturbed by resets.

use crate::board::{Action, Board};
use crate::bus::Nanos;
use crate::signals::Signals;

const NS_PER_MS: u64 = 1_000_000;

/// The actions still to come, by time.
pub struct Timeline {
    actions: Vec<(Nanos, Action)>,
    next: usize,
    screenshots: Vec<String>,
}

impl Timeline {
    /// The actions of a board, sorted.
    pub fn new(board: &Board) -> Timeline {
        let mut actions: Vec<(Nanos, Action)> = board
            .user
            .iter()
            .map(|step| (step.at_ms.saturating_mul(NS_PER_MS), step.action.clone()))
            .collect();
        actions.sort_by_key(|&(at, _)| at);
        Timeline {
            actions,
            next: 0,
            screenshots: Vec::new(),
        }
    }

    /// When the next action is due.
    pub fn deadline(&self) -> Option<Nanos> {
        self.actions.get(self.next).map(|&(at, _)| at)
    }

    /// Does what is due. True if anything was.
    pub fn run(&mut self, now: Nanos, board: &Board, signals: &mut Signals) -> bool {
        let first = self.next;
        while let Some((_, action)) = self.actions.get(self.next).filter(|&&(at, _)| at <= now) {
            board.apply(action, signals);
            if let Action::Screenshot(name) = action {
                self.screenshots.push(name.clone());
            }
            self.next += 1;
        }
        self.next != first
    }

    /// The pictures that the user wants of the screen now.
    pub fn take_screenshots(&mut self) -> Vec<String> {
        std::mem::take(&mut self.screenshots)
    }

    /// After the battery was put in at time `now`: everything that had
    /// happened by then holds.
    pub fn hold(&mut self, board: &Board, now: Nanos, signals: &mut Signals) {
        self.next = 0;
        self.run(now, board, signals);
    }
}
