//! Which panel, touch chip and cameras are fitted, and how sure that is.
//!
//! Three things are asked, side by side because each mostly waits: the panel
//! over DSI ([`panel`]), the touch chip ([`touch`]) and the cameras
//! ([`camera`]) over I2C. What they answer is evidence among other evidence
//! ([`evidence`]); [`verdict`] weighs it, [`wizard`] asks a person where it
//! does not decide, in the order of [`rounds`], [`store`] remembers, and
//! [`report`] keeps every question and every answer. [`wiring`] says which
//! profile may be tried at all, [`link`] over which connections the panel is
//! asked.
//!
//! The askers are futures that need no runtime: every wait goes through
//! [`Clock::wait_us`], so that the binary can drive all of them from one loop.
//! Each is bounded in time and none can fail: silence, a stuck bus and
//! nonsense are outcomes. Source: facts/display.md 5, 9.2,
//! facts/i2c-touch-camera.md 2 to 4.

pub mod camera;
pub mod evidence;
mod line;
pub mod link;
pub mod panel;
pub mod report;
pub mod rounds;
mod rows;
pub mod store;
pub mod touch;
pub mod verdict;
pub mod wiring;
pub mod wizard;

#[cfg(test)]
mod testing;

pub use line::{BusPort, BusState};
pub use rows::{MAX_ROWS, RowSet, Rows};

use unilk_board_db::{Board, CameraRow, PanelRow, Plan, ReadKind, TouchRow, Wiring};

/// The driver table that is asked. A parameter everywhere, so that rows which
/// were appended to the image, or a test's own, serve as well as the built-in.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Panels; a row number in a verdict is an index into this.
    pub panels: &'static [PanelRow],
    /// What to ask a panel.
    pub plan: &'static Plan,
    /// Which panels show a picture on each other's glass: a number for each.
    pub clusters: &'static [u16],
    /// Touch chips, in the order in which to ask for them.
    pub touch: &'static [TouchRow],
    /// Camera sensors.
    pub cameras: &'static [CameraRow],
    /// Wiring profiles.
    pub wirings: &'static [Wiring],
    /// Boards.
    pub boards: &'static [Board],
}

impl Table {
    /// Row number of the panel `id`.
    pub fn panel(&self, id: &str) -> Option<u16> {
        self.panels
            .iter()
            .position(|row| row.id == id)
            .map(|row| row as u16)
    }

    /// The cluster of a panel; one that has none is alone.
    pub fn cluster(&self, row: u16) -> Option<u16> {
        self.clusters.get(usize::from(row)).copied()
    }

    /// Row number of the touch chip `id`.
    pub fn touch_chip(&self, id: &str) -> Option<u16> {
        self.touch
            .iter()
            .position(|row| row.id == id)
            .map(|row| row as u16)
    }

    /// Row number of the camera `id`.
    pub fn camera(&self, id: &str) -> Option<u16> {
        self.cameras
            .iter()
            .position(|row| row.id == id)
            .map(|row| row as u16)
    }

    /// The board `id`.
    pub fn board(&self, id: &str) -> Option<&'static Board> {
        self.boards.iter().find(|board| board.id == id)
    }

    /// Panels that a vendor's driver of this name may stand for. Vendors reuse
    /// names for other glass, so there may be several.
    pub fn panels_by_driver(&self, name: &str) -> RowSet {
        let rows = self.panels.iter().enumerate();
        rows.filter(|(_, row)| row.names.contains(&name))
            .map(|(row, _)| row as u16)
            .collect()
    }

    /// The panels that were seen in boards with the wiring profile `id`: only
    /// their drivers mean its identification pins.
    pub fn panels_wired(&self, id: &str) -> RowSet {
        let mut rows = RowSet::EMPTY;
        for board in self.boards.iter().filter(|board| board.wiring == id) {
            rows.add(&board.panels.iter().copied().collect());
        }
        rows
    }
}

/// Time, and how to let it pass.
pub trait Clock {
    /// Microseconds since some moment; wraps after 71 minutes.
    fn now_us(&self) -> u32;

    /// Ready after at least `us` microseconds. Must not block: others are
    /// asked meanwhile.
    fn wait_us(&self, us: u32) -> impl Future<Output = ()>;
}

/// Why a packet to the panel brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PortError {
    /// No answer before the time-out: no panel, or one that does not read.
    Silence,
    /// An answer with a wrong checksum, or a report of a transmission error.
    Corrupt,
    /// The host itself did not finish.
    Host,
}

/// What an identification pin says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Strap {
    /// Driven low.
    Low,
    /// Driven high.
    High,
    /// Follows the pull: not connected.
    Open,
}

/// The panel's connection: reset pin and DSI in command mode or a bus of the
/// LCD controller, plus the pins and voltages which some boards add.
pub trait PanelPort {
    /// Whether it is a bus of the LCD controller, not DSI.
    fn is_dbi(&self) -> bool {
        false
    }

    /// Moves the reset pin; high = runs.
    fn reset(&mut self, high: bool);

    /// Microseconds since the release of a reset after which nothing was sent;
    /// `None` otherwise. Such a reset need not be made again.
    fn awake_us(&self) -> Option<u32> {
        None
    }

    /// Microseconds for which the panel has been held in reset by now; 0 when
    /// it is not.
    fn held_low_us(&self) -> u32 {
        0
    }

    /// Id of the wiring profile, where it is known to be this board's. If not,
    /// pins and voltages may be somebody else's and refute nobody.
    fn wiring(&self) -> Option<&str>;

    /// Sends a packet of DSI type `data_type`, command first. 0x37 (maximum
    /// return size) carries the size as two bytes, little endian.
    fn write(&mut self, data_type: u8, payload: &[u8]) -> Result<(), PortError>;

    /// Reads `register` into `buf`; how many bytes came.
    fn read(&mut self, kind: ReadKind, register: u16, buf: &mut [u8]) -> Result<usize, PortError>;

    /// Identification pin `index` (0 = ID1); `None` if the board has none.
    fn strap(&mut self, index: u8) -> Option<Strap>;

    /// AUXADC channel in millivolts; `None` if the board does not use it. On
    /// unknown wiring whatever is there.
    fn voltage_mv(&mut self, channel: u8) -> Option<u16>;
}

/// Whether `data` is what an open or a shorted line reads as.
pub(crate) fn is_constant(data: &[u8]) -> bool {
    data.iter().all(|&byte| byte == 0) || data.iter().all(|&byte| byte == 0xFF)
}
