//! What a person does while the boot runs.

use mt6572_hal::keypad::KeyState;
use mt6572_hal::mt6323::PmicKeys;
use unilk_core::identify::wizard::Event;

use crate::wake::Phone;

/// Everything that can be pressed, at one moment.
#[derive(Clone, Copy)]
pub struct Held {
    /// The key matrix.
    pub matrix: KeyState,
    /// Power and home key.
    pub pmic: PmicKeys,
}

impl Phone {
    /// What is held now.
    pub fn look(&mut self) -> Held {
        Held {
            matrix: self.hal.keypad.read(),
            pmic: self.hal.pmic.keys().unwrap_or(PmicKeys {
                power: false,
                home: false,
            }),
        }
    }

    /// Which key went down between two looks. A volume key whose code is not
    /// known, or any other key of the matrix, means the next one.
    pub fn event(&self, before: Held, now: Held) -> Event {
        if now.pmic.power && !before.pmic.power {
            return Event::Accept;
        }
        if now.pmic.home && !before.pmic.home {
            return Event::Next;
        }
        if !now.matrix.has_new(before.matrix) {
            return Event::Tick;
        }
        let board = self.hints.board.and_then(unilk_board_db::board);
        let goes_back = now.matrix.iter().any(|code| {
            if let Some(board) = board {
                return board.keys.volume_up == Some(code);
            }
            let roles = unilk_board_db::key_roles(code);
            roles.volume_up > roles.volume_down
        });
        if goes_back {
            Event::Previous
        } else {
            Event::Next
        }
    }
}

impl Held {
    /// A key went down since `before`. One that hangs, or an input that
    /// floats because the board has no such key, would look like a person for
    /// ever.
    pub fn has_new(self, before: Self) -> bool {
        self.matrix.has_new(before.matrix)
            || self.pmic.power && !before.pmic.power
            || self.pmic.home && !before.pmic.home
    }
}
