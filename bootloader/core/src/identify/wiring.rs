//! Which wiring profiles may be tried on this phone, and which of their parts.
//!
//! On a phone whose wiring is not known, a wrong profile could drive a pin
//! against something else. So a part of a profile is tried only where the
//! preloader left every pin that it would drive in the mode which the profile
//! says; a pin that is an output already may be driven, one that is an input
//! is only pulled. GPIO139, which also switches the USB supply, is never
//! touched (DESIGN.md, "Harmless probing"; facts/i2c-touch-camera.md 2.2).

use heapless::Vec;
use unilk_board_db::{CameraWiring, PanelReset, PinMode, TouchWiring, Wiring};

/// Shared with USB_DRVVBUS.
pub const FORBIDDEN_PIN: u8 = 139;
/// Profiles that are tried at most: each costs a search of its buses.
pub const MAX_TRIALS: usize = 6;
/// Plain input or output.
const GPIO: u8 = 0;

/// What the preloader left.
pub trait PinState {
    /// Mode of a GPIO, 0 to 7; `None` for a pin that does not exist.
    fn mode(&self, pin: u8) -> Option<u8>;
    /// Whether a GPIO in mode 0 is an output.
    fn is_output(&self, pin: u8) -> bool;
}

/// How far a part may be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Drive {
    /// Not at all.
    Never,
    /// With pulls only.
    Pull,
    /// As an output.
    PushPull,
}

/// A profile to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// Index in the list of profiles that was given.
    pub wiring: u16,
    /// Its panel.
    pub panel: Drive,
    /// Its touch chip.
    pub touch: Drive,
    /// Its cameras: main, sub.
    pub cameras: [Drive; 2],
}

impl Trial {
    fn parts(self) -> [Drive; 4] {
        [self.panel, self.touch, self.cameras[0], self.cameras[1]]
    }

    fn rank(self, wirings: &[Wiring]) -> (usize, u16) {
        let driven = |drive: &Drive| *drive == Drive::PushPull;
        let wiring = wirings.get(usize::from(self.wiring));
        (
            self.parts().into_iter().filter(driven).count(),
            wiring.map_or(0, |wiring| wiring.shipped),
        )
    }
}

/// How far `pin`, which a profile uses in mode 0, may be touched.
fn gpio(pin: u8, entry: &dyn PinState) -> Drive {
    match entry.mode(pin) {
        _ if pin == FORBIDDEN_PIN => Drive::Never,
        Some(GPIO) if entry.is_output(pin) => Drive::PushPull,
        Some(GPIO) => Drive::Pull,
        _ => Drive::Never,
    }
}

/// How far a pin in one of its functions may be used: only as it is.
fn function(pin: PinMode, entry: &dyn PinState) -> Drive {
    if pin.pin == FORBIDDEN_PIN {
        Drive::Never
    } else if pin.mode == GPIO {
        gpio(pin.pin, entry)
    } else if entry.mode(pin.pin) == Some(pin.mode) {
        Drive::PushPull
    } else {
        Drive::Never
    }
}

fn panel(wiring: &Wiring, entry: &dyn PinState) -> Drive {
    match wiring.panel.reset {
        PanelReset::Lrstb(pin) => function(pin, entry),
        PanelReset::Gpio(pin) => gpio(pin, entry),
    }
}

fn touch(wiring: &TouchWiring, entry: &dyn PinState) -> Drive {
    // The interrupt pin is an input in the end; it is driven only to select
    // an address, which a pull does as well.
    let interrupt = function(wiring.interrupt, entry).max(gpio(wiring.interrupt.pin, entry));
    [wiring.reset, wiring.enable]
        .into_iter()
        .flatten()
        .map(|pin| gpio(pin, entry))
        .fold(interrupt, Drive::min)
}

fn camera(wiring: CameraWiring, entry: &dyn PinState) -> Drive {
    gpio(wiring.reset, entry).min(gpio(wiring.power_down, entry))
}

