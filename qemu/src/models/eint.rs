//! EINT: external interrupts. 26 channels, each wired to whichever pad is
//! muxed to it (16 is the PMIC), joined into one GIC line.
//!
//! A channel is active while its debounced input has the polarity that POL
//! asks for, or while software triggers it. Level-sensitive channels show that
//! in STA as it is; edge-sensitive ones latch its beginning until INTACK.
//! Source: facts/soc.md 8.1, routing 7.3. The debounce time of code 0 is not
//! sure (0.5 ms).

use super::registers::{Access, check_width, read_only, write_only};
use crate::bus::{Block, Context, GuestError, Nanos, Reset, Size};

const NAME: &str = "EINT";
const SPI: u8 = 76;

const CHANNELS: usize = 26;
const ALL: u32 = (1 << CHANNELS) - 1;
/// Words of DBNC, four channels each.
const DBNC_WORDS: usize = CHANNELS.div_ceil(4);
const PMIC_CHANNEL: usize = 16;
const PMIC_PIN: usize = 7;

const STA: u32 = 0x000;
const INTACK: u32 = 0x040;
const D0_EN: u32 = 0x400;
const DBNC: u32 = 0x500;
const EEVT: u32 = 0x900;
const EMUL: u32 = 0xf00;

const DBNC_EN: u8 = 1 << 0;
const DBNC_RST: u8 = 1 << 1;
/// Debounce times by code, in microseconds.
const DBNC_US: [Nanos; 8] = [
    500, 1_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000,
];

/// (channel, pin, mode) of every pad that can be an external interrupt.
#[rustfmt::skip]
static PADS: [(u8, u8, u8); 51] = [
    (0, 30, 2), (0, 135, 4),
    (1, 29, 2), (1, 129, 2),
    (2, 28, 2), (2, 128, 2), (2, 136, 4),
    (3, 27, 2), (3, 63, 3), (3, 73, 3), (3, 97, 4),
    (4, 26, 2), (4, 74, 3), (4, 98, 4), (4, 143, 3),
    (5, 25, 2), (5, 144, 3),
    (6, 31, 2), (6, 77, 2), (6, 108, 2), (6, 140, 4),
    (7, 65, 3), (7, 69, 4), (7, 75, 3), (7, 99, 4), (7, 142, 3),
    (8, 66, 3), (8, 70, 4), (8, 76, 3), (8, 87, 1), (8, 145, 3),
    (9, 60, 4), (9, 79, 3), (9, 88, 1),
    (10, 56, 4), (10, 80, 3),
    (11, 57, 4), (11, 81, 3),
    (12, 54, 2), (12, 58, 4), (12, 82, 3),
    (13, 51, 2), (13, 64, 3), (13, 83, 3),
    (14, 52, 2), (14, 84, 3), (14, 89, 1), (14, 100, 4),
    (15, 90, 1), (15, 101, 2),
    // USB_IDDIG.
    (19, 129, 4),
];

/// One channel's input.
#[derive(Clone, Copy, Default)]
struct Input {
    /// Level at the pad; `None` while no pad is muxed to the channel.
    raw: Option<bool>,
    raw_since: Nanos,
    /// Level behind the debounce counter.
    level: Option<bool>,
    /// Whether the channel was active at the last look.
    active: bool,
}

/// Registers that are a mask of channels, with SET and CLR aliases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mask {
    /// 1 = no interrupt.
    Masked,
    /// 1 = level, 0 = edge.
    Sens,
    /// Software trigger.
    Soft,
    /// 1 = high or rising.
    Pol,
}

/// The block at 0x1000B000.
pub struct Eint {
    masked: u32,
    sens: u32,
    soft: u32,
    pol: u32,
    d0_en: u32,
    eevt: u32,
    emul: u32,
    /// Debounce byte of each channel, without the RST bit.
    debounce: [u8; CHANNELS],
    inputs: [Input; CHANNELS],
    /// Edges seen and not acknowledged.
    latched: u32,
    /// Channels whose double routing has been mentioned.
    warned: u32,
}

impl Default for Eint {
    fn default() -> Self {
        Self::new()
    }
}

