//! Reads the ID of one sensor. What was written and read at an address is
//! remembered: makers keep their ID registers and the writes before them, so
//! many rows ask for the same, and each register is read once.

use super::super::line::Fault;
use super::super::{Clock, is_constant};
use super::{Asker, CameraPort};
use heapless::Vec;
use unilk_board_db::CameraRow;

/// Outcome of an ID read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is this one.
    Match,
    /// Somebody else.
    Other,
    /// Somebody who says only zeros or ones.
    Constant,
    /// Nobody.
    Absent,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    register: u16,
    /// Bytes of its number and of its contents.
    shape: (u8, u8),
}

/// What was done at one address since the release of reset.
#[derive(Default)]
pub(super) struct Memory {
    address: u8,
    /// The prelude that was written last.
    prelude: &'static [&'static [u8]],
    /// Registers that were read since.
    known: Vec<(Place, [u8; 2]), 24>,
}

impl Memory {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether the sensor must be reset before `row` is asked at `address`:
    /// somebody else's prelude was written there, and the row's does not write
    /// all the same registers anew.
    pub(super) fn disturbs(&self, row: &CameraRow, address: u8) -> bool {
        let width = usize::from(row.address_bytes);
        let anew = |before: &&[u8]| {
            let mut writes = row.prelude.iter();
            writes.any(|write| write.get(..width) == before.get(..width))
        };
        self.address == address && self.prelude != row.prelude && !self.prelude.iter().all(anew)
    }
}

impl<C: Clock, P: CameraPort> Asker<'_, C, P> {
    /// Reads the registers of the row's ID and compares.
    pub(super) async fn read_id(&mut self, row: &'static CameraRow, address: u8) -> Answer {
        if self.memory.address != address {
            self.memory.clear();
            self.memory.address = address;
        }
        let absent = |first: bool| {
            if first { Answer::Absent } else { Answer::Other }
        };
        if self.memory.prelude != row.prelude {
            self.memory.prelude = row.prelude;
            self.memory.known.clear();
            for write in row.prelude {
                let sent = self
                    .line
                    .transfer(self.port, address, write, &mut [], true)
                    .await;
                if sent.is_err() {
                    return absent(!self.line.acked.contains(address));
                }
            }
            if row.prelude_ms > 0 {
                self.wait_ms(row.prelude_ms).await;
            }
        }
        let wide = row.data_bytes >= 2;
        let mut id: u32 = 0;
        let mut raw: Vec<u8, 8> = Vec::new();
        for &register in row.registers {
            let Ok(value) = self.read(row, address, register).await else {
                return absent(!self.line.acked.contains(address));
            };
            let value = value.get(..if wide { 2 } else { 1 }).unwrap_or(&[]);
            if raw.extend_from_slice(value).is_err() {
                return Answer::Other;
            }
            id = value.iter().fold(id, |id, &byte| id << 8 | u32::from(byte));
        }
        if is_constant(&raw) {
            return Answer::Constant;
        }
        let is = |value: &u32| id & row.mask == value & row.mask;
        if row.values.iter().any(is) {
            Answer::Match
        } else {
            Answer::Other
        }
    }

    async fn read(
        &mut self,
        row: &CameraRow,
        address: u8,
        register: u16,
    ) -> Result<[u8; 2], Fault> {
        let place = Place {
            register,
            shape: (row.address_bytes, row.data_bytes),
        };
        let known = self.memory.known.iter();
        if let Some(&(_, value)) = known.clone().find(|&&(known, _)| known == place) {
            return Ok(value);
        }
        let number = register.to_be_bytes();
        let number = if row.address_bytes == 2 {
            &number[..]
        } else {
            &number[1..]
        };
        let mut value = [0; 2];
        let len = usize::from(row.data_bytes).clamp(1, 2);
        if let Some(room) = value.get_mut(..len) {
            // A STOP between them: the sensors' bus knows no repeated START.
            self.line
                .transfer(self.port, address, number, room, true)
                .await?;
        }
        // A full memory only means asking again.
        let _ = self.memory.known.push((place, value));
        Ok(value)
    }
}
