//! Touch chips: `facts/touch.json` to `board-db/data/touch`.

use super::overlay::Overlay;
use super::text::{self, Field, Numbers, byte_array, hex, hex_bytes};
use super::{Files, Imported};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;
use toml::{Table, Value};

/// Bytes of the I2C block's FIFO: the most that one transfer of the
/// bootloader reads.
const FIFO_BYTES: u8 = 8;
/// When a chip is asked of which the facts do not say it: ms after reset
/// (facts/i2c-touch-camera.md 2.4 step 5).
const USUAL_WAIT_MS: i64 = 120;

/// Fields of a row before its steps, in order.
const FIELDS: [Field; 13] = [
    ("name", Numbers::Decimal),
    ("family", Numbers::Decimal),
    ("addresses", Numbers::Hex(2)),
    ("order", Numbers::Decimal),
    ("intrusive", Numbers::Decimal),
    ("weak", Numbers::Decimal),
    ("confidence", Numbers::Decimal),
    ("wait_ms", Numbers::Decimal),
    ("vendor_id", Numbers::Hex(2)),
    ("version", Numbers::Hex(2)),
    ("compatible", Numbers::Decimal),
    ("driver", Numbers::Decimal),
    ("shipped", Numbers::Decimal),
];

/// Fields of a step, in order.
const STEP: [Field; 8] = [
    ("address", Numbers::Hex(2)),
    ("write", Numbers::Hex(2)),
    ("write_from", Numbers::Decimal),
    ("read", Numbers::Decimal),
    ("stop", Numbers::Decimal),
    ("expect", Numbers::Hex(2)),
    ("optional", Numbers::Decimal),
    ("delay_ms", Numbers::Decimal),
];

