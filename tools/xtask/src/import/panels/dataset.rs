//! `facts/panels.json`: what the import reads of it. The meaning of every
//! field is in facts/panels.md, "Schema".

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Deserialize)]
pub struct Entry {
    /// First driver name and part of a hash.
    pub id: String,
    /// Names of all drivers with this configuration.
    pub names: Vec<String>,
    pub controller: Option<String>,
    /// Controller that the first writes name, where that is another one.
    pub controller_conflict: Option<String>,
    pub interface: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub physical_mm: Option<(u16, u16)>,
    pub lanes: Option<u8>,
    pub ps: Option<String>,
    /// Pixel format of panels that are not on DSI.
    pub format: Option<String>,
    pub timing: Option<Timing>,
    pub pll: Option<Pll>,
    #[serde(default)]
    pub phy: BTreeMap<String, u32>,
    /// Parameters of a bus of the LCD controller.
    #[serde(default)]
    pub dbi: BTreeMap<String, u32>,
    /// Levels and milliseconds.
    pub reset: Option<Vec<(u8, f64)>>,
    #[serde(default)]
    pub pre_init: Vec<String>,
    pub init: Vec<Item>,
    pub display_on_via: Option<String>,
    #[serde(default)]
    pub suspend: Value,
    #[serde(default)]
    pub resume: Value,
    pub id_read: IdRead,
    /// What other drivers of the same configuration compare.
    #[serde(default)]
    pub id_variants: Vec<IdRead>,
    pub mt6572_fit: bool,
    /// Chips whose trees have the driver.
    #[serde(default)]
    pub socs: Vec<String>,
    #[serde(default)]
    pub used_by: Vec<String>,
    pub sources_total: u32,
    pub sources: Vec<String>,
    pub extraction: Extraction,
}

/// Lines and pixels; 0 = not set.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Timing {
    #[serde(default)]
    pub vsa: u16,
    #[serde(default)]
    pub vbp: u16,
    #[serde(default)]
    pub vfp: u16,
    #[serde(default)]
    pub hsa: u16,
    #[serde(default)]
    pub hbp: u16,
    #[serde(default)]
    pub hfp: u16,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Pll {
    pub clock_mhz: Option<f64>,
    #[serde(rename = "pll_div1")]
    pub div1: Option<u8>,
    #[serde(rename = "pll_div2")]
    pub div2: Option<u8>,
    pub fbk_div: Option<u8>,
    #[serde(default)]
    pub ssc_disable: u8,
}

/// An element of `init` and `suspend`: a write, or what `op` says.
#[derive(Debug, Clone, Deserialize)]
pub struct Item {
    pub op: Option<String>,
    pub cmd: Option<u16>,
    #[serde(default)]
    pub args: Vec<Value>,
    pub dt: Option<u8>,
    pub level: Option<u8>,
    /// Words of a packet that the driver builds itself.
    #[serde(default)]
    pub words: Vec<String>,
    #[serde(default)]
    pub delay_ms: f64,
}

#[derive(Debug, Clone, Deserialize, Default)]
pub struct IdRead {
    #[serde(default, rename = "match")]
    pub alternatives: Vec<Match>,
    #[serde(default)]
    pub compared_consts: Vec<u64>,
    #[serde(default)]
    pub seq: Vec<Item>,
}

/// Conditions that must all hold.
#[derive(Debug, Clone, Deserialize, Default)]
pub struct Match {
    #[serde(default)]
    pub dsi: Vec<ByteIs>,
    #[serde(default)]
    pub dbi: Vec<WordIs>,
    #[serde(default)]
    pub gpio: Vec<PinIs>,
    #[serde(default)]
    pub adc: Vec<VoltageIs>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ByteIs {
    pub cmd: u8,
    pub byte: u8,
    pub value: u8,
    pub mask: Option<u8>,
}

/// A byte of a word that is read on a bus of the LCD controller.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct WordIs {
    pub cmd: u16,
    pub word: u8,
    pub byte: u8,
    pub value: u8,
    pub mask: u8,
}

#[derive(Debug, Clone, Deserialize)]
pub struct PinIs {
    pub pin: String,
    pub level: u8,
}

#[derive(Debug, Clone, Deserialize)]
pub struct VoltageIs {
    /// Number, or the name of a board's macro.
    pub ch: Value,
    pub mv: Option<Vec<(u32, u32)>>,
    pub raw: Option<Vec<(u32, u32)>>,
}

#[derive(Debug, Clone, Deserialize, Default)]
pub struct Extraction {
    pub init: String,
    #[serde(default)]
    pub reasons: BTreeMap<String, Vec<String>>,
}
