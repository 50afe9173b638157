//! The `[[i2c]]` tables of a board file: one chip each, described in full.
//! Nothing is taken from the bootloader's table of drivers.
//!
//! ```toml
//! [[i2c]]
//! name = "GT911"
//! bus = 1                       # I2C1, on pins 113 (SCL) and 114 unless `scl` says otherwise
//! strap = { pin = 129, low = 0x5D, high = 0x14 }
//! rails = [{ rail = "vgp1", min_mv = 2600, max_mv = 3400 }]
//! pins = [{ pin = 57, role = "reset", for_ms = 56 }]
//! address_width = 2
//! registers = { 0x8140 = "911\u0000" }
//! ```
//!
//! | key | default | meaning |
//! |---|---|---|
//! | `name` | | used in reports |
//! | `bus` | | 0 or 1 |
//! | `scl` | 105, 113 | which wires: SCL pin 105 of bus 0; 113, 89, 101 or 137 of bus 1 |
//! | `present` | true | false: the place is empty (the wires and their pull-ups are there) |
//! | `addresses` | none | 7-bit addresses |
//! | `max_khz` | 400 | fastest SCL that it follows; a faster one is not acknowledged and a guest error |
//! | `strap` | none | `{ pin, low, high }`: address by the level of a pin when the reset ends |
//! | `rails` | none | `{ rail, min_mv, max_mv }`: supplies it needs; above `max_mv` it is destroyed |
//! | `power_ms` | 0 | from the last supply to the first answer |
//! | `clock` | none | `{ from = "cmmclk", min_mhz, max_mhz }` |
//! | `pins` | none | `{ pin, high, role, for_ms, edge }`, see [`Pin`] |
//! | `int_pin` | none | pulled low while a banner or reply waits to be read, else high |
//! | `address_width` | 1 | bytes of a register address; 0: the chip has no registers |
//! | `data_width` | 1 | bytes of a register |
//! | `step` | see [`Chip::step`] | how far a register address moves on after a register |
//! | `pointer` | `"big"` | or `"little"`: order of the register address on the bus |
//! | `auto_increment` | true | |
//! | `keep_pointer` | true | false: a STOP sets the register address to 0 |
//! | `fill` | 0 | what reads where nothing is |
//! | `registers` | none | first register = bytes in the order of the bus, or a text |
//! | `read_only` | none | registers (`"0x00"`, `"0x00-0x0F"`) that ignore writes |
//! | `untouchable` | none | registers to which a write is a guest error: other people's sensors, the charger |
//! | `[[i2c.pages]]` | none | `select = { register = bytes }`, all of which must have been written, and its `registers` |
//! | `banner` | none | what the first plain read after a reset gets |
//! | `[[i2c.commands]]` | none | `write`, `reply`, and if wanted `on` (another address), `needs` (an unlock), `busy_ms` |
//! | `[[i2c.unlocks]]` | none | `name`, `sequence` of writes, and if wanted `on`, `wait_ms`, `lock_on` |
//! | `[i2c.faults]` | none | see [`Faults`] |
//!
//! Addresses in `on` are acknowledged too. Numbers that are keys may be
//! written `0x8140` or `33088`. Unknown keys are errors.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Deserialize;

use super::wires::wire_set;
use crate::signals::Rail;

