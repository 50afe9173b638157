//! Cameras: `facts/cameras.json` to `board-db/data/cameras`.

use super::overlay::Overlay;
use super::text::{self, Field, Numbers, hex};
use super::{Files, Imported};
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use toml::{Table, Value};

/// What VCAMD gives that a row may name, in mV.
const CORE_MV: [i64; 3] = [1200, 1500, 1800];

fn fields_of(address_bytes: i64, id_bytes: usize) -> [Field; 17] {
    [
        ("name", Numbers::Decimal),
        ("maker", Numbers::Decimal),
        ("driver", Numbers::Decimal),
        ("addresses", Numbers::Hex(2)),
        ("address_bytes", Numbers::Decimal),
        ("data_bytes", Numbers::Decimal),
        ("prelude", Numbers::Hex(2)),
        ("prelude_ms", Numbers::Decimal),
        ("registers", Numbers::Hex(2 * address_bytes as usize)),
        ("values", Numbers::Hex(2 * id_bytes)),
        ("mask", Numbers::Hex(2 * id_bytes)),
        ("confidence", Numbers::Decimal),
        ("bus", Numbers::Decimal),
        ("core_mv", Numbers::Decimal),
        ("runs_with_pdn_high", Numbers::Decimal),
        ("compatible", Numbers::Decimal),
        ("shipped", Numbers::Decimal),
    ]
}

/// An entry of `facts/cameras.json`; the fields are explained in
/// facts/i2c-touch-camera.md 6.
#[derive(Debug, Deserialize)]
struct Entry {
    id: String,
    sensor: String,
    maker: Option<String>,
    vendor_driver: Option<String>,
    i2c_addresses_7bit: Vec<String>,
    reg_width_bits: Option<i64>,
    data_width_bits: Option<i64>,
    id_prelude_writes: Vec<Vec<String>>,
    id_regs: Vec<String>,
    id_value: Option<String>,
    id_value_alternatives: Vec<String>,
    id_mask: Option<String>,
    #[serde(rename = "type")]
    output: Option<String>,
    interface: Option<Interface>,
    power_sequences: Option<Vec<Sequence>>,
    mt6572_boards: Option<Boards>,
    linux_compatible: Option<String>,
    #[serde(default)]
    synthetic_driver_ids: Vec<Synthetic>,
    sources: Vec<String>,
    confidence: String,
    notes: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Interface {
    #[serde(rename = "type")]
    kind: String,
    lanes: Option<Vec<u8>>,
}

#[derive(Debug, Deserialize)]
struct Sequence {
    mt6572_tree: bool,
    steps: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Boards {
    #[serde(default)]
    main: Vec<String>,
    #[serde(default)]
    sub: Vec<String>,
    #[serde(default)]
    listed: Vec<String>,
}

/// An ID that a driver invents: the sensor does not answer it.
#[derive(Debug, Deserialize)]
struct Synthetic {
    driver: Option<String>,
    reported_id: Json,
}

/// Rows and what was left out.
pub fn import(facts: &str, overlay: &str) -> Result<Imported> {
    let entries: Vec<Entry> = serde_json::from_str(facts).context("cameras.json")?;
    let overlay = Overlay::parse(overlay)?;
    let ids = entries.iter().map(|entry| entry.id.as_str()).collect();
    let makers: BTreeSet<_> = entries.iter().map(Entry::maker).collect();
    overlay.check(&ids, &makers)?;
    let mut files = Files::new();
    let mut excluded = Vec::new();
    for entry in &entries {
        let known = overlay.exclude.get(&entry.id).cloned();
        if let Some(reason) = known.or_else(|| entry.unusable()) {
            excluded.push((entry.id.clone(), reason));
            continue;
        }
        let mut row = entry.row().with_context(|| entry.id.clone())?;
        let reasons = overlay.apply(&entry.id, entry.maker(), &mut row);
        let name = entry.id.replace('_', "-");
        let text = entry.text(&row, &reasons).with_context(|| name.clone())?;
        files.insert(PathBuf::from(format!("data/cameras/{name}.toml")), text);
    }
    let summary = format!(
        "{} rows; of {} sensors {} excluded",
        files.len(),
        entries.len(),
        excluded.len()
    );
    Ok(Imported {
        files,
        excluded: text::excluded(
            "Sensors of facts/cameras.json that are no rows, and why.",
            &excluded,
        ),
        summary,
    })
}

impl Entry {
    fn maker(&self) -> &str {
        self.maker.as_deref().unwrap_or("unknown")
    }

    /// Why this cannot be told by its registers.
    fn unusable(&self) -> Option<String> {
        let note = self.notes.as_deref().unwrap_or("no source says it");
        self.id_value
            .is_none()
            .then(|| format!("ID not known: {note}"))
    }

