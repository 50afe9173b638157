//! Pads: pull resistors.
//!
//! Pull enable and direction are spread over four configuration blocks in an
//! order that follows the die's edge, not the pin numbers, so there is a
//! table. Three kinds of pads are special: the eMMC's are its driver's alone,
//! those shared with the parallel camera sit in the MIPI block, and
//! the MIPI lanes have no pulls at all.
//!
//! Source: facts/soc.md 7.2; facts/storage-and-images.md 8.3.

use super::{MISSING_PIN, PINS};
use crate::reg::{Update, Write, assert_offsets};
use volatile_register::{RW, WO};

/// Registers of one of the four pad blocks: 32-bit registers with SET at +4
/// and CLR at +8, sixteen bytes apart.
#[repr(C)]
pub struct IocfgBlock {
    registers: [Aliased; 17],
}

#[repr(C)]
struct Aliased {
    value: RW<u32>,
    set: WO<u32>,
    clear: WO<u32>,
    _reserved: u32,
}

/// Registers of the MIPI receiver's pads, from +0x848 of the MIPI block.
#[repr(C)]
pub struct MipiPads {
    _reserved: [u32; 0x212],
    /// Pins 73 to 78.
    main: RW<u32>,
    /// Pins 67 to 71: six bits a pin.
    rx_a: RW<u32>,
    /// Pin 72.
    rx_a5: RW<u32>,
}

assert_offsets!(MipiPads {
    main: 0x848,
    rx_a: 0x84c,
    rx_a5: 0x850,
});

/// A pad's resistor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pull {
    /// Floating.
    None,
    /// To the pad's supply.
    Up,
    /// To ground.
    Down,
}

/// Why a pad cannot be pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PadError {
    /// There is no such pin.
    NoPin,
    /// The pad has no resistor, or not in that direction.
    NoPull,
    /// The eMMC's: [`crate::msdc::connect_pads`] sets their strengths.
    Storage,
}

impl PadError {
    /// Short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoPin => "PAD-PIN",
            Self::NoPull => "PAD-PULL",
            Self::Storage => "PAD-EMMC",
        }
    }
}

/// The four pad blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Top,
    Bottom,
    Left,
    Right,
}

/// A run of pins whose bits follow each other.
struct Run {
    first: u8,
    last: u8,
    edge: Edge,
    /// Index of the pull enable register (its offset / 16).
    enable: u8,
    /// Index of the pull direction register.
    select: u8,
    /// Bit of the first pin in both.
    bit: u8,
}

const fn run(first: u8, last: u8, edge: Edge, enable: u8, select: u8, bit: u8) -> Run {
    Run {
        first,
        last,
        edge,
        enable,
        select,
        bit,
    }
}

/// Every pin with ordinary pulls.
const RUNS: [Run; 13] = [
    run(0, 6, Edge::Left, 4, 6, 0),
    run(7, 7, Edge::Left, 4, 6, 11),
    run(8, 11, Edge::Left, 4, 6, 7),
    run(12, 13, Edge::Left, 4, 6, 12),
    run(14, 39, Edge::Left, 5, 7, 0),
    run(40, 43, Edge::Bottom, 4, 5, 21),
    run(55, 66, Edge::Right, 4, 5, 0),
    run(87, 106, Edge::Right, 4, 5, 12),
    run(107, 114, Edge::Top, 7, 10, 0),
    run(130, 153, Edge::Top, 7, 10, 8),
    run(128, 129, Edge::Top, 8, 11, 0),
    run(115, 124, Edge::Top, 9, 12, 0),
    run(126, 127, Edge::Top, 9, 12, 11),
];

/// eMMC clock, command, data and reset: their resistors have strengths that
/// fit the bus, and a probe has no business there.
const EMMC_FIRST: u8 = 44;
const EMMC_LAST: u8 = 54;
/// I2C pads are open drain with an external resistor: no direction.
const NO_SELECT: [u8; 4] = [105, 106, 113, 114];

/// Where a pad's bits are.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    edge: Edge,
    enable: usize,
    select: usize,
    /// The same in both registers.
    bit: u32,
}

fn locate(pin: u8) -> Option<Place> {
    let run = RUNS
        .iter()
        .find(|run| (run.first..=run.last).contains(&pin))?;
    let bit = 1 << (run.bit + pin - run.first);
    Some(Place {
        edge: run.edge,
        enable: usize::from(run.enable),
        select: usize::from(run.select),
        bit,
    })
}

