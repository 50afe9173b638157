//! The real-time clock in the PMIC: time, the flags by which one stage or
//! boot asks another for something, and the one way to switch the phone off.
//!
//! Its registers live in a slow clock domain: a group of writes is committed
//! by WRTGR and is done when CBUSY falls.
//!
//! Source: facts/soc.md 10.8; facts/storage-and-images.md 7.4.

use super::PmicError;
use crate::pwrap::PmicBus;
use crate::time::{Micros, poll};
use arbitrary_int::{u2, u4, u7};
use bitbybit::bitfield;

/// Registers of the clock.
mod reg {
    pub(super) const BBPU: u16 = 0x8000;
    pub(super) const IRQ_STA: u16 = 0x8002;
    pub(super) const TC_SEC: u16 = 0x800a;
    pub(super) const TC_MIN: u16 = 0x800c;
    pub(super) const TC_HOU: u16 = 0x800e;
    pub(super) const TC_DOM: u16 = 0x8010;
    pub(super) const TC_MTH: u16 = 0x8014;
    pub(super) const TC_YEA: u16 = 0x8016;
    pub(super) const POWERKEY1: u16 = 0x8028;
    pub(super) const POWERKEY2: u16 = 0x802a;
    pub(super) const PDN1: u16 = 0x802c;
    pub(super) const PDN2: u16 = 0x802e;
    pub(super) const SPAR0: u16 = 0x8030;
    pub(super) const SPAR1: u16 = 0x8032;
    pub(super) const PROT: u16 = 0x8036;
    pub(super) const WRTGR: u16 = 0x803c;
}

/// BBPU.
#[bitfield(u16, default = 0x4300)]
struct Bbpu {
    /// An alarm powers the phone on.
    #[bit(0, rw)]
    alarm_powers_on: bool,
    /// Keeps the phone powered.
    #[bit(2, rw)]
    keep_power: bool,
    /// `keep_power` drops when the SoC is reset.
    #[bit(3, rw)]
    auto: bool,
    /// Re-reads the registers from the clock.
    #[bit(5, rw)]
    reload: bool,
    /// A commit is under way.
    #[bit(6, r)]
    busy: bool,
}

const UNLOCK_KEYS: [u16; 2] = [0x586a, 0x9136];
const POWER_KEYS: [u16; 2] = [0xa357, 0x67d2];
const COMMIT_TIMEOUT: Micros = Micros(1_000_000);
const FIRST_YEAR: u16 = 1968;
const IRQ_ALARM: u16 = 1 << 0;

/// PDN1: requests.
#[bitfield(u16, default = 0)]
#[derive(Debug, PartialEq, Eq)]
pub struct Pdn1 {
    /// 1 = recovery or factory reset.
    #[bits(4..=5, rw)]
    pub recovery: u2,
    /// Start without the power key, once.
    #[bit(6, rw)]
    pub bypass_power_key: bool,
    /// A time to start at is stored in PDN2, SPAR0 and SPAR1.
    #[bit(7, rw)]
    pub power_on_time: bool,
    /// Start fastboot.
    #[bit(13, rw)]
    pub fastboot: bool,
    /// Power-off charging.
    #[bit(14, rw)]
    pub power_off_charging: bool,
    /// Debug.
    #[bit(15, rw)]
    pub debug: bool,
}

/// PDN2: more of them.
#[bitfield(u16, default = 0)]
#[derive(Debug, PartialEq, Eq)]
pub struct Pdn2 {
    /// Month of the stored start.
    #[bits(0..=3, rw)]
    pub month: u4,
    /// The stored start has happened.
    #[bit(4, rw)]
    pub alarm_fired: bool,
    /// Kernel log on the UART.
    #[bits(5..=6, rw)]
    pub uart: u2,
    /// Switched off by the "instant power on" mode.
    #[bit(7, rw)]
    pub ipo_shutdown: bool,
    /// Year of the stored start, from 1968.
    #[bits(8..=14, rw)]
    pub year: u7,
    /// 0: an alarm start shows no logo.
    #[bit(15, rw)]
    pub logo: bool,
}

/// The flags at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags {
    /// Requests.
    pub pdn1: Pdn1,
    /// Stored start and modes.
    pub pdn2: Pdn2,
    /// Stored start: seconds; crystal and low-power flags.
    pub spar0: u16,
    /// Stored start: minute, hour, day.
    pub spar1: u16,
}

