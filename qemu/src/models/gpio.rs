//! GPIO: direction, output, input and mode of the 153 pins (125 is missing).
//!
//! Modes decide which block owns a pad, so they go onto the wires together
//! with what each pin drives. Every value register has SET and CLR aliases;
//! MODE has a masked write (MWR) as well. Source: facts/soc.md 7.1 and 7.3.

use super::registers::{Access, check_width, read_only, write_only};
use crate::bus::{Block, Context, GuestError, Reset, Size};
use crate::pins::{Pads, Pins};

const NAME: &str = "GPIO";

/// Pins are numbered 0..=153.
pub const PINS: usize = 154;
/// This number is not bonded out.
pub const MISSING_PIN: usize = 125;

const DIR: u32 = 0x000;
const DOUT: u32 = 0x100;
const DIN: u32 = 0x200;
const MODE: u32 = 0x300;
/// Registers of 32 pins, one bit each.
const BIT_BANKS: u32 = 5;
/// Registers of 8 pins, one nibble each.
const MODE_BANKS: u32 = 20;
/// Mode fields of a MODE register, and the write enables of MWR.
const MODE_FIELDS: u32 = 0x7777_7777;
const MWR_ENABLES: u32 = 0x8888_8888;

/// The block at 0x10005000.
pub struct Gpio {
    dir: [u32; BIT_BANKS as usize],
    dout: [u32; BIT_BANKS as usize],
    mode: [u32; MODE_BANKS as usize],
    pads: Pads,
}

impl Default for Gpio {
    fn default() -> Self {
        Self::new()
    }
}

/// A group of registers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Dir,
    Dout,
    Din,
    Mode,
}

/// What an offset means: group, bank in it, and access; `None` as access is
/// the masked write of MODE.
fn decode(offset: u32) -> Option<(Group, usize, Option<Access>)> {
    let (group, start, banks) = match offset & 0xf00 {
        DIR => (Group::Dir, DIR, BIT_BANKS),
        DOUT => (Group::Dout, DOUT, BIT_BANKS),
        DIN => (Group::Din, DIN, BIT_BANKS),
        _ => (Group::Mode, MODE, MODE_BANKS),
    };
    let bank = offset.checked_sub(start)? / 0x10;
    let access = match offset & 0xf {
        0x0 => Some(Access::Value),
        0x4 if group != Group::Din => Some(Access::Set),
        0x8 if group != Group::Din => Some(Access::Clear),
        0xc if group == Group::Mode => None,
        _ => return None,
    };
    (bank < banks).then_some((group, bank as usize, access))
}

/// Bits of a one-bit-a-pin bank that have a pin.
fn existing_bits(bank: usize) -> u32 {
    (0..32)
        .filter(|bit| exists(bank * 32 + bit))
        .fold(0, |all, bit| all | 1 << bit)
}

/// Mode fields of a bank that have a pin.
fn existing_fields(bank: usize) -> u32 {
    (0..8)
        .filter(|field| exists(bank * 8 + field))
        .fold(0, |all, field| all | 0xf << (4 * field))
}

fn exists(pin: usize) -> bool {
    pin < PINS && pin != MISSING_PIN
}

impl Gpio {
    /// All pins inputs in mode 0; the preloader's table is that of most boards.
    pub fn new() -> Self {
        Gpio {
            dir: [0; BIT_BANKS as usize],
            dout: [0; BIT_BANKS as usize],
            mode: [0; MODE_BANKS as usize],
            pads: Pins::default().pads(),
        }
    }

    /// With this table in the board's preloader.
    #[must_use]
    pub fn with_pads(mut self, pads: Pads) -> Self {
        self.pads = pads;
        self
    }

    fn pin_mode(&self, pin: usize) -> u8 {
        (self.mode[pin / 8] >> (4 * (pin % 8)) & 7) as u8
    }

    fn is_output(&self, pin: usize) -> bool {
        self.dir[pin / 32] >> (pin % 32) & 1 != 0
    }

    fn drive(&self, cx: &mut Context<'_>) {
        for pin in 0..PINS {
            cx.signals.pin_mode[pin] = self.pin_mode(pin);
            cx.signals.pin_output[pin] = self.is_output(pin);
            cx.signals.pin_out_level[pin] = self.dout[pin / 32] >> (pin % 32) & 1 != 0;
        }
    }

    /// The pad's level: what the pin drives, else what the board applies, else
    /// what the pad's resistor pulls it to.
    fn read_din(&self, bank: usize, cx: &Context<'_>) -> u32 {
        (0..32)
            .map(|bit| (bit, bank * 32 + bit))
            .filter(|&(_, pin)| exists(pin))
            .fold(0, |all, (bit, pin)| {
                let drives = self.is_output(pin) && self.pin_mode(pin) == 0;
                let level = if drives {
                    self.dout[bank] >> bit & 1 != 0
                } else {
                    cx.signals.pin_input(pin)
                };
                all | u32::from(level) << bit
            })
    }

