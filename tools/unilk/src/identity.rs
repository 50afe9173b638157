//! What every unilk image says of itself, and the hints in it.
//!
//! 0x20 bytes into the payload, behind the exception vectors, stand the name,
//! the layout of this block, where the hint block lies and how long the image
//! is. So a tool can tell a unilk image from any other, fill the hints of a
//! built image and show them again.
//!
//! Source: `bootloader/lk/src/start.s` (identity), `unilk_core::hints` (hints).

use crate::bytes::u32_at;
use std::fmt;
use unilk_core::hints::{HINTS_LEN, HintError, Hints};

/// Where the identity stands in the payload.
pub const OFFSET: usize = 0x20;
/// Its first eight bytes.
const NAME: &[u8; 8] = b"unilk\0\0\0";
/// The layout that we know.
const LAYOUT: u32 = 1;

/// The identity of a unilk image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Identity {
    /// Layout of the block: 1.
    pub layout: u32,
    /// Offset of the hint block in the payload.
    pub hints_offset: u32,
    /// Bytes of the image.
    pub image_bytes: u32,
}

/// Why hints cannot be read from, or filled into, an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The image is not unilk's.
    NotUnilk,
    /// An identity of another layout.
    Layout(u32),
    /// The hint block would lie outside the image.
    Outside,
    /// The hint block says no.
    Hints(HintError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnilk => write!(f, "not a unilk image: there is no place for hints"),
            Self::Layout(found) => write!(
                f,
                "identity has layout {found}, known is {LAYOUT}: use the tool of the same release"
            ),
            Self::Outside => write!(f, "the hint block lies outside the image"),
            Self::Hints(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for Error {}

impl Identity {
    /// Reads the identity in `payload`, an image without MediaTek's header.
    pub fn of(payload: &[u8]) -> Result<Self, Error> {
        let block = payload.get(OFFSET..).ok_or(Error::NotUnilk)?;
        if !block.starts_with(NAME) {
            return Err(Error::NotUnilk);
        }
        let word = |index: usize| u32_at(block, NAME.len() + 4 * index).ok_or(Error::NotUnilk);
        let layout = word(0)?;
        if layout != LAYOUT {
            return Err(Error::Layout(layout));
        }
        Ok(Self {
            layout,
            hints_offset: word(1)?,
            image_bytes: word(2)?,
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

/// A payload with an identity and a blank hint block, for tests.
#[cfg(test)]
pub(crate) fn sample() -> Vec<u8> {
    let mut payload = vec![0; 0x400 + HINTS_LEN];
    payload[..4].copy_from_slice(&[0x07, 0x00, 0x00, 0xEA]);
    payload[OFFSET..OFFSET + 8].copy_from_slice(NAME);
    for (index, value) in [LAYOUT, 0x400, 0x600].into_iter().enumerate() {
        payload[OFFSET + 8 + 4 * index..][..4].copy_from_slice(&value.to_le_bytes());
    }
    payload[0x400..].copy_from_slice(&unilk_core::hints::blank());
    payload
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use unilk_core::kernel::{Generation, KernelKind};

    #[test]
    fn what_is_filled_in_is_read_and_nothing_else_changes() {
        let hints_in = Hints {
            panel: Some("ili9806e_dsi_cmd_txd"),
            board: Some("ckt72-w-kk"),
            kernel: Some(KernelKind::VendorAtag),
            generation: Some(Generation::KitKat),
            cmdline: Some("quiet"),
        };
        let before = sample();
        let mut after = before.clone();
        assert_eq!(hints(&after), Ok(Hints::default()));
        fill(&mut after, &hints_in).unwrap();
        assert_eq!(hints(&after), Ok(hints_in));
        assert_eq!(before[..0x400], after[..0x400]);
    }

    #[test]
    fn images_that_are_not_ours_are_left_alone() {
        let mut foreign = vec![0xEA; 0x1000];
        assert_eq!(fill(&mut foreign, &Hints::default()), Err(Error::NotUnilk));
        assert!(foreign.iter().all(|&byte| byte == 0xEA));
        assert_eq!(Identity::of(&[]), Err(Error::NotUnilk));
        let mut newer = sample();
        newer[OFFSET + 8] = 2;
        assert_eq!(Identity::of(&newer), Err(Error::Layout(2)));
    }

    #[test]
    fn lying_offsets_and_damaged_blocks_are_refused() {
        let mut outside = sample();
        outside[OFFSET + 12..OFFSET + 16].copy_from_slice(&0x401u32.to_le_bytes());
        assert_eq!(hints(&outside), Err(Error::Outside));
        outside[OFFSET + 12..OFFSET + 16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(fill(&mut outside, &Hints::default()), Err(Error::Outside));
        let mut damaged = sample();
        damaged[0x420] ^= 1;
        assert_eq!(
            fill(&mut damaged, &Hints::default()),
            Err(Error::Hints(HintError::Checksum))
        );
    }

    #[test]
    fn text_that_does_not_fit_is_refused_and_changes_nothing() {
        let mut payload = sample();
        let long = "x".repeat(64);
        let hints = Hints {
            panel: Some(&long),
            ..Hints::default()
        };
        assert!(fill(&mut payload, &hints).is_err());
        assert_eq!(payload, sample());
    }
}