/// A chip as its table in the board file has it. See the module documentation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chip {
    /// Used in reports.
    pub name: String,
    /// 0 or 1.
    pub bus: u8,
    /// SCL pin of its wires.
    pub scl: Option<u8>,
    /// Whether it is fitted.
    #[serde(default = "yes")]
    pub present: bool,
    /// 7-bit addresses.
    #[serde(default)]
    pub addresses: Vec<u8>,
    /// Fastest SCL in kHz.
    #[serde(default = "fast_mode")]
    pub max_khz: u32,
    /// Address chosen by a pin.
    pub strap: Option<Strap>,
    /// Supplies.
    #[serde(default)]
    pub rails: Vec<Supply>,
    /// Milliseconds from supply to answer.
    #[serde(default)]
    pub power_ms: u32,
    /// Clock input.
    pub clock: Option<Clock>,
    /// Pins that must have a level.
    #[serde(default)]
    pub pins: Vec<Pin>,
    /// Interrupt output, active low.
    pub int_pin: Option<u8>,
    /// Bytes of a register address.
    #[serde(default = "one")]
    pub address_width: u8,
    /// Bytes of a register.
    #[serde(default = "one")]
    pub data_width: u8,
    /// By default 1, or the data width where register addresses have two
    /// bytes: those parts count bytes.
    pub step: Option<u32>,
    /// Order of the register address.
    #[serde(default)]
    pub pointer: Order,
    /// The register address moves on.
    #[serde(default = "yes")]
    pub auto_increment: bool,
    /// The register address survives a STOP (facts/i2c-touch-camera.md 4.4).
    #[serde(default = "yes")]
    pub keep_pointer: bool,
    /// Byte that reads where nothing is.
    #[serde(default)]
    pub fill: u8,
    /// Contents.
    #[serde(default)]
    pub registers: BTreeMap<String, Bytes>,
    /// Registers that ignore writes.
    #[serde(default)]
    pub read_only: Vec<String>,
    /// Registers that nobody may write.
    #[serde(default)]
    pub untouchable: Vec<String>,
    /// Contents that other registers switch to.
    #[serde(default)]
    pub pages: Vec<Page>,
    /// What the first plain read gets.
    #[serde(default)]
    pub banner: Vec<u8>,
    /// Requests and their answers.
    #[serde(default)]
    pub commands: Vec<Command>,
    /// Modes that a sequence of writes enters.
    #[serde(default)]
    pub unlocks: Vec<Unlock>,
    /// What is wrong with it.
    #[serde(default)]
    pub faults: Faults,
}

/// Bytes as a list or, for what is ASCII on the bus, as a text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Bytes {
    /// A list of numbers.
    List(Vec<u8>),
    /// A text.
    Text(String),
}

impl Bytes {
    /// The bytes in the order of the bus.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::List(bytes) => bytes,
            Bytes::Text(text) => text.as_bytes(),
        }
    }
}

/// Order of the two bytes of a register address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// High byte first.
    #[default]
    Big,
    /// Low byte first.
    Little,
}

/// The address follows the level of a pin at the end of the reset (Goodix).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strap {
    /// GPIO number.
    pub pin: u8,
    /// 7-bit address if it was low.
    pub low: u8,
    /// 7-bit address if it was high.
    pub high: u8,
}

/// A supply of the chip.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supply {
    /// Name of the rail in lower case: `"vgp1"`, `"vcama"`, `"vcam_io"`, ...
    pub rail: String,
    /// Below, the chip is off.
    pub min_mv: u16,
    /// Above, the chip is destroyed.
    pub max_mv: Option<u16>,
}

/// Where a clock comes from. There is one on this SoC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockSource {
    /// Pin 62.
    Cmmclk,
}

/// The clock that a chip needs to answer.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Source.
    pub from: ClockSource,
    /// Lowest frequency.
    pub min_mhz: u32,
    /// Highest frequency.
    pub max_mhz: u32,
}

/// What a pin does to the chip while it does not have its level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The chip is in reset and forgets everything.
    #[default]
    Reset,
    /// The chip is off inside (CTP_EN, LDO enable) and forgets everything.
    Enable,
    /// The chip sleeps (PDN): no answer, nothing forgotten.
    Standby,
}

/// A pin that must have a level.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// GPIO number.
    pub pin: u8,
    /// The level that lets the chip run; high by default.
    #[serde(default = "yes")]
    pub high: bool,
    /// What it does.
    #[serde(default)]
    pub role: Role,
    /// For how many milliseconds, with the supplies on, before it answers.
    #[serde(default)]
    pub for_ms: u32,
    /// The level must have come while supplies and clock were there.
    #[serde(default)]
    pub edge: bool,
}

/// Contents that appear while other registers hold values.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Register and the bytes that it must hold.
    pub select: BTreeMap<String, Bytes>,
    /// Contents of the page.
    pub registers: BTreeMap<String, Bytes>,
}

/// A write that is not an access to registers, and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// All bytes of the write.
    pub write: Vec<u8>,
    /// What the next read at this address gets, then the fill byte.
    #[serde(default)]
    pub reply: Vec<u8>,
    /// At this 7-bit address instead of the chip's own.
    pub on: Option<u8>,
    /// Name of the unlock without which it does nothing.
    pub needs: Option<String>,
    /// Milliseconds after it for which the chip acknowledges nothing.
    #[serde(default)]
    pub busy_ms: u32,
}

