//! Reading what is inspected: a little at a time, never past its end, and so
//! that an error of the medium is told once instead of being taken for damage.

use crate::source::Source;
use std::io;
use std::sync::OnceLock;
use unilk_core::block::ReadAt;

/// Bytes that are in memory at a time when something long is read through.
pub const CHUNK: usize = 256 << 10;

/// Up to `most` bytes from `offset` on; none where they cannot be read (a
/// [`Watched`] source remembers why).
pub fn some(source: &dyn Source, offset: u64, most: usize) -> Vec<u8> {
    source.read_some(offset, most).unwrap_or_default()
}

/// Reads `len` bytes from `offset` on in pieces of up to [`CHUNK`], until
/// `each` says that it has enough. True if all were read.
pub fn through(
    source: &dyn Source,
    offset: u64,
    len: u64,
    each: &mut dyn FnMut(&[u8]) -> bool,
) -> bool {
    let len = len.min(source.len().saturating_sub(offset));
    let mut buffer = vec![0; CHUNK.min(usize::try_from(len).unwrap_or(CHUNK))];
    let mut done = 0;
    while done < len {
        let now = usize::try_from(len - done).unwrap_or(CHUNK).min(CHUNK);
        let piece = &mut buffer[..now];
        if source.read_at(offset + done, piece).is_err() || !each(piece) {
            return false;
        }
        done += now as u64;
    }
    true
}

/// A source that keeps the first error of its medium.
#[derive(Debug)]
pub struct Watched<S> {
    source: S,
    failure: OnceLock<(u64, String)>,
}

impl<S: Source> Watched<S> {
    /// Nothing failed yet.
    pub fn new(source: S) -> Self {
        Self {
            source,
            failure: OnceLock::new(),
        }
    }

    /// Where reading failed first, and why.
    pub fn failure(&self) -> Option<&(u64, String)> {
        self.failure.get()
    }
}

impl<S: Source> Source for Watched<S> {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let result = self.source.read_at(offset, out);
        if let Err(why) = &result {
            let inside = offset
                .checked_add(out.len() as u64)
                .is_some_and(|end| end <= self.len());
            // Asking for more than there is, is no fault of the medium.
            if inside {
                let _ = self.failure.set((offset, why.to_string()));
            }
        }
        result
    }
}

/// A source for the bootloader's parsers.
#[derive(Clone, Copy)]
pub struct At<'a>(pub &'a dyn Source);

impl ReadAt for At<'_> {
    type Error = io::Error;

    fn read_at(&mut self, offset: u32, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset.into(), out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl Source for Broken {
        fn len(&self) -> u64 {
            1000
        }

        fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            if offset + out.len() as u64 > 500 {
                return Err(io::Error::other("bad sector"));
            }
            out.fill(1);
            Ok(())
        }
    }

    #[test]
    fn an_error_of_the_medium_is_kept_and_the_end_is_none() {
        let watched = Watched::new(Broken);
        assert_eq!(some(&watched, 0, 100).len(), 100);
        assert!(watched.read_at(990, &mut [0; 20]).is_err());
        assert_eq!(watched.failure(), None);
        assert!(some(&watched, 450, 100).is_empty());
        assert_eq!(watched.failure(), Some(&(450, "bad sector".to_owned())));
    }

    #[test]
    fn all_of_it_is_read_once_or_until_it_is_enough() {
        let data: Vec<u8> = (0..CHUNK * 2 + 17).map(|at| at as u8).collect();
        let mut seen = Vec::new();
        assert!(through(&data, 5, u64::MAX, &mut |piece| {
            seen.extend_from_slice(piece);
            true
        }));
        assert!(seen == data[5..]);
        let mut pieces = 0;
        assert!(!through(&data, 0, u64::MAX, &mut |_| {
            pieces += 1;
            false
        }));
        assert_eq!(pieces, 1);
    }
}
