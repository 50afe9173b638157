//! Touch chips and cameras: `data/touch/*.toml`, `data/cameras/*.toml`.

use crate::source::{Place, Problem};
use serde::Deserialize;

/// Bytes that an answer must have at a place.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectToml {
    #[serde(default)]
    pub offset: u8,
    /// Left out: all bits count.
    pub mask: Option<Vec<u8>>,
    pub values: Vec<Vec<u8>>,
    #[serde(default)]
    pub invert: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FromAnswerToml {
    pub step: u8,
    pub byte: u8,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepToml {
    pub address: Option<u8>,
    #[serde(default)]
    pub write: Vec<u8>,
    pub write_from: Option<FromAnswerToml>,
    #[serde(default)]
    pub read: u8,
    #[serde(default)]
    pub stop: bool,
    pub expect: Option<ExpectToml>,
    #[serde(default)]
    pub optional: bool,
    #[serde(default)]
    pub delay_ms: u16,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraToml {
    pub write: Vec<u8>,
    pub len: u8,
}

/// How sure the sources of a row are.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfidenceToml {
    Low,
    Medium,
    #[default]
    High,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TouchToml {
    pub name: String,
    pub family: String,
    pub addresses: Vec<u8>,
    /// Among chips that share an address: lower is asked first.
    pub order: u8,
    #[serde(default)]
    pub intrusive: bool,
    #[serde(default)]
    pub weak: bool,
    #[serde(default)]
    pub confidence: ConfidenceToml,
    pub wait_ms: u16,
    pub vendor_id: Option<ExtraToml>,
    pub version: Option<ExtraToml>,
    pub compatible: Option<String>,
    pub driver: String,
    #[serde(default)]
    pub shipped: u16,
    pub probe: Vec<StepToml>,
    #[serde(default)]
    pub exit: Vec<StepToml>,
}

impl TouchToml {
    /// When it is asked among chips that share an address: harmless probes
    /// come first, those that say little last.
    pub const fn turn(&self) -> (bool, bool, u8) {
        (self.weak, self.intrusive, self.order)
    }

    pub fn check(&self, id: &str) -> Result<(), Problem> {
        let place = Place::new("touch", id);
        place.field("name").text(&self.name)?;
        place.field("family").text(&self.family)?;
        place.field("driver").word(&self.driver)?;
        if let Some(compatible) = &self.compatible {
            place.field("compatible").word(compatible)?;
        }
        check_addresses(place, &self.addresses)?;
        if self.wait_ms > 1000 {
            return Err(place
                .field("wait_ms")
                .problem("must be at most 1000: identification is bounded"));
        }
        for extra in [&self.vendor_id, &self.version].into_iter().flatten() {
            if extra.write.is_empty() || extra.write.len() > 8 || !(1..=8).contains(&extra.len) {
                return Err(place
                    .field("vendor_id, version")
                    .problem("write 1 to 8 bytes and read 1 to 8: one FIFO of the I2C block"));
            }
        }
        if self.probe.is_empty() {
            return Err(place
                .field("probe")
                .problem("give at least one [[probe]] step"));
        }
        for (index, step) in self.probe.iter().enumerate() {
            check_step(place.field("probe"), step, &self.probe[..index])?;
        }
        for (index, step) in self.exit.iter().enumerate() {
            check_step(place.field("exit"), step, &self.exit[..index])?;
        }
        let telling = |step: &StepToml| step.expect.is_some() && !step.optional;
        // Up to the first step that tells this chip from strangers.
        let blind = self.probe.iter().position(telling);
        let blind = &self.probe[..=blind.unwrap_or(self.probe.len() - 1)];
        let writes = |step: &StepToml| step.write.len() > 2 || step.read == 0;
        if !self.intrusive && blind.iter().any(writes) {
            return Err(place.field("intrusive").problem(
                "the probe writes more than a register number before it knows who is there: say `intrusive = true`",
            ));
        }
        if !self.weak && !self.probe.iter().any(telling) {
            return Err(place.field("probe").problem(
                "no step expects anything: add `expect`, or say `weak = true` for a chip that only acknowledges",
            ));
        }
        Ok(())
    }
}

fn check_step(place: Place<'_>, step: &StepToml, before: &[StepToml]) -> Result<(), Problem> {
    let bad = |remedy: &str| Err(place.problem(remedy));
    if step.write.is_empty() && step.read == 0 {
        return bad("a step must write, read or both");
    }
    if step.write.len() > 8 || step.read > 32 {
        return bad("a step writes at most 8 bytes and reads at most 32");
    }
    if step.address.is_some_and(|address| !usable(address)) {
        return bad("address: must be a 7-bit address, 0x01 to 0x77");
    }
    if let Some(from) = step.write_from {
        let earlier = before.get(usize::from(from.step));
        if earlier.is_none_or(|earlier| from.byte >= earlier.read) {
            return bad("write_from: must name an earlier step and a byte that it reads");
        }
    }
    if let Some(expect) = &step.expect {
        let len = expect
            .mask
            .as_ref()
            .or(expect.values.first())
            .map_or(0, Vec::len);
        if len == 0 || expect.values.iter().any(|value| value.len() != len) {
            return bad("expect: give values of one length, the mask's if there is one");
        }
        if usize::from(expect.offset) + len > usize::from(step.read) {
            return bad("expect: looks at more bytes than the step reads: raise `read`");
        }
    }
    Ok(())
}

const fn usable(address: u8) -> bool {
    matches!(address, 0x01..=0x77)
}

fn check_addresses(place: Place<'_>, addresses: &[u8]) -> Result<(), Problem> {
    if addresses.is_empty() || addresses.iter().any(|&address| !usable(address)) {
        return Err(place
            .field("addresses")
            .problem("give 7-bit addresses, 0x01 to 0x77, the usual one first"));
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CameraBusToml {
    Parallel,
    Mipi,
    Unknown,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraToml {
    pub name: String,
    pub maker: String,
    pub driver: String,
    pub addresses: Vec<u8>,
    pub address_bytes: u8,
    pub data_bytes: u8,
    #[serde(default)]
    pub prelude: Vec<Vec<u8>>,
    #[serde(default)]
    pub prelude_ms: u16,
    pub registers: Vec<u16>,
    pub values: Vec<u32>,
    /// Left out: all bits of the ID count.
    pub mask: Option<u32>,
    #[serde(default)]
    pub confidence: ConfidenceToml,
    pub bus: CameraBusToml,
    pub core_mv: u16,
    pub runs_with_pdn_high: Option<bool>,
    pub compatible: Option<String>,
    #[serde(default)]
    pub shipped: u16,
}

impl CameraToml {
    /// Bytes of the ID.
    pub fn id_bytes(&self) -> usize {
        self.registers.len() * usize::from(self.data_bytes)
    }

    pub fn check(&self, id: &str) -> Result<(), Problem> {
        let place = Place::new("cameras", id);
        place.field("name").text(&self.name)?;
        place.field("maker").text(&self.maker)?;
        place.field("driver").word(&self.driver)?;
        if let Some(compatible) = &self.compatible {
            place.field("compatible").word(compatible)?;
        }
        check_addresses(place, &self.addresses)?;
        for (field, bytes) in [
            ("address_bytes", self.address_bytes),
            ("data_bytes", self.data_bytes),
        ] {
            if !(1..=2).contains(&bytes) {
                return Err(place.field(field).problem("must be 1 or 2"));
            }
        }
        if self.address_bytes == 1 && self.registers.iter().any(|&register| register > 0xFF) {
            return Err(place
                .field("registers")
                .problem("a register is beyond 0xFF: say address_bytes = 2"));
        }
        let bytes = self.id_bytes();
        if !(1..=4).contains(&bytes) {
            return Err(place
                .field("registers")
                .problem("give registers that make an ID of 1 to 4 bytes"));
        }
        let all = u32::MAX >> (32 - 8 * bytes);
        let mask = self.mask.unwrap_or(all);
        if self.values.is_empty() || self.values.iter().any(|value| value & !mask != 0) {
            return Err(place
                .field("values, mask")
                .problem("give the ID's values, within the mask and the registers' size"));
        }
        if self
            .prelude
            .iter()
            .any(|write| write.is_empty() || write.len() > 8)
        {
            return Err(place
                .field("prelude")
                .problem("each write must be 1 to 8 bytes"));
        }
        if self.prelude_ms > 20 || self.prelude_ms > 0 && self.prelude.is_empty() {
            return Err(place
                .field("prelude_ms")
                .problem("must be at most 20, and only where there is a prelude"));
        }
        if ![1200, 1500, 1800].contains(&self.core_mv) {
            return Err(place
                .field("core_mv")
                .problem("must be 1200, 1500 or 1800, what VCAMD gives"));
        }
        Ok(())
    }
}