    fn write_mode(&mut self, bank: usize, access: Option<Access>, value: u32) {
        let old = self.mode[bank];
        let new = if let Some(access) = access {
            access.apply(old, value)
        } else {
            // 1000b in each enabled nibble becomes the mask 0111b.
            let enabled = value & MWR_ENABLES;
            let mask = enabled - (enabled >> 3);
            old & !mask | value & mask
        };
        self.mode[bank] = new & MODE_FIELDS & existing_fields(bank);
    }
}

impl Block for Gpio {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if !check_width(NAME, offset, size, &[4], cx) {
            return 0;
        }
        match decode(offset) {
            Some((Group::Dir, bank, Some(Access::Value))) => self.dir[bank],
            Some((Group::Dout, bank, Some(Access::Value))) => self.dout[bank],
            Some((Group::Din, bank, _)) => self.read_din(bank, cx),
            Some((Group::Mode, bank, Some(Access::Value))) => self.mode[bank],
            Some(_) => write_only(NAME, offset, "a SET, CLR or MWR register", cx),
            None => cx.unknown_register(NAME, offset, false),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if !check_width(NAME, offset, size, &[4], cx) {
            return;
        }
        let Some((group, bank, access)) = decode(offset) else {
            cx.unknown_register(NAME, offset, true);
            return;
        };
        let existing = if group == Group::Mode {
            existing_fields(bank)
        } else {
            existing_bits(bank)
        };
        if value & !existing != 0 {
            cx.report(
                GuestError::BadValue,
                NAME,
                offset,
                format!("{value:#010x} touches a pin that does not exist"),
            );
        }
        match (group, access) {
            (Group::Dir, Some(access)) => {
                self.dir[bank] = access.apply(self.dir[bank], value) & existing;
            }
            (Group::Dout, Some(access)) => {
                self.dout[bank] = access.apply(self.dout[bank], value) & existing;
            }
            (Group::Mode, access) => self.write_mode(bank, access, value),
            _ => read_only(NAME, offset, "DIN", cx),
        }
        self.drive(cx);
    }

    fn reset(&mut self, _kind: Reset, cx: &mut Context<'_>) {
        *self = Self::new().with_pads(self.pads);
        self.drive(cx);
    }

