//! The real-time clock of the MT6323: the only part of a phone that stays
//! awake with the battery in, keeper of the boot flags, and the switch that
//! turns the phone off.
//!
//! A write lands in a bus-side register and reaches the clock domain only when
//! WRTGR is written, and only while the RTC is unlocked. A reset of the SoC
//! throws away what was not triggered. Source: facts/soc.md 10.8;
//! facts/storage-and-images.md 7.4.

use crate::bus::{Context, GuestError, Nanos};
use crate::signals::Request;

const NAME: &str = "RTC";
const SECOND: Nanos = 1_000_000_000;
/// How long CBUSY stays set after a trigger: three periods of the 32 kHz clock.
const TRIGGER_TIME: Nanos = 92_000;

// Register offsets from 0x8000.
const BBPU: u16 = 0x00;
const IRQ_STA: u16 = 0x02;
const IRQ_EN: u16 = 0x04;
const AL_MASK: u16 = 0x08;
const TC_SEC: u16 = 0x0A;
const TC_YEA: u16 = 0x16;
const AL_SEC: u16 = 0x18;
const AL_YEA: u16 = 0x24;
const POWERKEY1: u16 = 0x28;
const POWERKEY2: u16 = 0x2A;
const PDN1: u16 = 0x2C;
const PDN2: u16 = 0x2E;
const PROT: u16 = 0x36;
const WRTGR: u16 = 0x3C;
const LAST: u16 = 0x3E;
const WORDS: usize = LAST as usize / 2 + 1;

const BBPU_KEY: u16 = 0x4300;
const BBPU_PWREN: u16 = 1 << 0;
const BBPU_KEEP: u16 = 1 << 2;
const BBPU_AUTO: u16 = 1 << 3;
const BBPU_CBUSY: u16 = 1 << 6;

/// Years are counted from here.
const EPOCH_YEAR: u32 = 1968;

/// The RTC. Lives as long as the battery does.
#[derive(Clone)]
pub struct Rtc {
    /// What the bus side holds.
    bus: [u16; WORDS],
    /// What has reached the clock domain.
    core: [u16; WORDS],
    unlock: Unlock,
    /// PROT as written since the last trigger.
    prot: Option<u16>,
    busy_until: Nanos,
    irq_sta: u16,
    /// Seconds since 1968-01-01 at virtual time 0.
    start: u64,
    /// Second (since 1968) whose alarm has been raised already.
    alarm_raised: u64,
    /// A power-off was asked for while a charger kept the PMIC up.
    off_when_unplugged: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unlock {
    Locked,
    First,
    Open,
}

impl Rtc {
    /// An RTC that kept its supply: valid power keys, no flags, and the date
    /// 2014-01-01 00:00:00.
    pub fn new() -> Self {
        let mut core = [0; WORDS];
        core[index(POWERKEY1)] = 0xA357;
        core[index(POWERKEY2)] = 0x67D2;
        core[index(PDN2)] = 1 << 15;
        Rtc {
            bus: core,
            core,
            unlock: Unlock::Locked,
            prot: None,
            busy_until: 0,
            irq_sta: 0,
            start: seconds_from(&[0, 0, 0, 1, 0, 1, 46]),
            alarm_raised: 0,
            off_when_unplugged: false,
        }
    }

    /// Sets boot flags from a board file, as a kernel of an earlier boot left them.
    pub fn set_flags(&mut self, pdn1: u16, pdn2: u16) {
        for side in [&mut self.bus, &mut self.core] {
            side[index(PDN1)] = pdn1;
            side[index(PDN2)] = pdn2;
        }
    }

    /// As after a battery change: power keys and flags are gone.
    pub fn lose_power(&mut self) {
        *self = Rtc::new();
        self.bus = [0; WORDS];
        self.core = [0; WORDS];
    }

    /// The flags PDN1 and PDN2 as the clock domain keeps them.
    pub fn flags(&self) -> (u16, u16) {
        (self.core[index(PDN1)], self.core[index(PDN2)])
    }

    /// The charger may have gone that kept the PMIC up.
    pub fn follow_charger(&mut self, cx: &mut Context<'_>) {
        if self.off_when_unplugged && !cx.signals.charger {
            self.off_when_unplugged = false;
            cx.signals.request = Some(Request::PowerOff("RTC BBPU cleared, charger unplugged"));
        }
    }

