//! What the bootloader's own lines say of the search: `panel ID certain: 0 more
//! fit; 6 reads, 1 resets, 31250 us`, `touch ID at 0x5d; 140000 us`,
//! `camera main ...`, `camera sub ...`.

use crate::trace::Log;

/// What a line says of a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Reads over the part's bus.
    pub reads: Option<u64>,
    /// Resets of the part.
    pub resets: Option<u64>,
    /// Time from the first step to the verdict.
    pub us: Option<u64>,
}

/// The last line about `part` that tells of numbers.
pub fn of(log: &Log, part: &str) -> Said {
    let about = |line: &&str| {
        line.strip_prefix(part)
            .is_some_and(|rest| rest.starts_with([' ', ':']))
    };
    log.said()
        .filter(about)
        .map(numbers)
        .filter(|said| *said != Said::default())
        .last()
        .unwrap_or_default()
}

/// A search of the kernel for names of panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// KiB that were unpacked.
    pub kib: u64,
    /// Time that it took.
    pub us: u64,
}

/// The search that the log tells of: `kernel (gzip, 20500 KiB) names 2 panels
/// of the table; 1650000 us`.
pub fn search(log: &Log) -> Option<Search> {
    log.said().find_map(|line| {
        let (packing, found) = line.strip_prefix("kernel (")?.split_once(" KiB) names ")?;
        Some(Search {
            kib: packing.rsplit(' ').next()?.parse().ok()?,
            us: numbers(found).us?,
        })
    })
}

fn numbers(line: &str) -> Said {
    let words: Vec<&str> = line
        .split([' ', ',', ';', ':'])
        .filter(|word| !word.is_empty())
        .collect();
    let before = |units: &[&str]| {
        words.windows(2).rev().find_map(|pair| match pair {
            [number, unit] if units.contains(unit) => number.parse().ok(),
            _ => None,
        })
    };
    Said {
        reads: before(&["reads", "read"]),
        resets: before(&["resets", "reset"]),
        us: before(&["us"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Line;

    #[test]
    fn numbers_are_taken_from_the_parts_own_line() {
        let log = Log {
            lines: [
                "[   0.300000] panel ili9806e-fwvga-dsi-vdo-txd chosen",
                "[   0.412000] panel ili9806e-fwvga-dsi-vdo-txd certain (id, pins): 2 more fit; \
                 6 reads, 1 resets, 31250 us",
                "[   0.413000] touch gt911 at 0x5d; 140000 us",
                "[   0.414000] camera main ov5645 at 0x3c, one byte agrees; 41000 us",
                "[   0.415000] camera subtle 1 us",
                "[   0.416000] panel ili9806e-fwvga-dsi-vdo-txd was not lit",
            ]
            .map(Line::said)
            .into(),
            ..Log::default()
        };
        let panel = Said {
            reads: Some(6),
            resets: Some(1),
            us: Some(31_250),
        };
        assert_eq!(of(&log, "panel"), panel);
        assert_eq!(of(&log, "touch").us, Some(140_000));
        assert_eq!(of(&log, "camera main").us, Some(41_000));
        assert_eq!(of(&log, "camera sub"), Said::default());
        assert_eq!(of(&Log::default(), "panel"), Said::default());
        assert_eq!(search(&log), None);
    }

    #[test]
    fn a_search_is_found_with_its_size() {
        let text = "[   0.300000] kernel (gzip, 20500 KiB) names 2 panels of the table; 1650000 us";
        let log = Log {
            lines: [Line::said(text)].into(),
            ..Log::default()
        };
        let (kib, us) = (20_500, 1_650_000);
        assert_eq!(search(&log), Some(Search { kib, us }));
    }
}
