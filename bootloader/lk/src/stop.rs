//! Every way out that is not a kernel: USB download through the boot ROM, the
//! way that every phone has, and switching off.
//!
//! Source: facts/soc.md 1.3 (USBDL registers), 6 (reset), 10.8 (power-off).

use core::fmt::Display;

use mt6572_hal::keypad::KeyState;
use mt6572_hal::mt6323::PmicKeys;
use mt6572_hal::sramrom::Downloader;
use mt6572_hal::time::{self, Micros};

use crate::log::{self, say};
use crate::wake::Phone;

/// How long a host has to appear once the boot ROM waits for it.
const HOST_LIMIT_S: u16 = 60;
/// How long a stop waits for a person before it acts by itself.
const PATIENCE_S: u32 = 30;

/// No kernel can be started: says why, and offers the way out.
pub fn without_kernel(mut phone: Phone, code: &str, reason: &dyn Display) -> ! {
    say!("STOP {code}: {reason}");
    if phone.charger == Some(true) {
        usb_download(phone, "no kernel can be started, and a cable is plugged in");
    }
    say!("press a key or plug in USB for download mode; power-off in {PATIENCE_S} s");
    let mut before = look(&mut phone);
    for _ in 0..PATIENCE_S * 10 {
        phone.hal.toprgu.kick();
        let _ = time::idle(Micros::from_ms(100), || {
            log::pump();
            false
        });
        let now = look(&mut phone);
        if now.shows_somebody(before) {
            usb_download(phone, "a key or a cable");
        }
        before = now;
    }
    power_off(phone, "nobody came")
}

/// Everything by which a person can make himself known.
#[derive(Clone, Copy)]
struct Signs {
    matrix: KeyState,
    pmic: PmicKeys,
    cable: bool,
    typed: bool,
}

fn look(phone: &mut Phone) -> Signs {
    let pmic = &mut phone.hal.pmic;
    Signs {
        matrix: phone.hal.keypad.read(),
        pmic: pmic.keys().unwrap_or(PmicKeys {
            power: false,
            home: false,
        }),
        cable: pmic.charger_present().unwrap_or(false),
        typed: log::typed().is_some(),
    }
}

impl Signs {
    /// A key must go down to count: one that hangs, or an input that floats
    /// because the board has no such key, would look like a person for ever.
    fn shows_somebody(self, before: Self) -> bool {
        self.cable
            || self.typed
            || self.matrix.has_new(before.matrix)
            || self.pmic.power && !before.pmic.power
            || self.pmic.home && !before.pmic.home
    }
}

/// Resets into the boot ROM's USB download mode.
pub fn usb_download(mut phone: Phone, why: &str) -> ! {
    phone.hal.toprgu.kick();
    say!("USB download mode ({why}): connect a host tool within {HOST_LIMIT_S} s");
    log::flush();
    phone
        .hal
        .sramrom
        .arm_usb_download(Downloader::BootRom, Some(HOST_LIMIT_S));
    phone.hal.toprgu.reset(true)
}

/// Switches the phone off; with a cable plugged in, which keeps it on, goes
/// to USB download instead.
pub fn power_off(mut phone: Phone, why: &str) -> ! {
    phone.hal.toprgu.kick();
    say!("power off: {why}");
    log::flush();
    let done = phone.hal.pmic.rtc().power_off();
    time::delay(Micros::from_ms(500));
    match done {
        Ok(()) => say!("the PMIC keeps the phone on"),
        Err(error) => say!("{} the PMIC does not switch off", error.code()),
    }
    usb_download(phone, "the phone cannot be switched off")
}
