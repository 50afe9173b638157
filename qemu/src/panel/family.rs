//! What controllers of a maker do with the bytes of a write before they reach
//! a register: unlock keys, pages, address shift.
//!
//! Source: facts/display.md 5.2, 5.5; facts/panels.md for the writes of the
//! vendor tables.

use serde::Deserialize;

/// A maker's manner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// None: every register is where its number says.
    #[default]
    Dcs,
    /// Orise and FocalTech: command 00 shifts the address of what follows; FF
    /// unlocks the maker's registers.
    Orise,
    /// Novatek and Raydium: F0 55 AA 52 08 and a page.
    Novatek,
    /// Ilitek: FF FF 98 06 04 or FF 98 81 and a page; standard commands are on
    /// page 0 only.
    IlitekPage,
    /// Himax: B9 FF 83 and the type unlocks.
    Himax,
    /// Renesas and Synaptics: B0 04 unlocks.
    Renesas,
    /// Sitronix: FF 77 01 00 00 and a bank.
    Sitronix,
    /// Later Novatek: FF and a page; standard commands are on page 0 only.
    PageFf,
    /// Later Raydium: FE and a page; standard commands are on page 0 only.
    PageFe,
}

/// Memory access control: the order of pixels, and the way of the scan.
pub const MEMORY_ACCESS: u8 = 0x36;
/// The first of the registers that belong to the maker.
const MAKERS: u8 = 0xB0;
/// Orise's begin lower.
const ORISE_MAKERS: u8 = 0xA0;
/// Page of the standard commands where they are not on page 0 (NT35350).
const STANDARD_SET: u32 = 0x10;
/// Bit of a bank that turns Sitronix' second command set on.
const SITRONIX_ON: u8 = 0x10;

/// Where the next write goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Page or bank; 0 after a reset.
    pub page: u32,
    /// The maker's registers can be written.
    pub unlocked: bool,
    /// Orise's address shift.
    pub shift: u8,
    /// Orise's second key.
    orise_mode: bool,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A standard command: the panel acts by it.
    Command,
    /// A register of the maker, or of a page, takes it.
    Register,
    /// It was an unlock key, a page or a shift.
    Key,
    /// The register is locked: nothing happens.
    Locked,
}

impl Address {
    /// Takes a write and says what it is. An empty payload is nothing.
    pub fn take(&mut self, family: Family, payload: &[u8]) -> Effect {
        let Some((&command, args)) = payload.split_first() else {
            return Effect::Key;
        };
        match family {
            Family::Dcs => {
                if command >= MAKERS {
                    Effect::Register
                } else {
                    Effect::Command
                }
            }
            Family::Orise => self.orise(command, args),
            Family::Novatek => self.novatek(command, args),
            Family::IlitekPage => self.ilitek(command, args),
            Family::Himax => {
                if command == 0xB9 {
                    self.unlocked = args.starts_with(&[0xFF, 0x83]);
                    return Effect::Key;
                }
                self.guarded(command, MAKERS)
            }
            Family::Renesas => {
                if command == 0xB0 {
                    self.unlocked = matches!(args, [0x00 | 0x04, ..]);
                    return Effect::Key;
                }
                self.guarded(command, MAKERS)
            }
            Family::Sitronix => self.sitronix(command, args),
            Family::PageFf => self.paged(0xFF, command, args),
            Family::PageFe => self.paged(0xFE, command, args),
        }
    }

    fn guarded(&self, command: u8, first: u8) -> Effect {
        if command < first {
            Effect::Command
        } else if self.unlocked {
            Effect::Register
        } else {
            Effect::Locked
        }
    }

    fn orise(&mut self, command: u8, args: &[u8]) -> Effect {
        match (command, args) {
            (0x00, [shift, ..]) => {
                self.shift = *shift;
                Effect::Key
            }
            (0xFF, [_, _, enable, ..]) if self.shift == 0 => {
                self.unlocked = *enable == 0x01;
                Effect::Key
            }
            (0xFF, [_, _, ..]) if self.shift == 0x80 => {
                self.orise_mode = self.unlocked;
                Effect::Key
            }
            (ORISE_MAKERS.., _) if !(self.unlocked && self.orise_mode) => Effect::Locked,
            (ORISE_MAKERS.., _) => Effect::Register,
            _ => Effect::Command,
        }
    }

    fn novatek(&mut self, command: u8, args: &[u8]) -> Effect {
        if command == 0xF0 && args.starts_with(&[0x55, 0xAA, 0x52]) {
            self.unlocked = args.get(3) == Some(&0x08);
            self.page = u32::from(args.get(4).copied().unwrap_or(0));
            return Effect::Key;
        }
        // FF opens a third set of test registers; it has no lock of its own.
        if command == 0xFF {
            return Effect::Register;
        }
        self.guarded(command, MAKERS)
    }

