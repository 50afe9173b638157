//! The pads as the preloader leaves them: `[pins]` of a board file.
//!
//! A real preloader programs every pad from a table that was generated for the
//! board. What nearly all boards have in common is the default here; a board
//! file names what differs.
//! Source: facts/soc.md 7.2 (last paragraph), 7.3, 7.4.
//!
//! ```toml
//! [pins]
//! modes = { 59 = 0 }                  # the panel's reset is a plain pin here
//! outputs = { 59 = true, 57 = false } # mode 0, driven to this level
//! inputs = [87, 88]                   # mode 0, not driven
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::models::gpio::{MISSING_PIN, PINS};

/// Largest mode of a pin.
const LAST_MODE: u8 = 7;

/// Modes that nearly every board's table sets: PMIC interrupt and SPI,
/// SRCLKENA and WATCHDOG, eMMC, LPTE (55) and LRSTB (59), the cameras' clocks,
/// the DSI lanes, SD card, both I2C buses, the touch chip's EINT1 (129). The
/// UART pads differ from board to board.
#[rustfmt::skip]
const MODES: [(u8, u8); 41] = [
    (7, 1), (8, 1), (9, 1), (10, 1), (11, 1), (12, 1), (13, 1),
    (44, 1), (45, 1), (46, 1), (47, 1), (48, 1), (49, 1), (50, 1), (51, 1), (52, 1), (53, 1), (54, 1),
    (55, 2), (59, 2), (61, 1), (62, 1),
    (79, 1), (80, 1), (81, 1), (82, 1), (83, 1), (84, 1), (85, 1), (86, 1),
    (91, 1), (92, 1), (93, 1), (94, 1), (95, 1), (96, 1),
    (105, 1), (106, 1), (113, 1), (114, 1),
    (129, 2),
];

/// Pins that nearly every board's table drives, all low: the touch chip's
/// reset (57) and the reset and power-down of both cameras.
const LOW: [u8; 5] = [57, 87, 88, 89, 90];

/// What of a board's pads differs from most boards.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pins {
    /// Mode by pin number.
    pub modes: BTreeMap<String, u8>,
    /// Pins in mode 0 that are driven, and the level.
    pub outputs: BTreeMap<String, bool>,
    /// Pins in mode 0 that are not driven.
    pub inputs: Vec<u8>,
}

/// How a pad is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pad {
    /// 0 to 7.
    pub mode: u8,
    /// The level that it drives; `None`: an input.
    pub drives: Option<bool>,
}

/// All pads.
pub type Pads = [Pad; PINS];

fn number(text: &str) -> Option<usize> {
    text.parse().ok().filter(|&pin| exists(pin))
}

fn exists(pin: usize) -> bool {
    pin < PINS && pin != MISSING_PIN
}

impl Pins {
    /// Refuses what no board can have.
    ///
    /// # Errors
    /// A sentence that begins with the name of the entry.
    pub fn check(&self) -> Result<(), String> {
        let named = self.modes.keys().chain(self.outputs.keys());
        if let Some(wrong) = named.into_iter().find(|text| number(text).is_none()) {
            return Err(format!("pins: no pin {wrong:?}"));
        }
        if let Some(wrong) = self.inputs.iter().find(|&&pin| !exists(pin.into())) {
            return Err(format!("pins.inputs: no pin {wrong}"));
        }
        if let Some((pin, mode)) = self.modes.iter().find(|&(_, &mode)| mode > LAST_MODE) {
            return Err(format!("pins.modes: {pin} = {mode}: modes are 0 to 7"));
        }
        let twice = |pin: &&u8| self.outputs.contains_key(&pin.to_string());
        if let Some(pin) = self.inputs.iter().find(twice) {
            return Err(format!("pins: {pin} is an input and an output"));
        }
        Ok(())
    }

    /// The pads of this board. A pin that is given a mode is no output unless
    /// it is named there; one that is named as input or output has mode 0
    /// unless it is given another.
    pub fn pads(&self) -> Pads {
        let mut pads = [Pad::default(); PINS];
        for (pin, mode) in MODES {
            pads[usize::from(pin)].mode = mode;
        }
        for pin in LOW {
            pads[usize::from(pin)].drives = Some(false);
        }
        for &pin in &self.inputs {
            pads[usize::from(pin)] = Pad::default();
        }
        let numbered = |text: &String| number(text).unwrap_or(MISSING_PIN);
        for (pin, &level) in &self.outputs {
            pads[numbered(pin)] = Pad {
                mode: 0,
                drives: Some(level),
            };
        }
        for (pin, &mode) in &self.modes {
            let driven = self.outputs.get(pin).copied();
            pads[numbered(pin)] = Pad {
                mode,
                drives: driven,
            };
        }
        pads
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pins(text: &str) -> Pins {
        toml::from_str(text).unwrap()
    }

    fn pad(mode: u8, drives: Option<bool>) -> Pad {
        Pad { mode, drives }
    }

    #[test]
    fn most_boards_agree() {
        let pads = Pins::default().pads();
        for (pin, mode) in [
            (7, 1),
            (55, 2),
            (59, 2),
            (62, 1),
            (83, 1),
            (114, 1),
            (129, 2),
        ] {
            assert_eq!(pads[pin], pad(mode, None), "pin {pin}");
        }
        for pin in [57, 87, 88, 89, 90] {
            assert_eq!(pads[pin], pad(0, Some(false)), "pin {pin}");
        }
        for pin in [0, 22, 56, 103, MISSING_PIN, 128, 142] {
            assert_eq!(pads[pin], Pad::default(), "pin {pin}");
        }
    }

    #[test]
    fn a_board_file_names_what_differs() {
        let text =
            "modes = { 55 = 5, 59 = 0 }\noutputs = { 59 = true, 129 = false }\ninputs = [57]";
        let pads = pins(text).pads();
        assert_eq!(pads[59], pad(0, Some(true)));
        assert_eq!(pads[55], pad(5, None));
        assert_eq!(pads[57], pad(0, None));
        assert_eq!(pads[129], pad(0, Some(false)), "an output is a GPIO");
        assert_eq!(pads[87], pad(0, Some(false)), "the rest stays");
    }

    #[test]
    fn what_no_board_can_have_is_refused() {
        for text in [
            "modes = { 154 = 1 }",
            "modes = { 125 = 1 }",
            "modes = { LRSTB = 2 }",
            "modes = { 59 = 8 }",
            "outputs = { 200 = true }",
            "inputs = [125]",
            "inputs = [57]\noutputs = { 57 = true }",
        ] {
            assert!(pins(text).check().is_err(), "{text}");
        }
        assert!(toml::from_str::<Pins>("pulls = {}").is_err());
        assert!(pins("modes = { 59 = 0 }\ninputs = [57]").check().is_ok());
    }
}
