//! Looks for a few bytes in a source of any size, a stretch at a time.

use crate::progress::Progress;
use crate::source::Source;
use std::io;

/// Bytes that are looked at at a time.
const STRETCH: usize = 1 << 20;

/// Calls `found` with each place of `source` at which `needle` stands. What it
/// returns is where to go on, if that is further than the next byte: behind
/// what it took there.
///
/// # Errors
/// What the medium says, and what `found` does.
pub fn each<E: From<io::Error>>(
    source: &(impl Source + ?Sized),
    needle: &[u8],
    progress: &mut impl Progress,
    mut found: impl FnMut(u64) -> Result<u64, E>,
) -> Result<(), E> {
    let Some(&first) = needle.first() else {
        return Ok(());
    };
    progress.begin("searching", source.len());
    let overlap = needle.len() - 1;
    let mut from = 0;
    while from < source.len() {
        let stretch = source.read_some(from, STRETCH + overlap)?;
        let starts = stretch.len().saturating_sub(overlap).min(STRETCH);
        let mut at = 0;
        let mut next = from + starts.max(1) as u64;
        while let Some(step) = stretch
            .get(at..starts)
            .and_then(|rest| rest.iter().position(|&byte| byte == first))
        {
            at += step;
            if !stretch[at..].starts_with(needle) {
                at += 1;
                continue;
            }
            let place = from + at as u64;
            let on = found(place)?.max(place + 1);
            match usize::try_from(on - from) {
                Ok(inside) if inside < starts => at = inside,
                _ => {
                    next = next.max(on);
                    break;
                }
            }
        }
        progress.advance(next.min(source.len()) - from);
        from = next;
    }
    progress.finish();
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    fn places(data: &[u8], needle: &[u8], skip: u64) -> Vec<u64> {
        let mut places = Vec::new();
        each::<io::Error>(data, needle, &mut Silent, |place| {
            places.push(place);
            Ok(place + skip)
        })
        .unwrap();
        places
    }

    #[test]
    fn places_across_the_borders_of_stretches_are_found() {
        let mut data = vec![b'a'; 2 * STRETCH + 5];
        let wanted = [
            0,
            STRETCH - 2,
            STRETCH + 1,
            2 * STRETCH - 1,
            2 * STRETCH + 2,
        ];
        for at in wanted {
            data[at..at + 3].copy_from_slice(b"xyz");
        }
        assert_eq!(places(&data, b"xyz", 0), wanted.map(|at| at as u64));
        // Cut off at the end.
        data.truncate(2 * STRETCH + 4);
        assert_eq!(places(&data, b"xyz", 0).len(), 4);
    }

    #[test]
    fn what_was_taken_is_not_looked_at_again() {
        assert_eq!(places(b"aaaaaa", b"aa", 0), [0, 1, 2, 3, 4]);
        assert_eq!(places(b"aaaaaa", b"aa", 3), [0, 3]);
        let data = vec![7; 3 * STRETCH];
        let skip = STRETCH as u64 + 9;
        assert_eq!(places(&data, &[7], skip), [0, skip, 2 * skip]);
        assert_eq!(places(&data, &[7], u64::MAX / 2), [0]);
        assert!(places(b"", b"aa", 0).is_empty());
        assert!(places(b"a", b"aa", 0).is_empty());
        assert!(places(b"a", b"", 0).is_empty());
    }
}
