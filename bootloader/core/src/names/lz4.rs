//! LZ4 blocks in the legacy frame, as kernels are packed with it. Source: the
//! descriptions of frame and block that LZ4 itself publishes.

use super::bytes::{Source, Target};
use super::{NamesError, Output};
use crate::bytes::Bytes;

/// What a block holds at most.
const BLOCK: usize = 8 << 20;
/// Shortest match.
const MATCH: usize = 4;

/// Unpacks the frame at the start of `packed`.
pub(super) fn unpack(
    packed: &[u8],
    work: &mut [u8],
    out: &mut Output<'_, '_>,
) -> Result<(), NamesError> {
    let block = work.get_mut(..BLOCK).ok_or(NamesError::Memory)?;
    let mut at = 4;
    // The image goes on behind the kernel: what cannot be a block ends it.
    while let Some(len) = Bytes::new(packed).u32(at) {
        let packed_block = packed
            .get(at + 4..)
            .and_then(|rest| rest.get(..len as usize));
        let Some(made) = packed_block.and_then(|packed| unpack_block(packed, block)) else {
            break;
        };
        out.take(&block[..made])?;
        at += 4 + len as usize;
        if made < BLOCK {
            // Only the last block is not full.
            return Ok(());
        }
    }
    if out.done == 0 {
        return Err(out.damaged());
    }
    Ok(())
}

/// Unpacks one block; the bytes made.
fn unpack_block(packed: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut source = Source(packed);
    let mut target = Target { bytes: out, at: 0 };
    loop {
        let token = source.byte()?;
        let literals = length(&mut source, token >> 4)?;
        target.literals(&mut source, literals)?;
        if source.0.is_empty() {
            return Some(target.at);
        }
        let distance = source.le16()?;
        let count = length(&mut source, token & 15)?.checked_add(MATCH)?;
        target.repeat(distance, count)?;
    }
}

/// A length of which a token says the start: bytes are added up to the first
/// that is not 255.
fn length(source: &mut Source<'_>, field: usize) -> Option<usize> {
    let mut length = field;
    let mut more = field == 15;
    while more {
        let byte = source.byte()?;
        length = length.checked_add(byte)?;
        more = byte == 255;
    }
    Some(length)
}
