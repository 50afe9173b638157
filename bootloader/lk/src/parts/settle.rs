//! The decision, when the kernel is in memory and all questions are answered:
//! what its names say, what a person says, what is remembered.

use mt6572_hal::time::{Deadline, Micros};
use unilk_board_db::Wiring;
use unilk_board_db::{Board, PanelBus};
use unilk_core::crc32::crc32;
use unilk_core::identify::RowSet;
use unilk_core::identify::evidence::{Reasons, likely_board};
use unilk_core::identify::panel::Presence;
use unilk_core::identify::store::{Choice, How};
use unilk_core::identify::touch::TouchVerdict;
use unilk_core::identify::verdict::{self, Certainty, PanelVerdict};
use unilk_core::identify::wizard::{Action, Event, IDLE_US, Wizard};
use unilk_core::names::{self, Finder, NameSet};
use unilk_core::screen::wizard::WizardPage;

use super::Parts;
use super::shown::Page;
use crate::log::say;
use crate::meanwhile;
use crate::storage::Disk;
use crate::wake::Phone;

/// Every question has its own limit; together they stay far below this.
const LIMIT: Micros = Micros::from_ms(6_000);
const LOOK: Micros = Micros(1_000);
/// How often the keys are looked at.
const KEYS: Micros = Micros::from_ms(20);
/// A person who chose nothing on the last boot is waited for so long, in µs.
const SECOND_CHANCE_US: u32 = 3_000_000;
/// Bytes of a kernel that stand for it.
const SAMPLE: usize = 4096;

/// Candidates, and what the keys do.
struct Round<'a> {
    rows: &'a [u16],
    keys: &'static [&'static str],
}

/// A kernel in memory whose strings may name panels.
pub struct Kernel<'a> {
    /// The zImage.
    pub zimage: &'a [u8],
    /// Free memory, to unpack it into.
    pub work: &'a mut [u8],
}

impl Kernel<'_> {
    /// Stands for this kernel in what is remembered.
    fn check_value(&self) -> u32 {
        let tail = self.zimage.len().saturating_sub(SAMPLE);
        let sum = crc32(self.zimage.get(tail..).unwrap_or_default());
        (sum ^ self.zimage.len() as u32).max(1)
    }
}

impl Parts {
    /// Lets all questions come to their ends.
    #[allow(clippy::unused_self, reason = "the questions are those of `start`")]
    pub fn finish(&self, phone: &mut Phone) {
        let limit = Deadline::after(LIMIT);
        while meanwhile::is_busy() && !limit.expired() {
            phone.hal.toprgu.kick();
            meanwhile::rest(LOOK);
        }
    }

    /// Decides, lights what is not lit yet, says it and remembers it. Once;
    /// later calls change nothing.
    pub fn settle(&'static self, phone: &mut Phone, disk: &mut Disk, kernel: Option<Kernel<'_>>) {
        self.finish(phone);
        if self.settled.replace(true) {
            return;
        }
        // The panel may have been lit before the others had answered.
        self.decide_again(RowSet::EMPTY);
        let mut searched = None;
        if self.kernel_may_help() {
            if let Some(mut kernel) = kernel {
                searched = self.search(phone, &mut kernel);
            }
            let rows = searched.as_ref().map_or(RowSet::EMPTY, |(_, rows)| *rows);
            self.decide_again(rows);
        }
        let how = self.light_winner(phone);
        self.say_all();
        self.report.borrow_mut().finish();
        self.show_doubts();
        self.remember(disk, how, searched);
    }

    /// Nothing stronger than the kernel's names speaks for one panel.
    pub fn kernel_may_help(&self) -> bool {
        let verdict = self.panel.borrow();
        let open = |verdict: &PanelVerdict| verdict.certainty < Certainty::Certain;
        verdict.as_ref().is_some_and(open) && self.hints.panel.is_none()
    }

    fn decide_again(&self, kernel: RowSet) {
        let Some(before) = self.panel.take() else {
            return;
        };
        let after = verdict::decide(&self.table, &self.evidence(kernel), before.found);
        *self.panel.borrow_mut() = Some(after);
    }