/// A mode that is entered by a sequence of writes (debug bus of MStar).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unlock {
    /// What commands call it in `needs`.
    pub name: String,
    /// Writes, in this order with no other at this address in between.
    pub sequence: Vec<Vec<u8>>,
    /// At this 7-bit address instead of the chip's own.
    pub on: Option<u8>,
    /// Milliseconds from the last of them until the mode is reached.
    #[serde(default)]
    pub wait_ms: u32,
    /// Writes that leave the mode. A reset does as well.
    #[serde(default)]
    pub lock_on: Vec<Vec<u8>>,
}

/// What is wrong with a chip.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Never answers.
    pub dead: bool,
    /// Reads are all ones.
    pub all_ones: bool,
    /// Reads are all zeros.
    pub all_zeros: bool,
    /// Other contents than it should have, e.g. wrong ID bytes.
    pub wrong: BTreeMap<String, Bytes>,
    /// Does not acknowledge this byte of a message: 0 the address, 1 the first after it.
    pub nack_byte: Option<u32>,
    /// How often; for ever by default.
    pub nack_times: Option<u32>,
    /// Acknowledges nothing for so long after a message with data.
    pub busy_ms: u32,
    /// Holds SCL so long after each byte.
    pub stretch_us: u32,
    /// Answers from this reset on (1 = the first).
    pub answers_from_reset: u32,
    /// Holds SDA low.
    pub hold_sda: Option<HoldSda>,
    /// Holds SCL low from power-on for good, whatever its supplies do: a
    /// transaction on its wires ends by TIMEOUT or SOFTRESET only.
    pub hold_scl: bool,
}

/// When a chip holds SDA low, and what makes it let go. Losing its supply
/// does, and a reset, except while `unpowered`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HoldSda {
    /// From each time that it gets its supplies.
    pub from_power: bool,
    /// While it has no supply: through its protection diodes.
    pub unpowered: bool,
    /// After so many bytes, addresses included, once.
    pub after_bytes: Option<u32>,
    /// Lets go after so many falling edges of SCL.
    pub clocks: Option<u32>,
}

fn yes() -> bool {
    true
}

/// Fast mode (facts/i2c-touch-camera.md 1.4).
fn fast_mode() -> u32 {
    400
}

fn one() -> u8 {
    1
}

/// The rails that a chip can be on.
const RAILS: [Rail; 20] = [
    Rail::Vtcxo,
    Rail::Va,
    Rail::Vcama,
    Rail::Vcn33,
    Rail::Vcn28,
    Rail::Vio28,
    Rail::Vusb,
    Rail::Vmc,
    Rail::Vmch,
    Rail::Vemc3v3,
    Rail::Vgp1,
    Rail::Vgp2,
    Rail::Vgp3,
    Rail::Vcn1v8,
    Rail::VcamAf,
    Rail::Vibr,
    Rail::Vm,
    Rail::Vio18,
    Rail::Vcamd,
    Rail::VcamIo,
];

/// The rail that a board file calls `name`.
pub fn rail(name: &str) -> Option<Rail> {
    let plain = name.replace('_', "");
    RAILS
        .into_iter()
        .find(|rail| format!("{rail:?}").to_lowercase() == plain)
}

/// A register number: decimal or with 0x.
pub fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// One register or a range of them.
pub fn range(text: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first.trim())?, number(last.trim())?);
    (first <= last).then_some(first..=last)
}

impl Chip {
    /// SCL pin of the wires that it is on.
    pub fn scl_pin(&self) -> u8 {
        self.scl.unwrap_or(if self.bus == 0 { 105 } else { 113 })
    }

    /// How far the register address moves on after a register.
    pub fn register_step(&self) -> u32 {
        let by_width = if self.address_width > 1 {
            u32::from(self.data_width)
        } else {
            1
        };
        self.step.unwrap_or(by_width)
    }

    /// Whether the description makes sense.
    ///
    /// # Errors
    /// A sentence that begins with the chip's name and states the key.
    pub fn check(&self) -> Result<(), String> {
        self.faulty_key()
            .map_or(Ok(()), |text| Err(format!("i2c {:?}: {text}", self.name)))
    }

