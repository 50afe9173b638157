//! Panels: `data/panels/*.toml`.

use crate::source::buses::Bus;
use crate::source::ids::{Id, IdToml};
use crate::source::{Place, Problem, plan, script};
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
        for (n, name) in self.names.iter().enumerate() {
            place.field("names").word(name)?;
            if self.names[..n].contains(name) {
                let remedy = format!("\"{name}\" stands there twice: remove one");
                return Err(place.field("names").problem(&remedy));
            }
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
        let script = |field, text: &str| {
            let place = place.field(field);
            let script = self.bus.script(place, &self.controller, text)?;
            script::check_size(place, &script)?;
            Ok(script)
        };
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
        self.check_timing(place)
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
