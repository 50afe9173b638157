//! The stored choice: read once, written where something new was learnt, and
//! read back.
//!
//! Source: `unilk_core::identify::store` for the layout in MISC.

use alloc::boxed::Box;

use heapless::Vec;
use unilk_core::Code;
use unilk_core::address::SECTOR_BYTES;
use unilk_core::block::{BlockDevice, ReadAt, Window};
use unilk_core::identify::store::{self, Choice, How, MAX_NAMES, SLOT_LEN, SLOTS, StoreError};
use unilk_core::identify::{RowSet, Table};

use crate::log::say;
use crate::storage::{Disk, Storage};

/// Panel, touch chip and both cameras were not found.
const ALL_ABSENT: u8 = 0b1111;

type Slots = [[u8; SLOT_LEN]; SLOTS];

/// What the phone remembers.
pub struct Stored {
    slots: Option<&'static Slots>,
    choice: Choice<'static>,
    /// Something is remembered.
    known: bool,
}

impl Stored {
    /// Nothing, and no place for it.
    pub const NOWHERE: Self = Self {
        slots: None,
        choice: Choice::EMPTY,
        known: false,
    };

    /// Reads the slots. Trouble is said and means that nothing is remembered.
    pub fn read(disk: &mut Disk) -> Self {
        let Ok((first, sectors)) = disk.table.locate("MISC") else {
            return Self::NOWHERE;
        };
        let misc_bytes = u32::try_from(sectors.saturating_mul(SECTOR_BYTES)).unwrap_or(u32::MAX);
        let offsets = match store::offsets(misc_bytes) {
            Ok(offsets) => offsets,
            Err(error) => return Self::trouble(error),
        };
        let slots: &'static mut Slots = Box::leak(Box::new([[0; SLOT_LEN]; SLOTS]));
        let mut window = Window::new(&mut disk.storage, first, sectors);
        for (slot, offset) in slots.iter_mut().zip(offsets) {
            if window.read_at(offset, slot).is_err() {
                disk.storage.explain_failure();
                return Self::NOWHERE;
            }
        }
        let slots: &'static Slots = slots;
        match store::load([&slots[0], &slots[1]]) {
            Ok(choice) => Self {
                slots: Some(slots),
                known: choice.is_some(),
                choice: choice.unwrap_or(Choice::EMPTY),
            },
            Err(error) => Self {
                slots: (error == StoreError::Damaged).then_some(slots),
                ..Self::trouble(error)
            },
        }
    }

    fn trouble(error: StoreError) -> Self {
        say!("{} {error}", error.code());
        Self::NOWHERE
    }

    /// The remembered panel as a row.
    pub fn panel(&self, table: &Table) -> Option<(u16, How)> {
        self.choice.row(table).unwrap_or(None)
    }

    /// Says that the remembered panel is none of the table's.
    pub fn complain(&self, table: &Table) {
        if let Err(error) = self.choice.row(table) {
            say!("{} {error}", error.code());
        }
    }

    fn text(text: &'static str) -> Option<&'static str> {
        Some(text).filter(|text| !text.is_empty())
    }

    /// The wiring profile by which somebody answered.
    pub fn wiring(&self) -> Option<&'static str> {
        Self::text(self.choice.wiring).filter(|_| !self.found_nothing())
    }

    /// On the last boot nobody answered: no panel, touch chip or camera.
    pub fn found_nothing(&self) -> bool {
        self.absent() == Some(ALL_ABSENT)
    }

    /// The board, if somebody named it: one that was inferred is inferred anew.
    pub fn board(&self) -> Option<&'static str> {
        Self::text(self.choice.board).filter(|_| !self.choice.inferred)
    }

    /// The touch chip.
    pub fn touch(&self) -> Option<&'static str> {
        Self::text(self.choice.touch)
    }

    /// The camera in a socket.
    pub fn camera(&self, socket: usize) -> Option<&'static str> {
        Self::text(self.choice.cameras.get(socket)?)
    }

    /// What was not there on the last boot: bit 0 panel, 1 touch, 2 main, 3
    /// sub camera; `None` if nothing is remembered.
    pub fn absent(&self) -> Option<u8> {
        self.known.then_some(self.choice.absent)
    }

    /// Panels whose drivers the kernel names that was searched once.
    pub fn kernel_rows(&self, table: &Table) -> RowSet {
        let mut rows = RowSet::EMPTY;
        for name in &self.choice.names {
            rows.add(&table.panels_by_driver(name));
        }
        rows
    }

    /// Whether this kernel was searched before.
    pub fn searched(&self, kernel: u32) -> bool {
        self.known && self.choice.kernel == kernel
    }

    /// The check value of the kernel that was searched, and its names.
    pub fn names(&self) -> (u32, Vec<&'static str, MAX_NAMES>) {
        (self.choice.kernel, self.choice.names.clone())
    }

    /// Writes `choice`, if it is new, and reads it back.
    pub fn write(&self, disk: &mut Disk, choice: &Choice<'_>) {
        let Some(slots) = self.slots else { return };
        let mut image = Box::new([0; SLOT_LEN]);
        match store::plan_write([&slots[0], &slots[1]], choice, &mut image) {
            Ok(None) => {}
            Ok(Some(slot)) => match put(disk, slot, &image) {
                Ok(true) => say!("remembered in MISC, slot {slot}"),
                Ok(false) => {
                    say!("STORE-READ MISC does not keep what is written: nothing is remembered");
                }
                Err(()) => disk.storage.explain_failure(),
            },
            Err(error) => say!("{} {error}", error.code()),
        }
    }
}

/// Writes a slot; whether it reads back as written.
fn put(disk: &mut Disk, slot: usize, image: &[u8; SLOT_LEN]) -> Result<bool, ()> {
    let (first, sectors) = disk.table.locate("MISC").map_err(|_| ())?;
    let misc_bytes = u32::try_from(sectors.saturating_mul(SECTOR_BYTES)).unwrap_or(u32::MAX);
    let offset = *store::offsets(misc_bytes)
        .map_err(|_| ())?
        .get(slot)
        .ok_or(())?;
    let place = first.offset(u64::from(offset) / SECTOR_BYTES);
    disk.storage.write_choice(place, image).map_err(|_| ())?;
    let mut back = Box::new([0; SLOT_LEN]);
    Storage::read(&mut disk.storage, place, &mut back[..]).map_err(|_| ())?;
    Ok(*back == *image)
}
