//! What is wrong with a boot, and what it shows of its group.

use crate::alike::{self, Agrees};
use crate::boot::Outcome;
use crate::data::{self, Camera, Touch};
use crate::parts;
use crate::plan::{Boot, Part, Told};
use crate::rows::{self, Rows};

/// Certainties with which a panel that was named must be known.
const SURE: [&str; 2] = ["certain", "confirmed"];
/// How what the emulated panel finds fault with begins.
const GLASS: &str = "PANEL ";
/// Candidates that a verdict lists at most; how many more fit is counted.
const LISTED: usize = 24;

/// Where a row stands among those that fit, of a boot without a hint.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Rows that the facts cannot tell from it.
    pub alike: usize,
    /// Its place among the candidates, from 1; `None`: it is not listed.
    pub rank: Option<usize>,
}

/// Complaints about a boot; none: it is as it must be.
pub fn complaints(boot: &Boot, outcome: &Outcome) -> Vec<String> {
    let mut judge = Judge {
        boot,
        outcome,
        complaints: Vec::new(),
    };
    judge.ends();
    if boot.told == Told::Nothing {
        judge.group();
    } else {
        judge.panel();
        judge.glass();
        judge.touch();
        judge.cameras();
    }
    judge.complaints
}

struct Judge<'a> {
    boot: &'a Boot,
    outcome: &'a Outcome,
    complaints: Vec<String>,
}

