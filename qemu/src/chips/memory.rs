//! The registers of a chip: pointer, contents, pages.
//!
//! Source: facts/i2c-touch-camera.md 3.1, 4.4.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::config::{self, Bytes, Order};

/// Contents by register; each has the data width.
type Table = HashMap<u32, Vec<u8>>;

struct Page {
    select: Vec<(u32, Vec<u8>)>,
    first: Table,
    now: Table,
}

/// The registers of one chip.
pub struct Memory {
    address_width: usize,
    data_width: usize,
    step: u32,
    order: Order,
    auto_increment: bool,
    keep_pointer: bool,
    fill: u8,
    read_only: Vec<RangeInclusive<u32>>,
    untouchable: Vec<RangeInclusive<u32>>,
    first: Table,
    now: Table,
    pages: Vec<Page>,
    pointer: u32,
    /// Byte of the present register that comes next.
    within: usize,
}

fn ranges(texts: &[String]) -> Vec<RangeInclusive<u32>> {
    texts
        .iter()
        .filter_map(|text| config::range(text))
        .collect()
}

/// The highest register whose address has so many bytes, two at most; behind
/// it comes register 0.
fn last_register(address_width: usize) -> u32 {
    (1 << (8 * address_width)) - 1
}

impl Memory {
    /// The contents that the board file states.
    pub fn new(chip: &config::Chip) -> Self {
        let step = chip.register_step();
        let width = usize::from(chip.data_width);
        let last = last_register(usize::from(chip.address_width));
        let add = |table: &mut Table, from: &std::collections::BTreeMap<String, Bytes>| {
            for (register, bytes) in from {
                let Some(mut at) = config::number(register) else {
                    continue;
                };
                for value in bytes.as_slice().chunks(width) {
                    table.insert(at, value.to_vec());
                    at = at.wrapping_add(step) & last;
                }
            }
        };
        let mut first = Table::new();
        add(&mut first, &chip.registers);
        add(&mut first, &chip.faults.wrong);
        let mut wrong = Table::new();
        add(&mut wrong, &chip.faults.wrong);
        let pages = chip.pages.iter().map(|page| {
            let mut table = Table::new();
            add(&mut table, &page.registers);
            for (register, value) in &mut table {
                // A fault that names a register means it on every page.
                if let Some(other) = wrong.get(register) {
                    value.clone_from(other);
                }
            }
            let mut select = Table::new();
            add(&mut select, &page.select);
            Page {
                select: select.into_iter().collect(),
                now: table.clone(),
                first: table,
            }
        });
        Memory {
            address_width: usize::from(chip.address_width),
            data_width: width,
            step,
            order: chip.pointer,
            auto_increment: chip.auto_increment,
            keep_pointer: chip.keep_pointer,
            fill: chip.fill,
            read_only: ranges(&chip.read_only),
            untouchable: ranges(&chip.untouchable),
            pages: pages.collect(),
            now: first.clone(),
            first,
            pointer: 0,
            within: 0,
        }
    }

    /// After a reset.
    pub fn forget(&mut self) {
        self.now.clone_from(&self.first);
        for page in &mut self.pages {
            page.now.clone_from(&page.first);
        }
        (self.pointer, self.within) = (0, 0);
    }

    /// A message begins or ends: the next byte is the first of a register.
    pub fn rewind(&mut self, stop: bool) {
        self.within = 0;
        if stop && !self.keep_pointer {
            self.pointer = 0;
        }
    }

    /// Byte `index` of a write, counted after the address. Returns the
    /// register if the byte went into one that nobody may write.
    pub fn write(&mut self, index: usize, byte: u8) -> Option<u32> {
        if index < self.address_width {
            let (index, byte) = (index as u32, u32::from(byte));
            if index == 0 {
                self.pointer = 0;
            }
            self.pointer = match self.order {
                Order::Big => self.pointer << 8 | byte,
                Order::Little => self.pointer | byte << (8 * index),
            };
            self.within = 0;
            return None;
        }
        if self.address_width == 0 {
            let closed = !self.untouchable.is_empty();
            return closed.then_some(0);
        }
        let register = self.pointer;
        let within = self.within;
        self.advance();
        if self
            .untouchable
            .iter()
            .any(|range| range.contains(&register))
        {
            return Some(register);
        }
        if !self.read_only.iter().any(|range| range.contains(&register)) {
            let (fill, width) = (self.fill, self.data_width);
            let value = match self.page_of(register) {
                Some(page) => &mut self.pages[page].now,
                None => &mut self.now,
            }
            .entry(register)
            .or_insert_with(|| vec![fill; width]);
            value[within] = byte;
        }
        None
    }

    /// The next byte of a read.
    pub fn read(&mut self) -> u8 {
        if self.address_width == 0 {
            return self.fill;
        }
        let register = self.pointer;
        let within = self.within;
        self.advance();
        match self.page_of(register) {
            Some(page) => self.pages[page].now.get(&register),
            None => self.now.get(&register),
        }
        .map_or(self.fill, |value| value[within])
    }

    /// The selected page that has `register`.
    fn page_of(&self, register: u32) -> Option<usize> {
        self.pages.iter().position(|page| {
            page.now.contains_key(&register)
                && page
                    .select
                    .iter()
                    .all(|(selector, value)| self.now.get(selector) == Some(value))
        })
    }

    fn advance(&mut self) {
        self.within += 1;
        if self.within == self.data_width {
            self.within = 0;
            if self.auto_increment {
                let last = last_register(self.address_width);
                self.pointer = self.pointer.wrapping_add(self.step) & last;
            }
        }
    }
}