/// Local time as the clock keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime {
    /// 1968 up.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

/// The real-time clock.
pub struct Rtc<'a, B> {
    bus: &'a mut B,
}

impl<'a, B: PmicBus> Rtc<'a, B> {
    pub(super) fn new(bus: &'a mut B) -> Self {
        Self { bus }
    }

    /// Opens the clock's registers for writing. Once a boot is enough.
    pub fn unlock(&mut self) -> Result<(), PmicError> {
        for key in UNLOCK_KEYS {
            self.bus.write(reg::PROT, key)?;
            self.commit()?;
        }
        Ok(())
    }

    /// Closes the clock's registers for writing.
    pub fn lock(&mut self) -> Result<(), PmicError> {
        self.bus.write(reg::PROT, 0)?;
        self.commit()
    }

    /// Whether the clock has lost its own supply: time and flags mean nothing
    /// then, and whoever starts it anew writes its keys.
    pub fn lost_power(&mut self) -> Result<bool, PmicError> {
        let keys = [
            self.bus.read(reg::POWERKEY1)?,
            self.bus.read(reg::POWERKEY2)?,
        ];
        Ok(keys != POWER_KEYS)
    }

    /// Reads the flags.
    pub fn flags(&mut self) -> Result<Flags, PmicError> {
        Ok(Flags {
            pdn1: Pdn1::new_with_raw_value(self.bus.read(reg::PDN1)?),
            pdn2: Pdn2::new_with_raw_value(self.bus.read(reg::PDN2)?),
            spar0: self.bus.read(reg::SPAR0)?,
            spar1: self.bus.read(reg::SPAR1)?,
        })
    }

    /// Changes the requests in PDN1; nothing is written if `change` changes
    /// nothing. The clock must be unlocked.
    pub fn update_pdn1(&mut self, change: impl FnOnce(Pdn1) -> Pdn1) -> Result<(), PmicError> {
        let old = Pdn1::new_with_raw_value(self.bus.read(reg::PDN1)?);
        let new = change(old);
        self.write_flags(reg::PDN1, old.raw_value(), new.raw_value())
    }

    /// As [`Rtc::update_pdn1`], for PDN2.
    pub fn update_pdn2(&mut self, change: impl FnOnce(Pdn2) -> Pdn2) -> Result<(), PmicError> {
        let old = Pdn2::new_with_raw_value(self.bus.read(reg::PDN2)?);
        let new = change(old);
        self.write_flags(reg::PDN2, old.raw_value(), new.raw_value())
    }

    /// Whether the alarm has gone off; asking clears all of the clock's
    /// interrupt flags.
    pub fn take_alarm(&mut self) -> Result<bool, PmicError> {
        Ok(self.bus.read(reg::IRQ_STA)? & IRQ_ALARM != 0)
    }

    /// The time.
    pub fn now(&mut self) -> Result<DateTime, PmicError> {
        let first = self.read_time()?;
        // A minute can end between two reads; then the seconds have fallen,
        // and there is nearly a minute for the second try.
        if self.bus.read(reg::TC_SEC)? < u16::from(first.second) {
            return self.read_time();
        }
        Ok(first)
    }

    /// Reads the time, seconds first.
    fn read_time(&mut self) -> Result<DateTime, PmicError> {
        Ok(DateTime {
            second: (self.bus.read(reg::TC_SEC)? & 0x3f) as u8,
            minute: (self.bus.read(reg::TC_MIN)? & 0x3f) as u8,
            hour: (self.bus.read(reg::TC_HOU)? & 0x1f) as u8,
            day: (self.bus.read(reg::TC_DOM)? & 0x1f) as u8,
            month: (self.bus.read(reg::TC_MTH)? & 0xf) as u8,
            year: FIRST_YEAR + (self.bus.read(reg::TC_YEA)? & 0x7f),
        })
    }

    /// Keeps the phone powered when the power key is released, as the
    /// preloader does. The clock must be unlocked.
    pub fn keep_power(&mut self) -> Result<(), PmicError> {
        let bbpu = Bbpu::DEFAULT
            .with_alarm_powers_on(true)
            .with_keep_power(true)
            .with_auto(true);
        self.bus.write(reg::BBPU, bbpu.raw_value())?;
        self.commit()
    }