fn decode_mask(offset: u32) -> Option<(Mask, Access)> {
    Some(match offset {
        0x080 => (Mask::Masked, Access::Value),
        0x0c0 => (Mask::Masked, Access::Set),
        0x100 => (Mask::Masked, Access::Clear),
        0x140 => (Mask::Sens, Access::Value),
        0x180 => (Mask::Sens, Access::Set),
        0x1c0 => (Mask::Sens, Access::Clear),
        0x200 => (Mask::Soft, Access::Value),
        0x240 => (Mask::Soft, Access::Set),
        0x280 => (Mask::Soft, Access::Clear),
        0x300 => (Mask::Pol, Access::Value),
        0x340 => (Mask::Pol, Access::Set),
        0x380 => (Mask::Pol, Access::Clear),
        _ => return None,
    })
}

/// The debounce word and access of an offset in DBNC, its SET or its CLR.
fn decode_debounce(offset: u32) -> Option<(usize, Access)> {
    let (access, start) = match offset & 0xf00 {
        DBNC => (Access::Value, DBNC),
        0x600 => (Access::Set, 0x600),
        0x700 => (Access::Clear, 0x700),
        _ => return None,
    };
    let word = ((offset - start) / 4) as usize;
    (word < DBNC_WORDS).then_some((word, access))
}

impl Eint {
    /// All channels masked, level-sensitive, active low, without debounce.
    pub fn new() -> Self {
        Eint {
            masked: ALL,
            sens: ALL,
            soft: 0,
            pol: 0,
            d0_en: 0,
            eevt: 1,
            emul: 0,
            debounce: [0; CHANNELS],
            inputs: [Input::default(); CHANNELS],
            latched: 0,
            warned: 0,
        }
    }

    fn mask_mut(&mut self, which: Mask) -> &mut u32 {
        match which {
            Mask::Masked => &mut self.masked,
            Mask::Sens => &mut self.sens,
            Mask::Soft => &mut self.soft,
            Mask::Pol => &mut self.pol,
        }
    }

    /// Levels of all channels from the pads that are muxed to them.
    fn route(&mut self, cx: &mut Context<'_>) -> [Option<bool>; CHANNELS] {
        let mut levels = [None; CHANNELS];
        for &(channel, pin, mode) in &PADS {
            if cx.signals.pin_mode[usize::from(pin)] != mode {
                continue;
            }
            let level = &mut levels[usize::from(channel)];
            if level.is_some() && self.warned >> channel & 1 == 0 {
                self.warned |= 1 << channel;
                cx.log.push(format!(
                    "{NAME}: more than one pad is muxed to channel {channel} (pin {pin} is one)"
                ));
            }
            *level = level.or(Some(cx.signals.pin_input(usize::from(pin))));
        }
        if cx.signals.pin_mode[PMIC_PIN] == 1 {
            levels[PMIC_CHANNEL] = Some(cx.signals.pmic_irq);
        }
        levels
    }

    fn stable_at(&self, channel: usize) -> Nanos {
        let setting = self.debounce[channel];
        let wait = if setting & DBNC_EN == 0 {
            0
        } else {
            DBNC_US[usize::from(setting >> 4 & 7)] * 1_000
        };
        self.inputs[channel].raw_since + wait
    }

    /// Looks at the pads, lets debounce counters run out, latches edges.
    fn sample(&mut self, cx: &mut Context<'_>) {
        let levels = self.route(cx);
        for (channel, raw) in levels.into_iter().enumerate() {
            // What became stable before this look counts, even if it is gone.
            self.accept(channel, cx.now);
            if self.inputs[channel].raw != raw {
                self.inputs[channel].raw = raw;
                self.inputs[channel].raw_since = cx.now;
                self.accept(channel, cx.now);
            }
        }
    }

    fn accept(&mut self, channel: usize, now: Nanos) {
        let stable = self.stable_at(channel) <= now;
        let wanted = self.pol >> channel & 1 != 0;
        let soft = self.soft >> channel & 1 != 0;
        let input = &mut self.inputs[channel];
        if stable {
            input.level = input.raw;
        }
        let active = soft || input.level == Some(wanted);
        if active && !input.active && self.sens >> channel & 1 == 0 {
            self.latched |= 1 << channel;
        }
        input.active = active;
    }

    fn status(&self) -> u32 {
        let active = (0..CHANNELS)
            .filter(|&n| self.inputs[n].active)
            .fold(0, |all, n| all | 1 << n);
        active & self.sens | self.latched & !self.sens
    }

    fn drive(&self, cx: &mut Context<'_>) {
        cx.irq
            .set(SPI, self.status() & !self.masked & self.d0_en != 0);
    }

    fn read_debounce(&self, word: usize) -> u32 {
        let bytes = (0..4).map(|byte| self.debounce.get(word * 4 + byte).copied().unwrap_or(0));
        bytes
            .rev()
            .fold(0, |value, byte| value << 8 | u32::from(byte))
    }

