//! TOPRGU: the watchdog, the software reset, and the few bits that tell the
//! next boot why there was a reset.
//!
//! The machine resets the SoC when [`Signals::request`] asks for it; this
//! block then keeps what survives: STATUS, MODE's AUTO_RESTART ("bypass power
//! key") and DDR-reserve flags, INTERVAL and the non-reset registers.
//! Source: facts/soc.md 6.
//!
//! [`Signals::request`]: crate::signals::Signals::request

use super::registers::{check_width, read_only};
use crate::bus::{Block, Context, GuestError, Nanos, Reset, Size};
use crate::signals::Request;

const NAME: &str = "TOPRGU";
/// Interrupt of the first time-out.
const SPI: u8 = 126;

const WDT_MODE: u32 = 0x00;
const WDT_LENGTH: u32 = 0x04;
const WDT_RESTART: u32 = 0x08;
const WDT_STATUS: u32 = 0x0c;
const WDT_INTERVAL: u32 = 0x10;
const WDT_SWRST: u32 = 0x14;
const WDT_SWSYSRST: u32 = 0x18;
const WDT_NONRST_REG: u32 = 0x20;
const WDT_NONRST_REG2: u32 = 0x24;
const WDT_REQ_MODE: u32 = 0x30;
const WDT_REQ_IRQ_EN: u32 = 0x34;
const WDT_DRAMC_CTL: u32 = 0x40;
const RSTDEG_EN1: u32 = 0x80;
const RSTDEG_EN2: u32 = 0x84;

const MODE_ENABLE: u32 = 1 << 0;
const MODE_IRQ: u32 = 1 << 3;
const MODE_AUTO_RESTART: u32 = 1 << 4;
const MODE_DUAL: u32 = 1 << 6;
const MODE_DDR_RESERVE: u32 = 1 << 7;

const STATUS_HW: u32 = 1 << 31;
const STATUS_SW: u32 = 1 << 30;
const STATUS_IRQ: u32 = 1 << 29;
const STATUS_PCM: u32 = 1 << 1;
const STATUS_THERMAL: u32 = 1 << 0;

const RESTART_KEY: u32 = 0x1971;
const SWRST_KEY: u32 = 0x1209;
const LENGTH_KEY: u32 = 0x08;
/// One unit of the time-out: 512 ticks of 32.768 kHz.
const UNIT_NANOS: Nanos = 15_625_000;
const INTERVAL_RESET: u32 = 0x7ff;
/// The longest time-out, until software sets one.
const LENGTH_RESET: u32 = 0x7ff;
/// SPM and thermal may ask for a reset.
const REQ_MODE_RESET: u32 = 0x3;

/// Why the SoC was last reset, as the preloader finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootCause {
    /// WDT_STATUS: .31 time-out, .30 software, .29 time-out as interrupt.
    pub status: u32,
    /// MODE.AUTO_RESTART: the power key need not be held for this boot.
    pub bypass_power_key: bool,
}

impl BootCause {
    /// The `boot_reason` that the preloader derives (facts/soc.md 3.4): 3
    /// watchdog, 4 watchdog with bypass; `None` if no reset is on record.
    pub fn boot_reason(self) -> Option<u32> {
        (self.status & (STATUS_HW | STATUS_SW | STATUS_PCM | STATUS_THERMAL) != 0)
            .then_some(if self.bypass_power_key { 4 } else { 3 })
    }
}

/// The block at 0x10007000.
pub struct Toprgu {
    /// MODE without the key.
    mode: u32,
    /// Time-out in units of 15.625 ms.
    length: u32,
    status: u32,
    interval: u32,
    swsysrst: u32,
    nonrst: [u32; 2],
    req_mode: u32,
    req_irq_en: u32,
    dramc_ctl: u32,
    rstdeg: [u32; 2],
    /// When the running countdown ends.
    expires: Option<Nanos>,
    /// The first time-out of dual mode has passed.
    second_stage: bool,
}

impl Default for Toprgu {
    fn default() -> Self {
        Self::new()
    }
}

