//! The collected facts as they are written down, as far as they are needed
//! here. Source: facts/panels.md "Schema", facts/i2c-touch-camera.md.

use serde::Deserialize;

/// An entry of panels.json.
#[derive(Deserialize)]
pub struct Panel {
    pub id: String,
    pub names: Vec<String>,
    pub controller: Option<String>,
    pub interface: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub lanes: Option<u32>,
    pub ps: Option<String>,
    pub timing: Option<Timing>,
    /// Settings of the rate, in one of several forms.
    pub pll: Option<serde_json::Value>,
    pub derived: Option<Derived>,
    pub clock_lane: Option<String>,
    /// Level and milliseconds before the next, before the first write.
    pub reset: Option<Vec<(u8, f64)>>,
    pub init: Vec<Step>,
    pub display_on_via: Option<String>,
    pub resume: Option<Resume>,
    pub id_read: IdRead,
    pub extraction: Extraction,
    pub mt6572_fit: bool,
}

/// Porches: lines and pixels; 0 = not set.
#[derive(Deserialize, Default)]
pub struct Timing {
    #[serde(default)]
    pub vsa: u32,
    #[serde(default)]
    pub vbp: u32,
    #[serde(default)]
    pub vfp: u32,
    #[serde(default)]
    pub hsa: u32,
    #[serde(default)]
    pub hbp: u32,
    #[serde(default)]
    pub hfp: u32,
}

/// Values that the collection computed.
#[derive(Deserialize)]
pub struct Derived {
    pub lane_mbps: Option<f64>,
}

/// A step of a table: a write, or an `op`.
#[derive(Deserialize, Clone)]
pub struct Step {
    pub op: Option<String>,
    /// Above 255 it is a mark of the driver's own.
    pub cmd: Option<u32>,
    #[serde(default)]
    pub args: serde_json::Value,
    /// May be a fraction.
    #[serde(default)]
    pub delay_ms: f64,
    pub dt: Option<u32>,
    /// Of a reset pin.
    pub level: Option<u8>,
    #[serde(default)]
    pub words: Vec<String>,
    pub n: Option<u32>,
}

/// What resume sends.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Resume {
    /// After the initialisation.
    Plus { init_plus: Vec<Step> },
    /// Alone.
    List(Vec<Step>),
    /// A word: "init", "none", ...
    Word(serde::de::IgnoredAny),
}

/// How the vendor's driver tells the panel.
#[derive(Deserialize)]
pub struct IdRead {
    pub method: String,
    #[serde(rename = "match", default)]
    pub matches: Option<Vec<Alternative>>,
    #[serde(default)]
    pub seq: Option<Vec<Step>>,
}

/// Terms that must all hold.
#[derive(Deserialize)]
pub struct Alternative {
    #[serde(default)]
    pub dsi: Vec<DsiTerm>,
    #[serde(default)]
    pub gpio: Vec<serde_json::Value>,
    #[serde(default)]
    pub adc: Vec<serde_json::Value>,
    #[serde(default)]
    pub helper: Option<serde_json::Value>,
}

/// A byte of the answer to a read.
#[derive(Deserialize)]
pub struct DsiTerm {
    pub cmd: u32,
    pub byte: usize,
    pub value: u32,
    /// The bits that count, if not all.
    pub mask: Option<u32>,
}

/// How far the collection could evaluate a driver.
#[derive(Deserialize)]
pub struct Extraction {
    pub init: String,
}

/// An entry of touch.json.
#[derive(Deserialize)]
pub struct Touch {
    pub id: String,
    pub family: String,
    pub i2c_addresses_7bit: Vec<String>,
    pub reg_addr_bits: u8,
    pub probe: Vec<Probe>,
    pub match_mode: String,
    #[serde(default)]
    pub probe_exit: Vec<Probe>,
    pub reset: Option<TouchReset>,
}

/// How a touch chip is reset.
#[derive(Deserialize)]
pub struct TouchReset {
    /// In words that begin with a number or "about".
    pub wait_ms_after_release: Option<serde_json::Value>,
}

/// A step of a probe.
#[derive(Deserialize)]
pub struct Probe {
    #[serde(default)]
    pub write: Vec<String>,
    #[serde(default)]
    pub read_len: usize,
    #[serde(rename = "match")]
    pub wanted: Option<Wanted>,
    pub addr_7bit: Option<String>,
    #[serde(default)]
    pub optional: bool,
    #[serde(default)]
    pub delay_ms_after: u32,
}

/// What a read must give.
#[derive(Deserialize)]
pub struct Wanted {
    pub offset: usize,
    pub len: usize,
    pub endian: String,
    #[serde(default)]
    pub values: Vec<String>,
    pub mask: Option<String>,
    #[serde(default)]
    pub invert: bool,
}

/// An entry of cameras.json.
#[derive(Deserialize)]
pub struct Camera {
    pub id: String,
    pub maker: Option<String>,
    pub i2c_addresses_7bit: Option<Vec<String>>,
    pub reg_width_bits: Option<u8>,
    pub data_width_bits: Option<u8>,
    #[serde(default)]
    pub id_prelude_writes: Vec<Vec<String>>,
    #[serde(default)]
    pub id_regs: Option<Vec<String>>,
    pub id_value: Option<String>,
    #[serde(default)]
    pub id_value_alternatives: Vec<String>,
    pub id_mask: Option<String>,
    pub power_sequences: Option<Vec<PowerSequence>>,
    pub notes: Option<String>,
}

/// How a board powers a sensor.
#[derive(Deserialize)]
pub struct PowerSequence {
    #[serde(default)]
    pub mt6572_tree: bool,
    pub steps: Vec<String>,
}

/// A number as the facts write it: `0x..` or decimal.
pub fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