/// An entry of `facts/touch.json`; the fields are explained in
/// facts/i2c-touch-camera.md 6.
#[derive(Debug, Deserialize)]
struct Entry {
    id: String,
    family: String,
    chip: String,
    i2c_addresses_7bit: Vec<String>,
    probe: Vec<Step>,
    #[serde(default)]
    probe_exit: Vec<Step>,
    identification: String,
    fw_version: Option<Json>,
    vendor_id: Option<Json>,
    reset: Option<Reset>,
    linux_compatible: Option<String>,
    vendor_driver: Option<String>,
    mt6572_boards: Option<Vec<String>>,
    sources: Vec<String>,
    confidence: String,
    notes: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Reset {
    wait_ms_after_release: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Step {
    write: Vec<String>,
    #[serde(default)]
    read_len: u8,
    addr_7bit: Option<String>,
    #[serde(rename = "match")]
    expect: Option<Match>,
    #[serde(default)]
    optional: Option<bool>,
    delay_ms_after: Option<u16>,
}

#[derive(Debug, Deserialize)]
struct Match {
    offset: u8,
    len: usize,
    endian: String,
    values: Vec<String>,
    mask: String,
    #[serde(default)]
    invert: bool,
}

/// Rows and what was left out.
pub fn import(facts: &str, overlay: &str) -> Result<Imported> {
    let entries: Vec<Entry> = serde_json::from_str(facts).context("touch.json")?;
    let overlay = Overlay::parse(overlay)?;
    let ids = entries.iter().map(|entry| entry.id.as_str()).collect();
    let families: BTreeSet<_> = entries.iter().map(|entry| entry.family.as_str()).collect();
    overlay.check(&ids, &families)?;
    let mut files = Files::new();
    let mut excluded = Vec::new();
    for entry in &entries {
        if let Some(reason) = overlay.exclude.get(&entry.id) {
            excluded.push((entry.id.clone(), reason.clone()));
            continue;
        }
        let mut row = entry.row().with_context(|| entry.id.clone())?;
        if !overlay.gives(&entry.id, &entry.family, "probe") {
            row.insert("probe".into(), entry.steps(&entry.probe)?.into());
        }
        let reasons = overlay.apply(&entry.id, &entry.family, &mut row);
        let extras = overlay.extras(&entry.id, &row);
        for (id, row, reasons) in [(entry.id.clone(), row, reasons)].into_iter().chain(extras) {
            let mut row = row;
            let name = match row.remove("file") {
                Some(Value::String(name)) => name,
                _ => id.replace('_', "-"),
            };
            if row.remove("stop") == Some(Value::Boolean(true)) {
                part_reads(&mut row);
            }
            let text = entry.text(row, &reasons).with_context(|| name.clone())?;
            files.insert(PathBuf::from(format!("data/touch/{name}.toml")), text);
        }
    }
    let summary = format!(
        "{} rows; of {} probes {} excluded",
        files.len(),
        entries.len(),
        excluded.len()
    );
    Ok(Imported {
        files,
        excluded: text::excluded(
            "Probes of facts/touch.json that are no rows, and why.",
            &excluded,
        ),
        summary,
    })
}

impl Entry {
    /// The row as the facts have it.
    fn row(&self) -> Result<Table> {
        let mut row = Table::new();
        let mut set = |key: &str, value: Value| row.insert(key.into(), value);
        set("name", text::short_name(&self.chip).into());
        set("family", self.family.as_str().into());
        let addresses = numbers(&self.i2c_addresses_7bit)?;
        set("addresses", addresses.into());
        let wait = self.reset.as_ref();
        let wait = wait.and_then(|reset| reset.wait_ms_after_release.as_deref());
        set(
            "wait_ms",
            wait.and_then(first_number).unwrap_or(USUAL_WAIT_MS).into(),
        );
        for (key, extra) in [
            ("vendor_id", &self.vendor_id),
            ("version", &self.fw_version),
        ] {
            if let Some(extra) = extra.as_ref().and_then(extra_read) {
                set(key, extra);
            }
        }
        if let Some(compatible) = text::compatible(self.linux_compatible.as_deref()) {
            set("compatible", compatible.into());
        }
        let driver = self.vendor_driver.clone();
        set("driver", driver.unwrap_or(self.id.replace('_', "-")).into());
        let boards: BTreeSet<_> = self.mt6572_boards.iter().flatten().collect();
        set("shipped", Value::Integer(boards.len() as i64));
        if self.confidence != "high" {
            set("confidence", self.confidence.as_str().into());
        }
        let telling = |step: &&Step| step.expect.is_some() && step.optional != Some(true);
        let tells = self.probe.iter().position(|step| telling(&step));
        if self.identification == "ack-only" || tells.is_none() {
            set("weak", true.into());
        }
        // To a chip with numbers of one byte a second byte is a write.
        let blind = tells.map_or(&self.probe[..], |tells| &self.probe[..=tells]);
        if blind
            .iter()
            .any(|step| step.write.len() > 1 || step.read_len == 0)
        {
            set("intrusive", true.into());
        }
        set("exit", self.steps(&self.probe_exit)?.into());
        Ok(row)
    }

    /// Steps without those that are optional and tell nothing, or look at more
    /// than is read.
    fn steps(&self, steps: &[Step]) -> Result<Vec<Value>> {
        let idle = |step: &Step| step.expect.as_ref().is_none_or(|expect| !expect.fits());
        steps
            .iter()
            .filter(|step| !(step.optional == Some(true) && idle(step)))
            .map(|step| step.row(&self.i2c_addresses_7bit))
            .collect::<Result<Vec<Value>>>()
            .with_context(|| self.id.clone())
    }

    /// The text of a row of this entry.
    fn text(&self, mut row: Table, reasons: &[String]) -> Result<String> {
        let mut out = String::new();
        let facts = format!(
            "Source: facts/touch.json, {}; facts/i2c-touch-camera.md 3; collected from:",
            self.id
        );
        text::sources(&mut out, &facts, &self.sources);
        for note in self.notes.iter().chain(reasons) {
            text::comment(&mut out, note);
        }
        let sections = ["probe", "exit"].map(|key| (key, row.remove(key)));
        text::fields(&mut out, &FIELDS, &row)?;
        for (key, steps) in sections {
            let Some(Value::Array(steps)) = steps else {
                continue;
            };
            for step in steps {
                let _ = writeln!(out, "\n[[{key}]]");
                let step = step.as_table().context("a step is a table")?;
                text::fields(&mut out, &STEP, step)?;
            }
        }
        Ok(out)
    }
}

impl Step {
    fn row(&self, own: &[String]) -> Result<Value> {
        let mut step = Table::new();
        if let Some(address) = self
            .addr_7bit
            .as_ref()
            .filter(|address| !own.contains(address))
        {
            step.insert("address".into(), number(address)?.into());
        }
        if !self.write.is_empty() {
            step.insert("write".into(), numbers(&self.write)?.into());
        }
        if self.read_len > 0 {
            let read = self.read_len.min(FIFO_BYTES);
            step.insert("read".into(), Value::Integer(read.into()));
        }
        if let Some(expect) = &self.expect {
            step.insert("expect".into(), expect.row()?);
        }
        if self.optional == Some(true) {
            step.insert("optional".into(), true.into());
        }
        if let Some(delay) = self.delay_ms_after.filter(|delay| *delay > 0) {
            step.insert("delay_ms".into(), Value::Integer(delay.into()));
        }
        Ok(step.into())
    }
}

impl Match {
    /// Whether one transfer reads all that it looks at.
    fn fits(&self) -> bool {
        usize::from(self.offset) + self.len <= usize::from(FIFO_BYTES)
    }

    fn row(&self) -> Result<Value> {
        if !self.fits() {
            bail!("looks at more than {FIFO_BYTES} bytes: shorten it in the overlay");
        }
        let bytes = |text: &String| {
            let mut bytes = hex_bytes(text, self.len).context("a value in hexadecimal")?;
            if self.endian == "little" {
                bytes.reverse();
            }
            Ok(bytes)
        };
        let mut expect = Table::new();
        if self.offset > 0 {
            expect.insert("offset".into(), Value::Integer(self.offset.into()));
        }
        let mask = bytes(&self.mask)?;
        if mask.iter().any(|&byte| byte != 0xFF) {
            expect.insert("mask".into(), byte_array(&mask));
        }
        let values: Result<Vec<_>> = self.values.iter().map(bytes).collect();
        let values: Vec<Value> = values?.iter().map(|value| byte_array(value)).collect();
        expect.insert("values".into(), values.into());
        if self.invert {
            expect.insert("invert".into(), true.into());
        }
        Ok(expect.into())
    }
}

/// Puts a STOP between write and read of every step.
fn part_reads(row: &mut Table) {
    let steps = row.get_mut("probe").and_then(Value::as_array_mut);
    let tables = steps.into_iter().flatten().filter_map(Value::as_table_mut);
    for step in tables.filter(|step| step.contains_key("write") && step.contains_key("read")) {
        step.insert("stop".into(), true.into());
    }
}

fn number(text: &str) -> Result<i64> {
    hex(text).with_context(|| format!("\"{text}\" is not computed: give the steps in the overlay"))
}

fn numbers(texts: &[String]) -> Result<Vec<i64>> {
    texts.iter().map(|text| number(text)).collect()
}

/// The first number in `"about 200-260 before ..."`.
fn first_number(text: &str) -> Option<i64> {
    let mut digits = text.split(|c: char| !c.is_ascii_digit());
    digits.find_map(|digits| digits.parse().ok())
}

/// `{ "reg": "0x8144", "len": 2 }` or `{ "write": [..], "len": 4 }` as a read;
/// nothing where the facts do not say how.
fn extra_read(extra: &Json) -> Option<Value> {
    let len = extra.get("len")?.as_i64()?.min(FIFO_BYTES.into());
    let write = if let Some(write) = extra.get("write") {
        let bytes = write.as_array()?.iter();
        let byte = |text: &Json| u8::try_from(hex(text.as_str()?)?).ok();
        bytes.map(byte).collect::<Option<Vec<u8>>>()?
    } else {
        let register = extra.get("reg")?.as_str()?;
        let mut bytes = hex_bytes(register.split_whitespace().next()?, 1)?;
        if register.contains("(LE)") {
            bytes.reverse();
        }
        bytes
    };
    let mut read = Table::new();
    read.insert("write".into(), byte_array(&write));
    read.insert("len".into(), len.into());
    Some(read.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const FACTS: &str = r#"[
      { "id": "acme_1", "family": "Acme", "chip": "A1 (first)", "i2c_addresses_7bit": ["0x26", "0x27"],
        "probe": [
          { "write": ["0x10"], "read_len": 0, "addr_7bit": "0x62", "match": null, "delay_ms_after": 5 },
          { "write": ["0x11"], "read_len": 12, "addr_7bit": "0x26", "match": { "offset": 1, "len": 2,
            "endian": "little", "values": ["0x0102"], "mask": "0x0FFF" } },
          { "write": ["0x12"], "read_len": 1, "match": null, "optional": true } ],
        "identification": "register", "fw_version": { "reg": "0x0012 (LE)", "len": 2 },
        "vendor_id": { "note": "none" }, "reset": { "wait_ms_after_release": "about 30-50" },
        "linux_compatible": "acme,a1 / acme,a2", "vendor_driver": "a1",
        "mt6572_boards": ["x: y", "x: z", "x: y"], "sources": ["tree: path/driver.c"],
        "confidence": "medium", "notes": "a note" },
      { "id": "ack", "family": "Acme", "chip": "Ack", "i2c_addresses_7bit": ["0x05"],
        "probe": [{ "write": ["0x00"], "read_len": 1, "match": null }], "identification": "ack-only",
        "fw_version": null, "vendor_id": null, "reset": null, "linux_compatible": "acme,a (unverified)",
        "vendor_driver": null, "mt6572_boards": null, "sources": [], "confidence": "high", "notes": null },
      { "id": "key", "family": "Acme", "chip": "Key", "i2c_addresses_7bit": ["0x06"],
        "probe": [], "identification": "ack-only", "fw_version": null, "vendor_id": null, "reset": null,
        "linux_compatible": null, "vendor_driver": null, "mt6572_boards": null, "sources": [],
        "confidence": "low", "notes": null }
    ]"#;
    const OVERLAY: &str = "exclude = { key = \"keys\" }\n[group.Acme]\norder = 7\nwhy = \"because\"\n\
                           [row.ack]\nfile = \"other\"\n";

    fn text(name: &str) -> String {
        let imported = import(FACTS, OVERLAY).expect("an import");
        imported.files[Path::new(name)].clone()
    }

    #[test]
    fn a_probe_becomes_a_row() {
        assert_eq!(
            text("data/touch/acme-1.toml"),
            "# Source: facts/touch.json, acme_1; facts/i2c-touch-camera.md 3; collected from:\n\
             #   tree: path/driver.c\n# a note\n# because\n\
             name = \"A1\"\nfamily = \"Acme\"\naddresses = [0x26, 0x27]\norder = 7\n\
             intrusive = true\nconfidence = \"medium\"\nwait_ms = 30\n\
             version = { write = [0x12, 0x00], len = 2 }\ncompatible = \"acme,a1\"\n\
             driver = \"a1\"\nshipped = 2\n\n\
             [[probe]]\naddress = 0x62\nwrite = [0x10]\ndelay_ms = 5\n\n\
             [[probe]]\nwrite = [0x11]\nread = 8\n\
             expect = { offset = 1, mask = [0xFF, 0x0F], values = [[0x02, 0x01]] }\n"
        );
    }

    #[test]
    fn who_only_acknowledges_is_weak_and_what_is_left_out_is_said() {
        let imported = import(FACTS, OVERLAY).expect("an import");
        let row = text("data/touch/other.toml");
        assert!(
            row.contains("weak = true") && !row.contains("compatible"),
            "{row}"
        );
        assert!(
            row.contains("wait_ms = 120") && !row.contains("confidence"),
            "{row}"
        );
        assert!(imported.excluded.ends_with("key = \"keys\"\n"));
        assert!(import(FACTS, "[row.nobody]\norder = 1\n").is_err());
    }
}