    /// The row as the facts have it.
    fn row(&self) -> Result<Table> {
        let mut row = Table::new();
        let mut set = |key: &str, value: Value| row.insert(key.into(), value);
        set("name", text::short_name(&self.sensor).into());
        set("maker", self.maker().into());
        let driver = self.vendor_driver.clone();
        set("driver", driver.unwrap_or(self.id.clone()).into());
        let addresses = numbers(&self.i2c_addresses_7bit)?;
        set("addresses", addresses.into());
        let bytes = |bits: Option<i64>| bits.map(|bits| bits / 8).context("widths of a register");
        let data_bytes = bytes(self.data_width_bits)?;
        set("address_bytes", bytes(self.reg_width_bits)?.into());
        set("data_bytes", data_bytes.into());
        if !self.id_prelude_writes.is_empty() {
            let writes: Result<Vec<_>> =
                self.id_prelude_writes.iter().map(|w| numbers(w)).collect();
            let writes: Vec<Value> = writes?.into_iter().map(Value::from).collect();
            set("prelude", writes.into());
        }
        set("registers", numbers(&self.id_regs)?.into());
        let values: Vec<String> = self
            .id_value
            .iter()
            .chain(&self.id_value_alternatives)
            .cloned()
            .collect();
        set("values", numbers(&values)?.into());
        let all = 0xFFFF_FFFF_i64 >> (32 - 8 * self.id_bytes());
        let mask = self.id_mask.as_deref().and_then(hex).unwrap_or(all);
        if mask != all {
            set("mask", mask.into());
        }
        let kind = self
            .interface
            .as_ref()
            .map(|interface| interface.kind.as_str());
        set(
            "bus",
            match kind {
                Some(kind @ ("parallel" | "mipi")) => kind.into(),
                _ => "unknown".into(),
            },
        );
        if let Some(core_mv) = self.core_mv() {
            set("core_mv", core_mv.into());
        }
        if let Some(high) = self.runs_with_pdn_high() {
            set("runs_with_pdn_high", high.into());
        }
        if let Some(compatible) = text::compatible(self.linux_compatible.as_deref()) {
            set("compatible", compatible.into());
        }
        let boards = self.mt6572_boards.iter();
        let boards: BTreeSet<_> = boards
            .flat_map(|boards| boards.main.iter().chain(&boards.sub).chain(&boards.listed))
            .collect();
        set("shipped", Value::Integer(boards.len() as i64));
        if self.confidence != "high" {
            set("confidence", self.confidence.as_str().into());
        }
        Ok(row)
    }

    fn id_bytes(&self) -> usize {
        self.id_regs.len() * (self.data_width_bits.unwrap_or(8) / 8) as usize
    }

    /// Power-up steps of MT6572 boards, or of others where no such is known.
    fn sequences(&self) -> impl Iterator<Item = &[String]> {
        let all = || self.power_sequences.iter().flatten();
        let own = all().any(|sequence| sequence.mt6572_tree);
        all()
            .filter(move |sequence| sequence.mt6572_tree == own)
            .map(|sequence| &sequence.steps[..])
    }

    /// The lowest core supply that a board gives it, as a voltage of the table
    /// that is not above. Raw sensors on MIPI of which nothing is known get
    /// the lowest: it harms nobody.
    fn core_mv(&self) -> Option<i64> {
        let volts = |step: &String| step.strip_prefix("VCAMD=")?.strip_suffix('V')?.parse().ok();
        let seen = self.sequences().flatten().filter_map(volts);
        let lowest = seen
            .min_by(f64::total_cmp)
            .map(|volts| (volts * 1000.0).round() as i64);
        if let Some(lowest) = lowest {
            let fits = CORE_MV.iter().rev().find(|&&mv| mv <= lowest);
            return Some(fits.copied().unwrap_or(CORE_MV[0]));
        }
        let raw = self.output.as_deref() == Some("raw");
        let mipi = self
            .interface
            .as_ref()
            .is_some_and(|interface| interface.kind == "mipi");
        (raw && mipi).then_some(CORE_MV[0])
    }

    /// The level of the power-down pin at the end of most sequences.
    fn runs_with_pdn_high(&self) -> Option<bool> {
        let last = |steps: &[String]| {
            let mut levels = steps.iter().rev();
            levels.find_map(|step| match step.strip_prefix("PDN=")? {
                "1" => Some(true),
                "0" => Some(false),
                _ => None,
            })
        };
        let (high, low): (Vec<_>, Vec<_>) =
            self.sequences().filter_map(last).partition(|&high| high);
        (high.len() != low.len()).then_some(high.len() > low.len())
    }