    /// What the preloader does on every boot: keep the power on.
    pub fn hold_power(&mut self) {
        self.off_when_unplugged = false;
        let value = BBPU_AUTO | BBPU_KEEP | BBPU_PWREN;
        self.bus[index(BBPU)] = value;
        self.core[index(BBPU)] = value;
    }

    /// The power is kept on, and the lock is open: the preloader had to unlock
    /// for that, and software that follows powers off without unlocking.
    pub fn leave_as_preloader(&mut self) {
        self.hold_power();
        self.unlock = Unlock::Open;
    }

    /// The SoC was reset: what was not triggered is lost, the lock is closed.
    pub fn soc_reset(&mut self) {
        self.bus = self.core;
        self.prot = None;
        self.unlock = Unlock::Locked;
    }

    /// Whether the RTC asks for an interrupt.
    pub fn irq(&self) -> bool {
        self.irq_sta & self.core[index(IRQ_EN)] & 0xB != 0
    }

    /// Reads the register at `offset` from 0x8000.
    pub fn read(&mut self, offset: u16, cx: &mut Context<'_>) -> u16 {
        match offset {
            BBPU => {
                self.bus[0] & 0xF
                    | if cx.now < self.busy_until {
                        BBPU_CBUSY
                    } else {
                        0
                    }
            }
            IRQ_STA => core::mem::take(&mut self.irq_sta),
            TC_SEC..=TC_YEA => self.date(cx.now)[usize::from((offset - TC_SEC) / 2)],
            PROT | WRTGR => 0,
            _ if offset <= LAST && offset.is_multiple_of(2) => self.bus[index(offset)],
            _ => {
                cx.unknown_register(NAME, 0x8000 + u32::from(offset), false);
                0
            }
        }
    }

    /// Writes the register at `offset` from 0x8000.
    pub fn write(&mut self, offset: u16, value: u16, cx: &mut Context<'_>) {
        match offset {
            BBPU if value & 0xFF00 != BBPU_KEY => cx.report(
                GuestError::BadValue,
                NAME,
                0x8000,
                format!("BBPU = {value:#06x} without the key 0x43 is ignored"),
            ),
            BBPU => self.bus[0] = value & 0xF,
            IRQ_STA => cx.report(
                GuestError::BadValue,
                NAME,
                0x8002,
                "write to the read-only IRQ_STA",
            ),
            PROT => self.prot = Some(value),
            WRTGR => self.trigger(value, cx),
            _ if offset <= LAST && offset.is_multiple_of(2) => self.bus[index(offset)] = value,
            _ => {
                cx.unknown_register(NAME, 0x8000 + u32::from(offset), true);
            }
        }
    }

    /// WRTGR: carries the bus side into the clock domain.
    fn trigger(&mut self, value: u16, cx: &mut Context<'_>) {
        if value != 1 {
            cx.report(
                GuestError::BadValue,
                NAME,
                0x803C,
                format!("WRTGR = {value:#x}, wants 1"),
            );
            return;
        }
        if cx.now < self.busy_until {
            cx.report(
                GuestError::Refused,
                NAME,
                0x803C,
                "WRTGR while CBUSY is still set",
            );
        }
        self.busy_until = cx.now + TRIGGER_TIME;
        if let Some(prot) = self.prot.take() {
            let unlocked = match (self.unlock, prot) {
                (_, 0x586A) => Unlock::First,
                (Unlock::First, 0x9136) => Unlock::Open,
                _ => Unlock::Locked,
            };
            if prot == 0 && self.unlock == Unlock::Open {
                // What was written before the lock still goes through.
                self.carry(cx);
            }
            self.unlock = unlocked;
            return;
        }
        if self.unlock != Unlock::Open {
            cx.report(
                GuestError::Refused,
                NAME,
                0x803C,
                "WRTGR while the RTC is locked: nothing is written",
            );
            self.bus = self.core;
            return;
        }
        self.carry(cx);
    }

    /// The bus side reaches the clock domain.
    fn carry(&mut self, cx: &mut Context<'_>) {
        if (TC_SEC..=TC_YEA)
            .step_by(2)
            .any(|r| self.bus[index(r)] != self.core[index(r)])
        {
            self.set_date(cx.now);
        }
        self.core = self.bus;
        if self.core[0] & BBPU_KEEP == 0 {
            if cx.signals.charger {
                self.off_when_unplugged = true;
                cx.log
                    .push("RTC: power-off asked for, but a charger keeps the PMIC up".into());
            } else {
                cx.signals.request = Some(Request::PowerOff("RTC BBPU cleared"));
            }
        }
    }

