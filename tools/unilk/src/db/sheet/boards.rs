//! What the table knows of boards and wirings.

use super::Sheet;
use crate::db::panels_of;
use unilk_board_db::{Backlight, Board, PanelReset, Supply, Wiring};

impl Sheet {
    pub(super) fn board(&mut self, row: &Board) {
        self.say("wiring", row.wiring);
        self.say("backlight", backlight(row.backlight));
        let panels: Vec<&str> = panels_of(row).map(|panel| panel.id).collect();
        self.say("panels", or_none(&panels));
        self.say("touch", or_none(row.touch));
        self.say("main cameras", or_none(row.cameras[0]));
        self.say("sub cameras", or_none(row.cameras[1]));
        let keys = [
            ("volume up", row.keys.volume_up),
            ("volume down", row.keys.volume_down),
            ("recovery", row.keys.recovery),
            ("factory", row.keys.factory),
        ];
        let known = keys.iter().filter_map(|(name, code)| {
            let code = (*code)?;
            Some(format!("{name} {code}"))
        });
        let known: Vec<String> = known.collect();
        let text = known.join(", ");
        self.say(
            "key codes",
            if text.is_empty() {
                "unknown".into()
            } else {
                text
            },
        );
    }

    pub(super) fn wiring(&mut self, row: &Wiring) {
        let pin = |pin: unilk_board_db::PinMode| format!("GPIO{} mode {}", pin.pin, pin.mode);
        let number = |pin: u8| format!("GPIO{pin}");
        let reset = match row.panel.reset {
            PanelReset::Lrstb(at) => format!("LRSTB on {}", pin(at)),
            PanelReset::Gpio(at) => number(at),
        };
        self.say("panel reset", reset);
        self.say("panel supplies", supplies(row.panel.supplies));
        if let Some(te) = row.panel.te {
            self.say("tearing effect", pin(te));
        }
        let straps: Vec<String> = row.panel.straps.iter().map(|&at| number(at)).collect();
        if !straps.is_empty() {
            self.say("panel ID pins", straps.join(", "));
        }
        if let Some(channel) = row.panel.adc {
            self.say("panel ID voltage", format!("AUXADC {channel}"));
        }
        if let Some(touch) = row.touch {
            self.say("touch bus", format!("I2C{}", touch.bus.controller));
            let line = |name, at: Option<u8>| Some(format!("{name} {}", number(at?)));
            let lines = [line("reset", touch.reset), line("enable", touch.enable)];
            let mut lines: Vec<String> = lines.into_iter().flatten().collect();
            lines.push(format!(
                "interrupt {}, EINT{}",
                pin(touch.interrupt),
                touch.eint
            ));
            self.say("touch pins", lines.join(", "));
            self.say("touch supplies", supplies(touch.supplies));
        }
        self.say("camera bus", format!("I2C{}", row.camera_bus.controller));
        for (name, camera) in ["main camera", "sub camera"].into_iter().zip(row.cameras) {
            if let Some(camera) = camera {
                let text = format!(
                    "reset {}, power-down {}",
                    number(camera.reset),
                    number(camera.power_down)
                );
                self.say(name, text);
            }
        }
        self.say("backlight", backlight(row.backlight));
    }
}

fn or_none(ids: &[&str]) -> String {
    match ids {
        [] => "none known".to_owned(),
        ids => ids.join(", "),
    }
}

fn supplies(supplies: &[Supply]) -> String {
    let words = supplies.iter().map(|supply| {
        format!("{:?} {} mV", supply.rail, supply.mv)
            .to_uppercase()
            .replace("MV", "mV")
    });
    match supplies {
        [] => "on at entry".to_owned(),
        _ => words.collect::<Vec<_>>().join(", "),
    }
}

fn backlight(backlight: Backlight) -> String {
    match backlight {
        Backlight::Isink => "current sinks of the PMIC".to_owned(),
        Backlight::BlsPwm => "PWM of the display (BLS)".to_owned(),
        Backlight::Pwm(channel) => format!("PWM{channel}"),
        Backlight::Custom => "a circuit of its own".to_owned(),
    }
}
