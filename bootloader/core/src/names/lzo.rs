//! LZO1X in lzop's frame, as kernels are packed with it. Written from the
//! description of the stream in the kernel's documentation (lzo.rst): no
//! crate of a usable licence works without an allocator.

use super::bytes::{Source, Target};
use super::{NamesError, Output};

/// Bytes of lzop's magic.
const MAGIC: usize = 9;
/// lzop packs blocks of 256 KiB.
const MAX_BLOCK: usize = 256 << 10;

/// Unpacks the frame at the start of `packed`.
pub(super) fn unpack(
    packed: &[u8],
    work: &mut [u8],
    out: &mut Output<'_, '_>,
) -> Result<(), NamesError> {
    let block = work.get_mut(..MAX_BLOCK).ok_or(NamesError::Memory)?;
    let damaged = |out: &Output<'_, '_>| out.damaged();
    let (mut at, flags) = header(packed).ok_or(damaged(out))?;
    loop {
        let Some(size) = be32(packed, at) else {
            return Err(damaged(out));
        };
        if size == 0 {
            return Ok(());
        }
        let made = part(packed, &mut at, flags, block).ok_or(damaged(out))?;
        out.take(&block[..made])?;
    }
}

/// One block; its unpacked length.
fn part(packed: &[u8], at: &mut usize, flags: u32, block: &mut [u8]) -> Option<usize> {
    let size = be32(packed, *at)? as usize;
    let stored = be32(packed, *at + 4)? as usize;
    *at += 8;
    // Checksums: Adler and CRC of the unpacked bytes; of the packed ones only
    // where they were packed.
    *at += 4 * (flags & 3).count_ones() as usize;
    let is_packed = stored < size;
    if is_packed {
        *at += 4 * (flags >> 8 & 3).count_ones() as usize;
    }
    let bytes = packed.get(*at..)?.get(..stored)?;
    *at += stored;
    let target = block.get_mut(..size)?;
    if is_packed {
        let made = lzo1x(bytes, target)?;
        (made == size).then_some(size)
    } else {
        target.copy_from_slice(bytes.get(..size)?);
        Some(size)
    }
}

/// Offset of the first block, and which checksums there are: bits 0, 1 of
/// the unpacked, 8, 9 of the packed bytes.
fn header(packed: &[u8]) -> Option<(usize, u32)> {
    const FILTERED: u32 = 0x800;
    const EXTRA: u32 = 0x40;
    let be16 = |at: usize| Some(u16::from_be_bytes(*packed.get(at..)?.first_chunk()?));
    let version = be16(MAGIC)?;
    // Version, library version, needed version, method, level.
    let mut at = MAGIC + 2 + 2;
    if version >= 0x940 {
        at += 2;
    }
    at += 1;
    if version >= 0x940 {
        at += 1;
    }
    let flags = be32(packed, at)?;
    at += 4;
    if flags & FILTERED != 0 {
        at += 4;
    }
    // Mode and times.
    at += 4 + 4;
    if version >= 0x940 {
        at += 4;
    }
    let name = usize::from(*packed.get(at)?);
    at += 1 + name + 4;
    if flags & EXTRA != 0 {
        let extra = be32(packed, at)? as usize;
        at = at.checked_add(4 + extra)?.checked_add(4)?;
    }
    Some((at, flags))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Unpacks one LZO1X stream up to its end mark; the bytes made.
fn lzo1x(packed: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut source = Source(packed);
    let mut target = Target { bytes: out, at: 0 };
    // How many literals the last instruction brought: 0, 1 to 3, or more. An
    // instruction below 16 means another thing after each.
    let mut state = 0;
    if *packed.first()? > 17 {
        let count = source.byte()? - 17;
        target.literals(&mut source, count)?;
        state = count.min(4);
    }
    loop {
        let code = source.byte()?;
        let (distance, count, next) = match code {
            0..=15 if state == 0 => {
                let count = if code == 0 {
                    long(&mut source, 15)?
                } else {
                    code
                } + 3;
                target.literals(&mut source, count)?;
                state = 4;
                continue;
            }
            0..=15 => {
                let far = code >> 2 | source.byte()? << 2;
                if state == 4 {
                    (far + 0x801, 3, code & 3)
                } else {
                    (far + 1, 2, code & 3)
                }
            }
            16..=31 => {
                let field = code & 7;
                let count = if field == 0 {
                    long(&mut source, 7)?
                } else {
                    field
                } + 2;
                let low = source.le16()?;
                let distance = 0x4000 + ((code & 8) << 11) + (low >> 2);
                if distance == 0x4000 {
                    return Some(target.at);
                }
                (distance, count, low & 3)
            }
            32..=63 => {
                let field = code & 31;
                let count = if field == 0 {
                    long(&mut source, 31)?
                } else {
                    field
                } + 2;
                let low = source.le16()?;
                ((low >> 2) + 1, count, low & 3)
            }
            _ => {
                let distance = (code >> 2 & 7) + (source.byte()? << 3) + 1;
                let count = if code < 128 {
                    3 + (code >> 5 & 1)
                } else {
                    5 + (code >> 5 & 3)
                };
                (distance, count, code & 3)
            }
        };
        target.repeat(distance, count)?;
        target.literals(&mut source, next)?;
        state = next;
    }
}

/// A length that did not fit its field: zero bytes count 255 each.
fn long(source: &mut Source<'_>, field: usize) -> Option<usize> {
    let mut length = field;
    loop {
        match source.byte()? {
            0 => length = length.checked_add(255)?,
            last => return length.checked_add(last),
        }
    }
}
