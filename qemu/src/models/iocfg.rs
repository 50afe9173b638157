//! IOCFG: the electrical side of the pads (pulls, input buffers, Schmitt
//! triggers, drive strength, inversion) in four banks around the die.
//!
//! Pulls start as each pad's reset pull and can be asked for by whoever wants
//! to know what an open pin reads; the rest is remembered.
//! Source: facts/soc.md 7.2 and, for the reset pulls, appendix A;
//! facts/storage-and-images.md 8.3 for SR, TDSEL and RDSEL of the eMMC pads;
//! their places in the top and right banks are those that stock loaders use.

use super::registers::{Access, check_width, write_only};
use crate::bus::{Block, Context, Reset, Size};

/// One side of the die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bank {
    /// "T", 0x10208000.
    Top,
    /// "B", 0x10209000.
    Bottom,
    /// "L", 0x1020A000.
    Left,
    /// "R", 0x1020B000.
    Right,
}

/// What holds a pad when nobody drives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// Nothing.
    None,
    /// Pulled high.
    Up,
    /// Pulled low.
    Down,
}

impl Bank {
    fn name(self) -> &'static str {
        match self {
            Bank::Top => "IOCFG_T",
            Bank::Bottom => "IOCFG_B",
            Bank::Left => "IOCFG_L",
            Bank::Right => "IOCFG_R",
        }
    }

    /// Value registers with SET and CLR aliases at +4 and +8.
    fn registers(self) -> &'static [u32] {
        match self {
            Bank::Top => &[
                0x00, 0x10, 0x40, 0x50, 0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xe0, 0xf0, 0x100,
            ],
            Bank::Bottom => &[0x00, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70],
            Bank::Left => &[0x00, 0x20, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0],
            Bank::Right => &[0x00, 0x20, 0x40, 0x50, 0x60, 0x70, 0x80],
        }
    }

    /// Value registers without aliases: where two stand side by side, the
    /// second is where the first one's SET alias would be. TDSEL and RDSEL of
    /// the bank, and the two drive registers of the top bank. The left bank's
    /// TDSEL and RDSEL have not been seen in use.
    fn plain_registers(self) -> &'static [u32] {
        match self {
            Bank::Top => &[0x60, 0x64, 0xd0, 0xd4],
            Bank::Bottom | Bank::Right => &[0x30, 0x34],
            Bank::Left => &[],
        }
    }

    /// Pull enables and selects.
    fn pull_registers(self) -> &'static [u32] {
        match self {
            Bank::Top => &[0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0],
            Bank::Bottom | Bank::Right => &[0x40, 0x50],
            Bank::Left => &[0x40, 0x50, 0x60, 0x70],
        }
    }

    /// Input enable registers: on after reset.
    fn input_enables(self) -> &'static [u32] {
        if self == Bank::Top {
            &[0x00, 0x10]
        } else {
            &[0x00]
        }
    }
}

/// A bit of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bit {
    register: u32,
    bit: u8,
}

/// Where a pad's pull is controlled.
struct PullControl {
    bank: Bank,
    enable: Bit,
    /// The second resistor of the eMMC pads.
    enable_strong: Option<Bit>,
    /// 1 = up. The I2C pads have none: they pull up.
    select: Option<Bit>,
}

/// Reset pull by pin: U up, D down, N none, - no such pin (appendix A).
const RESET_PULLS: &[u8; 154] = b"DDDDDDDDUDDDDDNNNNNNNNNNNNNNNNNNDDDDDDUDDDUDUUDDUU\
    DDDDDDUUUDUDDNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN\
    NNNUUNNUNDDNUNNDDDDDDDDDD-DDNNDDDDDDDDDDDDNNNNDDDD\
    DDDD";

/// Where the pull of `pin` is; `None` for the MIPI pads and missing pins.
fn pull_control(pin: u8) -> Option<PullControl> {
    let (bank, enable, select, bit) = match pin {
        0..=6 => (Bank::Left, 0x40, 0x60, pin),
        7 => (Bank::Left, 0x40, 0x60, 11),
        8..=11 => (Bank::Left, 0x40, 0x60, pin - 1),
        12 | 13 => (Bank::Left, 0x40, 0x60, pin),
        14..=39 => (Bank::Left, 0x50, 0x70, pin - 14),
        40..=43 => (Bank::Bottom, 0x40, 0x50, pin - 40 + 21),
        44..=54 => (Bank::Bottom, 0x40, 0x50, pin - 44),
        55..=66 => (Bank::Right, 0x40, 0x50, pin - 55),
        87..=106 => (Bank::Right, 0x40, 0x50, pin - 87 + 12),
        107..=114 => (Bank::Top, 0x70, 0xa0, pin - 107),
        130..=153 => (Bank::Top, 0x70, 0xa0, pin - 130 + 8),
        128 | 129 => (Bank::Top, 0x80, 0xb0, pin - 128),
        115..=124 | 126 | 127 => (Bank::Top, 0x90, 0xc0, pin - 115),
        _ => return None,
    };
    let at = |register, bit| Bit { register, bit };
    let (enable, enable_strong) = match pin {
        44..=53 => (at(enable, 2 * bit), Some(at(enable, 2 * bit + 1))),
        54 => (at(enable, 20), None),
        _ => (at(enable, bit), None),
    };
    let is_i2c = matches!(pin, 105 | 106 | 113 | 114);
    Some(PullControl {
        bank,
        enable,
        enable_strong,
        select: (!is_i2c).then(|| at(select, bit)),
    })
}