impl Toprgu {
    /// The watchdog off, nothing on record.
    pub fn new() -> Self {
        Toprgu {
            mode: 0,
            length: LENGTH_RESET,
            status: 0,
            interval: INTERVAL_RESET,
            swsysrst: 0,
            nonrst: [0; 2],
            req_mode: REQ_MODE_RESET,
            req_irq_en: 0,
            dramc_ctl: 0,
            rstdeg: [0; 2],
            expires: None,
            second_stage: false,
        }
    }

    /// What the last reset left behind. Ask before MODE is written: that
    /// clears the status.
    pub fn boot_cause(&self) -> BootCause {
        BootCause {
            status: self.status,
            bypass_power_key: self.mode & MODE_AUTO_RESTART != 0,
        }
    }

    /// Loads the counter from LENGTH, if the watchdog is on.
    fn reload(&mut self, now: Nanos) {
        let timeout = Nanos::from(self.length.max(1)) * UNIT_NANOS;
        self.expires = (self.mode & MODE_ENABLE != 0).then(|| now + timeout);
    }

    fn write_mode(&mut self, value: u32, cx: &mut Context<'_>) {
        // Any write clears the status, the refused one too.
        self.status = 0;
        cx.irq.set(SPI, false);
        self.second_stage = false;
        if value >> 24 != 0x22 {
            cx.report(
                GuestError::BadValue,
                NAME,
                WDT_MODE,
                "WDT_MODE written without the key 0x22 in [31:24]",
            );
            return;
        }
        let was_enabled = self.mode & MODE_ENABLE != 0;
        self.mode = value & 0xff;
        if !was_enabled || self.mode & MODE_ENABLE == 0 {
            self.reload(cx.now);
        }
    }

    fn restart(&mut self, cx: &mut Context<'_>) {
        self.second_stage = false;
        cx.irq.set(SPI, false);
        self.reload(cx.now);
    }

    fn reset_soc(&mut self, status: u32, why: &'static str, cx: &mut Context<'_>) {
        self.status |= status;
        self.expires = None;
        cx.log.push(format!("{NAME}: {why}"));
        cx.signals.request = Some(Request::Reset(why));
    }

    fn timed_out(&mut self, cx: &mut Context<'_>) {
        let interrupt_first = self.mode & (MODE_DUAL | MODE_IRQ) != 0 && !self.second_stage;
        if !interrupt_first {
            self.reset_soc(STATUS_HW, "watchdog time-out", cx);
            return;
        }
        self.status |= STATUS_IRQ;
        self.second_stage = self.mode & MODE_DUAL != 0;
        cx.irq.set(SPI, true);
        self.reload(cx.now);
    }
}

/// Whether a write to a register carries its key, and the key in words;
/// `None` for registers without one. WDT_MODE is not here: a write to it has
/// an effect even without the key.
fn key(offset: u32, value: u32) -> Option<(bool, &'static str)> {
    let top = value >> 24;
    match offset {
        WDT_LENGTH => Some((value & 0x1f == LENGTH_KEY, "0x08 in [4:0]")),
        WDT_RESTART => Some((value == RESTART_KEY, "0x1971")),
        WDT_SWRST => Some((value == SWRST_KEY, "0x1209")),
        WDT_SWSYSRST => Some((top == 0x88, "0x88 in [31:24]")),
        WDT_REQ_MODE => Some((top == 0x33, "0x33 in [31:24]")),
        WDT_REQ_IRQ_EN => Some((top == 0x44, "0x44 in [31:24]")),
        WDT_DRAMC_CTL => Some((top == 0x59, "0x59 in [31:24]")),
        RSTDEG_EN1 => Some((value == 0xa357, "0xa357")),
        RSTDEG_EN2 => Some((value == 0x67d2, "0x67d2")),
        _ => None,
    }
}

