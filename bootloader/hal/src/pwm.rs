//! The PWM block: the backlight of boards that take it from a pad PWM1 to
//! PWM5.
//!
//! A period has 64 slots; how many of them are high is the brightness.
//!
//! Source: facts/display.md 6.3; facts/soc.md 11.1.

use crate::reg::{Update, Write, assert_offsets};
use arbitrary_int::{u3, u6};
use bitbybit::bitfield;
use volatile_register::RW;

/// PWM1 to PWM5.
pub const CHANNELS: u8 = 5;

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    /// A bit a channel.
    enable: RW<u32>,
    _reserved: [u32; 3],
    channels: [Channel; CHANNELS as usize],
}

#[repr(C)]
struct Channel {
    control: RW<u32>,
    /// Length of a high and of a low slot, less one.
    high: RW<u32>,
    low: RW<u32>,
    /// Length of the half that has no slots of its own, less one.
    guard: RW<u32>,
    _buffers: [u32; 4],
    /// Slots of the first half, lowest bit first.
    data: [RW<u32>; 2],
    /// 0 = without end.
    wave_num: RW<u32>,
    _reserved: [u32; 5],
}

assert_offsets!(RegisterBlock { channels: 0x10 });
assert_offsets!(Channel {
    guard: 0x0c,
    data: 0x20,
    wave_num: 0x28,
});
const _: () = assert!(core::mem::size_of::<Channel>() == 0x40);

/// CON. Periodic, from the data registers, low when idle.
#[bitfield(u32, default = 0)]
struct Control {
    /// 1 << divider.
    #[bits(0..=2, w)]
    divider: u3,
    /// Block clock / 1625.
    #[bit(3, w)]
    slow: bool,
    /// Level of the half without slots.
    #[bit(8, w)]
    guard: bool,
    /// The last slot of the data.
    #[bits(9..=14, w)]
    last: u6,
}

/// Slots of half a period.
const HALF: u32 = 32;

/// How fast a board's backlight is clocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PwmProfile {
    /// From the block clock / 1625 instead of the block clock.
    pub slow: bool,
    /// The clock is divided by 1 << this, 0 to 7.
    pub divider: u8,
    /// Clocks of a slot, less one.
    pub slot: u16,
}

impl PwmProfile {
    /// Alcatel's boards (PWM2), and the default of others.
    pub const ALCATEL: Self = Self::new(false, 0, 16);
    /// The konka boards (PWM1).
    pub const KONKA: Self = Self::new(false, 0, 38);
    /// Huawei Y600, Lenovo A319 and A316i, Fly IQ4404 (PWM1 and PWM2).
    pub const SLOW: Self = Self::new(true, 0, 4);

    /// A profile of these values.
    pub const fn new(slow: bool, divider: u8, slot: u16) -> Self {
        Self {
            slow,
            divider,
            slot,
        }
    }
}

/// There is no such channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NoChannel;

impl NoChannel {
    /// Short code for screen and log.
    pub const fn code(self) -> &'static str {
        "PWM-CHAN"
    }
}

/// The PWM channels. Their clock gate (`Pwm`) must be open.
pub struct Pwm {
    regs: &'static RegisterBlock,
}

impl Pwm {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Sets channel `number` (1 = PWM1, to 5) to `level`, 0 (stopped, low) to
    /// 255 (high without a break).
    pub fn set(&mut self, number: u8, level: u8, profile: &PwmProfile) -> Result<(), NoChannel> {
        let index = number.checked_sub(1).ok_or(NoChannel)?;
        let channel = self
            .regs
            .channels
            .get(usize::from(index))
            .ok_or(NoChannel)?;
        let bit = 1 << index;
        let Some(slots) = slots(level) else {
            self.regs.enable.update(|value| value & !bit);
            return Ok(());
        };
        let (guard, high) = if slots > HALF {
            (true, slots - HALF)
        } else {
            (false, slots)
        };
        let control = Control::DEFAULT
            .with_divider(u3::extract_u8(profile.divider, 0))
            .with_slow(profile.slow)
            .with_guard(guard)
            .with_last(u6::new(HALF as u8 - 1));
        let slot = u32::from(profile.slot);
        channel.control.put(control.raw_value());
        channel.high.put(slot);
        channel.low.put(slot);
        channel.guard.put((slot + 1) * HALF - 1);
        channel.data[0].put(u32::MAX >> (HALF - high));
        channel.data[1].put(0);
        channel.wave_num.put(0);
        self.regs.enable.update(|value| value | bit);
        Ok(())
    }
}

/// How many of the 64 slots are high, by the vendor's curve; `None` for dark.
const fn slots(level: u8) -> Option<u32> {
    let level = level as u32;
    Some(match level {
        0 => return None,
        1..30 => level / 2 + 7,
        30..=120 => level / 4 + 14,
        121..=160 => level / 5 + 20,
        _ => level / 8 + 33,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::reg::leaked;

    #[test]
    fn full_brightness_is_high_throughout() {
        let regs: &RegisterBlock = leaked();
        regs.channels[1].data[0].put(0x55);
        regs.enable.put(1 << 4);
        Pwm::new(regs).set(2, 255, &PwmProfile::ALCATEL).unwrap();
        let channel = &regs.channels[1];
        assert_eq!(channel.control.read(), 31 << 9 | 1 << 8);
        assert_eq!((channel.high.read(), channel.low.read()), (16, 16));
        assert_eq!(channel.guard.read(), 17 * 32 - 1);
        assert_eq!(channel.data[0].read(), 0xffff_ffff);
        assert_eq!(regs.enable.read(), 1 << 4 | 1 << 1);
    }

    #[test]
    fn levels_follow_the_curve() {
        let regs: &RegisterBlock = leaked();
        let mut pwm = Pwm::new(regs);
        let mut at = |level| {
            pwm.set(1, level, &PwmProfile::SLOW).unwrap();
            let channel = &regs.channels[0];
            let guard = u32::from(channel.control.read() & 1 << 8 != 0);
            channel.data[0].read().count_ones() + HALF * guard
        };
        assert_eq!([at(1), at(29), at(30), at(120)], [7, 21, 21, 44]);
        assert_eq!([at(121), at(160), at(161), at(255)], [44, 52, 53, 64]);
        assert!((1..255).all(|level| at(level) <= at(level + 1)));
        assert_eq!(regs.channels[0].control.read() & 0b1111, 1 << 3);
    }

    #[test]
    fn dark_stops_the_channel_only() {
        let regs: &RegisterBlock = leaked();
        regs.enable.put(0b11);
        let mut pwm = Pwm::new(regs);
        pwm.set(1, 0, &PwmProfile::KONKA).unwrap();
        assert_eq!(regs.enable.read(), 0b10);
        for number in [0, 6] {
            assert_eq!(pwm.set(number, 1, &PwmProfile::KONKA), Err(NoChannel));
        }
    }
}