    fn write_debounce(&mut self, word: usize, access: Access, value: u32, cx: &mut Context<'_>) {
        for (byte, written) in value.to_le_bytes().into_iter().enumerate() {
            let channel = word * 4 + byte;
            let Some(setting) = self.debounce.get_mut(channel) else {
                if written != 0 {
                    cx.report(
                        GuestError::BadValue,
                        NAME,
                        DBNC,
                        format!("debounce of channel {channel}, which does not exist"),
                    );
                }
                continue;
            };
            let new = access.apply((*setting).into(), written.into()) as u8;
            *setting = new & !DBNC_RST;
            if access != Access::Clear && written & DBNC_RST != 0 {
                self.inputs[channel].raw_since = cx.now;
            }
        }
    }
}

impl Block for Eint {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if !check_width(NAME, offset, size, &[4], cx) {
            return 0;
        }
        self.sample(cx);
        self.drive(cx);
        match offset {
            STA => return self.status(),
            INTACK => return write_only(NAME, offset, "INTACK", cx),
            D0_EN => return self.d0_en,
            EEVT => return self.eevt,
            EMUL => return self.emul,
            _ => {}
        }
        match (decode_mask(offset), decode_debounce(offset)) {
            (Some((which, Access::Value)), _) => *self.mask_mut(which),
            (_, Some((word, Access::Value))) => self.read_debounce(word),
            (None, None) => cx.unknown_register(NAME, offset, false),
            _ => write_only(NAME, offset, "a SET or CLR alias", cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if !check_width(NAME, offset, size, &[4], cx) {
            return;
        }
        self.sample(cx);
        match offset {
            STA => read_only(NAME, offset, "STA", cx),
            INTACK => self.latched &= !value,
            // Kernels write all ones here.
            D0_EN => self.d0_en = value & ALL,
            EEVT => self.eevt = value,
            EMUL => self.emul = value,
            _ => match (decode_mask(offset), decode_debounce(offset)) {
                (Some((which, access)), _) => {
                    let mask = self.mask_mut(which);
                    *mask = access.apply(*mask, value) & ALL;
                }
                (_, Some((word, access))) => self.write_debounce(word, access, value, cx),
                (None, None) => {
                    cx.unknown_register(NAME, offset, true);
                }
            },
        }
        self.sample(cx);
        self.drive(cx);
    }

    fn reset(&mut self, _kind: Reset, cx: &mut Context<'_>) {
        *self = Self::new();
        self.sample(cx);
        self.drive(cx);
    }

    fn deadline(&self) -> Option<Nanos> {
        let unsettled = |&channel: &usize| self.inputs[channel].raw != self.inputs[channel].level;
        (0..CHANNELS)
            .filter(unsettled)
            .map(|channel| self.stable_at(channel))
            .min()
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.sample(cx);
        self.drive(cx);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        self.sample(cx);
        self.drive(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    const MS: Nanos = 1_000_000;
    /// The touch panel's usual place: pin 129 in mode 2 is channel 1.
    const TOUCH_PIN: usize = 129;
    const TOUCH: u32 = 1 << 1;

    fn touch_world() -> (TestWorld, Eint) {
        let mut world = TestWorld::default();
        world.signals.pin_mode[TOUCH_PIN] = 2;
        world.signals.pin_applied[TOUCH_PIN] = Some(true);
        let mut eint = Eint::new();
        eint.reset(Reset::PowerOn, &mut world.cx());
        world.write(&mut eint, 0x400, u32::MAX);
        (world, eint)
    }

    fn set_pin(world: &mut TestWorld, eint: &mut Eint, level: bool) {
        world.signals.pin_applied[TOUCH_PIN] = Some(level);
        eint.wires_changed(&mut world.cx());
    }

    #[test]
    fn everything_is_masked_at_reset() {
        let mut world = TestWorld::default();
        let mut eint = Eint::new();
        eint.reset(Reset::PowerOn, &mut world.cx());
        assert_eq!(world.read(&mut eint, 0x080), 0x03ff_ffff);
        assert_eq!(world.read(&mut eint, 0x140), 0x03ff_ffff);
        assert_eq!(world.read(&mut eint, 0x000), 0, "nothing is routed");
        assert!(!world.irq.get(76));
    }

    #[test]
    fn a_falling_edge_is_latched_until_acknowledged() {
        let (mut world, mut eint) = touch_world();
        world.write(&mut eint, 0x1c0, TOUCH);
        world.write(&mut eint, 0x040, TOUCH);
        world.write(&mut eint, 0x100, TOUCH);
        assert!(!world.irq.get(76));
        set_pin(&mut world, &mut eint, false);
        assert!(world.irq.get(76));
        set_pin(&mut world, &mut eint, true);
        assert!(world.irq.get(76), "latched");
        assert_eq!(world.read(&mut eint, 0x000), TOUCH);
        world.write(&mut eint, 0x040, TOUCH);
        assert!(!world.irq.get(76));
        assert!(world.reports.is_empty());
    }

    #[test]
    fn a_level_comes_and_goes_by_itself() {
        let (mut world, mut eint) = touch_world();
        world.write(&mut eint, 0x340, TOUCH);
        world.write(&mut eint, 0x100, TOUCH);
        assert!(world.irq.get(76), "active high, and the pin is high");
        world.write(&mut eint, 0x040, TOUCH);
        assert!(world.irq.get(76), "an acknowledge does not quiet a level");
        set_pin(&mut world, &mut eint, false);
        assert!(!world.irq.get(76));
    }

    #[test]
    fn debounce_swallows_short_pulses() {
        let (mut world, mut eint) = touch_world();
        world.write(&mut eint, 0x1c0, TOUCH);
        // Channel 1: 16 ms, enabled, counter restarted.
        world.write(&mut eint, 0x700, 0xff00);
        world.write(&mut eint, 0x600, 0x2300);
        assert_eq!(world.read(&mut eint, 0x500), 0x2100);
        world.write(&mut eint, 0x100, TOUCH);
        world.advance(&mut eint, 100 * MS);
        set_pin(&mut world, &mut eint, false);
        world.advance(&mut eint, 110 * MS);
        set_pin(&mut world, &mut eint, true);
        world.advance(&mut eint, 200 * MS);
        assert!(!world.irq.get(76));
        set_pin(&mut world, &mut eint, false);
        world.advance(&mut eint, 216 * MS - 1);
        assert!(!world.irq.get(76));
        world.advance(&mut eint, 216 * MS);
        assert!(world.irq.get(76));
    }

    #[test]
    fn software_trigger_and_domain_enable() {
        let (mut world, mut eint) = touch_world();
        world.write(&mut eint, 0x1c0, 1 << 20);
        world.write(&mut eint, 0x100, 1 << 20);
        world.write(&mut eint, 0x240, 1 << 20);
        assert!(world.irq.get(76));
        world.write(&mut eint, 0x400, 0);
        assert!(!world.irq.get(76), "not for this processor");
        world.write(&mut eint, 0x400, u32::MAX);
        world.write(&mut eint, 0x280, 1 << 20);
        world.write(&mut eint, 0x040, 1 << 20);
        assert_eq!(world.read(&mut eint, 0x000), 0);
    }

    #[test]
    fn the_pmic_is_channel_16_through_pin_7() {
        let (mut world, mut eint) = touch_world();
        world.write(&mut eint, 0x340, 1 << 16);
        world.write(&mut eint, 0x100, 1 << 16);
        world.signals.pmic_irq = true;
        eint.wires_changed(&mut world.cx());
        assert!(!world.irq.get(76), "pin 7 is still a GPIO");
        world.signals.pin_mode[7] = 1;
        eint.wires_changed(&mut world.cx());
        assert!(world.irq.get(76));
    }

    #[test]
    fn two_pads_on_one_channel_are_mentioned_once() {
        let (mut world, mut eint) = touch_world();
        world.signals.pin_mode[29] = 2;
        world.read(&mut eint, 0x000);
        world.read(&mut eint, 0x000);
        assert_eq!(world.log.len(), 1);
        assert!(world.log[0].contains("channel 1 "));
    }

    #[test]
    fn is_strict() {
        let (mut world, mut eint) = touch_world();
        world.write(&mut eint, 0x000, 1);
        world.read(&mut eint, 0x0c0);
        world.read(&mut eint, 0x020);
        world.write(&mut eint, 0x51c, 1);
        world.write(&mut eint, 0x518, 0x0001_0000);
        eint.read(0x000, 1, &mut world.cx());
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        use GuestError::{AccessSize, BadValue, UnknownRegister};
        assert_eq!(
            kinds,
            [
                BadValue,
                BadValue,
                UnknownRegister,
                UnknownRegister,
                BadValue,
                AccessSize
            ]
        );
    }
}
