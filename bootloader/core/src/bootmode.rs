//! Which mode to boot in: one pure function over everything that has a say.
//!
//! Order as in the vendor's loader, with the differences stated where they
//! are. Source: facts/soc.md 10.8, 12.3, 3.6, facts/storage-and-images.md 7.3,
//! 7.4, 7.6.

use crate::bcb;
use crate::bootarg::{BootMode, BootReason};

/// The requests that software leaves in the PMIC's RTC registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RtcFlags {
    pdn1: u16,
    pdn2: u16,
}

/// PDN1: recovery or factory reset, value 1 in bits 5:4.
const RECOVERY: u16 = 0x0010;
const RECOVERY_FIELD: u16 = 0x0030;
const BYPASS_POWER_KEY: u16 = 0x0040;
const FASTBOOT: u16 = 0x2000;
const KPOC: u16 = 0x4000;
/// PDN2: the scheduled start has happened; and "show the logo".
const ALARM_FIRED: u16 = 0x0010;
const LOGO: u16 = 0x8000;

impl RtcFlags {
    /// From the registers PDN1 (0x802C) and PDN2 (0x802E).
    pub const fn from_registers(pdn1: u16, pdn2: u16) -> Self {
        Self { pdn1, pdn2 }
    }

    /// "reboot bootloader".
    pub const fn fastboot(self) -> bool {
        self.pdn1 & FASTBOOT != 0
    }

    /// "reboot recovery".
    pub const fn recovery(self) -> bool {
        self.pdn1 & RECOVERY_FIELD == RECOVERY
    }

    /// Start although nobody presses the power key (once).
    pub const fn bypass_power_key(self) -> bool {
        self.pdn1 & BYPASS_POWER_KEY != 0
    }

    /// The kernel asked to go on charging while off.
    pub const fn kpoc(self) -> bool {
        self.pdn1 & KPOC != 0
    }

    /// A scheduled start without logo: the alarm clock.
    pub const fn alarm(self) -> bool {
        self.pdn2 & ALARM_FIRED != 0 && self.pdn2 & LOGO == 0
    }
}

/// Keys held during the first 50 ms, by what they mean on this board (its
/// codes come from the board table).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Keys {
    /// Volume up.
    pub volume_up: bool,
    /// Volume down.
    pub volume_down: bool,
    /// The board's factory key, where it is neither volume key.
    pub factory: bool,
    /// Power.
    pub power: bool,
}

impl Keys {
    /// Notes a held key whose code is volume up on `up` of the known boards
    /// and volume down on `down` of them. The majority decides; a tie means
    /// download mode, from which nothing is lost. A code that is neither on
    /// any board is no volume key: HOME, BACK and MENU sit in the matrix too.
    pub const fn hold(&mut self, up: u8, down: u8) {
        self.volume_up |= up > down;
        self.volume_down |= down > 0 && down >= up;
    }
}

/// Everything that has a say.
#[derive(Debug, Clone, Copy)]
pub struct Inputs {
    /// Mode from the boot argument: set by a host tool or normal.
    pub requested: BootMode,
    /// Why the phone started.
    pub reason: BootReason,
    /// Requests in the RTC.
    pub rtc: RtcFlags,
    /// Android's request in MISC.
    pub bcb: bcb::Command,
    /// Keys held.
    pub keys: Keys,
    /// True if a charger or USB supplies power; `None` if that could not be
    /// read.
    pub charger: Option<bool>,
    /// True if a secure limit forbids factory mode.
    pub factory_forbidden: bool,
}

/// Who decided. The text goes into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Why {
    /// The preloader passed it on.
    Preloader,
    /// A flag in the RTC.
    RtcFlag,
    /// The command in MISC.
    Misc,
    /// A key was held.
    Key,
    /// The charger was plugged in while off.
    Charger,
    /// Started by USB power that is gone again.
    ChargerGone,
    /// The alarm clock.
    Alarm,
    /// Nothing special.
    Default,
}

impl Why {
    /// Text for the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preloader => "preloader or host tool",
            Self::RtcFlag => "request in the RTC",
            Self::Misc => "request in MISC",
            Self::Key => "key held",
            Self::Charger => "charger plugged in while off",
            Self::ChargerGone => "charger unplugged again",
            Self::Alarm => "alarm clock",
            Self::Default => "nothing else asked for",
        }
    }
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Outcome {
    /// Boot in this mode. [`BootMode::Fastboot`] and [`BootMode::Download`]
    /// start no kernel: the loader offers its own way in over USB.
    Boot(BootMode),
    /// Switch off: there is nothing to start for.
    PowerOff,
}

