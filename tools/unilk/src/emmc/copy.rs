//! Copies with holes where there is nothing but zeros, so that a card's image
//! takes no more disk than its contents.

use crate::progress::Progress;
use crate::source::Source;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Bytes that are looked at at a time: a hole is at least as long.
const CHUNK_BYTES: usize = 64 * 1024;
const CHUNK: u64 = CHUNK_BYTES as u64;
/// Bytes that are read at a time.
const READ_BYTES: usize = 16 * CHUNK_BYTES;

/// Whether there is nothing but zeros in `bytes`.
pub fn is_blank(bytes: &[u8]) -> bool {
    // In blocks that a compiler turns into wide instructions.
    let (blocks, rest) = bytes.as_chunks::<64>();
    blocks
        .iter()
        .all(|block| block.iter().fold(0, |all, byte| all | byte) == 0)
        && rest.iter().all(|&byte| byte == 0)
}

/// Writes all of `source` to the beginning of `out`, which has to be empty;
/// how many bytes are no holes.
pub fn copy(
    source: &dyn Source,
    out: &mut (impl Write + Seek),
    progress: &mut dyn Progress,
) -> io::Result<u64> {
    let mut buffer = vec![0; READ_BYTES];
    let (mut at, mut stored) = (0, 0);
    while at < source.len() {
        let data = source.data_from(at) / CHUNK * CHUNK;
        if data > at {
            progress.advance(data - at);
            at = data;
            continue;
        }
        let left = usize::try_from(source.len() - at).unwrap_or(usize::MAX);
        let part = &mut buffer[..left.min(READ_BYTES)];
        source.read_at(at, part)?;
        for (index, chunk) in part.chunks(CHUNK_BYTES).enumerate() {
            if !is_blank(chunk) {
                out.seek(SeekFrom::Start(at + (index * CHUNK_BYTES) as u64))?;
                out.write_all(chunk)?;
                stored += chunk.len() as u64;
            }
        }
        at += part.len() as u64;
        progress.advance(part.len() as u64);
    }
    seal(out, source.len())?;
    Ok(stored)
}

/// The first byte of `source` that is not zero.
pub fn first_content(source: &dyn Source, progress: &mut dyn Progress) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; READ_BYTES];
    let mut at = 0;
    while at < source.len() {
        let data = source.data_from(at);
        if data > at {
            progress.advance(data - at);
            at = data;
            continue;
        }
        let left = usize::try_from(source.len() - at).unwrap_or(usize::MAX);
        let part = &mut buffer[..left.min(READ_BYTES)];
        source.read_at(at, part)?;
        if !is_blank(part)
            && let Some(found) = part.iter().position(|&byte| byte != 0)
        {
            return Ok(Some(at + found as u64));
        }
        at += part.len() as u64;
        progress.advance(part.len() as u64);
    }
    Ok(None)
}

/// Copies `from` to byte `at` of `out`, leaving holes where it is all zeros.
pub fn copy_sparse(from: &mut impl Read, out: &mut (impl Write + Seek), at: u64) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut position = at;
    loop {
        let mut filled = 0;
        while filled < CHUNK_BYTES {
            match from.read(&mut chunk[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        if filled == 0 {
            return Ok(());
        }
        if !is_blank(&chunk[..filled]) {
            out.seek(SeekFrom::Start(position))?;
            out.write_all(&chunk[..filled])?;
        }
        position += filled as u64;
    }
}

/// Gives `out` its full length without disturbing its last byte.
pub fn seal(out: &mut (impl Write + Seek), length: u64) -> io::Result<()> {
    if length > 0 && out.seek(SeekFrom::End(0))? < length {
        out.seek(SeekFrom::Start(length - 1))?;
        out.write_all(&[0])?;
    }
    out.flush()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn zeros_become_holes_and_the_length_is_kept() {
        let mut data = vec![0; 3 * CHUNK_BYTES];
        data[2 * CHUNK_BYTES + 5] = 7;
        let mut out = io::Cursor::new(Vec::new());
        copy_sparse(&mut data.as_slice(), &mut out, 100).unwrap();
        seal(&mut out, 4 * CHUNK_BYTES as u64).unwrap();
        let written = out.into_inner();
        assert_eq!(written.len(), 4 * CHUNK_BYTES);
        assert_eq!(written[100..][..data.len()], data);
    }

    #[test]
    fn a_source_is_copied_with_holes_and_searched() {
        let mut data = vec![0; READ_BYTES + 3 * CHUNK_BYTES + 7];
        data[READ_BYTES + CHUNK_BYTES + 5] = 7;
        let mut out = io::Cursor::new(Vec::new());
        let stored = copy(&data, &mut out, &mut Silent).unwrap();
        assert_eq!(stored, CHUNK_BYTES as u64);
        assert!(out.into_inner() == data);
        let first = first_content(&data, &mut Silent).unwrap();
        assert_eq!(first, Some((READ_BYTES + CHUNK_BYTES + 5) as u64));
        assert_eq!(
            first_content(&[0; 99][..].to_vec(), &mut Silent).unwrap(),
            None
        );
        assert!(is_blank(&[]) && !is_blank(&[0, 1]) && is_blank(&[0; 130]));
        let mut end = [0; 130];
        end[129] = 1;
        assert!(!is_blank(&end));
    }
}
