//! `qemu/matrix`: what the facts say of the chips.

use std::path::PathBuf;
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A panel of `panels/*.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// In panels.json.
    pub id: String,
    /// Names of the vendors' drivers.
    pub names: Vec<String>,
    pub controller: String,
    pub family: String,
    pub width: u32,
    pub height: u32,
    pub lanes: u8,
    pub mode: String,
    pub format: String,
    pub vsa: Option<u32>,
    pub vbp: Option<u32>,
    pub vfp: Option<u32>,
    pub hsa: Option<toml::Value>,
    pub hbp: Option<toml::Value>,
    pub hfp: Option<toml::Value>,
    /// Mbit/s of a lane.
    pub mbps: Option<u32>,
    #[serde(default)]
    pub continuous_clock: bool,
    /// From the end of the reset to the first write.
    #[serde(default)]
    pub reset_wait_ms: u32,
    /// How the vendor's driver knows it.
    pub known_by: String,
    /// Alternatives; in each bytes of answers, and words for what no wire of
    /// the emulated board can say.
    #[serde(default, rename = "match")]
    pub matches: Vec<String>,
    #[serde(default)]
    pub reads: Vec<Read>,
    /// A write a line: data type, bytes, and if wanted `+` milliseconds.
    pub init: String,
}

/// A register that the vendor's driver reads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    pub register: u8,
    /// Writes since the reset, in hexadecimal.
    pub after: Vec<String>,
}

/// A touch chip of `touch.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Touch {
    pub id: String,
    /// 7 bits.
    pub addresses: Vec<u8>,
    /// Bytes of a register address.
    pub address_width: usize,
    /// From the end of the reset to the first answer.
    pub wait_ms: u32,
    /// One step that agrees is enough.
    #[serde(default)]
    pub any: bool,
    pub steps: Vec<Step>,
    /// Writes that leave what the steps entered.
    #[serde(default)]
    pub exit: Vec<String>,
}

/// A step of a touch chip's probe.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// Another address than the chip's own.
    pub at: Option<u8>,
    /// In hexadecimal.
    pub write: String,
    /// What is written is a byte of the answer before: its first.
    pub from_answer: bool,
    /// Bytes to read.
    pub read: usize,
    pub offset: usize,
    /// Any of these, in hexadecimal and in the order of the bus.
    pub values: Vec<String>,
    pub mask: Option<String>,
    /// None of the values.
    pub invert: bool,
    pub optional: bool,
    pub wait_ms: u32,
}

/// A camera of `cameras.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Camera {
    pub id: String,
    /// 7 bits.
    pub addresses: Vec<u8>,
    /// Bytes of a register address, and of a register.
    pub address_width: usize,
    pub data_width: usize,
    #[serde(default)]
    pub prelude: Vec<String>,
    pub registers: Vec<u32>,
    pub values: Vec<u32>,
    pub mask: u32,
    pub core_mv: Option<u32>,
    pub runs_with_pdn_high: bool,
}

/// A row of the facts without a boot.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    pub kind: String,
    pub id: String,
    pub reason: String,
}

/// All of it.
pub struct Data {
    /// Sorted by controller and id.
    pub panels: Vec<Panel>,
    pub touch: Vec<Touch>,
    pub cameras: Vec<Camera>,
    pub left_out: Vec<LeftOut>,
}

/// The folder.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("matrix")
}

fn read<T: DeserializeOwned>(path: &std::path::Path, key: &str) -> Vec<T> {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let mut table: toml::Table = text
        .parse()
        .unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let list = table.remove(key).unwrap_or(toml::Value::Array(Vec::new()));
    list.try_into()
        .unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// What `qemu/matrix` holds, read once.
pub fn all() -> &'static Data {
    static DATA: LazyLock<Data> = LazyLock::new(|| {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder().join("panels"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        Data {
            panels: files.iter().flat_map(|path| read(path, "panel")).collect(),
            touch: read(&folder().join("touch.toml"), "touch"),
            cameras: read(&folder().join("cameras.toml"), "camera"),
            left_out: read(&folder().join("left-out.toml"), "row"),
        }
    });
    &DATA
}

/// Bytes in hexadecimal, separated by blanks.
pub fn hex(text: &str) -> Vec<u8> {
    let bytes = text.split_whitespace();
    bytes
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}