/// The choice, its reason, and the requests that it uses up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Decision {
    /// What to do.
    pub outcome: Outcome,
    /// Who decided.
    pub why: Why,
    /// Bits to clear in PDN1 before going on, so that a request acts once.
    pub clear_pdn1: u16,
}

impl Decision {
    /// The partition whose kernel this boots first; `None` when none is.
    pub fn partition(&self) -> Option<&'static str> {
        match self.outcome {
            Outcome::Boot(BootMode::Recovery) => Some("RECOVERY"),
            Outcome::Boot(BootMode::Fastboot | BootMode::Download) | Outcome::PowerOff => None,
            Outcome::Boot(_) => Some("BOOTIMG"),
        }
    }
}

/// A kernel image to boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// Its partition.
    pub partition: &'static str,
    /// The mode that the kernel is told.
    pub mode: BootMode,
    /// Whether the other partition's has been tried before.
    second: bool,
}

impl Image {
    /// The first image to try.
    pub const fn first(partition: &'static str, mode: BootMode) -> Self {
        Self {
            partition,
            mode,
            second: false,
        }
    }

    /// The next best way, if this image cannot be booted; `None`: there is only
    /// USB. After BOOTIMG comes RECOVERY. After RECOVERY nothing, for whoever
    /// asked for it must not get Android instead; unless it holds unilk
    /// `itself`: then asking for it was the way to start us.
    pub fn after_failure(self, itself: bool) -> Option<Self> {
        let (partition, mode) = if self.partition == "BOOTIMG" {
            ("RECOVERY", BootMode::Recovery)
        } else if itself {
            ("BOOTIMG", BootMode::Normal)
        } else {
            return None;
        };
        (!self.second).then_some(Self {
            partition,
            mode,
            second: true,
        })
    }
}

/// Decides.
///
/// Differences to the vendor's loader, all towards booting: factory mode
/// needs a key of its own (on most boards the vendor's is volume down, which
/// here asks for USB), and the phone is switched off only if it was started
/// by a charger that is known to be gone.
pub fn decide(inputs: &Inputs) -> Decision {
    let decision = |outcome, why, clear_pdn1| Decision {
        outcome,
        why,
        clear_pdn1,
    };
    let boot = |mode, why, clear| decision(Outcome::Boot(mode), why, clear);
    let rtc = inputs.rtc;
    let used = if rtc.bypass_power_key() {
        BYPASS_POWER_KEY
    } else {
        0
    };
    let factory_allowed = !inputs.factory_forbidden;

    match inputs.requested {
        mode @ (BootMode::Meta | BootMode::AdvMeta | BootMode::Fastboot | BootMode::Download) => {
            return boot(mode, Why::Preloader, used);
        }
        mode @ (BootMode::Factory | BootMode::AteFactory) if factory_allowed => {
            return boot(mode, Why::Preloader, used);
        }
        BootMode::Recovery => return boot(BootMode::Recovery, Why::Preloader, used),
        _ => {}
    }
    if rtc.fastboot() {
        return boot(BootMode::Fastboot, Why::RtcFlag, used | FASTBOOT);
    }
    if rtc.recovery() {
        return boot(BootMode::Recovery, Why::RtcFlag, used | RECOVERY_FIELD);
    }
    if inputs.bcb == bcb::Command::Recovery {
        return boot(BootMode::Recovery, Why::Misc, used);
    }
    if inputs.keys.factory && factory_allowed {
        return boot(BootMode::Factory, Why::Key, used);
    }
    if inputs.keys.volume_down {
        return boot(BootMode::Fastboot, Why::Key, used);
    }
    if inputs.keys.volume_up {
        return boot(BootMode::Recovery, Why::Key, used);
    }
    if rtc.alarm() && inputs.reason == BootReason::Rtc {
        return boot(BootMode::Alarm, Why::Alarm, used);
    }
    charging(inputs, used).unwrap_or(boot(BootMode::Normal, Why::Default, used))
}

