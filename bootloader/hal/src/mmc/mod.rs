//! eMMC, the card's side: identification, fastest safe bus mode, areas, reads
//! and writes. It knows the protocol and no register: a [`Host`] (on the phone
//! [`crate::msdc::Msdc`], in the tests a fake card) carries its commands.
//!
//! [`Emmc::init`] always starts from CMD0. Adopting the state that the
//! preloader left would save about 4 ms and the card's power-up, but a card
//! was seen busy at the hand-over, and mode, width and selected area would
//! have to be guessed.
//!
//! A block number here is physical: a block of the selected area. Linear and
//! logical addresses are translated elsewhere, from [`Card::areas`].
//!
//! Source: facts/storage-and-images.md 4.1 and 8.5 to 8.9; JEDEC JESD84-B45
//! for the fields of OCR, CID, CSD, EXT_CSD and device status.

mod block;
mod bring_up;
mod command;
mod emmc;
mod error;
#[cfg(test)]
mod fake;
mod host;
mod registers;
#[cfg(test)]
mod tests;
mod transfer;

pub use block::{BadBlocks, BlockDevice, Geometry, Rejected};
pub use command::{BLOCK_BYTES, Command, Reply, Response, State, Status};
pub use emmc::{Area, Card, Emmc, Fallback, Mode};
pub use error::Error;
pub use host::{Bus, Direction, Host, Width};
pub use registers::{AreaSizes, Cid, Csd, ExtCsd};