    /// The text of its row.
    fn text(&self, row: &Table, reasons: &[String]) -> Result<String> {
        let mut out = String::new();
        let facts = format!(
            "Source: facts/cameras.json, {}; facts/i2c-touch-camera.md 4.5; collected from:",
            self.id
        );
        text::sources(&mut out, &facts, &self.sources);
        for synthetic in &self.synthetic_driver_ids {
            let driver = synthetic.driver.as_deref().unwrap_or("a driver");
            let id = &synthetic.reported_id;
            let id = id.as_str().map_or(id.to_string(), str::to_owned);
            text::comment(&mut out, &format!("Not its own ID: {driver} reports {id}."));
        }
        let lanes = self
            .interface
            .as_ref()
            .and_then(|interface| interface.lanes.as_ref());
        if lanes.is_some_and(|lanes| lanes.iter().all(|&lanes| lanes > 2)) {
            let four = "Its drivers use four lanes; an MT6572 has two: it is told, not driven.";
            text::comment(&mut out, four);
        }
        for note in self.notes.iter().chain(reasons) {
            text::comment(&mut out, note);
        }
        let address_bytes = row
            .get("address_bytes")
            .and_then(Value::as_integer)
            .unwrap_or(1);
        text::fields(&mut out, &fields_of(address_bytes, self.id_bytes()), row)?;
        Ok(out)
    }
}

fn numbers(texts: &[String]) -> Result<Vec<i64>> {
    let number = |text: &String| hex(text).with_context(|| format!("\"{text}\" is no number"));
    texts.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const FACTS: &str = r#"[
      { "id": "a_1", "sensor": "A1 (copy)", "maker": "Acme", "vendor_driver": "a1_mipi_raw",
        "i2c_addresses_7bit": ["0x3C", "0x10"], "reg_width_bits": 16, "data_width_bits": 8,
        "id_prelude_writes": [["0x0A", "0x02"]], "id_regs": ["0x000A", "0x000B"],
        "id_value": "0x2780", "id_value_alternatives": ["0x2790"], "id_mask": "0xFFF0", "type": "raw",
        "interface": { "type": "mipi", "lanes": [4] },
        "power_sequences": [
          { "mt6572_tree": true, "steps": ["PDN=0", "VCAMD=1.5V", "PDN=1"] },
          { "mt6572_tree": true, "steps": ["VCAMD=1.3V", "PDN=1"] },
          { "mt6572_tree": false, "steps": ["VCAMD=1.2V", "PDN=0"] } ],
        "mt6572_boards": { "main": ["x: y"], "sub": ["x: y", "x: z"], "listed": [] },
        "linux_compatible": "acme,a1",
        "synthetic_driver_ids": [{ "driver": "a2", "reported_id": "0x2791" }],
        "sources": ["tree: path"], "confidence": "low", "notes": null },
      { "id": "b", "sensor": "B", "maker": "Acme", "vendor_driver": null, "i2c_addresses_7bit": ["0x10"],
        "reg_width_bits": 8, "data_width_bits": 8, "id_prelude_writes": [], "id_regs": ["0x00"],
        "id_value": null, "id_value_alternatives": [], "id_mask": null, "type": null, "interface": null,
        "power_sequences": null, "mt6572_boards": null, "linux_compatible": null, "sources": [],
        "confidence": "low", "notes": "nobody says it" }
    ]"#;

    #[test]
    fn a_sensor_becomes_a_row() {
        let imported = import(FACTS, "").expect("an import");
        assert_eq!(
            imported.files[Path::new("data/cameras/a-1.toml")],
            "# Source: facts/cameras.json, a_1; facts/i2c-touch-camera.md 4.5; collected from:\n\
             #   tree: path\n# Not its own ID: a2 reports 0x2791.\n\
             # Its drivers use four lanes; an MT6572 has two: it is told, not driven.\n\
             name = \"A1\"\nmaker = \"Acme\"\ndriver = \"a1_mipi_raw\"\naddresses = [0x3C, 0x10]\n\
             address_bytes = 2\ndata_bytes = 1\nprelude = [[0x0A, 0x02]]\n\
             registers = [0x000A, 0x000B]\nvalues = [0x2780, 0x2790]\nmask = 0xFFF0\n\
             confidence = \"low\"\nbus = \"mipi\"\ncore_mv = 1200\nruns_with_pdn_high = true\n\
             compatible = \"acme,a1\"\nshipped = 2\n"
        );
    }

    #[test]
    fn a_sensor_without_a_known_id_is_excluded_by_name() {
        let imported = import(FACTS, "").expect("an import");
        let excluded = &imported.excluded;
        assert!(
            excluded.ends_with("b = \"ID not known: nobody says it\"\n"),
            "{excluded}"
        );
        assert_eq!(imported.summary, "1 rows; of 2 sensors 1 excluded");
    }
}
