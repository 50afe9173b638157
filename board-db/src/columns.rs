//! Rows by field, as the build script stores them.

/// Numbers of 16 bits, one for each row.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    /// Low bytes.
    pub low: &'static [u8],
    /// High bytes; none where all are zero.
    pub high: &'static [u8],
}

impl Numbers {
    /// The number of row `row`. Not inlined: a row has twenty of them, and
    /// that is 1.5 KB of code.
    #[inline(never)]
    pub fn get(&self, row: usize) -> Option<u16> {
        let high = self.high.get(row).copied().unwrap_or(0);
        Some(u16::from_be_bytes([high, *self.low.get(row)?]))
    }
}

/// A field of all rows.
#[derive(Debug, Clone, Copy)]
pub struct Column<T: 'static> {
    /// Each value once.
    pub values: &'static [T],
    /// Which of them each row has.
    pub index: Numbers,
}

impl<T: Copy> Column<T> {
    /// The field of row `row`.
    pub fn get(&self, row: usize) -> Option<T> {
        let index = self.index.get(row)?;
        self.values.get(usize::from(index)).copied()
    }
}