impl Block for Toprgu {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if !check_width(NAME, offset, size, &[4], cx) {
            return 0;
        }
        match offset {
            WDT_MODE => self.mode,
            WDT_LENGTH => self.length << 5,
            // Drivers dump the command registers too; they read as 0.
            WDT_RESTART | WDT_SWRST => 0,
            WDT_STATUS => self.status,
            WDT_INTERVAL => self.interval,
            WDT_SWSYSRST => self.swsysrst,
            WDT_NONRST_REG => self.nonrst[0],
            WDT_NONRST_REG2 => self.nonrst[1],
            WDT_REQ_MODE => self.req_mode,
            WDT_REQ_IRQ_EN => self.req_irq_en,
            WDT_DRAMC_CTL => self.dramc_ctl,
            RSTDEG_EN1 => self.rstdeg[0],
            RSTDEG_EN2 => self.rstdeg[1],
            _ => cx.unknown_register(NAME, offset, false),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if !check_width(NAME, offset, size, &[4], cx) {
            return;
        }
        if let Some((false, key)) = key(offset, value) {
            cx.report(
                GuestError::BadValue,
                NAME,
                offset,
                format!("written without its key, {key}"),
            );
            return;
        }
        match offset {
            WDT_MODE => self.write_mode(value, cx),
            WDT_LENGTH => self.length = value >> 5 & 0x7ff,
            WDT_RESTART => self.restart(cx),
            WDT_STATUS => read_only(NAME, offset, "WDT_STATUS", cx),
            WDT_INTERVAL => self.interval = value & 0xfff,
            WDT_SWRST => self.reset_soc(STATUS_SW, "software reset", cx),
            WDT_SWSYSRST => {
                self.swsysrst = value & 0x1fff;
                cx.signals.swsysrst = self.swsysrst;
            }
            WDT_NONRST_REG => self.nonrst[0] = value,
            WDT_NONRST_REG2 => self.nonrst[1] = value,
            WDT_REQ_MODE => self.req_mode = value & 0x00ff_ffff,
            WDT_REQ_IRQ_EN => self.req_irq_en = value & 0x00ff_ffff,
            WDT_DRAMC_CTL => self.dramc_ctl = value & 0x00ff_ffff,
            RSTDEG_EN1 => self.rstdeg[0] = value,
            RSTDEG_EN2 => self.rstdeg[1] = value,
            _ => {
                cx.unknown_register(NAME, offset, true);
            }
        }
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        let before = std::mem::take(self);
        if kind == Reset::Watchdog {
            self.mode = before.mode & (MODE_AUTO_RESTART | MODE_DDR_RESERVE);
            self.status = before.status;
            self.interval = before.interval;
            self.nonrst = before.nonrst;
            self.dramc_ctl = before.dramc_ctl;
        }
        cx.irq.set(SPI, false);
        cx.signals.swsysrst = 0;
    }