    /// Switches the phone off, within milliseconds of the return. With a
    /// charger connected it stays on: then a reset without the power-key
    /// bypass is the next best.
    pub fn power_off(&mut self) -> Result<(), PmicError> {
        self.unlock()?;
        let bbpu = Bbpu::DEFAULT.with_alarm_powers_on(true).with_auto(true);
        self.bus.write(reg::BBPU, bbpu.raw_value())?;
        self.commit()
    }

    fn write_flags(&mut self, address: u16, old: u16, new: u16) -> Result<(), PmicError> {
        if old == new {
            return Ok(());
        }
        self.bus.write(address, new)?;
        self.commit()
    }

    /// Hands the writes to the clock and waits until it has them.
    fn commit(&mut self) -> Result<(), PmicError> {
        self.bus.write(reg::WRTGR, 1)?;
        let mut last = Ok(0);
        poll(COMMIT_TIMEOUT, || {
            last = self.bus.read(reg::BBPU);
            last.map_or(true, |value| !Bbpu::new_with_raw_value(value).busy())
        })
        .map_err(|_| PmicError::Rtc)?;
        last?;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::mt6323::Mt6323;
    use crate::mt6323::fake::FakePmic;

    #[test]
    fn power_off_unlocks_drops_bbpu_and_commits() {
        let mut pmic = Mt6323::new(FakePmic::default());
        pmic.rtc().power_off().unwrap();
        assert_eq!(
            pmic.bus().writes,
            [
                (0x8036, 0x586a),
                (0x803c, 1),
                (0x8036, 0x9136),
                (0x803c, 1),
                (0x8000, 0x4309),
                (0x803c, 1),
            ]
        );
        pmic.rtc().keep_power().unwrap();
        assert_eq!(pmic.bus().get(0x8000), 0x430d);
    }

    #[test]
    fn requests_are_read_and_cleared() {
        let mut pmic = Mt6323::new(FakePmic::with(&[(0x802c, 0x2050), (0x802e, 0x8000)]));
        let flags = pmic.rtc().flags().unwrap();
        assert!(flags.pdn1.fastboot() && flags.pdn1.bypass_power_key());
        assert_eq!(flags.pdn1.recovery().value(), 1);
        assert!(flags.pdn2.logo());
        pmic.rtc()
            .update_pdn1(|pdn1| pdn1.with_fastboot(false))
            .unwrap();
        assert_eq!(pmic.bus().get(0x802c), 0x0050);
        let before = pmic.bus().writes.len();
        pmic.rtc().update_pdn1(|pdn1| pdn1).unwrap();
        assert_eq!(pmic.bus().writes.len(), before);
    }

    #[test]
    fn a_clock_that_stays_busy_is_reported() {
        let mut pmic = Mt6323::new(FakePmic::with(&[(0x8000, 1 << 6)]));
        assert_eq!(pmic.rtc().unlock(), Err(PmicError::Rtc));
    }

    #[test]
    fn a_minute_that_ends_between_two_reads_is_read_again() {
        let mut pmic = Mt6323::new(FakePmic {
            // The hour is the last to be read before the carry.
            after_read: Some(|registers, address| {
                if address == 0x800e {
                    registers.insert(0x800a, 0);
                    registers.insert(0x800c, 0);
                    registers.insert(0x800e, 24);
                }
            }),
            ..FakePmic::with(&[(0x800a, 59), (0x800c, 59), (0x800e, 23)])
        });
        let now = pmic.rtc().now().unwrap();
        assert_eq!((now.hour, now.minute, now.second), (24, 0, 0));
    }

    #[test]
    fn time_and_keys() {
        let mut pmic = Mt6323::new(FakePmic::with(&[
            (0x800a, 59),
            (0x800c, 30),
            (0x800e, 23),
            (0x8010, 31),
            (0x8014, 12),
            (0x8016, 45),
            (0x8028, 0xa357),
            (0x802a, 0x67d2),
            (0x8002, 1),
        ]));
        let now = pmic.rtc().now().unwrap();
        assert_eq!((now.year, now.month, now.day), (2013, 12, 31));
        assert_eq!((now.hour, now.minute, now.second), (23, 30, 59));
        assert_eq!(pmic.rtc().lost_power(), Ok(false));
        assert_eq!(pmic.rtc().take_alarm(), Ok(true));
        pmic.bus().registers.insert(0x802a, 0);
        assert_eq!(pmic.rtc().lost_power(), Ok(true));
    }
}