/// The pads of the chip.
pub struct Pads {
    /// Blocks T, B, L and R.
    edges: [&'static IocfgBlock; 4],
    mipi: &'static MipiPads,
}

impl Pads {
    /// The driver of the blocks T, B, L and R, and the MIPI block.
    pub const fn new(edges: [&'static IocfgBlock; 4], mipi: &'static MipiPads) -> Self {
        Self { edges, mipi }
    }

    /// Sets the resistor of a pin's pad.
    pub fn set_pull(&mut self, pin: u8, pull: Pull) -> Result<(), PadError> {
        match pin {
            MISSING_PIN | PINS.. => Err(PadError::NoPin),
            EMMC_FIRST..=EMMC_LAST => Err(PadError::Storage),
            67..=72 => {
                self.set_mipi_pull(pin, pull);
                Ok(())
            }
            73..=86 => match pull {
                Pull::None => Ok(()),
                Pull::Up | Pull::Down => Err(PadError::NoPull),
            },
            _ => self.set_plain_pull(pin, pull),
        }
    }

    fn set_plain_pull(&mut self, pin: u8, pull: Pull) -> Result<(), PadError> {
        if pull == Pull::Down && NO_SELECT.contains(&pin) {
            return Err(PadError::NoPull);
        }
        let place = locate(pin).ok_or(PadError::NoPull)?;
        let registers = &self.edges[place.edge as usize].registers;
        let (enable, select) = (&registers[place.enable], &registers[place.select]);
        match pull {
            Pull::None => {
                enable.clear.put(place.bit);
                return Ok(());
            }
            // Direction first: an enabled pad must not jerk the other way.
            Pull::Up if NO_SELECT.contains(&pin) => {}
            Pull::Up => select.set.put(place.bit),
            Pull::Down => select.clear.put(place.bit),
        }
        enable.set.put(place.bit);
        Ok(())
    }

    /// Pins 67 to 72: up and down have a bit each, beside the input buffer's,
    /// and no aliases, so the neighbours are kept by hand.
    fn set_mipi_pull(&mut self, pin: u8, pull: Pull) {
        let (register, shift) = if pin == 72 {
            (&self.mipi.rx_a5, 0)
        } else {
            (&self.mipi.rx_a, 6 * u32::from(pin - 67))
        };
        let bits = match pull {
            Pull::None => 0,
            Pull::Up => 1 << 2,
            Pull::Down => 1 << 3,
        };
        register.update(|value| value & !(0b11 << 2 << shift) | bits << shift);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::reg::{leaked, peek};

    fn pads() -> (Pads, [&'static IocfgBlock; 4], &'static MipiPads) {
        let edges = [leaked(), leaked(), leaked(), leaked()];
        let mipi = leaked();
        (Pads::new(edges, mipi), edges, mipi)
    }

    #[test]
    fn every_pin_has_one_place_or_none() {
        let mut seen = Vec::new();
        for pin in (0..PINS).filter(|&pin| {
            pin != MISSING_PIN
                && !(EMMC_FIRST..=EMMC_LAST).contains(&pin)
                && !(67..=86).contains(&pin)
        }) {
            let place = locate(pin).unwrap_or_else(|| panic!("pin {pin} has no place"));
            let key = (place.edge as u8, place.enable, place.bit);
            assert!(!seen.contains(&key), "pin {pin} shares its bit");
            seen.push(key);
        }
        assert!(locate(MISSING_PIN).is_none());
    }

    #[test]
    fn places_of_the_facts() {
        let (mut pads, edges, _) = pads();
        let [top, bottom, left, right] = edges;
        pads.set_pull(7, Pull::Up).unwrap();
        assert_eq!(peek(&left.registers[4].set), 1 << 11);
        assert_eq!(peek(&left.registers[6].set), 1 << 11);
        pads.set_pull(107, Pull::Down).unwrap();
        assert_eq!(peek(&top.registers[10].clear), 1);
        assert_eq!(peek(&top.registers[7].set), 1);
        pads.set_pull(87, Pull::None).unwrap();
        assert_eq!(peek(&right.registers[4].clear), 1 << 12);
        assert_eq!(pads.set_pull(45, Pull::Up), Err(PadError::Storage));
        assert_eq!(pads.set_pull(54, Pull::None), Err(PadError::Storage));
        assert_eq!(peek(&bottom.registers[4].set), 0);
        assert_eq!(peek(&bottom.registers[4].clear), 0);
    }

    #[test]
    fn mipi_pads_keep_their_neighbours() {
        let (mut pads, _, mipi) = pads();
        mipi.rx_a.put(0x3fff_ffff);
        pads.set_pull(68, Pull::Down).unwrap();
        assert_eq!(mipi.rx_a.read(), 0x3fff_ffff & !(1 << 8));
        pads.set_pull(72, Pull::Up).unwrap();
        assert_eq!(mipi.rx_a5.read(), 1 << 2);
    }

    #[test]
    fn impossible_pulls_are_refused() {
        let (mut pads, ..) = pads();
        assert_eq!(pads.set_pull(80, Pull::Up), Err(PadError::NoPull));
        assert_eq!(pads.set_pull(80, Pull::None), Ok(()));
        assert_eq!(pads.set_pull(125, Pull::None), Err(PadError::NoPin));
        assert_eq!(pads.set_pull(200, Pull::Up), Err(PadError::NoPin));
        assert_eq!(pads.set_pull(105, Pull::Down), Err(PadError::NoPull));
    }
}
