//! All that the table knows of one row.

mod boards;

use super::ids;
use super::list::addresses;
use super::sequence::Sequence;
use super::{Kind, Row};
use crate::report::Hex;
use serde::Serialize;
use unilk_board_db::{
    CameraRow, PanelBus, PanelRow, PhyTiming, ProbeStep, RateSource, Timing, TouchRow,
};

/// A name and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Of what.
    pub name: &'static str,
    /// What, in words.
    pub text: String,
}

/// A row, completely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sheet {
    /// What it describes.
    pub kind: Kind,
    /// Its id.
    pub id: &'static str,
    /// Everything that fits a line.
    pub facts: Vec<Fact>,
    /// Ways to know it: any one of them, all lines of it.
    pub ids: Vec<Vec<String>>,
    /// Initialisation of a panel, up to and with display-on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<Sequence>,
    /// Power-down of a panel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_down: Option<Sequence>,
    /// Boards that were seen with it.
    pub boards: Vec<&'static str>,
}

impl Sheet {
    /// Of a row.
    pub fn of(row: &Row) -> Self {
        let mut sheet = Self {
            kind: row.kind(),
            id: row.id(),
            facts: Vec::new(),
            ids: Vec::new(),
            init: None,
            power_down: None,
            boards: match row {
                Row::Board(_) => Vec::new(),
                _ => row.boards(),
            },
        };
        match row {
            Row::Panel(row) => sheet.panel(row),
            Row::Touch(row) => sheet.touch(row),
            Row::Camera(row) => sheet.camera(row),
            Row::Board(row) => sheet.board(row),
            Row::Wiring(row) => sheet.wiring(row),
        }
        sheet
    }

    fn say(&mut self, name: &'static str, text: impl Into<String>) {
        let text = text.into();
        self.facts.push(Fact { name, text });
    }

    fn panel(&mut self, row: &PanelRow) {
        self.say("driver names", row.names.join(", "));
        self.say("controller", row.controller);
        self.say("compatible", row.compatible.unwrap_or("none in mainline"));
        self.say("size", format!("{} x {} pixels", row.width, row.height));
        if let Some((width, height)) = row.physical_mm {
            self.say("glass", format!("{width} x {height} mm"));
        }
        if row.bus == PanelBus::Dsi {
            let mode = format!("{:?}", row.mode);
            self.say("bus", format!("DSI, {} lanes, {mode}", row.lanes));
            let source = match row.rate {
                RateSource::PllMhz(mhz) => format!("PLL {mhz} MHz"),
                RateSource::Dividers {
                    div1,
                    div2,
                    feedback,
                } => format!("dividers {div1}, {div2}, feedback {feedback}"),
            };
            let spread = if row.no_spread {
                ", no spread spectrum"
            } else {
                ""
            };
            let mbps = row.lane_mbps();
            self.say("rate", format!("{mbps} Mbit/s a lane ({source}{spread})"));
        } else {
            self.say("bus", format!("{:?}", row.bus));
        }
        self.say("format", format!("{:?}", row.format));
        let blanking = |Timing { sync, back, front }| {
            format!("sync {sync}, back porch {back}, front porch {front}")
        };
        if let Some(timing) = row.vertical {
            self.say("vertical", blanking(timing));
        }
        if let Some(timing) = row.horizontal {
            self.say("horizontal", blanking(timing));
        }
        if let Some(fps) = row.fps_x100() {
            self.say("frames", format!("{}.{:02} a second", fps / 100, fps % 100));
        }
        if row.phy != PhyTiming::default() {
            self.say("D-PHY times", format!("{:?}", row.phy));
        }
        let step = |step: &unilk_board_db::ResetStep| {
            format!("{} {} ms", if step.high { "high" } else { "low" }, step.ms)
        };
        let reset: Vec<String> = row.reset.iter().map(step).collect();
        self.say("reset", reset.join(", "));
        self.shipped(row.shipped);
        self.say("driver copies", format!("{} public trees", row.trees));
        let sure = if row.doubtful {
            "partial or not verified"
        } else {
            "certain"
        };
        self.say("source", sure);
        let plan = unilk_board_db::plan();
        self.ids = row.ids.iter().map(|id| ids::words(plan, id)).collect();
        let dbi = row.bus.is_dbi();
        self.init = Some(Sequence::unpacked(row.init, dbi));
        self.power_down = Some(Sequence::unpacked(row.power_down, dbi));
    }

    fn touch(&mut self, row: &TouchRow) {
        self.say("name", row.name);
        self.say("family", row.family);
        self.say("compatible", row.compatible.unwrap_or("none in mainline"));
        self.say("i2c", addresses(row.addresses));
        self.say("answers after", format!("{} ms from reset", row.wait_ms));
        let probe = match (row.weak, row.intrusive) {
            (true, _) => "weak: only an acknowledge",
            (_, true) => "writes more than register numbers: after all harmless ones",
            _ => "harmless",
        };
        self.say("probe", probe);
        self.say("source", format!("{:?} confidence", row.confidence));
        self.shipped(row.shipped);
        for (name, extra) in [("module maker", row.vendor_id), ("firmware", row.version)] {
            if let Some(extra) = extra {
                let write = Hex(extra.write.to_vec());
                self.say(name, format!("write {write}, read {} bytes", extra.len));
            }
        }
        self.ids = vec![row.probe.iter().map(probe_step).collect()];
    }

