//! How the board connects a panel: reset pin, supplies, backlight.
//!
//! Source: facts/display.md 5.3 (LRSTB and its pads), 6 (backlight and its pads).

use serde::Deserialize;

use crate::signals::{Rail, Signals};

/// Mode of a pin in which it is a plain GPIO.
const GPIO_MODE: u8 = 0;
/// Pins of the MT6572.
const PINS: usize = 154;

/// What resets the panel: `"lrstb"` (pin 59), `"lrstb 54"`, `"gpio N"` or
/// `"none"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ResetPin {
    /// LRSTB by pin 59, mode 2.
    #[default]
    Lrstb59,
    /// LRSTB by pin 54, mode 3.
    Lrstb54,
    /// A plain pin.
    Gpio(usize),
    /// Nothing.
    None,
}

/// What drives the backlight: `"isink"`, `"bls"`, `"pwm1"` to `"pwm5"`,
/// `"gpio N"` or `"always"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Backlight {
    /// The PMIC's current sinks.
    Isink,
    /// The PWM of the BLS block.
    Bls,
    /// A channel of the PWM block, 0 = PWM1.
    Pwm(usize),
    /// A plain pin, on or off.
    Gpio(usize),
    /// It has no switch.
    Always,
}

fn gpio(text: &str) -> Option<usize> {
    let pin: usize = text.strip_prefix("gpio ")?.parse().ok()?;
    (pin < PINS).then_some(pin)
}

impl TryFrom<String> for ResetPin {
    type Error = String;

    fn try_from(text: String) -> Result<ResetPin, String> {
        match text.as_str() {
            "lrstb" | "lrstb 59" => Ok(ResetPin::Lrstb59),
            "lrstb 54" => Ok(ResetPin::Lrstb54),
            "none" => Ok(ResetPin::None),
            other => gpio(other).map(ResetPin::Gpio).ok_or_else(|| {
                format!("{text:?}: \"lrstb\", \"lrstb 54\", \"gpio N\" or \"none\"")
            }),
        }
    }
}

impl TryFrom<String> for Backlight {
    type Error = String;

    fn try_from(text: String) -> Result<Backlight, String> {
        let pwm = |text: &str| {
            let number: usize = text.strip_prefix("pwm")?.parse().ok()?;
            (1..=5).contains(&number).then(|| number - 1)
        };
        match text.as_str() {
            "isink" => Ok(Backlight::Isink),
            "bls" => Ok(Backlight::Bls),
            "always" => Ok(Backlight::Always),
            other => pwm(other)
                .map(Backlight::Pwm)
                .or_else(|| gpio(other).map(Backlight::Gpio))
                .ok_or_else(|| {
                    format!(
                        "{text:?}: \"isink\", \"bls\", \"pwm1\" to \"pwm5\", \"gpio N\" or \"always\""
                    )
                }),
        }
    }
}

/// Level of a pin that is a GPIO: driven, or as its pull leaves it.
fn gpio_level(pin: usize, signals: &Signals) -> bool {
    if signals.pin_mode[pin] != GPIO_MODE {
        return false;
    }
    if signals.pin_output[pin] {
        signals.pin_out_level[pin]
    } else {
        signals.pin_input(pin)
    }
}

impl ResetPin {
    /// Whether the panel is held in reset.
    pub fn held(self, signals: &Signals) -> bool {
        let pad = |pin: usize, mode: u8| {
            if signals.pin_mode[pin] == mode {
                signals.lrstb
            } else {
                gpio_level(pin, signals)
            }
        };
        !match self {
            ResetPin::Lrstb59 => pad(59, 2),
            ResetPin::Lrstb54 => pad(54, 3),
            ResetPin::Gpio(pin) => gpio_level(pin, signals),
            ResetPin::None => true,
        }
    }
}

/// Pins and modes that carry PWM_BL.
const BLS_PADS: &[(usize, u8)] = &[(22, 2), (50, 2), (102, 2), (145, 2)];
/// Pins and modes of PWM1 to PWM5.
const PWM_PADS: [&[(usize, u8)]; 5] = [
    &[(128, 1), (111, 3), (143, 2)],
    &[(129, 1), (30, 3), (108, 3), (134, 4), (144, 2)],
    &[(14, 2)],
    &[(15, 2)],
    &[(16, 2)],
];

impl Backlight {
    /// Brightness in thousandths, as it reaches the panel.
    pub fn permille(self, signals: &Signals) -> u16 {
        let reaches = |pads: &[(usize, u8)]| {
            pads.iter()
                .any(|&(pin, mode)| signals.pin_mode[pin] == mode)
        };
        let brightness = match self {
            Backlight::Isink => signals.isink_permille,
            Backlight::Bls => signals.bls_permille.filter(|_| reaches(BLS_PADS)),
            Backlight::Pwm(channel) => {
                let duty = signals.pwm_permille[channel];
                reaches(PWM_PADS[channel]).then_some(duty)
            }
            Backlight::Gpio(pin) => {
                let on = signals.pin_output[pin] && gpio_level(pin, signals);
                on.then_some(1000)
            }
            Backlight::Always => Some(1000),
        };
        brightness.unwrap_or(0).min(1000)
    }
}

/// The PMIC's output of this name.
pub fn rail(name: &str) -> Option<Rail> {
    Some(match name {
        "vgp1" => Rail::Vgp1,
        "vgp2" => Rail::Vgp2,
        "vgp3" => Rail::Vgp3,
        "vio18" => Rail::Vio18,
        "vio28" => Rail::Vio28,
        "vcama" => Rail::Vcama,
        "vcamd" => Rail::Vcamd,
        "vcam-io" => Rail::VcamIo,
        "vcam-af" => Rail::VcamAf,
        "vcn28" => Rail::Vcn28,
        "vcn33" => Rail::Vcn33,
        "vcn18" => Rail::Vcn1v8,
        "vmc" => Rail::Vmc,
        "vmch" => Rail::Vmch,
        "vsim1" => Rail::Vsim1,
        "vsim2" => Rail::Vsim2,
        _ => return None,
    })
}
