//! What a panel is connected by: the `bus` of a panel's row.
//!
//! `bus = "dsi"` needs not be said. The field names of the other variants and
//! of [`Cycle`] are those of the table's types, which [`std::fmt::Debug`]
//! writes as Rust text.

use crate::source::panels::{Format, Mode, PanelToml};
use crate::source::{Place, Problem, script};
use serde::Deserialize;
use std::fmt;

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Bus {
    #[default]
    Dsi,
    Parallel(ParallelToml),
    Serial(SerialToml),
    Dpi,
}

/// As `ParallelBus` of the table.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ParallelToml {
    pub width: u8,
    pub access: u8,
    #[serde(default)]
    pub wide: bool,
    #[serde(default)]
    pub pad_high: bool,
    #[serde(default)]
    pub low_first: bool,
    pub write: Cycle,
    pub read: Cycle,
}

/// As `BusCycle` of the table.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    pub setup: u8,
    pub strobe: u8,
    pub hold: u8,
}

/// As `SerialBus` of the table.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct SerialToml {
    #[serde(default)]
    pub three_wire: bool,
    #[serde(default)]
    pub own_output: bool,
    #[serde(default)]
    pub idle_high: bool,
    pub write: [u8; 2],
    pub read: [u8; 2],
    pub select: [u8; 2],
}

/// Rust text of the table's type.
impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cycle = |Cycle {
                         setup,
                         strobe,
                         hold,
                     }| {
            format!("BusCycle {{ setup: {setup}, strobe: {strobe}, hold: {hold} }}")
        };
        match self {
            Self::Dsi => f.write_str("Dsi"),
            Self::Dpi => f.write_str("Dpi"),
            Self::Parallel(bus) => write!(
                f,
                "Parallel(ParallelBus {{ width: {}, access: {}, wide: {}, pad_high: {}, \
                 low_first: {}, write: {}, read: {} }})",
                bus.width,
                bus.access,
                bus.wide,
                bus.pad_high,
                bus.low_first,
                cycle(bus.write),
                cycle(bus.read)
            ),
            Self::Serial(bus) => write!(
                f,
                "Serial(SerialBus {{ three_wire: {}, own_output: {}, idle_high: {}, write: {:?}, \
                 read: {:?}, select: {:?} }})",
                bus.three_wire, bus.own_output, bus.idle_high, bus.write, bus.read, bus.select
            ),
        }
    }
}

impl Bus {
    /// Whether the LCD controller drives it.
    pub const fn is_dbi(&self) -> bool {
        matches!(self, Self::Parallel(_) | Self::Serial(_))
    }

    /// A command sequence, in the form that this bus takes.
    pub fn script(
        &self,
        place: Place<'_>,
        controller: &str,
        text: &str,
    ) -> Result<Vec<u8>, Problem> {
        if self.is_dbi() {
            script::compile_words(place, controller, text)
        } else {
            script::compile(place, controller, text)
        }
    }

    /// Checks the fields of `panel` that depend on the bus; not for DSI.
    pub fn check(&self, panel: &PanelToml, place: Place<'_>) -> Result<(), Problem> {
        let bad = |field, remedy| Err(place.field(field).problem(remedy));
        let rate = panel.rate;
        let rated = rate.pll_mhz.is_some() || rate.feedback.is_some();
        if panel.lanes != 0 || panel.mode != Mode::Command || rated {
            return bad(
                "lanes, mode, rate",
                "leave out: only DSI panels have them; or leave out bus",
            );
        }
        let blanking = panel.vertical.is_some() || panel.horizontal.is_some();
        match self {
            Self::Dpi => Ok(()),
            _ if blanking => bad(
                "vertical, horizontal",
                "leave out: a panel on this bus refreshes itself",
            ),
            Self::Parallel(bus) => bus.check(panel.format, place),
            Self::Serial(bus) => bus.check(panel.format, place),
            Self::Dsi => Ok(()),
        }
    }
}

impl ParallelToml {
    fn check(self, format: Format, place: Place<'_>) -> Result<(), Problem> {
        let bad = |field, remedy| Err(place.field(field).problem(remedy));
        if !matches!(self.width, 8 | 9 | 16 | 18) {
            return bad(
                "bus.parallel.width",
                "must be 8, 9, 16 or 18: the chip has the lines LPD0 to LPD17",
            );
        }
        if !matches!(self.access, 8 | 16 | 32) {
            return bad("bus.parallel.access", "must be 8, 16 or 32 bits");
        }
        if self.wide && self.access < 16 {
            return bad("bus.parallel.wide", "needs an access of 16 or 32 bits");
        }
        if matches!(format, Format::Rgb666Loose) {
            return bad("format", "must be rgb565, rgb666-packed or rgb888");
        }
        for cycle in [self.write, self.read] {
            let fits = cycle.setup <= 15 && cycle.hold <= 15;
            if !fits || !(1..=63).contains(&cycle.strobe) {
                return bad(
                    "bus.parallel.write, bus.parallel.read",
                    "setup and hold must be 0 to 15, strobe 1 to 63 cycles",
                );
            }
        }
        Ok(())
    }
}

impl SerialToml {
    fn check(self, format: Format, place: Place<'_>) -> Result<(), Problem> {
        if matches!(format, Format::Rgb666Loose) {
            return Err(place
                .field("format")
                .problem("must be rgb565, rgb666-packed or rgb888"));
        }
        let phases = [self.write, self.read, self.select];
        if phases.as_flattened().iter().any(|&phase| phase > 15) {
            return Err(place
                .field("bus.serial.write, bus.serial.read, bus.serial.select")
                .problem("must be 0 to 15 cycles"));
        }
        Ok(())
    }
}