    fn faulty_key(&self) -> Option<String> {
        if wire_set(self.bus, self.scl_pin()).is_none() {
            return Some(format!(
                "bus = {}, scl = {}: no such wires; bus 0 has SCL on 105, bus 1 on 113, 89, 101 or 137",
                self.bus,
                self.scl_pin()
            ));
        }
        self.faulty_address()
            .or_else(|| self.faulty_surroundings())
            .or_else(|| self.faulty_contents())
            .or_else(|| self.faulty_dialogue())
    }

    fn faulty_address(&self) -> Option<String> {
        if self.addresses.is_empty() && self.strap.is_none() {
            return Some("addresses: it needs one, or a strap".into());
        }
        let strapped = self.strap.iter().flat_map(|strap| [strap.low, strap.high]);
        let on = self.commands.iter().filter_map(|command| command.on);
        let unlock_on = self.unlocks.iter().filter_map(|unlock| unlock.on);
        let all = self.addresses.iter().copied();
        all.chain(strapped)
            .chain(on)
            .chain(unlock_on)
            .find(|&address| address > 0x7F)
            .map(|address| format!("address {address:#x} has more than 7 bits"))
    }

    fn faulty_surroundings(&self) -> Option<String> {
        for supply in &self.rails {
            if rail(&supply.rail).is_none() {
                return Some(format!("rails: no rail is called {:?}", supply.rail));
            }
            if supply.max_mv.is_some_and(|max| max < supply.min_mv) {
                return Some(format!("rails: {:?}: max_mv is below min_mv", supply.rail));
            }
        }
        if self
            .clock
            .is_some_and(|clock| clock.max_mhz < clock.min_mhz)
        {
            return Some("clock: max_mhz is below min_mhz".into());
        }
        let pins = self.pins.iter().map(|pin| pin.pin);
        pins.chain(self.int_pin)
            .chain(self.strap.map(|strap| strap.pin))
            .find(|&pin| usize::from(pin) >= PINS)
            .map(|pin| format!("pin {pin}: the last is {}", PINS - 1))
    }

    fn faulty_contents(&self) -> Option<String> {
        if self.address_width > 2 || !matches!(self.data_width, 1..=4) {
            return Some("address_width is 0 to 2, data_width 1 to 4".into());
        }
        if self.step == Some(0) {
            return Some("step: above 0".into());
        }
        let tables = self.pages.iter().flat_map(|page| {
            let selects = page.select.iter().map(|entry| ("pages.select", entry));
            selects.chain(
                page.registers
                    .iter()
                    .map(|entry| ("pages.registers", entry)),
            )
        });
        let own = self.registers.iter().map(|entry| ("registers", entry));
        let wrong = self.faults.wrong.iter();
        let width = usize::from(self.data_width);
        for (key, (register, bytes)) in own
            .chain(tables)
            .chain(wrong.map(|entry| ("faults.wrong", entry)))
        {
            if number(register).is_none_or(|number| number > 0xFFFF) {
                return Some(format!("{key}: {register:?} is no register number"));
            }
            let len = bytes.as_slice().len();
            if len == 0 || !len.is_multiple_of(width) {
                return Some(format!(
                    "{key}: {register}: {len} bytes are no whole number of registers of {width}"
                ));
            }
        }
        if self.pages.iter().any(|page| page.select.is_empty()) {
            return Some("pages: one without `select` is never seen".into());
        }
        let lists = [
            ("read_only", &self.read_only),
            ("untouchable", &self.untouchable),
        ];
        lists.into_iter().find_map(|(key, list)| {
            let wrong = list.iter().find(|text| range(text).is_none())?;
            Some(format!("{key}: {wrong:?} is no register and no range"))
        })
    }

    fn faulty_dialogue(&self) -> Option<String> {
        if self.commands.iter().any(|command| command.write.is_empty()) {
            return Some("commands: `write` is empty".into());
        }
        for unlock in &self.unlocks {
            let writes = unlock.sequence.iter().chain(&unlock.lock_on);
            if unlock.sequence.is_empty() || writes.into_iter().any(Vec::is_empty) {
                return Some(format!("unlocks: {:?}: an empty write", unlock.name));
            }
        }
        let known = |name: &String| self.unlocks.iter().any(|unlock| unlock.name == *name);
        let needed = self
            .commands
            .iter()
            .filter_map(|command| command.needs.as_ref());
        needed
            .into_iter()
            .find(|name| !known(name))
            .map(|name| format!("commands: no unlock is called {name:?}"))
    }
}

/// Pins of the SoC (facts/soc.md 7).
const PINS: usize = 154;
