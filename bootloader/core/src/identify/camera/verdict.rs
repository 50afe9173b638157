//! What is said of a camera socket.

use super::super::report::{Kind, Record, Recorder};
use super::super::{BusState, Table};
use super::Socket;
use heapless::Vec;

/// Sensors with the same answer that a verdict lists.
pub const MAX_FITS: usize = 6;

error_enum! {
    /// What is odd about a camera.
    pub enum CameraNote {
        /// Nobody answers.
        Silent => "CAM-NONE", "no camera answers in this socket: check its connector; boot goes on without";
        /// The profile has no such socket.
        NoSocket => "CAM-WIRE", "wiring profile has no such camera";
        /// Only zeros or ones.
        Suspicious { /** Its address. */ address: u8 }
            => "CAM-CONST", "something at {address:#04x} answers only zeros or ones: check the camera's connector";
        /// The bus is held.
        Stuck => "CAM-BUS", "camera bus is held low: unplug the camera";
        /// Somebody acknowledges and is not in the table.
        Unknown { /** Its address. */ address: u8 }
            => "CAM-NEW", "a camera at {address:#04x} is not in the table: send the report";
    }
}

/// The verdict on one socket.
#[derive(Debug, Clone, Default)]
pub struct CameraVerdict {
    /// Row of the table.
    pub winner: Option<u16>,
    /// All rows that the answer fits, best first: the winner, then the rest.
    pub fits: Vec<u16, MAX_FITS>,
    /// 7-bit address.
    pub address: u8,
    /// Only one byte agreed.
    pub weak: bool,
    /// Core supply at which it answered, in mV.
    pub core_mv: u16,
    /// Level of the power-down pin at which it answered.
    pub pdn_high: bool,
    /// State of the bus.
    pub bus: BusState,
    /// What is odd.
    pub note: Option<CameraNote>,
    /// Microseconds from supplies on to off.
    pub took_us: u32,
}

impl CameraVerdict {
    /// Writes the verdict on `socket` to the report.
    pub fn record(&self, socket: Socket, table: &Table, log: &dyn Recorder, at_us: u32) {
        let id = |row: u16| {
            let row = table.cameras.get(usize::from(row));
            row.map_or(&[][..], |row| row.id.as_bytes())
        };
        if let Some(note) = &self.note {
            log.record(&Record {
                unit: socket.unit(),
                sent: crate::Code::code(note).as_bytes(),
                ..Record::new(Kind::Note, at_us)
            });
        }
        for &row in self.fits.iter().filter(|&&row| Some(row) != self.winner) {
            log.record(&Record {
                unit: socket.unit(),
                sent: id(row),
                ..Record::new(Kind::Candidate, at_us)
            });
        }
        log.record(&Record {
            unit: socket.unit(),
            status: match (self.winner, self.weak || self.fits.len() > 1) {
                (None, _) => 0,
                (_, true) => 2,
                (_, false) => 3,
            },
            a: self.fits.len().saturating_sub(1) as u16,
            b: u16::from(self.address),
            sent: self.winner.map_or(&[][..], id),
            ..Record::new(Kind::Verdict, at_us)
        });
    }
}