impl Judge<'_> {
    fn complain(&mut self, complaint: impl Into<String>) {
        self.complaints.push(complaint.into());
    }

    fn told(&self, key: &str) -> &str {
        self.outcome.told.get(key).map_or("none", String::as_str)
    }

    /// A kernel ran, and nothing was done wrong on the way.
    fn ends(&mut self) {
        let (count, first) = &self.outcome.errors;
        if *count > 0 && !self.is_glass_of_another() {
            self.complain(format!("{count} guest errors: {}", first.join("; ")));
        }
        if !self.outcome.kernel {
            self.complain("no kernel came to its end");
        }
        self.complaints
            .extend(self.outcome.bad_lines.iter().cloned());
    }

    /// Nothing was told, the guess was another row, and only this glass finds
    /// fault with that row's waits.
    fn is_glass_of_another(&self) -> bool {
        let (count, first) = &self.outcome.errors;
        let own = rows::PANELS.of(&self.boot.panel.id);
        let guessed = self.told("panel-id");
        self.boot.told == Told::Nothing
            && !own.iter().any(|row| row == guessed)
            && usize::try_from(*count) == Ok(first.len())
            && first.iter().all(|error| error.starts_with(GLASS))
    }

    fn panel(&mut self) {
        let rows = rows::PANELS.of(&self.boot.panel.id);
        if rows.is_empty() {
            return self.complain("the table has no row that names it as its source");
        }
        let found = self.told("panel-id").to_owned();
        if !rows.contains(&found) {
            self.complain(format!("panel {found}, not one of {rows:?}"));
        }
        let certainty = self.told("panel-certainty");
        if !SURE.contains(&certainty) {
            let complaint = format!("the panel is only {certainty}");
            self.complain(complaint);
        }
        let node = self
            .outcome
            .nodes
            .iter()
            .find(|node| node.starts_with("panel"));
        let wanted = format!(":{}:okay:", rows::PANELS.compatible(&found));
        if node.is_none_or(|node| !node.contains(&wanted)) {
            let complaint = format!("the kernel's panel node is {node:?}, not {wanted}");
            self.complain(complaint);
        }
    }

    /// The right picture, and the framebuffer that the kernel was told of.
    fn glass(&mut self) {
        let (state, reason) = &self.outcome.glass;
        if state != "picture" {
            self.complain(format!("one sees {state}: {reason}"));
        }
        let panel = self.boot.panel;
        // Nobody sends a panel with its own memory what the kernel draws.
        let video = panel.mode != "command";
        let size = format!(",{},{},", panel.width, panel.height);
        let shown = &self.outcome.framebuffers;
        if shown.len() != usize::from(video) || !shown.iter().all(|line| line.contains(&size)) {
            let complaint = format!("simple-framebuffer {shown:?}, not {size}");
            self.complain(complaint);
        }
    }

    fn touch(&mut self) {
        let Some(Part { chip, turn }) = &self.boot.touch else {
            return;
        };
        let all: &[Touch] = &data::all().touch;
        let address = parts::touch(chip, *turn).address;
        let alike = parts::touch_alike(all, chip, *turn, address);
        let place = format!("i2c1/{address:02x}");
        let found = self.told("touch-address").to_owned();
        if found != place {
            self.complain(format!("touch chip {} at {found}, not at {place}", chip.id));
        }
        self.part(
            "touch",
            &rows::TOUCH,
            &alike,
            &format!("touchscreen@{address:x}"),
        );
    }

    fn cameras(&mut self) {
        let all: &[Camera] = &data::all().cameras;
        let mut taken = Vec::new();
        for (socket, part) in self.boot.cameras.iter().enumerate() {
            let Some(Part { chip, turn }) = part else {
                continue;
            };
            let address = parts::camera(chip, socket, *turn).address;
            let alike = parts::cameras_alike(all, chip, *turn, address);
            let key = ["camera-main", "camera-sub"][socket];
            // Two that take turns at an address have one node.
            let node = format!("camera@{address:x}");
            let node = if taken.contains(&address) {
                String::new()
            } else {
                node
            };
            taken.push(address);
            self.part(key, &rows::CAMERAS, &alike, &node);
        }
    }

    /// The chip that was found is one of `alike`, and has its node.
    fn part(&mut self, key: &str, rows: &Rows, alike: &[&str], node: &str) {
        let right: Vec<&String> = alike.iter().flat_map(|id| rows.of(id)).collect();
        let found = self.told(key).to_owned();
        if !right.contains(&&found) {
            return self.complain(format!("{key} {found}, not one of {right:?} for {alike:?}"));
        }
        let wanted = format!("{node}:{}:okay:", rows.compatible(&found));
        let named = self
            .outcome
            .nodes
            .iter()
            .any(|line| line.starts_with(&wanted));
        if !node.is_empty() && !named {
            let nodes = &self.outcome.nodes;
            let complaint = format!("the kernel's tree has no {wanted}; it has {nodes:?}");
            self.complain(complaint);
        }
    }

    /// Without a hint no row fits that the facts can tell from what is fitted.
    fn group(&mut self) {
        let panel = self.boot.panel;
        let known = alike::agrees(panel, panel);
        // What no driver reads, something else than the facts may know.
        let fits = |row: &&data::Panel| alike::agrees(panel, row) != Agrees::No;
        let right: Vec<&String> = data::all()
            .panels
            .iter()
            .filter(fits)
            .flat_map(|row| rows::PANELS.of(&row.id))
            .collect();
        if known == Agrees::Unreadable {
            // Nothing speaks for anybody: a guess is right, and so is none.
            return;
        }
        let strangers: Vec<&String> = self
            .contenders()
            .iter()
            .filter(|row| !right.contains(row))
            .collect();
        if !strangers.is_empty() {
            self.complain(format!("rows fit that answer otherwise: {strangers:?}"));
        }
        let own = rows::PANELS.of(&panel.id);
        let listed = self.contenders();
        if listed.len() < LISTED && !listed.iter().any(|row| own.contains(row)) {
            self.complain(format!(
                "its own row is not among the {} that fit",
                listed.len()
            ));
        }
    }

    /// The candidates that nothing tells apart.
    fn contenders(&self) -> &[String] {
        &self.outcome.candidates
    }
}

/// Where each panel of a group stands in the boot without a hint.
pub fn standings(boot: &Boot, outcome: &Outcome) -> Vec<(&'static str, Standing)> {
    let signature = alike::signature(boot.panel);
    let known = alike::agrees(boot.panel, boot.panel);
    let panels = &data::all().panels;
    let alike = panels
        .iter()
        .filter(|row| alike::agrees(boot.panel, row) == known)
        .count();
    let members = panels
        .iter()
        .filter(|row| alike::signature(row) == signature);
    let standing = |panel: &'static data::Panel| {
        let rows = rows::PANELS.of(&panel.id);
        let place = outcome.candidates.iter().position(|row| rows.contains(row));
        let rank = place.map(|place| place + 1);
        (panel.id.as_str(), Standing { alike, rank })
    };
    members.map(standing).collect()
}

/// Place of the right row among the candidates of a boot, from 1.
pub fn rank(boot: &Boot, outcome: &Outcome) -> Option<usize> {
    let rows = rows::PANELS.of(&boot.panel.id);
    let place = outcome.candidates.iter().position(|row| rows.contains(row));
    let first = outcome
        .told
        .get("panel-id")
        .is_some_and(|row| rows.contains(row));
    if first {
        Some(1)
    } else {
        place.map(|place| place + 1)
    }
}
