//! Pins: function, direction and level, as `embedded-hal` pins.
//!
//! A [`Pin`] exists once. It is changed only through the SET, CLR and masked
//! write aliases, so pins are independent of each other. What a pin's pad
//! does electrically is in [`pads`].
//!
//! Source: facts/soc.md 7.1 and 7.3.

pub mod pads;

pub use pads::{PadError, Pads, Pull};

use crate::reg::{Write, assert_offsets};
use core::convert::Infallible;
use embedded_hal::digital::{ErrorType, InputPin, OutputPin, PinState, StatefulOutputPin};
use volatile_register::{RO, RW, WO};

/// Pins are numbered 0 to 153; 125 does not exist.
pub const PINS: u8 = 154;
const MISSING_PIN: u8 = 125;

/// Registers of the block.
#[repr(C)]
pub struct RegisterBlock {
    /// 1 = output, a bit a pin.
    direction: [Aliased; 5],
    _reserved0: [u32; 44],
    output: [Aliased; 5],
    _reserved1: [u32; 44],
    input: [Aliased; 5],
    _reserved2: [u32; 44],
    /// A nibble a pin, function in the lower three bits.
    mode: [Mode; 20],
}

/// A register with SET and CLR aliases.
#[repr(C)]
struct Aliased {
    value: RO<u32>,
    set: WO<u32>,
    clear: WO<u32>,
    _reserved: u32,
}

/// Functions of eight pins.
#[repr(C)]
struct Mode {
    value: RW<u32>,
    set: WO<u32>,
    clear: WO<u32>,
    /// Replaces the function of each nibble written with bit 3 set.
    masked: WO<u32>,
}

assert_offsets!(RegisterBlock {
    output: 0x100,
    input: 0x200,
    mode: 0x300,
});

const MASKED_WRITE: u32 = 8;

/// The pin controller: hands out pins.
pub struct Gpio {
    regs: &'static RegisterBlock,
    taken: [u32; 5],
}

impl Gpio {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self {
            regs,
            taken: [0; 5],
        }
    }

    /// The pin with this number, unless there is none or it is in use.
    pub fn take(&mut self, number: u8) -> Option<Pin> {
        if number >= PINS || number == MISSING_PIN {
            return None;
        }
        let (bank, bit) = place(number);
        if self.taken[bank] & bit != 0 {
            return None;
        }
        self.taken[bank] |= bit;
        Some(Pin {
            regs: self.regs,
            number,
        })
    }

    /// Takes a pin back; it stays as it is.
    pub fn give_back(&mut self, pin: impl Into<Pin>) {
        let (bank, bit) = place(pin.into().number);
        self.taken[bank] &= !bit;
    }
}

/// Bank and bit of a pin.
const fn place(number: u8) -> (usize, u32) {
    (number as usize / 32, 1 << (number % 32))
}

/// One pin, as it was found.
pub struct Pin {
    regs: &'static RegisterBlock,
    number: u8,
}

impl Pin {
    /// Its number.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// Its function, 0 to 7; 0 is plain input and output.
    pub fn mode(&self) -> u8 {
        let value = self.regs.mode[usize::from(self.number / 8)].value.read();
        (value >> self.mode_shift()) as u8 & 7
    }

    /// Gives it the function `mode` (0 to 7).
    pub fn set_mode(&mut self, mode: u8) {
        let nibble = MASKED_WRITE | u32::from(mode & 7);
        self.regs.mode[usize::from(self.number / 8)]
            .masked
            .put(nibble << self.mode_shift());
    }

    /// Whether it drives.
    pub fn is_output(&self) -> bool {
        let (bank, bit) = place(self.number);
        self.regs.direction[bank].value.read() & bit != 0
    }

    /// Makes it a plain input.
    pub fn into_input(mut self) -> Input {
        let (bank, bit) = place(self.number);
        self.regs.direction[bank].clear.put(bit);
        self.set_mode(0);
        Input(self)
    }

    /// Makes it a plain output. The level is there before it drives.
    pub fn into_output(mut self, level: PinState) -> Output {
        let (bank, bit) = place(self.number);
        self.drive(level);
        self.set_mode(0);
        self.regs.direction[bank].set.put(bit);
        Output(self)
    }

    fn drive(&mut self, level: PinState) {
        let (bank, bit) = place(self.number);
        let output = &self.regs.output[bank];
        match level {
            PinState::High => output.set.put(bit),
            PinState::Low => output.clear.put(bit),
        }
    }

    /// The level at its pad, whatever its function.
    pub fn level(&self) -> bool {
        let (bank, bit) = place(self.number);
        self.regs.input[bank].value.read() & bit != 0
    }

    fn mode_shift(&self) -> u32 {
        u32::from(self.number % 8) * 4
    }
}

/// A pin that is read.
pub struct Input(Pin);

/// A pin that drives.
pub struct Output(Pin);

impl From<Input> for Pin {
    fn from(input: Input) -> Self {
        input.0
    }
}

impl From<Output> for Pin {
    fn from(output: Output) -> Self {
        output.0
    }
}

impl ErrorType for Input {
    type Error = Infallible;
}

impl InputPin for Input {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.level())
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.level())
    }
}

impl ErrorType for Output {
    type Error = Infallible;
}

impl OutputPin for Output {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.drive(PinState::Low);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.drive(PinState::High);
        Ok(())
    }
}

impl StatefulOutputPin for Output {
    fn is_set_high(&mut self) -> Result<bool, Infallible> {
        let (bank, bit) = place(self.0.number);
        Ok(self.0.regs.output[bank].value.read() & bit != 0)
    }

    fn is_set_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.is_set_high()?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::reg::{leaked, peek, poke};

    #[test]
    fn pins_exist_once() {
        let mut gpio = Gpio::new(leaked());
        let pin = gpio.take(59).unwrap();
        assert!(gpio.take(59).is_none());
        gpio.give_back(pin);
        assert!(gpio.take(59).is_some());
        assert!(gpio.take(125).is_none() && gpio.take(154).is_none());
        assert!(gpio.take(153).is_some());
    }

    #[test]
    fn mode_is_one_masked_write() {
        let regs: &RegisterBlock = leaked();
        // UART1's TX pad from the modem (5) back to the AP (1).
        regs.mode[13].value.put(0x0000_0005);
        let mut pin = Gpio::new(regs).take(104).unwrap();
        assert_eq!(pin.mode(), 5);
        pin.set_mode(1);
        assert_eq!(peek(&regs.mode[13].masked), 0x9);
        Gpio::new(regs).take(103).unwrap().set_mode(1);
        assert_eq!(peek(&regs.mode[12].masked), 0x9000_0000);
    }

    #[test]
    fn output_drives_through_the_aliases() {
        let regs: &RegisterBlock = leaked();
        let pin = Gpio::new(regs).take(129).unwrap();
        let mut out = pin.into_output(PinState::Low);
        assert_eq!(peek(&regs.output[4].clear), 1 << 1);
        assert_eq!(peek(&regs.direction[4].set), 1 << 1);
        out.set_high().unwrap();
        assert_eq!(peek(&regs.output[4].set), 1 << 1);
        poke(&regs.output[4].value, 1 << 1);
        assert!(out.is_set_high().unwrap());
    }

    #[test]
    fn input_reads_the_pad() {
        let regs: &RegisterBlock = leaked();
        let mut input = Gpio::new(regs).take(33).unwrap().into_input();
        assert_eq!(peek(&regs.direction[1].clear), 1 << 1);
        assert!(input.is_low().unwrap());
        poke(&regs.input[1].value, 1 << 1);
        assert!(input.is_high().unwrap());
    }
}
