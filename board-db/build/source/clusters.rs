//! Which panels' tables show each other's pictures.
//!
//! A person who looks for the right one among many that answer alike need not
//! see them all: tables that drive the same pins of the controller with the
//! same gate signals show a picture on each other's glass, with other colours
//! at most, or with a few lines more or less. Such tables make one cluster,
//! of which one is shown first.
//!
//! What must agree: the bus, how the controller is written to, columns, lanes, pixel
//! format, video or command mode, the map of gate signals to pins, and the
//! direction of scan. What need not: gamma, supplies, VCOM, source driver,
//! timing, number of lines. Registers by the makers' public data sheets; of a
//! maker that is not listed everything but the gamma curves must agree.

use crate::source::buses::Bus;
use crate::source::panels::{Mode, PanelToml};
use crate::source::script::payloads;
use std::collections::BTreeMap;

/// How a controller takes its registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Manner {
    /// Registers and nothing else.
    Plain,
    /// `00 n` shifts the addresses of what follows.
    Orise,
    /// Pages by `F0 55 AA 52 08 n`.
    Novatek,
    /// Pages by `FF FF 98 06 04 n`; the older parts have none.
    Ilitek,
    /// One set, opened by `B9 FF 83`.
    Himax,
    /// Banks by `FF 77 01 00 00 n`.
    Sitronix,
}

/// First bytes of the write by which each is known.
const KEYS: &[(&[u8], Manner)] = &[
    (&[0xB9, 0xFF, 0x83], Manner::Himax),
    (&[0xF0, 0x55, 0xAA, 0x52], Manner::Novatek),
    (&[0xFF, 0xFF, 0x98], Manner::Ilitek),
    (&[0xFF, 0x77, 0x01], Manner::Sitronix),
    (&[0xFF, 0x80], Manner::Orise),
    (&[0xFF, 0x96], Manner::Orise),
];

/// Sleep, display on and off, windows, tearing effect, brightness: what acts
/// and leaves nothing.
const NO_SETTING: &[u8] = &[
    0x00, 0x01, 0x10, 0x11, 0x12, 0x13, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x34, 0x35, 0x38, 0x39, 0x3C,
    0x44, 0x51, 0x53, 0x55, 0x5E,
];
/// Memory access control and its bit for the order of colours.
const MEMORY_ACCESS: u8 = 0x36;
const BGR: u8 = 0x08;

/// Page, register and index of a byte.
type Place = (u8, u8, usize);

/// What two panels of one cluster have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Glass {
    dsi: bool,
    manner: Manner,
    width: u16,
    lanes: u8,
    format: u8,
    command: bool,
    scan: BTreeMap<Place, u8>,
}

/// The cluster of each row, numbered from 0 in the order of the rows.
pub fn clusters<'a>(panels: impl Iterator<Item = (&'a PanelToml, &'a [u8])>) -> Vec<u16> {
    let mut known: BTreeMap<Glass, u16> = BTreeMap::new();
    panels
        .map(|(row, init)| {
            let next = known.len() as u16;
            *known.entry(Glass::of(row, init)).or_insert(next)
        })
        .collect()
}

impl Glass {
    fn of(row: &PanelToml, init: &[u8]) -> Self {
        let writes = payloads(init);
        let manner = writes
            .iter()
            .find_map(|write| KEYS.iter().find(|(key, _)| write.starts_with(key)))
            .map_or(Manner::Plain, |&(_, manner)| manner);
        let mut scan = BTreeMap::new();
        let (mut page, mut shift) = (0, 0);
        for write in writes {
            let [register, bytes @ ..] = write else {
                continue;
            };
            match (manner, write) {
                (Manner::Orise, [0x00, by, ..]) => shift = usize::from(*by),
                (Manner::Novatek, [0xF0, 0x55, 0xAA, 0x52, _, to, ..])
                | (Manner::Ilitek, [0xFF, 0xFF, 0x98, 0x06, 0x04, to, ..])
                | (Manner::Sitronix, [0xFF, 0x77, 0x01, _, _, to, ..]) => page = *to,
                (Manner::Ilitek, [0xFF, ..]) => page = 0,
                (Manner::Himax, [0xB9, ..]) | (Manner::Orise, [0xFF, ..]) => {}
                _ => {
                    // Standard commands are the same on all pages.
                    let paged = manner == Manner::Ilitek || *register != MEMORY_ACCESS;
                    let page = if paged { page } else { 0 };
                    for (index, &byte) in bytes.iter().enumerate() {
                        let place = (page, *register, shift + index);
                        if let Some(byte) = manner.scanned(place, byte) {
                            scan.insert(place, byte);
                        }
                    }
                }
            }
        }
        // The plain order is also what a reset leaves.
        scan.retain(|&(page, register, _), byte| (page, register, *byte) != (0, MEMORY_ACCESS, 0));
        Self {
            dsi: row.bus == Bus::Dsi,
            manner,
            width: row.width,
            lanes: row.lanes,
            format: row.format as u8,
            command: row.mode == Mode::Command,
            scan,
        }
    }
}

impl Manner {
    /// What of a byte must agree; `None`: it need not.
    fn scanned(self, (page, register, index): Place, byte: u8) -> Option<u8> {
        let standard = self != Self::Ilitek || page == 0;
        if standard && register == MEMORY_ACCESS {
            return (index == 0).then_some(byte & !BGR);
        }
        let scan = match self {
            Self::Plain => {
                !NO_SETTING.contains(&register)
                    && !matches!(register, 0x20 | 0x21 | 0x26 | 0x3A | 0xE0..=0xE2)
            }
            // From CCB0 on: upwards.
            Self::Orise => register == 0xCC && index < 0xB0,
            Self::Novatek => match page {
                0 => register == 0xB1 && index == 1,
                3 => register >= 0xA0,
                5 | 6 => true,
                _ => false,
            },
            Self::Ilitek => match page {
                0 => matches!(register, 0xBD | 0xBE),
                1 => register == 0x22,
                6 => matches!(register, 0x20..=0x27 | 0x30..=0x40),
                _ => false,
            },
            // Before the map: pulses.
            Self::Himax => register == 0xCC || register == 0xD5 && index >= 10,
            Self::Sitronix => page == 0x11 && matches!(register, 0xE0..=0xEF),
        };
        scan.then_some(byte)
    }
}