    /// The whole pad table of the board.
    fn leave_as_preloader(&mut self, cx: &mut Context<'_>) {
        for (pin, pad) in self.pads.iter().enumerate().filter(|&(pin, _)| exists(pin)) {
            let (bank, bit) = (pin / 32, 1 << (pin % 32));
            let level = |on: bool, word: u32| if on { word | bit } else { word & !bit };
            self.dir[bank] = level(pad.drives.is_some(), self.dir[bank]);
            self.dout[bank] = level(pad.drives == Some(true), self.dout[bank]);
            let shift = 4 * (pin % 8);
            let word = &mut self.mode[pin / 8];
            *word = *word & !(7 << shift) | u32::from(pad.mode) << shift;
        }
        self.drive(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    #[test]
    fn masked_write_changes_only_enabled_nibbles() {
        let mut world = TestWorld::default();
        let mut gpio = Gpio::new();
        // Pins 103 and 104 as the vendor LK muxes them: (8 | mode) << 4 * (pin % 8).
        world.write(&mut gpio, 0x300 + 0x10 * 12 + 0xc, 9 << 28);
        world.write(&mut gpio, 0x300 + 0x10 * 13 + 0xc, 0xd);
        assert_eq!(
            (world.signals.pin_mode[103], world.signals.pin_mode[104]),
            (1, 5)
        );
        world.write(&mut gpio, 0x3d0, 0x7654_3210);
        assert_eq!(world.signals.pin_mode[104..112], [0, 1, 2, 3, 4, 5, 6, 7]);
        world.write(&mut gpio, 0x3dc, 0x0000_7f00 | 0x1);
        assert_eq!(
            world.signals.pin_mode[104..112],
            [0, 1, 7, 3, 4, 5, 6, 7],
            "only the nibble with bit 3"
        );
        world.write(&mut gpio, 0x3d8, 0x7000_0000);
        world.write(&mut gpio, 0x3d4, 0x0000_0004);
        assert_eq!(world.read(&mut gpio, 0x3d0), 0x0654_3714);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn inputs_follow_the_board_and_outputs_themselves() {
        let mut world = TestWorld::default();
        let mut gpio = Gpio::new();
        world.signals.pin_applied[57] = Some(true);
        assert_eq!(world.read(&mut gpio, 0x210), 1 << 25);
        world.write(&mut gpio, 0x014, 1 << 25);
        assert_eq!(world.read(&mut gpio, 0x210), 0, "driven low now");
        world.write(&mut gpio, 0x114, 1 << 25);
        assert_eq!(world.read(&mut gpio, 0x210), 1 << 25);
        assert!(world.signals.pin_output[57] && world.signals.pin_out_level[57]);
        world.write(&mut gpio, 0x118, 1 << 25);
        assert!(!world.signals.pin_out_level[57]);
        world.write(&mut gpio, 0x018, 1 << 25);
        assert!(!world.signals.pin_output[57]);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn an_open_input_follows_its_pull() {
        let mut world = TestWorld::default();
        let mut gpio = Gpio::new();
        // A key row (110) of an open matrix.
        world.signals.pin_pull[110] = Some(true);
        assert_eq!(world.read(&mut gpio, 0x230), 1 << 14);
        world.signals.pin_applied[110] = Some(false);
        assert_eq!(world.read(&mut gpio, 0x230), 0, "the board is stronger");
    }

    #[test]
    fn a_pin_of_another_function_is_not_driven_by_dout() {
        let mut world = TestWorld::default();
        let mut gpio = Gpio::new();
        world.write(&mut gpio, 0x000, 1 << 7);
        world.write(&mut gpio, 0x100, 1 << 7);
        world.write(&mut gpio, 0x30c, 9 << 28);
        assert_eq!(world.read(&mut gpio, 0x200), 0);
    }

    #[test]
    fn preloader_leaves_the_pads_that_most_boards_share() {
        let mut world = TestWorld::default();
        let mut gpio = Gpio::new();
        gpio.leave_as_preloader(&mut world.cx());
        for (pin, mode) in [
            (7, 1),
            (11, 1),
            (44, 1),
            (54, 1),
            (59, 2),
            (105, 1),
            (6, 0),
            (103, 0),
        ] {
            assert_eq!(world.signals.pin_mode[pin], mode, "pin {pin}");
        }
        assert!(world.signals.pin_output[57] && !world.signals.pin_out_level[57]);
        gpio.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(world.signals.pin_mode[7], 0);
        assert!(!world.signals.pin_output[57]);
    }

    #[test]
    fn preloader_leaves_what_is_particular_to_the_board() {
        let mut world = TestWorld::default();
        let text = "modes = { 59 = 0 }\noutputs = { 59 = true }\ninputs = [57]";
        let pins: Pins = toml::from_str(text).expect("a board's table");
        let mut gpio = Gpio::new().with_pads(pins.pads());
        gpio.leave_as_preloader(&mut world.cx());
        assert_eq!(world.signals.pin_mode[59], 0);
        assert!(world.signals.pin_output[59] && world.signals.pin_out_level[59]);
        assert!(!world.signals.pin_output[57]);
        assert_eq!(world.read(&mut gpio, 0x010) >> 27 & 1, 1);
        gpio.reset(Reset::Watchdog, &mut world.cx());
        gpio.leave_as_preloader(&mut world.cx());
        assert!(
            world.signals.pin_out_level[59],
            "and again at the next boot"
        );
        assert!(world.reports.is_empty());
    }

    #[test]
    fn pin_125_and_pins_above_153_do_not_exist() {
        let mut world = TestWorld::default();
        let mut gpio = Gpio::new();
        world.write(&mut gpio, 0x030, u32::MAX);
        world.write(&mut gpio, 0x040, 1 << 26);
        world.write(&mut gpio, 0x300 + 0x10 * 15 + 0xc, 9 << 20);
        assert_eq!(world.reports.len(), 3);
        assert!(
            world
                .reports
                .iter()
                .all(|report| report.kind == GuestError::BadValue)
        );
        assert_eq!(world.read(&mut gpio, 0x030), !(1 << 29));
        assert_eq!(world.read(&mut gpio, 0x040), 0);
        assert_eq!(world.signals.pin_mode[125], 0);
    }

    #[test]
    fn is_strict() {
        let mut world = TestWorld::default();
        let mut gpio = Gpio::new();
        world.read(&mut gpio, 0x004);
        world.write(&mut gpio, 0x200, 1);
        world.write(&mut gpio, 0x204, 1);
        world.read(&mut gpio, 0x050);
        world.read(&mut gpio, 0x440);
        gpio.read(0x300, 1, &mut world.cx());
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        use GuestError::{AccessSize, BadValue, UnknownRegister};
        assert_eq!(
            kinds,
            [
                BadValue,
                BadValue,
                UnknownRegister,
                UnknownRegister,
                UnknownRegister,
                AccessSize
            ]
        );
    }
}