    /// The panels that the kernel names, unless that is remembered.
    fn search(&self, phone: &mut Phone, kernel: &mut Kernel<'_>) -> Option<(u32, RowSet)> {
        let value = kernel.check_value();
        if self
            .stored
            .borrow()
            .as_ref()
            .is_some_and(|stored| stored.searched(value))
        {
            return None;
        }
        let set = NameSet::new(self.table.panels);
        let mut finder = Finder::new(&set);
        let began = Self::now_us();
        let result = names::search(kernel.zimage, &mut *kernel.work, &mut finder, &mut || {
            phone.hal.toprgu.kick();
            crate::log::pump();
        });
        let rows: RowSet = finder.rows().collect();
        match result {
            Ok(done) => say!(
                "kernel ({}, {} KiB) names {} panels of the table; {} us",
                done.packing.name(),
                done.bytes / 1024,
                rows.len(),
                Self::now_us().wrapping_sub(began)
            ),
            Err(error) => Self::note("panel names", &error),
        }
        let mut names = self.names.borrow_mut();
        names.clear();
        for name in finder.names() {
            // More names than there is room for decide nothing.
            let _ = names.push(name);
        }
        Some((value, rows))
    }

    /// Lights the winner, or lets a person choose. How the panel was chosen.
    fn light_winner(&'static self, phone: &mut Phone) -> How {
        let (winner, certainty, ask, alike) = {
            let verdict = self.panel.borrow();
            let Some(verdict) = verdict.as_ref() else {
                return How::None;
            };
            (
                verdict.winner,
                verdict.certainty,
                verdict.ask,
                verdict.alike,
            )
        };
        let Some(winner) = winner else {
            meanwhile::run(self.link_off());
            return How::None;
        };
        let row = self.table.panels.get(usize::from(winner));
        if row.is_some_and(|row| row.bus == PanelBus::Dpi) {
            meanwhile::run(self.link_off());
            return self.how(winner);
        }
        if self.port.borrow().is_none() {
            return How::None;
        }
        let stored = self
            .stored
            .borrow()
            .as_ref()
            .and_then(|stored| stored.panel(&self.table));
        if stored == Some((winner, How::Person)) && certainty == Certainty::Confirmed {
            self.light_if_dark(winner);
            return How::Person;
        }
        // What was more than a guess on the last boot, and fits as well as any
        // on this one, stays.
        let before = stored.filter(|&(row, _)| alike.contains(row));
        if let Some((row, how @ (How::Identified | How::KernelNames))) = before.filter(|_| ask) {
            self.chosen.set(Some(row));
            self.light_if_dark(row);
            return how;
        }
        if !ask {
            self.light_if_dark(winner);
            return self.how(winner);
        }
        match self.ask(phone, before.is_some()) {
            Some(chosen) => {
                self.chosen.set(Some(chosen));
                self.by_person.set(true);
                How::Person
            }
            None => How::Guess,
        }
    }

    fn how(&self, winner: u16) -> How {
        let verdict = self.panel.borrow();
        let Some(verdict) = verdict.as_ref() else {
            return How::None;
        };
        let best = verdict.candidates.first();
        let by_names = best.is_some_and(|best| {
            best.row == winner
                && best.reasons.contains(Reasons::KERNEL)
                && !best.reasons.contains(Reasons::ID_BYTES)
        });
        match verdict.certainty {
            Certainty::Guess => How::Guess,
            _ if by_names => How::KernelNames,
            _ => How::Identified,
        }
    }

    fn light_if_dark(&'static self, row: u16) {
        if self.shown.get().is_none_or(|shown| shown.row != row) {
            meanwhile::run(self.relight(row, Page::Boot));
        }
    }