    fn camera(&mut self, row: &CameraRow) {
        self.say("name", row.name);
        self.say("compatible", row.compatible.unwrap_or("none in mainline"));
        self.say("i2c", addresses(row.addresses));
        self.say("bus", format!("{:?}", row.bus));
        self.say("core", format!("{} mV", row.core_mv));
        let pin = match row.runs_with_pdn_high {
            Some(true) => "runs with it high",
            Some(false) => "runs with it low",
            None => "as the board says",
        };
        self.say("power-down pin", pin);
        self.say("source", format!("{:?} confidence", row.confidence));
        self.shipped(row.shipped);
        let digits = usize::from(row.address_bytes) * 2;
        let mut lines = Vec::new();
        for write in row.prelude {
            lines.push(format!("write {}", Hex(write.to_vec())));
        }
        let registers: Vec<String> = row
            .registers
            .iter()
            .map(|register| format!("{register:0digits$X}"))
            .collect();
        let digits = row.registers.len() * usize::from(row.data_bytes) * 2;
        let value = |value: &u32| format!("{value:0digits$X}");
        let values: Vec<String> = row.values.iter().map(value).collect();
        let whole = row.mask.count_ones() as usize == digits * 4;
        let mask = if whole {
            String::new()
        } else {
            format!(" & {:0digits$X}", row.mask)
        };
        let registers = registers.join(" ");
        lines.push(format!(
            "registers {registers}{mask}: {}",
            values.join(" or ")
        ));
        if row.weak {
            lines.push("one byte only: many other chips answer the same".to_owned());
        }
        self.ids = vec![lines];
    }

    fn shipped(&mut self, shipped: u16) {
        self.say("shipped in", format!("{shipped} device configurations"));
    }
}

/// A step of a touch chip's probe, in words.
fn probe_step(step: &ProbeStep) -> String {
    let mut words = Vec::new();
    if let Some(address) = step.address {
        words.push(format!("at {address:02X}"));
    }
    if !step.write.is_empty() {
        words.push(format!("write {}", Hex(step.write.to_vec())));
    }
    if let Some(from) = step.write_from {
        words.push(format!("and byte {} of step {}", from.byte, from.step + 1));
    }
    if step.read_len > 0 {
        words.push(format!("read {}", step.read_len));
    }
    let mut text = vec![words.join(", ")];
    if let Some(expect) = step.expect {
        let values: Vec<String> = expect
            .values
            .iter()
            .map(|value| Hex(value.to_vec()).to_string())
            .collect();
        text.push(": ".to_owned());
        if expect.offset > 0 {
            text.push(format!("from byte {} ", expect.offset));
        }
        if expect.mask.iter().any(|&mask| mask != 0xFF) {
            text.push(format!("& {} ", Hex(expect.mask.to_vec())));
        }
        text.push(if expect.invert { "not " } else { "" }.to_owned());
        text.push(values.join(" or "));
    }
    if step.optional {
        text.push(" (may fail)".to_owned());
    }
    if step.delay_ms > 0 {
        text.push(format!(", wait {} ms", step.delay_ms));
    }
    text.concat()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fact<'a>(sheet: &'a Sheet, name: &str) -> &'a str {
        &sheet
            .facts
            .iter()
            .find(|fact| fact.name == name)
            .unwrap()
            .text
    }

    #[test]
    fn a_panel_is_shown_completely() {
        let row = Row::named("ili9806e-fwvga-dsi-vdo-txd", None).unwrap();
        let sheet = Sheet::of(&row);
        assert_eq!(fact(&sheet, "size"), "480 x 854 pixels");
        assert_eq!(
            fact(&sheet, "rate"),
            "390 Mbit/s a lane (dividers 1, 1, feedback 30)"
        );
        assert_eq!(
            fact(&sheet, "vertical"),
            "sync 4, back porch 16, front porch 20"
        );
        assert!(sheet.boards.contains(&"s5201ap"));
        let init = sheet.init.unwrap();
        assert_eq!(init.steps[0].to_string(), "dcs 39  FF FF 98 06 04 01");
        assert!(
            init.steps
                .last()
                .unwrap()
                .to_string()
                .contains("set_display_on")
        );
    }

    #[test]
    fn every_row_has_a_sheet() {
        for row in Row::all() {
            let sheet = Sheet::of(&row);
            assert!(!sheet.facts.is_empty(), "{}", sheet.id);
        }
    }

    #[test]
    fn chips_are_told_by_what_they_answer() {
        let sheet = Sheet::of(&Row::named("ov5645", Some(Kind::Camera)).unwrap());
        assert_eq!(sheet.ids[0], ["registers 300A 300B: 5645"]);
        let sheet = Sheet::of(&Row::named("gt911", None).unwrap());
        assert!(
            sheet.ids[0][0].contains("write 81 40, read 4: "),
            "{sheet:?}"
        );
    }
}
