//! Asks a person which panel it is: shows one candidate after the other until
//! somebody who sees a picture says so.
//!
//! A pure state machine: keys and time go in, what to do comes out. A
//! candidate that nobody has confirmed is driven with a table that may be
//! wrong, so it stays lit for ten seconds at most (DESIGN.md, "Harmless
//! probing") and is then powered down; a key brings the next, or it again.
//!
//! Where many fit alike there are two rounds ([`super::rounds`]): the first
//! ends with a picture that can be read, the second with the best of its like.

/// Longest time that an unconfirmed candidate is lit, in µs.
pub const LIT_US: u32 = 10_000_000;
/// Without any key for this long the best guess is taken, in µs: long enough
/// to look at the phone twice, short enough for one that lies in a drawer.
pub const IDLE_US: u32 = 20_000_000;
/// After a key somebody is there; without another for this long they left.
pub const LEFT_US: u32 = 60_000_000;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Event {
    /// Volume key: the next candidate.
    Next,
    /// Other volume key: the one before.
    Previous,
    /// Power key: this one.
    Accept,
    /// Nothing but time.
    Tick,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Action {
    /// Nothing.
    Wait,
    /// Power down what is lit, light this candidate and tell its name.
    Show(u16),
    /// Power the candidate down and go on listening.
    Darken,
    /// A person chose this one: store it.
    Accepted(u16),
    /// Nobody chose: take this one, marked as a guess.
    GaveUp(u16),
}

/// The state of the conversation.
#[derive(Debug, Clone, Copy)]
pub struct Wizard {
    count: u16,
    at: u16,
    lit: bool,
    touched: bool,
    shown_us: u32,
    key_us: u32,
    idle_us: u32,
}

impl Wizard {
    /// Begins with `count` candidates, best first, and what to do first.
    /// Without any key for `idle_us` the best guess is taken: [`IDLE_US`], or
    /// less where the same guess was made before.
    pub fn begin(count: u16, now_us: u32, idle_us: u32) -> (Self, Action) {
        let wizard = Self {
            count,
            at: 0,
            lit: count > 0,
            touched: false,
            shown_us: now_us,
            key_us: now_us,
            idle_us,
        };
        let action = if count > 0 {
            Action::Show(0)
        } else {
            Action::GaveUp(0)
        };
        (wizard, action)
    }

    /// Begins a second round of `count` candidates, of which the first is lit
    /// and was accepted in the round before: it is kept if nobody chooses.
    pub fn again(count: u16, now_us: u32) -> (Self, Action) {
        let (wizard, action) = Self::begin(count, now_us, LEFT_US);
        let wizard = Self {
            touched: true,
            ..wizard
        };
        (wizard, action)
    }

    /// The candidate whose turn it is.
    pub const fn current(&self) -> u16 {
        self.at
    }

    /// What to do after `event`.
    pub fn step(&mut self, event: Event, now_us: u32) -> Action {
        if self.count == 0 {
            return Action::GaveUp(0);
        }
        if event != Event::Tick {
            self.touched = true;
            self.key_us = now_us;
        }
        match event {
            Event::Next => {
                self.at = (self.at + 1) % self.count;
                self.show(now_us)
            }
            Event::Previous => {
                self.at = (self.at + self.count - 1) % self.count;
                self.show(now_us)
            }
            // A person can only mean what they see.
            Event::Accept if self.lit => Action::Accepted(self.at),
            Event::Accept => self.show(now_us),
            Event::Tick => self.tick(now_us),
        }
    }

    fn show(&mut self, now_us: u32) -> Action {
        self.lit = true;
        self.shown_us = now_us;
        Action::Show(self.at)
    }

    fn tick(&mut self, now_us: u32) -> Action {
        let patience = if self.touched { LEFT_US } else { self.idle_us };
        if now_us.wrapping_sub(self.key_us) >= patience {
            // The first, which is the best, wherever the person stopped.
            return Action::GaveUp(0);
        }
        if self.lit && now_us.wrapping_sub(self.shown_us) >= LIT_US {
            self.lit = false;
            return Action::Darken;
        }
        Action::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_step_in_both_directions_and_accept_what_is_seen() {
        let (mut wizard, first) = Wizard::begin(3, 0, IDLE_US);
        assert_eq!(first, Action::Show(0));
        assert_eq!(wizard.step(Event::Previous, 1), Action::Show(2));
        assert_eq!(wizard.step(Event::Next, 2), Action::Show(0));
        assert_eq!(wizard.step(Event::Next, 3), Action::Show(1));
        assert_eq!(wizard.step(Event::Accept, 4), Action::Accepted(1));
    }

    #[test]
    fn no_candidate_is_lit_longer_than_ten_seconds() {
        // Across the wrap of the clock.
        let start = u32::MAX - 3_000_000;
        let (mut wizard, _) = Wizard::begin(2, start, IDLE_US);
        let mut lit_for = 0;
        let mut lit = true;
        for step in 1..200u32 {
            let now = start.wrapping_add(step * 100_000);
            match wizard.step(Event::Tick, now) {
                Action::Darken => {
                    lit = false;
                    assert_eq!(lit_for + 1, 100);
                }
                action => assert_eq!(action, Action::Wait, "step {step}"),
            }
            lit_for += u32::from(lit);
        }
        assert!(!lit);
        // In the dark, power shows it again instead of accepting it blindly.
        let now = start.wrapping_add(19_900_000);
        assert_eq!(wizard.step(Event::Accept, now), Action::Show(0));
        assert_eq!(wizard.step(Event::Accept, now + 1), Action::Accepted(0));
    }

    #[test]
    fn nobody_there_means_the_best_guess() {
        let (mut wizard, _) = Wizard::begin(4, 0, IDLE_US);
        assert_eq!(wizard.step(Event::Tick, IDLE_US - 1), Action::Darken);
        assert_eq!(wizard.step(Event::Tick, IDLE_US), Action::GaveUp(0));
        // Somebody who pressed a key gets more time, and no other guess.
        let (mut wizard, _) = Wizard::begin(4, 0, IDLE_US);
        assert_eq!(wizard.step(Event::Next, 100), Action::Show(1));
        assert_eq!(wizard.step(Event::Tick, IDLE_US + 100), Action::Darken);
        assert_eq!(wizard.step(Event::Tick, LEFT_US + 100), Action::GaveUp(0));
    }

    #[test]
    fn a_guess_that_was_made_before_is_waited_for_less() {
        let (mut wizard, _) = Wizard::begin(4, 0, 3_000_000);
        assert_eq!(wizard.step(Event::Tick, 2_999_999), Action::Wait);
        assert_eq!(wizard.step(Event::Tick, 3_000_000), Action::GaveUp(0));
        // Somebody is there after all.
        let (mut wizard, _) = Wizard::begin(4, 0, 3_000_000);
        assert_eq!(wizard.step(Event::Next, 2_000_000), Action::Show(1));
        assert_eq!(wizard.step(Event::Tick, 6_000_000), Action::Wait);
    }

    #[test]
    fn in_the_second_round_what_was_accepted_is_waited_with() {
        let (mut wizard, first) = Wizard::again(3, 500);
        assert_eq!(first, Action::Show(0));
        assert_eq!(wizard.step(Event::Tick, 500 + LIT_US), Action::Darken);
        assert_eq!(wizard.step(Event::Tick, 499 + LEFT_US), Action::Wait);
        assert_eq!(wizard.step(Event::Tick, 500 + LEFT_US), Action::GaveUp(0));
    }

    #[test]
    fn without_candidates_there_is_nothing_to_show() {
        let (mut wizard, first) = Wizard::begin(0, 0, IDLE_US);
        assert_eq!(first, Action::GaveUp(0));
        assert_eq!(wizard.step(Event::Next, 1), Action::GaveUp(0));
    }
}