    /// The board that what is fitted speaks for.
    pub(super) fn likely_board(&self) -> Option<&'static Board> {
        let verdict = self.panel.borrow();
        let verdict = verdict.as_ref()?;
        likely_board(&self.table, &self.evidence(RowSet::EMPTY), verdict)
    }

    pub(super) fn board_or_likely(&self) -> Option<&'static Board> {
        self.board().or_else(|| self.likely_board())
    }

    /// Shows the candidates until a person accepts one, and then those that are
    /// like it. `None`: nobody came, and the best guess is lit.
    fn ask(&'static self, phone: &mut Phone, guessed: bool) -> Option<u16> {
        let rounds = {
            let verdict = self.panel.borrow();
            let verdict = verdict.as_ref()?;
            verdict.rounds(&self.table, &self.evidence(RowSet::EMPTY))
        };
        say!(
            "{} panels fit alike: volume keys step through them, the power key takes one",
            rounds.first().len()
        );
        // On the boot after a guess a look at the screen must do.
        let idle_us = if guessed { SECOND_CHANCE_US } else { IDLE_US };
        let first = Round {
            rows: rounds.first(),
            keys: &["Volume: next, previous", "Power: I can read this"],
        };
        let count = first.rows.len() as u16;
        let begin = Wizard::begin(count, Self::now_us(), idle_us);
        let Some(readable) = self.round(phone, &first, begin) else {
            say!("nobody chose a panel: taking the best guess");
            self.light_boot_page(*first.rows.first()?);
            return None;
        };
        let alike = rounds.second(&self.table, readable);
        let mut chosen = readable;
        if alike.len() > 1 {
            say!("{} panels are like it: which is the best?", alike.len());
            let second = Round {
                rows: &alike,
                keys: &["Volume: next, previous", "Power: this is the best"],
            };
            let begin = Wizard::again(alike.len() as u16, Self::now_us());
            chosen = self.round(phone, &second, begin).unwrap_or(readable);
        }
        let panel = self.table.panels.get(usize::from(chosen))?;
        say!("panel {} chosen", panel.id);
        self.light_boot_page(chosen);
        Some(chosen)
    }

    /// One round: what a person accepted, or `None`.
    fn round(
        &'static self,
        phone: &mut Phone,
        round: &Round<'_>,
        (mut wizard, mut action): (Wizard, Action),
    ) -> Option<u16> {
        let mut before = phone.look();
        let mut lit = false;
        loop {
            match action {
                Action::Wait => {}
                Action::Show(number) => lit = self.show_candidate(round, number),
                Action::Darken => meanwhile::run(self.darken()),
                Action::Accepted(number) => return round.rows.get(usize::from(number)).copied(),
                Action::GaveUp(_) => return None,
            }
            phone.hal.toprgu.kick();
            meanwhile::rest_for(KEYS);
            let now = phone.look();
            let mut event = phone.event(before, now);
            if event == Event::Accept && !lit {
                // Nobody can have seen a picture.
                event = Event::Next;
            }
            before = now;
            action = wizard.step(event, Self::now_us());
        }
    }

    fn show_candidate(&'static self, round: &Round<'_>, number: u16) -> bool {
        let row = round.rows.get(usize::from(number)).copied();
        let Some((row, panel)) =
            row.and_then(|row| Some((row, self.table.panels.get(usize::from(row))?)))
        else {
            return false;
        };
        let count = round.rows.len();
        let page = Page::Candidate(WizardPage {
            number: number + 1,
            count: count as u16,
            name: panel.lcm_name(),
            controller: panel.controller,
            keys: round.keys,
            seconds: Some(10),
        });
        say!("candidate {} of {count}: {}", number + 1, panel.id);
        if self.shown.get().is_some_and(|shown| shown.row == row) {
            self.show(page);
            return true;
        }
        meanwhile::run(self.relight(row, page))
    }

    /// Lights a panel with the boot's page, if it is not lit already.
    fn light_boot_page(&'static self, row: u16) {
        if self.shown.get().is_some_and(|shown| shown.row == row) {
            self.show(Page::Boot);
        } else {
            meanwhile::run(self.relight(row, Page::Boot));
        }
    }

    /// The winner, whoever chose it.
    pub(super) fn winner(&self) -> Option<u16> {
        let verdict = self.panel.borrow();
        self.chosen.get().or(verdict.as_ref()?.winner)
    }

    /// Stores what was learnt, if that is new and some of it was found.
    fn remember(&self, disk: &mut Disk, how: How, searched: Option<(u32, RowSet)>) {
        let stored = self.stored.borrow();
        let Some(stored) = stored.as_ref() else {
            return;
        };
        if meanwhile::is_busy() {
            // Somebody who was not asked to the end is not absent.
            return;
        }
        stored.complain(&self.table);
        let id = |row: u16| {
            self.table
                .panels
                .get(usize::from(row))
                .map_or("", |row| row.id)
        };
        let touch = self.touch.borrow();
        let chip = touch.as_ref().and_then(TouchVerdict::chip);
        let cameras = self.cameras.borrow();
        let camera = |socket: usize| {
            let row = cameras.as_ref()?.get(socket)?.winner?;
            Some(self.table.cameras.get(usize::from(row))?.id)
        };
        let (kernel, names) = match searched {
            Some((value, _)) => (value, self.names.borrow().clone()),
            None => stored.names(),
        };
        let winner = self.winner();
        let absent = [
            winner.is_some(),
            chip.is_some(),
            camera(0).is_some(),
            camera(1).is_some(),
        ];
        let absent = absent.iter().enumerate().filter(|(_, there)| !**there);
        stored.write(
            disk,
            &Choice {
                how,
                panel: winner.map_or("", id),
                wiring: self.agreed_wiring().map_or("", |wiring| wiring.id),
                board: self.board_or_likely().map_or("", |board| board.id),
                inferred: self.board().is_none(),
                touch: chip
                    .and_then(|chip| Some(self.table.touch.get(usize::from(chip.row))?.id))
                    .unwrap_or(""),
                touch_address: chip.map_or(0, |chip| chip.address),
                cameras: [camera(0).unwrap_or(""), camera(1).unwrap_or("")],
                absent: absent.fold(0, |bits, (bit, _)| bits | 1 << bit),
                kernel,
                names,
            },
        );
    }

    /// A profile by which everybody who answered can be reached; without
    /// anybody the one that was tried.
    pub(super) fn agreed_wiring(&self) -> Option<&'static Wiring> {
        let panel = self.panel_wiring();
        let answers = self.panel.borrow();
        let spoke = answers
            .as_ref()
            .is_some_and(|verdict| verdict.found.presence() == Presence::Yes);
        let touch = self.touch.borrow();
        let touched = touch
            .as_ref()
            .is_some_and(|verdict| !verdict.chips.is_empty());
        let touch = self.touch_wiring.get().filter(|_| touched);
        let cameras = self.camera_wiring.get();
        let fits = |wiring: &&'static Wiring| {
            let sockets = wiring.cameras.iter().zip(&cameras);
            let mut sockets = sockets.map(|(pins, found)| match found {
                Some((controller, found)) => {
                    pins.as_ref() == Some(found) && wiring.camera_bus.controller == *controller
                }
                None => true,
            });
            let reset = panel.is_none_or(|(panel, _)| panel.panel.reset == wiring.panel.reset);
            (!spoke || reset)
                && (touch.is_none() || wiring.touch == touch)
                && sockets.all(|fits| fits)
        };
        let first = panel.map(|(wiring, _)| wiring).filter(fits);
        first.or_else(|| self.table.wirings.iter().find(fits))
    }

    /// Shows why the boot ends here, on the panel that is lit, or on the best
    /// guess. Nobody is asked.
    pub fn stop(&'static self, phone: &mut Phone, page: Page<'_>) {
        self.finish(phone);
        self.report.borrow_mut().finish();
        phone.hal.toprgu.kick();
        match (self.shown.get(), self.winner()) {
            (Some(_), _) => self.show(page),
            (None, Some(row)) => {
                meanwhile::run(self.relight(row, page));
            }
            (None, None) => {}
        }
    }

    /// Puts out a panel that is only a guess: driven by a wrong table it must
    /// not stay lit.
    pub fn dim_guess(&'static self) {
        let verdict = self.panel.borrow();
        let certain = |verdict: &PanelVerdict| verdict.certainty >= Certainty::Likely;
        if !self.by_person.get() && !verdict.as_ref().is_some_and(certain) {
            meanwhile::run(self.darken());
        }
    }

    /// Everything dark, before the phone goes off.
    pub fn dark(&'static self, phone: &mut Phone) {
        self.finish(phone);
        meanwhile::run(self.darken());
        phone.hal.toprgu.kick();
    }
}