    /// The next second at which an alarm may have to be looked at.
    pub fn deadline(&self, now: Nanos) -> Option<Nanos> {
        (self.core[index(IRQ_EN)] & 1 != 0).then(|| (now / SECOND + 1) * SECOND)
    }

    /// Compares the alarm with the time; call at [`Rtc::deadline`].
    pub fn tick(&mut self, now: Nanos) {
        let second = self.start + now / SECOND;
        if self.core[index(IRQ_EN)] & 1 == 0 || self.alarm_raised == second {
            return;
        }
        let date = self.date(now);
        let mask = self.core[index(AL_MASK)];
        let alarm = |field: usize| self.core[index(AL_SEC) + field];
        // Alarm registers stand in the order SEC MIN HOU DOM DOW MTH YEA.
        let due = (AL_SEC..=AL_YEA)
            .step_by(2)
            .enumerate()
            .all(|(field, _)| mask >> field & 1 != 0 || alarm(field) == date[field]);
        if due && mask & 0x7F != 0x7F {
            self.irq_sta |= 1;
            self.alarm_raised = second;
        }
    }

    /// SEC, MIN, HOU, DOM, DOW, MTH, YEA at `now`.
    fn date(&self, now: Nanos) -> [u16; 7] {
        let total = self.start + now / SECOND;
        let (mut days, second) = (total / 86400, total % 86400);
        let weekday = (days + 1) % 7 + 1; // 1968-01-01 was a Monday; 1 = Sunday
        let mut year = 0;
        while days >= days_in_year(year) {
            days -= days_in_year(year);
            year += 1;
        }
        let mut month = 1;
        while days >= days_in_month(year, month) {
            days -= days_in_month(year, month);
            month += 1;
        }
        [
            second % 60,
            second / 60 % 60,
            second / 3600,
            days + 1,
            weekday,
            u64::from(month),
            u64::from(year),
        ]
        .map(|value| value as u16)
    }

