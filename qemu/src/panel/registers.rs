//! The registers of a panel's controller as they were written, to compare with
//! what its glass needs.

use std::collections::BTreeMap;

use super::family::{Address, Effect, Family, MEMORY_ACCESS, Role};

/// Standard commands that act and leave nothing in the image, or what the
/// host may choose: NOP, reset, sleep, partial and normal mode, display on and
/// off, windows, memory access, tearing effect, brightness.
const NOT_IN_IMAGE: &[u8] = &[
    0x00, 0x01, 0x10, 0x11, 0x12, 0x13, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x3C, 0x34, 0x35, 0x44, 0x51,
    0x53, 0x55, 0x5E,
];
/// Everything as after a reset by the pin.
pub const SOFTWARE_RESET: u8 = 0x01;
/// Display inversion off and on: two commands, one setting.
const INVERSION: [u8; 2] = [0x20, 0x21];
/// Idle mode off and on, likewise.
const IDLE: [u8; 2] = [0x38, 0x39];

/// The lowest register that any maker has on the first page, but for gamma.
const FIRST_OF_MAKERS: u8 = 0xB0;
/// Bit of memory access control for the order of colours.
const BGR: u8 = 0x08;

/// A byte of a register: page, register, index (with the shift).
type Place = (u32, u8, u16);

/// Registers, from a reset on.
#[derive(Clone, Debug, Default)]
pub struct Registers {
    family: Family,
    /// Where writes go now.
    pub address: Address,
    image: BTreeMap<Place, u8>,
}

/// Whether a byte is in a register of the maker's.
fn is_makers((page, register, _): Place) -> bool {
    page != 0 || register >= FIRST_OF_MAKERS
}

/// How an image differs from the one that the glass needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Registers that spoil the picture: page and number.
    pub wrong: Vec<(u32, u8)>,
    /// Registers by which other lines are scanned than there are.
    pub size: Vec<(u32, u8)>,
    /// Registers that spoil its colours or brightness only.
    pub tint: Vec<(u32, u8)>,
}

impl Registers {
    /// After a reset.
    pub fn new(family: Family) -> Registers {
        Registers {
            family,
            ..Registers::default()
        }
    }