/// One bank.
pub struct Iocfg {
    bank: Bank,
    /// Offset and value of every register that exists.
    values: Vec<(u32, u32)>,
}

impl Iocfg {
    /// A bank with its pads as they are after power-on.
    pub fn new(bank: Bank) -> Self {
        let offsets = bank.registers().iter().chain(bank.plain_registers());
        let mut iocfg = Iocfg {
            bank,
            values: offsets.map(|&offset| (offset, 0)).collect(),
        };
        iocfg.load_reset_values();
        iocfg
    }

    fn load_reset_values(&mut self) {
        for (offset, value) in &mut self.values {
            *value = if self.bank.input_enables().contains(offset) {
                u32::MAX
            } else {
                0
            };
        }
        for (pin, &pull) in (0u8..).zip(RESET_PULLS) {
            let Some(control) = pull_control(pin).filter(|control| control.bank == self.bank)
            else {
                continue;
            };
            if matches!(pull, b'U' | b'D') {
                self.set_bit(control.enable);
            }
            if let (b'U', Some(select)) = (pull, control.select) {
                self.set_bit(select);
            }
        }
    }

    fn value_mut(&mut self, register: u32) -> Option<&mut u32> {
        self.values
            .iter_mut()
            .find(|(offset, _)| *offset == register)
            .map(|(_, value)| value)
    }

    fn set_bit(&mut self, at: Bit) {
        if let Some(value) = self.value_mut(at.register) {
            *value |= 1 << at.bit;
        }
    }

    fn bit(&self, at: Bit) -> bool {
        self.values
            .iter()
            .any(|&(offset, value)| offset == at.register && value >> at.bit & 1 != 0)
    }

    /// The pull of a pin at present; `None` if the pin is not in this bank.
    pub fn pull(&self, pin: u8) -> Option<Pull> {
        let control = pull_control(pin).filter(|control| control.bank == self.bank)?;
        let enabled =
            self.bit(control.enable) || control.enable_strong.is_some_and(|at| self.bit(at));
        Some(
            match (enabled, control.select.is_none_or(|at| self.bit(at))) {
                (false, _) => Pull::None,
                (true, true) => Pull::Up,
                (true, false) => Pull::Down,
            },
        )
    }

    /// Puts the pulls of this bank's pads on the wires.
    fn drive(&self, cx: &mut Context<'_>) {
        for (pin, wire) in (0u8..).zip(&mut cx.signals.pin_pull) {
            match self.pull(pin) {
                Some(Pull::Up) => *wire = Some(true),
                Some(Pull::Down) => *wire = Some(false),
                Some(Pull::None) => *wire = None,
                None => {}
            }
        }
    }

    /// The value register that an offset belongs to, and what a write does.
    fn decode(&self, offset: u32) -> Option<(u32, Access)> {
        if self.bank.plain_registers().contains(&offset) {
            return Some((offset, Access::Value));
        }
        let register = offset & !0xf;
        let access = match offset & 0xf {
            0x0 => Access::Value,
            0x4 => Access::Set,
            0x8 => Access::Clear,
            _ => return None,
        };
        self.bank
            .registers()
            .contains(&register)
            .then_some((register, access))
    }
}

impl Block for Iocfg {
    fn name(&self) -> &'static str {
        self.bank.name()
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        let name = self.bank.name();
        if !check_width(name, offset, size, &[4], cx) {
            return 0;
        }
        match self.decode(offset) {
            Some((register, Access::Value)) => self.value_mut(register).map_or(0, |value| *value),
            Some(_) => write_only(name, offset, "a SET or CLR alias", cx),
            None => cx.unknown_register(name, offset, false),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        let name = self.bank.name();
        if !check_width(name, offset, size, &[4], cx) {
            return;
        }
        match self.decode(offset) {
            Some((register, access)) => {
                if let Some(old) = self.value_mut(register) {
                    *old = access.apply(*old, value);
                }
                if self.bank.pull_registers().contains(&register) {
                    self.drive(cx);
                }
            }
            None => {
                cx.unknown_register(name, offset, true);
            }
        }
    }

