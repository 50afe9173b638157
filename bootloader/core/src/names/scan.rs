//! Strings in a kernel, compared with names.

use heapless::Vec;
use unilk_board_db::PanelRow;

/// Longest name in bytes.
pub const MAX_NAME: usize = 63;
/// Shorter words turn up by chance.
const MIN_NAME: usize = 5;
/// Bits of the filter that most strings do not pass: 2 KiB.
const FILTER_BITS: usize = 1 << 14;

/// Names to look for: those of a table's panels.
pub struct NameSet<'t> {
    panels: &'t [PanelRow],
    /// A bit for each hash of a name.
    filter: [u8; FILTER_BITS / 8],
}

impl<'t> NameSet<'t> {
    /// The names of all rows; a row may have several.
    pub fn new(panels: &'t [PanelRow]) -> Self {
        let mut filter = [0; FILTER_BITS / 8];
        for name in panels.iter().flat_map(|panel| panel.names) {
            let bit = filter_bit(name.bytes().fold(SEED, mix));
            filter[bit / 8] |= 1 << (bit % 8);
        }
        Self { panels, filter }
    }

    fn may_hold(&self, hash: u32) -> bool {
        let bit = filter_bit(hash);
        self.filter[bit / 8] >> (bit % 8) & 1 != 0
    }

    /// Rows of which `text` is a name, and that name.
    fn rows(&self, text: &[u8]) -> impl Iterator<Item = (u16, &'static str)> {
        let rows = self.panels.iter().enumerate();
        rows.filter_map(move |(row, panel)| {
            let mut names = panel.names.iter();
            let name = names.find(|name| name.as_bytes() == text)?;
            Some((row as u16, *name))
        })
    }
}

/// FNV-1a, 32 bits.
const SEED: u32 = 0x811C_9DC5;

const fn mix(hash: u32, byte: u8) -> u32 {
    (hash ^ byte as u32).wrapping_mul(0x0100_0193)
}

fn filter_bit(hash: u32) -> usize {
    (hash ^ hash >> 16) as usize % FILTER_BITS
}

/// Looks for names in a stream of bytes.
pub struct Finder<'t> {
    set: &'t NameSet<'t>,
    /// Rows found, each once.
    found: Vec<(u16, &'static str), 64>,
    /// The string that is being read; too long to be a name once full.
    text: Vec<u8, MAX_NAME>,
    hash: u32,
    /// It has a byte that no name has, or is too long.
    spoilt: bool,
}

impl<'t> Finder<'t> {
    /// Nothing read yet.
    pub const fn new(set: &'t NameSet<'t>) -> Self {
        Self {
            set,
            found: Vec::new(),
            text: Vec::new(),
            hash: SEED,
            spoilt: true,
        }
    }

    /// Rows of the table whose name was seen, in the order of sight; the
    /// first 64 of them.
    pub fn rows(&self) -> impl Iterator<Item = u16> {
        self.found.iter().map(|&(row, _)| row)
    }

    /// The names that were seen, each once.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let found = self.found.iter().enumerate();
        let first =
            |place, name| self.found.iter().position(|&(_, other)| other == name) == Some(place);
        found
            .filter(move |&(place, &(_, name))| first(place, name))
            .map(|(_, &(_, name))| name)
    }

    /// The next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == 0 {
                self.end();
            } else if !self.spoilt {
                if byte.is_ascii_graphic() && self.text.push(byte).is_ok() {
                    self.hash = mix(self.hash, byte);
                } else {
                    self.spoilt = true;
                }
            }
        }
    }

    /// A string ends here, the next one begins.
    fn end(&mut self) {
        if !self.spoilt && self.text.len() >= MIN_NAME && self.set.may_hold(self.hash) {
            for found in self.set.rows(&self.text) {
                if !self.found.contains(&found) {
                    let _ = self.found.push(found);
                }
            }
        }
        self.text.clear();
        self.hash = SEED;
        self.spoilt = false;
    }
}