    fn ilitek(&mut self, command: u8, args: &[u8]) -> Effect {
        if command == 0xFF {
            match args {
                [0xFF, 0x98, 0x06, 0x04, page, ..] | [0x98, 0x81, page, ..] => {
                    self.page = u32::from(*page);
                }
                // Parts without pages: the maker's registers open.
                _ => self.page = 0,
            }
            self.unlocked = true;
            return Effect::Key;
        }
        if self.page != 0 {
            return Effect::Register;
        }
        self.guarded(command, MAKERS)
    }

    fn paged(&mut self, key: u8, command: u8, args: &[u8]) -> Effect {
        match (command, args) {
            (_, [page]) if command == key => {
                // Page 0 by another name.
                self.page = match u32::from(*page) {
                    STANDARD_SET => 0,
                    page => page,
                };
                Effect::Key
            }
            _ if self.page == 0 && command < MAKERS => Effect::Command,
            _ => Effect::Register,
        }
    }

    fn sitronix(&mut self, command: u8, args: &[u8]) -> Effect {
        if command == 0xFF && args.starts_with(&[0x77, 0x01, 0x00, 0x00]) {
            let bank = args.get(4).copied().unwrap_or(0);
            self.page = u32::from(bank);
            self.unlocked = bank & SITRONIX_ON != 0;
            return Effect::Key;
        }
        self.guarded(command, MAKERS)
    }
}

/// What a byte of a register does to the picture, as far as a person in front
/// of it can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Colours, brightness, contrast, flicker: gamma, supplies, VCOM, source
    /// driver, line time, the strength and length of gate pulses, the maps of
    /// scan directions that are not used.
    Looks,
    /// How many lines are scanned.
    Size,
    /// Which output carries which gate signal, in which direction; and what
    /// this model does not know. A wrong value leaves no picture.
    Scan,
}

impl Family {
    /// The role of a byte. Which output of the controller is wired to which
    /// line of the gate driver is the glass's own; what drives it how strongly
    /// and how long may differ, and the test picture is still read. Source: the
    /// makers' public data sheets (chapters on GIP, GOA or panel control; for
    /// Orise also the names in Linux' panel-orisetech-otm8009a.c).
    pub fn role(self, page: u32, register: u8, index: u16) -> Role {
        // Pixel format (what comes over the lanes is judged by itself), choice
        // of a gamma curve, inverted colours. The manner of other controllers is not known.
        if self.is_gamma(page, register)
            || self.standard_on(page) && matches!(register, 0x20 | 0x26 | 0x3A)
        {
            return Role::Looks;
        }
        let (size, scan) = match self {
            Family::Dcs | Family::Renesas | Family::PageFf | Family::PageFe => (false, true),
            // CC80 to CCAF: from top to bottom; CCB0 and on: upwards.
            Family::Orise => (register == 0xB3, register == 0xCC && index < 0xB0),
            Family::Novatek => (
                page == 0 && register == 0xB5,
                match page {
                    // Direction; Raydium's pin map, which lies below the
                    // makers' registers of other pages, too.
                    0 => register == 0xB1 && index == 1 || matches!(register, 0xA0..=0xAF),
                    3 => register >= 0xB0,
                    5 | 6 => true,
                    _ => false,
                },
            ),
            Family::IlitekPage => (
                matches!((page, register), (0, 0xF7) | (1, 0x30)),
                match page {
                    // The parts without pages have the same in two registers.
                    0 => matches!(register, 0xBD | 0xBE),
                    1 => register == 0x22,
                    6 => matches!(register, 0x20..=0x27 | 0x30..=0x40),
                    _ => false,
                },
            ),
            // D5: ten bytes of pulses, then the pin map.
            Family::Himax => (
                register == 0xB2,
                register == 0xCC || register == 0xD5 && index >= 10,
            ),
            Family::Sitronix => (
                (page, register) == (0x10, 0xC0),
                page == 0x11 && matches!(register, 0xE0..=0xEF),
            ),
        };
        if size {
            Role::Size
        } else if scan || self.standard_on(page) && register == MEMORY_ACCESS {
            Role::Scan
        } else {
            Role::Looks
        }
    }

    /// Whether a register holds a gamma curve: wrong values there change the
    /// colours and not the picture.
    pub fn is_gamma(self, page: u32, register: u8) -> bool {
        match self {
            Family::Dcs => matches!(register, 0x26 | 0xE0..=0xE2),
            Family::Orise => matches!(register, 0xE1..=0xE7),
            Family::Novatek => page == 1 && matches!(register, 0xD1..=0xD6),
            Family::IlitekPage => match page {
                0 => matches!(register, 0xE0..=0xE3),
                1 => matches!(register, 0xA0..=0xAF | 0xC0..=0xCF),
                _ => false,
            },
            Family::Himax => matches!(register, 0xC1 | 0xE0),
            Family::Renesas => matches!(register, 0xC7..=0xCC),
            Family::Sitronix => page == 0x10 && matches!(register, 0xB0 | 0xB1),
            Family::PageFf | Family::PageFe => false,
        }
    }

    /// Whether standard commands reach the panel on this page.
    pub fn standard_on(self, page: u32) -> bool {
        let paged = matches!(self, Family::IlitekPage | Family::PageFf | Family::PageFe);
        !paged || page == 0
    }
}