    /// After the writes of a table.
    pub fn after<'a>(family: Family, writes: impl Iterator<Item = &'a [u8]>) -> Registers {
        let mut registers = Registers::new(family);
        for write in writes {
            registers.write(write);
        }
        registers
    }

    /// Takes a write; the command, if it is a standard one that the panel acts
    /// by. What came before a software reset leaves no trace.
    pub fn write(&mut self, payload: &[u8]) -> Option<u8> {
        let (&command, args) = payload.split_first()?;
        match self.address.take(self.family, payload) {
            Effect::Key | Effect::Locked => None,
            Effect::Register => {
                self.store(self.address.page, command, args);
                None
            }
            Effect::Command => {
                if command == SOFTWARE_RESET {
                    *self = Registers::new(self.family);
                } else if INVERSION.contains(&command) {
                    self.store(0, INVERSION[0], &[command & 1]);
                } else if IDLE.contains(&command) {
                    self.store(0, IDLE[0], &[command & 1]);
                } else if !NOT_IN_IMAGE.contains(&command) {
                    self.store(0, command, args);
                }
                Some(command)
            }
        }
    }

    fn store(&mut self, page: u32, register: u8, args: &[u8]) {
        let shift = u16::from(self.address.shift);
        // A register without parameters is a command: that it was sent counts.
        let args = if args.is_empty() { &[0][..] } else { args };
        for (index, &byte) in (0u16..).zip(args) {
            self.image.insert((page, register, shift + index), byte);
        }
    }

    /// What differs from `needed`.
    pub fn compare(&self, needed: &Registers, tolerate: &[u8]) -> Difference {
        let mut difference = Difference::default();
        // A table for another maker's controller, which opened nothing.
        let foreign = needed.has_makers() && !self.has_makers();
        let missing = needed.image.keys();
        let extra = self.image.keys();
        for &place in missing.chain(extra) {
            if self.image.get(&place) == needed.image.get(&place) {
                continue;
            }
            let (page, register, index) = place;
            if self.is_default(place) && needed.is_default(place) {
                continue;
            }
            let role = match self.family.role(page, register, index) {
                _ if tolerate.contains(&register) => Role::Looks,
                _ if foreign && is_makers(place) => Role::Scan,
                Role::Scan if self.differs_in_order_of_colours(needed, place) => Role::Looks,
                role => role,
            };
            let list = match role {
                Role::Looks => &mut difference.tint,
                Role::Size => &mut difference.size,
                Role::Scan => &mut difference.wrong,
            };
            if !list.contains(&(page, register)) {
                list.push((page, register));
            }
        }
        difference
    }

    /// Whether any of the maker's registers was written.
    fn has_makers(&self) -> bool {
        self.image.keys().any(|&place| is_makers(place))
    }

    /// Memory access control: all of its bits but the order of colours agree.
    fn differs_in_order_of_colours(&self, needed: &Registers, place: Place) -> bool {
        let (page, register, _) = place;
        let value = |image: &BTreeMap<Place, u8>| image.get(&place).copied().unwrap_or(0);
        page == 0
            && register == MEMORY_ACCESS
            && value(&self.image) | BGR == value(&needed.image) | BGR
    }

    /// Inversion and idle mode are off after a reset, and memory access is in
    /// its plain order; writing that again changes nothing.
    fn is_default(&self, place: Place) -> bool {
        let (page, register, _) = place;
        page == 0
            && [INVERSION[0], IDLE[0], MEMORY_ACCESS].contains(&register)
            && self.image.get(&place).is_none_or(|&value| value == 0)
    }
}

