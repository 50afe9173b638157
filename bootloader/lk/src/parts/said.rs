//! The verdicts, as a person reads them: in the log, and on the screen where
//! one of them is doubtful.

use core::fmt::{self, Write};

use heapless::String;
use unilk_core::identify::camera::{CameraVerdict, Socket};
use unilk_core::identify::evidence::Reasons;
use unilk_core::identify::touch::TouchVerdict;
use unilk_core::identify::verdict::{Certainty, PanelVerdict};
use unilk_core::screen::pages::{Tone, VerdictRow};

use super::Parts;
use super::shown::Page;
use crate::log::say;

/// Reasons as words.
struct Why(Reasons);

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, name) in self.0.names().enumerate() {
            f.write_str(if number == 0 { " (" } else { "," })?;
            f.write_str(name)?;
        }
        if self.0 == Reasons::default() {
            Ok(())
        } else {
            f.write_str(")")
        }
    }
}

impl Parts {
    /// The verdicts as lines of the log, and into the report.
    pub(super) fn say_all(&self) {
        let now = Self::now_us();
        if let Some((wiring, _)) = self.panel_wiring() {
            match (self.board(), self.likely_board()) {
                (Some(board), _) => say!("wiring {}, board {}", wiring.id, board.id),
                (None, Some(board)) => {
                    say!("wiring {}, board {} by its parts", wiring.id, board.id);
                }
                (None, None) => say!("wiring {}, board unknown", wiring.id),
            }
        }
        if let Some(verdict) = self.panel.borrow().as_ref() {
            self.say_panel(verdict);
            verdict.record(&self.table, self, now);
        }
        if let Some(verdict) = self.touch.borrow().as_ref() {
            self.say_touch(verdict);
            verdict.record(&self.table, self, now);
        }
        if let Some(verdicts) = self.cameras.borrow().as_ref() {
            for ((socket, verdict), name) in
                Socket::ALL.into_iter().zip(verdicts).zip(["main", "sub"])
            {
                self.say_camera(name, verdict);
                verdict.record(socket, &self.table, self, now);
            }
        }
    }

    fn say_panel(&self, verdict: &PanelVerdict) {
        if let Some(note) = &verdict.note {
            Self::note("panel", note);
        }
        let found = &verdict.found;
        let reasons = verdict
            .candidates
            .first()
            .map_or(Reasons::default(), |best| best.reasons);
        let id = self
            .winner()
            .and_then(|row| Some(self.table.panels.get(usize::from(row))?.id));
        let certainty = if self.by_person.get() {
            Certainty::Confirmed
        } else {
            verdict.certainty
        };
        say!(
            "panel {} {}{}: {} more fit; {} reads, {} resets, {} us",
            id.unwrap_or("none"),
            certainty.name(),
            Why(reasons),
            verdict.alike.len().saturating_sub(1),
            found.reads,
            found.resets,
            found.took_us
        );
    }

    fn say_touch(&self, verdict: &TouchVerdict) {
        if let Some(note) = &verdict.note {
            Self::note("touch", note);
        }
        match verdict.chip() {
            Some(chip) => say!(
                "touch {} at {:#04x}{}; {} us",
                self.table
                    .touch
                    .get(usize::from(chip.row))
                    .map_or("?", |row| row.id),
                chip.address,
                if chip.weak { ", acknowledge only" } else { "" },
                verdict.took_us
            ),
            None => say!("touch none; {} us", verdict.took_us),
        }
    }

    fn say_camera(&self, socket: &str, verdict: &CameraVerdict) {
        if let Some(note) = &verdict.note {
            Self::note("camera", note);
        }
        let row = verdict
            .winner
            .and_then(|row| self.table.cameras.get(usize::from(row)));
        match row {
            Some(row) => say!(
                "camera {socket} {} at {:#04x}{}; {} us",
                row.id,
                verdict.address,
                if verdict.weak {
                    ", one byte agrees"
                } else {
                    ""
                },
                verdict.took_us
            ),
            None => say!("camera {socket} none; {} us", verdict.took_us),
        }
    }

    /// The verdicts on the screen, where one of them is none a person should
    /// just trust.
    pub(super) fn show_doubts(&'static self) {
        let (panel, touch, cameras) = (
            self.panel.borrow(),
            self.touch.borrow(),
            self.cameras.borrow(),
        );
        let Some(panel) = panel.as_ref() else { return };
        if self.shown.get().is_none()
            || panel.certainty >= Certainty::Certain
            || self.by_person.get()
        {
            return;
        }
        let row = self
            .winner()
            .and_then(|row| self.table.panels.get(usize::from(row)));
        let chip = touch.as_ref().and_then(TouchVerdict::chip);
        let chip = chip.and_then(|chip| self.table.touch.get(usize::from(chip.row)));
        let camera = |socket: usize| {
            let row = cameras.as_ref()?.get(socket)?.winner?;
            Some(self.table.cameras.get(usize::from(row))?.name)
        };
        let part = |part, name: Option<&'static str>, weak: bool| VerdictRow {
            part,
            name: name.unwrap_or("none found"),
            certainty: match (name, weak) {
                (None, _) => "none",
                (Some(_), true) => "likely",
                (Some(_), false) => "certain",
            },
            tone: match (name, weak) {
                (None, _) => Tone::Missing,
                (Some(_), true) => Tone::Guess,
                (Some(_), false) => Tone::Sure,
            },
            detail: "",
        };
        let weak = |socket: usize| {
            let cameras = cameras.as_ref().and_then(|cameras| cameras.get(socket));
            cameras.is_some_and(|camera| camera.weak)
        };
        let weak_touch = touch.as_ref().and_then(TouchVerdict::chip);
        let weak_touch = weak_touch.is_some_and(|chip| chip.weak);
        let mut others: String<32> = String::new();
        // Short enough.
        let _ = write!(
            others,
            "{} more fit alike",
            panel.alike.len().saturating_sub(1)
        );
        self.show(Page::Verdicts(&[
            VerdictRow {
                part: "Panel",
                name: row.map_or("none", |row| row.lcm_name()),
                certainty: panel.certainty.name(),
                tone: Tone::Guess,
                detail: &others,
            },
            part("Touch", chip.map(|chip| chip.name), weak_touch),
            part("Main camera", camera(0), weak(0)),
            part("Sub camera", camera(1), weak(1)),
        ]));
    }
}
