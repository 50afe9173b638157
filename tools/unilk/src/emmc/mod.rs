//! The contents of a phone's eMMC as files: built from a layout and images, and
//! taken apart again.
//!
//! Source: facts/storage-and-images.md 4.1, 4.2, 4.3.

mod card;
mod copy;
mod extract;
mod image;

pub use card::Card;
pub use copy::{copy, is_blank};
pub use extract::Extract;
pub use image::{Content, Image, create};

use crate::storage::TAIL_BYTES;
use crate::{dos, layout, pmt, preloader};
use std::fmt;
use std::io;

/// Why an image could not be built.
#[derive(Debug)]
pub enum Error {
    /// The layout is wrong.
    Layout(layout::Error),
    /// MBR and EBR cannot hold the layout.
    Tables(dos::Error),
    /// The PMT cannot hold the layout.
    Pmt(pmt::DoesNotFit),
    /// No combination of boot and RPMB sizes puts the MBR there.
    Hardware(u64),
    /// The card ends before the last partition begins.
    CardTooSmall(u64),
    /// A user area of so many bytes, which no table can address.
    CardTooBig(u64),
    /// A partition that the card's sizes put in front of the user area.
    OutsideUserArea(String),
    /// Content larger than its partition: name, content, partition.
    TooBig(String, u64, u64),
    /// Content for the end of the user area that is not as long as that.
    TailSize(u64),
    /// Content for a place that is not written this way.
    NotAPlace(String),
    /// The preloader file is none.
    Preloader(preloader::NotAPreloader),
    /// Reading or writing failed, and at what.
    Io(String, io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout(why) => write!(f, "{why}"),
            Self::Tables(why) => write!(f, "{why}"),
            Self::Pmt(why) => write!(f, "{why}"),
            Self::Hardware(at) => write!(
                f,
                "no boot and RPMB sizes of a card add up to the MBR's linear address {at:#x}"
            ),
            Self::CardTooSmall(least) => {
                write!(
                    f,
                    "the user area must be at least {least} bytes for this layout"
                )
            }
            Self::CardTooBig(bytes) => {
                write!(f, "no card has {bytes} bytes; a typing error in its size?")
            }
            Self::OutsideUserArea(name) => {
                write!(f, "{name} begins before the user area of this card")
            }
            Self::TooBig(name, content, room) => write!(
                f,
                "{content} bytes do not fit the {room} bytes of partition {name}"
            ),
            Self::TailSize(size) => write!(
                f,
                "TAIL is the last {TAIL_BYTES} bytes of the user area, this has {size}"
            ),
            Self::NotAPlace(name) => write!(f, "{name} cannot be given a file"),
            Self::Preloader(why) => write!(f, "preloader file: {why}"),
            Self::Io(what, why) => write!(f, "{what}: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<layout::Error> for Error {
    fn from(why: layout::Error) -> Self {
        Self::Layout(why)
    }
}

fn io_error(what: &str, why: io::Error) -> Error {
    Error::Io(what.to_owned(), why)
}
