//! A row of `board-db/data/panels` and its text.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;

#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Blanking {
    pub sync: u16,
    pub back: u16,
    pub front: u16,
}

#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Rate {
    PllMhz { pll_mhz: u32 },
    Dividers { div1: u8, div2: u8, feedback: u8 },
}

/// What a panel is connected by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bus {
    Dsi,
    Parallel(Parallel),
    /// Described, not driven.
    Dpi,
}

/// Clock phases of an access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycle {
    pub setup: u32,
    pub strobe: u32,
    pub hold: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parallel {
    pub width: u32,
    pub access: u32,
    pub wide: bool,
    pub pad_high: bool,
    pub low_first: bool,
    pub write: Cycle,
    pub read: Cycle,
}

#[derive(Debug, Clone, Deserialize, PartialEq, Eq, Default)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Stands above the section.
    #[serde(default)]
    pub comment: Vec<String>,
    #[serde(default)]
    pub unlock: Vec<String>,
    #[serde(default)]
    pub reads: Vec<String>,
    #[serde(rename = "match")]
    pub terms: Vec<String>,
}

/// What a file of `data/panels` says, with comments by field; those of
/// `""` stand at the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub comments: BTreeMap<&'static str, Vec<String>>,
    pub names: Vec<String>,
    pub controller: String,
    pub compatible: Option<String>,
    pub width: u32,
    pub height: u32,
    pub physical_mm: Option<(u16, u16)>,
    pub bus: Bus,
    pub lanes: u8,
    pub mode: &'static str,
    pub format: &'static str,
    pub vertical: Option<Blanking>,
    pub horizontal: Option<Blanking>,
    pub rate: Rate,
    pub no_spread: bool,
    /// Field and value, in the order of the table's schema.
    pub phy: Vec<(&'static str, u32)>,
    pub reset: Vec<String>,
    pub shipped: usize,
    pub trees: u32,
    pub doubtful: bool,
    pub init: Vec<String>,
    pub power_down: Vec<String>,
    pub ids: Vec<Identity>,
}

/// `["a", "b"]`.
fn strings(list: &[String]) -> String {
    let quoted: Vec<String> = list.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", quoted.join(", "))
}

impl Rate {
    fn text(self) -> String {
        match self {
            Self::PllMhz { pll_mhz } => format!("{{ pll_mhz = {pll_mhz} }}"),
            Self::Dividers {
                div1,
                div2,
                feedback,
            } => format!("{{ div1 = {div1}, div2 = {div2}, feedback = {feedback} }}"),
        }
    }
}

impl Cycle {
    fn text(self) -> String {
        let Self {
            setup,
            strobe,
            hold,
        } = self;
        format!("{{ setup = {setup}, strobe = {strobe}, hold = {hold} }}")
    }
}

impl Parallel {
    fn text(self) -> String {
        let mut out = format!(
            "\n[bus.parallel]\nwidth = {}\naccess = {}\n",
            self.width, self.access
        );
        let flags = [
            ("wide", self.wide),
            ("pad_high", self.pad_high),
            ("low_first", self.low_first),
        ];
        for (name, _) in flags.into_iter().filter(|(_, set)| *set) {
            let _ = writeln!(out, "{name} = true");
        }
        let _ = writeln!(
            out,
            "write = {}\nread = {}",
            self.write.text(),
            self.read.text()
        );
        out
    }
}

impl Row {
    /// Adds a comment above `field`.
    pub fn comment(&mut self, field: &'static str, text: impl Into<String>) {
        self.comments.entry(field).or_default().push(text.into());
    }

    /// Frames a second in video mode, without the packets' own bytes.
    pub fn frames_per_second(&self) -> Option<f64> {
        let total = |timing: Blanking, active: u32| {
            f64::from(timing.sync + timing.back + timing.front) + f64::from(active)
        };
        let line = total(self.horizontal?, self.width);
        let frame = line * total(self.vertical?, self.height) * self.bits_per_pixel();
        Some(self.lane_mbps() * 1e6 * f64::from(self.lanes) / frame)
    }

