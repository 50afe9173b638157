//! The eMMC's pads: function, resistors and drive.
//!
//! The preloader has used them, so normally they are set up and nothing is
//! written: drive and resistors are the board's own (facts/soc.md 8.4), and
//! weaker ones would show at 52 MHz DDR first. Only pads that nobody has
//! connected get ours, for images that are started by other means.
//!
//! Source: facts/storage-and-images.md 8.3; facts/soc.md 7.1 and 7.2.

use crate::gpio::Gpio;
use crate::reg::{Write, assert_offsets};
use volatile_register::{RO, WO};

/// The registers of pad bank "B" that belong to the eMMC.
#[repr(C)]
pub struct PadRegisters {
    _reserved: [u32; 16],
    /// Two bits a pad: 1, 2, 3 for 50, 10, 8 kOhm.
    pull_enable: Aliased,
    /// 1 is up.
    pull_select: Aliased,
    /// Steps of 2 mA: [2:0] CLK, CMD, DAT0 to 3, [5:3] DAT4 to 7.
    drive: Aliased,
}

#[repr(C)]
struct Aliased {
    value: RO<u32>,
    set: WO<u32>,
    clear: WO<u32>,
    _reserved: u32,
}

assert_offsets!(PadRegisters {
    pull_enable: 0x40,
    pull_select: 0x50,
    drive: 0x60,
});

impl Aliased {
    /// Gives the bits of `mask` the value `bits`, and touches no others.
    fn change(&self, mask: u32, bits: u32) {
        let differ = (self.value.read() ^ bits) & mask;
        if differ & !bits != 0 {
            self.clear.put(differ & !bits);
        }
        if differ & bits != 0 {
            self.set.put(differ & bits);
        }
    }
}

/// CLK, CMD, DAT0 to DAT7, RST_n.
const FIRST_PIN: u8 = 44;
const LAST_PIN: u8 = 54;
const MODE_MSDC0: u8 = 1;
const PULL_ENABLE_MASK: u32 = 0x1f_ffff;
/// 10 kOhm on CLK, 50 kOhm on all others.
const PULL_ENABLE: u32 = 0x15_5556;
const PULL_SELECT_MASK: u32 = 0x7ff;
/// All up but CLK.
const PULL_SELECT: u32 = 0x7fe;
const DRIVE_MASK: u32 = 0x3f;
/// 6 mA on all lines.
const DRIVE: u32 = 2 << 3 | 2;

/// Somebody else uses one of the eMMC's pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PinTaken {
    /// Number of the pin.
    pub pin: u8,
}

impl PinTaken {
    /// Stable short code for screen and log.
    pub const fn code(self) -> &'static str {
        "MSDC-PIN"
    }
}

/// Connects the eMMC's pads to MSDC0 and keeps their pins taken, so that no
/// probing can reach them.
pub fn connect_pads(gpio: &mut Gpio, pads: &PadRegisters) -> Result<(), PinTaken> {
    let mut as_found = true;
    for number in FIRST_PIN..=LAST_PIN {
        let mut pin = gpio.take(number).ok_or(PinTaken { pin: number })?;
        if pin.mode() == MODE_MSDC0 {
            continue;
        }
        if as_found {
            // Before the first pad is connected.
            pads.pull_select.change(PULL_SELECT_MASK, PULL_SELECT);
            pads.pull_enable.change(PULL_ENABLE_MASK, PULL_ENABLE);
            pads.drive.change(DRIVE_MASK, DRIVE);
            as_found = false;
        }
        pin.set_mode(MODE_MSDC0);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::reg::{leaked, peek, poke};

    /// Pins 40 to 55 in mode 1.
    fn as_the_preloader_leaves_them() -> &'static crate::gpio::RegisterBlock {
        let block: &'static crate::gpio::RegisterBlock = leaked();
        let registers = core::ptr::from_ref(block).cast::<RO<u32>>();
        for offset in [0x350, 0x360] {
            // SAFETY: the two mode registers lie inside the block.
            poke(unsafe { &*registers.add(offset / 4) }, 0x1111_1111);
        }
        block
    }

    #[test]
    fn pads_that_are_connected_are_left_alone() {
        let pads: &PadRegisters = leaked();
        // A board of its own: 10 mA, which is stronger than ours.
        poke(&pads.drive.value, 4 << 3 | 4);
        connect_pads(&mut Gpio::new(as_the_preloader_leaves_them()), pads).unwrap();
        for register in [&pads.pull_enable, &pads.pull_select, &pads.drive] {
            assert_eq!((peek(&register.set), peek(&register.clear)), (0, 0));
        }
    }

    #[test]
    fn pads_out_of_reset_get_resistors_and_drive() {
        let pads: &PadRegisters = leaked();
        poke(&pads.pull_select.value, 1);
        poke(&pads.drive.value, 0b111_000);
        connect_pads(&mut Gpio::new(leaked()), pads).unwrap();
        assert_eq!(peek(&pads.pull_enable.set), 0x15_5556);
        assert_eq!(peek(&pads.pull_select.set), 0x7fe);
        assert_eq!(peek(&pads.pull_select.clear), 1);
        assert_eq!(peek(&pads.drive.clear), 0b101_000);
        assert_eq!(peek(&pads.drive.set), 0b000_010);
    }

    #[test]
    fn the_pins_are_taken_for_good() {
        let mut gpio = Gpio::new(leaked());
        connect_pads(&mut gpio, leaked()).unwrap();
        assert!(gpio.take(44).is_none() && gpio.take(54).is_none());
        assert!(gpio.take(43).is_some() && gpio.take(55).is_some());
        assert_eq!(connect_pads(&mut gpio, leaked()), Err(PinTaken { pin: 44 }));
    }
}
