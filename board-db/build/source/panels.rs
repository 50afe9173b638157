//! Panels: `data/panels/*.toml`.

use crate::source::buses::Bus;
use crate::source::ids::{Id, IdToml};
use crate::source::{Place, Problem, plan};
use serde::Deserialize;

#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    #[default]
    Command,
    SyncPulse,
    SyncEvent,
    Burst,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    Rgb565,
    Rgb666Loose,
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

#[derive(Debug, Clone, Copy, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub pll_mhz: Option<u16>,
    pub div1: Option<u8>,
    pub div2: Option<u8>,
    pub feedback: Option<u8>,
}

/// D-PHY times, as `PhyTiming` of the table.
#[derive(Debug, Clone, Copy, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Phy {
    pub hs_trail: u8,
    pub hs_zero: u8,
    pub hs_prepare: u8,
    pub lpx: u8,
    pub ta_get: u8,
    pub ta_sure: u8,
    pub ta_go: u8,
    pub clk_trail: u8,
    pub clk_zero: u8,
    pub clk_prepare: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelToml {
    pub names: Vec<String>,
    pub controller: String,
    pub compatible: Option<String>,
    pub width: u16,
    pub height: u16,
    pub physical_mm: Option<(u16, u16)>,
    #[serde(default)]
    pub bus: Bus,
    #[serde(default)]
    pub lanes: u8,
    #[serde(default)]
    pub mode: Mode,
    pub format: Format,
    pub vertical: Option<Blanking>,
    pub horizontal: Option<Blanking>,
    #[serde(default)]
    pub rate: Rate,
    #[serde(default)]
    pub no_spread: bool,
    #[serde(default)]
    pub phy: Phy,
    /// `"high 10"`: level and milliseconds.
    #[serde(default)]
    pub reset: Vec<String>,
    #[serde(default)]
    pub init: String,
    #[serde(default)]
    pub power_down: String,
    #[serde(default)]
    pub shipped: u16,
    #[serde(default)]
    pub trees: u16,
    #[serde(default)]
    pub doubtful: bool,
    #[serde(default)]
    pub id: Vec<IdToml>,
}

/// A checked panel.
#[derive(Debug)]
pub struct Panel {
    pub row: PanelToml,
    pub reset: Vec<(bool, u16)>,
    pub init: Vec<u8>,
    pub power_down: Vec<u8>,
    pub ids: Vec<Id>,
}

impl Panel {
    /// What the plan needs to know.
    pub fn plan_row(&self) -> plan::Row<'_> {
        plan::Row {
            controller: &self.row.controller,
            dbi: self.row.bus.is_dbi(),
            shipped: self.row.shipped,
            ids: &self.ids,
        }
    }
}

impl PanelToml {
    pub fn check(self, id: &str) -> Result<Panel, Problem> {
        let place = Place::new("panels", id);
        self.check_geometry(place)?;
        if self.names.is_empty() {
            return Err(place
                .field("names")
                .problem("give at least the name that `lcm=` must say"));
        }
        for name in &self.names {
            place.field("names").word(name)?;
        }
        place.field("controller").word(&self.controller)?;
        if let Some(compatible) = &self.compatible {
            place.field("compatible").word(compatible)?;
        }
        if self.bus == Bus::Dpi {
            return self.named_only(place);
        }
        let mut reset = Vec::new();
        for step in &self.reset {
            reset.push(reset_step(place.field("reset"), step)?);
        }
        if !matches!(reset[..], [.., (false, 1..), (true, 5..)]) {
            return Err(place.field("reset").problem(
                "must end with \"low N\", \"high N\", N at least 1 and 5 ms: what every controller needs",
            ));
        }
        let script =
            |field, text: &str| self.bus.script(place.field(field), &self.controller, text);
        let init = script("init", &self.init)?;
        let power_down = script("power_down", &self.power_down)?;
        if init.is_empty() {
            return Err(place
                .field("init")
                .problem("is empty: give the panel's initialisation"));
        }
        let ids = self
            .id
            .iter()
            .map(|alternative| alternative.compile(place, &self.controller, &self.bus))
            .collect::<Result<_, _>>()?;
        Ok(Panel {
            reset,
            init,
            power_down,
            ids,
            row: self,
        })
    }

    /// A panel that is described but not driven.
    fn named_only(self, place: Place<'_>) -> Result<Panel, Problem> {
        if !self.init.is_empty() || !self.power_down.is_empty() || !self.id.is_empty() {
            return Err(place
                .field("init, power_down, id")
                .problem("leave out: unilk does not drive DPI panels, the row only names one"));
        }
        Ok(Panel {
            reset: Vec::new(),
            init: Vec::new(),
            power_down: Vec::new(),
            ids: Vec::new(),
            row: self,
        })
    }

    fn check_geometry(&self, place: Place<'_>) -> Result<(), Problem> {
        let bad = |field, remedy| Err(place.field(field).problem(remedy));
        if !(120..=1920).contains(&self.width) || !(120..=1920).contains(&self.height) {
            return bad(
                "width, height",
                "must be 120 to 1920 pixels, what the display engine scans out",
            );
        }
        if self.bus != Bus::Dsi {
            return self.bus.check(self, place);
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
            }
            | Rate {
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

fn reset_step(place: Place<'_>, text: &str) -> Result<(bool, u16), Problem> {
    let parsed = text.split_once(' ').and_then(|(level, ms)| {
        let high = match level {
            "high" => true,
            "low" => false,
            _ => return None,
        };
        Some((high, ms.parse().ok().filter(|ms: &u16| *ms <= 2000)?))
    });
    parsed.ok_or_else(|| {
        place.problem(&format!(
            "\"{text}\": must be \"high N\" or \"low N\" with milliseconds, 0 to 2000"
        ))
    })
}