    fn bits_per_pixel(&self) -> f64 {
        match self.format {
            "rgb565" => 16.0,
            "rgb666-packed" => 18.0,
            _ => 24.0,
        }
    }

    /// facts/panels.md, "Facts about the MT6572 DSI driver".
    fn lane_mbps(&self) -> f64 {
        let divisor = |code| match code {
            0 => 1.0,
            1 => 2.0,
            _ => 4.0,
        };
        match self.rate {
            Rate::PllMhz { pll_mhz } => 2.0 * f64::from(pll_mhz),
            Rate::Dividers {
                div1,
                div2,
                feedback,
            } => 52.0 * f64::from(feedback) / (divisor(div1) * divisor(div2)),
        }
    }

    /// The file. Writing to a `String` cannot fail, here and below.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.remark(&mut out, "");
        self.field(&mut out, "names", &strings(&self.names));
        self.field(&mut out, "controller", &format!("{:?}", self.controller));
        if let Some(compatible) = &self.compatible {
            self.field(&mut out, "compatible", &format!("{compatible:?}"));
        }
        self.field(&mut out, "width", &self.width.to_string());
        self.field(&mut out, "height", &self.height.to_string());
        if let Some((width, height)) = self.physical_mm {
            self.field(&mut out, "physical_mm", &format!("[{width}, {height}]"));
        }
        match self.bus {
            Bus::Dsi => {
                self.field(&mut out, "lanes", &self.lanes.to_string());
                self.field(&mut out, "mode", &format!("{:?}", self.mode));
            }
            Bus::Parallel(_) => {}
            Bus::Dpi => self.field(&mut out, "bus", "\"dpi\""),
        }
        self.field(&mut out, "format", &format!("{:?}", self.format));
        let blankings = [("vertical", self.vertical), ("horizontal", self.horizontal)];
        for (name, timing) in blankings {
            if let Some(Blanking { sync, back, front }) = timing {
                let text = format!("{{ sync = {sync}, back = {back}, front = {front} }}");
                self.field(&mut out, name, &text);
            }
        }
        if self.bus == Bus::Dsi {
            self.field(&mut out, "rate", &self.rate.text());
        }
        if self.no_spread {
            self.field(&mut out, "no_spread", "true");
        }
        if !self.phy.is_empty() {
            let times: Vec<String> = self
                .phy
                .iter()
                .map(|(name, cycles)| format!("{name} = {cycles}"))
                .collect();
            self.field(&mut out, "phy", &format!("{{ {} }}", times.join(", ")));
        }
        if !self.reset.is_empty() {
            self.field(&mut out, "reset", &strings(&self.reset));
        }
        self.field(&mut out, "shipped", &self.shipped.to_string());
        self.field(&mut out, "trees", &self.trees.to_string());
        if self.doubtful {
            self.field(&mut out, "doubtful", "true");
        }
        let sequences = [("init", &self.init), ("power_down", &self.power_down)];
        for (name, lines) in sequences.into_iter().filter(|(_, lines)| !lines.is_empty()) {
            let text = format!("\"\"\"\n{}\n\"\"\"", lines.join("\n"));
            self.field(&mut out, name, &text);
        }
        if let Bus::Parallel(bus) = self.bus {
            out += &bus.text();
        }
        for id in &self.ids {
            out.push('\n');
            for line in &id.comment {
                let _ = writeln!(out, "# {line}");
            }
            out += "[[id]]\n";
            if !id.unlock.is_empty() {
                let _ = writeln!(out, "unlock = {}", strings(&id.unlock));
            }
            if !id.reads.is_empty() {
                let _ = writeln!(out, "reads = {}", strings(&id.reads));
            }
            let _ = writeln!(out, "match = {}", strings(&id.terms));
        }
        out
    }

    fn remark(&self, out: &mut String, field: &str) {
        for line in self.comments.get(field).into_iter().flatten() {
            let _ = writeln!(out, "# {line}");
        }
    }

    fn field(&self, out: &mut String, name: &str, value: &str) {
        self.remark(out, name);
        let _ = writeln!(out, "{name} = {value}");
    }
}
