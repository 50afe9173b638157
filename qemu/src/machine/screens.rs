//! Pictures of the screen: when the panel gives notice, when somebody asks,
//! at the end of a life, and regularly for who watches live.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::map::MAP;
use super::{Host, Machine};
use crate::bus::Nanos;
use crate::panel::{Glass, Milestone};

/// How often a watcher gets a fresh picture: 5 a second.
const LIVE: Nanos = 200_000_000;
/// How often it is asked whether somebody wants a picture.
const POLL: Nanos = 20_000_000;
/// Changed frames that are kept, apart from the first of each display-on: a
/// kernel draws for ever.
const FRAMES_KEPT: u32 = 40;

/// A picture of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shot {
    /// What it was taken for; `None`: for who watches live.
    pub milestone: Option<String>,
    /// What one sees.
    pub glass: Glass,
    /// When.
    pub t_ns: Nanos,
}

/// What was taken, and what is to be taken next.
#[derive(Default)]
pub(super) struct Screens {
    on: bool,
    live: bool,
    /// Notices heeded.
    heeded: u32,
    /// What was last kept.
    last: u64,
    last_state: &'static str,
    frames: u32,
    poll_at: Option<Nanos>,
    live_at: Nanos,
    asked: bool,
    shots: Vec<Shot>,
}

impl Screens {
    /// When [`Screens::tick`] wants to be called.
    pub(super) fn deadline(&self) -> Option<Nanos> {
        self.poll_at
    }

    /// Time passes. True if a live picture is due.
    pub(super) fn tick(&mut self, now: Nanos) -> bool {
        if self.poll_at.is_none_or(|at| at > now) {
            return false;
        }
        self.poll_at = Some(now + POLL);
        self.asked = true;
        let due = self.live && self.live_at <= now;
        if due {
            self.live_at = now + LIVE;
        }
        due
    }

    fn keep(&mut self, milestone: Option<String>, glass: Glass, t_ns: Nanos) {
        self.last = fingerprint(&glass);
        self.last_state = glass.state;
        self.shots.push(Shot {
            milestone,
            glass,
            t_ns,
        });
    }

    /// Whether a picture that nobody asked for is worth keeping.
    fn is_new(&mut self, milestone: Milestone, glass: &Glass) -> bool {
        match milestone {
            Milestone::FirstFrame | Milestone::BacklightOn => true,
            Milestone::Change => fingerprint(glass) != self.last,
            Milestone::Frame if glass.state != self.last_state => true,
            Milestone::Frame => {
                let new = self.frames < FRAMES_KEPT && fingerprint(glass) != self.last;
                self.frames += u32::from(new);
                new
            }
        }
    }
}

/// Equal for what looks equal.
fn fingerprint(glass: &Glass) -> u64 {
    let mut hasher = DefaultHasher::new();
    (glass.state, glass.width, &glass.rgb).hash(&mut hasher);
    hasher.finish()
}

impl Machine {
    /// Takes pictures from now on; `live`: also 5 a second of virtual time.
    pub fn watch_screen(&mut self, live: bool) {
        self.screens = Screens {
            on: true,
            live,
            // Until something lights it, the screen is dark.
            last_state: "off",
            poll_at: Some(POLL),
            ..Screens::default()
        };
        self.deadline_moved = true;
    }

    /// The pictures that were taken.
    pub fn take_shots(&mut self) -> Vec<Shot> {
        std::mem::take(&mut self.screens.shots)
    }

    /// Whether it is time to look if somebody wants a picture.
    pub fn take_poll(&mut self) -> bool {
        std::mem::take(&mut self.screens.asked)
    }

    /// What one sees now, if the phone has a screen. Looking disturbs nothing.
    pub fn glass(&mut self, host: &mut dyn Host) -> Option<Glass> {
        let panel = self.board.panel.as_ref()?;
        let block = if panel.bus.is_some() { "DBI" } else { "DSI" };
        let owner = MAP.iter().position(|entry| entry.name == block)?;
        let (reports, lines) = (self.reports.len(), self.log.len());
        let glass = self.with_block(owner, host, |block, cx| block.glass(cx));
        // A path that reads where nothing is was reported when it began to.
        self.reports.truncate(reports);
        self.log.truncate(lines);
        glass
    }

