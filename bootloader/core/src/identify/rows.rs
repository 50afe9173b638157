//! A set of row numbers of the panel table.

/// Rows a table may have.
pub const MAX_ROWS: usize = 1024;
const WORD: usize = u32::BITS as usize;

/// A set of row numbers below [`MAX_ROWS`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RowSet([u32; MAX_ROWS / WORD]);

impl RowSet {
    /// No row.
    pub const EMPTY: Self = Self([0; MAX_ROWS / WORD]);

    /// The first `count` rows.
    pub fn first(count: usize) -> Self {
        (0..count.min(MAX_ROWS)).map(|row| row as u16).collect()
    }

    /// Adds `row`; one outside the range is left out.
    pub fn insert(&mut self, row: u16) {
        if let Some(word) = self.0.get_mut(usize::from(row) / WORD) {
            *word |= 1 << (usize::from(row) % WORD);
        }
    }

    /// Takes `row` out.
    pub fn remove(&mut self, row: u16) {
        if let Some(word) = self.0.get_mut(usize::from(row) / WORD) {
            *word &= !(1 << (usize::from(row) % WORD));
        }
    }

    /// Adds all rows of `other`.
    pub fn add(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
    }

    /// Whether `row` is in it.
    pub fn contains(&self, row: u16) -> bool {
        self.0
            .get(usize::from(row) / WORD)
            .is_some_and(|word| word >> (usize::from(row) % WORD) & 1 == 1)
    }

    /// Whether no row is in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Number of rows in it.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Its rows, in order.
    pub fn iter(&self) -> Rows<'_> {
        Rows { set: self, next: 0 }
    }
}

/// See [`RowSet::iter`].
#[derive(Clone)]
pub struct Rows<'a> {
    set: &'a RowSet,
    /// The first row that has not been looked at.
    next: usize,
}

impl Iterator for Rows<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        loop {
            let left = self.set.0.get(self.next / WORD)? >> (self.next % WORD);
            if left != 0 {
                let row = self.next + left.trailing_zeros() as usize;
                self.next = row + 1;
                return Some(row as u16);
            }
            self.next = (self.next / WORD + 1) * WORD;
        }
    }
}

impl<'a> IntoIterator for &'a RowSet {
    type Item = u16;
    type IntoIter = Rows<'a>;

    fn into_iter(self) -> Rows<'a> {
        self.iter()
    }
}

impl core::fmt::Debug for RowSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<u16> for RowSet {
    fn from_iter<I: IntoIterator<Item = u16>>(rows: I) -> Self {
        let mut set = Self::EMPTY;
        for row in rows {
            set.insert(row);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn rows_are_kept_and_the_range_is_respected() {
        let set: RowSet = [3, 31, 32, 1023, 1024, u16::MAX].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 31, 32, 1023]);
        assert_eq!((set.len(), set.contains(4)), (4, false));
        let mut fewer = set;
        for row in [3, 1023, 500, u16::MAX] {
            fewer.remove(row);
        }
        assert_eq!(fewer.iter().collect::<Vec<_>>(), [31, 32]);
        assert_eq!(RowSet::first(40).len(), 40);
        assert_eq!(RowSet::first(5000).len(), MAX_ROWS);
        assert!(RowSet::EMPTY.is_empty() && !set.is_empty());
    }
}