    fn set_date(&mut self, now: Nanos) {
        let first = index(TC_SEC);
        let fields: [u16; 7] = core::array::from_fn(|n| self.bus[first + n]);
        self.start = seconds_from(&fields).saturating_sub(now / SECOND);
    }
}

impl Default for Rtc {
    fn default() -> Self {
        Rtc::new()
    }
}

fn index(offset: u16) -> usize {
    usize::from(offset / 2)
}

fn days_in_year(year: u32) -> u64 {
    if (EPOCH_YEAR + year).is_multiple_of(4) {
        366
    } else {
        365
    }
}

fn days_in_month(year: u32, month: u32) -> u64 {
    match month {
        2 => 28 + u64::from((EPOCH_YEAR + year).is_multiple_of(4)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn seconds_from(date: &[u16; 7]) -> u64 {
    let year = u32::from(date[6] & 0x7F);
    let month = u32::from(date[5]).clamp(1, 12);
    let days: u64 = (0..year).map(days_in_year).sum::<u64>()
        + (1..month).map(|m| days_in_month(year, m)).sum::<u64>()
        + u64::from(date[3].max(1))
        - 1;
    days * 86400 + u64::from(date[2]) * 3600 + u64::from(date[1]) * 60 + u64::from(date[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    fn write(rtc: &mut Rtc, world: &mut TestWorld, offset: u16, value: u16) {
        rtc.write(offset, value, &mut world.cx());
    }

    fn commit(rtc: &mut Rtc, world: &mut TestWorld) {
        write(rtc, world, WRTGR, 1);
        world.now += 1_000_000;
    }

    fn unlock(rtc: &mut Rtc, world: &mut TestWorld) {
        for key in [0x586A, 0x9136] {
            write(rtc, world, PROT, key);
            commit(rtc, world);
        }
    }

    #[test]
    fn power_off_needs_the_unlock_and_the_key() {
        let (mut rtc, mut world) = (Rtc::new(), TestWorld::default());
        rtc.hold_power();
        write(&mut rtc, &mut world, BBPU, 0x4309);
        commit(&mut rtc, &mut world);
        assert_eq!(world.signals.request, None);
        assert_eq!(world.reports.len(), 1, "a locked RTC must say so");

        unlock(&mut rtc, &mut world);
        write(&mut rtc, &mut world, BBPU, 0x0009);
        assert_eq!(
            world.reports.len(),
            2,
            "a write without the key must be reported"
        );
        write(&mut rtc, &mut world, BBPU, 0x4309);
        commit(&mut rtc, &mut world);
        assert!(matches!(world.signals.request, Some(Request::PowerOff(_))));
    }

    #[test]
    fn zero_in_prot_locks() {
        let (mut rtc, mut world) = (Rtc::new(), TestWorld::default());
        rtc.leave_as_preloader();
        write(&mut rtc, &mut world, PDN1, 0x2000);
        write(&mut rtc, &mut world, PROT, 0);
        commit(&mut rtc, &mut world);
        assert_eq!(rtc.flags().0, 0x2000, "written before the lock");
        assert!(world.reports.is_empty());
        write(&mut rtc, &mut world, PDN1, 0);
        commit(&mut rtc, &mut world);
        assert_eq!(rtc.flags().0, 0x2000);
        assert_eq!(world.reports.len(), 1, "a locked RTC must say so");
    }

    #[test]
    fn a_charger_keeps_the_phone_on() {
        let (mut rtc, mut world) = (Rtc::new(), TestWorld::default());
        rtc.hold_power();
        world.signals.charger = true;
        unlock(&mut rtc, &mut world);
        write(&mut rtc, &mut world, BBPU, 0x4309);
        commit(&mut rtc, &mut world);
        assert_eq!(world.signals.request, None);
    }

    #[test]
    fn the_preloader_leaves_the_lock_open() {
        let (mut rtc, mut world) = (Rtc::new(), TestWorld::default());
        rtc.leave_as_preloader();
        // A U-Boot port's way: no unlock, no flags but the key.
        write(&mut rtc, &mut world, BBPU, 0x4300);
        commit(&mut rtc, &mut world);
        assert!(world.signals.request.is_some());
        assert!(world.reports.is_empty());
        rtc.soc_reset();
        write(&mut rtc, &mut world, BBPU, 0x4300);
        commit(&mut rtc, &mut world);
        assert_eq!(world.reports.len(), 1, "a reset closes it");
    }

    #[test]
    fn busy_is_seen_for_three_slow_clocks() {
        let (mut rtc, mut world) = (Rtc::new(), TestWorld::default());
        rtc.hold_power();
        write(&mut rtc, &mut world, PROT, 0x586A);
        write(&mut rtc, &mut world, WRTGR, 1);
        assert_eq!(rtc.read(BBPU, &mut world.cx()), 0x4D);
        world.now += TRIGGER_TIME;
        assert_eq!(rtc.read(BBPU, &mut world.cx()), 0x0D);
    }

    #[test]
    fn untriggered_writes_die_with_the_soc() {
        let (mut rtc, mut world) = (Rtc::new(), TestWorld::default());
        rtc.hold_power();
        unlock(&mut rtc, &mut world);
        write(&mut rtc, &mut world, PDN1, 0x2000);
        rtc.soc_reset();
        assert_eq!(rtc.flags().0, 0);
        unlock(&mut rtc, &mut world);
        write(&mut rtc, &mut world, PDN1, 0x2000);
        commit(&mut rtc, &mut world);
        rtc.soc_reset();
        assert_eq!(rtc.flags().0, 0x2000);
    }

    #[test]
    fn the_clock_counts() {
        let (mut rtc, mut world) = (Rtc::new(), TestWorld::default());
        world.now = (31 * 86400 + 3661) * SECOND;
        let date: Vec<u16> = (TC_SEC..=TC_YEA)
            .step_by(2)
            .map(|r| rtc.read(r, &mut world.cx()))
            .collect();
        // 2014-02-01 01:01:01, a Saturday.
        assert_eq!(date, [1, 1, 1, 1, 7, 2, 46]);
    }

    #[test]
    fn an_alarm_raises_the_interrupt_once() {
        let (mut rtc, mut world) = (Rtc::new(), TestWorld::default());
        rtc.hold_power();
        unlock(&mut rtc, &mut world);
        for (register, value) in [
            (IRQ_EN, 1),
            (AL_MASK, 0x10),
            (AL_SEC, 5),
            (AL_SEC + 6, 1),
            (AL_SEC + 10, 1),
            (AL_YEA, 46),
        ] {
            write(&mut rtc, &mut world, register, value);
        }
        commit(&mut rtc, &mut world);
        rtc.tick(4 * SECOND);
        assert!(!rtc.irq());
        rtc.tick(5 * SECOND);
        assert!(rtc.irq());
        assert_eq!(rtc.read(IRQ_STA, &mut world.cx()), 1);
        rtc.tick(5 * SECOND);
        assert!(!rtc.irq(), "reading IRQ_STA clears it");
    }
}