/// Started by a charger, not by a person: charge "off", or switch off again.
fn charging(inputs: &Inputs, used: u16) -> Option<Decision> {
    let by_person = inputs.keys.power || inputs.rtc.bypass_power_key();
    let by_charger = inputs.reason == BootReason::Usb
        || (inputs.rtc.kpoc() && inputs.reason != BootReason::Reboot);
    if !by_charger || by_person {
        return None;
    }
    let clear_pdn1 = used | if inputs.rtc.kpoc() { KPOC } else { 0 };
    match inputs.charger {
        Some(true) => Some(Decision {
            outcome: Outcome::Boot(BootMode::PowerOffCharging),
            why: Why::Charger,
            clear_pdn1,
        }),
        Some(false) if inputs.reason == BootReason::Usb => Some(Decision {
            outcome: Outcome::PowerOff,
            why: Why::ChargerGone,
            clear_pdn1,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> Inputs {
        Inputs {
            requested: BootMode::Normal,
            reason: BootReason::PowerKey,
            rtc: RtcFlags::default(),
            bcb: bcb::Command::None,
            keys: Keys::default(),
            charger: Some(false),
            factory_forbidden: false,
        }
    }

    fn outcome(inputs: &Inputs) -> (Outcome, Why, u16) {
        let decision = decide(inputs);
        (decision.outcome, decision.why, decision.clear_pdn1)
    }

    const fn boot(mode: BootMode) -> Outcome {
        Outcome::Boot(mode)
    }

    #[test]
    fn a_key_means_what_it_means_on_most_boards() {
        let held = |up, down| {
            let mut keys = Keys::default();
            keys.hold(up, down);
            (keys.volume_up, keys.volume_down)
        };
        assert_eq!(held(3, 1), (true, false));
        assert_eq!(held(1, 3), (false, true));
        assert_eq!(held(1, 1), (false, true), "a tie");
        assert_eq!(held(0, 0), (false, false), "a key of no known meaning");
        let mut both = Keys::default();
        both.hold(2, 0);
        both.hold(0, 0);
        assert!(both.volume_up && !both.volume_down);
    }

    #[test]
    fn nothing_special_boots_android() {
        assert_eq!(
            outcome(&inputs()),
            (boot(BootMode::Normal), Why::Default, 0)
        );
        assert_eq!(decide(&inputs()).partition(), Some("BOOTIMG"));
    }

    #[test]
    fn a_tool_beats_everything() {
        let keys = Keys {
            volume_up: true,
            ..Keys::default()
        };
        let rtc = RtcFlags::from_registers(0x2010, 0);
        let meta = Inputs {
            requested: BootMode::Meta,
            rtc,
            keys,
            ..inputs()
        };
        assert_eq!(outcome(&meta), (boot(BootMode::Meta), Why::Preloader, 0));
        let fastboot = Inputs {
            requested: BootMode::Fastboot,
            ..inputs()
        };
        assert_eq!(decide(&fastboot).partition(), None);
    }

    #[test]
    fn factory_mode_can_be_forbidden() {
        let factory = Inputs {
            requested: BootMode::Factory,
            ..inputs()
        };
        assert_eq!(outcome(&factory).0, boot(BootMode::Factory));
        let forbidden = Inputs {
            factory_forbidden: true,
            ..factory
        };
        assert_eq!(outcome(&forbidden).0, boot(BootMode::Normal));
    }

    #[test]
    fn rtc_flags_act_once() {
        let fastboot = Inputs {
            rtc: RtcFlags::from_registers(0x2010, 0),
            ..inputs()
        };
        assert_eq!(
            outcome(&fastboot),
            (boot(BootMode::Fastboot), Why::RtcFlag, 0x2000)
        );
        let recovery = Inputs {
            rtc: RtcFlags::from_registers(0x0050, 0),
            ..inputs()
        };
        assert_eq!(
            outcome(&recovery),
            (boot(BootMode::Recovery), Why::RtcFlag, 0x0070)
        );
        let other = Inputs {
            rtc: RtcFlags::from_registers(0x0030, 0),
            ..inputs()
        };
        assert_eq!(
            outcome(&other).0,
            boot(BootMode::Normal),
            "only the value 1 asks for recovery"
        );
    }

    #[test]
    fn order_of_rtc_misc_and_keys() {
        let keys = Keys {
            volume_down: true,
            volume_up: true,
            ..Keys::default()
        };
        let misc = Inputs {
            bcb: bcb::Command::Recovery,
            keys,
            ..inputs()
        };
        assert_eq!(outcome(&misc), (boot(BootMode::Recovery), Why::Misc, 0));
        assert_eq!(
            outcome(&Inputs { keys, ..inputs() }),
            (boot(BootMode::Fastboot), Why::Key, 0)
        );
        let up = Keys {
            volume_down: false,
            ..keys
        };
        assert_eq!(
            outcome(&Inputs {
                keys: up,
                ..inputs()
            }),
            (boot(BootMode::Recovery), Why::Key, 0)
        );
        let both = Inputs {
            rtc: RtcFlags::from_registers(0x2000, 0),
            ..misc
        };
        assert_eq!(outcome(&both).1, Why::RtcFlag);
    }

    #[test]
    fn charger_starts_charging_or_nothing() {
        let usb = Inputs {
            reason: BootReason::Usb,
            charger: Some(true),
            ..inputs()
        };
        assert_eq!(
            outcome(&usb),
            (boot(BootMode::PowerOffCharging), Why::Charger, 0)
        );
        let gone = Inputs {
            charger: Some(false),
            ..usb
        };
        assert_eq!(outcome(&gone), (Outcome::PowerOff, Why::ChargerGone, 0));
        let unknown = Inputs {
            charger: None,
            ..usb
        };
        assert_eq!(
            outcome(&unknown).0,
            boot(BootMode::Normal),
            "a dead PMIC bus must not switch the phone off"
        );
        let person = Inputs {
            keys: Keys {
                power: true,
                ..Keys::default()
            },
            ..usb
        };
        assert_eq!(outcome(&person).0, boot(BootMode::Normal));
        let bypass = Inputs {
            rtc: RtcFlags::from_registers(0x0040, 0),
            ..usb
        };
        assert_eq!(
            outcome(&bypass),
            (boot(BootMode::Normal), Why::Default, 0x0040)
        );
        let kpoc = Inputs {
            reason: BootReason::Watchdog,
            rtc: RtcFlags::from_registers(0x4000, 0),
            ..usb
        };
        assert_eq!(
            outcome(&kpoc),
            (boot(BootMode::PowerOffCharging), Why::Charger, 0x4000)
        );
        let reboot = Inputs {
            reason: BootReason::Reboot,
            ..kpoc
        };
        assert_eq!(outcome(&reboot).0, boot(BootMode::Normal));
    }

    #[test]
    fn the_alarm_clock_starts_without_logo() {
        let alarm = Inputs {
            reason: BootReason::Rtc,
            rtc: RtcFlags::from_registers(0, 0x0010),
            ..inputs()
        };
        assert_eq!(outcome(&alarm), (boot(BootMode::Alarm), Why::Alarm, 0));
        let logo = Inputs {
            rtc: RtcFlags::from_registers(0, 0x8010),
            ..alarm
        };
        assert_eq!(outcome(&logo).0, boot(BootMode::Normal));
    }

    #[test]
    fn next_best_way() {
        let bootimg = Image::first("BOOTIMG", BootMode::Normal);
        let recovery = bootimg.after_failure(false).expect("RECOVERY");
        assert_eq!(
            (recovery.partition, recovery.mode),
            ("RECOVERY", BootMode::Recovery)
        );
        assert_eq!(recovery.after_failure(false), None);
        let asked = Image::first("RECOVERY", BootMode::Recovery);
        assert_eq!(asked.after_failure(false), None);
    }

    #[test]
    fn what_holds_unilk_itself_leads_to_the_other_one() {
        let bootimg = Image::first("BOOTIMG", BootMode::Normal);
        let recovery = Image::first("RECOVERY", BootMode::Recovery);
        let other = recovery.after_failure(true).expect("BOOTIMG");
        assert_eq!((other.partition, other.mode), ("BOOTIMG", BootMode::Normal));
        let other = bootimg.after_failure(true).expect("RECOVERY");
        assert_eq!(other.partition, "RECOVERY");
        // Not in circles, if both do.
        for image in [bootimg, recovery] {
            let other = image.after_failure(true).expect("the other");
            assert_eq!(other.after_failure(true), None);
        }
    }
}