    /// Takes a picture, for `milestone`.
    pub fn shoot(&mut self, milestone: &str, host: &mut dyn Host) {
        if self.screens.on
            && let Some(glass) = self.glass(host)
        {
            let now = self.now();
            self.screens.keep(Some(milestone.to_owned()), glass, now);
        }
    }

    /// Takes the picture for who watches live, if it changed.
    pub(super) fn shoot_live(&mut self, host: &mut dyn Host) {
        if let Some(glass) = self.glass(host)
            && fingerprint(&glass) != self.screens.last
        {
            let now = self.now();
            self.screens.keep(None, glass, now);
        }
    }

    /// Heeds the panel's notice, if it gave one.
    pub(super) fn settle_screen(&mut self, host: &mut dyn Host) {
        let notice = self.signals.glass;
        if !self.screens.on || notice.count == self.screens.heeded {
            return;
        }
        self.screens.heeded = notice.count;
        let (Some(milestone), Some(glass)) = (notice.milestone, self.glass(host)) else {
            return;
        };
        if self.screens.is_new(milestone, &glass) {
            let now = self.now();
            let name = milestone.name().to_owned();
            self.screens.keep(Some(name), glass, now);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{TestHost, phone};
    use super::*;
    use crate::signals::Request;

    const MS: Nanos = 1_000_000;

    fn board(panel: &str, user: &str) -> String {
        format!(
            "name = 'x'\n{user}\n[dram]\nranks_mib = [512]\n[panel]\ncontroller = 'x'\nwidth = 4\n\
             height = 2\nlanes = 1\nmode = 'command'\nformat = 'rgb888'\n\
             init = [{{cmd = 0x11}}, {{cmd = 0x29}}]\n{panel}"
        )
    }

    fn names(machine: &mut Machine) -> Vec<(Option<String>, &'static str)> {
        let shots = machine.take_shots();
        shots
            .into_iter()
            .map(|shot| (shot.milestone, shot.glass.state))
            .collect()
    }

    fn pass(machine: &mut Machine, host: &mut TestHost, to: Nanos) {
        for at in (host.now / MS..=to / MS).step_by(20) {
            host.now = at * MS;
            machine.timer(host);
        }
    }

    #[test]
    fn pictures_are_taken_when_asked_for_and_at_the_end_of_a_life() {
        let user = "user = [{at_ms = 30, screenshot = 'logo'}]";
        let (mut machine, mut host) = phone(&board("backlight = 'always'", user), None, None);
        machine.watch_screen(false);
        pass(&mut machine, &mut host, 20 * MS);
        names(&mut machine);
        assert!(machine.take_poll());
        assert!(!machine.take_poll());
        pass(&mut machine, &mut host, 60 * MS);
        assert_eq!(names(&mut machine), [(Some("logo".into()), "white")]);
        machine.signals.request = Some(Request::PowerOff("test"));
        machine.settle(&mut host);
        assert_eq!(names(&mut machine), [(Some("power-off".into()), "white")]);
    }

    #[test]
    fn light_makes_a_picture_and_who_watches_live_gets_five_a_second() {
        let (mut machine, mut host) = phone(&board("backlight = 'gpio 50'", ""), None, None);
        machine.watch_screen(true);
        pass(&mut machine, &mut host, 20 * MS);
        names(&mut machine);
        machine.signals.pin_output[50] = true;
        machine.signals.pin_out_level[50] = true;
        machine.notify_watchers(None, &mut host);
        machine.settle(&mut host);
        assert_eq!(
            names(&mut machine),
            [(Some("backlight-on".into()), "white")]
        );
        // What did not change is not sent again.
        pass(&mut machine, &mut host, 500 * MS);
        assert_eq!(names(&mut machine), []);
        machine.screens.last = 0;
        pass(&mut machine, &mut host, 800 * MS);
        assert_eq!(names(&mut machine), [(None, "white")]);
    }

    #[test]
    fn a_phone_without_a_panel_has_no_pictures() {
        let (mut machine, mut host) = phone("name = 'x'\ndram.ranks_mib = [512]", None, None);
        machine.watch_screen(true);
        pass(&mut machine, &mut host, 400 * MS);
        machine.shoot("end", &mut host);
        assert_eq!(names(&mut machine), []);
    }
}
