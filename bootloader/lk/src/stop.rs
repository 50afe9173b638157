//! Every way out that is not a kernel: USB download through the boot ROM, the
//! way that every phone has, and switching off.
//!
//! Source: facts/soc.md 1.3 (USBDL registers), 6 (reset), 10.8 (power-off).

use core::fmt::{Display, Write};

use heapless::String;
use mt6572_hal::mt6323::Rail;
use mt6572_hal::sramrom::Downloader;
use mt6572_hal::time::{self, Micros};
use unilk_core::screen::pages::{ErrorPage, UsbPage};

use crate::keys::Held;
use crate::log::{self, say};
use crate::meanwhile;
use crate::parts::{Page, Parts};
use crate::wake::Phone;

/// How long a host has to appear once the boot ROM waits for it.
const HOST_LIMIT_S: u16 = 60;
/// How long a stop waits for a person before it acts by itself.
const PATIENCE_S: u32 = 30;

/// What boards give the vibrator.
const VIBRATOR_MV: u16 = 2800;
/// How long a panel that is only a guess may be lit.
const GUESS_LIT_S: u32 = 10;
/// Bytes of the longest sentence on the screen.
const SENTENCE: usize = 192;
const VERSION: &str = env!("UNILK_VERSION");
/// How long the vibrator says that the phone is alive.
const PULSE: Micros = Micros::from_ms(200);

/// No kernel can be started: says why, and offers the way out.
pub fn without_kernel(
    mut phone: Phone,
    parts: &'static Parts,
    code: &str,
    reason: &dyn Display,
) -> ! {
    say!("STOP {code}: {reason}");
    pulse(&mut phone);
    let mut sentence: String<SENTENCE> = String::new();
    // What is longer is in the log.
    let _ = write!(sentence, "{reason}");
    parts.stop(
        &mut phone,
        Page::Error(ErrorPage {
            version: VERSION,
            code,
            sentence: &sentence,
            remedy: "",
            next: "Press a key or plug in USB for download mode. The phone switches off in 30 s.",
        }),
    );
    if phone.charger == Some(true) {
        usb_download(
            phone,
            parts,
            "no kernel can be started, and a cable is plugged in",
        );
    }
    say!("press a key or plug in USB for download mode; power-off in {PATIENCE_S} s");
    let mut before = look(&mut phone);
    for tenth in 0..PATIENCE_S * 10 {
        if tenth == GUESS_LIT_S * 10 {
            parts.dim_guess();
        }
        phone.hal.toprgu.kick();
        meanwhile::rest_for(Micros::from_ms(100));
        let now = look(&mut phone);
        if now.shows_somebody(before) {
            usb_download(phone, parts, "a key or a cable");
        }
        before = now;
    }
    power_off(phone, parts, "nobody came")
}

/// A dark phone still says that it is alive.
fn pulse(phone: &mut Phone) {
    let pmic = &mut phone.hal.pmic;
    // Without a PMIC there is no vibrator either.
    let _ = pmic.set_rail_mv(Rail::Vibr, VIBRATOR_MV);
    if pmic.enable_rail(Rail::Vibr).is_ok() {
        meanwhile::rest_for(PULSE);
        let _ = phone.hal.pmic.disable_rail(Rail::Vibr);
    }
}

/// Everything by which a person can make himself known.
#[derive(Clone, Copy)]
struct Signs {
    held: Held,
    cable: bool,
    typed: bool,
}

fn look(phone: &mut Phone) -> Signs {
    Signs {
        held: phone.look(),
        cable: phone.hal.pmic.charger_present().unwrap_or(false),
        typed: log::typed().is_some(),
    }
}

impl Signs {
    fn shows_somebody(self, before: Self) -> bool {
        self.cable || self.typed || self.held.has_new(before.held)
    }
}

/// Resets into the boot ROM's USB download mode.
pub fn usb_download(mut phone: Phone, parts: &'static Parts, why: &str) -> ! {
    phone.hal.toprgu.kick();
    say!("USB download mode ({why}): connect a host tool within {HOST_LIMIT_S} s");
    parts.stop(
        &mut phone,
        Page::Usb(UsbPage {
            version: VERSION,
            title: "Download",
            serial: "",
            state: why,
            keys: &["Connect a host tool within 60 s"],
        }),
    );
    phone.hal.toprgu.kick();
    log::flush();
    phone
        .hal
        .sramrom
        .arm_usb_download(Downloader::BootRom, Some(HOST_LIMIT_S));
    phone.hal.toprgu.reset(true)
}

/// Switches the phone off; with a cable plugged in, which keeps it on, goes
/// to USB download instead.
pub fn power_off(mut phone: Phone, parts: &'static Parts, why: &str) -> ! {
    phone.hal.toprgu.kick();
    say!("power off: {why}");
    parts.dark(&mut phone);
    log::flush();
    let done = phone.hal.pmic.rtc().power_off();
    time::delay(Micros::from_ms(500));
    match done {
        Ok(()) => say!("the PMIC keeps the phone on"),
        Err(error) => say!("{} the PMIC does not switch off", error.code()),
    }
    usb_download(phone, parts, "the phone cannot be switched off")
}
