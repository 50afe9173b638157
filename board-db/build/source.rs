//! The TOML form of the rows, its checks, and the Rust text it becomes.

use serde::Deserialize;
use std::fmt::Write;

/// A row that cannot be used: file, field, remedy.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem(pub String);

fn problem(folder: &str, id: &str, field: &str, remedy: &str) -> Problem {
    Problem(format!("data/{folder}/{id}.toml: {field}: {remedy}"))
}

/// Reads one file; an unknown or missing field is named with its line.
pub fn parse<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, Problem> {
    toml::from_str(text)
        .map_err(|error| Problem(format!("{file}: {}", error.to_string().replace('\n', " "))))
}

#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    Command,
    SyncPulse,
    SyncEvent,
    Burst,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    Rgb565,
    Rgb666Packed,
    Rgb888,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blanking {
    pub sync: u16,
    pub back: u16,
    pub front: u16,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub pll_mhz: Option<u16>,
    pub div1: Option<u8>,
    pub div2: Option<u8>,
    pub feedback: Option<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelToml {
    pub lcm_name: String,
    pub controller: String,
    pub width: u16,
    pub height: u16,
    pub lanes: u8,
    pub mode: Mode,
    pub format: Format,
    pub vertical: Option<Blanking>,
    pub horizontal: Option<Blanking>,
    pub rate: Rate,
}

impl PanelToml {
    pub fn check(&self, id: &str) -> Result<(), Problem> {
        let bad = |field, remedy| Err(problem("panels", id, field, remedy));
        check_word("panels", id, "lcm_name", &self.lcm_name)?;
        check_word("panels", id, "controller", &self.controller)?;
        if !(120..=1920).contains(&self.width) || !(120..=1920).contains(&self.height) {
            return bad(
                "width, height",
                "must be 120 to 1920 pixels, what the display engine scans out",
            );
        }
        if !(1..=3).contains(&self.lanes) {
            return bad("lanes", "must be 1, 2 or 3: the chip has three DSI lanes");
        }
        let blanking = (self.vertical.is_some(), self.horizontal.is_some());
        match (self.mode, blanking) {
            (Mode::Command, (false, false))
            | (Mode::SyncPulse | Mode::SyncEvent | Mode::Burst, (true, true)) => {}
            (Mode::Command, _) => {
                return bad(
                    "vertical, horizontal",
                    "leave out: a command-mode panel has none",
                );
            }
            _ => {
                return bad(
                    "vertical, horizontal",
                    "add both: a video-mode panel needs them",
                );
            }
        }
        match self.rate {
            Rate {
                pll_mhz: Some(25..=625),
                div1: None,
                div2: None,
                feedback: None,
            } => Ok(()),
            Rate {
                pll_mhz: None,
                div1: Some(0..=3),
                div2: Some(0..=3),
                feedback: Some(1..=63),
            } => Ok(()),
            _ => bad(
                "rate",
                "give either pll_mhz (25 to 625) or div1, div2 (0 to 3) and feedback (1 to 63)",
            ),
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct KeysToml {
    pub volume_up: Option<u8>,
    pub volume_down: Option<u8>,
    pub recovery: Option<u8>,
    pub factory: Option<u8>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BacklightToml {
    Isink,
    Bls,
    Pwm1,
    Pwm2,
    Pwm3,
    Custom,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardToml {
    pub name: String,
    pub project: String,
    pub backlight: BacklightToml,
    pub panels: Vec<String>,
    pub keys: KeysToml,
}

impl BoardToml {
    pub fn check(&self, id: &str, panels: &[(String, PanelToml)]) -> Result<(), Problem> {
        check_word("boards", id, "project", &self.project)?;
        if self.name.is_empty() {
            return Err(problem(
                "boards",
                id,
                "name",
                "give the name people know the phone by",
            ));
        }
        for wanted in &self.panels {
            if !panels.iter().any(|(panel, _)| panel == wanted) {
                let remedy =
                    format!("there is no data/panels/{wanted}.toml: add it or correct the name");
                return Err(problem("boards", id, "panels", &remedy));
            }
        }
        let keys = self.keys;
        let named = [
            ("volume_up", keys.volume_up),
            ("volume_down", keys.volume_down),
            ("recovery", keys.recovery),
            ("factory", keys.factory),
        ];
        for (key, code) in named {
            let Some(code) = code else { continue };
            if code >= 72 || code % 9 == 8 {
                let remedy = "must be a matrix code 0 to 71 and not 9n + 8, which is the power key";
                return Err(problem("boards", id, &format!("keys.{key}"), remedy));
            }
        }
        if keys.volume_up.is_some() && keys.volume_up == keys.volume_down {
            return Err(problem(
                "boards",
                id,
                "keys",
                "volume_up and volume_down have the same code: correct one",
            ));
        }
        Ok(())
    }
}

/// A name that goes into a command line: one word.
fn check_word(folder: &str, id: &str, field: &str, text: &str) -> Result<(), Problem> {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    if text.is_empty() || text.len() >= 64 || !plain {
        return Err(problem(
            folder,
            id,
            field,
            "must be one word of 1 to 63 plain characters",
        ));
    }
    Ok(())
}

/// The Rust text of the table.
pub fn emit(panels: &[(String, PanelToml)], boards: &[(String, BoardToml)]) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(out, "pub static PANELS: [PanelRow; {}] = [", panels.len());
    for (id, panel) in panels {
        emit_panel(&mut out, id, panel);
    }
    let _ = writeln!(out, "];\npub static BOARDS: [Board; {}] = [", boards.len());
    for (id, board) in boards {
        emit_board(&mut out, id, board);
    }
    out += "];\n";
    out
}

fn emit_panel(out: &mut String, id: &str, panel: &PanelToml) {
    let blanking = |timing: Option<Blanking>| match timing {
        Some(Blanking { sync, back, front }) => {
            format!("Some(Timing {{ sync: {sync}, back: {back}, front: {front} }})")
        }
        None => "None".to_string(),
    };
    let rate = match panel.rate {
        Rate {
            pll_mhz: Some(mhz), ..
        } => format!("PllMhz({mhz})"),
        Rate {
            div1,
            div2,
            feedback,
            ..
        } => format!(
            "Dividers {{ div1: {}, div2: {}, feedback: {} }}",
            div1.unwrap_or(0),
            div2.unwrap_or(0),
            feedback.unwrap_or(0)
        ),
    };
    let (lcm_name, controller) = (&panel.lcm_name, &panel.controller);
    let (width, height, lanes, mode, format) = (
        panel.width,
        panel.height,
        panel.lanes,
        panel.mode,
        panel.format,
    );
    let (vertical, horizontal) = (blanking(panel.vertical), blanking(panel.horizontal));
    let _ = writeln!(
        out,
        "PanelRow {{ id: {id:?}, lcm_name: {lcm_name:?}, controller: {controller:?}, width: {width}, \
         height: {height}, lanes: {lanes}, mode: PanelMode::{mode:?}, format: LaneFormat::{format:?}, \
         vertical: {vertical}, horizontal: {horizontal}, rate: RateSource::{rate} }},"
    );
}

fn emit_board(out: &mut String, id: &str, board: &BoardToml) {
    let backlight = match board.backlight {
        BacklightToml::Isink => "Isink",
        BacklightToml::Bls => "BlsPwm",
        BacklightToml::Pwm1 => "Pwm(1)",
        BacklightToml::Pwm2 => "Pwm(2)",
        BacklightToml::Pwm3 => "Pwm(3)",
        BacklightToml::Custom => "Custom",
    };
    let (name, project, panels) = (&board.name, &board.project, &board.panels);
    let KeysToml {
        volume_up,
        volume_down,
        recovery,
        factory,
    } = board.keys;
    let _ = writeln!(
        out,
        "Board {{ id: {id:?}, name: {name:?}, project: {project:?}, keys: Keys {{ volume_up: {volume_up:?}, \
         volume_down: {volume_down:?}, recovery: {recovery:?}, factory: {factory:?} }}, \
         backlight: Backlight::{backlight}, panels: &{panels:?} }},"
    );
}
