//! What every unilk image says of itself, and the hints in it.
//!
//! 0x20 bytes into the payload stands its head: so a tool can tell a unilk
//! image from any other, fill the hints of a built image and show them again.
//!
//! Source: `unilk_core::packed` (head), `unilk_core::hints` (hints).

use std::fmt;
use unilk_core::hints::{HINTS_LEN, HintError, Hints};
use unilk_core::packed::{Head, PackedError};

/// The identity of a unilk image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Identity {
    /// Offset of the hint block in the payload.
    pub hints_offset: u32,
    /// Bytes of the payload.
    pub image_bytes: u32,
    /// Of these: the unpacker in front.
    pub unpacker_bytes: u32,
    /// Hints and tables, which are not packed with the rest.
    pub plain_bytes: u32,
    /// The packed bootloader.
    pub packed_bytes: u32,
    /// What it becomes.
    pub unpacked_bytes: u32,
}

/// Why hints cannot be read from, or filled into, an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The image is not unilk's.
    NotUnilk,
    /// It is, but of another release, or damaged.
    Image(PackedError),
    /// The hint block would lie outside the image.
    Outside,
    /// The hint block says no.
    Hints(HintError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnilk => write!(f, "not a unilk image: there is no place for hints"),
            Self::Image(why) => write!(f, "{why}"),
            Self::Outside => write!(f, "the hint block lies outside the image"),
            Self::Hints(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for Error {}

impl Identity {
    /// Reads the identity in `payload`, an image without MediaTek's header.
    pub fn of(payload: &[u8]) -> Result<Self, Error> {
        let head = Head::parse(payload).map_err(|why| match why {
            PackedError::Name => Error::NotUnilk,
            why => Error::Image(why),
        })?;
        Ok(Self {
            hints_offset: head.hints,
            image_bytes: head.payload,
            unpacker_bytes: head.plain,
            plain_bytes: head.plain_len,
            packed_bytes: head.packed_len,
            unpacked_bytes: head.unpacked_len,
        })
    }

    /// The 512 bytes of hints in `payload`.
    fn block(self, payload: &[u8]) -> Result<&[u8], Error> {
        let start = self.hints_offset as usize;
        let end = start.checked_add(HINTS_LEN).ok_or(Error::Outside)?;
        payload.get(start..end).ok_or(Error::Outside)
    }
}

/// Reads the hints in `payload`.
pub fn hints(payload: &[u8]) -> Result<Hints<'_>, Error> {
    let block = Identity::of(payload)?.block(payload)?;
    Hints::parse(block).map_err(Error::Hints)
}

/// Puts `hints` in the place of those in `payload`.
pub fn fill(payload: &mut [u8], hints: &Hints<'_>) -> Result<(), Error> {
    let identity = Identity::of(payload)?;
    // A block of another version is not overwritten: its fields mean
    // something else.
    Hints::parse(identity.block(payload)?).map_err(Error::Hints)?;
    let block = hints.build().map_err(Error::Hints)?;
    let start = identity.hints_offset as usize;
    payload[start..start + HINTS_LEN].copy_from_slice(&block);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::compress::{example, unpack};
    use unilk_core::kernel::{Generation, KernelKind};
    use unilk_core::packed::HEAD;

    #[test]
    fn what_is_filled_in_is_read_and_nothing_else_changes() {
        let hints_in = Hints {
            panel: Some("ili9806e_dsi_cmd_txd"),
            board: Some("ckt72-w-kk"),
            kernel: Some(KernelKind::VendorAtag),
            generation: Some(Generation::KitKat),
            cmdline: Some("quiet"),
        };
        let before = example();
        let mut after = before.clone();
        assert_eq!(hints(&after), Ok(Hints::default()));
        fill(&mut after, &hints_in).unwrap();
        assert_eq!(hints(&after), Ok(hints_in));
        let at = Identity::of(&before).unwrap().hints_offset as usize;
        assert!(before[..at] == after[..at]);
        assert!(before[at + HINTS_LEN..] == after[at + HINTS_LEN..]);
        // It still unpacks, with the new hints.
        let image = unpack(&after).unwrap();
        assert!(image[0x3000..].starts_with(&hints_in.build().unwrap()));
    }

    #[test]
    fn images_that_are_not_ours_are_left_alone() {
        let mut foreign = vec![0xEA; 0x1000];
        assert_eq!(fill(&mut foreign, &Hints::default()), Err(Error::NotUnilk));
        assert!(foreign.iter().all(|&byte| byte == 0xEA));
        assert_eq!(Identity::of(&[]), Err(Error::NotUnilk));
        let mut newer = example();
        newer[HEAD + 8] = 4;
        let layout = PackedError::Layout { found: 4 };
        assert_eq!(Identity::of(&newer), Err(Error::Image(layout)));
    }

    #[test]
    fn lying_offsets_and_damaged_blocks_are_refused() {
        let mut outside = example();
        let at = (outside.len() - HINTS_LEN + 1) as u32;
        outside[HEAD + 12..HEAD + 16].copy_from_slice(&at.to_le_bytes());
        assert_eq!(hints(&outside), Err(Error::Outside));
        outside[HEAD + 12..HEAD + 16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(fill(&mut outside, &Hints::default()), Err(Error::Outside));
        let mut damaged = example();
        let at = Identity::of(&damaged).unwrap().hints_offset as usize;
        damaged[at + 0x20] ^= 1;
        assert_eq!(
            fill(&mut damaged, &Hints::default()),
            Err(Error::Hints(HintError::Checksum))
        );
    }

    #[test]
    fn text_that_does_not_fit_is_refused_and_changes_nothing() {
        let mut payload = example();
        let long = "x".repeat(64);
        let hints = Hints {
            panel: Some(&long),
            ..Hints::default()
        };
        assert!(fill(&mut payload, &hints).is_err());
        assert!(payload == example());
    }
}