    fn reset(&mut self, _kind: Reset, cx: &mut Context<'_>) {
        self.load_reset_values();
        self.drive(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{GuestError, TestWorld};

    const BANKS: [Bank; 4] = [Bank::Top, Bank::Bottom, Bank::Left, Bank::Right];

    #[test]
    fn every_pin_starts_with_its_reset_pull() {
        let banks = BANKS.map(Iocfg::new);
        for (pin, &expected) in (0u8..).zip(RESET_PULLS) {
            let pulls: Vec<Pull> = banks.iter().filter_map(|bank| bank.pull(pin)).collect();
            let expected = match expected {
                b'U' => vec![Pull::Up],
                b'D' => vec![Pull::Down],
                b'-' => vec![],
                // The MIPI pads are not in these banks.
                _ if (67..=86).contains(&pin) => vec![],
                _ => vec![Pull::None],
            };
            assert_eq!(pulls, expected, "pin {pin}");
        }
    }

    #[test]
    fn no_two_pins_share_a_bit() {
        let mut seen = std::collections::HashSet::new();
        for control in (0..154).filter_map(pull_control) {
            for at in [Some(control.enable), control.enable_strong, control.select]
                .into_iter()
                .flatten()
            {
                assert!(
                    seen.insert((control.bank.name(), at.register, at.bit)),
                    "{} {at:?}",
                    control.bank.name()
                );
            }
        }
    }

    #[test]
    fn aliases_change_the_value() {
        let mut world = TestWorld::default();
        let mut bank = Iocfg::new(Bank::Right);
        // Pin 59 (LCM reset): bit 4, pulled down at reset.
        world.write(&mut bank, 0x54, 1 << 4);
        assert_eq!(bank.pull(59), Some(Pull::Up));
        world.write(&mut bank, 0x48, 1 << 4);
        assert_eq!(bank.pull(59), Some(Pull::None));
        assert_eq!(world.read(&mut bank, 0x40) >> 4 & 1, 0);
        bank.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(bank.pull(59), Some(Pull::Down));
        assert!(world.reports.is_empty());
    }

    #[test]
    fn pulls_are_on_the_wires() {
        let mut world = TestWorld::default();
        let mut bank = Iocfg::new(Bank::Right);
        bank.reset(Reset::PowerOn, &mut world.cx());
        assert_eq!(world.signals.pin_pull[59], Some(false));
        world.write(&mut bank, 0x54, 1 << 4);
        assert_eq!(world.signals.pin_pull[59], Some(true));
        world.write(&mut bank, 0x48, 1 << 4);
        assert_eq!(world.signals.pin_pull[59], None);
        assert_eq!(world.signals.pin_pull[8], None, "another bank's");
    }

    #[test]
    fn emmc_pads_have_two_resistors() {
        let mut world = TestWorld::default();
        let mut bank = Iocfg::new(Bank::Bottom);
        world.write(&mut bank, 0x40, 0);
        assert_eq!(bank.pull(44), Some(Pull::None));
        world.write(&mut bank, 0x44, 1 << 1);
        assert_eq!(bank.pull(44), Some(Pull::Up));
    }

    #[test]
    fn tdsel_and_rdsel_are_neighbours() {
        let mut world = TestWorld::default();
        for (bank, tdsel) in [(Bank::Top, 0x60), (Bank::Bottom, 0x30), (Bank::Right, 0x30)] {
            let mut block = Iocfg::new(bank);
            world.write(&mut block, tdsel, 0xf0);
            world.write(&mut block, tdsel + 4, 0x0f);
            assert_eq!(world.read(&mut block, tdsel), 0xf0);
            assert_eq!(world.read(&mut block, tdsel + 4), 0x0f);
        }
        assert!(world.reports.is_empty());
    }

    #[test]
    fn top_drive_registers_are_neighbours() {
        let mut world = TestWorld::default();
        let mut bank = Iocfg::new(Bank::Top);
        world.write(&mut bank, 0xd0, 0x3);
        world.write(&mut bank, 0xd4, 0xc);
        assert_eq!(
            [world.read(&mut bank, 0xd0), world.read(&mut bank, 0xd4)],
            [0x3, 0xc]
        );
        assert!(world.reports.is_empty());
    }

    #[test]
    fn is_strict() {
        let mut world = TestWorld::default();
        let mut bank = Iocfg::new(Bank::Left);
        world.read(&mut bank, 0x44);
        world.write(&mut bank, 0x10, 1);
        world.write(&mut bank, 0x4c, 1);
        bank.write(0x40, 2, 1, &mut world.cx());
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        use GuestError::{AccessSize, BadValue, UnknownRegister};
        assert_eq!(
            kinds,
            [BadValue, UnknownRegister, UnknownRegister, AccessSize]
        );
    }
}