    fn deadline(&self) -> Option<Nanos> {
        self.expires
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        if self.expires.is_some_and(|at| at <= cx.now) {
            self.timed_out(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    const SECOND: Nanos = 1_000_000_000;
    /// Key, and LK's mode: DUAL, AUTO_RESTART, IRQ, ENABLE.
    const LK_MODE: u32 = 0x2200_0059;

    fn started(mode: u32, length: u32) -> (TestWorld, Toprgu) {
        let mut world = TestWorld::default();
        let mut dog = Toprgu::new();
        world.write(&mut dog, 0x04, length);
        world.write(&mut dog, 0x00, mode);
        world.write(&mut dog, 0x08, 0x1971);
        assert!(world.reports.is_empty());
        (world, dog)
    }

    #[test]
    fn dual_mode_barks_then_bites() {
        let (mut world, mut dog) = started(LK_MODE, 0x5008);
        world.advance(&mut dog, 10 * SECOND - 1);
        assert!(!world.irq.get(126));
        world.advance(&mut dog, 10 * SECOND);
        assert!(world.irq.get(126));
        assert_eq!(world.read(&mut dog, 0x0c), STATUS_IRQ);
        assert_eq!(world.signals.request, None);
        world.advance(&mut dog, 20 * SECOND);
        assert_eq!(
            world.signals.request,
            Some(Request::Reset("watchdog time-out"))
        );
        dog.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(world.read(&mut dog, 0x0c), STATUS_HW | STATUS_IRQ);
        assert_eq!(dog.boot_cause().boot_reason(), Some(4));
        assert_eq!(dog.deadline(), None);
    }

    #[test]
    fn a_kick_starts_the_time_over() {
        let (mut world, mut dog) = started(0x2200_0001, 0x8008);
        world.advance(&mut dog, 15 * SECOND);
        world.write(&mut dog, 0x08, 0x1971);
        world.advance(&mut dog, 30 * SECOND);
        assert_eq!(world.signals.request, None);
        world.advance(&mut dog, 31 * SECOND);
        assert!(
            world.signals.request.is_some(),
            "16 s after the kick, at once without dual mode"
        );
        dog.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(
            dog.boot_cause().boot_reason(),
            Some(3),
            "AUTO_RESTART was not set"
        );
    }

    #[test]
    fn a_kick_in_the_second_stage_forgives() {
        let (mut world, mut dog) = started(LK_MODE, 0x5008);
        world.advance(&mut dog, 12 * SECOND);
        world.write(&mut dog, 0x08, 0x1971);
        assert!(!world.irq.get(126));
        world.advance(&mut dog, 31 * SECOND);
        assert_eq!(world.signals.request, None);
        assert!(world.irq.get(126));
    }

    #[test]
    fn wrong_keys_change_nothing() {
        let (mut world, mut dog) = started(LK_MODE, 0x5008);
        world.write(&mut dog, 0x00, 0);
        world.write(&mut dog, 0x04, 0x20);
        world.write(&mut dog, 0x08, 0x1972);
        world.write(&mut dog, 0x14, 1);
        world.write(&mut dog, 0x18, 0x2);
        assert_eq!(world.reports.len(), 5);
        assert!(
            world
                .reports
                .iter()
                .all(|report| report.kind == GuestError::BadValue)
        );
        assert_eq!(world.read(&mut dog, 0x00), 0x59);
        assert_eq!(world.read(&mut dog, 0x04), 0x5000);
        assert_eq!(dog.deadline(), Some(10 * SECOND));
        assert_eq!(world.signals.request, None);
    }

    #[test]
    fn the_key_disables_it() {
        let (mut world, mut dog) = started(LK_MODE, 0x5008);
        let mode = world.read(&mut dog, 0x00) & !1 | 0x2200_0000;
        world.write(&mut dog, 0x00, mode);
        assert_eq!(dog.deadline(), None);
        world.advance(&mut dog, 100 * SECOND);
        assert_eq!(world.signals.request, None);
    }

    /// The reset sequence of facts/soc.md 6, with bypass.
    #[test]
    fn software_reset_leaves_its_reason() {
        let (mut world, mut dog) = started(LK_MODE, 0x5008);
        world.write(&mut dog, 0x20, 0xfeed);
        world.write(&mut dog, 0x10, 0x7f9);
        world.write(&mut dog, 0x00, 0x2200_0014);
        world.write(&mut dog, 0x14, 0x1209);
        assert_eq!(
            world.signals.request,
            Some(Request::Reset("software reset"))
        );
        dog.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(
            dog.boot_cause(),
            BootCause {
                status: STATUS_SW,
                bypass_power_key: true
            }
        );
        assert_eq!(world.read(&mut dog, 0x20), 0xfeed);
        assert_eq!(world.read(&mut dog, 0x10), 0x7f9);
        world.write(&mut dog, 0x00, 0x2200_0000);
        assert_eq!(
            world.read(&mut dog, 0x0c),
            0,
            "a write to MODE clears the status"
        );
        assert_eq!(dog.boot_cause().boot_reason(), None);
        dog.reset(Reset::PowerOn, &mut world.cx());
        assert_eq!(world.read(&mut dog, 0x10), 0x7ff);
        assert_eq!(world.read(&mut dog, 0x20), 0);
    }

    #[test]
    fn other_registers() {
        let mut world = TestWorld::default();
        let mut dog = Toprgu::new();
        world.write(&mut dog, 0x18, 0x8800_0002);
        assert_eq!(world.signals.swsysrst, 2);
        world.write(&mut dog, 0x80, 0xa357);
        world.write(&mut dog, 0x84, 0x67d2);
        world.write(&mut dog, 0x34, 0x4400_0000);
        world.write(&mut dog, 0x30, 0x3300_0003);
        world.write(&mut dog, 0x40, 0x5900_0100);
        assert_eq!(world.read(&mut dog, 0x40), 0x100);
        assert!(world.reports.is_empty());
        world.read(&mut dog, 0x1c);
        world.write(&mut dog, 0x0c, 0);
        dog.write(0x08, 2, 0x1971, &mut world.cx());
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(
            kinds,
            [
                GuestError::UnknownRegister,
                GuestError::BadValue,
                GuestError::AccessSize
            ]
        );
    }
}