impl Difference {
    /// Names of registers for a person, e.g. `"1:A0, 36"`.
    pub fn names(places: &[(u32, u8)]) -> String {
        const SHOWN: usize = 6;
        let mut names: Vec<String> = places
            .iter()
            .take(SHOWN)
            .map(|&(page, register)| match page {
                0 => format!("{register:02X}"),
                page => format!("{page:X}:{register:02X}"),
            })
            .collect();
        if places.len() > SHOWN {
            names.push(format!("{} more", places.len() - SHOWN));
        }
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_keys_decide_where_a_write_goes() {
        let awake = |family: Family, writes: &[&[u8]]| {
            let mut registers = Registers::new(family);
            let commands = writes.iter().filter_map(|write| registers.write(write));
            commands.collect::<Vec<u8>>()
        };
        // On another page 11 is a register like any other.
        let page = [0xFF, 0xFF, 0x98, 0x06, 0x04, 0x06];
        assert_eq!(awake(Family::IlitekPage, &[&page, &[0x11]]), [0; 0]);
        assert_eq!(
            awake(Family::IlitekPage, &[&[0xFF, 0x98, 0x81, 0], &[0x11]]),
            [0x11]
        );
        assert_eq!(awake(Family::Orise, &[&[0x00, 0x80], &[0x11, 0]]), [0x11]);
        let differs = |family: Family, one: &[&[u8]], other: &[&[u8]]| {
            let one = Registers::after(family, one.iter().copied());
            let other = Registers::after(family, other.iter().copied());
            let Difference { wrong, size, tint } = one.compare(&other, &[]);
            [wrong, size, tint].concat()
        };
        let key: &[u8] = &[0xB9, 0xFF, 0x83, 0x79];
        let register: &[u8] = &[0xB1, 1];
        assert_eq!(differs(Family::Himax, &[register], &[]), [], "locked");
        assert_eq!(
            differs(Family::Himax, &[key, register], &[key]),
            [(0, 0xB1)]
        );
        let banks: [&[u8]; 2] = [&[0xFF, 0x77, 1, 0, 0, 0x10], &[0xFF, 0x77, 1, 0, 0, 0x11]];
        assert_eq!(
            differs(
                Family::Sitronix,
                &[banks[0], &[0xC0, 1]],
                &[banks[1], &[0xC0, 1]]
            ),
            [(0x10, 0xC0), (0x11, 0xC0)]
        );
        let pages: [&[u8]; 2] = [
            &[0xF0, 0x55, 0xAA, 0x52, 8, 0],
            &[0xF0, 0x55, 0xAA, 0x52, 8, 1],
        ];
        assert_eq!(
            differs(
                Family::Novatek,
                &[pages[0], &[0xB6, 1]],
                &[pages[1], &[0xB6, 1]]
            ),
            [(1, 0xB6), (0, 0xB6)]
        );
        // Two bytes at once, or one by one with the shift: the same registers.
        let orise: [&[u8]; 4] = [&[0, 0], &[0xFF, 0x80, 9, 1], &[0, 0x80], &[0xFF, 0x80, 9]];
        let once = [&orise[..], &[&[0, 0x10], &[0xC5, 1, 2]]].concat();
        let twice = [
            &orise[..],
            &[&[0, 0x10], &[0xC5, 1], &[0, 0x11], &[0xC5, 2]],
        ]
        .concat();
        assert_eq!(differs(Family::Orise, &once, &twice), []);
        assert_eq!(differs(Family::Renesas, &[&[0xB0, 3], register], &[]), []);
        // What a software reset undoes was never written.
        let undone: &[&[u8]] = &[&[0xB1, 1], &[0x01], &[0xB2, 1]];
        assert_eq!(differs(Family::Dcs, undone, &[&[0xB2, 1]]), []);
        // Inversion is one setting; off is how a reset leaves it.
        assert_eq!(differs(Family::Dcs, &[&[0x20]], &[]), []);
        assert_eq!(differs(Family::Dcs, &[&[0x36, 0]], &[]), []);
        assert_eq!(differs(Family::Dcs, &[&[0x21]], &[]), [(0, 0x20)]);
    }

    #[test]
    fn the_glass_s_own_wiring_matters_more_than_its_colours() {
        let differ = |family: Family, one: &[&[u8]], other: &[&[u8]]| {
            let one = Registers::after(family, one.iter().copied());
            let other = Registers::after(family, other.iter().copied());
            one.compare(&other, &[])
        };
        let key: &[u8] = &[0xB9, 0xFF, 0x83, 0x79];
        let himax = |one: &[u8], other: &[u8]| differ(Family::Himax, &[key, one], &[key, other]);
        assert_eq!(himax(&[0xB6, 1], &[0xB6, 2]).tint, [(0, 0xB6)]);
        assert_eq!(himax(&[0xB2, 1], &[0xB2, 2]).size, [(0, 0xB2)]);
        assert_eq!(himax(&[0xCC, 1], &[0xCC, 2]).wrong, [(0, 0xCC)]);
        // A pulse that comes sooner, and another pin.
        assert_eq!(himax(&[0xD5, 1], &[0xD5, 2]).tint, [(0, 0xD5)]);
        let map = [0xD5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x23];
        assert_eq!(
            himax(&map, &[&map[..11], &[0x32]].concat()).wrong,
            [(0, 0xD5)]
        );
        // Red for blue is a picture, upside down is none.
        let dcs = |one, other| differ(Family::Dcs, &[&[0x36, one]], &[&[0x36, other]]);
        assert_eq!(dcs(0x08, 0x00).tint, [(0, 0x36)]);
        assert_eq!(dcs(0xC8, 0x00).wrong, [(0, 0x36)]);
        // What is not known of a maker is taken for the worst.
        let b1 = differ(Family::Dcs, &[&[0xB1, 1]], &[&[0xB1, 2]]);
        assert_eq!(b1.wrong, [(0, 0xB1)]);
    }
}