/// The trial of a profile that is known to be this phone's: as an output,
/// whatever the preloader left, but for the forbidden pin.
fn known_trial(number: u16, wiring: &Wiring) -> Trial {
    struct Known;
    impl PinState for Known {
        fn mode(&self, _pin: u8) -> Option<u8> {
            Some(GPIO)
        }
        fn is_output(&self, _pin: u8) -> bool {
            true
        }
    }
    let reset = match wiring.panel.reset {
        PanelReset::Lrstb(pin) => pin.pin,
        PanelReset::Gpio(pin) => pin,
    };
    Trial {
        wiring: number,
        panel: gpio(reset, &Known),
        touch: wiring
            .touch
            .as_ref()
            .map_or(Drive::Never, |wiring| touch(wiring, &Known)),
        cameras: wiring
            .cameras
            .map(|wiring| wiring.map_or(Drive::Never, |wiring| camera(wiring, &Known))),
    }
}

/// The profiles of `wirings` to try, in order. `known` is the id of the profile that
/// store, hint or board name: then it is the only one.
///
/// A part that is wired as in an earlier trial is not tried again.
pub fn profiles_to_try(
    wirings: &[Wiring],
    known: Option<&str>,
    entry: &dyn PinState,
) -> Vec<Trial, MAX_TRIALS> {
    let mut trials: Vec<Trial, MAX_TRIALS> = Vec::new();
    let mut numbered = wirings.iter().enumerate();
    if let Some((number, wiring)) = numbered.find(|(_, wiring)| Some(wiring.id) == known) {
        // A list of one has room for it.
        let _ = trials.push(known_trial(number as u16, wiring));
        return trials;
    }
    for (number, wiring) in wirings.iter().enumerate() {
        let trial = Trial {
            wiring: number as u16,
            panel: panel(wiring, entry),
            touch: wiring
                .touch
                .as_ref()
                .map_or(Drive::Never, |wiring| touch(wiring, entry)),
            cameras: wiring
                .cameras
                .map(|wiring| wiring.map_or(Drive::Never, |wiring| camera(wiring, entry))),
        };
        if trial.parts() == [Drive::Never; 4] {
            continue;
        }
        let rank = trial.rank(wirings);
        let place = trials.iter().position(|other| other.rank(wirings) < rank);
        if trials.is_full() {
            if place.is_none() {
                continue;
            }
            trials.pop();
        }
        let _ = trials.insert(place.unwrap_or(trials.len()), trial);
    }
    once(wirings, &mut trials);
    trials
}

/// Strikes out what an earlier trial has already asked.
fn once(wirings: &[Wiring], trials: &mut Vec<Trial, MAX_TRIALS>) {
    for at in 1..trials.len() {
        let Some((before, [trial, ..])) = trials.split_at_mut_checked(at) else {
            return;
        };
        let wiring = |trial: &Trial| wirings.get(usize::from(trial.wiring));
        let Some(this) = wiring(trial) else {
            continue;
        };
        for other in before.iter().filter_map(wiring) {
            if other.panel == this.panel {
                trial.panel = Drive::Never;
            }
            if other.touch == this.touch {
                trial.touch = Drive::Never;
            }
            let pairs = trial.cameras.iter_mut().zip(&this.cameras);
            for ((drive, camera), earlier) in pairs.zip(&other.cameras) {
                if other.camera_bus == this.camera_bus && camera == earlier {
                    *drive = Drive::Never;
                }
            }
        }
    }
    trials.retain(|trial| trial.parts() != [Drive::Never; 4]);
}

