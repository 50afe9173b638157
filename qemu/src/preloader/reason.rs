//! Why the phone started: armed USB download, watchdog, RTC, power key.
//!
//! Source: facts/soc.md 1.3 (USBDL), 3.4 (reasons), 6 (TOPRGU), 10.2 (WACS2), 10.8 (RTC flags).

use super::{Outcome, Phone};

const USBDL_REG: u32 = 0x1000_141C;
const USBDL_MAGIC: u32 = 0x1000_1420;
/// "USBD": the boot ROM honours USBDL_REG.
const USBDL_ARMED: u32 = 0x5553_4244;
/// The time-out field's "wait for ever".
const USBDL_FOREVER: u32 = 0x3FFF;

const WDT_MODE: u32 = 0x1000_7000;
const WDT_STATUS: u32 = 0x1000_700C;
/// Watchdog, software reset, PCM and SPM/thermal request.
const STATUS_IS_RESET: u32 = 1 << 31 | 1 << 30 | 1 << 1 | 1 << 0;
/// "Bypass the power key" of whoever asked for the reset.
const MODE_AUTO_RESTART: u32 = 1 << 4;

const REASON_POWER_KEY: u32 = 0;
const REASON_RTC: u32 = 2;
const REASON_WDT: u32 = 3;
const REASON_WDT_BYPASS: u32 = 4;

const WACS2_CMD: u32 = 0x1000_F09C;
const WACS2_RDATA: u32 = 0x1000_F0A0;
const WACS2_VLDCLR: u32 = 0x1000_F0A4;
const FSM_VALID: u32 = 6;
const WACS2_POLLS: u32 = 1000;

const RTC_BBPU: u32 = 0x8000;
const RTC_PDN1: u32 = 0x802C;
const RTC_WRTGR: u32 = 0x803C;
const BBPU_CBUSY: u32 = 1 << 6;
/// CBUSY lasts for three periods of 32 kHz.
const RTC_POLLS: u32 = 10_000;
/// Recovery request, bypass power key, scheduled power-on.
const PDN1_RECOVERY: u32 = 0x10;
const PDN1_RECOVERY_FIELD: u32 = 0x30;
const PDN1_BYPASS: u32 = 0x40;
const PDN1_ALARM: u32 = 0x80;

/// How long the boot ROM waits after the download keys were seen.
pub const KEY_DOWNLOAD_S: u32 = 5;

/// What the watchdog block says of the last reset.
#[derive(Clone, Copy)]
pub struct ResetStatus {
    status: u32,
    mode: u32,
}

/// The boot ROM's first question: did somebody arm a USB download before the
/// reset? The first answer disarms it.
pub fn armed_download(phone: &mut Phone<'_>) -> Option<Outcome> {
    let register = phone.read(USBDL_REG);
    if phone.read(USBDL_MAGIC) != USBDL_ARMED || register & 1 == 0 {
        return None;
    }
    phone.write(USBDL_MAGIC, 0);
    let field = register >> 2 & USBDL_FOREVER;
    let timeout_s = (field != USBDL_FOREVER).then_some(field);
    let by = if register >> 1 & 1 == 0 {
        "boot-rom"
    } else {
        "preloader"
    };
    Some(Outcome::UsbDownload { by, timeout_s })
}

/// Reads what the preloader must read before its first write to WDT_MODE,
/// which clears it.
pub fn reset_status(phone: &mut Phone<'_>) -> ResetStatus {
    ResetStatus {
        status: phone.read(WDT_STATUS),
        mode: phone.read(WDT_MODE),
    }
}

/// The reason for the boot argument. The PMIC wrapper must be up.
pub fn boot_reason(phone: &mut Phone<'_>, reset: ResetStatus) -> u32 {
    if !phone.machine.board().rtc.lost_power && rtc_wants_boot(phone) {
        return REASON_RTC;
    }
    if reset.status & STATUS_IS_RESET != 0 {
        return if reset.mode & MODE_AUTO_RESTART == 0 {
            REASON_WDT
        } else {
            REASON_WDT_BYPASS
        };
    }
    let reason = phone.machine.board().boot.reason;
    if reason == REASON_POWER_KEY {
        bypass_power_key(phone);
    }
    reason
}

/// Tells the next stage that the key was held long enough: a phone that finds
/// neither this flag nor the key nor a charger switches itself off.
fn bypass_power_key(phone: &mut Phone<'_>) {
    let Some(pdn1) = pmic_read(phone, RTC_PDN1) else {
        return;
    };
    pmic_write(phone, RTC_PDN1, pdn1 | PDN1_BYPASS);
    pmic_write(phone, RTC_WRTGR, 1);
    for _ in 0..RTC_POLLS {
        if pmic_read(phone, RTC_BBPU).is_none_or(|bbpu| bbpu & BBPU_CBUSY == 0) {
            return;
        }
    }
}

fn rtc_wants_boot(phone: &mut Phone<'_>) -> bool {
    let Some(pdn1) = pmic_read(phone, RTC_PDN1) else {
        phone.log("the PMIC does not answer");
        return false;
    };
    pdn1 & PDN1_RECOVERY_FIELD == PDN1_RECOVERY || pdn1 & (PDN1_BYPASS | PDN1_ALARM) != 0
}

/// One 16-bit register of the PMIC over WACS2.
fn pmic_read(phone: &mut Phone<'_>, address: u32) -> Option<u32> {
    phone.write(WACS2_CMD, (address >> 1) << 16);
    for _ in 0..WACS2_POLLS {
        let data = phone.read(WACS2_RDATA);
        if data >> 16 & 7 == FSM_VALID {
            phone.write(WACS2_VLDCLR, 1);
            return Some(data & 0xFFFF);
        }
    }
    None
}

/// Starts a write and leaves room for it to end.
fn pmic_write(phone: &mut Phone<'_>, address: u32, value: u32) {
    const WRITE: u32 = 1 << 31;
    const FSM_IDLE: u32 = 0;
    phone.write(WACS2_CMD, WRITE | (address >> 1) << 16 | value);
    for _ in 0..WACS2_POLLS {
        if phone.read(WACS2_RDATA) >> 16 & 7 == FSM_IDLE {
            return;
        }
    }
}
