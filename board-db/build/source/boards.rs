//! Wiring profiles and boards: `data/wiring/*.toml`, `data/boards/*.toml`.

use crate::source::{Place, Problem};
use serde::Deserialize;

#[derive(Debug, Clone, Copy, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct KeysToml {
    pub volume_up: Option<u8>,
    pub volume_down: Option<u8>,
    pub recovery: Option<u8>,
    pub factory: Option<u8>,
}

#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum BacklightToml {
    Isink,
    Bls,
    Pwm1,
    Pwm2,
    Pwm3,
    Custom,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinToml {
    pub pin: u8,
    pub mode: u8,
}

#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum RailToml {
    Vgp1,
    Vgp2,
    Vgp3,
    Vio18,
    Vio28,
    Vcama,
    Vcamd,
    VcamIo,
    VcamAf,
}

impl RailToml {
    /// Millivolts it can give: facts/i2c-touch-camera.md 2.3, 4.2.
    const fn voltages(self) -> &'static [u16] {
        match self {
            Self::Vgp1 | Self::VcamAf => &[1200, 1300, 1500, 1800, 2000, 2800, 3000, 3300],
            Self::Vgp2 => &[1200, 1300, 1500, 1800, 2000, 2500, 2800, 3000],
            Self::Vgp3 | Self::Vcamd => &[1200, 1300, 1500, 1800],
            Self::Vcama => &[1500, 1800, 2500, 2800],
            Self::Vio18 | Self::VcamIo => &[1800],
            Self::Vio28 => &[2800],
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupplyToml {
    pub rail: RailToml,
    pub mv: u16,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ResetToml {
    /// The display's own line.
    Lrstb(PinToml),
    /// A plain output.
    Gpio(u8),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelWiringToml {
    pub reset: ResetToml,
    #[serde(default)]
    pub supplies: Vec<SupplyToml>,
    pub te: Option<PinToml>,
    #[serde(default)]
    pub straps: Vec<u8>,
    pub adc: Option<u8>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusToml {
    pub controller: u8,
    pub scl: PinToml,
    pub sda: PinToml,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TouchWiringToml {
    pub bus: BusToml,
    pub reset: Option<u8>,
    pub enable: Option<u8>,
    pub interrupt: PinToml,
    pub eint: u8,
    pub supplies: Vec<SupplyToml>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraWiringToml {
    pub reset: u8,
    pub power_down: u8,
    pub runs_with_pdn_high: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CamerasWiringToml {
    pub bus: BusToml,
    pub main: Option<CameraWiringToml>,
    pub sub: Option<CameraWiringToml>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WiringToml {
    pub name: String,
    pub backlight: BacklightToml,
    pub backlight_pin: Option<PinToml>,
    pub panel: PanelWiringToml,
    pub touch: Option<TouchWiringToml>,
    pub cameras: CamerasWiringToml,
}

/// Highest pin of the chip.
const LAST_PIN: u8 = 153;
/// Also USB_DRVVBUS: DESIGN "Harmless probing".
const NEVER: u8 = 139;

impl WiringToml {
    pub fn check(&self, id: &str) -> Result<(), Problem> {
        let place = Place::new("wiring", id);
        place.field("name").text(&self.name)?;
        let pins_of_bus = |bus: &BusToml| [bus.scl.pin, bus.sda.pin];
        let mut pins: Vec<(&str, u8)> = Vec::new();
        pins.push(match self.panel.reset {
            ResetToml::Lrstb(line) => ("panel.reset", line.pin),
            ResetToml::Gpio(pin) => ("panel.reset", pin),
        });
        pins.extend(self.panel.te.map(|te| ("panel.te", te.pin)));
        pins.extend(self.panel.straps.iter().map(|&pin| ("panel.straps", pin)));
        pins.extend(self.backlight_pin.map(|line| ("backlight_pin", line.pin)));
        if let Some(touch) = &self.touch {
            pins.extend(touch.reset.map(|pin| ("touch.reset", pin)));
            pins.extend(touch.enable.map(|pin| ("touch.enable", pin)));
            pins.push(("touch.interrupt", touch.interrupt.pin));
            pins.extend(pins_of_bus(&touch.bus).map(|pin| ("touch.bus", pin)));
        }
        pins.extend(pins_of_bus(&self.cameras.bus).map(|pin| ("cameras.bus", pin)));
        for camera in [self.cameras.main, self.cameras.sub].into_iter().flatten() {
            pins.push(("cameras.reset", camera.reset));
            pins.push(("cameras.power_down", camera.power_down));
        }
        for (index, &(field, pin)) in pins.iter().enumerate() {
            if pin > LAST_PIN || pin == 125 {
                return Err(place
                    .field(field)
                    .problem("no such pin: the chip has GPIO0 to GPIO153, without 125"));
            }
            if pin == NEVER {
                return Err(place.field(field).problem(
                    "GPIO139 may switch the USB supply and is never driven: leave it out",
                ));
            }
            if let Some((other, _)) = pins[..index].iter().find(|(_, used)| *used == pin) {
                let remedy = format!("GPIO{pin} is also {other}: correct one");
                return Err(place.field(field).problem(&remedy));
            }
        }
        if self.panel.straps.len() > 2 {
            return Err(place
                .field("panel.straps")
                .problem("give at most ID1 and ID2"));
        }
        if matches!(self.backlight, BacklightToml::Isink) && self.backlight_pin.is_some() {
            return Err(place
                .field("backlight_pin")
                .problem("leave out: the PMIC's sinks have no pin of this chip"));
        }
        let touch_supplies = self.touch.as_ref().map_or(&[][..], |touch| &touch.supplies);
        for supply in self.panel.supplies.iter().chain(touch_supplies) {
            if !supply.rail.voltages().contains(&supply.mv) {
                let remedy = format!(
                    "{:?} gives {:?} mV: choose one of them",
                    supply.rail,
                    supply.rail.voltages()
                );
                return Err(place.field("supplies").problem(&remedy));
            }
        }
        let buses = self.touch.as_ref().map(|touch| touch.bus);
        for bus in buses.into_iter().chain([self.cameras.bus]) {
            if bus.controller > 1 {
                return Err(place
                    .field("bus.controller")
                    .problem("must be 0 or 1: the chip has two"));
            }
        }
        Ok(())
    }
}

#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct BoardCamerasToml {
    pub main: Vec<String>,
    pub sub: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardToml {
    pub name: String,
    pub project: String,
    pub wiring: String,
    pub backlight: BacklightToml,
    pub panels: Vec<String>,
    #[serde(default)]
    pub touch: Vec<String>,
    #[serde(default)]
    pub cameras: BoardCamerasToml,
    #[serde(default)]
    pub keys: KeysToml,
}

/// The ids that boards may name.
#[derive(Debug, Default)]
pub struct Known<'a> {
    pub panels: Vec<&'a str>,
    pub touch: Vec<&'a str>,
    pub cameras: Vec<&'a str>,
    pub wirings: Vec<&'a str>,
}

impl BoardToml {
    pub fn check(&self, id: &str, known: &Known<'_>) -> Result<(), Problem> {
        let place = Place::new("boards", id);
        place.field("project").word(&self.project)?;
        if self.name.is_empty() {
            return Err(place
                .field("name")
                .problem("give the name people know the phone by"));
        }
        let wiring = std::slice::from_ref(&self.wiring);
        let lists = [
            ("panels", "panels", &self.panels[..], &known.panels),
            ("touch", "touch", &self.touch, &known.touch),
            (
                "cameras.main",
                "cameras",
                &self.cameras.main,
                &known.cameras,
            ),
            ("cameras.sub", "cameras", &self.cameras.sub, &known.cameras),
            ("wiring", "wiring", wiring, &known.wirings),
        ];
        for (field, folder, wanted, there) in lists {
            for name in wanted {
                if !there.contains(&name.as_str()) {
                    let remedy = format!(
                        "there is no data/{folder}/{name}.toml: add it or correct the name"
                    );
                    return Err(place.field(field).problem(&remedy));
                }
            }
        }
        self.keys.check(place)
    }
}

impl KeysToml {
    fn check(self, place: Place<'_>) -> Result<(), Problem> {
        let named = [
            ("keys.volume_up", self.volume_up),
            ("keys.volume_down", self.volume_down),
            ("keys.recovery", self.recovery),
            ("keys.factory", self.factory),
        ];
        for (field, code) in named {
            let Some(code) = code else { continue };
            if code >= 72 || code % 9 == 8 {
                return Err(place.field(field).problem(
                    "must be a matrix code 0 to 71 and not 9n + 8, which is the power key",
                ));
            }
        }
        if self.volume_up.is_some() && self.volume_up == self.volume_down {
            return Err(place
                .field("keys")
                .problem("volume_up and volume_down have the same code: correct one"));
        }
        Ok(())
    }
}