/// Whether a supply that a profile names may be switched: one that is on at
/// entry feeds something already and stays as it is.
pub const fn may_switch(on_at_entry: bool) -> bool {
    !on_at_entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;
    use unilk_board_db::{Backlight, BusWiring, PanelWiring};

    const fn pin(pin: u8, mode: u8) -> PinMode {
        PinMode { pin, mode }
    }

    const BUS: BusWiring = BusWiring {
        controller: 0,
        scl: pin(105, 1),
        sda: pin(106, 1),
    };

    fn wiring(id: &'static str, touch_reset: u8, camera: u8, shipped: u16) -> Wiring {
        Wiring {
            id,
            panel: PanelWiring {
                reset: PanelReset::Lrstb(pin(59, 2)),
                supplies: &[],
                te: None,
                straps: &[],
                adc: None,
            },
            touch: Some(TouchWiring {
                bus: BUS,
                reset: Some(touch_reset),
                enable: None,
                interrupt: pin(129, 2),
                eint: 1,
                supplies: &[],
            }),
            camera_bus: BUS,
            cameras: [
                Some(CameraWiring {
                    reset: camera,
                    power_down: camera + 1,
                    runs_with_pdn_high: None,
                }),
                None,
            ],
            backlight: Backlight::Isink,
            backlight_pin: None,
            shipped,
        }
    }

    /// Pins in mode 0, and which of them are outputs; 59 is LRSTB.
    struct Entry {
        gpio: &'static [u8],
        outputs: &'static [u8],
    }

    impl PinState for Entry {
        fn mode(&self, pin: u8) -> Option<u8> {
            Some(match pin {
                59 => 2,
                _ if self.gpio.contains(&pin) => 0,
                _ => 3,
            })
        }
        fn is_output(&self, pin: u8) -> bool {
            self.outputs.contains(&pin)
        }
    }

    fn profiles() -> [Wiring; 3] {
        [
            wiring("usual", 57, 87, 20),
            wiring("other", 128, 142, 5),
            wiring("dangerous", 139, 138, 50),
        ]
    }

    fn ids(trials: &[Trial]) -> Vec<&'static str> {
        let ids = trials
            .iter()
            .map(|trial| profiles()[usize::from(trial.wiring)].id);
        ids.collect()
    }

    #[test]
    fn a_part_is_tried_only_where_its_pins_are_as_the_profile_says() {
        let entry = Entry {
            gpio: &[57, 87, 88, 128, 129, 142],
            outputs: &[57, 87, 88, 129],
        };
        let trials = profiles_to_try(&profiles(), None, &entry);
        assert_eq!(ids(&trials), ["usual", "other"]);
        assert_eq!(trials[0].panel, Drive::PushPull);
        assert_eq!(trials[0].touch, Drive::PushPull);
        assert_eq!(trials[0].cameras, [Drive::PushPull, Drive::Never]);
        // The same panel wiring is not tried twice; an input is only pulled;
        // GPIO143 is something else here.
        assert_eq!(trials[1].panel, Drive::Never);
        assert_eq!(trials[1].touch, Drive::Pull);
        assert_eq!(trials[1].cameras, [Drive::Never; 2]);
    }

    #[test]
    fn gpio139_is_never_touched() {
        static ALL: [u8; 160] = {
            let mut all = [0; 160];
            let mut pin = 0;
            while pin < all.len() {
                all[pin] = pin as u8;
                pin += 1;
            }
            all
        };
        let entry = Entry {
            gpio: &ALL,
            outputs: &ALL,
        };
        for known in [None, Some("dangerous")] {
            let trials = profiles_to_try(&profiles(), known, &entry);
            let of = |trial: &&Trial| trial.wiring == 2;
            // Its panel reset is the usual one; touch and camera use 139.
            for trial in trials.iter().filter(of) {
                assert_eq!(trial.touch, Drive::Never);
                assert_eq!(trial.cameras, [Drive::Never; 2]);
            }
        }
        assert_eq!(gpio(FORBIDDEN_PIN, &entry), Drive::Never);
        assert_eq!(function(pin(FORBIDDEN_PIN, 2), &entry), Drive::Never);
    }

    #[test]
    fn a_known_profile_is_the_only_one() {
        let entry = Entry {
            gpio: &[],
            outputs: &[],
        };
        let trials = profiles_to_try(&profiles(), Some("other"), &entry);
        assert_eq!(ids(&trials), ["other"]);
        assert_eq!(trials[0].touch, Drive::PushPull);
        // An unknown name is no name.
        let trials = profiles_to_try(&profiles(), Some("gone"), &entry);
        assert_eq!(ids(&trials), ["dangerous"], "its panel, which is LRSTB");
    }

    #[test]
    fn a_supply_that_is_on_stays_as_it_is() {
        assert!(!may_switch(true));
        assert!(may_switch(false));
    }
}
